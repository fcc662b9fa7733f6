/*-------------------------------------------------------------------------
 *
 * insert_rows.h
 *		Inserting the rows given by rows().
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_INSERT_ROWS_H
#define CORM_EXEC_INSERT_ROWS_H

#include "exec/run/sink.h"
#include "utils/jsonb.h"

/*
 * Rows that give the same fields.  The set also has one member beyond the model's
 * fields, so that it is never empty: without a set, a plan is only a template.
 */
typedef struct CormRun
{
	Bitmapset  *fields;
	Datum		rows;			/* an array or a jsonb document */
	int			nrows;
} CormRun;

extern void corm_refuse_empty_object(Jsonb *json);
extern List *corm_cut_rows(const CormExec *exec, CormValue *rows, bool nulls_given);
extern void corm_check_upsert_rows(const CormExec *exec, const CormPlan *template, Oid type, Datum rows);
extern int	corm_rows_as_values(CormModel *model, const Bitmapset *fields, int nrows, bool is_json);
extern Bitmapset *corm_first_rows(CormPlan *plan, CormQuerySet *set);
extern uint64 corm_run_rows(const CormVerb *verb, CormPlan *plan, CormQuerySet *set, CormSink *sink);

#endif							/* CORM_EXEC_INSERT_ROWS_H */
