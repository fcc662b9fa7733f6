/*-------------------------------------------------------------------------
 *
 * raw_columns.h
 *		The columns of raw statements.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_RAW_COLUMNS_H
#define CORM_RESOLVE_RAW_COLUMNS_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern void corm_raw_describe(CormStmt *stmt);
extern bool corm_raw_reads(CormStmt *stmt);
extern Oid	corm_raw_column_type(CormStmt *stmt, const char *name);

#endif							/* CORM_RESOLVE_RAW_COLUMNS_H */
