/*-------------------------------------------------------------------------
 *
 * node.c
 *		The table of nodes, and the writer of query values.
 *
 * A CormWriter collects shape and values in two buffers that start out on the
 * C stack.  Building a typical clause allocates only its result.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "base/compat.h"
#include "base/schema.h"
#include "catalog/pg_type.h"
#include "query/value/builder.h"
#include "query/value/layout.h"
#include "query/value/node.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

static const CormNodeDesc node_descs[] = {
	{CORM_N_INVALID, false, NULL, NULL, "", NULL, 0},
#define CLAUSE true
#define EXPR false
#define CORM_NODE(tag, kind, name, func, args, operator, properties, ...) \
	{CORM_N_##tag, kind, name, func, args, operator, properties},
#include "query/value/nodes.def"
#undef CORM_NODE
#undef CLAUSE
#undef EXPR
};

/* Descriptions of the argument letters of nodes.def, indexed from 'A'. */
#define LETTER(letter, holds, is_list, string_is_field) \
	[(letter) - 'A'] = {CORM_HOLDS_##holds, is_list, string_is_field}

const CormLetterDesc corm_letter_descs['z' - 'A' + 1] = {
	LETTER('n', STRING, false, false),
	LETTER('o', STRING, false, false),
	LETTER('t', STRING, false, false),
	LETTER('r', OID, false, false),
	LETTER('y', OID, false, false),
	LETTER('i', OID, false, false),
	LETTER('x', EXPR, false, true),
	LETTER('v', EXPR, false, false),
	LETTER('j', EXPR, false, false),
	LETTER('e', EXPR, false, false),
	LETTER('q', CLAUSES, false, false),
	LETTER('P', EXPRS, false, true),
	LETTER('S', EXPRS, false, true),
	LETTER('X', EXPRS, true, true),
	LETTER('O', EXPRS, true, true),
	LETTER('V', EXPRS, true, false),
	LETTER('E', EXPRS, true, false),
	LETTER('N', NAMES, true, false),
	LETTER('Q', CLAUSES, true, false)
};

#undef LETTER

/*
 * corm_node_desc returns the description of a tag, or NULL if there is no such
 * node.  Callers must check: tags come from stored bytes.
 */
const CormNodeDesc *
corm_node_desc(CormNodeTag tag)
{
	if (tag <= CORM_N_INVALID || tag >= CORM_N_COUNT_OF_TAGS)
		return NULL;
	return &node_descs[tag];
}

/* Compares names: clauses before expressions, shorter ones before longer ones. */
static int
compare_names(bool clause_a, const char *a, int len_a, bool clause_b, const char *b, int len_b)
{
	if (clause_a != clause_b)
		return clause_a ? -1 : 1;
	if (len_a != len_b)
		return len_a < len_b ? -1 : 1;
	return memcmp(a, b, len_a);
}

static int
compare_tags(const void *a, const void *b)
{
	const CormNodeDesc *x = &node_descs[*(const uint8 *) a];
	const CormNodeDesc *y = &node_descs[*(const uint8 *) b];

	return compare_names(x->is_clause, x->name, strlen(x->name), y->is_clause, y->name, strlen(y->name));
}

/*
 * corm_node_by_name finds a node by its key in the text form; NULL if there is
 * none.
 */
const CormNodeDesc *
corm_node_by_name(const char *name, int len, bool clause)
{
	static uint8 sorted[CORM_N_COUNT_OF_TAGS];
	static uint8 lengths[CORM_N_COUNT_OF_TAGS]; /* by tag */
	int			low = 0;
	int			high = CORM_N_COUNT_OF_TAGS - 2;

	StaticAssertStmt(CORM_N_COUNT_OF_TAGS <= PG_UINT8_MAX, "a tag is one byte");
	if (sorted[0] == CORM_N_INVALID)
	{
		for (int i = 1; i < CORM_N_COUNT_OF_TAGS; i++)
		{
			sorted[i - 1] = i;
			lengths[i] = strlen(node_descs[i].name);
		}
		qsort(sorted, CORM_N_COUNT_OF_TAGS - 1, sizeof(sorted[0]), compare_tags);
	}
	while (low <= high)
	{
		int			middle = (low + high) / 2;
		const CormNodeDesc *desc = &node_descs[sorted[middle]];
		int			order = compare_names(clause, name, len, desc->is_clause, desc->name, lengths[desc->tag]);

		if (order == 0)
			return desc;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

/*
 * corm_node_check verifies the header of a detoasted value and returns the
 * value.  Raises XX001 if it is corrupt or of another kind.  The code that
 * reads the rest checks it.
 */
CormNode *
corm_node_check(CormNode *node, char kind)
{
	Size		size = VARSIZE(node);

	if (size < sizeof(CormNode) ||
		node->version != CORM_NODE_VERSION ||
		node->kind != kind ||
		node->shape_len > size - sizeof(CormNode) ||
		MAXALIGN((Size) node->shape_len) > size - sizeof(CormNode) ||
	/* every entry has a header, so a corrupt count cannot cause a huge palloc */
		node->nvalues > (size - sizeof(CormNode)) / sizeof(CormValueHeader))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid binary value of type %s",
						kind == CORM_KIND_QUERY ? "corm.query" : "corm.expr")));
	return node;
}

/*
 * Cached OIDs of our two types: every call site of a builder needs them.
 * Reset on any change of a type or schema, since DROP EXTENSION and CREATE
 * EXTENSION change them.
 */
static Oid	expr_type = InvalidOid;
static Oid	query_type = InvalidOid;

static void
forget_types(Datum arg, int cacheid, uint32 hash)
{
	expr_type = InvalidOid;
	query_type = InvalidOid;
}

/*
 * corm_node_init registers the syscache callbacks.  Called once, from
 * _PG_init.
 */
void
corm_node_init(void)
{
	CacheRegisterSyscacheCallback(TYPEOID, forget_types, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_types, (Datum) 0);
	corm_build_init();
}

/*
 * Returns the OID of one of our types.  Raises 42704 if the extension is not
 * installed.
 */
static Oid
type_oid(const char *name)
{
	Oid			nsp = corm_schema_oid();
	Oid			typid = InvalidOid;

	if (OidIsValid(nsp))
		typid = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
								CStringGetDatum(name), ObjectIdGetDatum(nsp));
	if (!OidIsValid(typid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type corm.%s does not exist", name),
				 errhint("Run CREATE EXTENSION corm.")));
	return typid;
}

/* corm_expr_type_oid returns the OID of type corm.expr. */
Oid
corm_expr_type_oid(void)
{
	if (!OidIsValid(expr_type))
		expr_type = type_oid("expr");
	return expr_type;
}

/* corm_query_type_oid returns the OID of type corm.query. */
Oid
corm_query_type_oid(void)
{
	if (!OidIsValid(query_type))
		query_type = type_oid("query");
	return query_type;
}

/*
 * corm_writer_init initializes an empty writer.  An abandoned writer needs no
 * cleanup.
 */
void
corm_writer_init(CormWriter *w)
{
	w->shape = w->shape_local;
	w->shape_len = 0;
	w->shape_size = sizeof(w->shape_local);
	w->values = w->values_local;
	w->values_len = 0;
	w->values_size = sizeof(w->values_local);
	w->nvalues = 0;
}

/*
 * grow makes room for need more bytes in one of the writer's buffers, moving
 * it off the stack the first time.  Raises 54000 if the value gets too large.
 */
static void
grow(char **buf, uint32 *size, uint32 len, char *local, Size need)
{
	Size		want = (Size) len + need;
	Size		newsize = *size;

	if (want > MaxAllocSize / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("query value is too large"),
				 errdetail("A query with its bound values is limited to %d MB.",
						   (int) (MaxAllocSize / 2 / (1024 * 1024)))));
	while (newsize < want)
		newsize *= 2;
	if (*buf == local)
	{
		*buf = palloc(newsize);
		memcpy(*buf, local, len);
	}
	else
		*buf = repalloc(*buf, newsize);
	*size = newsize;
}

static inline char *
shape_room(CormWriter *w, Size need)
{
	char	   *p;

	if (unlikely(w->shape_size - w->shape_len < need))
		grow(&w->shape, &w->shape_size, w->shape_len, w->shape_local, need);
	p = w->shape + w->shape_len;
	w->shape_len += need;
	return p;
}

static inline char *
values_room(CormWriter *w, Size need)
{
	char	   *p;

	if (unlikely(w->values_size - w->values_len < need))
		grow(&w->values, &w->values_size, w->values_len, w->values_local, need);
	p = w->values + w->values_len;
	w->values_len += need;
	return p;
}

/*
 * corm_writer_finish returns the finished value, allocated in the current
 * context, and frees the writer's buffers.
 */
CormNode *
corm_writer_finish(CormWriter *w, char kind)
{
	Size		size = sizeof(CormNode) + MAXALIGN(w->shape_len) + w->values_len;
	CormNode   *node = (CormNode *) palloc(size);
	char	   *shape = (char *) CormNodeShape(node);

	SET_VARSIZE(node, size);
	node->version = CORM_NODE_VERSION;
	node->kind = kind;
	node->unused = 0;
	node->shape_len = w->shape_len;
	node->nvalues = w->nvalues;
	memcpy(shape, w->shape, w->shape_len);
	memset(shape + w->shape_len, 0, MAXALIGN(w->shape_len) - w->shape_len);
	if (w->values_len > 0)
		memcpy(shape + MAXALIGN(w->shape_len), w->values, w->values_len);

	if (w->shape != w->shape_local)
		pfree(w->shape);
	if (w->values != w->values_local)
		pfree(w->values);
	return node;
}

/* corm_write_tag starts a node; its arguments follow. */
void
corm_write_tag(CormWriter *w, CormNodeTag tag)
{
	*shape_room(w, 1) = (char) tag;
}

/*
 * corm_write_count starts a list of count elements.  Raises 54000 for too
 * many.
 */
void
corm_write_count(CormWriter *w, int count)
{
	uint16		n = (uint16) count;

	if (count > PG_UINT16_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many elements in one clause or expression"),
				 errdetail("%d were given, the limit is %d.", count, PG_UINT16_MAX)));
	memcpy(shape_room(w, sizeof(n)), &n, sizeof(n));
}

/* corm_write_oid writes an argument r or y. */
void
corm_write_oid(CormWriter *w, Oid oid)
{
	memcpy(shape_room(w, sizeof(oid)), &oid, sizeof(oid));
}

/*
 * corm_write_name writes an argument n or o; the empty string means no name.
 * Raises 42622 for a name longer than 64 kB.
 */
void
corm_write_name(CormWriter *w, const char *str, int len)
{
	uint16		n = (uint16) len;
	char	   *p;

	if (len > PG_UINT16_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("name is too long"),
				 errdetail("It has %d bytes.", len)));
	p = shape_room(w, sizeof(n) + len);
	memcpy(p, &n, sizeof(n));
	memcpy(p + sizeof(n), str, len);
}

/* corm_write_text writes an argument t. */
void
corm_write_text(CormWriter *w, const char *str, int len)
{
	uint32		n = (uint32) len;
	char	   *p = shape_room(w, sizeof(n) + len);

	memcpy(p, &n, sizeof(n));
	memcpy(p + sizeof(n), str, len);
}

/*
 * corm_write_value writes a bound value: its placeholder to the shape and its
 * datum to the values.  Varlena values are detoasted.  If the type contains
 * rows, the layout follows the datum (layout.c).
 */
void
corm_write_value(CormWriter *w, Oid typid, int16 typlen, bool typbyval, Datum value)
{
	CormValueHeader header;
	const void *data;
	struct varlena *flat = NULL;
	char	   *p;
	Size		padded;
	uint32		datum_len;
	StringInfoData layout = {0};

	if (typbyval)
	{
		data = &value;
		header.len = sizeof(Datum);
	}
	else if (typlen == -1)
	{
		flat = PG_DETOAST_DATUM(value);
		data = flat;
		header.len = VARSIZE(flat);
	}
	else if (typlen == -2)
	{
		data = DatumGetCString(value);
		header.len = strlen(data) + 1;
	}
	else
	{
		data = DatumGetPointer(value);
		header.len = typlen;
	}
	header.typid = typid;
	datum_len = header.len;
	if (typlen == -1 && typid >= FirstNormalObjectId)
	{
		initStringInfo(&layout);
		corm_layout_append(&layout, typid);
		if (layout.len > 0)
			header.len = MAXALIGN(datum_len) + layout.len;
	}

	corm_write_tag(w, CORM_N_VALUE);
	corm_write_oid(w, typid);

	padded = MAXALIGN((Size) header.len);
	p = values_room(w, sizeof(header) + padded);
	memcpy(p, &header, sizeof(header));
	memcpy(p + sizeof(header), data, datum_len);
	memset(p + sizeof(header) + datum_len, 0, padded - datum_len);
	if (layout.len > 0)
		memcpy(p + sizeof(header) + MAXALIGN(datum_len), layout.data, layout.len);
	w->nvalues++;

	if (flat && (Pointer) flat != DatumGetPointer(value))
		pfree(flat);
}

/*
 * corm_write_symbol writes a value that is not known yet.
 */
void
corm_write_symbol(CormWriter *w, Oid typid, uint32 number)
{
	CormValueHeader header = {.len = sizeof(Datum) | CORM_VALUE_SYMBOL, .typid = typid};
	Datum		datum = UInt32GetDatum(number);
	char	   *p;

	corm_write_tag(w, CORM_N_VALUE);
	corm_write_oid(w, typid);
	p = values_room(w, sizeof(header) + sizeof(datum));
	memcpy(p, &header, sizeof(header));
	memcpy(p + sizeof(header), &datum, sizeof(datum));
	w->nvalues++;
}

/*
 * corm_write_null writes a bound NULL.  It is part of the shape and has no
 * datum.
 */
void
corm_write_null(CormWriter *w, Oid typid)
{
	corm_write_tag(w, CORM_N_NULL);
	corm_write_oid(w, typid);
}

static void
write_values(CormWriter *w, const CormNode *node)
{
	Size		len = CormNodeEnd(node) - CormNodeValues(node);

	if (len == 0)
		return;
	memcpy(values_room(w, len), CormNodeValues(node), len);
	w->nvalues += node->nvalues;
}

/* corm_write_node appends an expr, or the clauses of a query, unchanged. */
void
corm_write_node(CormWriter *w, const CormNode *node)
{
	memcpy(shape_room(w, node->shape_len), CormNodeShape(node), node->shape_len);
	write_values(w, node);
}

/*
 * corm_write_query writes an argument q or Q: the length in bytes, then the
 * clauses of all given queries.
 */
void
corm_write_query(CormWriter *w, const CormNode *const *queries, int nqueries)
{
	uint32		len = 0;

	for (int i = 0; i < nqueries; i++)
		len += queries[i]->shape_len;
	memcpy(shape_room(w, sizeof(len)), &len, sizeof(len));
	for (int i = 0; i < nqueries; i++)
		corm_write_node(w, queries[i]);
}
