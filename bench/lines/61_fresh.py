"""Fresh answers: what they cost beyond ordinary cached ones, what a write of a table costs that is followed and of one that is
not, and a join of three tables in other ways.
"""

from harness import Bar, Line, at_most, computing, install_test_extension

SETUP = """
CREATE EXTENSION IF NOT EXISTS corm_test;
DROP TABLE IF EXISTS bench_followed, bench_unfollowed, bench_plain;
CREATE TABLE bench_followed (id int PRIMARY KEY, n int);
CREATE TABLE bench_unfollowed (LIKE bench_followed INCLUDING ALL);
INSERT INTO bench_followed SELECT i, i FROM generate_series(1, 1000) i;
INSERT INTO bench_unfollowed SELECT i, i FROM generate_series(1, 1000) i;
"""
MANY = """
DO $$ BEGIN
    FOR i IN 1 .. 1000 LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS bench_many%s (id int)', i);
        PERFORM corm.cache_fetch('many', 'SELECT 1', depends => ARRAY[format('bench_many%s', i)::regclass]);
    END LOOP;
END $$;
"""


def times_faster_each(limit, calls):
    """A call of corm is so much faster than the peer, which does one where corm does many."""
    return Bar(f">= {limit} times faster", lambda x: x >= limit, lambda x: f"{x:.0f} times faster", lambda subject, peer: peer * calls / subject)


def ask(bench, cached, calls):
    """Answers of a query with a bound value, 50 rows each, in a loop."""
    return computing(bench, f"""DO $$ DECLARE r bench_followed; BEGIN FOR i IN 1 .. {calls} LOOP
        FOR r IN SELECT * FROM corm.get_multi(NULL::bench_followed, corm.where(corm.lt('id', 51)), corm.cached({cached})) LOOP END LOOP;
        END LOOP; END $$""")


def hit(bench):
    calls = bench.count(2000)
    return Line(
        f"hit of a fresh query, 50 rows, {calls:,} times",
        ("fresh", ask(bench, "'1 hour', fresh => true", calls)),
        [("without fresh", ask(bench, "'1 hour'", calls), at_most(1.15))],
        SETUP)


def write(bench, followed, others):
    """Updates of a row, a transaction each.  The peer is the same table before anything is followed: another one does."""
    calls = bench.count(2000)

    def updates(table):
        bench.execute(f"CREATE OR REPLACE PROCEDURE write_{table}(calls int) LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1 .. calls LOOP "
                      f"UPDATE {table} SET n = n + 1 WHERE id = 1 + i % 1000; COMMIT; END LOOP; END $$")
        return computing(bench, f"CALL write_{table}({calls})", lambda: bench.execute(f"VACUUM {table}"))

    table = "bench_followed" if followed else "bench_unfollowed"
    bench.execute(SETUP)
    return Line(
        f"{calls:,} transactions that update a row of a table that is {'followed' if followed else 'not followed'}{others and ', as 1,000 others are'}",
        ("corm", updates(table)),
        [("a table that nobody follows", updates("bench_unfollowed") if followed else updates("bench_plain"), at_most(1.05 if followed else 1.02))],
        SETUP + "CREATE TABLE bench_plain (LIKE bench_followed INCLUDING ALL); INSERT INTO bench_plain SELECT * FROM bench_followed;" +
        (MANY if others else "") + "SELECT corm.count(corm.selector('bench_followed'), corm.cached(fresh => true));")


def join(bench):
    """Three tables joined and grouped: rows of a view, as JSON."""
    calls = bench.count(500)

    def times(expression):
        return computing(bench, f"DO $$ BEGIN FOR i IN 1 .. {calls} LOOP PERFORM {expression}; END LOOP; END $$")

    return Line(
        f"a join of three tables, grouped, {calls:,} times",
        ("cached, fresh", times("corm.get_multi_json(corm.selector('bench_sales'), corm.cached(fresh => true))")),
        [("run each time", computing(bench, "SELECT corm.get_multi_json(corm.selector('bench_sales'))", None), times_faster_each(20, calls)),
         ("a materialized view, which is not fresh", times("(SELECT jsonb_agg(m) FROM bench_sales_kept m)"), at_most(3))],
        "REFRESH MATERIALIZED VIEW bench_sales_kept")


def lines(bench):
    install_test_extension()
    return [hit(bench), write(bench, False, ""), write(bench, True, ""), write(bench, True, "1000"), join(bench)]
