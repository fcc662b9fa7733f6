/*-------------------------------------------------------------------------
 *
 * filter_allow.c
 *		The second argument of corm.filter(): what the document may name.
 *
 *		{"fields": ["id", "name"], "relations": {"orders": {"fields": ["total"]}, "company": true},
 *		 "ops": ["eq", "in"], "order_by": ["name"], "default_limit": 20, "max_limit": 100,
 *		 "max_depth": 3}
 *
 * The whole of it is checked at each call, whether the document needs it or
 * not: a mistake must not wait for the first client who meets it.
 *
 * A name in the document is allowed if the list has it, or has it in another
 * spelling that underscore() makes equal.  It is the spelling of the list that
 * goes into the query, so that a name never means another field than the one
 * that was allowed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "miscadmin.h"
#include "model/naming.h"
#include "query/value/filter.h"
#include "query/value/filter_allow.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

static const char *const allow_keys[] = {
	"fields", "relations", "ops", "order_by", "default_limit", "max_limit", "max_depth"
};

static void bad_allow(const char *key, const char *detail) pg_attribute_noreturn();

/* Raises OR006 for a key of the fence. */
static void
bad_allow(const char *key, const char *detail)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_OPTION),
			 key ? errmsg("invalid value of \"%s\" in what a filter may do", key) :
			 errmsg("invalid description of what a filter may do"),
			 errdetail_internal("%s", detail)));
}

/* Returns the strings of an array.  Raises OR006 for anything else. */
static List *
strings_of(const char *key, JsonbValue *v)
{
	List	   *strings = NIL;
	JsonbValue *elements;
	int			n;

	if (!corm_json_is_array(v))
		bad_allow(key, "It must be an array of names.");
	elements = corm_json_members(v->val.binary.data, &n);
	for (int i = 0; i < n; i++)
	{
		if (elements[i].type != jbvString || elements[i].val.string.len == 0)
			bad_allow(key, "It must be an array of names.");
		strings = lappend(strings, pnstrdup(elements[i].val.string.val, elements[i].val.string.len));
	}
	return strings;
}

/* Returns a number from 0 to max.  Raises OR006 for anything else. */
static int64
number_of(const char *key, JsonbValue *v, int64 max)
{
	char	   *str;
	char	   *end;
	long long	value;

	if (v->type != jbvNumeric)
		bad_allow(key, "It must be a number.");
	str = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v->val.numeric)));
	errno = 0;
	value = strtoll(str, &end, 10);
	if (*end != '\0' || errno != 0 || value < 0 || value > max)
		bad_allow(key, psprintf("It must be a whole number from 0 to " INT64_FORMAT ".", max));
	return value;
}

/* Reads the relations, and the fences of what they lead to. */
static void
read_relations(CormFilterAllow *allow, JsonbValue *v)
{
	JsonbValue *pairs;
	int			n;

	if (!corm_json_is_object(v))
		bad_allow("relations", "It must be an object.");
	pairs = corm_json_members(v->val.binary.data, &n);
	for (int i = 0; i < n; i++)
	{
		JsonbValue *what = &pairs[2 * i + 1];
		CormFilterAllow *target;

		if (corm_json_is_object(what))
			target = corm_filter_allow(what->val.binary.data);
		else if (what->type == jbvBool && what->val.boolean)
			target = corm_filter_allow(NULL);
		else
			bad_allow("relations", "A relation must have an object, or true.");
		allow->relations = lappend(allow->relations, pnstrdup(pairs[2 * i].val.string.val, pairs[2 * i].val.string.len));
		allow->targets = lappend(allow->targets, target);
	}
}

/*
 * corm_filter_inherit gives what the relations of a fence lead to its
 * operators, unless they say their own.
 */
void
corm_filter_inherit(CormFilterAllow *allow)
{
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, allow->targets)
	{
		CormFilterAllow *target = lfirst(lc);

		if (!target->has_ops)
		{
			target->has_ops = allow->has_ops;
			target->ops = allow->ops;
		}
		corm_filter_inherit(target);
	}
}

/*
 * corm_filter_allow reads a fence, an object; NULL stands for an empty one.
 * Raises OR006 for an unknown key or a value of the wrong kind.
 */
CormFilterAllow *
corm_filter_allow(JsonbContainer *container)
{
	CormFilterAllow *allow = palloc0(sizeof(CormFilterAllow));
	JsonbValue *pairs;
	int			n;

	check_stack_depth();
	allow->default_limit = allow->max_limit = allow->max_depth = -1;
	if (container == NULL)
		return allow;
	if (!JsonContainerIsObject(container))
		bad_allow(NULL, "It must be an object.");
	pairs = corm_json_members(container, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *key = pnstrdup(pairs[2 * i].val.string.val, pairs[2 * i].val.string.len);
		JsonbValue *v = &pairs[2 * i + 1];

		if (strcmp(key, "fields") == 0)
		{
			allow->fields = strings_of(key, v);
			allow->has_fields = true;
		}
		else if (strcmp(key, "relations") == 0)
			read_relations(allow, v);
		else if (strcmp(key, "ops") == 0)
		{
			ListCell   *lc;

			allow->ops = strings_of(key, v);
			allow->has_ops = true;
			foreach(lc, allow->ops)
			{
				if (!corm_filter_has_op(lfirst(lc)))
					bad_allow(key, psprintf("There is no operator \"%s\".", (char *) lfirst(lc)));
			}
		}
		else if (strcmp(key, "order_by") == 0)
		{
			allow->order_by = strings_of(key, v);
			allow->has_order_by = true;
		}
		else if (strcmp(key, "default_limit") == 0)
			allow->default_limit = number_of(key, v, PG_INT64_MAX);
		else if (strcmp(key, "max_limit") == 0)
			allow->max_limit = number_of(key, v, PG_INT64_MAX);
		else if (strcmp(key, "max_depth") == 0)
			allow->max_depth = number_of(key, v, PG_INT32_MAX);
		else
		{
			StringInfoData keys;

			initStringInfo(&keys);
			for (int j = 0; j < lengthof(allow_keys); j++)
				appendStringInfo(&keys, "%s\"%s\"", j > 0 ? ", " : "", allow_keys[j]);
			ereport(ERROR,
					(errcode(CORM_ERRCODE_BAD_OPTION),
					 errmsg("unknown key \"%s\" in what a filter may do", key),
					 errhint("The keys are %s.", keys.data)));
		}
	}
	return allow;
}

/*
 * corm_allowed_name returns the element of names that a name of the document
 * means, or NULL if there is none.
 */
char *
corm_allowed_name(List *names, const char *name)
{
	ListCell   *lc;
	char	   *folded;

	foreach(lc, names)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return lfirst(lc);
	}
	/* no name is longer, so do not fold a megabyte of garbage */
	if (strlen(name) > 4 * NAMEDATALEN)
		return NULL;
	folded = corm_underscore_name(name);
	foreach(lc, names)
	{
		if (strcmp(corm_underscore_name(lfirst(lc)), folded) == 0)
			return lfirst(lc);
	}
	return NULL;
}

/*
 * corm_allowed_relation returns the allowed relation that a name of the
 * document means, or NULL if there is none, and the fence of what it leads to.
 */
char *
corm_allowed_relation(CormFilterAllow *allow, const char *name, CormFilterAllow **target)
{
	char	   *relation = corm_allowed_name(allow->relations, name);
	ListCell   *lc;

	foreach(lc, allow->relations)
	{
		if (lfirst(lc) == relation)
			*target = list_nth(allow->targets, foreach_current_index(lc));
	}
	return relation;
}
