"""Cancels and terminations at random moments inside of scopes.

The work takes far longer than the moment of the cancel, so each run must end with 57014: a scope that turned the
cancel into data would let the work go on.  Afterwards nothing may be left of it, and the session must work.
"""

import random
import threading
import time

import psycopg

ROUNDS = 200
number = 0


def check(name, good, detail=""):
    global number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {name}")
    if not good:
        print(f"# {detail}")


WORK = """
DO $do$
BEGIN
    FOR i IN 1..100000 LOOP
        PERFORM corm.try_tx(corm.tx('nested', name => 'a'), $a$
            INSERT INTO tx_work VALUES (1);
            SELECT corm.do_tx(corm.tx('nested', name => 'b', timeout => '1 hour'),
                              'SELECT count(*) FROM tx_work; SELECT pg_advisory_xact_lock(1)');
            SELECT corm.try_tx(corm.tx('nested', name => 'c'), 'SELECT 1/0');
            SELECT pg_sleep(0.0005)$a$);
        BEGIN
            PERFORM corm.do_tx('SELECT pg_sleep(0.0005); SELECT 1/0');
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
END $do$"""

random.seed(4)
setup = psycopg.connect("", autocommit=True)
setup.execute("CREATE TABLE tx_work (a int)")
connection = psycopg.connect("", autocommit=True)


def interrupted(command, how):
    """Run the command while `how` is done to it at a random moment; the error, or None."""
    timer = threading.Timer(random.uniform(0, 0.02), how)
    timer.start()
    try:
        connection.execute(command)
        return None
    except psycopg.Error as error:
        return error
    finally:
        timer.join()


def cancel():
    setup.execute("SELECT pg_cancel_backend(%s)", (connection.info.backend_pid,))


def remains():
    return connection.execute("""
        SELECT corm.tx_depth(), (corm.tx_stats()).open_subtransactions, corm.in_tx(),
               (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'),
               (SELECT count(*) FROM tx_work), corm.do_tx('SELECT 1 AS works')""").fetchone()


def cancel_when_running():
    """Cancel the command, but not before it has begun: a cancel that comes earlier does nothing."""
    while setup.execute("SELECT state FROM pg_stat_activity WHERE pid = %s AND query LIKE %s",
                        (connection.info.backend_pid, "%$do$%")).fetchone() != ("active",):
        time.sleep(0.001)
    time.sleep(random.uniform(0, 0.01))
    cancel()


def always_cancelled(command, name):
    bad = []
    for i in range(ROUNDS):
        error = interrupted(command, cancel_when_running)
        if error is None or error.sqlstate != "57014":
            bad.append(f"round {i}: {error}")
        state = remains()
        if state != (0, 0, False, 0, 0, [{"works": 1}]):
            bad.append(f"round {i}: {state}")
    check(f"{name}: {ROUNDS} cancels", not bad, "\n# ".join(bad[:5]))


always_cancelled(WORK, "closures")
always_cancelled("CALL corm.run_tx($body$" + WORK + "$body$, corm.tx(retries => 3))", "run_tx")

# inside of a session scope: the block is aborted, and the savepoint recovers it
connection.execute("CALL corm.begin_tx()")
bad = []
for i in range(20):
    connection.execute("CALL corm.begin_tx()")
    error = interrupted(WORK, cancel_when_running)
    if error is None or error.sqlstate != "57014":
        bad.append(f"round {i}: {error}")
    connection.execute("ROLLBACK TO SAVEPOINT corm_tx_2")
    connection.execute("CALL corm.rollback_tx()")
    if connection.execute("SELECT corm.tx_depth(), (corm.tx_stats()).open_subtransactions").fetchone() != (1, 1):
        bad.append(f"round {i}: depth")
connection.execute("CALL corm.commit_tx()")
check("session scopes: 20 cancels", not bad, "\n# ".join(bad[:5]))

# termination
bad = []
for i in range(20):
    def terminate():
        setup.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))

    error = interrupted(WORK, terminate)
    if not isinstance(error, psycopg.OperationalError):
        bad.append(f"round {i}: {error!r}")
    connection = psycopg.connect("", autocommit=True)
check("20 terminations", not bad, "\n# ".join(bad[:5]))
check("nothing was stored", setup.execute("SELECT count(*) FROM tx_work").fetchone() == (0,))

setup.execute("DROP TABLE tx_work")
print(f"1..{number}")
