/*-------------------------------------------------------------------------
 *
 * query.h
 *		Query values: their format, how they are built, read, and turned into
 *		SQL.
 *
 * corm.query and corm.expr share one varlena format:
 *
 *		CormNode header | shape bytes | padding | values
 *
 * The shape is prefix code: a tag byte, then the node's arguments in the
 * order that nodes.def gives.  An expr holds one node, a query a run of
 * clause nodes, so that joining queries is joining bytes.  Of a bound value
 * the shape holds the type and whether it is NULL; the datum itself lies in
 * the values section, in the order in which its placeholders stand in the
 * shape.  Hence two queries that differ in values only have equal shapes,
 * and the shape is the key under which their plan is cached.
 *
 * Stored values may be corrupt and a text form may be hostile: every read is
 * bounds-checked, and nothing is assumed of the bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_QUERY_H
#define CORM_QUERY_H

#include "postgres.h"

#include "base/base.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "model/model.h"
#include "nodes/pg_list.h"

/*
 * The format.
 */
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
 * four-byte header.  Values given as text carry the type unknown: they take
 * the type of what they meet, as a literal does.
 */
typedef struct CormValueHeader
{
	uint32		len;			/* of the datum, without header and padding */
	Oid			typid;
} CormValueHeader;

typedef enum CormNodeTag
{
	CORM_N_INVALID = 0,
#define CORM_NODE(tag, kind, name, func, args) CORM_N_##tag,
#include "query/nodes.def"
#undef CORM_NODE
	CORM_N_COUNT_OF_TAGS
} CormNodeTag;

typedef struct CormNodeDesc
{
	CormNodeTag tag;
	bool		is_clause;
	const char *name;			/* key in the text form */
	const char *func;			/* builder, or NULL */
	const char *args;			/* argument letters, see nodes.def */
} CormNodeDesc;

/* node.c: the table of nodes, and writing of values */
extern const CormNodeDesc *corm_node_desc(CormNodeTag tag);
extern const CormNodeDesc *corm_node_by_name(const char *name, int len, bool clause);
extern CormNode *corm_node_check(CormNode *node, char kind);
extern Oid	corm_expr_type_oid(void);
extern Oid	corm_query_type_oid(void);

#define CormPGGetQuery(datum) corm_node_check((CormNode *) PG_DETOAST_DATUM(datum), CORM_KIND_QUERY)
#define CormPGGetExpr(datum) corm_node_check((CormNode *) PG_DETOAST_DATUM(datum), CORM_KIND_EXPR)

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
extern void corm_write_null(CormWriter *w, Oid typid);
extern void corm_write_node(CormWriter *w, const CormNode *node);
extern void corm_write_query(CormWriter *w, const CormNode *const *queries, int nqueries);

/*
 * tree.c: a value read into a tree.
 */
typedef struct CormTree CormTree;

typedef struct CormArg
{
	char	   *str;			/* n, o (NULL if missing), t */
	Oid			oid;			/* r, y */
	CormTree   *node;			/* x, v, e */
	List	   *list;			/* of CormTree: lists, and the clauses of q and Q; of char * for N */
} CormArg;

#define CORM_MAX_ARGS 3

struct CormTree
{
	CormNodeTag tag;
	const CormNodeDesc *desc;
	CormArg		args[CORM_MAX_ARGS];
	int			valno;			/* VALUE: index into the values section */
	Oid			typid;			/* VALUE: type of the bound value */
};

typedef struct CormValue
{
	Oid			typid;
	const char *data;
	uint32		len;
} CormValue;

extern List *corm_tree_read_query(const char *shape, uint32 shape_len, int first_valno);
extern CormTree *corm_tree_read_expr(const char *shape, uint32 shape_len, int first_valno);
extern int	corm_values_read(const CormNode *node, CormValue *values, int max);
extern Datum corm_value_datum(const CormValue *value, int16 typlen, bool typbyval);

/* text.c */
extern void corm_node_out(StringInfo buf, const CormNode *node);
extern CormNode *corm_node_in(const char *str, char kind);

#endif							/* CORM_QUERY_H */
