/*-------------------------------------------------------------------------
 *
 * declared.c
 *		Declared relations as corm.declared_relations holds them.
 *
 * Rows are read and written here, nothing more: whether what they say makes
 * sense is the business of corm.relate (relate.c), which holds the lock on the
 * model that makes it the only writer.  Columns are stored by name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "model/catalogs.h"
#include "model/declared.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
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
static CormRelation *read_declared(Relation catalog, HeapTuple tuple);

/*
 * corm_relation_kind_name returns the name of a kind of relation.
 */
const char *
corm_relation_kind_name(CormRelationKind kind)
{
	switch (kind)
	{
		case CORM_BELONGS_TO:
			return "belongs_to";
		case CORM_HAS_ONE:
			return "has_one";
		case CORM_HAS_MANY:
			return "has_many";
		case CORM_MANY_TO_MANY:
			return "many_to_many";
	}
	pg_unreachable();
}

/*
 * corm_relation_kind_parse finds the kind of relation with this name; false if there is
 * none.
 */
bool
corm_relation_kind_parse(const char *name, CormRelationKind *kind)
{
	for (*kind = CORM_BELONGS_TO; *kind <= CORM_MANY_TO_MANY; (*kind)++)
	{
		if (strcmp(name, corm_relation_kind_name(*kind)) == 0)
			return true;
	}
	return false;
}

/*
 * corm_names_read returns the elements of an array of names.
 */
char	  **
corm_names_read(Datum array, int *n)
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
 * corm_names_datum makes a text array of names.
 */
Datum
corm_names_datum(char **names, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		datums[i] = CStringGetTextDatum(names[i]);
	return PointerGetDatum(construct_array(datums, n, TEXTOID, -1, false, TYPALIGN_INT));
}

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
	relation->columns = corm_names_read(values[Anum_declared_columns - 1], &relation->nkeys);
	relation->target_columns = corm_names_read(values[Anum_declared_target_columns - 1],
											   &relation->ntarget_keys);
	if (!nulls[Anum_declared_condition - 1])
		relation->condition = PG_DETOAST_DATUM_COPY(values[Anum_declared_condition - 1]);

	if (!corm_relation_kind_parse(TextDatumGetCString(values[Anum_declared_kind - 1]), &relation->kind))
		return NULL;
	if (relation->kind == CORM_MANY_TO_MANY)
	{
		int			n;
		int			ntarget;

		if (nulls[Anum_declared_through - 1] || nulls[Anum_declared_through_columns - 1] ||
			nulls[Anum_declared_through_target_columns - 1])
			return NULL;
		relation->through = DatumGetObjectId(values[Anum_declared_through - 1]);
		relation->through_columns = corm_names_read(values[Anum_declared_through_columns - 1], &n);
		relation->through_target_columns =
			corm_names_read(values[Anum_declared_through_target_columns - 1], &ntarget);
		if (n != relation->nkeys || ntarget != relation->ntarget_keys)
			return NULL;
	}
	else if (relation->nkeys != relation->ntarget_keys)
		return NULL;

	return relation->nkeys > 0 && relation->ntarget_keys > 0 ? relation : NULL;
}

/*
 * corm_declared_load returns the relations that are declared for the model of a
 * relation, by name, in the current memory context.
 */
List *
corm_declared_load(Oid relid)
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
 * corm_declared_store inserts or replaces the row about a relation of a model.
 */
void
corm_declared_store(Oid relid, CormRelation *relation)
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
	corm_catalogs_stored(relid);
	corm_catalogs_stored(relation->target);
	corm_catalogs_stored(relation->through);
}

/*
 * corm_declared_delete deletes the row about a relation of a model, and returns
 * false if there is none.
 */
bool
corm_declared_delete(Oid relid, const char *name)
{
	Relation	catalog = open_declared(RowExclusiveLock);
	HeapTuple	tuple;

	if (catalog == NULL)
		return false;
	tuple = find_declared(catalog, relid, name);
	if (HeapTupleIsValid(tuple))
		CatalogTupleDelete(catalog, &tuple->t_self);
	table_close(catalog, RowExclusiveLock);

	return HeapTupleIsValid(tuple);
}
