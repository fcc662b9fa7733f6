/*-------------------------------------------------------------------------
 *
 * comparison.c
 *		Expressions that have an operator, to SQL: comparisons, patterns,
 *		lists, arithmetic.
 *
 * What a value stands for depends on what it meets, so the operands are
 * written from the left to the right, and the left one decides: an unknown
 * value takes its type, and an error names its field.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "query/query.h"
#include "query/resolve/operators.h"
#include "query/sql/deparse.h"
#include "query/sql/expr.h"
#include "query/value/tree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* How an operator is written where it needs no schema. */
static const char *
bare_operator(const char *name)
{
	return strcmp(name, "~~") == 0 ? "LIKE" :
		strcmp(name, "!~~") == 0 ? "NOT LIKE" :
		strcmp(name, "~~*") == 0 ? "ILIKE" :
		strcmp(name, "!~~*") == 0 ? "NOT ILIKE" : name;
}

/*
 * PostgreSQL takes a literal that is compared to a row for one of type record,
 * which cannot be read: its type is stated.
 */
static Oid
row_param_type(Oid typid, Oid met)
{
	return typid == UNKNOWNOID && OidIsValid(met) && type_is_rowtype(met) ? met : typid;
}

/*
 * A number of a filter that meets a field of type real is one of that type,
 * as a driver would bind it: 0.1 as numeric or double precision never equals
 * a real.  Lists are as their elements.
 */
static Oid
filter_number_type(CormTree *left, Oid typid)
{
	if (left->tag != CORM_N_FILTER_COLUMN || left->field == NULL || getBaseType(left->field->typid) != FLOAT4OID)
		return typid;
	switch (typid)
	{
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
			return FLOAT4OID;
		case INT4ARRAYOID:
		case INT8ARRAYOID:
		case NUMERICARRAYOID:
			return FLOAT4ARRAYOID;
		default:
			return typid;
	}
}

/* Appends an operator by its OID, always with its schema. */
static void
deparse_given_operator(CormDeparse *ctx, Oid opr)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(opr));
	Form_pg_operator form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", opr);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	appendStringInfo(ctx->buf, " OPERATOR(%s.%s) ",
					 quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname));
	ReleaseSysCache(tuple);
}

/*
 * Returns whether arrays of a type become those of another one without loss,
 * element by element: int[] as bigint[], varchar[] as text[].
 */
static bool
widens_array(Oid from, Oid to)
{
	Oid			from_element = OidIsValid(from) && from != UNKNOWNOID ? get_element_type(getBaseType(from)) : InvalidOid;
	Oid			to_element = OidIsValid(to) && to != UNKNOWNOID ? get_element_type(getBaseType(to)) : InvalidOid;

	/* an array of text is read as one of whatever type it meets */
	if (!OidIsValid(from_element) || !OidIsValid(to_element) || from_element == to_element ||
		from_element == TEXTOID)
		return false;
	return can_coerce_type(1, &from_element, &to_element, COERCION_IMPLICIT);
}

/* Appends a parameter of a type, cast to another one. */
static void
deparse_cast_param(CormDeparse *ctx, CormTree *value, Oid typid, Oid to)
{
	appendStringInfoString(ctx->buf, "CAST(");
	corm_deparse_param(ctx, value, typid, CORM_PARAM_PLAIN);
	appendStringInfo(ctx->buf, " AS %s)", corm_deparse_type(to, -1));
}

/*
 * Array fields
 */

/* Is an operand an array, as far as its type is known? */
static bool
is_array_operand(Oid typid)
{
	return OidIsValid(typid) && typid != UNKNOWNOID && type_is_array(getBaseType(typid));
}

/* DETAIL and HINT of an error about an array that is compared with something else. */
static int
array_help(CormTree *left, const char *hint)
{
	if (left->field && left->range && left->range->model)
		errdetail("Field \"%s\" of model \"%s\" is of type %s.", left->field->name, left->range->model->name,
				  format_type_be(left->field->typid));
	errhint("%s", hint);
	return 0;
}

/*
 * Raises 42804 if an array is compared with a value that is none, or with a pattern.
 * PostgreSQL's error would speak of generated SQL, and not tell what to write instead.
 */
static void
check_array_operand(CormTree *tree)
{
	CormTree   *left = tree->args[0].node;
	Oid			typid;

	if (!is_array_operand(corm_expr_type(left)) || OidIsValid(tree->opr))
		return;
	switch (tree->tag)
	{
		case CORM_N_EQ:
		case CORM_N_NEQ:
		case CORM_N_LT:
		case CORM_N_LTE:
		case CORM_N_GT:
		case CORM_N_GTE:
		case CORM_N_BETWEEN:
		case CORM_N_IS_DISTINCT_FROM:
		case CORM_N_CONTAINS:
		case CORM_N_OVERLAPS:
			for (int i = 1; i < (tree->tag == CORM_N_BETWEEN ? 3 : 2); i++)
			{
				typid = corm_expr_type(tree->args[i].node);
				if (tree->args[i].node->tag == CORM_N_VALUE && typid != UNKNOWNOID && get_typtype(typid) == TYPTYPE_BASE &&
					!is_array_operand(typid) && left->tag != CORM_N_FILTER_COLUMN)
					ereport(ERROR,
							(errcode(ERRCODE_DATATYPE_MISMATCH),
							 errmsg("corm.%s() expects an array, not a value of type %s", tree->desc->func, format_type_be(typid)),
							 array_help(left, "To find the rows whose array has an element, use corm.any_of().")));
			}
			break;
		case CORM_N_LIKE:
		case CORM_N_NOT_LIKE:
		case CORM_N_ILIKE:
		case CORM_N_NOT_ILIKE:
		case CORM_N_REGEX:
		case CORM_N_IREGEX:
		case CORM_N_STARTS_WITH:
		case CORM_N_ENDS_WITH:
		case CORM_N_ICONTAINS:
		case CORM_N_HAS_KEY:
			typid = corm_expr_type(tree->args[1].node);
			if (typid == UNKNOWNOID || typid == TEXTOID)
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("corm.%s() does not apply to arrays", tree->desc->func),
						 array_help(left, "To compare elements, use corm.any_of() or corm.overlaps().")));
			break;
		default:
			break;
	}
}

/*
 * Appends IN or NOT IN of a list of arrays.  There are no arrays of arrays, so the
 * list holds their texts.
 */
static void
deparse_in_arrays(CormDeparse *ctx, CormTree *tree, Oid left_type)
{
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	bool		negated = tree->tag == CORM_N_NOT_IN;
	const char *op = negated ? "<>" : "=";
	Oid			listed = getBaseType(left_type);
	ListCell   *lc;

	if (right->tag == CORM_N_NULL)
	{
		appendStringInfoString(ctx->buf, "NULL::pg_catalog.bool");
		return;
	}
	if (right->typid != TEXTARRAYOID && right->typid != UNKNOWNOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("corm.%s() expects a list of arrays, not of values of type %s", tree->desc->func,
						format_type_be(OidIsValid(get_base_element_type(right->typid)) ? get_base_element_type(right->typid) : right->typid)),
				 array_help(left, "To find the rows whose array has one of the elements, use corm.overlaps().")));
	corm_deparse_operand(ctx, left);
	corm_deparse_operator(ctx, op, op, listed, listed);
	appendStringInfo(ctx->buf, "%s (SELECT CAST(l.l AS %s) FROM pg_catalog.unnest(", negated ? "ALL" : "ANY",
					 corm_deparse_type(listed, -1));
	corm_deparse_meets(ctx, left);
	corm_deparse_param(ctx, right, TEXTARRAYOID, CORM_PARAM_ARRAYS);
	corm_deparse_meets(ctx, NULL);
	foreach(lc, ctx->params)
	{
		CormParam  *param = lfirst(lc);

		if (param->form == CORM_PARAM_ARRAYS && !OidIsValid(param->listed))
			param->listed = listed;
	}
	appendStringInfoString(ctx->buf, ") AS l)");
}

/*
 * Appends an operator between its two operands.  The comparison with a bound
 * NULL is a test for NULL.
 */
static void
deparse_binary(CormDeparse *ctx, CormTree *tree, const char *name)
{
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	Oid			left_type = corm_expr_type(left);
	Oid			right_type = corm_right_operand_type(tree, left_type);
	CormNullTest null_test = right->tag != CORM_N_VALUE ? CORM_NULL_PLAIN :
		tree->tag == CORM_N_EQ ? CORM_NULL_EQ : tree->tag == CORM_N_NEQ ? CORM_NULL_NEQ : CORM_NULL_PLAIN;

	if (right->tag == CORM_N_VALUE && !OidIsValid(tree->opr) && widens_array(right_type, left_type))
	{
		/* the operators of arrays want the same type on both sides */
		corm_deparse_operand(ctx, left);
		corm_deparse_operator(ctx, name, bare_operator(name), left_type, left_type);
		corm_deparse_meets(ctx, left);
		ctx->null_test = null_test;
		deparse_cast_param(ctx, right, right_type, left_type);
		corm_deparse_meets(ctx, NULL);
		return;
	}
	if (right->tag == CORM_N_VALUE && !OidIsValid(tree->opr) && widens_array(left_type, right_type))
	{
		appendStringInfoString(ctx->buf, "CAST(");
		corm_deparse_expr(ctx, left);
		appendStringInfo(ctx->buf, " AS %s)", corm_deparse_type(right_type, -1));
		corm_deparse_operator(ctx, name, bare_operator(name), right_type, right_type);
		corm_deparse_meets(ctx, left);
		ctx->null_test = null_test;
		corm_deparse_param(ctx, right, right_type, CORM_PARAM_PLAIN);
		corm_deparse_meets(ctx, NULL);
		return;
	}
	corm_deparse_operand(ctx, left);

	/* whether a value is NULL is part of the query's shape */
	if (right->tag == CORM_N_NULL && (tree->tag == CORM_N_EQ || tree->tag == CORM_N_NEQ))
	{
		appendStringInfoString(ctx->buf, tree->tag == CORM_N_EQ ? " IS NULL" : " IS NOT NULL");
		return;
	}
	corm_deparse_meets(ctx, left);
	if (tree->tag == CORM_N_OVERLAPS && corm_is_filter_range(left, right))
	{
		right_type = getBaseType(left_type);
		corm_deparse_operator(ctx, name, bare_operator(name), left_type, right_type);
		corm_deparse_param(ctx, right, right_type, CORM_PARAM_JSON);
	}
	else if (right->tag == CORM_N_VALUE)
	{
		if (right_type == TEXTARRAYOID && tree->tag != CORM_N_JSON_PATH_TEXT)
			right_type = corm_array_param_type(right, left_type);
		right_type = filter_number_type(left, row_param_type(right_type, left_type));
		if (OidIsValid(tree->opr))
			deparse_given_operator(ctx, tree->opr);
		else
			corm_deparse_operator(ctx, name, bare_operator(name), left_type, right_type);
		ctx->null_test = null_test;
		corm_deparse_param(ctx, right, right_type, CORM_PARAM_PLAIN);
	}
	else
	{
		corm_deparse_operator(ctx, name, bare_operator(name), left_type, right_type);
		corm_deparse_operand(ctx, right);
	}
	corm_deparse_meets(ctx, NULL);
}

static bool
is_container_type(Oid typid)
{
	Oid			base;

	if (!OidIsValid(typid) || typid == UNKNOWNOID)
		return false;
	base = getBaseType(typid);
	return base == JSONBOID || type_is_array(base) || corm_is_range_type(base);
}

/*
 * starts_with, ends_with, contains, icontains: LIKE with a pattern made of
 * the literal value, or functions where the value is an expression.
 */
static void
deparse_literal_match(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	Oid			left_type = corm_expr_type(left);
	bool		ignore_case = tree->tag == CORM_N_ICONTAINS;

	if (tree->tag == CORM_N_CONTAINS && corm_takes_json(left, right))
	{
		Oid			right_type = getBaseType(left_type);

		corm_deparse_operand(ctx, left);
		corm_deparse_operator(ctx, "@>", "@>", left_type, right_type);
		corm_deparse_meets(ctx, left);
		corm_deparse_param(ctx, right, right_type, CORM_PARAM_JSON);
		corm_deparse_meets(ctx, NULL);
		return;
	}
	if (tree->tag == CORM_N_CONTAINS && (is_container_type(left_type) || corm_contains_by_operator(left_type)))
	{
		deparse_binary(ctx, tree, "@>");
		return;
	}

	if (right->tag == CORM_N_VALUE || right->tag == CORM_N_NULL)
	{
		corm_deparse_operand(ctx, left);
		corm_deparse_operator(ctx, ignore_case ? "~~*" : "~~", ignore_case ? "ILIKE" : "LIKE",
							  left_type, TEXTOID);
		corm_deparse_meets(ctx, left);
		if (right->tag == CORM_N_NULL)
			corm_deparse_null(ctx, right);
		else
			corm_deparse_param(ctx, right, TEXTOID,
						  tree->tag == CORM_N_STARTS_WITH ? CORM_PARAM_STARTS :
						  tree->tag == CORM_N_ENDS_WITH ? CORM_PARAM_ENDS : CORM_PARAM_CONTAINS);
		corm_deparse_meets(ctx, NULL);
		return;
	}

	switch (tree->tag)
	{
		case CORM_N_STARTS_WITH:
			appendStringInfoString(buf, "pg_catalog.starts_with(");
			corm_deparse_expr(ctx, left);
			appendStringInfoString(buf, ", ");
			corm_deparse_expr(ctx, right);
			appendStringInfoChar(buf, ')');
			break;
		case CORM_N_ENDS_WITH:
			appendStringInfoString(buf, "pg_catalog.starts_with(pg_catalog.reverse(");
			corm_deparse_expr(ctx, left);
			appendStringInfoString(buf, "), pg_catalog.reverse(");
			corm_deparse_expr(ctx, right);
			appendStringInfoString(buf, "))");
			break;
		default:
			appendStringInfoString(buf, ignore_case ? "pg_catalog.strpos(pg_catalog.lower(" :
								   "pg_catalog.strpos(");
			corm_deparse_expr(ctx, left);
			appendStringInfoString(buf, ignore_case ? "), pg_catalog.lower(" : ", ");
			corm_deparse_expr(ctx, right);
			appendStringInfoString(buf, ignore_case ? "))" : ")");
			corm_deparse_operator(ctx, ">", ">", INT4OID, INT4OID);
			appendStringInfoChar(buf, '0');
			break;
	}
}

/*
 * Appends IN as = ANY (...), NOT IN as <> ALL (...), of a subquery or an
 * array.
 */
static void
deparse_in(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	bool		negated = tree->tag == CORM_N_NOT_IN;
	Oid			left_type = corm_expr_type(left);
	const char *op = negated ? "<>" : "=";
	Oid			element_type = InvalidOid;

	if ((right->tag == CORM_N_VALUE || right->tag == CORM_N_NULL) && is_array_operand(left_type))
	{
		deparse_in_arrays(ctx, tree, left_type);
		return;
	}
	if (right->tag == CORM_N_NULL)
		element_type = UNKNOWNOID;
	else if (right->tag == CORM_N_VALUE)
	{
		Oid			typid = filter_number_type(left, corm_array_param_type(right, left_type));

		element_type = typid == UNKNOWNOID ? UNKNOWNOID : get_base_element_type(typid);
	}
	corm_deparse_operand(ctx, left);
	corm_deparse_operator(ctx, op, op, left_type, element_type);
	appendStringInfoString(buf, negated ? "ALL (" : "ANY (");
	corm_deparse_meets(ctx, left);
	if (right->tag == CORM_N_SUBQUERY)
		corm_deparse_subquery_value(ctx, right->query);
	else if (right->tag == CORM_N_VALUE)
	{
		Oid			typid = filter_number_type(left, corm_array_param_type(right, left_type));

		if (typid != UNKNOWNOID && !OidIsValid(get_base_element_type(typid)))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("corm.%s() expects an array, not a value of type %s",
							tree->desc->func, format_type_be(typid))));
		if (typid == UNKNOWNOID && OidIsValid(left_type) && type_is_rowtype(left_type))
			typid = get_array_type(left_type);
		corm_deparse_param(ctx, right, typid, CORM_PARAM_PLAIN);
	}
	else
		corm_deparse_expr(ctx, right);
	corm_deparse_meets(ctx, NULL);
	appendStringInfoChar(buf, ')');
}

/*
 * any_of: the array is written as it is, and the value takes the type of its
 * elements.
 */
static void
deparse_any_of(CormDeparse *ctx, CormTree *tree)
{
	CormTree   *value = tree->args[0].node;
	CormTree   *array = tree->args[1].node;
	Oid			array_type = corm_expr_type(array);
	Oid			element = InvalidOid;
	Oid			value_type = corm_expr_type(value);

	if (OidIsValid(array_type) && array_type != UNKNOWNOID)
	{
		element = get_base_element_type(array_type);
		if (!OidIsValid(element))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("corm.any_of() expects an array, not a value of type %s",
							format_type_be(array_type))));
	}
	corm_deparse_meets(ctx, array);
	if (value->tag == CORM_N_VALUE)
	{
		if (value_type == UNKNOWNOID && OidIsValid(element))
			value_type = element;
		corm_deparse_param(ctx, value, value_type, CORM_PARAM_PLAIN);
	}
	else if (value->tag == CORM_N_NULL && value_type == UNKNOWNOID && OidIsValid(element))
		appendStringInfo(ctx->buf, "NULL::%s", corm_deparse_type(element, -1));
	else
		corm_deparse_operand(ctx, value);
	corm_deparse_meets(ctx, NULL);
	corm_deparse_operator(ctx, "=", "=", value_type, element);
	appendStringInfoString(ctx->buf, "ANY (");
	corm_deparse_expr(ctx, array);
	appendStringInfoChar(ctx->buf, ')');
}

/* Appends a comparison whose operator has no node of its own. */
static void
deparse_comparison(CormDeparse *ctx, CormTree *left, const char *op, CormTree *right)
{
	corm_deparse_operand(ctx, left);
	corm_deparse_operator(ctx, op, op, corm_expr_type(left), corm_expr_type(right));
	corm_deparse_meets(ctx, left);
	if (right->tag == CORM_N_VALUE)
		corm_deparse_param(ctx, right, filter_number_type(left, row_param_type(right->typid, corm_expr_type(left))),
					  CORM_PARAM_PLAIN);
	else
		corm_deparse_operand(ctx, right);
	corm_deparse_meets(ctx, NULL);
}

static void
deparse_between(CormDeparse *ctx, CormTree *tree)
{
	deparse_comparison(ctx, tree->args[0].node, ">=", tree->args[1].node);
	appendStringInfoString(ctx->buf, " AND ");
	deparse_comparison(ctx, tree->args[0].node, "<=", tree->args[2].node);
}

/*
 * IS DISTINCT FROM takes whatever "=" the search_path finds first, and its
 * operator cannot be qualified; without a safe path it is spelled out.
 */
static void
deparse_distinct_from(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	Oid			left_type = corm_expr_type(left);

	if (right->tag == CORM_N_NULL)
	{
		corm_deparse_operand(ctx, left);
		/* a row of NULLs is no NULL, but IS NULL would say so */
		appendStringInfoString(buf, OidIsValid(left_type) && !type_is_rowtype(left_type) ?
							   " IS NOT NULL" : " IS DISTINCT FROM NULL");
		return;
	}
	if (corm_deparse_is_bare(ctx, "=", left_type, corm_expr_type(right)))
	{
		corm_deparse_operand(ctx, left);
		appendStringInfoString(buf, " IS DISTINCT FROM ");
		corm_deparse_meets(ctx, left);
		corm_deparse_operand(ctx, right);
		corm_deparse_meets(ctx, NULL);
		return;
	}
	appendStringInfoString(buf, "NOT COALESCE(");
	deparse_comparison(ctx, left, "=", right);
	appendStringInfoString(buf, ", ");
	corm_deparse_operand(ctx, left);
	appendStringInfoString(buf, " IS NULL AND ");
	/* a bound value is not NULL, or it would be part of the shape */
	if (right->tag == CORM_N_VALUE)
	{
		ListCell   *lc;

		appendStringInfoString(buf, "false");
		foreach(lc, ctx->params)
			if (((CormParam *) lfirst(lc))->valno == right->valno)
				((CormParam *) lfirst(lc))->null_test = CORM_NULL_OTHER;
	}
	else
	{
		corm_deparse_operand(ctx, right);
		appendStringInfoString(buf, " IS NULL");
	}
	appendStringInfoChar(buf, ')');
}

/*
 * Whether a comparison could tell about its operands, as far as they are
 * columns that a guard keeps.
 */
static bool
is_leaky(CormDeparse *ctx, CormTree *tree)
{
	const char *names[2] = {corm_operator_name(tree->tag), NULL};
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	Oid			left_type;
	Oid			right_type;

	if (!ctx->in_condition || ((left->range == NULL || left->range->barrier == NIL) &&
							   (right->range == NULL || right->range->barrier == NIL)))
		return true;
	left_type = corm_expr_type(left);
	right_type = corm_expr_type(right);
	switch (tree->tag)
	{
		case CORM_N_IN:
		case CORM_N_NOT_IN:
			names[0] = tree->tag == CORM_N_IN ? "=" : "<>";
			right_type = right->tag == CORM_N_VALUE && OidIsValid(right_type) ? get_base_element_type(right_type) : InvalidOid;
			if (right_type == TEXTOID)
				right_type = InvalidOid;
			break;
		case CORM_N_BETWEEN:
			names[0] = ">=";
			names[1] = "<=";
			break;
		case CORM_N_IS_DISTINCT_FROM:
			names[0] = "=";
			break;
		default:
			break;
	}
	return names[0] == NULL || !corm_operator_is_quiet(names[0], left_type, right_type) ||
		(names[1] && !corm_operator_is_quiet(names[1], left_type, corm_expr_type(tree->args[2].node)));
}

/*
 * corm_deparse_compare appends an expression that has an operator.
 */
void
corm_deparse_compare(CormDeparse *ctx, CormTree *tree)
{
	const char *name;
	bool		leaky = ctx->leaky;

	ctx->leaky = is_leaky(ctx, tree);
	check_array_operand(tree);

	switch (tree->tag)
	{
		case CORM_N_STARTS_WITH:
		case CORM_N_ENDS_WITH:
		case CORM_N_CONTAINS:
		case CORM_N_ICONTAINS:
			deparse_literal_match(ctx, tree);
			break;
		case CORM_N_IN:
		case CORM_N_NOT_IN:
			deparse_in(ctx, tree);
			break;
		case CORM_N_ANY_OF:
			deparse_any_of(ctx, tree);
			break;
		case CORM_N_BETWEEN:
			deparse_between(ctx, tree);
			break;
		case CORM_N_IS_DISTINCT_FROM:
			deparse_distinct_from(ctx, tree);
			break;
		default:
			name = corm_operator_name(tree->tag);
			if (name == NULL)
				elog(ERROR, "unrecognized expression node \"%s\"", tree->desc->name);
			if (corm_matches_words(tree))
				corm_deparse_matches_words(ctx, tree);
			else
				deparse_binary(ctx, tree, name);
			break;
	}
	ctx->leaky = leaky;
}
