"""Tasks, where several sessions meet: full pools, unique keys that are not committed, deadlocks, workers and sessions that
are terminated, time.

libpq's variables say where the server is, which must have the extension corm_test.  The output is TAP.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "oracle"))

from waiting import DATABASE, Session, Waiter, check, drop_database, finish, make_database, until  # noqa: E402

control = make_database("corm", "corm_test")
one = Session("one", DATABASE)
two = Session("two", DATABASE)
control.must("CREATE TABLE done (n int GENERATED ALWAYS AS IDENTITY, what text)")


def pool(column, name="p"):
    return control.must(f"SELECT {column} FROM corm.pools WHERE name = '{name}'")[0][0]


def state(task):
    return control.must(f"SELECT (corm.task_info({task})).state")[0][0]


def submit(session, options, body):
    return session.must(f"SELECT corm.submit(corm.task({options}), $body${body}$body$)")[0][0]


def blocked(n):
    return until(lambda: pool("blocked") == str(n))


# full: who waits for room gets it when a task starts, in turn; closing and dropping wake all
control.must("SELECT corm.pool_create('p', workers => 1, capacity => 1), corm.pool_pause('p')")
submit(control, "'p'", "SELECT 1")
first = Waiter("SELECT corm.submit(corm.task('p'), 'SELECT 2') > 0")
check("waits for room", blocked(1), True)
timed = Waiter("SELECT corm.submit(corm.task('p', wait => '30 s'), 'SELECT 3') > 0")
check("another one waits", blocked(2), True)
cancelled = Waiter("SELECT corm.submit(corm.task('p'), 'SELECT 3') > 0")
blocked(3)
control.must(f"SELECT pg_cancel_backend({cancelled.session.pid})")
check("canceled", cancelled.result(), "57014")
terminated = Waiter("SELECT corm.submit(corm.task('p'), 'SELECT 3') > 0")
blocked(3)
control.must(f"SELECT pg_terminate_backend({terminated.session.pid})")
check("terminated", terminated.result(), "08006")
check("two wait", blocked(2), True)
control.must("SELECT corm.pool_resume('p')")
check("room", (first.result(), timed.result()), ([("t",)], [("t",)]))
check("nobody waits", (until(lambda: pool("waiting + running") == "0"), pool("blocked"), pool("reserved")), (True, "0", "0"))
control.must("SELECT corm.pool_pause('p')")
submit(control, "'p'", "SELECT 1")
first, second = Waiter("SELECT corm.submit(corm.task('p'), 'SELECT 2')"), Waiter("SELECT corm.submit(corm.task('p'), 'SELECT 2')")
blocked(2)
control.must("SELECT corm.pool_close('p', drain => false)")
check("closed while they wait", (first.result(), second.result()), ("55000", "55000"))
control.must("SELECT corm.pool_open('p')")
submit(control, "'p'", "SELECT 1")
first = Waiter("SELECT corm.submit(corm.task('p'), 'SELECT 2')")
blocked(1)
control.must("SELECT corm.pool_drop('p')")
check("dropped while it waits", first.result(), "55000")

# capacity raised while they wait
control.must("SELECT corm.pool_create('p', workers => 1, capacity => 1), corm.pool_pause('p')")
submit(control, "'p'", "SELECT 1")
first = Waiter("SELECT corm.submit(corm.task('p'), 'SELECT 2') > 0")
blocked(1)
control.must("SELECT corm.pool_alter('p', capacity => 10)")
check("more room", first.result(), [("t",)])

# room of an uncommitted task is taken, and comes back with ROLLBACK
control.must("SELECT corm.pool_alter('p', capacity => 3)")
one.must("BEGIN")
submit(one, "'p'", "SELECT 1")
check("full", two.run("SELECT corm.submit(corm.task('p', wait => '0'), 'SELECT 1')")[0], "53400")
waiter = Waiter("SELECT corm.submit(corm.task('p'), 'SELECT 2') > 0")
blocked(1)
one.must("ROLLBACK")
check("rolled back", waiter.result(), [("t",)])
control.must("SELECT corm.pool_close('p', drain => false), corm.pool_open('p'), corm.pool_resume('p')")

# a unique key of a transaction that has not ended: as a unique index
for end, expected in (("COMMIT", "42710"), ("ROLLBACK", [("t",)])):
    one.must("BEGIN")
    control.must("SELECT corm.pool_pause('p')")
    submit(one, "'p', unique_key => 'u'", "SELECT 1")
    waiter = Waiter("SELECT corm.submit(corm.task('p', unique_key => 'u'), 'SELECT 2') > 0")
    check("waits", until(lambda: control.must(
        f"SELECT pg_blocking_pids({waiter.session.pid}) = ARRAY[{one.pid}]") == [("t",)]), True)
    one.must(end)
    check(f"unique key, {end}", waiter.result(), expected)
    control.must("SELECT corm.pool_close('p', drain => false), corm.pool_open('p'), corm.pool_resume('p')")
one.must("BEGIN")
submit(one, "'p', unique_key => 'u'", "SELECT 1")
two.must("BEGIN")
submit(two, "'p', unique_key => 'v'", "SELECT 1")
one.must("SET deadlock_timeout = '100 ms'")
two.must("SET deadlock_timeout = '100 ms'")
crossing = Waiter("SELECT corm.submit(corm.task('p', unique_key => 'u'), 'SELECT 2') > 0", two)
until(lambda: control.must(f"SELECT pg_blocking_pids({two.pid}) = ARRAY[{one.pid}]") == [("t",)])
mine = one.run("SELECT corm.submit(corm.task('p', unique_key => 'v'), 'SELECT 2') > 0")
one.run("ROLLBACK")
other = crossing.result()
two.run("ROLLBACK")
check("two that wait for each other", "40P01" in (mine[0], other), True)

# the task needs a row that the session holds which waits for it
control.must("CREATE TABLE locked (n int); INSERT INTO locked VALUES (1)")
one.must("BEGIN")
one.must("UPDATE locked SET n = 2")
task = submit(one, "immediate => true", "UPDATE locked SET n = 3")
sqlstate, rows = one.run(f"SELECT sqlstate FROM corm.task_wait({task}, '1 min')")
check("a deadlock with the waiting session is found", (sqlstate, rows), ("", [("40P01",)]))
one.must("ROLLBACK")

# a task runs what its transaction has committed, in a worker that has run the old version
control.must("CREATE FUNCTION version() RETURNS int LANGUAGE sql AS 'SELECT 0'; CREATE SCHEMA v")
control.must("CREATE FUNCTION v.version() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 0; END'")
stale = 0
for number in range(1, 31):
    control.must("BEGIN")
    control.must(f"CREATE OR REPLACE FUNCTION v.version() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN {number}; END'")
    task = submit(control, "", "SELECT v.version() AS v")
    control.must("COMMIT")
    stale += control.must(f"SELECT corm.task_value({task}) -> 0 ->> 'v'") != [(str(number),)]
check("never the old version of a function", stale, 0)

# nothing of a task reaches the next one
task = submit(control, "", "SET work_mem = '1234kB'; CREATE TEMP TABLE left_over (n int); SELECT pg_advisory_lock(4711)")
check("a task that leaves things", control.must(f"SELECT ok FROM corm.task_wait({task})"), [("t",)])
leftovers = [control.must(f"SELECT corm.task_value({submit(control, '', BODY)})")[0][0] for BODY in [
    "SELECT current_setting('work_mem') <> '1234kB' AS a, to_regclass('left_over') IS NULL AS b, "
    "(SELECT count(*) FROM pg_locks WHERE objid = 4711 AND pid = pg_backend_pid()) AS c"] * 4]
check("is clean", set(leftovers), {'[{"a": true, "b": true, "c": 0}]'})
# its worker may have been busy cleaning up, while another one ran these
check("its locks end", until(lambda: control.must("SELECT count(*) FROM pg_locks WHERE objid = 4711") == [("0",)]), True)

# a worker that is terminated: the attempt is lost, and made again if there are more
hold = Session("hold", DATABASE)
hold.must("SELECT pg_advisory_lock(1)")
task = submit(control, "", "SELECT pg_advisory_xact_lock(1)")
again = submit(control, "max_attempts => 2, backoff => '1 ms'",
               "SELECT CASE WHEN attempt = 1 THEN pg_advisory_xact_lock(1)::text END, attempt FROM corm.current_task()")
until(lambda: (state(task), state(again)) == ("running", "running"))
control.must("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'corm worker' AND state = 'active'")
check("terminated", control.must(f"SELECT sqlstate FROM corm.task_wait({task}, '30 s')"), [("OR031",)])
check("made again", control.must(f"SELECT (value -> 0 ->> 'attempt')::int FROM corm.task_wait({again}, '30 s')"), [("2",)])
hold.must("SELECT pg_advisory_unlock(1)")

# a session that ends gives back what its transaction has submitted
one.must("BEGIN")
submit(one, "'p', unique_key => 'gone', key => 'k'", "INSERT INTO done (what) VALUES ('gone')")
control.must(f"SELECT pg_terminate_backend({one.pid})")
check("given back", until(lambda: pool("reserved") == "0"), True)
check("its unique key too", control.run("SELECT corm.submit(corm.task('p', unique_key => 'gone'), 'SELECT 1')")[0], "")
control.must("SELECT count(*) FROM corm.task_wait_all((SELECT array_agg(id) FROM corm.tasks WHERE pool = 'p'))")

# time: scheduled tasks, retries, results
one = Session("one", DATABASE)
control.must("SELECT corm_test.clock_freeze()")
later = submit(control, "'p', delay => '1 hour'", "SELECT 1 AS later")
soon = submit(control, "'p', delay => '10 s'", "SELECT 1 AS soon")
retried = submit(control, "'p', max_attempts => 2, backoff => '1 min'", "SELECT 1 / (attempt - 1) AS one FROM corm.current_task()")
check("one has failed", until(lambda: state(retried) == "retrying"), True)
check("not yet", (state(later), state(soon)), ("scheduled", "scheduled"))
control.must("SELECT corm_test.clock_advance('11 s')")
check("soon", control.must(f"SELECT corm.task_value({soon})"), [('[{"soon": 1}]',)])
check("the others not yet", (state(later), state(retried)), ("scheduled", "retrying"))
control.must("SELECT corm_test.clock_advance('2 min')")
check("tried again", control.must(f"SELECT corm.task_value({retried})"), [('[{"one": 1}]',)])
control.must("SELECT corm_test.clock_advance('1 hour')")
check("later", control.must(f"SELECT corm.task_value({later})"), [('[{"later": 1}]',)])
control.must("SELECT corm_test.clock_advance('5 min')")
check("results are forgotten", until(lambda: control.must("SELECT count(*) FROM corm.tasks WHERE pool = 'p'") == [("0",)]), True)
control.must("SELECT corm_test.clock_release()")

# results give way when there is no memory for new tasks
big = "x" * 200000
ids = [submit(control, "", f"SELECT '{big}' AS big") for _ in range(200)]
check("the newest is kept", control.must(f"SELECT length(corm.task_value({ids[-1]})::text) > 200000"), [("t",)])
check("the oldest is not", control.run(f"SELECT corm.task_value({ids[0]})")[0], "P0002")

check("all is sound", control.must("SELECT * FROM corm.work_check()"), [])

# dropped with the database, while one runs
hold.must("SELECT pg_advisory_lock(1)")
submit(control, "'p', delay => '1 hour'", "SELECT 1")
for session in (one, two, hold, control):
    session.close()
drop_database()
control = make_database("corm")
check("nothing is left", control.must("SELECT count(*) FROM corm.tasks"), [("0",)])
check("all is still sound", control.must("SELECT * FROM corm.work_check()"), [])
control.close()
drop_database()
sys.exit(finish())
