/*-------------------------------------------------------------------------
 *
 * rowtypes.c
 *		Statements of users whose result is a row type.
 *
 * In SELECT * FROM corm.get_multi(NULL::users, ...) the statement around the
 * call knows the columns of users from when it was parsed.  PostgreSQL keeps
 * such a statement (of PL/pgSQL, say) parsed and planned, and does not record
 * that it depends on the row type.  After a column has been added, dropped or
 * retyped it would leave the column out, or fail, for the rest of the session.
 *
 * So we remember which row types were used, and when an attribute of one of
 * them changes, all of the session's statements are parsed again before their
 * next execution, as PostgreSQL itself does when an operator changes.  The
 * messages that announce it are those of the syscache for attributes, which
 * ANALYZE and VACUUM do not send.
 *
 * Row types that no longer exist, such as those of temporary tables, are
 * forgotten whenever the number of entries has doubled.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "model/rowtypes.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/syscache.h"

#define FIRST_LIMIT		1024	/* of entries, before it is looked who has
								 * gone */

typedef struct WatchedAttribute
{
	uint32		hash;			/* of the attribute in the syscache: hash key */
	Oid			relid;			/* InvalidOid: of several relations, never
								 * forgotten */
} WatchedAttribute;

/* The attributes of row types that were asked for. */
static HTAB *attributes = NULL;
static long limit = FIRST_LIMIT;

static bool relation_exists(Relation class, Oid relid);
static void forget_dropped(void);

/*
 * An attribute has changed; hash 0 means that all may have.  Runs within
 * PostgreSQL's invalidation processing.
 */
static void
attribute_changed(Datum arg, int cacheid, uint32 hash)
{
	if (attributes == NULL || hash_get_num_entries(attributes) == 0)
		return;
	if (hash == 0 || hash_search(attributes, &hash, HASH_FIND, NULL) != NULL)
		ResetPlanCache();
}

/* corm_rowtypes_init registers for messages about attributes. */
void
corm_rowtypes_init(void)
{
	CacheRegisterSyscacheCallback(ATTNUM, attribute_changed, (Datum) 0);
}

/*
 * relation_exists tells whether pg_class has a relation.  The syscache would
 * remember each one that does not exist.
 */
static bool
relation_exists(Relation class, Oid relid)
{
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(class, ClassOidIndexId, true, NULL, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	return found;
}

/*
 * forget_dropped removes the entries of relations that are no more.  Not for a
 * transaction that has written: its DROP may yet be rolled back, and the table
 * be back with the statements that know it.
 */
static void
forget_dropped(void)
{
	Relation	class = table_open(RelationRelationId, AccessShareLock);
	Oid			known = InvalidOid;
	bool		exists = true;
	int			nattributes = 0;
	uint32	   *dropped = palloc(sizeof(uint32) * hash_get_num_entries(attributes));
	HASH_SEQ_STATUS scan;
	WatchedAttribute *attribute;

	/* Looking at pg_class may bring messages: nothing is removed in between. */
	hash_seq_init(&scan, attributes);
	while ((attribute = hash_seq_search(&scan)) != NULL)
	{
		if (!OidIsValid(attribute->relid))
			continue;
		if (attribute->relid != known)
		{
			known = attribute->relid;
			exists = relation_exists(class, known);
		}
		if (!exists)
			dropped[nattributes++] = attribute->hash;
	}
	table_close(class, AccessShareLock);

	for (int i = 0; i < nattributes; i++)
		(void) hash_search(attributes, &dropped[i], HASH_REMOVE, NULL);
	pfree(dropped);
}

/*
 * corm_watch_row_type remembers a row type: the relation relid with so many
 * attributes.  The one behind the last is that which ADD COLUMN makes.
 */
void
corm_watch_row_type(Oid relid, int natts)
{
	if (attributes == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(uint32);
		ctl.entrysize = sizeof(WatchedAttribute);
		ctl.hcxt = CacheMemoryContext;
		attributes = hash_create("corm row types", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	if (hash_get_num_entries(attributes) >= limit &&
		!TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		forget_dropped();
		limit = Max(2 * hash_get_num_entries(attributes), FIRST_LIMIT);
	}

	for (int attnum = 1; attnum <= natts + 1; attnum++)
	{
		uint32		hash = GetSysCacheHashValue2(ATTNUM, ObjectIdGetDatum(relid),
												 Int16GetDatum(attnum));
		bool		found;
		WatchedAttribute *attribute = hash_search(attributes, &hash, HASH_ENTER, &found);

		if (!found)
			attribute->relid = relid;
		else if (attribute->relid != relid)
			attribute->relid = InvalidOid;
	}
}
