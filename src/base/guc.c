/*-------------------------------------------------------------------------
 *
 * guc.c
 *		Every setting of corm, in one place.
 *
 * docs/settings.md describes them to users.  A setting that any user can
 * change (PGC_USERSET) is never an input to an authorization decision.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "base/base.h"
#include "utils/guc.h"

int			corm_plan_cache_size = 1000;
bool		corm_skip_hooks = false;

/*
 * corm_guc_init defines the settings and reserves the prefix, so that a
 * misspelt corm.* setting is refused instead of stored.  Called once, from
 * _PG_init, before any other part of corm reads a setting.
 */
void
corm_guc_init(void)
{
	DefineCustomIntVariable("corm.plan_cache_size",
							"Sets the number of query plans that each session keeps.",
							"When there are more query shapes than that, the least recently used plan is dropped.",
							&corm_plan_cache_size,
							1000, 1, 1000000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("corm.skip_hooks",
							 "Reads and writes rows without calling the hooks of their models.",
							 NULL,
							 &corm_skip_hooks,
							 false,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);

	MarkGUCPrefixReserved("corm");
}
