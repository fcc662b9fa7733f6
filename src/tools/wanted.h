/*-------------------------------------------------------------------------
 *
 * wanted.h
 *		The tables that composite types and their tags describe.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOOLS_WANTED_H
#define CORM_TOOLS_WANTED_H

#include "model/tags.h"
#include "nodes/parsenodes.h"

typedef struct CormWantedColumn
{
	char	   *name;
	char	   *was;			/* the name it had before, or NULL */
	Oid			typid;
	int32		typmod;
	Oid			collation;
	bool		primary_key;
	int			not_null;		/* tag: 1, 0, or -1 if there is none */
	char	   *default_text;	/* tags: SQL expressions, or NULL */
	char	   *generated;
	char	   *check;
	char		identity;		/* tag: ATTRIBUTE_IDENTITY_..., '\0' */
	bool		no_identity;	/* tag: identity=false */
	Constraint *reference;		/* tag: a foreign key of SQL's grammar, or NULL */

	/* What the column gets when it is made, unless tags say otherwise. */
	bool		implied_not_null;
	const char *implied_default;	/* NULL if none */
	bool		implied_fills;	/* rows that are there get that default, too */
	bool		implied_identity;

	char	   *description;	/* the comment without tags, or NULL */
	List	   *tags;			/* of CormTag: what the table's column is to be
								 * tagged with */
	char	   *object;			/* the attribute, for messages */
} CormWantedColumn;

/* A unique key or an index. */
typedef struct CormWantedKey
{
	char	   *name;			/* NULL: PostgreSQL chooses */
	bool		unique;
	List	   *columns;		/* names */
	bool		live_only;		/* rows that are deleted softly do not count */
} CormWantedKey;

typedef struct CormWantedTable
{
	char	   *schema;
	char	   *name;
	char	   *sql_name;		/* both, quoted */
	Oid			relid;			/* InvalidOid if there is no such table */
	Oid			path;			/* schema of the type, for names in expressions */
	char	   *description;
	List	   *columns;		/* of CormWantedColumn */
	List	   *primary_key;	/* names of columns */
	List	   *keys;			/* of CormWantedKey */
	CormWantedColumn *soft_delete;	/* or NULL */
} CormWantedTable;

extern List *corm_wanted_tables(int nmodels, const Oid *models);
extern CormWantedColumn *corm_wanted_column(CormWantedTable *table, const char *name);

#endif							/* CORM_TOOLS_WANTED_H */
