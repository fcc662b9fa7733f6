/*-------------------------------------------------------------------------
 *
 * value.h
 *		Values: any datum to flat bytes and back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_VALUE_H
#define CORM_CACHE_VALUE_H

#include "cache/shared/table.h"
#include "fmgr.h"

/* What a session knows of a type. */
typedef struct CormCachedType
{
	Oid			type;
	uint64		generation;
	int16		len;
	bool		byval;
	bool		exists;
	bool		storable;
	uint32		check;			/* fingerprint of the layout, or 0 */
	FmgrInfo	output;
	MemoryContext context;		/* of what the output function keeps */
	bool		is_text;		/* text, or stored like it */
} CormCachedType;

extern void corm_cached_init(void);
extern CormCachedType *corm_cached_type(Oid type);
extern void corm_cached_flatten(Datum datum, Oid type, CormCached *value);
extern Datum corm_cached_datum(const CormCached *value, CormCachedType *info);
extern text *corm_cached_text(const CormCached *value);
extern bool corm_cached_usable(const CormCached *value);

#endif							/* CORM_CACHE_VALUE_H */
