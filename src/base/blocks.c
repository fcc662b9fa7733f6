/*-------------------------------------------------------------------------
 *
 * blocks.c
 *		Pools of fixed-size blocks in shared memory, addressed by 32-bit id.
 *
 * What is stored are chains of 128-byte blocks.  There is one size, so memory
 * does not fragment, and a block that was freed can serve any request of its pool.
 * The cache has a pool, and tasks and messages have another: the cache evicts
 * what it holds when it needs room, which must never meet the others.
 * Id 0 means "no block".  The first four bytes of every block link it to the
 * next one of its chain, or of its free list.
 *
 * The pool is cut into partitions, each a LIFO list under an LWLock, so that
 * sessions rarely meet.  A process takes from the partition its number gives
 * and goes round to the others when that is empty.
 *
 * Ownership.  A block is free (in a list), linked (reachable from an object
 * that other processes can see), or held: taken by a process that has not yet
 * linked it, or unlinked and not yet returned.  Every process counts the
 * blocks it holds in shared memory.  The counts change only inside a
 * partition's lock (take, give) or the lock that protects the object
 * (corm_blocks_linked, corm_blocks_unlinked), so a process that holds all these
 * locks sees: free + linked + held = all.
 *
 * Nothing here raises.  A process that takes blocks must link them or give them
 * back, even if an error or a termination intervenes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/blocks.h"
#include "base/compat.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/proc.h"

#define PARTITIONS	16

/* One free list, alone on its cache lines. */
typedef struct BlockPartition
{
	LWLock		lock;
	CormBlockId head;
	uint32		nfree;
	char		pad[PG_CACHE_LINE_SIZE - sizeof(LWLock) - 2 * sizeof(uint32)];
} BlockPartition;

/* How many blocks a process holds, alone on a cache line of 64 bytes. */
typedef struct BlockHolder
{
	int64		held;
	char		pad[64 - sizeof(int64)];
} BlockHolder;

struct CormBlockShared
{
	uint32		nblocks;
	uint32		nholders;
	int			tranche;
	BlockPartition partition[PARTITIONS];
	BlockHolder holder[FLEXIBLE_ARRAY_MEMBER];
};

static inline BlockHolder *
my_holder(const CormBlockPool *pool)
{
	return &pool->shared->holder[corm_my_procno()];
}

/*
 * corm_blocks_size returns the size of a pool of nblocks blocks.  The result is
 * the same in every process.
 */
Size
corm_blocks_size(uint32 nblocks)
{
	Size		size = offsetof(struct CormBlockShared, holder);

	size = add_size(size, mul_size(corm_max_procs(), sizeof(BlockHolder)));
	size = CACHELINEALIGN(size);
	return add_size(size, mul_size((Size) nblocks + 2, CORM_BLOCK_SIZE));
}

/*
 * corm_blocks_attach sets up (found = false) or finds the pool at addr, which
 * has corm_blocks_size(nblocks) bytes, and fills in *pool.  tranche is the name of
 * its locks; it must outlive the process.
 */
void
corm_blocks_attach(CormBlockPool *pool, const char *tranche, void *addr, uint32 nblocks, bool found)
{
	Size		header = offsetof(struct CormBlockShared, holder) +
		corm_max_procs() * sizeof(BlockHolder);
	struct CormBlockShared *shared = addr;

	pool->shared = shared;
	pool->base = (char *) TYPEALIGN(CORM_BLOCK_SIZE, (char *) addr + header);
	if (found)
	{
		LWLockRegisterTranche(shared->tranche, tranche);
		return;
	}

	memset(shared, 0, header);
	shared->tranche = LWLockNewTrancheId();
	LWLockRegisterTranche(shared->tranche, tranche);
	shared->nblocks = nblocks;
	shared->nholders = corm_max_procs();
	for (int p = 0; p < PARTITIONS; p++)
		LWLockInitialize(&shared->partition[p].lock, shared->tranche);

	/*
	 * Deal the blocks out in runs, so that a new chain is one stretch of
	 * memory.
	 */
	for (uint32 id = nblocks; id >= 1; id--)
	{
		BlockPartition *part = &shared->partition[(uint64) (id - 1) * PARTITIONS / nblocks];

		*corm_block_next(pool, id) = part->head;
		part->head = id;
		part->nfree++;
	}
}

/* corm_blocks_free_count returns about how many blocks are free; it takes no lock. */
uint32
corm_blocks_free_count(const CormBlockPool *pool)
{
	uint32		nfree = 0;

	for (int p = 0; p < PARTITIONS; p++)
		nfree += pool->shared->partition[p].nfree;
	return nfree;
}

/*
 * corm_blocks_take adds up to n free blocks to a chain and returns how many it
 * found, which is fewer than n if the pool is empty.  The caller now holds
 * them.
 */
uint32
corm_blocks_take(CormBlockPool *pool, CormBlockChain *chain, uint32 n)
{
	uint32		home = corm_my_procno() % PARTITIONS;
	uint32		taken = 0;

	for (int i = 0; i < PARTITIONS && taken < n; i++)
	{
		BlockPartition *part = &pool->shared->partition[(home + i) % PARTITIONS];
		CormBlockId first;
		CormBlockId last;
		uint32		count;

		if (part->nfree == 0)	/* a look without the lock; may be stale */
			continue;

		LWLockAcquire(&part->lock, LW_EXCLUSIVE);
		first = last = part->head;
		count = Min(part->nfree, n - taken);
		if (count > 0)
		{
			for (uint32 k = 1; k < count; k++)
				last = *corm_block_next(pool, last);
			part->head = *corm_block_next(pool, last);
			/* it will be taken next, and written to */
			corm_prefetch(corm_block_addr(pool, part->head));
			corm_prefetch(corm_block_addr(pool, part->head) + CORM_BLOCK_SIZE / 2);
			part->nfree -= count;
			my_holder(pool)->held += count;
		}
		LWLockRelease(&part->lock);

		if (count > 0)
		{
			*corm_block_next(pool, last) = 0;
			corm_blocks_append(pool, chain, first, last, count);
			taken += count;
		}
	}
	return taken;
}

/*
 * corm_blocks_give returns a chain of blocks that the caller holds to the
 * pool, and empties the chain.
 */
void
corm_blocks_give(CormBlockPool *pool, CormBlockChain *chain)
{
	BlockPartition *part;

	if (chain->count == 0)
		return;

	part = &pool->shared->partition[corm_my_procno() % PARTITIONS];
	LWLockAcquire(&part->lock, LW_EXCLUSIVE);
	*corm_block_next(pool, chain->last) = part->head;
	part->head = chain->first;
	part->nfree += chain->count;
	my_holder(pool)->held -= chain->count;
	LWLockRelease(&part->lock);

	chain->first = chain->last = 0;
	chain->count = 0;
}

/*
 * corm_blocks_append adds count blocks, already linked from first to last, to
 * the end of a chain.  Changes no count.
 */
void
corm_blocks_append(CormBlockPool *pool, CormBlockChain *chain, CormBlockId first,
				   CormBlockId last, uint32 count)
{
	if (chain->count == 0)
		chain->first = first;
	else
		*corm_block_next(pool, chain->last) = first;
	chain->last = last;
	chain->count += count;
}

/*
 * corm_blocks_split cuts the first n blocks off a chain into another.
 * n must be between 1 and the chain's count.
 */
void
corm_blocks_split(CormBlockPool *pool, CormBlockChain *chain, uint32 n, CormBlockChain *out)
{
	CormBlockId last = chain->first;

	Assert(n >= 1 && n <= chain->count);
	for (uint32 k = 1; k < n; k++)
		last = *corm_block_next(pool, last);

	out->first = chain->first;
	out->last = last;
	out->count = n;
	chain->first = *corm_block_next(pool, last);
	chain->count -= n;
	if (chain->count == 0)
		chain->first = chain->last = 0;
	*corm_block_next(pool, last) = 0;
}

/*
 * corm_blocks_linked and corm_blocks_unlinked record that blocks which this
 * process holds became part of a shared object, or the reverse.  Called with
 * the exclusive lock that protects the object.
 */
void
corm_blocks_linked(CormBlockPool *pool, uint32 count)
{
	my_holder(pool)->held -= count;
}

void
corm_blocks_unlinked(CormBlockPool *pool, uint32 count)
{
	my_holder(pool)->held += count;
}

/*
 * corm_blocks_lock_all and corm_blocks_unlock_all freeze the pool for an
 * inspection.
 */
void
corm_blocks_lock_all(CormBlockPool *pool)
{
	for (int p = 0; p < PARTITIONS; p++)
		LWLockAcquire(&pool->shared->partition[p].lock, LW_EXCLUSIVE);
}

void
corm_blocks_unlock_all(CormBlockPool *pool)
{
	for (int p = PARTITIONS - 1; p >= 0; p--)
		LWLockRelease(&pool->shared->partition[p].lock);
}

/*
 * corm_blocks_inspect marks every free block in seen (one byte a block, by
 * id) and fills in the counts.  *held_by_nobody counts blocks held by
 * processes that no longer exist: a leak.  Returns false when a free list is
 * broken: it leaves the pool, meets itself or has the wrong length.
 * Needs corm_blocks_lock_all.
 */
bool
corm_blocks_inspect(CormBlockPool *pool, uint8 *seen, uint32 *nfree, int64 *held, int64 *held_by_nobody)
{
	*nfree = 0;
	*held = 0;
	*held_by_nobody = 0;

	for (int p = 0; p < PARTITIONS; p++)
	{
		uint32		count = 0;

		for (CormBlockId id = pool->shared->partition[p].head; id != 0; id = *corm_block_next(pool, id))
		{
			if (id > pool->shared->nblocks || seen[id])
				return false;
			seen[id] = 1;
			count++;
		}
		if (count != pool->shared->partition[p].nfree)
			return false;
		*nfree += count;
	}

	for (uint32 i = 0; i < pool->shared->nholders; i++)
	{
		*held += pool->shared->holder[i].held;
		if (pool->shared->holder[i].held != 0 && ProcGlobal->allProcs[i].pid == 0)
			*held_by_nobody += pool->shared->holder[i].held;
	}
	return true;
}
