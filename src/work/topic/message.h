/*-------------------------------------------------------------------------
 *
 * message.h
 *		Messages: values to bytes, and bytes to rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_MESSAGE_H
#define CORM_TOPIC_MESSAGE_H

#include "access/tupdesc.h"
#include "fmgr.h"
#include "work/topic/log.h"

/* A message that is to be published. */
typedef struct CormOutgoing
{
	Oid			type;
	const char *key;
	int32		key_len;		/* -1: none */
	const char *headers;		/* the content of a jsonb */
	int32		headers_len;	/* -1: none */
	const char *payload;
	int32		payload_len;
} CormOutgoing;

/* Turns values of one type into the text that messages carry. */
typedef struct CormPayloads
{
	Oid			type;
	bool		is_text;
	FmgrInfo	output;
} CormPayloads;

extern void corm_payloads_init(CormPayloads *payloads, Oid type);
extern void corm_payload_text(CormPayloads *payloads, Datum value, CormOutgoing *message);
extern void corm_message_from_taken(const CormTaken *taken, CormOutgoing *message);
extern uint64 corm_message_key_hash(const char *key, int32 len);
extern Datum corm_message_headers(const CormOutgoing *message);
extern Datum corm_message_row(TupleDesc desc, const CormTaken *taken);
extern TupleDesc corm_message_desc(void);

#endif							/* CORM_TOPIC_MESSAGE_H */
