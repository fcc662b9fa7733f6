/*-------------------------------------------------------------------------
 *
 * new_id.h
 *		Random IDs of definitions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_NEW_ID_H
#define CORM_BASE_NEW_ID_H

#include "postgres.h"

extern uint64 corm_new_id(uint64 least);

#endif							/* CORM_BASE_NEW_ID_H */
