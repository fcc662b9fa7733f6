"""Durable topics while backends, workers and the whole server are killed with SIGKILL.  After each restart

- every message whose publication was acknowledged is there, for every group; nothing that nobody published;
- a message that was settled, and whose settlement was acknowledged, does not come again; what was in hand does;
- numbers have no gaps, a number stays with its message, and shared memory is sound.

Publishers publish one message, several in a transaction, many at once, and in a transaction of their own; receivers settle by
commit and by hand, in a group that is ordered by key, too, and roll back now and then.  Tables are rotated meanwhile.
"""

import glob
import os
import random
import signal
import subprocess
import threading
import time

from kill import connected
from server import LOST, Session

SETUP = """
SELECT corm.topic_create('killed', durable => true, capacity => 1000000);
SELECT corm.subscribe('killed', 'plain'), corm.subscribe('killed', 'keys', ordered => true), corm.subscribe('killed', 'manual', ack => 'manual');
"""
GROUPS = ("plain", "keys", "manual")


class Lost(Exception):
    """The connection is gone: what was asked last may have been done or not."""


class World:
    def __init__(self):
        self.lock = threading.Lock()
        self.published, self.unknown = set(), set()   # payloads: acknowledged, and of publishers that were killed
        self.settled = {group: set() for group in GROUPS}   # acknowledged
        self.maybe = {group: set() for group in GROUPS}     # settled or not
        self.numbers, self.errors = {}, []
        self.again = 0

    def complain(self, text):
        with self.lock:
            self.errors.append(text)

    def met(self, group, rows):
        """Messages that a group was given: (seq, payload, attempt) each."""
        with self.lock:
            for seq, payload in rows:
                if self.numbers.setdefault(seq, payload) != payload:
                    self.errors.append(f"number {seq} is {payload}, and was {self.numbers[seq]}")
                if payload in self.settled[group]:
                    self.errors.append(f"{group}: {payload} comes again, after it was settled")
                self.again += payload in self.maybe[group]


class Client(threading.Thread):
    def __init__(self, world, name, rng, first):
        super().__init__(daemon=True)
        self.world, self.rng, self.number, self.name = world, rng, first, name
        self.session = Session(name)

    def sql(self, text):
        sqlstate, rows = self.session.run(text)
        if sqlstate == LOST:
            raise Lost
        if sqlstate:
            # the server is going down, or a worker was killed
            if sqlstate not in ("57P01", "57P02", "57P03", "OR030", "OR031", "53000"):
                self.world.complain(f"{self.name}: {text}: {sqlstate} {self.session.message}")
            raise Lost
        return rows

    def run(self):
        try:
            while True:
                self.step()
        except Lost:
            self.session.close()


class Publisher(Client):
    def payloads(self, n):
        self.number += n
        return [f"{self.name} {i}" for i in range(self.number - n, self.number)]

    def step(self):
        way = self.rng.choice(["one", "one", "transaction", "many", "immediate", "rollback"])
        texts = self.payloads(1 if way in ("one", "immediate") else self.rng.randint(2, 6))
        single = [f"SELECT corm.publish('killed', '{text}'::text, key => '{self.rng.choice('abc')}')" for text in texts]
        if way == "many":
            statements = [f"SELECT corm.publish_many('killed', ARRAY[{', '.join(repr(t) for t in texts)}])"]
        elif way == "immediate":
            statements = [single[0].replace(")", ", immediate => true)")]
        elif way == "one":
            statements = single
        else:
            statements = ["BEGIN", *single, "ROLLBACK" if way == "rollback" else "COMMIT"]
        if way == "rollback":
            for statement in statements:
                self.sql(statement)
            return
        with self.world.lock:
            self.world.unknown.update(texts)
        for statement in statements:
            self.sql(statement)
        with self.world.lock:
            self.world.unknown.difference_update(texts)
            self.world.published.update(texts)


class Receiver(Client):
    def __init__(self, world, name, rng, group):
        super().__init__(world, name, rng, 0)
        self.group = group

    def take(self, n):
        rows = [(int(seq), payload) for seq, payload in self.sql(f"SELECT seq, payload FROM corm.receive('killed', '{self.group}', {n}, '20 ms')")]
        self.world.met(self.group, rows)
        return rows

    def settle(self, rows, statement):
        world, texts = self.world, [payload for _, payload in rows]
        with world.lock:
            world.maybe[self.group].update(texts)
        self.sql(statement)
        with world.lock:
            world.maybe[self.group].difference_update(texts)
            world.settled[self.group].update(texts)

    def step(self):
        n = self.rng.choice([1, 2, 5, 50])
        if self.group == "manual":
            rows = self.take(n)
            chosen = [row for row in rows if self.rng.random() < 0.9]
            if chosen:
                self.settle(chosen, f"SELECT corm.ack('killed', 'manual', {', '.join(str(seq) for seq, _ in chosen)})")
            for seq, _ in rows:
                if (seq, _) not in chosen:
                    self.sql(f"SELECT corm.nack('killed', 'manual', {seq})")
            return
        self.sql("BEGIN")
        rows = self.take(n)
        if self.rng.random() < 0.15:
            self.sql("ROLLBACK")
        else:
            self.settle(rows, "COMMIT")


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes_in(directory):
    """Those that have it as their working directory, as all processes of a server have its data directory."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cwd"):
        try:
            if os.readlink(path) == directory:
                found.append(int(path.split("/")[2]))
        except OSError:
            pass
    return [pid for pid in found if lives(pid)]


def kill_server(data, bindir, log):
    """Kills all processes of the server, the postmaster first, and starts it."""
    with open(f"{data}/postmaster.pid") as file:
        doomed = [int(file.readline())]
    while doomed:
        for pid in doomed:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)
        doomed = processes_in(data)
    # one that nobody has waited for seems to be there still, to the next server
    for lock in (f"{data}/postmaster.pid", f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ['PGPORT']}.lock"):
        os.unlink(lock)
    started = subprocess.run([f"{bindir}/pg_ctl", "-D", data, "-l", log, "-w", "-t", "120", "start"], capture_output=True, text=True)
    if started.returncode != 0:
        with open(log) as file:
            raise TimeoutError(started.stderr + "".join(file.readlines()[-10:]))


def run(seed, cycles):
    """Returns (cycles, what is wrong or "", detail)."""
    data, rng, world, killed = os.environ["CORM_DATA"], random.Random(f"messages {seed}"), World(), {}
    for cycle in range(cycles):
        clients = [Publisher(world, f"p{cycle}.{n}", random.Random(f"{seed} {cycle} p{n}"), 0) for n in range(2)]
        clients += [Receiver(world, f"r{cycle}.{group}{n}", random.Random(f"{seed} {cycle} {group}{n}"), group)
                    for group in GROUPS for n in range(2 if group == "plain" else 1)]
        for client in clients:
            client.start()
        time.sleep(rng.uniform(0, 0.4))
        if cycle % 5 == 4:
            look = Session("rotate")
            look.run("SELECT corm.topic_rotate()")
            look.close()
        kind = rng.choice(["server"] * 4 + ["client"] * 3 + ["corm worker"])
        if kind == "server":
            kill_server(data, os.environ["CORM_BINDIR"], os.environ["CORM_LOG"])
        else:
            look = Session("look")
            found = look.run("SELECT pid FROM pg_stat_activity WHERE backend_type = 'corm worker'")[1] if kind == "corm worker" else []
            look.close()
            kind = "corm worker" if found else "client"
            os.kill(int(found[0][0]) if found else rng.choice(clients).session.pid, signal.SIGKILL)
        killed[kind] = killed.get(kind, 0) + 1
        for client in clients:
            client.join(60)
            if client.is_alive():
                world.complain(f"cycle {cycle}: {client.name} hangs")
        session = connected("check")
        problems = session.must("SELECT * FROM corm.work_check()")
        if problems:
            world.complain(f"cycle {cycle}: work_check: {problems}")
        for group, lag, last in session.must("SELECT grp, lag, published FROM corm.groups g JOIN corm.topics t ON t.name = g.topic"):
            # of what is not known, some has been published, and some settled
            low = int(last) - len(world.settled[group]) - len(world.maybe[group])
            if not low <= int(lag) <= int(last) - len(world.settled[group]):
                world.complain(f"cycle {cycle}: {group} has {lag} of {last} to settle; {len(world.settled[group])} were, {len(world.maybe[group])} may have been")
        session.close()
        if world.errors:
            break
    session = Session("drain")
    if not world.errors:
        last = int(session.must("SELECT published FROM corm.topics")[0][0])
        for group in GROUPS:
            rows = []
            while True:
                some = [(int(seq), payload) for seq, payload in session.must(f"SELECT seq, payload FROM corm.receive('killed', '{group}', 1000)")]
                if not some:
                    break
                rows += some
                if group == "manual":
                    session.must(f"SELECT corm.ack('killed', 'manual', VARIADIC ARRAY[{', '.join(str(seq) for seq, _ in some)}])")
            world.met(group, rows)
            came = [payload for _, payload in rows]
            if len(set(came)) < len(came):
                world.complain(f"{group}: a message comes twice")
            known = set(came) | world.settled[group] | world.maybe[group]
            if world.published - known:
                world.complain(f"{group}: {len(world.published - known)} acknowledged messages are lost, such as {min(world.published - known)}")
            if known - world.published - world.unknown:
                world.complain(f"{group}: messages that nobody published: {sorted(known - world.published - world.unknown)[:3]}")
        if sorted(world.numbers) != list(range(1, last + 1)):
            world.complain(f"{last} messages have {len(world.numbers)} numbers")
    session.close()
    if not world.published or not all(world.settled.values()):
        world.complain("nothing was published, or nothing settled")
    return (cycles, "\n".join(world.errors[:10]),
            f"{len(world.published)} messages acknowledged, {len(world.unknown)} unknown; settled: " + ", ".join(f"{g} {len(s)}" for g, s in world.settled.items())
            + "; killed: " + ", ".join(f"{name} {n}" for name, n in sorted(killed.items())))
