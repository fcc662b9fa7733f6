/*-------------------------------------------------------------------------
 *
 * corm.c
 *		Entry point of the library: an ordered list of initialisations.
 *
 * src/README.md names every hook and callback that these install.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/analysis.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/effects.h"
#include "base/guc.h"
#include "base/launcher.h"
#include "base/value.h"
#include "cache/cache.h"
#include "exec/exec.h"
#include "fmgr.h"
#include "model/model.h"
#include "query/query.h"
#include "tools/nodes.h"
#include "tx/tx.h"
#include "work/task/task.h"
#include "work/topic/topics.h"
#include "work/work.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/*
 * _PG_init runs once per process that loads the library: in the postmaster
 * when preloaded, else in the first backend statement that needs corm.
 */
void
_PG_init(void)
{
	corm_guc_init();
	corm_clock_init();
	corm_cache_init_first();
	corm_effects_init();
	corm_launcher_init();
	corm_analysis_init();
	corm_value_init();
	corm_model_init();
	corm_node_init();
	corm_cache_init();
	corm_work_init();
	corm_scopes_init();
	corm_depend_init();
	corm_plan_init();
	corm_middleware_init();
	corm_stats_init();
	corm_procedure_init();
	corm_inline_init();
	corm_tx_init();
	corm_task_init();
	corm_topics_init();
	corm_nodes_init();
}
