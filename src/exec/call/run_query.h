/*-------------------------------------------------------------------------
 *
 * run_query.h
 *		Runs the queries of a call, with the rows going to a sink.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_RUN_QUERY_H
#define CORM_EXEC_RUN_QUERY_H

#include "exec/run/sink.h"
#include "utils/jsonb.h"

extern uint64 corm_run_queries(const CormVerb *verb, CormQuerySet *set, CormSink *sink);
extern uint64 corm_run_directly(const CormVerb *verb, CormQuerySet *set, CormSink *sink);
extern Jsonb *corm_run_json(CormQuerySet *set, bool whole);
extern Jsonb *corm_insert_json_rows(Oid model, Jsonb *array, bool whole);
extern Jsonb **corm_insert_documents(CormModel *model, Jsonb *array, int *n);

#endif							/* CORM_EXEC_RUN_QUERY_H */
