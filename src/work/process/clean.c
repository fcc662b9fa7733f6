/*-------------------------------------------------------------------------
 *
 * clean.c
 *		What a job has left in its worker, removed before the next one.
 *
 * Settings and the role end with the job (job.c).  What remains is what outlives a
 * transaction: cursors WITH HOLD, prepared statements, advisory locks of the session, the
 * memory of sequences, temporary tables.  Plans are kept: that is the use of a
 * warm worker.  What a procedural language keeps for the session is shared by the
 * jobs of a session user, as behind a connection pool.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/prepare.h"
#include "commands/sequence.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/fmgrprotos.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "work/process/call.h"

CormSessionEnd corm_worker_session_end = NULL;

/* has_temporary_namespace tells whether this process has made temporary tables. */
static bool
has_temporary_namespace(void)
{
	Oid			namespace;
	Oid			toast;

	GetTempNamespaceState(&namespace, &toast);
	return OidIsValid(namespace);
}

/*
 * corm_worker_clean removes what a job has left.  Returns false if that has failed:
 * then the process must not run another one.  Raises nothing but what ends the
 * process.  Runs outside of a transaction.
 */
bool
corm_worker_clean(void)
{
	volatile bool clean = true;

	/* a cancel is for the job, which is over */
	HOLD_CANCEL_INTERRUPTS();
	PG_TRY();
	{
		PortalHashTableDeleteAll();
		DropAllPreparedStatements();
		ResetSequenceCaches();
		LockReleaseAll(USER_LOCKMETHOD, true);
		if (corm_worker_session_end != NULL)
			corm_worker_session_end();
		/* what setseed() has made of random() */
		(void) DirectFunctionCall1(setseed, Float8GetDatum(2 * pg_prng_double(&pg_global_prng_state) - 1));
		if (has_temporary_namespace())
		{
			StartTransactionCommand();
			PushActiveSnapshot(GetTransactionSnapshot());
			ResetTempTableNamespace();
			PopActiveSnapshot();
			CommitTransactionCommand();
		}
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
		clean = false;
	}
	PG_END_TRY();
	if (QueryCancelHoldoffCount > 0)
		RESUME_CANCEL_INTERRUPTS();	/* an error has done it */
	return clean;
}
