/*-------------------------------------------------------------------------
 *
 * layout.h
 *		The layout of row types, which stands behind a row among the values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_LAYOUT_H
#define CORM_VALUE_LAYOUT_H

#include "postgres.h"

#include "lib/stringinfo.h"

extern void corm_layout_append(StringInfo buf, Oid typid);
extern Oid	corm_layout_row_type(Oid typid);
extern bool corm_layout_matches(Oid typid, const char *words, uint32 nwords);

#endif							/* CORM_VALUE_LAYOUT_H */
