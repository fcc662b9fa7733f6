/*-------------------------------------------------------------------------
 *
 * relate.c
 *		Relations that no foreign key says: corm.relate and corm.unrelate.
 *
 * corm.declared_relations holds them, with the same rights, locks and
 * messages as registrations (options.c).  Columns are kept by name.  Whether
 * they still exist is looked at when the relation is used, not before: then
 * a renamed column spoils one relation and nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Columns of corm.declared_relations */
#define Anum_declared_model						1
#define Anum_declared_name						2
#define Anum_declared_kind						3
#define Anum_declared_target					4
#define Anum_declared_columns					5
#define Anum_declared_target_columns			6
#define Anum_declared_through					7
#define Anum_declared_through_columns			8
#define Anum_declared_through_target_columns	9
#define Anum_declared_condition					10
#define Natts_declared							10

static Relation open_declared(LOCKMODE lockmode);
static HeapTuple find_declared(Relation catalog, Oid relid, const char *name);
static bool parse_kind(const char *name, CormRelationKind *kind);
static char **read_names(Datum array, int *n);
static CormRelation *read_declared(Relation catalog, HeapTuple tuple);
static void check_columns(CormModel *model, CormRelation *relation, int n, char **columns, Oid table);
static char **argument_columns(FunctionCallInfo fcinfo, int argno, CormModel *model, const char *what,
							   int *n);
static bool same_columns(Oid table, int n, char **names, int nkeys, const AttrNumber *keys);
static char **name_columns(Oid table, int n, const AttrNumber *attnums);
static void find_through_columns(CormModel *model, CormModel *target, CormRelation *relation);
static void check_counts(const char *what, int n, const char *other, int nother);
static CormRelation *argument_relation(FunctionCallInfo fcinfo, CormModel *model);
static void store_declared(Oid relid, CormRelation *relation);

/*
 * open_declared opens the catalog, or returns NULL when the extension is not
 * there (any more).
 */
static Relation
open_declared(LOCKMODE lockmode)
{
	return corm_catalog_open("declared_relations", lockmode, NULL);
}

/*
 * find_declared returns a copy of the row about a relation of a model, or
 * NULL.
 */
static HeapTuple
find_declared(Relation catalog, Oid relid, const char *name)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_declared_model, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_declared_name, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(name));
	scan = systable_beginscan(catalog, corm_primary_key_index(catalog), true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);

	return tuple;
}

/*
 * parse_kind finds the kind of relation with this name; false if there is
 * none.
 */
static bool
parse_kind(const char *name, CormRelationKind *kind)
{
	for (*kind = CORM_BELONGS_TO; *kind <= CORM_MANY_TO_MANY; (*kind)++)
	{
		if (strcmp(name, corm_relation_kind_name(*kind)) == 0)
			return true;
	}
	return false;
}

/*
 * read_names returns the elements of an array of names.
 */
static char **
read_names(Datum array, int *n)
{
	Datum	   *datums;
	char	  **names;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT,
					  &datums, NULL, n);
	names = palloc(sizeof(char *) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
		names[i] = TextDatumGetCString(datums[i]);

	return names;
}

/*
 * read_declared makes a relation of a row, or returns NULL for a row that
 * makes no sense, which only a superuser can have written.
 */
static CormRelation *
read_declared(Relation catalog, HeapTuple tuple)
{
	CormRelation *relation = palloc0(sizeof(CormRelation));
	Datum		values[Natts_declared];
	bool		nulls[Natts_declared];

	heap_deform_tuple(tuple, RelationGetDescr(catalog), values, nulls);

	relation->declared = true;
	relation->declared_for = DatumGetObjectId(values[Anum_declared_model - 1]);
	relation->source = pstrdup("a declared relation");
	relation->name = TextDatumGetCString(values[Anum_declared_name - 1]);
	relation->target = DatumGetObjectId(values[Anum_declared_target - 1]);
	relation->columns = read_names(values[Anum_declared_columns - 1], &relation->nkeys);
	relation->target_columns = read_names(values[Anum_declared_target_columns - 1],
										  &relation->ntarget_keys);
	if (!nulls[Anum_declared_condition - 1])
		relation->condition = PG_DETOAST_DATUM_COPY(values[Anum_declared_condition - 1]);

	if (!parse_kind(TextDatumGetCString(values[Anum_declared_kind - 1]), &relation->kind))
		return NULL;
	if (relation->kind == CORM_MANY_TO_MANY)
	{
		int			n;
		int			ntarget;

		if (nulls[Anum_declared_through - 1] || nulls[Anum_declared_through_columns - 1] ||
			nulls[Anum_declared_through_target_columns - 1])
			return NULL;
		relation->through = DatumGetObjectId(values[Anum_declared_through - 1]);
		relation->through_columns = read_names(values[Anum_declared_through_columns - 1], &n);
		relation->through_target_columns =
			read_names(values[Anum_declared_through_target_columns - 1], &ntarget);
		if (n != relation->nkeys || ntarget != relation->ntarget_keys)
			return NULL;
	}
	else if (relation->nkeys != relation->ntarget_keys)
		return NULL;

	return relation->nkeys > 0 && relation->ntarget_keys > 0 ? relation : NULL;
}

/*
 * corm_relate_load returns the relations that are declared for the model of a
 * relation, by name, in the current memory context.
 */
List *
corm_relate_load(Oid relid)
{
	Relation	catalog = open_declared(AccessShareLock);
	List	   *list = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (catalog == NULL)
		return NIL;

	ScanKeyInit(&key, Anum_declared_model, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, corm_primary_key_index(catalog), true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CormRelation *relation = read_declared(catalog, tuple);

		if (relation != NULL)
			list = lappend(list, relation);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	return list;
}

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

	names = read_names(PointerGetDatum(array), n);
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
				 errmsg("the columns of \"%s\" cannot be told from its foreign keys",
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
	if (relation->name[0] == '\0' || strlen(relation->name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("a relation's name must have 1 to %d bytes", NAMEDATALEN - 1)));
	if (corm_model_find_field(model, relation->name) != NULL)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_AMBIGUOUS_RELATION),
				 errmsg("\"%s\" is a field of model \"%s\"", relation->name, model->name),
				 errhint("Give the relation another name.")));

	kind = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (!parse_kind(kind, &relation->kind))
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
					 errmsg("only many_to_many has a table in between")));
		check_counts("columns", relation->nkeys, "target_columns", relation->ntarget_keys);
	}

	if (!PG_ARGISNULL(9))
		relation->condition = PG_GETARG_VARLENA_P(9);
	return relation;
}

/*
 * store_declared inserts or replaces the row about a relation of a model.
 */
static void
store_declared(Oid relid, CormRelation *relation)
{
	Relation	catalog = open_declared(RowExclusiveLock);
	Datum		values[Natts_declared];
	bool		nulls[Natts_declared] = {false};
	bool		through = relation->kind == CORM_MANY_TO_MANY;
	HeapTuple	old;
	HeapTuple	tuple;

	if (catalog == NULL)
		corm_catalog_missing("declared_relations");

	values[Anum_declared_model - 1] = ObjectIdGetDatum(relid);
	values[Anum_declared_name - 1] = CStringGetTextDatum(relation->name);
	values[Anum_declared_kind - 1] =
		CStringGetTextDatum(corm_relation_kind_name(relation->kind));
	values[Anum_declared_target - 1] = ObjectIdGetDatum(relation->target);
	values[Anum_declared_columns - 1] = corm_names_datum(relation->columns, relation->nkeys);
	values[Anum_declared_target_columns - 1] = corm_names_datum(relation->target_columns, relation->ntarget_keys);
	values[Anum_declared_through - 1] = ObjectIdGetDatum(relation->through);
	values[Anum_declared_through_columns - 1] =
		through ? corm_names_datum(relation->through_columns, relation->nkeys) : (Datum) 0;
	values[Anum_declared_through_target_columns - 1] =
		through ? corm_names_datum(relation->through_target_columns, relation->ntarget_keys) : (Datum) 0;
	values[Anum_declared_condition - 1] = PointerGetDatum(relation->condition);
	nulls[Anum_declared_through - 1] = nulls[Anum_declared_through_columns - 1] =
		nulls[Anum_declared_through_target_columns - 1] = !through;
	nulls[Anum_declared_condition - 1] = relation->condition == NULL;
	tuple = heap_form_tuple(RelationGetDescr(catalog), values, nulls);

	old = find_declared(catalog, relid, relation->name);
	if (HeapTupleIsValid(old))
		CatalogTupleUpdate(catalog, &old->t_self, tuple);
	else
		CatalogTupleInsert(catalog, tuple);
	table_close(catalog, RowExclusiveLock);
	corm_registry_stored(relid);
	corm_registry_stored(relation->target);
	corm_registry_stored(relation->through);
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
	store_declared(relid, relation);
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
	Relation	catalog;
	HeapTuple	tuple;

	corm_require_args(fcinfo, names, lengthof(names));
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	rel = corm_lock_owned_model(relid, "corm.unrelate()");
	catalog = open_declared(RowExclusiveLock);
	tuple = catalog ? find_declared(catalog, relid, name) : NULL;
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("no relation \"%s\" is declared for \"%s\"", name, RelationGetRelationName(rel)),
				 errhint("Relations that come from foreign keys can be hidden with the tag \"@orm:-\" on the constraint.")));
	CatalogTupleDelete(catalog, &tuple->t_self);
	table_close(catalog, RowExclusiveLock);
	CacheInvalidateRelcacheByRelid(relid);
	relation_close(rel, NoLock);

	CommandCounterIncrement();
	PG_RETURN_VOID();
}
