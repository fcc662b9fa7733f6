"""The operations of random programs on rows and cache: the SQL of each, and what it does to a client of the model; and
the tables that they use.
"""

from expressions import quote
from model import Failure, Row

# The same table three times: plain; with hooks that count and refuse, but change nothing; behind middleware that only
# passes on.  Nothing else may differ.
TABLES = ["items", "goods", "wares"]
SCHEMA = "".join(f"""
CREATE TABLE {table} (
    id         int PRIMARY KEY,
    owner      int NOT NULL,
    code       text NOT NULL UNIQUE,
    n          int CHECK (n < 100),
    note       text DEFAULT 'new',
    version    int NOT NULL DEFAULT 1,
    deleted_at timestamptz
);
COMMENT ON COLUMN {table}.version IS '@orm:version';
COMMENT ON COLUMN {table}.deleted_at IS '@orm:soft_delete';
CREATE INDEX ON {table} (owner);
""" for table in TABLES) + """
CREATE TABLE trail (owner int NOT NULL, what text NOT NULL, id int NOT NULL);
CREATE INDEX ON trail (owner);
CREATE FUNCTION before_save(r goods) RETURNS goods LANGUAGE plpgsql AS $$
BEGIN
    IF r.n = 3 AND r.note = 'b' THEN
        RAISE 'refused' USING ERRCODE = 'OX001';
    END IF;
    RETURN r;
END $$;
CREATE FUNCTION before_delete(r goods) RETURNS goods LANGUAGE sql AS $$ SELECT r $$;
CREATE FUNCTION after_save(r goods) RETURNS void LANGUAGE sql AS $$ INSERT INTO trail VALUES (r.owner, 'save', r.id) $$;
CREATE FUNCTION after_delete(r goods) RETURNS void LANGUAGE sql AS $$ INSERT INTO trail VALUES (r.owner, 'delete', r.id) $$;
CREATE FUNCTION after_find(r goods) RETURNS goods LANGUAGE sql STABLE AS $$ SELECT r $$;
CREATE FUNCTION pass_on(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT corm.next(qc) $$;
CREATE FUNCTION look_on(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
    result corm.query_result := corm.next(qc);
BEGIN
    PERFORM FROM corm.result_rows(result);
    RETURN result;
END $$;
SELECT corm.use('pass_on(corm.query_context)', 'wares'), corm.use('look_on(corm.query_context)', 'wares');
SELECT corm.cache_create('wiped');
CREATE FUNCTION check_depth(expected int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    -- a failed assertion is the one error beside a cancel that no scope turns into data
    ASSERT corm.tx_depth() = expected, format('depth is %s, not %s', corm.tx_depth(), expected);
    RETURN expected;
END $$;
CREATE FUNCTION exception_block(commands text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE command text;
BEGIN
    FOREACH command IN ARRAY commands LOOP
        EXECUTE command;
    END LOOP;
EXCEPTION WHEN OTHERS THEN
    NULL;
END $$;
"""

IDS = 8  # rows of a client


def text(value):
    return "NULL" if value is None else quote(value) if isinstance(value, str) else str(value)


def json_text(value):
    return "null" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


class Operations:
    """The operations of one client on rows and cache: name -> (SQL, what it does).  Row ids, codes and conditions are
    this client's own; cache keys are shared with others unless the client is private.  The SQL says items; a Program
    puts the table there."""

    def __init__(self, number, private, table):
        self.number, self.private, self.table = number, private, table
        self.wiped = f"wiped{number}" if private else "wiped"

    def id(self, i):
        return self.number * 100 + i

    def code(self, i):
        return f"{self.number}-{i}"

    def key(self, key):
        return f"{self.number}{key}" if self.private else key

    def record(self, id, code, n, note, version="NULL"):
        return f"ROW({self.id(id)}, {self.number}, {quote(self.code(code))}, {text(n)}, {text(note)}, {version}, NULL)::items"

    def version(self, id, stale, missing="NULL"):
        return f"(SELECT coalesce(max(version), {missing}) - {stale} FROM items WHERE id = {self.id(id)})"

    def new(self, id, code, n, note, version=1):
        return Row(self.id(id), self.number, self.code(code), n, "new" if note is None else note, version, False)

    # the hooks

    def before_save(self, *rows):
        """All are called before anything is written."""
        if self.table == "goods" and any(row.n == 3 and row.note == "b" for row in rows):
            raise Failure("OX001")

    def after(self, c, what, count=1):
        if self.table == "goods":
            c.count(what, count)

    # each pair of functions: the SQL, and what it does to a client of the model

    def sql_insert(self, id, code, n, note):
        return f"SELECT i.id, i.n, i.note, i.version FROM corm.insert({self.record(id, code, n, note)}) i"

    def do_insert(self, c, id, code, n, note):
        row = self.new(id, code, n, note)
        self.before_save(row)
        c.write()
        c.add(row)
        self.after(c, "save")
        return [(row.id, row.n, row.note, row.version)]

    def sql_insert_multi(self, *rows):
        return f"SELECT i.id, i.note FROM corm.insert_multi(ARRAY[{', '.join(self.record(*row) for row in rows)}]::items[]) i"

    def do_insert_multi(self, c, *rows):
        self.before_save(*[self.new(*row) for row in rows])
        c.write()
        for row in rows if self.table == "goods" else sorted(rows, key=lambda row: row[0]):  # by key, but not with hooks
            c.add(self.new(*row))
        self.after(c, "save", len(rows))
        return [(self.id(row[0]), "new" if row[3] is None else row[3]) for row in rows]

    def sql_insert_json(self, id, code, n, note):
        return ("SELECT r ->> 'id' AS id, r ->> 'n' AS n, r ->> 'note' AS note, r ->> 'version' AS version FROM corm.insert_json('items', "
                f"'{{\"id\": {self.id(id)}, \"owner\": {self.number}, \"code\": \"{self.code(code)}\", \"n\": {json_text(n)}, \"note\": {json_text(note)}}}') r")

    do_insert_json = do_insert

    def sql_upsert(self, id, code, n, how):
        then = {"nothing": "corm.on_conflict('id'), corm.do_nothing()", "select": "corm.on_conflict('id'), corm.do_select()",
                "all": "corm.on_conflict('id'), corm.do_update()", "n": "corm.on_conflict('id'), corm.do_update('n')",
                "any": "corm.do_nothing()",
                "add": "corm.on_conflict('id'), corm.do_update(), corm.set('n', corm.add('n', corm.excluded('n')))",
                "where": "corm.on_conflict('id'), corm.do_update('n'), corm.where(corm.lt('n', corm.excluded('n')))"}[how]
        return ("SELECT r ->> 'id' AS id, r ->> 'n' AS n, r ->> 'version' AS version, r ->> 'code' AS code, (r ->> 'new')::boolean AS new FROM jsonb_array_elements(corm.get_multi_json(corm.inserter('items'), "
                f"corm.set('id', {self.id(id)}), corm.set('owner', {self.number}), corm.set('code', {quote(self.code(code))}), corm.set('n', {text(n)}), {then}, "
                "corm.returning('id', 'n', 'version', 'code', corm.as(corm.inserted(), 'new')))) r")

    def do_upsert(self, c, id, code, n, how):
        row, given = c.row(self.id(id)), self.new(id, code, n, None)
        self.before_save(given)
        c.write()
        if n is not None and n >= 100:
            raise Failure("23514")
        new = row is None
        if new:
            if how == "any" and any(other.code == given.code for other in c.visible()):
                return []
            c.add(given)
            self.after(c, "save")
            row = given
        elif how in ("nothing", "any"):
            return []
        elif how != "select":
            if how == "where" and not (row.n is not None and n is not None and row.n < n):
                return []
            if how == "add":
                n = None if n is None or row.n is None else row.n + n
            row = row._replace(n=n, version=row.version + 1)
            if how == "all":
                row = row._replace(code=given.code)
            c.store(row)
            self.after(c, "save")
        return [(row.id, row.n, row.version, row.code, new)]

    def sql_update(self, id, code, n, note, stale):
        return f"SELECT i.n, i.note, i.version FROM corm.update({self.record(id, code, n, note, self.version(id, stale))}) i"

    def do_update(self, c, id, code, n, note, stale):
        self.before_save(self.new(id, code, n, note))
        c.write()
        row = c.live(self.id(id))
        if row is None:
            raise Failure("P0002")
        if stale:
            raise Failure("OR010")
        row = row._replace(code=self.code(code), n=n, note=note, version=row.version + 1)
        c.store(row)
        self.after(c, "save")
        return [(row.n, row.note, row.version)]

    def sql_update_multi(self, n, stale, *ids):
        old = f"corm.set_field(x, 'version', x.version - {stale})" if stale else "x"
        return (f"SELECT i.id, i.n, i.version FROM corm.update_multi(ARRAY(SELECT corm.set_field({old}, 'n', {text(n)}::int) FROM items x "
                f"WHERE id IN ({', '.join(str(self.id(id)) for id in ids)}) ORDER BY id)) i ORDER BY 1")

    def do_update_multi(self, c, n, stale, *ids):
        rows = [c.row(self.id(id)) for id in sorted(set(ids))]
        rows = [row for row in rows if row]
        if not rows:
            raise Failure("OR003")
        self.before_save(*[row._replace(n=n) for row in rows])
        c.write()
        gone = any(row.deleted for row in rows)
        if stale:
            raise Failure("OR010" if not gone else "P0002" if self.table != "wares" else "P0002 or OR010")
        for row in rows:
            if not row.deleted:
                c.store(row._replace(n=n, version=row.version + 1))
        if gone:
            raise Failure("P0002")
        self.after(c, "save", len(rows))
        return [(row.id, n, row.version + 1) for row in rows]

    def sql_save(self, id, code, n, note, stale):
        return f"SELECT i.n, i.note, i.version FROM corm.save({self.record(id, code, n, note, self.version(id, stale, 1))}) i"

    def do_save(self, c, id, code, n, note, stale):
        self.before_save(self.new(id, code, n, note))
        c.write()
        row = c.row(self.id(id))
        if n is not None and n >= 100:
            raise Failure("23514")
        if row is None:
            row = self.new(id, code, n, note, 1 - stale)
            c.add(row)
        else:
            if stale:
                raise Failure("OR010")
            row = row._replace(code=self.code(code), n=n, note=note, version=row.version + 1, deleted=False)
            c.store(row)
        self.after(c, "save")
        return [(row.n, row.note, row.version)]

    def sql_delete(self, id, stale):
        return f"SELECT corm.delete({self.record(id, 0, None, None, self.version(id, stale))})"

    def do_delete(self, c, id, stale):
        c.write()
        row = c.live(self.id(id))
        if row is None:
            return [(False,)]
        if stale:
            raise Failure("OR010")
        c.rows[row.id] = row._replace(deleted=True, version=row.version + 1)
        self.after(c, "delete")
        return [(True,)]

    def sql_updater(self, least, by, most):
        return (f"SELECT corm.exec(corm.updater('items'), corm.set('n', corm.add('n', {by})), corm.where(corm.eq('owner', {self.number}), "
                f"corm.gte('n', {least})){f', corm.max_rows({most})' if most is not None else ''})")

    def do_updater(self, c, least, by, most):
        c.write()  # rows that are found are locked before any hook sees them
        rows = [row for row in c.mine() if row.n is not None and row.n >= least]
        wrong = []
        if any(row.n + by >= 100 for row in rows):
            wrong.append("23514")
        if most is not None and len(rows) > most:
            wrong = ["OR002"] + wrong
        try:
            self.before_save(*[row._replace(n=row.n + by) for row in rows])
        except Failure as refused:
            if most is None or len(rows) <= most:
                raise
            wrong = ["OR002", refused.sqlstate]
        if wrong:
            raise Failure(" or ".join(wrong))
        for row in rows:
            c.rows[row.id] = row._replace(n=row.n + by, version=row.version + 1)
        self.after(c, "save", len(rows))
        return [(len(rows),)]

    def sql_deleter(self, n):
        return f"SELECT corm.exec(corm.deleter('items'), corm.where(corm.eq('owner', {self.number}), corm.eq('n', {text(n)})))"

    def do_deleter(self, c, n):
        c.write()
        rows = [row for row in c.mine() if row.n == n]
        for row in rows:
            c.rows[row.id] = row._replace(deleted=True, version=row.version + 1)
        self.after(c, "delete", len(rows))
        return [(len(rows),)]

    def sql_purge(self, id):
        return f"SELECT corm.exec(corm.deleter('items'), corm.unscoped(), corm.where(corm.eq('id', {self.id(id)})))"

    def do_purge(self, c, id):
        c.write()
        row = c.row(self.id(id))
        if row:
            c.rows[row.id] = None
            self.after(c, "delete")
        return [(1 if row else 0,)]

    def sql_restore(self, n):
        return f"SELECT corm.restore(corm.selector('items'), corm.where(corm.eq('owner', {self.number}), corm.eq('n', {text(n)})))"

    def do_restore(self, c, n):
        c.write()
        rows = [row for row in c.mine(True) if row.n == n]
        self.before_save(*rows)
        for row in rows:
            c.rows[row.id] = row._replace(deleted=False, version=row.version + 1)
        self.after(c, "save", len(rows))
        return [(len(rows),)]

    def sql_no_where(self):
        return "SELECT corm.exec(corm.deleter('items'))"

    def do_no_where(self, c):
        raise Failure("OR001")

    def sql_get(self, id):
        return f"SELECT i.n, i.note FROM corm.get(NULL::items, corm.where(corm.eq('id', {self.id(id)}))) i"

    def do_get(self, c, id):
        row = c.live(self.id(id))
        if row is None:
            raise Failure("P0002")
        return [(row.n, row.note)]

    def sql_one(self, n):
        return f"SELECT i.id FROM corm.one(NULL::items, corm.where(corm.eq('owner', {self.number}), corm.eq('n', {text(n)}))) i"

    def do_one(self, c, n):
        rows = [row for row in c.mine() if row.n == n]
        if len(rows) != 1:
            raise Failure("P0003" if rows else "P0002")
        return [(rows[0].id,)]

    def sql_count(self, clause):
        return f"SELECT corm.count(corm.selector('items'), {clause + ', ' if clause else ''}corm.where(corm.eq('owner', {self.number})))"

    def do_count(self, c, clause):
        return [(len(c.mine({"": False, "corm.unscoped()": None, "corm.only_deleted()": True}[clause])),)]

    def sql_all(self):
        return "SELECT corm.count(corm.selector('items'))" if not self.private else self.sql_count("")

    def do_all(self, c):
        return [(len([row for row in c.visible() if not row.deleted]) if not self.private else len(c.mine()),)]

    def sql_sum(self, n):
        return (f"SELECT corm.value(NULL::bigint, corm.selector('items'), corm.select(corm.sum('n')), corm.where(corm.eq('owner', {self.number}), "
                f"corm.not(corm.eq('n', {text(n)}))))")

    def do_sum(self, c, n):
        rows = [row.n for row in c.mine() if row.n is not None and (n is None or row.n != n)]
        return [(sum(rows) if rows else None,)]

    def sql_pluck(self, n):
        return f"SELECT corm.pluck(NULL::int, corm.selector('items'), corm.select('id'), corm.where(corm.eq('owner', {self.number}), corm.is_distinct_from('n', {text(n)})), corm.order_by(corm.desc('n', 'last'), 'id'))"

    def do_pluck(self, c, n):
        rows = [row for row in c.mine() if row.n != n]
        return [(row.id,) for row in sorted(rows, key=lambda row: (row.n is None, -(row.n or 0), row.id))]

    # cache

    def sql_cache_put(self, mode, key, value, immediate, ttl):
        return (f"SELECT corm.cache_{mode}({quote(self.key(key))}, {value if isinstance(value, int) else quote(value)}, "
                f"ttl => {text(ttl)}, immediate => {immediate})" + ("::text = ''" if mode == "set" else ""))

    def do_cache_put(self, c, mode, key, value, immediate, ttl):
        done = c.cache_put(("default", self.key(key)), str(value), mode, immediate)
        return [(True if mode == "set" else done,)]

    def sql_cache_get(self, key):
        return f"SELECT corm.cache_get({quote(self.key(key))}), corm.cache_exists({quote(self.key(key))})"

    def do_cache_get(self, c, key):
        value = c.cached(("default", self.key(key)))
        return [(value, value is not None)]

    def sql_cache_delete(self, key, immediate):
        return f"SELECT corm.cache_delete({quote(self.key(key))}, immediate => {immediate})"

    def do_cache_delete(self, c, key, immediate):
        return [(c.cache_delete(("default", self.key(key)), immediate),)]

    def sql_cache_incr(self, key, by):
        return f"SELECT corm.cache_incr({quote(self.key(key))}, {by})"

    def do_cache_incr(self, c, key, by):
        return [(c.cache_incr(("default", self.key(key)), by),)]

    def sql_cache_touch(self, key, how):
        return f"SELECT corm.cache_{how}({quote(self.key(key))}{', ' + quote('1 hour') if how == 'expire' else ''})"

    def do_cache_touch(self, c, key, how):
        return [(c.cache_touch(("default", self.key(key))),)]

    def sql_wiped_set(self, key, value):
        return f"SELECT corm.cache_set({quote(key)}, {quote(value)}, cache => '{self.wiped}')::text = ''"

    def do_wiped_set(self, c, key, value):
        c.cache_put(("wiped", key), value, "set", False)
        return [(True,)]

    def sql_wiped_delete(self, key):
        return f"SELECT corm.cache_delete({quote(key)}, '{self.wiped}')"

    def do_wiped_delete(self, c, key):
        return [(c.cache_delete(("wiped", key), False),)]

    def sql_wiped_clear(self):
        return f"SELECT corm.cache_clear('{self.wiped}')"

    def do_wiped_clear(self, c):
        return [(c.cache_clear(),)]

    def sql_wiped_count(self):
        return (f"SELECT corm.cache_count('{self.wiped}'), (SELECT string_agg(k, ',' ORDER BY k) "
                f"FROM corm.cache_keys('%', '{self.wiped}') k)")

    def do_wiped_count(self, c):
        keys = sorted(key for cache, key in c.cache_keys() if cache == "wiped")
        return [(len(keys), ",".join(keys) or None)]
