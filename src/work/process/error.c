/*-------------------------------------------------------------------------
 *
 * error.c
 *		Errors as flat bytes, with all their fields.
 *
 * All but cursorpos: the client has not sent the statement that it is a position
 * in.  Positions in a body are internal ones, see corm_push_sql_errors.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "work/process/job.h"

/* The fields that are numbers. */
typedef struct ErrorHeader
{
	int			elevel;
	int			sqlerrcode;
	int			lineno;
	int			internalpos;
} ErrorHeader;

/* put_string appends a string that may be NULL. */
static void
put_string(StringInfo buf, const char *string)
{
	appendStringInfoChar(buf, string != NULL);
	if (string != NULL)
		appendBinaryStringInfo(buf, string, strlen(string) + 1);
}

/* get_string returns a copy of the string at *at, or NULL, and moves *at past it. */
static char *
get_string(const char **at, const char *end)
{
	const char *string = *at + 1;
	const char *zero;

	if (*at >= end)
		elog(ERROR, "flat error is too short");
	if (*(*at)++ == 0)
		return NULL;
	zero = memchr(string, '\0', end - string);
	if (zero == NULL)
		elog(ERROR, "flat error is too short");
	*at = zero + 1;
	return pstrdup(string);
}

/* corm_error_flatten appends an error to buf. */
void
corm_error_flatten(const ErrorData *error, StringInfo buf)
{
	ErrorHeader header;

	memset(&header, 0, sizeof(header));
	header.elevel = error->elevel;
	header.sqlerrcode = error->sqlerrcode;
	header.lineno = error->lineno;
	header.internalpos = error->internalpos;
	appendBinaryStringInfo(buf, (char *) &header, sizeof(header));
	put_string(buf, error->filename);
	put_string(buf, error->funcname);
	put_string(buf, error->message);
	put_string(buf, error->detail);
	put_string(buf, error->detail_log);
	put_string(buf, error->hint);
	put_string(buf, error->context);
	put_string(buf, error->schema_name);
	put_string(buf, error->table_name);
	put_string(buf, error->column_name);
	put_string(buf, error->datatype_name);
	put_string(buf, error->constraint_name);
	put_string(buf, error->internalquery);
}

/* corm_error_parse makes an error of flat bytes, in the current memory context, which is its assoc_context. */
ErrorData *
corm_error_parse(const char *data, Size len)
{
	ErrorData  *error = palloc0(sizeof(ErrorData));
	ErrorHeader header;
	const char *at = data + sizeof(header);
	const char *end = data + len;

	if (len < sizeof(header))
		elog(ERROR, "flat error is too short");
	memcpy(&header, data, sizeof(header));
	error->elevel = header.elevel;
	error->sqlerrcode = header.sqlerrcode;
	error->lineno = header.lineno;
	error->internalpos = header.internalpos;
	error->filename = get_string(&at, end);
	error->funcname = get_string(&at, end);
	error->message = get_string(&at, end);
	error->detail = get_string(&at, end);
	error->detail_log = get_string(&at, end);
	error->hint = get_string(&at, end);
	error->context = get_string(&at, end);
	error->schema_name = get_string(&at, end);
	error->table_name = get_string(&at, end);
	error->column_name = get_string(&at, end);
	error->datatype_name = get_string(&at, end);
	error->constraint_name = get_string(&at, end);
	error->internalquery = get_string(&at, end);
	error->message_id = error->message;
	error->assoc_context = CurrentMemoryContext;
	return error;
}
