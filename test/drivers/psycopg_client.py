"""corm from psycopg 3: parameters that the server has to find a type for, results, errors.  (hardening 46, 57)

Runs in a database with corm and test/docs/sample.sql; libpq's variables say where.  The output is TAP.
"""

import datetime
import decimal
import json

import psycopg
from psycopg.rows import dict_row

count = 0


def check(name, got, expected):
    global count
    count += 1
    print(f"{'ok' if got == expected else 'not ok'} {count} - {name}")
    if got != expected:
        print(f"#      got: {got!r}\n# expected: {expected!r}")


connection = psycopg.connect("", autocommit=True, row_factory=dict_row)


def rows(sql, *parameters, **options):
    return connection.execute(sql, parameters, **options).fetchall()


def names(sql, *parameters, **options):
    return [row["name"] for row in rows(sql, *parameters, **options)]


def error(sql, *parameters):
    try:
        rows(sql, *parameters)
    except psycopg.Error as problem:
        return problem
    raise AssertionError("no error")


# psycopg sends a str with no type, so that each of these is an untyped $1; numbers have one.
find = "SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.{}), corm.order_by('id'))"
check("str for a text field", names(find.format("eq('name', %s)"), "Ada"), ["Ada"])
check("str for an integer field", names(find.format("gt('age', %s)"), "50"), ["Carol", "Hana"])
check("int for an integer field", names(find.format("gt('age', %s)"), 50), ["Carol", "Hana"])
check("int for a bigint field", names(find.format("eq('id', %s)"), 3), ["Carol"])
check("str for a boolean field", names(find.format("eq('active', %s)"), "false"), ["Dan"])
check("bool", names(find.format("eq('active', %s)"), False), ["Dan"])
check("str for a timestamptz field", names(find.format("gte('created_at', %s)"), "2026-01-07 00:00+00"),
      ["Grace", "Hana"])
check("datetime", names(find.format("gte('created_at', %s)"),
                        datetime.datetime(2026, 1, 7, tzinfo=datetime.timezone.utc)), ["Grace", "Hana"])
check("list for in", names(find.format("in('plan', %s)"), ["pro", "ent"]), ["Ada", "Carol", "Eve"])
check("list of int for in", names(find.format("in('id', %s)"), [2, 4, 99]), ["Bob", "Dan"])
check("None is IS NULL", names(find.format("eq('email', %s)"), None), ["Grace"])
check("two parameters", names(find.format("between('age', %s, %s)"), "20", "30"), ["Eve", "Grace"])
# A8: a list that a library has expanded to parameters, honest and not
RAW = '[{"raw_query": ["select corm.exec(corm.deleter(\'users\'), corm.all_rows())::text"]}]'
check("A8: values one by one for in", names(find.format("in('plan', %s, %s)"), "pro", "ent"), ["Ada", "Carol", "Eve"])
check("A8: numbers one by one", names(find.format("in('id', %s, %s, %s)"), 2, 4, 3000000000), ["Bob", "Dan"])
check("A8: one value for in", names(find.format("in('plan', %s)"), "ent"), ["Carol"])
check("A8: the text form of a query is a value", names(find.format("in('plan', %s, %s)"), RAW, "[]"), [])
check("A8: and so for not_in", len(names(find.format("not_in('plan', %s, %s)"), RAW, "[]")), 8)
for place in ("eq('name', %s)", "like('name', %s)", "contains('name', %s)", "any_of(%s, corm.cast(corm.val('{}'), 'text[]'))",
              "eq(corm.coalesce(corm.c('name'), %s), 'x')", "eq(corm.c('name'), corm.val(%s))"):
    check(f"A8: a value in {place}", names(find.format(place), RAW), [])
check("A8: on the left side of an operator", error("SELECT corm.where(%s OPERATOR(corm_ops.=) corm.c('name'))", '{"raw": ["true"]}').sqlstate, "42883")
check("A8: no row is gone", len(names("SELECT name FROM users")), 8)
check("a value is just a value", names(find.format("eq('name', %s)"), "'; DROP TABLE users --"), [])
check("raw with parameters", names(find.format("raw('age + $1 > $2', %s, %s)"), 10, 60), ["Carol", "Hana"])
check("the values of a query are not its text",
      names(find.format("contains('name', %s)"), "%"), [])
check("limit and offset as parameters",
      names("SELECT * FROM corm.get_multi(NULL::users, corm.order_by('id'), corm.limit(%s), corm.offset(%s))", 2, 1),
      ["Bob", "Carol"])
check("an enum field",
      [row["id"] for row in rows("SELECT * FROM corm.get_multi(NULL::orders, corm.where(corm.eq('status', %s)), "
                                 "corm.order_by('id'))", "shipped")], [2, 6])
check("a numeric field",
      [row["amount"] for row in rows("SELECT * FROM corm.get_multi(NULL::orders, corm.where(corm.gt('amount', %s)))",
                                     decimal.Decimal("999.98"))], [decimal.Decimal("999.99")])

# The server plans a prepared statement anew until it settles on a plan; the answers are the same.
for turn in range(12):
    name = ["Ada", "Bob", "Carol"][turn % 3]
    check(f"prepared, time {turn + 1}", names(find.format("eq('name', %s)"), name, prepare=True), [name])

# Writes
check("insert a record from JSON",
      rows("SELECT corm.insert_json('users', %s) AS u", json.dumps({"name": "Ivo", "age": 33}))[0]["u"]["age"], 33)
check("update by query", rows("SELECT corm.exec(corm.updater('users'), corm.set('age', %s), corm.set('plan', %s), "
                              "corm.where(corm.eq('name', %s))) AS n", "34", "pro", "Ivo")[0]["n"], 1)
check("and its effect", rows("SELECT age, plan FROM users WHERE name = 'Ivo'"), [{"age": 34, "plan": "pro"}])
command = connection.execute("CALL corm.run(corm.updater('users'), corm.set('age', corm.add('age', %s)), corm.where(corm.eq('name', %s)))", [0, "Ada"])
check("a write as a command", (command.statusmessage, command.rowcount), ("UPDATE 1", 1))
check("delete", rows("SELECT corm.exec(corm.deleter('users'), corm.where(corm.eq('name', %s))) AS n", "Ivo")[0]["n"], 1)

# Results
check("JSON results are Python objects",
      rows("SELECT corm.get_json(corm.selector('users'), corm.select('name', 'age'), corm.where(corm.eq('id', %s))) "
           "AS u", "1")[0]["u"], {"name": "Ada", "age": 36})
check("one value", rows("SELECT corm.value(NULL::int, corm.selector('users'), corm.select('age'), "
                        "corm.where(corm.eq('name', %s))) AS age", "Bob")[0]["age"], 17)

# Errors
check("no row", error("SELECT corm.get(NULL::users, corm.where(corm.eq('id', %s)))", "4711").sqlstate, "P0002")
problem = error("SELECT corm.get(NULL::users, corm.where(corm.eq('nmae', %s)))", "Ada")
check("an unknown field", problem.sqlstate, "42703")
check("... has a hint", "name" in (problem.diag.message_hint or ""), True)
check("a field that tries to be SQL", error("SELECT corm.get(NULL::users, corm.where(corm.eq(%s, 1)))",
                                            "id; drop").sqlstate, "42703")
check("a value that does not convert", error(find.format("eq('age', %s)"), "young").sqlstate, "22P02")
check("a write without where", error("SELECT corm.exec(corm.deleter('users'))").sqlstate, "OR001")
check("the connection is in order after the errors", names(find.format("eq('id', %s)"), 1), ["Ada"])

print(f"1..{count}")
