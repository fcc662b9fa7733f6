// The benchmark's clients in JavaScript, all on node-postgres with one connection each.
//
// Reads requests {peer, work, first, count} as JSON lines, does the work so often, and answers {seconds, check} or
// {error}.  `check` sums up what came back, for the harness to compare.  A work is the same for every peer: which
// key, which conditions, depends on the number of the turn alone.

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

// Each maker returns {get(key) -> row, filter({age, plan, active}) -> rows, page(company) -> rows}.

async function pgClient() {
  const { Client } = require('pg')
  const client = new Client(connection)
  await client.connect()
  return client
}

function fromStatements(client, statements, prepared) {
  const run = (name, values) =>
    client.query(prepared ? { name, text: statements[name], values } : { text: statements[name], values })
  return {
    get: async key => (await run('get', [key])).rows[0],
    filter: async f => (await run('filter', [f.age, f.plan, f.active])).rows,
    page: async company => (await run('page', [company])).rows
  }
}

const handWritten = {
  get: 'SELECT * FROM users WHERE id = $1',
  filter: 'SELECT * FROM users WHERE age >= $1 AND plan = $2 AND active = $3 ORDER BY id LIMIT 20',
  page: 'SELECT * FROM users WHERE company_id = $1 ORDER BY id DESC LIMIT 10 OFFSET 20'
}

const corm = {
  get: "SELECT * FROM corm.get(NULL::users, corm.where(corm.eq('id', $1)))",
  filter: "SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', $1), corm.eq('plan', $2), " +
    "corm.eq('active', $3)), corm.order_by('id'), corm.limit(20))",
  page: "SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('company_id', $1)), corm.order_by('-id'), " +
    'corm.limit(10), corm.offset(20))'
}

const makers = {
  sql: async () => fromStatements(await pgClient(), handWritten, false),
  sql_prepared: async () => fromStatements(await pgClient(), handWritten, true),
  corm: async () => fromStatements(await pgClient(), corm, false),
  corm_prepared: async () => fromStatements(await pgClient(), corm, true),

  async drizzle() {
    const { drizzle } = require('drizzle-orm/node-postgres')
    const { and, desc, eq, gte } = require('drizzle-orm')
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
    const db = drizzle(await pgClient())
    return {
      get: async key => (await db.select().from(users).where(eq(users.id, key)))[0],
      filter: f => db.select().from(users)
        .where(and(gte(users.age, f.age), eq(users.plan, f.plan), eq(users.active, f.active)))
        .orderBy(users.id).limit(20),
      page: company => db.select().from(users).where(eq(users.company_id, company))
        .orderBy(desc(users.id)).limit(10).offset(20)
    }
  },

  async typeorm() {
    const { DataSource, EntitySchema, MoreThanOrEqual } = require('typeorm')
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
      }
    })
    const source = new DataSource({
      type: 'postgres',
      host: connection.host,
      port: connection.port,
      username: connection.user,
      database: connection.database,
      entities: [User],
      poolSize: 1
    })
    await source.initialize()
    const users = source.getRepository(User)
    return {
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
    await sequelize.authenticate()
    return {
      get: key => User.findByPk(key),
      filter: f => User.findAll({
        where: { age: { [Op.gte]: f.age }, plan: f.plan, active: f.active }, order: [['id', 'ASC']], limit: 20
      }),
      page: company_id => User.findAll({ where: { company_id }, order: [['id', 'DESC']], limit: 10, offset: 20 })
    }
  },

  async knex() {
    const knex = require('knex')({ client: 'pg', connection, pool: { min: 1, max: 1 } })
    return {
      get: id => knex('users').where({ id }).first(),
      filter: f => knex('users').where('age', '>=', f.age).where({ plan: f.plan, active: f.active }).orderBy('id').limit(20),
      page: company_id => knex('users').where({ company_id }).orderBy('id', 'desc').limit(10).offset(20)
    }
  },

  // npm alone does not install it: `prisma generate` downloads an engine from a server of its own.  With a
  // client generated into clients/prisma (model users, datasource postgresql) it takes part.
  async prisma() {
    const { PrismaClient } = requireOr('./prisma', 'no generated client in bench/clients/prisma (prisma generate downloads an engine)')
    const { PrismaPg } = require('@prisma/adapter-pg')
    const prisma = new PrismaClient({ adapter: new PrismaPg({ ...connection, max: 1 }) })
    return {
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

const works = {
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
  for (let turn = request.first; turn < request.first + request.count; turn++) check += await work(peer, turn)
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
