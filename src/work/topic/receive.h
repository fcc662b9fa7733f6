/*-------------------------------------------------------------------------
 *
 * receive.h
 *		Receiving messages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_RECEIVE_H
#define CORM_TOPIC_RECEIVE_H

#include "work/topic/definitions.h"
#include "work/topic/message.h"

/* Where received messages go.  It may raise; then they are given back. */
typedef void (*CormMessageSink) (const CormTaken *taken, void *arg);

extern int	corm_receive_messages(const char *topic, const char *grp, int max, int64 timeout,
								  CormMessageSink sink, void *arg);
extern int64 corm_in_hand_of(int group, uint64 group_gen);

#endif							/* CORM_TOPIC_RECEIVE_H */
