/*-------------------------------------------------------------------------
 *
 * corm_proto.h
 *		What the files of the extension share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_PROTO_H
#define CORM_PROTO_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include <protobuf-c/protobuf-c.h>

/* What a field is on the wire. */
typedef enum ProtoKind
{
	PROTO_INT32,
	PROTO_SINT32,
	PROTO_SFIXED32,
	PROTO_UINT32,
	PROTO_FIXED32,
	PROTO_INT64,
	PROTO_SINT64,
	PROTO_SFIXED64,
	PROTO_UINT64,
	PROTO_FIXED64,
	PROTO_FLOAT,
	PROTO_DOUBLE,
	PROTO_BOOL,
	PROTO_STRING,
	PROTO_BYTES,
	PROTO_ENUM,
	PROTO_MESSAGE,
	PROTO_TIMESTAMP,
	PROTO_DURATION
} ProtoKind;

/* A label of an enum, by which it is found in either direction. */
typedef struct ProtoLabel
{
	Oid			oid;
	int			number;
} ProtoLabel;

/* An attribute of a row type as a field of a message. */
typedef struct ProtoAttribute
{
	char	   *name;
	int			index;			/* in the row, from 0 */
	ProtoKind	kind;
	bool		repeated;
	bool		required;
	bool		oneof;			/* shares its place with others */
	Oid			typid;			/* base type; of the elements if repeated */
	int32		typmod;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Oid			declared;		/* the domain, if it is one */
	FmgrInfo	convert;		/* output function for strings and numbers of
								 * other types */
	FmgrInfo	input;
	Oid			ioparam;
	struct ProtoType *message;	/* of PROTO_MESSAGE */
	int			nlabels;		/* of PROTO_ENUM */
	ProtoLabel *labels;
	ProtobufCFieldDescriptor *field;	/* where it is in the message */
} ProtoAttribute;

/* A row type as a message. */
typedef struct ProtoType
{
	Oid			typid;
	uint64		state;			/* of the row type: another number, another
								 * one */
	bool		has_enums;
	uint64		changes;		/* of all types, when it was made */
	TupleDesc	tupdesc;
	ProtobufCMessageDescriptor descriptor;
	int			nattributes;
	ProtoAttribute *attributes; /* in the order of the fields */
} ProtoType;

/* layout.c */
extern ProtoType *proto_type_get(Oid typid);
extern bool proto_type_is_current(const ProtoType *type);
extern const ProtobufCMessageDescriptor *proto_seconds_descriptor(void);

/* What a timestamp and a duration are on the wire. */
typedef struct ProtoSeconds
{
	ProtobufCMessage base;
	int64_t		seconds;
	int32_t		nanos;
} ProtoSeconds;

#endif							/* CORM_PROTO_H */
