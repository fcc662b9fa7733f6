/*-------------------------------------------------------------------------
 *
 * expr.h
 *		Writing expressions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_SQL_EXPR_H
#define CORM_SQL_EXPR_H

#include "postgres.h"

#include "query/sql/deparse.h"

extern void corm_deparse_expr(CormDeparse *ctx, CormTree *tree);
extern void corm_deparse_output_expr(CormDeparse *ctx, CormTree *tree);
extern void corm_deparse_and(CormDeparse *ctx, List *conditions);
extern void corm_deparse_column(CormDeparse *ctx, CormRange *range, CormField *field,
								const char *column);
extern void corm_deparse_seen_column(CormDeparse *ctx, CormRange *range, CormField *field,
									 const char *column);
extern void corm_deparse_value_for(CormDeparse *ctx, CormTree *value, CormModel *model,
								   CormField *field);
extern void corm_deparse_raw(CormDeparse *ctx, const char *sql, List *args);
extern void corm_deparse_operator(CormDeparse *ctx, const char *name, const char *keyword,
								  Oid left, Oid right);

#endif							/* CORM_SQL_EXPR_H */
