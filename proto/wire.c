/*-------------------------------------------------------------------------
 *
 * wire.c
 *		corm.proto_encode and corm.proto_decode.
 *
 * A row is turned into the struct that the type's descriptor describes, which
 * protobuf-c packs; and back.  The struct and all that belongs to it is in a
 * memory context of the call site that is reset after each row.
 *
 * protobuf-c checks the wire format: lengths, wire types, numbers.  Unknown
 * fields are skipped.  What it refuses is 22P03.  Texts are checked to be UTF-8
 * and converted to the encoding of the database.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "corm_proto.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

PG_MODULE_MAGIC;

/* Seconds from 1970 to 2000. */
#define EPOCH_SECONDS	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

static HeapTuple decode_message(ProtoType *type, const ProtobufCMessage *message, MemoryContext result);
static ProtobufCMessage *encode_row(ProtoType *type, HeapTupleHeader header);

/*
 * Memory for protobuf-c
 */

static void *
allocate(void *data, size_t size)
{
	return MemoryContextAllocExtended((MemoryContext) data, Max(size, 1), MCXT_ALLOC_HUGE);
}

static void
release(void *data, void *pointer)
{
	/* all of it goes with the context */
}

/* What a call site keeps. */
typedef struct CallSite
{
	Oid			typid;			/* of its argument, which has been checked */
	MemoryContext row;			/* for one row */
} CallSite;

/*
 * call_site returns what a call site keeps, with an empty context for a row.
 * Raises 42804 if its first argument is no row.
 */
static CallSite *
call_site(FunctionCallInfo fcinfo)
{
	CallSite   *site = fcinfo->flinfo->fn_extra;
	Oid			typid;

	if (site != NULL)
	{
		MemoryContextReset(site->row);
		return site;
	}
	typid = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, 0));
	if (!type_is_rowtype(typid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s is not a row type", format_type_be(typid))));
	site = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(CallSite));
	site->typid = typid;
	site->row = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "corm proto row", ALLOCSET_DEFAULT_SIZES);
	fcinfo->flinfo->fn_extra = site;
	return site;
}

/*
 * current_message returns the message that an attribute is made of.  Raises
 * 55006 if its row type has changed while a row of it was in hand.
 */
static ProtoType *
current_message(const ProtoAttribute *attribute)
{
	if (!proto_type_is_current(attribute->message))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("type %s has changed while a query was using it", format_type_be(attribute->message->typid))));
	return attribute->message;
}

/*
 * Encoding
 */

/*
 * out_of_range raises 22003.
 */
static void
out_of_range(const ProtoAttribute *attribute)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value of field \"%s\" is out of range", attribute->name)));
}

/*
 * integer_of returns a number as an integer between two bounds.
 */
static int64
integer_of(const ProtoAttribute *attribute, Datum value, int64 min, int64 max)
{
	int64		result;

	switch (attribute->typid)
	{
		case INT2OID:
			result = DatumGetInt16(value);
			break;
		case INT4OID:
			result = DatumGetInt32(value);
			break;
		case INT8OID:
			result = DatumGetInt64(value);
			break;
		case OIDOID:
			result = DatumGetObjectId(value);
			break;
		case FLOAT4OID:
			result = DatumGetInt64(DirectFunctionCall1(ftoi8, value));
			break;
		case FLOAT8OID:
			result = DatumGetInt64(DirectFunctionCall1(dtoi8, value));
			break;
		default:
			result = DatumGetInt64(DirectFunctionCall1(numeric_int8, value));
			break;
	}
	if (result < min || result > max)
		out_of_range(attribute);
	return result;
}

/*
 * unsigned_of returns a number as an unsigned integer of 64 bits.
 */
static uint64
unsigned_of(ProtoAttribute *attribute, Datum value)
{
	char	   *text;
	char	   *end;
	uint64		result;

	if (attribute->typid != NUMERICOID)
		return integer_of(attribute, value, 0, PG_INT64_MAX);
	text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	errno = 0;
	result = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || text[0] == '-')
		out_of_range(attribute);
	return result;
}

/*
 * double_of returns a number as one with a floating point.
 */
static double
double_of(const ProtoAttribute *attribute, Datum value)
{
	switch (attribute->typid)
	{
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case NUMERICOID:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));
		default:
			return (double) integer_of(attribute, value, PG_INT64_MIN, PG_INT64_MAX);
	}
}

/*
 * text_of sets bytes to a value as text in UTF-8.
 */
static void
text_of(ProtoAttribute *attribute, Datum value, ProtobufCBinaryData *bytes)
{
	char	   *text;
	size_t		len;
	char	   *converted;

	if (attribute->typid == TEXTOID || attribute->typid == VARCHAROID)
	{
		text = VARDATA_ANY(DatumGetPointer(value));
		len = VARSIZE_ANY_EXHDR(DatumGetPointer(value));
	}
	else
	{
		text = OutputFunctionCall(&attribute->convert, value);
		len = strlen(text);
	}
	converted = pg_server_to_any(text, len, PG_UTF8);
	bytes->data = (uint8_t *) converted;
	bytes->len = converted == text ? len : strlen(converted);
}

/*
 * label_number returns the number of a label.
 */
static int
label_number(const ProtoAttribute *attribute, Datum value)
{
	if (attribute->typid == INT4OID)
		return DatumGetInt32(value);
	for (int i = 0; i < attribute->nlabels; i++)
	{
		if (attribute->labels[i].oid == DatumGetObjectId(value) && attribute->labels[i].number != PG_INT32_MIN)
			return attribute->labels[i].number;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("a label of type %s has no number", format_type_be(attribute->typid)),
			 errdetail("It is the value of field \"%s\".", attribute->name),
			 errhint("Register the descriptors again, with the enum as it is now.")));
}

/*
 * seconds_of returns a time or duration as a message.
 */
static ProtobufCMessage *
seconds_of(const ProtoAttribute *attribute, Datum value)
{
	ProtoSeconds *result = palloc0(sizeof(ProtoSeconds));
	int64		microseconds;

	result->base.descriptor = proto_seconds_descriptor();
	if (attribute->kind == PROTO_TIMESTAMP)
	{
		microseconds = DatumGetTimestampTz(value);
		if (TIMESTAMP_NOT_FINITE(microseconds))
			out_of_range(attribute);
		result->seconds = microseconds / USECS_PER_SEC;
		result->nanos = microseconds % USECS_PER_SEC * 1000;
		if (result->nanos < 0)
		{
			result->nanos += 1000000000;
			result->seconds--;
		}
		result->seconds += EPOCH_SECONDS;
	}
	else
	{
		Interval   *interval = DatumGetIntervalP(value);

		/* how long a month is depends on the month */
		if (interval->month != 0)
			out_of_range(attribute);
		result->seconds = interval->time / USECS_PER_SEC + (int64) interval->day * SECS_PER_DAY;
		result->nanos = interval->time % USECS_PER_SEC * 1000;
		/* seconds and nanos have the same sign */
		if (result->seconds > 0 && result->nanos < 0)
		{
			result->seconds--;
			result->nanos += 1000000000;
		}
		else if (result->seconds < 0 && result->nanos > 0)
		{
			result->seconds++;
			result->nanos -= 1000000000;
		}
	}
	return &result->base;
}

/*
 * value_size returns how many bytes a value takes in a struct, and in an array
 * of repeated ones.
 */
static size_t
value_size(ProtobufCType type)
{
	switch (type)
	{
		case PROTOBUF_C_TYPE_BOOL:
			return sizeof(protobuf_c_boolean);
		case PROTOBUF_C_TYPE_INT64:
		case PROTOBUF_C_TYPE_SINT64:
		case PROTOBUF_C_TYPE_SFIXED64:
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_FIXED64:
		case PROTOBUF_C_TYPE_DOUBLE:
			return 8;
		case PROTOBUF_C_TYPE_BYTES:
			return sizeof(ProtobufCBinaryData);
		case PROTOBUF_C_TYPE_MESSAGE:
			return sizeof(ProtobufCMessage *);
		default:
			return 4;
	}
}

/*
 * encode_value stores a value that is not null at its place.
 */
static void
encode_value(ProtoAttribute *attribute, Datum value, void *place)
{
	switch (attribute->kind)
	{
		case PROTO_INT32:
		case PROTO_SINT32:
		case PROTO_SFIXED32:
			*(int32_t *) place = integer_of(attribute, value, PG_INT32_MIN, PG_INT32_MAX);
			break;
		case PROTO_UINT32:
		case PROTO_FIXED32:
			*(uint32_t *) place = integer_of(attribute, value, 0, PG_UINT32_MAX);
			break;
		case PROTO_INT64:
		case PROTO_SINT64:
		case PROTO_SFIXED64:
			*(int64_t *) place = integer_of(attribute, value, PG_INT64_MIN, PG_INT64_MAX);
			break;
		case PROTO_UINT64:
		case PROTO_FIXED64:
			*(uint64_t *) place = unsigned_of(attribute, value);
			break;
		case PROTO_FLOAT:
			*(float *) place = double_of(attribute, value);
			break;
		case PROTO_DOUBLE:
			*(double *) place = double_of(attribute, value);
			break;
		case PROTO_BOOL:
			*(protobuf_c_boolean *) place = DatumGetBool(value);
			break;
		case PROTO_STRING:
			if (attribute->typlen == -1)
				value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
			text_of(attribute, value, place);
			break;
		case PROTO_BYTES:
			value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
			((ProtobufCBinaryData *) place)->data = (uint8_t *) VARDATA_ANY(DatumGetPointer(value));
			((ProtobufCBinaryData *) place)->len = VARSIZE_ANY_EXHDR(DatumGetPointer(value));
			break;
		case PROTO_ENUM:
			*(int32_t *) place = label_number(attribute, value);
			break;
		case PROTO_MESSAGE:
			*(ProtobufCMessage **) place = encode_row(current_message(attribute), DatumGetHeapTupleHeader(value));
			break;
		case PROTO_TIMESTAMP:
		case PROTO_DURATION:
			*(ProtobufCMessage **) place = seconds_of(attribute, value);
			break;
	}
}

/*
 * encode_array stores the elements of an array.
 */
static void
encode_array(ProtoAttribute *attribute, Datum value, char *message)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	size_t		size = value_size(attribute->field->type);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	char	   *places;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("field \"%s\" is an array of %d dimensions, and a message has arrays of one",
						attribute->name, ARR_NDIM(array))));
	deconstruct_array(array, attribute->declared, attribute->typlen, attribute->typbyval, attribute->typalign,
					  &elements, &nulls, &n);
	places = palloc0(size * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("an element of field \"%s\" is null, which a message cannot tell", attribute->name)));
		encode_value(attribute, elements[i], places + size * i);
	}
	*(size_t *) (message + attribute->field->quantifier_offset) = n;
	*(char **) (message + attribute->field->offset) = places;
}

/*
 * encode_row returns a row as a struct, in the current memory context.
 */
static ProtobufCMessage *
encode_row(ProtoType *type, HeapTupleHeader header)
{
	char	   *message = palloc0(type->descriptor.sizeof_message);
	Datum	   *values = palloc(sizeof(Datum) * Max(type->tupdesc->natts, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(type->tupdesc->natts, 1));
	HeapTupleData tuple = {0};

	check_stack_depth();
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	heap_deform_tuple(&tuple, type->tupdesc, values, nulls);
	((ProtobufCMessage *) message)->descriptor = &type->descriptor;
	for (int i = 0; i < type->nattributes; i++)
	{
		ProtoAttribute *attribute = &type->attributes[i];
		const ProtobufCFieldDescriptor *field = attribute->field;

		if (nulls[attribute->index])
		{
			if (attribute->required)
				ereport(ERROR,
						(errcode(ERRCODE_NOT_NULL_VIOLATION),
						 errmsg("required field \"%s\" is null", attribute->name)));
			continue;
		}
		if (attribute->repeated)
		{
			encode_array(attribute, values[attribute->index], message);
			continue;
		}
		if (attribute->oneof)
		{
			uint32_t   *which = (uint32_t *) (message + field->quantifier_offset);

			if (*which != 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						 errmsg("field \"%s\" and another one of the same oneof are both given", attribute->name)));
			*which = field->id;
		}
		else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_MESSAGE)
			*(protobuf_c_boolean *) (message + field->quantifier_offset) = true;
		encode_value(attribute, values[attribute->index], message + field->offset);
	}
	return (ProtobufCMessage *) message;
}

PG_FUNCTION_INFO_V1(corm_proto_encode);
Datum		corm_proto_encode(PG_FUNCTION_ARGS);

/*
 * corm_proto_encode is corm.proto_encode(rec anyelement).
 */
Datum
corm_proto_encode(PG_FUNCTION_ARGS)
{
	CallSite   *site = call_site(fcinfo);
	MemoryContext old = MemoryContextSwitchTo(site->row);
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	Oid			typid = HeapTupleHeaderGetTypeId(header);
	ProtobufCMessage *message;
	size_t		size;
	bytea	   *result;

	if (typid == RECORDOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("an anonymous record is no message"),
				 errhint("Cast it to a composite type.")));
	message = encode_row(proto_type_get(typid), header);
	size = protobuf_c_message_get_packed_size(message);
	MemoryContextSwitchTo(old);

	if (size > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the message of %zu bytes is too large", size)));
	result = palloc(size + VARHDRSZ);
	SET_VARSIZE(result, size + VARHDRSZ);
	protobuf_c_message_pack(message, (uint8_t *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}

/*
 * Decoding
 */

/*
 * number_datum returns an integer as a value of an attribute's type.
 */
static Datum
number_datum(const ProtoAttribute *attribute, int64 number)
{
	switch (attribute->typid)
	{
		case INT2OID:
			if (number < PG_INT16_MIN || number > PG_INT16_MAX)
				out_of_range(attribute);
			return Int16GetDatum(number);
		case INT4OID:
			if (number < PG_INT32_MIN || number > PG_INT32_MAX)
				out_of_range(attribute);
			return Int32GetDatum(number);
		case INT8OID:
			return Int64GetDatum(number);
		case OIDOID:
			if (number < 0 || number > PG_UINT32_MAX)
				out_of_range(attribute);
			return ObjectIdGetDatum(number);
		case FLOAT4OID:
			return Float4GetDatum((float4) number);
		case FLOAT8OID:
			return Float8GetDatum((float8) number);
		default:
			return DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf(INT64_FORMAT, number)),
									   ObjectIdGetDatum(InvalidOid), Int32GetDatum(attribute->typmod));
	}
}

/*
 * unsigned_datum does that for an unsigned one.
 */
static Datum
unsigned_datum(const ProtoAttribute *attribute, uint64 number)
{
	if (attribute->typid == NUMERICOID)
		return DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf(UINT64_FORMAT, number)),
								   ObjectIdGetDatum(InvalidOid), Int32GetDatum(attribute->typmod));
	if (number > PG_INT64_MAX)
		out_of_range(attribute);
	return number_datum(attribute, number);
}

/*
 * double_datum does that for a number with a floating point.
 */
static Datum
double_datum(const ProtoAttribute *attribute, double number)
{
	switch (attribute->typid)
	{
		case FLOAT4OID:
			return Float4GetDatum((float4) number);
		case FLOAT8OID:
			return Float8GetDatum(number);
		case NUMERICOID:
			return DirectFunctionCall1(float8_numeric, Float8GetDatum(number));
		default:
			return number_datum(attribute, DatumGetInt64(DirectFunctionCall1(dtoi8, Float8GetDatum(number))));
	}
}

/*
 * text_datum returns a text in UTF-8 as a value of an attribute's type, by its
 * input function.
 */
static Datum
text_datum(ProtoAttribute *attribute, const ProtobufCBinaryData *bytes)
{
	char	   *text = palloc(bytes->len + 1);
	char	   *converted;

	memcpy(text, bytes->data, bytes->len);
	text[bytes->len] = '\0';
	/* PostgreSQL's texts end at a zero */
	if (strlen(text) != bytes->len)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("the text of field \"%s\" contains a zero", attribute->name)));
	converted = pg_any_to_server(text, bytes->len, PG_UTF8);
	if (attribute->typid == TEXTOID && attribute->declared == TEXTOID)
		return CStringGetTextDatum(converted);
	return InputFunctionCall(&attribute->input, converted, attribute->ioparam, attribute->typmod);
}

/*
 * label_datum returns the label of a number.
 */
static Datum
label_datum(const ProtoAttribute *attribute, int number)
{
	if (attribute->typid == INT4OID)
		return Int32GetDatum(number);
	for (int i = 0; i < attribute->nlabels; i++)
	{
		if (attribute->labels[i].number == number)
			return ObjectIdGetDatum(attribute->labels[i].oid);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("type %s has no label for number %d of field \"%s\"", format_type_be(attribute->typid), number,
					attribute->name)));
}

/*
 * seconds_datum returns a time or duration.
 */
static Datum
seconds_datum(const ProtoAttribute *attribute, const ProtoSeconds *message)
{
	int64		seconds = message->seconds;

	if (attribute->kind == PROTO_TIMESTAMP)
	{
		TimestampTz result;

		if (message->nanos < 0 || message->nanos > 999999999 || seconds < PG_INT64_MIN / 4 ||
			pg_mul_s64_overflow(seconds - EPOCH_SECONDS, USECS_PER_SEC, &result) ||
			pg_add_s64_overflow(result, message->nanos / 1000, &result) || !IS_VALID_TIMESTAMP(result))
			out_of_range(attribute);
		return TimestampTzGetDatum(result);
	}
	else
	{
		Interval   *result = palloc0(sizeof(Interval));

		if (message->nanos < -999999999 || message->nanos > 999999999 ||
			pg_mul_s64_overflow(seconds, USECS_PER_SEC, &result->time) ||
			pg_add_s64_overflow(result->time, message->nanos / 1000, &result->time))
			out_of_range(attribute);
		return IntervalPGetDatum(result);
	}
}

/*
 * decode_value returns the value at a place.
 */
static Datum
decode_value(ProtoAttribute *attribute, const void *place)
{
	switch (attribute->kind)
	{
		case PROTO_INT32:
		case PROTO_SINT32:
		case PROTO_SFIXED32:
			return number_datum(attribute, *(const int32_t *) place);
		case PROTO_UINT32:
		case PROTO_FIXED32:
			return number_datum(attribute, *(const uint32_t *) place);
		case PROTO_INT64:
		case PROTO_SINT64:
		case PROTO_SFIXED64:
			return number_datum(attribute, *(const int64_t *) place);
		case PROTO_UINT64:
		case PROTO_FIXED64:
			return unsigned_datum(attribute, *(const uint64_t *) place);
		case PROTO_FLOAT:
			return double_datum(attribute, *(const float *) place);
		case PROTO_DOUBLE:
			return double_datum(attribute, *(const double *) place);
		case PROTO_BOOL:
			return BoolGetDatum(*(const protobuf_c_boolean *) place != 0);
		case PROTO_STRING:
			return text_datum(attribute, place);
		case PROTO_BYTES:
			{
				const ProtobufCBinaryData *bytes = place;
				bytea	   *result = palloc(bytes->len + VARHDRSZ);

				SET_VARSIZE(result, bytes->len + VARHDRSZ);
				memcpy(VARDATA(result), bytes->data, bytes->len);
				return PointerGetDatum(result);
			}
		case PROTO_ENUM:
			return label_datum(attribute, *(const int32_t *) place);
		case PROTO_MESSAGE:
			return HeapTupleGetDatum(decode_message(current_message(attribute), *(ProtobufCMessage *const *) place,
													CurrentMemoryContext));
		case PROTO_TIMESTAMP:
		case PROTO_DURATION:
			return seconds_datum(attribute, *(ProtoSeconds *const *) place);
	}
	pg_unreachable();
}

/*
 * checked applies the constraints of the domain that a value is of, if it is
 * one.
 */
static Datum
checked(ProtoAttribute *attribute, Datum value)
{
	if (attribute->declared == attribute->typid || attribute->kind == PROTO_STRING)
		return value;
	return InputFunctionCall(&attribute->input, OutputFunctionCall(&attribute->convert, value), attribute->ioparam,
							 attribute->typmod);
}

/*
 * decode_array returns the elements of a repeated field as an array.
 */
static Datum
decode_array(ProtoAttribute *attribute, const char *message)
{
	size_t		n = *(const size_t *) (message + attribute->field->quantifier_offset);
	const char *places = *(char *const *) (message + attribute->field->offset);
	size_t		size = value_size(attribute->field->type);
	Datum	   *elements;

	if (n > MaxAllocSize / sizeof(Datum))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("field \"%s\" has too many elements", attribute->name)));
	elements = palloc(sizeof(Datum) * Max(n, 1));
	for (size_t i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		elements[i] = checked(attribute, decode_value(attribute, places + size * i));
	}
	return PointerGetDatum(construct_array(elements, n, attribute->declared, attribute->typlen, attribute->typbyval,
										   attribute->typalign));
}

/*
 * is_missing returns whether a field is not there, so that its value is null.
 * One that cannot tell has the zero of its type then; without a message,
 * there is none.
 */
static bool
is_missing(const ProtoAttribute *attribute, const char *message)
{
	const ProtobufCFieldDescriptor *field = attribute->field;

	if (attribute->oneof)
		return *(const uint32_t *) (message + field->quantifier_offset) != field->id;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(ProtobufCMessage *const *) (message + field->offset) == NULL;
	if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
		return !*(const protobuf_c_boolean *) (message + field->quantifier_offset);
	/* zero is no label of every enum */
	if (attribute->kind == PROTO_ENUM && attribute->typid != INT4OID && *(const int32_t *) (message + field->offset) == 0)
	{
		for (int i = 0; i < attribute->nlabels; i++)
		{
			if (attribute->labels[i].number == 0)
				return false;
		}
		return true;
	}
	/* neither is an empty text a value of every type */
	return attribute->kind == PROTO_STRING && attribute->typid != TEXTOID && attribute->typid != VARCHAROID &&
		((const ProtobufCBinaryData *) (message + field->offset))->len == 0;
}

/*
 * decode_message returns a struct as a row of its type, in the memory context
 * result.
 */
static HeapTuple
decode_message(ProtoType *type, const ProtobufCMessage *message, MemoryContext result)
{
	MemoryContext old;
	HeapTuple	tuple;
	Datum	   *values = palloc0(sizeof(Datum) * Max(type->tupdesc->natts, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(type->tupdesc->natts, 1));
	const char *places = (const char *) message;

	check_stack_depth();
	memset(nulls, true, sizeof(bool) * type->tupdesc->natts);
	for (int i = 0; i < type->nattributes; i++)
	{
		ProtoAttribute *attribute = &type->attributes[i];

		if (attribute->repeated)
			values[attribute->index] = decode_array(attribute, places);
		else if (is_missing(attribute, places))
			continue;
		else
			values[attribute->index] = checked(attribute, decode_value(attribute, places + attribute->field->offset));
		nulls[attribute->index] = false;
	}
	old = MemoryContextSwitchTo(result);
	tuple = heap_form_tuple(type->tupdesc, values, nulls);
	MemoryContextSwitchTo(old);
	return tuple;
}

PG_FUNCTION_INFO_V1(corm_proto_decode);
Datum		corm_proto_decode(PG_FUNCTION_ARGS);

/*
 * corm_proto_decode is corm.proto_decode(t anyelement, data bytea).
 */
Datum
corm_proto_decode(PG_FUNCTION_ARGS)
{
	CallSite   *site = call_site(fcinfo);
	MemoryContext old;
	ProtoType  *type;
	bytea	   *data;
	ProtobufCAllocator allocator = {allocate, release, site->row};
	ProtobufCMessage *message;
	HeapTuple	row;

	if (site->typid == RECORDOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a message is decoded to a row type with a name"),
				 errhint("Give a value of that type, such as NULL::users.")));
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	old = MemoryContextSwitchTo(site->row);
	type = proto_type_get(site->typid);
	data = PG_GETARG_BYTEA_PP(1);
	message = protobuf_c_message_unpack(&type->descriptor, &allocator, VARSIZE_ANY_EXHDR(data),
										(const uint8_t *) VARDATA_ANY(data));
	if (message == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("the data is no message of type %s", format_type_be(site->typid)),
				 errdetail("It is damaged, or a field is on the wire in another way than in this type.")));
	row = decode_message(type, message, old);
	MemoryContextSwitchTo(old);
	PG_RETURN_DATUM(HeapTupleGetDatum(row));
}
