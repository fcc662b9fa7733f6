/*-------------------------------------------------------------------------
 *
 * audit.c
 *		Verifying what is in shared memory: corm.work_check().
 *
 * It takes all locks, so that it sees one moment, and nothing can change while it runs: it
 * is a diagnostic, not for daily use.  Under the locks it only notes problems, in
 * memory allocated beforehand, and reports them afterwards.
 *
 * What must hold, besides what the rooms say: each block belongs to one chain or to one
 * free list, or is held by a live process, and the counts agree.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"
#include "work/shared/audit.h"
#include "work/shared/memory.h"

#define MAX_PARTS		8
#define MAX_PROBLEMS	50

struct CormAudit
{
	uint8	   *seen;			/* for each block */
	uint32		nlinked;
	int			nproblems;
	char		problem[MAX_PROBLEMS][160];
};

static const CormAuditPart *parts[MAX_PARTS];
static int	nparts = 0;

PG_FUNCTION_INFO_V1(corm_work_check);

/* corm_audit_add adds what a room has to be verified; from init functions.  The struct must be static. */
void
corm_audit_add(const CormAuditPart *part)
{
	if (nparts >= MAX_PARTS)
		elog(ERROR, "too many parts of an audit");
	parts[nparts++] = part;
}

/* corm_audit_problem notes a problem. */
void
corm_audit_problem(CormAudit *audit, const char *format,...)
{
	va_list		args;

	if (audit->nproblems < MAX_PROBLEMS)
	{
		va_start(args, format);
		vsnprintf(audit->problem[audit->nproblems], sizeof(audit->problem[0]), format, args);
		va_end(args);
	}
	audit->nproblems++;
}

/* corm_audit_block notes that a single block belongs to something. */
void
corm_audit_block(CormAudit *audit, const char *what, CormBlockId id)
{
	if (id > corm_work_block_count())
		corm_audit_problem(audit, "block of %s is not in the pool (block %u)", what, id);
	else if (audit->seen[id])
		corm_audit_problem(audit, "block of %s belongs to two owners (block %u)", what, id);
	else
	{
		audit->seen[id] = 1;
		audit->nlinked++;
	}
}

/* corm_audit_chain notes that a chain of blocks belongs to something; 0 is an empty chain. */
void
corm_audit_chain(CormAudit *audit, const char *what, CormBlockId first)
{
	for (CormBlockId id = first; id != 0; id = *corm_block_next(&corm_work_blocks, id))
	{
		if (id > corm_work_block_count())
		{
			corm_audit_problem(audit, "chain of %s leaves the pool (block %u)", what, id);
			return;
		}
		if (audit->seen[id])
		{
			corm_audit_problem(audit, "block of %s belongs to two owners (block %u)", what, id);
			return;
		}
		audit->seen[id] = 1;
		audit->nlinked++;
	}
}

/* check_blocks compares the blocks that were found in chains with what the pool says. */
static void
check_blocks(CormAudit *audit)
{
	uint32		nfree;
	int64		held;
	int64		held_by_nobody;

	if (!corm_blocks_inspect(&corm_work_blocks, audit->seen, &nfree, &held, &held_by_nobody))
		corm_audit_problem(audit, "a free list of blocks is broken");
	else if ((int64) nfree + audit->nlinked + held != corm_work_block_count())
		corm_audit_problem(audit, "%u blocks are free, %u linked and " INT64_FORMAT " held, of %u",
						   nfree, audit->nlinked, held, corm_work_block_count());
	if (held_by_nobody != 0)
		corm_audit_problem(audit, INT64_FORMAT " blocks are held by processes that have ended", held_by_nobody);
}

/* work_check() -> SETOF text */
Datum
corm_work_check(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	CormAudit  *audit;

	corm_work_require("corm.work_check");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	audit = palloc0(sizeof(CormAudit));
	audit->seen = MemoryContextAllocHuge(CurrentMemoryContext, (Size) corm_work_block_count() + 1);
	memset(audit->seen, 0, (Size) corm_work_block_count() + 1);

	for (int i = 0; i < nparts; i++)
		parts[i]->lock();
	corm_blocks_lock_all(&corm_work_blocks);
	for (int i = 0; i < nparts; i++)
		parts[i]->walk(audit);
	check_blocks(audit);
	corm_blocks_unlock_all(&corm_work_blocks);
	for (int i = nparts - 1; i >= 0; i--)
		parts[i]->unlock();

	for (int i = 0; i < Min(audit->nproblems, MAX_PROBLEMS); i++)
	{
		Datum		row = CStringGetTextDatum(audit->problem[i]);
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &row, &isnull);
	}
	PG_RETURN_NULL();
}
