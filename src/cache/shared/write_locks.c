/*-------------------------------------------------------------------------
 *
 * write_locks.c
 *		Which tables a transaction has locks to write.
 *
 * A transaction that changes a table holds a lock on it until it ends: statements
 * on their result relations and on the partitions to which rows are routed, cascades of
 * foreign keys, COPY, TRUNCATE, REFRESH, CLUSTER, ALTER TABLE, the workers of
 * subscriptions, and extensions that write in C, since PostgreSQL's own DDL relies on
 * these locks.  Rolling back to a savepoint releases the locks taken since.  So the
 * locks that are left at the end say what the transaction has written, and sometimes a
 * little more.  No statement has to note anything.  (PostgreSQL releases such locks early
 * only on its own catalogs, which are not tracked, and on indexes.)
 *
 * RowExclusiveLock and all stronger modes count, except ShareLock, which CREATE INDEX
 * takes.  ShareUpdateExclusiveLock counts because of ATTACH PARTITION, INHERIT and the
 * like.  VACUUM and ANALYZE take it, too.  VACUUM does not change what queries see, and
 * can be told by a flag of its process; ANALYZE costs a few misses.
 *
 * A lock is either in an array of the process that holds it ("fast path") or in the
 * shared lock table, where each process has a list for each partition.  Another process
 * may move our locks from the array to the table: it adds a lock there, and then clears
 * its bit in the array.  We read the array first and then the lists, so we miss no lock,
 * but may see one twice.  We read the array without fpInfoLock, because only we set bits
 * in it.  We read a list under the lock of its partition, unless it looks empty: if
 * somebody is just adding a lock to it, then we have seen that lock in the array.  Nor is
 * a list read if it holds the only lock there is in all lists, since that is the lock of
 * the transaction's own number.
 *
 * PostgreSQL has no functions that give access to this.  compat.h has what differs
 * between its versions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/twophase.h"
#include "base/compat.h"
#include "cache/shared/versions.h"
#include "cache/shared/write_locks.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "storage/proc.h"

#define WRITE_MODES \
	(LOCKBIT_ON(RowExclusiveLock) | LOCKBIT_ON(ShareUpdateExclusiveLock) | \
	 LOCKBIT_ON(ShareRowExclusiveLock) | LOCKBIT_ON(ExclusiveLock) | \
	 LOCKBIT_ON(AccessExclusiveLock))

/* written_cell tells whether a lock lets its holder write a table.  *cell is set to that table's cell. */
static inline bool
written_cell(const PROCLOCK *proclock, uint32 *cell)
{
	const LOCKTAG *tag = &proclock->tag.myLock->tag;

	if (tag->locktag_type != LOCKTAG_RELATION || !(proclock->holdMask & WRITE_MODES))
		return false;
	*cell = corm_cell_of(tag->locktag_field1, tag->locktag_field2);
	return true;
}

/*
 * corm_my_writes finds the cells of the tables that this transaction, which must have a
 * transaction ID, has locks to write; some perhaps twice.  Returns how many there are,
 * and puts the first max of them into cells.  Raises nothing.
 */
int
corm_my_writes(uint32 *cells, int max)
{
	int			lists = 0;
	bool		single = true;
	int			n = 0;

	/* VACUUM of other kinds than FULL */
	if (MyProc->statusFlags & PROC_IN_VACUUM)
		return 0;

	for (int group = 0; group < CORM_FAST_PATH_GROUPS; group++)
	{
		uint64		bits = corm_fast_path_bits(group) & CORM_FAST_PATH_WRITES;

		for (; bits != 0; bits &= bits - 1)
		{
			int			slot = pg_rightmost_one_pos64(bits) / CORM_FAST_PATH_BITS;

			if (n < max)
				cells[n] = corm_cell_of(MyDatabaseId, corm_fast_path_relation(group, slot));
			n++;
		}
	}
	pg_memory_barrier();

	for (int partition = 0; partition < NUM_LOCK_PARTITIONS; partition++)
	{
		if (corm_no_proclocks(MyProc, partition))
			continue;
		lists++;
		single = corm_one_proclock(MyProc, partition);
	}
	if (lists == 1 && single)
		return n;

	for (int partition = 0; partition < NUM_LOCK_PARTITIONS; partition++)
	{
		if (corm_no_proclocks(MyProc, partition))
			continue;

		LWLockAcquire(LockHashPartitionLockByIndex(partition), LW_SHARED);
		for (PROCLOCK *proclock = corm_first_proclock(MyProc, partition); proclock != NULL;
			 proclock = corm_next_proclock(MyProc, partition, proclock))
		{
			uint32		cell;

			if (!written_cell(proclock, &cell))
				continue;
			if (n < max)
				cells[n] = cell;
			n++;
		}
		LWLockRelease(LockHashPartitionLockByIndex(partition));
	}
	return n;
}

/* proc_writes tells whether a process has a lock to write a table of a cell; if any is true, any lock. */
static bool
proc_writes(PGPROC *proc, uint32 cell, bool any)
{
	bool		found = false;

	for (int partition = 0; partition < NUM_LOCK_PARTITIONS && !found; partition++)
	{
		if (corm_no_proclocks(proc, partition))
			continue;

		LWLockAcquire(LockHashPartitionLockByIndex(partition), LW_SHARED);
		for (PROCLOCK *proclock = corm_first_proclock(proc, partition); proclock != NULL && !found;
			 proclock = corm_next_proclock(proc, partition, proclock))
		{
			uint32		its = 0;

			found = any || (written_cell(proclock, &its) && its == cell);
		}
		LWLockRelease(LockHashPartitionLockByIndex(partition));
	}
	return found;
}

/*
 * corm_prepared_writes tells whether a prepared transaction has a lock to write a table of
 * a cell; if any is true, whether there is a prepared transaction at all: each has at
 * least the lock of its own transaction ID.  Raises nothing.
 *
 * TwoPhaseStateLock keeps PostgreSQL from setting up the entry of a prepared transaction
 * while its lists are read.  Nothing in PostgreSQL waits for it while holding a lock of a
 * partition.
 */
bool
corm_prepared_writes(uint32 cell, bool any)
{
	bool		found = false;

	if (max_prepared_xacts == 0)
		return false;

	LWLockAcquire(TwoPhaseStateLock, LW_SHARED);
	for (int i = 0; i < max_prepared_xacts && !found; i++)
		found = proc_writes(&PreparedXactProcs[i], cell, any);
	LWLockRelease(TwoPhaseStateLock);
	return found;
}
