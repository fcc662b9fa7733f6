"""Sessions with the server, as thin as can be: a million statements must not take long.

A Session sends one command at a time by the simple protocol and returns its SQLSTATE and its rows as text.
libpq's environment says where the server is.
"""

import threading

from psycopg import pq

LOST = "08006"  # what a session answers when its connection is gone, whatever the server said before


class Session:
    def __init__(self, name="oracle", database=None):
        self.name = name
        self.database = f" dbname='{database}'" if database else ""
        self.open()

    def open(self):
        self.connection = pq.PGconn.connect(f"application_name='{self.name}' client_encoding=UTF8{self.database}".encode())
        if self.connection.status != pq.ConnStatus.OK:
            raise ConnectionError(self.connection.error_message.decode())
        self.notices = []
        self.connection.notice_handler = lambda result: self.notices.append(
            (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode())
        self.pid = self.connection.backend_pid

    def close(self):
        self.connection.finish()

    def run(self, sql):
        """(sqlstate, rows); sqlstate "" is success.  The message of an error is left in self.message."""
        try:
            result = self.connection.exec_(sql.encode())
        except MemoryError:  # psycopg's word for a connection that is gone
            result = None
        if self.connection.status != pq.ConnStatus.OK:
            self.message = (self.connection.error_message or b"").decode().strip()
            return LOST, []
        if result.status == pq.ExecStatus.TUPLES_OK:
            columns = range(result.nfields)
            return "", [tuple(_text(result.get_value(row, column)) for column in columns) for row in range(result.ntuples)]
        if result.status == pq.ExecStatus.COMMAND_OK:
            return "", []
        self.message = (result.error_message or b"").decode().strip()
        # an error of libpq itself has none
        return (result.error_field(pq.DiagnosticField.SQLSTATE) or LOST.encode()).decode(), []

    def must(self, sql):
        """The rows of a command that has no right to fail."""
        sqlstate, rows = self.run(sql)
        if sqlstate:
            raise RuntimeError(f"{sqlstate} {self.message}\nin: {sql}")
        return rows


def _text(value):
    return None if value is None else value.decode()


class Disturber(threading.Thread):
    """Cancels or terminates backends at random moments, until it is stopped."""

    def __init__(self, sessions, rng, cancels, terminates, pause):
        super().__init__(daemon=True)
        self.sessions, self.rng, self.pause = sessions, rng, pause
        self.cancels, self.terminates = cancels, terminates
        self.done = threading.Event()
        self.sent = 0

    def run(self):
        own = Session("disturber")
        while not self.done.wait(self.rng.uniform(0, self.pause)):
            pid = self.rng.choice(self.sessions).pid
            if self.rng.random() * (self.cancels + self.terminates) < self.cancels:
                own.must(f"SELECT pg_cancel_backend({pid})")
            else:
                own.must(f"SELECT pg_terminate_backend({pid})")
            self.sent += 1
        own.close()

    def stop(self):
        self.done.set()
        self.join()
