/*-------------------------------------------------------------------------
 *
 * guc.h
 *		Every setting of corm.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_GUC_H
#define CORM_BASE_GUC_H

extern int	corm_plan_cache_size;
extern int	corm_cache_size;
extern int	corm_cache_max_value_size;
extern int	corm_max_caches;
extern int	corm_sweep_interval;
extern int	corm_sweep_max_entries;
extern double corm_sweep_max_time;
extern int	corm_event_ring_size;
extern int	corm_event_interval;
extern bool corm_cache_warm_restart;
extern int	corm_max_workers;
extern int	corm_reserved_workers;
extern int	corm_role_workers;
extern int	corm_database_workers;
extern int	corm_worker_wait;
extern int	corm_worker_start_timeout;
extern int	corm_worker_idle_timeout;
extern int	corm_worker_max_jobs;
extern int	corm_worker_max_memory;
extern int	corm_spin_time;
extern int	corm_autonomous_max_depth;
extern int	corm_work_memory;
extern int	corm_max_payload;
extern int	corm_max_wait;
extern int	corm_cancel_wait;
extern bool corm_run_tasks;
extern int	corm_max_pools;
extern int	corm_max_topics;
extern int	corm_max_groups;
extern int	corm_max_wait_groups;
extern int	corm_filter_max_depth;
extern int	corm_filter_max_nodes;
extern int	corm_filter_max_relations;
extern int	corm_filter_max_list;
extern int	corm_filter_max_limit;
extern int	corm_filter_preload_limit;
extern int	corm_tx_body_cache_size;
extern int	corm_subtransaction_warning;
extern bool corm_skip_hooks;
extern int	corm_json_bigint;
extern bool corm_raw_text;
extern bool corm_require_version;
extern bool corm_track_queries;
extern int	corm_stat_max;
extern bool corm_log_queries;
extern int	corm_log_min_duration;
extern int	corm_log_args;
extern int	corm_log_arg_max_length;
extern bool corm_sql_comments;
extern char *corm_traceparent;
extern bool corm_inline;

/* set by exec/inline: plans made under other settings are to be made again */
extern void (*corm_inline_changed) (void);

/* values of corm_log_args */
typedef enum CormLogArgs
{
	CORM_LOG_ARGS_NONE,
	CORM_LOG_ARGS_TYPES,
	CORM_LOG_ARGS_VALUES
} CormLogArgs;

/* values of corm_json_bigint */
typedef enum CormJsonBigint
{
	CORM_JSON_BIGINT_NUMBER,
	CORM_JSON_BIGINT_STRING
} CormJsonBigint;

extern void corm_guc_init(void);

#endif							/* CORM_BASE_GUC_H */
