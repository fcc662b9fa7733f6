/*-------------------------------------------------------------------------
 *
 * latch.h
 *		Waiting for the latch where it is likely to be set at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_LATCH_H
#define CORM_BASE_LATCH_H

/* What a process has learned about one kind of its waits; zeros at first. */
typedef struct CormSpin
{
	int			failures;		/* looks in vain, weighed against others */
	int			skip;			/* so many waits are to sleep at once */
} CormSpin;

extern int	corm_latch_wait(CormSpin *spin, int events, long timeout_ms, uint32 wait_event);

#endif							/* CORM_BASE_LATCH_H */
