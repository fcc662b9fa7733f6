/*-------------------------------------------------------------------------
 *
 * function_ref.h
 *		A stored reference to a function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_FUNCTION_REF_H
#define CORM_EXEC_FUNCTION_REF_H

typedef struct CormFunctionRef CormFunctionRef;

extern CormFunctionRef *corm_function_ref_make(Oid function, const char *signature);
extern Oid	corm_function_ref_resolve(const CormFunctionRef *ref);
extern char *corm_function_ref_signature(const CormFunctionRef *ref);
extern bool corm_function_fits(Oid function);

#endif							/* CORM_EXEC_FUNCTION_REF_H */
