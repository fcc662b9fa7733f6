/*-------------------------------------------------------------------------
 *
 * rows.h
 *		Whether a table has rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOOLS_ROWS_H
#define CORM_TOOLS_ROWS_H

#include "postgres.h"

extern bool corm_has_rows(Oid relid);
extern bool corm_has_nulls(Oid relid, const char *column);

#endif							/* CORM_TOOLS_ROWS_H */
