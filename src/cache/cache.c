/*-------------------------------------------------------------------------
 *
 * cache.c
 *		Start of the cache: an ordered list of initialisations.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cache/cache.h"
#include "cache/definitions/ddl_hooks.h"
#include "cache/definitions/refs.h"
#include "cache/operations/overlay.h"
#include "cache/operations/writes.h"
#include "cache/shared/shared.h"
#include "cache/shared/versions.h"
#include "cache/workers/sweeper.h"
#include "miscadmin.h"

/*
 * corm_cache_init_first installs the callback that has to be registered before all
 * other transaction callbacks of corm.
 */
void
corm_cache_init_first(void)
{
	corm_writes_init();
}

/*
 * corm_cache_init installs what every process needs and, while the server
 * preloads its libraries, the shared memory and the hooks.
 */
void
corm_cache_init(void)
{
	corm_refs_init();
	corm_overlay_init();
	corm_sweeper_init();
	if (!process_shared_preload_libraries_in_progress)
		return;

	corm_cache_shared_init();
	corm_versions_shared_init();
	corm_cache_hooks_init();
}
