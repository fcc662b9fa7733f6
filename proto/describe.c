/*-------------------------------------------------------------------------
 *
 * describe.c
 *		Messages and enums of descriptors, as SQL sees them.
 *
 * protoc parses .proto files, and protobuf-c unpacks the descriptors that it
 * writes.  What is done here is to walk them: which composite type a message is,
 * of what types its attributes are, and which comments they have.
 *
 * Comments come from the source info: those before a message or field, and
 * those after it on the same line.  Their tags are corm's; a tag "proto" is added,
 * which says what the descriptor says of the wire: the number of a field, its
 * type, and "optional", "required", "repeated", "packed" or "oneof NAME".
 *
 * A message that contains itself, which no composite type can, is kept as
 * bytes where it closes the circle.  Timestamps and durations of Google's own
 * files are timestamptz and interval.
 *
 *-------------------------------------------------------------------------
 */
#include "describe.h"

#include <ctype.h>
#include <string.h>

typedef Google__Protobuf__FileDescriptorProto File;
typedef Google__Protobuf__DescriptorProto Message;
typedef Google__Protobuf__FieldDescriptorProto Field;
typedef Google__Protobuf__EnumDescriptorProto Enum;

#define MAX_DEPTH	100			/* of messages in messages */
#define MAX_NUMBER	536870911	/* of a field */

/* Where in a file something is: numbers of fields and indexes by turns. */
typedef struct Path
{
	int			n;
	int			elements[2 * MAX_DEPTH + 4];
} Path;

typedef struct Walk
{
	ProtoFiles *files;
	int			allocated_messages;
	int			allocated_enums;
	const char *prefix;
	const char *suffix;
} Walk;

/*
 * snake returns a name in snake case: UserName and HTTPServer become user_name
 * and http_server, dots become underscores.
 */
static char *
snake(const char *name)
{
	char	   *result = proto_alloc(2 * strlen(name) + 1);
	char	   *out = result;

	for (const char *c = name; *c; c++)
	{
		if (*c == '.')
		{
			*out++ = '_';
			continue;
		}
		if (isupper((unsigned char) *c) && c > name && c[-1] != '.' && c[-1] != '_' &&
			(!isupper((unsigned char) c[-1]) || islower((unsigned char) c[1])))
			*out++ = '_';
		*out++ = tolower((unsigned char) *c);
	}
	*out = '\0';
	return result;
}

/*
 * proto_identifier returns a name in quotes, with a schema if there is one.
 */
char *
proto_identifier(const char *schema, const char *name)
{
	char	   *result = proto_alloc(2 * strlen(name) + 3);
	char	   *out = result;

	*out++ = '"';
	for (const char *c = name; *c; c++)
	{
		if (*c == '"')
			*out++ = '"';
		*out++ = *c;
	}
	*out++ = '"';
	*out = '\0';
	return schema ? proto_format("%s.%s", proto_identifier(NULL, schema), result) : result;
}

/*
 * proto_literal returns a text as a literal of SQL.
 */
char *
proto_literal(const char *text)
{
	char	   *result = proto_alloc(2 * strlen(text) + 4);
	char	   *out = result;

	/* a backslash means something in any literal if the setting says so */
	if (strchr(text, '\\'))
		*out++ = 'E';
	*out++ = '\'';
	for (const char *c = text; *c; c++)
	{
		if (*c == '\'' || *c == '\\')
			*out++ = *c;
		*out++ = *c;
	}
	*out++ = '\'';
	*out = '\0';
	return result;
}

/*
 * append_lines appends the lines of a comment to a text, without blanks around
 * them and without empty ones.
 */
static char *
append_lines(char *text, const char *comment)
{
	while (comment && *comment)
	{
		size_t		len = strcspn(comment, "\n");
		const char *from = comment;
		const char *to = comment + len;

		while (from < to && isspace((unsigned char) *from))
			from++;
		while (to > from && isspace((unsigned char) to[-1]))
			to--;
		if (to > from)
			text = proto_format("%s%s%.*s", text, *text ? "\n" : "", (int) (to - from), from);
		comment += len;
		if (*comment == '\n')
			comment++;
	}
	return text;
}

/*
 * comments_at returns the comments on what is at a path of a file, "" if there
 * is none.
 */
static char *
comments_at(const File *file, const Path *path)
{
	const Google__Protobuf__SourceCodeInfo *info = file->source_code_info;
	char	   *text = "";

	proto_check_interrupts();
	for (size_t i = 0; info && i < info->n_location; i++)
	{
		const Google__Protobuf__SourceCodeInfo__Location *location = info->location[i];

		if (location->n_path != (size_t) path->n ||
			memcmp(location->path, path->elements, sizeof(int) * path->n) != 0)
			continue;
		text = append_lines(text, location->leading_comments);
		text = append_lines(text, location->trailing_comments);
	}
	return text;
}

/*
 * with_tag returns a comment with one more tag, on a line of its own.
 */
static char *
with_tag(const char *comment, const char *tag)
{
	return proto_format("%s%s@orm:%s", comment, *comment ? "\n" : "", tag);
}

/*
 * push and pop follow a path into a file.
 */
static void
push(Path *path, int field, int index)
{
	if (path->n + 2 > 2 * MAX_DEPTH)
		proto_fail("messages are nested too deeply");
	path->elements[path->n++] = field;
	path->elements[path->n++] = index;
}

static void
pop(Path *path)
{
	path->n -= 2;
}

/*
 * find_message and find_enum return what a field's type_name means, or NULL.
 * protoc writes them fully qualified, with a dot in front.
 */
static ProtoMessage *
find_message(ProtoFiles *files, const char *name)
{
	proto_check_interrupts();
	for (int i = 0; i < files->nmessages; i++)
	{
		if (strcmp(files->messages[i]->full_name, name) == 0)
			return files->messages[i];
	}
	return NULL;
}

static ProtoEnum *
find_enum(ProtoFiles *files, const char *name)
{
	proto_check_interrupts();
	for (int i = 0; i < files->nenums; i++)
	{
		if (strcmp(files->enums[i]->full_name, name) == 0)
			return files->enums[i];
	}
	return NULL;
}

/*
 * What protoc promises
 *
 * The descriptors come from whoever calls, and each of their fields is optional.
 * After check_file, names are there and are names, and numbers are in range.
 */

/*
 * is_name returns whether a text is a name of the .proto grammar; one of a
 * package may have dots.
 */
static bool
is_name(const char *text, bool dots)
{
	bool		first = true;

	if (text == NULL)
		return false;
	for (const char *c = text; *c; c++)
	{
		if (*c == '.' && dots && !first)
			first = true;
		else if (*c == '_' || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9' && !first))
			first = false;
		else
			return false;
	}
	return !first;
}

static void
check_enum(const Enum *source)
{
	if (!is_name(source->name, false))
		proto_damaged("an enum has no name");
	if (source->n_value == 0)
		proto_damaged(proto_format("enum \"%s\" has no values", source->name));
	for (size_t i = 0; i < source->n_value; i++)
	{
		if (!is_name(source->value[i]->name, false))
			proto_damaged(proto_format("a value of enum \"%s\" has no name", source->name));
	}
}

static void
check_message(const Message *source, int depth)
{
	proto_check_interrupts();
	if (depth > MAX_DEPTH)
		proto_fail("messages are nested too deeply");
	if (!is_name(source->name, false))
		proto_damaged("a message has no name");
	for (size_t i = 0; i < source->n_field; i++)
	{
		const Field *field = source->field[i];

		if (!is_name(field->name, false))
			proto_damaged(proto_format("a field of message \"%s\" has no name", source->name));
		if (field->number < 1 || field->number > MAX_NUMBER)
			proto_damaged(proto_format("field \"%s\" of message \"%s\" has the number %d", field->name, source->name,
									   field->number));
		if (field->has_oneof_index && !(field->oneof_index >= 0 && (size_t) field->oneof_index < source->n_oneof_decl))
			proto_damaged(proto_format("field \"%s\" of message \"%s\" is of a oneof that is not there", field->name,
									   source->name));
	}
	for (size_t i = 0; i < source->n_oneof_decl; i++)
	{
		if (!is_name(source->oneof_decl[i]->name, false))
			proto_damaged(proto_format("a oneof of message \"%s\" has no name", source->name));
	}
	for (size_t i = 0; i < source->n_enum_type; i++)
		check_enum(source->enum_type[i]);
	for (size_t i = 0; i < source->n_nested_type; i++)
		check_message(source->nested_type[i], depth + 1);
}

static void
check_file(const File *file)
{
	if (file->name == NULL)
		proto_damaged("a file has no name");
	if (file->package && *file->package && !is_name(file->package, true))
		proto_damaged(proto_format("the package of file \"%s\" is no name", file->name));
	for (size_t i = 0; i < file->n_enum_type; i++)
		check_enum(file->enum_type[i]);
	for (size_t i = 0; i < file->n_message_type; i++)
		check_message(file->message_type[i], 0);
}

/*
 * First pass: which messages and enums there are
 */

static void
add_enum(Walk *walk, const File *file, const char *scope, const Enum *source)
{
	ProtoFiles *files = walk->files;
	ProtoEnum  *result = proto_alloc(sizeof(ProtoEnum));
	const char *package = file->package ? file->package : "";
	char	   *full_name = proto_format("%s%s%s", scope, *scope ? "." : "", source->name);

	result->full_name = full_name;
	result->package = (char *) package;
	result->sql_name = proto_format("%s%s%s", walk->prefix, snake(full_name + (*package ? strlen(package) + 1 : 0)), walk->suffix);
	result->wanted = strncmp(file->name, "google/protobuf/", 16) != 0;
	result->nvalues = 0;
	result->labels = proto_alloc(sizeof(char *) * (source->n_value + 1));
	result->numbers = proto_alloc(sizeof(int) * (source->n_value + 1));
	for (size_t i = 0; i < source->n_value; i++)
	{
		bool		alias = false;

		proto_check_interrupts();
		for (int j = 0; j < result->nvalues; j++)
			alias |= result->numbers[j] == source->value[i]->number;
		if (alias)
			continue;
		result->labels[result->nvalues] = source->value[i]->name;
		result->numbers[result->nvalues++] = source->value[i]->number;
	}
	if (files->nenums == walk->allocated_enums)
	{
		ProtoEnum **more = proto_alloc(sizeof(ProtoEnum *) * (2 * walk->allocated_enums + 16));

		if (files->nenums > 0)
			memcpy(more, files->enums, sizeof(ProtoEnum *) * files->nenums);
		files->enums = more;
		walk->allocated_enums = 2 * walk->allocated_enums + 16;
	}
	files->enums[files->nenums++] = result;
}

static void
add_message(Walk *walk, const File *file, Path *path, const char *scope, const Message *source)
{
	ProtoFiles *files = walk->files;
	ProtoMessage *result = proto_alloc(sizeof(ProtoMessage));
	const char *package = file->package ? file->package : "";
	char	   *full_name = proto_format("%s%s%s", scope, *scope ? "." : "", source->name);
	char	   *comment = comments_at(file, path);
	const char *tag = strstr(comment, "@orm:");

	memset(result, 0, sizeof(*result));
	result->full_name = full_name;
	result->package = (char *) package;
	result->sql_name = proto_format("%s%s%s", walk->prefix, snake(full_name + (*package ? strlen(package) + 1 : 0)), walk->suffix);
	result->wanted = strncmp(file->name, "google/protobuf/", 16) != 0;
	result->comment = with_tag(comment, proto_format("proto=%s", full_name));
	result->described = tag != NULL && strstr(tag, "table=") != NULL;
	if (files->nmessages == walk->allocated_messages)
	{
		ProtoMessage **more = proto_alloc(sizeof(ProtoMessage *) * (2 * walk->allocated_messages + 16));

		if (files->nmessages > 0)
			memcpy(more, files->messages, sizeof(ProtoMessage *) * files->nmessages);
		files->messages = more;
		walk->allocated_messages = 2 * walk->allocated_messages + 16;
	}
	files->messages[files->nmessages++] = result;

	for (size_t i = 0; i < source->n_enum_type; i++)
		add_enum(walk, file, full_name, source->enum_type[i]);
	for (size_t i = 0; i < source->n_nested_type; i++)
	{
		push(path, 3, i);
		add_message(walk, file, path, full_name, source->nested_type[i]);
		pop(path);
	}
}

/*
 * Second pass: their fields
 */

/*
 * kind_of returns the kind of a scalar type, or NULL.
 */
static const char *
kind_of(Google__Protobuf__FieldDescriptorProto__Type type)
{
	switch (type)
	{
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_DOUBLE:
			return "double";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_FLOAT:
			return "float";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_INT64:
			return "int64";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_UINT64:
			return "uint64";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_INT32:
			return "int32";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_FIXED64:
			return "fixed64";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_FIXED32:
			return "fixed32";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BOOL:
			return "bool";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING:
			return "string";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES:
			return "bytes";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_UINT32:
			return "uint32";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_SFIXED32:
			return "sfixed32";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_SFIXED64:
			return "sfixed64";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_SINT32:
			return "sint32";
		case GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_SINT64:
			return "sint64";
		default:
			return NULL;
	}
}

/*
 * resolve sets the kind of a field whose type is a message or enum.
 */
static void
resolve(ProtoFiles *files, ProtoField *field, const Field *source, const char *message)
{
	const char *name = source->type_name ? source->type_name : "";

	if (*name == '.')
		name++;
	if (source->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_ENUM)
	{
		field->kind = "enum";
		field->enumeration = find_enum(files, name);
	}
	else if (source->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_MESSAGE)
	{
		if (strcmp(name, "google.protobuf.Timestamp") == 0)
			field->kind = "timestamp";
		else if (strcmp(name, "google.protobuf.Duration") == 0)
			field->kind = "duration";
		else
		{
			field->kind = "message";
			field->message = find_message(files, name);
		}
	}
	else
		proto_fail(proto_format("field \"%s\" of message \"%s\" is a group, which is not supported", source->name, message));
	if ((strcmp(field->kind, "enum") == 0 && !field->enumeration) ||
		(strcmp(field->kind, "message") == 0 && !field->message))
		proto_fail(proto_format("\"%s\", the type of field \"%s\" of message \"%s\", is in none of the files; protoc adds them with --include_imports",
								name, source->name, message));
}

static void
add_field(ProtoFiles *files, const File *file, Path *path, const Message *parent, ProtoMessage *message, ProtoField *field,
		  const Field *source)
{
	bool		proto3 = file->syntax && strcmp(file->syntax, "proto3") == 0;
	bool		scalar;

	memset(field, 0, sizeof(*field));
	field->number = source->number;
	field->name = source->name;
	field->kind = kind_of(source->type);
	if (field->kind == NULL)
		resolve(files, field, source, message->full_name);
	scalar = strcmp(field->kind, "string") != 0 && strcmp(field->kind, "bytes") != 0 && strcmp(field->kind, "message") != 0 &&
		strcmp(field->kind, "timestamp") != 0 && strcmp(field->kind, "duration") != 0;
	field->repeated = source->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED;
	field->required = source->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REQUIRED;
	field->packed = field->repeated && scalar &&
		(source->options && source->options->has_packed ? source->options->packed : proto3);
	if (source->has_oneof_index && !source->proto3_optional)
		field->oneof = parent->oneof_decl[source->oneof_index]->name;
	field->optional = !field->repeated && !field->required && !field->oneof &&
		(!proto3 || source->proto3_optional);
	field->comment = comments_at(file, path);
}

static void
add_fields(ProtoFiles *files, const File *file, Path *path, const char *scope, const Message *source)
{
	char	   *full_name = proto_format("%s%s%s", scope, *scope ? "." : "", source->name);
	ProtoMessage *message = find_message(files, full_name);

	message->nfields = source->n_field;
	message->fields = proto_alloc(sizeof(ProtoField) * (source->n_field + 1));
	for (size_t i = 0; i < source->n_field; i++)
	{
		push(path, 2, i);
		add_field(files, file, path, source, message, &message->fields[i], source->field[i]);
		pop(path);
	}
	for (size_t i = 0; i < source->n_nested_type; i++)
	{
		push(path, 3, i);
		add_fields(files, file, path, full_name, source->nested_type[i]);
		pop(path);
	}
}

/*
 * Third pass: order and tags
 */

/*
 * visit appends a message to a list after those that it consists of.  A field
 * that leads back into a message that is being visited becomes bytes.  What a
 * wanted message consists of is wanted, too.
 */
static void
visit(ProtoMessage *message, ProtoMessage **ordered, int *n, int depth)
{
	if (depth > MAX_DEPTH)
		proto_fail("messages are nested too deeply");
	message->visited = 1;
	for (int i = 0; i < message->nfields; i++)
	{
		ProtoField *field = &message->fields[i];

		if (field->enumeration && message->wanted)
			field->enumeration->wanted = true;
		if (field->message == NULL)
			continue;
		if (field->message->visited == 1)
		{
			field->message = NULL;
			field->kind = "bytes";
			continue;
		}
		if (message->wanted && !field->message->wanted)
		{
			field->message->wanted = true;
			field->message->visited = 0;
		}
		if (field->message->visited == 0)
			visit(field->message, ordered, n, depth + 1);
	}
	message->visited = 2;
	for (int i = 0; i < *n; i++)
	{
		if (ordered[i] == message)
			return;
	}
	ordered[(*n)++] = message;
}

/*
 * tag_fields adds to the comments of a message's fields what the wire needs.
 */
static void
tag_fields(ProtoMessage *message)
{
	for (int i = 0; i < message->nfields; i++)
	{
		ProtoField *field = &message->fields[i];
		char	   *tag = proto_format("proto=%d %s%s%s", field->number, field->kind,
									   field->packed ? " packed" : field->repeated ? " repeated" :
									   field->required ? " required" : field->optional ? " optional" :
									   field->oneof ? " oneof " : "",
									   field->oneof ? field->oneof : "");

		field->comment = with_tag(field->comment, tag);
	}
}

/*
 * sql_name_of and full_name_of return names of the message or enum of a number,
 * messages first.
 */
static char **
sql_name_of(ProtoFiles *files, int i)
{
	return i < files->nmessages ? &files->messages[i]->sql_name : &files->enums[i - files->nmessages]->sql_name;
}

static char *
full_name_of(ProtoFiles *files, int i)
{
	return i < files->nmessages ? files->messages[i]->full_name : files->enums[i - files->nmessages]->full_name;
}

/*
 * name_apart gives messages and enums of the same SQL name that of their
 * package, too, but for the last one: what a file imports stands before it.
 */
static void
name_apart(Walk *walk)
{
	int			n = walk->files->nmessages + walk->files->nenums;

	for (int i = n - 1; i >= 0; i--)
	{
		char	  **name = sql_name_of(walk->files, i);

		proto_check_interrupts();
		for (int j = i + 1; j < n; j++)
		{
			if (strcmp(*sql_name_of(walk->files, j), *name) != 0)
				continue;
			*name = proto_format("%s%s%s", walk->prefix, snake(full_name_of(walk->files, i)), walk->suffix);
			break;
		}
	}
}

/*
 * proto_describe returns the messages and enums of files, which are kept.  It
 * fails by proto_fail and proto_damaged.
 */
ProtoFiles *
proto_describe(size_t nfiles, File **sources, const char *prefix, const char *suffix)
{
	ProtoFiles *files = proto_alloc(sizeof(ProtoFiles));
	Walk		walk = {files, 0, 0, prefix, suffix};
	ProtoMessage **ordered;
	int			n = 0;

	memset(files, 0, sizeof(*files));
	for (size_t i = 0; i < nfiles; i++)
		check_file(sources[i]);
	for (size_t i = 0; i < nfiles; i++)
	{
		const char *package = sources[i]->package ? sources[i]->package : "";
		Path		path = {0};

		for (size_t j = 0; j < sources[i]->n_enum_type; j++)
			add_enum(&walk, sources[i], package, sources[i]->enum_type[j]);
		for (size_t j = 0; j < sources[i]->n_message_type; j++)
		{
			push(&path, 4, j);
			add_message(&walk, sources[i], &path, package, sources[i]->message_type[j]);
			pop(&path);
		}
	}
	for (size_t i = 0; i < nfiles; i++)
	{
		const char *package = sources[i]->package ? sources[i]->package : "";
		Path		path = {0};

		for (size_t j = 0; j < sources[i]->n_message_type; j++)
		{
			push(&path, 4, j);
			add_fields(files, sources[i], &path, package, sources[i]->message_type[j]);
			pop(&path);
		}
	}
	name_apart(&walk);
	ordered = proto_alloc(sizeof(ProtoMessage *) * (files->nmessages + 1));
	for (int i = 0; i < files->nmessages; i++)
	{
		if (files->messages[i]->visited == 0)
			visit(files->messages[i], ordered, &n, 0);
	}
	files->messages = ordered;
	files->nmessages = n;
	for (int i = 0; i < files->nmessages; i++)
		tag_fields(files->messages[i]);
	return files;
}

/*
 * proto_enum_comment returns the comment on the type of an enum: its name, and
 * the numbers of its labels in their order.
 */
char *
proto_enum_comment(const ProtoEnum *enumeration)
{
	char	   *result = proto_format("@orm:proto=%s", enumeration->full_name);

	for (int i = 0; i < enumeration->nvalues; i++)
		result = proto_format("%s %d", result, enumeration->numbers[i]);
	return result;
}

/*
 * proto_sql_type returns the type of a field in SQL.
 */
char *
proto_sql_type(const ProtoField *field, const char *schema)
{
	static const struct
	{
		const char *kind;
		const char *type;
	}			types[] =

	{
		{"double", "double precision"},
		{"float", "real"},
		{"int32", "integer"},
		{"sint32", "integer"},
		{"sfixed32", "integer"},
		{"uint32", "bigint"},
		{"fixed32", "bigint"},
		{"int64", "bigint"},
		{"sint64", "bigint"},
		{"sfixed64", "bigint"},
		{"uint64", "numeric(20)"},
		{"fixed64", "numeric(20)"},
		{"bool", "boolean"},
		{"string", "text"},
		{"bytes", "bytea"},
		{"timestamp", "timestamp with time zone"},
		{"duration", "interval"},
	};
	const char *type = NULL;

	if (field->message)
		type = proto_identifier(schema, field->message->sql_name);
	else if (field->enumeration)
		type = proto_identifier(schema, field->enumeration->sql_name);
	for (size_t i = 0; type == NULL && i < sizeof(types) / sizeof(types[0]); i++)
	{
		if (strcmp(types[i].kind, field->kind) == 0)
			type = types[i].type;
	}
	return proto_format("%s%s", type, field->repeated ? "[]" : "");
}
