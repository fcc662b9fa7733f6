/*-------------------------------------------------------------------------
 *
 * corm_middleware.h
 *		Middleware in C: what other extensions include.
 *
 * A middleware is a function that corm calls around every query of the
 * session.  It calls next() to let the query run, or does not, and looks at
 * or changes what it likes before and after:
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
 * It stands among those that corm.use() has registered, in the order of
 * priorities, and is called in all databases where corm is used.  Errors pass
 * through it as through any C code: PG_TRY sees them.  It must not be called
 * for its own queries, and is not.
 *
 * The library corm is loaded by corm_middleware_api() if it is not yet.  What
 * stands below is only added to, at its end, while the version is the same.
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

	/* Removes it; false if there is none. */
	bool		(*remove) (const char *name);

	/* Runs the rest of the chain; again, if it is called again. */
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

	/* after next(): rows that a write has touched, rows that there are */
	uint64		(*rows_affected) (CormMiddlewareCall *call);
	uint64		(*row_count) (CormMiddlewareCall *call);
} CormMiddlewareApi;

/*
 * Returns the functions of this version.  Raises an error if the library is
 * not installed or too old.
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
