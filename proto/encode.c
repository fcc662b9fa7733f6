/*-------------------------------------------------------------------------
 *
 * encode.c
 *		corm.proto_encode: a row as a message of protocol buffers.
 *
 * Values are written to a buffer as they stand in the row, in the order of the
 * fields' numbers.  The buffer is the result.  The length of what has one, such
 * as a message within, is not known before it is written: a byte is left for it,
 * and if it needs more, what was written moves.
 *
 * All else that takes memory, such as values that are no longer compressed, is
 * in a context of the call site that is reset before the next row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "corm_proto.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* A message while it is written: a bytea without its length. */
typedef struct Out
{
	ProtoCall  *call;			/* that wants it */
	uint8	   *data;
	size_t		len;			/* with the head of a bytea */
	size_t		size;
} Out;

#define MAX_VARINT	10			/* bytes that one takes */

static void put_row(Out *out, ProtoType *type, HeapTupleHeader header);

/*
 * The wire
 */

/*
 * make_room makes room for so many more bytes.  Raises 54000 if a bytea cannot
 * have as many.
 */
static void
make_room(Out *out, size_t more)
{
	size_t		size = out->size;

	if (more > MaxAllocSize - out->len)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the message is too large"),
				 errdetail("It has more than %zu bytes.", MaxAllocSize - VARHDRSZ)));
	while (size < out->len + more)
		size *= 2;
	out->size = Min(size, MaxAllocSize);
	out->data = repalloc(out->data, out->size);
}

static inline void
reserve(Out *out, size_t more)
{
	if (unlikely(out->size - out->len < more))
		make_room(out, more);
}

/*
 * put_varint writes a number in as many bytes as it needs, for which there is
 * room.
 */
static inline void
put_varint(Out *out, uint64 number)
{
	uint8	   *at = out->data + out->len;

	while (number >= 0x80)
	{
		*at++ = (uint8) number | 0x80;
		number >>= 7;
	}
	*at++ = (uint8) number;
	out->len = at - out->data;
}

/*
 * put_fixed writes a number of 4 or 8 bytes, for which there is room.
 */
static inline void
put_fixed(Out *out, uint64 number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		out->data[out->len + i] = (uint8) (number >> (8 * i));
	out->len += bytes;
}

/*
 * put_tag writes what stands before a value, and reserves so many bytes for it.
 */
static inline void
put_tag(Out *out, const ProtoAttribute *attribute, size_t more)
{
	reserve(out, sizeof(attribute->tag) + more);
	memcpy(out->data + out->len, attribute->tag, sizeof(attribute->tag));
	out->len += attribute->tag_len;
}

/*
 * put_bytes writes bytes and how many they are.
 */
static void
put_bytes(Out *out, const ProtoAttribute *attribute, const char *data, size_t len)
{
	if (len == 0 && attribute->implicit)
		return;
	put_tag(out, attribute, MAX_VARINT + len);
	put_varint(out, len);
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

/*
 * open_length leaves a byte for the length of what follows, and close_length
 * puts it there.
 */
static size_t
open_length(Out *out)
{
	reserve(out, 1);
	return ++out->len;
}

static void
close_length(Out *out, size_t start)
{
	size_t		len = out->len - start;
	int			more = 0;

	for (size_t rest = len >> 7; rest > 0; rest >>= 7)
		more++;
	if (more > 0)
	{
		reserve(out, more);
		memmove(out->data + start + more, out->data + start, len);
	}
	out->len = start - 1;
	put_varint(out, len);
	out->len += len;
}

/*
 * Values
 */

/*
 * numeric_text returns a numeric as text without zeros after the point.
 */
static char *
numeric_text(Datum value)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, DirectFunctionCall1(numeric_trim_scale, value)));
}

/*
 * whole_of returns a number with a floating point as an integer, which it must
 * be.
 */
static int64
whole_of(const ProtoAttribute *attribute, double number)
{
	if (number != rint(number) || !FLOAT8_FITS_IN_INT64(number))
		proto_out_of_range(attribute);
	return (int64) number;
}

/*
 * integer_of returns a number as an integer between two bounds.
 */
static int64
integer_of(const ProtoAttribute *attribute, Datum value, int64 min, int64 max)
{
	int64		result;
	char	   *text;
	char	   *end;

	switch (attribute->typid)
	{
		case INT4OID:
			result = DatumGetInt32(value);
			break;
		case INT8OID:
			result = DatumGetInt64(value);
			break;
		case INT2OID:
			result = DatumGetInt16(value);
			break;
		case OIDOID:
			result = DatumGetObjectId(value);
			break;
		case FLOAT4OID:
			result = whole_of(attribute, DatumGetFloat4(value));
			break;
		case FLOAT8OID:
			result = whole_of(attribute, DatumGetFloat8(value));
			break;
		default:
			text = numeric_text(value);
			errno = 0;
			result = strtoll(text, &end, 10);
			if (errno != 0 || *end != '\0')
				proto_out_of_range(attribute);
			break;
	}
	if (result < min || result > max)
		proto_out_of_range(attribute);
	return result;
}

/*
 * unsigned_of returns a number as an unsigned integer of 64 bits.
 */
static uint64
unsigned_of(const ProtoAttribute *attribute, Datum value)
{
	char	   *text;
	char	   *end;
	uint64		result;

	if (attribute->typid != NUMERICOID)
		return integer_of(attribute, value, 0, PG_INT64_MAX);
	text = numeric_text(value);
	errno = 0;
	result = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || text[0] == '-')
		proto_out_of_range(attribute);
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
 * float_of returns a number as a shorter one, which may be infinite only if
 * the number is.
 */
static float
float_of(const ProtoAttribute *attribute, double number)
{
	float		result = (float) number;

	if (isinf(result) && !isinf(number))
		proto_out_of_range(attribute);
	return result;
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
 * bits_of returns a number as its bits on the wire.
 */
static inline uint64
bits_of(const ProtoAttribute *attribute, Datum value)
{
	int64		number;
	union
	{
		float		f;
		double		d;
		uint32		u32;
		uint64		u64;
	}			bits;

	switch (attribute->kind)
	{
		case PROTO_INT32:
		case PROTO_SFIXED32:
			return integer_of(attribute, value, PG_INT32_MIN, PG_INT32_MAX);
		case PROTO_SINT32:
			number = integer_of(attribute, value, PG_INT32_MIN, PG_INT32_MAX);
			return ((uint64) number << 1) ^ (uint64) (number >> 63);
		case PROTO_UINT32:
		case PROTO_FIXED32:
			return integer_of(attribute, value, 0, PG_UINT32_MAX);
		case PROTO_INT64:
		case PROTO_SFIXED64:
			return integer_of(attribute, value, PG_INT64_MIN, PG_INT64_MAX);
		case PROTO_SINT64:
			number = integer_of(attribute, value, PG_INT64_MIN, PG_INT64_MAX);
			return ((uint64) number << 1) ^ (uint64) (number >> 63);
		case PROTO_UINT64:
		case PROTO_FIXED64:
			return unsigned_of(attribute, value);
		case PROTO_FLOAT:
			bits.f = float_of(attribute, double_of(attribute, value));
			return bits.u32;
		case PROTO_DOUBLE:
			bits.d = double_of(attribute, value);
			return bits.u64;
		case PROTO_BOOL:
			return DatumGetBool(value);
		default:				/* PROTO_ENUM */
			return (int64) label_number(attribute, value);
	}
}

/*
 * put_bits writes the bits of a number, for which there is room.
 */
static inline void
put_bits(Out *out, WireType wire, uint64 bits)
{
	if (wire == WIRE_VARINT)
		put_varint(out, bits);
	else
		put_fixed(out, bits, wire == WIRE_64 ? 8 : 4);
}

/*
 * put_text writes a value as text in UTF-8.
 */
static void
put_text(Out *out, const ProtoAttribute *attribute, Datum value)
{
	char	   *text;
	size_t		len;
	char	   *converted;

	if (attribute->typid == TEXTOID || attribute->typid == VARCHAROID)
	{
		struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

		text = VARDATA_ANY(packed);
		len = VARSIZE_ANY_EXHDR(packed);
	}
	else
	{
		text = proto_output(out->call, attribute, value);
		len = strlen(text);
	}
	converted = pg_server_to_any(text, len, PG_UTF8);
	put_bytes(out, attribute, converted, converted == text ? len : strlen(converted));
}

/*
 * put_seconds writes a time or duration: a message of seconds and nanoseconds.
 */
static void
put_seconds(Out *out, const ProtoAttribute *attribute, Datum value)
{
	int64		seconds;
	int32		nanos;
	size_t		start;

	if (attribute->kind == PROTO_TIMESTAMP)
	{
		int64		microseconds = DatumGetTimestampTz(value);

		if (TIMESTAMP_NOT_FINITE(microseconds))
			proto_out_of_range(attribute);
		seconds = microseconds / USECS_PER_SEC;
		nanos = microseconds % USECS_PER_SEC * 1000;
		if (nanos < 0)
		{
			nanos += 1000000000;
			seconds--;
		}
		seconds += EPOCH_SECONDS;
	}
	else
	{
		Interval   *interval = DatumGetIntervalP(value);

		/* how long a month is depends on the month */
		if (interval->month != 0)
			proto_out_of_range(attribute);
		seconds = interval->time / USECS_PER_SEC + (int64) interval->day * SECS_PER_DAY;
		nanos = interval->time % USECS_PER_SEC * 1000;
		/* seconds and nanos have the same sign */
		if (seconds > 0 && nanos < 0)
		{
			seconds--;
			nanos += 1000000000;
		}
		else if (seconds < 0 && nanos > 0)
		{
			seconds++;
			nanos -= 1000000000;
		}
	}
	put_tag(out, attribute, 1 + 2 * (1 + MAX_VARINT));
	start = open_length(out);
	if (seconds != 0)
	{
		out->data[out->len++] = 1 << 3 | WIRE_VARINT;
		put_varint(out, seconds);
	}
	if (nanos != 0)
	{
		out->data[out->len++] = 2 << 3 | WIRE_VARINT;
		put_varint(out, (int64) nanos);
	}
	close_length(out, start);
}

/*
 * put_value writes a value that is not null, with its tag.
 */
static void
put_value(Out *out, const ProtoAttribute *attribute, Datum value)
{
	switch (attribute->kind)
	{
		case PROTO_STRING:
			put_text(out, attribute, value);
			break;
		case PROTO_BYTES:
			{
				bytea	   *packed = DatumGetByteaPP(value);

				put_bytes(out, attribute, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
				break;
			}
		case PROTO_MESSAGE:
			{
				HeapTupleHeader header = DatumGetHeapTupleHeader(value);
				size_t		start;

				proto_type_unchanged(attribute->message);
				put_tag(out, attribute, 1);
				start = open_length(out);
				put_row(out, attribute->message, header);
				close_length(out, start);
				break;
			}
		case PROTO_TIMESTAMP:
		case PROTO_DURATION:
			put_seconds(out, attribute, value);
			break;
		default:
			{
				uint64		bits = bits_of(attribute, value);

				if (bits == 0 && attribute->implicit)
					break;
				put_tag(out, attribute, MAX_VARINT);
				put_bits(out, attribute->wire, bits);
				break;
			}
	}
}

/*
 * put_array writes the elements of an array.
 */
static void
put_array(Out *out, const ProtoAttribute *attribute, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	size_t		start = 0;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("field \"%s\" is an array of %d dimensions, and a message has arrays of one",
						attribute->name, ARR_NDIM(array))));
	deconstruct_array(array, attribute->declared, attribute->typlen, attribute->typbyval, attribute->typalign,
					  &elements, &nulls, &n);
	if (n == 0)
		return;
	if (attribute->packed)
	{
		put_tag(out, attribute, 1);
		start = open_length(out);
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("an element of field \"%s\" is null, which a message cannot tell", attribute->name)));
		if (attribute->packed)
		{
			uint64		bits = bits_of(attribute, elements[i]);

			reserve(out, MAX_VARINT);
			put_bits(out, attribute->wire, bits);
		}
		else
			put_value(out, attribute, elements[i]);
	}
	if (attribute->packed)
		close_length(out, start);
}

/*
 * put_row writes the fields of a row.
 */
static void
put_row(Out *out, ProtoType *type, HeapTupleHeader header)
{
	int			natts = Max(type->tupdesc->natts, 1);
	Datum	   *values = palloc(natts * (sizeof(Datum) + sizeof(bool)));
	bool	   *nulls = (bool *) (values + natts);
	const ProtoAttribute **chosen = NULL;
	HeapTupleData tuple = {0};

	check_stack_depth();
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	heap_deform_tuple(&tuple, type->tupdesc, values, nulls);
	if (type->noneofs > 0)
		chosen = palloc0(sizeof(ProtoAttribute *) * type->noneofs);
	for (int i = 0; i < type->nattributes; i++)
	{
		ProtoAttribute *attribute = &type->attributes[i];

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
			put_array(out, attribute, values[attribute->index]);
			continue;
		}
		if (attribute->oneof >= 0)
		{
			if (chosen[attribute->oneof] != NULL)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						 errmsg("fields \"%s\" and \"%s\" of the same oneof are both given",
								chosen[attribute->oneof]->name, attribute->name)));
			chosen[attribute->oneof] = attribute;
		}
		put_value(out, attribute, values[attribute->index]);
	}
}

PG_FUNCTION_INFO_V1(corm_proto_encode);
Datum		corm_proto_encode(PG_FUNCTION_ARGS);

/*
 * corm_proto_encode is corm.proto_encode(rec anyelement).
 */
Datum
corm_proto_encode(PG_FUNCTION_ARGS)
{
	ProtoCall  *call = proto_call(fcinfo);
	MemoryContext old = CurrentMemoryContext;
	HeapTupleHeader header;
	Oid			typid;
	Out			out;

	/* as much as the last row of this call site needed, or twice that */
	out.call = call;
	out.size = call->size;
	out.len = VARHDRSZ;
	out.data = palloc(out.size);

	MemoryContextSwitchTo(call->row);
	header = PG_GETARG_HEAPTUPLEHEADER(0);
	typid = HeapTupleHeaderGetTypeId(header);
	if (typid == RECORDOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("an anonymous record is no message"),
				 errhint("Cast it to a composite type.")));
	put_row(&out, proto_call_type(call, typid), header);
	MemoryContextSwitchTo(old);

	call->size = Max(Min(out.len, 8192), 64);
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P(out.data);
}
