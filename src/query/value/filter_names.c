/*-------------------------------------------------------------------------
 *
 * filter_names.c
 *		The names in a filter from outside: fields and paths of relations.
 *
 * We cannot tell which names are fields until the query is resolved against
 * its model.  So names become FILTER_COLUMN nodes.  They work like COLUMN, but
 * resolving rejects a field tagged filterable=false, and a value of another
 * kind than the field.
 *
 * The second argument of corm.filter says what the document may name
 * (filter_allow.c).  What it does not allow raises 42501 here.  FILTER_OWN is a
 * FILTER_COLUMN that means fields of the model only, not of what the query
 * joins.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "query/value/filter_parts.h"

static void not_allowed(const char *what, const char *name) pg_attribute_noreturn();

/* Raises 42501 for a name that the fence does not have. */
static void
not_allowed(const char *what, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s \"%s\" cannot be used in a filter", what, name)));
}

/* corm_filter_set_allow sets the fence, which is that of the model that the names which follow are about. */
void
corm_filter_set_allow(FilterContext *ctx, CormFilterAllow *allow)
{
	ctx->allow = allow;
	if (allow && allow->max_depth >= 0 &&
		(ctx->max_level < 0 || ctx->max_level - ctx->level > allow->max_depth))
		ctx->max_level = ctx->level + allow->max_depth;
}

/*
 * corm_filter_allowed_path goes along the fences of a path of relations.  Returns the path in their
 * spelling; sets *target to the fence of what it leads to.  Raises 42501 for a
 * relation that is not allowed.
 */
char *
corm_filter_allowed_path(CormFilterAllow *allow, const char *path, CormFilterAllow **target)
{
	const char *dot = strchr(path, '.');
	char	   *step = dot ? pnstrdup(path, dot - path) : pstrdup(path);
	CormFilterAllow *next = NULL;
	char	   *relation;

	check_stack_depth();
	if (allow == NULL)
	{
		*target = NULL;
		return pstrdup(path);
	}
	relation = corm_allowed_relation(allow, step, &next);
	if (relation == NULL)
		not_allowed("relation", path);
	if (dot == NULL)
	{
		*target = next;
		return relation;
	}
	return psprintf("%s.%s", relation, corm_filter_allowed_path(next, dot + 1, target));
}

/*
 * Returns a field's name as the fence spells it, and sets *own if it means a
 * field of the model or of its relations only.  Raises 42501 if it is not
 * allowed.
 */
static char *
allowed_field(CormFilterAllow *allow, const char *name, bool order, bool *own)
{
	bool		listed = allow->has_fields || (order && allow->has_order_by);
	List	   *names = order && allow->has_order_by ? allow->order_by : allow->fields;
	char	   *found = listed ? corm_allowed_name(names, name) : NULL;
	const char *dot = strchr(name, '.');
	CormFilterAllow *target = NULL;
	char	   *relation;
	char	   *rest;

	*own = false;
	if (found)
		return found;
	*own = true;
	if (dot == NULL)
	{
		if (listed)
			not_allowed("field", name);
		return pstrdup(name);
	}
	if (order && allow->has_order_by)
		not_allowed("field", name);
	check_stack_depth();
	relation = corm_allowed_relation(allow, pnstrdup(name, dot - name), &target);
	if (relation == NULL)
		not_allowed("field", name);
	rest = allowed_field(target, dot + 1, order, own);
	*own = true;
	return psprintf("%s.%s", relation, rest);
}

/* corm_filter_write_name writes a field, of the order or of anything else. */
void
corm_filter_write_name(FilterContext *ctx, const char *name, bool order)
{
	bool		own = false;

	if (name[0] == '\0')
		corm_bad_filter("A field name is empty.");
	corm_filter_check_name(name);
	corm_filter_count_relations(ctx, name, true);
	if (ctx->allow)
	{
		int			level = ctx->level;

		for (const char *p = name; *p; p++)
		{
			if (*p == '.')
				corm_filter_go_deeper(ctx, 1);
		}
		ctx->level = level;
		name = allowed_field(ctx->allow, name, order, &own);
	}
	corm_write_tag(ctx->w, own ? CORM_N_FILTER_OWN : CORM_N_FILTER_COLUMN);
	corm_write_name(ctx->w, name, strlen(name));
}

/* corm_filter_write_field writes a field of anything but the order. */
void
corm_filter_write_field(FilterContext *ctx, const char *name)
{
	corm_filter_write_name(ctx, name, false);
}
