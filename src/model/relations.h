/*-------------------------------------------------------------------------
 *
 * relations.h
 *		Relations: how they lead from a model to another.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_RELATIONS_H
#define CORM_MODEL_RELATIONS_H

#include "model/model.h"

/*
 * Columns are those of the tables:
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

	char	   *json_key;		/* its key in JSON, by the model's naming
								 * strategy */
	bool		required;		/* belongs_to: there always is one */
	bool		declared;		/* by corm.relate ... */
	Oid			declared_for;	/* ... of this model: a mapped type has its
								 * table's */
	bool		unfilterable;	/* a tag keeps it out of filters from outside */
	bool		ambiguous;		/* two claim the name, or a field does: OR007
								 * if used */
	Oid			constraint;		/* the foreign key, InvalidOid if declared */
	char	   *source;			/* what it comes from, for messages */
} CormRelation;

/* All of them, to show them: what is going to be used comes from the other two. */
extern List *corm_model_relations(CormModel *model);

/* NULL, or an error, for an unknown name; both raise what keeps the relation from being used. */
extern CormRelation *corm_model_find_relation(CormModel *model, const char *name);
extern CormRelation *corm_model_relation(CormModel *model, const char *name);

/* For a filter from outside: NULL, or an error, if it is over a hidden field; an error if it is kept out. */
extern CormRelation *corm_filter_find_relation(CormModel *model, const char *name);
extern CormRelation *corm_filter_relation(CormModel *model, const char *name);
extern void corm_filter_check_relation(CormModel *model, CormRelation *relation);

#endif							/* CORM_MODEL_RELATIONS_H */
