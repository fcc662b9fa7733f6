/*-------------------------------------------------------------------------
 *
 * ddl.c
 *		corm.model_ddl: what would make a model in an empty database.
 *
 * For a table or view, that is what the catalogs say of it: columns,
 * constraints, indexes, comments, and options of corm.register.  For a
 * composite type, it is the type with its tags, and the table that these
 * describe.  Types that columns have come first, with their schemas; tables
 * that foreign keys refer to have to be there.  Triggers, policies and
 * privileges are not part of a model.
 *
 * All names are qualified: the search_path is empty while it is written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "base/compat.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/overrides.h"
#include "model/problems.h"
#include "tools/expression.h"
#include "tools/plan.h"
#include "tools/type_sql.h"
#include "tools/wanted.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

typedef struct Ddl
{
	StringInfoData text;
	List	   *schemas;		/* OIDs that have been written */
	List	   *types;
} Ddl;

static void write_type(Ddl *ddl, Oid typid);

/*
 * qualified returns the qualified name of a relation.
 */
static char *
qualified(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/*
 * write_schema writes a schema, once, unless every database has it.
 */
static void
write_schema(Ddl *ddl, Oid nsp)
{
	char	   *name = get_namespace_name(nsp);

	if (name == NULL || strcmp(name, "public") == 0 || strncmp(name, "pg_", 3) == 0 ||
		list_member_oid(ddl->schemas, nsp))
		return;
	ddl->schemas = lappend_oid(ddl->schemas, nsp);
	appendStringInfo(&ddl->text, "CREATE SCHEMA IF NOT EXISTS %s;\n", quote_identifier(name));
}

/*
 * write_enum writes an enum with its labels in their order.
 */
static void
write_enum(Ddl *ddl, Oid typid)
{
	Relation	catalog = table_open(EnumRelationId, AccessShareLock);
	Relation	index = index_open(EnumTypIdSortOrderIndexId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	const char *separator = "";

	ScanKeyInit(&key, Anum_pg_enum_enumtypid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(typid));
	scan = systable_beginscan_ordered(catalog, index, NULL, 1, &key);
	appendStringInfo(&ddl->text, "CREATE TYPE %s AS ENUM (", corm_type_sql(typid, -1, InvalidOid));
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		appendStringInfo(&ddl->text, "%s%s", separator,
						 quote_literal_cstr(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel)));
		separator = ", ";
	}
	appendStringInfoString(&ddl->text, ");\n");
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(catalog, AccessShareLock);
}

/* For list_sort. */
static int
compare_strings(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/*
 * write_domain writes a domain with its constraints.
 */
static void
write_domain(Ddl *ddl, Oid typid)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(typid));
	Form_pg_type type;
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	List	   *checks = NIL;
	ListCell   *lc;
	Datum		value;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		return;
	type = (Form_pg_type) GETSTRUCT(tuple);
	write_type(ddl, type->typbasetype);
	appendStringInfo(&ddl->text, "CREATE DOMAIN %s AS %s", corm_type_sql(typid, -1, InvalidOid),
					 corm_type_sql(type->typbasetype, type->typtypmod, type->typcollation));
	value = SysCacheGetAttr(TYPEOID, tuple, Anum_pg_type_typdefault, &isnull);
	if (!isnull)
		appendStringInfo(&ddl->text, " DEFAULT %s", TextDatumGetCString(value));
	if (type->typnotnull)
		appendStringInfoString(&ddl->text, " NOT NULL");
	ReleaseSysCache(tuple);

	catalog = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_constraint_contypid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(typid));
	scan = systable_beginscan(catalog, ConstraintTypidIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

		if (form->contype == CONSTRAINT_CHECK)
			checks = lappend(checks, psprintf("%s %s", quote_identifier(NameStr(form->conname)),
											  TextDatumGetCString(DirectFunctionCall1(pg_get_constraintdef, ObjectIdGetDatum(form->oid)))));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	/* the index has them in the order of their places in the catalog */
	list_sort(checks, compare_strings);
	foreach(lc, checks)
		appendStringInfo(&ddl->text, " CONSTRAINT %s", (char *) lfirst(lc));
	appendStringInfoString(&ddl->text, ";\n");
}

/*
 * write_composite writes a composite type and what its attributes need.
 */
static void
write_composite(Ddl *ddl, Oid typid)
{
	Oid			relid = get_typ_typrelid(typid);
	Relation	rel = try_relation_open(relid, AccessShareLock);
	StringInfoData columns;

	if (rel == NULL)
		return;
	if (rel->rd_rel->relkind == RELKIND_COMPOSITE_TYPE)
	{
		initStringInfo(&columns);
		for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
		{
			Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);

			if (att->attisdropped)
				continue;
			write_type(ddl, att->atttypid);
			appendStringInfo(&columns, "%s\n    %s %s", columns.len > 0 ? "," : "",
							 quote_identifier(NameStr(att->attname)),
							 corm_type_sql(att->atttypid, att->atttypmod, att->attcollation));
		}
		appendStringInfo(&ddl->text, "CREATE TYPE %s AS (%s\n);\n", qualified(relid), columns.data);
	}
	relation_close(rel, AccessShareLock);
}

/*
 * write_type writes a type, once, and before it those that it needs.  Those of
 * extensions come with these, and PostgreSQL's own are there.
 */
static void
write_type(Ddl *ddl, Oid typid)
{
	HeapTuple	tuple;
	Oid			nsp;
	char		typtype;
	Oid			extension;

	if (OidIsValid(get_element_type(typid)))
		typid = get_element_type(typid);
	if (typid < FirstNormalObjectId || list_member_oid(ddl->types, typid))
		return;
	check_stack_depth();
	ddl->types = lappend_oid(ddl->types, typid);
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(typid));
	if (!HeapTupleIsValid(tuple))
		return;
	nsp = ((Form_pg_type) GETSTRUCT(tuple))->typnamespace;
	typtype = ((Form_pg_type) GETSTRUCT(tuple))->typtype;
	ReleaseSysCache(tuple);

	extension = getExtensionOfObject(TypeRelationId, typid);
	if (OidIsValid(extension))
	{
		if (!list_member_oid(ddl->types, extension))
			appendStringInfo(&ddl->text, "CREATE EXTENSION IF NOT EXISTS %s;\n",
							 quote_identifier(get_extension_name(extension)));
		ddl->types = lappend_oid(ddl->types, extension);
		return;
	}
	write_schema(ddl, nsp);
	if (typtype == TYPTYPE_ENUM)
		write_enum(ddl, typid);
	else if (typtype == TYPTYPE_DOMAIN)
		write_domain(ddl, typid);
	else if (typtype == TYPTYPE_COMPOSITE)
		write_composite(ddl, typid);
}

/*
 * write_comment writes a comment, if there is one.
 */
static void
write_comment(Ddl *ddl, const char *object, char *comment)
{
	if (comment)
		appendStringInfo(&ddl->text, "COMMENT ON %s IS %s;\n", object, quote_literal_cstr(comment));
}

/*
 * write_comments writes the comments on a relation and its columns.
 */
static void
write_comments(Ddl *ddl, Relation rel, const char *kind)
{
	Oid			relid = RelationGetRelid(rel);
	bool		is_type = rel->rd_rel->relkind == RELKIND_COMPOSITE_TYPE;

	write_comment(ddl, psprintf("%s %s", kind, qualified(relid)),
				  is_type ? GetComment(rel->rd_rel->reltype, TypeRelationId, 0) :
				  GetComment(relid, RelationRelationId, 0));
	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);

		if (!att->attisdropped)
			write_comment(ddl, psprintf("COLUMN %s.%s", qualified(relid), quote_identifier(NameStr(att->attname))),
						  GetComment(relid, RelationRelationId, att->attnum));
	}
}

/*
 * write_register writes the call of corm.register that made the options of a
 * model, if it has any.
 */
static void
write_register(Ddl *ddl, Oid relid)
{
	CormOverrides overrides;
	Jsonb	   *json;

	if (!corm_overrides_load(relid, &overrides))
		return;
	json = overrides.json;
	if (OidIsValid(overrides.table) && get_rel_name(overrides.table))
	{
		JsonbParseState *state = NULL;
		JsonbValue	key;
		JsonbValue	value;
		JsonbValue *object;

		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		key.type = jbvString;
		key.val.string.val = "table";
		key.val.string.len = strlen("table");
		pushJsonbValue(&state, WJB_KEY, &key);
		value.type = jbvString;
		value.val.string.val = qualified(overrides.table);
		value.val.string.len = strlen(value.val.string.val);
		pushJsonbValue(&state, WJB_VALUE, &value);
		object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
		json = DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(json),
												  JsonbPGetDatum(JsonbValueToJsonb(object))));
	}
	appendStringInfo(&ddl->text, "SELECT corm.register(%s, %s);\n", quote_literal_cstr(qualified(relid)),
					 quote_literal_cstr(JsonbToCString(NULL, &json->root, VARSIZE(json))));
}

/*
 * column_default returns the default or generating expression of a column as
 * SQL, or NULL.
 */
static char *
column_default(Relation rel, AttrNumber attnum)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	for (int i = 0; constr != NULL && i < constr->num_defval; i++)
	{
		if (constr->defval[i].adnum == attnum)
			return TextDatumGetCString(DirectFunctionCall2(pg_get_expr, CStringGetTextDatum(constr->defval[i].adbin),
														   ObjectIdGetDatum(RelationGetRelid(rel))));
	}
	return NULL;
}

/*
 * write_columns writes the columns of a table.
 */
static void
write_columns(Ddl *ddl, Relation rel)
{
	const char *separator = "\n    ";

	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);
		char	   *value;

		if (att->attisdropped)
			continue;
		appendStringInfo(&ddl->text, "%s%s %s", separator, quote_identifier(NameStr(att->attname)),
						 corm_type_sql(att->atttypid, att->atttypmod, att->attcollation));
		separator = ",\n    ";
		value = column_default(rel, att->attnum);
		if (att->attgenerated != '\0')
			appendStringInfo(&ddl->text, " GENERATED ALWAYS AS (%s) %s", value,
							 att->attgenerated == ATTRIBUTE_GENERATED_STORED ? "STORED" : "VIRTUAL");
		else if (value)
			appendStringInfo(&ddl->text, " DEFAULT %s", value);
		if (att->attidentity != '\0')
			appendStringInfo(&ddl->text, " GENERATED %s AS IDENTITY",
							 att->attidentity == ATTRIBUTE_IDENTITY_ALWAYS ? "ALWAYS" : "BY DEFAULT");
		if (att->attnotnull)
			appendStringInfoString(&ddl->text, " NOT NULL");
	}
}

/*
 * write_constraints writes the constraints of a table; those that a partition
 * gets from its parent are left to that, and so is NOT NULL to the columns.
 */
static void
write_constraints(Ddl *ddl, Relation rel)
{
	static const char kinds[] = {CONSTRAINT_PRIMARY, CONSTRAINT_UNIQUE, CONSTRAINT_EXCLUSION, CONSTRAINT_CHECK,
	CONSTRAINT_FOREIGN};

	for (int i = 0; i < lengthof(kinds); i++)
	{
		Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(RelationGetRelid(rel)));
		scan = systable_beginscan(catalog, ConstraintRelidTypidNameIndexId, true, NULL, 1, &key);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
			char	   *name;

			if (form->contype != kinds[i] || OidIsValid(form->conparentid) ||
				(rel->rd_rel->relispartition && !form->conislocal))
				continue;
			name = pstrdup(quote_identifier(NameStr(form->conname)));
			appendStringInfo(&ddl->text, "ALTER TABLE %s ADD CONSTRAINT %s %s;\n", qualified(RelationGetRelid(rel)), name,
							 TextDatumGetCString(DirectFunctionCall1(pg_get_constraintdef, ObjectIdGetDatum(form->oid))));
			write_comment(ddl, psprintf("CONSTRAINT %s ON %s", name, qualified(RelationGetRelid(rel))),
						  GetComment(form->oid, ConstraintRelationId, 0));
		}
		systable_endscan(scan);
		table_close(catalog, AccessShareLock);
	}
}

/*
 * write_indexes writes the indexes of a table that belong to no constraint, nor
 * to an index of the table that it is a partition of.
 */
static void
write_indexes(Ddl *ddl, Relation rel)
{
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Oid			index = lfirst_oid(lc);

		if (!OidIsValid(get_index_constraint(index)) && !get_rel_relispartition(index))
			appendStringInfo(&ddl->text, "%s;\n",
							 TextDatumGetCString(DirectFunctionCall1(pg_get_indexdef, ObjectIdGetDatum(index))));
	}
}

/*
 * write_table writes a table.
 */
static void
write_table(Ddl *ddl, Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	List	   *sequences = getOwnedSequences(relid);
	ListCell   *lc;
	Oid			owner;
	int32		column;

	foreach(lc, sequences)
	{
		if (sequenceIsOwned(lfirst_oid(lc), DEPENDENCY_AUTO, &owner, &column))
			appendStringInfo(&ddl->text, "CREATE SEQUENCE %s;\n", qualified(lfirst_oid(lc)));
	}
	appendStringInfo(&ddl->text, "CREATE %sTABLE %s",
					 rel->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED ? "UNLOGGED " : "", qualified(relid));
	if (rel->rd_rel->relispartition)
	{
		HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
		bool		isnull;
		Datum		bound = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relpartbound, &isnull);

		appendStringInfo(&ddl->text, " PARTITION OF %s %s", qualified(get_partition_parent(relid, true)),
						 isnull ? "DEFAULT" : TextDatumGetCString(DirectFunctionCall2(pg_get_expr, bound, ObjectIdGetDatum(relid))));
		ReleaseSysCache(tuple);
	}
	else
	{
		appendStringInfoString(&ddl->text, " (");
		write_columns(ddl, rel);
		appendStringInfoString(&ddl->text, "\n)");
	}
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		appendStringInfo(&ddl->text, " PARTITION BY %s",
						 TextDatumGetCString(DirectFunctionCall1(pg_get_partkeydef, ObjectIdGetDatum(relid))));
	appendStringInfoString(&ddl->text, ";\n");
	foreach(lc, sequences)
	{
		if (sequenceIsOwned(lfirst_oid(lc), DEPENDENCY_AUTO, &owner, &column))
			appendStringInfo(&ddl->text, "ALTER SEQUENCE %s OWNED BY %s.%s;\n", qualified(lfirst_oid(lc)), qualified(relid),
							 quote_identifier(get_attname(relid, column, false)));
	}
	write_constraints(ddl, rel);
	write_indexes(ddl, rel);
}

/*
 * write_model writes a type with the table that it describes.
 */
static void
write_model(Ddl *ddl, Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	char	   *comment = GetComment(rel->rd_rel->reltype, TypeRelationId, 0);
	CormOverrides overrides;
	CormMigrateOptions options = {false};
	List	   *tables;
	ListCell   *lc;

	write_composite(ddl, rel->rd_rel->reltype);
	write_comments(ddl, rel, "TYPE");
	if (!corm_tags_get(corm_tags_read_quietly(comment, CORM_TAG_RELATION), "table", NULL) &&
		!(corm_overrides_load(relid, &overrides) && OidIsValid(overrides.table)))
		return;

	tables = corm_wanted_tables(1, &relid);
	foreach(lc, tables)
	{
		/* in an empty database there is none */
		((CormWantedTable *) lfirst(lc))->relid = InvalidOid;
		write_schema(ddl, get_namespace_oid(((CormWantedTable *) lfirst(lc))->schema, false));
	}
	foreach(lc, corm_migrate_steps(tables, &options))
	{
		appendStringInfo(&ddl->text, "%s;\n", ((CormStep *) lfirst(lc))->sql);
	}
}

/*
 * check_privileges raises 42501 unless the user may use a relation, and sees
 * all of its fields.
 */
static void
check_privileges(Oid relid, char relkind)
{
	CormModel  *model;

	if (relkind == RELKIND_COMPOSITE_TYPE)
		return;
	if (!corm_model_may_use(relid))
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(relkind), get_rel_name(relid));
	model = corm_model_get(relid);
	for (int i = 0; i < model->nfields; i++)
	{
		if (!corm_model_shows(model, model->fields[i].column))
			aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(relkind), get_rel_name(relid));
	}
}

PG_FUNCTION_INFO_V1(corm_model_ddl);
Datum		corm_model_ddl(PG_FUNCTION_ARGS);

/*
 * corm_model_ddl is corm.model_ddl(model regclass).
 */
Datum
corm_model_ddl(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Relation	rel = try_relation_open(relid, AccessShareLock);
	Ddl			ddl = {0};
	int			level;

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	check_privileges(relid, rel->rd_rel->relkind);
	initStringInfo(&ddl.text);
	level = corm_expression_enter(InvalidOid);
	write_schema(&ddl, RelationGetNamespace(rel));
	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		if (!TupleDescAttr(RelationGetDescr(rel), i)->attisdropped)
			write_type(&ddl, TupleDescAttr(RelationGetDescr(rel), i)->atttypid);
	}
	switch (rel->rd_rel->relkind)
	{
		case RELKIND_COMPOSITE_TYPE:
			write_model(&ddl, rel);
			break;
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
			write_table(&ddl, rel);
			write_comments(&ddl, rel, "TABLE");
			break;
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
			appendStringInfo(&ddl.text, "CREATE %s %s AS\n%s\n",
							 rel->rd_rel->relkind == RELKIND_VIEW ? "VIEW" : "MATERIALIZED VIEW", qualified(relid),
							 TextDatumGetCString(DirectFunctionCall1(pg_get_viewdef, ObjectIdGetDatum(relid))));
			write_indexes(&ddl, rel);
			write_comments(&ddl, rel, rel->rd_rel->relkind == RELKIND_VIEW ? "VIEW" : "MATERIALIZED VIEW");
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" is not a table, view or composite type", RelationGetRelationName(rel)),
					 errdetail_relkind_not_supported(rel->rd_rel->relkind)));
	}
	write_register(&ddl, relid);
	corm_expression_leave(level);
	relation_close(rel, AccessShareLock);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(ddl.text.data, ddl.text.len));
}
