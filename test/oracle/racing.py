"""The race: clients on threads of their own, all at the same rows and keys.

The model is arithmetic.  What a client was told is added up, and in the end the sums must be what is stored: a counter
has every increment, a version every update, a name one row and one creator, a key one who added it and one value that
was fetched.  Whatever was rolled back must not be there.
"""

import random
import threading

from server import Session

SCHEMA = """
CREATE TABLE counters (id int PRIMARY KEY, n bigint NOT NULL DEFAULT 0, version int NOT NULL DEFAULT 1);
COMMENT ON COLUMN counters.version IS '@orm:version';
INSERT INTO counters SELECT generate_series(1, 4);
CREATE TABLE names (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text NOT NULL UNIQUE, creator int NOT NULL);
CREATE SEQUENCE computed;
"""
COUNTERS = [1, 2, 3, 4]
KEYS = ["a", "b"]


class Racer:
    def __init__(self, number, rng):
        self.number, self.rng = number, rng
        self.session = Session(f"racer {number}")
        self.steps, self.conflicts, self.rollbacks = 0, 0, 0
        self.wrong = None
        self.n, self.updates = dict.fromkeys(COUNTERS, 0), dict.fromkeys(COUNTERS, 0)
        self.counted = dict.fromkeys(KEYS, 0)
        self.created, self.added, self.fetched = set(), set(), {}

    def run(self, sql, *allowed):
        self.steps += 1
        sqlstate, rows = self.session.run(sql)
        if sqlstate and sqlstate not in allowed:
            raise RuntimeError(f"{sqlstate} {self.session.message}\nin: {sql}")
        return sqlstate, rows

    def add(self, id, by):
        self.n[id] += by
        self.updates[id] += 1

    # each an operation

    def count(self):
        key, by, times = self.rng.choice(KEYS), self.rng.choice([1, 2, -1]), self.rng.choice([1, 50, 200])
        if self.rng.random() < 0.5:
            self.run(f"SELECT count(corm.cache_incr('{key}', {by})) FROM generate_series(1, {times})")
        else:  # it takes effect at once, and stays
            self.run("BEGIN")
            self.run(f"SELECT count(corm.cache_incr('{key}', {by})) FROM generate_series(1, {times})")
            self.run("ROLLBACK")
        self.counted[key] += by * times

    def optimistic(self):
        """Read, think, write: whoever wrote in between wins, and this client must be told."""
        id = self.rng.choice(COUNTERS)
        _, rows = self.run(f"SELECT c.n, c.version FROM corm.get(NULL::counters, corm.where(corm.eq('id', {id}))) c")
        n, version = map(int, rows[0])
        row = f"ROW({id}, {n + 1}, {version})::counters"
        verb = self.rng.choice([f"corm.update({row})", f"corm.save({row})", f"corm.update_multi(ARRAY[{row}])"])
        sqlstate, _ = self.run(f"SELECT {verb}", "OR010")
        if sqlstate:
            self.conflicts += 1
        else:
            self.add(id, 1)

    def by_query(self):
        id, by = self.rng.choice(COUNTERS), self.rng.choice([1, 5, -2])
        command = self.rng.choice([
            f"SELECT corm.exec(corm.updater('counters'), corm.set('n', corm.add('n', {by})), corm.where(corm.eq('id', {id})))",
            f"SELECT corm.exec(corm.inserter('counters'), corm.set('id', {id}), corm.set('n', {by}), corm.on_conflict('id'), "
            "corm.do_update(), corm.set('n', corm.add('n', corm.excluded('n'))))"])
        dice = self.rng.random()
        if dice < 0.3:
            self.run(command)
        elif dice < 0.6:
            self.run(f"SELECT corm.do_tx($x${command}$x$)")
        elif dice < 0.8:  # a part is undone, with what would have been cached
            self.run(f"SELECT corm.do_tx($x${command}; SELECT corm.try_tx(corm.tx('nested'), $y${command}; SELECT corm.cache_set('undone', 'x'); SELECT 1/0$y$)$x$)")
        else:
            self.run(f"SELECT corm.do_tx($x${command}; SELECT corm.cache_set('undone', 'x'); SELECT 1/0$x$)", "22012")
            self.rollbacks += 1
            return
        self.add(id, by)

    def create(self):
        name = f"name {self.nearby()}"
        _, rows = self.run(f"SELECT corm.exec(corm.inserter('names'), corm.set('name', '{name}'), corm.set('creator', {self.number}), "
                           "corm.on_conflict('name'), corm.do_nothing())")
        if rows[0][0] == "1":
            self.created.add(name)

    def win(self):
        key = f"win {self.nearby()}"
        if self.run(f"SELECT corm.cache_add('{key}', {self.number}, immediate => true)")[1][0][0] == "t":
            self.added.add(key)

    def fetch(self):
        key = f"fetch {self.nearby()}"
        value = self.run(f"SELECT corm.cache_fetch('{key}', $x$SELECT nextval('computed')$x$, '1 hour')")[1][0][0]
        if self.fetched.setdefault(key, value) != value:
            raise RuntimeError(f"{key} was {self.fetched[key]} and is {value}")

    def nearby(self):
        """A number near which the others are, too."""
        return self.steps // 40 + self.rng.randrange(3)

    def work(self, left):
        try:
            while left(self.steps) and not self.wrong:
                self.rng.choices([self.count, self.optimistic, self.by_query, self.create, self.win, self.fetch], [3, 6, 6, 2, 2, 2])[0]()
        except Exception as error:
            self.wrong = f"client {self.number}: {error}"


def run(seed, clients, budget):
    """(steps, what is wrong or "", detail)."""
    racers = [Racer(number, random.Random(f"race {seed} {number}")) for number in range(1, clients + 1)]
    admin = Session("race")
    share = lambda steps: budget.left(steps * clients)
    threads = [threading.Thread(target=racer.work, args=(share,)) for racer in racers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrong = [racer.wrong for racer in racers if racer.wrong]

    def compare(what, is_, should):
        if is_ != should:
            wrong.append(f"{what}: {is_}, should be {should}")

    for id, n, version in admin.must("SELECT id, n, version FROM counters ORDER BY id"):
        compare(f"n of counter {id}", int(n), sum(racer.n[int(id)] for racer in racers))
        compare(f"version of counter {id}", int(version), 1 + sum(racer.updates[int(id)] for racer in racers))
    for key in KEYS:
        compare(f"cached counter {key}", int(admin.must(f"SELECT coalesce(corm.cache_get('{key}'), '0')")[0][0]), sum(racer.counted[key] for racer in racers))
    compare("key of what was rolled back", admin.must("SELECT corm.cache_get('undone')")[0][0], None)
    compare("creators", {(name, int(creator)) for name, creator in admin.must("SELECT name, creator FROM names")},
            {(name, racer.number) for racer in racers for name in racer.created})
    added = [key for racer in racers for key in racer.added]
    compare("keys that several clients have added", sorted(key for key in set(added) if added.count(key) > 1), [])
    fetched = {}
    for racer in racers:
        for key, value in racer.fetched.items():
            fetched.setdefault(key, set()).add(value)
    compare("keys with several fetched values", {key: values for key, values in fetched.items() if len(values) > 1}, {})
    wrong += [row[0] for row in admin.must("SELECT c FROM corm.cache_check() c")]
    for session in [racer.session for racer in racers] + [admin]:
        session.close()
    return (sum(racer.steps for racer in racers), "\n".join(wrong),
            f"{sum(racer.conflicts for racer in racers)} conflicts, {sum(racer.rollbacks for racer in racers)} rollbacks")
