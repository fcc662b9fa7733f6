/*-------------------------------------------------------------------------
 *
 * owners.h
 *		Roles that own what corm keeps, or have privileges on it: when they go.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_OWNERS_H
#define CORM_BASE_OWNERS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/relcache.h"

/* A column of a catalog of corm that has roles; the first columns of the catalog tell the object. */
typedef struct CormRoleColumn
{
	const char *table;
	const char *column;
	const char *what;			/* "owner of pool" */
	int			names;			/* so many columns tell the object; 2: with a dot between */
} CormRoleColumn;

/* What to do with the rows of some roles: those of a list, or those that do not exist. */
typedef struct CormRoleChange
{
	const List *roles;			/* NIL: roles that do not exist */
	Oid			new_owner;		/* of what they own; InvalidOid: drop it */
	bool		drop_grants;
} CormRoleChange;

/*
 * A part of corm whose objects have owners.  DROP ROLE is refused if a column names the role;
 * change is called after DROP OWNED and REASSIGN OWNED, which have checked the rights.  The struct must be static.
 */
typedef struct CormOwners
{
	const CormRoleColumn *columns;
	int			ncolumns;
	void		(*change) (const CormRoleChange *change);
} CormOwners;

extern void corm_owners_add(const CormOwners *owners);
extern Oid	corm_database_owner(void);
extern bool corm_role_concerned(const CormRoleChange *change, Oid role);
extern List *corm_names_concerned(List *names, Relation rel, int role_attnum, const CormRoleChange *change);

#endif							/* CORM_BASE_OWNERS_H */
