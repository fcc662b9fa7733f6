"""One session is in the middle of a verb, another one changes what the model is made of, and commits (hardening 43).

The first session waits at a fault point of the library, a CORM_FAULT in src/.  There the other session makes its change.
Then the first one goes on.  Its answer must be that of the model before the change, or that after it, or 55006; and the same call
again must give the answer of the new model, whatever the session remembers.  A change that has to wait for a lock is not
made: then the answer is that of before.

Every verb is met at every point that it comes by: the first time and each time after that, in a session that has to find
out about the model and in one that has run the verb before.  With all changes if --all is given, else with some at each place, so that
each change meets each point in one verb or another.  Which points a verb comes by is recorded from it, which points there are is read
from the source, and which verbs from the SQL script: a point that no verb comes by, or a function of sql/50_verbs.sql that no
verb calls, is a failure.

    /usr/bin/python3 concurrent_changes.py [--all] [--world NAME] [--verb NAME] [--point NAME] [--change NAME] [--workers N]

libpq's variables say where the server is, which must have the extension corm_test; it gets databases of its own.  The
output is TAP.

Rows become JSON by to_json(): PostgreSQL's to_jsonb() goes on using the names in a row's description after it has released that, and
when another session has just changed the type they are gone.
"""

import argparse
import collections
import pathlib
import re
import select
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[2]
sys.path.insert(0, str(TOP / "test" / "oracle"))

from psycopg import pq  # noqa: E402

from server import LOST, Session  # noqa: E402

GATE = 7979

SETUP = """
DROP SCHEMA IF EXISTS a3 CASCADE;
CREATE SCHEMA a3;
CREATE TYPE a3.mood AS ENUM ('calm', 'loud');
CREATE DOMAIN a3.word AS text;
CREATE TYPE a3.pair AS (x int, y text);
CREATE TABLE a3.notes (id int PRIMARY KEY, body a3.word, mood a3.mood, pair a3.pair, n int, version int NOT NULL DEFAULT 1, deleted_at timestamptz)
  WITH (autovacuum_enabled = off);
CREATE TABLE a3.lines (id int PRIMARY KEY, note_id int REFERENCES a3.notes, text text) WITH (autovacuum_enabled = off);
CREATE TABLE a3.tags (id int PRIMARY KEY, label text UNIQUE) WITH (autovacuum_enabled = off);
CREATE TABLE a3.notes_tags (note_id int REFERENCES a3.notes, tag_id int REFERENCES a3.tags, PRIMARY KEY (note_id, tag_id)) WITH (autovacuum_enabled = off);
CREATE TYPE a3.note AS (id int, body text);
COMMENT ON TYPE a3.note IS '@orm:table=a3.notes';
INSERT INTO a3.notes VALUES (1, 'one', 'calm', (1, 'a'), 10, 1, NULL), (2, 'two', 'loud', (2, 'b'), 20, 1, '2026-01-01'), (3, 'three', 'loud', (3, 'c'), 30, 1, NULL);
INSERT INTO a3.lines VALUES (1, 1, 'l1'), (2, 1, 'l2'), (3, 2, 'l3');
INSERT INTO a3.tags VALUES (1, 't1'), (2, 't2');
INSERT INTO a3.notes_tags VALUES (1, 1), (2, 2);
CREATE FUNCTION a3.pass(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS 'BEGIN RETURN corm.next(qc); END';
CREATE FUNCTION a3.without_three(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
  IF qc.op IN ('SELECT', 'UPDATE', 'DELETE') AND qc.model = 'a3.notes'::regclass THEN
    qc.query := corm.pipe(qc.query, corm.where(corm.lt('id', 3)));
  END IF;
  RETURN corm.next(qc);
END $$;
SELECT corm.define_scope('a3.notes', 'noisy', corm.where(corm.eq('mood', 'loud')));
SELECT corm.relate('a3.notes', 'declared', 'has_many', 'a3.lines', '{id}', '{note_id}');
-- the tables as a verb leaves them, times aside
CREATE FUNCTION a3.contents() RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
  which regclass;
BEGIN
  RETURN QUERY SELECT jsonb_agg((to_json(r)::jsonb - 'deleted_at') || jsonb_build_object('dead', to_json(r)::jsonb ->> 'deleted_at' IS NOT NULL) ORDER BY id) FROM a3.notes r;
  FOREACH which IN ARRAY ARRAY[coalesce(to_regclass('a3.lines'), to_regclass('a3.strophes')), 'a3.tags', 'a3.notes_tags'] LOOP
    RETURN QUERY EXECUTE format('SELECT jsonb_agg(to_json(r)::jsonb ORDER BY to_json(r)::jsonb::text) FROM %s r', which);
  END LOOP;
END $$;
"""

HOOK = "CREATE OR REPLACE FUNCTION a3.{0}(r a3.{1}) RETURNS a3.{1} LANGUAGE plpgsql AS $$ BEGIN {2}; RETURN r; END $$"
BODY = "r.body := r.body || '{}'"
TEXT = "r.text := r.text || '{}'"

WORLDS = {
    "plain": "",
    "hooks": ";\n".join([
        HOOK.format("before_save", "notes", BODY.format("<")), HOOK.format("after_save", "notes", BODY.format(">")),
        "COMMENT ON COLUMN a3.notes.version IS '@orm:version'", HOOK.format("before_delete", "notes", "PERFORM 1"), HOOK.format("after_delete", "notes", "PERFORM 1"),
        HOOK.format("before_create", "lines", TEXT.format("<")), HOOK.format("after_create", "lines", TEXT.format(">"))]),
    "middleware": "SELECT corm.use('a3.pass(corm.query_context)', 'a3.notes'); SELECT corm.use('a3.without_three(corm.query_context)', 'a3.notes')",
}

NOTE = "jsonb_populate_record(NULL::a3.notes, '{{\"id\": {0}, \"body\": \"{1}\", \"mood\": \"loud\", \"pair\": {{\"x\": 7, \"y\": \"p\"}}, \"n\": {2}, \"version\": {3}}}')"


def note(key, body="back", n="70", version=1):
    return NOTE.format(key, body, n, version)


# the statements of a session; %unique is a number that none had before
READS = {
    "get": "SELECT to_json(corm.get(NULL::a3.notes, corm.where(corm.eq('id', 2))))::jsonb",
    "one": "SELECT to_json(corm.one(NULL::a3.notes, corm.where(corm.eq('id', 2))))::jsonb",
    "first": "SELECT to_json(corm.first(NULL::a3.notes, corm.where(corm.gte('id', 2))))::jsonb",
    "get_multi": "SELECT json_agg(r)::jsonb FROM corm.get_multi(NULL::a3.notes, corm.order_by('id')) r",
    "get_multi mapped": "SELECT json_agg(r)::jsonb FROM corm.get_multi(NULL::a3.note, corm.order_by('id')) r",
    "get_multi scope": "SELECT json_agg(r)::jsonb FROM corm.get_multi(NULL::a3.notes, corm.scope('noisy'), corm.order_by('id')) r",
    "get_multi cached": "SELECT json_agg(r)::jsonb FROM corm.get_multi(NULL::a3.notes, corm.where(corm.neq('id', %unique)), corm.order_by('id'), corm.cached('1 minute')) r",
    "get_multi rows": "SELECT json_agg(r)::jsonb FROM corm.get_multi(NULL::a3.notes, corm.where(corm.eq('pair', (2, 'b')::a3.pair))) r",
    "find": "SELECT to_json(corm.find(NULL::a3.notes, 2))::jsonb",
    "find mapped": "SELECT to_json(corm.find(NULL::a3.note, '2'))::jsonb",
    "find_json": "SELECT corm.find_json('a3.notes', 2, corm.preload('lines'))",
    "find_multi": "SELECT json_agg(r)::jsonb FROM corm.find_multi(NULL::a3.notes, ARRAY[3, 1, 2]) r",
    "get_json": "SELECT corm.get_json(corm.selector('a3.notes'), corm.where(corm.eq('id', 2)))",
    "first_json": "SELECT corm.first_json(corm.selector('a3.notes'), corm.where(corm.gte('id', 2)))",
    "get_multi_json": "SELECT corm.get_multi_json(corm.selector('a3.notes'), corm.select('id', 'body', 'n'), corm.preload('lines'), corm.order_by('id'))",
    "get_multi_json declared": "SELECT corm.get_multi_json(corm.selector('a3.notes'), corm.select('id'), corm.preload('declared'), corm.order_by('id'))",
    "get_multi_json extra": "SELECT corm.get_multi_json(corm.selector('a3.notes'), corm.select('id'), corm.preload('extra'), corm.order_by('id'))",
    "get_multi_json parent": "SELECT corm.get_multi_json(corm.selector('a3.lines'), corm.preload('note'), corm.order_by('id'))",
    "get_json_text": "SELECT corm.get_json_text(corm.selector('a3.notes'), corm.where(corm.eq('id', 2)))",
    "first_json_text": "SELECT corm.first_json_text(corm.selector('a3.notes'), corm.where(corm.gte('id', 2)))",
    "get_multi_json_text": "SELECT corm.get_multi_json_text(corm.selector('a3.notes'), corm.filter('{\"where\": {\"n\": {\"gt\": 10}}, \"order_by\": [\"id\"]}'))",
    "value": "SELECT corm.value(NULL::a3.word, corm.selector('a3.notes'), corm.select('body'), corm.where(corm.eq('id', 2)))",
    "value cached": "SELECT corm.value(NULL::a3.pair, corm.selector('a3.notes'), corm.select('pair'), corm.where(corm.eq('id', 2), corm.neq('id', %unique)), corm.cached('1 minute'))::text",
    "pluck": "SELECT json_agg(r)::jsonb FROM corm.pluck(NULL::a3.pair, corm.selector('a3.notes'), corm.select('pair'), corm.order_by('id')) r",
    "count": "SELECT corm.count(corm.selector('a3.notes'))",
    "count some": "SELECT corm.count(corm.selector('a3.lines'), corm.some('note', corm.gt('n', 5)))",
    "exists": "SELECT corm.exists(corm.selector('a3.notes'), corm.where(corm.eq('id', 2)))",
    "page_json": "SELECT corm.page_json(corm.selector('a3.notes'), corm.order_by('n'), corm.limit(1),"
                 " corm.after(corm.page_json(corm.selector('a3.notes'), corm.order_by('n'), corm.limit(1)) #>> '{page_info,end_cursor}'))",
    "to_sql": "SELECT corm.to_sql(corm.updater('a3.notes'), corm.set('body', 'x'), corm.where(corm.eq('id', 2)))",
    "args": f"SELECT corm.args(corm.inserter('a3.notes'), corm.rows(ARRAY[{note(5)}]))",
    "explain": "SELECT count(*) > 0 FROM corm.explain(corm.selector('a3.notes'), corm.where(corm.eq('n', '20')))",
    "explain_analyze": "SELECT count(*) > 0 FROM corm.explain_analyze(corm.updater('a3.notes'), corm.set('n', '1'), corm.where(corm.eq('id', 2)))",
    "describe": "SELECT corm.describe('a3.notes')",
    "describe_relation": "SELECT corm.describe_relation('a3.notes', 'declared')",
}
WRITES = {
    "insert": f"SELECT to_json(corm.insert({note(5)}))::jsonb",
    "insert mapped": "SELECT to_json(corm.insert(jsonb_populate_record(NULL::a3.note, '{\"id\": 5, \"body\": \"back\"}')))::jsonb",
    "insert_multi": f"SELECT json_agg(r)::jsonb FROM corm.insert_multi(ARRAY[{note(6)}, {note(5, n='null', version='null')}]) r",
    "insert_json": "SELECT corm.insert_json('a3.notes', '[{\"id\": 5, \"body\": \"back\"}, {\"id\": 6, \"n\": 7}]')",
    "insert_json children": "SELECT corm.insert_json('a3.notes', '{\"id\": 5, \"body\": \"back\", \"n\": 1, \"lines\": [{\"id\": 5, \"text\": \"x\"}],"
                            " \"tags\": [{\"id\": 1}, {\"id\": 2}, {\"id\": 3, \"label\": \"t3\"}]}')",
    "insert_json parent": "SELECT corm.insert_json('a3.lines', '{\"id\": 5, \"text\": \"x\", \"note\": {\"id\": 5, \"body\": \"back\"}}')",
    "insert_json reference": "SELECT corm.insert_json('a3.lines', '{\"id\": 6, \"text\": \"y\", \"note\": {\"id\": 2}}')",
    "insert_json connect": "SELECT corm.insert_json('a3.lines', '{\"id\": 5, \"note\": {\"$connect_or_create\": {\"id\": 2, \"body\": \"back\"}}}')",
    "insert_json hidden": "SELECT corm.insert_json('a3.lines', '{\"id\": 5, \"note\": {\"$connect_or_create\": {\"id\": 3, \"body\": \"back\"}}}')",
    "insert_json create": "SELECT corm.insert_json('a3.lines', '{\"id\": 6, \"note\": {\"$connect_or_create\": {\"id\": 6, \"body\": \"back\"}}}')",
    "update_json": "SELECT corm.update_json('a3.notes', '{\"id\": 2}', '{\"body\": \"back\", \"n\": 70}')",
    "update_json version": "SELECT corm.update_json('a3.notes', '{\"id\": 2}', '{\"id\": 2, \"mood\": \"loud\", \"version\": 1}', '{mood}')",
    "update_json missing": "SELECT corm.update_json('a3.notes', '{\"id\": 9}', '{\"body\": \"back\"}')",
    "update_json children": "SELECT corm.update_json('a3.notes', '{\"id\": 2}', '{\"body\": \"back\", \"lines\": [{\"text\": \"x\", \"id\": 5}],"
                            " \"tags\": {\"set\": [{\"id\": 2}, {\"id\": 3, \"label\": \"t3\"}]}}')",
    "update_json parent": "SELECT corm.update_json('a3.lines', '{\"id\": 1}', '{\"note\": {\"id\": 1, \"body\": \"back\"}}')",
    "update_json delete": "SELECT corm.update_json('a3.notes', '{\"id\": 1}', '{\"lines\": {\"delete\": [{\"id\": 1}]}, \"tags\": {\"remove\": [{\"id\": 1}]}}')",
    "set_related": "SELECT corm.set_related('a3.notes', '{\"id\": 2}', 'tags', '[{\"id\": 1}, {\"id\": 4, \"label\": \"t4\"}]')",
    "update": f"SELECT to_json(corm.update({note(2)}))::jsonb",
    "update stale": f"SELECT to_json(corm.update({note(1, version=7)}))::jsonb",
    "update missing": f"SELECT to_json(corm.update({note(9)}))::jsonb",
    "update mapped": "SELECT to_json(corm.update(jsonb_populate_record(NULL::a3.note, '{\"id\": 2, \"body\": \"back\"}')))::jsonb",
    "update_multi": f"SELECT json_agg(r)::jsonb FROM corm.update_multi(ARRAY[{note(2)}, {note(1)}]) r",
    "update_multi stale": f"SELECT json_agg(r)::jsonb FROM corm.update_multi(ARRAY[{note(1)}, {note(3, version=7)}]) r",
    "save": f"SELECT to_json(corm.save({note(2)}))::jsonb",
    "save new": f"SELECT to_json(corm.save({note(5)}))::jsonb",
    "save stale": f"SELECT to_json(corm.save({note(1, version=7)}))::jsonb",
    "delete": f"SELECT corm.delete({note(3)})",
    "exec": "SELECT corm.exec(corm.updater('a3.notes'), corm.set('body', 'set'), corm.where(corm.gte('id', 1)))",
    "exec delete": "SELECT corm.exec(corm.deleter('a3.notes'), corm.where(corm.eq('id', 3)))",
    "exec rows": f"SELECT corm.exec(corm.inserter('a3.notes'), corm.rows(ARRAY[{note(6)}, {note(5, n='null')}]))",
    "restore": "SELECT corm.restore(corm.selector('a3.notes'), corm.where(corm.eq('id', 2)))",
    "get_multi updater": "SELECT json_agg(r ORDER BY id)::jsonb FROM corm.get_multi(NULL::a3.notes, corm.updater('a3.notes'), corm.set('n', 5), corm.where(corm.gte('id', 2))) r",
    "get_multi_json returning": "SELECT corm.get_multi_json(corm.updater('a3.notes'), corm.set('n', 5), corm.where(corm.eq('id', 3)), corm.returning('id', 'body'))",
    "upsert": "SELECT json_agg(r)::jsonb FROM corm.get_multi(NULL::a3.notes, corm.inserter('a3.notes'),"
              " corm.rows('[{\"id\": 1, \"body\": \"up\"}, {\"id\": 5, \"body\": \"back\", \"n\": 3}]'::jsonb), corm.on_conflict('id'), corm.do_update('body')) r",
    "upsert_json": "SELECT corm.upsert_json('a3.notes', '[{\"id\": 1, \"n\": null}, {\"id\": 5, \"body\": \"back\"}]')",
    "upsert rows": f"SELECT json_agg(r)::jsonb FROM corm.get_multi(NULL::a3.notes, corm.inserter('a3.notes'), corm.rows(ARRAY[{note(5)}, {note(1)}]), corm.on_conflict('id'), corm.do_update()) r",
}
OTHERS = {"plan_cache_stats", "exact_json", "cached_explain"}  # functions of sql/50_verbs.sql that read no rows
TESTED_ELSEWHERE = {"cache-evict", "cache-expired", "fetch-load", "fetch-loaded"}  # points of the cache: test/modules/corm_test/specs, test/oracle/fresh.py
# of commits, of answers that are followed, of workers and of messages: test/modules/corm_test/specs, test/oracle/mutants.py,
# test/t/110_workers.pl, messages_faults.py
OTHER_SUBJECTS = ("ack-", "effects-", "fresh-", "receive-", "work-")

CONTENTS = "SELECT * FROM a3.contents()"

# what PostgreSQL or corm says where the caller's own statement holds values of the row type as it was
OF_THE_CALLER = ("42804", "22P07")

# what makes sessions forget all models and plans
FORGET = "; ".join(f"COMMENT ON {what} IS NULL" for what in ("TABLE a3.notes", "TABLE a3.lines", "TABLE a3.tags", "TABLE a3.notes_tags", "COLUMN a3.note.id"))


class Change:
    """What the other session does, and what undoes it; without that all is made anew."""

    def __init__(self, sql, undo=None, locks=False, nothing=False, renames=(), error=None):
        self.sql, self.undo, self.locks, self.nothing, self.renames = sql, undo, locks, nothing, renames
        self.error = error  # what says that the query, made before, is not for the model as it is now

    def same(self, a, b):
        """Whether two answers are the same, but for the names that the change has given to what is there."""
        return a[0] == b[0] and (a[0] != "" or self.plain(a) == self.plain(b))

    def plain(self, answer):
        text = str(answer)
        for new, old in self.renames:
            text = text.replace(new, old)
        return text


TAG = "COMMENT ON COLUMN a3.notes.{} IS {}"
CHANGES = {
    "nothing: analyze": Change("ANALYZE a3.notes", "SELECT 1", nothing=True),
    "nothing: comment": Change("COMMENT ON COLUMN a3.notes.n IS 'a number'", "COMMENT ON COLUMN a3.notes.n IS NULL", nothing=True),
    "comment soft_delete": Change(TAG.format("deleted_at", "'@orm:soft_delete'"), TAG.format("deleted_at", "NULL")),
    "comment version": Change(TAG.format("version", "'@orm:version'"), TAG.format("version", "NULL")),
    "comment no version": Change(TAG.format("version", "NULL"), TAG.format("version", "'@orm:version'")),
    "comment name": Change(TAG.format("n", "'@orm:name=number'"), TAG.format("n", "NULL")),
    "comment read_only": Change(TAG.format("n", "'@orm:read_only'"), TAG.format("n", "NULL"), error="OR012"),
    "comment type": Change("COMMENT ON COLUMN a3.note.body IS '@orm:column=mood'", "COMMENT ON COLUMN a3.note.body IS NULL"),
    "register": Change("SELECT corm.register('a3.notes', '{\"soft_delete\": \"deleted_at\", \"naming\": \"camel\"}')", "SELECT corm.unregister('a3.notes')"),
    "define_scope default": Change("SELECT corm.define_scope('a3.notes', 'live', corm.where(corm.is_null('deleted_at')), is_default => true)", "SELECT corm.drop_scope('a3.notes', 'live')"),
    "define_scope": Change("SELECT corm.define_scope('a3.notes', 'noisy', corm.where(corm.eq('id', 1)))", "SELECT corm.define_scope('a3.notes', 'noisy', corm.where(corm.eq('mood', 'loud')))"),
    "drop_scope": Change("SELECT corm.drop_scope('a3.notes', 'noisy')", "SELECT corm.define_scope('a3.notes', 'noisy', corm.where(corm.eq('mood', 'loud')))"),
    "use": Change("SELECT corm.use('a3.without_three(corm.query_context)', 'a3.notes', priority => 50)", "SELECT corm.unuse(id) FROM corm.middleware WHERE priority = 50"),
    "unuse": Change("SELECT corm.unuse(id) FROM corm.middleware WHERE fn::text ~ 'without_three' AND priority = 100",
                    "SELECT corm.use('a3.without_three(corm.query_context)', 'a3.notes')"),
    "relate": Change("SELECT corm.relate('a3.notes', 'extra', 'has_many', 'a3.lines', '{id}', '{note_id}', condition => corm.gt('id', 1))", "SELECT corm.unrelate('a3.notes', 'extra')"),
    "relate again": Change("SELECT corm.relate('a3.notes', 'declared', 'has_many', 'a3.lines', '{id}', '{id}')",
                           "SELECT corm.relate('a3.notes', 'declared', 'has_many', 'a3.lines', '{id}', '{note_id}')"),
    "unrelate": Change("SELECT corm.unrelate('a3.notes', 'declared')", "SELECT corm.relate('a3.notes', 'declared', 'has_many', 'a3.lines', '{id}', '{note_id}')"),
    "add column": Change("ALTER TABLE a3.notes ADD COLUMN more int DEFAULT 5", locks=True, renames=[('"more": 5', '"more": null')]),
    "drop column": Change("ALTER TABLE a3.notes DROP COLUMN n", locks=True),
    "alter column": Change("ALTER TABLE a3.notes ALTER COLUMN n TYPE text", locks=True),
    "rename column": Change("ALTER TABLE a3.notes RENAME COLUMN n TO m", "ALTER TABLE a3.notes RENAME COLUMN m TO n", locks=True, renames=[('"m": ', '"n": ')]),
    "rename table": Change("ALTER TABLE a3.lines RENAME TO strophes", "ALTER TABLE a3.strophes RENAME TO lines", locks=True),
    "drop constraint": Change("ALTER TABLE a3.lines DROP CONSTRAINT lines_note_id_fkey", "ALTER TABLE a3.lines ADD FOREIGN KEY (note_id) REFERENCES a3.notes", locks=True),
    "alter column of lines": Change("ALTER TABLE a3.lines ALTER COLUMN text TYPE varchar", "ALTER TABLE a3.lines ALTER COLUMN text TYPE text", locks=True),
    "alter type enum": Change("ALTER TYPE a3.mood RENAME VALUE 'loud' TO 'noisy'", "ALTER TYPE a3.mood RENAME VALUE 'noisy' TO 'loud'", renames=[('noisy', 'loud')]),
    "alter type add value": Change("ALTER TYPE a3.mood ADD VALUE 'mad'"),
    "alter type rename attribute": Change("ALTER TYPE a3.pair RENAME ATTRIBUTE y TO z", "ALTER TYPE a3.pair RENAME ATTRIBUTE z TO y", locks=True, renames=[('"z": ', '"y": ')]),
    "alter type add attribute": Change("ALTER TYPE a3.pair ADD ATTRIBUTE z int", locks=True, renames=[(', "z": null', "")]),
    "alter type of mapped": Change("ALTER TYPE a3.note ALTER ATTRIBUTE body TYPE varchar", "ALTER TYPE a3.note ALTER ATTRIBUTE body TYPE text", locks=True),
    "alter type of mapped, int": Change("ALTER TYPE a3.note DROP ATTRIBUTE body, ADD ATTRIBUTE n int", locks=True),
    "alter domain": Change("ALTER DOMAIN a3.word ADD CONSTRAINT c CHECK (VALUE NOT LIKE 'back%')", "ALTER DOMAIN a3.word DROP CONSTRAINT c", locks=True),
    "create hook": Change(HOOK.format("before_update", "notes", BODY.format("!")), "DROP FUNCTION a3.before_update", renames=[("!", "")]),
    "create hook of lines": Change(HOOK.format("before_save", "lines", TEXT.format("!")), "DROP FUNCTION a3.before_save(a3.lines)"),
    "create after_find": Change(HOOK.format("after_find", "notes", BODY.format("?")), "DROP FUNCTION a3.after_find"),
    "drop hook": Change("DROP FUNCTION a3.before_save(a3.notes)", HOOK.format("before_save", "notes", BODY.format("<"))),
    "replace hook": Change(HOOK.format("after_save", "notes", BODY.format("&")), HOOK.format("after_save", "notes", BODY.format(">")), renames=[("&", ">")]),
    "drop middleware": Change("DROP FUNCTION a3.pass(corm.query_context)"),
}
# by verb and point: what is made there in each run, because it would find a bug that shows nowhere else
ALWAYS = {("update", "plan-deparsed"): ("create hook",)}
# in which worlds there is nothing to change
NOT_IN = {"comment version": ("hooks",), "comment no version": ("plain", "middleware"), "drop middleware": ("plain", "hooks"), "unuse": ("plain", "hooks"), "use": ("middleware",), "drop hook": ("plain", "middleware"), "replace hook": ("plain", "middleware")}


class Waiting(Session):
    """A session whose command may wait at a fault point, which it says by a message."""

    def open(self):
        super().open()
        self.connection.notice_handler = self.notice
        self.warnings, self.met = [], False

    def notice(self, result):
        severity = result.error_field(pq.DiagnosticField.SEVERITY_NONLOCALIZED)
        if severity == b"INFO":
            self.met = True
        elif severity == b"WARNING":
            self.warnings.append(result.error_message.decode().strip())

    def start(self, sql):
        """Sends a command; True if it waits now, False if it has ended."""
        self.met = False
        self.connection.send_query(sql.encode())
        while self.connection.is_busy() and not self.met:
            select.select([self.connection.socket], [], [])
            self.connection.consume_input()
        return self.met

    def finish(self):
        """(sqlstate, rows) of the command that was sent."""
        answer = LOST, []
        while True:
            result = self.connection.get_result()
            if result is None:
                return answer
            if result.status == pq.ExecStatus.TUPLES_OK:
                answer = "", [tuple(None if (value := result.get_value(row, column)) is None else value.decode() for column in range(result.nfields)) for row in range(result.ntuples)]
            elif result.status == pq.ExecStatus.COMMAND_OK:
                answer = "", []
            else:
                self.message = (result.error_message or b"").decode().strip()
                answer = (result.error_field(pq.DiagnosticField.SQLSTATE) or LOST.encode()).decode(), []
                if answer[0] == LOST:
                    return answer


class World:
    """One database, in which one world after the other is made, and two sessions at work in it."""

    lock = threading.Lock()
    unique = 0

    def __init__(self, database, report):
        self.database, self.report = database, report
        self.verb, self.other = Waiting("verb", database), Session("other", database)
        self.prepare_other()
        self.other.must("CREATE EXTENSION corm; CREATE EXTENSION corm_test")
        self.prepare_verb()

    def prepare_other(self):
        self.other.must("SET deadlock_timeout = '1min'; SET client_min_messages = error")

    def prepare_verb(self):
        self.verb.must("SET deadlock_timeout = '1min'")

    def make(self, world):
        self.world = world
        self.other.must(SETUP + WORLDS[world])

    def fresh(self):
        self.verb.close()
        self.verb.open()
        self.prepare_verb()

    def renew(self):
        """New sessions, and catalogs without dead rows.  PL/pgSQL keeps the plans of functions that are gone, and each change looks at all."""
        self.other.close()
        self.other.open()
        self.prepare_other()
        self.other.must("VACUUM")
        self.fresh()

    def text(self, sql):
        """A verb as it is sent, with a number that no statement had before."""
        with World.lock:
            World.unique += 1
            return sql.replace("%unique", str(World.unique + 1000))

    def answer(self, started=None, sql=None):
        """What a verb says, and leaves behind if it writes, in a transaction that is rolled back."""
        if sql:
            self.verb.must("BEGIN")
            sqlstate, rows = self.verb.run(sql)
        else:
            sqlstate, rows = started
        if sqlstate == LOST:
            return LOST, getattr(self.verb, "message", "")
        if sqlstate:
            answer = sqlstate, self.verb.message
        else:
            answer = "", rows, self.verb.must(CONTENTS) if self.writes else []
        self.verb.must("ROLLBACK")
        return answer

    def undo(self, change):
        if change.undo:
            self.other.must(change.undo)
        else:
            self.make(self.world)

    def apply(self, change):
        """Makes a change; False if it would have to wait for a lock."""
        if not change.locks:
            self.other.must(change.sql)
            return True
        sqlstate, _ = self.other.run(f"SET LOCAL lock_timeout = 1; {change.sql}")
        if sqlstate not in ("", "55P03"):
            raise RuntimeError(f"{sqlstate} {self.other.message}\nin: {change.sql}")
        return not sqlstate

    def points(self, sql, warm):
        """The points that a verb comes by, in order.  Autovacuum's messages may add some to one record: two must agree."""
        last = None
        for _ in range(10):
            record = self.record(sql, warm)
            if record == last:
                return record
            last = record
        raise RuntimeError(f"the points differ each time: {sql}")

    def record(self, sql, warm):
        self.fresh()
        self.answer(sql=self.text(sql))
        sql = self.text(sql)
        if warm:
            self.answer(sql=sql)
        else:
            self.other.must(FORGET)
        self.verb.must("SELECT corm_test.trace()")
        self.answer(sql=sql)
        return self.verb.must("SELECT corm_test.points()")[0][0].split()

    def meet(self, statement, before, after, place, change_name):
        """One combination; says what is wrong, or ""."""
        point, turn, warm = place
        change = CHANGES[change_name]
        # autovacuum's messages may let a plan be made anew that would have been found: then once more
        for _ in range(5):
            sql = self.text(statement)
            if warm:
                self.answer(sql=sql)
            self.other.must(f"{'' if warm else FORGET}; SELECT pg_advisory_lock({GATE})")
            self.verb.must(f"BEGIN; SELECT corm_test.meet_at('{point}', {turn}, {GATE})")
            waited = self.verb.start(sql)
            changed = self.apply(change) if waited else False
            self.other.must("SELECT pg_advisory_unlock_all()")
            answer = self.answer(self.verb.finish())
            if waited:
                break
        wrong = []
        if not waited:
            wrong.append("it did not come there")
        elif not changed:
            if not same(answer, before):
                wrong.append(f"nothing was changed, and the answer is {shown(answer)}\ninstead of {shown(before)}")
        elif change.nothing:
            # 55006 instead of an error about names: nothing told whether the invalidation had to do with it
            if not (same(answer, before) or before[0] and answer[0] == "55006"):
                wrong.append(f"nothing was changed, and the answer is {shown(answer)}\ninstead of {shown(before)}")
        elif not (change.same(answer, before) or change.same(answer, after) or answer[0] in ("55006", change.error) or
                  change.locks and answer[0] in OF_THE_CALLER):
            wrong.append(f"the answer is {shown(answer)}\ninstead of {shown(before)}\n  or {shown(after)}")
        again = self.answer(sql=sql) if changed and answer[0] != LOST else None
        if again and not same(again, after):
            wrong.append(f"the second answer is {shown(again)}\ninstead of {shown(after)}")
        if LOST in (answer[0], again[0] if again else ""):
            self.recover()
        if self.verb.warnings:
            wrong.append("; ".join(self.verb.warnings))
            self.verb.warnings = []
        if changed:
            self.undo(change)
        self.outcomes["blocked" if not changed else "55006" if answer[0] == "55006" else "before" if same(answer, before) else "after" if same(answer, after) else "other"] += 1
        return "\n".join(wrong)

    def recover(self):
        for _ in range(300):
            time.sleep(0.1)
            try:
                self.other.open()
                self.prepare_other()
                self.fresh()
                break
            except (ConnectionError, RuntimeError):
                pass


def same(a, b):
    return a[0] == b[0] and (a[0] != "" or a == b)


def shown(answer):
    return " ".join(str(part) for part in answer)


def places_of(world, sql):
    """Where a verb is met: (point, how many times before and this, in a session that has run it before)."""
    places = []
    for warm in (False, True):
        turns = collections.Counter()
        for point in world.points(sql, warm):
            turns[point] += 1
            if warm and any(place[:2] == (point, turns[point]) for place in places):
                continue
            places.append((point, turns[point], warm))
    return places


def verbs_of(name):
    if name == "plain":
        return {**READS, **WRITES}
    return WRITES if name == "hooks" else {**{verb: READS[verb] for verb in MIDDLEWARE_READS}, **WRITES}


MIDDLEWARE_READS = ["get", "get_multi", "get_multi mapped", "get_multi cached", "get_multi_json", "get_json_text", "page_json", "count some", "explain_analyze"]


class Report:
    """TAP, from several threads."""

    def __init__(self):
        self.count = self.failed = 0
        self.lock = threading.Lock()
        self.reached = set()

    def __call__(self, wrong, name):
        with self.lock:
            self.count += 1
            self.failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {self.count} - {name}", flush=True)
            for line in wrong.split("\n") if wrong else []:
                print(f"#   {line}", flush=True)


def chosen(changes, verb, turn, place, seen, options):
    """The changes of one place.  All of them, or some, others in each turn: more where a point is new, and those of ALWAYS."""
    every = 1 if options.all or options.change else 30 if place[0] in seen else 6
    seen.add(place[0])
    always = ALWAYS.get((verb, place[0]), ())
    return [change for number, change in enumerate(changes) if (number + turn) % every == 0 or change in always]


def run_world(world, name, verbs, options):
    """Meets some verbs, each (number, name, statement), at all their points."""
    world.outcomes = collections.Counter()
    world.make(name)
    changes = [change for change in CHANGES if name not in NOT_IN.get(change, ()) and (not options.change or change in options.change)]
    before, after, places, seen = {}, {}, {}, set()
    for _, verb, sql in verbs:
        world.writes = verb in WRITES
        places[verb] = places_of(world, sql)
        world.report.reached.update(place[0] for place in places[verb])
        world.fresh()
        before[verb] = world.answer(sql=world.text(sql))
    for change in changes:
        world.other.must(CHANGES[change].sql)
        world.fresh()
        for _, verb, sql in verbs:
            world.writes = verb in WRITES
            after[verb, change] = world.answer(sql=world.text(sql))
        world.undo(CHANGES[change])
    for number, verb, sql in verbs:
        world.writes = verb in WRITES
        for index, place in enumerate(places[verb]):
            if index % 10 == 0:
                world.renew()
            if options.point and place[0] not in options.point:
                continue
            wrong = []
            some = chosen(changes, verb, number + index, place, seen, options)
            for change in some:
                said = world.meet(sql, before[verb], after[verb, change], place, change)
                if said:
                    wrong.append(f"{change}: {said}")
            title = f"{name}: {verb} at {place[0]} {place[1]}{' again' if place[2] else ''}"
            world.report("\n".join(wrong), f"{title}: {len(some)} changes")
    return world.outcomes


def check_complete(report):
    source = "".join(path.read_text() for path in (TOP / "src").rglob("*.c"))
    points = set(re.findall(r'^\s*CORM_FAULT\("([^"]+)"\);', source, re.M))
    missing = {point for point in points - report.reached - TESTED_ELSEWHERE if not point.startswith(OTHER_SUBJECTS)}
    report(f"no verb comes by {sorted(missing)}" if missing else "", "all fault points of the source are met")
    functions = set(re.findall(r"CREATE FUNCTION corm\.(\w+)\(", (TOP / "sql" / "50_verbs.sql").read_text()))
    calls = " ".join([*READS.values(), *WRITES.values()])
    missing = {function for function in functions - OTHERS if not re.search(rf"corm\.{function}\(", calls)}
    report(f"not called: {sorted(missing)}" if missing else "", "all functions of sql/50_verbs.sql are met")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--world", action="append")
    parser.add_argument("--verb", action="append")
    parser.add_argument("--point", action="append")
    parser.add_argument("--change", action="append")
    parser.add_argument("--all", action="store_true", help="every change at every place, which is fifteen times as many")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()

    report, outcomes, tasks = Report(), collections.Counter(), collections.deque()
    for name in options.world or WORLDS:
        verbs = [verb for verb in verbs_of(name) if not options.verb or verb in options.verb]
        numbered = [(number, verb, verbs_of(name)[verb]) for number, verb in enumerate(verbs)]
        tasks.extend((name, numbered[first:first + 8]) for first in range(0, len(numbered), 8))

    def work(database):
        admin = Session("admin")
        try:
            admin.must(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            admin.must(f"CREATE DATABASE {database}")
            world = World(database, report)
            while tasks:
                name, verbs = tasks.popleft()
                outcomes.update(run_world(world, name, verbs, options))
        except Exception:  # the rest of this worker's share is lost: a failure
            report(traceback.format_exc(), f"{database} goes on")
        admin.run(f"DROP DATABASE {database} WITH (FORCE)")

    threads = [threading.Thread(target=work, args=(f"corm_changes_{number}",)) for number in range(options.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not (options.world or options.verb or options.point):
        check_complete(report)
        report("" if min(outcomes[kind] for kind in ("before", "after", "55006", "blocked")) > 0 else str(outcomes), "there is every kind of outcome")
    print(f"# {dict(outcomes)}")
    print(f"1..{report.count}")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
