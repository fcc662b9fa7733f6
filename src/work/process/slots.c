/*-------------------------------------------------------------------------
 *
 * slots.c
 *		The slots of workers: finding one, giving one back, who waits.
 *
 * The functions here need corm_workers->lock exclusively (corm_slot_exhausted and
 * the other questions: shared is enough), and raise nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/timestamp.h"
#include "work/process/slots.h"

#define MAX_FAILURES	7
#define MAX_PAUSE		(60 * USECS_PER_SEC)

CormWorkers *corm_workers = NULL;
CormSlot   *corm_slots = NULL;
CormSlotWaiter *corm_slot_waiters = NULL;

/* place returns the next aligned offset and moves *offset past size bytes. */
static Size
place(Size *offset, Size size)
{
	Size		at = CACHELINEALIGN(*offset);

	*offset = add_size(at, size);
	return at;
}

/* layout computes where the arrays are, and returns the size of all. */
static Size
layout(Size *waiters, Size *slots)
{
	Size		offset = 0;

	place(&offset, sizeof(CormWorkers));
	*waiters = place(&offset, mul_size(corm_max_procs(), sizeof(CormSlotWaiter)));
	*slots = place(&offset, mul_size(corm_max_workers, sizeof(CormSlot)));
	return CACHELINEALIGN(offset) + PG_CACHE_LINE_SIZE;
}

static Size
slots_size(void)
{
	Size		waiters;
	Size		slots;

	return layout(&waiters, &slots);
}

static void
slots_attach(void *addr, Size size, bool found)
{
	char	   *base = (char *) CACHELINEALIGN(addr);
	Size		waiters;
	Size		slots;

	(void) layout(&waiters, &slots);
	corm_workers = (CormWorkers *) base;
	corm_slot_waiters = (CormSlotWaiter *) (base + waiters);
	corm_slots = (CormSlot *) (base + slots);
	if (found)
	{
		LWLockRegisterTranche(corm_workers->tranche, "CormWorkers");
		return;
	}

	memset(base, 0, size - PG_CACHE_LINE_SIZE);
	corm_workers->tranche = LWLockNewTrancheId();
	LWLockRegisterTranche(corm_workers->tranche, "CormWorkers");
	LWLockInitialize(&corm_workers->lock, corm_workers->tranche);
	corm_workers->nslots = corm_max_workers;
	corm_workers->first_waiter = -1;
	corm_workers->last_waiter = -1;
	for (uint32 i = 0; i < corm_max_procs(); i++)
	{
		corm_slot_waiters[i].next = -1;
		corm_slot_waiters[i].slot = -1;
	}
	for (int i = 0; i < corm_workers->nslots; i++)
	{
		corm_slots[i].claimant = -1;
		corm_slots[i].procno = -1;
		corm_slots[i].last_procno = -1;
		corm_ring_init(&corm_slots[i].request);
		corm_ring_init(&corm_slots[i].answer);
	}
}

/* slots_ready warns if the server has no room for the workers that it is to have. */
static void
slots_ready(bool found)
{
	if (!IsUnderPostmaster && corm_max_workers + 1 > max_worker_processes)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("corm.max_workers (%d) does not fit into max_worker_processes (%d)",
						corm_max_workers, max_worker_processes),
				 errdetail("Other processes use places too: one is corm's launcher, others are for parallel queries and replication."),
				 errhint("Increase max_worker_processes, or reduce corm.max_workers.")));
}

static const CormSharedPart slots_part = {
	.name = "corm workers",
	.size = slots_size,
	.attach = slots_attach,
	.ready = slots_ready,
};

/* corm_slots_init asks for the memory; does nothing unless the library is being preloaded. */
void
corm_slots_init(void)
{
	corm_shared_add(&slots_part);
}

/* corm_slot_set_state changes the state of a slot. */
void
corm_slot_set_state(CormSlot *slot, CormSlotState state)
{
	slot->state = state;
	slot->since = GetCurrentTimestamp();
	if (state == CORM_SLOT_IDLE)
		slot->idle_since = corm_clock_machine();
}

/* is_held tells whether workers are to leave a database now. */
static bool
is_held(Oid database)
{
	for (int i = 0; i < CORM_HELD_MAX; i++)
	{
		if (corm_workers->held[i].database == database &&
			corm_workers->held[i].until > corm_clock_machine())
			return true;
	}
	return false;
}

/*
 * corm_slot_set_free ends the claim on a slot: it is idle, or empty if its process
 * is gone, or leaving if that is to go.  The caller then calls corm_slot_hand_out.
 */
void
corm_slot_set_free(CormSlot *slot)
{
	slot->claimant = -1;
	slot->claimant_pid = 0;
	slot->caller_gone = false;
	slot->task = false;
	slot->depth = 0;
	slot->user = InvalidOid;
	if (slot->pid == 0)
		corm_slot_set_state(slot, CORM_SLOT_EMPTY);
	else if (slot->worn || is_held(slot->database))
	{
		corm_slot_set_state(slot, CORM_SLOT_LEAVING);
		corm_slot_wake_worker(slot);
	}
	else
	{
		corm_slot_set_state(slot, CORM_SLOT_IDLE);
		if (slot->poked)
			corm_slot_wake_worker(slot);
	}
}

/* corm_slot_wake_worker sets the latch of a slot's process, if it has one. */
void
corm_slot_wake_worker(const CormSlot *slot)
{
	if (slot->pid != 0 && slot->procno >= 0)
		SetLatch(&ProcGlobal->allProcs[slot->procno].procLatch);
}

/* corm_slot_wake_claimant sets the latch of the process that waits for a slot's job. */
void
corm_slot_wake_claimant(const CormSlot *slot)
{
	if (slot->claimant >= 0)
		SetLatch(&ProcGlobal->allProcs[slot->claimant].procLatch);
}

/* same_key tells whether a slot's process is of use for a key. */
static bool
same_key(const CormSlot *slot, const CormSlotKey *key)
{
	return slot->database == key->database && slot->session_user == key->session_user;
}

/*
 * count_against counts the slots that stand against the limits of a key: those with a
 * process, or with one on its way.
 */
static void
count_against(const CormSlotKey *key, int *of_role, int *of_database)
{
	*of_role = 0;
	*of_database = 0;
	for (int i = 0; i < corm_workers->nslots; i++)
	{
		if (corm_slots[i].state == CORM_SLOT_EMPTY)
			continue;
		*of_role += corm_slots[i].session_user == key->session_user;
		*of_database += corm_slots[i].database == key->database;
	}
}

/*
 * corm_slot_evict tells the process that has been idle longest to exit, for a key that needs
 * its place.  If a limit of the key is reached, only one that counts against it
 * helps.  At most one is leaving at a time.
 */
void
corm_slot_evict(const CormSlotKey *key, bool role_full, bool database_full)
{
	CormSlot   *oldest = NULL;

	for (int i = 0; i < corm_workers->nslots; i++)
	{
		CormSlot   *slot = &corm_slots[i];

		if (slot->state == CORM_SLOT_LEAVING)
			return;
		if (slot->state != CORM_SLOT_IDLE ||
			(role_full && slot->session_user != key->session_user) ||
			(database_full && slot->database != key->database))
			continue;
		if (oldest == NULL || slot->idle_since < oldest->idle_since)
			oldest = slot;
	}
	if (oldest == NULL)
		return;
	corm_slot_set_state(oldest, CORM_SLOT_LEAVING);
	corm_slot_wake_worker(oldest);
}

/*
 * corm_slot_choose returns the number of a slot for a key, or -1 if none can be had
 * now.  It is IDLE, or EMPTY: then a process is to be started in it.  The caller
 * claims it before the lock is released.  If there is none, an idle process
 * of another key is told to leave, if that helps.
 */
int
corm_slot_choose(const CormSlotKey *key)
{
	int			best = -1;
	int			empty = -1;
	int			of_role;
	int			of_database;
	bool		role_full;
	bool		database_full;

	for (int i = 0; i < corm_workers->nslots; i++)
	{
		CormSlot   *slot = &corm_slots[i];

		if (slot->state == CORM_SLOT_EMPTY && empty < 0)
			empty = i;
		if (slot->state != CORM_SLOT_IDLE || !same_key(slot, key))
			continue;
		if (slot->last_procno == key->procno && key->procno >= 0 &&
			slot->last_pid == ProcGlobal->allProcs[key->procno].pid)
			return i;
		if (best < 0 || slot->idle_since > corm_slots[best].idle_since)
			best = i;
	}
	if (best >= 0)
		return best;

	count_against(key, &of_role, &of_database);
	role_full = key->role_limit >= 0 && of_role >= key->role_limit;
	database_full = key->database_limit >= 0 && of_database >= key->database_limit;
	if (empty >= 0 && !role_full && !database_full)
		return empty;
	corm_slot_evict(key, role_full, database_full);
	return -1;
}

/* corm_slot_enqueue puts this process at the end of the queue of those who wait. */
void
corm_slot_enqueue(const CormSlotKey *key)
{
	CormSlotWaiter *waiter = &corm_slot_waiters[key->procno];

	waiter->waiting = true;
	waiter->next = -1;
	waiter->database = key->database;
	waiter->session_user = key->session_user;
	waiter->role_limit = key->role_limit;
	waiter->database_limit = key->database_limit;
	waiter->slot = -1;
	if (corm_workers->last_waiter < 0)
		corm_workers->first_waiter = key->procno;
	else
		corm_slot_waiters[corm_workers->last_waiter].next = key->procno;
	corm_workers->last_waiter = key->procno;
}

/* corm_slot_dequeue takes a process out of the queue, if it is in it. */
void
corm_slot_dequeue(int procno)
{
	int			before = -1;

	if (!corm_slot_waiters[procno].waiting)
		return;
	for (int i = corm_workers->first_waiter; i >= 0 && i != procno; i = corm_slot_waiters[i].next)
		before = i;
	if (before < 0)
		corm_workers->first_waiter = corm_slot_waiters[procno].next;
	else
		corm_slot_waiters[before].next = corm_slot_waiters[procno].next;
	if (corm_workers->last_waiter == procno)
		corm_workers->last_waiter = before;
	corm_slot_waiters[procno].waiting = false;
	corm_slot_waiters[procno].next = -1;
}

/*
 * corm_slot_hand_out gives the slots that are available to those who wait, first come
 * first served.  One who gets a slot that is EMPTY has to start the process.
 */
void
corm_slot_hand_out(void)
{
	int			next;

	for (int procno = corm_workers->first_waiter; procno >= 0; procno = next)
	{
		CormSlotWaiter *waiter = &corm_slot_waiters[procno];
		CormSlotKey key = {waiter->database, waiter->session_user, waiter->role_limit,
		waiter->database_limit, procno};
		int			i = corm_slot_choose(&key);

		next = waiter->next;
		if (i < 0)
			continue;
		corm_slots[i].claimant = procno;
		corm_slots[i].claimant_pid = ProcGlobal->allProcs[procno].pid;
		corm_slot_set_state(&corm_slots[i], corm_slots[i].state == CORM_SLOT_IDLE ?
							CORM_SLOT_CLAIMED : CORM_SLOT_STARTING);
		if (corm_slots[i].state == CORM_SLOT_STARTING)
		{
			/* nobody has asked for its process yet */
			corm_slots[i].generation++;
			corm_slots[i].database = key.database;
			corm_slots[i].session_user = key.session_user;
			corm_slots[i].launched = 0;
		}
		corm_slot_dequeue(procno);
		waiter->slot = i;
		SetLatch(&ProcGlobal->allProcs[procno].procLatch);
	}
}

/*
 * is_stuck tells whether a slot's job cannot end before somebody gets another slot: its
 * process waits for one, or for a job that is stuck.  depth bounds the recursion.
 */
static bool
is_stuck(const CormSlot *slot, int depth)
{
	if (slot->state != CORM_SLOT_RUNNING || slot->procno < 0 || depth > corm_workers->nslots)
		return false;
	if (corm_slot_waiters[slot->procno].waiting)
		return true;
	for (int i = 0; i < corm_workers->nslots; i++)
	{
		if (corm_slots[i].claimant == slot->procno &&
			ProcGlobal->allProcs[slot->procno].pid == corm_slots[i].claimant_pid)
			return is_stuck(&corm_slots[i], depth + 1);
	}
	return false;
}

/*
 * corm_slot_exhausted tells whether waiting for a slot for this key is in vain, because
 * all slots that could become available are held by jobs that are stuck.
 */
bool
corm_slot_exhausted(const CormSlotKey *key)
{
	int			of_role;
	int			of_database;
	bool		role_full;
	bool		database_full;

	count_against(key, &of_role, &of_database);
	role_full = key->role_limit >= 0 && of_role >= key->role_limit;
	database_full = key->database_limit >= 0 && of_database >= key->database_limit;

	for (int i = 0; i < corm_workers->nslots; i++)
	{
		const CormSlot *slot = &corm_slots[i];

		if ((role_full && slot->session_user != key->session_user) ||
			(database_full && slot->database != key->database))
			continue;
		if (!is_stuck(slot, 0))
			return false;
	}
	return true;
}

/* corm_slot_count_tasks returns how many slots run tasks. */
int
corm_slot_count_tasks(void)
{
	int			n = 0;

	for (int i = 0; i < corm_workers->nslots; i++)
		n += corm_slots[i].state == CORM_SLOT_RUNNING && corm_slots[i].task;
	return n;
}

/* find_failure returns the entry of a key, or with make a new one, for which the oldest may have to go. */
static CormStartFailure *
find_failure(Oid database, Oid session_user, bool make)
{
	CormStartFailure *oldest = &corm_workers->failed[0];

	for (int i = 0; i < CORM_FAILURES_MAX; i++)
	{
		CormStartFailure *entry = &corm_workers->failed[i];

		if (entry->database == database && entry->session_user == session_user)
			return entry;
		if (entry->until < oldest->until)
			oldest = entry;
	}
	if (!make)
		return NULL;
	oldest->database = database;
	oldest->session_user = session_user;
	oldest->failures = 0;
	return oldest;
}

/*
 * corm_slot_note_start_failure records that a worker could not be started, and why:
 * what the process has left in the slot, or otherwise the given text.
 */
void
corm_slot_note_start_failure(const CormSlot *slot, const char *otherwise)
{
	CormWorkStats *stats = &corm_workers->stats;
	CormStartFailure *entry = find_failure(slot->database, slot->session_user, true);

	entry->failures = Min(entry->failures + 1, MAX_FAILURES);
	entry->until = corm_clock_machine() + Min(USECS_PER_SEC << (entry->failures - 1), MAX_PAUSE);
	stats->start_failures++;
	stats->last_failure = GetCurrentTimestamp();
	stats->last_failure_sqlstate = slot->fatal_sqlstate;
	strlcpy(stats->last_failure_message, slot->fatal_sqlstate != 0 ? slot->fatal_message : otherwise,
			CORM_FATAL_LENGTH);
}

/* corm_slot_note_start records that a worker has started. */
void
corm_slot_note_start(const CormSlot *slot)
{
	CormStartFailure *entry = find_failure(slot->database, slot->session_user, false);

	if (entry != NULL)
		memset(entry, 0, sizeof(CormStartFailure));
}

/* corm_slot_may_start tells whether the launcher may start a worker for a key now. */
bool
corm_slot_may_start(Oid database, Oid session_user)
{
	CormStartFailure *entry = find_failure(database, session_user, false);

	return !is_held(database) &&
		(entry == NULL || entry->until <= corm_clock_machine());
}
