"""Cache events from psycopg 3: a LISTENer keeps a local copy right by them.

Runs in a database with corm; libpq's variables say where.  The output is TAP.
"""

import json
import time

import psycopg

count = 0


def check(name, got, expected):
    global count
    count += 1
    print(f"{'ok' if got == expected else 'not ok'} {count} - {name}")
    if got != expected:
        print(f"#      got: {got!r}\n# expected: {expected!r}")


writer = psycopg.connect("", autocommit=True)
listener = psycopg.connect("", autocommit=True)


def run(sql, *parameters):
    cursor = writer.execute(sql, parameters)
    return cursor.fetchall() if cursor.description else None


def receive(enough, seconds=30):
    """Payloads until enough(payloads) or the time is up."""
    payloads = []
    until = time.monotonic() + seconds
    while not enough(payloads) and time.monotonic() < until:
        generator = listener.notifies()
        listener.execute("SELECT pg_sleep(0.05)")
        for notification in getattr(listener, "_notifies_seen", []):
            payloads.append(notification)
        listener._notifies_seen.clear()
        generator.close()
    return payloads


listener._notifies_seen = []
listener.add_notify_handler(listener._notifies_seen.append)
listener.execute("LISTEN cache_driver")
listener.execute("LISTEN cache_secret")


def events(payloads):
    return [tuple(event) for payload in payloads for event in json.loads(payload.payload)["ev"]]


run("SELECT corm.cache_create('driver', channel => 'cache_driver')")
run("SELECT corm.cache_grant('driver', '-', '{read}')")
run("SELECT corm.cache_create('secret', channel => 'cache_secret')")

run("SELECT corm.cache_set(%s, %s, cache => 'driver')", "k", "v")
check("an untyped parameter is text", run("SELECT corm.cache_get('k', 'driver')"), [("v",)])
run("SELECT corm.cache_set(%s, %s, cache => 'driver')", "n", 5)
check("a number keeps its type", run("SELECT corm.cache_get_as(NULL::smallint, 'n', 'driver')"), [(5,)])

run("SELECT corm.cache_delete('k', 'driver')")
got = receive(lambda payloads: payloads)
check("a delete is notified", events(got), [("driver", "k", "deleted")])
first = json.loads(got[0].payload)
check("on its channel, in the format of version 1", (got[0].channel, first["v"], first["lost"]), ("cache_driver", 1, 0))

run("SELECT corm.cache_set('gone', 'x', '1 millisecond', 'driver')")
time.sleep(0.01)
run("SELECT corm.cache_get('gone', 'driver')")
got = receive(lambda payloads: payloads)
check("so is an entry that expired", [event[:2] for event in events(got)], [("driver", "gone")])
second = json.loads(got[0].payload)
check("numbered on", (second["first"], second["epoch"]), (first["first"] + 1, first["epoch"]))

run("SELECT corm.cache_set('k' || i, i, cache => 'driver', immediate => true) FROM generate_series(1, 1000) i")
run("SELECT corm.cache_delete('k' || i, 'driver', true) FROM generate_series(1, 1000) i")
got = receive(lambda payloads: len(events(payloads)) >= 1000)
check("a thousand events arrive", sorted(events(got)), sorted(("driver", f"k{i}", "deleted") for i in range(1, 1001)))
check("in few notifications", len(got) < 50, True)
check("of less than 8000 bytes", max(len(payload.payload.encode()) for payload in got) < 8000, True)
numbers = [(json.loads(p.payload)["first"], len(json.loads(p.payload)["ev"])) for p in got]
check("without a gap", all(a + n == b for (a, n), (b, _) in zip(numbers, numbers[1:])), True)

awkward = "\"quoted\"\n\t\\ \u00fcml\u00e4ut " + "\x01" * 900
run("SELECT corm.cache_set(%s, 'x', cache => 'driver')", awkward)
run("SELECT corm.cache_delete(%s, 'driver')", awkward)
got = receive(lambda payloads: payloads)
check("any key survives JSON", events(got), [("driver", awkward, "deleted")])
check("and fits", len(got[0].payload.encode()) < 8000, True)

# hardening 16: the longest keys, each byte of which is six in JSON, in a cache of the longest name
longest = "d" * 63
run("SELECT corm.cache_create(%s, channel => 'cache_driver')", longest)
run("SELECT corm.cache_grant(%s, '-', '{read}')", longest)
keys = [f"{i:02}" + "\x01" * 1022 for i in range(30)]
for key in keys:
    run("SELECT corm.cache_set(%s, 'x', cache => %s, immediate => true)", key, longest)
run("BEGIN")
for key in keys:
    run("SELECT corm.cache_delete(%s, %s)", key, longest)
run("COMMIT")
got = receive(lambda payloads: len(events(payloads)) >= len(keys))
check("the longest keys of the longest name all arrive", sorted(events(got)), [(longest, key, "deleted") for key in keys])
check("each payload fits", max(len(payload.payload.encode()) for payload in got) < 8000, True)
run("SELECT corm.cache_drop(%s)", longest)
receive(lambda payloads: payloads, 1)

run("SELECT corm.cache_clear('driver')")
check("a clear is one event", events(receive(lambda payloads: payloads)), [("driver", "", "cleared")])

run("SELECT corm.cache_set('key', 'x', cache => 'secret')")
run("SELECT corm.cache_delete('key', 'secret')")
hashed = run("SELECT encode(sha256('key'), 'hex')")[0][0]
check("a restricted cache does not tell its keys", events(receive(lambda payloads: payloads)), [("secret", hashed, "deleted")])
# A grant that is rolled back, with an immediate write that has met it: the key stays hidden.
run("SELECT corm.cache_create('hidden', events => '{deleted}', channel => 'cache_driver')")
with writer.transaction(force_rollback=True):
    run("SELECT corm.cache_grant('hidden', '-', '{read}')")
    run("SELECT corm.cache_set('key', 'x', cache => 'hidden', immediate => true)")
run("SELECT corm.cache_delete('key', 'hidden')")
check("nor one whose grant to everybody was rolled back", events(receive(lambda payloads: payloads)), [("hidden", hashed, "deleted")])

with writer.transaction(force_rollback=True):
    run("SELECT corm.cache_set('r', 'x', cache => 'driver')")
    run("SELECT corm.cache_clear('driver')")
run("SELECT corm.cache_set('last', 'x', cache => 'driver')")
run("SELECT corm.cache_delete('last', 'driver')")
check("what was rolled back is not notified", events(receive(lambda payloads: payloads)), [("driver", "last", "deleted")])

run("SELECT corm.cache_drop('driver'), corm.cache_drop('secret'), corm.cache_drop('hidden')")
print(f"1..{count}")
