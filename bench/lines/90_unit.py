"""A unit of work from a client: read a user, check, insert an order with ten items, update the user, in one transaction.

On the local socket, and over a connection with a millisecond of delay in each direction, where round trips count.  Last
of all, since it leaves rows behind.
"""

import importlib

from harness import NODE, PYTHON, SLICES, Line, at_most, no_bar, times_faster

client = importlib.import_module("30_client")

WORK = "unit of work: read, check, insert 1 + 10 rows, update"


def lines(bench):
    count = bench.count(300)
    part = max(1, count // SLICES)
    result = []
    for worker, driver, peers in client.workers(bench):
        sides = [("hand-written SQL, statement by statement", bench.client(worker, "sql", "unit", part), no_bar())]
        sides += [(name, bench.client(worker, peer, "unit", part), times_faster(2)) for name, peer in peers]
        result.append(Line(f"{WORK}, from {driver}, {count:,} times", ("corm", bench.client(worker, "corm", "unit", part)), sides))
    result.append(Line(f"{WORK}, as one function call, from node-postgres, prepared, {count:,} times",
                       ("a function with corm's verbs", bench.client(bench.node, "corm_call", "unit", part)),
                       [("a function of hand-written SQL", bench.client(bench.node, "sql_call", "unit", part), at_most(1.05))]))
    count = bench.count(100)
    part = max(1, count // SLICES)
    for command, driver, peers in ((NODE, "node-postgres", client.NODE_PEERS), (PYTHON, "psycopg2", client.PYTHON_PEERS)):
        worker = bench.slow(command)
        sides = [("hand-written SQL, statement by statement", bench.client(worker, "sql", "unit", part), no_bar())]
        sides += [(name, bench.client(worker, peer, "unit", part), times_faster(5)) for name, peer in peers]
        result.append(Line(f"{WORK}, with 1 ms of delay each way, from {driver}, {count:,} times",
                           ("corm", bench.client(worker, "corm", "unit", part)), sides))
    return result
