/*-------------------------------------------------------------------------
 *
 * jsonb.h
 *		Making jsonb documents: of scalars of C, of any value, and of other documents.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_JSONB_H
#define CORM_BASE_JSONB_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

/* How values of one type become jsonb. */
typedef struct CormToJsonb
{
	FmgrInfo	function;		/* to_jsonb() or to_json() */
	bool		as_text;		/* it returns json */
} CormToJsonb;

extern void corm_json_key(JsonbParseState **state, const char *key);
extern void corm_json_string(JsonbParseState **state, JsonbIteratorToken token, const char *string);
extern void corm_json_integer(JsonbParseState **state, JsonbIteratorToken token, int64 value);
extern void corm_json_bool(JsonbParseState **state, JsonbIteratorToken token, bool value);
extern void corm_to_jsonb_init(CormToJsonb *to_jsonb, Oid typid);
extern Jsonb *corm_to_jsonb(CormToJsonb *to_jsonb, Datum value);
extern Jsonb *corm_json_array(Jsonb **documents, int n);
extern Jsonb *corm_json_object_with(Jsonb *object, const char *const *keys, Jsonb **values, int n);

#endif							/* CORM_BASE_JSONB_H */
