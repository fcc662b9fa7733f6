/*-------------------------------------------------------------------------
 *
 * relations_build.c
 *		The relations of a model: found from foreign keys, and named.
 *
 * A foreign key is two relations, belongs_to of the table that has it and
 * has_many or has_one of the table it refers to; a table with a key that two
 * foreign keys cover is a many_to_many of both tables.  Names are given in a
 * fixed order, so that they are the same after a restore: what is declared by
 * corm.relate first, then what tags name, then belongs_to, has_one and
 * has_many, many_to_many, each by table and columns.  A derived name that is
 * taken gets a suffix.  If two relations have the same name nevertheless, both
 * are marked: using the name is an error, and other relations are not affected.
 *
 * What another role owns comes after all of that: anybody with a table that
 * refers to the model's, which takes no more than the privilege REFERENCES,
 * could take over a name otherwise, and with it what is read and written under
 * it.  Other roles are all but the owner of the model, that of its table, and
 * superusers.  Their foreign keys get a suffix always, their tags name nothing,
 * and a name of theirs is never ambiguous: it is numbered.  The same holds for
 * a name that the model's owner has not chosen because it is that of another
 * role's table: renaming that table must not move other relations.
 *
 * The list is made when a relation of the model is first requested, since most
 * uses of a model need none.  It depends on the names, keys and unique indexes
 * of other tables than the model's.  Which tables these are is part of the
 * result, so that the registry drops the model when one of them changes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "model/declared.h"
#include "model/keys.h"
#include "model/naming.h"
#include "model/relations_build.h"
#include "model/tags.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* The keys of a table that refers to that of the model. */
typedef struct TableKeys
{
	Oid			relid;			/* hash key */
	List	   *keys;			/* of CormForeignKey */
	List	   *distinct;		/* those without copies */
	List	   *unique_keys;	/* of lists of columns */
} TableKeys;

/*
 * A name that is taken.  There can be thousands: anybody who may refer to the
 * model's table can do so from many tables of the same name.
 */
typedef struct TakenName
{
	const char *name;			/* hash key, by the string */
	CormRelation *relation;		/* the first with this name; NULL for a field */
	int			next_number;	/* for another relation of this name: see
								 * number() */
} TakenName;

/* A list in the making. */
typedef struct Build
{
	CormModel  *model;
	MemoryContext keep;			/* the list and what hangs on it is made there */
	List	   *list;
	HTAB	   *names;			/* of TakenName: those in the list, and of
								 * fields and columns */
	List	   *depends;
	Oid			owners[2];		/* of the model and of its table */
	List	   *own;			/* of CormForeignKey: those of the table */
	List	   *own_named;		/* of them, those whose names are not in the
								 * hands of others */
	HTAB	   *table_keys;		/* of TableKeys; NULL until the first is asked
								 * for */
	bool		others;			/* what is being named is in the hands of
								 * another role */
} Build;

static uint32 name_hash(const void *key, Size keysize);
static int	name_match(const void *a, const void *b, Size keysize);
static void take_name(Build *build, const char *name, CormRelation *relation);
static CormRelation *find_by_name(Build *build, const char *name);
static bool is_taken(Build *build, const char *name);
static void take_fields(Build *build);
static char *number(Build *build, char *name);
static Oid	owner_of(Oid relid);
static bool is_others(Build *build, Oid relid);
static char **name_columns(Build *build, Oid relid, int n, const AttrNumber *attnums);
static CormRelation *add_relation(Build *build, CormRelationKind kind, const char *name,
								  const CormForeignKey *key);
static char *strip_suffix(const char *column);
static bool is_hidden(const CormForeignKey *key);
static bool is_called_as_target(const CormForeignKey *key);
static char *first_name(CormForeignKey *key, bool tagged);
static char *own_column(const CormForeignKey *key, List *siblings);
static char *belongs_to_name(CormForeignKey *key, List *siblings, bool tagged);
static void add_declared(Build *build, Oid relid);
static void add_belongs_to(Build *build, CormForeignKey *key);
static void add_has(Build *build, CormForeignKey *key);
static TableKeys *keys_of_table(Build *build, Oid relid);
static bool covers_key(const CormForeignKey *a, const CormForeignKey *b, List *columns);
static bool is_link(const CormForeignKey *a, const CormForeignKey *b, List *unique_keys);
static void add_many_to_many(Build *build, const CormForeignKey *near_key,
							 const CormForeignKey *far_key);
static void add_through(Build *build, CormForeignKey *key);
static List *without_copies(List *keys);
static void add_keys(Build *build, List *keys, const char *tag, bool tagged,
					 void (*add) (Build *build, CormForeignKey *key));

/*
 * name_hash hashes the string that a key of build->names points to.
 */
static uint32
name_hash(const void *key, Size keysize)
{
	const char *name = *(const char *const *) key;

	return hash_bytes((const unsigned char *) name, strlen(name));
}

/*
 * name_match compares two of those strings; 0 means equal.
 */
static int
name_match(const void *a, const void *b, Size keysize)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/*
 * take_name notes that a name, which is not copied, is that of a relation, or
 * with NULL of a field.
 */
static void
take_name(Build *build, const char *name, CormRelation *relation)
{
	bool		found;
	TakenName  *entry = hash_search(build->names, &name, HASH_ENTER, &found);

	if (!found)
	{
		entry->relation = NULL;
		entry->next_number = 2;
	}
	if (entry->relation == NULL)
		entry->relation = relation;
}

/*
 * take_fields makes the hash of names, and takes those of fields and columns.
 */
static void
take_fields(Build *build)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(const char *);
	ctl.entrysize = sizeof(TakenName);
	ctl.hash = name_hash;
	ctl.match = name_match;
	ctl.hcxt = CurrentMemoryContext;
	build->names = hash_create("corm relation names", 64, &ctl,
							   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	for (int i = 0; i < build->model->nfields; i++)
	{
		take_name(build, build->model->fields[i].name, NULL);
		take_name(build, build->model->fields[i].column, NULL);
	}
}

/*
 * find_by_name returns the first relation with this name, or NULL.
 */
static CormRelation *
find_by_name(Build *build, const char *name)
{
	TakenName  *entry = hash_search(build->names, &name, HASH_FIND, NULL);

	return entry ? entry->relation : NULL;
}

/*
 * is_taken returns whether a name is that of a field or of a relation that is
 * in the list already.
 */
static bool
is_taken(Build *build, const char *name)
{
	return hash_search(build->names, &name, HASH_FIND, NULL) != NULL;
}

/*
 * number returns a name for a relation to what another role owns: the one
 * given, or if that is taken, with the first free number from 2 on.  A number
 * that is taken stays taken, so the next search for the same name goes on where
 * this one ends.
 */
static char *
number(Build *build, char *name)
{
	TakenName  *entry = hash_search(build->names, &name, HASH_FIND, NULL);
	char	   *numbered = name;

	while (entry != NULL && is_taken(build, numbered))
		numbered = psprintf("%s_%d", name, entry->next_number++);
	return numbered;
}

/*
 * owner_of returns the owner of a relation, InvalidOid if it is gone.
 */
static Oid
owner_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * is_others returns whether another role owns a table, that is neither the
 * owner of the model nor a superuser.  Membership in roles makes no
 * difference.
 */
static bool
is_others(Build *build, Oid relid)
{
	Oid			owner = owner_of(relid);

	return owner != build->owners[0] && owner != build->owners[1] && !superuser_arg(owner);
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
	CormRelation *other = find_by_name(build, name);

	relation->name = pstrdup(name);
	relation->json_key = corm_json_name(build->model, name);
	relation->kind = kind;
	relation->unfilterable = corm_tags_flag(key->tags, "filterable") == 0;
	relation->constraint = key->oid;
	relation->source = psprintf("foreign key \"%s\" of table \"%s\"", key->name, key->table_name);
	if (other != NULL)
		relation->ambiguous = other->ambiguous = true;
	else if (is_taken(build, name))
		relation->ambiguous = true;
	build->list = lappend(build->list, relation);
	MemoryContextSwitchTo(old);
	take_name(build, relation->name, relation);

	return relation;
}

/*
 * strip_suffix returns the name of a column without the suffix that says that
 * it refers to something, or NULL if it has none.
 */
static char *
strip_suffix(const char *column)
{
	static const char *const suffixes[] = {"_id", "Id", "ID"};
	int			len = strlen(column);

	for (int i = 0; i < lengthof(suffixes); i++)
	{
		int			suffix_len = strlen(suffixes[i]);

		if (len > suffix_len && strcmp(column + len - suffix_len, suffixes[i]) == 0)
			return pnstrdup(column, len - suffix_len);
	}
	return NULL;
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
 * is_called_as_target returns whether the relation from the table that has a
 * foreign key is called as the table it refers to, in the first place.
 */
static bool
is_called_as_target(const CormForeignKey *key)
{
	char	   *column = key->nkeys == 1 ? get_attname(key->relid, key->keys[0], true) : NULL;

	return !corm_tags_get(key->tags, "name", NULL) &&
		(column == NULL || strip_suffix(column) == NULL);
}

/*
 * first_name returns the name of the relation from the table that has a
 * foreign key, before it is looked at whether others have it.
 */
static char *
first_name(CormForeignKey *key, bool tagged)
{
	char	   *name = key->first_name[tagged];

	if (name != NULL)
		return name;
	if (tagged && corm_tags_get(key->tags, "name", &name))
		 /* done */ ;
	else if (key->nkeys == 1)
	{
		char	   *column = get_attname(key->relid, key->keys[0], true);

		name = column ? strip_suffix(column) : NULL;
	}
	if (name == NULL)
		name = key->target_name;
	key->first_name[tagged] = name;
	return name;
}

/*
 * own_column returns the name of the first column of a foreign key that no
 * other one of the same table has, or NULL if there is none.
 */
static char *
own_column(const CormForeignKey *key, List *siblings)
{
	for (int i = 0; i < key->nkeys; i++)
	{
		bool		shared = false;
		ListCell   *lc;

		foreach(lc, siblings)
		{
			CormForeignKey *other = lfirst(lc);

			for (int j = 0; j < other->nkeys && other->oid != key->oid && !shared; j++)
				shared = (other->keys[j] == key->keys[i]);
		}
		if (!shared)
			return get_attname(key->relid, key->keys[i], true);
	}
	return NULL;
}

/*
 * belongs_to_name returns the name of the relation from the table that has a
 * foreign key, given all that the table has, before it is looked at whether it
 * is that of a field.  tagged tells whether the tags on them count.
 */
static char *
belongs_to_name(CormForeignKey *key, List *siblings, bool tagged)
{
	char	   *name = first_name(key, tagged);
	char	   *column;
	bool		clash = false;
	ListCell   *lc;

	if (tagged && corm_tags_get(key->tags, "name", NULL))
		return name;

	foreach(lc, siblings)
	{
		CormForeignKey *other = lfirst(lc);

		if (other->oid != key->oid && !is_hidden(other) &&
			strcmp(first_name(other, tagged), name) == 0)
			clash = true;
	}
	column = clash ? own_column(key, siblings) : NULL;
	if (column == NULL)
		return name;
	name = strip_suffix(column);
	return name != NULL ? name : column;
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

	foreach(lc, corm_declared_load(relid))
	{
		CormRelation *relation = lfirst(lc);

		if (find_by_name(build, relation->name) != NULL)
			continue;
		relation->json_key = corm_json_name(build->model, relation->name);
		relation->ambiguous = is_taken(build, relation->name);
		build->list = lappend(build->list, relation);
		take_name(build, relation->name, relation);
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
add_belongs_to(Build *build, CormForeignKey *key)
{
	bool		others = is_called_as_target(key) && is_others(build, key->target);
	char	   *name;
	CormRelation *other;
	CormRelation *relation;
	char	  **columns;
	char	  **target_columns;

	if (others != build->others)
		return;

	/* The names of other roles' tables are no reason to change others. */
	name = belongs_to_name(key, others ? build->own : build->own_named, true);
	if (!corm_tags_get(key->tags, "name", NULL) && is_taken(build, name))
	{
		char	   *column = own_column(key, build->own);

		if (column == NULL)
			column = get_attname(key->relid, key->keys[key->nkeys - 1], true);
		name = psprintf("%s_by_%s", key->target_name, column ? column : "");
	}
	if (others)
		name = number(build, name);

	/* What is declared goes before what is found. */
	other = find_by_name(build, name);
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
add_has(Build *build, CormForeignKey *key)
{
	bool		others = is_others(build, key->relid);
	char	   *name;
	CormRelation *other;
	CormRelation *relation;
	char	  **columns;
	char	  **target_columns;

	if (others != build->others)
		return;

	if (others || !corm_tags_get(key->tags, "inverse", &name))
	{
		name = key->table_name;
		if (others || is_taken(build, name))
			name = psprintf("%s_by_%s", name,
							belongs_to_name(key, keys_of_table(build, key->relid)->keys, !others));
	}
	if (others)
		name = number(build, name);
	other = find_by_name(build, name);
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
 * keys_of_table returns the keys of a table that refers to the model's.  They are
 * read once and not for each reference: a role that may refer to the model's
 * table can do so by 1,600 foreign keys of one table, and everybody who uses the
 * model would wait.  The result is valid until the list is finished.
 */
static TableKeys *
keys_of_table(Build *build, Oid relid)
{
	TableKeys  *table_keys;
	bool		found;

	if (build->table_keys == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(TableKeys);
		ctl.hcxt = CurrentMemoryContext;
		build->table_keys = hash_create("corm table keys", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	table_keys = hash_search(build->table_keys, &relid, HASH_ENTER, &found);
	if (!found)
	{
		table_keys->keys = corm_foreign_keys_of(relid, false);
		table_keys->distinct = without_copies(table_keys->keys);
		table_keys->unique_keys = corm_unique_keys(relid, InvalidAttrNumber);
	}
	return table_keys;
}

/*
 * covers_key returns whether two foreign keys cover the columns of a key: they
 * have all of them, and each has some that the other has not.
 */
static bool
covers_key(const CormForeignKey *a, const CormForeignKey *b, List *columns)
{
	bool		only_a = false;
	bool		only_b = false;
	ListCell   *lc;

	foreach(lc, columns)
	{
		bool		in_a = false;
		bool		in_b = false;

		for (int i = 0; i < a->nkeys; i++)
			in_a |= (a->keys[i] == lfirst_int(lc));
		for (int i = 0; i < b->nkeys; i++)
			in_b |= (b->keys[i] == lfirst_int(lc));
		if (!in_a && !in_b)
			return false;
		only_a |= !in_b;
		only_b |= !in_a;
	}
	return only_a && only_b;
}

/*
 * is_link returns whether two foreign keys make a many_to_many of their table:
 * one of its unique keys is made of them.
 */
static bool
is_link(const CormForeignKey *a, const CormForeignKey *b, List *unique_keys)
{
	ListCell   *lc;

	foreach(lc, unique_keys)
	{
		if (covers_key(a, b, lfirst(lc)))
			return true;
	}
	return false;
}

/*
 * add_many_to_many adds the relation through the table that has two foreign
 * keys, near_key to the model's table and far_key to the target.
 */
static void
add_many_to_many(Build *build, const CormForeignKey *near_key, const CormForeignKey *far_key)
{
	bool		others = is_others(build, near_key->relid);
	char	   *name = far_key->target_name;
	CormRelation *other;
	CormRelation *relation;
	char	  **columns;
	char	  **through_columns;
	char	  **through_target_columns;
	char	  **target_columns;

	if (others || is_taken(build, name))
		name = psprintf("%s_through_%s", name, near_key->table_name);
	if (build->others)
		name = number(build, name);
	other = find_by_name(build, name);
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
	relation->unfilterable |= corm_tags_flag(near_key->tags, "filterable") == 0;
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
 * foreign key to the model's table: those whose names are in the hands of
 * other roles, or those whose are not.
 */
static void
add_through(Build *build, CormForeignKey *key)
{
	TableKeys  *table_keys = keys_of_table(build, key->relid);
	ListCell   *lc;

	if (table_keys->unique_keys == NIL)
		return;

	foreach(lc, table_keys->distinct)
	{
		CormForeignKey *far_key = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (far_key->oid == key->oid || is_hidden(far_key) || !is_link(key, far_key, table_keys->unique_keys) ||
			(is_others(build, key->relid) || is_others(build, far_key->target)) != build->others)
			continue;
		add_many_to_many(build, key, far_key);
		build->depends = lappend_oid(build->depends, far_key->target);
	}
}

/*
 * without_copies returns foreign keys, of which none has the columns of
 * another one, and refers to the same: they would be the same relation.  One
 * with tags stays.
 */
static List *
without_copies(List *keys)
{
	List	   *result = NIL;
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, keys)
	{
		CormForeignKey *key = lfirst(lc);
		bool		copy = false;

		CHECK_FOR_INTERRUPTS();
		foreach(lc2, result)
		{
			CormForeignKey *other = lfirst(lc2);

			if (key->tags == NIL && other->relid == key->relid && other->target == key->target &&
				other->nkeys == key->nkeys &&
				memcmp(other->keys, key->keys, sizeof(AttrNumber) * key->nkeys) == 0 &&
				memcmp(other->target_keys, key->target_keys, sizeof(AttrNumber) * key->nkeys) == 0)
				copy = true;
		}
		if (!copy)
			result = lappend(result, key);
	}
	return result;
}

/*
 * add_keys calls add for the foreign keys that are not hidden, and that have
 * the tag, or do not have it.
 */
static void
add_keys(Build *build, List *keys, const char *tag, bool tagged,
		 void (*add) (Build *build, CormForeignKey *key))
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
 * context keep; everything else that is allocated here is garbage in the current
 * one.  If the catalogs change while it runs, the list may be wrong: the caller
 * must notice and call it again.
 */
CormRelations *
corm_relations_build(CormModel *model, MemoryContext keep)
{
	Build		build = {.model = model, .keep = keep};
	CormRelations *relations;
	List	   *own;
	List	   *others;
	ListCell   *lc;
	int			n = 0;

	build.owners[0] = owner_of(model->relid);
	build.owners[1] = OidIsValid(model->table) ? owner_of(model->table) : build.owners[0];

	take_fields(&build);
	add_declared(&build, model->relid);
	if (OidIsValid(model->table) && model->table != model->relid)
		add_declared(&build, model->table);

	own = build.own = without_copies(corm_foreign_keys_of(model->table, false));
	others = without_copies(corm_foreign_keys_to(model->table));
	foreach(lc, own)
	{
		CormForeignKey *key = lfirst(lc);

		build.depends = lappend_oid(build.depends, key->target);
		if (!is_called_as_target(key) || !is_others(&build, key->target))
			build.own_named = lappend(build.own_named, key);
	}
	foreach(lc, others)
	{
		build.depends = lappend_oid(build.depends, ((CormForeignKey *) lfirst(lc))->relid);
	}

	add_keys(&build, own, "name", true, add_belongs_to);
	add_keys(&build, others, "inverse", true, add_has);
	add_keys(&build, own, "name", false, add_belongs_to);
	add_keys(&build, others, "inverse", false, add_has);
	add_keys(&build, others, NULL, false, add_through);

	/*
	 * What is in the hands of other roles; the tags on their keys do not
	 * count.
	 */
	build.others = true;
	add_keys(&build, own, "name", false, add_belongs_to);
	add_keys(&build, others, NULL, false, add_has);
	add_keys(&build, others, NULL, false, add_through);

	list_sort(build.depends, list_oid_cmp);
	list_deduplicate_oid(build.depends);
	relations = MemoryContextAlloc(keep, sizeof(CormRelations));
	relations->context = keep;
	relations->list = build.list;
	relations->epoch = 0;
	relations->depends = MemoryContextAlloc(keep, sizeof(Oid) * (list_length(build.depends) + 1));
	foreach(lc, build.depends)
	{
		relations->depends[n++] = lfirst_oid(lc);
	}
	relations->ndepends = n;
	hash_destroy(build.names);
	if (build.table_keys != NULL)
		hash_destroy(build.table_keys);

	return relations;
}
