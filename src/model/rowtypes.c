/*-------------------------------------------------------------------------
 *
 * rowtypes.c
 *		Statements of users whose result is a row type.
 *
 * In SELECT * FROM corm.get_multi(NULL::users, ...) the statement around the
 * call knows the columns of users from when it was parsed.  PostgreSQL keeps
 * such a statement (of PL/pgSQL, say) parsed and planned, and does not record
 * that it depends on the row type.  After a column has been added, dropped or
 * retyped it would leave the column out, or fail, for the rest of the session.
 *
 * So we remember which row types were asked for, and when an attribute of one
 * of them changes, all of the session's statements are parsed anew before
 * they are executed again, as PostgreSQL itself does when an operator changes.
 * The messages that tell of it are those of the syscache for attributes,
 * which ANALYZE and VACUUM do not send.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "model/model.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/syscache.h"

/* Syscache hash values of the attributes of row types that were asked for. */
static HTAB *attributes = NULL;

/*
 * An attribute has changed; hash 0 means that all may have.  Runs within
 * PostgreSQL's invalidation processing.
 */
static void
attribute_changed(Datum arg, int cacheid, uint32 hash)
{
	if (attributes == NULL || hash_get_num_entries(attributes) == 0)
		return;
	if (hash == 0 || hash_search(attributes, &hash, HASH_FIND, NULL) != NULL)
		ResetPlanCache();
}

/* corm_rowtypes_init registers for messages about attributes. */
void
corm_rowtypes_init(void)
{
	CacheRegisterSyscacheCallback(ATTNUM, attribute_changed, (Datum) 0);
}

/*
 * corm_watch_row_type remembers a row type: the relation relid with so many
 * attributes.  The one behind the last is that which ADD COLUMN makes.
 */
void
corm_watch_row_type(Oid relid, int natts)
{
	if (attributes == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(uint32);
		ctl.entrysize = sizeof(uint32);
		ctl.hcxt = CacheMemoryContext;
		attributes = hash_create("corm row types", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	for (int attnum = 1; attnum <= natts + 1; attnum++)
	{
		uint32		hash = GetSysCacheHashValue2(ATTNUM, ObjectIdGetDatum(relid),
												 Int16GetDatum(attnum));

		(void) hash_search(attributes, &hash, HASH_ENTER, NULL);
	}
}
