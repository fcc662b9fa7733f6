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
} NestedUpdate;

extern Jsonb *corm_nested_update(NestedWrite *write, const NestedUpdate *update);

#endif							/* CORM_EXEC_NESTED_UPDATE_H */
