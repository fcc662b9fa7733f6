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

#include "access/relation.h"
#include "catalog/pg_attribute.h"
#include "commands/comment.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "tools/expression.h"
#include "tools/plan_internal.h"
#include "tools/rows.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/*
 * corm_plan_step adds a step to a phase.  sql and note are kept; note may be NULL.
 */
void
corm_plan_step(CormMigration *plan, CormPhase phase, CormWantedTable *table, bool safe, char *note, char *sql)
{
	CormStep   *step = palloc(sizeof(CormStep));

	step->sql = sql;
	step->safe = safe;
	step->note = note;
	step->path = table->path;
	plan->steps[phase] = lappend(plan->steps[phase], step);
}

/*
 * corm_plan_allowed returns whether the options allow what a step needs, and
 * otherwise notes what is held back, and why.
 */
bool
corm_plan_allowed(CormMigration *plan, CormPhase phase, CormWantedTable *table, bool drop, bool rewrite,
				  const char *why, const char *sql)
{
	bool		lacks_drop = drop && !plan->options->drop;
	bool		lacks_rewrite = rewrite && !plan->options->rewrite;

	if (!lacks_drop && !lacks_rewrite)
		return true;
	corm_plan_step(plan, phase, table, false,
				   psprintf("held back: %s; {%s%s%s} allows it: %s", why, lacks_drop ? "\"drop\": true" : "",
							lacks_drop && lacks_rewrite ? ", " : "", lacks_rewrite ? "\"rewrite\": true" : "", sql),
				   NULL);
	return false;
}

/*
 * corm_plan_hold notes what no option allows.
 */
void
corm_plan_hold(CormMigration *plan, CormPhase phase, CormWantedTable *table, const char *why)
{
	corm_plan_step(plan, phase, table, false, psprintf("held back: %s", why), NULL);
}

/*
 * corm_plan_names returns a list of names as SQL.
 */
char *
corm_plan_names(List *names)
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
 * corm_plan_has_name returns whether a name is in a list of String nodes.
 */
bool
corm_plan_has_name(List *names, const char *name)
{
	return list_member(names, makeString((char *) name));
}

/*
 * corm_plan_wanted returns the wanted table with this name, or NULL.
 */
CormWantedTable *
corm_plan_wanted(CormMigration *plan, const char *schema, const char *name)
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
 * corm_plan_present_attnum returns the number of a column of a present table by its
 * wanted name, or InvalidAttrNumber.
 */
AttrNumber
corm_plan_present_attnum(CormWantedTable *table, const char *name)
{
	CormWantedColumn *column = corm_wanted_column(table, name);
	const char *present = column ? present_name(table, column) : name;

	return present && OidIsValid(table->relid) ? get_attnum(table->relid, present) : InvalidAttrNumber;
}

/*
 * Tables
 */

/*
 * create_table adds the step that makes a table.
 */
static void
create_table(CormMigration *plan, CormWantedTable *table)
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
						 corm_plan_column_sql(column, corm_plan_default(column), corm_plan_not_null(column), column->implied_identity));
		separator = ",\n    ";
	}
	if (table->primary_key != NIL)
		appendStringInfo(&sql, "%sPRIMARY KEY (%s)", separator, corm_plan_names(table->primary_key));
	foreach(lc, table->keys)
	{
		CormWantedKey *key = lfirst(lc);

		if (!key->unique || key->live_only)
			continue;
		appendStringInfo(&sql, "%s", separator);
		if (key->name != NULL)
			appendStringInfo(&sql, "CONSTRAINT %s ", quote_identifier(key->name));
		appendStringInfo(&sql, "UNIQUE (%s)", corm_plan_names(key->columns));
	}
	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);

		if (column->check)
			appendStringInfo(&sql, "%sCHECK (%s)", separator, column->check);
	}
	appendStringInfoString(&sql, "\n)");
	corm_plan_step(plan, PHASE_CREATE, table, true, NULL, sql.data);
}

/*
 * comment_table adds the step that gives a table the type's description,
 * unless it has one.
 */
static void
comment_table(CormMigration *plan, CormWantedTable *table)
{
	if (table->description != NULL &&
		(!OidIsValid(table->relid) || GetComment(table->relid, RelationRelationId, 0) == NULL))
		corm_plan_step(plan, PHASE_COMMENT, table, true, NULL,
					   psprintf("COMMENT ON TABLE %s IS %s", table->sql_name, quote_literal_cstr(table->description)));
}

/*
 * drop_columns drops what no type has, if that is allowed.
 */
static void
drop_columns(CormPresent *present)
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
			corm_plan_step(present->plan, PHASE_DROP, present->wanted, false, "the values of the column are lost",
						   psprintf("ALTER TABLE %s DROP COLUMN %s", present->wanted->sql_name,
									quote_identifier(NameStr(att->attname))));
	}
}

/*
 * compare_table compares a table that is there.
 */
static void
compare_table(CormMigration *plan, CormWantedTable *table)
{
	CormPresent		present = {plan, table};
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
			corm_plan_foresee_type(&present, column, TupleDescAttr(RelationGetDescr(present.rel), get_attnum(table->relid, name) - 1));
	}
	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);
		char	   *name = present_name(table, column);

		CHECK_FOR_INTERRUPTS();
		if (name != NULL)
			corm_plan_compare_column(&present, column, name);
		else
		{
			corm_plan_add_column(&present, column);
			if (!corm_plan_has_name(present.withheld, column->name))
				corm_plan_comment_column(plan, table, present.rel, column, InvalidAttrNumber);
		}
	}
	corm_plan_compare_primary_key(&present);
	corm_plan_compare_keys(&present);
	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);

		if (column->check)
			corm_plan_compare_check(&present, column);
		if (column->reference)
			corm_plan_compare_reference(plan, table, &present, column);
	}
	drop_columns(&present);
	relation_close(present.rel, AccessShareLock);
}

/*
 * plan_new plans a table that is not there.
 */
static void
plan_new(CormMigration *plan, CormWantedTable *table)
{
	ListCell   *lc;

	create_table(plan, table);
	foreach(lc, table->keys)
	{
		CormWantedKey *key = lfirst(lc);

		if (!key->unique || key->live_only)
			corm_plan_add_key(plan, table, NULL, key);
	}
	foreach(lc, table->columns)
	{
		CormWantedColumn *column = lfirst(lc);

		if (column->reference)
			corm_plan_compare_reference(plan, table, NULL, column);
		corm_plan_comment_column(plan, table, NULL, column, InvalidAttrNumber);
	}
}

/*
 * corm_migrate_steps returns the steps that lead to the wanted tables, a list
 * of CormStep in the current memory context.  Changes nothing.
 */
List *
corm_migrate_steps(List *tables, const CormMigrateOptions *options)
{
	CormMigration		plan = {options, tables};
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
