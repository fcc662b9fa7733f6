"""A unit of work from a client: read a user, check, insert an order with ten items, update the user, in one transaction.

Last of all, since it leaves rows behind.
"""

import importlib

from harness import SLICES, Line, no_bar, times_faster

client = importlib.import_module("30_client")


def lines(bench):
    count = bench.count(300)
    part = max(1, count // SLICES)
    result = []
    for worker, driver, peers in client.workers(bench):
        sides = [("hand-written SQL, statement by statement", bench.client(worker, "sql", "unit", part), no_bar())]
        sides += [(name, bench.client(worker, peer, "unit", part), times_faster(4)) for name, peer in peers]
        result.append(Line(f"unit of work: read, check, insert 1 + 10 rows, update, from {driver}, {count:,} times",
                           ("corm", bench.client(worker, "corm", "unit", part)), sides))
    return result
