/*-------------------------------------------------------------------------
 *
 * depends.h
 *		The tables that an entry depends on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_DEPENDS_H
#define CORM_CACHE_DEPENDS_H

#include "cache/cache.h"
#include "cache/shared/table.h"
#include "utils/array.h"

/* What the argument depends of a call means. */
typedef struct CormFollow
{
	List	   *named;			/* relations that it names */
	List	   *tables;			/* these and what is behind views; NIL: none */
	List	   *relids;			/* these with their descendants */
	const char *why;			/* one of them cannot be followed, or NULL */
	CormDepends *depends;
	uint64		sum;			/* after corm_follow_begin */
} CormFollow;

extern void corm_follow_argument(FunctionCallInfo fcinfo, int argno, CormFollow *follow);
extern CormFreshness corm_follow_begin(CormFollow *follow);
extern bool corm_follow_covered(const CormFollow *follow, const CormCached *value);
extern void corm_follow_attach(const CormFollow *follow, CormCached *value);
extern bool corm_follow_unchanged(const CormFollow *follow);

#endif							/* CORM_CACHE_DEPENDS_H */
