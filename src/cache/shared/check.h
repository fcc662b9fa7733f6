/*-------------------------------------------------------------------------
 *
 * check.h
 *		Verifying every structure of the cache.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_CHECK_H
#define CORM_CACHE_CHECK_H

extern void corm_check_shared(void (*report) (const char *problem, void *arg),
							  void *arg);

#endif							/* CORM_CACHE_CHECK_H */
