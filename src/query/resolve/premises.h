/*-------------------------------------------------------------------------
 *
 * premises.h
 *		What a statement takes for granted of its values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_PREMISES_H
#define CORM_RESOLVE_PREMISES_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern List *corm_premises_begin(void);
extern List *corm_premises_end(List *outer);
extern bool corm_premise(CormPremiseKind kind, const CormTree *a, const CormTree *b);

#endif							/* CORM_RESOLVE_PREMISES_H */
