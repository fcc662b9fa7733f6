/*-------------------------------------------------------------------------
 *
 * nested_allowed.h
 *		Nested writes: the fields and relations that a caller allows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_NESTED_ALLOWED_H
#define CORM_EXEC_NESTED_ALLOWED_H

#include "exec/nested/nested_object.h"
#include "utils/array.h"

/* What a document may hold for a model.  A NULL pointer allows everything. */
typedef struct NestedAllowed
{
	CormModel  *model;
	bool		everything;		/* listed without anything of it */
	Bitmapset  *fields;
	List	   *relations;		/* of NestedAllowedRelation */
} NestedAllowed;

extern const NestedAllowed *corm_nested_allowed(CormModel *model, ArrayType *names);
extern void corm_nested_allow_field(NestedWrite *write, const NestedAllowed *allowed, CormModel *model, int field);
extern const NestedAllowed *corm_nested_allow_relation(NestedWrite *write, const NestedAllowed *allowed,
													   CormModel *model, CormRelation *relation);

#endif							/* CORM_EXEC_NESTED_ALLOWED_H */
