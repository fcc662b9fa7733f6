/*-------------------------------------------------------------------------
 *
 * filter_allow.h
 *		What a filter from outside may name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_FILTER_ALLOW_H
#define CORM_VALUE_FILTER_ALLOW_H

#include "postgres.h"

#include "nodes/pg_list.h"

struct JsonbContainer;

/* The fence of one model.  Where the pointer to it is NULL, there is none. */
typedef struct CormFilterAllow
{
	bool		has_fields;		/* else all fields of the model that are
								 * filterable */
	List	   *fields;			/* of char * */
	List	   *relations;		/* of char * ... */
	List	   *targets;		/* ... and the fences of what they lead to:
								 * CormFilterAllow */
	bool		has_ops;		/* else all operators */
	List	   *ops;			/* of char * */
	bool		has_order_by;	/* else the same as the fields */
	List	   *order_by;		/* of char * */
	int64		default_limit;	/* or -1 */
	int64		max_limit;		/* or -1 */
	int			max_depth;		/* or -1 */
} CormFilterAllow;

extern CormFilterAllow *corm_filter_allow(struct JsonbContainer *allow);
extern void corm_filter_inherit(CormFilterAllow *allow);
extern char *corm_allowed_name(List *names, const char *name);
extern char *corm_allowed_relation(CormFilterAllow *allow, const char *name, CormFilterAllow **target);

#endif							/* CORM_VALUE_FILTER_ALLOW_H */
