/*-------------------------------------------------------------------------
 *
 * depend.c
 *		What the queries and expressions of corm's catalogs depend on.
 *
 * A stored scope or condition refers to types and relations by OID, and
 * contains values, all in bytes opaque to PostgreSQL.  pg_depend cannot track
 * a row of a table.  So event triggers do for these rows what pg_depend does
 * for a view.  Dropping an object that a row needs fails, or deletes the row
 * with CASCADE.  Altering a row type fails if it would make a stored value of
 * that type unreadable.
 *
 * A row can still be broken, by a restore or while event triggers were
 * disabled.  That does no harm: the triggers consider only objects that the
 * current command dropped or altered.  corm.models and corm.model_problems
 * report broken rows, and using one is an error.
 *
 * Columns of these types in user tables are not tracked, just as PostgreSQL
 * does not track columns of type regclass.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "base/schema.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "model/catalogs.h"
#include "model/list.h"
#include "model/problems.h"
#include "nodes/parsenodes.h"
#include "query/query.h"
#include "query/value/layout.h"
#include "query/value/node.h"
#include "query/value/tree.h"
#include "query/value/walk.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(corm_on_stored_drop);
PG_FUNCTION_INFO_V1(corm_on_stored_alter);

/*
 * Called for each type and relation that a value refers to, until it returns
 * true.  class is pg_type or pg_class.  value is NULL unless the part is a
 * bound value that is not NULL.
 */
typedef bool (*PartCallback) (Oid class, Oid oid, const CormValue *value, void *arg);

typedef struct PartWalk
{
	const CormValue *values;
	PartCallback callback;
	void	   *arg;
	const char *broken;			/* why the first lost value was lost, or NULL */
} PartWalk;

/* A row of one of corm's catalogs. */
typedef struct StoredRow
{
	Relation	catalog;
	HeapTuple	tuple;
	Oid			model;
	const char *kind;			/* what it is: a scope, ... */
	const char *name;
} StoredRow;

typedef void (*StoredCallback) (StoredRow *row, const CormNode *node, void *arg);

/* An object that the command has dropped or altered. */
typedef struct EventObject
{
	Oid			class;
	Oid			oid;
	char	   *name;			/* of a dropped one: "type public.mood" */
} EventObject;

/* Calls back for the node's OID argument with this letter, if it has one. */
static bool
part_of_letter(PartWalk *walk, CormTree *tree, char letter, Oid class)
{
	const char *arg = strchr(tree->desc->args, letter);

	return arg && walk->callback(class, tree->args[arg - tree->desc->args].oid, NULL, walk->arg);
}

/*
 * Calls back for a node and its parts; context is a PartWalk.  Returns true if
 * the callback returned true.
 */
static bool
part_walker(CormTree *tree, void *context)
{
	PartWalk   *walk = context;

	if (tree->tag == CORM_N_VALUE)
		return walk->callback(TypeRelationId, tree->typid, &walk->values[tree->valno], walk->arg);
	if (tree->tag == CORM_N_BROKEN && walk->broken == NULL)
		walk->broken = tree->args[0].str;
	return part_of_letter(walk, tree, 'r', RelationRelationId) ||
		corm_tree_walker(tree, part_walker, walk) ||
		part_of_letter(walk, tree, 'y', TypeRelationId);
}

/*
 * Calls back for all parts of a value.  Returns the reason recorded in its
 * first BROKEN node, or NULL.  Raises XX001 for corrupt bytes.
 */
static const char *
walk_parts(const CormNode *node, PartCallback callback, void *arg)
{
	CormValue  *values = palloc(sizeof(CormValue) * (node->nvalues + 1));
	PartWalk	walk = {.values = values, .callback = callback, .arg = arg};

	(void) corm_values_read(node, values, node->nvalues);
	(void) corm_trees_walker(corm_tree_show(node, values), part_walker, &walk);
	return walk.broken;
}

/*
 * Fills in the row's model, name and kind.  Returns false if the catalog has
 * no column model or name.
 */
static bool
identify_row(StoredRow *row)
{
	TupleDesc	desc = RelationGetDescr(row->catalog);
	AttrNumber	model = get_attnum(RelationGetRelid(row->catalog), "model");
	AttrNumber	name = get_attnum(RelationGetRelid(row->catalog), "name");
	const char *catalog = RelationGetRelationName(row->catalog);
	bool		isnull;

	if (model == InvalidAttrNumber || name == InvalidAttrNumber)
		return false;
	row->model = DatumGetObjectId(heap_getattr(row->tuple, model, desc, &isnull));
	row->name = TextDatumGetCString(heap_getattr(row->tuple, name, desc, &isnull));
	row->kind = strcmp(catalog, "scopes") == 0 ? "scope" :
		strcmp(catalog, "declared_relations") == 0 ? "relation" : catalog;
	return true;
}

/*
 * Calls back for each query and expression stored in corm's catalogs, with
 * each catalog locked in lockmode.  AccessShareLock is released after each
 * catalog; a stronger lock is held until the end of the transaction.  The
 * callback runs in the caller's memory context.
 */
static void
each_stored(LOCKMODE lockmode, StoredCallback callback, void *arg)
{
	Oid			query_type = corm_query_type_oid();
	Oid			expr_type = corm_expr_type_oid();
	const char *relname;

	for (int i = 0; (relname = corm_catalogs_name(i)) != NULL; i++)
	{
		Relation	catalog = corm_catalog_open(relname, lockmode, NULL);
		TupleDesc	desc;
		Snapshot	snapshot;
		SysScanDesc scan;
		StoredRow	row = {.catalog = catalog};

		if (catalog == NULL)
			continue;
		desc = RelationGetDescr(catalog);
		snapshot = RegisterSnapshot(GetLatestSnapshot());
		scan = systable_beginscan(catalog, InvalidOid, false, snapshot, 0, NULL);
		while (HeapTupleIsValid(row.tuple = systable_getnext(scan)))
		{
			CHECK_FOR_INTERRUPTS();
			row.name = NULL;
			for (int att = 1; att <= desc->natts; att++)
			{
				Oid			typid = TupleDescAttr(desc, att - 1)->atttypid;
				bool		isnull;
				Datum		value;

				if (TupleDescAttr(desc, att - 1)->attisdropped || (typid != query_type && typid != expr_type))
					continue;
				value = heap_getattr(row.tuple, att, desc, &isnull);
				if (isnull || (row.name == NULL && !identify_row(&row)))
					continue;
				callback(&row, typid == query_type ? CormPGGetQuery(value) : CormPGGetExpr(value), arg);
			}
		}
		systable_endscan(scan);
		UnregisterSnapshot(snapshot);
		table_close(catalog, lockmode == AccessShareLock ? lockmode : NoLock);
	}
}

static char *
row_description(const StoredRow *row)
{
	return psprintf("%s \"%s\" of model \"%s\"", row->kind, row->name, get_rel_name(row->model));
}

/*
 * Returns whether the extension exists.  The command that fired the event
 * trigger may have dropped it.
 */
static bool
is_installed(void)
{
	return OidIsValid(corm_catalog_oid("scopes"));
}

/*
 * Broken rows
 */

static bool
find_problem(Oid class, Oid oid, const CormValue *value, void *arg)
{
	const char **problem = arg;

	if (value)
		*problem = corm_value_problem(value);
	else if (class == RelationRelationId && !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(oid)))
		*problem = "A relation that it names does not exist any more.";
	else if (class == TypeRelationId && !get_typisdefined(oid))
		*problem = "A type that it names does not exist any more.";
	return *problem != NULL;
}

static const char *
problem_of(const CormNode *node)
{
	const char *problem = NULL;
	const char *lost = walk_parts(node, find_problem, &problem);

	return problem ? problem : lost;
}

static void
report_row(StoredRow *row, const CormNode *node, void *arg)
{
	const char *problem = problem_of(node);

	if (problem)
		corm_problem_add(arg, row->model, row->kind, row->name, problem,
						 "Define it anew, or drop it.");
}

static void
report_stored(CormProblems *problems)
{
	each_stored(AccessShareLock, report_row, problems);
}

static void
note_row(StoredRow *row, const CormNode *node, void *arg)
{
	List	  **broken = arg;
	const char *problem = problem_of(node);
	CormStoredProblem *noted;

	if (problem == NULL)
		return;
	noted = palloc(sizeof(CormStoredProblem));
	noted->model = row->model;
	noted->problem = psprintf("%s \"%s\" cannot be used: %s", row->kind, row->name, problem);
	*broken = lappend(*broken, noted);
}

/*
 * Returns the CormStoredProblem list for corm.models, in the current context.
 */
static List *
list_stored_problems(void)
{
	List	   *broken = NIL;

	each_stored(AccessShareLock, note_row, &broken);
	return broken;
}

/*
 * DROP
 */

/* A part that no longer exists, and the row that refers to it. */
typedef struct MissingPart
{
	char	   *catalog;
	ItemPointerData tid;
	char	   *description;
	Oid			class;
	Oid			oid;
} MissingPart;

typedef struct MissingParts
{
	StoredRow  *row;
	List	   *parts;			/* of MissingPart */
	bool		asked;			/* dropped has been filled in */
	List	   *dropped;		/* of EventObject */
	Oid		   *oids;			/* theirs, in order */
	int			noids;
} MissingParts;

static List *event_objects(const char *sql);

/*
 * PartCallback: appends a MissingPart to missing->parts if the type or
 * relation no longer exists.  Allocates in the current context.  Built-in
 * types are not checked.  Returns false, to visit all parts.
 */
static bool
note_missing_part(Oid class, Oid oid, const CormValue *value, void *arg)
{
	MissingParts *missing = arg;
	MissingPart *part;

	if (class == TypeRelationId ? oid < FirstNormalObjectId || get_typisdefined(oid) :
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(oid)))
		return false;
	part = palloc(sizeof(MissingPart));
	part->catalog = pstrdup(RelationGetRelationName(missing->row->catalog));
	part->tid = missing->row->tuple->t_self;
	part->description = row_description(missing->row);
	part->class = class;
	part->oid = oid;
	missing->parts = lappend(missing->parts, part);
	return false;
}

/*
 * Fills in what the command dropped, with the OIDs sorted for bsearch.
 */
static void
ask_dropped(MissingParts *missing)
{
	List	   *oids = NIL;
	ListCell   *lc;

	missing->asked = true;
	missing->dropped = event_objects("SELECT d.classid, d.objid, pg_catalog.concat(d.object_type, ' ', d.object_identity) "
									 "FROM pg_catalog.pg_event_trigger_dropped_objects() d ORDER BY NOT d.original");
	foreach(lc, missing->dropped)
	{
		EventObject *object = lfirst(lc);

		if (object->class == RelationRelationId || object->class == TypeRelationId)
			oids = lappend_oid(oids, object->oid);
	}
	list_sort(oids, list_oid_cmp);
	missing->oids = palloc(sizeof(Oid) * (list_length(oids) + 1));
	foreach(lc, oids)
	{
		missing->oids[missing->noids++] = lfirst_oid(lc);
	}
	list_free(oids);
}

static int
compare_oids(const void *a, const void *b)
{
	Oid			x = *(const Oid *) a;
	Oid			y = *(const Oid *) b;

	return x < y ? -1 : x > y;
}

/*
 * Returns whether a value may refer to a dropped object, by looking for one of
 * the dropped OIDs anywhere in its shape.  This is a cheap filter: reading the
 * tree of every stored value would slow down every DROP in a database with
 * many of them.
 */
static bool
may_have_dropped(const CormNode *node, const MissingParts *missing)
{
	const char *shape = CormNodeShape(node);

	if (missing->noids == 0)
		return false;
	for (uint32 i = 0; i + sizeof(Oid) <= node->shape_len; i++)
	{
		Oid			oid;

		memcpy(&oid, shape + i, sizeof(Oid));
		if (oid >= missing->oids[0] && oid <= missing->oids[missing->noids - 1] &&
			bsearch(&oid, missing->oids, missing->noids, sizeof(Oid), compare_oids) != NULL)
			return true;
	}
	return false;
}

static void
note_missing(StoredRow *row, const CormNode *node, void *arg)
{
	MissingParts *missing = arg;

	if (!missing->asked)
		ask_dropped(missing);
	if (!may_have_dropped(node, missing))
		return;
	missing->row = row;
	(void) walk_parts(node, note_missing_part, missing);
}

/*
 * Runs a query over one of the event trigger functions and returns its rows as
 * a list of EventObject, allocated in the current context.
 */
static List *
event_objects(const char *sql)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	List	   *objects = NIL;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not ask for the objects of an event");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		MemoryContext spicontext;
		EventObject *object;
		bool		isnull;
		char	   *name = SPI_getvalue(tuple, desc, 3);

		spicontext = MemoryContextSwitchTo(oldcontext);
		object = palloc(sizeof(EventObject));
		object->class = DatumGetObjectId(SPI_getbinval(tuple, desc, 1, &isnull));
		object->oid = DatumGetObjectId(SPI_getbinval(tuple, desc, 2, &isnull));
		object->name = pstrdup(name ? name : "");
		objects = lappend(objects, object);
		MemoryContextSwitchTo(spicontext);
	}
	SPI_finish();
	return objects;
}

static EventObject *
find_dropped(List *dropped, const MissingPart *part)
{
	ListCell   *lc;

	foreach(lc, dropped)
	{
		EventObject *object = lfirst(lc);

		if (object->class == part->class && object->oid == part->oid)
			return object;
	}
	return NULL;
}

/* Returns whether the command drops dependent objects, too: CASCADE. */
static bool
cascades(Node *command)
{
	ListCell   *lc;

	switch (nodeTag(command))
	{
		case T_DropStmt:
			return ((DropStmt *) command)->behavior == DROP_CASCADE;
		case T_DropOwnedStmt:
			return ((DropOwnedStmt *) command)->behavior == DROP_CASCADE;
		case T_AlterTableStmt:
			foreach(lc, ((AlterTableStmt *) command)->cmds)
			{
				if (lfirst_node(AlterTableCmd, lc)->behavior == DROP_CASCADE)
					return true;
			}
			return false;
		default:
			return false;
	}
}

/* Returns whether the command drops only objects that no query refers to. */
static bool
drops_no_parts(Node *command)
{
	if (!IsA(command, DropStmt))
		return false;
	switch (((DropStmt *) command)->removeType)
	{
		case OBJECT_INDEX:
		case OBJECT_POLICY:
		case OBJECT_RULE:
		case OBJECT_STATISTIC_EXT:
		case OBJECT_TRIGGER:
			return true;
		default:
			return false;
	}
}

/* Returns whether one of the parts belongs to the same row. */
static bool
row_is_in(List *parts, MissingPart *part)
{
	ListCell   *lc;

	foreach(lc, parts)
	{
		MissingPart *other = lfirst(lc);

		if (strcmp(other->catalog, part->catalog) == 0 && ItemPointerEquals(&other->tid, &part->tid))
			return true;
	}
	return false;
}

/*
 * Deletes the catalog row that refers to a missing part, with a NOTICE, and
 * sends a relcache invalidation.  Does nothing if the row is already gone.
 * The caller must do CommandCounterIncrement().  RowExclusiveLock on the
 * catalog is held until the end of the transaction.
 */
static void
delete_row(const MissingPart *part)
{
	Relation	catalog = corm_catalog_open(part->catalog, RowExclusiveLock, NULL);
	Snapshot	snapshot;
	TM_FailureData failure;
	ItemPointerData tid = part->tid;

	if (catalog == NULL)
		return;
	/* another session may just have deleted it */
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	if (table_tuple_delete(catalog, &tid, GetCurrentCommandId(true), snapshot, InvalidSnapshot,
						   true, &failure, false) == TM_Ok)
		ereport(NOTICE, (errmsg("drop cascades to %s", part->description)));
	UnregisterSnapshot(snapshot);
	CacheInvalidateRelcache(catalog);
	table_close(catalog, NoLock);
}

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
 * corm_on_stored_drop is the event trigger for sql_drop.  If a row of corm's
 * catalogs refers to a type or relation that was just dropped, it raises
 * 2BP01, or deletes the row if the command has CASCADE.  Event triggers fire
 * in name order, so the rows of dropped models are already gone.
 */
Datum
corm_on_stored_drop(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = event_data(fcinfo);
	MissingParts missing = {0};
	List	   *deleted = NIL;	/* of MissingPart */
	ListCell   *lc;

	if (!is_installed() || drops_no_parts(data->parsetree))
		PG_RETURN_NULL();
	each_stored(RowExclusiveLock, note_missing, &missing);
	if (missing.parts == NIL)
		PG_RETURN_NULL();

	foreach(lc, missing.parts)
	{
		MissingPart *part = lfirst(lc);
		EventObject *object = find_dropped(missing.dropped, part);

		if (object == NULL || row_is_in(deleted, part))
			continue;
		if (!cascades(data->parsetree))
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot drop %s because other objects depend on it",
							((EventObject *) linitial(missing.dropped))->name),
					 errdetail("%s depends on %s.", part->description, object->name),
					 errhint("Use DROP ... CASCADE to drop the dependent objects too.")));
		delete_row(part);
		deleted = lappend(deleted, part);
	}
	CommandCounterIncrement();
	PG_RETURN_NULL();
}

/*
 * ALTER
 */

/* Returns whether values of the type contain rows of one of the relations. */
static bool
has_rows_of(Oid typid, List *relids)
{
	Oid			rowtype = corm_layout_row_type(typid);
	TupleDesc	desc;
	bool		found;

	check_stack_depth();
	if (!OidIsValid(rowtype))
		return false;
	if (list_member_oid(relids, get_typ_typrelid(rowtype)))
		return true;
	desc = lookup_rowtype_tupdesc_copy(rowtype, -1);
	found = false;
	for (int i = 0; i < desc->natts && !found; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
			TupleDescAttr(desc, i)->atttypid >= FirstNormalObjectId)
			found = has_rows_of(TupleDescAttr(desc, i)->atttypid, relids);
	FreeTupleDesc(desc);
	return found;
}

typedef struct ChangedPart
{
	char	   *description;
	Oid			typid;
} ChangedPart;

static bool
find_changed_part(Oid class, Oid oid, const CormValue *value, void *arg)
{
	Oid		   *typid = arg;

	if (value == NULL || oid < FirstNormalObjectId || !get_typisdefined(oid) ||
		corm_value_problem(value) == NULL)
		return false;
	*typid = oid;
	return true;
}

/*
 * StoredCallback: appends a ChangedPart to the list in arg if the node has a
 * value that its type can no longer read.  Allocates in the current context.
 */
static void
note_changed(StoredRow *row, const CormNode *node, void *arg)
{
	List	  **changed = arg;
	Oid			typid = InvalidOid;
	ChangedPart *part;
	CormValue  *values = palloc(sizeof(CormValue) * (node->nvalues + 1));
	int			nvalues = corm_values_read(node, values, node->nvalues);

	/* No need to read the tree: bound values are all we check here. */
	for (int i = 0; i < nvalues; i++)
		if (find_changed_part(TypeRelationId, values[i].typid, &values[i], &typid))
			break;
	pfree(values);
	if (!OidIsValid(typid))
		return;
	part = palloc(sizeof(ChangedPart));
	part->typid = typid;
	part->description = row_description(row);
	*changed = lappend(*changed, part);
}

/*
 * corm_on_stored_alter is the event trigger for ALTER TYPE and ALTER TABLE.
 * It raises 0A000 if a row of corm's catalogs contains a value of an altered
 * row type that can no longer be read.  PostgreSQL does the same for columns.
 */
Datum
corm_on_stored_alter(PG_FUNCTION_ARGS)
{
	List	   *changed = NIL;
	List	   *relids = NIL;
	ListCell   *lc;

	(void) event_data(fcinfo);
	if (!is_installed())
		PG_RETURN_NULL();
	each_stored(AccessShareLock, note_changed, &changed);
	if (changed == NIL)
		PG_RETURN_NULL();

	foreach(lc, event_objects("SELECT c.classid, c.objid, NULL "
							  "FROM pg_catalog.pg_event_trigger_ddl_commands() c"))
	{
		EventObject *object = lfirst(lc);

		if (object->class == RelationRelationId)
			relids = list_concat_unique_oid(relids, find_all_inheritors(object->oid, NoLock, NULL));
	}
	foreach(lc, changed)
	{
		ChangedPart *part = lfirst(lc);

		if (has_rows_of(part->typid, relids))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot alter type %s because %s has a value of it",
							format_type_be(part->typid), part->description),
					 errhint("Drop it, and define it again with a value of the altered type.")));
	}
	PG_RETURN_NULL();
}

/* corm_depend_init registers the callbacks that report broken rows. */
void
corm_depend_init(void)
{
	corm_problems_register(report_stored);
	corm_stored_problems_hook = list_stored_problems;
}
