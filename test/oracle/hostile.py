"""Hostile code: functions of users that turn on the verb that calls them.  (hardening 41, 42, 43)

Hooks, middleware, CHECKs of domains, triggers, defaults, generated columns, indexes, policies, casts, raw SQL and bodies of
scopes are user code, and run in the middle of a verb.  Here each of these places calls hostile(place), which does, once,
what it is armed with: changes the layout of the table at hand, drops it, registers, comments, runs other verbs, fails,
cancels itself, throws plans away, ...

A program arms one or two places and calls a verb, a few times over.  Any error but an internal one is a right answer.  What
is not:

- a lost connection, an internal error (XX000), a warning of something that leaked, in the session or in the log;
- a value that nobody stored: each number and each text in these tables is one of a few, so that memory that is read
  as what it is not shows;
- a result of other rows than those that are there: big tables, which small work_mem sends to disk, are whole;
- a changed row in the table of a bystander whom no program writes;
- a later call, of a session where nothing is armed, that goes by what the model was.
"""

import json
import os
import random
import re
import threading
import time

from server import LOST, Session

ROWS, BIG, BYSTANDERS = 6, 2000, 300

SETUP = f"""
CREATE ROLE oracle_hostile;
GRANT CREATE ON DATABASE DATABASE_NAME TO oracle_hostile;
CREATE SCHEMA strange;
CREATE TABLE strange.bystander AS SELECT i AS id, repeat('bystander ', 20) || i AS v FROM generate_series(1, {BYSTANDERS}) i;
GRANT USAGE ON SCHEMA strange TO oracle_hostile;
GRANT SELECT ON strange.bystander TO oracle_hostile;
"""

# All of it belongs to oracle_hostile.  The functions that PostgreSQL wants immutable say so.
WORLD = f"""
CREATE SCHEMA h;
CREATE FUNCTION h.hostile(place text) RETURNS void LANGUAGE plpgsql SET client_min_messages = error AS $$
DECLARE action text := current_setting('hostile.' || place, true);
BEGIN
  IF coalesce(action, '') = '' THEN RETURN; END IF;
  PERFORM set_config('hostile.' || place, '', false);
  IF current_setting('hostile.caught', true) = 'on' THEN
    BEGIN EXECUTE action; EXCEPTION WHEN OTHERS THEN NULL; END;
  ELSE
    EXECUTE action;
  END IF;
END $$;
CREATE FUNCTION h.checked(v text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM h.hostile('checked'); RETURN true; END $$;
CREATE FUNCTION h.defaulted() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM h.hostile('defaulted'); RETURN 107; END $$;
CREATE FUNCTION h.generated(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM h.hostile('generated'); RETURN n + 100; END $$;
CREATE FUNCTION h.indexed(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM h.hostile('indexed'); RETURN n; END $$;
CREATE FUNCTION h.policed(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM h.hostile('policed'); RETURN true; END $$;
CREATE FUNCTION h.raw(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM h.hostile('raw'); RETURN n; END $$;
CREATE DOMAIN h.word AS text CHECK (h.checked(VALUE));
CREATE TYPE h.pair AS (x int, y text);
CREATE FUNCTION h.pair_json(p h.pair) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM h.hostile('casted'); RETURN json_build_object('x', p.x, 'y', p.y); END $$;
CREATE CAST (h.pair AS json) WITH FUNCTION h.pair_json(h.pair);
CREATE TABLE h.t (
    id int PRIMARY KEY,
    a h.word,
    b bigint DEFAULT h.defaulted(),
    p h.pair,
    g int GENERATED ALWAYS AS (h.generated(id)) STORED,
    version int,
    deleted_at timestamptz
);
CREATE INDEX ON h.t (h.indexed(id));
CREATE TABLE h.k (id int PRIMARY KEY, t_id int REFERENCES h.t ON DELETE CASCADE, v h.word);
CREATE TYPE h.dto AS (id int, a text, b bigint);
COMMENT ON TYPE h.dto IS '@orm:table=h.t';
CREATE VIEW h.v AS SELECT id, a, b FROM h.t;
CREATE TABLE h.big (id int PRIMARY KEY, v text);
CREATE FUNCTION h.triggered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM h.hostile('triggered'); IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$;
CREATE TRIGGER triggered BEFORE INSERT OR UPDATE OR DELETE ON h.t FOR EACH ROW EXECUTE FUNCTION h.triggered();
CREATE TRIGGER after_it AFTER INSERT OR UPDATE OR DELETE ON h.k FOR EACH ROW EXECUTE FUNCTION h.triggered();
CREATE FUNCTION h.pass(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result;
BEGIN
  PERFORM h.hostile('before_next');
  BEGIN r := corm.next(qc); EXCEPTION WHEN deadlock_detected THEN r := corm.next(qc); END;
  PERFORM h.hostile('after_next');
  PERFORM count(*) FROM strange.bystander;
  RETURN r;
END $$;
INSERT INTO h.t (id, a, b, p, version, deleted_at) SELECT i, 'v' || i, 100 + i, ROW(i, 'v' || i)::h.pair, 1, CASE WHEN i = {ROWS} THEN '2020-01-01'::timestamptz END
  FROM generate_series(1, {ROWS}) i;
INSERT INTO h.k SELECT i, i % 3 + 1, 'v' || i FROM generate_series(1, {ROWS}) i;
INSERT INTO h.big SELECT i, 'v' || repeat('0', 200) FROM generate_series(1, {BIG}) i;
"""

HOOKS = ["before_save", "before_create", "before_update", "before_delete", "after_create", "after_update", "after_save", "after_delete", "after_find"]

# What a world may have besides.
PARTS = {
    **{hook: f"CREATE FUNCTION h.{hook}(r h.t) RETURNS h.t LANGUAGE plpgsql AS $$ BEGIN PERFORM h.hostile('{hook}'); RETURN r; END $$" for hook in HOOKS},
    "middleware": "SELECT corm.use('h.pass(corm.query_context)', 'h.t')",
    "big middleware": "SELECT corm.use('h.pass(corm.query_context)', 'h.big')",
    "nested middleware": "CREATE FUNCTION h.pass2(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.next(qc); END $$;"
                         "SELECT corm.use('h.pass2(corm.query_context)', 'h.big', priority => 10); SELECT corm.use('h.pass2(corm.query_context)', 'h.t', priority => 200)",
    "policy": "ALTER TABLE h.t ENABLE ROW LEVEL SECURITY; ALTER TABLE h.t FORCE ROW LEVEL SECURITY; CREATE POLICY p ON h.t USING (h.policed(id))",
    "soft delete": "COMMENT ON COLUMN h.t.deleted_at IS '@orm:soft_delete'",
    "version": "COMMENT ON COLUMN h.t.version IS '@orm:version'",
    "scope": "SELECT corm.define_scope('h.t', 'all', corm.where(corm.raw('h.raw(1) = 1')), true)",
    "small memory": "SET work_mem = '64kB'",
    "few plans": "SET corm.plan_cache_size = 4",
}

PLACES = [*HOOKS, "before_next", "after_next", "checked", "defaulted", "generated", "indexed", "policed", "raw", "casted", "triggered"]

REC = "jsonb_populate_record(NULL::h.t, '{{\"id\": {id}, \"a\": \"v{n}\", \"b\": {b}, \"p\": {{\"x\": 1, \"y\": \"v1\"}}, \"version\": 1}}')"

READS = [
    "SELECT to_jsonb(r) FROM corm.get(NULL::h.t, corm.where(corm.eq('id', {id}))) r",
    "SELECT to_jsonb(r) FROM corm.first(NULL::h.t, corm.where(corm.gte('id', {id}))) r",
    "SELECT to_jsonb(r) FROM corm.get_multi(NULL::h.t, corm.where(corm.raw('h.raw(1) = 1')), corm.order_by('id')) r",
    "SELECT to_jsonb(r) FROM corm.get_multi(NULL::h.dto, corm.selector('h.t'), corm.order_by('-id')) r",
    "SELECT to_jsonb(r) FROM corm.get_multi(NULL::h.dto, corm.where(corm.gt('b', {b}))) r",
    "SELECT to_jsonb(r) FROM corm.get_multi(NULL::h.v) r",
    "SELECT corm.get_multi_json(corm.selector('h.t'), corm.order_by('id'))",
    "SELECT corm.get_multi_json(corm.selector('h.t'), corm.select('a', 'p'), corm.preload('k', corm.limit(2)))",
    "SELECT corm.get_multi_json_text(corm.selector('h.k'), corm.preload('t'))::jsonb",
    "SELECT corm.page_json(corm.selector('h.t'), corm.order_by('-b'), corm.limit(2)) -> 'rows'",
    "SELECT to_jsonb(corm.value(NULL::h.pair, corm.selector('h.t'), corm.select('p'), corm.where(corm.eq('id', {id}))))",
    "SELECT to_jsonb(corm.pluck(NULL::h.word, corm.selector('h.t'), corm.select('a')))",
    "SELECT corm.count(corm.selector('h.t'), corm.some('k', corm.gt('id', 1)))",
    "SELECT corm.get_multi_json(corm.selector('h.t'), corm.filter('{{\"where\": {{\"a\": {{\"neq\": \"v{n}\"}}}}}}'))",
    "SELECT to_jsonb(corm.find(NULL::h.t, {id}))",
    "SELECT corm.find_json('h.t', {id}, corm.preload('k'))",
    "SELECT to_jsonb(r) FROM corm.find_multi(NULL::h.t, ARRAY[{id}, {id2}]) r",
    "SELECT corm.get_multi_json(corm.selector('h.t'), corm.select('id', corm.as(corm.count_of('k', corm.neq('v', 'v{n}')), 'children')), corm.order_by('id'))",
    "SELECT corm.cache_fetch('f{n}', corm.pipe(corm.selector('h.t'), corm.select('b'), corm.where(corm.eq('id', {id}))), '1 minute')",
    "SELECT corm.get_multi_json(corm.raw_query('SELECT id, a FROM h.t WHERE h.raw(id) = $1', {id}))",
]
WRITES = [
    f"SELECT to_jsonb(corm.insert({REC}))",
    f"SELECT to_jsonb(r) FROM corm.insert_multi(ARRAY[{REC}, {REC.replace('{id}', '{id2}')}]) r",
    "SELECT corm.insert_json('h.t', '{{\"id\": {id}, \"a\": \"v{n}\"}}')",
    "SELECT corm.insert_json('h.t', '[{{\"id\": {id}, \"a\": \"v{n}\", \"k\": [{{\"id\": {id}, \"v\": \"v1\"}}]}}]')",
    "SELECT corm.insert_json('h.k', '{{\"id\": {id}, \"v\": \"v{n}\", \"t\": {{\"id\": {id2}, \"a\": \"v2\"}}}}')",
    "SELECT corm.exec(corm.inserter('h.t'), corm.rows('[{{\"id\": {id}, \"a\": \"v{n}\"}}, {{\"id\": {id2}, \"a\": \"v1\", \"b\": {b}}}]'::jsonb))",
    "SELECT to_jsonb(r) FROM corm.get_multi(NULL::h.t, corm.inserter('h.t'), corm.rows('[{{\"id\": {id}, \"a\": \"v{n}\"}}]'::jsonb), corm.on_conflict('id'), corm.do_update('a')) r",
    f"SELECT to_jsonb(r) FROM corm.get_multi(NULL::h.t, corm.inserter('h.t'), corm.rows(ARRAY[{REC}])) r",
    f"SELECT to_jsonb(corm.update({REC}))",
    f"SELECT to_jsonb(r) FROM corm.update_multi(ARRAY[{REC}, {REC.replace('{id}', '{id2}')}]) r",
    f"SELECT to_jsonb(corm.save({REC}))",
    f"SELECT to_jsonb(corm.delete({REC}))",
    "SELECT to_jsonb(corm.update(corm.set_field(corm.get(NULL::h.t, corm.where(corm.eq('id', {id}))), 'b', {b})))",
    "SELECT corm.exec(corm.updater('h.t'), corm.set('b', {b}), corm.where(corm.gte('id', {id})))",
    "SELECT corm.exec(corm.updater('h.t'), corm.set('a', 'v{n}'), corm.where(corm.raw('h.raw(1) = 1')))",
    "SELECT to_jsonb(r) FROM corm.get_multi(NULL::h.t, corm.updater('h.t'), corm.set('b', {b}), corm.where(corm.eq('id', {id}))) r",
    "SELECT corm.exec(corm.deleter('h.t'), corm.where(corm.eq('id', {id})))",
    "SELECT corm.get_multi_json(corm.deleter('h.t'), corm.where(corm.lt('id', {id})), corm.returning('id', 'a'))",
    "SELECT corm.restore(corm.selector('h.t'), corm.where(corm.gte('id', {id})))",
    "SELECT corm.do_tx('SELECT corm.exec(corm.updater(''h.t''), corm.set(''b'', {b}), corm.where(corm.eq(''id'', {id}))); SELECT to_jsonb(r) AS r FROM corm.get_multi(NULL::h.t) r')",
    "SELECT value FROM corm.try_tx(corm.tx('nested'), 'SELECT to_jsonb(corm.save(jsonb_populate_record(NULL::h.t, ''{{\"id\": {id}, \"a\": \"v{n}\"}}''))) AS r')",
    "SELECT corm.update_json('h.t', '{{\"id\": {id}}}', '{{\"a\": \"v{n}\", \"b\": {b}}}')",
    "SELECT corm.update_json('h.t', '{{\"id\": {id}}}', '{{\"b\": {b}, \"k\": [{{\"id\": {id}, \"v\": \"v{n}\"}}]}}')",
    "SELECT corm.update_json('h.t', '{{\"id\": {id}}}', '{{\"k\": {{\"add\": [{{\"id\": {id2}, \"v\": \"v2\"}}], \"remove\": [{{\"id\": {id}}}]}}}}')",
    "SELECT corm.update_json('h.t', '{{\"id\": {id}}}', '{{\"k\": {{\"set\": [{{\"id\": {id2}}}]}}}}', ARRAY['k'])",
    "SELECT corm.upsert_json('h.t', '[{{\"id\": {id}, \"a\": \"v{n}\"}}, {{\"id\": {id2}, \"a\": \"v1\"}}]')",
    "SELECT corm.get_multi_json(corm.updater('h.t'), corm.set('b', {b}), corm.where(corm.eq('id', {id})), corm.preload('k'))",
    "SELECT corm.get_multi_json(corm.updater('h.t'), corm.set('b', {b}), corm.where(corm.gt('id', {id})), corm.guard_check('h.t', corm.raw('h.raw(1) = 1')))",
    "CALL corm.run(corm.updater('h.t'), corm.set('a', 'v{n}'), corm.where(corm.lte('id', {id})))",
    "SELECT to_jsonb(r.*) -> 'value' FROM corm.iterate_fields(corm.get(NULL::h.t, corm.where(corm.eq('id', {id})))) r WHERE name IN ('id', 'a', 'b')",
]
RECORDS = [call for call in WRITES if call.startswith(("SELECT to_jsonb(corm.update(json", "SELECT to_jsonb(corm.save(", "SELECT to_jsonb(corm.delete("))]
# Answers that say how many rows of the big table there are.
BIG_READS = [
    "SELECT count(*) FROM corm.get_multi(NULL::h.big)",
    "SELECT jsonb_array_length(corm.get_multi_json(corm.selector('h.big')))",
    "SELECT jsonb_array_length(corm.page_json(corm.selector('h.big'), corm.limit(100000)) -> 'rows')",
    "SELECT count(*) FROM corm.pluck(NULL::text, corm.selector('h.big'), corm.select('v'))",
    "SELECT jsonb_array_length(corm.do_tx('SELECT id FROM corm.get_multi(NULL::h.big)'))",
    "SELECT count(*) FROM corm.get_multi(NULL::h.big, corm.cached('1 minute'))",
]

ACTIONS = [
    "ALTER TABLE h.t DROP COLUMN b",
    "ALTER TABLE h.t DROP COLUMN a CASCADE; ALTER TABLE h.t ADD COLUMN c bytea",
    "ALTER TABLE h.t DROP COLUMN a CASCADE; ALTER TABLE h.t ADD COLUMN a bigint",
    "ALTER TABLE h.t DROP COLUMN b CASCADE; ALTER TABLE h.t ADD COLUMN b text DEFAULT 'v0'",
    "ALTER TABLE h.t DROP COLUMN p; ALTER TABLE h.t ADD COLUMN p int DEFAULT 3",
    "ALTER TABLE h.t ADD COLUMN e int DEFAULT 9",
    "ALTER TABLE h.t ADD COLUMN e text NOT NULL DEFAULT 'v9'",
    "ALTER TABLE h.t RENAME COLUMN b TO bb",
    "ALTER TABLE h.t RENAME COLUMN a TO x; ALTER TABLE h.t RENAME COLUMN b TO a; ALTER TABLE h.t RENAME COLUMN x TO b",
    "DROP VIEW h.v; ALTER TABLE h.t ALTER COLUMN b DROP DEFAULT; ALTER TABLE h.t ALTER COLUMN b TYPE text",
    "DROP VIEW h.v; ALTER TABLE h.t ALTER COLUMN b TYPE int",
    "DROP VIEW h.v; ALTER TABLE h.t ALTER COLUMN a TYPE text",
    "DROP TABLE h.t CASCADE",
    "DROP TABLE h.t CASCADE; CREATE TABLE h.t (id int PRIMARY KEY, z bytea)",
    "ALTER TABLE h.t RENAME TO t2; CREATE TABLE h.t (id int PRIMARY KEY, a bigint, b text)",
    "ALTER TABLE h.t SET SCHEMA strange",
    "DROP VIEW h.v; CREATE VIEW h.v AS SELECT b AS id, id AS b FROM h.t",
    "ALTER TYPE h.dto DROP ATTRIBUTE a; ALTER TYPE h.dto ADD ATTRIBUTE a bytea",
    "ALTER TYPE h.dto ALTER ATTRIBUTE b TYPE text",
    "ALTER TYPE h.dto ADD ATTRIBUTE version int",
    "DROP TYPE h.dto CASCADE",
    "ALTER TABLE h.t DROP COLUMN p; ALTER TYPE h.pair ALTER ATTRIBUTE x TYPE text",
    "ALTER TABLE h.t DROP COLUMN p; DROP TYPE h.pair CASCADE",
    "ALTER DOMAIN h.word ADD CHECK (VALUE <> 'v1') NOT VALID",
    "ALTER TABLE h.k DROP CONSTRAINT k_t_id_fkey",
    "ALTER TABLE h.t DROP CONSTRAINT t_pkey CASCADE",
    "TRUNCATE h.t CASCADE",
    "DELETE FROM h.t",
    "ALTER TABLE h.t DISABLE TRIGGER ALL",
    "DROP TRIGGER triggered ON h.t",
    "CREATE TRIGGER suppress BEFORE INSERT OR UPDATE ON h.t FOR EACH ROW EXECUTE FUNCTION h.suppress()",
    "ALTER TABLE h.t ENABLE ROW LEVEL SECURITY",
    "COMMENT ON COLUMN h.t.deleted_at IS '@orm:soft_delete'",
    "COMMENT ON COLUMN h.t.deleted_at IS NULL",
    "COMMENT ON COLUMN h.t.version IS '@orm:version'",
    "COMMENT ON COLUMN h.t.a IS '@orm:-'",
    "COMMENT ON COLUMN h.t.b IS '@orm:name=other,read_only'",
    "COMMENT ON TABLE h.t IS '@orm:nonsense'",
    "SELECT corm.register('h.t', '{\"naming\": \"camel\"}')",
    "SELECT corm.register('h.t', '{\"fields\": {\"a\": {\"read_only\": true}}}')",
    "SELECT corm.unregister('h.t')",
    "SELECT corm.define_scope('h.t', 'none', corm.where(corm.eq('id', 0)), true)",
    "SELECT corm.relate('h.t', 'rel', 'has_many', 'h.k', ARRAY['id'], ARRAY['t_id'])",
    "SELECT corm.use('h.pass(corm.query_context)', 'h.t', priority => 7)",
    "SELECT corm.unuse(id) FROM corm.middleware",
    "DROP FUNCTION h.pass(corm.query_context) CASCADE",
    "DROP FUNCTION IF EXISTS h.before_save(h.t), h.after_find(h.t), h.before_update(h.t)",
    "CREATE OR REPLACE FUNCTION h.before_save(r h.t) RETURNS h.t LANGUAGE sql AS 'SELECT r'",
    "CREATE FUNCTION h.before_update(r h.t) RETURNS h.t LANGUAGE sql AS 'SELECT NULL::h.t'",
    "SELECT corm.cache_set('k', ROW(1, 'v1')::h.pair); ALTER TABLE h.t DROP COLUMN p; ALTER TYPE h.pair ALTER ATTRIBUTE x TYPE text; SELECT corm.cache_get('k')",
    "SELECT corm.cache_clear()",
    "SELECT corm.do_tx(corm.tx('nested'), 'ALTER TABLE h.t DROP COLUMN b CASCADE')",
    "SELECT corm.try_tx(corm.tx('nested'), 'ALTER TABLE h.t DROP COLUMN b CASCADE; SELECT 1/0')",
    "SELECT corm.try_tx('DROP TABLE h.t CASCADE; SELECT 1/0')",
    "SELECT corm.set_rollback_only()",
    "SELECT corm.next(ROW('SELECT', NULL, corm.selector('strange.bystander'), NULL, NULL, NULL, 1)::corm.query_context)",
    "SELECT 1/0",
    "SELECT pg_cancel_backend(pg_backend_pid())",
    "SET LOCAL work_mem = '64kB'",
    "SET search_path = strange, h",
    "SET corm.plan_cache_size = 1",
    "DISCARD PLANS",
    "DEALLOCATE ALL",
    "ANALYZE h.t",
    "REINDEX TABLE h.t",
    "CREATE TEMP TABLE t (id int)",
    "LOCK TABLE h.t",
    "SELECT count(*) FROM strange.bystander",
    "SAVEPOINT s",
    "SELECT corm.count(a) FROM corm.get_multi(NULL::h.big) a",
]

LEAK = re.compile(r"leak|non-empty SPI|still active|still referenced|TRAP|PANIC|FATAL|XX000|terminated by signal|missed")
TEXT = re.compile(r"v[0-9]*|\\x76[0-9a-f]*|2020-01-01.*|20[0-9-]+T.*|\(.*\)|[0-9]+")
NUMBERS = range(0, 300)


def strange_values(document):
    """Values that no program stores, anywhere in a document."""
    if isinstance(document, dict):
        return [strange for value in document.values() for strange in strange_values(value)]
    if isinstance(document, list):
        return [strange for value in document for strange in strange_values(value)]
    if document is None or isinstance(document, bool):
        return []
    if isinstance(document, str):
        return [] if TEXT.fullmatch(document) else [document]
    return [] if document in NUMBERS else [document]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Program:
    """A world, and steps: (what is armed, whether errors of it are caught, what is called)."""

    def __init__(self, parts, steps, committed):
        self.parts, self.steps, self.committed = parts, steps, committed

    def sql(self):
        return "\n".join([f"-- {'committed' if self.committed else 'in a transaction'}"]
                         + [PARTS[part] + ";" for part in self.parts]
                         + [line for armed, caught, call in self.steps for line in [*arms(armed, caught), call + ";"]])

    def smaller(self):
        for i in range(len(self.steps)):
            if len(self.steps) > 1:
                yield Program(self.parts, self.steps[:i] + self.steps[i + 1:], self.committed)
        for i in range(len(self.parts)):
            yield Program(self.parts[:i] + self.parts[i + 1:], self.steps, self.committed)
        for i, (armed, caught, call) in enumerate(self.steps):
            for place in armed:
                less = {other: action for other, action in armed.items() if other != place}
                yield Program(self.parts, self.steps[:i] + [(less, caught, call)] + self.steps[i + 1:], self.committed)
            if caught:
                yield Program(self.parts, self.steps[:i] + [(armed, False, call)] + self.steps[i + 1:], self.committed)
        if self.committed:
            yield Program(self.parts, self.steps, False)


def arms(armed, caught):
    return [f"SET hostile.caught = {'on' if caught else 'off'};"] + [f"SET hostile.{place} = {quoted(action)};" for place, action in armed.items()]


CHANGES_ROWS = re.compile(r"DELETE FROM|corm\.(delete|update|save|restore|upsert)|on_conflict")
RETYPES = re.compile(r"ALTER (COLUMN|ATTRIBUTE) \w+ TYPE")
# Minor releases since which PostgreSQL knows a row of a type that was altered after the row was made.
CHECKS_ROWS = {15: 20, 16: 16, 17: 12, 18: 6}


class Generator:
    checks_rows = True

    def __init__(self, rng):
        self.rng = rng

    def filled(self, template):
        rng = self.rng
        id = rng.randint(1, ROWS + 3)
        return template.format(id=id, id2=id % ROWS + 1 if rng.random() < 0.7 else id + 10, n=rng.randint(1, 9), b=rng.randint(101, 109))

    def call(self):
        rng = self.rng
        return self.filled(rng.choice(rng.choices([READS, WRITES, BIG_READS], [4, 7, 1])[0]))

    def action(self):
        return self.call() if self.rng.random() < 0.2 else self.rng.choice(ACTIONS)

    def program(self):
        rng = self.rng
        parts = [part for part in PARTS if rng.random() < 0.35]
        live = [place for place in PLACES if place not in HOOKS or place in parts]
        steps = []
        for _ in range(rng.randint(1, 5)):
            armed = {place: self.action() for place in rng.sample(live, rng.choices([0, 1, 2, 3], [1, 6, 4, 2])[0])}
            steps.append((armed, rng.random() < 0.4, self.call()))
        # PostgreSQL fails an assertion if the function of an index changes the row that an ON CONFLICT is inserting; a verb that
        # it calls can come to user code that does
        indexed = [armed["indexed"] for armed, _, _ in steps if "indexed" in armed]
        risky = PLACES if any("corm." in action for action in indexed) else ["indexed"]
        for armed, _, _ in steps:
            armed.update({place: "SELECT 1/0" for place, action in armed.items() if place in risky and CHANGES_ROWS.search(action)})
        # PostgreSQL reads a row as what its type has become while a CHECK was run for it, before the releases that look;
        # a CHECK can call a verb, whose middleware does that
        if not self.checks_rows and any("checked" in armed for armed, _, _ in steps):
            for armed, _, _ in steps:
                armed.update({place: "SELECT 1/0" for place, action in armed.items() if RETYPES.search(action)})
        return Program(parts, steps, rng.random() < 0.15)


class World:
    """A session of the hostile role, and one that looks after it."""

    def __init__(self, database):
        self.database = database
        self.keeper = Session("keeper")
        release, minor = divmod(int(self.keeper.must("SHOW server_version_num")[0][0]), 10000)
        Generator.checks_rows = minor >= CHECKS_ROWS.get(release, 0)
        if not self.keeper.must("SELECT 1 FROM pg_roles WHERE rolname = 'oracle_hostile'"):
            self.keeper.must("CREATE ROLE oracle_hostile")
        for command in SETUP.replace("DATABASE_NAME", database).split(";\n"):
            if command.strip() and "CREATE ROLE" not in command:
                self.keeper.must(command)
        self.session = Session("hostile")
        self.fresh = False

    def renew(self):
        """The world as it was, in the database."""
        self.session.close()
        self.keeper.must("DROP SCHEMA IF EXISTS h CASCADE")
        self.keeper.must("DROP TABLE IF EXISTS strange.t CASCADE")
        self.session.open()
        self.session.must("SET SESSION AUTHORIZATION oracle_hostile")
        self.session.must("SET client_min_messages = warning")
        self.session.must(WORLD)
        self.session.must("CREATE FUNCTION h.suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        self.fresh = True

    def run(self, program):
        """What is wrong with it, or ""; the number of calls."""
        if not self.fresh:
            self.renew()
        session, calls = self.session, 0
        session.notices.clear()
        if not program.committed:
            session.must("BEGIN")
        try:
            for part in program.parts:
                session.must(PARTS[part])
            if "big middleware" not in program.parts and "middleware" not in program.parts:
                session.must("SET work_mem = DEFAULT")
            self.armed = []
            for armed, caught, call in program.steps:
                self.armed += armed.values()
                for line in arms(armed, caught):
                    session.must(line)
                wrong = self.call(call, armed, program.committed)
                calls += 1
                if wrong:
                    return f"{wrong}\nin: {call}", calls
            wrong = self.afterwards(program.committed)
            if wrong:
                return wrong, calls
        finally:
            if session.connection.status != 0:  # lost
                self.fresh = False
                self.recover()
            elif program.committed:
                self.fresh = False
                session.run("ROLLBACK")
            else:
                session.run("ROLLBACK")
                if session.notices:
                    self.fresh = False
        if set(session.notices) - {"01000", "25P01"}:
            return f"warnings {sorted(set(session.notices))}", calls
        return "", calls

    def recover(self):
        """New sessions, once the server lets them in again; it may not have noticed yet that it must restart."""
        time.sleep(0.5)
        for session in (self.keeper, self.session):
            session.close()
            for _ in range(300):
                try:
                    session.open()
                    break
                except ConnectionError:
                    time.sleep(0.1)

    def call(self, call, armed, committed):
        session = self.session
        if not committed:
            session.must("SAVEPOINT before")
        session.must("SET statement_timeout = '30s'")
        sqlstate, rows = session.run(call)
        message = getattr(session, "message", "")
        if sqlstate == LOST:
            return f"the connection is lost: {message}"
        if sqlstate == "XX000" or sqlstate.startswith("XX0") or "statement timeout" in message:
            if not forgiven(message, self.armed):
                return f"{sqlstate} {message}"
        if sqlstate:
            if not committed:
                session.must("ROLLBACK TO before")
        else:
            for row in rows:
                for value in row:
                    wrong = self.strange(call, value)
                    if wrong:
                        return wrong
        return ""

    def strange(self, call, value):
        if value is None or value == "":
            return ""
        if call in BIG_READS:
            return "" if int(value) == BIG else f"{value} of {BIG} rows"
        try:
            found = strange_values(json.loads(value))
        except ValueError:
            found = strange_values(value)
        return f"values that nobody stored: {found!r}" if found else ""

    def afterwards(self, committed):
        """Nothing is armed any more: corm and SQL say the same of what there is."""
        session = self.session
        for place in PLACES:
            sqlstate, _ = session.run(f"SET hostile.{place} = ''")
            if sqlstate:
                return f"afterwards: {sqlstate} {session.message}"
        session.must("SET search_path = public")
        # middleware whose function was dropped fails whatever it is registered for, until it is removed
        sqlstate, _ = session.run("SELECT corm.unuse(id) FROM corm.middleware WHERE fn LIKE '% (dropped)'")
        if sqlstate:
            return f"afterwards: {sqlstate} {session.message}"
        sqlstate, rows = session.run("SELECT to_regclass('h.t') IS NOT NULL AND corm.describe(to_regclass('h.t')) IS NOT NULL")
        if sqlstate or rows[0][0] != "t":
            if not committed:
                return ""  # a bad tag, or no table any more
            session.run("ROLLBACK")
            return ""
        (soft, key, scoped), = session.must("SELECT corm.describe('h.t') ->> 'soft_delete', corm.describe('h.t') -> 'primary_key' ->> 0, "
                                            "jsonb_array_length(corm.describe('h.t') -> 'scopes') > 0")
        scoped = scoped == "t"
        if key is None:
            return ""
        where = f" WHERE {soft} IS NULL" if soft else ""
        expected = session.must(f"SELECT coalesce(jsonb_agg(id ORDER BY id), '[]') FROM h.t{where}")
        query = f"corm.unscoped(), corm.where(corm.is_null('{soft}')), " if scoped and soft else "corm.unscoped(), " if scoped else ""
        sqlstate, rows = session.run(f"SELECT coalesce(jsonb_agg(x ORDER BY x), '[]') FROM corm.pluck(NULL::int, corm.selector('h.t'), {query}corm.select('id')) x")
        if sqlstate:
            return f"afterwards: {sqlstate} {session.message}"
        if rows != expected:
            return f"afterwards corm says {rows[0][0]}, SQL {expected[0][0]}"
        return self.records(soft)

    def records(self, soft):
        """Records that no update may reach: of a deleted row, and of another version."""
        session = self.session
        version, = session.must("SELECT corm.describe('h.t') ->> 'version'")[0]
        refused = [("P0002", "")] if soft else []
        if version:
            refused.append(("OR010", f"corm.set_field(r, '{version}', (coalesce(r.{version}, 0) + 1)::text)"))
        began = session.connection.transaction_status == 0
        session.must("BEGIN" if began else "SAVEPOINT records")
        wrong = ""
        for state, changed in refused:
            session.must("SAVEPOINT each")
            condition = f"r.{soft} IS {'' if state == 'OR010' else 'NOT '}NULL" if soft else "true"
            # hooks may refuse a row for reasons of their own; that it is written is what must not be
            sqlstate, rows = session.run(f"SELECT corm.update({changed or 'r'}) FROM h.t r WHERE {condition} LIMIT 1")
            session.must("ROLLBACK TO each")
            if not sqlstate and rows:
                wrong = f"afterwards a record is updated that {state} is to refuse"
        session.must("ROLLBACK" if began else "ROLLBACK TO records")
        return wrong

    def bystander(self):
        """Whether nothing of what the programs did reached it."""
        self.keeper.must("CHECKPOINT")
        found, = self.keeper.must("SELECT count(*), count(DISTINCT id), bool_and(v = repeat('bystander ', 20) || id) FROM strange.bystander")
        return "" if found == (str(BYSTANDERS), str(BYSTANDERS), "t") else f"the bystander's table has {found}"

    def close(self):
        self.session.close()
        self.keeper.must("DROP SCHEMA IF EXISTS h CASCADE")
        self.keeper.must("DROP OWNED BY oracle_hostile")
        self.keeper.close()


# What PostgreSQL itself says of a type, function or table that a function drops under its own statement.
DROPPED = re.compile(r"cache lookup failed for (type|function|relation|attribute|constraint) |could not open relation with OID|could not find trigger")


# ... and of a function in an index that builds this index again.
REINDEXED = "cannot reindex while reindexing"


def forgiven(message, armed):
    if REINDEXED in message:
        return any("REINDEX" in action for action in armed)
    return bool(DROPPED.search(message)) and any("DROP" in action for action in armed)


# What another session does while the first one is in the middle of a verb; the locks of that let through what they let through.
ELSEWHERE = [action for action in ACTIONS if action.startswith(("ALTER", "DROP VIEW", "DROP TYPE", "COMMENT", "SELECT corm.register", "SELECT corm.unregister",
                                                                "SELECT corm.define_scope", "SELECT corm.relate", "SELECT corm.use", "SELECT corm.unuse",
                                                                "DROP FUNCTION IF", "CREATE OR REPLACE", "CREATE FUNCTION"))] + [
    "SELECT corm.drop_scope('h.t', 'none')",
    "SELECT corm.unrelate('h.t', 'rel')",
]
WAIT = "SELECT pg_advisory_lock_shared(77), pg_advisory_unlock_shared(77)"


class Elsewhere:
    """Two sessions: where one stops in the middle of a verb, the other changes what the model is made of, and commits."""

    def __init__(self, world):
        self.world, self.other, self.met, self.programs = world, Session("elsewhere"), 0, 0

    def run(self, rng, generator):
        """What is wrong, or ""; the number of calls.  The program is left in self.shown."""
        if self.programs % 10 == 0:
            self.world.renew()
            self.other.close()
            self.other.open()
            self.other.must("SET SESSION AUTHORIZATION oracle_hostile; SET lock_timeout = '50ms'; SET client_min_messages = warning")
            self.parts = [part for part in PARTS if rng.random() < 0.4 and "big" not in part and "nested" not in part]
            for part in self.parts:
                self.world.session.must(PARTS[part])
            self.shown = "\n".join(PARTS[part] + ";" for part in self.parts)
        self.programs += 1
        session, other = self.world.session, self.other
        call = generator.filled(rng.choice(RECORDS if rng.random() < 0.5 else READS + WRITES))
        verb = "update" if "update" in call else "delete" if "delete" in call else "create" if "insert" in call else "find"
        called = [place for place in self.parts if place in HOOKS and place.endswith((verb, "save"))]
        live = called if called and rng.random() < 0.7 else [place for place in PLACES if place not in HOOKS or place in self.parts]
        place = rng.choice(live)
        actions = rng.sample([action for action in ELSEWHERE if action.startswith(("COMMENT", "SELECT"))] if rng.random() < 0.5 else ELSEWHERE, rng.choice([1, 1, 2]))
        self.shown += f"\n-- at {place}: {'; '.join(actions)}\n{call};"
        session.notices.clear()
        session.must(f"SET hostile.{place} = {quoted(WAIT)}; SET hostile.caught = off")
        other.must("SELECT pg_advisory_lock(77)")
        answer = []
        thread = threading.Thread(target=lambda: answer.append(session.run("SET statement_timeout = '60s'") and session.run(call)))
        thread.start()
        while thread.is_alive() and not self.world.keeper.must(f"SELECT 1 FROM pg_locks WHERE pid = {session.pid} AND locktype = 'advisory' AND NOT granted"):
            time.sleep(0.0005)
        waited = thread.is_alive()
        self.met += waited
        for action in actions:
            sqlstate, _ = other.run(action)
            if sqlstate == "XX000" or sqlstate == LOST:
                return f"elsewhere: {sqlstate} {other.message}", 1
        other.must("SELECT pg_advisory_unlock_all()")
        thread.join()
        (sqlstate, rows), message = answer[0], getattr(session, "message", "")
        if sqlstate == LOST:
            self.world.recover()
            return f"the connection is lost: {message}", 1
        if sqlstate.startswith("XX") and not forgiven(message, actions):
            return f"{sqlstate} {message}", 1
        for row in [] if sqlstate else rows:
            for value in row:
                wrong = self.world.strange(call, value)
                if wrong:
                    return wrong, 1
        session.run("ROLLBACK")
        if set(session.notices) - {"01000", "25P01"}:
            return f"warnings {sorted(set(session.notices))}", 1
        return self.world.afterwards(True), 1

    def close(self):
        self.other.close()


def log_size():
    """Where the server's log ends, if it is known where it is."""
    return os.path.getsize(os.environ["CORM_LOG"]) if "CORM_LOG" in os.environ else None


def log_of(offset):
    """What is said behind that place that must not be."""
    if offset is None:
        return []
    with open(os.environ["CORM_LOG"], errors="replace") as file:
        file.seek(offset)
        return [line for line in file if LEAK.search(line)]
