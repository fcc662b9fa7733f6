/*-------------------------------------------------------------------------
 *
 * premises.c
 *		What a statement takes for granted of its values.
 *
 * A plan is found by the shape of a query and so serves queries with all
 * kinds of values.  Where the statement made of a query depends on more than
 * the shape, that is a premise: that two values are equal, so that two
 * expressions are the same and share their parameters; that an array is
 * empty, so that a condition is no condition.  Premises are noted while a
 * query is resolved, whichever way they turn out, and kept with the plan.
 * The plan serves other queries of its shape only if the same premises turn
 * out the same with their values.
 *
 * Values are equal if their types and bytes are, as PostgreSQL has it for
 * constants of a query.  One that a stored query has is always the same; what
 * is found out about such values alone is no premise.
 *
 * The list is of the query that is being resolved; corm_resolve empties it
 * before and after.
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
 * corm_premises_begin starts a list of premises, and returns the one that
 * was in the making for corm_premises_end.
 */
List *
corm_premises_begin(void)
{
	List	   *outer = premises;

	premises = NIL;
	return outer;
}

/*
 * corm_premises_end returns the premises noted since corm_premises_begin; it
 * may be called while an error passes by.
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

/* Text that would be read as an array without elements. */
static bool
is_empty_array_text(const char *str)
{
	str += strspn(str, " \t\n\r\v\f");
	if (*str == '[' && strchr(str, '='))
		str = strchr(str, '=') + 1;	/* bounds come before it */
	return *str != '\0' && str[strspn(str, "{}, \t\n\r\v\f")] == '\0';
}

/* The type under a domain; InvalidOid if it has gone. */
static Oid
base_type(Oid typid)
{
	return get_typtype(typid) == '\0' ? InvalidOid : getBaseType(typid);
}

/* Whether a value is an array without elements, or text that reads as one. */
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

/* How a premise turns out for values; b is NULL unless two are compared. */
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
 * corm_premise tells whether something is so of a bound value, or of two, and
 * notes that it was asked.  False of a value that is not known yet.
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
	holds = find_out(kind, a->bound, b ? b->bound : NULL);
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
 * corm_premise_holds tells how a premise turns out with the values of a call.
 * Raises what is wrong with these.
 */
bool
corm_premise_holds(const CormPremise *premise, const CormValue *values, int nvalues)
{
	const CormValue *a = value_of(premise->valno[0], premise->constant[0], values, nvalues);
	const CormValue *b = premise->kind == CORM_PREMISE_EQUAL ?
		value_of(premise->valno[1], premise->constant[1], values, nvalues) : NULL;

	if (a == NULL || (premise->kind == CORM_PREMISE_EQUAL && b == NULL))
		return false;
	return find_out(premise->kind, a, b);
}
