/*-------------------------------------------------------------------------
 *
 * notices.h
 *		The messages that a body sends to its client.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_NOTICES_H
#define CORM_WORK_NOTICES_H

#include "lib/stringinfo.h"

extern void corm_notices_capture(void);
extern void corm_notices_begin(MemoryContext context);
extern StringInfo corm_notices_end(void);
extern bool corm_notices_are_kept(void);
extern void corm_notices_raise(const char *notices, Size len);

#endif							/* CORM_WORK_NOTICES_H */
