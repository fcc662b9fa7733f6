/*-------------------------------------------------------------------------
 *
 * init.c
 *		What the files of this folder do when the library is loaded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "model/advice.h"
#include "model/catalogs.h"
#include "model/hooks.h"
#include "model/list.h"
#include "model/reassign.h"
#include "model/registry.h"
#include "model/rowtypes.h"
#include "model/triggers.h"

/*
 * corm_model_init is called once, from _PG_init, before the init functions of
 * folders that listen to the registry's invalidations: what they hear of is
 * then invalid already.
 */
void
corm_model_init(void)
{
	corm_catalogs_add("model_options");
	corm_catalogs_add("declared_relations");
	corm_registry_init();
	corm_hooks_init();
	corm_reassign_init();
	corm_triggers_init();
	corm_list_init();
	corm_advice_init();
	corm_rowtypes_init();
}
