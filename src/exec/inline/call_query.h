/*-------------------------------------------------------------------------
 *
 * call_query.h
 *		From the call of a verb to the query that it would run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_INLINE_CALL_QUERY_H
#define CORM_INLINE_CALL_QUERY_H

#include "exec/inline/dependencies.h"
#include "exec/inline/substitute.h"
#include "exec/plan/plan.h"
#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "query/query.h"

/* A query of the statement that is being planned, and the one around it. */
typedef struct CormQueryLevel
{
	Query	   *query;
	struct CormQueryLevel *outer;
} CormQueryLevel;

/* The statement that is being planned. */
typedef struct CormInline
{
	CormCallReader reader;
	ParamListInfo params;		/* those that are known */
	CormValuesOf values_of;
	bool		in_branch;		/* what is at hand may not be evaluated */
	bool		hashed;
	uint32		hash;			/* of source, if hashed */
	uint32		ncalls;			/* looked at in the statement */
	Query	   *parse;			/* the statement */
	const char *source;			/* its text, or that of what it is in */
	CormQueryLevel *level;		/* that which is at hand */
	List	   *queries;		/* of Query: that which has the call, and those
								 * around it */
	List	   *symbols;		/* of CormSymbol: those of the call */
	bool		disabled;		/* by a setting */
	bool		considered;		/* a verb was seen */
	bool		may_replace;	/* calls in the expression at hand */
	bool		has_vars;		/* of the call: a symbol has columns */
	bool		has_links;		/* of the call: a symbol has subqueries */
	CormDependencies dependencies;
} CormInline;

extern Query *corm_query_of_call(CormInline *state, const CormVerb *verb, FuncExpr *call, Node *queries,
								 bool *guarded);
extern Node *corm_value_of_call(CormInline *state, const CormVerb *verb, FuncExpr *call, Node *queries);
extern void corm_precompute(CormInline *state, FuncExpr *call);

#endif							/* CORM_INLINE_CALL_QUERY_H */
