/*-------------------------------------------------------------------------
 *
 * register.c
 *		corm.register_proto: composite types of messages.
 *
 * A FileDescriptorSet, as protoc writes it, is unpacked by protobuf-c and
 * walked (describe.c).  What differs from the types that are there is DDL of the
 * caller.  A field is recognized by its number, so it can be renamed; what the
 * descriptors no longer have stays.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "describe.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_type.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "wire.h"

PG_MODULE_MAGIC;

/* Of messages within a set of descriptors: 100 levels of .proto, and what they have in them. */
#define MAX_UNPACK_DEPTH	110

/* An attribute of a type that is there. */
typedef struct Present
{
	int			number;			/* 0 if it has no tag */
	char	   *name;
	char	   *type;			/* as format_type() has it */
	char	   *comment;
} Present;

/*
 * What describe.c needs
 */

void *
proto_alloc(size_t size)
{
	return palloc0(size);
}

char *
proto_format(const char *format,...)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (;;)
	{
		va_list		arguments;
		int			needed;

		va_start(arguments, format);
		needed = appendStringInfoVA(&buf, format, arguments);
		va_end(arguments);
		if (needed == 0)
			return buf.data;
		enlargeStringInfo(&buf, needed);
	}
}

void
proto_fail(const char *message)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message)));
}

void
proto_damaged(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("the data is no set of descriptors"),
			 errdetail_internal("%c%s.", pg_toupper((unsigned char) what[0]), what + 1),
			 errhint("protoc writes one with --descriptor_set_out.")));
}

void
proto_check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

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

/*
 * check_depth raises 22P03 for descriptors of messages in messages in messages
 * that protobuf-c would follow too far down the stack.
 */
static void
check_depth(const ProtobufCMessageDescriptor *descriptor, const uint8 *data, size_t len, int depth)
{
	In			in = {data, data + len, InvalidOid};

	if (depth > MAX_UNPACK_DEPTH)
		proto_damaged("messages are nested too deeply");
	check_stack_depth();
	while (in.at < in.end)
	{
		WireType	wire;
		uint32		number = get_tag(&in, &wire);
		const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor, number);
		Raw			raw;

		CHECK_FOR_INTERRUPTS();
		get_value(&in, wire, &raw);
		if (wire == WIRE_BYTES && field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE)
			check_depth(field->descriptor, raw.data, raw.len, depth + 1);
	}
}

/*
 * run executes a statement.
 */
static void
run(const char *sql)
{
	int			result = SPI_execute(sql, false, 0);

	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

/*
 * is_comment returns whether a comment is what it should be.
 */
static bool
is_comment(const char *present, const char *wanted)
{
	return present != NULL && strcmp(present, wanted) == 0;
}

/*
 * check_message converts the comments of a message and its fields, which are in
 * UTF-8, to the encoding of the database.  Raises 22021 for one that is not, and
 * 42622 for a name that is too long for an attribute.
 */
static void
check_message(ProtoMessage *message)
{
	message->comment = pg_any_to_server(message->comment, strlen(message->comment), PG_UTF8);
	for (int i = 0; i < message->nfields; i++)
	{
		ProtoField *field = &message->fields[i];

		if (strlen(field->name) >= NAMEDATALEN)
			ereport(ERROR,
					(errcode(ERRCODE_NAME_TOO_LONG),
					 errmsg("\"%s\" is too long for the name of an attribute", field->name)));
		field->comment = pg_any_to_server(field->comment, strlen(field->comment), PG_UTF8);
	}
}

/*
 * find_type returns the OID of a type in a schema, or InvalidOid.
 */
static Oid
find_type(Oid nsp, const char *name)
{
	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("\"%s\" is too long for the name of a type", name)));
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name), ObjectIdGetDatum(nsp));
}

/*
 * refuse_other raises 42710 if a type is not that of a message or enum: its
 * comment must say so.
 */
static void
refuse_other(Oid typid, const char *full_name)
{
	char	   *comment = GetComment(typid, TypeRelationId, 0);
	char	   *tag = comment ? strstr(comment, "@orm:proto=") : NULL;
	size_t		start = strlen("@orm:proto=");
	size_t		len = strlen(full_name);

	/* the end of the comment ends it, too */
	if (tag && strncmp(tag + start, full_name, len) == 0 && strchr(" \n,", tag[start + len]) != NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("type %s already exists, and is not of \"%s\"", format_type_be_qualified(typid), full_name),
			 errhint("Register the descriptors in another schema, or with the option \"prefix\" or \"suffix\".")));
}

/*
 * register_enum makes the type of an enum, or adds labels to it.  Returns what
 * was done.
 */
static const char *
register_enum(Oid nsp, const char *schema, ProtoEnum *enumeration, Oid *typid)
{
	char	   *name = proto_identifier(schema, enumeration->sql_name);
	char	   *comment = proto_enum_comment(enumeration);
	const char *action = "unchanged";
	Datum		labels = (Datum) 0;
	Oid			type = OIDOID;
	StringInfoData sql;

	*typid = find_type(nsp, enumeration->sql_name);
	if (!OidIsValid(*typid))
	{
		initStringInfo(&sql);
		appendStringInfo(&sql, "CREATE TYPE %s AS ENUM (", name);
		for (int i = 0; i < enumeration->nvalues; i++)
			appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "", proto_literal(enumeration->labels[i]));
		appendStringInfoChar(&sql, ')');
		run(sql.data);
		run(psprintf("COMMENT ON TYPE %s IS %s", name, proto_literal(comment)));
		*typid = find_type(nsp, enumeration->sql_name);
		return "created";
	}

	refuse_other(*typid, enumeration->full_name);
	labels = ObjectIdGetDatum(*typid);
	if (SPI_execute_with_args("SELECT enumlabel::pg_catalog.text FROM pg_catalog.pg_enum "
							  "WHERE enumtypid OPERATOR(pg_catalog.=) $1 ORDER BY enumsortorder",
							  1, &type, &labels, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read labels");
	comment = proto_format("@orm:proto=%s", enumeration->full_name);
	{
		SPITupleTable *table = SPI_tuptable;
		uint64		n = SPI_processed;
		bool	   *known = palloc0(sizeof(bool) * Max(enumeration->nvalues, 1));

		/* the numbers of the labels in the order that they have now */
		for (uint64 i = 0; i < n; i++)
		{
			char	   *label = SPI_getvalue(table->vals[i], table->tupdesc, 1);
			int			number = PG_INT32_MIN;

			for (int j = 0; j < enumeration->nvalues; j++)
			{
				if (strcmp(label, enumeration->labels[j]) != 0)
					continue;
				known[j] = true;
				number = enumeration->numbers[j];
			}
			comment = proto_format("%s %d", comment, number);
		}
		for (int j = 0; j < enumeration->nvalues; j++)
		{
			if (known[j])
				continue;
			run(psprintf("ALTER TYPE %s ADD VALUE %s", name, proto_literal(enumeration->labels[j])));
			comment = proto_format("%s %d", comment, enumeration->numbers[j]);
			action = "altered";
		}
	}
	if (!is_comment(GetComment(*typid, TypeRelationId, 0), comment))
	{
		run(psprintf("COMMENT ON TYPE %s IS %s", name, proto_literal(comment)));
		action = "altered";
	}
	return action;
}

/*
 * present_attributes returns the attributes of a composite type, an array of
 * *n.
 */
static Present *
present_attributes(Oid typid, int *n)
{
	Datum		value = ObjectIdGetDatum(get_typ_typrelid(typid));
	Oid			type = REGCLASSOID;
	Present    *result;

	if (SPI_execute_with_args("SELECT pg_catalog.split_part(t.tags OPERATOR(pg_catalog.->>) 'proto', ' ', 1), t.name, "
							  "pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.col_description($1, t.attnum) "
							  "FROM corm.list_tags($1) t JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) $1 "
							  "AND a.attnum OPERATOR(pg_catalog.=) t.attnum AND t.attnum OPERATOR(pg_catalog.>) 0",
							  1, &type, &value, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read attributes");
	*n = SPI_processed;
	result = palloc0(sizeof(Present) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		char	   *number = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);

		result[i].number = number ? atoi(number) : 0;
		result[i].name = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
		result[i].type = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 3);
		result[i].comment = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 4);
	}
	return result;
}

/*
 * canonical_type returns a type as format_type() has it.
 */
static char *
canonical_type(const char *type)
{
	Oid			typid;
	int32		typmod;

	corm_parse_type(type, &typid, &typmod);
	return format_type_with_typemod(typid, typmod);
}

/*
 * alter_message brings a type that is there up to date.  Returns what was done.
 */
static const char *
alter_message(Oid typid, const char *schema, ProtoMessage *message)
{
	char	   *name = proto_identifier(schema, message->sql_name);
	const char *action = "unchanged";
	int			n;
	Present    *present = present_attributes(typid, &n);

	for (int i = 0; i < message->nfields; i++)
	{
		ProtoField *field = &message->fields[i];
		char	   *column = proto_identifier(NULL, field->name);
		Present    *found = NULL;

		for (int j = 0; j < n; j++)
		{
			if (present[j].number == field->number)
				found = &present[j];
		}
		if (found == NULL)
		{
			run(psprintf("ALTER TYPE %s ADD ATTRIBUTE %s %s", name, column, proto_sql_type(field, schema)));
			action = "altered";
		}
		else if (strcmp(found->name, field->name) != 0)
		{
			run(psprintf("ALTER TYPE %s RENAME ATTRIBUTE %s TO %s", name, proto_identifier(NULL, found->name), column));
			action = "altered";
		}
		if (found && strcmp(found->type, canonical_type(proto_sql_type(field, schema))) != 0)
		{
			run(psprintf("ALTER TYPE %s ALTER ATTRIBUTE %s TYPE %s", name, column, proto_sql_type(field, schema)));
			action = "altered";
		}
		if (found == NULL || !is_comment(found->comment, field->comment))
		{
			run(psprintf("COMMENT ON COLUMN %s.%s IS %s", name, column, proto_literal(field->comment)));
			action = "altered";
		}
	}
	if (!is_comment(GetComment(typid, TypeRelationId, 0), message->comment))
	{
		run(psprintf("COMMENT ON TYPE %s IS %s", name, proto_literal(message->comment)));
		action = "altered";
	}
	return action;
}

/*
 * register_message makes the type of a message, or brings it up to date.
 * Returns what was done.
 */
static const char *
register_message(Oid nsp, const char *schema, ProtoMessage *message, Oid *typid)
{
	char	   *name = proto_identifier(schema, message->sql_name);
	StringInfoData sql;

	*typid = find_type(nsp, message->sql_name);
	if (OidIsValid(*typid))
	{
		refuse_other(*typid, message->full_name);
		return alter_message(*typid, schema, message);
	}
	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TYPE %s AS (", name);
	for (int i = 0; i < message->nfields; i++)
		appendStringInfo(&sql, "%s%s %s", i > 0 ? ", " : "", proto_identifier(NULL, message->fields[i].name),
						 proto_sql_type(&message->fields[i], schema));
	appendStringInfoChar(&sql, ')');
	run(sql.data);
	run(psprintf("COMMENT ON TYPE %s IS %s", name, proto_literal(message->comment)));
	for (int i = 0; i < message->nfields; i++)
		run(psprintf("COMMENT ON COLUMN %s.%s IS %s", name, proto_identifier(NULL, message->fields[i].name),
					 proto_literal(message->fields[i].comment)));
	*typid = find_type(nsp, message->sql_name);
	return "created";
}

/*
 * read_option returns the value of an option, "" if it is not given.
 */
static char *
read_option(Jsonb *options, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&options->root, key, strlen(key), NULL);

	if (value == NULL || value->type == jbvNull)
		return "";
	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the option \"%s\" must be a string", key)));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * check_options raises 22023 for an option that there is not.
 */
static void
check_options(Jsonb *options)
{
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be an object")));
	it = JsonbIteratorInit(&options->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY && !(value.val.string.len == 6 && (memcmp(value.val.string.val, "prefix", 6) == 0 ||
																 memcmp(value.val.string.val, "suffix", 6) == 0)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown option \"%.*s\"", value.val.string.len, value.val.string.val),
					 errhint("The options are \"prefix\" and \"suffix\".")));
	}
}

PG_FUNCTION_INFO_V1(corm_register_proto);
Datum		corm_register_proto(PG_FUNCTION_ARGS);

/*
 * corm_register_proto is corm.register_proto(descriptors bytea, schema
 * regnamespace, options jsonb).
 */
Datum
corm_register_proto(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bytea	   *data;
	Oid			nsp;
	char	   *schema;
	ProtobufCAllocator allocator = {allocate, release, CurrentMemoryContext};
	Google__Protobuf__FileDescriptorSet *set;
	ProtoFiles *files;
	int			level;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the descriptors and the options must not be null")));
	PreventCommandIfReadOnly("corm.register_proto()");
	PreventCommandIfParallelMode("corm.register_proto()");
	InitMaterializedSRF(fcinfo, 0);
	check_options(PG_GETARG_JSONB_P(2));
	nsp = PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1);
	if (!OidIsValid(nsp))
	{
		List	   *path = fetch_search_path(false);

		if (path == NIL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_SCHEMA),
					 errmsg("no schema has been selected to create in")));
		nsp = linitial_oid(path);
	}
	schema = get_namespace_name(nsp);
	if (schema == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema with OID %u does not exist", nsp)));

	data = PG_GETARG_BYTEA_PP(0);
	check_depth(&google__protobuf__file_descriptor_set__descriptor, (const uint8 *) VARDATA_ANY(data),
				VARSIZE_ANY_EXHDR(data), 0);
	set = (Google__Protobuf__FileDescriptorSet *)
		protobuf_c_message_unpack(&google__protobuf__file_descriptor_set__descriptor, &allocator,
								  VARSIZE_ANY_EXHDR(data), (const uint8_t *) VARDATA_ANY(data));
	if (set == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("the data is no set of descriptors"),
				 errhint("protoc writes one with --descriptor_set_out.")));
	files = proto_describe(set->n_file, set->file, read_option(PG_GETARG_JSONB_P(2), "prefix"),
						   read_option(PG_GETARG_JSONB_P(2), "suffix"));

	level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	SPI_connect();
	for (int i = 0; i < files->nenums + files->nmessages; i++)
	{
		bool		is_enum = i < files->nenums;
		ProtoMessage *message = is_enum ? NULL : files->messages[i - files->nenums];
		Datum		values[3];
		bool		nulls[3] = {false};
		Oid			typid;
		const char *action;

		CHECK_FOR_INTERRUPTS();
		if (is_enum ? !files->enums[i]->wanted : !message->wanted)
			continue;
		if (!is_enum)
			check_message(message);
		action = is_enum ? register_enum(nsp, schema, files->enums[i], &typid) :
			register_message(nsp, schema, message, &typid);
		values[0] = CStringGetTextDatum(is_enum ? files->enums[i]->full_name : message->full_name);
		values[1] = ObjectIdGetDatum(typid);
		values[2] = CStringGetTextDatum(action);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_finish();
	AtEOXact_GUC(true, level);
	return (Datum) 0;
}
