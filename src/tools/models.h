/*-------------------------------------------------------------------------
 *
 * models.h
 *		The models that a tool is asked for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOOLS_MODELS_H
#define CORM_TOOLS_MODELS_H

#include "model/model.h"
#include "utils/array.h"

extern Oid *corm_read_models(ArrayType *array, int *n);
extern List *corm_tool_models(ArrayType *array, bool types);
extern char *corm_model_schema(const CormModel *model);
extern CormModel *corm_tool_model(List *models, Oid relid);
extern char *corm_model_comment(CormModel *model);
extern char *corm_field_comment(CormModel *model, CormField *field);

#endif							/* CORM_TOOLS_MODELS_H */
