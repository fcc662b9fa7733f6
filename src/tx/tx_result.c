/*-------------------------------------------------------------------------
 *
 * tx_result.c
 *		corm.tx_result: the outcome of a scope, an error included, as a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "tx/tx_result.h"
#include "utils/builtins.h"

enum
{
	RESULT_OK,
	RESULT_VALUE,
	RESULT_SQLSTATE,
	RESULT_MESSAGE,
	RESULT_DETAIL,
	RESULT_HINT,
	RESULT_CONTEXT,
	RESULT_SCHEMA_NAME,
	RESULT_TABLE_NAME,
	RESULT_COLUMN_NAME,
	RESULT_DATATYPE_NAME,
	RESULT_CONSTRAINT_NAME,
	RESULT_SCOPE,
	RESULT_COUNT
};

static void set_text(Datum *values, bool *nulls, int column, const char *value);

/* set_text sets a text column; NULL gives a null. */
static void
set_text(Datum *values, bool *nulls, int column, const char *value)
{
	if (value == NULL)
		return;
	values[column] = CStringGetTextDatum(value);
	nulls[column] = false;
}

/*
 * corm_tx_result_datum forms a corm.tx_result row in the current memory
 * context.  desc describes that type; value is NULL if the body gave none;
 * error is NULL unless the outcome is CORM_TX_FAILED.
 */
Datum
corm_tx_result_datum(TupleDesc desc, CormTxOutcome outcome, Jsonb *value,
					 const char *scope_name, const ErrorData *error)
{
	Datum		values[RESULT_COUNT];
	bool		nulls[RESULT_COUNT];

	if (desc->natts != RESULT_COUNT)
		elog(ERROR, "unexpected number of attributes in corm.tx_result");

	memset(nulls, true, sizeof(nulls));
	values[RESULT_OK] = BoolGetDatum(outcome == CORM_TX_COMMITTED);
	nulls[RESULT_OK] = false;
	set_text(values, nulls, RESULT_SCOPE, scope_name);
	if (outcome == CORM_TX_COMMITTED && value != NULL)
	{
		values[RESULT_VALUE] = JsonbPGetDatum(value);
		nulls[RESULT_VALUE] = false;
	}
	if (error != NULL)
	{
		set_text(values, nulls, RESULT_SQLSTATE, unpack_sql_state(error->sqlerrcode));
		set_text(values, nulls, RESULT_MESSAGE, error->message);
		set_text(values, nulls, RESULT_DETAIL, error->detail);
		set_text(values, nulls, RESULT_HINT, error->hint);
		set_text(values, nulls, RESULT_CONTEXT, error->context);
		set_text(values, nulls, RESULT_SCHEMA_NAME, error->schema_name);
		set_text(values, nulls, RESULT_TABLE_NAME, error->table_name);
		set_text(values, nulls, RESULT_COLUMN_NAME, error->column_name);
		set_text(values, nulls, RESULT_DATATYPE_NAME, error->datatype_name);
		set_text(values, nulls, RESULT_CONSTRAINT_NAME, error->constraint_name);
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}
