// The common calls with postgres.js: see ../every_driver.py.
//
// postgres.js asks the server for the types of parameters.  Say the type where corm chose the text form; objects go
// through sql.json().
const postgres = require('postgres')

async function main() {
  const sql = postgres({ host: process.env.PGHOST, username: process.env.PGUSER, database: process.env.PGDATABASE })
  const value = async query => Object.values((await query)[0])[0]
  const state = async query => { try { await query } catch (error) { return error.code } }

  console.log('find:', await value(sql`SELECT name FROM corm.find(NULL::users, ${3}::int)`))
  console.log('list:', (await sql`SELECT name FROM corm.get_multi(NULL::users,
    corm.where(corm.gte('age', ${18}::int), corm.in('plan', ${['pro', 'ent']}::text[])), corm.order_by('-age'), corm.limit(${2}))`)
    .map(row => row.name).join())
  const ada = await value(sql`SELECT corm.get_json_text(corm.selector('users'), corm.select('name'),
    corm.where(corm.eq('id', ${1}::int)), corm.preload('orders', corm.select('id'), corm.order_by('id')))`)
  console.log('document:', ada.name, ada.orders.length)
  console.log('insert:', (await value(sql`SELECT corm.insert_json('users', ${sql.json({ name: 'Ivo', age: 33 })}::jsonb)`)).name)
  console.log('patch:', (await value(sql`SELECT corm.update_json('users', ${sql.json({ email: 'ada@example.com' })}::jsonb,
    ${sql.json({ age: 37 })}::jsonb)`)).age)
  console.log('null:', await value(sql`SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', ${null}::int)))`))
  console.log('time:', await value(sql`SELECT corm.count(corm.selector('orders'),
    corm.where(corm.lt('placed_at', ${new Date('2026-02-02T00:00:00Z')}::timestamptz)))`))
  const command = await sql`CALL corm.run(corm.updater('users'), corm.set('plan', ${'ent'}::text), corm.where(corm.eq('name', ${'Ivo'}::text)))`
  console.log('command:', command.count)
  console.log('unit of work:', (await value(sql`SELECT corm.do_tx($tx$ SELECT corm.exec(corm.updater('users'), corm.set('age', $1),
    corm.where(corm.eq('name', $2))) AS n $tx$, ${34}::int, ${'Ivo'}::text)`))[0].n)
  console.log('only a value:', await value(sql`SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', ${"' OR true --"}::text)))`))
  console.log('no row:', await state(sql`SELECT corm.find(NULL::users, ${999}::int)`))
  console.log('unknown field:', await state(sql`SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq(${'nme'}, ${'x'}::text)))`))
  await sql.end()
}

main()
