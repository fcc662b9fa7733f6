/*-------------------------------------------------------------------------
 *
 * nested_patch.h
 *		Nested writes: an existing row and its related rows are changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_NESTED_PATCH_H
#define CORM_EXEC_NESTED_PATCH_H

#include "exec/nested/nested.h"
#include "exec/nested/nested_find.h"

/* What a document wants of the rows of a relation to many. */
typedef enum NestedChange
{
	NESTED_NAME,				/* change or write these rows, leave the
								 * others */
	NESTED_SET,					/* the same, and take the others away */
	NESTED_REMOVE,
	NESTED_DELETE,
	NESTED_UPDATE,
	NESTED_ADD
} NestedChange;

/* A part of a document that wants one of these. */
typedef struct NestedPart
{
	NestedChange change;
	NestedMember member;		/* the relation and the rows */
	NestedPath	path;
} NestedPart;

extern List *corm_nested_parts(NestedWrite *write, CormModel *model, const NestedMember *member,
							   const NestedPath *path);
extern bool corm_nested_gives_primary_key(const NestedObject *object, const NestedColumns *columns);
extern const NestedKey *corm_nested_naming_key(NestedWrite *write, const NestedObject *object,
											   const NestedColumns *columns);
extern Jsonb *corm_nested_patch(NestedWrite *write, NestedObject *object, const NestedObject *which,
								const NestedKey *key, const NestedIn *in);

#endif							/* CORM_EXEC_NESTED_PATCH_H */
