/*-------------------------------------------------------------------------
 *
 * conversion.h
 *		What it takes to give a column another type.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOOLS_CONVERSION_H
#define CORM_TOOLS_CONVERSION_H

#include "postgres.h"

typedef enum CormConversion
{
	CORM_CONVERSION_NONE,		/* it is that type */
	CORM_CONVERSION_FREE,		/* the rows stay as they are */
	CORM_CONVERSION_REWRITE,	/* every value is the same, or an error */
	CORM_CONVERSION_LOSSY,		/* values may change */
	CORM_CONVERSION_CAST,		/* the same, and only an explicit cast does it */
	CORM_CONVERSION_IMPOSSIBLE
} CormConversion;

extern CormConversion corm_conversion(Oid typid, int32 typmod, Oid collation, Oid new_typid, int32 new_typmod,
									  Oid new_collation);

#endif							/* CORM_TOOLS_CONVERSION_H */
