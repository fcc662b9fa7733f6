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

extern void corm_nested_targets(NestedWrite *write, CormRelation *relation, CormModel *model,
								NestedTarget *targets, int n, const NestedCondition *condition);

#endif							/* CORM_EXEC_NESTED_H */
