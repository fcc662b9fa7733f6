/*-------------------------------------------------------------------------
 *
 * versions.c
 *		Versions of tables: whether what was read is still what is there.
 *
 * A fresh answer (corm.cached(fresh => true), cache_fetch and cache_set with
 * depends) is given from the cache only if no transaction that wrote one of its
 * tables has become visible since it was computed.  This is how that is known.
 *
 * What is in shared memory.  An array of cells; a table's cell is found by a hash
 * of its database and OID.  Two tables may share one: then a write of either counts
 * as a write of both, which costs a miss.  A cell is one word:
 *
 *		version | settled | tracked | committing
 *
 * "committing" is the number of transactions that wrote the table and are between
 * the decision to commit and its publication.  All changes are single atomic
 * operations on the word.
 *
 * Who writes.  operations/writes.c does it, at the end of a transaction, for the
 * tables on which the transaction has a lock to write:
 *
 *		(w1) before the commit record: committing + 1
 *		(w2) PostgreSQL: commit record, replication, visible to new snapshots,
 *			 invalidation messages sent, locks released
 *		(w3) version + 1 and committing - 1, as one addition
 *		(w4) the client gets its answer
 *
 * If the transaction aborts instead: committing - 1.
 *
 * Who reads.  To keep a result, a session
 *
 *		(r1) reads the cells: they must be settled and quiet (committing is 0);
 *			 the sum of their versions is what is stored with the result
 *		(r2) accepts invalidation messages, so that it plans with catalogs at
 *			 least as new as what it read in r1
 *		(r3) looks again which tables the query reads, descendants included; if
 *			 they are others, it starts again with these
 *		(r4) takes a snapshot and runs the query
 *
 * To answer from the cache, it reads the cells again (h): settled, quiet, and
 * of the same sum.  Versions only grow, so the sums of two moments are equal only
 * if each version is.
 *
 * Why no reader can slip between.  Let W be a transaction that wrote a table of the
 * query, and the result not include W's changes; so W became visible after r4.
 *
 *	- W's w3 is after r1, since w3 is after w2 and w2 after r4.  So if h is after w3,
 *	  it finds another sum.  W4 is after w3: who has seen W acknowledged, or has been
 *	  told by somebody who has, gets no hit.
 *	- If h is before w3 but W is visible, w1 is before h, so h finds committing > 0.
 *	  So whoever has merely seen W's rows, before it was acknowledged, gets no hit
 *	  either: answers never go back in time, whatever else a session has read.
 *	- If h is before W is visible, the result is what a query would show.
 *
 * A hit of several tables reads their cells one after the other.  It is right as of
 * the moment at which the first was read: had a W of any of them become visible
 * between r4 and that moment, W's cell would be committing, or its version be
 * another one, at that moment, and so its version would be another one, or it would
 * still be committing, when it is read later.  A result may include a W whose w3 is
 * still to come; then w3 makes it a miss, which is not needed but does no harm.
 *
 * Publication is not in the callback of XACT_EVENT_COMMIT, in which W is visible,
 * but after the locks are released, because of DDL whose locks do not keep readers
 * out (ATTACH PARTITION): before its invalidation messages are sent, a reader
 * would see the new version, plan with its old catalogs, and keep the result.
 *
 * Beginning to track.  A cell is 0 until a fresh query names the table; transactions
 * pass by cells that are 0.  A transaction that has passed by and is not visible yet
 * would publish nothing.  So a cell is tracked first, and settled only when no such
 * transaction is left.  Each process has a slot, which says that it is between its
 * decision to commit and its end, and since which epoch.  To track a cell begins an
 * epoch, after the cell is marked.  A process writes the epoch into its slot before
 * it looks at cells; one that has written that epoch or a later one finds the cell
 * tracked.  So the cell is settled once every slot is empty, or as late as the
 * cell's epoch.  It stays so for the server's life, except for:
 *
 * Prepared transactions.  Between PREPARE and COMMIT PREPARED there may be a crash,
 * and the second may come from any process, a subscription's for one.  But
 * PostgreSQL itself keeps the locks of a prepared transaction, over a crash too, and
 * releases them when all is visible and announced.  So at PREPARE the cells of the
 * written tables get a new version and are unsettled, in a new epoch; and a cell is
 * settled only if no prepared transaction has a lock to write a table of that cell.
 * A fixed cell has no locks, so it is settled only if nothing is prepared at all.
 * The order matters: first the slots are looked at, then the locks, since a process
 * that prepares hands its locks over before it empties its slot.
 *
 * After a crash of the server all of this begins from nothing, and so does the
 * cache.  A standby has no transactions that would publish; there is no fresh
 * answer from the cache until it is promoted.
 *
 * Nothing here raises, but corm_cells_track must not be called with an LWLock held.
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
	pg_atomic_uint64 changed;	/* time of the last publication */
	uint64		unused;			/* to 32 bytes */
} Cell;

/* Whether a process is between its decision to commit and its end. */
typedef struct Slot
{
	pg_atomic_uint64 epoch;		/* 0: it is not */
	char		pad[64 - sizeof(pg_atomic_uint64)];
} Slot;

#define FIRST_EPOCH		1

typedef struct Versions
{
	pg_atomic_uint64 epoch;		/* FIRST_EPOCH: nothing is tracked */
	pg_atomic_uint64 published; /* how often any version has changed */
	char		pad[PG_CACHE_LINE_SIZE - 2 * sizeof(pg_atomic_uint64)];
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
	for (int i = 0; i < CELLS; i++)
	{
		pg_atomic_init_u64(&versions->cell[i].word, 0);
		pg_atomic_init_u64(&versions->cell[i].epoch, 0);
		pg_atomic_init_u64(&versions->cell[i].changed, 0);
	}
	for (uint32 i = 0; i < corm_max_procs(); i++)
		pg_atomic_init_u64(&versions->slot[i].epoch, 0);
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

/*
 * is_covered tells whether every transaction that is not yet at its end knows, or
 * will know, that a cell is tracked since an epoch.
 */
static bool
is_covered(uint64 epoch)
{
	for (uint32 i = 0; i < corm_max_procs(); i++)
	{
		uint64		slot = pg_atomic_read_u64(&versions->slot[i].epoch);

		if (slot != 0 && slot < epoch)
			return false;
	}
	return true;
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

		if (word & SETTLED)
			return true;
		pg_memory_barrier();
		epoch = pg_atomic_read_u64(&cell->epoch);
		CORM_FAULT("fresh-settle");
		if (epoch == 0 || !is_covered(epoch))
			return false;
		pg_memory_barrier();
		if (corm_prepared_writes(number, number < CORM_FIXED_CELLS))
			return false;

		/* Not if anything has changed: it may have been unsettled since. */
		if (pg_atomic_compare_exchange_u64(&cell->word, &word, word | SETTLED))
			return true;
	}
	return false;
}

/*
 * corm_cells_track sees to it that the tables of some cells are tracked.  Returns
 * whether all of them are settled.
 */
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

/* corm_cells_add reads some cells more.  Raises nothing. */
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

/* corm_cells_quiet tells whether the sum of what was read can be relied on. */
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

/* corm_cells_changed returns when one of some cells was last published, 0 if none was. */
TimestampTz
corm_cells_changed(const uint32 *cells, int n)
{
	uint64		last = 0;

	for (int i = 0; i < n; i++)
		last = Max(last, pg_atomic_read_u64(&versions->cell[cells[i]].changed));
	return (TimestampTz) last;
}

/*
 * corm_commit_begin says that this process has decided to commit or to prepare.
 * Returns whether any table is tracked: if not, the transaction need not look at
 * cells.
 */
bool
corm_commit_begin(void)
{
	pg_atomic_uint64 *slot = &versions->slot[corm_my_procno()].epoch;

	pg_atomic_write_u64(slot, pg_atomic_read_u64(&versions->epoch));
	pg_memory_barrier();
	return pg_atomic_read_u64(&versions->epoch) != FIRST_EPOCH;
}

/* corm_commit_end says that it is at its end. */
void
corm_commit_end(void)
{
	pg_memory_barrier();
	pg_atomic_write_u64(&versions->slot[corm_my_procno()].epoch, 0);
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

/* corm_cell_committed says that it has committed, at that time at the latest, and all can see it. */
void
corm_cell_committed(uint32 cell, TimestampTz now)
{
	pg_atomic_uint64 *changed = &versions->cell[cell].changed;
	uint64		last = pg_atomic_read_u64(changed);

	while (last < (uint64) now && !pg_atomic_compare_exchange_u64(changed, &last, (uint64) now))
		;
	pg_atomic_fetch_add_u64(&versions->cell[cell].word, ONE_VERSION - ONE_COMMITTING);
}

/* corm_published says that some versions have changed, after they have. */
void
corm_published(void)
{
	pg_atomic_fetch_add_u64(&versions->published, 1);
}

/* corm_publications returns how often that was said; read it before looking at versions. */
uint64
corm_publications(void)
{
	uint64		n = versions == NULL ? 0 : pg_atomic_read_u64(&versions->published);

	pg_memory_barrier();
	return n;
}

/* corm_cell_aborted says that it has not. */
void
corm_cell_aborted(uint32 cell)
{
	pg_atomic_fetch_sub_u64(&versions->cell[cell].word, ONE_COMMITTING);
}

/*
 * corm_cells_unsettle says that a transaction that wrote tables of these cells is
 * about to be prepared.  Cells that are not tracked may be among them.
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

		/* First the epoch: who finds the cell unsettled finds that, too. */
		pg_atomic_write_u64(&cell->epoch, epoch);
		pg_memory_barrier();
		while (!pg_atomic_compare_exchange_u64(&cell->word, &word,
											   (word + ONE_VERSION) & ~SETTLED))
			;
	}
}
