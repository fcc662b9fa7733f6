/*-------------------------------------------------------------------------
 *
 * relations_build.h
 *		The list of a model's relations: made from keys and declarations.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_RELATIONS_BUILD_H
#define CORM_MODEL_RELATIONS_BUILD_H

#include "model/relations.h"

typedef struct CormRelations
{
	List	   *list;			/* of CormRelation */
	uint64		epoch;			/* of the registry when it was made */
	int			ndepends;
	Oid		   *depends;		/* relations that it was made of */
	MemoryContext context;
} CormRelations;

extern CormRelations *corm_relations_build(CormModel *model, MemoryContext keep);

#endif							/* CORM_MODEL_RELATIONS_BUILD_H */
