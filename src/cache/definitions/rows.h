/*-------------------------------------------------------------------------
 *
 * rows.h
 *		The row of a cache in corm.cache_definitions: locked, found, removed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_ROWS_H
#define CORM_CACHE_ROWS_H

#include "access/htup.h"
#include "utils/relcache.h"

extern bool corm_cache_lock(Relation definitions, const char *name, bool wait);
extern HeapTuple corm_cache_find_row(Relation rel, const char *name);
extern void corm_cache_remove(Relation definitions, HeapTuple tuple, uint64 id);

#endif							/* CORM_CACHE_ROWS_H */
