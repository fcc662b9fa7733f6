/*-------------------------------------------------------------------------
 *
 * compat.h
 *		Differences between the PostgreSQL versions corm supports (15 to 18).
 *
 * This is the only file that looks at PG_VERSION_NUM.  The rest of the code
 * is written for the newest API, and older servers are brought up to it here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_COMPAT_H
#define CORM_BASE_COMPAT_H

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "corm supports PostgreSQL 15 to 18"
#endif

#include "utils/acl.h"

/* Ownership and privilege checks were one function per catalog before 16. */
#if PG_VERSION_NUM < 160000
#define corm_owns_relation(relid, roleid)	pg_class_ownercheck(relid, roleid)
#define corm_owns_type(typid, roleid)		pg_type_ownercheck(typid, roleid)
#define corm_function_aclcheck(funcid, roleid) \
	pg_proc_aclcheck(funcid, roleid, ACL_EXECUTE)
#define corm_schema_aclcheck(nspid, roleid, mode) \
	pg_namespace_aclcheck(nspid, roleid, mode)
#else
#define corm_owns_relation(relid, roleid) \
	object_ownercheck(RelationRelationId, relid, roleid)
#define corm_owns_type(typid, roleid) \
	object_ownercheck(TypeRelationId, typid, roleid)
#define corm_function_aclcheck(funcid, roleid) \
	object_aclcheck(ProcedureRelationId, funcid, roleid, ACL_EXECUTE)
#define corm_schema_aclcheck(nspid, roleid, mode) \
	object_aclcheck(NamespaceRelationId, nspid, roleid, mode)
#endif

/*
 * A small dense number for this process, below corm_max_procs().  Since 17 it
 * is a variable; before, it stands in PGPROC.  The postmaster, which has no
 * PGPROC, works only when nobody else does, and borrows number 0.
 */
#if PG_VERSION_NUM < 170000
#define corm_my_procno()		(MyProc == NULL ? 0 : (uint32) MyProc->pgprocno)
#else
#define corm_my_procno()		(MyProc == NULL ? 0 : (uint32) MyProcNumber)
#endif
#define corm_max_procs()		((uint32) (MaxBackends + NUM_AUXILIARY_PROCS))

/* Extensions have wait events of their own names since 17. */
#if PG_VERSION_NUM < 170000
#define corm_wait_event_new(name)	PG_WAIT_EXTENSION
#else
#define corm_wait_event_new(name)	WaitEventExtensionNew(name)
#endif

#endif							/* CORM_BASE_COMPAT_H */
