/*-------------------------------------------------------------------------
 *
 * current.c
 *		What the session knows of its transaction scopes, as SQL functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/compat.h"
#include "funcapi.h"
#include "storage/proc.h"
#include "tx/stack.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(corm_in_tx);
PG_FUNCTION_INFO_V1(corm_tx_depth_sql);
PG_FUNCTION_INFO_V1(corm_current_tx);
PG_FUNCTION_INFO_V1(corm_set_rollback_only);
PG_FUNCTION_INFO_V1(corm_tx_stats_sql);

/* corm.in_tx(): is there a transaction that a scope would join? */
Datum
corm_in_tx(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(corm_tx_is_active());
}

/* corm.tx_depth(): the number of open scopes. */
Datum
corm_tx_depth_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(corm_tx_depth());
}

/* corm.current_tx(): the innermost open scope, NULL if there is none. */
Datum
corm_current_tx(PG_FUNCTION_ARGS)
{
	CormTxScope *scope = corm_tx_current();
	TupleDesc	desc;
	Datum		values[5];
	bool		nulls[5] = {false};

	if (scope == NULL)
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != 5)
		elog(ERROR, "unexpected result type of corm.current_tx");

	nulls[0] = scope->name[0] == '\0';
	values[0] = nulls[0] ? (Datum) 0 : CStringGetTextDatum(scope->name);
	values[1] = CStringGetTextDatum(corm_tx_propagation_name(scope->propagation));
	values[2] = Int32GetDatum(scope->depth);
	values[3] = BoolGetDatum(XactReadOnly);
	values[4] = BoolGetDatum(scope->asked != NULL || scope->doomed != NULL ||
							 scope->target->asked != NULL || scope->target->doomed != NULL);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * corm.set_rollback_only(): the innermost scope is to end rolled back, without
 * an error.  Raises 25P01 without one, 42501 if it is not the caller's own.
 */
Datum
corm_set_rollback_only(PG_FUNCTION_ARGS)
{
	CormTxScope *scope = corm_tx_current();

	if (scope == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
				 errmsg("no transaction scope is open")));
	if (corm_tx_is_foreign(scope))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to roll back transaction scope \"%s\"",
						corm_tx_name(scope->name, scope->depth)),
				 errdetail("It, or what it joined, was opened as another user or in another security context."),
				 errhint("Raise an error, or open a scope of your own with propagation nested.")));
	if (scope->asked == NULL)
		scope->asked = corm_tx_make_mark(corm_tx_name(scope->name, scope->depth), NULL);
	PG_RETURN_VOID();
}

/* corm.tx_stats(): counters of this session. */
Datum
corm_tx_stats_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[9];
	bool		nulls[9] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != 9)
		elog(ERROR, "unexpected result type of corm.tx_stats");

	values[0] = Int64GetDatum(corm_tx_stats.scopes);
	values[1] = Int64GetDatum(corm_tx_stats.subtransactions);
	values[2] = Int64GetDatum(corm_tx_stats.rollbacks);
	values[3] = Int64GetDatum(corm_tx_stats.timeouts);
	values[4] = Int64GetDatum(corm_tx_stats.retries);
	values[5] = Int64GetDatum(corm_tx_stats.subtransaction_warnings);
	values[6] = Int32GetDatum(corm_tx_stats.max_depth);
	values[7] = Int32GetDatum(GetCurrentTransactionNestLevel() - 1);
	values[8] = BoolGetDatum(MyProc->subxidStatus.overflowed);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
