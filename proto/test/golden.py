"""corm_proto against protoc: descriptors, encoding, decoding, damaged messages, and the plugin.

    proto/test/golden.py [COUNT [SEED]]

Messages in text form are encoded by protoc, decoded and encoded again by corm, and decoded by protoc: the text must be the same.
COUNT damaged messages (20000; CORM_PROTO_FUZZ) are decoded: each is a row or an error of the data.  What protoc-gen-corm writes must be
what corm.register_proto makes.  Runs in a database with corm_proto; libpq's variables say where.  The output is TAP.
"""

import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import psycopg

COUNT = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CORM_PROTO_FUZZ", 20000))
SEED = int(sys.argv[2] if len(sys.argv) > 2 else 1)

MAIN = """
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/any.proto";
import "other.proto";

// People who buy.
//@orm:table=shop_users
message User {
  int64 id = 1;            //@orm:primary_key
  string name = 2;         //@orm:column=uname,not_null
  // Where to write to.
  optional string email = 3; // It's the only one. @orm:unique
  Plan plan = 4;
  repeated string tags = 5;
  Address address = 6;
  repeated Address others = 7;
  map<string, int32> counts = 8;
  map<int32, Address> places = 21;
  oneof contact { string phone = 9; int32 fax = 10; Address post = 22; Plan plan_b = 23; }
  google.protobuf.Timestamp created = 11;
  google.protobuf.Duration span = 24;
  repeated sint32 nums = 12;
  repeated int32 loose = 25 [packed = false];
  repeated Plan plans = 26;
  repeated google.protobuf.Timestamp times = 27;
  bytes blob = 13; double d = 14; float f = 15; bool b = 16; uint64 u = 17; fixed32 x = 18; sfixed64 y = 19;
  optional int32 maybe = 28; sint64 s64 = 29; uint32 u32 = 30; fixed64 x64 = 31; sfixed32 y32 = 32;
  repeated double ds = 33; repeated bool bs = 34; repeated bytes bytess = 35; repeated fixed64 xs = 36;
  Node tree = 20;
  other.Old old = 40;
  google.protobuf.Any any = 41;
  message Address { string street = 1; int32 zip = 2; }
  enum Plan { FREE = 0; PRO = 5; TEAM = -1; }
}
message Node { int32 v = 1; repeated Node children = 2; }
message Empty {}
message Date { int32 text = 1; Point point = 2; }
message Point { double x = 1; }
message HTTPServer2Config { string HostName = 1; }
"""
OTHER = """
syntax = "proto2";
package other;
message Old {
  required int32 id = 1;
  optional string name = 2 [default = "x"];
  repeated int32 loose = 3;
  repeated int32 tight = 4 [packed = true];
  optional Color color = 5 [default = RED];
  enum Color { option allow_alias = true; GREEN = 1; RED = 2; ROUGE = 2; }
}
message User { optional int32 of_another_package = 1; }
"""
TEXTS = [
    ("shop.User", ""),
    ("shop.User", 'id: 1\nname: "Ada"\n'),
    ("shop.User", 'id: -9223372036854775808\nname: "\\303\\251\\n\\"\\\\"\nemail: ""\nplan: PRO\ntags: "a"\ntags: ""\naddress {\n}\nothers {\n  street: "x"\n}\nothers {\n}\n'
     'phone: ""\nmaybe: 0\n'),
    ("shop.User", 'fax: 0\n'), ("shop.User", 'post {\n  zip: -1\n}\n'), ("shop.User", 'plan_b: FREE\n'), ("shop.User", 'plan_b: TEAM\n'),
    ("shop.User", 'counts {\n  key: "a"\n  value: 1\n}\ncounts {\n  key: "b"\n  value: -2147483648\n}\nplaces {\n  key: 2147483647\n  value {\n    street: "s"\n  }\n}\n'),
    ("shop.User", 'created {\n  seconds: -1\n  nanos: 999999000\n}\nspan {\n  seconds: -1\n  nanos: -500000000\n}\ntimes {\n  seconds: 253402300799\n}\ntimes {\n}\n'),
    ("shop.User", 'nums: -1\nnums: 2147483647\nnums: -2147483648\nloose: 1\nloose: 0\nplans: PRO\nplans: FREE\nds: 0\nds: -inf\nds: 1e-300\nbs: true\nbs: false\n'
     'bytess: ""\nbytess: "\\000\\377"\nxs: 18446744073709551615\n'),
    ("shop.User", 'blob: "\\000\\001\\377"\nd: 1.7976931348623157e+308\nf: 3.4028235e+38\nb: true\nu: 18446744073709551615\nx: 4294967295\ny: -9223372036854775808\n'
     's64: -9223372036854775808\nu32: 4294967295\nx64: 18446744073709551615\ny32: -2147483648\n'),
    ("shop.User", 'tree {\n  v: 1\n  children {\n    v: 2\n    children {\n      v: 3\n    }\n  }\n}\n'),
    ("shop.User", 'old {\n  id: 0\n}\n'), ("shop.User", 'old {\n  id: 1\n  name: "n"\n  loose: 1\n  loose: 2\n  tight: 3\n  color: RED\n}\n'),
    ("shop.User", 'any {\n  type_url: "t/x"\n  value: "\\001"\n}\n'),
    ("shop.Date", 'text: 1\npoint {\n  x: 2\n}\n'), ("shop.Node", 'v: 7\n'), ("shop.Empty", ""), ("shop.HTTPServer2Config", 'HostName: "h"\n'), ("other.Old", 'id: 5\ncolor: GREEN\n'),
    ("other.User", 'of_another_package: 1\n'),
]

work = pathlib.Path(tempfile.mkdtemp(prefix="corm-proto."))
count = 0
failed = 0


def report(name, problem=None):
    global count, failed
    count += 1
    print(f"{'not ok' if problem else 'ok'} {count} - {name}")
    if problem:
        failed += 1
        print("\n".join("# " + line for line in str(problem)[:4000].split("\n")))
    sys.stdout.flush()


def protoc(*arguments, **options):
    return subprocess.run(["protoc", f"-I{work}", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def descriptors(*names):
    result = protoc("--include_source_info", "--include_imports", f"--descriptor_set_out={work}/set.pb", *names)
    assert result.returncode == 0, result.stderr
    return (work / "set.pb").read_bytes()


def encode(message, text):
    return protoc(f"--encode={message}", "main.proto", input=text.encode(), check=True).stdout


def decode(message, data):
    return protoc(f"--decode={message}", "main.proto", input=data, check=True).stdout.decode()


def error_of(connection, sql, *values):
    try:
        connection.execute(sql, values)
        return "no error"
    except psycopg.Error as error:
        return error.sqlstate


def golden(connection, types):
    for message, text in TEXTS:
        data = encode(message, text)
        back = connection.execute(f"SELECT corm.proto_encode(corm.proto_decode(NULL::{types[message]}, %s))", (data,)).fetchone()[0]
        shown = decode(message, back)
        # text form orders maps by key, and so is this compared as protoc writes both
        report(f"{message}: {text[:40]!r}", None if shown == decode(message, data) else f"{decode(message, data)}\nbecame\n{shown}")


def unknown_fields(connection, types):
    """A message of more fields than the type has."""
    data = encode("shop.User", TEXTS[2][1]) + encode("shop.User", TEXTS[10][1])
    connection.execute("CREATE TYPE proto_some.narrow AS (id bigint, name text)")
    connection.execute("COMMENT ON COLUMN proto_some.narrow.id IS '@orm:proto=1 int64'; COMMENT ON COLUMN proto_some.narrow.name IS '@orm:proto=2 string'")
    row = connection.execute("SELECT (corm.proto_decode(NULL::proto_some.narrow, %s)).*", (data,)).fetchone()
    report("unknown fields are skipped", None if row == (-9223372036854775808, 'é\n"\\') else row)


def register_again(connection, data):
    """What changes between two versions of a file."""
    def actions(source):
        (work / "evolve.proto").write_text('syntax = "proto3"; package evolve;\n' + source)
        return {row[0]: (row[1], row[2]) for row in
                connection.execute("SELECT message, type::text, action FROM corm.register_proto(%s, 'proto_some')", (descriptors("evolve.proto"),))}

    first = actions("message M { int32 a = 1; string b = 2; E e = 3; }\nenum E { ZERO = 0; ONE = 1; }")
    report("types are created", None if first == {"evolve.M": ("proto_some.m", "created"), "evolve.E": ("proto_some.e", "created")} else first)
    same = actions("message M { int32 a = 1; string b = 2; E e = 3; }\nenum E { ZERO = 0; ONE = 1; }")
    report("and left alone", None if {action for _, action in same.values()} == {"unchanged"} else same)
    connection.execute("CREATE TABLE proto_some.kept (id int, m proto_some.m)")
    connection.execute("INSERT INTO proto_some.kept VALUES (1, ROW(1, 'x', 'ONE'))")
    changed = actions("// New.\nmessage M { int32 renamed = 1; E e = 3; // Which\n bool c = 4; }\nenum E { ZERO = 0; TWO = 2; ONE = 1; }")
    report("and altered", None if {action for _, action in changed.values()} == {"altered"} else changed)
    columns = [r[0] for r in connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'proto_some.m'::regclass AND NOT attisdropped ORDER BY attnum")]
    report("a field is renamed by its number, none is dropped", None if columns == ["renamed", "b", "e", "c"] else columns)
    row = connection.execute("SELECT m::text, corm.proto_encode(m) FROM proto_some.kept").fetchone()
    report("rows that hold it are the same", None if row[0] == "(1,x,ONE,)" else row)
    report("an enum's labels keep their numbers", None if connection.execute(
        "SELECT corm.proto_encode(ROW(0, '', 'TWO', false)::proto_some.m), corm.proto_encode(ROW(0, '', 'ONE', false)::proto_some.m)").fetchone() == (b"\x18\x02", b"\x18\x01")
           else "other numbers")
    connection.execute("CREATE TABLE proto_some.taken ()")
    (work / "taken.proto").write_text('syntax = "proto3"; message Taken { int32 a = 1; }')
    taken = descriptors("taken.proto")
    report("a type of something else is left alone", None if error_of(connection, "SELECT corm.register_proto(%s, 'proto_some')", taken) == "42710" else "taken")
    report("with a prefix there is none", None if connection.execute(
        "SELECT type::text FROM corm.register_proto(%s, 'proto_some', '{\"prefix\": \"pb_\", \"suffix\": \"_t\"}')", (taken,)).fetchone() == ("proto_some.pb_taken_t",) else "none")
    for options, state in (('{"prefiks": ""}', "22023"), ("[]", "22023"), ('{"prefix": 1}', "22023")):
        report(f"options {options}", None if error_of(connection, "SELECT corm.register_proto(%s, 'proto_some', %s)", taken, options) == state else "another error")
    report("data that is no descriptor set", None if error_of(connection, "SELECT corm.register_proto('\\x08')") == "22P03" else "another error")
    report("NULL", None if error_of(connection, "SELECT corm.register_proto(NULL)") == "22004" else "another error")
    (work / "group.proto").write_text('syntax = "proto2"; message G { optional group Old = 1 { optional int32 a = 1; } }')
    report("groups are refused", None if error_of(connection, "SELECT corm.register_proto(%s)", descriptors("group.proto")) == "22023" else "another error")
    result = protoc("--include_source_info", f"--descriptor_set_out={work}/alone.pb", "main.proto")
    assert result.returncode == 0
    report("imports that are missing", None if error_of(connection, "SELECT corm.register_proto(%s)", (work / "alone.pb").read_bytes()) == "22023" else "another error")


def comments_of(connection, schema):
    return connection.execute("""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), coalesce(col_description(c.oid, a.attnum), obj_description(c.reltype, 'pg_type'))
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'c' ORDER BY 1, a.attnum""", (schema,)).fetchall() + connection.execute("""
        SELECT t.typname, e.enumlabel, '', obj_description(t.oid, 'pg_type') FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
        WHERE t.typnamespace = %s::regnamespace ORDER BY 1, e.enumsortorder""", (schema,)).fetchall()


def plugin(connection):
    name = shutil.which("protoc-gen-corm")
    if not name:
        report("protoc-gen-corm is installed", "it is not in PATH")
        return
    made = work / "made"
    made.mkdir()
    result = protoc(f"--plugin=protoc-gen-corm={name}", f"--corm_out={made}", "--corm_opt=types,schema=proto_plugin", "main.proto")
    report("protoc-gen-corm runs", result.stderr.decode() if result.returncode else None)
    for schema in ("proto_plugin", "proto_same"):
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")
    connection.execute("SET search_path = ''")
    connection.execute((made / "main.sql").read_text())
    connection.execute("SET search_path = proto_same")
    connection.execute("SELECT count(*) FROM corm.register_proto(%s)", (descriptors("main.proto"),))
    connection.execute("SET search_path = proto_plugin")
    one = comments_of(connection, "proto_plugin")
    connection.execute("SET search_path = proto_same")
    other = [tuple(text and text.replace("proto_same", "proto_plugin") for text in row) for row in comments_of(connection, "proto_same")]
    report("it writes what corm.register_proto makes", None if one == other and len(one) > 50 else [pair for pair in zip(one, other) if pair[0] != pair[1]])
    report("types alone make no tables", None if connection.execute("SELECT to_regclass('proto_plugin.shop_users')").fetchone()[0] is None else "there is one")

    result = protoc(f"--plugin=protoc-gen-corm={name}", f"--corm_out={made}", "--corm_opt=schema=proto_plugin,suffix=_m", "main.proto")
    report("with options", result.stderr.decode() if result.returncode else None)
    connection.execute("DROP SCHEMA proto_plugin CASCADE; CREATE SCHEMA proto_plugin; SET search_path = ''")
    connection.execute((made / "main.sql").read_text())
    connection.execute("INSERT INTO proto_plugin.shop_users (uname, email, plan, tags) VALUES ('Ada', 'a@x', 'PRO', '{x}'), ('Bob', NULL, NULL, NULL)")
    rows = connection.execute("SELECT corm.get_proto(NULL::proto_plugin.user_m, corm.where(corm.eq('email', 'a@x')))").fetchone()[0]
    report("from .proto to table to message", None if decode("shop.User", rows) == 'id: 1\nname: "Ada"\nemail: "a@x"\nplan: PRO\ntags: "x"\n' else decode("shop.User", rows))
    rows = [decode("shop.User", r[0]) for r in connection.execute("SELECT * FROM corm.get_multi_proto(NULL::proto_plugin.user_m, corm.order_by('-id'))")]
    report("several of them", None if rows == ['id: 2\nname: "Bob"\n', 'id: 1\nname: "Ada"\nemail: "a@x"\nplan: PRO\ntags: "x"\n'] else rows)
    result = protoc(f"--plugin=protoc-gen-corm={name}", f"--corm_out={made}", "--corm_opt=tabels", "main.proto")
    report("a misspelled option is an error", None if result.returncode and b"tabels" in result.stderr else result.stderr)
    report("no request is an error", None if subprocess.run([name], input=b"\x08", stdout=subprocess.PIPE).stdout.find(b"no request") > 0 else "none")


def documented(connection):
    """The page of the guide shows what the plugin writes, and what protoc reads."""
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "protobuf.md").read_text()
    source = page.split("```proto\n")[1].split("```")[0]
    (work / "customer.proto").write_text(source)
    made = work / "shown"
    made.mkdir()
    result = protoc(f"--plugin=protoc-gen-corm={shutil.which('protoc-gen-corm')}", f"--corm_out={made}", "customer.proto")
    sql = (made / "customer.sql").read_text() if not result.returncode else ""
    report("the guide shows what protoc-gen-corm writes", None if sql and f"```sql\n{sql.rstrip()}\n```" in page else result.stderr.decode() + sql)
    connection.execute(sql)
    connection.execute("INSERT INTO customers (full_name, email, tags, plan) VALUES ('Ada', 'ada@example.com', '{math,tea}', 'PRO')")
    data = connection.execute("SELECT corm.get_proto(NULL::customer, corm.where(corm.eq('email', 'ada@example.com')))").fetchone()[0]
    shown = protoc("--decode=shop.Customer", "customer.proto", input=data).stdout.decode()
    report("and what protoc decodes", None if "".join("    " + line + "\n" for line in shown.split("\n")[:-1]) in page else shown)
    connection.execute("DROP TABLE customers; DROP TYPE customer; DROP TYPE customer_plan")


def dumped(connection, types):
    """pg_dump takes the extension, the types with their tags, and rows and views of them."""
    name = types["shop.User"]
    data = encode("shop.User", TEXTS[2][1])
    connection.execute(f"CREATE TABLE proto_main.held (id int PRIMARY KEY, u {name})")
    connection.execute(f"INSERT INTO proto_main.held SELECT 1, corm.proto_decode(NULL::{name}, %s)", (data,))
    connection.execute("CREATE VIEW proto_main.sent AS SELECT id, corm.proto_encode(u) AS data FROM proto_main.held")
    before = connection.execute("SELECT data FROM proto_main.sent").fetchone()[0]
    database = connection.info.dbname
    connection.execute("DROP DATABASE IF EXISTS corm_proto_restored")
    connection.execute("CREATE DATABASE corm_proto_restored")
    made = subprocess.run(["pg_dump", "-d", database, "-n", "proto_main", "-e", "corm", "-e", "corm_proto", "-f", work / "dump.sql"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    taken = subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", "corm_proto_restored", "-f", work / "dump.sql"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    report("pg_dump and psql", made.stdout.decode() + taken.stdout.decode() if made.returncode or taken.returncode else None)
    with psycopg.connect("", dbname="corm_proto_restored", autocommit=True) as restored:
        after = restored.execute("SELECT data FROM proto_main.sent").fetchone()[0]
        report("messages are the same afterwards", None if after == before else after)
        again = [row[0] for row in restored.execute("SELECT DISTINCT action FROM corm.register_proto(%s, 'proto_main')", (descriptors("main.proto"),))]
        report("and so are the types", None if again == ["unchanged"] else again)
        restored.execute("DROP VIEW proto_main.sent")
        restored.execute("DROP EXTENSION corm_proto")
        report("without the extension, they stay", None if restored.execute(f"SELECT (u).name FROM proto_main.held, (SELECT NULL::{name}) t").fetchone()[0] == 'é\n"\\' else "gone")
    connection.execute("DROP DATABASE corm_proto_restored")


def fuzz(connection, types):
    """Damaged messages: some bytes changed, cut off, put twice or taken from another."""
    rng = random.Random(SEED)
    seeds = [(types[m], encode(m, t)) for m, t in TEXTS]
    connection.execute("""
        CREATE FUNCTION proto_some.attempt(message text, data bytea) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE again bytea; same boolean;
        BEGIN
            EXECUTE format('SELECT corm.proto_encode(corm.proto_decode(NULL::%s, $1))', message) INTO again USING data;
            EXECUTE format('SELECT corm.proto_encode(corm.proto_decode(NULL::%s, $1)) = $1', message) INTO same USING again;
            RETURN CASE WHEN same THEN 'row' ELSE 'another row' END;
        EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$""")
    counts = {}
    wrong = []
    batch = []
    for number in range(COUNT):
        message, data = rng.choice(seeds)
        damaged = damage(rng, data if rng.random() < 0.9 else rng.randbytes(rng.randint(0, 40)), [data for _, data in seeds])
        batch.append((message, damaged))
        if len(batch) == 1000 or number == COUNT - 1:
            for (name, data), (outcome,) in zip(batch, connection.execute(
                    "SELECT proto_some.attempt(m, d) FROM unnest(%s::text[], %s::bytea[]) WITH ORDINALITY u (m, d, n) ORDER BY n",
                    ([m for m, _ in batch], [d for _, d in batch]))):
                counts[outcome] = counts.get(outcome, 0) + 1
                # the data's own errors: damaged, not UTF-8, out of a range, no value of a type
                if outcome not in ("row", "22P03", "22P05", "22021", "22003", "22008", "22P02"):
                    wrong.append(f"{name} {data.hex()}: {outcome}")
            batch = []
    print(f"# {COUNT} damaged messages of seed {SEED}: {dict(sorted(counts.items()))}")
    report(f"{COUNT} damaged messages", "\n".join(wrong[:20]) if wrong else None)
    report("some were messages, and some were not", None if COUNT < 1000 or min(counts.get("row", 0), counts.get("22P03", 0)) > COUNT / 50 else counts)


def damage(rng, data, others):
    """Some bytes changed, cut off, put twice or taken from others."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        kind = rng.random()
        if damaged and kind < 0.6:
            damaged[rng.randrange(len(damaged))] = rng.choice((rng.randrange(256), 0, 255, 127, 128))
        elif damaged and kind < 0.75:
            del damaged[rng.randrange(len(damaged)):]
        elif kind < 0.9:
            at = rng.randint(0, len(damaged))
            damaged[at:at] = rng.choice(others)[:rng.randint(0, 30)]
        else:
            damaged += rng.randbytes(rng.randint(0, 12))
    return bytes(damaged)


def pruned(rng, data, depth=0):
    """A message without some of its fields: what protoc always writes is not there.  Lengths are right, so that it is read to the end."""
    def varint(at):
        number = shift = 0
        while True:
            number |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                return number, at

    def written(number):
        out = bytearray()
        while number > 127:
            out.append(number & 127 | 128)
            number >>= 7
        return bytes(out) + bytes([number])

    result = b""
    at = 0
    while at < len(data):
        start = at
        tag, at = varint(at)
        if tag & 7 == 0:
            _, at = varint(at)
            value = data[start:at]
        elif tag & 7 == 2:
            length, begin = varint(at)
            at = begin + length
            inner = data[begin:at]
            try:
                inner = pruned(rng, inner, depth + 1) if depth < 6 and rng.random() < 0.9 else inner
            except IndexError:
                pass
            value = written(tag) + written(len(inner)) + inner
        else:
            raise IndexError
        if at > len(data):
            raise IndexError
        if rng.random() > 0.02:
            result += value
    return result


def fuzz_descriptors(connection):
    """Damaged sets of descriptors: each is registered, or is an error of the data."""
    rng = random.Random(SEED)
    (work / "small.proto").write_text("""
        syntax = "proto2"; package small;
        // A comment. @orm:table=x
        message A { required int32 id = 1; /* x */ optional B b = 2; repeated E es = 3 [packed = true]; oneof o { string s = 4; bytes t = 5; } message N { optional A a = 1; } optional N n = 6; }
        message B { optional int64 x = 1; map<string, int32> m = 2; }
        enum E { ZERO = 0; ONE = 1; }""")
    seed = descriptors("small.proto")
    connection.execute("""
        CREATE FUNCTION proto_some.attempt_register(data bytea) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM count(*) FROM corm.register_proto(data, 'proto_some', '{"prefix": "fuzz_"}');
            RAISE EXCEPTION USING errcode = 'P0099';
        EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$""")
    counts = {}
    wrong = []
    for number in range(max(min(COUNT // 40, 2000), 100)):
        data = damage(rng, seed, [seed]) if number % 2 else pruned(rng, seed)
        outcome = connection.execute("SELECT proto_some.attempt_register(%s)", (data,)).fetchone()[0]
        counts[outcome] = counts.get(outcome, 0) + 1
        # registered; damaged; what cannot be; not UTF-8; names that are there twice or too long; no columns of a table that a tag names
        if outcome not in ("P0099", "22P03", "22023", "22021", "42701", "42710", "42622", "OR005"):
            wrong.append(f"{data.hex()}: {outcome}")
    print(f"# damaged descriptors: {dict(sorted(counts.items()))}")
    report("damaged descriptors", "\n".join(wrong[:20]) if wrong else None)
    report("some were registered, and some were not", None if min(counts.get("P0099", 0), counts.get("22P03", 0)) > 10 else counts)

    def nested(depth):
        message = b""
        for _ in range(depth):
            message = b"\x0a\x01A" + b"\x1a" + length(message) + message
        return b"\x0a" + length(b"\x0a\x01f\x22" + length(message) + message) + b"\x0a\x01f\x22" + length(message) + message

    def length(data):
        number = len(data)
        out = bytearray()
        while number > 127:
            out.append(number & 127 | 128)
            number >>= 7
        return bytes(out) + bytes([number])

    report("messages in messages twenty thousand deep",
           None if error_of(connection, "SELECT corm.register_proto(%s)", nested(20000)) == "22P03" else "another error")
    for what, data in (("a file", "0a0522030a0141"), ("a message", "0a050a01662200"), ("a field", "0a0c0a016622070a014312021801"), ("an enum", "0a050a01662a00")):
        report(f"{what} without a name", None if error_of(connection, "SELECT corm.register_proto(%s)", bytes.fromhex(data)) == "22P03" else "another error")


def main():
    (work / "main.proto").write_text(MAIN)
    (work / "other.proto").write_text(OTHER)
    with psycopg.connect("", autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        for schema in ("proto_main", "proto_some"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")
        types = dict(connection.execute("SELECT message, type::text FROM corm.register_proto(%s, 'proto_main')", (descriptors("main.proto"),)).fetchall())
        names = {"shop.User": 'proto_main."user"', "other.User": "proto_main.other_user", "shop.HTTPServer2Config": "proto_main.http_server2_config",
                 "google.protobuf.Any": "proto_main.any"}
        for message, name in names.items():
            report(f"{message} is {name}", None if types.get(message, "").replace('"', "") == name.replace('"', "") else types.get(message))
        report("the time is no message", None if "google.protobuf.Timestamp" not in types else types)
        golden(connection, types)
        unknown_fields(connection, types)
        register_again(connection, None)
        plugin(connection)
        connection.execute("SET search_path = public")
        documented(connection)
        dumped(connection, types)
        fuzz(connection, types)
        fuzz_descriptors(connection)
        for schema in ("proto_main", "proto_some", "proto_plugin", "proto_same"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    shutil.rmtree(work, ignore_errors=True)
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


main()
