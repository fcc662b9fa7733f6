/*-------------------------------------------------------------------------
 *
 * keyset.c
 *		Keyset pages: total orders of rows, and the condition for a cursor.
 *
 * A page starts after (or ends before) a row, identified by its values of the
 * order's expressions.  Every such order ends with the primary key, so it is a
 * total order.
 *
 * If no expression can be NULL and all have the same direction, the condition
 * is one row comparison, which can use an index.  Otherwise we spell it out:
 * greater in the first expression, or equal in it and greater in the rest,
 * with NULLs where the order puts them.  We do the same if a type has its own
 * operators, like citext, because a row comparison takes the operators of all
 * columns from one schema.
 *
 * If a table has children, its primary key is not unique over all rows.  Then
 * the order ends with tableoid and ctid.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/value.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "model/relations.h"
#include "query/resolve/carry.h"
#include "query/resolve/keyset.h"
#include "query/resolve/names.h"
#include "query/resolve/operators.h"
#include "query/value/cursor.h"
#include "query/value/tree.h"
#include "query/value/walk.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * Orders
 */

typedef struct OrderKey
{
	CormTree   *expr;
	bool		desc;
	bool		nulls_first;
	bool		nullable;
	/* operators of the type's order, if they have other names than < > = */
	Oid			lt;
	Oid			gt;
	Oid			eq;
} OrderKey;

/*
 * Returns whether an expression is a system column of the source, see
 * append_place.
 */
static bool
is_system_column(CormStmt *stmt, CormTree *expr)
{
	return expr->tag == CORM_N_COLUMN && expr->range == stmt->source && expr->field == NULL &&
		stmt->source->ordered_by_system;
}

/*
 * Returns an operator of a type's ordering, InvalidOid if its plain name finds
 * it.
 */
static Oid
own_operator(Oid opr, const char *name)
{
	char	   *own = OidIsValid(opr) ? get_opname(opr) : NULL;

	return own && strcmp(own, name) != 0 ? opr : InvalidOid;
}

/*
 * Fills in the operators of the key type's ordering, if their names are not
 * < > =.
 */
static void
find_operators(OrderKey *key)
{
	Oid			typid = corm_expr_type(key->expr);
	TypeCacheEntry *entry;

	if (!OidIsValid(typid) || typid == UNKNOWNOID)
		return;
	entry = lookup_type_cache(getBaseType(typid), TYPECACHE_LT_OPR | TYPECACHE_GT_OPR | TYPECACHE_EQ_OPR);
	key->lt = own_operator(entry->lt_opr, "<");
	key->gt = own_operator(entry->gt_opr, ">");
	key->eq = own_operator(entry->eq_opr, "=");
}

/*
 * corm_order_item returns the expression of an ORDER BY element and sets its
 * direction.
 */
CormTree *
corm_order_item(CormTree *item, bool *desc, bool *nulls_first)
{
	const char *nulls = NULL;

	*desc = item->tag == CORM_N_DESC;
	if (item->tag == CORM_N_ASC || item->tag == CORM_N_DESC)
	{
		nulls = item->args[1].str;
		item = item->args[0].node;
	}
	*nulls_first = nulls ? pg_strcasecmp(nulls, "first") == 0 : *desc;
	return item;
}

/* Returns an element of the order as an OrderKey. */
static OrderKey *
order_key(CormStmt *stmt, CormTree *item)
{
	OrderKey   *key = palloc0(sizeof(OrderKey));

	key->expr = corm_order_item(item, &key->desc, &key->nulls_first);
	/* a view's key may be NULL: it is declared, not enforced */
	key->nullable = key->expr->tag != CORM_N_COUNT_OF &&
		!(key->expr->tag == CORM_N_COLUMN && key->expr->range == stmt->source &&
		  ((key->expr->field && key->expr->field->not_null) || is_system_column(stmt, key->expr)));
	find_operators(key);
	return key;
}

static List *
order_keys(CormStmt *stmt)
{
	List	   *keys = NIL;
	ListCell   *lc;

	foreach(lc, stmt->order_by)
	{
		keys = lappend(keys, order_key(stmt, lfirst(lc)));
	}
	return keys;
}

/*
 * Returns whether a plain source field is one of the elements of the order.
 */
static bool
orders_by(CormStmt *stmt, CormField *field)
{
	ListCell   *lc;

	foreach(lc, stmt->order_by)
	{
		CormTree   *item = lfirst(lc);

		if (item->tag == CORM_N_ASC || item->tag == CORM_N_DESC)
			item = item->args[0].node;
		if (item->tag == CORM_N_COLUMN && item->field == field && item->range == stmt->source)
			return true;
	}
	return false;
}

static bool
is_column(CormTree *expr)
{
	return corm_tree_is(expr, CORM_IS_COLUMN) && expr->range && expr->query == NULL;
}

static CormTree *
system_column(CormRange *range, const char *name, Oid typid)
{
	CormTree   *column = corm_make_column(range, name);

	column->typid = typid;
	return column;
}

/*
 * Returns the type to which a page casts values for sorting, if their text
 * does not read back as the same value in every session: reg* types print
 * names, and the format of money is a setting.  InvalidOid for other types.
 */
static Oid
sorted_as(Oid typid)
{
	Oid			base = OidIsValid(typid) ? getBaseType(typid) : InvalidOid;

	if (corm_type_names_objects(base))
		return OIDOID;
	return base == CASHOID ? NUMERICOID : InvalidOid;
}

/*
 * Replaces output names in the order by their expressions, since the
 * conditions of a cursor cannot use output names.
 */
static void
expand_output_names(CormStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->order_by)
	{
		CormTree   *item = lfirst(lc);
		bool		directed = item->tag == CORM_N_ASC || item->tag == CORM_N_DESC;
		CormTree   *expr = directed ? item->args[0].node : item;

		if (expr->tag == CORM_N_COLUMN && expr->aliased)
			expr = expr->aliased;
		if (expr->tag == CORM_N_AS)
			expr = expr->args[0].node;
		if (expr->tag == CORM_N_OVER || expr->tag == CORM_N_OVER_CLAUSES)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("a page cannot be ordered by a window function"),
					 errhint("Compute it in a query of its own, and read that by corm.limit() and corm.offset().")));
		if (OidIsValid(sorted_as(corm_expr_type(expr))))
		{
			CormTree   *cast = corm_make_tree(CORM_N_CAST);

			cast->args[0].node = expr;
			cast->args[1].oid = sorted_as(corm_expr_type(expr));
			expr = cast;
		}
		if (directed)
			item->args[0].node = expr;
		else
			lfirst(lc) = expr;
	}
}

/*
 * Removes repeated fields from the order; only the first has an effect.
 */
static void
drop_repeated(CormStmt *stmt)
{
	List	   *order = NIL;
	ListCell   *lc;

	foreach(lc, stmt->order_by)
	{
		CormTree   *expr = lfirst(lc);
		bool		repeated = false;
		ListCell   *before;

		CHECK_FOR_INTERRUPTS();
		if (expr->tag == CORM_N_ASC || expr->tag == CORM_N_DESC)
			expr = expr->args[0].node;
		foreach(before, order)
		{
			CormTree   *other = lfirst(before);

			if (other->tag == CORM_N_ASC || other->tag == CORM_N_DESC)
				other = other->args[0].node;
			repeated |= is_column(expr) && is_column(other) && expr->range == other->range &&
				expr->field == other->field && (expr->field || strcmp(expr->output, other->output) == 0);
		}
		if (!repeated)
			order = lappend(order, lfirst(lc));
	}
	stmt->order_by = order;
}

/* Appends an expression to the order. */
static void
append_key(CormStmt *stmt, CormTree *item, bool desc)
{
	if (desc)
	{
		CormTree   *down = corm_make_tree(CORM_N_DESC);

		down->args[0].node = item;
		item = down;
	}
	stmt->order_by = lappend(stmt->order_by, item);
}

/*
 * If the source table has children, appends tableoid and ctid to the order.
 * They distinguish rows with the same key in several tables, or in a child
 * table without the constraint.
 */
static void
append_place(CormStmt *stmt, bool desc)
{
	CormRange  *source = stmt->source;
	List	   *tables;
	bool		stored = true;
	ListCell   *lc;

	if (source->query || get_rel_relkind(source->model->table) != RELKIND_RELATION ||
		!has_subclass(source->model->table))
		return;
	tables = find_all_inheritors(source->model->table, NoLock, NULL);
	if (list_length(tables) < 2)
		return;
	foreach(lc, tables)
	{
		stored &= get_rel_relkind(lfirst_oid(lc)) == RELKIND_RELATION;
	}
	source->ordered_by_system = true;
	append_key(stmt, system_column(source, "tableoid", OIDOID), desc);
	if (stored)
		append_key(stmt, system_column(source, "ctid", TIDOID), desc);
}

/*
 * corm_complete_order appends the primary key to a statement's order, in the
 * direction of its last element, so that one index can serve the whole order.
 */
void
corm_complete_order(CormStmt *stmt)
{
	CormModel  *model = stmt->source ? stmt->source->model : NULL;
	ListCell   *lc;
	bool		desc = stmt->order_by && ((CormTree *) llast(stmt->order_by))->tag == CORM_N_DESC;

	if (stmt->command != CORM_CMD_SELECT || model == NULL || stmt->setops || stmt->group_by ||
		stmt->distinct || stmt->distinct_on)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a page needs a query over a model, without grouping, distinct or set operations")));
	/* a row that comes several times would have one place only */
	foreach(lc, stmt->joins)
	{
		CormJoin   *join = lfirst(lc);
		CormRelation *relation = join->to_many;

		/* and a missing row has no place at all */
		if (join->tag == CORM_N_RIGHT_JOIN_MODEL || join->tag == CORM_N_FULL_JOIN_MODEL)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("a page cannot have rows that are not of its model \"%s\"", model->name),
					 errdetail("A right or full join makes such rows."),
					 errhint("Begin the query with the other model, and join this one by corm.left_join().")));
		if (relation)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("a page cannot join relation \"%s\", which leads to many rows", relation->name),
					 errhint("Use corm.some() to choose rows by their related ones, or corm.preload() to show these.")));
	}
	corm_model_require_pk(model);
	expand_output_names(stmt);
	drop_repeated(stmt);
	for (int i = 0; i < model->npk; i++)
	{
		CormField  *field = &model->fields[model->pk[i]];

		if (!orders_by(stmt, field))
			append_key(stmt, corm_make_column(stmt->source, field->column), desc);
	}
	append_place(stmt, desc);
	/* a key may be of such a type, too */
	expand_output_names(stmt);
}

/* Appends the bound values in an expression to a list, which is the context. */
static bool
constants_walker(CormTree *tree, void *context)
{
	List	  **constants = context;

	/* what a scope or a relation's condition holds is the same for all */
	if (tree->tag == CORM_N_VALUE && tree->constant == NULL)
		*constants = lappend(*constants, tree);
	return corm_tree_walker(tree, constants_walker, constants);
}

/*
 * corm_order_constants returns the bound values in a statement's order as
 * expressions of type text, independent of session settings.  The caller has
 * called corm_complete_order.
 */
List *
corm_order_constants(CormStmt *stmt)
{
	List	   *values = NIL;
	List	   *constants = NIL;
	ListCell   *lc;

	(void) corm_trees_walker(stmt->order_by, constants_walker, &values);
	foreach(lc, values)
	{
		CormTree   *value = lfirst(lc);
		CormTree   *as_text = corm_make_tree(CORM_N_CAST);

		if (value->typid != UNKNOWNOID && value->typid != TEXTOID)
		{
			CormTree   *call = corm_make_tree(CORM_N_FN);

			call->args[0].str = "corm.cursor_text";
			call->args[1].list = list_make1(value);
			value = call;
		}
		as_text->args[0].node = value;
		as_text->args[1].oid = TEXTOID;
		constants = lappend(constants, as_text);
	}
	return constants;
}

/* Reverses the order of a statement; keys are its elements. */
static void
reverse_order(CormStmt *stmt, List *keys)
{
	List	   *reversed = NIL;
	ListCell   *lc;

	foreach(lc, keys)
	{
		OrderKey   *key = lfirst(lc);
		CormTree   *item = corm_make_tree(key->desc ? CORM_N_ASC : CORM_N_DESC);

		item->args[0].node = key->expr;
		item->args[1].str = !key->nullable ? NULL : key->nulls_first ? "last" : "first";
		reversed = lappend(reversed, item);
	}
	stmt->order_by = reversed;
}

/*
 * Conditions
 */

/*
 * Returns the condition that an expression is NULL, or is not.  A row of NULLs
 * IS NULL but does not sort as NULL, so row types need IS DISTINCT FROM.
 */
static CormTree *
is_null(CormTree *expr, bool yes)
{
	Oid			typid = corm_expr_type(expr);
	CormTree   *tree;

	if (!OidIsValid(typid) || type_is_rowtype(typid))
	{
		CormTree   *null = corm_make_tree(CORM_N_NULL);

		null->args[0].oid = UNKNOWNOID;
		tree = corm_make_binary(CORM_N_IS_DISTINCT_FROM, expr, null);
		if (yes)
		{
			CormTree   *not = corm_make_tree(CORM_N_NOT);

			not->args[0].node = tree;
			tree = not;
		}
		return tree;
	}
	tree = corm_make_tree(yes ? CORM_N_IS_NULL : CORM_N_IS_NOT_NULL);
	tree->args[0].node = expr;
	return tree;
}

static CormTree *
key_equals(OrderKey *key, CormTree *value)
{
	CormTree   *cond;

	if (value->tag == CORM_N_NULL)
		return is_null(key->expr, true);
	cond = corm_make_binary(CORM_N_EQ, key->expr, value);
	cond->opr = key->eq;
	return cond;
}

/*
 * Returns the condition that a row comes after the value in the order of one
 * key; NULL if no row can.
 */
static CormTree *
key_behind(OrderKey *key, CormTree *value, bool backwards)
{
	bool		down = key->desc != backwards;
	bool		nulls_first = key->nulls_first != backwards;
	CormTree   *cond;

	if (value->tag == CORM_N_NULL)
		return nulls_first ? is_null(key->expr, false) : NULL;
	cond = corm_make_binary(down ? CORM_N_LT : CORM_N_GT, key->expr, value);
	cond->opr = down ? key->lt : key->gt;
	if (key->nullable && !nulls_first)
		cond = corm_make_list(CORM_N_OR, list_make2(cond, is_null(key->expr, true)));
	return cond;
}

/*
 * Returns whether a single row comparison can express the condition of a
 * cursor: no key or value can be NULL, all keys have the same direction, and
 * their operators are in pg_catalog.
 */
static bool
is_row_comparison(List *keys, List *values)
{
	bool		desc = ((OrderKey *) linitial(keys))->desc;
	ListCell   *lc;

	foreach(lc, keys)
	{
		OrderKey   *key = lfirst(lc);

		if (key->nullable || key->desc != desc || OidIsValid(key->lt) || OidIsValid(key->gt) ||
			corm_operator_schema(desc ? "<" : ">", corm_expr_type(key->expr), InvalidOid) != PG_CATALOG_NAMESPACE)
			return false;
	}
	foreach(lc, values)
	{
		if (((CormTree *) lfirst(lc))->tag != CORM_N_VALUE)
			return false;
	}
	return true;
}

/*
 * Returns the condition that a row comes after the values in the order, or
 * before them if backwards.
 */
static CormTree *
cursor_condition(List *keys, List *values, bool backwards)
{
	int			n = list_length(keys);
	CormTree   *condition = NULL;	/* behind in the rest; NULL: no row is */

	if (is_row_comparison(keys, values))
	{
		bool		down = ((OrderKey *) linitial(keys))->desc != backwards;
		List	   *exprs = NIL;
		ListCell   *lc;

		if (n == 1)
			return key_behind(linitial(keys), linitial(values), backwards);
		foreach(lc, keys)
		{
			exprs = lappend(exprs, ((OrderKey *) lfirst(lc))->expr);
		}
		return corm_make_binary(down ? CORM_N_LT : CORM_N_GT,
								corm_make_list(CORM_N_ROW, exprs), corm_make_list(CORM_N_ROW, values));
	}

	/*
	 * from the last key to the first, each value written twice: the size is
	 * that of the order
	 */
	for (int i = n - 1; i >= 0; i--)
	{
		CormTree   *behind = key_behind(list_nth(keys, i), list_nth(values, i), backwards);

		if (condition)
			condition = corm_make_list(CORM_N_AND, list_make2(key_equals(list_nth(keys, i), list_nth(values, i)), condition));
		if (behind && condition)
			condition = corm_make_list(CORM_N_OR, list_make2(behind, condition));
		else if (behind)
			condition = behind;
	}
	return condition ? condition : corm_make_list(CORM_N_OR, NIL);
}

/*
 * Adds conditions that the constants of the cursor equal those of the query's
 * order.  They raise OR004 if not, independent of the rows.
 */
static List *
same_constants(List *constants, List *values)
{
	List	   *conditions = NIL;
	ListCell   *constant;
	ListCell   *value;

	forboth(constant, constants, value, values)
	{
		CormTree   *call = corm_make_tree(CORM_N_FN);

		call->args[0].str = "corm.same_order";
		call->args[1].list = list_make2(lfirst(constant), lfirst(value));
		conditions = lappend(conditions, call);
	}
	return conditions;
}

/*
 * If rows are partitioned by the first key of the order, adds what the condition of the
 * cursor says of it alone: the planner does not look into comparisons of rows for the
 * partitions that can have rows.
 */
static void
add_partition_condition(CormStmt *stmt, OrderKey *key, CormTree *value)
{
	CormTree   *expr = key->expr;

	if (key->nullable || OidIsValid(key->lt) || OidIsValid(key->gt) || value->tag != CORM_N_VALUE || !is_column(expr) ||
		expr->range != stmt->source || expr->field == NULL || !corm_locates_rows(stmt->source->model, expr->field))
		return;
	stmt->where = lappend(stmt->where,
						  corm_make_binary(key->desc != stmt->reversed ? CORM_N_LTE : CORM_N_GTE, expr, value));
}

/*
 * corm_apply_cursor adds the condition for after() or before() to a statement,
 * and keeps the other conditions in stmt->uncursored.
 * For before() it reverses the order, and the deparser reverses the rows
 * again.  The deparser also checks the cursor's order against
 * stmt->cursor_order.
 */
void
corm_apply_cursor(CormStmt *stmt)
{
	List	   *values = stmt->cursor->args[1].list;
	List	   *keys;
	List	   *constants;

	corm_complete_order(stmt);
	keys = order_keys(stmt);
	constants = corm_order_constants(stmt);
	if (list_length(keys) + list_length(constants) != list_length(values))
		corm_other_order();
	stmt->cursor_order = list_copy(stmt->order_by);
	stmt->uncursored = list_copy(stmt->where);
	stmt->where = list_concat(stmt->where, same_constants(constants, list_copy_tail(values, list_length(keys))));
	values = list_truncate(list_copy(values), list_length(keys));
	stmt->where = lappend(stmt->where, cursor_condition(keys, values, stmt->reversed));
	if (list_length(keys) > 1)
		add_partition_condition(stmt, linitial(keys), linitial(values));
	if (stmt->reversed)
		reverse_order(stmt, keys);
}
