/*-------------------------------------------------------------------------
 *
 * kept.h
 *		Compiled queries of calls that are planned again and again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_INLINE_KEPT_H
#define CORM_INLINE_KEPT_H

#include "exec/inline/call_query.h"

/* What is known of a call. */
typedef enum CormKept
{
	CORM_KEPT_NEW,				/* nothing */
	CORM_KEPT_SEEN,				/* it was planned before */
	CORM_KEPT_NOT,				/* its query cannot be kept */
	CORM_KEPT_QUERY				/* its query */
} CormKept;

extern CormKept corm_kept_query(CormInline *state, const FuncExpr *call, Query **query, bool *guarded);
extern void corm_keep_query(CormInline *state, const FuncExpr *call, CormPlan *plan,
							const CormQuerySet *set, const Query *query);
extern void corm_keep_none(CormInline *state, const FuncExpr *call);

#endif							/* CORM_INLINE_KEPT_H */
