/*-------------------------------------------------------------------------
 *
 * catalogs.h
 *		Corm's own catalogs about models, and storing a row in one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_CATALOGS_H
#define CORM_MODEL_CATALOGS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/relcache.h"

/* refs.c: what the types of references hold for a name that does not exist, an OID of nothing */
#define CORM_MISSING_REF	((Oid) 1)

extern void corm_catalogs_add(const char *relname);
extern const char *corm_catalogs_name(int i);
extern void corm_catalogs_look_up(void);
extern bool corm_catalogs_contain(Oid relid);
extern void corm_catalogs_forget(void);

extern Relation corm_lock_owned_model(Oid relid, const char *function);
extern void corm_check_owner(Oid relid);
extern void corm_catalogs_stored(Oid relid);
extern bool corm_catalogs_temporary(void);
extern void corm_catalogs_changed(void);
extern List *corm_catalogs_changed_by(void);
extern void corm_catalogs_settled(void);

#endif							/* CORM_MODEL_CATALOGS_H */
