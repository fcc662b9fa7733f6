"""Hardening 22: each verb is cancelled, terminated and timed out at random moments.

The answer is 57014, or the end of the connection, or the result, if the interrupt came too late.  Afterwards the
session has no scope, subtransaction or lock left, and the next call works.  Leaks of SPI levels, snapshots, buffer pins,
files and the like are warnings of PostgreSQL at the end of the transaction: at the end the server's log must have none.

Half of the calls are made in a transaction block after a savepoint, to which the session returns.
"""

import os
import queue
import random
import re
import threading
import time

from server import LOST, Session

SETUP = """
SET search_path = public, corm_ops;
CREATE TABLE work (id int PRIMARY KEY, name text NOT NULL, n int DEFAULT 0, version int NOT NULL DEFAULT 1, deleted_at timestamptz);
COMMENT ON COLUMN work.version IS '@orm:version';
COMMENT ON COLUMN work.deleted_at IS '@orm:soft_delete';
INSERT INTO work SELECT i, 'name ' || i FROM generate_series(1, 500) i;
CREATE TABLE hooked (id int PRIMARY KEY, name text);
CREATE FUNCTION before_save(h hooked) RETURNS hooked LANGUAGE plpgsql AS $$ BEGIN h.name := upper(h.name); RETURN h; END $$;
CREATE FUNCTION after_find(h hooked) RETURNS hooked LANGUAGE plpgsql AS $$ BEGIN RETURN h; END $$;
CREATE FUNCTION pass(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.next(qc); END $$;
CREATE TABLE chained (id int PRIMARY KEY, name text);
SELECT corm.use('pass(corm.query_context)', 'chained');
INSERT INTO chained SELECT i, 'name' FROM generate_series(1, 50) i;
CREATE SEQUENCE fresh START 1000;
"""
NEW = "ROW(nextval('fresh')::int, 'x', 1, 1, NULL)::work"
# What a statement calls, and how often, so that interrupts meet the inside of the verb and not the parser.  0: a command.
VERBS = {
    "get": ("corm.get(NULL::people, corm.where(corm.eq('id', i % 60 + 1)))", 400),
    "one": ("corm.one(NULL::people, corm.where(corm.eq('id', i % 60 + 1)))", 400),
    "first": ("corm.first(NULL::people, corm.where(corm.gt('age', i % 20)))", 400),
    "get_multi": ("(SELECT count(*) FROM corm.get_multi(NULL::people, corm.where(corm.gt('age', i % 20), corm.some('tasks', corm.gt('prio', 0)))))", 60),
    "get_json": ("corm.get_json(corm.selector('people'), corm.preload('tasks.labels'), corm.preload('company'), corm.where(corm.eq('id', i % 60 + 1)))", 60),
    "first_json": ("corm.first_json(corm.selector('people'), corm.preload('company'), corm.where(corm.gt('age', i % 20)))", 60),
    "get_multi_json": ("corm.get_multi_json(corm.selector('people'), corm.preload('tasks', corm.limit(2)), corm.where(corm.gt('age', i % 20)))", 20),
    "page_json": ("corm.page_json(corm.selector('people'), corm.order_by('-age'), corm.limit(3))", 100),
    "value": ("corm.value(NULL::int, corm.selector('people'), corm.select('age'), corm.where(corm.eq('id', i % 60 + 1)))", 400),
    "pluck": ("ARRAY(SELECT corm.pluck(NULL::int, corm.selector('people'), corm.select('id'), corm.where(corm.gt('age', i % 20))))", 200),
    "count": ("corm.count(corm.selector('people'), corm.where(corm.gt('company.size', i % 3)))", 300),
    "exists": ("corm.exists(corm.selector('people'), corm.where(corm.gt('age', i % 50)))", 400),
    "exec an update": ("corm.exec(corm.updater('work'), corm.set('n', i), corm.where(corm.lt('id', 20)))", 40),
    "exec a delete": ("corm.exec(corm.deleter('work'), corm.where(corm.between('id', 400, 410)))", 100),
    "exec an insert": ("corm.exec(corm.inserter('work'), corm.set('id', nextval('fresh')::int), corm.set('name', 'x'))", 200),
    "upsert": ("corm.exec(corm.inserter('work'), corm.set('id', i % 50), corm.set('name', 'x'), corm.on_conflict('id'), corm.do_update())", 200),
    "restore": ("corm.restore(corm.selector('work'), corm.where(corm.between('id', 400, 410)))", 100),
    "insert": (f"corm.insert({NEW})", 200),
    "insert_multi": (f"(SELECT count(*) FROM corm.insert_multi(ARRAY[{NEW}, {NEW}, {NEW}]) WHERE i > 0)", 60),
    "insert_json": ("corm.insert_json('work', jsonb_build_object('id', nextval('fresh'), 'name', 'x'))", 150),
    "insert_json, nested": ("corm.insert_json('companies', jsonb_build_object('id', nextval('fresh'), 'people', jsonb_build_array(jsonb_build_object('id', nextval('fresh'), 'nick', 'x', 'level', 1))))", 40),
    "set_related": ("corm.set_related('tasks', '{\"id\": 1}', 'labels', CASE WHEN i % 2 = 0 THEN '[{\"id\": 1}]' ELSE '[{\"id\": 2}, {\"id\": 3}]' END::jsonb)", 40),
    "update": ("corm.update(corm.get(NULL::work, corm.where(corm.eq('id', i % 300 + 1))))", 150),
    "update_multi": ("(SELECT count(*) FROM corm.update_multi(ARRAY(SELECT corm.get_multi(NULL::work, corm.where(corm.lt('id', 10))))) WHERE i > 0)", 40),
    "save": ("corm.save(corm.get(NULL::work, corm.where(corm.eq('id', i % 300 + 1))))", 150),
    "delete": (f"corm.delete(corm.insert({NEW}))", 100),
    "hooks": ("corm.save(ROW(i % 20, 'x')::hooked)", 100),
    "after_find": ("(SELECT count(*) FROM corm.get_multi(NULL::hooked) WHERE i > 0)", 60),
    "middleware": ("(SELECT count(*) FROM corm.get_multi(NULL::chained, corm.where(corm.lt('id', i % 50))))", 60),
    "to_sql, args": ("corm.to_sql(corm.selector('people', 'a' || i), corm.where(corm.some('tasks', corm.eq('labels.name', 'x')) )) || corm.args(corm.selector('people'), corm.where(corm.eq('id', i)))::text"
                     .replace("corm.eq('labels.name', 'x')", "corm.some('labels', corm.eq('name', 'x'))"), 60),
    "explain": ("(SELECT count(*) FROM corm.explain(corm.selector('people'), corm.where(corm.eq('age', i))))", 60),
    "explain_analyze": ("(SELECT count(*) FROM corm.explain_analyze(corm.selector('people'), corm.where(corm.eq('age', i))))", 60),
    "filter": ("corm.count(corm.selector('people'), corm.filter(jsonb_build_object('where', jsonb_build_object('age', jsonb_build_object('gt', i)))))", 200),
    "text form": ("corm.count((corm.selector('people') |> corm.where(corm.gt('age', i % 30)))::text::corm.query)", 200),
    "new shapes": ("corm.count(corm.selector('people', 'x' || (random() * 1000000)::int), corm.where(corm.some('tasks', corm.eq('prio', 1))))", 40),
    "describe": ("length(corm.describe('people')::text)", 60),
    "do_tx": ("corm.do_tx('SELECT corm.count(corm.selector(''people'')); SELECT corm.do_tx(corm.tx(''nested''), ''SELECT 1'')')", 100),
    "do_tx, joined": ("corm.do_tx(corm.tx(name => 'a'), 'SELECT corm.do_tx(''SELECT corm.do_tx(''''SELECT 1'''')'')')", 100),
    "try_tx": ("(SELECT ok FROM corm.try_tx(corm.tx('nested'), 'INSERT INTO work VALUES (1, NULL)') WHERE i > 0)", 150),
    "try_tx, nested": ("(SELECT ok FROM corm.try_tx('SELECT corm.try_tx(corm.tx(''nested'', timeout => ''1 h''), ''SELECT 1/0'')') WHERE i > 0)", 80),
    "run_tx": ("CALL corm.run_tx('SELECT count(corm.get(NULL::people, corm.where(corm.eq(''id'', i % 60 + 1)))) FROM generate_series(1, 300) i')", 0),
    "cache_set": ("corm.cache_set('k' || i % 50, repeat('x', i % 3000))", 500),
    "cache_set, immediate": ("corm.cache_set('k' || i % 50, repeat('x', i % 3000), immediate => true)", 500),
    "cache_get": ("corm.cache_get('k' || i % 50)", 3000),
    "cache_incr": ("corm.cache_incr('n' || i % 5)", 2000),
    "cache_delete": ("corm.cache_delete('k' || i % 50)", 1000),
    "cache_get_many": ("(SELECT count(*) FROM corm.cache_get_many(ARRAY['k1', 'k2', 'k' || i]))", 300),
    "cache_set_many": ("corm.cache_set_many(jsonb_build_object('k' || i % 50, i, 'm' || i % 50, repeat('x', i % 3000)))", 200),
    "cache_keys": ("(SELECT count(*) FROM corm.cache_keys('%') WHERE i > 0)", 200),
    "cache_clear": ("(corm.cache_set('k' || i % 50, 'x')::text || corm.cache_clear())", 500),
    "cache_fetch": ("corm.cache_fetch('f' || i, 'SELECT count(*) FROM people', '1 ms')", 60),
    "cached": ("corm.count(corm.selector('people'), corm.where(corm.eq('age', i)), corm.cached('1 ms'))", 60),
}
LEAK = re.compile(r"leak|non-empty SPI|still active|still referenced|TRAP|PANIC|XX000|terminated by signal|missed")


class Interrupter(threading.Thread):
    """Waits for orders: (pid, function, delay)."""

    def __init__(self):
        super().__init__(daemon=True)
        self.session, self.order = Session("interrupter"), None
        self.ready, self.done = threading.Semaphore(0), threading.Semaphore(0)
        self.start()

    def run(self):
        while True:
            self.ready.acquire()
            if self.order is None:
                return
            pid, function, delay = self.order
            time.sleep(delay)
            self.session.must(f"SELECT {function}({pid})")
            self.done.release()

    def send(self, *order):
        self.order = order
        self.ready.release()

    def stop(self):
        self.order = None
        self.ready.release()
        self.join()
        self.session.close()


def prepare(session):
    session.must("SET search_path = public, corm_ops")
    session.must("SET corm.subtransaction_warning = 0")


def left_over(session, depth):
    """What is left of a call in the session; "" if nothing is.  depth: of subtransactions that are ours."""
    sqlstate, rows = session.run(
        "SELECT corm.tx_depth(), (corm.tx_stats()).open_subtransactions, "
        "(SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype IN ('advisory', 'tuple')), "
        "corm.count(corm.selector('people'), corm.where(corm.lt('id', 11))), corm.do_tx('SELECT 1 AS works')::text")
    if sqlstate:
        return f"the next call: {sqlstate} {session.message}"
    if rows[0] != ("0", str(depth), "0", "10", '[{"works": 1}]'):
        return f"afterwards {rows[0]}"
    return ""


def calm(session, block, sqlstate):
    """Out of a failed statement and of its timeout, which may meet these commands, too: PostgreSQL raises one that came
    at the very end of a command in the next."""
    for _ in range(100):
        if block and sqlstate and session.run("ROLLBACK TO s")[0]:
            continue
        sqlstate = session.run("SET statement_timeout = 0")[0] or session.run("SELECT 1")[0]
        if not sqlstate:
            return ""
    return f"no way out: {session.message}"


def statement_of(call, repeat):
    """Counted, so that the time goes by in the server; a subquery must depend on i, or it runs once."""
    return call if repeat == 0 else f"SELECT count({call}) FROM generate_series(1, {repeat}) i"


def rounds_of(session, interrupter, verb, rounds, rng):
    """Rounds until that many interrupts have met the call.  (what is wrong or "", counts of outcomes)."""
    call, repeat = VERBS[verb]
    outcomes = {"cancelled": 0, "timed out": 0, "terminated": 0, "too late": 0}
    statement = statement_of(call, repeat)
    for _ in range(8):  # plans are made in the first; then it shall take long enough to be met
        started = time.monotonic()
        sqlstate, _ = session.run(statement)
        if sqlstate:
            return f"{statement}: {sqlstate} {session.message}", outcomes
        took = time.monotonic() - started
        if repeat and not 0.002 <= took <= 0.005:
            factor = min(max(0.003 / took, 0.25), 4)
            repeat, took = max(int(repeat * factor), 1), took * factor
            statement = statement_of(call, repeat)
    round = 0
    while sum(outcomes.values()) - outcomes["too late"] < rounds:
        if round >= 5 * rounds + 20:
            return f"only {sum(outcomes.values()) - outcomes['too late']} of {round} interrupts met the call", outcomes
        round += 1
        how = rng.choices(["cancel", "timeout", "terminate"], [9, 9, 2])[0]
        block = repeat > 0 and rng.random() < 0.5
        if block:
            session.must("BEGIN")
            session.must("SAVEPOINT s")
        if how == "timeout":
            session.must(f"SET statement_timeout = {rng.randint(1, max(int(took * 1000), 1) + 1)}")
        else:
            interrupter.send(session.pid, "pg_cancel_backend" if how == "cancel" else "pg_terminate_backend", rng.uniform(0, took * 1.1))
        started = time.monotonic()
        sqlstate, _ = session.run(statement)
        spent = time.monotonic() - started
        message = getattr(session, "message", "") if sqlstate else ""
        late = sqlstate == ""
        if how != "timeout":
            interrupter.done.acquire()
            if late or how == "terminate":
                for _ in range(3):  # one that came late meets this
                    code, _ = session.run("SELECT 1")
                    if code:
                        sqlstate, message = code, session.message
        # The machine is now busy and now idle, and what writes has more and more rows: the estimate follows.
        took = 0.7 * took + 0.3 * spent if late else took * 1.02
        if late and spent < 0.0015 and repeat:
            repeat, took = repeat * 2, took * 2
            statement = statement_of(call, repeat)
        if sqlstate not in ("", LOST, "57014"):
            return f"round {round}, {how}: {statement}: {sqlstate} {message}", outcomes
        if sqlstate == LOST and how != "terminate":
            return f"round {round}, {how}: {statement}: the connection is lost: {message}", outcomes
        outcomes["too late" if late else "terminated" if sqlstate == LOST else "timed out" if how == "timeout" else "cancelled"] += 1
        if how == "terminate":
            end = time.monotonic() + 10
            while sqlstate != LOST and time.monotonic() < end:
                time.sleep(0.001)
                sqlstate, _ = session.run("SELECT 1")
            if sqlstate != LOST:
                return f"round {round}: {statement}: it is not terminated", outcomes
            session.open()
            prepare(session)
            block = False
        wrong = calm(session, block, sqlstate)
        if block:
            wrong = wrong or left_over(session, 1)
            session.must(rng.choice(["ROLLBACK", "COMMIT"]))
        wrong = wrong or left_over(session, 0)
        if not wrong and session.notices:
            wrong = f"warnings {sorted(set(session.notices))}"
        if wrong:
            return f"round {round}, {how}: {statement}: {sqlstate or 'done'}, {wrong}", outcomes
    return "", outcomes


def work(database, verbs, seed, rounds, results):
    """One of the threads: the rounds of each verb, in a database of its own."""
    try:
        session = Session("interrupted", database)
        for command in SETUP.split(";\n"):
            if command.strip():
                session.must(command)
        prepare(session)
        interrupter = Interrupter()
        for verb in verbs:
            session.notices.clear()
            results.put((verb, *rounds_of(session, interrupter, verb, rounds, random.Random(f"interrupts {seed} {verb}"))))
            session.close()  # it may have been left in any state
            session.open()
            prepare(session)
            for table in ("people", "companies", "work"):
                session.must(f"DELETE FROM {table} WHERE id >= 1000")
                session.must(f"VACUUM {table}")
        interrupter.stop()
        session.close()
    except Exception as error:  # of this program, or of the server
        results.put((f"a verb of {database}", f"{type(error).__name__}: {error}", {}))
    results.put(None)


def run(seed, rounds, databases):
    """Yields (name, what is wrong or "", detail).  The verbs are shared out among threads, one for each database."""
    log = os.environ["CORM_LOG"]
    offset = os.path.getsize(log)
    results, total, verbs = queue.SimpleQueue(), {}, list(VERBS)
    for i, database in enumerate(databases):
        threading.Thread(target=work, args=(database, verbs[i::len(databases)], seed, rounds, results), daemon=True).start()
    left = len(databases)
    while left:
        found = results.get()
        if found is None:
            left -= 1
            continue
        verb, wrong, outcomes = found
        for outcome, n in outcomes.items():
            total[outcome] = total.get(outcome, 0) + n
        yield f"interrupts in {verb}", wrong, ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items())
    with open(log, errors="replace") as file:
        file.seek(offset)
        bad = [line for line in file if LEAK.search(line)]
    yield "the log has no leaks", "".join(bad[:10]), ", ".join(f"{n} {outcome}" for outcome, n in total.items())
