/*-------------------------------------------------------------------------
 *
 * notifier.h
 *		The workers that notify events.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_NOTIFIER_H
#define CORM_CACHE_NOTIFIER_H

#include "base/compat.h"

extern bool corm_notifiers_launch(void);
extern PGDLLEXPORT void corm_notifier_main(Datum arg);

#endif							/* CORM_CACHE_NOTIFIER_H */
