/*-------------------------------------------------------------------------
 *
 * request.h
 *		What is wanted of a statement, and the SQL that it becomes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_SQL_REQUEST_H
#define CORM_SQL_REQUEST_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "query/value/tree.h"

typedef enum CormParamForm
{
	CORM_PARAM_PLAIN,
	CORM_PARAM_CONTAINS,		/* a LIKE pattern made of a literal text */
	CORM_PARAM_STARTS,
	CORM_PARAM_ENDS,
	CORM_PARAM_JSON,			/* a value of JSON, which the type of the
								 * parameter contains */
	CORM_PARAM_ARRAYS			/* a list of arrays, each as text */
} CormParamForm;

/*
 * What a $n that is NULL would mean where it stands.  A value that is NULL is
 * written another way, so this is for values that are not known.
 */
typedef enum CormNullTest
{
	CORM_NULL_PLAIN,			/* what NULL means there in SQL */
	CORM_NULL_EQ,				/* right operand of "=": IS NULL */
	CORM_NULL_NEQ,				/* right operand of "<>": IS NOT NULL */
	CORM_NULL_OTHER				/* something else, or not the same everywhere */
} CormNullTest;

/* A $n of the SQL. */
typedef struct CormParam
{
	int			valno;			/* index of the bound value */
	const CormValue *constant;	/* or the value itself */
	Oid			typid;			/* its declared type; UNKNOWNOID: to be
								 * inferred */
	CormParamForm form;
	Oid			listed;			/* PARAM_ARRAYS: the type of the arrays */
	const char *model;			/* for error messages: what it meets */
	const char *field;
	bool		from_filter;	/* a value of a filter from outside */
	CormNullTest null_test;
} CormParam;

typedef enum CormOutput
{
	CORM_OUTPUT_ROWS,			/* rows of a row type, in its attributes'
								 * order */
	CORM_OUTPUT_VALUE,			/* one column, cast to a type */
	CORM_OUTPUT_JSON,			/* an array of objects, as one jsonb or json */
	CORM_OUTPUT_JSON_ROW,		/* the first object */
	CORM_OUTPUT_COUNT,
	CORM_OUTPUT_EXISTS,
	CORM_OUTPUT_PAGE,			/* objects and their cursors, one more than
								 * the limit */
	CORM_OUTPUT_RESTORE,		/* not the query, but an update that undeletes
								 * its rows */
	CORM_OUTPUT_NATIVE			/* whatever the query says; no rows for a
								 * write without returning */
} CormOutput;

typedef struct CormDeparseRequest
{
	CormOutput	output;
	Oid			typid;			/* ROWS, VALUE: the type; JSON, JSON_ROW:
								 * json, or else jsonb */
	TupleDesc	tupdesc;		/* ROWS: its row descriptor */
	int			limit;			/* at most so many rows are wanted; 0: all */
	bool		order_by_key;	/* order by primary key unless ordered */
	bool		path_is_safe;	/* pg_catalog is searched first: see
								 * corm_search_path_is_safe */
	Bitmapset  *rows_fields;	/* INSERT with rows(): fields that they give */
	int			nrows;			/* of them, if they are an array; 0: any number */
	bool		whole;			/* JSON, JSON_ROW: with hidden fields */
	bool		written;		/* the rows have just been written, so
								 * after_find is not called */
} CormDeparseRequest;

typedef struct CormDeparsed
{
	char	   *sql;
	int			nparams;
	CormParam  *params;
	bool		returns_rows;
	char	   *order_hash;		/* PAGE: what its cursors carry */
	bool		uses_search_path;	/* it has names that the search_path finds */
	char	   *conflict_hint;	/* upsert: the keys that there are, or NULL */
	bool		meets_hidden;	/* it compares or sets a hidden field: values
								 * are not to be shown */
	List	   *tables;			/* Oids: those it names for a range, as often
								 * as it does */
} CormDeparsed;

#endif							/* CORM_SQL_REQUEST_H */
