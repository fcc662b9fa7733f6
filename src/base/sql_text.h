/*-------------------------------------------------------------------------
 *
 * sql_text.h
 *		SQL text that is not the client's statement: parsing it, and errors in it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_SQL_TEXT_H
#define CORM_BASE_SQL_TEXT_H

#include "lib/stringinfo.h"
#include "parser/parser.h"
#include "utils/elog.h"

extern void corm_push_sql_errors(ErrorContextCallback *callback, const char *sql);
extern void corm_sql_settings(StringInfo buf);
extern List *corm_parse_sql(const char *sql, RawParseMode mode);

#endif							/* CORM_BASE_SQL_TEXT_H */
