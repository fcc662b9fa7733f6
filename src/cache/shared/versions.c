/*-------------------------------------------------------------------------
 *
 * versions.c
 *		Versions of tables: whether what was read is still what is there.
 *
 * A fresh answer (corm.cached(fresh => true), cache_fetch and cache_set with depends)
 * comes from the cache only if, since it was computed, no transaction that wrote one of
 * its tables has become visible.  This file knows whether one has.
 *
 * Shared memory has an array of cells.  A hash of its database and OID leads from a
 * table to its cell.  Two tables may share a cell: then a write of one counts as a write
 * of both, which costs a miss but is never wrong.  A cell is one word:
 *
 *		version | settled | tracked | committing
 *
 * "committing" counts the transactions that wrote the table and are now between their
 * decision to commit and their publication.  Every change of the word is one atomic
 * operation.
 *
 * What a writer does.  At the end of a transaction, for each table on which the
 * transaction holds a lock that lets it write (operations/writes.c):
 *
 *		(w1) before the commit record is written: committing + 1
 *		(w2) PostgreSQL commits: it writes the record, waits for standbys, makes the
 *			 transaction visible to new snapshots, sends invalidation messages and
 *			 releases the locks
 *		(w3) version + 1 and committing - 1, in one addition
 *		(w4) the client is told
 *
 * If the transaction aborts after w1: committing - 1.
 *
 * What a reader does to keep a result:
 *
 *		(r1) It reads the cells.  They must be settled, and none committing.  The sum of
 *			 their versions is stored with the result.
 *		(r2) It accepts invalidation messages, so that it plans with catalogs that are
 *			 at least as new as the versions.
 *		(r3) It looks again which tables the query reads, with partitions and children.
 *			 If they are not those of r1, it starts again.
 *		(r4) It takes a snapshot and runs the query.
 *
 * To answer from the cache (h), it reads the cells again: they must be settled, none
 * committing, and the sum must be the stored one.  Versions only grow, so two sums are
 * equal only if every version is.
 *
 * Why nothing slips between.  Take a transaction W that wrote a table of the query, and
 * a result without W's changes.  Then W became visible after r4.
 *
 *	- W's w3 comes after it is visible, so after r4 and after r1.  If h comes after w3,
 *	  the sum differs: no hit.  The client is told after w3; so a session
 *	  that knows of the commit, from the client or by way of others, gets no hit.
 *	- If h comes before w3, but W is visible, then w1 has been done, and h sees it
 *	  committing: no hit.  So a session that has seen W's rows before the client was
 *	  told gets no hit either.  What a session sees never goes back in time.
 *	- If h comes before W is visible, the result is what the query would return.
 *
 * h reads the cells of several tables one after the other, and is right as of the moment
 * when it read the first.  Suppose that a W had become visible between r4 and that
 * moment.  At that moment its cell was committing, or had a new version already; and
 * when h reads that cell later, the same is true.  A result may already contain a W
 * whose w3 is still to come.  Then w3 makes it a miss, which is not needed but harmless.
 *
 * w3 is not done in the callback of XACT_EVENT_COMMIT, when W is visible, but after the
 * locks are released.  Some DDL does not lock readers out, ATTACH PARTITION for one.  A
 * reader that came between w3 and W's invalidation messages would read the new version,
 * plan with old catalogs, and keep a wrong result.
 *
 * Beginning to track a table.  A cell is 0 until somebody asks for a fresh answer of its
 * table, and transactions skip cells that are 0.  One that has just skipped the cell, and
 * is not yet visible, will publish nothing.  So a cell is first marked as tracked, and
 * is settled only when no such transaction is left.  How that is known: every process has
 * a slot, which is not 0 while the process is between its decision to commit and its
 * end.  There is a counter of epochs; marking a cell is followed by a new epoch, which
 * the cell remembers.  A process copies the current epoch into its slot before it looks
 * at any cell.  So a process whose slot has the cell's epoch, or a later one, has found
 * the cell tracked, or will.  The cell can be settled when each slot is 0 or at least the
 * cell's epoch.  Then it stays settled until the server stops, with one exception:
 *
 * Prepared transactions.  The server may crash between PREPARE TRANSACTION and COMMIT
 * PREPARED, and any process can do the latter, a subscription's worker too.  But
 * PostgreSQL keeps the locks of a prepared transaction, even over a crash, and releases
 * them only when everything is visible and all messages are sent.  So PREPARE gives the
 * cells of the written tables a new version and makes them unsettled, in a new epoch.  A
 * cell is settled only if no prepared transaction holds a lock to write one of its
 * tables.  The slots are looked at before the locks: a process that prepares hands its
 * locks over before it clears its slot.  A fixed cell stands for things without locks, so
 * it is settled only while nothing is prepared at all.
 *
 * When a cell changed last.  cache_set stores a value that may have been computed from
 * anything that its transaction has read.  So it needs to know that the tables have not
 * changed since the transaction began, even if nobody tracked them then.  Each slot has
 * the time at which the last transaction of its process ended, taken when all could see
 * it.  When a cell is settled, it gets the latest of these: what changed the table
 * unnoticed has ended by then.  COMMIT PREPARED occupies its slot, too, with an epoch
 * that lets nothing be settled until it is through (corm_finish_begin).  A subscription's
 * worker cannot be seen to begin it; where there is one, the time is that of settling.
 *
 * A crash resets all of this, and the cache with it.  On a standby there are no
 * transactions that publish, so it gives no fresh answer from the cache until it is
 * promoted.
 *
 * Nothing here raises.  corm_cells_track must not be called with an LWLock held.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/twophase.h"
#include "access/xlog.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/compat.h"
#include "cache/shared/versions.h"
#include "cache/shared/write_locks.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/proc.h"

#define CELLS			16384	/* a power of 2 */
#define SETTLE_TRIES	3

#define ONE_COMMITTING	UINT64CONST(1)
#define ALL_COMMITTING	((UINT64CONST(1) << 20) - 1)	/* more than processes
														 * times locks */
#define TRACKED			(UINT64CONST(1) << 20)
#define SETTLED			(UINT64CONST(1) << 21)
#define ONE_VERSION		(UINT64CONST(1) << 22)
#define VERSION_SHIFT	22

typedef struct Cell
{
	pg_atomic_uint64 word;
	pg_atomic_uint64 epoch;		/* in which it was tracked or unsettled; 0:
								 * being tracked */
	pg_atomic_uint64 changed;	/* nothing has changed after this time */
	uint64		unused;			/* to 32 bytes */
} Cell;

/* Whether a process is between its decision to commit and its end. */
typedef struct Slot
{
	pg_atomic_uint64 epoch;		/* 0: it is not */
	pg_atomic_uint64 ended;		/* when its last transaction had ended */
	char		pad[64 - 2 * sizeof(pg_atomic_uint64)];
} Slot;

#define FIRST_EPOCH		1

typedef struct Versions
{
	pg_atomic_uint64 epoch;		/* FIRST_EPOCH: nothing is tracked */
	pg_atomic_uint64 published; /* how often any version has changed */
	pg_atomic_uint64 subscribed;	/* 1: a subscription has been at work */
	char		pad[PG_CACHE_LINE_SIZE - 3 * sizeof(pg_atomic_uint64)];
	Cell		cell[CELLS];
	Slot		slot[FLEXIBLE_ARRAY_MEMBER];
} Versions;

static Versions *versions = NULL;

static Size
versions_size(void)
{
	return add_size(offsetof(Versions, slot), mul_size(corm_max_procs(), sizeof(Slot)));
}

/* versions_attach finds or sets up the memory.  Raises nothing. */
static void
versions_attach(void *addr, Size size, bool found)
{
	versions = (Versions *) addr;
	if (found)
		return;

	pg_atomic_init_u64(&versions->epoch, FIRST_EPOCH);
	pg_atomic_init_u64(&versions->published, 0);
	pg_atomic_init_u64(&versions->subscribed, 0);
	for (int i = 0; i < CELLS; i++)
	{
		pg_atomic_init_u64(&versions->cell[i].word, 0);
		pg_atomic_init_u64(&versions->cell[i].epoch, 0);
		pg_atomic_init_u64(&versions->cell[i].changed, 0);
	}
	for (uint32 i = 0; i < corm_max_procs(); i++)
	{
		pg_atomic_init_u64(&versions->slot[i].epoch, 0);
		pg_atomic_init_u64(&versions->slot[i].ended, 0);
	}
}

static const CormSharedPart versions_part = {
	.name = "corm versions",
	.size = versions_size,
	.attach = versions_attach,
};

/* corm_versions_shared_init asks for the shared memory; when preloaded only. */
void
corm_versions_shared_init(void)
{
	corm_shared_add(&versions_part);
}

/*
 * corm_versions_available tells whether tables can be tracked at all: corm is
 * preloaded, and the server is not a standby.
 */
bool
corm_versions_available(void)
{
	return versions != NULL && !RecoveryInProgress();
}

/* corm_cell_of returns the cell of a table. */
uint32
corm_cell_of(Oid db, Oid relid)
{
	uint32		cell = murmurhash32(relid ^ db * 0x9E3779B9) & (CELLS - 1);

	return cell < CORM_FIXED_CELLS ? cell + CORM_FIXED_CELLS : cell;
}

/* corm_table_is_tracked tells whether the cell of a table is, for this table or another one.  For tests. */
bool
corm_table_is_tracked(Oid relid)
{
	return pg_atomic_read_u64(&versions->cell[corm_cell_of(MyDatabaseId, relid)].word) != 0;
}

/*
 * is_covered tells whether every transaction that is about to commit has found, or will
 * find, that a cell has been tracked since an epoch.  If so, *ended is set to a time by
 * which all earlier ones had ended.
 */
static bool
is_covered(uint64 epoch, uint64 *ended)
{
	*ended = 0;
	for (uint32 i = 0; i < corm_max_procs(); i++)
	{
		uint64		slot = pg_atomic_read_u64(&versions->slot[i].epoch);

		if (slot != 0 && slot < epoch)
			return false;
		pg_read_barrier();
		*ended = Max(*ended, pg_atomic_read_u64(&versions->slot[i].ended));
	}

	/* The end of a prepared transaction that a subscription commits is in no slot. */
	if (max_prepared_xacts > 0 && pg_atomic_read_u64(&versions->subscribed) != 0)
		*ended = (uint64) GetCurrentTimestamp();
	return true;
}

/* note_change notes that a cell may have changed at a time. */
static void
note_change(Cell *cell, uint64 time)
{
	uint64		last = pg_atomic_read_u64(&cell->changed);

	while (last < time && !pg_atomic_compare_exchange_u64(&cell->changed, &last, time))
		;
}

/* settle settles a tracked cell, if it can be.  Returns whether it is settled now. */
static bool
settle(uint32 number)
{
	Cell	   *cell = &versions->cell[number];

	for (int try = 0; try < SETTLE_TRIES; try++)
	{
		uint64		word = pg_atomic_read_u64(&cell->word);
		uint64		epoch;
		uint64		ended;

		if (word & SETTLED)
			return true;
		pg_memory_barrier();
		epoch = pg_atomic_read_u64(&cell->epoch);
		CORM_FAULT("fresh-settle");
		if (epoch == 0 || !is_covered(epoch, &ended))
			return false;
		pg_memory_barrier();
		if (corm_prepared_writes(number, number < CORM_FIXED_CELLS))
			return false;
		note_change(cell, ended);

		/* Not if anything has changed: it may have been unsettled since. */
		if (pg_atomic_compare_exchange_u64(&cell->word, &word, word | SETTLED))
			return true;
	}
	return false;
}

/* corm_cells_track begins to track some cells, if need be.  Returns whether all are settled. */
bool
corm_cells_track(const uint32 *cells, int n)
{
	bool		settled = true;

	for (int i = 0; i < n; i++)
	{
		Cell	   *cell = &versions->cell[cells[i]];
		uint64		word = pg_atomic_read_u64(&cell->word);

		if (likely(word & SETTLED))
			continue;
		if (word == 0 &&
			pg_atomic_compare_exchange_u64(&cell->word, &word, ONE_VERSION | TRACKED))
			pg_atomic_write_u64(&cell->epoch,
								pg_atomic_add_fetch_u64(&versions->epoch, 1));
		settled &= settle(cells[i]);
	}
	return settled;
}

/* corm_cells_add reads some more cells.  Raises nothing. */
void
corm_cells_add(CormCellsRead *read, const uint32 *cells, int n)
{
	pg_read_barrier();
	for (int i = 0; i < n; i++)
	{
		uint64		word = pg_atomic_read_u64(&versions->cell[cells[i] % CELLS].word);

		read->sum += word >> VERSION_SHIFT;
		read->unsettled |= ~word & SETTLED;
		read->committing |= word & ALL_COMMITTING;
		pg_read_barrier();
	}
}

/* corm_cells_quiet tells whether the sum of the cells that were read can be relied on. */
CormQuiet
corm_cells_quiet(const CormCellsRead *read)
{
	if (read->unsettled != 0)
		return CORM_UNSETTLED;
	return read->committing != 0 ? CORM_COMMITTING : CORM_QUIET;
}

/*
 * corm_cells_read returns the sum of the versions of some cells in *sum, and
 * whether it can be relied on.
 */
CormQuiet
corm_cells_read(const uint32 *cells, int n, uint64 *sum)
{
	CormCellsRead read = {0};

	corm_cells_add(&read, cells, n);
	*sum = read.sum;
	return corm_cells_quiet(&read);
}

/* corm_cells_changed returns a time after which none of some settled cells has changed. */
TimestampTz
corm_cells_changed(const uint32 *cells, int n)
{
	uint64		last = 0;

	pg_read_barrier();

	for (int i = 0; i < n; i++)
		last = Max(last, pg_atomic_read_u64(&versions->cell[cells[i]].changed));
	return (TimestampTz) last;
}

/*
 * corm_commit_begin says that this process is about to commit or to prepare.  Returns
 * whether anything is tracked: if not, the transaction need not look at cells.
 */
bool
corm_commit_begin(void)
{
	pg_atomic_uint64 *slot = &versions->slot[corm_my_procno()].epoch;

	pg_atomic_write_u64(slot, pg_atomic_read_u64(&versions->epoch));
	pg_memory_barrier();
	return pg_atomic_read_u64(&versions->epoch) != FIRST_EPOCH;
}

/*
 * corm_finish_begin says that this process is about to commit or roll back a prepared
 * transaction.  It does not know which tables that wrote, so no cell is settled until
 * corm_commit_end.
 */
void
corm_finish_begin(void)
{
	pg_atomic_write_u64(&versions->slot[corm_my_procno()].epoch, FIRST_EPOCH);
	pg_memory_barrier();
}

/*
 * corm_commit_end says that the transaction is at its end.  visible is a time at which all
 * could see what it did, or 0 if nobody can.
 */
void
corm_commit_end(TimestampTz visible)
{
	Slot	   *slot = &versions->slot[corm_my_procno()];

	if (visible != 0)
		pg_atomic_write_u64(&slot->ended, (uint64) visible);
	pg_memory_barrier();
	pg_atomic_write_u64(&slot->epoch, 0);
}

/* corm_versions_subscribed says that this process is a worker of a subscription. */
void
corm_versions_subscribed(void)
{
	if (pg_atomic_read_u64(&versions->subscribed) == 0)
		pg_atomic_write_u64(&versions->subscribed, 1);
}

/*
 * corm_cell_committing says that a transaction that wrote a table of this cell is
 * about to commit.  Returns false, and does nothing, if it is not tracked.
 */
bool
corm_cell_committing(uint32 cell)
{
	if (pg_atomic_read_u64(&versions->cell[cell].word) == 0)
		return false;
	pg_atomic_fetch_add_u64(&versions->cell[cell].word, ONE_COMMITTING);
	return true;
}

/* corm_cell_committed says that it has committed and all can see it; now is a time after that. */
void
corm_cell_committed(uint32 cell, TimestampTz now)
{
	note_change(&versions->cell[cell], (uint64) now);
	pg_atomic_fetch_add_u64(&versions->cell[cell].word, ONE_VERSION - ONE_COMMITTING);
}

/* corm_published counts a publication; to be called after versions have changed. */
void
corm_published(void)
{
	pg_atomic_fetch_add_u64(&versions->published, 1);
}

/* corm_publications returns the number of publications; call it before looking at versions. */
uint64
corm_publications(void)
{
	uint64		n = versions == NULL ? 0 : pg_atomic_read_u64(&versions->published);

	pg_memory_barrier();
	return n;
}

/* corm_cell_aborted says that it has aborted instead. */
void
corm_cell_aborted(uint32 cell)
{
	pg_atomic_fetch_sub_u64(&versions->cell[cell].word, ONE_COMMITTING);
}

/*
 * corm_cells_unsettle says that a transaction that wrote the tables of some cells is about
 * to be prepared.  It skips cells that are not tracked.
 */
void
corm_cells_unsettle(const uint32 *cells, int n)
{
	uint64		epoch = pg_atomic_add_fetch_u64(&versions->epoch, 1);

	for (int i = 0; i < n; i++)
	{
		Cell	   *cell = &versions->cell[cells[i]];
		uint64		word = pg_atomic_read_u64(&cell->word);

		if (word == 0)
			continue;

		/* The epoch first: a reader that finds the cell unsettled finds this epoch. */
		pg_atomic_write_u64(&cell->epoch, epoch);
		pg_memory_barrier();
		while (!pg_atomic_compare_exchange_u64(&cell->word, &word,
											   (word + ONE_VERSION) & ~SETTLED))
			;
	}
}
