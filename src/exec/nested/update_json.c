/*-------------------------------------------------------------------------
 *
 * update_json.c
 *		corm.update_json: an object of JSON changes a row.
 *
 * The key names the row.  The patch holds what the row gets; whatever it does not hold
 * stays as it is.  Before anything is written, the whole patch is compared with what the
 * caller allows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/documents.h"
#include "base/args.h"
#include "base/clock.h"
#include "exec/nested/nested_allowed.h"
#include "exec/nested/nested_find.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_patch.h"
#include "exec/nested/nested_value.h"
#include "miscadmin.h"
#include "model/model.h"
#include "tx/options.h"
#include "tx/tx.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(corm_update_json);

/* The patch, and the row that it is for. */
typedef struct Patch
{
	CormModel  *model;
	Jsonb	   *key;
	Jsonb	   *document;
	ArrayType  *allowed;		/* NULL: everything */
	Jsonb	   *row;			/* as it is afterwards */
} Patch;

static void check_object(NestedWrite *write, const NestedAllowed *allowed, const NestedObject *object,
						 Bitmapset *fixed, bool exists, const NestedIn *in);

/*
 * Does an object of a part surely stand for an existing row, so that its key is compared
 * and not written?  Adds the fields of that key to fixed.  A unique key is sure only in an
 * object to update: in an array, that of no child is that of a new row.
 */
static bool
names_row(NestedWrite *write, const NestedObject *object, const NestedColumns *columns, NestedChange change,
		  Bitmapset **fixed)
{
	const NestedKey *key;

	if (change == NESTED_ADD)
		return false;
	if (corm_nested_gives_primary_key(object, columns))
		return true;
	key = change == NESTED_UPDATE ? corm_nested_naming_key(write, object, columns) : NULL;
	for (int i = 0; key && i < key->n; i++)
	{
		*fixed = bms_add_member(*fixed, key->fields[i]);
	}
	return key != NULL;
}

/*
 * Checks one object of the rows of a relation.  may_exist tells whether it can stand for an
 * existing row.
 */
static void
check_element(NestedWrite *write, const NestedAllowed *allowed, CormModel *model, const NestedPart *part,
			  JsonbValue *element, const NestedPath *path, bool may_exist)
{
	CormRelation *relation = part->member.relation;
	CormModel  *target = corm_model_get(relation->target);
	NestedIn	in = {relation, model};
	NestedTarget row;
	Bitmapset  *fixed = NULL;
	bool		is_child = relation->kind == CORM_HAS_ONE || relation->kind == CORM_HAS_MANY;
	NestedColumns columns;

	write->path = path;
	corm_nested_columns_init(&columns, target);
	for (int i = 0; i < relation->ntarget_keys && is_child; i++)
	{
		int			field = corm_nested_field(target, relation->target_columns[i]);

		fixed = bms_add_member(fixed, field);
		if (corm_nested_find_column(&columns, field) == NULL)
			corm_nested_set(write, &columns, field, (Datum) 0, "");
	}
	if (is_child)
	{
		memset(&row, 0, sizeof(row));
		row.object.path = *path;
		corm_nested_read(write, target, element->val.binary.data, &row.object);
		if (may_exist && relation->kind != CORM_HAS_ONE)
			may_exist = names_row(write, &row.object, &columns, part->change, &fixed);
	}
	else
	{
		corm_nested_read_target(write, relation, target, element, path, &row);
		if (row.key && !row.or_create)
			return;				/* a reference writes nothing */
		may_exist = may_exist && !row.or_create && names_row(write, &row.object, NULL, part->change, &fixed);
	}
	check_object(write, allowed, &row.object, fixed, may_exist, &in);
}

/* Checks the rows of a relation. */
static void
check_member(NestedWrite *write, const NestedAllowed *allowed, CormModel *model, NestedMember *member, bool exists)
{
	NestedPath	path = {write->path, member->name};
	bool		to_many = member->relation->kind == CORM_HAS_MANY || member->relation->kind == CORM_MANY_TO_MANY;
	List	   *parts;
	ListCell   *lc;

	write->path = &path;
	if (exists && to_many)
		parts = corm_nested_parts(write, model, member, &path);
	else
	{
		NestedPart *part = palloc0(sizeof(NestedPart));

		part->member = *member;
		part->path = path;
		parts = list_make1(part);
	}
	foreach(lc, parts)
	{
		NestedPart *part = lfirst(lc);
		NestedPath *paths;
		JsonbValue *elements;
		int			n;

		/*
		 * anything else but rows is an error when it is written, or writes
		 * nothing
		 */
		if (part->member.value.type != jbvBinary || part->change == NESTED_REMOVE || part->change == NESTED_DELETE)
			continue;
		write->path = &part->path;
		elements = corm_nested_elements(write, model, &part->member, &part->path, &n, &paths);
		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			check_element(write, allowed, model, part, &elements[i], &paths[i], exists);
		}
	}
	write->path = path.up;
}

/*
 * Raises 42501 for a field or relation of an object that is not allowed.  fixed are fields
 * that the object may give, as it cannot change them.  If it stands for an existing row,
 * these are also the fields of the primary key, and the version, which is only compared.
 */
static void
check_object(NestedWrite *write, const NestedAllowed *allowed, const NestedObject *object, Bitmapset *fixed,
			 bool exists, const NestedIn *in)
{
	CormModel  *model = object->model;
	const NestedPath *path = write->path;
	ListCell   *lc;

	check_stack_depth();
	write->path = &object->path;
	for (int i = 0; i < model->nfields; i++)
	{
		if (!corm_nested_is_given(object, i) || bms_is_member(i, fixed) ||
			(exists && (i == model->version || model->fields[i].primary_key)))
			continue;
		corm_nested_allow_field(write, allowed, model, i);
	}
	foreach(lc, object->members)
	{
		NestedMember *member = lfirst(lc);
		const NestedAllowed *of_rows;

		/* what is said of the enclosing row is compared, not written */
		if (corm_nested_leads_back(member->relation, in))
			continue;
		of_rows = corm_nested_allow_relation(write, allowed, model, member->relation);
		if (of_rows)
			check_member(write, of_rows, model, member, exists);
	}
	write->path = path;
}

/*
 * Changes the row.
 */
static void
run_patch(void *arg)
{
	Patch	   *patch = arg;
	NestedWrite write;
	NestedObject which = {.path = {NULL, NULL, -1}};
	NestedObject object = {.path = {NULL, NULL, -1}};
	const NestedKey *key;

	corm_nested_begin(&write);
	corm_nested_read(&write, patch->model, &patch->key->root, &which);
	key = corm_nested_require_key(&write, &which);
	corm_nested_read(&write, patch->model, &patch->document->root, &object);
	if (patch->allowed)
	{
		Bitmapset  *fixed = NULL;

		for (int i = 0; i < key->n; i++)
		{
			fixed = bms_add_member(fixed, key->fields[i]);
		}
		check_object(&write, corm_nested_allowed(patch->model, patch->allowed), &object, fixed, true, NULL);
	}
	patch->row = corm_nested_patch(&write, &object, &which, key, NULL);
	corm_nested_end(&write);
}

/*
 * Changes the row and its related rows in a scope of its own, as corm.insert_json() does.
 */
static void
run_nested_patch(Patch *patch)
{
	CormTxClosure closure = {run_patch, NULL, patch};
	CormTxOptions opts = {.propagation = CORM_TX_NESTED, .name = "update_json",
	.isolation = CORM_TX_ISOLATION_UNSET};
	CormTxReport report;

	(void) corm_tx_run(&opts, &closure, true, &report);
}

/*
 * corm_update_json(model, key, patch, allowed): changes the row with the given key, and the
 * rows of relations that the patch holds.  Returns the row as it is then.
 */
Datum
corm_update_json(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model", "the key", "the patch"};
	Patch		patch = {0};

	corm_require_args(fcinfo, names, lengthof(names));
	patch.model = corm_model_get(PG_GETARG_OID(0));
	patch.key = corm_document_arg(fcinfo, 1);
	patch.document = corm_document_arg(fcinfo, 2);
	patch.allowed = PG_ARGISNULL(3) ? NULL : PG_GETARG_ARRAYTYPE_P(3);
	if (!JB_ROOT_IS_OBJECT(patch.key))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key must be a JSON object")));
	if (!JB_ROOT_IS_OBJECT(patch.document))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the patch must be a JSON object")));
	CORM_FAULT("patch-begin");
	if (corm_has_relation_keys(patch.model, patch.document))
		run_nested_patch(&patch);
	else
		run_patch(&patch);
	PG_RETURN_JSONB_P(corm_nested_shown(patch.model, patch.row));
}
