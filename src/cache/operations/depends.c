/*-------------------------------------------------------------------------
 *
 * depends.c
 *		The tables that an entry depends on.
 *
 * An entry that depends on a table depends on all tables that are partitions of it
 * or inherit from it, each with a cell of its own.  A write notes the table that it
 * writes and nothing else: it need not know what that is a part of.  A change of the
 * hierarchy writes, by its lock, the parent that gets a child, or the child that
 * leaves: both are among those that the entry depends on, so it dies, and who
 * computes it anew finds the new hierarchy (steps r2 and r3 in shared/versions.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "cache/cache.h"
#include "cache/shared/versions.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/*
 * why_not returns why the writes of a relation cannot be followed, a sentence, or
 * NULL.  *parent is set to whether it may have descendants.
 */
static const char *
why_not(Oid relid, bool *parent)
{
	HeapTuple	tuple;
	Form_pg_class class;
	const char *why = NULL;

	*parent = false;
	if (relid < FirstNormalObjectId)
		return "It reads a system catalog.";
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return "It reads a relation that does not exist any more.";
	class = (Form_pg_class) GETSTRUCT(tuple);
	*parent = class->relhassubclass;
	if (class->relpersistence == RELPERSISTENCE_TEMP)
		why = "It reads a temporary table.";
	else if (class->relkind == RELKIND_FOREIGN_TABLE)
		why = "It reads a foreign table.";
	else if (class->relkind == RELKIND_SEQUENCE)
		why = "It reads a sequence.";
	else if (class->relkind != RELKIND_RELATION && class->relkind != RELKIND_PARTITIONED_TABLE &&
			 class->relkind != RELKIND_MATVIEW && class->relkind != RELKIND_VIEW)
		why = "It reads something that is not a table or view.";
	ReleaseSysCache(tuple);
	return why;
}

/*
 * corm_descendants returns some relations, as a sorted list of OIDs in the current
 * context, with all their descendants.  *why is set to the reason why one of them
 * cannot be followed, if there is one.
 */
List *
corm_descendants(List *relids, const char **why)
{
	List	   *all = NIL;
	ListCell   *lc;
	bool		parent;

	*why = NULL;
	foreach(lc, relids)
	{
		Oid			relid = lfirst_oid(lc);

		*why = why_not(relid, &parent);
		if (*why != NULL)
			return NIL;
		if (!parent)
			all = lappend_oid(all, relid);
		else
			all = list_concat(all, find_all_inheritors(relid, NoLock, NULL));
	}
	list_sort(all, list_oid_cmp);
	list_deduplicate_oid(all);

	foreach(lc, all)
	{
		*why = why_not(lfirst_oid(lc), &parent);
		if (*why != NULL)
			return NIL;
	}
	return all;
}

/*
 * corm_depends_on makes what depends on some tables, of corm_descendants, and on
 * what fixed says: CORM_DEPENDS_*.  Palloc'd.
 */
CormDepends *
corm_depends_on(List *relids, int fixed)
{
	CormDepends *depends = palloc(offsetof(CormDepends, cells) +
								  (list_length(relids) + CORM_FIXED_CELLS) * sizeof(uint32));
	ListCell   *lc;

	depends->n = 0;
	if (fixed & CORM_DEPENDS_FUNCTIONS)
		depends->cells[depends->n++] = CORM_CELL_FUNCTIONS;
	if (fixed & CORM_DEPENDS_ENUMS)
		depends->cells[depends->n++] = CORM_CELL_ENUMS;
	if (fixed & CORM_DEPENDS_SEARCH)
		depends->cells[depends->n++] = CORM_CELL_SEARCH;
	foreach(lc, relids)
	{
		depends->cells[depends->n++] = corm_cell_of(MyDatabaseId, lfirst_oid(lc));
	}
	return depends;
}

/*
 * corm_fresh_possible returns NULL if this transaction can be given fresh answers
 * from the cache, otherwise why it cannot.
 */
const char *
corm_fresh_possible(void)
{
	if (!corm_versions_available())
		return "The server is a standby.";
	if (IsolationUsesXactSnapshot())
		return "The isolation level of the transaction is above READ COMMITTED.";
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return "The transaction has written something.";
	return NULL;
}

/*
 * corm_fresh_now reads the versions of what something depends on: steps r1 and h of
 * shared/versions.c.  *sum is set to what is stored with an entry, or is to be the
 * same as what is stored.
 */
CormFreshness
corm_fresh_now(const CormDepends *depends, uint64 *sum)
{
	CormQuiet	quiet;

	CORM_FAULT("fresh-read");
	quiet = corm_cells_read(depends->cells, depends->n, sum);
	if (unlikely(quiet == CORM_UNSETTLED))
	{
		if (!corm_cells_track(depends->cells, depends->n))
			return CORM_FRESH_UNSETTLED;
		quiet = corm_cells_read(depends->cells, depends->n, sum);
	}
	switch (quiet)
	{
		case CORM_QUIET:
			return CORM_FRESH_KNOWN;
		case CORM_COMMITTING:
			return CORM_FRESH_COMMITTING;
		default:
			return CORM_FRESH_UNSETTLED;
	}
}
