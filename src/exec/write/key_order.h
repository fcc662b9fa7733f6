/*-------------------------------------------------------------------------
 *
 * key_order.h
 *		Records of a batch in the order of their keys.
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
	bool		is_duplicate;	/* it has the key of the one before */
	CormRecord	record;
} CormKeyedRecord;

extern CormKeyedRecord *corm_keyed_records(const CormExec *exec, ArrayType *array, int *nrecords);
extern Datum corm_sort_by_key(const CormExec *exec, Datum array, int **numbers);

#endif							/* CORM_EXEC_KEY_ORDER_H */
