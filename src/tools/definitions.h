/*-------------------------------------------------------------------------
 *
 * definitions.h
 *		What is stored about models, as SQL that would store it again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOOLS_DEFINITIONS_H
#define CORM_TOOLS_DEFINITIONS_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef struct CormDefinition
{
	Oid			relid;			/* InvalidOid: of all models */
	const char *model;			/* its qualified name, "" for all models */
	const char *kind;
	const char *name;			/* with model and kind: which one */
	const char *sql;			/* makes it */
	const char *undo;			/* removes it, in this database */
} CormDefinition;

extern List *corm_definitions(void);
extern char *corm_relation_qualified(Oid relid);
extern int	corm_catalog_path(void);

#endif							/* CORM_TOOLS_DEFINITIONS_H */
