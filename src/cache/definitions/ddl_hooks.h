/*-------------------------------------------------------------------------
 *
 * ddl_hooks.h
 *		Hooks that follow what happens to databases, roles and the extension.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_DDL_HOOKS_H
#define CORM_CACHE_DDL_HOOKS_H

extern void corm_cache_hooks_init(void);

#endif							/* CORM_CACHE_DDL_HOOKS_H */
