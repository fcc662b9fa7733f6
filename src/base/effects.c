/*-------------------------------------------------------------------------
 *
 * effects.c
 *		Transactional effects on things that do not roll back by themselves.
 *
 * Shared memory does not roll back.  So what a transaction wants to do there is
 * kept as a list of effects in the session, each tagged with the nesting level
 * of its subtransaction:
 *
 *	- a subtransaction's abort discards its effects, newest first; its commit
 *	  hands them to the parent;
 *	- just before commit each effect reserves what it will need and may still
 *	  raise, which aborts the transaction;
 *	- after commit each effect is applied, oldest first, by code that cannot
 *	  raise: the transaction is committed, and an ERROR there is a PANIC of
 *	  the whole cluster;
 *	- at abort all effects are discarded, which gives reservations back.
 *
 * When they are applied.  CommitTransaction first makes the transaction's rows
 * visible, then calls the callbacks of XACT_EVENT_COMMIT, then sends the
 * invalidation messages, then releases the locks.  Most effects are applied in that
 * callback, so that who reads a row also finds the cache as the transaction left
 * it.  What makes another process start working is late: applied after the locks,
 * in a callback of the resource owner.  Woken earlier, that process would work with
 * its old catalog caches: CREATE OR REPLACE FUNCTION, a task that calls the
 * function, COMMIT - and the old function runs.  NOTIFY signals even later, for the
 * same reason.  Late effects are applied in the order they were made, after all
 * others.
 *
 * Only the innermost subtransaction adds effects, so the list is ordered by
 * level and the effects of the current level are its tail: subtransaction ends
 * cost what that subtransaction did, not what the transaction did.
 *
 * An owner embeds CormEffect as first member in a struct of its own, allocated
 * in TopTransactionContext.  Its discard callback may free that struct; after
 * apply it must leave it alone (the whole context goes soon after).
 *
 * PREPARE TRANSACTION with effects pending is refused, as it is after NOTIFY:
 * the session that will run COMMIT PREPARED does not have them.  The exception
 * is a logical replication worker, which applies the effects of a transaction
 * that the publisher has prepared at PREPARE: an error would recur at each
 * retry, and replication would never proceed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/effects.h"
#include "base/xact_end.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "replication/logicalworker.h"

static dlist_head effects = DLIST_STATIC_INIT(effects);

/* Late effects of a transaction that has committed; not yet applied. */
static dlist_head late_effects = DLIST_STATIC_INIT(late_effects);

/* There may be late effects among the effects. */
static bool has_late = false;

#define MAX_END_CALLBACKS	8
#define EXPECT_AHEAD		8

static CormEffectsEnd end_callbacks[MAX_END_CALLBACKS];
static int	n_end_callbacks = 0;

/* True from the end of our PRE_COMMIT work to the end of the transaction. */
static bool reserving_done = false;

/*
 * corm_effect_add puts an effect at the end of the current subtransaction's
 * list.  Raises only what reserve raises, in the rare case that another
 * extension's commit callback comes here after ours has run, or would have.
 */
void
corm_effect_add(CormEffect *effect, const CormEffectOps *ops)
{
	effect->ops = ops;
	effect->level = GetCurrentTransactionNestLevel();
	dlist_push_tail(&effects, &effect->node);
	has_late |= ops->late;
	corm_xact_needs_end();
	if (reserving_done || corm_xact_committing)
		ops->reserve(effect);
}

/*
 * corm_effect_remove takes an effect out of its list as if it had never been
 * added; none of its callbacks is called.  It must have reserved nothing.  The
 * owner frees it.
 */
void
corm_effect_remove(CormEffect *effect)
{
	dlist_delete(&effect->node);
}

/* corm_effects_pending tells whether the transaction has effects to apply when it commits. */
bool
corm_effects_pending(void)
{
	return !dlist_is_empty(&effects);
}

/*
 * discard_from discards all effects of level or deeper, newest first.  Raises
 * nothing, as discard must not.
 */
static void
discard_from(int level)
{
	while (!dlist_is_empty(&effects))
	{
		CormEffect *effect = dlist_tail_element(CormEffect, node, &effects);

		if (effect->level < level)
			break;
		dlist_delete(&effect->node);
		effect->ops->discard(effect);
	}
}

/*
 * corm_effects_at_end registers a function to be called when a transaction has
 * ended and all its effects are applied or discarded, for tidying up what
 * belonged to them.  It must not raise.
 */
void
corm_effects_at_end(CormEffectsEnd callback)
{
	if (n_end_callbacks >= MAX_END_CALLBACKS)
		elog(ERROR, "too many end-of-transaction callbacks");
	end_callbacks[n_end_callbacks++] = callback;
}

/* finish resets the state for the next transaction. */
static void
finish(void)
{
	reserving_done = false;
	has_late = false;
	for (int i = 0; i < n_end_callbacks; i++)
		end_callbacks[i] ();
}

/*
 * expect_next announces to the effect at *at that it will soon be applied, and
 * moves *at to the next one.
 */
static void
expect_next(dlist_node **at, int step)
{
	CormEffect *effect;

	if (*at == &effects.head)
		return;
	effect = dlist_container(CormEffect, node, *at);
	if (effect->ops->expect != NULL)
		effect->ops->expect(effect, step);
	*at = (*at)->next;
}

/*
 * apply_all applies the effects in order.  Raises nothing, as apply must not.
 *
 * What an effect looks at in shared memory is rarely in the processor's cache,
 * and loading it takes as long as the work on some effects.  So each effect is
 * told EXPECT_AHEAD effects before its turn (step 0), and half as many before
 * (step 1), and has the processor fetch it.  That pays: with 10^6 entries in a
 * cache of 400 MB, a set in a transaction of 20,000 takes 0.77 us at commit
 * instead of 0.92.
 */
static void
apply_all(void)
{
	dlist_node *far = effects.head.next;
	dlist_node *near = far;
	int			done = -EXPECT_AHEAD;

	if (dlist_is_empty(&effects))
		return;
	for (dlist_node *node = effects.head.next; node != &effects.head;)
	{
		expect_next(&far, 0);
		if (done >= -EXPECT_AHEAD / 2)
			expect_next(&near, 1);
		if (done++ >= 0)
		{
			CormEffect *effect = dlist_container(CormEffect, node, node);

			node = node->next;
			effect->ops->apply(effect);
		}
	}
	dlist_init(&effects);
}

/* set_late_aside moves the late effects out of the list, in order. */
static void
set_late_aside(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &effects)
	{
		CormEffect *effect = dlist_container(CormEffect, node, iter.cur);

		if (!effect->ops->late)
			continue;
		dlist_delete(&effect->node);
		dlist_push_tail(&late_effects, &effect->node);
	}
}

/* apply_late applies the late effects and ends with the transaction.  Raises nothing. */
static void
apply_late(void)
{
	while (!dlist_is_empty(&late_effects))
	{
		CormEffect *effect = dlist_container(CormEffect, node, dlist_pop_head_node(&late_effects));

		effect->ops->apply(effect);
	}
	finish();
}

/* apply_committed applies what is to be applied as soon as the transaction has committed. */
static void
apply_committed(void)
{
	if (has_late)
		set_late_aside();
	apply_all();
	if (dlist_is_empty(&late_effects))
		finish();
	else
	{
		/* if an error comes in between, there is one more end */
		corm_xact_needs_end();
		corm_xact_release_due = true;
		CORM_FAULT("effects-committed");
	}
}

/*
 * reserve_all lets each effect reserve what it needs.  Raises what they raise,
 * which aborts the transaction.
 */
static void
reserve_all(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &effects)
	{
		CormEffect *effect = dlist_container(CormEffect, node, iter.cur);

		CHECK_FOR_INTERRUPTS();
		effect->ops->reserve(effect);
	}
	reserving_done = true;
}

/* at_xact_event reserves, applies or discards as a transaction ends. */
static void
at_xact_event(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			reserve_all();
			break;

		case XACT_EVENT_COMMIT:
			apply_committed();
			break;

		case XACT_EVENT_ABORT:

			/*
			 * Something failed between the commit and the release of the
			 * locks, in a transaction without an ID (else it is a PANIC).
			 * What it did stands.
			 */
			if (!dlist_is_empty(&late_effects))
				apply_late();
			discard_from(0);
			finish();
			break;

		case XACT_EVENT_PREPARE:

			/*
			 * Only a replication worker comes here with effects: see
			 * PRE_PREPARE.
			 */
			apply_committed();
			break;

		case XACT_EVENT_PRE_PREPARE:
			if (IsLogicalWorker())
				reserve_all();
			else if (!dlist_is_empty(&effects))
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has %s",
								dlist_head_element(CormEffect, node, &effects)->ops->deed)));
			break;

		default:
			break;
	}
}

/* at_subxact_event hands effects to the parent level, or discards them. */
static void
at_subxact_event(SubXactEvent event, SubTransactionId mine,
				 SubTransactionId parent, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	dlist_iter	iter;

	switch (event)
	{
		case SUBXACT_EVENT_COMMIT_SUB:
			dlist_reverse_foreach(iter, &effects)
			{
				CormEffect *effect = dlist_container(CormEffect, node, iter.cur);

				if (effect->level < level)
					break;
				effect->level = level - 1;
			}
			break;

		case SUBXACT_EVENT_ABORT_SUB:
			discard_from(level);
			break;

		default:
			break;
	}
}

/* at_release applies the late effects once the locks are released. */
static void
at_release(void)
{
	if (!dlist_is_empty(&late_effects))
		apply_late();
}

/* Whether the end of the transaction has nothing to do here. */
static bool
is_idle(void)
{
	return dlist_is_empty(&effects) && dlist_is_empty(&late_effects) && !reserving_done;
}

/* corm_effects_init installs the callbacks. */
void
corm_effects_init(void)
{
	corm_on_xact_end(at_xact_event, is_idle);
	RegisterSubXactCallback(at_subxact_event, NULL);
	corm_on_xact_released(at_release);
}
