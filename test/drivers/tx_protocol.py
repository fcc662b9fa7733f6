"""Session scopes at the level of the protocol: statuses, command tags, pipelines, and the extended protocol.

What psql shows is not all: a driver goes by the ReadyForQuery status and by command tags, and in pipeline mode it
sends commands before it has seen the answers to those before them.
"""

import psycopg
from psycopg import errors, pq

number = 0


def check(name, got, expected):
    """One TAP line."""
    global number
    number += 1
    if got == expected:
        print(f"ok {number} - {name}")
    else:
        print(f"not ok {number} - {name}\n# got {got!r}\n# expected {expected!r}")


def connect():
    return psycopg.connect("", autocommit=True)


def scalar_row(cursor):
    """A row factory: the first column."""
    return lambda values: values[0]


STATUS = {pq.TransactionStatus.IDLE: "idle", pq.TransactionStatus.INTRANS: "in transaction",
          pq.TransactionStatus.INERROR: "failed", pq.TransactionStatus.ACTIVE: "active"}


def status(connection):
    return STATUS[connection.info.transaction_status]


def rows(connection):
    return connection.execute("SELECT id FROM tx_rows ORDER BY id", prepare=False).fetchall()


def run(connection, command, extended):
    """The command tag of a command, by the simple or the extended protocol, and the status after it."""
    pgconn = connection.pgconn
    result = pgconn.exec_params(command.encode(), None) if extended else pgconn.exec_(command.encode())
    tag = (result.command_status or b"").decode()
    if result.status == pq.ExecStatus.FATAL_ERROR:
        tag = result.error_field(pq.DiagnosticField.SQLSTATE).decode()
    return tag, status(connection)


PROGRAM = [
    ("CALL corm.begin_tx()", "BEGIN", "in transaction"),
    ("INSERT INTO tx_rows VALUES (1)", "INSERT 0 1", "in transaction"),
    ("CALL corm.begin_tx()", "SAVEPOINT", "in transaction"),
    ("INSERT INTO tx_rows VALUES (2)", "INSERT 0 1", "in transaction"),
    ("CALL corm.rollback_tx()", "ROLLBACK", "in transaction"),
    ("CALL corm.begin_tx(corm.tx('required'))", "CALL", "in transaction"),
    ("CALL corm.commit_tx()", "CALL", "in transaction"),
    ("CALL corm.begin_tx()", "SAVEPOINT", "in transaction"),
    ("CALL corm.commit_tx()", "RELEASE", "in transaction"),
    ("CALL corm.commit_tx()", "COMMIT", "idle"),
    ("CALL corm.begin_tx()", "BEGIN", "in transaction"),
    ("SELECT 1/0", "22012", "failed"),
    ("CALL corm.rollback_tx()", "25P02", "failed"),
    ("ROLLBACK", "ROLLBACK", "idle"),
    ("CALL corm.begin_tx()", "BEGIN", "in transaction"),
    ("INSERT INTO tx_rows VALUES (3)", "INSERT 0 1", "in transaction"),
    ("CALL corm.rollback_if_not_committed()", "ROLLBACK", "idle"),
    ("CALL corm.commit_tx()", "25P01", "idle"),
    ("CALL corm.rollback_if_not_committed()", "CALL", "idle"),
]

setup = connect()
setup.execute("CREATE TABLE tx_rows (id int PRIMARY KEY)")

# tags and statuses, by both protocols; the library may be loaded by the first CALL or before
for extended in (False, True):
    how = "extended" if extended else "simple"
    with connect() as connection:
        for command, tag, state in PROGRAM:
            check(f"{how}: {command}", run(connection, command, extended), (tag, state))
        check(f"{how}: the outer's rows only", rows(connection), [(1,)])
    setup.execute("TRUNCATE tx_rows")

# one string with other commands: a clear error, nothing changed
with connect() as connection:
    check("begin and another command in one string", run(connection, "CALL corm.begin_tx(); INSERT INTO tx_rows VALUES (9)",
                                                         False), ("2D000", "idle"))
    check("nothing was inserted", rows(connection), [])
    check("a string with an empty end is one command", run(connection, "CALL corm.begin_tx(); -- that is all", False),
          ("BEGIN", "in transaction"))
    check("several native commands inside a scope", run(connection, "INSERT INTO tx_rows VALUES (9); DELETE FROM tx_rows",
                                                        False), ("DELETE 1", "in transaction"))
    check("end", run(connection, "CALL corm.commit_tx()", False), ("COMMIT", "idle"))


def pipelined(connection, commands):
    """Send all commands, one sync at the end, and return the tag or SQLSTATE of each."""
    pgconn = connection.pgconn
    pgconn.enter_pipeline_mode()
    for command in commands:
        pgconn.send_query_params(command.encode(), None)
    pgconn.pipeline_sync()
    pgconn.flush()
    answers = []
    while True:
        result = pgconn.get_result()
        if result is None:
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            break
        if result.status == pq.ExecStatus.FATAL_ERROR:
            answers.append(result.error_field(pq.DiagnosticField.SQLSTATE).decode())
        elif result.status == pq.ExecStatus.PIPELINE_ABORTED:
            answers.append("aborted")
        else:
            answers.append((result.command_status or b"").decode())
    pgconn.exit_pipeline_mode()
    return answers


with connect() as connection:
    check("pipeline: begin, begin, insert, rollback, commit",
          pipelined(connection, ["CALL corm.begin_tx()", "INSERT INTO tx_rows VALUES (1)", "CALL corm.begin_tx()",
                                 "INSERT INTO tx_rows VALUES (2)", "CALL corm.rollback_tx()",
                                 "INSERT INTO tx_rows VALUES (3)", "CALL corm.commit_tx()"]),
          ["BEGIN", "INSERT 0 1", "SAVEPOINT", "INSERT 0 1", "ROLLBACK", "INSERT 0 1", "COMMIT"])
    check("pipeline: idle afterwards", status(connection), "idle")
    check("pipeline: rows", rows(connection), [(1,), (3,)])
    check("pipeline: a transaction may end in a later one",
          pipelined(connection, ["CALL corm.begin_tx(corm.tx(isolation => 'serializable'))", "CALL corm.begin_tx()",
                                 "SHOW transaction_isolation"]),
          ["BEGIN", "SAVEPOINT", "SHOW"])
    check("pipeline: in transaction", status(connection), "in transaction")
    check("pipeline: isolation", connection.execute("SHOW transaction_isolation").fetchone(), ("serializable",))
    check("pipeline: the end", pipelined(connection, ["CALL corm.commit_tx()", "CALL corm.commit_tx()"]), ["RELEASE", "COMMIT"])
    check("pipeline: an error leaves a failed block",
          pipelined(connection, ["CALL corm.begin_tx()", "SELECT 1/0", "CALL corm.commit_tx()"]),
          ["BEGIN", "22012", "aborted"])
    check("pipeline: failed", status(connection), "failed")
    check("pipeline: recovered", run(connection, "ROLLBACK", True), ("ROLLBACK", "idle"))
    # begin after another command of the same pipeline takes that one in, as BEGIN does
    check("pipeline: begin in the middle",
          pipelined(connection, ["INSERT INTO tx_rows VALUES (4)", "CALL corm.begin_tx()", "INSERT INTO tx_rows VALUES (5)",
                                 "CALL corm.rollback_tx()"]),
          ["INSERT 0 1", "BEGIN", "INSERT 0 1", "ROLLBACK"])
    check("pipeline: all of it was rolled back", rows(connection), [(1,), (3,)])
    check("pipeline: several transactions",
          pipelined(connection, ["CALL corm.begin_tx()", "INSERT INTO tx_rows VALUES (6)", "CALL corm.commit_tx()",
                                 "CALL corm.begin_tx()", "INSERT INTO tx_rows VALUES (7)", "CALL corm.rollback_tx()",
                                 "INSERT INTO tx_rows VALUES (8)"]),
          ["BEGIN", "INSERT 0 1", "COMMIT", "BEGIN", "INSERT 0 1", "ROLLBACK", "INSERT 0 1"])
    check("pipeline: their rows", rows(connection), [(1,), (3,), (6,), (8,)])
    check("pipeline: doomed", pipelined(connection, ["CALL corm.begin_tx()", "SELECT corm.try_tx('SELECT 1/0')",
                                                     "CALL corm.commit_tx()"]), ["BEGIN", "SELECT 1", "40000"])
    check("pipeline: idle after a refused commit", status(connection), "idle")
    check("depth", connection.execute("SELECT corm.tx_depth()").fetchone(), (0,))

# the same with the driver's own pipeline and parameters
with connect() as connection:
    with connection.pipeline():
        connection.execute("CALL corm.begin_tx()")
        connection.execute("INSERT INTO tx_rows VALUES (%s)", (20,))
        connection.execute("CALL corm.begin_tx(corm.tx(%s, name => %s))", ("nested", "inner"))
        connection.execute("INSERT INTO tx_rows VALUES (%s)", (21,))
        connection.execute("CALL corm.rollback_tx()")
        connection.execute("CALL corm.commit_tx()")
    check("driver's pipeline", rows(connection)[-1], (20,))

# parameters as a driver binds them
with psycopg.connect("", autocommit=True, row_factory=scalar_row) as connection:
    check("strings only", connection.execute("SELECT corm.do_tx(%s, %s, %s)", (
        "INSERT INTO tx_rows VALUES ($1) RETURNING id, $2 AS note", "30", "a note")).fetchone(), [{"id": 30, "note": "a note"}])
    check("an integer", connection.execute("SELECT corm.do_tx('SELECT $1 + 1 AS n', %s)", (41,)).fetchone(), [{"n": 42}])
    check("with options", connection.execute("SELECT corm.do_tx(corm.tx('nested'), 'SELECT id FROM tx_rows WHERE id = $1', %s)",
                                             ("30",)).fetchone(), [{"id": 30}])
    check("an error as data", connection.execute("SELECT (corm.try_tx(%s, %s)).sqlstate",
                                                 ("INSERT INTO tx_rows VALUES ($1)", "30")).fetchone(), "23505")
    # prepared statements and many executions
    for i in range(20):
        connection.execute("SELECT corm.do_tx('INSERT INTO tx_rows VALUES ($1)', %s)", (100 + i,), prepare=True)
    check("prepared", connection.execute("SELECT count(*) FROM tx_rows WHERE id >= 100").fetchone(), 20)

# portals that are suspended in the middle, with closures in their rows
with connect() as connection:
    with connection.transaction():
        cursor = connection.cursor(name="suspended")
        cursor.execute("SELECT corm.do_tx('SELECT $1 AS i', i) FROM generate_series(1, 10) i")
        first = cursor.fetchmany(3)
        connection.execute("SELECT corm.try_tx(corm.tx('nested'), 'SELECT 1/0')")
        second = cursor.fetchmany(3)
        cursor.close()
    check("suspended portal", (len(first), second[0]), (3, ([{"i": 4}],)))
    check("no scope is left", connection.execute("SELECT corm.tx_depth(), (corm.tx_stats()).open_subtransactions").fetchone(), (0, 0))

# the driver's own transactions around
with connect() as connection:
    try:
        with connection.transaction():
            connection.execute("SELECT corm.do_tx('INSERT INTO tx_rows VALUES (200)')")
            connection.execute("CALL corm.begin_tx()")
            connection.execute("INSERT INTO tx_rows VALUES (201)")
            connection.execute("CALL corm.rollback_tx()")
            with connection.transaction():
                connection.execute("SELECT corm.do_tx('INSERT INTO tx_rows VALUES (200)')")
    except errors.UniqueViolation as error:
        check("driver's transaction", error.diag.constraint_name, "tx_rows_pkey")
    check("rolled back by the driver", connection.execute("SELECT count(*) FROM tx_rows WHERE id >= 200").fetchone(), (0,))

# a CALL that ends the transaction and drops the prepared statement that it is: nothing of it may be looked at afterwards
with connect() as connection:
    connection.execute("""CREATE PROCEDURE drops_itself() LANGUAGE plpgsql AS $$
        BEGIN
            ROLLBACK;
            DEALLOCATE ALL;
            PERFORM repeat('x', 100000);
        END $$""")
    connection.execute("CALL drops_itself()", prepare=True)
    connection.execute("DROP PROCEDURE drops_itself()")
    check("a CALL that drops its own statement", status(connection), "idle")

setup.execute("DROP TABLE tx_rows")
print(f"1..{number}")
