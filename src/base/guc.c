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
int			corm_filter_max_depth = 32;
int			corm_filter_max_nodes = 1000;
int			corm_filter_max_list = 10000;
int			corm_filter_max_limit = 1000;
int			corm_tx_body_cache_size = 500;
int			corm_subtransaction_warning = 64;
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

	DefineCustomIntVariable("corm.filter_max_depth",
							"Sets how deep a filter from outside may be nested.",
							"corm.filter() refuses more with error OR021.",
							&corm_filter_max_depth,
							32, 1, 1000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.filter_max_nodes",
							"Sets how many conditions a filter from outside may have.",
							"corm.filter() refuses more with error OR021.",
							&corm_filter_max_nodes,
							1000, 1, 1000000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.filter_max_list",
							"Sets how many elements a list in a filter from outside may have.",
							"corm.filter() refuses more with error OR021.",
							&corm_filter_max_list,
							10000, 1, 10000000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.filter_max_limit",
							"Sets the greatest limit that a filter from outside may ask for.",
							"corm.filter() refuses more with error OR021.",
							&corm_filter_max_limit,
							1000, 1, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.tx_body_cache_size",
							"Sets the number of transaction bodies whose plans each session keeps.",
							"When there are more bodies than that, the least recently used one is dropped.",
							&corm_tx_body_cache_size,
							500, 1, 1000000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.subtransaction_warning",
							"Sets the number of open subtransactions at which a transaction scope warns.",
							"The warning comes once per transaction; 0 turns it off.",
							&corm_subtransaction_warning,
							64, 0, INT_MAX,
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
