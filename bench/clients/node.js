// The benchmark's clients in JavaScript, all on node-postgres with one connection each.
//
// Reads requests {peer, work, first, count} as JSON lines, does the work so often, and answers {seconds, check} or
// {error}.  `check` sums up what came back, for the harness to compare.  A work is the same for every peer: which
// key, which conditions, depends on the number of the turn alone.  What is not in `works`, a peer does all in one go.

'use strict'

const readline = require('node:readline')

const connection = {
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: process.env.PGUSER,
  database: process.env.PGDATABASE
}

const keyOf = turn => 1 + (turn * 7919) % 100000
const PLANS = ['free', 'pro', 'ent']
const filterOf = turn => ({ age: 20 + turn % 50, plan: PLANS[turn % 3], active: true })
const companyOf = turn => 1 + (turn * 31) % 1000
const firstOf = turn => (turn * 7919) % 90000

// An order of ten items for a user who is active (one in ten is not), and the user's new score.
const orderOf = turn => ({
  user_id: 10 * ((turn * 7919) % 10000) + 1 + turn % 9,
  amount: turn % 500,
  placed_at: new Date(Date.UTC(2026, 5, 1) + turn * 1000),
  items: Array.from({ length: 10 }, (_, i) => ({ sku: `SKU-${(turn + i) % 1000}`, quantity: 1 + i, price: turn % 300 }))
})
const scoreOf = turn => turn % 1000 / 10

// The check of the unit of work, where the client makes it.
function requireActive(user) {
  if (!user || !user.active) throw new Error('user is not active')
}

// Each maker returns
//   get(key) -> row, filter({age, plan, active}) -> rows, page(company) -> rows,
//   preload(id) -> the 20 users that follow, with their orders, each with its items,
//   unit(order, score) -> the order with its items as inserted: reads the user, checks that he is active, inserts the
//     order with its items, updates the user's score, in one transaction.

async function pgClient() {
  const { Client } = require('pg')
  const client = new Client(connection)
  await client.connect()
  return client
}

function fromStatements(client, statements, prepared, unit) {
  const run = (name, values) =>
    client.query(prepared ? { name, text: statements[name], values } : { text: statements[name], values })
  return {
    preload: async first => Object.values((await run('preload', [first])).rows[0])[0],
    unit: unit && ((order, score) => unit(run, order, score)),
    get: async key => (await run('get', [key])).rows[0],
    filter: async f => (await run('filter', [f.age, f.plan, f.active])).rows,
    page: async company => (await run('page', [company])).rows
  }
}

const handWritten = {
  get: 'SELECT * FROM users WHERE id = $1',
  filter: 'SELECT * FROM users WHERE age >= $1 AND plan = $2 AND active = $3 ORDER BY id LIMIT 20',
  page: 'SELECT * FROM users WHERE company_id = $1 ORDER BY id DESC LIMIT 10 OFFSET 20',
  preload: `
    SELECT coalesce(json_agg(u), '[]') FROM (
      SELECT p.*, o.orders
      FROM (SELECT * FROM users WHERE id > $1 ORDER BY id LIMIT 20) AS p
      CROSS JOIN LATERAL (
        SELECT coalesce(json_agg(o), '[]') AS orders FROM (
          SELECT orders.*, i.items
          FROM orders
          CROSS JOIN LATERAL (
            SELECT coalesce(json_agg(items), '[]') AS items FROM items WHERE items.order_id = orders.id
          ) AS i
          WHERE orders.user_id = p.id) AS o
      ) AS o
      ORDER BY p.id) AS u`,
  begin: 'BEGIN',
  user: 'SELECT * FROM users WHERE id = $1 FOR UPDATE',
  order: 'INSERT INTO orders (user_id, amount, placed_at) VALUES ($1, $2, $3) RETURNING *',
  items: 'INSERT INTO items (order_id, sku, quantity, price) ' +
    'SELECT $1, * FROM unnest($2::text[], $3::int[], $4::float8[]) RETURNING *',
  score: 'UPDATE users SET score = $2 WHERE id = $1',
  commit: 'COMMIT',
  call: 'SELECT place_order($1, $2, $3) AS result'
}

// All of it as one call of a function, the best that one can write by hand.
async function handWrittenCall(run, order, score) {
  return (await run('call', [order.user_id, score, order])).rows[0].result
}

// One statement after the other, as one would write it by hand.
async function handWrittenUnit(run, order, score) {
  await run('begin', [])
  requireActive((await run('user', [order.user_id])).rows[0])
  const inserted = (await run('order', [order.user_id, order.amount, order.placed_at])).rows[0]
  const column = name => order.items.map(item => item[name])
  inserted.items = (await run('items', [inserted.id, column('sku'), column('quantity'), column('price')])).rows
  await run('score', [order.user_id, score])
  await run('commit', [])
  return inserted
}

const corm = {
  get: "SELECT * FROM corm.get(NULL::users, corm.where(corm.eq('id', $1)))",
  filter: "SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', $1), corm.eq('plan', $2), " +
    "corm.eq('active', $3)), corm.order_by('id'), corm.limit(20))",
  page: "SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('company_id', $1)), corm.order_by('-id'), " +
    'corm.limit(10), corm.offset(20))',
  preload: "SELECT corm.get_multi_json_text(corm.selector('users'), corm.where(corm.gt('id', $1)), corm.order_by('id'), " +
    "corm.limit(20), corm.preload('orders', corm.preload('items')))",
  // The read is the check as well: no row is an error, and that undoes everything.
  unit: `SELECT corm.do_tx($tx$
      SELECT corm.one(NULL::users, corm.where(corm.eq('id', $1), corm.eq('active', true)), corm.for_update());
      SELECT corm.exec(corm.updater('users'), corm.set('score', $2), corm.where(corm.eq('id', $1)));
      SELECT corm.insert_json('orders', $3) AS inserted
    $tx$, $1::int, $2::float8, $3::jsonb) AS result`
}

async function cormUnit(run, order, score) {
  return (await run('unit', [order.user_id, score, order])).rows[0].result[0].inserted
}

const makers = {
  sql: async () => fromStatements(await pgClient(), handWritten, false, handWrittenUnit),
  sql_call: async () => fromStatements(await pgClient(), handWritten, true, handWrittenCall),
  corm_call: async () => fromStatements(await pgClient(), { unit: 'SELECT place_order_corm($1, $2, $3) AS result' }, true,
    async (run, order, score) => (await run('unit', [order.user_id, score, order])).rows[0].result),
  sql_prepared: async () => fromStatements(await pgClient(), handWritten, true, handWrittenUnit),
  corm: async () => fromStatements(await pgClient(), corm, false, cormUnit),
  corm_prepared: async () => fromStatements(await pgClient(), corm, true, cormUnit),
  // a row by its key where none is no error
  corm_multi_prepared: async () => fromStatements(await pgClient(), { get: corm.get.replace('corm.get(', 'corm.get_multi(') }, true),

  async drizzle() {
    const { drizzle } = require('drizzle-orm/node-postgres')
    const { and, desc, eq, gt, gte, relations } = require('drizzle-orm')
    const { boolean, doublePrecision, integer, pgTable, text, timestamp } = require('drizzle-orm/pg-core')
    const users = pgTable('users', {
      id: integer('id').primaryKey(),
      name: text('name').notNull(),
      email: text('email').notNull(),
      age: integer('age').notNull(),
      company_id: integer('company_id').notNull(),
      plan: text('plan').notNull(),
      active: boolean('active').notNull(),
      score: doublePrecision('score').notNull(),
      created_at: timestamp('created_at', { withTimezone: true }).notNull(),
      bio: text('bio')
    })
    const orders = pgTable('orders', {
      id: integer('id').primaryKey().generatedByDefaultAsIdentity(),
      user_id: integer('user_id').notNull().references(() => users.id),
      amount: doublePrecision('amount').notNull(),
      placed_at: timestamp('placed_at', { withTimezone: true }).notNull()
    })
    const items = pgTable('items', {
      id: integer('id').primaryKey().generatedByDefaultAsIdentity(),
      order_id: integer('order_id').notNull().references(() => orders.id),
      sku: text('sku').notNull(),
      quantity: integer('quantity').notNull(),
      price: doublePrecision('price').notNull()
    })
    const schema = {
      users,
      orders,
      items,
      userRelations: relations(users, ({ many }) => ({ orders: many(orders) })),
      orderRelations: relations(orders, ({ one, many }) => ({
        user: one(users, { fields: [orders.user_id], references: [users.id] }),
        items: many(items)
      })),
      itemRelations: relations(items, ({ one }) => ({
        order: one(orders, { fields: [items.order_id], references: [orders.id] })
      }))
    }
    const db = drizzle(await pgClient(), { schema })
    return {
      preload: first => db.query.users.findMany({
        where: gt(users.id, first), orderBy: users.id, limit: 20, with: { orders: { with: { items: true } } }
      }),
      unit: (order, score) => db.transaction(async tx => {
        const [user] = await tx.select().from(users).where(eq(users.id, order.user_id)).for('update')
        requireActive(user)
        const { items: lines, ...columns } = order
        const [inserted] = await tx.insert(orders).values(columns).returning()
        inserted.items = await tx.insert(items).values(lines.map(line => ({ order_id: inserted.id, ...line }))).returning()
        await tx.update(users).set({ score }).where(eq(users.id, order.user_id))
        return inserted
      }),
      get: async key => (await db.select().from(users).where(eq(users.id, key)))[0],
      filter: f => db.select().from(users)
        .where(and(gte(users.age, f.age), eq(users.plan, f.plan), eq(users.active, f.active)))
        .orderBy(users.id).limit(20),
      page: company => db.select().from(users).where(eq(users.company_id, company))
        .orderBy(desc(users.id)).limit(10).offset(20)
    }
  },

  async typeorm() {
    const { DataSource, EntitySchema, MoreThan, MoreThanOrEqual } = require('typeorm')
    const User = new EntitySchema({
      name: 'User',
      tableName: 'users',
      columns: {
        id: { type: 'int', primary: true },
        name: { type: 'text' },
        email: { type: 'text' },
        age: { type: 'int' },
        company_id: { type: 'int' },
        plan: { type: 'text' },
        active: { type: 'boolean' },
        score: { type: 'double precision' },
        created_at: { type: 'timestamptz' },
        bio: { type: 'text', nullable: true }
      },
      relations: { orders: { type: 'one-to-many', target: 'Order', inverseSide: 'user' } }
    })
    const Order = new EntitySchema({
      name: 'Order',
      tableName: 'orders',
      columns: {
        id: { type: 'int', primary: true, generated: 'identity', generatedIdentity: 'BY DEFAULT' },
        user_id: { type: 'int' },
        amount: { type: 'double precision' },
        placed_at: { type: 'timestamptz' }
      },
      relations: {
        user: { type: 'many-to-one', target: 'User', inverseSide: 'orders', joinColumn: { name: 'user_id' } },
        items: { type: 'one-to-many', target: 'Item', inverseSide: 'order', cascade: ['insert'] }
      }
    })
    const Item = new EntitySchema({
      name: 'Item',
      tableName: 'items',
      columns: {
        id: { type: 'int', primary: true, generated: 'identity', generatedIdentity: 'BY DEFAULT' },
        order_id: { type: 'int' },
        sku: { type: 'text' },
        quantity: { type: 'int' },
        price: { type: 'double precision' }
      },
      relations: { order: { type: 'many-to-one', target: 'Order', inverseSide: 'items', joinColumn: { name: 'order_id' } } }
    })
    const source = new DataSource({
      type: 'postgres',
      host: connection.host,
      port: connection.port,
      username: connection.user,
      database: connection.database,
      entities: [User, Order, Item],
      poolSize: 1
    })
    await source.initialize()
    const users = source.getRepository(User)
    return {
      preload: first => users.find({
        where: { id: MoreThan(first) }, order: { id: 'ASC' }, take: 20, relations: { orders: { items: true } }
      }),
      unit: (order, score) => source.transaction(async manager => {
        const user = await manager.findOne(User, { where: { id: order.user_id }, lock: { mode: 'pessimistic_write' } })
        requireActive(user)
        const inserted = await manager.save(Order, manager.create(Order, order))
        user.score = score
        await manager.save(User, user)
        return inserted
      }),
      get: id => users.findOneBy({ id }),
      filter: f => users.find({
        where: { age: MoreThanOrEqual(f.age), plan: f.plan, active: f.active }, order: { id: 'ASC' }, take: 20
      }),
      page: company_id => users.find({ where: { company_id }, order: { id: 'DESC' }, take: 10, skip: 20 })
    }
  },

  async sequelize() {
    const { DataTypes, Op, Sequelize } = require('sequelize')
    const sequelize = new Sequelize(connection.database, connection.user, '', {
      host: connection.host, port: connection.port, dialect: 'postgres', logging: false, pool: { max: 1, min: 1 }
    })
    const User = sequelize.define('User', {
      id: { type: DataTypes.INTEGER, primaryKey: true },
      name: DataTypes.TEXT,
      email: DataTypes.TEXT,
      age: DataTypes.INTEGER,
      company_id: DataTypes.INTEGER,
      plan: DataTypes.TEXT,
      active: DataTypes.BOOLEAN,
      score: DataTypes.DOUBLE,
      created_at: DataTypes.DATE,
      bio: DataTypes.TEXT
    }, { tableName: 'users', timestamps: false })
    const Order = sequelize.define('Order', {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      user_id: DataTypes.INTEGER,
      amount: DataTypes.DOUBLE,
      placed_at: DataTypes.DATE
    }, { tableName: 'orders', timestamps: false })
    const Item = sequelize.define('Item', {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      order_id: DataTypes.INTEGER,
      sku: DataTypes.TEXT,
      quantity: DataTypes.INTEGER,
      price: DataTypes.DOUBLE
    }, { tableName: 'items', timestamps: false })
    User.hasMany(Order, { as: 'orders', foreignKey: 'user_id' })
    Order.hasMany(Item, { as: 'items', foreignKey: 'order_id' })
    await sequelize.authenticate()
    return {
      preload: first => User.findAll({
        where: { id: { [Op.gt]: first } }, order: [['id', 'ASC']], limit: 20,
        include: { model: Order, as: 'orders', include: { model: Item, as: 'items' } }
      }),
      unit: (order, score) => sequelize.transaction(async transaction => {
        const user = await User.findByPk(order.user_id, { transaction, lock: transaction.LOCK.UPDATE })
        requireActive(user)
        const inserted = await Order.create(order, { transaction, include: { model: Item, as: 'items' } })
        await user.update({ score }, { transaction })
        return inserted
      }),
      get: key => User.findByPk(key),
      filter: f => User.findAll({
        where: { age: { [Op.gte]: f.age }, plan: f.plan, active: f.active }, order: [['id', 'ASC']], limit: 20
      }),
      page: company_id => User.findAll({ where: { company_id }, order: [['id', 'DESC']], limit: 10, offset: 20 })
    }
  },

  async knex() {
    const knex = require('knex')({ client: 'pg', connection, pool: { min: 1, max: 1 } })
    // A query builder has no eager loading: its users fetch level by level, with whereIn.
    async function attach(parents, name, table, column) {
      const byId = new Map(parents.map(parent => [parent.id, parent]))
      for (const parent of parents) parent[name] = []
      const children = await knex(table).whereIn(column, [...byId.keys()])
      for (const child of children) byId.get(child[column])[name].push(child)
      return children
    }
    return {
      preload: async first => {
        const users = await knex('users').where('id', '>', first).orderBy('id').limit(20)
        await attach(await attach(users, 'orders', 'orders', 'user_id'), 'items', 'items', 'order_id')
        return users
      },
      unit: (order, score) => knex.transaction(async trx => {
        requireActive(await trx('users').where({ id: order.user_id }).forUpdate().first())
        const { items, ...columns } = order
        const [inserted] = await trx('orders').insert(columns).returning('*')
        inserted.items = await trx('items').insert(items.map(item => ({ order_id: inserted.id, ...item }))).returning('*')
        await trx('users').where({ id: order.user_id }).update({ score })
        return inserted
      }),
      get: id => knex('users').where({ id }).first(),
      filter: f => knex('users').where('age', '>=', f.age).where({ plan: f.plan, active: f.active }).orderBy('id').limit(20),
      page: company_id => knex('users').where({ company_id }).orderBy('id', 'desc').limit(10).offset(20)
    }
  },

  // A queue of jobs in PostgreSQL whose workers are in Node; the job is one statement.
  async graphile() {
    const { Pool } = require('pg')
    const { Logger, makeWorkerUtils, runOnce } = require('graphile-worker')
    const concurrency = 10
    const pgPool = new Pool({ ...connection, max: concurrency + 1 })
    const logger = new Logger(() => () => {})
    const utils = await makeWorkerUtils({ pgPool, logger })
    await utils.migrate()
    const taskList = { trivial: (payload, { query }) => query('SELECT 1') }
    return {
      jobs: async count => {
        await pgPool.query("SELECT count(graphile_worker.add_job('trivial')) FROM generate_series(1, $1::int)", [count])
        await runOnce({ pgPool, concurrency, taskList, logger })
        const left = (await pgPool.query('SELECT count(*)::int AS jobs FROM graphile_worker.jobs')).rows[0].jobs
        if (left !== 0) throw new Error(`${left} jobs are left`)
        return count
      }
    }
  },

  // npm alone does not install it: `prisma generate` downloads an engine from a server of its own.  With a
  // client generated into clients/prisma (models users, orders and items, datasource postgresql) it takes part.
  async prisma() {
    const { PrismaClient } = requireOr('./prisma', 'no generated client in bench/clients/prisma (prisma generate downloads an engine)')
    const { PrismaPg } = require('@prisma/adapter-pg')
    const prisma = new PrismaClient({ adapter: new PrismaPg({ ...connection, max: 1 }) })
    return {
      preload: first => prisma.users.findMany({
        where: { id: { gt: first } }, orderBy: { id: 'asc' }, take: 20, include: { orders: { include: { items: true } } }
      }),
      unit: (order, score) => prisma.$transaction(async tx => {
        requireActive(await tx.users.findUnique({ where: { id: order.user_id } }))
        const inserted = await tx.orders.create({
          data: { ...order, items: { create: order.items } }, include: { items: true }
        })
        await tx.users.update({ where: { id: order.user_id }, data: { score } })
        return inserted
      }),
      get: id => prisma.users.findUnique({ where: { id } }),
      filter: f => prisma.users.findMany({
        where: { age: { gte: f.age }, plan: f.plan, active: f.active }, orderBy: { id: 'asc' }, take: 20
      }),
      page: company_id => prisma.users.findMany({ where: { company_id }, orderBy: { id: 'desc' }, take: 10, skip: 20 })
    }
  }
}

function requireOr(name, reason) {
  try {
    return require(name)
  } catch {
    throw new Error(reason)
  }
}

// Adds up enough of a result to tell whether two peers did the same.
const sumOf = rows => rows.reduce((sum, row) => sum + row.id + row.age + row.name.length, rows.length)

const sumOfTree = users => users.reduce((sum, user) => sum + user.id + user.orders.reduce((sum, order) =>
  sum + order.id % 1000 + order.amount + order.items.reduce((sum, item) =>
    sum + item.id % 1000 + item.quantity + item.price + item.sku.length, 0), 0), users.length)

// Without the keys, which differ from run to run.
const sumOfOrder = order => order.user_id + order.amount + order.items.reduce((sum, item) =>
  sum + item.quantity + item.price + item.sku.length + (item.order_id === order.id ? 1 : 0), order.items.length)

const works = {
  preload: async (peer, turn) => sumOfTree(await peer.preload(firstOf(turn))),
  unit: async (peer, turn) => sumOfOrder(await peer.unit(orderOf(turn), scoreOf(turn))),
  get: async (peer, turn) => sumOf([await peer.get(keyOf(turn))]),
  filter: async (peer, turn) => sumOf(await peer.filter(filterOf(turn))),
  page: async (peer, turn) => sumOf(await peer.page(companyOf(turn)))
}

const peers = {}

async function answer(request) {
  peers[request.peer] ??= await makers[request.peer]()
  const peer = peers[request.peer]
  const work = works[request.work]
  let check = 0
  const start = process.hrtime.bigint()
  if (!work) check = await peer[request.work](request.count)
  else for (let turn = request.first; turn < request.first + request.count; turn++) check += await work(peer, turn)
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, check }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let result
    try {
      result = await answer(JSON.parse(line))
    } catch (problem) {
      result = { error: String(problem.message || problem) }
    }
    process.stdout.write(JSON.stringify(result) + '\n')
  }
  process.exit(0)
}

main()
