/*-------------------------------------------------------------------------
 *
 * stored.c
 *		Expressions and queries that corm's catalogs hold: conditions of
 *		relations, scopes.
 *
 * Their values are not among the bound values of the call, so each VALUE
 * carries its own; a plan keeps copies of them.  A change of the catalog
 * invalidates the plans.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "query/value/node.h"
#include "query/value/tree.h"
#include "query/value/walk.h"

/* Gives the values of an expression or clause to it; context is an array of CormValue. */
static bool
bind_walker(CormTree *tree, void *context)
{
	const CormValue *values = context;

	if (tree->tag == CORM_N_VALUE)
		tree->constant = &values[tree->valno];
	return corm_tree_walker(tree, bind_walker, context);
}

static CormValue *
read_values(const CormNode *node)
{
	CormValue  *values = palloc(sizeof(CormValue) * (node->nvalues + 1));

	(void) corm_values_read(node, values, node->nvalues);
	return values;
}

/*
 * corm_stored_expr reads a stored corm.expr, which is copied, into a tree in
 * the current context.
 */
CormTree *
corm_stored_expr(struct varlena *value)
{
	CormNode   *node = corm_node_check((CormNode *) PG_DETOAST_DATUM_COPY(PointerGetDatum(value)),
									   CORM_KIND_EXPR);
	CormValue  *values = read_values(node);
	CormTree   *tree = corm_tree_read_expr(node, values);

	(void) bind_walker(tree, values);
	return tree;
}

/* corm_stored_query does the same for the clauses of a stored corm.query. */
List *
corm_stored_query(struct varlena *value)
{
	CormNode   *node = corm_node_check((CormNode *) PG_DETOAST_DATUM_COPY(PointerGetDatum(value)),
									   CORM_KIND_QUERY);
	CormValue  *values = read_values(node);
	List	   *clauses = corm_tree_read_query(node, values, 0);

	(void) corm_trees_walker(clauses, bind_walker, values);
	return clauses;
}
