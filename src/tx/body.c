/*-------------------------------------------------------------------------
 *
 * body.c
 *		SQL text as the body of a transaction scope.
 *
 * A body is one or several statements.  Its plans are kept in the session, in
 * a hash by text and parameter types, least recently used out first, at most
 * corm.tx_body_cache_size bodies.  Each statement has a saved SPI plan of its
 * own, made when the statement is about to run, so that a statement may use
 * what the one before it created.
 *
 * Parameters.  Any statement may use any of $1..$n.  Types that come from the
 * context (base/params.c) are found once for each statement.  The finding holds
 * for the tables seen then, so it is repeated when the plan is invalidated or the
 * search path has changed.
 *
 * Ownership.  A body lives in a memory context of its own.  While it runs it is
 * pinned: a recursive scope may push it out of the cache, and then it is freed
 * when the last pin goes.  In the same way a recursive scope may prepare a
 * statement again while its plan is being executed further out, and then the old
 * plan is freed when its last user is done.  Pin and use are noted in
 * CormTxBodyCall, and corm_tx_body_cleanup releases them after an error too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/guc.h"
#include "base/params.h"
#include "base/sql_text.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "lib/ilist.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "parser/scansup.h"
#include "tcop/cmdtag.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "tx/body.h"
#include "tx/json.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Longer texts are hardly ever run twice; their plans go when they have run. */
#define MAX_CACHED_BODY (64 * 1024)

/* The plan of a statement, which outlives being replaced while it is executed. */
typedef struct CormTxStatementPlan
{
	SPIPlanPtr	spi_plan;		/* saved */
	int			users;			/* calls that execute it */
	bool		replaced;		/* no longer the statement's */
} CormTxStatementPlan;

/* One statement of a body. */
typedef struct BodyStatement
{
	char	   *sql;
	CormTxStatementPlan *plan;	/* NULL until it is first run */
	Oid		   *types;			/* of the parameters, as the plan takes them */
	CormSearchPath *search_path;	/* that types were found under */
} BodyStatement;

/* What identifies a body: pointers into the caller's memory in a look-up. */
typedef struct BodyKey
{
	const char *text;
	int			len;
	int			nargs;
	const Oid  *types;			/* as given, before a context gives text a
								 * type */
} BodyKey;

typedef struct CormTxBodyPlan
{
	BodyKey		key;			/* must be first, it is the hash key */
	dlist_node	lru;			/* most recently used first */
	MemoryContext context;
	int			pins;
	bool		evicted;		/* no longer in the hash */
	bool		varying;		/* some parameter is text or unknown */
	int			nstatements;
	BodyStatement *statements;
} CormTxBodyPlan;

/* The hash has pointers, so that evicted bodies can outlive their entry. */
typedef struct BodyEntry
{
	BodyKey		key;
	CormTxBodyPlan *plan;
} BodyEntry;

static HTAB *bodies = NULL;
static dlist_head lru_list = DLIST_STATIC_INIT(lru_list);
static MemoryContext bodies_context = NULL;

static uint32 body_hash(const void *key, Size keysize);
static int	body_match(const void *a, const void *b, Size keysize);
static CormTxBodyPlan *find_body(const BodyKey *key);
static CormTxBodyPlan *make_body(const BodyKey *key);
static void evict_body(CormTxBodyPlan *plan);
static void free_body(CormTxBodyPlan *plan);
static void free_plan(CormTxStatementPlan *plan);
static void drop_plan(BodyStatement *statement);
static void use_plan(CormTxBodyCall *call, CormTxStatementPlan *plan);
static void release_plan(CormTxBodyCall *call);
static void prepare_statement(CormTxBodyPlan *plan, BodyStatement *statement);
static Oid *copy_types(const CormTxBodyPlan *plan, const BodyStatement *statement);
static void check_spi_result(int result, const BodyStatement *statement);

/* body_hash hashes a BodyKey. */
static uint32
body_hash(const void *key, Size keysize)
{
	const BodyKey *k = (const BodyKey *) key;
	uint32		hash = hash_bytes((const unsigned char *) k->text, k->len);

	for (int i = 0; i < k->nargs; i++)
		hash = hash_combine(hash, murmurhash32(k->types[i]));
	return hash;
}

/* body_match compares two BodyKeys; 0 means equal. */
static int
body_match(const void *a, const void *b, Size keysize)
{
	const BodyKey *x = (const BodyKey *) a;
	const BodyKey *y = (const BodyKey *) b;

	if (x->len != y->len || x->nargs != y->nargs)
		return 1;
	if (x->nargs > 0 && memcmp(x->types, y->types, x->nargs * sizeof(Oid)) != 0)
		return 1;
	return memcmp(x->text, y->text, x->len);
}

/*
 * find_body returns the body for a key, parsed, and in the cache unless it is
 * very long.  The caller must pin it before anything else can run.  Raises what
 * the parser raises, and 2D000 for a statement that would begin or end a
 * transaction.
 */
static CormTxBodyPlan *
find_body(const BodyKey *key)
{
	BodyEntry  *entry;
	CormTxBodyPlan *plan;

	if (bodies == NULL)
	{
		HASHCTL		ctl = {0};

		if (bodies_context == NULL)
			bodies_context = AllocSetContextCreate(TopMemoryContext, "corm transaction bodies",
												   ALLOCSET_DEFAULT_SIZES);
		ctl.keysize = sizeof(BodyKey);
		ctl.entrysize = sizeof(BodyEntry);
		ctl.hash = body_hash;
		ctl.match = body_match;
		ctl.hcxt = bodies_context;
		bodies = hash_create("corm transaction bodies", 64, &ctl,
							 HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	}

	entry = hash_search(bodies, key, HASH_FIND, NULL);
	if (entry != NULL)
	{
		dlist_move_head(&lru_list, &entry->plan->lru);
		return entry->plan;
	}

	plan = make_body(key);
	if (key->len > MAX_CACHED_BODY)
		return plan;
	entry = hash_search(bodies, &plan->key, HASH_ENTER, NULL);
	entry->key = plan->key;
	entry->plan = plan;
	dlist_push_head(&lru_list, &plan->lru);
	plan->evicted = false;

	while (hash_get_num_entries(bodies) > corm_tx_body_cache_size)
		evict_body(dlist_tail_element(CormTxBodyPlan, lru, &lru_list));
	return plan;
}

/*
 * make_body parses a body into statements and returns it in a memory context
 * of its own, which disappears if an error is raised.
 */
static CormTxBodyPlan *
make_body(const BodyKey *key)
{
	MemoryContext oldcontext;
	MemoryContext context;
	CormTxBodyPlan *plan;
	char	   *text;
	List	   *parsed;
	ListCell   *cell;

	/* a child of the current context until nothing can fail any more */
	context = AllocSetContextCreate(CurrentMemoryContext, "corm transaction body",
									ALLOCSET_SMALL_SIZES);
	text = pnstrdup(key->text, key->len);

	parsed = corm_parse_sql(text, RAW_PARSE_DEFAULT);

	oldcontext = MemoryContextSwitchTo(context);
	plan = palloc0(sizeof(CormTxBodyPlan));
	plan->context = context;
	plan->evicted = true;
	plan->key.text = memcpy(palloc(key->len + 1), text, key->len + 1);
	plan->key.len = key->len;
	plan->key.nargs = key->nargs;
	if (key->nargs > 0)
	{
		plan->key.types = memcpy(palloc(key->nargs * sizeof(Oid)), key->types,
								 key->nargs * sizeof(Oid));
		for (int i = 0; i < key->nargs; i++)
			plan->varying |= corm_param_is_varying(key->types[i]);
	}
	plan->statements = palloc0(Max(list_length(parsed), 1) * sizeof(BodyStatement));

	foreach(cell, parsed)
	{
		RawStmt    *raw = lfirst_node(RawStmt, cell);
		const char *start = text +raw->stmt_location;
		int			len = raw->stmt_len > 0 ? raw->stmt_len : strlen(start);
		BodyStatement *statement = &plan->statements[plan->nstatements++];

		if (IsA(raw->stmt, TransactionStmt))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
					 errmsg("%s is not allowed in the body of a transaction scope",
							GetCommandTagName(CreateCommandTag(raw->stmt))),
					 errhint("The scope commits when the body ends, and rolls back when it raises an error.")));
		while (len > 0 && scanner_isspace(*start))
		{
			start++;
			len--;
		}
		statement->sql = pnstrdup(start, len);
		if (key->nargs > 0)
			statement->types = palloc(key->nargs * sizeof(Oid));
	}
	MemoryContextSwitchTo(oldcontext);

	MemoryContextSetParent(context, bodies_context);
	return plan;
}

/* evict_body takes a body out of the cache, and frees it unless it is running. */
static void
evict_body(CormTxBodyPlan *plan)
{
	hash_search(bodies, &plan->key, HASH_REMOVE, NULL);
	dlist_delete(&plan->lru);
	plan->evicted = true;
	if (plan->pins == 0)
		free_body(plan);
}

/* free_body frees a body and its plans. */
static void
free_body(CormTxBodyPlan *plan)
{
	for (int i = 0; i < plan->nstatements; i++)
	{
		if (plan->statements[i].plan != NULL)
			free_plan(plan->statements[i].plan);
	}
	MemoryContextDelete(plan->context);
}

/* free_plan frees a plan that nobody uses. */
static void
free_plan(CormTxStatementPlan *plan)
{
	Assert(plan->users == 0);
	SPI_freeplan(plan->spi_plan);
	pfree(plan);
}

/* drop_plan takes the plan away from a statement that is to get another. */
static void
drop_plan(BodyStatement *statement)
{
	CormTxStatementPlan *plan = statement->plan;

	statement->plan = NULL;
	plan->replaced = true;
	if (plan->users == 0)
		free_plan(plan);
}

/* use_plan keeps a plan from being freed until release_plan. */
static void
use_plan(CormTxBodyCall *call, CormTxStatementPlan *plan)
{
	plan->users++;
	call->executing = plan;
}

/* release_plan ends the use of the plan that a call executes, if it does. */
static void
release_plan(CormTxBodyCall *call)
{
	CormTxStatementPlan *plan = call->executing;

	if (plan == NULL)
		return;
	call->executing = NULL;
	if (--plan->users == 0 && plan->replaced)
		free_plan(plan);
}

/*
 * prepare_statement makes the plan of a statement, or makes it again if the
 * parameter types found for it may no longer be right.  PostgreSQL's plan cache
 * takes care of all other changes.  Must be called with SPI connected.
 */
static void
prepare_statement(CormTxBodyPlan *plan, BodyStatement *statement)
{
	Oid		   *types = NULL;
	CormTxStatementPlan *made;
	SPIPlanPtr	spi_plan;

	if (statement->plan != NULL)
	{
		if (!plan->varying ||
			(SPI_plan_is_valid(statement->plan->spi_plan) &&
			 corm_search_path_matches(statement->search_path)))
			return;
		drop_plan(statement);
	}

	if (plan->key.nargs > 0)
	{
		types = palloc(plan->key.nargs * sizeof(Oid));
		if (plan->varying)
			corm_params_find_types(statement->sql, plan->key.nargs, plan->key.types, types, "transaction scope");
		else
			memcpy(types, plan->key.types, plan->key.nargs * sizeof(Oid));
	}

	spi_plan = SPI_prepare_cursor(statement->sql, plan->key.nargs, types, CURSOR_OPT_PARALLEL_OK);
	if (spi_plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));

	if (plan->varying)
	{
		CormSearchPath *old = statement->search_path;

		statement->search_path = corm_get_search_path(plan->context);
		if (old != NULL)
		{
			list_free(old->schemas);
			pfree(old);
		}
	}
	if (types != NULL)
		memcpy(statement->types, types, plan->key.nargs * sizeof(Oid));
	made = MemoryContextAllocZero(plan->context, sizeof(CormTxStatementPlan));
	if (SPI_keepplan(spi_plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	made->spi_plan = spi_plan;

	/*
	 * a constant in the statement may have called a function that ran this
	 * body
	 */
	if (statement->plan != NULL)
		drop_plan(statement);
	statement->plan = made;
}

/*
 * copy_types returns the types of the parameters of the plan that the statement
 * has now, in the current memory context: a recursive call may find others.
 */
static Oid *
copy_types(const CormTxBodyPlan *plan, const BodyStatement *statement)
{
	Oid		   *types = palloc(Max(plan->key.nargs, 1) * sizeof(Oid));

	if (plan->key.nargs > 0)
		memcpy(types, statement->types, plan->key.nargs * sizeof(Oid));
	return types;
}

/* check_spi_result raises for what SPI says by a return code. */
static void
check_spi_result(int result, const BodyStatement *statement)
{
	if (result >= 0)
		return;
	if (result == SPI_ERROR_COPY)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot COPY to or from the client in the body of a transaction scope")));
	elog(ERROR, "could not run \"%s\": %s", statement->sql, SPI_result_code_string(result));
}

/*
 * corm_tx_body_run runs the body described by a CormTxBodyCall and sets its
 * result.  All statements but the last run for their effects only.
 */
void
corm_tx_body_run(void *arg)
{
	CormTxBodyCall *call = (CormTxBodyCall *) arg;
	BodyKey		key = {call->text, call->len, call->params.n, call->params.types};
	CormTxBodyPlan *plan;

	plan = find_body(&key);
	plan->pins++;
	call->plan = plan;
	call->result = NULL;

	if (plan->nstatements == 0)
		return;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	/* CALL corm.run_tx comes here without a snapshot */
	EnsurePortalSnapshotExists();

	for (int i = 0; i < plan->nstatements; i++)
	{
		BodyStatement *statement = &plan->statements[i];
		SPIExecuteOptions options = {0};
		bool		last = i == plan->nstatements - 1;

		CHECK_FOR_INTERRUPTS();
		prepare_statement(plan, statement);

		/*
		 * before binding, which calls functions of users: they may run this
		 * body
		 */
		use_plan(call, statement->plan);
		options.params = corm_params_bind(&call->params, copy_types(plan, statement));
		options.dest = last ? corm_tx_json_receiver() : None_Receiver;
		check_spi_result(SPI_execute_plan_extended(call->executing->spi_plan, &options), statement);
		release_plan(call);
		if (last)
			call->result = corm_tx_json_result(options.dest, call->result_context);
	}

	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

/* corm_tx_body_cleanup releases what a body that has run or failed still has.  Does not raise. */
void
corm_tx_body_cleanup(void *arg)
{
	CormTxBodyCall *call = (CormTxBodyCall *) arg;
	CormTxBodyPlan *plan = call->plan;

	if (plan == NULL)
		return;
	release_plan(call);
	call->plan = NULL;
	if (--plan->pins == 0 && plan->evicted)
		free_body(plan);
}
