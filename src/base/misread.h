/*-------------------------------------------------------------------------
 *
 * misread.h
 *		Statements that most likely mean something else.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_MISREAD_H
#define CORM_BASE_MISREAD_H

#include "nodes/parsenodes.h"

extern void corm_warn_of_misread(const Query *query);

#endif							/* CORM_BASE_MISREAD_H */
