/*-------------------------------------------------------------------------
 *
 * owners.h
 *		What becomes of topics when their owners and grantees go.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_OWNERS_H
#define CORM_TOPIC_OWNERS_H

extern void corm_topic_owners_init(void);
extern void corm_topics_forget_roles(void);

#endif							/* CORM_TOPIC_OWNERS_H */
