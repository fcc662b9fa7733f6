/*-------------------------------------------------------------------------
 *
 * settings.h
 *		The settings of a session, for a job in another process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_SETTINGS_H
#define CORM_WORK_SETTINGS_H

#include "lib/stringinfo.h"

extern void corm_settings_collect(StringInfo buf);
extern void corm_settings_apply(const char *settings, Size len, bool for_session);

#endif							/* CORM_WORK_SETTINGS_H */
