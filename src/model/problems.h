/*-------------------------------------------------------------------------
 *
 * problems.h
 *		What cannot be used of what was registered: corm.model_problems.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_PROBLEMS_H
#define CORM_MODEL_PROBLEMS_H

#include "postgres.h"

/* Each file that has something to report registers a reporter: see problems.c. */
typedef struct CormProblems CormProblems;
typedef void (*CormProblemReporter) (CormProblems *problems);

extern void corm_problems_register(CormProblemReporter reporter);
extern void corm_problem_add(CormProblems *problems, Oid model, const char *kind, const char *object,
							 const char *problem, const char *hint);
extern bool corm_model_may_use(Oid relid);

#endif							/* CORM_MODEL_PROBLEMS_H */
