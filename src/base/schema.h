/*-------------------------------------------------------------------------
 *
 * schema.h
 *		Where corm's own objects are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_SCHEMA_H
#define CORM_BASE_SCHEMA_H

#include "access/htup.h"
#include "base/compat.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

extern Oid	corm_schema_oid(void);
extern bool corm_is_absent(void);
extern Oid	corm_catalog_oid(const char *relname);
extern Relation corm_catalog_open(const char *relname, LOCKMODE lockmode, Oid *known);
extern Relation corm_catalog_require(const char *relname, LOCKMODE lockmode, Oid *known);
extern void corm_catalog_missing(const char *relname) pg_attribute_noreturn();
extern bool corm_function_is_public(HeapTuple tuple);

#endif							/* CORM_BASE_SCHEMA_H */
