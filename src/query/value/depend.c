/*-------------------------------------------------------------------------
 *
 * depend.c
 *		What the queries and expressions of corm's catalogs depend on.
 *
 * A scope or a condition names types and relations by OID, and holds values of
 * types, in bytes that PostgreSQL cannot look into; and a row of a table is no
 * object that pg_depend could know.  So event triggers do what its dependencies
 * do for a view: a DROP of what such a row needs is refused, or takes the row
 * along with CASCADE; and a type of which it holds a row is not altered in a
 * way that leaves the row unreadable.
 *
 * What is broken nevertheless (restored so, or made so with event triggers
 * turned off) does no harm: the triggers look only for what the command
 * at hand has dropped or altered.  corm.models and corm.model_problems tell of
 * it, and using it is an error.
 *
 * Columns of these types in tables of users are not looked at, as PostgreSQL
 * does not look into columns of type regclass.
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
 * Called for each part of a value that something can have become of; stops at
 * the first for which it returns true.  class is pg_type or pg_class; value is
 * NULL unless it is a bound value, NULLs being none.
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

/* Calls back for the OID that a node has as an argument of a letter, if it has one. */
static bool
part_of_letter(PartWalk *walk, CormTree *tree, char letter, Oid class)
{
	const char *arg = strchr(tree->desc->args, letter);

	return arg && walk->callback(class, tree->args[arg - tree->desc->args].oid, NULL, walk->arg);
}

/* Calls back for a node and its parts; context is a PartWalk.  True: the callback has found what it looks for. */
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
 * Calls back for the parts of a value.  Returns why a value that it once had is
 * lost, or NULL.
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
 * Fills in what the row is called; false if the catalog's rows are about no
 * model, or have no name.
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
 * Calls back for each query and expression that a row of corm's catalogs has.
 * Memory that the callback allocates lasts until the caller's context goes.
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
 * Whether the extension is there: an event trigger's command may be what has
 * dropped it.
 */
static bool
is_installed(void)
{
	return OidIsValid(corm_catalog_oid("scopes"));
}

/*
 * What is broken
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

/* The list of CormStoredProblem that corm.models shows. */
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

/* A part that does not exist any more, and the row that has it. */
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
	bool		asked;			/* what was dropped is known */
	List	   *dropped;		/* of EventObject */
	Oid		   *oids;			/* theirs, in order */
	int			noids;
} MissingParts;

static List *event_objects(const char *sql);

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
 * Asks what the command has dropped.
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
		missing->oids[missing->noids++] = lfirst_oid(lc);
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
 * Whether a value may have a part that was dropped: its shape holds the OIDs of
 * all that it names, somewhere.  To read the tree of each that is stored would
 * make every DROP of everybody slow where one role has stored many.
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
 * Runs one of the functions that tell an event trigger what it is about, and
 * returns the objects, allocated in the current context.
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

/* Whether the command takes along what depends on what it drops. */
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
				if (lfirst_node(AlterTableCmd, lc)->behavior == DROP_CASCADE)
					return true;
			return false;
		default:
			return false;
	}
}

/* Whether the command can only drop what no query names. */
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

/* Whether the row is that of one of the parts. */
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

static void
delete_row(const MissingPart *part)
{
	Relation	catalog = corm_catalog_open(part->catalog, RowExclusiveLock, NULL);
	Snapshot	snapshot;
	TM_FailureData failure;
	ItemPointerData tid = part->tid;

	if (catalog == NULL)
		return;
	/* another session may have deleted it just now */
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
 * corm_on_stored_drop is the event trigger for sql_drop: raises 2BP01 if a row
 * of corm's catalogs has a type or a relation that has just been dropped, or
 * deletes the row if the command cascades.  The rows of dropped models are gone
 * already: triggers come in the order of their names.
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

/* Whether a row of one of the relations is part of values of the type. */
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

static void
note_changed(StoredRow *row, const CormNode *node, void *arg)
{
	List	  **changed = arg;
	Oid			typid = InvalidOid;
	ChangedPart *part;
	CormValue  *values = palloc(sizeof(CormValue) * (node->nvalues + 1));
	int			nvalues = corm_values_read(node, values, node->nvalues);

	/* Not the tree: all values are here, and there may be many to look at. */
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
 * corm_on_stored_alter is the event trigger for ALTER TYPE and ALTER TABLE:
 * raises 0A000 if a row of corm's catalogs holds a row of what was altered, and
 * it cannot be read any more.  PostgreSQL does the same for columns.
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
					 errhint("Drop it, and define it anew with a value of the altered type.")));
	}
	PG_RETURN_NULL();
}

/* corm_depend_init registers what tells of broken rows. */
void
corm_depend_init(void)
{
	corm_problems_register(report_stored);
	corm_stored_problems_hook = list_stored_problems;
}
