/*-------------------------------------------------------------------------
 *
 * owners.h
 *		What becomes of caches when their owners and grantees go.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_OWNERS_H
#define CORM_CACHE_OWNERS_H

#include "nodes/pg_list.h"

extern void corm_cache_role_drop(Oid role);
extern void corm_cache_drop_owned(const List *roles);
extern void corm_cache_reassign_owned(const List *roles, Oid new_owner);
extern void corm_cache_forget_roles(void);

#endif							/* CORM_CACHE_OWNERS_H */
