/*-------------------------------------------------------------------------
 *
 * cursor.c
 *		Cursors of pages: corm.after() and corm.before().
 *
 * A cursor is base64 text.  It contains a hash of the order, then the row's
 * values in that order as text, each prefixed with its length, or "-" for
 * NULL.  If it is used with another order, the hash differs: OR004.
 * The hash covers only the shape of the order.  So the constants in the
 * order's expressions follow the row's values, and are compared at execution.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/base64.h"
#include "mb/pg_wchar.h"
#include "query/query.h"
#include "query/value/cursor.h"
#include "query/value/node.h"
#include "query/value/text.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/* length of the hash, in digits */
#define HASH_LEN	16

PG_FUNCTION_INFO_V1(corm_after);
PG_FUNCTION_INFO_V1(corm_before);
PG_FUNCTION_INFO_V1(corm_cursor_text);
PG_FUNCTION_INFO_V1(corm_same_order);

static void bad_cursor(const char *detail) pg_attribute_noreturn();

static void
bad_cursor(const char *detail)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_CURSOR),
			 errmsg("invalid cursor"),
			 errdetail_internal("%s", detail)));
}

/* corm_other_order raises OR004: the cursor was made for another order. */
void
corm_other_order(void)
{
	bad_cursor("It belongs to a query with another order.");
}

/*
 * corm_cursor_encode returns a cursor, palloc'd, from the hash of an order and
 * a text[] of values.
 */
char *
corm_cursor_encode(const char *hash, ArrayType *values)
{
	StringInfoData buf;
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	int			size;
	int			len;
	char	   *cursor;

	deconstruct_array(values, TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &n);
	initStringInfo(&buf);
	appendStringInfoString(&buf, hash);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			appendStringInfoChar(&buf, '-');
		else
		{
			text	   *value = DatumGetTextPP(elems[i]);

			appendStringInfo(&buf, "%d:", (int) VARSIZE_ANY_EXHDR(value));
			appendBinaryStringInfo(&buf, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
		}
	}

	size = pg_b64_enc_len(buf.len);
	cursor = palloc(size + 1);
	len = corm_b64_encode(buf.data, buf.len, cursor, size);
	if (len < 0)
		elog(ERROR, "could not encode cursor");
	cursor[len] = '\0';
	return cursor;
}

/*
 * Returns a query with the one clause for a cursor.  The cursor is untrusted.
 * Raises OR004 if it is malformed.
 */
static CormNode *
cursor_clause(CormNodeTag tag, text *cursor)
{
	int			len = VARSIZE_ANY_EXHDR(cursor);
	int			size = pg_b64_dec_len(len);
	char	   *data = palloc(size + 1);
	CormWriter	w;
	const char *p;
	const char *end;
	List	   *values = NIL;	/* of text; NULL for a null */
	ListCell   *lc;

	size = corm_b64_decode(VARDATA_ANY(cursor), len, data, size);
	if (size < HASH_LEN)
		bad_cursor("It was not made by corm.");
	data[size] = '\0';
	if (memchr(data, '\0', size) != NULL || !pg_verifymbstr(data, size, true))
		bad_cursor("It was not made by corm.");

	p = data + HASH_LEN;
	end = data + size;
	while (p < end)
	{
		char	   *colon;
		long		n;

		if (*p == '-')
		{
			values = lappend(values, NULL);
			p++;
			continue;
		}
		errno = 0;
		n = strtol(p, &colon, 10);
		if (!isdigit((unsigned char) *p) || errno != 0 || *colon != ':' || n > end - colon - 1)
			bad_cursor("It was not made by corm.");
		values = lappend(values, cstring_to_text_with_len(colon + 1, n));
		p = colon + 1 + n;
	}

	corm_writer_init(&w);
	corm_write_tag(&w, tag);
	corm_write_name(&w, data, HASH_LEN);
	corm_write_count(&w, list_length(values));
	foreach(lc, values)
	{
		if (lfirst(lc) == NULL)
			corm_write_null(&w, UNKNOWNOID);
		else
			corm_write_value(&w, UNKNOWNOID, -1, false, PointerGetDatum(lfirst(lc)));
	}
	return corm_writer_finish(&w, CORM_KIND_QUERY);
}

/*
 * Returns the query of after() or before(): one clause, or the empty query for
 * NULL.
 */
static Datum
make_cursor_clause(FunctionCallInfo fcinfo, CormNodeTag tag)
{
	if (PG_ARGISNULL(0))
	{
		/* no cursor: the first page */
		CormWriter	w;

		corm_writer_init(&w);
		PG_RETURN_POINTER(corm_writer_finish(&w, CORM_KIND_QUERY));
	}
	PG_RETURN_POINTER(cursor_clause(tag, PG_GETARG_TEXT_PP(0)));
}

/* corm_after(cursor): the rows after a cursor.  NULL means the first page. */
Datum
corm_after(PG_FUNCTION_ARGS)
{
	return make_cursor_clause(fcinfo, CORM_N_AFTER);
}

/* corm_before(cursor): the last rows before a cursor. */
Datum
corm_before(PG_FUNCTION_ARGS)
{
	return make_cursor_clause(fcinfo, CORM_N_BEFORE);
}

/*
 * corm_cursor_text(value) returns a value as text that every session reads
 * back as the same value, independent of settings.  Raises 42P18 if the type
 * of the argument is unknown.
 */
Datum
corm_cursor_text(PG_FUNCTION_ARGS)
{
	Oid			typid = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Oid			typoutput;
	bool		is_varlena;
	int			nestlevel;
	char	   *str;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!OidIsValid(typid))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of the value")));
	getTypeOutputInfo(typid, &typoutput, &is_varlena);
	nestlevel = corm_begin_portable_io(true);
	str = OidOutputFunctionCall(typoutput, PG_GETARG_DATUM(0));
	AtEOXact_GUC(true, nestlevel);
	PG_RETURN_TEXT_P(cstring_to_text(str));
}

/*
 * corm_same_order(order, cursor) compares a constant of the query's order with
 * the one in the cursor.  Returns true, or raises OR004 if they differ.
 */
Datum
corm_same_order(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) ||
		!DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1))))
		corm_other_order();
	PG_RETURN_BOOL(true);
}
