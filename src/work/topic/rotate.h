/*-------------------------------------------------------------------------
 *
 * rotate.h
 *		Emptying the tables of durable topics, whole.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_ROTATE_H
#define CORM_TOPIC_ROTATE_H

/* So many messages of a topic make its tables rotate. */
#define CORM_ROTATE_AFTER	20000

extern void corm_rotate_init(void);
extern void corm_rotate_wake(Oid db);

#endif							/* CORM_TOPIC_ROTATE_H */
