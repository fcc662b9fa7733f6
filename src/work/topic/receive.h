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

/*
 * What a call of corm.topic_handle does, in the memory of the transaction.  A message that is
 * given back was at fault if it was the only one that its handler got, or, when the
 * handler had come to its end, the only one that the transaction handled.
 */
typedef struct CormHandling
{
	int			handed;			/* messages that handlers have got */
	int			last;			/* of these, in the last batch */
	bool		single;			/* the last one must be the only one */
	struct TakeEffect *take;	/* of the last batch */
} CormHandling;

extern int	corm_receive_for_handler(const char *topic, const char *grp, int max, CormHandling *handling,
									 CormMessageSink sink, void *arg);
extern void corm_receive_handled(CormHandling *handling);
extern int64 corm_in_hand_of(int group, uint64 group_gen);

#endif							/* CORM_TOPIC_RECEIVE_H */
