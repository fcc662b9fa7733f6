/*-------------------------------------------------------------------------
 *
 * nested_update.h
 *		Nested writes: an existing row gets the fields that an object gives.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_NESTED_UPDATE_H
#define CORM_EXEC_NESTED_UPDATE_H

#include "exec/nested/nested_find.h"

/* What one row gets. */
typedef struct NestedUpdate
{
	const NestedObject *which;	/* the row: gives the fields of the key */
	const NestedKey *key;
	NestedObject *object;		/* what the document says about it */
	const NestedColumns *fixed; /* values that the row has already, or NULL */
	const NestedColumns *columns;	/* values that it gets besides, or NULL */
	Bitmapset  *nulls;			/* fields that become null besides */
	bool		any_version;	/* the version does not matter */
} NestedUpdate;

extern void corm_nested_empty_object(CormModel *model, const NestedPath *path, NestedObject *object);
extern Jsonb *corm_nested_update(NestedWrite *write, const NestedUpdate *update);
extern bool corm_nested_delete(NestedWrite *write, const NestedUpdate *update);

#endif							/* CORM_EXEC_NESTED_UPDATE_H */
