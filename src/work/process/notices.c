/*-------------------------------------------------------------------------
 *
 * notices.c
 *		The messages that a body sends to its client.
 *
 * A worker has no client, so PostgreSQL would send them to nobody.  It is given one
 * in the way that parallel workers are: by methods of communication of its own,
 * which keep the messages in memory, as they would go over the wire.  They go to the
 * caller with the answer, and are raised there.
 *
 * How much is kept is bounded; what is beyond that is counted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "libpq/pqcomm.h"
#include "libpq/pqmq.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "work/process/notices.h"

#define MAX_BYTES	(1024 * 1024)

static StringInfo notices = NULL;	/* NULL: nobody wants them */
static uint32 dropped;

/* keep keeps a message of the protocol if it is a notice. */
static void
keep(char type, const char *s, size_t len)
{
	uint32		size = (uint32) len;

	if (type != 'N' || notices == NULL)
		return;
	if (notices->len + len > MAX_BYTES)
	{
		dropped++;
		return;
	}
	appendBinaryStringInfo(notices, (char *) &size, sizeof(size));
	appendBinaryStringInfo(notices, s, len);
}

static void
do_nothing(void)
{
}

static int
succeed(void)
{
	return 0;
}

static bool
say_no(void)
{
	return false;
}

static int
put_message(char type, const char *s, size_t len)
{
	keep(type, s, len);
	return 0;
}

static const CormCommMethods methods = {
	.comm_reset = do_nothing,
	.flush = succeed,
	.flush_if_writable = succeed,
	.is_send_pending = say_no,
	.putmessage = put_message,
	.putmessage_noblock = keep,
};

/* corm_notices_capture gives this process its client; once. */
void
corm_notices_capture(void)
{
	PqCommMethods = &methods;
	whereToSendOutput = DestRemote;
	FrontendProtocol = PG_PROTOCOL_LATEST;
	(void) SetClientEncoding(GetDatabaseEncoding());
}

/* corm_notices_begin keeps messages from now on, in a memory context that must not be reset before the end. */
void
corm_notices_begin(MemoryContext context)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(context);

	notices = makeStringInfo();
	dropped = 0;
	MemoryContextSwitchTo(oldcontext);
}

/* corm_notices_end keeps no more, and returns what there is: a number for those dropped, then the messages. */
StringInfo
corm_notices_end(void)
{
	StringInfo	all = notices;

	if (all == NULL)
		return NULL;
	notices = NULL;
	if (all->len == 0)
		return NULL;
	appendBinaryStringInfo(all, (char *) &dropped, sizeof(dropped));
	return all;
}

/* corm_notices_are_kept tells whether messages go to a caller, who logs them, too. */
bool
corm_notices_are_kept(void)
{
	return notices != NULL;
}

/* corm_notices_raise raises messages that were kept in another process.  Raises an error only if memory runs out. */
void
corm_notices_raise(const char *kept, Size len)
{
	const char *at = kept;
	const char *end = kept + len - sizeof(uint32);
	uint32		not_kept;

	while (at + sizeof(uint32) <= end)
	{
		uint32		size;
		StringInfoData message;
		ErrorData	notice;

		memcpy(&size, at, sizeof(size));
		at += sizeof(size);
		initStringInfo(&message);
		appendBinaryStringInfo(&message, at, size);
		at += size;
		pq_parse_errornotice(&message, &notice);
		notice.elevel = Min(notice.elevel, WARNING);
		ThrowErrorData(&notice);
		pfree(message.data);
	}
	memcpy(&not_kept, end, sizeof(not_kept));
	if (not_kept > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("%u messages of the autonomous transaction are not shown", not_kept)));
}
