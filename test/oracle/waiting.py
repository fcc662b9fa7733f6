"""Sessions whose statements run while others go on, and an assertion that prints TAP: for tests of what waits.

Waiting for shared memory is not waiting for a lock, so the isolation tester does not see it.
"""

import threading
import time

from server import Session

DATABASE = "corm_waiting"
PATIENCE = 60  # seconds; only a failing test takes that long

count = failed = 0


def check(name, got, expected):
    global count, failed
    count += 1
    good = got == expected
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        failed += 1
        print(f"#      got: {got!r}\n# expected: {expected!r}", flush=True)


def make_database(*extensions):
    admin = Session("admin")
    admin.must(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    admin.must(f"CREATE DATABASE {DATABASE}")
    admin.close()
    session = Session("setup", DATABASE)
    for extension in extensions:
        session.must(f"CREATE EXTENSION {extension}")
    return session


def drop_database():
    admin = Session("admin")
    admin.must(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    admin.close()


class Waiter:
    """A statement that runs in the background, in a session of its own unless one is given."""

    def __init__(self, sql, session=None):
        self.session = session or Session("waiter", DATABASE)
        self.session.must("SET statement_timeout = '60 s'")
        self.answer = None
        self.thread = threading.Thread(target=self._run, args=(sql,), daemon=True)
        self.thread.start()

    def _run(self, sql):
        sqlstate, rows = self.session.run(sql)
        self.answer = sqlstate or rows

    def result(self):
        """The rows, or the SQLSTATE"""
        self.thread.join(PATIENCE)
        return self.answer

    def runs(self):
        return self.answer is None


def until(condition):
    """Whether a condition comes true"""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.002)
    return False


def finish():
    print(f"1..{count}")
    return 1 if failed else 0
