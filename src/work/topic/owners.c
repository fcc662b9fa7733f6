/*-------------------------------------------------------------------------
 *
 * owners.c
 *		What becomes of topics when their owners and grantees go.
 *
 * DROP ROLE is refused if the role owns topics or groups of this database or has
 * privileges on some (base/owners.c); DROP OWNED drops them, REASSIGN OWNED gives them to
 * another role.  Rows of a role that was dropped from
 * another database give rights to nobody; the next creation of a topic gives what
 * such roles owned to the owner of the database, and deletes what they were granted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/grants.h"
#include "base/owners.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "work/topic/at_end.h"
#include "work/topic/durable.h"
#include "work/topic/owners.h"
#include "work/topic/rows.h"

static const CormRoleColumn role_columns[] = {
	{"topic_definitions", "owner", "owner of topic", 1},
	{"group_definitions", "owner", "owner of group", 2},
	{"group_definitions", "session_owner", "session user of the handler of group", 2},
	{"topic_grants", "grantee", "privileges for topic", 1},
};

/* column returns a column; 0 if it is null. */
static Datum
column(Relation rel, HeapTuple tuple, int attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull);

	return isnull ? (Datum) 0 : value;
}

/* set_owner makes the new owner of a change that of a row. */
static void
set_owner(Relation rel, HeapTuple tuple, int role_attnum, const CormRoleChange *change)
{
	Datum		values[Natts_group_definitions] = {0};
	bool		nulls[Natts_group_definitions] = {false};
	bool		replace[Natts_group_definitions] = {false};

	shdepLockAndCheckObject(AuthIdRelationId, change->new_owner);
	values[role_attnum - 1] = ObjectIdGetDatum(change->new_owner);
	replace[role_attnum - 1] = true;
	tuple = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replace);
	CatalogTupleUpdate(rel, &tuple->t_self, tuple);
}

/* drop_group deletes the row of a group and gives up its memory at commit. */
static void
drop_group(CormTopicRef *topic, Relation rel, HeapTuple tuple)
{
	CormGroupRef *ref = corm_group_ref_or_null(NameStr(topic->name),
											   TextDatumGetCString(column(rel, tuple, Anum_group_definitions_grp)));

	if (ref != NULL && corm_work_available())
	{
		corm_topic_attach(topic);
		corm_group_attach(topic, ref);
		corm_at_end_group_dropped(topic, ref);
	}
	corm_durable_cursor_delete((uint64) DatumGetInt64(column(rel, tuple, Anum_group_definitions_id)));
	CatalogTupleDelete(rel, &tuple->t_self);
}

/* change_groups makes a change to the groups of a topic. */
static void
change_groups(CormTopicRef *topic, const CormRoleChange *change)
{
	Relation	rel = corm_group_definitions_open(RowExclusiveLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *tuples = NIL;
	ListCell   *lc;

	ScanKeyInit(&key, Anum_group_definitions_topic, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(NameStr(topic->name)));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (corm_role_concerned(change, DatumGetObjectId(column(rel, tuple, Anum_group_definitions_owner))) ||
			corm_role_concerned(change, DatumGetObjectId(column(rel, tuple, Anum_group_definitions_session_owner))))
			tuples = lappend(tuples, heap_copytuple(tuple));
	systable_endscan(scan);
	foreach(lc, tuples)
	{
		tuple = lfirst(lc);
		if (!OidIsValid(change->new_owner))
			drop_group(topic, rel, tuple);
		else if (corm_role_concerned(change, DatumGetObjectId(column(rel, tuple, Anum_group_definitions_owner))))
			set_owner(rel, tuple, Anum_group_definitions_owner, change);
	}
	table_close(rel, NoLock);
}

/* change_topic makes a change to a topic; the caller has the writers' lock on its name. */
static void
change_topic(Relation rel, const char *name, const CormRoleChange *change)
{
	HeapTuple	tuple = corm_topic_find_row(rel, name);
	CormTopicRef *ref = corm_topic_ref_or_null(name);

	if (!HeapTupleIsValid(tuple) || ref == NULL)
		return;
	if (corm_role_concerned(change, DatumGetObjectId(column(rel, tuple, Anum_topic_definitions_owner))))
	{
		if (!OidIsValid(change->new_owner))
		{
			corm_topic_remove(rel, tuple);
			corm_topic_changed(rel);
			return;
		}
		set_owner(rel, tuple, Anum_topic_definitions_owner, change);
	}
	change_groups(ref, change);
	if (change->drop_grants)
	{
		Relation	grants = corm_topic_grants_open(RowExclusiveLock);

		(void) corm_grants_drop(grants, name, change);
		table_close(grants, NoLock);
	}
	corm_topic_changed(rel);
}

/* apply makes a change to all topics that it concerns; it waits for transactions that change the same ones. */
static void
apply(const CormRoleChange *change)
{
	Relation	rel = corm_topic_definitions_open(RowExclusiveLock);
	List	   *names = NIL;
	ListCell   *lc;

	names = corm_names_concerned(names, corm_topic_definitions_open(AccessShareLock), Anum_topic_definitions_owner, change);
	names = corm_names_concerned(names, corm_group_definitions_open(AccessShareLock), Anum_group_definitions_owner, change);
	if (change->drop_grants)
		names = corm_names_concerned(names, corm_topic_grants_open(AccessShareLock), Anum_grants_grantee, change);
	foreach(lc, names)
	{
		corm_topic_lock_name(rel, strVal(lfirst(lc)));
		change_topic(rel, strVal(lfirst(lc)), change);
	}
	table_close(rel, NoLock);
}

/*
 * corm_topics_forget_roles gives topics and groups of roles that do not exist to the
 * owner of the database, and deletes what was granted to such roles.
 */
void
corm_topics_forget_roles(void)
{
	CormRoleChange change = {.new_owner = corm_database_owner(), .drop_grants = true};

	apply(&change);
}

/* follow makes a change, if this database has topics. */
static void
follow(const CormRoleChange *change)
{
	if (corm_have_topics())
		apply(change);
}

static const CormOwners owners = {
	.columns = role_columns,
	.ncolumns = lengthof(role_columns),
	.change = follow,
};

/* corm_topic_owners_init registers topics and groups as what roles own, when preloaded. */
void
corm_topic_owners_init(void)
{
	corm_owners_add(&owners);
}
