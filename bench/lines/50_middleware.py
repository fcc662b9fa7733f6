"""What watching costs: statistics, middleware that passes everything on, hooks that return the row."""

from harness import SLICES, Line, at_most, costs_at_most

PASS_SQL = """CREATE OR REPLACE FUNCTION bench_pass_sql(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS
    'SELECT corm.next(qc)'"""
PASS_PL = """CREATE OR REPLACE FUNCTION bench_pass_pl(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS
    'BEGIN RETURN corm.next(qc); END'"""


def lines(bench):
    calls = bench.count(50000)
    loop = "FOR i IN 1 .. %d LOOP r := corm.get(NULL::users, corm.where(corm.eq('id', i))); END LOOP;" % (calls // SLICES)

    def counted(setting):
        return bench.plpgsql(f"PERFORM set_config('corm.track_queries', '{setting}', true); " + loop, "r users;")

    def through(function, definition):
        return bench.plpgsql(
            f"EXECUTE $def$ {definition} $def$; id := corm.use('{function}(corm.query_context)', 'users'); "
            f"{loop} PERFORM corm.unuse(id);", "r users; id int;")

    plain = bench.plpgsql(loop, "r users;")
    return [
        Line(f"statistics of corm.get, {calls:,} calls", ("on", counted("on")), [("off", counted("off"), at_most(1.1))]),
        Line(f"middleware in SQL that passes on, {calls:,} calls of corm.get", ("with", through("bench_pass_sql", PASS_SQL)),
             [("without", plain, costs_at_most(10, "us", calls))]),
        Line(f"middleware in PL/pgSQL that passes on, {calls:,} calls of corm.get",
             ("with", through("bench_pass_pl", PASS_PL)), [("without", plain, costs_at_most(10, "us", calls))])]
