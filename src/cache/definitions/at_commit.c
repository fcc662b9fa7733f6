/*-------------------------------------------------------------------------
 *
 * at_commit.c
 *		Effects on whole caches at the end of the transaction.
 *
 * Creating, dropping or closing a cache, or granting rights on it, changes
 * catalog tables and commits or rolls back with them.  What follows for shared
 * memory is an effect (base/effects.c): a cache that was dropped or closed loses
 * its namespace at commit, one that was created loses it at abort (immediate
 * writes may have put entries there), and so on.  These effects reserve nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/effects.h"
#include "cache/definitions/at_commit.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "miscadmin.h"
#include "utils/memutils.h"

typedef enum WholeKind
{
	WHOLE_KILL,
	WHOLE_RESTRICT,
	WHOLE_KILL_DATABASE
} WholeKind;

typedef struct WholeOp
{
	CormEffect	effect;			/* must be first */
	WholeKind	kind;
	uint64		id;
	Oid			db;
	bool		on_commit;
	bool		on_abort;
	bool		restricted;		/* what to note at commit */
	bool		was_restricted; /* and at abort */
} WholeOp;

static void
whole_reserve(CormEffect *effect)
{
	/* Nothing to reserve. */
}

/* perform performs an operation, at commit or at abort.  Raises nothing. */
static void
perform(const WholeOp *op, bool commit)
{
	switch (op->kind)
	{
		case WHOLE_KILL:
			corm_ns_replace(op->db, op->id, CORM_NO_NS, CORM_REASON_CLEARED);
			break;
		case WHOLE_RESTRICT:
			corm_ns_set_restricted(op->db, op->id, commit ? op->restricted : op->was_restricted);
			break;
		case WHOLE_KILL_DATABASE:
			corm_ns_kill_database(op->db);
			break;
	}
}

static void
whole_apply(CormEffect *effect)
{
	WholeOp    *op = (WholeOp *) effect;

	if (op->on_commit)
		perform(op, true);
}

static void
whole_discard(CormEffect *effect)
{
	WholeOp    *op = (WholeOp *) effect;

	if (op->on_abort)
		perform(op, false);
	pfree(op);
}

static const CormEffectOps whole_ops = {whole_reserve, whole_apply, whole_discard, NULL, "written to the cache"};

/* add adds an effect and returns it, or returns NULL if there is no shared memory. */
static WholeOp *
add(WholeKind kind, Oid db, uint64 id, bool on_commit, bool on_abort)
{
	WholeOp    *op;

	if (!corm_cache_available())
		return NULL;
	op = MemoryContextAllocZero(TopTransactionContext, sizeof(WholeOp));
	op->kind = kind;
	op->db = db;
	op->id = id;
	op->on_commit = on_commit;
	op->on_abort = on_abort;
	corm_effect_add(&op->effect, &whole_ops);
	return op;
}

/*
 * corm_at_end_kill empties a cache of this database when the transaction
 * commits, or aborts, or both.
 */
void
corm_at_end_kill(uint64 id, bool on_commit, bool on_abort)
{
	add(WHOLE_KILL, MyDatabaseId, id, on_commit, on_abort);
}

/*
 * corm_at_end_restrict notes at commit whether only some roles may read a cache,
 * and at abort what was so before: an immediate write of this transaction may
 * have attached the cache with the grants that it saw.
 */
void
corm_at_end_restrict(uint64 id, bool restricted, bool was_restricted)
{
	WholeOp    *op = add(WHOLE_RESTRICT, MyDatabaseId, id, true, true);

	if (op != NULL)
	{
		op->restricted = restricted;
		op->was_restricted = was_restricted;
	}
}

/* corm_at_commit_kill_database empties all caches of a database at commit. */
void
corm_at_commit_kill_database(Oid db)
{
	add(WHOLE_KILL_DATABASE, db, 0, true, false);
}
