"""Measures how cost grows: with rows found, keys in the cache, sessions, and shapes of queries; and
how the hit ratio of a cache grows with its size.

    bench/run --plots [--quick] [SERIES]...      SERIES: rows, keys, sessions, shapes, hits; without any, all

Each series becomes a file of numbers and a picture (SVG, by gnuplot) in bench/results/growth/.  A point is the median
of several rounds, in which all points of a series take turns.
"""

import functools
import os
import random
import statistics
import subprocess
import sys
import time

import psycopg
from harness import install_test_extension

HERE = os.path.dirname(os.path.abspath(__file__))
OUTPUT = os.path.join(HERE, "results", "growth")


class Series:
    """One picture: points along x, a line for each way to do it."""

    def __init__(self, name, title, x_label, y_label, lines, points, measure, log_y=True):
        self.name = name
        self.title = title
        self.x_label = x_label
        self.y_label = y_label
        self.lines = lines
        self.points = points
        self.measure = measure      # (line, x) -> figure
        self.log_y = log_y

    def run(self, rounds):
        """Rows of (x, figure of each line)."""
        figures = {(line, x): [] for line in self.lines for x in self.points}
        for _ in range(rounds):
            for line, x in random.Random(1).sample(list(figures), len(figures)):
                figures[line, x].append(self.measure(line, x))
        return [(x, *(statistics.median(figures[line, x]) for line in self.lines)) for x in self.points]

    def save(self, rows):
        data = os.path.join(OUTPUT, self.name + ".tsv")
        with open(data, "w", encoding="utf-8") as file:
            file.write("\t".join([self.x_label, *self.lines]) + "\n")
            for row in rows:
                file.write("\t".join(f"{x:.4g}" for x in row) + "\n")
        columns = ", ".join(f"'{data}' using 1:{number + 2} with linespoints title '{line}'"
                            for number, line in enumerate(self.lines))
        script = [f"set terminal svg size 640,400 dynamic name '{self.name}'",
                  f"set output '{os.path.join(OUTPUT, self.name)}.svg'", f"set title '{self.title}'",
                  f"set xlabel '{self.x_label}'", f"set ylabel '{self.y_label}'", "set key top left", "set grid",
                  "set datafile separator tab", "set key autotitle columnhead", "set yrange [0:*]"]
        if self.points[-1] / self.points[0] > 20:
            script.append("set logscale x")
        if self.log_y:
            script += ["set yrange [*:*]", "set logscale y"]
        subprocess.run(["gnuplot"], input="\n".join(script + [f"plot {columns}"]), text=True, check=True)


def timed(connection, sql):
    start = time.perf_counter()
    connection.execute(sql)
    return time.perf_counter() - start


def loop(connection, calls, body, declare=""):
    """Microseconds of one call in a PL/pgSQL loop."""
    return timed(connection, f"DO $do$ DECLARE {declare} BEGIN FOR i IN 1 .. {calls} LOOP {body} END LOOP; END $do$") / calls * 1e6


def rows_found(connection, quick):
    queries = {
        "corm.get_multi": "SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.gt('id', i)), corm.order_by('id'), "
                          "corm.limit({rows}))",
        "static SQL": "SELECT * FROM users WHERE id > i ORDER BY id LIMIT {rows}"}

    def measure(line, rows):
        calls = max(1, (2000 if quick else 20000) // (rows + 20))
        return loop(connection, calls, f"FOR r IN {queries[line].format(rows=rows)} LOOP n := n + 1; END LOOP;",
                    "r users; n int := 0;")

    return Series("rows", "Reading rows in PL/pgSQL", "rows found", "microseconds", list(queries),
                  [1, 3, 10, 30, 100, 300, 1000, 3000, 10000], measure)


def keys_in_cache(connection, quick):
    calls = 2000 if quick else 50000
    points = [100, 1000, 10000, 100000] + ([] if quick else [1000000])
    filled = 0

    def measure(line, keys):
        nonlocal filled
        if keys > filled:
            connection.execute("SELECT corm.cache_set('key ' || i, 'value of ' || i, immediate => true) "
                               f"FROM generate_series({filled + 1}, {keys}) AS i")
            filled = keys
        if line == "corm.cache_get":
            return loop(connection, calls, f"v := corm.cache_get('key ' || 1 + i * 7919 % {keys});", "v text;")
        return loop(connection, calls, f"v := 'key ' || 1 + i * 7919 % {keys};", "v text;")

    # All keys are there for all points: what grows is the part of them that is read.
    return Series("keys", "Cache hits, keys at random", "different keys", "microseconds",
                  ["corm.cache_get", "the loop and the key alone"], points, measure, log_y=False)


def shapes(connection, quick):
    points = [10, 100, 1000] + ([] if quick else [10000])
    connection.execute("SET corm.plan_cache_size = 20000")
    # or the first five executions of each are planned for their values
    connection.execute("SET plan_cache_mode = force_generic_plan")
    calls = 2000 if quick else 20000
    first_use = {
        "corm.count": "PERFORM corm.count(corm.selector('users', 'a' || {0}), corm.where(corm.eq('id', i)));",
        "EXECUTE of a prepared statement":
            "EXECUTE 'PREPARE p' || {0} || '(int) AS SELECT count(*) FROM users AS a' || {0} || ' WHERE a' || {0} || '.id = $1'; "
            "EXECUTE 'EXECUTE p' || {0} || '(' || i || ')';"}
    queries = {"corm.count": first_use["corm.count"],
               "EXECUTE of a prepared statement": "EXECUTE 'EXECUTE p' || {0} || '(' || i || ')';"}
    # All plans are there for all points: what grows is the part of them that is used.
    for query in first_use.values():
        loop(connection, points[-1], query.format("i"))

    def measure(line, number):
        return loop(connection, calls, queries[line].format(f"(1 + i * 7919 % {number})"))

    return Series("shapes", "A count by key, for as many shapes of queries in turn", "shapes in turn", "microseconds",
                  list(queries), points, measure, log_y=False)


def sessions(connection, quick):
    statements = {"corm.get": "SELECT * FROM corm.get(NULL::users, corm.where(corm.eq('id', :id::int)));",
                  "SQL": "SELECT * FROM users WHERE id = :id;"}
    paths = {}
    for line, statement in statements.items():
        paths[line] = os.path.join(OUTPUT, line.replace(".", "_") + ".pgbench")
        with open(paths[line], "w", encoding="utf-8") as file:
            file.write("\\set id random(1, 100000)\n" + statement + "\n")

    def measure(line, clients):
        result = subprocess.run([os.path.join(os.environ["BINDIR"], "pgbench"), "-n", "-M", "prepared", "-f", paths[line],
                                 "-c", str(clients), "-j", "2", "-T", "1" if quick else "3"],
                                capture_output=True, text=True, check=True)
        return float(next(text.split("=")[1].split()[0] for text in result.stdout.splitlines() if text.startswith("tps")))

    return Series("sessions", f"Reads by key from prepared clients on {os.cpu_count()} processors", "sessions",
                  "transactions per second", list(statements), [1, 2, 4, 8, 16], measure, log_y=False)


def hit_ratios(skew, scans, connection, quick):
    """How much of a Zipf trace caches answer, without and with runs of keys that are asked for once."""
    keys, places = 100000 if quick else 1000000, [128, 1024, 10000] + ([] if quick else [100000])
    lines = {"corm": 0, "exact SIEVE": 1, "LRU": 2, "W-TinyLFU": 3}
    found = {}

    def measure(line, size):
        if size not in found:
            name = f"ratio {size} {skew} {scans}"
            connection.execute("SELECT corm.cache_create(%s, max_bytes => %s::bigint * 128, events => '{}')", (name, size))
            found[size] = connection.execute("SELECT * FROM corm_test.hit_ratio(%s, %s, 4, %s, %s, %s, 42, %s)",
                                             (name, size, keys, skew, max(200000, size * 20), scans)).fetchone()
            connection.execute("SELECT corm.cache_drop(%s)", (name,))
        return found[size][lines[line]]

    with_scans = f", {scans:.0%} scans" if scans else ""
    return Series(f"hit_ratio_{skew * 10:02.0f}{'_scans' if scans else ''}", f"Hit ratio, {keys:,} keys, Zipf {skew}{with_scans}", "places",
                  "hits", list(lines), places, measure, log_y=False)


def main():
    quick = "--quick" in sys.argv[1:]
    wanted = [argument for argument in sys.argv[1:] if argument != "--quick"]
    os.makedirs(OUTPUT, exist_ok=True)
    install_test_extension()
    with psycopg.connect("", autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS corm_test")
    ratios = [functools.partial(hit_ratios, skew, scans) for skew, scans in ((0.8, 0), (1.0, 0), (1.2, 0), (1.0, 0.2))]
    makers = {"rows": [rows_found], "keys": [keys_in_cache], "sessions": [sessions], "shapes": [shapes], "hits": ratios}
    for name in wanted:
        if name not in makers:
            sys.exit(f"there is no series {name}; there are {', '.join(makers)}")
    for maker in (maker for name in wanted or makers for maker in makers[name]):
        with psycopg.connect("", autocommit=True) as connection:
            series = maker(connection, quick)
            rows = series.run(2 if quick else 5)
            series.save(rows)
            print(f"\n{series.title} ({series.y_label})\n\n| {series.x_label} | " + " | ".join(series.lines) + " |\n|" +
                  "---|" * (1 + len(series.lines)))
            for row in rows:
                print("| " + " | ".join(f"{x:.4g}" if isinstance(x, float) else f"{x:,}" for x in row) + " |", flush=True)
    print(f"\nsee {os.path.relpath(OUTPUT, os.path.dirname(HERE))}")


if __name__ == "__main__":
    main()
