/*-------------------------------------------------------------------------
 *
 * durable_tables.c
 *		The tables of durable topics, opened, locked and looked through.
 *
 * durable.c says what is in them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "work/topic/durable.h"
#include "work/topic/durable_tables.h"

/* corm_durable_open opens one of corm's tables, by name and number (-1: none). */
Relation
corm_durable_open(const char *name, int number, LOCKMODE mode)
{
	char		full[NAMEDATALEN];

	if (number >= 0)
		snprintf(full, sizeof(full), "%s_%d", name, number);
	else
		strlcpy(full, name, sizeof(full));
	return corm_catalog_require(full, mode, NULL);
}

/* corm_durable_index returns the primary key of a table, which is opened. */
Oid
corm_durable_index(Relation rel)
{
	Oid			index = corm_primary_key_index(rel);

	if (!OidIsValid(index))
	{
		(void) RelationGetIndexList(rel);
		index = corm_primary_key_index(rel);
	}
	return index;
}

/* corm_durable_rotation tells which tables are which now. */
void
corm_durable_rotation(CormDurableRotation *rotation)
{
	Relation	rel = corm_durable_open("topic_rotation", -1, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	tuple = systable_getnext(scan);

	memset(rotation, 0, sizeof(CormDurableRotation));
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		drained = heap_getattr(tuple, 2, RelationGetDescr(rel), &isnull);

		rotation->drained = isnull ? 0 : (uint64) DatumGetInt64(drained);
		rotation->current = DatumGetInt32(heap_getattr(tuple, 1, RelationGetDescr(rel), &isnull));
	}
	rotation->next = (rotation->current + 1) % CORM_DURABLE_TABLES;
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
}

/*
 * corm_durable_open_current opens the table that takes new rows, to insert some.  It is looked up again when the
 * table is locked: a rotation may have made the next one current, and must not empty this one any more then.
 */
Relation
corm_durable_open_current(const char *name)
{
	for (;;)
	{
		CormDurableRotation before;
		CormDurableRotation now;
		Relation	rel;

		corm_durable_rotation(&before);
		rel = corm_durable_open(name, before.current, RowExclusiveLock);
		corm_durable_rotation(&now);
		if (now.current == before.current)
			return rel;
		table_close(rel, RowExclusiveLock);
	}
}

/* corm_durable_tag fills the tag of a lock on a topic or group; kind says which. */
void
corm_durable_tag(LOCKTAG *tag, uint64 id, uint16 kind)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, corm_catalog_oid("topic_definitions"), (uint32) (id ^ (id >> 32)), kind);
}

/*
 * corm_durable_open_all opens three tables, and takes a snapshot of now when all are locked: a
 * rotation that moves rows from one to another has either committed before, or waits.
 */
void
corm_durable_open_all(CormDurableTables *tables, const char *name)
{
	for (int t = 0; t < CORM_DURABLE_TABLES; t++)
		tables->rel[t] = corm_durable_open(name, t, AccessShareLock);
	tables->snapshot = RegisterSnapshot(GetLatestSnapshot());
}

/* corm_durable_close_all closes them. */
void
corm_durable_close_all(CormDurableTables *tables)
{
	UnregisterSnapshot(tables->snapshot);
	for (int t = 0; t < CORM_DURABLE_TABLES; t++)
		table_close(tables->rel[t], AccessShareLock);
}

/* corm_durable_begin_range begins to look in a table for the messages of a topic with numbers from first to last. */
SysScanDesc
corm_durable_begin_range(Relation rel, Snapshot snapshot, uint64 topic_id, int64 first, int64 last)
{
	ScanKeyData keys[3];

	ScanKeyInit(&keys[0], Anum_topic_messages_topic_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum((int64) topic_id));
	ScanKeyInit(&keys[1], Anum_topic_messages_seq, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(first));
	ScanKeyInit(&keys[2], Anum_topic_messages_seq, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(last));
	return systable_beginscan(rel, corm_durable_index(rel), true, snapshot, 3, keys);
}
