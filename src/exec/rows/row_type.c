/*-------------------------------------------------------------------------
 *
 * row_type.c
 *		The row descriptors of results.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "exec/rows/row_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * corm_row_tupdesc returns a copy of a composite type's row descriptor, in the current
 * context.  Raises 42809 if the type is not a row type, 55006 if user code has dropped
 * it since the query began.
 */
TupleDesc
corm_row_tupdesc(Oid typid)
{
	TupleDesc	tupdesc;
	TupleDesc	copy;

	if (get_typtype(typid) == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("the row type of a query was dropped while the query was using it")));
	if (typid == RECORDOID || get_typtype(typid) != TYPTYPE_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("type %s is not a row type", format_type_be(typid)),
				 get_typtype(getBaseType(typid)) == TYPTYPE_COMPOSITE ?
				 errhint("A domain is not a model. Give its row type: NULL::%s.",
						 format_type_be(getBaseType(typid))) :
				 errhint("Give a typed NULL such as NULL::users. For single values use corm.value() or corm.pluck().")));
	tupdesc = lookup_rowtype_tupdesc(typid, -1);
	copy = CreateTupleDescCopy(tupdesc);
	ReleaseTupleDesc(tupdesc);
	return copy;
}

/*
 * corm_output_tupdesc returns the row descriptor for the result of a query with a given
 * output, in the current context.  typid is the result type of rows and values.
 */
TupleDesc
corm_output_tupdesc(CormOutput output, Oid typid)
{
	TupleDesc	tupdesc;

	switch (output)
	{
		case CORM_OUTPUT_ROWS:
			return corm_row_tupdesc(typid);
		case CORM_OUTPUT_PAGE:
			tupdesc = CreateTemplateTupleDesc(3);
			TupleDescInitEntry(tupdesc, 1, "row", JSONBOID, -1, 0);
			TupleDescInitEntry(tupdesc, 2, "keys", TEXTARRAYOID, -1, 0);
			TupleDescInitEntry(tupdesc, 3, "total", INT8OID, -1, 0);
			return tupdesc;
		default:
			tupdesc = CreateTemplateTupleDesc(1);
			TupleDescInitEntry(tupdesc, 1, "value",
							   output == CORM_OUTPUT_VALUE ? typid :
							   output == CORM_OUTPUT_COUNT ? INT8OID :
							   output == CORM_OUTPUT_EXISTS ? BOOLOID : JSONBOID, -1, 0);
			return tupdesc;
	}
}
