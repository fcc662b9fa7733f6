/*-------------------------------------------------------------------------
 *
 * client_types.c
 *		corm.client_types: types of clients for the JSON that corm writes.
 *
 * A model becomes a type of its fields, as a query without corm.select returns
 * them: under their keys in JSON, without hidden ones.  Relations to other models
 * of the list are optional members, which corm.preload fills.  Enums come along.
 *
 * What a value is in JSON is what to_jsonb() makes of it: numbers, also
 * numeric, truth values, arrays, objects of rows, any JSON, and else
 * a string.  corm.json_bigint makes strings of large numbers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "base/args.h"
#include "base/guc.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "model/naming.h"
#include "model/relations.h"
#include "tools/models.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* What a value is in JSON. */
typedef enum ValueKind
{
	VALUE_STRING,
	VALUE_SMALLINT,
	VALUE_INTEGER,
	VALUE_BIGINT,
	VALUE_REAL,
	VALUE_DOUBLE,
	VALUE_NUMERIC,
	VALUE_BOOLEAN,
	VALUE_TIME,					/* a string with date, time and zone */
	VALUE_BYTES,				/* a string of hexadecimal digits */
	VALUE_JSON,
	VALUE_ENUM,
	VALUE_ROW,
	NUM_VALUE_KINDS
} ValueKind;

/* A type of the client: a model, a composite type or an enum. */
typedef struct ClientType
{
	char	   *name;
	Oid			typid;
	CormModel  *model;			/* NULL unless it is a model */
} ClientType;

typedef struct Client Client;

/* A member of a type, as the languages write it. */
typedef struct Member
{
	char	   *key;			/* in JSON */
	char	   *type;
	bool		nullable;
	bool		is_array;
	int			number;			/* unique in the type, and lasting */
	char	   *comment;		/* or NULL */
	bool		relation;		/* need not be there */
} Member;

typedef struct Language
{
	const char *name;
	bool		is_json;		/* its types are those of JSON documents */
	const char *values[NUM_VALUE_KINDS];	/* NULL for enums and rows, whose
											 * types are of the client */
	void		(*begin) (Client *client);
	void		(*write_enum) (Client *client, ClientType *type, List *labels);
	void		(*write_type) (Client *client, ClientType *type, const char *comment, List *members);
} Language;

struct Client
{
	StringInfoData text;
	const Language *language;
	List	   *types;			/* of ClientType, models first */
	bool		uses_json;
	bool		uses_time;
};

/*
 * Names
 */

/*
 * word returns a text as an identifier: what cannot be in one becomes an
 * underscore.
 */
static char *
word(const char *text)
{
	char	   *result = psprintf("%s%s", text[0] >= '0' && text[0] <= '9' ? "_" : "", text);

	for (char *c = result; *c != '\0'; c++)
	{
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_'))
			*c = '_';
	}
	return result[0] ? result : "_";
}

/*
 * is_listed returns whether a text is one of a list that ends with NULL.
 */
static bool
is_listed(const char *text, const char *const *list)
{
	for (; *list != NULL; list++)
	{
		if (strcmp(*list, text) == 0)
			return true;
	}
	return false;
}

/*
 * type_name returns the name of a type of the client, which no other has: the
 * model's or type's in camel case, with the schema or a number if need be.
 */
static char *
type_name(Client *client, const char *name, const char *schema)
{
	/* what these languages, or the head of a file, call so */
	static const char *const reserved[] = {"Any", "Array", "Boolean", "Date", "Error", "Function", "List", "Literal",
	"Map", "Number", "Object", "Optional", "Partial", "Promise", "Record", "Set", "String", "Symbol", NULL};
	char	   *base = word(corm_camelize_name(name, true));
	char	   *result;

	/* an underscore or a digit is no capital, which Go would take for private */
	if (!(base[0] >= 'A' && base[0] <= 'Z'))
		base = psprintf("T%s", base);
	result = base;
	for (int i = 0;; i++)
	{
		bool		taken = is_listed(result, reserved);
		ListCell   *lc;

		foreach(lc, client->types)
		{
			taken |= pg_strcasecmp(((ClientType *) lfirst(lc))->name, result) == 0;
		}
		if (!taken)
			return result;
		result = i == 0 ? psprintf("%s%s", word(corm_camelize_name(schema, true)), base) :
			psprintf("%s%d", base, i + 1);
	}
}

/*
 * add_type returns the type of the client for a model, or a composite type or
 * enum, which is made if there is none yet.
 */
static ClientType *
add_type(Client *client, CormModel *model, Oid typid)
{
	ClientType *type;
	ListCell   *lc;

	foreach(lc, client->types)
	{
		type = lfirst(lc);
		if (type->typid == typid)
			return type;
	}
	type = palloc(sizeof(ClientType));
	type->typid = typid;
	type->model = model;
	if (model)
		type->name = type_name(client, model->name, corm_model_schema(model));
	else
	{
		/* the type's own name, whatever the search_path */
		HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(typid));
		char	   *schema;

		if (!HeapTupleIsValid(tuple))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("type with OID %u does not exist", typid)));
		schema = get_namespace_name(((Form_pg_type) GETSTRUCT(tuple))->typnamespace);
		type->name = type_name(client, NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), schema ? schema : "");
		ReleaseSysCache(tuple);
	}
	client->types = lappend(client->types, type);
	return type;
}

/*
 * Values
 */

/*
 * value_kind returns what a value of a base type is in JSON.
 */
static ValueKind
value_kind(Oid typid)
{
	switch (typid)
	{
		case INT2OID:
			return VALUE_SMALLINT;
		case INT4OID:
			return VALUE_INTEGER;
		case INT8OID:
			return VALUE_BIGINT;
		case FLOAT4OID:
			return VALUE_REAL;
		case FLOAT8OID:
			return VALUE_DOUBLE;
		case NUMERICOID:
			return VALUE_NUMERIC;
		case BOOLOID:
			return VALUE_BOOLEAN;
		case TIMESTAMPTZOID:
			return VALUE_TIME;
		case BYTEAOID:
			return VALUE_BYTES;
		case JSONOID:
		case JSONBOID:
			return VALUE_JSON;
	}
	if (type_is_enum(typid))
		return VALUE_ENUM;
	if (get_typtype(typid) == TYPTYPE_COMPOSITE)
		return VALUE_ROW;
	return VALUE_STRING;
}

/*
 * value_type returns the client's type for values of a type.  Domains are their
 * base types.  is_array is set if the value is an array of that.
 */
static char *
value_type(Client *client, Oid typid, bool *is_array)
{
	ValueKind	kind;

	typid = getBaseType(typid);
	*is_array = OidIsValid(get_element_type(typid));
	if (*is_array)
		typid = getBaseType(get_element_type(typid));
	kind = value_kind(typid);
	if (client->language->is_json && corm_json_bigint == CORM_JSON_BIGINT_STRING &&
		(kind == VALUE_BIGINT || kind == VALUE_NUMERIC))
		kind = VALUE_STRING;
	client->uses_json |= kind == VALUE_JSON || kind == VALUE_NUMERIC;
	client->uses_time |= kind == VALUE_TIME;
	if (client->language->values[kind])
		return pstrdup(client->language->values[kind]);
	return add_type(client, NULL, typid)->name;
}

/*
 * Members
 */

/*
 * add_member adds a member for a column or attribute.
 */
static List *
add_member(Client *client, List *members, char *key, Oid typid, bool nullable, int number, char *comment)
{
	Member	   *member = palloc0(sizeof(Member));

	member->key = key;
	member->type = value_type(client, typid, &member->is_array);
	member->nullable = nullable;
	member->number = number;
	member->comment = comment;
	return lappend(members, member);
}

/*
 * model_members returns the members of a model: its fields, then its relations
 * to models that are in the list.
 */
static List *
model_members(Client *client, CormModel *model, List *models)
{
	List	   *members = NIL;
	/* above all columns, so that a new one moves nothing */
	int			number = 2000;
	ListCell   *lc;

	for (int i = 0; i < model->nfields; i++)
	{
		CormField  *field = &model->fields[i];
		Form_pg_attribute att = TupleDescAttr(model->tupdesc, field->rownum - 1);

		if (!field->hidden)
			members = add_member(client, members, field->json_key, att->atttypid,
								 !field->not_null, field->rownum, corm_field_comment(model, field));
	}
	foreach(lc, corm_model_relations(model))
	{
		CormRelation *relation = lfirst(lc);
		CormModel  *target = corm_tool_model(models, relation->target);
		Member	   *member;
		bool		taken = false;
		ListCell   *lc2;

		number++;
		foreach(lc2, members)
		{
			taken |= strcmp(((Member *) lfirst(lc2))->key, relation->json_key) == 0;
		}
		if (target == NULL || relation->ambiguous || taken)
			continue;
		member = palloc0(sizeof(Member));
		member->key = relation->json_key;
		member->type = add_type(client, target, target->typid)->name;
		member->is_array = relation->kind == CORM_HAS_MANY || relation->kind == CORM_MANY_TO_MANY;
		member->nullable = !member->is_array;
		member->number = number;
		member->relation = true;
		members = lappend(members, member);
	}
	return members;
}

/*
 * composite_members returns the members of a composite type.
 */
static List *
composite_members(Client *client, Oid typid)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(typid, -1);
	List	   *members = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped)
			members = add_member(client, members, pstrdup(NameStr(att->attname)), att->atttypid, true, att->attnum, NULL);
	}
	return members;
}

/*
 * enum_labels returns the labels of an enum, in their order.
 */
static List *
enum_labels(Oid typid)
{
	Relation	catalog = table_open(EnumRelationId, AccessShareLock);
	Relation	index = index_open(EnumTypIdSortOrderIndexId, AccessShareLock);
	List	   *labels = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_enum_enumtypid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(typid));
	scan = systable_beginscan_ordered(catalog, index, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
		labels = lappend(labels, pstrdup(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel)));
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(catalog, AccessShareLock);
	return labels;
}

/*
 * quoted returns a text as a string of TypeScript, Python, Go or JSON.
 */
static char *
quoted(const char *text)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '"');
	for (const char *c = text; *c != '\0'; c++)
	{
		if (*c == '"' || *c == '\\')
			appendStringInfo(&buf, "\\%c", *c);
		else if ((unsigned char) *c < ' ')
			appendStringInfo(&buf, "\\u%04x", *c);
		else
			appendStringInfoChar(&buf, *c);
	}
	appendStringInfoChar(&buf, '"');
	return buf.data;
}

/*
 * line_end returns how many bytes end a line at a place of a text, 0 if none.  In
 * TypeScript and JavaScript, U+2028 and U+2029 end a line, and a comment, too.
 */
static int
line_end(const char *text)
{
	if (*text == '\r' || *text == '\n')
		return 1;
	if (GetDatabaseEncoding() == PG_UTF8 &&
		(strncmp(text, "\xe2\x80\xa8", 3) == 0 || strncmp(text, "\xe2\x80\xa9", 3) == 0))
		return 3;
	return 0;
}

/*
 * append_comment appends a text as lines of comments, each after a prefix.
 */
static void
append_comment(StringInfo buf, const char *prefix, const char *comment)
{
	const char *start = comment;

	for (const char *c = comment; c != NULL; c++)
	{
		int			end = line_end(c);

		if (*c != '\0' && end == 0)
			continue;
		if (c > start)
			appendStringInfo(buf, "%s%.*s\n", prefix, (int) (c - start), start);
		if (*c == '\0')
			break;
		c += end - 1;
		start = c + 1;
	}
}

/*
 * TypeScript
 */

static void
typescript_begin(Client *client)
{
	appendStringInfoString(&client->text, "// The JSON documents of corm.\n");
}

static void
typescript_enum(Client *client, ClientType *type, List *labels)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfo(&client->text, "\nexport type %s = ", type->name);
	foreach(lc, labels)
	{
		appendStringInfo(&client->text, "%s%s", separator, quoted(lfirst(lc)));
		separator = " | ";
	}
	appendStringInfoString(&client->text, labels == NIL ? "never;\n" : ";\n");
}

static void
typescript_type(Client *client, ClientType *type, const char *comment, List *members)
{
	StringInfo	text = &client->text;
	ListCell   *lc;

	appendStringInfoChar(text, '\n');
	append_comment(text, "// ", comment);
	appendStringInfo(text, "export interface %s {\n", type->name);
	foreach(lc, members)
	{
		Member	   *member = lfirst(lc);

		append_comment(text, "  // ", member->comment);
		appendStringInfo(text, "  %s%s: %s%s%s;\n",
						 strcmp(word(member->key), member->key) == 0 ? member->key : quoted(member->key),
						 member->relation ? "?" : "", member->type, member->is_array ? "[]" : "",
						 member->nullable ? " | null" : "");
	}
	appendStringInfoString(text, "}\n");
}

/*
 * Python
 */

static void
python_begin(Client *client)
{
	appendStringInfoString(&client->text, "\"\"\"The JSON documents of corm.\n\n"
						   "A member whose key in JSON is no name of Python's has it as metadata[\"key\"].\n\"\"\"\n\n"
						   "from __future__ import annotations\n\n"
						   "from dataclasses import dataclass, field\n"
						   "from typing import Any, List, Literal, Optional\n");
}

static void
python_enum(Client *client, ClientType *type, List *labels)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfo(&client->text, "\n%s = Literal[", type->name);
	foreach(lc, labels)
	{
		appendStringInfo(&client->text, "%s%s", separator, quoted(lfirst(lc)));
		separator = ", ";
	}
	appendStringInfoString(&client->text, labels == NIL ? "\"\"]\n" : "]\n");
}

static void
python_type(Client *client, ClientType *type, const char *comment, List *members)
{
	static const char *const keywords[] = {"False", "None", "True", "and", "as", "assert", "async", "await", "break",
		"class", "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
		"in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
	"field", "dataclass", "Any", "List", "Literal", "Optional", "int", "float", "str", "bool", NULL};
	StringInfo	text = &client->text;
	ListCell   *lc;

	appendStringInfoChar(text, '\n');
	append_comment(text, "# ", comment);
	appendStringInfo(text, "@dataclass\nclass %s:\n", type->name);
	foreach(lc, members)
	{
		Member	   *member = lfirst(lc);
		char	   *name = word(member->key);
		char	   *annotation = member->is_array ? psprintf("List[%s]", member->type) : member->type;
		StringInfoData arguments;

		if (is_listed(name, keywords) || name[0] == '_')
			name = psprintf("%s_", name[0] == '_' ? psprintf("x%s", name) : name);
		initStringInfo(&arguments);
		if (member->relation)
			appendStringInfoString(&arguments, "default=None");
		if (strcmp(name, member->key) != 0)
			appendStringInfo(&arguments, "%smetadata={\"key\": %s}", arguments.len > 0 ? ", " : "", quoted(member->key));
		append_comment(text, "    # ", member->comment);
		if (member->nullable || member->relation)
			appendStringInfo(text, "    %s: Optional[%s]", name, annotation);
		else
			appendStringInfo(text, "    %s: %s", name, annotation);
		if (strcmp(arguments.data, "default=None") == 0)
			appendStringInfoString(text, " = None\n");
		else if (arguments.len > 0)
			appendStringInfo(text, " = field(%s)\n", arguments.data);
		else
			appendStringInfoChar(text, '\n');
	}
	if (members == NIL)
		appendStringInfoString(text, "    pass\n");
}

/*
 * Go
 */

static void
go_begin(Client *client)
{
	appendStringInfoString(&client->text, "// Package models has the JSON documents of corm.\npackage models\n");
	if (client->uses_json)
		appendStringInfoString(&client->text, "\nimport \"encoding/json\"\n");
	if (client->uses_time)
		appendStringInfoString(&client->text, "\nimport \"time\"\n");
}

static void
go_enum(Client *client, ClientType *type, List *labels)
{
	List	   *names = NIL;
	ListCell   *lc;

	appendStringInfo(&client->text, "\ntype %s string\n\nconst (\n", type->name);
	foreach(lc, labels)
	{
		char	   *name = psprintf("%s%s", type->name, word(corm_camelize_name(word(lfirst(lc)), true)));

		while (list_member(names, makeString(name)))
			name = psprintf("%s_", name);
		names = lappend(names, makeString(name));
		appendStringInfo(&client->text, "\t%s %s = %s\n", name, type->name, quoted(lfirst(lc)));
	}
	appendStringInfoString(&client->text, ")\n");
}

static void
go_type(Client *client, ClientType *type, const char *comment, List *members)
{
	StringInfo	text = &client->text;
	List	   *names = NIL;
	ListCell   *lc;

	appendStringInfoChar(text, '\n');
	append_comment(text, "// ", comment);
	appendStringInfo(text, "type %s struct {\n", type->name);
	foreach(lc, members)
	{
		Member	   *member = lfirst(lc);
		char	   *name = word(corm_camelize_name(member->key, true));
		bool		is_json = strcmp(member->type, "json.RawMessage") == 0;
		const char *pointer = "";
		const char *omit = member->relation ? ",omitempty" : "";
		char	   *tag;

		/* only what begins with a capital is read and written */
		if (!(name[0] >= 'A' && name[0] <= 'Z'))
			name = psprintf("X%s", name);
		while (list_member(names, makeString(name)))
			name = psprintf("%s_", name);
		names = lappend(names, makeString(name));
		if (!member->is_array && ((member->nullable && !is_json) || member->relation))
			pointer = "*";
		append_comment(text, "\t// ", member->comment);
		appendStringInfo(text, "\t%s %s%s%s", name, member->is_array ? "[]" : "", pointer, member->type);
		/* a struct's tag is a string with a string in it; Go knows no commas and quotes in keys */
		tag = psprintf("json:%s", quoted(psprintf("%s%s", member->key, omit)));
		if (strpbrk(member->key, "`,\"\\'") != NULL)
			appendStringInfoString(text, " // has a key in JSON that Go cannot name\n");
		else
			appendStringInfo(text, " `%s`\n", tag);
	}
	appendStringInfoString(text, "}\n");
}

/*
 * Protocol buffers
 */

static void
proto_begin(Client *client)
{
	appendStringInfoString(&client->text, "// The documents of corm.\nsyntax = \"proto3\";\n");
	if (client->uses_time)
		appendStringInfoString(&client->text, "\nimport \"google/protobuf/timestamp.proto\";\n");
}

/*
 * proto_unique returns a name that no other of a list is like, and adds it to
 * the list: underscores do not count, since names in JSON are without them.
 */
static char *
proto_unique(List **names, char *name)
{
	char	   *result = name;

	for (int i = 2;; i++)
	{
		char	   *bare = palloc0(strlen(result) + 1);
		int			n = 0;

		for (char *c = result; *c != '\0'; c++)
		{
			if (*c != '_')
				bare[n++] = *c;
		}
		if (!list_member(*names, makeString(bare)))
		{
			*names = lappend(*names, makeString(bare));
			return result;
		}
		result = psprintf("%s_v%d", name, i);
	}
}

/*
 * proto_constant returns the name of a value of an enum, in capitals after the
 * name of the type, since the names of all values of a file are in one space.
 */
static char *
proto_constant(ClientType *type, const char *label)
{
	char	   *name = psprintf("%s_%s", corm_underscore_name(type->name), corm_underscore_name(word(label)));

	for (char *c = name; *c != '\0'; c++)
		*c = pg_ascii_toupper(*c);
	return name;
}

static void
proto_enum(Client *client, ClientType *type, List *labels)
{
	List	   *names = NIL;
	int			number = 0;
	ListCell   *lc;

	appendStringInfo(&client->text, "\nenum %s {\n  %s = 0;\n", type->name, proto_constant(type, "unspecified"));
	(void) proto_unique(&names, proto_constant(type, "unspecified"));
	foreach(lc, labels)
		appendStringInfo(&client->text, "  %s = %d;\n", proto_unique(&names, proto_constant(type, lfirst(lc))), ++number);
	appendStringInfoString(&client->text, "}\n");
}

static void
proto_type(Client *client, ClientType *type, const char *comment, List *members)
{
	StringInfo	text = &client->text;
	List	   *names = NIL;
	ListCell   *lc;

	appendStringInfoChar(text, '\n');
	append_comment(text, "// ", comment);
	appendStringInfo(text, "message %s {\n", type->name);
	foreach(lc, members)
	{
		Member	   *member = lfirst(lc);
		char	   *name = corm_underscore_name(word(member->key));

		if (!(name[0] >= 'a' && name[0] <= 'z'))
			name = psprintf("x%s", name);
		name = proto_unique(&names, name);
		append_comment(text, "  // ", member->comment);
		appendStringInfo(text, "  %s%s %s = %d%s;\n",
						 member->is_array ? "repeated " : member->nullable || member->relation ? "optional " : "",
						 member->type, name, member->number,
						 strcmp(name, member->key) == 0 ? "" : psprintf(" [json_name = %s]", quoted(member->key)));
	}
	appendStringInfoString(text, "}\n");
}

static const Language languages[] = {
	{
		"typescript", true,
		{"string", "number", "number", "number", "number", "number", "number", "boolean", "string", "string", "unknown", NULL, NULL},
		typescript_begin, typescript_enum, typescript_type
	},
	{
		"python", true,
		{"str", "int", "int", "int", "float", "float", "float", "bool", "str", "str", "Any", NULL, NULL},
		python_begin, python_enum, python_type
	},
	{
		"go", true,
		{"string", "int16", "int32", "int64", "float32", "float64", "json.Number", "bool", "time.Time", "string",
		"json.RawMessage", NULL, NULL},
		go_begin, go_enum, go_type
	},
	{
		"proto", false,
		{"string", "int32", "int32", "int64", "float", "double", "string", "bool", "google.protobuf.Timestamp", "bytes",
		"string", NULL, NULL},
		proto_begin, proto_enum, proto_type
	},
};

/*
 * find_language returns the language with this name, or raises 22023.
 */
static const Language *
find_language(const char *name)
{
	for (int i = 0; i < lengthof(languages); i++)
	{
		if (strcmp(languages[i].name, name) == 0)
			return &languages[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown language \"%s\" of client types", name),
			 errhint("The languages are \"typescript\", \"python\", \"go\" and \"proto\".")));
}

PG_FUNCTION_INFO_V1(corm_client_types);
Datum		corm_client_types(PG_FUNCTION_ARGS);

/*
 * corm_client_types is corm.client_types(language text, models regclass[]).
 *
 * A type is written as soon as it is its turn; those that its members need are
 * appended to the list meanwhile, so that the list ends when all are written.
 * What the file begins with depends on them, so it is put together at the end.
 */
Datum
corm_client_types(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the language", "the models"};
	Client		client = {{0}};
	StringInfoData types;
	List	   *models;
	ListCell   *lc;

	corm_require_args(fcinfo, names, lengthof(names));
	client.language = find_language(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	models = corm_tool_models(PG_GETARG_ARRAYTYPE_P(1), true);
	initStringInfo(&client.text);
	foreach(lc, models)
	{
		add_type(&client, lfirst(lc), ((CormModel *) lfirst(lc))->typid);
	}
	for (int i = 0; i < list_length(client.types); i++)
	{
		ClientType *type = list_nth(client.types, i);

		CHECK_FOR_INTERRUPTS();
		if (type->model)
			client.language->write_type(&client, type, corm_model_comment(type->model),
										model_members(&client, type->model, models));
		else if (type_is_enum(type->typid))
			client.language->write_enum(&client, type, enum_labels(type->typid));
		else
			client.language->write_type(&client, type, NULL, composite_members(&client, type->typid));
	}
	types = client.text;
	initStringInfo(&client.text);
	client.language->begin(&client);
	appendBinaryStringInfo(&client.text, types.data, types.len);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(client.text.data, client.text.len));
}
