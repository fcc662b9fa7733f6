/*-------------------------------------------------------------------------
 *
 * dependencies.h
 *		What a statement with compiled queries depends on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_INLINE_DEPENDENCIES_H
#define CORM_INLINE_DEPENDENCIES_H

#include "exec/plan/plan.h"
#include "nodes/plannodes.h"

/* Collected while a statement is planned. */
typedef struct CormDependencies
{
	List	   *relids;			/* Oids */
	List	   *functions;		/* Oids: those that the plan does not call any
								 * more */
	List	   *items;			/* PlanInvalItems of PostgreSQL's own */
	List	   *models;			/* Oids: of the source of each compiled query */
	bool		on_role;		/* the plan is right for the current user only */
} CormDependencies;

extern void corm_dependencies_init(void);
extern uint64 corm_dependencies_changes(void);
extern void corm_dependencies_of_plan(CormDependencies *dependencies, const CormPlan *plan);
extern void corm_dependencies_add(const CormDependencies *dependencies, PlannedStmt *stmt);
extern void corm_dependencies_late(void);
extern void corm_dependencies_pending(void);
extern bool corm_was_considered(const PlannedStmt *stmt);
extern List *corm_compiled_models(const PlannedStmt *stmt);

#endif							/* CORM_INLINE_DEPENDENCIES_H */
