/*-------------------------------------------------------------------------
 *
 * rotate.c
 *		Emptying the tables of durable topics, whole.
 *
 * New rows go to the current tables, one for messages and one for settlements.  A
 * rotation makes the next ones current, which were current longest ago, and empties
 * them by TRUNCATE.  That is done in two steps.
 *
 * The first one drains the next tables: it moves the cursors of all groups to what they have
 * settled, so that most rows there are of no use any more, and copies those that still are (of a
 * slow group, or kept for a retention) to the current tables.  From then on nothing in the next tables is needed.
 *
 * The second one empties them, when all snapshots that are in use see the copies.  TRUNCATE does not
 * care for snapshots: a dump that had begun before the copies were there, and reads the tables after that, would have
 * neither.  The same transaction then drains the tables that are the next ones now.
 *
 * Where many rows are of use, they stay where they are; what is of no use is deleted, and
 * VACUUM makes room.
 *
 * Each step needs the tables for itself for a moment and does not
 * wait: if somebody uses them, or a group is being moved by a seek, it is tried again later.
 *
 * A worker does it when a topic has had many messages since the last time; it can be
 * called as corm.topic_rotate(), too.  The worker is authenticated as the bootstrap
 * superuser and runs nothing but this.
 *
 * Both act as the owner of the tables, who may be nobody special any more and may have
 * added triggers.  These run as him, in a security-restricted operation: what they
 * could defer would run when the transaction commits, as the superuser.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/effects.h"
#include "base/guc.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "work/process/worker.h"
#include "work/topic/durable.h"
#include "work/topic/durable_tables.h"
#include "work/topic/log.h"
#include "work/topic/rotate.h"

PG_FUNCTION_INFO_V1(corm_topic_rotate);

/* More rows than this are not copied. */
#define MAX_COPIED		100000

/* A topic, as a rotation sees it. */
typedef struct RotatedTopic
{
	uint64		id;
	int			slot;
	uint64		gen;
	int64		last_seq;
	int64		needed;			/* the smallest number that a group has not settled */
	TimestampTz kept_since;		/* messages published later are kept for the retention */
	TimestampTz known_since;	/* or for the ids that are remembered */
	int64		purged;			/* the retention does not keep those before this number */
	int64		first_seq;		/* that will be left */
} RotatedTopic;

/* A group. */
typedef struct RotatedGroup
{
	uint64		id;
	uint64		topic_id;
	uint64		epoch;
	int64		settled;		/* all up to this number */
} RotatedGroup;

typedef struct Rotation
{
	int			ntopics;
	RotatedTopic *topics;
	int			ngroups;
	RotatedGroup *groups;
	CormDurableRotation tables;
} Rotation;

/* Whether a row of the next tables is of use. */
typedef bool (*RowNeeded) (Rotation *rotation, HeapTuple tuple, TupleDesc desc);

/* look_at_topic adds a topic and its groups to a rotation.  Takes the topic's lock. */
static void
look_at_topic(Rotation *rotation, int slot)
{
	CormTopic  *topic = corm_topic_at(slot);
	RotatedTopic *rotated = &rotation->topics[rotation->ntopics];

	LWLockAcquire(corm_topic_lwlock(slot), LW_EXCLUSIVE);
	if (topic->used && topic->db == MyDatabaseId && topic->settings.durable)
	{
		TimestampTz now = corm_clock_real();

		rotated->id = topic->id;
		rotated->slot = slot;
		rotated->gen = topic->gen;
		rotated->last_seq = topic->last_seq;
		rotated->needed = topic->last_seq + 1;
		rotated->kept_since = topic->settings.retention > 0 ? now - topic->settings.retention : PG_INT64_MAX;
		rotated->known_since = topic->settings.dedup > 0 ? now - topic->settings.dedup : PG_INT64_MAX;
		rotated->purged = topic->first_seq;
		rotated->first_seq = PG_INT64_MAX;
		for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
		{
			CormGroup  *group = &corm_group_slots[g];
			RotatedGroup *r = &rotation->groups[rotation->ngroups];
			int64		oldest = corm_group_oldest(topic, group);

			rotated->needed = Min(rotated->needed, oldest);
			if (group->temporary || group->creating)
				continue;
			r->id = group->id;
			r->topic_id = topic->id;
			r->epoch = group->epoch;
			r->settled = oldest - 1;
			rotation->ngroups++;
		}
		topic->since = 0;
		rotation->ntopics++;
	}
	LWLockRelease(corm_topic_lwlock(slot));
}

/*
 * move_cursors stores how far the groups are.  What a seek has changed is left to it.  Returns false if one is
 * under way, whose group may need what seems to be of no use.
 */
static bool
move_cursors(Rotation *rotation)
{
	for (int i = 0; i < rotation->ngroups; i++)
	{
		RotatedGroup *group = &rotation->groups[i];
		uint64		epoch;
		int64		settled;

		if (!corm_durable_cursor_lock(group->id, false))
			return false;
		if (corm_durable_cursor_get(group->id, &epoch, &settled, NULL) && epoch == group->epoch)
		{
			if (settled < group->settled)
				corm_durable_cursor_set(group->topic_id, group->id, epoch, group->settled);
		}
		else
			group->settled = -1;	/* keep all its settlements */
	}
	return true;
}

/* find_topic returns a topic of a rotation, NULL if it is none of the database's. */
static RotatedTopic *
find_topic(Rotation *rotation, uint64 id)
{
	for (int i = 0; i < rotation->ntopics; i++)
		if (rotation->topics[i].id == id)
			return &rotation->topics[i];
	return NULL;
}

/* message_needed tells whether a row of messages is of use. */
static bool
message_needed(Rotation *rotation, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	RotatedTopic *topic = find_topic(rotation, (uint64) DatumGetInt64(heap_getattr(tuple, 1, desc, &isnull)));
	int64		seq = DatumGetInt64(heap_getattr(tuple, 2, desc, &isnull));
	TimestampTz published_at = DatumGetTimestampTz(heap_getattr(tuple, 3, desc, &isnull));

	return topic != NULL &&
		(seq >= topic->needed || published_at > topic->known_since || (seq >= topic->purged && published_at > topic->kept_since));
}

/* settlement_needed tells whether a row of settlements is of use. */
static bool
settlement_needed(Rotation *rotation, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	uint64		id = (uint64) DatumGetInt64(heap_getattr(tuple, 1, desc, &isnull));
	int64		last = DatumGetInt64(heap_getattr(tuple, 4, desc, &isnull));

	for (int i = 0; i < rotation->ngroups; i++)
		if (rotation->groups[i].id == id)
			return last > rotation->groups[i].settled;
	return false;
}

/* open_number opens one of three tables. */
static Relation
open_number(const char *name, int number, LOCKMODE mode)
{
	char		full[NAMEDATALEN];

	snprintf(full, sizeof(full), "%s_%d", name, number);
	return corm_catalog_require(full, mode, NULL);
}

/* count_needed counts the rows of a next table that are of use, up to one more than are copied. */
static int
count_needed(Rotation *rotation, const char *name, RowNeeded needed)
{
	Relation	from = open_number(name, rotation->tables.next, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(from, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	tuple;
	int			n = 0;

	while (n <= MAX_COPIED && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		n += needed(rotation, tuple, RelationGetDescr(from));
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(from, NoLock);
	return n;
}

/* copy_row inserts a row of one table into another one. */
static void
copy_row(Relation from, HeapTuple tuple, Relation to, CatalogIndexState indexes)
{
	Datum		values[16];
	bool		nulls[16];
	HeapTuple	copy;

	/* formed anew: what is stored out of line belongs to the other table */
	heap_deform_tuple(tuple, RelationGetDescr(from), values, nulls);
	for (int i = 0; i < RelationGetDescr(from)->natts; i++)
		if (!nulls[i] && TupleDescAttr(RelationGetDescr(from), i)->attlen == -1)
			values[i] = PointerGetDatum(PG_DETOAST_DATUM(values[i]));
	copy = heap_form_tuple(RelationGetDescr(to), values, nulls);
	CatalogTupleInsertWithInfo(to, copy, indexes);
	heap_freetuple(copy);
}

/* copy_needed copies the rows of a next table that are of use to the current one. */
static void
copy_needed(Rotation *rotation, const char *name, RowNeeded needed)
{
	Relation	from = open_number(name, rotation->tables.next, AccessShareLock);
	Relation	to = open_number(name, rotation->tables.current, RowExclusiveLock);
	CatalogIndexState indexes = CatalogOpenIndexes(to);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(from, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		if (needed(rotation, tuple, RelationGetDescr(from)))
			copy_row(from, tuple, to, indexes);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	CatalogCloseIndexes(indexes);
	table_close(to, NoLock);
	table_close(from, NoLock);
}

/* delete_unneeded deletes the rows of a next table that are of no use. */
static void
delete_unneeded(Rotation *rotation, const char *name, RowNeeded needed)
{
	Relation	rel = open_number(name, rotation->tables.next, RowExclusiveLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		if (!needed(rotation, tuple, RelationGetDescr(rel)))
			CatalogTupleDelete(rel, &tuple->t_self);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
}

/* lock_next locks the next tables.  Returns false, at once, if others are in the way. */
static bool
lock_next(const Rotation *rotation, LOCKMODE mode)
{
	static const char *const names[] = {"topic_messages", "topic_settled"};

	for (int i = 0; i < lengthof(names); i++)
	{
		char		full[NAMEDATALEN];
		Oid			oid;

		snprintf(full, sizeof(full), "%s_%d", names[i], rotation->tables.next);
		oid = corm_catalog_oid(full);
		if (!OidIsValid(oid) || !ConditionalLockRelationOid(oid, mode))
			return false;
	}
	return true;
}

/*
 * all_see_copies tells whether all snapshots in use see what the next tables were drained by.  A number that is yet
 * to come is of the cluster in which the database was dumped, with the copies.
 */
static bool
all_see_copies(const Rotation *rotation)
{
	Relation	rel = open_number("topic_messages", rotation->tables.next, AccessShareLock);
	uint64		next = U64FromFullTransactionId(ReadNextFullTransactionId());
	TransactionId oldest = GetOldestNonRemovableTransactionId(rel);
	uint64		horizon = next - (uint32) ((TransactionId) next - oldest);

	table_close(rel, NoLock);
	return rotation->tables.drained < horizon || rotation->tables.drained >= next;
}

/* execute runs a statement of its own by SPI. */
static void
execute(const char *statement, int expected)
{
	if (SPI_execute(statement, false, 0) != expected)
		elog(ERROR, "could not rotate the tables of topics");
}

/* store_state stores the last numbers of topics. */
static void
store_state(const Rotation *rotation)
{
	for (int i = 0; i < rotation->ntopics; i++)
		execute(psprintf("INSERT INTO corm.topic_state VALUES (" INT64_FORMAT ", " INT64_FORMAT ") "
						 "ON CONFLICT (topic_id) DO UPDATE SET last_seq = EXCLUDED.last_seq "
						 "WHERE topic_state.last_seq OPERATOR(pg_catalog.<>) EXCLUDED.last_seq",
						 (int64) rotation->topics[i].id, rotation->topics[i].last_seq), SPI_OK_INSERT);
	execute("DELETE FROM corm.topic_state s WHERE NOT EXISTS "
			"(SELECT FROM corm.topic_definitions d WHERE d.id OPERATOR(pg_catalog.=) s.topic_id)", SPI_OK_DELETE);
}

/* store_rotation stores which tables are which. */
static void
store_rotation(const Rotation *rotation)
{
	execute("DELETE FROM corm.topic_rotation", SPI_OK_DELETE);
	execute(psprintf("INSERT INTO corm.topic_rotation VALUES (%d, NULLIF(" INT64_FORMAT ", 0))", rotation->tables.current,
					 (int64) rotation->tables.drained), SPI_OK_INSERT);
}

/* An effect that tells topics which of their messages are left. */
typedef struct FirstEffect
{
	CormEffect	effect;			/* must be first */
	int			n;
	RotatedTopic *topics;
} FirstEffect;

static void
first_reserve(CormEffect *effect)
{
	/* nothing to reserve */
}

static void
first_apply(CormEffect *effect)
{
	FirstEffect *first = (FirstEffect *) effect;

	for (int i = 0; i < first->n; i++)
	{
		if (!corm_topic_lock(first->topics[i].slot, first->topics[i].gen))
			continue;
		corm_topic_at(first->topics[i].slot)->first_seq = Max(corm_topic_at(first->topics[i].slot)->first_seq, first->topics[i].first_seq);
		corm_topic_unlock(first->topics[i].slot);
	}
}

static void
first_discard(CormEffect *effect)
{
	pfree(effect);
}

static const CormEffectOps first_ops = {
	.reserve = first_reserve,
	.apply = first_apply,
	.discard = first_discard,
	.deed = "rotated the tables of topics",
	.late = true,
};

/* note_first finds the first messages that are left, and has the topics know at commit. */
static void
note_first(const Rotation *rotation)
{
	FirstEffect *effect = MemoryContextAllocZero(TopTransactionContext, sizeof(FirstEffect));

	effect->n = rotation->ntopics;
	effect->topics = MemoryContextAlloc(TopTransactionContext, Max(rotation->ntopics, 1) * sizeof(RotatedTopic));
	memcpy(effect->topics, rotation->topics, rotation->ntopics * sizeof(RotatedTopic));
	for (int i = 0; i < effect->n; i++)
		effect->topics[i].first_seq = corm_durable_first_seq(effect->topics[i].id, effect->topics[i].last_seq + 1);
	corm_effect_add(&effect->effect, &first_ops);
}

/* advance makes the next tables current. */
static void
advance(Rotation *rotation)
{
	rotation->tables.current = rotation->tables.next;
	rotation->tables.next = (rotation->tables.current + 1) % CORM_DURABLE_TABLES;
	rotation->tables.drained = 0;
}

/* empty empties the next tables, which are drained, and makes them current.  Returns false if it cannot be now. */
static bool
empty(Rotation *rotation)
{
	if (!lock_next(rotation, AccessExclusiveLock) || !all_see_copies(rotation))
		return false;
	execute(psprintf("TRUNCATE corm.topic_messages_%d, corm.topic_settled_%d", rotation->tables.next, rotation->tables.next),
			SPI_OK_UTILITY);
	advance(rotation);
	return true;
}

/*
 * drain copies the rows of the next tables that are of use; or, if these are many, deletes the others and makes the
 * tables current as they are.  Returns false if it cannot be now.
 */
static bool
drain(Rotation *rotation)
{
	/* nobody may be about to insert there what it began when they were current */
	if (!lock_next(rotation, ShareLock))
		return false;
	for (int i = 0; i < corm_max_topics; i++)
		look_at_topic(rotation, i);
	if (!move_cursors(rotation))
		return false;
	if (count_needed(rotation, "topic_messages", message_needed) > MAX_COPIED ||
		count_needed(rotation, "topic_settled", settlement_needed) > MAX_COPIED)
	{
		delete_unneeded(rotation, "topic_messages", message_needed);
		delete_unneeded(rotation, "topic_settled", settlement_needed);
		advance(rotation);
	}
	else
	{
		copy_needed(rotation, "topic_messages", message_needed);
		copy_needed(rotation, "topic_settled", settlement_needed);
		rotation->tables.drained = U64FromFullTransactionId(GetTopFullTransactionId());
	}
	CommandCounterIncrement();
	return true;
}

/* rotate does what can be done in this transaction, or one step of it.  Returns false if that is nothing. */
static bool
rotate(bool one_step)
{
	Rotation	rotation = {0};
	bool		done = false;

	corm_topics_attach_durable();
	rotation.topics = palloc0(Max(corm_max_topics, 1) * sizeof(RotatedTopic));
	rotation.groups = palloc0(Max(corm_max_groups, 1) * sizeof(RotatedGroup));
	corm_durable_rotation(&rotation.tables);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (rotation.tables.drained != 0)
		done = empty(&rotation);
	if (rotation.tables.drained == 0 && !(done && one_step) && drain(&rotation))
	{
		store_state(&rotation);
		done = true;
	}
	if (done)
		store_rotation(&rotation);
	SPI_finish();
	CommandCounterIncrement();
	if (rotation.ntopics > 0)
		note_first(&rotation);
	return done;
}

/*
 * rotate_in_subtransaction does a rotation as the owner of the tables, and undoes all if
 * it comes to nothing.  Raises what that raises, when the subtransaction has ended.
 */
static bool
rotate_in_subtransaction(bool one_step)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	Relation	rel = corm_topic_definitions_open(AccessShareLock);
	Oid			owner = rel->rd_rel->relowner;
	Oid			user;
	int			context;
	int			level;
	volatile bool done = false;
	ErrorData  *volatile error = NULL;

	table_close(rel, AccessShareLock);
	GetUserIdAndSecContext(&user, &context);
	BeginInternalSubTransaction(NULL);
	SetUserIdAndSecContext(owner, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	MemoryContextSwitchTo(oldcontext);
	PG_TRY();
	{
		done = rotate(one_step);
	}
	PG_CATCH();
	{
		/* the end of the subtransaction restores user and settings */
		MemoryContextSwitchTo(oldcontext);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	if (error == NULL)
	{
		AtEOXact_GUC(false, level);
		SetUserIdAndSecContext(user, context);
	}
	if (done)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;
	if (error != NULL)
		ReThrowError(error);
	return done;
}

/* topic_rotate() -> boolean */
Datum
corm_topic_rotate(PG_FUNCTION_ARGS)
{
	corm_work_require("a topic");
	PreventCommandIfReadOnly("corm.topic_rotate()");
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("corm.topic_rotate() requires isolation level READ COMMITTED")));
	PG_RETURN_BOOL(rotate_in_subtransaction(false));
}

/* due tells whether the tables of a database are to be rotated. */
static bool
due(int slot)
{
	CormTopic  *topic = corm_topic_at(slot);

	return topic->used && topic->settings.durable && topic->since >= CORM_ROTATE_AFTER;
}

static void
rotate_wanted(void (*want) (Oid database, Oid session_user, int n))
{
	for (int i = 0; i < corm_max_topics; i++)
		if (due(i))
			want(corm_topic_at(i)->db, BOOTSTRAP_SUPERUSERID, 1);
}

static void *
rotate_claim(Oid database, Oid session_user)
{
	void	   *found = NULL;

	if (session_user != BOOTSTRAP_SUPERUSERID)
		return NULL;
	for (int i = 0; i < corm_max_topics; i++)
	{
		/* a look without the lock, again with it */
		if (!due(i))
			continue;
		LWLockAcquire(corm_topic_lwlock(i), LW_EXCLUSIVE);
		if (due(i) && corm_topic_at(i)->db == database)
		{
			/* not again until as many more have come */
			corm_topic_at(i)->since = 0;
			found = corm_topic_at(i);
		}
		LWLockRelease(corm_topic_lwlock(i));
	}
	return found;
}

/* rotate_run does a rotation in a worker, each step in a transaction of its own: nobody reads the tables that are being emptied. */
static void
rotate_run(void *task)
{
	MemoryContext oldcontext = CurrentMemoryContext;

	PG_TRY();
	{
		for (int step = 0; step < 2; step++)
		{
			StartTransactionCommand();
			PushActiveSnapshot(GetTransactionSnapshot());
			(void) rotate_in_subtransaction(true);
			PopActiveSnapshot();
			CommitTransactionCommand();
		}
	}
	PG_CATCH();
	{
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
}

static void
rotate_lost(void *task)
{
	/* the next messages bring the next one */
}

static const CormTaskSource rotate_source = {rotate_wanted, rotate_claim, rotate_run, rotate_lost};

/* corm_rotate_init adds rotations to what workers do. */
void
corm_rotate_init(void)
{
	corm_worker_add_source(&rotate_source);
}

/* corm_rotate_wake has a worker rotate the tables of a database.  Raises nothing. */
void
corm_rotate_wake(Oid db)
{
	corm_worker_wake(db, BOOTSTRAP_SUPERUSERID);
}
