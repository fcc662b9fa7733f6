"""corm.client_types against the tools of each language, and against documents that corm writes.

TypeScript is compiled, with documents as values of the types.  Python is imported, and documents become objects.  Go is vetted, and a program
decodes documents and refuses keys that the types do not have.  protoc reads the messages.  Go and protoc are used where they are
installed.  The same for corm.erd and Graphviz.  Runs in a database with corm and test/docs/sample.sql; libpq's variables say where.  The output is TAP.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types
import typing

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = r"""
CREATE SCHEMA shapes;
SET search_path = shapes, public;
CREATE TYPE mood AS ENUM ('sad', 'so "so"', 'so_so', 'back\slash');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE place AS (x float8, y float8, "two names" text[]);
CREATE TABLE everything (
    id bigint PRIMARY KEY, s smallint NOT NULL, i int, n numeric NOT NULL, f real, d float8 NOT NULL, b boolean NOT NULL, m mood NOT NULL, ms mood[], at timestamptz NOT NULL,
    local timestamp, day date, j json, jb jsonb NOT NULL, u uuid, p positive, pl place, pls place[], bytes bytea, span interval, "two words" text, "class" int, "1st" int,
    "from" text, "_x" int, rg int4range, user_id bigint REFERENCES users, hidden text);
COMMENT ON TABLE everything IS E'All of it.\n*/ and "quotes"';
COMMENT ON COLUMN everything.hidden IS '@orm:hidden';
COMMENT ON COLUMN everything.s IS E'Two\nlines */ of it';
CREATE TABLE "list" (id int PRIMARY KEY, "Any" text, type text);
CREATE TABLE "select" (id int PRIMARY KEY, "list_id" int REFERENCES "list");
INSERT INTO everything VALUES (1, 1, 2, 3.5, 1.5, 2.5, true, 'so_so', '{sad,so_so}', '2026-01-01 00:00+00', '2026-01-01', '2026-01-01', '[1]', '{"a": null}',
    '00000000-0000-0000-0000-000000000001', 5, ROW(1, 2, '{a}'), ARRAY[ROW(1, NULL, NULL)::place], '\x01', '1 day', 't', 1, 2, 'f', 3, '[1,2)', 1, 'x');
INSERT INTO everything (id, s, n, d, b, m, at, jb) VALUES (2, 1, 12345678901234567890.5, 1, false, 'sad', '2026-01-01 00:00+00', '"x"');
INSERT INTO "list" VALUES (1, NULL, 'x');
INSERT INTO "select" VALUES (1, 1);
SELECT corm.register('"select"', '{"naming": "camel"}');
"""
# type, model and query of documents
DOCUMENTS = [
    ("Everything", "shapes.everything", "corm.order_by('id'), corm.preload('user')"),
    ("Users", "public.users", "corm.order_by('id'), corm.preload('company'), corm.preload('orders.order_items')"),
    ("Companies", "public.companies", "corm.order_by('id'), corm.preload('users')"),
    ("Orders", "public.orders", "corm.order_by('id'), corm.preload('user'), corm.preload('products')"),
    ("ShapesList", 'shapes."list"', "corm.order_by('id')"),
    ("Select", 'shapes."select"', "corm.preload('list')"),
]

work = pathlib.Path(tempfile.mkdtemp(prefix="corm-types."))
count = 0
failed = 0


def report(name, problem=None):
    global count, failed
    count += 1
    print(f"{'not ok' if problem else 'ok'} {count} - {name}")
    if problem:
        failed += 1
        print("\n".join("# " + line for line in str(problem).split("\n")))


def command(name, *arguments, **options):
    """Runs a command, which must succeed."""
    result = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    report(name, result.stdout if result.returncode else None)
    return result


def check_typescript(source, documents):
    tsc = HERE / "node_modules" / "typescript" / "bin" / "tsc"
    uses = "".join(f"export const d{i}: m.{name}[] = {json.dumps(values)};\n" for i, (name, values) in enumerate(documents))
    (work / "models.ts").write_text(source)
    (work / "use.ts").write_text(f'import type * as m from "./models";\n{uses}')
    arguments = ["node", str(tsc), "--strict", "--noEmit", "--target", "es2020", "--module", "es2020", "--moduleResolution", "bundler"]
    command("TypeScript: documents have the types", *arguments, "use.ts", cwd=work)
    # and would not have them otherwise
    (work / "wrong.ts").write_text(f'import type * as m from "./models";\n{uses.replace("Ada", "", 1).replace(chr(34) + "id" + chr(34), chr(34) + "idd" + chr(34), 1)}')
    result = subprocess.run([*arguments, "wrong.ts"], cwd=work, stdout=subprocess.PIPE, text=True)
    report("TypeScript: another document does not", None if "idd" in result.stdout else "it was accepted: " + result.stdout)


def build(module, name, value):
    """An object of a class of the module, of a document."""
    cls = getattr(module, name)
    keys = {field.metadata.get("key", field.name): field.name for field in cls.__dataclass_fields__.values()}
    return cls(**{keys[key]: item for key, item in value.items()})


def check_python(source, documents):
    try:
        module = types.ModuleType("models")
        sys.modules["models"] = module
        exec(compile(source, "models.py", "exec"), module.__dict__)
        for name, values in documents:
            typing.get_type_hints(getattr(module, name))
            for value in values:
                build(module, name, value)
        report("Python: documents become objects")
    except Exception as error:
        report("Python: documents become objects", f"{error!r}\n{source}")


def check_go(source, texts):
    if not shutil.which("go"):
        print("# go is not installed")
        return
    program = 'package main\n\nimport (\n\t"encoding/json"\n\t"fmt"\n\t"os"\n\t"strings"\n\n\t"shapes/models"\n)\n\n'
    program += "func decode(text string, value interface{}) {\n\tdecoder := json.NewDecoder(strings.NewReader(text))\n\tdecoder.DisallowUnknownFields()\n"
    program += '\tif err := decoder.Decode(value); err != nil {\n\t\tfmt.Println(err)\n\t\tos.Exit(1)\n\t}\n}\n\nfunc main() {\n'
    for i, (name, text) in enumerate(texts):
        program += f"\tvar d{i} []models.{name}\n\tdecode({json.dumps(text)}, &d{i})\n"
    program += "\tfmt.Println(d0[1].N)\n}\n"
    (work / "go" / "models").mkdir(parents=True)
    (work / "go" / "go.mod").write_text("module shapes\n\ngo 1.18\n")
    (work / "go" / "models" / "models.go").write_text(source)
    (work / "go" / "main.go").write_text(program)
    environment = dict(os.environ, GOCACHE=str(work / "cache"), GOFLAGS="-mod=mod", GO111MODULE="on", HOME=str(work), GOPATH=str(work / "path"), GOTOOLCHAIN="local")
    command("Go: vetted", "go", "vet", "./...", cwd=work / "go", env=environment)
    result = command("Go: documents are decoded", "go", "run", ".", cwd=work / "go", env=environment)
    report("Go: a numeric keeps its digits", None if result.stdout.strip() == "12345678901234567890.5" else result.stdout)


def check_proto(source):
    if not shutil.which("protoc"):
        print("# protoc is not installed")
        return
    (work / "models.proto").write_text(source)
    command("proto: protoc reads the messages", "protoc", "-I", str(work), "--descriptor_set_out", str(work / "models.pb"), str(work / "models.proto"))


def check_dot(source):
    if not shutil.which("dot"):
        print("# dot is not installed")
        return
    command("dot: Graphviz draws the diagram", "dot", "-Tsvg", "-o", str(work / "models.svg"), input=source)


def main():
    with psycopg.connect("", autocommit=True) as connection:
        connection.execute(SCHEMA)
        try:
            texts = [(name, connection.execute(f"SELECT corm.get_multi_json(corm.selector('{model}'), {clauses})::text").fetchone()[0])
                     for name, model, clauses in DOCUMENTS]
            documents = [(name, json.loads(text)) for name, text in texts]

            def source(language):
                return connection.execute("SELECT corm.client_types(%s)", (language,)).fetchone()[0]

            check_typescript(source("typescript"), documents)
            check_python(source("python"), documents)
            check_go(source("go"), texts)
            check_proto(source("proto"))
            check_dot(connection.execute("SELECT corm.erd(format => 'dot')").fetchone()[0])
        finally:
            connection.execute("DROP SCHEMA shapes CASCADE")
    shutil.rmtree(work, ignore_errors=True)
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


main()
