/*-------------------------------------------------------------------------
 *
 * advice.h
 *		What works, but most likely not as it is meant.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_ADVICE_H
#define CORM_MODEL_ADVICE_H

#include "model/model.h"
#include "model/problems.h"

extern void corm_advise(CormProblems *problems, CormModel *model);
extern void corm_advice_init(void);

#endif							/* CORM_MODEL_ADVICE_H */
