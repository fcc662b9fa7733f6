/*-------------------------------------------------------------------------
 *
 * rowtypes.h
 *		Statements of users whose result is a row type.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_ROWTYPES_H
#define CORM_MODEL_ROWTYPES_H

#include "postgres.h"

extern void corm_rowtypes_init(void);
extern void corm_watch_row_type(Oid relid, int natts);

#endif							/* CORM_MODEL_ROWTYPES_H */
