/*-------------------------------------------------------------------------
 *
 * clock.h
 *		The clocks of corm, and the places where tests interfere.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_CLOCK_H
#define CORM_BASE_CLOCK_H

#include "datatype/timestamp.h"

typedef struct CormClock
{
	volatile bool frozen;		/* show mono and real instead of the clocks */
	volatile int64 mono;
	volatile TimestampTz real;
	volatile int64 mono_offset; /* added to the clocks when not frozen */
	volatile int64 real_offset;
} CormClock;

extern void **corm_fault_hook;

#define CORM_FAULT(name) \
	do { \
		if (unlikely(*corm_fault_hook != NULL)) \
			((void (*) (const char *)) *corm_fault_hook) (name); \
	} while (0)

/* The same where a cancel must not be noticed, as it is not without the fault point. */
#define CORM_FAULT_UNCANCELLED(name) \
	do { \
		HOLD_CANCEL_INTERRUPTS(); \
		CORM_FAULT(name); \
		RESUME_CANCEL_INTERRUPTS(); \
	} while (0)

extern void corm_clock_init(void);
extern int64 corm_clock_mono(void);
extern int64 corm_clock_machine(void);
extern TimestampTz corm_clock_real(void);
extern bool corm_clock_passed(int64 deadline);
extern bool corm_clock_is_virtual(void);

#endif							/* CORM_BASE_CLOCK_H */
