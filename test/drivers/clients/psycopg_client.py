"""The common calls with psycopg 3: see ../every_driver.py."""

import datetime

import psycopg
from psycopg.types.json import Jsonb

connection = psycopg.connect("", autocommit=True)


def value(sql, *parameters):
    return connection.execute(sql, parameters).fetchone()[0]


def state(sql, *parameters):
    try:
        connection.execute(sql, parameters)
    except psycopg.Error as error:
        return error.sqlstate


print("find:", value("SELECT name FROM corm.find(NULL::users, %s)", 3))
rows = connection.execute("SELECT name FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', %s), corm.in('plan', %s)), "
                          "corm.order_by('-age'), corm.limit(%s))", (18, ["pro", "ent"], 2))
print("list:", ",".join(row[0] for row in rows))
ada = value("SELECT corm.get_json_text(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', %s)), "
            "corm.preload('orders', corm.select('id'), corm.order_by('id')))", 1)
print("document:", ada["name"], len(ada["orders"]))
print("insert:", value("SELECT corm.insert_json('users', %s)", Jsonb({"name": "Ivo", "age": 33}))["name"])
print("patch:", value("SELECT corm.update_json('users', %s, %s)", Jsonb({"email": "ada@example.com"}), Jsonb({"age": 37}))["age"])
print("null:", value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', %s)))", None))
print("time:", value("SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', %s)))",
                     datetime.datetime(2026, 2, 2, tzinfo=datetime.timezone.utc)))
print("command:", connection.execute("CALL corm.run(corm.updater('users'), corm.set('plan', %s), corm.where(corm.eq('name', %s)))",
                                     ("ent", "Ivo")).rowcount)
print("unit of work:", value("SELECT corm.do_tx($tx$ SELECT corm.exec(corm.updater('users'), corm.set('age', $1), "
                             "corm.where(corm.eq('name', $2))) AS n $tx$, %s, %s)", 34, "Ivo")[0]["n"])
print("only a value:", value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', %s)))", "' OR true --"))
print("no row:", state("SELECT corm.find(NULL::users, %s)", 999))
print("unknown field:", state("SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq(%s, %s)))", "nme", "x"))
