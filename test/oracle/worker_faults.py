"""Cancels and terminations of workers, and of those who call them or wait for their tasks, at every fault point of either.

One side is stopped at a point; one side is cancelled or terminated there, while the point is left. What an error says of the
outcome must be true, nothing stays locked, the shared memory is sound, and the next call works.
"""

import os
import random
import re
import threading
import time

from server import LOST, Session

LOCK = 99
PATIENCE = 60
SETUP = ("CREATE EXTENSION IF NOT EXISTS corm_test", "CREATE TABLE added (n bigint NOT NULL)",
         "ALTER SYSTEM SET corm.worker_max_jobs = 0", "SELECT pg_reload_conf()")
CALLER_POINTS = ("work-claimed", "work-submit", "work-submitted", "work-wait-lock", "work-answered")
# the job that sets a point passes the later ones itself
WORKER_POINTS = {"work-receive": 1, "work-job-start": 1, "work-job-body-done": 2, "work-job-ended": 2, "work-answer": 2}
TASK_POINTS = {"work-job-start": 1, "work-job-body-done": 2, "work-job-ended": 2}
COMBINATIONS = (
    [("call", point, 0, verb, "caller") for point in CALLER_POINTS for verb in ("cancel", "terminate")]
    + [("call", point, place, verb, whom) for point, place in WORKER_POINTS.items() for verb in ("cancel", "terminate") for whom in ("caller", "worker")]
    + [("task", point, place, verb, whom) for point, place in TASK_POINTS.items() for verb in ("cancel", "terminate") for whom in ("caller", "worker")])


class Wrong(Exception):
    pass


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Wrong(f"this does not come true: {what}")
        time.sleep(0.001)


class Faults:
    def __init__(self, rng):
        self.rng = rng
        self.control, self.locker = Session("control"), Session("locker")
        self.caller = Session("caller")
        self.n = 0
        self.told = {}  # what callers were told
        self.missed = 0
        self.over = False

    def value(self, sql):
        return self.control.must(sql)[0][0]

    def stopped(self, pid):
        return self.value(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid = {pid}") == "1"

    def arm(self, kind, point, place):
        """Has the next call, or task, stop at a point. Returns the process that will"""
        if place == 0:
            self.caller.must("SELECT corm.autonomous('SELECT 1')")
            self.caller.must(f"SELECT corm_test.wait_at('{point}', {LOCK})")
            return self.caller.pid
        body = f"SELECT corm_test.meet_at(''{point}'', {place}, {LOCK}), pg_backend_pid() AS pid"
        if kind == "call":
            answer = self.caller.must(f"SELECT corm.autonomous('{body}') -> 0 ->> 'pid'")
        else:
            answer = self.caller.must(f"SELECT corm.task_value(corm.submit(corm.task(immediate => true), '{body}')) -> 0 ->> 'pid'")
        # the next one must come to the same worker
        wait_for(lambda: self.value(f"SELECT count(*) FROM corm.workers WHERE pid = {answer[0][0]} AND state = 'idle'") == "1", "the worker is idle")
        others = "SELECT pg_terminate_backend(pid) FROM corm.workers WHERE pid IS NOT NULL AND pid <> " + answer[0][0]
        if kind == "task" and self.control.must(others):
            wait_for(lambda: self.value("SELECT count(*) FROM corm.workers") == "1", "there is one worker")
        return int(answer[0][0])

    def watch(self):
        """A statement that hangs cannot be waited for"""
        seen = -1
        while seen != self.n and not self.over:
            seen = self.n
            time.sleep(4 * PATIENCE)
        if self.over:
            return
        print(f"not ok - attempt {self.n} hangs", flush=True)
        os._exit(1)

    def attempt(self, kind, point, place, verb, whom):
        self.n += 1
        self.locker.must(f"SELECT pg_advisory_lock({LOCK})")
        pid = self.arm(kind, point, place)
        slow = "SELECT pg_sleep(0.05); " if point == "work-wait-lock" else ""
        body = f"{slow}INSERT INTO added VALUES ({self.n})"
        sql = (f"SELECT corm.autonomous('{body}')" if kind == "call" else
               f"SELECT corm.task_value(corm.submit(corm.task(immediate => true, name => 't{self.n}'), '{body}'))")
        told = []
        thread = threading.Thread(target=lambda: told.append(self.caller.run(sql)[0]), daemon=True)
        thread.start()
        wait_for(lambda: told or self.stopped(pid), "it waits at the point")
        if told:  # the call has got another worker
            self.missed += 1
            self.locker.must(f"SELECT pg_advisory_unlock({LOCK})")
            # nor may the next one stop there
            self.control.must(f"SELECT pg_terminate_backend({pid})")
            wait_for(lambda: self.value(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}") == "0", "the process ends")
            if pid == self.caller.pid:
                self.caller.close()
                self.caller.open()
            self.settled(kind, pid)
            return
        target = self.caller.pid if whom == "caller" else pid
        self.control.must(f"SELECT pg_{verb}_backend({target})")
        time.sleep(self.rng.choice([0, 0, 0.0005, 0.003, 0.02]))
        self.locker.must(f"SELECT pg_advisory_unlock({LOCK})")
        thread.join(PATIENCE)
        if not told:
            raise Wrong("the caller hangs")
        sqlstate, message = told[0], getattr(self.caller, "message", "") if told[0] else ""
        self.told[sqlstate] = self.told.get(sqlstate, 0) + 1
        if sqlstate in (LOST, "57P01"):
            self.caller.close()
            self.caller.open()
        self.settled(kind, pid)
        self.judge(kind, whom, verb, sqlstate, message)

    def settled(self, kind, pid):
        """Waits until nothing of the attempt runs"""
        wait_for(lambda: self.value("SELECT count(*) FROM corm.workers WHERE state NOT IN ('idle')") == "0", "all workers are idle")
        if kind == "task":
            wait_for(lambda: self.value("SELECT count(*) FROM corm.tasks WHERE state IN ('waiting', 'running', 'uncommitted')") == "0", "all tasks have ended")

    def judge(self, kind, whom, verb, sqlstate, message):
        there = int(self.value(f"SELECT count(*) FROM added WHERE n = {self.n}"))
        state = self.control.must(f"SELECT state FROM corm.tasks WHERE name = 't{self.n}'") if kind == "task" else []
        if there > 1:
            raise Wrong(f"{there} rows")
        if not sqlstate and there != 1:
            raise Wrong("the caller is told that it has committed, and it has not")
        if sqlstate not in ("", LOST, "57P01", "57014", "OR031", "40003"):
            raise Wrong(f"the caller is told {sqlstate} {message}")
        if state and (state[0][0] == "succeeded") != (there == 1):
            raise Wrong(f"the task has {state[0][0]}, and there are {there} rows")
        if kind == "call" and sqlstate and not re.search("may have committed|has not ended", message) and sqlstate not in (LOST, "57P01", "40003"):
            if (there == 1) != ("has committed" in message):
                raise Wrong(f"there are {there} rows: {sqlstate} {message}")
        if sqlstate and whom == "worker" and verb == "cancel" and kind == "call" and sqlstate != "57014":
            raise Wrong(f"a cancelled worker is told as {sqlstate} {message}")

    def sound(self):
        for what, sql in (("work_check()", "SELECT * FROM corm.work_check()"),
                          ("locks", "SELECT locktype, mode FROM pg_locks JOIN corm.workers USING (pid)")):
            rows = self.control.must(sql)
            if rows:
                raise Wrong(f"{what}: {rows}")
        if self.missed > 5 + self.n // 100:
            raise Wrong(f"{self.missed} attempts have missed their point")
        if self.value("SELECT corm.autonomous('SELECT 1 AS one')") != '[{"one": 1}]':
            raise Wrong("the next call gives another answer")


def run(seed, budget, rounds):
    """rounds attempts of each combination.  Returns the number of attempts, what is wrong, and what was told."""
    setup = Session("setup")
    for command in SETUP:
        setup.must(command)
    setup.close()
    faults = Faults(random.Random(f"workers {seed}"))
    steps = 0
    threading.Thread(target=faults.watch, daemon=True).start()
    try:
        for _ in range(rounds):
            for combination in COMBINATIONS:
                if not budget.left(steps):
                    break
                last = combination
                faults.attempt(*combination)
                steps += 1
            faults.sound()
    except (Wrong, RuntimeError, ConnectionError) as problem:
        faults.over = True
        kind, point, _, verb, whom = last
        return steps, f"{kind}, the {'caller' if point in CALLER_POINTS else 'worker'} at {point}, {verb} {whom}, attempt {steps}: {problem}", str(faults.told)
    faults.over = True
    return steps, None, f"{len(COMBINATIONS)} combinations; told: " + ", ".join(f"{sqlstate or 'success'} {n}" for sqlstate, n in sorted(faults.told.items()))
