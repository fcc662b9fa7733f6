"""hardening 11: queries and expressions as binary parameters, as they were sent and damaged: each is read, or refused by an
error that is not internal, and the session goes on.

Runs in a database with corm and test/docs/sample.sql; libpq's variables say where.  The output is TAP.
"""

import random

import psycopg

count = 0


def check(name, got, expected):
    global count
    count += 1
    print(f"{'ok' if got == expected else 'not ok'} {count} - {name}")
    if got != expected:
        print(f"#      got: {got!r}\n# expected: {expected!r}")


connection = psycopg.connect("", autocommit=True)
PIECES = (b"", b"\0", b"\xff", b"\xc3", b"{", b"}", b"[", b"]", b'"', b",", b"\\u0000", b"null", b"99999999999", b'"where"')


def run(sql, value, oid):
    """SQLSTATE and the first field of what one binary parameter leads to"""
    result = connection.pgconn.exec_params(sql.encode(), [value], [oid], [1])
    state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
    return (state.decode(), None) if state else ("00000", result.get_value(0, 0).decode())


def damaged(value, dice):
    value = bytearray(value)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(value) + 1)
        how = dice.randrange(4)
        if how == 0 and at < len(value):
            value[at] ^= 1 << dice.randrange(8)
        elif how == 1:
            del value[at:]
        else:
            value[at:at + dice.randrange(6)] = dice.choice(PIECES)
    return bytes(value)


SEEDS = {
    "query": ("SELECT corm.to_sql($1)", [
        "corm.pipe(corm.selector('users'), corm.where(corm.eq('id', 1), corm.some('orders', corm.gt('amount', 10))), corm.limit(3))",
        "corm.pipe(corm.updater('users'), corm.set('name', 'x'), corm.where(corm.in('id', ARRAY[1, 2])), corm.returning('id'))",
        "corm.pipe(corm.selector('users'), corm.preload('orders', corm.order_by('-id')), corm.offset(1))",
        "corm.pipe(corm.selector('users'), corm.select('id'), corm.union(corm.pipe(corm.selector('orders'), corm.select('id'))))"]),
    "expr": ("SELECT corm.to_sql(corm.selector('users'), corm.where($1))", [
        "corm.or(corm.eq('company.name', 'Acme'), corm.not(corm.like('name', 'A%')))",
        "corm.between('created_at', '2020-01-01'::date, now())"]),
}
for kind, (sql, values) in SEEDS.items():
    oid = connection.execute(f"SELECT 'corm.{kind}'::regtype::oid").fetchone()[0]
    whole, states = [], []
    for number, made in enumerate(values):
        value, expected = connection.execute(f"SELECT corm.{kind}_send(v), corm.to_sql({'v' if kind == 'query' else 'corm.selector($$users$$), corm.where(v)'}) "
                                             f"FROM (VALUES ({made})) m(v)").fetchone()
        whole.append(run(sql, value, oid) == ("00000", expected))
        dice = random.Random(number)
        states += [run(sql, damaged(value, dice), oid)[0] for _ in range(2000)]
    check(f"each {kind} is read as it was sent", whole, [True] * len(values))
    check(f"a damaged {kind} is no internal error", [state for state in states if state[:2] in ("XX", "58", "57", "08")], [])
    check(f"some damage to a {kind} is none, most is refused", states.count("00000") > 20 and len(states) - states.count("00000") > 1000, True)
check("the session goes on", connection.execute("SELECT corm.count(corm.selector('users'))").fetchone(), (8,))
print(f"1..{count}")
