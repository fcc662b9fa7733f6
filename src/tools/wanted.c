/*-------------------------------------------------------------------------
 *
 * wanted.c
 *		The tables that composite types and their tags describe.
 *
 * A composite type with the tag "table" describes a table: its attributes are
 * the columns, and tags say what an attribute of a type cannot: keys, NOT
 * NULL, defaults, references.  Several types can describe one table; what
 * they say adds up, and must not contradict.
 *
 * The table need not exist, so nothing here goes through the type's model,
 * which is an error as long as it does not.  Tags that are malformed are the
 * same errors as in a model (OR005).  Values that hold SQL (default, check,
 * generated, references) are read by PostgreSQL's own parser, so that what is
 * taken over into a statement is one expression, or one REFERENCES clause,
 * and nothing else.
 *
 * Each type is locked in AccessShareLock mode while it is read.  Everything
 * is allocated in the current memory context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "base/errors.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/overrides.h"
#include "tools/expression.h"
#include "tools/wanted.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

/* The tags of an attribute that its column gets, too. */
static const char *const column_tags[] =
{
	"name", "read_only", "soft_delete", "version", "created_at", "updated_at", "hidden", "filterable"
};

/*
 * find_table sets the schema, the name and the OID of the table that a type
 * describes: by its tag, else by its registration.  Raises 42809 if there is
 * neither, or if what has this name is no table; 3F000 if there is no such
 * schema.
 */
static void
find_table(CormWantedTable *table, Relation type, const char *object, List *tags)
{
	CormTag    *tag = corm_tags_find(tags, "table");
	CormOverrides overrides;
	Oid			nsp;

	table->path = RelationGetNamespace(type);
	if (tag != NULL)
	{
		List	   *names;

		if (!SplitIdentifierString(pstrdup(tag->value), '.', &names) || names == NIL || list_length(names) > 2)
			corm_tags_error(object, tag, "The value is not a table's name.");
		table->name = llast(names);
		table->schema = list_length(names) == 2 ? linitial(names) : get_namespace_name(table->path);
		if (strlen(table->name) >= NAMEDATALEN)
			corm_tags_error(object, tag, psprintf("A name must be shorter than %d bytes.", NAMEDATALEN));
	}
	else if (corm_overrides_load(RelationGetRelid(type), &overrides) && get_rel_name(overrides.table) != NULL)
	{
		table->name = get_rel_name(overrides.table);
		table->schema = get_namespace_name(get_rel_namespace(overrides.table));
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s does not say which table it describes", object),
				 errhint("Name the table with COMMENT ON TYPE %s IS '@orm:table=...'.",
						 quote_qualified_identifier(get_namespace_name(table->path), RelationGetRelationName(type)))));

	nsp = get_namespace_oid(table->schema, false);
	table->relid = get_relname_relid(table->name, nsp);
	table->sql_name = quote_qualified_identifier(table->schema, table->name);
	if (OidIsValid(table->relid))
	{
		char		relkind = get_rel_relkind(table->relid);

		if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("%s is not a table", table->sql_name),
					 errdetail("It is what %s describes.", object)));
	}
}

/*
 * wants_flag returns whether a tag that may have a value is given as a flag or
 * with a value, which is then set; false for key=false.
 */
static bool
wants_flag(List *tags, const char *key, char **value)
{
	CormTag    *tag = corm_tags_find(tags, key);

	*value = NULL;
	if (tag == NULL || (tag->value != NULL && strcmp(tag->value, "false") == 0))
		return false;
	if (tag->value != NULL && strcmp(tag->value, "true") != 0)
		*value = tag->value;
	return true;
}

/*
 * read_identity sets what the tag "identity" says.
 */
static void
read_identity(CormWantedColumn *column, List *tags)
{
	CormTag    *tag = corm_tags_find(tags, "identity");

	if (tag == NULL)
		return;
	if (tag->value == NULL || strcmp(tag->value, "true") == 0 || strcmp(tag->value, "by default") == 0)
		column->identity = ATTRIBUTE_IDENTITY_BY_DEFAULT;
	else if (strcmp(tag->value, "always") == 0)
		column->identity = ATTRIBUTE_IDENTITY_ALWAYS;
	else if (strcmp(tag->value, "false") == 0)
		column->no_identity = true;
	else
		corm_tags_error(column->object, tag, "The value can be \"always\" or \"by default\".");
}

/*
 * imply sets what the tags of a role say without saying it.
 */
static void
imply(CormWantedColumn *column, List *tags)
{
	if (corm_tags_flag(tags, "version") == 1)
	{
		column->implied_not_null = true;
		column->implied_default = "1";
		column->implied_fills = true;
	}
	else if (corm_tags_flag(tags, "created_at") == 1 || corm_tags_flag(tags, "updated_at") == 1)
	{
		column->implied_not_null = true;
		column->implied_default = getBaseType(column->typid) == DATEOID ? "CURRENT_DATE" :
			getBaseType(column->typid) == TIMESTAMPOID ? "LOCALTIMESTAMP" : "now()";
	}
}

/*
 * check_roles raises OR005 for a column that cannot have the role that a tag
 * gives it.
 */
static void
check_roles(CormWantedColumn *column, List *tags)
{
	for (int role = 0; role < CORM_NUM_ROLES; role++)
	{
		CormTag    *tag = corm_tags_find(tags, corm_role_names[role]);
		Oid			type = getBaseType(column->typid);

		if (corm_tags_flag(tags, corm_role_names[role]) != 1)
			continue;
		if (corm_role_expects(role, type))
			corm_tags_error(column->object, tag,
							psprintf("The column is of type %s, but one for %s must be of type %s.",
									 format_type_be(column->typid), tag->key, corm_role_expects(role, type)));
		if (column->generated)
			corm_tags_error(column->object, tag, "A generated column cannot be written.");
		if (role == CORM_ROLE_SOFT_DELETE && type != BOOLOID && (column->not_null == 1 || column->primary_key))
			corm_tags_error(column->object, tag, "Null is what says that a row is not deleted, so the column must be nullable.");
	}
}

/*
 * check_combination raises OR005 for tags that exclude each other.
 */
static void
check_combination(CormWantedColumn *column, List *tags)
{
	const char *const exclusive[] = {"default", "generated", "identity"};
	CormTag    *first = NULL;

	for (int i = 0; i < lengthof(exclusive); i++)
	{
		CormTag    *tag = corm_tags_find(tags, exclusive[i]);

		if (tag == NULL || (i == 2 && column->no_identity))
			continue;
		if (first != NULL)
			corm_tags_error(column->object, tag, psprintf("It excludes \"%s\".", first->key));
		first = tag;
	}
	if (column->primary_key && column->not_null == 0)
		corm_tags_error(column->object, corm_tags_find(tags, "not_null"),
						"A column of the primary key cannot be null.");
	if (column->identity != '\0' && column->not_null == 0)
		corm_tags_error(column->object, corm_tags_find(tags, "not_null"), "An identity column cannot be null.");
	if (column->identity != '\0' && column->typid != INT2OID && column->typid != INT4OID && column->typid != INT8OID)
		corm_tags_error(column->object, corm_tags_find(tags, "identity"),
						"An identity column must be of type smallint, integer or bigint.");
}

/*
 * read_column returns the column that an attribute describes, by its tags, or
 * NULL if the tag "-" says that there is none.
 */
static CormWantedColumn *
read_column(Relation type, Form_pg_attribute att, const char *comment, List **tags)
{
	CormWantedColumn *column = palloc0(sizeof(CormWantedColumn));
	ObjectAddress address;
	CormTag    *tag;

	ObjectAddressSubSet(address, RelationRelationId, RelationGetRelid(type), att->attnum);
	*tags = corm_tags_read(comment, &address, CORM_TAG_COLUMN);
	if (corm_tags_flag(*tags, "-") == 1)
		return NULL;

	column->object = getObjectDescription(&address, false);
	column->name = pstrdup(NameStr(att->attname));
	corm_tags_get(*tags, "column", &column->name);
	if (strlen(column->name) >= NAMEDATALEN)
		corm_tags_error(column->object, corm_tags_find(*tags, "column"),
						psprintf("A name must be shorter than %d bytes.", NAMEDATALEN));
	corm_tags_get(*tags, "was", &column->was);
	column->typid = att->atttypid;
	column->typmod = att->atttypmod;
	column->collation = att->attcollation;
	column->primary_key = corm_tags_flag(*tags, "primary_key") == 1;
	column->not_null = corm_tags_flag(*tags, "not_null");
	read_identity(column, *tags);
	corm_tags_get(*tags, "default", &column->default_text);
	corm_tags_get(*tags, "generated", &column->generated);
	corm_tags_get(*tags, "check", &column->check);
	if (column->default_text)
		corm_expression_check(column->object, corm_tags_find(*tags, "default"));
	if (column->generated)
		corm_expression_check(column->object, corm_tags_find(*tags, "generated"));
	if (column->check)
		corm_expression_check(column->object, corm_tags_find(*tags, "check"));
	if ((tag = corm_tags_find(*tags, "references")) != NULL)
		column->reference = corm_expression_reference(column->object, tag);
	check_combination(column, *tags);
	check_roles(column, *tags);
	imply(column, *tags);

	column->description = corm_tags_description(comment);
	for (int i = 0; i < lengthof(column_tags); i++)
	{
		tag = corm_tags_find(*tags, column_tags[i]);
		if (tag == NULL)
			continue;
		/* filterable is the one whose false means something */
		if (tag->value == NULL || strcmp(tag->value, "true") == 0 ?
			strcmp(tag->key, "filterable") != 0 :
			strcmp(tag->value, "false") != 0 || strcmp(tag->key, "filterable") == 0)
			column->tags = lappend(column->tags, tag);
	}
	return column;
}

/*
 * corm_wanted_column returns the column with this name, or NULL.
 */
CormWantedColumn *
corm_wanted_column(CormWantedTable *table, const char *name)
{
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

/*
 * add_key adds a column to the key of this name, or a key of its own.
 */
static void
add_key(CormWantedTable *table, bool unique, char *name, char *column)
{
	CormWantedKey *key = NULL;
	ListCell   *lc;

	foreach(lc, table->keys)
	{
		CormWantedKey *other = lfirst(lc);

		if (name != NULL && other->name != NULL && strcmp(name, other->name) == 0 && unique == other->unique)
			key = other;
	}
	if (key == NULL)
	{
		key = palloc0(sizeof(CormWantedKey));
		key->name = name;
		key->unique = unique;
		table->keys = lappend(table->keys, key);
	}
	key->columns = lappend(key->columns, column);
}

/*
 * add_column adds what an attribute describes to the table.  Another type may
 * describe the same column; the types of the two must be equal, and the first
 * one's tags count.
 */
static void
add_column(CormWantedTable *table, CormWantedColumn *column, List *tags)
{
	CormWantedColumn *other = corm_wanted_column(table, column->name);
	char	   *name;

	if (other != NULL)
	{
		if (other->typid != column->typid || other->typmod != column->typmod || other->collation != column->collation)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of table %s is described in two ways", column->name, table->sql_name),
					 errdetail("%s has type %s, %s has type %s.", other->object,
							   format_type_with_typemod(other->typid, other->typmod), column->object,
							   format_type_with_typemod(column->typid, column->typmod))));
		return;
	}

	table->columns = lappend(table->columns, column);
	if (column->primary_key)
		table->primary_key = lappend(table->primary_key, column->name);
	if (wants_flag(tags, "unique", &name))
		add_key(table, true, name, column->name);
	if (wants_flag(tags, "index", &name))
		add_key(table, false, name, column->name);
	if (corm_tags_flag(tags, "soft_delete") == 1)
	{
		if (table->soft_delete != NULL)
			corm_tags_error(column->object, corm_tags_find(tags, "soft_delete"),
							psprintf("Column \"%s\" has the same tag.", table->soft_delete->name));
		table->soft_delete = column;
	}
}

/*
 * read_type adds what a composite type describes to the list of tables.
 */
static List *
read_type(List *tables, Oid relid)
{
	Relation	type = try_relation_open(relid, AccessShareLock);
	CormWantedTable *table = palloc0(sizeof(CormWantedTable));
	ObjectAddress address;
	char	   *comment;
	char	   *object;
	List	   *tags;
	List	   *names = NIL;
	ListCell   *lc;
	TupleDesc	desc;

	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (type->rd_rel->relkind != RELKIND_COMPOSITE_TYPE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a composite type", RelationGetRelationName(type)),
				 errdetail_relkind_not_supported(type->rd_rel->relkind),
				 errhint("Describe the table by CREATE TYPE name AS (...), with tags in comments.")));

	ObjectAddressSet(address, TypeRelationId, type->rd_rel->reltype);
	object = getObjectDescription(&address, false);
	comment = GetComment(type->rd_rel->reltype, TypeRelationId, 0);
	tags = corm_tags_read(comment, &address, CORM_TAG_RELATION);
	find_table(table, type, object, tags);
	table->description = corm_tags_description(comment);

	foreach(lc, tables)
	{
		CormWantedTable *other = lfirst(lc);

		if (strcmp(other->sql_name, table->sql_name) == 0)
			table = other;
	}
	if (!list_member_ptr(tables, table))
		tables = lappend(tables, table);

	desc = RelationGetDescr(type);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		CormWantedColumn *column;

		if (att->attisdropped)
			continue;
		column = read_column(type, att, GetComment(relid, RelationRelationId, att->attnum), &tags);
		if (column == NULL)
			continue;
		if (list_member(names, makeString(column->name)))
			ereport(ERROR,
					(errcode(CORM_ERRCODE_BAD_TAG),
					 errmsg("%s describes column \"%s\" of table %s again", column->object, column->name, table->sql_name),
					 errhint("Give the attribute another column with the tag \"column\", or leave it out with the tag \"-\".")));
		names = lappend(names, makeString(column->name));
		add_column(table, column, tags);
	}
	relation_close(type, AccessShareLock);
	return tables;
}

/*
 * has_column returns whether a name is in a list of names.
 */
static bool
has_column(List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

/*
 * complete sets what depends on all columns of a table.
 */
static void
complete(CormWantedTable *table)
{
	ListCell   *lc;

	/* Like others do: a key that is one integer counts by itself. */
	if (list_length(table->primary_key) == 1)
	{
		CormWantedColumn *column = corm_wanted_column(table, linitial(table->primary_key));

		column->implied_identity = (column->typid == INT2OID || column->typid == INT4OID || column->typid == INT8OID) &&
			column->identity == '\0' && !column->no_identity && !column->default_text && !column->generated &&
			!column->reference;
	}
	foreach(lc, table->keys)
	{
		CormWantedKey *key = lfirst(lc);

		key->live_only = key->unique && table->soft_delete != NULL &&
			!has_column(key->columns, table->soft_delete->name);
	}
}

/*
 * spare_referenced makes unique keys that a wanted reference needs count all
 * rows: a foreign key cannot refer to a part of a table.
 */
static void
spare_referenced(List *tables, Constraint *reference, CormWantedTable *from)
{
	const char *schema = reference->pktable->schemaname;
	ListCell   *lc;
	ListCell   *lc2;

	if (schema == NULL)
		schema = get_namespace_name(from->path);
	foreach(lc, tables)
	{
		CormWantedTable *table = lfirst(lc);

		if (strcmp(table->name, reference->pktable->relname) != 0 || strcmp(table->schema, schema) != 0)
			continue;
		foreach(lc2, table->keys)
		{
			CormWantedKey *key = lfirst(lc2);

			if (list_length(key->columns) == 1 && list_length(reference->pk_attrs) == 1 &&
				strcmp(linitial(key->columns), strVal(linitial(reference->pk_attrs))) == 0)
				key->live_only = false;
		}
	}
}

/*
 * corm_wanted_tables returns the tables that composite types describe, a list
 * of CormWantedTable in the order in which they are named.  Raises OR005 for
 * bad tags, 42809 for what is no composite type or describes no table.
 */
List *
corm_wanted_tables(int nmodels, const Oid *models)
{
	List	   *tables = NIL;
	List	   *seen = NIL;
	ListCell   *lc;

	for (int i = 0; i < nmodels; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (list_member_oid(seen, models[i]))
			continue;
		seen = lappend_oid(seen, models[i]);
		tables = read_type(tables, models[i]);
	}
	foreach(lc, tables)
	{
		complete(lfirst(lc));
	}
	foreach(lc, tables)
	{
		CormWantedTable *table = lfirst(lc);
		ListCell   *lc2;

		foreach(lc2, table->columns)
		{
			CormWantedColumn *column = lfirst(lc2);

			if (column->reference != NULL)
				spare_referenced(tables, column->reference, table);
		}
	}
	return tables;
}
