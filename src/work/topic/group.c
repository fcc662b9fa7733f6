/*-------------------------------------------------------------------------
 *
 * group.c
 *		What a group does with messages: hands them out, takes them back, settles.
 *
 * Everything here is called with the exclusive lock of the topic and raises
 * nothing, as log.c.
 *
 * Which message is handed out next: the ready one with the smallest number, or the
 * one at the cursor if its number is smaller.  So messages that were given back come
 * again in their place.  All deliveries are before the cursor, except after a seek
 * backward: then, up to rescan_until, the cursor passes by what has a delivery.
 *
 * A delivery is found by its number through the buckets of its group.  What the
 * lists hold can be told from its state:
 *
 *		READY		ready, by number
 *		DELAYED		delayed, by time: a message that is not due yet, or one that
 *					was given back and is to rest
 *		LEASED		leased, by time
 *		PARKED, IN_HAND, ACKING		none
 *
 * In an ordered group, messages of one key are handed out one at a time and in
 * their order.  A delivery of a message with a key stands in the bucket of the key,
 * by number, from its turn on until it is settled; it is PARKED while there is one
 * before it, or another one is in hand.  A message that was published with a delay
 * has its turn when it is due.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/proc.h"
#include "work/topic/log.h"

static CormBlockId *
bucket_of(CormGroup *group, int64 seq)
{
	return &group->bucket[(uint64) seq % CORM_DELIVERY_BUCKETS];
}

static CormKeyBucket *
key_bucket_of(CormGroup *group, uint64 key_hash)
{
	return &group->key_bucket[key_hash % CORM_KEY_BUCKETS];
}

/* count_in_hand counts that a delivery comes into a hand (1), or leaves one (-1). */
static void
count_in_hand(CormGroup *group, const CormDelivery *delivery, int by)
{
	group->in_hand += by;
	if (by < 0)
		group->lowest_free = Min(group->lowest_free, delivery->seq);
	if (delivery->keyed)
		key_bucket_of(group, delivery->key_hash)->in_hand += by;
}

/* list_remove takes a delivery out of a list. */
static void
list_remove(CormDeliveryList *list, CormBlockId id)
{
	CormDelivery *delivery = corm_delivery(id);

	if (list->latest == id)
		list->latest = delivery->prev;
	if (delivery->prev != 0)
		corm_delivery(delivery->prev)->next = delivery->next;
	else
		list->first = delivery->next;
	if (delivery->next != 0)
		corm_delivery(delivery->next)->prev = delivery->prev;
	else
		list->last = delivery->prev;
	delivery->prev = delivery->next = 0;
	list->n--;
}

/* list_insert_before puts a delivery into a list before another, at the end if that is 0. */
static void
list_insert_before(CormDeliveryList *list, CormBlockId id, CormBlockId before)
{
	CormDelivery *delivery = corm_delivery(id);

	delivery->next = before;
	delivery->prev = before != 0 ? corm_delivery(before)->prev : list->last;
	if (delivery->prev != 0)
		corm_delivery(delivery->prev)->next = id;
	else
		list->first = id;
	if (before != 0)
		corm_delivery(before)->prev = id;
	else
		list->last = id;
	list->latest = id;
	list->n++;
}

/* insert_by_seq puts a delivery into a list that is ordered by number; usually at its end, or after the latest one. */
static void
insert_by_seq(CormDeliveryList *list, CormBlockId id)
{
	int64		seq = corm_delivery(id)->seq;
	CormBlockId before = list->first;

	if (list->last != 0 && corm_delivery(list->last)->seq < seq)
		before = 0;
	else if (list->latest != 0 && corm_delivery(list->latest)->seq < seq)
		before = corm_delivery(list->latest)->next;
	while (before != 0 && corm_delivery(before)->seq < seq)
		before = corm_delivery(before)->next;
	list_insert_before(list, id, before);
}

/* insert_by_due puts a delivery into a list that is ordered by time; usually at the end. */
static void
insert_by_due(CormDeliveryList *list, CormBlockId id)
{
	int64		due = corm_delivery(id)->due;
	CormBlockId after = list->last;

	while (after != 0 && corm_delivery(after)->due > due)
		after = corm_delivery(after)->prev;
	list_insert_before(list, id, after == 0 ? list->first : corm_delivery(after)->next);
}

/* corm_group_capacity returns how many unsettled messages a group may have. */
int32
corm_group_capacity(const CormTopic *topic, const CormGroup *group)
{
	return group->settings.capacity > 0 ? group->settings.capacity : topic->settings.capacity;
}

/* corm_delivery_find returns the delivery of a message, NULL if there is none. */
CormDelivery *
corm_delivery_find(CormGroup *group, int64 seq, CormBlockId *id)
{
	for (*id = *bucket_of(group, seq); *id != 0; *id = corm_delivery(*id)->hash_next)
		if (corm_delivery(*id)->seq == seq)
			return corm_delivery(*id);
	return NULL;
}

/* make_ready puts a delivery that is in no list among those that can be handed out. */
static void
make_ready(CormGroup *group, CormBlockId id)
{
	corm_delivery(id)->state = CORM_READY;
	insert_by_seq(&group->ready, id);
}

/* corm_group_in_hand tells whether somebody has a message, so that it must be left alone. */
bool
corm_group_in_hand(const CormDelivery *delivery)
{
	return delivery->state == CORM_IN_HAND || delivery->state == CORM_LEASED || delivery->state == CORM_ACKING;
}

/* has_turn tells whether no other delivery of its key keeps a delivery from being handed out. */
static bool
has_turn(CormGroup *group, CormBlockId id)
{
	CormDelivery *delivery = corm_delivery(id);
	CormKeyBucket *bucket = key_bucket_of(group, delivery->key_hash);
	int32		in_hand = bucket->in_hand;
	bool		passed = false;

	if (!delivery->keyed)
		return true;
	/* those after it matter if they are in hand */
	for (CormBlockId other = bucket->first; other != 0 && (!passed || in_hand > 0); other = corm_delivery(other)->key_next)
	{
		bool		held = corm_group_in_hand(corm_delivery(other));

		in_hand -= held;
		if (other == id)
			passed = true;
		else if (corm_delivery(other)->key_hash == delivery->key_hash && (!passed || held))
			return false;
	}
	return true;
}

/*
 * enter_key gives a delivery of an ordered group, which is in nobody's hand, its place
 * among those of its key.  Returns false if it has to wait for another one; the caller
 * parks it.
 */
static bool
enter_key(CormGroup *group, CormBlockId id, uint64 key_hash)
{
	CormDelivery *delivery = corm_delivery(id);
	CormKeyBucket *bucket = key_bucket_of(group, key_hash);
	CormBlockId *link;

	if (!group->settings.ordered || key_hash == 0)
		return true;
	if (!delivery->keyed)
	{
		delivery->key_hash = key_hash;
		delivery->keyed = true;
		if (bucket->last != 0 && corm_delivery(bucket->last)->seq < delivery->seq)
			link = &corm_delivery(bucket->last)->key_next;
		else
			link = &bucket->first;
		while (*link != 0 && corm_delivery(*link)->seq < delivery->seq)
			link = &corm_delivery(*link)->key_next;
		delivery->key_next = *link;
		*link = id;
		if (delivery->key_next == 0)
			bucket->last = id;
	}
	return has_turn(group, id);
}

/* wake_key makes the first delivery of a key ready, if it is parked. */
static void
wake_key(CormGroup *group, uint64 key_hash)
{
	for (CormBlockId id = key_bucket_of(group, key_hash)->first; id != 0; id = corm_delivery(id)->key_next)
	{
		if (corm_delivery(id)->key_hash != key_hash)
			continue;
		if (corm_delivery(id)->state == CORM_PARKED)
		{
			make_ready(group, id);
			ConditionVariableSignal(&group->arrivals);
		}
		break;
	}
}

/* leave_key ends the turn of a delivery, which is in nobody's hand. */
static void
leave_key(CormGroup *group, CormBlockId id)
{
	CormDelivery *delivery = corm_delivery(id);
	CormKeyBucket *bucket = key_bucket_of(group, delivery->key_hash);
	CormBlockId prev = 0;

	if (!delivery->keyed)
		return;
	for (CormBlockId other = bucket->first; other != id; other = corm_delivery(other)->key_next)
		prev = other;
	if (prev != 0)
		corm_delivery(prev)->key_next = delivery->key_next;
	else
		bucket->first = delivery->key_next;
	if (bucket->last == id)
		bucket->last = prev;
	delivery->keyed = false;
	wake_key(group, delivery->key_hash);
}

/* leave_list takes a delivery out of the list of its state. */
static void
leave_list(CormGroup *group, CormBlockId id)
{
	CormDelivery *delivery = corm_delivery(id);

	switch ((CormDeliveryState) delivery->state)
	{
		case CORM_READY:
			list_remove(&group->ready, id);
			break;
		case CORM_DELAYED:
			list_remove(&group->delayed, id);
			break;
		case CORM_LEASED:
			list_remove(&group->leased, id);
			count_in_hand(group, delivery, -1);
			break;
		case CORM_IN_HAND:
		case CORM_ACKING:
			count_in_hand(group, delivery, -1);
			break;
		case CORM_PARKED:
			break;
	}
}

/* forget frees a delivery that is in no list. */
static void
forget(CormGroup *group, CormBlockId id, CormBlockChain *freed)
{
	CormDelivery *delivery = corm_delivery(id);

	leave_key(group, id);
	if (delivery->hash_prev != 0)
		corm_delivery(delivery->hash_prev)->hash_next = delivery->hash_next;
	else
		*bucket_of(group, delivery->seq) = delivery->hash_next;
	if (delivery->hash_next != 0)
		corm_delivery(delivery->hash_next)->hash_prev = delivery->hash_prev;
	delivery->group_gen = 0;
	if (--group->deliveries == 0)
		group->lowest = group->lowest_free = PG_INT64_MAX;
	corm_blocks_unlinked(&corm_work_blocks, 1);
	corm_blocks_append(&corm_work_blocks, freed, id, id, 1);
}

/* corm_group_settle ends a delivery: its group is done with the message. */
void
corm_group_settle(CormTopic *topic, CormGroup *group, CormBlockId id, int64 now, CormBlockChain *freed)
{
	CormBlockId entry = corm_delivery(id)->entry;

	leave_list(group, id);
	forget(group, id, freed);
	group->unsettled--;
	if (entry != 0)
		corm_log_release(topic, entry, now, freed);
}

/* start_again makes a message that is in hand come again as if it had never been handed out. */
static void
start_again(CormGroup *group, CormBlockId id)
{
	CormDelivery *delivery = corm_delivery(id);

	leave_list(group, id);
	delivery->again = delivery->exhausted = delivery->filtered = delivery->lose = false;
	delivery->attempt = 0;
	make_ready(group, id);
	if (delivery->keyed)
		wake_key(group, delivery->key_hash);
	ConditionVariableSignal(&group->arrivals);
}

/* corm_group_undeliver undoes that handing a message out was counted: the group's filter has not accepted it. */
void
corm_group_undeliver(CormGroup *group, CormBlockId id)
{
	corm_delivery(id)->filtered = false;
	if (corm_delivery(id)->attempt-- > 1)
		group->redelivered--;
}

/*
 * corm_group_acquit is called before a message that a handler has got together with others is
 * given back: nobody knows that it is this one's fault, so this was no delivery, and it comes
 * alone the next time.
 */
void
corm_group_acquit(CormGroup *group, CormBlockId id)
{
	CormDelivery *delivery = corm_delivery(id);

	if (delivery->exhausted)
		return;
	delivery->filtered = true;
	group->single_until = Max(group->single_until, delivery->seq);
}

/*
 * corm_group_done ends that somebody has a message in hand: its group is done with it,
 * unless a seek meanwhile wants it to come again.
 */
void
corm_group_done(CormTopic *topic, CormGroup *group, CormBlockId id, int64 now, CormBlockChain *freed)
{
	CormDelivery *delivery = corm_delivery(id);

	if (delivery->again)
		start_again(group, id);
	else
		corm_group_settle(topic, group, id, now, freed);
}

/*
 * corm_group_give_back ends that somebody has a message in hand: it comes again,
 * after the group's delay or the one given (-1: none given), or is marked as
 * exhausted for the next receiver, who makes it a dead letter.
 */
void
corm_group_give_back(CormTopic *topic, CormGroup *group, CormBlockId id, int64 now, int64 delay,
					 CormBlockChain *freed)
{
	CormDelivery *delivery = corm_delivery(id);

	if (delivery->skip)
	{
		corm_group_settle(topic, group, id, now, freed);
		return;
	}
	if (delivery->again)
	{
		start_again(group, id);
		return;
	}
	leave_list(group, id);
	if (delivery->filtered)
	{
		corm_group_undeliver(group, id);
		delay = 0;
	}
	else if (group->settings.max_attempts > 0 && delivery->attempt >= group->settings.max_attempts)
	{
		delivery->exhausted = true;
		delay = 0;
		/* that a message is lost is a row where it is one: the next receiver's */
		if (!group->settings.dead_letter && !topic->settings.durable)
		{
			group->lost++;
			delivery->state = CORM_PARKED;
			corm_group_settle(topic, group, id, now, freed);
			return;
		}
	}
	else if (delay < 0)
		delay = group->settings.retry_delay;

	if (delay > 0)
	{
		delivery->state = CORM_DELAYED;
		delivery->due = now + delay;
		insert_by_due(&group->delayed, id);
	}
	else
		make_ready(group, id);
	if (delivery->keyed)
		wake_key(group, delivery->key_hash);
	ConditionVariableSignal(&group->arrivals);
}

/* corm_group_lease makes a message that is in hand a client's, until a time. */
void
corm_group_lease(CormGroup *group, CormBlockId id, int64 until)
{
	CormDelivery *delivery = corm_delivery(id);

	leave_list(group, id);
	count_in_hand(group, delivery, 1);
	delivery->state = CORM_LEASED;
	delivery->due = until;
	insert_by_due(&group->leased, id);
	/* those who wait must know until when */
	ConditionVariableSignal(&group->arrivals);
}

/* corm_group_hold lets no lease run out on a message that a transaction settles or gives back. */
void
corm_group_hold(CormGroup *group, CormBlockId id)
{
	leave_list(group, id);
	count_in_hand(group, corm_delivery(id), 1);
	corm_delivery(id)->state = CORM_ACKING;
}

/*
 * corm_group_consider takes a message of a durable topic, whose row has been read, out
 * of the hand of the take that got it, until corm_group_admit.  Done for all messages of
 * a take first: until it is admitted, none of them keeps another one of its key waiting.
 */
void
corm_group_consider(CormGroup *group, CormBlockId id)
{
	leave_list(group, id);
	corm_delivery(id)->state = CORM_PARKED;
}

/*
 * corm_group_admit tells whether a message that is considered may be handed out, and
 * puts it back into the hand then.  If it is not due before a time (0: it is due), or
 * not its turn among those of its key (key_hash 0: that does not matter), it is put
 * aside as if it had not been taken.
 */
bool
corm_group_admit(CormGroup *group, CormBlockId id, uint64 key_hash, int64 due)
{
	CormDelivery *delivery = corm_delivery(id);

	if (due == 0 && enter_key(group, id, key_hash))
	{
		delivery->state = CORM_IN_HAND;
		count_in_hand(group, delivery, 1);
		return true;
	}
	if (!delivery->exhausted && delivery->attempt-- > 1)
		group->redelivered--;
	if (due > 0)
	{
		delivery->state = CORM_DELAYED;
		delivery->due = due;
		insert_by_due(&group->delayed, id);
	}
	return false;
}

/* corm_group_next_due returns when a message will become ready without anybody's doing, or PG_INT64_MAX. */
int64
corm_group_next_due(CormGroup *group)
{
	int64		due = PG_INT64_MAX;

	if (group->delayed.first != 0)
		due = corm_delivery(group->delayed.first)->due;
	if (group->leased.first != 0)
		due = Min(due, corm_delivery(group->leased.first)->due);
	return due;
}

/*
 * corm_group_promote makes ready what has become due, and gives back what leases have
 * run out on, as if that had been done when they did.
 */
void
corm_group_promote(CormTopic *topic, CormGroup *group, int64 now, CormBlockChain *freed)
{
	while (group->leased.first != 0 && corm_delivery(group->leased.first)->due <= now)
		corm_group_give_back(topic, group, group->leased.first, corm_delivery(group->leased.first)->due, -1, freed);
	while (group->delayed.first != 0 && corm_delivery(group->delayed.first)->due <= now)
	{
		CormBlockId id = group->delayed.first;
		CormDelivery *delivery = corm_delivery(id);

		list_remove(&group->delayed, id);
		if (delivery->entry != 0)
			(void) enter_key(group, id, corm_entry(delivery->entry)->key_hash);
		make_ready(group, id);
	}
}

/* corm_groups_promote does that for all groups of a topic. */
void
corm_groups_promote(CormTopic *topic, int64 now, CormBlockChain *freed)
{
	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
		corm_group_promote(topic, &corm_group_slots[g], now, freed);
}

/* cursor_seq returns the number at the cursor of a group, PG_INT64_MAX if nothing is there. */
static int64
cursor_seq(const CormTopic *topic, const CormGroup *group)
{
	if (topic->settings.durable)
		return group->next_seq <= topic->last_seq ? group->next_seq : PG_INT64_MAX;
	return group->next_entry != 0 ? corm_entry(group->next_entry)->seq : PG_INT64_MAX;
}

/* corm_group_has_work tells whether a group may have something to hand out. */
bool
corm_group_has_work(CormTopic *topic, CormGroup *group, int64 now)
{
	return group->ready.first != 0 || cursor_seq(topic, group) != PG_INT64_MAX || corm_group_next_due(group) <= now;
}

/* move_cursor moves the cursor, which is at a message, to the next one. */
static void
move_cursor(const CormTopic *topic, CormGroup *group)
{
	group->next_seq = cursor_seq(topic, group) + 1;
	if (group->next_entry != 0)
		group->next_entry = corm_entry(group->next_entry)->next;
}

/*
 * pass_known moves the cursor past messages that have deliveries, which there are after
 * a seek backward only.  Returns the number at the cursor, as cursor_seq.
 */
static int64
pass_known(const CormTopic *topic, CormGroup *group)
{
	CormBlockId ignore;
	int64		seq;

	while ((seq = cursor_seq(topic, group)) < group->rescan_until &&
		   corm_delivery_find(group, seq, &ignore) != NULL)
		move_cursor(topic, group);
	return seq;
}

/* new_delivery makes a delivery, in no list, of the first of some blocks. */
static CormBlockId
new_delivery(CormGroup *group, int64 seq, CormBlockChain *blocks)
{
	CormBlockChain one = {0};
	CormDelivery *delivery;

	corm_blocks_split(&corm_work_blocks, blocks, 1, &one);
	corm_blocks_linked(&corm_work_blocks, 1);
	delivery = corm_delivery(one.first);
	memset(delivery, 0, sizeof(CormDelivery));
	delivery->seq = seq;
	delivery->group_gen = group->gen;
	delivery->state = CORM_PARKED;
	delivery->hash_next = *bucket_of(group, seq);
	if (delivery->hash_next != 0)
		corm_delivery(delivery->hash_next)->hash_prev = one.first;
	*bucket_of(group, seq) = one.first;
	group->deliveries++;
	group->lowest = Min(group->lowest, seq);
	group->lowest_free = Min(group->lowest_free, seq);
	return one.first;
}

/* corm_group_add_ready makes a message of a durable topic that is before the cursor ready, in the first of some blocks. */
void
corm_group_add_ready(CormGroup *group, int64 seq, CormBlockChain *blocks)
{
	make_ready(group, new_delivery(group, seq, blocks));
	group->unsettled++;
}

/*
 * at_cursor makes a delivery of the message at the cursor, moves the cursor, and
 * returns the delivery, in no list; 0 if no block is at hand, or nothing is there.
 */
static CormBlockId
at_cursor(CormTopic *topic, CormGroup *group, CormTake *take)
{
	CormBlockId entry = group->next_entry;
	CormBlockId id;
	int64		seq = cursor_seq(topic, group);

	if (seq == PG_INT64_MAX)
		return 0;
	if (take->spare.count == 0)
	{
		take->want_blocks = true;
		return 0;
	}

	id = new_delivery(group, seq, &take->spare);
	corm_delivery(id)->entry = entry;
	move_cursor(topic, group);
	return id;
}

/* look_at adds the number of a durable topic's message to a take. */
static CormTaken *
look_at(CormTake *take, int64 seq, int32 attempt)
{
	CormTaken  *taken = (CormTaken *) (take->buf + take->used);

	memset(taken, 0, sizeof(CormTaken));
	taken->seq = seq;
	taken->attempt = attempt;
	take->used += MAXALIGN(sizeof(CormTaken));
	take->n++;
	return taken;
}

/* delivery_id returns the block of a delivery. */
static CormBlockId
delivery_id(const CormDelivery *delivery)
{
	return (CormBlockId) (((const char *) delivery - corm_work_blocks.base) / CORM_BLOCK_SIZE);
}

/* hand_out puts a delivery that is in no list into the hand of a take. */
static void
hand_out(CormGroup *group, CormBlockId id, CormTake *take)
{
	CormDelivery *delivery = corm_delivery(id);

	delivery->state = CORM_IN_HAND;
	delivery->procno = (int32) corm_my_procno();
	delivery->acking = false;
	delivery->lose = false;
	delivery->filtered = take->filtering && !delivery->exhausted;
	delivery->mine_next = 0;
	if (!delivery->exhausted && ++delivery->attempt > 1)
		group->redelivered++;
	count_in_hand(group, delivery, 1);
	if (take->last != 0)
		corm_delivery(take->last)->mine_next = id;
	else
		take->first = id;
	take->last = id;
	if (delivery->entry != 0)
		corm_log_read(take, corm_entry(delivery->entry), id, delivery->attempt, delivery->exhausted);
	else
	{
		CormTaken  *taken = look_at(take, delivery->seq, delivery->attempt);

		taken->delivery = id;
		taken->exhausted = delivery->exhausted;
	}
}

/* fits tells whether a take has room for a message; if not, it notes how much is needed. */
static bool
fits(CormTake *take, const CormEntry *entry)
{
	Size		len = sizeof(CormTaken);

	if (entry != NULL)
		len += Max(entry->key_len, 0) + Max(entry->headers_len, 0) + entry->payload_len;
	take->needed = MAXALIGN(len);
	return take->used + take->needed <= take->size;
}

/*
 * next_delivery returns the delivery of the message that comes next, in no list; 0 if
 * there is none, or a block is missing.
 */
static CormBlockId
next_delivery(CormTopic *topic, CormGroup *group, CormTake *take)
{
	int64		seq = pass_known(topic, group);
	CormBlockId id = group->ready.first;

	if (id == 0 || corm_delivery(id)->seq > seq)
		return at_cursor(topic, group, take);
	list_remove(&group->ready, id);
	corm_delivery(id)->state = CORM_PARKED;
	return id;
}

/*
 * corm_group_take hands out up to take->max messages.  It stops earlier when the
 * buffer or the spare blocks do not suffice; then needed or want_blocks says what is
 * missing.
 */
void
corm_group_take(CormTopic *topic, CormGroup *group, CormTake *take, CormBlockChain *freed)
{
	CormBlockId id;

	take->want_blocks = false;
	take->needed = 0;
	corm_group_promote(topic, group, take->now, freed);
	while (take->n < take->max && (id = next_delivery(topic, group, take)) != 0)
	{
		CormDelivery *delivery = corm_delivery(id);
		CormEntry  *entry = delivery->entry != 0 ? corm_entry(delivery->entry) : NULL;

		if (entry != NULL && delivery->attempt == 0 && entry->due > take->now)
		{
			delivery->state = CORM_DELAYED;
			delivery->due = entry->due;
			insert_by_due(&group->delayed, id);
		}
		else if (!(entry != NULL ? enter_key(group, id, entry->key_hash) : has_turn(group, id)))
			delivery->state = CORM_PARKED;
		else if (!fits(take, entry))
		{
			make_ready(group, id);
			return;
		}
		else
			hand_out(group, id, take);
	}
	take->needed = 0;
}

/* corm_group_next_is_single tells whether the next message must not share a batch with others. */
bool
corm_group_next_is_single(CormTopic *topic, CormGroup *group, int64 now, CormBlockChain *freed)
{
	corm_group_promote(topic, group, now, freed);
	return Min(pass_known(topic, group),
			   group->ready.first != 0 ? corm_delivery(group->ready.first)->seq : PG_INT64_MAX) <= group->single_until;
}

/*
 * corm_group_look copies what would be handed out next, without handing it out.  Of a
 * durable topic it gives the numbers only.
 */
void
corm_group_look(CormTopic *topic, CormGroup *group, CormTake *take, CormBlockChain *freed)
{
	CormBlockId ready;
	CormBlockId entry = group->next_entry;
	int64		seq = cursor_seq(topic, group);

	take->needed = 0;
	corm_group_promote(topic, group, take->now, freed);
	ready = group->ready.first;
	while (take->n < take->max && (ready != 0 || seq != PG_INT64_MAX))
	{
		CormBlockId ignore;
		CormDelivery *delivery = NULL;
		const CormEntry *from;

		if (ready != 0 && corm_delivery(ready)->seq < seq)
		{
			delivery = corm_delivery(ready);
			from = delivery->entry != 0 ? corm_entry(delivery->entry) : NULL;
			ready = delivery->next;
			if (delivery->exhausted || !has_turn(group, delivery_id(delivery)))
				continue;
		}
		else
		{
			int64		at = seq;

			from = entry != 0 ? corm_entry(entry) : NULL;
			if (entry != 0)
			{
				entry = from->next;
				seq = entry != 0 ? corm_entry(entry)->seq : PG_INT64_MAX;
			}
			else
				seq = seq < topic->last_seq ? seq + 1 : PG_INT64_MAX;
			if (at < group->rescan_until && corm_delivery_find(group, at, &ignore) != NULL)
				continue;
			if (from != NULL && from->due > take->now)
				continue;
			if (from == NULL)
			{
				if (!fits(take, NULL))
					return;
				look_at(take, at, 1);
				continue;
			}
		}
		if (!fits(take, from))
			return;
		if (from != NULL)
			corm_log_read(take, from, 0, delivery != NULL ? delivery->attempt + 1 : 1, false);
		else
			look_at(take, delivery->seq, delivery->attempt + 1);
	}
	take->needed = 0;
}

/* corm_group_settle_at_cursor settles the message at the cursor, which has no delivery, and moves on. */
void
corm_group_settle_at_cursor(CormTopic *topic, CormGroup *group, int64 now, CormBlockChain *freed)
{
	CormBlockId entry = group->next_entry;

	move_cursor(topic, group);
	group->unsettled--;
	if (entry != 0)
		corm_log_release(topic, entry, now, freed);
}

/*
 * corm_group_skip_waiting settles what waits before a number.  What is in hand is left
 * alone; with skip, it is settled when it is given back.
 */
void
corm_group_skip_waiting(CormTopic *topic, CormGroup *group, int64 before, bool skip, int64 now, CormBlockChain *freed)
{
	/* first the cursor: it passes by what has a delivery */
	while (pass_known(topic, group) < before)
		corm_group_settle_at_cursor(topic, group, now, freed);
	for (int b = 0; b < CORM_DELIVERY_BUCKETS; b++)
	{
		CormBlockId id = group->bucket[b];

		while (id != 0)
		{
			CormBlockId next = corm_delivery(id)->hash_next;
			CormDelivery *delivery = corm_delivery(id);

			if (delivery->seq < before)
			{
				delivery->again = false;
				if (!corm_group_in_hand(delivery))
					corm_group_settle(topic, group, id, now, freed);
				else if (skip)
					delivery->skip = true;
			}
			id = next;
		}
	}
}

/*
 * rescan_from places the cursor on a number before it, so that settled messages
 * from there on come again.  What waits or is in hand there has a delivery, and the
 * cursor passes it by; what is in hand comes again even if it is settled.
 */
static void
rescan_from(CormTopic *topic, CormGroup *group, int64 seq)
{
	int64		old = Min(cursor_seq(topic, group), topic->last_seq + 1);
	CormBlockId ignore;

	for (int b = 0; b < CORM_DELIVERY_BUCKETS; b++)
		for (CormBlockId id = group->bucket[b]; id != 0; id = corm_delivery(id)->hash_next)
		{
			CormDelivery *delivery = corm_delivery(id);

			if (delivery->seq < seq)
				continue;
			delivery->skip = false;
			delivery->again = corm_group_in_hand(delivery);
		}
	group->rescan_until = Max(group->rescan_until, old);
	group->next_seq = seq;
	if (topic->settings.durable)
	{
		for (int64 s = seq; s < old; s++)
			if (corm_delivery_find(group, s, &ignore) == NULL)
				group->unsettled++;
		return;
	}
	group->next_entry = corm_log_at(topic, seq);
	for (CormBlockId id = group->next_entry; id != 0 && corm_entry(id)->seq < old; id = corm_entry(id)->next)
	{
		if (corm_delivery_find(group, corm_entry(id)->seq, &ignore) != NULL)
			continue;
		if (corm_entry(id)->refs++ == 0)
			topic->waiting++;
		group->unsettled++;
	}
}

/*
 * corm_group_seek makes a message the next one that a group gets: those before it
 * count as settled, and those from it on that are still there come again.
 */
void
corm_group_seek(CormTopic *topic, CormGroup *group, int64 seq, int64 now, CormBlockChain *freed)
{
	seq = Max(seq, topic->settings.durable ? topic->first_seq : 1);
	seq = Min(seq, topic->last_seq + 1);
	group->single_until = 0;
	/* what a lease has run out on is in nobody's hand, and gone if no other group wants it */
	corm_groups_promote(topic, now, freed);
	corm_group_skip_waiting(topic, group, seq, true, now, freed);
	if (seq < Min(cursor_seq(topic, group), topic->last_seq + 1))
		rescan_from(topic, group, seq);
	ConditionVariableBroadcast(&group->arrivals);
}

/*
 * lowest_delivery finds the delivery with the smallest number that is smaller than `below`: of
 * all, or (free) of those that are in nobody's hand.  Returns 0 if there is none.
 *
 * To look at all of them takes long where there are many, so the group keeps numbers that
 * are not greater than the smallest ones, and it is looked from there on.
 */
static CormBlockId
lowest_delivery(CormGroup *group, bool free, int64 below)
{
	int64	   *from = free ? &group->lowest_free : &group->lowest;
	CormBlockId found = 0;
	CormBlockId id;

	/* mostly it is one of the next numbers */
	for (int i = 0; i < CORM_DELIVERY_BUCKETS && *from < below; i++)
	{
		const CormDelivery *delivery = corm_delivery_find(group, *from, &id);

		if (delivery != NULL && !(free && corm_group_in_hand(delivery)))
			return id;
		(*from)++;
	}
	if (*from >= below)
		return 0;
	*from = below;
	for (int b = 0; b < CORM_DELIVERY_BUCKETS; b++)
		for (id = group->bucket[b]; id != 0; id = corm_delivery(id)->hash_next)
		{
			const CormDelivery *delivery = corm_delivery(id);

			if (delivery->seq < *from && !(free && corm_group_in_hand(delivery)))
			{
				*from = delivery->seq;
				found = id;
			}
		}
	return found;
}

/* lowest_of returns the smaller one of a number and that of a delivery (0: of none). */
static int64
lowest_of(int64 seq, CormBlockId id)
{
	return id != 0 ? Min(seq, corm_delivery(id)->seq) : seq;
}

/*
 * corm_group_oldest returns the smallest number that a group has not settled, the next one
 * if there is none.  Needs the exclusive lock, as everything here.
 */
int64
corm_group_oldest(CormTopic *topic, CormGroup *group)
{
	int64		seq = lowest_of(Min(cursor_seq(topic, group), topic->last_seq + 1), group->ready.first);

	if (group->deliveries > group->ready.n)
		seq = lowest_of(seq, lowest_delivery(group, false, seq));
	return seq;
}

/*
 * corm_group_oldest_free returns the smallest number of a group's messages that no
 * transaction or client holds, or PG_INT64_MAX if there is none.  *id becomes its
 * delivery, or 0 for the message at the cursor.
 */
int64
corm_group_oldest_free(CormTopic *topic, CormGroup *group, CormBlockId *id)
{
	int64		seq = pass_known(topic, group);
	CormBlockId other;

	*id = 0;
	if (group->ready.first != 0 && corm_delivery(group->ready.first)->seq < seq)
	{
		*id = group->ready.first;
		seq = corm_delivery(*id)->seq;
	}
	if (group->deliveries > group->ready.n + group->in_hand && (other = lowest_delivery(group, true, seq)) != 0)
	{
		*id = other;
		seq = corm_delivery(other)->seq;
	}
	return seq;
}
