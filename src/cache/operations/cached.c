/*-------------------------------------------------------------------------
 *
 * cached.c
 *		Values as the cache takes and gives them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "base/compat.h"
#include "cache/cache.h"
#include "cache/operations/cached.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

/*
 * corm_cached_flatten turns a datum into flat bytes.  The result may point into
 * the datum or to palloc'd memory.  Raises 42804 for a type that cannot be
 * stored and 54000 for a value over the limit.
 */
void
corm_cached_flatten(Datum datum, Oid type, CormCached *value)
{
	CormTypeInfo *info;

	/* The usual case, a short text, does without the catalogs. */
	if (type == TEXTOID && !VARATT_IS_EXTERNAL(DatumGetPointer(datum)) &&
		!VARATT_IS_COMPRESSED(DatumGetPointer(datum)) &&
		VARSIZE_ANY_EXHDR(DatumGetPointer(datum)) <= corm_cache_max_value())
	{
		value->type = type;
		value->typecheck = 0;
		value->tail = 0;
		value->data = VARDATA_ANY(DatumGetPointer(datum));
		value->len = VARSIZE_ANY_EXHDR(DatumGetPointer(datum));
		return;
	}

	info = corm_type_info(type);
	if (!info->exists || !info->storable)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a value of type %s cannot be cached", format_type_be(type)),
				 type == RECORDOID || type == RECORDARRAYOID ?
				 errhint("Cast the row to a named composite type.") : 0));

	if (!info->byval && info->len < 0)
	{
		Size		raw = toast_raw_datum_size(datum) - VARHDRSZ;

		if (raw > corm_cache_max_value())
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("value of %zu bytes is too large for the cache", raw),
					 errdetail("The limit is %zu bytes.", corm_cache_max_value()),
					 errhint("The settings corm.cache_max_value_size and corm.cache_size determine it.")));
	}
	corm_flat_make(datum, info, value);
}

/*
 * corm_cached_text returns the text form of a value, which must be usable, in
 * palloc'd memory.  Raises what the type's output function raises.
 */
text *
corm_cached_text(const CormCached *value)
{
	CormTypeInfo *info;
	char	   *str;

	if (likely(value->type == TEXTOID) ||
		(info = corm_type_info(value->type))->is_text)
	{
		text	   *result = palloc((Size) value->len + VARHDRSZ);

		SET_VARSIZE(result, value->len + VARHDRSZ);
		memcpy(VARDATA(result), value->data, value->len);
		return result;
	}
	str = OutputFunctionCall(&info->output, corm_flat_datum(value, info));
	return cstring_to_text(str);
}
