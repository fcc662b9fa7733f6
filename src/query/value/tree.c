/*-------------------------------------------------------------------------
 *
 * tree.c
 *		Reading query values: shape bytes into a tree, values into an array.
 *
 * Nothing here trusts the bytes.  A length out of bounds, an unknown tag or a
 * missing value raises ERRCODE_DATA_CORRUPTED.  The tree is allocated in the
 * current context and does not point into the value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/value/layout.h"
#include "query/value/node.h"
#include "query/value/tree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

typedef struct ShapeReader
{
	const char *p;
	const char *end;
	const CormValue *values;	/* by number of the placeholder */
	int			next_value;		/* number of the next placeholder */
	int			end_value;		/* number of the first one past this shape */
	bool		showing;		/* for display only: accept BROKEN nodes */
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

/*
 * Reads clauses up to the end of the shape, as a list of CormTree.  Raises
 * XX001 for a node that is not a clause.
 */
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
	ShapeReader sub = *r;
	List	   *clauses;

	sub.p = read_bytes(r, len);
	sub.end = r->p;
	clauses = read_clauses(&sub);
	r->next_value = sub.next_value;
	return clauses;
}

/*
 * Reads an argument with the given letter into *arg, which must be zeroed.
 * Strings are copied.
 */
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
		case 'i':
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

/*
 * Reads a node with its arguments, in the current context.  Raises XX001 for
 * corrupt bytes, 42704 for a BROKEN node unless r->showing is set.
 */
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
		if (r->next_value >= r->end_value || r->values[r->next_value].typid != tree->typid)
			corrupted();
		tree->bound = &r->values[r->next_value];
		tree->valno = r->next_value++;
		return tree;
	}
	for (int i = 0; tree->desc->args[i] != '\0'; i++)
		read_arg(r, tree->desc->args[i], &tree->args[i]);
	if (tree->tag == CORM_N_BROKEN && !r->showing)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("query has a value that is lost"),
				 errdetail_internal("%s", tree->args[0].str),
				 errhint("Build the query again.")));
	return tree;
}

static ShapeReader
begin_shape(const CormNode *node, const CormValue *values, int first_valno)
{
	ShapeReader r = {
		.p = CormNodeShape(node),
		.end = CormNodeShape(node) + node->shape_len,
		.values = values,
		.next_value = first_valno,
		.end_value = first_valno + node->nvalues
	};

	return r;
}

/*
 * corm_tree_read_query reads a query into a list of CormTree, one per clause.
 * values are the bound values of the call; those of this query start at
 * first_valno.  Raises XX001 if a value has another type than its placeholder.
 * The tree points into values, which must outlive it.
 */
List *
corm_tree_read_query(const CormNode *node, const CormValue *values, int first_valno)
{
	ShapeReader r = begin_shape(node, values, first_valno);
	List	   *clauses = read_clauses(&r);

	if (r.next_value != r.end_value)
		corrupted();
	return clauses;
}

/*
 * corm_tree_read_expr does the same for an expression; values are its own
 * bound values.
 */
CormTree *
corm_tree_read_expr(const CormNode *node, const CormValue *values)
{
	ShapeReader r = begin_shape(node, values, 0);
	CormTree   *expr = read_expr(&r);

	if (r.p != r.end || r.next_value != r.end_value)
		corrupted();
	return expr;
}

/*
 * corm_tree_show reads a value of either kind for display: a list of its
 * clauses, or of its one expression.  It accepts BROKEN nodes, which the other
 * functions reject.  values are its bound values.
 */
List *
corm_tree_show(const CormNode *node, const CormValue *values)
{
	ShapeReader r = begin_shape(node, values, 0);
	List	   *trees;

	r.showing = true;
	trees = node->kind == CORM_KIND_QUERY ? read_clauses(&r) : list_make1(read_expr(&r));
	if (r.p != r.end || r.next_value != r.end_value)
		corrupted();
	return trees;
}

static int
read_values(const CormNode *node, CormValue *values, int max, bool symbols)
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
		values[n].symbol = 0;
		if (symbols && header.len == (sizeof(Datum) | CORM_VALUE_SYMBOL) && (Size) (end - p) >= sizeof(Datum))
		{
			Datum		number;

			memcpy(&number, p, sizeof(number));
			values[n].symbol = DatumGetUInt32(number);
			header.len = sizeof(Datum);
		}
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
 * corm_values_read fills values with pointers into the node's values section
 * and returns their number.  Raises XX001 if there are more than max, or if
 * the section is corrupt.  The node must outlive values.
 */
int
corm_values_read(const CormNode *node, CormValue *values, int max)
{
	return read_values(node, values, max, false);
}

/*
 * corm_values_read_symbols does the same for a query of read_calls.c, in which
 * not all values are known.
 */
int
corm_values_read_symbols(const CormNode *node, CormValue *values, int max)
{
	return read_values(node, values, max, true);
}

/*
 * Returns whether a varlena value still matches the layout stored behind it;
 * true if there is none.  The caller has done check_varlena().
 */
static bool
layout_matches(const CormValue *value)
{
	uint32		start = MAXALIGN(VARSIZE(value->data));

	if (VARSIZE(value->data) >= value->len)
		return true;
	if (start > value->len || (value->len - start) % sizeof(uint32) != 0)
		corrupted();
	return corm_layout_matches(value->typid, value->data + start,
							   (value->len - start) / sizeof(uint32));
}

/*
 * Raises XX001 unless the value is a plain varlena with a 4-byte header within
 * bounds.
 */
static void
check_varlena(const CormValue *value)
{
	if (value->len < VARHDRSZ || !VARATT_IS_4B_U(value->data) || VARSIZE(value->data) > value->len)
		corrupted();
}

/*
 * corm_value_problem returns NULL if the value's type can still read it, else
 * the reason, as a sentence.  Call it before touching the datum: if a row type
 * has changed, the bytes are garbage.
 */
const char *
corm_value_problem(const CormValue *value)
{
	if (!get_typisdefined(value->typid))
		return "The type of the value does not exist any more.";
	/* built-in types contain no rows whose type can change */
	if (value->typid >= FirstNormalObjectId && get_typlen(value->typid) == -1)
	{
		check_varlena(value);
		if (!layout_matches(value))
			return psprintf("Type %s has changed since the value was bound.",
							format_type_be_qualified(value->typid));
	}
	return NULL;
}

/*
 * corm_value_datum returns a bound value as a Datum.  A by-reference Datum
 * points into the query value, which must outlive it.  Raises XX001 if the
 * length does not fit the type, 42804 if the row type has changed.
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
		check_varlena(value);
		if (!layout_matches(value))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("type %s of a bound value has changed since it was bound",
							format_type_be(value->typid)),
					 errhint("Build the query again.")));
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

/*
 * Building trees
 */

/*
 * corm_make_tree returns a new node without arguments, in the current context.
 */
CormTree *
corm_make_tree(CormNodeTag tag)
{
	CormTree   *tree = palloc0(sizeof(CormTree));

	tree->tag = tag;
	tree->desc = corm_node_desc(tag);
	return tree;
}

/* corm_make_binary returns a new node with two expressions as arguments. */
CormTree *
corm_make_binary(CormNodeTag tag, CormTree *left, CormTree *right)
{
	CormTree   *tree = corm_make_tree(tag);

	tree->args[0].node = left;
	tree->args[1].node = right;
	return tree;
}

/*
 * corm_make_list returns a new node whose argument is a list of expressions.
 */
CormTree *
corm_make_list(CormNodeTag tag, List *args)
{
	CormTree   *tree = corm_make_tree(tag);

	tree->args[0].list = args;
	return tree;
}
