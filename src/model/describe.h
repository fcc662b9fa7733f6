/*-------------------------------------------------------------------------
 *
 * describe.h
 *		A model made visible: corm.describe.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_DESCRIBE_H
#define CORM_MODEL_DESCRIBE_H

#include "model/model.h"
#include "utils/jsonb.h"

/*
 * Upper layers add what they know of a model to corm.describe.  The callback
 * pushes one value, an array.  The key must be a constant.
 */
typedef void (*CormDescribeCallback) (CormModel *model, JsonbParseState **state);
extern void corm_describe_section(const char *key, CormDescribeCallback callback);

extern Jsonb *corm_describe_part(CormModel *model, const char *key);

extern const char *corm_identity_name(char identity);
extern bool corm_shows_column(Oid relid, const char *column);

#endif							/* CORM_MODEL_DESCRIBE_H */
