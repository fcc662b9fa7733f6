"""Hardening 62: durable tasks, each of which adds one row, while processes are killed with SIGKILL: backends, workers, the launcher, and the
whole server.  The transaction that submits a task also notes that it did.  So in the end the rows must be those that were
noted, each once: no task is lost, none has done its work twice, and none is of a transaction that did not commit.

CORM_DATA is the data directory, CORM_BINDIR the programs of the server, CORM_LOG its log; this runs as the user who runs it.
"""

import os
import random
import signal
import subprocess
import threading
import time

from kill import connected
from server import LOST, Session

CLIENTS = 3
SETUP = """
CREATE TABLE noted (n bigint PRIMARY KEY);
CREATE TABLE done (n bigint NOT NULL);
SELECT corm.pool_create('killed', workers => 3, capacity => 100000, max_attempts => 20);
"""
PATIENCE = 120  # seconds for all tasks to end


class Submitting(threading.Thread):
    """Transactions that submit one to three tasks, some of them rolled back, until the connection is lost or it is told to stop"""

    def __init__(self, first, rng):
        super().__init__(daemon=True)
        self.next, self.rng = first, rng
        self.acknowledged, self.errors, self.stop = [], [], False
        self.session = Session("submitter")

    def submit(self, n):
        options = self.rng.choice(["'killed'", "'killed'", "'killed', priority => 3", "'killed', delay => '50 ms'", f"'killed', key => 'k{n % 3}'",
                                   "'killed', backoff => '10 ms'"])
        fails = "" if "backoff" not in options else "SELECT 1 / (attempt - 1) FROM corm.current_task(); "
        body = f"INSERT INTO done VALUES ($1); {fails}SELECT pg_sleep({self.rng.choice([0, 0, 0.001, 0.02])})"
        return f"INSERT INTO noted VALUES ({n}); SELECT corm.submit(corm.task({options}, durable => true), $${body}$$, {n}::bigint)"

    def run(self):
        while not self.stop:
            mine = [self.next + i for i in range(self.rng.choice([1, 1, 2, 3]))]
            self.next += len(mine)
            commands = ["BEGIN"]
            for n in mine:
                if self.rng.random() < 0.2:
                    commands += ["SAVEPOINT s", self.submit(n + 500_000), "ROLLBACK TO s"]
                commands.append(self.submit(n))
            end = "COMMIT" if self.rng.random() < 0.9 else "ROLLBACK"
            for command in commands + [end]:
                sqlstate, _ = self.session.run(command)
                if sqlstate == LOST:
                    return
                if sqlstate:
                    self.errors.append(f"{command}: {sqlstate} {self.session.message}")
                    return
            if end == "COMMIT":
                self.acknowledged += mine


def start_server():
    command = [os.path.join(os.environ["CORM_BINDIR"], "pg_ctl"), "-D", os.environ["CORM_DATA"], "-l", os.environ["CORM_LOG"], "-w"]
    for _ in range(20):  # until its processes are gone
        if subprocess.run([*command, "start"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        time.sleep(0.5)
    raise TimeoutError("the server does not start")


def kill_one(rng, look, submitters):
    """Kills one process, and returns of what kind it was"""
    kind = rng.choice(["corm worker"] * 6 + ["client"] * 2 + ["corm launcher", "server"])
    if kind == "server":
        with open(os.path.join(os.environ["CORM_DATA"], "postmaster.pid"), encoding="ascii") as file:
            os.kill(int(file.readline()), signal.SIGKILL)
        for submitter in submitters:
            submitter.join(30)
        start_server()
        return kind
    found = [] if kind == "client" else look.run(f"SELECT pid FROM pg_stat_activity WHERE backend_type = '{kind}' ORDER BY random()")[1]
    os.kill(int(found[0][0]) if found else rng.choice(submitters).session.pid, signal.SIGKILL)
    return kind if found else "client"


def compare(session, acknowledged):
    """What is wrong when all tasks have ended, or None"""
    end = time.monotonic() + PATIENCE
    while session.must("SELECT count(*) FROM corm.durable_tasks WHERE state = 'pending'") != [("0",)]:
        if time.monotonic() > end:
            return f"these tasks do not end: {session.must('SELECT id, run_at, attempt, crashes, error FROM corm.durable_tasks LIMIT 5')}"
        time.sleep(0.05)
    failed = session.must("SELECT id, attempt, crashes, sqlstate, error FROM corm.durable_tasks LIMIT 5")
    if failed:
        return f"these tasks have failed: {failed}"
    for what, query in (("lost", "SELECT n FROM noted EXCEPT ALL SELECT n FROM done LIMIT 5"),
                        ("done twice, or of nobody", "SELECT n FROM done EXCEPT ALL SELECT n FROM noted LIMIT 5"),
                        ("problems", "SELECT * FROM corm.work_check()")):
        rows = session.must(query)
        if rows:
            return f"{what}: {rows}"
    noted = {int(n) for n, in session.must("SELECT n FROM noted")}
    missing = acknowledged - noted
    return f"acknowledged, and not there: {sorted(missing)[:5]}" if missing else None


def run(seed, budget, cycles):
    rng = random.Random(f"durable {seed}")
    setup = Session("durable setup")
    setup.must(SETUP)
    setup.close()
    acknowledged, killed, wrong, first, cycle = set(), {}, None, 1, 0
    while cycle < cycles and not wrong and budget.left(cycle):
        cycle += 1
        submitters = [Submitting(first + n * 1_000_000, random.Random(f"{seed} {cycle} {n}")) for n in range(CLIENTS)]
        first += CLIENTS * 1_000_000
        look = Session("durable look")
        for submitter in submitters:
            submitter.start()
        time.sleep(rng.uniform(0.05, 0.4))
        kind = kill_one(rng, look, submitters)
        killed[kind] = killed.get(kind, 0) + 1
        for submitter in submitters:
            submitter.stop = True
            submitter.join(30)
            wrong = wrong or "".join(submitter.errors[:1]) or ("a submitter hangs" if submitter.is_alive() else None)
            acknowledged.update(submitter.acknowledged)
            submitter.session.close()
        look.close()
        while not wrong:
            session = connected("durable check", 60)
            try:
                wrong = compare(session, acknowledged) if cycle % 10 == 0 or cycle == cycles else None
                twice = session.must("SELECT n FROM done GROUP BY n HAVING count(*) > 1 LIMIT 5")
                wrong = wrong or (f"cycle {cycle}: done twice: {twice}" if twice else None)
                break
            except RuntimeError as error:
                # the server may have noticed only now that a process was killed
                if not str(error).startswith((LOST, "57P01", "57P02", "57P03")):
                    raise
            finally:
                session.close()
    if not wrong and not acknowledged:
        wrong = "nothing was submitted"
    return len(acknowledged), wrong, f"{cycle} cycles; killed: " + ", ".join(f"{n} {kind}" for kind, n in sorted(killed.items()))
