/*-------------------------------------------------------------------------
 *
 * base.h
 *		What every layer of corm stands on.
 *
 * The lowest layer: version differences, error codes, settings, the clock.
 * It knows nothing of models or queries.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_H
#define CORM_BASE_H

#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "lib/ilist.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

/* guc.c: every setting of corm */
extern int	corm_plan_cache_size;
extern int	corm_cache_size;
extern int	corm_cache_max_value_size;
extern int	corm_max_caches;
extern int	corm_sweep_interval;
extern int	corm_sweep_max_entries;
extern double corm_sweep_max_time;
extern int	corm_event_ring_size;
extern int	corm_event_interval;
extern bool corm_cache_warm_restart;
extern int	corm_filter_max_depth;
extern int	corm_filter_max_nodes;
extern int	corm_filter_max_relations;
extern int	corm_filter_max_list;
extern int	corm_filter_max_limit;
extern int	corm_tx_body_cache_size;
extern int	corm_subtransaction_warning;
extern bool corm_skip_hooks;
extern bool corm_raw_text;
extern bool corm_track_queries;
extern int	corm_stat_max;
extern bool corm_log_queries;
extern int	corm_log_min_duration;
extern int	corm_log_args;
extern int	corm_log_arg_max_length;
extern bool corm_sql_comments;
extern char *corm_traceparent;

/* values of corm_log_args */
typedef enum CormLogArgs
{
	CORM_LOG_ARGS_NONE,
	CORM_LOG_ARGS_TYPES,
	CORM_LOG_ARGS_VALUES
} CormLogArgs;

extern void corm_guc_init(void);

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

/* arena.c: shared memory in parts of fixed size */
typedef struct CormSharedPart
{
	const char *name;			/* as pg_shmem_allocations shows it */
	Size		(*size) (void);	/* same result in every process */
	/* under AddinShmemInitLock: nothing that may raise */
	void		(*attach) (void *addr, Size size, bool found);
	/* after that, with all parts attached; NULL if nothing is left to do */
	void		(*ready) (bool found);
} CormSharedPart;

extern void corm_shared_add(const CormSharedPart *part);
extern void corm_shared_missing(const char *feature) pg_attribute_noreturn();

/* args.c: checks of SQL functions' arguments */
extern void corm_require_args(FunctionCallInfo fcinfo, const char *const *names, int nnames);

/* encoding.c: text of other databases */
extern char *corm_any_to_server(const char *str, int len, int encoding);

/* clock.c: time, and the places where tests may interfere */
typedef struct CormClock
{
	volatile bool frozen;		/* show mono and real instead of the clocks */
	volatile int64 mono;
	volatile TimestampTz real;
	volatile int64 mono_offset; /* added to the clocks when not frozen */
	volatile int64 real_offset;
} CormClock;

extern void **corm_fault_hook;

#define CORM_FAULT(name) \
	do { \
		if (unlikely(*corm_fault_hook != NULL)) \
			((void (*) (const char *)) *corm_fault_hook) (name); \
	} while (0)

extern void corm_clock_init(void);
extern int64 corm_clock_mono(void);
extern int64 corm_clock_machine(void);
extern TimestampTz corm_clock_real(void);
extern bool corm_clock_passed(int64 deadline);
extern bool corm_clock_is_virtual(void);

/* blocks.c: a pool of fixed-size blocks in shared memory */
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
extern uint32 corm_blocks_total(void);
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

/* effects.c: what a transaction will do to shared memory if it commits */
typedef struct CormEffect CormEffect;

typedef struct CormEffectOps
{
	void		(*reserve) (CormEffect *effect);	/* before commit; may raise */
	void		(*apply) (CormEffect *effect);	/* after commit; must not raise */
	void		(*discard) (CormEffect *effect);	/* rolled back; must not raise */
	void		(*expect) (CormEffect *effect, int step);	/* soon to be applied, or NULL: see effects.c */
} CormEffectOps;

struct CormEffect
{
	dlist_node	node;
	const CormEffectOps *ops;
	int			level;			/* nesting level of its subtransaction */
};

typedef void (*CormEffectsEnd) (void);

extern void corm_effects_init(void);
extern void corm_effects_at_end(CormEffectsEnd callback);
extern void corm_effect_add(CormEffect *effect, const CormEffectOps *ops);
extern void corm_effect_remove(CormEffect *effect);
extern bool corm_effects_pending(void);

/* schema.c: where corm's own objects are */
extern Oid	corm_schema_oid(void);
extern Oid	corm_catalog_oid(const char *relname);
extern Relation corm_catalog_open(const char *relname, LOCKMODE lockmode, Oid *known);
extern void corm_catalog_missing(const char *relname) pg_attribute_noreturn();

#endif							/* CORM_BASE_H */
