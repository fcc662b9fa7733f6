/*-------------------------------------------------------------------------
 *
 * row_fields.c
 *		A row of a model taken apart into its fields, and which of them a write
 *		gives.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/errors.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "exec/rows/row_fields.h"
#include "model/difference.h"
#include "model/model.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * corm_record_set_row deforms a row with the row type as of the start of the operation.
 * A caller that has run user code since then must have called corm_exec_check().  The
 * arrays are allocated in the current context and point into the row.  Raises 42804 for
 * a row of another type.
 */
void
corm_record_set_row(CormRecord *record, HeapTupleHeader header)
{
	HeapTupleData tuple;
	TupleDesc	tupdesc = record->model->tupdesc;
	Datum	   *values;
	bool	   *nulls;

	record->row = PointerGetDatum(header);
	if (HeapTupleHeaderGetTypeId(header) != record->model->typid)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a row of type %s is not a record of model \"%s\"",
						format_type_be(HeapTupleHeaderGetTypeId(header)), record->model->name)));
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;

	values = palloc(sizeof(Datum) * tupdesc->natts);
	nulls = palloc(sizeof(bool) * tupdesc->natts);
	heap_deform_tuple(&tuple, tupdesc, values, nulls);

	/* by field: attributes without the dropped ones */
	record->values = palloc(sizeof(Datum) * Max(record->model->nfields, 1));
	record->nulls = palloc(sizeof(bool) * Max(record->model->nfields, 1));
	for (int i = 0; i < record->model->nfields; i++)
	{
		int			att = record->model->fields[i].rownum - 1;

		record->nulls[i] = att < 0 || att >= tupdesc->natts || nulls[att];
		record->values[i] = record->nulls[i] ? (Datum) 0 : values[att];
	}
}

/*
 * corm_records_check raises 55006 if the columns of a model have changed since the
 * records of a call were made, with the row descriptor of that time: then the records
 * cannot be read.  Columns that were added do not matter: a record that ends before
 * them reads as NULL, or as the default that they were added with.
 */
void
corm_records_check(const CormModel *model, TupleDesc made)
{
	char	   *change = corm_row_type_difference(model->name, made, model->tupdesc, true);

	if (change)
		corm_exec_changed(model->name, change);
}

/*
 * corm_records_model returns the model that records given to a verb are rows of.  Call
 * it before anything that waits or reads messages of other sessions: the descriptor
 * that the session has of the row type is still the one that the records were made
 * with.  By the time that the model has been read, another session may have altered
 * the type; then it raises 55006.  Newer minor releases of PostgreSQL see that by
 * themselves.  Raises what corm_model_get_for_type raises.
 */
CormModel *
corm_records_model(Oid typid)
{
	Oid			row_type = getBaseType(typid);
	TupleDesc	made = NULL;
	CormModel  *model;

	if (OidIsValid(get_typ_typrelid(row_type)))
		made = lookup_rowtype_tupdesc_noerror(row_type, -1, true);
	model = corm_model_get_for_type(typid);
	if (made)
	{
		if (made != model->tupdesc)
			corm_records_check(model, made);
		ReleaseTupleDesc(made);
	}
	return model;
}

/*
 * corm_field_is_written tells whether a write gives a field.  A generated or
 * read-only field is never written.  An insert leaves out a NULL that PostgreSQL
 * fills with a default or corm fills with a time or version; for a view that may be
 * the default of the table behind it.  An update leaves out what corm fills.
 */
bool
corm_field_is_written(CormModel *model, int i, bool insert, bool isnull)
{
	CormField  *field = &model->fields[i];
	bool		filled = i == model->created_at || i == model->updated_at || i == model->version;

	if (field->generated || field->read_only)
		return false;
	if (insert)
		return !isnull || !(field->has_default || field->identity || filled || model->relkind == RELKIND_VIEW);
	return field->identity != 'a' && !filled;
}

/*
 * corm_record_field_type returns the type of a field in the model's row type, which may
 * differ from the column's type.  Returns UNKNOWNOID if it is text that takes the
 * column's type.
 */
Oid
corm_record_field_type(CormModel *model, int field)
{
	Oid			typid = get_atttype(model->relid, model->fields[field].rownum);
	Oid			column = getBaseType(model->fields[field].typid);

	if ((typid == TEXTOID || typid == VARCHAROID) &&
		column != TEXTOID && column != VARCHAROID && column != BPCHAROID)
		return UNKNOWNOID;
	return typid;
}

/*
 * corm_record_require_key raises OR011 if a model has no primary key, or if its row
 * type lacks a key field, so that we cannot find the row.
 */
void
corm_record_require_key(CormModel *model)
{
	corm_model_require_pk(model);
	for (int i = 0; i < model->npk; i++)
		if (model->pk[i] >= model->nfields)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_NO_PRIMARY_KEY),
					 errmsg("model \"%s\" lacks the field \"%s\" of its primary key",
							model->name, model->fields[model->pk[i]].name)));
}

/*
 * corm_record_has_version tells whether records of a model contain the version of the
 * row that they were read from.
 */
bool
corm_record_has_version(CormModel *model)
{
	return model->version >= 0 && model->version < model->nfields;
}

/*
 * corm_record_has_null_key tells whether a field of a record's primary key is
 * NULL, so that no row has that key.
 */
bool
corm_record_has_null_key(const CormRecord *record)
{
	for (int i = 0; i < record->model->npk; i++)
		if (record->nulls[record->model->pk[i]])
			return true;
	return false;
}
