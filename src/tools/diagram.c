/*-------------------------------------------------------------------------
 *
 * diagram.c
 *		corm.erd: an entity-relationship diagram, for Mermaid or Graphviz.
 *
 * A model is a node with its fields.  A foreign key is one line, with the names
 * of the relation in both directions; so are declared relations, which are
 * dotted, and many_to_many.  Soft delete and other roles are remarks on fields,
 * scopes are one on the model.  Hidden fields are shown to the owner of the
 * table alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "base/args.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "model/declared.h"
#include "model/describe.h"
#include "model/keys.h"
#include "model/relations.h"
#include "tools/models.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define MAX_REMARK		60		/* bytes of a description that are shown */

/* How many rows there can be at an end of a line. */
typedef enum End
{
	END_ONE,
	END_ZERO_OR_ONE,
	END_MANY
} End;

typedef struct Line
{
	CormModel  *from;
	CormModel  *to;
	End			from_end;
	End			to_end;
	bool		dotted;
	char	   *label;
} Line;

typedef struct Diagram
{
	StringInfoData text;
	List	   *models;
	List	   *lines;			/* of Line */
} Diagram;

/*
 * Lines
 */

/*
 * inverse_of returns the relation that leads back over the same foreign key,
 * or NULL.
 */
static CormRelation *
inverse_of(CormModel *model, CormModel *target, CormRelation *relation)
{
	ListCell   *lc;

	foreach(lc, corm_model_relations(target))
	{
		CormRelation *other = lfirst(lc);

		if (other->constraint == relation->constraint && OidIsValid(other->constraint) &&
			other->target == model->relid && (other->kind == CORM_HAS_ONE || other->kind == CORM_HAS_MANY))
			return other;
	}
	return NULL;
}

/*
 * add_line adds a line to a diagram.
 */
static void
add_line(Diagram *diagram, CormModel *from, End from_end, CormModel *to, End to_end, bool dotted, char *label)
{
	Line	   *line = palloc(sizeof(Line));

	line->from = from;
	line->from_end = from_end;
	line->to = to;
	line->to_end = to_end;
	line->dotted = dotted;
	line->label = label;
	diagram->lines = lappend(diagram->lines, line);
}

/*
 * has_link returns whether the lines have one over a table between two models,
 * which the relations of both have.
 */
static bool
has_link(Diagram *diagram, CormModel *from, CormModel *to, const char *label)
{
	ListCell   *lc;

	foreach(lc, diagram->lines)
	{
		Line	   *line = lfirst(lc);

		if (line->from == to && line->to == from && line->from_end == END_MANY && line->to_end == END_MANY &&
			strcmp(line->label, label) == 0)
			return true;
	}
	return false;
}

/*
 * add_lines adds the lines of the relations of a model to others of the
 * diagram.
 */
static void
add_lines(Diagram *diagram, CormModel *model)
{
	ListCell   *lc;

	foreach(lc, corm_model_relations(model))
	{
		CormRelation *relation = lfirst(lc);
		CormModel  *target = corm_tool_model(diagram->models, relation->target);
		CormRelation *inverse;
		char	   *label;

		CHECK_FOR_INTERRUPTS();
		if (target == NULL)
			continue;
		switch (relation->kind)
		{
			case CORM_BELONGS_TO:
				inverse = inverse_of(model, target, relation);
				add_line(diagram, target, relation->required ? END_ONE : END_ZERO_OR_ONE, model,
						 inverse && inverse->kind == CORM_HAS_ONE ? END_ZERO_OR_ONE : END_MANY, relation->declared,
						 inverse ? psprintf("%s / %s", inverse->name, relation->name) : relation->name);
				break;
			case CORM_HAS_ONE:
			case CORM_HAS_MANY:
				/* over a foreign key, the belongs_to of the other model draws it */
				if (relation->declared)
					add_line(diagram, model, END_ONE, target,
							 relation->kind == CORM_HAS_ONE ? END_ZERO_OR_ONE : END_MANY, true, relation->name);
				break;
			case CORM_MANY_TO_MANY:
				label = psprintf("through %s", get_rel_name(relation->through));
				if (!has_link(diagram, model, target, label))
					add_line(diagram, model, END_MANY, target, END_MANY, true, label);
				break;
		}
	}
}

/*
 * What is said of fields and models
 */

/*
 * short_type returns the name of a type as a diagram shows it: one word, where
 * PostgreSQL has several, and without a schema.
 */
static char *
short_type(CormField *field)
{
	Oid			element = get_element_type(field->typid);
	Oid			typid = OidIsValid(element) ? element : field->typid;
	const char *brackets = OidIsValid(element) ? "[]" : "";

	switch (typid)
	{
		case TIMESTAMPTZOID:
			return psprintf("timestamptz%s", brackets);
		case TIMESTAMPOID:
			return psprintf("timestamp%s", brackets);
		case TIMETZOID:
			return psprintf("timetz%s", brackets);
		case TIMEOID:
			return psprintf("time%s", brackets);
		case FLOAT8OID:
			return psprintf("float8%s", brackets);
		case VARCHAROID:
			return psprintf("varchar%s", brackets);
		case BPCHAROID:
			return psprintf("char%s", brackets);
		case VARBITOID:
			return psprintf("varbit%s", brackets);
	}
	if (typid >= FirstNormalObjectId)
	{
		HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(typid));

		if (HeapTupleIsValid(tuple))
		{
			char	   *name = psprintf("%s%s", NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), brackets);

			ReleaseSysCache(tuple);
			return name;
		}
	}
	return format_type_extended(field->typid, -1, 0);
}

/*
 * add_remark appends a remark to others.
 */
static void
add_remark(StringInfo remarks, const char *remark)
{
	appendStringInfo(remarks, "%s%s", remarks->len > 0 ? "; " : "", remark);
}

/*
 * field_remarks returns what is said of a field besides its type: the
 * beginning of its description, and its roles.
 */
static char *
field_remarks(CormModel *model, CormField *field)
{
	static const char *const roles[CORM_NUM_ROLES] = {"soft delete", "version", "created", "updated"};
	StringInfoData remarks;
	char	   *description = corm_field_comment(model, field);

	initStringInfo(&remarks);
	if (description)
	{
		int			len = strcspn(description, "\n");

		if (len > MAX_REMARK)
		{
			len = pg_mbcliplen(description, len, MAX_REMARK);
			add_remark(&remarks, psprintf("%.*s...", len, description));
		}
		else
			add_remark(&remarks, pnstrdup(description, len));
	}
	for (int role = 0; role < CORM_NUM_ROLES; role++)
	{
		int			index = *corm_model_role(model, role);

		if (index >= 0 && &model->fields[index] == field)
			add_remark(&remarks, roles[role]);
	}
	if (field->generated)
		add_remark(&remarks, "generated");
	if (field->hidden)
		add_remark(&remarks, "hidden");
	return remarks.data;
}

/*
 * scopes_of returns the names of a model's scopes as a remark, or NULL.
 */
static char *
scopes_of(CormModel *model)
{
	Jsonb	   *json = corm_describe_part(model, "scopes");
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	StringInfoData names;
	char	   *key = "";
	char	   *name = NULL;

	initStringInfo(&names);
	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE && strcmp(key, "name") == 0 && value.type == jbvString)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE && strcmp(key, "is_default") == 0 && value.type == jbvBool && value.val.boolean && name)
			name = psprintf("%s, by default", name);
		else if (token == WJB_END_OBJECT && name)
		{
			add_remark(&names, name);
			name = NULL;
		}
	}
	return names.len > 0 ? psprintf("scopes: %s", names.data) : NULL;
}

/*
 * field_keys returns which keys a field is part of, for people who know the
 * abbreviations.
 */
static char *
field_keys(CormModel *model, CormField *field)
{
	StringInfoData keys;
	bool		foreign = false;
	ListCell   *lc;

	initStringInfo(&keys);
	if (field->primary_key)
		appendStringInfoString(&keys, "PK");
	foreach(lc, corm_model_relations(model))
	{
		CormRelation *relation = lfirst(lc);

		for (int i = 0; relation->kind == CORM_BELONGS_TO && i < relation->nkeys; i++)
			foreign |= strcmp(relation->columns[i], field->column) == 0;
	}
	if (foreign)
		appendStringInfo(&keys, "%sFK", keys.len > 0 ? ", " : "");
	if (!field->primary_key && corm_columns_are_unique(model->table, 1, &field->attnum))
		appendStringInfo(&keys, "%sUK", keys.len > 0 ? ", " : "");
	return keys.data;
}

/*
 * node_name returns the name of a model's node: that of the model, with the
 * schema if another one has the same.
 */
static char *
node_name(Diagram *diagram, CormModel *model)
{
	ListCell   *lc;

	foreach(lc, diagram->models)
	{
		CormModel  *other = lfirst(lc);

		if (other != model && strcmp(other->name, model->name) == 0)
			return psprintf("%s.%s", corm_model_schema(model), model->name);
	}
	return model->name;
}

/*
 * Mermaid
 */

/*
 * mermaid_quoted returns a text in quotes.  There is no way to have one inside.
 */
static char *
mermaid_quoted(const char *text)
{
	char	   *quoted = psprintf("\"%s\"", text);

	for (char *c = quoted + 1; c[0] != '\0' && c[1] != '\0'; c++)
	{
		if (*c == '"')
			*c = '\'';
		else if (*c == '\n' || *c == '\r' || *c == '%' || *c == '\\')
			*c = ' ';
	}
	return quoted;
}

/*
 * is_word returns whether a text is made of letters, digits, underscores, and
 * what extra has, and begins with a letter or underscore.
 */
static bool
is_word(const char *text, const char *extra)
{
	for (const char *c = text; *c != '\0'; c++)
	{
		bool		letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';

		if (!letter && (c == text || !((*c >= '0' && *c <= '9') || strchr(extra, *c))))
			return false;
	}
	return text[0] != '\0';
}

/*
 * mermaid_entity returns the name of an entity, in quotes unless it is a word
 * that is none of Mermaid's.
 */
static char *
mermaid_entity(const char *name)
{
	static const char *const keywords[] = {"one", "only", "zero", "many", "optionally", "to", "title", "direction",
	"style", "class", "classDef", "accTitle", "accDescr", "u", "TB", "BT", "LR", "RL"};

	for (int i = 0; i < lengthof(keywords); i++)
	{
		if (strcmp(name, keywords[i]) == 0)
			return mermaid_quoted(name);
	}
	return is_word(name, "") ? pstrdup(name) : mermaid_quoted(name);
}

/*
 * mermaid_word returns a text as a word: what cannot be in one becomes an
 * underscore.
 */
static char *
mermaid_word(const char *text)
{
	char	   *word;

	if (is_word(text, "-[]()"))
		return pstrdup(text);
	word = psprintf("%s%s", is_word(pnstrdup(text, 1), "") ? "" : "_", text);
	for (char *c = word; *c != '\0'; c++)
	{
		if (!is_word(pnstrdup(c, 1), "") && !(*c >= '0' && *c <= '9') && strchr("-[]()", *c) == NULL)
			*c = '_';
	}
	return word;
}

/*
 * write_mermaid writes the diagram for Mermaid.
 */
static void
write_mermaid(Diagram *diagram)
{
	static const char *const left[] = {"||", "|o", "}o"};
	static const char *const right[] = {"||", "o|", "o{"};
	StringInfo	text = &diagram->text;
	ListCell   *lc;

	appendStringInfoString(text, "erDiagram\n");
	foreach(lc, diagram->models)
	{
		CormModel  *model = lfirst(lc);
		char	   *name = node_name(diagram, model);
		char	   *scopes = scopes_of(model);

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(text, "    %s", mermaid_entity(name));
		if (scopes)
			appendStringInfo(text, "[%s]", mermaid_quoted(psprintf("%s (%s)", name, scopes)));
		appendStringInfoString(text, " {\n");
		for (int i = 0; i < model->nfields; i++)
		{
			CormField  *field = &model->fields[i];
			char	   *word = mermaid_word(field->name);
			char	   *keys = field_keys(model, field);
			char	   *remarks = field_remarks(model, field);

			if (!corm_model_shows(model, field->column))
				continue;
			if (strcmp(word, field->name) != 0)
				remarks = psprintf("%s%s%s", field->name, remarks[0] ? "; " : "", remarks);
			appendStringInfo(text, "        %s %s", mermaid_word(short_type(field)), word);
			if (keys[0])
				appendStringInfo(text, " %s", keys);
			if (remarks[0])
				appendStringInfo(text, " %s", mermaid_quoted(remarks));
			appendStringInfoChar(text, '\n');
		}
		appendStringInfoString(text, "    }\n");
	}
	foreach(lc, diagram->lines)
	{
		Line	   *line = lfirst(lc);

		appendStringInfo(text, "    %s %s%s%s %s : %s\n", mermaid_entity(node_name(diagram, line->from)),
						 left[line->from_end], line->dotted ? ".." : "--", right[line->to_end],
						 mermaid_entity(node_name(diagram, line->to)), mermaid_quoted(line->label));
	}
}

/*
 * Graphviz
 */

/*
 * dot_quoted returns a text in quotes.
 */
static char *
dot_quoted(const char *text)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '"');
	for (const char *c = text; *c != '\0'; c++)
	{
		if (*c == '"' || *c == '\\')
			appendStringInfoChar(&buf, '\\');
		appendStringInfoChar(&buf, *c);
	}
	appendStringInfoChar(&buf, '"');
	return buf.data;
}

/*
 * append_html appends a text to a label that is written as HTML.
 */
static void
append_html(StringInfo buf, const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
	{
		switch (*c)
		{
			case '<':
				appendStringInfoString(buf, "&lt;");
				break;
			case '>':
				appendStringInfoString(buf, "&gt;");
				break;
			case '&':
				appendStringInfoString(buf, "&amp;");
				break;
			case '"':
				appendStringInfoString(buf, "&quot;");
				break;
			default:
				appendStringInfoChar(buf, *c);
		}
	}
}

/*
 * write_dot writes the diagram for Graphviz.
 */
static void
write_dot(Diagram *diagram)
{
	static const char *const arrows[] = {"teetee", "teeodot", "crowodot"};
	StringInfo	text = &diagram->text;
	ListCell   *lc;

	appendStringInfoString(text, "digraph models {\n"
						   "    rankdir=LR;\n"
						   "    node [shape=plain, fontname=\"sans-serif\", fontsize=10];\n"
						   "    edge [dir=both, fontname=\"sans-serif\", fontsize=9];\n");
	foreach(lc, diagram->models)
	{
		CormModel  *model = lfirst(lc);
		char	   *name = node_name(diagram, model);
		char	   *scopes = scopes_of(model);

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(text, "    %s [label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"0\" cellpadding=\"3\">"
						 "<tr><td colspan=\"3\" bgcolor=\"#e8e8e8\"><b>", dot_quoted(name));
		append_html(text, name);
		appendStringInfoString(text, "</b>");
		if (scopes)
		{
			appendStringInfoString(text, "<br/>");
			append_html(text, scopes);
		}
		appendStringInfoString(text, "</td></tr>");
		for (int i = 0; i < model->nfields; i++)
		{
			CormField  *field = &model->fields[i];
			char	   *keys = field_keys(model, field);
			char	   *remarks = field_remarks(model, field);

			if (!corm_model_shows(model, field->column))
				continue;
			appendStringInfoString(text, "\n        <tr><td align=\"left\">");
			append_html(text, field->name);
			appendStringInfoString(text, "</td><td align=\"left\">");
			append_html(text, short_type(field));
			if (keys[0])
				appendStringInfo(text, " <b>%s</b>", keys);
			appendStringInfoString(text, "</td><td align=\"left\">");
			/* a cell must not be empty */
			append_html(text, remarks[0] ? remarks : " ");
			appendStringInfoString(text, "</td></tr>");
		}
		appendStringInfoString(text, "\n    </table>>];\n");
	}
	foreach(lc, diagram->lines)
	{
		Line	   *line = lfirst(lc);

		appendStringInfo(text, "    %s -> %s [label=%s, arrowtail=%s, arrowhead=%s%s];\n",
						 dot_quoted(node_name(diagram, line->from)), dot_quoted(node_name(diagram, line->to)),
						 dot_quoted(line->label), arrows[line->from_end], arrows[line->to_end],
						 line->dotted ? ", style=dashed" : "");
	}
	appendStringInfoString(text, "}\n");
}

PG_FUNCTION_INFO_V1(corm_erd);
Datum		corm_erd(PG_FUNCTION_ARGS);

/*
 * corm_erd is corm.erd(models regclass[], format text).
 */
Datum
corm_erd(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the models", "the format"};
	Diagram		diagram = {{0}};
	char	   *format;
	ListCell   *lc;

	corm_require_args(fcinfo, names, lengthof(names));
	format = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(format, "mermaid") != 0 && strcmp(format, "dot") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown format \"%s\" of a diagram", format),
				 errhint("The formats are \"mermaid\" and \"dot\".")));
	initStringInfo(&diagram.text);
	diagram.models = corm_tool_models(PG_GETARG_ARRAYTYPE_P(0), false);
	foreach(lc, diagram.models)
	{
		add_lines(&diagram, lfirst(lc));
	}
	if (strcmp(format, "mermaid") == 0)
		write_mermaid(&diagram);
	else
		write_dot(&diagram);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(diagram.text.data, diagram.text.len));
}
