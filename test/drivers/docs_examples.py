"""The Python and JavaScript of the documentation, as it stands there: the listeners of docs/cache.md, the
first steps of docs/postgrest-and-drivers.md, and the workers of docs/messages.md.

Runs in a database with corm and test/docs/sample.sql; libpq's variables say where.  The output is TAP.
"""

import atexit
import os
import re
import select
import subprocess
import sys
import time

import psycopg

SECONDS = 30

HERE = os.path.dirname(os.path.abspath(__file__))
count = 0


def check(name, got, expected):
    global count
    count += 1
    print(f"{'ok' if got == expected else 'not ok'} {count} - {name}")
    if got != expected:
        print(f"#      got: {got!r}\n# expected: {expected!r}")


def page(name):
    with open(os.path.join(HERE, "..", "..", "docs", name), encoding="utf-8") as file:
        return file.read()


def fenced(source, language, which=1, of=1):
    """The block of this language; of several, that number."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", source, re.MULTILINE | re.DOTALL)
    assert len(blocks) == of
    return blocks[which - 1]


def indented(source, heading):
    """The first indented block below a heading."""
    section = source.split(f"\n## {heading}\n", 1)[1]
    block = re.search(r"\n((?:    .*\n|\n)+)", section).group(1)
    return re.sub(r"^    ", "", block, flags=re.MULTILINE)


# What stands around the code: it puts two keys into the local copy each time a line comes in, and tells the size of
# the copy whenever that changes.
WATCH_PYTHON = """
import sys, threading, time
def watch():
    seen = None
    while True:
        if "local" in globals() and len(local) != seen:
            seen = len(local)
            print(seen, flush=True)
        time.sleep(0.01)
def fill():
    for line in sys.stdin:
        local.update({("default", "a"): 1, ("default", "b"): 2})
threading.Thread(target=watch, daemon=True).start()
threading.Thread(target=fill, daemon=True).start()
"""
WATCH_JS = """
let seen
setInterval(() => { if (local.size !== seen) { seen = local.size; console.log(seen) } }, 10)
process.stdin.on('data', () => { local.set('default/a', 1).set('default/b', 2) })
process.stdin.on('end', () => process.exit(0))
"""

writer = psycopg.connect("", autocommit=True)


def delete(key):
    writer.execute("SELECT corm.cache_set(%s, 'x')", [key])
    writer.execute("SELECT corm.cache_delete(%s)", [key])


def listens(name, command):
    """Starts a listener, and follows its copy: emptied by the first message, of which it knows nothing before,
    then relieved of one key, then of all."""
    listener = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE)
    atexit.register(listener.kill)

    def read():
        """The next size; none if the listener has ended, or says nothing and is ended therefore."""
        if not select.select([listener.stdout], [], [], SECONDS)[0]:
            listener.kill()
        return listener.stdout.readline().strip()

    def fill():
        listener.stdin.write("\n")
        listener.stdin.flush()

    check(f"{name}: starts empty", read(), "0")
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and not writer.execute(
            "SELECT 1 FROM pg_stat_activity WHERE query ILIKE 'LISTEN corm_cache%' AND state = 'idle'").fetchone():
        time.sleep(0.02)
    fill()
    check(f"{name}: a copy of two", read(), "2")
    delete("other")
    check(f"{name}: dropped as a whole by the first message", read(), "0")
    fill()
    check(f"{name}: two again", read(), "2")
    delete("a")
    check(f"{name}: without the key that was deleted", read(), "1")
    writer.execute("SELECT corm.cache_clear()")
    check(f"{name}: empty when the cache is cleared", read(), "0")
    listener.kill()
    listener.wait()


cache = page("cache.md")
listens("cache.md, Python", [sys.executable, "-c", WATCH_PYTHON + fenced(cache, "python")])
listens("cache.md, JavaScript", ["node", "-e", fenced(cache, "js") + WATCH_JS])



def works(name, group, command):
    """A worker of a topic receives what is published, and acknowledges it."""
    writer.execute("SELECT corm.topic_create('work'), corm.subscribe('work', %s, ack => 'manual')", [group])
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE)
    atexit.register(worker.kill)
    lines = []
    for payload in "one", "two":
        writer.execute("SELECT corm.publish('work', %s::text)", [payload])
        ready, _, _ = select.select([worker.stdout], [], [], SECONDS)
        lines.append(worker.stdout.readline().rstrip() if ready else "nothing")
    check(f"{name}: what is published", lines, ["done: one", "done: two"])
    deadline = time.time() + SECONDS
    while (lag := writer.execute("SELECT sum(lag) FROM corm.groups WHERE topic = 'work'").fetchone()[0]) and time.time() < deadline:
        time.sleep(0.01)
    check(f"{name}: acknowledged", lag, 0)
    worker.kill()
    worker.wait()
    writer.execute("SELECT corm.topic_drop('work')")


messages = page("messages.md")
works("messages.md, Python", "python", [sys.executable, "-c", fenced(messages, "python", 1, 2)])
writer.execute(re.search("^CREATE FUNCTION ring.*;$", messages, re.MULTILINE).group())
works("messages.md, a listener", "listener", [sys.executable, "-c", fenced(messages, "python", 2, 2)])
writer.execute("DROP FUNCTION ring")
works("messages.md, JavaScript", "node", ["node", "-e", fenced(messages, "javascript")])

drivers = page("postgrest-and-drivers.md")
python = indented(drivers, "psycopg").replace('"dbname=shop"', '""')
scope = {}
exec(python, scope)
check("psycopg: rows", [user[1] for user in scope["users"]], ["Carol", "Ada", "Eve"])
check("psycopg: JSON", scope["user"]["name"], "Ivo")

js = indented(drivers, "node-postgres")
# The page declares each result anew.
parts = [f"{{\n{part}\nconsole.log(JSON.stringify(typeof rows !== 'undefined' ? rows.map(r => r.name) : "
         f"typeof user !== 'undefined' ? user.name : typeof order !== 'undefined' ? order.products : users.length))\n}}" for part in js.strip().split("\n\n")]
output = subprocess.run(
    ["node", "-e", "const { Client } = require('pg'); (async () => { const client = new Client(); await client.connect()\n"
     + "\n".join(parts) + "\nawait client.end() })()"],
    stdout=subprocess.PIPE, text=True, cwd=HERE, check=False).stdout.split("\n")
check("node-postgres: rows, JSON, documents, a unit of work", output,
      ['["Carol","Ada","Eve"]', '"Ivo"', "10", '[{"id":2},{"id":3}]', ""])

print(f"1..{count}")
