/*-------------------------------------------------------------------------
 *
 * layout.c
 *		The layout of row types among the bound values.
 *
 * A row datum, or an array or range of rows, can only be interpreted with the
 * attributes of its row type.  PostgreSQL refuses to change a row type that is
 * the type of a table column, but it cannot look into a query value.  A query
 * value stored in a table or cached in a plan can outlive an ALTER TABLE.
 * Reading it with the new attributes could treat an integer as a pointer.
 *
 * So we store the layout behind such a datum: the types of the attributes, as
 * uint32 words.  (Newer minor releases of PostgreSQL have their own check,
 * which runs after this one.)
 *
 *		layout of a row type:		natts, { type, n, n words } ...
 *		layout of any other type:	that of its element or bound type, or none
 *
 * where the n words are the layout of the attribute's type.  A row can be read
 * if all its attributes still have these types or have been dropped.
 * Attributes added since then are NULL or have their default.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/rowtypes.h"
#include "query/value/layout.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * corm_layout_row_type returns the row type that values of a type contain: the
 * type itself, that of its elements, or that of its bounds.  InvalidOid if
 * there is none.
 */
Oid
corm_layout_row_type(Oid typid)
{
	for (;;)
	{
		Oid			inner;

		/* no built-in type contains a named row type, except for catalog rows */
		if (!OidIsValid(typid))
			return InvalidOid;
		typid = getBaseType(typid);
		if (typid == RECORDOID)
			return InvalidOid;
		if (type_is_rowtype(typid))
			return typid;
		inner = get_element_type(typid);
		if (!OidIsValid(inner))
			inner = get_range_subtype(typid);
		if (!OidIsValid(inner))
			inner = get_multirange_range(typid);
		if (!OidIsValid(inner))
			return InvalidOid;
		typid = inner;
	}
}

static void
append_word(StringInfo buf, uint32 word)
{
	appendBinaryStringInfo(buf, (char *) &word, sizeof(word));
}

/*
 * corm_layout_append appends the layout of a type to buf.  Appends nothing if
 * the type contains no rows.
 */
void
corm_layout_append(StringInfo buf, Oid typid)
{
	Oid			rowtype;
	TupleDesc	tupdesc;

	/* fast path without catalog access: built-in types need no layout */
	if (typid < FirstNormalObjectId)
		return;
	check_stack_depth();
	rowtype = corm_layout_row_type(typid);
	if (!OidIsValid(rowtype))
		return;

	tupdesc = lookup_rowtype_tupdesc_copy(rowtype, -1);
	corm_watch_row_type(get_typ_typrelid(rowtype), tupdesc->natts);
	append_word(buf, tupdesc->natts);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);
		Oid			atttype = att->attisdropped ? InvalidOid : att->atttypid;
		int			start;
		uint32		nwords;

		append_word(buf, atttype);
		start = buf->len;
		append_word(buf, 0);
		corm_layout_append(buf, atttype);
		nwords = (buf->len - start) / sizeof(uint32) - 1;
		memcpy(buf->data + start, &nwords, sizeof(nwords));
	}
	FreeTupleDesc(tupdesc);
}

static uint32
word_at(const char *words, uint32 i)
{
	uint32		word;

	memcpy(&word, words + i * sizeof(uint32), sizeof(word));
	return word;
}

/*
 * corm_layout_matches returns whether values stored with this layout can be
 * read with the current definition of the type.  The words may be corrupt.
 */
bool
corm_layout_matches(Oid typid, const char *words, uint32 nwords)
{
	Oid			rowtype = get_typisdefined(typid) ? corm_layout_row_type(typid) : InvalidOid;
	TupleDesc	tupdesc;
	uint32		natts;
	uint32		at = 1;
	bool		matches;

	check_stack_depth();
	if (!OidIsValid(rowtype))
		return nwords == 0;
	if (nwords == 0)
		return false;
	tupdesc = lookup_rowtype_tupdesc_copy(rowtype, -1);
	natts = word_at(words, 0);
	matches = natts <= (uint32) tupdesc->natts;
	for (uint32 i = 0; i < natts && matches; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);
		uint32		inner;

		matches = nwords - at >= 2;
		if (!matches)
			break;
		inner = word_at(words, at + 1);
		matches = inner <= nwords - at - 2;
		if (matches && !att->attisdropped)
			matches = word_at(words, at) == att->atttypid &&
				corm_layout_matches(att->atttypid, words + (at + 2) * sizeof(uint32), inner);
		at += 2 + inner;
	}
	FreeTupleDesc(tupdesc);
	return matches && at == nwords;
}
