/*-------------------------------------------------------------------------
 *
 * gone.h
 *		Databases that are dropped, or whose extension is.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_GONE_H
#define CORM_WORK_GONE_H

/* Forgets what belongs to a database; called after a commit, must not raise. */
typedef void (*CormWorkForget) (Oid database);

extern void corm_work_gone_init(void);
extern void corm_work_when_gone(CormWorkForget forget);

#endif							/* CORM_WORK_GONE_H */
