/*-------------------------------------------------------------------------
 *
 * fresh.h
 *		Whether a plan can have fresh answers, and what they depend on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_FRESH_H
#define CORM_EXEC_FRESH_H

#include "exec/plan/plan.h"

extern bool corm_fresh_look(CormPlan *plan);

#endif							/* CORM_EXEC_FRESH_H */
