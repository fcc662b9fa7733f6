/*-------------------------------------------------------------------------
 *
 * model.h
 *		Models: what corm knows of a row type and the table behind it.
 *
 * This is what the other folders need: what a model is, how to get one, and
 * questions to it.  Every other header here is about one subject and stands
 * beside its file.
 *
 * A model is parsed from the system catalogs at first use and kept in the
 * session's registry until an invalidation message says that it may have
 * changed.  A CormModel pointer stays good as memory until the end of the
 * transaction in which it was obtained, even if the model is outdated by then;
 * nobody frees one.  Within that time one pointer, and one generation, stands
 * for one state of the model: if a new parse finds what an outdated model
 * says, that model comes back.  So a model that is not valid has changed if
 * and only if corm_model_get_any() returns another one: corm_model_change()
 * says what is different.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_H
#define CORM_MODEL_H

#include "postgres.h"

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "base/compat.h"
#include "lib/ilist.h"
#include "nodes/pg_list.h"

/* How keys are spelled in JSON. */
typedef enum CormNaming
{
	CORM_NAMING_SNAKE,			/* the field's name as it is */
	CORM_NAMING_CAMEL,			/* userName */
	CORM_NAMING_PASCAL			/* UserName */
} CormNaming;

typedef struct CormField
{
	char	   *name;			/* what users call it */
	char	   *json_key;		/* its key in JSON, by the naming strategy */
	char	   *column;			/* the table's column */
	AttrNumber	rownum;			/* attribute of the model's row type; 0 if
								 * none */
	AttrNumber	attnum;			/* column of the table */
	Oid			typid;			/* the column's type */
	int32		typmod;
	Oid			collation;
	bool		not_null;
	bool		has_default;	/* a default expression of the column or its
								 * domain */
	char		identity;		/* 'a' always, 'd' by default, '\0' none */
	bool		generated;		/* GENERATED ALWAYS AS (...) */
	bool		read_only;		/* by tag or option; generated is separate */
	bool		primary_key;
	bool		filterable;
	bool		hidden;			/* only a builder that names it gets it */
	List	   *tags;			/* of CormTag: see tags.h */
} CormField;

typedef struct CormModel
{
	Oid			relid;			/* pg_class OID of the model: table, view or
								 * composite type */
	Oid			typid;			/* its row type */
	Oid			table;			/* pg_class OID of the table; equals relid
								 * unless the row type is mapped to another
								 * table */
	char		relkind;		/* of the table */
	char	   *name;			/* the model's name in messages and statistics */
	char	   *table_schema;
	char	   *table_name;
	uint64		generation;		/* unique in the session: another state,
								 * another number */
	bool		valid;			/* false once invalidated; new lookups parse
								 * again */
	dlist_node	outdated;		/* in a list of the registry when not valid */
	bool		named;			/* when not valid: the message named what changed */
	bool		registered;		/* corm.register holds options for it */
	CormNaming	naming;

	TupleDesc	tupdesc;		/* of the row type, dropped columns included */

	/*
	 * Live columns only, in the order of the row type.  When a mapped type
	 * lacks a column that the table's key, soft delete, version or time
	 * stamps need, nunnamed more fields with rownum 0 follow, which only the
	 * indexes below refer to: names never find them.
	 */
	int			nfields;
	int			nunnamed;
	CormField  *fields;
	int			npk;			/* 0: no primary key */
	int		   *pk;				/* indexes into fields, in key order */

	/* indexes into fields, or -1 */
	int			soft_delete;
	int			version;
	int			created_at;
	int			updated_at;

	/* what invalidates the model besides its relations: see registry.c */
	uint32		schema_hash;	/* of the table's schema in the syscache */
	int			ntypes;
	uint32	   *type_hashes;	/* of domains that are types of fields */

	struct CormHooks *hooks;	/* for corm_model_hooks() only; NULL until
								 * used */
	struct CormRelations *relations;	/* for corm_model_relations(); NULL
										 * until used */

	MemoryContext context;		/* holds everything above ... */
	MemoryContext tupdesc_context;	/* ... or tupdesc is here, in a child of
									 * it */
} CormModel;

/* The fields of a model with a meaning of their own. */
typedef enum CormRole
{
	CORM_ROLE_SOFT_DELETE,
	CORM_ROLE_VERSION,
	CORM_ROLE_CREATED_AT,
	CORM_ROLE_UPDATED_AT
} CormRole;

#define CORM_NUM_ROLES	4

/* registry.c: how to get a model */
extern CormModel *corm_model_get(Oid relid);
extern CormModel *corm_model_get_for_type(Oid typid);

/* Also a composite type without a table, which has table = InvalidOid. */
extern CormModel *corm_model_get_any(Oid relid);

/* Whether a model is what it was: NULL, or what is different, as a sentence. */
extern char *corm_model_change(CormModel *model);

/* model.c: questions to a model */
extern bool corm_model_has_field(CormModel *model, const char *name);
extern CormField *corm_model_find_field(CormModel *model, const char *name);
extern CormField *corm_model_field(CormModel *model, const char *name);
extern void corm_unknown_field(CormModel *model, const char *name) pg_attribute_noreturn();
extern bool corm_model_shows(CormModel *model, const char *column);
extern CormField *corm_model_field_by_rownum(CormModel *model, AttrNumber rownum);
extern void corm_model_require_table(CormModel *model);
extern void corm_model_require_pk(CormModel *model);

extern const char *const corm_role_names[CORM_NUM_ROLES];
extern const char *corm_role_expects(CormRole role, Oid type);

/* model.c, for the folder */
extern int *corm_model_role(CormModel *model, CormRole role);
extern CormModel *corm_model_copy(const CormModel *model, MemoryContext parent);

/* init.c */
extern void corm_model_init(void);

#endif							/* CORM_MODEL_H */
