/*-------------------------------------------------------------------------
 *
 * raw.h
 *		SQL text written by users.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_RAW_H
#define CORM_VALUE_RAW_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

extern void corm_raw_check_expr(const char *sql);
extern bool corm_raw_names(const char *sql, List *names);
extern char *corm_raw_check_statement(const char *sql);
extern void corm_check_raw_text(void);
extern void corm_check_function_text(const char *name);

typedef void (*CormRawParam) (void *arg, int number);
extern void corm_raw_append(StringInfo buf, const char *sql, CormRawParam param, void *arg);

#endif							/* CORM_VALUE_RAW_H */
