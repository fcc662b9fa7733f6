/*-------------------------------------------------------------------------
 *
 * durable.c
 *		Durable topics: their messages as rows.
 *
 * The messages of all durable topics of a database are in three tables, and so are
 * the settlements of their groups.  One of each is current and takes the new rows;
 * when it is large enough the next one becomes current, after what was in that is
 * emptied (rotate.c).  No row is updated or deleted when a message is delivered, so
 * there are no dead rows but those of transactions that were rolled back.
 *
 *		corm.topic_messages_0, _1, _2		key (topic_id, seq)
 *		corm.topic_settled_0, _1, _2		ranges of numbers, by group and epoch
 *		corm.topic_cursors					for each group: all before is settled
 *		corm.topic_state					for each topic: its last number
 *		corm.topic_rotation					which tables are current
 *
 * Numbers.  A transaction inserts its messages just before it commits, with a lock on
 * the topic that it keeps until its rows are visible.  So numbers follow the order in
 * which commits become visible, and have no gaps; a reader that sees a number sees all
 * before it, and no slow transaction can commit a smaller one later.
 *
 * Settling.  A transaction that receives inserts the numbers that it got, in ranges.
 * They are settled if it commits, and were never there if it is rolled back, to a
 * savepoint too.  A seek gives the group a new epoch: settlements of older ones do
 * not count any more (durable_settled.c).
 *
 * What is in hand, and how often a message was handed out, is in shared memory only
 * (group.c).  After a start of the server it is made anew from the tables, when the
 * topic is first used (durable_load.c).
 *
 * Rows are read with a snapshot of now, whatever the isolation level: numbers come
 * from shared memory, which is ahead of the transaction's snapshot.  Users have no
 * rights on these tables; all is done here, after the checks of the callers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/heaptoast.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "work/topic/durable.h"
#include "work/topic/durable_tables.h"

/* So many messages, or messages of so many bytes, are inserted at a time. */
#define INSERT_BATCH	64
#define INSERT_BYTES	(1024 * 1024)

/* corm_durable_lock takes the lock of a topic whose publishers number their messages, until the end of the transaction. */
void
corm_durable_lock(uint64 topic_id)
{
	LOCKTAG		tag;

	corm_durable_tag(&tag, topic_id, 1);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* corm_durable_lock_group takes the lock of a group whose messages are looked at one after the other. */
void
corm_durable_lock_group(uint64 group_id)
{
	LOCKTAG		tag;

	corm_durable_tag(&tag, group_id, 2);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* corm_durable_unlock_group releases that lock. */
void
corm_durable_unlock_group(uint64 group_id)
{
	LOCKTAG		tag;

	corm_durable_tag(&tag, group_id, 2);
	(void) LockRelease(&tag, ExclusiveLock, false);
}

/* text_or_null sets a text column, NULL for a negative length. */
static void
set_text(Datum *values, bool *nulls, int attnum, const char *data, int32 len)
{
	nulls[attnum - 1] = len < 0;
	if (len >= 0)
		values[attnum - 1] = PointerGetDatum(cstring_to_text_with_len(data, len));
}

/* How a type is written in rows; for the next message, the type is mostly the same. */
typedef struct KnownType
{
	Oid			type;
	text	   *name;
} KnownType;

/* fill_message sets the columns of a message; name->name is to outlive the slots. */
static void
fill_message(TupleTableSlot *slot, uint64 topic_id, int64 seq, TimestampTz now, const CormDurableMessage *durable,
			 KnownType *name, MemoryContext outer)
{
	const CormOutgoing *message = &durable->message;
	Datum	   *values = slot->tts_values;
	bool	   *nulls = slot->tts_isnull;

	if (name->name == NULL || name->type != message->type)
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(outer);

		name->type = message->type;
		name->name = cstring_to_text(format_type_be_qualified(message->type));
		MemoryContextSwitchTo(oldcontext);
	}
	memset(values, 0, Natts_topic_messages * sizeof(Datum));
	memset(nulls, 0, Natts_topic_messages * sizeof(bool));
	values[Anum_topic_messages_topic_id - 1] = Int64GetDatum((int64) topic_id);
	values[Anum_topic_messages_seq - 1] = Int64GetDatum(seq);
	values[Anum_topic_messages_published_at - 1] = TimestampTzGetDatum(now);
	values[Anum_topic_messages_due - 1] = TimestampTzGetDatum(durable->due);
	nulls[Anum_topic_messages_due - 1] = durable->due == 0;
	set_text(values, nulls, Anum_topic_messages_key, message->key, message->key_len);
	nulls[Anum_topic_messages_headers - 1] = message->headers_len < 0;
	if (message->headers_len >= 0)
		values[Anum_topic_messages_headers - 1] = corm_message_headers(message);
	values[Anum_topic_messages_type - 1] = PointerGetDatum(name->name);
	set_text(values, nulls, Anum_topic_messages_payload, message->payload, message->payload_len);
	set_text(values, nulls, Anum_topic_messages_dedup_id, durable->dedup_id,
			 durable->dedup_id != NULL ? (int32) strlen(durable->dedup_id) : -1);
	ExecStoreVirtualTuple(slot);
}

/* Messages that are being inserted, of one topic or several. */
struct CormDurableInsert
{
	Relation	rel;
	bool		pushed;			/* a snapshot, as before a commit there is none */
	CatalogIndexState indexes;
	TimestampTz now;
	MemoryContext outer;		/* of this and what lasts as long */
	MemoryContext context;		/* of the values of a batch */
	KnownType	name;
	TupleTableSlot *slots[INSERT_BATCH];
	int			nslots;			/* that have been made */
	int			n;				/* that are filled */
	Size		len;			/* of their payloads */
};

/* corm_durable_insert_begin prepares to insert messages.  Returns what corm_durable_insert_end frees. */
CormDurableInsert *
corm_durable_insert_begin(void)
{
	CormDurableInsert *insert = palloc0(sizeof(CormDurableInsert));

	insert->pushed = !ActiveSnapshotSet();
	if (insert->pushed)
		PushActiveSnapshot(GetTransactionSnapshot());
	insert->rel = corm_durable_open_current("topic_messages");
	insert->indexes = CatalogOpenIndexes(insert->rel);
	insert->now = corm_clock_real();
	insert->outer = CurrentMemoryContext;
	insert->context = AllocSetContextCreate(CurrentMemoryContext, "corm durable messages", ALLOCSET_DEFAULT_SIZES);
	return insert;
}

/* flush inserts the messages that have been filled in. */
static void
flush(CormDurableInsert *insert)
{
	MemoryContext oldcontext;

	oldcontext = MemoryContextSwitchTo(insert->context);
	if (insert->n > 0)
		CatalogTuplesMultiInsertWithInfo(insert->rel, insert->slots, insert->n, insert->indexes);
	MemoryContextSwitchTo(oldcontext);
	for (int i = 0; i < insert->n; i++)
		ExecClearTuple(insert->slots[i]);
	MemoryContextReset(insert->context);
	insert->n = 0;
	insert->len = 0;
}

/*
 * add_message adds a message to those that are inserted together.  One that must be
 * toasted is inserted alone: the rows of a batch get their index entries by the place of
 * the tuple that was given, which is not the one that was stored then.
 */
static void
add_message(CormDurableInsert *insert, uint64 topic_id, int64 seq, const CormDurableMessage *message)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(insert->context);
	TupleTableSlot *slot = insert->slots[insert->n];
	HeapTuple	tuple;

	fill_message(slot, topic_id, seq, insert->now, message, &insert->name, insert->outer);
	tuple = ExecFetchSlotHeapTuple(slot, true, NULL);
	if (tuple->t_len > TOAST_TUPLE_THRESHOLD)
	{
		CatalogTupleInsertWithInfo(insert->rel, tuple, insert->indexes);
		ExecClearTuple(slot);
	}
	else
		insert->n++;
	insert->len += message->message.payload_len;
	MemoryContextSwitchTo(oldcontext);
}

/*
 * corm_durable_insert inserts messages of a topic, numbered from first_seq on, at once
 * or by the end.  The caller has the topic's lock.
 */
void
corm_durable_insert(CormDurableInsert *insert, uint64 topic_id, int64 first_seq, const CormDurableMessage *messages, int n)
{
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (insert->n == INSERT_BATCH || insert->len >= INSERT_BYTES)
			flush(insert);
		if (insert->n == insert->nslots)
			insert->slots[insert->nslots++] = MakeSingleTupleTableSlot(RelationGetDescr(insert->rel), &TTSOpsHeapTuple);
		add_message(insert, topic_id, first_seq + i, &messages[i]);
	}
}

/* corm_durable_insert_end inserts what is left. */
void
corm_durable_insert_end(CormDurableInsert *insert)
{
	flush(insert);
	for (int i = 0; i < insert->nslots; i++)
		ExecDropSingleTupleTableSlot(insert->slots[i]);
	CatalogCloseIndexes(insert->indexes);
	MemoryContextDelete(insert->context);
	table_close(insert->rel, NoLock);
	if (insert->pushed)
		PopActiveSnapshot();
	pfree(insert);
}

/*
 * type_of returns the type of that name, which may be gone: InvalidOid.  What was found
 * last is remembered in *known, in a memory context that outlives it.
 */
static Oid
type_of(text *name, KnownType *known, MemoryContext outer)
{
	LOCAL_FCINFO(fcinfo, 1);
	Datum		type;

	if (known->name != NULL && VARSIZE_ANY_EXHDR(known->name) == VARSIZE_ANY_EXHDR(name) &&
		memcmp(VARDATA_ANY(known->name), VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0)
		return known->type;
	known->name = (text *) MemoryContextAlloc(outer, VARSIZE_ANY(name));
	memcpy(known->name, name, VARSIZE_ANY(name));
	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = PointerGetDatum(name);
	fcinfo->args[0].isnull = false;
	type = to_regtype(fcinfo);
	known->type = fcinfo->isnull ? InvalidOid : DatumGetObjectId(type);
	return known->type;
}

/* The messages of a range of numbers, found in the tables. */
typedef struct Found
{
	int64		first;
	int			n;
	HeapTuple  *tuples;			/* copies; NULL: not there */
	TupleDesc	desc;
} Found;

/* find_range reads the rows of a topic with numbers from first to last. */
static void
find_range(CormDurableTables *tables, uint64 topic_id, int64 first, int64 last, Found *found)
{
	found->first = first;
	found->n = last - first + 1;
	found->tuples = palloc0(found->n * sizeof(HeapTuple));
	found->desc = RelationGetDescr(tables->rel[0]);
	for (int t = 0, left = found->n; t < CORM_DURABLE_TABLES && left > 0; t++)
	{
		Relation	rel = tables->rel[t];
		SysScanDesc scan = corm_durable_begin_range(rel, tables->snapshot, topic_id, first, last);
		HeapTuple	tuple;

		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			bool		isnull;
			int64		seq = DatumGetInt64(heap_getattr(tuple, Anum_topic_messages_seq, RelationGetDescr(rel), &isnull));

			CHECK_FOR_INTERRUPTS();
			if (found->tuples[seq - first] == NULL)
				left--;
			found->tuples[seq - first] = heap_copytuple(tuple);
		}
		systable_endscan(scan);
	}
}

/* append_message writes a message, from its row, to a take that has been emptied; it grows as needed. */
static void
append_message(CormTake *take, const CormTaken *head, HeapTuple tuple, TupleDesc desc, TimestampTz *due, KnownType *known,
			   MemoryContext outer)
{
	Datum		values[Natts_topic_messages];
	bool		nulls[Natts_topic_messages];
	CormTaken	taken = *head;
	text	   *key = NULL;
	struct varlena *headers = NULL;
	text	   *payload = NULL;
	char	   *at;
	Size		size;

	taken.key_len = taken.headers_len = -1;
	*due = 0;
	if (tuple != NULL)
	{
		heap_deform_tuple(tuple, desc, values, nulls);
		taken.published_at = DatumGetTimestampTz(values[Anum_topic_messages_published_at - 1]);
		if (!nulls[Anum_topic_messages_due - 1])
			*due = DatumGetTimestampTz(values[Anum_topic_messages_due - 1]);
		taken.type = type_of(DatumGetTextPP(values[Anum_topic_messages_type - 1]), known, outer);
		if (!nulls[Anum_topic_messages_key - 1])
		{
			key = DatumGetTextPP(values[Anum_topic_messages_key - 1]);
			taken.key_len = VARSIZE_ANY_EXHDR(key);
		}
		if (!nulls[Anum_topic_messages_headers - 1])
		{
			headers = PG_DETOAST_DATUM_PACKED(values[Anum_topic_messages_headers - 1]);
			taken.headers_len = VARSIZE_ANY_EXHDR(headers);
		}
		payload = DatumGetTextPP(values[Anum_topic_messages_payload - 1]);
		taken.payload_len = VARSIZE_ANY_EXHDR(payload);
	}
	size = CORM_TAKEN_SIZE(&taken);
	if (take->used + size > take->size)
	{
		take->size = Max(take->size * 2, take->used + size);
		take->buf = repalloc_huge(take->buf, take->size);
	}
	at = take->buf + take->used;
	memcpy(at, &taken, sizeof(CormTaken));
	at += sizeof(CormTaken);
	if (key != NULL)
		memcpy(at, VARDATA_ANY(key), taken.key_len);
	at += Max(taken.key_len, 0);
	if (headers != NULL)
		memcpy(at, VARDATA_ANY(headers), taken.headers_len);
	at += Max(taken.headers_len, 0);
	if (payload != NULL)
		memcpy(at, VARDATA_ANY(payload), taken.payload_len);
	take->used += size;
}

/*
 * corm_durable_fetch completes a take, in which there are only the numbers of messages,
 * in order within runs, with what the rows say.  due[i] becomes when message i is due,
 * 0 for at once; found[i] whether its row is there.
 */
void
corm_durable_fetch(uint64 topic_id, CormTake *take, TimestampTz *due, bool *found)
{
	int			n = take->n;
	CormTaken  *heads = palloc(Max(n, 1) * sizeof(CormTaken));
	CormDurableTables tables;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "corm durable messages",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcontext;
	KnownType	known = {0};

	for (int i = 0; i < n; i++)
		memcpy(&heads[i], take->buf + i * MAXALIGN(sizeof(CormTaken)), sizeof(CormTaken));
	take->used = 0;
	corm_durable_open_all(&tables, "topic_messages");
	oldcontext = MemoryContextSwitchTo(context);
	for (int i = 0; i < n;)
	{
		Found		range;
		int			run = 1;

		while (i + run < n && heads[i + run].seq == heads[i].seq + run)
			run++;
		find_range(&tables, topic_id, heads[i].seq, heads[i].seq + run - 1, &range);
		for (int k = 0; k < run; k++)
		{
			found[i + k] = range.tuples[k] != NULL;
			append_message(take, &heads[i + k], range.tuples[k], range.desc, &due[i + k], &known, oldcontext);
		}
		MemoryContextReset(context);
		i += run;
	}
	MemoryContextSwitchTo(oldcontext);
	MemoryContextDelete(context);
	corm_durable_close_all(&tables);
	pfree(heads);
}

/* corm_durable_seq_at_time returns the number of the first message of a topic published at or after a time, PG_INT64_MAX for none. */
int64
corm_durable_seq_at_time(uint64 topic_id, TimestampTz time)
{
	int64		found = PG_INT64_MAX;
	CormDurableTables tables;

	corm_durable_open_all(&tables, "topic_messages");
	for (int t = 0; t < CORM_DURABLE_TABLES; t++)
	{
		Relation	rel = tables.rel[t];
		SysScanDesc scan = corm_durable_begin_range(rel, tables.snapshot, topic_id, 0, PG_INT64_MAX);
		HeapTuple	tuple;

		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			bool		isnull;
			int64		seq = DatumGetInt64(heap_getattr(tuple, Anum_topic_messages_seq, RelationGetDescr(rel), &isnull));

			CHECK_FOR_INTERRUPTS();
			if (DatumGetTimestampTz(heap_getattr(tuple, Anum_topic_messages_published_at, RelationGetDescr(rel), &isnull)) >= time)
				found = Min(found, seq);
		}
		systable_endscan(scan);
	}
	corm_durable_close_all(&tables);
	return found;
}

/*
 * corm_durable_first_seq returns the smallest number of a topic that is there, otherwise if none is.  What is in a table only
 * that is going to be emptied does not count.
 */
int64
corm_durable_first_seq(uint64 topic_id, int64 otherwise)
{
	int64		first = otherwise;
	CormDurableRotation rotation;
	CormDurableTables tables;

	corm_durable_open_all(&tables, "topic_messages");
	corm_durable_rotation(&rotation);
	for (int t = 0; t < CORM_DURABLE_TABLES; t++)
	{
		Relation	rel = tables.rel[t];
		Relation	index;
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		if (rotation.drained != 0 && t == rotation.next)
			continue;
		index = index_open(corm_durable_index(rel), AccessShareLock);

		ScanKeyInit(&key, Anum_topic_messages_topic_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum((int64) topic_id));
		scan = systable_beginscan_ordered(rel, index, tables.snapshot, 1, &key);
		if (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
		{
			bool		isnull;

			first = Min(first, DatumGetInt64(heap_getattr(tuple, Anum_topic_messages_seq, RelationGetDescr(rel), &isnull)));
		}
		systable_endscan_ordered(scan);
		index_close(index, AccessShareLock);
	}
	corm_durable_close_all(&tables);
	return first;
}

/* corm_durable_published_at returns when a message was published.  Returns false if its row is not there. */
bool
corm_durable_published_at(uint64 topic_id, int64 seq, TimestampTz *time)
{
	CormDurableTables tables;
	Found		found;
	bool		isnull;

	corm_durable_open_all(&tables, "topic_messages");
	find_range(&tables, topic_id, seq, seq, &found);
	if (found.tuples[0] != NULL)
		*time = DatumGetTimestampTz(heap_getattr(found.tuples[0], Anum_topic_messages_published_at, found.desc, &isnull));
	corm_durable_close_all(&tables);
	return found.tuples[0] != NULL;
}
