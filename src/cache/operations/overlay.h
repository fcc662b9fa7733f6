/*-------------------------------------------------------------------------
 *
 * overlay.h
 *		What the transaction will write to the cache if it commits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_OVERLAY_H
#define CORM_CACHE_OVERLAY_H

#include "cache/shared/change.h"
#include "cache/shared/namespace.h"

/* The state of a key when it was looked at. */
typedef struct CormSeen
{
	uint64		gen;
	uint32		changes;
} CormSeen;

typedef enum CormPendingKind
{
	CORM_PENDING_PASS,			/* nothing after all: look at shared memory */
	CORM_PENDING_PUT,
	CORM_PENDING_DELETE,
	CORM_PENDING_TOUCH			/* only a new deadline */
} CormPendingKind;

typedef struct CormPending
{
	CormPendingKind kind;
	CormPutMode mode;			/* of a put, as it meets shared memory */
	CormSeen	seen;			/* of a put, if unchanged */
	CormFound	found;
} CormPending;

typedef void (*CormPendingVisit) (const char *key, uint32 len,
								  const CormPending *pending, void *arg);

extern bool corm_overlay_active;

extern void corm_overlay_init(void);
extern const CormPending *corm_overlay_get(uint64 id, const char *key, uint32 len);
extern bool corm_overlay_touches(uint64 id);
extern bool corm_overlay_cleared(uint64 id);
extern void corm_overlay_write(const CormCacheRef *ref, const char *key, uint32 len,
							   const CormPending *pending);
extern void corm_overlay_pass(const CormCacheRef *ref, const char *key, uint32 len);
extern void corm_overlay_clear(const CormCacheRef *ref);
extern void corm_overlay_foreach(uint64 id, CormPendingVisit visit, void *arg);

#endif							/* CORM_CACHE_OVERLAY_H */
