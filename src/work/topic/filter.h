/*-------------------------------------------------------------------------
 *
 * filter.h
 *		Filters of groups: a condition on the messages that a group wants.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_FILTER_H
#define CORM_TOPIC_FILTER_H

#include "work/topic/log.h"

typedef struct CormFilter CormFilter;

extern char *corm_filter_path(void);
extern void corm_filter_check(const char *condition);
extern CormFilter *corm_filter_make(const char *condition, const char *path, Oid owner);
extern void corm_filter_end(CormFilter *filter);
extern void corm_filter_messages(CormFilter *filter, char *messages, int n, const char *topic, const char *grp);

#endif							/* CORM_TOPIC_FILTER_H */
