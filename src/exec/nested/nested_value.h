/*-------------------------------------------------------------------------
 *
 * nested_value.h
 *		Nested writes: positions in the document, key values, required column values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_NESTED_VALUE_H
#define CORM_EXEC_NESTED_VALUE_H

#include "base/compat.h"
#include "exec/rows/json_value.h"
#include "query/query.h"

/* A position in the document, as a list from the inside out. */
typedef struct NestedPath
{
	const struct NestedPath *up;	/* NULL: the document itself */
	const char *key;			/* a member of an object ... */
	int			index;			/* ... or, if that is NULL, an element of an
								 * array; -1: the document */
} NestedPath;

/* A nested write in progress. */
typedef struct NestedWrite
{
	const NestedPath *path;		/* of what is being written, NULL: the whole
								 * document */
	ErrorContextCallback callback;
	List	   *known;			/* models whose keys have been read:
								 * nested_find.c */
} NestedWrite;

/* A value that a column of a row must have. */
typedef struct NestedColumn
{
	int			field;			/* index */
	Datum		value;			/* of the field's type, not null */
	const char *by;				/* source of the value, for messages */
} NestedColumn;

typedef struct NestedColumns
{
	CormModel  *model;
	int			n;
	int			size;
	NestedColumn *items;
} NestedColumns;

/* What the declared condition of a relation requires of the rows that it relates. */
typedef struct NestedCondition
{
	NestedColumns own;			/* of the model that has the relation */
	NestedColumns target;
	NestedColumns link;			/* of the join table, if there is one */
	bool		whole;			/* it requires nothing else */
} NestedCondition;

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

#endif							/* CORM_EXEC_NESTED_VALUE_H */
