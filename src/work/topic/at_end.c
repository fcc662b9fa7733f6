/*-------------------------------------------------------------------------
 *
 * at_end.c
 *		What happens to topics and groups in shared memory as a transaction ends.
 *
 * Definitions change in catalog tables and commit or roll back with them.  What
 * follows for shared memory is a late effect: a topic or group that was dropped gives
 * up its slot at commit, one that was made gives it up at abort.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/effects.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "work/topic/at_end.h"

typedef enum EndKind
{
	TOPIC_MADE,
	TOPIC_DROPPED,
	TOPIC_SETTINGS,
	GROUP_MADE,
	GROUP_DROPPED
} EndKind;

typedef struct EndOp
{
	CormEffect	effect;			/* must be first */
	EndKind		kind;
	Oid			db;
	uint64		id;				/* of the topic, or of a temporary group */
	bool		temporary;
	int			slot;
	uint64		gen;
	int			group;
	uint64		group_gen;
	CormTopicSettings settings;
} EndOp;

static void
end_reserve(CormEffect *effect)
{
	/* nothing to reserve */
}

/* kill_topic gives up the slot of a topic that may have one. */
static void
kill_topic(const EndOp *op)
{
	uint64		gen;
	int			slot = corm_topic_find(op->db, op->id, &gen);

	if (slot >= 0)
		corm_topic_kill(slot, gen);
}

/* set_settings changes the settings of a topic that may have a slot, and wakes who waits for it. */
static void
set_settings(const EndOp *op)
{
	uint64		gen;
	int			slot = corm_topic_find(op->db, op->id, &gen);

	if (slot < 0 || !corm_topic_lock(slot, gen))
		return;
	corm_topic_at(slot)->settings = op->settings;
	ConditionVariableBroadcast(&corm_topic_at(slot)->room);
	for (int g = corm_topic_at(slot)->first_group; g >= 0; g = corm_group_slots[g].next)
		ConditionVariableBroadcast(&corm_group_slots[g].arrivals);
	corm_topic_unlock(slot);
}

/* group_committed makes a new group one that publishers are held up by. */
static void
group_committed(const EndOp *op)
{
	CormGroup  *group;

	if (!corm_topic_lock(op->slot, op->gen))
		return;
	if ((group = corm_group_at(op->slot, op->group, op->group_gen)) != NULL)
		group->creating = false;
	corm_topic_unlock(op->slot);
}

/* end_group gives up the slot of a group; a temporary one is forgotten. */
static void
end_group(const EndOp *op)
{
	corm_group_kill(op->slot, op->gen, op->group, op->group_gen);
	if (op->temporary)
		corm_group_ref_forget(op->id);
}

static void
end_apply(CormEffect *effect)
{
	EndOp	   *op = (EndOp *) effect;

	switch (op->kind)
	{
		case TOPIC_MADE:
			break;
		case TOPIC_DROPPED:
			kill_topic(op);
			break;
		case TOPIC_SETTINGS:
			set_settings(op);
			break;
		case GROUP_MADE:
			group_committed(op);
			break;
		case GROUP_DROPPED:
			end_group(op);
			break;
	}
}

static void
end_discard(CormEffect *effect)
{
	EndOp	   *op = (EndOp *) effect;

	if (op->kind == TOPIC_MADE)
		kill_topic(op);
	else if (op->kind == GROUP_MADE)
		end_group(op);
	pfree(op);
}

static const CormEffectOps end_ops = {
	.reserve = end_reserve,
	.apply = end_apply,
	.discard = end_discard,
	.deed = "changed topics",
	.late = true,
};

/* add adds an effect on a topic of this database. */
static EndOp *
add(EndKind kind, Oid db, uint64 id)
{
	EndOp	   *op = MemoryContextAllocZero(TopTransactionContext, sizeof(EndOp));

	op->kind = kind;
	op->db = db;
	op->id = id;
	corm_effect_add(&op->effect, &end_ops);
	return op;
}

/* corm_at_end_topic_made notes that this transaction has created a topic. */
void
corm_at_end_topic_made(const CormTopicRef *ref)
{
	add(TOPIC_MADE, MyDatabaseId, ref->id);
}

/* corm_at_end_topic_dropped notes that this transaction has dropped a topic. */
void
corm_at_end_topic_dropped(uint64 id)
{
	add(TOPIC_DROPPED, MyDatabaseId, id);
}

/* corm_at_end_topic_settings notes that this transaction has changed a topic. */
void
corm_at_end_topic_settings(uint64 id, const CormTopicSettings *settings)
{
	add(TOPIC_SETTINGS, MyDatabaseId, id)->settings = *settings;
}

/* corm_at_end_group_made notes that this transaction has made a group, which has a slot. */
void
corm_at_end_group_made(const CormTopicRef *topic, const CormGroupRef *ref)
{
	EndOp	   *op = add(GROUP_MADE, MyDatabaseId, ref->id);

	op->temporary = ref->temporary;
	op->slot = topic->slot;
	op->gen = topic->gen;
	op->group = ref->group;
	op->group_gen = ref->group_gen;
}

/* corm_at_end_group_dropped notes that this transaction has dropped a group, which has a slot. */
void
corm_at_end_group_dropped(const CormTopicRef *topic, const CormGroupRef *ref)
{
	EndOp	   *op = add(GROUP_DROPPED, MyDatabaseId, ref->id);

	op->temporary = ref->temporary;
	op->slot = topic->slot;
	op->gen = topic->gen;
	op->group = ref->group;
	op->group_gen = ref->group_gen;
}
