/*-------------------------------------------------------------------------
 *
 * events.c
 *		The ring of events: which entries went away, and why.
 *
 * Records of variable size follow each other in a ring of bytes.  Positions
 * count bytes since the start of the server, so they only grow.  A record that
 * would not fit before the ring's end is preceded by padding.
 *
 * The ring has two kinds of readers.  Notifiers (workers/notifier.c) read the
 * records of their database and declare them consumed.  A record that is not
 * yet consumed is never overwritten: if there is no room, the new event is
 * dropped and counted, and the next one that is stored says how many are
 * missing before it.  corm.cache_events shows what is still there, consumed or
 * not.
 *
 * On a standby, NOTIFY is not possible.  Events are consumed from the start
 * there, and the ring is only a history.
 *
 * ring_lock protects all of this and the event fields of CormDatabase.  Pushing
 * raises nothing; reading copies raw records out and decodes them without the
 * lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/blocks.h"
#include "base/clock.h"
#include "cache/shared/events.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"

typedef struct RingRecord
{
	uint32		size;			/* of the record, a multiple of 8 */
	Oid			db;				/* InvalidOid: forgotten, or padding, which
								 * has no other fields */
	int64		seq;
	TimestampTz at;
	uint64		cache_id;
	uint32		lost;
	uint8		reason;
	bool		restricted;
	uint8		cache_len;
	uint8		channel_len;
	uint16		key_len;
	char		data[FLEXIBLE_ARRAY_MEMBER];	/* cache, channel, key */
} RingRecord;

static inline RingRecord *
record_at(uint64 position)
{
	return (RingRecord *) (corm_ring + position % corm_cache->ring_size);
}

/* corm_reason_name returns the name of a reason as users see it. */
const char *
corm_reason_name(CormReason reason)
{
	switch (reason)
	{
		case CORM_REASON_DELETED:
			return "deleted";
		case CORM_REASON_EXPIRED:
			return "expired";
		case CORM_REASON_SWEPT:
			return "swept";
		case CORM_REASON_EVICTED:
			return "evicted";
		case CORM_REASON_STALE:
			return "stale";
		case CORM_REASON_CLEARED:
			return "cleared";
		case CORM_REASON_NONE:
			break;
	}
	return "none";
}

/* wanted tells whether a cache that reports events reports this one. */
static bool
wanted(uint8 events, CormReason reason)
{
	switch (reason)
	{
		case CORM_REASON_DELETED:
		case CORM_REASON_CLEARED:
			return (events & CORM_EVENT_DELETED) != 0;
		case CORM_REASON_EXPIRED:
		case CORM_REASON_SWEPT:
			return (events & CORM_EVENT_EXPIRED) != 0;
		case CORM_REASON_EVICTED:
			return (events & CORM_EVENT_EVICTED) != 0;
		case CORM_REASON_STALE:
			return (events & CORM_EVENT_STALE) != 0;
		case CORM_REASON_NONE:
			break;
	}
	return false;
}

/*
 * make_room gives up the oldest consumed records until need bytes are free at
 * the ring's head.  Returns false if records that are not consumed are in the
 * way.  Needs ring_lock.
 */
static bool
make_room(uint32 need)
{
	uint64		keep = PG_UINT64_MAX;

	if (corm_cache->ring_head + need - corm_cache->ring_tail <= corm_cache->ring_size)
		return true;

	for (uint32 i = 0; i < corm_cache->ndbs_used; i++)
	{
		if (corm_databases[i].pending > 0)
			keep = Min(keep, corm_databases[i].cursor);
	}
	while (corm_cache->ring_head + need - corm_cache->ring_tail > corm_cache->ring_size)
	{
		if (corm_cache->ring_tail >= keep || corm_cache->ring_tail == corm_cache->ring_head)
			return false;
		corm_cache->ring_tail += record_at(corm_cache->ring_tail)->size;
	}
	return true;
}

/*
 * append_record stores an event, with the key of entry unless that is 0.  If
 * there is no room, it counts the event as lost and returns false.  Needs
 * ring_lock.
 */
static bool
append_record(CormDatabase *db, const CormNamespace *ns, CormReason reason,
			  CormBlockId entry)
{
	uint32		cache_len = strlen(NameStr(ns->name));
	uint32		channel_len = strlen(NameStr(ns->channel));
	uint32		key_len = entry != 0 ? corm_entry(entry)->key_len : 0;
	uint32		size = MAXALIGN(offsetof(RingRecord, data) + cache_len + channel_len + key_len);
	uint32		to_end = corm_cache->ring_size - corm_cache->ring_head % corm_cache->ring_size;
	uint32		padding = to_end < size ? to_end : 0;
	RingRecord *record;
	char	   *p;

	db->seq++;
	if (!make_room(size + padding))
	{
		db->lost++;
		db->lost_run++;
		return false;
	}

	if (padding > 0)
	{
		record = record_at(corm_cache->ring_head);
		record->size = padding;
		record->db = InvalidOid;
		corm_cache->ring_head += padding;
	}

	record = record_at(corm_cache->ring_head);
	record->size = size;
	record->db = db->oid;
	record->seq = db->seq;
	record->at = corm_clock_real();
	record->cache_id = ns->id;
	record->lost = db->lost_run;
	record->reason = reason;
	record->restricted = ns->restricted;
	record->cache_len = cache_len;
	record->channel_len = channel_len;
	record->key_len = key_len;
	p = record->data;
	memcpy(p, NameStr(ns->name), cache_len);
	p += cache_len;
	memcpy(p, NameStr(ns->channel), channel_len);
	p += channel_len;
	if (entry != 0)
		corm_entry_read(entry, 0, p, key_len);

	if (!RecoveryInProgress())
	{
		if (db->pending++ == 0)
			db->cursor = corm_cache->ring_head;
	}
	db->lost_run = 0;
	corm_cache->ring_head += size;
	return true;
}

/*
 * corm_event_push records that an entry went away, or, if entry is 0, that a
 * whole cache was cleared, provided that the cache reports this.  The caller
 * still has blocks charged to the namespace, so that its slot cannot be reused,
 * and holds no shard lock.  Raises nothing.
 */
void
corm_event_push(uint16 nsno, CormReason reason, CormBlockId entry)
{
	CormNamespace *ns = &corm_namespaces[nsno];
	CormDatabase *db = &corm_databases[ns->dbslot];
	Latch	   *notifier = NULL;
	bool		launch = false;

	if (!wanted(ns->events, reason))
		return;

	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
	append_record(db, ns, reason, entry);
	if (db->pending > 0 && !db->notifier_awake)
	{
		db->notifier_awake = true;
		if (db->notifier_pid != 0)
			notifier = db->notifier_latch;
		else
			launch = true;
	}
	LWLockRelease(&corm_cache->ring_lock);

	if (notifier)
		SetLatch(notifier);
	if (launch)
		corm_sweeper_wake(0);
}

/*
 * corm_events_read copies the records of a database from *position on into buf,
 * as many as fit, and moves *position past the last one it looked at.  Returns
 * the number of bytes; 0 means that there are no more.
 */
Size
corm_events_read(Oid db, uint64 *position, char *buf, Size size)
{
	Size		used = 0;

	LWLockAcquire(&corm_cache->ring_lock, LW_SHARED);
	if (*position < corm_cache->ring_tail)
		*position = corm_cache->ring_tail;
	while (*position < corm_cache->ring_head)
	{
		RingRecord *record = record_at(*position);

		if (record->db == db && OidIsValid(db))
		{
			if (used + record->size > size)
				break;
			memcpy(buf + used, record, record->size);
			used += record->size;
		}
		*position += record->size;
	}
	LWLockRelease(&corm_cache->ring_lock);
	return used;
}

/*
 * corm_event_next decodes the record at *at, which corm_events_read has copied,
 * and moves *at to the next one.  Returns false at the end.  The event's key
 * points into the record.
 */
bool
corm_event_next(const char **at, const char *end, CormCacheEvent *event)
{
	const RingRecord *record = (const RingRecord *) *at;
	const char *p;

	if (*at >= end)
		return false;

	memset(event, 0, sizeof(CormCacheEvent));
	event->seq = record->seq;
	event->at = record->at;
	event->cache_id = record->cache_id;
	event->lost = record->lost;
	event->reason = (CormReason) record->reason;
	event->restricted = record->restricted;
	p = record->data;
	memcpy(NameStr(event->cache), p, record->cache_len);
	p += record->cache_len;
	memcpy(NameStr(event->channel), p, record->channel_len);
	p += record->channel_len;
	event->key = p;
	event->key_len = record->key_len;
	*at += record->size;
	return true;
}

/*
 * corm_event_key returns an event's key, palloc'd, or, to hide it, its SHA-256
 * hash in hexadecimal, by which a user who knows the key can recognize it.
 */
char *
corm_event_key(const CormCacheEvent *event, bool hide)
{
	pg_cryptohash_ctx *ctx;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *result;

	if (!hide || event->reason == CORM_REASON_CLEARED)
		return pnstrdup(event->key, event->key_len);

	ctx = pg_cryptohash_create(PG_SHA256);
	if (pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, (const uint8 *) event->key, event->key_len) < 0 ||
		pg_cryptohash_final(ctx, digest, sizeof(digest)) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not compute a SHA-256 hash")));
	pg_cryptohash_free(ctx);

	result = palloc(2 * sizeof(digest) + 1);
	for (int i = 0; i < sizeof(digest); i++)
		sprintf(result + 2 * i, "%02x", digest[i]);
	return result;
}

/*
 * corm_events_consumed declares the first n pending events of a database
 * consumed; position is where reading them ended.
 */
void
corm_events_consumed(CormDatabase *db, uint64 position, int n)
{
	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);

	/* Unless they have been dropped since: then what is pending is newer. */
	if (position > db->cursor)
	{
		db->pending = Max(db->pending - n, 0);
		db->cursor = position;
	}
	LWLockRelease(&corm_cache->ring_lock);
}

/*
 * corm_events_drop drops the pending events of a database, which cannot be
 * notified.  They count as lost.  Raises nothing.
 */
void
corm_events_drop(CormDatabase *db)
{
	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
	db->lost += db->pending;
	db->lost_run += db->pending;
	db->pending = 0;
	db->cursor = corm_cache->ring_head;
	db->stuck_since = 0;
	if (db->notifier_pid == 0)
		db->notifier_awake = false; /* the next event asks for one again */
	LWLockRelease(&corm_cache->ring_lock);
}

/*
 * corm_events_forget hides the events of a database that are still in the ring.
 * None of them may be pending.  Raises nothing.
 */
void
corm_events_forget(Oid db)
{
	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
	for (uint64 position = corm_cache->ring_tail; position < corm_cache->ring_head;
		 position += record_at(position)->size)
	{
		if (record_at(position)->db == db)
			record_at(position)->db = InvalidOid;
	}
	LWLockRelease(&corm_cache->ring_lock);
}

/* corm_database_find returns the slot of a database, or NULL. */
CormDatabase *
corm_database_find(Oid db)
{
	CormDatabase *found = NULL;

	LWLockAcquire(&corm_cache->ring_lock, LW_SHARED);
	for (uint32 i = 0; i < corm_cache->ndbs_used && !found; i++)
	{
		if (corm_databases[i].oid == db)
			found = &corm_databases[i];
	}
	LWLockRelease(&corm_cache->ring_lock);
	return found;
}
