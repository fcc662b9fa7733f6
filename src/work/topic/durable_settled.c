/*-------------------------------------------------------------------------
 *
 * durable_settled.c
 *		What the groups of durable topics have settled, as rows.
 *
 * Ranges of numbers, each inserted by the transaction that settles them, and for each
 * group a cursor: all before it is settled, in an epoch.  A seek makes a new epoch; a
 * rotation moves cursors (rotate.c), so that tables can be emptied.  A topic that was purged has such a
 * row, too, by its own id: all before it is gone, though tables may still have it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "storage/lock.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "work/topic/durable.h"
#include "work/topic/durable_tables.h"

/* insert_range inserts a range of numbers that a group settles; none if it is empty. */
static void
insert_range(Relation rel, uint64 group_id, uint64 epoch, int64 first, int64 last)
{
	Datum		values[Natts_topic_settled];
	bool		nulls[Natts_topic_settled] = {false};
	HeapTuple	tuple;

	if (first > last)
		return;
	values[Anum_topic_settled_group_id - 1] = Int64GetDatum((int64) group_id);
	values[Anum_topic_settled_epoch - 1] = Int64GetDatum((int64) epoch);
	values[Anum_topic_settled_first_seq - 1] = Int64GetDatum(first);
	values[Anum_topic_settled_last_seq - 1] = Int64GetDatum(last);
	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	CatalogTupleInsert(rel, tuple);
	heap_freetuple(tuple);
}

/* corm_durable_settle inserts what a group settles if the transaction commits: numbers in ascending order. */
void
corm_durable_settle(uint64 group_id, uint64 epoch, const int64 *seqs, int n)
{
	Relation	rel = corm_durable_open_current("topic_settled");

	for (int i = 0; i < n;)
	{
		int			run = 1;

		while (i + run < n && seqs[i + run] == seqs[i] + run)
			run++;
		insert_range(rel, group_id, epoch, seqs[i], seqs[i] + run - 1);
		i += run;
	}
	table_close(rel, NoLock);
}

/*
 * corm_durable_settle_but inserts that a group settles all from first to last, if the transaction commits, but for
 * some numbers in ascending order.
 */
void
corm_durable_settle_but(uint64 group_id, uint64 epoch, int64 first, int64 last, const int64 *seqs, int n)
{
	Relation	rel = corm_durable_open_current("topic_settled");

	for (int i = 0; i < n; i++)
	{
		insert_range(rel, group_id, epoch, first, Min(seqs[i] - 1, last));
		first = Max(first, seqs[i] + 1);
	}
	insert_range(rel, group_id, epoch, first, last);
	table_close(rel, NoLock);
}

/*
 * corm_durable_cursor_lock takes the lock under which the row of a group is changed, to the end of the transaction.  What
 * the row says is to be read after that.  Returns false if it is not to wait, and somebody else has the lock.
 */
bool
corm_durable_cursor_lock(uint64 group_id, bool wait)
{
	LOCKTAG		tag;

	corm_durable_tag(&tag, group_id, 3);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
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
	scan = systable_beginscan(rel, corm_durable_index(rel), true, snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return tuple;
}

/*
 * corm_durable_cursor_get reads the row of a group.  Returns false if it has none.  *mine, if it is not NULL, becomes
 * whether this transaction has changed it.
 */
bool
corm_durable_cursor_get(uint64 group_id, uint64 *epoch, int64 *settled, bool *mine)
{
	Relation	rel = corm_durable_open("topic_cursors", -1, AccessShareLock);
	HeapTuple	tuple = find_cursor(rel, group_id);

	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		*epoch = (uint64) DatumGetInt64(heap_getattr(tuple, Anum_topic_cursors_epoch, RelationGetDescr(rel), &isnull));
		*settled = DatumGetInt64(heap_getattr(tuple, Anum_topic_cursors_settled, RelationGetDescr(rel), &isnull));
		if (mine != NULL)
			*mine = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
	}
	table_close(rel, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* corm_durable_purged returns up to which number the messages of a topic are purged; 0 if none are. */
int64
corm_durable_purged(uint64 topic_id)
{
	uint64		epoch;
	int64		purged = 0;

	(void) corm_durable_cursor_get(topic_id, &epoch, &purged, NULL);
	return purged;
}

/* corm_durable_cursor_set stores the row of a group: it has settled all numbers up to one, in an epoch. */
void
corm_durable_cursor_set(uint64 topic_id, uint64 group_id, uint64 epoch, int64 settled)
{
	Relation	rel = corm_durable_open("topic_cursors", -1, RowExclusiveLock);
	HeapTuple	old;
	Datum		values[Natts_topic_cursors];
	bool		nulls[Natts_topic_cursors] = {false};
	HeapTuple	tuple;

	(void) corm_durable_cursor_lock(group_id, true);
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
	Relation	rel = corm_durable_open("topic_cursors", -1, RowExclusiveLock);
	HeapTuple	tuple;

	(void) corm_durable_cursor_lock(group_id, true);
	tuple = find_cursor(rel, group_id);
	if (HeapTupleIsValid(tuple))
		CatalogTupleDelete(rel, &tuple->t_self);
	table_close(rel, NoLock);
}
