/*-------------------------------------------------------------------------
 *
 * gone.c
 *		Databases that are dropped, or whose extension is.
 *
 * What belongs to a database in shared memory does not go by itself.  When a
 * transaction that drops the database, or the extension in it, commits, this file
 * calls the functions that other rooms have registered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/drops.h"
#include "base/effects.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "work/shared/gone.h"

#define MAX_CALLBACKS	8

/* A database that is going to be forgotten. */
typedef struct GoneEffect
{
	CormEffect	effect;
	Oid			database;
} GoneEffect;

static CormWorkForget callbacks[MAX_CALLBACKS];
static int	ncallbacks = 0;

static void
gone_reserve(CormEffect *effect)
{
}

/* gone_apply has everybody forget the database. */
static void
gone_apply(CormEffect *effect)
{
	for (int i = 0; i < ncallbacks; i++)
		callbacks[i] (((GoneEffect *) effect)->database);
}

static void
gone_discard(CormEffect *effect)
{
}

static const CormEffectOps gone_ops = {
	.reserve = gone_reserve,
	.apply = gone_apply,
	.discard = gone_discard,
	.deed = "dropped a database or the extension",
	.late = true,
};

/* on_drop notes that a database, or the extension in it, is dropped. */
static void
on_drop(Oid class_id, Oid object_id, int sub_id)
{
	Oid			database = InvalidOid;

	if (class_id == DatabaseRelationId)
		database = object_id;
	else if (class_id == ExtensionRelationId && object_id == get_extension_oid("corm", true))
		database = MyDatabaseId;
	if (OidIsValid(database))
	{
		GoneEffect *gone = MemoryContextAllocZero(TopTransactionContext, sizeof(GoneEffect));

		gone->database = database;
		corm_effect_add(&gone->effect, &gone_ops);
	}
}

/* corm_work_when_gone registers a function of a room, which must be the same in every process. */
void
corm_work_when_gone(CormWorkForget forget)
{
	if (ncallbacks >= MAX_CALLBACKS)
		elog(ERROR, "too many callbacks for dropped databases");
	callbacks[ncallbacks++] = forget;
}

/* corm_work_gone_init waits for drops; only when preloaded. */
void
corm_work_gone_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	corm_on_drop(on_drop);
}
