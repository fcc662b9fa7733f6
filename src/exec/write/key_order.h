/*-------------------------------------------------------------------------
 *
 * key_order.h
 *		Sorting the records of a batch by key.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_KEY_ORDER_H
#define CORM_EXEC_KEY_ORDER_H

#include "exec/rows/row_fields.h"
#include "utils/array.h"

typedef struct CormKeyedRecord
{
	int			number;			/* among the records, from 1 */
	bool		is_duplicate;	/* same key as the previous record */
	CormRecord	record;
} CormKeyedRecord;

extern CormKeyedRecord *corm_keyed_records(const CormExec *exec, ArrayType *array, int *nrecords);
extern Datum corm_sort_by_key(const CormExec *exec, Datum array, bool always, int **numbers);

#endif							/* CORM_EXEC_KEY_ORDER_H */
