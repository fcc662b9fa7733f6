/*-------------------------------------------------------------------------
 *
 * overrides.h
 *		The options of corm.register: stored, and applied to a draft.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_OVERRIDES_H
#define CORM_MODEL_OVERRIDES_H

#include "base/compat.h"
#include "model/model.h"
#include "model/tags.h"
#include "utils/jsonb.h"

/* What corm.register has stored for a model. */
typedef struct CormOverrides
{
	Oid			table;			/* the table it maps to, or InvalidOid */
	Jsonb	   *json;			/* the other options */
} CormOverrides;

/*
 * A model that is being made: what the row type, its tags and its options
 * say, before it meets the table.  All in the current memory context.
 */
typedef struct CormDraft
{
	CormModel  *model;			/* fields: all live attributes, ignored ones
								 * too */
	bool	   *ignored;		/* for each field: the model is to leave it
								 * out */
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

extern bool corm_overrides_load(Oid relid, CormOverrides *overrides);
extern bool corm_overrides_hide(Oid relid, const char *column);
extern void corm_overrides_store(Oid relid, const CormOverrides *overrides);
extern bool corm_overrides_delete(Oid relid);
extern void corm_overrides_apply(CormDraft *draft, Jsonb *json);
extern void corm_overrides_error(const char *model_name, const char *option, const char *detail,
								 const char *hint) pg_attribute_noreturn();

#endif							/* CORM_MODEL_OVERRIDES_H */
