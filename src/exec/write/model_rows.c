/*-------------------------------------------------------------------------
 *
 * model_rows.c
 *		Rows as values of their model's type: from what a statement returned,
 *		to where the rows of a call go, to JSON; told apart by key.
 *
 * For writes that have their rows in hand: with hooks, of many records.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/jsonb.h"
#include "common/hashfn.h"
#include "exec/exec.h"
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
 * corm_rows_to_sink gives rows of a row type to a sink, as if a statement had
 * returned them.
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
 * corm_row_to_json returns a row as a JSON object with the model's keys.  For
 * writing it, what an insert would not give is left out.  The row must have the
 * layout that the model says.
 */
Jsonb *
corm_row_to_json(CormModel *model, Datum row, bool writing)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);
	TupleDesc	tupdesc = model->tupdesc;
	HeapTupleData tuple = {0};
	JsonbParseState *state = NULL;

	tuple.t_data = header;
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < model->nfields; i++)
	{
		CormField  *field = &model->fields[i];
		bool		isnull;
		Datum		value = heap_getattr(&tuple, field->rownum, tupdesc, &isnull);
		JsonbValue	null = {.type = jbvNull};

		if (writing && !corm_field_is_written(model, i, true, isnull))
			continue;
		corm_json_key(&state, field->json_key);
		if (isnull)
			pushJsonbValue(&state, WJB_VALUE, &null);
		else
			corm_push_value(&state, WJB_VALUE, TupleDescAttr(tupdesc, field->rownum - 1)->atttypid, value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* A row's key as text, to tell rows apart. */
typedef struct RowKey
{
	char	   *text;
} RowKey;

static uint32
hash_row_key(const void *key, Size size)
{
	const char *text = ((const RowKey *) key)->text;

	return hash_bytes((const unsigned char *) text, strlen(text));
}

static int
match_row_keys(const void *a, const void *b, Size size)
{
	return strcmp(((const RowKey *) a)->text, ((const RowKey *) b)->text);
}

/* corm_seen_rows makes a set of rows, empty, in the current context. */
HTAB *
corm_seen_rows(void)
{
	HASHCTL		ctl = {
		.keysize = sizeof(RowKey),
		.entrysize = sizeof(RowKey),
		.hash = hash_row_key,
		.match = match_row_keys,
		.hcxt = CurrentMemoryContext
	};

	return hash_create("corm rows of a write", 256, &ctl,
					   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/*
 * corm_row_is_seen tells whether a row is in the set, by the key among its
 * values, and adds it: a join may find a row several times.
 */
bool
corm_row_is_seen(HTAB *seen, CormModel *model, TupleDesc tupdesc, Datum *values)
{
	StringInfoData buf;
	RowKey		key;
	bool		found;

	initStringInfo(&buf);
	for (int i = 0; i < model->npk; i++)
	{
		int			att = model->fields[model->pk[i]].rownum - 1;
		Oid			output;
		bool		is_varlena;
		char	   *text;

		getTypeOutputInfo(TupleDescAttr(tupdesc, att)->atttypid, &output, &is_varlena);
		text = OidOutputFunctionCall(output, values[att]);
		appendStringInfo(&buf, "%d:%s", (int) strlen(text), text);
	}
	key.text = buf.data;
	(void) hash_search(seen, &key, HASH_ENTER, &found);
	return found;
}
