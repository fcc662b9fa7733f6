/*-------------------------------------------------------------------------
 *
 * keys.c
 *		Keys from the catalogs: what relations are made of.
 *
 * Nothing here locks or opens the tables: their keys are read from the
 * catalogs alone.  That is safe as long as the caller does the work again if an
 * invalidation message arrives before it is done.  A relation that vanishes
 * in between is left out.
 *
 * A foreign key on or to a partitioned table has further rows in
 * pg_constraint, for the partitions of both sides.  A partition has the keys
 * it inherits, to the partitioned table that its parent refers to; a
 * partitioned table is not told of the keys of the partitions that refer to
 * it, since their parent's key says it all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/compat.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_index.h"
#include "commands/comment.h"
#include "miscadmin.h"
#include "model/keys.h"
#include "model/tags.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static int	read_columns(HeapTuple tuple, AttrNumber attribute, AttrNumber *columns);
static bool is_not_null(Oid relid, AttrNumber attnum);
static bool is_partition(Oid relid);
static bool parent_key(Oid parent, Oid *relid, Oid *target);
static CormForeignKey *read_foreign_key(HeapTuple tuple, bool is_own);
static int	compare_foreign_keys(const ListCell *a, const ListCell *b);

/*
 * read_columns reads the array of column numbers that is an attribute of a
 * row of pg_constraint, and returns how many there are.
 */
static int
read_columns(HeapTuple tuple, AttrNumber attribute, AttrNumber *columns)
{
	bool		isnull;
	Datum		datum = SysCacheGetAttr(CONSTROID, tuple, attribute, &isnull);
	ArrayType  *array;
	int			n;

	if (isnull)
		return 0;
	array = DatumGetArrayTypeP(datum);
	n = ARR_NDIM(array) == 1 ? ARR_DIMS(array)[0] : 0;
	if (n > INDEX_MAX_KEYS)
		n = 0;
	memcpy(columns, ARR_DATA_PTR(array), n * sizeof(int16));

	return n;
}

/*
 * is_not_null returns whether a column is declared not null.
 */
static bool
is_not_null(Oid relid, AttrNumber attnum)
{
	HeapTuple	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid), Int16GetDatum(attnum));
	bool		result = false;

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;
		ReleaseSysCache(tuple);
	}
	return result;
}

/*
 * is_partition returns whether a relation is a partition.
 */
static bool
is_partition(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		result = false;

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_class) GETSTRUCT(tuple))->relispartition;
		ReleaseSysCache(tuple);
	}
	return result;
}

/*
 * corm_columns_are_unique returns whether a unique index guarantees that no
 * two rows of a table have the same values in some columns: its columns are
 * among them.
 */
bool
corm_columns_are_unique(Oid relid, int ncolumns, const AttrNumber *columns)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		result = false;

	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, NULL, 1, &key);
	while (!result && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);

		if (!index->indisunique || !index->indisvalid ||
			!heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
			continue;

		result = true;
		for (int i = 0; i < index->indnkeyatts && result; i++)
		{
			bool		found = false;

			/* An expression has number 0, which no column has. */
			for (int j = 0; j < ncolumns && !found; j++)
				found = (columns[j] == index->indkey.values[i]);
			result = found;
		}
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	return result;
}

/*
 * parent_key looks up the tables of the constraint that a constraint was made
 * from; false if there is none.
 */
static bool
parent_key(Oid parent, Oid *relid, Oid *target)
{
	HeapTuple	tuple;

	if (!OidIsValid(parent))
		return false;
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(parent));
	if (!HeapTupleIsValid(tuple))
		return false;
	*relid = ((Form_pg_constraint) GETSTRUCT(tuple))->conrelid;
	*target = ((Form_pg_constraint) GETSTRUCT(tuple))->confrelid;
	ReleaseSysCache(tuple);

	return true;
}

/*
 * read_foreign_key reads a row of pg_constraint that is a foreign key; NULL if
 * its table is gone.  is_own tells that the model of the table that has the
 * key is concerned, which answers for its tags: OR005 if they are malformed.
 */
static CormForeignKey *
read_foreign_key(HeapTuple tuple, bool is_own)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	CormForeignKey *key = palloc0(sizeof(CormForeignKey));
	char	   *comment;

	key->oid = form->oid;
	key->name = pstrdup(NameStr(form->conname));
	key->relid = form->conrelid;
	key->target = form->confrelid;
	key->schema_name = get_namespace_name(get_rel_namespace(key->relid));
	key->table_name = get_rel_name(key->relid);
	key->target_name = get_rel_name(key->target);
	key->nkeys = read_columns(tuple, Anum_pg_constraint_conkey, key->keys);
	if (key->schema_name == NULL || key->table_name == NULL || key->target_name == NULL || key->nkeys == 0 ||
		read_columns(tuple, Anum_pg_constraint_confkey, key->target_keys) != key->nkeys)
		return NULL;

	key->required = form->convalidated && corm_constraint_is_enforced(form);
	for (int i = 0; i < key->nkeys && key->required; i++)
		key->required = is_not_null(key->relid, key->keys[i]);

	comment = GetComment(key->oid, ConstraintRelationId, 0);
	if (comment != NULL && is_own)
	{
		ObjectAddress address;

		ObjectAddressSet(address, ConstraintRelationId, key->oid);
		key->tags = corm_tags_read(comment, &address, CORM_TAG_CONSTRAINT);
	}
	else if (comment != NULL)
		key->tags = corm_tags_read_quietly(comment, CORM_TAG_CONSTRAINT);

	return key;
}

/*
 * compare_foreign_keys orders foreign keys so that names are given alike in
 * every database with the same tables: by table, then by columns.
 */
static int
compare_foreign_keys(const ListCell *a, const ListCell *b)
{
	const CormForeignKey *x = lfirst(a);
	const CormForeignKey *y = lfirst(b);
	int			order = strcmp(x->table_name, y->table_name);

	for (int i = 0; order == 0 && i < Min(x->nkeys, y->nkeys); i++)
		order = x->keys[i] - y->keys[i];
	if (order == 0)
		order = x->nkeys - y->nkeys;
	if (order == 0)
		order = strcmp(x->name, y->name);
	if (order == 0)
		order = strcmp(x->schema_name, y->schema_name);
	return order;
}

/*
 * corm_foreign_keys_of returns the foreign keys that a table has, a list of
 * CormForeignKey in the current memory context.  Raises OR005 for malformed
 * tags on them if is_own.
 */
List *
corm_foreign_keys_of(Oid relid, bool is_own)
{
	List	   *keys = NIL;
	Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData scan_key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&scan_key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, ConstraintRelidTypidNameIndexId, true, NULL, 1, &scan_key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
		CormForeignKey *key;
		Oid			parent_relid;
		Oid			parent_target;

		if (form->contype != CONSTRAINT_FOREIGN)
			continue;

		/* One for a partition of the target: the key itself is there, too. */
		if (parent_key(form->conparentid, &parent_relid, &parent_target) &&
			parent_relid == relid)
			continue;

		key = read_foreign_key(tuple, is_own);
		if (key != NULL)
			keys = lappend(keys, key);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	list_sort(keys, compare_foreign_keys);
	return keys;
}

/*
 * corm_foreign_keys_to returns the foreign keys that refer to a table, a list
 * of CormForeignKey in the current memory context.  Found by what depends on
 * the table: pg_constraint has no index on it.
 */
List *
corm_foreign_keys_to(Oid relid)
{
	List	   *oids = NIL;
	List	   *keys = NIL;
	ListCell   *lc;
	Relation	catalog = table_open(DependRelationId, AccessShareLock);
	ScanKeyData scan_keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&scan_keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&scan_keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, DependReferenceIndexId, true, NULL, 2, scan_keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		/* A key of several columns depends on each. */
		if (form->classid == ConstraintRelationId)
			oids = list_append_unique_oid(oids, form->objid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	foreach(lc, oids)
	{
		Form_pg_constraint form;

		CHECK_FOR_INTERRUPTS();
		tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(lfirst_oid(lc)));
		if (!HeapTupleIsValid(tuple))
			continue;

		form = (Form_pg_constraint) GETSTRUCT(tuple);
		if (form->contype == CONSTRAINT_FOREIGN && form->confrelid == relid &&
			!(OidIsValid(form->conparentid) && is_partition(form->conrelid)))
		{
			CormForeignKey *key = read_foreign_key(tuple, false);

			if (key != NULL)
			{
				key->unique = corm_columns_are_unique(key->relid, key->nkeys, key->keys);
				keys = lappend(keys, key);
			}
		}
		ReleaseSysCache(tuple);
	}

	list_sort(keys, compare_foreign_keys);
	return keys;
}

/*
 * corm_primary_key_columns returns the columns of a table's primary key, a
 * list of attribute numbers in the order of the key; NIL if it has none.
 */
List *
corm_primary_key_columns(Oid relid)
{
	List	   *columns = NIL;
	Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, ConstraintRelidTypidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		AttrNumber	numbers[INDEX_MAX_KEYS];
		int			n;

		if (((Form_pg_constraint) GETSTRUCT(tuple))->contype != CONSTRAINT_PRIMARY)
			continue;

		n = read_columns(tuple, Anum_pg_constraint_conkey, numbers);
		for (int i = 0; i < n; i++)
			columns = lappend_int(columns, numbers[i]);
		break;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	return columns;
}

/*
 * is_of_live_rows returns whether the predicate of an index is that a row is
 * not soft-deleted: then the index is a key of all rows that there are.
 */
static bool
is_of_live_rows(HeapTuple index, AttrNumber soft_delete)
{
	bool		isnull;
	Datum		datum = SysCacheGetAttr(INDEXRELID, index, Anum_pg_index_indpred, &isnull);
	Node	   *predicate;
	Node	   *arg = NULL;

	if (isnull)
		return true;
	predicate = stringToNode(TextDatumGetCString(datum));
	if (IsA(predicate, List) && list_length((List *) predicate) == 1)
		predicate = linitial((List *) predicate);
	if (IsA(predicate, NullTest) && ((NullTest *) predicate)->nulltesttype == IS_NULL)
		arg = (Node *) ((NullTest *) predicate)->arg;
	else if (IsA(predicate, BooleanTest) && ((BooleanTest *) predicate)->booltesttype == IS_NOT_TRUE)
		arg = (Node *) ((BooleanTest *) predicate)->arg;
	return arg != NULL && IsA(arg, Var) && soft_delete != InvalidAttrNumber &&
		((Var *) arg)->varattno == soft_delete;
}

/*
 * corm_unique_keys returns the unique keys of a table, the primary key among
 * them: a list of lists of attribute numbers, in the order in which
 * the indexes were made.  soft_delete is the column that tells deleted rows, or
 * InvalidAttrNumber: an index of the others is a key.
 */
List *
corm_unique_keys(Oid relid, AttrNumber soft_delete)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *indexes = NIL;
	List	   *keys = NIL;
	ListCell   *lc;

	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);

		if (index->indisunique && index->indisvalid)
			indexes = lappend_oid(indexes, index->indexrelid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	list_sort(indexes, list_oid_cmp);
	foreach(lc, indexes)
	{
		List	   *columns = NIL;
		Form_pg_index index;

		tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		for (int i = 0; i < index->indnkeyatts; i++)
			columns = lappend_int(columns, index->indkey.values[i]);
		/* an expression has number 0 */
		if (columns != NIL && !list_member_int(columns, 0) && is_of_live_rows(tuple, soft_delete))
			keys = lappend(keys, columns);
		ReleaseSysCache(tuple);
	}
	return keys;
}
