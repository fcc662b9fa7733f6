/*-------------------------------------------------------------------------
 *
 * query.h
 *		Query values and the SQL made of them, as the other layers see them.
 *
 * A query value (value/node.h) is read into a tree (value/tree.h), the names of
 * which are bound in a statement (resolve/stmt.h), which is written as SQL
 * (sql/request.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_QUERY_H
#define CORM_QUERY_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "model/relations.h"
#include "nodes/bitmapset.h"
#include "query/resolve/stmt.h"
#include "query/sql/request.h"
#include "query/value/node.h"
#include "query/value/read_calls.h"
#include "query/value/tree.h"
#include "utils/array.h"

/* value/cursor.c */
extern char *corm_cursor_encode(const char *hash, ArrayType *values);

/* value/depend.c */
extern void corm_depend_init(void);

/* resolve/resolve.c */
extern CormStmt *corm_resolve(List *clauses, Oid default_model);
extern CormStmt *corm_resolve_restore(List *clauses, Oid default_model);

/* resolve/scopes.c */
extern void corm_scopes_init(void);

/* resolve/premises.c */
extern bool corm_premise_is_open(const CormPremise *premise, const CormValue *values, int nvalues);
extern bool corm_premise_holds(const CormPremise *premise, const CormValue *values, int nvalues);

/* resolve/field_roles.c: for statements that are made without clauses */
extern void corm_touch(CormStmt *stmt);
extern CormTree *corm_version_condition(CormRange *range, CormTree *version);
extern void corm_mark_deleted(CormStmt *stmt);
extern void corm_fill_insert(CormStmt *stmt, Bitmapset *rows_fields);

/* resolve/joins.c */

/* The rows that the declared condition of a relation can speak of. */
typedef enum CormSide
{
	CORM_SIDE_OWN,				/* of the model that has the relation */
	CORM_SIDE_TARGET,
	CORM_SIDE_LINK				/* of the link table */
} CormSide;

extern List *corm_deleted_condition(CormRange *range, bool deleted);
extern CormField *corm_condition_column(CormRelation *relation, const char *name, CormSide *side);

/* resolve/carry.c */
extern List *corm_located_by(CormRange *range, CormTree *rows);
extern void corm_locate_children(CormStmt *stmt, CormTree *rows);

/* resolve/guard.c */
extern void corm_guards_check(List *guarded, const char *sql, List *tables, const Oid *types, int ntypes);

/* resolve/operators.c */
extern bool corm_search_path_is_safe(void);
extern bool corm_is_range_type(Oid typid);

/* resolve/staged.c: a write taken apart, with its rows in hand in between */
extern bool corm_stage_tells_inserted(CormStmt *stmt);
extern bool corm_stage_updates_given(CormStmt *stmt);
extern void corm_stage_check(CormStmt *stmt);
extern Bitmapset *corm_stage_shows(CormModel *model, Bitmapset *fields, const Bitmapset *shown);
extern void corm_stage_return(CormStmt *stmt, const Bitmapset *fields);
extern void corm_stage_read(CormStmt *stmt, TupleDesc tupdesc);
extern void corm_stage_write(CormStmt *stmt, Bitmapset *fields, int valno);
extern void corm_stage_show(CormStmt *stmt, int valno);

/* sql/deparse.c */
extern CormDeparsed *corm_deparse(CormStmt *stmt, const CormDeparseRequest *request);

/* sql/items.c */
extern Bitmapset *corm_written_fields(CormStmt *stmt, const CormDeparseRequest *request);

/* sql/expr.c */
extern char *corm_deparse_type(Oid typid, int32 typmod);

#endif							/* CORM_QUERY_H */
