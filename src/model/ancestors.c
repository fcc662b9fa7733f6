/*-------------------------------------------------------------------------
 *
 * ancestors.c
 *		The tables that a table is a partition of, or inherits from.
 *
 * Read from pg_inherits without a lock on the tables.  PostgreSQL's own
 * get_partition_ancestors() knows of partitions only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_inherits.h"
#include "model/ancestors.h"
#include "utils/fmgroids.h"

/*
 * corm_add_ancestors adds the tables that a relation is a partition of, or
 * inherits from, at any distance, to a list of OIDs that has each of them once.
 */
List *
corm_add_ancestors(List *ancestors, Oid relid)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *parents = NIL;
	ListCell   *lc;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		parents = lappend_oid(parents, ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	foreach(lc, parents)
	{
		if (list_member_oid(ancestors, lfirst_oid(lc)))
			continue;
		ancestors = corm_add_ancestors(lappend_oid(ancestors, lfirst_oid(lc)), lfirst_oid(lc));
	}
	return ancestors;
}
