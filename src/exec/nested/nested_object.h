/*-------------------------------------------------------------------------
 *
 * nested_object.h
 *		Nested writes: parsing an object of a document.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_NESTED_OBJECT_H
#define CORM_EXEC_NESTED_OBJECT_H

#include "base/compat.h"
#include "exec/nested/nested_value.h"

/* A member of an object that names a relation. */
typedef struct NestedMember
{
	CormRelation *relation;
	const char *name;			/* as spelled in the document */
	JsonbValue	value;
	Jsonb	   *result;			/* what was written, an object or array; NULL:
								 * null */
} NestedMember;

/* An object of a document: the fields that it gives, and the rows of its relations. */
typedef struct NestedObject
{
	CormModel  *model;
	int			ngiven;
	JsonbValue *given;			/* by field; jbvBinary with no data: not given */
	List	   *members;		/* of NestedMember */
	NestedPath	path;			/* of the object itself */
} NestedObject;

extern int	corm_nested_key_field(CormModel *model, const char *key, int len);
extern CormRelation *corm_nested_key_relation(CormModel *model, const char *key);
extern bool corm_has_relation_keys(CormModel *model, Jsonb *data);
extern void corm_nested_value_of(Jsonb *document, JsonbValue *value);
extern Jsonb *corm_nested_document(const JsonbValue *value);
extern bool corm_nested_is_given(const NestedObject *object, int field);
extern void corm_nested_read(NestedWrite *write, CormModel *model, JsonbContainer *container, NestedObject *object);
extern bool corm_nested_is_object(const JsonbValue *value);
extern bool corm_nested_is_array(const JsonbValue *value);
extern Jsonb *corm_nested_shown(CormModel *model, Jsonb *rows);
extern Jsonb *corm_nested_row_document(const NestedObject *object, const NestedColumns *columns, bool array);
extern JsonbValue *corm_nested_push_row(JsonbParseState **state, const NestedObject *object,
										const NestedColumns *columns, JsonbValue *column_values);
extern void corm_nested_wrong_kind(NestedWrite *write, CormModel *model, CormRelation *relation,
								   const char *expected) pg_attribute_noreturn();

#endif							/* CORM_EXEC_NESTED_OBJECT_H */
