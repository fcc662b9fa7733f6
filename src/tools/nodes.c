/*-------------------------------------------------------------------------
 *
 * nodes.c
 *		Definitions on the nodes of a distributed database: corm.node_differences,
 *		corm.sync_nodes, corm.keep_definitions.
 *
 * Citus gives each node the tables, but what corm.register and its kin store is in tables
 * of the extension, and comments are not sent either.  A verb that runs on another node
 * would not know of soft delete there, or of a guard.  So the coordinator compares the
 * definitions on the nodes with its own (definitions.c) and sends the statements that make
 * them equal.  A transaction on the coordinator that has changed definitions does so before
 * it commits.
 *
 * Statements go through functions of Citus, which open connections of their own as the
 * current user.  Nothing here depends on Citus: its functions are looked up by name, in
 * pg_catalog, where only superusers create functions.  What follows from the connections of
 * their own:
 *
 * - the nodes commit at once, before the coordinator does.  When it rolls back after all, or
 *	 a node cannot be reached, the nodes differ.  That is a warning, and corm.sync_nodes mends it;
 * - they do not see what this transaction has done on the nodes, such as distributing a
 *	 table, and may wait for its locks, which nobody would notice: so they wait a few seconds
 *	 at most;
 * - somebody else's uncommitted definitions would look like ones to be removed: so one
 *	 transaction at a time synchronizes, until it has ended.
 *
 * What a transaction has changed may be gone when it ends, as may be what it was changed with.
 * Definitions, relations, nodes and Citus itself are looked up then.  A role that was dropped
 * has left its tables to somebody else, so the current user stands in for it, as if it
 * called corm.sync_nodes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "base/args.h"
#include "base/compat.h"
#include "base/schema.h"
#include "base/xact_end.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/catalogs.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "tools/definitions.h"
#include "tools/nodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#define MAX_ROUNDS		4		/* of definitions that need others first */

/* A definition that is not the same on a node, or a node that did not answer. */
typedef struct Difference
{
	char	   *host;
	int32		port;
	char	   *model;
	char	   *kind;
	char	   *name;
	char	   *here;			/* NULL: not defined here */
	char	   *there;			/* NULL: not defined there; what the node said */
	char	   *undo;			/* NULL: not defined there */
} Difference;

#define NO_ANSWER	"node"		/* kind of a difference: the node did not answer */

/* What a node is asked for: $1 of the next query. */
static const char *const node_command =
	"SELECT COALESCE(pg_catalog.json_agg(d), '[]') FROM corm.definitions() AS d";

/*
 * What the nodes have is of interest for relations that Citus has sent to them: distributed
 * tables, views, types; and for all models.
 */
static const char *const differences_query =
	"WITH nodes AS MATERIALIZED (SELECT nodename, nodeport, success, result FROM pg_catalog.run_command_on_workers($1, true)),"
	" sent AS MATERIALIZED (SELECT logicalrelid::oid AS relid FROM pg_catalog.pg_dist_partition"
	" UNION SELECT COALESCE(t.typrelid, o.objid) FROM pg_catalog.pg_dist_object o"
	" LEFT JOIN pg_catalog.pg_type t ON o.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = o.objid"
	" WHERE o.classid IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass)),"
	" here AS (SELECT model, kind, name, sql FROM corm.definitions()"
	" WHERE model = '' OR pg_catalog.to_regclass(model) IN (SELECT relid FROM sent)),"
	" there AS (SELECT nodename, nodeport, d.model, d.kind, d.name, d.sql, d.undo FROM nodes,"
	" pg_catalog.json_to_recordset(CASE WHEN success THEN result::pg_catalog.json ELSE '[]' END)"
	" AS d (model text, kind text, name text, sql text, undo text)"
	" WHERE d.model = '' OR pg_catalog.to_regclass(d.model) IN (SELECT relid FROM sent))"
	" SELECT nodename, nodeport, model, kind, name, h.sql, t.sql, t.undo"
	" FROM (SELECT n.nodename, n.nodeport, here.* FROM nodes n, here WHERE n.success) AS h"
	" FULL JOIN there t USING (nodename, nodeport, model, kind, name)"
	" WHERE h.sql IS DISTINCT FROM t.sql"
	" UNION ALL SELECT nodename, nodeport, '', '" NO_ANSWER "', '', NULL, result, NULL FROM nodes WHERE NOT success"
	" ORDER BY 1, 2, 3, 4, 5";

static const char *const apply_query =
	"SELECT r.success, r.result FROM pg_catalog.master_run_on_worker(ARRAY[$1], ARRAY[$2], ARRAY[$3], false)"
	" AS r";

/* What the node answers, for each statement. */
static const char *const answer_query =
	"SELECT s ->> 'sql', s ->> 'error'"
	" FROM pg_catalog.json_array_elements($1::pg_catalog.json) WITH ORDINALITY AS a (s, n) WHERE n > 1 ORDER BY n";

/*
 * Queries
 */

/*
 * Connects to SPI, for queries whose names are those of pg_catalog.  finish_queries takes
 * the result; an error undoes it, too.
 */
static int
begin_queries(void)
{
	SPI_connect();
	return corm_catalog_path();
}

static void
finish_queries(int level)
{
	AtEOXact_GUC(true, level);
	SPI_finish();
}

/* Runs a query that returns rows. */
static void
run_query(const char *query, int nargs, Oid *types, Datum *values, bool read_only)
{
	if (SPI_execute_with_args(query, nargs, types, values, NULL, read_only, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run query: %s", query);
}

/* Adds a row of texts to the result of a function; NULL is a null. */
static void
put_row(FunctionCallInfo fcinfo, const char *const *texts, int ntexts)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum	   *values = palloc0(ntexts * sizeof(Datum));
	bool	   *nulls = palloc0(ntexts * sizeof(bool));

	for (int i = 0; i < ntexts; i++)
	{
		nulls[i] = texts[i] == NULL;
		if (!nulls[i])
			values[i] = CStringGetTextDatum(texts[i]);
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Citus
 */

/* corm_has_nodes tells whether Citus is installed in this database. */
bool
corm_has_nodes(void)
{
	Oid			types[] = {TEXTOID, BOOLOID};

	return OidIsValid(LookupFuncName(list_make2(makeString("pg_catalog"), makeString("run_command_on_workers")),
									 lengthof(types), types, true));
}

/* Is this the coordinator?  SPI is connected. */
static bool
is_coordinator(void)
{
	bool		isnull;
	Datum		answer;

	run_query("SELECT pg_catalog.citus_is_coordinator()", 0, NULL, NULL, true);
	answer = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return !isnull && DatumGetBool(answer);
}

/* Raises 0A000 without Citus, 55000 on another node than the coordinator.  SPI is connected. */
static void
require_coordinator(void)
{
	if (!corm_has_nodes())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("extension citus is not installed in this database"),
				 errdetail("Without Citus, there are no nodes with definitions of their own.")));
	if (!is_coordinator())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this node is not the coordinator"),
				 errhint("The coordinator knows the nodes: call the function there.")));
}

/*
 * Differences
 */

static char *
value_in(MemoryContext context, uint64 row, int column)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return value ? MemoryContextStrdup(context, value) : NULL;
}

/* Returns the differences, in context.  SPI is connected. */
static List *
find_differences(MemoryContext context)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(node_command)};
	List	   *result = NIL;

	run_query(differences_query, 1, types, values, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Difference *difference = MemoryContextAllocZero(context, sizeof(Difference));
		MemoryContext oldcontext;

		difference->host = value_in(context, i, 1);
		difference->port = pg_strtoint32(value_in(context, i, 2));
		difference->model = value_in(context, i, 3);
		difference->kind = value_in(context, i, 4);
		difference->name = value_in(context, i, 5);
		difference->here = value_in(context, i, 6);
		difference->there = value_in(context, i, 7);
		difference->undo = value_in(context, i, 8);
		oldcontext = MemoryContextSwitchTo(context);
		result = lappend(result, difference);
		MemoryContextSwitchTo(oldcontext);
	}
	return result;
}

static bool
same_node(const Difference *a, const Difference *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static char *
node_name(const Difference *difference)
{
	return psprintf("%s:%d", difference->host, difference->port);
}

PG_FUNCTION_INFO_V1(corm_node_differences);
Datum		corm_node_differences(PG_FUNCTION_ARGS);

/*
 * corm_node_differences is corm.node_differences().
 */
Datum
corm_node_differences(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	int			level;
	List	   *differences;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	level = begin_queries();
	require_coordinator();
	differences = find_differences(context);
	finish_queries(level);
	foreach(lc, differences)
	{
		Difference *difference = lfirst(lc);
		const char *const texts[] = {
			node_name(difference), difference->model, difference->kind, difference->name, difference->here, difference->there
		};

		put_row(fcinfo, texts, lengthof(texts));
	}
	return (Datum) 0;
}

/*
 * Synchronizing
 */

/* What a node was given, and what it said. */
typedef struct Applied
{
	char	   *node;
	char	   *sql;			/* NULL: the node did not answer */
	char	   *error;			/* NULL: done */
} Applied;

static const char *const kinds[] = {"tag", "options", "relation", "scope", "middleware"};

/*
 * Returns the statements that make a node as this one is, an array in context: first what
 * is to go, then the rest, each in an order in which it can be done.
 */
static ArrayType *
node_statements(List *differences, const Difference *node)
{
	ArrayBuildState *array = NULL;
	ListCell   *lc;

	/* what holds a lock on a node may be this transaction itself */
	array = accumArrayResult(array, CStringGetTextDatum("SELECT pg_catalog.set_config('lock_timeout', '3s', true)"), false,
							 TEXTOID, CurrentMemoryContext);
	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < lengthof(kinds); i++)
		{
			const char *kind = kinds[pass == 0 ? lengthof(kinds) - 1 - i : i];

			foreach(lc, differences)
			{
				Difference *difference = lfirst(lc);
				char	   *sql = difference->here;

				/* what is stored again replaces what is there; a function is only added */
				if (pass == 0)
					sql = difference->here == NULL || strcmp(kind, "middleware") == 0 ? difference->undo : NULL;
				if (sql && same_node(difference, node) && strcmp(difference->kind, kind) == 0)
					array = accumArrayResult(array, CStringGetTextDatum(sql), false, TEXTOID, CurrentMemoryContext);
			}
		}
	}
	return DatumGetArrayTypeP(makeArrayResult(array, CurrentMemoryContext));
}

/* Returns the text of an array of statements as an SQL literal. */
static char *
array_literal(ArrayType *array)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(TEXTARRAYOID, &output, &is_varlena);
	return quote_literal_cstr(OidOutputFunctionCall(output, PointerGetDatum(array)));
}

static List *
add_applied(MemoryContext context, List *applied, const Difference *node, const char *sql, const char *error)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(context);
	Applied    *entry = palloc0(sizeof(Applied));

	entry->node = node_name(node);
	entry->sql = sql ? pstrdup(sql) : NULL;
	entry->error = error ? pstrdup(error) : NULL;
	applied = lappend(applied, entry);
	MemoryContextSwitchTo(oldcontext);
	return applied;
}

/*
 * Gives a node its statements, each in a subtransaction.  Adds to what was applied, in
 * context.  SPI is connected.
 */
static List *
apply_to_node(MemoryContext context, List *applied, List *differences, const Difference *node)
{
	char	   *command = psprintf("SELECT pg_catalog.json_agg(pg_catalog.json_build_object('sql', s.sql, 'error', t.message) ORDER BY s.n)"
								   " FROM pg_catalog.unnest(%s::pg_catalog.text[]) WITH ORDINALITY AS s (sql, n), LATERAL corm.try_tx(s.sql) AS t",
								   array_literal(node_statements(differences, node)));
	Oid			types[] = {TEXTOID, INT4OID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(node->host), Int32GetDatum(node->port), CStringGetTextDatum(command)};
	Oid			json_type[] = {TEXTOID};
	Datum		json;
	bool		isnull;

	run_query(apply_query, 3, types, values, false);
	if (SPI_processed != 1)
		elog(ERROR, "a node gave " UINT64_FORMAT " answers", SPI_processed);
	json = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	if (!DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)))
		return add_applied(context, applied, node, NULL, TextDatumGetCString(json));

	/* all but the first, which sets the timeout */
	run_query(answer_query, 1, json_type, &json, true);
	for (uint64 i = 0; i < SPI_processed; i++)
		applied = add_applied(context, applied, node, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1),
							  SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2));
	return applied;
}

/*
 * Makes the nodes as this one is.  Returns what was done, in context; *left is set to what
 * differs in the end.  SPI is connected.
 */
static List *
synchronize(MemoryContext context, List **left)
{
	List	   *applied = NIL;

	LockDatabaseObject(ExtensionRelationId, get_extension_oid("corm", false), 1, ExclusiveLock);
	*left = find_differences(context);
	for (int round = 0; *left != NIL && round < MAX_ROUNDS; round++)
	{
		const Difference *last = NULL;
		int			before = list_length(*left);
		List	   *errors = NIL;
		List	   *done = NIL;
		bool		last_round;
		MemoryContext oldcontext;
		ListCell   *lc;

		foreach(lc, *left)
		{
			Difference *difference = lfirst(lc);

			CHECK_FOR_INTERRUPTS();
			if (strcmp(difference->kind, NO_ANSWER) == 0)
				done = add_applied(context, done, difference, NULL, difference->there);
			else if (last == NULL || !same_node(last, difference))
				done = apply_to_node(context, done, *left, difference);
			last = difference;
		}
		*left = find_differences(context);
		/* a definition may need one that was made after it: once more, if that helped */
		last_round = *left == NIL || list_length(*left) == before || round == MAX_ROUNDS - 1;

		/* what is returned outlives SPI, whose context is the current one */
		oldcontext = MemoryContextSwitchTo(context);
		foreach(lc, done)
		{
			Applied    *entry = lfirst(lc);

			if (entry->error == NULL)
				applied = lappend(applied, entry);
			else if (last_round)
				errors = lappend(errors, entry);
		}
		applied = list_concat(applied, errors);
		MemoryContextSwitchTo(oldcontext);
		if (last_round)
			break;
	}
	return applied;
}

/* Warns that nodes differ, with the first error. */
static void
warn_of_differences(List *left, List *applied)
{
	ListCell   *lc;
	Applied    *error = NULL;

	foreach(lc, applied)
	{
		if (error == NULL && ((Applied *) lfirst(lc))->error)
			error = lfirst(lc);
	}
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg_plural("%d definition of corm is not the same on all nodes", "%d definitions of corm are not the same on all nodes",
						   list_length(left), list_length(left)),
			 error ? errdetail("Node %s: %s", error->node, error->error) : 0,
			 errhint("See corm.node_differences(), and call corm.sync_nodes() when the transaction has ended.")));
}

PG_FUNCTION_INFO_V1(corm_sync_nodes);
Datum		corm_sync_nodes(PG_FUNCTION_ARGS);

/*
 * corm_sync_nodes is corm.sync_nodes().
 */
Datum
corm_sync_nodes(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	int			level;
	List	   *applied;
	List	   *left;
	ListCell   *lc;

	PreventCommandIfReadOnly("corm.sync_nodes()");
	PreventCommandIfParallelMode("corm.sync_nodes()");
	InitMaterializedSRF(fcinfo, 0);
	level = begin_queries();
	require_coordinator();
	applied = synchronize(context, &left);
	finish_queries(level);
	foreach(lc, applied)
	{
		Applied    *entry = lfirst(lc);
		const char *const texts[] = {entry->node, entry->sql, entry->error};

		put_row(fcinfo, texts, lengthof(texts));
	}
	if (left != NIL)
		warn_of_differences(left, applied);
	return (Datum) 0;
}

/*
 * At the end of a transaction
 */

/*
 * Returns whether a role exists; then it does until the transaction has ended, unless that
 * drops it.
 */
static bool
hold_role(Oid role)
{
	LockSharedObject(AuthIdRelationId, role, 0, AccessShareLock);
	return SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role));
}

/*
 * Returns who synchronizes for the roles that have changed definitions: themselves, and the
 * current user for those that do not exist anymore.  *unsure is set to whether the latter
 * may not own all that those have defined.
 */
static List *
senders_for(List *roles, bool *unsure)
{
	List	   *senders = NIL;
	bool		all_exist = true;
	ListCell   *lc;

	foreach(lc, roles)
	{
		if (hold_role(lfirst_oid(lc)))
			senders = lappend_oid(senders, lfirst_oid(lc));
		else
			all_exist = false;
	}
	*unsure = !all_exist && !superuser();
	/* another session may have dropped the current user as well */
	if (!all_exist && hold_role(GetUserId()))
		senders = list_append_unique_oid(senders, GetUserId());
	return senders;
}

/* Synchronizes as a role.  Returns false, and does nothing, if this is not the coordinator. */
static bool
synchronize_as(Oid role)
{
	Oid			userid;
	int			sec_context;
	int			level;
	bool		coordinator;
	List	   *applied = NIL;
	List	   *left = NIL;

	GetUserIdAndSecContext(&userid, &sec_context);
	SetUserIdAndSecContext(role, sec_context | SECURITY_LOCAL_USERID_CHANGE);
	level = begin_queries();
	coordinator = is_coordinator();
	if (coordinator)
		applied = synchronize(TopTransactionContext, &left);
	finish_queries(level);
	SetUserIdAndSecContext(userid, sec_context);
	if (left != NIL)
		warn_of_differences(left, applied);
	return coordinator;
}

/*
 * transaction_ends sends definitions that this transaction has changed, while it can still
 * raise an error.
 */
static void
transaction_ends(XactEvent event, void *arg)
{
	List	   *roles;
	bool		unsure;
	bool		coordinator = true;
	ListCell   *lc;

	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE)
	{
		corm_catalogs_settled();
		return;
	}
	roles = corm_catalogs_changed_by();
	if (roles == NIL || IsParallelWorker() || IsBinaryUpgrade || !OidIsValid(corm_schema_oid()) || !corm_has_nodes())
		return;
	PushActiveSnapshot(GetTransactionSnapshot());
	foreach(lc, senders_for(roles, &unsure))
	{
		coordinator = synchronize_as(lfirst_oid(lc)) && coordinator;
	}
	PopActiveSnapshot();
	if (unsure && coordinator)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("a role that has changed definitions of corm does not exist anymore"),
				 errdetail("The nodes may not have what it has defined."),
				 errhint("See corm.node_differences(), and call corm.sync_nodes(), as a superuser or as the owner of the models, when the transaction has ended.")));
}

/* Whether the transaction has changed no definitions. */
static bool
nothing_changed(void)
{
	return corm_catalogs_changed_by() == NIL;
}

/*
 * corm_nodes_init asks to be told of the end of transactions.  Called once, when the library
 * is loaded.
 */
void
corm_nodes_init(void)
{
	corm_on_xact_end(transaction_ends, nothing_changed);
}
