-- corm.search, corm.search_rank, "search" in filters; page_json with a total.
CREATE SCHEMA se;
SET search_path = se, corm_ops;
\set VERBOSITY terse
SET default_text_search_config = 'pg_catalog.english';
CREATE DOMAIN title AS varchar(80);
CREATE TABLE kinds (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE docs (id int PRIMARY KEY, kind_id int REFERENCES kinds, title title NOT NULL, body text, data jsonb, vector tsvector, short char(20), n int, deleted_at timestamptz);
COMMENT ON COLUMN docs.deleted_at IS '@orm:soft_delete';
INSERT INTO kinds VALUES (1, 'cooking'), (2, 'garden');
INSERT INTO docs (id, kind_id, title, body, data, short) VALUES (1, 1, 'Fast soups', 'Cook a quick soup of carrots.', '{"tags": ["soup", "vegetables"]}', 'soup'), (2, 1, 'Bread', 'Bake the bread slowly; soup goes with it.', '{"note": "breads"}', 'bread'),
    (3, 2, 'Carrots', 'Growing carrots, carrots, carrots.', NULL, 'carrot'), (4, 2, 'Stop words', 'the of and', '{}', 'x'), (5, NULL, 'Empty', NULL, NULL, NULL), (6, 1, 'Gone soup', 'soup', NULL, NULL);
UPDATE docs SET vector = to_tsvector('english', title || ' ' || coalesce(body, '')), n = id * 10;
UPDATE docs SET deleted_at = '2026-01-01' WHERE id = 6;
CREATE FUNCTION ids(VARIADIC conditions corm.expr[]) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(id::text, ' ' ORDER BY id) FROM corm.get_multi(NULL::docs, corm.where(VARIADIC conditions)) $$;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; hint text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, 'null');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', sqlstate, sqlerrm, nullif(hint, ''));
END $$;

\echo words of a person, in text, a domain, char, jsonb, a tsvector, expressions
SET client_min_messages = warning;
SELECT left(w, 20) AS w, ids(corm.search('body', w)) AS body, (SELECT string_agg(id::text, ' ' ORDER BY id) FROM docs WHERE to_tsvector(body) @@ websearch_to_tsquery(w) AND deleted_at IS NULL) AS by_hand
FROM unnest(ARRAY['soups', 'quick soup', '"quick soup"', '"soup quick"', 'bread or carrots', 'soup -bread', '-soup', 'the', '', ' ', '"', '- - -', 'a & | ! ( b :*', E'soup\\', '<->', repeat('soup ', 2000), repeat('x', 5000)]) AS w;
SELECT left(w, 8) AS w, ids(corm.search('body', w)) FROM unnest(ARRAY[(SELECT string_agg(chr(97 + i % 26), ' or ') FROM generate_series(1, 300000) AS i), repeat('"a', 500000), repeat('-a ', 500000)]) AS w;
SELECT ids(corm.search('title', 'carrot')) AS title, ids(corm.search('short', 'soups')) AS char, ids(corm.search('data', 'vegetable')) AS jsonb, ids(corm.search('vector', 'carrot')) AS vector, ids(corm.search(corm.c('data') ->> 'note', 'bread')) AS json_text,
    ids(corm.search(corm.coalesce(corm.c('body'), ''), 'soup')) AS coalesce, ids(corm.search(corm.cast(corm.fn('upper', corm.c('body')), 'text'), 'carrot')) AS cast, ids(corm.search('kind.name', 'gardens')) AS path, ids(corm.search(corm.val('soups'), 'soup'), corm.eq('id', 1)) AS val,
    ids(corm.not(corm.search('body', 'soup'))) AS not, ids(corm.search('body', NULL)) AS null_words, ids(corm.some('kind', corm.search('name', 'cook'))) AS related;
\echo the words are read once, not for each row: one notice
SET client_min_messages = notice;
SELECT ids(corm.search('body', 'the'));
SET client_min_messages = warning;
SELECT corm.get_multi_json(corm.selector('docs'), corm.select(corm.as(corm.count(), 'n'), corm.as(corm.gt(corm.search_rank('title', 'soup'), 0), 'found')), corm.group_by('found'), corm.order_by('found')) AS grouped;
\echo configurations: given, of the session, another one between two calls
SELECT ids(corm.search('body', 'soups', 'simple')) AS simple, ids(corm.search('body', 'soups', 'english'::regconfig)) AS english;
CREATE TEXT SEARCH CONFIGURATION "My Words" (COPY = pg_catalog.simple);
SELECT ids(corm.search('body', 'soups', '"My Words"')) AS mine, corm.search('body', 'soups', '"My Words"');
SET default_text_search_config = 'pg_catalog.simple';
SELECT ids(corm.search('body', 'soups')) AS session_simple;
SET default_text_search_config = 'pg_catalog.english';
SELECT ids(corm.search('body', 'soups')) AS session_english;
SELECT corm.to_sql(corm.selector('docs'), corm.select('id'), corm.where(corm.search('title', 'x', 'english'), corm.search('vector', 'x')), corm.order_by(corm.desc(corm.search_rank('body', 'x', 'english'))));
\echo an index on the expression is of use
CREATE INDEX ON docs USING gin (to_tsvector('english', body));
SET enable_seqscan = off;
SELECT bool_or(plan LIKE '%docs_to_tsvector_idx%') AS used FROM corm.explain(corm.selector('docs'), corm.where(corm.search('body', 'soup', 'english'))) AS plan;
RESET enable_seqscan;
\echo ranks, selected, ordered, paged
SELECT corm.get_multi_json(corm.selector('docs'), corm.select('id', corm.as(corm.fn('round', corm.cast(corm.search_rank('vector', 'carrots or soup'), 'numeric'), 4), 'rank')), corm.where(corm.search('vector', 'carrots or soup')), corm.order_by('-rank', 'id'))
    = (SELECT jsonb_agg(to_jsonb(v)) FROM (SELECT id, round(ts_rank(vector, websearch_to_tsquery('carrots or soup'))::numeric, 4) AS rank FROM docs WHERE vector @@ websearch_to_tsquery('carrots or soup') AND deleted_at IS NULL ORDER BY 2 DESC, 1) AS v) AS same;
SELECT corm.page_json(corm.selector('docs'), corm.select('id'), corm.where(corm.search('vector', 'carrots or soup')), corm.order_by(corm.desc(corm.search_rank('vector', 'carrots or soup'))), corm.limit(1)) AS page \gset
SELECT :'page'::jsonb -> 'rows' AS first, corm.page_json(corm.selector('docs'), corm.select('id'), corm.where(corm.search('vector', 'carrots or soup')), corm.order_by(corm.desc(corm.search_rank('vector', 'carrots or soup'))), corm.after(:'page'::jsonb #>> '{page_info,end_cursor}')) -> 'rows' AS rest;
SELECT attempt(format($$SELECT corm.page_json(corm.selector('docs'), corm.order_by(corm.desc(corm.search_rank('vector', 'other words'))), corm.after(%L))$$, :'page'::jsonb #>> '{page_info,end_cursor}'));
\echo filters
SELECT corm.pluck(NULL::int, corm.selector('docs'), corm.select('id'), corm.filter('{"where": {"body": {"search": "quick or \"carrots carrots\""}, "kind": {"is": {"name": {"search": "cook or garden"}}}}}'::jsonb)),
    corm.count(corm.selector('docs'), corm.filter('{"where": {"vector": {"search": "soup -bake"}}}'::jsonb)), corm.count(corm.selector('docs'), corm.filter('{"where": {"data": {"search": "soup"}}}'::jsonb));
SELECT j, attempt(format('SELECT corm.count(corm.selector(''docs''), corm.filter(%L::jsonb))', j)) FROM unnest(ARRAY['{"where": {"n": {"search": "x"}}}', '{"where": {"body": {"search": 1}}}', '{"where": {"body": {"search": null}}}', '{"where": {"body": {"search": ["x"]}}}', '{"where": {"body": {"search": "\" or - ("}}}']) AS j;
\echo guards: no value behind one is looked into
SELECT corm.count(corm.selector('docs'), corm.guard('docs', corm.eq('kind_id', 1)), corm.where(corm.search('body', 'carrots'))), corm.to_sql(corm.selector('docs'), corm.select('id'), corm.guard('docs', corm.eq('kind_id', 1)), corm.where(corm.search('body', 'carrots')));
\echo text form, errors
SELECT x, x::text::corm.expr::text = x::text AS same FROM unnest(ARRAY[corm.search('a', 'b'), corm.search('a', NULL), corm.search('a', 'b', 'english'), corm.search_rank(corm.c('a') || 'x', 'b', 'simple')]) AS x;
SELECT ids('{"search": ["body", "soups", "english"]}') AS unqualified, ids('{"search": ["body", "soups"]}') AS session;
PREPARE words(text) AS SELECT ids(corm.search('body', $1, 'english'));
EXECUTE words('soup');
SELECT attempt(s) FROM unnest(ARRAY[$$SELECT ids(corm.search('n', 'x'))$$, $$SELECT ids(corm.search(corm.fn('upper', corm.c('body')), 'x'))$$, $$SELECT corm.search(NULL, 'x')$$, $$SELECT corm.search('body', 'x', 'no_such_config')$$, $$SELECT ids('{"search": ["body", "x", "no_such_config"]}')$$,
    $$SELECT ids(corm.search('nope', 'x'))$$, $$SELECT ids(corm.search_rank('body', 'x'))$$, $$SELECT corm.search('body', 'x', 99999::regconfig)$$]) AS s;
DROP TEXT SEARCH CONFIGURATION "My Words";

\echo with_total: pages of each kind tell how many rows there are
CREATE FUNCTION total(VARIADIC q corm.query[]) RETURNS text LANGUAGE sql AS $$ SELECT concat_ws(' ', (SELECT jsonb_agg(r -> 'id') FROM jsonb_array_elements(p -> 'rows') AS r), 'of', p #>> '{page_info,total}', p #>> '{page_info,has_previous}', p #>> '{page_info,has_next}') FROM corm.page_json(corm.selector('docs'), corm.pipe(VARIADIC q), corm.with_total()) AS p $$;
SELECT corm.page_json(corm.selector('docs'), corm.order_by('-id'), corm.limit(2)) AS page \gset
SELECT :'page'::jsonb #>> '{page_info,end_cursor}' AS cursor \gset
SELECT total(corm.pipe()) AS all, total(corm.limit(2)) AS first, total(corm.order_by('-id'), corm.limit(2), corm.after(:'cursor')) AS after, total(corm.order_by('-id'), corm.limit(1), corm.before(:'cursor')) AS before, total(corm.limit(2), corm.offset(10)) AS beyond, total(corm.limit(0)) AS zero,
    total(corm.where(corm.eq('id', 99))) AS none, total(corm.where(corm.search('body', 'soup')), corm.limit(1)) AS found, total(corm.unscoped(), corm.limit(1)) AS unscoped, total(corm.where(corm.eq('kind.name', 'garden')), corm.limit(1)) AS path, total(corm.join('kind'), corm.limit(1)) AS joined,
    total(corm.filter('{"where": {"id": {"gt": 1}}, "order_by": ["id"], "limit": 2}'::jsonb)) AS filter, total(corm.guard('docs', corm.eq('kind_id', 1)), corm.limit(1)) AS guarded, total(corm.limit(1), corm.for_update()) AS locked, total(corm.preload('kind'), corm.order_by('-kind.name'), corm.limit(1)) AS preload;
SELECT :'page'::jsonb -> 'page_info' ? 'total' AS told_without;
SELECT corm.page_json(corm.with('k', corm.selector('kinds') |> corm.where(corm.eq('id', 1))), corm.selector('docs'), corm.where(corm.in('kind_id', corm.from_cte('k') |> corm.select('id'))), corm.select('id'), corm.limit(1), corm.with_total()) -> 'page_info' -> 'total' AS of_cte;
-- nothing but one statement
SELECT count(*) FROM docs;
CREATE FUNCTION before_page(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.next(qc); END $$;
SELECT corm.use('before_page(corm.query_context)', 'docs') AS mw \gset
SELECT total(corm.limit(2)) AS through_middleware, total(corm.where(corm.eq('id', 99))) AS none, total(corm.limit(2), corm.offset(10)) AS beyond;
SELECT corm.unuse(:mw);
SELECT attempt(s) FROM unnest(ARRAY[$$SELECT corm.count(corm.selector('docs'), corm.with_total())$$, $$SELECT corm.get_multi_json(corm.selector('docs'), corm.with_total())$$, $$SELECT corm.exec(corm.deleter('docs'), corm.all_rows(), corm.with_total())$$,
    $$SELECT corm.page_json(corm.selector('kinds'), corm.preload('docs', corm.with_total()))$$, $$SELECT corm.page_json(corm.selector('kinds'), corm.where(corm.some(corm.selector('docs') |> corm.with_total())))$$, $$SELECT corm.page_json(corm.selector('docs'), corm.group_by('id'), corm.with_total())$$]) AS s;
SELECT corm.with_total(), corm.with_total()::text::corm.query;
SET client_min_messages = warning;
DROP SCHEMA se CASCADE;
