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

#include "query/query.h"

PG_FUNCTION_INFO_V1(corm_relate);

static void bind_list(List *list, const CormValue *values);

static void
bind_tree(CormTree *tree, const CormValue *values)
{
	if (tree->tag == CORM_N_VALUE)
	{
		tree->constant = &values[tree->valno];
		return;
	}
	if (tree->tag == CORM_N_NULL)
		return;
	for (int i = 0; tree->desc->args[i] != '\0'; i++)
	{
		if (tree->args[i].node)
			bind_tree(tree->args[i].node, values);
		/* a list of names holds no trees */
		if (tree->desc->args[i] != 'N')
			bind_list(tree->args[i].list, values);
	}
}

static void
bind_list(List *list, const CormValue *values)
{
	ListCell   *lc;

	foreach(lc, list)
		bind_tree(lfirst(lc), values);
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

	bind_tree(tree, values);
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

	bind_list(clauses, values);
	return clauses;
}

/*
 * corm_relate is corm.relate(model, name, kind, target, columns,
 * target_columns, through, through_columns, through_target_columns,
 * condition).  The condition is looked at last, with the relation in place:
 * one that follows its own relation is found out.
 */
Datum
corm_relate(PG_FUNCTION_ARGS)
{
	corm_check_condition(corm_relate_declare(fcinfo));
	PG_RETURN_VOID();
}
