"""The queue of tasks and wait groups against a plain model: random programs of four sessions with transactions, savepoints,
cancels, retries, replacements, keys, kills, closed pools, and time, which a test clock moves, often to the very moment at which
something is due.  Every few steps, and after each that is rare, all tasks and counts must be those of the model; what a step answers
must be what the model says at once.

All times are in microseconds.

The pool is paused, so that no worker takes tasks; the program does.  Nothing in it waits: what would is left out.  The server
must have the extension corm_test.
"""

import os
import random
import threading
import time

from server import LOST
from waiting import DATABASE, Session, drop_database, make_database, until

CAPACITY = 12
HANGS = 60  # seconds without an answer
SECOND = 1000000
TTL = 300 * SECOND
COMPARE = 3  # steps
CHECK = 20  # comparisons
ENDED = ("succeeded", "failed", "cancelled")


class Task:
    def __init__(self, number, **options):
        self.id = number
        self.state = "uncommitted"
        self.attempt = 0
        self.active = self.cancelled = False
        self.holds = 0  # by transactions that are going to change it
        self.order = 0  # in which it became ready
        self.__dict__.update(options)


class Model:
    """What should be.  Effects of a transaction are kept in order, with the savepoint they come after."""

    def __init__(self):
        self.tasks = {}
        self.now = 0
        self.sequence = 0
        self.parked = {}
        self.closed = False
        self.units = 0   # of the wait group, by users
        self.pending = [[] for _ in range(4)]   # (what, value); ("savepoint", name)

    def own_units(self, session):
        return sum(value for what, value in self.pending[session] if what == "unit")

    def taken(self):
        """units that transactions are going to take from those that are committed"""
        return sum(max(0, -lowest(effects)) for effects in self.pending)

    def room(self):
        used = sum(task.state in ("waiting", "scheduled", "uncommitted") for task in self.tasks.values())
        return CAPACITY - used

    def group_count(self):
        return self.units + sum(task.grouped and task.state not in ENDED and task.state != "uncommitted" for task in self.tasks.values())

    def unique(self, key):
        for task in self.tasks.values():
            if key and task.unique == key and task.state not in ENDED:
                return task
        return None

    def ready(self, task):
        task.state = "waiting"
        if task.holds == 0:
            self.place(task)

    def place(self, task):
        self.sequence += 1
        task.order = self.sequence
        if task.key and not task.active:
            self.parked.setdefault(task.key, []).append(task)
            self.admit(task.key)

    def admit(self, key):
        parked = self.parked.get(key, [])
        while parked and sum(task.active for task in self.tasks.values() if task.key == key) < parked[0].limit:
            task = parked.pop(0)
            task.active = True
            self.sequence += 1
            task.order = self.sequence

    def unpark(self, task):
        if task.key and task in self.parked.get(task.key, []):
            self.parked[task.key].remove(task)
            self.admit(task.key)

    def hold(self, task):
        task.holds += 1
        self.unpark(task)

    def release(self, task):
        task.holds -= 1
        if task.holds == 0 and task.state == "waiting":
            self.place(task)
        elif task.holds == 0 and task.state in ("scheduled", "retrying") and task.due <= self.now:
            self.ready(task)

    def change(self, task, due, content):
        """what a committed replacement does"""
        if task.state in ENDED:
            task.holds -= 1
            return
        task.__dict__.update(content)
        task.due = due
        if task.state != "uncommitted" and due <= self.now:
            task.state = "waiting"
        elif task.state not in ("uncommitted", "retrying"):
            task.state = "scheduled"
        self.release(task)

    def close(self):
        for task in list(self.tasks.values()):
            if task.state in ("uncommitted", "running"):
                task.cancelled = True
            elif task.state not in ENDED:
                self.end(task, "cancelled")

    def enter(self, task):
        if task.cancelled or self.closed:
            self.end(task, "cancelled")
        elif task.due > self.now:
            task.state = "scheduled"
        else:
            self.ready(task)

    def end(self, task, state):
        self.unpark(task)
        task.state = state
        task.forget = self.now + TTL
        task.grouped = False
        task.active = False
        if task.key:
            self.admit(task.key)

    def promote(self):
        due = [(task.forget if task.state in ENDED else task.due, task.id, task) for task in self.tasks.values()
               if task.state in ENDED or (task.state in ("scheduled", "retrying") and task.holds == 0)]
        for when, _, task in sorted(due, key=lambda entry: entry[:2]):
            if when > self.now:
                continue
            if task.state in ENDED:
                del self.tasks[task.id]
            else:
                self.ready(task)

    def claim(self):
        self.promote()
        waiting = [task for task in self.tasks.values() if task.state == "waiting" and task.holds == 0 and (not task.key or task.active)]
        if not waiting:
            return None
        task = min(waiting, key=lambda task: (-task.priority, task.order))
        task.state = "running"
        task.attempt += 1
        return task

    def discard(self, session, effects):
        for what, value in effects:
            if what == "task":
                del self.tasks[value.id]
        # newest first
        for what, value in reversed(effects):
            if what == "change" and value[0].id in self.tasks:
                if value[0].state in ENDED:
                    value[0].holds -= 1
                else:
                    self.release(value[0])

    def commit(self, effects):
        for what, value in effects:
            if what == "task":
                self.enter(value)
            elif what == "change" and self.tasks.get(value[0].id) is value[0]:
                self.change(*value)
            elif what == "unit":
                self.units += value


def lowest(effects):
    """how far below zero a transaction's own units fall at the lowest"""
    total = low = 0
    for what, value in effects:
        if what == "unit":
            total += value
            low = min(low, total)
    return low


def can_connect():
    try:
        Session("admin").close()
        return True
    except ConnectionError:
        return False


class Program:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seed = seed
        self.model = Model()
        self.control = make_database("corm", "corm_test")
        self.sessions = [Session(f"s{n}", DATABASE) for n in range(4)]
        self.open = [False] * 4
        self.log = []
        self.counts = {}
        self.compared = self.steps = 0
        self.control.must("SELECT corm_test.clock_freeze()")
        self.control.must("PREPARE compare AS SELECT (SELECT string_agg(concat_ws(' ', id, state, attempt), ',') FROM corm.tasks WHERE pool = 'm'), "
                          "waiting + scheduled, retrying, running, reserved, (corm.wg_count('mg')).count FROM corm.pools WHERE name = 'm'")
        self.control.must(f"SELECT corm.pool_create('m', capacity => {CAPACITY}, result_ttl => '{TTL} microseconds'), corm.pool_pause('m'), corm.wg_create('mg')")

    def fail(self, what):
        tail = "\n".join(self.log[-15:])
        raise AssertionError(f"seed {self.seed}, step {len(self.log)}: {what}\n{tail}")

    def run(self, session, sql, expected=""):
        """Run a statement that must give this SQLSTATE"""
        self.log.append(f"{session.name}: {sql}")
        state, rows = session.run(sql)
        if state != expected:
            self.fail(f"SQLSTATE {state!r} instead of {expected!r}: {getattr(session, 'message', '')}")
        return rows

    def submit(self, n):
        model, choose = self.model, self.random
        key = choose.choice([None, None, "a", "b"])
        unique = choose.choice([None, None, "u", "v", "w"])
        duplicate = choose.choice(["error", "ignore", "replace", "reschedule"]) if unique else "error"
        options = {"priority": choose.choice([0, 0, 5, -3, choose.randint(-9, 9)]), "key": key, "limit": choose.choice([1, 1, 2]) if key else 1,
                   "unique": unique, "max": choose.choice([1, 1, 2, 3]), "delay": choose.choice([0, 0, 0, 30, 200]),
                   "grouped": choose.random() < 0.3}
        immediate = choose.random() < 0.2 and duplicate in ("error", "ignore")
        first = model.unique(unique)
        if first and not model.closed and first.session != n and (first.state == "uncommitted" or first.holds > 0):
            return      # would wait
        own = self.open[n] and not immediate
        words = [f"'m', priority => {options['priority']}, max_attempts => {options['max']}, backoff => '10 s', wait => '0'",
                 f"immediate => {str(immediate).lower()}"]
        if key:
            words.append(f"key => '{key}', key_limit => {options['limit']}")
        if unique:
            words.append(f"unique_key => '{unique}', on_duplicate => '{duplicate}'")
        if options["delay"]:
            words.append(f"delay => '{options['delay']} s'")
        if options["grouped"]:
            words.append("wait_group => 'mg'")
        sql = f"SELECT corm.submit(corm.task({', '.join(words)}), 'SELECT 1')"
        guard = self.open[n]
        changes = first and duplicate in ("replace", "reschedule") and first.state != "running"
        if model.closed:
            self.guarded(n, sql, "55000")
        elif first and duplicate != "ignore" and not changes:
            self.guarded(n, sql, "42710")
        elif changes and duplicate == "replace" and first.key != key:
            self.guarded(n, sql, "OR006")
        elif changes and first.holds == 250:
            return
        elif not first and model.room() <= 0:
            self.guarded(n, sql, "53400")
        else:
            number = int(self.run(self.sessions[n], sql)[0][0])
            if first:
                if number != first.id:
                    self.fail(f"task {number} instead of {first.id}")
                if changes:
                    model.hold(first)
                    first.session = n
                    content = {"priority": options["priority"], "max": options["max"]} if duplicate == "replace" else {}
                    effect = ("change", (first, model.now + options["delay"] * SECOND if options["delay"] else 0, content))
                    model.pending[n].append(effect)
                    if not self.open[n]:
                        model.commit(model.pending[n])
                        model.pending[n] = []
                return
            task = Task(number, session=n, due=model.now + options["delay"] * SECOND if options["delay"] else 0, **options)
            model.tasks[number] = task
            if own:
                model.pending[n].append(("task", task))
            else:
                model.enter(task)
        assert guard == self.open[n]

    def guarded(self, n, sql, expected):
        """A statement that fails, without the transaction failing"""
        session = self.sessions[n]
        if self.open[n]:
            self.run(session, "SAVEPOINT guard")
            self.run(session, sql, expected)
            self.run(session, "ROLLBACK TO guard")
        else:
            self.run(session, sql, expected)

    def transaction(self, n):
        model, session, choose = self.model, self.sessions[n], self.random
        pending = model.pending[n]
        if not self.open[n]:
            self.run(session, "BEGIN")
            self.open[n] = True
            return
        what = choose.choice(["commit", "commit", "rollback", "savepoint", "savepoint", "undo", "release"])
        places = [place for place, effect in enumerate(pending) if effect[0] == "savepoint"]
        if what == "savepoint":
            name = f"s{len(self.log)}"
            self.run(session, f"SAVEPOINT {name}")
            pending.append(("savepoint", name))
        elif what == "undo" and places:
            place = choose.choice(places)
            self.run(session, f"ROLLBACK TO {pending[place][1]}")
            model.discard(n, pending[place + 1:])
            del pending[place + 1:]
        elif what == "release" and places:
            place = choose.choice(places)
            self.run(session, f"RELEASE {pending[place][1]}")
            pending[place:] = [effect for effect in pending[place:] if effect[0] != "savepoint"]
        elif what == "rollback":
            self.run(session, "ROLLBACK")
            model.discard(n, pending)
            model.pending[n] = []
            self.open[n] = False
        elif what == "commit":
            self.run(session, "COMMIT")
            model.pending[n] = []
            self.open[n] = False
            model.commit(pending)

    def group(self, n):
        model = self.model
        delta = self.random.choice([1, 1, 2, -1, -1, -3])
        immediate = self.random.random() < 0.2
        own = 0
        if self.open[n] and not immediate:
            own = model.own_units(n) - lowest(model.pending[n])
        enough = delta > 0 or -delta - own <= model.units - model.taken()
        sql = f"SELECT corm.wg_add('mg', {delta}, immediate => {str(immediate).lower()})"
        if not enough:
            self.guarded(n, sql, "22023")
            return
        self.run(self.sessions[n], sql)
        if self.open[n] and not immediate:
            model.pending[n].append(("unit", delta))
        else:
            model.units += delta

    def change(self, n):
        """cancel, retry or forget some task"""
        model = self.model
        visible = [task for task in model.tasks.values() if task.state != "uncommitted" or task.session == n]
        if not visible:
            return
        task = self.random.choice(visible)
        what = self.random.choice(["cancel", "cancel", "retry", "forget"])
        if what == "cancel":
            answer = task.state not in ENDED
            if task.state in ("uncommitted", "running"):
                task.cancelled = True
            elif answer:
                model.end(task, "cancelled")
        elif what == "retry":
            answer = task.state in ("failed", "cancelled")
            if answer and model.closed:
                self.guarded(n, f"SELECT corm.task_retry({task.id})", "55000")
                return
            if answer and model.unique(task.unique):
                self.guarded(n, f"SELECT corm.task_retry({task.id})", "42710")
                return
            if answer:
                task.attempt = 0
                task.cancelled = False
                model.ready(task)
        else:
            answer = task.state in ENDED and task.holds == 0
            if answer:
                del model.tasks[task.id]
        got = self.run(self.sessions[n], f"SELECT corm.task_{what}({task.id})")[0][0]
        if got != ("t" if answer else "f"):
            self.fail(f"{what} of a {task.state} task says {got}")

    def work(self):
        model = self.model
        running = [task for task in model.tasks.values() if task.state == "running"]
        if running and self.random.random() < 0.6:
            task = self.random.choice(running)
            good = self.random.random() < 0.5
            self.run(self.control, f"SELECT corm_test.settle_task({task.id}, {str(good).lower()})")
            if good:
                model.end(task, "succeeded")
            elif task.cancelled:
                model.end(task, "cancelled")
            elif task.attempt < task.max and not model.closed:
                task.state = "retrying"
                wait = int(self.run(self.control, f"SELECT (extract(epoch FROM run_at - finished) * {SECOND})::bigint "
                                    f"FROM (SELECT (corm.task_info({task.id})).run_at, '2020-01-01'::timestamptz AS finished) x")[0][0]) - model.now
                if not 7.5 * SECOND * 2 ** (task.attempt - 1) <= wait <= 12.5 * SECOND * 2 ** (task.attempt - 1):
                    self.fail(f"tries again after {wait} us")
                task.due = model.now + wait
            else:
                model.end(task, "failed")
        else:
            number = int(self.run(self.control, "SELECT corm_test.claim_task('m')")[0][0])
            task = model.claim()
            if number != (task.id if task else 0):
                self.fail(f"task {number} starts instead of {task.id if task else 0}")

    def kill(self, n):
        """The process of a session ends in the middle of what it does"""
        session = self.sessions[n]
        self.log.append(f"{session.name}: killed")
        self.control.must(f"SELECT pg_terminate_backend({session.pid})")
        if not until(lambda: self.control.must(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {session.pid}") == [("0",)]):
            self.fail("it does not end")
        if session.run("SELECT 1")[0] not in (LOST, "57P01"):
            self.fail("the session is still there")
        session.close()
        session.open()
        self.model.discard(n, self.model.pending[n])
        self.model.pending[n] = []
        self.open[n] = False

    def close_or_open(self):
        model = self.model
        if model.closed:
            self.run(self.control, "SELECT corm.pool_open('m')")
            model.closed = False
        else:
            self.run(self.control, "SELECT corm.pool_close('m', drain => false, timeout => '0')")
            model.closed = True
            model.close()

    def time(self):
        model = self.model
        moments = sorted({when for task in model.tasks.values() if (when := task.forget if task.state in ENDED else task.due) > model.now})
        by = self.random.choice([1, 7, 40, 120]) * SECOND
        if moments and self.random.random() < 0.5:
            # to one of the next moments, or just before it
            by = max(self.random.choice(moments[:3]) - model.now - self.random.randrange(2), 1)
        self.run(self.control, f"SELECT corm_test.clock_advance('{by} microseconds')")
        model.now += by

    def compare(self):
        model = self.model
        model.promote()
        # a claim, of a pool that has no task too, does at once what is due; so does the launcher, at some time
        listed, *counted, count = self.control.must(
            "SELECT corm_test.claim_task('none'); EXECUTE compare")[0]
        got = {int(number): (state, int(attempt)) for number, state, attempt in map(str.split, listed.split(",") if listed else [])}
        expected = {task.id: (task.state, task.attempt) for task in model.tasks.values() if task.state != "uncommitted"}
        if got != expected:
            self.fail(f"tasks are {sorted(set(got.items()) - set(expected.items()))}, expected {sorted(set(expected.items()) - set(got.items()))}")
        states = [task.state for task in model.tasks.values()]
        wanted = (sum(state in ("waiting", "scheduled") for state in states), states.count("retrying"), states.count("running"), states.count("uncommitted"))
        if tuple(map(int, counted)) != wanted:
            self.fail(f"the pool counts {counted}, expected {wanted}")
        count = int(count)
        if count != model.group_count():
            self.fail(f"the wait group counts {count}, expected {model.group_count()}")
        self.compared += 1
        if self.compared % CHECK == 0:
            problems = self.control.must("SELECT * FROM corm.work_check()")
            if problems:
                self.fail(f"work_check: {problems}")
        for state in states:
            self.counts[state] = self.counts.get(state, 0) + 1

    def step(self):
        kinds = [self.transaction, self.transaction, self.submit, self.submit, self.submit, self.group, self.change]
        kind = self.random.randrange(len(kinds) + 4)
        rare = self.random.random()
        self.steps += 1
        compare = self.steps % COMPARE == 0 or rare > 0.995
        if rare < (0.1 if self.model.closed else 0.005):
            self.close_or_open()
            compare = True
        elif rare > 0.995:
            self.kill(self.random.randrange(4))
        elif kind < len(kinds):
            kinds[kind](self.random.randrange(4))
        elif kind < len(kinds) + 3:
            self.work()
        else:
            self.time()
            compare = True
        if compare:
            self.compare()

    def watch(self):
        """A process that holds the lock of the queue for ever cannot be interrupted, and neither can who waits for that"""
        while self.moved is not None:
            if time.monotonic() - self.moved > HANGS:
                print(f"not ok - seed {self.seed}, step {len(self.log)}: the server hangs\n" + "\n".join(self.log[-15:]), flush=True)
                os._exit(1)
            time.sleep(1)

    def play(self, budget):
        """Returns the number of steps, and what was wrong"""
        steps = 0
        self.moved = time.monotonic()
        threading.Thread(target=self.watch, daemon=True).start()
        try:
            while budget.left(steps):
                self.step()
                steps += 1
                self.moved = time.monotonic()
            for n in range(4):
                if self.open[n]:
                    self.run(self.sessions[n], "ROLLBACK")
                    self.model.discard(n, self.model.pending[n])
            self.compare()
        except (AssertionError, RuntimeError, ConnectionError, IndexError) as error:
            tail = "\n".join(self.log[-15:])
            return steps, str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}\n{tail}"
        finally:
            self.moved = None
        if steps > 500 and set(self.counts) != set(ENDED + ("scheduled", "waiting", "running", "retrying", "uncommitted")):
            return steps, f"only these states were met: {sorted(self.counts)}"
        return steps, None

    def end(self):
        self.control.run("SELECT corm_test.clock_release()")
        for session in self.sessions + [self.control]:
            session.close()
        until(can_connect)  # the server may have been restarted
        drop_database()


def run(seed, budget):
    program = Program(seed)
    steps, wrong = program.play(budget)
    program.end()
    return steps, wrong, ", ".join(f"{state} {n}" for state, n in sorted(program.counts.items()))
