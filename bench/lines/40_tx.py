"""Transaction scopes: a nested scope against PL/pgSQL's own exception block, with the same body."""

from harness import Line, at_most, no_bar

SETUP = """
DROP TABLE IF EXISTS tx_rows;
CREATE UNLOGGED TABLE tx_rows (id int);
"""


def lines(bench):
    calls = bench.count(100000)
    loop = "FOR i IN 1 .. %d LOOP {} END LOOP;" % calls
    block = "BEGIN {} EXCEPTION WHEN OTHERS THEN NULL; END;"
    nested = "corm.tx('nested')"
    empty = "TRUNCATE tx_rows"

    # A PL/pgSQL assignment evaluates the call itself; PERFORM runs it as a query, which costs as much again.
    trivial = Line(
        f"do_tx, nested, body SELECT 1, {calls:,} calls",
        ("corm.do_tx", bench.plpgsql(loop.format(f"r := corm.do_tx({nested}, 'SELECT 1');"), "r jsonb;")),
        [("EXCEPTION block", bench.plpgsql(loop.format(block.format("PERFORM 1;"))), at_most(1.5))])
    performed = Line(
        f"the same, called by PERFORM, {calls:,} calls",
        ("corm.do_tx", bench.plpgsql(loop.format(f"PERFORM corm.do_tx({nested}, 'SELECT 1');"))),
        [("EXCEPTION block in a function called by PERFORM", bench.plpgsql(
            loop.format("PERFORM tx_in_block();")), at_most(1.5)),
         ("EXCEPTION block", bench.plpgsql(loop.format(block.format("PERFORM 1;"))), no_bar())],
        """CREATE OR REPLACE FUNCTION tx_in_block() RETURNS void LANGUAGE plpgsql AS $$
           BEGIN PERFORM 1; EXCEPTION WHEN OTHERS THEN NULL; END $$""")
    insert = Line(
        f"do_tx, nested, body INSERT, {calls:,} calls",
        ("corm.do_tx", bench.plpgsql(
            loop.format(f"r := corm.do_tx({nested}, 'INSERT INTO tx_rows VALUES ($1)', i);"), "r jsonb;", empty)),
        [("EXCEPTION block", bench.plpgsql(loop.format(block.format("INSERT INTO tx_rows VALUES (i);")), before=empty),
          at_most(1.5))],
        SETUP)
    failing = Line(
        f"try_tx, nested, body fails, {bench.count(20000):,} calls",
        ("corm.try_tx", bench.plpgsql(
            "FOR i IN 1 .. %d LOOP r := corm.try_tx(%s, 'SELECT 1/0'); END LOOP;" % (bench.count(20000), nested),
            "r corm.tx_result;")),
        [("EXCEPTION block", bench.plpgsql(
            "FOR i IN 1 .. %d LOOP BEGIN PERFORM 1/(i - i); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP;" % bench.count(20000)),
          no_bar())])
    return [trivial, performed, insert, failing]
