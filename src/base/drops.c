/*-------------------------------------------------------------------------
 *
 * drops.c
 *		Being told of objects that are dropped.
 *
 * PostgreSQL calls the object access hook for much else, too: whenever an
 * expression with a function is set up, for one.  So there is one hook for all
 * that wait for drops, and it returns at once for anything else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/drops.h"
#include "catalog/objectaccess.h"

#define MAX_CALLBACKS	8

static CormDropCallback callbacks[MAX_CALLBACKS];
static int	ncallbacks = 0;
static object_access_hook_type prev_object_access = NULL;

/* Tells the hook that was there before, and of a drop those that wait for it. */
static pg_noinline void
tell(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (prev_object_access)
		prev_object_access(access, class_id, object_id, sub_id, arg);
	if (access != OAT_DROP)
		return;
	for (int i = 0; i < ncallbacks; i++)
		callbacks[i] (class_id, object_id, sub_id);
}

/* The object access hook. */
static void
on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (unlikely(access == OAT_DROP) || prev_object_access)
		tell(access, class_id, object_id, sub_id, arg);
}

/*
 * corm_on_drop registers a callback, to be called after those that were registered before.
 * Only called when the library is loaded.
 */
void
corm_on_drop(CormDropCallback callback)
{
	if (ncallbacks >= MAX_CALLBACKS)
		elog(ERROR, "too many callbacks for dropped objects");
	if (ncallbacks == 0)
	{
		prev_object_access = object_access_hook;
		object_access_hook = on_object_access;
	}
	callbacks[ncallbacks++] = callback;
}
