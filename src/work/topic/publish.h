/*-------------------------------------------------------------------------
 *
 * publish.h
 *		Publishing messages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_PUBLISH_H
#define CORM_TOPIC_PUBLISH_H

#include "work/topic/definitions.h"
#include "work/topic/message.h"

/* How messages are published. */
typedef struct CormPublishOptions
{
	const char *dedup_id;		/* NULL: none */
	int64		due;			/* monotonic time; 0: at once */
	bool		immediate;
	bool		dead_letter;	/* never wait; whether the topic is full or closed
								 * is no error */
} CormPublishOptions;

extern int	corm_publish_messages(CormTopicRef *ref, const CormOutgoing *messages, int n,
								  const CormPublishOptions *options);
extern bool corm_publish_entry(int slot, uint64 gen, CormBlockChain *chain);

#endif							/* CORM_TOPIC_PUBLISH_H */
