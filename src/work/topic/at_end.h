/*-------------------------------------------------------------------------
 *
 * at_end.h
 *		What happens to topics and groups in shared memory as a transaction ends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_AT_END_H
#define CORM_TOPIC_AT_END_H

#include "work/topic/definitions.h"

extern void corm_at_end_topic_made(const CormTopicRef *ref);
extern void corm_at_end_topic_dropped(uint64 id);
extern void corm_at_end_topic_settings(uint64 id, const CormTopicSettings *settings);
extern void corm_at_end_group_made(const CormTopicRef *topic, const CormGroupRef *ref);
extern void corm_at_end_group_dropped(const CormTopicRef *topic, const CormGroupRef *ref);

#endif							/* CORM_TOPIC_AT_END_H */
