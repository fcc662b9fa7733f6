/*-------------------------------------------------------------------------
 *
 * durable.c
 *		Durable topics: messages and settlements as rows.
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
 * not count any more.
 *
 * What is in hand, and how often a message was handed out, is in shared memory only
 * (group.c).  After a start of the server it is made anew from the tables, when the
 * topic is first used (corm_durable_load).
 *
 * Rows are read with a snapshot of now, whatever the isolation level: numbers come
 * from shared memory, which is ahead of the transaction's snapshot.  Users have no
 * rights on these tables; all is done here, after the checks of the callers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
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

#define TABLES		3

/* So many messages, or messages of so many bytes, are inserted at a time. */
#define INSERT_BATCH	64
#define INSERT_BYTES	(1024 * 1024)

#define Natts_topic_messages			9
#define Anum_topic_messages_topic_id	1
#define Anum_topic_messages_seq			2
#define Anum_topic_messages_published_at 3
#define Anum_topic_messages_due			4
#define Anum_topic_messages_key			5
#define Anum_topic_messages_headers		6
#define Anum_topic_messages_type		7
#define Anum_topic_messages_payload		8
#define Anum_topic_messages_dedup_id	9

#define Natts_topic_settled				4
#define Anum_topic_settled_group_id		1
#define Anum_topic_settled_epoch		2
#define Anum_topic_settled_first_seq	3
#define Anum_topic_settled_last_seq		4

#define Natts_topic_cursors				4
#define Anum_topic_cursors_group_id		1
#define Anum_topic_cursors_topic_id		2
#define Anum_topic_cursors_epoch		3
#define Anum_topic_cursors_settled		4

/* open_table opens one of corm's tables, by name and number (-1: none). */
static Relation
open_table(const char *name, int number, LOCKMODE mode)
{
	char		full[NAMEDATALEN];

	if (number >= 0)
		snprintf(full, sizeof(full), "%s_%d", name, number);
	else
		strlcpy(full, name, sizeof(full));
	return corm_catalog_require(full, mode, NULL);
}

/* index_of returns the primary key of a table, which is opened. */
static Oid
index_of(Relation rel)
{
	Oid			index = corm_primary_key_index(rel);

	if (!OidIsValid(index))
	{
		(void) RelationGetIndexList(rel);
		index = corm_primary_key_index(rel);
	}
	return index;
}

/* corm_durable_current returns the number of the tables that take new rows. */
int
corm_durable_current(void)
{
	Relation	rel = open_table("topic_rotation", -1, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	tuple = systable_getnext(scan);
	int			number = 0;

	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		number = DatumGetInt32(heap_getattr(tuple, 1, RelationGetDescr(rel), &isnull));
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return number;
}

/* set_tag fills the tag of a lock on a topic or group; kind says which. */
static void
set_tag(LOCKTAG *tag, uint64 id, uint16 kind)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, corm_catalog_oid("topic_definitions"), (uint32) (id ^ (id >> 32)), kind);
}

/* corm_durable_lock takes the lock of a topic whose publishers number their messages, until the end of the transaction. */
void
corm_durable_lock(uint64 topic_id)
{
	LOCKTAG		tag;

	set_tag(&tag, topic_id, 1);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* corm_durable_lock_group takes the lock of a group whose messages are looked at one after the other. */
void
corm_durable_lock_group(uint64 group_id)
{
	LOCKTAG		tag;

	set_tag(&tag, group_id, 2);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* corm_durable_unlock_group releases that lock. */
void
corm_durable_unlock_group(uint64 group_id)
{
	LOCKTAG		tag;

	set_tag(&tag, group_id, 2);
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
	insert->rel = open_table("topic_messages", corm_durable_current(), RowExclusiveLock);
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

/* The three tables of a kind, opened for reading. */
typedef struct Tables
{
	Relation	rel[TABLES];
	Snapshot	snapshot;
} Tables;

/*
 * open_tables opens three tables, and takes a snapshot of now when all are locked: a
 * rotation that moves rows from one to another has either committed before, or waits.
 */
static void
open_tables(Tables *tables, const char *name)
{
	for (int t = 0; t < TABLES; t++)
		tables->rel[t] = open_table(name, t, AccessShareLock);
	tables->snapshot = RegisterSnapshot(GetLatestSnapshot());
}

/* close_tables closes them. */
static void
close_tables(Tables *tables)
{
	UnregisterSnapshot(tables->snapshot);
	for (int t = 0; t < TABLES; t++)
		table_close(tables->rel[t], AccessShareLock);
}

/* begin_range begins to look in a table for the messages of a topic with numbers from first to last. */
static SysScanDesc
begin_range(Relation rel, Snapshot snapshot, uint64 topic_id, int64 first, int64 last)
{
	ScanKeyData keys[3];

	ScanKeyInit(&keys[0], Anum_topic_messages_topic_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum((int64) topic_id));
	ScanKeyInit(&keys[1], Anum_topic_messages_seq, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(first));
	ScanKeyInit(&keys[2], Anum_topic_messages_seq, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(last));
	return systable_beginscan(rel, index_of(rel), true, snapshot, 3, keys);
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
find_range(Tables *tables, uint64 topic_id, int64 first, int64 last, Found *found)
{
	found->first = first;
	found->n = last - first + 1;
	found->tuples = palloc0(found->n * sizeof(HeapTuple));
	found->desc = RelationGetDescr(tables->rel[0]);
	for (int t = 0, left = found->n; t < TABLES && left > 0; t++)
	{
		Relation	rel = tables->rel[t];
		SysScanDesc scan = begin_range(rel, tables->snapshot, topic_id, first, last);
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
	Tables		tables;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "corm durable messages",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcontext;
	KnownType	known = {0};

	for (int i = 0; i < n; i++)
		memcpy(&heads[i], take->buf + i * MAXALIGN(sizeof(CormTaken)), sizeof(CormTaken));
	take->used = 0;
	open_tables(&tables, "topic_messages");
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
	close_tables(&tables);
	pfree(heads);
}

/* corm_durable_settle inserts what a group settles if the transaction commits: numbers in ascending order. */
void
corm_durable_settle(uint64 group_id, uint64 epoch, const int64 *seqs, int n)
{
	Relation	rel = open_table("topic_settled", corm_durable_current(), RowExclusiveLock);

	for (int i = 0; i < n;)
	{
		Datum		values[Natts_topic_settled];
		bool		nulls[Natts_topic_settled] = {false};
		int			run = 1;
		HeapTuple	tuple;

		while (i + run < n && seqs[i + run] == seqs[i] + run)
			run++;
		values[Anum_topic_settled_group_id - 1] = Int64GetDatum((int64) group_id);
		values[Anum_topic_settled_epoch - 1] = Int64GetDatum((int64) epoch);
		values[Anum_topic_settled_first_seq - 1] = Int64GetDatum(seqs[i]);
		values[Anum_topic_settled_last_seq - 1] = Int64GetDatum(seqs[i] + run - 1);
		tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
		CatalogTupleInsert(rel, tuple);
		heap_freetuple(tuple);
		i += run;
	}
	table_close(rel, NoLock);
}

/* find_cursor finds the row of a group in the table of cursors; a palloc'd copy, or NULL. */
static HeapTuple
find_cursor(Relation rel, uint64 group_id)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_topic_cursors_group_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum((int64) group_id));
	scan = systable_beginscan(rel, index_of(rel), true, snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return tuple;
}

/* corm_durable_cursor_get reads the row of a group.  Returns false if it has none. */
bool
corm_durable_cursor_get(uint64 group_id, uint64 *epoch, int64 *settled)
{
	Relation	rel = open_table("topic_cursors", -1, AccessShareLock);
	HeapTuple	tuple = find_cursor(rel, group_id);

	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		*epoch = (uint64) DatumGetInt64(heap_getattr(tuple, Anum_topic_cursors_epoch, RelationGetDescr(rel), &isnull));
		*settled = DatumGetInt64(heap_getattr(tuple, Anum_topic_cursors_settled, RelationGetDescr(rel), &isnull));
	}
	table_close(rel, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* corm_durable_cursor_set stores the row of a group: it has settled all numbers up to one, in an epoch. */
void
corm_durable_cursor_set(uint64 topic_id, uint64 group_id, uint64 epoch, int64 settled)
{
	Relation	rel = open_table("topic_cursors", -1, RowExclusiveLock);
	LOCKTAG		tag;
	HeapTuple	old;
	Datum		values[Natts_topic_cursors];
	bool		nulls[Natts_topic_cursors] = {false};
	HeapTuple	tuple;

	set_tag(&tag, group_id, 3);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	old = find_cursor(rel, group_id);
	values[Anum_topic_cursors_group_id - 1] = Int64GetDatum((int64) group_id);
	values[Anum_topic_cursors_topic_id - 1] = Int64GetDatum((int64) topic_id);
	values[Anum_topic_cursors_epoch - 1] = Int64GetDatum((int64) epoch);
	values[Anum_topic_cursors_settled - 1] = Int64GetDatum(settled);
	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	if (HeapTupleIsValid(old))
		CatalogTupleUpdate(rel, &old->t_self, tuple);
	else
		CatalogTupleInsert(rel, tuple);
	CommandCounterIncrement();
	table_close(rel, NoLock);
}

/* corm_durable_cursor_delete deletes the row of a group. */
void
corm_durable_cursor_delete(uint64 group_id)
{
	Relation	rel = open_table("topic_cursors", -1, RowExclusiveLock);
	HeapTuple	tuple = find_cursor(rel, group_id);

	if (HeapTupleIsValid(tuple))
		CatalogTupleDelete(rel, &tuple->t_self);
	table_close(rel, NoLock);
}

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
	Tables		tables;

	open_tables(&tables, "topic_settled");
	for (int t = 0; t < TABLES; t++)
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
	close_tables(&tables);
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

/* read_state reads the last number of a topic from its row, 0 if it has none. */
static int64
read_state(uint64 topic_id)
{
	Relation	rel = open_table("topic_state", -1, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int64		last = 0;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum((int64) topic_id));
	scan = systable_beginscan(rel, index_of(rel), true, snapshot, 1, &key);
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
	Tables		tables;
	int64		first = PG_INT64_MAX;
	TimestampTz since = topic->settings.dedup > 0 ? corm_clock_real() - topic->settings.dedup : PG_INT64_MAX;

	open_tables(&tables, "topic_messages");
	for (int t = 0; t < TABLES; t++)
	{
		Relation	rel = tables.rel[t];
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_topic_messages_topic_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum((int64) topic->id));
		scan = systable_beginscan(rel, index_of(rel), true, tables.snapshot, 1, &key);
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
	close_tables(&tables);
	state->first_seq = Min(first, state->last_seq + 1);
}

/*
 * read_sizes finds out how many bytes the payloads of a topic's messages have, of numbers
 * from first to last; sizes[0] becomes that of first.
 */
static void
read_sizes(uint64 topic_id, int64 first, int64 last, int32 *sizes)
{
	Tables		tables;

	open_tables(&tables, "topic_messages");
	for (int t = 0; t < TABLES; t++)
	{
		Relation	rel = tables.rel[t];
		SysScanDesc scan = begin_range(rel, tables.snapshot, topic_id, first, last);
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
	close_tables(&tables);
}

/* allocate_sizes returns room for the sizes of n messages, set to 0. */
static int32 *
allocate_sizes(int64 n)
{
	return palloc_extended(Max(n, 1) * sizeof(int32), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* mark_sizes marks how many bytes a topic has that is being loaded, from the oldest number that a group has not settled on. */
static void
mark_sizes(const CormTopicRef *topic, CormDurableState *state, const CormGroupSeed *seeds, int nseeds)
{
	int64		oldest = state->last_seq + 1;
	int32	   *sizes;

	for (int g = 0; g < nseeds; g++)
		oldest = Min(oldest, seeds[g].nunsettled > 0 ? seeds[g].unsettled[0] : seeds[g].next_seq);
	corm_marks_init(&state->marks, oldest - 1, 0);
	sizes = allocate_sizes(state->last_seq - oldest + 1);
	read_sizes(topic->id, oldest, state->last_seq, sizes);
	for (int64 seq = oldest; seq <= state->last_seq; seq++)
	{
		CHECK_FOR_INTERRUPTS();
		state->last_bytes += sizes[seq - oldest];
		if (state->last_bytes - state->marks.mark[state->marks.n - 1].bytes <
			corm_marks_stride(&state->marks, state->last_bytes, topic->settings.max_bytes))
			continue;
		if (corm_marks_full(&state->marks))
			corm_marks_thin(&state->marks, oldest);
		corm_marks_add(&state->marks, seq, state->last_bytes);
	}
	pfree(sizes);
}

/*
 * corm_durable_know_bytes makes sure that the topic's marks begin before a number, which
 * is going to be the oldest one that a group has not settled.  Returns the mark, which
 * can be added again if marks have been thinned out before it is.
 */
CormByteMark
corm_durable_know_bytes(int slot, uint64 gen, uint64 topic_id, int64 seq)
{
	CormByteMarks *marks = &corm_topic_at(slot)->marks;
	CormByteMark before = {PG_INT64_MAX, 0};
	CormByteMark first;
	int32	   *sizes;

	if (!corm_topic_lock(slot, gen))
		return before;
	first = marks->mark[0];
	seq = Max(seq, corm_topic_at(slot)->first_seq);
	before = corm_marks_before(marks, seq);
	corm_topic_unlock(slot);
	if (seq > first.seq)
		return before;
	before.seq = seq - 1;
	before.bytes = first.bytes;
	sizes = allocate_sizes(first.seq - seq + 1);
	read_sizes(topic_id, seq, first.seq, sizes);
	for (int64 i = 0; i <= first.seq - seq; i++)
		before.bytes -= sizes[i];
	pfree(sizes);
	if (corm_topic_lock(slot, gen))
	{
		corm_marks_add_first(marks, before.seq, before.bytes);
		corm_topic_unlock(slot);
	}
	return before;
}

/*
 * corm_durable_load reads what the tables say of a topic and its groups.  The seeds,
 * which have ids, get their cursors.
 */
void
corm_durable_load(const CormTopicRef *topic, CormDurableState *state, CormGroupSeed *seeds, int nseeds)
{
	Ranges	   *ranges = palloc0(Max(nseeds, 1) * sizeof(Ranges));

	memset(state, 0, sizeof(CormDurableState));
	state->last_seq = read_state(topic->id);
	read_numbers(topic, state);
	for (int g = 0; g < nseeds; g++)
	{
		int64		settled = state->last_seq;

		(void) corm_durable_cursor_get(seeds[g].id, &seeds[g].epoch, &settled);
		seeds[g].next_seq = Max(settled + 1, state->first_seq);
	}
	read_settled(seeds, nseeds, ranges);
	for (int g = 0; g < nseeds; g++)
		place_cursor(&seeds[g], &ranges[g]);
	mark_sizes(topic, state, seeds, nseeds);
}

/* corm_durable_seq_at_time returns the number of the first message of a topic published at or after a time, PG_INT64_MAX for none. */
int64
corm_durable_seq_at_time(uint64 topic_id, TimestampTz time)
{
	int64		found = PG_INT64_MAX;
	Tables		tables;

	open_tables(&tables, "topic_messages");
	for (int t = 0; t < TABLES; t++)
	{
		Relation	rel = tables.rel[t];
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_topic_messages_topic_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum((int64) topic_id));
		scan = systable_beginscan(rel, index_of(rel), true, tables.snapshot, 1, &key);
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
	close_tables(&tables);
	return found;
}

/* corm_durable_first_seq returns the smallest number of a topic that is there, otherwise if none is. */
int64
corm_durable_first_seq(uint64 topic_id, int64 otherwise)
{
	int64		first = otherwise;
	Tables		tables;

	open_tables(&tables, "topic_messages");
	for (int t = 0; t < TABLES; t++)
	{
		Relation	rel = tables.rel[t];
		Relation	index = index_open(index_of(rel), AccessShareLock);
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

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
	close_tables(&tables);
	return first;
}

/* corm_durable_published_at returns when a message was published.  Returns false if its row is not there. */
bool
corm_durable_published_at(uint64 topic_id, int64 seq, TimestampTz *time)
{
	Tables		tables;
	Found		found;
	bool		isnull;

	open_tables(&tables, "topic_messages");
	find_range(&tables, topic_id, seq, seq, &found);
	if (found.tuples[0] != NULL)
		*time = DatumGetTimestampTz(heap_getattr(found.tuples[0], Anum_topic_messages_published_at, found.desc, &isnull));
	close_tables(&tables);
	return found.tuples[0] != NULL;
}
