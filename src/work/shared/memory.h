/*-------------------------------------------------------------------------
 *
 * memory.h
 *		The shared memory in which tasks, messages and results are kept.
 *
 * Fixed structures (slots, queues, topics) are parts of their own, which their
 * owners describe and add (base/arena.h).  What has a size that users decide is
 * stored in a chain of blocks of this pool.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_MEMORY_H
#define CORM_WORK_MEMORY_H

#include "base/blocks.h"

/* Bytes of data in a block. */
#define CORM_WORK_BLOCK_DATA	(CORM_BLOCK_SIZE - sizeof(CormBlockId))

extern CormBlockPool corm_work_blocks;

/* A chain that is being written or read from its beginning on. */
typedef struct CormWorkCursor
{
	CormBlockId block;
	Size		offset;			/* in the data of that block */
} CormWorkCursor;

extern void corm_work_memory_init(void);
extern bool corm_work_available(void);
extern void corm_work_require(const char *feature);
extern uint32 corm_work_block_count(void);

extern bool corm_work_try_take(CormBlockChain *chain, Size len);
extern void corm_work_take(CormBlockChain *chain, Size len);
extern void corm_work_give(CormBlockChain *chain);
extern void corm_work_check_payload(Size len, const char *what);

extern void corm_work_cursor_init(CormWorkCursor *cursor, CormBlockId first);
extern void corm_work_write(CormWorkCursor *cursor, const void *data, Size len);
extern void corm_work_read(CormWorkCursor *cursor, void *buf, Size len);

#endif							/* CORM_WORK_MEMORY_H */
