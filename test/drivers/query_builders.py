"""The query builders of examples/, in Python and TypeScript: both make the same text forms, corm reads them as what its
builders make, and a client runs them all by one prepared statement.

Runs in a database with corm and test/docs/sample.sql; libpq's variables say where.  The output is TAP.
"""

import json
import os
import subprocess
import sys
import tempfile

import psycopg

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "examples"))
sys.dont_write_bytecode = True

from query import Query, and_, between, contains, eq, gt, gte, is_in, like, lt, lte, neq, not_, or_, some  # noqa: E402

count = 0


def check(name, got, expected):
    global count
    count += 1
    print(f"{'ok' if got == expected else 'not ok'} {count} - {name}")
    if got != expected:
        print(f"#      got: {got!r}\n# expected: {expected!r}")


# name, Python, TypeScript, corm's builders
QUERIES = [
    ("a filter", Query("users").where(gte("age", 18), is_in("plan", ["pro", "ent"])).order_by("-age", "id").limit(3),
     "Query.from('users').where(gte('age', 18), isIn('plan', ['pro', 'ent'])).orderBy('-age', 'id').limit(3)",
     "corm.selector('users'), corm.where(corm.gte('age', 18), corm.in('plan', '{\"pro\",\"ent\"}')), corm.order_by('-age', 'id'), corm.limit(3)"),
    ("logic", Query("users").where(or_(eq("name", "Ada"), and_(not_(neq("plan", "pro")), lt("age", 40)))).select("id", "name").order_by("id"),
     "Query.from('users').where(or(eq('name', 'Ada'), and(not(neq('plan', 'pro')), lt('age', 40)))).select('id', 'name').orderBy('id')",
     "corm.selector('users'), corm.where(corm.or(corm.eq('name', 'Ada'), corm.and(corm.not(corm.neq('plan', 'pro')), corm.lt('age', 40)))), corm.select('id', 'name'), corm.order_by('id')"),
    ("relations", Query("users").where(some("orders", gt("amount", 50.5), lte("amount", 1000))).preload("orders", Query().where(eq("status", "paid")).order_by("id").limit(2)).order_by("id"),
     "Query.from('users').where(some('orders', gt('amount', 50.5), lte('amount', 1000))).preload('orders', Query.part.where(eq('status', 'paid')).orderBy('id').limit(2)).orderBy('id')",
     "corm.selector('users'), corm.where(corm.some('orders', corm.gt('amount', 50.5), corm.lte('amount', 1000))), corm.preload('orders', corm.where(corm.eq('status', 'paid')), corm.order_by('id'), corm.limit(2)), corm.order_by('id')"),
    ("NULL and a boolean", Query("users").where(eq("age", None), eq("active", True)).order_by("id"),
     "Query.from('users').where(eq('age', null), eq('active', true)).orderBy('id')",
     "corm.selector('users'), corm.where(corm.eq('age', NULL), corm.eq('active', true)), corm.order_by('id')"),
    ("pages and patterns", Query("users").where(like("email", "%@example.com"), contains("name", "a"), between("id", 2, 7)).order_by("id").offset(1).limit(2),
     "Query.from('users').where(like('email', '%@example.com'), contains('name', 'a'), between('id', 2, 7)).orderBy('id').offset(1).limit(2)",
     "corm.selector('users'), corm.where(corm.like('email', '%@example.com'), corm.contains('name', 'a'), corm.between('id', 2, 7)), corm.order_by('id'), corm.offset(1), corm.limit(2)"),
    ("values that would be more", Query("users").where(eq("name", "x' OR true --"), is_in("plan", ['a"b\\c', "{}", "NULL", None])),
     "Query.from('users').where(eq('name', \"x' OR true --\"), isIn('plan', ['a\"b\\\\c', '{}', 'NULL', null]))",
     "corm.selector('users'), corm.where(corm.eq('name', 'x'' OR true --'), corm.in('plan', '{\"a\\\"b\\\\c\",\"{}\",\"NULL\",NULL}'))"),
]


def in_typescript():
    """The text forms that the builder in TypeScript makes."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "program.ts")
        with open(os.path.join(HERE, "..", "..", "examples", "query.ts"), encoding="utf-8") as file:
            source = file.read()
        forms = ", ".join(f"String({typescript})" for _, _, typescript, _ in QUERIES)
        refused = """(() => { try { return String(Query.from('users').where(eq('name', JSON.parse('{"c": "plan"}')))); } catch (error) { return String(error); } })()"""
        with open(program, "w", encoding="utf-8") as file:
            file.write(f"{source}\ndeclare const console: {{ log(text: string): void }};\nconsole.log(JSON.stringify([{forms}, {refused}]));\n")
        compiler = os.path.join(HERE, "node_modules", "typescript", "bin", "tsc")
        compiled = subprocess.run(["node", compiler, "--strict", "--target", "es2022", "--module", "es2022", "--lib", "es2022", "--outDir", folder, program],
                                  stdout=subprocess.PIPE, text=True)
        check("the types are right", compiled.stdout, "")
        os.rename(os.path.join(folder, "program.js"), os.path.join(folder, "program.mjs"))
        return json.loads(subprocess.run(["node", os.path.join(folder, "program.mjs")], stdout=subprocess.PIPE, text=True, check=True).stdout)


*forms, refused = in_typescript()
check("an object that a client has sent is no value", refused, "TypeError: not a value")
try:
    refused = str(Query("users").where(eq("name", {"c": "plan"})))
except TypeError as error:
    refused = str(error)
check("nor in Python", refused, "not a value: {'c': 'plan'}")

with psycopg.connect(autocommit=True) as connection:
    for (name, python, _, builders), typescript in zip(QUERIES, forms):
        check(f"{name}: the same in both languages", json.loads(str(python)), json.loads(typescript))
        escaped = builders.replace("%", "%%")
        same = connection.execute(f"SELECT corm.to_sql({escaped}) = corm.to_sql(%s::corm.query), corm.args({escaped}) = corm.args(%s::corm.query)",
                                  [str(python), str(python)]).fetchone()
        check(f"{name}: as corm's builders make it", same, (True, True))
        [rows] = connection.execute("SELECT corm.get_multi_json_text(%s::corm.query)", [str(python)], prepare=True).fetchone()
        [expected] = connection.execute(f"SELECT corm.get_multi_json({builders})").fetchone()
        check(f"{name}: the rows", rows, expected)
    [statements] = connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT corm.get_multi_json_text%'").fetchone()
    check("one prepared statement has served them all", statements, 1)
print(f"1..{count}")
