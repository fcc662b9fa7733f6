/*-------------------------------------------------------------------------
 *
 * operators.c
 *		Types and operators: what an expression's type is, and how an operator
 *		must be written so that it is the one that is meant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "query/query.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/*
 * corm_search_path_is_safe tells whether pg_catalog is searched before all
 * other schemas, so that a bare operator that pg_catalog has for exactly the
 * given types is that one.  The answer is part of the key of cached plans;
 * it is worked out anew only when the setting's text has changed.
 */
bool
corm_search_path_is_safe(void)
{
	static char *last_path = NULL;
	static bool last_answer = false;

	if (last_path == NULL || strcmp(last_path, namespace_search_path) != 0)
	{
		char	   *copy = pstrdup(namespace_search_path);
		List	   *names;
		ListCell   *lc;

		if (last_path)
			free(last_path);
		last_path = NULL;
		last_answer = true;
		if (SplitIdentifierString(copy, ',', &names))
		{
			foreach(lc, names)
			{
				/* implicitly first, unless it is listed behind another */
				if (strcmp(lfirst(lc), "pg_catalog") == 0)
				{
					last_answer = foreach_current_index(lc) == 0;
					break;
				}
			}
			list_free(names);
		}
		pfree(copy);
		last_path = strdup(namespace_search_path);
	}
	return last_answer;
}

/*
 * corm_deparse_type returns a type's name as SQL, with its schema unless it
 * is one that SQL itself names.
 */
char *
corm_deparse_type(Oid typid, int32 typmod)
{
	bits16		flags = FORMAT_TYPE_FORCE_QUALIFY;

	if (typmod >= 0)
		flags |= FORMAT_TYPE_TYPEMOD_GIVEN;
	return format_type_extended(typid, typmod, flags);
}

/*
 * corm_expr_type returns the type of an expression as far as we can tell without PostgreSQL's
 * parser; InvalidOid if we cannot, UNKNOWNOID for a value given as text.
 */
Oid
corm_expr_type(CormTree *tree)
{
	switch (tree->tag)
	{
		case CORM_N_COLUMN:
		case CORM_N_FILTER_COLUMN:
			if (tree->field)
				return tree->field->typid;
			return tree->aliased ? corm_expr_type(tree->aliased) : InvalidOid;
		case CORM_N_VALUE:
			return tree->typid;
		case CORM_N_NULL:
			return tree->args[0].oid;
		case CORM_N_CAST:
			return tree->args[1].oid;
		case CORM_N_AS:
		case CORM_N_MIN:
		case CORM_N_MAX:
		case CORM_N_FILTER_WHERE:
		case CORM_N_OVER:
			return corm_expr_type(tree->args[0].node);
		case CORM_N_EXCLUDED:
			return tree->field->typid;
		case CORM_N_COUNT:
		case CORM_N_COUNT_DISTINCT:
			return INT8OID;
		case CORM_N_JSON_GET_TEXT:
		case CORM_N_JSON_PATH_TEXT:
			return TEXTOID;
		default:
			return InvalidOid;
	}
}

/*
 * corm_operator_schema returns the schema whose operator of that name serves a left operand of the given
 * type: that of the type if it has one of its own (citext, hstore, ltree),
 * else pg_catalog.
 */
Oid
corm_operator_schema(const char *name, Oid left)
{
	Oid			type;
	Oid			schema;
	CatCList   *list;
	bool		found = false;
	HeapTuple	tuple;

	if (!OidIsValid(left) || left == UNKNOWNOID)
		return PG_CATALOG_NAMESPACE;
	type = getBaseType(left);
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return PG_CATALOG_NAMESPACE;
	schema = ((Form_pg_type) GETSTRUCT(tuple))->typnamespace;
	ReleaseSysCache(tuple);
	if (schema == PG_CATALOG_NAMESPACE)
		return schema;

	list = SearchSysCacheList2(OPERNAMENSP, CStringGetDatum(name), ObjectIdGetDatum(type));
	for (int i = 0; i < list->n_members && !found; i++)
	{
		Form_pg_operator op = (Form_pg_operator) GETSTRUCT(&list->members[i]->tuple);

		found = op->oprnamespace == schema;
	}
	ReleaseCatCacheList(list);
	return found ? schema : PG_CATALOG_NAMESPACE;
}

/*
 * corm_deparse_operator appends an operator with blanks around it: bare where that can mean only
 * pg_catalog's, else with its schema.  right may be UNKNOWNOID: PostgreSQL
 * then assumes the type of the left operand.
 */
void
corm_deparse_operator(CormDeparse *ctx, const char *name, const char *keyword, Oid left, Oid right)
{
	Oid			schema;

	if (ctx->path_is_safe)
	{
		bool		bare = !OidIsValid(left) || left == UNKNOWNOID;

		if (!bare)
		{
			Oid			l = getBaseType(left);
			Oid			r = right == UNKNOWNOID || !OidIsValid(right) ? l : getBaseType(right);
			Oid			oprid = OpernameGetOprid(list_make2(makeString("pg_catalog"),
															makeString(pstrdup(name))), l, r);

			/* varchar, domains over text, ...: their operators are text's */
			if (!OidIsValid(oprid) && (l == VARCHAROID || l == TEXTOID))
				oprid = OpernameGetOprid(list_make2(makeString("pg_catalog"),
													makeString(pstrdup(name))), TEXTOID, TEXTOID);
			bare = OidIsValid(oprid);
		}
		if (bare)
		{
			appendStringInfo(ctx->buf, " %s ", keyword);
			return;
		}
	}
	schema = corm_operator_schema(name, left);
	appendStringInfo(ctx->buf, " OPERATOR(%s.%s) ",
					 schema == PG_CATALOG_NAMESPACE ? "pg_catalog" :
					 quote_identifier(get_namespace_name(schema)), name);
}
