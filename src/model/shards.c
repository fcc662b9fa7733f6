/*-------------------------------------------------------------------------
 *
 * shards.c
 *		Shards of distributed tables, which are no models.
 *
 * Citus runs SELECT corm.delete(u) FROM users u on the nodes, with the shard users_102020
 * in place of the table.  Nothing is registered for a shard: rows would be deleted for good
 * where the model has soft delete, and no hook or middleware would be called.  So a shard is
 * an error, before anything is done.
 *
 * Whether a relation is a shard is known to the function relation_is_a_known_shard() of
 * Citus.  It is looked up by name, so that nothing depends on it, in pg_catalog, where only
 * a superuser can create it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "model/shards.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/lsyscache.h"

/*
 * corm_may_be_distributed tells whether tables of this database may be distributed: whether
 * Citus is installed in it.
 */
bool
corm_may_be_distributed(void)
{
	return OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE));
}

/* Returns the function that knows shards, InvalidOid if there is none. */
static Oid
shard_function(void)
{
	Oid			argtypes[1] = {REGCLASSOID};
	Oid			function = LookupFuncName(list_make2(makeString("pg_catalog"), makeString("relation_is_a_known_shard")),
										  1, argtypes, true);

	return OidIsValid(function) && get_func_rettype(function) == BOOLOID ? function : InvalidOid;
}

/*
 * corm_is_shard tells whether a relation is a shard of a distributed table.
 */
bool
corm_is_shard(Oid relid)
{
	Oid			function = shard_function();

	return OidIsValid(function) && DatumGetBool(OidFunctionCall1(function, ObjectIdGetDatum(relid)));
}

/*
 * corm_refuse_shard raises 0A000 for a shard.
 */
void
corm_refuse_shard(Oid relid)
{
	if (corm_is_shard(relid))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("\"%s\" is a shard of a distributed table, not a model", get_rel_name(relid)),
				 errdetail("A function of corm in a query over a distributed table runs where the shards are, without hooks, middleware and registrations."),
				 errhint("Call it by itself: write rows by a query such as corm.deleter() or by an array of records, and read them by corm.get_multi(...).")));
}
