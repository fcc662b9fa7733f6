/*-------------------------------------------------------------------------
 *
 * help.c
 *		What the documentation says of functions, for corm.help.
 *
 * The entries are made of the pages of the reference when the library is
 * built (script/help.awk), so that there is one text to maintain.  corm.help
 * itself, which searches them, is a function in SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* name, signature, section, summary, example, tasks, words to search in */
#define NUM_HELP_COLUMNS	7

static const char *const help_entries[][NUM_HELP_COLUMNS] = {
#include "tools/help_entries.inc"
};

PG_FUNCTION_INFO_V1(corm_list_help);
Datum		corm_list_help(PG_FUNCTION_ARGS);

/*
 * corm_list_help is corm.list_help(): all entries.
 */
Datum
corm_list_help(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < lengthof(help_entries); i++)
	{
		Datum		values[NUM_HELP_COLUMNS];
		bool		nulls[NUM_HELP_COLUMNS];

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < NUM_HELP_COLUMNS; j++)
		{
			nulls[j] = help_entries[i][j][0] == '\0';
			values[j] = CStringGetTextDatum(help_entries[i][j]);
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
