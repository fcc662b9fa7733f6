/*-------------------------------------------------------------------------
 *
 * substitute.c
 *		The parameters of a compiled query replaced by what they stand for.
 *
 * A value that is known becomes a constant, converted as it is for an execution.  A text
 * whose meaning depends on settings or the time, such as a time without its zone or "now",
 * is converted by the plan each time that it runs.
 * One that is not, a symbol, becomes the expression that the statement around
 * gives, converted by a cast.
 *
 * Once.  A value without a type is a text for PostgreSQL.  What converts it is the same for
 * all rows, but the executor does not know that.  So in a condition, in a plan for all values,
 * the conversion is a subquery, which is evaluated when its value is first needed.  That costs
 * as much as some twenty conversions, so not where an index is most likely looked at for the
 * value; and not where it could choose partitions before the execution.
 *
 * Branches.  What is in a CASE or COALESCE may not be evaluated, and then a text there that is
 * no number must not be an error.  Where values are known, PostgreSQL would evaluate the
 * conversion as it plans, so a call there is left.
 *
 * NULL.  In corm, "= NULL" is IS NULL, and a value that is NULL is written so.  Of a
 * symbol we do not know.  Everywhere but in = and <> NULL means what it means in SQL.
 * For these:
 *
 * - if the symbol cannot be NULL, or the column cannot, and the comparison is one
 *	 of those that select rows, the plain comparison is right: it selects nothing,
 *	 as IS NULL would;
 * - a symbol made of parameters, or a subquery, becomes x = v OR (v IS NULL AND x IS NULL) there, and
 *	 a CASE elsewhere.  That is seen in generic plans only: in a custom plan
 *	 parameters are known;
 * - a symbol with columns that may be NULL, where the other side may be too, is not
 *	 compiled in: PostgreSQL has no good plan for that condition.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "base/compat.h"
#include "base/schema.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "exec/inline/substitute.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#define FIRST_PLACE		(-2)	/* as a location; those of further parameters
								 * are below */

typedef struct Substitution
{
	CormPlan   *plan;
	Node	  **replacements;	/* by number of the parameter, from 0 on */
	CormSymbol **symbols;		/* the same; NULL for known values */
	List	   *queries;		/* of Query: those that we are in, innermost
								 * first */
	bool		selects;		/* in a condition where NULL is as good as
								 * false */
	bool		linked;			/* a subquery was put into the query that we
								 * are in */
	CormValuesOf values_of;
	bool		for_rows;		/* in a condition that is evaluated row by
								 * row */
	bool		failed;			/* it cannot be written */
} Substitution;

static Node *substitute(Node *node, Substitution *s);

/*
 * Columns that cannot be NULL
 */

/*
 * Looks for a relation in a join tree.  Returns whether it is on a side that an outer
 * join fills up with NULLs; *found is set if it was there.
 */
static bool
is_filled_up(const Node *jtnode, int rti, bool filled, bool *found)
{
	if (jtnode == NULL)
		return false;
	if (IsA(jtnode, RangeTblRef))
	{
		*found = ((const RangeTblRef *) jtnode)->rtindex == rti;
		return filled;
	}
	if (IsA(jtnode, FromExpr))
	{
		ListCell   *lc;

		foreach(lc, ((const FromExpr *) jtnode)->fromlist)
		{
			bool		result = is_filled_up(lfirst(lc), rti, filled, found);

			if (*found)
				return result;
		}
		return false;
	}
	if (IsA(jtnode, JoinExpr))
	{
		const JoinExpr *join = (const JoinExpr *) jtnode;
		bool		result = is_filled_up(join->larg, rti,
										  filled || join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL, found);

		if (*found)
			return result;
		return is_filled_up(join->rarg, rti,
							filled || join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL, found);
	}
	return true;
}

/*
 * corm_is_not_null_column returns whether an expression is a column that is declared
 * NOT NULL, of a table that no outer join fills up.  queries are those that the
 * expression may refer to, innermost first.
 */
bool
corm_is_not_null_column(List *queries, const Node *node)
{
	const Var  *var;
	const Query *query;
	RangeTblEntry *rte;
	HeapTuple	tuple;
	bool		not_null = false;
	bool		found = false;

	while (node && IsA(node, RelabelType))
		node = (const Node *) ((const RelabelType *) node)->arg;
	if (node == NULL || !IsA(node, Var))
		return false;
	var = (const Var *) node;
	if (var->varlevelsup >= list_length(queries) || var->varattno <= 0)
		return false;
	query = list_nth(queries, var->varlevelsup);
	if (query->groupingSets || var->varno < 1 || var->varno > list_length(query->rtable))
		return false;
	rte = rt_fetch(var->varno, query->rtable);
	if (rte->rtekind != RTE_RELATION ||
		(rte->relkind != RELKIND_RELATION && rte->relkind != RELKIND_PARTITIONED_TABLE) ||
		(rte->inh && rte->relkind == RELKIND_RELATION && has_subclass(rte->relid)))
		return false;
	if (is_filled_up((const Node *) query->jointree, var->varno, false, &found) || !found)
		return false;
	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(rte->relid), Int16GetDatum(var->varattno));
	if (HeapTupleIsValid(tuple))
	{
		not_null = ((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;
		ReleaseSysCache(tuple);
	}
	return not_null && corm_not_null_is_valid(rte->relid, var->varattno);
}

/*
 * Comparisons
 */

/* The parameter that an operand is, through what the parser puts around it. */
static Param *
operand_param(Node *node)
{
	while (node)
	{
		if (IsA(node, Param))
			return ((Param *) node)->paramkind == PARAM_EXTERN ? (Param *) node : NULL;
		if (IsA(node, RelabelType))
			node = (Node *) ((RelabelType *) node)->arg;
		else if (IsA(node, CoerceViaIO))
			node = (Node *) ((CoerceViaIO *) node)->arg;
		else if (IsA(node, ArrayCoerceExpr))
			node = (Node *) ((ArrayCoerceExpr *) node)->arg;
		else if (IsA(node, FuncExpr) && ((FuncExpr *) node)->args != NIL &&
				 (((FuncExpr *) node)->funcformat == COERCE_IMPLICIT_CAST ||
				  ((FuncExpr *) node)->funcformat == COERCE_EXPLICIT_CAST))
			node = linitial(((FuncExpr *) node)->args);
		else
			return NULL;
	}
	return NULL;
}

static Node *
null_test(Node *arg, NullTestType type)
{
	NullTest   *test = makeNode(NullTest);

	test->arg = (Expr *) arg;
	test->nulltesttype = type;
	/* NULLs only, where it is a row: as IS NULL of a row type would not say */
	test->argisrow = false;
	test->location = -1;
	return (Node *) test;
}

/*
 * Values that are converted
 */

static bool
has_partitions(const Query *query)
{
	ListCell   *lc;

	foreach(lc, query->rtable)
	{
		const RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION && rte->relkind == RELKIND_PARTITIONED_TABLE)
			return true;
	}
	return false;
}

static bool
is_first_in_index(Oid relid, AttrNumber attno)
{
	Relation	rel = table_open(relid, NoLock);
	List	   *indexes = RelationGetIndexList(rel);
	bool		found = false;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		found |= index->indkey.values[0] == attno && index->indisvalid &&
			heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	table_close(rel, NoLock);
	return found;
}

/* Is a comparison one by which PostgreSQL looks for a value in an index? */
static bool
looks_up_value(const Query *query, const OpExpr *op)
{
	const Node *column = linitial(op->args);
	const Var  *var;
	const RangeTblEntry *rte;

	while (IsA(column, RelabelType))
		column = (const Node *) ((const RelabelType *) column)->arg;
	var = (const Var *) column;
	if (!IsA(var, Var) || var->varlevelsup != 0 || var->varattno <= 0 ||
		!op_hashjoinable(op->opno, exprType((const Node *) var)))
		return false;
	rte = rt_fetch(var->varno, query->rtable);
	return rte->rtekind == RTE_RELATION && is_first_in_index(rte->relid, var->varattno);
}

/* An expression without columns as a subquery, which is evaluated once. */
static Node *
evaluated_once(Node *expr, bool has_links)
{
	Query	   *query = makeNode(Query);
	SubLink    *link = makeNode(SubLink);

	/* it may refer to the WITH of a query around */
	IncrementVarSublevelsUp(expr, 1, 0);
	query->commandType = CMD_SELECT;
	query->canSetTag = true;
	query->targetList = list_make1(makeTargetEntry((Expr *) expr, 1, pstrdup("value"), false));
	query->jointree = makeFromExpr(NIL, NULL);
	query->hasSubLinks = has_links;
	link->subLinkType = EXPR_SUBLINK;
	link->subselect = (Node *) query;
	link->location = -1;
	return (Node *) link;
}

/* What a parameter is, in the query that we are in. */
static Node *
replacement_here(Substitution *s, int number)
{
	Node	   *node = copyObject(s->replacements[number - 1]);
	CormSymbol *symbol = s->symbols[number - 1];

	if (symbol == NULL)
		return node;
	s->linked |= symbol->has_links;
	if (s->for_rows && s->values_of == CORM_VALUES_OF_ALL && !symbol->has_vars &&
		s->plan->params[number - 1].binding != CORM_BIND_PLAIN)
	{
		node = evaluated_once(node, symbol->has_links);
		s->linked = true;
	}
	IncrementVarSublevelsUp(node, list_length(s->queries), 0);
	return node;
}

/* Replaces in a node that is no condition which selects rows. */
static Node *
substitute_within(Node *node, Substitution *s)
{
	bool		selects = s->selects;

	s->selects = false;
	node = expression_tree_mutator(node, substitute, s);
	s->selects = selects;
	return node;
}

/*
 * Replaces a comparison with a symbol that may be NULL, and then stands for a test for
 * NULL.
 */
static Node *
substitute_comparison(OpExpr *op, Param *param, Substitution *s)
{
	CormSymbol *symbol = s->symbols[param->paramid - 1];
	bool		equal = s->plan->params[param->paramid - 1].null_test == CORM_NULL_EQ;
	bool		not_null = corm_is_not_null_column(s->queries, linitial(op->args));
	Node	   *plain = substitute_within((Node *) op, s);
	Node	   *is_null;
	Node	   *test;
	CaseExpr   *expr;
	CaseWhen   *when;

	if (s->selects && equal && not_null)
		return plain;
	if (symbol->has_vars || type_is_rowtype(exprType(linitial(op->args))))
	{
		s->failed = true;
		return plain;
	}
	is_null = (Node *) copyObject(symbol->expr);
	IncrementVarSublevelsUp(is_null, list_length(s->queries), 0);
	is_null = null_test(is_null, IS_NULL);
	test = null_test(copyObject(linitial(((OpExpr *) plain)->args)), equal ? IS_NULL : IS_NOT_NULL);
	if (s->selects)
		return (Node *) make_orclause(list_make2(plain, make_andclause(list_make2(is_null, test))));
	when = makeNode(CaseWhen);
	when->expr = (Expr *) is_null;
	when->result = (Expr *) test;
	when->location = -1;
	expr = makeNode(CaseExpr);
	expr->casetype = BOOLOID;
	expr->casecollid = InvalidOid;
	expr->args = list_make1(when);
	expr->defresult = (Expr *) plain;
	expr->location = -1;
	return (Node *) expr;
}

/* Whether NULL would mean something else for a parameter than in SQL. */
static bool
may_test_null(Substitution *s, int number)
{
	CormSymbol *symbol = s->symbols[number - 1];

	return symbol && !symbol->not_null && s->plan->params[number - 1].null_test != CORM_NULL_PLAIN;
}

/* Replaces in an operator with two operands. */
static Node *
substitute_operator(OpExpr *op, Substitution *s)
{
	Param	   *param = operand_param(lsecond(op->args));
	bool		for_rows = s->for_rows;
	Node	   *result;

	if (param == NULL)
		return substitute_within((Node *) op, s);
	s->for_rows = for_rows && !looks_up_value(linitial(s->queries), op);
	if (op->opresulttype == BOOLOID && may_test_null(s, param->paramid) &&
		s->plan->params[param->paramid - 1].null_test != CORM_NULL_OTHER)
	{
		CormSymbol *symbol = s->symbols[param->paramid - 1];

		/* what is in the operand itself is all right now */
		symbol->not_null = true;
		result = substitute_comparison(op, param, s);
		symbol->not_null = false;
	}
	else
		result = substitute_within((Node *) op, s);
	s->for_rows = for_rows;
	return result;
}

/* Replaces in a condition that is evaluated for each row. */
static Node *
substitute_condition(Node *condition, Substitution *s)
{
	s->for_rows = !has_partitions(linitial(s->queries));
	condition = substitute(condition, s);
	s->for_rows = false;
	return condition;
}

static Node *
substitute(Node *node, Substitution *s)
{
	if (node == NULL)
		return NULL;
	check_stack_depth();
	if (IsA(node, Query))
	{
		bool		selects = s->selects;
		bool		linked = s->linked;
		bool		for_rows = s->for_rows;
		Query	   *copy;

		s->queries = lcons(node, s->queries);
		s->selects = false;
		s->linked = false;
		s->for_rows = false;
		copy = query_tree_mutator((Query *) node, substitute, s, 0);
		copy->hasSubLinks |= s->linked;
		s->selects = selects;
		s->linked = linked;
		s->for_rows = for_rows;
		s->queries = list_delete_first(s->queries);
		return (Node *) copy;
	}
	if (IsA(node, FromExpr))
	{
		FromExpr   *from = (FromExpr *) node;
		FromExpr   *copy = makeNode(FromExpr);
		bool		selects = s->selects;

		s->selects = false;
		copy->fromlist = (List *) substitute((Node *) from->fromlist, s);
		s->selects = true;
		copy->quals = substitute_condition(from->quals, s);
		s->selects = selects;
		return (Node *) copy;
	}
	if (IsA(node, JoinExpr))
	{
		JoinExpr   *copy = makeNode(JoinExpr);

		*copy = *(JoinExpr *) node;
		copy->larg = substitute(copy->larg, s);
		copy->rarg = substitute(copy->rarg, s);
		copy->quals = substitute_condition(copy->quals, s);
		return (Node *) copy;
	}
	if (IsA(node, List) || (IsA(node, BoolExpr) && ((BoolExpr *) node)->boolop != NOT_EXPR))
		return expression_tree_mutator(node, substitute, s);
	if (IsA(node, OpExpr) && list_length(((OpExpr *) node)->args) == 2)
		return substitute_operator((OpExpr *) node, s);
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXTERN)
	{
		int			number = ((Param *) node)->paramid;

		if (number < 1 || number > s->plan->nparams)
			elog(ERROR, "query has no parameter $%d", number);
		/* a comparison would have been seen around it */
		if (may_test_null(s, number))
			s->failed = true;
		return replacement_here(s, number);
	}
	return substitute_within(node, s);
}

/*
 * A pattern made of a text that is not known; NULL if that cannot be, because the
 * extension does not have the function yet, or not for this user.
 */
static Node *
pattern_of(CormParamForm form, Expr *expr)
{
	static const char *const forms[] = {
		[CORM_PARAM_CONTAINS] = "contains",
		[CORM_PARAM_STARTS] = "starts_with",
		[CORM_PARAM_ENDS] = "ends_with"
	};
	Oid			types[2] = {TEXTOID, TEXTOID};
	Oid			function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("like_pattern"),
										   PointerGetDatum(buildoidvector(types, 2)), ObjectIdGetDatum(corm_schema_oid()));
	Oid			typid = exprType((Node *) expr);
	Const	   *name;

	if (form == CORM_PARAM_PLAIN || form > CORM_PARAM_ENDS || !OidIsValid(function) ||
		corm_function_aclcheck(function, GetUserId()) != ACLCHECK_OK)
		return NULL;
	if (typid != TEXTOID && IsBinaryCoercible(typid, TEXTOID))
		expr = (Expr *) makeRelabelType(expr, TEXTOID, -1, DEFAULT_COLLATION_OID, COERCE_IMPLICIT_CAST);
	else if (typid != TEXTOID)
	{
		CoerceViaIO *coerce = makeNode(CoerceViaIO);

		coerce->arg = expr;
		coerce->resulttype = TEXTOID;
		coerce->resultcollid = DEFAULT_COLLATION_OID;
		coerce->coerceformat = COERCE_IMPLICIT_CAST;
		coerce->location = -1;
		expr = (Expr *) coerce;
	}
	name = makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, CStringGetTextDatum(forms[form]), false, false);
	return (Node *) makeFuncExpr(function, TEXTOID, list_make2(expr, name), DEFAULT_COLLATION_OID,
								 DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
}

/*
 * Known values
 */

/*
 * Does what a text means as a value of a type depend on settings or on the time?  Labels of
 * enums and names in documents do not, although their functions are not immutable.
 */
static bool
depends_on_settings(Oid typid)
{
	Oid			base = getBaseType(typid);
	Oid			input;
	Oid			ioparam;

	getTypeInputInfo(base, &input, &ioparam);
	if (func_volatile(input) == PROVOLATILE_IMMUTABLE || base == JSONOID || base == JSONBOID || type_is_enum(base))
		return false;
	if (OidIsValid(get_element_type(base)))
		return depends_on_settings(get_element_type(base));
	if (OidIsValid(get_range_subtype(base)))
		return depends_on_settings(get_range_subtype(base));
	if (OidIsValid(get_multirange_range(base)))
		return depends_on_settings(get_multirange_range(base));
	return true;
}

/* Moves on if a text goes on with a form, in which 0 stands for any digit. */
static bool
skip_form(const char **text, const char *form)
{
	const char *p = *text;

	for (; *form; form++, p++)
	{
		if (*form == '0' ? !isdigit((unsigned char) *p) : *p != *form)
			return false;
	}
	*text = p;
	return true;
}

/*
 * Is a text a date or time that is the same under all settings: year, month and day in this
 * order, and the zone if it is to have one?
 */
static bool
is_fixed_time(Oid typid, const char *text)
{
	bool		has_time;

	if (!skip_form(&text, "0000-00-00"))
		return false;
	has_time = skip_form(&text, " 00:00") || skip_form(&text, "T00:00");
	if (has_time && skip_form(&text, ":00") && *text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	if (typid == TIMESTAMPTZOID)
		return has_time && (skip_form(&text, "Z") || skip_form(&text, "+00:00") || skip_form(&text, "-00:00") ||
							skip_form(&text, "+00") || skip_form(&text, "-00")) && *text == '\0';
	return (typid == TIMESTAMPOID || (typid == DATEOID && !has_time)) && *text == '\0';
}

/*
 * corm_value_is_settled returns whether what a value, which is not NULL, is converted to is the
 * same at each execution.
 */
bool
corm_value_is_settled(const CormPlanParam *param, const CormValue *value)
{
	Oid			typid = OidIsValid(param->element_type) ? param->element_type : param->typid;
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	if (param->binding == CORM_BIND_PLAIN || !depends_on_settings(typid))
		return true;
	if (param->binding == CORM_BIND_INPUT)
		return is_fixed_time(getBaseType(typid), TextDatumGetCString(corm_value_datum(value, param->typlen, param->typbyval)));
	if (param->binding != CORM_BIND_ARRAY_INPUT)
		return false;
	deconstruct_array(DatumGetArrayTypeP(corm_value_datum(value, param->typlen, param->typbyval)),
					  TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!nulls[i] && !is_fixed_time(getBaseType(typid), TextDatumGetCString(elems[i])))
			return false;
	}
	return true;
}

static Node *
convert_by_text(Expr *arg, Oid typid)
{
	CoerceViaIO *coerce = makeNode(CoerceViaIO);

	coerce->arg = arg;
	coerce->resulttype = typid;
	coerce->resultcollid = get_typcollation(typid);
	coerce->coerceformat = COERCE_IMPLICIT_CAST;
	coerce->location = -1;
	return (Node *) coerce;
}

static Const *
make_value(Oid typid, Datum datum)
{
	int16		typlen;
	bool		typbyval;

	get_typlenbyval(typid, &typlen, &typbyval);
	return makeConst(typid, -1, get_typcollation(typid), typlen, datumCopy(datum, typbyval, typlen), false, typbyval);
}

/*
 * A known value as an expression; NULL if there is none.  Raises what converting it now
 * raises, even if it will be converted again.
 */
static Node *
known_value(CormPlanParam *param, const CormValue *value, CormValuesOf values_of)
{
	Datum		datum;

	if (values_of == CORM_VALUES_OF_BRANCH && param->binding != CORM_BIND_PLAIN)
		return NULL;
	datum = corm_bind_value(param, value);
	if (corm_value_is_settled(param, value))
		return (Node *) make_value(param->typid, datum);
	if (param->binding != CORM_BIND_INPUT)
		return NULL;
	datum = corm_value_datum(value, param->typlen, param->typbyval);
	return convert_by_text((Expr *) make_value(TEXTOID, datum), param->typid);
}

/*
 * The place of a value that is to be converted when it is known: a constant that says in its
 * location of which parameter.
 */
static Node *
place_of(const CormPlanParam *param, int i)
{
	Const	   *place = makeNullConst(param->typid, -1, get_typcollation(param->typid));

	place->location = FIRST_PLACE - i;
	return (Node *) place;
}

static bool
fill_places_walker(Node *node, NullableDatum *values)
{
	Const	   *place = (Const *) node;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, fill_places_walker, values, 0);
	if (!IsA(node, Const))
		return expression_tree_walker(node, fill_places_walker, values);
	if (place->location <= FIRST_PLACE)
	{
		const NullableDatum *value = &values[FIRST_PLACE - place->location];

		place->constvalue = value->value;
		place->constisnull = value->isnull;
		place->location = -1;
	}
	return false;
}

/*
 * corm_fill_places puts values in their places in a copy of a query that was made for keeping.
 * values are by number of the parameter; those of parameters that have no place are not looked
 * at.
 */
void
corm_fill_places(Query *query, NullableDatum *values)
{
	(void) query_tree_walker(query, fill_places_walker, values, 0);
}

/*
 * What a parameter is to be; NULL if there is no expression for it.
 */
static Node *
replacement(CormPlanParam *param, const CormValue *value, CormSymbol *symbol, CormValuesOf values_of)
{
	Oid			collation = get_typcollation(param->typid);
	Oid			typid;

	if (symbol == NULL)
		return known_value(param, value, values_of);
	typid = exprType((Node *) symbol->expr);
	switch (param->binding)
	{
		case CORM_BIND_PLAIN:
			if (typid == param->typid)
				return (Node *) symbol->expr;
			if (!IsBinaryCoercible(typid, param->typid))
				return NULL;
			return (Node *) makeRelabelType(symbol->expr, param->typid, -1, collation, COERCE_IMPLICIT_CAST);
		case CORM_BIND_INPUT:
		case CORM_BIND_ARRAY_INPUT:
			return convert_by_text(symbol->expr, param->typid);
		case CORM_BIND_PATTERN:
			return pattern_of(param->form, symbol->expr);
		default:
			return NULL;
	}
}

/*
 * corm_substitute returns a copy of a plan's query in which its parameters are
 * replaced by the values of a call, or the expressions of its symbols, to be one level
 * below the query that has the call.  NULL if it cannot be written.  Raises what
 * converting the values raises.
 */
Query *
corm_substitute(CormPlan *plan, const CormQuerySet *set, List *symbols, const Query *query,
				CormValuesOf values_of)
{
	Substitution s = {.plan = plan,.values_of = values_of};
	Query	   *result;

	s.replacements = palloc0(sizeof(Node *) * Max(plan->nparams, 1));
	s.symbols = palloc0(sizeof(CormSymbol *) * Max(plan->nparams, 1));
	for (int i = 0; i < plan->nparams; i++)
	{
		CormPlanParam *param = &plan->params[i];
		const CormValue *value = corm_param_value(param, set);

		if (value->symbol)
		{
			if (value->symbol > list_length(symbols) || value->typid != param->value_type)
				ereport(ERROR,
						(errcode(ERRCODE_DATA_CORRUPTED),
						 errmsg("invalid binary value of type corm.query")));
			s.symbols[i] = list_nth(symbols, value->symbol - 1);
		}
		s.replacements[i] = replacement(param, value, s.symbols[i], values_of);
		if (s.replacements[i] == NULL)
			return NULL;
		if (values_of == CORM_VALUES_OF_KEPT && s.symbols[i] && param->binding != CORM_BIND_PLAIN)
			s.replacements[i] = place_of(param, i);
	}
	result = (Query *) substitute((Node *) copyObject(query), &s);
	return s.failed ? NULL : result;
}
