/*-------------------------------------------------------------------------
 *
 * cached.h
 *		Values as the cache takes and gives them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_CACHED_H
#define CORM_CACHE_CACHED_H

#include "base/value.h"
#include "cache/shared/table.h"

extern void corm_cached_flatten(Datum datum, Oid type, CormCached *value);
extern text *corm_cached_text(const CormCached *value);

#endif							/* CORM_CACHE_CACHED_H */
