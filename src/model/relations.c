/*-------------------------------------------------------------------------
 *
 * relations.c
 *		The relation that a name means.
 *
 * The registry makes the list of a model's relations (relations_build.c) and
 * keeps it with the model.  A relation is returned by name only if it can be
 * used: a name that two things claim raises OR007, and a declared relation whose
 * columns are gone raises 42703.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "lib/stringinfo.h"
#include "model/nearest.h"
#include "model/naming.h"
#include "model/registry.h"
#include "model/relate.h"
#include "model/relations.h"
#include "model/relations_build.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static CormRelation *find_by_name(List *list, const char *name);
static void raise_ambiguous(CormModel *model, const char *name) pg_attribute_noreturn();
static void unknown_relation(CormModel *model, const char *name) pg_attribute_noreturn();

/*
 * corm_model_relations returns the relations of a model, a list of
 * CormRelation that is valid until the transaction ends.
 */
List *
corm_model_relations(CormModel *model)
{
	return corm_registry_relations(model)->list;
}

/*
 * find_by_name returns the first relation with this name, or NULL.
 */
static CormRelation *
find_by_name(List *list, const char *name)
{
	ListCell   *lc;

	foreach(lc, list)
	{
		CormRelation *relation = lfirst(lc);

		if (strcmp(relation->name, name) == 0)
			return relation;
	}
	return NULL;
}

/*
 * raise_ambiguous raises OR007 for a name that two relations have, or a
 * relation and a field.
 */
static void
raise_ambiguous(CormModel *model, const char *name)
{
	StringInfoData sources;
	CormRelation *last = NULL;
	ListCell   *lc;
	char	   *hint;

	initStringInfo(&sources);
	if (corm_model_has_field(model, name))
		appendStringInfoString(&sources, "a field");
	foreach(lc, corm_model_relations(model))
	{
		CormRelation *relation = lfirst(lc);

		if (strcmp(relation->name, name) != 0)
			continue;
		if (sources.len > 0)
			appendStringInfoString(&sources, " and ");
		appendStringInfoString(&sources, relation->source);
		last = relation;
	}

	if (last->declared)
		hint = pstrdup("Declare the relation with corm.relate under another name.");
	else if (last->kind == CORM_MANY_TO_MANY)
		hint = psprintf("Declare a relation through \"%s\" with corm.relate under another name.",
						get_rel_name(last->through));
	else
		hint = psprintf("Name the relation with COMMENT ON CONSTRAINT %s ON %s IS '@orm:%s=...'.",
						quote_identifier(get_constraint_name(last->constraint)),
						last->kind == CORM_BELONGS_TO ?
						quote_qualified_identifier(model->table_schema, model->table_name) :
						quote_qualified_identifier(get_namespace_name(get_rel_namespace(last->target)),
												   get_rel_name(last->target)),
						last->kind == CORM_BELONGS_TO ? "name" : "inverse");
	ereport(ERROR,
			(errcode(CORM_ERRCODE_AMBIGUOUS_RELATION),
			 errmsg("relation name \"%s\" of model \"%s\" is ambiguous", name, model->name),
			 errdetail("It is the name of %s.", sources.data),
			 errhint("%s", hint)));
}

/*
 * corm_model_find_relation returns the relation that name means, ready for
 * use, or NULL: its name, its key in JSON, or a CamelCase spelling of its
 * name.  Raises OR007 if it is ambiguous, and what is wrong with a declared
 * relation.
 */
CormRelation *
corm_model_find_relation(CormModel *model, const char *name)
{
	List	   *list = corm_model_relations(model);
	CormRelation *relation = find_by_name(list, name);
	ListCell   *lc;

	if (relation == NULL)
	{
		foreach(lc, list)
		{
			if (strcmp(((CormRelation *) lfirst(lc))->json_key, name) == 0)
			{
				relation = lfirst(lc);
				break;
			}
		}
	}
	if (relation == NULL && strlen(name) < 4 * NAMEDATALEN)
		relation = find_by_name(list, corm_underscore_name(name));
	if (relation == NULL)
		return NULL;

	if (relation->ambiguous)
		raise_ambiguous(model, relation->name);
	if (relation->declared)
		corm_relate_check(model, relation);
	return relation;
}

/*
 * corm_model_relation returns the relation that name means, or raises 42703.
 */
CormRelation *
corm_model_relation(CormModel *model, const char *name)
{
	CormRelation *relation = corm_model_find_relation(model, name);

	if (relation == NULL)
		unknown_relation(model, name);
	return relation;
}

/*
 * has_hidden returns whether a field with one of the columns is hidden.
 */
static bool
has_hidden(CormModel *model, char **columns, int n)
{
	for (int i = 0; i < model->nfields + model->nunnamed; i++)
	{
		for (int j = 0; model->fields[i].hidden && j < n; j++)
		{
			if (strcmp(model->fields[i].column, columns[j]) == 0)
				return true;
		}
	}
	return false;
}

/*
 * is_over_hidden returns whether a relation of a model compares hidden fields:
 * that there are related rows would tell about their values.
 */
static bool
is_over_hidden(CormModel *model, CormRelation *relation)
{
	CormModel  *through;

	if (has_hidden(model, relation->columns, relation->nkeys) ||
		has_hidden(corm_model_get(relation->target), relation->target_columns, relation->ntarget_keys))
		return true;
	if (!OidIsValid(relation->through))
		return false;
	through = corm_model_get(relation->through);
	return has_hidden(through, relation->through_columns, relation->nkeys) ||
		has_hidden(through, relation->through_target_columns, relation->ntarget_keys);
}

/*
 * corm_filter_check_relation raises 42501 for a relation that a tag keeps out
 * of filters from outside.
 */
void
corm_filter_check_relation(CormModel *model, CormRelation *relation)
{
	if (relation->unfilterable)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("relation \"%s\" cannot be used in a filter", relation->name)));
}

/*
 * corm_filter_find_relation returns the relation that name means in a filter
 * from outside, or NULL; one over hidden fields is not there.  Raises what
 * corm_model_find_relation raises, and 42501 if a tag keeps it out.
 */
CormRelation *
corm_filter_find_relation(CormModel *model, const char *name)
{
	CormRelation *relation = corm_model_find_relation(model, name);

	if (relation == NULL || is_over_hidden(model, relation))
		return NULL;
	corm_filter_check_relation(model, relation);
	return relation;
}

/*
 * corm_filter_relation does the same, but raises 42703 if it is not there.
 */
CormRelation *
corm_filter_relation(CormModel *model, const char *name)
{
	CormRelation *relation = corm_filter_find_relation(model, name);

	if (relation == NULL)
		unknown_relation(model, name);
	return relation;
}

/*
 * unknown_relation raises 42703 for a name that is no relation of model.
 * The hint names the nearest one, or all of them when none is near.
 */
static void
unknown_relation(CormModel *model, const char *name)
{
	List	   *list = corm_model_relations(model);
	CormNearest nearest;
	StringInfoData all;
	ListCell   *lc;
	char	   *hint;

	corm_nearest_init(&nearest, name);
	initStringInfo(&all);
	foreach(lc, list)
	{
		CormRelation *relation = lfirst(lc);

		corm_nearest_offer(&nearest, relation->name);
		appendStringInfo(&all, "%s\"%s\"", all.len > 0 ? ", " : "", relation->name);
	}

	if (nearest.name != NULL)
		hint = psprintf("Perhaps you meant the relation \"%s\".", nearest.name);
	else if (list != NIL)
		hint = psprintf("The model has the relations %s.", all.data);
	else
		hint = "The model has no relations: they come from foreign keys and corm.relate.";

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("unknown relation \"%s\" of model \"%s\"", name, model->name),
			 errhint("%s", hint)));
}
