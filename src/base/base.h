/*-------------------------------------------------------------------------
 *
 * base.h
 *		What every layer of corm stands on.
 *
 * The lowest layer: version differences, error codes, settings, the clock.
 * It knows nothing of models or queries.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_H
#define CORM_BASE_H

#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"

/* guc.c: every setting of corm */
extern int	corm_plan_cache_size;
extern int	corm_filter_max_depth;
extern int	corm_filter_max_nodes;
extern int	corm_filter_max_list;
extern int	corm_filter_max_limit;
extern int	corm_tx_body_cache_size;
extern int	corm_subtransaction_warning;
extern bool corm_skip_hooks;

extern void corm_guc_init(void);

/* schema.c: where corm's own objects are */
extern Oid	corm_schema_oid(void);
extern Oid	corm_catalog_oid(const char *relname);

#endif							/* CORM_BASE_H */
