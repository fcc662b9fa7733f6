/*-------------------------------------------------------------------------
 *
 * describe.h
 *		Messages and enums of descriptors, as SQL sees them.
 *
 * This is for the extension and for the plugin of protoc alike, so it is in
 * plain C: each of them defines the functions that get memory and fail.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_PROTO_DESCRIBE_H
#define CORM_PROTO_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>

#include "google/protobuf/descriptor.pb-c.h"

typedef struct ProtoField
{
	int			number;
	char	   *name;
	const char *kind;			/* "int32", ..., "enum", "message", "timestamp",
								 * "duration" */
	struct ProtoMessage *message;	/* of that kind, ... */
	struct ProtoEnum *enumeration;	/* ... of that */
	bool		repeated;
	bool		packed;
	bool		optional;		/* tells missing from zero */
	bool		required;
	char	   *oneof;			/* or NULL */
	char	   *comment;		/* with the tags, the one for the number among
								 * them */
} ProtoField;

typedef struct ProtoMessage
{
	char	   *full_name;
	char	   *package;
	char	   *sql_name;
	char	   *comment;		/* with the tags */
	bool		described;		/* it has the tag "table" */
	bool		wanted;			/* not just imported from Google's files */
	int			nfields;
	ProtoField *fields;
	int			visited;		/* while they are ordered */
} ProtoMessage;

typedef struct ProtoEnum
{
	char	   *full_name;
	char	   *package;
	char	   *sql_name;
	bool		wanted;
	int			nvalues;
	char	  **labels;
	int		   *numbers;
} ProtoEnum;

typedef struct ProtoFiles
{
	int			nmessages;
	ProtoMessage **messages;	/* each after those that it consists of */
	int			nenums;
	ProtoEnum **enums;
} ProtoFiles;

extern ProtoFiles *proto_describe(size_t nfiles, Google__Protobuf__FileDescriptorProto **files,
								  const char *prefix, const char *suffix);
extern char *proto_enum_comment(const ProtoEnum *enumeration);
extern char *proto_sql_type(const ProtoField *field, const char *schema);
extern char *proto_identifier(const char *schema, const char *name);
extern char *proto_literal(const char *text);

/* of the extension, or of the plugin */
extern void *proto_alloc(size_t size);
extern char *proto_format(const char *format,...) __attribute__((format(printf, 1, 2)));
extern void proto_fail(const char *message) __attribute__((noreturn));
extern void proto_damaged(const char *what) __attribute__((noreturn));
extern void proto_check_interrupts(void);

#endif							/* CORM_PROTO_DESCRIBE_H */
