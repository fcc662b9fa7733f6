"""A receiver is in the middle of a call, and another session drops, closes, changes, moves or purges what it receives from.

The receiver waits at a fault point of the library, a CORM_FAULT of topics, each one that it comes by.  There the other
session makes its change, and after a drop fills the memory that has become free.  Then the receiver goes on, and commits or
rolls back.  It may get 55000 if the topic or group is gone.  Afterwards shared memory must be sound, other topics' messages as they
were published, each message must have come as often as the documentation says, and what was acknowledged is what is stored.

    /usr/bin/python3 messages_faults.py [--durable | --memory] [--point NAME] [--change NAME]

libpq's variables say where the server is, which must have the extension corm_test; it gets a database of its own.  The output
is TAP.
"""

import argparse
import itertools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "oracle"))

from waiting import DATABASE, Session, Waiter, check, drop_database, finish, make_database, until  # noqa: E402

GATE = 7979
MESSAGES = 6
REFUSED = (2, 5)

# what the group is like, and what has happened to its first messages
SITUATIONS = {
    "plain": ("", None),
    "ordered": (", ordered => true", None),
    "filter": (", filter => $$payload !~ 'refused'$$", None),
    "filter fails": (", filter => $$payload !~ 'refused' OR (payload || key)::int = 0$$", None),
    "dead letters": (", max_attempts => 1, dead_letter => 'dead'", 2),
    "lost": (", max_attempts => 1, dead_letter => 'full'", 2),
}

CHANGES = {
    "drop": "SELECT corm.topic_drop('t')",
    "unsubscribe": "SELECT corm.unsubscribe('t', 'g')",
    "close": "SELECT corm.topic_close('t')",
    "alter": "SELECT corm.topic_alter('t', capacity => 50)",
    "seek back": "SELECT corm.seek('t', 'g', 1)",
    "seek forward": "SELECT corm.seek('t', 'g', 1000)",
    "purge": "SELECT corm.purge('t')",
}


class Case:
    def __init__(self, durable, manual, situation, call):
        self.durable, self.manual, self.situation, self.call = durable, manual, situation, call
        self.name = f"{'durable' if durable else 'memory'}, {'manual' if manual else 'commit'}, {situation}, {call}"
        self.options, self.exhausted = SITUATIONS[situation]
        accepted = [n for n in range(1, MESSAGES + 1) if "filter" not in situation or n not in REFUSED]
        self.expected = [n for n in accepted if n > (self.exhausted or 0)]
        self.accepted = accepted

    def setup(self, session):
        for name, in session.must("SELECT name FROM corm.topics"):
            session.must(f"SELECT corm.topic_drop('{name}')")
        durable = str(self.durable).lower()
        ack = "manual" if self.manual else "commit"
        session.must(f"""SELECT corm.topic_create('t', durable => {durable}), corm.topic_create('dead', durable => {durable}),
            corm.topic_create('full', capacity => 1), corm.subscribe('dead', 'd'), corm.subscribe('full', 'd')""")
        session.must(f"SELECT corm.publish('full', 'x'), corm.subscribe('t', 'g', ack => '{ack}'{self.options}), corm.subscribe('t', 'other')")
        for n in range(1, MESSAGES + 1):
            session.must(f"SELECT corm.publish('t', '{'refused' if n in REFUSED else 'good'} {n}', key => 'k{n}')")
        if self.exhausted:
            session.must("BEGIN")
            session.must(f"SELECT corm.receive('t', 'g', {self.exhausted})")
            session.must("ROLLBACK")
        if self.call == "ack":
            session.must("SELECT corm.receive('t', 'g', 3)")

    def statement(self):
        if self.call == "ack":
            return "SELECT corm.ack('t', 'g', 3, 1, 2)"
        return f"SELECT seq FROM corm.receive('t', 'g', {MESSAGES if self.situation != 'plain' else 3})"


def waits(session):
    return session.must(f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = {GATE} AND NOT granted")


def points_of(case, session):
    """The fault points that the call comes by."""
    case.setup(session)
    session.must("SELECT corm_test.trace()")
    session.must(case.statement())
    names = session.must("SELECT corm_test.points()")[0][0].split()
    return [name for name in dict.fromkeys(names) if name.startswith(("receive-", "ack-"))]


def fill(session):
    """Uses the memory that a drop has freed."""
    session.must("SELECT corm.topic_create('filler', capacity => 10000), corm.subscribe('filler', 'f')")
    session.must("SELECT corm.publish_many('filler', array_agg(repeat('x', 100 + n % 300))) FROM generate_series(1, 300) n")


def seqs(rows):
    return [int(row[0]) for row in rows]


def drain(session):
    """What the group would get now, in a transaction that is rolled back; what is in a client's hand does not come."""
    session.must("BEGIN")
    rows = seqs(session.must("SELECT seq FROM corm.receive('t', 'g', 100)"))
    session.must("ROLLBACK")
    return rows


def problems_after(case, change, made, commit, answer, session):
    """What is wrong, in words."""
    wrong = []
    gone = made and change in ("drop", "unsubscribe")
    got = seqs(answer) if isinstance(answer, list) else []
    rows = session.must("SELECT * FROM corm.work_check()")
    if rows:
        wrong.append(f"work_check: {rows}")
    if isinstance(answer, str) and not (gone and answer == "55000"):
        wrong.append(f"SQLSTATE {answer}")
    if made and change == "drop":
        bad = session.must("SELECT count(*) FROM corm.peek('filler', 'f', 300) WHERE payload <> repeat('x', 100 + seq::int % 300)")
        if bad != [("0",)]:
            wrong.append(f"{bad[0][0]} messages of another topic are damaged")
        return wrong
    others = seqs(session.must("SELECT seq FROM corm.peek('t', 'other', 100)"))
    if others != ([] if made and change == "purge" else list(range(1, MESSAGES + 1))):
        wrong.append(f"the other group has {others}")
    if gone or isinstance(answer, str):
        return wrong
    if case.call == "ack":
        if got != [3]:
            wrong.append(f"ack answers {got}")
        got = [1, 2, 3]
        if case.durable and commit and change not in ("seek back", "seek forward", "purge"):
            stored = session.must("SELECT s.first_seq, s.last_seq FROM (TABLE corm.topic_settled_0 UNION ALL TABLE corm.topic_settled_1 UNION ALL "
                                  "TABLE corm.topic_settled_2) s JOIN corm.group_definitions d ON d.id = s.group_id WHERE d.grp = 'g'")
            if stored != [("1", "3")]:
                wrong.append(f"stored as settled: {stored}")
    elif not (made and change == "seek back") and (got != case.expected[:len(got)] or len(got) < min(len(case.expected), 3) and not made):
        wrong.append(f"received {got}")
    left = drain(session)
    if change in ("close", "alter") or not made:
        # in a client's hand: what it received; what was not acknowledged after all
        mine = got if commit or case.call == "ack" else []
        expected = [n for n in case.expected if n not in mine]
        # what was handed out and given back was handed out often enough
        if case.exhausted and not commit:
            expected = [n for n in expected if n not in got]
    elif change == "seek forward":
        expected = []
    elif change == "seek back" and case.exhausted:
        # which of them were handed out after the seek, and are dead letters again, depends on the point
        expected = [n for n in left if n in case.accepted]
    elif change == "seek back":
        # all messages come again, but those that a client has, or may have, in hand
        expected = [n for n in case.accepted if not (case.manual and n in got and (commit or case.call == "ack") and n not in left)]
        if case.call == "ack":
            expected = [n for n in expected if commit or n not in got]
    else:
        # purged: all but what was in hand
        expected = [n for n in left if n in case.accepted and not commit and case.call == "receive"]
    if left != expected:
        wrong.append(f"then comes {left}, expected {expected}")
    return wrong


def run(case, point, change, commit, receiver, other):
    case.setup(other)
    other.must(f"SELECT pg_advisory_lock({GATE})")
    receiver.must("BEGIN")
    receiver.must(f"SELECT corm_test.wait_at('{point}', {GATE})")
    waiter = Waiter(case.statement(), receiver)
    if not until(lambda: waits(other) or not waiter.runs()):
        return ["it does not get there"]
    other.must("SET lock_timeout = '50ms'")
    sqlstate, _ = other.run(CHANGES[change])
    other.must("RESET lock_timeout")
    if sqlstate not in ("", "55P03"):
        return [f"{change}: {sqlstate} {other.message}"]
    made = not sqlstate
    if made and change == "drop":
        fill(other)
    other.must(f"SELECT pg_advisory_unlock({GATE})")
    answer = waiter.result()
    receiver.must("SELECT 1" if isinstance(answer, list) else "ROLLBACK")
    if isinstance(answer, list):
        receiver.must("COMMIT" if commit else "ROLLBACK")
    return problems_after(case, change, made, commit, answer, other)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--durable", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--point")
    parser.add_argument("--change", choices=CHANGES)
    options = parser.parse_args()
    setup = make_database("corm", "corm_test")
    receiver, other = Session("receiver", DATABASE), Session("other", DATABASE)
    met, turn = set(), itertools.cycle((True, False))
    for durable in (False, True):
        if options.durable and not durable or options.memory and durable:
            continue
        for manual, situation, call in [*itertools.product((False, True), SITUATIONS, ("receive",)), (True, "plain", "ack")]:
            case = Case(durable, manual, situation, call)
            wrong = []
            for point in points_of(case, other):
                met.add(point)
                if options.point not in (None, point):
                    continue
                for change in CHANGES:
                    if options.change not in (None, change):
                        continue
                    for commit in (True, False) if case.call == "ack" or change == "drop" else (next(turn),):
                        for problem in run(case, point, change, commit, receiver, other):
                            wrong.append(f"{point}, {change}, {'commit' if commit else 'rollback'}: {problem}")
            check(case.name, "\n".join(wrong), "")
    expected = {"receive-taken", "receive-filtered", "receive-deliver", "receive-delivered", "ack-held"} | ({"receive-fetched"} if not options.memory else set())
    check("every point was met", sorted(met), sorted(expected))
    for session in (setup, receiver, other):
        session.close()
    drop_database()
    return finish()


if __name__ == "__main__":
    sys.exit(main())
