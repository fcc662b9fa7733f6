/*-------------------------------------------------------------------------
 *
 * grants.h
 *		Privileges on what corm keeps: rows in a table for each kind of object.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_GRANTS_H
#define CORM_BASE_GRANTS_H

#include "base/owners.h"
#include "fmgr.h"
#include "utils/relcache.h"

/* Columns of such a table: name, grantee, and a boolean for each privilege. */
#define Anum_grants_name		1
#define Anum_grants_grantee		2
#define Anum_grants_first		3
#define CORM_NUM_PRIVILEGES		2
#define Natts_grants			(Anum_grants_first + CORM_NUM_PRIVILEGES - 1)

/* A set of privileges has a bit for each column. */
#define CORM_PRIVILEGE_1		1
#define CORM_PRIVILEGE_2		2
#define CORM_PRIVILEGES_ALL		(CORM_PRIVILEGE_1 | CORM_PRIVILEGE_2)

/* What a kind of object and the privileges on it are called. */
typedef struct CormPrivilegeNames
{
	const char *object;			/* "cache" */
	const char *names[CORM_NUM_PRIVILEGES];
	const char *hint;			/* "Cache privileges are read and write." */
} CormPrivilegeNames;

extern int	corm_privileges_arg(FunctionCallInfo fcinfo, int argno, const CormPrivilegeNames *names);
extern int	corm_grants_of(Relation rel, const char *name, Oid grantee);
extern int	corm_grants_held(Relation rel, const char *name, Oid role);
extern void corm_grants_set(Relation rel, const char *name, Oid grantee, int privileges);
extern void corm_grants_change(Relation rel, const char *name, Oid grantee, bool grant, int privileges);
extern bool corm_grants_drop(Relation rel, const char *name, const CormRoleChange *change);

#endif							/* CORM_BASE_GRANTS_H */
