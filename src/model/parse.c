/*-------------------------------------------------------------------------
 *
 * parse.c
 *		A model from the system catalogs.
 *
 * The parse goes in two steps.  First a draft: what the row type itself says,
 * by its attributes, the tags in their comments, and then the registered
 * options, which win over tags.  A draft has a field for each attribute,
 * ignored ones too, because options may name any of them; what it declares
 * refers to fields by index until the ignored ones are dropped.  Then the draft
 * meets the table: each field finds its column, the primary key is found, and
 * everything is checked.
 *
 * A row type is mapped to another table by the tag "table" or a registration;
 * a composite type has to be.  Such a model inherits what the table's own
 * model says of the columns: a read-only column is read-only in every type
 * that shows it, and deleted rows stay hidden even from a type that lacks the
 * column that says so.  Columns of that sort become fields that have no name.
 *
 * Each relation is locked in AccessShareLock mode while it is read, so that
 * the parts fit together; the lock is not kept, because a view that lists all
 * models would otherwise fill the lock table.  What changes afterwards is
 * announced by an invalidation message.
 *
 * Everything here is allocated in the current memory context, garbage too:
 * the caller copies the finished model out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "base/errors.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_description.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "miscadmin.h"
#include "model/keys.h"
#include "model/naming.h"
#include "model/parse.h"
#include "model/shards.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

static Relation open_relation(Oid relid);
static char **read_comments(Relation rel);
static Oid	tagged_table(Relation rel, const char *object, CormTag *tag);
static char *column_description(Oid relid, AttrNumber attnum);
static void draft_role(CormDraft *draft, Relation rel, CormField *field, CormRole role);
static void draft_field(CormDraft *draft, Relation rel, AttrNumber attnum, const char *comment);
static void check_not_ignored(CormDraft *draft, int i, const char *what);
static void drop_ignored(CormDraft *draft);
static void set_roles(CormDraft *draft);
static void name_json_keys(CormModel *model);
static void check_names(CormDraft *draft);
static void meet_column(CormModel *model, CormField *field, Relation table, AttrNumber attnum);
static void read_default(CormModel *model, CormField *field);
static void match_columns(CormDraft *draft, Relation rel, Relation table);
static void inherit(CormDraft *draft, CormModel *base);
static int	index_of_column(CormModel *model, CormModel *base, int field);
static void find_primary_key(CormDraft *draft, Relation table, CormModel *base);
static CormModel *parse_relation(Oid relid, const CormOverrides *overrides, bool as_table);

/*
 * open_relation opens and locks a relation that can be a model, or raises
 * 42P01, 42809, or 0A000 for a shard.
 */
static Relation
open_relation(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));

	switch (rel->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_COMPOSITE_TYPE:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" cannot be used as a model", RelationGetRelationName(rel)),
					 errdetail_relkind_not_supported(rel->rd_rel->relkind)));
	}
	if (rel->rd_rel->relkind == RELKIND_RELATION || rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		corm_refuse_shard(relid);

	return rel;
}

/*
 * read_comments returns the comments on a relation (element 0) and on its
 * columns (by attribute number), NULL where there is none, by one scan.
 */
static char **
read_comments(Relation rel)
{
	int			natts = RelationGetNumberOfAttributes(rel);
	char	  **comments = palloc0(sizeof(char *) * (natts + 1));
	Relation	description = table_open(DescriptionRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_description_objoid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationGetRelid(rel)));
	ScanKeyInit(&keys[1], Anum_pg_description_classoid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationRelationId));
	scan = systable_beginscan(description, DescriptionObjIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		int			attnum = ((Form_pg_description) GETSTRUCT(tuple))->objsubid;
		bool		isnull;
		Datum		comment = heap_getattr(tuple, Anum_pg_description_description,
										   RelationGetDescr(description), &isnull);

		if (!isnull && attnum >= 0 && attnum <= natts)
			comments[attnum] = TextDatumGetCString(comment);
	}
	systable_endscan(scan);
	table_close(description, AccessShareLock);

	/* A composite type's own comment belongs to the type. */
	if (rel->rd_rel->relkind == RELKIND_COMPOSITE_TYPE)
		comments[0] = GetComment(rel->rd_rel->reltype, TypeRelationId, 0);

	return comments;
}

/*
 * tagged_table returns the table that the tag "table" on rel names.  A name
 * without a schema is one of rel's schema, so that it does not depend on the
 * search_path of the user who happens to parse the model first.
 */
static Oid
tagged_table(Relation rel, const char *object, CormTag *tag)
{
	char	   *value = pstrdup(tag->value);
	List	   *names;
	char	   *schema;
	char	   *name;
	Oid			nsp;
	Oid			relid;

	if (!SplitIdentifierString(value, '.', &names) || names == NIL || list_length(names) > 2)
		corm_tags_error(object, tag, "The value is not a table's name.");
	name = llast(names);
	schema = list_length(names) == 2 ? linitial(names) :
		get_namespace_name(RelationGetNamespace(rel));

	nsp = get_namespace_oid(schema, true);
	relid = OidIsValid(nsp) ? get_relname_relid(name, nsp) : InvalidOid;
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist", schema, name),
				 errdetail("The tag \"@orm:table=%s\" on %s names it.", tag->value, object)));

	return relid;
}

/*
 * column_description returns "column c of table t", for messages.
 */
static char *
column_description(Oid relid, AttrNumber attnum)
{
	ObjectAddress address;

	ObjectAddressSubSet(address, RelationRelationId, relid, attnum);
	return getObjectDescription(&address, false);
}

/*
 * draft_role notes that a field is tagged with a role.
 */
static void
draft_role(CormDraft *draft, Relation rel, CormField *field, CormRole role)
{
	CormTag    *tag = corm_tags_find(field->tags, corm_role_names[role]);

	if (tag == NULL || corm_tags_flag(field->tags, tag->key) == 0)
		return;

	if (draft->roles[role].declared)
		corm_tags_error(column_description(RelationGetRelid(rel), field->rownum), tag,
						psprintf("Column \"%s\" has the same tag.",
								 draft->model->fields[draft->roles[role].field].column));
	draft->roles[role].declared = true;
	draft->roles[role].field = field - draft->model->fields;
	draft->roles[role].tag = tag;
}

/*
 * draft_field adds the field of attribute attnum, by its tags, to the draft.
 */
static void
draft_field(CormDraft *draft, Relation rel, AttrNumber attnum, const char *comment)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	int			i = draft->model->nfields++;
	CormField  *field = &draft->model->fields[i];
	ObjectAddress address;

	field->name = pstrdup(NameStr(att->attname));
	field->column = field->name;
	field->rownum = attnum;
	field->filterable = true;
	if (comment == NULL)
		return;

	ObjectAddressSubSet(address, RelationRelationId, RelationGetRelid(rel), attnum);
	field->tags = corm_tags_read(comment, &address, CORM_TAG_COLUMN);
	if (field->tags == NIL)
		return;

	corm_tags_get(field->tags, "name", &field->name);
	corm_tags_get(field->tags, "column", &field->column);
	field->read_only = corm_tags_flag(field->tags, "read_only") == 1;
	field->filterable = corm_tags_flag(field->tags, "filterable") != 0;
	field->hidden = corm_tags_flag(field->tags, "hidden") == 1;
	draft->ignored[i] = corm_tags_flag(field->tags, "-") == 1;

	if (strlen(field->name) >= NAMEDATALEN)
		corm_tags_error(column_description(RelationGetRelid(rel), attnum),
						corm_tags_find(field->tags, "name"),
						psprintf("A name must be shorter than %d bytes.", NAMEDATALEN));
	if (corm_tags_flag(field->tags, "primary_key") == 1)
		draft->pk = lappend_int(draft->pk, i);
	for (int role = 0; role < CORM_NUM_ROLES; role++)
		draft_role(draft, rel, field, role);
}

/*
 * check_not_ignored raises OR005 or OR006 if the field with index i, which
 * what (a role, or primary_key) refers to, is ignored.
 */
static void
check_not_ignored(CormDraft *draft, int i, const char *what)
{
	CormField  *field = &draft->model->fields[i];
	char	   *detail;

	if (!draft->ignored[i])
		return;

	detail = psprintf("Field \"%s\" is ignored.", field->name);
	if (draft->by_options)
		corm_overrides_error(draft->model->name, what, detail, NULL);
	corm_tags_error(column_description(draft->model->relid, field->rownum),
					corm_tags_find(field->tags, what), detail);
}

/*
 * drop_ignored removes the fields that are ignored.  Raises OR005 or OR006 if a
 * role or the primary key needs one of them.
 */
static void
drop_ignored(CormDraft *draft)
{
	CormModel  *model = draft->model;
	int			kept = 0;
	int		   *moved = palloc(sizeof(int) * Max(model->nfields, 1));
	ListCell   *lc;

	for (int role = 0; role < CORM_NUM_ROLES; role++)
	{
		if (draft->roles[role].declared && draft->roles[role].field >= 0)
			check_not_ignored(draft, draft->roles[role].field, corm_role_names[role]);
	}
	foreach(lc, draft->pk)
	{
		check_not_ignored(draft, lfirst_int(lc), "primary_key");
	}

	for (int i = 0; i < model->nfields; i++)
	{
		moved[i] = -1;
		if (!draft->ignored[i])
		{
			model->fields[kept] = model->fields[i];
			moved[i] = kept++;
		}
	}
	model->nfields = kept;

	for (int role = 0; role < CORM_NUM_ROLES; role++)
	{
		if (draft->roles[role].declared && draft->roles[role].field >= 0)
			draft->roles[role].field = moved[draft->roles[role].field];
	}
	foreach(lc, draft->pk)
	{
		lfirst_int(lc) = moved[lfirst_int(lc)];
	}
}

/*
 * set_roles sets the roles that the draft declares, and raises OR005 or OR006
 * for a field that cannot have its role.
 */
static void
set_roles(CormDraft *draft)
{
	CormModel  *model = draft->model;

	for (int role = 0; role < CORM_NUM_ROLES; role++)
	{
		const char *name = corm_role_names[role];
		CormField  *field;
		Oid			type;
		const char *expected;
		char	   *detail;

		if (!draft->roles[role].declared || draft->roles[role].field < 0)
			continue;

		field = &model->fields[draft->roles[role].field];
		type = getBaseType(field->typid);
		expected = corm_role_expects(role, type);
		if (expected != NULL)
			detail = psprintf("Field \"%s\" is of type %s, but a field for %s must be of type %s.",
							  field->name, format_type_be(field->typid), name, expected);
		else if (field->generated)
			detail = psprintf("Field \"%s\" is generated, so that corm could not write it.",
							  field->name);
		else if (role == CORM_ROLE_SOFT_DELETE && type != BOOLOID && field->not_null)
			detail = psprintf("Field \"%s\" is not null, but null is what says that a row is not deleted.",
							  field->name);
		else
		{
			*corm_model_role(model, role) = draft->roles[role].field;
			continue;
		}

		if (draft->roles[role].by_options)
			corm_overrides_error(draft->model->name, name, detail, NULL);
		corm_tags_error(column_description(model->relid, field->rownum),
						draft->roles[role].tag, detail);
	}
}

/*
 * name_json_keys gives each field its key in JSON.
 */
static void
name_json_keys(CormModel *model)
{
	for (int i = 0; i < model->nfields + model->nunnamed; i++)
	{
		CormField  *field = &model->fields[i];

		field->json_key = corm_json_name(model, field->name);
	}
}

/*
 * check_names raises an error if two fields have the same name or the same key
 * in JSON, which tags and options can bring about.
 */
static void
check_names(CormDraft *draft)
{
	CormModel  *model = draft->model;

	for (int i = 0; i < model->nfields; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = i + 1; j < model->nfields; j++)
		{
			CormField  *a = &model->fields[i];
			CormField  *b = &model->fields[j];
			bool		same_name = strcmp(a->name, b->name) == 0;

			if (!same_name && strcmp(a->json_key, b->json_key) != 0)
				continue;
			ereport(ERROR,
					(errcode(draft->by_options ? CORM_ERRCODE_BAD_OPTION : CORM_ERRCODE_BAD_TAG),
					 same_name ?
					 errmsg("model \"%s\" has two fields named \"%s\"", model->name, a->name) :
					 errmsg("model \"%s\" has two fields with the JSON key \"%s\"",
							model->name, a->json_key),
					 errdetail("The columns are \"%s\" and \"%s\".", a->column, b->column),
					 errhint("Give one of them another name with a tag or with corm.register.")));
		}
	}
}

/*
 * read_default completes has_default by the default of the column's type, and
 * notes the type if it is a domain, whose default can change.
 */
static void
read_default(CormModel *model, CormField *field)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(field->typid));
	Form_pg_type type;
	bool		no_value;
	bool		no_expression;

	if (!HeapTupleIsValid(tuple))
		return;

	type = (Form_pg_type) GETSTRUCT(tuple);
	SysCacheGetAttr(TYPEOID, tuple, Anum_pg_type_typdefault, &no_value);
	SysCacheGetAttr(TYPEOID, tuple, Anum_pg_type_typdefaultbin, &no_expression);
	if (!no_value || !no_expression)
		field->has_default = true;
	if (type->typtype == TYPTYPE_DOMAIN)
		model->type_hashes[model->ntypes++] =
			GetSysCacheHashValue1(TYPEOID, ObjectIdGetDatum(field->typid));
	ReleaseSysCache(tuple);
}

/*
 * meet_column fills in what column attnum of table says of a field.
 */
static void
meet_column(CormModel *model, CormField *field, Relation table, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(table), attnum - 1);

	field->column = pstrdup(NameStr(att->attname));
	field->attnum = attnum;
	field->typid = att->atttypid;
	field->typmod = att->atttypmod;
	field->collation = att->attcollation;
	field->not_null = att->attnotnull;
	field->generated = att->attgenerated != '\0';
	field->has_default = att->atthasdef && !field->generated;
	field->identity = att->attidentity;
	if (!field->generated && field->identity == '\0')
		read_default(model, field);
}

/*
 * match_columns gives each field of the row type rel its column of table, or
 * raises 42703.  table is NULL for a composite type that is not mapped.
 */
static void
match_columns(CormDraft *draft, Relation rel, Relation table)
{
	CormModel  *model = draft->model;

	for (int i = 0; i < model->nfields; i++)
	{
		CormField  *field = &model->fields[i];
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), field->rownum - 1);
		AttrNumber	attnum;

		if (table == NULL)
		{
			field->typid = att->atttypid;
			field->typmod = att->atttypmod;
			field->collation = att->attcollation;
			continue;
		}

		if (table == rel)
		{
			if (strcmp(field->column, NameStr(att->attname)) != 0)
			{
				CormTag    *tag = corm_tags_find(field->tags, "column");
				const char *detail = "Only a type that is mapped to another table can name its columns.";

				if (tag != NULL && strcmp(tag->value, field->column) == 0)
					corm_tags_error(column_description(model->relid, field->rownum), tag, detail);
				corm_overrides_error(draft->model->name, psprintf("fields.%s.column", field->name), detail, NULL);
			}
			attnum = field->rownum;
		}
		else
		{
			attnum = get_attnum(RelationGetRelid(table), field->column);
			if (attnum <= 0)
				ereport(ERROR,
						(errcode(ERRCODE_UNDEFINED_COLUMN),
						 errmsg("column \"%s\" of relation \"%s\" does not exist",
								field->column, RelationGetRelationName(table)),
						 errdetail("Field \"%s\" of model \"%s\" is mapped to it.",
								   field->name, model->name),
						 errhint("Name the column with COMMENT ON COLUMN %s IS '@orm:column=...', or with corm.register.",
								 quote_qualified_identifier(model->name, NameStr(att->attname)))));
		}
		meet_column(model, field, table, attnum);
	}
}

/*
 * index_of_column returns the index of the field that has the same column as
 * a field of base, the model of the table; one without a name is made if there is
 * none.
 */
static int
index_of_column(CormModel *model, CormModel *base, int field)
{
	int			n = model->nfields + model->nunnamed;

	for (int i = 0; i < n; i++)
	{
		if (model->fields[i].attnum == base->fields[field].attnum)
			return i;
	}

	model->fields[n] = base->fields[field];
	model->fields[n].rownum = 0;
	model->fields[n].primary_key = false;
	read_default(model, &model->fields[n]);
	model->nunnamed++;
	return n;
}

/*
 * inherit takes over what base, the model of the table, says of columns.
 * Restrictions add up; roles are inherited unless the draft has its own.
 */
static void
inherit(CormDraft *draft, CormModel *base)
{
	CormModel  *model = draft->model;

	for (int i = 0; i < model->nfields; i++)
	{
		CormField  *field = &model->fields[i];

		for (int j = 0; j < base->nfields; j++)
		{
			if (base->fields[j].attnum != field->attnum)
				continue;
			field->read_only |= base->fields[j].read_only;
			field->filterable &= base->fields[j].filterable;
			field->hidden |= base->fields[j].hidden;
		}
	}

	for (int role = 0; role < CORM_NUM_ROLES; role++)
	{
		int			field = *corm_model_role(base, role);

		if (field >= 0 && !draft->roles[role].declared)
			*corm_model_role(model, role) = index_of_column(model, base, field);
	}
}

/*
 * find_primary_key sets the primary key: what tags or options declare, else
 * what the table has.  A key column that is ignored leaves no key.
 */
static void
find_primary_key(CormDraft *draft, Relation table, CormModel *base)
{
	CormModel  *model = draft->model;
	List	   *pk = draft->pk;
	ListCell   *lc;

	if (pk == NIL && base != NULL)
	{
		for (int i = 0; i < base->npk; i++)
			pk = lappend_int(pk, index_of_column(model, base, base->pk[i]));
	}
	else if (pk == NIL && table != NULL && table->rd_rel->relhasindex)
	{
		foreach(lc, corm_primary_key_columns(RelationGetRelid(table)))
		{
			CormField  *field = corm_model_field_by_rownum(model, lfirst_int(lc));

			if (field == NULL)
			{
				pk = NIL;
				break;
			}
			pk = lappend_int(pk, field - model->fields);
		}
	}

	model->pk = palloc(sizeof(int) * Max(list_length(pk), 1));
	foreach(lc, pk)
	{
		model->pk[model->npk++] = lfirst_int(lc);
		model->fields[lfirst_int(lc)].primary_key = true;
	}
}

/*
 * parse_relation parses one relation.  as_table means that it is parsed as the
 * table of another model, which is an error if it is mapped itself.
 */
static CormModel *
parse_relation(Oid relid, const CormOverrides *overrides, bool as_table)
{
	Relation	rel = open_relation(relid);
	Relation	table;
	int			natts = RelationGetNumberOfAttributes(rel);
	char	  **comments = read_comments(rel);
	CormModel  *model = palloc0(sizeof(CormModel));
	CormModel  *base = NULL;
	CormDraft	draft;
	List	   *tags;
	CormTag    *tag;
	ObjectAddress address;
	int			room;

	memset(&draft, 0, sizeof(draft));
	draft.model = model;
	draft.by_options = overrides != NULL;
	draft.ignored = palloc0(natts + 1);

	model->relid = relid;
	model->typid = rel->rd_rel->reltype;
	model->tupdesc = CreateTupleDescCopy(RelationGetDescr(rel));
	model->name = pstrdup(RelationGetRelationName(rel));
	model->registered = overrides != NULL;
	model->soft_delete = model->version = model->created_at = model->updated_at = -1;
	model->fields = palloc0(sizeof(CormField) * (natts + 1));

	/* The draft: the row type, its tags, its options. */
	if (rel->rd_rel->relkind == RELKIND_COMPOSITE_TYPE)
		ObjectAddressSet(address, TypeRelationId, model->typid);
	else
		ObjectAddressSet(address, RelationRelationId, relid);
	tags = corm_tags_read(comments[0], &address, CORM_TAG_RELATION);
	tag = corm_tags_find(tags, "name");
	if (tag != NULL)
	{
		if (strlen(tag->value) >= NAMEDATALEN)
			corm_tags_error(getObjectDescription(&address, false), tag,
							psprintf("A name must be shorter than %d bytes.", NAMEDATALEN));
		model->name = tag->value;
	}

	if (overrides != NULL && OidIsValid(overrides->table))
		model->table = overrides->table;
	else if ((tag = corm_tags_find(tags, "table")) != NULL)
		model->table = tagged_table(rel, getObjectDescription(&address, false), tag);
	else if (rel->rd_rel->relkind != RELKIND_COMPOSITE_TYPE)
		model->table = relid;

	for (AttrNumber attnum = 1; attnum <= natts; attnum++)
	{
		if (!TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attisdropped)
			draft_field(&draft, rel, attnum, comments[attnum]);
	}
	if (overrides != NULL)
		corm_overrides_apply(&draft, overrides->json);
	drop_ignored(&draft);

	/* The table. */
	if (model->table == relid)
		table = rel;
	else if (!OidIsValid(model->table))
		table = NULL;
	else
	{
		CormOverrides base_overrides;
		bool		registered;

		if (as_table)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" cannot be the table of a model", RelationGetRelationName(rel)),
					 errdetail("It is mapped to another table itself.")));
		registered = corm_overrides_load(model->table, &base_overrides);
		base = parse_relation(model->table, registered ? &base_overrides : NULL, true);
		table = open_relation(model->table);
	}
	if (as_table && table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be the table of a model", RelationGetRelationName(rel)),
				 errdetail_relkind_not_supported(rel->rd_rel->relkind)));

	if (table != NULL)
	{
		model->relkind = table->rd_rel->relkind;
		model->table_schema = get_namespace_name(RelationGetNamespace(table));
		model->table_name = pstrdup(RelationGetRelationName(table));
		model->schema_hash =
			GetSysCacheHashValue1(NAMESPACEOID, ObjectIdGetDatum(RelationGetNamespace(table)));
	}

	/* Room for fields without a name: the table's key and the roles at most. */
	room = natts + CORM_NUM_ROLES + (base != NULL ? base->npk : 0);
	model->fields = repalloc(model->fields, sizeof(CormField) * room);
	model->type_hashes = palloc(sizeof(uint32) * room);

	/*
	 * The foreign keys are for relations, but bad tags on them spoil the
	 * model.
	 */
	(void) corm_foreign_keys_of(relid, true);

	match_columns(&draft, rel, table);
	set_roles(&draft);
	if (base != NULL)
		inherit(&draft, base);
	find_primary_key(&draft, table, base);
	name_json_keys(model);
	check_names(&draft);

	if (table != NULL && table != rel)
		relation_close(table, AccessShareLock);
	relation_close(rel, AccessShareLock);

	return model;
}

/*
 * corm_model_parse parses the model of a relation with the given options
 * (NULL: not registered), in the current memory context.  Raises what
 * corm_model_get_any raises; nothing outside memory is changed.
 */
CormModel *
corm_model_parse(Oid relid, const CormOverrides *overrides)
{
	return parse_relation(relid, overrides, false);
}
