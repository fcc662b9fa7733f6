/*-------------------------------------------------------------------------
 *
 * writes.h
 *		Which tables a transaction has written: published at its end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_WRITES_H
#define CORM_CACHE_WRITES_H

extern void corm_writes_init(void);

#endif							/* CORM_CACHE_WRITES_H */
