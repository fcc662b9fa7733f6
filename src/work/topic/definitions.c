/*-------------------------------------------------------------------------
 *
 * definitions.c
 *		Which topics and groups there are, and who may use them, as a session sees it.
 *
 * Topics, privileges on them and groups are defined in three tables of the extension,
 * so definitions are transactional and are dumped, as those of caches:
 *
 *		corm.topic_definitions, corm.topic_grants, corm.group_definitions
 *
 * Users cannot write to them; the SQL functions do (define.c, subscribe.c), after
 * checks.  A temporary group has no row, only an entry in the list of its session.
 *
 * A session keeps what it knows of a topic or group as a ref.  Writers of the tables
 * send a relcache invalidation, and so does a trigger if SQL writes to them; that, or
 * a change of roles, increases the generation, and refs of an older one are filled
 * again.
 *
 * A topic gets a slot in shared memory when it is first used after the server's
 * start, together with all its groups (corm_topic_attach).  Defining or dropping a group
 * attaches its topic before, so that a topic that is attached has the groups of
 * all transactions, and the tables are not read again.  The id of a topic or group is
 * random and never used again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/clock.h"
#include "base/grants.h"
#include "base/relcache.h"
#include "base/schema.h"
#include "cache/cache.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "work/topic/dedup.h"
#include "work/topic/definitions.h"
#include "work/topic/durable.h"
#include "work/topic/log.h"

static uint64 generation = 1;
static HTAB *topics = NULL;
static HTAB *groups = NULL;
static List *temporaries = NIL; /* of CormGroupRef, in TopMemoryContext */
static Oid	definitions_oid = InvalidOid;
static Oid	grants_oid = InvalidOid;
static Oid	groups_oid = InvalidOid;

static void
relation_changed(Datum arg, Oid relid)
{
	if (relid == definitions_oid || relid == grants_oid || relid == groups_oid || relid == InvalidOid)
		generation++;
}

static void
roles_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	generation++;
}

/* corm_definitions_init registers the invalidation callbacks. */
void
corm_definitions_init(void)
{
	corm_on_relcache(relation_changed);
	CacheRegisterSyscacheCallback(AUTHOID, roles_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, roles_changed, (Datum) 0);
}

/* corm_topic_definitions_open opens corm.topic_definitions. */
Relation
corm_topic_definitions_open(LOCKMODE lockmode)
{
	return corm_catalog_require("topic_definitions", lockmode, &definitions_oid);
}

/* corm_topic_grants_open opens corm.topic_grants. */
Relation
corm_topic_grants_open(LOCKMODE lockmode)
{
	return corm_catalog_require("topic_grants", lockmode, &grants_oid);
}

/* corm_group_definitions_open opens corm.group_definitions. */
Relation
corm_group_definitions_open(LOCKMODE lockmode)
{
	return corm_catalog_require("group_definitions", lockmode, &groups_oid);
}

/* corm_have_topics tells whether this database has the tables. */
bool
corm_have_topics(void)
{
	return OidIsValid(corm_catalog_oid("topic_definitions")) &&
		OidIsValid(corm_catalog_oid("topic_grants")) &&
		OidIsValid(corm_catalog_oid("group_definitions"));
}

/*
 * corm_span_us turns an interval that may be zero into microseconds.  what is its
 * name in messages.  Raises 22023 if it is negative, 22008 if it is too long.
 */
int64
corm_span_us(const Interval *span, const char *what)
{
	static const Interval zero = {0};
	int32		sign = DatumGetInt32(DirectFunctionCall2(interval_cmp, IntervalPGetDatum(span), IntervalPGetDatum(&zero)));

	if (sign < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", what)));
	if (sign == 0)
		return 0;
	return corm_interval_us(span, what);
}

/* corm_overflow_parse reads the name of an overflow policy.  Returns false if it is none. */
bool
corm_overflow_parse(const char *name, CormOverflow *overflow)
{
	if (strcmp(name, "error") == 0)
		*overflow = CORM_OVERFLOW_ERROR;
	else if (strcmp(name, "block") == 0)
		*overflow = CORM_OVERFLOW_BLOCK;
	else if (strcmp(name, "drop_oldest") == 0)
		*overflow = CORM_OVERFLOW_DROP_OLDEST;
	else
		return false;
	return true;
}

/* interval_column returns an interval of a row in microseconds, 0 for NULL. */
static int64
interval_column(const Datum *values, const bool *nulls, int attnum, const char *what)
{
	return nulls[attnum - 1] ? 0 : corm_span_us(DatumGetIntervalP(values[attnum - 1]), what);
}

/* text_column returns a copy of a text of a row in TopMemoryContext, NULL for NULL. */
static char *
text_column(const Datum *values, const bool *nulls, int attnum)
{
	char	   *string;
	char	   *copy;

	if (nulls[attnum - 1])
		return NULL;
	string = TextDatumGetCString(values[attnum - 1]);
	copy = MemoryContextStrdup(TopMemoryContext, string);
	pfree(string);
	return copy;
}

/* read_topic fills ref from the row of the topic.  Returns false if there is none. */
static bool
read_topic(CormTopicRef *ref)
{
	Relation	rel = corm_topic_definitions_open(AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key, Anum_topic_definitions_name, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(NameStr(ref->name)));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Datum		values[Natts_topic_definitions];
		bool		nulls[Natts_topic_definitions];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		ref->id = (uint64) DatumGetInt64(values[Anum_topic_definitions_id - 1]);
		ref->owner = DatumGetObjectId(values[Anum_topic_definitions_owner - 1]);
		ref->settings.durable = DatumGetBool(values[Anum_topic_definitions_durable - 1]);
		ref->settings.closed = DatumGetBool(values[Anum_topic_definitions_closed - 1]);
		ref->settings.capacity = DatumGetInt32(values[Anum_topic_definitions_capacity - 1]);
		ref->settings.max_bytes = nulls[Anum_topic_definitions_max_bytes - 1] ? 0 :
			DatumGetInt64(values[Anum_topic_definitions_max_bytes - 1]);
		(void) corm_overflow_parse(TextDatumGetCString(values[Anum_topic_definitions_overflow - 1]),
								   &ref->settings.overflow);
		ref->settings.retention = interval_column(values, nulls, Anum_topic_definitions_retention, "retention");
		ref->settings.dedup = interval_column(values, nulls, Anum_topic_definitions_dedup, "dedup");
		found = true;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* read_grants finds the rights of role ref->userid. */
static void
read_grants(CormTopicRef *ref)
{
	Relation	rel = corm_topic_grants_open(AccessShareLock);
	int			held = has_privs_of_role(ref->userid, ref->owner) ? CORM_PRIVILEGES_ALL : corm_grants_held(rel, NameStr(ref->name), ref->userid);

	ref->can_publish = (held & CORM_PRIVILEGE_1) != 0;
	ref->can_receive = (held & CORM_PRIVILEGE_2) != 0;
	table_close(rel, AccessShareLock);
}

/* fill_topic fills ref from the catalog, for the current role.  Returns false if there is no such topic. */
static bool
fill_topic(CormTopicRef *ref)
{
	uint64		now = generation;
	uint64		old_id = ref->id;

	ref->generation = 0;
	ref->userid = GetUserId();
	if (!read_topic(ref))
		return false;
	read_grants(ref);
	if (ref->id != old_id)
		ref->slot = CORM_TOPIC_NO_SLOT;
	ref->generation = now;
	return true;
}

/*
 * corm_topic_ref_or_null returns what the session knows of a topic, NULL if there is
 * none of that name.  The result is valid until definitions change.
 */
CormTopicRef *
corm_topic_ref_or_null(const char *name)
{
	NameData	key;
	CormTopicRef *ref;
	bool		found;

	if (strlen(name) >= NAMEDATALEN)
		return NULL;
	memset(&key, 0, sizeof(key));
	strcpy(NameStr(key), name);
	if (topics == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(NameData);
		ctl.entrysize = sizeof(CormTopicRef);
		topics = hash_create("corm topics", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	ref = (CormTopicRef *) hash_search(topics, &key, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) ref + sizeof(NameData), 0, sizeof(CormTopicRef) - sizeof(NameData));
		ref->slot = CORM_TOPIC_NO_SLOT;
	}
	if ((ref->generation != generation || ref->userid != GetUserId()) && !fill_topic(ref))
	{
		hash_search(topics, &key, HASH_REMOVE, NULL);
		return NULL;
	}
	return ref;
}

/* corm_topic_ref is the same, but raises 42704 if there is no such topic, 55000 without preload. */
CormTopicRef *
corm_topic_ref(const char *name)
{
	CormTopicRef *ref;

	corm_work_require("a topic");
	ref = corm_topic_ref_or_null(name);
	if (ref == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("topic \"%s\" does not exist", name)));
	return ref;
}

/* corm_topic_owned tells whether the current role has the rights of a topic's owner. */
bool
corm_topic_owned(const CormTopicRef *ref)
{
	return has_privs_of_role(GetUserId(), ref->owner);
}

/* check_right raises 42501 without a right on a topic, and in an operation that must not leave anything behind. */
static void
check_right(const CormTopicRef *ref, bool right)
{
	if (!right)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for topic \"%s\"", NameStr(ref->name))));
	corm_topic_check_restricted();
}

/* corm_topic_check_restricted raises 42501 in an operation that must not leave anything behind, such as a group's filter. */
void
corm_topic_check_restricted(void)
{
	if (InSecurityRestrictedOperation())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot use a topic within a security-restricted operation")));
}

/* corm_topic_check_publish raises 42501 unless the current role may publish to a topic. */
void
corm_topic_check_publish(const CormTopicRef *ref)
{
	check_right(ref, ref->can_publish);
}

/* corm_topic_check_receive raises 42501 unless the current role may receive from a topic. */
void
corm_topic_check_receive(const CormTopicRef *ref)
{
	check_right(ref, ref->can_receive);
}

/* corm_topic_gone raises the error of an operation on a topic that was dropped meanwhile. */
void
corm_topic_gone(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("topic \"%s\" has been dropped", name)));
}

/* fill_group sets a group's ref, whose strings are free, from a row. */
static void
fill_group(CormGroupRef *ref, Relation rel, HeapTuple tuple)
{
	Datum		values[Natts_group_definitions];
	bool		nulls[Natts_group_definitions];

	heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
	ref->id = (uint64) DatumGetInt64(values[Anum_group_definitions_id - 1]);
	ref->owner = DatumGetObjectId(values[Anum_group_definitions_owner - 1]);
	ref->settings.capacity = nulls[Anum_group_definitions_capacity - 1] ? 0 :
		DatumGetInt32(values[Anum_group_definitions_capacity - 1]);
	ref->settings.manual =
		strcmp(TextDatumGetCString(values[Anum_group_definitions_ack - 1]), "manual") == 0;
	ref->settings.ordered = DatumGetBool(values[Anum_group_definitions_ordered - 1]);
	ref->settings.max_attempts = nulls[Anum_group_definitions_max_attempts - 1] ? 0 :
		DatumGetInt32(values[Anum_group_definitions_max_attempts - 1]);
	ref->settings.retry_delay = interval_column(values, nulls, Anum_group_definitions_retry_delay, "retry_delay");
	ref->settings.lease = interval_column(values, nulls, Anum_group_definitions_lease, "lease");
	ref->settings.dead_letter = !nulls[Anum_group_definitions_dead_letter - 1];
	ref->settings.handler_role = nulls[Anum_group_definitions_session_owner - 1] ? InvalidOid :
		DatumGetObjectId(values[Anum_group_definitions_session_owner - 1]);
	ref->handler_owner = nulls[Anum_group_definitions_handler_owner - 1] ? InvalidOid :
		DatumGetObjectId(values[Anum_group_definitions_handler_owner - 1]);
	ref->batch = DatumGetInt32(values[Anum_group_definitions_batch - 1]);
	ref->dead_letter = text_column(values, nulls, Anum_group_definitions_dead_letter);
	ref->handler = text_column(values, nulls, Anum_group_definitions_handler);
	ref->pool = text_column(values, nulls, Anum_group_definitions_pool);
	ref->filter = text_column(values, nulls, Anum_group_definitions_filter);
	ref->filter_path = text_column(values, nulls, Anum_group_definitions_filter_path);
}

/* free_strings frees what a group's ref has allocated. */
static void
free_strings(CormGroupRef *ref)
{
	char	  **strings[] = {&ref->dead_letter, &ref->handler, &ref->pool, &ref->filter, &ref->filter_path};

	for (int i = 0; i < lengthof(strings); i++)
	{
		if (*strings[i] != NULL)
			pfree(*strings[i]);
		*strings[i] = NULL;
	}
}

/* read_group fills ref from the row of the group.  Returns false if there is none. */
static bool
read_group(CormGroupRef *ref)
{
	Relation	rel = corm_group_definitions_open(AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&keys[0], Anum_group_definitions_topic, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(NameStr(ref->key.topic)));
	ScanKeyInit(&keys[1], Anum_group_definitions_grp, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(NameStr(ref->key.grp)));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		fill_group(ref, rel, tuple);
		found = true;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* make_key fills the key of a group.  Returns false if the names are too long for one. */
static bool
make_key(CormGroupKey *key, const char *topic, const char *grp)
{
	if (strlen(topic) >= NAMEDATALEN || strlen(grp) >= NAMEDATALEN)
		return false;
	memset(key, 0, sizeof(CormGroupKey));
	strcpy(NameStr(key->topic), topic);
	strcpy(NameStr(key->grp), grp);
	return true;
}

/*
 * corm_group_ref_or_null returns what the session knows of a group, NULL if there is
 * none of that name.  The result is valid until definitions change.
 */
CormGroupRef *
corm_group_ref_or_null(const char *topic, const char *grp)
{
	CormGroupKey key;
	CormGroupRef *ref;
	bool		found;
	ListCell   *lc;

	if (!make_key(&key, topic, grp))
		return NULL;
	foreach(lc, temporaries)
	{
		ref = lfirst(lc);
		if (memcmp(&ref->key, &key, sizeof(key)) != 0)
			continue;
		if (corm_group_slots[ref->group].used && corm_group_slots[ref->group].gen == ref->group_gen)
			return ref;
		/* its topic has been dropped */
		corm_group_ref_forget(ref->id);
		break;
	}
	if (groups == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(CormGroupKey);
		ctl.entrysize = sizeof(CormGroupRef);
		groups = hash_create("corm groups", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	ref = (CormGroupRef *) hash_search(groups, &key, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) ref + sizeof(CormGroupKey), 0, sizeof(CormGroupRef) - sizeof(CormGroupKey));
		ref->group = CORM_TOPIC_NO_SLOT;
	}
	if (ref->generation != generation)
	{
		uint64		now = generation;
		uint64		old_id = ref->id;

		ref->generation = 0;
		free_strings(ref);
		if (!read_group(ref))
		{
			hash_search(groups, &key, HASH_REMOVE, NULL);
			return NULL;
		}
		if (ref->id != old_id)
			ref->group = CORM_TOPIC_NO_SLOT;
		ref->generation = now;
	}
	return ref;
}

/* corm_group_ref is the same, but raises 42704 if there is no such group. */
CormGroupRef *
corm_group_ref(const CormTopicRef *topic, const char *grp)
{
	CormGroupRef *ref = corm_group_ref_or_null(NameStr(topic->name), grp);

	if (ref == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("group \"%s\" of topic \"%s\" does not exist", grp, NameStr(topic->name)),
				 errhint("Create it with corm.subscribe.")));
	return ref;
}

/*
 * corm_group_ref_temporary adds a temporary group, whose ref is complete but for its
 * key, to those of the session.
 */
void
corm_group_ref_temporary(const CormTopicRef *topic, const char *grp, const CormGroupRef *from)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopMemoryContext);
	CormGroupRef *ref = palloc(sizeof(CormGroupRef));

	*ref = *from;
	(void) make_key(&ref->key, NameStr(topic->name), grp);
	ref->dead_letter = from->dead_letter != NULL ? pstrdup(from->dead_letter) : NULL;
	ref->handler = from->handler != NULL ? pstrdup(from->handler) : NULL;
	ref->pool = from->pool != NULL ? pstrdup(from->pool) : NULL;
	ref->filter = from->filter != NULL ? pstrdup(from->filter) : NULL;
	ref->filter_path = from->filter_path != NULL ? pstrdup(from->filter_path) : NULL;
	temporaries = lappend(temporaries, ref);
	MemoryContextSwitchTo(oldcontext);
}

/* corm_group_ref_forget removes a temporary group from those of the session.  Raises nothing. */
void
corm_group_ref_forget(uint64 id)
{
	ListCell   *lc;

	foreach(lc, temporaries)
	{
		CormGroupRef *ref = lfirst(lc);

		if (ref->id != id)
			continue;
		temporaries = foreach_delete_current(temporaries, lc);
		free_strings(ref);
		pfree(ref);
	}
}

/*
 * corm_temporary_groups_end gives up the temporary groups of the session: it ends, or it
 * is a worker whose job has ended.  Raises nothing.
 */
void
corm_temporary_groups_end(void)
{
	ListCell   *lc;

	foreach(lc, temporaries)
	{
		CormGroupRef *ref = lfirst(lc);

		corm_group_kill(ref->topic_slot, ref->topic_gen, ref->group, ref->group_gen);
		free_strings(ref);
		pfree(ref);
	}
	list_free(temporaries);
	temporaries = NIL;
}

/* corm_seed_init prepares a group, as its ref describes it, for shared memory. */
void
corm_seed_init(CormGroupSeed *seed, const CormGroupRef *ref)
{
	memset(seed, 0, sizeof(CormGroupSeed));
	seed->id = ref->id;
	seed->name = ref->key.grp;
	seed->settings = ref->settings;
	seed->temporary = ref->temporary;
}

/* seeds_of returns the groups of a topic as the tables have them now. */
static CormGroupSeed *
seeds_of(const CormTopicRef *topic, int *n)
{
	Relation	rel = corm_group_definitions_open(AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			size = 16;
	CormGroupSeed *seeds = palloc(size * sizeof(CormGroupSeed));

	*n = 0;
	ScanKeyInit(&key, Anum_group_definitions_topic, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(NameStr(topic->name)));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CormGroupRef ref = {0};
		Datum		grp;
		bool		isnull;

		fill_group(&ref, rel, tuple);
		grp = heap_getattr(tuple, Anum_group_definitions_grp, RelationGetDescr(rel), &isnull);
		namestrcpy(&ref.key.grp, TextDatumGetCString(grp));
		if (*n == size)
			seeds = repalloc(seeds, (size *= 2) * sizeof(CormGroupSeed));
		corm_seed_init(&seeds[(*n)++], &ref);
		free_strings(&ref);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return seeds;
}

/* seed_durable completes the seed of a durable topic with what the tables say. */
static void
seed_durable(const CormTopicRef *ref, CormTopicSeed *seed)
{
	CormDurableState state;
	int64		now = corm_clock_mono();
	TimestampTz real = corm_clock_real();
	Size		nblocks;

	corm_durable_load(ref, &state, seed->groups, seed->ngroups);
	seed->last_seq = state.last_seq;
	seed->first_seq = state.first_seq;
	seed->last_bytes = state.last_bytes;
	seed->marks = state.marks;
	seed->ndedup = state.ndedup;
	seed->dedup = palloc_extended(Max(state.ndedup, 1) * sizeof(CormDedupSeed), MCXT_ALLOC_HUGE);
	for (int i = 0; i < state.ndedup; i++)
	{
		corm_dedup_hash(state.dedup_ids[i], seed->dedup[i].hash);
		seed->dedup[i].until = now + (state.dedup_times[i] - real) + ref->settings.dedup;
	}
	nblocks = state.ndedup;
	for (int g = 0; g < seed->ngroups; g++)
		nblocks += seed->groups[g].nunsettled;
	if (nblocks > 0)
		corm_work_take(&seed->blocks, nblocks * CORM_WORK_BLOCK_DATA);
}

/*
 * make_topic gives a topic a slot, with what is defined and, of a durable one, stored.
 * Returns what corm_topic_make does.
 */
static int
make_topic(CormTopicRef *ref)
{
	CormTopicSeed seed = {.db = MyDatabaseId,.id = ref->id,.settings = ref->settings,.first_seq = 1};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "corm topic", ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcontext = MemoryContextSwitchTo(context);
	int			slot;

	seed.groups = seeds_of(ref, &seed.ngroups);
	if (ref->settings.durable)
		seed_durable(ref, &seed);
	slot = corm_topic_make(&seed, &ref->gen);
	corm_work_give(&seed.blocks);
	MemoryContextSwitchTo(oldcontext);
	MemoryContextDelete(context);
	return slot;
}

/*
 * corm_topic_attach makes sure that a topic has a slot in shared memory.  Raises 53400
 * if there is none for it or its groups, 53200 if memory is short, 55000 if it has been
 * dropped meanwhile.
 */
void
corm_topic_attach(CormTopicRef *ref)
{
	CormTopicRef now;

	if (ref->slot >= 0 && corm_topic_at(ref->slot)->used && corm_topic_at(ref->slot)->gen == ref->gen)
		return;
	ref->slot = corm_topic_find(MyDatabaseId, ref->id, &ref->gen);
	if (ref->slot >= 0)
		return;
	ref->slot = make_topic(ref);
	if (ref->slot == CORM_TOPIC_NO_SLOT)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many topics"),
				 errhint("Drop one, or increase corm.max_topics and restart the server.")));
	if (ref->slot == CORM_TOPIC_NO_GROUPS)
	{
		ref->slot = CORM_TOPIC_NO_SLOT;
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many groups"),
				 errhint("Unsubscribe one, or increase corm.max_groups and restart the server.")));
	}

	/*
	 * The session may not know yet that the topic has been dropped.  Who drops it
	 * gives up the slot when the drop is visible, so one of us sees the other.
	 */
	now = *ref;
	if (!read_topic(&now) || now.id != ref->id)
	{
		corm_topic_kill(ref->slot, ref->gen);
		corm_topic_gone(NameStr(ref->name));
	}
}

/* find_group finds the slot of a group of a topic that is attached, if it has one. */
static bool
find_group(const CormTopicRef *topic, CormGroupRef *ref)
{
	if (!corm_topic_lock(topic->slot, topic->gen))
		corm_topic_gone(NameStr(topic->name));
	ref->group = corm_topic_at(topic->slot)->first_group;
	while (ref->group >= 0 && corm_group_slots[ref->group].id != ref->id)
		ref->group = corm_group_slots[ref->group].next;
	if (ref->group >= 0)
		ref->group_gen = corm_group_slots[ref->group].gen;
	ref->topic_slot = topic->slot;
	ref->topic_gen = topic->gen;
	corm_topic_unlock(topic->slot);
	return ref->group >= 0;
}

/* group_defined tells whether the tables still have a group that the session knows. */
static bool
group_defined(const CormGroupRef *ref)
{
	CormGroupRef now = {.key = ref->key};
	bool		found = !ref->temporary && read_group(&now);

	free_strings(&now);
	return found && now.id == ref->id;
}

/*
 * corm_group_attach finds the slot of a group of a topic that is attached.  A group
 * whose row was restored from a dump while the topic was in use gets one now.  Raises
 * 55000 if the group has been dropped meanwhile.
 */
void
corm_group_attach(const CormTopicRef *topic, CormGroupRef *ref)
{
	CormGroupSeed seed;

	if (ref->group >= 0 && ref->topic_gen == topic->gen && corm_group_slots[ref->group].used &&
		corm_group_slots[ref->group].gen == ref->group_gen)
		return;
	if (find_group(topic, ref))
		return;
	if (group_defined(ref))
	{
		corm_seed_init(&seed, ref);
		seed.next_seq = PG_INT64_MAX;
		if (topic->settings.durable && corm_durable_cursor_get(ref->id, &seed.epoch, &seed.next_seq, NULL))
			seed.next_seq++;
		if (topic->settings.durable)
			corm_durable_know_bytes(topic->slot, topic->gen, topic->id, seed.next_seq, NULL);
		ref->group = corm_group_make(topic->slot, topic->gen, &seed, &ref->group_gen);
		if (ref->group >= 0 && group_defined(ref))
			return;
		if (ref->group >= 0)
			corm_group_kill(topic->slot, topic->gen, ref->group, ref->group_gen);
	}
	ref->group = CORM_TOPIC_NO_SLOT;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("group \"%s\" of topic \"%s\" has been dropped", NameStr(ref->key.grp),
					NameStr(topic->name))));
}

/* topic_names returns the names of all topics of the database, as String nodes. */
static List *
topic_names(void)
{
	Relation	rel = corm_topic_definitions_open(AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	List	   *names = NIL;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		name = heap_getattr(tuple, Anum_topic_definitions_name, RelationGetDescr(rel), &isnull);

		names = lappend(names, makeString(TextDatumGetCString(name)));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return names;
}

/* corm_topics_attach_durable gives all durable topics of the database their slots. */
void
corm_topics_attach_durable(void)
{
	ListCell   *lc;

	foreach(lc, topic_names())
	{
		CormTopicRef *ref = corm_topic_ref_or_null(strVal(lfirst(lc)));

		if (ref != NULL && ref->settings.durable)
			corm_topic_attach(ref);
	}
}
