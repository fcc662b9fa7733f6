/*-------------------------------------------------------------------------
 *
 * corm_middleware.h
 *		Middleware in C: the header for other extensions.
 *
 * A middleware is a function that corm calls around every query of the session.  It may
 * call next() to run the query, and it can inspect or change things before and after
 * that:
 *
 *		static void
 *		count_queries(CormMiddlewareCall *call, void *arg)
 *		{
 *			const CormMiddlewareApi *corm = arg;
 *
 *			corm->next(call);
 *			elog(DEBUG1, "%s of %u: " UINT64_FORMAT " rows",
 *				 corm->op(call), corm->model(call), corm->row_count(call));
 *		}
 *
 *		void
 *		_PG_init(void)
 *		{
 *			const CormMiddlewareApi *corm = corm_middleware_api();
 *
 *			corm->add("count_queries", count_queries, (void *) corm, 10);
 *		}
 *
 * It is called together with the functions registered by corm.use(), in order of
 * priority, in all databases where corm is used.  Errors propagate through it as
 * through any C code, so PG_TRY can catch them.  A middleware is not called for its own
 * queries.
 *
 * corm_middleware_api() loads the corm library if necessary.  Within one version, the
 * struct below is only extended at its end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MIDDLEWARE_H
#define CORM_MIDDLEWARE_H

#include "postgres.h"

#include "fmgr.h"

#define CORM_MIDDLEWARE_API_VERSION 1
#define CORM_MIDDLEWARE_API_NAME "corm_middleware_api_1"

/* One call of a middleware, for one query; valid until it returns. */
typedef struct CormMiddlewareCall CormMiddlewareCall;

typedef void (*CormMiddlewareFunction) (CormMiddlewareCall *call, void *arg);

typedef struct CormMiddlewareApi
{
	int			version;

	/*
	 * Adds a middleware, which is called with arg; smaller priorities are
	 * outside.  The name is copied.  A second one of that name replaces the
	 * first.  Not to be called from a middleware.
	 */
	void		(*add) (const char *name, CormMiddlewareFunction function, void *arg, int priority);

	/* Removes a middleware; returns false if there is none. */
	bool		(*remove) (const char *name);

	/* Runs the rest of the chain.  Another call runs it again. */
	void		(*next) (CormMiddlewareCall *call);

	/* SELECT, INSERT, UPDATE, DELETE or RAW */
	const char *(*op) (CormMiddlewareCall *call);

	/* the model of the query's source, or InvalidOid */
	Oid			(*model) (CormMiddlewareCall *call);

	/* the SQL that would run */
	const char *(*sql) (CormMiddlewareCall *call);

	/* the query, a value of type corm.query, and what next() is to run */
	Datum		(*query) (CormMiddlewareCall *call);
	void		(*set_query) (CormMiddlewareCall *call, Datum query);

	/* after next(): rows affected by a write, rows returned */
	uint64		(*rows_affected) (CormMiddlewareCall *call);
	uint64		(*row_count) (CormMiddlewareCall *call);
} CormMiddlewareApi;

/*
 * Returns the functions of this API version.  Raises an error if the library is not
 * installed or too old.
 */
static inline const CormMiddlewareApi *
corm_middleware_api(void)
{
	void	  **api = find_rendezvous_variable(CORM_MIDDLEWARE_API_NAME);

	if (*api == NULL)
		load_file("$libdir/corm", false);
	if (*api == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("this version of the library corm has no middleware interface of version %d",
						CORM_MIDDLEWARE_API_VERSION)));
	return (const CormMiddlewareApi *) *api;
}

#endif							/* CORM_MIDDLEWARE_H */
