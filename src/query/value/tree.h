/*-------------------------------------------------------------------------
 *
 * tree.h
 *		A query value as a tree, which resolving names fills in.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_TREE_H
#define CORM_VALUE_TREE_H

#include "postgres.h"

#include "model/model.h"
#include "nodes/pg_list.h"
#include "query/value/node.h"

typedef struct CormTree CormTree;

typedef struct CormArg
{
	char	   *str;			/* n, o (NULL if missing), t */
	Oid			oid;			/* r, y; i: the integer */
	CormTree   *node;			/* x, v, j, e */
	List	   *list;			/* of CormTree: lists, and the clauses of q
								 * and Q; of char * for N */
} CormArg;

#define CORM_MAX_ARGS 4

struct CormTree
{
	CormNodeTag tag;
	const CormNodeDesc *desc;
	CormArg		args[CORM_MAX_ARGS];
	int			valno;			/* VALUE: index into the values section */
	Oid			typid;			/* VALUE: type of the bound value */
	const struct CormValue *constant;	/* VALUE of a stored expression: the
										 * value itself */
	const struct CormValue *bound;	/* VALUE: the value that it was read with,
									 * for premises.c */

	/* set by resolve.c */
	struct CormRange *range;	/* COLUMN: where it comes from, NULL if it
								 * names an output column */
	CormField  *field;			/* COLUMN: the field, if the range is a model */
	char	   *output;			/* COLUMN: the output or subquery column it
								 * names */
	int			output_number;	/* COLUMN: of a set operation's output, from 1 */
	struct CormTree *aliased;	/* COLUMN: the select item of that name */
	Oid			opr;			/* comparison: the operator, if not the one of
								 * that name */
	bool		by_default;		/* COLUMN: of '*', not named by the user */
	bool		from_filter;	/* some, every, none: of a filter from outside */
	bool		own;			/* COLUMN of such a filter: of the source or
								 * its relations, not of joins */
	bool		is_referenced;	/* a select item that another clause names */
	struct CormStmt *query;		/* SUBQUERY, EXISTS, ...: the resolved query */
};

typedef struct CormValue
{
	Oid			typid;
	const char *data;
	uint32		len;
	uint32		symbol;			/* its number, if it is not known yet; else 0 */
} CormValue;

/* Whether a node has one of the properties, of CormNodeProperty. */
static inline bool
corm_tree_is(const CormTree *tree, uint32 properties)
{
	return (tree->desc->properties & properties) != 0;
}

extern List *corm_tree_read_query(const CormNode *node, const CormValue *values, int first_valno);
extern CormTree *corm_tree_read_expr(const CormNode *node, const CormValue *values);
extern List *corm_tree_show(const CormNode *node, const CormValue *values);
extern int	corm_values_read(const CormNode *node, CormValue *values, int max);
extern int	corm_values_read_symbols(const CormNode *node, CormValue *values, int max);
extern const char *corm_value_problem(const CormValue *value);
extern Datum corm_value_datum(const CormValue *value, int16 typlen, bool typbyval);

/* trees that were not read */
extern CormTree *corm_make_tree(CormNodeTag tag);
extern CormTree *corm_make_binary(CormNodeTag tag, CormTree *left, CormTree *right);
extern CormTree *corm_make_list(CormNodeTag tag, List *args);

/* stored.c: values that corm's catalogs hold */
extern CormTree *corm_stored_expr(struct varlena *value);
extern List *corm_stored_query(struct varlena *value);

#endif							/* CORM_VALUE_TREE_H */
