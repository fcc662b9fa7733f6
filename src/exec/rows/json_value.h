/*-------------------------------------------------------------------------
 *
 * json_value.h
 *		Converting field values from and to JSON.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_JSON_VALUE_H
#define CORM_EXEC_JSON_VALUE_H

#include "exec/rows/in_progress.h"
#include "utils/jsonb.h"

extern void corm_push_value(JsonbParseState **state, JsonbIteratorToken token, Oid typid, Datum value);
extern Jsonb *corm_row_to_json(CormModel *model, Datum row, bool writing);
extern char *corm_json_text(const JsonbValue *value);

/* A check whether JSON values can be converted to the types of their fields. */
typedef struct CormJsonCheck CormJsonCheck;

extern CormJsonCheck *corm_json_check_begin(const CormExec *exec);
extern void corm_json_check_value(CormJsonCheck *check, int fieldno, int row, JsonbValue *value);
extern void corm_json_check_end(CormJsonCheck *check);
extern bool corm_json_as_hstore(const CormField *field, JsonbValue *value);
extern Datum corm_json_convert(CormModel *model, int fieldno, JsonbValue *value);

#endif							/* CORM_EXEC_JSON_VALUE_H */
