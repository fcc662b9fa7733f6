/*-------------------------------------------------------------------------
 *
 * query_result.h
 *		Results that pass through middleware.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_QUERY_RESULT_H
#define CORM_EXEC_QUERY_RESULT_H

#include "exec/run/sink.h"
#include "utils/jsonb.h"
#include "utils/resowner.h"

/*
 * The chain that a result belongs to.  The result's memory context and resource owner
 * are children of these.
 */
typedef struct CormResultOwner
{
	MemoryContext context;
	ResourceOwner resources;
} CormResultOwner;

typedef struct CormResult CormResult;

extern void corm_result_init(void);
extern int64 corm_secret_number(void);
extern CormResult *corm_result_create(CormResultOwner *owner);
extern CormResult *corm_result_of_json(CormResultOwner *owner, Jsonb *json);
extern CormResultOwner *corm_result_owner(const CormResult *result);
extern void corm_results_forget(CormResultOwner *owner);
extern uint64 corm_result_affected(const CormResult *result);
extern uint64 corm_result_nrows(const CormResult *result);
extern void corm_result_capture(CormResult *result, const CormVerb *verb, CormSink *wanted,
								CormSink *capture);
extern void corm_result_captured(CormResult *result, const CormSink *capture, bool writes,
								 uint64 processed);
extern void corm_result_give(CormResult *result, const CormVerb *verb, CormSink *sink);
extern void corm_result_store(CormResult *result, Tuplestorestate *store, TupleDesc tupdesc);
extern CormResult *corm_result_from_datum(HeapTupleHeader header, uint64 *affected);
extern Datum corm_result_to_datum(FunctionCallInfo fcinfo, const CormResult *result, uint64 affected);

#endif							/* CORM_EXEC_QUERY_RESULT_H */
