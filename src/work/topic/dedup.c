/*-------------------------------------------------------------------------
 *
 * dedup.c
 *		The ids of messages that a topic remembers, so that none comes twice.
 *
 * What is remembered of an id is its hash, in a list by age and in the buckets of a hash table.  Until
 * the transaction that publishes the message commits, the record says which one that is, so that
 * others with the same id wait for its end, as for a row of a unique index.
 *
 * The functions here need the topic's lock and raise nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "common/hashfn.h"
#include "storage/proc.h"
#include "work/topic/dedup.h"

/* corm_dedup_hash computes the hash under which the id of a message is remembered. */
void
corm_dedup_hash(const char *id, uint64 *hash)
{
	for (int i = 0; i < 2; i++)
		hash[i] = hash_bytes_extended((const unsigned char *) id, strlen(id), corm_topics->seed + i);
}

/* corm_dedup_add remembers the id of a message, in the first of some blocks.  Returns the record. */
CormBlockId
corm_dedup_add(CormTopic *topic, const uint64 *hash, int64 until, CormBlockChain *blocks)
{
	CormBlockChain one = {0};
	CormDedup  *dedup;
	CormBlockId *bucket = &topic->dedup_bucket[hash[0] % CORM_DEDUP_BUCKETS];

	corm_blocks_split(&corm_work_blocks, blocks, 1, &one);
	corm_blocks_linked(&corm_work_blocks, 1);
	dedup = corm_dedup(one.first);
	memset(dedup, 0, sizeof(CormDedup));
	memcpy(dedup->hash, hash, sizeof(dedup->hash));
	dedup->until = until;
	dedup->hash_next = *bucket;
	*bucket = one.first;
	dedup->prev = topic->dedup_last;
	if (topic->dedup_last != 0)
		corm_dedup(topic->dedup_last)->next = one.first;
	else
		topic->dedup_first = one.first;
	topic->dedup_last = one.first;
	return one.first;
}

/* corm_dedup_forget forgets the id of a message. */
void
corm_dedup_forget(CormTopic *topic, CormBlockId id, CormBlockChain *freed)
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

/* corm_dedup_find returns what a topic remembers of an id, NULL if nothing or for too long. */
CormDedup *
corm_dedup_find(CormTopic *topic, const uint64 *hash, int64 now)
{
	CormDedup  *dedup;

	for (CormBlockId id = topic->dedup_bucket[hash[0] % CORM_DEDUP_BUCKETS]; id != 0; id = dedup->hash_next)
	{
		dedup = corm_dedup(id);
		if (dedup->hash[0] == hash[0] && dedup->hash[1] == hash[1] && (dedup->pending || dedup->until > now))
			return dedup;
	}
	return NULL;
}

/*
 * corm_dedup_claim remembers the id of a message that is not committed yet, in the first of some blocks.  Returns
 * its record, or 0 if the id is known already; then *owner is the transaction that has not
 * committed it, if there is one.
 */
CormBlockId
corm_dedup_claim(CormTopic *topic, const char *id, CormBlockChain *blocks, VirtualTransactionId *owner, CormBlockChain *freed)
{
	int64		now = corm_clock_mono();
	uint64		hash[2];
	CormBlockId record;
	CormDedup  *dedup;

	SetInvalidVirtualTransactionId(*owner);
	while (topic->dedup_first != 0 && !corm_dedup(topic->dedup_first)->pending &&
		   corm_dedup(topic->dedup_first)->until <= now)
		corm_dedup_forget(topic, topic->dedup_first, freed);

	corm_dedup_hash(id, hash);
	dedup = corm_dedup_find(topic, hash, now);
	if (dedup != NULL && dedup->pending)
		*owner = dedup->owner;
	if (dedup != NULL)
		return 0;

	record = corm_dedup_add(topic, hash, now + topic->settings.dedup, blocks);
	dedup = corm_dedup(record);
	dedup->pending = true;
	GET_VXID_FROM_PGPROC(dedup->owner, *MyProc);
	return record;
}
