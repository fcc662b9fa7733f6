"""Random publishers and receivers against a plain model of topics: transactions, savepoints, rollbacks, leases, delays, keys,
filters, dead letters, seeks, purges, overflow policies, sessions that end.  After each step the messages returned, the counters of
all groups and corm.work_check() must be as the model says; with --every N, counters after each N-th one, and corm.work_check() after
seeks and now and then.

Seeds greater than 10 also make publishers that wait for room, and statements that are canceled: a publisher while it waits, a receiver
that has messages in hand, at fault points of the library.  Meanwhile the other sessions do nothing, so it is certain what must come of
it.  (Those up to 10 make the programs that test/oracle/mutants.py was chosen with.)

    messages_model.py [--seed N] [--seeds N] [--steps N] [--every N]

libpq's variables say where the server is; it gets a database of its own.  Time is that of corm_test's clock.  The output is TAP.
"""

import argparse
import pathlib
import random
import sys
import threading
import time

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "oracle"))

from waiting import DATABASE, drop_database, make_database  # noqa: E402

SESSIONS = 3
OLD_SEEDS = 10
PROGRAM = 5000  # steps
GATE = 7979  # an advisory lock that canceled statements wait for
PATIENCE = 30  # seconds; only a failing run takes that long

# A filter that refuses some messages, and fails for others.
FILTER = "CASE WHEN payload::int % 5 = 0 THEN false ELSE 1 / (payload::int % 7) >= 0 END"


def verdict(payload):
    """What the filter says about a message."""
    return "refused" if int(payload) % 5 == 0 else "failed" if int(payload) % 7 == 0 else "accepted"


class Message:
    def __init__(self, seq, payload, key, due):
        self.seq, self.payload, self.key, self.due = seq, payload, key, due


class State:
    """A message, as a group has it: waiting, hand (of a session), leased, held (by a session) or settled."""

    def __init__(self, message):
        self.message, self.state, self.attempt, self.due = message, "waiting", 0, message.due
        self.owner, self.skip, self.again, self.exhausted, self.acking, self.refused = None, False, False, False, False, False

    def in_hand(self):
        return self.state in ("hand", "leased", "held")


class Group:
    def __init__(self, name, options, topic):
        self.name, self.options, self.topic = name, options, topic
        self.states, self.open, self.lost, self.redelivered = {}, {}, 0, 0

    def get(self, option, default=None):
        return self.options.get(option, default)

    def unsettled(self):
        return sorted(self.open.values(), key=lambda s: s.message.seq)

    def enter(self, message):
        self.states[message.seq] = self.open[message.seq] = State(message)
        return self.states[message.seq]

    def settle(self, state):
        state.state = "settled"
        self.open.pop(state.message.seq, None)
        state.skip = False

    def done(self, state):
        """Settled by who has it in hand; a seek meanwhile may want it again."""
        if state.again:
            self.enter(state.message).due = 0
        else:
            self.settle(state)

    def give_back(self, state, now, delay=None):
        if state.skip:
            self.settle(state)
            return
        if state.again:
            self.done(state)
            return
        state.state, state.owner, state.due = "waiting", None, 0
        limit = self.get("max_attempts")
        if state.refused:
            state.refused = False
        elif limit and state.attempt >= limit:
            if self.get("dead_letter") or self.topic.durable:
                state.exhausted = True
            else:
                self.lost += 1
                self.settle(state)
        else:
            delay = self.get("retry_delay", 0) if delay is None else delay
            state.due = now + delay if delay else 0

    def expire(self, now):
        for state in self.unsettled():
            if state.state == "leased" and state.due <= now:
                self.give_back(state, state.due)

    def next(self, now):
        """The next message to hand out, as the documentation says; None."""
        for state in self.unsettled():
            if state.state != "waiting" or state.due > now:
                continue
            if self.get("ordered") and state.message.key is not None:
                others = [o for o in self.unsettled() if o is not state and o.message.key == state.message.key]
                if any(o.in_hand() or (o.message.seq < state.message.seq and not (o.attempt == 0 and o.due > now)) for o in others):
                    continue
            return state
        return None


class Topic:
    def __init__(self, name, capacity, overflow, retention, durable, max_bytes=None):
        self.name, self.capacity, self.overflow, self.retention, self.durable = name, capacity, overflow, retention, durable
        self.max_bytes, self.reserved_bytes, self.sizes = max_bytes, 0, []
        self.closed, self.last, self.reserved, self.purged, self.log, self.groups = False, 0, 0, 0, {}, {}

    def bytes(self):
        """What the payloads take that count against max_bytes."""
        unsettled = {seq for g in self.groups.values() for seq in g.open}
        if self.durable:
            return sum(self.sizes[min(unsettled) - 1:]) if unsettled else 0
        return sum(self.sizes[seq - 1] for seq in unsettled)

    def room(self, n, size=0, session=None):
        """Whether n messages may be published now."""
        if self.overflow == "drop_oldest":
            return True
        if self.max_bytes and size + sum(len(m[0]) for m in self.published(session)) > self.max_bytes:
            return False
        if not all(len(g.unsettled()) + self.reserved + n <= g.get("capacity", self.capacity) for g in self.groups.values()):
            return False
        if self.max_bytes and not self.durable and sum(self.sizes[s - 1] for s in self.log) + self.reserved_bytes + size > self.max_bytes:
            self.trim()
        return not self.max_bytes or self.bytes() + self.reserved_bytes + size <= self.max_bytes

    def trim(self):
        """What is kept for the retention only makes way."""
        self.log = {s: m for s, m in self.log.items() if any(s in g.open for g in self.groups.values())}

    def drop_bytes(self, now):
        """The oldest messages make way until there are not too many bytes; not the last one."""
        if self.durable or self.overflow != "drop_oldest" or not self.max_bytes:
            self.drop_unsettled(now)
        elif sum(self.sizes[s - 1] for s in self.log) > self.max_bytes:
            self.drop_unsettled(now)
            self.trim()

    def drop_unsettled(self, now):
        while self.overflow == "drop_oldest" and self.max_bytes and self.bytes() > self.max_bytes:
            for group in self.groups.values():
                group.expire(now)
            if self.bytes() <= self.max_bytes:
                break
            oldest = min((s.message.seq for g in self.groups.values() for s in g.unsettled() if not s.in_hand()), default=self.last)
            if oldest == self.last or self.durable and oldest > min(s for g in self.groups.values() for s in g.open):
                break
            group = next(g for g in self.groups.values() if oldest in g.open and not g.open[oldest].in_hand())
            group.settle(group.open[oldest])
            group.lost += 1

    def published(self, session):
        """What the transaction of a session has published."""
        return [m for kind, *rest in session and session.effects or [] if kind == "publish" and rest[0] is self for m in rest[1]]

    def waits(self, session, n, size):
        """Whether a publisher without room waits: not if only he is in the way."""
        if self.overflow != "block":
            return False
        published = self.published(session)
        in_hand = {g: sum(len(rest[1]) for kind, *rest in session.effects or [] if kind == "take" and rest[0] is g) for g in self.groups.values()}
        if self.max_bytes and size + sum(len(m[0]) for m in published) > self.max_bytes:
            return False
        full = [g for g in self.groups.values() if len(g.open) + self.reserved + n > g.get("capacity", self.capacity)]
        if full:
            return all(n + len(published) + in_hand[g] <= g.get("capacity", self.capacity) for g in full)
        return self.reserved != len(published) or any(len(g.open) != in_hand[g] for g in self.groups.values())

    def append(self, payload, key, due, now):
        self.last += 1
        self.sizes.append(len(payload))
        message = Message(self.last, payload, key, due)
        self.log[message.seq] = message
        for group in self.groups.values():
            group.enter(message)
            if self.overflow == "drop_oldest":
                while len(group.unsettled()) > group.get("capacity", self.capacity):
                    group.expire(now)
                    oldest = next((s for s in group.unsettled() if not s.in_hand()), None)
                    if oldest is None or len(group.unsettled()) <= group.get("capacity", self.capacity):
                        break
                    group.settle(oldest)
                    group.lost += 1
        if not self.durable:
            self.drop_bytes(now)

    def kept(self, seq):
        """Whether a message that all groups may have settled is still there: always, in a topic with a retention."""
        return self.retention or self.durable or any(g.states[seq].state != "settled" for g in self.groups.values() if seq in g.states)


class Session:
    def __init__(self, number):
        self.number, self.effects, self.savepoints = number, None, []
        self.connect()

    def connect(self):
        self.connection = psycopg.connect(dbname=DATABASE, autocommit=True)

    def sql(self, text, *parameters):
        cursor = self.connection.execute(text, parameters or None)
        return cursor.fetchall() if cursor.description else None


class Failure(Exception):
    pass


class Run:
    def __init__(self, seed, number=0):
        """The first program of a seed, or the one with a number"""
        durable = seed % 2 == 0
        self.random, self.log, self.now, self.steps = random.Random(f"{seed} {number}" if number else seed), [], 0, 0
        # what does not change the programs of a seed
        self.extra = random.Random(f"extra {seed} {number}" if number else f"extra {seed}")
        self.wide, self.sought, self.checks = seed > OLD_SEEDS, False, 0
        policies = ["error", "drop_oldest"] + ["block"] * 2 * self.wide
        self.sessions = [Session(i) for i in range(SESSIONS)]
        self.prefix = f"m{seed}_"
        admin = self.sessions[0]
        admin.sql("SET plan_cache_mode = force_generic_plan")
        if self.wide:
            self.watch = Session(SESSIONS)
            self.watch.sql("SELECT pg_advisory_lock(%s)", GATE)
        admin.sql("SELECT corm_test.clock_freeze()")
        for (name,) in admin.sql("SELECT name FROM corm.topics"):
            admin.sql("SELECT corm.topic_drop(%s)", name)
        self.topics = {}
        self.counter = 0
        for name, overflow, retention in (("dead", "error", None), ("t", self.random.choice(policies), None),
                                          ("u", self.random.choice(policies) if self.wide else "error", "1 day")):
            # as few bytes as these are counted exactly
            max_bytes = self.random.choice([None, 12, 40]) if name != "dead" else None
            topic = Topic(self.prefix + name, self.random.choice([4, 10, 30]), overflow, retention is not None, durable, max_bytes)
            self.topics[name] = topic
            admin.sql("SELECT corm.topic_create(%s, capacity => %s, overflow => %s, retention => %s::text::interval, durable => %s, max_bytes => %s)",
                      topic.name, topic.capacity, overflow, retention, durable, max_bytes)
        self.subscribe("dead", "d", {})
        for topic in ("t", "u"):
            for name in "abc":
                options = {}
                if self.random.random() < 0.4:
                    options["ordered"] = True
                if self.random.random() < 0.4:
                    options["ack"] = "manual"
                if self.random.random() < 0.5:
                    options["max_attempts"] = self.random.randint(1, 3)
                    if self.random.random() < 0.6:
                        options["dead_letter"] = self.prefix + "dead"
                if self.random.random() < 0.4:
                    options["retry_delay"] = self.random.choice([5, 20])
                if self.random.random() < 0.3:
                    options["capacity"] = self.random.choice([2, 8])
                if self.random.random() < 0.4:
                    options["filter"] = FILTER
                # how many messages a filter sees at a time is not certain, nor in which order those it fails for become letters
                if self.wide and not durable and "filter" in options:
                    options.pop("dead_letter", None)
                self.subscribe(topic, name, options)

    def subscribe(self, topic, name, options):
        model = self.topics[topic]
        model.groups[name] = Group(name, options, model)
        arguments = ", ".join(f"{o} => " + (f"'{v} s'" if o == "retry_delay" else f"'{v}'" if isinstance(v, str) else str(v).lower())
                              for o, v in options.items())
        self.sessions[0].sql(f"SELECT corm.subscribe('{model.name}', '{name}'" + (", " + arguments if arguments else "") + ", lease => '30 s')")

    # effects of a session's transaction, newest last: a kind and what belongs to it

    def add(self, session, *effect):
        if session.effects is None:
            self.apply([effect])
        else:
            session.effects.append(effect)

    def apply(self, effects):
        for kind, *rest in effects:
            if kind == "publish":
                topic, messages = rest
                topic.reserved -= len(messages)
                topic.reserved_bytes -= sum(len(m[0]) for m in messages)
                for payload, key, due in messages:
                    topic.append(payload, key, due, self.now)
                if topic.durable:
                    topic.drop_bytes(self.now)
            elif kind == "take":
                group, states, lease = rest
                for state in states:
                    if group.get("ack") == "manual" and not state.exhausted and not state.refused and (state.acking or not state.skip):
                        state.state, state.due = "held" if state.acking else "leased", lease
                    else:
                        if state.exhausted == "lost":
                            group.lost += 1
                        group.done(state)
            elif kind == "ack":
                group, state, _ = rest
                group.done(state)
            elif kind == "nack":
                group, state, delay, _ = rest
                state.acking = False
                group.give_back(state, self.now, delay)
            elif kind == "touch":
                group, state, taken, _ = rest
                if not taken:
                    state.acking = False
                    state.state, state.due = "leased", self.now + 30
            elif kind == "seek":
                self.seek(*rest)
                self.sought = True
            elif kind == "purge":
                topic, upto = rest
                topic.purged = max(topic.purged, upto)
                for group in topic.groups.values():
                    group.expire(self.now)
                    for state in group.unsettled():
                        if state.message.seq <= upto:
                            state.again = False
                            if not state.in_hand():
                                group.settle(state)
                for seq in [s for s in topic.log if not topic.durable and not any(g.states[s].state != "settled" for g in topic.groups.values())]:
                    topic.log.pop(seq)
            self.forget()

    def expire(self):
        for topic in self.topics.values():
            for group in topic.groups.values():
                group.expire(self.now)
        self.forget()

    def forget(self):
        for topic in self.topics.values():
            for seq in [s for s in topic.log if not topic.kept(s)]:
                topic.log.pop(seq)

    def discard(self, effects):
        for kind, *rest in reversed(effects):
            if kind == "publish":
                rest[0].reserved -= len(rest[1])
                rest[0].reserved_bytes -= sum(len(m[0]) for m in rest[1])
            elif kind == "take":
                group, states, _ = rest
                for state in states:
                    group.give_back(state, self.now)
                    if group.states[state.message.seq] is not state:
                        continue
                    # in memory, dead letters go at once
                    if state.exhausted and state.state != "settled" and not group.topic.durable:
                        group.settle(state)
                        dead = self.topics["dead"]
                        if dead.closed or not dead.room(1):
                            group.lost += 1
                        else:
                            dead.append(state.message.payload, state.message.key, 0, self.now)
            elif kind in ("ack", "nack", "touch"):
                state, origin = rest[1], rest[-1]
                if origin is not None:
                    origin.clear()
                    continue
                state.acking = False
                if state.state == "held":
                    state.state = "leased"
        self.forget()

    def seek(self, group, seq):
        topic = group.topic
        seq = min(max(seq, 1), topic.last + 1)
        for other in topic.groups.values():
            other.expire(self.now)
        # what that has settled may be gone
        self.forget()
        for state in list(group.states.values()):
            if state.message.seq < seq and state.state != "settled":
                if state.in_hand():
                    state.skip = True
                else:
                    group.settle(state)
                state.again = False
            elif state.message.seq >= seq:
                state.skip, state.again = False, state.in_hand()
                if state.state == "settled" and state.message.seq in topic.log:
                    group.enter(state.message)

    # steps

    def begin(self, session):
        if session.effects is None:
            session.sql("BEGIN")
            session.effects, session.savepoints = [], []

    def end(self, session, commit):
        if session.effects is None:
            return
        session.sql("COMMIT" if commit else "ROLLBACK")
        effects, session.effects = session.effects, None
        self.apply(effects) if commit else self.discard(effects)

    def commit(self, session):
        self.end(session, True)

    def rollback(self, session):
        self.end(session, False)

    def savepoint(self, session):
        if session.effects is not None and len(session.savepoints) < 4:
            session.sql(f"SAVEPOINT s{len(session.savepoints)}")
            session.savepoints.append(len(session.effects))

    def rollback_to(self, session):
        if session.effects is not None and session.savepoints:
            i = self.random.randrange(len(session.savepoints))
            session.sql(f"ROLLBACK TO s{i}")
            keep = session.savepoints[i]
            session.savepoints = session.savepoints[:i + 1]
            gone, session.effects = session.effects[keep:], session.effects[:keep]
            self.discard(gone)

    def release(self, session):
        if session.effects is not None and session.savepoints:
            i = self.random.randrange(len(session.savepoints))
            session.sql(f"RELEASE s{i}")
            session.savepoints = session.savepoints[:i]

    def meanwhile(self, session, text, parameters, event, act):
        """Runs a statement that waits for an event, and does something as soon as it does."""
        answer = []

        def run():
            try:
                answer.append(session.sql(text, *parameters))
            except psycopg.Error as e:
                answer.append(e)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        pid, until = session.connection.info.backend_pid, time.monotonic() + PATIENCE
        while not self.watch.sql("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND %s IN (wait_event_type, wait_event)", pid, event):
            if not thread.is_alive():
                raise Failure(f"{text} {parameters}: does not wait, but answers {answer[0]!r}")
            if time.monotonic() > until:
                raise Failure(f"{text} {parameters}: never waits for {event}")
            time.sleep(0.001)
        act()
        thread.join(PATIENCE)
        if thread.is_alive():
            raise Failure(f"{text} {parameters}: still waits")
        if isinstance(answer[0], Exception):
            raise answer[0]
        return answer[0]

    def cancel(self, session):
        self.watch.sql("SELECT pg_cancel_backend(%s)", session.connection.info.backend_pid)

    def attempt(self, session, text, *parameters, event=None, act=None):
        """Runs a statement that may be refused, in a savepoint of its own if in a transaction.  Returns rows or the SQLSTATE."""
        if session.effects is not None:
            session.sql("SAVEPOINT try")
        try:
            rows = self.meanwhile(session, text, parameters, event, act) if event else session.sql(text, *parameters)
        except psycopg.Error as e:
            if session.effects is not None:
                session.sql("ROLLBACK TO try")
                session.sql("RELEASE try")
            return e.sqlstate
        if session.effects is not None:
            session.sql("RELEASE try")
        return rows

    def payload(self, topic):
        """The next one, a number for the filter; some are so long that they are stored out of line."""
        if topic.max_bytes or self.random.random() < 0.95:
            return str(self.counter)
        return "".join(self.random.choices(" \t\n\r\f\v", k=8000)) + str(self.counter)

    def publish(self, session):
        topic = self.random.choice([self.topics["t"], self.topics["u"]])
        many = self.random.random() < 0.3
        n = self.random.randint(1, 5) if many else 1
        messages = []
        for _ in range(n):
            self.counter += 1
            messages.append([self.payload(topic), None, 0])
        immediate = not many and self.random.random() < 0.2
        if many:
            text, parameters = "SELECT corm.publish_many(%s, %s::text[])", (topic.name, [m[0] for m in messages])
        else:
            messages[0][1] = self.random.choice([None, "k", "l", "m"])
            delay = self.random.choice([None, None, None, 7, 15])
            if delay:
                messages[0][2] = self.now + delay
            text = "SELECT corm.publish(%s, %s::text, key => %s, delay => %s * interval '1 s', immediate => %s)"
            parameters = (topic.name, messages[0][0], messages[0][1], delay, immediate)
        size = sum(len(m[0]) for m in messages)
        expected = "55000" if topic.closed else [(len(topic.groups),)] if topic.room(n, size, session) else "53400"
        event, act = None, None
        if expected == "53400" and topic.waits(session, n, size):
            # what is published at once to rows is so by a worker, which is who waits
            if immediate and topic.durable:
                return
            event, act = "Extension", lambda: outcome.append(self.unblock(session, topic, n, size))
        outcome = []
        got = self.attempt(session, text, *parameters, event=event, act=act)
        expected = outcome[0] if outcome else expected
        self.same("publish", got, expected)
        if got == expected and isinstance(got, list):
            if immediate:
                for message in messages:
                    topic.append(*message, self.now)
                if topic.durable:
                    topic.drop_bytes(self.now)
            else:
                topic.reserved += n
                topic.reserved_bytes += sum(len(m[0]) for m in messages)
                self.add(session, "publish", topic, messages)

    def unblock(self, session, topic, n, size):
        """Ends that a publisher waits for room.  Returns what he must get then."""
        how = self.random.choice(["cancel", "close", "purge", "purge"])
        self.log.append(f"publish to {topic.name} waits: {how}")
        if how == "purge":
            self.watch.sql("SET lock_timeout = '20ms'")
            try:
                self.watch.sql("SELECT corm.purge(%s)", topic.name)
            except psycopg.errors.LockNotAvailable:
                how = "cancel"
            self.watch.sql("RESET lock_timeout")
            if how == "purge":
                self.apply([("purge", topic, topic.last)])
                if topic.room(n, size, session):
                    return [(len(topic.groups),)]
                if not topic.waits(session, n, size):
                    return "53400"
        if how == "close":
            self.watch.sql("SELECT corm.topic_close(%s)", topic.name)
            topic.closed = True
            return "55000"
        self.cancel(session)
        return "57014"

    def group(self):
        topic = self.random.choice(["t", "t", "u", "u", "dead"])
        return self.random.choice(list(self.topics[topic].groups.values()))

    def receive(self, session):
        group = self.group()
        limit = self.random.choice([1, 1, 2, 5, 100])
        cut = self.wide and self.random.random() < 0.2 and self.can_be_cut(group)
        if cut:
            limit = 1
        statement = ("SELECT seq, key, payload, attempt FROM corm.receive(%s, %s, %s)", group.topic.name, group.name, limit)
        # before it takes a message that it has never met, it comes by that point without one
        if cut and not group.topic.durable and group.next(self.now).attempt > 0 and self.random.random() < 0.5:
            self.receive_cut(session, group, statement)
            return
        taken, expected, dead = [], [], []
        while len(expected) < limit:
            # messages are taken, then the filter looks at them all, then they are handed out; more are taken if these were too few
            some = []
            while len(some) < limit - len(expected) and (state := group.next(self.now)):
                state.state, state.owner = "hand", session.number
                some.append(state)
            if not some:
                break
            for state in [s for s in some if not s.exhausted]:
                state.attempt += 1
                group.redelivered += state.attempt > 1
                judged = verdict(state.message.payload) if group.get("filter") else "accepted"
                if judged == "refused":
                    state.refused = True
                    group.redelivered -= state.attempt > 1
                    state.attempt -= 1
                elif judged == "failed":
                    # a failed delivery, whatever becomes of the transaction
                    some.remove(state)
                    group.give_back(state, self.now, max(group.get("retry_delay", 0), 1))
            for state in some:
                if state.exhausted:
                    topic = self.topics["dead"]
                    if not group.get("dead_letter") or topic.closed or not topic.room(1):
                        state.exhausted = "lost"
                    else:
                        topic.reserved += 1
                        topic.reserved_bytes += len(state.message.payload)
                        dead.append(("publish", topic, [[state.message.payload, state.message.key, 0]]))
                elif not state.refused:
                    expected.append((state.message.seq, state.message.key, state.message.payload, state.attempt))
            taken += some
            if cut:
                break
        effects = [("take", group, taken, self.now + 30), *dead]
        if cut:
            self.canceled(session, "receive-delivered", statement)
            self.discard(effects)
            return
        got = session.sql(*statement)
        if group.get("ordered") and group.get("filter") and not group.topic.durable:
            # a filter that refuses a message lets the next one of its key in, before or after others; the filter sees as many as happen to be taken
            for key in {key for _, key, _, _ in got if key is not None}:
                seqs = [row[0] for row in got if row[1] == key]
                self.same(f"order of {key}", seqs, sorted(seqs))
            got, expected = sorted(got), sorted(expected)
        self.same(f"receive {group.topic.name} {group.name} {limit}", got, expected)
        if session.effects is None:
            self.apply(effects)
        else:
            session.effects += effects

    def can_be_cut(self, group):
        """Whether it is certain which message a receiver of one has when he is canceled: rows may be looked at, and put aside."""
        state = group.next(self.now)
        return state is not None and (not group.topic.durable or state is next(s for s in group.unsettled() if not s.in_hand()))

    def receive_cut(self, session, group, statement):
        """A receive from a topic in memory that is canceled when it has just taken a message."""
        state = group.next(self.now)
        state.state, state.owner = "hand", session.number
        if not state.exhausted:
            # what no filter has looked at is not delivered
            state.refused = bool(group.get("filter"))
            if not state.refused:
                state.attempt += 1
                group.redelivered += state.attempt > 1
        self.canceled(session, "receive-taken", statement)
        self.discard([("take", group, [state], 0)])

    def canceled(self, session, point, statement):
        """Runs a statement that is canceled when it comes to a fault point."""
        session.sql("SELECT corm_test.wait_at(%s, %s)", point, GATE)
        self.same(f"{statement} canceled at {point}", self.attempt(session, *statement, event="advisory", act=lambda: self.cancel(session)), "57014")

    def change(self, session):
        group = self.group()
        kind = self.random.choice(["ack", "ack", "nack", "touch"])
        candidates = [s for s in group.unsettled()]
        if not candidates:
            return
        state = self.random.choice(candidates)
        if group.get("ack") != "manual":
            self.same(kind, self.attempt(session, f"SELECT corm.{kind}(%s, %s, %s)", group.topic.name, group.name, state.message.seq), "55000")
            return
        delay = self.random.choice([None, 0, 10])
        # what the transaction has touched itself
        origin = next((taken for what, _, its, taken, _ in [e for e in session.effects or [] if e[0] == "touch"] if its is state and not taken), None)
        ok = origin is not None or (state.state == "leased" and state.due > self.now) or \
            (state.state == "hand" and state.owner == session.number and not state.acking and not state.exhausted and not state.refused)
        if kind == "nack":
            got = session.sql("SELECT corm.nack(%s, %s, %s, %s * interval '1 s')", group.topic.name, group.name, state.message.seq, delay)
            self.same(f"nack {group.topic.name} {group.name} {state.message.seq}", got, [(ok,)])
        else:
            got = session.sql(f"SELECT corm.{kind}(%s, %s, %s)", group.topic.name, group.name, state.message.seq)
            self.same(f"{kind} {group.topic.name} {group.name} {state.message.seq}", got, [(int(ok),)])
        if ok:
            if origin is not None:
                origin.append(kind)
            elif state.state == "leased":
                state.state = "held"
            else:
                state.acking = True
            self.add(session, kind, group, state, *([delay] if kind == "nack" else [[]] if kind == "touch" else []), origin)

    def hurried(self, session, text, *parameters):
        """The same, for what may have to wait: two seeks of a group of a durable topic wait for each other."""
        session.sql("SET lock_timeout = '20ms'")
        got = self.attempt(session, text, *parameters)
        session.sql("RESET lock_timeout")
        return got

    def move(self, session):
        group = self.group()
        seq = self.random.randint(1, group.topic.last + 2)
        if self.hurried(session, "SELECT corm.seek(%s, %s, %s::bigint)", group.topic.name, group.name, seq) == "55P03":
            return
        self.log.append(f"seek {group.topic.name} {group.name} {seq}")
        # what is purged is gone, though tables may still have it
        purged = [group.topic.purged] + [rest[1] for kind, *rest in session.effects or [] if kind == "purge" and rest[0] is group.topic]
        self.add(session, "seek", group, min(max(seq, max(purged) + 1 if group.topic.durable else 1), group.topic.last + 1))

    def purge(self, session):
        topic = self.random.choice(list(self.topics.values()))
        n = sum(not any(g.states[s].in_hand() for g in topic.groups.values()) for s in topic.log)
        if topic.durable:
            n = max(sum(not s.in_hand() for s in g.unsettled()) for g in topic.groups.values())
        got = self.hurried(session, "SELECT corm.purge(%s)", topic.name)
        if got == "55P03":
            return
        self.same("purge", got, [(n,)])
        self.add(session, "purge", topic, topic.last)

    def close(self, session):
        if session.effects is not None:
            return
        topic = self.random.choice(list(self.topics.values()))
        session.sql(f"SELECT corm.topic_{'open' if topic.closed else 'close'}(%s)", topic.name)
        topic.closed = not topic.closed

    def peek(self, session):
        """Shows what a receive of as many would return; nothing is marked."""
        group = self.group()
        if any(s.exhausted for s in group.unsettled()) or group.get("ordered"):
            return
        expected = [(s.message.seq, s.attempt + 1) for s in group.unsettled() if s.state == "waiting" and s.due <= self.now
                    and (not group.get("filter") or verdict(s.message.payload) == "accepted")][:3]
        self.same("peek", session.sql("SELECT seq, attempt FROM corm.peek(%s, %s, 3)", group.topic.name, group.name), expected)

    def advance(self, session):
        seconds = self.random.choice([1, 4, 11, 31])
        session.sql("SELECT corm_test.clock_advance(%s * interval '1 s')", seconds)
        self.now += seconds
        # a lease that is over, which nobody has noticed yet, gives no right to the message
        over = [(g, s) for t in self.topics.values() for g in t.groups.values() for s in g.unsettled() if s.state == "leased" and s.due <= self.now]
        if over:
            group, state = self.extra.choice(over)
            kind = self.extra.choice(["ack", "nack", "touch"])
            got = session.sql(f"SELECT corm.{kind}(%s, %s, %s)::int", group.topic.name, group.name, state.message.seq)
            self.same(f"{kind} {group.topic.name} {group.name} {state.message.seq}, too late", got, [(0,)])
        self.expire()

    def leave(self, session):
        """The session ends, in the middle of what it does."""
        pid = session.connection.info.backend_pid
        session.connection.close()
        other = self.sessions[(session.number + 1) % SESSIONS]
        while other.sql("SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid):
            if other.effects is not None:
                other.sql("SELECT pg_stat_clear_snapshot()")
        session.connect()
        if session.effects is not None:
            effects, session.effects = session.effects, None
            self.discard(effects)

    def same(self, what, got, expected):
        self.log.append(f"{what}: {got!r}")
        if got != expected:
            raise Failure(f"{what}: got {got!r}, expected {expected!r}")

    def check_memory(self):
        problems = self.sessions[0].sql("SELECT * FROM corm.work_check()")
        if problems:
            raise Failure(f"work_check: {problems!r}")

    def check(self):
        self.checks += 1
        if not self.wide or self.checks % 5 == 0:
            self.check_memory()
        rows = self.sessions[0].sql("""SELECT topic, grp, lag, in_hand, redelivered, lost FROM corm.groups WHERE topic LIKE %s
            UNION ALL SELECT name, NULL, published, bytes, NULL, NULL FROM corm.topics WHERE name LIKE %s""", self.prefix + "%", self.prefix + "%")
        expected = sorted((topic.name, group.name, len(group.unsettled()), sum(s.in_hand() for s in group.unsettled()),
                           group.redelivered, group.lost) for topic in self.topics.values() for group in topic.groups.values())
        got = sorted(row for row in rows if row[1] is not None)
        if got != expected:
            raise Failure(f"groups: got {got!r}, expected {expected!r}")
        expected = sorted((topic.name, topic.last) for topic in self.topics.values())
        got = sorted((row[0], row[2]) for row in rows if row[1] is None)
        if got != expected:
            raise Failure(f"topics: got {got!r}, expected {expected!r}")
        kept = {row[0]: row[3] for row in rows if row[1] is None}
        for topic in self.topics.values():
            # in memory, what is kept for the retention is there, too; far from a limit, sums of durable payloads are marked here and there
            if topic.retention and not topic.durable:
                continue
            more = sum(topic.sizes) // 16 if topic.durable and (not topic.max_bytes or topic.bytes() > topic.max_bytes) else 0
            if not topic.bytes() <= kept[topic.name] <= topic.bytes() + more:
                raise Failure(f"bytes of {topic.name}: got {kept[topic.name]}, expected {topic.bytes()}")

    def step(self, every):
        session = self.random.choice(self.sessions)
        steps = [(self.publish, 30), (self.receive, 30), (self.begin, 12), (self.commit, 7), (self.rollback, 6), (self.savepoint, 8), (self.rollback_to, 6), (self.release, 3),
                 (self.change, 14), (self.move, 2), (self.purge, 0.5), (self.close, 0.5), (self.peek, 3), (self.advance, 5),
                 (self.leave, 0.3)]
        what = self.random.choices([s for s, _ in steps], [w for _, w in steps])[0]
        self.log.append(f"session {session.number}: {what.__name__}, time {self.now}")
        what(session)
        self.steps += 1
        self.expire()
        if self.sought:
            self.sought = False
            self.check_memory()
        # the view of groups makes ready what has become due; the functions must do so without it, too
        if self.steps % every == 0 or what == self.advance and self.random.random() < 0.5:
            self.check()

    def finish(self):
        self.check()
        self.check_memory()
        for session in self.sessions:
            self.end(session, False)
        for topic in self.topics.values():
            self.sessions[0].sql("SELECT corm.topic_drop(%s)", topic.name)
        self.sessions[0].sql("SELECT corm_test.clock_release()")
        self.close_sessions()

    def close_sessions(self):
        for session in self.sessions + ([self.watch] if self.wide else []):
            session.connection.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--log", type=int, default=40)
    options = parser.parse_args()
    make_database("corm", "corm_test").close()
    failed = 0
    for number, seed in enumerate(range(options.seed, options.seed + options.seeds), 1):
        run, steps = Run(seed), 0
        try:
            for steps in range(1, options.steps + 1):
                run.step(options.every)
            run.finish()
            print(f"ok {number} - seed {seed}, {'durable' if seed % 2 == 0 else 'in memory'}: {steps} steps", flush=True)
        except Failure as e:
            failed += 1
            print("".join(f"# {line}\n" for line in run.log[-options.log:]) + f"# {e}")
            print(f"not ok {number} - seed {seed}: step {steps}", flush=True)
            run.close_sessions()
    drop_database()
    print(f"1..{options.seeds}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
