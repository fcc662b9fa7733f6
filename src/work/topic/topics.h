/*-------------------------------------------------------------------------
 *
 * topics.h
 *		Topics and messages, as the rest of the layer sees them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_TOPICS_H
#define CORM_TOPIC_TOPICS_H

extern void corm_topics_init(void);

#endif							/* CORM_TOPIC_TOPICS_H */
