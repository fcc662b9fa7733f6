/*-------------------------------------------------------------------------
 *
 * refs.h
 *		What a session knows of caches: the tables of definitions and grants.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_REFS_H
#define CORM_CACHE_REFS_H

#include "base/compat.h"
#include "cache/shared/namespace.h"
#include "storage/lockdefs.h"
#include "utils/array.h"
#include "utils/relcache.h"

#define Natts_cache_definitions				8
#define Anum_cache_definitions_name			1
#define Anum_cache_definitions_id			2
#define Anum_cache_definitions_owner		3
#define Anum_cache_definitions_ttl			4
#define Anum_cache_definitions_max_bytes	5
#define Anum_cache_definitions_channel		6
#define Anum_cache_definitions_events		7
#define Anum_cache_definitions_closed		8

extern void corm_refs_init(void);
extern Relation corm_cache_definitions_open(LOCKMODE lockmode);
extern Relation corm_cache_grants_open(LOCKMODE lockmode);
extern CormCacheRef *corm_cache_ref(const char *name, uint32 len);
extern CormCacheRef *corm_cache_ref_or_null(const char *name, uint32 len);
extern CormCacheRef *corm_cache_ref_internal(uint64 id);
extern bool corm_cache_defined(const CormCacheRef *ref, bool *restricted);
extern void corm_cache_check(const CormCacheRef *ref, bool read, bool write);
extern bool corm_cache_owned(const CormCacheRef *ref);
extern bool corm_ref_attach(CormCacheRef *ref);
extern void corm_ref_not_attached(const CormCacheRef *ref) pg_attribute_noreturn();
extern uint8 corm_events_parse(ArrayType *names);

#endif							/* CORM_CACHE_REFS_H */
