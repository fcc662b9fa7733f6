/*-------------------------------------------------------------------------
 *
 * bind.h
 *		Bound values as the parameters of a plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_BIND_H
#define CORM_EXEC_BIND_H

#include "exec/plan/plan.h"
#include "nodes/params.h"

/* How a bound value becomes the datum of a parameter. */
typedef enum CormBinding
{
	CORM_BIND_PLAIN,			/* as it is */
	CORM_BIND_INPUT,			/* text through the type's input function */
	CORM_BIND_ARRAY_INPUT,		/* text[] elementwise through it */
	CORM_BIND_PATTERN,			/* text into a LIKE pattern */
	CORM_BIND_JSON,				/* as JSON into a document, or into an array
								 * of its elements */
	CORM_BIND_RANGE,			/* as text, of an element too, into a range or
								 * multirange */
	CORM_BIND_REAL,				/* a number of a filter, or an array of them,
								 * into real */
	CORM_BIND_ARRAYS			/* as text[], whose elements are tried as
								 * arrays */
} CormBinding;

typedef struct CormPlanParam
{
	int			valno;
	CormValue  *constant;		/* the value itself, if it is stored: not of
								 * the call */
	Oid			typid;			/* of the parameter */
	CormBinding binding;
	CormParamForm form;			/* BIND_PATTERN */
	int16		typlen;			/* of the value as it is bound */
	bool		typbyval;
	Oid			value_type;		/* of the value */
	FmgrInfo	input;			/* BIND_INPUT, BIND_ARRAY_INPUT, BIND_JSON,
								 * BIND_RANGE, BIND_ARRAYS */
	Oid			ioparam;
	Oid			element_type;	/* BIND_ARRAY_INPUT, BIND_JSON: of the array */
	const char *model;			/* what it meets, for error messages */
	const char *field;
	bool		from_filter;	/* what is wrong with it is the client's fault */
	CormNullTest null_test;		/* for a value that is not known yet */
} CormPlanParam;

extern CormValue *corm_value_copy(const CormValue *value, MemoryContext context);
extern void corm_bind_prepare(CormPlanParam *params, const CormDeparsed *deparsed,
							  const Oid *types, MemoryContext context,
							  const Oid *value_types);
extern Datum corm_bind_value(CormPlanParam *param, const CormValue *value);
extern const CormValue *corm_param_value(const CormPlanParam *param, const CormQuerySet *set);
extern ParamListInfo corm_bind_values(CormPlan *plan, const CormQuerySet *set);
extern ParamListInfo corm_bind_record(CormPlan *plan, const CormExec *exec, const Datum *values,
									  const bool *nulls);

#endif							/* CORM_EXEC_BIND_H */
