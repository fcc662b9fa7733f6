/*-------------------------------------------------------------------------
 *
 * arena.h
 *		Shared memory in parts of fixed size.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_ARENA_H
#define CORM_BASE_ARENA_H

#include "base/compat.h"

/* A part of the shared memory, as a subsystem describes it. */
typedef struct CormSharedPart
{
	const char *name;			/* as pg_shmem_allocations shows it */
	Size		(*size) (void); /* same result in every process */
	/* under AddinShmemInitLock: nothing that may raise */
	void		(*attach) (void *addr, Size size, bool found);
	/* after that, with all parts attached; NULL if nothing is left to do */
	void		(*ready) (bool found);
} CormSharedPart;

extern void corm_shared_add(const CormSharedPart *part);
extern void corm_shared_missing(const char *feature) pg_attribute_noreturn();

#endif							/* CORM_BASE_ARENA_H */
