/*-------------------------------------------------------------------------
 *
 * notifier.c
 *		Background workers that notify listeners of cache events.
 *
 * NOTIFY works within a database, and a worker is bound to one.  So the sweeper
 * launches a notifier for a database when events of it wait, and the notifier
 * exits when none have come for a minute.  It reads a batch from the ring, sends
 * it in a few payloads, commits, and only then declares the batch consumed: an
 * error or a termination in between may send a batch twice but loses none.
 *
 * At most a quarter of max_worker_processes are notifiers, to leave slots for
 * other workers.  If more databases have events, they take turns: the one that
 * has waited longest gets the next place, and a notifier that has nothing to
 * send, or has had its turn, exits for it.
 *
 * If connecting to a database fails, it is tried again after increasing times.
 * ALLOW_CONNECTIONS false does not keep a notifier out, because older sessions
 * may still listen.
 *
 * A payload is one JSON object.  It stays below NOTIFY's limit because it is
 * closed before an event that might not fit.
 *
 * Statements that need a database without sessions (DROP DATABASE, CREATE
 * DATABASE from a template, ...) make its notifier exit at once: see
 * definitions/ddl_hooks.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "cache/shared/events.h"
#include "cache/shared/shared.h"
#include "cache/workers/notifier.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#define IDLE_EXIT_MS		60000
#define RETRY_MS			1000
#define RETRY_MAX_SHIFT		6	/* RETRY_MS doubles so often, to a minute */
#define TURN_US				USECS_PER_SEC	/* for one with events, if others
											 * wait */
#define LOG_AGAIN_US		(INT64CONST(600) * USECS_PER_SEC)
#define GIVE_UP_US			(INT64CONST(60) * USECS_PER_SEC)
#define BATCH_BYTES			65536
#define EVENTS_PER_PAYLOAD	100

/* NOTIFY takes less than 8000 bytes; an escaped key can be 6 times as long. */
#define PAYLOAD_FULL		(7900 - 6 * (CORM_KEY_MAX + NAMEDATALEN) - 64)

/* One payload being built for a channel. */
typedef struct Payload
{
	NameData	channel;
	StringInfoData buf;
	int			events;
} Payload;

/* max_notifiers returns how many notifiers there may be. */
static int
max_notifiers(void)
{
	return Max(max_worker_processes / 4, 1);
}

/* may_launch tells whether a notifier for a database may be launched now.  Needs ring_lock. */
static bool
may_launch(const CormDatabase *db, int64 now)
{
	int64		pause = RETRY_MS * INT64CONST(1000) << Min(db->failures, RETRY_MAX_SHIFT);

	return db->pending > 0 && db->notifier_pid == 0 && now >= db->hold_until &&
		(db->launched == 0 || now - db->launched >= pause);
}

/* on_its_way tells whether a notifier was launched that may still enroll.  Needs ring_lock. */
static bool
on_its_way(const CormDatabase *db, int64 now)
{
	return db->notifier_pid == 0 && db->launched != 0 &&
		now - db->launched < RETRY_MS * INT64CONST(1000);
}

/*
 * choose_next returns the database, of those with events and no notifier, to
 * launch the next notifier for, or NULL.  It marks it as launched and sets *oid
 * to its OID.  If all places are taken, it asks another notifier to exit instead.
 * *waiting becomes true if there is any such database.
 */
static CormDatabase *
choose_next(Oid *oid, bool *waiting)
{
	int64		now = corm_clock_machine();
	int			running = 0;
	CormDatabase *next = NULL;
	CormDatabase *leaver = NULL;

	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
	for (uint32 i = 0; i < corm_cache->ndbs_used; i++)
	{
		CormDatabase *db = &corm_databases[i];

		if (db->notifier_pid != 0)
		{
			running++;
			if (db->pending > 0 && now - db->enrolled < TURN_US)
				continue;
			if (leaver == NULL || (db->pending == 0) > (leaver->pending == 0) ||
				((db->pending == 0) == (leaver->pending == 0) && db->enrolled < leaver->enrolled))
				leaver = db;
		}
		else if (on_its_way(db, now))
			running++;
		if (db->pending == 0 || db->notifier_pid != 0)
			continue;

		*waiting = true;
		if (db->stuck_since == 0)
			db->stuck_since = now;
		if (may_launch(db, now) && (next == NULL || db->stuck_since < next->stuck_since))
			next = db;
	}

	if (next != NULL && running >= max_notifiers())
	{
		if (leaver != NULL)
		{
			leaver->notifier_leave = true;
			SetLatch(leaver->notifier_latch);
		}
		next = NULL;
	}
	if (next != NULL)
	{
		/*
		 * Another launch without an enrollment in between: the last one
		 * failed.
		 */
		if (next->tried)
			next->failures = Min(next->failures + 1, RETRY_MAX_SHIFT);
		next->tried = false;
		next->launched = now;
		next->notifier_leave = false;
		*oid = next->oid;
	}
	LWLockRelease(&corm_cache->ring_lock);
	return next;
}

/* launch registers a notifier for a database.  Returns false if there is no slot for a worker. */
static bool
launch(Oid oid)
{
	BackgroundWorker worker = {0};

	snprintf(worker.bgw_name, BGW_MAXLEN, "corm cache notifier for database %u", oid);
	strlcpy(worker.bgw_type, "corm cache notifier", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "corm", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "corm_notifier_main", BGW_MAXLEN);
	worker.bgw_main_arg = ObjectIdGetDatum(oid);
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

/*
 * give_up drops the events of databases that have waited too long for a
 * notifier, and logs that.
 */
static void
give_up(void)
{
	for (uint32 i = 0; i < corm_cache->ndbs_used; i++)
	{
		CormDatabase *db = &corm_databases[i];
		int64		now = corm_clock_machine();
		bool		stuck;
		Oid			oid;

		if (db->pending == 0 || db->notifier_pid != 0)
			continue;
		LWLockAcquire(&corm_cache->ring_lock, LW_SHARED);
		oid = db->oid;
		stuck = db->pending > 0 && db->notifier_pid == 0 && db->stuck_since != 0 &&
			now - db->stuck_since > GIVE_UP_US;
		LWLockRelease(&corm_cache->ring_lock);
		if (!stuck)
			continue;

		/* Log it now and then: the next events may be dropped as well. */
		if (db->logged == 0 || now - db->logged > LOG_AGAIN_US)
		{
			ereport(LOG,
					(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					 errmsg("could not start a cache notifier for database %u, its events are dropped", oid),
					 errhint("You might need to increase max_worker_processes.")));
			db->logged = now;
		}
		corm_events_drop(db);
	}
}

/*
 * corm_notifiers_launch launches notifiers for databases that have events waiting
 * and no notifier.  Returns true if it should be called again soon, because one
 * could not be launched, has to wait for its turn or has not enrolled yet.  Runs
 * in the sweeper.
 */
bool
corm_notifiers_launch(void)
{
	bool		again = false;
	CormDatabase *db;
	Oid			oid;

	if (RecoveryInProgress())
		return false;

	give_up();
	while ((db = choose_next(&oid, &again)) != NULL)
	{
		if (launch(oid))
		{
			LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
			if (db->oid == oid && db->notifier_pid == 0)
				db->tried = true;
			LWLockRelease(&corm_cache->ring_lock);
		}
	}
	return again;
}

/* forget_notifier clears the traces of a notifier when it exits. */
static void
forget_notifier(int code, Datum arg)
{
	CormDatabase *db = (CormDatabase *) DatumGetPointer(arg);

	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
	db->notifier_pid = 0;
	db->notifier_latch = NULL;
	db->notifier_awake = false;
	db->stuck_since = 0;

	/* If it has left events behind, its turn comes after the others'. */
	db->launched = 0;
	LWLockRelease(&corm_cache->ring_lock);
	corm_sweeper_wake(0);
}

/*
 * enroll makes this process the notifier of its database, until it exits.
 * Returns NULL if it is not wanted: there is another one, or it must leave.
 */
static CormDatabase *
enroll(Oid oid)
{
	CormDatabase *db = corm_database_find(oid);
	bool		mine;

	if (db == NULL)
		return NULL;

	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
	mine = db->oid == oid && db->notifier_pid == 0 && !db->notifier_leave;
	if (mine)
	{
		db->notifier_pid = MyProcPid;
		db->notifier_latch = &MyProc->procLatch;
		db->notifier_awake = true;
		db->stuck_since = 0;
		db->enrolled = corm_clock_machine();
		db->tried = false;
		db->failures = 0;
		db->logged = 0;
	}
	LWLockRelease(&corm_cache->ring_lock);
	if (!mine)
		return NULL;
	before_shmem_exit(forget_notifier, PointerGetDatum(db));
	return db;
}

/* finish sends a payload, unless it is empty, and empties it. */
static void
finish(Payload *payload)
{
	if (payload->events == 0)
		return;
	appendStringInfoString(&payload->buf, "]}");
	Async_Notify(NameStr(payload->channel), payload->buf.data);
	payload->events = 0;
}

/* add_event adds an event to a payload, which it sends first if it is full. */
static void
add_event(Payload *payload, const CormCacheEvent *event)
{
	char	   *key = corm_event_key(event, event->restricted);

	if (payload->events >= EVENTS_PER_PAYLOAD ||
		payload->buf.len > PAYLOAD_FULL || event->lost > 0)
		finish(payload);

	if (payload->events == 0)
	{
		resetStringInfo(&payload->buf);
		appendStringInfo(&payload->buf,
						 "{\"v\":1,\"epoch\":" INT64_FORMAT ",\"first\":" INT64_FORMAT ",\"lost\":%u,\"ev\":[",
						 corm_cache->epoch, event->seq, event->lost);
	}
	else
		appendStringInfoChar(&payload->buf, ',');

	appendStringInfoChar(&payload->buf, '[');
	escape_json(&payload->buf, NameStr(event->cache));
	appendStringInfoChar(&payload->buf, ',');
	escape_json(&payload->buf, key);
	appendStringInfo(&payload->buf, ",\"%s\"]", corm_reason_name(event->reason));
	payload->events++;
	pfree(key);
}

/*
 * send_batch notifies one batch of events in a transaction of its own.  Returns
 * the number of events.  If it raises, nothing is consumed.  buf has BATCH_BYTES.
 */
static int
send_batch(CormDatabase *db, char *buf)
{
	uint64		position = db->cursor;
	Size		size = corm_events_read(db->oid, &position, buf, BATCH_BYTES);
	const char *at = buf;
	CormCacheEvent event;
	List	   *payloads = NIL;
	ListCell   *lc;
	int			n = 0;

	if (size == 0)
		return 0;

	StartTransactionCommand();
	while (corm_event_next(&at, buf + size, &event))
	{
		Payload    *payload = NULL;

		foreach(lc, payloads)
		{
			Payload    *p = (Payload *) lfirst(lc);

			if (strcmp(NameStr(p->channel), NameStr(event.channel)) == 0)
				payload = p;
		}
		if (payload == NULL)
		{
			payload = palloc0(sizeof(Payload));
			payload->channel = event.channel;
			initStringInfo(&payload->buf);
			payloads = lappend(payloads, payload);
		}
		add_event(payload, &event);
		n++;
	}
	foreach(lc, payloads)
	{
		finish((Payload *) lfirst(lc));
	}
	CommitTransactionCommand();

	corm_events_consumed(db, position, n);
	return n;
}

/*
 * send_batch_safely is send_batch, but on an error, for example because the
 * notification queue is full, it returns -1.  It logs the error, but not each
 * time if it recurs.
 */
static int
send_batch_safely(CormDatabase *db, char *buf)
{
	static int64 logged = 0;
	volatile int n = -1;

	PG_TRY();
	{
		n = send_batch(db, buf);
	}
	PG_CATCH();
	{
		int64		now = corm_clock_machine();

		HOLD_INTERRUPTS();
		if (logged == 0 || now - logged > LOG_AGAIN_US)
		{
			EmitErrorReport();
			logged = now;
		}
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	if (n > 0)
		logged = 0;
	return n;
}

/*
 * go_idle makes the processes that push events wake this one.  Returns false if
 * there are more events already.
 */
static bool
go_idle(CormDatabase *db)
{
	bool		idle;

	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
	idle = db->pending == 0;
	db->notifier_awake = !idle;
	LWLockRelease(&corm_cache->ring_lock);
	return idle;
}

/* corm_notifier_main is a notifier's main function. */
void
corm_notifier_main(Datum arg)
{
	Oid			oid = DatumGetObjectId(arg);
	CormDatabase *db;
	uint32		wait_event;
	char	   *buf;
	int64		last_event;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(oid, InvalidOid, BGWORKER_BYPASS_ALLOWCONN);

	db = enroll(oid);
	if (db == NULL)
		proc_exit(0);

	/* The ring does not survive a crash, so notifications need not either. */
	SetConfigOption("synchronous_commit", "off", PGC_SUSET, PGC_S_OVERRIDE);
	wait_event = corm_wait_event_new("CormNotifierMain");
	buf = MemoryContextAlloc(TopMemoryContext, BATCH_BYTES);
	last_event = corm_clock_machine();

	while (!db->notifier_leave)
	{
		int			n;
		long		timeout;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}

		n = send_batch_safely(db, buf);
		if (n < 0)
			timeout = RETRY_MS;
		else if (n > 0)
		{
			last_event = corm_clock_machine();
			timeout = corm_event_interval;
		}
		else if (!go_idle(db))
			continue;
		else
		{
			timeout = IDLE_EXIT_MS - (corm_clock_machine() - last_event) / 1000;
			if (timeout <= 0)
				break;
		}

		pgstat_report_activity(STATE_IDLE, NULL);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 timeout, wait_event);
	}
	proc_exit(0);
}
