"""Fresh answers: writers of all kinds and readers at the same time, and every answer compared with what was acknowledged.

Each writer has a row of its own in each table, with a stamp that only grows.  So an answer, which has the stamps of all
writers, is right if no stamp is lower than the one that its writer had been acknowledged before the call began, or that a
plain query of the same session has shown before; none is higher than what the writer had begun when the call ended; and
none is of a transaction that was rolled back.  A session that has written must see its own stamp, one of REPEATABLE READ
exactly what a plain query shows; two tables that are always written together have the same stamps.

If the server has corm_test, its sessions take random naps at the steps of the protocol (NAPS), so that others come between,
and some calls are looked at: each kind of call must have been answered from the cache at least once.
With kills, backends, the postmaster's helpers or the postmaster itself are killed with SIGKILL; the server restarts, and what was
prepared is there.

hardening 61
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import threading
import time

from server import LOST, Session

WRITERS, READERS = 4, 4
NAPS = ("fresh-found", "fresh-committing", "fresh-visible", "fresh-publish", "fresh-published", "fresh-preparing", "fresh-prepared",
        "fresh-r1", "fresh-settle", "cached-key", "cached-run", "fetch-load", "fetch-loaded")
TABLES = ["plain", "kid", "shadow", "parts", "leaf", "heirs", "frozen", "ring", "born", "made"]
ROWS = f"SELECT w, 0 FROM generate_series(1, {WRITERS}) w"
SCHEMA = f"""
CREATE TABLE plain (w int PRIMARY KEY, stamp bigint); INSERT INTO plain {ROWS};
CREATE TABLE boss (w int PRIMARY KEY, stamp bigint UNIQUE); INSERT INTO boss SELECT w, -w FROM generate_series(1, {WRITERS}) w;
CREATE TABLE kid (w int PRIMARY KEY, stamp bigint REFERENCES boss (stamp) ON UPDATE CASCADE); INSERT INTO kid SELECT * FROM boss;
CREATE TABLE light (w int PRIMARY KEY, stamp bigint); INSERT INTO light {ROWS};
CREATE TABLE shadow (w int PRIMARY KEY, stamp bigint); INSERT INTO shadow {ROWS};
CREATE FUNCTION cast_shadow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE shadow SET stamp = NEW.stamp WHERE w = NEW.w; RETURN NEW; END';
CREATE TRIGGER cast_shadow AFTER UPDATE ON light FOR EACH ROW EXECUTE FUNCTION cast_shadow();
CREATE TABLE parts (w int, stamp bigint, leaf int) PARTITION BY LIST (leaf);
CREATE TABLE parts0 PARTITION OF parts FOR VALUES IN (0); CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1) PARTITION BY LIST (leaf);
CREATE TABLE parts1a PARTITION OF parts1 FOR VALUES IN (1); INSERT INTO parts SELECT w, 0, 0 FROM generate_series(1, {WRITERS}) w;
CREATE TABLE leaves (w int, stamp bigint) PARTITION BY RANGE (w); CREATE TABLE leaf PARTITION OF leaves DEFAULT; INSERT INTO leaves {ROWS};
CREATE TABLE heirs (w int, stamp bigint); CREATE TABLE heir1 () INHERITS (heirs); CREATE TABLE heir2 () INHERITS (heir1); INSERT INTO heir2 {ROWS};
CREATE TABLE warm (w int PRIMARY KEY, stamp bigint); INSERT INTO warm {ROWS};
CREATE MATERIALIZED VIEW frozen AS SELECT * FROM warm; CREATE UNIQUE INDEX ON frozen (w);
CREATE TABLE ring (w int, stamp bigint) PARTITION BY LIST (w);
{"".join(f"CREATE TABLE ring{w} PARTITION OF ring FOR VALUES IN ({w}); INSERT INTO ring VALUES ({w}, 0);" for w in range(1, WRITERS + 1))}
CREATE TABLE born (w int, stamp bigint); INSERT INTO born {ROWS};
{"".join(f"CREATE FUNCTION made{w}() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 0::bigint';" for w in range(1, WRITERS + 1))}
CREATE VIEW made AS {" UNION ALL ".join(f"SELECT {w} AS w, made{w}() AS stamp" for w in range(1, WRITERS + 1))};
CREATE TABLE twin_a (w int PRIMARY KEY, stamp bigint); INSERT INTO twin_a {ROWS};
CREATE TABLE twin_b (w int PRIMARY KEY, stamp bigint); INSERT INTO twin_b {ROWS};
CREATE VIEW twins AS SELECT a.w, a.stamp, b.stamp AS other FROM twin_a a JOIN twin_b b USING (w);
CREATE VIEW four AS SELECT 'plain' AS t, w, stamp FROM plain UNION ALL SELECT 'kid', w, stamp FROM kid
    UNION ALL SELECT 'leaf', w, stamp FROM leaves UNION ALL SELECT 'heirs', w, stamp FROM heirs;
CREATE FUNCTION rewrite(t regclass, w_ int, stamp_ bigint, how text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE old jsonb;
BEGIN
    EXECUTE format('LOCK TABLE %s', t);
    EXECUTE format('SELECT jsonb_agg(x) FROM %s x', t) INTO old;
    IF how = 'truncate' THEN EXECUTE format('TRUNCATE %s', t);
    ELSE EXECUTE format('DROP TABLE %s', t); EXECUTE format('CREATE TABLE %s (w int, stamp bigint)', t); END IF;
    EXECUTE format('INSERT INTO %s SELECT w, CASE WHEN w = $1 THEN $2 ELSE stamp END FROM jsonb_populate_recordset(NULL::%s, $3)', t, t)
        USING w_, stamp_, old;
END $$;
"""


class World:
    """What all know: the stamps acknowledged, begun, and void; what is wrong."""

    def __init__(self):
        self.lock = threading.Lock()
        names = TABLES + ["twins"]
        self.acknowledged = {t: {w: -10 ** 9 for w in range(1, WRITERS + 1)} for t in names}
        self.begun = {t: {w: 0 for w in range(1, WRITERS + 1)} for t in names}
        self.void = {t: set() for t in names}
        self.last = {w: 0 for w in range(1, WRITERS + 1)}
        self.wrong, self.done = None, threading.Event()

    def report(self, text):
        with self.lock:
            self.wrong = self.wrong or text
        self.done.set()


class Client(threading.Thread):
    def __init__(self, world, name, rng, naps, left):
        super().__init__(daemon=True)
        self.world, self.name_, self.rng, self.naps, self.left = world, name, rng, naps, left
        self.steps, self.errors, self.session, self.asked = 0, {}, None, {}

    def connect(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if self.session:
                    self.session.close()
                self.session = Session(self.name_)
                if not self.session.run("SELECT 1")[0]:
                    if self.naps:
                        self.session.must(f"SELECT corm_test.nap_at('{' '.join(NAPS)}', {self.naps})")
                    return
            except (ConnectionError, RuntimeError):
                pass
            time.sleep(0.05)
        raise TimeoutError("the server does not come back")

    def sql(self, text):
        sqlstate, rows = self.session.run(text)
        if sqlstate and sqlstate != LOST:
            self.errors[sqlstate] = self.errors.get(sqlstate, 0) + 1
            self.last_error = f"{sqlstate} {self.session.message}\nin: {text}"
            if sqlstate == "XX000" and "could not open relation" not in self.session.message and "cache lookup failed" not in self.session.message \
                    and "tuple concurrently" not in self.session.message:
                self.world.report(self.last_error)
        return sqlstate, rows

    def run(self):
        try:
            self.connect()
            while self.left(self.steps) and not self.world.done.is_set():
                self.steps += 1
                lost = self.step()
                while lost == LOST:
                    self.connect()
                    lost = self.after_loss()
            self.session.close()
        except Exception as error:
            self.world.report(f"{self.name_}: {type(error).__name__}: {error}")

    def after_loss(self):
        """What is left to do in the new session; LOST if that is gone, too."""
        return ""


class Writer(Client):
    prepared = None

    def __init__(self, world, w, *rest):
        super().__init__(world, f"writer {w}", *rest)
        self.w = w

    def ways(self, t, s):
        w, choose = self.w, self.rng.choice
        update = f"UPDATE {{}} SET stamp = {s} WHERE w = {w}"
        if t == "plain":
            return choose([[update.format(t)], [f"DELETE FROM plain WHERE w = {w}", f"INSERT INTO plain (w, stamp) VALUES ({w}, {s})"],
                           [f"DELETE FROM plain WHERE w = {w}", f"COPY plain (w, stamp) FROM PROGRAM 'printf {w},{s}' CSV"],
                           [f"MERGE INTO plain USING (SELECT 1) x ON w = {w} WHEN MATCHED THEN UPDATE SET stamp = {s}"],
                           [f"WITH x AS (UPDATE plain SET stamp = {s} WHERE w = {w} RETURNING 1) SELECT count(*) FROM x"],
                           [f"SELECT rewrite('plain', {w}, {s}, 'truncate')"],
                           [f"SELECT corm.exec(corm.updater('plain'), corm.set('stamp', {s}), corm.where(corm.eq('w', {w})))"],
                           [f"SELECT corm.save(ROW({w}, {s})::plain)"]])
        if t == "kid":
            return [update.format("boss")]
        if t == "shadow":
            return [update.format("light")]
        if t == "parts":
            return choose([[f"UPDATE parts SET stamp = {s}, leaf = {s % 2} WHERE w = {w}"],
                           [f"DELETE FROM parts WHERE w = {w}", f"INSERT INTO parts VALUES ({w}, {s}, {s % 2})"],
                           [f"DELETE FROM parts WHERE w = {w}", f"INSERT INTO parts1a VALUES ({w}, {s}, 1)"],
                           [f"DELETE FROM parts WHERE w = {w}", f"COPY parts FROM PROGRAM 'printf {w},{s},{s % 2}' CSV"]])
        if t == "leaf":
            return choose([[update.format("leaves")], [update.format("leaf")]])
        if t == "heirs":
            return choose([[update.format("heirs")], [f"DELETE FROM heirs WHERE w = {w}", f"INSERT INTO {choose(['heirs', 'heir1', 'heir2'])} VALUES ({w}, {s})"]])
        if t == "frozen":
            # a REFRESH that waited for another would store what its older snapshot shows
            return ["SELECT pg_advisory_xact_lock(1)", update.format("warm"), f"REFRESH MATERIALIZED VIEW {choose(['', 'CONCURRENTLY '])}frozen"]
        if t == "ring":
            new = f"ring{w}_{s}"
            return choose([[update.format("ring")],
                           [f"DO $$ DECLARE r text := (SELECT tableoid::regclass FROM ring WHERE w = {w}); BEGIN EXECUTE 'UPDATE ' || r || ' SET stamp = {s} WHERE w = {w}'; END $$"],
                           [f"DO $$ DECLARE r text := (SELECT tableoid::regclass FROM ring WHERE w = {w}); BEGIN EXECUTE 'ALTER TABLE ring DETACH PARTITION ' || r; "
                            f"EXECUTE 'DROP TABLE ' || r; CREATE TABLE {new} (stamp bigint, w int); INSERT INTO {new} VALUES ({s}, {w}); "
                            f"ALTER TABLE ring ATTACH PARTITION {new} FOR VALUES IN ({w}); END $$"]])
        if t == "born":
            return choose([[update.format("born")]] * 4 + [[f"SELECT rewrite('born', {w}, {s}, 'drop')"]])
        if t == "made":
            return [f"CREATE OR REPLACE FUNCTION made{w}() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT {s}::bigint'"]
        return [update.format("twin_a"), update.format("twin_b")]

    def step(self):
        world, rng = self.world, self.rng
        if rng.random() < 0.7:
            time.sleep(rng.uniform(0, 0.02))
        tables = rng.sample(TABLES + ["twins"], rng.choice([1, 1, 1, 2, 3]))
        with world.lock:
            world.last[self.w] += 1
            s = world.last[self.w] * 10 + self.w  # of nobody else
            for t in tables:
                world.begun[t][self.w] = s
        commands = []
        for t in sorted(tables):
            if rng.random() < 0.2:
                commands += ["SAVEPOINT a", *self.ways(t, 10 ** 15 + s), "ROLLBACK TO a"]
            commands += self.ways(t, s)
            if rng.random() < 0.1:
                commands += [("own", t, s)]
        if rng.random() < 0.05:
            commands += [f"ALTER TABLE plain {rng.choice(['ALTER stamp SET NOT NULL', 'ADD COLUMN IF NOT EXISTS extra int DEFAULT 1', 'DROP COLUMN IF EXISTS extra'])}"]
        end = rng.choices(["COMMIT", "ROLLBACK", "prepare"], [7, 1, 2])[0]
        if len(commands) > 1 or end != "COMMIT" or rng.random() < 0.5:
            commands = ["BEGIN", *commands, f"PREPARE TRANSACTION 'fresh {self.w} {s}'" if end == "prepare" else end]
        outcome = "COMMIT"
        for command in commands:
            if isinstance(command, tuple):
                if self.see_own(*command[1:]) == LOST:
                    return self.lost(tables, s, end)
                continue
            sqlstate, _ = self.sql(command)
            if sqlstate == LOST:
                return self.lost(tables, s, end)
            if sqlstate:
                if self.sql("ROLLBACK")[0] == LOST:
                    return LOST
                outcome = "ROLLBACK"
                break
            if command == "ROLLBACK":
                outcome = "ROLLBACK"
        if outcome == "COMMIT" and end == "prepare":
            time.sleep(rng.choice([0, 0, 0.001, 0.02, 0.1]))
            outcome = rng.choice(["COMMIT", "COMMIT", "ROLLBACK"])
            if self.sql(f"{outcome} PREPARED 'fresh {self.w} {s}'")[0] == LOST:
                return self.lost(tables, s, end)
        self.settle(tables, s, outcome)
        return ""

    def settle(self, tables, s, outcome):
        with self.world.lock:
            for t in tables:
                if outcome == "COMMIT":
                    self.world.acknowledged[t][self.w] = s
                else:
                    self.world.void[t].add(s)

    def lost(self, tables, s, end):
        self.prepared = (tables, s) if end == "prepare" else None
        return LOST

    def after_loss(self):
        """What was prepared is there, and still to be ended; of anything else nobody knows."""
        if not self.prepared:
            return ""
        sqlstate, rows = self.sql(f"SELECT 1 FROM pg_prepared_xacts WHERE gid = 'fresh {self.w} {self.prepared[1]}'")
        if rows:
            time.sleep(self.rng.choice([0, 0.5]))
            outcome = self.rng.choice(["COMMIT", "ROLLBACK"])
            sqlstate, _ = self.sql(f"{outcome} PREPARED 'fresh {self.w} {self.prepared[1]}'")
            if not sqlstate:
                self.settle(*self.prepared, outcome)
        if sqlstate != LOST:
            self.prepared = None
        return sqlstate

    def see_own(self, t, s):
        sqlstate, rows = self.sql(f"SELECT corm.get_multi_json(corm.selector('{t}'), corm.select('w', 'stamp'), corm.cached(fresh => true))")
        if not sqlstate and stamps(rows)[self.w] != s:
            self.world.report(f"{self.name_} has written {s} to {t} and sees {stamps(rows)}")
        return sqlstate


def stamps(rows, name="stamp"):
    return {row["w"]: row[name] for row in json.loads(rows[0][0] or "[]")} if rows else {}


class Reader(Client):
    def ask_fresh(self, kind, sql):
        """Run a call for a fresh answer; count, now and then, whether it was answered from the cache."""
        looked = self.naps and self.rng.random() < 0.3
        if looked and self.sql("SELECT corm_test.trace()")[0] == LOST:
            return LOST, []
        sqlstate, rows = self.sql(sql)
        if looked and not sqlstate:
            lost, points = self.sql("SELECT corm_test.points()")
            if lost == LOST:
                return lost, []
            points = points[0][0].split() if points else []
            asked, hits = self.asked.get(kind, (0, 0))
            hit = "fetch-load" not in points if kind[0] == "fetch" else "cached-hit" in points
            self.asked[kind] = (asked + 1, hits + hit)
        return sqlstate, rows

    def ask(self, t, way):
        """SQL that gives the rows of a table as JSON."""
        if way == "plain":
            return f"SELECT jsonb_agg(jsonb_build_object('w', w, 'stamp', stamp)) FROM {t}"
        if way == "fetch":
            tables = "{made}" if t == "made" else f"{{{t}}}"
            return f"SELECT corm.cache_fetch('{t}', 'SELECT jsonb_agg(jsonb_build_object(''w'', w, ''stamp'', stamp)) FROM {t}', depends => '{tables}')"
        if way == "typed":
            return f"SELECT jsonb_agg(jsonb_build_object('w', r.w, 'stamp', r.stamp)) FROM corm.get_multi(NULL::{t}, corm.cached(fresh => true)) r"
        return f"SELECT corm.get_multi_json(corm.selector('{t}'), corm.select('w', 'stamp'), corm.cached(fresh => true))"

    def bounds(self, t):
        with self.world.lock:
            return dict(self.world.acknowledged[t])

    def check(self, what, t, low, seen, answer):
        with self.world.lock:
            high, void = dict(self.world.begun[t]), set(self.world.void[t])
        for w in range(1, WRITERS + 1):
            stamp = answer.get(w)
            floor = max(low[w], seen.get(w, -10 ** 9) if seen else -10 ** 9)
            if stamp is None or stamp < floor or stamp > high[w] or stamp in void:
                self.world.report(f"{self.name_}, {what} of {t}: writer {w} has stamp {stamp}; acknowledged before: {low[w]}, "
                                  f"seen before: {(seen or {}).get(w)}, begun: {high[w]}{', rolled back' if stamp in void else ''}")

    def step(self):
        rng = self.rng
        dice = rng.random()
        if dice < 0.1:
            return self.joined()
        if dice < 0.2:
            return self.several()
        t = rng.choice(TABLES)
        ways = ["json", "json", "typed", "fetch"] if t not in ("born", "made", "frozen", "plain") else ["json", "json", "fetch"]
        if t == "made":
            ways = ["json"]
        if dice < 0.3:
            return self.repeatable(t, rng.choice(ways))
        block = rng.random() < 0.3
        if block and self.sql("BEGIN")[0] == LOST:
            return LOST
        seen = None
        for number in range(rng.choice([2, 3]) if block else 1):
            low = self.bounds(t)
            if rng.random() < 0.5:
                sqlstate, rows = self.sql(self.ask(t, "plain"))
                if sqlstate:
                    break
                seen = merge(seen, stamps(rows))
            way = rng.choice(ways)
            sqlstate, rows = self.ask_fresh((way, t), self.ask(t, way))
            if sqlstate:
                break
            answer = stamps(rows)
            self.check(way, t, low, seen, answer)
            seen = merge(seen, answer)
            if block:
                time.sleep(rng.choice([0, 0.005, 0.02]))
        else:
            sqlstate = ""
        if sqlstate == LOST:
            return LOST
        return self.sql("ROLLBACK")[0] if block else ""

    def joined(self):
        low = self.bounds("twins")
        sqlstate, rows = self.ask_fresh(("join", "twins"), "SELECT corm.get_multi_json(corm.selector('twins'), corm.cached(fresh => true))")
        if not sqlstate:
            self.check("a join", "twins", low, None, stamps(rows))
            if stamps(rows) != stamps(rows, "other"):
                self.world.report(f"{self.name_}: {rows[0][0]}")
        return sqlstate

    def several(self):
        lows = {t: self.bounds(t) for t in ("plain", "kid", "leaf", "heirs")}
        sqlstate, rows = self.ask_fresh(("four tables", "four"), "SELECT corm.get_multi_json(corm.selector('four'), corm.cached(fresh => true))")
        if not sqlstate:
            all_ = json.loads(rows[0][0])
            for t, low in lows.items():
                self.check("four tables", t, low, None, {row["w"]: row["stamp"] for row in all_ if row["t"] == t})
        return sqlstate

    def repeatable(self, t, way):
        if self.sql("BEGIN ISOLATION LEVEL REPEATABLE READ")[0] == LOST:
            return LOST
        first, rows = self.sql(self.ask(t, "plain"))
        if not first:
            time.sleep(self.rng.choice([0, 0.005, 0.02]))
            second, again = self.sql(self.ask(t, way))
            if not second and stamps(rows) != stamps(again) and t not in ("born", "made", "plain"):  # DDL is not of the snapshot
                self.world.report(f"{self.name_}, {way} of {t} in REPEATABLE READ: {stamps(again)}, a plain query: {stamps(rows)}")
            if LOST == second:
                return LOST
        return LOST if first == LOST else self.sql("ROLLBACK")[0]


def merge(a, b):
    return {w: max(b[w], (a or {}).get(w, -10 ** 9)) for w in b}


def kill_server():
    """SIGKILL at the postmaster, whose children then end; start the server again, which fails as long as one is left."""
    data = pathlib.Path(os.environ["CORM_DATA"])
    os.kill(int((data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
    end = time.monotonic() + 120
    start = [os.path.join(os.environ["CORM_BINDIR"], "pg_ctl"), "-D", data, "-l", os.environ["CORM_LOG"], "-w", "start"]
    while subprocess.run(start, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        if time.monotonic() > end:
            raise TimeoutError("the server does not start")
        time.sleep(0.2)


def kill_some(world, rng, cycles):
    """SIGKILL at random backends, now and then at a helper of the postmaster or at the postmaster itself; returns how often each."""
    killed = {"backends": 0, "helpers": 0, "postmaster": 0}
    while sum(killed.values()) < cycles and not world.done.wait(rng.uniform(0.2, 1.5)):
        kind = rng.choices(list(killed), [8, 1, 1])[0]
        try:
            if kind == "postmaster":
                kill_server()
                killed[kind] += 1
                continue
            look = Session("kill look")
            types = {"helpers": "'checkpointer', 'walwriter', 'background writer', 'corm launcher'", "backends": "'client backend'"}[kind]
            rows = look.run(f"SELECT pid FROM pg_stat_activity WHERE backend_type IN ({types}) AND pid <> pg_backend_pid()")[1]
            look.close()
            if rows:
                os.kill(int(rng.choice(rows)[0]), signal.SIGKILL)
                killed[kind] += 1
        except (ConnectionError, ProcessLookupError, FileNotFoundError):
            pass
    return killed


def run(seed, budget, naps, cycles=0):
    """(steps, what is wrong or "", detail).  naps: how many microseconds a nap takes at most, 0: corm_test is not there."""
    world = World()
    admin = Session("fresh")
    share = lambda steps: budget.left(steps * (WRITERS + READERS))
    writers = [Writer(world, w, random.Random(f"fresh {seed} w{w}"), naps, share) for w in range(1, WRITERS + 1)]
    readers = [Reader(world, f"reader {r}", random.Random(f"fresh {seed} r{r}"), naps, share) for r in range(1, READERS + 1)]
    for client in writers + readers:
        client.start()
    killed = kill_some(world, random.Random(f"fresh {seed} kill"), cycles) if cycles else {}
    if cycles:
        world.done.set()
    for client in writers + readers:
        client.join()
    kinds = {}
    for reader in readers:
        for kind, (asked, found) in reader.asked.items():
            before = kinds.get(kind, (0, 0))
            kinds[kind] = (before[0] + asked, before[1] + found)
    if not cycles:
        hits = dict(admin.must("SELECT cache, hits FROM corm.fresh_stats"))
        steps = sum(reader.steps for reader in readers)
        for cache in ("default", "(query results)"):
            if not world.wrong and steps > 500 and int(hits.get(cache, 0)) == 0:
                world.wrong = f"no hit at all in the cache {cache}"
        for kind, (asked, found) in sorted(kinds.items()):
            if not world.wrong and asked > 200 and found == 0:
                world.wrong = f"no hit at all in {asked} calls of {' of '.join(kind)}"
    else:
        admin.close()
        admin, hits = Session("fresh"), {}
    for (gid,) in admin.must("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"):
        admin.must(f"ROLLBACK PREPARED '{gid}'")
    wrong = world.wrong or admin.must("SELECT string_agg(c, E'\\n') FROM corm.cache_check() c")[0][0] or ""
    admin.close()
    errors = {}
    for client in writers + readers:
        for sqlstate, n in client.errors.items():
            errors[sqlstate] = errors.get(sqlstate, 0) + n
    return (sum(client.steps for client in writers + readers), wrong,
            f"hits {', '.join(f'{cache} {n}' for cache, n in sorted(hits.items()))}{', '.join(f'{n} {kind} killed' for kind, n in killed.items())}; errors {errors}; "
            f"answered from the cache: {', '.join(f'{way} of {t} {found}/{asked}' for (way, t), (asked, found) in sorted(kinds.items()))}")
