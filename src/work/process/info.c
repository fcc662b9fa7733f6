/*-------------------------------------------------------------------------
 *
 * info.c
 *		What workers do, as views show it, and what must hold for slots.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/launcher.h"
#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "work/process/slots.h"
#include "work/process/start.h"
#include "work/shared/audit.h"
#include "work/shared/memory.h"

PG_FUNCTION_INFO_V1(corm_worker_list);
PG_FUNCTION_INFO_V1(corm_work_counters);

/* What is copied of a slot under the lock: all but the rings. */
#define SLOT_COPY_SIZE	offsetof(CormSlot, request)

static const char *const state_names[] = {
	[CORM_SLOT_EMPTY] = "empty",
	[CORM_SLOT_STARTING] = "starting",
	[CORM_SLOT_IDLE] = "idle",
	[CORM_SLOT_CLAIMED] = "claimed",
	[CORM_SLOT_RUNNING] = "running",
	[CORM_SLOT_DONE] = "done",
	[CORM_SLOT_LEAVING] = "leaving",
};

/*
 * worker_list() -> SETOF (slot, pid, database, session_role, state, kind, role, depth,
 * caller_pid, since, jobs)
 */
Datum
corm_worker_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	CormSlot   *slot;

	corm_work_require("corm.workers");
	InitMaterializedSRF(fcinfo, 0);
	slot = palloc(SLOT_COPY_SIZE);
	for (int i = 0; i < corm_workers->nslots; i++)
	{
		Datum		row[11];
		bool		nulls[11] = {false};
		bool		busy;

		LWLockAcquire(&corm_workers->lock, LW_SHARED);
		memcpy(slot, (const char *) &corm_slots[i], SLOT_COPY_SIZE);
		LWLockRelease(&corm_workers->lock);
		if (slot->state == CORM_SLOT_EMPTY)
			continue;

		busy = slot->state == CORM_SLOT_RUNNING || slot->state == CORM_SLOT_DONE;
		row[0] = Int32GetDatum(i + 1);
		row[1] = Int32GetDatum(slot->pid);
		nulls[1] = slot->pid == 0;
		row[2] = ObjectIdGetDatum(slot->database);
		row[3] = ObjectIdGetDatum(slot->session_user);
		row[4] = CStringGetTextDatum(state_names[slot->state]);
		row[5] = CStringGetTextDatum(slot->task ? "task" : "call");
		nulls[5] = !busy;
		row[6] = ObjectIdGetDatum(slot->user);
		nulls[6] = !busy || !OidIsValid(slot->user);
		row[7] = Int32GetDatum(slot->depth);
		nulls[7] = !busy;
		row[8] = Int32GetDatum(slot->claimant_pid);
		nulls[8] = slot->claimant < 0;
		row[9] = TimestampTzGetDatum(slot->since);
		row[10] = Int64GetDatum((int64) slot->jobs);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	PG_RETURN_NULL();
}

/* count_states counts the slots with a process, the busy ones, and the processes that wait for one. */
static void
count_states(int *processes, int *busy, int *waiting)
{
	*processes = *busy = *waiting = 0;
	for (int i = 0; i < corm_workers->nslots; i++)
	{
		*processes += corm_slots[i].state != CORM_SLOT_EMPTY;
		*busy += corm_slots[i].state == CORM_SLOT_RUNNING || corm_slots[i].state == CORM_SLOT_DONE;
	}
	for (int i = corm_workers->first_waiter; i >= 0; i = corm_slot_waiters[i].next)
		(*waiting)++;
}

/* work_counters() -> one row: how many workers there are, and what has happened since the server started */
Datum
corm_work_counters(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		row[22];
	bool		nulls[22] = {false};
	CormWorkStats stats;
	int			processes;
	int			busy;
	int			waiting;
	int			n = 0;
	int64		look;
	bool		may_read = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);

	corm_work_require("corm.work_stats");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	LWLockAcquire(&corm_workers->lock, LW_SHARED);
	stats = corm_workers->stats;
	count_states(&processes, &busy, &waiting);
	LWLockRelease(&corm_workers->lock);
	look = corm_launcher_last_look(corm_workers_duty());

	row[n++] = Int32GetDatum(corm_workers->nslots);
	row[n++] = Int32GetDatum(processes);
	row[n++] = Int32GetDatum(busy);
	row[n++] = Int32GetDatum(waiting);
	row[n++] = Int64GetDatum(stats.calls);
	row[n++] = Int64GetDatum(stats.failures);
	row[n++] = Int64GetDatum(stats.tasks);
	row[n++] = Int64GetDatum(stats.cold_starts);
	row[n++] = Int64GetDatum(stats.waits);
	row[n++] = Int64GetDatum(stats.timeouts);
	row[n++] = Int64GetDatum(stats.exhaustions);
	row[n++] = Int64GetDatum(stats.deadlocks);
	row[n++] = Int64GetDatum(stats.cancels);
	row[n++] = Int64GetDatum(stats.terminations);
	row[n++] = Int64GetDatum(stats.start_failures);
	nulls[n] = stats.start_failures == 0;
	row[n++] = TimestampTzGetDatum(stats.last_failure);
	nulls[n] = stats.last_failure_sqlstate == 0;
	row[n++] = CStringGetTextDatum(unpack_sql_state(stats.last_failure_sqlstate));
	nulls[n] = stats.start_failures == 0 || !may_read;
	row[n++] = CStringGetTextDatum(stats.last_failure_message);
	row[n++] = Int64GetDatum((int64) corm_work_block_count() * CORM_BLOCK_SIZE);
	row[n++] = Int64GetDatum((int64) corm_blocks_free_count(&corm_work_blocks) * CORM_BLOCK_SIZE);
	nulls[n] = corm_launcher_pid() == 0;
	row[n++] = Int32GetDatum(corm_launcher_pid());
	nulls[n] = look == 0;
	row[n++] = Float8GetDatum((corm_clock_machine() - look) / 1e6);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), row, nulls)));
}

static void
lock(void)
{
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
}

static void
unlock(void)
{
	LWLockRelease(&corm_workers->lock);
}

/* check_slot tells what is wrong with one slot. */
static void
check_slot(CormAudit *audit, int i)
{
	const CormSlot *slot = &corm_slots[i];
	bool		has_process = slot->state == CORM_SLOT_IDLE || slot->state == CORM_SLOT_RUNNING ||
		slot->state == CORM_SLOT_LEAVING;

	if (has_process && slot->pid == 0)
		corm_audit_problem(audit, "slot %d is %s, without a process", i + 1, state_names[slot->state]);
	if (slot->state == CORM_SLOT_EMPTY && slot->pid != 0)
		corm_audit_problem(audit, "slot %d is empty, with process %d", i + 1, slot->pid);
	if (slot->pid != 0 && ProcGlobal->allProcs[slot->procno].pid != slot->pid)
		corm_audit_problem(audit, "process %d of slot %d has ended", slot->pid, i + 1);
	if (slot->claimant >= 0 && ProcGlobal->allProcs[slot->claimant].pid != slot->claimant_pid)
		corm_audit_problem(audit, "slot %d is claimed by process %d, which has ended", i + 1, slot->claimant_pid);
	if (slot->claimant < 0 && (slot->state == CORM_SLOT_CLAIMED || slot->state == CORM_SLOT_DONE))
		corm_audit_problem(audit, "slot %d is %s, by nobody", i + 1, state_names[slot->state]);
	if (slot->claimant < 0 && slot->state == CORM_SLOT_RUNNING && !slot->task && !slot->caller_gone)
		corm_audit_problem(audit, "slot %d runs a call of nobody", i + 1);
	if (slot->claimant >= 0 && (slot->state == CORM_SLOT_IDLE || slot->state == CORM_SLOT_EMPTY))
		corm_audit_problem(audit, "slot %d is %s, and claimed", i + 1, state_names[slot->state]);
}

/* walk verifies the slots and the queue of those who wait for one. */
static void
walk(CormAudit *audit)
{
	int			n = 0;
	int			waiting = 0;
	int			last = -1;

	for (int i = 0; i < corm_workers->nslots; i++)
		check_slot(audit, i);
	for (uint32 i = 0; i < corm_max_procs(); i++)
		waiting += corm_slot_waiters[i].waiting;
	for (int i = corm_workers->first_waiter; i >= 0 && n <= waiting; i = corm_slot_waiters[i].next)
	{
		if (!corm_slot_waiters[i].waiting)
			corm_audit_problem(audit, "process number %d is in the queue, and does not wait", i);
		if (ProcGlobal->allProcs[i].pid == 0)
			corm_audit_problem(audit, "process number %d is in the queue, and has ended", i);
		last = i;
		n++;
	}
	if (n != waiting || last != corm_workers->last_waiter)
		corm_audit_problem(audit, "the queue for slots is broken");
}

static const CormAuditPart slots_audit = {lock, walk, unlock};

/* corm_worker_info_init makes corm.work_check look at the slots. */
void
corm_worker_info_init(void)
{
	corm_audit_add(&slots_audit);
}
