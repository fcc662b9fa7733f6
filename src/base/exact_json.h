/*-------------------------------------------------------------------------
 *
 * exact_json.h
 *		JSON whose numbers every client reads exactly.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_EXACT_JSON_H
#define CORM_BASE_EXACT_JSON_H

#include "postgres.h"

#include "base/guc.h"
#include "utils/jsonb.h"

/* Are bigint and numeric to be strings in JSON? */
static inline bool
corm_json_is_exact(void)
{
	return corm_json_bigint == CORM_JSON_BIGINT_STRING;
}

extern Jsonb *corm_exact_jsonb(Oid typid, Datum value);

#endif							/* CORM_BASE_EXACT_JSON_H */
