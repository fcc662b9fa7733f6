/*-------------------------------------------------------------------------
 *
 * plan_internal.h
 *		What the files that plan a migration share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOOLS_PLAN_INTERNAL_H
#define CORM_TOOLS_PLAN_INTERNAL_H

#include "postgres.h"

#include "tools/plan.h"
#include "tools/wanted.h"
#include "utils/rel.h"

typedef enum CormPhase
{
	PHASE_CREATE,				/* tables */
	PHASE_RENAME,
	PHASE_ADD,					/* columns */
	PHASE_ALTER,
	PHASE_GENERATED,			/* columns that are computed from others */
	PHASE_KEY,					/* primary keys, unique keys, indexes */
	PHASE_CHECK,
	PHASE_REFERENCE,
	PHASE_COMMENT,
	PHASE_DROP,
	NUM_PHASES
} CormPhase;

typedef struct CormMigration
{
	const CormMigrateOptions *options;
	List	   *tables;			/* of CormWantedTable */
	List	   *steps[NUM_PHASES];	/* of CormStep */
} CormMigration;

/* A table that is there, while it is compared. */
typedef struct CormPresent
{
	CormMigration *plan;
	CormWantedTable *wanted;
	Relation	rel;
	bool		filled;			/* it has rows */
	List	   *missing;		/* names, String nodes: columns that are not
								 * there before the plan runs */
	List	   *withheld;		/* those that are not there afterwards, either */
	List	   *retyped;		/* whose type is going to be of another kind */
	List	   *unconverted;	/* whose type stays, against what is wanted */
} CormPresent;

/* Notes that more than one kind of step has. */
#define READS_ONLINE	"reads the table; others can read and write it in the meantime"
#define READS_LOCKED	"reads the table under an exclusive lock; {\"online\": true} does not"
#define CONCURRENTLY	"cannot run in a transaction block; others can read and write in the meantime"
#define LEFT_BEHIND		"was left behind by a CREATE INDEX CONCURRENTLY that failed"
#define REWRITES		"rewrites the table under an exclusive lock"

/* plan.c */
extern void corm_plan_step(CormMigration *plan, CormPhase phase, CormWantedTable *table, bool safe, char *note,
						   char *sql);
extern bool corm_plan_allowed(CormMigration *plan, CormPhase phase, CormWantedTable *table, bool drop,
							  bool rewrite, const char *why, const char *sql);
extern void corm_plan_hold(CormMigration *plan, CormPhase phase, CormWantedTable *table, const char *why);
extern char *corm_plan_names(List *names);
extern bool corm_plan_has_name(List *names, const char *name);
extern CormWantedTable *corm_plan_wanted(CormMigration *plan, const char *schema, const char *name);
extern AttrNumber corm_plan_present_attnum(CormWantedTable *table, const char *name);

/* plan_columns.c */
extern const char *corm_plan_default(CormWantedColumn *column);
extern bool corm_plan_not_null(CormWantedColumn *column);
extern char *corm_plan_column_sql(CormWantedColumn *column, const char *default_text, bool not_null, bool counts);
extern void corm_plan_comment_column(CormMigration *plan, CormWantedTable *table, Relation rel,
									 CormWantedColumn *column, AttrNumber attnum);
extern void corm_plan_add_column(CormPresent *present, CormWantedColumn *column);
extern void corm_plan_foresee_type(CormPresent *present, CormWantedColumn *column, Form_pg_attribute att);
extern void corm_plan_compare_column(CormPresent *present, CormWantedColumn *column, const char *name);

/* plan_keys.c */
extern void corm_plan_add_key(CormMigration *plan, CormWantedTable *table, CormPresent *present, CormWantedKey *key);
extern void corm_plan_compare_keys(CormPresent *present);
extern void corm_plan_compare_primary_key(CormPresent *present);
extern void corm_plan_compare_check(CormPresent *present, CormWantedColumn *column);
extern void corm_plan_compare_reference(CormMigration *plan, CormWantedTable *table, CormPresent *present,
										CormWantedColumn *column);

#endif							/* CORM_TOOLS_PLAN_INTERNAL_H */
