/*-------------------------------------------------------------------------
 *
 * cast.h
 *		Conversion of one value to another type, as SQL would do it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_CAST_H
#define CORM_MODEL_CAST_H

#include "postgres.h"

typedef struct CormCast CormCast;

extern CormCast *corm_cast_create(Oid source, Oid target, int32 typmod, bool is_explicit);
extern CormCast *corm_cast_create_text(Oid target, int32 typmod);
extern Datum corm_cast_apply(CormCast *cast, Datum value, bool *isnull);

#endif							/* CORM_MODEL_CAST_H */
