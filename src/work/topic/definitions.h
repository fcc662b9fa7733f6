/*-------------------------------------------------------------------------
 *
 * definitions.h
 *		Which topics and groups there are, as a session sees them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_DEFINITIONS_H
#define CORM_TOPIC_DEFINITIONS_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"
#include "work/topic/shared.h"

#define Natts_topic_definitions				10
#define Anum_topic_definitions_name			1
#define Anum_topic_definitions_id			2
#define Anum_topic_definitions_owner		3
#define Anum_topic_definitions_durable		4
#define Anum_topic_definitions_capacity		5
#define Anum_topic_definitions_max_bytes	6
#define Anum_topic_definitions_overflow		7
#define Anum_topic_definitions_retention	8
#define Anum_topic_definitions_dedup		9
#define Anum_topic_definitions_closed		10

#define Natts_group_definitions				18
#define Anum_group_definitions_topic		1
#define Anum_group_definitions_grp			2
#define Anum_group_definitions_id			3
#define Anum_group_definitions_owner		4
#define Anum_group_definitions_capacity		5
#define Anum_group_definitions_ack			6
#define Anum_group_definitions_ordered		7
#define Anum_group_definitions_max_attempts 8
#define Anum_group_definitions_retry_delay	9
#define Anum_group_definitions_dead_letter	10
#define Anum_group_definitions_handler		11
#define Anum_group_definitions_pool			12
#define Anum_group_definitions_batch		13
#define Anum_group_definitions_filter		14
#define Anum_group_definitions_filter_path	15
#define Anum_group_definitions_lease		16
#define Anum_group_definitions_session_owner 17
#define Anum_group_definitions_handler_owner 18

/* A topic, as the session knows it, with the rights of the current role. */
typedef struct CormTopicRef
{
	NameData	name;			/* must be first: the key */
	uint64		generation;
	Oid			userid;			/* whose rights these are */
	uint64		id;
	Oid			owner;
	CormTopicSettings settings;
	bool		can_publish;
	bool		can_receive;
	int			slot;			/* -1: not known */
	uint64		gen;
} CormTopicRef;

typedef struct CormGroupKey
{
	NameData	topic;
	NameData	grp;
} CormGroupKey;

/* A group, as the session knows it. */
typedef struct CormGroupRef
{
	CormGroupKey key;			/* must be first */
	uint64		generation;
	bool		temporary;
	uint64		id;
	Oid			owner;
	CormGroupSettings settings;
	char	   *dead_letter;	/* these are NULL if there is none */
	char	   *handler;
	Oid			handler_owner;	/* of the function, when the group was made */
	char	   *pool;
	char	   *filter;
	char	   *filter_path;
	int			batch;
	int			group;			/* slot, -1: not known */
	uint64		group_gen;
	int			topic_slot;		/* of the topic for which that is known */
	uint64		topic_gen;
} CormGroupRef;

extern void corm_definitions_init(void);
extern Relation corm_topic_definitions_open(LOCKMODE lockmode);
extern Relation corm_topic_grants_open(LOCKMODE lockmode);
extern Relation corm_group_definitions_open(LOCKMODE lockmode);
extern bool corm_have_topics(void);
extern int64 corm_span_us(const Interval *span, const char *what);

extern CormTopicRef *corm_topic_ref_or_null(const char *name);
extern CormTopicRef *corm_topic_ref(const char *name);
extern bool corm_topic_owned(const CormTopicRef *ref);
extern void corm_topic_check_restricted(void);
extern void corm_topic_check_publish(const CormTopicRef *ref);
extern void corm_topic_check_receive(const CormTopicRef *ref);
extern void corm_topic_attach(CormTopicRef *ref);
extern void corm_topic_gone(const char *name) pg_attribute_noreturn();

extern CormGroupRef *corm_group_ref_or_null(const char *topic, const char *grp);
extern CormGroupRef *corm_group_ref(const CormTopicRef *topic, const char *grp);
extern void corm_group_attach(const CormTopicRef *topic, CormGroupRef *ref);
extern void corm_group_ref_temporary(const CormTopicRef *topic, const char *grp, const CormGroupRef *from);
extern void corm_group_ref_forget(uint64 id);
extern void corm_temporary_groups_end(void);
extern void corm_topics_attach_durable(void);
extern void corm_seed_init(CormGroupSeed *seed, const CormGroupRef *ref);
extern bool corm_overflow_parse(const char *name, CormOverflow *overflow);

#endif							/* CORM_TOPIC_DEFINITIONS_H */
