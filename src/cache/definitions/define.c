/*-------------------------------------------------------------------------
 *
 * define.c
 *		SQL functions that create, drop, close, open and grant caches.
 *
 * They write to the tables that refs.c describes, on behalf of users who have
 * no rights on these tables, after checks of their own: any role may create a
 * cache, and its owner (or a member of that role) may do the rest.
 *
 * Each takes the writers' lock on the name of the cache (rows.c) after it has
 * checked the rights, and then reads again what it read before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/compat.h"
#include "base/grants.h"
#include "base/guc.h"
#include "base/new_id.h"
#include "cache/cache.h"
#include "cache/definitions/at_commit.h"
#include "cache/definitions/owners.h"
#include "cache/definitions/refs.h"
#include "cache/definitions/rows.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(corm_cache_create);
PG_FUNCTION_INFO_V1(corm_cache_drop);
PG_FUNCTION_INFO_V1(corm_cache_close);
PG_FUNCTION_INFO_V1(corm_cache_open);
PG_FUNCTION_INFO_V1(corm_cache_grant);
PG_FUNCTION_INFO_V1(corm_cache_revoke);

/* changed makes a change visible to later commands and, at commit, to all sessions. */
static void
changed(Relation definitions)
{
	CacheInvalidateRelcache(definitions);
	CommandCounterIncrement();
}

/* insert_definition adds the row of a cache. */
static void
insert_definition(Relation rel, const char *name, uint64 id, Oid owner,
				  Interval *ttl, int64 max_bytes, const char *channel,
				  Datum events)
{
	Datum		values[Natts_cache_definitions] = {0};
	bool		nulls[Natts_cache_definitions] = {false};

	values[Anum_cache_definitions_name - 1] = CStringGetTextDatum(name);
	values[Anum_cache_definitions_id - 1] = Int64GetDatum((int64) id);
	values[Anum_cache_definitions_owner - 1] = ObjectIdGetDatum(owner);
	values[Anum_cache_definitions_ttl - 1] = IntervalPGetDatum(ttl);
	nulls[Anum_cache_definitions_ttl - 1] = ttl == NULL;
	values[Anum_cache_definitions_max_bytes - 1] = Int64GetDatum(max_bytes);
	nulls[Anum_cache_definitions_max_bytes - 1] = max_bytes == 0;
	values[Anum_cache_definitions_channel - 1] = CStringGetTextDatum(channel);
	values[Anum_cache_definitions_events - 1] = events;
	values[Anum_cache_definitions_closed - 1] = BoolGetDatum(false);
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
}

/* The privileges on a cache, as bits of grants.h. */
#define CAN_READ	CORM_PRIVILEGE_1
#define CAN_WRITE	CORM_PRIVILEGE_2

static const CormPrivilegeNames privilege_names = {
	"cache", {"read", "write"}, "Cache privileges are read and write."
};

/* all_events returns all events as text[]. */
static Datum
all_events(void)
{
	Datum		names[3];

	names[0] = CStringGetTextDatum("deleted");
	names[1] = CStringGetTextDatum("expired");
	names[2] = CStringGetTextDatum("evicted");
	return PointerGetDatum(construct_array(names, 3, TEXTOID, -1, false, TYPALIGN_INT));
}

/* check_owned raises 42501 unless the current role has the rights of a cache's owner. */
static void
check_owned(const CormCacheRef *ref)
{
	if (!corm_cache_owned(ref))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of cache \"%s\"", NameStr(ref->name))));
}

/*
 * own_cache returns the cache that the first argument names, after checking that
 * the current role owns it.  The writers' lock on it is held to the end of the
 * transaction, and *rel is the table of definitions, opened.  function is the
 * name of the SQL function in messages.  Raises 25006 in a read-only
 * transaction, 42501, 42704.
 */
static CormCacheRef *
own_cache(FunctionCallInfo fcinfo, const char *function, Relation *rel)
{
	char	   *name = corm_name_arg(fcinfo, 0, "cache name");
	CormCacheRef *ref;

	corm_cache_require();
	PreventCommandIfReadOnly(function);
	check_owned(corm_cache_ref(name, strlen(name)));
	*rel = corm_cache_definitions_open(RowExclusiveLock);
	(void) corm_cache_lock(*rel, name, true);
	ref = corm_cache_ref(name, strlen(name));
	check_owned(ref);
	return ref;
}

/* store_default stores the rows of the cache "default", which does without them until it is changed. */
static void
store_default(Relation rel, CormCacheRef *ref)
{
	Relation	grants;

	if (ref->stored)
		return;
	insert_definition(rel, NameStr(ref->name), ref->id, ref->owner, NULL, 0,
					  NameStr(ref->channel), all_events());
	grants = corm_cache_grants_open(RowExclusiveLock);
	corm_grants_set(grants, NameStr(ref->name), ACL_ID_PUBLIC, CAN_READ | CAN_WRITE);
	table_close(grants, NoLock);
}

/*
 * count_definitions returns the number of caches of this database except
 * "default", including those that other transactions are creating or dropping.
 */
static int
count_definitions(Relation rel)
{
	SnapshotData dirty;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			n = 0;

	InitDirtySnapshot(dirty);
	scan = systable_beginscan(rel, InvalidOid, false, &dirty, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		id = heap_getattr(tuple, Anum_cache_definitions_id,
									  RelationGetDescr(rel), &isnull);

		if ((uint64) DatumGetInt64(id) != CORM_DEFAULT_CACHE_ID)
			n++;
	}
	systable_endscan(scan);
	return n;
}

/* cache_create(name, ttl, max_bytes, channel, events) -> void */
Datum
corm_cache_create(PG_FUNCTION_ARGS)
{
	char	   *name = corm_name_arg(fcinfo, 0, "cache name");
	Interval   *ttl = PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1);
	int64		max_bytes = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
	char	   *channel = PG_ARGISNULL(3) ? "corm_cache" : text_to_cstring(PG_GETARG_TEXT_PP(3));
	Datum		events = PG_ARGISNULL(4) ? all_events() : PG_GETARG_DATUM(4);
	uint64		id = corm_new_id(CORM_FIRST_CACHE_ID);
	Relation	rel;

	corm_cache_require();
	PreventCommandIfReadOnly("corm.cache_create()");
	corm_check_new_name("cache name", name);
	corm_check_new_name("channel name", channel);
	if (ttl)
		(void) corm_interval_us(ttl, "ttl");
	(void) corm_events_parse(DatumGetArrayTypeP(events));
	if (!PG_ARGISNULL(2) && max_bytes <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_bytes must be greater than zero")));

	rel = corm_cache_definitions_open(RowExclusiveLock);
	corm_cache_forget_roles();
	(void) corm_cache_lock(rel, name, true);
	if (corm_cache_ref_or_null(name, strlen(name)) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("cache \"%s\" already exists", name)));
	if (count_definitions(rel) >= corm_max_caches)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many caches"),
				 errdetail("A database can have %d.", corm_max_caches),
				 errhint("Drop one, or increase corm.max_caches and restart the server.")));

	/* A role may be dropped while it has sessions. */
	shdepLockAndCheckObject(AuthIdRelationId, GetUserId());
	insert_definition(rel, name, id, GetUserId(), ttl, max_bytes, channel, events);
	changed(rel);
	table_close(rel, NoLock);
	corm_at_end_kill(id, false, true);
	PG_RETURN_VOID();
}

/* cache_drop(name) -> void */
Datum
corm_cache_drop(PG_FUNCTION_ARGS)
{
	Relation	rel;
	CormCacheRef *ref = own_cache(fcinfo, "corm.cache_drop()", &rel);
	HeapTuple	tuple;

	if (ref->id == CORM_DEFAULT_CACHE_ID)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop cache \"%s\" because every database has it",
						NameStr(ref->name))));

	tuple = corm_cache_find_row(rel, NameStr(ref->name));
	if (HeapTupleIsValid(tuple))
		corm_cache_remove(rel, tuple, ref->id);
	changed(rel);
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

/* set_closed does the work of cache_close and cache_open, whose argument it takes. */
static void
set_closed(FunctionCallInfo fcinfo, bool closed)
{
	Relation	rel;
	CormCacheRef *ref = own_cache(fcinfo, closed ? "corm.cache_close()" : "corm.cache_open()", &rel);
	uint64		id = ref->id;
	HeapTuple	tuple;
	Datum		values[Natts_cache_definitions] = {0};
	bool		nulls[Natts_cache_definitions] = {false};
	bool		replace[Natts_cache_definitions] = {false};

	if (ref->closed == closed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 closed ? errmsg("cache \"%s\" is already closed", NameStr(ref->name)) :
				 errmsg("cache \"%s\" is already open", NameStr(ref->name))));

	store_default(rel, ref);
	tuple = corm_cache_find_row(rel, NameStr(ref->name));
	if (HeapTupleIsValid(tuple))
	{
		values[Anum_cache_definitions_closed - 1] = BoolGetDatum(closed);
		replace[Anum_cache_definitions_closed - 1] = true;
		tuple = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replace);
		CatalogTupleUpdate(rel, &tuple->t_self, tuple);
	}
	changed(rel);
	table_close(rel, NoLock);
	corm_at_end_kill(id, true, false);
}

/* cache_close(name) -> void */
Datum
corm_cache_close(PG_FUNCTION_ARGS)
{
	set_closed(fcinfo, true);
	PG_RETURN_VOID();
}

/* cache_open(name) -> void */
Datum
corm_cache_open(PG_FUNCTION_ARGS)
{
	set_closed(fcinfo, false);
	PG_RETURN_VOID();
}

/* change_grant does the work of cache_grant and cache_revoke, whose arguments it takes. */
static void
change_grant(FunctionCallInfo fcinfo, bool grant)
{
	Relation	rel;
	Relation	grants;
	CormCacheRef *ref;
	char	   *name;
	uint64		id;
	int			privileges;
	bool		was_restricted;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("grantee and privileges must not be null")));
	privileges = corm_privileges_arg(fcinfo, 2, &privilege_names);
	ref = own_cache(fcinfo, grant ? "corm.cache_grant()" : "corm.cache_revoke()", &rel);
	name = pstrdup(NameStr(ref->name));
	id = ref->id;
	was_restricted = ref->restricted;
	store_default(rel, ref);

	grants = corm_cache_grants_open(RowExclusiveLock);
	corm_grants_change(grants, name, PG_GETARG_OID(1), grant, privileges);
	changed(rel);
	table_close(rel, NoLock);
	corm_at_end_restrict(id, (corm_grants_of(grants, name, ACL_ID_PUBLIC) & CAN_READ) == 0, was_restricted);
	table_close(grants, NoLock);
}

/* cache_grant(cache, grantee, privileges) -> void */
Datum
corm_cache_grant(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, true);
	PG_RETURN_VOID();
}

/* cache_revoke(cache, grantee, privileges) -> void */
Datum
corm_cache_revoke(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, false);
	PG_RETURN_VOID();
}
