// Cache events from node-postgres: a LISTENer keeps a local copy right by them.
//
// Runs in a database with corm; libpq's variables say where.  The output is TAP.

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
  const writer = new Client()
  const listener = new Client()
  await Promise.all([writer.connect(), listener.connect()])
  const run = async (text, values) => (await writer.query({ text, values })).rows

  // The local copy: what docs/cache.md shows.
  const local = new Map()
  let epoch
  let received = 0
  listener.on('notification', ({ channel, payload }) => {
    assert.strictEqual(channel, 'cache_node')
    const message = JSON.parse(payload)
    assert.strictEqual(message.v, 1)
    if (message.lost > 0 || message.epoch !== epoch) {
      if (epoch !== undefined) local.clear()
      epoch = message.epoch
    }
    for (const [cache, key, reason] of message.ev) {
      received++
      if (reason === 'cleared') local.clear()
      else local.delete(`${cache}/${key}`)
    }
  })
  await listener.query('LISTEN cache_node')

  const until = async condition => {
    const end = Date.now() + 30000
    while (!condition() && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 10))
    return condition()
  }

  await run("SELECT corm.cache_create('node', channel => 'cache_node')")
  await run("SELECT corm.cache_grant('node', '-', '{read}')")

  await run('SELECT corm.cache_set($1, $2, cache => $3)', ['a', 'one', 'node'])
  check('untyped parameters are text', await run('SELECT corm.cache_get($1, $2) AS v', ['a', 'node']), [{ v: 'one' }])
  for (const key of ['a', 'b', 'c']) local.set(`node/${key}`, key)

  await run('SELECT corm.cache_delete($1, $2)', ['a', 'node'])
  check('a delete reaches the copy', await until(() => received === 1) && [...local.keys()], ['node/b', 'node/c'])

  await run("SELECT corm.cache_set($1, $2, '1 millisecond', $3)", ['b', 'x', 'node'])
  await new Promise(resolve => setTimeout(resolve, 20))
  await run('SELECT corm.cache_exists($1, $2)', ['b', 'node'])
  check('so does an expiry', await until(() => received === 2) && [...local.keys()], ['node/c'])

  await run("SELECT corm.cache_clear('node')")
  check('and a clear', await until(() => received === 3) && local.size, 0)

  await run("SELECT corm.cache_drop('node')")
  await Promise.all([writer.end(), listener.end()])
  console.log(`1..${count}`)
}

main().catch(problem => {
  console.log(`Bail out! ${problem.stack}`)
  process.exitCode = 1
})
