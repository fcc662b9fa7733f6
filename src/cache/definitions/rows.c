/*-------------------------------------------------------------------------
 *
 * rows.c
 *		The row of a cache in corm.cache_definitions: locked, found, removed.
 *
 * Writers take a lock on the name of the cache, after they have checked the
 * user's rights, and hold it to the end of the transaction.  So changes of one
 * cache come one after the other, and an idle transaction keeps others from
 * changing its caches only.  What was read before the lock must be read again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/grants.h"
#include "cache/definitions/at_commit.h"
#include "cache/definitions/refs.h"
#include "cache/definitions/rows.h"
#include "catalog/indexing.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"

/*
 * corm_cache_lock takes the writers' lock on the name of a cache, until the end
 * of the transaction, and processes invalidations.  Returns false if it would
 * have to wait and wait is false.  Names with the same hash share the lock.
 */
bool
corm_cache_lock(Relation definitions, const char *name, bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationGetRelid(definitions),
					   hash_bytes((const unsigned char *) name, strlen(name)), 0);
	if (LockAcquire(&tag, ExclusiveLock, false, !wait) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	AcceptInvalidationMessages();
	return true;
}

/* corm_cache_find_row returns a palloc'd copy of the row of a cache, or NULL if it has none. */
HeapTuple
corm_cache_find_row(Relation rel, const char *name)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_cache_definitions_name, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(name));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	return tuple;
}

/*
 * corm_cache_remove deletes the row of a cache and its grants, and empties the
 * cache at commit.  The caller has the writers' lock, and sends the
 * invalidation.
 */
void
corm_cache_remove(Relation definitions, HeapTuple tuple, uint64 id)
{
	Relation	grants = corm_cache_grants_open(RowExclusiveLock);
	bool		isnull;
	Datum		name = heap_getattr(tuple, Anum_cache_definitions_name, RelationGetDescr(definitions), &isnull);

	(void) corm_grants_drop(grants, TextDatumGetCString(name), NULL);
	table_close(grants, NoLock);

	CatalogTupleDelete(definitions, &tuple->t_self);
	corm_at_end_kill(id, true, false);
}
