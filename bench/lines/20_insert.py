"""Writing inside the server: record by record, and a batch."""

from harness import SLICES, Line, at_most

SETUP = """
DROP TABLE IF EXISTS written;
CREATE TABLE written (LIKE users INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES);
DROP TABLE IF EXISTS batch;
"""

COLUMNS = "name, email, age, company_id, plan, active, score, created_at, bio"


def lines(bench):
    empty = "TRUNCATE written RESTART IDENTITY"
    calls = bench.count(100000)
    loop = "FOR i IN 1 .. %d LOOP {} END LOOP;" % (calls // SLICES)
    record = "ROW(NULL, 'User', 'u@example.com', 30, 1, NULL, NULL, 1.5, NULL, 'none')::written"
    insert = Line(
        f"insert(rec), {calls:,} calls",
        ("corm.insert", bench.plpgsql(loop.format(f"r := corm.insert({record});"), "r written;", empty)),
        [("static INSERT ... RETURNING *", bench.plpgsql(
            loop.format("INSERT INTO written (name, email, age, company_id, score, bio) "
                        "VALUES ('User', 'u@example.com', 30, 1, 1.5, 'none') RETURNING * INTO r;"), "r written;", empty),
          at_most(1.3))],
        SETUP)

    rows = bench.count(20000)
    array = f"ARRAY(SELECT ROW(NULL, {COLUMNS})::written FROM users ORDER BY id LIMIT {rows})"
    batch = Line(
        f"insert_multi, {rows:,} rows",
        ("corm.insert_multi", bench.plpgsql(
            "SELECT batch.recs INTO recs FROM batch; PERFORM count(*) FROM corm.insert_multi(recs);", "recs written[];", empty)),
        [("INSERT ... SELECT FROM unnest(...) RETURNING *", bench.plpgsql(
            f"SELECT batch.recs INTO recs FROM batch; WITH i AS (INSERT INTO written ({COLUMNS}) SELECT {COLUMNS} "
            "FROM unnest(recs) RETURNING *) SELECT count(*) INTO n FROM i;", "recs written[]; n int;", empty),
          at_most(1.2))],
        SETUP + f"CREATE TABLE batch AS SELECT {array} AS recs;", slices=2)
    return [insert, batch]
