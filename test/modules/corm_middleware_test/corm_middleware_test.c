/*-------------------------------------------------------------------------
 *
 * corm_middleware_test.c
 *		Middleware in C, as another extension writes it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "corm_middleware.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/typcache.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(cmt_add);
PG_FUNCTION_INFO_V1(cmt_remove);
PG_FUNCTION_INFO_V1(cmt_rewrite_to);
PG_FUNCTION_INFO_V1(cmt_hook);

typedef struct Probe
{
	const CormMiddlewareApi *corm;
	char	   *name;
	char	   *mode;
} Probe;

static Datum rewrite_to = (Datum) 0;

static void
tell(Probe *probe, CormMiddlewareCall *call)
{
	Oid			model = probe->corm->model(call);

	elog(NOTICE, "%s: %s %s: %s -> " UINT64_FORMAT " affected, " UINT64_FORMAT " rows",
		 probe->name, probe->corm->op(call), OidIsValid(model) ? get_rel_name(model) : "-",
		 probe->corm->sql(call), probe->corm->rows_affected(call), probe->corm->row_count(call));
}

/* Lets the query run in a subtransaction, and goes on without rows if it fails. */
static void
next_or_nothing(Probe *probe, CormMiddlewareCall *call)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		probe->corm->next(call);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		elog(NOTICE, "%s: caught %s", probe->name, error->message);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

static void
probe_call(CormMiddlewareCall *call, void *arg)
{
	Probe	   *probe = arg;

	if (strcmp(probe->mode, "quiet") == 0)
	{
		probe->corm->next(call);
		return;
	}
	if (strcmp(probe->mode, "fail") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RAISE_EXCEPTION),
				 errmsg("%s refuses", probe->name)));
	if (strcmp(probe->mode, "catch") == 0)
	{
		next_or_nothing(probe, call);
		return;
	}
	if (strcmp(probe->mode, "stop") != 0)
	{
		if (rewrite_to)
			probe->corm->set_query(call, rewrite_to);
		probe->corm->next(call);
	}
	if (strcmp(probe->mode, "twice") == 0)
		probe->corm->next(call);
	tell(probe, call);
}

Datum
cmt_add(PG_FUNCTION_ARGS)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopMemoryContext);
	Probe	   *probe = palloc(sizeof(Probe));

	probe->corm = corm_middleware_api();
	probe->name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	probe->mode = text_to_cstring(PG_GETARG_TEXT_PP(1));
	MemoryContextSwitchTo(oldcontext);
	probe->corm->add(probe->name, probe_call, probe, PG_GETARG_INT32(2));
	PG_RETURN_VOID();
}

Datum
cmt_remove(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(corm_middleware_api()->remove(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

Datum
cmt_rewrite_to(PG_FUNCTION_ARGS)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopMemoryContext);

	rewrite_to = PG_ARGISNULL(0) ? (Datum) 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0)));
	MemoryContextSwitchTo(oldcontext);
	PG_RETURN_VOID();
}

/*
 * A hook in C: a row comes back with another text in its second column.
 */
Datum
cmt_hook(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	HeapTupleData tuple = {0};
	int			column = 2;
	Datum		value = CStringGetTextDatum("from C");
	bool		isnull = false;
	HeapTuple	changed;

	tuple.t_data = row;
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	changed = heap_modify_tuple_by_cols(&tuple, tupdesc, 1, &column, &value, &isnull);
	ReleaseTupleDesc(tupdesc);
	PG_RETURN_DATUM(HeapTupleGetDatum(changed));
}
