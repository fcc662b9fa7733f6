/*-------------------------------------------------------------------------
 *
 * log.h
 *		What happens to messages in shared memory: appended, handed out, settled.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_LOG_H
#define CORM_TOPIC_LOG_H

#include "work/topic/shared.h"

/* A message as a receiver gets it; key, headers and payload follow it. */
typedef struct CormTaken
{
	int64		seq;
	CormBlockId delivery;		/* 0 if it was only looked at */
	int32		attempt;
	bool		exhausted;
	bool		filtered;		/* refused by the group's filter */
	bool		failed;			/* the filter has raised an error */
	bool		lose;			/* as in the delivery */
	TimestampTz published_at;
	Oid			type;
	int32		key_len;		/* -1: none */
	int32		headers_len;	/* -1: none */
	int32		payload_len;
} CormTaken;

#define CORM_TAKEN_SIZE(t) \
	MAXALIGN(sizeof(CormTaken) + Max((t)->key_len, 0) + Max((t)->headers_len, 0) + (t)->payload_len)

/* A take: what is wanted, and what came of it. */
typedef struct CormTake
{
	int64		now;			/* monotonic time */
	int			max;
	char	   *buf;			/* where the messages are copied to */
	Size		size;
	Size		used;
	Size		needed;			/* the next one needs so much room */
	int			n;
	bool		filtering;		/* a filter is going to look at the messages */
	bool		want_blocks;	/* spare is used up */
	CormBlockChain spare;		/* for deliveries; held by this process */
	CormBlockId first;			/* the deliveries that were made, linked by
								 * mine_next */
	CormBlockId last;
	uint64		epoch;			/* of the group, durable topics */
} CormTake;

extern void corm_log_append(CormTopic *topic, CormBlockId first, int64 now, TimestampTz real,
							CormBlockChain *freed);
extern void corm_log_advance(CormTopic *topic, int64 to, int64 bytes, int64 now, CormBlockChain *freed);
extern void corm_log_mark(CormTopic *topic, int64 seq, int64 bytes);
extern int64 corm_log_bytes(CormTopic *topic);
extern int64 corm_log_least_bytes(CormTopic *topic);
extern void corm_log_count_bytes(CormTopic *topic);
extern void corm_log_release(CormTopic *topic, CormBlockId id, int64 now, CormBlockChain *freed);
extern void corm_log_free_all(CormTopic *topic, CormBlockChain *freed);
extern void corm_log_trim(CormTopic *topic, int64 now, bool all, CormBlockChain *freed);
extern CormBlockId corm_log_at(CormTopic *topic, int64 seq);
extern int64 corm_log_seq_at_time(CormTopic *topic, TimestampTz time);
extern void corm_log_start_group(CormTopic *topic, CormGroup *group, int64 next_seq);
extern void corm_log_end_group(CormTopic *topic, CormGroup *group, CormBlockChain *freed);
extern void corm_log_read(CormTake *take, const CormEntry *entry, CormBlockId delivery, int32 attempt,
						  bool exhausted);

extern int32 corm_group_capacity(const CormTopic *topic, const CormGroup *group);
extern void corm_group_take(CormTopic *topic, CormGroup *group, CormTake *take, CormBlockChain *freed);
extern void corm_group_look(CormTopic *topic, CormGroup *group, CormTake *take, CormBlockChain *freed);
extern bool corm_group_has_work(CormTopic *topic, CormGroup *group, int64 now);
extern int64 corm_group_next_due(CormGroup *group);
extern CormDelivery *corm_delivery_find(CormGroup *group, int64 seq, CormBlockId *id);
extern void corm_group_settle(CormTopic *topic, CormGroup *group, CormBlockId id, int64 now,
							  CormBlockChain *freed);
extern void corm_group_give_back(CormTopic *topic, CormGroup *group, CormBlockId id, int64 now,
								 int64 delay, CormBlockChain *freed);
extern void corm_group_lease(CormGroup *group, CormBlockId id, int64 until);
extern void corm_group_hold(CormGroup *group, CormBlockId id);
extern void corm_group_seek(CormTopic *topic, CormGroup *group, int64 seq, int64 now, CormBlockChain *freed);
extern void corm_group_skip_waiting(CormTopic *topic, CormGroup *group, int64 before, bool skip,
									int64 now, CormBlockChain *freed);
extern bool corm_group_next_is_single(CormTopic *topic, CormGroup *group, int64 now, CormBlockChain *freed);
extern void corm_group_acquit(CormGroup *group, CormBlockId id);
extern void corm_group_undeliver(CormGroup *group, CormBlockId id);
extern void corm_group_done(CormTopic *topic, CormGroup *group, CormBlockId id, int64 now,
							CormBlockChain *freed);
extern void corm_group_promote(CormTopic *topic, CormGroup *group, int64 now, CormBlockChain *freed);
extern void corm_groups_promote(CormTopic *topic, int64 now, CormBlockChain *freed);
extern void corm_group_settle_at_cursor(CormTopic *topic, CormGroup *group, int64 now,
										CormBlockChain *freed);
extern bool corm_group_in_hand(const CormDelivery *delivery);
extern int64 corm_group_oldest(CormTopic *topic, CormGroup *group);
extern int64 corm_group_oldest_free(CormTopic *topic, CormGroup *group, CormBlockId *id);
extern void corm_group_add_ready(CormGroup *group, int64 seq, CormBlockChain *blocks);
extern void corm_group_consider(CormGroup *group, CormBlockId id);
extern bool corm_group_admit(CormGroup *group, CormBlockId id, uint64 key_hash, int64 due);

#endif							/* CORM_TOPIC_LOG_H */
