/*-------------------------------------------------------------------------
 *
 * mail.h
 *		Bytes from process to process, through a ring in shared memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_MAIL_H
#define CORM_WORK_MAIL_H

#include "port/atomics.h"

#define CORM_RING_SIZE		65536

/*
 * One process writes and one reads.  Both counters only grow; what is between
 * them is in the ring.
 */
typedef struct CormRing
{
	pg_atomic_uint64 written;
	pg_atomic_uint64 read;
	char		data[CORM_RING_SIZE];
} CormRing;

extern void corm_ring_init(CormRing *ring);
extern void corm_ring_empty(CormRing *ring);
extern Size corm_ring_write(CormRing *ring, const char *data, Size len);
extern Size corm_ring_read(CormRing *ring, char *buf, Size len);

#endif							/* CORM_WORK_MAIL_H */
