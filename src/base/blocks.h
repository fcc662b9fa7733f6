/*-------------------------------------------------------------------------
 *
 * blocks.h
 *		Pools of fixed-size blocks in shared memory, addressed by id.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_BLOCKS_H
#define CORM_BASE_BLOCKS_H

/*
 * Has the processor fetch the cache line of an address that is going to be
 * written to.  No more than advice: the address may be of anything, and what
 * is there may be out of date.
 */
#if defined(__GNUC__) || defined(__clang__)
#define corm_prefetch(addr)	__builtin_prefetch(addr, 1)
#else
#define corm_prefetch(addr)	((void) (addr))
#endif

typedef uint32 CormBlockId;

typedef struct CormBlockChain
{
	CormBlockId first;
	CormBlockId last;
	uint32		count;
} CormBlockChain;

#define CORM_BLOCK_SIZE		128
#define CORM_BLOCKS_MAX		((uint32) 0x7FFFFFF0)

/*
 * A pool, as a process sees it.  A variable of static storage for each, filled by
 * corm_blocks_attach; base is NULL where the library is not preloaded.
 */
typedef struct CormBlockPool
{
	char	   *base;
	struct CormBlockShared *shared;
} CormBlockPool;

/* corm_block_addr turns an id that is known to be good into an address. */
static inline char *
corm_block_addr(const CormBlockPool *pool, CormBlockId id)
{
	return pool->base + (Size) id * CORM_BLOCK_SIZE;
}

/* corm_block_next points to the link with which every block begins. */
static inline CormBlockId *
corm_block_next(const CormBlockPool *pool, CormBlockId id)
{
	return (CormBlockId *) corm_block_addr(pool, id);
}

extern Size corm_blocks_size(uint32 nblocks);
extern void corm_blocks_attach(CormBlockPool *pool, const char *tranche, void *addr,
							   uint32 nblocks, bool found);
extern uint32 corm_blocks_free_count(const CormBlockPool *pool);
extern uint32 corm_blocks_take(CormBlockPool *pool, CormBlockChain *chain, uint32 n);
extern void corm_blocks_give(CormBlockPool *pool, CormBlockChain *chain);
extern void corm_blocks_append(CormBlockPool *pool, CormBlockChain *chain, CormBlockId first,
							   CormBlockId last, uint32 count);
extern void corm_blocks_split(CormBlockPool *pool, CormBlockChain *chain, uint32 n,
							  CormBlockChain *out);
extern void corm_blocks_linked(CormBlockPool *pool, uint32 count);
extern void corm_blocks_unlinked(CormBlockPool *pool, uint32 count);
extern void corm_blocks_lock_all(CormBlockPool *pool);
extern void corm_blocks_unlock_all(CormBlockPool *pool);
extern bool corm_blocks_inspect(CormBlockPool *pool, uint8 *seen, uint32 *nfree, int64 *held,
								int64 *held_by_nobody);

#endif							/* CORM_BASE_BLOCKS_H */
