/*-------------------------------------------------------------------------
 *
 * operators.h
 *		Types of expressions, and the operators that serve them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_OPERATORS_H
#define CORM_RESOLVE_OPERATORS_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern const char *corm_operator_name(CormNodeTag tag);
extern void corm_require_type(Oid typid);
extern Oid	corm_expr_type(CormTree *tree);
extern bool corm_contains_by_operator(Oid typid);
extern bool corm_is_filter_range(CormTree *left, CormTree *right);
extern bool corm_is_searched(Oid typid);
extern bool corm_takes_json(CormTree *left, CormTree *right);
extern Oid	corm_right_operand_type(CormTree *tree, Oid left);
extern Oid	corm_operator_schema(const char *name, Oid left, Oid right);
extern bool corm_has_operator(const char *name, Oid left, Oid right);
extern bool corm_operator_is_quiet(const char *name, Oid left, Oid right);
extern bool corm_operator_is_builtin(const char *name, Oid left, Oid right);

#endif							/* CORM_RESOLVE_OPERATORS_H */
