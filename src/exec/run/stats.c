/*-------------------------------------------------------------------------
 *
 * stats.c
 *		Statistics of queries in shared memory: corm.stat_queries.
 *
 * There is an entry for each database, user, model and operation: counts, the
 * time that runs took, and a histogram of it from which percentiles come.
 * The number of entries is fixed when the server starts.  When all are in use, the
 * least used make room for new ones; older use counts less.  A twentieth of them is
 * removed at once, so that a stream of new combinations does not search all entries
 * each time.
 *
 * Locking.  The entries hang in hash buckets by index.  The lock is taken
 * shared to look an entry up and to change its counters, which the entry's
 * spinlock protects; exclusively to add, evict or clear entries.  An entry
 * stays what it is while the lock is held.  Nothing under the lock or a
 * spinlock allocates, raises or looks at a catalog; what is needed is copied
 * in or out.
 *
 * Without preloading there is no shared memory, nothing is counted and the
 * view is empty.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "base/arena.h"
#include "base/compat.h"
#include "base/encoding.h"
#include "base/guc.h"
#include "base/jsonb.h"
#include "catalog/pg_authid.h"
#include "common/hashfn.h"
#include "exec/exec.h"
#include "exec/plan/plan.h"
#include "exec/rows/json_value.h"
#include "exec/run/sink.h"
#include "exec/run/stats.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(corm_list_stat_queries);
PG_FUNCTION_INFO_V1(corm_stat_reset);
PG_FUNCTION_INFO_V1(corm_stat_info);

/*
 * The histogram: eight buckets for each doubling, so that a bucket is at most
 * an eighth wide.  Times are counted in units of 64 ns; what is longer than
 * the last bucket is counted there.
 */
#define HIST_UNIT_SHIFT	6
#define HIST_SUB_BITS	3
#define HIST_SUB		(1 << HIST_SUB_BITS)
#define HIST_OCTAVES	36
#define HIST_BUCKETS	(HIST_SUB * (HIST_OCTAVES + 1))

#define NONE			(-1)	/* no entry */

/* How usage counts shrink each time that entries are evicted. */
#define USAGE_DECAY		0.99
#define EVICT_PERCENT	5

typedef struct StatKey
{
	Oid			database;
	Oid			user;
	Oid			model;			/* InvalidOid for raw queries */
	uint32		command;		/* CormCommand */
} StatKey;

typedef struct StatCounters
{
	int64		calls;
	int64		rows;
	int64		errors;
	int64		plan_hits;
	int64		compiled;		/* executions as a part of other statements */
	double		total;			/* times in milliseconds */
	double		min;
	double		max;
	double		mean;
	double		sum_var;		/* sum of squares of differences from the mean */
	double		usage;
	uint64		histogram[HIST_BUCKETS];
} StatCounters;

typedef struct StatEntry
{
	StatKey		key;
	int32		next;			/* in its bucket, or of the free ones */
	bool		in_use;
	char		model[NAMEDATALEN * 2]; /* its name, cut off; empty for raw
										 * queries ... */
	int			encoding;		/* ... of the database it is in */
	slock_t		mutex;			/* protects the counters */
	StatCounters counters;
} StatEntry;

typedef struct StatShared
{
	int			tranche;
	LWLock		lock;
	int32		nentries;
	int32		nbuckets;		/* a power of two */
	int32		free;			/* first free entry */
	uint64		evictions;
	TimestampTz reset_at;
	int32		buckets[FLEXIBLE_ARRAY_MEMBER];
} StatShared;

static StatShared *shared = NULL;
static StatEntry *entries = NULL;
static int32 *eviction_order = NULL;	/* room to sort them; under the lock,
										 * exclusively */

/*
 * Shared memory
 */

static int32
bucket_count(void)
{
	return (int32) pg_nextpower2_32(corm_stat_max);
}

static Size
buckets_size(void)
{
	return MAXALIGN(add_size(offsetof(StatShared, buckets), mul_size(bucket_count(), sizeof(int32))));
}

static Size
entries_size(void)
{
	return MAXALIGN(mul_size(corm_stat_max, sizeof(StatEntry)));
}

static Size
stats_size(void)
{
	return add_size(add_size(buckets_size(), entries_size()), mul_size(corm_stat_max, sizeof(int32)));
}

/*
 * Frees all entries.  The caller holds the lock exclusively, or the server is being
 * started.
 */
static void
clear_entries(void)
{
	for (int i = 0; i < shared->nbuckets; i++)
		shared->buckets[i] = NONE;
	for (int i = 0; i < shared->nentries; i++)
	{
		entries[i].in_use = false;
		entries[i].next = i + 1 < shared->nentries ? i + 1 : NONE;
	}
	shared->free = shared->nentries > 0 ? 0 : NONE;
	shared->evictions = 0;
}

/*
 * Finds the parts of the shared memory, and initialises them in the process that creates
 * it.
 */
static void
stats_attach(void *addr, Size size, bool found)
{
	shared = addr;
	entries = (StatEntry *) ((char *) addr + buckets_size());
	eviction_order = (int32 *) ((char *) entries + entries_size());
	if (!found)
	{
		shared->tranche = LWLockNewTrancheId();
		LWLockInitialize(&shared->lock, shared->tranche);
		shared->nentries = corm_stat_max;
		shared->nbuckets = bucket_count();
		shared->reset_at = GetCurrentTimestamp();
		for (int i = 0; i < shared->nentries; i++)
			SpinLockInit(&entries[i].mutex);
		clear_entries();
	}
	LWLockRegisterTranche(shared->tranche, "CormStats");
}

static const CormSharedPart stats_part = {
	.name = "corm statistics",
	.size = stats_size,
	.attach = stats_attach,
};

/* corm_stats_init asks for the memory, if the server is being started. */
void
corm_stats_init(void)
{
	corm_shared_add(&stats_part);
}

/*
 * Entries; the lock is held
 */

static uint32
key_bucket(const StatKey *key)
{
	return hash_bytes((const unsigned char *) key, sizeof(StatKey)) & (shared->nbuckets - 1);
}

static StatEntry *
find_entry(const StatKey *key, uint32 bucket)
{
	for (int32 i = shared->buckets[bucket]; i != NONE; i = entries[i].next)
		if (memcmp(&entries[i].key, key, sizeof(StatKey)) == 0)
			return &entries[i];
	return NULL;
}

static void
unlink_entry(int32 victim)
{
	int32	   *link = &shared->buckets[key_bucket(&entries[victim].key)];

	while (*link != victim)
		link = &entries[*link].next;
	*link = entries[victim].next;
	entries[victim].in_use = false;
	entries[victim].next = shared->free;
	shared->free = victim;
}

static int
compare_usage(const void *a, const void *b)
{
	double		x = entries[*(const int32 *) a].counters.usage;
	double		y = entries[*(const int32 *) b].counters.usage;

	return x < y ? -1 : x > y;
}

/*
 * Removes the least used entries; all are in use.
 */
static void
evict_entries(void)
{
	int			n = Max(1, (int) ((int64) shared->nentries * EVICT_PERCENT / 100));

	for (int32 i = 0; i < shared->nentries; i++)
	{
		entries[i].counters.usage *= USAGE_DECAY;
		eviction_order[i] = i;
	}
	qsort(eviction_order, shared->nentries, sizeof(int32), compare_usage);
	for (int i = 0; i < n; i++)
		unlink_entry(eviction_order[i]);
	shared->evictions += n;
}

/*
 * Makes an entry; the lock is held exclusively.
 */
static StatEntry *
add_entry(const StatKey *key, uint32 bucket)
{
	StatEntry  *entry;
	int32		i;

	if (shared->free == NONE)
		evict_entries();
	i = shared->free;
	entry = &entries[i];
	shared->free = entry->next;
	entry->key = *key;
	memset(&entry->counters, 0, sizeof(StatCounters));
	entry->model[0] = '\0';
	entry->encoding = GetDatabaseEncoding();
	entry->in_use = true;
	entry->next = shared->buckets[bucket];
	shared->buckets[bucket] = i;
	return entry;
}

/*
 * The histogram
 */

static int
histogram_bucket(uint64 ns)
{
	uint64		units = ns >> HIST_UNIT_SHIFT;
	int			octave;

	if (units < HIST_SUB)
		return (int) units;
	octave = pg_leftmost_one_pos64(units) - HIST_SUB_BITS;
	if (octave >= HIST_OCTAVES)
		return HIST_BUCKETS - 1;
	return (octave + 1) * HIST_SUB + (int) ((units >> octave) & (HIST_SUB - 1));
}

/* Where a bucket begins, in milliseconds. */
static double
bucket_start(int bucket)
{
	int			octave = bucket / HIST_SUB - 1;
	double		units;

	if (octave < 0)
		units = bucket;
	else
		units = ldexp(HIST_SUB + bucket % HIST_SUB, octave);
	return units * (1 << HIST_UNIT_SHIFT) / 1e6;
}

/*
 * Returns a percentile of the run times: the middle of the bucket where the given
 * fraction is reached, clamped to the observed minimum and maximum.
 */
static double
percentile(const StatCounters *counters, double part)
{
	uint64		total = 0;
	uint64		seen = 0;
	int			bucket;
	double		result;

	for (bucket = 0; bucket < HIST_BUCKETS; bucket++)
		total += counters->histogram[bucket];
	for (bucket = 0; bucket < HIST_BUCKETS - 1; bucket++)
	{
		seen += counters->histogram[bucket];
		if (seen >= part * total)
			break;
	}
	result = (bucket_start(bucket) + bucket_start(bucket + 1)) / 2;
	return Min(Max(result, counters->min), counters->max);
}

/*
 * Counting
 */

/*
 * Adds one run to the counters.  The caller holds the entry's spinlock.
 */
static void
count(StatCounters *counters, uint64 ns, uint64 rows, bool failed, bool plan_hit)
{
	double		ms = ns / 1e6;
	double		old_mean = counters->mean;

	counters->calls++;
	counters->rows += rows;
	counters->errors += failed ? 1 : 0;
	counters->plan_hits += plan_hit ? 1 : 0;
	counters->total += ms;
	counters->usage += 1;
	if (counters->calls == 1)
		counters->min = counters->max = ms;
	else
	{
		counters->min = Min(counters->min, ms);
		counters->max = Max(counters->max, ms);
	}
	counters->mean += (ms - old_mean) / counters->calls;
	counters->sum_var += (ms - old_mean) * (ms - counters->mean);
	counters->histogram[histogram_bucket(ns)]++;
}

/*
 * corm_stats_begin notes in *stats what corm_stats_end needs of the beginning of a
 * run.
 */
void
corm_stats_begin(CormStats *stats)
{
	stats->active = shared != NULL && corm_track_queries;
	if (!stats->active)
		return;
	stats->plan_misses = corm_plan_misses();

	/*
	 * save it now: on error, corm_stats_end may run before the user ID is
	 * restored
	 */
	stats->user = GetUserId();
	INSTR_TIME_SET_CURRENT(stats->start);
}

/*
 * Finds or makes an entry and returns it with its spinlock and the lock held.  model is
 * the model's name, which it may have had another one; NULL: none.  Does not raise.
 */
static StatEntry *
lock_entry(Oid user, CormCommand command, Oid model_oid, const char *model)
{
	StatKey		key;
	StatEntry  *entry;
	uint32		bucket;
	int			len;

	if (model == NULL)
		model = "";
	len = strlen(model);
	if (len >= sizeof(entry->model))
		len = pg_mbcliplen(model, len, sizeof(entry->model) - 1);

	memset(&key, 0, sizeof(key));
	key.database = MyDatabaseId;
	key.user = user;
	key.model = model_oid;
	key.command = command;
	bucket = key_bucket(&key);

	LWLockAcquire(&shared->lock, LW_SHARED);
	entry = find_entry(&key, bucket);
	if (entry == NULL)
	{
		LWLockRelease(&shared->lock);
		LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
		entry = find_entry(&key, bucket);
		if (entry == NULL)
			entry = add_entry(&key, bucket);
	}
	SpinLockAcquire(&entry->mutex);
	/* the model may have been renamed */
	if (strncmp(entry->model, model, len) != 0 || entry->model[len] != '\0')
	{
		memcpy(entry->model, model, len);
		entry->model[len] = '\0';
		entry->encoding = GetDatabaseEncoding();
	}
	return entry;
}

static void
unlock_entry(StatEntry *entry)
{
	SpinLockRelease(&entry->mutex);
	LWLockRelease(&shared->lock);
}

/*
 * corm_stats_end counts a run.  It does not raise, and may be called during error
 * recovery.
 */
void
corm_stats_end(CormStats *stats, CormCommand command, Oid model_oid, const char *model, uint64 rows,
			   bool failed)
{
	StatEntry  *entry;
	instr_time	duration;
	uint64		ns;
	bool		plan_hit;

	if (!stats->active)
		return;
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, stats->start);
	ns = corm_instr_time_ns(duration);
	plan_hit = stats->plan_misses == corm_plan_misses();
	entry = lock_entry(stats->user, command, model_oid, model);
	count(&entry->counters, ns, rows, failed, plan_hit);
	unlock_entry(entry);
}

/*
 * corm_stats_compiled counts an execution of a query that is a part of another statement,
 * whose time and rows are those of the statement.  Does not raise.
 */
void
corm_stats_compiled(Oid model_oid, const char *model)
{
	StatEntry  *entry;

	if (shared == NULL || !corm_track_queries)
		return;
	entry = lock_entry(GetUserId(), CORM_CMD_SELECT, model_oid, model);
	entry->counters.compiled++;
	entry->counters.usage += 1;
	unlock_entry(entry);
}

/*
 * Showing
 */

/*
 * Returns the buckets that are not empty, as a JSON array of objects.
 */
static Datum
histogram_to_json(const StatCounters *counters)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < HIST_BUCKETS; i++)
	{
		if (counters->histogram[i] == 0)
			continue;
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		corm_json_key(&state, "from");
		corm_push_value(&state, WJB_VALUE, FLOAT8OID, Float8GetDatum(bucket_start(i)));
		corm_json_key(&state, "to");
		corm_push_value(&state, WJB_VALUE, FLOAT8OID, Float8GetDatum(bucket_start(i + 1)));
		corm_json_key(&state, "calls");
		corm_json_integer(&state, WJB_VALUE, (int64) counters->histogram[i]);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

#define STAT_COLUMNS 18

/*
 * Adds an entry, which is a copy, to the rows of corm.stat_queries.
 */
static void
show_entry(const StatEntry *entry, Tuplestorestate *store, TupleDesc tupdesc)
{
	const StatCounters *c = &entry->counters;
	Datum		values[STAT_COLUMNS];
	bool		nulls[STAT_COLUMNS] = {false};
	int			i = 0;

	values[i++] = ObjectIdGetDatum(entry->key.database);
	values[i++] = ObjectIdGetDatum(entry->key.user);
	nulls[i] = entry->model[0] == '\0';
	values[i++] = CStringGetTextDatum(corm_any_to_server(entry->model, strlen(entry->model), entry->encoding));
	values[i++] = CStringGetTextDatum(corm_op_name(entry->key.command));
	values[i++] = Int64GetDatum(c->calls);
	values[i++] = Int64GetDatum(c->rows);
	values[i++] = Int64GetDatum(c->errors);
	values[i++] = Int64GetDatum(c->plan_hits);
	values[i++] = Int64GetDatum(c->compiled);
	values[i++] = Float8GetDatum(c->total);
	values[i++] = Float8GetDatum(c->min);
	values[i++] = Float8GetDatum(c->max);
	values[i++] = Float8GetDatum(c->mean);
	values[i++] = Float8GetDatum(c->calls > 1 ? sqrt(c->sum_var / c->calls) : 0.0);
	values[i++] = Float8GetDatum(percentile(c, 0.50));
	values[i++] = Float8GetDatum(percentile(c, 0.95));
	values[i++] = Float8GetDatum(percentile(c, 0.99));
	values[i++] = histogram_to_json(c);
	Assert(i == STAT_COLUMNS);
	tuplestore_putvalues(store, tupdesc, values, nulls);
}

/*
 * corm_list_stat_queries(): the entries that the user may see: the user's
 * own, all with the rights of pg_read_all_stats.
 */
Datum
corm_list_stat_queries(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	Tuplestorestate *store;
	bool		see_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
	StatEntry  *copies;
	int			ncopies = 0;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	store = corm_begin_set(fcinfo, tupdesc);
	if (shared == NULL)
		return (Datum) 0;

	copies = palloc_extended(mul_size(shared->nentries, sizeof(StatEntry)), MCXT_ALLOC_HUGE);
	LWLockAcquire(&shared->lock, LW_SHARED);
	for (int i = 0; i < shared->nentries; i++)
	{
		StatEntry  *entry = &entries[i];

		if (!entry->in_use || (!see_all && entry->key.user != GetUserId()))
			continue;
		SpinLockAcquire(&entry->mutex);
		memcpy(&copies[ncopies++], entry, sizeof(StatEntry));
		SpinLockRelease(&entry->mutex);
	}
	LWLockRelease(&shared->lock);

	for (int i = 0; i < ncopies; i++)
	{
		CHECK_FOR_INTERRUPTS();
		show_entry(&copies[i], store, tupdesc);
	}
	return (Datum) 0;
}

/* corm_stat_reset(): forgets all statistics */
Datum
corm_stat_reset(PG_FUNCTION_ARGS)
{
	if (shared)
	{
		TimestampTz now = GetCurrentTimestamp();

		LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
		clear_entries();
		shared->reset_at = now;
		LWLockRelease(&shared->lock);
	}
	PG_RETURN_VOID();
}

/* corm_stat_info(): how full the memory is */
Datum
corm_stat_info(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	Datum		values[4];
	bool		nulls[4] = {false};
	int64		used = 0;
	uint64		evictions;
	TimestampTz reset_at;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (shared == NULL)
		PG_RETURN_NULL();
	LWLockAcquire(&shared->lock, LW_SHARED);
	for (int i = 0; i < shared->nentries; i++)
		used += entries[i].in_use ? 1 : 0;
	evictions = shared->evictions;
	reset_at = shared->reset_at;
	LWLockRelease(&shared->lock);

	values[0] = Int64GetDatum(used);
	values[1] = Int64GetDatum(shared->nentries);
	values[2] = Int64GetDatum((int64) evictions);
	values[3] = TimestampTzGetDatum(reset_at);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls));
}
