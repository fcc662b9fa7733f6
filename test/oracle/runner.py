"""Runs programs of operations on the server and on the model, step by step, and compares.

A program is a list of (client, operation).  In one mode all clients share a world, and one thread runs their steps in
the program's order: what one commits the others see.  In the other mode every client has rows and keys of its own and
a thread of its own.  Either way sessions may be cancelled and terminated at random meanwhile: then a statement may
answer 57014 or lose its connection, and must have done nothing; the model goes back and follows.
"""

from psycopg import pq

from model import Client, Prefix, Row, World
from operations import TABLES
from programs import Program
from server import LOST, Session

KEYS = ["a", "b", "c", "d", "i", "j"]


class Mismatch(Exception):
    pass


def as_text(value):
    return value if value is None or isinstance(value, str) else ("t" if value else "f") if isinstance(value, bool) else str(value)


def agrees(answer, expected):
    """Where the model says "x or y", it is one of them."""
    return len(answer) == len(expected) and all(
        len(row) == len(wanted) and all(value == want or isinstance(want, Prefix) and (value or "").startswith(tuple(want.split(" or "))) or
                                        " or " in (want or "") and value in want.split(" or ") for value, want in zip(row, wanted))
        for row, wanted in zip(answer, expected))


class Runner:
    """Sessions, and the model of them.  number: of the only client, where the world is private."""

    def __init__(self, clients, number=None):
        self.private = number is not None
        self.numbers = [number] if self.private else list(range(1, clients + 1))
        self.sessions = [Session(f"oracle client {n}") for n in self.numbers]
        self.admin = Session("oracle admin")
        self.disturbed = False
        self.steps = self.interrupted = self.lost = 0
        self.reset(TABLES[0])

    def close(self):
        for session in self.sessions + [self.admin]:
            session.close()

    def reset(self, table=None):
        """Everything as before a program, which is to use this table, or that of the last one."""
        self.table = table or self.table
        for session in self.sessions:
            if session.run("ROLLBACK")[0] == LOST:
                session.open()
            session.run("SET corm.subtransaction_warning = 0")
            session.run("SET statement_timeout = 0")
        owners = ", ".join(map(str, self.numbers))
        for name in [self.table, "trail"]:
            self.admin.must(f"DELETE FROM {name} WHERE owner IN ({owners})")
        for number in self.numbers:
            operations = Program(number, self.private, self.table).operations
            for key in KEYS:
                self.admin.must(f"SELECT corm.cache_delete('{operations.key(key)}', immediate => true)")
            self.admin.must(f"SELECT corm.cache_clear('{operations.wiped}')")
        self.world = World()
        self.clients = [Client(self.world, n) for n in self.numbers]
        self.programs = [Program(n, self.private, self.table) for n in self.numbers]

    #
    # what there is, and what there should be
    #

    def state_sql(self, operations):
        keys = ", ".join(f"'{operations.key(key)}'" for key in KEYS)
        return (f"SELECT corm.tx_depth(), corm.in_tx(), (SELECT rollback_only FROM corm.current_tx()), (corm.tx_stats()).open_subtransactions, "
                f"(SELECT string_agg(format('%s %s %s %s %s %s', id, code, coalesce(n::text, '-'), coalesce(note, '-'), version, deleted_at IS NOT NULL), ', ' ORDER BY id) "
                f"FROM {self.table} WHERE owner = {operations.number}), "
                + (f"(SELECT format('%s %s', count(*) FILTER (WHERE what = 'save'), count(*) FILTER (WHERE what = 'delete')) FROM trail WHERE owner = {operations.number}), "
                   if self.table == "goods" else "'0 0', ") +
                f"(SELECT string_agg(key || '=' || value, ' ' ORDER BY key) FROM corm.cache_get_many(ARRAY[{keys}])), "
                f"(SELECT string_agg(key || '=' || value, ' ' ORDER BY key) FROM corm.cache_get_many(ARRAY['a', 'b', 'c', 'd'], '{operations.wiped}'))")

    def state(self, client, operations):
        scope, marked = client.scope(), None
        if scope:
            target = client.scope_by_id(scope["target"])
            marked = scope["asked"] or scope["doomed"] or target["asked"] or target["doomed"]
        rows = ", ".join(f"{r.id} {r.code} {'-' if r.n is None else r.n} {'-' if r.note is None else r.note} {r.version} {as_text(r.deleted)}"
                         for r in client.visible(client.number))
        caches = []
        for cache, keys in (("default", [operations.key(key) for key in KEYS]), ("wiped", ["a", "b", "c", "d"])):
            values = [(key, client.cached((cache, key))) for key in sorted(keys)]
            caches.append(" ".join(f"{key}={value}" for key, value in values if value is not None))
        values = [len(client.scopes), client.active(), marked, len(client.savepoints), rows or None, f"{client.counted('save')} {client.counted('delete')}", caches[0] or None, caches[1] or None]
        return [tuple(as_text(value) for value in values)]

    def committed(self):
        """What the server has stored: rows, and the shared cache."""
        owners = ", ".join(map(str, self.numbers))
        world = World()
        for row in self.admin.must(f"SELECT id, owner, code, n, note, version, deleted_at IS NOT NULL FROM {self.table} WHERE owner IN ({owners})"):
            world.rows[int(row[0])] = Row(int(row[0]), int(row[1]), row[2], None if row[3] is None else int(row[3]), row[4], int(row[5]), row[6] == "t")
        for what, owner, count in self.admin.must(f"SELECT what, owner, count(*) FROM trail WHERE owner IN ({owners}) GROUP BY 1, 2"):
            world.rows[what, int(owner)] = int(count)
        for program in self.programs:
            operations = program.operations
            for cache, name, keys in (("default", "default", [operations.key(key) for key in KEYS]), ("wiped", operations.wiped, KEYS)):
                array = ", ".join(f"'{key}'" for key in keys)
                for key, value in self.admin.must(f"SELECT key, value FROM corm.cache_get_many(ARRAY[{array}], '{name}') WHERE value IS NOT NULL"):
                    world.cache[cache, key] = value
        return world

    #
    # steps
    #

    def step(self, index, operation, timeout=None):
        """One operation and a look at the state afterwards; raises Mismatch."""
        client, session, program = self.clients[index], self.sessions[index], self.programs[index]
        if timeout:
            self.set_timeout(index, timeout)
        before = (client.copy(), self.world.copy()) if self.disturbed else None
        sql, sqlstate, rows = program.perform(client, operation)
        got, answer = session.run(sql)
        message = session.message if got else ""
        self.steps += 1
        if self.disturbed and got in ("57014", LOST) and got != sqlstate:
            self.interruption(index, got, before, sql)
            if timeout:
                self.set_timeout(index, 0)
            return
        if got not in sqlstate.split(" or "):
            raise Mismatch(f"{sql}\nanswers {got or 'success'}{f' ({message})' if got else ''}, the model says {sqlstate or 'success'}")
        if not got and rows is not None:
            expected = [tuple(as_text(value) for value in row) for row in rows]
            if not agrees(answer, expected):
                raise Mismatch(f"{sql}\nanswers {answer}, the model says {expected}")
        if timeout:
            self.set_timeout(index, 0)
        self.look(index, sql)

    def set_timeout(self, index, timeout):
        """It may be interrupted like anything else; in an aborted transaction it fails."""
        before = self.clients[index].copy(), self.world.copy()
        got, _ = self.sessions[index].run(f"SET statement_timeout = '{timeout}'")
        if got in ("57014", LOST):
            self.interruption(index, got, before, "SET")

    def look(self, index, sql):
        client, session, operations = self.clients[index], self.sessions[index], self.programs[index].operations
        if client.aborted:
            return
        got, answer = session.run(self.state_sql(operations))
        self.steps += 1
        if self.disturbed and got in ("57014", LOST):
            before = client.copy(), self.world.copy()
            return self.interruption(index, got, before, "the look at the state")
        expected = self.state(client, operations)
        if got or answer != expected:
            raise Mismatch(f"{sql}\nleaves {got and session.message or answer[0]},\nthe model has {expected[0]}")

    def interruption(self, index, got, before, sql):
        """A statement was cancelled, or its session terminated: it has done nothing, unless it was the COMMIT."""
        client, session = self.clients[index], self.sessions[index]
        after = self.world.copy()
        client.adopt(before[0])
        self.world.adopt(before[1])
        if got == LOST:
            self.lost += 1
            client.finish(False)
            session.open()
            session.run("SET corm.subtransaction_warning = 0")
        else:
            self.interrupted += 1
            status = session.connection.transaction_status
            if status == pq.TransactionStatus.INERROR:
                client.aborted = True
            elif status == pq.TransactionStatus.IDLE:
                client.finish(False)
            else:
                raise Mismatch(f"{sql}\nis cancelled and leaves the transaction as if nothing had happened")
        found = self.committed()
        wiped = lambda world: {key: value for key, value in world.cache.items() if key[0] == "wiped"}
        for world in (self.world, after) if got == LOST else (self.world,):
            if found.rows == world.rows and wiped(found) == wiped(world):
                break
        else:
            raise Mismatch(f"{sql}\nis interrupted ({got}) and leaves {found.rows} {found.cache},\nnot {self.world.rows} {self.world.cache}"
                           f"\nnor {after.rows} {after.cache}")
        # what takes effect at once may or may not have done so
        self.world.adopt(found)

    def run(self, program, timeouts=None):
        """Run a program from the start; raises Mismatch with the number of the step in .at"""
        self.reset()
        for at, (index, operation) in enumerate(program):
            try:
                self.step(index, operation, timeouts(at) if timeouts else None)
            except Mismatch as mismatch:
                mismatch.at = at
                raise
