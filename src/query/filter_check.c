/*-------------------------------------------------------------------------
 *
 * filter_check.c
 *		Filters from outside against the model that they meet.
 *
 * What corm.filter() can know without a model it checks itself (filter.c).
 * What depends on the fields is checked here, when the names are bound:
 * whether a field may be used, and whether its type has the operator and
 * goes with the value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "parser/parse_oper.h"
#include "query/query.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/*
 * corm_check_filterable raises 42501 if a name that came from outside, by
 * corm.filter(), is that of a field which must not be used so.
 */
void
corm_check_filterable(CormTree *tree)
{
	if (tree->field && !tree->field->filterable)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("field \"%s\" cannot be used in a filter", tree->args[0].str)));
}

/*
 * corm_check_filter_name raises 42703 if what a filter names like a field of a
 * range is a relation, with a hint at what to write: nobody could tell whether
 * a value of null means that there is no row.
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
 * A filter from outside compares a field with a number or a boolean only if
 * the field is one, and looks for arrays and objects only in what has such.
 * What it meets is the field, or the elements of a range.
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
 * What overlaps is looked for is a list for an array, and anything else in
 * the text form of its type.
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

static bool
operator_exists(const char *name, Oid left, Oid right)
{
	char	   *schema = get_namespace_name(corm_operator_schema(name, left, right));
	Operator	operator = oper(NULL, list_make2(makeString(schema), makeString(pstrdup(name))),
								left, right, true, -1);

	if (operator == NULL)
		return false;
	ReleaseSysCache(operator);
	return true;
}

/*
 * A filter from outside may name any operator for any field: one that the
 * field's type does not have is the filter's fault, not an undefined operator.
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
			exists = operator_exists("~~", field->typid, TEXTOID);
			break;
		case CORM_N_CONTAINS:
			exists = operator_exists("@>", field->typid, UNKNOWNOID) ||
				operator_exists("~~", field->typid, TEXTOID);
			break;
		default:
			/* a comparison with null is a test, and a list of strings takes any array's type */
			if (name == NULL || tree->args[1].node->tag == CORM_N_NULL)
				return;
			if (tree->args[1].node->typid != TEXTARRAYOID)
				right = corm_right_operand_type(tree, field->typid);
			exists = operator_exists(name, field->typid, right);
			break;
	}
	if (!exists)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_FILTER),
				 errmsg("invalid filter"),
				 errdetail("Operator \"%s\" does not apply to field \"%s\" of type %s.",
						   tree->desc->name, field->name, format_type_be(field->typid))));
	if (tree->tag == CORM_N_OVERLAPS)
		check_filter_overlaps(field, tree->args[1].node);
}

/*
 * corm_check_filter checks a condition of a filter from outside, if tree is
 * one whose names are bound: OR020 for what its field's type does not have.
 */
void
corm_check_filter(CormTree *tree)
{
	CormTree   *left;

	if (tree->desc->args[0] != 'x')
		return;
	left = tree->args[0].node;
	if (left == NULL || left->tag != CORM_N_FILTER_COLUMN || left->field == NULL)
		return;
	if (tree->tag == CORM_N_CONTAINS && corm_takes_json(left, tree->args[1].node))
	{
		Oid			type = getBaseType(left->field->typid);

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
