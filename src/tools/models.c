/*-------------------------------------------------------------------------
 *
 * models.c
 *		The models that a tool is asked for: those named, or else all of
 *		the search_path; and their tags and descriptions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "base/compat.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/list.h"
#include "model/overrides.h"
#include "model/problems.h"
#include "model/tags.h"
#include "tools/models.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

/*
 * corm_read_models returns the models of an array of regclass.  Raises 22004
 * for a NULL in it.
 */
Oid *
corm_read_models(ArrayType *array, int *n)
{
	Datum	   *datums;
	bool	   *nulls;
	Oid		   *models;

	deconstruct_array(array, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT, &datums, &nulls, n);
	models = palloc(sizeof(Oid) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a model must not be null")));
		models[i] = DatumGetObjectId(datums[i]);
	}
	return models;
}

/*
 * is_listed returns whether a relation is one of those that are meant if none
 * is named: a table or view that the search_path finds first, no partition,
 * and no part of an extension.  If types are wanted, a composite type with a
 * tag or registration that maps it, too.
 */
static bool
is_listed(Form_pg_class form, bool types)
{
	switch (form->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
			break;
		case RELKIND_COMPOSITE_TYPE:
			if (types)
				break;
			return false;
		default:
			return false;
	}
	if (form->relispartition || form->relnamespace == PG_CATALOG_NAMESPACE ||
		(form->relkind == RELKIND_COMPOSITE_TYPE ? !TypeIsVisible(form->reltype) : !RelationIsVisible(form->oid)))
		return false;
	if (form->relkind == RELKIND_COMPOSITE_TYPE ?
		!corm_tags_find(corm_tags_read_quietly(GetComment(form->reltype, TypeRelationId, 0), CORM_TAG_RELATION), "table") :
		!corm_model_may_use(form->oid))
		return false;
	return !OidIsValid(getExtensionOfObject(RelationRelationId, form->oid));
}

/*
 * corm_model_schema returns the name of the schema of a model; "" if it was
 * dropped in the meantime.
 */
char *
corm_model_schema(const CormModel *model)
{
	char	   *schema = get_namespace_name(get_rel_namespace(model->relid));

	return schema ? schema : "";
}

/*
 * compare_names orders relations by schema and name, so that the result does not
 * depend on when they were made.
 */
static int
compare_names(const ListCell *a, const ListCell *b)
{
	const CormModel *x = lfirst(a);
	const CormModel *y = lfirst(b);
	int			order = strcmp(x->name, y->name);

	return order != 0 ? order : strcmp(corm_model_schema(x), corm_model_schema(y));
}

/*
 * corm_tool_models returns the models of an array of regclass, in its order, or
 * all of the search_path, by name, if it is empty.  A list of CormModel that is
 * valid until the transaction ends.  Raises 42501 for a named table that the
 * user cannot use, and what is wrong with a named model.  Of all, what is wrong
 * with one is a warning, since another role may have tagged it, and it is left
 * out.
 */
List *
corm_tool_models(ArrayType *array, bool types)
{
	int			n;
	Oid		   *relids = corm_read_models(array, &n);
	List	   *models = NIL;
	Relation	class;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *listed = NIL;
	ListCell   *lc;

	for (int i = 0; i < n; i++)
	{
		CormModel  *model = corm_model_get(relids[i]);

		if (!corm_model_may_use(model->table))
			aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(model->relkind), get_rel_name(model->table));
		models = list_append_unique_ptr(models, model);
	}
	if (n > 0)
		return models;

	class = table_open(RelationRelationId, AccessShareLock);
	scan = systable_beginscan(class, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		if (is_listed((Form_pg_class) GETSTRUCT(tuple), types))
			listed = lappend_oid(listed, ((Form_pg_class) GETSTRUCT(tuple))->oid);
	}
	systable_endscan(scan);
	table_close(class, AccessShareLock);

	/* so that warnings come in the same order each time */
	list_sort(listed, list_oid_cmp);
	foreach(lc, listed)
	{
		CormModel  *model;
		char	   *error;

		CHECK_FOR_INTERRUPTS();
		model = corm_model_try(lfirst_oid(lc), &error);
		if (error)
			ereport(WARNING,
					(errcode(ERRCODE_WARNING),
					 errmsg("model \"%s\" is left out", get_rel_name(lfirst_oid(lc))),
					 errdetail_internal("%s", error)));
		if (model && corm_model_may_use(model->table))
			models = lappend(models, model);
	}
	list_sort(models, compare_names);
	return models;
}

/*
 * corm_tool_model returns the model of a relation if it is in a list, or NULL.
 */
CormModel *
corm_tool_model(List *models, Oid relid)
{
	ListCell   *lc;

	foreach(lc, models)
	{
		if (((CormModel *) lfirst(lc))->relid == relid)
			return lfirst(lc);
	}
	return NULL;
}

/*
 * corm_model_comment returns what the comment on a model says besides tags, or
 * NULL.
 */
char *
corm_model_comment(CormModel *model)
{
	bool		is_type = get_rel_relkind(model->relid) == RELKIND_COMPOSITE_TYPE;

	return corm_tags_description(is_type ? GetComment(model->typid, TypeRelationId, 0) :
								 GetComment(model->relid, RelationRelationId, 0));
}

/*
 * corm_field_comment returns what the comment on a field says besides tags, or
 * NULL.
 */
char *
corm_field_comment(CormModel *model, CormField *field)
{
	return corm_tags_description(GetComment(model->relid, RelationRelationId, field->rownum));
}

/*
 * described_table returns the model of the table that a row type is mapped to,
 * by its tag or registration; NULL if it is not mapped, or there is no such table.
 */
static CormModel *
described_table(Relation rel, List *tags)
{
	CormTag    *tag = corm_tags_find(tags, "table");
	CormOverrides overrides;
	List	   *names;
	Oid			nsp = RelationGetNamespace(rel);
	Oid			relid = InvalidOid;

	if (corm_overrides_load(RelationGetRelid(rel), &overrides) && OidIsValid(overrides.table))
		relid = overrides.table;
	else if (tag != NULL && SplitIdentifierString(pstrdup(tag->value), '.', &names) && names != NIL)
	{
		if (list_length(names) == 2)
			nsp = get_namespace_oid(linitial(names), true);
		if (OidIsValid(nsp))
			relid = get_relname_relid(llast(names), nsp);
	}
	return OidIsValid(relid) && relid != RelationGetRelid(rel) && get_rel_relkind(relid) != '\0' ?
		corm_model_get_any(relid) : NULL;
}

/*
 * put_tags returns a row of corm.list_tags: the tags of a column, or of the
 * relation for number 0.
 */
static void
put_tags(ReturnSetInfo *rsinfo, AttrNumber attnum, char *name, List *tags, bool hidden)
{
	JsonbParseState *state = NULL;
	Datum		values[4];
	bool		nulls[4] = {false};

	values[0] = Int32GetDatum(attnum);
	values[1] = CStringGetTextDatum(name);
	values[2] = JsonbPGetDatum(JsonbValueToJsonb(corm_tags_push(&state, tags)));
	values[3] = BoolGetDatum(hidden);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(corm_list_tags);
Datum		corm_list_tags(PG_FUNCTION_ARGS);

/*
 * corm_list_tags is corm.list_tags(model regclass): tags as they are in the
 * comments, for extensions that have keys of their own.  The table of a mapped
 * type need not exist.  What is hidden may be so by a registration, or in that
 * table.
 */
Datum
corm_list_tags(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			relid = PG_GETARG_OID(0);
	Relation	rel = try_relation_open(relid, AccessShareLock);
	bool		is_type;
	ObjectAddress address;
	List	   *tags;
	CormModel  *table;

	InitMaterializedSRF(fcinfo, 0);
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	is_type = rel->rd_rel->relkind == RELKIND_COMPOSITE_TYPE;
	if (is_type)
		ObjectAddressSet(address, TypeRelationId, rel->rd_rel->reltype);
	else
		ObjectAddressSet(address, RelationRelationId, relid);
	tags = corm_tags_read(GetComment(address.objectId, address.classId, 0), &address, CORM_TAG_RELATION);
	put_tags(rsinfo, 0, RelationGetRelationName(rel), tags, false);
	table = described_table(rel, tags);
	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);
		char	   *column = pstrdup(NameStr(att->attname));
		bool		hidden;

		if (att->attisdropped)
			continue;
		ObjectAddressSubSet(address, RelationRelationId, relid, att->attnum);
		tags = corm_tags_read(GetComment(relid, RelationRelationId, att->attnum), &address, CORM_TAG_COLUMN);
		hidden = corm_tags_flag(tags, "hidden") == 1 || corm_overrides_hide(relid, column);
		corm_tags_get(tags, "column", &column);
		for (int j = 0; table != NULL && j < table->nfields; j++)
			hidden |= table->fields[j].hidden && strcmp(table->fields[j].column, column) == 0;
		put_tags(rsinfo, att->attnum, NameStr(att->attname), tags, hidden);
	}
	relation_close(rel, AccessShareLock);
	return (Datum) 0;
}
