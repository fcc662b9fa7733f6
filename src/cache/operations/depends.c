/*-------------------------------------------------------------------------
 *
 * depends.c
 *		The tables that an entry depends on.
 *
 * An entry that depends on a table depends on all tables that are partitions of it
 * or inherit from it, each with a cell of its own.  A write notes the table that it
 * writes and nothing else: it need not know what that is a part of.  A change of the
 * hierarchy writes, by its lock, the parent that gets a child, or the child that
 * leaves: both are among those that the entry depends on, so it dies, and who
 * computes it anew finds the new hierarchy (steps r2 and r3 in shared/versions.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "cache/cache.h"
#include "cache/operations/depends.h"
#include "cache/shared/versions.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "catalog/objectaddress.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteSupport.h"
#include "access/relation.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define BEGIN_TRIES		3		/* looks at the hierarchy until it stays the same */

static List *add_relation(List *relids, Oid relid);

/*
 * why_not returns why the writes of a relation cannot be followed, a sentence, or
 * NULL.  *parent is set to whether it may have descendants.
 */
static const char *
why_not(Oid relid, bool *parent)
{
	HeapTuple	tuple;
	Form_pg_class class;
	const char *why = NULL;

	*parent = false;
	if (relid < FirstNormalObjectId)
		return "It reads a system catalog.";
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return "It reads a relation that does not exist any more.";
	class = (Form_pg_class) GETSTRUCT(tuple);
	*parent = class->relhassubclass;
	if (class->relpersistence == RELPERSISTENCE_TEMP)
		why = "It reads a temporary table.";
	else if (class->relkind == RELKIND_FOREIGN_TABLE)
		why = "It reads a foreign table.";
	else if (class->relkind == RELKIND_SEQUENCE)
		why = "It reads a sequence.";
	else if (class->relkind != RELKIND_RELATION && class->relkind != RELKIND_PARTITIONED_TABLE &&
			 class->relkind != RELKIND_MATVIEW && class->relkind != RELKIND_VIEW)
		why = "It reads something that is not a table or view.";
	ReleaseSysCache(tuple);
	return why;
}

/*
 * corm_descendants returns some relations, as a sorted list of OIDs in the current
 * context, with all their descendants.  *why is set to the reason why one of them
 * cannot be followed, if there is one.
 */
List *
corm_descendants(List *relids, const char **why)
{
	List	   *all = NIL;
	ListCell   *lc;
	bool		parent;

	*why = NULL;
	foreach(lc, relids)
	{
		Oid			relid = lfirst_oid(lc);

		*why = why_not(relid, &parent);
		if (*why != NULL)
			return NIL;
		if (!parent)
			all = lappend_oid(all, relid);
		else
			all = list_concat(all, find_all_inheritors(relid, NoLock, NULL));
	}
	list_sort(all, list_oid_cmp);
	list_deduplicate_oid(all);

	foreach(lc, all)
	{
		*why = why_not(lfirst_oid(lc), &parent);
		if (*why != NULL)
			return NIL;
	}
	return all;
}

/*
 * corm_depends_on makes what depends on some tables, of corm_descendants, and on
 * what fixed says: CORM_DEPENDS_*.  Palloc'd.
 */
CormDepends *
corm_depends_on(List *relids, int fixed)
{
	CormDepends *depends = palloc(offsetof(CormDepends, cells) +
								  (list_length(relids) + CORM_FIXED_CELLS) * sizeof(uint32));
	ListCell   *lc;

	depends->n = 0;
	if (fixed & CORM_DEPENDS_FUNCTIONS)
		depends->cells[depends->n++] = CORM_CELL_FUNCTIONS;
	if (fixed & CORM_DEPENDS_ENUMS)
		depends->cells[depends->n++] = CORM_CELL_ENUMS;
	if (fixed & CORM_DEPENDS_SEARCH)
		depends->cells[depends->n++] = CORM_CELL_SEARCH;
	if (fixed & CORM_DEPENDS_CASTS)
		depends->cells[depends->n++] = CORM_CELL_CASTS;
	if (fixed & CORM_DEPENDS_DOMAINS)
		depends->cells[depends->n++] = CORM_CELL_DOMAINS;
	foreach(lc, relids)
	{
		depends->cells[depends->n++] = corm_cell_of(MyDatabaseId, lfirst_oid(lc));
	}
	return depends;
}

/*
 * corm_fresh_possible returns NULL if this transaction can be given fresh answers
 * from the cache, otherwise why it cannot.
 */
const char *
corm_fresh_possible(void)
{
	if (!corm_versions_available())
		return "The server is a standby.";
	if (IsolationUsesXactSnapshot())
		return "The isolation level of the transaction is above READ COMMITTED.";
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return "The transaction has written something.";
	return NULL;
}

/*
 * corm_fresh_now reads the versions of what something depends on: steps r1 and h of
 * shared/versions.c.  *sum is set to what is stored with an entry, or is to be the
 * same as what is stored.
 */
CormFreshness
corm_fresh_now(const CormDepends *depends, uint64 *sum)
{
	CormQuiet	quiet;

	CORM_FAULT("fresh-read");
	quiet = corm_cells_read(depends->cells, depends->n, sum);
	if (unlikely(quiet == CORM_UNSETTLED))
	{
		if (!corm_cells_track(depends->cells, depends->n))
			return CORM_FRESH_UNSETTLED;
		quiet = corm_cells_read(depends->cells, depends->n, sum);
	}
	switch (quiet)
	{
		case CORM_QUIET:
			return CORM_FRESH_KNOWN;
		case CORM_COMMITTING:
			return CORM_FRESH_COMMITTING;
		default:
			return CORM_FRESH_UNSETTLED;
	}
}

/* behind_walker adds the relations that a query reads to a list, with those behind views. */
static bool
behind_walker(Node *node, void *context)
{
	List	  **relids = context;

	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry) && ((RangeTblEntry *) node)->rtekind == RTE_RELATION)
		*relids = add_relation(*relids, ((RangeTblEntry *) node)->relid);
	if (IsA(node, RangeTblEntry))
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, behind_walker, context, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, behind_walker, context);
}

/* add_relation adds a relation, and if it is a view, what is behind it, to a list. */
static List *
add_relation(List *relids, Oid relid)
{
	Relation	view;

	check_stack_depth();
	if (list_member_oid(relids, relid))
		return relids;
	relids = lappend_oid(relids, relid);
	if (get_rel_relkind(relid) != RELKIND_VIEW)
		return relids;

	view = try_relation_open(relid, AccessShareLock);
	if (view != NULL)
	{
		(void) behind_walker((Node *) get_view_query(view), &relids);
		relation_close(view, AccessShareLock);
	}
	return relids;
}

/* expand finds what is behind the views that a call names, and the descendants of all that. */
static void
expand(CormFollow *follow)
{
	ListCell   *lc;

	follow->tables = NIL;
	foreach(lc, follow->named)
	{
		follow->tables = add_relation(follow->tables, lfirst_oid(lc));
	}
	follow->relids = corm_descendants(follow->tables, &follow->why);
	if (follow->why == NULL)
		follow->depends = corm_depends_on(follow->relids, 0);
}

/*
 * corm_follow_argument reads the argument depends, a regclass[], of a call; NULL means
 * no tables.  Views stand for what is behind them.  Raises 22004 for a NULL in it, 22023
 * if it is empty, 42P01 for a relation that does not exist, 42501 for one that the role
 * may not read.
 */
void
corm_follow_argument(FunctionCallInfo fcinfo, int argno, CormFollow *follow)
{
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	memset(follow, 0, sizeof(CormFollow));
	if (PG_NARGS() <= argno || PG_ARGISNULL(argno))
		return;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argno), REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT,
					  &elems, &nulls, &n);
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("depends must name at least one table")));
	for (int i = 0; i < n; i++)
	{
		Oid			relid = nulls[i] ? InvalidOid : DatumGetObjectId(elems[i]);
		char	   *name = get_rel_name(relid);

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("depends must not contain null")));
		if (name == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("relation with OID %u does not exist", relid)));
		if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
			pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
			aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relid)), name);
		follow->named = lappend_oid(follow->named, relid);
	}
	expand(follow);
}

/*
 * corm_follow_begin does the steps r1 to r3 of shared/versions.c for a value that is
 * about to be computed, and that depends on what can be followed.
 */
CormFreshness
corm_follow_begin(CormFollow *follow)
{
	for (int try = 0; try < BEGIN_TRIES; try++)
	{
		CormFreshness now = corm_fresh_now(follow->depends, &follow->sum);
		List	   *before = follow->relids;

		if (now != CORM_FRESH_KNOWN)
			return now;
		AcceptInvalidationMessages();
		expand(follow);
		if (follow->why != NULL)
			return CORM_FRESH_UNSETTLED;
		if (equal(before, follow->relids))
			return now;
	}
	return CORM_FRESH_UNSETTLED;
}

/* corm_follow_unchanged tells whether nothing has changed since corm_follow_begin. */
bool
corm_follow_unchanged(const CormFollow *follow)
{
	uint64		sum;

	return corm_fresh_now(follow->depends, &sum) == CORM_FRESH_KNOWN && sum == follow->sum;
}

/*
 * corm_follow_covered tells whether a value that was found depends on all that a call
 * wants it to depend on.
 */
bool
corm_follow_covered(const CormFollow *follow, const CormCached *value)
{
	uint32		n;

	if (value->tail == 0)
		return false;
	n = (value->tail - CORM_TAIL_SIZE(0)) / sizeof(uint32);
	for (int i = 0; i < follow->depends->n; i++)
	{
		bool		found = false;

		for (uint32 k = 0; k < n && !found; k++)
			found = memcmp(value->data + value->len + k * sizeof(uint32),
						   &follow->depends->cells[i], sizeof(uint32)) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* corm_follow_attach puts what a value depends on, as of corm_follow_begin, behind a copy of it. */
void
corm_follow_attach(const CormFollow *follow, CormCached *value)
{
	char	   *copy = MemoryContextAllocHuge(CurrentMemoryContext,
											  (Size) value->len + CORM_TAIL_SIZE(follow->depends->n));

	memcpy(copy, value->data, value->len);
	value->tail = corm_tail_write(copy + value->len, follow->depends->cells, follow->depends->n,
								  follow->sum);
	value->data = copy;
}
