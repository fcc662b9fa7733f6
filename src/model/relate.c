/*-------------------------------------------------------------------------
 *
 * relate.c
 *		Relations without a foreign key: corm.relate and corm.unrelate.
 *
 * What they declare is stored in corm.declared_relations (declared.c).  The
 * columns of a relation are stored by name, and whether they still exist is
 * checked when the relation is used (corm_relate_check), not before: so a
 * renamed column spoils one relation and nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/errors.h"
#include "fmgr.h"
#include "model/catalogs.h"
#include "model/declared.h"
#include "model/keys.h"
#include "model/relate.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static void check_columns(CormModel *model, CormRelation *relation, int n, char **columns, Oid table);
static char **argument_columns(FunctionCallInfo fcinfo, int argno, CormModel *model, const char *what,
							   int *n);
static bool same_columns(Oid table, int n, char **names, int nkeys, const AttrNumber *keys);
static char **name_columns(Oid table, int n, const AttrNumber *attnums);
static void find_through_columns(CormModel *model, CormModel *target, CormRelation *relation);
static void check_counts(const char *what, int n, const char *other, int nother);
static CormRelation *argument_relation(FunctionCallInfo fcinfo, CormModel *model);

/*
 * check_columns raises 42703 unless a table has these columns.
 */
static void
check_columns(CormModel *model, CormRelation *relation, int n, char **columns, Oid table)
{
	for (int i = 0; i < n; i++)
	{
		if (get_attnum(table, columns[i]) <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of relation \"%s\" does not exist",
							columns[i], get_rel_name(table)),
					 errdetail("It is part of the relation \"%s\" of model \"%s\".",
							   relation->name, model->name),
					 errhint("Declare the relation again with corm.relate, or drop it with corm.unrelate.")));
	}
}

/*
 * corm_relate_check raises what keeps a declared relation of model from being
 * used: 42703 for a column that is gone, and what is wrong with the models
 * that it leads to.
 */
void
corm_relate_check(CormModel *model, CormRelation *relation)
{
	check_columns(model, relation, relation->nkeys, relation->columns, model->table);
	check_columns(model, relation, relation->ntarget_keys, relation->target_columns,
				  corm_model_get(relation->target)->table);
	if (relation->kind == CORM_MANY_TO_MANY)
	{
		Oid			through = corm_model_get(relation->through)->table;

		check_columns(model, relation, relation->nkeys, relation->through_columns, through);
		check_columns(model, relation, relation->ntarget_keys, relation->through_target_columns,
					  through);
	}
}

/*
 * argument_columns returns the columns that an argument of corm.relate names,
 * by their fields or themselves.  what names the parameter in messages.
 */
static char **
argument_columns(FunctionCallInfo fcinfo, int argno, CormModel *model, const char *what, int *n)
{
	ArrayType  *array;
	char	  **names;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", what)));
	array = PG_GETARG_ARRAYTYPE_P(argno);
	if (ARR_NDIM(array) != 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a list of fields", what)));

	names = corm_names_read(PointerGetDatum(array), n);
	if (*n > INDEX_MAX_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not have more than %d fields", what, INDEX_MAX_KEYS)));
	for (int i = 0; i < *n; i++)
		names[i] = corm_model_field(model, names[i])->column;

	return names;
}

/*
 * same_columns returns whether names are the columns keys of a table, in
 * order.
 */
static bool
same_columns(Oid table, int n, char **names, int nkeys, const AttrNumber *keys)
{
	if (n != nkeys)
		return false;
	for (int i = 0; i < n; i++)
	{
		if (get_attnum(table, names[i]) != keys[i])
			return false;
	}
	return true;
}

/*
 * name_columns returns the names of columns of a table.
 */
static char **
name_columns(Oid table, int n, const AttrNumber *attnums)
{
	char	  **names = palloc(sizeof(char *) * n);

	for (int i = 0; i < n; i++)
		names[i] = get_attname(table, attnums[i], false);
	return names;
}

/*
 * find_through_columns finds the columns of the table in between by its
 * foreign keys, when the caller has not named them; 22023 if that says nothing
 * or too much.
 */
static void
find_through_columns(CormModel *model, CormModel *target, CormRelation *relation)
{
	List	   *keys = corm_foreign_keys_of(relation->through, false);
	int			found = 0;
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, keys)
	{
		CormForeignKey *near_key = lfirst(lc);

		if (near_key->target != model->table ||
			!same_columns(model->table, relation->nkeys, relation->columns,
						  near_key->nkeys, near_key->target_keys))
			continue;
		foreach(lc2, keys)
		{
			CormForeignKey *far_key = lfirst(lc2);

			if (far_key == near_key || far_key->target != target->table ||
				!same_columns(target->table, relation->ntarget_keys, relation->target_columns,
							  far_key->nkeys, far_key->target_keys))
				continue;
			relation->through_columns =
				name_columns(relation->through, near_key->nkeys, near_key->keys);
			relation->through_target_columns =
				name_columns(relation->through, far_key->nkeys, far_key->keys);
			found++;
		}
	}

	if (found != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot determine the columns of \"%s\" from its foreign keys",
						get_rel_name(relation->through)),
				 errhint("Give through_columns, which refer to \"%s\", and through_target_columns, which refer to \"%s\".",
						 model->name, target->name)));
}

/*
 * check_counts raises 22023 unless columns that are joined are as many on both
 * sides.
 */
static void
check_counts(const char *what, int n, const char *other, int nother)
{
	if (n != nother)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s and %s must have the same number of fields", what, other),
				 errdetail("They have %d and %d.", n, nother)));
}

/*
 * argument_relation makes the relation that the arguments of corm.relate
 * describe, and checks it against the models.
 */
static CormRelation *
argument_relation(FunctionCallInfo fcinfo, CormModel *model)
{
	CormRelation *relation = palloc0(sizeof(CormRelation));
	CormModel  *target;
	char	   *kind;

	relation->name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	corm_check_new_name("relation name", relation->name);
	if (corm_model_find_field(model, relation->name) != NULL)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_AMBIGUOUS_RELATION),
				 errmsg("\"%s\" is a field of model \"%s\"", relation->name, model->name),
				 errhint("Give the relation another name.")));

	kind = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (!corm_relation_kind_parse(kind, &relation->kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no kind of relation \"%s\"", kind),
				 errhint("The kinds are belongs_to, has_one, has_many and many_to_many.")));

	relation->target = PG_GETARG_OID(3);
	target = corm_model_get(relation->target);
	relation->columns = argument_columns(fcinfo, 4, model, "columns", &relation->nkeys);
	relation->target_columns = argument_columns(fcinfo, 5, target, "target_columns",
												&relation->ntarget_keys);

	if (relation->kind == CORM_MANY_TO_MANY)
	{
		CormModel  *through;

		if (PG_ARGISNULL(6))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("many_to_many needs the table in between"),
					 errhint("Give it as \"through\".")));
		relation->through = PG_GETARG_OID(6);
		through = corm_model_get(relation->through);
		if (PG_ARGISNULL(7) && PG_ARGISNULL(8))
			find_through_columns(model, target, relation);
		else
		{
			int			n;

			relation->through_columns = argument_columns(fcinfo, 7, through, "through_columns", &n);
			check_counts("columns", relation->nkeys, "through_columns", n);
			relation->through_target_columns =
				argument_columns(fcinfo, 8, through, "through_target_columns", &n);
			check_counts("target_columns", relation->ntarget_keys, "through_target_columns", n);
		}
	}
	else
	{
		if (!PG_ARGISNULL(6) || !PG_ARGISNULL(7) || !PG_ARGISNULL(8))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("only many_to_many takes a table in between")));
		check_counts("columns", relation->nkeys, "target_columns", relation->ntarget_keys);
	}

	if (!PG_ARGISNULL(9))
		relation->condition = PG_GETARG_VARLENA_P(9);
	return relation;
}

/*
 * corm_relate_declare stores the relation that the arguments of corm.relate
 * describe, and returns it.  Its condition has not been looked at: what names
 * mean in it, the query layer knows.
 */
CormRelation *
corm_relate_declare(FunctionCallInfo fcinfo)
{
	static const char *const required[] = {"model", "name", "kind", "target"};
	Oid			relid;
	Relation	rel;
	CormRelation *relation;

	corm_require_args(fcinfo, required, lengthof(required));
	relid = PG_GETARG_OID(0);
	rel = corm_lock_owned_model(relid, "corm.relate()");
	relation = argument_relation(fcinfo, corm_model_get(relid));
	relation->declared_for = relid;
	corm_declared_store(relid, relation);
	CacheInvalidateRelcacheByRelid(relid);
	relation_close(rel, NoLock);

	CommandCounterIncrement();
	return relation;
}

PG_FUNCTION_INFO_V1(corm_unrelate);
Datum		corm_unrelate(PG_FUNCTION_ARGS);

/*
 * corm_unrelate is corm.unrelate(model regclass, name text).
 */
Datum
corm_unrelate(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model", "the name of the relation"};
	Oid			relid = PG_GETARG_OID(0);
	char	   *name;
	Relation	rel;

	corm_require_args(fcinfo, names, lengthof(names));
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	rel = corm_lock_owned_model(relid, "corm.unrelate()");
	if (!corm_declared_delete(relid, name))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("no relation \"%s\" is declared for \"%s\"", name, RelationGetRelationName(rel)),
				 errhint("Relations that come from foreign keys can be hidden with the tag \"@orm:-\" on the constraint.")));
	CacheInvalidateRelcacheByRelid(relid);
	relation_close(rel, NoLock);

	CommandCounterIncrement();
	PG_RETURN_VOID();
}
