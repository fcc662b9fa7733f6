/*-------------------------------------------------------------------------
 *
 * query_set.h
 *		The queries of a call, and their bound values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_QUERY_SET_H
#define CORM_EXEC_QUERY_SET_H

#include "fmgr.h"
#include "query/query.h"

#define CORM_QUERIES_LOCAL 16
#define CORM_VALUES_LOCAL 32

typedef struct CormQuerySet
{
	int			nqueries;
	const CormNode **queries;
	const CormNode *queries_local[CORM_QUERIES_LOCAL];
	uint32		shape_len;
	bool		has_symbols;	/* some of the values are not known yet */
	int			nvalues;
	CormValue  *values;
	CormValue	values_local[CORM_VALUES_LOCAL];
} CormQuerySet;

extern void corm_queries_from_args(FunctionCallInfo fcinfo, int argno, CormQuerySet *set);
extern void corm_queries_of_node(const CormNode *node, CormQuerySet *set);
extern void corm_queries_of_list(List *nodes, CormQuerySet *set);
extern void corm_rows_query(Oid model, Oid rows_type, Datum rows, CormQuerySet *set);
extern void corm_queries_copy(CormQuerySet *copy, const CormQuerySet *set, int nextra);
extern void corm_queries_read_values(CormQuerySet *set);
extern List *corm_queries_read_trees(CormQuerySet *set);
extern CormValue *corm_queries_value(CormQuerySet *set, int valno);
extern int64 corm_bound_int64(CormQuerySet *set, int valno, const CormValue *constant, int64 absent);

#endif							/* CORM_EXEC_QUERY_SET_H */
