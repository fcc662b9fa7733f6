/*-------------------------------------------------------------------------
 *
 * deparse.h
 *		Writing statements: deparse.c, write.c and preload.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_SQL_DEPARSE_H
#define CORM_SQL_DEPARSE_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "query/resolve/stmt.h"
#include "query/sql/request.h"

/* The state of writing one statement. */
typedef struct CormDeparse
{
	StringInfo	buf;
	List	   *params;			/* of CormParam */
	List	   *tables;			/* Oids: see CormDeparsed */
	CormStmt   *stmt;			/* the statement being written */
	List	   *output;			/* of CormItem: what a union returns, in its
								 * ORDER BY */
	int			depth;			/* of subqueries; 0: the outermost statement */
	bool		path_is_safe;
	bool		bare_columns;	/* write columns without their alias */
	bool		in_condition;	/* in WHERE or ON: rows that a guard keeps
								 * away may be seen */
	bool		around_condition;	/* in a subquery of one: that holds for
									 * rows of the queries around */
	bool		pullable;		/* at the top of a condition: EXISTS becomes a
								 * join there */
	int			nexists;		/* EXISTS around this that do not */
	bool		leaky;			/* by an operator or function that could tell
								 * about them */
	bool		uses_search_path;
	int			limit;
	bool		order_by_key;
	bool		page;			/* one row more than the limit */
	bool		written;		/* the rows have just been written */
	bool		whole;			/* JSON has hidden fields, too */
	bool		meets_hidden;	/* it compares or sets a hidden field */
	bool		wants_rows;		/* the outermost statement has to return rows,
								 * even without columns */
	Bitmapset  *rows_fields;
	int			nrows;			/* of the array of rows; 0: any number */
	CormStmt   *checked;		/* a write whose checks go into the next item */
	CormModel  *met_model;		/* what the next value meets, for error
								 * messages */
	CormField  *met_field;
	bool		met_filter;		/* by a filter from outside */
	CormNullTest null_test;		/* of the next value */
} CormDeparse;

extern void corm_deparse_ctes(CormDeparse *ctx, CormStmt *stmt);
extern void corm_deparse_range(CormDeparse *ctx, CormRange *range);
extern void corm_deparse_row_count(CormDeparse *ctx, CormStmt *stmt, List *where);
extern void corm_deparse_conditions(CormDeparse *ctx, const char *keyword, List *conditions);
extern void corm_deparse_plain_select(CormDeparse *ctx, CormStmt *stmt, List *items);
extern void corm_deparse_select(CormDeparse *ctx, CormStmt *stmt, List *items);
extern void corm_deparse_subquery_value(CormDeparse *ctx, CormStmt *stmt);
extern void corm_deparse_relation(CormDeparse *ctx, CormModel *model);
extern void corm_deparse_exists(CormDeparse *ctx, const char *word, CormStmt *stmt);

/* preload.c: statements with preloads, and pages */
extern void corm_deparse_nested_select(CormDeparse *ctx, CormStmt *stmt, List *items);
extern void corm_deparse_page(CormDeparse *ctx, CormStmt *stmt);

/* write.c */
extern void corm_deparse_write(CormDeparse *ctx, CormStmt *stmt, List *returning);

#endif							/* CORM_SQL_DEPARSE_H */
