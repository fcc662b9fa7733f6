/*-------------------------------------------------------------------------
 *
 * cron.h
 *		When a schedule is due: cron expressions and periods.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_CRON_H
#define CORM_WORK_TASK_CRON_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "pgtime.h"

typedef struct CormCron
{
	int64		period_us;		/* 0: a cron expression */
	uint64		seconds;		/* a bit for each value that is allowed */
	uint64		minutes;
	uint32		hours;
	uint32		days;			/* of the month, from bit 1 on */
	uint32		months;			/* from bit 1 on */
	uint32		weekdays;		/* Sunday is bit 0 */
	bool		any_day;		/* the day of the month is * */
	bool		any_weekday;
} CormCron;

extern void corm_cron_parse(const char *spec, CormCron *cron);
extern bool corm_cron_next(const CormCron *cron, TimestampTz after, pg_tz *tz, TimestampTz *next);

#endif							/* CORM_WORK_TASK_CRON_H */
