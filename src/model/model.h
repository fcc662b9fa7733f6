/*-------------------------------------------------------------------------
 *
 * model.h
 *		Models: what corm knows of a row type and the table behind it.
 *
 * A model is parsed from the system catalogs at first use and kept in the
 * session's registry until an invalidation message says that it may have
 * changed.  A CormModel pointer stays valid until the end of the transaction
 * in which it was obtained, even if the model is invalidated meanwhile;
 * nobody frees one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_H
#define CORM_MODEL_H

#include "postgres.h"

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "base/base.h"
#include "nodes/pg_list.h"

/* How keys are spelled in JSON. */
typedef enum CormNaming
{
	CORM_NAMING_SNAKE,			/* the field's name as it is */
	CORM_NAMING_CAMEL,			/* userName */
	CORM_NAMING_PASCAL			/* UserName */
} CormNaming;

/* One key of a tag: "@orm:name=author,read_only" has two. */
typedef struct CormTag
{
	char	   *key;
	char	   *value;			/* NULL when the key stands alone */
} CormTag;

typedef struct CormField
{
	char	   *name;			/* what users call it */
	char	   *json_key;		/* its key in JSON, by the naming strategy */
	char	   *column;			/* the table's column */
	AttrNumber	rownum;			/* attribute of the model's row type; 0 if none */
	AttrNumber	attnum;			/* column of the table */
	Oid			typid;			/* the column's type */
	int32		typmod;
	Oid			collation;
	bool		not_null;
	bool		has_default;	/* a default expression of the column or its domain */
	char		identity;		/* 'a' always, 'd' by default, '\0' none */
	bool		generated;		/* GENERATED ALWAYS AS (...) */
	bool		read_only;		/* by tag or option; generated is separate */
	bool		primary_key;
	bool		filterable;
	List	   *tags;			/* of CormTag */
} CormField;

typedef struct CormModel
{
	Oid			relid;			/* pg_class OID of the model: table, view or composite type */
	Oid			typid;			/* its row type */
	Oid			table;			/* pg_class OID of the table; equals relid unless composite */
	char		relkind;		/* of the table */
	char	   *name;			/* the model's name in messages and statistics */
	char	   *table_schema;
	char	   *table_name;
	uint64		generation;		/* unique in the session: another parse, another number */
	bool		valid;			/* false once invalidated; new lookups parse again */
	bool		registered;		/* corm.register holds options for it */
	CormNaming	naming;

	int			nfields;		/* live columns only, in the order of the row type */
	CormField  *fields;
	int			npk;			/* 0: no primary key */
	int		   *pk;				/* indexes into fields, in key order */

	/* indexes into fields, or -1 */
	int			soft_delete;
	int			version;
	int			created_at;
	int			updated_at;

	MemoryContext context;		/* holds everything above */
} CormModel;

/* registry.c */
extern void corm_registry_init(void);
extern CormModel *corm_model_get(Oid relid);
extern CormModel *corm_model_get_for_type(Oid typid);
extern CormModel *corm_model_try_for_type(Oid typid);

/*
 * The registry tells interested upper layers (the plan cache) of every
 * invalidation: relid is InvalidOid when everything is invalid.  The callback
 * runs inside PostgreSQL's invalidation processing: it may only mark things.
 */
typedef void (*CormInvalidationCallback) (Oid relid);
extern void corm_registry_on_invalidation(CormInvalidationCallback callback);

/* model.c: questions to a model */
extern CormField *corm_model_find_field(CormModel *model, const char *name);
extern CormField *corm_model_field(CormModel *model, const char *name);
extern void corm_unknown_field(CormModel *model, const char *name) pg_attribute_noreturn();
extern CormField *corm_model_field_by_rownum(CormModel *model, AttrNumber rownum);
extern void corm_model_require_pk(CormModel *model);

/* naming.c */
extern char *corm_underscore_name(const char *name);
extern char *corm_camelize_name(const char *name, bool upper_first);

/* tags.c */
extern List *corm_tags_parse(const char *comment, const char *object);
extern bool corm_tags_get(List *tags, const char *key, char **value);

#endif							/* CORM_MODEL_H */
