/*-------------------------------------------------------------------------
 *
 * nested_allowed.c
 *		Nested writes: the fields and relations that a caller allows.
 *
 * The caller lists names of fields and relations, those of related rows behind a dot:
 * {name, orders.amount}.  A relation that is listed by itself allows its rows with all
 * that they hold.  If fields or relations of it are listed, it allows only those.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "exec/nested/nested_allowed.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_value.h"
#include "model/model.h"
#include "model/relations.h"
#include "nodes/bitmapset.h"
#include "utils/array.h"
#include "utils/builtins.h"

typedef struct NestedAllowedRelation
{
	CormRelation *relation;
	NestedAllowed rows;
} NestedAllowedRelation;

static NestedAllowedRelation *
find_relation(const NestedAllowed *allowed, const CormRelation *relation)
{
	ListCell   *lc;

	foreach(lc, allowed->relations)
	{
		NestedAllowedRelation *entry = lfirst(lc);

		if (entry->relation == relation)
			return entry;
	}
	return NULL;
}

/*
 * Adds a name, which may have dots.  Raises 42703 if there is no such field or relation.
 */
static void
add_name(NestedAllowed *allowed, char *name)
{
	char	   *dot;

	while ((dot = strchr(name, '.')) != NULL && corm_nested_key_field(allowed->model, name, strlen(name)) < 0)
	{
		CormRelation *relation;
		NestedAllowedRelation *entry;

		*dot = '\0';
		relation = corm_nested_key_relation(allowed->model, name);
		if (relation == NULL)
			relation = corm_model_relation(allowed->model, name);	/* raises the error */
		entry = find_relation(allowed, relation);
		if (entry == NULL)
		{
			entry = palloc0(sizeof(NestedAllowedRelation));
			entry->relation = relation;
			entry->rows.model = corm_model_get(relation->target);
			allowed->relations = lappend(allowed->relations, entry);
		}
		entry->rows.everything = false;
		allowed = &entry->rows;
		name = dot + 1;
	}
	{
		int			field = corm_nested_key_field(allowed->model, name, strlen(name));
		CormRelation *relation = field < 0 ? corm_nested_key_relation(allowed->model, name) : NULL;
		NestedAllowedRelation *entry;

		if (field >= 0)
		{
			allowed->fields = bms_add_member(allowed->fields, field);
			return;
		}
		if (relation == NULL)
			corm_unknown_field(allowed->model, name);
		if (find_relation(allowed, relation))
			return;
		entry = palloc0(sizeof(NestedAllowedRelation));
		entry->relation = relation;
		entry->rows.model = corm_model_get(relation->target);
		entry->rows.everything = true;
		allowed->relations = lappend(allowed->relations, entry);
	}
}

/*
 * corm_nested_allowed reads a list of names, which belongs to a model.  Raises 42703 for an
 * unknown name, 22004 for a NULL among them.
 */
const NestedAllowed *
corm_nested_allowed(CormModel *model, ArrayType *names)
{
	NestedAllowed *allowed = palloc0(sizeof(NestedAllowed));
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	allowed->model = model;
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("an allowed name must not be null")));
		add_name(allowed, TextDatumGetCString(elems[i]));
	}
	return allowed;
}

/*
 * corm_nested_allow_field raises 42501 unless a field of the current object is allowed.
 */
void
corm_nested_allow_field(NestedWrite *write, const NestedAllowed *allowed, CormModel *model, int field)
{
	if (allowed == NULL || allowed->everything || bms_is_member(field, allowed->fields))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("field \"%s\" of model \"%s\" is not among the fields that may be written",
					model->fields[field].name, model->name),
			 errdetail("It is given at %s.", corm_nested_path(write))));
}

/*
 * corm_nested_allow_relation raises 42501 unless a relation of the current object is
 * allowed.  Returns what its rows may hold.
 */
const NestedAllowed *
corm_nested_allow_relation(NestedWrite *write, const NestedAllowed *allowed, CormModel *model,
						   CormRelation *relation)
{
	NestedAllowedRelation *entry;

	if (allowed == NULL || allowed->everything)
		return NULL;
	entry = find_relation(allowed, relation);
	if (entry == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("relation \"%s\" of model \"%s\" is not among the relations that may be written",
						relation->name, model->name),
				 errdetail("It is given at %s.", corm_nested_path(write))));
	return &entry->rows;
}
