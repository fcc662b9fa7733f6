/*-------------------------------------------------------------------------
 *
 * exec.h
 *		Running queries: the plan cache, parameters, results, verbs.
 *
 * The way of a call: the SQL function gathers its query values (verbs.c),
 * their shapes joined are the key of a plan (plan.c), their values become
 * its parameters (bind.c), and the rows go through a DestReceiver into the
 * tuplestore or datum of the caller (run.c).  A shape seen before is neither
 * resolved nor deparsed nor planned again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_H
#define CORM_EXEC_H

#include "postgres.h"

#include "base/compat.h"
#include "exec/middleware/corm_middleware.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/ilist.h"
#include "portability/instr_time.h"
#include "query/query.h"
#include "storage/lockdefs.h"
#include "utils/array.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

/*
 * in_progress.c: a read or write in progress.  See there for what can happen
 * to it, and when it is to be checked.
 */
typedef struct CormExec
{
	CormModel  *model;			/* what it is about, as it was at the beginning */
	uint64		generation;		/* of the model then */
	MemoryContext context;		/* what lasts as long as it lives here ... */
	ResourceOwner owner;		/* ... and belongs to this */
} CormExec;

extern void corm_exec_begin(CormExec *exec, CormModel *model);
extern void corm_exec_recheck(const CormExec *exec);
extern void corm_exec_changed(const char *model, const char *detail) pg_attribute_noreturn();
extern Tuplestorestate *corm_exec_store(const CormExec *exec, bool random_access);

/*
 * corm_exec_check is to be called after code of users: raises 55006 if the
 * model is not what it was when the operation began.
 */
static inline void
corm_exec_check(const CormExec *exec)
{
	AcceptInvalidationMessages();
	if (unlikely(!exec->model->valid))
		corm_exec_recheck(exec);
}

/*
 * Plans
 */

/* How a bound value becomes the datum of a parameter. */
typedef enum CormBinding
{
	CORM_BIND_PLAIN,			/* as it is */
	CORM_BIND_INPUT,			/* text through the type's input function */
	CORM_BIND_ARRAY_INPUT,		/* text[] elementwise through it */
	CORM_BIND_PATTERN,			/* text into a LIKE pattern */
	CORM_BIND_JSON,				/* as JSON into a document, or into an array of its elements */
	CORM_BIND_RANGE,			/* as text, of an element too, into a range or multirange */
	CORM_BIND_REAL				/* a number of a filter, or an array of them, into real */
} CormBinding;

typedef struct CormPlanParam
{
	int			valno;
	CormValue  *constant;		/* the value itself, if it is stored: not of the call */
	Oid			typid;			/* of the parameter */
	CormBinding binding;
	CormParamForm form;			/* BIND_PATTERN */
	int16		typlen;			/* of the value as it is bound */
	bool		typbyval;
	Oid			value_type;		/* of the value */
	FmgrInfo	input;			/* BIND_INPUT, BIND_ARRAY_INPUT, BIND_JSON, BIND_RANGE */
	Oid			ioparam;
	Oid			element_type;	/* BIND_ARRAY_INPUT, BIND_JSON: of the array */
	const char *model;			/* what it meets, for error messages */
	const char *field;
	bool		from_filter;	/* what is wrong with it is the client's fault */
} CormPlanParam;

/* What is wanted; together with the shape it is the key of a plan. */
typedef struct CormVerb
{
	uint8		source;			/* CormPlanSource */
	uint8		output;			/* CormOutput */
	uint8		limit;			/* at most so many rows are wanted; 0: all */
	uint8		order_by_key;
	Oid			typid;			/* result type, or the record's type; of JSON: json, or none for jsonb */
	uint16		stage;			/* CormStage */
	uint16		restore;		/* a stage of OUTPUT_RESTORE */
} CormVerb;

/* How much of a write with hooks a plan does: hooked.c. */
typedef enum CormStage
{
	CORM_STAGE_NONE,			/* all of it; with hooks the plan is a template */
	CORM_STAGE_PLAIN,			/* all of it, whatever hooks there are */
	CORM_STAGE_READ,
	CORM_STAGE_WRITE,
	CORM_STAGE_SHOW
} CormStage;

/* What a template for a write with hooks knows. */
typedef struct CormHookedWrite
{
	Oid			model;
	bool		has_joins;
	bool		has_returning;	/* returning() names columns */
	bool		tells_inserted; /* an upsert tells which rows are new */
	bool		selects;		/* it returns those that exist as they are */
	bool		updates_given;	/* it updates what it was given */
	int			nsets;
	int		   *sets;			/* fields that are set: indexes */
} CormHookedWrite;

typedef enum CormPlanSource
{
	CORM_PLAN_QUERY,			/* the shape is a query's */
	CORM_PLAN_INSERT,			/* by record: the shape is a bitmap of fields */
	CORM_PLAN_UPDATE,
	CORM_PLAN_SAVE,
	CORM_PLAN_SAVE_NEW,			/* a row that was not there when its hooks were called */
	CORM_PLAN_DELETE,
	CORM_PLAN_LOOKUP,			/* the row with the record's key */
	CORM_PLAN_LOCK,				/* the same, soft-deleted or not, locked */
	CORM_PLAN_UPDATE_MULTI		/* by an array of records */
} CormPlanSource;

typedef struct CormPlan
{
	/* key */
	char	   *key;
	uint32		key_len;
	uint32		hash;

	bool		valid;			/* false once something it was made of changed */
	int			in_use;			/* executions under way */
	bool		cached;			/* in the cache; else freed when nobody uses it */
	dlist_node	lru;
	MemoryContext context;

	uint64		hook_changes;	/* when the hooks were last looked at */
	uint32		hook_fingerprint;
	int			nrelids;		/* relations it was made of ... */
	int			nconcerned;		/* ... and then those that these inherit from */
	Oid		   *relids;
	Oid			model;			/* of the source, or InvalidOid */
	uint64		generation;		/* of that model */
	Oid			target;			/* its table, or InvalidOid */
	LOCKMODE	lock_mode;		/* of the target; others are locked AccessShare */

	CormCommand command;
	SPIPlanPtr	spi;			/* NULL for a template: see rows_valno, hooked */
	char	   *sql;
	int			nparams;
	CormPlanParam *params;
	bool		returns_rows;
	bool		read_only;		/* a SELECT without locking clause */
	bool		writes;			/* raw SQL included */
	Bitmapset  *upsert_key;		/* template of an upsert by fields: those that rows give, by index */
	int			npremises;		/* what it takes for granted of the values, beside the key */
	CormPremise *premises;
	char	   *search_path;	/* what it was made under, NULL if that does not matter */
	Oid			search_path_role;
	bool		custom_only;	/* must be planned with its values each time */

	/* result */
	Oid			typid;
	TupleDesc	tupdesc;		/* OUTPUT_ROWS: of the row type */
	bool		is_physical;	/* result columns are the attributes one by one */
	int16		typlen;			/* OUTPUT_VALUE */
	bool		typbyval;

	int			max_rows_valno; /* or -1 */
	CormValue  *max_rows;		/* the value itself, if it is stored */

	int			cached_valno;	/* cached(): value of the time to live, or -1 */
	CormValue  *cached_ttl;		/* the value itself, if it is stored */
	bool		cached_settings;	/* the result may depend on any setting */
	bool		cached_asks_settings;	/* the query itself asks for one */
	uint64		cached_functions;	/* state of functions, roles when that was looked at; 0: look again */
	uint64		cached_roles;
	Oid			cached_role;

	/* OUTPUT_PAGE */
	int			limit_valno;	/* or -1 */
	CormValue  *limit;			/* the value itself, if it is stored */
	bool		has_cursor;
	bool		has_offset;
	bool		reversed;
	char	   *order_hash;

	int			rows_valno;		/* value of rows(), or -1 */
	Oid			rows_model;		/* model that the rows belong to */
	CormHookedWrite *hooked;	/* NULL: the plan can be run */
	const char *model_name;		/* for messages; NULL for a raw query */
} CormPlan;

extern void corm_plan_init(void);
extern uint64 corm_plan_misses(void);
extern void corm_exec_check_plan(const CormExec *exec, const CormPlan *plan);

/*
 * The queries of a call, and their values once a plan is found.
 */
#define CORM_QUERIES_LOCAL 16
#define CORM_VALUES_LOCAL 32

typedef struct CormQuerySet
{
	int			nqueries;
	const CormNode **queries;
	const CormNode *queries_local[CORM_QUERIES_LOCAL];
	uint32		shape_len;
	int			nvalues;
	CormValue  *values;
	CormValue	values_local[CORM_VALUES_LOCAL];
} CormQuerySet;

extern void corm_queries_from_args(FunctionCallInfo fcinfo, int argno, CormQuerySet *set);
extern void corm_queries_read_values(CormQuerySet *set);
extern List *corm_queries_read_trees(CormQuerySet *set);

/* limits.c: limits that a plan is made for */
typedef struct CormKnownLimit
{
	int			valno;			/* of the bound value */
	int64		limit;
} CormKnownLimit;

#define CORM_MAX_KNOWN_LIMITS 4

extern int	corm_known_limits(CormQuerySet *set, CormKnownLimit *limits);
extern SPIPlanPtr corm_prepare_with_limits(MemoryContext context, const CormDeparsed *deparsed, Oid *types,
										   const CormKnownLimit *limits, int nlimits, int options);

/*
 * What a plan is made of: the queries of a call, or a record that gives some
 * of its model's fields.
 */
typedef struct CormPlanMaker
{
	const CormVerb *verb;
	bool		path_is_safe;	/* see corm_search_path_is_safe */
	/* queries */
	CormQuerySet *set;
	Bitmapset  *rows_fields;	/* fields that rows() give */
	int			nlimits;		/* limits that the plan is made for */
	const CormKnownLimit *limits;
	/* records */
	const CormExec *exec;
	Bitmapset  *fields;
} CormPlanMaker;

extern CormPlan *corm_plan_for_queries(const CormVerb *verb, CormQuerySet *set,
									   Bitmapset *rows_fields);
extern CormPlan *corm_plan_for_record(const CormVerb *verb, const CormExec *exec, Bitmapset *fields);
extern void corm_plan_check(const CormPlan *plan);
extern void corm_plan_check_rows(const CormPlan *plan);
extern void corm_plan_lock(CormPlan *plan);
extern void corm_plan_release(CormPlan *plan);

/* plan_build.c */
extern void corm_plan_build(CormPlan *plan, const CormPlanMaker *maker);
extern TupleDesc corm_row_tupdesc(Oid typid);

/* record.c: writes of one record */

/* A record taken apart: datums by the model's fields. */
typedef struct CormRecord
{
	const CormExec *exec;		/* the operation that it is written by */
	CormModel  *model;			/* of that */
	Datum		row;			/* the record itself */
	Datum	   *values;
	bool	   *nulls;
} CormRecord;

extern void corm_records_check(CormModel *model, const CormModel *now);
extern CormModel *corm_model_lock(CormModel *model);
extern CormPlan *corm_record_plan(CormPlanSource source, CormOutput output, CormRecord *record);
extern bool corm_record_has_version(CormModel *model);
extern void corm_record_set_row(CormRecord *record, HeapTupleHeader header);
extern void corm_record_require_key(CormModel *model);
extern bool corm_record_exists(CormRecord *record);
extern bool corm_record_is_stale(CormPlanSource lookup, CormRecord *record);
extern void corm_record_meets_several(void) pg_attribute_noreturn();
extern bool corm_record_write_returning(CormPlanSource source, CormRecord *record, Datum *result);
extern CormStmt *corm_record_stmt(CormPlanSource source, CormModel *model, Bitmapset *fields);
extern Oid	corm_record_field_type(CormModel *model, int field);
extern bool corm_field_is_written(CormModel *model, int field, bool insert, bool isnull);

/* key_order.c: records of a batch in the order of their keys */
typedef struct CormKeyedRecord
{
	int			number;			/* among the records, from 1 */
	bool		is_duplicate;	/* it has the key of the one before */
	CormRecord	record;
} CormKeyedRecord;

extern CormKeyedRecord *corm_keyed_records(const CormExec *exec, ArrayType *array, int *nrecords);
extern Datum corm_sort_by_key(const CormExec *exec, Datum array, int **numbers);

/* update_multi.c: updates of many records */
extern CormStmt *corm_update_multi_stmt(CormStmt *stmt, Bitmapset *fields);

/* bind.c */
extern CormValue *corm_value_copy(const CormValue *value, MemoryContext context);
extern void corm_bind_prepare(CormPlanParam *params, const CormDeparsed *deparsed,
							  const Oid *types, MemoryContext context,
							  const Oid *value_types);
extern char *corm_json_text(const JsonbValue *value);
extern ParamListInfo corm_bind_values(CormPlan *plan, const CormQuerySet *set);
extern ParamListInfo corm_bind_record(CormPlan *plan, const CormExec *exec, const Datum *values,
									  const bool *nulls);

/*
 * Execution
 */
typedef enum CormSinkKind
{
	CORM_SINK_NONE,				/* count only */
	CORM_SINK_TABLE,			/* rows stay in SPI_tuptable */
	CORM_SINK_STORE,			/* rows into a tuplestore */
	CORM_SINK_FIRST,			/* the first row, or value of the first row */
	CORM_SINK_ONE,				/* the same, and a second one is an error */
	CORM_SINK_CALLBACK			/* each row to a function */
} CormSinkKind;

/* Called once with slot NULL before the first row, then for each row, deformed. */
typedef void (*CormRowCallback) (CormPlan *plan, TupleTableSlot *slot, void *arg);

/* Where the rows of an execution go. */
typedef struct CormSink
{
	CormSinkKind kind;
	Tuplestorestate *store;		/* SINK_STORE; NULL: it is made for the rows of the plan ... */
	FunctionCallInfo fcinfo;	/* ... as the result of this call */
	MemoryContext context;		/* where a datum is allocated */
	uint64		nrows;			/* rows received */
	CormRowCallback callback;	/* SINK_CALLBACK */
	void	   *arg;
	int64		limit;			/* OUTPUT_PAGE: rows of a page, or -1; set by the run */
	Datum		value;			/* SINK_FIRST, SINK_ONE */
	bool		isnull;
} CormSink;

extern uint64 corm_run(CormPlan *plan, ParamListInfo params, CormSink *sink);
extern Tuplestorestate *corm_begin_set(FunctionCallInfo fcinfo, TupleDesc tupdesc);

/* inspect.c */
extern CormPlan *corm_plan_to_show(const CormVerb *verb, CormQuerySet *set);
extern Jsonb *corm_params_to_json(CormPlan *plan, ParamListInfo params);
extern void corm_push_value(JsonbParseState **state, JsonbIteratorToken token, Oid typid, Datum value);

/* json_check.c: whether JSON converts to the types of fields */
typedef struct CormJsonCheck CormJsonCheck;

extern CormJsonCheck *corm_json_check_begin(const CormExec *exec);
extern void corm_json_check_value(CormJsonCheck *check, int fieldno, int row, JsonbValue *value);
extern void corm_json_check_end(CormJsonCheck *check);
extern bool corm_json_as_hstore(const CormField *field, JsonbValue *value);
extern Datum corm_json_convert(CormModel *model, int fieldno, JsonbValue *value);

/* rows.c: batches */

/*
 * Rows that give the same fields.  The set also has one member beyond the
 * model's fields, so that it is never empty: without a set there is only a
 * template of a plan.
 */
typedef struct CormRun
{
	Bitmapset  *fields;
	Datum		rows;			/* an array or a jsonb document */
	int			nrows;
} CormRun;

extern CormModel *corm_batch_model(FunctionCallInfo fcinfo);
extern void corm_check_upsert_rows(const CormExec *exec, const CormPlan *template, Oid type, Datum rows);
extern List *corm_cut_rows(const CormExec *exec, CormValue *rows);
extern Bitmapset *corm_first_rows(CormPlan *plan, CormQuerySet *set);
extern uint64 corm_run_rows(const CormVerb *verb, CormPlan *plan, CormQuerySet *set, CormSink *sink);

extern void corm_rows_query(Oid model, Oid rows_type, Datum rows, CormQuerySet *set);
extern Jsonb *corm_insert_json_rows(Oid model, Jsonb *array);

/* cached.c: queries answered from the cache */
extern void corm_cached_check(CormPlan *plan);
extern uint64 corm_run_cached(const CormVerb *verb, CormPlan *plan, CormQuerySet *set, CormSink *sink);

/* nested.c: rows with their relations */
extern bool corm_has_relation_keys(CormModel *model, Jsonb *data);
extern Jsonb *corm_insert_nested(CormModel *model, Jsonb *data);

/* queries.c: one query run to its sink */
extern int64 corm_bound_int64(CormQuerySet *set, int valno, const CormValue *constant, int64 absent);
extern uint64 corm_run_queries(const CormVerb *verb, CormQuerySet *set, CormSink *sink);
extern uint64 corm_run_directly(const CormVerb *verb, CormQuerySet *set, CormSink *sink);
extern void corm_queries_of_node(const CormNode *node, CormQuerySet *set);
extern void corm_queries_copy(CormQuerySet *copy, const CormQuerySet *set, int nextra);
extern void corm_check_max_rows(CormPlan *plan, CormQuerySet *set, uint64 nrows);

/*
 * hooks.c: functions of a model that see its rows before and after they are
 * written
 */
typedef enum CormEvent
{
	CORM_EVENT_CREATE,
	CORM_EVENT_UPDATE,
	CORM_EVENT_DELETE
} CormEvent;

typedef struct CormHookRun CormHookRun;

extern bool corm_hooks_has(CormModel *model, CormEvent event);
extern bool corm_hooks_tell_save_apart(CormModel *model);
extern CormHookRun *corm_hooks_begin(const CormExec *exec, CormEvent event);
extern Datum corm_hooks_before(CormHookRun *run, Datum row);
extern Datum corm_hooks_after(CormHookRun *run, Datum row);
extern void corm_hooks_after_all(CormHookRun *run, Datum *rows, int nrows);

/* hooked.c: writes by query of a model with hooks */
extern CormHookedWrite *corm_hooked_write(CormStmt *stmt);
extern Jsonb *corm_hooks_before_json(CormHookRun *run, const CormExec *exec, Jsonb *object);
extern bool corm_insert_row_unhooked(CormModel *model, Jsonb *object, Datum *row);
extern uint64 corm_run_hooked(const CormVerb *verb, CormPlan *plan, CormQuerySet *set,
							  CormSink *sink);

/* model_rows.c: rows as values of their type */
extern Jsonb *corm_row_to_json(CormModel *model, Datum row, bool writing);
extern Datum *corm_rows_of_table(TupleDesc tupdesc, int *nrows);
extern void corm_rows_to_sink(const Datum *rows, int nrows, CormSink *sink);
extern HTAB *corm_seen_rows(void);
extern bool corm_row_is_seen(HTAB *seen, CormModel *model, TupleDesc tupdesc, Datum *values);

/*
 * function_ref.c: a function as it is stored
 */
typedef struct CormFunctionRef CormFunctionRef;

extern CormFunctionRef *corm_function_ref_make(Oid function, const char *signature);
extern Oid	corm_function_ref_resolve(const CormFunctionRef *ref);
extern char *corm_function_ref_signature(const CormFunctionRef *ref);
extern bool corm_function_fits(Oid function);

/*
 * middleware_list.c: which functions are middleware
 */
typedef struct CormMiddleware
{
	int			id;				/* 0 for a function in C */
	int			priority;
	uint32		ops;			/* bits, by CormCommand */
	CormMiddlewareFunction c_function;
	void	   *c_arg;
	CormFunctionRef *ref;		/* else */

	/* the function in SQL, as last looked up */
	uint64		changes;		/* corm_hooks_changes() then */
	char	   *name;			/* of one in C, too */
	Oid			function;		/* InvalidOid: it does not exist */
	Oid			context_type;	/* of its argument */
	FmgrInfo	call;			/* once prepared ... */
	MemoryContext call_context; /* ... with what it needs here */
	bool		is_prepared;
	bool		is_busy;
} CormMiddleware;

/* What is registered for one model, or for all. */
typedef struct CormMiddlewareModel
{
	Oid			model;			/* the key; InvalidOid: all */
	int			n;
	CormMiddleware **items;		/* outermost first */
} CormMiddlewareModel;

typedef struct CormMiddlewareList
{
	MemoryContext context;
	int			in_use;
	bool		any;			/* there is something registered */
	HTAB	   *models;			/* those that were touched: CormMiddlewareModel */
} CormMiddlewareList;

typedef enum CormMiddlewareState
{
	CORM_MIDDLEWARE_UNKNOWN,
	CORM_MIDDLEWARE_READING,
	CORM_MIDDLEWARE_NONE,
	CORM_MIDDLEWARE_SOME
} CormMiddlewareState;

extern CormMiddlewareState corm_middleware_state;

extern void corm_middleware_list_init(void);
extern bool corm_middleware_load(void);
extern CormMiddlewareList *corm_middleware_list(void);
extern CormMiddleware **corm_middleware_about(CormMiddlewareList *list, const Oid *relids, int nrelids,
											  int *n);
extern void corm_middleware_release(CormMiddlewareList *list);
extern void corm_middleware_add_c(const char *name, CormMiddlewareFunction function, void *arg,
								  int priority);
extern bool corm_middleware_remove_c(const char *name);
extern const char *corm_op_name(CormCommand command);

/* middleware_call.c: calling one */
extern void corm_middleware_look_up(CormMiddleware *entry, MemoryContext list_context);
extern void corm_middleware_as_whom(const CormMiddleware *entry, Oid *user, int *security);
extern Datum corm_middleware_call(CormMiddleware *entry, Datum context, MemoryContext list_context);

/*
 * Whether there is any middleware: without, one branch.
 */
static inline bool
corm_middleware_exists(void)
{
	AcceptInvalidationMessages();
	return unlikely(corm_middleware_state != CORM_MIDDLEWARE_NONE) && corm_middleware_load();
}

/*
 * middleware.c: the chain around an operation
 */
typedef struct CormOperation CormOperation;

struct CormOperation
{
	CormCommand command;
	bool		writes;
	Oid			model;			/* of the source, or InvalidOid */
	int			nrelids;		/* all relations that it concerns */
	const Oid  *relids;
	const CormVerb *verb;		/* what is wanted ... */
	CormSink   *sink;			/* ... and where */

	/* the operation as a query, in the current context */
	CormNode   *(*query) (CormOperation *op);

	/* makes command, writes, model and relids those of another query */
	void		(*inspect) (CormOperation *op, CormNode *rewritten);

	/* its SQL and arguments, or those of another query */
	void		(*show) (CormOperation *op, CormNode *rewritten, char **sql, Jsonb **args);

	/* runs it, or another query in its place */
	uint64		(*run) (CormOperation *op, CormNode *rewritten, CormSink *sink);
};

extern void corm_middleware_init(void);
extern bool corm_middleware_run(CormOperation *op, uint64 *processed);
extern bool corm_middleware_concerns(CormOperation *op);

/*
 * What a chain is to its results: what holds them is a child of these.
 */
typedef struct CormResultOwner
{
	MemoryContext context;
	ResourceOwner resources;
} CormResultOwner;

extern CormResultOwner *corm_middleware_current(void);
extern bool corm_middleware_runs_here(CormResultOwner *owner);

/*
 * record_query.c: writes of one record as operations
 */
extern CormCommand corm_record_command(CormPlanSource source);
extern uint64 corm_write_record(CormPlanSource source, CormRecord *record, CormSink *sink);
extern bool corm_run_record_operation(CormPlanSource source, CormRecord *record, CormSink *sink,
									  uint64 *processed);

/*
 * operation.c: queries as operations
 */
typedef uint64 (*CormQueryRun) (const CormVerb *verb, CormQuerySet *set, CormSink *sink);

extern void corm_operation_of_plan(CormOperation *op, const CormPlan *plan);
extern void corm_inspect_query(CormOperation *op, const CormVerb *verb, CormNode *query);
extern bool corm_run_query_operation(const CormVerb *verb, const CormVerb *shown,
									 CormQuerySet *set, CormSink *sink, CormQueryRun run,
									 uint64 *processed);
extern void corm_show_query(const CormVerb *verb, CormQuerySet *set, char **sql, Jsonb **args);

/*
 * stats.c: statistics of runs
 */
typedef struct CormStats
{
	bool		active;
	Oid			user;
	uint64		plan_misses;
	instr_time	start;
} CormStats;

extern void corm_stats_init(void);
extern void corm_stats_begin(CormStats *stats);
extern void corm_stats_end(CormStats *stats, CormCommand command, Oid model_oid, const char *model,
						   uint64 rows, bool failed);

/*
 * log.c: logs and comments
 */
extern int	corm_execute_commented(CormPlan *plan, const SPIExecuteOptions *options);
extern void corm_log_query(const CormPlan *plan, ParamListInfo params, uint64 rows, instr_time start);

/*
 * result.c: results that pass through middleware
 */
typedef struct CormResult CormResult;

extern void corm_result_init(void);
extern int64 corm_secret_number(void);
extern CormResult *corm_result_create(CormResultOwner *owner);
extern void corm_results_forget(CormResultOwner *owner);
extern uint64 corm_result_affected(const CormResult *result);
extern uint64 corm_result_nrows(const CormResult *result);
extern void corm_result_capture(CormResult *result, const CormVerb *verb, CormSink *wanted,
								CormSink *capture);
extern void corm_result_captured(CormResult *result, const CormSink *capture, bool writes,
								 uint64 processed);
extern void corm_result_give(CormResult *result, const CormVerb *verb, CormSink *sink);
extern Jsonb *corm_result_to_json(CormResult *result);
extern CormResult *corm_result_from_datum(HeapTupleHeader header, uint64 *affected);
extern void corm_result_check_reader(const CormResult *result, const CormResultOwner *reader);
extern Datum corm_result_to_datum(FunctionCallInfo fcinfo, const CormResult *result, uint64 affected);

#endif							/* CORM_EXEC_H */
