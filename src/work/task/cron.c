/*-------------------------------------------------------------------------
 *
 * cron.c
 *		When a schedule is due: cron expressions and periods.
 *
 * A specification is one of:
 *
 *		minute hour day month weekday			five fields
 *		second minute hour day month weekday	six fields
 *		@hourly @daily @midnight @weekly @monthly @yearly @annually
 *		every <interval>
 *
 * A field is *, a value, a range a-b, any of these with a step (/n), or a list of all
 * that with commas.  Months and weekdays also have names of three letters; Sunday is 0
 * or 7.  If both the day of the month and the weekday are restricted, either one is
 * enough, as everywhere.
 *
 * Times are those of a time zone.  A local time that does not exist, because clocks
 * are put forward, is that much later; one that exists twice is the first of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/args.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"
#include "work/task/cron.h"

/* How far to look: the 29th of February that is a certain weekday comes in 28 years, or 40 around 2100. */
#define MAX_YEARS	41
#define MAX_PERIOD_US	(INT64CONST(36525) * USECS_PER_DAY)

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

/* bad_spec raises 22023. */
static void
bad_spec(const char *spec, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid schedule \"%s\"", spec),
			 errdetail("%s", what),
			 errhint("Use five or six fields as in cron, @hourly and the like, or every and an interval.")));
}

/* get_value reads a number or a name, and moves *at past it. */
static int
get_value(const char *spec, const char **at, const char *const *names, int nnames, int first)
{
	char	   *end;
	long		value;

	for (int i = 0; i < nnames; i++)
	{
		if (pg_strncasecmp(*at, names[i], 3) == 0)
		{
			*at += 3;
			return i + first;
		}
	}
	if (!isdigit((unsigned char) **at))
		bad_spec(spec, "A field has something that is no value.");
	value = strtol(*at, &end, 10);
	*at = end;
	return (int) Min(value, 1000);
}

/*
 * get_field reads a field with values from min to max, and returns a bit for each that
 * it allows.  *any tells whether it begins with *.
 */
static uint64
get_field(const char *spec, const char *field, int min, int max, const char *const *names, int nnames, bool *any)
{
	const char *at = field;
	uint64		bits = 0;

	*any = *at == '*';
	for (;;)
	{
		int			from = min;
		int			to = max;
		int			step = 1;

		if (*at == '*')
			at++;
		else
		{
			from = to = get_value(spec, &at, names, nnames, min);
			if (*at == '-')
			{
				at++;
				to = get_value(spec, &at, names, nnames, min);
			}
			else if (*at == '/')
				to = max;
		}
		if (*at == '/')
		{
			at++;
			step = get_value(spec, &at, NULL, 0, 0);
		}
		if (from < min || to > max || from > to || step < 1)
			bad_spec(spec, "A value is out of range.");
		for (int value = from; value <= to; value += step)
			bits |= UINT64CONST(1) << value;
		if (*at == '\0')
			return bits;
		if (*at++ != ',')
			bad_spec(spec, "A field has something that is no value.");
	}
}

/* expand returns the cron expression that a word stands for. */
static const char *
expand(const char *spec)
{
	static const struct
	{
		const char *word;
		const char *spec;
	}			words[] = {
		{"@hourly", "0 * * * *"},
		{"@daily", "0 0 * * *"},
		{"@midnight", "0 0 * * *"},
		{"@weekly", "0 0 * * 0"},
		{"@monthly", "0 0 1 * *"},
		{"@yearly", "0 0 1 1 *"},
		{"@annually", "0 0 1 1 *"},
	};

	for (int i = 0; i < lengthof(words); i++)
	{
		if (pg_strcasecmp(spec, words[i].word) == 0)
			return words[i].spec;
	}
	return spec;
}

/* read_interval reads the interval of a specification.  Raises 22023. */
static Interval *
read_interval(const char *spec, const char *text)
{
	MemoryContext context = CurrentMemoryContext;
	Interval   *volatile interval = NULL;

	PG_TRY();
	{
		interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
														 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		bad_spec(spec, psprintf("Its interval cannot be read: %s.", error->message));
	}
	PG_END_TRY();
	return interval;
}

/* parse_period reads "every <interval>".  Raises 22023. */
static void
parse_period(const char *spec, CormCron *cron)
{
	cron->period_us = corm_interval_length(read_interval(spec, spec + strlen("every ")));
	if (cron->period_us < USECS_PER_SEC)
		bad_spec(spec, "A period must be at least one second.");
	if (cron->period_us > MAX_PERIOD_US)
		bad_spec(spec, "A period must be at most a century.");
}

/* corm_cron_parse parses a specification.  Raises 22023. */
void
corm_cron_parse(const char *spec, CormCron *cron)
{
	char	   *copy;
	char	   *fields[7];
	int			n = 0;
	int			i = 0;
	bool		any;

	memset(cron, 0, sizeof(CormCron));
	if (pg_strncasecmp(spec, "every ", strlen("every ")) == 0)
	{
		parse_period(spec, cron);
		return;
	}
	copy = pstrdup(expand(spec));
	for (char *field = strtok(copy, " \t\n"); field != NULL && n < lengthof(fields); field = strtok(NULL, " \t\n"))
		fields[n++] = field;
	if (n != 5 && n != 6)
		bad_spec(spec, "It must have five or six fields.");
	cron->seconds = n == 6 ? get_field(spec, fields[i++], 0, 59, NULL, 0, &any) : 1;
	cron->minutes = get_field(spec, fields[i++], 0, 59, NULL, 0, &any);
	cron->hours = (uint32) get_field(spec, fields[i++], 0, 23, NULL, 0, &any);
	cron->days = (uint32) get_field(spec, fields[i++], 1, 31, NULL, 0, &cron->any_day);
	cron->months = (uint32) get_field(spec, fields[i++], 1, 12, month_names, lengthof(month_names), &any);
	cron->weekdays = (uint32) get_field(spec, fields[i++], 0, 7, day_names, lengthof(day_names), &cron->any_weekday);
	if (cron->weekdays & (1 << 7))
		cron->weekdays |= 1;
	pfree(copy);
}

/* allows_day tells whether a date is one of the expression's. */
static bool
allows_day(const CormCron *cron, const struct pg_tm *tm)
{
	bool		day = (cron->days & ((uint32) 1 << tm->tm_mday)) != 0;
	bool		weekday = (cron->weekdays & ((uint32) 1 << j2day(date2j(tm->tm_year, tm->tm_mon, tm->tm_mday)))) != 0;

	if ((cron->months & ((uint32) 1 << tm->tm_mon)) == 0)
		return false;
	if (cron->any_day || cron->any_weekday)
		return day && weekday;
	return day || weekday;
}

/*
 * next_of_day finds the first time of a day, not before the hour, minute and second in
 * *tm, that the expression allows.  Returns false if there is none.
 */
static bool
next_of_day(const CormCron *cron, struct pg_tm *tm)
{
	for (int hour = tm->tm_hour; hour < HOURS_PER_DAY; hour++)
	{
		if ((cron->hours & ((uint32) 1 << hour)) == 0)
			continue;
		for (int minute = hour == tm->tm_hour ? tm->tm_min : 0; minute < MINS_PER_HOUR; minute++)
		{
			if ((cron->minutes & (UINT64CONST(1) << minute)) == 0)
				continue;
			for (int second = hour == tm->tm_hour && minute == tm->tm_min ? tm->tm_sec : 0; second < SECS_PER_MINUTE; second++)
			{
				if ((cron->seconds & (UINT64CONST(1) << second)) == 0)
					continue;
				tm->tm_hour = hour;
				tm->tm_min = minute;
				tm->tm_sec = second;
				return true;
			}
		}
	}
	return false;
}

/*
 * corm_cron_next finds the first time after another one at which a schedule is due, in
 * a time zone.  Returns false if there is none, as for the 31st of February.
 */
bool
corm_cron_next(const CormCron *cron, TimestampTz after, pg_tz *tz, TimestampTz *next)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	int			last_year;

	if (cron->period_us > 0)
	{
		*next = after + cron->period_us;
		return IS_VALID_TIMESTAMP(*next);
	}
	if (timestamp2tm(after + USECS_PER_SEC, &offset, &tm, &fsec, NULL, tz) != 0)
		return false;
	last_year = tm.tm_year + MAX_YEARS;
	while (tm.tm_year <= last_year)
	{
		int			day;

		CHECK_FOR_INTERRUPTS();
		if (allows_day(cron, &tm))
		{
			struct pg_tm found = tm;

			while (next_of_day(cron, &found))
			{
				struct pg_tm local = found;

				offset = DetermineTimeZoneOffset(&local, tz);
				if (tm2timestamp(&local, 0, &offset, next) != 0)
					return false;
				if (*next > after)
					return true;
				/* in the hour that comes twice: on to the next second */
				if (++found.tm_sec == SECS_PER_MINUTE)
				{
					found.tm_sec = 0;
					if (++found.tm_min == MINS_PER_HOUR)
					{
						found.tm_min = 0;
						if (++found.tm_hour == HOURS_PER_DAY)
							break;
					}
				}
			}
		}
		day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) + 1;
		j2date(day, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	}
	return false;
}
