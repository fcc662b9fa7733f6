/*-------------------------------------------------------------------------
 *
 * compat.h
 *		Differences between the PostgreSQL versions corm supports (15 to 18).
 *
 * This and compat.c are the only files that look at PG_VERSION_NUM.  The rest of the code
 * is written for the newest API, and older servers are brought up to it here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_COMPAT_H
#define CORM_BASE_COMPAT_H

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "corm supports PostgreSQL 15 to 18"
#endif

/* The macros of variable-length values moved out of postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 has only pg_noreturn, which stands before a declaration, not after it. */
#if PG_VERSION_NUM >= 180000
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

#include "catalog/namespace.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"

/* Those of utils/pg_locale.h, which from 16 on wants ICU's headers. */
extern PGDLLIMPORT char *locale_monetary;
extern PGDLLIMPORT char *locale_numeric;
extern PGDLLIMPORT char *locale_time;

extern void corm_serialize_settings(StringInfo buf);

/* Those of libpq/libpq.h and libpq/libpq-be.h, which may want headers of GSSAPI and OpenSSL. */
typedef struct CormCommMethods
{
	void		(*comm_reset) (void);
	int			(*flush) (void);
	int			(*flush_if_writable) (void);
	bool		(*is_send_pending) (void);
	int			(*putmessage) (char msgtype, const char *s, size_t len);
	void		(*putmessage_noblock) (char msgtype, const char *s, size_t len);
} CormCommMethods;

extern PGDLLIMPORT const CormCommMethods *PqCommMethods;
extern PGDLLIMPORT uint32 FrontendProtocol;

/* Ownership and privilege checks were one function per catalog before 16. */
#if PG_VERSION_NUM < 160000
#define corm_owns_relation(relid, roleid)	pg_class_ownercheck(relid, roleid)
#define corm_owns_type(typid, roleid)		pg_type_ownercheck(typid, roleid)
#define corm_owns_database(dbid, roleid)	pg_database_ownercheck(dbid, roleid)
#define corm_function_aclcheck(funcid, roleid) \
	pg_proc_aclcheck(funcid, roleid, ACL_EXECUTE)
#define corm_schema_aclcheck(nspid, roleid, mode) \
	pg_namespace_aclcheck(nspid, roleid, mode)
#else
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"

#define corm_owns_relation(relid, roleid) \
	object_ownercheck(RelationRelationId, relid, roleid)
#define corm_owns_type(typid, roleid) \
	object_ownercheck(TypeRelationId, typid, roleid)
#define corm_owns_database(dbid, roleid) \
	object_ownercheck(DatabaseRelationId, dbid, roleid)
#define corm_function_aclcheck(funcid, roleid) \
	object_aclcheck(ProcedureRelationId, funcid, roleid, ACL_EXECUTE)
#define corm_schema_aclcheck(nspid, roleid, mode) \
	object_aclcheck(NamespaceRelationId, nspid, roleid, mode)
#endif

/* JSON_VALUE, JSON_QUERY and JSON_EXISTS */
#if PG_VERSION_NUM >= 170000
#define corm_is_json_expr(node) IsA(node, JsonExpr)
#else
#define corm_is_json_expr(node) false
#endif

/*
 * A small dense number for this process, below corm_max_procs().  Since 17 it
 * is a variable; before, it stands in PGPROC.  The postmaster, which has no
 * PGPROC, works only when no other process does, and borrows number 0.
 */
#if PG_VERSION_NUM < 170000
#define corm_my_procno()		(MyProc == NULL ? 0 : (uint32) MyProc->pgprocno)
#else
#define corm_my_procno()		(MyProc == NULL ? 0 : (uint32) MyProcNumber)
#endif
#define corm_max_procs()		((uint32) (MaxBackends + NUM_AUXILIARY_PROCS))

/*
 * Symbols of extensions are hidden unless they are marked for export, since 16;
 * corm's Makefile asks for the same with older versions.
 */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(funcname) \
extern PGDLLEXPORT Datum funcname(PG_FUNCTION_ARGS); \
extern PGDLLEXPORT const Pg_finfo_record *CppConcat(pg_finfo_, funcname) (void); \
const Pg_finfo_record * \
CppConcat(pg_finfo_, funcname) (void) \
{ \
	static const Pg_finfo_record info = {1}; \
	return &info; \
} \
extern int	no_such_variable
#endif

/* Extensions have wait events of their own names since 17. */
#if PG_VERSION_NUM < 170000
#define corm_wait_event_new(name)	PG_WAIT_EXTENSION
#else
#define corm_wait_event_new(name)	WaitEventExtensionNew(name)
#endif

/* A snapshot of the search path, to see later whether it is still the same. */
#if PG_VERSION_NUM < 170000
#define CormSearchPath OverrideSearchPath
#define corm_get_search_path(context)	GetOverrideSearchPath(context)
#define corm_search_path_matches(path)	OverrideSearchPathMatchesCurrent(path)
#else
#define CormSearchPath SearchPathMatcher
#define corm_get_search_path(context)	GetSearchPathMatcher(context)
#define corm_search_path_matches(path)	SearchPathMatchesCurrentEnvironment(path)
#endif

/* The executor's run had one more parameter before 18. */
#if PG_VERSION_NUM < 180000
#define CORM_EXECUTOR_RUN_PARAMS \
	QueryDesc *query_desc, ScanDirection direction, uint64 count, bool execute_once
#define CORM_EXECUTE_ONCE	execute_once
#define CORM_EXECUTOR_RUN(run, query_desc, direction, count, execute_once) \
	(run) (query_desc, direction, count, execute_once)
#else
#define CORM_EXECUTOR_RUN_PARAMS \
	QueryDesc *query_desc, ScanDirection direction, uint64 count
#define CORM_EXECUTE_ONCE	true
#define CORM_EXECUTOR_RUN(run, query_desc, direction, count, execute_once) \
	(run) (query_desc, direction, count)
#endif

/* Errors as data reached the name parser in 16. */
#if PG_VERSION_NUM < 160000
#define corm_qualified_name_list(str)	stringToQualifiedNameList(str)
#else
#define corm_qualified_name_list(str)	stringToQualifiedNameList(str, NULL)
#endif

/* So they did the parser of types. */
#if PG_VERSION_NUM < 160000
#define corm_parse_type(str, typid, typmod)	parseTypeString(str, typid, typmod, false)
#else
#define corm_parse_type(str, typid, typmod)	((void) parseTypeString(str, typid, typmod, NULL))
#endif

/* Deferrable keys can be asked for since 18. */
#if PG_VERSION_NUM < 180000
#define corm_primary_key_index(rel) RelationGetPrimaryKeyIndex(rel)
#else
#define corm_primary_key_index(rel) RelationGetPrimaryKeyIndex(rel, false)
#endif

/* Times are counted in nanoseconds since 16. */
#if PG_VERSION_NUM < 160000
#define corm_instr_time_ns(t)	((uint64) (t).tv_sec * 1000000000 + (uint64) (t).tv_nsec)
#else
#define corm_instr_time_ns(t)	((uint64) INSTR_TIME_GET_NANOSEC(t))
#endif

/* What a query needs rights to stood in its range table before 16. */
#if PG_VERSION_NUM < 160000
#define corm_check_query_permissions(query) \
	((void) ExecCheckRTPerms((query)->rtable, true))
#else
#define corm_check_query_permissions(query) \
	((void) ExecCheckPermissions((query)->rtable, (query)->rteperminfos, true))
#endif

/* All settings: an array of the server's own, since 16 a copy. */
#if PG_VERSION_NUM < 160000
#define corm_guc_variables(n)	(*(n) = GetNumConfigOptions(), get_guc_variables())
#else
#define corm_guc_variables(n)	get_guc_variables(n)
#endif

/* Base64 knows bytes as uint8 since 18. */
#if PG_VERSION_NUM < 180000
#define corm_b64_encode(src, len, dst, dstlen)	pg_b64_encode(src, len, dst, dstlen)
#define corm_b64_decode(src, len, dst, dstlen)	pg_b64_decode(src, len, dst, dstlen)
#else
#define corm_b64_encode(src, len, dst, dstlen) \
	pg_b64_encode((const uint8 *) (src), len, dst, dstlen)
#define corm_b64_decode(src, len, dst, dstlen) \
	pg_b64_decode(src, len, (uint8 *) (dst), dstlen)
#endif

/* Constraints that are not enforced came in 18. */
#if PG_VERSION_NUM < 180000
#define corm_constraint_is_enforced(form) true
#else
#define corm_constraint_is_enforced(form) ((form)->conenforced)
#endif

/* Running a portal to its end had one more parameter before 18. */
#if PG_VERSION_NUM < 180000
#define CORM_PORTAL_RUN(portal, receiver, qc) \
	PortalRun(portal, FETCH_ALL, true, true, receiver, receiver, qc)
#else
#define CORM_PORTAL_RUN(portal, receiver, qc) \
	PortalRun(portal, FETCH_ALL, true, receiver, receiver, qc)
#endif

/* Transactions have a timeout since 17, which would end a worker. */
#if PG_VERSION_NUM < 170000
#define corm_disable_transaction_timeout()	((void) 0)
#else
#define corm_disable_transaction_timeout() \
	SetConfigOption("transaction_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE)
#endif

/*
 * The locks of a process: its own array, in groups since 18, with three bits for
 * each relation, the highest of them RowExclusiveLock; and its lists in the
 * shared table, which became dlists in 16.
 */
#define CORM_FAST_PATH_BITS		3
#define CORM_FAST_PATH_WRITES	UINT64CONST(04444444444444444)	/* in 16 slots */
#if PG_VERSION_NUM < 180000
#define CORM_FAST_PATH_GROUPS	1
#define corm_fast_path_bits(group)	(MyProc->fpLockBits)
#define corm_fast_path_relation(group, slot)	(MyProc->fpRelId[slot])
#else
#define CORM_FAST_PATH_GROUPS	FastPathLockGroupsPerBackend
#define corm_fast_path_bits(group)	(MyProc->fpLockBits[group])
#define corm_fast_path_relation(group, slot) \
	(MyProc->fpRelId[(group) * FP_LOCK_SLOTS_PER_GROUP + (slot)])
#endif
#if PG_VERSION_NUM < 160000
#define corm_no_proclocks(proc, partition) \
	((proc)->myProcLocks[partition].next == &(proc)->myProcLocks[partition])
#define corm_one_proclock(proc, partition) \
	((proc)->myProcLocks[partition].next == (proc)->myProcLocks[partition].prev)
#define corm_first_proclock(proc, partition) \
	((PROCLOCK *) SHMQueueNext(&(proc)->myProcLocks[partition], &(proc)->myProcLocks[partition], \
							   offsetof(PROCLOCK, procLink)))
#define corm_next_proclock(proc, partition, proclock) \
	((PROCLOCK *) SHMQueueNext(&(proc)->myProcLocks[partition], &(proclock)->procLink, \
							   offsetof(PROCLOCK, procLink)))
#else
#define corm_no_proclocks(proc, partition) \
	dlist_is_empty(&(proc)->myProcLocks[partition])
#define corm_one_proclock(proc, partition) \
	((proc)->myProcLocks[partition].head.next == (proc)->myProcLocks[partition].head.prev)
#define corm_first_proclock(proc, partition) \
	(dlist_is_empty(&(proc)->myProcLocks[partition]) ? NULL : \
	 dlist_head_element(PROCLOCK, procLink, &(proc)->myProcLocks[partition]))
#define corm_next_proclock(proc, partition, proclock) \
	(!dlist_has_next(&(proc)->myProcLocks[partition], &(proclock)->procLink) ? NULL : \
	 dlist_container(PROCLOCK, procLink, \
					 dlist_next_node(&(proc)->myProcLocks[partition], &(proclock)->procLink)))
#endif

/* As whom a relation is checked stood in the range table before 16. */
#if PG_VERSION_NUM < 160000
#define corm_rte_user(stmt, rte)	((rte)->checkAsUser)
#else
#define corm_rte_user(stmt, rte) \
	((rte)->perminfoindex > 0 ? \
	 list_nth_node(RTEPermissionInfo, (stmt)->permInfos, (rte)->perminfoindex - 1)->checkAsUser : InvalidOid)
#endif

/* NOT NULL may stand for new rows only since 18. */
#if PG_VERSION_NUM < 180000
#define corm_not_null_is_valid(relid, attnum) true
#else
#include "access/htup_details.h"
#include "catalog/pg_constraint.h"

static inline bool
corm_not_null_is_valid(Oid relid, AttrNumber attnum)
{
	HeapTuple	tuple = findNotNullConstraintAttnum(relid, attnum);
	bool		valid = HeapTupleIsValid(tuple) && ((Form_pg_constraint) GETSTRUCT(tuple))->convalidated;

	if (HeapTupleIsValid(tuple))
		heap_freetuple(tuple);
	return valid;
}
#endif

/* For what is stored and must not be read by another version. */
#define CORM_SERVER_VERSION	PG_VERSION_NUM

#endif							/* CORM_BASE_COMPAT_H */
