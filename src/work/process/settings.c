/*-------------------------------------------------------------------------
 *
 * settings.c
 *		The settings of a session, for a job in another process.
 *
 * What is collected is what differs from the configuration files: settings of the
 * database and the role, of the client, by SET, SET LOCAL and the SET clause of a
 * function, and those of names that PostgreSQL does not know, such as
 * request.jwt.claims.  A worker has been started in the same database as the same
 * role, but maybe before ALTER ROLE SET.
 *
 * Left out is what cannot be set then, and what is of the transaction (the request
 * says it), of the role (the request says that too), or of the connection.
 *
 * They are found in what SerializeGUCState writes for parallel workers:
 *
 *		for each setting: name, value, source file, its line if there is a file, source,
 *		context, role
 *
 * The flat form made of that here is, for each: context (1 byte), role that set it,
 * name, value.  What came with the start of the connection was set in a context that
 * allows settings which can be set only then; those cannot be set again, and it is
 * no error that they are not.  Nor is it one for a name that this session does not
 * know, and the worker does: it has loaded a library that refuses the name or the value, of
 * which this session, too, would only be warned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "work/process/settings.h"

/* In the byte of the context */
#define FROM_CONNECTION	0x80
#define PLACEHOLDER		0x40	/* of a name that PostgreSQL does not know */
#define LENIENT			(FROM_CONNECTION | PLACEHOLDER)

static const char *const left_out[] = {
	"client_encoding",
	"default_transaction_deferrable",
	"default_transaction_isolation",	/* are in the request */
	"default_transaction_read_only",
	"idle_in_transaction_session_timeout",
	"idle_session_timeout",
	"is_superuser",
	"role",
	"seed",
	"session_authorization",
	"temp_buffers",				/* cannot be changed after the first temporary
								 * table */
	"transaction_deferrable",
	"transaction_isolation",
	"transaction_read_only",
	"transaction_timeout",		/* would end the worker */
};

/* is_left_out tells whether a setting does not go along. */
static bool
is_left_out(const char *name)
{
	for (int i = 0; i < lengthof(left_out); i++)
	{
		if (strcmp(name, left_out[i]) == 0)
			return true;
	}
	return false;
}

/* next_string returns the string at *at and moves *at past it. */
static const char *
next_string(const char **at)
{
	const char *string = *at;

	*at += strlen(string) + 1;
	return string;
}

/* corm_settings_collect appends the settings of this session to buf, in flat form. */
void
corm_settings_collect(StringInfo buf)
{
	StringInfoData state;
	const char *at;

	initStringInfo(&state);
	corm_serialize_settings(&state);
	at = state.data;
	while (at < state.data + state.len)
	{
		const char *name = next_string(&at);
		const char *value = next_string(&at);
		const char *file = next_string(&at);
		GucSource	source;
		GucContext	context;
		Oid			role;
		uint8		byte;

		if (file[0] != '\0')
			at += sizeof(int);
		memcpy(&source, at, sizeof(source));
		at += sizeof(source);
		memcpy(&context, at, sizeof(context));
		at += sizeof(context);
		memcpy(&role, at, sizeof(role));
		at += sizeof(role);

		if (source < PGC_S_GLOBAL || is_left_out(name))
			continue;
		byte = (uint8) context;
		if (context < PGC_SUSET)
			byte = (context == PGC_BACKEND ? PGC_USERSET : PGC_SUSET) | FROM_CONNECTION;
		if (GetConfigOptionFlags(name, true) & GUC_CUSTOM_PLACEHOLDER)
			byte |= PLACEHOLDER;
		appendStringInfoChar(buf, (char) byte);
		appendBinaryStringInfo(buf, (char *) &role, sizeof(role));
		appendBinaryStringInfo(buf, name, strlen(name) + 1);
		appendBinaryStringInfo(buf, value, strlen(value) + 1);
	}
	pfree(state.data);
}

/*
 * corm_settings_apply sets what corm_settings_collect has found.  The caller has
 * opened a nest level of settings, which ends them; or for_session, they hold for
 * the rest of the session.  Raises what a setting's check raises.
 */
void
corm_settings_apply(const char *settings, Size len, bool for_session)
{
	const char *at = settings;

	while (at < settings + len)
	{
		uint8		byte = (uint8) *at++;
		Oid			role;
		const char *name;
		const char *value;

		memcpy(&role, at, sizeof(role));
		at += sizeof(role);
		name = next_string(&at);
		value = next_string(&at);
		(void) set_config_option_ext(name, value, (GucContext) (byte & ~LENIENT),
									 PGC_S_SESSION, role,
									 for_session ? GUC_ACTION_SET : GUC_ACTION_SAVE,
									 true, (byte & LENIENT) ? DEBUG1 : ERROR, false);
	}
}
