/*-------------------------------------------------------------------------
 *
 * relations.c
 *		The relations of a model: found from foreign keys, and named.
 *
 * A foreign key is two relations, belongs_to of the table that has it and
 * has_many or has_one of the table it refers to; a table whose primary key is
 * two foreign keys is a many_to_many of both tables.  Names are given in a
 * fixed order, so that they are the same after a restore: what is declared by
 * corm.relate first, then what tags name, then belongs_to, has_one and
 * has_many, many_to_many, each by table and columns.  A derived name that is
 * taken already gets a suffix.  If two relations have the same name all the same, both are marked:
 * using the name is an error, and other relations are not affected.
 *
 * The list is made when a relation of the model is first asked for, since
 * most uses of a model need none.  It depends on other tables than the
 * model's: their names, keys and unique indexes.  The registry is told which,
 * and drops the model when one of them changes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "model/model.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* A list in the making. */
typedef struct Build
{
	CormModel  *model;
	MemoryContext keep;			/* the list and what hangs on it is made there */
	List	   *list;
	List	   *depends;
} Build;

static CormRelation *find_by_name(List *list, const char *name);
static bool is_field(CormModel *model, const char *name);
static bool is_taken(Build *build, const char *name);
static char **name_columns(Build *build, Oid relid, int n, const AttrNumber *attnums);
static CormRelation *add_relation(Build *build, CormRelationKind kind, const char *name,
								  const CormForeignKey *key);
static char *belongs_to_name(const CormForeignKey *key);
static bool is_hidden(const CormForeignKey *key);
static void add_declared(Build *build, Oid relid);
static void add_belongs_to(Build *build, const CormForeignKey *key);
static void add_has(Build *build, const CormForeignKey *key);
static bool covers_primary_key(const CormForeignKey *a, const CormForeignKey *b, List *pk);
static void add_many_to_many(Build *build, const CormForeignKey *near_key,
							 const CormForeignKey *far_key);
static void add_through(Build *build, const CormForeignKey *key);
static void add_keys(Build *build, List *keys, const char *tag, bool tagged,
					 void (*add) (Build *build, const CormForeignKey *key));
static void raise_ambiguous(CormModel *model, const char *name) pg_attribute_noreturn();

/*
 * corm_relation_kind_name returns the name of a kind of relation.
 */
const char *
corm_relation_kind_name(CormRelationKind kind)
{
	switch (kind)
	{
		case CORM_BELONGS_TO:
			return "belongs_to";
		case CORM_HAS_ONE:
			return "has_one";
		case CORM_HAS_MANY:
			return "has_many";
		case CORM_MANY_TO_MANY:
			return "many_to_many";
	}
	pg_unreachable();
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
 * is_field returns whether a name is that of a field or column.
 */
static bool
is_field(CormModel *model, const char *name)
{
	for (int i = 0; i < model->nfields; i++)
	{
		if (strcmp(model->fields[i].name, name) == 0 || strcmp(model->fields[i].column, name) == 0)
			return true;
	}
	return false;
}

/*
 * is_taken returns whether a name is that of a field or of a relation that is
 * in the list already.
 */
static bool
is_taken(Build *build, const char *name)
{
	return is_field(build->model, name) || find_by_name(build->list, name) != NULL;
}

/*
 * name_columns returns the names of columns of a table, or NULL if one of them
 * is gone.
 */
static char **
name_columns(Build *build, Oid relid, int n, const AttrNumber *attnums)
{
	char	  **names = MemoryContextAlloc(build->keep, sizeof(char *) * n);

	for (int i = 0; i < n; i++)
	{
		char	   *name = get_attname(relid, attnums[i], true);

		if (name == NULL)
			return NULL;
		names[i] = MemoryContextStrdup(build->keep, name);
	}
	return names;
}

/*
 * add_relation adds a relation that comes from a foreign key.  The caller
 * fills in target and columns.
 */
static CormRelation *
add_relation(Build *build, CormRelationKind kind, const char *name, const CormForeignKey *key)
{
	MemoryContext old = MemoryContextSwitchTo(build->keep);
	CormRelation *relation = palloc0(sizeof(CormRelation));
	CormRelation *other = find_by_name(build->list, name);

	relation->name = pstrdup(name);
	relation->json_key = corm_json_name(build->model, name);
	relation->kind = kind;
	relation->constraint = key->oid;
	relation->source = psprintf("foreign key \"%s\" of table \"%s\"", key->name, key->table_name);
	if (other != NULL)
		relation->ambiguous = other->ambiguous = true;
	else if (is_field(build->model, name))
		relation->ambiguous = true;
	build->list = lappend(build->list, relation);
	MemoryContextSwitchTo(old);

	return relation;
}

/*
 * belongs_to_name returns the name of the relation from the table that has a
 * foreign key, before it is looked at whether the name is taken.
 */
static char *
belongs_to_name(const CormForeignKey *key)
{
	char	   *name;
	int			len;

	if (corm_tags_get(key->tags, "name", &name))
		return name;

	if (key->nkeys == 1)
	{
		name = get_attname(key->relid, key->keys[0], true);
		len = name ? strlen(name) : 0;
		if (len > 3 && strcmp(name + len - 3, "_id") == 0)
			return pnstrdup(name, len - 3);
	}
	return pstrdup(key->target_name);
}

/*
 * is_hidden returns whether the tag "-" keeps a foreign key from being a
 * relation.
 */
static bool
is_hidden(const CormForeignKey *key)
{
	return corm_tags_flag(key->tags, "-") == 1;
}

/*
 * add_declared adds what is declared for a relation's model, except under
 * names that are there already.
 */
static void
add_declared(Build *build, Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(build->keep);
	ListCell   *lc;

	foreach(lc, corm_relate_load(relid))
	{
		CormRelation *relation = lfirst(lc);

		if (find_by_name(build->list, relation->name) != NULL)
			continue;
		relation->json_key = corm_json_name(build->model, relation->name);
		relation->ambiguous = is_field(build->model, relation->name);
		build->list = lappend(build->list, relation);
		build->depends = lappend_oid(build->depends, relation->target);
		if (OidIsValid(relation->through))
			build->depends = lappend_oid(build->depends, relation->through);
	}
	MemoryContextSwitchTo(old);
}

/*
 * add_belongs_to adds the relation from the table that has a foreign key.
 */
static void
add_belongs_to(Build *build, const CormForeignKey *key)
{
	char	   *name = belongs_to_name(key);
	CormRelation *other;
	CormRelation *relation;
	char	  **columns;
	char	  **target_columns;

	/* A table with both author and author_id: the relation is the authors. */
	if (!corm_tags_get(key->tags, "name", NULL) && is_taken(build, name))
		name = key->target_name;

	/* What is declared goes before what is found. */
	other = find_by_name(build->list, name);
	if (other != NULL && other->declared)
		return;

	columns = name_columns(build, key->relid, key->nkeys, key->keys);
	target_columns = name_columns(build, key->target, key->nkeys, key->target_keys);
	if (columns == NULL || target_columns == NULL)
		return;
	relation = add_relation(build, CORM_BELONGS_TO, name, key);
	relation->target = key->target;
	relation->nkeys = relation->ntarget_keys = key->nkeys;
	relation->columns = columns;
	relation->target_columns = target_columns;
	relation->required = key->required;
}

/*
 * add_has adds the relation from the table that a foreign key refers to.
 */
static void
add_has(Build *build, const CormForeignKey *key)
{
	char	   *name;
	CormRelation *other;
	CormRelation *relation;
	char	  **columns;
	char	  **target_columns;

	if (!corm_tags_get(key->tags, "inverse", &name))
	{
		name = key->table_name;
		if (is_taken(build, name))
			name = psprintf("%s_by_%s", name, belongs_to_name(key));
	}
	other = find_by_name(build->list, name);
	if (other != NULL && other->declared)
		return;

	columns = name_columns(build, key->target, key->nkeys, key->target_keys);
	target_columns = name_columns(build, key->relid, key->nkeys, key->keys);
	if (columns == NULL || target_columns == NULL)
		return;
	relation = add_relation(build, key->unique ? CORM_HAS_ONE : CORM_HAS_MANY, name, key);
	relation->target = key->relid;
	relation->nkeys = relation->ntarget_keys = key->nkeys;
	relation->columns = columns;
	relation->target_columns = target_columns;
}

/*
 * covers_primary_key returns whether a primary key is two foreign keys: each
 * of its columns is one of exactly one of them, and there are no others.
 */
static bool
covers_primary_key(const CormForeignKey *a, const CormForeignKey *b, List *pk)
{
	List	   *columns = NIL;
	ListCell   *lc;

	if (a->nkeys + b->nkeys != list_length(pk))
		return false;
	for (int i = 0; i < a->nkeys; i++)
		columns = list_append_unique_int(columns, a->keys[i]);
	for (int i = 0; i < b->nkeys; i++)
		columns = list_append_unique_int(columns, b->keys[i]);
	foreach(lc, pk)
	{
		if (!list_member_int(columns, lfirst_int(lc)))
			return false;
	}
	return list_length(columns) == list_length(pk);
}

/*
 * add_many_to_many adds the relation through the table that has two foreign
 * keys, near_key to the model's table and far_key to the target.
 */
static void
add_many_to_many(Build *build, const CormForeignKey *near_key, const CormForeignKey *far_key)
{
	char	   *name = far_key->target_name;
	CormRelation *other;
	CormRelation *relation;
	char	  **columns;
	char	  **through_columns;
	char	  **through_target_columns;
	char	  **target_columns;

	if (is_taken(build, name))
		name = psprintf("%s_through_%s", name, near_key->table_name);
	other = find_by_name(build->list, name);
	if (other != NULL && other->declared)
		return;

	columns = name_columns(build, near_key->target, near_key->nkeys, near_key->target_keys);
	through_columns = name_columns(build, near_key->relid, near_key->nkeys, near_key->keys);
	through_target_columns = name_columns(build, far_key->relid, far_key->nkeys, far_key->keys);
	target_columns = name_columns(build, far_key->target, far_key->nkeys, far_key->target_keys);
	if (columns == NULL || through_columns == NULL || through_target_columns == NULL ||
		target_columns == NULL)
		return;
	relation = add_relation(build, CORM_MANY_TO_MANY, name, far_key);
	relation->target = far_key->target;
	relation->through = near_key->relid;
	relation->nkeys = near_key->nkeys;
	relation->ntarget_keys = far_key->nkeys;
	relation->columns = columns;
	relation->through_columns = through_columns;
	relation->through_target_columns = through_target_columns;
	relation->target_columns = target_columns;
}

/*
 * add_through adds the many_to_many relations through the table that has a
 * foreign key to the model's table.
 */
static void
add_through(Build *build, const CormForeignKey *key)
{
	List	   *pk = corm_primary_key_columns(key->relid);
	ListCell   *lc;

	if (list_length(pk) < 2)
		return;

	foreach(lc, corm_foreign_keys_of(key->relid, false))
	{
		CormForeignKey *far_key = lfirst(lc);

		if (far_key->oid == key->oid || is_hidden(far_key) ||
			!covers_primary_key(key, far_key, pk))
			continue;
		add_many_to_many(build, key, far_key);
		build->depends = lappend_oid(build->depends, far_key->target);
	}
}

/*
 * add_keys calls add for the foreign keys that are not hidden, and that have
 * the tag, or do not have it.
 */
static void
add_keys(Build *build, List *keys, const char *tag, bool tagged,
		 void (*add) (Build *build, const CormForeignKey *key))
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		CormForeignKey *key = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (!is_hidden(key) &&
			(tag != NULL && corm_tags_get(key->tags, tag, NULL)) == tagged)
			add(build, key);
	}
}

/*
 * corm_relations_build makes the list of a model's relations, in the memory
 * context keep.  The catalogs may change meanwhile; it is for the caller to
 * notice.
 */
CormRelations *
corm_relations_build(CormModel *model, MemoryContext keep)
{
	Build		build = {model, keep, NIL, NIL};
	CormRelations *relations;
	List	   *own;
	List	   *others;
	ListCell   *lc;
	int			n = 0;

	add_declared(&build, model->relid);
	if (OidIsValid(model->table) && model->table != model->relid)
		add_declared(&build, model->table);

	own = corm_foreign_keys_of(model->table, false);
	others = corm_foreign_keys_to(model->table);
	foreach(lc, own)
		build.depends = lappend_oid(build.depends, ((CormForeignKey *) lfirst(lc))->target);
	foreach(lc, others)
		build.depends = lappend_oid(build.depends, ((CormForeignKey *) lfirst(lc))->relid);

	add_keys(&build, own, "name", true, add_belongs_to);
	add_keys(&build, others, "inverse", true, add_has);
	add_keys(&build, own, "name", false, add_belongs_to);
	add_keys(&build, others, "inverse", false, add_has);
	add_keys(&build, others, NULL, false, add_through);

	list_sort(build.depends, list_oid_cmp);
	list_deduplicate_oid(build.depends);
	relations = MemoryContextAlloc(keep, sizeof(CormRelations));
	relations->context = keep;
	relations->list = build.list;
	relations->epoch = 0;
	relations->depends = MemoryContextAlloc(keep, sizeof(Oid) * (list_length(build.depends) + 1));
	foreach(lc, build.depends)
		relations->depends[n++] = lfirst_oid(lc);
	relations->ndepends = n;

	return relations;
}

/*
 * corm_model_relations returns the relations of a model, a list of
 * CormRelation that is valid until the transaction ends.
 */
List *
corm_model_relations(CormModel *model)
{
	corm_registry_load_relations(model);
	return model->relations->list;
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
	if (is_field(model, name))
		appendStringInfoString(&sources, "a field");
	foreach(lc, model->relations->list)
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
		corm_unknown_relation(model, name);
	return relation;
}

/*
 * corm_unknown_relation raises 42703 for a name that is no relation of model.
 * The hint names the nearest one, or all of them when none is near.
 */
void
corm_unknown_relation(CormModel *model, const char *name)
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
