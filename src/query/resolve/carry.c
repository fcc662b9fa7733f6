/*-------------------------------------------------------------------------
 *
 * carry.c
 *		Values of partition keys, carried to related rows.
 *
 * The rows of one tenant are in one partition of each table.  A query that says
 * p.tenant = $1 and loads related rows by c.tenant = p.tenant means c.tenant = $1, too, but
 * the planner does not see it where the related rows come from a subquery: a preload, which
 * joins a page of its parents, or a count or predicate that is not made a join.  Then all
 * partitions of c are opened, and all shards asked.  So once a statement is resolved, we
 * add the condition.
 *
 * A condition of the WHERE clause holds for all rows of a statement, so what it says of a
 * column may be said of every column that must be equal to it, in joins and in queries
 * within the statement.  It changes no result: where it is false, the row would not be in
 * the result anyway.
 *
 * That is done for columns that tables are partitioned by only: another condition on a
 * column that has one already makes the planner expect fewer rows than there are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/compat.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_partitioned_table.h"
#include "miscadmin.h"
#include "model/shards.h"
#include "query/query.h"
#include "query/resolve/carry.h"
#include "query/value/walk.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(corm_field_values);

/* A column has a value in all rows of a statement. */
typedef struct Fact
{
	CormRange  *range;
	CormField  *field;
	CormTree   *value;
} Fact;

static void carry_into(CormStmt *stmt, List *facts);

/*
 * Partition keys
 */

/* Is a column of a table in its partition key?  Not as a part of an expression. */
static bool
is_partition_key(Oid table, const char *column)
{
	HeapTuple	tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(table));
	AttrNumber	attnum = get_attnum(table, column);
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	if (attnum != InvalidAttrNumber)
	{
		Form_pg_partitioned_table form = (Form_pg_partitioned_table) GETSTRUCT(tuple);

		for (int i = 0; i < form->partnatts; i++)
			found |= form->partattrs.values[i] == attnum;
	}
	ReleaseSysCache(tuple);
	return found;
}

/*
 * corm_locates_rows: does a value of a field tell in which partitions its rows are, or on which node?  Of
 * partitions that are partitioned themselves, the first stands for all.  Where tables may be
 * distributed, any of their columns may be the one that they are distributed by.
 */
bool
corm_locates_rows(CormModel *model, CormField *field)
{
	Oid			table = model->table;

	if (corm_may_be_distributed())
		return true;
	while (OidIsValid(table) && get_rel_relkind(table) == RELKIND_PARTITIONED_TABLE)
	{
		List	   *partitions;

		if (is_partition_key(table, field->column))
			return true;
		partitions = find_inheritance_children(table, NoLock);
		table = partitions ? linitial_oid(partitions) : InvalidOid;
	}
	return false;
}

/*
 * Facts
 */

/* The range that a column's value comes from: of a page of parents, the rows of the page. */
static CormRange *
real_range(const CormTree *column)
{
	return column->range->page_of ? column->range->page_of->source : column->range;
}

/* Is an expression a field of a table, by itself? */
static bool
is_field(const CormTree *tree)
{
	return corm_tree_is(tree, CORM_IS_COLUMN) && tree->range && tree->field && tree->aliased == NULL &&
		tree->query == NULL;
}

/* Returns what is known of a column that can be compared like a field, or NULL. */
static CormTree *
known_value(List *facts, const CormTree *column, const CormField *like)
{
	CormRange  *range = real_range(column);
	ListCell   *lc;

	if (column->field->typid != like->typid || column->field->collation != like->collation)
		return NULL;
	foreach(lc, facts)
	{
		Fact	   *fact = lfirst(lc);

		if (fact->range == range && fact->field->attnum == column->field->attnum &&
			strcmp(fact->field->column, column->field->column) == 0)
			return fact->value;
	}
	return NULL;
}

static List *
add_fact(List *facts, const CormTree *column, CormTree *value)
{
	Fact	   *fact = palloc(sizeof(Fact));

	fact->range = real_range(column);
	fact->field = column->field;
	fact->value = value;
	return lappend(facts, fact);
}

/* Returns the conditions that must all hold, ANDs taken apart. */
static List *
conjuncts(List *conditions)
{
	List	   *result = NIL;
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, conditions)
	{
		CormTree   *condition = lfirst(lc);

		if (condition->tag == CORM_N_AND)
			result = list_concat(result, conjuncts(condition->args[0].list));
		else if (condition->tag == CORM_N_EQ && !OidIsValid(condition->opr))
			result = lappend(result, condition);
	}
	return result;
}

/* Adds the facts that conditions state of a field and a value. */
static List *
stated_facts(List *facts, List *conditions)
{
	ListCell   *lc;

	foreach(lc, conjuncts(conditions))
	{
		CormTree   *condition = lfirst(lc);

		if (is_field(condition->args[0].node) && condition->args[1].node->tag == CORM_N_VALUE)
			facts = add_fact(facts, condition->args[0].node, condition->args[1].node);
	}
	return facts;
}

/*
 * Adds what follows from facts by conditions that two fields are equal, to the facts and,
 * where it helps, to the conditions.  only: new conditions are about the rows of this
 * range.  Returns whether there is a new fact.
 */
static bool
carry_over(List **facts, List **conditions, CormRange *only)
{
	bool		any = false;
	ListCell   *lc;

	foreach(lc, conjuncts(*conditions))
	{
		CormTree   *condition = lfirst(lc);

		for (int i = 0; i < 2; i++)
		{
			CormTree   *column = condition->args[i].node;
			CormTree   *other = condition->args[1 - i].node;
			CormTree   *value;

			if (!is_field(column) || !is_field(other) || column->range->page_of || known_value(*facts, column, column->field))
				continue;
			value = known_value(*facts, other, column->field);
			if (value == NULL)
				continue;
			*facts = add_fact(*facts, column, value);
			any = true;
			if ((only == NULL || column->range == only) && column->range->model &&
				corm_locates_rows(column->range->model, column->field))
				*conditions = lappend(*conditions, corm_make_binary(CORM_N_EQ, column, value));
		}
	}
	return any;
}

/* Does the same for a join that keeps the rows of the left side, and what is joined within it. */
static bool
carry_over_join(List **facts, CormJoin *join)
{
	List	   *conditions;
	bool		any;

	if (join->condition == NULL || (join->tag != CORM_N_JOIN_MODEL && join->tag != CORM_N_LEFT_JOIN_MODEL))
		return false;
	conditions = list_make1(join->condition);
	any = carry_over(facts, &conditions, join->range);
	if (list_length(conditions) > 1)
		join->condition = corm_make_list(CORM_N_AND, conditions);
	if (join->inner)
		any |= carry_over_join(facts, join->inner);
	return any;
}

/*
 * Statements
 */

/* Carries the facts in context into the queries of an expression. */
static bool
expr_walker(CormTree *tree, void *context)
{
	if (tree->query)
	{
		carry_into(tree->query, context);
		return false;
	}
	return corm_tree_walker(tree, expr_walker, context);
}

static void
carry_into_sets(List *sets, List *facts)
{
	ListCell   *lc;

	foreach(lc, sets)
	{
		(void) expr_walker(((CormAssignment *) lfirst(lc))->value, facts);
	}
}

/* Carries facts into the subquery of a range, and into that of its first row. */
static void
carry_into_range(CormRange *range, List *facts)
{
	List	   *known = list_copy(facts);

	if (range->query)
		carry_into(range->query, facts);
	if (range->first_of)
		(void) carry_over(&known, &range->first_of, range);
}

/* Carries facts of the queries around a statement, and its own, into it and into its parts. */
static void
carry_into(CormStmt *stmt, List *facts)
{
	List	   *known = list_copy(facts);
	bool		any;
	ListCell   *lc;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	foreach(lc, stmt->ctes)
	{
		CormCte    *cte = lfirst(lc);

		carry_into(cte->query, NIL);
		if (cte->step)
			carry_into(cte->step, NIL);
	}
	if (stmt->command == CORM_CMD_RAW || stmt->source == NULL)
		return;
	foreach(lc, stmt->setops)
	{
		carry_into(((CormSetOp *) lfirst(lc))->query, facts);
	}

	/* in an insert, conditions are about rows that are there already */
	if (stmt->command != CORM_CMD_INSERT)
	{
		known = stated_facts(known, stmt->where);
		do
		{
			any = carry_over(&known, &stmt->where, NULL);
			foreach(lc, stmt->joins)
			{
				any |= carry_over_join(&known, lfirst(lc));
			}
		} while (any);
	}

	carry_into_range(stmt->source, known);
	foreach(lc, stmt->joins)
	{
		CormJoin   *join = lfirst(lc);

		carry_into_range(join->range, known);
		if (join->condition)
			(void) expr_walker(join->condition, known);
	}
	(void) corm_trees_walker(stmt->select, expr_walker, known);
	(void) corm_trees_walker(stmt->where, expr_walker, known);
	(void) corm_trees_walker(stmt->group_by, expr_walker, known);
	(void) corm_trees_walker(stmt->having, expr_walker, known);
	(void) corm_trees_walker(stmt->order_by, expr_walker, known);
	carry_into_sets(stmt->sets, known);
	/* what a write returns are the rows as written: they may have other keys then */
	if (stmt->command != CORM_CMD_SELECT)
		known = facts;
	(void) corm_trees_walker(stmt->returning, expr_walker, known);
	foreach(lc, stmt->preloads)
	{
		carry_into(((CormPreload *) lfirst(lc))->query, known);
	}
}

/*
 * corm_carry_keys adds to a whole statement, whose names are bound, the conditions on
 * partition keys that follow from others.
 */
void
corm_carry_keys(CormStmt *stmt)
{
	carry_into(stmt, NIL);
}

/*
 * Rows in an array
 */

/*
 * Returns the condition that a field of a range has one of the values that a field of a
 * model has in rows, an array of the model's row type; NULL if that does not tell where the
 * rows are, or their types differ.
 */
static CormTree *
located_by(CormRange *range, CormField *column, CormModel *model, CormField *field, CormTree *rows)
{
	CormTree   *condition;

	if (field->rownum <= 0 || field->typid != column->typid || !OidIsValid(get_array_type(field->typid)) ||
		get_atttype(model->relid, field->rownum) != field->typid || !corm_locates_rows(range->model, column))
		return NULL;
	condition = corm_make_tree(CORM_N_RAW);
	condition->args[0].str = psprintf("%s.%s OPERATOR(pg_catalog.=) ANY (corm.field_values($1, %d, NULL::%s))",
									  quote_identifier(range->alias), quote_identifier(column->column), field->rownum,
									  format_type_extended(get_array_type(field->typid), -1, FORMAT_TYPE_FORCE_QUALIFY));
	condition->args[1].list = list_make1(rows);
	return condition;
}

/*
 * corm_located_by returns conditions on the partition keys of a range whose rows have the
 * primary keys of those in rows, an array of the model's row type: key = ANY (...).  The
 * equality of each key with that of a row does not tell the planner which partitions are
 * meant.
 */
List *
corm_located_by(CormRange *range, CormTree *rows)
{
	CormModel  *model = range->model;
	List	   *conditions = NIL;

	for (int i = 0; i < model->npk; i++)
	{
		CormField  *field = &model->fields[model->pk[i]];
		CormTree   *condition = located_by(range, field, model, field, rows);

		if (condition)
			conditions = lappend(conditions, condition);
	}
	return conditions;
}

/*
 * corm_locate_children adds such conditions to the preloads of a statement that shows the
 * rows in an array of its model's row type.
 */
void
corm_locate_children(CormStmt *stmt, CormTree *rows)
{
	ListCell   *lc;

	foreach(lc, stmt->preloads)
	{
		CormStmt   *query = ((CormPreload *) lfirst(lc))->query;
		ListCell   *lc2;

		foreach(lc2, conjuncts(query->where))
		{
			CormTree   *pair = lfirst(lc2);

			for (int i = 0; i < 2; i++)
			{
				CormTree   *column = pair->args[i].node;
				CormTree   *parent = pair->args[1 - i].node;
				CormTree   *condition;

				if (!is_field(column) || !is_field(parent) || parent->range->page_of != stmt || column->range->model == NULL)
					continue;
				condition = located_by(column->range, column->field, stmt->source->model, parent->field, rows);
				if (condition)
					query->where = lappend(query->where, condition);
			}
		}
	}
}

/*
 * corm_field_values(rows, field, sample): the values of one attribute, by its number, of an
 * array of rows, as an array of the type of sample.  It is immutable, so that the planner
 * knows the values.
 */
Datum
corm_field_values(PG_FUNCTION_ARGS)
{
	ArrayType  *rows;
	AttrNumber	attnum;
	Oid			element = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	Datum	   *elements;
	bool	   *nulls;
	Datum	   *values;
	int			n;
	int			dims[1];
	int			lbs[1] = {1};
	int16		typlen;
	bool		typbyval;
	char		typalign;
	TupleDesc	tupdesc;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	rows = PG_GETARG_ARRAYTYPE_P(0);
	attnum = PG_GETARG_INT32(1);
	tupdesc = lookup_rowtype_tupdesc(ARR_ELEMTYPE(rows), -1);
	if (attnum < 1 || attnum > tupdesc->natts || TupleDescAttr(tupdesc, attnum - 1)->atttypid != element)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("type %s has no attribute %d of type %s", format_type_be(ARR_ELEMTYPE(rows)), attnum,
						format_type_be(element))));
	get_typlenbyvalalign(ARR_ELEMTYPE(rows), &typlen, &typbyval, &typalign);
	deconstruct_array(rows, ARR_ELEMTYPE(rows), typlen, typbyval, typalign, &elements, &nulls, &n);
	values = palloc(sizeof(Datum) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		HeapTupleHeader header;
		HeapTupleData tuple = {0};

		CHECK_FOR_INTERRUPTS();
		values[i] = (Datum) 0;
		if (nulls[i])
			continue;
		header = DatumGetHeapTupleHeader(elements[i]);
		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		tuple.t_data = header;
		values[i] = heap_getattr(&tuple, attnum, tupdesc, &nulls[i]);
	}
	ReleaseTupleDesc(tupdesc);
	get_typlenbyvalalign(element, &typlen, &typbyval, &typalign);
	dims[0] = n;
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(element));
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, dims, lbs, element, typlen, typbyval, typalign));
}
