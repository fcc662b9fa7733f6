/*-------------------------------------------------------------------------
 *
 * define.c
 *		SQL functions that create, alter, drop, close, open and grant topics.
 *
 * They write to the tables that definitions.c describes, on behalf of users who have
 * no rights on these tables, after checks of their own: any role may create a topic,
 * and its owner (or a member of that role) may do the rest.
 *
 * Each takes the writers' lock on the name of the topic (rows.c) after it has checked
 * the rights, and then reads again what it read before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/compat.h"
#include "base/grants.h"
#include "base/new_id.h"
#include "cache/cache.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "work/topic/at_end.h"
#include "work/topic/owners.h"
#include "work/topic/rows.h"

PG_FUNCTION_INFO_V1(corm_topic_create);
PG_FUNCTION_INFO_V1(corm_topic_alter);
PG_FUNCTION_INFO_V1(corm_topic_drop);
PG_FUNCTION_INFO_V1(corm_topic_close);
PG_FUNCTION_INFO_V1(corm_topic_open);
PG_FUNCTION_INFO_V1(corm_topic_grant);
PG_FUNCTION_INFO_V1(corm_topic_revoke);

/* check_owned raises 42501 unless the current role has the rights of a topic's owner. */
static void
check_owned(const CormTopicRef *ref)
{
	if (!corm_topic_owned(ref))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of topic \"%s\"", NameStr(ref->name))));
}

/*
 * own_topic returns the topic that the first argument names, attached, after checking
 * that the current role owns it.  The writers' lock on it is held to the end of the
 * transaction, and *rel is the table of definitions, opened.  function is the name of
 * the SQL function in messages.  Raises 25006 in a read-only transaction, 42501, 42704.
 */
static CormTopicRef *
own_topic(FunctionCallInfo fcinfo, const char *function, Relation *rel)
{
	char	   *name = corm_name_arg(fcinfo, 0, "topic name");
	CormTopicRef *ref;

	check_owned(corm_topic_ref(name));
	PreventCommandIfReadOnly(function);
	*rel = corm_topic_definitions_open(RowExclusiveLock);
	corm_topic_lock_name(*rel, name);
	ref = corm_topic_ref(name);
	check_owned(ref);
	return ref;
}

/* get_limits reads capacity, max_bytes, overflow, retention and dedup, where they are not NULL. */
static void
get_limits(FunctionCallInfo fcinfo, int first, CormTopicSettings *settings)
{
	if (!PG_ARGISNULL(first))
	{
		settings->capacity = PG_GETARG_INT32(first);
		if (settings->capacity <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("capacity must be greater than zero")));
	}
	if (!PG_ARGISNULL(first + 1))
	{
		settings->max_bytes = PG_GETARG_INT64(first + 1);
		if (settings->max_bytes < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("max_bytes must not be negative")));
	}
	if (!PG_ARGISNULL(first + 2))
	{
		char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(first + 2));

		if (!corm_overflow_parse(name, &settings->overflow))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized overflow policy \"%s\"", name),
					 errhint("Policies are error, block and drop_oldest.")));
	}
	if (!PG_ARGISNULL(first + 3))
		settings->retention = corm_span_us(PG_GETARG_INTERVAL_P(first + 3), "retention");
	if (!PG_ARGISNULL(first + 4))
		settings->dedup = corm_span_us(PG_GETARG_INTERVAL_P(first + 4), "dedup");
}

/* set_interval sets an interval of a row to an argument; zero is stored as NULL. */
static void
set_interval(FunctionCallInfo fcinfo, int argno, Datum *values, bool *nulls, int attnum, int64 us)
{
	nulls[attnum - 1] = us == 0;
	if (us != 0)
		values[attnum - 1] = PG_GETARG_DATUM(argno);
}

/* overflow_name returns the name of a policy. */
static const char *
overflow_name(CormOverflow overflow)
{
	static const char *const names[] = {"error", "block", "drop_oldest"};

	return names[overflow];
}

/* topic_create(name, durable, capacity, max_bytes, overflow, retention, dedup) -> void */
Datum
corm_topic_create(PG_FUNCTION_ARGS)
{
	char	   *name = corm_name_arg(fcinfo, 0, "topic name");
	CormTopicSettings settings = {.capacity = 1000, .overflow = CORM_OVERFLOW_ERROR};
	Datum		values[Natts_topic_definitions] = {0};
	bool		nulls[Natts_topic_definitions] = {false};
	uint64		id = corm_new_id(1);
	Relation	rel;
	CormTopicRef *ref;

	corm_work_require("a topic");
	PreventCommandIfReadOnly("corm.topic_create()");
	corm_check_new_name("topic name", name);
	settings.durable = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	get_limits(fcinfo, 2, &settings);

	rel = corm_topic_definitions_open(RowExclusiveLock);
	corm_topics_forget_roles();
	corm_topic_lock_name(rel, name);
	if (corm_topic_ref_or_null(name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("topic \"%s\" already exists", name)));

	/* A role may be dropped while it has sessions. */
	shdepLockAndCheckObject(AuthIdRelationId, GetUserId());
	values[Anum_topic_definitions_name - 1] = CStringGetTextDatum(name);
	values[Anum_topic_definitions_id - 1] = Int64GetDatum((int64) id);
	values[Anum_topic_definitions_owner - 1] = ObjectIdGetDatum(GetUserId());
	values[Anum_topic_definitions_durable - 1] = BoolGetDatum(settings.durable);
	values[Anum_topic_definitions_capacity - 1] = Int32GetDatum(settings.capacity);
	values[Anum_topic_definitions_max_bytes - 1] = Int64GetDatum(settings.max_bytes);
	nulls[Anum_topic_definitions_max_bytes - 1] = settings.max_bytes == 0;
	values[Anum_topic_definitions_overflow - 1] = CStringGetTextDatum(overflow_name(settings.overflow));
	set_interval(fcinfo, 5, values, nulls, Anum_topic_definitions_retention, settings.retention);
	set_interval(fcinfo, 6, values, nulls, Anum_topic_definitions_dedup, settings.dedup);
	values[Anum_topic_definitions_closed - 1] = BoolGetDatum(false);
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	corm_topic_changed(rel);

	ref = corm_topic_ref(name);
	corm_at_end_topic_made(ref);
	corm_topic_attach(ref);
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

/* topic_alter(name, capacity, max_bytes, overflow, retention, dedup) -> void; NULL leaves a setting as it is */
Datum
corm_topic_alter(PG_FUNCTION_ARGS)
{
	Relation	rel;
	CormTopicRef *ref = own_topic(fcinfo, "corm.topic_alter()", &rel);
	CormTopicSettings settings = ref->settings;
	uint64		id = ref->id;
	HeapTuple	tuple;
	Datum		values[Natts_topic_definitions];
	bool		nulls[Natts_topic_definitions];

	get_limits(fcinfo, 1, &settings);
	corm_topic_attach(ref);
	tuple = corm_topic_find_row(rel, NameStr(ref->name));
	heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
	values[Anum_topic_definitions_capacity - 1] = Int32GetDatum(settings.capacity);
	values[Anum_topic_definitions_max_bytes - 1] = Int64GetDatum(settings.max_bytes);
	nulls[Anum_topic_definitions_max_bytes - 1] = settings.max_bytes == 0;
	values[Anum_topic_definitions_overflow - 1] = CStringGetTextDatum(overflow_name(settings.overflow));
	if (!PG_ARGISNULL(4))
		set_interval(fcinfo, 4, values, nulls, Anum_topic_definitions_retention, settings.retention);
	if (!PG_ARGISNULL(5))
		set_interval(fcinfo, 5, values, nulls, Anum_topic_definitions_dedup, settings.dedup);
	CatalogTupleUpdate(rel, &tuple->t_self, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	corm_topic_changed(rel);
	table_close(rel, NoLock);
	corm_at_end_topic_settings(id, &settings);
	PG_RETURN_VOID();
}

/* topic_drop(name) -> void */
Datum
corm_topic_drop(PG_FUNCTION_ARGS)
{
	Relation	rel;
	CormTopicRef *ref = own_topic(fcinfo, "corm.topic_drop()", &rel);
	HeapTuple	tuple = corm_topic_find_row(rel, NameStr(ref->name));

	corm_topic_remove(rel, tuple);
	corm_topic_changed(rel);
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

/* set_closed does the work of topic_close and topic_open, whose argument it takes. */
static void
set_closed(FunctionCallInfo fcinfo, bool closed)
{
	Relation	rel;
	CormTopicRef *ref = own_topic(fcinfo, closed ? "corm.topic_close()" : "corm.topic_open()", &rel);
	CormTopicSettings settings = ref->settings;
	uint64		id = ref->id;
	HeapTuple	tuple;
	Datum		values[Natts_topic_definitions] = {0};
	bool		nulls[Natts_topic_definitions] = {false};
	bool		replace[Natts_topic_definitions] = {false};

	if (settings.closed == closed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 closed ? errmsg("topic \"%s\" is already closed", NameStr(ref->name)) :
				 errmsg("topic \"%s\" is already open", NameStr(ref->name))));
	corm_topic_attach(ref);
	tuple = corm_topic_find_row(rel, NameStr(ref->name));
	values[Anum_topic_definitions_closed - 1] = BoolGetDatum(closed);
	replace[Anum_topic_definitions_closed - 1] = true;
	tuple = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replace);
	CatalogTupleUpdate(rel, &tuple->t_self, tuple);
	corm_topic_changed(rel);
	table_close(rel, NoLock);
	settings.closed = closed;
	corm_at_end_topic_settings(id, &settings);
}

/* topic_close(name) -> void */
Datum
corm_topic_close(PG_FUNCTION_ARGS)
{
	set_closed(fcinfo, true);
	PG_RETURN_VOID();
}

/* topic_open(name) -> void */
Datum
corm_topic_open(PG_FUNCTION_ARGS)
{
	set_closed(fcinfo, false);
	PG_RETURN_VOID();
}

static const CormPrivilegeNames privilege_names = {
	"topic", {"publish", "receive"}, "Topic privileges are publish and receive."
};

/* change_grant does the work of topic_grant and topic_revoke, whose arguments it takes. */
static void
change_grant(FunctionCallInfo fcinfo, bool grant)
{
	Relation	rel;
	Relation	grants;
	CormTopicRef *ref;
	int			privileges;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("grantee and privileges must not be null")));
	privileges = corm_privileges_arg(fcinfo, 2, &privilege_names);
	ref = own_topic(fcinfo, grant ? "corm.topic_grant()" : "corm.topic_revoke()", &rel);
	grants = corm_topic_grants_open(RowExclusiveLock);
	corm_grants_change(grants, pstrdup(NameStr(ref->name)), PG_GETARG_OID(1), grant, privileges);
	table_close(grants, NoLock);
	corm_topic_changed(rel);
	table_close(rel, NoLock);
}

/* topic_grant(topic, grantee, privileges) -> void */
Datum
corm_topic_grant(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, true);
	PG_RETURN_VOID();
}

/* topic_revoke(topic, grantee, privileges) -> void */
Datum
corm_topic_revoke(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, false);
	PG_RETURN_VOID();
}
