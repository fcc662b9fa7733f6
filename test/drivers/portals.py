"""hardening 29: portals that are suspended (Execute with a row limit) and resumed, closed, abandoned or rolled back,
while the table changes: right rows, and nothing that leaks. Few drivers do this in ways one can steer, so the messages
are written here.
"""

import os
import socket
import struct

number = 0


def check(name, got, expected):
    """One TAP line."""
    global number
    number += 1
    if got == expected:
        print(f"ok {number} - {name}")
    else:
        print(f"not ok {number} - {name}\n# got {got!r}\n# expected {expected!r}")


class Connection:
    """A client of the protocol's third version, over a Unix socket, for a server that trusts it."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ.get('PGPORT', '5432')}")
        parameters = f"user\0{os.environ['PGUSER']}\0database\0{os.environ['PGDATABASE']}\0\0".encode()
        self.socket.sendall(struct.pack("!II", 8 + len(parameters), 196608) + parameters)
        self.input = self.socket.makefile("rb")
        self.until("Z")

    def send(self, *messages):
        self.socket.sendall(b"".join(kind.encode() + struct.pack("!I", len(body) + 4) + body for kind, body in messages))

    def until(self, *kinds):
        """The messages up to one of these kinds, as (kind, what is in it)."""
        answers = []
        while True:
            header = self.input.read(5)
            kind, length = header[:1].decode(), struct.unpack("!I", header[1:])[0]
            body = self.input.read(length - 4)
            if kind == "D":
                fields, position = [], 2
                for _ in range(struct.unpack("!H", body[:2])[0]):
                    size = struct.unpack("!i", body[position:position + 4])[0]
                    position += 4
                    fields.append(None if size < 0 else body[position:position + size].decode())
                    position += max(size, 0)
                answers.append((kind, ",".join(str(f) for f in fields)))
            elif kind == "E":
                answers.append((kind, [f[1:].decode() for f in body.split(b"\0") if f[:1] == b"C"][0]))
            elif kind == "C":
                answers.append((kind, body[:-1].decode()))
            elif kind in kinds or kind in "sI":
                answers.append((kind, body.decode() if kind == "Z" else ""))
            if kind in kinds:
                return answers

    def simple(self, sql):
        self.send(("Q", sql.encode() + b"\0"))
        return self.until("Z")

    def value(self, sql):
        return [body for kind, body in self.simple(sql) if kind == "D"][0]

    def open(self, portal, sql):
        self.send(("P", b"\0" + sql.encode() + b"\0\0\0"), ("B", portal.encode() + b"\0\0" + b"\0\0" * 3))

    def fetch(self, portal, limit):
        """Rows of a portal, then how it went: suspended, complete or the error's code."""
        self.send(("E", portal.encode() + b"\0" + struct.pack("!I", limit)), ("H", b""))
        answers = self.until("s", "C", "E")
        rows = [body for kind, body in answers if kind == "D"]
        end = {"s": "suspended", "C": "complete", "E": answers[-1][1]}[answers[-1][0]]
        return rows, end

    def sync(self):
        self.send(("S", b""))
        return self.until("Z")[-1][1]


SETUP = """
    DROP TABLE IF EXISTS portal_rows;
    CREATE TABLE portal_rows (id int PRIMARY KEY, v text);
    INSERT INTO portal_rows SELECT g, 'v' || g FROM generate_series(1, 10) g;
"""
READ = "SELECT id FROM corm.get_multi(NULL::portal_rows, corm.order_by('id'))"
LIST = "SELECT (corm.get_multi(NULL::portal_rows, corm.order_by('id'))).id"

connection = Connection()
connection.simple(SETUP)

for name, sql in (("in FROM", READ), ("in the select list", LIST)):
    connection.open("p", sql)
    check(f"{name}: the first rows", connection.fetch("p", 2), (["1", "2"], "suspended"))
    check(f"{name}: the next ones", connection.fetch("p", 3), (["3", "4", "5"], "suspended"))
    check(f"{name}: the rest", connection.fetch("p", 0), (["6", "7", "8", "9", "10"], "complete"))
    check(f"{name}: the session is idle", connection.sync(), "I")

# Two portals of one query at a time, with a write between: each keeps the rows of its start.
connection.simple("BEGIN")
connection.open("a", READ)
check("a begins", connection.fetch("a", 1), (["1"], "suspended"))
connection.open("b", READ)
check("b begins", connection.fetch("b", 2), (["1", "2"], "suspended"))
connection.sync()
check("rows are deleted meanwhile",
      connection.simple("SELECT corm.exec(corm.deleter('portal_rows'), corm.where(corm.gt('id', 3)))")[0], ("D", "7"))
check("a goes on", connection.fetch("a", 4), (["2", "3", "4", "5"], "suspended"))
check("b goes on", connection.fetch("b", 0), (["3", "4", "5", "6", "7", "8", "9", "10"], "complete"))
connection.sync()
check("a new portal sees the write", (connection.open("c", READ), connection.fetch("c", 0))[1], (["1", "2", "3"], "complete"))
connection.sync()
connection.simple("ROLLBACK")

# What is written under a suspended portal, in the same transaction
connection.simple("BEGIN")
connection.open("p", "SELECT corm.get_json(corm.selector('portal_rows'), corm.where(corm.eq('id', g))) FROM generate_series(1, 4) AS g")
check("a call for each row", connection.fetch("p", 1), (['{"v": "v1", "id": 1}'], "suspended"))
connection.sync()
connection.simple("UPDATE portal_rows SET v = 'w'")
check("sees what was written since, as volatile functions do", connection.fetch("p", 1), (['{"v": "w", "id": 2}'], "suspended"))
connection.sync()
connection.simple("ROLLBACK")

# A write that is suspended: all its rows are written, whether fetched or not.
connection.simple("BEGIN")
connection.open("p", "SELECT id FROM corm.get_multi(NULL::portal_rows, corm.updater('portal_rows'), corm.set('v', 'x'), corm.all_rows())")
check("a write, suspended", connection.fetch("p", 3)[1], "suspended")
connection.sync()
check("has written all", connection.value("SELECT corm.count(corm.selector('portal_rows'), corm.where(corm.eq('v', 'x')))"), "10")
connection.simple("ROLLBACK")
check("and is undone", connection.value("SELECT corm.count(corm.selector('portal_rows'), corm.where(corm.eq('v', 'x')))"), "0")

# An error in the middle
connection.open("p", "SELECT corm.value(NULL::int, corm.selector('portal_rows'), corm.select(corm.raw('10 / (id - 5)')), "
                     "corm.where(corm.eq('id', g))) FROM generate_series(1, 10) AS g")
check("rows before the error", connection.fetch("p", 4), (["-2", "-3", "-5", "-10"], "suspended"))
check("the error", connection.fetch("p", 4), ([], "22012"))
check("the session goes on", connection.sync(), "I")

# A thousand portals that are abandoned by Sync, closed by ROLLBACK, by an error, or by Close
MEMORY = "SELECT sum(total_bytes) FROM pg_backend_memory_contexts"
LEFT = ("SELECT (SELECT count(*) FROM pg_cursors) || ' ' || (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() "
        "AND relation = 'portal_rows'::regclass)")


def thousand():
    for i in range(250):
        connection.open("p", READ)
        connection.fetch("p", 1 + i % 5)
        connection.sync()
        connection.simple("BEGIN")
        connection.open("q", LIST)
        connection.fetch("q", 1)
        connection.sync()
        connection.simple("ROLLBACK")
        connection.simple("BEGIN")
        connection.open("q", READ)
        connection.fetch("q", 1)
        connection.sync()
        connection.simple("SELECT corm.get(NULL::portal_rows, corm.where(corm.eq('id', -1)))")
        connection.simple("ROLLBACK")
        connection.simple("BEGIN")
        connection.open("r", READ)
        connection.fetch("r", 2)
        connection.send(("C", b"Pr\0"))
        connection.sync()
        connection.simple("COMMIT")


thousand()
before = int(connection.value(MEMORY))
thousand()
thousand()
after = int(connection.value(MEMORY))
check("no portal and no lock is left", connection.value(LEFT), "0 0")
check("memory is flat", after - before < 200_000, True)
check("the plans are still there", connection.value("SELECT plans > 0 AND hits > misses FROM corm.plan_cache_stats()"), "t")
connection.simple("DROP TABLE portal_rows")
print(f"1..{number}")
