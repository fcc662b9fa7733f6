/*-------------------------------------------------------------------------
 *
 * shared.c
 *		Topics and their groups in shared memory: slots, given and given up.
 *
 * The header has the structures and the locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/guc.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "work/topic/dedup.h"
#include "work/topic/log.h"
#include "work/topic/shared.h"

CormTopicsShared *corm_topics = NULL;
CormTopicPadded *corm_topic_slots = NULL;
CormGroup  *corm_group_slots = NULL;

static Size
topics_size(void)
{
	Size		size = CACHELINEALIGN(sizeof(CormTopicsShared));

	size = add_size(size, PG_CACHE_LINE_SIZE);
	size = add_size(size, mul_size(corm_max_topics, sizeof(CormTopicPadded)));
	return add_size(size, mul_size(corm_max_groups, sizeof(CormGroup)));
}

static void
topics_attach(void *addr, Size size, bool found)
{
	char	   *at = (char *) CACHELINEALIGN(addr);

	corm_topics = (CormTopicsShared *) at;
	at += CACHELINEALIGN(sizeof(CormTopicsShared));
	corm_topic_slots = (CormTopicPadded *) at;
	at += (Size) corm_max_topics * sizeof(CormTopicPadded);
	corm_group_slots = (CormGroup *) at;
	if (found)
	{
		LWLockRegisterTranche(corm_topics->tranche, "CormTopic");
		return;
	}

	memset(addr, 0, size);
	corm_topics->tranche = LWLockNewTrancheId();
	LWLockRegisterTranche(corm_topics->tranche, "CormTopic");
	LWLockInitialize(&corm_topics->topics_lock, corm_topics->tranche);
	corm_topics->next_gen = 1;
	corm_topics->seed = pg_prng_uint64(&pg_global_prng_state);
	for (int i = 0; i < CORM_TOPIC_LOCKS; i++)
		LWLockInitialize(&corm_topics->topic_lock[i].lock, corm_topics->tranche);
	for (int i = 0; i < corm_max_topics; i++)
		ConditionVariableInit(&corm_topic_at(i)->room);
	for (int i = 0; i < corm_max_groups; i++)
		ConditionVariableInit(&corm_group_slots[i].arrivals);
}

static const CormSharedPart topics_part = {
	.name = "corm topics",
	.size = topics_size,
	.attach = topics_attach,
};

/* corm_topics_shared_init asks for the memory; does nothing unless the library is being preloaded. */
void
corm_topics_shared_init(void)
{
	corm_shared_add(&topics_part);
}

/*
 * corm_topic_lock takes the exclusive lock of a topic.  Returns false, without the
 * lock, if the topic is not there any more.
 */
bool
corm_topic_lock(int slot, uint64 gen)
{
	CormTopic  *topic = corm_topic_at(slot);

	LWLockAcquire(corm_topic_lwlock(slot), LW_EXCLUSIVE);
	if (topic->used && topic->gen == gen)
		return true;
	LWLockRelease(corm_topic_lwlock(slot));
	return false;
}

/* corm_topic_unlock releases the lock of a topic. */
void
corm_topic_unlock(int slot)
{
	LWLockRelease(corm_topic_lwlock(slot));
}

/* corm_group_at returns a group of a topic that is locked, NULL if it is not there any more. */
CormGroup *
corm_group_at(int slot, int group, uint64 group_gen)
{
	CormGroup  *g = &corm_group_slots[group];

	return g->used && g->gen == group_gen && g->topic == slot ? g : NULL;
}

/* find returns the slot of a topic, -1 if it has none.  Needs topics_lock. */
static int
find(Oid db, uint64 id)
{
	for (int i = 0; i < corm_max_topics; i++)
	{
		CormTopic  *topic = corm_topic_at(i);

		if (topic->used && topic->id == id && topic->db == db)
			return i;
	}
	return CORM_TOPIC_NO_SLOT;
}

/* corm_topic_find returns the slot of a topic, and its generation; -1 if it has none. */
int
corm_topic_find(Oid db, uint64 id, uint64 *gen)
{
	int			slot;

	LWLockAcquire(&corm_topics->topics_lock, LW_SHARED);
	slot = find(db, id);
	if (slot >= 0)
		*gen = corm_topic_at(slot)->gen;
	LWLockRelease(&corm_topics->topics_lock);
	return slot;
}

/* free_groups counts the unused slots of groups.  Needs topics_lock. */
static int
free_groups(void)
{
	int			n = 0;

	for (int i = 0; i < corm_max_groups; i++)
		n += !corm_group_slots[i].used;
	return n;
}

/*
 * make_group gives a group a slot; there is a free one.  Needs both locks.
 */
static int
make_group(int slot, const CormGroupSeed *seed, CormBlockChain *blocks)
{
	CormTopic  *topic = corm_topic_at(slot);
	CormGroup  *group;
	int			i = 0;

	while (corm_group_slots[i].used)
		i++;
	group = &corm_group_slots[i];
	group->gen = corm_topics->next_gen++;
	group->used = true;
	group->creating = seed->creating;
	group->temporary = seed->temporary;
	group->topic = slot;
	group->id = seed->id;
	group->name = seed->name;
	group->settings = seed->settings;
	group->next_entry = 0;
	group->next_seq = 0;
	group->rescan_until = 0;
	group->single_until = 0;
	group->handled_until = 0;
	group->unsettled = group->in_hand = group->redelivered = group->lost = 0;
	group->epoch = seed->epoch;
	group->deliveries = 0;
	group->lowest = group->lowest_free = PG_INT64_MAX;
	memset(&group->ready, 0, sizeof(group->ready));
	memset(&group->delayed, 0, sizeof(group->delayed));
	memset(&group->leased, 0, sizeof(group->leased));
	memset(group->bucket, 0, sizeof(group->bucket));
	memset(group->key_bucket, 0, sizeof(group->key_bucket));
	corm_log_start_group(topic, group, seed->next_seq);
	for (int u = 0; u < seed->nunsettled; u++)
		corm_group_add_ready(group, seed->unsettled[u], blocks);
	group->next = topic->first_group;
	topic->first_group = i;
	return i;
}

/*
 * corm_topic_make gives a topic a slot, unless it has one, and its groups theirs.
 * Returns the slot; CORM_TOPIC_NO_SLOT if all are used, CORM_TOPIC_NO_GROUPS if there
 * are too few for the groups.  The caller gives back what is left of seed->blocks.
 * Raises nothing.
 */
int
corm_topic_make(CormTopicSeed *seed, uint64 *gen)
{
	CormTopic  *topic;
	int			slot;

	LWLockAcquire(&corm_topics->topics_lock, LW_EXCLUSIVE);
	slot = find(seed->db, seed->id);
	if (slot < 0)
	{
		for (slot = 0; slot < corm_max_topics && corm_topic_at(slot)->used; slot++)
			 /* look on */ ;
		if (slot == corm_max_topics)
			slot = CORM_TOPIC_NO_SLOT;
		else if (free_groups() < seed->ngroups)
			slot = CORM_TOPIC_NO_GROUPS;
		else
		{
			topic = corm_topic_at(slot);
			LWLockAcquire(corm_topic_lwlock(slot), LW_EXCLUSIVE);
			topic->gen = corm_topics->next_gen++;
			topic->db = seed->db;
			topic->id = seed->id;
			topic->settings = seed->settings;
			topic->first_group = -1;
			topic->last_seq = topic->numbered = seed->last_seq;
			topic->first_seq = seed->first_seq;
			topic->since = seed->last_seq + 1 - seed->first_seq;
			topic->first = topic->last = 0;
			topic->entries = topic->waiting = topic->reserved = topic->reserved_bytes = 0;
			topic->bytes = topic->last_bytes = topic->numbered_bytes = seed->last_bytes;
			topic->marks = seed->marks;
			topic->dedup_first = topic->dedup_last = 0;
			memset(topic->dedup_bucket, 0, sizeof(topic->dedup_bucket));
			topic->used = true;
			for (int i = 0; i < seed->ngroups; i++)
				(void) make_group(slot, &seed->groups[i], &seed->blocks);
			for (int i = 0; i < seed->ndedup; i++)
				(void) corm_dedup_add(topic, seed->dedup[i].hash, seed->dedup[i].until, &seed->blocks);
			LWLockRelease(corm_topic_lwlock(slot));
		}
	}
	if (slot >= 0)
		*gen = corm_topic_at(slot)->gen;
	LWLockRelease(&corm_topics->topics_lock);
	return slot;
}

/*
 * corm_group_make gives a group of a topic a slot.  Returns it, with the number of the
 * first message that the group gets in seed->next_seq; CORM_TOPIC_NO_SLOT if the topic
 * is gone, CORM_TOPIC_NO_GROUPS if all slots are used.  Raises nothing.
 */
int
corm_group_make(int slot, uint64 gen, CormGroupSeed *seed, uint64 *group_gen)
{
	int			group = CORM_TOPIC_NO_SLOT;

	LWLockAcquire(&corm_topics->topics_lock, LW_EXCLUSIVE);
	if (corm_topic_lock(slot, gen))
	{
		if (free_groups() == 0)
			group = CORM_TOPIC_NO_GROUPS;
		else
		{
			group = make_group(slot, seed, NULL);
			corm_log_count_bytes(corm_topic_at(slot));
			*group_gen = corm_group_slots[group].gen;
			seed->next_seq = corm_group_slots[group].next_seq;
		}
		corm_topic_unlock(slot);
	}
	LWLockRelease(&corm_topics->topics_lock);
	return group;
}

/* end_group gives up the slot of a group.  Needs both locks. */
static void
end_group(CormTopic *topic, int group, CormBlockChain *freed)
{
	int		   *link = &topic->first_group;

	while (*link != group)
		link = &corm_group_slots[*link].next;
	*link = corm_group_slots[group].next;
	corm_log_end_group(topic, &corm_group_slots[group], freed);
	corm_group_slots[group].used = false;
	ConditionVariableBroadcast(&corm_group_slots[group].arrivals);
	ConditionVariableBroadcast(&topic->room);
}

/* corm_group_kill gives up the slot of a group, with what it has not settled.  Raises nothing. */
void
corm_group_kill(int slot, uint64 gen, int group, uint64 group_gen)
{
	CormBlockChain freed = {0};

	LWLockAcquire(&corm_topics->topics_lock, LW_EXCLUSIVE);
	if (corm_topic_lock(slot, gen))
	{
		if (corm_group_at(slot, group, group_gen) != NULL)
			end_group(corm_topic_at(slot), group, &freed);
		corm_topic_unlock(slot);
	}
	LWLockRelease(&corm_topics->topics_lock);
	corm_work_give(&freed);
}

/* end_topic gives up the slot of a topic.  Needs topics_lock. */
static void
end_topic(int slot, CormBlockChain *freed)
{
	CormTopic  *topic = corm_topic_at(slot);

	LWLockAcquire(corm_topic_lwlock(slot), LW_EXCLUSIVE);
	while (topic->first_group >= 0)
		end_group(topic, topic->first_group, freed);
	corm_log_free_all(topic, freed);
	topic->used = false;
	ConditionVariableBroadcast(&topic->room);
	LWLockRelease(corm_topic_lwlock(slot));
}

/* corm_topic_kill gives up the slot of a topic, with all its messages.  Raises nothing. */
void
corm_topic_kill(int slot, uint64 gen)
{
	CormBlockChain freed = {0};

	LWLockAcquire(&corm_topics->topics_lock, LW_EXCLUSIVE);
	if (corm_topic_at(slot)->used && corm_topic_at(slot)->gen == gen)
		end_topic(slot, &freed);
	LWLockRelease(&corm_topics->topics_lock);
	corm_work_give(&freed);
}

/* corm_topics_kill_database gives up the slots of all topics of a database.  Raises nothing. */
void
corm_topics_kill_database(Oid db)
{
	CormBlockChain freed = {0};

	LWLockAcquire(&corm_topics->topics_lock, LW_EXCLUSIVE);
	for (int i = 0; i < corm_max_topics; i++)
		if (corm_topic_at(i)->used && corm_topic_at(i)->db == db)
			end_topic(i, &freed);
	LWLockRelease(&corm_topics->topics_lock);
	corm_work_give(&freed);
}
