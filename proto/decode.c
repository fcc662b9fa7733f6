/*-------------------------------------------------------------------------
 *
 * decode.c
 *		corm.proto_decode: a message of protocol buffers as a row.
 *
 * The data is read once.  What a field has is remembered where it stands in the
 * data, since the same field may come again and the last one counts; elements of
 * arrays become values at once.  After the last byte, values are made, and a row
 * of them.
 *
 * A message within that comes several times is one: its parts are put together,
 * which means the same as their fields one after the other.
 *
 * Unknown fields are skipped.  What is damaged, or on the wire in another way
 * than the type says, is 22P03.  Texts are checked to be UTF-8 and converted to
 * the encoding of the database.  Values of domains are checked, also those that
 * are missing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "base/compat.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "corm_proto.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "wire.h"

/* What a message has of a field. */
typedef struct Slot
{
	Raw			raw;			/* the last one */
	bool		present;
	size_t		allocated;		/* of raw.data; 0 if it is part of the message */
	Datum	   *elements;		/* of a repeated field */
	int			n;
	int			allocated_elements;
} Slot;

static Datum decode_row(ProtoCall *call, ProtoType *type, const uint8 *data, size_t len, MemoryContext result);

/*
 * proto_wire_damaged raises 22P03 for data that is no message of a type, or no
 * set of descriptors.
 */
void
proto_wire_damaged(Oid typid)
{
	if (!OidIsValid(typid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("the data is no set of descriptors"),
				 errhint("protoc writes one with --descriptor_set_out.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("the data is no message of type %s", format_type_be(typid)),
			 errdetail("It is damaged, or a field is on the wire in another way than in this type.")));
}

/*
 * Values
 */

/*
 * numeric_datum returns a numeric of its text, by the attribute's precision.
 */
static Datum
numeric_datum(const ProtoAttribute *attribute, char *text)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(attribute->typmod));
}

/*
 * number_datum returns an integer as a value of an attribute's type.
 */
static Datum
number_datum(const ProtoAttribute *attribute, int64 number)
{
	switch (attribute->typid)
	{
		case INT4OID:
			if (number < PG_INT32_MIN || number > PG_INT32_MAX)
				proto_out_of_range(attribute);
			return Int32GetDatum(number);
		case INT8OID:
			return Int64GetDatum(number);
		case INT2OID:
			if (number < PG_INT16_MIN || number > PG_INT16_MAX)
				proto_out_of_range(attribute);
			return Int16GetDatum(number);
		case OIDOID:
			if (number < 0 || number > PG_UINT32_MAX)
				proto_out_of_range(attribute);
			return ObjectIdGetDatum(number);
		case FLOAT4OID:
			return Float4GetDatum((float4) number);
		case FLOAT8OID:
			return Float8GetDatum((float8) number);
		default:
			return numeric_datum(attribute, psprintf(INT64_FORMAT, number));
	}
}

/*
 * unsigned_datum does that for an unsigned one.
 */
static Datum
unsigned_datum(const ProtoAttribute *attribute, uint64 number)
{
	if (attribute->typid == NUMERICOID)
		return numeric_datum(attribute, psprintf(UINT64_FORMAT, number));
	if (number > PG_INT64_MAX)
		proto_out_of_range(attribute);
	return number_datum(attribute, number);
}

/*
 * double_datum does that for a number with a floating point.
 */
static Datum
double_datum(const ProtoAttribute *attribute, double number)
{
	Datum		value;

	switch (attribute->typid)
	{
		case FLOAT4OID:
			if (isinf((float4) number) && !isinf(number))
				proto_out_of_range(attribute);
			return Float4GetDatum((float4) number);
		case FLOAT8OID:
			return Float8GetDatum(number);
		case NUMERICOID:
			value = DirectFunctionCall1(float8_numeric, Float8GetDatum(number));
			return DirectFunctionCall2(numeric, value, Int32GetDatum(attribute->typmod));
		default:
			return number_datum(attribute, DatumGetInt64(DirectFunctionCall1(dtoi8, Float8GetDatum(number))));
	}
}

/*
 * text_datum returns a text in UTF-8 as a value of an attribute's base type, by
 * its input function.
 */
static Datum
text_datum(ProtoCall *call, const ProtoAttribute *attribute, const Raw *raw)
{
	const char *source = (const char *) raw->data;
	char	   *converted;
	size_t		len;

	/* PostgreSQL's texts end at a zero */
	if (memchr(source, '\0', raw->len) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("the text of field \"%s\" contains a zero", attribute->name)));
	converted = pg_any_to_server(source, raw->len, PG_UTF8);
	len = converted == source ? raw->len : strlen(converted);
	if (attribute->typid == TEXTOID)
		return PointerGetDatum(cstring_to_text_with_len(converted, len));
	return proto_input(call, attribute, pnstrdup(converted, len));
}

/*
 * bytes_datum returns bytes as bytea.
 */
static Datum
bytes_datum(const Raw *raw)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) raw->data, raw->len));
}

/*
 * label_of returns the label of a number, or NULL.
 */
static const ProtoLabel *
label_of(const ProtoAttribute *attribute, int number)
{
	for (int i = 0; i < attribute->nlabels; i++)
	{
		if (attribute->labels[i].number == number)
			return &attribute->labels[i];
	}
	return NULL;
}

/*
 * label_datum returns the label of a number.
 */
static Datum
label_datum(ProtoCall *call, const ProtoAttribute *attribute, int number)
{
	const ProtoLabel *label;

	if (attribute->typid == INT4OID)
		return Int32GetDatum(number);
	label = label_of(attribute, number);
	if (label == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("type %s has no label for number %d of field \"%s\"", format_type_be(attribute->typid), number,
						attribute->name)));
	/* a label of this transaction is not safe to use; its type refuses it */
	if (EnumUncommitted(label->oid))
		(void) proto_input(call, attribute, proto_output(call, attribute, ObjectIdGetDatum(label->oid)));
	return ObjectIdGetDatum(label->oid);
}

/*
 * seconds_datum returns a time or duration of a message of seconds and
 * nanoseconds.
 */
static Datum
seconds_datum(const ProtoAttribute *attribute, const ProtoType *type, const Raw *raw)
{
	In			in = {raw->data, raw->data + raw->len, type->typid};
	int64		seconds = 0;
	int32		nanos = 0;

	while (in.at < in.end)
	{
		WireType	wire;
		uint32		number = get_tag(&in, &wire);
		Raw			value;

		CHECK_FOR_INTERRUPTS();
		get_value(&in, wire, &value);
		if (number > 2)
			continue;
		if (wire != WIRE_VARINT)
			proto_wire_damaged(type->typid);
		if (number == 1)
			seconds = value.bits;
		else
			nanos = value.bits;
	}
	if (attribute->kind == PROTO_TIMESTAMP)
	{
		TimestampTz result;

		if (nanos < 0 || nanos > 999999999 || seconds < PG_INT64_MIN / 4 ||
			pg_mul_s64_overflow(seconds - EPOCH_SECONDS, USECS_PER_SEC, &result) ||
			pg_add_s64_overflow(result, nanos / 1000, &result) || !IS_VALID_TIMESTAMP(result))
			proto_out_of_range(attribute);
		if (attribute->typmod >= 0)
			return DirectFunctionCall2(timestamptz_scale, TimestampTzGetDatum(result), Int32GetDatum(attribute->typmod));
		return TimestampTzGetDatum(result);
	}
	else
	{
		Interval   *result = palloc0(sizeof(Interval));

		if (nanos < -999999999 || nanos > 999999999 ||
			pg_mul_s64_overflow(seconds, USECS_PER_SEC, &result->time) ||
			pg_add_s64_overflow(result->time, nanos / 1000, &result->time))
			proto_out_of_range(attribute);
		if (attribute->typmod >= 0)
			return DirectFunctionCall2(interval_scale, IntervalPGetDatum(result), Int32GetDatum(attribute->typmod));
		return IntervalPGetDatum(result);
	}
}

/*
 * checked applies the constraints of the domain that a value is of, if it is
 * one.
 */
static inline Datum
checked(ProtoCall *call, const ProtoAttribute *attribute, Datum value, bool isnull)
{
	if (attribute->declared != attribute->typid)
		domain_check(value, isnull, attribute->declared, &call->io[attribute->io].check, call->context);
	return value;
}

/*
 * value_of returns what stands on the wire as a value.
 */
static Datum
value_of(ProtoCall *call, const ProtoType *type, const ProtoAttribute *attribute, const Raw *raw)
{
	Datum		value;
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
			value = number_datum(attribute, (int32) raw->bits);
			break;
		case PROTO_SINT32:
			bits.u32 = raw->bits;
			value = number_datum(attribute, (int32) ((bits.u32 >> 1) ^ -(bits.u32 & 1)));
			break;
		case PROTO_UINT32:
		case PROTO_FIXED32:
			value = number_datum(attribute, (uint32) raw->bits);
			break;
		case PROTO_INT64:
		case PROTO_SFIXED64:
			value = number_datum(attribute, (int64) raw->bits);
			break;
		case PROTO_SINT64:
			value = number_datum(attribute, (int64) ((raw->bits >> 1) ^ -(raw->bits & 1)));
			break;
		case PROTO_UINT64:
		case PROTO_FIXED64:
			value = unsigned_datum(attribute, raw->bits);
			break;
		case PROTO_FLOAT:
			bits.u32 = raw->bits;
			value = double_datum(attribute, bits.f);
			break;
		case PROTO_DOUBLE:
			bits.u64 = raw->bits;
			value = double_datum(attribute, bits.d);
			break;
		case PROTO_BOOL:
			value = BoolGetDatum(raw->bits != 0);
			break;
		case PROTO_STRING:
			value = text_datum(call, attribute, raw);
			break;
		case PROTO_BYTES:
			value = bytes_datum(raw);
			break;
		case PROTO_ENUM:
			value = label_datum(call, attribute, (int32) raw->bits);
			break;
		case PROTO_MESSAGE:
			value = decode_row(call, attribute->message, raw->data, raw->len, CurrentMemoryContext);
			break;
		default:				/* PROTO_TIMESTAMP, PROTO_DURATION */
			value = seconds_datum(attribute, type, raw);
			break;
	}
	return checked(call, attribute, value, false);
}

/*
 * Fields
 */

/*
 * find_attribute returns the index of the attribute of a number, or -1.  It
 * looks first at the one where fields are expected to go on.
 */
static inline int
find_attribute(const ProtoType *type, uint32 number, int expected)
{
	int			low = 0;
	int			high = type->nattributes - 1;

	if (expected < type->nattributes && type->attributes[expected].number == number)
		return expected;
	while (low <= high)
	{
		int			middle = (low + high) / 2;

		if (type->attributes[middle].number == number)
			return middle;
		if (type->attributes[middle].number < number)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return -1;
}

/*
 * add_element adds a value to those of a repeated field.
 */
static void
add_element(ProtoCall *call, const ProtoType *type, const ProtoAttribute *attribute, Slot *slot, const Raw *raw)
{
	if (slot->n == slot->allocated_elements)
	{
		if (slot->n > (int) (MaxAllocSize / sizeof(Datum) / 2))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("field \"%s\" has too many elements", attribute->name)));
		slot->allocated_elements = Max(2 * slot->n, 8);
		if (slot->elements == NULL)
			slot->elements = palloc(sizeof(Datum) * slot->allocated_elements);
		else
			slot->elements = repalloc(slot->elements, sizeof(Datum) * slot->allocated_elements);
	}
	slot->elements[slot->n] = value_of(call, type, attribute, raw);
	slot->n++;
}

/*
 * add_packed adds those that stand together.
 */
static void
add_packed(ProtoCall *call, const ProtoType *type, const ProtoAttribute *attribute, Slot *slot, const Raw *raw)
{
	In			in = {raw->data, raw->data + raw->len, type->typid};

	while (in.at < in.end)
	{
		Raw			element;

		CHECK_FOR_INTERRUPTS();
		get_value(&in, attribute->wire, &element);
		add_element(call, type, attribute, slot, &element);
	}
}

/*
 * join_parts adds a part to a message within that has come before.
 */
static void
join_parts(Slot *slot, const Raw *raw)
{
	size_t		len = slot->raw.len + raw->len;

	if (slot->allocated < len)
	{
		size_t		size = 2 * len;
		uint8	   *data = MemoryContextAllocHuge(CurrentMemoryContext, size);

		memcpy(data, slot->raw.data, slot->raw.len);
		if (slot->allocated > 0)
			pfree((void *) slot->raw.data);
		slot->raw.data = data;
		slot->allocated = size;
	}
	memcpy((uint8 *) slot->raw.data + slot->raw.len, raw->data, raw->len);
	slot->raw.len = len;
}

/*
 * read_field reads a field of a known number.
 */
static inline void
read_field(ProtoCall *call, const ProtoType *type, Slot *slots, int *chosen, int i, WireType wire, In *in)
{
	const ProtoAttribute *attribute = &type->attributes[i];
	Slot	   *slot = &slots[i];
	Raw			raw = {0};

	get_value(in, wire, &raw);
	if (attribute->repeated)
	{
		if (wire == attribute->wire)
			add_element(call, type, attribute, slot, &raw);
		else if (wire == WIRE_BYTES)
			add_packed(call, type, attribute, slot, &raw);
		else
			proto_wire_damaged(type->typid);
		return;
	}
	if (wire != attribute->wire)
		proto_wire_damaged(type->typid);
	if (attribute->oneof >= 0 && chosen[attribute->oneof] != i)
	{
		/* the last one of them counts */
		if (chosen[attribute->oneof] >= 0)
			slots[chosen[attribute->oneof]].present = false;
		chosen[attribute->oneof] = i;
	}
	if (slot->present && (attribute->kind == PROTO_MESSAGE || attribute->kind == PROTO_TIMESTAMP ||
						  attribute->kind == PROTO_DURATION))
	{
		join_parts(slot, &raw);
		return;
	}
	slot->raw = raw;
	slot->allocated = 0;
	slot->present = true;
}

/*
 * is_null returns whether a field that is not repeated is null.  One that
 * cannot tell whether it is there has the zero of its type then.
 */
static inline bool
is_null(const ProtoAttribute *attribute, const Slot *slot)
{
	if (!slot->present && !attribute->implicit)
		return true;
	if (!attribute->implicit)
		return false;
	/* zero is no label of every enum */
	if (attribute->kind == PROTO_ENUM && (int32) slot->raw.bits == 0)
		return attribute->typid != INT4OID && label_of(attribute, 0) == NULL;
	/* neither is an empty text a value of every type */
	return attribute->kind == PROTO_STRING && slot->raw.len == 0 && attribute->typid != TEXTOID &&
		attribute->typid != VARCHAROID;
}

/*
 * array_of returns the elements of a repeated field.
 */
static Datum
array_of(ProtoCall *call, const ProtoAttribute *attribute, const Slot *slot)
{
	Datum		array = PointerGetDatum(construct_array(slot->elements, slot->n, attribute->declared, attribute->typlen,
														attribute->typbyval, attribute->typalign));

	if (OidIsValid(attribute->array_domain))
		domain_check(array, false, attribute->array_domain, &call->io[attribute->io].array_check,
					 call->context);
	return array;
}

/*
 * decode_row returns a message as a row of its type, in the memory context
 * result.
 */
static Datum
decode_row(ProtoCall *call, ProtoType *type, const uint8 *data, size_t len, MemoryContext result)
{
	static const Raw zero = {0, (const uint8 *) "", 0};
	In			in = {data, data + len, type->typid};
	int			natts = Max(type->tupdesc->natts, 1);
	Datum	   *values = palloc0(natts * (sizeof(Datum) + sizeof(bool)));
	bool	   *nulls = (bool *) (values + natts);
	Slot	   *slots = palloc0(sizeof(Slot) * Max(type->nattributes, 1));
	int		   *chosen = NULL;
	int			expected = 0;
	MemoryContext old;
	HeapTuple	tuple;

	check_stack_depth();
	if (type->noneofs > 0)
	{
		chosen = palloc(sizeof(int) * type->noneofs);
		for (int i = 0; i < type->noneofs; i++)
			chosen[i] = -1;
	}
	while (in.at < in.end)
	{
		WireType	wire;
		uint32		number = get_tag(&in, &wire);
		int			i = find_attribute(type, number, expected);

		CHECK_FOR_INTERRUPTS();
		if (i < 0)
		{
			Raw			unknown;

			get_value(&in, wire, &unknown);
			continue;
		}
		read_field(call, type, slots, chosen, i, wire, &in);
		/* elements of an array follow one another */
		expected = type->attributes[i].repeated && !type->attributes[i].packed ? i : i + 1;
	}

	memset(nulls, true, natts);
	for (int i = 0; i < type->nattributes; i++)
	{
		const ProtoAttribute *attribute = &type->attributes[i];
		const Slot *slot = &slots[i];

		if (attribute->repeated)
			values[attribute->index] = array_of(call, attribute, slot);
		else if (is_null(attribute, slot))
		{
			if (attribute->required)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						 errmsg("the data is no message of type %s", format_type_be(type->typid)),
						 errdetail("The required field \"%s\" is missing.", attribute->name)));
			(void) checked(call, attribute, (Datum) 0, true);
			continue;
		}
		else
			values[attribute->index] = value_of(call, type, attribute, slot->present ? &slot->raw : &zero);
		nulls[attribute->index] = false;
	}
	/* what was called, such as a domain's check, may have changed the type */
	proto_type_unchanged(type);
	old = MemoryContextSwitchTo(result);
	tuple = heap_form_tuple(type->tupdesc, values, nulls);
	MemoryContextSwitchTo(old);
	return HeapTupleGetDatum(tuple);
}

PG_FUNCTION_INFO_V1(corm_proto_decode);
Datum		corm_proto_decode(PG_FUNCTION_ARGS);

/*
 * corm_proto_decode is corm.proto_decode(t anyelement, data bytea).
 */
Datum
corm_proto_decode(PG_FUNCTION_ARGS)
{
	ProtoCall  *call = proto_call(fcinfo);
	MemoryContext old;
	bytea	   *data;
	Datum		row;

	if (call->typid == RECORDOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a message is decoded to a row type with a name"),
				 errhint("Give a value of that type, such as NULL::users.")));
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	old = MemoryContextSwitchTo(call->row);
	data = PG_GETARG_BYTEA_PP(1);
	row = decode_row(call, proto_call_type(call, call->typid), (const uint8 *) VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data),
					 old);
	if (call->declared != call->typid)
		domain_check(row, false, call->declared, &call->check, call->context);
	MemoryContextSwitchTo(old);
	PG_RETURN_DATUM(row);
}
