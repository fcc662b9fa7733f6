/*-------------------------------------------------------------------------
 *
 * protoc-gen-corm.c
 *		A plugin of protoc that writes SQL.
 *
 *		protoc --corm_out=DIRECTORY user.proto
 *
 * makes DIRECTORY/user.sql, which makes types of the file's messages, with tags
 * in comments, and tables of those that have the tag "table", by
 * corm.auto_migrate.  --corm_opt=types leaves the tables out.  schema=NAME (else
 * public), prefix=TEXT and suffix=TEXT are options, too; several are separated
 * by commas.
 *
 * protoc sends descriptors to the plugin's standard input and takes the files
 * from its standard output, both packed by protobuf-c.
 *
 *-------------------------------------------------------------------------
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "plugin.pb-c.h"

static jmp_buf failed;
static const char *failure;

/*
 * out_of_memory ends the program, which protoc reports.
 */
static void
out_of_memory(void)
{
	fprintf(stderr, "protoc-gen-corm: out of memory\n");
	exit(1);
}

void *
proto_alloc(size_t size)
{
	void	   *result = calloc(1, size > 0 ? size : 1);

	if (result == NULL)
		out_of_memory();
	return result;
}

char *
proto_format(const char *format,...)
{
	va_list		arguments;
	va_list		again;
	int			len;
	char	   *result;

	va_start(arguments, format);
	va_copy(again, arguments);
	len = vsnprintf(NULL, 0, format, arguments);
	result = proto_alloc(len + 1);
	vsnprintf(result, len + 1, format, again);
	va_end(again);
	va_end(arguments);
	return result;
}

void
proto_fail(const char *message)
{
	failure = message;
	longjmp(failed, 1);
}

void
proto_damaged(const char *what)
{
	proto_fail(proto_format("the input is no request of protoc: %s", what));
}

void
proto_check_interrupts(void)
{
	/* a signal ends the program */
}

/*
 * read_input returns all of the standard input.
 */
static uint8_t *
read_input(size_t *len)
{
	size_t		size = 65536;
	uint8_t    *data = malloc(size);
	size_t		n;

	*len = 0;
	while (data != NULL && (n = fread(data + *len, 1, size - *len, stdin)) > 0)
	{
		*len += n;
		if (*len == size)
		{
			size *= 2;
			data = realloc(data, size);
		}
	}
	if (data == NULL)
		out_of_memory();
	return data;
}

/* What --corm_opt says. */
typedef struct Options
{
	bool		types;
	const char *schema;
	const char *prefix;
	const char *suffix;
} Options;

/*
 * read_options reads the options.
 */
static void
read_options(const char *text, Options *options)
{
	char	   *copy = proto_format("%s", text ? text : "");
	char	   *rest;

	/* without a schema, "date" would be PostgreSQL's own */
	options->schema = "public";
	options->prefix = options->suffix = "";
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
	{
		if (strcmp(word, "types") == 0)
			options->types = true;
		else if (strncmp(word, "schema=", 7) == 0)
			options->schema = word + 7;
		else if (strncmp(word, "prefix=", 7) == 0)
			options->prefix = word + 7;
		else if (strncmp(word, "suffix=", 7) == 0)
			options->suffix = word + 7;
		else
			proto_fail(proto_format("unknown option \"%s\"; there are types, schema=NAME, prefix=TEXT and suffix=TEXT", word));
	}
}

/*
 * append adds to a text.
 */
static void
append(char **text, const char *more)
{
	*text = proto_format("%s%s", *text, more);
}

/*
 * write_sql returns the SQL for the messages and enums that a file and its
 * imports have.
 */
static char *
write_sql(ProtoFiles *files, const Options *options, const char *source)
{
	char	   *sql = proto_format("-- Made by protoc-gen-corm of %s.  Needs the extensions corm and corm_proto.\n", source);
	char	   *described = "";

	for (int i = 0; i < files->nenums; i++)
	{
		ProtoEnum  *enumeration = files->enums[i];
		char	   *name = proto_identifier(options->schema, enumeration->sql_name);

		if (!enumeration->wanted)
			continue;
		append(&sql, proto_format("\nCREATE TYPE %s AS ENUM (", name));
		for (int j = 0; j < enumeration->nvalues; j++)
			append(&sql, proto_format("%s%s", j > 0 ? ", " : "", proto_literal(enumeration->labels[j])));
		append(&sql, proto_format(");\nCOMMENT ON TYPE %s IS %s;\n", name, proto_literal(proto_enum_comment(enumeration))));
	}
	for (int i = 0; i < files->nmessages; i++)
	{
		ProtoMessage *message = files->messages[i];
		char	   *name = proto_identifier(options->schema, message->sql_name);

		if (!message->wanted)
			continue;
		append(&sql, proto_format("\nCREATE TYPE %s AS (", name));
		for (int j = 0; j < message->nfields; j++)
			append(&sql, proto_format("%s\n    %s %s", j > 0 ? "," : "", proto_identifier(NULL, message->fields[j].name),
									  proto_sql_type(&message->fields[j], options->schema)));
		append(&sql, proto_format("\n);\nCOMMENT ON TYPE %s IS %s;\n", name, proto_literal(message->comment)));
		for (int j = 0; j < message->nfields; j++)
			append(&sql, proto_format("COMMENT ON COLUMN %s.%s IS %s;\n", name, proto_identifier(NULL, message->fields[j].name),
									  proto_literal(message->fields[j].comment)));
		if (message->described)
			append(&described, proto_format("%s%s", *described ? ", " : "", proto_literal(name)));
	}
	if (!options->types && *described)
		append(&sql, proto_format("\nSELECT * FROM corm.auto_migrate(%s);\n", described));
	return sql;
}

/*
 * imports marks a file and all that it imports, by index.
 */
static void
mark_imports(Corm__Plugin__Request *request, const char *name, bool *marked)
{
	for (size_t i = 0; i < request->n_files; i++)
	{
		if (marked[i] || strcmp(request->files[i]->name, name) != 0)
			continue;
		marked[i] = true;
		for (size_t j = 0; j < request->files[i]->n_dependency; j++)
			mark_imports(request, request->files[i]->dependency[j], marked);
	}
}

/*
 * write_file returns the file for one that protoc was called with.  What it
 * imports is part of it, so that it can be run by itself.
 */
static Corm__Plugin__Response__File *
write_file(Corm__Plugin__Request *request, const char *name, const Options *options)
{
	Corm__Plugin__Response__File *file = proto_alloc(sizeof(Corm__Plugin__Response__File));
	Google__Protobuf__FileDescriptorProto **files =
		proto_alloc(sizeof(Google__Protobuf__FileDescriptorProto *) * (request->n_files + 1));
	bool	   *marked = proto_alloc(sizeof(bool) * (request->n_files + 1));
	size_t		nfiles = 0;
	size_t		len = strlen(name);

	mark_imports(request, name, marked);
	for (size_t i = 0; i < request->n_files; i++)
	{
		if (marked[i])
			files[nfiles++] = request->files[i];
	}
	corm__plugin__response__file__init(file);
	if (len > 6 && strcmp(name + len - 6, ".proto") == 0)
		len -= 6;
	file->name = proto_format("%.*s.sql", (int) len, name);
	file->content = write_sql(proto_describe(nfiles, files, options->prefix, options->suffix), options, name);
	return file;
}

int
main(void)
{
	Corm__Plugin__Response response = CORM__PLUGIN__RESPONSE__INIT;
	Corm__Plugin__Request *request;
	size_t		len;
	uint8_t    *input = read_input(&len);
	uint8_t    *output;

	/* fields of proto3 that are "optional" are no surprise */
	response.has_features = true;
	response.features = 1;
	if (setjmp(failed) == 0)
	{
		Options		options = {0};

		request = corm__plugin__request__unpack(NULL, len, input);
		if (request == NULL)
			proto_fail("the input is no request of protoc");
		read_options(request->options, &options);
		response.files = proto_alloc(sizeof(Corm__Plugin__Response__File *) * (request->n_wanted + 1));
		for (size_t i = 0; i < request->n_wanted; i++)
			response.files[response.n_files++] = write_file(request, request->wanted[i], &options);
	}
	else
	{
		response.error = (char *) failure;
		response.n_files = 0;
	}
	len = corm__plugin__response__get_packed_size(&response);
	output = proto_alloc(len);
	corm__plugin__response__pack(&response, output);
	return fwrite(output, 1, len, stdout) == len && fflush(stdout) == 0 ? 0 : 1;
}
