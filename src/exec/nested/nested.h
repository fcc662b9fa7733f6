/*-------------------------------------------------------------------------
 *
 * nested.h
 *		Nested writes: documents with the rows of relations in them.
 *
 * nested.c says which file writes what.  The parts:
 *
 *		nested_value.c	keys as values of their types, and that they agree
 *		nested_object.c	an object of a document taken apart
 *		nested_find.c	rows that a document refers to
 *		nested.c		rows that are written
 *		nested_links.c	link tables
 *
 * A model is user code away from being another one: hooks, triggers, CHECKs
 * and output functions can alter its table.  What is read of a model, keys
 * and relations, is believed until the next statement that can run such code
 * has run; then corm_nested_same_model refuses to go on with a model that
 * has changed.  The memory of models and relations stays valid until the
 * transaction ends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_NESTED_H
#define CORM_EXEC_NESTED_H

#include "base/compat.h"
#include "exec/exec.h"
#include "model/relations.h"

/* Where in the document something stands; a list from the inside out. */
typedef struct NestedPath
{
	const struct NestedPath *up;	/* NULL: the document itself */
	const char *key;			/* a member of an object ... */
	int			index;			/* ... or, if that is NULL, an element of an array; -1: the document */
} NestedPath;

/* A nested write under way. */
typedef struct NestedWrite
{
	const NestedPath *path;		/* of what is in hand, NULL: the whole document */
	ErrorContextCallback callback;
	List	   *known;			/* of models whose keys are known: nested_find.c */
} NestedWrite;

/* What a column of a row must hold. */
typedef struct NestedColumn
{
	int			field;			/* index */
	Datum		value;			/* of the field's type, not null */
	const char *by;				/* who says so, for messages */
} NestedColumn;

typedef struct NestedColumns
{
	CormModel  *model;
	int			n;
	int			size;
	NestedColumn *items;
} NestedColumns;

/* What the declared condition of a relation asks of the rows on both sides. */
typedef struct NestedCondition
{
	NestedColumns own;			/* of the model that has the relation */
	NestedColumns target;
	bool		whole;			/* it asks for nothing else */
} NestedCondition;

/* A member of an object that names a relation. */
typedef struct NestedMember
{
	CormRelation *relation;
	const char *name;			/* as the document spells it */
	JsonbValue	value;
	Jsonb	   *result;			/* what was written, an object or array; NULL: null */
} NestedMember;

/* An object of a document: fields that it gives, and rows of relations. */
typedef struct NestedObject
{
	CormModel  *model;
	int			ngiven;
	JsonbValue *given;			/* by field; jbvBinary with no data: not given */
	List	   *members;		/* of NestedMember */
	NestedPath	path;			/* of the object itself */
} NestedObject;

/* A primary or unique key of a model. */
typedef struct NestedKey
{
	int			n;
	int		   *fields;			/* indexes */
} NestedKey;

/* A row that something refers to: one that is there, or one to be written. */
typedef struct NestedTarget
{
	NestedObject object;
	const NestedKey *key;		/* it stands for the row with this key; NULL: it is a new row */
	bool		or_create;		/* which is written if it is not there */
	Jsonb	   *row;			/* with the columns that were asked for, and what was written */
	Jsonb	   *shown;			/* what the answer has for it */
} NestedTarget;

/* The row that rows are nested in. */
typedef struct NestedIn
{
	CormRelation *relation;		/* that leads from it to them */
	CormModel  *model;			/* its model */
	Jsonb	   *row;			/* as written */
	NestedColumns columns;		/* what it gives to each of them */
} NestedIn;

/* nested_value.c */
extern void corm_nested_begin(NestedWrite *write);
extern void corm_nested_end(NestedWrite *write);
extern char *corm_nested_path(const NestedWrite *write);
extern void corm_nested_same_model(CormModel *model);
extern int	corm_nested_field(CormModel *model, const char *column);
extern bool corm_nested_equal(const CormField *field, Datum a, Datum b);
extern int	corm_nested_compare(const CormField *field, Datum a, Datum b);
extern bool corm_nested_sorts(const CormField *field);
extern char *corm_nested_text(const CormField *field, Datum value);
extern Datum corm_nested_convert(const CormField *from, const CormField *to, Datum value);
extern bool corm_nested_value(CormModel *model, Jsonb *row, int field, Datum *value);
extern void corm_nested_columns_init(NestedColumns *columns, CormModel *model);
extern void corm_nested_columns_copy(NestedColumns *columns, const NestedColumns *other);
extern NestedColumn *corm_nested_find_column(const NestedColumns *columns, int field);
extern void corm_nested_set(NestedWrite *write, NestedColumns *columns, int field, Datum value, const char *by);
extern void corm_nested_flow(NestedWrite *write, NestedColumns *to, char **to_columns,
							 CormModel *from, Jsonb *row, char **from_columns, int n, const char *by);
extern void corm_nested_check_row(NestedWrite *write, const NestedColumns *columns, Jsonb *row);
extern void corm_nested_condition(CormModel *model, CormRelation *relation, NestedCondition *condition);
extern void corm_nested_contradiction(NestedWrite *write, CormModel *model, int field,
									  const char *by, const char *value,
									  const char *other_by, const char *other_value) pg_attribute_noreturn();
extern const char *corm_nested_by_relation(const CormRelation *relation);

/* nested_object.c */
extern void corm_nested_value_of(Jsonb *document, JsonbValue *value);
extern Jsonb *corm_nested_document(const JsonbValue *value);
extern bool corm_nested_is_given(const NestedObject *object, int field);
extern void corm_nested_read(NestedWrite *write, CormModel *model, JsonbContainer *container, NestedObject *object);
extern bool corm_nested_is_object(const JsonbValue *value);
extern bool corm_nested_is_array(const JsonbValue *value);
extern Jsonb *corm_nested_row_document(const NestedObject *object, const NestedColumns *columns, bool array);
extern JsonbValue *corm_nested_push_row(JsonbParseState **state, const NestedObject *object,
										const NestedColumns *columns, JsonbValue *column_values);
extern void corm_nested_wrong_kind(NestedWrite *write, CormModel *model, CormRelation *relation,
								   const char *expected) pg_attribute_noreturn();

/* nested_find.c */
extern void corm_nested_read_target(NestedWrite *write, CormRelation *relation, CormModel *model,
									JsonbValue *value, const NestedPath *path, NestedTarget *target);
extern const NestedKey *corm_nested_exact_key(NestedWrite *write, const NestedObject *object);
extern void corm_nested_find(NestedWrite *write, NestedTarget *targets, int n, CormModel *model,
							 Bitmapset *fields, bool missing_ok);
extern Jsonb *corm_nested_find_one(NestedWrite *write, const NestedObject *object, const NestedKey *key,
								   Bitmapset *fields, bool lock);
extern void corm_nested_write_eq(CormWriter *w, const char *name, const CormField *field, Datum value);
extern Jsonb *corm_nested_run_json(CormWriter *w);

/* nested.c */
extern void corm_nested_targets(NestedWrite *write, CormRelation *relation, CormModel *model,
								NestedTarget *targets, int n, const NestedCondition *condition);

/* nested_links.c */
extern void corm_nested_link(NestedWrite *write, CormModel *model, Jsonb *row, CormRelation *relation,
							 NestedTarget *targets, int n, const NestedCondition *condition);
extern void corm_nested_check_related(NestedWrite *write, CormModel *model, Jsonb *row,
									  CormRelation *relation, int n);

#endif							/* CORM_EXEC_NESTED_H */
