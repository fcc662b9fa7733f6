"""The same calls through every driver, each in the style of its documentation.  (part H of the drivers' reports)

A program in clients/ makes the calls and prints an answer a line; here they are compared with what they must be.  A driver
that is not installed is skipped, with what is missing.  The programs are the examples to copy from: what a driver wants said
differently (casts, arrays as text, JSON through a wrapper) stands in them.

Runs in a database with corm and test/docs/sample.sql; libpq's variables say where.  The output is TAP.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading

import psycopg

EXPECTED = {
    "find": "Carol",
    "list": "Carol,Ada",
    "document": "Ada 2",
    "insert": "Ivo",
    "patch": "37",
    "null": "1",
    "time": "1",
    "command": "1",
    "unit of work": "1",
    "only a value": "0",
    "no row": "P0002",
    "unknown field": "42703",
}

HERE = pathlib.Path(__file__).resolve().parent
CLIENTS = HERE / "clients"
JAR = "/usr/share/java/postgresql.jar"
GOPATH = "/usr/share/gocode"
work = pathlib.Path(tempfile.mkdtemp(prefix="corm-drivers."))
admin = psycopg.connect("", autocommit=True)


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def tcp_port():
    """A port of this machine that leads to the server's socket, for a driver without Unix-domain sockets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ.get('PGPORT', '5432')}")
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


jdbc_url = f"jdbc:postgresql://127.0.0.1:{tcp_port()}/{os.environ['PGDATABASE']}?user={os.environ.get('PGUSER', 'postgres')}&sslmode=disable"


def succeeds(*command):
    """Whether a command runs; one that is not there does not."""
    return shutil.which(command[0]) is not None and subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def go(source):
    return {"environment": {"GO111MODULE": "off", "GOPATH": GOPATH, "GOCACHE": str(work / "go"), "HOME": str(work)},
            "build": ["go", "build", "-o", str(work / source), str(CLIENTS / source)], "run": [str(work / source)]}


# What a driver needs, as a test and in words; how its program is built and run.
DRIVERS = {
    "psycopg 3": {"run": ["/usr/bin/python3", str(CLIENTS / "psycopg_client.py")]},
    "psycopg 2": {"needs": lambda: succeeds("/usr/bin/python3", "-c", "import psycopg2"), "missing": "python3-psycopg2",
                  "run": ["/usr/bin/python3", str(CLIENTS / "psycopg2_client.py")]},
    "asyncpg": {"needs": lambda: succeeds("/usr/bin/python3", "-c", "import asyncpg"), "missing": "python3-asyncpg",
                "run": ["/usr/bin/python3", str(CLIENTS / "asyncpg_client.py")]},
    "node-postgres": {"run": ["node", str(CLIENTS / "node_postgres.js")]},
    "postgres.js": {"run": ["node", str(CLIENTS / "postgres_js.js")]},
    "JDBC": {"needs": lambda: succeeds("javac", "-version") and os.path.exists(JAR), "missing": "a JDK and libpostgresql-jdbc-java",
             "build": ["javac", "-d", str(work), str(CLIENTS / "Jdbc.java")], "run": ["java", "-cp", f"{work}:{JAR}", "Jdbc", jdbc_url]},
    "lib/pq": {"needs": lambda: succeeds("go", "version") and os.path.isdir(f"{GOPATH}/src/github.com/lib/pq"),
               "missing": "golang-go and golang-github-lib-pq-dev", **go("lib_pq.go")},
    "pgx": {"needs": lambda: succeeds("go", "version") and os.path.isdir(f"{GOPATH}/src/github.com/jackc/pgx/v4"),
            "missing": "golang-go and golang-github-jackc-pgx-v4-dev", **go("pgx.go")},
    "Ruby pg": {"needs": lambda: succeeds("/usr/bin/ruby", "-e", "require 'pg'"), "missing": "ruby-pg",
                "run": ["/usr/bin/ruby", str(CLIENTS / "pg.rb")]},
    "PDO": {"needs": lambda: succeeds("php", "-r", "exit(extension_loaded('pdo_pgsql') ? 0 : 1);"), "missing": "php-cli and php-pgsql",
            "run": ["php", str(CLIENTS / "pdo.php")]},
    "DBD::Pg": {"needs": lambda: succeeds("/usr/bin/perl", "-MDBD::Pg", "-e", "1"), "missing": "libdbd-pg-perl",
                "run": ["/usr/bin/perl", str(CLIENTS / "dbd_pg.pl")]},
    "libpqxx": {"needs": lambda: succeeds("g++", "--version") and os.path.exists("/usr/include/pqxx/pqxx"), "missing": "g++ and libpqxx-dev",
                "build": ["g++", "-std=c++20", "-o", str(work / "pqxx"), str(CLIENTS / "pqxx.cpp"), "-lpqxx", "-lpq"], "run": [str(work / "pqxx")]},
}

count = 0


def report(name, passed, detail=""):
    global count
    count += 1
    print(f"{'ok' if passed else 'not ok'} {count} - {name}", flush=True)
    for line in detail.splitlines():
        print(f"# {line}", flush=True)


for name, driver in DRIVERS.items():
    if "needs" in driver and not driver["needs"]():
        count += 1
        print(f"ok {count} - {name} # SKIP needs {driver['missing']}", flush=True)
        continue
    environment = {**os.environ, "PGUSER": os.environ.get("PGUSER", "postgres"), **driver.get("environment", {})}
    if "build" in driver:
        built = subprocess.run(driver["build"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if built.returncode != 0:
            report(f"{name}: builds", False, built.stdout)
            continue
    # every driver finds the same rows
    admin.execute("DELETE FROM users WHERE name = 'Ivo'")
    admin.execute("UPDATE users SET age = 36 WHERE id = 1")
    run = subprocess.run(driver["run"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, cwd=CLIENTS)
    answers = dict(line.split(": ", 1) for line in run.stdout.splitlines() if ": " in line)
    for call, expected in EXPECTED.items():
        got = answers.pop(call, None)
        report(f"{name}: {call}", got == expected, "" if got == expected else f"got {got!r}, expected {expected!r}")
    report(f"{name}: nothing else, and no error", run.returncode == 0 and not answers, run.stderr if run.returncode else str(answers or ""))

print(f"1..{count}")
shutil.rmtree(work, ignore_errors=True)
