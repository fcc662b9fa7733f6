/*-------------------------------------------------------------------------
 *
 * shareable.c
 *		Decides whether the result of a query may be shared: corm.cached(ttl).
 *
 * A result in the cache is given to sessions that did not run the query.  So it may
 * depend only on what is in its key (run/cached.c), and users who get it must have the
 * privileges to compute it.  Both are determined by what the parsed query calls and
 * reads:
 *
 *	- a function that is immutable, or one of PostgreSQL's that depends on time,
 *	  tables and the settings that are in every key, adds nothing;
 *	- a function that may look at any setting adds to the key all that this session
 *	  or its role has set, and the client's address.  Such are current_setting and
 *	  functions like it, and every function of a user that is not immutable: what it does
 *	  cannot be known.  It might look at temporary objects too, so a session that
 *	  has some does not use the cache for such a query;
 *	- volatile functions and those that tell of the session (its process, its
 *	  transaction, its cursors) are refused, and so are queries that lock rows,
 *	  read temporary tables or tables under row-level security.  If fresh answers
 *	  are asked for, only those that lock rows are: the others are run each time.
 *
 * A transaction that has written something sees its own changes, so it neither reads
 * the cache nor adds to it.
 *
 * User code and other sessions can change views, functions and memberships at any time.
 * So a query is checked again whenever it was parsed again, a function or role has
 * changed, or another role runs it, and after each run, before its result is kept.
 * Privileges on relations and functions are checked on each call that the cache may
 * answer, so a REVOKE takes effect as if the query ran.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "base/compat.h"
#include "cache/cache.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "common/hashfn.h"
#include "exec/plan/fresh.h"
#include "exec/plan/plan.h"
#include "exec/plan/shareable.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "model/hooks.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rls.h"

/*
 * corm_shareable_refused raises 0A000 for a query with cached() whose result must not
 * be shared.  why is a sentence for the message.
 */
void
corm_shareable_refused(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("query cannot be answered from the cache"),
			 errdetail_internal("%s", why)));
}

/* Properties of the functions that a query calls. */
typedef struct Calls
{
	bool		settings;		/* one may read any setting */
	bool		asks_settings;	/* it is a PostgreSQL function that shows
								 * settings */
	bool		session;		/* one depends on this session */
} Calls;

/* note_call notes what one function means.  It always returns false. */
static bool
note_call(Oid function, void *context)
{
	Calls	   *calls = context;

	switch (function)
	{
		case F_PG_BACKEND_PID:
		case F_PG_TRIGGER_DEPTH:
		case F_PG_CONF_LOAD_TIME:
		case F_PG_CURSOR:
		case F_PG_PREPARED_STATEMENT:
		case F_PG_LISTENING_CHANNELS:
		case F_PG_MY_TEMP_SCHEMA:
		case F_PG_IS_OTHER_TEMP_SCHEMA:
		case F_PG_CURRENT_SNAPSHOT:
		case F_PG_CURRENT_XACT_ID:
		case F_PG_CURRENT_XACT_ID_IF_ASSIGNED:
		case F_TXID_CURRENT:
		case F_TXID_CURRENT_IF_ASSIGNED:
		case F_TXID_CURRENT_SNAPSHOT:
		case F_AGE_XID:
		case F_INET_CLIENT_ADDR:
		case F_INET_CLIENT_PORT:
		case F_INET_SERVER_ADDR:
		case F_INET_SERVER_PORT:
#ifdef F_SYSTEM_USER
		case F_SYSTEM_USER:
#endif
			calls->session = true;
			break;

			/* They read relations that the query does not name. */
		case F_TABLE_TO_XML:
		case F_TABLE_TO_XML_AND_XMLSCHEMA:
		case F_SCHEMA_TO_XML:
		case F_SCHEMA_TO_XML_AND_XMLSCHEMA:
		case F_DATABASE_TO_XML:
		case F_DATABASE_TO_XML_AND_XMLSCHEMA:
			calls->session = true;
			break;

		case F_CURRENT_SETTING_TEXT:
		case F_CURRENT_SETTING_TEXT_BOOL:
		case F_PG_SHOW_ALL_SETTINGS:
		case F_PG_CLIENT_ENCODING:
			calls->settings = calls->asks_settings = true;
			break;

			/* Names may be those of temporary objects. */
		case F_CURRENT_SCHEMA:
		case F_CURRENT_SCHEMAS:
		case F_TO_REGCLASS:
		case F_TO_REGTYPE:
		case F_REGCLASS:
		case F_REGCLASSIN:
		case F_REGTYPEIN:
		case F_PG_TABLE_IS_VISIBLE:
		case F_PG_TYPE_IS_VISIBLE:
		case F_ROW_SECURITY_ACTIVE_TEXT:
		case F_ROW_SECURITY_ACTIVE_OID:
			calls->settings = true;
			break;

		default:
			if (function >= FirstNormalObjectId && func_volatile(function) != PROVOLATILE_IMMUTABLE)
				calls->settings = true;
			break;
	}
	return false;
}

/*
 * check_call raises 42501 unless the current role may call the function of a node.  The
 * executor checks the same nodes, in views too.
 */
static void
check_call(Node *node)
{
	Oid			function;

	switch (nodeTag(node))
	{
		case T_FuncExpr:
			function = ((FuncExpr *) node)->funcid;
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			function = ((OpExpr *) node)->opfuncid;
			break;
		case T_ScalarArrayOpExpr:
			function = ((ScalarArrayOpExpr *) node)->opfuncid;
			break;
		case T_Aggref:
			function = ((Aggref *) node)->aggfnoid;
			break;
		case T_WindowFunc:
			function = ((WindowFunc *) node)->winfnoid;
			break;
		default:
			return;
	}
	if (OidIsValid(function))
	{
		AclResult	result = corm_function_aclcheck(function, GetUserId());

		if (result != ACLCHECK_OK)
			aclcheck_error(result, OBJECT_FUNCTION, get_func_name(function));
	}
}

/* calls_walker visits each call in a query and in the views it reads. */
static bool
calls_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	(void) check_functions_in_node(node, note_call, context);
	check_call(node);
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, calls_walker, context, 0);
	return expression_tree_walker(node, calls_walker, context);
}

/*
 * rights_walker raises 42501 unless the current role may read what the queries below a
 * node read.  For the relations of a view, the view's owner must have the privilege.
 */
static bool
rights_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		corm_check_query_permissions((Query *) node);
		return query_tree_walker((Query *) node, rights_walker, context, 0);
	}
	return expression_tree_walker(node, rights_walker, context);
}

/* check_rights does the same for a plan that is_current. */
static void
check_rights(CormPlan *plan)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		CachedPlanSource *source = lfirst(lc);
		ListCell   *query;

		foreach(query, source->query_list)
		{
			(void) rights_walker(lfirst(query), NULL);
		}
	}
}

/* is_current tells whether parsing a plan's queries now would give the same result. */
static bool
is_current(CormPlan *plan)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		if (!((CachedPlanSource *) lfirst(lc))->is_valid)
			return false;
	}
	return true;
}

/*
 * find_calls notes what a plan's query calls.  Returns why its result must not be
 * shared, or NULL.  Raises 42501 if the current role may not call what it calls.
 */
static const char *
find_calls(CormPlan *plan, Calls *calls)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		CachedPlanSource *source = lfirst(lc);
		ListCell   *other;

		if (source->dependsOnRLS)
			return "It reads a table under row-level security.";
		foreach(other, source->query_list)
		{
			if (contain_volatile_functions(lfirst(other)))
				return "It calls a volatile function.";
			(void) calls_walker(lfirst(other), calls);
		}
		foreach(other, source->relationOids)
		{
			if (get_rel_persistence(lfirst_oid(other)) == RELPERSISTENCE_TEMP)
				return "It reads a temporary table.";
		}
	}
	if (calls->session)
		return "It calls a function whose result is about the session.";
	return NULL;
}

/*
 * look_at_tree keeps in a plan a hash of what came of parsing its query: the relations,
 * functions, operators, types and collations that its names mean, and constants.  In
 * another session, or later, the same SQL may become something else: names may mean other
 * objects, temporary functions for one, and 'today' another day.
 *
 * A query that is parsed anew is planned anew, too, which has a new generation.
 */
static void
look_at_tree(CormPlan *plan)
{
	int64		generation = 0;
	uint64		hash = 0;
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		generation += ((CachedPlanSource *) lfirst(lc))->generation;
	}
	if (plan->cached_generation == generation)
		return;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		char	   *tree = nodeToString(((CachedPlanSource *) lfirst(lc))->query_list);

		hash = hash_combine64(hash, hash_bytes_extended((unsigned char *) tree, strlen(tree), 0));
		pfree(tree);
	}
	plan->cached_tree = hash;
	plan->cached_generation = generation;
}

/*
 * look_at_query raises 0A000 if the result of a plan must not be shared (or notes it in
 * plan->cached_refused, if fresh answers are wanted), 42501 if the current role may not
 * call what it calls, and notes what its result depends on.  It does nothing if it has
 * done so for this role and no function, role or membership has changed since;
 * forget_query makes it look again.
 */
static void
look_at_query(CormPlan *plan)
{
	uint64		functions = corm_hooks_changes();
	uint64		roles = corm_cache_generation;
	Calls		calls = {0};

	if (plan->cached_functions == functions && plan->cached_roles == roles &&
		plan->cached_role == GetUserId())
		return;

	plan->cached_refused = find_calls(plan, &calls);
	if (plan->cached_refused != NULL && !plan->fresh)
		corm_shareable_refused(plan->cached_refused);
	if (plan->fresh)
		(void) corm_fresh_look(plan);
	look_at_tree(plan);
	plan->cached_settings = calls.settings;
	plan->cached_asks_settings = calls.asks_settings;
	plan->cached_functions = functions;
	plan->cached_roles = roles;
	plan->cached_role = GetUserId();
}

/* forget_query makes look_at_query look again. */
static void
forget_query(CormPlan *plan)
{
	plan->cached_functions = 0;
}

/*
 * refresh has a plan parsed anew if something it depends on has changed.  Raises what
 * that raises, say because a function is gone.  Returns false if the plan is not
 * current afterwards; then only running it tells more.
 */
static bool
refresh(CormPlan *plan)
{
	CachedPlan *made;

	if (is_current(plan))
		return true;
	forget_query(plan);
	plan->cached_generation = CORM_TREE_UNKNOWN;
	made = SPI_plan_get_cached_plan(plan->spi);
	if (made != NULL)
		ReleaseCachedPlan(made, CurrentResourceOwner);
	return is_current(plan);
}

/*
 * corm_shareable_check raises 0A000 if the result of a prepared plan must not
 * be shared, 55000 if there is no cache.
 */
void
corm_shareable_check(CormPlan *plan)
{
	corm_cache_require();
	if (plan->command != CORM_CMD_SELECT || !plan->read_only)
		corm_shareable_refused("It writes or locks rows.");
	forget_query(plan);
	look_at_query(plan);
}

/*
 * corm_shareable_explain returns why the answers of a plan cannot be fresh, or NULL,
 * whether it has cached() or not.  The plan gets what its answers depend on.  Raises
 * 42501 if the current role may not call what it calls.
 */
const char *
corm_shareable_explain(CormPlan *plan)
{
	Calls		calls = {0};
	const char *why;

	if (plan->command != CORM_CMD_SELECT || !plan->read_only)
		return "It writes or locks rows.";
	(void) refresh(plan);
	why = find_calls(plan, &calls);
	(void) corm_fresh_look(plan);
	return why != NULL ? why : plan->fresh_why;
}

/*
 * corm_shareable_now tells whether this call of a plan may be answered from the cache.
 * It may not in a transaction that has written, which sees its own changes, nor if a
 * function might look at the session's temporary objects.  Raises what look_at_query
 * does, and 42501 if the role may not read what the plan reads.
 */
bool
corm_shareable_now(CormPlan *plan)
{
	Oid			temp;
	Oid			temp_toast;

	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		/* the run may parse it anew */
		if (!is_current(plan))
		{
			forget_query(plan);
			plan->cached_generation = CORM_TREE_UNKNOWN;
		}
		return false;
	}
	if (!refresh(plan))
		return false;
	look_at_query(plan);
	GetTempNamespaceState(&temp, &temp_toast);
	if (plan->cached_refused != NULL || (plan->cached_settings && OidIsValid(temp)))
		return false;
	check_rights(plan);
	return true;
}

/*
 * corm_shareable_still checks a plan after it has run, before its result is kept.
 * Returns false if the plan is not current, because then we know nothing about it.
 * Raises 0A000 if its result must not be shared any more.
 */
bool
corm_shareable_still(CormPlan *plan)
{
	forget_query(plan);
	if (!is_current(plan))
		return false;
	look_at_query(plan);
	return plan->cached_refused == NULL;
}
