/*-------------------------------------------------------------------------
 *
 * list.h
 *		The views corm.models, corm.fields and corm.relations, and lists of
 *		models that others make.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_LIST_H
#define CORM_MODEL_LIST_H

#include "postgres.h"

#include "model/model.h"
#include "nodes/pg_list.h"

/* What makes something unusable that is stored about a model. */
typedef struct CormStoredProblem
{
	Oid			model;
	char	   *problem;
} CormStoredProblem;

/* Set by an upper layer, which knows: a list of CormStoredProblem. */
extern List *(*corm_stored_problems_hook) (void);

extern void corm_list_init(void);
extern CormModel *corm_model_try(Oid relid, char **error);

#endif							/* CORM_MODEL_LIST_H */
