/*-------------------------------------------------------------------------
 *
 * filter_parts.h
 *		What the files of corm.filter know of each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_FILTER_PARTS_H
#define CORM_VALUE_FILTER_PARTS_H

#include "query/value/filter.h"
#include "query/value/filter_allow.h"
#include "utils/jsonb.h"

typedef struct FilterContext
{
	CormWriter *w;
	int			depth;
	int			nodes;
	int			relations;
	int64		elements;		/* of all lists */
	double		combinations;	/* of elements of ANDed lists so far */
	bool		negated;		/* inside "not" */
	CormFilterAllow *allow;		/* of the model that names are about; NULL: no
								 * fence */
	int			level;			/* of nesting, as max_depth counts it */
	int			max_level;		/* or -1 */
} FilterContext;

static inline char *
corm_filter_string(JsonbValue *v)
{
	return pnstrdup(v->val.string.val, v->val.string.len);
}

/* filter_bounds.c */
extern void corm_filter_enter(FilterContext *ctx);
extern void corm_filter_leave(FilterContext *ctx);
extern void corm_filter_count_node(FilterContext *ctx);
extern void corm_filter_count_relations(FilterContext *ctx, const char *path, bool is_field);
extern void corm_filter_check_name(const char *name);
extern void corm_filter_count_elements(FilterContext *ctx, JsonbValue *list);
extern void corm_filter_go_deeper(FilterContext *ctx, int levels);
extern bool corm_filter_may_be_indexed(FilterContext *ctx, CormNodeTag tag, JsonbValue *list);
extern int64 corm_filter_count_keys(JsonbContainer *container);
extern int64 corm_filter_count_keys_in_text(const char *str, int len);

/* filter_names.c */
extern void corm_filter_set_allow(FilterContext *ctx, CormFilterAllow *allow);
extern char *corm_filter_allowed_path(CormFilterAllow *allow, const char *path, CormFilterAllow **target);
extern void corm_filter_write_name(FilterContext *ctx, const char *name, bool order);
extern void corm_filter_write_field(FilterContext *ctx, const char *name);

/* filter_condition.c */
extern void corm_filter_condition(FilterContext *ctx, JsonbValue *spec);

#endif							/* CORM_VALUE_FILTER_PARTS_H */
