/*-------------------------------------------------------------------------
 *
 * ranges.c
 *		The ranges of a statement: tables, subqueries, WITH queries.
 *
 * Users refer to a range by a name that is unique in its statement.  Its alias
 * in SQL is unique in the whole query.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "mb/pg_wchar.h"
#include "model/naming.h"
#include "query/resolve/filter_check.h"
#include "query/resolve/guard.h"
#include "query/resolve/joins.h"
#include "query/resolve/names.h"
#include "query/resolve/raw_columns.h"
#include "query/resolve/resolve.h"

/*
 * corm_find_range returns the statement's range whose name is the first len
 * bytes of name, or NULL.
 */
CormRange *
corm_find_range(CormStmt *stmt, const char *name, int len)
{
	ListCell   *lc;

	foreach(lc, stmt->ranges)
	{
		CormRange  *range = lfirst(lc);

		if (strlen(range->name) == len && memcmp(range->name, name, len) == 0)
			return range;
	}
	return NULL;
}

/*
 * corm_check_name raises 42622 for a name that PostgreSQL would truncate.
 */
void
corm_check_name(const char *name)
{
	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("name \"%s...\" is too long", pnstrdup(name, pg_mbcliplen(name, strlen(name), NAMEDATALEN - 1))),
				 errdetail("Names have at most %d bytes.", NAMEDATALEN - 1)));
}

/* An alias in use, and the last number appended to it. */
typedef struct UsedAlias
{
	char	   *alias;
	int			last;
} UsedAlias;

static UsedAlias *
used_alias(CormStmt *root, const char *alias)
{
	ListCell   *lc;

	foreach(lc, root->aliases)
	{
		if (strcmp(((UsedAlias *) lfirst(lc))->alias, alias) == 0)
			return lfirst(lc);
	}
	return NULL;
}

/*
 * corm_unique_alias returns the first of alias, alias_2, ... that the query
 * does not use yet.
 */
char *
corm_unique_alias(CormStmt *stmt, const char *alias)
{
	CormStmt   *root = stmt;
	UsedAlias  *base;
	UsedAlias  *used = palloc(sizeof(UsedAlias));

	while (root->parent || root->alias_owner)
		root = root->parent ? root->parent : root->alias_owner;
	base = used_alias(root, alias);
	used->alias = pstrdup(alias);
	used->last = 1;
	if (base)
	{
		do
			used->alias = psprintf("%.*s_%d", pg_mbcliplen(alias, strlen(alias), NAMEDATALEN - 12),
								   alias, ++base->last);
		while (used_alias(root, used->alias));
	}
	root->aliases = lappend(root->aliases, used);
	return used->alias;
}

/*
 * corm_add_range adds a range with the given name.  Its alias in SQL is alias,
 * made unique.
 */
CormRange *
corm_add_range(CormStmt *stmt, const char *name, const char *alias)
{
	CormRange  *range = palloc0(sizeof(CormRange));

	range->name = pstrdup(name);
	range->alias = corm_unique_alias(stmt, alias);
	stmt->ranges = lappend(stmt->ranges, range);
	return range;
}

/*
 * Returns whether a name from the user can be the alias in SQL.  We prefer
 * that, since raw SQL may use the name.  It can hide the same name of an outer
 * query, as in names.c.  It must not hide a range that has another name or is
 * reached by a path, nor the page of parents.
 */
static bool
may_hide(CormStmt *stmt, const char *name)
{
	for (CormStmt *level = stmt; level; level = corm_enclosing_stmt(level))
	{
		ListCell   *lc;

		if (level->parents && strcmp(level->parents->alias, name) == 0)
			return false;
		foreach(lc, level->ranges)
		{
			CormRange  *range = lfirst(lc);

			if (strcmp(range->alias, name) == 0 &&
				!((range->named || range->implied) && strcmp(range->name, name) == 0))
				return false;
		}
	}
	return true;
}

/*
 * Adds the range of a clause.  Raises 42712 if the statement already uses the
 * name.  The name becomes its alias in SQL, too, if that hides nothing.
 */
static CormRange *
add_range(CormStmt *stmt, CormTree *clause, const char *alias)
{
	CormRange  *range;
	bool		keep = may_hide(stmt, alias);

	corm_check_name(alias);
	if (corm_find_range(stmt, alias, strlen(alias)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_ALIAS),
				 errmsg("alias \"%s\" is used more than once", alias),
				 errhint("Give corm.%s() an alias of its own.", clause->desc->func)));
	range = corm_add_range(stmt, alias, alias);
	range->named = true;
	if (keep)
		range->alias = range->name;
	return range;
}

/*
 * corm_add_model_range adds the rows of a model to a statement's ranges; the
 * alias defaults to the table's name.
 */
CormRange *
corm_add_model_range(CormStmt *stmt, CormTree *clause, Oid relid, const char *alias)
{
	CormModel  *model = corm_model_get(relid);
	CormRange  *range = add_range(stmt, clause, alias ? alias : model->table_name);

	range->model = model;
	CORM_FAULT("source-found");
	corm_guard_range(stmt, range);
	return range;
}

/*
 * corm_add_query_range adds the rows of a subquery.
 */
CormRange *
corm_add_query_range(CormStmt *stmt, CormTree *clause, List *clauses, const char *alias)
{
	CormRange  *range = add_range(stmt, clause, alias);

	range->query = corm_resolve_part(clauses, stmt);
	if (range->query->command == CORM_CMD_RAW && !corm_raw_reads(range->query))
		corm_misplaced_clause(clause, "takes a query that reads");
	range->definition = range->query;
	range->columns = corm_stmt_output_names(range->query);
	return range;
}

/*
 * corm_add_cte_range adds the WITH query of the given name to a statement's
 * ranges.  Raises 42P01 if neither the statement nor an outer one has it.
 */
CormRange *
corm_add_cte_range(CormStmt *stmt, CormTree *clause, const char *name, const char *alias)
{
	CormRange  *range;

	for (CormStmt *level = stmt; level; level = level->beside ? level->beside : level->parent)
	{
		ListCell   *lc;

		foreach(lc, level->ctes)
		{
			CormCte    *cte = lfirst(lc);

			if (strcmp(cte->name, name) == 0)
			{
				range = add_range(stmt, clause, alias ? alias : name);
				range->cte = cte->name;
				range->definition = cte->query;
				range->columns = corm_stmt_output_names(cte->query);
				return range;
			}
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("unknown query \"%s\"", name),
			 errhint("Name it with corm.with() before it is used.")));
}

/*
 * Binds a COLUMN to a column of a subquery.  Returns false, without binding it,
 * if a filter from outside names a hidden field.
 */
static bool
bind_column(CormRange *range, CormTree *tree, char *column)
{
	CormTree	bound = *tree;

	bound.range = range;
	bound.output = column;
	if (tree->tag == CORM_N_FILTER_COLUMN && corm_tree_is_hidden(&bound))
		return false;
	*tree = bound;
	return true;
}

/*
 * corm_range_column binds a COLUMN to the range's field of that name.  Returns
 * false if there is none; for a filter from outside, a hidden field is none.
 */
bool
corm_range_column(CormRange *range, CormTree *tree, const char *name)
{
	ListCell   *lc;

	if (range->model)
	{
		CormField  *field = corm_model_find_field(range->model, name);

		if (field == NULL || (field->hidden && tree->tag == CORM_N_FILTER_COLUMN))
			return false;
		tree->range = range;
		tree->field = field;
		if (range->page_of)
			(void) corm_parent_key(range->page_of, field->column);
		return true;
	}
	foreach(lc, range->columns)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return bind_column(range, tree, lfirst(lc));
	}
	/* like a model's fields, accept the CamelCase form of a name */
	name = corm_underscore_name(name);
	foreach(lc, range->columns)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return bind_column(range, tree, lfirst(lc));
	}
	return false;
}

/* Raises 42703, with a hint, if a name that is no field of a model is that of a relation. */
static void
refuse_relation(CormModel *model, const char *name)
{
	ListCell   *lc;

	foreach(lc, corm_model_relations(model))
	{
		CormRelation *relation = lfirst(lc);
		bool		to_one = relation->kind == CORM_BELONGS_TO || relation->kind == CORM_HAS_ONE;

		if (strcmp(relation->name, name) != 0 && strcmp(relation->json_key, name) != 0)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("unknown field \"%s\" of model \"%s\"", name, model->name),
				 to_one ? errhint("It is a relation: name a field of the row that it leads to, after a dot.") :
				 errhint("It is a relation: test its rows with corm.some(), or read them with corm.preload().")));
	}
}

/*
 * corm_unknown_column raises 42703 for a name that a range does not have; tree
 * is the COLUMN that ends with it.
 */
void
corm_unknown_column(CormRange *range, CormTree *tree, const char *name)
{
	if (tree->tag == CORM_N_FILTER_COLUMN)
		corm_check_filter_name(range, tree, name);
	if (range->model)
	{
		refuse_relation(range->model, name);
		corm_unknown_field(range->model, name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("unknown field \"%s\" of query \"%s\"", name, range->name)));
}
