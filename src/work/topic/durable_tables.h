/*-------------------------------------------------------------------------
 *
 * durable_tables.h
 *		The tables of durable topics, for those who read and write them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_DURABLE_TABLES_H
#define CORM_TOPIC_DURABLE_TABLES_H

#include "postgres.h"

#include "access/genam.h"
#include "storage/lock.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#define CORM_DURABLE_TABLES		3

#define Natts_topic_messages			9
#define Anum_topic_messages_topic_id	1
#define Anum_topic_messages_seq			2
#define Anum_topic_messages_published_at 3
#define Anum_topic_messages_due			4
#define Anum_topic_messages_key			5
#define Anum_topic_messages_headers		6
#define Anum_topic_messages_type		7
#define Anum_topic_messages_payload		8
#define Anum_topic_messages_dedup_id	9

#define Natts_topic_settled				4
#define Anum_topic_settled_group_id		1
#define Anum_topic_settled_epoch		2
#define Anum_topic_settled_first_seq	3
#define Anum_topic_settled_last_seq		4

#define Natts_topic_cursors				4
#define Anum_topic_cursors_group_id		1
#define Anum_topic_cursors_topic_id		2
#define Anum_topic_cursors_epoch		3
#define Anum_topic_cursors_settled		4

/* The three tables of a kind, opened for reading. */
typedef struct CormDurableTables
{
	Relation	rel[CORM_DURABLE_TABLES];
	Snapshot	snapshot;
} CormDurableTables;

/* Which of the tables take new rows, and from which the rows of use have been copied. */
typedef struct CormDurableRotation
{
	int			current;
	int			next;			/* that will be current */
	uint64		drained;		/* the transaction that has copied the rows of next; 0: none has */
} CormDurableRotation;

extern Relation corm_durable_open(const char *name, int number, LOCKMODE mode);
extern Relation corm_durable_open_current(const char *name);
extern void corm_durable_rotation(CormDurableRotation *rotation);
extern Oid	corm_durable_index(Relation rel);
extern void corm_durable_tag(LOCKTAG *tag, uint64 id, uint16 kind);
extern void corm_durable_open_all(CormDurableTables *tables, const char *name);
extern void corm_durable_close_all(CormDurableTables *tables);
extern SysScanDesc corm_durable_begin_range(Relation rel, Snapshot snapshot, uint64 topic_id, int64 first, int64 last);

#endif							/* CORM_TOPIC_DURABLE_TABLES_H */
