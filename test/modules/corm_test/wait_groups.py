"""Who waits for a wait group, and who changes, drops or leaves it; timeouts by the virtual clock.

libpq's variables say where the server is, which must have the extension corm_test.  The output is TAP.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "oracle"))

from waiting import DATABASE, Session, Waiter, check, drop_database, finish, make_database, until  # noqa: E402

control = make_database("corm", "corm_test")
one = Session("one", DATABASE)
two = Session("two", DATABASE)


def counts(name="wg"):
    return control.must(f"SELECT count, waiters FROM corm.wait_groups WHERE name = '{name}'")


def wait(how="SELECT corm.wg_wait('wg')"):
    """A waiter that is known to wait"""
    waiters = int(counts()[0][1])
    waiter = Waiter(how)
    until(lambda: int(counts()[0][1]) == waiters + 1 or not waiter.runs())
    return waiter


def fresh(n):
    control.must("SELECT corm.wg_drop(name) FROM corm.wait_groups")
    control.must(f"SELECT corm.wg_create('wg', {n})")


# all who wait wake at zero, at commit and not before
fresh(2)
waiters = [wait() for _ in range(3)]
check("three wait", counts(), [("2", "3")])
one.must("BEGIN")
one.must("SELECT corm.wg_done('wg'), corm.wg_done('wg')")
check("what is not committed does not count", (counts(), [waiter.runs() for waiter in waiters]), ([("2", "3")], [True] * 3))
one.must("COMMIT")
check("all wake", [waiter.result() for waiter in waiters], [[("t",)]] * 3)
check("nobody waits", counts(), [("0", "0")])

# a rolled back change wakes nobody
fresh(1)
waiter = wait()
one.must("BEGIN")
one.must("SELECT corm.wg_done('wg')")
one.must("ROLLBACK")
check("rolled back", (counts(), waiter.runs()), ([("1", "1")], True))
one.must("SELECT corm.wg_done('wg', immediate => true)")
check("at once", waiter.result(), [("t",)])

# no zero in the middle of a transaction; one that is over when the waiter looks counts
fresh(1)
waiter = wait()
one.must("BEGIN")
one.must("SELECT corm.wg_done('wg'), corm.wg_add('wg', 2)")
one.must("COMMIT")
check("no zero in between", (counts(), waiter.runs()), ([("2", "1")], True))
one.must("SELECT corm.wg_add('wg', -2)")
one.must("SELECT corm.wg_add('wg', 5)")
check("woken, though it is used again", waiter.result(), [("t",)])
check("used again", counts(), [("5", "0")])

# two transactions take the last unit
fresh(1)
one.must("BEGIN")
one.must("SELECT corm.wg_done('wg')")
check("taken", two.run("SELECT corm.wg_done('wg')")[0], "22023")
one.must("ROLLBACK")
check("given back", two.run("SELECT corm.wg_done('wg')")[0], "")

# the procedure has no snapshot while it waits, the function has
fresh(1)
snapshots = "SELECT count(*) FROM pg_stat_activity WHERE pid = {} AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)"
call, function = wait("CALL corm.wg_wait('wg', '1 min', NULL)"), wait()
check("CALL has none", control.must(snapshots.format(call.session.pid)), [("0",)])
check("the function has one", control.must(snapshots.format(function.session.pid)), [("1",)])
one.must("SELECT corm.wg_done('wg')")
check("CALL", call.result(), [("t",)])
check("function", function.result(), [("t",)])

# dropped, while somebody waits and while somebody has changed it
fresh(1)
waiter, call = wait(), wait("CALL corm.wg_wait('wg', '1 min', NULL)")
one.must("BEGIN")
one.must("SELECT corm.wg_drop('wg')")
check("not yet", (counts(), waiter.runs()), ([("1", "2")], True))
two.must("BEGIN")
two.must("SELECT corm.wg_add('wg', 7)")
check("exists for others", two.run("SELECT corm.wg_create('wg')")[0], "42710")
two.must("ROLLBACK")
two.must("BEGIN")
two.must("SELECT corm.wg_add('wg', 7)")
one.must("SELECT corm.wg_create('wg', 3)")
one.must("COMMIT")
check("waiters get an error", (waiter.result(), call.result()), ("55000", "55000"))
two.must("COMMIT")
check("the new one is another", counts(), [("3", "0")])

# a group that is not committed is nobody else's, and its name is taken
one.must("BEGIN")
one.must("SELECT corm.wg_create('secret', 1)")
check("not seen", two.run("SELECT corm.wg_count('secret')")[0], "42704")
check("not listed", counts("secret"), [])
check("taken", two.run("SELECT corm.wg_create('secret')")[0], "42710")
one.must("ROLLBACK")
check("free again", two.run("SELECT corm.wg_create('secret')")[0], "")

# timeouts
fresh(1)
control.must("SELECT corm_test.clock_freeze()")
waiter, call = wait("SELECT corm.wg_wait('wg', '40 s')"), wait("CALL corm.wg_wait('wg', '2 days', NULL)")
capped = wait("SELECT corm.wg_wait('wg', '2 days')")
control.must("SELECT corm_test.clock_advance('39 s')")
check("before", (waiter.runs(), counts()), (True, [("1", "3")]))
control.must("SELECT corm_test.clock_advance('1 s')")
check("time over", waiter.result(), [("f",)])
control.must("SELECT corm_test.clock_advance('20 s')")
check("a function waits for corm.max_wait at most", capped.result(), [("f",)])
control.must("SELECT corm_test.clock_advance('1 day')")
check("CALL waits on", (call.runs(), counts()), (True, [("1", "1")]))
control.must("SELECT corm_test.clock_advance('1 day')")
check("time over", call.result(), [("f",)])
control.must("SELECT corm_test.clock_release()")

# canceled, terminated
fresh(1)
waiter, other = wait(), wait()
control.must(f"SELECT pg_cancel_backend({waiter.session.pid})")
check("canceled", waiter.result(), "57014")
control.must(f"SELECT pg_terminate_backend({other.session.pid})")
check("terminated", other.result(), "08006")
check("they wait no more", until(lambda: counts() == [("1", "0")]), True)
one.must("BEGIN")
one.must("SELECT corm.wg_done('wg'), corm.wg_create('left')")
control.must(f"SELECT pg_terminate_backend({one.pid})")
check("a session that ends gives back what it took", (
    until(lambda: control.run("SELECT corm.wg_add('wg', -1)")[0] == ""),
    until(lambda: control.run("SELECT corm.wg_create('left')")[0] == "")), (True, True))

# with the extension, and with the database, groups go
control.must("SELECT corm.wg_create('late', 1)")
waiter = Waiter("SELECT corm.wg_wait('late')")
until(lambda: counts("late") == [("1", "1")])
control.must("DROP EXTENSION corm")
check("the extension is dropped", waiter.result(), "55000")
control.must("CREATE EXTENSION corm")
check("no group is left", control.must("SELECT * FROM corm.wait_groups"), [])
control.must("SELECT count(corm.wg_create('g' || i)) FROM generate_series(1, 200) i")
for session in (control, two):
    session.close()
drop_database()
control = make_database("corm")
check("there is room after a database was dropped", control.run("SELECT count(corm.wg_create('g' || i)) FROM generate_series(1, 200) i")[0], "")
control.close()
drop_database()
sys.exit(finish())
