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
#include "base/compat.h"
#include "fmgr.h"
#include "utils/typcache.h"

/* Seconds from 1970 to 2000. */
#define EPOCH_SECONDS	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

#define MAX_FIELD_NUMBER	536870911

/* What a field is in its message. */
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

/* How a value is on the wire. */
typedef enum WireType
{
	WIRE_VARINT = 0,
	WIRE_64 = 1,
	WIRE_BYTES = 2,
	WIRE_32 = 5
} WireType;

/* A label of an enum, by which it is found in either direction. */
typedef struct ProtoLabel
{
	Oid			oid;
	int			number;			/* PG_INT32_MIN if it has none */
} ProtoLabel;

/* An attribute of a row type as a field of a message. */
typedef struct ProtoAttribute
{
	char	   *name;
	int			index;			/* in the row, from 0 */
	ProtoKind	kind;
	WireType	wire;			/* of one value */
	uint32		number;			/* of the field */
	bool		repeated;
	bool		packed;
	bool		required;
	bool		implicit;		/* zero is not written: it is the same as missing */
	int			oneof;			/* which one, from 0; -1 for none */
	int			tag_len;
	uint8		tag[5];			/* what stands before it on the wire */
	Oid			typid;			/* base type; of the elements if repeated */
	int32		typmod;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Oid			declared;		/* the domain, if it is one; else typid */
	Oid			array_domain;	/* of a repeated field, or InvalidOid */
	Oid			output;			/* functions of the base type */
	Oid			input;
	Oid			ioparam;
	int			io;				/* which of a call's ProtoIO is its own */
	struct ProtoType *message;	/* of PROTO_MESSAGE */
	int			nlabels;		/* of PROTO_ENUM, unless it is an integer */
	ProtoLabel *labels;
} ProtoAttribute;

/* A row type as a message. */
typedef struct ProtoType
{
	Oid			typid;
	TypeCacheEntry *entry;		/* which stays where it is */
	uint64		state;			/* of the row type: another number, another
								 * one */
	bool		has_enums;
	uint64		changes;		/* of all types, when it was made */
	TupleDesc	tupdesc;
	int			nattributes;
	ProtoAttribute *attributes; /* in the order of their numbers */
	int			noneofs;
	int			nio;			/* attributes, with those of messages within */
} ProtoType;

/*
 * What functions and domains keep for an attribute.  It belongs to a call site,
 * as elsewhere: user code that runs meanwhile may decode the same type.
 */
typedef struct ProtoIO
{
	FmgrInfo	output;			/* without a function until it is called */
	FmgrInfo	input;
	void	   *check;			/* of domain_check() */
	void	   *array_check;
} ProtoIO;

/* What a call site keeps. */
typedef struct ProtoCall
{
	MemoryContext context;		/* where it is */
	Oid			declared;		/* type of its argument */
	Oid			typid;			/* the row type that it is */
	MemoryContext row;			/* for one row; reset before the next */
	ProtoType  *type;			/* what it used last, or NULL ... */
	uint64		generation;		/* ... with proto_generation then */
	ProtoIO    *io;				/* type->nio of them */
	size_t		size;			/* of the last message */
	void	   *check;			/* for domain_check() */
} ProtoCall;

/* layout.c */
extern ProtoCall *proto_call(FunctionCallInfo fcinfo);
extern ProtoType *proto_call_type(ProtoCall *call, Oid typid);
extern void proto_type_unchanged(ProtoType *type);
extern char *proto_output(ProtoCall *call, const ProtoAttribute *attribute, Datum value);
extern Datum proto_input(ProtoCall *call, const ProtoAttribute *attribute, char *text);
extern void proto_out_of_range(const ProtoAttribute *attribute) pg_attribute_noreturn();

#endif							/* CORM_PROTO_H */
