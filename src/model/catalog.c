/*-------------------------------------------------------------------------
 *
 * catalog.c
 *		A model from the system catalogs.
 *
 * The parse goes in two steps.  First a draft: what the row type itself says,
 * by its attributes, the tags in their comments, and then the registered
 * options, which win over tags.  Then the draft meets the table: each field
 * finds its column, the primary key is found, and everything is checked.
 *
 * A row type is mapped to another table by the tag "table" or a registration;
 * a composite type has to be.  Such a model inherits what the table's own
 * model says of the columns: a read-only column is read-only in every type
 * that shows it, and deleted rows stay hidden even from a type that lacks the
 * column that says so.  Columns of that sort become hidden fields.
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
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_description.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "model/model.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

static Relation open_relation(Oid relid);
static char **read_comments(Relation rel);
static Oid	tagged_table(Relation rel, const char *object, CormTag *tag);
static void meet_column(CormModel *model, CormField *field, Relation table, AttrNumber attnum);
static void read_default(CormModel *model, CormField *field);
static void match_columns(CormDraft *draft, Relation rel, Relation table);
static void inherit(CormDraft *draft, CormModel *base);
static int	index_of_column(CormModel *model, CormModel *base, int field);
static void find_primary_key(CormDraft *draft, Relation table, CormModel *base);
static CormModel *parse_relation(Oid relid, const CormOptions *options, bool as_table);

/*
 * open_relation opens and locks a relation that can be a model, or raises
 * 42P01 or 42809.
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
 * without a schema is one of rel's schema: the search_path of whoever parses
 * the model first must not decide.
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
					corm_tags_error(corm_column_description(model->relid, field->rownum), tag, detail);
				corm_overrides_error(draft, psprintf("fields.%s.column", field->name), detail, NULL);
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
 * a field of base, the model of the table; a hidden field is made if there is
 * none.
 */
static int
index_of_column(CormModel *model, CormModel *base, int field)
{
	int			n = model->nfields + model->nhidden;

	for (int i = 0; i < n; i++)
	{
		if (model->fields[i].attnum == base->fields[field].attnum)
			return i;
	}

	model->fields[n] = base->fields[field];
	model->fields[n].rownum = 0;
	model->fields[n].primary_key = false;
	read_default(model, &model->fields[n]);
	model->nhidden++;
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
parse_relation(Oid relid, const CormOptions *options, bool as_table)
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
	draft.by_options = options != NULL;
	draft.ignored = palloc0(natts + 1);

	model->relid = relid;
	model->typid = rel->rd_rel->reltype;
	model->tupdesc = CreateTupleDescCopy(RelationGetDescr(rel));
	model->name = pstrdup(RelationGetRelationName(rel));
	model->registered = options != NULL;
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

	if (options != NULL && OidIsValid(options->table))
		model->table = options->table;
	else if ((tag = corm_tags_find(tags, "table")) != NULL)
		model->table = tagged_table(rel, getObjectDescription(&address, false), tag);
	else if (rel->rd_rel->relkind != RELKIND_COMPOSITE_TYPE)
		model->table = relid;

	for (AttrNumber attnum = 1; attnum <= natts; attnum++)
	{
		if (!TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attisdropped)
			corm_draft_field(&draft, rel, attnum, comments[attnum]);
	}
	if (options != NULL)
		corm_overrides_apply(&draft, options->json);
	corm_draft_drop_ignored(&draft);

	/* The table. */
	if (model->table == relid)
		table = rel;
	else if (!OidIsValid(model->table))
		table = NULL;
	else
	{
		CormOptions base_options;
		bool		registered;

		if (as_table)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" cannot be the table of a model", RelationGetRelationName(rel)),
					 errdetail("It is mapped to another table itself.")));
		registered = corm_options_load(model->table, &base_options);
		base = parse_relation(model->table, registered ? &base_options : NULL, true);
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

	/* Room for hidden fields: the table's key and the roles at most. */
	room = natts + CORM_NUM_ROLES + (base != NULL ? base->npk : 0);
	model->fields = repalloc(model->fields, sizeof(CormField) * room);
	model->type_hashes = palloc(sizeof(uint32) * room);

	/* The foreign keys are for relations, but bad tags on them spoil the model. */
	(void) corm_foreign_keys_of(relid, true);

	match_columns(&draft, rel, table);
	corm_draft_check_roles(&draft);
	if (base != NULL)
		inherit(&draft, base);
	find_primary_key(&draft, table, base);
	corm_draft_name_json_keys(model);
	corm_draft_check_names(&draft);

	if (table != NULL && table != rel)
		relation_close(table, AccessShareLock);
	relation_close(rel, AccessShareLock);

	return model;
}

/*
 * corm_catalog_parse parses the model of a relation with the given options
 * (NULL: not registered), in the current memory context.  Raises what
 * corm_model_get_any raises; nothing outside memory is changed.
 */
CormModel *
corm_catalog_parse(Oid relid, const CormOptions *options)
{
	return parse_relation(relid, options, false);
}

/*
 * corm_add_ancestors adds the tables that a relation is a partition of, or
 * inherits from, to a list of Oids.
 */
List *
corm_add_ancestors(List *ancestors, Oid relid)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *parents = NIL;
	ListCell   *lc;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		parents = lappend_oid(parents, ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	foreach(lc, parents)
	{
		if (list_member_oid(ancestors, lfirst_oid(lc)))
			continue;
		ancestors = corm_add_ancestors(lappend_oid(ancestors, lfirst_oid(lc)), lfirst_oid(lc));
	}
	return ancestors;
}
