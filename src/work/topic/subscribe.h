/*-------------------------------------------------------------------------
 *
 * subscribe.h
 *		Where a group starts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_SUBSCRIBE_H
#define CORM_TOPIC_SUBSCRIBE_H

#include "datatype/timestamp.h"

/* A place in a topic: the number of a message, or a time. */
typedef struct CormStart
{
	bool		is_time;
	int64		seq;
	TimestampTz time;
} CormStart;

extern CormStart corm_start_parse(const char *text);

#endif							/* CORM_TOPIC_SUBSCRIBE_H */
