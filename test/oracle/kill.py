"""Hardening 19: backends killed with SIGKILL while clients write.  The server restarts all its processes; afterwards

- every row whose COMMIT was answered is there, with its content; of a transaction that was under way either all rows
  or none; nothing else;
- the cache is empty and sound, and has one sweeper;
- there is no shared memory but the running server's: segments that it used in an earlier life are gone.

The killed process is one of the clients' backends, or now and then one of corm's workers.  CORM_DATA is the data
directory; this runs as the user who runs the server.
"""

import glob
import os
import random
import signal
import threading
import time

from server import LOST, Session

CLIENTS = 4
SETUP = """
CREATE TABLE ledger (id bigint PRIMARY KEY, client int NOT NULL, pair bigint NOT NULL, note text NOT NULL, version int NOT NULL DEFAULT 1);
COMMENT ON COLUMN ledger.version IS '@orm:version';
"""


class Writing(threading.Thread):
    """Transactions of two rows each, by several of corm's ways; what was acknowledged, and what was under way."""

    def __init__(self, number, first, rng):
        super().__init__(daemon=True)
        self.number, self.next, self.rng = number, first, rng
        self.acknowledged, self.unknown, self.errors = [], None, []
        self.session = Session(f"writer {number}")

    def transaction(self, id):
        one, two = (f"ROW({i}, {self.number}, {id}, 'n{i}', 1)::ledger" for i in (id, id + 1))
        rows = f'[{{"id": {id}, "client": {self.number}, "pair": {id}, "note": "n{id}"}}, {{"id": {id + 1}, "client": {self.number}, "pair": {id}, "note": "n{id + 1}"}}]'
        cache = f"SELECT corm.cache_set('k{id % 50}', 'v{id}'), corm.cache_delete('k{(id + 7) % 50}'), corm.cache_incr('n')"
        return self.rng.choice([
            [f"SELECT corm.insert_multi(ARRAY[{one}, {two}])"],
            ["BEGIN", f"SELECT corm.insert({one})", cache, f"SELECT corm.save({two})", "COMMIT"],
            [f"SELECT corm.do_tx($$SELECT corm.insert({one}); {cache}; SELECT corm.try_tx(corm.tx('nested'), 'SELECT 1/0'); SELECT corm.insert({two})$$)"],
            ["CALL corm.begin_tx()", f"SELECT corm.insert_json('ledger', '{rows}')", "CALL corm.commit_tx()"],
            [f"SELECT corm.exec(corm.inserter('ledger'), corm.rows('{rows}'::jsonb), corm.on_conflict('id'), corm.do_update('note'))"],
            ["BEGIN", f"SELECT corm.insert_multi(ARRAY[{one}, {two}])", f"SELECT corm.update_multi(ARRAY(SELECT x FROM ledger x WHERE pair = {id}))", "COMMIT"],
        ])

    def run(self):
        while True:
            id = self.next
            self.next += 2
            self.unknown = id
            for command in self.transaction(id):
                sqlstate, _ = self.session.run(command)
                if sqlstate == LOST:
                    return
                if sqlstate:
                    self.errors.append(f"{command}: {sqlstate} {self.session.message}")
                    return
            self.acknowledged.append(id)
            self.unknown = None


def shared_memory(data):
    """System V segments of the postmaster, and the files of dynamic shared memory that its processes have mapped."""
    with open(f"{data}/postmaster.pid") as file:
        postmaster = int(file.readline())
    with open("/proc/sysvipc/shm") as file:
        segments = [line.split()[1] for line in file.readlines()[1:] if int(line.split()[4]) == postmaster]
    mapped = set()
    for status in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(status) as file:
                fields = file.read().rpartition(")")[2].split()
            if int(fields[1]) != postmaster:
                continue
            with open(os.path.dirname(status) + "/maps") as file:
                mapped.update(line.split()[5] for line in file if "/dev/shm/" in line and "(deleted)" not in line)
        except (OSError, IndexError, ValueError):
            pass
    return segments, mapped


def connected(name, seconds=30):
    end = time.monotonic() + seconds
    while True:
        try:
            session = Session(name)
            if not session.run("SELECT 1")[0]:
                return session
            session.close()
        except ConnectionError:
            pass
        if time.monotonic() > end:
            raise TimeoutError("the server does not come back")
        time.sleep(0.02)


def run(seed, cycles):
    """Yields (name, what is wrong or "", detail)."""
    data, rng = os.environ["CORM_DATA"], random.Random(f"kill {seed}")
    admin = Session("kill admin")
    admin.must(SETUP)
    admin.close()
    stored, wrong, killed, seen, first = {}, [], {}, set(), 1
    for cycle in range(cycles):
        writers = [Writing(n, first + n * 1000000, random.Random(f"{seed} {cycle} {n}")) for n in range(CLIENTS)]
        first += CLIENTS * 1000000
        look = Session("kill look")
        for writer in writers:
            writer.start()
        time.sleep(rng.uniform(0, 0.15))
        kind = rng.choice(["client"] * 8 + ["corm launcher", "corm cache notifier"])
        found = [] if kind == "client" else look.run(f"SELECT pid FROM pg_stat_activity WHERE backend_type = '{kind}'")[1]
        pid = int(found[0][0]) if found else rng.choice(writers).session.pid
        name = kind if found else "client"
        killed[name] = killed.get(name, 0) + 1
        os.kill(pid, signal.SIGKILL)
        for writer in writers:
            writer.join(30)
            if writer.is_alive():
                wrong.append(f"cycle {cycle}: writer {writer.number} hangs")
            wrong += [f"cycle {cycle}: {error}" for error in writer.errors]
            writer.session.close()
        look.close()
        session = connected("kill check")
        # the cache: before anybody writes again
        cache = session.must("SELECT corm.cache_count(), (SELECT count(*) FROM corm.cache_check())")[0]
        if cache != ("0", "0"):
            wrong.append(f"cycle {cycle}: {cache[0]} entries in the cache after the restart, {cache[1]} complaints of corm.cache_check()")
        if session.must("SELECT corm.wait_ready('20 s')")[0][0] != "t":
            wrong.append(f"cycle {cycle}: the sweeper does not come back")
        sweepers = session.must("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'corm launcher'")[0][0]
        if sweepers != "1":
            wrong.append(f"cycle {cycle}: {sweepers} sweepers")
        segments, mapped = shared_memory(data)
        if len(segments) != 1:
            wrong.append(f"cycle {cycle}: System V segments {segments}")
        orphans = [path for path in seen - mapped if os.path.exists(path)]
        if orphans:
            wrong.append(f"cycle {cycle}: orphaned shared memory {orphans}")
        seen |= mapped
        # the rows
        rows = {}
        for pair, ids, notes in session.must(
                f"SELECT pair, string_agg(id::text, ',' ORDER BY id), string_agg(note, ',' ORDER BY id) FROM ledger WHERE id >= {first - CLIENTS * 1000000} GROUP BY pair"):
            rows[int(pair)] = (ids, notes)
        for writer in writers:
            for id in writer.acknowledged:
                if rows.get(id) != (f"{id},{id + 1}", f"n{id},n{id + 1}"):
                    wrong.append(f"cycle {cycle}: acknowledged transaction {id} of client {writer.number}: {rows.get(id, 'lost')}")
                rows.pop(id, None)
            if writer.unknown is not None:
                row = rows.pop(writer.unknown, None)
                if row and row != (f"{writer.unknown},{writer.unknown + 1}", f"n{writer.unknown},n{writer.unknown + 1}"):
                    wrong.append(f"cycle {cycle}: half of transaction {writer.unknown}: {row}")
                if row:
                    stored["unknown"] = stored.get("unknown", 0) + 1
            stored["acknowledged"] = stored.get("acknowledged", 0) + len(writer.acknowledged)
        if rows:
            wrong.append(f"cycle {cycle}: rows that nobody wrote: {rows}")
        # what earlier cycles stored stays
        total = int(session.must("SELECT count(*) FROM ledger")[0][0])
        expected = 2 * (stored.get("acknowledged", 0) + stored.get("unknown", 0))
        if total != expected:
            wrong.append(f"cycle {cycle}: {total} rows in all, not {expected}")
        session.close()
        if wrong:
            break
    if not stored.get("acknowledged"):
        wrong.append("nothing was written")
    yield (f"kill -9, {cycles} cycles, seed {seed}", "\n".join(wrong[:10]),
           f"{stored.get('acknowledged', 0)} transactions acknowledged, {stored.get('unknown', 0)} more stored; killed: "
           + ", ".join(f"{n} {name}" for name, n in sorted(killed.items())))
