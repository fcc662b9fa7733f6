-- Damaged input for everything of corm that reads text: each piece is read or refused, never with an internal error.
--
-- psql variables: first and last are seeds; reads what test/rig/fuzz_seeds.sql made.  Prints a line of TAP for each target.
SET client_min_messages = error;
SET search_path = fuzz, public;

-- try_ functions do with a damaged text what a user would
CREATE OR REPLACE FUNCTION pg_temp.try(target text, damaged text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	q corm.query;
	e corm.expr;
	d bytea;
BEGIN
	CASE target
		WHEN 'query' THEN
			q := damaged::corm.query;
			IF q::text::corm.query::text <> q::text THEN
				RAISE EXCEPTION USING errcode = 'XX000', message = 'the text form changes when it is read again';
			END IF;
			PERFORM corm.to_sql(q), corm.args(q);
		WHEN 'expr' THEN
			e := damaged::corm.expr;
			IF e::text::corm.expr::text <> e::text THEN
				RAISE EXCEPTION USING errcode = 'XX000', message = 'the text form changes when it is read again';
			END IF;
			PERFORM corm.to_sql(corm.selector('t'), corm.where(e)), corm.to_sql(corm.selector('t'), corm.select(e));
		WHEN 'filter' THEN
			q := corm.filter(damaged::jsonb);
			PERFORM corm.to_sql(corm.selector('t'), q), corm.get_multi_json(corm.selector('t'), q);
		WHEN 'tag' THEN
			EXECUTE format('COMMENT ON COLUMN fuzz.tagged.name IS %L', damaged);
			PERFORM corm.describe('fuzz.tagged');
		WHEN 'options' THEN
			PERFORM corm.register('fuzz.tagged', damaged::jsonb), corm.describe('fuzz.tagged');
		WHEN 'cursor' THEN
			PERFORM corm.page_json(corm.selector('t'), corm.order_by('name', '-at'), corm.limit(2), corm.after(damaged));
		WHEN 'cursor_inside' THEN
			PERFORM corm.page_json(corm.selector('t'), corm.order_by('name', '-at'), corm.limit(2),
				corm.before(encode(convert_to(damaged, 'UTF8'), 'base64')));
		WHEN 'rows' THEN
			PERFORM corm.exec(corm.inserter('t'), corm.rows(damaged::jsonb), corm.on_conflict(), corm.do_nothing());
		WHEN 'entries' THEN
			PERFORM corm.cache_set_many(damaged::jsonb);
		WHEN 'raw' THEN
			IF damaged LIKE 'SELECT%' THEN
				PERFORM corm.to_sql(corm.raw_query(damaged, 1, 'x'::text));
			ELSE
				PERFORM corm.to_sql(corm.selector('t'), corm.select(corm.raw(damaged, 1)));
			END IF;
		WHEN 'name' THEN
			PERFORM corm.to_sql(corm.selector('t'), corm.select(damaged), corm.order_by(damaged), corm.where(corm.is_null(damaged)));
		WHEN 'binary' THEN
			d := decode(damaged, 'hex');
			q := corm_fuzz.query_of(d);
			CASE get_byte(d, length(d) / 2) % 4
				WHEN 0 THEN PERFORM corm.to_sql(q), corm.args(q);
				WHEN 1 THEN PERFORM corm.to_sql(corm.selector('t'), corm.limit(1), q);
				WHEN 2 THEN PERFORM corm.to_sql(corm.selector('t'), corm.where(corm_fuzz.expr_of(overlay(d PLACING 'e' FROM 2))));
				ELSE PERFORM q::text;
			END CASE;
	END CASE;
END $$;

CREATE OR REPLACE FUNCTION pg_temp.is_json(damaged text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN damaged::json IS NOT NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN false;
END $$;

CREATE OR REPLACE FUNCTION pg_temp.fuzz(wanted text, first bigint, last bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	seeds text[] := ARRAY(SELECT s.seed FROM seeds s WHERE s.target = wanted ORDER BY s.seed);
	damaged text;
	accepted bigint := 0;
	refused bigint := 0;
	unreadable bigint := 0;
	bad text := '';
	n bigint;
BEGIN
	FOR i IN 0..last - first LOOP
		n := first + i;
		damaged := seeds[1 + n % cardinality(seeds)];
		damaged := CASE WHEN wanted = 'binary' THEN encode(corm_fuzz.mutate(decode(damaged, 'hex'), n), 'hex')
			ELSE corm_fuzz.mutate(damaged, n) END;
		BEGIN
			PERFORM pg_temp.try(wanted, damaged);
			accepted := accepted + 1;
			-- What was written is not kept.
			RAISE EXCEPTION USING errcode = 'FZ000';
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE <> 'FZ000' THEN refused := refused + 1; END IF;
			IF SQLSTATE <> 'FZ000' AND wanted IN ('query', 'expr', 'filter', 'options', 'rows', 'entries') AND NOT pg_temp.is_json(damaged) THEN
				unreadable := unreadable + 1;
			END IF;
			-- XX001, data corrupted, is what a damaged binary value is.
			IF SQLSTATE LIKE 'XX%' AND (SQLSTATE <> 'XX001' OR wanted <> 'binary') AND length(bad) < 4000 THEN
				bad := bad || format(E'\n# seed %s: %s %s for %s', n, SQLSTATE, SQLERRM, damaged);
			END IF;
		END;
	END LOOP;
	RETURN format('%s - %s: %s accepted, %s refused, of which %s are no JSON%s',
		CASE WHEN bad = '' AND accepted > 0 AND refused > 0 AND (last - first < 1000 OR accepted * 50 > last - first) THEN 'ok' ELSE 'not ok' END, wanted, accepted, refused, unreadable, bad);
END $$;

SELECT pg_temp.fuzz(:'target', :first, :last);
-- The session is sound.
SELECT 'ok - ' || :'target' || ': the session goes on' WHERE corm.get_multi_json(corm.selector('t'), corm.select('id'), corm.where(corm.eq('id', 1))) = '[{"id": 1}]';
