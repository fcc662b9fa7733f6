/*-------------------------------------------------------------------------
 *
 * hit_ratio.c
 *		How often a cache has what is asked for, next to exact SIEVE, LRU and
 *		W-TinyLFU.
 *
 * Keys are drawn from a Zipf distribution, the same ones at each run with a
 * seed.  Each is looked for in a cache of corm's and stored there if it is
 * missing; the models do the same.  In between there may be scans: runs of keys
 * that are asked for once.
 *
 * W-TinyLFU here is the usual one: a window of a hundredth of the places, and a
 * main part of which four fifths are protected, each an LRU; what leaves the window
 * is admitted in place of the main part's victim if it has been asked for more often,
 * by a count-min sketch of four rows with four bits, halved after ten times as many
 * requests as there are places.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/regproc.h"

PG_FUNCTION_INFO_V1(corm_test_hit_ratio);

/* A cache with places for a number of keys, newest first. */
typedef struct Model
{
	bool		lru;
	int			places;
	int			count;
	int		   *newer;			/* by key; -1: none */
	int		   *older;
	bool	   *present;
	bool	   *visited;
	int			newest;
	int			oldest;
	int			hand;
	int64		hits;
} Model;

static void
model_init(Model *model, bool lru, int places, int keys)
{
	memset(model, 0, sizeof(Model));
	model->lru = lru;
	model->places = places;
	model->newer = palloc(sizeof(int) * keys);
	model->older = palloc(sizeof(int) * keys);
	model->present = palloc0(sizeof(bool) * keys);
	model->visited = palloc0(sizeof(bool) * keys);
	model->newest = model->oldest = model->hand = -1;
}

static void
model_unlink(Model *model, int key)
{
	if (model->newer[key] >= 0)
		model->older[model->newer[key]] = model->older[key];
	else
		model->newest = model->older[key];
	if (model->older[key] >= 0)
		model->newer[model->older[key]] = model->newer[key];
	else
		model->oldest = model->newer[key];
}

static void
model_link(Model *model, int key)
{
	model->newer[key] = -1;
	model->older[key] = model->newest;
	if (model->newest >= 0)
		model->newer[model->newest] = key;
	else
		model->oldest = key;
	model->newest = key;
}

static void
model_evict(Model *model)
{
	int			key = model->oldest;

	if (!model->lru)
	{
		if (model->hand >= 0)
			key = model->hand;
		while (model->visited[key])
		{
			model->visited[key] = false;
			key = model->newer[key] >= 0 ? model->newer[key] : model->oldest;
		}
		model->hand = model->newer[key];
	}
	model_unlink(model, key);
	model->present[key] = false;
	model->count--;
}

static void
model_ask(Model *model, int key)
{
	if (model->present[key])
	{
		model->hits++;
		model->visited[key] = true;
		if (model->lru)
		{
			model_unlink(model, key);
			model_link(model, key);
		}
		return;
	}
	if (model->count == model->places)
		model_evict(model);
	model_link(model, key);
	model->present[key] = true;
	model->visited[key] = false;
	model->count++;
}

/* W-TinyLFU. */
typedef enum Segment
{
	SEG_WINDOW,
	SEG_PROBATION,
	SEG_PROTECTED,
	SEGMENTS
} Segment;

typedef struct Tiny
{
	Model		list[SEGMENTS]; /* of each only the list is used */
	int			places[SEGMENTS];
	int8	   *segment;		/* by key; -1: absent */
	uint8	   *sketch;			/* four rows */
	uint32		mask;
	int64		asked;			/* since it was halved last */
	int64		limit;
	int64		hits;
} Tiny;

static void
tiny_init(Tiny *tiny, int places, int keys)
{
	uint32		width = 64;

	memset(tiny, 0, sizeof(Tiny));
	tiny->places[SEG_WINDOW] = Max(places / 100, 1);
	tiny->places[SEG_PROTECTED] = (places - tiny->places[SEG_WINDOW]) * 4 / 5;
	tiny->places[SEG_PROBATION] = places - tiny->places[SEG_WINDOW] - tiny->places[SEG_PROTECTED];
	for (int i = 0; i < SEGMENTS; i++)
		model_init(&tiny->list[i], true, 0, keys);
	tiny->segment = palloc(keys);
	memset(tiny->segment, -1, keys);
	while (width < places)
		width *= 2;
	tiny->mask = width * 4 - 1;
	tiny->sketch = palloc0(4 * (Size) (tiny->mask + 1));
	tiny->limit = (int64) places * 10;
}

static uint8 *
tiny_counter(Tiny *tiny, int key, int row)
{
	return &tiny->sketch[(Size) row * (tiny->mask + 1) + (hash_combine(murmurhash32(key), row * 0x9E3779B9) & tiny->mask)];
}

static int
tiny_frequency(Tiny *tiny, int key)
{
	int			least = 15;

	for (int row = 0; row < 4; row++)
		least = Min(least, *tiny_counter(tiny, key, row));
	return least;
}

static void
tiny_move(Tiny *tiny, int key, int to)
{
	if (tiny->segment[key] >= 0)
	{
		model_unlink(&tiny->list[tiny->segment[key]], key);
		tiny->list[tiny->segment[key]].count--;
	}
	tiny->segment[key] = to;
	if (to >= 0)
	{
		model_link(&tiny->list[to], key);
		tiny->list[to].count++;
	}
}

static void
tiny_ask(Tiny *tiny, int key)
{
	for (int row = 0; row < 4; row++)
	{
		uint8	   *counter = tiny_counter(tiny, key, row);

		if (*counter < 15)
			(*counter)++;
	}
	if (++tiny->asked >= tiny->limit)
	{
		for (Size i = 0; i < 4 * (Size) (tiny->mask + 1); i++)
			tiny->sketch[i] /= 2;
		tiny->asked /= 2;
	}

	switch (tiny->segment[key])
	{
		case SEG_WINDOW:
			tiny->hits++;
			tiny_move(tiny, key, SEG_WINDOW);
			return;
		case SEG_PROBATION:
		case SEG_PROTECTED:
			tiny->hits++;
			tiny_move(tiny, key, SEG_PROTECTED);
			while (tiny->list[SEG_PROTECTED].count > tiny->places[SEG_PROTECTED])
				tiny_move(tiny, tiny->list[SEG_PROTECTED].oldest, SEG_PROBATION);
			return;
		default:
			break;
	}

	tiny_move(tiny, key, SEG_WINDOW);
	if (tiny->list[SEG_WINDOW].count > tiny->places[SEG_WINDOW])
	{
		int			candidate = tiny->list[SEG_WINDOW].oldest;
		int			victim;

		if (tiny->list[SEG_PROBATION].count + tiny->list[SEG_PROTECTED].count <
			tiny->places[SEG_PROBATION] + tiny->places[SEG_PROTECTED])
		{
			tiny_move(tiny, candidate, SEG_PROBATION);
			return;
		}
		victim = tiny->list[SEG_PROBATION].count > 0 ? tiny->list[SEG_PROBATION].oldest :
			tiny->list[SEG_PROTECTED].oldest;
		if (tiny_frequency(tiny, candidate) > tiny_frequency(tiny, victim))
		{
			tiny_move(tiny, victim, -1);
			tiny_move(tiny, candidate, SEG_PROBATION);
		}
		else
			tiny_move(tiny, candidate, -1);
	}
}

/* prepare_call looks up a function of corm's; its arguments have these types. */
static void
prepare_call(FmgrInfo *flinfo, const char *signature, List *types)
{
	Oid			function = DatumGetObjectId(DirectFunctionCall1(regprocedurein, CStringGetDatum(signature)));
	List	   *args = NIL;
	ListCell   *lc;

	foreach(lc, types)
	{
		args = lappend(args, makeNullConst(lfirst_oid(lc), -1, InvalidOid));
	}
	fmgr_info(function, flinfo);
	fmgr_info_set_expr((Node *) makeFuncExpr(function, TEXTOID, args, InvalidOid, InvalidOid,
											 COERCE_EXPLICIT_CALL), flinfo);
}

/* draw returns a key: the first one whose share of the sum reaches a random number. */
static int
draw(const double *sums, int keys, pg_prng_state *prng)
{
	double		at = pg_prng_double(prng) * sums[keys - 1];
	int			low = 0;
	int			high = keys - 1;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (sums[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* hit_ratio(cache, places, value_bytes, keys, skew, requests, seed, scans) -> (corm, sieve, lru, tinylfu) */
Datum
corm_test_hit_ratio(PG_FUNCTION_ARGS)
{
	Datum		cache = PG_GETARG_DATUM(0);
	int			places = PG_GETARG_INT32(1);
	text	   *value = palloc0(VARHDRSZ + PG_GETARG_INT32(2));
	int			keys = PG_GETARG_INT32(3);
	double		skew = PG_GETARG_FLOAT8(4);
	int			requests = PG_GETARG_INT32(5);
	double		scans = PG_GETARG_FLOAT8(7);
	int			once = keys;	/* the next key of a scan */
	int			scan = 0;		/* keys that it still has */
	int			all = keys + (scans > 0 ? requests : 0);
	double	   *sums = palloc(sizeof(double) * keys);
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "hit ratio", ALLOCSET_DEFAULT_SIZES);
	pg_prng_state prng;
	Model		sieve;
	Model		lru;
	Tiny		tiny;
	FmgrInfo	exists;
	FmgrInfo	set;
	int64		hits = 0;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	pg_prng_seed(&prng, PG_GETARG_INT32(6));
	SET_VARSIZE(value, VARHDRSZ + PG_GETARG_INT32(2));
	memset(VARDATA(value), 'x', PG_GETARG_INT32(2));
	model_init(&sieve, false, places, all);
	model_init(&lru, true, places, all);
	tiny_init(&tiny, places, all);
	prepare_call(&exists, "corm.cache_get(text,text)", list_make2_oid(TEXTOID, TEXTOID));
	prepare_call(&set, "corm.cache_set(text,text,interval,text,boolean,regclass[])",
				 lappend_oid(list_make5_oid(TEXTOID, TEXTOID, INTERVALOID, TEXTOID, BOOLOID), REGCLASSARRAYOID));
	for (int i = 0; i < keys; i++)
		sums[i] = (i > 0 ? sums[i - 1] : 0) + pow(i + 1, -skew);

	for (int i = 0; i < requests; i++)
	{
		int			key;
		MemoryContext old = MemoryContextSwitchTo(each);
		Datum		name;

		LOCAL_FCINFO(get_args, 2);
		LOCAL_FCINFO(set_args, 6);

		/* a scan asks for as many keys as half of the places */
		if (scan == 0 && scans > 0 && pg_prng_double(&prng) * places / 2 < scans / (1 - scans))
			scan = places / 2;
		if (scan > 0)
		{
			scan--;
			key = once++;
		}
		else
			key = draw(sums, keys, &prng);
		name = PointerGetDatum(cstring_to_text(psprintf("k%d", key)));

		model_ask(&sieve, key);
		model_ask(&lru, key);
		tiny_ask(&tiny, key);

		InitFunctionCallInfoData(*get_args, &exists, 2, InvalidOid, NULL, NULL);
		get_args->args[0].value = name;
		get_args->args[0].isnull = false;
		get_args->args[1].value = cache;
		get_args->args[1].isnull = false;
		(void) FunctionCallInvoke(get_args);
		if (!get_args->isnull)
			hits++;
		else
		{
			InitFunctionCallInfoData(*set_args, &set, 6, InvalidOid, NULL, NULL);
			set_args->args[0].value = name;
			set_args->args[0].isnull = false;
			set_args->args[1].value = PointerGetDatum(value);
			set_args->args[1].isnull = false;
			set_args->args[2].isnull = true;
			set_args->args[3].value = cache;
			set_args->args[3].isnull = false;
			set_args->args[4].value = BoolGetDatum(true);
			set_args->args[4].isnull = false;
			set_args->args[5].isnull = true;
			(void) FunctionCallInvoke(set_args);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(each);
		CHECK_FOR_INTERRUPTS();
	}

	values[0] = Float8GetDatum((double) hits / requests);
	values[1] = Float8GetDatum((double) sieve.hits / requests);
	values[2] = Float8GetDatum((double) lru.hits / requests);
	values[3] = Float8GetDatum((double) tiny.hits / requests);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
