/*-------------------------------------------------------------------------
 *
 * value.c
 *		Values: any datum to flat bytes and back.
 *
 * A value is stored with its type.  The bytes of a type that is passed by value
 * or has a fixed length are stored as they are; of a varlena, the content is
 * stored without its length word, detoasted and flattened.  So text needs no
 * conversion.
 *
 * The bytes can be read only while the type has the layout that it had when
 * they were stored.  The columns of a table or composite type can be altered, so
 * values of types that contain one (the type itself, its domains, arrays and
 * ranges) carry a fingerprint of the columns' types.  A value whose
 * fingerprint differs, or whose type is gone, cannot be read any more.
 *
 * Anonymous records are refused: only the session that made them knows their
 * columns.
 *
 * A session keeps what it knows of types by type OID, until any change of a type
 * or relation increases the generation.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "base/compat.h"
#include "base/relcache.h"
#include "base/value.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/expandeddatum.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static const uint64 no_seed = 0;
const uint64 *corm_value_seed = &no_seed;

static HTAB *types = NULL;
static uint64 types_generation = 1;

static void
types_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	types_generation++;
}

static void
relation_changed(Datum arg, Oid relid)
{
	types_generation++;
}

/* corm_value_init registers the invalidation callbacks. */
void
corm_value_init(void)
{
	CacheRegisterSyscacheCallback(TYPEOID, types_changed, (Datum) 0);
	corm_on_relcache(relation_changed);
}

/*
 * layout appends what the stored bytes of a type depend on.  Types without
 * columns anywhere in them add nothing.  *storable becomes false for anonymous
 * records.
 */
static void
layout(Oid type, StringInfo buf, bool *storable)
{
	HeapTuple	tuple;
	Form_pg_type form;
	char		kind;
	Oid			inner = InvalidOid;

	check_stack_depth();
	if (type == RECORDOID || type == RECORDARRAYOID)
	{
		*storable = false;
		return;
	}

	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
	{
		*storable = false;
		return;
	}
	form = (Form_pg_type) GETSTRUCT(tuple);
	kind = form->typtype;
	if (kind == TYPTYPE_DOMAIN)
		inner = form->typbasetype;
	else if (IsTrueArrayType(form))
		inner = form->typelem;
	ReleaseSysCache(tuple);

	if (kind == TYPTYPE_RANGE)
		inner = get_range_subtype(type);
	else if (kind == TYPTYPE_MULTIRANGE)
		inner = get_multirange_range(type);
	else if (kind == TYPTYPE_COMPOSITE)
	{
		TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);

		appendStringInfo(buf, "(%d", desc->natts);
		for (int i = 0; i < desc->natts; i++)
		{
			Form_pg_attribute att = TupleDescAttr(desc, i);

			/* A dropped column still says how to skip its bytes. */
			if (att->attisdropped)
				appendStringInfo(buf, " %d%c", att->attlen, att->attalign);
			else
			{
				appendStringInfo(buf, " %u", att->atttypid);
				layout(att->atttypid, buf, storable);
			}
		}
		appendStringInfoChar(buf, ')');
		ReleaseTupleDesc(desc);
	}

	if (OidIsValid(inner))
		layout(inner, buf, storable);
}

/*
 * fingerprint returns a 32-bit hash of a layout, 0 for an empty one.  A user who
 * found two types with the same fingerprint could have the bytes of one read as
 * the other, so it is keyed with a
 * secret, where there is shared memory for one.
 */
static uint32
fingerprint(const StringInfoData *buf)
{
	pg_cryptohash_ctx *ctx;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	uint32		result;

	if (buf->len == 0)
		return 0;

	ctx = pg_cryptohash_create(PG_SHA256);
	if (pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, (const uint8 *) corm_value_seed, sizeof(uint64)) < 0 ||
		pg_cryptohash_update(ctx, (const uint8 *) buf->data, buf->len) < 0 ||
		pg_cryptohash_final(ctx, digest, sizeof(digest)) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not compute a SHA-256 hash")));
	pg_cryptohash_free(ctx);
	memcpy(&result, digest, sizeof(result));
	return result;
}

/*
 * fill_type_info reads what is known of info->type from the catalogs.  If it
 * raises, info is to be filled again.
 */
static void
fill_type_info(CormTypeInfo *info)
{
	bool		storable = true;
	StringInfoData buf;
	Oid			output;
	bool		is_varlena;
	char		align;

	if (info->context == NULL)
		info->context = AllocSetContextCreate(TopMemoryContext, "corm type",
											  ALLOCSET_SMALL_SIZES);
	MemoryContextReset(info->context);

	info->exists = SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(info->type));
	if (!info->exists)
		return;

	get_typlenbyvalalign(info->type, &info->len, &info->byval, &align);
	initStringInfo(&buf);
	layout(info->type, &buf, &storable);
	info->check = fingerprint(&buf);
	pfree(buf.data);
	info->storable = storable && info->len != -2 &&
		get_typtype(info->type) != TYPTYPE_PSEUDO;
	info->is_text = info->type == TEXTOID || info->type == VARCHAROID ||
		info->type == BPCHAROID;
	getTypeOutputInfo(info->type, &output, &is_varlena);
	fmgr_info_cxt(output, &info->output, info->context);
}

/*
 * corm_type_info returns what is known of a type; exists is false if there is
 * no such type.  The result is valid until the next call that may process
 * invalidations.  Its address does not change for the life of the session.
 */
CormTypeInfo *
corm_type_info(Oid type)
{
	CormTypeInfo *info;
	bool		found;

	if (types == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(CormTypeInfo);
		types = hash_create("corm types", 64, &ctl, HASH_ELEM | HASH_BLOBS);
	}

	info = (CormTypeInfo *) hash_search(types, &type, HASH_ENTER, &found);
	if (!found)
	{
		info->generation = 0;
		info->context = NULL;
	}
	while (info->generation != types_generation)
	{
		uint64		generation = types_generation;

		info->generation = 0;
		fill_type_info(info);
		info->generation = generation;
	}
	return info;
}

/*
 * corm_type_layout returns the fingerprint of a type's layout, 0 if it has no
 * columns anywhere in it.  Stored bytes of the type can be read while it is the
 * same.
 */
uint32
corm_type_layout(Oid type)
{
	return corm_type_info(type)->check;
}

/* corm_type_names_objects tells whether the values of a type, which is no domain, are written as names of objects. */
bool
corm_type_names_objects(Oid type)
{
	switch (type)
	{
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCLASSOID:
		case REGTYPEOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
		case REGNAMESPACEOID:
		case REGROLEOID:
		case REGCOLLATIONOID:
			return true;
		default:
			return false;
	}
}

/*
 * corm_flat_make turns a datum into flat bytes, which may point into the datum or to
 * palloc'd memory.  info is that of its type, which must exist and be storable.
 * Raises only if memory runs out.
 */
void
corm_flat_make(Datum datum, const CormTypeInfo *info, CormFlat *value)
{
	value->type = info->type;
	value->typecheck = info->check;
	value->tail = 0;
	if (info->byval)
	{
		char	   *buf = palloc(sizeof(Datum));

		store_att_byval(buf, datum, info->len);
		value->data = buf;
		value->len = info->len;
	}
	else if (info->len > 0)
	{
		value->data = DatumGetPointer(datum);
		value->len = info->len;
	}
	else
	{
		struct varlena *flat = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(datum));

		value->data = VARDATA_ANY(flat);
		value->len = VARSIZE_ANY_EXHDR(flat);
	}
}

/*
 * corm_flat_usable tells whether a value's type still has the layout that it
 * had when the value was stored.
 */
bool
corm_flat_usable(const CormFlat *value)
{
	CormTypeInfo *info;

	if (value->type == TEXTOID)
		return true;
	info = corm_type_info(value->type);
	return info->exists && info->check == value->typecheck &&
		(info->len < 0 || info->len == value->len);
}

/*
 * corm_flat_datum turns a value, which must be usable, into a datum, palloc'd
 * unless it is passed by value.  info is that of its type.
 */
Datum
corm_flat_datum(const CormFlat *value, CormTypeInfo *info)
{
	struct varlena *result;

	if (info->byval)
	{
		Datum		aligned;
		Datum		byval;

		memcpy(&aligned, value->data, value->len);
		byval = fetch_att(&aligned, true, info->len);
		return byval;
	}
	if (info->len > 0)
	{
		char	   *copy = palloc(info->len);

		memcpy(copy, value->data, info->len);
		return PointerGetDatum(copy);
	}
	result = palloc((Size) value->len + VARHDRSZ);
	SET_VARSIZE(result, value->len + VARHDRSZ);
	memcpy(VARDATA(result), value->data, value->len);
	return PointerGetDatum(result);
}
