"""Makes what fails smaller, as long as it fails and the patience lasts."""

import time


class Patience:
    """Attempts and seconds that the making smaller may take."""

    def __init__(self, attempts=600, seconds=45):
        self.attempts, self.end = attempts, time.monotonic() + seconds

    def attempt(self):
        self.attempts -= 1
        return self.attempts >= 0 and time.monotonic() < self.end


def smaller_check(check, fails):
    """A check that still fails, none of whose simpler forms does (unless the patience ended)."""
    patience, seen = Patience(), {check.sql()}
    while True:
        for small in check.smaller():
            text = small.sql()
            if text in seen:  # a simpler form may be the same once more
                continue
            seen.add(text)
            if not patience.attempt():
                return check
            if fails(small):
                check = small
                break
        else:
            return check


def smaller_program(program, fails):
    """Delta debugging: leave out halves, quarters, ... single steps; then parts of closures."""
    patience, failing = Patience(), fails

    def fails(candidate):
        return patience.attempt() and failing(candidate)
    size = max(len(program) // 2, 1)
    while True:
        at, shrunk = 0, False
        while at < len(program) and patience.attempts >= 0:
            candidate = program[:at] + program[at + size:]
            if candidate and fails(candidate):
                program, shrunk = candidate, True
            else:
                at += size
        if size == 1:
            if not shrunk:
                break
        else:
            size = max(size // 2, 1)
    again = True
    while again:
        again = False
        for at, (client, operation) in enumerate(program):
            for small in smaller_operation(operation):
                candidate = program[:at] + [(client, small)] + program[at + 1:]
                if fails(candidate):
                    program, again = candidate, True
                    break
            if again:
                break
    return program


def smaller_operation(operation):
    if operation[0] != "closure":
        return
    for node in smaller_node(operation[1]):
        yield ("closure", node) if node[0] in ("scope", "block") else node[1] if node[0] == "op" else ("error",)


def smaller_node(node):
    """Nodes that could stand for this one: its children, or itself with less in it."""
    if node[0] not in ("scope", "block"):
        return
    kids = node[-1]
    yield from (kid for kid in kids if kid[0] in ("scope", "block", "op"))
    for i, kid in enumerate(kids):
        if len(kids) > 1:
            yield node[:-1] + (kids[:i] + kids[i + 1:],)
        for small in smaller_node(kid):
            yield node[:-1] + (kids[:i] + (small,) + kids[i + 1:],)
