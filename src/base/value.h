/*-------------------------------------------------------------------------
 *
 * value.h
 *		Values: any datum to flat bytes and back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_VALUE_H
#define CORM_BASE_VALUE_H

#include "fmgr.h"

/* What a session knows of a type. */
typedef struct CormTypeInfo
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
} CormTypeInfo;

/* A value, flat. */
typedef struct CormFlat
{
	Oid			type;
	uint32		typecheck;
	const char *data;
	uint32		len;
	uint32		tail;			/* bytes that its keeper has put behind it */
} CormFlat;

/* Secret of the fingerprints; in shared memory, if there is any. */
extern const uint64 *corm_value_seed;

extern void corm_value_init(void);
extern CormTypeInfo *corm_type_info(Oid type);
extern uint32 corm_type_layout(Oid type);
extern bool corm_type_names_objects(Oid type);
extern void corm_flat_make(Datum datum, const CormTypeInfo *info, CormFlat *value);
extern Datum corm_flat_datum(const CormFlat *value, CormTypeInfo *info);
extern bool corm_flat_usable(const CormFlat *value);

#endif							/* CORM_BASE_VALUE_H */
