/*-------------------------------------------------------------------------
 *
 * namespace.h
 *		Namespaces: the generations of caches in shared memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_NAMESPACE_H
#define CORM_CACHE_NAMESPACE_H

#include "cache/shared/shared.h"

/* What a session knows of a cache; valid until definitions change. */
typedef struct CormCacheRef
{
	NameData	name;			/* hash key */
	uint32		name_len;
	uint64		generation;		/* of the definitions it was made from */
	Oid			userid;			/* whose rights these are */
	uint64		id;
	Oid			owner;
	bool		can_read;
	bool		can_write;
	bool		closed;
	bool		restricted;
	bool		stored;			/* has a row in the catalog */
	uint8		events;
	int64		ttl;			/* microseconds; 0: none */
	int64		max_bytes;		/* 0: none */
	NameData	channel;
	uint16		ns;				/* CORM_NO_NS: none yet */
	uint64		gen;
} CormCacheRef;

extern bool corm_ns_attach(CormCacheRef *ref, bool *made);
extern bool corm_ns_restore(Oid db, CormCacheRef *ref);
extern bool corm_ns_find(Oid db, uint64 id, uint16 *ns, uint64 *gen);
extern uint16 corm_ns_reserve(void);
extern void corm_ns_release(uint16 ns);
extern bool corm_ns_replace(Oid db, uint64 id, uint16 spare, CormReason reason);
extern void corm_ns_kill_database(Oid db);
extern bool corm_ns_purge(int budget, int64 stop_at, int *entries);
extern void corm_ns_set_restricted(Oid db, uint64 id, bool restricted);
extern void corm_ns_count(uint16 ns, CormCounter what, uint64 n);
extern void corm_ns_hit(uint16 ns, uint64 gen, bool hit);
extern void corm_ns_fresh(uint16 ns, uint64 gen, CormCounter what);
extern void corm_ns_flush_hits(void);

#endif							/* CORM_CACHE_NAMESPACE_H */
