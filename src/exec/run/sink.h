/*-------------------------------------------------------------------------
 *
 * sink.h
 *		Where the rows of an execution go.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_SINK_H
#define CORM_EXEC_SINK_H

#include "exec/plan/plan.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "utils/tuplestore.h"

typedef enum CormSinkKind
{
	CORM_SINK_NONE,				/* count only */
	CORM_SINK_TABLE,			/* rows stay in SPI_tuptable */
	CORM_SINK_STORE,			/* rows into a tuplestore */
	CORM_SINK_FIRST,			/* the first row, or value of the first row */
	CORM_SINK_ONE,				/* the same, and a second one is an error */
	CORM_SINK_CALLBACK			/* each row to a function */
} CormSinkKind;

/* Called once with slot NULL before the first row, then for each row, deformed. */
typedef void (*CormRowCallback) (CormPlan *plan, TupleTableSlot *slot, void *arg);

/* Where the rows of an execution go. */
typedef struct CormSink
{
	CormSinkKind kind;
	Tuplestorestate *store;		/* SINK_STORE; NULL: it is made for the rows
								 * of the plan ... */
	FunctionCallInfo fcinfo;	/* ... as the result of this call */
	MemoryContext context;		/* where a datum is allocated */
	uint64		nrows;			/* rows received */
	CormRowCallback callback;	/* SINK_CALLBACK */
	void	   *arg;
	int64		limit;			/* OUTPUT_PAGE: rows of a page, or -1; set by
								 * the run */
	int64		total;			/* OUTPUT_PAGE: the number of all rows, once a
								 * row has told it */
	bool		has_total;
	char	   *model_name;		/* of a run that found no row: what it was
								 * over, or NULL */
	Datum		value;			/* SINK_FIRST, SINK_ONE */
	bool		isnull;
} CormSink;

extern void corm_sink_total(CormSink *sink, TupleTableSlot *slot);
extern Tuplestorestate *corm_begin_set(FunctionCallInfo fcinfo, TupleDesc tupdesc);
extern Datum *corm_rows_of_table(TupleDesc tupdesc, int *nrows);
extern void corm_rows_to_sink(const Datum *rows, int nrows, CormSink *sink);

#endif							/* CORM_EXEC_SINK_H */
