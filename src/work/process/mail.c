/*-------------------------------------------------------------------------
 *
 * mail.c
 *		Bytes from process to process, through a ring in shared memory.
 *
 * A slot has a ring in each direction.  Nothing here waits: who finds the ring
 * full or empty waits for its latch, which the other process sets after it has
 * read or written, and looks whether the other still lives (slots.h).
 *
 * The barriers pair: the writer stores the bytes before the counter, the reader
 * loads the counter before the bytes; and the reader is done with the bytes before
 * its counter gives them back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "work/process/mail.h"

/* corm_ring_init sets up a ring in new memory. */
void
corm_ring_init(CormRing *ring)
{
	pg_atomic_init_u64(&ring->written, 0);
	pg_atomic_init_u64(&ring->read, 0);
}

/* corm_ring_empty forgets what is in a ring that nobody reads or writes now. */
void
corm_ring_empty(CormRing *ring)
{
	pg_atomic_write_u64(&ring->written, 0);
	pg_atomic_write_u64(&ring->read, 0);
}

/* corm_ring_write writes as much as there is room for, and returns how much. */
Size
corm_ring_write(CormRing *ring, const char *data, Size len)
{
	uint64		written = pg_atomic_read_u64(&ring->written);
	Size		room = CORM_RING_SIZE - (Size) (written - pg_atomic_read_u64(&ring->read));
	Size		at = written % CORM_RING_SIZE;
	Size		n = Min(len, room);
	Size		first = Min(n, CORM_RING_SIZE - at);

	if (n == 0)
		return 0;
	pg_memory_barrier();
	memcpy(ring->data + at, data, first);
	memcpy(ring->data, data + first, n - first);
	pg_write_barrier();
	pg_atomic_write_u64(&ring->written, written + n);
	return n;
}

/* corm_ring_read reads as much as there is, at most len bytes, and returns how much. */
Size
corm_ring_read(CormRing *ring, char *buf, Size len)
{
	uint64		read = pg_atomic_read_u64(&ring->read);
	Size		there = (Size) (pg_atomic_read_u64(&ring->written) - read);
	Size		at = read % CORM_RING_SIZE;
	Size		n = Min(len, there);
	Size		first = Min(n, CORM_RING_SIZE - at);

	if (n == 0)
		return 0;
	pg_read_barrier();
	memcpy(buf, ring->data + at, first);
	memcpy(buf + first, ring->data, n - first);
	pg_memory_barrier();
	pg_atomic_write_u64(&ring->read, read + n);
	return n;
}
