/*-------------------------------------------------------------------------
 *
 * plan.h
 *		From tables as they are to tables as they are wanted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOOLS_PLAN_H
#define CORM_TOOLS_PLAN_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef struct CormMigrateOptions
{
	bool		drop;			/* what the types do not have may go */
	bool		rewrite;		/* tables may be rewritten */
	bool		online;			/* steps that let others work, not for one
								 * transaction */
} CormMigrateOptions;

typedef struct CormStep
{
	char	   *sql;			/* NULL: not to be done with these options */
	bool		safe;			/* takes no time that depends on the rows, and
								 * loses nothing */
	char	   *note;			/* or NULL */
	Oid			path;			/* schema for names in expressions */
} CormStep;

extern List *corm_migrate_steps(List *tables, const CormMigrateOptions *options);

#endif							/* CORM_TOOLS_PLAN_H */
