/*-------------------------------------------------------------------------
 *
 * launcher.h
 *		The background process that sees to what should be running.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_LAUNCHER_H
#define CORM_BASE_LAUNCHER_H

#include "base/compat.h"

/*
 * Something that the launcher does again and again.  look does what is due, and
 * returns after how many milliseconds to call it again at the latest (0: at once,
 * -1: when corm_launcher_wake asks for it).  It runs in no transaction and
 * without a database.  An error in it ends the launcher, which is then restarted.
 */
typedef struct CormDuty
{
	const char *name;
	void		(*start) (void);	/* when the launcher starts; may be NULL */
	long		(*look) (void);
} CormDuty;

extern void corm_launcher_init(void);
extern int	corm_launcher_add(const CormDuty *duty);
extern void corm_launcher_wake(int duty);
extern pid_t corm_launcher_pid(void);
extern int64 corm_launcher_last_look(int duty);
extern PGDLLEXPORT void corm_launcher_main(Datum arg);

#endif							/* CORM_BASE_LAUNCHER_H */
