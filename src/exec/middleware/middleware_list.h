/*-------------------------------------------------------------------------
 *
 * middleware_list.h
 *		Registration of middleware.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_MIDDLEWARE_LIST_H
#define CORM_EXEC_MIDDLEWARE_LIST_H

#include "exec/middleware/corm_middleware.h"
#include "exec/middleware/function_ref.h"
#include "query/query.h"
#include "utils/hsearch.h"
#include "utils/inval.h"

typedef struct CormMiddleware
{
	int			id;				/* 0 for a function in C */
	int			priority;
	uint32		ops;			/* bitmask of CormCommand */
	CormMiddlewareFunction c_function;
	void	   *c_arg;
	CormFunctionRef *ref;		/* else */

	/* the function in SQL, from the last lookup */
	uint64		changes;		/* corm_hooks_changes() at that time */
	char	   *name;			/* also set for a function in C */
	Oid			function;		/* InvalidOid: does not exist */
	Oid			context_type;	/* of its argument */
	FmgrInfo	call;			/* valid if is_prepared ... */
	MemoryContext call_context; /* ... its state lives here */
	bool		is_prepared;
	bool		is_busy;
} CormMiddleware;

/* The functions registered for one model, or for all models. */
typedef struct CormMiddlewareModel
{
	Oid			model;			/* hash key; InvalidOid: all models */
	int			n;
	CormMiddleware **items;		/* outermost first */
} CormMiddlewareModel;

typedef struct CormMiddlewareList
{
	MemoryContext context;
	int			in_use;
	bool		any;			/* is anything registered? */
	HTAB	   *models;			/* models used so far: CormMiddlewareModel */
} CormMiddlewareList;

typedef enum CormMiddlewareState
{
	CORM_MIDDLEWARE_UNKNOWN,
	CORM_MIDDLEWARE_READING,
	CORM_MIDDLEWARE_NONE,
	CORM_MIDDLEWARE_SOME
} CormMiddlewareState;

extern CormMiddlewareState corm_middleware_state;

extern void corm_middleware_list_init(void);
extern bool corm_middleware_load(void);
extern CormMiddlewareList *corm_middleware_list(void);
extern CormMiddleware **corm_middleware_about(CormMiddlewareList *list, const Oid *relids, int nrelids,
											  int *n);
extern void corm_middleware_release(CormMiddlewareList *list);
extern void corm_middleware_add_c(const char *name, CormMiddlewareFunction function, void *arg,
								  int priority);
extern bool corm_middleware_remove_c(const char *name);

/*
 * Is there any middleware?  If not, this costs only one branch.
 */
static inline bool
corm_middleware_exists(void)
{
	AcceptInvalidationMessages();
	return unlikely(corm_middleware_state != CORM_MIDDLEWARE_NONE) && corm_middleware_load();
}

#endif							/* CORM_EXEC_MIDDLEWARE_LIST_H */
