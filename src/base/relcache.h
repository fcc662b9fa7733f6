/*-------------------------------------------------------------------------
 *
 * relcache.h
 *		One relcache callback for all parts of the library.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_RELCACHE_H
#define CORM_BASE_RELCACHE_H

#include "utils/inval.h"

extern void corm_on_relcache(RelcacheCallbackFunction callback);

#endif							/* CORM_BASE_RELCACHE_H */
