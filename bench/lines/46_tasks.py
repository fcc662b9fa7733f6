"""Tasks: in memory and durable, against rows that workers claim with SKIP LOCKED, as River and its like do; and what waits.

The workers that claim rows are procedures in the server, on two connections, so no time goes to a client: they are faster than
libraries that fetch each job to where they run, of which graphile-worker stands for the others.  River claims as many jobs at a
time as it has free workers: with two, one or two.  Workers that claim ten for each of them, which then wait for one, are shown
without a bar.
"""

import threading
import time

import psycopg
from harness import Line, at_most, computing, costs_at_most, install_test_extension, no_bar, times_faster

POOLS = """
SELECT corm.pool_create(name, workers => 2, capacity => 200000, result_ttl => '1 s')
    FROM unnest(ARRAY['bench', 'bench_few', 'bench_many']) AS n (name) WHERE NOT EXISTS (SELECT FROM corm.pools p WHERE p.name = n.name);
SELECT corm.wg_create('bench') WHERE NOT EXISTS (SELECT FROM corm.wait_groups WHERE name = 'bench');
"""

RIVER = """
DROP TABLE IF EXISTS river_job;
DROP PROCEDURE IF EXISTS river_work;
CREATE TABLE river_job (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text NOT NULL DEFAULT 'available', attempt smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL DEFAULT 25, attempted_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(), finalized_at timestamptz,
    scheduled_at timestamptz NOT NULL DEFAULT now(), priority smallint NOT NULL DEFAULT 1, args jsonb NOT NULL DEFAULT '{}', kind text NOT NULL,
    queue text NOT NULL DEFAULT 'default') WITH (fillfactor = 50);
CREATE INDEX river_job_fetching ON river_job (state, queue, priority, scheduled_at, id);
CREATE PROCEDURE river_work(batch int) LANGUAGE plpgsql AS $$
DECLARE
    jobs bigint[];
    job bigint;
BEGIN
    LOOP
        WITH locked AS (
            SELECT id FROM river_job WHERE state = 'available' AND queue = 'default' AND scheduled_at <= now()
            ORDER BY priority, scheduled_at, id LIMIT batch FOR UPDATE SKIP LOCKED
        ), taken AS (
            UPDATE river_job r SET state = 'running', attempt = attempt + 1, attempted_at = now() FROM locked WHERE r.id = locked.id RETURNING r.id
        )
        SELECT array_agg(id) INTO jobs FROM taken;
        COMMIT;
        EXIT WHEN jobs IS NULL;
        FOREACH job IN ARRAY jobs LOOP
            PERFORM 1;
            UPDATE river_job SET state = 'completed', finalized_at = now() WHERE id = job;
            COMMIT;
        END LOOP;
    END LOOP;
END $$;
"""


def nothing():
    return 0.0


def in_pool(execute, options, n):
    """Submits trivial tasks in one transaction, and waits until all have ended"""

    def run():
        start = time.perf_counter()
        execute(f"SELECT count(corm.submit(corm.task({options}, wait_group => 'bench'), 'SELECT 1')) FROM generate_series(1, {n})")
        if not execute("SELECT corm.wg_wait('bench', '1 min')").fetchone()[0]:
            raise RuntimeError("the tasks do not end")
        return time.perf_counter() - start

    return run


def latency(bench, n):
    """The median time from the submit of a task, which counts at once, to when it runs"""

    def run():
        return bench.execute(
            f"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY s) FROM (SELECT (corm.task_value(corm.submit(corm.task('bench', immediate => true), "
            f"'SELECT extract(epoch FROM clock_timestamp() - $1) AS s', clock_timestamp())) -> 0 ->> 's')::float8 AS s FROM generate_series(1, {n})) x"
        ).fetchone()[0]

    return run


def skip_locked(bench, n, batch):
    """The same jobs as rows, with two workers"""
    workers = [psycopg.connect("", autocommit=True) for _ in range(2)]

    def run():
        start = time.perf_counter()
        bench.execute(f"INSERT INTO river_job (kind) SELECT 'trivial' FROM generate_series(1, {n})")
        threads = [threading.Thread(target=worker.execute, args=(f"CALL river_work({batch})",)) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = time.perf_counter() - start
        if bench.execute("SELECT count(*) FROM river_job WHERE state <> 'completed'").fetchone()[0] != 0:
            raise RuntimeError("the jobs do not end")
        return spent

    return run


def graphile(bench, n):
    """The same number of jobs with graphile-worker: added in one statement, and worked off in Node"""
    return lambda: bench.node.ask(peer="graphile", work="jobs", first=0, count=n)["seconds"]


def held(bench, n, seconds):
    """Durable tasks in a database where a transaction is open, since the first call, and in one where none is"""
    bench.execute("DROP DATABASE IF EXISTS bench_held WITH (FORCE)")
    bench.execute("CREATE DATABASE bench_held")
    work = psycopg.connect("dbname=bench_held", autocommit=True)
    work.execute("CREATE EXTENSION corm")
    work.execute(POOLS)
    holder = psycopg.connect("dbname=bench_held")
    side = in_pool(work.execute, "'bench', durable => true", n)
    begun = []

    def run():
        if not begun:
            begun.append(time.monotonic())
            holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            holder.execute("SELECT count(*) FROM corm.pools")
            while time.monotonic() - begun[0] < seconds:
                side()
        return side()

    return run


def one_more(bench, pool, n):
    """A task comes and another one is taken, in a paused pool where others wait"""
    bench.execute(f"SELECT corm.pool_pause('{pool}')")
    return computing(
        bench, f"DO $do$ DECLARE id bigint; BEGIN FOR i IN 1 .. {n} LOOP "
        f"PERFORM corm.submit(corm.task('{pool}', immediate => true), 'SELECT 1'); "
        f"id := corm_test.claim_task('{pool}'); PERFORM corm_test.settle_task(id, true); PERFORM corm.task_forget(id); END LOOP; END $do$")


def lines(bench):
    install_test_extension()
    bench.execute("CREATE EXTENSION IF NOT EXISTS corm_test")
    bench.execute(POOLS)
    bench.execute(RIVER)
    many, few, latencies, calls = bench.count(20000), bench.count(2000), bench.count(1000), bench.count(2000)
    waiting = bench.count(100000)
    in_memory = Line(
        f"memory tasks, 2 workers, body SELECT 1: submit, run, wait, {many:,} tasks (33 us: 30,000/s)",
        ("corm.submit", in_pool(bench.execute, "'bench'", many)),
        [("nothing", nothing, costs_at_most(33.3, "us", many))], slices=1)
    start = Line(
        f"memory task: from its submit until it runs, median of {latencies:,}",
        ("corm.submit", latency(bench, latencies)), [("nothing", nothing, costs_at_most(50, "us", 1))], slices=1)
    durable = Line(
        f"durable tasks, 2 workers, body SELECT 1: submit, run, wait, {few:,} tasks (200 us: 5,000/s)",
        ("corm.submit, durable", in_pool(bench.execute, "'bench', durable => true", few)),
        [("nothing", nothing, costs_at_most(200, "us", few)),
         ("rows claimed one by one with SKIP LOCKED, 2 workers", skip_locked(bench, few, 1), times_faster(3)),
         ("the same, ten at a time", skip_locked(bench, few, 10), no_bar()),
         ("graphile-worker, ten jobs at once", graphile(bench, few), times_faster(3))], slices=1)
    seconds = bench.count(60)
    horizon = Line(
        f"durable tasks where a transaction has been open for {seconds} s, {few:,} tasks",
        ("corm.submit, durable", held(bench, few, seconds)),
        [("where none is", in_pool(bench.execute, "'bench', durable => true", few), at_most(1.11))], slices=1)
    queue = Line(
        f"submit and claim where {waiting:,} tasks wait, {calls:,} times",
        ("a full pool", one_more(bench, "bench_many", calls)),
        [("where 10 wait", one_more(bench, "bench_few", calls), at_most(1.1))],
        f"SELECT count(corm.submit(corm.task('bench_many'), 'SELECT 1')) FROM generate_series(1, {waiting});"
        "SELECT count(corm.submit(corm.task('bench_few'), 'SELECT 1')) FROM generate_series(1, 10);")
    return [in_memory, start, durable, horizon, queue]
