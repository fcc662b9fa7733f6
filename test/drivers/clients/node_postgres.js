// The common calls with node-postgres: see ../every_driver.py.
const { Client } = require('pg')

async function main() {
  const client = new Client()
  await client.connect()
  const rows = async (sql, ...values) => (await client.query(sql, values)).rows
  const value = async (sql, ...values) => Object.values((await rows(sql, ...values))[0])[0]
  const state = async (sql, ...values) => { try { await client.query(sql, values) } catch (error) { return error.code } }

  console.log('find:', await value('SELECT name FROM corm.find(NULL::users, $1)', 3))
  console.log('list:', (await rows(`SELECT name FROM corm.get_multi(NULL::users,
    corm.where(corm.gte('age', $1), corm.in('plan', $2)), corm.order_by('-age'), corm.limit($3))`, 18, ['pro', 'ent'], 2))
    .map(row => row.name).join())
  const ada = await value(`SELECT corm.get_json_text(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', $1)),
    corm.preload('orders', corm.select('id'), corm.order_by('id')))`, 1)
  console.log('document:', ada.name, ada.orders.length)
  console.log('insert:', (await value("SELECT corm.insert_json('users', $1::jsonb)", { name: 'Ivo', age: 33 })).name)
  console.log('patch:', (await value("SELECT corm.update_json('users', $1::jsonb, $2::jsonb)",
    { email: 'ada@example.com' }, { age: 37 })).age)
  console.log('null:', await value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', $1)))", null))
  console.log('time:', await value("SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', $1)))",
    new Date('2026-02-02T00:00:00Z')))
  const command = await client.query(
    "CALL corm.run(corm.updater('users'), corm.set('plan', $1), corm.where(corm.eq('name', $2)))", ['ent', 'Ivo'])
  console.log('command:', command.rowCount)
  console.log('unit of work:', (await value(`SELECT corm.do_tx($tx$ SELECT corm.exec(corm.updater('users'), corm.set('age', $1),
    corm.where(corm.eq('name', $2))) AS n $tx$, $1, $2)`, 34, 'Ivo'))[0].n)
  console.log('only a value:', await value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', $1)))", "' OR true --"))
  console.log('no row:', await state('SELECT corm.find(NULL::users, $1)', 999))
  console.log('unknown field:', await state("SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq($1, $2)))", 'nme', 'x'))
  await client.end()
}

main()
