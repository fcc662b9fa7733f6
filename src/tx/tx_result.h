/*-------------------------------------------------------------------------
 *
 * tx_result.h
 *		What became of a scope as a row of type corm.tx_result.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TX_RESULT_H
#define CORM_TX_RESULT_H

#include "tx/tx.h"
#include "utils/jsonb.h"

extern Datum corm_tx_result_datum(TupleDesc desc, CormTxOutcome outcome, Jsonb *value,
								  const char *scope_name, const ErrorData *error);

#endif							/* CORM_TX_RESULT_H */
