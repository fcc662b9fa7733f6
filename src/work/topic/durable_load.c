/*-------------------------------------------------------------------------
 *
 * durable_load.c
 *		What the rows of a durable topic say when it is put into shared memory.
 *
 * The last number, the ids that are remembered, where the cursors of its groups are and
 * what is not settled before them, and how many bytes its messages have.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/clock.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "work/topic/durable.h"
#include "work/topic/durable_tables.h"

/* A range of numbers that a group has settled. */
typedef struct Range
{
	int64		first;
	int64		last;
} Range;

typedef struct Ranges
{
	int			n;
	int			size;
	Range	   *ranges;
} Ranges;

static int
by_first(const void *a, const void *b)
{
	int64		x = ((const Range *) a)->first;
	int64		y = ((const Range *) b)->first;

	return x < y ? -1 : x > y;
}

/* read_settled reads what groups have settled after their cursors, from all tables. */
static void
read_settled(const CormGroupSeed *seeds, int nseeds, Ranges *ranges)
{
	CormDurableTables tables;

	corm_durable_open_all(&tables, "topic_settled");
	for (int t = 0; t < CORM_DURABLE_TABLES; t++)
	{
		Relation	rel = tables.rel[t];
		SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, tables.snapshot, 0, NULL);
		HeapTuple	tuple;

		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			Datum		values[Natts_topic_settled];
			bool		nulls[Natts_topic_settled];

			CHECK_FOR_INTERRUPTS();
			heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
			for (int g = 0; g < nseeds; g++)
			{
				Ranges	   *of = &ranges[g];

				if (seeds[g].id != (uint64) DatumGetInt64(values[Anum_topic_settled_group_id - 1]) ||
					seeds[g].epoch != (uint64) DatumGetInt64(values[Anum_topic_settled_epoch - 1]) ||
					DatumGetInt64(values[Anum_topic_settled_last_seq - 1]) < seeds[g].next_seq)
					continue;
				if (of->n == of->size)
				{
					of->size = Max(of->size * 2, 64);
					of->ranges = of->ranges == NULL ? palloc(of->size * sizeof(Range)) :
						repalloc_huge(of->ranges, of->size * sizeof(Range));
				}
				of->ranges[of->n].first = DatumGetInt64(values[Anum_topic_settled_first_seq - 1]);
				of->ranges[of->n++].last = DatumGetInt64(values[Anum_topic_settled_last_seq - 1]);
			}
		}
		systable_endscan(scan);
	}
	corm_durable_close_all(&tables);
}

/*
 * place_cursor moves the cursor of a group past what it has settled, and notes which
 * messages before it are not settled.
 */
static void
place_cursor(CormGroupSeed *seed, Ranges *ranges)
{
	int			size = 0;

	if (ranges->n > 0)
		qsort(ranges->ranges, ranges->n, sizeof(Range), by_first);
	for (int i = 0; i < ranges->n; i++)
	{
		for (; seed->next_seq < ranges->ranges[i].first; seed->next_seq++)
		{
			CHECK_FOR_INTERRUPTS();
			if (seed->nunsettled == size)
			{
				size = Max(size * 2, 64);
				seed->unsettled = seed->unsettled == NULL ? palloc(size * sizeof(int64)) :
					repalloc_huge(seed->unsettled, size * sizeof(int64));
			}
			seed->unsettled[seed->nunsettled++] = seed->next_seq;
		}
		seed->next_seq = Max(seed->next_seq, ranges->ranges[i].last + 1);
	}
}

/*
 * drop_surplus settles what a group of a topic that drops its oldest messages has no room for.  What was dropped is not
 * stored, so this may be less than was: then some come again.
 */
static void
drop_surplus(CormGroupSeed *seed, const CormTopicRef *topic, int64 last_seq)
{
	int32		capacity = seed->settings.capacity > 0 ? seed->settings.capacity : topic->settings.capacity;
	int64		surplus = seed->nunsettled + (last_seq - seed->next_seq + 1) - capacity;
	int			n = (int) Max(Min(surplus, seed->nunsettled), 0);

	if (topic->settings.overflow != CORM_OVERFLOW_DROP_OLDEST || surplus <= 0)
		return;
	if (n > 0)
		memmove(seed->unsettled, seed->unsettled + n, (seed->nunsettled - n) * sizeof(int64));
	seed->nunsettled -= n;
	seed->next_seq += surplus - n;
}

/* read_state reads the last number of a topic from its row, 0 if it has none. */
static int64
read_state(uint64 topic_id)
{
	Relation	rel = corm_durable_open("topic_state", -1, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int64		last = 0;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum((int64) topic_id));
	scan = systable_beginscan(rel, corm_durable_index(rel), true, snapshot, 1, &key);
	if (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;

		last = DatumGetInt64(heap_getattr(tuple, 2, RelationGetDescr(rel), &isnull));
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return last;
}

/* add_dedup notes the id of a message if it is remembered still. */
static void
add_dedup(CormDurableState *state, HeapTuple tuple, TupleDesc desc, TimestampTz since)
{
	bool		isnull;
	TimestampTz time = DatumGetTimestampTz(heap_getattr(tuple, Anum_topic_messages_published_at, desc, &isnull));
	Datum		id = heap_getattr(tuple, Anum_topic_messages_dedup_id, desc, &isnull);

	if (isnull || time <= since)
		return;
	if (state->ndedup % 64 == 0)
	{
		Size		size = state->ndedup + 64;

		state->dedup_ids = state->ndedup == 0 ? palloc(size * sizeof(char *)) :
			repalloc_huge(state->dedup_ids, size * sizeof(char *));
		state->dedup_times = state->ndedup == 0 ? palloc(size * sizeof(TimestampTz)) :
			repalloc_huge(state->dedup_times, size * sizeof(TimestampTz));
	}
	state->dedup_ids[state->ndedup] = TextDatumGetCString(id);
	state->dedup_times[state->ndedup++] = time;
}

/* read_numbers finds the first and last numbers of a topic, and the ids that it remembers. */
static void
read_numbers(const CormTopicRef *topic, CormDurableState *state)
{
	CormDurableTables tables;
	CormDurableRotation rotation;
	int64		first = PG_INT64_MAX;
	TimestampTz since = topic->settings.dedup > 0 ? corm_clock_real() - topic->settings.dedup : PG_INT64_MAX;

	corm_durable_open_all(&tables, "topic_messages");
	corm_durable_rotation(&rotation);
	for (int t = 0; t < CORM_DURABLE_TABLES; t++)
	{
		Relation	rel = tables.rel[t];
		SysScanDesc scan;
		HeapTuple	tuple;

		/* what is of use there has been copied */
		if (rotation.drained != 0 && t == rotation.next)
			continue;
		scan = corm_durable_begin_range(rel, tables.snapshot, topic->id, 0, PG_INT64_MAX);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			bool		isnull;
			int64		seq = DatumGetInt64(heap_getattr(tuple, Anum_topic_messages_seq, RelationGetDescr(rel), &isnull));

			CHECK_FOR_INTERRUPTS();
			first = Min(first, seq);
			state->last_seq = Max(state->last_seq, seq);
			if (topic->settings.dedup > 0)
				add_dedup(state, tuple, RelationGetDescr(rel), since);
		}
		systable_endscan(scan);
	}
	corm_durable_close_all(&tables);
	state->first_seq = Min(first, state->last_seq + 1);
}

/*
 * read_sizes finds out how many bytes the payloads of a topic's messages have, of numbers
 * from first to last; sizes[0] becomes that of first.
 */
static void
read_sizes(uint64 topic_id, int64 first, int64 last, int32 *sizes)
{
	CormDurableTables tables;

	corm_durable_open_all(&tables, "topic_messages");
	for (int t = 0; t < CORM_DURABLE_TABLES; t++)
	{
		Relation	rel = tables.rel[t];
		SysScanDesc scan = corm_durable_begin_range(rel, tables.snapshot, topic_id, first, last);
		HeapTuple	tuple;

		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			bool		isnull;
			int64		seq = DatumGetInt64(heap_getattr(tuple, Anum_topic_messages_seq, RelationGetDescr(rel), &isnull));
			Datum		payload = heap_getattr(tuple, Anum_topic_messages_payload, RelationGetDescr(rel), &isnull);

			CHECK_FOR_INTERRUPTS();
			/* nothing is detoasted for that */
			sizes[seq - first] = isnull ? 0 : toast_raw_datum_size(payload) - VARHDRSZ;
		}
		systable_endscan(scan);
	}
	corm_durable_close_all(&tables);
}

/* allocate_sizes returns room for the sizes of n messages, set to 0. */
static int32 *
allocate_sizes(int64 n)
{
	return palloc_extended(Max(n, 1) * sizeof(int32), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/*
 * mark_sizes adds marks for the messages of a topic from one number to another, which
 * follow the last mark.  Returns the sum of the payloads up to the end.
 */
static int64
mark_sizes(uint64 topic_id, int64 max_bytes, CormByteMarks *marks, int64 from, int64 upto)
{
	int64		bytes = marks->mark[marks->n - 1].bytes;
	int32	   *sizes = allocate_sizes(upto - from + 1);

	read_sizes(topic_id, from, upto, sizes);
	for (int64 seq = from; seq <= upto; seq++)
	{
		CHECK_FOR_INTERRUPTS();
		bytes += sizes[seq - from];
		if (bytes - marks->mark[marks->n - 1].bytes < corm_marks_stride(marks, bytes, max_bytes))
			continue;
		if (corm_marks_full(marks))
			corm_marks_thin(marks, from, max_bytes);
		corm_marks_add(marks, seq, bytes);
	}
	pfree(sizes);
	return bytes;
}

/*
 * corm_durable_know_bytes makes sure that the topic's marks begin before a number, which
 * is going to be the oldest one that a group has not settled.  known, if there is one, gets
 * the marks from there on; they can be added again if others are thinned out before it is.
 */
void
corm_durable_know_bytes(int slot, uint64 gen, uint64 topic_id, int64 seq, CormByteMarks *known)
{
	CormByteMarks *marks = &corm_topic_at(slot)->marks;
	CormByteMarks front;
	CormByteMark first;
	int64		max_bytes;
	int64		bytes;
	int			before;

	corm_marks_init(&front, PG_INT64_MAX, 0);
	if (known != NULL)
		*known = front;
	if (!corm_topic_lock(slot, gen))
		return;
	first = marks->mark[0];
	max_bytes = corm_topic_at(slot)->settings.max_bytes;
	seq = Max(seq, corm_topic_at(slot)->first_seq);
	before = corm_marks_before(marks, seq);
	if (known != NULL && seq > first.seq)
	{
		known->n = marks->n - before;
		memcpy(known->mark, marks->mark + before, known->n * sizeof(CormByteMark));
	}
	corm_topic_unlock(slot);
	if (seq > first.seq)
		return;

	corm_marks_init(&front, seq - 1, 0);
	bytes = mark_sizes(topic_id, max_bytes, &front, seq, first.seq);
	for (int i = 0; i < front.n; i++)
		front.mark[i].bytes += first.bytes - bytes;
	if (known != NULL)
		*known = front;
	if (corm_topic_lock(slot, gen))
	{
		corm_marks_add_front(marks, &front, max_bytes);
		corm_topic_unlock(slot);
	}
}

/*
 * corm_durable_load reads what the tables say of a topic and its groups.  The seeds,
 * which have ids, get their cursors.
 */
void
corm_durable_load(const CormTopicRef *topic, CormDurableState *state, CormGroupSeed *seeds, int nseeds)
{
	Ranges	   *ranges = palloc0(Max(nseeds, 1) * sizeof(Ranges));
	int64		purged = corm_durable_purged(topic->id);
	int64		oldest;

	memset(state, 0, sizeof(CormDurableState));
	state->last_seq = read_state(topic->id);
	oldest = state->last_seq + 1;
	read_numbers(topic, state);
	for (int g = 0; g < nseeds; g++)
	{
		int64		settled = state->last_seq;

		(void) corm_durable_cursor_get(seeds[g].id, &seeds[g].epoch, &settled, NULL);
		seeds[g].next_seq = Max(settled + 1, state->first_seq);
	}
	read_settled(seeds, nseeds, ranges);
	for (int g = 0; g < nseeds; g++)
	{
		place_cursor(&seeds[g], &ranges[g]);
		drop_surplus(&seeds[g], topic, state->last_seq);
	}
	for (int g = 0; g < nseeds; g++)
		oldest = Min(oldest, seeds[g].nunsettled > 0 ? seeds[g].unsettled[0] : seeds[g].next_seq);
	state->first_seq = Max(state->first_seq, Min(purged + 1, oldest));
	corm_marks_init(&state->marks, oldest - 1, 0);
	state->last_bytes = mark_sizes(topic->id, topic->settings.max_bytes, &state->marks, oldest, state->last_seq);
}
