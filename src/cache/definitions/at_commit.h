/*-------------------------------------------------------------------------
 *
 * at_commit.h
 *		Effects on whole caches at the end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_AT_COMMIT_H
#define CORM_CACHE_AT_COMMIT_H

extern void corm_at_end_kill(uint64 id, bool on_commit, bool on_abort);
extern void corm_at_end_restrict(uint64 id, bool restricted, bool was_restricted);
extern void corm_at_commit_kill_database(Oid db);

#endif							/* CORM_CACHE_AT_COMMIT_H */
