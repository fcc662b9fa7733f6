"""The common calls with psycopg 2: see ../every_driver.py."""

import datetime

import psycopg2
from psycopg2.extras import Json

connection = psycopg2.connect("")
connection.autocommit = True
cursor = connection.cursor()


def value(sql, *parameters):
    cursor.execute(sql, parameters)
    return cursor.fetchone()[0]


def state(sql, *parameters):
    try:
        cursor.execute(sql, parameters)
    except psycopg2.Error as error:
        return error.pgcode


print("find:", value("SELECT name FROM corm.find(NULL::users, %s)", 3))
cursor.execute("SELECT name FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', %s), corm.in('plan', %s)), "
               "corm.order_by('-age'), corm.limit(%s))", (18, ["pro", "ent"], 2))
print("list:", ",".join(row[0] for row in cursor))
ada = value("SELECT corm.get_json_text(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', %s)), "
            "corm.preload('orders', corm.select('id'), corm.order_by('id')))", 1)
print("document:", ada["name"], len(ada["orders"]))
print("insert:", value("SELECT corm.insert_json('users', %s)", Json({"name": "Ivo", "age": 33}))["name"])
print("patch:", value("SELECT corm.update_json('users', %s, %s)", Json({"email": "ada@example.com"}), Json({"age": 37}))["age"])
print("null:", value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', %s)))", None))
print("time:", value("SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', %s)))",
                     datetime.datetime(2026, 2, 2, tzinfo=datetime.timezone.utc)))
cursor.execute("CALL corm.run(corm.updater('users'), corm.set('plan', %s), corm.where(corm.eq('name', %s)))", ("ent", "Ivo"))
print("command:", cursor.rowcount)
print("unit of work:", value("SELECT corm.do_tx($tx$ SELECT corm.exec(corm.updater('users'), corm.set('age', $1), "
                             "corm.where(corm.eq('name', $2))) AS n $tx$, %s, %s)", 34, "Ivo")[0]["n"])
print("only a value:", value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', %s)))", "' OR true --"))
print("no row:", state("SELECT corm.find(NULL::users, %s)", 999))
print("unknown field:", state("SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq(%s, %s)))", "nme", "x"))
