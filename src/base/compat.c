/*-------------------------------------------------------------------------
 *
 * compat.c
 *		What differs between versions of PostgreSQL, and takes more than a line.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

#if PG_VERSION_NUM >= 160000
/*
 * corm_serialize_settings appends the settings of this session to buf, as SerializeGUCState
 * writes them but for the size, among them all that come from the database, the role, the
 * client or a command.
 */
void
corm_serialize_settings(StringInfo buf)
{
	Size		size = EstimateGUCStateSpace();
	char	   *state = palloc(size);

	SerializeGUCState(size, state);
	memcpy(&size, state, sizeof(Size));
	appendBinaryStringInfo(buf, state + sizeof(Size), size);
	pfree(state);
}
#else
/* append_value appends the value of a setting, and what ends it. */
static void
append_value(StringInfo buf, struct config_generic *setting)
{
	const char *string = "";

	switch (setting->vartype)
	{
		case PGC_BOOL:
			string = *((struct config_bool *) setting)->variable ? "true" : "false";
			break;
		case PGC_INT:
			appendStringInfo(buf, "%d", *((struct config_int *) setting)->variable);
			break;
		case PGC_REAL:
			appendStringInfo(buf, "%.17e", *((struct config_real *) setting)->variable);
			break;
		case PGC_STRING:
			if (*((struct config_string *) setting)->variable != NULL)
				string = *((struct config_string *) setting)->variable;
			break;
		case PGC_ENUM:
			string = config_enum_lookup_by_value((struct config_enum *) setting, *((struct config_enum *) setting)->variable);
			break;
	}
	appendBinaryStringInfo(buf, string, strlen(string) + 1);
}

/*
 * The same for PostgreSQL 15, which has no list of the settings that differ from what is
 * built in: SerializeGUCState looks at all of them several times, and writes what initdb's
 * configuration file says.
 */
void
corm_serialize_settings(StringInfo buf)
{
	struct config_generic **settings = get_guc_variables();
	int			n = GetNumConfigOptions();

	for (int i = 0; i < n; i++)
	{
		struct config_generic *setting = settings[i];

		if (setting->source < PGC_S_GLOBAL || setting->context == PGC_POSTMASTER || setting->context == PGC_INTERNAL)
			continue;
		appendBinaryStringInfo(buf, setting->name, strlen(setting->name) + 1);
		append_value(buf, setting);
		appendStringInfoChar(buf, '\0');
		appendBinaryStringInfo(buf, (char *) &setting->source, sizeof(setting->source));
		appendBinaryStringInfo(buf, (char *) &setting->scontext, sizeof(setting->scontext));
		appendBinaryStringInfo(buf, (char *) &setting->srole, sizeof(setting->srole));
	}
}
#endif
