/*-------------------------------------------------------------------------
 *
 * node.h
 *		The format of query values, the table of nodes, and writing values.
 *
 * corm.query and corm.expr share one varlena format:
 *
 * 	CormNode header | shape bytes | padding | values
 *
 * The shape is prefix code: a tag byte, then the node's arguments in the
 * order that nodes.def gives.  An expr holds one node, a query a run of
 * clause nodes, so that joining queries is joining bytes.  Of a bound value
 * the shape holds the type and whether it is NULL; the datum itself is in the
 * values section, in the order in which its placeholders stand in the
 * shape.  So two queries that differ in values only have equal shapes, and
 * the shape is the key under which their plan is cached.
 *
 * Stored values may be corrupt and a text form may be hostile: every read is
 * bounds-checked, and nothing is assumed of the bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_NODE_H
#define CORM_VALUE_NODE_H

#include "postgres.h"

#include "base/compat.h"
#include "fmgr.h"

typedef struct CormNode
{
	int32		vl_len_;		/* varlena header */
	uint8		version;		/* CORM_NODE_VERSION */
	uint8		kind;			/* CORM_KIND_QUERY or CORM_KIND_EXPR */
	uint16		unused;
	uint32		shape_len;		/* bytes of shape, unpadded */
	uint32		nvalues;		/* entries of the values section */
} CormNode;

#define CORM_NODE_VERSION	1
#define CORM_KIND_QUERY		'q'
#define CORM_KIND_EXPR		'e'

#define CormNodeShape(n)	((const char *) (n) + sizeof(CormNode))
#define CormNodeValues(n)	(CormNodeShape(n) + MAXALIGN((n)->shape_len))
#define CormNodeEnd(n)		((const char *) (n) + VARSIZE(n))

/*
 * An entry of the values section: this header, the datum, padding to
 * MAXALIGN.  A by-value datum is stored as a Datum; a varlena flat, with a
 * four-byte header; behind a row comes its layout (layout.c), which len
 * includes.  Values given as text carry the type unknown: they take
 * the type of what they meet, as a literal does.
 *
 * With this bit in len, which no value is long enough for, a value is not known
 * yet, and its number stands there as a Datum.  That is so only in queries that
 * read_calls.c has just made, and refused elsewhere.
 */
#define CORM_VALUE_SYMBOL	0x80000000

typedef struct CormValueHeader
{
	uint32		len;			/* of the datum, without header and padding */
	Oid			typid;
} CormValueHeader;

typedef enum CormNodeTag
{
	CORM_N_INVALID = 0,
#define CORM_NODE(tag, ...) CORM_N_##tag,
#include "query/value/nodes.def"
#undef CORM_NODE
	CORM_N_COUNT_OF_TAGS
} CormNodeTag;

/* What a node is, where code asks for that and not for its tag: a column of nodes.def. */
typedef enum CormNodeProperty
{
	CORM_IS_SOURCE = 1 << 0,	/* where a query begins */
	CORM_IS_READ = 1 << 1,		/* a clause of reads only */
	CORM_IS_WRITE = 1 << 2,		/* a clause of writes only ... */
	CORM_IS_INSERT = 1 << 3,	/* ... and of inserts only */
	CORM_IS_COLUMN = 1 << 4,	/* the name of a field or output column */
	CORM_IS_SUBQUERY = 1 << 5,	/* has a query as its argument, resolved in
								 * CormTree.query */
	CORM_IS_RELATION = 1 << 6,	/* has conditions on the rows of a relation */
	CORM_IS_AGGREGATE = 1 << 7, /* calls the aggregate of its name */
	CORM_IS_ATOM = 1 << 8,		/* its SQL can be an operand without
								 * parentheses */
	CORM_LACKS_OPERATOR = 1 << 9	/* its operator is none of schema corm_ops */
} CormNodeProperty;

typedef struct CormNodeDesc
{
	CormNodeTag tag;
	bool		is_clause;
	const char *name;			/* key in the text form */
	const char *func;			/* builder, or NULL */
	const char *args;			/* argument letters, see nodes.def */
	const char *operator;		/* in SQL, or NULL */
	uint32		properties;		/* of CormNodeProperty */
} CormNodeDesc;

/* What there is in CormArg for an argument of a letter. */
typedef enum CormArgHolds
{
	CORM_HOLDS_STRING,			/* str */
	CORM_HOLDS_OID,				/* oid */
	CORM_HOLDS_EXPR,			/* node */
	CORM_HOLDS_EXPRS,			/* list of CormTree: expressions */
	CORM_HOLDS_CLAUSES,			/* list of CormTree: the clauses of a query */
	CORM_HOLDS_NAMES			/* list of char * */
} CormArgHolds;

typedef struct CormLetterDesc
{
	CormArgHolds holds;
	bool		is_list;		/* the last argument: takes all that are left
								 * of a call */
	bool		string_is_field;	/* a string among its expressions is a
									 * field name, not a value */
} CormLetterDesc;

/* the table of nodes */
extern void corm_node_init(void);
extern const CormNodeDesc *corm_node_desc(CormNodeTag tag);
extern const CormNodeDesc *corm_node_by_name(const char *name, int len, bool clause);
extern const CormLetterDesc corm_letter_descs[];

/* corm_letter_desc returns what an argument letter of nodes.def stands for. */
static inline const CormLetterDesc *
corm_letter_desc(char letter)
{
	return &corm_letter_descs[letter - 'A'];
}

extern CormNode *corm_node_check(CormNode *node, char kind);
extern Oid	corm_expr_type_oid(void);
extern Oid	corm_query_type_oid(void);

#define CormPGGetQuery(datum) corm_node_check((CormNode *) PG_DETOAST_DATUM(datum), CORM_KIND_QUERY)
#define CormPGGetExpr(datum) corm_node_check((CormNode *) PG_DETOAST_DATUM(datum), CORM_KIND_EXPR)

/*
 * A value in the making.  Its buffers begin in the struct itself, so nothing is
 * to be freed if it is abandoned.
 */
typedef struct CormWriter
{
	char	   *shape;
	uint32		shape_len;
	uint32		shape_size;
	char	   *values;
	uint32		values_len;
	uint32		values_size;
	uint32		nvalues;
	char		shape_local[256];
	char		values_local[256] pg_attribute_aligned(MAXIMUM_ALIGNOF);
} CormWriter;

extern void corm_writer_init(CormWriter *w);
extern CormNode *corm_writer_finish(CormWriter *w, char kind);
extern void corm_write_tag(CormWriter *w, CormNodeTag tag);
extern void corm_write_count(CormWriter *w, int count);
extern void corm_write_oid(CormWriter *w, Oid oid);
extern void corm_write_name(CormWriter *w, const char *str, int len);
extern void corm_write_text(CormWriter *w, const char *str, int len);
extern void corm_write_value(CormWriter *w, Oid typid, int16 typlen, bool typbyval, Datum value);
extern void corm_write_symbol(CormWriter *w, Oid typid, uint32 number);
extern void corm_write_null(CormWriter *w, Oid typid);
extern void corm_write_node(CormWriter *w, const CormNode *node);
extern void corm_write_query(CormWriter *w, const CormNode *const *queries, int nqueries);

#endif							/* CORM_VALUE_NODE_H */
