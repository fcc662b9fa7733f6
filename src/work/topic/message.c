/*-------------------------------------------------------------------------
 *
 * message.c
 *		Messages: values to bytes, and bytes to rows.
 *
 * A payload travels as the text of its value, with its type.  The text does not
 * depend on the settings of the publisher's session: dates and times are in ISO
 * format, numbers are exact.  So it can be stored as a row, dumped, and read by any
 * client; corm.receive_as makes a value of it again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/schema.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
#include "work/topic/message.h"

/* depends_on_settings tells whether the text of a type's values may depend on settings. */
static bool
depends_on_settings(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case BOOLOID:
		case NUMERICOID:
		case UUIDOID:
		case JSONOID:
		case JSONBOID:
			return false;
		default:
			return true;
	}
}

/*
 * corm_payloads_init prepares to turn values of a type into text.  Raises 42804 for a
 * type whose text says too little: an anonymous record.
 */
void
corm_payloads_init(CormPayloads *payloads, Oid type)
{
	Oid			output;
	bool		is_varlena;

	if (!OidIsValid(type))
		elog(ERROR, "could not determine the type of a payload");
	if (type == RECORDOID || type == RECORDARRAYOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a value of type %s cannot be published", format_type_be(type)),
				 errhint("Cast the row to a named composite type.")));
	payloads->type = type;
	payloads->is_text = type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
	if (!payloads->is_text)
	{
		getTypeOutputInfo(type, &output, &is_varlena);
		fmgr_info(output, &payloads->output);
	}
}

/* corm_payload_text sets type and payload of a message.  The result may point into the value. */
void
corm_payload_text(CormPayloads *payloads, Datum value, CormOutgoing *message)
{
	int			level = -1;
	char	   *string;

	message->type = payloads->type;
	if (payloads->is_text)
	{
		text	   *flat = DatumGetTextPP(value);

		message->payload = VARDATA_ANY(flat);
		message->payload_len = VARSIZE_ANY_EXHDR(flat);
		return;
	}
	if (depends_on_settings(payloads->type))
	{
		level = NewGUCNestLevel();
		(void) set_config_option("datestyle", "ISO", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		(void) set_config_option("intervalstyle", "postgres", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		(void) set_config_option("bytea_output", "hex", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		(void) set_config_option("extra_float_digits", "1", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
	string = OutputFunctionCall(&payloads->output, value);
	if (level >= 0)
		AtEOXact_GUC(true, level);
	message->payload = string;
	message->payload_len = strlen(string);
}

/* corm_message_from_taken describes a message that was received, to publish it again. */
void
corm_message_from_taken(const CormTaken *taken, CormOutgoing *message)
{
	const char *at = (const char *) taken + sizeof(CormTaken);

	message->type = taken->type;
	message->key = at;
	message->key_len = taken->key_len;
	at += Max(taken->key_len, 0);
	message->headers = at;
	message->headers_len = taken->headers_len;
	at += Max(taken->headers_len, 0);
	message->payload = at;
	message->payload_len = taken->payload_len;
}

/* corm_message_key_hash returns the hash by which an ordered group knows a key; 0 is for none. */
uint64
corm_message_key_hash(const char *key, int32 len)
{
	uint64		hash;

	if (len < 0)
		return 0;
	hash = hash_bytes_extended((const unsigned char *) key, len, corm_topics->seed);
	return hash == 0 ? 1 : hash;
}

/* corm_message_headers returns the headers of a message, which must have some, as a jsonb. */
Datum
corm_message_headers(const CormOutgoing *message)
{
	struct varlena *headers = palloc((Size) message->headers_len + VARHDRSZ);

	SET_VARSIZE(headers, message->headers_len + VARHDRSZ);
	memcpy(VARDATA(headers), message->headers, message->headers_len);
	return PointerGetDatum(headers);
}

/* corm_message_desc returns the row descriptor of corm.message, to be released with ReleaseTupleDesc. */
TupleDesc
corm_message_desc(void)
{
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("message"),
									   ObjectIdGetDatum(corm_schema_oid()));

	if (!OidIsValid(type))
		corm_catalog_missing("message");
	return lookup_rowtype_tupdesc(type, -1);
}

/* corm_message_row returns a message as a row of corm.message. */
Datum
corm_message_row(TupleDesc desc, const CormTaken *taken)
{
	Datum		values[7];
	bool		nulls[7] = {false};
	CormOutgoing message;

	if (desc->natts != lengthof(values))
		elog(ERROR, "unexpected columns of corm.message");
	corm_message_from_taken(taken, &message);
	values[0] = Int64GetDatum(taken->seq);
	nulls[1] = message.key_len < 0;
	values[1] = nulls[1] ? (Datum) 0 : PointerGetDatum(cstring_to_text_with_len(message.key, message.key_len));
	values[2] = PointerGetDatum(cstring_to_text_with_len(message.payload, message.payload_len));
	values[3] = ObjectIdGetDatum(taken->type);
	nulls[4] = message.headers_len < 0;
	values[4] = nulls[4] ? (Datum) 0 : corm_message_headers(&message);
	values[5] = TimestampTzGetDatum(taken->published_at);
	values[6] = Int32GetDatum(taken->attempt);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}
