/*-------------------------------------------------------------------------
 *
 * conflict.c
 *		The conflict target of an upsert: fields, an expression of a unique
 *		index, or the name of a constraint or unique index.
 *
 * SQL infers a unique index from the target of ON CONFLICT.  If a name is not
 * a field, we look for it among the expressions of the table's unique indexes.
 * If a name is not a constraint, we look for a unique index of that name.  The
 * SQL gets the index definition from the catalog; the user's text is only
 * compared with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "query/resolve/conflict.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

/*
 * Normalizes the text of an expression for comparison: removes what deparsing
 * adds and users omit, namely blanks, parentheses and casts to text.
 */
static char *
plain_text(const char *sql)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (const char *p = sql; *p; p++)
	{
		if (strncmp(p, "::text", 6) == 0)
			p += 5;
		else if (strchr(" \t\n\r\v\f()", *p) == NULL)
			appendStringInfoChar(&buf, pg_tolower(*p));
	}
	return buf.data;
}

/* Returns a column or expression of an index as SQL for ON CONFLICT. */
static char *
index_column(Oid index, int number)
{
	return TextDatumGetCString(DirectFunctionCall3(pg_get_indexdef_ext, ObjectIdGetDatum(index),
												   Int32GetDatum(number), BoolGetDatum(false)));
}

static bool
is_usable(Form_pg_index index)
{
	return index->indisunique && index->indisvalid && index->indimmediate && index->indislive;
}

/*
 * corm_conflict_expr looks up the user's expression in the table's unique
 * indexes.  Returns its SQL, or NULL if no index has it.
 */
char *
corm_conflict_expr(CormModel *model, const char *given)
{
	Relation	table;
	char	   *plain = plain_text(given);
	char	   *found = NULL;
	bool		exact = false;
	ListCell   *lc;

	if (strchr(given, '(') == NULL)
		return NULL;
	table = table_open(model->table, AccessShareLock);
	foreach(lc, RelationGetIndexList(table))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		for (int i = 0; i < index->indnkeyatts && is_usable(index) && !exact; i++)
		{
			char	   *sql;

			if (index->indkey.values[i] != 0)
				continue;
			sql = index_column(lfirst_oid(lc), i + 1);
			exact = strcmp(sql, given) == 0;
			if (exact || (found == NULL && strcmp(plain_text(sql), plain) == 0))
				found = sql;
		}
		ReleaseSysCache(tuple);
	}
	table_close(table, NoLock);
	return found;
}

/* Does a table have its rows, or those of a partition, on another server? */
static bool
is_foreign(Oid table)
{
	ListCell   *lc;

	if (get_rel_relkind(table) != RELKIND_PARTITIONED_TABLE)
		return get_rel_relkind(table) == RELKIND_FOREIGN_TABLE;
	foreach(lc, find_all_inheritors(table, NoLock, NULL))
	{
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_FOREIGN_TABLE)
			return true;
	}
	return false;
}

/*
 * corm_conflict_hint returns a sentence about the unique keys that an upsert
 * of a model can name, without those that have hidden fields, or that foreign
 * tables have none; NULL if there are none.
 */
char *
corm_conflict_hint(CormModel *model)
{
	Relation	table = table_open(model->table, AccessShareLock);
	StringInfoData hint;
	int			n = 0;
	bool		partial = false;
	ListCell   *lc;

	if (is_foreign(model->table))
	{
		table_close(table, AccessShareLock);
		return "PostgreSQL cannot decide conflicts in foreign tables and partitions. Insert and update rows by corm.insert() and corm.update(), or write them where they are stored.";
	}
	initStringInfo(&hint);
	foreach(lc, RelationGetIndexList(table))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index index;
		StringInfoData key;
		bool		shown;

		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		shown = is_usable(index);
		initStringInfo(&key);
		for (int i = 0; i < index->indnkeyatts && shown; i++)
		{
			char	   *name = index->indkey.values[i] == 0 ? index_column(lfirst_oid(lc), i + 1) :
				get_attname(model->table, index->indkey.values[i], false);
			CormField  *field = index->indkey.values[i] == 0 ? NULL : corm_model_find_field(model, name);

			shown = field == NULL || !field->hidden;
			appendStringInfo(&key, "%s%s", i > 0 ? ", " : "", field ? field->name : name);
		}
		if (shown)
		{
			Datum		predicate;
			bool		isnull;

			predicate = SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indpred, &isnull);
			appendStringInfo(&hint, "%s(%s)", n++ > 0 ? ", " : "The unique keys are ", key.data);
			if (!isnull)
				appendStringInfo(&hint, " where %s", TextDatumGetCString(DirectFunctionCall2(pg_get_expr, predicate,
																							 ObjectIdGetDatum(model->table))));
			partial |= !isnull;
		}
		ReleaseSysCache(tuple);
	}
	table_close(table, NoLock);
	if (n == 0)
		return NULL;
	appendStringInfo(&hint, ".%s", partial ? " The condition of a key is given by corm.on_conflict_where(), or the index by corm.on_constraint()." : "");
	return hint.data;
}

/*
 * corm_conflict_index replaces the name of a unique index, given where a
 * constraint is expected, by the target from which ON CONFLICT infers that
 * index.  It leaves constraint names alone, and unknown names, too: PostgreSQL
 * reports those.
 */
void
corm_conflict_index(CormStmt *stmt)
{
	CormModel  *model = stmt->source->model;
	Oid			index;
	HeapTuple	tuple;
	Form_pg_index form;

	if (OidIsValid(get_relation_constraint_oid(model->table, stmt->conflict_constraint, true)))
		return;
	index = get_relname_relid(stmt->conflict_constraint, get_rel_namespace(model->table));
	tuple = OidIsValid(index) ? SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index)) : NULL;
	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_index) GETSTRUCT(tuple);
	if (form->indrelid == model->table && is_usable(form))
	{
		Datum		predicate;
		bool		isnull;

		for (int i = 0; i < form->indnkeyatts; i++)
		{
			char	   *column = form->indkey.values[i] == 0 ? NULL :
				get_attname(model->table, form->indkey.values[i], false);
			CormField  *field = NULL;

			for (int j = 0; column && j < model->nfields + model->nunnamed; j++)
				if (strcmp(model->fields[j].column, column) == 0)
					field = &model->fields[j];
			if (field)
				stmt->conflict_fields = lappend(stmt->conflict_fields, field);
			else
				stmt->conflict_exprs = lappend(stmt->conflict_exprs, index_column(index, i + 1));
		}
		predicate = SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indpred, &isnull);
		if (!isnull)
			stmt->conflict_predicate = TextDatumGetCString(DirectFunctionCall2(pg_get_expr, predicate,
																			   ObjectIdGetDatum(model->table)));
		stmt->conflict_constraint = NULL;
	}
	ReleaseSysCache(tuple);
}
