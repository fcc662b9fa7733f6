/*-------------------------------------------------------------------------
 *
 * sink.c
 *		The destination of the rows of an execution.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "exec/rows/in_progress.h"
#include "exec/run/sink.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

/*
 * Checks that the columns of a result are the attributes of a row type.  There
 * may be more columns.
 */
static void
check_columns(TupleDesc tupdesc, TupleDesc columns)
{
	int			column = 0;

	for (int att = 0; att < tupdesc->natts; att++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, att);

		if (attribute->attisdropped)
			continue;
		if (column >= columns->natts || TupleDescAttr(columns, column)->atttypid != attribute->atttypid)
			corm_exec_changed(format_type_be(tupdesc->tdtypeid),
							  psprintf("Attribute \"%s\" does not match.", NameStr(attribute->attname)));
		column++;
	}
}

/*
 * corm_rows_of_table returns the rows in SPI_tuptable, whose columns are the
 * attributes of a row type, as values of that type in the current context.
 * Raises 55006 if they are not.
 */
Datum *
corm_rows_of_table(TupleDesc tupdesc, int *nrows)
{
	Datum	   *rows = palloc_extended(sizeof(Datum) * Max(SPI_tuptable->numvals, 1), MCXT_ALLOC_HUGE);
	Datum	   *values = palloc0(sizeof(Datum) * tupdesc->natts);
	bool	   *nulls = palloc(sizeof(bool) * tupdesc->natts);

	check_columns(tupdesc, SPI_tuptable->tupdesc);
	*nrows = SPI_tuptable->numvals;
	for (int row = 0; row < *nrows; row++)
	{
		int			column = 0;

		CHECK_FOR_INTERRUPTS();
		for (int att = 0; att < tupdesc->natts; att++)
		{
			if (TupleDescAttr(tupdesc, att)->attisdropped)
				nulls[att] = true;
			else
				values[att] = heap_getattr(SPI_tuptable->vals[row], ++column,
										   SPI_tuptable->tupdesc, &nulls[att]);
		}
		rows[row] = HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls));
	}
	return rows;
}

/*
 * corm_rows_to_sink passes rows of a row type to a sink, as if a statement had returned
 * them.
 */
void
corm_rows_to_sink(const Datum *rows, int nrows, CormSink *sink)
{
	for (int i = 0; i < nrows; i++)
	{
		sink->nrows++;
		if (sink->kind == CORM_SINK_STORE)
		{
			HeapTupleData tuple = {0};

			tuple.t_data = DatumGetHeapTupleHeader(rows[i]);
			tuple.t_len = HeapTupleHeaderGetDatumLength(tuple.t_data);
			tuplestore_puttuple(sink->store, &tuple);
		}
		else if (sink->nrows == 1)
		{
			MemoryContext oldcontext = MemoryContextSwitchTo(sink->context);

			sink->value = datumCopy(rows[i], false, -1);
			sink->isnull = false;
			MemoryContextSwitchTo(oldcontext);
		}
		else if (sink->kind == CORM_SINK_ONE)
			ereport(ERROR,
					(errcode(ERRCODE_TOO_MANY_ROWS),
					 errmsg("more than one row in result set")));
	}
}

/*
 * Raises 55006 for rows that the caller's statement cannot accept: it may have been
 * parsed before its row type changed.
 */
static void
check_expected(TupleDesc expected, TupleDesc tupdesc)
{
	bool		differs;

	if (expected == NULL || tupdesc->tdtypeid == RECORDOID || expected->tdtypeid != tupdesc->tdtypeid)
		return;
	differs = expected->natts != tupdesc->natts;
	for (int i = 0; i < tupdesc->natts && !differs; i++)
		differs = TupleDescAttr(expected, i)->attisdropped != TupleDescAttr(tupdesc, i)->attisdropped;
	if (differs)
		corm_exec_changed(format_type_be(tupdesc->tdtypeid), "The statement that called it expects other columns.");
}

/*
 * corm_begin_set makes the tuplestore of a set-returning call, in the memory of the
 * caller's query.  tupdesc is copied.  Raises 0A000 or 42601 if the caller does not take
 * a materialized set.
 */
Tuplestorestate *
corm_begin_set(FunctionCallInfo fcinfo, TupleDesc tupdesc)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext oldcontext;
	Tuplestorestate *store;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	if (!(rsinfo->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("materialize mode required, but it is not allowed in this context")));

	check_expected(rsinfo->expectedDesc, tupdesc);
	oldcontext = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	store = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
								  false, work_mem);
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setResult = store;
	rsinfo->setDesc = CreateTupleDescCopy(tupdesc);
	MemoryContextSwitchTo(oldcontext);
	return store;
}

/*
 * corm_sink_total takes the total from a row of a page, if the page has one.  The row
 * is deformed.
 */
void
corm_sink_total(CormSink *sink, TupleTableSlot *slot)
{
	if (slot->tts_tupleDescriptor->natts < 3 || slot->tts_isnull[2])
		return;
	sink->total = DatumGetInt64(slot->tts_values[2]);
	sink->has_total = true;
}
