/*-------------------------------------------------------------------------
 *
 * receive.c
 *		corm.receive: messages into the hand of a transaction.
 *
 * A call takes messages under the topic's lock, copies them, and looks at them after
 * it: the group's filter and the caller's type may run user code.  What was taken
 * belongs to a late effect from that moment on, so it is settled (or leased, if the
 * group acknowledges by hand) when the transaction commits, and given back when it, or
 * the subtransaction, is rolled back, however that comes: the end of the session
 * included.
 *
 * A message that was handed out often enough becomes a dead letter.  Where messages are
 * in memory this happens when it is given back.  Otherwise, and when a lease was over,
 * it is the next receiver who gets it, publishes it to the group's topic for these in
 * his transaction, and goes on with the next one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/args.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/effects.h"
#include "base/guc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "work/topic/durable.h"
#include "work/topic/filter.h"
#include "work/topic/publish.h"
#include "work/topic/receive.h"
#include "work/topic/rows.h"

PG_FUNCTION_INFO_V1(corm_message_receive);
PG_FUNCTION_INFO_V1(corm_message_receive_as);
PG_FUNCTION_INFO_V1(corm_message_receive_call);
PG_FUNCTION_INFO_V1(corm_message_peek);

#define BUFFER_SIZE		(64 * 1024)
#define SPARE_BLOCKS	64

/* Look again after this time even if nothing happened: a wake-up may have gone to a session that ended. */
#define LOOK_AGAIN_US	(INT64CONST(1000) * 1000)
#define LOOK_AGAIN_VIRTUAL_US	(INT64CONST(10) * 1000)

/* A message for which the group's filter or its handler fails rests at least so long. */
#define FAILED_REST_US	USECS_PER_SEC

typedef struct TakeEffect
{
	CormEffect	effect;			/* must be first */
	dlist_node	node;			/* in the list of this session's */
	int			slot;
	uint64		gen;
	int			group;
	uint64		group_gen;
	bool		manual;
	int64		lease_until;	/* monotonic time */
	bool		durable;
	uint64		topic_id;
	uint64		group_id;		/* 0: temporary, nothing is stored */
	bool		ordered;
	int			dead_slot;		/* of the topic for dead letters, -1: none */
	uint64		dead_gen;
	CormHandling *handling;		/* NULL: not for a handler */
	int			batch;			/* messages that the handler has got */
	bool		handled;		/* it has come to its end */
	int			n;				/* that were taken */
	CormTake	take;
} TakeEffect;

/* What the transaction has taken. */
static dlist_head takes = DLIST_STATIC_INIT(takes);

/* corm_in_hand_of returns how many messages of a group this transaction has in hand. */
int64
corm_in_hand_of(int group, uint64 group_gen)
{
	dlist_iter	iter;
	int64		n = 0;

	dlist_foreach(iter, &takes)
	{
		TakeEffect *effect = dlist_container(TakeEffect, node, iter.cur);

		if (effect->group == group && effect->group_gen == group_gen)
			n += effect->n;
	}
	return n;
}

static void
take_reserve(CormEffect *effect)
{
	/* nothing to reserve */
}

/* take_apply settles what was taken, or leases it. */
static void
take_apply(CormEffect *effect)
{
	TakeEffect *take = (TakeEffect *) effect;
	CormBlockChain freed = {0};
	CormTopic  *topic = corm_topic_at(take->slot);
	CormGroup  *group;

	dlist_delete(&take->node);
	if (take->take.first != 0 && corm_topic_lock(take->slot, take->gen))
	{
		if ((group = corm_group_at(take->slot, take->group, take->group_gen)) != NULL)
		{
			int64		now = corm_clock_mono();
			CormBlockId id = take->take.first;

			while (id != 0)
			{
				CormDelivery *delivery = corm_delivery(id);
				CormBlockId next = delivery->mine_next;

				/* what this transaction also acknowledges has an effect of its own, which comes later: it stays held */
				if (!take->manual || delivery->filtered || delivery->exhausted ||
					(delivery->skip && !delivery->acking))
				{
					if (delivery->exhausted && delivery->lose)
						group->lost++;
					if (delivery->filtered)
						corm_group_undeliver(group, id);
					corm_group_done(topic, group, id, now, &freed);
				}
				else if (delivery->acking)
					corm_group_hold(group, id);
				else
					corm_group_lease(group, id, take->lease_until);
				id = next;
			}
			ConditionVariableBroadcast(&topic->room);
		}
		corm_topic_unlock(take->slot);
	}
	corm_work_give(&take->take.spare);
	corm_work_give(&freed);
}

/*
 * copy_entry copies the message of a delivery to blocks of its own, as many as there
 * are.  Returns false, with an empty chain, if they do not suffice.
 */
static bool
copy_entry(const CormEntry *entry, CormBlockChain *copy)
{
	CormBlockId from;
	CormBlockId to;
	CormEntry  *head;

	if (corm_blocks_take(&corm_work_blocks, copy, entry->nblocks) < entry->nblocks)
	{
		corm_work_give(copy);
		return false;
	}
	from = (CormBlockId) (((const char *) entry - corm_work_blocks.base) / CORM_BLOCK_SIZE);
	for (to = copy->first; to != 0; to = *corm_block_next(&corm_work_blocks, to))
	{
		memcpy(corm_block_addr(&corm_work_blocks, to) + sizeof(CormBlockId),
			   corm_block_addr(&corm_work_blocks, from) + sizeof(CormBlockId),
			   CORM_BLOCK_SIZE - sizeof(CormBlockId));
		from = *corm_block_next(&corm_work_blocks, from);
	}
	head = corm_entry(copy->first);
	head->prev = head->next = 0;
	head->refs = 0;
	head->due = 0;
	head->last_block = copy->last;
	head->nblocks = copy->count;
	return true;
}

/*
 * bury makes a delivery that is exhausted a dead letter: takes a copy of its message
 * and settles it.  The copy is published by the caller, when he has released the lock.
 * Needs the topic's lock.
 */
static void
bury(CormTopic *topic, CormGroup *group, CormBlockId id, int64 now, CormBlockChain *copy, CormBlockChain *freed)
{
	if (!copy_entry(corm_entry(corm_delivery(id)->entry), copy))
		group->lost++;
	corm_group_settle(topic, group, id, now, freed);
}

/* publish_dead publishes a dead letter, or counts it as lost. */
static void
publish_dead(const TakeEffect *take, CormBlockChain *copy)
{
	CormGroup  *group;

	if (copy->count == 0 || corm_publish_entry(take->dead_slot, take->dead_gen, copy))
		return;
	corm_work_give(copy);
	if (!corm_topic_lock(take->slot, take->gen))
		return;
	if ((group = corm_group_at(take->slot, take->group, take->group_gen)) != NULL)
		group->lost++;
	corm_topic_unlock(take->slot);
}

/* is_acquitted tells whether the messages of an effect are given back because of what others may have done. */
static bool
is_acquitted(const TakeEffect *take)
{
	return take->handling != NULL && (take->handled ? take->handling->handed : take->batch) > 1;
}

/*
 * give_back_one gives the first message of an effect back.  Returns false when there is
 * none left.
 */
static bool
give_back_one(TakeEffect *take, CormBlockChain *freed)
{
	CormTopic  *topic = corm_topic_at(take->slot);
	CormGroup  *group = NULL;
	CormBlockChain copy = {0};
	bool		more = false;
	bool		acquitted = is_acquitted(take);

	if (!corm_topic_lock(take->slot, take->gen))
		return false;
	if ((group = corm_group_at(take->slot, take->group, take->group_gen)) != NULL)
	{
		int64		now = corm_clock_mono();
		int64		delay = take->handling != NULL ? Max(group->settings.retry_delay, FAILED_REST_US) : -1;

		while (take->take.first != 0 && copy.count == 0)
		{
			CormBlockId id = take->take.first;
			CormDelivery *delivery = corm_delivery(id);

			take->take.first = delivery->mine_next;
			if (acquitted)
				corm_group_acquit(group, id);
			corm_group_give_back(topic, group, id, now, delay, freed);
			if (delivery->group_gen == group->gen && delivery->exhausted && take->dead_slot >= 0 &&
				!topic->settings.durable)
				bury(topic, group, id, now, &copy, freed);
		}
		more = take->take.first != 0;
	}
	corm_topic_unlock(take->slot);
	publish_dead(take, &copy);
	return more;
}

static void
take_discard(CormEffect *effect)
{
	TakeEffect *take = (TakeEffect *) effect;
	CormBlockChain freed = {0};

	dlist_delete(&take->node);
	if (take->take.first != 0)
		while (give_back_one(take, &freed))
			 /* once more */ ;
	corm_work_give(&take->take.spare);
	corm_work_give(&freed);
	pfree(take);
}

static const CormEffectOps take_ops = {
	.reserve = take_reserve,
	.apply = take_apply,
	.discard = take_discard,
	.deed = "received messages",
	.late = true,
};

/* add_effect adds an effect for what a call takes. */
static TakeEffect *
add_effect(const CormTopicRef *topic, const CormGroupRef *ref)
{
	TakeEffect *effect = MemoryContextAllocZero(TopTransactionContext, sizeof(TakeEffect));

	effect->slot = topic->slot;
	effect->gen = topic->gen;
	effect->group = ref->group;
	effect->group_gen = ref->group_gen;
	effect->manual = ref->settings.manual;
	effect->durable = topic->settings.durable;
	effect->topic_id = topic->id;
	effect->group_id = ref->temporary ? 0 : ref->id;
	effect->ordered = ref->settings.ordered;
	effect->dead_slot = CORM_TOPIC_NO_SLOT;
	dlist_push_tail(&takes, &effect->node);
	corm_effect_add(&effect->effect, &take_ops);
	return effect;
}

/* group_gone raises the error of a call whose group was dropped meanwhile. */
static void
group_gone(const char *topic, const char *grp)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("group \"%s\" of topic \"%s\" has been dropped", grp, topic)));
}

/* What a look at a group found. */
typedef struct Look
{
	bool		closed;
	int64		due;			/* when something will become ready */
	CormBlockId before;			/* the last delivery of the takes before */
} Look;

/* take_some takes what fits, under the lock. */
static void
take_some(TakeEffect *effect, const char *topic_name, const char *grp, Look *look)
{
	CormTopic  *topic = corm_topic_at(effect->slot);
	CormGroup  *group;
	CormBlockChain freed = {0};

	effect->take.used = 0;
	effect->take.n = 0;
	effect->take.now = corm_clock_mono();
	if (!corm_topic_lock(effect->slot, effect->gen))
		corm_topic_gone(topic_name);
	group = corm_group_at(effect->slot, effect->group, effect->group_gen);
	if (group != NULL)
	{
		look->before = effect->take.last;
		effect->take.epoch = group->epoch;
		if (effect->handling != NULL &&
			corm_group_next_is_single(topic, group, effect->take.now, &freed))
		{
			effect->take.max = effect->n == 0 && effect->handling->handed == 0;
			effect->handling->single = true;
			effect->batch = 1;
		}
		corm_group_take(topic, group, &effect->take, &freed);
		effect->n += effect->take.n;
		look->closed = topic->settings.closed;
		look->due = corm_group_next_due(group);
	}
	corm_topic_unlock(effect->slot);
	corm_work_give(&freed);
	if (group == NULL)
		group_gone(topic_name, grp);
}

/*
 * admit keeps of the last n messages of a take, whose rows were looked for, those that
 * may be handed out, and puts the others aside.  Before them comes the delivery
 * `before`, 0 if there is none.  Needs the topic's lock.
 */
static void
admit(TakeEffect *effect, CormGroup *group, CormBlockId before, int n, const TimestampTz *due, const bool *found)
{
	CormTake   *take = &effect->take;
	TimestampTz real = corm_clock_real();
	char	   *from = take->buf;
	char	   *to = take->buf;

	take->last = before;
	if (before == 0)
		take->first = 0;
	else
		corm_delivery(before)->mine_next = 0;
	for (int i = 0; i < n; i++)
	{
		corm_group_consider(group, ((CormTaken *) from)->delivery);
		from += CORM_TAKEN_SIZE((CormTaken *) from);
	}
	from = take->buf;
	for (int i = 0; i < n; i++)
	{
		CormTaken  *taken = (CormTaken *) from;
		CormDelivery *delivery = corm_delivery(taken->delivery);
		Size		size = CORM_TAKEN_SIZE(taken);
		uint64		key_hash = 0;
		int64		until = 0;

		from += size;
		if (!found[i])
			taken->exhausted = taken->lose = delivery->exhausted = delivery->lose = true;
		else
		{
			CormOutgoing message;

			corm_message_from_taken(taken, &message);
			key_hash = corm_message_key_hash(message.key, message.key_len);
			if (!delivery->exhausted && due[i] > real)
				until = take->now + (due[i] - real);
		}
		if (!corm_group_admit(group, taken->delivery, key_hash, until))
		{
			effect->n--;
			continue;
		}
		if (take->last != 0)
			corm_delivery(take->last)->mine_next = taken->delivery;
		else
			take->first = taken->delivery;
		take->last = taken->delivery;
		delivery->mine_next = 0;
		memmove(to, taken, size);
		to += size;
		take->n++;
	}
}

/*
 * fetch reads the rows of what was taken from a durable topic.  Messages that turn out
 * not to be due, or not to have their turn, are put aside; those whose rows are gone
 * will be lost.
 */
static void
fetch(TakeEffect *effect, const Look *look)
{
	CormTake   *take = &effect->take;
	int			n = take->n;
	TimestampTz *due = palloc(n * sizeof(TimestampTz));
	bool	   *found = palloc(n * sizeof(bool));
	CormGroup  *group;

	corm_durable_fetch(effect->topic_id, take, due, found);
	CORM_FAULT("receive-fetched");
	take->n = 0;
	/* where the topic or group is gone, its deliveries are: the next take says so */
	if (corm_topic_lock(effect->slot, effect->gen))
	{
		if ((group = corm_group_at(effect->slot, effect->group, effect->group_gen)) != NULL)
			admit(effect, group, look->before, n, due, found);
		corm_topic_unlock(effect->slot);
	}
	pfree(due);
	pfree(found);
}

/* store_settled inserts what the transaction settles of what was taken from a durable topic. */
static void
store_settled(const TakeEffect *effect)
{
	const char *at = effect->take.buf;
	int64	   *seqs = palloc(Max(effect->take.n, 1) * sizeof(int64));
	int			n = 0;

	for (int i = 0; i < effect->take.n; i++)
	{
		const CormTaken *taken = (const CormTaken *) at;

		if (!taken->failed && (!effect->manual || taken->exhausted || taken->filtered))
			seqs[n++] = taken->seq;
		at += CORM_TAKEN_SIZE(taken);
	}
	if (n > 0)
		corm_durable_settle(effect->group_id, effect->take.epoch, seqs, n);
	pfree(seqs);
}

/* more_blocks takes blocks for deliveries, if there are any.  Raises 53200 if there are none, unless may_fail. */
static bool
more_blocks(TakeEffect *effect, int max, bool may_fail)
{
	if (corm_blocks_take(&corm_work_blocks, &effect->take.spare, Min(max, SPARE_BLOCKS)) == 0)
	{
		if (may_fail)
			return false;
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory for messages in hand"),
				 errhint("You might need to increase corm.work_memory.")));
	}
	return true;
}

/*
 * lose notes that a message in hand is going to be lost.  The topic or group may have
 * been dropped since it was taken, and the delivery's block be in use for something
 * else.
 */
static void
lose(const TakeEffect *effect, CormTaken *taken)
{
	taken->lose = true;
	if (!corm_topic_lock(effect->slot, effect->gen))
		return;
	if (corm_group_at(effect->slot, effect->group, effect->group_gen) != NULL)
		corm_delivery(taken->delivery)->lose = true;
	corm_topic_unlock(effect->slot);
}

/*
 * make_dead_letter publishes a message that was handed out often enough to the topic
 * for dead letters, in this transaction; where that cannot be, it will be lost.
 */
static void
make_dead_letter(const TakeEffect *effect, const char *dead_letter, CormTaken *taken)
{
	CormPublishOptions options = {.dead_letter = true};
	CormOutgoing message;
	CormTopicRef *dead = dead_letter != NULL ? corm_topic_ref_or_null(dead_letter) : NULL;

	corm_message_from_taken(taken, &message);
	if (dead == NULL || corm_publish_messages(dead, &message, 1, &options) < 0)
		lose(effect, taken);
}

/*
 * sift has the group's filter look at what was taken last, after the delivery `before`
 * (0: there is none).  A message for which the filter fails is given back at once,
 * whatever becomes of the transaction: that is a failed delivery, and the message rests.
 * Until the filter has looked at all of them, the deliveries say that none of them has
 * been accepted, which is what they are given back as if it is canceled.
 */
static void
sift(TakeEffect *effect, CormFilter *filter, CormBlockId before, const char *topic_name, const char *grp)
{
	CormTake   *take = &effect->take;
	CormTopic  *topic = corm_topic_at(effect->slot);
	CormBlockChain freed = {0};
	CormGroup  *group;
	char	   *at = take->buf;

	corm_filter_messages(filter, take->buf, take->n, topic_name, grp);
	CORM_FAULT("receive-filtered");
	if (!corm_topic_lock(effect->slot, effect->gen))
		return;
	if ((group = corm_group_at(effect->slot, effect->group, effect->group_gen)) != NULL)
	{
		int64		now = corm_clock_mono();

		take->last = before;
		if (before == 0)
			take->first = 0;
		for (int i = 0; i < take->n; i++)
		{
			CormTaken  *taken = (CormTaken *) at;
			CormBlockId id = taken->delivery;

			at += CORM_TAKEN_SIZE(taken);
			corm_delivery(id)->filtered = taken->filtered;
			if (taken->failed)
			{
				effect->n--;
				corm_group_give_back(topic, group, id, now, Max(group->settings.retry_delay, FAILED_REST_US), &freed);
				ConditionVariableBroadcast(&topic->room);
				continue;
			}
			if (take->last != 0)
				corm_delivery(take->last)->mine_next = id;
			else
				take->first = id;
			take->last = id;
		}
		if (take->last != 0)
			corm_delivery(take->last)->mine_next = 0;
	}
	corm_topic_unlock(effect->slot);
	corm_work_give(&freed);
}

/* Who receives from what, and where to. */
typedef struct Receiver
{
	const char *topic;
	const char *grp;
	CormFilter *filter;			/* NULL: there is none */
	const char *dead_letter;	/* NULL: there is none */
	CormMessageSink sink;
	void	   *arg;
} Receiver;

/*
 * deliver looks at what was taken last, after the delivery `before`, and passes what the
 * group wants to the sink.  Returns how many messages these are.
 */
static int
deliver(TakeEffect *effect, const Receiver *receiver, CormBlockId before)
{
	char	   *at;
	bool		need_snapshot = !ActiveSnapshotSet();
	int			delivered = 0;

	if (need_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	if (receiver->filter != NULL)
		sift(effect, receiver->filter, before, receiver->topic, receiver->grp);
	at = effect->take.buf;
	for (int i = 0; i < effect->take.n; i++)
	{
		CormTaken  *taken = (CormTaken *) at;

		CHECK_FOR_INTERRUPTS();
		CORM_FAULT("receive-deliver");
		if (taken->lose)
			 /* its row is gone */ ;
		else if (taken->exhausted)
			make_dead_letter(effect, receiver->dead_letter, taken);
		else if (!taken->filtered && !taken->failed)
		{
			receiver->sink(taken, receiver->arg);
			delivered++;
		}
		at += CORM_TAKEN_SIZE(taken);
	}
	if (need_snapshot)
		PopActiveSnapshot();
	return delivered;
}

/* wait_for_message sleeps until a group has something, or may have. */
static void
wait_for_message(const TakeEffect *effect, int64 until, int64 due, bool *prepared)
{
	static uint32 wait_event = 0;
	CormGroup  *group = &corm_group_slots[effect->group];
	int64		now = corm_clock_mono();
	int64		span = corm_clock_is_virtual() ? LOOK_AGAIN_VIRTUAL_US : LOOK_AGAIN_US;

	if (wait_event == 0)
		wait_event = corm_wait_event_new("CormTopicReceive");
	if (!*prepared)
	{
		*prepared = true;
		ConditionVariablePrepareToSleep(&group->arrivals);
		return;
	}
	span = Min(span, Min(until, due) - now);
	if (!ActiveSnapshotSet())
		InvalidateCatalogSnapshot();
	(void) ConditionVariableTimedSleep(&group->arrivals, Max(span / 1000, 1), wait_event);
}

/*
 * receive takes up to max messages of a group into the hand of the transaction and passes
 * them to sink.  While there are none it waits for up to timeout microseconds.  Returns
 * their number.  With `handling`, they are for the group's handler.
 */
static int
receive(const char *topic_name, const char *grp, int max, int64 timeout, CormHandling *handling, CormMessageSink sink, void *arg)
{
	CormTopicRef *topic = corm_topic_ref(topic_name);
	CormGroupRef *ref;
	TakeEffect *effect;
	Receiver	receiver = {topic_name, grp, NULL, NULL, sink, arg};
	int64		now = corm_clock_mono();
	int64		until = timeout < PG_INT64_MAX - now ? now + timeout : PG_INT64_MAX;
	int64		lease;
	bool		prepared = false;
	int			delivered = 0;

	corm_topic_check_receive(topic);
	ref = corm_group_ref(topic, grp);
	corm_topic_attach(topic);
	corm_group_attach(topic, ref);
	if (topic->settings.durable && !ref->temporary)
		PreventCommandIfReadOnly("corm.receive()");
	effect = add_effect(topic, ref);
	effect->handling = handling;
	effect->batch = max;
	lease = ref->settings.lease;
	if (ref->filter != NULL)
		receiver.filter = corm_filter_make(ref->filter, ref->filter_path, ref->owner);
	effect->take.filtering = receiver.filter != NULL;
	if (ref->dead_letter != NULL)
	{
		CormTopicRef *dead = corm_topic_ref_or_null(ref->dead_letter);

		receiver.dead_letter = pstrdup(ref->dead_letter);
		if (dead != NULL && !dead->settings.durable)
		{
			corm_topic_attach(dead);
			effect->dead_slot = dead->slot;
			effect->dead_gen = dead->gen;
		}
	}
	effect->take.size = BUFFER_SIZE;
	effect->take.buf = palloc(effect->take.size);

	while (delivered < max)
	{
		Look		look = {0};

		effect->take.max = max - delivered;
		if (effect->durable && effect->ordered)
			corm_durable_lock_group(effect->group_id);
		take_some(effect, topic_name, grp, &look);
		CORM_FAULT("receive-taken");
		if (effect->take.n > 0)
		{
			ConditionVariableCancelSleep();
			prepared = false;
			effect->lease_until = effect->take.now + lease;
			if (effect->durable)
				fetch(effect, &look);
			if (effect->durable && effect->ordered)
				corm_durable_unlock_group(effect->group_id);
			delivered += deliver(effect, &receiver, look.before);
			CORM_FAULT("receive-delivered");
			if (effect->durable && effect->group_id != 0)
				store_settled(effect);
			continue;
		}
		if (effect->durable && effect->ordered)
			corm_durable_unlock_group(effect->group_id);
		if (effect->take.needed > 0)
		{
			effect->take.size = effect->take.needed;
			pfree(effect->take.buf);
			effect->take.buf = palloc_extended(effect->take.size, MCXT_ALLOC_HUGE);
			continue;
		}
		if (effect->take.want_blocks)
		{
			if (!more_blocks(effect, max - delivered, delivered > 0))
				break;
			continue;
		}
		if (delivered > 0 || look.closed || corm_clock_mono() >= until)
			break;
		wait_for_message(effect, until, look.due, &prepared);
	}
	ConditionVariableCancelSleep();
	corm_work_give(&effect->take.spare);
	corm_filter_end(receiver.filter);
	pfree(effect->take.buf);
	effect->take.buf = NULL;
	effect->batch = delivered;
	if (handling != NULL)
	{
		handling->take = effect;
		handling->last = delivered;
		handling->handed += delivered;
	}
	return delivered;
}

/*
 * corm_receive_for_handler receives a batch for the group's handler.  What was in a batch
 * that failed comes alone, one message a transaction.
 */
int
corm_receive_for_handler(const char *topic, const char *grp, int max, CormHandling *handling, CormMessageSink sink, void *arg)
{
	return receive(topic, grp, max, 0, handling, sink, arg);
}

/* corm_receive_handled notes that the handler has come to its end with the last batch. */
void
corm_receive_handled(CormHandling *handling)
{
	handling->take->handled = true;
}

/* max_arg returns the argument of how many messages are wanted.  Raises 22023 unless it is greater than zero. */
static int
max_arg(FunctionCallInfo fcinfo, int argno)
{
	int32		max = PG_ARGISNULL(argno) ? 1 : PG_GETARG_INT32(argno);

	if (max <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the number of messages must be greater than zero")));
	return max;
}

/* timeout_arg returns a timeout in microseconds; NULL and zero are none. */
static int64
timeout_arg(FunctionCallInfo fcinfo, int argno)
{
	return PG_ARGISNULL(argno) ? 0 : corm_span_us(PG_GETARG_INTERVAL_P(argno), "timeout");
}

/* Rows for a tuplestore. */
typedef struct RowSink
{
	ReturnSetInfo *result;
	TupleDesc	desc;
	MemoryContext context;		/* reset after each row */
} RowSink;

/* put_row adds a row, given as a composite value, to a result. */
static void
put_row(ReturnSetInfo *result, Datum value)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(value);
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	tuplestore_puttuple(result->setResult, &tuple);
}

static void
row_sink(const CormTaken *taken, void *arg)
{
	RowSink    *sink = arg;
	MemoryContext oldcontext = MemoryContextSwitchTo(sink->context);

	put_row(sink->result, corm_message_row(sink->desc, taken));
	MemoryContextSwitchTo(oldcontext);
	MemoryContextReset(sink->context);
}

/* init_rows prepares a function's result to take rows. */
static void
init_rows(FunctionCallInfo fcinfo, RowSink *sink)
{
	InitMaterializedSRF(fcinfo, 0);
	sink->result = (ReturnSetInfo *) fcinfo->resultinfo;
	sink->desc = sink->result->setDesc;
	sink->context = AllocSetContextCreate(CurrentMemoryContext, "corm messages", ALLOCSET_DEFAULT_SIZES);
}

/* receive(topic, grp, max, timeout) -> setof corm.message */
Datum
corm_message_receive(PG_FUNCTION_ARGS)
{
	char	   *topic = corm_name_arg(fcinfo, 0, "topic name");
	char	   *grp = corm_name_arg(fcinfo, 1, "group name");
	int			max = max_arg(fcinfo, 2);
	int64		timeout = timeout_arg(fcinfo, 3);
	RowSink		sink;

	init_rows(fcinfo, &sink);
	(void) receive(topic, grp, max, Min(timeout, (int64) corm_max_wait * 1000), NULL, row_sink, &sink);
	MemoryContextDelete(sink.context);
	return (Datum) 0;
}

/* Values for a tuplestore. */
typedef struct ValueSink
{
	ReturnSetInfo *result;
	Oid			type;
	bool		composite;		/* its columns are those of the result */
	FmgrInfo	input;
	Oid			ioparam;
} ValueSink;

static void
value_sink(const CormTaken *taken, void *arg)
{
	ValueSink  *sink = arg;
	CormOutgoing message;
	Datum		value;
	bool		isnull = false;

	corm_message_from_taken(taken, &message);
	if (taken->type != sink->type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("message %lld is of type %s, not %s", (long long) taken->seq,
						format_type_be(taken->type), format_type_be(sink->type))));
	value = InputFunctionCall(&sink->input, pnstrdup(message.payload, message.payload_len), sink->ioparam, -1);
	if (sink->composite)
		put_row(sink->result, value);
	else
		tuplestore_putvalues(sink->result->setResult, sink->result->setDesc, &value, &isnull);
}

/* receive_as(t, topic, grp, max, timeout) -> setof anyelement */
Datum
corm_message_receive_as(PG_FUNCTION_ARGS)
{
	char	   *topic = corm_name_arg(fcinfo, 1, "topic name");
	char	   *grp = corm_name_arg(fcinfo, 2, "group name");
	int			max = max_arg(fcinfo, 3);
	int64		timeout = timeout_arg(fcinfo, 4);
	ValueSink	sink;
	Oid			input;

	sink.type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	getTypeInputInfo(sink.type, &input, &sink.ioparam);
	fmgr_info(input, &sink.input);
	sink.composite = type_is_rowtype(sink.type);
	if (sink.composite && !OidIsValid(get_typ_typrelid(sink.type)))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot receive rows of type %s", format_type_be(sink.type)),
				 errhint("Use the type of a table, view or composite type.")));
	InitMaterializedSRF(fcinfo, sink.composite ? 0 : MAT_SRF_USE_EXPECTED_DESC);
	sink.result = (ReturnSetInfo *) fcinfo->resultinfo;
	(void) receive(topic, grp, max, Min(timeout, (int64) corm_max_wait * 1000), NULL, value_sink, &sink);
	return (Datum) 0;
}

/* Rows for an array. */
typedef struct ArraySink
{
	TupleDesc	desc;
	ArrayBuildState *state;
} ArraySink;

static void
array_sink(const CormTaken *taken, void *arg)
{
	ArraySink  *sink = arg;

	sink->state = accumArrayResult(sink->state, corm_message_row(sink->desc, taken), false,
								   sink->desc->tdtypeid, CurrentMemoryContext);
}

/*
 * CALL receive(topic, grp, max, timeout, INOUT messages)
 *
 * Outside of a transaction block it waits without a snapshot, in a transaction that has
 * done nothing yet.  In one that has, it waits as corm.receive does.
 */
Datum
corm_message_receive_call(PG_FUNCTION_ARGS)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	CallContext *context = (CallContext *) fcinfo->context;
	char	   *topic = corm_name_arg(fcinfo, 0, "topic name");
	char	   *grp = corm_name_arg(fcinfo, 1, "group name");
	int			max = max_arg(fcinfo, 2);
	int64		timeout = timeout_arg(fcinfo, 3);
	bool		alone;
	ArraySink	sink = {0};
	TupleDesc	result;
	Datum		value;
	bool		isnull = false;

	alone = context != NULL && IsA(context, CallContext) && !context->atomic && !IsSubTransaction() &&
		!TransactionIdIsValid(GetTopTransactionIdIfAny()) && !corm_effects_pending();
	if (alone)
	{
		if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect_ext failed");
		MemoryContextSwitchTo(oldcontext);
		/* nothing has changed: this is to get a transaction without a snapshot */
		SPI_commit();
		MemoryContextSwitchTo(oldcontext);
	}
	else
		timeout = Min(timeout, (int64) corm_max_wait * 1000);

	sink.desc = corm_message_desc();
	sink.state = initArrayResult(sink.desc->tdtypeid, CurrentMemoryContext, false);
	(void) receive(topic, grp, max, timeout, NULL, array_sink, &sink);
	value = makeArrayResult(sink.state, CurrentMemoryContext);
	ReleaseTupleDesc(sink.desc);
	if (get_call_result_type(fcinfo, NULL, &result) != TYPEFUNC_COMPOSITE || result->natts != 1)
		elog(ERROR, "unexpected result type of corm.receive");
	value = HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(result), &value, &isnull));
	if (alone && SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PG_RETURN_DATUM(value);
}

/*
 * look_at copies what comes next in a group into a take, up to take->max messages, and
 * of a durable topic the rows.  due[i] is when a message is due, found[i] whether its
 * row is there; both are palloc'd.
 */
static void
look_at(CormTopicRef *topic, const CormGroupRef *ref, CormTake *take, TimestampTz **due, bool **found)
{
	for (;;)
	{
		CormBlockChain freed = {0};
		CormGroup  *group;

		take->buf = palloc_extended(take->size, MCXT_ALLOC_HUGE);
		take->used = 0;
		take->n = 0;
		take->now = corm_clock_mono();
		if (!corm_topic_lock(topic->slot, topic->gen))
			corm_topic_gone(NameStr(topic->name));
		group = corm_group_at(topic->slot, ref->group, ref->group_gen);
		if (group != NULL)
			corm_group_look(corm_topic_at(topic->slot), group, take, &freed);
		corm_topic_unlock(topic->slot);
		corm_work_give(&freed);
		if (group == NULL)
			group_gone(NameStr(topic->name), NameStr(ref->key.grp));
		if (take->needed == 0)
			break;
		pfree(take->buf);
		take->size = Max(take->size * 2, take->used + take->needed);
	}
	*due = palloc0(Max(take->n, 1) * sizeof(TimestampTz));
	*found = palloc0(Max(take->n, 1) * sizeof(bool));
	if (topic->settings.durable)
		corm_durable_fetch(topic->id, take, *due, *found);
}

/* peek(topic, grp, max) -> setof corm.message */
Datum
corm_message_peek(PG_FUNCTION_ARGS)
{
	char	   *topic_name = corm_name_arg(fcinfo, 0, "topic name");
	char	   *grp = corm_name_arg(fcinfo, 1, "group name");
	int			max = max_arg(fcinfo, 2);
	CormTopicRef *topic = corm_topic_ref(topic_name);
	CormGroupRef *ref;
	CormFilter *filter = NULL;
	RowSink		sink;
	CormTake	take = {.size = BUFFER_SIZE,.max = max};
	TimestampTz *due;
	bool	   *found;
	bool		durable = topic->settings.durable;
	const char *at;
	int			shown = 0;
	int			passed = 0;

	corm_topic_check_receive(topic);
	ref = corm_group_ref(topic, grp);
	corm_topic_attach(topic);
	corm_group_attach(topic, ref);
	if (ref->filter != NULL)
		filter = corm_filter_make(ref->filter, ref->filter_path, ref->owner);
	init_rows(fcinfo, &sink);

	/* those that are not due, or that the filter refuses, do not count: look at more */
	for (;;)
	{
		look_at(topic, ref, &take, &due, &found);
		at = take.buf;
		shown = passed = 0;
		for (int i = 0; i < take.n; i++)
		{
			CormTaken  *taken = (CormTaken *) at;

			at += CORM_TAKEN_SIZE(taken);
			if (durable && (!found[i] || due[i] > corm_clock_real()))
				taken->seq = -1;
		}
		if (filter != NULL)
			corm_filter_messages(filter, take.buf, take.n, topic_name, grp);
		at = take.buf;
		for (int i = 0; i < take.n; i++)
		{
			CormTaken  *taken = (CormTaken *) at;

			at += CORM_TAKEN_SIZE(taken);
			if (taken->filtered || taken->failed)
				taken->seq = -1;
			shown += taken->seq >= 0;
		}
		passed = take.n;
		if (shown >= max || passed < take.max || take.max >= PG_INT32_MAX / 2)
			break;
		take.max *= 2;
		pfree(take.buf);
		/* the filter may have run user code */
		topic = corm_topic_ref(topic_name);
		ref = corm_group_ref(topic, grp);
		corm_topic_attach(topic);
		corm_group_attach(topic, ref);
	}
	at = take.buf;
	shown = 0;
	for (int i = 0; i < take.n && shown < max; i++)
	{
		const CormTaken *taken = (const CormTaken *) at;

		at += CORM_TAKEN_SIZE(taken);
		if (taken->seq < 0)
			continue;
		row_sink(taken, &sink);
		shown++;
	}
	corm_filter_end(filter);
	MemoryContextDelete(sink.context);
	return (Datum) 0;
}
