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

#include "base/compat.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "model/model.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "utils/array.h"

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
 * four-byte header; behind a row comes its layout (layout.c), which len
 * includes.  Values given as text carry the type unknown: they take
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
	CORM_IS_SUBQUERY = 1 << 5,	/* has a query as its argument, resolved in CormTree.query */
	CORM_IS_RELATION = 1 << 6,	/* has conditions on the rows of a relation */
	CORM_IS_AGGREGATE = 1 << 7, /* calls the aggregate of its name */
	CORM_IS_ATOM = 1 << 8,		/* its SQL can be an operand without parentheses */
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
	bool		is_list;		/* the last argument: takes all that are left of a call */
	bool		string_is_field;	/* a string among its expressions is a field name, not a value */
} CormLetterDesc;

/* node.c: the table of nodes, and writing of values */
extern void corm_node_init(void);
extern const CormNodeDesc *corm_node_desc(CormNodeTag tag);
extern const CormLetterDesc corm_letter_descs[];

/* corm_letter_desc returns what an argument letter of nodes.def stands for. */
static inline const CormLetterDesc *
corm_letter_desc(char letter)
{
	return &corm_letter_descs[letter - 'A'];
}

extern const CormNodeDesc *corm_node_by_name(const char *name, int len, bool clause);
extern CormNode *corm_node_check(CormNode *node, char kind);
extern Oid	corm_expr_type_oid(void);
extern Oid	corm_query_type_oid(void);

#define CormPGGetQuery(datum) corm_node_check((CormNode *) PG_DETOAST_DATUM(datum), CORM_KIND_QUERY)
#define CormPGGetExpr(datum) corm_node_check((CormNode *) PG_DETOAST_DATUM(datum), CORM_KIND_EXPR)

/* layout.c: rows among the values */
extern void corm_layout_append(StringInfo buf, Oid typid);
extern Oid	corm_layout_row_type(Oid typid);
extern bool corm_layout_matches(Oid typid, const char *words, uint32 nwords);

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
	CormTree   *node;			/* x, v, j, e */
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
	const struct CormValue *constant;	/* VALUE of a stored expression: the value itself */
	const struct CormValue *bound;	/* VALUE: the value that it was read with, for premises.c */

	/* set by resolve.c */
	struct CormRange *range;	/* COLUMN: where it comes from, NULL if it names an output column */
	CormField  *field;			/* COLUMN: the field, if the range is a model */
	char	   *output;			/* COLUMN: the output or subquery column it names */
	int			output_number;	/* COLUMN: of a set operation's output, from 1 */
	struct CormTree *aliased;	/* COLUMN: the select item of that name */
	Oid			opr;			/* comparison: the operator, if not the one of that name */
	bool		is_referenced;	/* a select item that another clause names */
	struct CormStmt *query;		/* SUBQUERY, EXISTS, ...: the resolved query */
};

/* Whether a node has one of the properties, of CormNodeProperty. */
static inline bool
corm_tree_is(const CormTree *tree, uint32 properties)
{
	return (tree->desc->properties & properties) != 0;
}

/*
 * walk.c: from a node to its parts, in the manner of expression_tree_walker
 */
typedef bool (*CormTreeWalker) (CormTree *tree, void *context);
typedef CormTree *(*CormTreeMutator) (CormTree *tree, void *context);
typedef bool (*CormTreePairWalker) (const CormTree *a, const CormTree *b, void *context);

extern bool corm_tree_walker(CormTree *tree, CormTreeWalker walker, void *context);
extern bool corm_trees_walker(List *trees, CormTreeWalker walker, void *context);
extern CormTree *corm_tree_mutator(const CormTree *tree, CormTreeMutator mutator, void *context);
extern List *corm_trees_mutator(List *trees, CormTreeMutator mutator, void *context);
extern bool corm_tree_pair_walker(const CormTree *a, const CormTree *b, CormTreePairWalker walker, void *context);

typedef struct CormValue
{
	Oid			typid;
	const char *data;
	uint32		len;
} CormValue;

/*
 * stored.c: expressions and queries from corm's catalogs become part of a
 * statement with their values.
 */
extern CormTree *corm_stored_expr(struct varlena *value);
extern List *corm_stored_query(struct varlena *value);

extern List *corm_tree_read_query(const CormNode *node, const CormValue *values, int first_valno);
extern CormTree *corm_tree_read_expr(const CormNode *node, const CormValue *values);
extern List *corm_tree_show(const CormNode *node, const CormValue *values);
extern int	corm_values_read(const CormNode *node, CormValue *values, int max);
extern const char *corm_value_problem(const CormValue *value);
extern Datum corm_value_datum(const CormValue *value, int16 typlen, bool typbyval);

/*
 * resolve.c: clauses become a statement whose names are bound to models.
 */
typedef enum CormCommand
{
	CORM_CMD_SELECT,
	CORM_CMD_INSERT,
	CORM_CMD_UPDATE,
	CORM_CMD_DELETE,
	CORM_CMD_RAW
} CormCommand;

typedef struct CormStmt CormStmt;

/* Something rows come from. */
typedef struct CormRange
{
	char	   *name;			/* what users call it */
	bool		implied;		/* by a relation predicate: nobody chose the name */
	bool		unnamed;		/* for a join to be right: no name means it */
	bool		by_path;		/* joined for a path: known to its own query only */
	bool		named;			/* by the user, or by the table: the alias in SQL if it can be */
	char	   *alias;			/* its alias in SQL; hides only an equal name of a query around */
	CormModel  *model;			/* a table, or NULL */
	CormStmt   *query;			/* a subquery, or NULL */
	char	   *cte;			/* a WITH query, or NULL */
	CormTree   *rows;			/* an array of rows, or NULL */
	List	   *guards;			/* of CormTree: what all its rows satisfy */
	List	   *first_of;		/* of CormTree: it is the first row only that satisfies these */
	List	   *barrier;		/* the same, for what must not see other rows: kept where guards move */
	bool		ordered_by_system;	/* system columns are part of the order */
	CormStmt   *definition;		/* subquery and WITH: what gives its rows ... */
	List	   *columns;		/* ... and output names (char *); of rows: to be numbered by the last */
	CormStmt   *page_of;		/* the page of this statement's rows: its columns are parent_keys */
} CormRange;

typedef struct CormJoin
{
	CormNodeTag tag;			/* JOIN_MODEL, LEFT_JOIN_MODEL, ..., CROSS_JOIN */
	CormRange  *range;
	CormTree   *condition;		/* NULL for a cross join */
	bool		by_relation;	/* of a path or a relation, not on a condition of the user's */
	CormRelation *to_many;		/* it multiplies rows by those of this relation, or NULL */
	struct CormJoin *inner;		/* another range that is joined to this one first, in parentheses */
} CormJoin;

/* A relation that is loaded along with its parents. */
typedef struct CormPreload
{
	CormRelation *relation;
	char	   *name;			/* of the attribute or key it fills */
	char	   *alias;			/* of the lateral subquery */
	bool		to_many;
	CormStmt   *query;			/* over the target; refers to the parents' range */
	bool		implied;		/* only a step of a longer path so far */
} CormPreload;

typedef struct CormCte
{
	char	   *name;
	CormStmt   *query;
} CormCte;

typedef struct CormSetOp
{
	CormNodeTag tag;			/* UNION, UNION_ALL, INTERSECT, EXCEPT */
	CormStmt   *query;
} CormSetOp;

typedef struct CormAssignment
{
	CormField  *field;
	CormTree   *value;
} CormAssignment;

typedef enum CormConflictAction
{
	CORM_CONFLICT_NONE,
	CORM_CONFLICT_NOTHING,
	CORM_CONFLICT_SELECT,		/* leave the row alone but return it */
	CORM_CONFLICT_UPDATE
} CormConflictAction;

struct CormStmt
{
	CormCommand command;
	CormStmt   *parent;			/* the query around a subquery */
	CormStmt   *beside;			/* the query that this is part of, in FROM or a set operation: its
								 * WITH queries are seen, its rows are not */
	CormRange  *source;			/* of a read; the target of a write; NULL for RAW */
	List	   *ranges;			/* of CormRange: source and joins */
	List	   *aliases;		/* root only: aliases in use, of ranges.c */
	List	   *guarded;		/* root only: tables that a guard is about (Oid) */
	List	   *premises;		/* root only: of CormPremise */
	CormStmt   *alias_owner;	/* of a root: where its aliases are kept instead */
	CormRelation *condition_of;	/* a scope for the names in this relation's declared condition */
	List	   *joins;			/* of CormJoin */
	List	   *ctes;			/* of CormCte */
	List	   *select;			/* of CormTree; NIL: all fields */
	bool		distinct;
	List	   *distinct_on;
	List	   *where;
	bool		has_where;		/* a condition was given, other than by a default scope */
	List	   *group_by;
	List	   *having;
	List	   *order_by;
	CormTree   *limit;
	CormTree   *offset;
	CormNodeTag lock;			/* FOR_UPDATE, FOR_SHARE, or CORM_N_INVALID */
	bool		lock_no_key;	/* FOR_UPDATE: of a row whose key stays, as an UPDATE locks it */
	const char *lock_wait;		/* "", " NOWAIT", " SKIP LOCKED" */
	List	   *setops;			/* of CormSetOp */
	bool		unscoped;
	bool		only_deleted;
	bool		restoring;		/* will become the update that undoes a delete */
	List	   *scopes;			/* of char *: scopes asked for */
	List	   *preloads;		/* of CormPreload */
	bool		found;			/* what it shows of models goes through their hooks after_find */
	CormRange  *parents;		/* with preloads: the subquery of this statement's rows */
	List	   *parent_keys;	/* columns (char *) that preloads join by */
	CormTree   *cursor;			/* AFTER or BEFORE */
	bool		reversed;		/* BEFORE: rows are read backwards */
	CormTree   *cached;			/* cached(): the time to live */

	/* writes */
	List	   *sets;			/* of CormAssignment */
	CormTree   *rows;
	List	   *conflict_fields;	/* of CormField */
	bool		staged_upsert;	/* do_update() means staged_given and not what the insert gives */
	List	   *staged_given;	/* of CormField */
	List	   *conflict_exprs;	/* of char *: SQL of expressions of an index */
	char	   *conflict_predicate;	/* SQL of the condition of that index, or NULL */
	CormTree   *conflict_where;
	char	   *conflict_constraint;
	CormConflictAction conflict_action;
	bool		override_identity;	/* INSERT: given values of GENERATED ALWAYS identities count */
	List	   *update_fields;	/* of CormField: do_update(names) */
	List	   *update_sets;	/* of CormAssignment: set() after do_update */
	List	   *touch_sets;		/* of CormAssignment: version and time of update, with do_update */
	bool		soft;			/* DELETE that marks rows as deleted */
	bool		returns;		/* returning() was given */
	List	   *returning;		/* of CormTree; NIL: all fields */
	CormTree   *number;			/* as rows of a type: a column to return after these, or NULL */
	bool		all_rows;
	CormTree   *max_rows;

	/* RAW */
	char	   *raw_sql;
	List	   *raw_args;		/* of CormTree */
};

/* Where in a statement an expression stands: decides what a name may mean. */
typedef enum CormPlace
{
	CORM_PLACE_INPUT,				/* fields only */
	CORM_PLACE_OUTPUT,				/* fields, then select items */
	CORM_PLACE_ORDER					/* select items, then fields; in an expression as OUTPUT */
} CormPlace;

extern CormStmt *corm_resolve(List *clauses, Oid default_model);
extern CormStmt *corm_resolve_restore(List *clauses, Oid default_model);
extern CormStmt *corm_resolve_stmt(List *clauses, Oid default_model, CormStmt *parent);
extern CormStmt *corm_resolve_part(List *clauses, CormStmt *stmt);
extern CormStmt *corm_enclosing_stmt(CormStmt *stmt);

/* clauses.c: clauses put to their places */
extern void corm_misplaced_clause(CormTree *clause, const char *why) pg_attribute_noreturn();
extern void corm_resolve_source(CormStmt *stmt, CormTree *source, Oid default_model);
extern void corm_place_clause(CormStmt *stmt, CormTree *clause, List **preloads);

/* field_roles.c: fields with a meaning of their own */
extern void corm_touch(CormStmt *stmt);
extern CormTree *corm_version_condition(CormRange *range, CormTree *version);
extern void corm_mark_deleted(CormStmt *stmt);
extern void corm_make_restore(CormStmt *stmt);
extern void corm_fill_insert(CormStmt *stmt, Bitmapset *rows_fields);
extern void corm_apply_roles(CormStmt *stmt);

/*
 * premises.c: what a statement takes for granted of its values
 */
typedef enum CormPremiseKind
{
	CORM_PREMISE_EQUAL,			/* two values are equal */
	CORM_PREMISE_EMPTY,			/* an array has no elements */
	CORM_PREMISE_TRUE			/* a boolean is true */
} CormPremiseKind;

typedef struct CormPremise
{
	CormPremiseKind kind;
	bool		holds;			/* how it turned out */
	int			valno[2];		/* values of the call ... */
	const CormValue *constant[2];	/* ... or those that are stored */
} CormPremise;

extern List *corm_premises_begin(void);
extern List *corm_premises_end(List *outer);
extern bool corm_premise(CormPremiseKind kind, const CormTree *a, const CormTree *b);
extern bool corm_premise_holds(const CormPremise *premise, const CormValue *values, int nvalues);

/* same.c: expressions that are said again */
extern void corm_unify_expressions(CormStmt *stmt);
extern int	corm_find_selected(CormStmt *stmt, const CormTree *expr);

/* conflict.c: the key of an upsert */
extern char *corm_conflict_expr(CormModel *model, const char *given);
extern void corm_conflict_index(CormStmt *stmt);

/* truth.c: conditions that say nothing */
extern bool corm_has_condition(List *clauses);

/* depend.c */
extern void corm_depend_init(void);

/* scopes.c */
extern void corm_scopes_init(void);
extern List *corm_scope_clauses(CormModel *model, const char *name);
extern List *corm_default_scope_clauses(CormModel *model);

/* ranges.c: what rows come from */
extern CormRange *corm_find_range(CormStmt *stmt, const char *name, int len);
extern void corm_check_name(const char *name);
extern char *corm_unique_alias(CormStmt *stmt, const char *alias);
extern CormRange *corm_add_range(CormStmt *stmt, const char *name, const char *alias);
extern CormRange *corm_add_model_range(CormStmt *stmt, CormTree *clause, Oid relid, const char *alias);
extern CormRange *corm_add_query_range(CormStmt *stmt, CormTree *clause, List *clauses, const char *alias);
extern CormRange *corm_add_cte_range(CormStmt *stmt, CormTree *clause, const char *name, const char *alias);
extern bool corm_range_column(CormRange *range, CormTree *tree, const char *name);
extern void corm_unknown_column(CormRange *range, CormTree *tree, const char *name) pg_attribute_noreturn();

/* names.c: what names mean */
extern CormTree *corm_make_tree(CormNodeTag tag);
extern CormTree *corm_make_column(CormRange *range, const char *column);
extern CormTree *corm_make_binary(CormNodeTag tag, CormTree *left, CormTree *right);
extern CormTree *corm_make_list(CormNodeTag tag, List *args);
extern CormTree *corm_make_output(CormStmt *stmt, int number);
extern void corm_resolve_expr(CormStmt *stmt, CormTree *tree, CormPlace place);
extern void corm_resolve_list(CormStmt *stmt, List *list, CormPlace place);
extern List *corm_stmt_output_names(CormStmt *stmt);
extern char *corm_item_name(CormTree *item);

/* filter_value.c: values of filters from outside */
struct JsonbValue;
struct JsonbContainer;
extern void corm_bad_filter(const char *detail) pg_attribute_noreturn();
extern void corm_filter_over_limit(const char *what, const char *setting, int limit) pg_attribute_noreturn();
extern bool corm_json_is_object(struct JsonbValue *v);
extern bool corm_json_is_array(struct JsonbValue *v);
extern struct JsonbValue *corm_json_members(struct JsonbContainer *container, int *n);
extern void corm_filter_scalar(CormWriter *w, struct JsonbValue *v, const char *op);
extern void corm_filter_list(CormWriter *w, struct JsonbValue *v, const char *op, bool compared);

/* filter_check.c: filters from outside against their models */
extern void corm_check_filterable(CormTree *tree);
extern void corm_check_filter(CormTree *tree);
extern void corm_check_filter_order(CormTree *tree);
extern List *corm_filter_select(List *items);
extern void corm_check_filter_name(CormRange *range, CormTree *tree, const char *name);

/* joins.c: relations in a statement */
extern void corm_join_relation(CormStmt *stmt, CormTree *clause);
extern List *corm_key_columns(CormRange *range);
extern bool corm_path_column(CormStmt *stmt, CormRange *range, CormTree *tree, const char *path);
extern void corm_resolve_relation_predicate(CormStmt *stmt, CormTree *tree);
extern void corm_add_preload(CormStmt *stmt, const char *path, List *clauses);
extern List *corm_deleted_condition(CormRange *range, bool deleted);
extern void corm_check_condition(CormRelation *relation);
extern CormField *corm_condition_column(CormRelation *relation, const char *name, bool *own);
extern CormRange *corm_parents_range(CormStmt *stmt);
extern char *corm_parent_key_name(int n);
extern char *corm_parent_key(CormStmt *stmt, const char *column);

/* keyset.c: pages */
extern void corm_apply_cursor(CormStmt *stmt);
extern Datum corm_after(PG_FUNCTION_ARGS);
extern Datum corm_before(PG_FUNCTION_ARGS);
extern void corm_complete_order(CormStmt *stmt);
extern void corm_reverse_order(CormStmt *stmt);
extern char *corm_order_hash(CormStmt *stmt);
extern List *corm_order_constants(CormStmt *stmt);
extern char *corm_cursor_encode(const char *hash, ArrayType *values);

/*
 * deparse.c: a statement becomes SQL.
 */
typedef enum CormParamForm
{
	CORM_PARAM_PLAIN,
	CORM_PARAM_CONTAINS,		/* a LIKE pattern made of a literal text */
	CORM_PARAM_STARTS,
	CORM_PARAM_ENDS,
	CORM_PARAM_JSON				/* a value of JSON, which the type of the parameter contains */
} CormParamForm;

/* A $n of the SQL. */
typedef struct CormParam
{
	int			valno;			/* index of the bound value */
	const CormValue *constant;	/* or the value itself */
	Oid			typid;			/* its declared type; UNKNOWNOID: to be inferred */
	CormParamForm form;
	const char *model;			/* for error messages: what it meets */
	const char *field;
	bool		from_filter;	/* a value of a filter from outside */
} CormParam;

typedef enum CormOutput
{
	CORM_OUTPUT_ROWS,			/* rows of a row type, in its attributes' order */
	CORM_OUTPUT_VALUE,			/* one column, cast to a type */
	CORM_OUTPUT_JSON,			/* an array of objects, as one jsonb or json */
	CORM_OUTPUT_JSON_ROW,		/* the first object */
	CORM_OUTPUT_COUNT,
	CORM_OUTPUT_EXISTS,
	CORM_OUTPUT_PAGE,			/* objects and their cursors, one more than the limit */
	CORM_OUTPUT_RESTORE,		/* not the query, but an update that undeletes its rows */
	CORM_OUTPUT_NATIVE			/* whatever the query says; no rows for a write without returning */
} CormOutput;

typedef struct CormDeparseRequest
{
	CormOutput	output;
	Oid			typid;			/* ROWS, VALUE: the type; JSON, JSON_ROW: json, or else jsonb */
	TupleDesc	tupdesc;		/* ROWS: its row descriptor */
	int			limit;			/* at most so many rows are wanted; 0: all */
	bool		order_by_key;	/* order by primary key unless ordered */
	bool		path_is_safe;	/* pg_catalog is searched first: see corm_search_path_is_safe */
	Bitmapset  *rows_fields;	/* INSERT with rows(): fields that they give */
	bool		written;		/* the rows have just been written, so after_find is not called */
} CormDeparseRequest;

typedef struct CormDeparsed
{
	char	   *sql;
	int			nparams;
	CormParam  *params;
	bool		returns_rows;
	char	   *order_hash;		/* PAGE: what its cursors carry */
	bool		uses_search_path;	/* it has names that the search_path finds */
	List	   *tables;			/* Oids: those it names for a range, as often as it does */
} CormDeparsed;

/*
 * The state of writing one statement; deparse.c writes statements, expr.c
 * expressions.
 */
#define CORM_ROWS_ALIAS		"r"		/* of rows that corm wraps or unnests */

typedef struct CormDeparse
{
	StringInfo	buf;
	List	   *params;			/* of CormParam */
	List	   *tables;			/* Oids: see CormDeparsed */
	CormStmt   *stmt;			/* the statement being written */
	List	   *output;			/* of CormItem: what a union returns, in its ORDER BY */
	int			depth;			/* of subqueries; 0: the outermost statement */
	bool		path_is_safe;
	bool		bare_columns;	/* write columns without their alias */
	bool		in_condition;	/* in WHERE or ON: rows that a guard keeps away may be seen */
	bool		around_condition;	/* in a subquery of one: that holds for rows of the queries around */
	bool		pullable;		/* at the top of a condition: EXISTS becomes a join there */
	int			nexists;		/* EXISTS around this that do not */
	bool		leaky;			/* by an operator or function that could tell about them */
	bool		uses_search_path;
	int			limit;
	bool		order_by_key;
	bool		page;			/* one row more than the limit */
	bool		written;		/* the rows have just been written */
	bool		wants_rows;		/* the outermost statement has to return rows, even without columns */
	Bitmapset  *rows_fields;
	CormModel  *met_model;		/* what the next value meets, for error messages */
	CormField  *met_field;
	bool		met_filter;		/* by a filter from outside */
} CormDeparse;

/* items.c */
/* An output column of the statement that is written. */
typedef struct CormItem
{
	char	   *name;			/* output name */
	CormRange  *range;			/* a column of this range ... */
	CormField  *field;			/* ... this field */
	char	   *column;			/* ... or this column of a subquery */
	CormTree   *tree;			/* or an expression */
	Oid			cast;			/* cast to this type, if valid */
	int32		cast_typmod;
	CormPreload *preload;		/* or rows of a relation */
	bool		is_key;			/* what a preload joins by, or a page is ordered by */
	bool		quiet;			/* nobody asks for its name ... */
	bool		aliased;		/* ... but other clauses may refer to it */
	bool		left_out;		/* an attribute that is not part of the model */
} CormItem;

extern List *corm_items_own(CormStmt *stmt);
extern List *corm_items_row(CormStmt *stmt, const CormDeparseRequest *request);
extern List *corm_items_native(CormStmt *stmt);
extern List *corm_items_json(CormStmt *stmt);
extern List *corm_items_value(CormStmt *stmt, Oid typid);
extern bool corm_is_left_out(Oid row_type, AttrNumber attnum);
extern void corm_deparse_items(CormDeparse *ctx, List *items);

/* deparse.c */
extern void corm_deparse_ctes(CormDeparse *ctx, CormStmt *stmt);
extern void corm_deparse_range(CormDeparse *ctx, CormRange *range);
extern void corm_deparse_conditions(CormDeparse *ctx, const char *keyword, List *conditions);
extern void corm_deparse_plain_select(CormDeparse *ctx, CormStmt *stmt, List *items);
extern void corm_deparse_select(CormDeparse *ctx, CormStmt *stmt, List *items);
extern void corm_deparse_subquery(CormDeparse *ctx, CormStmt *stmt);
extern void corm_deparse_exists(CormDeparse *ctx, const char *word, CormStmt *stmt);

/* preload.c */
extern void corm_deparse_nested_select(CormDeparse *ctx, CormStmt *stmt, List *items);
extern void corm_deparse_page(CormDeparse *ctx, CormStmt *stmt);

/* write.c */
extern void corm_deparse_write(CormDeparse *ctx, CormStmt *stmt, List *returning);

/* expr.c */
extern void corm_deparse_expr(CormDeparse *ctx, CormTree *tree);
extern void corm_deparse_output_expr(CormDeparse *ctx, CormTree *tree);
extern void corm_deparse_and(CormDeparse *ctx, List *conditions);
extern void corm_deparse_column(CormDeparse *ctx, CormRange *range, CormField *field,
								const char *column);
extern void corm_deparse_seen_column(CormDeparse *ctx, CormRange *range, CormField *field,
									 const char *column);
extern void corm_deparse_value_for(CormDeparse *ctx, CormTree *value, CormModel *model,
								   CormField *field);
extern void corm_deparse_raw(CormDeparse *ctx, const char *sql, List *args);
extern void corm_deparse_operand(CormDeparse *ctx, CormTree *tree);
extern void corm_deparse_null(CormDeparse *ctx, CormTree *tree);
extern void corm_deparse_param(CormDeparse *ctx, CormTree *value, Oid typid, CormParamForm form);
extern Oid	corm_array_param_type(CormTree *value, Oid met);
extern void corm_deparse_meet(CormDeparse *ctx, CormTree *left);

/* compare.c */
extern void corm_deparse_compare(CormDeparse *ctx, CormTree *tree);
extern const char *corm_operator_name(CormNodeTag tag);

/* guard.c */
extern void corm_guard_check_names(CormRange *range, List *conditions);
extern List *corm_guards_begin(List *clauses);
extern void corm_guards_end(List *outer);
extern void corm_guards_reset(void);
extern List *corm_guards_tables(void);
extern void corm_guards_check(List *guarded, const CormDeparsed *deparsed, const Oid *types);
extern void corm_guard_range(CormStmt *stmt, CormRange *range);
extern void corm_guard_write(CormStmt *stmt);

/* find.c */
extern CormModel *corm_find_hook(Oid row_type);
extern char *corm_row_of_columns(Oid row_type, int ncolumns);
extern void corm_deparse_find_call(CormDeparse *ctx, CormModel *model, const char *row);
extern void corm_deparse_find_begin(CormDeparse *ctx, CormModel *model,
									const CormDeparseRequest *request);
extern void corm_deparse_find_end(CormDeparse *ctx, const CormDeparseRequest *request);
extern void corm_find_in_json(CormDeparse *ctx, CormStmt *stmt);
extern void corm_deparse_found_select(CormDeparse *ctx, CormStmt *stmt, List *items);

/* staged.c */
extern bool corm_stage_tells_inserted(CormStmt *stmt);
extern bool corm_stage_updates_given(CormStmt *stmt);
extern void corm_stage_read(CormStmt *stmt, TupleDesc tupdesc);
extern void corm_stage_write(CormStmt *stmt, Bitmapset *fields, int valno);
extern void corm_stage_show(CormStmt *stmt, int valno);

/* operators.c */
extern bool corm_search_path_is_safe(void);
extern void corm_require_type(Oid typid);
extern char *corm_deparse_type(Oid typid, int32 typmod);
extern Oid	corm_expr_type(CormTree *tree);
extern bool corm_is_range_type(Oid typid);
extern bool corm_contains_by_operator(Oid typid);
extern bool corm_is_filter_range(CormTree *left, CormTree *right);
extern bool corm_takes_json(CormTree *left, CormTree *right);
extern Oid	corm_right_operand_type(CormTree *tree, Oid left);
extern Oid	corm_operator_schema(const char *name, Oid left, Oid right);
extern bool corm_has_operator(const char *name, Oid left, Oid right);
extern bool corm_operator_is_quiet(const char *name, Oid left, Oid right);
extern bool corm_operator_is_bare(CormDeparse *ctx, const char *name, Oid left, Oid right);
extern void corm_deparse_operator(CormDeparse *ctx, const char *name, const char *keyword,
								  Oid left, Oid right);

extern CormDeparsed *corm_deparse(CormStmt *stmt, const CormDeparseRequest *request);
extern void corm_deparse_table(StringInfo buf, CormModel *model);
extern void corm_deparse_relation(CormDeparse *ctx, CormModel *model);

/* raw.c: SQL text written by users */
extern void corm_push_sql_errors(ErrorContextCallback *callback, const char *sql);
extern void corm_raw_check_expr(const char *sql);
extern char *corm_raw_check_statement(const char *sql);
extern void corm_check_raw_text(void);
extern void corm_check_function_text(const char *name);

typedef void (*CormRawParam) (void *arg, int number);
extern void corm_raw_append(StringInfo buf, const char *sql, CormRawParam param, void *arg);

/* text.c */
extern int	corm_begin_portable_io(bool output);
extern void corm_node_out(StringInfo buf, const CormNode *node);

/* text_in.c */
extern CormNode *corm_node_in(const char *str, char kind);

#endif							/* CORM_QUERY_H */
