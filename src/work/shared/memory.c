/*-------------------------------------------------------------------------
 *
 * memory.c
 *		The shared memory in which tasks, messages and results are kept.
 *
 * It is a pool of blocks (base/blocks.c) of corm.work_memory, apart from that of
 * the cache: the cache evicts entries when it needs room, and what is here must
 * stay until it has been used.  So it can be full, and is 53200 then.
 *
 * Who takes blocks holds them until they are linked to an object that others can
 * see (corm_blocks_linked) or given back.  A function that can raise in between
 * must have an effect (base/effects.h) or a PG_TRY that gives them back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/arena.h"
#include "base/guc.h"
#include "miscadmin.h"
#include "work/shared/memory.h"

CormBlockPool corm_work_blocks;

static uint32
block_count(void)
{
	return Min((Size) corm_work_memory * 1024 / CORM_BLOCK_SIZE, CORM_BLOCKS_MAX);
}

static Size
memory_size(void)
{
	return add_size(corm_blocks_size(block_count()), PG_CACHE_LINE_SIZE);
}

static void
memory_attach(void *addr, Size size, bool found)
{
	corm_blocks_attach(&corm_work_blocks, "CormWorkBlocks", (char *) CACHELINEALIGN(addr),
					   block_count(), found);
}

static const CormSharedPart memory_part = {
	.name = "corm work",
	.size = memory_size,
	.attach = memory_attach,
};

/* corm_work_memory_init asks for the memory; does nothing unless the library is being preloaded. */
void
corm_work_memory_init(void)
{
	corm_shared_add(&memory_part);
}

/* corm_work_available tells whether the library was preloaded. */
bool
corm_work_available(void)
{
	return corm_work_blocks.base != NULL;
}

/*
 * corm_work_require raises 55000 with a hint unless the library was preloaded.
 * feature is what the user asked for, as the beginning of a sentence.
 */
void
corm_work_require(const char *feature)
{
	if (unlikely(!corm_work_available()))
		corm_shared_missing(feature);
}

/* corm_work_block_count returns the number of blocks of the pool. */
uint32
corm_work_block_count(void)
{
	return block_count();
}

/*
 * corm_work_try_take takes the blocks for len bytes into an empty chain.  Returns
 * false, with the chain empty, if there are not enough.  Raises nothing.
 */
bool
corm_work_try_take(CormBlockChain *chain, Size len)
{
	Size		n = Max((len + CORM_WORK_BLOCK_DATA - 1) / CORM_WORK_BLOCK_DATA, 1);

	Assert(chain->count == 0);
	if (n > block_count())
		return false;
	if (corm_blocks_take(&corm_work_blocks, chain, (uint32) n) == n)
		return true;
	corm_blocks_give(&corm_work_blocks, chain);
	return false;
}

/* corm_work_take is corm_work_try_take, but raises 53200. */
void
corm_work_take(CormBlockChain *chain, Size len)
{
	if (!corm_work_try_take(chain, len))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory for tasks and messages"),
				 errhint("You might need to increase corm.work_memory.")));
}

/* corm_work_give gives the blocks of a chain back, and empties it.  Raises nothing. */
void
corm_work_give(CormBlockChain *chain)
{
	corm_blocks_give(&corm_work_blocks, chain);
}

/* corm_work_check_payload raises 54000 for a payload that is larger than corm.max_payload. */
void
corm_work_check_payload(Size len, const char *what)
{
	if (len > (Size) corm_max_payload * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s of %zu bytes exceeds corm.max_payload (%d kB)", what, len, corm_max_payload)));
}

/* corm_work_cursor_init places a cursor at the beginning of a chain. */
void
corm_work_cursor_init(CormWorkCursor *cursor, CormBlockId first)
{
	cursor->block = first;
	cursor->offset = 0;
}

/*
 * here returns the address at which a cursor stands, moved to the next block if
 * this one is done, and in *avail how many bytes follow there.
 */
static char *
here(CormWorkCursor *cursor, Size *avail)
{
	if (cursor->offset == CORM_WORK_BLOCK_DATA)
	{
		cursor->block = *corm_block_next(&corm_work_blocks, cursor->block);
		cursor->offset = 0;
	}
	*avail = CORM_WORK_BLOCK_DATA - cursor->offset;
	return corm_block_addr(&corm_work_blocks, cursor->block) + sizeof(CormBlockId) + cursor->offset;
}

/*
 * corm_work_write writes bytes at a cursor and moves it past them.  The caller
 * holds the blocks, or has the exclusive lock of their object; there are enough.
 */
void
corm_work_write(CormWorkCursor *cursor, const void *data, Size len)
{
	const char *from = data;

	while (len > 0)
	{
		Size		avail;
		char	   *to = here(cursor, &avail);
		Size		n = Min(len, avail);

		memcpy(to, from, n);
		from += n;
		cursor->offset += n;
		len -= n;
	}
}

/*
 * corm_work_read reads bytes at a cursor and moves it past them.  The caller holds
 * the blocks, or has a lock of their object.
 */
void
corm_work_read(CormWorkCursor *cursor, void *buf, Size len)
{
	char	   *to = buf;

	while (len > 0)
	{
		Size		avail;
		char	   *from = here(cursor, &avail);
		Size		n = Min(len, avail);

		memcpy(to, from, n);
		to += n;
		cursor->offset += n;
		len -= n;
	}
}
