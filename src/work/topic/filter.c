/*-------------------------------------------------------------------------
 *
 * filter.c
 *		Filters of groups: a condition on the messages that a group wants.
 *
 * A filter is an expression of SQL on key, payload and headers.  It is evaluated when a
 * message is received, as the owner of the group, with the search_path of when the
 * group was made: a receiver must not be able to decide what the names in it
 * mean.  pg_temp comes last in that path, for the same reason.  It may not write, and
 * the settings it makes end with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/sql_text.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "work/topic/filter.h"
#include "work/topic/message.h"

struct CormFilter
{
	char	   *query;
	char	   *path;
	Oid			owner;
	SPIPlanPtr	plan;			/* of the SPI level in which it was made */
};

/* corm_filter_path returns the search_path that a filter made now is evaluated with. */
char *
corm_filter_path(void)
{
	return psprintf("%s%spg_temp", namespace_search_path, namespace_search_path[0] != '\0' ? ", " : "");
}

/*
 * query_of returns the query that evaluates a condition.  Raises 42601 unless it is one
 * expression.
 */
static char *
query_of(const char *condition)
{
	List	   *list = corm_parse_sql(condition, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *stmt = list_length(list) == 1 ? (SelectStmt *) linitial_node(RawStmt, list)->stmt : NULL;

	if (stmt == NULL || !IsA(stmt, SelectStmt) || list_length(stmt->targetList) != 1 ||
		linitial_node(ResTarget, stmt->targetList)->name != NULL ||
		stmt->distinctClause != NIL || stmt->fromClause != NIL || stmt->whereClause != NULL ||
		stmt->groupClause != NIL || stmt->havingClause != NULL || stmt->windowClause != NIL ||
		stmt->sortClause != NIL || stmt->limitOffset != NULL || stmt->limitCount != NULL ||
		stmt->lockingClause != NIL || stmt->op != SETOP_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a filter must be one condition"),
				 errdetail("Filter: %s", condition)));
	/* the newline ends a comment */
	return psprintf("SELECT (%s\n) FROM (SELECT $1 AS key, $2 AS payload, $3 AS headers) AS message", condition);
}

/* make_plan plans a filter in the current SPI level.  Raises 42804 unless it is a condition. */
static SPIPlanPtr
make_plan(const char *query)
{
	Oid			types[3] = {TEXTOID, TEXTOID, JSONBOID};
	SPIPlanPtr	plan = SPI_prepare(query, lengthof(types), types);
	CachedPlanSource *source;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	source = linitial(SPI_plan_get_plan_sources(plan));
	if (TupleDescAttr(source->resultDesc, 0)->atttypid != BOOLOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a filter must be of type boolean, not %s",
						format_type_be(TupleDescAttr(source->resultDesc, 0)->atttypid))));
	return plan;
}

/* corm_filter_check raises what is wrong with a condition. */
void
corm_filter_check(const char *condition)
{
	char	   *query = query_of(condition);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	(void) make_plan(query);
	SPI_finish();
}

/* corm_filter_make returns a filter, palloc'd. */
CormFilter *
corm_filter_make(const char *condition, const char *path, Oid owner)
{
	CormFilter *filter = palloc0(sizeof(CormFilter));

	filter->query = query_of(condition);
	filter->path = pstrdup(path);
	filter->owner = owner;
	return filter;
}

/* evaluate runs the query of a filter, as whom it is to be run.  NULL is false. */
static bool
evaluate(CormFilter *filter, const CormTaken *taken)
{
	CormOutgoing message;
	Datum		values[3] = {0};
	char		nulls[3] = {' ', ' ', ' '};
	SPIPlanPtr	plan;
	bool		isnull = true;
	Datum		result = (Datum) 0;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (filter->plan == NULL)
	{
		plan = make_plan(filter->query);
		if (SPI_keepplan(plan) != 0)
			elog(ERROR, "SPI_keepplan failed");
		filter->plan = plan;
	}
	corm_message_from_taken(taken, &message);
	if (message.key_len >= 0)
		values[0] = PointerGetDatum(cstring_to_text_with_len(message.key, message.key_len));
	else
		nulls[0] = 'n';
	values[1] = PointerGetDatum(cstring_to_text_with_len(message.payload, message.payload_len));
	if (message.headers_len >= 0)
		values[2] = corm_message_headers(&message);
	else
		nulls[2] = 'n';
	if (SPI_execute_plan(filter->plan, values, nulls, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed");
	if (SPI_processed > 0)
		result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	isnull = isnull || !DatumGetBool(result);
	SPI_finish();
	return !isnull;
}

/*
 * corm_filter_accepts tells whether a filter accepts a message.  Raises what its
 * condition raises.
 */
bool
corm_filter_accepts(CormFilter *filter, const CormTaken *taken)
{
	Oid			user;
	int			context;
	int			level;
	bool		result;

	/*
	 * After an error the end of the subtransaction restores user and settings.  Settings
	 * that the condition makes are undone with the level: they would be the receiver's.
	 */
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(filter->owner, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	level = NewGUCNestLevel();
	(void) set_config_option("search_path", filter->path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = evaluate(filter, taken);
	AtEOXact_GUC(false, level);
	SetUserIdAndSecContext(user, context);
	return result;
}

/* corm_filter_end frees the plan of a filter. */
void
corm_filter_end(CormFilter *filter)
{
	if (filter != NULL && filter->plan != NULL)
		SPI_freeplan(filter->plan);
}
