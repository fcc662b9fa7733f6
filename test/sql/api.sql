-- The public surface as a contract: every function and view that users rely on is there under its name, with its
-- parameters' names, types, defaults and result; and rules that hold for all of them are checked for all of them.
SET client_min_messages = warning;
SET search_path = pg_catalog;

-- What is documented. "(" alone stands for any parameters.
CREATE TEMPORARY TABLE documented (kind text, signature text);
COPY documented FROM stdin WITH (DELIMITER '|');
command|register(model regclass, options jsonb DEFAULT '{}'::jsonb) -> void
command|unregister(model regclass) -> void
read|describe(model regclass) -> jsonb
builder|underscore(name text) -> text
builder|camelize(name text, upper_first boolean DEFAULT true) -> text
read|get_field(rec anyelement, field text) -> text
read|get_field_as(t anyelement, rec record, field text) -> anyelement
read|set_field(rec anyelement, field text, value "any") -> anyelement
read|set_field(rec anyelement, field text, value text) -> anyelement
read|iterate_fields(rec anyelement, OUT field text, OUT column_name text, OUT type regtype, OUT value jsonb) -> SETOF record
command|iterate_methods(rec anyelement, invoke boolean DEFAULT true, OUT name text, OUT method regprocedure, OUT input regtype[], OUT output regtype[], OUT result jsonb, OUT error text) -> SETOF record
command|unrelate(model regclass, name text) -> void
command|relate(model regclass, name text, kind text, target regclass, columns text[], target_columns text[], through regclass DEFAULT NULL::regclass, through_columns text[] DEFAULT NULL::text[], through_target_columns text[] DEFAULT NULL::text[], condition corm.expr DEFAULT NULL::corm.expr) -> void
builder|c(name text) -> corm.expr
builder|val(value "any") -> corm.expr
builder|val(value text) -> corm.expr
builder|raw(sql text, VARIADIC "any") -> corm.expr
builder|raw(sql text, VARIADIC vals text[]) -> corm.expr
builder|raw(sql text) -> corm.expr
builder|fn(name text, VARIADIC "any") -> corm.expr
builder|fn(name text, VARIADIC vals text[]) -> corm.expr
builder|fn(name text) -> corm.expr
builder|excluded(name text) -> corm.expr
builder|cast(x text, type regtype) -> corm.expr
builder|cast(x corm.expr, type regtype) -> corm.expr
builder|as(x text, alias text) -> corm.expr
builder|as(x corm.expr, alias text) -> corm.expr
builder|case(VARIADIC "any") -> corm.expr
builder|case(VARIADIC vals text[]) -> corm.expr
builder|coalesce(VARIADIC "any") -> corm.expr
builder|coalesce(VARIADIC vals text[]) -> corm.expr
builder|count() -> corm.expr
builder|filter_where(aggregate corm.expr, condition corm.expr) -> corm.expr
builder|over(x corm.expr, partition_by text[] DEFAULT NULL::text[], order_by text[] DEFAULT NULL::text[]) -> corm.expr
builder|string_agg(x text, delimiter text) -> corm.expr
builder|string_agg(x corm.expr, delimiter text) -> corm.expr
builder|between(x text, lo "any", hi "any") -> corm.expr
builder|between(x corm.expr, lo "any", hi "any") -> corm.expr
builder|between(x text, lo text, hi text) -> corm.expr
builder|between(x corm.expr, lo text, hi text) -> corm.expr
builder|in(x text, VARIADIC "any") -> corm.expr
builder|in(x corm.expr, VARIADIC "any") -> corm.expr
builder|in(x text, vals text) -> corm.expr
builder|in(x corm.expr, vals text) -> corm.expr
builder|not_in(x text, VARIADIC "any") -> corm.expr
builder|not_in(x corm.expr, VARIADIC "any") -> corm.expr
builder|not_in(x text, vals text) -> corm.expr
builder|not_in(x corm.expr, vals text) -> corm.expr
builder|is_null(x text) -> corm.expr
builder|is_null(x corm.expr) -> corm.expr
builder|is_not_null(x text) -> corm.expr
builder|is_not_null(x corm.expr) -> corm.expr
builder|and(VARIADIC conditions corm.expr[]) -> corm.expr
builder|and() -> corm.expr
builder|or(VARIADIC conditions corm.expr[]) -> corm.expr
builder|or() -> corm.expr
builder|not(condition corm.expr) -> corm.expr
builder|some(relation text, VARIADIC conditions corm.expr[]) -> corm.expr
builder|some(relation text) -> corm.expr
builder|every(relation text, VARIADIC conditions corm.expr[]) -> corm.expr
builder|every(relation text) -> corm.expr
builder|none(relation text, VARIADIC conditions corm.expr[]) -> corm.expr
builder|none(relation text) -> corm.expr
builder|some(q corm.query) -> corm.expr
builder|none(q corm.query) -> corm.expr
builder|pipe(VARIADIC queries corm.query[]) -> corm.query
builder|selector(model regclass, alias text DEFAULT NULL::text) -> corm.query
builder|from_query(q corm.query, alias text) -> corm.query
builder|from_cte(name text, alias text DEFAULT NULL::text) -> corm.query
builder|inserter(model regclass) -> corm.query
builder|updater(model regclass) -> corm.query
builder|deleter(model regclass) -> corm.query
builder|raw_query(sql text, VARIADIC "any") -> corm.query
builder|raw_query(sql text) -> corm.query
builder|select(VARIADIC "any") -> corm.query
builder|distinct() -> corm.query
builder|distinct_on(VARIADIC "any") -> corm.query
builder|where(VARIADIC conditions corm.expr[]) -> corm.query
builder|where() -> corm.query
builder|join(relation text) -> corm.query
builder|left_join(relation text) -> corm.query
builder|right_join(relation text) -> corm.query
builder|full_join(relation text) -> corm.query
builder|join(model regclass, condition corm.expr, alias text DEFAULT NULL::text) -> corm.query
builder|left_join(model regclass, condition corm.expr, alias text DEFAULT NULL::text) -> corm.query
builder|right_join(model regclass, condition corm.expr, alias text DEFAULT NULL::text) -> corm.query
builder|full_join(model regclass, condition corm.expr, alias text DEFAULT NULL::text) -> corm.query
builder|cross_join(model regclass, alias text DEFAULT NULL::text) -> corm.query
builder|join_query(q corm.query, condition corm.expr, alias text) -> corm.query
builder|join_cte(name text, condition corm.expr, alias text DEFAULT NULL::text) -> corm.query
builder|group_by(VARIADIC "any") -> corm.query
builder|having(VARIADIC conditions corm.expr[]) -> corm.query
builder|having() -> corm.query
builder|order_by(VARIADIC "any") -> corm.query
builder|asc(x text, nulls text DEFAULT NULL::text) -> corm.expr
builder|asc(x corm.expr, nulls text DEFAULT NULL::text) -> corm.expr
builder|desc(x text, nulls text DEFAULT NULL::text) -> corm.expr
builder|desc(x corm.expr, nulls text DEFAULT NULL::text) -> corm.expr
builder|limit(n bigint) -> corm.query
builder|offset(n bigint) -> corm.query
builder|after(cursor text) -> corm.query
builder|before(cursor text) -> corm.query
builder|for_update(mode text DEFAULT ''::text) -> corm.query
builder|for_share(mode text DEFAULT ''::text) -> corm.query
builder|preload(path text, VARIADIC q corm.query[]) -> corm.query
builder|preload(path text) -> corm.query
builder|scope(name text) -> corm.query
builder|unscoped() -> corm.query
builder|only_deleted() -> corm.query
builder|with(name text, q corm.query) -> corm.query
builder|with(name text, VARIADIC q corm.query[]) -> corm.query
builder|union(q corm.query) -> corm.query
builder|union(VARIADIC q corm.query[]) -> corm.query
builder|union_all(q corm.query) -> corm.query
builder|union_all(VARIADIC q corm.query[]) -> corm.query
builder|intersect(q corm.query) -> corm.query
builder|intersect(VARIADIC q corm.query[]) -> corm.query
builder|except(q corm.query) -> corm.query
builder|except(VARIADIC q corm.query[]) -> corm.query
builder|set(field text, value "any") -> corm.query
builder|set(field text, value text) -> corm.query
builder|rows(recs anyarray) -> corm.query
builder|rows(data jsonb) -> corm.query
builder|rows(data text) -> corm.query
builder|on_conflict(VARIADIC fields text[]) -> corm.query
builder|on_conflict() -> corm.query
builder|on_conflict_where(condition corm.expr) -> corm.query
builder|on_constraint(name text) -> corm.query
builder|do_nothing() -> corm.query
builder|do_update(VARIADIC fields text[]) -> corm.query
builder|do_update() -> corm.query
builder|returning(VARIADIC "any") -> corm.query
builder|returning() -> corm.query
builder|all_rows() -> corm.query
builder|max_rows(n bigint) -> corm.query
builder|cached(ttl interval DEFAULT NULL::interval, fresh boolean DEFAULT false) -> corm.query
command|define_scope(model regclass, name text, q corm.query, is_default boolean DEFAULT false) -> void
command|drop_scope(model regclass, name text) -> void
verb|restore(VARIADIC q corm.query[]) -> bigint
read|filter(spec jsonb, allow jsonb DEFAULT NULL::jsonb) -> corm.query
verb|get(t anyelement, VARIADIC q corm.query[]) -> anyelement
verb|get(t anyelement) -> anyelement
verb|one(t anyelement, VARIADIC q corm.query[]) -> anyelement
verb|one(t anyelement) -> anyelement
verb|first(t anyelement, VARIADIC q corm.query[]) -> anyelement
verb|first(t anyelement) -> anyelement
verb|get_multi(t anyelement, VARIADIC q corm.query[]) -> SETOF anyelement
verb|get_multi(t anyelement) -> SETOF anyelement
verb|get_json(VARIADIC q corm.query[]) -> jsonb
verb|first_json(VARIADIC q corm.query[]) -> jsonb
verb|get_multi_json(VARIADIC q corm.query[]) -> jsonb
verb|get_json_text(VARIADIC q corm.query[]) -> json
verb|first_json_text(VARIADIC q corm.query[]) -> json
verb|get_multi_json_text(VARIADIC q corm.query[]) -> json
verb|page_json(VARIADIC q corm.query[]) -> jsonb
verb|value(t anyelement, VARIADIC q corm.query[]) -> anyelement
verb|pluck(t anyelement, VARIADIC q corm.query[]) -> SETOF anyelement
verb|count(VARIADIC q corm.query[]) -> bigint
verb|exists(VARIADIC q corm.query[]) -> boolean
verb|exec(VARIADIC q corm.query[]) -> bigint
verb|to_sql(VARIADIC q corm.query[]) -> text
verb|args(VARIADIC q corm.query[]) -> jsonb
verb|explain(VARIADIC q corm.query[]) -> SETOF text
verb|explain_analyze(VARIADIC q corm.query[]) -> SETOF text
verb|cached_explain(VARIADIC q corm.query[], OUT fresh boolean, OUT reason text) -> record
verb|insert(rec anyelement) -> anyelement
verb|insert_multi(recs anyarray) -> SETOF anyelement
verb|update(rec anyelement) -> anyelement
verb|update_multi(recs anyarray) -> SETOF anyelement
verb|save(rec anyelement) -> anyelement
verb|delete(rec anyelement) -> boolean
verb|insert_json(model regclass, data jsonb) -> jsonb
\.
-- families whose members differ in their names only
INSERT INTO documented
SELECT 'builder', format('%I(x %s, value %s) -> corm.expr', f, x, v)
FROM unnest('{eq,neq,lt,lte,gt,gte,like,ilike,not_like,regex,iregex,starts_with,ends_with,contains,icontains,is_distinct_from,has_key,overlaps,matches,add,sub,mul,div}'::text[]) f,
    unnest('{text,corm.expr}'::text[]) x, unnest(ARRAY['"any"', 'text']) v;
INSERT INTO documented
SELECT 'builder', format('%I(x %s) -> corm.expr', f, x)
FROM unnest('{count,count_distinct,sum,avg,min,max,array_agg,json_agg,bool_and,bool_or}'::text[]) f, unnest('{text,corm.expr}'::text[]) x;
INSERT INTO documented
SELECT 'builder', format('%I(x %s, %s) -> corm.expr', f, x, q)
FROM unnest('{in,not_in}'::text[]) f, unnest('{text,corm.expr}'::text[]) x, unnest('{q corm.query,VARIADIC vals text[]}'::text[]) q;
UPDATE documented SET signature = replace(signature, '"', '') WHERE signature ~ '^"';

CREATE TEMPORARY VIEW existing AS
SELECT p.*, format('%s(%s) -> %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)) AS signature
FROM pg_proc p WHERE pronamespace = 'corm'::regnamespace;

-- Documented, and not there
SELECT d.kind, d.signature FROM documented d WHERE NOT EXISTS (SELECT FROM existing e WHERE replace(e.signature, '"any"', 'any') = replace(d.signature, '"any"', 'any'))
ORDER BY d.signature COLLATE "C";
-- there, but of another volatility or safety than its kind has
SELECT d.kind, e.signature, e.provolatile, e.proparallel
FROM documented d JOIN existing e ON replace(e.signature, '"any"', 'any') = replace(d.signature, '"any"', 'any')
WHERE (e.provolatile, e.proparallel) NOT IN (SELECT v.volatility, v.safety FROM (VALUES
    ('builder', 'i'::"char", 's'::"char"), ('verb', 'v', 'u'), ('command', 'v', 'u'), ('read', 's', 's'), ('read', 's', 'r'))
    AS v (kind, volatility, safety) WHERE v.kind = d.kind)
ORDER BY e.signature COLLATE "C";
-- every function that makes a clause or an expression is a builder, whether documented above or not; but those that
-- read JSON, whose meaning depends on settings and on what exists
SELECT e.signature, e.provolatile, e.proparallel FROM existing e
WHERE prorettype IN ('corm.expr'::regtype, 'corm.query'::regtype) AND (provolatile, proparallel) <> ('i', 's')
    AND NOT proargtypes::oid[] && ARRAY['cstring'::regtype, 'internal'::regtype]::oid[]
ORDER BY e.signature COLLATE "C";

-- Every parameter of type "any" has a twin of type text, and VARIADIC "any" one of VARIADIC text[].
SELECT e.signature FROM existing e
WHERE e.provariadic = '"any"'::regtype
    AND e.proargnames[1:2] IS DISTINCT FROM '{body,param}'::text[]     -- a twin itself, for calls that begin with a text
    AND NOT EXISTS (
    SELECT FROM existing t WHERE t.proname = e.proname AND t.provariadic = 'text'::regtype AND t.pronargs = e.pronargs
        AND (t.proargtypes::oid[])[:e.pronargs - 2] = (e.proargtypes::oid[])[:e.pronargs - 2])
ORDER BY e.signature COLLATE "C";
SELECT e.signature, i AS parameter
FROM existing e, generate_series(0, e.pronargs - 1) AS i
WHERE e.proargtypes[i] = '"any"'::regtype AND (e.provariadic = 0 OR i < e.pronargs - 1)
    AND NOT 'p1' = ANY (e.proargnames)      -- a form of run_tx for so many parameters; their twin is VARIADIC text[]
    AND NOT EXISTS (
    SELECT FROM existing t WHERE t.proname = e.proname AND t.pronargs = e.pronargs
        AND (SELECT bool_and(CASE WHEN k = i THEN t.proargtypes[k] = 'text'::regtype ELSE t.proargtypes[k] = e.proargtypes[k] END)
             FROM generate_series(0, e.pronargs - 1) AS k))
ORDER BY e.signature COLLATE "C", i;
-- Wherever a clause ends in a query, the query may be listed as clauses; where a list may be empty, it may be left out.
SELECT e.signature FROM existing e
WHERE e.pronargs > 0 AND e.proargtypes[e.pronargs - 1] = 'corm.query'::regtype AND e.prorettype IN ('corm.expr'::regtype, 'corm.query'::regtype)
    AND NOT EXISTS (SELECT FROM existing t WHERE t.proname = e.proname AND t.provariadic IN ('corm.query'::regtype, '"any"'::regtype)
                        AND (e.proname = 'pipe' OR t.pronargs = e.pronargs))
ORDER BY e.signature COLLATE "C";

-- hardening 5: what all may execute; the rest is for triggers
SELECT proname FROM existing WHERE NOT has_function_privilege('pg_monitor', oid, 'EXECUTE') ORDER BY proname COLLATE "C";
-- Every function has a comment; nobody's rights are taken on; parameters are not named by reserved words.
SELECT signature FROM existing WHERE coalesce(obj_description(oid, 'pg_proc'), '') !~ '\w{3}' OR prosecdef;
SELECT signature, parameter FROM existing, unnest(proargnames) AS parameter
WHERE (parameter IN (SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')) OR parameter <> '' AND parameter <> quote_ident(parameter))
    AND (proname, parameter) <> ('with_recursive', 'all');      -- as SQL says it
-- the comment of what runs or changes something names errors by their code
SELECT d.signature FROM documented d JOIN existing e ON replace(e.signature, '"any"', 'any') = replace(d.signature, '"any"', 'any')
WHERE d.kind IN ('verb', 'command') AND obj_description(e.oid, 'pg_proc') !~ '\m([0-9]{2}|OR|P0)[0-9A-Z]{3}\M'
ORDER BY d.signature COLLATE "C";
-- hardening 3: a search_path that a function sets is pg_catalog, pg_temp
SELECT signature, proconfig FROM existing WHERE prolang NOT IN (SELECT oid FROM pg_language WHERE lanname IN ('c', 'internal'))
    AND NOT coalesce(proconfig && ARRAY['search_path=pg_catalog, pg_temp'], false);
-- the same of other objects
SELECT c.relname FROM pg_class c WHERE relnamespace = 'corm'::regnamespace AND relkind IN ('r', 'v') AND obj_description(oid, 'pg_class') IS NULL;
SELECT t.typname FROM pg_type t WHERE typnamespace = 'corm'::regnamespace AND typtype IN ('b', 'c') AND typcategory <> 'A'
    AND NOT EXISTS (SELECT FROM pg_class WHERE oid = typrelid AND relkind <> 'c') AND obj_description(oid, 'pg_type') IS NULL;

-- The operators live alone in their schema, and take corm's types.
SELECT count(*) = 0 AS none_in_corm FROM pg_operator WHERE oprnamespace = 'corm'::regnamespace;
SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'corm_ops'::regnamespace) + (SELECT count(*) FROM pg_class WHERE relnamespace = 'corm_ops'::regnamespace)
    + (SELECT count(*) FROM pg_type WHERE typnamespace = 'corm_ops'::regnamespace) AS others_in_corm_ops;
SELECT oid::regoperator FROM pg_operator
WHERE oprnamespace = 'corm_ops'::regnamespace AND oprleft NOT IN ('corm.expr'::regtype, 'corm.query'::regtype) AND oprright NOT IN ('corm.expr'::regtype, 'corm.query'::regtype);
SELECT op, kind FROM unnest('{=,<>,<,<=,>,>=,~~,!~~,~~*,!~~*,~,~*,+,-,*,/,%,||,->,->>,#>>,@>,<@,?,&&,&,|,|>,!!}'::text[]) AS op,
    unnest('{any,text}'::text[]) AS kind
WHERE NOT EXISTS (
    SELECT FROM pg_operator WHERE oprnamespace = 'corm_ops'::regnamespace AND oprname = op
        AND CASE WHEN op IN ('&', '|') THEN oprleft = 'corm.expr'::regtype AND oprright = 'corm.expr'::regtype
                 WHEN op = '|>' THEN oprleft = 'corm.query'::regtype AND oprright = 'corm.query'::regtype
                 WHEN op = '!!' THEN oprleft = 0 AND oprright = 'corm.expr'::regtype
                 ELSE oprleft = 'corm.expr'::regtype AND oprright = CASE kind WHEN 'any' THEN '"any"' ELSE 'text' END::regtype END)
ORDER BY op COLLATE "C", kind;

-- Views and their columns
SELECT v.name, v.columns FROM (VALUES
    ('models', 'model,name,table_name,primary_key,soft_delete,version,registered,error'),
    ('fields', 'model,name,column_name,type,not_null,has_default,identity,generated,read_only,primary_key,filterable,tags'),
    ('relations', 'model,name,kind,target,columns,target_columns,through')) AS v (name, columns)
WHERE v.columns IS DISTINCT FROM (
    SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = format('corm.%I', v.name)::regclass AND attnum > 0)
    OR NOT has_table_privilege('pg_monitor', format('corm.%I', v.name), 'SELECT');
SELECT has_schema_privilege('pg_monitor', 'corm', 'USAGE') AND has_schema_privilege('pg_monitor', 'corm_ops', 'USAGE') AS all_may_use;

-- The twins at work: a query listed as its clauses, untyped parameters beside expressions and typed values, named arguments
SET search_path = public, corm_ops;
CREATE TABLE t (id int primary key, name text, age int, parent_id int references t); insert into t values (1,'a',10,null),(2,'b',20,1),(3,null,30,1);
SELECT corm.get_multi_json(corm.selector('t'), corm.select('id'), corm.where(corm.in('id', corm.selector('t'), corm.select('parent_id'), corm.where(corm.gt('age',20)))));
SELECT corm.to_sql(corm.selector('t'), corm.where(corm.some(corm.selector('t','x'), corm.where(corm.eq('x.parent_id', corm.c('t.id'))))));
SELECT corm.to_sql(corm.selector('t'), corm.where(corm.none(corm.selector('t','x'), corm.where(corm.eq('x.parent_id', corm.c('t.id'))))));
SELECT corm.pluck(null::int, corm.selector('t'), corm.select('id'), corm.where(corm.eq('id',1)), corm.union(corm.selector('t'), corm.select('id'), corm.where(corm.eq('id',2))), corm.except(corm.selector('t'), corm.select('id'), corm.limit(0)));
SELECT corm.pluck(null::int, corm.with('w', corm.selector('t'), corm.where(corm.gt('id',1))), corm.from_cte('w'), corm.select('id'));
PREPARE p AS SELECT corm.get_multi_json(corm.selector('t'), corm.select('id', corm.as(corm.coalesce(corm.c('name'), $1), 'n'), corm.as(corm.case(corm.gt('age', 15), $2, $3),'c')), corm.where(corm.between('age', 5, $4)), corm.order_by('id'));
EXECUTE p ('none','old','young','25');
SELECT corm.pluck(null::int, corm.selector('t'), corm.select('id'), corm.where(corm.between(lo => '15', hi => 25, x => 'age')));
SELECT corm.pluck(null::int, corm.selector('t'), corm.select(corm.count(x => 'name')), corm.having());
SELECT corm.between('age', '1', 5), corm.between(corm.c('age'), 1, '5'), corm.coalesce('a','b'), corm.case('a','b');
SELECT corm.value(null::text, corm.selector('t'), corm.select(corm.coalesce('a','b')));
SELECT corm.value(null::text, corm.selector('t'), corm.select(corm.case('a','b')));
SELECT corm.union(variadic null::corm.query[]);
SELECT corm.in('id', variadic '{NULL}'::corm.query[]);
SELECT corm.union(variadic '{}'::corm.query[]);
SELECT corm.get_multi_json(corm.selector('t'),corm.union(variadic '{}'::corm.query[]));
SELECT corm.some('parent'), corm.some('parent', corm.eq('id',1)), corm.none('parent');
SELECT corm.in('id','{1,2}'), corm.in('id', array[1,2]), corm.in('id', null);
DEALLOCATE p;
DROP TABLE t;
