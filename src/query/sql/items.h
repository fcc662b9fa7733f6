/*-------------------------------------------------------------------------
 *
 * items.h
 *		The output columns of a statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_SQL_ITEMS_H
#define CORM_SQL_ITEMS_H

#include "postgres.h"

#include "query/sql/deparse.h"

/* An output column of the statement that is written. */
typedef struct CormItem
{
	char	   *name;			/* output name */
	CormRange  *range;			/* a column of this range ... */
	CormField  *field;			/* ... this field */
	char	   *column;			/* ... or this column of a subquery */
	CormTree   *tree;			/* or an expression */
	Oid			cast;			/* cast to this type, if valid */
	int32		cast_typmod;
	CormPreload *preload;		/* or rows of a relation */
	bool		is_key;			/* what a preload joins by, or a page is
								 * ordered by */
	bool		quiet;			/* its name is not needed in the output ... */
	bool		aliased;		/* ... but other clauses may refer to it */
	bool		left_out;		/* an attribute that is not part of the model */
	bool		hidden;			/* a hidden field that no builder has named */
} CormItem;

extern List *corm_items_own(CormStmt *stmt);
extern List *corm_items_shown(CormStmt *stmt);
extern bool corm_items_hide(List *items);
extern List *corm_items_row(CormStmt *stmt, const CormDeparseRequest *request);
extern List *corm_items_native(CormStmt *stmt);
extern List *corm_items_json(CormStmt *stmt, bool whole);
extern List *corm_items_value(CormStmt *stmt, Oid typid);
extern bool corm_is_left_out(Oid row_type, AttrNumber attnum);
extern void corm_deparse_check(CormDeparse *ctx, CormStmt *stmt);
extern void corm_deparse_items(CormDeparse *ctx, List *items);

#endif							/* CORM_SQL_ITEMS_H */
