/*-------------------------------------------------------------------------
 *
 * integer.h
 *		Adding to the integer that is stored under a key.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_INTEGER_H
#define CORM_CACHE_INTEGER_H

#include "cache/shared/table.h"

#define CORM_INTEGER_SPACE	20	/* bytes for an integer in any form */

extern CormStatus corm_cached_add(CormCached *value, int64 by, char *new, int64 *result);

#endif							/* CORM_CACHE_INTEGER_H */
