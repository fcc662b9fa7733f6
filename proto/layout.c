/*-------------------------------------------------------------------------
 *
 * layout.c
 *		A row type as a message: which attribute is which field.
 *
 * The tag "proto" of an attribute says what it is on the wire; see describe.c,
 * which writes it.  A type none of whose attributes has one, such as a table, is
 * a message, too: the number of a field is that of its column, and its type
 * follows from the column's, as in corm.client_types('proto').  Hidden fields
 * are part of a message only if they are tagged with a number.
 *
 * Each session keeps what it knows of row types until they change, which the
 * type cache tells: any DDL and any COMMENT on them counts.  What was replaced is
 * freed when the transaction ends; proto_generation tells call sites that what
 * they point to may go.
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
	WireType	wire;
}			kinds[] =

{
	{"int32", PROTO_INT32, WIRE_VARINT},
	{"sint32", PROTO_SINT32, WIRE_VARINT},
	{"sfixed32", PROTO_SFIXED32, WIRE_32},
	{"uint32", PROTO_UINT32, WIRE_VARINT},
	{"fixed32", PROTO_FIXED32, WIRE_32},
	{"int64", PROTO_INT64, WIRE_VARINT},
	{"sint64", PROTO_SINT64, WIRE_VARINT},
	{"sfixed64", PROTO_SFIXED64, WIRE_64},
	{"uint64", PROTO_UINT64, WIRE_VARINT},
	{"fixed64", PROTO_FIXED64, WIRE_64},
	{"float", PROTO_FLOAT, WIRE_32},
	{"double", PROTO_DOUBLE, WIRE_64},
	{"bool", PROTO_BOOL, WIRE_VARINT},
	{"string", PROTO_STRING, WIRE_BYTES},
	{"bytes", PROTO_BYTES, WIRE_BYTES},
	{"enum", PROTO_ENUM, WIRE_VARINT},
	{"message", PROTO_MESSAGE, WIRE_BYTES},
	{"timestamp", PROTO_TIMESTAMP, WIRE_BYTES},
	{"duration", PROTO_DURATION, WIRE_BYTES},
};

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
static long sweep_at = 64;		/* entries */
static List *outdated = NIL;	/* of MemoryContext */
static uint64 proto_generation = 1;	/* counts those that became outdated */

static ProtoType *proto_type_make(Oid typid, MemoryContext context, int *nio);

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
 * write_tag makes what stands before a field on the wire.
 */
static void
write_tag(ProtoAttribute *attribute)
{
	uint32		tag = attribute->number << 3 | (attribute->packed ? WIRE_BYTES : attribute->wire);

	for (; tag >= 0x80; tag >>= 7)
		attribute->tag[attribute->tag_len++] = tag | 0x80;
	attribute->tag[attribute->tag_len++] = tag;
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
	bool		repeated = false;

	if (number < 1 || number > MAX_FIELD_NUMBER || *end != '\0')
		bad_tag(tag, draft->attribute.name, rowtype);
	draft->attribute.number = number;
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
		draft->attribute.wire = kinds[i].wire;
		found = true;
	}
	if (!found)
		bad_tag(tag, draft->attribute.name, rowtype);

	draft->attribute.oneof = -1;
	if (label == NULL)
		draft->attribute.implicit = draft->attribute.kind != PROTO_MESSAGE && draft->attribute.kind != PROTO_TIMESTAMP &&
			draft->attribute.kind != PROTO_DURATION;
	else if (strcmp(label, "repeated") == 0 || strcmp(label, "packed") == 0)
	{
		repeated = true;
		draft->attribute.packed = strcmp(label, "packed") == 0 && draft->attribute.wire != WIRE_BYTES;
	}
	else if (strcmp(label, "required") == 0)
		draft->attribute.required = true;
	else if (strcmp(label, "oneof") == 0)
	{
		draft->oneof = strtok_r(NULL, " ", &rest);
		if (draft->oneof == NULL)
			bad_tag(tag, draft->attribute.name, rowtype);
	}
	else if (strcmp(label, "optional") != 0)
		bad_tag(tag, draft->attribute.name, rowtype);
	if (draft->attribute.repeated != repeated)
		bad_tag(tag, draft->attribute.name, rowtype);
	write_tag(&draft->attribute);
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
complete_attribute(ProtoAttribute *attribute, Oid rowtype, MemoryContext context, int *nio)
{
	bool		is_varlena;

	check_kind(attribute, rowtype);
	get_typlenbyvalalign(attribute->typid, &attribute->typlen, &attribute->typbyval, &attribute->typalign);
	getTypeOutputInfo(attribute->typid, &attribute->output, &is_varlena);
	getTypeInputInfo(attribute->typid, &attribute->input, &attribute->ioparam);
	attribute->io = (*nio)++;
	if (attribute->kind == PROTO_ENUM && attribute->typid != INT4OID)
		read_labels(attribute);
	else if (attribute->kind == PROTO_MESSAGE)
		attribute->message = proto_type_make(attribute->typid, context, nio);
}

/*
 * compare_drafts orders fields by number, as they are written.
 */
static int
compare_drafts(const void *a, const void *b)
{
	uint32		x = ((const Draft *) a)->attribute.number;
	uint32		y = ((const Draft *) b)->attribute.number;

	return x < y ? -1 : x > y ? 1 : 0;
}

/*
 * number_oneofs numbers the oneofs of a message, and returns how many there
 * are.
 */
static int
number_oneofs(Draft *drafts, int n)
{
	int			result = 0;

	for (int i = 0; i < n; i++)
	{
		if (drafts[i].oneof == NULL)
			continue;
		for (int j = 0; j < i && drafts[i].attribute.oneof < 0; j++)
		{
			if (drafts[j].oneof && strcmp(drafts[i].oneof, drafts[j].oneof) == 0)
				drafts[i].attribute.oneof = drafts[j].attribute.oneof;
		}
		if (drafts[i].attribute.oneof < 0)
			drafts[i].attribute.oneof = result++;
	}
	return result;
}

/*
 * read_row_type sets the descriptor of a row type, a copy in the current memory
 * context, and the number of its state.
 */
static void
read_row_type(ProtoType *type, Oid typid)
{
	type->entry = lookup_type_cache(typid, TYPECACHE_TUPDESC);
	if (type->entry->tupDesc == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s is not a row type", format_type_be(typid))));
	type->typid = typid;
	type->state = type->entry->tupDesc_identifier;
	type->tupdesc = CreateTupleDescCopyConstr(type->entry->tupDesc);
}

/*
 * is_current returns whether a row type is what it was.  The type cache clears
 * the number when it hears of a change.
 */
static inline bool
is_current(const ProtoType *type)
{
	return type->entry->tupDesc_identifier == type->state;
}

/*
 * proto_type_unchanged raises 55006 if the rows of a type have changed while
 * one of them was in hand.
 */
void
proto_type_unchanged(ProtoType *type)
{
	TupleDesc	now;

	if (likely(is_current(type)))
		return;
	/* it may have been a comment, or nothing */
	now = lookup_type_cache(type->typid, TYPECACHE_TUPDESC)->tupDesc;
	if (now == NULL || !equalTupleDescs(now, type->tupdesc))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("type %s has changed while a query was using it", format_type_be(type->typid))));
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
		attribute->array_domain = attribute->declared != attribute->typid ? attribute->declared : InvalidOid;
		attribute->declared = element;
		attribute->typid = getBaseTypeAndTypmod(element, &attribute->typmod);
	}
	read_tag(draft, tag, rowtype, att->attnotnull);
}

/*
 * proto_type_make returns a row type as a message, in a memory context, where
 * it stays, and counts its attributes.  Raises 42804 or 22023 for one that cannot be a message.
 */
static ProtoType *
proto_type_make(Oid typid, MemoryContext context, int *nio)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ProtoType  *type = palloc0(sizeof(ProtoType));
	int			ntags;
	Tagged	   *tags;
	Draft	   *drafts;
	int			n = 0;
	bool		tagged = false;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	/* what changes from here on makes it outdated */
	type->changes = type_changes;
	read_row_type(type, typid);
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
		if (drafts[i].attribute.number == drafts[i - 1].attribute.number)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("columns \"%s\" and \"%s\" of type %s are the same field, %u", drafts[i - 1].attribute.name,
							drafts[i].attribute.name, format_type_be(typid), drafts[i].attribute.number)));
	}
	type->noneofs = number_oneofs(drafts, n);

	type->attributes = palloc(sizeof(ProtoAttribute) * Max(n, 1));
	type->nattributes = n;
	for (int i = 0; i < n; i++)
	{
		type->attributes[i] = drafts[i].attribute;
		complete_attribute(&type->attributes[i], typid, context, nio);
		type->has_enums |= type->attributes[i].kind == PROTO_ENUM;
	}
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
	if (!is_current(type) || (type->has_enums && type->changes != type_changes))
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
 * forget removes a type, which goes at the end of the transaction.
 */
static void
forget(KnownType *known)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	outdated = lappend(outdated, known->context);
	proto_generation++;
	MemoryContextSwitchTo(old);
}

/*
 * sweep removes types that were dropped or changed, when there are twice as
 * many as after the last time: a session may make and drop any number of them.
 */
static void
sweep(void)
{
	HASH_SEQ_STATUS status;
	KnownType  *known;

	if (hash_get_num_entries(known_types) < sweep_at)
		return;
	hash_seq_init(&status, known_types);
	while ((known = hash_seq_search(&status)) != NULL)
	{
		if (all_current(known->type))
			continue;
		forget(known);
		hash_search(known_types, &known->typid, HASH_REMOVE, NULL);
	}
	sweep_at = Max(2 * hash_get_num_entries(known_types), 64);
}

/*
 * proto_type_get returns a row type as a message.  It stays until the end of
 * the transaction, and as long as the type does not change it is kept for the
 * session.  Raises what proto_type_make raises.
 */
static ProtoType *
proto_type_get(Oid typid)
{
	KnownType  *known;
	bool		found;
	MemoryContext context;
	ProtoType  *type;
	int			nio = 0;

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

	sweep();
	context = AllocSetContextCreate(CurrentMemoryContext, "corm proto type", ALLOCSET_SMALL_SIZES);
	type = proto_type_make(typid, context, &nio);
	type->nio = nio;
	/* from here on, only lack of memory is an error */
	known = hash_search(known_types, &typid, HASH_ENTER, &found);
	if (found)
		forget(known);
	MemoryContextSetParent(context, TopMemoryContext);
	known->context = context;
	known->type = type;
	return type;
}

/*
 * proto_call returns what a call site keeps, with an empty context for a row.
 * Raises 42804 if its first argument is no row.
 */
ProtoCall *
proto_call(FunctionCallInfo fcinfo)
{
	ProtoCall  *call = fcinfo->flinfo->fn_extra;
	Oid			declared;
	Oid			typid;

	if (call != NULL)
	{
		MemoryContextReset(call->row);
		return call;
	}
	declared = get_fn_expr_argtype(fcinfo->flinfo, 0);
	typid = getBaseType(declared);
	if (!type_is_rowtype(typid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s is not a row type", format_type_be(typid))));
	call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ProtoCall));
	call->context = fcinfo->flinfo->fn_mcxt;
	call->declared = declared;
	call->typid = typid;
	call->size = 64;
	call->row = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "corm proto row", ALLOCSET_DEFAULT_SIZES);
	fcinfo->flinfo->fn_extra = call;
	return call;
}

/*
 * proto_call_type is proto_type_get for a call site, which remembers it.
 */
ProtoType *
proto_call_type(ProtoCall *call, Oid typid)
{
	ProtoType  *type;

	if (call->type != NULL && call->generation == proto_generation && call->type->typid == typid && all_current(call->type))
		return call->type;
	call->type = NULL;
	if (call->io != NULL)
		pfree(call->io);
	call->io = NULL;
	type = proto_type_get(typid);
	call->io = MemoryContextAllocZero(call->context, sizeof(ProtoIO) * Max(type->nio, 1));
	call->generation = proto_generation;
	return call->type = type;
}

/*
 * proto_output returns a value as text, by the output function of its base type.
 */
char *
proto_output(ProtoCall *call, const ProtoAttribute *attribute, Datum value)
{
	FmgrInfo   *function = &call->io[attribute->io].output;

	if (function->fn_oid == InvalidOid)
		fmgr_info_cxt(attribute->output, function, call->context);
	return OutputFunctionCall(function, value);
}

/*
 * proto_input returns a text as a value of the base type.
 */
Datum
proto_input(ProtoCall *call, const ProtoAttribute *attribute, char *text)
{
	FmgrInfo   *function = &call->io[attribute->io].input;

	if (function->fn_oid == InvalidOid)
		fmgr_info_cxt(attribute->input, function, call->context);
	return InputFunctionCall(function, text, attribute->ioparam, attribute->typmod);
}

/*
 * proto_out_of_range raises 22003.
 */
void
proto_out_of_range(const ProtoAttribute *attribute)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value of field \"%s\" is out of range", attribute->name)));
}
