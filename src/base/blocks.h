/*-------------------------------------------------------------------------
 *
 * blocks.h
 *		A pool of fixed-size blocks in shared memory, addressed by id.
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

extern char *corm_block_base;

/* corm_block_addr turns an id that is known to be good into an address. */
static inline char *
corm_block_addr(CormBlockId id)
{
	return corm_block_base + (Size) id * CORM_BLOCK_SIZE;
}

/* corm_block_next points to the link with which every block begins. */
static inline CormBlockId *
corm_block_next(CormBlockId id)
{
	return (CormBlockId *) corm_block_addr(id);
}

extern Size corm_blocks_size(uint32 nblocks);
extern void corm_blocks_attach(void *addr, uint32 nblocks, bool found);
extern uint32 corm_blocks_free_count(void);
extern uint32 corm_blocks_take(CormBlockChain *chain, uint32 n);
extern void corm_blocks_give(CormBlockChain *chain);
extern void corm_blocks_append(CormBlockChain *chain, CormBlockId first,
							   CormBlockId last, uint32 count);
extern void corm_blocks_split(CormBlockChain *chain, uint32 n, CormBlockChain *out);
extern void corm_blocks_linked(uint32 count);
extern void corm_blocks_unlinked(uint32 count);
extern void corm_blocks_lock_all(void);
extern void corm_blocks_unlock_all(void);
extern bool corm_blocks_inspect(uint8 *seen, uint32 *nfree, int64 *held,
								int64 *held_by_nobody);

#endif							/* CORM_BASE_BLOCKS_H */
