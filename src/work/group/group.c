/*-------------------------------------------------------------------------
 *
 * group.c
 *		Wait groups: counters in shared memory that sessions wait for.
 *
 * A group has a count, which corm.wg_add raises and corm.wg_done lowers, and those
 * who wait are woken when it is zero.  A task that is submitted with a group
 * is counted in it until it has ended.
 *
 * Two counts.  Units that users add and units of tasks are counted apart, and a
 * user can take away only the former, so the end of a task always finds its unit.
 * The group is at zero when both are.
 *
 * Transactions.  Adding, taking away, creating and dropping are late effects
 * (base/effects.h).  What may fail is done when the function is called: a new
 * group takes its place, which only its own transaction sees; wg_done reserves
 * the unit that it is going to take, unless an uncommitted wg_add of its own
 * transaction comes before it.  As effects are discarded newest first, such a
 * wg_add is still there when the wg_done is applied.  What a transaction does to
 * a group is applied at once: nobody sees a zero in the middle.
 *
 * Names.  Groups belong to a database.  They are found by a hash of database and
 * name; the entry of a group is named by index and generation, which changes when
 * the group is dropped.
 *
 * Rights.  Any role may create groups.  The role that did, members of it and
 * superusers may use one and drop it.  The definitions are in shared memory only:
 * groups are gone after a restart, and so is what they count.
 *
 * Locking.  One LWLock for all of it.  The condition variable of a group is
 * broadcast after a change under the lock; waiters look under the lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/arena.h"
#include "base/args.h"
#include "base/clock.h"
#include "base/effects.h"
#include "base/guc.h"
#include "base/xact_end.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"
#include "work/group/group.h"
#include "work/shared/audit.h"
#include "work/shared/gone.h"
#include "work/shared/memory.h"
#include "work/shared/waiting.h"

#define NO_GROUP	PG_UINT32_MAX

/* A group in shared memory. */
typedef struct WaitGroup
{
	uint32		generation;		/* of this use of the entry; never 0 */
	uint32		next;			/* in the chain of its hash, or of free ones */
	bool		used;
	bool		committed;		/* its creation is */
	Oid			database;
	Oid			owner;
	char		name[NAMEDATALEN];
	int64		count;			/* units of users */
	int64		reserved;		/* of these, to be taken away by transactions */
	int64		tasks;			/* units of tasks */
	uint64		zeros;			/* how often it has come to zero */
	uint32		waiters;
	ConditionVariable changed;
} WaitGroup;

typedef struct GroupShared
{
	LWLock		lock;
	int			tranche;
	uint32		free;			/* first of the chain */
	uint32		chains[FLEXIBLE_ARRAY_MEMBER];	/* as many as groups */
} GroupShared;

/* What this transaction has done to a group. */
typedef struct Pending
{
	struct Pending *next;
	CormGroupRef ref;
	char		name[NAMEDATALEN];
	bool		created;
	bool		dropped;
	bool		applied;
	int64		added;
	int64		taken;
	int64		reserved;		/* of taken: reserved in the group */
	int64		tasks;
	struct GroupEffect *last;	/* newest effect that changes counts */
} Pending;

typedef enum GroupDeed
{
	DEED_CREATE,
	DEED_CHANGE,
	DEED_DROP
} GroupDeed;

typedef struct GroupEffect
{
	CormEffect	effect;
	GroupDeed	deed;
	Pending    *pending;
	struct GroupEffect *previous;	/* that changes counts of the same group */
	int64		added;
	int64		taken;
	int64		reserved;
	int64		tasks;
} GroupEffect;

static GroupShared *shared = NULL;
static WaitGroup *groups;
static Pending *pendings = NULL;
static uint32 wait_event = 0;

PG_FUNCTION_INFO_V1(corm_wg_create);
PG_FUNCTION_INFO_V1(corm_wg_add);
PG_FUNCTION_INFO_V1(corm_wg_done);
PG_FUNCTION_INFO_V1(corm_wg_wait);
PG_FUNCTION_INFO_V1(corm_wg_wait_call);
PG_FUNCTION_INFO_V1(corm_wg_count);
PG_FUNCTION_INFO_V1(corm_wg_drop);
PG_FUNCTION_INFO_V1(corm_wg_list);

/*
 * The shared structure
 */

static Size
chains_size(void)
{
	return MAXALIGN(add_size(offsetof(GroupShared, chains), mul_size(corm_max_wait_groups, sizeof(uint32))));
}

static Size
groups_size(void)
{
	return add_size(chains_size(), mul_size(corm_max_wait_groups, sizeof(WaitGroup)));
}

static void
groups_attach(void *addr, Size size, bool found)
{
	shared = addr;
	groups = (WaitGroup *) ((char *) addr + chains_size());
	if (!found)
	{
		memset(addr, 0, size);
		shared->tranche = LWLockNewTrancheId();
		LWLockInitialize(&shared->lock, shared->tranche);
		for (uint32 i = 0; i < corm_max_wait_groups; i++)
		{
			shared->chains[i] = NO_GROUP;
			groups[i].generation = 1;
			groups[i].next = i + 1 < corm_max_wait_groups ? i + 1 : NO_GROUP;
			ConditionVariableInit(&groups[i].changed);
		}
		shared->free = 0;
	}
	LWLockRegisterTranche(shared->tranche, "CormWaitGroups");
}

static const CormSharedPart groups_part = {
	.name = "corm wait groups",
	.size = groups_size,
	.attach = groups_attach,
};

/* chain_of returns the head of the chain that a name is in. */
static uint32 *
chain_of(Oid database, const char *name)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) name, strlen(name), database);

	return &shared->chains[hash % corm_max_wait_groups];
}

/* is_current tells whether a reference is to a group that exists.  Needs the lock. */
static bool
is_current(CormGroupRef ref)
{
	return groups[ref.index].used && groups[ref.index].generation == ref.generation;
}

/* is_zero tells whether a group counts nothing.  Needs the lock. */
static bool
is_zero(const WaitGroup *group)
{
	return group->count == 0 && group->tasks == 0;
}

/*
 * free_group gives an entry back.  Needs the exclusive lock.  Who waits for the
 * group is woken, and finds that the generation is another one.
 */
static void
free_group(uint32 index)
{
	WaitGroup	   *group = &groups[index];
	uint32	   *link = chain_of(group->database, group->name);

	while (*link != index)
	{
		if (unlikely(*link == NO_GROUP))
			ereport(PANIC,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("wait groups are damaged: one is not in its list")));
		link = &groups[*link].next;
	}
	*link = group->next;
	group->next = shared->free;
	shared->free = index;
	group->used = false;
	if (++group->generation == 0)
		group->generation = 1;
	ConditionVariableBroadcast(&group->changed);
}

/* forget_database drops the groups of a database that is gone.  Raises nothing. */
static void
forget_database(Oid database)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	for (uint32 i = 0; i < corm_max_wait_groups; i++)
	{
		if (groups[i].used && groups[i].committed && groups[i].database == database)
			free_group(i);
	}
	LWLockRelease(&shared->lock);
}

/*
 * What a transaction does
 */

/* pending_of returns what this transaction has done to a group, or NULL. */
static Pending *
pending_of(CormGroupRef ref)
{
	for (Pending *pending = pendings; pending != NULL; pending = pending->next)
		if (pending->ref.index == ref.index && pending->ref.generation == ref.generation)
			return pending;
	return NULL;
}

/* make_pending returns pending_of, made if there is none. */
static Pending *
make_pending(CormGroupRef ref, const char *name)
{
	Pending    *pending = pending_of(ref);

	if (pending == NULL)
	{
		pending = MemoryContextAllocZero(TopTransactionContext, sizeof(Pending));
		pending->ref = ref;
		strlcpy(pending->name, name, NAMEDATALEN);
		corm_xact_needs_end();
		pending->next = pendings;
		pendings = pending;
	}
	return pending;
}

/* at_end forgets what the transaction has done. */
static void
at_end(void)
{
	pendings = NULL;
}

/* make_effect makes an effect on a group; the caller fills it in and adds it. */
static GroupEffect *
make_effect(Pending *pending, GroupDeed deed)
{
	GroupEffect *effect = MemoryContextAllocZero(TopTransactionContext, sizeof(GroupEffect));

	effect->deed = deed;
	effect->pending = pending;
	return effect;
}

static void
group_reserve(CormEffect *effect)
{
}

/*
 * change applies to a group what the transaction has done to its counts.  Needs
 * the exclusive lock.
 */
static void
change(WaitGroup *group, int64 count, int64 tasks, int64 reserved)
{
	bool		was_zero = is_zero(group);

	group->count += count;
	group->tasks += tasks;
	group->reserved -= reserved;
	if (!was_zero && is_zero(group))
	{
		group->zeros++;
		ConditionVariableBroadcast(&group->changed);
	}
}

/* group_apply makes what is committed true for all.  Raises nothing. */
static void
group_apply(CormEffect *base)
{
	GroupEffect *effect = (GroupEffect *) base;
	Pending    *pending = effect->pending;
	WaitGroup	   *group = &groups[pending->ref.index];

	if (effect->deed == DEED_CHANGE && pending->applied)
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (is_current(pending->ref))
	{
		switch (effect->deed)
		{
			case DEED_CREATE:
				group->committed = true;
				break;
			case DEED_CHANGE:
				change(group, pending->added - pending->taken, pending->tasks, pending->reserved);
				pending->applied = true;
				break;
			case DEED_DROP:
				free_group(pending->ref.index);
				break;
		}
	}
	LWLockRelease(&shared->lock);
}

/* group_discard undoes what was taken when the function was called.  Raises nothing. */
static void
group_discard(CormEffect *base)
{
	GroupEffect *effect = (GroupEffect *) base;
	Pending    *pending = effect->pending;

	switch (effect->deed)
	{
		case DEED_CREATE:
			LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
			if (is_current(pending->ref))
				free_group(pending->ref.index);
			LWLockRelease(&shared->lock);
			pending->created = false;
			break;

		case DEED_CHANGE:
			if (effect->reserved > 0)
			{
				LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
				if (is_current(pending->ref))
					groups[pending->ref.index].reserved -= effect->reserved;
				LWLockRelease(&shared->lock);
			}
			pending->added -= effect->added;
			pending->taken -= effect->taken;
			pending->reserved -= effect->reserved;
			pending->tasks -= effect->tasks;
			pending->last = effect->previous;
			break;

		case DEED_DROP:
			pending->dropped = false;
			break;
	}
}

static const CormEffectOps group_ops = {
	.reserve = group_reserve,
	.apply = group_apply,
	.discard = group_discard,
	.deed = "changed wait groups",
	.late = true,
};

/*
 * change_effect returns an effect of the current subtransaction that changes the
 * counts of a group.
 */
static GroupEffect *
change_effect(Pending *pending)
{
	GroupEffect *effect = pending->last;

	if (effect != NULL && effect->effect.level == GetCurrentTransactionNestLevel())
		return effect;
	effect = make_effect(pending, DEED_CHANGE);
	effect->previous = pending->last;
	pending->last = effect;
	corm_effect_add(&effect->effect, &group_ops);
	return effect;
}

/*
 * Finding groups
 */

/*
 * look_up finds the group of a name in the current database as this transaction
 * sees it, and its owner.  Returns whether there is one.
 */
static bool
look_up(const char *name, CormGroupRef *ref, Oid *owner)
{
	bool		found = false;

	LWLockAcquire(&shared->lock, LW_SHARED);
	for (uint32 i = *chain_of(MyDatabaseId, name); i != NO_GROUP && !found; i = groups[i].next)
	{
		const Pending *pending;

		if (groups[i].database != MyDatabaseId || strcmp(groups[i].name, name) != 0)
			continue;
		ref->index = i;
		ref->generation = groups[i].generation;
		*owner = groups[i].owner;
		pending = pending_of(*ref);
		found = pending == NULL ? groups[i].committed : !pending->dropped;
	}
	LWLockRelease(&shared->lock);
	return found;
}

/*
 * corm_group_find returns the group of a name, after checking that the current
 * role may use it.  Raises 42704, 42501.
 */
CormGroupRef
corm_group_find(const char *name)
{
	CormGroupRef ref;
	Oid			owner;

	if (!look_up(name, &ref, &owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("wait group \"%s\" does not exist", name)));
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for wait group \"%s\"", name),
				 errdetail("Only its owner, members of that role and superusers may use it.")));
	return ref;
}

/* dropped raises 55000 for a group that another transaction has dropped meanwhile. */
static void
dropped(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("wait group \"%s\" was dropped", name)));
}

/* get_name returns the name of a group that is the first argument. */
static char *
get_name(FunctionCallInfo fcinfo)
{
	corm_work_require("a wait group");
	return corm_name_arg(fcinfo, 0, "wait group name");
}

/*
 * Tasks
 */

/*
 * corm_group_add_tasks counts n tasks in a group, when the transaction commits or
 * at once.  Raises 55000 if it has been dropped meanwhile.
 */
void
corm_group_add_tasks(CormGroupRef ref, int n, bool immediate)
{
	GroupEffect *effect;
	char		name[NAMEDATALEN];
	bool		current;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	current = is_current(ref);
	if (current)
	{
		strlcpy(name, groups[ref.index].name, NAMEDATALEN);
		if (immediate)
			groups[ref.index].tasks += n;
	}
	LWLockRelease(&shared->lock);
	if (!current)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the wait group was dropped")));
	if (immediate)
		return;
	effect = change_effect(make_pending(ref, name));
	effect->tasks += n;
	effect->pending->tasks += n;
}

/* corm_group_task_ended counts a task that has ended, however it did.  Raises nothing. */
void
corm_group_task_ended(CormGroupRef ref)
{
	if (ref.generation == 0)
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (is_current(ref))
		change(&groups[ref.index], 0, -1, 0);
	LWLockRelease(&shared->lock);
}

/*
 * corm_group_name copies the name of a group to a buffer of NAMEDATALEN bytes.
 * Returns false if it has been dropped.  Raises nothing.
 */
bool
corm_group_name(CormGroupRef ref, char *name)
{
	bool		current;

	if (ref.generation == 0)
		return false;
	LWLockAcquire(&shared->lock, LW_SHARED);
	current = is_current(ref);
	if (current)
		strlcpy(name, groups[ref.index].name, NAMEDATALEN);
	LWLockRelease(&shared->lock);
	return current;
}

/*
 * SQL functions
 */

/* below_zero raises 22023. */
static void
below_zero(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("wait group \"%s\" would go below zero", name)));
}

/*
 * add_units adds units to a group or, if delta is negative, takes some away.
 * Raises 22023 if there are not so many, 55000.
 */
static void
add_units(const char *name, int64 delta, bool immediate)
{
	CormGroupRef ref = corm_group_find(name);
	Pending    *pending;
	GroupEffect *effect = NULL;
	int64		own = 0;		/* units of this transaction that it may take */
	int64		reserve;
	bool		current;
	bool		enough = true;

	if (!immediate)
	{
		pending = make_pending(ref, name);
		effect = change_effect(pending);
		own = pending->added - (pending->taken - pending->reserved);
	}
	reserve = Max(0, -delta - own);

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	current = is_current(ref);
	if (current)
	{
		WaitGroup	   *group = &groups[ref.index];

		enough = group->count - group->reserved >= reserve;
		if (!enough)
			;
		else if (immediate)
			change(group, delta, 0, 0);
		else
			group->reserved += reserve;
	}
	LWLockRelease(&shared->lock);
	if (!current)
		dropped(name);
	if (!enough)
		below_zero(name);

	if (effect != NULL)
	{
		effect->added += Max(0, delta);
		effect->taken += Max(0, -delta);
		effect->reserved += reserve;
		effect->pending->added += Max(0, delta);
		effect->pending->taken += Max(0, -delta);
		effect->pending->reserved += reserve;
	}
}

/* take_entry takes a free entry for a new group.  Returns false if there is none, or sets *exists. */
static bool
take_entry(const char *name, int n, bool *exists, CormGroupRef *ref)
{
	uint32	   *chain;
	uint32		index;

	*exists = false;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	chain = chain_of(MyDatabaseId, name);
	for (uint32 i = *chain; i != NO_GROUP && !*exists; i = groups[i].next)
	{
		const Pending *pending;

		if (groups[i].database != MyDatabaseId || strcmp(groups[i].name, name) != 0)
			continue;
		ref->index = i;
		ref->generation = groups[i].generation;
		pending = pending_of(*ref);
		*exists = pending == NULL || !pending->dropped;
	}
	index = shared->free;
	if (!*exists && index != NO_GROUP)
	{
		WaitGroup	   *group = &groups[index];

		shared->free = group->next;
		group->next = *chain;
		*chain = index;
		group->used = true;
		group->committed = false;
		group->database = MyDatabaseId;
		group->owner = GetUserId();
		strlcpy(group->name, name, NAMEDATALEN);
		group->count = n;
		group->reserved = 0;
		group->tasks = 0;
		group->waiters = 0;
		ref->index = index;
		ref->generation = group->generation;
	}
	LWLockRelease(&shared->lock);
	return index != NO_GROUP;
}

/* wg_create(name, n) -> void */
Datum
corm_wg_create(PG_FUNCTION_ARGS)
{
	char	   *name = get_name(fcinfo);
	int			n = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);
	Pending    *pending;
	GroupEffect *effect;
	CormGroupRef ref;
	bool		exists;

	corm_check_new_name("wait group name", name);
	if (n < 0)
		below_zero(name);

	/* what can raise comes before the entry is taken */
	pending = MemoryContextAllocZero(TopTransactionContext, sizeof(Pending));
	effect = make_effect(pending, DEED_CREATE);
	if (!take_entry(name, n, &exists, &ref))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many wait groups"),
				 errdetail("The server can have %d.", corm_max_wait_groups),
				 errhint("Drop one, or increase corm.max_wait_groups and restart the server.")));
	if (exists)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("wait group \"%s\" already exists", name)));

	pending->ref = ref;
	strlcpy(pending->name, name, NAMEDATALEN);
	pending->created = true;
	pending->next = pendings;
	pendings = pending;
	corm_effect_add(&effect->effect, &group_ops);
	PG_RETURN_VOID();
}

/* wg_add(name, delta, immediate) -> void */
Datum
corm_wg_add(PG_FUNCTION_ARGS)
{
	char	   *name = get_name(fcinfo);
	static const char *const names[] = {"name", "delta", "immediate"};

	corm_require_args(fcinfo, names, lengthof(names));
	add_units(name, PG_GETARG_INT32(1), PG_GETARG_BOOL(2));
	PG_RETURN_VOID();
}

/* wg_done(name, immediate) -> void */
Datum
corm_wg_done(PG_FUNCTION_ARGS)
{
	char	   *name = get_name(fcinfo);
	static const char *const names[] = {"name", "immediate"};

	corm_require_args(fcinfo, names, lengthof(names));
	add_units(name, -1, PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}

/* stop_waiting ends the wait of this process for a group, also when the process exits. */
static void
stop_waiting(int code, Datum arg)
{
	const CormGroupRef *ref = (const CormGroupRef *) DatumGetPointer(arg);

	ConditionVariableCancelSleep();
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (is_current(*ref))
		groups[ref->index].waiters--;
	LWLockRelease(&shared->lock);
}

/* changed_here raises 55000 where waiting would be for what waits for the end of this transaction. */
static void
changed_here(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot wait for wait group \"%s\", which this transaction has changed", name),
			 errdetail("The changes count when the transaction commits."),
			 errhint("Commit first, or change it with immediate => true.")));
}

/*
 * wait_for_zero waits until a group has come to zero.  Returns false if the
 * deadline passes first.  Raises 55000 if the group is dropped, or if this
 * transaction has changed it.
 */
static bool
wait_for_zero(const char *name, CormGroupRef ref, int64 deadline)
{
	WaitGroup	   *group = &groups[ref.index];
	const Pending *pending = pending_of(ref);
	volatile uint64 zeros = 0;
	bool		current;
	bool		zero = false;
	bool		own = pending != NULL && pending->created;

	if (pending != NULL &&
		(pending->added != pending->taken || pending->reserved > 0 || pending->tasks > 0))
		changed_here(name);

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	current = is_current(ref);
	if (current)
	{
		zero = is_zero(group);
		zeros = group->zeros;
		if (!zero && !own)
			group->waiters++;
	}
	LWLockRelease(&shared->lock);
	if (!current)
		dropped(name);
	if (zero)
		return true;
	if (own)
		changed_here(name);

	if (wait_event == 0)
		wait_event = corm_wait_event_new("CormWaitGroup");
	PG_ENSURE_ERROR_CLEANUP(stop_waiting, PointerGetDatum(&ref));
	{
		ConditionVariablePrepareToSleep(&group->changed);
		for (;;)
		{
			long		pause;

			LWLockAcquire(&shared->lock, LW_SHARED);
			current = is_current(ref);
			zero = current && group->zeros != zeros;
			LWLockRelease(&shared->lock);
			pause = corm_work_pause(deadline);
			if (zero || !current || pause == 0)
				break;
			(void) ConditionVariableTimedSleep(&group->changed, pause, wait_event);
			CHECK_FOR_INTERRUPTS();
		}
	}
	PG_END_ENSURE_ERROR_CLEANUP(stop_waiting, PointerGetDatum(&ref));
	stop_waiting(0, PointerGetDatum(&ref));
	if (!current)
		dropped(name);
	return zero;
}

/* wg_wait(name, timeout) -> boolean */
Datum
corm_wg_wait(PG_FUNCTION_ARGS)
{
	char	   *name = get_name(fcinfo);
	int64		deadline = corm_work_deadline(fcinfo, 1, true);

	PG_RETURN_BOOL(wait_for_zero(name, corm_group_find(name), deadline));
}

/* CALL wg_wait(name, timeout, INOUT done) */
Datum
corm_wg_wait_call(PG_FUNCTION_ARGS)
{
	char	   *name = get_name(fcinfo);
	int64		deadline = corm_work_deadline(fcinfo, 1, false);
	CormGroupRef ref = corm_group_find(name);

	corm_work_leave_transaction(fcinfo, "corm.wg_wait");
	return corm_work_call_result(fcinfo, BoolGetDatum(wait_for_zero(name, ref, deadline)), false);
}

/* wg_count(name) -> (count, waiters) */
Datum
corm_wg_count(PG_FUNCTION_ARGS)
{
	char	   *name = get_name(fcinfo);
	CormGroupRef ref = corm_group_find(name);
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false};
	bool		current;

	LWLockAcquire(&shared->lock, LW_SHARED);
	current = is_current(ref);
	values[0] = Int64GetDatum(groups[ref.index].count + groups[ref.index].tasks);
	values[1] = Int32GetDatum((int32) groups[ref.index].waiters);
	LWLockRelease(&shared->lock);
	if (!current)
		dropped(name);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* wg_drop(name) -> void */
Datum
corm_wg_drop(PG_FUNCTION_ARGS)
{
	char	   *name = get_name(fcinfo);
	Pending    *pending = make_pending(corm_group_find(name), name);
	GroupEffect *effect = make_effect(pending, DEED_DROP);

	corm_effect_add(&effect->effect, &group_ops);
	pending->dropped = true;
	PG_RETURN_VOID();
}

/* list_wait_groups() -> SETOF (name, owner, count, waiters): those of the database */
Datum
corm_wg_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	if (shared == NULL)
		return (Datum) 0;
	for (uint32 i = 0; i < corm_max_wait_groups; i++)
	{
		WaitGroup		copy;
		CormGroupRef ref;
		const Pending *pending;
		Datum		values[4];
		bool		nulls[4] = {false};

		LWLockAcquire(&shared->lock, LW_SHARED);
		copy = groups[i];
		LWLockRelease(&shared->lock);
		if (!copy.used || copy.database != MyDatabaseId)
			continue;
		ref.index = i;
		ref.generation = copy.generation;
		pending = pending_of(ref);
		if (pending == NULL ? !copy.committed : pending->dropped)
			continue;
		values[0] = CStringGetTextDatum(copy.name);
		values[1] = ObjectIdGetDatum(copy.owner);
		values[2] = Int64GetDatum(copy.count + copy.tasks);
		values[3] = Int32GetDatum((int32) copy.waiters);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		CHECK_FOR_INTERRUPTS();
	}
	return (Datum) 0;
}

/* lock_groups, walk_groups and unlock_groups verify the groups, for corm.work_check. */
static void
lock_groups(void)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
}

static void
unlock_groups(void)
{
	LWLockRelease(&shared->lock);
}

static void
walk_groups(CormAudit *audit)
{
	int			used = 0;
	int			found = 0;

	for (uint32 i = 0; i < corm_max_wait_groups; i++)
	{
		WaitGroup  *group = &groups[i];

		used += group->used;
		for (uint32 at = shared->chains[i]; at != NO_GROUP && found <= corm_max_wait_groups; at = groups[at].next)
			found++;
		if (group->used &&
			(group->count < 0 || group->tasks < 0 || group->reserved < 0 || group->reserved > group->count))
			corm_audit_problem(audit, "wait group %u counts " INT64_FORMAT ", of which " INT64_FORMAT " are reserved, and " INT64_FORMAT " tasks",
							   i, group->count, group->reserved, group->tasks);
	}
	if (used != found)
		corm_audit_problem(audit, "%d wait groups are used, %d can be found", used, found);
}

static const CormAuditPart groups_audit = {
	.lock = lock_groups,
	.walk = walk_groups,
	.unlock = unlock_groups,
};

/* corm_group_audit_init makes corm.work_check look at the groups; after all that call them with locks held. */
void
corm_group_audit_init(void)
{
	corm_audit_add(&groups_audit);
}

/* corm_group_init asks for the memory of the groups, when preloaded. */
void
corm_group_init(void)
{
	corm_shared_add(&groups_part);
	corm_work_when_gone(forget_database);
	corm_effects_at_end(at_end);
}
