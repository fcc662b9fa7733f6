/*-------------------------------------------------------------------------
 *
 * static_proto.c
 *		Messages by the code that protoc-c generates, to measure corm_proto
 *		against.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "user.pb-c.h"

PG_MODULE_MAGIC;

/*
 * unpack returns a message as a struct, made with malloc().
 */
static User *
unpack(bytea *data)
{
	User	   *user = user__unpack(NULL, VARSIZE_ANY_EXHDR(data), (const uint8_t *) VARDATA_ANY(data));

	if (user == NULL)
		elog(ERROR, "the data is no message");
	return user;
}

PG_FUNCTION_INFO_V1(static_proto_decode);

/*
 * static_proto_decode(data bytea) unpacks a message, and frees it.  Returns a
 * number of it.
 */
Datum
static_proto_decode(PG_FUNCTION_ARGS)
{
	User	   *user = unpack(PG_GETARG_BYTEA_PP(0));
	int32		id = user->id;

	user__free_unpacked(user, NULL);
	PG_RETURN_INT32(id);
}

PG_FUNCTION_INFO_V1(static_proto_encode);

/*
 * static_proto_encode(data bytea) packs a struct: that of the message that the
 * call site had first.
 */
Datum
static_proto_encode(PG_FUNCTION_ARGS)
{
	User	   *user = fcinfo->flinfo->fn_extra;
	size_t		size;
	bytea	   *result;

	if (user == NULL)
		fcinfo->flinfo->fn_extra = user = unpack(PG_GETARG_BYTEA_PP(0));
	size = user__get_packed_size(user);
	result = palloc(size + VARHDRSZ);
	SET_VARSIZE(result, size + VARHDRSZ);
	user__pack(user, (uint8_t *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}
