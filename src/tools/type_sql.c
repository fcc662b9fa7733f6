/*-------------------------------------------------------------------------
 *
 * type_sql.c
 *		Types of columns as SQL, for any search_path.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "tools/type_sql.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/*
 * collation_sql returns the qualified name of a collation.
 */
static char *
collation_sql(Oid collation)
{
	HeapTuple	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	Form_pg_collation form;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("collation with OID %u does not exist", collation)));
	form = (Form_pg_collation) GETSTRUCT(tuple);
	name = quote_qualified_identifier(get_namespace_name(form->collnamespace), NameStr(form->collname));
	ReleaseSysCache(tuple);
	return name;
}

/*
 * corm_type_sql returns a type as SQL, qualified unless it is one of
 * PostgreSQL's own, which any search_path finds first; with the collation if
 * there is one and it is not the type's own.
 */
char *
corm_type_sql(Oid typid, int32 typmod, Oid collation)
{
	Oid			element = get_element_type(typid);
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(OidIsValid(element) ? element : typid));
	bits16		flags = FORMAT_TYPE_TYPEMOD_GIVEN;
	char	   *type;

	if (!HeapTupleIsValid(tuple) || ((Form_pg_type) GETSTRUCT(tuple))->typnamespace != PG_CATALOG_NAMESPACE)
		flags |= FORMAT_TYPE_FORCE_QUALIFY;
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	type = format_type_extended(typid, typmod, flags);
	if (!OidIsValid(collation) || collation == get_typcollation(typid))
		return type;
	return psprintf("%s COLLATE %s", type, collation_sql(collation));
}
