/*-------------------------------------------------------------------------
 *
 * json.h
 *		Rows of a statement as a jsonb array.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TX_JSON_H
#define CORM_TX_JSON_H

#include "postgres.h"

#include "tcop/dest.h"
#include "utils/jsonb.h"

extern DestReceiver *corm_tx_json_receiver(void);
extern Jsonb *corm_tx_json_result(DestReceiver *receiver, MemoryContext context);

#endif							/* CORM_TX_JSON_H */
