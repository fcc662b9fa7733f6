/*-------------------------------------------------------------------------
 *
 * filter.h
 *		Values and errors of filters from outside.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_FILTER_H
#define CORM_VALUE_FILTER_H

#include "postgres.h"

#include "base/compat.h"
#include "query/value/node.h"

struct JsonbValue;
struct JsonbContainer;
extern void corm_bad_filter(const char *detail) pg_attribute_noreturn();
extern void corm_filter_over_limit(const char *what, const char *setting, int limit) pg_attribute_noreturn();
extern bool corm_json_is_object(struct JsonbValue *v);
extern bool corm_json_is_array(struct JsonbValue *v);
extern struct JsonbValue *corm_json_members(struct JsonbContainer *container, int *n);
extern void corm_filter_scalar(CormWriter *w, struct JsonbValue *v, const char *op);
extern bool corm_filter_has_op(const char *name);
extern void corm_filter_list(CormWriter *w, struct JsonbValue *v, const char *op, bool compared);

#endif							/* CORM_VALUE_FILTER_H */
