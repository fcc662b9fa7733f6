/*-------------------------------------------------------------------------
 *
 * notifier.c
 *		Background workers that tell listeners of cache events.
 *
 * NOTIFY belongs to a database, and so does a worker.  So a notifier for a
 * database is started (by the sweeper) when events of it wait, and leaves when
 * none came for a minute.  It reads a batch from the ring, sends it as few
 * payloads, commits, and only then declares the batch consumed: an error or a
 * termination in between may send a batch twice but loses none.
 *
 * A payload is one JSON object; it stays below NOTIFY's limit because it is
 * closed before an event that might not fit.
 *
 * Statements that need a database to have no sessions (DROP DATABASE, CREATE
 * DATABASE from a template, ...) make its notifier leave at once; see hooks.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "cache/cache.h"
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

/*
 * corm_notifiers_launch starts a notifier for each database that has events
 * waiting and none running.  Returns true if it should be called again soon
 * because one could not be started or has not shown up yet.  Runs in the
 * sweeper.
 */
bool
corm_notifiers_launch(void)
{
	bool		again = false;

	if (RecoveryInProgress())
		return false;

	for (uint32 i = 0; i < corm_cache->ndbs_used; i++)
	{
		CormDatabase *db = &corm_databases[i];
		int64		now = corm_clock_machine();
		BackgroundWorker worker = {0};
		Oid			oid;
		bool		launch;
		bool		give_up;

		if (db->pending == 0 || db->notifier_pid != 0)
			continue;

		LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
		oid = db->oid;
		if (db->stuck_since == 0)
			db->stuck_since = now;
		launch = db->pending > 0 && db->notifier_pid == 0 && now >= db->hold_until &&
			(db->launched == 0 || now - db->launched >= RETRY_MS * INT64CONST(1000));
		give_up = db->pending > 0 && now - db->stuck_since > GIVE_UP_US;
		if (launch)
		{
			db->launched = now;
			db->notifier_leave = false;
		}
		LWLockRelease(&corm_cache->ring_lock);

		if (give_up)
		{
			ereport(LOG,
					(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					 errmsg("could not start a cache notifier for database %u, its events are dropped", oid),
					 errhint("You might need to increase max_worker_processes.")));
			corm_events_drop(db);
			continue;
		}

		again = true;
		if (!launch)
			continue;

		snprintf(worker.bgw_name, BGW_MAXLEN, "corm cache notifier for database %u", oid);
		strlcpy(worker.bgw_type, "corm cache notifier", BGW_MAXLEN);
		worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
		worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
		worker.bgw_restart_time = BGW_NEVER_RESTART;
		strlcpy(worker.bgw_library_name, "corm", BGW_MAXLEN);
		strlcpy(worker.bgw_function_name, "corm_notifier_main", BGW_MAXLEN);
		worker.bgw_main_arg = ObjectIdGetDatum(oid);
		(void) RegisterDynamicBackgroundWorker(&worker, NULL);
	}
	return again;
}

/* forget_notifier clears the traces of a notifier when it exits. */
static void
forget_notifier(int code, Datum arg)
{
	CormDatabase *db = (CormDatabase *) DatumGetPointer(arg);
	bool		waiting;

	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
	db->notifier_pid = 0;
	db->notifier_latch = NULL;
	db->notifier_awake = false;
	db->stuck_since = 0;
	waiting = db->pending > 0;
	LWLockRelease(&corm_cache->ring_lock);
	if (waiting)
		corm_sweeper_wake(0);
}

/* enroll makes this process the notifier of its database, or returns NULL. */
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
	}
	LWLockRelease(&corm_cache->ring_lock);
	if (!mine)
		return NULL;
	before_shmem_exit(forget_notifier, PointerGetDatum(db));
	return db;
}

/* finish sends a payload, if there is anything in it, and empties it. */
static void
finish(Payload *payload)
{
	if (payload->events == 0)
		return;
	appendStringInfoString(&payload->buf, "]}");
	Async_Notify(NameStr(payload->channel), payload->buf.data);
	payload->events = 0;
}

/* add_event adds an event to a payload, sending that first if it is full. */
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
 * send_batch notifies one batch of events in a transaction of its own.
 * Returns the number of events.  May raise; nothing is consumed then.
 */
static int
send_batch(CormDatabase *db, char *buf)
{
	uint64		position = db->cursor;
	Size		size = corm_events_read(db->oid, &position, buf, BATCH_BYTES);
	const char *at = buf;
	CormCacheEvent	event;
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
		finish((Payload *) lfirst(lc));
	CommitTransactionCommand();

	corm_events_consumed(db, position, n);
	return n;
}

/*
 * send_batch_safely is send_batch that logs an error instead of raising it,
 * such as a notification queue that is full.  Returns -1 then.
 */
static int
send_batch_safely(CormDatabase *db, char *buf)
{
	volatile int n = -1;

	PG_TRY();
	{
		n = send_batch(db, buf);
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	return n;
}

/* go_idle tells pushers that they must wake us.  False: there is more. */
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
	BackgroundWorkerInitializeConnectionByOid(oid, InvalidOid, 0);

	db = enroll(oid);
	if (db == NULL)
		proc_exit(0);

	/* A notification lost in a crash is like any event of a crash. */
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
