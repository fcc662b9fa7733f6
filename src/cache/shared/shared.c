/*-------------------------------------------------------------------------
 *
 * shared.c
 *		The cache's shared memory: sizes, layout, start.
 *
 * One part of corm's shared memory holds everything (shared.h says what the
 * structures mean), laid out at server start:
 *
 *		CormCacheShared, shards, entry lists, namespaces, databases,
 *		buckets, visited marks, births, event ring, block pool
 *
 * corm.cache_size covers blocks, buckets, visited marks and births.  The rest is
 * a fixed overhead that depends on corm.max_caches and corm.event_ring_size.
 *
 * The layout depends on settings that cannot change while the server runs, so
 * every process computes the same one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/arena.h"
#include "base/blocks.h"
#include "base/clock.h"
#include "base/guc.h"
#include "base/launcher.h"
#include "base/value.h"
#include "cache/cache.h"
#include "cache/shared/evict.h"
#include "cache/shared/shared.h"
#include "cache/shared/warm.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/shmem.h"

CormCacheShared *corm_cache = NULL;
CormShard  *corm_shards = NULL;
CormEntryList *corm_lists = NULL;
CormNamespace *corm_namespaces = NULL;
CormDatabase *corm_databases = NULL;
CormBlockId *corm_buckets = NULL;
uint8	   *corm_visited = NULL;
uint32	   *corm_born = NULL;
char	   *corm_ring = NULL;
CormBlockPool corm_cache_blocks;

int			corm_sweeper_duty = 0;

typedef struct Layout
{
	uint32		nblocks;
	uint32		nbuckets;
	uint32		nslots;
	uint32		ndbs;
	Size		shards;			/* offsets */
	Size		lists;
	Size		namespaces;
	Size		databases;
	Size		buckets;
	Size		visited;
	Size		born;
	Size		ring;
	Size		blocks;
	Size		total;
} Layout;

/* place returns the next aligned offset and moves *offset past size bytes. */
static Size
place(Size *offset, Size size)
{
	Size		at = CACHELINEALIGN(*offset);

	*offset = add_size(at, size);
	return at;
}

/* compute_layout derives the layout from the settings.  Raises if it is too large for a Size. */
static void
compute_layout(Layout *layout)
{
	Size		budget = (Size) corm_cache_size * 1024;
	Size		nblocks = budget / (CORM_BLOCK_SIZE + 1 + sizeof(uint32) + sizeof(CormBlockId));
	Size		offset = 0;

	nblocks = Min(nblocks, CORM_BLOCKS_MAX);
	layout->nblocks = nblocks;

	/*
	 * One bucket for each block, rounded to a power of 2 (either way, so that
	 * the average chain of a cache full of small entries is 0.7 to 1.4).
	 */
	layout->nbuckets = pg_nextpower2_32(nblocks);
	if (layout->nbuckets - nblocks > nblocks - layout->nbuckets / 2)
		layout->nbuckets /= 2;
	layout->nbuckets = Max(layout->nbuckets, CORM_SHARDS * 8);

	/*
	 * Namespaces: the named caches, the two caches that every database has,
	 * and room for generations that have been cleared but not purged yet.
	 */
	layout->nslots = Min(corm_max_caches * 3 + 32, CORM_NO_NS);

	/* A database without a namespace needs no slot. */
	layout->ndbs = layout->nslots;

	place(&offset, sizeof(CormCacheShared));
	layout->shards = place(&offset, mul_size(CORM_SHARDS, sizeof(CormShard)));
	layout->lists = place(&offset, mul_size((Size) CORM_SHARDS * layout->nslots, sizeof(CormEntryList)));
	layout->namespaces = place(&offset, mul_size(layout->nslots, sizeof(CormNamespace)));
	layout->databases = place(&offset, mul_size(layout->ndbs, sizeof(CormDatabase)));
	layout->buckets = place(&offset, mul_size(layout->nbuckets, sizeof(CormBlockId)));
	layout->visited = place(&offset, (Size) layout->nblocks + 2);
	layout->born = place(&offset, mul_size((Size) layout->nblocks + 2, sizeof(uint32)));
	layout->ring = place(&offset, (Size) corm_event_ring_size * 1024);
	layout->blocks = place(&offset, corm_blocks_size(layout->nblocks));
	layout->total = CACHELINEALIGN(offset) + PG_CACHE_LINE_SIZE;
}

static Size
cache_size(void)
{
	Layout		layout;

	compute_layout(&layout);
	return layout.total;
}

/* initialize fills new memory; all pointers to it are set. */
static void
initialize(const Layout *layout)
{
	uint64		now_tick = (uint64) corm_clock_mono() >> CORM_WHEEL_TICK_BITS;

	memset(corm_cache, 0, layout->blocks);

	corm_cache->tranche = LWLockNewTrancheId();
	LWLockInitialize(&corm_cache->ns_lock, corm_cache->tranche);
	LWLockInitialize(&corm_cache->ring_lock, corm_cache->tranche);
	if (!pg_strong_random(&corm_cache->seed, sizeof(uint64)))
		corm_cache->seed = (uint64) corm_clock_mono();
	if (!pg_strong_random(&corm_cache->type_seed, sizeof(uint64)))
		corm_cache->type_seed = (uint64) corm_clock_mono();
	corm_cache->epoch = corm_clock_real() / 1000;
	corm_cache->nblocks = layout->nblocks;
	corm_cache->nbuckets = layout->nbuckets;
	corm_cache->nslots = layout->nslots;
	corm_cache->ndbs = layout->ndbs;
	corm_cache->ring_size = (uint32) corm_event_ring_size * 1024;
	pg_atomic_init_u32(&corm_cache->ndead, 0);
	pg_atomic_init_u32(&corm_cache->born, CORM_FIRST_BORN);
	corm_hand_init(&corm_cache->hand);
	pg_atomic_init_u64(&corm_cache->sweeper_next, PG_INT64_MAX);

	for (int s = 0; s < CORM_SHARDS; s++)
	{
		LWLockInitialize(&corm_shards[s].lock, corm_cache->tranche);
		pg_atomic_init_u32(&corm_shards[s].seq, 0);
		pg_atomic_init_u32(&corm_shards[s].null_loads, 0);
		corm_shards[s].evict_list = CORM_NO_NS;
		corm_shards[s].wheel_now = now_tick;
	}
	for (uint32 i = 0; i < layout->nslots; i++)
	{
		pg_atomic_init_u64(&corm_namespaces[i].gen, 0);
		pg_atomic_init_u32(&corm_namespaces[i].blocks, 0);
		corm_hand_init(&corm_namespaces[i].hand);
		for (int c = 0; c < CORM_COUNTERS; c++)
			pg_atomic_init_u64(&corm_namespaces[i].counter[c], 0);
	}
}

/*
 * cache_attach sets the pointers to the structures, and initializes these if
 * the memory is new.  Under AddinShmemInitLock: raises nothing.
 */
static void
cache_attach(void *addr, Size size, bool found)
{
	Layout		layout;
	char	   *base = (char *) CACHELINEALIGN(addr);

	compute_layout(&layout);
	corm_cache = (CormCacheShared *) base;
	corm_shards = (CormShard *) (base + layout.shards);
	corm_lists = (CormEntryList *) (base + layout.lists);
	corm_namespaces = (CormNamespace *) (base + layout.namespaces);
	corm_databases = (CormDatabase *) (base + layout.databases);
	corm_buckets = (CormBlockId *) (base + layout.buckets);
	corm_visited = (uint8 *) (base + layout.visited);
	corm_born = (uint32 *) (base + layout.born);
	corm_ring = base + layout.ring;
	corm_value_seed = &corm_cache->type_seed;

	if (!found)
		initialize(&layout);
	corm_blocks_attach(&corm_cache_blocks, "CormBlocks", base + layout.blocks, layout.nblocks, found);
	LWLockRegisterTranche(corm_cache->tranche, "CormCache");
}

/* cache_ready loads what a clean shutdown saved, and arranges for the next one to save. */
static void
cache_ready(bool found)
{
	if (!found)
		corm_warm_load();
	if (!IsUnderPostmaster)
		corm_warm_save_at_exit();
}

static const CormSharedPart cache_part = {
	.name = "corm cache",
	.size = cache_size,
	.attach = cache_attach,
	.ready = cache_ready,
};

/* corm_cache_available tells whether there is a cache at all. */
bool
corm_cache_available(void)
{
	return corm_cache != NULL;
}

/* corm_cache_require raises 55000 with a hint unless there is a cache. */
void
corm_cache_require(void)
{
	if (unlikely(corm_cache == NULL))
		corm_shared_missing("the cache");
}

/*
 * corm_cache_max_value returns the maximum size of a value.  It is at most a
 * quarter of the cache, so that two writers of the largest values do not starve
 * each other.
 */
Size
corm_cache_max_value(void)
{
	return Min((Size) corm_cache_max_value_size * 1024,
			   (Size) corm_cache_size * 1024 / 4);
}

/*
 * corm_sweeper_wake wakes the sweeper if it would otherwise sleep past the
 * monotonic time when by more than the sweep interval; 0 means now.  If the
 * sweeper is turned off, it is woken only to launch notifiers, with 0.  Raises
 * nothing.
 */
void
corm_sweeper_wake(int64 when)
{
	int64		next;

	if (corm_sweep_interval == 0 && when > 0)
		return;

	pg_memory_barrier();
	next = (int64) pg_atomic_read_u64(&corm_cache->sweeper_next);
	if (when < next - corm_sweep_interval * INT64CONST(1000))
		corm_launcher_wake(corm_sweeper_duty);
}

/* corm_cache_shared_init asks for the cache's shared memory; when preloaded only. */
void
corm_cache_shared_init(void)
{
	corm_shared_add(&cache_part);
}
