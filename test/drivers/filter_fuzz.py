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
    tv tsvector, tq tsquery, x xml, pr fuzz.pair, od fuzz.odd, cl regclass, nm name, mo money, pts point[], prs fuzz.pair[], secret text, hid text);
COMMENT ON COLUMN fuzz.item.secret IS '@orm:filterable=false';
COMMENT ON COLUMN fuzz.item.hid IS '@orm:hidden';
CREATE TABLE fuzz.note (id int PRIMARY KEY, item_id int REFERENCES fuzz.item, t text, n int NOT NULL);
CREATE TABLE fuzz.audit (id int PRIMARY KEY, item_id int CONSTRAINT audit_item REFERENCES fuzz.item, t text);
COMMENT ON CONSTRAINT audit_item ON fuzz.audit IS '@orm:filterable=false';
INSERT INTO fuzz.audit SELECT i, NULL, 'SECRET' FROM generate_series(1, 8) i;
INSERT INTO fuzz.item SELECT i, nullif(i / 3, 0), i * 1000000000::bigint, i / 10.0, i / 4.0, i / 10.0, chr(96 + i), 'v' || i, 'c' || i, i % 2 = 0, '2020-01-01'::date + i,
    '2020-01-01'::timestamp + i * interval '1 hour', '2020-01-01 00:00+00'::timestamptz + i * interval '1 hour', i * interval '1 day',
    ('00000000-0000-0000-0000-00000000000' || i)::uuid, (ARRAY['sad', 'ok', 'glad'])[i % 3 + 1]::fuzz.mood, i, chr(96 + i), '{}', jsonb_build_object('a', i),
    ARRAY[i, i + 1], ARRAY[chr(96 + i)], ARRAY['ok']::fuzz.mood[], NULL, int4range(i, i + 3), nummultirange(numrange(i, i + 2)), point(i, i), box(point(i, i), point(0, 0)),
    ('10.0.0.' || i)::inet, (i % 16)::bit(4), '\\x01', to_tsvector('simple', 'fat cat ' || i), 'cat', NULL, ROW(i, 'b')::fuzz.pair, NULL, 'pg_class', 'n' || i, i, NULL, NULL, 'SECRET', 'SECRET'
    FROM generate_series(1, 8) i;
INSERT INTO fuzz.item (id) VALUES (9), (10);
INSERT INTO fuzz.note SELECT i, i % 8 + 1, chr(96 + i % 5), i FROM generate_series(1, 20) i;
CREATE INDEX ON fuzz.item (t, i8); CREATE INDEX ON fuzz.item USING gin (jb); CREATE INDEX ON fuzz.note (item_id, n);
ANALYZE fuzz.item; ANALYZE fuzz.note;
"""

OPS = ("eq neq lt lte gt gte like not_like ilike not_ilike regex iregex starts_with ends_with contains icontains in not_in between is_null "
       "is_not_null is_distinct_from has_key overlaps matches search").split()
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
        field = rnd.choice(FIELDS + ["secret", "hid", "nosuch", "parent.hid", "audit", "parent.t", "parent.parent.jb", "notes.t", "note", "parent", "item.t", "tableoid", "ctid", "", "\u00e4", "a" * 100])
        value = lambda: rnd.choice([None, True, 0, 1, -1, 0.1, 1e30, 2**70, "", "a", "1", "{}", "{1,2}", "[1,3)", "(1,2)", "2020-01-01", "infinity", "NaN", "\\", "%\\", "(", "a & b", "a b",
                                    "it's", "pg_class", "nosuch", "ok", "\u00e4", "$1", "1 day", "x" * 3000, "{[1,2)}", "101", "\\xff", "10.0.0.1", "<a/>", "t", "$.a == 1", "$.a ? (@ > $x)",
                                    "$.a.datetime() < \"2020-01-01 00:00:00+01\".datetime()", "exists($.\"$x\")"])
        if rnd.random() < 0.1:
            steps = [rnd.choice(["a", "b", 0, "", "x" * 70, None, 1.5, ["a"]]) if rnd.random() < 0.2 else rnd.choice(["a", "b", 0]) for _ in range(rnd.randint(0, 3))]
            return {rnd.choice(["jb", "j", "parent.jb", "t"]): {"path": steps, rnd.choice(OPS): rnd.choice([value(), value(), [value(), value()], {"a": 1}])}}
        simple = rnd.random()
        if simple < 0.15:
            return {field: value()}
        operand = rnd.choice([value, value, value, lambda: [value() for _ in range(rnd.randint(0, 5))], lambda: [value(), value()], lambda: {"a": value()}, lambda: [[value()]]])()
        return {field: {rnd.choice(OPS + ["nosuch", "raw", "path"] if rnd.random() < 0.05 else OPS): operand}}

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
        names = FIELDS + ["parent.t", "nosuch", "secret", "hid", "item", "note.t"]
        if rnd.random() < 0.3:
            spec["select"] = [rnd.choice(names if rnd.random() < 0.2 else FIELDS) for _ in range(rnd.randint(0, 5))]
        if rnd.random() < 0.4:
            spec["order_by"] = [rnd.choice(["", "-"]) + rnd.choice(names if rnd.random() < 0.2 else FIELDS) for _ in range(rnd.randint(0, 5))]
        if rnd.random() < 0.3:
            spec["limit"] = rnd.choice([0, 1, 3, 1000, 1001, -1, "a", 1.5])
        if rnd.random() < 0.1:
            spec[rnd.choice(["after", "before"])] = rnd.choice([None, "", "x", "YWJj", cursors and rnd.choice(cursors)])
        if rnd.random() < 0.2:
            spec["preload"] = {rnd.choice(["item", "parent", "note", "audit", "nosuch", "parent.item", "Item"]): rnd.choice([True, False, {"limit": 1}, {"order_by": ["-id"]}, {"where": {"id": 1}}, {"preload": {"item": True}}, 5])
                               for _ in range(rnd.randint(1, 3))}
        if rnd.random() < 0.02:
            spec["nosuch"] = 1
    return spec, sql


RELATIONS = {"item": {"item": "item", "parent": "item", "note": "note", "audit": "audit"}, "note": {"item": "item"}, "audit": {"item": "item"}}


def fence(model="item", depth=2):
    """A random second argument of corm.filter, and what true stands for."""
    allow = {}
    fields = FIELDS if model == "item" else ["id", "item_id", "t", "n"]
    if rnd.random() < 0.7:
        allow["fields"] = rnd.sample(fields, rnd.randint(1, len(fields))) + (["secret"] if rnd.random() < 0.2 and model == "item" else [])
    if depth > 0 and rnd.random() < 0.8:
        allow["relations"] = {name: fence(target, depth - 1) if rnd.random() < 0.7 else True for name, target in RELATIONS[model].items() if rnd.random() < 0.7}
    if rnd.random() < 0.3:
        allow["ops"] = rnd.sample(OPS, rnd.randint(5, len(OPS)))
    if rnd.random() < 0.3:
        allow["order_by"] = rnd.sample(fields, 4)
    if rnd.random() < 0.3:
        allow["default_limit"] = rnd.randint(0, 5)
    if rnd.random() < 0.3:
        allow["max_limit"] = rnd.randint(0, 5)
    if rnd.random() < 0.3:
        allow["max_depth"] = rnd.randint(0, 5)
    return allow


def inner(allow, relation):
    """The fence of a relation, None if it is not allowed."""
    target = allow.get("relations", {}).get(relation)
    return {} if target is True else target


def names_outside(spec, allow):
    """Whether a document names what a fence does not have, read without corm's help.  Malformed parts do not count."""
    def field(name, fence, order=False):
        if not isinstance(name, str) or not name:
            return False
        listed = fence.get("order_by") if order and "order_by" in fence else fence.get("fields")
        if listed is not None and name.lower() in listed:
            return False
        head, dot, rest = name.partition(".")
        if not dot or order and "order_by" in fence:
            return listed is not None
        target = inner(fence, head)
        return target is None or field(rest, target, order)

    def condition(what, fence):
        if not isinstance(what, dict):
            return False
        for key, value in what.items():
            if key in ("and", "or"):
                if isinstance(value, list) and any(condition(part, fence) for part in value):
                    return True
            elif key == "not":
                if condition(value, fence):
                    return True
            elif isinstance(value, dict):
                for op, operand in value.items():
                    if op in ("some", "every", "none", "is", "is_not"):
                        target = inner(fence, key)
                        if target is None or condition(operand, target):
                            return True
                    elif op in OPS and (field(key, fence) or "ops" in fence and op not in fence["ops"]):
                        return True
            elif not isinstance(value, list) and field(key, fence):
                return True
        return False

    def preloads(what, fence):
        for path, value in (what.items() if isinstance(what, dict) else ()):
            target = fence
            if value is False:
                continue
            for step in path.lower().split("."):
                target = None if target is None else inner(target, step)
            if target is None or isinstance(value, dict) and names_outside(value, target):
                return True
        return False

    return (condition(spec.get("where"), allow) or any(field(name, allow) for name in spec.get("select", []))
            or any(field(name.lstrip("-"), allow, True) for name in spec.get("order_by", [])) or preloads(spec.get("preload"), allow))


def shown_outside(rows, allow, model="item"):
    """Whether an answer shows what a fence does not have, or more rows.  By select, a path shows the last name."""
    own = allow.get("fields", FIELDS if model == "item" else ["id", "item_id", "t", "n"])
    for row in rows if isinstance(rows, list) else [rows] if rows else []:
        for key, value in row.items():
            target = RELATIONS[model].get(key)
            if target and isinstance(value, (list, dict, type(None))):
                if inner(allow, key) is None or shown_outside(value, inner(allow, key), target):
                    return True
            elif key in ("secret", "hid") or key not in own and not any(key in inner(allow, r).get("fields", FIELDS) for r in allow.get("relations", {})):
                return True
    return isinstance(rows, list) and len(rows) > allow.get("max_limit", 1000)


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
FIELDS = [row[0] for row in connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'fuzz.item'::regclass AND attnum > 0 AND attname NOT IN ('secret', 'hid') ORDER BY attnum")]
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

outside = []
fenced = inside = 0
for turn in range(COUNT):
    spec, _ = document(True, rnd.choice([1, 2, 3]))
    allow = fence()
    if rnd.random() < 0.3:
        spec.pop("where")
    text = f"{json.dumps(spec)}\n{json.dumps(allow)}"
    try:
        got = connection.execute("SELECT corm.get_multi_json(corm.selector('fuzz.item'), corm.filter(%s::jsonb, %s::jsonb))", (json.dumps(spec), json.dumps(allow))).fetchone()[0]
        inside += 1
        if names_outside(spec, allow) or shown_outside(got, allow) or "SECRET" in json.dumps(got):
            outside.append(f"{turn}: {text}\n{json.dumps(got)[:2000]}")
    except psycopg.Error as problem:
        fenced += problem.sqlstate == "42501"
        if problem.sqlstate is None or not ALLOWED.fullmatch(problem.sqlstate):
            foreign.append(f"{turn}: {problem.sqlstate} {problem}\n{text}")
            if connection.closed:
                break

check("no fenced filter names or shows anything outside of its fence", not outside, "\n".join(outside[:10]) + f"\n{len(outside)} of them")
check("many were answered, and many kept out", inside > COUNT / 10 and fenced > COUNT / 10, f"{inside} answered, {fenced} kept out")
print(f"# fenced: {inside} answered, {fenced} kept out")
check(f"{COUNT} filters of seed {SEED}: no error that is not the client's", not foreign, "\n".join(foreign[:10]) + f"\n{len(foreign)} of them")
check("the same rows as by SQL", not different, "\n".join(different[:10]) + f"\n{len(different)} of them")
check("many were answered, and many compared", answered > COUNT / 3 and compared > COUNT / 5, f"{answered} answered, {compared} compared")
print(f"# {answered} answered, {compared} compared")
connection.execute("DROP SCHEMA fuzz CASCADE")
print(f"1..{number}")
