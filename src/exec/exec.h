/*-------------------------------------------------------------------------
 *
 * exec.h
 *		Running queries: what other layers see of it.
 *
 * Nothing is above this layer but the entry point of the library.  Inside, each
 * file has a header of its own beside it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_H
#define CORM_EXEC_H

extern void corm_plan_init(void);
extern void corm_middleware_init(void);
extern void corm_stats_init(void);

#endif							/* CORM_EXEC_H */
