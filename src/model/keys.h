/*-------------------------------------------------------------------------
 *
 * keys.h
 *		Foreign keys, primary keys and unique indexes from the catalogs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_KEYS_H
#define CORM_MODEL_KEYS_H

#include "postgres.h"

#include "access/attnum.h"
#include "nodes/pg_list.h"

typedef struct CormForeignKey
{
	Oid			oid;
	char	   *name;
	Oid			relid;			/* the table that has it */
	Oid			target;			/* the table that it refers to */
	char	   *schema_name;
	char	   *table_name;
	char	   *target_name;
	int			nkeys;
	AttrNumber	keys[INDEX_MAX_KEYS];
	AttrNumber	target_keys[INDEX_MAX_KEYS];
	bool		required;		/* every row of the table has its target */
	bool		unique;			/* no two rows have the same;
								 * corm_foreign_keys_to only */
	List	   *tags;			/* of CormTag */
	char	   *first_name[2];	/* relations_build.c: what it is called
								 * without and with tags, once asked for */
} CormForeignKey;

extern List *corm_foreign_keys_of(Oid relid, bool is_own);
extern List *corm_foreign_keys_to(Oid relid);
extern bool corm_columns_are_unique(Oid relid, int ncolumns, const AttrNumber *columns);
extern List *corm_primary_key_columns(Oid relid);
extern List *corm_unique_keys(Oid relid, AttrNumber soft_delete);

#endif							/* CORM_MODEL_KEYS_H */
