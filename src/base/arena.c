/*-------------------------------------------------------------------------
 *
 * arena.c
 *		Shared memory of corm: named parts of fixed size, requested at preload.
 *
 * A subsystem that needs shared memory describes it as a CormSharedPart (name,
 * size function, attach function) and calls corm_shared_add from its init
 * function.  The sizes are asked for in the shmem_request_hook and the parts
 * are created in the shmem_startup_hook, so the memory is fixed for the life
 * of the server: corm never maps a segment later and cannot exceed what
 * pg_shmem_allocations shows for it.
 *
 * Everything that lives in a part is addressed by index or offset, never by
 * pointer, except where a comment says why a pointer is good (it is the same
 * in every process only because the postmaster forks them).
 *
 * Without shared_preload_libraries no part is ever attached, and the pointers
 * that the attach functions set stay NULL.  Code that needs such a part then
 * calls corm_shared_missing, which raises the error that users see.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/arena.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#define MAX_SHARED_PARTS	16

static const CormSharedPart *parts[MAX_SHARED_PARTS];
static int	nparts = 0;

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/*
 * request_parts asks for the memory of every part.  Runs in the postmaster,
 * after the hook of other libraries.
 */
static void
request_parts(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();

	for (int i = 0; i < nparts; i++)
		RequestAddinShmemSpace(MAXALIGN(parts[i]->size()));
}

/*
 * startup_parts creates or finds every part.  Runs in the postmaster before
 * any backend exists, and again after a crash, when all memory is new.
 */
static void
startup_parts(void)
{
	bool		found[MAX_SHARED_PARTS];

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < nparts; i++)
	{
		Size		size = parts[i]->size();
		void	   *addr;

		addr = ShmemInitStruct(parts[i]->name, size, &found[i]);
		parts[i]->attach(addr, size, found[i]);
	}
	LWLockRelease(AddinShmemInitLock);

	for (int i = 0; i < nparts; i++)
		if (parts[i]->ready != NULL)
			parts[i]->ready(found[i]);
}

/*
 * corm_shared_add registers a part.  Only while the server preloads its
 * libraries; at any other time it does nothing, and the part stays absent.
 * The struct must outlive the process (make it static).  Parts are attached
 * in the order in which they were added.
 */
void
corm_shared_add(const CormSharedPart *part)
{
	if (!process_shared_preload_libraries_in_progress)
		return;

	if (nparts >= MAX_SHARED_PARTS)
		elog(ERROR, "too many shared memory parts");
	if (nparts == 0)
	{
		prev_shmem_request_hook = shmem_request_hook;
		shmem_request_hook = request_parts;
		prev_shmem_startup_hook = shmem_startup_hook;
		shmem_startup_hook = startup_parts;
	}
	parts[nparts++] = part;
}

/*
 * corm_shared_missing raises the error for a feature that lives in shared
 * memory when the library was not preloaded.  feature is what the user asked
 * for, in words.
 */
void
corm_shared_missing(const char *feature)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s requires corm to be loaded at server start", feature),
			 errhint("Add corm to the setting shared_preload_libraries (shared_preload_libraries = 'corm') and restart the server.")));
}
