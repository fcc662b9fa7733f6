/*-------------------------------------------------------------------------
 *
 * plan.c
 *		From tables as they are to tables as they are wanted.
 *
 * The steps of a plan are ordered by phases, over all tables: what a phase
 * needs, an earlier one has made, so references among tables need no
 * particular order, and may go round.
 *
 * What is present is compared by what it does, not by its name or its
 * spelling: an index under another name serves, and so does a default that is
 * written differently.  What the types do not mention stays.  A step that
 * would lose something, or rewrite a table, is held back unless the options
 * allow it; then the plan has a note in its place, so that nobody takes the
 * table for what is wanted.
 *
 * Planning locks each table in AccessShareLock mode while it is read, and reads
 * rows only to see whether there are any, or nulls among them.  Another session
 * may change a table before the steps run; they fail then, as any DDL would.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "base/compat.h"
#include "base/errors.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "model/keys.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "tools/conversion.h"
#include "tools/expression.h"
#include "tools/plan.h"
#include "tools/rows.h"
#include "tools/type_sql.h"
#include "tools/wanted.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

typedef enum Phase
{
	PHASE_CREATE,				/* tables */
	PHASE_RENAME,
	PHASE_ADD,					/* columns */
	PHASE_ALTER,
	PHASE_GENERATED,			/* columns that are computed from others */
	PHASE_KEY,					/* primary keys, unique keys, indexes */
	PHASE_CHECK,
	PHASE_REFERENCE,
	PHASE_COMMENT,
	PHASE_DROP,
	NUM_PHASES
} Phase;

typedef struct Migration
{
	const CormMigrateOptions *options;
	List	   *tables;			/* of CormWantedTable */
	List	   *steps[NUM_PHASES];	/* of CormStep */
} Migration;

/* A table that is there, while it is compared. */
typedef struct Present
{
	Migration	   *plan;
	CormWantedTable *wanted;
	Relation	rel;
	bool		filled;			/* it has rows */
	List	   *missing;		/* names, String nodes: columns that are not
								 * there before the plan runs */
	List	   *withheld;		/* those that are not there afterwards, either */
	List	   *retyped;		/* whose type is going to be of another kind */
	List	   *unconverted;	/* whose type stays, against what is wanted */
} Present;

/* Notes that more than one kind of step has. */
#define READS_ONLINE	"reads the table; others can read and write it in the meantime"
#define READS_LOCKED	"reads the table under an exclusive lock; {\"online\": true} does not"
#define CONCURRENTLY	"cannot run in a transaction block; others can read and write in the meantime"
#define LEFT_BEHIND		"was left behind by a CREATE INDEX CONCURRENTLY that failed"
#define REWRITES		"rewrites the table under an exclusive lock"

/*
 * add_step adds a step to a phase.  sql and note are kept; note may be NULL.
 */
static void
add_step(Migration *plan, Phase phase, CormWantedTable *table, bool safe, char *note, char *sql)
{
	CormStep   *step = palloc(sizeof(CormStep));

	step->sql = sql;
	step->safe = safe;
	step->note = note;
	step->path = table->path;
	plan->steps[phase] = lappend(plan->steps[phase], step);
}

/*
 * allowed returns whether the options allow what a step needs, and otherwise
 * notes what is held back, and why.
 */
static bool
allowed(Migration *plan, Phase phase, CormWantedTable *table, bool drop, bool rewrite, const char *why, const char *sql)
{
	bool		lacks_drop = drop && !plan->options->drop;
	bool		lacks_rewrite = rewrite && !plan->options->rewrite;

	if (!lacks_drop && !lacks_rewrite)
		return true;
	add_step(plan, phase, table, false,
			 psprintf("held back: %s; {%s%s%s} allows it: %s", why, lacks_drop ? "\"drop\": true" : "",
					  lacks_drop && lacks_rewrite ? ", " : "", lacks_rewrite ? "\"rewrite\": true" : "", sql),
			 NULL);
	return false;
}

/*
 * hold notes what no option allows.
 */
static void
hold(Migration *plan, Phase phase, CormWantedTable *table, const char *why)
{
	add_step(plan, phase, table, false, psprintf("held back: %s", why), NULL);
}

/*
 * names_sql returns a list of names as SQL.
 */
static char *
names_sql(List *names)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, names)
	{
		appendStringInfo(&sql, "%s%s", sql.len > 0 ? ", " : "", quote_identifier(lfirst(lc)));
	}
	return sql.data;
}

/*
 * has_name returns whether a name is in a list of String nodes.
 */
static bool
has_name(List *names, const char *name)
{
	return list_member(names, makeString((char *) name));
}

/*
 * find_wanted returns the wanted table with this name, or NULL.
 */
static CormWantedTable *
find_wanted(Migration *plan, const char *schema, const char *name)
{
	ListCell   *lc;

	foreach(lc, plan->tables)
	{
		CormWantedTable *table = lfirst(lc);

		if (strcmp(table->name, name) == 0 && strcmp(table->schema, schema) == 0)
			return table;
	}
	return NULL;
}

/*
 * present_name returns the name under which a wanted column is there: its own,
 * else the one it had before; NULL if it is not there.  That other name must
 * not be one of another wanted column.
 */
static char *
present_name(CormWantedTable *table, CormWantedColumn *column)
{
	if (!OidIsValid(table->relid))
		return NULL;
	if (get_attnum(table->relid, column->name) > 0)
		return column->name;
	if (column->was != NULL && get_attnum(table->relid, column->was) > 0 &&
		corm_wanted_column(table, column->was) == NULL)
		return column->was;
	return NULL;
}

/*
 * present_attnum returns the number of a column of a present table by its
 * wanted name, or InvalidAttrNumber.
 */
static AttrNumber
present_attnum(CormWantedTable *table, const char *name)
{
	CormWantedColumn *column = corm_wanted_column(table, name);
	const char *present = column ? present_name(table, column) : name;

	return present && OidIsValid(table->relid) ? get_attnum(table->relid, present) : InvalidAttrNumber;
}

/*
 * Tables that are not there
 */

/*
 * default_sql returns the default of a new column, or NULL.
 */
static const char *
default_sql(CormWantedColumn *column)
{
	if (column->generated || column->identity != '\0')
		return NULL;
	return column->default_text ? column->default_text : column->implied_default;
}

/*
 * is_not_null returns whether a new column is not null.
 */
static bool
is_not_null(CormWantedColumn *column)
{
	return column->primary_key || column->identity != '\0' || column->not_null == 1 ||
		(column->implied_not_null && column->not_null == -1);
}

/*
 * identity_sql returns how values of an identity column are made.
 */
static const char *
identity_sql(char identity)
{
	return identity == ATTRIBUTE_IDENTITY_ALWAYS ? "GENERATED ALWAYS AS IDENTITY" : "GENERATED BY DEFAULT AS IDENTITY";
}

/*
 * column_sql returns the definition of a new column without its keys and checks.
 */
static char *
column_sql(CormWantedColumn *column, const char *default_text, bool not_null, bool counts)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "%s %s", quote_identifier(column->name), corm_type_sql(column->typid, column->typmod, column->collation));
	if (column->generated)
		appendStringInfo(&sql, " GENERATED ALWAYS AS (%s) STORED", column->generated);
	else if (column->identity != '\0')
		appendStringInfo(&sql, " %s", identity_sql(column->identity));
	else if (counts)
		appendStringInfo(&sql, " %s", identity_sql(ATTRIBUTE_IDENTITY_BY_DEFAULT));
	else if (default_text)
		appendStringInfo(&sql, " DEFAULT (%s)", default_text);
	/* an identity column is not null by itself */
	if (not_null && (column->generated || (column->identity == '\0' && !counts)))
		appendStringInfoString(&sql, " NOT NULL");
	return sql.data;
}

/*
 * create_table adds the step that makes a table.
 */
static void
create_table(Migration *plan, CormWantedTable *table)
{
	StringInfoData sql;
	const char *separator = "\n    ";
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE %s (", table->sql_name);
	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);

		appendStringInfo(&sql, "%s%s", separator,
						 column_sql(column, default_sql(column), is_not_null(column), column->implied_identity));
		separator = ",\n    ";
	}
	if (table->primary_key != NIL)
		appendStringInfo(&sql, "%sPRIMARY KEY (%s)", separator, names_sql(table->primary_key));
	foreach(lc, table->keys)
	{
		CormWantedKey *key = lfirst(lc);

		if (!key->unique || key->live_only)
			continue;
		appendStringInfo(&sql, "%s", separator);
		if (key->name != NULL)
			appendStringInfo(&sql, "CONSTRAINT %s ", quote_identifier(key->name));
		appendStringInfo(&sql, "UNIQUE (%s)", names_sql(key->columns));
	}
	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);

		if (column->check)
			appendStringInfo(&sql, "%sCHECK (%s)", separator, column->check);
	}
	appendStringInfoString(&sql, "\n)");
	add_step(plan, PHASE_CREATE, table, true, NULL, sql.data);
}

/*
 * Comments
 */

/*
 * tag_sql appends a tag as it is written in a comment.
 */
static void
append_tag(StringInfo buf, CormTag *tag)
{
	appendStringInfo(buf, "%s%s", buf->len > 0 ? "," : "", tag->key);
	if (tag->value == NULL || strcmp(tag->value, "true") == 0)
		return;
	appendStringInfoChar(buf, '=');
	if (strpbrk(tag->value, ",'\"()[]") == NULL && tag->value[0] != ' ')
		appendStringInfoString(buf, tag->value);
	else
	{
		appendStringInfoChar(buf, '"');
		for (const char *c = tag->value; *c; c++)
		{
			if (*c == '"')
				appendStringInfoChar(buf, '"');
			appendStringInfoChar(buf, *c);
		}
		appendStringInfoChar(buf, '"');
	}
}

/*
 * is_role returns whether only one column of a table can have a tag.
 */
static bool
is_role(const char *key)
{
	return strcmp(key, "soft_delete") == 0 || strcmp(key, "version") == 0 || strcmp(key, "created_at") == 0 ||
		strcmp(key, "updated_at") == 0;
}

/*
 * role_holder returns another column of a present table that has a tag, or
 * NULL.
 */
static char *
role_holder(Relation rel, AttrNumber attnum, const char *key)
{
	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);
		List	   *tags;

		if (att->attisdropped || att->attnum == attnum)
			continue;
		tags = corm_tags_read_quietly(GetComment(RelationGetRelid(rel), RelationRelationId, att->attnum), CORM_TAG_COLUMN);
		if (corm_tags_flag(tags, key) == 1)
			return pstrdup(NameStr(att->attname));
	}
	return NULL;
}

/*
 * comment_column adds the step that gives a column the description and the
 * tags that it lacks.  A comment that is there stays, and tags are added.
 * rel is NULL, and attnum 0, for a column that is not there yet.
 */
static void
comment_column(Migration *plan, CormWantedTable *table, Relation rel, CormWantedColumn *column, AttrNumber attnum)
{
	char	   *present = attnum > 0 ? GetComment(RelationGetRelid(rel), RelationRelationId, attnum) : NULL;
	List	   *tags = corm_tags_read_quietly(present, CORM_TAG_COLUMN);
	StringInfoData missing;
	StringInfoData comment;
	ListCell   *lc;

	initStringInfo(&missing);
	foreach(lc, column->tags)
	{
		CormTag    *tag = lfirst(lc);
		char	   *holder = rel && is_role(tag->key) ? role_holder(rel, attnum, tag->key) : NULL;

		if (corm_tags_find(tags, tag->key) != NULL)
			continue;
		if (holder != NULL)
			hold(plan, PHASE_COMMENT, table,
				 psprintf("column \"%s\" of table %s has the tag \"%s\", so that column \"%s\" cannot have it",
						  holder, table->sql_name, tag->key, column->name));
		else
			append_tag(&missing, tag);
	}

	initStringInfo(&comment);
	if (present != NULL || column->description != NULL)
		appendStringInfoString(&comment, present ? present : column->description);
	if (missing.len > 0)
		appendStringInfo(&comment, "%s@orm:%s", comment.len > 0 ? "\n" : "", missing.data);
	if (comment.len > 0 && (present == NULL || strcmp(present, comment.data) != 0))
		add_step(plan, PHASE_COMMENT, table, true, NULL,
				 psprintf("COMMENT ON COLUMN %s.%s IS %s", table->sql_name, quote_identifier(column->name),
						  quote_literal_cstr(comment.data)));
}

/*
 * comment_table adds the step that gives a table the type's description,
 * unless it has one.
 */
static void
comment_table(Migration *plan, CormWantedTable *table)
{
	if (table->description != NULL &&
		(!OidIsValid(table->relid) || GetComment(table->relid, RelationRelationId, 0) == NULL))
		add_step(plan, PHASE_COMMENT, table, true, NULL,
				 psprintf("COMMENT ON TABLE %s IS %s", table->sql_name, quote_literal_cstr(table->description)));
}

/*
 * Columns that are not there
 */

/*
 * add_column adds the step that makes a column of a present table.  Rows that
 * are there get the default if PostgreSQL can give it to them without writing
 * them, and else a null.
 */
static void
add_column(Present *present, CormWantedColumn *column)
{
	Migration	   *plan = present->plan;
	CormWantedTable *table = present->wanted;
	const char *default_text = default_sql(column);
	bool		implied = column->default_text == NULL && !column->implied_fills;
	bool		not_null = is_not_null(column);
	bool		fills = default_text != NULL && !implied;
	bool		rewrites = DomainHasConstraints(column->typid) || column->generated || column->identity != '\0';
	Phase		phase = column->generated ? PHASE_GENERATED : PHASE_ADD;
	char	   *note = NULL;
	char	   *alter = psprintf("ALTER TABLE %s ADD COLUMN ", table->sql_name);

	if (!present->filled)
	{
		add_step(plan, phase, table, true, NULL,
				 psprintf("%s%s", alter, column_sql(column, default_text, not_null, column->implied_identity)));
		return;
	}

	if (rewrites || column->implied_identity)
	{
		bool		computed = column->generated || column->identity != '\0' || column->implied_identity;
		char	   *sql = psprintf("%s%s", alter, column_sql(column, default_text, not_null && (fills || computed),
															 column->implied_identity));
		const char *why = psprintf("column \"%s\" cannot be added to table %s without rewriting it", column->name, table->sql_name);

		if (allowed(plan, phase, table, false, true, why, sql))
			add_step(plan, phase, table, false, REWRITES, sql);
		else
			present->withheld = lappend(present->withheld, makeString(column->name));
		return;
	}

	if (fills && contain_volatile_functions(corm_expression_cook(default_text, CORM_EXPRESSION_DEFAULT, NULL,
																 column->typid, column->typmod, column->name)))
	{
		if (plan->options->rewrite)
		{
			add_step(plan, PHASE_ADD, table, false, REWRITES ", because the default is volatile",
					 psprintf("%s%s", alter, column_sql(column, default_text, not_null, false)));
			return;
		}
		note = "the rows that exist get null: to give them a volatile default, PostgreSQL would have to rewrite the table";
		fills = false;
	}
	else if (not_null && !fills)
		note = "added without NOT NULL because the table has rows; a later migration sets it, once no row has a null";

	add_step(plan, PHASE_ADD, table, true, note,
			 psprintf("%s%s%s", alter, column_sql(column, fills ? default_text : NULL, not_null && fills, false),
					  default_text != NULL && !fills ?
					  psprintf(", ALTER COLUMN %s SET DEFAULT (%s)", quote_identifier(column->name), default_text) : ""));
}

/*
 * Columns that are there
 */

/*
 * default_node returns the default, or the generating expression, of a column,
 * or NULL.
 */
static Node *
default_node(Relation rel, AttrNumber attnum)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	for (int i = 0; constr != NULL && i < constr->num_defval; i++)
	{
		if (constr->defval[i].adnum == attnum)
			return stringToNode(constr->defval[i].adbin);
	}
	return NULL;
}

/*
 * remake_column adds the step that makes a column anew, if that is allowed.
 * It has no indexes afterwards.
 */
static void
remake_column(Present *present, CormWantedColumn *column, bool drop, const char *why)
{
	char	   *sql = psprintf("ALTER TABLE %s DROP COLUMN %s, ADD COLUMN %s", present->wanted->sql_name,
							   quote_identifier(column->name),
							   column_sql(column, NULL, is_not_null(column), false));

	if (!allowed(present->plan, PHASE_GENERATED, present->wanted, drop, true, why, sql))
		return;
	add_step(present->plan, PHASE_GENERATED, present->wanted, false, REWRITES, sql);
	present->missing = lappend(present->missing, makeString(column->name));
}

/*
 * compare_generated compares how a column is computed.  Returns whether the
 * column is generated, or is going to be: then it has no default.
 */
static bool
compare_generated(Present *present, CormWantedColumn *column, Form_pg_attribute att)
{
	CormWantedTable *table = present->wanted;
	char	   *sql;

	if (column->generated == NULL && att->attgenerated == '\0')
		return false;
	if (column->generated == NULL)
	{
		/* only a tag that excludes it says that it is not to be generated */
		if (column->default_text == NULL && column->identity == '\0')
			return true;
		sql = psprintf("ALTER TABLE %s ALTER COLUMN %s DROP EXPRESSION", table->sql_name, quote_identifier(column->name));
		if (!allowed(present->plan, PHASE_ALTER, table, true, false,
					 psprintf("column \"%s\" of table %s is generated", column->name, table->sql_name), sql))
			return true;
		add_step(present->plan, PHASE_ALTER, table, true, NULL, sql);
		return false;
	}
	if (att->attgenerated == '\0')
		remake_column(present, column, true,
					  psprintf("column \"%s\" of table %s is not generated, and its values would be lost",
							   column->name, table->sql_name));
	else if (!corm_expression_names(column->generated, present->missing) &&
			 !corm_expression_names(column->generated, present->retyped) &&
			 !corm_expression_names(column->generated, present->unconverted) &&
			 !equal(default_node(present->rel, att->attnum),
					corm_expression_cook(column->generated, CORM_EXPRESSION_GENERATED, present->rel,
										 att->atttypid, att->atttypmod, column->name)))
		remake_column(present, column, false,
					  psprintf("column \"%s\" of table %s is computed in another way", column->name, table->sql_name));
	return true;
}

/*
 * compare_identity compares whether and how a column counts.
 */
static void
compare_identity(Present *present, CormWantedColumn *column, Form_pg_attribute att)
{
	Migration	   *plan = present->plan;
	CormWantedTable *table = present->wanted;
	char	   *alter = psprintf("ALTER TABLE %s ALTER COLUMN %s", table->sql_name, quote_identifier(column->name));

	if (column->no_identity && att->attidentity != '\0')
	{
		char	   *sql = psprintf("%s DROP IDENTITY", alter);

		if (allowed(plan, PHASE_ALTER, table, true, false,
					psprintf("column \"%s\" of table %s is an identity column", column->name, table->sql_name), sql))
			add_step(plan, PHASE_ALTER, table, true, NULL, sql);
	}
	if (column->identity == '\0' || column->identity == att->attidentity)
		return;
	if (att->attidentity != '\0')
		add_step(plan, PHASE_ALTER, table, true, NULL,
				 psprintf("%s SET %s", alter, column->identity == ATTRIBUTE_IDENTITY_ALWAYS ? "GENERATED ALWAYS" : "GENERATED BY DEFAULT"));
	else if (att->atthasdef)
		hold(plan, PHASE_ALTER, table,
			 psprintf("column \"%s\" of table %s has a default, so that it cannot become an identity column",
					  column->name, table->sql_name));
	else if (att->attnotnull || !corm_has_nulls(table->relid, NameStr(att->attname)))
	{
		add_step(plan, PHASE_ALTER, table, true, NULL,
				 psprintf("%s ADD %s", alter, identity_sql(column->identity)));
		if (present->filled)
			add_step(plan, PHASE_ALTER, table, false, "reads the table for its greatest value",
					 psprintf("SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence(%s, %s), pg_catalog.max(%s)) FROM %s HAVING pg_catalog.max(%s) OPERATOR(pg_catalog.>) 0",
							  quote_literal_cstr(table->sql_name), quote_literal_cstr(column->name),
							  quote_identifier(column->name), table->sql_name, quote_identifier(column->name)));
	}
}

/*
 * validated_not_null returns whether a valid check says that a column is not
 * null: then PostgreSQL need not read the rows.
 */
static bool
validated_not_null(Relation rel, AttrNumber attnum)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
	{
		NullTest   *test = stringToNode(constr->check[i].ccbin);

		if (constr->check[i].ccvalid && IsA(test, NullTest) && test->nulltesttype == IS_NOT_NULL &&
			IsA(test->arg, Var) && ((Var *) test->arg)->varattno == attnum)
			return true;
	}
	return false;
}

/*
 * compare_not_null compares whether a column can be null.
 */
static void
compare_not_null(Present *present, CormWantedColumn *column, Form_pg_attribute att)
{
	Migration	   *plan = present->plan;
	CormWantedTable *table = present->wanted;
	bool		wanted = column->primary_key || column->identity != '\0' || column->not_null == 1;
	char	   *alter = psprintf("ALTER TABLE %s ALTER COLUMN %s", table->sql_name, quote_identifier(column->name));
	char	   *sql = psprintf("%s SET NOT NULL", alter);
	char	   *constraint = psprintf("corm_not_null_%d", att->attnum);
	bool		has_constraint = OidIsValid(get_relation_constraint_oid(table->relid, constraint, true));

	if (column->not_null == 0 && att->attnotnull && att->attidentity == '\0' &&
		!list_member_int(corm_primary_key_columns(table->relid), att->attnum))
		add_step(plan, PHASE_ALTER, table, true, NULL, psprintf("%s DROP NOT NULL", alter));
	if (!wanted || att->attnotnull)
		return;
	if (corm_has_nulls(table->relid, NameStr(att->attname)))
		hold(plan, PHASE_ALTER, table,
			 psprintf("column \"%s\" of table %s has nulls: %s fails", column->name, table->sql_name, sql));
	else if (plan->options->online && present->filled && !validated_not_null(present->rel, att->attnum))
	{
		/* if that has failed before, the constraint is there */
		if (!has_constraint)
			add_step(plan, PHASE_ALTER, table, true, NULL,
					 psprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID",
							  table->sql_name, constraint, quote_identifier(column->name)));
		add_step(plan, PHASE_ALTER, table, true, READS_ONLINE,
				 psprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", table->sql_name, constraint));
		add_step(plan, PHASE_ALTER, table, true, NULL, sql);
		has_constraint = true;
	}
	else if (!present->filled || validated_not_null(present->rel, att->attnum))
		add_step(plan, PHASE_ALTER, table, true, NULL, sql);
	else
		add_step(plan, PHASE_ALTER, table, false, READS_LOCKED, sql);
	if (has_constraint)
		add_step(plan, PHASE_ALTER, table, true, NULL,
				 psprintf("ALTER TABLE %s DROP CONSTRAINT %s", table->sql_name, constraint));
}

/*
 * fixed_type returns why the type of a column cannot change, or NULL.
 */
static const char *
fixed_type(Present *present, CormWantedColumn *column, Form_pg_attribute att)
{
	bool		used_in_expr;

	if (att->attinhcount > 0)
		return "which is inherited";
	if (att->attidentity != '\0' && column->typid != INT2OID && column->typid != INT4OID && column->typid != INT8OID)
		return "which an identity column cannot be";
	if (present->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
		has_partition_attrs(present->rel, bms_make_singleton(att->attnum - FirstLowInvalidHeapAttributeNumber), &used_in_expr))
		return "but it is part of the partition key";
	return NULL;
}

/*
 * conversion_of returns what it takes to give a column its wanted type.
 */
static CormConversion
conversion_of(CormWantedColumn *column, Form_pg_attribute att)
{
	return corm_conversion(att->atttypid, att->atttypmod, att->attcollation, column->typid, column->typmod,
						   column->collation);
}

/*
 * foresee_type notes what becomes of the type of a column, for the expressions
 * that name it.
 */
static void
foresee_type(Present *present, CormWantedColumn *column, Form_pg_attribute att)
{
	const CormMigrateOptions *options = present->plan->options;
	CormConversion conversion = conversion_of(column, att);

	if (conversion == CORM_CONVERSION_NONE || conversion == CORM_CONVERSION_FREE)
		return;
	if (conversion == CORM_CONVERSION_IMPOSSIBLE || !options->rewrite || fixed_type(present, column, att) ||
		(conversion != CORM_CONVERSION_REWRITE && !options->drop))
		present->unconverted = lappend(present->unconverted, makeString(column->name));
	else if (TypeCategory(getBaseType(att->atttypid)) != TypeCategory(getBaseType(column->typid)))
		present->retyped = lappend(present->retyped, makeString(column->name));
}

/*
 * compare_type compares the type of a column.  Returns whether its values are
 * going to be of the wanted type.  with_default says that a default is set by
 * the same step, since the present one may not fit the type.
 */
static bool
compare_type(Present *present, CormWantedColumn *column, Form_pg_attribute att, bool *with_default)
{
	Migration  *plan = present->plan;
	CormWantedTable *table = present->wanted;
	CormConversion conversion = conversion_of(column, att);
	bool		lossless = conversion == CORM_CONVERSION_REWRITE;
	char	   *name = pstrdup(quote_identifier(column->name));
	const char *fixed;
	char	   *sql;
	char	   *why;

	*with_default = false;
	if (conversion == CORM_CONVERSION_NONE)
		return true;
	why = psprintf("column \"%s\" of table %s is of type %s and wanted as %s", column->name, table->sql_name,
				   format_type_with_typemod(att->atttypid, att->atttypmod),
				   format_type_with_typemod(column->typid, column->typmod));
	fixed = conversion == CORM_CONVERSION_IMPOSSIBLE ? "to which there is no cast" : fixed_type(present, column, att);
	if (fixed)
	{
		hold(plan, PHASE_ALTER, table, psprintf("%s, %s", why, fixed));
		return false;
	}

	sql = psprintf("ALTER COLUMN %s TYPE %s", name, corm_type_sql(column->typid, column->typmod, column->collation));
	if (conversion == CORM_CONVERSION_CAST)
		sql = psprintf("%s USING %s::%s", sql, name, corm_type_sql(column->typid, column->typmod, InvalidOid));
	if (conversion != CORM_CONVERSION_FREE && column->default_text && att->attgenerated == '\0' && att->attidentity == '\0')
	{
		*with_default = true;
		sql = psprintf("%s%s, ALTER COLUMN %s SET DEFAULT (%s)",
					   att->atthasdef ? psprintf("ALTER COLUMN %s DROP DEFAULT, ", name) : "", sql, name,
					   column->default_text);
	}
	sql = psprintf("ALTER TABLE %s %s", table->sql_name, sql);
	if (conversion == CORM_CONVERSION_FREE)
	{
		add_step(plan, PHASE_ALTER, table, true, NULL, sql);
		return true;
	}
	if (allowed(plan, PHASE_ALTER, table, !lossless, true,
				psprintf("%s, which rewrites the table%s", why, lossless ? "" : " and may change values"), sql))
	{
		add_step(plan, PHASE_ALTER, table, false,
				 psprintf("%s%s", REWRITES, lossless ? "" : ", and may change values"), sql);
		return true;
	}
	*with_default = false;
	return false;
}

/*
 * compare_default compares the default of a column.  One that no tag mentions
 * stays.
 */
static void
compare_default(Present *present, CormWantedColumn *column, Form_pg_attribute att, bool converted)
{
	CormWantedTable *table = present->wanted;

	if (column->default_text == NULL)
		return;
	if (att->attidentity != '\0')
	{
		if (!column->no_identity)
			hold(present->plan, PHASE_ALTER, table,
				 psprintf("column \"%s\" of table %s is an identity column, so that it can have no default; the tag \"identity=false\" makes it none",
						  column->name, table->sql_name));
		if (!column->no_identity || !present->plan->options->drop)
			return;
	}
	/* held back with the type that it is for */
	if (!converted)
		return;
	if (equal(default_node(present->rel, att->attnum),
			  corm_expression_cook(column->default_text, CORM_EXPRESSION_DEFAULT, NULL, column->typid, column->typmod,
								   column->name)))
		return;
	add_step(present->plan, PHASE_ALTER, table, true, NULL,
			 psprintf("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT (%s)", table->sql_name,
					  quote_identifier(column->name), column->default_text));
}

/*
 * compare_column compares a column that is there, perhaps under the name that
 * it had before.
 */
static void
compare_column(Present *present, CormWantedColumn *column, const char *name)
{
	CormWantedTable *table = present->wanted;
	AttrNumber	attnum = get_attnum(table->relid, name);
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(present->rel), attnum - 1);
	bool		with_default = false;
	bool		generated;
	bool		converted = true;

	if (strcmp(name, column->name) != 0)
		add_step(present->plan, PHASE_RENAME, table, true, NULL,
				 psprintf("ALTER TABLE %s RENAME COLUMN %s TO %s", table->sql_name,
						  quote_identifier(name), quote_identifier(column->name)));

	generated = compare_generated(present, column, att);
	if (!has_name(present->missing, column->name))
	{
		converted = compare_type(present, column, att, &with_default);
		if (!generated)
		{
			compare_identity(present, column, att);
			if (!with_default)
				compare_default(present, column, att, converted);
		}
		compare_not_null(present, column, att);
	}
	comment_column(present->plan, table, present->rel, column, has_name(present->missing, column->name) ? 0 : attnum);
}

/*
 * Keys
 */

/*
 * index_is_partial returns whether an index leaves out rows that count: all
 * conditions do but the one on rows that are not deleted.
 */
static bool
index_is_partial(Present *present, Relation index)
{
	List	   *predicate = RelationGetIndexPredicate(index);
	CormWantedColumn *soft_delete = present->wanted->soft_delete;
	Node	   *node;
	Node	   *arg = NULL;

	if (predicate == NIL)
		return false;
	node = linitial(predicate);
	if (IsA(node, NullTest) && ((NullTest *) node)->nulltesttype == IS_NULL)
		arg = (Node *) ((NullTest *) node)->arg;
	else if (IsA(node, BooleanTest) && ((BooleanTest *) node)->booltesttype == IS_NOT_TRUE)
		arg = (Node *) ((BooleanTest *) node)->arg;
	return list_length(predicate) != 1 || soft_delete == NULL || arg == NULL || !IsA(arg, Var) ||
		((Var *) arg)->varattno != present_attnum(present->wanted, soft_delete->name);
}

/*
 * index_serves returns whether an index is what a wanted key asks for.  A
 * unique one must have its columns, in any order; another one begins with
 * them.
 */
static bool
index_serves(Present *present, Relation index, CormWantedKey *key)
{
	Form_pg_index form = index->rd_index;
	int			n = list_length(key->columns);

	if (RelationGetIndexExpressions(index) != NIL || form->indnkeyatts < n ||
		(key->unique && (!form->indisunique || form->indnkeyatts != n)))
		return false;
	if (index_is_partial(present, index) || (!key->live_only && RelationGetIndexPredicate(index) != NIL))
		return false;
	for (int i = 0; i < n; i++)
	{
		AttrNumber	attnum = present_attnum(present->wanted, list_nth(key->columns, i));
		bool		found = false;

		for (int j = 0; j < n; j++)
			found |= form->indkey.values[j] == attnum && (key->unique || i == j);
		if (attnum == InvalidAttrNumber || !found)
			return false;
	}
	return true;
}

/*
 * drop_index_sql returns how to drop an index, which may belong to a
 * constraint.
 */
static char *
drop_index_sql(Present *present, Relation index, bool concurrently)
{
	Oid			constraint = get_index_constraint(RelationGetRelid(index));

	if (OidIsValid(constraint))
		return psprintf("ALTER TABLE %s DROP CONSTRAINT %s", present->wanted->sql_name,
						quote_identifier(get_constraint_name(constraint)));
	return psprintf("DROP INDEX %s%s", concurrently ? "CONCURRENTLY " : "",
					quote_qualified_identifier(get_namespace_name(RelationGetNamespace(index)),
											   RelationGetRelationName(index)));
}

/*
 * find_key returns whether a table has an index that serves a wanted key, and
 * drops what is in its way, if that is allowed: *blocked says that something
 * stays.
 */
static bool
find_key(Present *present, CormWantedKey *key, bool *blocked)
{
	Migration	   *plan = present->plan;
	bool		concurrently = plan->options->online && present->rel->rd_rel->relkind == RELKIND_RELATION;
	List	   *indexes = RelationGetIndexList(present->rel);
	bool		found = false;
	ListCell   *lc;

	*blocked = false;
	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		found |= index->rd_index->indisvalid && index_serves(present, index, key);
		index_close(index, AccessShareLock);
	}
	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		bool		named = key->name && strcmp(RelationGetRelationName(index), key->name) == 0;
		char	   *sql = drop_index_sql(present, index, concurrently);

		if (!found && !index->rd_index->indisvalid && (named || index_serves(present, index, key)))
			add_step(plan, PHASE_KEY, present->wanted, true, LEFT_BEHIND, sql);
		else if (!found && named)
		{
			if (allowed(plan, PHASE_KEY, present->wanted, true, false,
						psprintf("\"%s\" of table %s is another key", key->name, present->wanted->sql_name), sql))
				add_step(plan, PHASE_KEY, present->wanted, true, NULL, sql);
			else
				*blocked = true;
		}
		index_close(index, AccessShareLock);
	}
	return found;
}

/*
 * add_key adds the step that makes a key of a table.  present is NULL for a new
 * table.
 */
static void
add_key(Migration *plan, CormWantedTable *table, Present *present, CormWantedKey *key)
{
	bool		partitioned = present && present->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	bool		filled = present && present->filled;
	bool		concurrently = filled && plan->options->online && !partitioned;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE %sINDEX %s", key->unique ? "UNIQUE " : "", concurrently ? "CONCURRENTLY " : "");
	if (key->name)
		appendStringInfo(&sql, "%s ", quote_identifier(key->name));
	appendStringInfo(&sql, "ON %s (%s)", table->sql_name, names_sql(key->columns));
	if (key->live_only)
		appendStringInfo(&sql, " WHERE %s %s", quote_identifier(table->soft_delete->name),
						 getBaseType(table->soft_delete->typid) == BOOLOID ? "IS NOT TRUE" : "IS NULL");
	add_step(plan, PHASE_KEY, table, !filled || concurrently,
			 concurrently ? CONCURRENTLY :
			 filled ? (partitioned ? "blocks writes while the index is made; on a partitioned table there is no other way" :
					   "blocks writes while the index is made; {\"online\": true} does not") : NULL,
			 sql.data);
}

/*
 * compare_keys compares the unique keys and indexes of a table.
 */
static void
compare_keys(Present *present)
{
	ListCell   *lc;

	foreach(lc, present->wanted->keys)
	{
		CormWantedKey *key = lfirst(lc);
		bool		withheld = false;
		bool		missing = false;
		bool		blocked = false;
		ListCell   *lc2;

		foreach(lc2, key->columns)
		{
			withheld |= has_name(present->withheld, lfirst(lc2));
			missing |= has_name(present->missing, lfirst(lc2));
		}
		if (withheld)
			continue;
		if ((missing && key->name == NULL) || !find_key(present, key, &blocked))
		{
			if (!blocked)
				add_key(present->plan, present->wanted, present, key);
		}
	}
}

/*
 * compare_primary_key compares the primary key of a table.
 */
static void
compare_primary_key(Present *present)
{
	Migration	   *plan = present->plan;
	CormWantedTable *table = present->wanted;
	List	   *columns = corm_primary_key_columns(table->relid);
	bool		same = list_length(columns) == list_length(table->primary_key);
	char	   *drop = "";
	char	   *sql;
	ListCell   *lc;

	if (table->primary_key == NIL)
		return;
	foreach(lc, table->primary_key)
	{
		AttrNumber	attnum = has_name(present->missing, lfirst(lc)) ? InvalidAttrNumber :
			present_attnum(table, lfirst(lc));

		if (has_name(present->withheld, lfirst(lc)))
			return;
		if (attnum != InvalidAttrNumber && !TupleDescAttr(RelationGetDescr(present->rel), attnum - 1)->attnotnull &&
			corm_has_nulls(table->relid, get_attname(table->relid, attnum, false)))
			return;				/* that it has nulls is said already */
		if (present->filled && attnum == InvalidAttrNumber)
		{
			CormWantedColumn *column = corm_wanted_column(table, lfirst(lc));

			if (!column->generated && column->identity == '\0' && !column->implied_identity && !column->default_text)
				return;			/* it is full of nulls then */
		}
		same = same && attnum == list_nth_int(columns, foreach_current_index(lc));
	}
	if (same)
		return;

	if (columns != NIL)
		drop = psprintf("DROP CONSTRAINT %s, ", quote_identifier(get_constraint_name(get_index_constraint(corm_primary_key_index(present->rel)))));
	sql = psprintf("ALTER TABLE %s %sADD PRIMARY KEY (%s)", table->sql_name, drop, names_sql(table->primary_key));
	if (!allowed(plan, PHASE_KEY, table, columns != NIL, false,
				 psprintf("table %s has another primary key", table->sql_name), sql))
		return;
	if (!present->filled)
		add_step(plan, PHASE_KEY, table, true, NULL, sql);
	else if (!plan->options->online || present->rel->rd_rel->relkind != RELKIND_RELATION)
		add_step(plan, PHASE_KEY, table, false, "blocks the table while the index is made", sql);
	else
	{
		char	   *index = makeObjectName("corm_key", table->name, NULL);
		char	   *index_name = pstrdup(quote_identifier(index));

		if (OidIsValid(get_relname_relid(index, RelationGetNamespace(present->rel))))
			add_step(plan, PHASE_KEY, table, true, LEFT_BEHIND,
					 psprintf("DROP INDEX CONCURRENTLY %s", quote_qualified_identifier(table->schema, index)));
		add_step(plan, PHASE_KEY, table, true, CONCURRENTLY,
				 psprintf("CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s)", index_name, table->sql_name, names_sql(table->primary_key)));
		add_step(plan, PHASE_KEY, table, true, NULL,
				 psprintf("ALTER TABLE %s %sADD CONSTRAINT %s PRIMARY KEY USING INDEX %s", table->sql_name, drop,
						  quote_identifier(makeObjectName(table->name, NULL, "pkey")), index_name));
	}
}

/*
 * Checks and references
 */

/*
 * compare_check compares the check of a column with those that a table has.
 */
static void
compare_check(Present *present, CormWantedColumn *column)
{
	Migration	   *plan = present->plan;
	CormWantedTable *table = present->wanted;
	TupleConstr *constr = RelationGetDescr(present->rel)->constr;
	char	   *sql = psprintf("ALTER TABLE %s ADD CHECK (%s)", table->sql_name, column->check);

	if (corm_expression_names(column->check, present->withheld) ||
		corm_expression_names(column->check, present->unconverted))
		return;
	if (!corm_expression_names(column->check, present->missing) &&
		!corm_expression_names(column->check, present->retyped))
	{
		Node	   *wanted = corm_expression_cook(column->check, CORM_EXPRESSION_CHECK, present->rel,
												  BOOLOID, -1, column->name);

		for (int i = 0; constr != NULL && i < constr->num_check; i++)
		{
			if (!equal(stringToNode(constr->check[i].ccbin), wanted))
				continue;
			if (!constr->check[i].ccvalid)
				add_step(plan, PHASE_CHECK, table, true, READS_ONLINE,
						 psprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", table->sql_name,
								  quote_identifier(constr->check[i].ccname)));
			return;
		}
		/* one of the name that PostgreSQL gives the check of a column is what this one was */
		for (int i = 0; constr != NULL && i < constr->num_check; i++)
		{
			if (strcmp(constr->check[i].ccname, makeObjectName(table->name, column->name, "check")) != 0)
				continue;
			sql = psprintf("ALTER TABLE %s DROP CONSTRAINT %s, ADD CHECK (%s)", table->sql_name,
						   quote_identifier(constr->check[i].ccname), column->check);
			if (!allowed(plan, PHASE_CHECK, table, true, false,
						 psprintf("\"%s\" of table %s is another check", constr->check[i].ccname, table->sql_name), sql))
				return;
			break;
		}
	}
	if (!present->filled)
		add_step(plan, PHASE_CHECK, table, true, NULL, sql);
	else if (!plan->options->online)
		add_step(plan, PHASE_CHECK, table, false, READS_LOCKED, sql);
	else
		/* the next plan validates it, by the name that it has got */
		add_step(plan, PHASE_CHECK, table, true, "checks new rows only; the next plan validates the others",
				 psprintf("%s NOT VALID", sql));
}

/*
 * reference_target returns the table that a column refers to, and sets
 * reference->pk_attrs if it does not name the column.  Raises 42P01 or OR005.
 * relid is InvalidOid if that table is only wanted yet.
 */
static char *
reference_target(Migration *plan, CormWantedTable *table, CormWantedColumn *column, Oid *relid, CormWantedTable **wanted)
{
	Constraint *reference = column->reference;
	char	   *schema = reference->pktable->schemaname;
	char	   *name = reference->pktable->relname;
	char	   *key = NULL;

	if (schema == NULL)
		schema = get_namespace_name(table->path);
	*relid = get_relname_relid(name, get_namespace_oid(schema, false));
	*wanted = find_wanted(plan, schema, name);
	if (!OidIsValid(*relid) && *wanted == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist", schema, name),
				 errdetail("The tag \"references\" on %s names it.", column->object),
				 errhint("Migrate the type that describes it at the same time.")));

	if (reference->pk_attrs == NIL)
	{
		if (*wanted && list_length((*wanted)->primary_key) == 1)
			key = linitial((*wanted)->primary_key);
		else if (OidIsValid(*relid) && list_length(corm_primary_key_columns(*relid)) == 1)
			key = get_attname(*relid, linitial_int(corm_primary_key_columns(*relid)), false);
		if (key == NULL)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_BAD_TAG),
					 errmsg("the tag \"references\" on %s must name a column of table \"%s\"", column->object, name),
					 errdetail("That table has no primary key of one column.")));
		reference->pk_attrs = list_make1(makeString(key));
	}
	return quote_qualified_identifier(schema, name);
}

/*
 * same_actions returns whether a foreign key does what a reference says.
 */
static bool
same_actions(Form_pg_constraint form, Constraint *reference)
{
	return form->confupdtype == reference->fk_upd_action && form->confdeltype == reference->fk_del_action &&
		form->condeferrable == reference->deferrable && form->condeferred == reference->initdeferred &&
		form->confmatchtype == reference->fk_matchtype;
}

/*
 * compare_reference compares the reference of a column with the foreign keys
 * that its table has.  present is NULL for a new table.
 */
static void
compare_reference(Migration *plan, CormWantedTable *table, Present *present, CormWantedColumn *column)
{
	Oid			target;
	CormWantedTable *wanted;
	char	   *target_name = reference_target(plan, table, column, &target, &wanted);
	char	   *alter = psprintf("ALTER TABLE %s ", table->sql_name);
	char	   *add = psprintf("ADD FOREIGN KEY (%s) %s", quote_identifier(column->name),
							   corm_expression_reference_sql(column->reference, target_name));
	char	   *sql = psprintf("%s%s", alter, add);
	AttrNumber	attnum = InvalidAttrNumber;
	ListCell   *lc;

	if (present && has_name(present->withheld, column->name))
		return;
	if (present && !has_name(present->missing, column->name))
		attnum = present_attnum(table, column->name);
	foreach(lc, attnum != InvalidAttrNumber && OidIsValid(target) ? corm_foreign_keys_of(table->relid, false) : NIL)
	{
		CormForeignKey *key = lfirst(lc);
		const char *target_column = strVal(linitial(column->reference->pk_attrs));
		AttrNumber	target_attnum = wanted ? present_attnum(wanted, target_column) : get_attnum(target, target_column);
		HeapTuple	tuple;
		bool		same;
		bool		valid;

		if (key->nkeys != 1 || key->keys[0] != attnum || key->target != target || key->target_keys[0] != target_attnum)
			continue;
		tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(key->oid));
		if (!HeapTupleIsValid(tuple))
			continue;
		same = same_actions((Form_pg_constraint) GETSTRUCT(tuple), column->reference);
		valid = ((Form_pg_constraint) GETSTRUCT(tuple))->convalidated;
		ReleaseSysCache(tuple);
		if (same && valid)
			return;
		if (same)
		{
			add_step(plan, PHASE_REFERENCE, table, true, READS_ONLINE,
					 psprintf("%sVALIDATE CONSTRAINT %s", alter, quote_identifier(key->name)));
			return;
		}
		sql = psprintf("%sDROP CONSTRAINT %s, %s", alter, quote_identifier(key->name), add);
		if (!allowed(plan, PHASE_REFERENCE, table, true, false,
					 psprintf("foreign key \"%s\" of table %s has other actions", key->name, table->sql_name), sql))
			return;
		break;
	}
	if (!present || !present->filled)
		add_step(plan, PHASE_REFERENCE, table, true, NULL, sql);
	else if (!plan->options->online || present->rel->rd_rel->relkind != RELKIND_RELATION)
		add_step(plan, PHASE_REFERENCE, table, false, "blocks writes to both tables while the rows are checked", sql);
	else
		/* the next plan validates it, by the name that it has got */
		add_step(plan, PHASE_REFERENCE, table, true, "checks new rows only; the next plan validates the others",
				 psprintf("%s NOT VALID", sql));
}

/*
 * Tables
 */

/*
 * drop_columns drops what no type has, if that is allowed.
 */
static void
drop_columns(Present *present)
{
	TupleDesc	desc = RelationGetDescr(present->rel);

	if (!present->plan->options->drop)
		return;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool		kept = att->attisdropped || (att->attinhcount > 0 && !att->attislocal);
		ListCell   *lc;

		foreach(lc, present->wanted->columns)
		{
			char	   *name = present_name(present->wanted, lfirst(lc));

			kept |= name != NULL && strcmp(name, NameStr(att->attname)) == 0;
		}
		if (!kept)
			add_step(present->plan, PHASE_DROP, present->wanted, false, "the values of the column are lost",
					 psprintf("ALTER TABLE %s DROP COLUMN %s", present->wanted->sql_name,
							  quote_identifier(NameStr(att->attname))));
	}
}

/*
 * compare_table compares a table that is there.
 */
static void
compare_table(Migration *plan, CormWantedTable *table)
{
	Present		present = {plan, table};
	ListCell   *lc;

	present.rel = try_relation_open(table->relid, AccessShareLock);
	if (present.rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s does not exist", table->sql_name)));
	present.filled = corm_has_rows(table->relid);
	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);

		char	   *name = present_name(table, column);

		if (name == NULL)
			present.missing = lappend(present.missing, makeString(column->name));
		else
			foresee_type(&present, column, TupleDescAttr(RelationGetDescr(present.rel), get_attnum(table->relid, name) - 1));
	}
	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);
		char	   *name = present_name(table, column);

		CHECK_FOR_INTERRUPTS();
		if (name != NULL)
			compare_column(&present, column, name);
		else
		{
			add_column(&present, column);
			if (!has_name(present.withheld, column->name))
				comment_column(plan, table, present.rel, column, InvalidAttrNumber);
		}
	}
	compare_primary_key(&present);
	compare_keys(&present);
	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);

		if (column->check)
			compare_check(&present, column);
		if (column->reference)
			compare_reference(plan, table, &present, column);
	}
	drop_columns(&present);
	relation_close(present.rel, AccessShareLock);
}

/*
 * plan_new plans a table that is not there.
 */
static void
plan_new(Migration *plan, CormWantedTable *table)
{
	ListCell   *lc;

	create_table(plan, table);
	foreach(lc, table->keys)
	{
		CormWantedKey *key = lfirst(lc);

		if (!key->unique || key->live_only)
			add_key(plan, table, NULL, key);
	}
	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);

		if (column->reference)
			compare_reference(plan, table, NULL, column);
		comment_column(plan, table, NULL, column, InvalidAttrNumber);
	}
}

/*
 * corm_migrate_steps returns the steps that lead to the wanted tables, a list
 * of CormStep in the current memory context.  Changes nothing.
 */
List *
corm_migrate_steps(List *tables, const CormMigrateOptions *options)
{
	Migration		plan = {options, tables};
	List	   *steps = NIL;
	ListCell   *lc;

	foreach(lc, tables)
	{
		CormWantedTable *table = lfirst(lc);
		int			level = corm_expression_enter(table->path);

		CHECK_FOR_INTERRUPTS();
		comment_table(&plan, table);
		if (OidIsValid(table->relid))
			compare_table(&plan, table);
		else
			plan_new(&plan, table);
		corm_expression_leave(level);
	}
	for (int phase = 0; phase < NUM_PHASES; phase++)
		steps = list_concat(steps, plan.steps[phase]);
	return steps;
}
