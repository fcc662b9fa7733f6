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

/* parts of expressions, which only the files that write expressions need */
extern bool corm_deparse_is_bare(CormDeparse *ctx, const char *name, Oid left, Oid right);
extern void corm_deparse_operand(CormDeparse *ctx, CormTree *tree);
extern void corm_deparse_param(CormDeparse *ctx, CormTree *value, Oid typid, CormParamForm form);
extern void corm_deparse_null(CormDeparse *ctx, CormTree *tree);
extern Oid	corm_array_param_type(CormTree *value, Oid met);
extern void corm_deparse_meets(CormDeparse *ctx, CormTree *left);

/* calls.c */
extern void corm_deparse_args(CormDeparse *ctx, List *args);
extern void corm_deparse_leaky_args(CormDeparse *ctx, List *args);
extern void corm_deparse_direction(CormDeparse *ctx, CormTree *tree);
extern void corm_deparse_filter_where(CormDeparse *ctx, CormTree *condition);
extern void corm_deparse_function(CormDeparse *ctx, CormTree *tree, List *order);
extern void corm_deparse_aggregate(CormDeparse *ctx, CormTree *tree, List *order);
extern void corm_deparse_ordered_aggregate(CormDeparse *ctx, CormTree *tree, List *order);
extern void corm_deparse_window(CormDeparse *ctx, List *partition, List *order, const char *frame);
extern void corm_deparse_over_clauses(CormDeparse *ctx, CormTree *tree);
extern void corm_deparse_case(CormDeparse *ctx, CormTree *tree);

/* comparison.c */
extern void corm_deparse_compare(CormDeparse *ctx, CormTree *tree);

/* search.c */
extern bool corm_matches_words(CormTree *tree);
extern void corm_deparse_matches_words(CormDeparse *ctx, CormTree *tree);
extern void corm_deparse_search(CormDeparse *ctx, CormTree *tree);

#endif							/* CORM_SQL_EXPR_H */
