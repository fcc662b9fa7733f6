/*-------------------------------------------------------------------------
 *
 * tree.c
 *		Reading query values: shape bytes into a tree, values into an array.
 *
 * Everything here distrusts the bytes: a length that points outside, an
 * unknown tag or a missing value is ERRCODE_DATA_CORRUPTED.  The tree is
 * allocated in the current context and does not point into the value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/query.h"

typedef struct ShapeReader
{
	const char *p;
	const char *end;
	int			nvalues;		/* placeholders seen */
} ShapeReader;

static CormTree *read_node(ShapeReader *r);

static void
corrupted(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("invalid binary value of type corm.query or corm.expr")));
}

static const char *
read_bytes(ShapeReader *r, Size len)
{
	const char *p = r->p;

	if ((Size) (r->end - r->p) < len)
		corrupted();
	r->p += len;
	return p;
}

static uint16
read_uint16(ShapeReader *r)
{
	uint16		n;

	memcpy(&n, read_bytes(r, sizeof(n)), sizeof(n));
	return n;
}

static uint32
read_uint32(ShapeReader *r)
{
	uint32		n;

	memcpy(&n, read_bytes(r, sizeof(n)), sizeof(n));
	return n;
}

static char *
read_string(ShapeReader *r, Size len)
{
	const char *p = read_bytes(r, len);

	if (memchr(p, '\0', len) != NULL)
		corrupted();
	return pnstrdup(p, len);
}

static List *
read_clauses(ShapeReader *r)
{
	List	   *clauses = NIL;

	while (r->p < r->end)
	{
		CormTree   *clause = read_node(r);

		if (!clause->desc->is_clause)
			corrupted();
		clauses = lappend(clauses, clause);
	}
	return clauses;
}

static CormTree *
read_expr(ShapeReader *r)
{
	CormTree   *expr = read_node(r);

	if (expr->desc->is_clause)
		corrupted();
	return expr;
}

static List *
read_subquery(ShapeReader *r)
{
	uint32		len = read_uint32(r);
	ShapeReader sub;
	List	   *clauses;

	sub.p = read_bytes(r, len);
	sub.end = r->p;
	sub.nvalues = r->nvalues;
	clauses = read_clauses(&sub);
	r->nvalues = sub.nvalues;
	return clauses;
}

static void
read_arg(ShapeReader *r, char letter, CormArg *arg)
{
	int			count;

	switch (letter)
	{
		case 'n':
			arg->str = read_string(r, read_uint16(r));
			break;
		case 'o':
			arg->str = read_string(r, read_uint16(r));
			if (arg->str[0] == '\0')
				arg->str = NULL;
			break;
		case 't':
			arg->str = read_string(r, read_uint32(r));
			break;
		case 'r':
		case 'y':
			arg->oid = read_uint32(r);
			break;
		case 'x':
		case 'v':
		case 'j':
		case 'e':
			arg->node = read_expr(r);
			break;
		case 'q':
		case 'Q':
			arg->list = read_subquery(r);
			break;
		case 'N':
			count = read_uint16(r);
			for (int i = 0; i < count; i++)
				arg->list = lappend(arg->list, read_string(r, read_uint16(r)));
			break;
		case 'X':
		case 'O':
		case 'V':
		case 'E':
		case 'P':
		case 'S':
			count = read_uint16(r);
			for (int i = 0; i < count; i++)
				arg->list = lappend(arg->list, read_expr(r));
			break;
		default:
			elog(ERROR, "unrecognized argument letter \"%c\"", letter);
	}
}

static CormTree *
read_node(ShapeReader *r)
{
	CormTree   *tree = palloc0(sizeof(CormTree));

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	tree->tag = (uint8) *read_bytes(r, 1);
	tree->desc = corm_node_desc(tree->tag);
	if (tree->desc == NULL)
		corrupted();

	if (tree->tag == CORM_N_VALUE)
	{
		tree->typid = read_uint32(r);
		tree->valno = r->nvalues++;
		return tree;
	}
	for (int i = 0; tree->desc->args[i] != '\0'; i++)
		read_arg(r, tree->desc->args[i], &tree->args[i]);
	return tree;
}

/*
 * corm_tree_read_query reads a shape of clauses into a list of CormTree.
 * first_valno is the index of its first value, for shapes that are part of
 * a longer run.
 */
List *
corm_tree_read_query(const char *shape, uint32 shape_len, int first_valno)
{
	ShapeReader r = {shape, shape + shape_len, first_valno};

	return read_clauses(&r);
}

/* corm_tree_read_expr reads a shape that holds one expression. */
CormTree *
corm_tree_read_expr(const char *shape, uint32 shape_len, int first_valno)
{
	ShapeReader r = {shape, shape + shape_len, first_valno};
	CormTree   *expr = read_expr(&r);

	if (r.p != r.end)
		corrupted();
	return expr;
}

/*
 * corm_values_read fills values with pointers into the node's values section
 * and returns their number, which is at most max: more raise, as does any
 * disorder.
 */
int
corm_values_read(const CormNode *node, CormValue *values, int max)
{
	const char *p = CormNodeValues(node);
	const char *end = CormNodeEnd(node);
	int			n = 0;

	while (p < end)
	{
		CormValueHeader header;

		if ((Size) (end - p) < sizeof(header) || n >= max)
			corrupted();
		memcpy(&header, p, sizeof(header));
		p += sizeof(header);
		if ((Size) (end - p) < MAXALIGN((Size) header.len))
			corrupted();
		values[n].typid = header.typid;
		values[n].len = header.len;
		values[n].data = p;
		p += MAXALIGN((Size) header.len);
		n++;
	}
	if (n != node->nvalues)
		corrupted();
	return n;
}

/*
 * corm_value_datum makes a Datum of a bound value.  One that is passed by
 * reference points into the query value.
 */
Datum
corm_value_datum(const CormValue *value, int16 typlen, bool typbyval)
{
	Datum		datum;

	if (typbyval)
	{
		if (value->len != sizeof(Datum))
			corrupted();
		memcpy(&datum, value->data, sizeof(Datum));
		return datum;
	}
	if (typlen == -1)
	{
		if (value->len < VARHDRSZ || !VARATT_IS_4B_U(value->data) ||
			VARSIZE(value->data) != value->len)
			corrupted();
	}
	else if (typlen == -2)
	{
		if (value->len == 0 || value->data[value->len - 1] != '\0')
			corrupted();
	}
	else if (value->len != typlen)
		corrupted();
	return PointerGetDatum(value->data);
}
