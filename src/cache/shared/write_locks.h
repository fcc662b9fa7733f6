/*-------------------------------------------------------------------------
 *
 * write_locks.h
 *		Which tables a transaction has locks to write.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_WRITE_LOCKS_H
#define CORM_CACHE_WRITE_LOCKS_H

extern int	corm_my_writes(uint32 *cells, int max);
extern bool corm_prepared_writes(uint32 cell, bool any);

#endif							/* CORM_CACHE_WRITE_LOCKS_H */
