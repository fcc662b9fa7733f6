"""Statements with corm's calls in them, against the same statements with plain SQL in the place of the calls.

The values in the queries are literals, parameters, columns of the statement around, and subqueries with these.  Each statement is run in plain
SQL, with corm.inline off, and with it on: as it is, prepared with a plan for its values, with what was kept of a plan for others, and with a
generic plan, and as a function of PL/pgSQL or a view.  The answers are the rows, sorted unless the query's order must arrive.
"""

from dataclasses import dataclass, replace

from expressions import DOMAINS, MODELS, OPEN, Expr, Generator, quote

# tokens of parameters, which each way to run a statement replaces by its own
TOKEN = "\x01{}\x02"
CALL = "\x03"  # and where the call stands


@dataclass
class Around:
    """One statement; corm and plain have the same tokens.  conditions, where they can be simpler."""
    make: object  # of rendered conditions: (corm, plain)
    conditions: list
    params: tuple  # of (type, value), value None for NULL
    ordered: bool = False
    generic_first: bool = False

    def render(self):
        return self.make([condition.render() for condition in self.conditions])

    def filled(self, text, way):
        for number, (type, value) in enumerate(self.params, 1):
            literal = "NULL" if value is None else quote(value)
            text = text.replace(TOKEN.format(number), {"literal": f"{literal}::{type}", "prepared": f"${number}", "plpgsql": f"p{number}"}[way])
        return text

    def answer(self, text):
        """A statement whose one answer is all rows."""
        if self.ordered:
            return f"SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM ({text}) x"
        return f"SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)), '[]') FROM ({text}) x"

    def ways(self):
        corm, plain = self.render()
        yield "plain SQL", [self.filled(self.answer(plain), "literal")]
        direct = self.filled(self.answer(corm), "literal")
        yield "called", ["SET LOCAL corm.inline = off", direct]
        yield "compiled in", ["SET LOCAL corm.inline = on", direct]
        values = [self.filled(TOKEN.format(number), "literal") for number in range(1, len(self.params) + 1)]
        types = f"({', '.join(type for type, _ in self.params)})" if values else ""
        execute = f"EXECUTE around{f'({chr(44).join(values)})' if values else ''}"
        yield "a generic plan", ["SET LOCAL plan_cache_mode = force_generic_plan",
                                 f"PREPARE around{types} AS {self.filled(self.answer(corm), 'prepared')}", execute]
        yield "the same plan, executed again", [execute]
        yield "called again", ["SET LOCAL corm.inline = off", execute]
        yield "a plan for the values", ["SET LOCAL corm.inline = on", "SET LOCAL plan_cache_mode = force_custom_plan", execute]
        if values:
            others = [f"{quote(DOMAINS[type][-1]) if type in DOMAINS else 1}::{type}" for type, _ in self.params]
            yield "what a plan for others has kept", [f"EXECUTE around({', '.join(others)})", f"EXECUTE around({', '.join(others)})", execute]
        arguments = ", ".join(f"p{number} {type}" for number, (type, _) in enumerate(self.params, 1))
        yield "PL/pgSQL", ["SET LOCAL plan_cache_mode = force_generic_plan",
                           f"CREATE FUNCTION pg_temp.around({arguments}) RETURNS jsonb LANGUAGE plpgsql AS $f$ BEGIN RETURN "
                           f"({self.filled(self.answer(corm), 'plpgsql')}); END $f$", f"SELECT pg_temp.around({', '.join(values)})"]
        if not values:
            yield "a view", [f"CREATE TEMP VIEW around AS {self.answer(corm)}", "SELECT * FROM around"]

    def verify(self, session):
        first, steps = None, 0
        session.run("DEALLOCATE ALL")
        for name, commands in self.ways():
            for command in commands:
                sqlstate, rows = session.run(command)
                if sqlstate:
                    return steps + 1, f"{sqlstate} {session.message} ({name})"
            if first is None:
                first = rows[0][0]
            elif rows[0][0] != first:
                return steps + 1, f"{name} is {rows[0][0]}, plain SQL is {first}"
            steps += 1
        return steps, None

    def sql(self):
        return self.filled(self.render()[0], "literal")

    def show(self, session):
        return ";\n".join(command for _, commands in self.ways() for command in commands)

    def smaller(self):
        for i, condition in enumerate(self.conditions):
            for small in condition.smaller():
                yield replace(self, conditions=self.conditions[:i] + [small] + self.conditions[i + 1:])


class Statements(Generator):
    """The generator: conditions as for reads, whose values may come from the statement."""

    outer = None  # (alias, model) whose columns are values
    params = ()

    def value(self, type, nulls=0.08, scope="", filterable=True):
        kind = self.rng.choices(["literal", "column", "parameter"], [5, 4 if self.outer else 0, 4])[0]
        if kind == "column":
            alias, model = self.outer
            names = [name for name, of in MODELS[model].fields.items() if of == type]
            if names:
                return self.opened(f"{alias}.{self.rng.choice(names)}", type, scope, nulls)
        if kind == "parameter":
            self.params += ((type, None if self.maybe(0.2) else self.rng.choice(DOMAINS[type])),)
            return self.opened(TOKEN.format(len(self.params)), type, scope, nulls)
        return super().value(type, nulls, scope)

    def opened(self, text, type, scope, nulls):
        """A value that is not known before; for corm now and then as text."""
        as_text = type not in ("text", "text[]", "jsonb") and self.maybe(0.3)
        if type in ("int", "numeric") and self.maybe(0.1):
            text = f"({text} + 1)" if type == "numeric" else f"coalesce({text}, 1)"
        if self.maybe(0.15):
            text = self.rng.choice(["(SELECT {})", "(SELECT q.v FROM (VALUES ({})) q (v) WHERE q.v IS NOT NULL)",
                                    "(SELECT max(q.v) FROM generate_series(1, 2), LATERAL (SELECT {}) q (v))"]
                                   [:3 if type in ("int", "smallint", "bigint", "numeric", "date", "text") else 2]).format(text)
        corm = f"({text})::text" if as_text else text
        made = Expr(lambda kids: (corm, f"{OPEN}{text}", ["?"]), [], "value " + type, scope)
        made.redraw = lambda: made  # another value may need another parameter
        return made

    def call(self, model, alias, outer=None, depth=None, columns="", limit=True):
        """A call of corm.get_multi: (how to write it of a rendered condition, the condition)."""
        inner = self.alias()
        self.outer = outer
        condition = self.condition(model, inner, self.rng.choice([0, 1, 1, 2]) if depth is None else depth)
        self.outer = None
        clauses, tail = "", ""
        if limit and self.maybe(0.35):
            names = self.rng.sample(MODELS[model].not_null, 1)
            down = self.maybe(0.5)
            order = [f"'{'-' if down else ''}{names[0]}'", "'id'"] if names[0] != "id" else [f"'{'-' if down else ''}id'"]
            sql = [f"{inner}.{names[0]}{' DESC' if down else ''}"] + ([f"{inner}.id"] if names[0] != "id" else [])
            clauses, tail = f", corm.order_by({', '.join(order)})", f" ORDER BY {', '.join(sql)}"
            if self.maybe(0.7):
                n = self.rng.choice([0, 1, 2, 3, 10])
                token = str(n)
                if self.maybe(0.3):
                    self.params += (("bigint", n),)
                    token = TOKEN.format(len(self.params))
                clauses, tail = f"{clauses}, corm.limit({token})", f"{tail} LIMIT {token}"
        live = MODELS[model].live.format(inner)

        def write(rendered):
            return (f"corm.get_multi(NULL::{model}, corm.selector('{model}', '{inner}'), corm.where({rendered[0]}){clauses})",
                    f"(SELECT {inner}.* FROM {model} {inner} WHERE {live} AND {rendered[1]}{tail})")
        return write, condition

    def columns(self, model, alias, n=3):
        names = self.rng.sample([name for name in MODELS[model].fields if name != "doc"], n)
        return ", ".join(f"{alias}.{name}" for name in ["id", *[name for name in names if name != "id"]])

    def outer_condition(self, model, alias):
        """Plain SQL on the rows of a call."""
        while True:
            sql = self.leaf(model, alias).render()[1]
            if "\x01" not in sql:
                return sql

    def check(self):
        self.params, self.outer = (), None
        kind = self.rng.choice(["rows", "condition", "join", "left", "full", "lateral", "left lateral", "exists", "in", "scalar", "aggregate",
                                "window", "set", "cte", "limit", "pluck", "two", "distinct", "sub"])
        model, other = self.rng.choice(list(MODELS)), self.rng.choice(["people", "tasks", "companies"])
        where = self.outer_condition(model, "g")
        join = self.rng.choice(["g.id = o.id", "g.id < o.id AND o.id < 9", f"({self.outer_condition(model, 'g')}) AND o.id = 3"])
        correlated = kind in ("lateral", "left lateral", "exists", "scalar", "sub")
        write, condition = self.call(model, "g", ("o", other) if correlated else None, limit=kind not in ("exists",))
        shape = {
            "rows": f"SELECT * FROM {CALL} g",
            "condition": f"SELECT {self.columns(model, 'g')} FROM {CALL} g WHERE {where}",
            "join": f"SELECT o.id AS o, {self.columns(model, 'g')} FROM {other} o JOIN {CALL} g ON {join}",
            "left": f"SELECT o.id AS o, {self.columns(model, 'g')} FROM {other} o LEFT JOIN {CALL} g ON {join}",
            "full": f"SELECT o.id AS o, {self.columns(model, 'g')} FROM {other} o FULL JOIN {CALL} g ON g.id = o.id",
            "lateral": f"SELECT o.id AS o, g.id FROM {other} o, LATERAL {CALL} g WHERE o.id < 20",
            "left lateral": f"SELECT o.id AS o, g.id FROM (SELECT * FROM {other} ORDER BY id LIMIT 15) o LEFT JOIN LATERAL {CALL} g ON {where}",
            "exists": f"SELECT o.id FROM {other} o WHERE {self.rng.choice(['', 'NOT '])}EXISTS (SELECT FROM {CALL} g{self.rng.choice(['', ' WHERE ' + where])})",
            "in": f"SELECT o.id FROM {other} o WHERE o.id {self.rng.choice(['IN', 'NOT IN'])} (SELECT g.id FROM {CALL} g WHERE {where})",
            "scalar": f"SELECT o.id, (SELECT {self.rng.choice(['count(*)', 'max(g.id)', 'sum(g.id)'])} FROM {CALL} g) AS n FROM {other} o WHERE o.id < 25",
            "aggregate": f"SELECT g.id % 3 AS k, count(*), min(g.id) FROM {CALL} g WHERE {where} GROUP BY 1 HAVING count(*) > {self.rng.choice([0, 1, 3])}",
            "window": f"SELECT g.id, row_number() OVER (ORDER BY g.id DESC) AS n FROM {CALL} g",
            "set": f"SELECT g.id FROM {CALL} g {self.rng.choice(['UNION', 'EXCEPT', 'INTERSECT', 'UNION ALL'])} SELECT o.id FROM {other} o WHERE o.id < 30",
            "cte": f"WITH w AS {self.rng.choice(['', 'MATERIALIZED '])}(SELECT * FROM {CALL} g WHERE {where}) SELECT a.id, b.id AS b FROM w a JOIN w b ON a.id = b.id + 1",
            "limit": f"SELECT g.id FROM {CALL} g ORDER BY g.id DESC LIMIT {self.rng.choice([1, 3, 7])}",
            "distinct": f"SELECT DISTINCT g.id % 4 AS k FROM {CALL} g",
            "sub": f"SELECT o.id, (SELECT count(*) FROM (SELECT * FROM {CALL} g WHERE {where} OFFSET 0) x) AS n FROM {other} o WHERE o.id < 15",
        }
        if kind == "pluck":
            column = self.rng.choice([name for name, type in MODELS[model].fields.items() if type in ("int", "numeric", "date")])
            type = MODELS[model].fields[column]

            def make(rendered):
                corm, plain = write(rendered[0])
                corm = corm.replace(f"corm.get_multi(NULL::{model}, ", f"corm.pluck(NULL::{type}, corm.select('{column}'), ", 1)
                return f"SELECT x FROM {corm} x", f"SELECT {column} AS x FROM {plain} g"
            return Around(make, [condition], self.params)
        if kind == "two":
            second, other_condition = self.call(other, "h")

            def make(rendered):
                (a, b), (c, d) = write(rendered[0]), second(rendered[1])
                return tuple(f"SELECT g.id, h.id AS h FROM {first} g JOIN {last} h ON g.id = h.id" for first, last in ((a, c), (b, d)))
            return Around(make, [condition, other_condition], self.params)

        def make(rendered):
            corm, plain = write(rendered[0])
            return shape[kind].replace(CALL, corm), shape[kind].replace(CALL, plain)
        return Around(make, [condition], self.params, kind == "limit")
