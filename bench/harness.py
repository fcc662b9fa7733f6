"""Measures corm's benchmark lines and prints each as a ratio.

A line is one kind of work, done by corm (the subject) and in other ways (the peers).  All sides run in
the same process on the same server, alternating, for several rounds after one that is thrown away; what
counts is the ratio subject : peer within a round, and of those the median, shown with the smallest and
the largest.  A side that cannot run says why and the others go on.

Each file of bench/lines/ defines `lines(bench)`, which returns a list of Line.  A side is a name and
something callable that does the work once and returns the seconds it took, or a pair of the seconds and a
checksum; sides with checksums must agree, or the line fails: they would not have done the same work.
"""

import argparse
import glob
import importlib.util
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import psycopg

HERE = os.path.dirname(os.path.abspath(__file__))


ROOT = os.path.join(HERE, "..")


def install_test_extension():
    """Builds and installs corm_test, which has the function that does nothing and the clock that stands still."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(os.path.join(ROOT, "src"), os.path.join(directory, "src"))
        module = os.path.join(directory, "test", "modules", "corm_test")
        shutil.copytree(os.path.join(ROOT, "test", "modules", "corm_test"), module)
        subprocess.run(["make", "-s", "-C", module, f"PG_CONFIG={os.environ.get('PG_CONFIG', 'pg_config')}", "with_llvm=no",
                        "install"], check=True, stdout=subprocess.DEVNULL)


def stopwatch(bench):
    """A function that tells the seconds that the session has spent on a processor, or the time."""
    schedstat = f"/proc/{bench.connection.info.backend_pid}/schedstat"
    if not os.access(schedstat, os.R_OK):
        return time.perf_counter

    def read():
        with open(schedstat, encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9

    return read


def computing(bench, statement, before=None):
    """A side that is one statement which only computes; `before` runs first and is not timed."""
    clock = stopwatch(bench)

    def run():
        if before:
            before()
        start = clock()
        bench.execute(statement)
        return clock() - start

    return run


def scan(bench, call, calls):
    """A side that evaluates an expression of i once for each row of generate_series."""
    return computing(bench, f"SELECT count({call}) FROM generate_series(1, {calls}) i")


class Bar:
    """What a figure is held against.  Figures are times of corm by times of the peer, or costs."""

    def __init__(self, text, passes, show, figure):
        self.text = text
        self.passes = passes
        self.show = show
        self.figure = figure


def at_most(limit):
    """corm takes at most limit times as long as the peer."""
    return Bar(f"<= {limit}", lambda x: x <= limit, lambda x: f"{x:.2f}", lambda subject, peer: subject / peer)


def times_faster(limit):
    """corm is at least limit times faster than the peer."""
    return Bar(f">= {limit} times faster", lambda x: x >= limit, lambda x: f"{x:.2f} times faster",
               lambda subject, peer: peer / subject)


def faster():
    """corm is faster than the peer."""
    return Bar("faster", lambda x: x > 1, lambda x: f"{x:.2f} times faster", lambda subject, peer: peer / subject)


def costs_at_most(limit, unit, calls):
    """corm takes at most so many units (ns, us, ms) a call more than the peer."""
    scale = {"ns": 1e9, "us": 1e6, "ms": 1e3}[unit]
    return Bar(f"<= {limit} {unit}", lambda x: x <= limit, lambda x: f"{x:.3g} {unit}",
               lambda subject, peer: (subject - peer) / calls * scale)


def no_bar():
    """A figure to look at."""
    return Bar("-", lambda x: True, lambda x: f"{x:.2f}", lambda subject, peer: subject / peer)


# A round is made of so many slices, in which the sides take turns, so that a disturbance of a tenth of a second
# meets all of them.
SLICES = 10


class Line:
    """One kind of work.

    subject: (name, run); peers: list of (name, run, bar); setup: SQL that runs once before; slices: how often a
    side runs in a round.
    """

    def __init__(self, work, subject, peers, setup=None, slices=SLICES):
        self.work = work
        self.subject = subject
        self.peers = peers
        self.setup = setup
        self.slices = slices


class Worker:
    """A client in another language: a process that answers a JSON line with a JSON line."""

    def __init__(self, command, environment=None):
        self.command = command
        self.environment = environment
        self.process = None

    def ask(self, **request):
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                            env={**os.environ, **(self.environment or {})})
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.process = None
            raise RuntimeError(f"{self.command[-1]} ended")
        answer = json.loads(answer)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


NODE = ["node", os.path.join(HERE, "clients", "node.js")]
PYTHON = ["/usr/bin/python3", os.path.join(HERE, "clients", "python.py")]


class Bench:
    """What lines are made with: a connection, sides in SQL, sides in clients."""

    def __init__(self, quick):
        self.quick = quick
        self.connection = psycopg.connect("", autocommit=True)
        self.node = Worker(NODE)
        self.python = Worker(PYTHON)
        self.proxy = None
        self.slow_workers = []

    def slow(self, command):
        """A client whose connection has a delay of a millisecond in each direction."""
        if self.proxy is None:
            self.proxy_directory = tempfile.mkdtemp()
            port = os.environ.get("PGPORT", "5432")
            self.proxy = subprocess.Popen([sys.executable, os.path.join(HERE, "proxy.py"), self.proxy_directory, port,
                                           os.path.join(os.environ["PGHOST"], f".s.PGSQL.{port}")], stdout=subprocess.PIPE, text=True)
            if self.proxy.stdout.readline() != "ready\n":
                raise RuntimeError("the proxy does not start")
        self.slow_workers.append(Worker(command, {"PGHOST": self.proxy_directory}))
        return self.slow_workers[-1]

    def close(self):
        for worker in [self.node, self.python, *self.slow_workers]:
            worker.close()
        if self.proxy is not None:
            self.proxy.terminate()
            self.proxy.wait()
            shutil.rmtree(self.proxy_directory)

    def count(self, number):
        """How often to do something: a tenth of it when in a hurry."""
        return max(1, number // 10) if self.quick else number

    def execute(self, sql):
        return self.connection.execute(sql)

    def sql(self, text, before=None):
        """A side that is one statement; `before` runs first and is not timed."""

        def run():
            if before:
                self.execute(before)
            start = time.perf_counter()
            self.execute(text)
            return time.perf_counter() - start

        return run

    def plpgsql(self, body, declare="", before=None):
        """A side that is a PL/pgSQL block."""
        return self.sql(f"DO $do$ DECLARE {declare} BEGIN {body} END $do$", before)

    def client(self, worker, peer, work, count):
        """A side in a client: `count` times `work` as `peer` does it, going on where the last slice ended."""
        turn = 0

        def run():
            nonlocal turn
            answer = worker.ask(peer=peer, work=work, first=turn, count=count)
            turn += count
            return answer["seconds"], answer["check"]

        return run


def median_of(figures):
    return statistics.median(figures), min(figures), max(figures)


def measure(line, bench, rounds):
    """Rows of the table for one line: (work, against, result, bar, verdict)."""
    if line.setup:
        try:
            bench.execute(line.setup)
        except psycopg.Error as problem:
            return [(line.work, name, f"cannot run: {first_line(problem)}", bar.text, "missing")
                    for name, _, bar in line.peers]
    sides = [line.subject] + [(name, run) for name, run, _ in line.peers]
    times = {name: [] for name, _ in sides}
    checks = {}
    broken = {}
    for round_number in range(rounds + 1):
        spent = {name: 0 for name, _ in sides}
        for slice_number in range(line.slices):
            # Every second time runs backwards, so that no side always follows the same one.
            for name, run in sides if slice_number % 2 == 0 else reversed(sides):
                if name in broken:
                    continue
                try:
                    result = run()
                except Exception as problem:
                    broken[name] = first_line(problem)
                    continue
                seconds, checks[name] = result if isinstance(result, tuple) else (result, None)
                spent[name] += seconds
        if round_number > 0:
            for name, seconds in spent.items():
                times[name].append(seconds)
    rows = []
    subject = line.subject[0]
    for name, _, bar in line.peers:
        reason = broken.get(subject) or broken.get(name)
        if reason is None and checks[subject] != checks[name]:
            reason = f"{subject} gives {checks[subject]}, {name} {checks[name]}"
        if reason is not None:
            rows.append((line.work, name, f"cannot run: {reason}", bar.text, "missing"))
            continue
        figures = [bar.figure(a, b) for a, b in zip(times[subject], times[name])]
        median, low, high = median_of(figures)
        verdict = "-" if bar.text == "-" else "pass" if bar.passes(median) else "MISS"
        spread = " .. ".join(re.match(r"[-\d.e+]+", bar.show(x)).group() for x in (low, high))
        rows.append((line.work, name, f"{bar.show(median)} ({spread})", bar.text, verdict))
    return rows


def first_line(problem):
    text = str(problem).strip() or type(problem).__name__
    return text.split("\n")[0][:160]


def load(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(rows):
    head = ("work", "against", "median (min .. max)", "bar", "verdict")
    text = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    text += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(text)


def machine(bench):
    server = bench.execute("SELECT version()").fetchone()[0].split(" on ")[0]
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    load = os.getloadavg()[0]
    return f"{server}, {os.cpu_count()} x {model}, {platform.system()} {platform.release()}, load average {load:.1f}"


def main():
    # So that the files of lines/ find this module, also when it is the program, and each other.
    sys.modules["harness"] = sys.modules["__main__"]
    sys.path.append(os.path.join(HERE, "lines"))
    parser = argparse.ArgumentParser(description="Measure corm against other ways to do the same work.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work and 5 rounds")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("lines", nargs="*", metavar="LINE")
    arguments = parser.parse_args()
    rounds = arguments.rounds or (5 if arguments.quick else 21)

    files = {}
    for path in sorted(glob.glob(os.path.join(HERE, "lines", "*.py"))):
        files[re.sub(r"^\d+_", "", os.path.basename(path)[:-3])] = path
    for name in arguments.lines:
        if name not in files:
            parser.error(f"no such line: {name} (there are {', '.join(files)})")

    bench = Bench(arguments.quick)
    about = machine(bench)
    rows = []
    for name in arguments.lines or files:
        for line in load(files[name]).lines(bench):
            measured = measure(line, bench, rounds)
            rows += measured
            for row in measured:
                print(f"{row[4]:7} {row[0]}\n        against {row[1]}: {row[2]}, bar {row[3]}", flush=True)
    bench.close()

    stamp = time.strftime("%Y-%m-%d %H:%M")
    commit = subprocess.run(["git", "-c", "safe.directory=*", "-C", HERE, "describe", "--always", "--dirty"],
                            capture_output=True, text=True).stdout.strip()
    report = (f"# Benchmark of {stamp}\n\ncorm {commit}; {about}; {rounds} rounds"
              f"{', a tenth of the work' if arguments.quick else ''}.\n\n{table(rows)}\n")
    os.makedirs(os.path.join(HERE, "results"), exist_ok=True)
    result = os.path.join(HERE, "results", time.strftime("%Y%m%d-%H%M%S") + ".md")
    with open(result, "w", encoding="utf-8") as file:
        file.write(report)
    print(f"\n{table(rows)}\n\nsee {os.path.relpath(result, os.path.dirname(HERE))}")


if __name__ == "__main__":
    main()
