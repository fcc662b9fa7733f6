/*-------------------------------------------------------------------------
 *
 * publish.c
 *		corm.publish and corm.publish_many.
 *
 * A message is written to blocks of its own, and room for it is taken in the topic,
 * when the function is called; a late effect appends it to the log at commit, which
 * cannot fail.  At abort blocks and room are given back.  So a full topic is an error
 * of the call, or makes it wait.
 *
 * Room is counted for the topic, not for each group: `reserved` messages will come,
 * and all groups get them.
 *
 * What has been received is freed when it is settled, and receiving takes blocks, too
 * (for deliveries).  So publishers leave the last part of the memory alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/effects.h"
#include "base/guc.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "work/topic/publish.h"
#include "work/topic/receive.h"
#include "work/topic/rows.h"

PG_FUNCTION_INFO_V1(corm_message_publish);
PG_FUNCTION_INFO_V1(corm_message_publish_many);

/* Publishers leave this part of the memory to receivers. */
#define RECEIVERS_PART	16

/* A look at a topic that was interrupted by nothing is repeated after this time. */
#define LOOK_AGAIN_MS	1000

typedef struct PublishEffect
{
	CormEffect	effect;			/* must be first */
	int			slot;
	uint64		gen;
	CormBlockId first;			/* entries, linked by their next */
	CormBlockId last;
	int			n;
	int64		bytes;			/* of their payloads */
	bool		reserved;
	CormBlockChain dedup_block; /* not yet used */
	CormBlockId dedup;			/* its record, 0: none */
} PublishEffect;

/* What transactions of this session have reserved in a topic, by slot. */
typedef struct OwnReserved
{
	uint64		gen;
	int64		n;
	int64		bytes;
} OwnReserved;

static OwnReserved *own_reserved = NULL;

/* own returns what this transaction has reserved in a topic. */
static OwnReserved *
own(int slot, uint64 gen)
{
	if (own_reserved[slot].gen != gen)
	{
		own_reserved[slot].gen = gen;
		own_reserved[slot].n = own_reserved[slot].bytes = 0;
	}
	return &own_reserved[slot];
}

/* unreserve gives back the room that an effect has taken.  Needs the topic's lock. */
static void
unreserve(CormTopic *topic, PublishEffect *effect)
{
	if (!effect->reserved)
		return;
	topic->reserved -= effect->n;
	topic->reserved_bytes -= effect->bytes;
	own(effect->slot, effect->gen)->n -= effect->n;
	own(effect->slot, effect->gen)->bytes -= effect->bytes;
	effect->reserved = false;
}

/* forget_dedup removes a record from a topic.  Needs the topic's lock. */
static void
forget_dedup(CormTopic *topic, CormBlockId id, CormBlockChain *freed)
{
	CormDedup  *dedup = corm_dedup(id);
	CormBlockId *link = &topic->dedup_bucket[dedup->hash[0] % CORM_DEDUP_BUCKETS];

	while (*link != id)
		link = &corm_dedup(*link)->hash_next;
	*link = dedup->hash_next;
	if (dedup->prev != 0)
		corm_dedup(dedup->prev)->next = dedup->next;
	else
		topic->dedup_first = dedup->next;
	if (dedup->next != 0)
		corm_dedup(dedup->next)->prev = dedup->prev;
	else
		topic->dedup_last = dedup->prev;
	corm_blocks_unlinked(&corm_work_blocks, 1);
	corm_blocks_append(&corm_work_blocks, freed, id, id, 1);
}

/* append_all appends the messages of an effect to their topic.  Needs the topic's lock. */
static void
append_all(CormTopic *topic, PublishEffect *effect, CormBlockChain *freed)
{
	int64		now = corm_clock_mono();
	TimestampTz real = corm_clock_real();

	corm_log_trim(topic, now, false, freed);
	while (effect->first != 0)
	{
		CormBlockId id = effect->first;

		effect->first = corm_entry(id)->next;
		corm_log_append(topic, id, now, real, freed);
	}
}

/* give_entries frees the messages of an effect. */
static void
give_entries(PublishEffect *effect)
{
	while (effect->first != 0)
	{
		CormBlockId id = effect->first;
		CormEntry  *entry = corm_entry(id);
		CormBlockChain chain = {id, entry->last_block, entry->nblocks};

		effect->first = entry->next;
		corm_work_give(&chain);
	}
	corm_work_give(&effect->dedup_block);
}

static void
publish_reserve(CormEffect *effect)
{
	/* all was reserved when the function was called */
}

static void
publish_apply(CormEffect *effect)
{
	PublishEffect *publish = (PublishEffect *) effect;
	CormBlockChain freed = {0};

	if (publish->first != 0 && corm_topic_lock(publish->slot, publish->gen))
	{
		CormTopic  *topic = corm_topic_at(publish->slot);

		unreserve(topic, publish);
		if (publish->dedup != 0)
			corm_dedup(publish->dedup)->pending = false;
		append_all(topic, publish, &freed);
		corm_topic_unlock(publish->slot);
	}
	give_entries(publish);
	corm_work_give(&freed);
}

static void
publish_discard(CormEffect *effect)
{
	PublishEffect *publish = (PublishEffect *) effect;
	CormBlockChain freed = {0};

	if ((publish->reserved || publish->dedup != 0) && corm_topic_lock(publish->slot, publish->gen))
	{
		CormTopic  *topic = corm_topic_at(publish->slot);

		unreserve(topic, publish);
		if (publish->dedup != 0)
			forget_dedup(topic, publish->dedup, &freed);
		ConditionVariableBroadcast(&topic->room);
		corm_topic_unlock(publish->slot);
	}
	give_entries(publish);
	corm_work_give(&freed);
	pfree(publish);
}

static const CormEffectOps publish_ops = {
	.reserve = publish_reserve,
	.apply = publish_apply,
	.discard = publish_discard,
	.deed = "published messages",
	.late = true,
};

/* trim frees what a topic keeps only for its retention.  Returns false if the topic is gone. */
static bool
trim(const CormTopicRef *ref)
{
	CormBlockChain freed = {0};

	if (!corm_topic_lock(ref->slot, ref->gen))
		return false;
	corm_log_trim(corm_topic_at(ref->slot), corm_clock_mono(), true, &freed);
	corm_topic_unlock(ref->slot);
	corm_work_give(&freed);
	return true;
}

/* enough_memory tells whether there are so many bytes for a message, without the part of receivers. */
static bool
enough_memory(Size len)
{
	return corm_blocks_free_count(&corm_work_blocks) >=
		corm_work_block_count() / RECEIVERS_PART + len / CORM_WORK_BLOCK_DATA + 1;
}

/*
 * add_entry writes a message to blocks of its own and adds it to an effect.  Raises
 * 54000 if it is too large, 53200 if memory is short.
 */
static void
add_entry(const CormTopicRef *ref, PublishEffect *effect, const CormOutgoing *message, int64 due)
{
	Size		len = Max(message->key_len, 0) + Max(message->headers_len, 0) + message->payload_len;
	CormBlockChain chain = {0};
	CormWorkCursor cursor;
	CormEntry  *entry;

	corm_work_check_payload(len, "message");
	len += sizeof(CormEntry) - sizeof(CormBlockId);
	if (!enough_memory(len))
		(void) trim(ref);
	if (!enough_memory(len))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory for messages"),
				 errhint("You might need to increase corm.work_memory.")));
	corm_work_take(&chain, len);
	entry = corm_entry(chain.first);
	entry->prev = entry->next = 0;
	entry->last_block = chain.last;
	entry->nblocks = chain.count;
	entry->refs = 0;
	entry->seq = 0;
	entry->due = due;
	entry->key_hash = corm_message_key_hash(message->key, message->key_len);
	entry->type = message->type;
	entry->key_len = message->key_len;
	entry->headers_len = message->headers_len;
	entry->payload_len = message->payload_len;
	cursor.block = chain.first;
	cursor.offset = sizeof(CormEntry) - sizeof(CormBlockId);
	corm_work_write(&cursor, message->key, Max(message->key_len, 0));
	corm_work_write(&cursor, message->headers, Max(message->headers_len, 0));
	corm_work_write(&cursor, message->payload, message->payload_len);

	if (effect->last != 0)
		corm_entry(effect->last)->next = chain.first;
	else
		effect->first = chain.first;
	effect->last = chain.first;
	effect->n++;
	effect->bytes += message->payload_len;
}

typedef enum Room
{
	ROOM,						/* there is room */
	ROOM_LATER,					/* there will be */
	NO_ROOM						/* not as long as this transaction lasts */
} Room;

/*
 * look_for_room tells whether a topic has room for the messages of an effect, and if
 * not, which group it is full for (NULL: it is the bytes).  Needs the topic's lock.
 */
static Room
look_for_room(CormTopic *topic, const PublishEffect *effect, const CormGroup **full)
{
	const OwnReserved *mine = own(effect->slot, effect->gen);

	*full = NULL;
	if (topic->settings.overflow == CORM_OVERFLOW_DROP_OLDEST)
		return ROOM;
	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
	{
		CormGroup  *group = &corm_group_slots[g];
		int32		capacity = corm_group_capacity(topic, group);

		if (group->creating || group->unsettled + topic->reserved + effect->n <= capacity)
			continue;
		*full = group;
		if (effect->n + mine->n + corm_in_hand_of(g, group->gen) > capacity)
			return NO_ROOM;
		return ROOM_LATER;
	}
	if (topic->settings.max_bytes > 0 &&
		topic->bytes + topic->reserved_bytes + effect->bytes > topic->settings.max_bytes)
		return topic->waiting == 0 && topic->reserved == mine->n ? NO_ROOM :
			effect->bytes + mine->bytes > topic->settings.max_bytes ? NO_ROOM : ROOM_LATER;
	return ROOM;
}

/*
 * add_dedup remembers the id of a message.  Returns false if the id is known already;
 * then *owner is the transaction that has not committed it, if there is one.  Needs
 * the topic's lock; the effect has a block.
 */
static bool
add_dedup(CormTopic *topic, PublishEffect *effect, const char *id, VirtualTransactionId *owner, CormBlockChain *freed)
{
	int64		now = corm_clock_mono();
	uint64		hash[2];
	CormBlockId *bucket;
	CormDedup  *dedup;

	SetInvalidVirtualTransactionId(*owner);
	while (topic->dedup_first != 0 && !corm_dedup(topic->dedup_first)->pending &&
		   corm_dedup(topic->dedup_first)->until <= now)
		forget_dedup(topic, topic->dedup_first, freed);

	for (int i = 0; i < 2; i++)
		hash[i] = hash_bytes_extended((const unsigned char *) id, strlen(id), corm_topics->seed + i);
	bucket = &topic->dedup_bucket[hash[0] % CORM_DEDUP_BUCKETS];
	for (CormBlockId other = *bucket; other != 0; other = dedup->hash_next)
	{
		dedup = corm_dedup(other);
		if (dedup->hash[0] != hash[0] || dedup->hash[1] != hash[1] || (!dedup->pending && dedup->until <= now))
			continue;
		if (dedup->pending)
			*owner = dedup->owner;
		return false;
	}

	corm_blocks_linked(&corm_work_blocks, 1);
	effect->dedup = effect->dedup_block.first;
	memset(&effect->dedup_block, 0, sizeof(effect->dedup_block));
	dedup = corm_dedup(effect->dedup);
	memset(dedup, 0, sizeof(CormDedup));
	memcpy(dedup->hash, hash, sizeof(hash));
	dedup->until = now + topic->settings.dedup;
	dedup->pending = true;
	GET_VXID_FROM_PGPROC(dedup->owner, *MyProc);
	dedup->hash_next = *bucket;
	*bucket = effect->dedup;
	dedup->prev = topic->dedup_last;
	if (topic->dedup_last != 0)
		corm_dedup(topic->dedup_last)->next = effect->dedup;
	else
		topic->dedup_first = effect->dedup;
	topic->dedup_last = effect->dedup;
	return true;
}

/* full_error raises the error of a topic that is full. */
static void
full_error(const CormTopicRef *ref, const char *group, bool own_only)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 group != NULL ?
			 errmsg("topic \"%s\" is full for group \"%s\"", NameStr(ref->name), group) :
			 errmsg("topic \"%s\" is full", NameStr(ref->name)),
			 group == NULL ? errdetail("It keeps as many bytes as its max_bytes says.") :
			 own_only ? errdetail("Only messages of this transaction are in the way.") : 0));
}

/*
 * reserve takes room for the messages of an effect, waiting for it if that is the
 * topic's policy.  Returns the number of groups that they will go to; -1 for a
 * duplicate, and with options->dead_letter if there is no room.
 */
static int
reserve(CormTopicRef *ref, PublishEffect *effect, const CormPublishOptions *options)
{
	static uint32 wait_event = 0;
	CormTopic  *topic = corm_topic_at(effect->slot);
	bool		sleeping = false;
	int			ngroups = 0;

	if (wait_event == 0)
		wait_event = corm_wait_event_new("CormTopicRoom");
	for (;;)
	{
		CormBlockChain freed = {0};
		VirtualTransactionId owner;
		VirtualTransactionId me;
		const CormGroup *full = NULL;
		NameData	group_name;
		Room		room = ROOM;
		bool		duplicate = false;
		bool		closed;
		CormOverflow overflow;

		if (!corm_topic_lock(effect->slot, effect->gen))
			corm_topic_gone(NameStr(ref->name));
		closed = topic->settings.closed;
		overflow = topic->settings.overflow;
		if (!closed && options->dedup_id != NULL && effect->dedup == 0)
			duplicate = !add_dedup(topic, effect, options->dedup_id, &owner, &freed);
		if (!closed && !duplicate)
		{
			room = look_for_room(topic, effect, &full);
			if (room == ROOM_LATER && full == NULL)
			{
				/* what is kept for its retention only makes way */
				corm_log_trim(topic, corm_clock_mono(), true, &freed);
				room = look_for_room(topic, effect, &full);
			}
			if (full != NULL)
				group_name = full->name;
			if (room == ROOM)
			{
				for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
					ngroups++;
				if (options->immediate)
				{
					if (effect->dedup != 0)
						corm_dedup(effect->dedup)->pending = false;
					effect->dedup = 0;
					append_all(topic, effect, &freed);
				}
				else
				{
					effect->reserved = true;
					topic->reserved += effect->n;
					topic->reserved_bytes += effect->bytes;
					own(effect->slot, effect->gen)->n += effect->n;
					own(effect->slot, effect->gen)->bytes += effect->bytes;
				}
			}
		}
		corm_topic_unlock(effect->slot);
		corm_work_give(&freed);

		if (closed || (!duplicate && room == ROOM))
			ConditionVariableCancelSleep();
		if (closed && options->dead_letter)
			return -1;
		if (closed)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("topic \"%s\" is closed", NameStr(ref->name)),
					 errhint("Open it with corm.topic_open.")));
		if (duplicate)
		{
			GET_VXID_FROM_PGPROC(me, *MyProc);
			if (!VirtualTransactionIdIsValid(owner) || VirtualTransactionIdEquals(owner, me))
				return -1;
			/* as a unique index does: the other one may be rolled back */
			(void) VirtualXactLock(owner, true);
			continue;
		}
		if (room == ROOM)
			return ngroups;
		if (options->dead_letter)
			return -1;
		if (room == NO_ROOM || overflow == CORM_OVERFLOW_ERROR)
			full_error(ref, full != NULL ? NameStr(group_name) : NULL, room == NO_ROOM && effect->n == 1);
		if (sleeping)
			(void) ConditionVariableTimedSleep(&topic->room, LOOK_AGAIN_MS, wait_event);
		else
			ConditionVariablePrepareToSleep(&topic->room);
		sleeping = true;
	}
}

/*
 * corm_publish_messages publishes messages to a topic for which the caller has checked
 * the rights, at commit or at once.  Returns the number of groups that they go to; 0
 * for a duplicate.  With options->dead_letter, -1 if there is no room.
 */
int
corm_publish_messages(CormTopicRef *ref, const CormOutgoing *messages, int n, const CormPublishOptions *options)
{
	PublishEffect *effect;
	int			result;

	if (n == 0)
		return 0;
	if (own_reserved == NULL)
		own_reserved = MemoryContextAllocZero(TopMemoryContext, corm_max_topics * sizeof(OwnReserved));
	if (options->dedup_id != NULL && ref->settings.dedup == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("topic \"%s\" does not remember the ids of messages", NameStr(ref->name)),
				 errhint("Set the time for which it does with corm.topic_alter, dedup.")));
	corm_topic_attach(ref);
	effect = MemoryContextAllocZero(TopTransactionContext, sizeof(PublishEffect));
	effect->slot = ref->slot;
	effect->gen = ref->gen;
	corm_effect_add(&effect->effect, &publish_ops);
	for (int i = 0; i < n; i++)
	{
		if (i % 1024 == 1023)
			CHECK_FOR_INTERRUPTS();
		add_entry(ref, effect, &messages[i], options->due);
	}
	if (options->dedup_id != NULL)
		corm_work_take(&effect->dedup_block, 1);
	result = reserve(ref, effect, options);
	if (result < 0)
	{
		give_entries(effect);
		effect->n = 0;
		return options->dead_letter ? -1 : 0;
	}
	return result;
}

/*
 * corm_publish_entry appends a message, whose blocks the process holds, to a topic
 * now.  Returns false, with the blocks still held, if the topic is full, closed or
 * gone.  Raises nothing.
 */
bool
corm_publish_entry(int slot, uint64 gen, CormBlockChain *chain)
{
	CormBlockChain freed = {0};
	CormTopic  *topic = corm_topic_at(slot);
	CormEntry  *entry = corm_entry(chain->first);
	bool		fits;

	if (!corm_topic_lock(slot, gen))
		return false;
	fits = !topic->settings.closed && !topic->settings.durable;
	if (topic->settings.overflow != CORM_OVERFLOW_DROP_OLDEST)
	{
		for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
			if (corm_group_slots[g].unsettled + topic->reserved >=
				corm_group_capacity(topic, &corm_group_slots[g]))
				fits = false;
		if (topic->settings.max_bytes > 0 &&
			topic->bytes + topic->reserved_bytes + entry->payload_len > topic->settings.max_bytes)
			fits = false;
	}
	if (fits)
	{
		corm_log_append(topic, chain->first, corm_clock_mono(), corm_clock_real(), &freed);
		memset(chain, 0, sizeof(CormBlockChain));
	}
	corm_topic_unlock(slot);
	corm_work_give(&freed);
	return fits;
}

/* topic_to_publish returns the topic that the first argument names, with the right to publish to it. */
static CormTopicRef *
topic_to_publish(FunctionCallInfo fcinfo)
{
	CormTopicRef *ref = corm_topic_ref(corm_topic_name_arg(fcinfo, 0, "topic"));

	corm_topic_check_publish(ref);
	return ref;
}

/* publish(topic, payload, key, headers, dedup_id, delay, immediate) -> int */
Datum
corm_message_publish(PG_FUNCTION_ARGS)
{
	CormTopicRef *ref = topic_to_publish(fcinfo);
	CormOutgoing message = {.key_len = -1, .headers_len = -1};
	CormPublishOptions options = {0};
	CormPayloads payloads;
	char	   *name;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("payload must not be null")));
	name = NameStr(ref->name);
	if (!PG_ARGISNULL(2))
	{
		text	   *key = PG_GETARG_TEXT_PP(2);

		message.key = VARDATA_ANY(key);
		message.key_len = VARSIZE_ANY_EXHDR(key);
	}
	if (!PG_ARGISNULL(3))
	{
		struct varlena *headers = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(3));

		message.headers = VARDATA_ANY(headers);
		message.headers_len = VARSIZE_ANY_EXHDR(headers);
	}
	if (!PG_ARGISNULL(4))
		options.dedup_id = text_to_cstring(PG_GETARG_TEXT_PP(4));
	if (!PG_ARGISNULL(5))
	{
		int64		delay = corm_span_us(PG_GETARG_INTERVAL_P(5), "delay");

		if (delay > 0)
			options.due = corm_clock_mono() + delay;
	}
	options.immediate = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);

	/* the output function of a type may be a user's, and change what the session knows */
	name = pstrdup(name);
	corm_payloads_init(&payloads, get_fn_expr_argtype(fcinfo->flinfo, 1));
	corm_payload_text(&payloads, PG_GETARG_DATUM(1), &message);
	if (!payloads.is_text)
	{
		ref = corm_topic_ref(name);
		corm_topic_check_publish(ref);
	}
	PG_RETURN_INT32(corm_publish_messages(ref, &message, 1, &options));
}

/* publish_many(topic, payloads) -> int */
Datum
corm_message_publish_many(PG_FUNCTION_ARGS)
{
	CormTopicRef *ref = topic_to_publish(fcinfo);
	char	   *name = pstrdup(NameStr(ref->name));
	CormPublishOptions options = {0};
	CormPayloads payloads;
	CormOutgoing *messages;
	ArrayType  *array;
	Oid			type;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("payloads must not be null")));
	array = PG_GETARG_ARRAYTYPE_P(1);
	type = ARR_ELEMTYPE(array);
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign, &elems, &nulls, &n);
	corm_payloads_init(&payloads, type);
	messages = palloc_extended(Max(n, 1) * sizeof(CormOutgoing), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("payload must not be null"),
					 errdetail("Element %d of the array is null.", i + 1)));
		CHECK_FOR_INTERRUPTS();
		messages[i].key_len = messages[i].headers_len = -1;
		corm_payload_text(&payloads, elems[i], &messages[i]);
	}
	ref = corm_topic_ref(name);
	corm_topic_check_publish(ref);
	PG_RETURN_INT32(corm_publish_messages(ref, messages, n, &options));
}
