/*-------------------------------------------------------------------------
 *
 * grants.c
 *		Privileges on what corm keeps: rows in a table for each kind of object.
 *
 * Caches, pools and topics each have such a table, whose columns are those of grants.h.  A
 * grantee that has no privilege has no row; PUBLIC is ACL_ID_PUBLIC.  Owners have all
 * privileges, which is for the callers to know.
 *
 * The callers have checked the rights, and have the writers' lock on the name of the object.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "base/grants.h"
#include "base/schema.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

/* corm_privileges_arg reads an array of names of privileges, which must not be NULL.  Raises 22023 for an unknown one, 22004 for NULL. */
int
corm_privileges_arg(FunctionCallInfo fcinfo, int argno, const CormPrivilegeNames *names)
{
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	int			privileges = 0;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argno), TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *name;
		int			privilege = 0;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s privilege must not be null", names->object),
					 errhint("%s", names->hint)));
		name = TextDatumGetCString(elems[i]);
		for (int j = 0; j < CORM_NUM_PRIVILEGES; j++)
		{
			if (strcmp(name, names->names[j]) == 0)
				privilege = 1 << j;
		}
		if (privilege == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized %s privilege \"%s\"", names->object, name),
					 errhint("%s", names->hint)));
		privileges |= privilege;
	}
	return privileges;
}

/* Begins a scan of the rows of an object. */
static SysScanDesc
begin_scan(Relation rel, const char *name)
{
	ScanKeyData key;

	ScanKeyInit(&key, Anum_grants_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	return systable_beginscan(rel, corm_primary_key_index(rel), true, NULL, 1, &key);
}

/* Returns what a row grants, and to whom. */
static int
read_row(Relation rel, HeapTuple tuple, Oid *grantee)
{
	Datum		values[Natts_grants];
	bool		nulls[Natts_grants];
	int			privileges = 0;

	heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
	*grantee = DatumGetObjectId(values[Anum_grants_grantee - 1]);
	for (int i = 0; i < CORM_NUM_PRIVILEGES; i++)
	{
		if (DatumGetBool(values[Anum_grants_first - 1 + i]))
			privileges |= 1 << i;
	}
	return privileges;
}

static bool
is_grantee(Oid role, Oid grantee)
{
	return role == grantee;
}

static bool
holds_grant(Oid role, Oid grantee)
{
	return grantee == ACL_ID_PUBLIC || has_privs_of_role(role, grantee);
}

/* Returns what was granted on an object to those grantees that count for a role. */
static int
granted(Relation rel, const char *name, Oid role, bool (*counts) (Oid role, Oid grantee))
{
	SysScanDesc scan = begin_scan(rel, name);
	HeapTuple	tuple;
	int			privileges = 0;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			grantee;
		int			row = read_row(rel, tuple, &grantee);

		if (counts(role, grantee))
			privileges |= row;
	}
	systable_endscan(scan);
	return privileges;
}

/* corm_grants_of returns what was granted on an object to a grantee itself, not through PUBLIC or other roles. */
int
corm_grants_of(Relation rel, const char *name, Oid grantee)
{
	return granted(rel, name, grantee, is_grantee);
}

/* corm_grants_held returns what was granted on an object to a role, to PUBLIC and to roles that it is a member of. */
int
corm_grants_held(Relation rel, const char *name, Oid role)
{
	return granted(rel, name, role, holds_grant);
}

/* corm_grants_set makes privileges those that a grantee has on an object. */
void
corm_grants_set(Relation rel, const char *name, Oid grantee, int privileges)
{
	SysScanDesc scan = begin_scan(rel, name);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			to;

		(void) read_row(rel, tuple, &to);
		if (to == grantee)
			CatalogTupleDelete(rel, &tuple->t_self);
	}
	systable_endscan(scan);
	if (privileges != 0)
	{
		Datum		values[Natts_grants] = {CStringGetTextDatum(name), ObjectIdGetDatum(grantee)};
		bool		nulls[Natts_grants] = {false};

		for (int i = 0; i < CORM_NUM_PRIVILEGES; i++)
			values[Anum_grants_first - 1 + i] = BoolGetDatum((privileges & (1 << i)) != 0);
		CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	}
	CommandCounterIncrement();
}

/*
 * corm_grants_change grants privileges on an object, or revokes them.  The grantee is locked
 * against being dropped.  Raises 42704 if it is no role, but privileges of a role that was
 * dropped in another database can be revoked.
 */
void
corm_grants_change(Relation rel, const char *name, Oid grantee, bool grant, int privileges)
{
	int			has = corm_grants_of(rel, name, grantee);

	if (OidIsValid(grantee) && (grant || has == 0))
	{
		(void) GetUserNameFromId(grantee, false);	/* raises if it is no role */
		shdepLockAndCheckObject(AuthIdRelationId, grantee);
	}
	corm_grants_set(rel, name, grantee, grant ? has | privileges : has & ~privileges);
}

/*
 * corm_grants_drop deletes what was granted on an object to the roles that a change is about,
 * or to all for NULL.  Returns whether there was anything.
 */
bool
corm_grants_drop(Relation rel, const char *name, const CormRoleChange *change)
{
	SysScanDesc scan = begin_scan(rel, name);
	HeapTuple	tuple;
	bool		any = false;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			to;

		(void) read_row(rel, tuple, &to);
		if (change != NULL && !corm_role_concerned(change, to))
			continue;
		CatalogTupleDelete(rel, &tuple->t_self);
		any = true;
	}
	systable_endscan(scan);
	CommandCounterIncrement();
	return any;
}
