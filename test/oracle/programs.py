"""Random programs: operations as data, their SQL, and what each does to the model.

An operation is a tuple (name, arguments...): a command, a closure, or one of operations.py.  It means something in every
state, so that any part of a program is a program; that is what the shrinker needs.  `perform` does it to a model Client and
returns its SQL and what the server must answer.  Writer makes operations.
"""

from collections import namedtuple

from model import Failure, Prefix
from operations import IDS, Operations, text


class Program:
    """What a client does: rendering and performing its operations."""

    def __init__(self, number, private, table):
        self.operations = Operations(number, private, table)
        self.quotes = 0

    def quoted(self, sql):
        self.quotes += 1
        return f"$q{self.quotes}${sql}$q{self.quotes}$"

    # Closures are trees of ("op", operation), ("check", number), ("error",), ("ask",), ("block", nodes) and
    # ("scope", form, propagation, options, nodes).  depths: check's number -> the depth that it must find; a check that
    # must not be reached has none.

    def run_nodes(self, client, nodes, depths):
        for node in nodes:
            self.run_node(client, node, depths)

    def run_node(self, client, node, depths):
        kind = node[0]
        if kind == "op":
            self.operate(client, node[1])
        elif kind == "check":
            depths[node[1]] = len(client.scopes)
        elif kind == "error":
            raise Failure("22012")
        elif kind == "ask":
            client.ask()
        elif kind == "block":
            before = client.snapshot()
            try:
                self.run_nodes(client, node[1], depths)
            except Failure:
                client.restore_data(before)
        else:
            return self.run_scope(client, node, depths)

    def run_transaction(self, client, node, depths):
        """CALL corm.run_tx: a transaction of its own."""
        _, _, propagation, options, nodes = node
        if propagation not in ("required", "requires_new"):
            raise Failure("OR006")
        if client.block:
            if propagation == "requires_new":
                [(ok, failed)] = self.run_elsewhere(client, node, depths)
                return [self.transaction_answer(ok, failed)]
            raise Failure("2D000")
        options = dict(options)
        client.isolation = options.pop("isolation", client.isolation)
        options.pop("retries", None)
        [(ok, failed)] = self.run_scope(client, ("scope", "try_tx", propagation, options, nodes), depths)
        client.finish(ok)
        return [self.transaction_answer(ok, failed)]

    def transaction_answer(self, ok, failed):
        return (Prefix("(t," if ok else " or ".join(f"(f,,{sqlstate}," for sqlstate in (failed or "").split(" or "))),)

    def run_elsewhere(self, client, node, depths):
        """A transaction in another process, or several of them: what corm.try_tx answers."""
        _, _, propagation, options, nodes = node
        options, failed = dict(options), None
        if propagation == "requires_new":
            other = client.other()
            other.isolation = options.pop("isolation", "read committed")
            options.pop("retries", None)
            [(ok, failed)] = self.run_scope(other, ("scope", "try_tx", "required", options, nodes), depths)
            other.finish(ok)
            return [(ok, failed)]
        for one in nodes:
            other = client.other()
            other.outside_read_only = options.get("read_only", False)
            try:
                self.run_node(other, one, depths)
                other.finish(True)
            except Failure as failure:
                other.finish(False)
                return [(False, failure.sqlstate)]
        return [(True, None)]

    def run_scope(self, client, node, depths):
        _, form, propagation, options, nodes = node
        options = dict(options)
        if propagation == "requires_new" or propagation == "not_supported" and client.active():
            [(ok, failed)] = answer = self.run_elsewhere(client, node, depths)
            if form == "try_tx":
                return answer
            if failed:
                raise Failure(failed)
            return None
        try:
            place = client.place(propagation, options)
            client.check_options(propagation, options)
        except Failure as refused:
            if form == "do_tx":
                raise
            return [(False, refused.sqlstate)]
        join, read_only = place == "join", options.get("read_only", False)
        before, failed, outside_read_only = client.snapshot(), None, client.outside_read_only
        scope = None
        if place == "none":
            client.outside_read_only = client.outside_read_only or read_only
        else:
            scope = client.open_scope("joined" if join else "closure", read_only)
        try:
            self.run_nodes(client, nodes, depths)
        except Failure as failure:
            failed = failure.sqlstate
        client.outside_read_only = outside_read_only
        if scope:
            scope = client.scopes[-1]
        asked = not failed and scope is not None and scope["asked"]
        if scope and not failed and not asked and scope["doomed"]:
            failed = "40000"
        if (not join or form == "try_tx") and (failed or asked):
            client.restore_data(before)
        if scope:
            client.scopes.pop()
            if join and (asked or failed):
                other = scope["target"] != scope["id"]
                if other or asked:
                    client.doom(scope["target"] if other else None)
        if form == "try_tx":
            return [(not failed and not asked, failed)]
        if failed:
            raise Failure(failed)
        return None

    def node_sql(self, node, depths):
        kind = node[0]
        if kind == "op":
            return self.operation_sql(node[1])
        if kind == "check":
            return f"SELECT check_depth({depths.get(node[1], 'NULL')})"
        if kind == "error":
            return "SELECT 1/0"
        if kind == "ask":
            return "SELECT corm.set_rollback_only()"
        if kind == "block":
            return f"SELECT exception_block(ARRAY[{', '.join(self.quoted(self.node_sql(kid, depths)) for kid in node[1])}]::text[])"
        _, form, propagation, options, nodes = node
        options = self.options_sql(propagation, options)
        body = self.quoted("; ".join(self.node_sql(kid, depths) for kid in nodes))
        if form == "try_tx":
            return f"SELECT ok, sqlstate FROM corm.try_tx({options}, {body})"
        if form == "run_tx":
            return f"CALL corm.run_tx({body}, {options})"
        return f"SELECT corm.do_tx({options}, {body})"

    def options_sql(self, propagation, options):
        return f"corm.tx('{propagation}'{''.join(f', {name} => {text(value)}' for name, value in options)})"

    # operations

    def operation_sql(self, operation):
        return getattr(self.operations, "sql_" + operation[0])(*operation[1:]).replace("items", self.operations.table)

    def operate(self, client, operation):
        before = client.snapshot()
        try:
            return getattr(self.operations, "do_" + operation[0])(client, *operation[1:])
        except Failure:
            client.restore_data(before)
            raise

    def perform(self, client, operation):
        """Do it to the model.  (sql, sqlstate, rows): rows None means that they do not matter."""
        name, arguments = operation[0], operation[1:]
        commands = {
            "begin": ("BEGIN", client.begin), "commit": ("COMMIT", client.commit), "rollback": ("ROLLBACK", client.rollback),
            "savepoint": ("SAVEPOINT {}", client.savepoint), "release": ("RELEASE SAVEPOINT {}", client.release),
            "rollback_to": ("ROLLBACK TO SAVEPOINT {}", client.rollback_to),
            "begin_tx": ("CALL corm.begin_tx({})", client.begin_tx), "commit_tx": ("CALL corm.commit_tx()", client.commit_tx),
            "rollback_tx": ("CALL corm.rollback_tx()", client.rollback_tx), "ask": ("SELECT corm.set_rollback_only()", client.ask),
            "rollback_if_not_committed": ("CALL corm.rollback_if_not_committed()", client.rollback_if_not_committed),
            "commit_and_chain": ("COMMIT AND CHAIN", client.commit_and_chain),
            "rollback_and_chain": ("ROLLBACK AND CHAIN", client.rollback_and_chain),
        }
        depths = {}
        if name.endswith("_and_chain") and client.savepoints and client.read_only():
            # of several subtransactions, which says what is kept differs between versions of PostgreSQL
            name = name[:-len("_and_chain")]
        try:
            if name in commands:
                sql, command = commands[name]
                if name == "begin_tx":
                    arguments = (self.options_sql(*arguments) if arguments[0] else "",)
                sql = sql.format(*arguments)
                command(*operation[1:])
                return sql, "", None
            if name == "error":
                sql = "SELECT 1/0"
                client.need_healthy()
                raise Failure("22012")
            if name == "closure":
                sql = None
                client.need_healthy()
                if arguments[0][1] == "run_tx":
                    rows = self.run_transaction(client, arguments[0], depths)
                else:
                    rows = self.run_node(client, arguments[0], depths)
                sql = self.node_sql(arguments[0], depths)
            else:
                sql = self.operation_sql(operation)
                client.need_healthy()
                rows = self.operate(client, operation)
            if not client.block:
                client.finish(True)
            return sql, "", rows
        except Failure as failure:
            if sql is None:
                sql = self.node_sql(arguments[0], depths)
            client.fail()
            return sql, failure.sqlstate, None


# What a program is about: the weights of the operations that Writer.operation() chooses from, the keys that count, the
# modes of puts, and the share of steps that is surely one of these operations.
Theme = namedtuple("Theme", "weights counters modes steady")
EVERYTHING = Theme([6, 4, 3, 7, 6, 4, 6, 4, 4, 3, 3, 3, 1, 2, 2, 2, 2, 2, 2, 6, 2, 2, 4, 3, 2, 2, 1, 1, 1], ["i", "j", "a"], ["set", "set", "add", "replace"], 0)
# where a transaction meets a key of the cache more than once, which it seldom does where there is everything else
FEW_KEYS = Theme([0] * 19 + [2, 6, 2, 4, 6, 2, 1, 1, 1, 1], ["i"], ["set", "add", "replace"], 0.5)
THEMES = [EVERYTHING, EVERYTHING, FEW_KEYS]


# What a body does in another process: it reads, or writes to a cache whose writes may have happened when the caller is cancelled.
ELSEWHERE = {"get", "one", "count", "all", "sum", "pluck", "cache_put", "cache_get", "cache_delete", "cache_incr", "cache_touch", "wiped_count"}


class Writer:
    """The generator of programs."""

    def __init__(self, rng):
        self.rng = rng
        self.values = 0
        self.theme = rng.choice(THEMES)

    def id(self):
        return self.rng.randrange(IDS)

    def n(self):
        return self.rng.choice([None, 0, 1, 1, 2, 3, 50, 99, 100])

    def row(self):
        id = self.id()
        return id, id if self.rng.random() < 0.85 else self.id(), self.n(), self.rng.choice([None, "a", "b"])

    def operation(self):
        rng, self.values = self.rng, self.values + 1
        stale = 1 if rng.random() < 0.15 else 0
        key = rng.choice(["a", "b", "c", "d"])
        count = rng.choice(self.theme.counters)
        any_key = rng.choice([key, count])
        now = rng.random() < 0.25
        return rng.choices([
            lambda: ("insert", *self.row()),
            lambda: ("insert_multi", *[self.row() for _ in range(rng.choice([1, 2, 3]))]),
            lambda: ("insert_json", *self.row()),
            lambda: ("upsert", *self.row()[:3], rng.choice(["nothing", "select", "all", "n", "any", "add", "where"])),
            lambda: ("update", *self.row(), stale),
            lambda: ("update_multi", self.n(), stale, *[self.id() for _ in range(rng.choice([1, 2, 3]))]),
            lambda: ("save", *self.row(), stale),
            lambda: ("delete", self.id(), stale),
            lambda: ("updater", rng.choice([0, 1, 3]), rng.choice([1, 2, -1, 50]), rng.choice([None, None, 1, 3])),
            lambda: ("deleter", self.n()),
            lambda: ("purge", self.id()),
            lambda: ("restore", self.n()),
            lambda: ("no_where",),
            lambda: ("get", self.id()),
            lambda: ("one", self.n()),
            lambda: ("count", rng.choice(["", "corm.unscoped()", "corm.only_deleted()"])),
            lambda: ("all",),
            lambda: ("sum", self.n()),
            lambda: ("pluck", self.n()),
            lambda: ("cache_put", rng.choice(self.theme.modes), key, f"v{self.values}", now, rng.choice([None, None, "1 hour"])),
            lambda: ("cache_put", rng.choice(self.theme.modes), count, rng.randrange(100), now, None),
            lambda: ("cache_get", any_key),
            lambda: ("cache_delete", any_key, now),
            lambda: ("cache_incr", count, rng.choice([1, -2])),
            lambda: ("cache_touch", any_key, rng.choice(["expire", "persist"])),
            lambda: ("wiped_set", key, f"v{self.values}"),
            lambda: ("wiped_delete", key),
            lambda: ("wiped_clear",),
            lambda: ("wiped_count",),
        ], self.theme.weights)[0]()

    def operation_elsewhere(self):
        """One that needs no lock that the transaction of the caller may have."""
        while True:
            operation = self.operation()
            if operation[0] in ELSEWHERE:
                return operation

    def nodes(self, level, elsewhere=False):
        nodes = []
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            dice = self.rng.random()
            if dice < 0.45 or level > 3:
                nodes.append(("op", self.operation_elsewhere() if elsewhere else self.operation()))
            elif dice < 0.55:
                self.values += 1
                nodes.append(("check", self.values))
            elif dice < 0.61:
                nodes.append(("error",))
            elif dice < 0.64:
                nodes.append(("ask",))
            elif dice < 0.75:
                nodes.append(("block", tuple(self.nodes(level + 1, elsewhere))))
            else:
                nodes.append(self.scope(level, elsewhere))
        return nodes

    def options(self):
        """Options of a scope, most of them none."""
        rng, options = self.rng, []
        if rng.random() < 0.1:
            options.append(("read_only", rng.choice([True, True, False])))
        if rng.random() < 0.04:
            options.append(("isolation", rng.choice(["read committed", "serializable"])))
        if rng.random() < 0.05:
            options.append(("timeout", "1 hour"))
        if rng.random() < 0.03:
            options.append(("retries", 2))
        return tuple(options)

    def propagation(self):
        return self.rng.choice(["required"] * 7 + ["nested"] * 8 + ["mandatory", "supports", "never", "requires_new", "not_supported"])

    def scope(self, level, elsewhere=False):
        propagation, options = self.propagation(), self.options()
        if propagation in ("requires_new", "not_supported"):
            if elsewhere:
                propagation = "required"  # there are few workers
            elif propagation == "not_supported":
                options = tuple(option for option in options if option[0] == "read_only")
            elsewhere = True
        return ("scope", self.rng.choice(["do_tx", "try_tx"]), propagation, options, tuple(self.nodes(level + 1, elsewhere)))

    def transaction(self):
        propagation = self.rng.choice(["required"] * 8 + ["requires_new", "nested"])
        return ("scope", "run_tx", propagation, self.options(), tuple(self.nodes(2, propagation == "requires_new")))

    def begin_tx(self, propagations):
        propagation = self.rng.choice(propagations)
        # in a block, an isolation level that another client's commits could be seen by
        options = tuple(option for option in self.options() if option != ("isolation", "serializable"))
        return ("begin_tx", propagation, options) if propagation else ("begin_tx", None, ())

    def step(self, client):
        """The next operation; the state of the model makes the interesting ones likely."""
        dice, rng = self.rng.random(), self.rng
        name = rng.choice(client.savepoints)["name"] if client.savepoints else "s0"
        if client.aborted:
            if dice < 0.8:
                return ("rollback_to", name) if client.savepoints else ("rollback",)
            return rng.choice([("error",), ("commit_tx",), ("rollback_tx",), ("rollback_if_not_committed",), ("begin_tx", None, ()), ("savepoint", "s0"),
                               ("commit",), ("commit",), ("rollback",), ("commit_and_chain",), ("rollback_and_chain",)])
        if not client.block:
            if dice < 0.25:
                return ("begin",) if dice < 0.08 else self.begin_tx([None, None, "required", "required", "nested", "requires_new", "supports", "mandatory", "never"])
            if dice < 0.28:
                return rng.choice([("commit_tx",), ("rollback_tx",), ("rollback_if_not_committed",), ("ask",), ("savepoint", "s0"), ("release", "s0"),
                                   ("rollback_to", "s0"), ("error",), ("commit",), ("rollback",), ("commit_and_chain",), ("rollback_and_chain",)])
        if client.savepoints and client.scopes and client.scope()["asked"] and dice < 0.2:
            # to be rolled back, and released into what is around it
            return rng.choice([("release", name)] * 3 + [("commit",)])
        if dice < 0.6 or self.theme.steady and rng.random() < self.theme.steady:
            return self.operation()
        if dice < 0.74:
            if rng.random() < (0.05 if client.block else 0.3):
                return ("closure", self.transaction())
            return ("closure", self.scope(1) if rng.random() < 0.85 else ("block", tuple(self.nodes(1))))
        if not client.block:
            return self.operation()
        if dice < 0.79:
            return self.begin_tx([None, None, "nested", "nested", "required", "required", "required", "supports", "mandatory", "never", "requires_new", "not_supported"])
        if dice < 0.85:
            return ("commit_tx",)
        if dice < 0.875:
            return ("rollback_tx",)
        if dice < 0.89:
            return ("rollback_if_not_committed",)
        if dice < 0.9:
            return ("ask",)
        if dice < 0.925:
            return ("savepoint", rng.choice(["s0", "s1", "s2"] * 5 + ["corm_tx_9"]))
        if dice < 0.945:
            return ("release", name)
        if dice < 0.97:
            return ("rollback_to", name)
        if dice < 0.98:
            return ("error",) if rng.random() < 0.8 else ("begin",)
        return rng.choice([("commit",)] * 7 + [("rollback",), ("commit_and_chain",), ("rollback_and_chain",)])
