/*-------------------------------------------------------------------------
 *
 * conversion.c
 *		What it takes to give a column another type.
 *
 * Whether ALTER TABLE has to rewrite the rows is found out as ALTER TABLE does:
 * the planner simplifies the cast, and if only a relabeling is left, the rows
 * stay.  Whether values survive is a matter of judgment: a cast that is
 * implicit keeps them, with the exceptions below.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_node.h"
#include "tools/conversion.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * keeps_rows returns whether a simplified cast leaves the rows as they are.
 */
static bool
keeps_rows(Node *cast)
{
	for (;;)
	{
		if (IsA(cast, Var))
			return true;
		else if (IsA(cast, RelabelType))
			cast = (Node *) ((RelabelType *) cast)->arg;
		else if (IsA(cast, CoerceToDomain) && !DomainHasConstraints(((CoerceToDomain *) cast)->resulttype))
			cast = (Node *) ((CoerceToDomain *) cast)->arg;
		else
			return false;
	}
}

/*
 * integer_width returns the bytes of an integer type, else 0.
 */
static int
integer_width(Oid typid)
{
	return typid == INT2OID ? 2 : typid == INT4OID ? 4 : typid == INT8OID ? 8 : 0;
}

/*
 * numeric_scale and numeric_digits read the modifier of numeric: digits after
 * the point, and before it.
 */
static int
numeric_scale(int32 typmod)
{
	return (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
}

static int
numeric_digits(int32 typmod)
{
	return (((typmod - VARHDRSZ) >> 16) & 0xffff) - numeric_scale(typmod);
}

/*
 * keeps_values returns whether a cast from a base type to another gives values
 * that are equal, or an error.
 */
static bool
keeps_values(Oid from, int32 from_typmod, Oid to, int32 to_typmod)
{
	CoercionPathType path;
	Oid			function;
	int			from_width = integer_width(from);
	int			to_width = integer_width(to);

	if (from_width > 0 && to_width > 0)
		return true;
	if (from == NUMERICOID && to == NUMERICOID)
		return to_typmod == -1 ||
			(from_typmod != -1 && numeric_scale(to_typmod) >= numeric_scale(from_typmod) &&
			 numeric_digits(to_typmod) >= numeric_digits(from_typmod));
	if (from_width > 0 && to == NUMERICOID)
		return to_typmod == -1 || numeric_scale(to_typmod) >= 0;
	if (from_width > 0 && (to == FLOAT4OID || to == FLOAT8OID))
		return from_width < (to == FLOAT4OID ? 4 : 8);
	if (to == FLOAT4OID || to == FLOAT8OID)
		return from == FLOAT4OID;
	/* what a time is in another zone, or as text, depends on the session */
	if (from == TIMESTAMPOID || from == TIMESTAMPTZOID || (from == DATEOID && to != TIMESTAMPOID))
		return false;
	/* every type's text says all, and blanks of character(n) are lost */
	if ((to == TEXTOID || to == VARCHAROID) && to_typmod == -1)
		return from != BPCHAROID && from != CHAROID;
	if (to_typmod != -1)
		return false;
	path = find_coercion_pathway(to, from, COERCION_IMPLICIT, &function);
	return path != COERCION_PATH_NONE;
}

/*
 * corm_conversion returns what it takes to change a column from a type to
 * another.
 */
CormConversion
corm_conversion(Oid typid, int32 typmod, Oid collation, Oid new_typid, int32 new_typmod, Oid new_collation)
{
	ParseState *pstate = make_parsestate(NULL);
	Node	   *var = (Node *) makeVar(1, 1, typid, typmod, collation, 0);
	Node	   *cast;
	bool		kept;

	if (typid == new_typid && typmod == new_typmod && collation == new_collation)
		return CORM_CONVERSION_NONE;

	cast = coerce_to_target_type(pstate, var, typid, new_typid, new_typmod, COERCION_ASSIGNMENT,
								 COERCE_IMPLICIT_CAST, -1);
	if (cast == NULL)
		return coerce_to_target_type(pstate, var, typid, new_typid, new_typmod, COERCION_EXPLICIT,
									 COERCE_EXPLICIT_CAST, -1) ? CORM_CONVERSION_CAST : CORM_CONVERSION_IMPOSSIBLE;
	assign_expr_collations(pstate, cast);
	kept = keeps_rows((Node *) expression_planner((Expr *) cast));
	/* another collation leaves the rows, but not the indexes */
	if (kept && (collation == new_collation || !OidIsValid(collation) || !OidIsValid(new_collation)))
		return CORM_CONVERSION_FREE;
	typid = getBaseTypeAndTypmod(typid, &typmod);
	new_typid = getBaseTypeAndTypmod(new_typid, &new_typmod);
	return kept || keeps_values(typid, typmod, new_typid, new_typmod) ? CORM_CONVERSION_REWRITE : CORM_CONVERSION_LOSSY;
}
