/*-------------------------------------------------------------------------
 *
 * operators.c
 *		Types of expressions, and how to write an operator so that PostgreSQL
 *		finds the intended one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "parser/parse_func.h"
#include "parser/parse_oper.h"
#include "query/query.h"
#include "query/resolve/names.h"
#include "query/resolve/operators.h"
#include "query/resolve/raw_columns.h"
#include "query/resolve/related.h"
#include "query/value/node.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/*
 * corm_operator_name returns the SQL operator of a node, or NULL.  It excludes
 * operators that exist only in schema corm_ops, to combine conditions.
 */
const char *
corm_operator_name(CormNodeTag tag)
{
	const CormNodeDesc *desc = corm_node_desc(tag);

	return strcmp(desc->args, "xv") == 0 ? desc->operator : NULL;
}

/*
 * corm_search_path_is_safe returns whether pg_catalog is searched before all
 * other schemas.  Then an unqualified operator is that of pg_catalog, if there
 * is one for exactly the given types.  The result is part of the key of cached
 * plans, and is recomputed only when the text of the setting changes.
 */
bool
corm_search_path_is_safe(void)
{
	static char *last_path = NULL;
	static bool last_answer = false;

	if (last_path == NULL || strcmp(last_path, namespace_search_path) != 0)
	{
		char	   *copy = pstrdup(namespace_search_path);
		List	   *names;
		ListCell   *lc;

		if (last_path)
			free(last_path);
		last_path = NULL;
		last_answer = true;
		if (SplitIdentifierString(copy, ',', &names))
		{
			foreach(lc, names)
			{
				/* implicitly first, unless it is listed behind another */
				if (strcmp(lfirst(lc), "pg_catalog") == 0)
				{
					last_answer = foreach_current_index(lc) == 0;
					break;
				}
			}
			list_free(names);
		}
		pfree(copy);
		last_path = strdup(namespace_search_path);
	}
	return last_answer;
}

/*
 * corm_require_type raises 42704 unless the type exists: a stored query can
 * outlive its types.
 */
void
corm_require_type(Oid typid)
{
	if (!OidIsValid(typid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("a type that the query names no longer exists"),
				 errhint("Build the query again.")));
	if (!get_typisdefined(typid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type with OID %u does not exist", typid)));
}

/*
 * Returns the type of the first expression with a known type.  That is the
 * type of COALESCE or CASE, if all of them agree.
 */
static Oid
first_known_type(List *exprs, int start, int step)
{
	for (int i = start; i < list_length(exprs); i += step)
	{
		Oid			typid = corm_expr_type(list_nth(exprs, i));

		if (OidIsValid(typid) && typid != UNKNOWNOID)
			return typid;
	}
	return InvalidOid;
}

/*
 * Returns the operator in the schema for exactly these types, or InvalidOid.
 * Like the parser, assumes that an unknown operand has the type of the other
 * one.
 */
static Oid
exact_operator(const char *schema, const char *name, Oid left, Oid right)
{
	if (left == UNKNOWNOID)
		left = right;
	if (right == UNKNOWNOID)
		right = left;
	if (!OidIsValid(left) || !OidIsValid(right) || left == UNKNOWNOID)
		return InvalidOid;
	return OpernameGetOprid(list_make2(makeString(pstrdup(schema)), makeString(pstrdup(name))),
							left, right);
}

/*
 * corm_right_operand_type returns the type of an operator's right operand,
 * given that of the left one.  An unknown key of a JSON document counts as
 * text; else it would be taken for another document.
 */
Oid
corm_right_operand_type(CormTree *tree, Oid left)
{
	Oid			right = corm_expr_type(tree->args[1].node);

	if (right != UNKNOWNOID || (left != JSONBOID && left != JSONOID))
		return right;
	switch (tree->tag)
	{
		case CORM_N_JSON_GET:
		case CORM_N_JSON_GET_TEXT:
		case CORM_N_HAS_KEY:
			return TEXTOID;
		case CORM_N_JSON_PATH_TEXT:
			return TEXTARRAYOID;
		default:
			return right;
	}
}

/* Returns the result type of an operator; InvalidOid if we cannot tell. */
static Oid
operator_result_type(CormTree *tree)
{
	const char *name = corm_operator_name(tree->tag);
	Oid			left;
	Oid			right;
	Oid			schema;
	Oid			oprid;
	Oid			result;

	if (name == NULL)
		return InvalidOid;
	left = corm_expr_type(tree->args[0].node);
	right = corm_right_operand_type(tree, left);
	schema = corm_operator_schema(name, left, right);
	oprid = exact_operator(get_namespace_name(schema), name,
						   OidIsValid(left) ? getBaseType(left) : left,
						   OidIsValid(right) ? getBaseType(right) : right);
	result = OidIsValid(oprid) ? get_op_rettype(oprid) : InvalidOid;
	return IsPolymorphicType(result) ? InvalidOid : result;
}

/*
 * Returns the type of the output column of that name.
 */
static Oid
output_type(CormStmt *stmt, const char *name)
{
	List	   *items = stmt->command == CORM_CMD_SELECT ? stmt->select : stmt->returning;
	CormRange  *source = stmt->source;
	ListCell   *lc;

	if (stmt->command == CORM_CMD_RAW)
		return corm_raw_column_type(stmt, name);
	foreach(lc, items)
	{
		if (strcmp(corm_item_name(lfirst(lc)), name) == 0)
			return corm_expr_type(lfirst(lc));
	}
	if (items || source == NULL)
		return InvalidOid;
	if (source->model)
	{
		CormField  *field = corm_model_find_field(source->model, name);

		return field ? field->typid : InvalidOid;
	}
	return output_type(source->definition, name);
}

/*
 * Returns the type of sum() or avg() over an expression; InvalidOid if we
 * cannot tell.
 */
static Oid
aggregate_type(const char *name, CormTree *x)
{
	Oid			typid = corm_expr_type(x);
	Oid			funcid;

	if (!OidIsValid(typid) || typid == UNKNOWNOID)
		return InvalidOid;
	typid = getBaseType(typid);
	funcid = LookupFuncName(list_make2(makeString("pg_catalog"), makeString(pstrdup(name))), 1, &typid, true);
	return OidIsValid(funcid) ? get_func_rettype(funcid) : InvalidOid;
}

/*
 * corm_expr_type returns the type of an expression as far as we can tell
 * without PostgreSQL's parser; InvalidOid if we cannot, UNKNOWNOID for a value
 * given as text.
 */
Oid
corm_expr_type(CormTree *tree)
{
	switch (tree->tag)
	{
		case CORM_N_COLUMN:
		case CORM_N_FILTER_COLUMN:
			if (tree->field)
				return tree->field->typid;
			if (tree->aliased)
				return corm_expr_type(tree->aliased);
			if (tree->range && tree->range->definition)
				return output_type(tree->range->definition, tree->output);
			return tree->typid;
		case CORM_N_VALUE:
			return tree->typid;
		case CORM_N_NULL:
			return tree->args[0].oid;
		case CORM_N_CAST:
			return tree->args[1].oid;
		case CORM_N_AS:
		case CORM_N_MIN:
		case CORM_N_MAX:
		case CORM_N_FILTER_WHERE:
		case CORM_N_AGG_ORDER:
		case CORM_N_OVER:
		case CORM_N_OVER_CLAUSES:
			return corm_expr_type(tree->args[0].node);
		case CORM_N_EXCLUDED:
			return tree->field->typid;
		case CORM_N_FILTER_PATH:
			switch (tree->args[2].str[0])
			{
				case 'n':
					return NUMERICOID;
				case 'b':
					return BOOLOID;
				case 'j':
					return JSONBOID;
				default:
					return TEXTOID;
			}
		case CORM_N_COALESCE:
			return first_known_type(tree->args[0].list, 0, 1);
		case CORM_N_CASE:
			return first_known_type(tree->args[0].list, 1, 2);
		case CORM_N_MIN_OF:
		case CORM_N_MAX_OF:
			return corm_expr_type(corm_related_argument(tree));
		case CORM_N_SUM:
		case CORM_N_AVG:
			return aggregate_type(tree->desc->name, tree->args[0].node);
		case CORM_N_SUM_OF:
			return aggregate_type("sum", corm_related_argument(tree));
		case CORM_N_AVG_OF:
			return aggregate_type("avg", corm_related_argument(tree));
		case CORM_N_COUNT:
		case CORM_N_COUNT_DISTINCT:
		case CORM_N_COUNT_OF:
			return INT8OID;
		case CORM_N_STRING_AGG:
			return TEXTOID;
		case CORM_N_SEARCH:
			return BOOLOID;
		case CORM_N_SEARCH_RANK:
			return FLOAT4OID;
		default:
			return operator_result_type(tree);
	}
}

/*
 * Returns the schema of a type if it has an operator of that name for the
 * type, with the same owner; else InvalidOid.  The check of the owner is
 * necessary: if everyone can create objects in the schema, anyone can plant an
 * operator.
 */
static Oid
own_operator_schema(const char *name, Oid typid)
{
	Oid			type;
	Oid			schema;
	Oid			owner;
	CatCList   *list;
	bool		found = false;
	HeapTuple	tuple;

	if (!OidIsValid(typid) || typid == UNKNOWNOID)
		return InvalidOid;
	type = getBaseType(typid);
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	schema = ((Form_pg_type) GETSTRUCT(tuple))->typnamespace;
	owner = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
	ReleaseSysCache(tuple);
	if (schema == PG_CATALOG_NAMESPACE)
		return schema;

	list = SearchSysCacheList1(OPERNAMENSP, CStringGetDatum(name));
	for (int i = 0; i < list->n_members && !found; i++)
	{
		Form_pg_operator op = (Form_pg_operator) GETSTRUCT(&list->members[i]->tuple);

		found = op->oprnamespace == schema && op->oprowner == owner &&
			(op->oprleft == type || op->oprright == type);
	}
	ReleaseCatCacheList(list);
	return found ? schema : InvalidOid;
}

/*
 * corm_operator_schema returns the schema of the operator to use for operands
 * of the given types: that of a type with its own operators (citext, hstore,
 * ltree), else pg_catalog.
 */
Oid
corm_operator_schema(const char *name, Oid left, Oid right)
{
	Oid			schema = own_operator_schema(name, left);

	if (!OidIsValid(schema) || schema == PG_CATALOG_NAMESPACE)
		schema = own_operator_schema(name, right);
	return OidIsValid(schema) ? schema : PG_CATALOG_NAMESPACE;
}

/*
 * corm_is_range_type returns whether a type is a range or multirange type.
 * The caller has resolved domains.
 */
bool
corm_is_range_type(Oid typid)
{
	return type_is_range(typid) || type_is_multirange(typid);
}

/*
 * corm_contains_by_operator returns whether "contains" means @> for a type: it
 * is not a text type and has that operator, like box, hstore and cube.
 */
bool
corm_contains_by_operator(Oid typid)
{
	return OidIsValid(typid) && typid != UNKNOWNOID && corm_has_operator("@>", getBaseType(typid), getBaseType(typid)) &&
		!corm_has_operator("~~", typid, TEXTOID);
}

/*
 * corm_is_filter_range returns whether a filter compares a value with a range
 * or multirange field.  The value can be a range or an element.
 */
bool
corm_is_filter_range(CormTree *left, CormTree *right)
{
	return left->tag == CORM_N_FILTER_COLUMN && left->field && right->tag == CORM_N_VALUE &&
		right->typid == UNKNOWNOID && corm_is_range_type(getBaseType(left->field->typid));
}

/*
 * corm_is_searched returns whether values of a type are text, a tsvector or
 * JSON, which a text search can look into.
 */
bool
corm_is_searched(Oid typid)
{
	char		category;
	bool		preferred;

	if (!OidIsValid(typid))
		return false;
	typid = getBaseType(typid);
	get_type_category_preferred(typid, &category, &preferred);
	return category == TYPCATEGORY_STRING || typid == UNKNOWNOID || typid == TSVECTOROID || typid == JSONOID ||
		typid == JSONBOID;
}

/*
 * corm_takes_json returns whether the value of "contains" in a filter is JSON:
 * a document for a JSON field, elements for an array, an element or a range
 * for a range.
 */
bool
corm_takes_json(CormTree *left, CormTree *right)
{
	Oid			base;

	if (left->tag != CORM_N_FILTER_COLUMN || left->field == NULL || right->tag != CORM_N_VALUE)
		return false;
	base = getBaseType(left->field->typid);
	return base == JSONBOID || type_is_array(base) || corm_is_range_type(base);
}

static Operator
find_operator(const char *name, Oid left, Oid right)
{
	char	   *schema = get_namespace_name(corm_operator_schema(name, left, right));

	return oper(NULL, list_make2(makeString(schema), makeString(pstrdup(name))), left, right, true, -1);
}

/*
 * corm_has_operator returns whether a boolean operator of that name exists for
 * these operand types, or for types to which they can be coerced.
 */
bool
corm_has_operator(const char *name, Oid left, Oid right)
{
	Operator	operator = find_operator(name, left, right);
	bool		condition;

	if (operator == NULL)
		return false;
	condition = ((Form_pg_operator) GETSTRUCT(operator))->oprresult == BOOLOID;
	ReleaseSysCache(operator);
	return condition;
}

/*
 * corm_operator_is_quiet returns whether an operator reveals nothing about its
 * operands except by its result: it is leakproof, or it compares numbers or
 * enums, which cannot raise errors either.
 */
bool
corm_operator_is_quiet(const char *name, Oid left, Oid right)
{
	Operator	operator;
	Form_pg_operator form;
	bool		quiet;

	if (!OidIsValid(left))
		return false;
	operator = find_operator(name, left, OidIsValid(right) ? right : UNKNOWNOID);
	if (operator == NULL)
		return false;
	form = (Form_pg_operator) GETSTRUCT(operator);
	quiet = get_func_leakproof(form->oprcode) ||
		(form->oprnamespace == PG_CATALOG_NAMESPACE && form->oprresult == BOOLOID &&
		 (form->oprleft == NUMERICOID || form->oprleft == ANYENUMOID));
	ReleaseSysCache(operator);
	return quiet;
}

/*
 * corm_operator_is_builtin returns whether pg_catalog has an operator of that
 * name for exactly these types.  If it only has one that needs coercion, an
 * exact match in another schema would win.
 */
bool
corm_operator_is_builtin(const char *name, Oid left, Oid right)
{
	return OidIsValid(exact_operator("pg_catalog", name, left, right));
}
