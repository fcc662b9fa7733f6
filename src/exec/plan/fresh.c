/*-------------------------------------------------------------------------
 *
 * fresh.c
 *		Whether a plan can have fresh answers, and what they depend on.
 *
 * A fresh answer, of corm.cached(fresh => true), is kept in the cache as long as what
 * it was computed from has not changed (cache/shared/versions.c).  So everything that
 * it is computed from must be known and followed:
 *
 *	- the tables that the parsed query names, those behind views, and the views; with
 *	  their descendants.  System catalogs, foreign tables, sequences and temporary
 *	  tables are not followed, nor are xmax and other system columns: locking a row changes them;
 *	- functions.  An immutable one depends on its arguments, and on its own text or
 *	  that of functions it calls.  Of PostgreSQL's stable ones there is a list of
 *	  those that depend on no more than their arguments and the settings that are in
 *	  every key.  current_setting() of a setting with a dot in its name is one of
 *	  them, if the name is a constant: all such settings are in the key.  Any other
 *	  may depend on the time, the session or catalogs; and a user's function that is
 *	  not immutable may read tables that nobody knows of;
 *	- types.  Values of regclass and its kin are names of objects, and changes of
 *	  these are not followed.  Changes of enums are; those of row types, whose columns
 *	  become keys of JSON; those of casts to json, which may call functions of users;
 *	  and those of domains, which may come to reject a value that is cast to them.
 *
 * A query that depends on anything else is run each time.
 *
 * Parsing a query settles what its names mean and what constants such as 'today' are.
 * The result of that is in the key (shareable.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/transam.h"
#include "base/compat.h"
#include "base/value.h"
#include "cache/cache.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "exec/plan/fresh.h"
#include "exec/plan/plan.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/typcache.h"

#define MAX_DEPTH		10		/* of rows within rows */

static const char reads_text[] = "It reads values from text in a way that may depend on the time or the session.";

/*
 * PostgreSQL's stable functions that depend on their arguments and on the settings
 * in every key, and on nothing else: neither on the time nor on catalogs, other than
 * those that are followed.  Input functions are not among them: 'now' and 'today'
 * are input of dates.
 */
static bool
depends_on_arguments(Oid function)
{
	switch (function)
	{
		case F_ANYARRAY_OUT:
		case F_ANYENUM_OUT:
		case F_ANYMULTIRANGE_OUT:
		case F_ANYRANGE_OUT:
		case F_ANYTEXTCAT:
		case F_ARRAY_OUT:
		case F_ARRAY_TO_JSON_ANYARRAY:
		case F_ARRAY_TO_JSON_ANYARRAY_BOOL:
		case F_ARRAY_TO_STRING_ANYARRAY_TEXT:
		case F_ARRAY_TO_STRING_ANYARRAY_TEXT_TEXT:
		case F_CASH_OUT:
		case F_CONCAT:
		case F_CONCAT_WS:
		case F_CONVERT:
		case F_CONVERT_FROM:
		case F_CONVERT_TO:
		case F_DATE_CMP_TIMESTAMPTZ:
		case F_DATE_EQ_TIMESTAMPTZ:
		case F_DATE_GE_TIMESTAMPTZ:
		case F_DATE_GT_TIMESTAMPTZ:
		case F_DATE_LE_TIMESTAMPTZ:
		case F_DATE_LT_TIMESTAMPTZ:
		case F_DATE_NE_TIMESTAMPTZ:
		case F_DATE_OUT:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
		case F_DATE_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
		case F_ENUM_FIRST:
		case F_ENUM_LAST:
		case F_ENUM_OUT:
		case F_ENUM_RANGE_ANYENUM:
		case F_ENUM_RANGE_ANYENUM_ANYENUM:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_FORMAT_TEXT:
		case F_FORMAT_TEXT_ANY:
		case F_GENERATE_SERIES_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL:
		case F_INTERVAL_OUT:
		case F_INTERVAL_PL_TIMESTAMPTZ:
		case F_IN_RANGE_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL_BOOL_BOOL:
		case F_JSONB_AGG:
		case F_JSONB_BUILD_ARRAY_:
		case F_JSONB_BUILD_ARRAY_ANY:
		case F_JSONB_BUILD_OBJECT_:
		case F_JSONB_BUILD_OBJECT_ANY:
		case F_JSONB_TO_TSVECTOR_JSONB_JSONB:
		case F_JSON_AGG:
		case F_JSON_BUILD_ARRAY_:
		case F_JSON_BUILD_ARRAY_ANY:
		case F_JSON_BUILD_OBJECT_:
		case F_JSON_BUILD_OBJECT_ANY:
		case F_JSON_OBJECT_AGG:
		case F_JSON_TO_TSVECTOR_JSON_JSONB:
		case F_LENGTH_BYTEA_NAME:
		case F_MAKE_TIMESTAMPTZ_INT4_INT4_INT4_INT4_INT4_FLOAT8:
		case F_MAKE_TIMESTAMPTZ_INT4_INT4_INT4_INT4_INT4_FLOAT8_TEXT:
		case F_MONEY_INT4:
		case F_MONEY_INT8:
		case F_MONEY_NUMERIC:
		case F_MULTIRANGE_OUT:
		case F_NUMERIC_MONEY:
		case F_OVERLAPS_TIMESTAMPTZ_INTERVAL_TIMESTAMPTZ_INTERVAL:
		case F_OVERLAPS_TIMESTAMPTZ_INTERVAL_TIMESTAMPTZ_TIMESTAMPTZ:
		case F_OVERLAPS_TIMESTAMPTZ_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL:
		case F_PHRASETO_TSQUERY_TEXT:
		case F_PLAINTO_TSQUERY_TEXT:
		case F_QUOTE_LITERAL_ANYELEMENT:
		case F_QUOTE_NULLABLE_ANYELEMENT:
		case F_RANGE_OUT:
		case F_RECORD_OUT:
		case F_ROW_TO_JSON_RECORD:
		case F_ROW_TO_JSON_RECORD_BOOL:
		case F_TEXTANYCAT:
		case F_TIMESTAMPTZ_CMP_DATE:
		case F_TIMESTAMPTZ_CMP_TIMESTAMP:
		case F_TIMESTAMPTZ_DATE:
		case F_TIMESTAMPTZ_DATE_TIME:
		case F_TIMESTAMPTZ_EQ_DATE:
		case F_TIMESTAMPTZ_EQ_TIMESTAMP:
		case F_TIMESTAMPTZ_GE_DATE:
		case F_TIMESTAMPTZ_GE_TIMESTAMP:
		case F_TIMESTAMPTZ_GT_DATE:
		case F_TIMESTAMPTZ_GT_TIMESTAMP:
		case F_TIMESTAMPTZ_LE_DATE:
		case F_TIMESTAMPTZ_LE_TIMESTAMP:
		case F_TIMESTAMPTZ_LT_DATE:
		case F_TIMESTAMPTZ_LT_TIMESTAMP:
		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_TIMESTAMPTZ_NE_DATE:
		case F_TIMESTAMPTZ_NE_TIMESTAMP:
		case F_TIMESTAMPTZ_OUT:
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_TIMESTAMP:
		case F_TIMESTAMP_CMP_TIMESTAMPTZ:
		case F_TIMESTAMP_EQ_TIMESTAMPTZ:
		case F_TIMESTAMP_GE_TIMESTAMPTZ:
		case F_TIMESTAMP_GT_TIMESTAMPTZ:
		case F_TIMESTAMP_LE_TIMESTAMPTZ:
		case F_TIMESTAMP_LT_TIMESTAMPTZ:
		case F_TIMESTAMP_NE_TIMESTAMPTZ:
		case F_TIMESTAMP_OUT:
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_TIMETZ_TIMESTAMPTZ:
		case F_TIME_TIMESTAMPTZ:
		case F_TO_CHAR_FLOAT4_TEXT:
		case F_TO_CHAR_FLOAT8_TEXT:
		case F_TO_CHAR_INT4_TEXT:
		case F_TO_CHAR_INT8_TEXT:
		case F_TO_CHAR_INTERVAL_TEXT:
		case F_TO_CHAR_NUMERIC_TEXT:
		case F_TO_CHAR_TIMESTAMPTZ_TEXT:
		case F_TO_CHAR_TIMESTAMP_TEXT:
		case F_TO_JSON:
		case F_TO_JSONB:
		case F_TO_NUMBER:
		case F_TO_TSQUERY_TEXT:
		case F_TO_TSVECTOR_JSON:
		case F_TO_TSVECTOR_JSONB:
		case F_TO_TSVECTOR_TEXT:
		case F_TS_HEADLINE_JSONB_TSQUERY:
		case F_TS_HEADLINE_JSONB_TSQUERY_TEXT:
		case F_TS_HEADLINE_JSON_TSQUERY:
		case F_TS_HEADLINE_JSON_TSQUERY_TEXT:
		case F_TS_HEADLINE_TEXT_TSQUERY:
		case F_TS_HEADLINE_TEXT_TSQUERY_TEXT:
		case F_TS_MATCH_TQ:
		case F_TS_MATCH_TT:
		case F_WEBSEARCH_TO_TSQUERY_TEXT:
			return true;
		default:
			return false;
	}
}

/* What a walk through a query finds. */
typedef struct Found
{
	const char *why;			/* the answer cannot be fresh, or NULL */
	int			fixed;			/* it depends on these: CORM_DEPENDS_* */
	List	   *rows;			/* and on the relations of these row types */
} Found;

/* look_at_call looks at one function that a query calls.  It returns true to end the walk. */
static bool
look_at_call(Oid function, void *context)
{
	Found	   *found = context;

	if (function >= FirstNormalObjectId)
		found->fixed |= CORM_DEPENDS_FUNCTIONS;
	switch (function)
	{
		case F_CONVERT:
		case F_CONVERT_FROM:
		case F_CONVERT_TO:
			/* by a conversion, which may be a user's */
			found->fixed |= CORM_DEPENDS_FUNCTIONS;
			break;
		default:
			break;
	}
	switch (func_volatile(function))
	{
		case PROVOLATILE_IMMUTABLE:
			break;
		case PROVOLATILE_STABLE:
			if (function >= FirstNormalObjectId)
				found->why = "It calls a function that is not immutable, which may read other tables.";
			else if (!depends_on_arguments(function))
				found->why = "It calls a function that depends on the time, the session or catalogs.";
			break;
		default:
			found->why = "It calls a volatile function.";
			break;
	}
	return found->why != NULL;
}

/* note_cast notes that values of a type of users may be made into JSON, by a cast if there is one. */
static void
note_cast(Oid type, Found *found)
{
	Oid			function;

	if (type < FirstNormalObjectId)
		return;
	found->fixed |= CORM_DEPENDS_CASTS;
	if (find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT, &function) == COERCION_PATH_FUNC)
		(void) look_at_call(function, found);
}

/* note_type notes what it means that a query has values of a type. */
static void
note_type(Oid type, Found *found, int depth)
{
	Oid			element;

	type = getBaseType(type);
	if (corm_type_names_objects(type))
	{
		found->why = "It has names of catalog objects.";
		return;
	}
	element = get_element_type(type);
	if (OidIsValid(element))
	{
		note_type(element, found, depth);
		return;
	}
	switch (get_typtype(type))
	{
		case TYPTYPE_ENUM:
			found->fixed |= CORM_DEPENDS_ENUMS;
			note_cast(type, found);
			break;
		case TYPTYPE_BASE:
			/* its output function, for one */
			if (type >= FirstNormalObjectId)
				found->fixed |= CORM_DEPENDS_FUNCTIONS;
			note_cast(type, found);
			break;
		case TYPTYPE_RANGE:
			note_type(get_range_subtype(type), found, depth);
			note_cast(type, found);
			break;
		case TYPTYPE_MULTIRANGE:
			note_type(get_range_subtype(get_multirange_range(type)), found, depth);
			note_cast(type, found);
			break;
		case TYPTYPE_COMPOSITE:
			if (get_typ_typrelid(type) >= FirstNormalObjectId)
				found->rows = list_append_unique_oid(found->rows, get_typ_typrelid(type));
			if (depth < MAX_DEPTH)
			{
				TupleDesc	desc = lookup_rowtype_tupdesc_noerror(type, -1, true);

				for (int i = 0; desc != NULL && i < desc->natts; i++)
				{
					if (!TupleDescAttr(desc, i)->attisdropped)
						note_type(TupleDescAttr(desc, i)->atttypid, found, depth + 1);
				}
				if (desc != NULL)
					ReleaseTupleDesc(desc);
			}
			else
				found->why = "It has rows within rows, too deep to look at.";
			break;
		default:
			break;
	}
}

/* note_search notes a call that has to do with text search. */
static void
note_search(FuncExpr *call, Found *found)
{
	ListCell   *lc;

	if (call->funcresulttype == TSVECTOROID || call->funcresulttype == TSQUERYOID)
		found->fixed |= CORM_DEPENDS_SEARCH;
	foreach(lc, call->args)
	{
		if (exprType(lfirst(lc)) == TSQUERYOID)
			found->fixed |= CORM_DEPENDS_SEARCH;
	}
}

/*
 * is_read_with_context tells whether reading a value of a type from text depends on more
 * than the text: 'now' is text of a date.
 */
static bool
is_read_with_context(Oid type)
{
	Oid			input;
	Oid			param;
	Oid			element;

	type = getBaseType(type);
	if (type == JSONOID || type == JSONBOID)
		return false;
	element = get_element_type(type);
	if (OidIsValid(element))
		return is_read_with_context(element);
	getTypeInputInfo(type, &input, &param);
	return func_volatile(input) != PROVOLATILE_IMMUTABLE;
}

/* look_at_table_function looks at functions such as XMLTABLE, which read values from text. */
static void
look_at_table_function(TableFunc *table, Found *found)
{
	ListCell   *lc;

	foreach(lc, table->coltypes)
	{
		note_type(lfirst_oid(lc), found, 0);
		if (is_read_with_context(lfirst_oid(lc)))
			found->why = reads_text;
	}
}

/* look_at_sort looks at an item of GROUP BY, ORDER BY, DISTINCT or a window. */
static void
look_at_sort(SortGroupClause *item, Found *found)
{
	if (item->eqop >= FirstNormalObjectId || item->sortop >= FirstNormalObjectId)
		found->fixed |= CORM_DEPENDS_FUNCTIONS;
}

/* look_at_column looks at a column. */
static void
look_at_column(Var *var, Found *found)
{
	switch (var->varattno)
	{
		case MinTransactionIdAttributeNumber:
		case MinCommandIdAttributeNumber:
		case MaxTransactionIdAttributeNumber:
		case MaxCommandIdAttributeNumber:
			found->why = "It reads which transaction has written or locked a row.";
			break;
		default:
			note_type(var->vartype, found, 0);
			break;
	}
}

/* reads_custom_setting tells whether a call is current_setting of a custom setting, by a constant name. */
static bool
reads_custom_setting(FuncExpr *call)
{
	Node	   *name;

	if (call->funcid != F_CURRENT_SETTING_TEXT && call->funcid != F_CURRENT_SETTING_TEXT_BOOL)
		return false;
	name = linitial(call->args);
	return IsA(name, Const) && !((Const *) name)->constisnull &&
		strchr(TextDatumGetCString(((Const *) name)->constvalue), '.') != NULL;
}

/* look_walker looks at the nodes of a query.  It returns true to end the walk. */
static bool
look_walker(Node *node, void *context)
{
	Found	   *found = context;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Query:
			return query_tree_walker((Query *) node, look_walker, context, QTW_EXAMINE_SORTGROUP);
		case T_SQLValueFunction:
			found->why = "It depends on the time or on who asks.";
			return true;
		case T_CurrentOfExpr:
			found->why = "It reads a cursor.";
			return true;
		case T_TableSampleClause:
			found->why = "It reads a sample.";
			return true;
		case T_FuncExpr:
			note_search((FuncExpr *) node, found);
			if (reads_custom_setting((FuncExpr *) node))
				return expression_tree_walker(node, look_walker, context);
			note_type(exprType(node), found, 0);
			break;
		case T_Const:
			/* the configuration of a text search is not shown */
			if (exprType(node) == REGCONFIGOID || exprType(node) == REGDICTIONARYOID)
				found->fixed |= CORM_DEPENDS_SEARCH;
			else
				note_type(exprType(node), found, 0);
			break;
		case T_Var:
			look_at_column((Var *) node, found);
			break;
		case T_SortGroupClause:
			look_at_sort((SortGroupClause *) node, found);
			break;
		case T_TableFunc:
			look_at_table_function((TableFunc *) node, found);
			break;
		case T_CoerceToDomain:
			/* its constraints may call functions */
			found->fixed |= CORM_DEPENDS_DOMAINS | CORM_DEPENDS_FUNCTIONS;
			note_type(exprType(node), found, 0);
			break;
		case T_Param:
		case T_OpExpr:
		case T_Aggref:
		case T_WindowFunc:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
			note_type(exprType(node), found, 0);
			break;
		default:
			if (corm_is_json_expr(node))
			{
				note_type(exprType(node), found, 0);
				if (is_read_with_context(exprType(node)))
					found->why = reads_text;
			}
			break;
	}
	if (found->why != NULL || check_functions_in_node(node, look_at_call, context))
		return true;
	return expression_tree_walker(node, look_walker, context);
}

/* named_relations returns the relations that a plan's query names, views and what is behind them. */
static List *
named_relations(CormPlan *plan)
{
	List	   *relids = NIL;
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		relids = list_concat_unique_oid(relids, ((CachedPlanSource *) lfirst(lc))->relationOids);
	}
	return relids;
}

/*
 * look looks at the query of a plan.  Returns the relations that its answers depend on, a
 * sorted list in the current context, and what else in *fixed; or *why these cannot be
 * fresh.
 */
static List *
look(CormPlan *plan, int *fixed, const char **why)
{
	Found		found = {0};
	List	   *relids;
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		ListCell   *query;

		foreach(query, ((CachedPlanSource *) lfirst(lc))->query_list)
		{
			(void) look_walker(lfirst(query), &found);
		}
	}
	relids = corm_descendants(named_relations(plan), why);
	if (*why == NULL)
		*why = found.why;
	relids = list_concat_unique_oid(relids, found.rows);
	list_sort(relids, list_oid_cmp);
	*fixed = found.fixed;
	return relids;
}

/* set_depends keeps in a plan what its answers depend on, unless that is known.  Returns whether it was. */
static bool
set_depends(CormPlan *plan, List *relids, int fixed)
{
	MemoryContext oldcontext;

	if (plan->fresh_depends != NULL && fixed == plan->fresh_fixed && equal(relids, plan->fresh_relids))
		return true;

	oldcontext = MemoryContextSwitchTo(plan->context);
	if (plan->fresh_depends != NULL)
		pfree(plan->fresh_depends);
	plan->fresh_depends = NULL;
	list_free(plan->fresh_relids);
	plan->fresh_relids = list_copy(relids);
	plan->fresh_fixed = fixed;
	plan->fresh_depends = corm_depends_on(relids, fixed);
	plan->fresh_looks++;
	MemoryContextSwitchTo(oldcontext);
	return false;
}

/*
 * corm_fresh_look finds out whether a plan can have fresh answers, and what they depend
 * on: plan->fresh_why and fresh_depends.  Returns whether that was known; if it was not,
 * plan->fresh_looks is another number.
 */
bool
corm_fresh_look(CormPlan *plan)
{
	int			fixed;
	List	   *relids = look(plan, &fixed, &plan->fresh_why);

	return plan->fresh_why == NULL && set_depends(plan, relids, fixed);
}
