/*-------------------------------------------------------------------------
 *
 * events.h
 *		The ring of cache events.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_EVENTS_H
#define CORM_CACHE_EVENTS_H

#include "base/blocks.h"
#include "cache/shared/shared.h"

typedef struct CormCacheEvent
{
	int64		seq;
	TimestampTz at;
	uint64		cache_id;		/* another cache may have its name now */
	uint32		lost;			/* events dropped just before this one */
	CormReason	reason;
	bool		restricted;
	NameData	cache;
	NameData	channel;
	const char *key;			/* in the buffer that was read */
	uint32		key_len;
} CormCacheEvent;

extern const char *corm_reason_name(CormReason reason);
extern char *corm_event_key(const CormCacheEvent *event, bool hide);
extern void corm_event_push(uint16 ns, CormReason reason, CormBlockId entry);
extern Size corm_events_read(Oid db, uint64 *position, char *buf, Size size);
extern bool corm_event_next(const char **at, const char *end, CormCacheEvent *event);
extern void corm_events_consumed(CormDatabase *db, uint64 position, int n);
extern void corm_events_drop(CormDatabase *db);
extern void corm_events_forget(Oid db);
extern CormDatabase *corm_database_find(Oid db);

#endif							/* CORM_CACHE_EVENTS_H */
