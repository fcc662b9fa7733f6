"""Random pairs of tables as they are and as types want them: corm.migrate leads from one to the other, and no row changes.

    test/drivers/migrations.py [COUNT [SEED]]

Without arguments 250 pairs of a fixed seed.  Each pair has two tables, made by plain DDL or by corm itself, with rows: names to be
quoted, types, defaults, keys, checks, references, generated and identity columns, partitions.  Then types with tags describe what is
wanted instead.  After corm.migrate with random options, the plan with the same options has no step left, every row is there, and every value
that was there and was not to be dropped is the same.  After an error, nothing at all has changed.  What is made in an empty schema is what
is wanted, whatever the options.  What fails is printed with its number.  Runs in a database with corm; libpq's variables say where.  The output is TAP.
"""

import os
import random
import re
import sys
from decimal import Decimal

import psycopg

COUNT = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CORM_MIGRATION_PAIRS", 250))
SEED = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("CORM_MIGRATION_SEED", 1))

TYPES = ("int bigint smallint numeric numeric(10,2) numeric(14,4) varchar(12) varchar(30) text char(12) boolean date timestamptz timestamp uuid "
         "jsonb float8 real int[] text[] mig.mood mig.positive bytea").split()
CHANGES = {"int": ["bigint", "smallint", "numeric", "text", "float8"], "bigint": ["int", "numeric"], "smallint": ["int", "bigint", "real"],
           "numeric(10,2)": ["numeric(14,4)", "numeric", "int", "text"], "varchar(12)": ["varchar(30)", "text", "char(12)"],
           "varchar(30)": ["varchar(12)", "text"], "text": ["varchar(30)", "int", "jsonb"], "date": ["timestamp", "timestamptz", "text"],
           "timestamptz": ["date", "text"], "boolean": ["text", "int"], "mig.mood": ["text"], "real": ["float8"], "mig.positive": ["int", "bigint"],
           "int[]": ["text[]", "text"], "uuid": ["text"]}
NAMES = ['plain', 'Mixed', 'two words', 'quo"te', 'select', "apos'trophe", 'äöü', 'n1', 'n2', 'n3', 'order', 'a,b', 'p(q']
TABLES = ['items', 'Order Lines', 'user', 'ta"ble']
# an error that the rows, or what depends on a column, can cause
ALLOWED = {"23505", "23503", "23514", "23502", "22003", "22001", "22P02", "22023", "2BP01", "0A000", "22007", "22008", "42830", "42804"}
NUMBER = {"int", "bigint", "smallint", "numeric", "numeric(10,2)", "numeric(14,4)", "float8", "real", "mig.positive"}


def ident(name):
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def tag_value(text):
    """A name as the value of a tag: quoted where a comma or a parenthesis would end it."""
    return '"' + text.replace('"', '""') + '"' if re.search(r"[,'\"()\[\]]", text) else text


def value(kind, i):
    """The SQL of a value of a type, another one for each i."""
    base = kind.split("(")[0]
    return {"int": f"{i}", "bigint": f"{i}", "smallint": f"{i}", "numeric": f"{i}.5", "varchar": f"'v{i}'", "text": f"'t{i}'", "char": f"'c{i}'",
            "boolean": f"{i % 2 == 0}", "date": f"'2020-01-01'::date + {i}", "timestamptz": f"'2020-01-01 00:00+00'::timestamptz + {i} * interval '1 hour'",
            "timestamp": f"'2020-01-01'::timestamp + {i} * interval '1 hour'", "uuid": f"'00000000-0000-0000-0000-{i:012}'", "jsonb": f"'{{\"a\": {i}}}'",
            "float8": f"{i}.25", "real": f"{i}.25", "int[]": f"'{{{i},2}}'", "text[]": f"'{{a{i},\"b c\"}}'", "mig.mood": "'ok'", "mig.positive": f"{i + 1}",
            "bytea": f"'\\x{i:02x}'"}[base]


def default(rng, kind):
    base = kind.split("(")[0]
    choices = {"int": ["0", "7", "1 + 1"], "bigint": ["0", "5"], "smallint": ["3"], "numeric": ["1.5", "0"], "varchar": ["'x'"], "text": ["'a,b'", "''", "md5('x')"],
               "char": ["'c'"], "boolean": ["true", "false"], "date": ["CURRENT_DATE", "'2020-02-02'"], "timestamptz": ["now()"], "timestamp": ["LOCALTIMESTAMP"],
               "uuid": ["gen_random_uuid()"], "jsonb": ["'{}'"], "float8": ["random()", "1"], "real": ["2"], "int[]": ["'{}'", "ARRAY[1, 2]"],
               "text[]": ["'{}'"], "mig.mood": ["'sad'"], "mig.positive": ["4"], "bytea": ["'\\x00'"]}
    return rng.choice(choices[base])


class Column:
    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.not_null = self.primary_key = self.unique = self.index = False
        self.default = self.check = self.generated = self.identity = self.reference = self.key = None

    def copy(self):
        other = Column(self.name, self.kind)
        other.__dict__.update(self.__dict__)
        return other

    def tags(self, attribute):
        tags = []
        if attribute != self.name:
            tags.append("column=" + tag_value(self.name))
        for flag in ("not_null", "primary_key", "unique", "index"):
            if getattr(self, flag):
                tags.append(flag)
        if self.key:
            tags.append("unique=" + tag_value(self.key))
        for key in ("default", "check", "generated", "identity"):
            if getattr(self, key):
                tags.append(f"{key}={getattr(self, key)}")
        if self.reference:
            tags.append("references=" + self.reference)
        return ",".join(tags)


class Table:
    def __init__(self, name):
        self.name, self.columns, self.partitioned = name, [], False

    def sql(self):
        return "mig." + ident(self.name)

    def copy(self):
        other = Table(self.name)
        other.columns = [c.copy() for c in self.columns]
        other.partitioned = self.partitioned
        return other


def random_column(rng, name):
    column = Column(name, rng.choice(TYPES))
    column.not_null = rng.random() < 0.3
    if rng.random() < 0.3:
        column.default = default(rng, column.kind)
    if column.kind in NUMBER and rng.random() < 0.15:
        column.check = f"{ident(name)} >= 0"
    if column.kind not in ("jsonb", "boolean", "mig.mood") and rng.random() < 0.15:
        column.unique = True
    elif rng.random() < 0.2:
        column.index = True
    return column


def random_table(rng, name, target):
    table = Table(name)
    rid = Column("rid", rng.choice(["int", "bigint"]))
    rid.primary_key = True
    if rng.random() < 0.3:
        rid.identity = rng.choice(["always", "by default"])
    table.columns.append(rid)
    for column_name in rng.sample(NAMES, rng.randint(1, 6)):
        table.columns.append(random_column(rng, column_name))
    numbers = [c for c in table.columns if c.kind in ("int", "smallint")]
    if numbers and rng.random() < 0.3:
        column = Column("total", "bigint")
        column.generated = f"{ident(rng.choice(numbers).name)} * 2"
        table.columns.append(column)
    if target and rng.random() < 0.6:
        column = Column("ref", "bigint")
        column.reference = target + rng.choice(["", "(rid)", "(rid) on delete cascade"])
        table.columns.append(column)
    pair = [c for c in table.columns if c.kind in ("int", "text", "date")]
    if len(pair) > 2 and rng.random() < 0.4:
        if not pair[0].unique and not pair[1].unique:
            pair[0].key = pair[1].key = "a key"
    return table


def change(rng, table, target):
    """What is wanted instead of a table."""
    wanted = table.copy()
    kept = []
    for column in wanted.columns:
        if column.name != "rid" and rng.random() < 0.15 and column.name not in str([c.generated for c in wanted.columns]):
            continue
        kept.append(column)
        if column.kind in CHANGES and rng.random() < 0.25 and not column.identity and not column.generated:
            column.kind = rng.choice(CHANGES[column.kind])
            column.default = column.check = None
            if column.kind in ("jsonb", "boolean"):
                column.unique = False
        if rng.random() < 0.2 and not column.primary_key:
            column.not_null = not column.not_null
        if rng.random() < 0.2 and not (column.identity or column.generated or column.reference or column.primary_key):
            column.default = default(rng, column.kind) if rng.random() < 0.7 else None
        if rng.random() < 0.1 and column.kind in NUMBER:
            column.check = f"{ident(column.name)} < 1000000"
        if rng.random() < 0.1:
            column.index = not column.index
        if rng.random() < 0.1 and column.kind not in ("jsonb", "boolean", "mig.mood"):
            column.unique, column.key = not column.unique, None
        if column.generated and rng.random() < 0.2:
            column.generated += " + 1"
        if column.reference and rng.random() < 0.2:
            column.reference = target + "(rid) on delete restrict" if target else None
    wanted.columns = kept
    for name in rng.sample(NAMES, rng.randint(0, 3)):
        if name not in [c.name for c in wanted.columns]:
            wanted.columns.append(random_column(rng, name))
    rng.shuffle(wanted.columns)
    return wanted


def plain_ddl(rng, table, done):
    """A table as a person may have made it."""
    parts = []
    after = []
    for column in table.columns:
        sql = f"{ident(column.name)} {column.kind}"
        if column.generated:
            sql += f" GENERATED ALWAYS AS ({column.generated}) STORED"
        elif column.identity and not table.partitioned:
            sql += f" GENERATED {column.identity} AS IDENTITY"
        elif column.default:
            sql += f" DEFAULT {column.default}"
        if column.not_null or column.primary_key:
            sql += " NOT NULL"
        if column.check:
            sql += f" CHECK (({column.check}))"
        if column.unique and not table.partitioned:
            if rng.random() < 0.5:
                sql += " UNIQUE"
            else:
                after.append(f"CREATE UNIQUE INDEX ON {table.sql()} ({ident(column.name)})")
        if column.index:
            after.append(f"CREATE INDEX {ident(f'my {len(done)} ' + column.name)} ON {table.sql()} ({ident(column.name)})")
        if column.reference:
            after.append(f"ALTER TABLE {table.sql()} ADD FOREIGN KEY ({ident(column.name)}) REFERENCES {column.reference}")
        parts.append(sql)
    keys = [ident(c.name) for c in table.columns if c.primary_key]
    if keys:
        parts.append(f"PRIMARY KEY ({', '.join(keys)})")
    pair = [ident(c.name) for c in table.columns if c.key]
    if pair and not table.partitioned:
        parts.append(f"UNIQUE ({', '.join(pair)})")
    sql = [f"CREATE TABLE {table.sql()} ({', '.join(parts)})" + (" PARTITION BY HASH (rid)" if table.partitioned else "")]
    if table.partitioned:
        sql += [f"CREATE TABLE mig.part{len(done)}{i} PARTITION OF {table.sql()} FOR VALUES WITH (MODULUS 2, REMAINDER {i})" for i in range(2)]
    if rng.random() < 0.3:
        sql += [f"ALTER TABLE {table.sql()} ADD COLUMN gone int", f"ALTER TABLE {table.sql()} DROP COLUMN gone"]
    done.append(table)
    return sql + after


def types_ddl(tables, suffix):
    sql = []
    for number, table in enumerate(tables):
        name = f"mig.t{number}_{suffix}"
        attributes = []
        comments = []
        for i, column in enumerate(table.columns):
            attribute = column.name if i % 2 else f"a{i}"
            attributes.append(f"{ident(attribute)} {column.kind}")
            tags = column.tags(attribute)
            if tags:
                comments.append(f"COMMENT ON COLUMN {name}.{ident(attribute)} IS {literal('@orm:' + tags)}")
        sql.append(f"CREATE TYPE {name} AS ({', '.join(attributes)})")
        sql.append(f"COMMENT ON TYPE {name} IS {literal('What it is. @orm:table=' + ident(table.name))}")
        sql += comments
    return sql, "{" + ",".join(f"mig.t{number}_{suffix}" for number in range(len(tables))) + "}"


def fill(rng, table, rows):
    sql = []
    for i in range(1, rows + 1):
        columns = [c for c in table.columns if not c.generated]
        values = []
        for column in columns:
            if column.reference:
                values.append(str(i) if rows else "NULL")
            elif not (column.not_null or column.primary_key or column.key) and rng.random() < 0.2:
                values.append("NULL")
            else:
                values.append(value(column.kind, i))
        sql.append(f"INSERT INTO {table.sql()} ({', '.join(ident(c.name) for c in columns)}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(values)})")
    return sql


def rows_of(connection, table):
    """The rows by rid, a dictionary each; {} if there is no such table."""
    if connection.execute("SELECT to_regclass(%s)", (table.sql(),)).fetchone()[0] is None:
        return {}
    columns = [r[0] for r in connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", (table.sql(),))]
    result = {}
    for row in connection.execute(f"SELECT {', '.join(ident(c) + '::text' for c in columns)} FROM {table.sql()}"):
        record = dict(zip(columns, row))
        result[record["rid"]] = record
    return result


def state(connection, tables):
    return [(rows_of(connection, t), connection.execute("SELECT CASE WHEN to_regclass(%s) IS NOT NULL THEN corm.model_ddl(%s::regclass) END",
                                                       (t.sql(), t.sql())).fetchone()[0] if rows_of(connection, t) != {} or
             connection.execute("SELECT to_regclass(%s)", (t.sql(),)).fetchone()[0] else None) for t in tables]


def same(kind, new_kind, old, new, lossy):
    if old == new:
        return True
    if old is None or new is None:
        return False
    if kind == new_kind:
        return False
    if lossy:
        return True
    if kind in NUMBER and new_kind in NUMBER:
        return Decimal(old) == Decimal(new)
    if kind == "date" and new_kind == "timestamp":
        return new == old + " 00:00:00"
    if kind == "int[]":
        return old.replace('"', "") == new.replace('"', "")
    return old.rstrip() == new.rstrip()


def run(connection, number):
    """One pair.  Returns None, or what is wrong, and counts what happened."""
    rng = random.Random(SEED * 1000003 + number)
    names = rng.sample(TABLES, 2)
    present = [random_table(rng, names[0], None)]
    present.append(random_table(rng, names[1], ident(names[0])))
    for table in present:
        table.partitioned = rng.random() < 0.2
    if present[0].partitioned:
        for column in present[1].columns:
            column.reference = None
    wanted = [change(rng, present[0], None), change(rng, present[1], ident(names[0]))]
    for table in wanted:
        # unique keys of a partitioned table have its partition key; let some fail
        if table.partitioned and rng.random() < 0.8:
            for column in table.columns:
                column.unique, column.key = False, None
    options = {key: rng.random() < 0.5 for key in ("drop", "rewrite")}
    literal_options = str(options).replace("'", '"').replace("True", "true").replace("False", "false")
    rows = rng.choice([0, 0, 3, 8])
    by_corm = rng.random() < 0.4 and not any(t.partitioned for t in present)

    connection.execute("DROP SCHEMA IF EXISTS mig CASCADE")
    connection.execute("CREATE SCHEMA mig; CREATE TYPE mig.mood AS ENUM ('sad', 'ok', 'glad'); CREATE DOMAIN mig.positive AS int CHECK (VALUE > 0);"
                       "SET search_path = mig")
    if by_corm:
        sql, models = types_ddl(present, "old")
        for statement in sql:
            connection.execute(statement)
        connection.execute("SELECT * FROM corm.migrate(%s::regclass[])", (models,))
        left = connection.execute("SELECT * FROM corm.migrate_plan(%s::regclass[], '{\"drop\": true, \"rewrite\": true, \"online\": true}')", (models,)).fetchall()
        if left:
            return "made", f"made in an empty schema, but the plan says {left}"
    else:
        done = []
        for table in present:
            for statement in plain_ddl(rng, table, done):
                connection.execute(statement)
    for table in present:
        for statement in fill(rng, table, rows):
            connection.execute(statement)

    sql, models = types_ddl(wanted, "new")
    for statement in sql:
        connection.execute(statement)
    before = state(connection, present)
    try:
        connection.execute("SELECT * FROM corm.migrate(%s::regclass[], %s)", (models, literal_options))
    except psycopg.Error as error:
        after = state(connection, present)
        if before != after:
            return "error", f"an error left something behind: {error}"
        # a check that a column has does not fit another type of it
        if error.sqlstate not in ALLOWED and not (error.sqlstate == "42883" and " TYPE " in str(error)):
            return "error", f"{error.sqlstate} {error}"
        return "refused " + error.sqlstate, None
    left = connection.execute("SELECT * FROM corm.migrate_plan(%s::regclass[], %s) WHERE step IS NOT NULL", (models, literal_options)).fetchall()
    if left:
        return "left", f"the plan is not empty: {left}"
    after = state(connection, present)
    for table, new_table, (old_rows, _), (new_rows, _) in zip(present, wanted, before, after):
        if set(old_rows) != set(new_rows):
            return "rows", f"rows of {table.sql()} are missing or new"
        kinds = {c.name: c for c in new_table.columns}
        for rid, old in old_rows.items():
            for column in table.columns:
                new_column = kinds.get(column.name)
                if new_column is None and options["drop"]:
                    continue
                if column.name not in new_rows[rid]:
                    return "value", f"{table.sql()}.{column.name} is gone"
                if column.generated and new_column is not None and new_column.generated != column.generated:
                    continue
                if not same(column.kind, new_column.kind if new_column else column.kind, old[column.name], new_rows[rid][column.name],
                            options["drop"] and options["rewrite"]):
                    return "value", f"{table.sql()}.{column.name} of {rid}: {old[column.name]!r} became {new_rows[rid][column.name]!r}"
    return "migrated" + (" with rows" if rows else ""), None


def main():
    print("1..4")
    counts = {}
    wrong = []
    connection = None
    for number in range(COUNT):
        # a session remembers what it has seen of the catalogs, dropped or not
        if number % 500 == 0:
            if connection:
                connection.close()
            connection = psycopg.connect("", autocommit=True)
            connection.execute("SET client_min_messages = warning")
        try:
            outcome, problem = run(connection, number)
        except psycopg.Error as error:
            outcome, problem = "broken", f"{error.sqlstate} {error}"
        counts[outcome] = counts.get(outcome, 0) + 1
        if problem:
            wrong.append(number)
            print(f"# pair {number} of seed {SEED}: {problem}")
            if len(wrong) >= 20:
                break
    connection.execute("DROP SCHEMA IF EXISTS mig CASCADE")
    migrated = sum(n for outcome, n in counts.items() if outcome.startswith("migrated"))
    print(f"# {COUNT} pairs of seed {SEED}: {dict(sorted(counts.items()))}")
    for number, (text, good) in enumerate([("no pair went wrong", not wrong), ("most were migrated", migrated > COUNT / 2),
                                           ("many of them with rows", counts.get("migrated with rows", 0) > COUNT / 8),
                                           ("errors of the data undid some", COUNT < 100 or any(o.startswith("refused") for o in counts))]):
        print(f"{'ok' if good else 'not ok'} {number + 1} - {text}")
    sys.exit(0 if not wrong else 1)


main()
