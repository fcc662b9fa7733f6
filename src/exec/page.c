/*-------------------------------------------------------------------------
 *
 * page.c
 *		page_json: a page of rows, with cursors for both ends.
 *
 * The statement returns each row as JSON, together with its ORDER BY values.  It
 * returns one row more than the page holds, which tells whether there is another page.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/jsonb.h"
#include "exec/call/run_query.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "exec/run/sink.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(corm_page_json);

typedef struct PageRow
{
	Jsonb	   *row;
	ArrayType  *values;			/* ORDER BY values, text[] */
} PageRow;

typedef struct JsonPage
{
	MemoryContext context;
	List	   *rows;			/* of PageRow, in the query's order */
	CormSink   *sink;

	/*
	 * copied from the plan, which is already released when we assemble the
	 * page
	 */
	bool		has_cursor;
	bool		has_offset;
	bool		has_total;
	bool		reversed;
	char	   *order_hash;
} JsonPage;

/*
 * Receives a row of the page.  slot is NULL in the call before the first row.
 */
static void
add_row(CormPlan *plan, TupleTableSlot *slot, void *arg)
{
	JsonPage   *page = arg;
	MemoryContext oldcontext = MemoryContextSwitchTo(page->context);

	if (slot == NULL)
	{
		page->has_cursor = plan->has_cursor;
		page->has_offset = plan->has_offset;
		page->has_total = plan->with_total;
		page->reversed = plan->reversed;
		page->order_hash = pstrdup(plan->order_hash);
	}
	else
		corm_sink_total(page->sink, slot);
	/* a page without rows has one row that tells the total alone */
	if (slot && !slot->tts_isnull[0])
	{
		PageRow    *row = palloc(sizeof(PageRow));

		row->row = DatumGetJsonbPCopy(slot->tts_values[0]);
		/* rows supplied by a middleware have no ORDER BY values */
		row->values = slot->tts_isnull[1] ? NULL : DatumGetArrayTypePCopy(slot->tts_values[1]);
		page->rows = lappend(page->rows, row);
	}
	MemoryContextSwitchTo(oldcontext);
}

static void
push_cursor(JsonbParseState **state, const char *key, JsonPage *page, PageRow *row)
{
	JsonbValue	null = {.type = jbvNull};

	corm_json_key(state, key);
	if (row == NULL || row->values == NULL)
		pushJsonbValue(state, WJB_VALUE, &null);
	else
		corm_json_string(state, WJB_VALUE, corm_cursor_encode(page->order_hash, row->values));
}

static void
push_row(JsonbParseState **state, PageRow *row)
{
	JsonbValue	value;

	value.type = jbvBinary;
	value.val.binary.data = &row->row->root;
	value.val.binary.len = VARSIZE(row->row) - VARHDRSZ;
	pushJsonbValue(state, WJB_ELEM, &value);
}

/* corm_page_json(q): a page as a JSON object */
Datum
corm_page_json(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_PAGE};
	CormQuerySet set;
	JsonPage	page = {.context = CurrentMemoryContext};
	CormSink	sink = {.kind = CORM_SINK_CALLBACK, .callback = add_row, .arg = &page, .limit = -1};
	JsonbParseState *state = NULL;
	bool		more = false;
	ListCell   *lc;

	page.sink = &sink;
	corm_queries_from_args(fcinfo, 0, &set);
	(void) corm_run_queries(&verb, &set, &sink);
	CORM_FAULT("page-read");

	/* when reading backwards, the extra row comes first */
	if (sink.limit >= 0 && list_length(page.rows) > sink.limit)
	{
		more = true;
		if (page.reversed)
			page.rows = list_delete_first(page.rows);
		else
			page.rows = list_delete_last(page.rows);
	}

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	corm_json_key(&state, "rows");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, page.rows)
	{
		CHECK_FOR_INTERRUPTS();
		push_row(&state, lfirst(lc));
	}
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	corm_json_key(&state, "page_info");
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	corm_json_key(&state, "has_next");
	corm_json_bool(&state, WJB_VALUE, page.reversed ? true : more);
	corm_json_key(&state, "has_previous");
	corm_json_bool(&state, WJB_VALUE, page.reversed ? more : page.has_cursor || page.has_offset);
	if (page.has_total)
	{
		JsonbValue	total = {.type = jbvNull};

		if (sink.has_total)
		{
			total.type = jbvNumeric;
			total.val.numeric = int64_to_numeric(sink.total);
		}
		corm_json_key(&state, "total");
		pushJsonbValue(&state, WJB_VALUE, &total);
	}
	push_cursor(&state, "start_cursor", &page, page.rows ? linitial(page.rows) : NULL);
	push_cursor(&state, "end_cursor", &page, page.rows ? llast(page.rows) : NULL);
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
