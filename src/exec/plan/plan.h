/*-------------------------------------------------------------------------
 *
 * plan.h
 *		Plans, and the session's cache of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_PLAN_H
#define CORM_EXEC_PLAN_H

#include "exec/plan/query_set.h"
#include "exec/rows/in_progress.h"
#include "executor/spi.h"
#include "lib/ilist.h"
#include "nodes/bitmapset.h"
#include "storage/lockdefs.h"

/* The wanted result.  Together with the shape, it is the key of a plan. */
typedef struct CormVerb
{
	uint8		source;			/* CormPlanSource */
	uint8		output;			/* CormOutput */
	uint8		limit;			/* at most so many rows are wanted; 0: all */
	uint8		order_by_key;
	Oid			typid;			/* result type, or the record's type; of JSON:
								 * json, or none for jsonb */
	uint16		stage;			/* CormStage */
	uint8		restore;		/* a stage of OUTPUT_RESTORE */
	uint8		whole;			/* JSON with hidden fields, for a verb's own
								 * use */
	uint32		nrows;			/* the array of rows of an insert has so many
								 * elements; 0: any number */
} CormVerb;

/* How much of a write with hooks a plan does: hooked.c. */
typedef enum CormStage
{
	CORM_STAGE_NONE,			/* the whole write; with hooks the plan is a
								 * template */
	CORM_STAGE_PLAIN,			/* the whole write, without hooks */
	CORM_STAGE_READ,
	CORM_STAGE_WRITE,
	CORM_STAGE_SHOW
} CormStage;

/*
 * Data in a template for a write with hooks, or of one without whose rows bring their
 * relations along.
 */
typedef struct CormHookedWrite
{
	Oid			model;
	bool		has_joins;
	bool		has_returning;	/* returning() names columns */
	bool		tells_inserted; /* an upsert reports which rows are new */
	bool		selects;		/* it returns existing rows unchanged */
	bool		updates_given;	/* it updates the given fields */
	int			nsets;
	int		   *sets;			/* fields that are set: indexes */
	Bitmapset  *shown;			/* no hooks: what the result needs of the
								 * rows, fields by index; NULL: hooks, which
								 * need all of them */
} CormHookedWrite;

typedef enum CormPlanSource
{
	CORM_PLAN_QUERY,			/* the shape is a query's */
	CORM_PLAN_INSERT,			/* of a record: the shape is a bitmap of
								 * fields */
	CORM_PLAN_UPDATE,
	CORM_PLAN_SAVE,
	CORM_PLAN_SAVE_NEW,			/* a row that did not exist when its hooks
								 * were called */
	CORM_PLAN_DELETE,
	CORM_PLAN_LOOKUP,			/* the row with the record's key */
	CORM_PLAN_LOCK,				/* the same, soft-deleted or not, locked */
	CORM_PLAN_UPDATE_MULTI		/* by an array of records */
} CormPlanSource;

#define CORM_TREE_UNKNOWN	(-1)	/* no generation of a plan */

typedef struct CormPlan
{
	/* key */
	char	   *key;
	uint32		key_len;
	uint32		hash;

	bool		valid;			/* false once something it was made from has
								 * changed */
	int			in_use;			/* executions in progress */
	bool		cached;			/* in the cache; else freed when its last use
								 * ends */
	dlist_node	lru;
	MemoryContext context;

	uint64		hook_changes;	/* as of the last look at the hooks */
	uint32		hook_fingerprint;
	int			nrelids;		/* relations it was made from ... */
	int			nconcerned;		/* ... followed by their inheritance parents */
	Oid		   *relids;
	Oid			model;			/* of the source, or InvalidOid */
	uint64		generation;		/* of that model */
	Oid			target;			/* its table, or InvalidOid */
	LOCKMODE	lock_mode;		/* of the target; others are locked
								 * AccessShare */

	CormCommand command;
	SPIPlanPtr	spi;			/* NULL for a template: see rows_valno, hooked */
	char	   *sql;
	int			nparams;
	char	   *conflict_hint;	/* upsert: the keys that there are, for an
								 * error */
	bool		meets_hidden;	/* its values are not to be shown */
	struct CormPlanParam *params;
	bool		returns_rows;
	bool		read_only;		/* a SELECT without locking clause */
	bool		writes;			/* raw SQL included */
	bool		guarded;		/* a guard keeps rows from it */
	Bitmapset  *upsert_key;		/* template of an upsert by fields: those that
								 * rows give, by index */
	int			npremises;		/* premises about the values, besides the key */
	CormPremise *premises;
	char	   *search_path;	/* path it was made under, NULL if irrelevant */
	Oid			search_path_role;
	bool		is_open;		/* a premise is about a value that is not
								 * known yet: there is no statement */
	bool		custom_only;	/* always needs a custom plan */
	bool		without_jit;	/* each level of a tree multiplies the costs
								 * that the planner expects */

	/* result */
	Oid			typid;
	TupleDesc	tupdesc;		/* OUTPUT_ROWS: of the row type */
	bool		is_physical;	/* result columns are the attributes one by
								 * one */
	uint32		layout;			/* of the composite types in a value, or in the
								 * columns of a row; 0: none */
	int16		typlen;			/* OUTPUT_VALUE */
	bool		typbyval;

	int			max_rows_valno; /* or -1 */
	CormValue  *max_rows;		/* the value itself, if it is stored */

	bool		has_cached;		/* cached() */
	int			cached_valno;	/* value of the time to live, or -1 */
	CormValue  *cached_ttl;		/* the value itself, if it is stored */
	const char *cached_refused; /* why it must not be shared, or NULL */
	bool		cached_settings;	/* the result may depend on any setting */
	bool		cached_asks_settings;	/* the query itself asks for one */
	uint64		cached_functions;	/* state of functions and roles at the
									 * last check; 0: check again */
	uint64		cached_roles;
	Oid			cached_role;
	uint64		cached_tree;	/* hash of the parsed query, in this
								 * generation of its plan */
	int64		cached_generation;

	bool		fresh;			/* cached(fresh => true) */
	const char *fresh_why;		/* why its answers cannot be fresh, or NULL:
								 * then they depend on ... */
	List	   *fresh_relids;	/* these relations */
	int			fresh_fixed;	/* and on CORM_DEPENDS_* */
	struct CormDepends *fresh_depends;	/* all of these as cells */
	uint64		fresh_looks;	/* how often these were found to be others */

	/* OUTPUT_PAGE */
	int			limit_valno;	/* or -1 */
	CormValue  *limit;			/* the value itself, if it is stored */
	bool		has_cursor;
	bool		has_offset;
	bool		with_total;
	bool		reversed;
	char	   *order_hash;

	int			rows_valno;		/* value of rows(), or -1 */
	Oid			rows_model;		/* model that the rows belong to */
	bool		nulls_given;	/* null in JSON rows is a value */
	CormHookedWrite *hooked;	/* NULL: the plan can be run */
	const char *model_name;		/* for messages; NULL for a raw query */

	uint64		analyses;		/* how often PostgreSQL has discarded what it
								 * had analyzed, while that was watched */
	bool		analysis_watched;
	MemoryContextCallback analysis_gone;
} CormPlan;

extern CormPlan *corm_plan_for_queries(const CormVerb *verb, CormQuerySet *set,
									   Bitmapset *rows_fields);
extern CormPlan *corm_plan_for_record(const CormVerb *verb, const CormExec *exec, Bitmapset *fields);
extern void corm_plan_release(CormPlan *plan);
extern void corm_plan_use(CormPlan *plan);
extern bool corm_plan_reuse(CormPlan *plan);
extern void corm_plan_watch_analysis(CormPlan *plan);
extern uint64 corm_plan_misses(void);
extern const char *corm_op_name(CormCommand command);

#endif							/* CORM_EXEC_PLAN_H */
