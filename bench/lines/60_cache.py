"""The shared cache: what a call costs beyond a C function that does nothing, and other places to keep values.

Time stands still for corm in the lines on sweeping, and the sweeper is off in all: the lines do its work where they
mean to measure it.  The cache (corm.cache_size in bench/run) holds just over a million small entries.

A difference of a hundred nanoseconds drowns in the time a session waits for a processor that others use, so the
lines that are pure computation in one session count its time on the processor, where the kernel tells it.
"""

import atexit
import os
import socket
import subprocess
import threading
import time

import psycopg
from harness import SLICES, Bar, Line, at_most, computing, costs_at_most, install_test_extension, scan, stopwatch, times_faster

SETUP = """
CREATE EXTENSION IF NOT EXISTS corm_test;
SELECT corm_test.clock_release();
SELECT corm.cache_create('bench', events => '{}')
    WHERE NOT EXISTS (SELECT FROM corm.caches WHERE name = 'bench');
"""

# Removes what clearing leaves to the sweeper.
EMPTY = "BEGIN; SELECT corm.cache_clear('bench'); COMMIT; DO $$ BEGIN WHILE corm_test.sweep() LOOP NULL; END LOOP; END $$"

FILL = "SELECT count(corm.cache_set('key:' || i, 'value ' || i, {ttl}, 'bench', true)) FROM generate_series(1, {n}) i"


def hits(bench):
    calls = bench.count(50000)
    return Line(
        f"cache hit, one hot key, {calls:,} rows",
        ("corm.cache_get", scan(bench, "corm.cache_get('hot', 'bench')", calls)),
        [("C function that does nothing", scan(bench, "corm_test.noop('hot', 'bench')", calls), costs_at_most(100, "ns", SLICES * calls))],
        SETUP + "SELECT corm.cache_set('hot', 'value', cache => 'bench')")


def random_hits(bench):
    calls, keys = bench.count(50000), bench.count(1000000)
    key = f"'key:' || 1 + i * 514229::bigint % {keys}"
    return Line(
        f"cache hit, {keys:,} keys at random, {calls:,} rows",
        ("corm.cache_get", scan(bench, f"corm.cache_get({key}, 'bench')", calls)),
        [("C function that does nothing", scan(bench, f"corm_test.noop({key}, 'bench')", calls), costs_at_most(800, "ns", SLICES * calls))],
        SETUP + EMPTY + ";" + FILL.format(ttl="NULL", n=keys))


def sets(bench, immediate):
    calls = bench.count(20000)
    return Line(
        f"cache_set, {'immediate' if immediate else 'at commit'}, {calls:,} rows",
        ("corm.cache_set", scan(bench, f"corm.cache_set('set:' || i, 'value', NULL, 'bench', {str(immediate).lower()})", calls)),
        [("C function that does nothing", scan(bench, "corm_test.noop('set:' || i, 'value')", calls), costs_at_most(1.5, "us", SLICES * calls))],
        SETUP + EMPTY)


class Memcached:
    """A memcached on the loopback interface, started when first asked for and stopped at the end."""

    def __init__(self):
        self.process = None

    def port(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        self.process = subprocess.Popen(["memcached", "-l", "127.0.0.1", "-p", str(port), "-U", "0", *user])
        atexit.register(self.process.terminate)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return port
            time.sleep(0.1)
        raise RuntimeError("memcached does not start")


def memcached(bench):
    calls = bench.count(1000)
    server = Memcached()
    get = bench.sql(f"SELECT count(memcache_get('hot')) FROM generate_series(1, {calls}) i")

    def run():
        if server.process is None:
            bench.execute("CREATE EXTENSION IF NOT EXISTS pgmemcache")
            bench.execute(f"SELECT memcache_server_add('127.0.0.1:{server.port()}')")
            bench.execute("SELECT memcache_set('hot', 'value')")
            if bench.execute("SELECT memcache_get('hot')").fetchone()[0] != "value":
                raise RuntimeError("memcached does not keep a value")
        return get()

    return Line(
        f"cache hit, one hot key, {calls:,} rows",
        ("corm.cache_get", bench.sql(f"SELECT count(corm.cache_get('hot', 'bench')) FROM generate_series(1, {calls}) i")),
        [("memcached on loopback by pgmemcache", run, times_faster(20))],
        SETUP + "SELECT corm.cache_set('hot', 'value', cache => 'bench')")


def unlogged_table(bench):
    calls, keys = bench.count(10000), bench.count(100000)
    loop = "FOR i IN 1 .. %d LOOP {} END LOOP;" % calls
    key = f"'key:' || 1 + i * 514229::bigint % {keys}"
    return Line(
        f"cache hit, {keys:,} keys at random, in a PL/pgSQL loop, {calls:,} times",
        ("corm.cache_get", bench.plpgsql(loop.format(f"v := corm.cache_get({key}, 'bench');"), "v text;")),
        [("static SQL, primary key of an UNLOGGED table",
          bench.plpgsql(loop.format(f"SELECT c.value INTO v FROM cache_table c WHERE c.key = {key};"), "v text;"), times_faster(5))],
        SETUP + EMPTY + ";" + FILL.format(ttl="NULL", n=keys) + f""";
        DROP TABLE IF EXISTS cache_table;
        CREATE UNLOGGED TABLE cache_table (key text PRIMARY KEY, value text);
        INSERT INTO cache_table SELECT 'key:' || i, 'value ' || i FROM generate_series(1, {keys}) i;
        ANALYZE cache_table""")


def sessions(bench):
    calls = bench.count(200000)
    statement = f"SELECT count(corm.cache_get('hot', 'bench')) FROM generate_series(1, {calls})"
    connections = []

    def of(number):
        def run():
            while len(connections) < 2:
                connections.append(psycopg.connect("", autocommit=True))
                connections[-1].execute("SET jit = off; " + statement)
            threads = [threading.Thread(target=connections[i].execute, args=(statement,)) for i in range(number)]
            start = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return time.perf_counter() - start

        return run

    scales = Bar(">= 1.8 times the throughput", lambda x: x >= 1.8, lambda x: f"{x:.2f} times",
                 lambda subject, peer: 2 * peer / subject)
    return Line(
        f"cache hits on one hot key, {calls:,} a session",
        ("2 sessions", of(2)), [("1 session", of(1), scales)],
        SETUP + "SELECT corm.cache_set('hot', 'value', cache => 'bench')", slices=2)


def sweeps(bench):
    """Ticks with many live keys and with few.  A side fills or empties the cache if the other was there before."""
    many, few, expired = bench.count(900000), 1000, bench.count(10000)
    state = {}
    tick = computing(bench, "SELECT corm_test.sweep()", lambda: bench.execute(f"""
        SELECT count(corm.cache_set('due:' || i, 'x', '1 second', 'bench', true)) FROM generate_series(1, {expired}) i;
        SELECT corm_test.clock_advance('1.2 seconds')"""))

    def among(live):
        def run():
            if not state:
                bench.execute("SELECT corm_test.clock_freeze()")
                bench.execute("SET corm.track_queries = off")
            if state.get("live") != live:
                bench.execute(EMPTY)
                bench.execute(FILL.format(ttl="'30 days'", n=live))
                state["live"] = live
            return sum(tick() for _ in range(3))

        return run

    return Line(
        f"a sweep that removes {expired:,} expired keys",
        (f"{many:,} live keys", among(many)), [(f"{few:,} live keys", among(few), at_most(1.5))],
        SETUP + EMPTY, slices=2)


def evicting(bench):
    # As many as the cache holds, or all of them would be evicted by their own kind.
    calls = 1000000
    turn = [0]

    def fill(before):
        def run():
            turn[0] += 1
            return computing(bench, "SELECT count(corm.cache_set('%d:' || i, 'value', NULL, 'bench', true)) FROM generate_series(1, %d) i"
                             % (turn[0], calls), before)()

        return run

    def full():
        def room():
            return bench.execute("SELECT free_bytes * 200 > size_bytes FROM corm.cache_status()").fetchone()[0]

        while room():
            turn[0] += 1
            bench.execute(f"SELECT count(corm.cache_set('{turn[0]}:' || i, 'value', NULL, 'bench', true)) FROM generate_series(1, 50000) i")

    return Line(
        f"{calls:,} sets",
        ("into a full cache, evicting", fill(full)), [("into an empty cache", fill(lambda: bench.execute(EMPTY)), at_most(1.5))],
        SETUP + EMPTY, slices=1)


def listeners(bench):
    calls, number = bench.count(20000), 100
    connections = []
    work = f"""SELECT count(corm.cache_set('key:' || i, 'value', NULL, 'default', true)), count(corm.cache_delete('key:' || i, 'default', true))
        FROM generate_series(1, {calls}) i"""

    def of(statement):
        def run():
            while len(connections) < number:
                connections.append(psycopg.connect("", autocommit=True))
            for connection in connections:
                connection.execute(statement)
            start = time.perf_counter()
            bench.execute(work)
            return time.perf_counter() - start

        return run

    return Line(
        f"{calls:,} sets and deletes, each an event",
        (f"{number} idle listeners on other channels", of("LISTEN something_else")), [("no listener", of("UNLISTEN *"), at_most(1.2))],
        SETUP + EMPTY, slices=2)


def lines(bench):
    install_test_extension()
    for setting, value in (("sweep_interval", 0), ("sweep_max_entries", 1000000), ("sweep_max_time", 1000)):
        bench.execute(f"ALTER SYSTEM SET corm.{setting} = {value}")
    bench.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)
    return [hits(bench), random_hits(bench), sets(bench, True), sets(bench, False), memcached(bench), unlogged_table(bench),
            sessions(bench), sweeps(bench), evicting(bench), listeners(bench)]
