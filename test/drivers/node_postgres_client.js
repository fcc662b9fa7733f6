// corm from node-postgres: it sends every parameter as text without a type, so the server has to find
// one for each $1.  Also results and errors.  (hardening 46, 57)
//
// Runs in a database with corm and test/docs/sample.sql; libpq's variables say where.  The output is TAP.

'use strict'

const assert = require('node:assert')
const { Client } = require('pg')

let count = 0

function check(name, got, expected) {
  count++
  try {
    assert.deepStrictEqual(got, expected)
    console.log(`ok ${count} - ${name}`)
  } catch (problem) {
    console.log(`not ok ${count} - ${name}`)
    console.log(problem.message.replace(/^/gm, '# '))
    process.exitCode = 1
  }
}

async function main() {
  const client = new Client()
  await client.connect()

  const rows = async (text, values) => (await client.query({ text, values })).rows
  const names = async (text, values) => (await rows(text, values)).map(row => row.name)
  const value = async (text, values) => Object.values((await rows(text, values))[0])[0]
  const error = async (text, values) => {
    try {
      await client.query({ text, values })
    } catch (problem) {
      return problem
    }
    throw new Error(`no error: ${text}`)
  }
  const find = condition =>
    `SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.${condition}), corm.order_by('id'))`

  check('text', await names(find("eq('name', $1)"), ['Ada']), ['Ada'])
  check('integer', await names(find("gt('age', $1)"), [50]), ['Carol', 'Hana'])
  check('bigint', await names(find("eq('id', $1)"), ['3']), ['Carol'])
  check('boolean', await names(find("eq('active', $1)"), [false]), ['Dan'])
  check('timestamptz', await names(find("gte('created_at', $1)"), [new Date('2026-01-07T00:00:00Z')]),
    ['Grace', 'Hana'])
  check('null is IS NULL', await names(find("eq('email', $1)"), [null]), ['Grace'])
  check('two parameters', await names(find("between('age', $1, $2)"), [20, 30]), ['Eve', 'Grace'])
  // A8: a list that a library has expanded to parameters, honest and not
  const raw = `[{"raw_query": ["select corm.exec(corm.deleter('users'), corm.all_rows())::text"]}]`
  check('A8: values one by one for in', await names(find("in('plan', $1, $2)"), ['pro', 'ent']), ['Ada', 'Carol', 'Eve'])
  check('A8: one value for in', await names(find("in('plan', $1)"), ['ent']), ['Carol'])
  check('A8: an array for in', await names(find("in('plan', $1)"), [['ent', 'x']]), ['Carol'])
  check('A8: the text form of a query is a value', await names(find("in('plan', $1, $2)"), [raw, '[]']), [])
  check('A8: and so for not_in', (await names(find("not_in('plan', $1, $2)"), [raw, '[]'])).length, 8)
  check('A8: on the left side of an operator',
    (await error('SELECT corm.where($1 OPERATOR(corm_ops.=) corm.c($2))', ['{"raw": ["true"]}', 'name'])).code, '42883')
  check('A8: no row is gone', (await names('SELECT name FROM users', [])).length, 8)
  check('an array', await names(find("in('plan', $1::text[])"), [['pro', 'ent']]), ['Ada', 'Carol', 'Eve'])
  check('an array for a bigint field', await names(find("in('id', $1::bigint[])"), [[2, 4, 99]]), ['Bob', 'Dan'])
  check('a value is just a value', await names(find("eq('name', $1)"), ["'; DROP TABLE users --"]), [])
  check('a percent sign is just a percent sign', await names(find("contains('name', $1)"), ['%']), [])
  check('raw with parameters', await names(find("raw('age + $1 > $2', $1::int, $2::int)"), [10, 60]), ['Carol', 'Hana'])
  check('limit and offset', await names(
    "SELECT * FROM corm.get_multi(NULL::users, corm.order_by('id'), corm.limit($1), corm.offset($2))", [2, 1]),
  ['Bob', 'Carol'])
  check('an enum', (await rows(
    "SELECT * FROM corm.get_multi(NULL::orders, corm.where(corm.eq('status', $1)), corm.order_by('id'))",
    ['shipped'])).map(row => row.id), ['2', '6'])
  check('numeric', (await rows(
    "SELECT * FROM corm.get_multi(NULL::orders, corm.where(corm.gt('amount', $1)))", ['999.98']))
    .map(row => row.amount), ['999.99'])

  // A named statement is planned anew until the server settles on a plan; the answers are the same.
  for (let turn = 0; turn < 12; turn++) {
    const name = ['Ada', 'Bob', 'Carol'][turn % 3]
    const result = await client.query({ name: 'by-name', text: find("eq('name', $1)"), values: [name] })
    check(`prepared, time ${turn + 1}`, result.rows.map(row => row.name), [name])
  }

  // Writes
  check('insert from JSON', (await value("SELECT corm.insert_json('users', $1)", [{ name: 'Ivo', age: 33 }])).age, 33)
  check('update by query', await value(
    "SELECT corm.exec(corm.updater('users'), corm.set('age', $1), corm.set('plan', $2), corm.where(corm.eq('name', $3)))",
    [34, 'pro', 'Ivo']), '1')
  check('and its effect', await rows("SELECT age, plan FROM users WHERE name = 'Ivo'"), [{ age: 34, plan: 'pro' }])
  const command = await client.query(
    "CALL corm.run(corm.updater('users'), corm.set('age', corm.add('age', $1)), corm.where(corm.eq('name', $2)))", [0, 'Ada'])
  check('a write as a command', [command.command, command.rowCount], ['UPDATE', 1])
  check('delete', await value("SELECT corm.exec(corm.deleter('users'), corm.where(corm.eq('name', $1)))", ['Ivo']), '1')

  // Results
  check('a JSON object', await value(
    "SELECT corm.get_json(corm.selector('users'), corm.select('name', 'age'), corm.where(corm.eq('id', $1)))", [1]),
  { name: 'Ada', age: 36 })
  check('one value', await value(
    "SELECT corm.value(NULL::int, corm.selector('users'), corm.select('age'), corm.where(corm.eq('name', $1)))",
    ['Bob']), 17)

  // Errors
  check('no row', (await error("SELECT corm.get(NULL::users, corm.where(corm.eq('id', $1)))", [4711])).code, 'P0002')
  const problem = await error("SELECT corm.get(NULL::users, corm.where(corm.eq('nmae', $1)))", ['Ada'])
  check('an unknown field', problem.code, '42703')
  check('... has a hint', /name/.test(problem.hint), true)
  check('a field that tries to be SQL',
    (await error('SELECT corm.get(NULL::users, corm.where(corm.eq($1, 1)))', ['id; drop'])).code, '42703')
  check('a value that does not convert', (await error(find("eq('age', $1)"), ['young'])).code, '22P02')
  check('a write without where', (await error("SELECT corm.exec(corm.deleter('users'))")).code, 'OR001')
  check('the connection is in order after the errors', await names(find("eq('id', $1)"), [1]), ['Ada'])

  await client.end()
  console.log(`1..${count}`)
}

main().catch(problem => {
  console.log(`Bail out! ${problem.stack}`)
  process.exit(1)
})
