/*-------------------------------------------------------------------------
 *
 * find.h
 *		The hook after_find as part of the SQL of a read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_SQL_FIND_H
#define CORM_SQL_FIND_H

#include "postgres.h"

#include "query/sql/deparse.h"

extern CormModel *corm_find_hook(Oid row_type);
extern char *corm_row_of_columns(Oid row_type, int ncolumns);
extern void corm_deparse_find_call(CormDeparse *ctx, CormModel *model, const char *row);
extern void corm_deparse_find_begin(CormDeparse *ctx, CormModel *model,
									const CormDeparseRequest *request);
extern void corm_deparse_find_end(CormDeparse *ctx, const CormDeparseRequest *request);
extern void corm_find_in_json(CormDeparse *ctx, CormStmt *stmt);
extern void corm_deparse_found_select(CormDeparse *ctx, CormStmt *stmt, List *items);

#endif							/* CORM_SQL_FIND_H */
