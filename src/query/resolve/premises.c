/*-------------------------------------------------------------------------
 *
 * premises.c
 *		Assumptions of a statement about its values.
 *
 * Plans are cached by the shape of a query, so one plan serves queries with
 * different values.  If a statement depends on more than the shape, we call
 * that a premise.  Examples: two values are equal, so two expressions are the
 * same and share parameters; or an array is empty, so a condition has no
 * effect.  While resolving a query we record each premise, whether true or
 * false, and keep them with the plan.  The plan is reused for a query of the
 * same shape only if all its premises have the same result with the new
 * values.
 *
 * Values are equal if their types and bytes are, as for PostgreSQL's
 * constants.  The values in a stored query never change, so tests of such
 * values alone are not premises.
 *
 * The list belongs to the query being resolved; corm_resolve empties it before
 * and after.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "query/query.h"
#include "query/resolve/premises.h"
#include "query/value/tree.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static List *premises = NIL;

/*
 * corm_premises_begin starts a new list of premises.  Returns the current one,
 * which the caller must pass to corm_premises_end.
 */
List *
corm_premises_begin(void)
{
	List	   *outer = premises;

	premises = NIL;
	return outer;
}

/*
 * corm_premises_end returns the premises recorded since corm_premises_begin.
 * Safe to call during error recovery.
 */
List *
corm_premises_end(List *outer)
{
	List	   *result = premises;

	premises = outer;
	return result;
}

static bool
is_equal(const CormValue *a, const CormValue *b)
{
	return a->typid == b->typid && a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Returns whether a text would be read as an empty array. */
static bool
is_empty_array_text(const char *str)
{
	str += strspn(str, " \t\n\r\v\f");
	if (*str == '[' && strchr(str, '='))
		str = strchr(str, '=') + 1; /* bounds come before it */
	return *str != '\0' && str[strspn(str, "{}, \t\n\r\v\f")] == '\0';
}

/* Returns the base type of a domain; InvalidOid if it no longer exists. */
static Oid
base_type(Oid typid)
{
	return get_typtype(typid) == '\0' ? InvalidOid : getBaseType(typid);
}

/* Returns whether a value is an empty array, or text that reads as one. */
static bool
is_empty_array(const CormValue *value)
{
	Oid			base;

	if (value->typid == UNKNOWNOID)
		return is_empty_array_text(TextDatumGetCString(corm_value_datum(value, -1, false)));
	base = base_type(value->typid);
	if (!OidIsValid(base) || !OidIsValid(get_element_type(base)) || get_typlen(base) != -1 || value->len < sizeof(ArrayType))
		return false;
	{
		ArrayType  *array = (ArrayType *) DatumGetPointer(corm_value_datum(value, -1, false));

		return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) == 0;
	}
}

static bool
is_true(const CormValue *value)
{
	if (value->typid == UNKNOWNOID)
	{
		bool		result;

		return parse_bool(TextDatumGetCString(corm_value_datum(value, -1, false)), &result) && result;
	}
	return base_type(value->typid) == BOOLOID && DatumGetBool(corm_value_datum(value, 1, true));
}

/* Evaluates a premise; b is NULL unless it compares two values. */
static bool
find_out(CormPremiseKind kind, const CormValue *a, const CormValue *b)
{
	switch (kind)
	{
		case CORM_PREMISE_EQUAL:
			return is_equal(a, b);
		case CORM_PREMISE_EMPTY:
			return is_empty_array(a);
		case CORM_PREMISE_TRUE:
			return is_true(a);
	}
	return false;
}

static const CormValue *
value_of(int valno, const CormValue *constant, const CormValue *values, int nvalues)
{
	if (constant)
		return constant;
	return valno < nvalues ? &values[valno] : NULL;
}

/*
 * corm_premise tests one or two bound values and records the test as a
 * premise.  Returns false if a value is not known yet.
 */
bool
corm_premise(CormPremiseKind kind, const CormTree *a, const CormTree *b)
{
	CormPremise *premise;
	ListCell   *lc;
	bool		holds;

	if (b && a->constant == b->constant && (a->constant || a->valno == b->valno))
		return true;
	if (a->bound == NULL || (b && b->bound == NULL))
		return false;
	/* of a value that is not known yet nothing holds; the plan cannot be used */
	holds = !a->bound->symbol && !(b && b->bound->symbol) && find_out(kind, a->bound, b ? b->bound : NULL);
	if (a->constant && (b == NULL || b->constant))
		return holds;
	foreach(lc, premises)
	{
		premise = lfirst(lc);
		if (premise->kind == kind && premise->valno[0] == a->valno && premise->constant[0] == a->constant &&
			(b == NULL || (premise->valno[1] == b->valno && premise->constant[1] == b->constant)))
			return holds;
	}
	premise = palloc0(sizeof(CormPremise));
	premise->kind = kind;
	premise->holds = holds;
	premise->valno[0] = a->valno;
	premise->constant[0] = a->constant;
	if (b)
	{
		premise->valno[1] = b->valno;
		premise->constant[1] = b->constant;
	}
	premises = lappend(premises, premise);
	return holds;
}

/*
 * corm_premise_is_open returns whether a premise is about a value that is not
 * known yet.
 */
bool
corm_premise_is_open(const CormPremise *premise, const CormValue *values, int nvalues)
{
	const CormValue *a = value_of(premise->valno[0], premise->constant[0], values, nvalues);
	const CormValue *b = premise->kind == CORM_PREMISE_EQUAL ?
		value_of(premise->valno[1], premise->constant[1], values, nvalues) : NULL;

	return (a && a->symbol) || (b && b->symbol);
}

/*
 * corm_premise_holds evaluates a premise with the values of a call.  Raises an
 * error if a value is invalid.
 */
bool
corm_premise_holds(const CormPremise *premise, const CormValue *values, int nvalues)
{
	const CormValue *a = value_of(premise->valno[0], premise->constant[0], values, nvalues);
	const CormValue *b = premise->kind == CORM_PREMISE_EQUAL ?
		value_of(premise->valno[1], premise->constant[1], values, nvalues) : NULL;

	if ((a && a->symbol) || (b && b->symbol))
		return false;
	if (a == NULL || (premise->kind == CORM_PREMISE_EQUAL && b == NULL))
		return false;
	return find_out(premise->kind, a, b);
}
