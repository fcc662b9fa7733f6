/*-------------------------------------------------------------------------
 *
 * claim.h
 *		Getting a worker for a call, and giving it back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_CLAIM_H
#define CORM_WORK_CLAIM_H

#include "work/process/slots.h"

extern CormSlot *corm_claim(void);
extern void corm_claim_submitted(CormSlot *slot);
extern void corm_claim_cancel(CormSlot *slot);
extern void corm_claim_release(CormSlot *slot);

#endif							/* CORM_WORK_CLAIM_H */
