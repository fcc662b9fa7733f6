"""Autonomous transactions on a warm worker, against dblink to the same server, pg_background and a nested scope.

pg_background takes part if its extension is installed; Debian has no package of it.
"""

import psycopg
from harness import SLICES, Line, costs_at_most, times_faster

SETUP = """
CREATE EXTENSION IF NOT EXISTS dblink;
DROP TABLE IF EXISTS autonomous_rows;
CREATE UNLOGGED TABLE autonomous_rows (id int);
SELECT dblink_disconnect(c) FROM unnest(dblink_get_connections()) c;
SELECT dblink_connect('kept', format('dbname=%s port=%s host=%s', current_database(), current_setting('port'),
                                     split_part(current_setting('unix_socket_directories'), ',', 1)));
SELECT corm.autonomous('SELECT 1');
"""
FRESH = """format('dbname=%s port=%s host=%s', current_database(), current_setting('port'),
                  split_part(current_setting('unix_socket_directories'), ',', 1))"""


def lines(bench):
    try:
        bench.execute("CREATE EXTENSION IF NOT EXISTS pg_background")
    except psycopg.Error:
        pass    # the side says why it cannot run
    calls = bench.count(5000)
    few = bench.count(300)
    loop = "FOR i IN 1 .. %d LOOP {} END LOOP;"

    trivial = Line(
        f"requires_new, warm worker, body SELECT 1, {calls:,} calls",
        ("corm.autonomous", bench.plpgsql((loop % calls).format("r := corm.autonomous('SELECT 1');"), "r jsonb;")),
        [("dblink, kept connection", bench.plpgsql(
            (loop % calls).format("SELECT x INTO r FROM dblink('kept', 'SELECT 1') AS d (x int);"), "r int;"), times_faster(1.2)),
         ("do_tx, nested, in the same transaction", bench.plpgsql(
             (loop % calls).format("r := corm.do_tx(corm.tx('nested'), 'SELECT 1');"), "r jsonb;"), costs_at_most(15, "us", SLICES * calls))],
        SETUP)
    insert = Line(
        f"requires_new, warm worker, body INSERT, {calls:,} calls",
        ("corm.autonomous", bench.plpgsql(
            (loop % calls).format("r := corm.autonomous('INSERT INTO autonomous_rows VALUES ($1)', i);"), "r jsonb;")),
        [("dblink, kept connection", bench.plpgsql(
            (loop % calls).format("r := dblink_exec('kept', format('INSERT INTO autonomous_rows VALUES (%s)', i));"), "r text;"),
          times_faster(1.2))])
    fresh = Line(
        f"requires_new, warm worker, body INSERT, {few:,} calls",
        ("corm.autonomous", bench.plpgsql(
            (loop % few).format("r := corm.autonomous('INSERT INTO autonomous_rows VALUES ($1)', i);"), "r jsonb;")),
        [("dblink, a connection for each call", bench.plpgsql(
            f"c := {FRESH}; " + (loop % few).format("r := dblink_exec(c, format('INSERT INTO autonomous_rows VALUES (%s)', i));"),
            "r text; c text;"), times_faster(100)),
         ("pg_background, a process for each call", bench.plpgsql(
             (loop % few).format("SELECT x INTO r FROM pg_background_result(pg_background_launch(format('INSERT INTO autonomous_rows VALUES (%s)', i))) AS b (x text);"),
             "r text;"), times_faster(100))])
    return [trivial, insert, fresh]
