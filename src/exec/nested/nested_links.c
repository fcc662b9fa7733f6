/*-------------------------------------------------------------------------
 *
 * nested_links.c
 *		Nested writes: rows of the join table of a many_to_many relation.
 *
 * A link is a row of the join table and holds the keys of both rows.  If both keys
 * share a column, such as a tenant ID, the two values must agree.  The links of a
 * relation are those that a read through it shows: the rows are visible to the user,
 * not soft-deleted, and match the relation's condition.  Columns of the join table
 * that the condition compares with a value, such as a type, belong to the key: new
 * links get the value, and links with another one are left alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "exec/call/run_query.h"
#include "exec/nested/nested_find.h"
#include "exec/nested/nested_links.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_value.h"
#include "exec/plan/query_set.h"
#include "exec/rows/json_value.h"
#include "exec/run/sink.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/relations.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

/*
 * corm_links_init makes an empty set of links for a row, with room for size entries.
 */
void
corm_links_init(LinkSet *set, NestedWrite *write, CormModel *model, Jsonb *row, CormRelation *relation,
				const NestedCondition *condition, int size)
{
	set->relation = relation;
	set->through = corm_model_get(relation->through);
	corm_nested_columns_copy(&set->near, &condition->link);
	corm_nested_flow(write, &set->near, relation->through_columns, model, row, relation->columns,
					 relation->nkeys, corm_nested_by_relation(relation));
	set->nfar = relation->ntarget_keys;
	set->far = palloc(sizeof(int) * set->nfar);
	set->sorts = true;
	for (int i = 0; i < set->nfar; i++)
	{
		set->far[i] = corm_nested_field(set->through, relation->through_target_columns[i]);
		set->sorts &= corm_nested_sorts(&set->through->fields[set->far[i]]);
	}
	set->n = 0;
	set->links = palloc(sizeof(Link) * Max(size, 1));
	set->repeated = palloc0(sizeof(bool) * Max(size, 1));
}

/*
 * Adds a link to a target row, which must have the columns that the relation joins on.
 * Raises OR013 if the two rows do not agree on shared columns.
 */
void
corm_links_add(LinkSet *set, NestedWrite *write, CormModel *target, Jsonb *row, const NestedPath *path)
{
	NestedColumns columns;
	Link	   *link = &set->links[set->n];

	link->number = set->n++;
	corm_nested_columns_copy(&columns, &set->near);
	corm_nested_flow(write, &columns, set->relation->through_target_columns, target, row,
					 set->relation->target_columns, set->nfar, psprintf("the row of model \"%s\"", target->name));
	link->far = palloc(sizeof(Datum) * set->nfar);
	for (int i = 0; i < set->nfar; i++)
		link->far[i] = corm_nested_find_column(&columns, set->far[i])->value;
	link->path = path;
}

/*
 * qsort_arg comparator: orders links by the values that reference the target.
 */
static int
compare_links(const void *a, const void *b, void *arg)
{
	LinkSet    *set = arg;

	for (int i = 0; i < set->nfar; i++)
	{
		int			order = corm_nested_compare(&set->through->fields[set->far[i]],
												((const Link *) a)->far[i], ((const Link *) b)->far[i]);

		if (order != 0)
			return order;
	}
	return 0;
}

/* The same, and equal links in the order in which they were added. */
static int
compare_added(const void *a, const void *b, void *arg)
{
	int			order = compare_links(a, b, arg);

	return order != 0 ? order : ((const Link *) a)->number - ((const Link *) b)->number;
}

static bool
same_link(LinkSet *set, const Link *a, const Link *b)
{
	for (int i = 0; i < set->nfar; i++)
		if (!corm_nested_equal(&set->through->fields[set->far[i]], a->far[i], b->far[i]))
			return false;
	return true;
}

bool
corm_links_has(LinkSet *set, const Link *link)
{
	if (set->sorts)
		return bsearch_arg(link, set->links, set->n, sizeof(Link), compare_links, set) != NULL;
	for (int i = 0; i < set->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (same_link(set, &set->links[i], link))
			return true;
	}
	return false;
}

/*
 * Removes duplicate links, which are marked as repeated, and makes the set ready to be
 * searched.
 */
void
corm_links_finish(LinkSet *set)
{
	int			n = set->n;

	if (set->sorts)
		qsort_arg(set->links, n, sizeof(Link), compare_added, set);
	set->n = 0;
	for (int i = 0; i < n; i++)
	{
		bool		twice;

		CHECK_FOR_INTERRUPTS();
		if (set->sorts)
			twice = set->n > 0 && compare_links(&set->links[set->n - 1], &set->links[i], set) == 0;
		else
			twice = corm_links_has(set, &set->links[i]);
		if (twice)
			set->repeated[set->links[i].number] = true;
		else
			set->links[set->n++] = set->links[i];
	}
}

/*
 * Inserts links of a set; returns the number of rows inserted.
 */
static int
insert_links(LinkSet *set, NestedWrite *write, const Link *links, int n)
{
	CormModel  *through = set->through;
	NestedObject empty = {.model = through};
	JsonbParseState *state = NULL;
	Jsonb	  **rows;
	int			nrows;

	if (n == 0)
		return 0;
	empty.given = palloc(sizeof(JsonbValue) * Max(through->nfields, 1));
	for (int i = 0; i < through->nfields; i++)
	{
		empty.given[i].type = jbvBinary;
		empty.given[i].val.binary.data = NULL;
	}
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n; i++)
	{
		NestedColumns columns;

		CHECK_FOR_INTERRUPTS();
		corm_nested_columns_copy(&columns, &set->near);
		for (int j = 0; j < set->nfar; j++)
			corm_nested_set(write, &columns, set->far[j], links[i].far[j], "");
		corm_nested_push_row(&state, &empty, &columns, NULL);
	}
	CORM_FAULT("links-insert");
	rows = corm_insert_documents(through, JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), &nrows);
	for (int i = 0; i < nrows; i++)
		corm_nested_check_row(write, &set->near, rows[i]);
	return nrows;
}

/*
 * Changing links
 */

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

/* corm_links_delete deletes links of a set, in one statement if a single column identifies them. */
int64
corm_links_delete(LinkSet *set, const Link *links, int n)
{
	CormField  *field = &set->through->fields[set->far[0]];
	Oid			base = getBaseType(field->typid);
	int64		deleted = 0;

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

/* corm_links_subset makes a finished set of some links of a set. */
LinkSet *
corm_links_subset(LinkSet *set, const Link *links, int n)
{
	LinkSet    *subset = palloc(sizeof(LinkSet));

	*subset = *set;
	subset->n = n;
	subset->links = palloc(sizeof(Link) * Max(n, 1));
	subset->repeated = palloc0(sizeof(bool) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		subset->links[i] = links[i];
		subset->links[i].number = i;
	}
	corm_links_finish(subset);
	return subset;
}

/* corm_links_forget takes the links of another finished set, which are gone, out of one. */
void
corm_links_forget(LinkSet *set, LinkSet *gone)
{
	int			nkept = 0;

	for (int i = 0; i < set->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!corm_links_has(gone, &set->links[i]))
			set->links[nkept++] = set->links[i];
	}
	set->n = nkept;
}

/*
 * corm_links_add_missing adds the links of a set that another one of the same row lacks: it
 * restores soft-deleted ones and inserts the others.  Returns the number of rows changed.
 */
int64
corm_links_add_missing(LinkSet *old, NestedWrite *write, LinkSet *wanted)
{
	Link	   *some = palloc(sizeof(Link) * Max(wanted->n, 1));
	int64		changed = 0;
	int			n = 0;

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
	return changed + insert_links(wanted, write, some, n);
}

/*
 * Reading through the relation
 */

/*
 * corm_nested_read_related returns the rows that a relation shows for a row, with the given
 * fields of the target.
 */
Jsonb *
corm_nested_read_related(CormModel *model, Jsonb *row, CormRelation *relation, Bitmapset *fields)
{
	CormModel  *target = corm_model_get(relation->target);
	CormWriter	w;
	int			n = model->npk > 0 ? model->npk : relation->nkeys;
	int			next = -1;

	corm_writer_init(&w);
	corm_write_tag(&w, CORM_N_SELECTOR);
	corm_write_oid(&w, model->relid);
	/* the relation may have the name of the table */
	corm_write_name(&w, "own row", 7);
	corm_write_tag(&w, CORM_N_NO_DEFAULT_SCOPES);
	corm_write_tag(&w, CORM_N_JOIN);
	corm_write_name(&w, relation->name, strlen(relation->name));
	corm_write_tag(&w, CORM_N_SELECT);
	corm_write_count(&w, bms_num_members(fields));
	while ((next = bms_next_member(fields, next)) >= 0)
	{
		char	   *name = psprintf("%s.%s", relation->name, target->fields[next].name);
		const char *alias = target->fields[next].json_key;

		corm_write_tag(&w, CORM_N_AS);
		corm_write_tag(&w, CORM_N_COLUMN);
		corm_write_name(&w, name, strlen(name));
		corm_write_name(&w, alias, strlen(alias));
	}
	corm_write_tag(&w, CORM_N_WHERE);
	corm_write_count(&w, n);
	for (int i = 0; i < n; i++)
	{
		int			field = model->npk > 0 ? model->pk[i] : corm_nested_field(model, relation->columns[i]);
		Datum		value;

		if (!corm_nested_value(model, row, field, &value))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("field \"%s\" of model \"%s\" is null, so nothing can refer to the row",
							model->fields[field].name, model->name)));
		corm_nested_write_eq(&w, model->fields[field].name, &model->fields[field], value);
	}
	return corm_nested_run_json(&w);
}

/* Returns the fields of the target that a relation joins on. */
static Bitmapset *
joined_fields(CormRelation *relation)
{
	CormModel  *target = corm_model_get(relation->target);
	Bitmapset  *fields = NULL;

	for (int i = 0; i < relation->ntarget_keys; i++)
	{
		fields = bms_add_member(fields, corm_nested_field(target, relation->target_columns[i]));
	}
	return fields;
}

void
corm_nested_not_in_relation(NestedWrite *write, CormModel *model, CormRelation *relation)
{
	ereport(ERROR,
			(errcode(ERRCODE_WITH_CHECK_OPTION_VIOLATION),
			 errmsg("row does not satisfy the condition of relation \"%s\" of model \"%s\"",
					relation->name, model->name),
			 errdetail("At %s, the relation does not show it.", corm_nested_path(write))));
}

/*
 * corm_nested_check_related raises 44000 unless a relation with a condition shows at
 * least n rows for a new row.
 */
void
corm_nested_check_related(NestedWrite *write, CormModel *model, Jsonb *row, CormRelation *relation, int n)
{
	if (n > 0 && JB_ROOT_COUNT(corm_nested_read_related(model, row, relation, joined_fields(relation))) < n)
		corm_nested_not_in_relation(write, model, relation);
}

/* Finds the links of a row that its relation shows. */
void
corm_links_read(LinkSet *set, NestedWrite *write, CormModel *model, Jsonb *row, CormRelation *relation,
				const NestedCondition *condition)
{
	CormModel  *target = corm_model_get(relation->target);
	Jsonb	   *rows = corm_nested_read_related(model, row, relation, joined_fields(relation));
	JsonbIterator *it = JsonbIteratorInit(&rows->root);
	JsonbValue	element;

	CORM_FAULT("links-read");
	corm_links_init(set, write, model, row, relation, condition, JB_ROOT_COUNT(rows));
	(void) JsonbIteratorNext(&it, &element, false);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		Link	   *link = &set->links[set->n];

		CHECK_FOR_INTERRUPTS();
		link->number = set->n++;
		link->far = palloc(sizeof(Datum) * set->nfar);
		link->path = NULL;
		for (int i = 0; i < set->nfar; i++)
		{
			int			field = corm_nested_field(target, relation->target_columns[i]);
			const char *alias = target->fields[field].json_key;
			JsonbValue *value = getKeyJsonValueFromContainer(element.val.binary.data, alias, strlen(alias), NULL);

			if (value == NULL || value->type == jbvNull)
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("rows of relation \"%s\" of model \"%s\" came back without their keys",
								relation->name, model->name)));
			link->far[i] = corm_nested_convert(&target->fields[field], &set->through->fields[set->far[i]],
											   corm_json_convert(target, field, value));
		}
	}
	corm_links_finish(set);
}

/*
 * corm_nested_link links a new row to each of its targets, once.  A target that is the row
 * of an earlier one is not shown again.
 */
void
corm_nested_link(NestedWrite *write, CormModel *model, Jsonb *row, CormRelation *relation,
				 NestedTarget *targets, int n, const NestedCondition *condition)
{
	const NestedPath *path = write->path;
	LinkSet		set;

	if (n == 0)
		return;
	corm_links_init(&set, write, model, row, relation, condition, n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		write->path = &targets[i].object.path;
		corm_links_add(&set, write, condition->target.model, targets[i].row, write->path);
	}
	write->path = path;
	corm_links_finish(&set);
	for (int i = 0; i < n; i++)
	{
		if (set.repeated[i])
			targets[i].shown = NULL;
	}
	n = insert_links(&set, write, set.links, set.n);
	if (!condition->whole)
		corm_nested_check_related(write, model, row, relation, n);
}
