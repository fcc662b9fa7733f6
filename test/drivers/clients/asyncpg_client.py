"""The common calls with asyncpg: see ../every_driver.py.

asyncpg asks the server for the types of parameters, and converts to these: where corm chose the text form, say the type.
"""

import asyncio
import datetime
import json
import os

import asyncpg


async def main():
    connection = await asyncpg.connect(host=os.environ["PGHOST"], user=os.environ["PGUSER"], database=os.environ["PGDATABASE"])
    value = connection.fetchval

    async def state(sql, *parameters):
        try:
            await connection.fetch(sql, *parameters)
        except asyncpg.PostgresError as error:
            return error.sqlstate

    print("find:", await value("SELECT name FROM corm.find(NULL::users, $1::int)", 3))
    rows = await connection.fetch("SELECT name FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', $1::int), "
                                  "corm.in('plan', $2::text[])), corm.order_by('-age'), corm.limit($3))", 18, ["pro", "ent"], 2)
    print("list:", ",".join(row["name"] for row in rows))
    ada = json.loads(await value(
        "SELECT corm.get_json_text(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', $1::int)), "
        "corm.preload('orders', corm.select('id'), corm.order_by('id')))", 1))
    print("document:", ada["name"], len(ada["orders"]))
    print("insert:", json.loads(await value("SELECT corm.insert_json('users', $1::jsonb)", json.dumps({"name": "Ivo", "age": 33})))["name"])
    print("patch:", json.loads(await value("SELECT corm.update_json('users', $1::jsonb, $2::jsonb)",
                                           json.dumps({"email": "ada@example.com"}), json.dumps({"age": 37})))["age"])
    print("null:", await value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', $1::int)))", None))
    print("time:", await value("SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', $1::timestamptz)))",
                               datetime.datetime(2026, 2, 2, tzinfo=datetime.timezone.utc)))
    tag = await connection.execute("CALL corm.run(corm.updater('users'), corm.set('plan', $1::text), corm.where(corm.eq('name', $2::text)))",
                                   "ent", "Ivo")
    print("command:", tag.split()[-1])
    print("unit of work:", json.loads(await value("SELECT corm.do_tx($tx$ SELECT corm.exec(corm.updater('users'), corm.set('age', $1), "
                                                  "corm.where(corm.eq('name', $2))) AS n $tx$, $1::int, $2::text)", 34, "Ivo"))[0]["n"])
    print("only a value:", await value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', $1::text)))", "' OR true --"))
    print("no row:", await state("SELECT corm.find(NULL::users, $1::int)", 999))
    print("unknown field:", await state("SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq($1, $2::text)))", "nme", "x"))


asyncio.run(main())
