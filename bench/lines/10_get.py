"""Reading inside the server: one row by key, many rows, and what building a query costs."""

from harness import SLICES, Line, at_most, costs_at_most, times_faster


def lines(bench):
    calls = bench.count(100000)
    loop = "FOR i IN 1 .. %d LOOP {} END LOOP;" % (calls // SLICES)
    get = Line(
        f"get by primary key in a PL/pgSQL loop, {calls:,} calls",
        ("corm.get", bench.plpgsql(loop.format("r := corm.get(NULL::users, corm.where(corm.eq('id', i)));"), "r users;")),
        [("static SQL", bench.plpgsql(loop.format("SELECT * INTO r FROM users WHERE id = i;"), "r users;"), at_most(1.3)),
         ("EXECUTE format", bench.plpgsql(
             loop.format("EXECUTE format('SELECT * FROM %I WHERE id = $1', 'users') INTO r USING i;"), "r users;"),
          times_faster(3))])

    times = bench.count(100)
    fetch = "FOR i IN 1 .. %d LOOP FOR r IN {} LOOP n := n + 1; END LOOP; END LOOP;" % (times // SLICES)
    declare = "r users; n int := 0;"
    get_multi = Line(
        f"get_multi of 1,000 rows x 10 columns, {times:,} times",
        ("corm.get_multi", bench.plpgsql(
            fetch.format("SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.gt('id', i)), corm.order_by('id'), "
                         "corm.limit(1000))"), declare)),
        [("static SQL", bench.plpgsql(
            fetch.format("SELECT * FROM users WHERE id > i ORDER BY id LIMIT 1000"), declare), at_most(1.05))])

    corm_rows = ("SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.gt('id', 500)), corm.order_by('id'), "
                 "corm.limit(1000))")
    fetched = Line(
        "get_multi of 1,000 rows x 10 columns, fetched by psycopg",
        ("corm.get_multi", bench.sql(corm_rows)),
        [("static SQL", bench.sql("SELECT * FROM users WHERE id > 500 ORDER BY id LIMIT 1000"), at_most(1.05))])

    build = Line(
        f"building a 5-clause query with 3 bound values, {calls:,} times",
        ("corm.pipe", bench.plpgsql(
            loop.format("q := corm.pipe(corm.selector('users'), corm.where(corm.eq('company_id', i)), "
                        "corm.where(corm.gt('age', i)), corm.order_by('-id'), corm.limit(i));"), "q corm.query;")),
        [("an empty loop", bench.plpgsql(loop.format("q := NULL;"), "q corm.query;"), costs_at_most(2, "us", calls))])
    return [get, get_multi, fetched, build]
