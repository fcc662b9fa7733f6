/*-------------------------------------------------------------------------
 *
 * wire.h
 *		The wire format of protocol buffers, as it is read.
 *
 * Nothing is believed of the data: each length is checked against what is left.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_PROTO_WIRE_H
#define CORM_PROTO_WIRE_H

#include "postgres.h"

#include "corm_proto.h"

/* What is left of a message. */
typedef struct In
{
	const uint8 *at;
	const uint8 *end;
	Oid			typid;			/* what it is of, for errors; InvalidOid: descriptors */
} In;

/* A value on the wire: bits of a number, or bytes. */
typedef struct Raw
{
	uint64		bits;
	const uint8 *data;
	size_t		len;
} Raw;

/* decode.c */
extern void proto_wire_damaged(Oid typid) pg_attribute_noreturn();

/*
 * get_varint reads a number of up to 10 bytes.  Bits beyond 64 are ignored.
 */
static inline uint64
get_varint(In *in)
{
	uint64		result = 0;

	if (likely(in->at < in->end && *in->at < 0x80))
		return *in->at++;
	for (int shift = 0; shift < 70; shift += 7)
	{
		uint8		byte;

		if (in->at == in->end)
			break;
		byte = *in->at++;
		result |= (uint64) (byte & 0x7f) << shift;
		if (byte < 0x80)
			return result;
	}
	proto_wire_damaged(in->typid);
}

/*
 * get_value reads a value.
 */
static inline void
get_value(In *in, WireType wire, Raw *raw)
{
	size_t		left;
	int			bytes;

	switch (wire)
	{
		case WIRE_VARINT:
			raw->bits = get_varint(in);
			return;
		case WIRE_BYTES:
			{
				uint64		len = get_varint(in);

				if (len > (uint64) (in->end - in->at))
					proto_wire_damaged(in->typid);
				raw->data = in->at;
				raw->len = len;
				in->at += len;
				return;
			}
		case WIRE_64:
			bytes = 8;
			break;
		case WIRE_32:
			bytes = 4;
			break;
		default:
			/* groups, which are gone, and what has never been */
			proto_wire_damaged(in->typid);
	}
	left = in->end - in->at;
	if (left < bytes)
		proto_wire_damaged(in->typid);
	raw->bits = 0;
	for (int i = 0; i < bytes; i++)
		raw->bits |= (uint64) in->at[i] << (8 * i);
	in->at += bytes;
}

/*
 * get_tag reads what stands before a value: returns the number of its field.
 */
static inline uint32
get_tag(In *in, WireType *wire)
{
	uint64		tag = get_varint(in);

	if (tag < 1 << 3 || tag > PG_UINT32_MAX)
		proto_wire_damaged(in->typid);
	*wire = tag & 7;
	return tag >> 3;
}

#endif							/* CORM_PROTO_WIRE_H */
