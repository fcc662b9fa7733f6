/*-------------------------------------------------------------------------
 *
 * warm.h
 *		Keeping entries over a clean restart.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_WARM_H
#define CORM_CACHE_WARM_H

extern void corm_warm_load(void);
extern void corm_warm_forget(void);
extern void corm_warm_save_at_exit(void);

#endif							/* CORM_CACHE_WARM_H */
