/*-------------------------------------------------------------------------
 *
 * layout.c
 *		From a row type to the descriptor that protobuf-c packs and unpacks by.
 *
 * The tag "proto" of an attribute says what it is on the wire; see describe.c,
 * which writes it.  A type none of whose attributes has one, such as a table, is
 * a message, too: the number of a field is that of its column, and its type
 * follows from the column's, as in corm.client_types('proto').  Hidden fields
 * are part of a message only if they are tagged with a number.
 *
 * protobuf-c works on structs.  Their layout is made up here: a head, then a
 * place of a multiple of eight bytes for each value, and for its length or
 * whether it is there.  Strings are bytes for it, which may contain zeros.
 *
 * Each session keeps what it knows of row types until they change, which the
 * type cache tells: any DDL and any COMMENT on them counts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "corm_proto.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static const struct
{
	const char *name;
	ProtoKind	kind;
	ProtobufCType type;
}			kinds[] =

{
	{"int32", PROTO_INT32, PROTOBUF_C_TYPE_INT32},
	{"sint32", PROTO_SINT32, PROTOBUF_C_TYPE_SINT32},
	{"sfixed32", PROTO_SFIXED32, PROTOBUF_C_TYPE_SFIXED32},
	{"uint32", PROTO_UINT32, PROTOBUF_C_TYPE_UINT32},
	{"fixed32", PROTO_FIXED32, PROTOBUF_C_TYPE_FIXED32},
	{"int64", PROTO_INT64, PROTOBUF_C_TYPE_INT64},
	{"sint64", PROTO_SINT64, PROTOBUF_C_TYPE_SINT64},
	{"sfixed64", PROTO_SFIXED64, PROTOBUF_C_TYPE_SFIXED64},
	{"uint64", PROTO_UINT64, PROTOBUF_C_TYPE_UINT64},
	{"fixed64", PROTO_FIXED64, PROTOBUF_C_TYPE_FIXED64},
	{"float", PROTO_FLOAT, PROTOBUF_C_TYPE_FLOAT},
	{"double", PROTO_DOUBLE, PROTOBUF_C_TYPE_DOUBLE},
	{"bool", PROTO_BOOL, PROTOBUF_C_TYPE_BOOL},
	{"string", PROTO_STRING, PROTOBUF_C_TYPE_BYTES},
	{"bytes", PROTO_BYTES, PROTOBUF_C_TYPE_BYTES},
	{"enum", PROTO_ENUM, PROTOBUF_C_TYPE_ENUM},
	{"message", PROTO_MESSAGE, PROTOBUF_C_TYPE_MESSAGE},
	{"timestamp", PROTO_TIMESTAMP, PROTOBUF_C_TYPE_MESSAGE},
	{"duration", PROTO_DURATION, PROTOBUF_C_TYPE_MESSAGE},
};

#define MAX_FIELD_NUMBER	536870911

/* What the session knows of row types. */
typedef struct KnownType
{
	Oid			typid;			/* the key */
	MemoryContext context;
	ProtoType  *type;
} KnownType;

/* Counts changes of types and of enums' labels, which no row type knows of. */
static uint64 type_changes = 0;

static HTAB *known_types = NULL;
static List *outdated = NIL;	/* of MemoryContext */

static ProtoType *proto_type_make(Oid typid, MemoryContext context);

/* A column as corm.list_tags has it. */
typedef struct Tagged
{
	int			attnum;
	char	   *proto;			/* the value of its tag, or NULL */
	bool		left_out;		/* hidden, or tagged "-" */
} Tagged;

/* A field before it has a place. */
typedef struct Draft
{
	ProtoAttribute attribute;
	ProtobufCFieldDescriptor field;
	char	   *oneof;			/* its name, or NULL */
} Draft;

/*
 * read_tags returns the tags of a row type's columns, an array of *n, in the
 * current memory context.
 */
static Tagged *
read_tags(Oid relid, int *n)
{
	MemoryContext context = CurrentMemoryContext;
	Tagged	   *result;
	Datum		value = ObjectIdGetDatum(relid);
	Oid			type = REGCLASSOID;

	SPI_connect();
	if (SPI_execute_with_args("SELECT attnum, tags OPERATOR(pg_catalog.->>) 'proto', "
							  "(hidden AND tags OPERATOR(pg_catalog.->>) 'proto' IS NULL) OR tags OPERATOR(pg_catalog.?) '-' "
							  "FROM corm.list_tags($1) WHERE attnum OPERATOR(pg_catalog.>) 0",
							  1, &type, &value, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read tags");
	*n = SPI_processed;
	result = MemoryContextAllocZero(context, sizeof(Tagged) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		char	   *proto = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2);
		bool		isnull;

		result[i].attnum = DatumGetInt32(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
		result[i].proto = proto ? MemoryContextStrdup(context, proto) : NULL;
		result[i].left_out = DatumGetBool(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 3, &isnull));
	}
	SPI_finish();
	return result;
}

/*
 * bad_tag raises 22023 for a tag that says nothing about a field.
 */
static void
bad_tag(const char *tag, const char *attribute, Oid typid)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid tag \"proto=%s\" on column \"%s\" of type %s", tag, attribute, format_type_be(typid)),
			 errhint("It is a number, a type of protocol buffers, and perhaps \"optional\", \"required\", \"repeated\", \"packed\" or \"oneof\" and a name.")));
}

/*
 * default_kind returns what a value of a base type is without a tag.
 */
static const char *
default_kind(Oid typid)
{
	switch (typid)
	{
		case INT2OID:
		case INT4OID:
			return "int32";
		case INT8OID:
			return "int64";
		case FLOAT4OID:
			return "float";
		case FLOAT8OID:
			return "double";
		case BOOLOID:
			return "bool";
		case BYTEAOID:
			return "bytes";
		case TIMESTAMPTZOID:
			return "timestamp";
		default:
			return type_is_enum(typid) ? "enum" : get_typtype(typid) == TYPTYPE_COMPOSITE ? "message" : "string";
	}
}

/*
 * read_tag sets what a tag says of a field: number, kind, label.  A tag of a
 * number alone leaves the rest to the type of the attribute.
 */
static void
read_tag(Draft *draft, const char *tag, Oid rowtype, bool not_null)
{
	char	   *copy = pstrdup(tag);
	char	   *rest;
	char	   *word = strtok_r(copy, " ", &rest);
	char	   *end;
	long		number = word ? strtol(word, &end, 10) : 0;
	const char *kind;
	char	   *label;
	bool		found = false;
	bool		scalar;

	if (number < 1 || number > MAX_FIELD_NUMBER || *end != '\0')
		bad_tag(tag, draft->attribute.name, rowtype);
	draft->field.id = number;
	kind = strtok_r(NULL, " ", &rest);
	label = strtok_r(NULL, " ", &rest);
	if (kind == NULL)
	{
		kind = default_kind(draft->attribute.typid);
		label = draft->attribute.repeated ? "packed" : not_null ? NULL : "optional";
	}
	for (int i = 0; i < lengthof(kinds); i++)
	{
		if (strcmp(kinds[i].name, kind) != 0)
			continue;
		draft->attribute.kind = kinds[i].kind;
		draft->field.type = kinds[i].type;
		found = true;
	}
	if (!found)
		bad_tag(tag, draft->attribute.name, rowtype);

	scalar = draft->field.type != PROTOBUF_C_TYPE_BYTES && draft->field.type != PROTOBUF_C_TYPE_MESSAGE;
	draft->field.label = PROTOBUF_C_LABEL_NONE;
	if (label && (strcmp(label, "repeated") == 0 || strcmp(label, "packed") == 0))
	{
		draft->field.label = PROTOBUF_C_LABEL_REPEATED;
		if (strcmp(label, "packed") == 0 && scalar)
			draft->field.flags |= PROTOBUF_C_FIELD_FLAG_PACKED;
	}
	else if (label && strcmp(label, "required") == 0)
	{
		draft->field.label = PROTOBUF_C_LABEL_REQUIRED;
		draft->attribute.required = true;
	}
	else if (label && strcmp(label, "oneof") == 0)
	{
		draft->oneof = strtok_r(NULL, " ", &rest);
		draft->field.label = PROTOBUF_C_LABEL_OPTIONAL;
		draft->field.flags |= PROTOBUF_C_FIELD_FLAG_ONEOF;
		draft->attribute.oneof = true;
		if (draft->oneof == NULL)
			bad_tag(tag, draft->attribute.name, rowtype);
	}
	else if (label && strcmp(label, "optional") == 0)
		draft->field.label = PROTOBUF_C_LABEL_OPTIONAL;
	else if (label)
		bad_tag(tag, draft->attribute.name, rowtype);
	if (draft->attribute.repeated != (draft->field.label == PROTOBUF_C_LABEL_REPEATED))
		bad_tag(tag, draft->attribute.name, rowtype);
}

/*
 * read_labels reads the labels of an enum: the numbers are in the comment on
 * the type, or count from 1.
 */
static void
read_labels(ProtoAttribute *attribute)
{
	char	   *comment = GetComment(attribute->typid, TypeRelationId, 0);
	char	   *numbers = comment ? strstr(comment, "@orm:proto=") : NULL;
	Relation	catalog = table_open(EnumRelationId, AccessShareLock);
	Relation	index = index_open(EnumTypIdSortOrderIndexId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			allocated = 16;

	if (numbers)
		numbers = strpbrk(numbers, " \n");
	attribute->labels = palloc(sizeof(ProtoLabel) * allocated);
	ScanKeyInit(&key, Anum_pg_enum_enumtypid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(attribute->typid));
	scan = systable_beginscan_ordered(catalog, index, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		int			n = attribute->nlabels++;

		if (n == allocated)
		{
			allocated *= 2;
			attribute->labels = repalloc(attribute->labels, sizeof(ProtoLabel) * allocated);
		}
		attribute->labels[n].oid = ((Form_pg_enum) GETSTRUCT(tuple))->oid;
		attribute->labels[n].number = n + 1;
		if (numbers)
		{
			char	   *end;
			long		number = strtol(numbers, &end, 10);

			/* a label that was added by hand has no number */
			if (end == numbers)
				attribute->labels[n].number = PG_INT32_MIN;
			else
				attribute->labels[n].number = number;
			numbers = end;
		}
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(catalog, AccessShareLock);
}

/*
 * check_kind raises 42804 if an attribute of this type cannot be what its tag
 * says.
 */
static void
check_kind(ProtoAttribute *attribute, Oid rowtype)
{
	Oid			typid = attribute->typid;
	bool		fits;

	switch (attribute->kind)
	{
		case PROTO_BYTES:
			fits = typid == BYTEAOID;
			break;
		case PROTO_BOOL:
			fits = typid == BOOLOID;
			break;
		case PROTO_ENUM:
			fits = type_is_enum(typid) || typid == INT4OID;
			break;
		case PROTO_MESSAGE:
			fits = get_typtype(typid) == TYPTYPE_COMPOSITE;
			break;
		case PROTO_TIMESTAMP:
			fits = typid == TIMESTAMPTZOID;
			break;
		case PROTO_DURATION:
			fits = typid == INTERVALOID;
			break;
		case PROTO_STRING:
			fits = typid != BYTEAOID;
			break;
		default:
			fits = typid == INT2OID || typid == INT4OID || typid == INT8OID || typid == NUMERICOID || typid == FLOAT4OID ||
				typid == FLOAT8OID || typid == OIDOID;
			break;
	}
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot be a field of this kind", attribute->name, format_type_be(rowtype)),
				 errdetail("It is of type %s.", format_type_be(typid))));
}

/*
 * complete_attribute sets how values are converted.
 */
static void
complete_attribute(ProtoAttribute *attribute, Oid rowtype, MemoryContext context)
{
	Oid			function;
	bool		is_varlena;

	check_kind(attribute, rowtype);
	get_typlenbyvalalign(attribute->typid, &attribute->typlen, &attribute->typbyval, &attribute->typalign);
	getTypeOutputInfo(attribute->typid, &function, &is_varlena);
	fmgr_info_cxt(function, &attribute->convert, context);
	/* by the domain, whose constraints count */
	getTypeInputInfo(attribute->declared, &function, &attribute->ioparam);
	fmgr_info_cxt(function, &attribute->input, context);
	if (attribute->kind == PROTO_ENUM && attribute->typid != INT4OID)
		read_labels(attribute);
	else if (attribute->kind == PROTO_MESSAGE)
	{
		attribute->message = proto_type_make(attribute->typid, context);
		attribute->field->descriptor = &attribute->message->descriptor;
	}
	else if (attribute->kind == PROTO_TIMESTAMP || attribute->kind == PROTO_DURATION)
		attribute->field->descriptor = proto_seconds_descriptor();
}

/*
 * compare_drafts orders fields by number, as protobuf-c needs them.
 */
static int
compare_drafts(const void *a, const void *b)
{
	uint32		x = ((const Draft *) a)->field.id;
	uint32		y = ((const Draft *) b)->field.id;

	return x < y ? -1 : x > y ? 1 : 0;
}

/*
 * place_fields gives each field its place in the struct, and returns the size
 * of that.  Fields of a oneof share a place.
 */
static size_t
place_fields(Draft *drafts, int n)
{
	size_t		offset = MAXALIGN(sizeof(ProtobufCMessage));

	for (int i = 0; i < n; i++)
	{
		Draft	   *other = NULL;

		for (int j = 0; j < i && drafts[i].oneof && !other; j++)
		{
			if (drafts[j].oneof && strcmp(drafts[i].oneof, drafts[j].oneof) == 0)
				other = &drafts[j];
		}
		if (other)
		{
			drafts[i].field.offset = other->field.offset;
			drafts[i].field.quantifier_offset = other->field.quantifier_offset;
			continue;
		}
		drafts[i].field.quantifier_offset = offset;
		offset += 8;
		drafts[i].field.offset = offset;
		offset += MAXALIGN(sizeof(ProtobufCBinaryData));
	}
	return offset;
}

/*
 * make_descriptor makes the descriptor of a message of n fields, which stay
 * where they are, in the current memory context.
 */
static void
make_descriptor(ProtobufCMessageDescriptor *descriptor, const char *name, const ProtobufCFieldDescriptor *fields, int n,
				size_t size)
{
	ProtobufCIntRange *ranges = palloc0(sizeof(ProtobufCIntRange) * (n + 1));
	unsigned   *by_name = palloc0(sizeof(unsigned) * Max(n, 1));
	int			nranges = 0;

	for (int i = 0; i < n; i++)
	{
		by_name[i] = i;
		if (i > 0 && fields[i].id == fields[i - 1].id + 1)
			continue;
		ranges[nranges].start_value = fields[i].id;
		ranges[nranges++].orig_index = i;
	}
	ranges[nranges].orig_index = n;
	memset(descriptor, 0, sizeof(*descriptor));
	descriptor->magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC;
	descriptor->name = descriptor->short_name = descriptor->c_name = name;
	descriptor->package_name = "";
	descriptor->sizeof_message = size;
	descriptor->n_fields = n;
	/* unpacking looks at the first field before it asks how many there are */
	descriptor->fields = n > 0 ? fields : NULL;
	descriptor->fields_sorted_by_name = by_name;
	descriptor->n_field_ranges = nranges;
	descriptor->field_ranges = ranges;
}

/*
 * row_tupdesc returns the descriptor of a row type, a copy in the current memory
 * context, and the number of its state.
 */
static TupleDesc
row_tupdesc(Oid typid, uint64 *state)
{
	TypeCacheEntry *entry = lookup_type_cache(typid, TYPECACHE_TUPDESC);

	if (entry->tupDesc == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s is not a row type", format_type_be(typid))));
	*state = entry->tupDesc_identifier;
	return CreateTupleDescCopyConstr(entry->tupDesc);
}

/*
 * proto_type_is_current returns whether a row type is what it was.
 */
bool
proto_type_is_current(const ProtoType *type)
{
	return lookup_type_cache(type->typid, TYPECACHE_TUPDESC)->tupDesc_identifier == type->state;
}

/*
 * draft_field drafts the field for an attribute.
 */
static void
draft_field(Draft *draft, Form_pg_attribute att, const char *tag, Oid rowtype)
{
	ProtoAttribute *attribute = &draft->attribute;
	Oid			element;

	memset(draft, 0, sizeof(*draft));
	attribute->name = pstrdup(NameStr(att->attname));
	attribute->index = att->attnum - 1;
	attribute->typmod = att->atttypmod;
	attribute->declared = att->atttypid;
	attribute->typid = getBaseTypeAndTypmod(att->atttypid, &attribute->typmod);
	element = get_element_type(attribute->typid);
	if (OidIsValid(element))
	{
		attribute->repeated = true;
		attribute->declared = element;
		attribute->typid = getBaseTypeAndTypmod(element, &attribute->typmod);
	}
	draft->field.name = attribute->name;
	read_tag(draft, tag, rowtype, att->attnotnull);
}

/*
 * proto_type_make returns a row type as a message, in a memory context, where
 * it stays.  Raises 42804 or 22023 for one that cannot be a message.
 */
static ProtoType *
proto_type_make(Oid typid, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ProtoType  *type = palloc0(sizeof(ProtoType));
	int			ntags;
	Tagged	   *tags;
	Draft	   *drafts;
	ProtobufCFieldDescriptor *fields;
	int			n = 0;
	bool		tagged = false;
	size_t		size;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	type->typid = typid;
	/* what changes from here on makes it outdated */
	type->changes = type_changes;
	type->tupdesc = row_tupdesc(typid, &type->state);
	tags = read_tags(get_typ_typrelid(typid), &ntags);
	for (int i = 0; i < ntags; i++)
		tagged |= tags[i].proto != NULL;

	drafts = palloc(sizeof(Draft) * Max(ntags, 1));
	for (int i = 0; i < ntags; i++)
	{
		/* between the two looks, the type may have changed */
		if (tags[i].attnum > type->tupdesc->natts || TupleDescAttr(type->tupdesc, tags[i].attnum - 1)->attisdropped ||
			tags[i].left_out || (tagged && tags[i].proto == NULL))
			continue;
		draft_field(&drafts[n++], TupleDescAttr(type->tupdesc, tags[i].attnum - 1),
					tags[i].proto ? tags[i].proto : psprintf("%d", tags[i].attnum), typid);
	}
	qsort(drafts, n, sizeof(Draft), compare_drafts);
	for (int i = 1; i < n; i++)
	{
		if (drafts[i].field.id == drafts[i - 1].field.id)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("columns \"%s\" and \"%s\" of type %s are the same field, %u", drafts[i - 1].attribute.name,
							drafts[i].attribute.name, format_type_be(typid), drafts[i].field.id)));
	}
	size = place_fields(drafts, n);

	fields = palloc(sizeof(ProtobufCFieldDescriptor) * Max(n, 1));
	type->attributes = palloc(sizeof(ProtoAttribute) * Max(n, 1));
	type->nattributes = n;
	for (int i = 0; i < n; i++)
	{
		fields[i] = drafts[i].field;
		type->attributes[i] = drafts[i].attribute;
		type->attributes[i].field = &fields[i];
		complete_attribute(&type->attributes[i], typid, context);
		type->has_enums |= type->attributes[i].kind == PROTO_ENUM;
	}
	make_descriptor(&type->descriptor, format_type_be(typid), fields, n, size);
	MemoryContextSwitchTo(old);
	return type;
}

/*
 * all_current returns whether a row type, and all that it consists of, is what
 * it was.
 */
static bool
all_current(const ProtoType *type)
{
	if (!proto_type_is_current(type) || (type->has_enums && type->changes != type_changes))
		return false;
	for (int i = 0; i < type->nattributes; i++)
	{
		if (type->attributes[i].message && !all_current(type->attributes[i].message))
			return false;
	}
	return true;
}

/*
 * on_type_change is the callback for changes of types and labels.
 */
static void
on_type_change(Datum arg, int cache, uint32 hash)
{
	type_changes++;
}

/*
 * free_outdated frees the types that were replaced, at the end of a
 * transaction: nothing uses them any more.
 */
static void
free_outdated(XactEvent event, void *arg)
{
	ListCell   *lc;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	foreach(lc, outdated)
	{
		MemoryContextDelete(lfirst(lc));
	}
	list_free(outdated);
	outdated = NIL;
}

/*
 * proto_type_get returns a row type as a message.  It stays until the end of
 * the transaction, and as long as the type does not change it is kept for the
 * session.  Raises what proto_type_make raises.
 */
ProtoType *
proto_type_get(Oid typid)
{
	KnownType  *known;
	bool		found;
	MemoryContext context;
	ProtoType  *type;

	if (known_types == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(Oid);
		control.entrysize = sizeof(KnownType);
		known_types = hash_create("corm proto types", 64, &control, HASH_ELEM | HASH_BLOBS);
		RegisterXactCallback(free_outdated, NULL);
		CacheRegisterSyscacheCallback(TYPEOID, on_type_change, (Datum) 0);
		CacheRegisterSyscacheCallback(ENUMOID, on_type_change, (Datum) 0);
	}
	known = hash_search(known_types, &typid, HASH_FIND, NULL);
	if (known && all_current(known->type))
		return known->type;

	context = AllocSetContextCreate(CurrentMemoryContext, "corm proto type", ALLOCSET_SMALL_SIZES);
	type = proto_type_make(typid, context);
	/* from here on, only lack of memory is an error */
	known = hash_search(known_types, &typid, HASH_ENTER, &found);
	if (found)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		outdated = lappend(outdated, known->context);
		MemoryContextSwitchTo(old);
	}
	MemoryContextSetParent(context, TopMemoryContext);
	known->context = context;
	known->type = type;
	return type;
}

/*
 * proto_seconds_descriptor returns the descriptor of timestamps and durations,
 * which is kept for the session.
 */
const ProtobufCMessageDescriptor *
proto_seconds_descriptor(void)
{
	static ProtobufCMessageDescriptor *descriptor = NULL;
	static ProtobufCFieldDescriptor fields[] = {
		{"seconds", 1, PROTOBUF_C_LABEL_NONE, PROTOBUF_C_TYPE_INT64, 0, offsetof(ProtoSeconds, seconds)},
		{"nanos", 2, PROTOBUF_C_LABEL_NONE, PROTOBUF_C_TYPE_INT32, 0, offsetof(ProtoSeconds, nanos)},
	};

	if (descriptor == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
		ProtobufCMessageDescriptor *made = palloc(sizeof(ProtobufCMessageDescriptor));

		make_descriptor(made, "google.protobuf.Timestamp", fields, lengthof(fields), sizeof(ProtoSeconds));
		MemoryContextSwitchTo(old);
		descriptor = made;
	}
	return descriptor;
}
