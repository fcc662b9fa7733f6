/*-------------------------------------------------------------------------
 *
 * truth.h
 *		Conditions that say nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_TRUTH_H
#define CORM_RESOLVE_TRUTH_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern bool corm_has_condition(List *clauses);

#endif							/* CORM_RESOLVE_TRUTH_H */
