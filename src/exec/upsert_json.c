/*-------------------------------------------------------------------------
 *
 * upsert_json.c
 *		corm.upsert_json: rows of JSON inserted, or updated by a key.
 *
 * It is an insert of corm.rows() with corm.on_conflict() and corm.do_update(): the existing
 * row gets the fields that are given, but the key.  Unlike in an insert, null is a value:
 * it is stored, whether the field has a default or not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/documents.h"
#include "base/args.h"
#include "base/clock.h"
#include "catalog/pg_type.h"
#include "exec/call/run_query.h"
#include "exec/plan/query_set.h"
#include "model/keys.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(corm_upsert_json);

/* Is one of the keys of exactly these columns? */
static bool
has_key(List *keys, List *columns)
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		List	   *key = lfirst(lc);

		if (list_length(key) == list_length(columns) && list_difference_int(columns, key) == NIL)
			return true;
	}
	return false;
}

/*
 * Adds the condition of the index, if the columns are a key of the rows that are not
 * soft-deleted only: PostgreSQL would not find it.
 */
static void
write_live_rows(CormWriter *w, CormModel *model, List *columns)
{
	CormField  *field;

	if (model->soft_delete < 0 || has_key(corm_unique_keys(model->table, InvalidAttrNumber), columns))
		return;
	field = &model->fields[model->soft_delete];
	if (!has_key(corm_unique_keys(model->table, field->attnum), columns))
		return;
	corm_write_tag(w, CORM_N_ON_CONFLICT_WHERE);
	corm_write_tag(w, getBaseType(field->typid) == BOOLOID ? CORM_N_IS_NOT_TRUE : CORM_N_IS_NULL);
	corm_write_tag(w, CORM_N_COLUMN);
	corm_write_name(w, field->name, strlen(field->name));
}

/* Adds the key that decides: the fields given, or the primary key. */
static void
write_conflict(CormWriter *w, CormModel *model, ArrayType *conflict)
{
	Datum	   *names;
	bool	   *nulls;
	int			n;
	List	   *columns = NIL;

	corm_write_tag(w, CORM_N_ON_CONFLICT);
	if (conflict == NULL)
	{
		corm_model_require_pk(model);
		corm_write_count(w, model->npk);
		for (int i = 0; i < model->npk; i++)
		{
			const char *name = model->fields[model->pk[i]].name;

			corm_write_name(w, name, strlen(name));
		}
		return;
	}
	deconstruct_array(conflict, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the fields of the key must not be empty"),
				 errhint("Leave them out to use the primary key.")));
	corm_write_count(w, n);
	for (int i = 0; i < n; i++)
	{
		char	   *name;
		CormField  *field;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a field of the key must not be null")));
		name = TextDatumGetCString(names[i]);
		corm_write_name(w, name, strlen(name));
		/* one that there is not is an error later */
		field = corm_model_find_field(model, name);
		columns = lappend_int(columns, field ? field->attnum : InvalidAttrNumber);
	}
	write_live_rows(w, model, columns);
}

/*
 * corm_upsert_json(model, data, conflict): inserts an object or an array of objects, and
 * updates the rows that have their key.  Returns the rows in the same form.
 */
Datum
corm_upsert_json(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model", "the data"};
	CormModel  *model;
	Jsonb	   *data;
	CormWriter	w;
	CormQuerySet set;
	Jsonb	   *rows;
	JsonbValue *row;

	corm_require_args(fcinfo, names, lengthof(names));
	model = corm_model_get(PG_GETARG_OID(0));
	data = corm_document_arg(fcinfo, 1);
	corm_writer_init(&w);
	corm_write_tag(&w, CORM_N_INSERTER);
	corm_write_oid(&w, model->relid);
	corm_write_tag(&w, CORM_N_ROWS);
	corm_write_value(&w, JSONBOID, -1, false, JsonbPGetDatum(data));
	corm_write_tag(&w, CORM_N_NULLS_GIVEN);
	write_conflict(&w, model, PG_ARGISNULL(2) ? NULL : PG_GETARG_ARRAYTYPE_P(2));
	corm_write_tag(&w, CORM_N_DO_UPDATE);
	corm_write_count(&w, 0);
	CORM_FAULT("upsert-json");
	corm_queries_of_node(corm_writer_finish(&w, CORM_KIND_QUERY), &set);
	rows = corm_run_json(&set, false);
	if (!JB_ROOT_IS_OBJECT(data))
		PG_RETURN_JSONB_P(rows);
	row = getIthJsonbValueFromContainer(&rows->root, 0);
	if (row == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(JsonbValueToJsonb(row));
}
