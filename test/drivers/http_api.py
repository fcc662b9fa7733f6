"""The servers of docs/http-api.md, as they stand there, answer HTTP requests.

Runs in a database with corm and test/docs/sample.sql; libpq's variables say where.  The output is TAP.
"""

import atexit
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
page = (HERE / ".." / ".." / "docs" / "http-api.md").read_text(encoding="utf-8")
count = 0


def check(name, got, expected):
    global count
    count += 1
    print(f"{'ok' if got == expected else 'not ok'} {count} - {name}", flush=True)
    if got != expected:
        print(f"#      got: {got!r}\n# expected: {expected!r}", flush=True)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


admin = psycopg.connect("", autocommit=True)
for block in blocks("sql"):
    admin.execute(block)
[python] = blocks("python")
node_postgres, postgres_js, server = blocks("js")
SERVERS = {
    "Python, psycopg": [sys.executable, "-c", python],
    "JavaScript, node-postgres": ["node", "-e", node_postgres + server],
    "JavaScript, postgres.js": ["node", "-e", postgres_js + server],
}


def asks(port):
    def ask(method, path, body=None, user=1):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", method=method, headers={"X-User": str(user)},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
    return ask


def listed(filter):
    return "notes?" + urllib.parse.urlencode({"filter": json.dumps(filter)})


for name, command in SERVERS.items():
    admin.execute("DELETE FROM notes WHERE id > 3")
    admin.execute("SELECT corm.cache_clear()")
    port = free_port()
    process = subprocess.Popen(command, env={**os.environ, "PORT": str(port)}, cwd=HERE)
    atexit.register(process.kill)
    ask = asks(port)
    for _ in range(600):  # until it listens
        try:
            ask("GET", "dashboard")
            break
        except urllib.error.URLError:
            time.sleep(0.1)

    status, answer = ask("GET", listed({"select": ["id", "title"], "order_by": ["id"], "limit": 1}))
    check(f"{name}: list", (status, answer["rows"], answer["page_info"]["total"]), (200, [{"id": 1, "title": "Ideas"}], 1))
    check(f"{name}: search", [row["title"] for row in ask("GET", listed({"where": {"body": {"search": "algebraic"}}}))[1]["rows"]], ["Ideas"])
    check(f"{name}: detail", ask("GET", "notes/1"), (200, {
        "id": 1, "title": "Ideas", "body": "Weave algebraic patterns.", "version": 1, "user": {"name": "Ada"}}))
    check(f"{name}: somebody else's", ask("GET", "notes/1", user=2)[0], 404)
    check(f"{name}: nobody's path", ask("GET", "nothing")[0], 404)
    status, made = ask("POST", "notes", {"title": "Tea"})
    check(f"{name}: create", (status, made["title"], made["user_id"], made["version"]), (200, "Tea", 1, 1))
    path = f"notes/{made['id']}"
    check(f"{name}: create for somebody else", ask("POST", "notes", {"title": "Tea", "user_id": 2})[0] in (400, 500), True)
    check(f"{name}: an unknown field", ask("POST", "notes", {"titel": "Tea"}), (400, {"code": "42703", "message": 'unknown field "titel" of model "notes"'}))
    check(f"{name}: counted again", ask("GET", "dashboard"), (200, {"notes": 2}))
    status, changed = ask("PATCH", path, {"body": "Black.", "version": 1})
    check(f"{name}: change", (status, changed["body"], changed["version"]), (200, "Black.", 2))
    check(f"{name}: a stale version", ask("PATCH", path, {"body": "White.", "version": 1})[0], 409)
    check(f"{name}: a field that is not allowed", ask("PATCH", path, {"user_id": 2})[0], 403)
    check(f"{name}: beyond the fence", ask("GET", listed({"where": {"user": {"is": {"email": "x"}}}}))[0], 403)
    check(f"{name}: no filter", ask("GET", listed({"where": 1}))[0], 400)
    check(f"{name}: delete", ask("DELETE", path), (200, {"id": made["id"]}))
    check(f"{name}: it is gone", (ask("GET", path)[0], ask("DELETE", path)[0], ask("GET", "dashboard")[1]), (404, 404, {"notes": 1}))
    process.kill()
    process.wait()

print(f"1..{count}")
