/*-------------------------------------------------------------------------
 *
 * rows.c
 *		Whether a table has rows, and whether a column has nulls.
 *
 * The rows are read past row-level security, which could hide those that
 * matter: ALTER TABLE sees them all.  So the caller must own the table or be
 * allowed to read it; to others, a table has rows, and nulls in them.  The caller
 * holds a lock on the table, and those under it are locked while they are read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "base/compat.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "tools/rows.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/*
 * scan_one returns whether a table has a row, or one with a null in a column.
 * It sees what has been committed, and the transaction's own changes.
 */
static bool
scan_one(Relation rel, const char *column)
{
	AttrNumber	attnum = column ? get_attnum(RelationGetRelid(rel), column) : InvalidAttrNumber;
	Snapshot	snapshot;
	TupleTableSlot *slot;
	TableScanDesc scan;
	bool		found = false;

	if (rel->rd_rel->relkind != RELKIND_RELATION)
		return rel->rd_rel->relkind == RELKIND_FOREIGN_TABLE;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan(rel, snapshot, 0, NULL);
	while (!found && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		found = attnum == InvalidAttrNumber || slot_attisnull(slot, attnum);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	return found;
}

/*
 * scan_all does that for a table and all tables under it.
 */
static bool
scan_all(Oid relid, const char *column)
{
	bool		found = false;
	ListCell   *lc;

	if (!corm_owns_relation(relid, GetUserId()) &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return true;
	foreach(lc, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		Relation	rel = table_open(lfirst_oid(lc), NoLock);

		if (!found)
			found = scan_one(rel, column);
		/* the lock on the table itself is the caller's */
		table_close(rel, lfirst_oid(lc) == relid ? NoLock : AccessShareLock);
	}
	return found;
}

/*
 * corm_has_rows returns whether a table, or one under it, has a row.
 */
bool
corm_has_rows(Oid relid)
{
	return scan_all(relid, NULL);
}

/*
 * corm_has_nulls returns whether a column of a table, or of one under it, has
 * a null.
 */
bool
corm_has_nulls(Oid relid, const char *column)
{
	return scan_all(relid, column);
}
