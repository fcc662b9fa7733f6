"""What watching costs: statistics, middleware that passes everything on, hooks that return the row; and what none of
them costs.  `bench/instructions` counts instructions for the same work, which is exact where times are noisy."""

from harness import SLICES, Line, at_most, costs_at_most

SETUP = """
    CREATE OR REPLACE FUNCTION bench_pass_sql(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS
        'SELECT corm.next(qc)';
    CREATE OR REPLACE FUNCTION bench_pass_pl(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS
        'BEGIN RETURN corm.next(qc); END';
    DROP TABLE IF EXISTS plain, hooked, triggered CASCADE;
    CREATE TABLE plain (id int PRIMARY KEY, name text, age int);
    CREATE TABLE hooked (LIKE plain INCLUDING ALL);
    CREATE TABLE triggered (LIKE plain INCLUDING ALL);
    CREATE FUNCTION before_create(h hooked) RETURNS hooked LANGUAGE plpgsql AS
        'BEGIN h.name := upper(h.name); RETURN h; END';
    CREATE OR REPLACE FUNCTION bench_upper() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.name := upper(NEW.name); RETURN NEW; END';
    CREATE TRIGGER upper BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION bench_upper();
"""


def lines(bench):
    calls = bench.count(50000)
    loop = "FOR i IN 1 .. %d LOOP r := corm.get(NULL::users, corm.where(corm.eq('id', i))); END LOOP;" % (calls // SLICES)
    insert = "TRUNCATE {0}; FOR i IN 1 .. %d LOOP PERFORM corm.insert(ROW(i, 'name', 7)::{0}); END LOOP;" % (calls // SLICES)

    def counted(setting, body):
        return bench.plpgsql(f"PERFORM set_config('corm.track_queries', '{setting}', true); {body}", "r users;")

    def through(function, model):
        return bench.plpgsql(f"id := corm.use('{function}(corm.query_context)', '{model}'); {loop} PERFORM corm.unuse(id);",
                             "r users; id int;")

    def inserts(table, skip="off"):
        return bench.plpgsql(f"PERFORM set_config('corm.skip_hooks', '{skip}', true); " + insert.format(table))

    in_c = bench.plpgsql(f"PERFORM cmt.add('bench', 'quiet', 10); {loop} PERFORM cmt.remove('bench');", "r users;")
    plain = bench.plpgsql(loop, "r users;")
    return [
        Line(f"statistics of corm.get, {calls:,} calls", ("on", counted("on", loop)),
             [("off", counted("off", loop), at_most(1.05))], SETUP),
        Line(f"statistics of corm.insert(rec), {calls:,} calls", ("on", counted("on", insert.format("plain"))),
             [("off", counted("off", insert.format("plain")), at_most(1.05))]),
        Line(f"middleware of another model, {calls:,} calls of corm.get", ("with", through("bench_pass_pl", "plain")),
             [("without", plain, at_most(1.1))]),
        Line(f"middleware in SQL that passes on, {calls:,} calls of corm.get", ("with", through("bench_pass_sql", "users")),
             [("without", plain, costs_at_most(10, "us", calls))]),
        Line(f"middleware in PL/pgSQL that passes on, {calls:,} calls of corm.get",
             ("with", through("bench_pass_pl", "users")), [("without", plain, costs_at_most(10, "us", calls))]),
        Line(f"middleware in C that passes on, {calls:,} calls of corm.get", ("with", in_c),
             [("without", plain, costs_at_most(5, "us", calls))],
             "CREATE EXTENSION IF NOT EXISTS corm_middleware_test"),
        Line(f"a model without hooks, {calls:,} calls of corm.insert(rec)", ("looked for", inserts("plain")),
             [("corm.skip_hooks", inserts("plain", "on"), at_most(1.03))]),
        Line(f"a hook in PL/pgSQL, {calls:,} calls of corm.insert(rec)", ("before_create", inserts("hooked")),
             [("the same trigger", inserts("triggered"), at_most(1.2))])]
