/*-------------------------------------------------------------------------
 *
 * owners.h
 *		What becomes of caches when their owners and grantees go.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_OWNERS_H
#define CORM_CACHE_OWNERS_H

extern void corm_cache_owners_init(void);
extern void corm_cache_forget_roles(void);

#endif							/* CORM_CACHE_OWNERS_H */
