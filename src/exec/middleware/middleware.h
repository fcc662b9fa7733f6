/*-------------------------------------------------------------------------
 *
 * middleware.h
 *		The chain of middleware around an operation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_MIDDLEWARE_H
#define CORM_EXEC_MIDDLEWARE_H

#include "exec/middleware/middleware_list.h"
#include "exec/run/sink.h"
#include "utils/jsonb.h"

typedef struct CormOperation CormOperation;

struct CormOperation
{
	CormCommand command;
	bool		writes;
	Oid			model;			/* of the source, or InvalidOid */
	int			nrelids;		/* all relations of the operation */
	const Oid  *relids;
	const CormVerb *verb;		/* what to return ... */
	CormSink   *sink;			/* ... and where to */

	/* returns the operation as a query, in the current context */
	CormNode   *(*query) (CormOperation *op);

	/* sets command, writes, model and relids to those of another query */
	void		(*inspect) (CormOperation *op, CormNode *rewritten);

	/* returns its SQL and arguments, or those of another query */
	void		(*show) (CormOperation *op, CormNode *rewritten, char **sql, Jsonb **args);

	/* runs the operation, or another query in its place */
	uint64		(*run) (CormOperation *op, CormNode *rewritten, CormSink *sink);
};

extern bool corm_middleware_run(CormOperation *op, uint64 *processed);
extern bool corm_middleware_concerns(CormOperation *op);
extern bool corm_middleware_registered(CormOperation *op);

#endif							/* CORM_EXEC_MIDDLEWARE_H */
