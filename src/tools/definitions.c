/*-------------------------------------------------------------------------
 *
 * definitions.c
 *		What is stored about models, as SQL that would store it again.
 *
 * That is what corm.register, relate, define_scope and use have stored in corm's catalogs,
 * and comments with tags.  Somebody who compares databases, or makes one like another, needs
 * it in a form that means the same everywhere: statements with qualified names.
 *
 * A role sees what it could have stored, the definitions of the models that it owns, and
 * reads the catalogs through these functions only.  What refers to a relation or function
 * that does not exist is left out: it could not be made again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/args.h"
#include "base/compat.h"
#include "base/schema.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/string.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/shards.h"
#include "tools/definitions.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

/*
 * Comments that contain a tag, on relations, their columns and constraints.  Types of
 * rows have their comment as types.
 */
static const char *const tags_query =
	"SELECT c.oid, o.object, d.description"
	" FROM pg_catalog.pg_description d"
	" JOIN pg_catalog.pg_class c ON d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objoid"
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_catalog.pg_attribute a ON d.objsubid > 0 AND a.attrelid = c.oid AND a.attnum = d.objsubid,"
	" LATERAL (SELECT CASE WHEN a.attnum IS NOT NULL THEN pg_catalog.format('COLUMN %I.%I.%I', n.nspname, c.relname, a.attname)"
	" ELSE pg_catalog.format('%s %I.%I', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,"
	" n.nspname, c.relname) END) AS o (object)"
	" WHERE c.relkind = ANY ('{r,p,v,m,f,c}') AND pg_catalog.strpos(d.description, '@orm:') > 0"
	" UNION ALL"
	" SELECT c.oid, pg_catalog.format('TYPE %I.%I', n.nspname, c.relname), d.description"
	" FROM pg_catalog.pg_description d"
	" JOIN pg_catalog.pg_type t ON d.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = d.objoid"
	" JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'"
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" WHERE pg_catalog.strpos(d.description, '@orm:') > 0"
	" UNION ALL"
	" SELECT c.oid, pg_catalog.format('CONSTRAINT %I ON %I.%I', k.conname, n.nspname, c.relname), d.description"
	" FROM pg_catalog.pg_description d"
	" JOIN pg_catalog.pg_constraint k ON d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.objoid"
	" JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" WHERE pg_catalog.strpos(d.description, '@orm:') > 0"
	" ORDER BY 2";

/*
 * corm_relation_qualified returns the quoted name of a relation with its schema, NULL if
 * there is no such relation.
 */
char *
corm_relation_qualified(Oid relid)
{
	char	   *name = get_rel_name(relid);
	char	   *schema = name ? get_namespace_name(get_rel_namespace(relid)) : NULL;

	return schema ? quote_qualified_identifier(schema, name) : NULL;
}

/*
 * corm_catalog_path makes names mean those of pg_catalog, also within functions that set
 * no path.  AtEOXact_GUC(true, result) or the end of the (sub)transaction undoes it.
 */
int
corm_catalog_path(void)
{
	int			level = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

/* Makes a definition of a model that exists and is not a temporary table's; NULL otherwise. */
static CormDefinition *
make_definition(Oid relid, const char *kind, const char *name)
{
	CormDefinition *definition = palloc0(sizeof(CormDefinition));

	definition->relid = relid;
	definition->kind = kind;
	definition->name = name;
	definition->model = OidIsValid(relid) ? corm_relation_qualified(relid) : "";
	if (definition->model == NULL || (OidIsValid(relid) && get_rel_persistence(relid) == RELPERSISTENCE_TEMP))
		return NULL;
	return definition;
}

/*
 * Columns
 */

static Datum
column(Relation catalog, HeapTuple tuple, const char *name, bool *isnull)
{
	int			attnum = SPI_fnumber(RelationGetDescr(catalog), name);

	if (attnum <= 0)
		elog(ERROR, "corm.%s has no column \"%s\"", RelationGetRelationName(catalog), name);
	return heap_getattr(tuple, attnum, RelationGetDescr(catalog), isnull);
}

/* Returns a column as text, NULL for a null. */
static char *
column_text(Relation catalog, HeapTuple tuple, const char *name)
{
	bool		isnull;
	Datum		value = column(catalog, tuple, name, &isnull);
	Oid			output;
	bool		is_varlena;

	if (isnull)
		return NULL;
	getTypeOutputInfo(TupleDescAttr(RelationGetDescr(catalog), SPI_fnumber(RelationGetDescr(catalog), name) - 1)->atttypid,
					  &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

/* Returns a column as an SQL literal with its type. */
static char *
column_literal(Relation catalog, HeapTuple tuple, const char *name)
{
	char	   *text = column_text(catalog, tuple, name);
	Oid			typid = TupleDescAttr(RelationGetDescr(catalog), SPI_fnumber(RelationGetDescr(catalog), name) - 1)->atttypid;

	return psprintf("%s::%s", text ? quote_literal_cstr(text) : "NULL",
					format_type_extended(typid, -1, FORMAT_TYPE_FORCE_QUALIFY));
}

/* Returns a column that refers to a relation as an SQL literal; NULL if the relation does not exist. */
static char *
column_relation(Relation catalog, HeapTuple tuple, const char *name)
{
	bool		isnull;
	Datum		value = column(catalog, tuple, name, &isnull);
	char	   *relation;

	if (isnull)
		return "NULL::pg_catalog.regclass";
	relation = corm_relation_qualified(DatumGetObjectId(value));
	return relation ? psprintf("%s::pg_catalog.regclass", quote_literal_cstr(relation)) : NULL;
}

/*
 * What each catalog has: a function returns the definition that a row is, or NULL.
 */

static CormDefinition *
read_options(Relation catalog, HeapTuple tuple, Oid relid)
{
	CormDefinition *definition = make_definition(relid, "options", "");
	char	   *model = column_relation(catalog, tuple, "model");
	char	   *table = column_relation(catalog, tuple, "table_name");
	char	   *options = column_literal(catalog, tuple, "options");
	bool		isnull;
	Datum		other = column(catalog, tuple, "table_name", &isnull);

	if (definition == NULL || model == NULL || table == NULL)
		return NULL;
	if (!isnull)
		options = psprintf("%s OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('table', %s::pg_catalog.text)",
						   options, quote_literal_cstr(corm_relation_qualified(DatumGetObjectId(other))));
	definition->sql = psprintf("SELECT corm.register(%s, %s)", model, options);
	definition->undo = psprintf("SELECT corm.unregister(%s)", model);
	return definition;
}

static CormDefinition *
read_relation(Relation catalog, HeapTuple tuple, Oid relid)
{
	CormDefinition *definition = make_definition(relid, "relation", column_text(catalog, tuple, "name"));
	char	   *model = column_relation(catalog, tuple, "model");
	char	   *target = column_relation(catalog, tuple, "target");
	char	   *through = column_relation(catalog, tuple, "through");
	char	   *name = column_literal(catalog, tuple, "name");

	if (definition == NULL || model == NULL || target == NULL || through == NULL)
		return NULL;
	definition->sql = psprintf("SELECT corm.relate(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
							   model, name, column_literal(catalog, tuple, "kind"), target,
							   column_literal(catalog, tuple, "columns"), column_literal(catalog, tuple, "target_columns"), through,
							   column_literal(catalog, tuple, "through_columns"),
							   column_literal(catalog, tuple, "through_target_columns"),
							   column_literal(catalog, tuple, "condition"));
	definition->undo = psprintf("SELECT corm.unrelate(%s, %s)", model, name);
	return definition;
}

static CormDefinition *
read_scope(Relation catalog, HeapTuple tuple, Oid relid)
{
	CormDefinition *definition = make_definition(relid, "scope", column_text(catalog, tuple, "name"));
	char	   *model = column_relation(catalog, tuple, "model");
	char	   *name = column_literal(catalog, tuple, "name");

	if (definition == NULL || model == NULL)
		return NULL;
	definition->sql = psprintf("SELECT corm.define_scope(%s, %s, %s, %s)", model, name,
							   column_literal(catalog, tuple, "q"), column_literal(catalog, tuple, "is_default"));
	definition->undo = psprintf("SELECT corm.drop_scope(%s, %s)", model, name);
	return definition;
}

/* Is there a function of the signature that a reference to it has as text? */
static bool
is_function(const char *signature)
{
	LOCAL_FCINFO(fcinfo, 1);

	if (pg_str_endswith(signature, " (dropped)"))
		return false;
	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = CStringGetTextDatum(signature);
	fcinfo->args[0].isnull = false;
	(void) to_regprocedure(fcinfo);
	return !fcinfo->isnull;
}

static CormDefinition *
read_middleware(Relation catalog, HeapTuple tuple, Oid relid)
{
	char	   *signature = column_text(catalog, tuple, "fn");
	CormDefinition *definition;
	char	   *model = column_relation(catalog, tuple, "model");

	if (!is_function(signature) || model == NULL)
		return NULL;
	definition = make_definition(relid, "middleware", signature);
	if (definition == NULL)
		return NULL;
	definition->sql = psprintf("SELECT corm.use(%s::pg_catalog.regprocedure, %s, %s, %s)", quote_literal_cstr(signature), model,
							   column_literal(catalog, tuple, "ops"), column_literal(catalog, tuple, "priority"));
	definition->undo = psprintf("SELECT corm.unuse(%s)", column_text(catalog, tuple, "id"));
	return definition;
}

/*
 * Reads one of corm's catalogs: what is about relations that the user owns, and what is
 * about all, for users who may write that.
 */
static List *
read_catalog(List *definitions, const char *relname, CormDefinition *(*read) (Relation, HeapTuple, Oid))
{
	Relation	catalog = corm_catalog_open(relname, AccessShareLock, NULL);
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		all;

	if (catalog == NULL)
		return definitions;
	all = pg_class_aclcheck(RelationGetRelid(catalog), GetUserId(), ACL_INSERT) == ACLCHECK_OK;
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(column(catalog, tuple, "model", &isnull));
		CormDefinition *definition;

		CHECK_FOR_INTERRUPTS();
		if (isnull ? !all : !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)) || !corm_owns_relation(relid, GetUserId()))
			continue;
		definition = read(catalog, tuple, isnull ? InvalidOid : relid);
		if (definition)
			definitions = lappend(definitions, definition);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return definitions;
}

/* Adds the comments that have tags, also those of this statement. */
static List *
read_tags(List *definitions)
{
	MemoryContext context = CurrentMemoryContext;

	SPI_connect();
	if (SPI_execute(tags_query, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read comments");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		HeapTuple	row = SPI_tuptable->vals[i];
		Oid			relid = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		CormDefinition *definition;
		MemoryContext oldcontext;

		CHECK_FOR_INTERRUPTS();
		if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)) || !corm_owns_relation(relid, GetUserId()) || corm_is_shard(relid))
			continue;
		oldcontext = MemoryContextSwitchTo(context);
		definition = make_definition(relid, "tag", SPI_getvalue(row, SPI_tuptable->tupdesc, 2));
		if (definition)
		{
			definition->sql = psprintf("COMMENT ON %s IS %s", definition->name,
									   quote_literal_cstr(SPI_getvalue(row, SPI_tuptable->tupdesc, 3)));
			definition->undo = psprintf("COMMENT ON %s IS NULL", definition->name);
			definitions = lappend(definitions, definition);
		}
		MemoryContextSwitchTo(oldcontext);
	}
	SPI_finish();
	return definitions;
}

/*
 * Several registrations of one function for a model get numbers, in the order of the text
 * that makes them.
 */
static int
compare_definitions(const ListCell *a, const ListCell *b)
{
	const CormDefinition *x = lfirst(a);
	const CormDefinition *y = lfirst(b);
	int			result = strcmp(x->model, y->model);

	if (result == 0)
		result = strcmp(x->name, y->name);
	return result != 0 ? result : strcmp(x->sql, y->sql);
}

static List *
number_middleware(List *definitions)
{
	CormDefinition *last = NULL;
	int			number = 1;
	ListCell   *lc;

	list_sort(definitions, compare_definitions);
	foreach(lc, definitions)
	{
		CormDefinition *definition = lfirst(lc);
		const char *name = definition->name;

		number = last && strcmp(last->model, definition->model) == 0 && strcmp(last->name, name) == 0 ? number + 1 : 1;
		last = palloc(sizeof(CormDefinition));
		*last = *definition;
		if (number > 1)
			definition->name = psprintf("%s #%d", name, number);
	}
	return definitions;
}

/*
 * corm_definitions returns what is stored about the models that the current user owns, as
 * CormDefinition, in an order in which it can be made again.  It belongs to the current
 * memory context.
 */
List *
corm_definitions(void)
{
	int			level = corm_catalog_path();
	List	   *definitions = read_tags(NIL);

	definitions = read_catalog(definitions, "model_options", read_options);
	definitions = read_catalog(definitions, "declared_relations", read_relation);
	definitions = read_catalog(definitions, "scopes", read_scope);
	definitions = list_concat(definitions, number_middleware(read_catalog(NIL, "middleware_functions", read_middleware)));
	AtEOXact_GUC(true, level);
	return definitions;
}

PG_FUNCTION_INFO_V1(corm_list_definitions);
Datum		corm_list_definitions(PG_FUNCTION_ARGS);

/*
 * corm_list_definitions is corm.definitions().
 */
Datum
corm_list_definitions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, corm_definitions())
	{
		CormDefinition *definition = lfirst(lc);
		bool		nulls[5] = {false};
		Datum		values[5] = {
			CStringGetTextDatum(definition->model), CStringGetTextDatum(definition->kind), CStringGetTextDatum(definition->name),
			CStringGetTextDatum(definition->sql), CStringGetTextDatum(definition->undo)
		};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
