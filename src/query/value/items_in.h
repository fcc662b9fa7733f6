/*-------------------------------------------------------------------------
 *
 * items_in.h
 *		JSON text as a tree of items.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_VALUE_ITEMS_IN_H
#define CORM_VALUE_ITEMS_IN_H

#include "postgres.h"

#include "utils/jsonb.h"

typedef enum JsonItemType
{
	ITEM_NULL,
	ITEM_BOOL,
	ITEM_NUMBER,				/* str is its text, as jsonb would print it if
								 * is_integer */
	ITEM_STRING,
	ITEM_ARRAY,
	ITEM_OBJECT
} JsonItemType;

typedef struct JsonItem
{
	JsonItemType type;
	bool		boolean;
	bool		is_integer;		/* a number of at most 18 digits */
	int			len;			/* of str */
	const char *str;			/* not terminated */
	int			n;				/* elements, or keys */
	struct JsonItem *items;		/* elements; of an object key, value, key,
								 * value, ... */
} JsonItem;

extern bool corm_items_read(const char *str, JsonItem *item);
extern void corm_items_of_jsonb(Jsonb *json, JsonItem *item);

#endif							/* CORM_VALUE_ITEMS_IN_H */
