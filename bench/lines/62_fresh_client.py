"""A join of three tables from a client: cached and fresh, run each time, in a materialized view, and in Redis, which the
application fills and from which it deletes what it has changed.
"""

import atexit
import json
import os
import shutil
import subprocess
import tempfile
import time

from harness import SLICES, Line, faster, no_bar


class Redis:
    """A server of its own on a socket, which ends with the benchmark."""

    connection = None

    def __call__(self):
        if self.connection is None:
            if shutil.which("redis-server") is None:
                raise RuntimeError("redis-server is not installed")
            import redis  # Debian's python3-redis

            directory = tempfile.mkdtemp()
            socket = os.path.join(directory, "redis")
            server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no",
                                       "--dir", directory], stdout=subprocess.DEVNULL)
            atexit.register(shutil.rmtree, directory, ignore_errors=True)
            atexit.register(server.wait)
            atexit.register(server.terminate)
            end = time.monotonic() + 10
            while not os.path.exists(socket):
                if server.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("redis-server does not start")
                time.sleep(0.01)
            self.connection = redis.Redis(unix_socket_path=socket)
        return self.connection


def from_client(bench, redis, reads_per_write):
    """
    The same join from this process, over one connection to the server, by psycopg2 and prepared statements, and one to Redis.
    After some reads there is a write of one of the tables, which leaves the answer as it is, so that all sides read the same.
    """
    import psycopg2

    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    calls = bench.count(500)
    part = max(1, calls // SLICES)

    def prepared(name, sql):
        cursor.execute(f"PREPARE {name} AS {sql}")

        def execute():
            cursor.execute(f"EXECUTE {name}")
            return cursor.fetchone()[0]

        return execute

    compute = prepared("compute", "SELECT json_agg(s)::text FROM bench_sales s")

    def ask_redis():
        kept = redis().get("sales")
        if kept is None:
            kept = compute()
            redis().set("sales", kept)
        return json.loads(kept)

    def side(read, written):
        def run():
            start, check = time.perf_counter(), 0
            for turn in range(1, part + 1):
                if reads_per_write and turn % reads_per_write == 0:
                    cursor.execute("UPDATE items SET quantity = quantity WHERE id = 1")
                    written()
                check += sum(row["items"] for row in read())
            return time.perf_counter() - start, check

        return run

    sides = [("run each time", side(prepared("run", "SELECT json_agg(s) FROM bench_sales s"), lambda: None), faster()),
             (f"a materialized view{', refreshed after each write' if reads_per_write else ''}",
              side(prepared("kept", "SELECT json_agg(m) FROM bench_sales_kept m"), lambda: cursor.execute("REFRESH MATERIALIZED VIEW bench_sales_kept")),
              faster() if reads_per_write else no_bar()),
             ("Redis, filled and cleared by the application", side(ask_redis, lambda: redis().delete("sales")), faster())]
    return Line(
        f"a join of three tables from a client, {calls:,} times{f', a write after each {reads_per_write}' if reads_per_write else ''}",
        ("cached, fresh", side(prepared("fresh", "SELECT corm.get_multi_json_text(corm.selector('bench_sales'), corm.cached(fresh => true))"), lambda: None)),
        sides, "REFRESH MATERIALIZED VIEW bench_sales_kept")


def lines(bench):
    redis = Redis()
    return [from_client(bench, redis, 0), from_client(bench, redis, 25), from_client(bench, redis, 5)]
