-- Privileges, row-level security and hostile search paths: corm acts with the caller's rights and on the caller's
-- objects only.
BEGIN;
SELECT no_plan();

CREATE ROLE tap_alice;
CREATE ROLE tap_bob;
CREATE ROLE tap_mallory;
GRANT USAGE, CREATE ON SCHEMA public TO tap_mallory;

CREATE TABLE letters (id int PRIMARY KEY, owner text NOT NULL, body text NOT NULL, secret text);
INSERT INTO letters VALUES (1, 'tap_alice', 'to Alice', 'a'), (2, 'tap_bob', 'to Bob', 'b'), (3, 'tap_alice', 'to Alice too', 'c');
ALTER TABLE letters ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON letters USING (owner = current_user);
GRANT SELECT (id, owner, body), UPDATE (body) ON letters TO tap_alice, tap_bob;

CREATE FUNCTION seen() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(b, ', ' ORDER BY b) FROM corm.pluck(NULL::text, corm.selector('letters'), corm.select('body')) AS b
$$;

-- One session, one plan cache, three roles, in turn and more than once
SELECT is(seen(), 'to Alice, to Alice too, to Bob', 'the owner sees all');
SET LOCAL ROLE tap_alice;
SELECT is(seen(), 'to Alice, to Alice too', 'alice sees hers');
SET LOCAL ROLE tap_bob;
SELECT is(seen(), 'to Bob', 'bob sees his');
SET LOCAL ROLE tap_alice;
SELECT is(seen(), 'to Alice, to Alice too', 'alice again');
SELECT is(corm.count(corm.selector('letters')), 2::bigint, 'count, too');
SELECT throws_ok($$ SELECT corm.pluck(NULL::text, corm.selector('letters'), corm.select('secret')) $$, '42501', NULL,
                 'no privilege on a column');
SELECT throws_ok($$ SELECT corm.count(corm.selector('letters'), corm.where(corm.eq('secret', 'a'))) $$, '42501', NULL,
                 '... not even in a condition');
SELECT throws_ok($$ SELECT corm.exec(corm.deleter('letters'), corm.where(corm.eq('id', 1))) $$, '42501', NULL,
                 'no privilege to delete');
SELECT is(corm.exec(corm.updater('letters'), corm.set('body', 'read'), corm.all_rows()), 2::bigint,
          'all_rows are those that the role may change');
SET LOCAL ROLE tap_mallory;
SELECT throws_ok($$ SELECT corm.count(corm.selector('letters')) $$, '42501', NULL, 'no privilege at all');
SELECT throws_ok($$ SELECT corm.register('letters', '{"name": "Mine"}') $$, '42501', NULL, 'only owners register');
RESET ROLE;

-- What mallory plants in front of everybody's path is not used.
SET LOCAL ROLE tap_mallory;
CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted lower'; END $$;
CREATE FUNCTION public.starts_with(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted starts_with'; END $$;
CREATE FUNCTION public.planted(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted operator'; END $$;
CREATE FUNCTION public.planted(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted operator'; END $$;
CREATE OPERATOR public.= (FUNCTION = public.planted, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR public.= (FUNCTION = public.planted, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR public.> (FUNCTION = public.planted, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR public.~~ (FUNCTION = public.planted, LEFTARG = text, RIGHTARG = text);
CREATE TYPE public.jsonb AS (planted int);
RESET ROLE;

-- Only the statement itself runs with the hostile path: pgTAP would fall for it.
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql SET search_path = public, pg_catalog AS $$
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END
$$;
SELECT is(attempt($$ SELECT 1 = 1 $$), 'planted operator', 'the path is hostile indeed');
SELECT is(attempt($$ SELECT corm.get_multi(NULL::letters, corm.where(corm.eq('id', 1), corm.gt('id', 0),
                         corm.eq('owner', 'tap_alice'), corm.starts_with('owner', 'tap'), corm.like('owner', 'tap%'),
                         corm.icontains('owner', 'ALICE'), corm.in('id', ARRAY[1, 2])), corm.order_by('owner')) $$), 'ok', 'reading');
SELECT is(attempt($$ SELECT corm.get_multi_json(corm.selector('letters'), corm.where(corm.eq('id', 1))) $$), 'ok', 'JSON');
SELECT is(attempt($$ SELECT corm.insert(ROW(9, 'tap_bob', 'x', 'y')::letters) $$), 'ok', 'inserting');
SELECT is(attempt($$ SELECT corm.save(ROW(9, 'tap_bob', 'x', 'z')::letters) $$), 'ok', 'saving');
SELECT is(attempt($$ SELECT corm.insert_json('letters', '{"id": 10, "owner": "o", "body": "b"}') $$), 'ok', 'from JSON');
SELECT is(attempt($$ SELECT corm.insert_multi(ARRAY[ROW(11, 'o', 'b', NULL)::letters]) $$), 'ok', 'a batch');
SELECT is(attempt($$ SELECT corm.exec(corm.updater('letters'), corm.set('body', 'x'), corm.where(corm.eq('id', 9))) $$), 'ok', 'updating');
SELECT is(attempt($$ SELECT corm.delete(ROW(9, 'tap_bob', 'x', 'y')::letters) $$), 'ok', 'deleting');
SELECT is(attempt($$ SELECT corm.describe('letters') $$), 'ok', 'describing');
SELECT is(attempt($$ SELECT count(*) FROM corm.models, corm.fields $$), 'ok', 'the views');
SELECT is(attempt($$ SELECT corm.register('letters', '{"name": "Letter"}') $$), 'ok', 'registering');
SELECT is(attempt($$ SELECT '[{"where": [{"eq": ["id", 1]}]}]'::corm.query $$), 'ok', 'reading a query');

CREATE FUNCTION without_path() RETURNS bigint LANGUAGE sql SET search_path = '' AS $$
    SELECT corm.count(corm.selector('public.letters'), corm.where(corm.in('id', ARRAY[1, 2, 3])))
$$;
SELECT is(without_path(), 3::bigint, 'no search path at all');

SELECT * FROM finish();
ROLLBACK;
