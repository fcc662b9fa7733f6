/*-------------------------------------------------------------------------
 *
 * type_sql.h
 *		Types of columns as SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOOLS_TYPE_SQL_H
#define CORM_TOOLS_TYPE_SQL_H

#include "postgres.h"

extern char *corm_type_sql(Oid typid, int32 typmod, Oid collation);

#endif							/* CORM_TOOLS_TYPE_SQL_H */
