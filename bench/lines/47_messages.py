"""Messages: what they cost in memory and durable, against pgmq, PgQ and a table with SKIP LOCKED; Redis Streams for reference.

pgmq and PgQ take part if their extensions are installed, Redis if redis-server is.  What these need now and then (VACUUM, rotated
tables) is done between the rounds, and not timed: autovacuum is off here, and pgqd does not run.
"""

import atexit
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time

import psycopg
from harness import SLICES, Bar, Line, at_most, costs_at_most, no_bar, stopwatch, times_faster

BATCH = 100
TEXT = "jsonb_build_object('v', repeat('x', 100))"


def topic(name, options, *groups):
    """SQL that makes a topic anew, with groups."""
    return (f"SELECT corm.topic_drop(name) FROM corm.topics WHERE name = '{name}'; SELECT corm.topic_create('{name}', {options}); "
            + " ".join(f"SELECT corm.subscribe('{name}', '{group}');" for group in groups))


def at_least(rate, n):
    """So many messages a second."""
    return Bar(f">= {rate:,}/s", lambda x: x >= rate, lambda x: f"{x:.0f}/s", lambda subject, peer: n / subject)


def nothing():
    return 1e-9


def connection():
    made = psycopg.connect("", autocommit=True)
    atexit.register(made.close)
    return made


def bulk(bench):
    """In one session: what a message costs it on the processor."""
    n, clock = bench.count(10000), stopwatch(bench)

    def run():
        start = clock()
        bench.execute(f"SELECT corm.publish_many('bench_bulk', (SELECT array_agg(i) FROM generate_series(1, {n}) i))")
        for group in "ab":
            got = bench.execute(f"SELECT count(*) FROM corm.receive('bench_bulk', '{group}', {n})").fetchone()[0]
            if got != n:
                raise RuntimeError(f"{got} messages")
        return clock() - start

    return Line(f"memory topic, publish + receive {n:,} in bulk, 2 groups, a message", ("corm", run),
                [("(nothing)", nothing, costs_at_most(3, "us", SLICES * n))],
                topic("bench_bulk", "capacity => 1000000", "a", "b"))


def both_ways(bench):
    """One session publishes, and one receives."""
    n, publisher = bench.count(200000), connection()

    def run():
        def publish():
            for _ in range(n // 1000):
                publisher.execute("SELECT corm.publish_many('bench_ways', (SELECT array_agg(i) FROM generate_series(1, 1000) i))")

        start, got = time.perf_counter(), 0
        thread = threading.Thread(target=publish)
        thread.start()
        while got < n:
            got += bench.execute("SELECT count(*) FROM corm.receive('bench_ways', 'a', 10000, '1 s')").fetchone()[0]
        thread.join()
        return time.perf_counter() - start

    return Line(f"memory topic, one session publishes and one receives {n:,}", ("corm", run), [("(nothing)", nothing, at_least(200000, n))],
                topic("bench_ways", "capacity => 100000, overflow => 'block'", "a"), slices=1)


def durable(bench):
    n, clock = bench.count(2000) // BATCH * BATCH, stopwatch(bench)

    def batches(before, publish, receive):
        """A side: publishes n messages, a batch at a time, then receives and settles them."""
        def run():
            before()
            start = clock()
            for _ in range(n // BATCH):
                bench.execute(publish)
            got = 0
            while got < n:
                some = receive()
                if not some:
                    raise RuntimeError(f"{got} of {n} messages came")
                got += some
            return clock() - start, got
        return run

    def one(statement):
        return lambda: bench.execute(statement).fetchone()[0]

    def vacuum():
        bench.execute("VACUUM pgmq.q_bench")

    def vacuum_table():
        bench.execute("VACUUM bench_queue")

    def rotate():
        bench.execute("SELECT pgq.maint_rotate_tables_step1('bench')")
        bench.execute("SELECT pgq.maint_rotate_tables_step2()")

    def pgq_batch():
        bench.execute("SELECT pgq.ticker('bench')")
        batch = one("SELECT pgq.next_batch('bench', 'a')")()
        if batch is None:
            return 0
        some = one(f"SELECT count(*) FROM pgq.get_batch_events({batch})")()
        bench.execute(f"SELECT pgq.finish_batch({batch})")
        return some or pgq_batch()

    def table_batch():
        ids = one(f"""WITH got AS (UPDATE bench_queue SET visible = clock_timestamp() + interval '30 s', reads = reads + 1
                          WHERE id IN (SELECT id FROM bench_queue WHERE visible <= clock_timestamp() ORDER BY id LIMIT {BATCH} FOR UPDATE SKIP LOCKED)
                          RETURNING id, payload)
                      SELECT array_agg(id) FROM got""")()
        return bench.connection.execute("DELETE FROM bench_queue WHERE id = ANY (%s)", [ids]).rowcount if ids else 0

    array = f"(SELECT array_agg({TEXT}) FROM generate_series(1, {BATCH}))"
    for name, setup in (
            ("pgmq", "CREATE EXTENSION IF NOT EXISTS pgmq; SELECT pgmq.create('bench')"),
            ("pgq", """CREATE EXTENSION IF NOT EXISTS pgq; SELECT pgq.create_queue('bench'); SELECT pgq.register_consumer('bench', 'a');
                SELECT pgq.set_queue_config('bench', o, v) FROM (VALUES ('ticker_max_count', '1'), ('ticker_max_lag', '0'),
                    ('ticker_idle_period', '0'), ('rotation_period', '0')) c (o, v)""")):
        try:
            bench.execute(setup)
        except psycopg.Error:
            pass    # the side says why it cannot run
    return Line(
        f"durable topic, publish + receive + settle {n:,}, {BATCH} at a time",
        ("corm", batches(lambda: None, f"SELECT corm.publish_many('bench_durable', {array})",
                         one(f"SELECT count(*) FROM corm.receive('bench_durable', 'a', {BATCH})"))),
        [("pgmq: send_batch, read, delete", batches(
            vacuum, f"SELECT count(*) FROM pgmq.send_batch('bench', {array})",
            one(f"SELECT count(*) FROM pgmq.delete('bench', (SELECT array_agg(msg_id) FROM pgmq.read('bench', 30, {BATCH})))")), times_faster(3)),
         ("PgQ: insert_event, next_batch, get_batch_events, finish_batch", batches(
             rotate, f"SELECT count(pgq.insert_event('bench', 't', {TEXT}::text)) FROM generate_series(1, {BATCH})", pgq_batch), times_faster(1)),
         ("a table: INSERT, UPDATE SKIP LOCKED, DELETE", batches(
             vacuum_table, f"INSERT INTO bench_queue (payload) SELECT {TEXT} FROM generate_series(1, {BATCH})",
             table_batch), no_bar())],
        topic("bench_durable", "durable => true, capacity => 1000000", "a") +
        """DROP TABLE IF EXISTS bench_queue; CREATE TABLE bench_queue (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, visible timestamptz NOT NULL
           DEFAULT clock_timestamp(), reads int NOT NULL DEFAULT 0, payload jsonb NOT NULL); CREATE INDEX ON bench_queue (visible)""")


def beside_an_old_transaction(bench):
    """Another session has a snapshot, and has written something."""
    n, old = bench.count(20000), connection()

    def work():
        start = time.perf_counter()
        for _ in range(n // BATCH):
            bench.execute(f"SELECT corm.publish_many('bench_old', (SELECT array_agg({TEXT}) FROM generate_series(1, {BATCH})))")
            bench.execute(f"SELECT count(*) FROM corm.receive('bench_old', 'a', {BATCH})")
        return time.perf_counter() - start

    def beside():
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("CREATE TEMPORARY TABLE IF NOT EXISTS bench_held (n int)")
        try:
            return work()
        finally:
            old.execute("ROLLBACK")

    return Line(f"durable topic, {n:,} messages while another transaction is open", ("beside it", beside), [("without it", work, times_faster(0.9))],
                topic("bench_old", "durable => true, capacity => 1000000", "a"), slices=1)


def latency(bench, kind, options, limit):
    """From before the publishing statement, which commits, to where the receiver has the message: the median."""
    n, receiver, name = bench.count(300), connection(), f"bench_latency_{kind}"

    def run():
        spans = []

        def receive():
            while len(spans) < n:
                spans.extend(seconds for seconds, in receiver.execute(
                    f"SELECT extract(epoch FROM clock_timestamp() - payload::timestamptz)::float8 FROM corm.receive('{name}', 'a', 1, '10 s')"))

        thread = threading.Thread(target=receive)
        thread.start()
        for i in range(n):
            while len(spans) < i:
                time.sleep(0.0002)
            time.sleep(0.001)    # until the receiver waits again
            bench.execute(f"SELECT corm.publish('{name}', clock_timestamp()::text)")
        thread.join()
        return statistics.median(spans)

    return Line(f"{kind} topic, from publish to receive in a session that waits, median of {n:,}", ("corm", run),
                [("(nothing)", nothing, costs_at_most(limit, "us", 1))], topic(name, options, "a"), slices=1)


def many_groups(bench):
    """What waits costs a publisher nothing."""
    clock, n = stopwatch(bench), 200
    groups = "SELECT corm.subscribe('{0}', 'g' || i) FROM generate_series(1, {1}) i;"

    def publishes(name, before=""):
        def run():
            if before:
                bench.execute(before)
            start = clock()
            bench.execute(f"SELECT count(corm.publish('{name}', i, immediate => true)) FROM generate_series(1, {n}) i")
            return clock() - start
        return run

    return Line(f"publish {n} to a memory topic of 1,000 groups, with 10,000 messages waiting in each",
                ("waiting", publishes("bench_waiting")),
                [("1,000 groups, nothing waiting", publishes("bench_empty", "SELECT corm.purge('bench_empty')"), at_most(1.2)),
                 ("1 group, nothing waiting", publishes("bench_one", "SELECT corm.purge('bench_one')"), no_bar())],
                topic("bench_waiting", "capacity => 1000000") + topic("bench_empty", "capacity => 1000000") + topic("bench_one", "capacity => 1000000", "g")
                + groups.format("bench_waiting", 1000) + groups.format("bench_empty", 1000)
                + "SELECT corm.publish_many('bench_waiting', (SELECT array_agg(i) FROM generate_series(1, 10000) i))")


def many_receivers(bench):
    """A message wakes one receiver, however many wait."""
    clock, n, threads = stopwatch(bench), 200, []

    def receive(name):
        # not closed: a daemon thread ends with the program
        session = psycopg.connect("", autocommit=True)
        while True:
            session.execute(f"SELECT corm.receive('{name}', 'a', 1, '1 s')")

    def publishes(name):
        def run():
            if not threads:
                for topic_name in ["bench_crowd"] * 100 + ["bench_few"] * 10:
                    threads.append(threading.Thread(target=receive, args=(topic_name,), daemon=True))
                    threads[-1].start()
                time.sleep(2)
            start = clock()
            for i in range(n):
                bench.execute(f"SELECT corm.publish('{name}', {i})")
            return clock() - start
        return run

    return Line(f"publish {n}, one by one, to a memory topic whose group 100 sessions wait for", ("100", publishes("bench_crowd")),
                [("10 wait", publishes("bench_few"), at_most(1.2))],
                topic("bench_crowd", "capacity => 100000, overflow => 'block'", "a") + topic("bench_few", "capacity => 100000, overflow => 'block'", "a"))


class Redis:
    """A server of its own, and as much of its protocol as is needed."""

    def __init__(self):
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError("redis-server is not installed")
        self.directory = tempfile.mkdtemp()
        path = os.path.join(self.directory, "socket")
        self.process = subprocess.Popen([program, "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL)
        atexit.register(self.close)
        until = time.monotonic() + 10
        while not os.path.exists(path):
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError("redis-server does not start")
            time.sleep(0.01)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.process.terminate()
        shutil.rmtree(self.directory, ignore_errors=True)

    def ask(self, *commands):
        """The answers to commands that are sent together."""
        parts = []
        for command in commands:
            parts.append(b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in command))
        self.socket.sendall(b"".join(parts))
        return [self.answer() for _ in commands]

    def answer(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2] if rest != b"-1" else None
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        return rest


def from_a_client(bench):
    n, server = bench.count(2000) // BATCH * BATCH, []
    payloads = [f"{i:0100}" for i in range(BATCH)]

    def corm():
        start = time.perf_counter()
        for _ in range(n // BATCH):
            bench.connection.execute("SELECT corm.publish_many('bench_client', %s::text[])", [payloads])
        for _ in range(n // BATCH):
            if len(bench.execute(f"SELECT seq, payload FROM corm.receive('bench_client', 'a', {BATCH})").fetchall()) != BATCH:
                raise RuntimeError("messages are missing")
        return time.perf_counter() - start

    def redis():
        if not server:
            server.append(Redis())
            server[0].ask([b"XGROUP", b"CREATE", b"bench", b"a", b"$", b"MKSTREAM"])
        start = time.perf_counter()
        for _ in range(n // BATCH):
            server[0].ask(*([b"XADD", b"bench", b"*", b"v", payload.encode()] for payload in payloads))
        for _ in range(n // BATCH):
            [[[_, messages]]] = server[0].ask([b"XREADGROUP", b"GROUP", b"a", b"one", b"COUNT", b"%d" % BATCH, b"STREAMS", b"bench", b">"])
            if len(messages) != BATCH:
                raise RuntimeError("messages are missing")
            server[0].ask([b"XACK", b"bench", b"a", *(message[0] for message in messages)])
        spent = time.perf_counter() - start
        server[0].ask([b"XTRIM", b"bench", b"MAXLEN", b"0"])
        return spent

    return Line(f"memory topic, publish + receive + settle {n:,} from a client, {BATCH} at a time", ("corm, psycopg", corm),
                [("Redis Streams: XADD in a pipeline, XREADGROUP, XACK", redis, no_bar())], topic("bench_client", "capacity => 1000000", "a"))


def lines(bench):
    return [bulk(bench), both_ways(bench), durable(bench), beside_an_old_transaction(bench), latency(bench, "memory", "durable => false", 100),
            latency(bench, "durable", "durable => true", 1000), many_groups(bench), from_a_client(bench), many_receivers(bench)]
