/*-------------------------------------------------------------------------
 *
 * plan_keys.c
 *		The keys, indexes, checks and references of a migration.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "base/errors.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "model/keys.h"
#include "tools/expression.h"
#include "tools/plan_internal.h"
#include "tools/rows.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/*
 * Keys
 */

/*
 * index_is_partial returns whether an index leaves out rows that count: all
 * conditions do but the one on rows that are not deleted.
 */
static bool
index_is_partial(CormPresent *present, Relation index)
{
	List	   *predicate = RelationGetIndexPredicate(index);
	CormWantedColumn *soft_delete = present->wanted->soft_delete;
	Node	   *node;
	Node	   *arg = NULL;

	if (predicate == NIL)
		return false;
	node = linitial(predicate);
	if (IsA(node, NullTest) && ((NullTest *) node)->nulltesttype == IS_NULL)
		arg = (Node *) ((NullTest *) node)->arg;
	else if (IsA(node, BooleanTest) && ((BooleanTest *) node)->booltesttype == IS_NOT_TRUE)
		arg = (Node *) ((BooleanTest *) node)->arg;
	return list_length(predicate) != 1 || soft_delete == NULL || arg == NULL || !IsA(arg, Var) ||
		((Var *) arg)->varattno != corm_plan_present_attnum(present->wanted, soft_delete->name);
}

/*
 * index_serves returns whether an index is what a wanted key asks for.  A
 * unique one must have its columns, in any order; another one begins with
 * them.
 */
static bool
index_serves(CormPresent *present, Relation index, CormWantedKey *key)
{
	Form_pg_index form = index->rd_index;
	int			n = list_length(key->columns);

	if (RelationGetIndexExpressions(index) != NIL || form->indnkeyatts < n ||
		(key->unique && (!form->indisunique || form->indnkeyatts != n)))
		return false;
	if (index_is_partial(present, index) || (!key->live_only && RelationGetIndexPredicate(index) != NIL))
		return false;
	for (int i = 0; i < n; i++)
	{
		AttrNumber	attnum = corm_plan_present_attnum(present->wanted, list_nth(key->columns, i));
		bool		found = false;

		for (int j = 0; j < n; j++)
			found |= form->indkey.values[j] == attnum && (key->unique || i == j);
		if (attnum == InvalidAttrNumber || !found)
			return false;
	}
	return true;
}

/*
 * drop_index_sql returns how to drop an index, which may belong to a
 * constraint.
 */
static char *
drop_index_sql(CormPresent *present, Relation index, bool concurrently)
{
	Oid			constraint = get_index_constraint(RelationGetRelid(index));

	if (OidIsValid(constraint))
		return psprintf("ALTER TABLE %s DROP CONSTRAINT %s", present->wanted->sql_name,
						quote_identifier(get_constraint_name(constraint)));
	return psprintf("DROP INDEX %s%s", concurrently ? "CONCURRENTLY " : "",
					quote_qualified_identifier(get_namespace_name(RelationGetNamespace(index)),
											   RelationGetRelationName(index)));
}

/*
 * find_key returns whether a table has an index that serves a wanted key, and
 * drops what is in its way, if that is allowed: *blocked says that something
 * stays.
 */
static bool
find_key(CormPresent *present, CormWantedKey *key, bool *blocked)
{
	CormMigration *plan = present->plan;
	bool		concurrently = plan->options->online && present->rel->rd_rel->relkind == RELKIND_RELATION;
	List	   *indexes = RelationGetIndexList(present->rel);
	bool		found = false;
	ListCell   *lc;

	*blocked = false;
	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		found |= index->rd_index->indisvalid && index_serves(present, index, key);
		index_close(index, AccessShareLock);
	}
	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		bool		named = key->name && strcmp(RelationGetRelationName(index), key->name) == 0;
		char	   *sql = drop_index_sql(present, index, concurrently);

		if (!found && !index->rd_index->indisvalid && (named || index_serves(present, index, key)))
			corm_plan_step(plan, PHASE_KEY, present->wanted, true, LEFT_BEHIND, sql);
		else if (!found && named)
		{
			if (corm_plan_allowed(plan, PHASE_KEY, present->wanted, true, false,
								  psprintf("\"%s\" of table %s is another key", key->name, present->wanted->sql_name), sql))
				corm_plan_step(plan, PHASE_KEY, present->wanted, true, NULL, sql);
			else
				*blocked = true;
		}
		index_close(index, AccessShareLock);
	}
	return found;
}

/*
 * corm_plan_add_key adds the step that makes a key of a table.  present is NULL for a new
 * table.
 */
void
corm_plan_add_key(CormMigration *plan, CormWantedTable *table, CormPresent *present, CormWantedKey *key)
{
	bool		partitioned = present && present->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	bool		filled = present && present->filled;
	bool		concurrently = filled && plan->options->online && !partitioned;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE %sINDEX %s", key->unique ? "UNIQUE " : "", concurrently ? "CONCURRENTLY " : "");
	if (key->name)
		appendStringInfo(&sql, "%s ", quote_identifier(key->name));
	appendStringInfo(&sql, "ON %s (%s)", table->sql_name, corm_plan_names(key->columns));
	if (key->live_only)
		appendStringInfo(&sql, " WHERE %s %s", quote_identifier(table->soft_delete->name),
						 getBaseType(table->soft_delete->typid) == BOOLOID ? "IS NOT TRUE" : "IS NULL");
	corm_plan_step(plan, PHASE_KEY, table, !filled || concurrently,
				   concurrently ? CONCURRENTLY :
				   filled ? (partitioned ? "blocks writes while the index is made; on a partitioned table there is no other way" :
							 "blocks writes while the index is made; {\"online\": true} does not") : NULL,
				   sql.data);
}

/*
 * corm_plan_compare_keys compares the unique keys and indexes of a table.
 */
void
corm_plan_compare_keys(CormPresent *present)
{
	ListCell   *lc;

	foreach(lc, present->wanted->keys)
	{
		CormWantedKey *key = lfirst(lc);
		bool		withheld = false;
		bool		missing = false;
		bool		blocked = false;
		ListCell   *lc2;

		foreach(lc2, key->columns)
		{
			withheld |= corm_plan_has_name(present->withheld, lfirst(lc2));
			missing |= corm_plan_has_name(present->missing, lfirst(lc2));
		}
		if (withheld)
			continue;
		if ((missing && key->name == NULL) || !find_key(present, key, &blocked))
		{
			if (!blocked)
				corm_plan_add_key(present->plan, present->wanted, present, key);
		}
	}
}

/*
 * corm_plan_compare_primary_key compares the primary key of a table.
 */
void
corm_plan_compare_primary_key(CormPresent *present)
{
	CormMigration *plan = present->plan;
	CormWantedTable *table = present->wanted;
	List	   *columns = corm_primary_key_columns(table->relid);
	bool		same = list_length(columns) == list_length(table->primary_key);
	char	   *drop = "";
	char	   *sql;
	ListCell   *lc;

	if (table->primary_key == NIL)
		return;
	foreach(lc, table->primary_key)
	{
		AttrNumber	attnum = corm_plan_has_name(present->missing, lfirst(lc)) ? InvalidAttrNumber :
			corm_plan_present_attnum(table, lfirst(lc));

		if (corm_plan_has_name(present->withheld, lfirst(lc)))
			return;
		if (attnum != InvalidAttrNumber && !TupleDescAttr(RelationGetDescr(present->rel), attnum - 1)->attnotnull &&
			corm_has_nulls(table->relid, get_attname(table->relid, attnum, false)))
			return;				/* that it has nulls is said already */
		if (present->filled && attnum == InvalidAttrNumber)
		{
			CormWantedColumn *column = corm_wanted_column(table, lfirst(lc));

			if (!column->generated && column->identity == '\0' && !column->implied_identity && !column->default_text)
				return;			/* it is full of nulls then */
		}
		same = same && attnum == list_nth_int(columns, foreach_current_index(lc));
	}
	if (same)
		return;

	if (columns != NIL)
		drop = psprintf("DROP CONSTRAINT %s, ", quote_identifier(get_constraint_name(get_index_constraint(corm_primary_key_index(present->rel)))));
	sql = psprintf("ALTER TABLE %s %sADD PRIMARY KEY (%s)", table->sql_name, drop, corm_plan_names(table->primary_key));
	if (!corm_plan_allowed(plan, PHASE_KEY, table, columns != NIL, false,
						   psprintf("table %s has another primary key", table->sql_name), sql))
		return;
	if (!present->filled)
		corm_plan_step(plan, PHASE_KEY, table, true, NULL, sql);
	else if (!plan->options->online || present->rel->rd_rel->relkind != RELKIND_RELATION)
		corm_plan_step(plan, PHASE_KEY, table, false, "blocks the table while the index is made", sql);
	else
	{
		char	   *index = makeObjectName("corm_key", table->name, NULL);
		char	   *index_name = pstrdup(quote_identifier(index));

		if (OidIsValid(get_relname_relid(index, RelationGetNamespace(present->rel))))
			corm_plan_step(plan, PHASE_KEY, table, true, LEFT_BEHIND,
						   psprintf("DROP INDEX CONCURRENTLY %s", quote_qualified_identifier(table->schema, index)));
		corm_plan_step(plan, PHASE_KEY, table, true, CONCURRENTLY,
					   psprintf("CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s)", index_name, table->sql_name, corm_plan_names(table->primary_key)));
		corm_plan_step(plan, PHASE_KEY, table, true, NULL,
					   psprintf("ALTER TABLE %s %sADD CONSTRAINT %s PRIMARY KEY USING INDEX %s", table->sql_name, drop,
								quote_identifier(makeObjectName(table->name, NULL, "pkey")), index_name));
	}
}

/*
 * Checks and references
 */

/*
 * corm_plan_compare_check compares the check of a column with those that a table has.
 */
void
corm_plan_compare_check(CormPresent *present, CormWantedColumn *column)
{
	CormMigration *plan = present->plan;
	CormWantedTable *table = present->wanted;
	TupleConstr *constr = RelationGetDescr(present->rel)->constr;
	char	   *sql = psprintf("ALTER TABLE %s ADD CHECK (%s)", table->sql_name, column->check);

	if (corm_expression_names(column->check, present->withheld) ||
		corm_expression_names(column->check, present->unconverted))
		return;
	if (!corm_expression_names(column->check, present->missing) &&
		!corm_expression_names(column->check, present->retyped))
	{
		Node	   *wanted = corm_expression_cook(column->check, CORM_EXPRESSION_CHECK, present->rel,
												  BOOLOID, -1, column->name);

		for (int i = 0; constr != NULL && i < constr->num_check; i++)
		{
			if (!equal(stringToNode(constr->check[i].ccbin), wanted))
				continue;
			if (!constr->check[i].ccvalid)
				corm_plan_step(plan, PHASE_CHECK, table, true, READS_ONLINE,
							   psprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", table->sql_name,
										quote_identifier(constr->check[i].ccname)));
			return;
		}
		/* one of the name that PostgreSQL gives the check of a column is what this one was */
		for (int i = 0; constr != NULL && i < constr->num_check; i++)
		{
			if (strcmp(constr->check[i].ccname, makeObjectName(table->name, column->name, "check")) != 0)
				continue;
			sql = psprintf("ALTER TABLE %s DROP CONSTRAINT %s, ADD CHECK (%s)", table->sql_name,
						   quote_identifier(constr->check[i].ccname), column->check);
			if (!corm_plan_allowed(plan, PHASE_CHECK, table, true, false,
								   psprintf("\"%s\" of table %s is another check", constr->check[i].ccname, table->sql_name), sql))
				return;
			break;
		}
	}
	if (!present->filled)
		corm_plan_step(plan, PHASE_CHECK, table, true, NULL, sql);
	else if (!plan->options->online)
		corm_plan_step(plan, PHASE_CHECK, table, false, READS_LOCKED, sql);
	else
		/* the next plan validates it, by the name that it has got */
		corm_plan_step(plan, PHASE_CHECK, table, true, "checks new rows only; the next plan validates the others",
					   psprintf("%s NOT VALID", sql));
}

/*
 * reference_target returns the table that a column refers to, and sets
 * reference->pk_attrs if it does not name the column.  Raises 42P01 or OR005.
 * relid is InvalidOid if that table is only wanted yet.
 */
static char *
reference_target(CormMigration *plan, CormWantedTable *table, CormWantedColumn *column, Oid *relid, CormWantedTable **wanted)
{
	Constraint *reference = column->reference;
	char	   *schema = reference->pktable->schemaname;
	char	   *name = reference->pktable->relname;
	char	   *key = NULL;

	if (schema == NULL)
		schema = get_namespace_name(table->path);
	*relid = get_relname_relid(name, get_namespace_oid(schema, false));
	*wanted = corm_plan_wanted(plan, schema, name);
	if (!OidIsValid(*relid) && *wanted == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist", schema, name),
				 errdetail("The tag \"references\" on %s names it.", column->object),
				 errhint("Migrate the type that describes it at the same time.")));

	if (reference->pk_attrs == NIL)
	{
		if (*wanted && list_length((*wanted)->primary_key) == 1)
			key = linitial((*wanted)->primary_key);
		else if (OidIsValid(*relid) && list_length(corm_primary_key_columns(*relid)) == 1)
			key = get_attname(*relid, linitial_int(corm_primary_key_columns(*relid)), false);
		if (key == NULL)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_BAD_TAG),
					 errmsg("the tag \"references\" on %s must name a column of table \"%s\"", column->object, name),
					 errdetail("That table has no primary key of one column.")));
		reference->pk_attrs = list_make1(makeString(key));
	}
	return quote_qualified_identifier(schema, name);
}

/*
 * same_actions returns whether a foreign key does what a reference says.
 */
static bool
same_actions(Form_pg_constraint form, Constraint *reference)
{
	return form->confupdtype == reference->fk_upd_action && form->confdeltype == reference->fk_del_action &&
		form->condeferrable == reference->deferrable && form->condeferred == reference->initdeferred &&
		form->confmatchtype == reference->fk_matchtype;
}

/*
 * corm_plan_compare_reference compares the reference of a column with the foreign keys
 * that its table has.  present is NULL for a new table.
 */
void
corm_plan_compare_reference(CormMigration *plan, CormWantedTable *table, CormPresent *present, CormWantedColumn *column)
{
	Oid			target;
	CormWantedTable *wanted;
	char	   *target_name = reference_target(plan, table, column, &target, &wanted);
	char	   *alter = psprintf("ALTER TABLE %s ", table->sql_name);
	char	   *add = psprintf("ADD FOREIGN KEY (%s) %s", quote_identifier(column->name),
							   corm_expression_reference_sql(column->reference, target_name));
	char	   *sql = psprintf("%s%s", alter, add);
	AttrNumber	attnum = InvalidAttrNumber;
	ListCell   *lc;

	if (present && corm_plan_has_name(present->withheld, column->name))
		return;
	if (present && !corm_plan_has_name(present->missing, column->name))
		attnum = corm_plan_present_attnum(table, column->name);
	foreach(lc, attnum != InvalidAttrNumber && OidIsValid(target) ? corm_foreign_keys_of(table->relid, false) : NIL)
	{
		CormForeignKey *key = lfirst(lc);
		const char *target_column = strVal(linitial(column->reference->pk_attrs));
		AttrNumber	target_attnum = wanted ? corm_plan_present_attnum(wanted, target_column) : get_attnum(target, target_column);
		HeapTuple	tuple;
		bool		same;
		bool		valid;

		if (key->nkeys != 1 || key->keys[0] != attnum || key->target != target || key->target_keys[0] != target_attnum)
			continue;
		tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(key->oid));
		if (!HeapTupleIsValid(tuple))
			continue;
		same = same_actions((Form_pg_constraint) GETSTRUCT(tuple), column->reference);
		valid = ((Form_pg_constraint) GETSTRUCT(tuple))->convalidated;
		ReleaseSysCache(tuple);
		if (same && valid)
			return;
		if (same)
		{
			corm_plan_step(plan, PHASE_REFERENCE, table, true, READS_ONLINE,
						   psprintf("%sVALIDATE CONSTRAINT %s", alter, quote_identifier(key->name)));
			return;
		}
		sql = psprintf("%sDROP CONSTRAINT %s, %s", alter, quote_identifier(key->name), add);
		if (!corm_plan_allowed(plan, PHASE_REFERENCE, table, true, false,
							   psprintf("foreign key \"%s\" of table %s has other actions", key->name, table->sql_name), sql))
			return;
		break;
	}
	if (!present || !present->filled)
		corm_plan_step(plan, PHASE_REFERENCE, table, true, NULL, sql);
	else if (!plan->options->online || present->rel->rd_rel->relkind != RELKIND_RELATION)
		corm_plan_step(plan, PHASE_REFERENCE, table, false, "blocks writes to both tables while the rows are checked", sql);
	else
		/* the next plan validates it, by the name that it has got */
		corm_plan_step(plan, PHASE_REFERENCE, table, true, "checks new rows only; the next plan validates the others",
					   psprintf("%s NOT VALID", sql));
}
