"""Reading from a client over one connection: corm called from a driver, hand-written SQL and ORMs on the same driver."""

from harness import SLICES, Line, at_most, faster, times_faster

NODE_PEERS = [("Drizzle", "drizzle"), ("TypeORM", "typeorm"), ("Sequelize", "sequelize"), ("Knex", "knex"), ("Prisma", "prisma")]
PYTHON_PEERS = [("SQLAlchemy", "sqlalchemy"), ("Django", "django")]

# work, title, how often, what is asked of corm against the ORMs
WORKS = [("get", "get by key", 500, faster()),
         ("filter", "filter: three conditions, ordered, 20 rows", 300, faster()),
         ("page", "page: 10 rows of one company, newest first, the third page", 300, faster()),
         ("preload", "two-level preload of 20 parents", 100, times_faster(1.5))]


def workers(bench):
    """The clients: the process, its driver, its ORMs."""
    return (bench.node, "node-postgres", NODE_PEERS), (bench.python, "psycopg2", PYTHON_PEERS)


def lines(bench):
    result = []
    for work, title, count, bar in WORKS:
        count = bench.count(count)
        part = max(1, count // SLICES)
        for worker, driver, peers in workers(bench):
            sides = [("hand-written SQL", bench.client(worker, "sql", work, part), at_most(1.1))]
            sides += [(name, bench.client(worker, peer, work, part), bar) for name, peer in peers]
            result.append(Line(f"{title}, from {driver}, {count:,} times",
                               ("corm", bench.client(worker, "corm", work, part)), sides))
        # What remains when the statement is prepared and only the execution counts
        prepared = ("hand-written SQL, prepared", bench.client(bench.node, "sql_prepared", work, part), at_most(1.1))
        result.append(Line(f"{title}, from node-postgres, prepared, {count:,} times",
                           ("corm, prepared", bench.client(bench.node, "corm_prepared", work, part)), [prepared]))
    return result
