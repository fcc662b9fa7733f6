/*-------------------------------------------------------------------------
 *
 * key_order.c
 *		Sorting the records of a batch by primary key.
 *
 * Two batches that write the same rows in different orders can deadlock.  So a batch is
 * written in key order, and its rows are put back into the order of the records
 * afterwards.
 *
 * Comparing keys of a user's type may run user code.  The records are read with the row
 * type as of the start of the operation.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/row_fields.h"
#include "exec/write/key_order.h"
#include "miscadmin.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/typcache.h"

typedef struct KeyOrder
{
	CormModel  *model;
	FmgrInfo  **compare;		/* by column of the key */
} KeyOrder;

/* Compares records by key; NULLs sort last. */
static int
compare_keys(const CormRecord *x, const CormRecord *y, KeyOrder *order)
{
	for (int i = 0; i < order->model->npk; i++)
	{
		int			field = order->model->pk[i];
		Oid			collation = TupleDescAttr(order->model->tupdesc, order->model->fields[field].rownum - 1)->attcollation;
		int			result;

		if (x->nulls[field] || y->nulls[field])
			result = x->nulls[field] - y->nulls[field];
		else
			result = DatumGetInt32(FunctionCall2Coll(order->compare[i], collation,
													 x->values[field], y->values[field]));
		if (result != 0)
			return result;
	}
	return 0;
}

/* qsort_arg comparator: by key, with the record number as tie-breaker. */
static int
compare_keyed_records(const void *a, const void *b, void *arg)
{
	const CormKeyedRecord *x = a;
	const CormKeyedRecord *y = b;
	int			result = compare_keys(&x->record, &y->record, arg);

	CHECK_FOR_INTERRUPTS();
	return result != 0 ? result : x->number - y->number;
}

/*
 * corm_keyed_records returns the records of an array, none of them null, sorted by key,
 * and their number.  The result is allocated in the current context.  Returns NULL if
 * the model has no key, or a key of a type that has no sort order.  A record with the
 * same key as the previous one is marked as a duplicate, unless the key contains a
 * NULL.
 */
CormKeyedRecord *
corm_keyed_records(const CormExec *exec, ArrayType *array, int *nrecords)
{
	CormModel  *model = exec->model;
	KeyOrder	order = {.model = model};
	CormKeyedRecord *records;
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	if (model->npk == 0)
		return NULL;
	order.compare = palloc(sizeof(FmgrInfo *) * model->npk);
	for (int i = 0; i < model->npk; i++)
	{
		CormField  *field = &model->fields[model->pk[i]];
		TypeCacheEntry *type;

		if (field->rownum == 0)
			return NULL;
		type = lookup_type_cache(TupleDescAttr(model->tupdesc, field->rownum - 1)->atttypid, TYPECACHE_CMP_PROC_FINFO);
		if (!OidIsValid(type->cmp_proc_finfo.fn_oid))
			return NULL;
		order.compare[i] = &type->cmp_proc_finfo;
	}

	deconstruct_array(array, model->typid, -1, false, TYPALIGN_DOUBLE, &elems, &nulls, &n);
	records = palloc_extended(sizeof(CormKeyedRecord) * Max(n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		records[i].number = i + 1;
		records[i].record.exec = exec;
		records[i].record.model = model;
		corm_record_set_row(&records[i].record, DatumGetHeapTupleHeader(elems[i]));
	}
	qsort_arg(records, n, sizeof(CormKeyedRecord), compare_keyed_records, &order);
	for (int i = 1; i < n; i++)
		records[i].is_duplicate = !corm_record_has_null_key(&records[i].record) &&
			compare_keys(&records[i - 1].record, &records[i].record, &order) == 0;
	*nrecords = n;
	return records;
}

/*
 * corm_sort_by_key returns an array of records sorted by key, and in *numbers the
 * original position of each, from 0, both in the current context.  If the array cannot be
 * sorted, or is sorted already and not always, it is returned unchanged and *numbers is NULL.  A
 * key with a NULL has no defined position and needs none: the table fills in the NULL,
 * so the row is distinct from the others.
 */
Datum
corm_sort_by_key(const CormExec *exec, Datum array, bool always, int **numbers)
{
	CormKeyedRecord *records;
	Datum	   *rows;
	bool		sorted = true;
	int			n;

	*numbers = NULL;
	if (ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(array)), ARR_DIMS(DatumGetArrayTypeP(array))) < 2 ||
		array_contains_nulls(DatumGetArrayTypeP(array)))
		return array;
	records = corm_keyed_records(exec, DatumGetArrayTypeP(array), &n);
	if (records == NULL)
		return array;
	for (int i = 0; i < n; i++)
	{
		if (corm_record_has_null_key(&records[i].record))
			return array;
		sorted = sorted && records[i].number == i + 1;
	}
	if (sorted && !always)
		return array;

	rows = palloc_extended(sizeof(Datum) * n, MCXT_ALLOC_HUGE);
	*numbers = palloc_extended(sizeof(int) * n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		rows[i] = records[i].record.row;
		(*numbers)[i] = records[i].number - 1;
	}
	return PointerGetDatum(construct_array(rows, n, exec->model->typid, -1, false, TYPALIGN_DOUBLE));
}
