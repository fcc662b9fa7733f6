/*-------------------------------------------------------------------------
 *
 * load.c
 *		Bringing durable tasks from their rows into the queue.
 *
 * When the server has started, after a crash too, or has been promoted, the queue in
 * shared memory is empty, and rows of any database may be waiting.  The launcher goes
 * through the databases in the order of their OIDs, and has a worker look into each: it
 * reads the rows once and submits a task for each that is not in the queue.  The
 * same is done for one database when somebody asks for it: a pool was opened again,
 * rows were adopted, or there was no memory for all of them.
 *
 * The worker is one of the bootstrap superuser, and so must run nothing of users: parameters are
 * left in the row until the task runs, because reading a value can run code of users.  Each row is tried in a
 * subtransaction; one that cannot be read has failed.
 *
 * A row that tells of a crash (durable.c) counts it.  After a few, the task has
 * failed: it may be what brings the server down.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/errors.h"
#include "base/guc.h"
#include "base/schema.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "work/process/start.h"
#include "work/task/durable.h"
#include "work/task/load.h"
#include "work/task/queue.h"
#include "work/task/submit.h"

#define MAX_REQUESTS		64
#define PATIENCE_US			(INT64CONST(15) * USECS_PER_SEC)
#define AGAIN_US			(INT64CONST(5) * USECS_PER_SEC)
#define MAX_CRASHES			5

typedef struct LoadShared
{
	LWLock		lock;
	int			tranche;
	bool		done;			/* all databases have been looked into */
	Oid			database;		/* the one whose turn it is, or was last */
	bool		pending;		/* it has not been looked into */
	bool		running;		/* a worker does so now */
	int64		since;			/* when its turn came; of the machine */
	int			nrequests;
	Oid			requests[MAX_REQUESTS];
	int64		not_before;		/* requests rest until then */
} LoadShared;

static LoadShared *loads = NULL;
static bool loading = false;	/* this process looks into its database */
static bool asked = false;		/* because somebody asked for it */

static Size
load_size(void)
{
	return sizeof(LoadShared);
}

static void
load_attach(void *addr, Size size, bool found)
{
	loads = addr;
	if (!found)
	{
		memset(loads, 0, sizeof(LoadShared));
		loads->tranche = LWLockNewTrancheId();
		LWLockInitialize(&loads->lock, loads->tranche);
	}
	LWLockRegisterTranche(loads->tranche, "CormTaskLoad");
}

static const CormSharedPart load_part = {
	.name = "corm task load",
	.size = load_size,
	.attach = load_attach,
};

/* corm_load_init asks for the shared memory, when preloaded. */
void
corm_load_init(void)
{
	corm_shared_add(&load_part);
}

/* next_database returns the first database with an OID greater than after that can have tasks; InvalidOid for none. */
static Oid
next_database(Oid after)
{
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			next = InvalidOid;

	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		if (form->datallowconn && !form->datistemplate && form->oid > after &&
			(!OidIsValid(next) || form->oid < next))
			next = form->oid;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	PopActiveSnapshot();
	CommitTransactionCommand();
	return next;
}

/* take_turn moves on to the next database, when that whose turn it is has been looked into or does not answer. */
static void
take_turn(void)
{
	int64		now = corm_clock_machine();
	Oid			next;
	bool		go_on;

	LWLockAcquire(&loads->lock, LW_EXCLUSIVE);
	go_on = !loads->done && !loads->running && (!loads->pending || now - loads->since > PATIENCE_US);
	next = loads->database;
	LWLockRelease(&loads->lock);
	if (!go_on)
		return;
	next = next_database(next);
	LWLockAcquire(&loads->lock, LW_EXCLUSIVE);
	loads->done = !OidIsValid(next);
	loads->pending = !loads->done;
	if (!loads->done)
		loads->database = next;
	loads->since = now;
	LWLockRelease(&loads->lock);
}

/* corm_load_want asks for the workers that look into databases; in the launcher. */
void
corm_load_want(void (*want) (Oid database, Oid session_user, int n))
{
	Oid			databases[MAX_REQUESTS + 1];
	int			n = 0;

	if (loads == NULL || !corm_run_tasks || RecoveryInProgress())
		return;
	take_turn();
	LWLockAcquire(&loads->lock, LW_SHARED);
	if (loads->pending && !loads->running)
		databases[n++] = loads->database;
	if (corm_clock_machine() >= loads->not_before)
	{
		for (int i = 0; i < loads->nrequests; i++)
			databases[n++] = loads->requests[i];
	}
	LWLockRelease(&loads->lock);
	for (int i = 0; i < n; i++)
		want(databases[i], BOOTSTRAP_SUPERUSERID, 1);
}

/* corm_load_request asks for a database to be looked into.  Raises nothing. */
void
corm_load_request(Oid database)
{
	bool		known = false;

	LWLockAcquire(&loads->lock, LW_EXCLUSIVE);
	for (int i = 0; i < loads->nrequests; i++)
		known |= loads->requests[i] == database;
	if (!known && loads->nrequests < MAX_REQUESTS)
		loads->requests[loads->nrequests++] = database;
	else if (!known)
	{
		/* all of them, then */
		loads->done = loads->pending = false;
		loads->database = InvalidOid;
	}
	LWLockRelease(&loads->lock);
	corm_workers_reconcile();
}

/* corm_load_claim takes the work of looking into a database.  Returns false if there is none. */
bool
corm_load_claim(Oid database, Oid session_user)
{
	if (session_user != BOOTSTRAP_SUPERUSERID || !corm_run_tasks || RecoveryInProgress())
		return false;
	LWLockAcquire(&loads->lock, LW_EXCLUSIVE);
	if (loads->pending && !loads->running && loads->database == database)
	{
		loading = loads->running = true;
		asked = false;
	}
	for (int i = 0; i < loads->nrequests && corm_clock_machine() >= loads->not_before; i++)
	{
		if (loads->requests[i] != database)
			continue;
		loads->requests[i] = loads->requests[--loads->nrequests];
		asked |= !loading;
		loading = true;
		break;
	}
	LWLockRelease(&loads->lock);
	return loading;
}

/* end_loading notes that the database has been looked into, or will not be. */
static void
end_loading(bool again)
{
	LWLockAcquire(&loads->lock, LW_EXCLUSIVE);
	if (!asked)
		loads->running = loads->pending = false;
	if (again)
		loads->not_before = corm_clock_machine() + AGAIN_US;
	LWLockRelease(&loads->lock);
	loading = false;
	if (again)
		corm_load_request(MyDatabaseId);
	else
		corm_workers_reconcile();
}

/* corm_load_lost ends that when the process is terminated. */
void
corm_load_lost(void)
{
	if (loading)
		end_loading(true);
}

/* What the visit of the rows has found. */
typedef struct Load
{
	int64	   *ids;			/* to be submitted */
	int			n;
	int			size;
	bool		more;			/* than there is memory for */
} Load;

/* note_row notes a row that is not in the queue. */
static bool
note_row(CormDurable *durable, void *arg)
{
	Load	   *load = arg;
	CormBlockId block;
	bool		known;

	if (durable->failed || durable->foreign)
		return true;
	corm_queue_lock();
	block = corm_queue_find(durable->id);
	known = block != 0 && !corm_task_has_ended(corm_task_at(block));
	corm_queue_unlock();
	if (known)
		return true;
	if (load->n == load->size)
	{
		load->more = true;
		return false;
	}
	load->ids[load->n++] = durable->id;
	return true;
}

/* load_row submits the task of a row.  Raises what is wrong with the row. */
static void
load_row(int64 id)
{
	CormDurable durable;
	CormJob		job;

	if (!corm_durable_task_read(id, &durable) || durable.failed || !corm_durable_task_make_job(id, &job))
		return;
	durable.crashes = corm_durable_task_count_crash(id);
	if (durable.crashes > Max(MAX_CRASHES, durable.opts.max_attempts))
		ereport(ERROR,
				(errcode(CORM_ERRCODE_WORKER_TERMINATED),
				 errmsg("the server has crashed %d times while the task was running", durable.crashes)));
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(durable.session_user)) ||
		!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(durable.user)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("a role of the task does not exist")));
	corm_submit_loaded(&durable, &job);
}

/*
 * load_safely is load_row in a subtransaction; a row that cannot be loaded has failed.
 * Returns false if there is no memory.
 */
static bool
load_safely(int64 id)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	volatile bool enough = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	PG_TRY();
	{
		load_row(id);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(oldcontext);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		enough = error->sqlerrcode != ERRCODE_OUT_OF_MEMORY;
		if (enough)
			corm_durable_task_fail(id, 0, false, corm_clock_real(), error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;
	return enough;
}

/* load_database looks into the database of this process, in a transaction.  Returns whether to do so again. */
static bool
load_database(void)
{
	Load		load = {0};
	bool		again;

	if (!OidIsValid(corm_catalog_oid("durable_tasks")))
		return false;
	load.size = (int) Min(corm_work_block_count() / 4, 100000);
	load.ids = palloc(load.size * sizeof(int64));
	corm_durable_task_each(note_row, &load);
	again = load.more;
	for (int i = 0; i < load.n; i++)
	{
		if (!load_safely(load.ids[i]))
		{
			again = true;
			break;
		}
		CHECK_FOR_INTERRUPTS();
	}
	return again;
}

/* corm_load_run does what corm_load_claim has taken.  Raises nothing. */
void
corm_load_run(void)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool again = false;

	PG_TRY();
	{
		StartTransactionCommand();
		PushActiveSnapshot(GetTransactionSnapshot());
		again = load_database();
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(context);
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		again = true;
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	end_loading(again);
}

/* is_loaded tells whether the database of this process has been looked into since the start. */
static bool
is_loaded(void)
{
	bool		loaded;

	LWLockAcquire(&loads->lock, LW_SHARED);
	loaded = loads->done || loads->database > MyDatabaseId ||
		(loads->database == MyDatabaseId && !loads->pending);
	LWLockRelease(&loads->lock);
	return loaded;
}

/*
 * corm_load_wait waits until the database of this process has been looked into: until
 * then it is not known which unique keys are in use.
 */
void
corm_load_wait(void)
{
	while (!is_loaded() && corm_run_tasks)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 10, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}
