/*-------------------------------------------------------------------------
 *
 * difference.h
 *		What is different between two states of a model.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_DIFFERENCE_H
#define CORM_MODEL_DIFFERENCE_H

#include "model/model.h"

extern char *corm_model_difference(const CormModel *before, const CormModel *now);
extern char *corm_row_type_difference(const char *name, TupleDesc before, TupleDesc now, bool may_grow);

#endif							/* CORM_MODEL_DIFFERENCE_H */
