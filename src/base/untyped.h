/*-------------------------------------------------------------------------
 *
 * untyped.h
 *		Untyped parameters of a client's statement as arguments of corm's functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_UNTYPED_H
#define CORM_BASE_UNTYPED_H

#include "parser/parse_node.h"

extern void corm_untyped_init(void);
extern bool corm_has_open_params(const ParseState *pstate);
extern void corm_settle_untyped(ParseState *pstate, Query *query);
extern void corm_open_params(ParseState *pstate, Oid **types, int *n);

#endif							/* CORM_BASE_UNTYPED_H */
