/*-------------------------------------------------------------------------
 *
 * cast.c
 *		Conversion of one value to another type, as SQL would do it.
 *
 * A conversion is compiled once into an expression, so that everything SQL
 * knows of counts: casts, domains with their checks, lengths, arrays.  Text is
 * different: a value that came as a string literal or untyped parameter is
 * read by the type's input function, as PostgreSQL itself treats a literal.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "model/cast.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

struct CormCast
{
	Oid			target;
	int32		typmod;
	bool		by_input;		/* by the input function */
	FmgrInfo	output;			/* gives it its string, unless that is text */
	FmgrInfo	input;
	Oid			ioparam;
	ExprState  *state;			/* NULL: nothing to do */
	ExprContext *econtext;
};

/*
 * corm_cast_create compiles the conversion of values of type source to type
 * target and typmod, in the current memory context.  Returns NULL if there is
 * no such conversion.  An assignment cast is enough unless is_explicit.
 */
CormCast *
corm_cast_create(Oid source, Oid target, int32 typmod, bool is_explicit)
{
	CormCast   *cast = palloc0(sizeof(CormCast));
	CaseTestExpr *value;
	Node	   *expr;

	cast->target = target;
	cast->typmod = typmod;
	if (source == target && typmod == -1)
		return cast;

	value = makeNode(CaseTestExpr);
	value->typeId = source;
	value->typeMod = -1;
	value->collation = get_typcollation(source);
	/* A row of no declared type has to go through its text form. */
	if (source == RECORDOID && type_is_rowtype(target))
	{
		cast = corm_cast_create_text(target, typmod);
		fmgr_info(F_RECORD_OUT, &cast->output);
		return cast;
	}

	expr = coerce_to_target_type(NULL, (Node *) value, source, target, typmod,
								 is_explicit ? COERCION_EXPLICIT : COERCION_ASSIGNMENT,
								 is_explicit ? COERCE_EXPLICIT_CAST : COERCE_IMPLICIT_CAST,
								 -1);
	if (expr == NULL)
		return NULL;

	cast->econtext = CreateStandaloneExprContext();
	cast->state = ExecInitExpr(expression_planner((Expr *) expr), NULL);
	return cast;
}

/*
 * corm_cast_create_text compiles the conversion of text that stands for a
 * literal to type target and typmod, in the current memory context.
 */
CormCast *
corm_cast_create_text(Oid target, int32 typmod)
{
	CormCast   *cast = palloc0(sizeof(CormCast));
	Oid			function;

	cast->target = target;
	cast->typmod = typmod;
	cast->by_input = true;
	getTypeInputInfo(target, &function, &cast->ioparam);
	fmgr_info(function, &cast->input);
	return cast;
}

/*
 * corm_cast_apply converts a value; the result is in the current memory
 * context.  Raises what the conversion raises.
 */
Datum
corm_cast_apply(CormCast *cast, Datum value, bool *isnull)
{
	if (cast->by_input)
	{
		char	   *string = NULL;

		if (!*isnull)
			string = OidIsValid(cast->output.fn_oid) ?
				OutputFunctionCall(&cast->output, value) : TextDatumGetCString(value);

		/* Called for NULL too: a domain may refuse it. */
		return InputFunctionCall(&cast->input, string, cast->ioparam, cast->typmod);
	}

	if (cast->state == NULL)
		return value;

	/* Free what the last call has left behind. */
	ResetExprContext(cast->econtext);
	cast->econtext->caseValue_datum = value;
	cast->econtext->caseValue_isNull = *isnull;
	return ExecEvalExpr(cast->state, cast->econtext, isnull);
}
