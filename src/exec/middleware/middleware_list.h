/*-------------------------------------------------------------------------
 *
 * middleware_list.h
 *		Which functions are middleware.
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
	uint32		ops;			/* bits, by CormCommand */
	CormMiddlewareFunction c_function;
	void	   *c_arg;
	CormFunctionRef *ref;		/* else */

	/* the function in SQL, as last looked up */
	uint64		changes;		/* corm_hooks_changes() then */
	char	   *name;			/* of one in C, too */
	Oid			function;		/* InvalidOid: it does not exist */
	Oid			context_type;	/* of its argument */
	FmgrInfo	call;			/* once prepared ... */
	MemoryContext call_context; /* ... with what it needs here */
	bool		is_prepared;
	bool		is_busy;
} CormMiddleware;

/* What is registered for one model, or for all. */
typedef struct CormMiddlewareModel
{
	Oid			model;			/* the key; InvalidOid: all */
	int			n;
	CormMiddleware **items;		/* outermost first */
} CormMiddlewareModel;

typedef struct CormMiddlewareList
{
	MemoryContext context;
	int			in_use;
	bool		any;			/* there is something registered */
	HTAB	   *models;			/* those that were touched: CormMiddlewareModel */
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
 * Whether there is any middleware: without, one branch.
 */
static inline bool
corm_middleware_exists(void)
{
	AcceptInvalidationMessages();
	return unlikely(corm_middleware_state != CORM_MIDDLEWARE_NONE) && corm_middleware_load();
}

#endif							/* CORM_EXEC_MIDDLEWARE_LIST_H */
