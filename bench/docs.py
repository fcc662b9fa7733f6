#!/usr/bin/python3
"""Puts the figures of a run into the documentation.

    bench/docs.py [RESULT]      or: make bench-docs

RESULT is a file of bench/results/, the newest whole run if not given.  Its table replaces what stands between the
markers of docs/performance.md; README.md gets the lines that matter most.
"""

import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

# What the README shows: the beginning of the work, what it is measured against, and how to say it.
README = [("get by primary key in a PL/pgSQL loop", "static SQL", "a row by its key in PL/pgSQL", "static SQL"),
          ("insert(rec)", "static INSERT ... RETURNING *", "inserting a record in PL/pgSQL", "a static INSERT"),
          ("two-level preload to JSON", "LATERAL, json_agg, cast to jsonb", "20 rows with two levels of related rows, as JSON",
           "the best hand-written LATERAL"),
          ("two-level preload of 20 parents, from node-postgres", None, "the same from a client", "the best ORM"),
          ("unit of work", None, "read, check, insert 1 + 10 rows, update, from a client", "the best ORM")]
ORMS = ("Drizzle", "TypeORM", "Sequelize", "Knex", "Prisma", "SQLAlchemy", "Django")


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    rows = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in text.splitlines()
            if line.startswith("| ") and not line.startswith("| work ")]
    return text, rows


def newest():
    """The newest result that has the lines the README shows."""
    for path in sorted(glob.glob(os.path.join(HERE, "results", "*.md")), reverse=True):
        works = [row[0] for row in read_rows(path)[1]]
        if all(any(work.startswith(start) for work in works) for start, *_ in README):
            return path
    sys.exit("no whole run in bench/results: make bench")


def replace(path, text):
    """Puts text between the markers of a page."""
    begin, end = "<!-- bench: begin -->", "<!-- bench: end -->"
    with open(path, encoding="utf-8") as file:
        page = file.read()
    if begin not in page or end not in page:
        sys.exit(f"{path} has no markers")
    before, rest = page.split(begin)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")


def median_of(result):
    return float(re.match(r"-?[\d.]+(?:e[-+]?\d+)?", result).group())


def readme_row(rows, start, against, work, peer):
    found = [row for row in rows if row[0].startswith(start) and not row[2].startswith("cannot run")]
    if against:
        result = median_of(next(row[2] for row in found if row[1] == against))
        return f"| {work} | {peer} | takes {result:.2f} times as long |"
    best = min((median_of(row[2]), row[1]) for row in found if row[1] in ORMS)
    says = f"is {best[0]:.1f} times faster" if best[0] >= 1 else f"takes {1 / best[0]:.2f} times as long"
    return f"| {work} | {peer} ({best[1]}) | {says} |"


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else newest()
    text, rows = read_rows(path)
    about = text.split("\n\n")[1]
    table = text[text.index("| work "):].strip()
    replace(os.path.join(ROOT, "docs", "performance.md"), f"{about}\n\n{table}")
    lines = "\n".join(readme_row(rows, *row) for row in README)
    replace(os.path.join(ROOT, "README.md"), f"{about}\n\n| work | against | corm |\n|---|---|---|\n{lines}")
    print(f"docs/performance.md and README.md show {os.path.relpath(path, ROOT)}")


if __name__ == "__main__":
    main()
