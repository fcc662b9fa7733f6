/*-------------------------------------------------------------------------
 *
 * room.h
 *		Room for messages in a topic.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_ROOM_H
#define CORM_TOPIC_ROOM_H

#include "work/topic/definitions.h"
#include "work/topic/shared.h"

/* Room that messages want, or have. */
typedef struct CormRoom
{
	int			slot;			/* of the topic */
	uint64		gen;
	int			n;				/* messages */
	int64		bytes;			/* of their payloads */
	bool		reserved;		/* taken, until the commit */
} CormRoom;

typedef enum CormRoomFound
{
	CORM_ROOM_FREE,				/* there is room */
	CORM_ROOM_LATER,			/* there will be */
	CORM_ROOM_NEVER				/* not as long as this transaction lasts */
} CormRoomFound;

extern void corm_room_prepare(void);
extern CormRoomFound corm_room_make(CormTopic *topic, const CormRoom *room, const CormGroup **full, CormBlockChain *freed);
extern void corm_room_take(CormTopic *topic, CormRoom *room);
extern void corm_room_give(CormTopic *topic, CormRoom *room);
extern void corm_room_sleep(CormTopic *topic, bool *sleeping);
extern void corm_room_error(const CormTopicRef *ref, const char *group, bool own_only) pg_attribute_noreturn();
extern void corm_room_wait(CormTopicRef *ref, int64 bytes, const char *dedup_id);

#endif							/* CORM_TOPIC_ROOM_H */
