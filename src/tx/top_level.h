/*-------------------------------------------------------------------------
 *
 * top_level.h
 *		Statements one by one, each as a client would send it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TX_TOP_LEVEL_H
#define CORM_TX_TOP_LEVEL_H

#include "work/work.h"

extern void corm_tx_run_top_level(const CormJob *job, MemoryContext result_context, CormJobReport *report);

#endif							/* CORM_TX_TOP_LEVEL_H */
