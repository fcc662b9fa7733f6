"""Checks of reads: a random query is run by corm and in plain SQL, and the answers are compared.

A check renders one statement whose columns are one answer each; the first is the reference.  Every other column is a
step.  `smaller` gives simpler checks of the same kind, for the shrinker.
"""

from dataclasses import dataclass, replace
import json

from expressions import MODELS, TEXTS, Expr, Generator, as_filter, quote

MODES = {"": "live", "corm.unscoped()": "all", "corm.only_deleted()": "dead"}
ALL_TRUE = Expr(lambda kids: ("corm.and()", "true", {"and": []}))


def live(model, mode, alias):
    return {"live": MODELS[model].live, "dead": MODELS[model].dead, "all": "true"}[MODES[mode]].format(alias)


class Check:
    """One statement that must succeed; subclasses say what its rows must be."""

    def verify(self, session):
        """(steps, None) or (steps, what is wrong)."""
        sqlstate, rows = session.run(self.sql())
        if sqlstate:
            return 1, f"{sqlstate} {session.message}"
        return self.compare(rows)

    def compare(self, rows):
        names, values = [name for name, _ in self.answers()], rows[0]
        for name, value in list(zip(names, values))[1:]:
            if value != values[0]:
                return len(values) - 1, f"{name} is {value}, {names[0]} is {values[0]}"
        return len(values) - 1, None

    def sql(self):
        return "SELECT " + ", ".join(answer for _, answer in self.answers())

    def show(self, session):
        """The commands that show the difference: the reference and the first answer that is not the same."""
        first = None
        for name, answer in self.answers():
            sqlstate, rows = session.run(f"SELECT {answer}")
            if first is None:
                first, reference = f"-- {name}\nSELECT {answer};\n", rows
            elif sqlstate or rows != reference:
                return f"{first}-- {name}\nSELECT {answer};"
        return self.sql()


def ids(query):
    return f"ARRAY(SELECT corm.pluck(NULL::int, {query}, corm.select('id'), corm.order_by('id')))"


@dataclass
class Predicate(Check):
    """A condition: against plain SQL; NoREC (the condition selected instead of applied); TLP (rows for which it is true,
    false and unknown are all rows, each once); through the text forms; as a filter; counted, and in a write."""
    model: str
    where: Expr
    mode: str
    root: str  # alias

    def answers(self):
        corm, sql, spec = self.where.render()
        source = ", ".join(filter(None, [f"corm.selector('{self.model}', '{self.root}')", self.mode]))
        rows = f"FROM {self.model} {self.root} WHERE {live(self.model, self.mode, self.root)}"
        query = f"{source}, corm.where({corm})"
        piped = f"corm.pipe({query}, corm.select('id'), corm.order_by('id'))"
        yield "plain SQL", f"ARRAY(SELECT id {rows} AND ({sql}) ORDER BY id)"
        yield "corm", ids(query)
        yield "NoREC", (f"ARRAY(SELECT (r ->> 'id')::int FROM jsonb_array_elements(corm.get_multi_json({source}, "
                        f"corm.select('id', corm.as({corm}, 'p')), corm.order_by('id'))) WITH ORDINALITY e(r, n) "
                        f"WHERE (r ->> 'p')::boolean ORDER BY n)")
        parts = [ids(f"{source}, corm.where({part})") for part in (corm, f"corm.not({corm})", f"corm.is_null({corm})")]
        yield "TLP", (f"CASE WHEN ARRAY(SELECT unnest({' || '.join(parts)}) ORDER BY 1) = ARRAY(SELECT id {rows} ORDER BY id) "
                      f"THEN {parts[0]} ELSE '{{-1}}' END")
        yield "is_not_true", (f"ARRAY(SELECT id {rows} EXCEPT SELECT unnest({ids(f'{source}, corm.where(corm.is_not_true({corm}))')}) ORDER BY id)")
        yield "text form of the query", f"ARRAY(SELECT corm.pluck(NULL::int, {piped}::text::corm.query))"
        yield "text form of the expression", ids(f"{source}, corm.where(({corm})::text::corm.expr)")
        yield "to_sql of the text form", (f"CASE WHEN corm.to_sql({piped}) = corm.to_sql({piped}::text::corm.query) AND "
                                          f"corm.args({piped}) = corm.args({piped}::jsonb::corm.query) THEN "
                                          f"ARRAY(SELECT id {rows} AND ({sql}) ORDER BY id) END")
        if spec is not None:
            yield "filter", ids(f"{source}, corm.filter({as_filter({'where': spec})})")
        cached = f"{query}, corm.cached('1 hour')"
        yield "stored in the cache", ids(cached)
        yield "from the cache", f"CASE WHEN corm.exists({cached}) = corm.exists({cached}) THEN {ids(cached)} END"
        yield "count", f"CASE WHEN corm.count({query}) = (SELECT count(*) {rows} AND ({sql})) THEN {ids(query)} END"
        yield "exists", f"CASE WHEN corm.exists({query}) = EXISTS (SELECT {rows} AND ({sql})) THEN {ids(query)} END"

    def redrawn(self):
        return replace(self, where=self.where.redrawn())

    def cheap(self):
        return "SELECT" not in self.where.render()[1]

    def smaller(self):
        for small in self.where.smaller():
            yield replace(self, where=small)
        if self.mode:
            yield replace(self, mode="")


@dataclass
class Write(Check):
    """The same condition in an update and a delete by query, undone afterwards: the rows touched, and what they are then."""
    writes = True
    model: str
    where: Expr

    def verify(self, session):
        corm, sql, _ = self.where.render()
        table, alias = self.model, self.model
        column, value = {"people": ("nick", "'set'"), "tasks": ("title", "'set'"), "companies": ("name", "'set'"), "labels": ("name", "'set'")}[table]
        commands = [
            f"SELECT ARRAY(SELECT id FROM {table} {alias} WHERE {live(table, '', alias)} AND ({sql}) ORDER BY id)",
            "SAVEPOINT w",
            f"SELECT ARRAY(SELECT (r ->> 'id')::int FROM jsonb_array_elements(corm.get_multi_json(corm.updater('{table}'), "
            f"corm.set('{column}', {value}), corm.where({corm}), corm.returning('id'))) r ORDER BY 1)",
            f"SELECT ARRAY(SELECT id FROM {table} WHERE {column} = {value} ORDER BY id)",
            "ROLLBACK TO w",
        ]
        if table in ("tasks", "companies"):
            commands += [f"SELECT ARRAY(SELECT (r ->> 'id')::int FROM jsonb_array_elements(corm.get_multi_json(corm.deleter('{table}'), "
                         f"corm.where({corm}), corm.returning('id'))) r ORDER BY 1)",
                         f"SELECT (SELECT count(*) FROM {table} {alias} WHERE {MODELS[table].dead.format(alias)})", "ROLLBACK TO w",
                         f"SELECT (SELECT count(*) FROM {table} {alias} WHERE {MODELS[table].dead.format(alias)})"]
        answers = []
        self.commands = commands
        for command in commands:
            sqlstate, rows = session.run(command)
            if sqlstate == "OR001" and answers:  # a condition that cannot be false is none
                session.must("ROLLBACK TO w")
                all = session.must(f"SELECT ARRAY(SELECT id FROM {table} {alias} WHERE {live(table, '', alias)} ORDER BY id)")[0][0]
                return 1, None if answers[0] == all else f"OR001, but plain SQL finds {answers[0]} of {all}"
            if sqlstate:
                return 1, f"{sqlstate} {session.message}"
            if rows:
                answers.append(rows[0][0])
        if answers[1] != answers[0] or answers[2] != answers[0]:
            return 2, f"plain SQL finds {answers[0]}, the update returns {answers[1]} and stores {answers[2]}"
        if len(answers) > 3:
            n = 0 if answers[0] == "{}" else answers[0].count(",") + 1
            if answers[3] != answers[0] or int(answers[4]) != int(answers[5]) + n:
                return 4, f"plain SQL finds {answers[0]}, the delete returns {answers[3]} and marks {int(answers[4]) - int(answers[5])}"
            return 4, None
        return 2, None

    def redrawn(self):
        return replace(self, where=self.where.redrawn())

    def smaller(self):
        for small in self.where.smaller():
            yield replace(self, where=small)

    def sql(self):
        return f"{self.model} {self.where.render()[0]}"

    def show(self, session):
        return ";\n".join(self.commands)


@dataclass
class Pages(Check):
    """Keyset pages in a random order: the pages put together are the whole, forward and backward."""
    model: str
    where: Expr
    mode: str
    root: str
    order: tuple  # of (corm, sql, descending)
    size: int

    def sql(self):
        corm, sql, _ = self.where.render()
        source = ", ".join(filter(None, [f"corm.selector('{self.model}', '{self.root}')", self.mode]))
        items = ", ".join(item[0] for item in self.order)
        order = [item[1] for item in self.order]
        order.append(f"{self.root}.id" + (" DESC" if self.order and self.order[-1][2] else ""))
        return (f"SELECT walk(corm.pipe({source}, corm.where({corm}){f', corm.order_by({items})' if items else ''}), "
                f"ARRAY(SELECT {self.root}.id FROM {self.model} {self.root} WHERE {live(self.model, self.mode, self.root)} AND ({sql}) "
                f"ORDER BY {', '.join(order)}), {self.size})")

    def compare(self, rows):
        return int(rows[0][0]), None

    def show(self, session):
        return self.sql()

    def smaller(self):
        for i in range(len(self.order)):
            yield replace(self, order=self.order[:i] + self.order[i + 1:])
        yield replace(self, where=ALL_TRUE)
        if self.mode:
            yield replace(self, mode="")
        for small in self.where.smaller():
            yield replace(self, where=small)


@dataclass
class Load:
    """What a preload asks for, and below."""
    model: str
    fields: tuple  # empty: all
    where: Expr
    order: tuple
    limit: int  # or None
    loads: tuple  # of (relation name, Load)
    alias: str

    def clauses(self):
        if self.fields:
            yield "corm.select(" + ", ".join(quote(name) for name in self.fields) + ")"
        corm, _, _ = self.where.render()
        if corm != "corm.and()":
            yield f"corm.where({corm})"
        if self.order:
            yield "corm.order_by(" + ", ".join(item[0] for item in self.order) + ")"
        if self.limit is not None:
            yield f"corm.limit({self.limit})"
        for name, load in self.loads:
            yield f"corm.preload({', '.join([quote(name), *load.clauses()])})"

    def object(self, generator):
        """The JSON of a row, by hand."""
        fields = list(self.fields or MODELS[self.model].fields)
        if not self.fields:
            fields += {"companies": ["closed_at"], "tasks": ["deleted"]}.get(self.model, [])
        parts = [f"'{name}', {self.alias}.{name}" for name in fields]
        for name, load in self.loads:
            relation = MODELS[self.model].relations[name]
            rows = generator.related_rows(relation, self.alias, load.alias)
            order = ", ".join(item[1] for item in load.order) or "1"
            chosen = (f"SELECT {load.object(generator)} AS o, row_number() OVER (ORDER BY {order}) AS n {rows} AND ({load.where.render()[1]})")
            if load.limit is not None:
                chosen += f" ORDER BY {order} LIMIT {load.limit}"
            if relation.kind == "belongs_to":
                parts.append(f"'{name}', (SELECT o FROM ({chosen}) x)")
            else:
                parts.append(f"'{name}', (SELECT coalesce(jsonb_agg(o ORDER BY n), '[]') FROM ({chosen}) x)")
        return f"jsonb_build_object({', '.join(parts)})"

    def smaller(self):
        for i, (name, load) in enumerate(self.loads):
            yield replace(self, loads=self.loads[:i] + self.loads[i + 1:])
            for small in load.smaller():
                yield replace(self, loads=self.loads[:i] + ((name, small),) + self.loads[i + 1:])
        if self.where is not ALL_TRUE:
            yield replace(self, where=ALL_TRUE)
            for small in self.where.smaller():
                yield replace(self, where=small)
        if self.limit is not None:
            yield replace(self, limit=None)
        if len(self.fields) > 1:
            yield replace(self, fields=("id",))


@dataclass
class Preload(Check):
    """Rows with their relations as JSON, against JSON built by hand."""
    load: Load
    generator: Generator

    def answers(self):
        load = self.load
        order = ", ".join(item[1] for item in load.order)
        rows = f"FROM {load.model} {load.alias} WHERE {live(load.model, '', load.alias)} AND ({load.where.render()[1]}) ORDER BY {order}"
        if load.limit is not None:
            rows += f" LIMIT {load.limit}"
        yield "by hand", (f"(SELECT coalesce(jsonb_agg(o ORDER BY n), '[]') FROM (SELECT {load.object(self.generator)} AS o, "
                          f"row_number() OVER (ORDER BY {order}) AS n {rows}) x)")
        query = ", ".join([f"corm.selector('{load.model}', '{load.alias}')", *load.clauses()])
        yield "preload", f"corm.get_multi_json({query})"
        yield "preload from the text form", f"corm.get_multi_json(corm.pipe({query})::text::corm.query)"

    def smaller(self):
        for small in self.load.smaller():
            yield replace(self, load=small)


@dataclass
class Select(Check):
    """Joins, groups, distinct, set operations, WITH, windows and pages by number."""
    corm: str
    plain: str

    def answers(self):
        yield "plain SQL", f"(SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM ({self.plain}) x)"
        yield "corm", f"corm.get_multi_json({self.corm})"
        yield "text form", f"corm.get_multi_json(corm.pipe({self.corm})::jsonb::corm.query)"
        yield "count", (f"CASE WHEN corm.count({self.corm}) = (SELECT count(*) FROM ({self.plain}) x) THEN corm.get_multi_json({self.corm}) END")

    def smaller(self):
        return iter(())


NESTED = {  # the columns that a nested document gives, besides keys
    "companies": ("name", "size"), "people": ("nick", "level", "age"), "tasks": ("title", "prio"), "labels": ("name", "weight")}


@dataclass
class Nested(Check):
    """A document with related rows, inserted, and compared with the tables; then the links of a task replaced."""
    writes = True
    model: str
    document: dict
    rows: dict  # table -> rows
    fails: bool

    def sql(self):
        return f"SELECT corm.insert_json('{self.model}', {quote(json.dumps(self.document, ensure_ascii=False))})"

    def show(self, session):
        return self.sql()

    def smaller(self):
        return iter(())

    def stored(self, session):
        """The new rows, as sorted lists."""
        columns = {"companies": "name, size", "people": "company_id, boss_id, nick, level, age", "tasks": "person_id, title, prio", "labels": "name, weight"}
        parts = [f"(SELECT coalesce(jsonb_agg(jsonb_build_array(id, {names}) ORDER BY id), '[]') FROM {table} WHERE id >= 1000)" for table, names in columns.items()]
        parts.append("(SELECT coalesce(jsonb_agg(jsonb_build_array(task_id, label_id) ORDER BY task_id, label_id), '[]') FROM task_labels WHERE task_id >= 1000 OR label_id >= 1000)")
        return dict(zip([*columns, "task_labels"], map(json.loads, session.must(f"SELECT {', '.join(parts)}")[0])))

    def verify(self, session):
        session.must("SAVEPOINT w")
        closed = {int(row[0]) for row in session.must("SELECT id FROM companies WHERE closed_at IS NOT NULL")}
        missing = not closed.isdisjoint(references(self.document))  # a deleted row is none to refer to
        sqlstate, answer = session.run(self.sql())
        if sqlstate:
            session.must("ROLLBACK TO w")
            stored = self.stored(session)
            if not (self.fails and sqlstate == "23502" or missing and sqlstate == "P0002"):
                return 1, f"{sqlstate} {session.message}"
            return 2, None if not any(stored.values()) else f"it fails and leaves {stored}"
        if self.fails or missing:
            return 1, "it does not fail"
        stored, expected = self.stored(session), {table: sorted(rows) for table, rows in self.rows.items()}
        if stored != expected:
            return 1, f"it stores {stored}, not {expected}"
        if not covers(json.loads(answer[0][0]), self.document):
            return 2, f"it returns {answer[0][0]}"
        # the links of the tasks: some taken away, some added
        wrong = None
        for task, *_ in self.rows["tasks"]:
            before = {link for other, link in self.rows["task_labels"] if other == task}
            after = {label for label in range(1, 9) if (label * task + len(before)) % 3 == 0} | set(list(before)[:1])
            changed = session.must(f"SELECT corm.set_related('tasks', '{{\"id\": {task}}}', 'labels', {quote(json.dumps([{'id': label} for label in sorted(after)]))})")[0][0]
            links = {int(row[0]) for row in session.must(f"SELECT label_id FROM task_labels WHERE task_id = {task}")}
            if int(changed) != len(before ^ after) or links != after:
                wrong = f"set_related of task {task} from {before} to {after} changes {changed} links and leaves {links}"
        session.must("ROLLBACK TO w")
        return 2 + len(self.rows["tasks"]), wrong


def references(document):
    """The companies that a document refers to as objects of a key alone."""
    if isinstance(document, list):
        return {id for element in document for id in references(element)}
    if not isinstance(document, dict):
        return set()
    found = {id for value in document.values() for id in references(value)}
    company = document.get("company")
    return found | {company["id"]} if isinstance(company, dict) and set(company) == {"id"} else found


def covers(answer, document):
    """Whether all that a document gives is in the answer."""
    if isinstance(document, dict):
        return isinstance(answer, dict) and all(key in answer and covers(answer[key], value) for key, value in document.items())
    if isinstance(document, list):
        return isinstance(answer, list) and len(answer) == len(document) and all(map(covers, answer, document))
    return answer == document


class Reads(Generator):
    """The generator of checks."""

    def order(self, model, scope, paths=True):
        """One to three items, without the key: (corm, sql, descending)."""
        items = []
        for _ in range(self.rng.choice([0, 1, 1, 2, 2, 3])):
            if self.maybe(0.15):
                x, type = self.operand(model, scope, ["int", "text", "numeric"], 1)
                corm, sql, _ = x.render()
            else:
                name, type, sql = self.field(model, scope, ["int", "smallint", "numeric", "text", "date", "timestamptz", "mood", "float8", "boolean"], paths and self.maybe(0.4))
                corm = quote(name)
            down, nulls = self.maybe(0.5), self.rng.choice(["", "", "first", "last"])
            if nulls or not corm.startswith("'"):
                text = f"corm.{'desc' if down else 'asc'}({corm}{', ' + quote(nulls) if nulls else ''})"
            else:
                text = "'-" + corm[1:] if down else corm
            items.append((text, f"{sql}{' DESC' if down else ''}{' NULLS ' + nulls.upper() if nulls else ''}", down))
        seen, kept = set(), []
        for item in items:
            column = item[1].split(" DESC")[0].split(" NULLS")[0]
            if column not in seen and not column.endswith(".id"):
                seen.add(column)
                kept.append(item)
        return tuple(kept)

    def predicate(self):
        model, root = self.rng.choice(["people", "people", "tasks", "companies", "labels"]), self.alias()
        mode = self.rng.choices(list(MODES), [8, 1, 1])[0] if model in ("tasks", "companies") else self.rng.choice(["", "", "corm.unscoped()"])
        if mode:  # it is said of the whole query, but not of its subqueries and relations
            return Predicate(model, self.condition(model, root, 1), "", root) if self.maybe(0.3) else \
                Predicate(model, self.leafy(model, root), mode, root)
        while True:
            where = self.condition(model, root, self.rng.choice([1, 2, 2, 3]), root)
            if where.render()[1].count("SELECT") <= 4:  # subqueries in subqueries in subqueries take seconds
                return Predicate(model, where, mode, root)

    def leafy(self, model, root):
        """A condition within the model's own table."""
        while True:
            where = self.condition(model, root, self.rng.choice([0, 1]))
            if "SELECT" not in where.render()[1]:
                return where

    def write(self):
        model = self.rng.choice(["people", "tasks", "companies", "labels"])
        while True:
            where = self.condition(model, model, self.rng.choice([1, 2]), model)
            if "SELECT" in where.render()[1] or f"{model}." in where.render()[1]:  # a constant is no condition: OR001
                return Write(model, where)

    def fixed_order(self, model, scope):
        """Fields that are never NULL, each in a direction of its own; the key may be any of them."""
        names = self.rng.sample(MODELS[model].not_null, self.rng.randint(1, len(MODELS[model].not_null)))
        items = [(name, self.maybe(0.5)) for name in names]
        return tuple((f"'{'-' if down else ''}{name}'", f"{scope}.{name}{' DESC' if down else ''}", down) for name, down in items)

    def pages(self):
        model, root = self.rng.choice(["people", "people", "tasks", "companies"]), self.alias()
        where = ALL_TRUE if self.maybe(0.5) else self.condition(model, root, 1)
        order = self.fixed_order(model, root) if self.maybe(0.2) else self.order(model, root)
        return Pages(model, where, "", root, order, self.rng.choice([1, 2, 3, 5, 7, 20]))

    def load(self, model, depth):
        alias = self.alias()
        fields = ()
        if self.maybe(0.6):
            fields = tuple(dict.fromkeys(self.rng.sample(list(MODELS[model].fields), self.rng.randint(1, 3))))
        where = ALL_TRUE if self.maybe(0.5) else self.condition(model, alias, self.rng.choice([0, 1]))
        order = self.order(model, alias, False) + (("'id'", f"{alias}.id", False),)
        limit = self.rng.choice([None, None, 0, 1, 2, 3])
        loads = []
        if depth > 0:
            names = list(MODELS[model].relations)
            for name in self.rng.sample(names, self.rng.randint(0 if depth < 2 else 1, len(names))):
                inner = self.load(MODELS[model].relations[name].target, depth - 1)
                if MODELS[model].relations[name].kind == "belongs_to":
                    inner = replace(inner, limit=None, order=())
                loads.append((name, inner))
        return Load(model, fields, where, order, limit, tuple(loads), alias)

    def preload(self):
        return Preload(self.load(self.rng.choice(["people", "tasks", "companies"]), self.rng.choice([1, 2, 2])), self)

    def select(self):
        kind = self.rng.choice(["join", "group", "distinct", "set", "with", "window", "page", "from"])
        a, b = self.alias(), self.alias()
        if kind == "join":
            side = self.rng.choice(["join", "left_join", "join", "right_join", "full_join"])
            where = self.leafy("people", a).render()
            on = self.leafy("tasks", b).render() if side in ("join", "left_join") else ("corm.and()", "true")
            sql = {"join": "JOIN", "left_join": "LEFT JOIN", "right_join": "RIGHT JOIN", "full_join": "FULL JOIN"}[side]
            if self.maybe(0.5):  # by relation: soft-deleted tasks are as if they were not there
                return Select(f"corm.selector('people', '{a}'), corm.{side}('tasks'), corm.select('{a}.id', corm.as('tasks.id', 'task')), "
                              f"corm.order_by('{a}.id', corm.asc('tasks.id', 'last'))",
                              f"SELECT {a}.id, {b}.id AS task FROM people {a} {sql} (SELECT * FROM tasks WHERE NOT deleted) {b} ON {b}.person_id = {a}.id "
                              f"ORDER BY {a}.id, {b}.id NULLS LAST")
            condition = f"corm.eq('{b}.person_id', corm.c('{a}.id'))"
            return Select(f"corm.selector('people', '{a}'), corm.{side}('tasks', {condition}, '{b}'), "
                          f"corm.select('{a}.id', corm.as('{b}.id', 'task'), '{b}.title'), corm.order_by('{a}.id', '{b}.id')",
                          f"SELECT {a}.id, {b}.id AS task, {b}.title FROM people {a} {sql} tasks {b} ON {b}.person_id = {a}.id ORDER BY {a}.id, {b}.id")
        if kind == "group":
            key = self.rng.choice(["company_id", "active", "state", "age", "level", "born"])
            name, function = self.rng.choice([("age", "sum"), ("age", "max"), ("score", "min"), ("age", "avg"), ("id", "count"), ("nick", "count_distinct"), ("ratio", "max")])
            where, only = self.condition("people", a, 1, a).render(), self.leafy("people", a).render()
            least = self.rng.choice([0, 1, 2, 3, 10])
            aggregate = f"count(DISTINCT {a}.{name})" if function == "count_distinct" else f"{function}({a}.{name})"
            return Select(f"corm.selector('people', '{a}'), corm.where({where[0]}), corm.group_by('{key}'), corm.having(corm.gte('n', {least})), "
                          f"corm.select('{key}', corm.as(corm.count(), 'n'), corm.as(corm.{function}('{name}'), 'v'), "
                          f"corm.as(corm.filter_where(corm.count(), {only[0]}), 'f')), corm.order_by(corm.asc('{key}', 'first'))",
                          f"SELECT {a}.{key}, count(*) AS n, {aggregate} AS v, count(*) FILTER (WHERE {only[1]}) AS f FROM people {a} "
                          f"WHERE {where[1]} GROUP BY {a}.{key} HAVING count(*) >= {least} ORDER BY {a}.{key} NULLS FIRST")
        if kind == "distinct":
            one, two = self.rng.sample(["active", "state", "age", "level"], 2)
            where = self.condition("people", a, 1, a).render()
            if self.maybe(0.5):
                return Select(f"corm.selector('people', '{a}'), corm.where({where[0]}), corm.distinct(), corm.select('{one}', '{two}'), corm.order_by('{one}', '-{two}')",
                              f"SELECT DISTINCT {one}, {two} FROM people {a} WHERE {where[1]} ORDER BY {one}, {two} DESC")
            return Select(f"corm.selector('people', '{a}'), corm.where({where[0]}), corm.distinct_on('{one}'), corm.select('{one}', 'id'), corm.order_by('{one}', '-id')",
                          f"SELECT DISTINCT ON ({one}) {one}, id FROM people {a} WHERE {where[1]} ORDER BY {one}, id DESC")
        if kind == "set":
            operation = self.rng.choice(["union", "union_all", "intersect", "except"])
            p, q = self.condition("people", a, 1, a).render(), self.condition("tasks", b, 1, b).render()
            n = self.rng.choice([1, 5, 100])
            return Select(f"corm.selector('people', '{a}'), corm.select('id', 'age'), corm.where({p[0]}), corm.{operation}(corm.pipe(corm.selector('tasks', '{b}'), "
                          f"corm.select('person_id', 'prio'), corm.where({q[0]}))), corm.order_by('id', 'age'), corm.limit({n})",
                          f"SELECT id, age FROM people {a} WHERE {p[1]} {operation.replace('_', ' ').upper()} SELECT person_id, prio FROM tasks {b} "
                          f"WHERE NOT {b}.deleted AND {q[1]} ORDER BY id, age LIMIT {n}")
        if kind == "with":
            p, q = self.condition("tasks", b, 1, b).render(), self.condition("people", a, 1, a).render()
            return Select(f"corm.with('w', corm.pipe(corm.selector('tasks', '{b}'), corm.where({p[0]}), corm.select('person_id', corm.as(corm.count(), 'n')), corm.group_by('person_id'))), "
                          f"corm.selector('people', '{a}'), corm.join_cte('w', corm.eq('w.person_id', corm.c('{a}.id'))), corm.where({q[0]}), corm.select('{a}.id', 'w.n'), corm.order_by('{a}.id')",
                          f"WITH w AS (SELECT person_id, count(*) AS n FROM tasks {b} WHERE NOT deleted AND {p[1]} GROUP BY person_id) "
                          f"SELECT {a}.id, w.n FROM people {a} JOIN w ON w.person_id = {a}.id WHERE {q[1]} ORDER BY {a}.id")
        if kind == "window":
            key = self.rng.choice(["company_id", "active", "level"])
            where = self.condition("people", a, 1, a).render()
            return Select(f"corm.selector('people', '{a}'), corm.where({where[0]}), corm.select('id', corm.as(corm.over(corm.fn('row_number'), ARRAY['{key}'], ARRAY['-id']), 'place'), "
                          f"corm.as(corm.over(corm.sum('age'), ARRAY['{key}'], ARRAY['id']), 'running')), corm.order_by('id')",
                          f"SELECT id, row_number() OVER (PARTITION BY {key} ORDER BY id DESC) AS place, sum(age) OVER (PARTITION BY {key} ORDER BY id) AS running "
                          f"FROM people {a} WHERE {where[1]} ORDER BY id")
        where = self.condition("people", a, 2, a).render()
        limit, offset = self.rng.choice([0, 1, 3, 10]), self.rng.choice([0, 1, 5, 50])
        order = self.order("people", a)
        corm = f"corm.selector('people', '{a}'), corm.where({where[0]}), corm.select('id', 'age'), corm.order_by({', '.join([item[0] for item in order] + [quote('id')])}), corm.limit({limit}), corm.offset({offset})"
        plain = f"SELECT id, age FROM people {a} WHERE {where[1]} ORDER BY {', '.join([item[1] for item in order] + [f'{a}.id'])} LIMIT {limit} OFFSET {offset}"
        if kind == "page":
            return Select(corm, plain)
        return Select(f"corm.from_query(corm.pipe({corm}), '{b}'), corm.where(corm.gt('{b}.age', 0)), corm.order_by('{b}.id')",
                      f"SELECT * FROM ({plain}) {b} WHERE {b}.age > 0 ORDER BY {b}.id")

    def nested(self):
        model = self.rng.choice(list(MODELS))
        rows = {table: [] for table in [*MODELS, "task_labels"]}
        self.ids, self.broken = 1000, 0.02
        document, _ = self.tree(model, self.rng.choice([1, 2, 2, 3]), rows, {}, None)
        return Nested(model, document, rows, self.broken is True)

    def tree(self, model, depth, rows, keys, came_from):
        """A new row with new and existing ones around it: its document and its id.  keys: columns that the row around it gives."""
        self.ids += 1
        id = self.ids
        document = {"id": id, "nick": self.rng.choice(TEXTS), "level": self.rng.randrange(3), "name": self.rng.choice([None, *TEXTS]),
                    "size": self.rng.choice([None, 1]), "age": self.rng.choice([None, 7]), "title": self.rng.choice([None, *TEXTS]),
                    "prio": self.rng.choice([None, 2]), "weight": self.rng.choice([None, 3])}
        document = {key: value for key, value in document.items() if key == "id" or key in NESTED[model]}
        if model == "people" and self.broken is not True and self.maybe(self.broken):
            document["nick"], self.broken = None, True
        keys = dict(keys)
        for name, relation in MODELS[model].relations.items():
            if name == came_from or relation.column in keys:
                continue
            required = name == "person"
            if not required and (depth == 0 or self.maybe(0.5)):
                continue
            if relation.kind == "belongs_to":
                existing = {"companies": 10, "people": 60}[relation.target]
                if depth == 0 or self.maybe(0.5):
                    keys[relation.column] = self.rng.randint(1, existing)
                    document[name] = {"id": keys[relation.column]}
                    if self.maybe(0.3):
                        del document[name]
                        document[relation.column] = keys[relation.column]
                else:
                    document[name], keys[relation.column] = self.tree(relation.target, depth - 1, rows, {}, {"company": "people", "boss": "staff", "person": "tasks"}[name])
            elif relation.kind == "has_many":
                document[name] = [self.tree(relation.target, depth - 1, rows, {relation.target_column: id}, None)[0] for _ in range(self.rng.randrange(3))]
            else:
                other = []
                chosen = self.rng.sample(range(1, 9), self.rng.randrange(3)) if name == "labels" else []
                for key in chosen:
                    other.append(({"id": key}, key))
                if self.maybe(0.5):
                    other.append(self.tree(relation.target, depth - 1, rows, {}, "tasks" if name == "labels" else "labels"))
                document[name] = [part for part, _ in other]
                for _, key in other:
                    rows["task_labels"].append([id, key] if name == "labels" else [key, id])
        columns = {"people": ["company_id", "boss_id"], "tasks": ["person_id"]}.get(model, [])
        rows[model].append([id, *[keys.get(column) for column in columns], *[document[name] for name in NESTED[model]]])
        return document, id

    def check(self):
        kind = self.rng.choices([self.predicate, self.write, self.pages, self.preload, self.select, self.nested], [36, 8, 14, 14, 40, 5])[0]  # a condition is many steps
        return kind()
