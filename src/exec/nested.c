/*-------------------------------------------------------------------------
 *
 * nested.c
 *		Nested writes: a JSON object with its parents and children.
 *
 *		{"name": "Ann", "company": {"name": "Acme"},
 *		 "orders": [{"total": 5}, {"total": 7}], "tags": [{"id": 1}, {"name": "new"}]}
 *
 * A row is written after the rows it refers to and before the rows that
 * refer to it; keys flow along the relation.  The children of one object go
 * into the table as one batch.  An object that holds just a primary key
 * stands for the row that has it: it is linked, not written.
 *
 * The hooks of a row before come ahead of its parents, the hooks after when its
 * children are written too.
 *
 * Everything happens within the caller's statement, so it is all or nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "exec/exec.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(corm_set_related);

static Jsonb *insert_objects(CormModel *model, Jsonb *data);

/*
 * JSON
 */

static Jsonb *
to_document(JsonbValue *value)
{
	return JsonbValueToJsonb(value);
}

static Jsonb *
empty_object(void)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* An object with one key set. */
static Jsonb *
with_key(Jsonb *object, const char *key, JsonbValue *value)
{
	JsonbParseState *state = NULL;
	Jsonb	   *one;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	corm_json_key(&state, key);
	pushJsonbValue(&state, WJB_VALUE, value);
	one = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(object), JsonbPGetDatum(one)));
}

static void
as_value(Jsonb *document, JsonbValue *value)
{
	value->type = jbvBinary;
	value->val.binary.data = &document->root;
	value->val.binary.len = VARSIZE(document) - VARHDRSZ;
}

static Jsonb *
array_of_one(Jsonb *object)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;

	as_value(object, &value);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	pushJsonbValue(&state, WJB_ELEM, &value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* Adds the pairs of an object to the one under construction, where a later one of the same key wins. */
static void
push_pairs(JsonbParseState **state, JsonbContainer *object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	key;
	JsonbValue	value;

	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&it, &value, true);
		pushJsonbValue(state, WJB_KEY, &key);
		pushJsonbValue(state, WJB_VALUE, &value);
	}
}

static Jsonb *
element(Jsonb *array, int i)
{
	JsonbValue *value = getIthJsonbValueFromContainer(&array->root, i);

	return value ? to_document(value) : NULL;
}

/*
 * Fields and relations
 */

/* The key in JSON of the field that a column is. */
static const char *
column_key(CormModel *model, const char *column)
{
	for (int i = 0; i < model->nfields; i++)
		if (strcmp(model->fields[i].column, column) == 0)
			return model->fields[i].json_key;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("model \"%s\" has no field for column \"%s\"", model->name, column),
			 errdetail("A relation needs it.")));
}

/*
 * The relation that a key of an object names; NULL if it names a field, or
 * nothing, which the insert will tell.
 */
static CormRelation *
key_relation(CormModel *model, const char *key)
{
	CormRelation *relation;

	for (int i = 0; i < model->nfields; i++)
		if (strcmp(model->fields[i].json_key, key) == 0)
			return NULL;
	if (corm_model_find_field(model, key))
		return NULL;
	relation = corm_model_find_relation(model, key);
	if (relation == NULL && model->naming != CORM_NAMING_SNAKE)
		relation = corm_model_find_relation(model, corm_underscore_name(key));
	return relation;
}

/* Does an object hold the target's primary key and nothing else? */
static bool
is_reference(CormModel *target, Jsonb *object)
{
	if (target->npk == 0 || JB_ROOT_COUNT(object) != target->npk)
		return false;
	for (int i = 0; i < target->npk; i++)
	{
		CormField  *field = &target->fields[target->pk[i]];

		if (getKeyJsonValueFromContainer(&object->root, field->json_key, strlen(field->json_key), NULL) == NULL)
			return false;
	}
	return true;
}

/*
 * An object with the values that a source's columns have, under the keys of
 * the destination's columns.
 */
static Jsonb *
copy_keys(Jsonb *object, CormModel *to, char **to_columns, Jsonb *source, CormModel *from,
		  char **from_columns, int n)
{
	for (int i = 0; i < n; i++)
	{
		const char *key = column_key(from, from_columns[i]);
		JsonbValue *value = getKeyJsonValueFromContainer(&source->root, key, strlen(key), NULL);
		JsonbValue	null = {.type = jbvNull};

		object = with_key(object, column_key(to, to_columns[i]), value ? value : &null);
	}
	return object;
}

/*
 * What a relation's declared condition demands of a new row: the values of
 * the fields it compares for equality.  The object is one of model, which is
 * the one that has the relation if own is true, or else its target.
 */
static Jsonb *
condition_values(Jsonb *object, CormModel *model, CormRelation *relation, CormTree *cond, bool own)
{
	ListCell   *lc;

	if (cond->tag == CORM_N_AND)
	{
		foreach(lc, cond->args[0].list)
			object = condition_values(object, model, relation, lfirst(lc), own);
	}
	else if (cond->tag == CORM_N_EQ && cond->args[0].node->tag == CORM_N_COLUMN &&
			 cond->args[1].node->tag == CORM_N_VALUE)
	{
		bool		is_own;
		CormField  *field = corm_condition_column(relation, cond->args[0].node->args[0].str, &is_own);
		const CormValue *bound = cond->args[1].node->constant;
		JsonbValue	value;
		Oid			typoutput;
		bool		is_varlena;
		int16		typlen;
		bool		typbyval;

		if (field == NULL || is_own != own)
			return object;
		value.type = jbvString;
		if (bound->typid == UNKNOWNOID)
			value.val.string.val = TextDatumGetCString(corm_value_datum(bound, -1, false));
		else
		{
			get_typlenbyval(bound->typid, &typlen, &typbyval);
			getTypeOutputInfo(bound->typid, &typoutput, &is_varlena);
			value.val.string.val = OidOutputFunctionCall(typoutput, corm_value_datum(bound, typlen, typbyval));
		}
		value.val.string.len = strlen(value.val.string.val);
		object = with_key(object, column_key(model, field->column), &value);
	}
	return object;
}

static Jsonb *
relation_values(Jsonb *object, CormModel *model, CormRelation *relation, bool own)
{
	if (relation->condition == NULL)
		return object;
	return condition_values(object, model, relation, corm_stored_expr(relation->condition), own);
}

/*
 * Writing
 */

/* Inserts an object, or an array of objects, without relations; returns an array. */
static Jsonb *
insert_plain(CormModel *model, Jsonb *data)
{
	return corm_insert_json_rows(model->relid, JB_ROOT_IS_OBJECT(data) ? array_of_one(data) : data);
}

/* The rows of a link table between a row and those of a relation. */
static void
insert_links(CormModel *model, Jsonb *row, CormRelation *relation, CormModel *target, Jsonb *targets)
{
	CormModel  *through = corm_model_get(relation->through);
	JsonbParseState *state = NULL;
	int			n = JB_ROOT_COUNT(targets);

	if (n == 0)
		return;
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n; i++)
	{
		Jsonb	   *link = empty_object();
		JsonbValue	value;

		CHECK_FOR_INTERRUPTS();
		link = copy_keys(link, through, relation->through_columns, row, model, relation->columns,
						 relation->nkeys);
		link = copy_keys(link, through, relation->through_target_columns, element(targets, i), target,
						 relation->target_columns, relation->ntarget_keys);
		as_value(link, &value);
		pushJsonbValue(&state, WJB_ELEM, &value);
	}
	(void) insert_plain(through, JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

/*
 * Inserts what is not a mere reference, and returns all in the given order.
 */
static Jsonb *
insert_or_reference(CormModel *target, Jsonb *objects)
{
	JsonbParseState *state = NULL;
	int			n = JB_ROOT_COUNT(objects);

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n; i++)
	{
		Jsonb	   *object = element(objects, i);
		JsonbValue	value;

		CHECK_FOR_INTERRUPTS();
		if (JB_ROOT_IS_OBJECT(object) && is_reference(target, object))
			as_value(object, &value);
		else
			as_value(element(insert_objects(target, object), 0), &value);
		pushJsonbValue(&state, WJB_ELEM, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

static void wrong_kind(CormModel *model, CormRelation *relation, const char *expected) pg_attribute_noreturn();

static void
wrong_kind(CormModel *model, CormRelation *relation, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("relation \"%s\" of model \"%s\" takes %s", relation->name, model->name, expected)));
}

/*
 * Writes the children of a row by one relation, and returns them.
 */
static Jsonb *
insert_children(CormModel *model, Jsonb *row, CormRelation *relation, Jsonb *children)
{
	CormModel  *target = corm_model_get(relation->target);
	bool		one = relation->kind == CORM_HAS_ONE;
	JsonbParseState *state = NULL;
	JsonbIterator *it;
	JsonbValue	child;
	Jsonb	   *keys;
	Jsonb	   *written;

	if (one && JB_ROOT_IS_SCALAR(children))
	{
		JsonbValue	scalar;

		/* null is what a preload shows when there is none */
		if (JsonbExtractScalar(&children->root, &scalar) && scalar.type == jbvNull)
			return NULL;
	}
	if (one ? !JB_ROOT_IS_OBJECT(children) : !JB_ROOT_IS_ARRAY(children) || JB_ROOT_IS_SCALAR(children))
		wrong_kind(model, relation, one ? "an object" : "an array");
	if (one)
		children = array_of_one(children);
	if (JB_ROOT_COUNT(children) == 0)
		return children;

	if (relation->kind == CORM_MANY_TO_MANY)
	{
		written = insert_or_reference(target, children);
		insert_links(model, row, relation, target, written);
		return written;
	}

	keys = copy_keys(empty_object(), target, relation->target_columns, row, model, relation->columns, relation->nkeys);
	keys = relation_values(keys, target, relation, false);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	it = JsonbIteratorInit(&children->root);
	(void) JsonbIteratorNext(&it, &child, false);
	while (JsonbIteratorNext(&it, &child, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		if (child.type != jbvBinary || !JsonContainerIsObject(child.val.binary.data))
			wrong_kind(model, relation, "objects");
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		push_pairs(&state, child.val.binary.data);
		push_pairs(&state, &keys->root);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	written = insert_objects(target, JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
	return one ? element(written, 0) : written;
}

/*
 * Writes one object: parents, itself, children.  Adds it as written to the
 * array under construction, unless a trigger suppressed it.
 */
static void
insert_object(CormModel *model, Jsonb *object, JsonbParseState **written)
{
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbParseState *state = NULL;
	JsonbValue	key;
	JsonbValue	value;
	Jsonb	   *own;
	Jsonb	   *row;
	List	   *relations = NIL;	/* the object's, with their values ... */
	List	   *values = NIL;
	List	   *names = NIL;
	CormExec	exec;
	CormHookRun *hooks;
	Datum		typed_row = (Datum) 0;
	ListCell   *lc;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);
		CormRelation *relation = key_relation(model, name);

		(void) JsonbIteratorNext(&it, &value, true);
		if (relation)
		{
			relations = lappend(relations, relation);
			values = lappend(values, to_document(&value));
			names = lappend(names, name);
		}
		else
		{
			pushJsonbValue(&state, WJB_KEY, &key);
			pushJsonbValue(&state, WJB_VALUE, &value);
		}
	}
	own = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));

	corm_exec_begin(&exec, model);
	hooks = corm_hooks_begin(&exec, CORM_EVENT_CREATE);
	if (hooks)
		own = corm_hooks_before_json(hooks, &exec, own);

	/* parents first: their keys go into the row */
	foreach(lc, relations)
	{
		CormRelation *relation = lfirst(lc);
		Jsonb	   *parent = list_nth(values, foreach_current_index(lc));
		CormModel  *target;

		if (relation->kind != CORM_BELONGS_TO)
			continue;
		target = corm_model_get(relation->target);
		if (JB_ROOT_IS_SCALAR(parent))
		{
			JsonbValue	scalar;

			(void) JsonbExtractScalar(&parent->root, &scalar);
			if (scalar.type != jbvNull)
				wrong_kind(model, relation, "an object or null");
			for (int i = 0; i < relation->nkeys; i++)
				own = with_key(own, column_key(model, relation->columns[i]), &scalar);
			continue;
		}
		if (!JB_ROOT_IS_OBJECT(parent))
			wrong_kind(model, relation, "an object or null");
		if (!is_reference(target, parent))
		{
			parent = element(insert_objects(target, parent), 0);
			lfirst(list_nth_cell(values, foreach_current_index(lc))) = parent;
		}
		own = copy_keys(own, model, relation->columns, parent, target, relation->target_columns,
						relation->nkeys);
		own = relation_values(own, model, relation, true);
	}

	if (hooks == NULL)
		row = element(insert_plain(model, own), 0);
	else
		row = corm_insert_row_unhooked(model, own, &typed_row) ?
			corm_row_to_json(model, typed_row, false) : NULL;
	if (row == NULL)
		return;

	foreach(lc, relations)
	{
		CormRelation *relation = lfirst(lc);
		ListCell   *related = list_nth_cell(values, foreach_current_index(lc));

		if (relation->kind != CORM_BELONGS_TO)
			lfirst(related) = insert_children(model, row, relation, lfirst(related));
	}
	if (hooks)
		row = corm_row_to_json(model, corm_hooks_after(hooks, typed_row), false);

	pushJsonbValue(written, WJB_BEGIN_OBJECT, NULL);
	push_pairs(written, &row->root);
	foreach(lc, names)
	{
		Jsonb	   *related = list_nth(values, foreach_current_index(lc));
		JsonbValue	result;

		if (related && !JB_ROOT_IS_SCALAR(related))
			as_value(related, &result);
		else
			result.type = jbvNull;
		corm_json_key(written, lfirst(lc));
		pushJsonbValue(written, WJB_VALUE, &result);
	}
	pushJsonbValue(written, WJB_END_OBJECT, NULL);
}

/*
 * corm_has_relation_keys tells whether a JSON object, or one of an array,
 * holds rows of relations of the model.
 */
bool
corm_has_relation_keys(CormModel *model, Jsonb *data)
{
	JsonbIterator *it = JsonbIteratorInit(&data->root);
	JsonbIteratorToken tok;
	JsonbValue	v;
	int			level = 0;
	int			object_level = JB_ROOT_IS_OBJECT(data) ? 1 : 2;

	while ((tok = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		if (tok == WJB_BEGIN_ARRAY || tok == WJB_BEGIN_OBJECT)
			level++;
		else if (tok == WJB_END_ARRAY || tok == WJB_END_OBJECT)
			level--;
		else if (tok == WJB_KEY && level == object_level &&
				 key_relation(model, pnstrdup(v.val.string.val, v.val.string.len)))
			return true;
	}
	return false;
}

/*
 * Inserts an object, or an array of objects, one by one if they hold
 * relations.  Returns an array.
 */
static Jsonb *
insert_objects(CormModel *model, Jsonb *data)
{
	JsonbParseState *state = NULL;

	check_stack_depth();
	if (!corm_has_relation_keys(model, data))
		return insert_plain(model, data);

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	if (JB_ROOT_IS_OBJECT(data))
		insert_object(model, data, &state);
	else
	{
		int			n = JB_ROOT_COUNT(data);

		for (int i = 0; i < n; i++)
		{
			Jsonb	   *object = element(data, i);

			CHECK_FOR_INTERRUPTS();
			if (!JB_ROOT_IS_OBJECT(object))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("rows given as JSON must be objects")));
			insert_object(model, object, &state);
		}
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/*
 * corm_insert_nested inserts an object, or an array of objects, with their
 * relations, and returns them as an array.
 */
Jsonb *
corm_insert_nested(CormModel *model, Jsonb *data)
{
	return insert_objects(model, data);
}

/*
 * Links
 */

static CormNode *
link_query(CormModel *through, bool deleter, Jsonb *condition)
{
	CormWriter	w;
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;

	corm_writer_init(&w);
	corm_write_tag(&w, deleter ? CORM_N_DELETER : CORM_N_SELECTOR);
	corm_write_oid(&w, through->relid);
	if (!deleter)
		corm_write_name(&w, "", 0);
	corm_write_tag(&w, CORM_N_WHERE);
	corm_write_count(&w, JB_ROOT_COUNT(condition));
	it = JsonbIteratorInit(&condition->root);
	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		Jsonb	   *document;
		char	   *str;

		(void) JsonbIteratorNext(&it, &value, true);
		document = to_document(&value);
		str = value.type == jbvString ? pnstrdup(value.val.string.val, value.val.string.len) :
			JsonbToCString(NULL, &document->root, VARSIZE(document));
		corm_write_tag(&w, CORM_N_EQ);
		corm_write_tag(&w, CORM_N_COLUMN);
		corm_write_name(&w, key.val.string.val, key.val.string.len);
		if (value.type == jbvNull)
			corm_write_null(&w, UNKNOWNOID);
		else
			corm_write_value(&w, UNKNOWNOID, -1, false, CStringGetTextDatum(str));
	}
	return corm_writer_finish(&w, CORM_KIND_QUERY);
}

static Jsonb *
read_links(CormModel *through, Jsonb *near_key)
{
	CormVerb	verb = {.output = CORM_OUTPUT_JSON};
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_FIRST, .context = CurrentMemoryContext};

	corm_queries_of_node(link_query(through, false, near_key), &set);
	(void) corm_run_queries(&verb, &set, &sink);
	return DatumGetJsonbP(sink.value);
}

static void
delete_link(CormModel *through, Jsonb *link)
{
	CormVerb	verb = {.output = CORM_OUTPUT_NATIVE};
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_NONE};

	corm_queries_of_node(link_query(through, true, link), &set);
	(void) corm_run_queries(&verb, &set, &sink);
}

/*
 * Brings a link back that is soft-deleted; false if there is none.
 */
static bool
restore_link(CormModel *through, Jsonb *link)
{
	CormVerb	verb = {.output = CORM_OUTPUT_RESTORE};
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_NONE};

	if (through->soft_delete < 0)
		return false;
	corm_queries_of_node(link_query(through, false, link), &set);
	return corm_run_queries(&verb, &set, &sink) > 0;
}

/* Links, each an object of the columns of its two keys, in order. */
typedef struct LinkSet
{
	Jsonb	  **links;
	int			n;
} LinkSet;

static int
compare_links(const void *a, const void *b)
{
	return compareJsonbContainers(&(*(Jsonb *const *) a)->root, &(*(Jsonb *const *) b)->root);
}

/*
 * The links between a row, whose key the link table has as near_key, and the
 * objects of an array that are rows of from: targets, or links themselves.
 * Each once.
 */
static LinkSet
make_links(CormRelation *relation, CormModel *through, Jsonb *near_key, Jsonb *array, CormModel *from,
		   char **from_columns)
{
	LinkSet		set;
	int			n = JB_ROOT_COUNT(array);

	set.links = palloc(sizeof(Jsonb *) * Max(n, 1));
	set.n = 0;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		set.links[i] = copy_keys(near_key, through, relation->through_target_columns, element(array, i),
								 from, from_columns, relation->ntarget_keys);
	}
	qsort(set.links, n, sizeof(Jsonb *), compare_links);
	for (int i = 0; i < n; i++)
		if (set.n == 0 || compare_links(&set.links[set.n - 1], &set.links[i]) != 0)
			set.links[set.n++] = set.links[i];
	return set;
}

static bool
has_link(LinkSet *set, Jsonb **link)
{
	return bsearch(link, set->links, set->n, sizeof(Jsonb *), compare_links) != NULL;
}

/*
 * corm_set_related(model, key, relation, targets): makes the rows linked to
 * the row with the given key by a many_to_many relation exactly the targets.
 * Links are added and deleted, the target's rows are not touched; targets
 * that are not mere keys are inserted.  Returns the number of links changed.
 */
Datum
corm_set_related(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model", "the key", "the relation", "the targets"};
	CormModel  *model;
	Jsonb	   *row;
	CormRelation *relation;
	Jsonb	   *targets;
	CormModel  *target;
	CormModel  *through;
	Jsonb	   *near_key;
	LinkSet		old;
	LinkSet		wanted;
	JsonbParseState *missing = NULL;
	Jsonb	   *add;
	int64		changed = 0;

	corm_require_args(fcinfo, names, lengthof(names));
	model = corm_model_get(PG_GETARG_OID(0));
	row = PG_GETARG_JSONB_P(1);
	relation = corm_model_relation(model, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	targets = PG_GETARG_JSONB_P(3);
	if (relation->kind != CORM_MANY_TO_MANY)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("relation \"%s\" of model \"%s\" is not many_to_many", relation->name, model->name)));
	if (!JB_ROOT_IS_OBJECT(row))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key must be a JSON object")));
	if (!JB_ROOT_IS_ARRAY(targets) || JB_ROOT_IS_SCALAR(targets))
		wrong_kind(model, relation, "an array");
	target = corm_model_get(relation->target);
	through = corm_model_get(relation->through);
	near_key = copy_keys(empty_object(), through, relation->through_columns, row, model,
						 relation->columns, relation->nkeys);
	old = make_links(relation, through, near_key, read_links(through, near_key), through,
					 relation->through_target_columns);
	wanted = make_links(relation, through, near_key, insert_or_reference(target, targets), target,
						relation->target_columns);

	for (int i = 0; i < old.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (has_link(&wanted, &old.links[i]))
			continue;
		delete_link(through, old.links[i]);
		changed++;
	}
	pushJsonbValue(&missing, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < wanted.n; i++)
	{
		JsonbValue	value;

		CHECK_FOR_INTERRUPTS();
		if (has_link(&old, &wanted.links[i]))
			continue;
		changed++;
		if (restore_link(through, wanted.links[i]))
			continue;
		as_value(wanted.links[i], &value);
		pushJsonbValue(&missing, WJB_ELEM, &value);
	}
	add = JsonbValueToJsonb(pushJsonbValue(&missing, WJB_END_ARRAY, NULL));
	if (JB_ROOT_COUNT(add) > 0)
		(void) insert_plain(through, add);
	PG_RETURN_INT64(changed);
}
