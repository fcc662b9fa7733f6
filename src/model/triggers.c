/*-------------------------------------------------------------------------
 *
 * triggers.c
 *		Triggers that keep models and corm's catalogs true.
 *
 * PostgreSQL sends no invalidation message for COMMENT, which is where tags
 * are, so an event trigger sends one.  Another removes the rows of corm's
 * catalogs that are about a dropped relation: left behind they would be dumped
 * as bare numbers, and mean another relation one day.  And a statement trigger
 * on each catalog announces writes that do not come from corm's functions,
 * such as those of pg_restore.
 *
 * All three run in the session of whoever executes the command, and need no
 * privilege of that user.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "model/model.h"
#include "nodes/parsenodes.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

static EventTriggerData *event_data(FunctionCallInfo fcinfo);
static void invalidate_relation(Oid relid);
static void invalidate_commented(const ObjectAddress *address);
static bool is_dangling(Relation catalog, HeapTuple tuple, List **others);
static void delete_dangling(Relation catalog, Snapshot snapshot);

/*
 * event_data returns what an event trigger is called for.
 */
static EventTriggerData *
event_data(FunctionCallInfo fcinfo)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by an event trigger")));
	return (EventTriggerData *) fcinfo->context;
}

/*
 * invalidate_relation announces that the model of a relation has changed, if
 * the relation exists.
 */
static void
invalidate_relation(Oid relid)
{
	if (OidIsValid(relid) && SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		CacheInvalidateRelcacheByRelid(relid);
}

/*
 * invalidate_commented announces that the models concerned by the comment on
 * an object have changed.
 */
static void
invalidate_commented(const ObjectAddress *address)
{
	if (address->classId == RelationRelationId)
		invalidate_relation(address->objectId);
	else if (address->classId == TypeRelationId)
		invalidate_relation(get_typ_typrelid(address->objectId));
	else if (address->classId == ConstraintRelationId)
	{
		HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(address->objectId));

		if (HeapTupleIsValid(tuple))
		{
			Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

			/* A foreign key names relations of both its tables. */
			invalidate_relation(form->conrelid);
			invalidate_relation(form->confrelid);
			ReleaseSysCache(tuple);
		}
	}
}

PG_FUNCTION_INFO_V1(corm_on_comment);
Datum		corm_on_comment(PG_FUNCTION_ARGS);

/*
 * corm_on_comment is the event trigger for COMMENT.
 */
Datum
corm_on_comment(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = event_data(fcinfo);
	CommentStmt *comment;
	ObjectAddress address;
	Relation	rel;

	if (!IsA(data->parsetree, CommentStmt))
		PG_RETURN_NULL();
	comment = (CommentStmt *) data->parsetree;

	switch (comment->objtype)
	{
		case OBJECT_COLUMN:
		case OBJECT_FOREIGN_TABLE:
		case OBJECT_MATVIEW:
		case OBJECT_TABCONSTRAINT:
		case OBJECT_TABLE:
		case OBJECT_TYPE:
		case OBJECT_VIEW:
			break;
		default:
			PG_RETURN_NULL();
	}

	/* The command holds this lock already. */
	address = get_object_address(comment->objtype, comment->object, &rel,
								 ShareUpdateExclusiveLock, true);
	if (OidIsValid(address.objectId))
		invalidate_commented(&address);
	if (rel != NULL)
		relation_close(rel, NoLock);

	PG_RETURN_NULL();
}

/*
 * is_dangling returns whether a row refers to a relation that is no more: a
 * column of type regclass does.  The relations it refers to that do exist are
 * returned in *others.
 */
static bool
is_dangling(Relation catalog, HeapTuple tuple, List **others)
{
	TupleDesc	desc = RelationGetDescr(catalog);
	bool		dangling = false;

	*others = NIL;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Oid			relid;
		bool		isnull;

		if (att->attisdropped || att->atttypid != REGCLASSOID)
			continue;
		relid = DatumGetObjectId(heap_getattr(tuple, i + 1, desc, &isnull));
		if (isnull)
			continue;
		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
			*others = lappend_oid(*others, relid);
		else
			dangling = true;
	}

	return dangling;
}

/*
 * delete_dangling deletes the rows of one of corm's catalogs that refer to a
 * relation that is no more.
 *
 * Another session may have dropped the relation, and deleted the row, just
 * after the scan's snapshot was taken: then there is nothing left to do, which
 * CatalogTupleDelete would raise an error for.
 */
static void
delete_dangling(Relation catalog, Snapshot snapshot)
{
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		List	   *others;
		ListCell   *lc;
		TM_FailureData failure;

		if (!is_dangling(catalog, tuple, &others))
			continue;
		table_tuple_delete(catalog, &tuple->t_self, GetCurrentCommandId(true),
						   snapshot, InvalidSnapshot, true, &failure, false);
		foreach(lc, others)
			invalidate_relation(lfirst_oid(lc));
	}
	systable_endscan(scan);
}

PG_FUNCTION_INFO_V1(corm_on_sql_drop);
Datum		corm_on_sql_drop(PG_FUNCTION_ARGS);

/*
 * corm_on_sql_drop is the event trigger for sql_drop.  It does not ask what
 * was dropped: the catalogs have a row per registration, mostly none at all,
 * so looking for rows without a relation costs less.
 */
Datum
corm_on_sql_drop(PG_FUNCTION_ARGS)
{
	const char *relname;

	event_data(fcinfo);
	for (int i = 0; (relname = corm_registry_catalog(i)) != NULL; i++)
	{
		/* Nothing is left of the extension when it is what was dropped. */
		Relation	catalog = corm_catalog_open(relname, RowExclusiveLock, NULL);

		if (catalog != NULL)
		{
			Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

			delete_dangling(catalog, snapshot);
			UnregisterSnapshot(snapshot);
			table_close(catalog, NoLock);
		}
	}
	CommandCounterIncrement();

	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(corm_on_catalog_change);
Datum		corm_on_catalog_change(PG_FUNCTION_ARGS);

/*
 * corm_on_catalog_change is the statement trigger on corm's catalogs: what
 * sessions have made of them is invalid, such as every model.
 */
Datum
corm_on_catalog_change(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by a trigger")));
	CacheInvalidateRelcache(data->tg_relation);

	/* Not an SQL null: a trigger returns a pointer. */
	return PointerGetDatum(NULL);
}
