/*-------------------------------------------------------------------------
 *
 * ack.c
 *		corm.ack, nack, touch, seek and purge: changes of what a group has to do.
 *
 * They count at commit, as late effects.  A message that a transaction acknowledges or
 * gives back is held from the call on: no lease runs out on it, and no other
 * transaction finds it.  At abort it is leased as before.
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
#include "miscadmin.h"
#include "storage/proc.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "work/topic/durable.h"
#include "work/topic/log.h"
#include "work/topic/rows.h"
#include "work/topic/subscribe.h"

PG_FUNCTION_INFO_V1(corm_message_ack);
PG_FUNCTION_INFO_V1(corm_message_nack);
PG_FUNCTION_INFO_V1(corm_message_touch);
PG_FUNCTION_INFO_V1(corm_message_seek);
PG_FUNCTION_INFO_V1(corm_message_seek_time);
PG_FUNCTION_INFO_V1(corm_message_seek_text);
PG_FUNCTION_INFO_V1(corm_message_purge);

typedef enum ChangeKind
{
	CHANGE_ACK,
	CHANGE_NACK,
	CHANGE_TOUCH,
	CHANGE_SEEK,
	CHANGE_SEEK_TIME,
	CHANGE_PURGE
} ChangeKind;

/* A delivery that is held. */
typedef struct Held
{
	CormBlockId id;				/* 0: taken over by a later effect */
	struct ChangeEffect *from;	/* taken over from this one, NULL: from none */
	int			at;
} Held;

/* A group of a durable topic that is purged, in an epoch. */
typedef struct PurgedGroup
{
	int			group;
	uint64		group_gen;
	uint64		id;
	uint64		epoch;
} PurgedGroup;

typedef struct ChangeEffect
{
	CormEffect	effect;			/* must be first */
	ChangeKind	kind;
	int			slot;
	uint64		gen;
	int			group;
	uint64		group_gen;
	const char *topic_name;		/* these two only in the call */
	const char *group_name;
	bool		durable;
	uint64		topic_id;
	uint64		group_id;		/* 0: temporary, nothing is stored */
	uint64		epoch;
	int64		delay;			/* NACK; -1: that of the group */
	int64		to;				/* SEEK, PURGE: a number; SEEK_TIME: a time */
	CormByteMarks *marks;		/* SEEK, durable topics: from the number on */
	int			npurged;		/* PURGE of a durable topic: its groups */
	PurgedGroup *purged;		/* by their ids */
	dlist_node	node;			/* TOUCH: in the list of the transaction's */
	int			look_at;		/* where the next one that is taken over is likely to be */
	int			n;
	Held		held[FLEXIBLE_ARRAY_MEMBER];
} ChangeEffect;

/* What the transaction has touched.  It may be acknowledged and given back, too, and touched again. */
static dlist_head touches = DLIST_STATIC_INIT(touches);

static void
change_reserve(CormEffect *effect)
{
	/* nothing to reserve */
}

/* change_deliveries does what an effect says to the deliveries that it holds. */
static void
change_deliveries(CormTopic *topic, CormGroup *group, const ChangeEffect *change, int64 now, CormBlockChain *freed)
{
	for (int i = 0; i < change->n; i++)
	{
		CormBlockId id = change->held[i].id;

		if (id == 0)
			continue;
		corm_delivery(id)->acking = false;
		if (change->kind == CHANGE_ACK)
			corm_group_done(topic, group, id, now, freed);
		else if (change->kind == CHANGE_NACK)
			corm_group_give_back(topic, group, id, now, change->delay, freed);
		else
			corm_group_lease(group, id, now + group->settings.lease);
	}
}

/* by_id compares groups that are purged, for qsort and bsearch. */
static int
by_id(const void *a, const void *b)
{
	uint64		x = ((const PurgedGroup *) a)->id;
	uint64		y = ((const PurgedGroup *) b)->id;

	return x < y ? -1 : x > y;
}

/* sought_since tells whether a seek that came after a purge has moved a group. */
static bool
sought_since(const ChangeEffect *change, const CormGroup *group)
{
	PurgedGroup key = {.id = group->id};
	const PurgedGroup *purged = NULL;

	if (change->npurged > 0)
		purged = bsearch(&key, change->purged, change->npurged, sizeof(PurgedGroup), by_id);
	return purged != NULL && group->epoch > purged->epoch;
}

/* purge settles everything that waits in all groups up to a number, and what is kept for its retention. */
static void
purge(CormTopic *topic, const ChangeEffect *change, int64 now, CormBlockChain *freed)
{
	int64		first = change->to + 1;

	corm_groups_promote(topic, now, freed);
	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
	{
		CormGroup  *group = &corm_group_slots[g];

		if (!sought_since(change, group))
			corm_group_skip_waiting(topic, group, change->to + 1, false, now, freed);
		first = Min(first, corm_group_oldest(topic, group));
	}
	if (topic->settings.durable)
		topic->first_seq = Max(topic->first_seq, first);
	corm_log_trim(topic, now, true, freed);
}

static void
change_apply(CormEffect *effect)
{
	ChangeEffect *change = (ChangeEffect *) effect;
	CormTopic  *topic = corm_topic_at(change->slot);
	CormBlockChain freed = {0};
	int64		now = corm_clock_mono();
	CormGroup  *group;

	if (change->kind == CHANGE_TOUCH)
		dlist_delete(&change->node);
	if (!corm_topic_lock(change->slot, change->gen))
		return;
	if (change->kind == CHANGE_PURGE)
		purge(topic, change, now, &freed);
	else if ((group = corm_group_at(change->slot, change->group, change->group_gen)) != NULL)
	{
		if (change->durable && change->kind == CHANGE_SEEK)
		{
			group->epoch = change->epoch;
			corm_marks_add_front(&topic->marks, change->marks, topic->settings.max_bytes);
		}
		if (change->kind == CHANGE_SEEK)
			corm_group_seek(topic, group, change->to, now, &freed);
		else if (change->kind == CHANGE_SEEK_TIME)
			corm_group_seek(topic, group, corm_log_seq_at_time(topic, change->to), now, &freed);
		else
			change_deliveries(topic, group, change, now, &freed);
		if (change->kind == CHANGE_SEEK)
			corm_log_count_bytes(topic);
	}
	ConditionVariableBroadcast(&topic->room);
	corm_topic_unlock(change->slot);
	corm_work_give(&freed);
}

/* let_go ends the hold on a delivery, or gives it back to the effect that it was taken over from. */
static void
let_go(CormGroup *group, const Held *held)
{
	CormDelivery *delivery = corm_delivery(held->id);

	if (held->from != NULL)
	{
		held->from->held[held->at].id = held->id;
		return;
	}
	delivery->acking = false;
	if (delivery->state == CORM_ACKING)
		corm_group_lease(group, held->id, delivery->due);
}

static void
change_discard(CormEffect *effect)
{
	ChangeEffect *change = (ChangeEffect *) effect;
	CormGroup  *group;

	if (change->kind == CHANGE_TOUCH)
		dlist_delete(&change->node);
	if (change->n > 0 && corm_topic_lock(change->slot, change->gen))
	{
		if ((group = corm_group_at(change->slot, change->group, change->group_gen)) != NULL)
		{
			for (int i = 0; i < change->n; i++)
				if (change->held[i].id != 0)
					let_go(group, &change->held[i]);
		}
		corm_topic_unlock(change->slot);
	}
	if (change->marks != NULL)
		pfree(change->marks);
	pfree(change);
}

static const CormEffectOps change_ops = {
	.reserve = change_reserve,
	.apply = change_apply,
	.discard = change_discard,
	.deed = "settled messages",
	.late = true,
};

/*
 * add_effect finds the group that the first two arguments name, checks the right to
 * receive, and adds an effect with room for n deliveries.
 */
static ChangeEffect *
add_effect(FunctionCallInfo fcinfo, ChangeKind kind, int n)
{
	CormTopicRef *topic = corm_topic_ref(corm_name_arg(fcinfo, 0, "topic name"));
	char	   *grp = corm_name_arg(fcinfo, 1, "group name");
	CormGroupRef *ref;
	ChangeEffect *change;

	corm_topic_check_receive(topic);
	ref = corm_group_ref(topic, grp);
	if (kind <= CHANGE_TOUCH && !ref->settings.manual)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("group \"%s\" of topic \"%s\" acknowledges by commit", grp, NameStr(topic->name)),
				 errhint("Create it with corm.subscribe(..., ack => 'manual').")));
	corm_topic_attach(topic);
	corm_group_attach(topic, ref);
	change = MemoryContextAllocZero(TopTransactionContext, offsetof(ChangeEffect, held) + n * sizeof(Held));
	change->kind = kind;
	change->slot = topic->slot;
	change->gen = topic->gen;
	change->group = ref->group;
	change->group_gen = ref->group_gen;
	change->topic_name = NameStr(topic->name);
	change->group_name = grp;
	change->delay = -1;
	change->durable = topic->settings.durable;
	change->topic_id = topic->id;
	change->group_id = ref->temporary ? 0 : ref->id;
	if (change->durable && change->group_id != 0)
		PreventCommandIfReadOnly(kind == CHANGE_SEEK || kind == CHANGE_SEEK_TIME ? "corm.seek()" :
								 kind == CHANGE_ACK ? "corm.ack()" : kind == CHANGE_NACK ? "corm.nack()" : "corm.touch()");
	if (kind == CHANGE_TOUCH)
		dlist_push_tail(&touches, &change->node);
	corm_effect_add(&change->effect, &change_ops);
	return change;
}

/* take_over takes a delivery over from the effect of this transaction that has touched it.  Returns false if none has. */
static bool
take_over(CormBlockId id, Held *held)
{
	dlist_iter	iter;

	dlist_foreach(iter, &touches)
	{
		ChangeEffect *touch = dlist_container(ChangeEffect, node, iter.cur);

		/* mostly in the order in which they were touched */
		for (int k = 0; k < touch->n; k++)
		{
			int			i = (touch->look_at + k) % touch->n;

			if (touch->held[i].id != id)
				continue;
			touch->held[i].id = 0;
			touch->look_at = i + 1;
			held->from = touch;
			held->at = i;
			return true;
		}
	}
	return false;
}

/*
 * hold adds those of some messages that are in a client's hand to an effect, and moves
 * their numbers to the beginning of seqs.  Returns how many these are.
 */
static int
hold(ChangeEffect *change, int64 *seqs, int n)
{
	CormGroup  *group;

	if (!corm_topic_lock(change->slot, change->gen))
		return 0;
	if ((group = corm_group_at(change->slot, change->group, change->group_gen)) != NULL)
	{
		int64		now = corm_clock_mono();

		change->epoch = group->epoch;
		for (int i = 0; i < n; i++)
		{
			CormBlockId id;
			CormDelivery *delivery = corm_delivery_find(group, seqs[i], &id);

			if (delivery == NULL)
				continue;
			if (delivery->state == CORM_LEASED && delivery->due > now)
				corm_group_hold(group, id);
			else if (delivery->state == CORM_IN_HAND && !delivery->acking && !delivery->exhausted && !delivery->filtered &&
					 delivery->procno == (int32) corm_my_procno())
				delivery->acking = true;
			else if (!(delivery->state == CORM_ACKING || delivery->acking) || !take_over(id, &change->held[change->n]))
				continue;
			seqs[change->n] = seqs[i];
			change->held[change->n++].id = id;
		}
	}
	corm_topic_unlock(change->slot);
	return change->n;
}

static int
by_number(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* store_acked inserts the numbers that the transaction settles in a group of a durable topic. */
static void
store_acked(const ChangeEffect *change, int64 *seqs)
{
	if (!change->durable || change->group_id == 0 || change->n == 0)
		return;
	qsort(seqs, change->n, sizeof(int64), by_number);
	corm_durable_settle(change->group_id, change->epoch, seqs, change->n);
}

/*
 * numbers_arg returns the numbers of messages that ack or touch is called with: none where
 * the argument is left out.  Raises 22004 for NULL.
 */
static int64 *
numbers_arg(FunctionCallInfo fcinfo, int *n)
{
	Datum	   *elems;
	bool	   *nulls;
	int64	   *seqs;

	*n = 0;
	if (PG_NARGS() < 3)
		return NULL;
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("numbers of messages must not be null")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elems, &nulls, n);
	seqs = palloc(Max(*n, 1) * sizeof(int64));
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("numbers of messages must not be null")));
		seqs[i] = DatumGetInt64(elems[i]);
	}
	return seqs;
}

/* change_many does the work of ack and touch, whose arguments it takes. */
static Datum
change_many(FunctionCallInfo fcinfo, ChangeKind kind)
{
	int			n;
	int64	   *seqs = numbers_arg(fcinfo, &n);
	ChangeEffect *change = add_effect(fcinfo, kind, n);

	n = hold(change, seqs, n);
	CORM_FAULT("ack-held");
	if (kind == CHANGE_ACK)
		store_acked(change, seqs);
	PG_RETURN_INT32(n);
}

/* ack(topic, grp [, variadic seqs]) -> int */
Datum
corm_message_ack(PG_FUNCTION_ARGS)
{
	return change_many(fcinfo, CHANGE_ACK);
}

/* touch(topic, grp [, variadic seqs]) -> int */
Datum
corm_message_touch(PG_FUNCTION_ARGS)
{
	return change_many(fcinfo, CHANGE_TOUCH);
}

/* nack(topic, grp, seq, delay) -> boolean */
Datum
corm_message_nack(PG_FUNCTION_ARGS)
{
	int64		delay = PG_ARGISNULL(3) ? -1 : corm_span_us(PG_GETARG_INTERVAL_P(3), "delay");
	int64		seq;
	ChangeEffect *change;

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("number of a message must not be null")));
	seq = PG_GETARG_INT64(2);
	change = add_effect(fcinfo, CHANGE_NACK, 1);
	change->delay = delay;
	PG_RETURN_BOOL(hold(change, &seq, 1) == 1);
}

/*
 * lock_cursor takes the lock of a group's cursor, to the end of the transaction, and reads it.  A seek that has committed
 * moves the group in shared memory a moment after its locks are released, so this waits for it; not for long, as a row
 * that was restored while the topic is in use is ahead, too.  Returns false if the group has been dropped.
 */
static bool
lock_cursor(uint64 id, int slot, uint64 gen, int g, uint64 group_gen, uint64 *epoch, int64 *settled)
{
	bool		mine;
	bool		moved = false;
	int64		until;

	(void) corm_durable_cursor_lock(id, true);
	if (!corm_durable_cursor_get(id, epoch, settled, &mine))
		return false;
	until = corm_clock_machine() + USECS_PER_SEC;
	while (!mine && !moved && corm_clock_machine() < until)
	{
		CormGroup  *group;

		if (!corm_topic_lock(slot, gen))
			return false;
		group = corm_group_at(slot, g, group_gen);
		moved = group == NULL || group->epoch >= *epoch;
		corm_topic_unlock(slot);
		if (!moved)
		{
			CHECK_FOR_INTERRUPTS();
			pg_usleep(100L);
		}
	}
	return true;
}

/*
 * seek sets the number to which a group goes.  In a durable topic, this begins a new
 * epoch of its settlements.
 */
static void
seek(ChangeEffect *change, int64 seq)
{
	int64		settled = 0;

	if (change->durable && change->group_id != 0 &&
		!lock_cursor(change->group_id, change->slot, change->gen, change->group, change->group_gen, &change->epoch, &settled))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("group \"%s\" of topic \"%s\" has been dropped", change->group_name, change->topic_name)));
	if (change->durable)
		seq = Max(seq, Max(corm_durable_purged(change->topic_id) + 1, corm_durable_first_seq(change->topic_id, PG_INT64_MAX)));

	/* the end is that of now, as messages of this transaction have no numbers yet */
	change->to = seq;
	if (!corm_topic_lock(change->slot, change->gen))
		return;
	change->to = Max(Min(seq, corm_topic_at(change->slot)->last_seq + 1), corm_topic_at(change->slot)->first_seq);
	corm_topic_unlock(change->slot);
	if (change->durable)
	{
		change->marks = MemoryContextAlloc(TopTransactionContext, sizeof(CormByteMarks));
		corm_durable_know_bytes(change->slot, change->gen, change->topic_id, change->to, change->marks);
	}
	if (!change->durable || change->group_id == 0)
		return;
	change->epoch++;
	corm_durable_cursor_set(change->topic_id, change->group_id, change->epoch, change->to - 1);
}

/* seek_time makes the group of a call go to a time. */
static void
seek_time(FunctionCallInfo fcinfo, TimestampTz time)
{
	ChangeEffect *change = add_effect(fcinfo, CHANGE_SEEK_TIME, 0);

	change->to = time;
	if (change->durable)
	{
		change->kind = CHANGE_SEEK;
		seek(change, corm_durable_seq_at_time(change->topic_id, change->to));
	}
}

/* seek(topic, grp, to_seq bigint) -> void */
Datum
corm_message_seek(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("number of a message must not be null")));
	seek(add_effect(fcinfo, CHANGE_SEEK, 0), PG_GETARG_INT64(2));
	PG_RETURN_VOID();
}

/* seek(topic, grp, to_time timestamptz) -> void */
Datum
corm_message_seek_time(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("time must not be null")));
	seek_time(fcinfo, PG_GETARG_TIMESTAMPTZ(2));
	PG_RETURN_VOID();
}

/* seek(topic, grp, start text) -> void: what corm.subscribe() takes, or a parameter that has no type */
Datum
corm_message_seek_text(PG_FUNCTION_ARGS)
{
	CormStart	start;

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("start must not be null")));
	start = corm_start_parse(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (start.is_time)
		seek_time(fcinfo, start.time);
	else
		seek(add_effect(fcinfo, CHANGE_SEEK, 0), start.seq);
	PG_RETURN_VOID();
}

/*
 * count_to_purge counts the messages of a topic that nobody has in hand.  Needs the
 * topic's lock.
 */
static int64
count_to_purge(CormTopic *topic, CormBlockChain *freed)
{
	int64		now = corm_clock_mono();
	int64		n = 0;

	corm_groups_promote(topic, now, freed);
	if (topic->settings.durable)
	{
		for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
			n = Max(n, corm_group_slots[g].unsettled - corm_group_slots[g].in_hand);
		return n;
	}
	for (CormBlockId id = topic->first; id != 0; id = corm_entry(id)->next)
		n++;
	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
		for (int b = 0; b < CORM_DELIVERY_BUCKETS; b++)
			for (CormBlockId id = corm_group_slots[g].bucket[b]; id != 0; id = corm_delivery(id)->hash_next)
			{
				CormDelivery *delivery = corm_delivery(id);
				bool		counted = false;

				if (!corm_group_in_hand(delivery))
					continue;
				/* by the first group that has it */
				for (int other = topic->first_group; other != g; other = corm_group_slots[other].next)
				{
					CormBlockId ignore;
					CormDelivery *its = corm_delivery_find(&corm_group_slots[other], delivery->seq, &ignore);

					counted |= its != NULL && corm_group_in_hand(its);
				}
				n -= !counted;
			}
	return n;
}

/* list_groups returns the groups of a topic whose settlements are stored, in the order in which they are locked. */
static PurgedGroup *
list_groups(const CormTopicRef *topic, int *n)
{
	PurgedGroup *groups = MemoryContextAllocZero(TopTransactionContext, corm_max_groups * sizeof(PurgedGroup));

	*n = 0;
	if (!corm_topic_lock(topic->slot, topic->gen))
		corm_topic_gone(NameStr(topic->name));
	for (int g = corm_topic_at(topic->slot)->first_group; g >= 0; g = corm_group_slots[g].next)
		if (!corm_group_slots[g].temporary)
		{
			groups[*n].group = g;
			groups[*n].group_gen = corm_group_slots[g].gen;
			groups[(*n)++].id = corm_group_slots[g].id;
		}
	corm_topic_unlock(topic->slot);
	qsort(groups, *n, sizeof(PurgedGroup), by_id);
	return groups;
}

/* in_hand returns the numbers of a group that somebody has in hand, up to one, in ascending order; palloc'd. */
static int64 *
in_hand(const CormTopicRef *topic, const PurgedGroup *purged, int64 upto, int *n)
{
	int64	   *seqs = NULL;
	int			size = 64;

	for (;;)
	{
		CormGroup  *group;
		int			needed = 0;

		*n = 0;
		seqs = seqs == NULL ? palloc(size * sizeof(int64)) : repalloc_huge(seqs, size * sizeof(int64));
		if (!corm_topic_lock(topic->slot, topic->gen))
			break;
		group = corm_group_at(topic->slot, purged->group, purged->group_gen);
		needed = group != NULL ? group->in_hand : 0;
		for (int b = 0; needed <= size && group != NULL && b < CORM_DELIVERY_BUCKETS; b++)
			for (CormBlockId id = group->bucket[b]; id != 0; id = corm_delivery(id)->hash_next)
				if (*n < size && corm_group_in_hand(corm_delivery(id)) && corm_delivery(id)->seq <= upto)
					seqs[(*n)++] = corm_delivery(id)->seq;
		corm_topic_unlock(topic->slot);
		if (needed <= size)
			break;
		size = needed + 64;
	}
	qsort(seqs, *n, sizeof(int64), by_number);
	return seqs;
}

/*
 * purge_rows settles in the tables what the groups of a durable topic have not settled, but for what somebody
 * has in hand: that is settled by who has it, or comes again.
 */
static void
purge_rows(ChangeEffect *change, const CormTopicRef *topic)
{
	uint64		epoch;
	int64		settled;

	change->purged = list_groups(topic, &change->npurged);
	(void) corm_durable_cursor_lock(topic->id, true);
	for (int i = 0; i < change->npurged; i++)
	{
		PurgedGroup *group = &change->purged[i];
		int64	   *seqs;
		int			n;

		if (!lock_cursor(group->id, topic->slot, topic->gen, group->group, group->group_gen, &group->epoch, &settled))
			continue;
		seqs = in_hand(topic, group, change->to, &n);
		corm_durable_settle_but(group->id, group->epoch, settled + 1, change->to, seqs, n);
		pfree(seqs);
	}
	if (!corm_durable_cursor_get(topic->id, &epoch, &settled, NULL) || settled < change->to)
		corm_durable_cursor_set(topic->id, topic->id, 0, change->to);
	CommandCounterIncrement();
}

/* purge(topic) -> bigint */
Datum
corm_message_purge(PG_FUNCTION_ARGS)
{
	CormTopicRef *topic = corm_topic_ref(corm_name_arg(fcinfo, 0, "topic name"));
	ChangeEffect *change;
	CormBlockChain freed = {0};
	int64		n;

	if (!corm_topic_owned(topic))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of topic \"%s\"", NameStr(topic->name))));
	corm_topic_check_restricted();
	corm_topic_attach(topic);
	change = MemoryContextAllocZero(TopTransactionContext, sizeof(ChangeEffect));
	change->kind = CHANGE_PURGE;
	change->slot = topic->slot;
	change->gen = topic->gen;
	if (topic->settings.durable)
		PreventCommandIfReadOnly("corm.purge()");
	corm_effect_add(&change->effect, &change_ops);
	if (!corm_topic_lock(topic->slot, topic->gen))
		corm_topic_gone(NameStr(topic->name));
	change->to = corm_topic_at(topic->slot)->last_seq;
	corm_topic_unlock(topic->slot);
	if (topic->settings.durable)
		purge_rows(change, topic);
	if (!corm_topic_lock(topic->slot, topic->gen))
		corm_topic_gone(NameStr(topic->name));
	n = count_to_purge(corm_topic_at(topic->slot), &freed);
	corm_topic_unlock(topic->slot);
	corm_work_give(&freed);
	PG_RETURN_INT64(n);
}
