/*-------------------------------------------------------------------------
 *
 * model.h
 *		Models: what corm knows of a row type and the table behind it.
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
#include "catalog/objectaddress.h"
#include "lib/ilist.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/relcache.h"

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

/* Functions that see the rows written and read: hooks.c. */
typedef enum CormHook
{
	CORM_HOOK_BEFORE_SAVE,
	CORM_HOOK_BEFORE_CREATE,
	CORM_HOOK_BEFORE_UPDATE,
	CORM_HOOK_BEFORE_DELETE,
	CORM_HOOK_AFTER_CREATE,
	CORM_HOOK_AFTER_UPDATE,
	CORM_HOOK_AFTER_DELETE,
	CORM_HOOK_AFTER_SAVE,
	CORM_HOOK_AFTER_FIND
} CormHook;

#define CORM_NUM_HOOKS	(CORM_HOOK_AFTER_FIND + 1)
#define CORM_HOOK_BIT(hook)	(1 << (hook))

typedef struct CormHooks
{
	uint64		changes;		/* of functions, seen when these were looked up */
	uint32		present;		/* bits */
	uint32		returns_void;	/* bits */
	Oid			functions[CORM_NUM_HOOKS];
} CormHooks;

typedef struct CormModel
{
	Oid			relid;			/* pg_class OID of the model: table, view or composite type */
	Oid			typid;			/* its row type */
	Oid			table;			/* pg_class OID of the table; equals relid unless the
								 * row type is mapped to another table */
	char		relkind;		/* of the table */
	char	   *name;			/* the model's name in messages and statistics */
	char	   *table_schema;
	char	   *table_name;
	uint64		generation;		/* unique in the session: another state, another number */
	bool		valid;			/* false once invalidated; new lookups parse again */
	dlist_node	outdated;		/* in a list of the registry when not valid */
	bool		registered;		/* corm.register holds options for it */
	CormNaming	naming;

	TupleDesc	tupdesc;		/* of the row type, dropped columns included */

	/*
	 * Live columns only, in the order of the row type.  When a mapped type
	 * lacks a column that the table's key, soft delete, version or time
	 * stamps need, nhidden more fields with rownum 0 follow, which only the
	 * indexes below refer to: names never find them.
	 */
	int			nfields;
	int			nhidden;
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

	CormHooks	hooks;			/* for corm_model_hooks() only */
	struct CormRelations *relations;	/* see relations.c; NULL until used */

	MemoryContext context;		/* holds everything above ... */
	MemoryContext tupdesc_context;	/* ... or tupdesc is here, in a child of it */
} CormModel;

/*
 * Relations lead from a model to another.  Columns are those of the tables:
 *
 *	belongs_to, has_one, has_many	columns[i] = target.target_columns[i]
 *	many_to_many	columns[i] = through.through_columns[i], and
 *					through.through_target_columns[j] = target.target_columns[j]
 */
typedef enum CormRelationKind
{
	CORM_BELONGS_TO,
	CORM_HAS_ONE,
	CORM_HAS_MANY,
	CORM_MANY_TO_MANY
} CormRelationKind;

typedef struct CormRelation
{
	char	   *name;
	CormRelationKind kind;
	Oid			target;			/* the model it leads to */
	int			nkeys;
	char	  **columns;
	int			ntarget_keys;	/* equals nkeys unless many_to_many */
	char	  **target_columns;
	Oid			through;		/* many_to_many: the table in between */
	char	  **through_columns;
	char	  **through_target_columns;
	struct varlena *condition;	/* a corm.expr over target and model, or NULL */

	char	   *json_key;		/* its key in JSON, by the model's naming strategy */
	bool		required;		/* belongs_to: there always is one */
	bool		declared;		/* by corm.relate ... */
	Oid			declared_for;	/* ... of this model: a mapped type has its table's */
	bool		ambiguous;		/* two claim the name, or a field does: OR007 if used */
	Oid			constraint;		/* the foreign key, InvalidOid if declared */
	char	   *source;			/* what it comes from, for messages */
} CormRelation;

/*
 * relations.c: the relations of a model (of CormRelation), found at first
 * use and kept with the model.  corm_model_find_relation returns NULL for an
 * unknown name; corm_model_relation raises 42703 with the nearest name, or
 * OR007 for a name that two relations claim.  Both raise what is wrong with a
 * declared relation whose columns are gone.  corm_model_relations is for
 * showing them all: what is going to be used comes from the other two.
 */
extern List *corm_model_relations(CormModel *model);
extern CormRelation *corm_model_find_relation(CormModel *model, const char *name);
extern CormRelation *corm_model_relation(CormModel *model, const char *name);
extern void corm_unknown_relation(CormModel *model, const char *name) pg_attribute_noreturn();
extern const char *corm_relation_kind_name(CormRelationKind kind);

/* registry.c */
extern void corm_registry_init(void);
extern CormModel *corm_model_get(Oid relid);
extern CormModel *corm_model_get_for_type(Oid typid);

/* Also a composite type without a table, which has table = InvalidOid. */
extern CormModel *corm_model_get_any(Oid relid);

/* Whether a model is what it was: NULL, or what is different, as a sentence. */
extern char *corm_model_change(CormModel *model);

/* An outdated model of this transaction, or NULL. */
extern CormModel *corm_model_outdated(Oid relid, uint64 generation);

/* What is in the registry already, or NULL. */
extern CormModel *corm_model_cached(Oid relid);

/*
 * The registry tells interested upper layers (the plan cache) of every
 * invalidation: relid is InvalidOid when everything is invalid.  The callback
 * runs inside PostgreSQL's invalidation processing: it may only mark things.
 */
typedef void (*CormInvalidationCallback) (Oid relid);
extern void corm_registry_on_invalidation(CormInvalidationCallback callback);

/*
 * Relations of the schema corm whose rows are about models.  A relcache
 * message about one of them drops every model; whoever writes to one calls
 * CacheInvalidateRelcacheByRelid for it, or for the model that a row is about.
 * When a relation is dropped, rows that refer to it by a column of type
 * corm.relation_ref are deleted; those who store a row tell
 * corm_registry_stored which relations it refers to.  The name must be a constant; corm_registry_catalog returns them
 * one after the other, and NULL after the last.
 */
extern void corm_registry_watch_catalog(const char *relname);
extern const char *corm_registry_catalog(int i);

/* refs.c: what the types of references hold for a name that does not exist, an OID of nothing */
#define CORM_MISSING_REF	((Oid) 1)

/* triggers.c */
extern void corm_triggers_init(void);
extern void corm_registry_stored(Oid relid);

/* rowtypes.c */
extern void corm_rowtypes_init(void);
extern void corm_watch_row_type(Oid relid, int natts);

/* hooks.c */
extern void corm_hooks_init(void);
extern const CormHooks *corm_model_hooks(CormModel *model);
extern Oid	corm_model_hook(CormModel *model, CormHook hook);
extern const char *corm_hook_name(CormHook hook);
extern uint64 corm_hooks_changes(void);
extern uint32 corm_hooks_fingerprint(const Oid *relids, int nrelids);

/* model.c: questions to a model */
extern CormField *corm_model_find_field(CormModel *model, const char *name);
extern CormField *corm_model_field(CormModel *model, const char *name);
extern void corm_unknown_field(CormModel *model, const char *name) pg_attribute_noreturn();
extern CormField *corm_model_field_by_rownum(CormModel *model, AttrNumber rownum);
extern void corm_model_require_table(CormModel *model);
extern void corm_model_require_pk(CormModel *model);
extern Datum corm_names_datum(char **names, int n);
extern CormModel *corm_model_copy(const CormModel *model, MemoryContext parent);

/* difference.c */
extern char *corm_model_difference(const CormModel *before, const CormModel *now);
extern char *corm_row_type_difference(const char *name, TupleDesc before, TupleDesc now);

/* The search for the name that a misspelt one may have meant. */
typedef struct CormNearest
{
	const char *wanted;
	int			wanted_len;
	int			max_distance;	/* what is farther away is no answer */
	const char *name;			/* the nearest so far, or NULL */
} CormNearest;

extern void corm_nearest_init(CormNearest *nearest, const char *name);
extern void corm_nearest_offer(CormNearest *nearest, const char *candidate);

/* naming.c */
extern char *corm_underscore_name(const char *name);
extern char *corm_camelize_name(const char *name, bool upper_first);
extern char *corm_json_name(CormModel *model, const char *name);

/* tags.c */
typedef enum CormTagTarget
{
	CORM_TAG_RELATION = 1,		/* a table, view or composite type */
	CORM_TAG_COLUMN = 2,		/* also an attribute of a composite type */
	CORM_TAG_CONSTRAINT = 4		/* a foreign key */
} CormTagTarget;

extern List *corm_tags_parse(const char *comment, const char *object);
extern List *corm_tags_read(const char *comment, const ObjectAddress *address,
							CormTagTarget target);
extern List *corm_tags_read_quietly(const char *comment, CormTagTarget target);
extern CormTag *corm_tags_find(List *tags, const char *key);
extern bool corm_tags_get(List *tags, const char *key, char **value);
extern int	corm_tags_flag(List *tags, const char *key);

extern void corm_tags_error(const char *object, const CormTag *tag, const char *detail)
			pg_attribute_noreturn();

/* The columns of a model with a meaning of their own. */
typedef enum CormRole
{
	CORM_ROLE_SOFT_DELETE,
	CORM_ROLE_VERSION,
	CORM_ROLE_CREATED_AT,
	CORM_ROLE_UPDATED_AT
} CormRole;

#define CORM_NUM_ROLES	4

/* options.c: what corm.register has stored for a model */
typedef struct CormOptions
{
	Oid			table;			/* the table it maps to, or InvalidOid */
	Jsonb	   *json;			/* the other options */
} CormOptions;

extern bool corm_options_load(Oid relid, CormOptions *options);
extern Relation corm_lock_owned_model(Oid relid, const char *function);

/*
 * A model that is being made: what the row type, its tags and its options
 * say, before it meets the table.  All in the current memory context.
 */
typedef struct CormDraft
{
	CormModel  *model;			/* fields: all live attributes, ignored ones too */
	bool	   *ignored;		/* for each field: it is none of the model */
	bool		by_options;		/* errors are those of the options */
	struct
	{
		bool		declared;
		int			field;		/* index, or -1: declared not to exist */
		bool		by_options;
		CormTag    *tag;		/* NULL if by_options */
	}			roles[CORM_NUM_ROLES];
	List	   *pk;				/* indexes of fields; NIL if not declared */
} CormDraft;

/* draft.c: a model in the making */
extern void corm_draft_field(CormDraft *draft, Relation rel, AttrNumber attnum, const char *comment);
extern void corm_draft_drop_ignored(CormDraft *draft);
extern void corm_draft_check_roles(CormDraft *draft);
extern void corm_draft_name_json_keys(CormModel *model);
extern void corm_draft_check_names(CormDraft *draft);
extern char *corm_column_description(Oid relid, AttrNumber attnum);

/* overrides.c: options applied to a model */
extern const char *const corm_role_names[CORM_NUM_ROLES];
extern int *corm_model_role(CormModel *model, CormRole role);
extern void corm_overrides_apply(CormDraft *draft, Jsonb *json);
extern void corm_overrides_error(CormDraft *draft, const char *option, const char *detail,
								 const char *hint) pg_attribute_noreturn();

/* foreignkeys.c */
typedef struct CormForeignKey
{
	Oid			oid;
	char	   *name;
	Oid			relid;			/* the table that has it */
	Oid			target;			/* the table that it refers to */
	char	   *schema_name;
	char	   *table_name;
	char	   *target_name;
	int			nkeys;
	AttrNumber	keys[INDEX_MAX_KEYS];
	AttrNumber	target_keys[INDEX_MAX_KEYS];
	bool		required;		/* every row of the table has its target */
	bool		unique;			/* no two rows have the same; corm_foreign_keys_to only */
	List	   *tags;
	char	   *first_name[2];	/* relations.c: what it is called without and with tags, once asked for */
} CormForeignKey;

extern List *corm_foreign_keys_of(Oid relid, bool is_own);
extern List *corm_foreign_keys_to(Oid relid);
extern bool corm_columns_are_unique(Oid relid, int ncolumns, const AttrNumber *columns);
extern List *corm_primary_key_columns(Oid relid);
extern List *corm_unique_keys(Oid relid, AttrNumber soft_delete);

/* relations.c, for the layer */
typedef struct CormRelations
{
	List	   *list;			/* of CormRelation */
	uint64		epoch;			/* of the registry when it was made */
	int			ndepends;
	Oid		   *depends;		/* relations that it was made of */
	MemoryContext context;
} CormRelations;

extern CormRelations *corm_relations_build(CormModel *model, MemoryContext keep);

/* relate.c: relations that are declared */
extern List *corm_relate_load(Oid relid);
extern void corm_relate_check(CormModel *model, CormRelation *relation);
extern CormRelation *corm_relate_declare(FunctionCallInfo fcinfo);

/* registry.c, for the layer */
extern void corm_registry_load_relations(CormModel *model);

/*
 * describe.c: upper layers add what they know of a model to corm.describe.
 * The callback pushes one value, an array.  The key must be a constant.
 */
typedef void (*CormDescribeCallback) (CormModel *model, JsonbParseState **state);
extern void corm_describe_section(const char *key, CormDescribeCallback callback);

extern JsonbValue *corm_push_tags(JsonbParseState **state, List *tags);
extern const char *corm_identity_name(char identity);
extern void corm_json_key(JsonbParseState **state, const char *key);
extern void corm_json_string(JsonbParseState **state, JsonbIteratorToken token, const char *string);
extern void corm_json_bool(JsonbParseState **state, JsonbIteratorToken token, bool value);

/* list.c */
typedef struct CormStoredProblem
{
	Oid			model;
	char	   *problem;
} CormStoredProblem;

extern List *(*corm_stored_problems_hook) (void);
extern void corm_list_init(void);
extern bool corm_model_may_use(Oid relid);

/* reassign.c: functions that look like hooks */
extern void corm_reassign_init(void);

/*
 * problems.c: what cannot be used of what was registered.  Other files and
 * upper layers register reporters.
 */
typedef struct CormProblems CormProblems;
typedef void (*CormProblemReporter) (CormProblems *problems);

extern void corm_problems_register(CormProblemReporter reporter);
extern void corm_problem_add(CormProblems *problems, Oid model, const char *kind, const char *object,
							 const char *problem, const char *hint);

/* cast.c: one value to another type */
typedef struct CormCast CormCast;

extern CormCast *corm_cast_create(Oid source, Oid target, int32 typmod, bool is_explicit);
extern CormCast *corm_cast_create_text(Oid target, int32 typmod);
extern Datum corm_cast_apply(CormCast *cast, Datum value, bool *isnull);

/* catalog.c: a model from the catalogs */
extern CormModel *corm_catalog_parse(Oid relid, const CormOptions *options);
extern List *corm_add_ancestors(List *ancestors, Oid relid);

#endif							/* CORM_MODEL_H */
