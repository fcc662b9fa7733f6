/*-------------------------------------------------------------------------
 *
 * handlers.h
 *		Groups whose messages are handled by tasks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_HANDLERS_H
#define CORM_TOPIC_HANDLERS_H

#include "work/topic/shared.h"

/* The workers that are to be woken, when the topic's lock is released. */
#define CORM_MAX_HANDLERS	16

typedef struct CormHandlers
{
	Oid			db;
	int			n;
	Oid			roles[CORM_MAX_HANDLERS];
} CormHandlers;

extern void corm_handlers_init(void);
extern void corm_handlers_of(const CormTopic *topic, CormHandlers *handlers);
extern void corm_handlers_wake(const CormHandlers *handlers);
extern char *corm_handler_check(Oid function, Oid *owner);

#endif							/* CORM_TOPIC_HANDLERS_H */
