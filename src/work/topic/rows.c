/*-------------------------------------------------------------------------
 *
 * rows.c
 *		The rows of topics, groups and privileges: locked, found, removed.
 *
 * Writers take a lock on the name of the topic, after they have checked the user's
 * rights, and hold it to the end of the transaction.  So changes of one topic and its
 * groups come one after the other.  What was read before the lock must be read again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "work/topic/at_end.h"
#include "work/topic/durable.h"
#include "work/topic/rows.h"

/*
 * corm_topic_lock_name takes the writers' lock on the name of a topic, until the end
 * of the transaction, and processes invalidations.  Names with the same hash share it.
 */
void
corm_topic_lock_name(Relation definitions, const char *name)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationGetRelid(definitions),
					   hash_bytes((const unsigned char *) name, strlen(name)), 0);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	AcceptInvalidationMessages();
}

/* corm_topic_changed makes a change visible to later commands and, at commit, to all sessions. */
void
corm_topic_changed(Relation definitions)
{
	CacheInvalidateRelcache(definitions);
	CommandCounterIncrement();
}

/* find_row returns a palloc'd copy of the row whose first columns are the given texts, NULL if there is none. */
static HeapTuple
find_row(Relation rel, const char *first, const char *second)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(first));
	if (second != NULL)
		ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(second));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, second != NULL ? 2 : 1, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	return tuple;
}

/* corm_topic_find_row returns a palloc'd copy of the row of a topic, NULL if it has none. */
HeapTuple
corm_topic_find_row(Relation definitions, const char *name)
{
	return find_row(definitions, name, NULL);
}

/* corm_group_find_row returns a palloc'd copy of the row of a group, NULL if it has none. */
HeapTuple
corm_group_find_row(Relation groups, const char *topic, const char *grp)
{
	return find_row(groups, topic, grp);
}

/* delete_rows deletes all rows of a table whose first column is a topic's name. */
static void
delete_rows(Relation rel, Datum name)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TEXTEQ, name);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		CatalogTupleDelete(rel, &tuple->t_self);
	systable_endscan(scan);
	table_close(rel, NoLock);
}

/* delete_cursors deletes what durable topics store of the groups of a topic. */
static void
delete_cursors(Datum name)
{
	Relation	rel = corm_group_definitions_open(AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TEXTEQ, name);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;

		corm_durable_cursor_delete((uint64) DatumGetInt64(heap_getattr(tuple, Anum_group_definitions_id,
																		RelationGetDescr(rel), &isnull)));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * corm_topic_remove deletes the row of a topic, its groups and the privileges on it,
 * and gives up its memory at commit.  The caller has the writers' lock, and sends the
 * invalidation.
 */
void
corm_topic_remove(Relation definitions, HeapTuple tuple)
{
	bool		isnull;
	Datum		name = heap_getattr(tuple, Anum_topic_definitions_name, RelationGetDescr(definitions), &isnull);
	Datum		id = heap_getattr(tuple, Anum_topic_definitions_id, RelationGetDescr(definitions), &isnull);

	delete_rows(corm_topic_grants_open(RowExclusiveLock), name);
	delete_cursors(name);
	corm_durable_cursor_delete((uint64) DatumGetInt64(id));
	delete_rows(corm_group_definitions_open(RowExclusiveLock), name);
	CatalogTupleDelete(definitions, &tuple->t_self);
	corm_at_end_topic_dropped((uint64) DatumGetInt64(id));
}
