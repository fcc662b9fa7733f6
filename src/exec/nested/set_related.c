/*-------------------------------------------------------------------------
 *
 * set_related.c
 *		corm.set_related: replaces the links of a row by a given set.
 *
 * Only links that a read through the relation shows are changed; missing links are
 * added.  If the relation has a condition, we read the relation again at the end, and
 * it must show the requested rows.
 *
 * The row whose links are set is locked first.  So concurrent calls for the same row
 * are serialized, and each sees the links left by the previous one.  Other code that
 * adds a link does not need this lock and does not wait for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/args.h"
#include "base/clock.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "exec/call/run_query.h"
#include "exec/nested/nested.h"
#include "exec/nested/nested_find.h"
#include "exec/nested/nested_links.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_value.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "exec/run/sink.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/relations.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define LOCK_CLASS	0xC1		/* of advisory locks; the SQL functions use 1
								 * and 2 */

PG_FUNCTION_INFO_V1(corm_set_related);

/* Writes the condition that a link belongs to the row. */
static void
write_near(CormWriter *w, LinkSet *set)
{
	for (int i = 0; i < set->near.n; i++)
	{
		CormField  *field = &set->through->fields[set->near.items[i].field];

		corm_nested_write_eq(w, field->name, field, set->near.items[i].value);
	}
}

static void
begin_link_query(CormWriter *w, LinkSet *set, bool deleter, int nfar)
{
	corm_writer_init(w);
	corm_write_tag(w, deleter ? CORM_N_DELETER : CORM_N_SELECTOR);
	corm_write_oid(w, set->through->relid);
	if (!deleter)
		corm_write_name(w, "", 0);
	corm_write_tag(w, CORM_N_NO_DEFAULT_SCOPES);
	corm_write_tag(w, CORM_N_WHERE);
	corm_write_count(w, set->near.n + nfar);
	write_near(w, set);
}

static uint64
run_link_query(CormWriter *w, CormOutput output)
{
	CormVerb	verb = {.output = output};
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_NONE};

	corm_queries_of_node(corm_writer_finish(w, CORM_KIND_QUERY), &set);
	return corm_run_queries(&verb, &set, &sink);
}

/* Deletes a link, or restores a soft-deleted one; returns the number of rows changed. */
static uint64
change_link(LinkSet *set, const Link *link, bool deleter)
{
	CormWriter	w;

	begin_link_query(&w, set, deleter, set->nfar);
	for (int i = 0; i < set->nfar; i++)
	{
		CormField  *field = &set->through->fields[set->far[i]];

		corm_nested_write_eq(&w, field->name, field, link->far[i]);
	}
	return run_link_query(&w, deleter ? CORM_OUTPUT_NATIVE : CORM_OUTPUT_RESTORE);
}

/* Deletes links of a set, in one statement if a single column identifies them. */
static uint64
delete_links(LinkSet *set, const Link *links, int n)
{
	CormField  *field = &set->through->fields[set->far[0]];
	Oid			base = getBaseType(field->typid);
	uint64		deleted = 0;

	if (set->nfar == 1 && n > 1 && OidIsValid(get_array_type(base)))
	{
		Datum	   *values = palloc(sizeof(Datum) * n);
		CormWriter	w;
		int16		typlen;
		bool		typbyval;
		char		typalign;

		for (int i = 0; i < n; i++)
			values[i] = links[i].far[0];
		get_typlenbyvalalign(base, &typlen, &typbyval, &typalign);
		begin_link_query(&w, set, true, 1);
		corm_write_tag(&w, CORM_N_IN);
		corm_write_tag(&w, CORM_N_COLUMN);
		corm_write_name(&w, field->name, strlen(field->name));
		corm_write_value(&w, get_array_type(base), -1, false,
						 PointerGetDatum(construct_array(values, n, base, typlen, typbyval, typalign)));
		deleted = run_link_query(&w, CORM_OUTPUT_NATIVE);
	}
	else
		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			deleted += change_link(set, &links[i], true);
			corm_nested_same_model(set->through);
		}
	corm_nested_same_model(set->through);
	return deleted;
}

/* May the caller lock rows of a model? */
static bool
may_lock(CormModel *model)
{
	if (model->relkind == RELKIND_MATVIEW)
		return false;
	return pg_class_aclcheck(model->table, GetUserId(), ACL_UPDATE) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(model->table, GetUserId(), ACL_UPDATE, ACLMASK_ANY) == ACLCHECK_OK;
}

static void no_such_row(NestedWrite *write, CormModel *model) pg_attribute_noreturn();

static void
no_such_row(NestedWrite *write, CormModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no row of model \"%s\" has the key that is given", model->name),
			 errdetail("There is none, or none that can be seen.")));
}

/*
 * Finds the row with a key and locks it.  A user who may read but not change the row
 * cannot lock it.  Calls by such users are serialized by an advisory lock on the key.
 */
static Jsonb *
lock_row(NestedWrite *write, const NestedObject *object, const NestedKey *key, Bitmapset *fields)
{
	CormModel  *model = object->model;
	Jsonb	   *row = NULL;
	LOCKTAG		tag;
	uint32		hash = 0;

	if (may_lock(model))
		row = corm_nested_find_one(write, object, key, fields, true);
	if (row)
		return row;
	row = corm_nested_find_one(write, object, key, fields, false);
	if (row == NULL)
		no_such_row(write, model);
	for (int i = 0; i < model->npk; i++)
	{
		Datum		value;
		char	   *text;

		if (!corm_nested_value(model, row, model->pk[i], &value))
			continue;
		text = corm_nested_text(&model->fields[model->pk[i]], value);

		hash = hash_combine(hash, hash_bytes((unsigned char *) text, strlen(text)));
	}
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, model->table, hash, LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	row = corm_nested_find_one(write, object, key, fields, false);
	if (row == NULL)
		no_such_row(write, model);
	return row;
}

/*
 * Returns the row for an object, which must be exactly a key, with the fields that the
 * relation and its condition need.
 */
static Jsonb *
find_row(NestedWrite *write, CormModel *model, Jsonb *document, CormRelation *relation,
		 const NestedCondition *condition)
{
	NestedObject object = {.path = {NULL, NULL, -1}};
	const NestedKey *key;
	Bitmapset  *fields = NULL;

	corm_nested_read(write, model, &document->root, &object);
	key = corm_nested_require_key(write, &object);
	for (int i = 0; i < relation->nkeys; i++)
		fields = bms_add_member(fields, corm_nested_field(model, relation->columns[i]));
	for (int i = 0; i < condition->own.n; i++)
		fields = bms_add_member(fields, condition->own.items[i].field);
	for (int i = 0; i < model->npk; i++)
		if (model->pk[i] < model->nfields)
			fields = bms_add_member(fields, model->pk[i]);
	return lock_row(write, &object, key, fields);
}

/* Reads the array of targets. */
static NestedTarget *
read_targets(NestedWrite *write, CormRelation *relation, CormModel *model, CormModel *target, Jsonb *array,
			 NestedPath *paths)
{
	NestedTarget *targets = palloc(sizeof(NestedTarget) * Max(JB_ROOT_COUNT(array), 1));
	JsonbIterator *it = JsonbIteratorInit(&array->root);
	JsonbValue	element;
	int			n = 0;

	(void) JsonbIteratorNext(&it, &element, false);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		paths[n] = (NestedPath)
		{
			NULL, NULL, n
		};
		write->path = &paths[n];
		if (!corm_nested_is_object(&element))
			corm_nested_wrong_kind(write, model, relation, "objects");
		corm_nested_read_target(write, relation, target, &element, &paths[n], &targets[n]);
		n++;
	}
	write->path = NULL;
	return targets;
}

/*
 * Makes the links of a row exactly the wanted ones; returns the number of join table
 * rows changed.
 */
static int64
replace_links(NestedWrite *write, CormModel *model, Jsonb *row, CormRelation *relation, LinkSet *old,
			  LinkSet *wanted)
{
	Link	   *some = palloc(sizeof(Link) * Max(Max(old->n, wanted->n), 1));
	int64		changed = 0;
	int			n = 0;

	for (int i = 0; i < old->n; i++)
		if (!corm_links_has(wanted, &old->links[i]))
			some[n++] = old->links[i];
	CORM_FAULT("links-delete");
	if (n > 0)
		changed += delete_links(old, some, n);

	n = 0;
	for (int i = 0; i < wanted->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (corm_links_has(old, &wanted->links[i]))
			continue;
		if (old->through->soft_delete >= 0)
		{
			uint64		restored = change_link(old, &wanted->links[i], false);

			corm_nested_same_model(old->through);
			changed += restored;
			if (restored > 0)
				continue;
		}
		some[n++] = wanted->links[i];
	}
	changed += corm_links_insert(wanted, write, some, n);
	return changed;
}

/*
 * corm_set_related(model, key, relation, targets): replaces the rows that are linked to
 * the row with the given key by a many_to_many relation: afterwards they are exactly
 * the targets.  Links are added and deleted, but existing target rows are not changed.
 * Targets that are not just keys are inserted.  Returns the number of links changed.
 */
Datum
corm_set_related(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model", "the key", "the relation", "the targets"};
	NestedWrite write;
	CormModel  *model;
	CormModel  *target;
	CormRelation *relation;
	NestedCondition condition;
	Jsonb	   *key;
	Jsonb	   *row;
	Jsonb	   *array;
	NestedTarget *targets;
	NestedPath *paths;
	LinkSet		old;
	LinkSet		wanted;
	int			n;
	int64		changed;

	corm_require_args(fcinfo, names, lengthof(names));
	model = corm_model_get(PG_GETARG_OID(0));
	key = PG_GETARG_JSONB_P(1);
	relation = corm_model_relation(model, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	CORM_FAULT("links-begin");
	array = PG_GETARG_JSONB_P(3);
	if (relation->kind != CORM_MANY_TO_MANY)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("relation \"%s\" of model \"%s\" is not many_to_many", relation->name, model->name)));
	if (!JB_ROOT_IS_OBJECT(key))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key must be a JSON object")));
	corm_nested_begin(&write);
	if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
		corm_nested_wrong_kind(&write, model, relation, "an array");
	n = JB_ROOT_COUNT(array);
	corm_nested_condition(model, relation, &condition);
	target = condition.target.model;

	row = find_row(&write, model, key, relation, &condition);
	corm_nested_same_model(model);
	if (n > 0)
		corm_nested_check_row(&write, &condition.own, row);
	corm_links_read(&old, &write, model, row, relation);

	paths = palloc(sizeof(NestedPath) * Max(n, 1));
	targets = read_targets(&write, relation, model, target, array, paths);
	corm_nested_targets(&write, relation, target, targets, n, &condition);
	corm_nested_same_model(model);
	corm_nested_same_model(old.through);
	corm_links_init(&wanted, &write, model, row, relation, n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		write.path = &paths[i];
		corm_links_add(&wanted, &write, target, targets[i].row, &paths[i]);
	}
	write.path = NULL;
	corm_links_finish(&wanted);
	changed = replace_links(&write, model, row, relation, &old, &wanted);

	if (!condition.whole)
	{
		corm_nested_same_model(model);
		corm_links_read(&old, &write, model, row, relation);
		for (int i = 0; i < wanted.n; i++)
		{
			write.path = wanted.links[i].path;
			if (!corm_links_has(&old, &wanted.links[i]))
				corm_nested_not_in_relation(&write, model, relation);
		}
		write.path = NULL;
	}
	corm_nested_end(&write);
	PG_RETURN_INT64(changed);
}
