/*-------------------------------------------------------------------------
 *
 * conflict.c
 *		The key that decides in an upsert: fields, an expression of a unique
 *		index, or a constraint or unique index by its name.
 *
 * SQL infers a unique index from what ON CONFLICT says.  A name that is no
 * field is looked for among the expressions of the table's unique indexes, and
 * a name that is no constraint among their names.  What goes into the SQL is
 * the text that the catalog has for the index; the user's is only compared
 * with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "query/resolve/conflict.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

/*
 * The text of an expression without what the catalog writes and people do not:
 * blanks, parentheses, and casts to text.
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

/* A column or expression of an index, as ON CONFLICT names it. */
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
 * corm_conflict_expr returns the SQL of the expression of one of the table's
 * unique indexes that a user gave; NULL if there is none.
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

/*
 * corm_conflict_index makes the name of a unique index, where a statement has
 * that of a constraint, what ON CONFLICT infers the index from.  Names of
 * constraints are left alone, and so are those of nothing, for PostgreSQL to
 * complain of.
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

			for (int j = 0; column && j < model->nfields + model->nhidden; j++)
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
