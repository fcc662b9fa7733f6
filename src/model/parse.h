/*-------------------------------------------------------------------------
 *
 * parse.h
 *		A model from the system catalogs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_PARSE_H
#define CORM_MODEL_PARSE_H

#include "model/model.h"
#include "model/overrides.h"

extern CormModel *corm_model_parse(Oid relid, const CormOverrides *overrides);

#endif							/* CORM_MODEL_PARSE_H */
