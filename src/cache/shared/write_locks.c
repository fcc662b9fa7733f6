/*-------------------------------------------------------------------------
 *
 * write_locks.c
 *		Which tables a transaction has locks to write.
 *
 * Whoever changes a table holds a lock on it that lets it write, until the end of its
 * transaction: statements with result relations and the partitions that rows are
 * routed to, cascades of foreign keys, COPY, TRUNCATE, REFRESH, CLUSTER, every ALTER,
 * the apply processes of logical replication, and extensions that write by C code,
 * since without this lock PostgreSQL's own DDL would not work.  A rolled back
 * savepoint releases the locks that it took.  So the locks at the end of a transaction
 * say what it has written, no more than a little more, and no statement has to note
 * anything.  (PostgreSQL releases such locks early on its own catalogs only, which are
 * not tracked, and for indexes.)
 *
 * The modes that count are RowExclusiveLock and those above it but ShareLock, which is
 * that of CREATE INDEX.  ShareUpdateExclusiveLock counts for the sake of ATTACH
 * PARTITION, INHERIT and the like.  It is that of VACUUM and ANALYZE, too: the former
 * does not change what queries see, and tells us so; the latter costs a few misses.
 *
 * A lock is either in the process's own array ("fast path") or in the shared table,
 * where each process has a list for each partition of the table.  Other processes move
 * our locks from the first to the second: they add it there, and then clear its bit here.
 * So first the array is read, then the lists, and no lock is missed, though one may be
 * seen twice.  The array is read without its lock, fpInfoLock: nobody but us sets bits.
 * A list is not walked without the partition's lock, but if it seems empty, then what
 * somebody is just adding has been seen in the array.  The same is true if there seems
 * to be a single lock in all lists: that is the one of the transaction's own number.
 *
 * This reads structures of PostgreSQL that have no functions for it; compat.h has
 * what differs between its versions.
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

/* written_cell returns whether a lock lets its holder write a table, and which cell that has. */
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
 * corm_my_writes fills cells with those of the tables that this transaction has locks
 * to write, perhaps some twice.  It has a number.  Returns their number; the first max are in the
 * array.  Raises nothing.
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

/* proc_writes tells whether a process has a lock to write a table of a cell; any: any lock. */
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
 * corm_prepared_writes tells whether a prepared transaction has a lock to write a table
 * of a cell; any: whether there is a prepared transaction at all, which always has the
 * lock of its own number.  Raises nothing.
 *
 * TwoPhaseStateLock keeps the entries of prepared transactions from being made while
 * their lists are read.  PostgreSQL takes locks in this order, too.
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
