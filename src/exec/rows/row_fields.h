/*-------------------------------------------------------------------------
 *
 * row_fields.h
 *		Splitting a row of a model into its fields.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_ROW_FIELDS_H
#define CORM_EXEC_ROW_FIELDS_H

#include "access/htup.h"
#include "exec/rows/in_progress.h"

/* A deformed record: datums by the model's fields. */
typedef struct CormRecord
{
	const CormExec *exec;		/* the operation that writes it */
	CormModel  *model;			/* its model */
	Datum		row;			/* the record itself */
	Datum	   *values;
	bool	   *nulls;
} CormRecord;

extern void corm_records_check(const CormModel *model, TupleDesc made);
extern CormModel *corm_records_model(Oid typid);
extern void corm_record_set_row(CormRecord *record, HeapTupleHeader header);
extern void corm_record_require_key(CormModel *model);
extern bool corm_record_has_null_key(const CormRecord *record);
extern bool corm_record_has_version(CormModel *model);
extern Oid	corm_record_field_type(CormModel *model, int field);
extern bool corm_field_is_written(CormModel *model, int field, bool insert, bool isnull);

#endif							/* CORM_EXEC_ROW_FIELDS_H */
