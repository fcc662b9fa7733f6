/*-------------------------------------------------------------------------
 *
 * filter_check.c
 *		Checks of untrusted filters against their model.
 *
 * corm.filter() checks everything that does not need the model (filter.c).
 * When names are bound, we check the rest here: whether a field is filterable,
 * and whether its type supports the operator and the value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "model/relations.h"
#include "query/resolve/filter_check.h"
#include "query/resolve/names.h"
#include "query/resolve/operators.h"
#include "query/resolve/same.h"
#include "query/value/filter.h"
#include "query/value/tree.h"
#include "query/value/walk.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * corm_check_filterable raises 42501 if a name in corm.filter() is that of a
 * field that is not filterable, or is reached by a relation that is not.
 */
void
corm_check_filterable(CormTree *tree)
{
	CormField  *field = corm_column_field(tree);

	for (CormRange *range = tree->range; range && range->relation; range = range->from)
		corm_filter_check_relation(range->from->model, range->relation);

	if (field && !field->filterable)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("field \"%s\" cannot be used in a filter", tree->args[0].str)));
}

/*
 * corm_check_filter_name raises 42703, with a hint, if a filter uses the name
 * of a relation like a field.  Otherwise null would be ambiguous: it could
 * mean that there is no row.
 */
void
corm_check_filter_name(CormRange *range, CormTree *tree, const char *name)
{
	const char *path = tree->args[0].str;
	CormRelation *relation = range->model ? corm_model_find_relation(range->model, name) : NULL;
	bool		to_one;

	if (relation == NULL)
		return;
	to_one = relation->kind == CORM_BELONGS_TO || relation->kind == CORM_HAS_ONE;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("unknown field \"%s\" of model \"%s\"", name, range->model->name),
			 errdetail("It is a relation."),
			 to_one ?
			 errhint("Conditions on it are written {\"%s\": {\"is\": {...}}}; that there is none is {\"%s\": {\"is\": null}}.",
					 path, path) :
			 errhint("Conditions on it are written {\"%s\": {\"some\": {...}}}; that there are none is {\"%s\": {\"none\": {}}}.",
					 path, path)));
}

/*
 * An untrusted filter can compare only a numeric field with a number and only
 * a boolean field with a boolean, and can look for arrays and objects only in
 * a field that contains such.  For a range, its element type counts, too.
 */
static void
check_filter_value(CormField *field, Oid met, CormTree *value)
{
	char		category;
	bool		preferred;
	bool		number;
	Oid			typid;

	if (value == NULL || value->tag != CORM_N_VALUE)
		return;
	if (value->typid == JSONBOID)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_FILTER),
				 errmsg("invalid filter"),
				 errdetail("Field \"%s\" of type %s cannot contain an array or object.",
						   field->name, format_type_be(field->typid))));
	typid = get_element_type(value->typid);
	if (!OidIsValid(typid))
		typid = value->typid;
	number = typid == INT4OID || typid == INT8OID || typid == NUMERICOID;
	if (!number && typid != BOOLOID)
		return;
	get_type_category_preferred(getBaseType(met), &category, &preferred);
	if (category != (number ? TYPCATEGORY_NUMERIC : TYPCATEGORY_BOOLEAN))
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_FILTER),
				 errmsg("invalid filter"),
				 errdetail("Field \"%s\" of type %s cannot be compared with a %s.",
						   field->name, format_type_be(field->typid),
						   number ? "number" : "boolean")));
}

/*
 * The value of overlaps must be a list for an array field, and text for any
 * other type.
 */
static void
check_filter_overlaps(CormField *field, CormTree *value)
{
	bool		is_array = type_is_array(getBaseType(field->typid));

	if (value->tag == CORM_N_VALUE && is_array != (value->typid == TEXTARRAYOID))
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_FILTER),
				 errmsg("invalid filter"),
				 errdetail(is_array ? "\"overlaps\" takes an array for field \"%s\" of type %s." :
						   "\"overlaps\" takes a string for field \"%s\" of type %s.",
						   field->name, format_type_be(field->typid))));
}

/*
 * Returns whether the parts of a row or array type have the comparison
 * operators that comparing such values needs.  PostgreSQL notices a missing
 * one only at the first row.
 */
static bool
parts_compare(Oid typid, bool ordered)
{
	TypeCacheEntry *entry = lookup_type_cache(getBaseType(typid), ordered ? TYPECACHE_LT_OPR | TYPECACHE_CMP_PROC : TYPECACHE_EQ_OPR);

	return ordered ? OidIsValid(entry->lt_opr) && OidIsValid(entry->cmp_proc) : OidIsValid(entry->eq_opr);
}

static bool
has_parts(Oid typid)
{
	Oid			base = getBaseType(typid);

	return type_is_array(base) || type_is_rowtype(base);
}

/*
 * Returns whether the operator can compare a field with a value, or with the
 * elements of a list.  = and <> with null are NULL tests and always possible.
 */
static bool
compares(CormField *field, const char *name, CormTree *value)
{
	Oid			right = UNKNOWNOID;
	bool		ordered = strcmp(name, "=") != 0 && strcmp(name, "<>") != 0;

	if (value->tag == CORM_N_NULL && !ordered)
		return true;
	if (value->tag != CORM_N_NULL)
	{
		right = get_element_type(value->typid);
		if (!OidIsValid(right))
			right = value->typid;
		/* a list of texts becomes one of the field's type */
		else if (right == TEXTOID && !OidIsValid(get_array_type(getBaseType(field->typid))))
			return false;
	}
	return corm_has_operator(name, field->typid, right == TEXTOID ? UNKNOWNOID : right) &&
		(!has_parts(field->typid) || parts_compare(field->typid, ordered));
}

static void
operator_does_not_apply(CormField *field, CormTree *tree)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_FILTER),
			 errmsg("invalid filter"),
			 errdetail("Operator \"%s\" does not apply to field \"%s\" of type %s.",
					   tree->desc->name, field->name, format_type_be(field->typid))));
}

/*
 * Returns whether a field can be matched with patterns: that needs a
 * deterministic collation.
 */
static bool
takes_patterns(CormField *field)
{
	return !OidIsValid(field->collation) || get_collation_isdeterministic(field->collation);
}

/*
 * An untrusted filter can name any operator for any field.  If the field's
 * type lacks it, report an invalid filter instead of an undefined operator.
 */
static void
check_filter_operator(CormField *field, CormTree *tree)
{
	const char *name = corm_operator_name(tree->tag);
	Oid			right = UNKNOWNOID;
	bool		exists;

	switch (tree->tag)
	{
		case CORM_N_STARTS_WITH:
		case CORM_N_ENDS_WITH:
		case CORM_N_ICONTAINS:
			exists = corm_has_operator("~~", field->typid, TEXTOID) && takes_patterns(field);
			break;
		case CORM_N_CONTAINS:
			exists = corm_contains_by_operator(field->typid) ||
				(corm_has_operator("~~", field->typid, TEXTOID) && takes_patterns(field));
			break;
		case CORM_N_LIKE:
		case CORM_N_NOT_LIKE:
		case CORM_N_ILIKE:
		case CORM_N_NOT_ILIKE:
		case CORM_N_REGEX:
		case CORM_N_IREGEX:
			exists = corm_has_operator(name, field->typid, UNKNOWNOID) && takes_patterns(field);
			break;
		case CORM_N_IN:
		case CORM_N_IS_DISTINCT_FROM:
		case CORM_N_EQ:
			exists = compares(field, "=", tree->args[1].node);
			break;
		case CORM_N_NOT_IN:
		case CORM_N_NEQ:
			exists = compares(field, "<>", tree->args[1].node);
			break;
		case CORM_N_BETWEEN:
			exists = compares(field, "<=", tree->args[1].node) && compares(field, "<=", tree->args[2].node);
			break;
		case CORM_N_LT:
		case CORM_N_LTE:
		case CORM_N_GT:
		case CORM_N_GTE:
			exists = compares(field, name, tree->args[1].node);
			break;
		default:
			if (name == NULL)
				return;
			/* a list of strings takes any array's type */
			if (tree->args[1].node->tag != CORM_N_NULL && tree->args[1].node->typid != TEXTARRAYOID)
				right = corm_right_operand_type(tree, field->typid);
			exists = corm_has_operator(name, field->typid, right) &&
				(!has_parts(field->typid) || parts_compare(field->typid, false));
			break;
	}
	if (!exists)
		operator_does_not_apply(field, tree);
	if (tree->tag == CORM_N_OVERLAPS)
		check_filter_overlaps(field, tree->args[1].node);
}

/*
 * Raises OR020 for a path in a field that is not JSON.  A json value can be
 * taken apart, but not be compared as a document.
 */
static void
check_filter_path(CormTree *tree)
{
	CormTree   *column = tree->args[0].node;
	Oid			typid = getBaseType(corm_expr_type(column));

	if (typid != JSONBOID && typid != JSONOID)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_FILTER),
				 errmsg("invalid filter"),
				 errdetail("Field \"%s\" of type %s has no paths.", column->args[0].str,
						   OidIsValid(typid) ? format_type_be(typid) : "unknown")));
	if (typid == JSONOID && strcmp(tree->args[2].str, "json") == 0)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_FILTER),
				 errmsg("invalid filter"),
				 errdetail("Field \"%s\" of type json cannot be searched for documents and keys; jsonb can.",
						   column->args[0].str)));
}

/*
 * corm_check_filter checks a condition of an untrusted filter; other trees
 * pass.  The names in tree must be bound.  Raises OR020 if the field's type
 * does not support the condition.
 */
void
corm_check_filter(CormTree *tree)
{
	CormTree   *left;

	if (tree->desc->args[0] != 'x')
		return;
	if (tree->tag == CORM_N_FILTER_PATH)
	{
		check_filter_path(tree);
		return;
	}
	left = tree->args[0].node;
	if (left == NULL || left->tag != CORM_N_FILTER_COLUMN || left->field == NULL)
		return;
	if (tree->tag == CORM_N_SEARCH)
	{
		if (!corm_is_searched(left->field->typid))
			operator_does_not_apply(left->field, tree);
		return;
	}
	if (tree->tag == CORM_N_CONTAINS && corm_takes_json(left, tree->args[1].node))
	{
		Oid			type = getBaseType(left->field->typid);

		if (has_parts(type) && !parts_compare(type, false))
			operator_does_not_apply(left->field, tree);
		if (type_is_multirange(type))
			type = get_multirange_range(type);
		if (type_is_range(type))
			check_filter_value(left->field, get_range_subtype(type), tree->args[1].node);
		return;
	}
	for (int i = 1; tree->desc->args[i] == 'v'; i++)
		check_filter_value(left->field, left->field->typid, tree->args[i].node);
	if (tree->desc->args[1] == 'v')
		check_filter_operator(left->field, tree);
}

/*
 * corm_check_filter_order does the same for an element of the order.  Raises
 * OR020 if its type has no ordering.
 */
void
corm_check_filter_order(CormTree *tree)
{
	TypeCacheEntry *entry;
	Oid			typid;

	if (tree->tag == CORM_N_ASC || tree->tag == CORM_N_DESC)
		tree = tree->args[0].node;
	if (tree->tag != CORM_N_FILTER_COLUMN)
		return;
	typid = corm_expr_type(tree);
	if (!OidIsValid(typid) || typid == UNKNOWNOID)
		return;
	entry = lookup_type_cache(typid, TYPECACHE_LT_OPR | TYPECACHE_CMP_PROC);
	if (!OidIsValid(entry->lt_opr) || (has_parts(typid) && !OidIsValid(entry->cmp_proc)))
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_FILTER),
				 errmsg("invalid filter"),
				 errdetail("Rows cannot be ordered by field \"%s\" of type %s.",
						   tree->args[0].str, format_type_be(typid))));
}

static const char *
output_name(CormTree *item)
{
	if (corm_tree_is(item, CORM_IS_COLUMN) && item->field)
		return item->field->json_key;
	return corm_item_name(item);
}

/*
 * corm_filter_select returns a select list without the columns of an untrusted
 * filter that the list already has.  Names must be bound.  Raises OR020 if the
 * filter adds another column with an existing output name.
 */
List *
corm_filter_select(List *items)
{
	List	   *result = NIL;
	bool		any = false;
	ListCell   *lc;

	foreach(lc, items)
	{
		any |= ((CormTree *) lfirst(lc))->tag == CORM_N_FILTER_COLUMN;
	}
	if (!any)
		return items;

	foreach(lc, items)
	{
		CormTree   *item = lfirst(lc);
		bool		there = false;
		ListCell   *other;

		CHECK_FOR_INTERRUPTS();
		foreach(other, items)
		{
			CormTree   *first = lfirst(other);
			bool		before = foreach_current_index(other) < foreach_current_index(lc);

			if (item->tag != CORM_N_FILTER_COLUMN || first == item ||
				(first->tag == CORM_N_FILTER_COLUMN && !before) ||
				strcmp(output_name(first), output_name(item)) != 0)
				continue;
			if (!corm_tree_is(first, CORM_IS_COLUMN) ||
				first->range != item->range || first->field != item->field || first->query || item->query)
				corm_bad_filter(psprintf("Two columns of the result would be named \"%s\".", output_name(item)));
			there = true;
		}
		if (!there)
			result = lappend(result, item);
	}
	return result;
}

/* Returns the column of an untrusted filter that a list item is, or NULL. */
static CormTree *
filter_column(CormTree *item)
{
	if (item->tag == CORM_N_ASC || item->tag == CORM_N_DESC)
		item = item->args[0].node;
	return item->tag == CORM_N_FILTER_COLUMN ? item : NULL;
}

/* Does a query group by the whole primary key of a table, and so by all of its fields? */
static bool
is_grouped_by_key(CormStmt *stmt, CormRange *range)
{
	CormTree   *key = corm_make_tree(CORM_N_COLUMN);
	CormModel  *model = range ? range->model : NULL;

	if (model == NULL || model->npk == 0)
		return false;
	key->range = range;
	for (int i = 0; i < model->npk; i++)
	{
		key->field = &model->fields[model->pk[i]];
		if (!corm_is_among(stmt->group_by, key))
			return false;
	}
	return true;
}

/* Returns whether an expression has an aggregate in it that makes groups of rows. */
static bool
aggregate_walker(CormTree *tree, void *context)
{
	if (corm_tree_is(tree, CORM_IS_AGGREGATE))
		return true;
	if (corm_tree_is(tree, CORM_IS_RELATION | CORM_IS_SUBQUERY))
		return false;
	/* the aggregate of a window is none, its arguments may have some */
	if ((tree->tag == CORM_N_OVER || tree->tag == CORM_N_OVER_CLAUSES) &&
		corm_tree_is(tree->args[0].node, CORM_IS_AGGREGATE))
		return corm_tree_walker(tree->args[0].node, aggregate_walker, context);
	return corm_tree_walker(tree, aggregate_walker, context);
}

/* corm_has_groups tells whether the rows of a query are groups. */
bool
corm_has_groups(CormStmt *stmt)
{
	ListCell   *lc;

	if (stmt->group_by || stmt->having)
		return true;
	foreach(lc, stmt->select)
	{
		if (aggregate_walker(lfirst(lc), NULL))
			return true;
	}
	return false;
}

/* Raises OR020 unless all rows of a group have one value of a filter's column. */
static void
check_groups(CormStmt *stmt, List *items, const char *what)
{
	ListCell   *lc;

	foreach(lc, items)
	{
		CormTree   *column = filter_column(lfirst(lc));

		if (column && column->aliased == NULL && !corm_is_among(stmt->group_by, column) &&
			!is_grouped_by_key(stmt, column->range))
			corm_bad_filter(psprintf("%s field \"%s\" does not apply to this query, whose rows are groups.",
									 what, column->args[0].str));
	}
}

/*
 * corm_check_filter_preload raises OR020 for a preload of an untrusted filter in a query whose
 * rows are groups, unless all rows of a group have the same related rows.
 */
void
corm_check_filter_preload(CormStmt *stmt, CormRelation *relation)
{
	CormTree   *key;
	bool		grouped;

	if (!corm_has_groups(stmt) || is_grouped_by_key(stmt, stmt->source))
		return;
	key = corm_make_tree(CORM_N_COLUMN);
	key->range = stmt->source;
	grouped = relation->condition == NULL;
	for (int i = 0; i < relation->nkeys && grouped; i++)
	{
		key->field = corm_model_field(stmt->source->model, relation->columns[i]);
		grouped = corm_is_among(stmt->group_by, key);
	}
	if (!grouped)
		corm_bad_filter(psprintf("Preloading relation \"%s\" does not apply to this query, whose rows are groups.",
								 relation->name));
}

/* Raises OR020 if a filter orders distinct rows by a field that they do not have. */
static void
check_distinct(CormStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->order_by)
	{
		CormTree   *column = filter_column(lfirst(lc));

		if (column && column->aliased == NULL &&
			(stmt->select ? !corm_is_among(stmt->select, column) : column->range != stmt->source))
			corm_bad_filter(psprintf("Distinct rows cannot be ordered by field \"%s\", which they do not have.",
									 column->args[0].str));
	}
}

/* Returns the items of a list that are not equal to another one. */
static List *
without(List *items, CormTree *item)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, items)
	{
		if (!corm_is_among(list_make1(lfirst(lc)), item))
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/*
 * Raises OR020 if a filter orders the rows of distinct_on() by something else before the
 * expressions that distinguish them.
 */
static void
check_distinct_on(CormStmt *stmt)
{
	bool		by_filter = false;
	bool		other_first = false;
	List	   *missing = list_copy(stmt->distinct_on);
	ListCell   *lc;

	foreach(lc, stmt->order_by)
	{
		CormTree   *item = lfirst(lc);

		by_filter |= filter_column(item) != NULL;
		if (!corm_is_among(stmt->distinct_on, item))
		{
			other_first = true;
			continue;
		}
		if (other_first && corm_is_among(missing, item))
			break;
		missing = without(missing, item);
	}
	if (by_filter && other_first && missing)
		corm_bad_filter("The rows of this query must be ordered first by what distinguishes them.");
}

/*
 * corm_check_filter_grouping checks what an untrusted filter adds to a query whose rows are
 * groups or distinct.  All names must be bound.  Raises OR020 for a column that
 * SQL does not permit there.
 */
void
corm_check_filter_grouping(CormStmt *stmt)
{
	if (stmt->command != CORM_CMD_SELECT)
		return;
	if (corm_has_groups(stmt))
	{
		check_groups(stmt, stmt->select, "Selecting");
		check_groups(stmt, stmt->order_by, "Ordering by");
	}
	if (stmt->distinct)
		check_distinct(stmt);
	if (stmt->distinct_on)
		check_distinct_on(stmt);
}
