/*-------------------------------------------------------------------------
 *
 * elsewhere.h
 *		Scopes whose transaction is in another process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TX_ELSEWHERE_H
#define CORM_TX_ELSEWHERE_H

#include "tx/body.h"
#include "tx/tx.h"

extern void corm_tx_elsewhere_init(void);
extern bool corm_tx_is_elsewhere(const CormTxOptions *opts);
extern CormTxOutcome corm_tx_run_elsewhere(const CormTxOptions *opts, CormTxBodyCall *call,
										   bool raise, CormTxReport *report);

#endif							/* CORM_TX_ELSEWHERE_H */
