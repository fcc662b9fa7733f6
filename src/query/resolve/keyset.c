/*-------------------------------------------------------------------------
 *
 * keyset.c
 *		Keyset pages: cursors, and the condition that a cursor stands for.
 *
 * A page begins behind (or ends before) a row that is given by the values of
 * the order's expressions.  The primary key ends every such order, so that
 * ties are decided and each row has a place of its own.
 *
 * When no expression can be NULL and all run in one direction, the condition
 * is one row comparison, which an index answers.  Else it is spelled out:
 * behind in the first, or equal in it and behind in the rest, where NULLs
 * come where the order puts them.  So it is where a type has operators of its
 * own, as citext has: one row comparison has one operator's schema for all.
 *
 * A table that others inherit from has no key over all its rows: what table a
 * row is of, and where in it, then ends the order.
 *
 * A cursor is the base64 of a hash of the order and the values as text, each
 * with its length before it, "-" for a NULL.  The hash keeps a cursor from
 * being used with another order: OR004.  It depends on the shape of the order
 * only, so that the values which the order's expressions hold follow those of
 * the row, and are compared when the query runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "common/base64.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "query/query.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#define HASH_LEN	16

PG_FUNCTION_INFO_V1(corm_after);
PG_FUNCTION_INFO_V1(corm_before);
PG_FUNCTION_INFO_V1(corm_cursor_text);
PG_FUNCTION_INFO_V1(corm_same_order);

static void bad_cursor(const char *detail) pg_attribute_noreturn();

static void
bad_cursor(const char *detail)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_CURSOR),
			 errmsg("invalid cursor"),
			 errdetail_internal("%s", detail)));
}

/*
 * Orders
 */

typedef struct OrderKey
{
	CormTree   *expr;
	bool		desc;
	bool		nulls_first;
	bool		nullable;
	/* operators of the type's order, if they have other names than < > = */
	Oid			lt;
	Oid			gt;
	Oid			eq;
} OrderKey;

/* A column that every table has, and no model: of the source. */
static bool
is_system_column(CormStmt *stmt, CormTree *expr)
{
	return expr->tag == CORM_N_COLUMN && expr->range == stmt->source && expr->field == NULL &&
		stmt->source->ordered_by_system;
}

/*
 * An operator of a type's order, unless it is the one that its name means.
 */
static Oid
own_operator(Oid opr, const char *name)
{
	char	   *own = OidIsValid(opr) ? get_opname(opr) : NULL;

	return own && strcmp(own, name) != 0 ? opr : InvalidOid;
}

static void
find_operators(OrderKey *key)
{
	Oid			typid = corm_expr_type(key->expr);
	TypeCacheEntry *entry;

	if (!OidIsValid(typid) || typid == UNKNOWNOID)
		return;
	entry = lookup_type_cache(getBaseType(typid), TYPECACHE_LT_OPR | TYPECACHE_GT_OPR | TYPECACHE_EQ_OPR);
	key->lt = own_operator(entry->lt_opr, "<");
	key->gt = own_operator(entry->gt_opr, ">");
	key->eq = own_operator(entry->eq_opr, "=");
}

static OrderKey *
order_key(CormStmt *stmt, CormTree *item)
{
	OrderKey   *key = palloc0(sizeof(OrderKey));
	const char *nulls = NULL;

	key->expr = item;
	if (item->tag == CORM_N_ASC || item->tag == CORM_N_DESC)
	{
		key->expr = item->args[0].node;
		key->desc = item->tag == CORM_N_DESC;
		nulls = item->args[1].str;
	}
	key->nulls_first = nulls ? pg_strcasecmp(nulls, "first") == 0 : key->desc;
	/* a view's key may be NULL: that it is one is only said */
	key->nullable = !(key->expr->tag == CORM_N_COLUMN && key->expr->range == stmt->source &&
					  ((key->expr->field && key->expr->field->not_null) || is_system_column(stmt, key->expr)));
	find_operators(key);
	return key;
}

static List *
order_keys(CormStmt *stmt)
{
	List	   *keys = NIL;
	ListCell   *lc;

	foreach(lc, stmt->order_by)
		keys = lappend(keys, order_key(stmt, lfirst(lc)));
	return keys;
}

static bool
orders_by(CormStmt *stmt, CormField *field)
{
	ListCell   *lc;

	foreach(lc, stmt->order_by)
	{
		CormTree   *item = lfirst(lc);

		if (item->tag == CORM_N_ASC || item->tag == CORM_N_DESC)
			item = item->args[0].node;
		if (item->tag == CORM_N_COLUMN && item->field == field && item->range == stmt->source)
			return true;
	}
	return false;
}

static bool
is_column(CormTree *expr)
{
	return corm_tree_is(expr, CORM_IS_COLUMN) && expr->range && expr->query == NULL;
}

static CormTree *
system_column(CormRange *range, const char *name, Oid typid)
{
	CormTree   *column = corm_make_column(range, name);

	column->typid = typid;
	return column;
}

/*
 * What a type is sorted as in a page if its text does not read back as the
 * same value everywhere: names of objects are numbers, and how money is
 * written is a setting.  Other types as themselves: InvalidOid.
 */
static Oid
sorted_as(Oid typid)
{
	switch (OidIsValid(typid) ? getBaseType(typid) : InvalidOid)
	{
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCLASSOID:
		case REGCOLLATIONOID:
		case REGTYPEOID:
		case REGROLEOID:
		case REGNAMESPACEOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
			return OIDOID;
		case CASHOID:
			return NUMERICOID;
		default:
			return InvalidOid;
	}
}

/*
 * The conditions of a cursor know no output names, so an order by one becomes
 * an order by the expression that has it.
 */
static void
expand_output_names(CormStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->order_by)
	{
		CormTree   *item = lfirst(lc);
		bool		directed = item->tag == CORM_N_ASC || item->tag == CORM_N_DESC;
		CormTree   *expr = directed ? item->args[0].node : item;

		if (expr->tag == CORM_N_COLUMN && expr->aliased)
			expr = expr->aliased;
		if (expr->tag == CORM_N_AS)
			expr = expr->args[0].node;
		if (expr->tag == CORM_N_OVER)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a page cannot be ordered by a window function"),
					 errhint("Compute it in a query of its own, and read that by corm.limit() and corm.offset().")));
		if (OidIsValid(sorted_as(corm_expr_type(expr))))
		{
			CormTree   *cast = corm_make_tree(CORM_N_CAST);

			cast->args[0].node = expr;
			cast->args[1].oid = sorted_as(corm_expr_type(expr));
			expr = cast;
		}
		if (directed)
			item->args[0].node = expr;
		else
			lfirst(lc) = expr;
	}
}

/*
 * A field that comes a second time in an order has nothing to say there.
 */
static void
drop_repeated(CormStmt *stmt)
{
	List	   *order = NIL;
	ListCell   *lc;

	foreach(lc, stmt->order_by)
	{
		CormTree   *expr = lfirst(lc);
		bool		repeated = false;
		ListCell   *before;

		CHECK_FOR_INTERRUPTS();
		if (expr->tag == CORM_N_ASC || expr->tag == CORM_N_DESC)
			expr = expr->args[0].node;
		foreach(before, order)
		{
			CormTree   *other = lfirst(before);

			if (other->tag == CORM_N_ASC || other->tag == CORM_N_DESC)
				other = other->args[0].node;
			repeated |= is_column(expr) && is_column(other) && expr->range == other->range &&
				expr->field == other->field && (expr->field || strcmp(expr->output, other->output) == 0);
		}
		if (!repeated)
			order = lappend(order, lfirst(lc));
	}
	stmt->order_by = order;
}

static void
append_key(CormStmt *stmt, CormTree *item, bool desc)
{
	if (desc)
	{
		CormTree   *down = corm_make_tree(CORM_N_DESC);

		down->args[0].node = item;
		item = down;
	}
	stmt->order_by = lappend(stmt->order_by, item);
}

/*
 * Ends an order by what tells rows apart that have the same key in several
 * tables, or several times in one that inherits without the constraint.
 */
static void
append_place(CormStmt *stmt, bool desc)
{
	CormRange  *source = stmt->source;
	List	   *tables;
	bool		stored = true;
	ListCell   *lc;

	if (source->query || get_rel_relkind(source->model->table) != RELKIND_RELATION ||
		!has_subclass(source->model->table))
		return;
	tables = find_all_inheritors(source->model->table, NoLock, NULL);
	if (list_length(tables) < 2)
		return;
	foreach(lc, tables)
		stored &= get_rel_relkind(lfirst_oid(lc)) == RELKIND_RELATION;
	source->ordered_by_system = true;
	append_key(stmt, system_column(source, "tableoid", OIDOID), desc);
	if (stored)
		append_key(stmt, system_column(source, "ctid", TIDOID), desc);
}

/*
 * corm_complete_order appends the primary key to a statement's order, in the
 * direction of its last item, so that one index can serve all of it.
 */
void
corm_complete_order(CormStmt *stmt)
{
	CormModel  *model = stmt->source ? stmt->source->model : NULL;
	ListCell   *lc;
	bool		desc = stmt->order_by && ((CormTree *) llast(stmt->order_by))->tag == CORM_N_DESC;

	if (stmt->command != CORM_CMD_SELECT || model == NULL || stmt->setops || stmt->group_by ||
		stmt->distinct || stmt->distinct_on)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a page needs a query over a model, without grouping, distinct or set operations")));
	/* a row that comes several times would have one place only */
	foreach(lc, stmt->joins)
	{
		CormJoin   *join = lfirst(lc);
		CormRelation *relation = join->to_many;

		/* and a row that is none has no place at all */
		if (join->tag == CORM_N_RIGHT_JOIN_MODEL || join->tag == CORM_N_FULL_JOIN_MODEL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a page cannot have rows that are not of its model \"%s\"", model->name),
					 errdetail("A right or full join makes such rows."),
					 errhint("Begin the query with the other model, and join this one by corm.left_join().")));
		if (relation)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a page cannot join relation \"%s\", which leads to many rows", relation->name),
					 errhint("Use corm.some() to choose rows by their related ones, or corm.preload() to show these.")));
	}
	corm_model_require_pk(model);
	expand_output_names(stmt);
	drop_repeated(stmt);
	for (int i = 0; i < model->npk; i++)
	{
		CormField  *field = &model->fields[model->pk[i]];

		if (!orders_by(stmt, field))
			append_key(stmt, corm_make_column(stmt->source, field->column), desc);
	}
	append_place(stmt, desc);
	/* a key may be of such a type, too */
	expand_output_names(stmt);
}

/* Appends the bound values in an expression to a list, which is the context. */
static bool
constants_walker(CormTree *tree, void *context)
{
	List	  **constants = context;

	/* what a scope or a relation's condition holds is the same for all */
	if (tree->tag == CORM_N_VALUE && tree->constant == NULL)
		*constants = lappend(*constants, tree);
	return corm_tree_walker(tree, constants_walker, constants);
}

/*
 * corm_order_constants returns the bound values in a statement's completed
 * order, as expressions of type text that are the same in every session.
 */
List *
corm_order_constants(CormStmt *stmt)
{
	List	   *values = NIL;
	List	   *constants = NIL;
	ListCell   *lc;

	(void) corm_trees_walker(stmt->order_by, constants_walker, &values);
	foreach(lc, values)
	{
		CormTree   *value = lfirst(lc);
		CormTree   *as_text = corm_make_tree(CORM_N_CAST);

		if (value->typid != UNKNOWNOID && value->typid != TEXTOID)
		{
			CormTree   *call = corm_make_tree(CORM_N_FN);

			call->args[0].str = "corm.cursor_text";
			call->args[1].list = list_make1(value);
			value = call;
		}
		as_text->args[0].node = value;
		as_text->args[1].oid = TEXTOID;
		constants = lappend(constants, as_text);
	}
	return constants;
}

/*
 * corm_order_hash returns a fingerprint of a statement's completed order: it
 * depends on names and directions only, so it is the same in every session.
 * Tables are called by their paths, not by the aliases they have in this
 * statement.
 */
char *
corm_order_hash(CormStmt *stmt)
{
	StringInfoData buf;
	CormDeparse ctx = {.buf = &buf, .stmt = stmt, .path_is_safe = false};
	List	   *aliases = NIL;
	ListCell   *lc;

	initStringInfo(&buf);
	corm_deparse_table(&buf, stmt->source->model);
	foreach(lc, stmt->ranges)
	{
		CormRange  *range = lfirst(lc);

		aliases = lappend(aliases, range->alias);
		range->alias = range == stmt->source ? "" : range->name;
	}
	foreach(lc, order_keys(stmt))
	{
		OrderKey   *key = lfirst(lc);

		appendStringInfoChar(&buf, '\n');
		corm_deparse_expr(&ctx, key->expr);
		appendStringInfo(&buf, " %d %d", key->desc, key->nulls_first);
	}
	foreach(lc, stmt->ranges)
		((CormRange *) lfirst(lc))->alias = list_nth(aliases, foreach_current_index(lc));
	return psprintf("%016llx", (unsigned long long)
					hash_bytes_extended((unsigned char *) buf.data, buf.len, 0));
}

/*
 * corm_reverse_order turns a statement's order around.
 */
void
corm_reverse_order(CormStmt *stmt)
{
	List	   *reversed = NIL;
	ListCell   *lc;

	foreach(lc, order_keys(stmt))
	{
		OrderKey   *key = lfirst(lc);
		CormTree   *item = corm_make_tree(key->desc ? CORM_N_ASC : CORM_N_DESC);

		item->args[0].node = key->expr;
		item->args[1].str = !key->nullable ? NULL : key->nulls_first ? "last" : "first";
		reversed = lappend(reversed, item);
	}
	stmt->order_by = reversed;
}

/*
 * Conditions
 */

/*
 * A row of NULLs IS NULL, but is not sorted as one: it is for IS DISTINCT FROM
 * to tell.
 */
static CormTree *
is_null(CormTree *expr, bool yes)
{
	Oid			typid = corm_expr_type(expr);
	CormTree   *tree;

	if (!OidIsValid(typid) || type_is_rowtype(typid))
	{
		CormTree   *null = corm_make_tree(CORM_N_NULL);

		null->args[0].oid = UNKNOWNOID;
		tree = corm_make_binary(CORM_N_IS_DISTINCT_FROM, expr, null);
		if (yes)
		{
			CormTree   *not = corm_make_tree(CORM_N_NOT);

			not->args[0].node = tree;
			tree = not;
		}
		return tree;
	}
	tree = corm_make_tree(yes ? CORM_N_IS_NULL : CORM_N_IS_NOT_NULL);
	tree->args[0].node = expr;
	return tree;
}

static CormTree *
key_equals(OrderKey *key, CormTree *value)
{
	CormTree   *cond;

	if (value->tag == CORM_N_NULL)
		return is_null(key->expr, true);
	cond = corm_make_binary(CORM_N_EQ, key->expr, value);
	cond->opr = key->eq;
	return cond;
}

/*
 * The condition that a row comes behind the value in the order of one key;
 * NULL if no row does.
 */
static CormTree *
key_behind(OrderKey *key, CormTree *value, bool backwards)
{
	bool		down = key->desc != backwards;
	bool		nulls_first = key->nulls_first != backwards;
	CormTree   *cond;

	if (value->tag == CORM_N_NULL)
		return nulls_first ? is_null(key->expr, false) : NULL;
	cond = corm_make_binary(down ? CORM_N_LT : CORM_N_GT, key->expr, value);
	cond->opr = down ? key->lt : key->gt;
	if (key->nullable && !nulls_first)
		cond = corm_make_list(CORM_N_OR, list_make2(cond, is_null(key->expr, true)));
	return cond;
}

static bool
is_row_comparison(List *keys, List *values)
{
	bool		desc = ((OrderKey *) linitial(keys))->desc;
	ListCell   *lc;

	foreach(lc, keys)
	{
		OrderKey   *key = lfirst(lc);

		if (key->nullable || key->desc != desc || OidIsValid(key->lt) || OidIsValid(key->gt) ||
			corm_operator_schema(desc ? "<" : ">", corm_expr_type(key->expr), InvalidOid) != PG_CATALOG_NAMESPACE)
			return false;
	}
	foreach(lc, values)
		if (((CormTree *) lfirst(lc))->tag != CORM_N_VALUE)
			return false;
	return true;
}

static CormTree *
cursor_condition(List *keys, List *values, bool backwards)
{
	int			n = list_length(keys);
	CormTree   *condition = NULL;	/* behind in the rest; NULL: no row is */

	if (is_row_comparison(keys, values))
	{
		bool		down = ((OrderKey *) linitial(keys))->desc != backwards;
		List	   *exprs = NIL;
		ListCell   *lc;

		if (n == 1)
			return key_behind(linitial(keys), linitial(values), backwards);
		foreach(lc, keys)
			exprs = lappend(exprs, ((OrderKey *) lfirst(lc))->expr);
		return corm_make_binary(down ? CORM_N_LT : CORM_N_GT,
								corm_make_list(CORM_N_ROW, exprs), corm_make_list(CORM_N_ROW, values));
	}

	/* from the last key to the first, each value written twice: the size is that of the order */
	for (int i = n - 1; i >= 0; i--)
	{
		CormTree   *behind = key_behind(list_nth(keys, i), list_nth(values, i), backwards);

		if (condition)
			condition = corm_make_list(CORM_N_AND, list_make2(key_equals(list_nth(keys, i), list_nth(values, i)), condition));
		if (behind && condition)
			condition = corm_make_list(CORM_N_OR, list_make2(behind, condition));
		else if (behind)
			condition = behind;
	}
	return condition ? condition : corm_make_list(CORM_N_OR, NIL);
}

/*
 * The constants of a cursor are those of the query's order: conditions that
 * raise OR004 if not, whatever rows there are.
 */
static List *
same_constants(List *constants, List *values)
{
	List	   *conditions = NIL;
	ListCell   *constant;
	ListCell   *value;

	forboth(constant, constants, value, values)
	{
		CormTree   *call = corm_make_tree(CORM_N_FN);

		call->args[0].str = "corm.same_order";
		call->args[1].list = list_make2(lfirst(constant), lfirst(value));
		conditions = lappend(conditions, call);
	}
	return conditions;
}

/*
 * corm_apply_cursor makes a statement with after() or before() start at its
 * cursor.  With before() the order is turned around: whoever shows the rows
 * turns them back.
 */
void
corm_apply_cursor(CormStmt *stmt)
{
	List	   *values = stmt->cursor->args[1].list;
	List	   *keys;
	List	   *constants;

	corm_complete_order(stmt);
	keys = order_keys(stmt);
	constants = corm_order_constants(stmt);
	if (strcmp(stmt->cursor->args[0].str, corm_order_hash(stmt)) != 0 ||
		list_length(keys) + list_length(constants) != list_length(values))
		bad_cursor("It belongs to a query with another order.");
	stmt->where = list_concat(stmt->where, same_constants(constants, list_copy_tail(values, list_length(keys))));
	values = list_truncate(list_copy(values), list_length(keys));
	stmt->where = lappend(stmt->where, cursor_condition(keys, values, stmt->reversed));
	if (stmt->reversed)
		corm_reverse_order(stmt);
}

/*
 * Cursors
 */

/*
 * corm_cursor_encode makes a cursor of an order's hash and a text[] of the
 * values; the result is palloc'd.
 */
char *
corm_cursor_encode(const char *hash, ArrayType *values)
{
	StringInfoData buf;
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	int			size;
	int			len;
	char	   *cursor;

	deconstruct_array(values, TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &n);
	initStringInfo(&buf);
	appendStringInfoString(&buf, hash);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			appendStringInfoChar(&buf, '-');
		else
		{
			text	   *value = DatumGetTextPP(elems[i]);

			appendStringInfo(&buf, "%d:", (int) VARSIZE_ANY_EXHDR(value));
			appendBinaryStringInfo(&buf, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
		}
	}

	size = pg_b64_enc_len(buf.len);
	cursor = palloc(size + 1);
	len = corm_b64_encode(buf.data, buf.len, cursor, size);
	if (len < 0)
		elog(ERROR, "could not encode cursor");
	cursor[len] = '\0';
	return cursor;
}

/*
 * The clause of a cursor, which is any text from outside.
 */
static CormNode *
cursor_clause(CormNodeTag tag, text *cursor)
{
	int			len = VARSIZE_ANY_EXHDR(cursor);
	int			size = pg_b64_dec_len(len);
	char	   *data = palloc(size + 1);
	CormWriter	w;
	const char *p;
	const char *end;
	List	   *values = NIL;		/* of text; NULL for a null */
	ListCell   *lc;

	size = corm_b64_decode(VARDATA_ANY(cursor), len, data, size);
	if (size < HASH_LEN)
		bad_cursor("It was not made by corm.");
	data[size] = '\0';
	if (memchr(data, '\0', size) != NULL || !pg_verifymbstr(data, size, true))
		bad_cursor("It was not made by corm.");

	p = data + HASH_LEN;
	end = data + size;
	while (p < end)
	{
		char	   *colon;
		long		n;

		if (*p == '-')
		{
			values = lappend(values, NULL);
			p++;
			continue;
		}
		errno = 0;
		n = strtol(p, &colon, 10);
		if (!isdigit((unsigned char) *p) || errno != 0 || *colon != ':' || n > end - colon - 1)
			bad_cursor("It was not made by corm.");
		values = lappend(values, cstring_to_text_with_len(colon + 1, n));
		p = colon + 1 + n;
	}

	corm_writer_init(&w);
	corm_write_tag(&w, tag);
	corm_write_name(&w, data, HASH_LEN);
	corm_write_count(&w, list_length(values));
	foreach(lc, values)
	{
		if (lfirst(lc) == NULL)
			corm_write_null(&w, UNKNOWNOID);
		else
			corm_write_value(&w, UNKNOWNOID, -1, false, PointerGetDatum(lfirst(lc)));
	}
	return corm_writer_finish(&w, CORM_KIND_QUERY);
}

static Datum
make_cursor_clause(FunctionCallInfo fcinfo, CormNodeTag tag)
{
	if (PG_ARGISNULL(0))
	{
		/* no cursor: the first page */
		CormWriter	w;

		corm_writer_init(&w);
		PG_RETURN_POINTER(corm_writer_finish(&w, CORM_KIND_QUERY));
	}
	PG_RETURN_POINTER(cursor_clause(tag, PG_GETARG_TEXT_PP(0)));
}

/* corm_after(cursor): the rows behind a cursor */
Datum
corm_after(PG_FUNCTION_ARGS)
{
	return make_cursor_clause(fcinfo, CORM_N_AFTER);
}

/* corm_before(cursor): the rows just before a cursor */
Datum
corm_before(PG_FUNCTION_ARGS)
{
	return make_cursor_clause(fcinfo, CORM_N_BEFORE);
}

/*
 * corm_cursor_text(value): the value as text that reads back as the same
 * value, whatever the settings of this session and of the one that reads it.
 */
Datum
corm_cursor_text(PG_FUNCTION_ARGS)
{
	Oid			typid = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Oid			typoutput;
	bool		is_varlena;
	int			nestlevel;
	char	   *str;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!OidIsValid(typid))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of the value")));
	getTypeOutputInfo(typid, &typoutput, &is_varlena);
	nestlevel = corm_begin_portable_io(true);
	str = OidOutputFunctionCall(typoutput, PG_GETARG_DATUM(0));
	AtEOXact_GUC(true, nestlevel);
	PG_RETURN_TEXT_P(cstring_to_text(str));
}

/*
 * corm_same_order(order, cursor): true; OR004 if a value in the order of a
 * query is another one than a cursor has, which then is of another order.
 */
Datum
corm_same_order(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) ||
		!DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1))))
		bad_cursor("It belongs to a query with another order.");
	PG_RETURN_BOOL(true);
}
