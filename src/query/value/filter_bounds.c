/*-------------------------------------------------------------------------
 *
 * filter_bounds.c
 *		How large a filter from outside may be.
 *
 * Settings limit depth, the number of conditions and relations, the length of
 * lists and the row limit; we check them before building anything.  Relations
 * have their own limit because each adds a table for the planner.
 *
 * One limit applies to the total length of all lists.  Moreover, an index scan
 * could try every combination of elements of several ANDed lists, without
 * checking for interrupts.  So the number of combinations is limited, too.  A
 * list that would exceed it is written as UNINDEXED, and only filters the rows
 * that the other lists find.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/guc.h"
#include "miscadmin.h"
#include "query/value/filter_parts.h"

/* corm_filter_enter enters a level of the document.  Raises OR021. */
void
corm_filter_enter(FilterContext *ctx)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (++ctx->depth > corm_filter_max_depth)
		corm_filter_over_limit("The nesting", "corm.filter_max_depth", corm_filter_max_depth);
}

/* corm_filter_leave leaves it. */
void
corm_filter_leave(FilterContext *ctx)
{
	ctx->depth--;
}

/* corm_filter_count_node counts a condition.  Raises OR021. */
void
corm_filter_count_node(FilterContext *ctx)
{
	if (++ctx->nodes > corm_filter_max_nodes)
		corm_filter_over_limit("The number of conditions", "corm.filter_max_nodes", corm_filter_max_nodes);
}

/*
 * corm_filter_count_relations counts the relations of a path: all steps, or all
 * but the last if that is a field.  Raises OR021.
 */
void
corm_filter_count_relations(FilterContext *ctx, const char *path, bool is_field)
{
	int			n = is_field ? 0 : 1;

	for (const char *p = path; *p; p++)
		n += *p == '.';
	ctx->relations += n;
	if (ctx->relations > corm_filter_max_relations)
		corm_filter_over_limit("The number of relations", "corm.filter_max_relations", corm_filter_max_relations);
}

/* corm_filter_check_name raises OR020 for a name that is too long for a query. */
void
corm_filter_check_name(const char *name)
{
	if (strlen(name) > PG_UINT16_MAX)
		corm_bad_filter("A name is too long.");
}

/* corm_filter_count_elements counts the elements of a list.  Raises OR021. */
void
corm_filter_count_elements(FilterContext *ctx, JsonbValue *list)
{
	ctx->elements += JsonContainerSize(list->val.binary.data);
	if (ctx->elements > corm_filter_max_list)
		corm_filter_over_limit("The length of all lists together", "corm.filter_max_list", corm_filter_max_list);
}

/* corm_filter_go_deeper enters so many levels, as max_depth counts them; the caller restores level. */
void
corm_filter_go_deeper(FilterContext *ctx, int levels)
{
	ctx->level += levels;
	if (ctx->max_level >= 0 && ctx->level > ctx->max_level)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_FILTER_LIMIT),
				 errmsg("filter is too large"),
				 errdetail("The nesting exceeds max_depth.")));
}

/*
 * corm_filter_may_be_indexed returns whether a list can be left to index lookups without exceeding the
 * limit on combinations with the lists before it, and if so counts it.  Under
 * negation, not_in acts as in.
 */
bool
corm_filter_may_be_indexed(FilterContext *ctx, CormNodeTag tag, JsonbValue *list)
{
	int			n = JsonContainerSize(list->val.binary.data);

	if (n < 2 || (tag != CORM_N_IN && !(tag == CORM_N_NOT_IN && ctx->negated)))
		return true;
	if (ctx->combinations > 1 && ctx->combinations * n > corm_filter_max_list)
		return false;
	ctx->combinations *= n;
	return true;
}

/*
 * corm_filter_count_keys returns the number of keys of all objects in a document.
 */
int64
corm_filter_count_keys(JsonbContainer *container)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken tok;
	JsonbValue	v;
	int64		n = 0;

	while ((tok = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		n += tok == WJB_KEY;
	}
	return n;
}

/*
 * corm_filter_count_keys_in_text does the same for JSON text, which need not be valid.  Raises OR021 for nesting
 * or lists that no filter can have, before the parser spends time and stack on
 * them.
 */
int64
corm_filter_count_keys_in_text(const char *str, int len)
{
	/* a condition takes two levels of JSON; the value of contains may be deep */
	int			max_depth = 2 * corm_filter_max_depth + 1000;
	int			max_list = Max(corm_filter_max_list, corm_filter_max_nodes);
	int		   *lengths = palloc(sizeof(int) * (max_depth + 1));	/* of open arrays; -1
																	 * for an object */
	int			depth = 0;
	int64		n = 0;
	bool		in_string = false;

	lengths[0] = -1;
	for (int i = 0; i < len; i++)
	{
		char		c = str[i];

		if (in_string)
		{
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		}
		else if (c == '"')
			in_string = true;
		else if (c == ':')
			n++;
		else if (c == '{' || c == '[')
		{
			if (++depth > max_depth)
				corm_filter_over_limit("The nesting", "corm.filter_max_depth", corm_filter_max_depth);
			lengths[depth] = c == '[' ? 1 : -1;
		}
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		else if (c == ',' && lengths[depth] >= 0 && ++lengths[depth] > max_list)
			corm_filter_over_limit("The length of a list", "corm.filter_max_list", corm_filter_max_list);
	}
	pfree(lengths);
	return n;
}
