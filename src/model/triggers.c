/*-------------------------------------------------------------------------
 *
 * triggers.c
 *		Triggers that keep models and corm's catalogs true.
 *
 * PostgreSQL sends no invalidation message for COMMENT, which is where tags
 * are, so an event trigger sends one.  Another removes the rows of corm's
 * catalogs that are about a dropped relation: left behind they would mean
 * another relation one day.  And a trigger on each catalog announces writes
 * that do not come from corm's functions, such as those of pg_restore, and
 * leaves out rows about what does not exist (refs.c).
 *
 * All three run in the session of the user who executes the command, and need
 * no privilege of that user.
 *
 * Event triggers are not told of temporary tables that go with their session
 * or transaction, or by DISCARD.  The object access hook is.  It also collects
 * which relations a command drops, for the event trigger.  A session in which
 * the library is loaded only by that trigger has not seen them, and looks for
 * rows without a relation instead.
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
#include "base/drops.h"
#include "base/schema.h"
#include "base/xact_end.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "model/catalogs.h"
#include "model/triggers.h"
#include "nodes/parsenodes.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* Relations that are dropped. */
typedef struct Dropped
{
	int			n;
	int			size;
	Oid		   *relids;			/* NULL if there are none */
	bool		going;			/* they are still there: no need to look */
} Dropped;

static Dropped dropped_relations;	/* of the command, since an event trigger
									 * was called */
static bool drops_seen = false; /* the hook has been in place for a DROP */

static EventTriggerData *event_data(FunctionCallInfo fcinfo);
static void invalidate_relation(Oid relid);
static void invalidate_type(Oid typid);
static void invalidate_commented(const ObjectAddress *address);
static Oid	type_of_corm(const char *name);
static int	compare_oids(const void *a, const void *b);
static bool is_dropped(const Dropped *relations, Oid relid);
static bool is_dangling(Relation catalog, HeapTuple tuple, Oid reftype, const Dropped *dropped,
						List **others);
static void delete_dangling(Relation catalog, Oid reftype, const Dropped *dropped);
static void forget_relations(const Dropped *dropped);
static void forget_dropped(void);
static void note_dropped(Oid relid);
static HeapTuple resolve_row(Relation catalog, HeapTuple tuple);

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
 * invalidate_type announces that a type without a relation, such as an enum,
 * has changed: other extensions read tags in its comment.
 */
static void
invalidate_type(Oid typid)
{
	Relation	catalog = table_open(TypeRelationId, AccessShareLock);
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(typid));

	if (HeapTupleIsValid(tuple))
	{
		CacheInvalidateHeapTuple(catalog, tuple, NULL);
		ReleaseSysCache(tuple);
	}
	table_close(catalog, AccessShareLock);
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
	else if (address->classId == TypeRelationId && OidIsValid(get_typ_typrelid(address->objectId)))
		invalidate_relation(get_typ_typrelid(address->objectId));
	else if (address->classId == TypeRelationId)
		invalidate_type(address->objectId);
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
	corm_catalogs_changed();
	if (rel != NULL)
		relation_close(rel, NoLock);

	PG_RETURN_NULL();
}

/*
 * type_of_corm returns the OID of a type of corm's, or InvalidOid.
 */
static Oid
type_of_corm(const char *name)
{
	Oid			schema = corm_schema_oid();

	return OidIsValid(schema) ?
		GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name), ObjectIdGetDatum(schema)) :
		InvalidOid;
}

/*
 * compare_oids orders OIDs.
 */
static int
compare_oids(const void *a, const void *b)
{
	Oid			x = *(const Oid *) a;
	Oid			y = *(const Oid *) b;

	return x < y ? -1 : x > y;
}

/*
 * is_dropped returns whether a relation is one of those dropped, or, if it is
 * not known which these are, does not exist.
 */
static bool
is_dropped(const Dropped *relations, Oid relid)
{
	if (relations != NULL &&
		bsearch(&relid, relations->relids, relations->n, sizeof(Oid), compare_oids) == NULL)
		return false;

	/* A DROP that was rolled back is in the list, too. */
	return (relations != NULL && relations->going) ||
		!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid));
}

/*
 * is_dangling returns whether a row refers to a dropped relation by a column
 * of type corm.relation_ref.  The others that it refers to are returned in
 * *others.
 */
static bool
is_dangling(Relation catalog, HeapTuple tuple, Oid reftype, const Dropped *dropped, List **others)
{
	TupleDesc	desc = RelationGetDescr(catalog);
	bool		dangling = false;

	*others = NIL;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Oid			relid;
		bool		isnull;

		if (att->attisdropped || att->atttypid != reftype)
			continue;
		relid = DatumGetObjectId(heap_getattr(tuple, i + 1, desc, &isnull));
		if (isnull)
			continue;
		if (is_dropped(dropped, relid))
			dangling = true;
		else
			*others = lappend_oid(*others, relid);
	}
	if (!dangling)
		list_free(*others);

	return dangling;
}

/*
 * delete_dangling deletes the rows of one of corm's catalogs that refer to a
 * dropped relation.
 *
 * A row that another session is changing is passed over: nobody waits here for
 * the owner of another model.  If that session does not delete it, it refers
 * to a relation that is not there, which is an error where the row is used,
 * and no dump has it.  It goes with the next relation.
 */
static void
delete_dangling(Relation catalog, Oid reftype, const Dropped *dropped)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		List	   *others;
		ListCell   *lc;
		TM_FailureData failure;

		CHECK_FOR_INTERRUPTS();
		if (!is_dangling(catalog, tuple, reftype, dropped, &others))
			continue;
		table_tuple_delete(catalog, &tuple->t_self, GetCurrentCommandId(true),
						   snapshot, InvalidSnapshot, false, &failure, false);
		foreach(lc, others)
		{
			invalidate_relation(lfirst_oid(lc));
		}
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
}

/*
 * forget_relations deletes the rows of all catalogs that refer to dropped
 * relations; NULL: to such as do not exist.
 */
static void
forget_relations(const Dropped *dropped)
{
	Oid			reftype = type_of_corm("relation_ref");
	const char *relname;

	if (!OidIsValid(reftype))
		return;
	for (int i = 0; (relname = corm_catalogs_name(i)) != NULL; i++)
	{
		/* Nothing is left of the extension when it is what was dropped. */
		Relation	catalog = corm_catalog_open(relname, RowExclusiveLock, NULL);

		if (catalog == NULL)
			continue;
		delete_dangling(catalog, reftype, dropped);
		table_close(catalog, NoLock);
	}
}

/*
 * forget_dropped empties the list of dropped relations.
 */
static void
forget_dropped(void)
{
	dropped_relations.n = 0;
	if (dropped_relations.relids != NULL)
		pfree(dropped_relations.relids);
	dropped_relations.relids = NULL;
}

/*
 * note_dropped adds to the list of dropped relations.
 */
static void
note_dropped(Oid relid)
{
	Dropped    *dropped = &dropped_relations;

	if (dropped->relids == NULL)
	{
		dropped->size = 16;
		dropped->relids = MemoryContextAlloc(TopMemoryContext, sizeof(Oid) * dropped->size);
	}
	else if (dropped->n == dropped->size)
	{
		dropped->relids = repalloc_huge(dropped->relids, sizeof(Oid) * dropped->size * 2);
		dropped->size *= 2;
	}
	dropped->relids[dropped->n++] = relid;
}

/*
 * on_drop notes which relations are dropped, and deletes what is
 * stored about a temporary one.
 */
static void
on_drop(Oid class_id, Oid object_id, int sub_id)
{
	drops_seen = true;
	corm_xact_needs_end();
	if (class_id != RelationRelationId || sub_id != 0)
		return;

	if (corm_catalogs_temporary() && get_rel_persistence(object_id) == RELPERSISTENCE_TEMP)
	{
		Dropped		dropped = {.n = 1, .relids = &object_id, .going = true};

		forget_relations(&dropped);
	}
	else
		note_dropped(object_id);
}

/*
 * transaction_ended empties the list of dropped relations.  Raises nothing.
 */
static void
transaction_ended(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		forget_dropped();
}

/* Whether there is nothing to forget. */
static bool
nothing_dropped(void)
{
	return dropped_relations.n == 0;
}

/*
 * corm_triggers_init waits for drops.  Called once, from corm_model_init.
 */
void
corm_triggers_init(void)
{
	corm_on_drop(on_drop);
	corm_on_xact_end(transaction_ended, nothing_dropped);
}

PG_FUNCTION_INFO_V1(corm_on_sql_drop);
Datum		corm_on_sql_drop(PG_FUNCTION_ARGS);

/*
 * corm_on_sql_drop is the event trigger for sql_drop.
 */
Datum
corm_on_sql_drop(PG_FUNCTION_ARGS)
{
	Dropped    *dropped = &dropped_relations;

	event_data(fcinfo);
	if (!drops_seen)
		forget_relations(NULL);
	else if (dropped->n > 0)
	{
		qsort(dropped->relids, dropped->n, sizeof(Oid), compare_oids);
		forget_relations(dropped);
		forget_dropped();
	}
	drops_seen = true;
	CommandCounterIncrement();

	PG_RETURN_NULL();
}

/*
 * resolve_row looks at the references of a row that is being written to a
 * catalog.  NULL leaves it out: it is about a relation or role that does not
 * exist.  A cache without its owner goes to the current user, as a table does
 * in a restore.
 */
static HeapTuple
resolve_row(Relation catalog, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(catalog);
	Oid			relation_ref = type_of_corm("relation_ref");
	Oid			role_ref = type_of_corm("role_ref");

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		int			attnum = i + 1;
		Datum		value;
		bool		isnull;

		if (att->attisdropped || (att->atttypid != relation_ref && att->atttypid != role_ref))
			continue;
		value = heap_getattr(tuple, attnum, desc, &isnull);
		if (isnull || DatumGetObjectId(value) != CORM_MISSING_REF)
			continue;
		if (strcmp(NameStr(att->attname), "owner") != 0)
			return NULL;
		value = ObjectIdGetDatum(GetUserId());
		tuple = heap_modify_tuple_by_cols(tuple, desc, 1, &attnum, &value, &isnull);
	}
	return tuple;
}

PG_FUNCTION_INFO_V1(corm_on_catalog_change);
Datum		corm_on_catalog_change(PG_FUNCTION_ARGS);

/*
 * corm_on_catalog_change is the trigger on corm's catalogs, before each row and
 * before TRUNCATE: what sessions have made of them is invalid, such as every
 * model.  The message is sent when the command has ended.
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
	corm_catalogs_changed();

	/* Not SQL nulls: a trigger returns a pointer. */
	if (TRIGGER_FIRED_FOR_STATEMENT(data->tg_event) || TRIGGER_FIRED_AFTER(data->tg_event))
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
		return PointerGetDatum(data->tg_trigtuple);
	return PointerGetDatum(resolve_row(data->tg_relation,
									   TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple));
}
