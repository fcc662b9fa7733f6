/*-------------------------------------------------------------------------
 *
 * row_type.h
 *		The row descriptors of results.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_ROW_TYPE_H
#define CORM_EXEC_ROW_TYPE_H

#include "access/tupdesc.h"
#include "query/query.h"

extern TupleDesc corm_row_tupdesc(Oid typid);
extern TupleDesc corm_output_tupdesc(CormOutput output, Oid typid);

#endif							/* CORM_EXEC_ROW_TYPE_H */
