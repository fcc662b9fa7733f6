/*-------------------------------------------------------------------------
 *
 * stored.c
 *		Expressions and queries stored in corm's catalogs: conditions of
 *		relations, scopes.
 *
 * Their values are not among the bound values of the call, so each VALUE node
 * carries its own, and a plan keeps copies.  Any change of the catalogs
 * invalidates the plans.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "query/value/node.h"
#include "query/value/tree.h"
#include "query/value/walk.h"

/* Sets the constant of each VALUE node; context is an array of CormValue. */
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
 * corm_stored_expr reads a stored corm.expr into a tree in the current
 * context.  It works on a copy, so value need not outlive the tree.  Raises
 * XX001 for corrupt bytes, 42704 for a BROKEN node.
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

/*
 * corm_stored_query does the same for a stored corm.query: a list of its
 * clauses.
 */
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
