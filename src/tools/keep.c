/*-------------------------------------------------------------------------
 *
 * keep.c
 *		corm.keep_definitions: a command that replaces tables by others of their names.
 *
 * Some tools change a table by making another one: a new table, the rows copied, the old one
 * dropped with CASCADE, the new one renamed.  Citus does so in alter_distributed_table and
 * undistribute_table.  What is stored about the old table goes with it, as it must when a
 * table is dropped, and so do functions that take its rows, which are its hooks.  Nobody
 * would notice that the new table has no soft delete.
 *
 * Here the caller says that the new tables stand for the old ones.  So we write down the
 * definitions of the caller's models (definitions.c) and the functions that take their
 * rows, run the command, and then make again what is gone, of the tables whose names are
 * those of other tables now.  All of it is done with the rights of the caller, in the
 * caller's transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/args.h"
#include "base/compat.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "tools/definitions.h"
#include "tools/nodes.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#define CITUS_MODE	"citus.multi_shard_modify_mode"

/* A function that takes rows of a table. */
typedef struct RowFunction
{
	Oid			function;
	Oid			relid;			/* the table */
	char	   *model;			/* its qualified name */
	char	   *signature;
	bool		allowed;		/* may the caller make it again? */
	List	   *sql;			/* what makes it */
} RowFunction;

/* The functions that would be dropped with tables of the caller. */
static const char *const functions_query =
	"SELECT DISTINCT p.oid, c.oid, pg_catalog.pg_has_role(p.proowner, 'MEMBER'), pg_catalog.pg_get_functiondef(p.oid),"
	" pg_catalog.format('ALTER ROUTINE %s OWNER TO %I', o.signature, pg_catalog.pg_get_userbyid(p.proowner)),"
	" CASE WHEN d.description IS NOT NULL THEN pg_catalog.format('COMMENT ON ROUTINE %s IS %L', o.signature, d.description) END,"
	" CASE WHEN p.proacl IS NOT NULL THEN (SELECT pg_catalog.concat(pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', o.signature),"
	" pg_catalog.string_agg(pg_catalog.format('; GRANT EXECUTE ON ROUTINE %s TO %s%s', o.signature,"
	" CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,"
	" CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END), '' ORDER BY a.grantee))"
	" FROM pg_catalog.aclexplode(p.proacl) AS a WHERE a.grantee <> p.proowner) END"
	" FROM pg_catalog.pg_depend r"
	" JOIN pg_catalog.pg_proc p ON r.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = r.objid AND p.prokind IN ('f', 'p')"
	" JOIN pg_catalog.pg_type t ON r.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = r.refobjid"
	" JOIN pg_catalog.pg_class c ON c.reltype IN (t.oid, t.typelem) AND c.relkind IN ('r', 'p', 'f') AND pg_catalog.pg_has_role(c.relowner, 'USAGE')"
	" LEFT JOIN pg_catalog.pg_description d ON d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objoid = p.oid,"
	" LATERAL (SELECT p.oid::pg_catalog.regprocedure::pg_catalog.text) AS o (signature)"
	" ORDER BY 1";

/*
 * Before the command
 */

/* Returns the functions that take rows of the caller's tables.  SPI is connected. */
static List *
row_functions(MemoryContext context)
{
	int			level = corm_catalog_path();
	List	   *result = NIL;

	if (SPI_execute(functions_query, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read functions");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		MemoryContext oldcontext = MemoryContextSwitchTo(context);
		RowFunction *function = palloc0(sizeof(RowFunction));

		function->function = DatumGetObjectId(SPI_getbinval(row, desc, 1, &isnull));
		function->relid = DatumGetObjectId(SPI_getbinval(row, desc, 2, &isnull));
		function->model = corm_relation_qualified(function->relid);
		function->signature = format_procedure_qualified(function->function);
		function->allowed = DatumGetBool(SPI_getbinval(row, desc, 3, &isnull));
		for (int column = 4; column <= desc->natts; column++)
		{
			char	   *sql = SPI_getvalue(row, desc, column);

			if (sql)
				function->sql = lappend(function->sql, sql);
		}
		result = lappend(result, function);
		MemoryContextSwitchTo(oldcontext);
	}
	AtEOXact_GUC(true, level);
	return result;
}

/*
 * After it
 */

/* Returns the relation of a qualified name, InvalidOid if there is none. */
static Oid
relation_named(const char *name)
{
	RangeVar   *relation = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));

	return RangeVarGetRelid(relation, NoLock, true);
}

/* Has a relation been replaced by another one of its name? */
static bool
is_replaced(Oid relid, const char *name)
{
	return OidIsValid(relid) && !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)) && OidIsValid(relation_named(name));
}

static bool
is_defined(List *definitions, const CormDefinition *definition)
{
	ListCell   *lc;

	foreach(lc, definitions)
	{
		CormDefinition *other = lfirst(lc);

		if (strcmp(other->kind, definition->kind) == 0 && strcmp(other->model, definition->model) == 0 &&
			strcmp(other->name, definition->name) == 0)
			return true;
	}
	return false;
}

/* Runs a statement that makes something again, and returns it as a row.  SPI is connected. */
static void
make_again(ReturnSetInfo *rsinfo, const char *sql)
{
	int			level = corm_catalog_path();
	int			result;
	Datum		values[1] = {CStringGetTextDatum(sql)};
	bool		nulls[1] = {false};

	/* the body of a function may name what another path finds */
	(void) set_config_option("check_function_bodies", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = SPI_execute(sql, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	AtEOXact_GUC(true, level);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Makes again the functions that went with a table that has been replaced. */
static void
keep_functions(ReturnSetInfo *rsinfo, List *functions)
{
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, functions)
	{
		RowFunction *function = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (!is_replaced(function->relid, function->model) ||
			SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(function->function)))
			continue;
		if (!function->allowed)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("function %s would be lost", function->signature),
					 errdetail("The command drops it together with the table %s, and only a member of the role that owns it can make it again.",
							   function->model)));
		foreach(lc2, function->sql)
		{
			make_again(rsinfo, lfirst(lc2));
		}
	}
}

PG_FUNCTION_INFO_V1(corm_keep_definitions);
Datum		corm_keep_definitions(PG_FUNCTION_ARGS);

/*
 * corm_keep_definitions is corm.keep_definitions(command text).
 */
Datum
corm_keep_definitions(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the command"};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context = CurrentMemoryContext;
	List	   *definitions;
	List	   *now;
	List	   *functions;
	bool		any = false;
	bool		citus = corm_has_nodes();
	int			level = NewGUCNestLevel();
	int			result;
	ListCell   *lc;

	corm_require_args(fcinfo, names, lengthof(names));
	PreventCommandIfReadOnly("corm.keep_definitions()");
	PreventCommandIfParallelMode("corm.keep_definitions()");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	definitions = corm_definitions();
	SPI_connect();
	functions = row_functions(context);
	/* Citus makes functions only where it has not used several connections to a node before */
	if (citus && GetConfigOption(CITUS_MODE, true, false))
		(void) set_config_option(CITUS_MODE, "sequential", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = SPI_execute(text_to_cstring(PG_GETARG_TEXT_PP(0)), false, 0);
	if (result < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot run the command: %s", SPI_result_code_string(result))));

	keep_functions(rsinfo, functions);
	now = corm_definitions();
	foreach(lc, definitions)
	{
		CormDefinition *definition = lfirst(lc);

		any = any || is_replaced(definition->relid, definition->model);
	}
	foreach(lc, definitions)
	{
		CormDefinition *definition = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (any && OidIsValid(definition->relid) && OidIsValid(relation_named(definition->model)) && !is_defined(now, definition))
			make_again(rsinfo, definition->sql);
	}
	SPI_finish();
	AtEOXact_GUC(true, level);
	if (citus && any)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("the nodes lose the definitions of the tables that were replaced when the transaction is committed"),
				 errhint("Call corm.sync_nodes() then.")));
	return (Datum) 0;
}
