/*-------------------------------------------------------------------------
 *
 * build_in.c
 *		corm.in() and corm.not_in()
 *
 * An array is one bound value, so queries that differ only in the number of
 * values share a shape.  Values listed one by one are collected into one array
 * per type: 1 and 3000000000, for example, have different types.  An item that
 * cannot be an array element (an expression, an array, a row whose type has no
 * array type) is compared on its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "query/value/build_parts.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* A value of a list. */
typedef struct Listed
{
	const Input *input;
	Oid			element;		/* element type, InvalidOid to compare it
								 * alone */
	Datum		value;
	bool		isnull;
} Listed;

static bool
is_null_expr(Datum value)
{
	CormNode   *expr = CormPGGetExpr(value);

	return expr->shape_len > 0 && CormNodeShape(expr)[0] == (char) CORM_N_NULL;
}

/*
 * Appends one listed value to *items as a Listed, allocated in the current
 * context.  It keeps pointers to input and to a by-reference value.  Raises
 * 42804 for a query, 22004 for a NULL expression, 0A000 for an anonymous
 * record.
 */
static void
add_listed(Builder *b, List **items, const Input *input, Datum value, bool isnull)
{
	Listed	   *item = palloc(sizeof(Listed));

	if (input->kind == INPUT_QUERY)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("corm.%s() expects values or a query, not both", b->func)));
	if (input->kind == INPUT_EXPR)
	{
		if (isnull)
			corm_build_null_argument(b, "an expression");
		isnull = is_null_expr(value);
	}
	item->input = input;
	item->value = value;
	item->isnull = isnull;
	switch (input->kind)
	{
		case INPUT_EXPR:
			item->element = isnull ? TEXTOID : InvalidOid;
			break;
		case INPUT_UNKNOWN:
			if (!isnull)
				item->value = CStringGetTextDatum(DatumGetCString(value));
			/* FALLTHROUGH */
		case INPUT_TEXT:
			item->element = TEXTOID;
			break;
		default:
			corm_build_refuse_record(input);
			item->element = OidIsValid(get_array_type(input->typid)) ? input->typid :
				isnull ? TEXTOID : InvalidOid;
			break;
	}
	*items = lappend(*items, item);
}

/* Appends the fields of an anonymous record to *items, like listed values. */
static void
add_fields(Builder *b, List **items, Datum row)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple;
	Datum	   *values = palloc(sizeof(Datum) * Max(tupdesc->natts, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(tupdesc->natts, 1));

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, tupdesc, values, nulls);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Input	   *input;

		/* the record may be a table row with dropped columns */
		if (TupleDescAttr(tupdesc, i)->attisdropped)
			continue;
		input = palloc0(sizeof(Input));
		corm_builder_input(b, input, TupleDescAttr(tupdesc, i)->atttypid);
		add_listed(b, items, input, values[i], nulls[i]);
	}
	ReleaseTupleDesc(tupdesc);
}

/* Writes all items with the given element type as one bound array. */
static void
write_listed_array(Builder *b, CormWriter *w, List *items, Oid element)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(list_length(items), 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(list_length(items), 1));
	int			n = 0;
	int			lbound = 1;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	ListCell   *lc;

	foreach(lc, items)
	{
		Listed	   *item = lfirst(lc);

		if (item->element != element)
			continue;
		values[n] = item->value;
		nulls[n++] = item->isnull;
	}
	get_typlenbyvalalign(element, &typlen, &typbyval, &typalign);
	corm_write_value(w, get_array_type(element), -1, false,
					 n == 0 ? PointerGetDatum(construct_empty_array(element)) :
					 PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lbound, element,
														typlen, typbyval, typalign)));
}

/*
 * Writes the comparisons of x with all items: one IN or NOT IN per element
 * type, one = or <> per other item, joined by OR or AND if there are several.
 */
static void
write_listed(Builder *b, CormWriter *w, Datum x, bool x_isnull, List *items)
{
	CormNodeTag tag = b->desc->tag;
	List	   *types = NIL;
	int			nalone = 0;
	ListCell   *lc;

	foreach(lc, items)
	{
		Listed	   *item = lfirst(lc);

		if (OidIsValid(item->element))
			types = list_append_unique_oid(types, item->element);
		else
			nalone++;
	}
	if (items == NIL)
		types = list_make1_oid(TEXTOID);
	if (list_length(types) + nalone > 1)
	{
		corm_write_tag(w, tag == CORM_N_IN ? CORM_N_OR : CORM_N_AND);
		corm_write_count(w, list_length(types) + nalone);
	}
	foreach(lc, types)
	{
		corm_write_tag(w, tag);
		corm_build_field_or_expr(b, w, &b->inputs[0], x, x_isnull);
		write_listed_array(b, w, items, lfirst_oid(lc));
	}
	foreach(lc, items)
	{
		Listed	   *item = lfirst(lc);

		if (OidIsValid(item->element))
			continue;
		corm_write_tag(w, tag == CORM_N_IN ? CORM_N_EQ : CORM_N_NEQ);
		corm_build_field_or_expr(b, w, &b->inputs[0], x, x_isnull);
		corm_build_value(b, w, item->input, item->value, false);
	}
}

/*
 * Returns whether a string looks like an array literal, {a,b} or [0:1]={a,b}.
 * Drivers send arrays that way without a type.  Other text is a single value.
 */
static bool
is_array_text(const char *str, int len)
{
	while (len > 0 && isspace((unsigned char) *str))
	{
		str++;
		len--;
	}
	if (len > 0 && *str == '[')
	{
		while (len > 0 && strchr("[]:+-0123456789", *str) != NULL)
		{
			str++;
			len--;
		}
		if (len < 2 || *str != '=')
			return false;
		str++;
		len--;
	}
	return len > 0 && *str == '{';
}

/*
 * corm_build_in writes corm.in() or corm.not_in().  After x comes nothing, a query, a list of its
 * clauses, an array, an anonymous record, or a list of values.  Raises 22004
 * for a NULL query or field name, 42804 for a mix of values and queries.
 */
void
corm_build_in(Builder *b, CormWriter *w, int nargs, const CormBuilderArg *args)
{
	Datum		x = args[0].value.value;
	bool		x_isnull = args[0].value.isnull;
	Input	   *input = &b->inputs[1];
	Datum		value;
	bool		isnull;
	List	   *items = NIL;
	bool		single = nargs == 2;
	bool		is_query = true;

	if (nargs == 1)
	{
		write_listed(b, w, x, x_isnull, NIL);
		return;
	}
	value = args[1].value.value;
	isnull = args[1].value.isnull;
	for (int i = 1; i < nargs; i++)
		is_query &= b->inputs[i].kind == INPUT_QUERY || b->inputs[i].element == b->query_type;

	if (is_query || (single && isnull && (input->kind == INPUT_TEXT || input->kind == INPUT_UNKNOWN)) ||
		(single && OidIsValid(input->element) && input->element != b->expr_type))
	{
		corm_write_tag(w, b->desc->tag);
		corm_build_field_or_expr(b, w, &b->inputs[0], x, x_isnull);
		if (!is_query)
			corm_build_value(b, w, input, value, isnull);
		else if (single && input->kind == INPUT_QUERY)
			corm_build_value(b, w, input, value, isnull);
		else
		{
			const CormNode **queries = palloc(sizeof(CormNode *) * nargs);

			corm_write_tag(w, CORM_N_SUBQUERY);
			if (single)
			{
				Input		element;

				if (args[1].elements)
				{
					corm_build_array_arg(b, w, 'Q', 1, args);
					return;
				}
				if (isnull)
					corm_build_null_argument(b, "the argument list");
				corm_builder_input(b, &element, b->query_type);
				corm_build_array(b, w, 'Q', &element, value);
				return;
			}
			for (int i = 1; i < nargs; i++)
			{
				if (args[i].value.isnull || b->inputs[i].kind != INPUT_QUERY)
					corm_build_null_argument(b, "a query");
				queries[i - 1] = CormPGGetQuery(args[i].value.value);
			}
			corm_write_query(w, queries, nargs - 1);
		}
		return;
	}

	if (single && (input->kind == INPUT_TEXT || input->kind == INPUT_UNKNOWN))
	{
		const char *str;
		int			len;

		corm_build_get_string(input, value, &str, &len);
		if (is_array_text(str, len))
		{
			corm_write_tag(w, b->desc->tag);
			corm_build_field_or_expr(b, w, &b->inputs[0], x, x_isnull);
			corm_build_value(b, w, input, value, false);
			return;
		}
	}

	if (single && input->typid == RECORDOID && !isnull)
		add_fields(b, &items, value);
	else if (single && input->element == b->expr_type && !isnull)
	{
		Input	   *element = palloc0(sizeof(Input));
		Datum	   *values;
		bool	   *nulls;
		int			n;

		corm_builder_input(b, element, b->expr_type);
		deconstruct_array(DatumGetArrayTypeP(value), b->expr_type, element->typlen, element->typbyval,
						  element->typalign, &values, &nulls, &n);
		for (int i = 0; i < n; i++)
			add_listed(b, &items, element, values[i], nulls[i]);
	}
	else
		for (int i = 1; i < nargs; i++)
			add_listed(b, &items, &b->inputs[i], args[i].value.value, args[i].value.isnull);
	write_listed(b, w, x, x_isnull, items);
}
