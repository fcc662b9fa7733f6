"""Random filters inside of all bounds: none stops the server, each mistake is the client's, each answer is SQL's own.  (hardening 49)

    test/drivers/filter_fuzz.py [COUNT [SEED]]

Without arguments 2,000 of a fixed seed.  A filter fails if its error is of another kind than those that a client may see
(docs/filters.md), if it takes longer than half a minute, or if it finds other rows than SQL made of it here.  What fails is
printed with its number; the seed makes it again.  Runs in a database with corm; libpq's variables say where.  The output is TAP.
"""

import json
import os
import random
import re
import sys

import psycopg

COUNT = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CORM_FUZZ_FILTERS", 2000))
SEED = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("CORM_FUZZ_SEED", 1))

SCHEMA = """
CREATE SCHEMA fuzz;
SET search_path = fuzz, public;
CREATE DOMAIN fuzz.positive AS int CHECK (VALUE > 0);
CREATE DOMAIN fuzz.word AS text CHECK (VALUE ~ '^[a-z]*$');
CREATE TYPE fuzz.mood AS ENUM ('sad', 'ok', 'glad');
CREATE TYPE fuzz.pair AS (a int, b text);
CREATE TYPE fuzz.odd AS (a int, j json);
CREATE TABLE fuzz.item (
    id int PRIMARY KEY, parent_id int REFERENCES fuzz.item, i8 bigint, n numeric, f float8, r real, t text, v varchar(20), ch char(5),
    b boolean, d date, ts timestamp, tz timestamptz, iv interval, u uuid, m fuzz.mood, p fuzz.positive, w fuzz.word, j json, jb jsonb,
    ai int[], at text[], am fuzz.mood[], aj json[], rg int4range, mr nummultirange, pt point, bx box, ip inet, bits bit(4), ba bytea,
    tv tsvector, tq tsquery, x xml, pr fuzz.pair, od fuzz.odd, cl regclass, nm name, mo money, pts point[], prs fuzz.pair[], secret text);
COMMENT ON COLUMN fuzz.item.secret IS '@orm:filterable=false';
CREATE TABLE fuzz.note (id int PRIMARY KEY, item_id int REFERENCES fuzz.item, t text, n int NOT NULL);
INSERT INTO fuzz.item SELECT i, nullif(i / 3, 0), i * 1000000000::bigint, i / 10.0, i / 4.0, i / 10.0, chr(96 + i), 'v' || i, 'c' || i, i % 2 = 0, '2020-01-01'::date + i,
    '2020-01-01'::timestamp + i * interval '1 hour', '2020-01-01 00:00+00'::timestamptz + i * interval '1 hour', i * interval '1 day',
    ('00000000-0000-0000-0000-00000000000' || i)::uuid, (ARRAY['sad', 'ok', 'glad'])[i % 3 + 1]::fuzz.mood, i, chr(96 + i), '{}', jsonb_build_object('a', i),
    ARRAY[i, i + 1], ARRAY[chr(96 + i)], ARRAY['ok']::fuzz.mood[], NULL, int4range(i, i + 3), nummultirange(numrange(i, i + 2)), point(i, i), box(point(i, i), point(0, 0)),
    ('10.0.0.' || i)::inet, (i % 16)::bit(4), '\\x01', to_tsvector('simple', 'fat cat ' || i), 'cat', NULL, ROW(i, 'b')::fuzz.pair, NULL, 'pg_class', 'n' || i, i, NULL, NULL, 's'
    FROM generate_series(1, 8) i;
INSERT INTO fuzz.item (id) VALUES (9), (10);
INSERT INTO fuzz.note SELECT i, i % 8 + 1, chr(96 + i % 5), i FROM generate_series(1, 20) i;
CREATE INDEX ON fuzz.item (t, i8); CREATE INDEX ON fuzz.item USING gin (jb); CREATE INDEX ON fuzz.note (item_id, n);
ANALYZE fuzz.item; ANALYZE fuzz.note;
"""

OPS = ("eq neq lt lte gt gte like not_like ilike not_ilike regex iregex starts_with ends_with contains icontains in not_in between is_null "
       "is_not_null is_distinct_from has_key overlaps matches").split()
# what SQL says the same: fields whose values are made to fit
PLAIN = {"id": "int", "i8": "bigint", "n": "numeric", "f": "float8", "t": "text", "v": "varchar", "b": "boolean", "d": "date", "m": "fuzz.mood", "u": "uuid"}
SQL_OPS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "like": "LIKE", "not_like": "NOT LIKE", "ilike": "ILIKE",
           "is_distinct_from": "IS DISTINCT FROM"}
NUMBERS = ("int", "bigint", "numeric", "float8")
# OR001: a write by a filter that has no condition
ALLOWED = re.compile(r"OR020|OR021|OR004|OR001|42703|42501|22...")

rnd = random.Random(SEED)
number = 0


def check(name, good, detail=""):
    """One TAP line."""
    global number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {name}")
    if not good:
        print("\n".join("# " + line for line in str(detail).splitlines()))


def quote(value):
    return "'" + str(value).replace("'", "''") + "'"


class Conditions:
    """Conditions with the SQL that says the same; sql is None from the first one that has none here."""

    def __init__(self, hostile):
        self.hostile = hostile
        self.relations = 0

    def value(self, kind):
        if kind in NUMBERS:
            return rnd.choice([rnd.randint(-2, 12), rnd.randint(0, 9) / 10 if kind in ("numeric", "float8") else rnd.randint(0, 9), 3000000000 if kind != "int" else 7])
        if kind == "boolean":
            return rnd.choice([True, False])
        if kind == "date":
            return f"2020-01-{rnd.randint(1, 12):02}"
        if kind == "fuzz.mood":
            return rnd.choice(["sad", "ok", "glad"])
        if kind == "uuid":
            return f"00000000-0000-0000-0000-00000000000{rnd.randint(0, 9)}"
        return rnd.choice(["a", "b", "v3", "", "A", "%", "_", "a\\_", "it's", "c%"])

    def literal(self, value, kind):
        return "NULL" if value is None else str(value) if kind in NUMBERS else f"{quote(str(value).lower() if kind == 'boolean' else value)}::{kind}"

    def plain_leaf(self, alias):
        field = rnd.choice(list(PLAIN))
        kind = PLAIN[field]
        column = f"{alias}.{field}"
        op = rnd.choice(["eq", "neq", "lt", "lte", "gt", "gte", "in", "not_in", "between", "is_null", "is_not_null", "is_distinct_from"] +
                        (["like", "not_like", "ilike", "starts_with", "ends_with", "contains", "icontains"] if kind in ("text", "varchar") else []))
        if kind == "boolean" and op in ("in", "not_in", "between"):
            op = "eq"
        if op in ("is_null", "is_not_null"):
            flag = rnd.choice([True, False])
            return {field: {op: flag}}, f"{column} IS {'NULL' if flag == (op == 'is_null') else 'NOT NULL'}"
        if op in ("in", "not_in"):
            values = [self.value(kind) for _ in range(rnd.randint(0, 4))] + ([None] if rnd.random() < 0.1 else [])
            array = f"ARRAY[{', '.join(self.literal(v, kind) for v in values)}]::{kind if kind != 'int' else 'bigint'}[]"
            return {field: {op: values}}, f"{column} {'= ANY' if op == 'in' else '<> ALL'} ({array})"
        if op == "between":
            low, high = self.value(kind), self.value(kind)
            return {field: {op: [low, high]}}, f"({column} >= {self.literal(low, kind)} AND {column} <= {self.literal(high, kind)})"
        value = self.value(kind)
        if op in ("starts_with", "ends_with", "contains", "icontains"):
            left, right = (f"lower({column})", f"lower({quote(value)})") if op == "icontains" else (column, quote(value))
            return {field: {op: value}}, {"starts_with": f"starts_with({left}, {right})", "ends_with": f"right({left}, length({right})) = {right}"}.get(op, f"strpos({left}, {right}) > 0")
        if op == "eq" and rnd.random() < 0.2:
            value = None
            return {field: None}, f"{column} IS NULL"
        return {field: {op: value}}, f"{column} {SQL_OPS[op]} {self.literal(value, kind)}"

    def hostile_leaf(self):
        field = rnd.choice(FIELDS + ["secret", "nosuch", "parent.t", "parent.parent.jb", "notes.t", "note", "parent", "item.t", "tableoid", "ctid", "", "\u00e4", "a" * 100])
        value = lambda: rnd.choice([None, True, 0, 1, -1, 0.1, 1e30, 2**70, "", "a", "1", "{}", "{1,2}", "[1,3)", "(1,2)", "2020-01-01", "infinity", "NaN", "\\", "%\\", "(", "a & b", "a b",
                                    "it's", "pg_class", "nosuch", "ok", "\u00e4", "$1", "1 day", "x" * 3000, "{[1,2)}", "101", "\\xff", "10.0.0.1", "<a/>", "t"])
        simple = rnd.random()
        if simple < 0.15:
            return {field: value()}
        operand = rnd.choice([value, value, value, lambda: [value() for _ in range(rnd.randint(0, 5))], lambda: [value(), value()], lambda: {"a": value()}, lambda: [[value()]]])()
        return {field: {rnd.choice(OPS + ["nosuch", "raw", "search", "path"] if rnd.random() < 0.05 else OPS): operand}}

    def leaf(self, alias):
        if self.hostile and rnd.random() < 0.5 or alias is None:
            return self.hostile_leaf(), None
        return self.plain_leaf(alias)

    def condition(self, alias, depth):
        """A condition over the rows of alias, of table fuzz.item (None: another)."""
        kind = rnd.random()
        if depth <= 0 or kind < 0.35:
            return self.leaf(alias)
        if kind < 0.6:
            word = rnd.choice(["and", "or"])
            parts = [self.condition(alias, depth - 1) for _ in range(rnd.randint(0, 4))]
            sql = None if any(s is None for _, s in parts) else "(" + f" {word.upper()} ".join(s for _, s in parts) + ")" if parts else {"and": "true", "or": "false"}[word]
            return {word: [p for p, _ in parts]}, sql
        if kind < 0.7:
            part, sql = self.condition(alias, depth - 1)
            return {"not": part}, None if sql is None else f"(NOT ({sql}))"
        if self.relations >= 20 or alias is None:
            return self.leaf(alias)
        self.relations += 1
        inner = f"x{self.relations}"
        if rnd.random() < 0.5:
            word = rnd.choice(["is", "is_not"])
            part, sql = self.condition(inner, depth - 1)
            return {"parent": {word: part}}, None if sql is None else f"{'NOT ' if word == 'is_not' else ''}EXISTS (SELECT FROM fuzz.item {inner} WHERE {inner}.id = {alias}.parent_id AND ({sql}))"
        word = rnd.choice(["some", "every", "none"])
        part, sql = self.condition(inner, depth - 1)
        if sql is not None:
            test = f"({sql}) IS NOT TRUE" if word == "every" else f"({sql})"
            sql = f"{'' if word == 'some' else 'NOT '}EXISTS (SELECT FROM fuzz.item {inner} WHERE {inner}.parent_id = {alias}.id AND {test})"
        return {"item": {word: part}}, sql


def document(hostile, depth=None):
    """A whole filter and the SQL of its condition."""
    conditions = Conditions(hostile)
    spec = {}
    depth = depth if depth is not None else rnd.choice([1, 2, 3, 4, 6, 9])
    spec["where"], sql = conditions.condition("i", depth)
    if hostile:
        names = FIELDS + ["parent.t", "nosuch", "secret", "item"]
        if rnd.random() < 0.3:
            spec["select"] = [rnd.choice(names if rnd.random() < 0.2 else FIELDS) for _ in range(rnd.randint(0, 5))]
        if rnd.random() < 0.4:
            spec["order_by"] = [rnd.choice(["", "-"]) + rnd.choice(names if rnd.random() < 0.2 else FIELDS) for _ in range(rnd.randint(0, 5))]
        if rnd.random() < 0.3:
            spec["limit"] = rnd.choice([0, 1, 3, 1000, 1001, -1, "a", 1.5])
        if rnd.random() < 0.1:
            spec[rnd.choice(["after", "before"])] = rnd.choice([None, "", "x", "YWJj", cursors and rnd.choice(cursors)])
        if rnd.random() < 0.2:
            spec["preload"] = {rnd.choice(["item", "parent", "note", "nosuch", "parent.item", "Item"]): rnd.choice([True, False, {"limit": 1}, {"order_by": ["-id"]}, {"where": {"id": 1}}, {"preload": {"item": True}}, 5])
                               for _ in range(rnd.randint(1, 3))}
        if rnd.random() < 0.02:
            spec["nosuch"] = 1
    return spec, sql


VERBS = [
    "SELECT corm.count(corm.selector('fuzz.item'), corm.filter(%s::jsonb))",
    "SELECT corm.get_multi_json(corm.selector('fuzz.item'), corm.filter(%s::text))",
    "SELECT corm.get_multi_json(corm.selector('fuzz.item'), corm.guard('fuzz.item', corm.in('id', 1, 2, 3)), corm.filter(%s::jsonb))",
    "SELECT corm.get_multi_json(corm.selector('fuzz.item'), corm.select('id'), corm.preload('item'), corm.order_by('id'), corm.filter(%s::jsonb))",
    "SELECT count(*) FROM corm.get_multi(NULL::fuzz.item, corm.filter(%s::jsonb))",
    "SELECT corm.first_json(corm.selector('fuzz.item'), corm.filter(%s::jsonb))",
    "SELECT corm.exists(corm.selector('fuzz.item'), corm.filter(%s::jsonb))",
    "SELECT corm.page_json(corm.selector('fuzz.item'), corm.limit(3), corm.filter(%s::jsonb)) #>> '{page_info,end_cursor}'",
    "SELECT corm.page_json(corm.selector('fuzz.item'), corm.limit(3), corm.filter(%s::jsonb)) #>> '{page_info,end_cursor}'",
    "SELECT corm.exec(corm.updater('fuzz.item'), corm.set('secret', 'x'), corm.filter((%s::jsonb - '{select,order_by,limit,offset,after,before,preload}'::text[])))",
]

cursors = []
connection = psycopg.connect("", autocommit=True)
connection.execute("SET client_min_messages = warning")
for statement in SCHEMA.split(";\n"):
    if statement.strip():
        connection.execute(statement)
FIELDS = [row[0] for row in connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'fuzz.item'::regclass AND attnum > 0 AND attname <> 'secret' ORDER BY attnum")]
connection.execute("SET statement_timeout = '30s'")
connection.execute("SET xmloption = content")

foreign = []
different = []
answered = compared = 0
for turn in range(COUNT):
    hostile = rnd.random() < 0.6
    spec, sql = document(hostile)
    text = json.dumps(spec)
    try:
        if not hostile or sql is not None and rnd.random() < 0.5:
            got = connection.execute("SELECT coalesce(corm.get_multi_json(corm.selector('fuzz.item'), corm.select('id'), corm.order_by('id'), corm.filter(jsonb_build_object('where', %s::jsonb -> 'where'))), '[]')",
                                     (text,)).fetchone()[0]
            answered += 1
            if sql is not None:
                wanted = [{"id": row[0]} for row in connection.execute(f"SELECT i.id FROM fuzz.item i WHERE {sql} ORDER BY 1".replace("%", "%%"), ())]
                compared += 1
                if got != wanted:
                    different.append(f"{turn}: {text}\n{sql}\ngot {got}\nwanted {wanted}")
        else:
            verb = rnd.choice(VERBS)
            row = connection.execute(verb, (text,)).fetchone()
            answered += 1
            if "page_json" in verb and row and row[0] and len(cursors) < 100:
                cursors.append(row[0])
    except psycopg.Error as problem:
        if problem.sqlstate is None or not ALLOWED.fullmatch(problem.sqlstate):
            foreign.append(f"{turn}: {problem.sqlstate} {problem}\n{text}")
            if connection.closed:
                break

check(f"{COUNT} filters of seed {SEED}: no error that is not the client's", not foreign, "\n".join(foreign[:10]) + f"\n{len(foreign)} of them")
check("the same rows as by SQL", not different, "\n".join(different[:10]) + f"\n{len(different)} of them")
check("many were answered, and many compared", answered > COUNT / 3 and compared > COUNT / 5, f"{answered} answered, {compared} compared")
print(f"# {answered} answered, {compared} compared")
connection.execute("DROP SCHEMA fuzz CASCADE")
print(f"1..{number}")
