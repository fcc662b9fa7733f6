/*-------------------------------------------------------------------------
 *
 * stmt.h
 *		Statements: clauses at their places, and names bound to models.
 *
 * Everything is allocated in the context of the resolving call and points to
 * models, which live until the end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_STMT_H
#define CORM_RESOLVE_STMT_H

#include "postgres.h"

#include "model/model.h"
#include "model/relations.h"
#include "nodes/pg_list.h"
#include "query/value/tree.h"

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
	bool		implied;		/* by a relation predicate: the user did not
								 * choose the name */
	bool		unnamed;		/* for a join to be right: no name means it */
	bool		by_path;		/* joined for a path: known to its own query
								 * only */
	bool		named;			/* by the user, or by the table: the alias in
								 * SQL if it can be */
	char	   *alias;			/* its alias in SQL; hides only an equal name
								 * of a query around */
	CormModel  *model;			/* a table, or NULL */
	CormStmt   *query;			/* a subquery, or NULL */
	char	   *cte;			/* a WITH query, or NULL */
	CormTree   *rows;			/* an array of rows, or NULL */
	List	   *guards;			/* of CormTree: what all its rows satisfy */
	List	   *checks;			/* those that rows must satisfy as written,
								 * too */
	List	   *first_of;		/* of CormTree: it is the first row only that
								 * satisfies these */
	List	   *barrier;		/* the guards again, which stay here when a
								 * write moves them */
	bool		ordered_by_system;	/* system columns are part of the order */
	CormStmt   *definition;		/* subquery and WITH: what gives its rows ... */
	List	   *columns;		/* ... and output names (char *); of rows: to
								 * be numbered by the last */
	CormRelation *relation;		/* that leads to it, or NULL ... */
	struct CormRange *from;		/* ... from this range */
	CormStmt   *page_of;		/* the page of this statement's rows: its
								 * columns are parent_keys */
} CormRange;

typedef struct CormJoin
{
	CormNodeTag tag;			/* JOIN_MODEL, LEFT_JOIN_MODEL, ...,
								 * CROSS_JOIN */
	CormRange  *range;
	CormTree   *condition;		/* NULL for a cross join */
	bool		by_relation;	/* of a path or a relation, not on a condition
								 * of the user's */
	CormRelation *to_many;		/* it multiplies rows by those of this
								 * relation, or NULL */
	struct CormJoin *inner;		/* another range that is joined to this one
								 * first, in parentheses */
} CormJoin;

/* A relation that is loaded along with its parents. */
typedef struct CormPreload
{
	CormRelation *relation;
	char	   *name;			/* of the attribute or key it fills */
	char	   *alias;			/* of the lateral subquery */
	bool		to_many;
	CormStmt   *query;			/* over the target; refers to the parents'
								 * range */
	bool		implied;		/* only a step of a longer path so far */
} CormPreload;

typedef struct CormCte
{
	char	   *name;
	CormStmt   *query;			/* of a recursive one: the rows it begins with */
	CormStmt   *step;			/* recursive: makes more rows of those before,
								 * or NULL */
	bool		all;			/* recursive: equal rows, too */
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
	CormStmt   *beside;			/* the query that this is part of, in FROM or
								 * a set operation: its WITH queries are seen,
								 * its rows are not */
	CormRange  *source;			/* of a read; the target of a write; NULL for
								 * RAW */
	List	   *ranges;			/* of CormRange: source and joins */
	List	   *aliases;		/* root only: aliases in use, of ranges.c */
	List	   *guarded;		/* root only: tables that a guard is about
								 * (Oid) */
	List	   *premises;		/* root only: of CormPremise */
	bool		has_tree;		/* root only: there is a preload_tree */
	CormStmt   *alias_owner;	/* of a root: where its aliases are kept
								 * instead */
	CormRelation *condition_of; /* a scope for the names in this relation's
								 * declared condition */
	List	   *joins;			/* of CormJoin */
	List	   *ctes;			/* of CormCte */
	List	   *select;			/* of CormTree; NIL: all fields */
	bool		distinct;
	List	   *distinct_on;
	List	   *where;
	bool		has_where;		/* a condition was given, other than by a
								 * default scope */
	List	   *group_by;
	List	   *having;
	List	   *order_by;
	CormTree   *limit;
	CormTree   *offset;
	CormNodeTag lock;			/* FOR_UPDATE, FOR_SHARE, or CORM_N_INVALID */
	bool		lock_no_key;	/* FOR_UPDATE: of a row whose key stays, as an
								 * UPDATE locks it */
	const char *lock_wait;		/* "", " NOWAIT", " SKIP LOCKED" */
	List	   *setops;			/* of CormSetOp */
	bool		unscoped;
	bool		only_deleted;
	bool		restoring;		/* will become the update that undoes a delete */
	List	   *scopes;			/* of char *: scopes asked for */
	List	   *preloads;		/* of CormPreload */
	List	   *preload_trees;	/* of CormTree: clauses, until all else is
								 * resolved */
	bool		found;			/* what it shows of models goes through their
								 * hooks after_find */
	CormRange  *parents;		/* with preloads: the subquery of this
								 * statement's rows */
	List	   *parent_keys;	/* columns (char *) that preloads join by */
	CormTree   *default_limit;	/* where no limit is given, or NULL */
	bool		fenced;			/* without a select list, it has those of ... */
	List	   *fenced_fields;	/* ... these (char *) that filters may use;
								 * "*": all such */
	bool		shows_nothing;	/* it has no output columns */
	CormTree   *cursor;			/* AFTER or BEFORE */
	bool		with_total;		/* a page tells the number of all rows */
	List	   *uncursored;		/* of CormTree: where, without the cursor's
								 * condition */
	List	   *cursor_order;	/* the order it must be of: of CormTree, not
								 * turned around */
	bool		reversed;		/* BEFORE: rows are read backwards */
	CormTree   *cached;			/* cached(): the time to live */
	bool		fresh;			/* ... fresh answers only; then cached may be
								 * NULL */

	/* writes */
	List	   *sets;			/* of CormAssignment */
	CormTree   *rows;
	bool		nulls_given;	/* null in them is a value */
	List	   *checks;			/* of CormTree: what rows must satisfy as
								 * written */
	List	   *fixed;			/* INSERT: of CormAssignment, see guard.c */
	List	   *conflict_fields;	/* of CormField */
	bool		staged_upsert;	/* do_update() means staged_given and not what
								 * the insert gives */
	List	   *staged_given;	/* of CormField */
	List	   *conflict_exprs; /* of char *: SQL of expressions of an index */
	char	   *conflict_predicate; /* SQL of the condition of that index, or
									 * NULL */
	CormTree   *conflict_where;
	char	   *conflict_constraint;
	CormConflictAction conflict_action;
	bool		override_identity;	/* INSERT: given values of GENERATED
									 * ALWAYS identities count */
	List	   *update_fields;	/* of CormField: do_update(names) */
	List	   *update_sets;	/* of CormAssignment: set() after do_update */
	List	   *touch_sets;		/* of CormAssignment: version and time of
								 * update, with do_update */
	bool		soft;			/* DELETE that marks rows as deleted */
	bool		returns;		/* returning() was given */
	List	   *returning;		/* of CormTree; NIL: all fields */
	Bitmapset  *shown;			/* as rows of the model's type: fields by
								 * index that are returned, the others are
								 * NULL; NULL: all */
	CormTree   *number;			/* as rows of a type: a column to return after
								 * these, or NULL */
	bool		all_rows;
	CormTree   *max_rows;

	/* RAW */
	char	   *raw_sql;
	List	   *raw_args;		/* of CormTree */
	List	   *raw_columns;	/* of char *: once raw_columns.c has found
								 * them ... */
	List	   *raw_types;		/* ... with their types */
	List	   *raw_tables;		/* Oids: the tables that it names */
	bool		raw_reads;
};

/* What a statement takes for granted of its values: premises.c. */
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

#define CORM_ROWS_ALIAS		"r" /* of rows that corm wraps or unnests */

#endif							/* CORM_RESOLVE_STMT_H */
