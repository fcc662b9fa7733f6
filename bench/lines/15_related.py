"""Rows with what belongs to them, and pages far down, inside the server."""

from harness import SLICES, Line, at_most, no_bar

# Ways to write it by hand: whichever is fastest here is the one to beat.
LATERAL_ROWS = """
SELECT coalesce(jsonb_agg(to_jsonb(u)), '[]') FROM (
    SELECT p.*, o.orders
    FROM (SELECT * FROM users WHERE id > {first} ORDER BY id LIMIT 20) AS p
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_agg(to_jsonb(o)), '[]') AS orders FROM (
            SELECT orders.*, i.items
            FROM orders
            CROSS JOIN LATERAL (
                SELECT coalesce(jsonb_agg(to_jsonb(items)), '[]') AS items FROM items WHERE items.order_id = orders.id
            ) AS i
            WHERE orders.user_id = p.id) AS o
    ) AS o
    ORDER BY p.id) AS u"""

LATERAL_KEYS = """
SELECT coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'email', p.email, 'age', p.age,
           'company_id', p.company_id, 'plan', p.plan, 'active', p.active, 'score', p.score,
           'created_at', p.created_at, 'bio', p.bio, 'orders', o.orders) ORDER BY p.id), '[]')
FROM (SELECT * FROM users WHERE id > {first} ORDER BY id LIMIT 20) AS p
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', orders.id, 'user_id', orders.user_id, 'amount', orders.amount,
               'placed_at', orders.placed_at, 'items', i.items)), '[]') AS orders
    FROM orders
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', items.id, 'order_id', items.order_id, 'sku', items.sku,
                   'quantity', items.quantity, 'price', items.price)), '[]') AS items
        FROM items WHERE items.order_id = orders.id
    ) AS i
    WHERE orders.user_id = p.id
) AS o"""

# json, which each level copies as text, and jsonb of the whole.
LATERAL_TEXT = """
SELECT coalesce(json_agg(u), '[]')::jsonb FROM (
    SELECT p.*, o.orders
    FROM (SELECT * FROM users WHERE id > {first} ORDER BY id LIMIT 20) AS p
    CROSS JOIN LATERAL (
        SELECT coalesce(json_agg(o), '[]') AS orders FROM (
            SELECT orders.*, i.items
            FROM orders
            CROSS JOIN LATERAL (
                SELECT coalesce(json_agg(items), '[]') AS items FROM items WHERE items.order_id = orders.id
            ) AS i
            WHERE orders.user_id = p.id) AS o
    ) AS o
    ORDER BY p.id) AS u"""

CORM_PRELOAD = """corm.get_multi_json(corm.selector('users'), corm.where(corm.gt('id', {first})), corm.order_by('id'),
    corm.limit(20), corm.preload('orders', corm.preload('items')))"""

PAGE = ("SELECT * FROM users WHERE (created_at, id) > ('2026-03-04 12:00+00'::timestamptz, 90000) "
        "ORDER BY created_at, id LIMIT 20")


def lines(bench):
    times = bench.count(500)
    loop = "FOR i IN 1 .. %d LOOP {} END LOOP;" % max(1, times // SLICES)

    def documents(call):
        """The documents of one slice, and of the first of them a fingerprint for comparison."""
        run = bench.plpgsql(loop.format(call.format(first="i * 190")), "doc jsonb;")
        answer = bench.execute("SELECT md5(doc::text) FROM (%s) AS d(doc)" % select_of(call.format(first="5000")))
        check = answer.fetchone()[0]
        return lambda: (run(), check)

    preload = Line(
        f"two-level preload to JSON, 20 parents of 100,000, {times:,} times",
        ("corm.get_multi_json", documents("doc := " + CORM_PRELOAD + ";")),
        [("LATERAL, to_jsonb of rows", documents("doc := (" + LATERAL_ROWS + ");"), at_most(1.05)),
         ("LATERAL, jsonb_build_object", documents("doc := (" + LATERAL_KEYS + ");"), at_most(1.05)),
         ("LATERAL, json_agg, cast to jsonb", documents("doc := (" + LATERAL_TEXT + ");"), at_most(1.05))])

    cursor = bench.execute(
        "SELECT corm.page_json(corm.selector('users'), corm.order_by('created_at', 'id'), corm.offset(89980), "
        "corm.limit(20)) -> 'page_info' ->> 'end_cursor'").fetchone()[0]
    times = bench.count(10000)
    fetch = "FOR i IN 1 .. %d LOOP FOR r IN {} LOOP n := n + 1; s := s + r.id; END LOOP; END LOOP;" % (times // SLICES)
    declare = "r users; n int := 0; s bigint := 0;"

    def rows(query):
        run = bench.plpgsql(fetch.format(query), declare)
        check = bench.execute(f"SELECT count(*), sum(id) FROM ({query}) AS rows").fetchone()
        return lambda: (run(), check)

    corm_page = ("SELECT * FROM corm.get_multi(NULL::users, corm.order_by('created_at', 'id'), "
                 f"corm.after('{cursor}'), corm.limit(20))")
    keyset = Line(
        f"keyset page of 20, 90,000 rows deep, in PL/pgSQL, {times:,} times",
        ("corm.get_multi", rows(corm_page)),
        [("row comparison", rows(PAGE), at_most(1.1))])
    offset = Line(
        "the same page by OFFSET, 10 times",
        ("corm.get_multi", rows_once(bench, corm_page)),
        [("OFFSET 90000", rows_once(bench, "SELECT * FROM users ORDER BY created_at, id LIMIT 20 OFFSET 90000"), no_bar())],
        slices=10)
    return [preload, keyset, offset]


def select_of(assignment):
    """The SELECT that an assignment to doc stands for."""
    return "SELECT " + assignment.removeprefix("doc := ").removesuffix(";")


def rows_once(bench, query):
    check = bench.execute(f"SELECT count(*), sum(id) FROM ({query}) AS rows").fetchone()
    run = bench.sql(query)
    return lambda: (run(), check)
