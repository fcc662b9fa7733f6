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
 * The messages of a durable topic stay in the memory of the session until just before
 * the commit, when they become rows and get their numbers (durable.c).  They are
 * numbered when the topic's lock is held, which is kept until the rows are visible;
 * the late effect then lets the groups know.
 *
 * What has been received is freed when it is settled, and receiving takes blocks, too
 * (for deliveries).  So publishers leave the last part of the memory alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/args.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/effects.h"
#include "base/guc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "work/topic/dedup.h"
#include "work/topic/durable.h"
#include "work/topic/handlers.h"
#include "work/topic/publish.h"
#include "work/topic/room.h"
#include "work/topic/rotate.h"
#include "work/topic/rows.h"

PG_FUNCTION_INFO_V1(corm_message_publish);
PG_FUNCTION_INFO_V1(corm_message_publish_many);
PG_FUNCTION_INFO_V1(corm_message_publish_many_text);

/* Publishers leave this part of the memory to receivers. */
#define RECEIVERS_PART	16

typedef struct PublishEffect
{
	CormEffect	effect;			/* must be first */
	CormRoom	room;			/* says which topic it is, too */
	CormBlockId first;			/* entries, linked by their next */
	CormBlockId last;
	CormBlockChain dedup_block; /* not yet used */
	CormBlockId dedup;			/* its record, 0: none */

	/* durable topics */
	bool		durable;
	uint64		id;				/* of the topic */
	dlist_node	node;			/* in the list of the transaction's */
	CormDurableMessage *messages;
	int			nmessages;
	bool		numbered;
	int64		last_seq;		/* of its messages */
	int64		last_bytes;		/* sum of the topic's payloads up to that one */
} PublishEffect;

/* Effects of this transaction on durable topics, and whether it has their locks. */
static dlist_head durable_effects = DLIST_STATIC_INIT(durable_effects);
static bool durable_locked = false;

/* append_all appends the messages of an effect to their topic.  Needs the topic's lock. */
static void
append_all(CormTopic *topic, PublishEffect *effect, CormBlockChain *freed)
{
	int64		now = corm_clock_mono();
	TimestampTz real = corm_clock_real();

	corm_log_trim(topic, now, false, freed);
	corm_log_append(topic, effect->first, now, real, freed);
	effect->first = effect->last = 0;
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

static int
by_id(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/*
 * lock_durable takes the locks of all durable topics to which this transaction
 * publishes, always in the same order, so that publishers cannot deadlock.
 */
static void
lock_durable(void)
{
	dlist_iter	iter;
	int			n = 0;
	uint64	   *ids;

	dlist_foreach(iter, &durable_effects)
		n++;
	ids = palloc(n * sizeof(uint64));
	n = 0;
	dlist_foreach(iter, &durable_effects)
		ids[n++] = dlist_container(PublishEffect, node, iter.cur)->id;
	qsort(ids, n, sizeof(uint64), by_id);
	for (int i = 0; i < n; i++)
		if (i == 0 || ids[i] != ids[i - 1])
			corm_durable_lock(ids[i]);
	pfree(ids);
	durable_locked = true;
}

/*
 * number_messages makes the messages of an effect on a durable topic rows, with the
 * next numbers of the topic.
 */
static void
number_messages(PublishEffect *publish, CormDurableInsert *insert)
{
	CormTopic  *topic = corm_topic_at(publish->room.slot);
	int64		first_seq;

	if (!corm_topic_lock(publish->room.slot, publish->room.gen))
		return;					/* it was dropped, with its messages */
	first_seq = topic->numbered + 1;
	topic->numbered += publish->nmessages;
	publish->numbered = true;
	publish->last_seq = topic->numbered;
	topic->numbered_bytes += publish->room.bytes;
	publish->last_bytes = topic->numbered_bytes;
	corm_topic_unlock(publish->room.slot);
	corm_durable_insert(insert, publish->id, first_seq, publish->messages, publish->nmessages);
}

/*
 * publish_reserve makes the messages for durable topics rows and gives them their
 * numbers: those of all effects, when it is called for the first one.  For others, all
 * was reserved when the function was called.
 */
static void
publish_reserve(CormEffect *effect)
{
	PublishEffect *publish = (PublishEffect *) effect;
	CormDurableInsert *insert;
	dlist_iter	iter;

	if (!publish->durable || publish->nmessages == 0 || publish->numbered)
		return;
	if (!durable_locked)
		lock_durable();
	insert = corm_durable_insert_begin();
	dlist_foreach(iter, &durable_effects)
	{
		publish = dlist_container(PublishEffect, node, iter.cur);
		if (publish->nmessages > 0 && !publish->numbered)
			number_messages(publish, insert);
	}
	corm_durable_insert_end(insert);
}

/* mark_bytes marks how many bytes a durable topic has up to the messages of an effect.  Needs the topic's lock. */
static void
mark_bytes(CormTopic *topic, const PublishEffect *publish)
{
	int64		seq = publish->last_seq - publish->nmessages;
	int64		bytes = publish->last_bytes - publish->room.bytes;

	for (int i = 0; i < publish->nmessages; i++)
	{
		bytes += publish->messages[i].message.payload_len;
		corm_log_mark(topic, ++seq, bytes);
	}
}

static void
publish_apply(CormEffect *effect)
{
	PublishEffect *publish = (PublishEffect *) effect;
	CormBlockChain freed = {0};
	CormHandlers handlers = {0};
	bool		rotate = false;

	if (publish->durable)
	{
		dlist_delete(&publish->node);
		durable_locked = false;
	}
	if ((publish->first != 0 || publish->numbered) && corm_topic_lock(publish->room.slot, publish->room.gen))
	{
		CormTopic  *topic = corm_topic_at(publish->room.slot);

		corm_room_give(topic, &publish->room);
		if (publish->dedup != 0)
			corm_dedup(publish->dedup)->pending = false;
		if (publish->durable)
		{
			mark_bytes(topic, publish);
			corm_log_advance(topic, publish->last_seq, publish->last_bytes, corm_clock_mono(), &freed);
			rotate = topic->since >= CORM_ROTATE_AFTER;
		}
		else
			append_all(topic, publish, &freed);
		corm_handlers_of(topic, &handlers);
		corm_topic_unlock(publish->room.slot);
	}
	give_entries(publish);
	corm_work_give(&freed);
	corm_handlers_wake(&handlers);
	if (rotate)
		corm_rotate_wake(MyDatabaseId);
}

static void
publish_discard(CormEffect *effect)
{
	PublishEffect *publish = (PublishEffect *) effect;
	CormBlockChain freed = {0};

	if (publish->durable)
	{
		dlist_delete(&publish->node);
		durable_locked = false;
	}
	if ((publish->room.reserved || publish->dedup != 0 || publish->numbered) &&
		corm_topic_lock(publish->room.slot, publish->room.gen))
	{
		CormTopic  *topic = corm_topic_at(publish->room.slot);

		/* the lock under which they were numbered is still held */
		if (publish->numbered)
		{
			topic->numbered -= publish->nmessages;
			topic->numbered_bytes -= publish->room.bytes;
		}
		corm_room_give(topic, &publish->room);
		if (publish->dedup != 0)
			corm_dedup_forget(topic, publish->dedup, &freed);
		ConditionVariableBroadcast(&topic->room);
		corm_topic_unlock(publish->room.slot);
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
	effect->room.n++;
	effect->room.bytes += message->payload_len;
}

/* keep_message copies a message for a durable topic to the memory of the transaction. */
static void
keep_message(PublishEffect *effect, const CormOutgoing *message, const CormPublishOptions *options)
{
	CormDurableMessage *kept = &effect->messages[effect->nmessages];
	Size		key_len = Max(message->key_len, 0);
	Size		headers_len = Max(message->headers_len, 0);
	char	   *at;

	corm_work_check_payload(key_len + headers_len + message->payload_len, "message");
	at = palloc(key_len + headers_len + message->payload_len + 1);
	kept->message = *message;
	kept->message.key = memcpy(at, message->key != NULL ? message->key : "", key_len);
	kept->message.headers = memcpy(at + key_len, message->headers != NULL ? message->headers : "", headers_len);
	kept->message.payload = memcpy(at + key_len + headers_len, message->payload, message->payload_len);
	kept->dedup_id = options->dedup_id != NULL ? pstrdup(options->dedup_id) : NULL;
	kept->due = options->due > 0 ? corm_clock_real() + (options->due - corm_clock_mono()) : 0;
	effect->nmessages++;
	effect->room.n++;
	effect->room.bytes += message->payload_len;
}

/* keep_messages keeps the messages for a durable topic until the commit. */
static void
keep_messages(CormTopicRef *ref, PublishEffect *effect, const CormOutgoing *messages, int n,
			  const CormPublishOptions *options)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopTransactionContext);

	effect->messages = palloc_extended(n * sizeof(CormDurableMessage), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		keep_message(effect, &messages[i], options);
	}
	MemoryContextSwitchTo(oldcontext);
}

/*
 * reserve takes room for the messages of an effect, waiting for it if that is the
 * topic's policy.  Returns the number of groups that they will go to; -1 for a
 * duplicate, and with options->dead_letter if there is no room.
 */
static int
reserve(CormTopicRef *ref, PublishEffect *effect, const CormPublishOptions *options)
{
	CormTopic  *topic = corm_topic_at(effect->room.slot);
	bool		sleeping = false;
	int			ngroups = 0;

	for (;;)
	{
		CormBlockChain freed = {0};
		CormHandlers handlers = {0};
		VirtualTransactionId owner;
		VirtualTransactionId me;
		const CormGroup *full = NULL;
		NameData	group_name;
		CormRoomFound room = CORM_ROOM_FREE;
		bool		duplicate = false;
		bool		closed;
		CormOverflow overflow;

		if (!corm_topic_lock(effect->room.slot, effect->room.gen))
			corm_topic_gone(NameStr(ref->name));
		closed = topic->settings.closed;
		overflow = topic->settings.overflow;
		if (!closed && options->dedup_id != NULL && effect->dedup == 0)
			duplicate = (effect->dedup = corm_dedup_claim(topic, options->dedup_id, &effect->dedup_block, &owner, &freed)) == 0;
		if (!closed && !duplicate)
		{
			room = corm_room_make(topic, &effect->room, &full, &freed);
			if (full != NULL)
				group_name = full->name;
			if (room == CORM_ROOM_FREE)
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
					corm_room_take(topic, &effect->room);
			}
		}
		if (effect->first == 0 && !effect->durable)
			corm_handlers_of(topic, &handlers);
		corm_topic_unlock(effect->room.slot);
		corm_work_give(&freed);
		corm_handlers_wake(&handlers);

		if (closed || (!duplicate && room == CORM_ROOM_FREE))
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
		if (room == CORM_ROOM_FREE)
			return ngroups;
		if (options->dead_letter)
			return -1;
		if (room == CORM_ROOM_NEVER || overflow == CORM_OVERFLOW_ERROR)
			corm_room_error(ref, full != NULL ? NameStr(group_name) : NULL, room == CORM_ROOM_NEVER && effect->room.n == 1);
		corm_room_sleep(topic, &sleeping);
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
	corm_room_prepare();
	if (options->dedup_id != NULL && ref->settings.dedup == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("topic \"%s\" does not remember the ids of messages", NameStr(ref->name)),
				 errhint("Set the time for which it does with corm.topic_alter, dedup.")));
	corm_topic_attach(ref);
	if (ref->settings.durable)
		PreventCommandIfReadOnly("corm.publish()");
	effect = MemoryContextAllocZero(TopTransactionContext, sizeof(PublishEffect));
	effect->room.slot = ref->slot;
	effect->room.gen = ref->gen;
	effect->id = ref->id;
	effect->durable = ref->settings.durable;
	if (effect->durable)
		dlist_push_tail(&durable_effects, &effect->node);
	corm_effect_add(&effect->effect, &publish_ops);
	if (effect->durable)
		keep_messages(ref, effect, messages, n, options);
	for (int i = 0; i < n && !effect->durable; i++)
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
		effect->room.n = effect->nmessages = 0;
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
	CormRoom	room = {.slot = slot,.gen = gen,.n = 1,.bytes = corm_entry(chain->first)->payload_len};
	const CormGroup *full;
	bool		fits;

	if (!corm_topic_lock(slot, gen))
		return false;
	fits = !topic->settings.closed && !topic->settings.durable &&
		corm_room_make(topic, &room, &full, &freed) == CORM_ROOM_FREE;
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
	CormTopicRef *ref = corm_topic_ref(corm_name_arg(fcinfo, 0, "topic name"));

	corm_topic_check_publish(ref);
	return ref;
}

/*
 * publish_elsewhere publishes a message to a durable topic in a transaction of its
 * own, in a worker, and returns the number of groups that it goes to.
 */
static int
publish_elsewhere(FunctionCallInfo fcinfo, CormTopicRef *ref, const CormOutgoing *message, const char *dedup_id)
{
	Oid			types[6] = {TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID, INTERVALOID};
	Datum		values[6] = {0};
	char		nulls[7] = "      ";
	char	   *type;
	char	   *body;
	char	   *query;
	bool		isnull;
	int			result;

	PreventCommandIfReadOnly("corm.publish()");
	corm_room_wait(ref, message->payload_len, dedup_id);
	for (int i = 0; i < 6; i++)
	{
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
	}
	values[1] = PointerGetDatum(cstring_to_text_with_len(message->payload, message->payload_len));
	/* "bit", not bit, which means one bit */
	type = format_type_extended(message->type, -1, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
	body = psprintf("SELECT corm.publish($1, $2::%s, $3, $4, $5, $6) AS n", type);
	query = psprintf("SELECT (corm.autonomous(%s, $1, $2, $3, $4, $5, $6) OPERATOR(pg_catalog.->) 0 OPERATOR(pg_catalog.->>) 'n')::pg_catalog.int4",
					 quote_literal_cstr(body));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(query, 6, types, values, nulls, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not publish in a transaction of its own");
	result = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return result;
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
	if (options.immediate && ref->settings.durable)
		PG_RETURN_INT32(publish_elsewhere(fcinfo, ref, &message, options.dedup_id));
	PG_RETURN_INT32(corm_publish_messages(ref, &message, 1, &options));
}

/*
 * pack_payload sets type and payload of a message, in as much memory as the text takes:
 * what the output function of the type takes is freed with context, which is emptied.
 */
static void
pack_payload(CormPayloads *payloads, Datum value, CormOutgoing *message, MemoryContext context)
{
	MemoryContext oldcontext;

	if (payloads->is_text)
	{
		corm_payload_text(payloads, value, message);
		return;
	}
	oldcontext = MemoryContextSwitchTo(context);
	corm_payload_text(payloads, value, message);
	MemoryContextSwitchTo(oldcontext);
	message->payload = memcpy(palloc(message->payload_len + 1), message->payload, message->payload_len);
	MemoryContextReset(context);
}

/*
 * publish_array publishes the elements of an array, and returns the number of groups that
 * they go to.  Raises 22004 if one is NULL, and what corm_publish_messages raises.
 */
static int
publish_array(CormTopicRef *ref, ArrayType *array)
{
	char	   *name = pstrdup(NameStr(ref->name));
	CormPublishOptions options = {0};
	CormPayloads payloads;
	CormOutgoing *messages;
	Oid			type = ARR_ELEMTYPE(array);
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	MemoryContext context;

	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign, &elems, &nulls, &n);
	corm_payloads_init(&payloads, type);
	messages = palloc_extended(Max(n, 1) * sizeof(CormOutgoing), MCXT_ALLOC_HUGE);
	context = AllocSetContextCreate(CurrentMemoryContext, "corm payload", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("payload must not be null"),
					 errdetail("Element %d of the array is null.", i + 1)));
		CHECK_FOR_INTERRUPTS();
		messages[i].key_len = messages[i].headers_len = -1;
		pack_payload(&payloads, elems[i], &messages[i], context);
	}
	MemoryContextDelete(context);
	ref = corm_topic_ref(name);
	corm_topic_check_publish(ref);
	return corm_publish_messages(ref, messages, n, &options);
}

static void
check_payloads(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("payloads must not be null")));
}

/* publish_many(topic, payloads anyarray) -> int */
Datum
corm_message_publish_many(PG_FUNCTION_ARGS)
{
	CormTopicRef *ref = topic_to_publish(fcinfo);

	check_payloads(fcinfo);
	PG_RETURN_INT32(publish_array(ref, PG_GETARG_ARRAYTYPE_P(1)));
}

/* publish_many(topic, payloads text) -> int: an array of texts that has no type, such as a driver's parameter */
Datum
corm_message_publish_many_text(PG_FUNCTION_ARGS)
{
	CormTopicRef *ref = topic_to_publish(fcinfo);

	check_payloads(fcinfo);
	PG_RETURN_INT32(publish_array(ref, DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN, text_to_cstring(PG_GETARG_TEXT_PP(1)),
																			   TEXTOID, -1))));
}
