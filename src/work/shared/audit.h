/*-------------------------------------------------------------------------
 *
 * audit.h
 *		Verifying what is in shared memory: corm.work_check().
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_AUDIT_H
#define CORM_WORK_AUDIT_H

#include "base/blocks.h"

typedef struct CormAudit CormAudit;

/*
 * What a room has to be verified.  lock takes all of its LWLocks, in the order in which
 * its code takes them; walk looks at everything, names each chain of blocks of
 * corm_work_blocks that it has (corm_audit_chain), and tells what is wrong
 * (corm_audit_problem); unlock releases the locks.  All rooms' locks are held
 * together, those of rooms that were added first being taken first: add yours in the
 * order in which rooms call each other with locks held.  None may raise or allocate.
 */
typedef struct CormAuditPart
{
	void		(*lock) (void);
	void		(*walk) (CormAudit *audit);
	void		(*unlock) (void);
} CormAuditPart;

extern void corm_audit_add(const CormAuditPart *part);
extern void corm_audit_chain(CormAudit *audit, const char *what, CormBlockId first);
extern void corm_audit_block(CormAudit *audit, const char *what, CormBlockId id);
extern void corm_audit_problem(CormAudit *audit, const char *format,...) pg_attribute_printf(2, 3);

#endif							/* CORM_WORK_AUDIT_H */
