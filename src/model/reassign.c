/*-------------------------------------------------------------------------
 *
 * reassign.c
 *		Functions that look like hooks and are none: their owners.
 *
 * A hook belongs to the owner of its table, so a function of that name which
 * another role puts into the schema is never called.  REASSIGN OWNED, by which
 * the objects of a role that leaves are given away, would make it one: code of
 * that role, run by everybody who writes the table.  So that is refused, where
 * the library is loaded; ALTER FUNCTION and ALTER TABLE, which name what they
 * give away, are the way to say that it is meant.
 * There are no event triggers for REASSIGN OWNED in all versions.
 *
 * What looks like a hook and is none is a row of corm.model_problems.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "model/hooks.h"
#include "model/problems.h"
#include "model/reassign.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

/* A function that has the name and the argument of a hook. */
typedef struct HookLike
{
	Oid			function;
	Oid			owner;
	Oid			model;
	Oid			model_owner;
} HookLike;

typedef void (*HookLikeCallback) (const HookLike *hook, void *arg);

static ProcessUtility_hook_type prev_process_utility = NULL;

/*
 * read_hook_like tells whether a function takes the row type of a relation in
 * its schema, and which.
 */
static bool
read_hook_like(Form_pg_proc form, HookLike *hook)
{
	HeapTuple	tuple;
	bool		found = false;

	if (form->prokind != PROKIND_FUNCTION || form->pronargs != 1)
		return false;
	hook->function = form->oid;
	hook->owner = form->proowner;
	hook->model = get_typ_typrelid(form->proargtypes.values[0]);
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(hook->model));
	if (HeapTupleIsValid(tuple))
	{
		hook->model_owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		found = ((Form_pg_class) GETSTRUCT(tuple))->relnamespace == form->pronamespace;
		ReleaseSysCache(tuple);
	}
	return found;
}

/*
 * each_other_hook calls a function for all that look like hooks but belong to
 * another role than the table.
 */
static void
each_other_hook(HookLikeCallback callback, void *arg)
{
	Relation	functions = table_open(ProcedureRelationId, AccessShareLock);

	for (int i = 0; i < CORM_NUM_HOOKS; i++)
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;
		HookLike	hook;

		ScanKeyInit(&key, Anum_pg_proc_proname, BTEqualStrategyNumber, F_NAMEEQ,
					CStringGetDatum(corm_hook_name(i)));
		scan = systable_beginscan(functions, ProcedureNameArgsNspIndexId, true, NULL, 1, &key);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			CHECK_FOR_INTERRUPTS();
			if (read_hook_like((Form_pg_proc) GETSTRUCT(tuple), &hook) &&
				hook.owner != hook.model_owner)
				callback(&hook, arg);
		}
		systable_endscan(scan);
	}
	table_close(functions, AccessShareLock);
}

/* Whose objects are given to whom. */
typedef struct Reassignment
{
	List	   *roles;
	Oid			new_role;
} Reassignment;

/*
 * refuse_hook raises 55000 if the function and the table would belong to the
 * same role.
 */
static void
refuse_hook(const HookLike *hook, void *arg)
{
	Reassignment *reassignment = arg;
	Oid			owner = hook->owner;
	Oid			model_owner = hook->model_owner;

	if (list_member_oid(reassignment->roles, owner))
		owner = reassignment->new_role;
	if (list_member_oid(reassignment->roles, model_owner))
		model_owner = reassignment->new_role;
	if (owner != model_owner)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("function %s would become a hook of model \"%s\"",
					format_procedure(hook->function), get_rel_name(hook->model)),
			 errdetail("It belongs to role \"%s\" and the table to role \"%s\", so that it is not called.",
					   GetUserNameFromId(hook->owner, true), GetUserNameFromId(hook->model_owner, true)),
			 errhint("Drop or rename it, or if it is meant to be a hook use ALTER FUNCTION ... OWNER TO and ALTER TABLE ... OWNER TO.")));
}

/*
 * process_utility is the ProcessUtility hook.
 */
static void
process_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *query_env, DestReceiver *dest, QueryCompletion *qc)
{
	ProcessUtility_hook_type next = prev_process_utility ? prev_process_utility : standard_ProcessUtility;

	/* In a database without the extension nothing is a hook. */
	if (IsA(pstmt->utilityStmt, ReassignOwnedStmt) && OidIsValid(corm_catalog_oid("model_options")))
	{
		ReassignOwnedStmt *stmt = (ReassignOwnedStmt *) pstmt->utilityStmt;
		Reassignment reassignment = {.new_role = get_rolespec_oid(stmt->newrole, true)};
		ListCell   *lc;

		foreach(lc, stmt->roles)
		{
			reassignment.roles = lappend_oid(reassignment.roles, get_rolespec_oid(lfirst(lc), true));
		}
		each_other_hook(refuse_hook, &reassignment);
	}
	next(pstmt, query_string, read_only_tree, context, params, query_env, dest, qc);
}

static void
report_hook(const HookLike *hook, void *arg)
{
	corm_problem_add(arg, hook->model, "hook", format_procedure_qualified(hook->function),
					 psprintf("It belongs to role %s and the table to role %s, so that it is not called.",
							  GetUserNameFromId(hook->owner, true),
							  GetUserNameFromId(hook->model_owner, true)),
					 "Give it to the owner of the table, or another name.");
}

static void
report_problems(CormProblems *problems)
{
	each_other_hook(report_hook, problems);
}

/* corm_reassign_init installs the hook and registers the reporter of problems. */
void
corm_reassign_init(void)
{
	prev_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	corm_problems_register(report_problems);
}
