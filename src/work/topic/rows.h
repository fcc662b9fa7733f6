/*-------------------------------------------------------------------------
 *
 * rows.h
 *		The rows of topics, groups and privileges: locked, found, removed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_ROWS_H
#define CORM_TOPIC_ROWS_H

#include "fmgr.h"
#include "work/topic/definitions.h"

extern void corm_topic_lock_name(Relation definitions, const char *name);
extern HeapTuple corm_topic_find_row(Relation definitions, const char *name);
extern HeapTuple corm_group_find_row(Relation groups, const char *topic, const char *grp);
extern void corm_topic_changed(Relation definitions);
extern void corm_topic_remove(Relation definitions, HeapTuple tuple);

#endif							/* CORM_TOPIC_ROWS_H */
