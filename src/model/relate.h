/*-------------------------------------------------------------------------
 *
 * relate.h
 *		Declaring relations: corm.relate.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_RELATE_H
#define CORM_MODEL_RELATE_H

#include "fmgr.h"
#include "model/relations.h"

extern void corm_relate_check(CormModel *model, CormRelation *relation);
extern CormRelation *corm_relate_declare(FunctionCallInfo fcinfo);

#endif							/* CORM_MODEL_RELATE_H */
