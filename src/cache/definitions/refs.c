/*-------------------------------------------------------------------------
 *
 * refs.c
 *		Definitions of caches, their owners and grants, as a session sees them.
 *
 * Caches are defined in two tables of the extension, so definitions are
 * transactional, are dumped, and are the same on a standby as on the primary:
 *
 *		corm.cache_definitions	one row a cache
 *		corm.cache_grants		one row for each grantee of a cache
 *
 * Users cannot write to them; the SQL functions do (define.c), after checks.
 * The cache "default" exists without a row, and PUBLIC may read and write it; it
 * gets rows when that is changed.
 *
 * A session keeps a CormCacheRef for each cache that it has used, with the
 * rights of the current role.  Writers of the tables send a relcache
 * invalidation for them; if SQL writes to them, as in a restore, a trigger sends
 * it.  That, or a change of roles or memberships, increases the generation, and
 * refs of an older generation are filled again.  So checking a right takes two
 * comparisons.
 *
 * The id of a cache is random and never used again, so entries of a cache that
 * was dropped cannot appear in one that is created later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "base/args.h"
#include "base/grants.h"
#include "base/owners.h"
#include "base/relcache.h"
#include "base/schema.h"
#include "cache/cache.h"
#include "cache/definitions/refs.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

uint64		corm_cache_generation = 1;

static HTAB *refs = NULL;
static CormCacheRef query_ref;
static Oid	definitions_oid = InvalidOid;
static Oid	grants_oid = InvalidOid;

static void
relation_changed(Datum arg, Oid relid)
{
	if (relid == definitions_oid || relid == grants_oid || relid == InvalidOid)
		corm_cache_generation++;
}

static void
roles_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	corm_cache_generation++;
}

/* corm_refs_init registers the invalidation callbacks. */
void
corm_refs_init(void)
{
	corm_on_relcache(relation_changed);
	CacheRegisterSyscacheCallback(AUTHOID, roles_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, roles_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(DATABASEOID, roles_changed, (Datum) 0);
}

/* corm_cache_definitions_open opens corm.cache_definitions. */
Relation
corm_cache_definitions_open(LOCKMODE lockmode)
{
	return corm_catalog_require("cache_definitions", lockmode, &definitions_oid);
}

/* corm_cache_grants_open opens corm.cache_grants. */
Relation
corm_cache_grants_open(LOCKMODE lockmode)
{
	return corm_catalog_require("cache_grants", lockmode, &grants_oid);
}

#define MAX_SPAN_DAYS	INT64CONST(36525)

/*
 * corm_interval_us turns an interval into microseconds, with days of 24 hours and
 * months of 30 days.  what is its name in messages.  Raises 22023 unless it is
 * positive and at most a century, and 22008 if it is too long to be counted.
 */
int64
corm_interval_us(const Interval *span, const char *what)
{
	int64		us = corm_interval_length(span);

	if (us == PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				 errmsg("%s out of range", what)));
	if (us <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be greater than zero", what)));
	/* a number of another unit, such as the nanoseconds of a driver */
	if (us > MAX_SPAN_DAYS * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be longer than a century", what),
				 errhint("It is an interval, such as '60 s'. Without one, an entry of the cache \"default\" never expires.")));
	return us;
}

/*
 * corm_events_parse turns a list of event names into CORM_EVENT_* bits.  Raises
 * 22023 for a name that is no event's.
 */
uint8
corm_events_parse(ArrayType *names)
{
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	uint8		events = 0;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *name = nulls[i] ? "" : TextDatumGetCString(elems[i]);

		if (strcmp(name, "deleted") == 0)
			events |= CORM_EVENT_DELETED;
		else if (strcmp(name, "expired") == 0)
			events |= CORM_EVENT_EXPIRED;
		else if (strcmp(name, "evicted") == 0)
			events |= CORM_EVENT_EVICTED;
		else if (strcmp(name, "stale") == 0)
			events |= CORM_EVENT_STALE;
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized cache event \"%s\"", name),
					 errhint("Cache events are deleted, expired, evicted and stale.")));
	}
	return events;
}

/* read_definition fills ref from the row of the cache.  Returns false if there is none. */
static bool
read_definition(CormCacheRef *ref)
{
	Relation	rel = corm_cache_definitions_open(AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key, Anum_cache_definitions_name, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(NameStr(ref->name)));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Datum		values[Natts_cache_definitions];
		bool		nulls[Natts_cache_definitions];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		ref->id = (uint64) DatumGetInt64(values[Anum_cache_definitions_id - 1]);
		ref->owner = DatumGetObjectId(values[Anum_cache_definitions_owner - 1]);
		ref->ttl = nulls[Anum_cache_definitions_ttl - 1] ? 0 :
			corm_interval_us(DatumGetIntervalP(values[Anum_cache_definitions_ttl - 1]), "ttl");
		ref->max_bytes = nulls[Anum_cache_definitions_max_bytes - 1] ? 0 :
			DatumGetInt64(values[Anum_cache_definitions_max_bytes - 1]);
		namestrcpy(&ref->channel, TextDatumGetCString(values[Anum_cache_definitions_channel - 1]));
		ref->events = corm_events_parse(DatumGetArrayTypeP(values[Anum_cache_definitions_events - 1]));
		ref->closed = DatumGetBool(values[Anum_cache_definitions_closed - 1]);
		ref->stored = true;
		found = true;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* read_grants finds the rights of role ref->userid, and whether PUBLIC may read. */
static void
read_grants(CormCacheRef *ref)
{
	Relation	rel = corm_cache_grants_open(AccessShareLock);
	int			held = corm_cache_owned(ref) ? CORM_PRIVILEGES_ALL : corm_grants_held(rel, NameStr(ref->name), ref->userid);

	ref->can_read = (held & CORM_PRIVILEGE_1) != 0;
	ref->can_write = (held & CORM_PRIVILEGE_2) != 0;
	ref->restricted = (corm_grants_of(rel, NameStr(ref->name), ACL_ID_PUBLIC) & CORM_PRIVILEGE_1) == 0;
	table_close(rel, AccessShareLock);
}

/*
 * fill_ref fills ref from the catalog, for the current role.  Returns false if
 * the cache does not exist.
 */
static bool
fill_ref(CormCacheRef *ref)
{
	uint64		generation = corm_cache_generation;
	uint64		old_id = ref->id;

	ref->generation = 0;
	ref->userid = GetUserId();
	if (read_definition(ref))
		read_grants(ref);
	else if (strcmp(NameStr(ref->name), "default") == 0)
	{
		ref->id = CORM_DEFAULT_CACHE_ID;
		ref->owner = corm_database_owner();
		ref->ttl = ref->max_bytes = 0;
		ref->events = CORM_EVENT_DELETED | CORM_EVENT_EXPIRED | CORM_EVENT_EVICTED;
		namestrcpy(&ref->channel, "corm_cache");
		ref->closed = ref->restricted = ref->stored = false;
		ref->can_read = ref->can_write = true;
	}
	else
		return false;

	if (ref->id != old_id)
		ref->ns = CORM_NO_NS;
	ref->generation = generation;
	return true;
}

/*
 * corm_cache_defined tells whether the cache of a ref that may be out of date
 * is still defined and open.  *restricted is set to what its grants say now.  It
 * looks at the tables themselves, as they are now: a session that has not yet
 * processed an invalidation must not bring back a namespace that another session
 * has just ended.
 */
bool
corm_cache_defined(const CormCacheRef *ref, bool *restricted)
{
	CormCacheRef now = *ref;

	*restricted = ref->restricted;
	if (ref->id == CORM_QUERY_CACHE_ID)
		return true;
	if (!OidIsValid(corm_catalog_oid("cache_definitions")) || !fill_ref(&now))
		return false;
	*restricted = now.restricted;
	return now.id == ref->id && !now.closed;
}

/*
 * corm_cache_ref_or_null returns what the session knows of a cache, as of the
 * last invalidation that it has processed, with the rights of the current role;
 * NULL if there is no such cache.  The result is valid until definitions change.
 */
CormCacheRef *
corm_cache_ref_or_null(const char *name, uint32 len)
{
	NameData	key;
	CormCacheRef *ref;
	bool		found;

	if (len >= NAMEDATALEN || memchr(name, '\0', len) != NULL)
		return NULL;
	memset(&key, 0, sizeof(key));
	memcpy(NameStr(key), name, len);

	if (refs == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(NameData);
		ctl.entrysize = sizeof(CormCacheRef);
		refs = hash_create("corm caches", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	}

	ref = (CormCacheRef *) hash_search(refs, &key, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) ref + sizeof(NameData), 0, sizeof(CormCacheRef) - sizeof(NameData));
		ref->name_len = len;
		ref->ns = CORM_NO_NS;
	}
	if (ref->generation != corm_cache_generation || ref->userid != GetUserId())
	{
		if (!fill_ref(ref))
		{
			/* Do not remember names of caches that do not exist. */
			hash_search(refs, &key, HASH_REMOVE, NULL);
			return NULL;
		}
	}
	return ref;
}

/* corm_cache_ref is the same, but raises 42704 if there is no such cache, 55000 without preload. */
CormCacheRef *
corm_cache_ref(const char *name, uint32 len)
{
	CormCacheRef *ref;

	corm_cache_require();
	ref = corm_cache_ref_or_null(name, len);
	if (ref == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("cache \"%s\" does not exist", pnstrdup(name, len))));
	return ref;
}

/*
 * corm_cache_ref_internal returns the ref of a cache that has no definition
 * and that SQL cannot name.  There is one, of query results; it reports no
 * events.
 */
CormCacheRef *
corm_cache_ref_internal(uint64 id)
{
	if (query_ref.id == 0)
	{
		query_ref.ns = CORM_NO_NS;
		query_ref.id = id;
		query_ref.restricted = true;
	}
	Assert(query_ref.id == id);
	return &query_ref;
}

/*
 * corm_cache_owned tells whether the role that ref was filled for has the rights
 * of the cache's owner.
 */
bool
corm_cache_owned(const CormCacheRef *ref)
{
	return has_privs_of_role(ref->userid, ref->owner);
}

/*
 * corm_cache_check raises 42501 unless the current role may read or write the
 * cache, as asked, and 55000 if the cache is closed.
 */
void
corm_cache_check(const CormCacheRef *ref, bool read, bool write)
{
	if (unlikely((read && !ref->can_read) || (write && !ref->can_write)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for cache \"%s\"", NameStr(ref->name))));
	if (unlikely(ref->closed))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cache \"%s\" is closed", NameStr(ref->name)),
				 errhint("Open it with corm.cache_open.")));
}

/*
 * make_sure attaches a cache for which the session knows no live namespace.
 * Returns what corm_ref_attach does.
 *
 * The session may not know yet that the cache was dropped or closed, and a
 * pending write does not look at the definition again.  So after creating a
 * namespace, it looks whether the cache is still defined.  It does so after, not
 * before, because a session that drops the cache ends the namespace once the
 * drop is visible to all: so one of the two sees what the other has done.
 */
static bool
make_sure(CormCacheRef *ref)
{
	bool		made;
	bool		restricted;

	if (!corm_ns_attach(ref, &made))
		return false;
	if (!made)
		return true;

	if (!corm_cache_defined(ref, &restricted))
	{
		corm_ns_replace(MyDatabaseId, ref->id, CORM_NO_NS, CORM_REASON_NONE);
		ref->ns = CORM_NO_NS;
		return false;
	}
	if (restricted != ref->restricted)
		corm_ns_set_restricted(MyDatabaseId, ref->id, restricted);
	return true;
}

/*
 * corm_ref_attach makes sure that ref has a live namespace.  Returns false if
 * there is no slot for one, or the cache has been dropped or closed.
 */
bool
corm_ref_attach(CormCacheRef *ref)
{
	return likely(corm_ns_is(ref->ns, ref->gen)) || make_sure(ref);
}

/*
 * corm_ref_not_attached raises the error of a write for which corm_ref_attach
 * has returned false.
 */
void
corm_ref_not_attached(const CormCacheRef *ref)
{
	bool		restricted;

	if (!corm_cache_defined(ref, &restricted))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cache \"%s\" has been dropped or closed", NameStr(ref->name))));
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("too many caches in use"),
			 errhint("Increase corm.max_caches and restart the server.")));
}
