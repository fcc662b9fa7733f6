/*-------------------------------------------------------------------------
 *
 * exec.h
 *		Running queries: the interface for other layers.
 *
 * Only the entry point of the library is above this layer.  Inside, each file has its
 * own header next to it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_H
#define CORM_EXEC_H

extern void corm_plan_init(void);
extern void corm_middleware_init(void);
extern void corm_stats_init(void);
extern void corm_procedure_init(void);
extern void corm_inline_init(void);

#endif							/* CORM_EXEC_H */
