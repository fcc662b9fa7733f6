/*-------------------------------------------------------------------------
 *
 * tags.h
 *		Tags: the part of a COMMENT that is meant for corm.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_TAGS_H
#define CORM_MODEL_TAGS_H

#include "postgres.h"

#include "base/compat.h"
#include "catalog/objectaddress.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* One key of a tag: "@orm:name=author,read_only" has two. */
typedef struct CormTag
{
	char	   *key;
	char	   *value;			/* NULL when the key stands alone */
} CormTag;

/* What a tag stands on. */
typedef enum CormTagTarget
{
	CORM_TAG_RELATION = 1,		/* a table, view or composite type */
	CORM_TAG_COLUMN = 2,		/* also an attribute of a composite type */
	CORM_TAG_CONSTRAINT = 4		/* a foreign key */
} CormTagTarget;

extern List *corm_tags_read(const char *comment, const ObjectAddress *address,
							CormTagTarget target);
extern List *corm_tags_read_quietly(const char *comment, CormTagTarget target);
extern char *corm_tags_description(const char *comment);
extern CormTag *corm_tags_find(List *tags, const char *key);
extern bool corm_tags_get(List *tags, const char *key, char **value);
extern int	corm_tags_flag(List *tags, const char *key);
extern JsonbValue *corm_tags_push(JsonbParseState **state, List *tags);
extern void corm_tags_error(const char *object, const CormTag *tag, const char *detail)
			pg_attribute_noreturn();

#endif							/* CORM_MODEL_TAGS_H */
