"""What a database with corm is, in memory: rows, cache and transaction scopes.

The model knows nothing of subtransaction ids, snapshots or plans.  A World is what is committed.  A Client is one
session: what its transaction has changed so far, its scopes and its savepoints.  A savepoint is a copy of all that, and
ROLLBACK TO puts the copy back.  An operation changes the client or raises Failure with the SQLSTATE that the server
must answer.

A scope is a dict {id, hold, target, asked, doomed, read_only}; hold: block (the transaction), savepoint, joined,
closure.  `target` is the scope that it joined, or itself.  `doomed` and `asked` are the two rollback-only marks: a
failure of something that joined, and corm.set_rollback_only().  `ended` has the scopes in which another one was ended
by commit_tx or rollback_tx, for which a rollback_if_not_committed is still to come; no rollback undoes that.
"""

from collections import namedtuple

Row = namedtuple("Row", "id owner code n note version deleted")
Put = namedtuple("Put", "value mode")  # a write of the cache that waits for the commit; mode: set, add, replace
DELETE = Put(None, "delete")
TOUCH = Put(None, "touch")


class Prefix(str):
    """An answer of which only the beginning is known."""


class Failure(Exception):
    def __init__(self, sqlstate):
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class World:
    def __init__(self):
        self.rows = {}  # id -> Row; ("save" or "delete", client) -> how often the hook after it has counted
        self.cache = {}  # (cache, key) -> text

    def copy(self):
        other = World()
        other.rows, other.cache = dict(self.rows), dict(self.cache)
        return other

    def adopt(self, other):
        self.rows, self.cache = dict(other.rows), dict(other.cache)


class Client:
    def __init__(self, world, number):
        self.world, self.number = world, number
        self.next_scope = 1
        self.fresh()

    #
    # transactions
    #

    def fresh(self):
        self.block = self.aborted = self.root = False
        self.rows, self.cache, self.cleared = {}, {}, False
        self.scopes, self.savepoints, self.ended = [], [], set()
        self.isolation, self.outside_read_only = "read committed", False

    def copy(self):
        other = Client(self.world, self.number)
        other.adopt(self)
        return other

    def other(self):
        """A session of the same client in another process."""
        return Client(self.world, self.number)

    def adopt(self, other):
        self.block, self.aborted, self.ended = other.block, other.aborted, set(other.ended)
        self.isolation, self.outside_read_only = other.isolation, other.outside_read_only
        self.next_scope = other.next_scope
        self.savepoints = [dict(savepoint) for savepoint in other.savepoints]
        self.restore(other.snapshot())

    def snapshot(self):
        return {"rows": dict(self.rows), "cache": dict(self.cache), "cleared": self.cleared, "root": self.root,
                "scopes": [dict(scope) for scope in self.scopes]}

    def restore(self, copy):
        self.rows, self.cache, self.cleared, self.root = dict(copy["rows"]), dict(copy["cache"]), copy["cleared"], copy["root"]
        self.scopes = [dict(scope) for scope in copy["scopes"]]

    def restore_data(self, copy):
        self.rows, self.cache, self.cleared = dict(copy["rows"]), dict(copy["cache"]), copy["cleared"]

    def finish(self, keep):
        if keep:
            for id, row in self.rows.items():
                if row is None:
                    self.world.rows.pop(id, None)
                else:
                    self.world.rows[id] = row
            if self.cleared:
                for key in [key for key in self.world.cache if key[0] == "wiped"]:
                    del self.world.cache[key]
            for key, put in self.cache.items():
                present = key in self.world.cache
                if put.mode == "delete":
                    self.world.cache.pop(key, None)
                elif put.mode == "set" or put.mode == ("replace" if present else "add"):
                    self.world.cache[key] = put.value
        self.fresh()

    def scope(self):
        return self.scopes[-1] if self.scopes else None

    def scope_by_id(self, id):
        return next(scope for scope in self.scopes if scope["id"] == id)

    def active(self):
        return self.block or bool(self.scopes)

    def read_only(self):
        return self.outside_read_only or any(scope["read_only"] for scope in self.scopes)

    def place(self, propagation, options):
        """What a scope with these options does here: join, open a scope, or none.  Raises what they demand otherwise."""
        if self.active():
            refused = {"never": "25001", "requires_new": "0A000", "not_supported": "0A000"}.get(propagation)
            place = "open" if propagation == "nested" else "join"
        else:
            refused = "25P01" if propagation == "mandatory" else None
            place = "none" if propagation in ("supports", "never", "not_supported") else "open"
        if refused:
            raise Failure(refused)
        return place

    def check_options(self, propagation, options):
        """What cannot be had in a transaction that runs."""
        if options.get("isolation", self.isolation) != self.isolation or options.get("read_only") is False and self.read_only():
            raise Failure("25001")
        if options.get("retries") and propagation != "requires_new":
            raise Failure("OR006")

    def open_scope(self, hold, read_only=False):
        around = self.scope()
        scope = {"id": self.next_scope, "hold": hold, "asked": False, "doomed": False, "read_only": read_only}
        self.next_scope += 1
        scope["target"] = around["target"] if hold == "joined" and around else scope["id"]
        self.scopes.append(scope)
        return scope

    def doom(self, id):
        if id is None:
            self.root = True
        else:
            self.scope_by_id(id)["doomed"] = True

    def merge_scope(self):
        """The innermost scope's work becomes part of what is around, with its mark."""
        scope = self.scopes.pop()
        if scope["doomed"] or scope["asked"]:
            self.doom(self.scope()["target"] if self.scopes else None)

    def release_from(self, index):
        holders = {savepoint["scope"] for savepoint in self.savepoints[index:] if savepoint["scope"] is not None}
        del self.savepoints[index:]
        positions = [i for i, scope in enumerate(self.scopes) if scope["id"] in holders]
        while positions and len(self.scopes) > positions[0]:
            self.merge_scope()

    def set_savepoint(self, name, scope=None):
        self.savepoints.append({"name": name, "scope": scope, "leftover": False, "copy": self.snapshot()})

    def find_savepoint(self, name):
        for i in reversed(range(len(self.savepoints))):
            if self.savepoints[i]["name"] == name:
                return i
        raise Failure("3B001")

    def rollback_to_index(self, index):
        del self.savepoints[index + 1:]
        self.restore(self.savepoints[index]["copy"])
        self.savepoints[index]["leftover"] = False
        self.ended.discard(self.savepoints[index]["scope"])
        self.aborted = False

    def fail(self):
        """A statement has failed."""
        if self.block:
            self.aborted = True
        else:
            self.finish(False)

    # the commands; each may raise Failure, upon which the caller calls fail()

    def need_healthy(self):
        if self.aborted:
            raise Failure("25P02")

    def begin(self):
        self.need_healthy()
        if self.scopes:
            raise Failure("25001")
        self.block = True

    def begin_tx(self, propagation, options=()):
        self.need_healthy()
        options = dict(options)
        if options.get("retries"):
            raise Failure("OR006")
        around, place = self.scope(), self.place(propagation or "nested", options)
        if place == "none":
            raise Failure("25P01")
        if not self.block:
            self.block = True
            self.open_scope("block", options.get("read_only", False))
            return
        self.check_options(propagation, options)
        if place == "join":
            if options.get("read_only") and not self.read_only():
                raise Failure("25001")
            self.open_scope("joined", options.get("read_only", False))
        else:
            if self.savepoints and self.savepoints[-1]["leftover"]:
                self.release_from(len(self.savepoints) - 1)
            scope = self.open_scope("savepoint", options.get("read_only", False))
            self.set_savepoint(f"corm_tx_{len(self.scopes)}", scope["id"])
        if around:
            self.ended.discard(around["id"])

    def commit(self):
        if self.aborted:
            return self.finish(False)
        if not self.block:
            return
        outermost = self.scopes[0] if self.scopes else None
        if outermost and outermost["hold"] == "block" and outermost["asked"]:
            return self.finish(False)
        self.release_from(0)
        if self.root or any(scope["asked"] or scope["doomed"] for scope in self.scopes):
            self.finish(False)
            raise Failure("40000")
        self.finish(True)

    def commit_and_chain(self, end=None):
        """The next transaction is read-only if this one is; if it has failed, only if it had that from the one before."""
        if not self.block:
            raise Failure("25P01")
        read_only = self.outside_read_only if self.aborted else self.read_only()
        (end or self.commit)()
        self.block, self.outside_read_only = True, read_only

    def rollback(self):
        self.finish(False)

    def rollback_and_chain(self):
        self.commit_and_chain(self.rollback)

    def commit_tx(self):
        self.end_tx(True)

    def rollback_tx(self):
        self.end_tx(False)

    def rollback_if_not_committed(self):
        self.need_healthy()
        scope = self.scope()
        if scope and scope["id"] in self.ended:
            self.ended.discard(scope["id"])
        elif scope:
            self.end_tx(False, False)

    def end_tx(self, commit, note=True):
        self.need_healthy()
        scope = self.scope()
        if not scope:
            raise Failure("25P01")
        if scope["asked"]:
            commit = False
        if scope["hold"] == "block":
            return self.commit() if commit else self.finish(False)
        if commit and scope["doomed"]:
            raise Failure("40000")
        if note and len(self.scopes) > 1:
            self.ended.add(self.scopes[-2]["id"])
        if scope["hold"] == "savepoint":
            index = next(i for i, savepoint in enumerate(self.savepoints) if savepoint["scope"] == scope["id"])
            if commit:
                return self.release_from(index)
            self.rollback_to_index(index)
            self.scopes.pop()
            self.savepoints[index].update(leftover=True, scope=None, copy=self.snapshot())
        else:
            if not commit:
                self.doom(scope["target"] if scope["target"] != scope["id"] else None)
            self.scopes.pop()

    def savepoint(self, name):
        self.need_healthy()
        if name.startswith("corm_tx_"):
            raise Failure("42939")
        if not self.block:
            raise Failure("25P01")
        self.set_savepoint(name)

    def release(self, name):
        self.need_healthy()
        if not self.block:
            raise Failure("25P01")
        self.release_from(self.find_savepoint(name))

    def rollback_to(self, name):
        if not self.block:
            raise Failure("25P01")
        self.rollback_to_index(self.find_savepoint(name))

    def ask(self):
        self.need_healthy()
        if not self.scopes:
            raise Failure("25P01")
        self.scope()["asked"] = True

    #
    # rows
    #

    def row(self, id):
        return self.rows[id] if id in self.rows else self.world.rows.get(id)

    def visible(self, owner=None):
        rows = dict(self.world.rows)
        rows.update(self.rows)
        return sorted(row for row in rows.values() if isinstance(row, Row) and owner in (None, row.owner))

    def counted(self, what):
        return self.row((what, self.number)) or 0

    def count(self, what, by):
        if by:
            self.rows[what, self.number] = self.counted(what) + by

    def mine(self, deleted=False):
        """This client's rows that are not deleted; with True those that are; with None all."""
        return [row for row in self.visible(self.number) if deleted is None or row.deleted == deleted]

    def live(self, id):
        row = self.row(id)
        return row if row and not row.deleted else None

    def store(self, row):
        """As the table's constraints have it."""
        if row.n is not None and row.n >= 100:
            raise Failure("23514")
        if any(other.code == row.code and other.id != row.id for other in self.visible()):
            raise Failure("23505")
        self.rows[row.id] = row

    def write(self):
        if self.read_only():
            raise Failure("25006")

    def add(self, row):
        if row.n is not None and row.n >= 100:
            raise Failure("23514")
        if self.row(row.id):
            raise Failure("23505")
        self.store(row)

    #
    # the cache
    #

    def cached(self, key):
        """The value of a key as this transaction sees it, or None."""
        put = self.cache.get(key)
        if put and put.mode != "touch":
            return put.value
        if self.cleared and key[0] == "wiped" and not put:
            return None
        return self.world.cache.get(key)

    def cache_put(self, key, value, mode, immediate):
        present = self.cached(key) is not None
        if immediate:
            there = key in self.world.cache
            if mode != "set" and there != (mode == "replace"):
                return False
            self.world.cache[key] = value
            self.cache.pop(key, None)
            return True
        if mode != "set":
            if present != (mode == "replace"):
                return False
            before = self.cache.get(key)
            if before and before.mode in ("set", "add", "replace"):
                mode = before.mode
            elif before and before.mode == "delete":
                mode = "set"
        self.cache[key] = Put(value, mode)
        return True

    def cache_delete(self, key, immediate):
        if immediate:
            value = self.world.cache.pop(key, None)
            self.cache.pop(key, None)
            return value
        value = self.cached(key)
        self.cache[key] = DELETE
        return value

    def cache_incr(self, key, by):
        put = self.cache.get(key)
        if put and put.mode != "touch":
            value = number(put.value) + by
            self.cache[key] = Put(str(value), put.mode if put.value is not None else "set")
            return value
        value = number(self.world.cache.get(key)) + by
        self.world.cache[key] = str(value)
        return value

    def cache_touch(self, key):
        if self.cached(key) is None:
            return False
        if key not in self.cache:
            self.cache[key] = TOUCH
        return True

    def cache_clear(self):
        count = sum(1 for key in self.cache_keys() if key[0] == "wiped")
        self.cleared = True
        self.cache = {key: put for key, put in self.cache.items() if key[0] != "wiped"}
        return count

    def cache_keys(self):
        return [key for key in set(self.world.cache) | set(self.cache) if self.cached(key) is not None]


def number(text):
    if text is None:
        return 0
    if not text.lstrip("-").isdigit():
        raise Failure("42804")
    return int(text)
