/*-------------------------------------------------------------------------
 *
 * jsonb.h
 *		Pushing scalars of C into a jsonb document that is being made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_JSONB_H
#define CORM_BASE_JSONB_H

#include "postgres.h"

#include "utils/jsonb.h"

extern void corm_json_key(JsonbParseState **state, const char *key);
extern void corm_json_string(JsonbParseState **state, JsonbIteratorToken token, const char *string);
extern void corm_json_integer(JsonbParseState **state, JsonbIteratorToken token, int64 value);
extern void corm_json_bool(JsonbParseState **state, JsonbIteratorToken token, bool value);

#endif							/* CORM_BASE_JSONB_H */
