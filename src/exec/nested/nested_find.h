/*-------------------------------------------------------------------------
 *
 * nested_find.h
 *		Nested writes: rows that a document refers to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_NESTED_FIND_H
#define CORM_EXEC_NESTED_FIND_H

#include "exec/nested/nested_object.h"

/* A primary or unique key of a model. */
typedef struct NestedKey
{
	int			n;
	int		   *fields;			/* indexes */
} NestedKey;

/* A referenced row: an existing one, or one to be written. */
typedef struct NestedTarget
{
	NestedObject object;
	const NestedKey *key;		/* key of the existing row; NULL: it is a new
								 * row */
	bool		or_create;		/* write the row if it does not exist */
	Jsonb	   *row;			/* requested columns and what was written */
	Jsonb	   *shown;			/* its part of the result */
} NestedTarget;

extern void corm_nested_read_target(NestedWrite *write, CormRelation *relation, CormModel *model,
									JsonbValue *value, const NestedPath *path, NestedTarget *target);
extern const NestedKey *corm_nested_exact_key(NestedWrite *write, const NestedObject *object);
extern const NestedKey *corm_nested_require_key(NestedWrite *write, const NestedObject *object);
extern void corm_nested_find(NestedWrite *write, NestedTarget *targets, int n, CormModel *model,
							 Bitmapset *fields, bool missing_ok);
extern Jsonb *corm_nested_find_one(NestedWrite *write, const NestedObject *object, const NestedKey *key,
								   Bitmapset *fields, bool lock);
extern Jsonb *corm_nested_lock(NestedWrite *write, const NestedObject *object, const NestedKey *key,
							   Bitmapset *fields);
extern char *corm_nested_key_text(const NestedObject *object, const NestedKey *key);
extern void corm_nested_no_row(NestedWrite *write, const NestedObject *object,
							   const NestedKey *key) pg_attribute_noreturn();
extern List *corm_nested_keys(NestedWrite *write, CormModel *model);
extern bool corm_nested_gives_key(const NestedObject *object, const NestedKey *key, bool not_null);
extern void corm_nested_write_eq(CormWriter *w, const char *name, const CormField *field, Datum value);
extern Jsonb *corm_nested_run_json(CormWriter *w);

#endif							/* CORM_EXEC_NESTED_FIND_H */
