/*-------------------------------------------------------------------------
 *
 * durable.h
 *		Durable topics: messages and settlements as rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_DURABLE_H
#define CORM_TOPIC_DURABLE_H

#include "work/topic/definitions.h"
#include "work/topic/message.h"

/* A message that is to become a row. */
typedef struct CormDurableMessage
{
	CormOutgoing message;
	const char *dedup_id;		/* NULL: none */
	TimestampTz due;			/* 0: at once */
} CormDurableMessage;

/* What the tables say of a topic. */
typedef struct CormDurableState
{
	int64		last_seq;
	int64		first_seq;
	int			ndedup;			/* ids that are remembered still, oldest first */
	char	  **dedup_ids;
	TimestampTz *dedup_times;
	int64		last_bytes;		/* of the payloads, from the oldest message that
								 * some group has not settled on */
	CormByteMarks marks;
} CormDurableState;

typedef struct CormDurableInsert CormDurableInsert;

extern void corm_durable_lock(uint64 topic_id);
extern void corm_durable_lock_group(uint64 group_id);
extern void corm_durable_unlock_group(uint64 group_id);
extern CormDurableInsert *corm_durable_insert_begin(void);
extern void corm_durable_insert(CormDurableInsert *insert, uint64 topic_id, int64 first_seq,
								const CormDurableMessage *messages, int n);
extern void corm_durable_insert_end(CormDurableInsert *insert);
extern void corm_durable_fetch(uint64 topic_id, CormTake *take, TimestampTz *due, bool *found);
extern void corm_durable_settle(uint64 group_id, uint64 epoch, const int64 *seqs, int n);
extern void corm_durable_load(const CormTopicRef *topic, CormDurableState *state, CormGroupSeed *seeds, int nseeds);
extern void corm_durable_settle_but(uint64 group_id, uint64 epoch, int64 first, int64 last, const int64 *seqs, int n);
extern bool corm_durable_cursor_lock(uint64 group_id, bool wait);
extern void corm_durable_cursor_set(uint64 topic_id, uint64 group_id, uint64 epoch, int64 settled);
extern bool corm_durable_cursor_get(uint64 group_id, uint64 *epoch, int64 *settled, bool *mine);
extern int64 corm_durable_purged(uint64 topic_id);
extern void corm_durable_cursor_delete(uint64 group_id);
extern void corm_durable_know_bytes(int slot, uint64 gen, uint64 topic_id, int64 seq, CormByteMarks *known);
extern int64 corm_durable_first_seq(uint64 topic_id, int64 otherwise);
extern int64 corm_durable_seq_at_time(uint64 topic_id, TimestampTz time);
extern bool corm_durable_published_at(uint64 topic_id, int64 seq, TimestampTz *time);

#endif							/* CORM_TOPIC_DURABLE_H */
