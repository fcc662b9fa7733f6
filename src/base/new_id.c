/*-------------------------------------------------------------------------
 *
 * new_id.c
 *		Random IDs of definitions.
 *
 * A cache, pool, topic or group is known in shared memory by its ID.  One that is dropped and
 * created again, or restored, gets another ID, so that nothing that is left of the old one is
 * taken for something of the new one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/new_id.h"

/* corm_new_id returns a random ID of 63 bits, not below least. */
uint64
corm_new_id(uint64 least)
{
	uint64		id;

	do
	{
		if (!pg_strong_random(&id, sizeof(id)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate a random number")));
		id &= PG_INT64_MAX;
	} while (id < least);
	return id;
}
