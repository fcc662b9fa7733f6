/*-------------------------------------------------------------------------
 *
 * nested.h
 *		Nested writes: rows written together with their related rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_NESTED_H
#define CORM_EXEC_NESTED_H

#include "exec/nested/nested_find.h"

/* The row that other rows are nested in. */
typedef struct NestedIn
{
	CormRelation *relation;		/* leads from it to them */
	CormModel  *model;			/* its model */
	Jsonb	   *row;			/* as written */
	NestedColumns columns;		/* column values it gives to each of them */
} NestedIn;

extern void corm_nested_targets(NestedWrite *write, CormRelation *relation, CormModel *model,
								NestedTarget *targets, int n, const NestedCondition *condition);
extern int	corm_nested_write_rows(NestedWrite *write, CormModel *model, NestedObject *objects, int n,
								   const NestedIn *in, const NestedColumns *columns, bool all, Jsonb **rows);
extern bool corm_nested_leads_back(CormRelation *relation, const NestedIn *in);
extern void corm_nested_check_back(NestedWrite *write, NestedMember *member, const NestedIn *in);
extern void corm_nested_check_given(NestedWrite *write, const NestedObject *object, const NestedColumns *columns);
extern JsonbValue *corm_nested_elements(NestedWrite *write, CormModel *model, const NestedMember *member,
										const NestedPath *path, int *n, NestedPath **paths);
extern Jsonb *corm_nested_with_members(Jsonb *row, const NestedObject *object);

#endif							/* CORM_EXEC_NESTED_H */
