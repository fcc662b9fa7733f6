/*-------------------------------------------------------------------------
 *
 * advice.c
 *		What works, but most likely not as it is meant.
 *
 * These are rows of corm.model_problems, too: functions that are called like
 * hooks and are none, relations that no name means, tags that the table does
 * not bear out, unique keys that deleted rows keep, and foreign keys and
 * filterable fields that no index serves.  Hidden fields are named to the
 * owner of the table alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "model/advice.h"
#include "model/hooks.h"
#include "model/keys.h"
#include "model/nearest.h"
#include "model/relations_build.h"
#include "model/tags.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

/* What is asked of the indexes of a table. */
typedef enum IndexUse
{
	INDEX_BEGINS,				/* it begins with the columns, in any order */
	INDEX_HAS,					/* it has the columns */
	INDEX_UNIQUE_HAS			/* and is unique */
} IndexUse;

/*
 * index_serves returns whether an index, given its row of pg_index, serves
 * columns.  A condition makes it useless for finding rows.
 */
static bool
index_serves(HeapTuple tuple, IndexUse use, int ncolumns, const AttrNumber *columns)
{
	Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);
	int			nkeys = use == INDEX_BEGINS ? Min(ncolumns, index->indnkeyatts) : index->indnkeyatts;

	if (!index->indisvalid || (use == INDEX_UNIQUE_HAS && !index->indisunique) ||
		(use == INDEX_BEGINS && !heap_attisnull(tuple, Anum_pg_index_indpred, NULL)))
		return false;
	for (int i = 0; i < ncolumns; i++)
	{
		bool		found = false;

		for (int j = 0; j < nkeys; j++)
			found |= index->indkey.values[j] == columns[i];
		if (!found)
			return false;
	}
	return true;
}

/*
 * has_index returns whether a table has an index that serves columns.
 */
static bool
has_index(Oid relid, IndexUse use, int ncolumns, const AttrNumber *columns)
{
	Relation	table = table_open(relid, AccessShareLock);
	bool		found = false;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(table))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));

		if (!HeapTupleIsValid(tuple))
			continue;
		found |= index_serves(tuple, use, ncolumns, columns);
		ReleaseSysCache(tuple);
	}
	table_close(table, AccessShareLock);
	return found;
}

/*
 * column_list returns the names of columns of a model's table, for SQL, or
 * NULL if one of them is hidden from the user or gone.
 */
static char *
column_list(CormModel *model, int ncolumns, const AttrNumber *columns)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < ncolumns; i++)
	{
		char	   *name = get_attname(model->table, columns[i], true);

		if (name == NULL || !corm_model_shows(model, name))
			return NULL;
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", quote_identifier(name));
	}
	return list.data;
}

/*
 * create_index returns the hint to make an index.
 */
static char *
create_index(CormModel *model, const char *columns)
{
	return psprintf("CREATE INDEX ON %s (%s)",
					quote_qualified_identifier(model->table_schema, model->table_name), columns);
}

/*
 * advise_keys reports foreign keys of the model's table without an index.
 */
static void
advise_keys(CormProblems *problems, CormModel *model)
{
	ListCell   *lc;

	foreach(lc, corm_foreign_keys_of(model->table, false))
	{
		CormForeignKey *key = lfirst(lc);
		char	   *columns = column_list(model, key->nkeys, key->keys);

		if (columns && !has_index(model->table, INDEX_BEGINS, key->nkeys, key->keys))
			corm_problem_add(problems, model->relid, "index", key->name,
							 psprintf("No index begins with (%s), so to find the rows that refer to a row of \"%s\", the whole table is read.",
									  columns, key->target_name),
							 create_index(model, columns));
	}
}

/*
 * advise_soft_delete reports unique keys whose values deleted rows keep.
 */
static void
advise_soft_delete(CormProblems *problems, CormModel *model)
{
	ListCell   *lc;

	if (model->soft_delete < 0)
		return;
	foreach(lc, corm_unique_keys(model->table, InvalidAttrNumber))
	{
		List	   *key = lfirst(lc);
		AttrNumber	columns[INDEX_MAX_KEYS];
		int			nprimary = 0;
		char	   *names;
		int			n = 0;
		ListCell   *lc2;

		foreach(lc2, key)
		{
			AttrNumber	column = lfirst_int(lc2);

			for (int i = 0; i < model->npk; i++)
				nprimary += model->fields[model->pk[i]].attnum == column;
			columns[n++] = column;
		}

		/*
		 * with the primary key, or the field that tells deleted rows, they
		 * are apart
		 */
		if ((model->npk > 0 && nprimary == model->npk) || list_member_int(key, model->fields[model->soft_delete].attnum))
			continue;
		names = column_list(model, n, columns);
		if (names)
			corm_problem_add(problems, model->relid, "key", psprintf("(%s)", names),
							 "Deleted rows keep its values, so that no other row can have them.",
							 psprintf("Make it a unique index WHERE %s.",
									  getBaseType(model->fields[model->soft_delete].typid) == BOOLOID ?
									  psprintf("%s IS NOT TRUE", quote_identifier(model->fields[model->soft_delete].column)) :
									  psprintf("%s IS NULL", quote_identifier(model->fields[model->soft_delete].column))));
	}
}

/*
 * advise_field reports tags of a field that the table does not bear out, and
 * that it is tagged filterable but has no index.
 */
static void
advise_field(CormProblems *problems, CormModel *model, CormField *field)
{
	const char *missing = NULL;
	const char *key = NULL;

	if (!corm_model_shows(model, field->column))
		return;
	if (corm_tags_flag(field->tags, "not_null") == 1 && !field->not_null)
	{
		key = "not_null";
		missing = "can be null";
	}
	else if (corm_tags_get(field->tags, "default", NULL) && !field->has_default && !field->generated &&
			 field->identity == '\0')
	{
		key = "default";
		missing = "has no default";
	}
	else if (corm_tags_get(field->tags, "unique", NULL) &&
			 !has_index(model->table, INDEX_UNIQUE_HAS, 1, &field->attnum))
	{
		key = "unique";
		missing = "is part of no unique index";
	}
	else if (corm_tags_get(field->tags, "index", NULL) && !has_index(model->table, INDEX_HAS, 1, &field->attnum))
	{
		key = "index";
		missing = "is part of no index";
	}
	if (key)
		corm_problem_add(problems, model->relid, "tag", field->name,
						 psprintf("The tag \"%s\" does nothing: the column %s.", key, missing),
						 "Such tags are for types that corm.auto_migrate makes tables of; change the table.");
	if (corm_tags_flag(field->tags, "filterable") == 1 && !has_index(model->table, INDEX_BEGINS, 1, &field->attnum))
		corm_problem_add(problems, model->relid, "index", field->name,
						 "It is tagged filterable, but no index begins with it.",
						 create_index(model, quote_identifier(field->column)));
}

/*
 * corm_advise adds what can be said of a model by itself.  It may raise what
 * reading the model's relations raises.
 */
void
corm_advise(CormProblems *problems, CormModel *model)
{
	ListCell   *lc;

	/* not kept, like the models that the views parse */
	foreach(lc, corm_relations_build(model, CurrentMemoryContext)->list)
	{
		CormRelation *relation = lfirst(lc);

		if (relation->ambiguous)
			corm_problem_add(problems, model->relid, "relation", relation->name,
							 psprintf("It cannot be used: something else is called \"%s\", too. It comes from %s.",
									  relation->name, relation->source),
							 "Give it a name with a tag on the foreign key.");
	}
	if (model->table != model->relid || (model->relkind != RELKIND_RELATION && model->relkind != RELKIND_PARTITIONED_TABLE))
		return;
	advise_keys(problems, model);
	advise_soft_delete(problems, model);
	for (int i = 0; i < model->nfields; i++)
		advise_field(problems, model, &model->fields[i]);
}

/*
 * Functions
 */

/* is_hook_name returns whether a name is that of a hook. */
static bool
is_hook_name(const char *name)
{
	for (int i = 0; i < CORM_NUM_HOOKS; i++)
	{
		if (strcmp(corm_hook_name(i), name) == 0)
			return true;
	}
	return false;
}

/*
 * nearest_hook returns the hook that another name may have meant, or NULL.
 */
static const char *
nearest_hook(const char *name)
{
	CormNearest nearest;

	if (strcmp(name, "before_insert") == 0)
		return "before_create";
	if (strcmp(name, "after_insert") == 0)
		return "after_create";
	corm_nearest_init(&nearest, name);
	for (int i = 0; i < CORM_NUM_HOOKS; i++)
		corm_nearest_offer(&nearest, corm_hook_name(i));
	return nearest.name;
}

/*
 * report_function reports a function of a table's owner that is called like a
 * hook and is none.  Those of other roles are the matter of reassign.c.
 */
static void
report_function(CormProblems *problems, Form_pg_proc form)
{
	const char *name = NameStr(form->proname);
	bool		named = is_hook_name(name);
	HeapTuple	tuple;
	Oid			owner;
	Oid			row_type;
	Oid			relid;
	const char *problem;
	const char *hint = NULL;

	if (form->prokind != PROKIND_FUNCTION || form->pronargs < 1)
		return;
	row_type = form->proargtypes.values[0];
	relid = get_typ_typrelid(row_type);
	if (!OidIsValid(relid) || get_rel_namespace(relid) == PG_CATALOG_NAMESPACE)
		return;
	/* what others make is no matter of the model */
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	if (form->proowner != owner)
		return;
	if (!named)
	{
		const char *meant = nearest_hook(name);

		/* it may be meant for something else, but then returns something else */
		if (form->pronargs != 1 || form->proretset || (form->prorettype != row_type && form->prorettype != VOIDOID))
			return;
		problem = "It is not called: no hook has this name.";
		hint = meant ? psprintf("Perhaps \"%s\" is meant.", meant) : NULL;
	}
	else if (form->pronargs != 1)
	{
		problem = "It is not called: a hook has one argument, the row.";
		hint = "If it is not meant to be a hook, give it another name.";
	}
	else if (form->pronamespace != get_rel_namespace(relid))
	{
		problem = "It is not called: a hook is in the schema of its table.";
		hint = "Move it there, or give it another name.";
	}
	else
		return;
	corm_problem_add(problems, relid, "hook", format_procedure_qualified(form->oid), problem, hint);
}

/*
 * report_functions is the reporter of functions that are called like hooks.
 */
static void
report_functions(CormProblems *problems)
{
	Relation	functions = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(functions, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);

		CHECK_FOR_INTERRUPTS();
		if (form->pronamespace != PG_CATALOG_NAMESPACE &&
			(strncmp(NameStr(form->proname), "before_", 7) == 0 || strncmp(NameStr(form->proname), "after_", 6) == 0))
			report_function(problems, form);
	}
	systable_endscan(scan);
	table_close(functions, AccessShareLock);
}

/*
 * corm_advice_init registers the reporter.  Called once, from corm_model_init.
 */
void
corm_advice_init(void)
{
	corm_problems_register(report_functions);
}
