/*-------------------------------------------------------------------------
 *
 * ancestors.h
 *		The tables that a table is a partition of, or inherits from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_ANCESTORS_H
#define CORM_MODEL_ANCESTORS_H

#include "postgres.h"

#include "nodes/pg_list.h"

extern List *corm_add_ancestors(List *ancestors, Oid relid);

#endif							/* CORM_MODEL_ANCESTORS_H */
