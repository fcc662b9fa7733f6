/*-------------------------------------------------------------------------
 *
 * overlay.c
 *		What the current transaction will write to the cache if it commits.
 *
 * A transactional write becomes a pending operation, an effect of
 * base/effects.c.  Reads of the same transaction look here first.  The
 * operations on a key form a stack, newest on top: when a subtransaction rolls
 * back, its operations are popped, and the older one counts again.  An
 * operation replaces one of the same subtransaction, since they can only be
 * rolled back together.
 *
 * A clear is an operation on a whole cache.  Operations on keys that are older
 * than the newest clear, by serial number, do not count.
 *
 * Before commit, every put that still counts gets its blocks, and its entry is
 * written into them.  After commit, linking the entry takes a lock and a few
 * pointers.
 *
 * Everything here lives in TopTransactionContext and is forgotten with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/blocks.h"
#include "base/effects.h"
#include "base/xact_end.h"
#include "cache/definitions/refs.h"
#include "cache/operations/overlay.h"
#include "cache/shared/change.h"
#include "cache/shared/evict.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "miscadmin.h"
#include "utils/memutils.h"

typedef struct KeyOp KeyOp;
typedef struct ClearOp ClearOp;

/* A cache that the transaction has written to. */
typedef struct PendingCache
{
	CormCacheRef ref;			/* a copy: the session's may change */
	ClearOp    *clear;			/* newest clear */
	struct PendingCache *next;
} PendingCache;

struct KeyOp
{
	CormEffect	effect;			/* must be first */
	KeyOp	   *older;			/* on the same key */
	PendingCache *cache;
	const char *key;			/* behind the struct, then the value */
	uint32		len;
	uint32		hash;			/* of the hash table here */
	uint64		serial;
	CormPending pending;
	bool		top;			/* the newest on its key */
	uint16		ns;				/* reserved in */
	uint64		gen;
	uint32		table_hash;		/* of the key there */
	CormBlockChain chain;		/* the entry, once reserved */
};

struct ClearOp
{
	CormEffect	effect;			/* must be first */
	ClearOp    *older;
	PendingCache *cache;
	uint64		serial;
	uint16		spare;			/* namespace slot, once reserved */
};

typedef struct PendingKey
{
	KeyOp	   *op;				/* newest; names the key */
	uint32		hash;
	char		status;
} PendingKey;

#define SH_PREFIX		pendingkeys
#define SH_ELEMENT_TYPE	PendingKey
#define SH_KEY_TYPE		KeyOp *
#define SH_KEY			op
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a)	((a)->hash)
#define SH_HASH_KEY(tb, k)	((k)->hash)
#define SH_EQUAL(tb, a, b) \
	((a)->cache == (b)->cache && (a)->len == (b)->len && memcmp((a)->key, (b)->key, (a)->len) == 0)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

bool		corm_overlay_active = false;

static pendingkeys_hash *keys = NULL;
static PendingCache *caches = NULL;
static MemoryContext ops_context = NULL;	/* operations on keys: many, of
											 * any size */
static uint64 last_serial = 0;

static void key_reserve(CormEffect *effect);
static void key_apply(CormEffect *effect);
static void key_discard(CormEffect *effect);
static void key_expect(CormEffect *effect, int step);
static void clear_reserve(CormEffect *effect);
static void clear_apply(CormEffect *effect);
static void clear_discard(CormEffect *effect);

static const CormEffectOps key_ops = {key_reserve, key_apply, key_discard, key_expect, "written to the cache"};
static const CormEffectOps clear_ops = {clear_reserve, clear_apply, clear_discard, NULL, "written to the cache"};

/* forget resets the state at the end of a transaction, whose memory goes with it. */
static void
forget(void)
{
	corm_overlay_active = false;
	keys = NULL;
	caches = NULL;
	ops_context = NULL;
	corm_ns_flush_hits();
}

/* corm_overlay_init registers for the end of transactions. */
void
corm_overlay_init(void)
{
	corm_effects_at_end(forget);
}

/* find_cache returns what the transaction did to a cache, or NULL. */
static PendingCache *
find_cache(uint64 id)
{
	for (PendingCache *cache = caches; cache != NULL; cache = cache->next)
	{
		if (cache->ref.id == id)
			return cache;
	}
	return NULL;
}

/* make_cache returns what the transaction did to a cache, which may be nothing yet. */
static PendingCache *
make_cache(const CormCacheRef *ref)
{
	PendingCache *cache = find_cache(ref->id);

	if (cache == NULL)
	{
		if (keys == NULL)
		{
			ops_context = GenerationContextCreate(TopTransactionContext, "corm pending operations",
												  ALLOCSET_DEFAULT_SIZES);
			keys = pendingkeys_create(TopTransactionContext, 64, NULL);
		}
		cache = MemoryContextAllocZero(TopTransactionContext, sizeof(PendingCache));
		cache->ref = *ref;
		cache->next = caches;
		corm_xact_needs_end();
		caches = cache;
		corm_overlay_active = true;
	}
	return cache;
}

/* set_name fills in the part of an operation that the hash table uses as key. */
static void
set_name(KeyOp *op, PendingCache *cache, const char *key, uint32 len)
{
	op->cache = cache;
	op->key = key;
	op->len = len;
	op->hash = corm_table_hash(cache->ref.id, key, len);
}

/* counts tells whether no clear came after an operation. */
static bool
counts(const KeyOp *op)
{
	return op->cache->clear == NULL || op->serial > op->cache->clear->serial;
}

/* is_newest tells whether an operation is the newest on its key and counts. */
static bool
is_newest(const KeyOp *op)
{
	return op->top && counts(op);
}

/*
 * corm_overlay_get returns what the transaction did to a key, or NULL if it did
 * nothing.  The result is valid until the next write.
 */
const CormPending *
corm_overlay_get(uint64 id, const char *keydata, uint32 len)
{
	static const CormPending cleared = {.kind = CORM_PENDING_DELETE};
	PendingCache *cache = find_cache(id);
	KeyOp		name;
	PendingKey *key;

	if (cache == NULL)
		return NULL;
	set_name(&name, cache, keydata, len);
	key = pendingkeys_lookup(keys, &name);
	if (key != NULL && counts(key->op))
		return key->op->pending.kind == CORM_PENDING_PASS ? NULL : &key->op->pending;
	return cache->clear != NULL ? &cleared : NULL;
}

/* corm_overlay_touches tells whether the transaction wrote to a cache. */
bool
corm_overlay_touches(uint64 id)
{
	return corm_overlay_active && find_cache(id) != NULL;
}

/* corm_overlay_cleared tells whether the transaction has cleared a cache. */
bool
corm_overlay_cleared(uint64 id)
{
	PendingCache *cache = find_cache(id);

	return cache != NULL && cache->clear != NULL;
}

/* make_op makes an operation, with key and value copied into the transaction's memory. */
static KeyOp *
make_op(PendingCache *cache, const char *key, uint32 len, const CormPending *pending)
{
	uint32		value_len = pending->kind == CORM_PENDING_PUT ? pending->found.value.len + pending->found.value.tail : 0;
	KeyOp	   *op = MemoryContextAllocHuge(ops_context, sizeof(KeyOp) + (Size) len + value_len);
	char	   *data = (char *) (op + 1);

	memset(op, 0, sizeof(KeyOp));
	memcpy(data, key, len);
	set_name(op, cache, data, len);
	op->pending = *pending;
	op->pending.found.value.data = NULL;
	if (pending->kind == CORM_PENDING_PUT)
	{
		memcpy(data + len, pending->found.value.data, value_len);
		op->pending.found.value.data = data + len;
	}
	op->serial = ++last_serial;
	op->top = true;
	return op;
}

/*
 * merge_older removes the operations below one on the same key that can only be
 * rolled back together with it.  A clear between them makes no difference: it is
 * of the same subtransaction, too.
 */
static void
merge_older(KeyOp *op)
{
	KeyOp	   *older;

	while ((older = op->older) != NULL && older->effect.level == op->effect.level &&
		   older->chain.count == 0 && op->chain.count == 0)
	{
		op->older = older->older;
		corm_effect_remove(&older->effect);
		pfree(older);
	}
}

/*
 * corm_overlay_write makes an operation on a key pending.  Key and value are
 * copied.  Raises what corm_effect_add raises.
 */
void
corm_overlay_write(const CormCacheRef *ref, const char *keydata, uint32 len,
				   const CormPending *pending)
{
	KeyOp	   *op = make_op(make_cache(ref), keydata, len, pending);
	bool		found;
	PendingKey *key = pendingkeys_insert(keys, op, &found);

	if (found)
	{
		KeyOp	   *before = key->op;

		merge_older(before);
		if (counts(before) && before->chain.count == 0 &&
			before->effect.level == GetCurrentTransactionNestLevel())
		{
			op->older = before->older;
			corm_effect_remove(&before->effect);
			pfree(before);
		}
		else
		{
			op->older = before;
			before->top = false;
		}
		key->op = op;
	}
	corm_effect_add(&op->effect, &key_ops);
}

/*
 * corm_overlay_pass makes reads of a key that the transaction has written look
 * at shared memory again, after an immediate write.
 */
void
corm_overlay_pass(const CormCacheRef *ref, const char *key, uint32 len)
{
	CormPending pass = {.kind = CORM_PENDING_PASS};

	if (corm_overlay_active && corm_overlay_get(ref->id, key, len) != NULL)
		corm_overlay_write(ref, key, len, &pass);
}

/* corm_overlay_clear makes the transaction clear a cache at commit. */
void
corm_overlay_clear(const CormCacheRef *ref)
{
	PendingCache *cache = make_cache(ref);
	ClearOp    *before = cache->clear;
	ClearOp    *gone;
	ClearOp    *op = MemoryContextAllocZero(TopTransactionContext, sizeof(ClearOp));

	/* As with keys: what can only be rolled back together is one. */
	while (before != NULL && (gone = before->older) != NULL &&
		   gone->effect.level == before->effect.level &&
		   before->spare == CORM_NO_NS && gone->spare == CORM_NO_NS)
	{
		before->older = gone->older;
		corm_effect_remove(&gone->effect);
		pfree(gone);
	}
	op->older = before;
	op->cache = cache;
	op->serial = ++last_serial;
	op->spare = CORM_NO_NS;
	cache->clear = op;
	corm_effect_add(&op->effect, &clear_ops);
}

/*
 * corm_overlay_foreach calls visit for each operation on a key of a cache that
 * counts.  visit must not write to the cache.
 */
void
corm_overlay_foreach(uint64 id, CormPendingVisit visit, void *arg)
{
	pendingkeys_iterator iter;
	PendingKey *key;

	if (!corm_overlay_touches(id))
		return;
	pendingkeys_start_iterate(keys, &iter);
	while ((key = pendingkeys_iterate(keys, &iter)) != NULL)
	{
		KeyOp	   *op = key->op;

		if (op->cache->ref.id == id && counts(op) && op->pending.kind != CORM_PENDING_PASS)
			visit(op->key, op->len, &op->pending, arg);
	}
}

/*
 * key_reserve gets memory for a put and writes the entry there.  If the cache
 * has been dropped or closed since, it does nothing: the write is lost with the
 * cache.  Raises what corm_reserve raises, and 53400.
 */
static void
key_reserve(CormEffect *effect)
{
	KeyOp	   *op = (KeyOp *) effect;
	CormCacheRef *ref = &op->cache->ref;
	const CormFound *found = &op->pending.found;
	CormCacheKey key;

	if (op->pending.kind != CORM_PENDING_PUT || !is_newest(op))
		return;

	do
	{
		bool		restricted;

		if (!corm_ref_attach(ref))
		{
			if (!corm_cache_defined(ref, &restricted))
				return;
			corm_ref_not_attached(ref);
		}
	} while (!corm_reserve(ref->ns, ref->gen,
						   corm_entry_blocks((Size) op->len + found->value.len + found->value.tail),
						   &op->chain));

	op->ns = ref->ns;
	op->gen = ref->gen;
	key.data = op->key;
	key.len = op->len;
	key.hash = op->table_hash = corm_table_hash(ref->gen, key.data, key.len);
	corm_table_fill(&op->chain, ref->ns, &key, &found->value, found->deadline,
					found->created);
}

/*
 * move_to moves a prepared entry to another namespace of its cache, because the
 * one that it was prepared for has been cleared since.
 */
static void
move_to(KeyOp *op, uint16 ns, uint64 gen, CormCacheKey *key)
{
	CormEntry  *entry = corm_entry(op->chain.first);

	pg_atomic_fetch_add_u32(&corm_namespaces[ns].blocks, op->chain.count);
	pg_atomic_fetch_sub_u32(&corm_namespaces[op->ns].blocks, op->chain.count);
	op->ns = ns;
	op->gen = gen;
	op->table_hash = key->hash;
	entry->ns = ns;
	entry->hash = key->hash;
}

/* key_expect has the processor fetch what key_apply of a put will look at: see effects.c. */
static void
key_expect(CormEffect *effect, int step)
{
	KeyOp	   *op = (KeyOp *) effect;

	if (op->chain.count == 0)
		return;
	if (step == 0)
	{
		corm_expect_bucket(op->table_hash);
		corm_prefetch(corm_entry(op->chain.first));
	}
	else
		corm_expect_chain(op->table_hash);
}

/*
 * key_apply performs the operation.  If the cache has been cleared since it was
 * prepared, by this transaction or another, the write goes to the new
 * namespace; if the cache is gone, the write is lost.  Raises nothing.
 */
static void
key_apply(CormEffect *effect)
{
	KeyOp	   *op = (KeyOp *) effect;
	CormCacheRef *ref = &op->cache->ref;
	CormStatus	status = CORM_STALE;
	CormFound	unused;
	CormCacheKey key;
	uint16		ns = ref->ns;
	uint64		gen = ref->gen;

	key.data = op->key;
	key.len = op->len;
	while (is_newest(op) && status == CORM_STALE &&
		   (corm_ns_is(ns, gen) || corm_ns_find(MyDatabaseId, ref->id, &ns, &gen)))
	{
		if (op->chain.count > 0 && op->ns == ns && op->gen == gen)
			key.hash = op->table_hash;
		else
			key.hash = corm_table_hash(gen, key.data, key.len);
		switch (op->pending.kind)
		{
			case CORM_PENDING_PUT:
				if (op->chain.count == 0)
					return;
				key.changes = op->pending.seen.changes;
				if (op->pending.mode == CORM_PUT_UNCHANGED && gen != op->pending.seen.gen)
				{
					status = CORM_REFUSED;
					break;
				}
				if (ns != op->ns || gen != op->gen)
					move_to(op, ns, gen, &key);
				status = corm_table_put(ns, gen, &key, &op->chain, op->pending.mode);
				break;
			case CORM_PENDING_DELETE:
				status = corm_table_remove(ns, gen, &key, NULL, 0, &unused);
				break;
			case CORM_PENDING_TOUCH:
				status = corm_table_touch(ns, gen, &key, op->pending.found.deadline);
				break;
			case CORM_PENDING_PASS:
				return;
		}
	}

	/* Not linked, or another extension's callback has written the key again. */
	corm_unreserve(op->ns, &op->chain);
}

/* key_discard takes an operation back: the older one on its key is the newest again. */
static void
key_discard(CormEffect *effect)
{
	KeyOp	   *op = (KeyOp *) effect;
	PendingKey *key = pendingkeys_lookup(keys, op);

	Assert(key != NULL && key->op == op);
	if (op->older != NULL)
	{
		key->op = op->older;
		op->older->top = true;
	}
	else
		pendingkeys_delete_item(keys, key);
	corm_unreserve(op->ns, &op->chain);
	pfree(op);
}

/* clear_reserve takes the namespace slot that a clear needs.  Raises 53400. */
static void
clear_reserve(CormEffect *effect)
{
	ClearOp    *op = (ClearOp *) effect;

	if (op->cache->clear == op)
		op->spare = corm_ns_reserve();
}

/* clear_apply gives the cache a new namespace. */
static void
clear_apply(CormEffect *effect)
{
	ClearOp    *op = (ClearOp *) effect;

	if (op->spare != CORM_NO_NS)
		corm_ns_replace(MyDatabaseId, op->cache->ref.id, op->spare, CORM_REASON_CLEARED);
}

/* clear_discard takes a clear back. */
static void
clear_discard(CormEffect *effect)
{
	ClearOp    *op = (ClearOp *) effect;

	op->cache->clear = op->older;
	if (op->spare != CORM_NO_NS)
		corm_ns_release(op->spare);
	pfree(op);
}
