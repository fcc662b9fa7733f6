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

#include "base/args.h"
#include "base/clock.h"
#include "exec/nested/nested_allowed.h"
#include "exec/nested/nested_find.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_update.h"
#include "exec/nested/nested_value.h"
#include "model/model.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(corm_update_json);

/*
 * Raises 42501 for a field of the patch that is not allowed.  Fields of the key may always
 * be given, as they cannot change, and the version, which is only compared.
 */
static void
check_allowed(NestedWrite *write, const NestedAllowed *allowed, const NestedObject *object, const NestedKey *key)
{
	CormModel  *model = object->model;

	for (int i = 0; i < model->nfields; i++)
	{
		bool		is_fixed = i == model->version || model->fields[i].primary_key;

		for (int j = 0; j < key->n; j++)
			is_fixed |= key->fields[j] == i;
		if (corm_nested_is_given(object, i) && !is_fixed)
			corm_nested_allow_field(write, allowed, model, i);
	}
}

/*
 * corm_update_json(model, key, patch, allowed): changes the row with the given key.  Returns
 * the row as it is then.
 */
Datum
corm_update_json(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model", "the key", "the patch"};
	NestedWrite write;
	CormModel  *model;
	NestedObject which = {.path = {NULL, NULL, -1}};
	NestedObject object = {.path = {NULL, NULL, -1}};
	NestedUpdate update = {.which = &which, .object = &object};
	Jsonb	   *key;
	Jsonb	   *patch;
	Jsonb	   *row;

	corm_require_args(fcinfo, names, lengthof(names));
	model = corm_model_get(PG_GETARG_OID(0));
	key = PG_GETARG_JSONB_P(1);
	patch = PG_GETARG_JSONB_P(2);
	if (!JB_ROOT_IS_OBJECT(key))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key must be a JSON object")));
	if (!JB_ROOT_IS_OBJECT(patch))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the patch must be a JSON object")));
	corm_nested_begin(&write);
	CORM_FAULT("patch-begin");
	corm_nested_read(&write, model, &key->root, &which);
	update.key = corm_nested_require_key(&write, &which);
	corm_nested_read(&write, model, &patch->root, &object);
	if (object.members != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a patch cannot have rows of relations")));
	if (!PG_ARGISNULL(3))
		check_allowed(&write, corm_nested_allowed(model, PG_GETARG_ARRAYTYPE_P(3)), &object, update.key);
	row = corm_nested_update(&write, &update);
	corm_nested_end(&write);
	PG_RETURN_JSONB_P(corm_nested_shown(model, row));
}
