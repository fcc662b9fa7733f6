"""Random expressions, each in three languages: corm's builders, plain SQL, and corm.filter's JSON.

The SQL is not what corm deparses to.  It says the same in another way wherever there is one: a path is a scalar
subquery and not a join, `every` an aggregate, `starts_with` the function of that name.  So a mistake has to be made
twice to go unnoticed.

An Expr is a tree, so that it can be shrunk (`smaller`) and its values drawn anew (`redrawn`), which gives a query of
the same shape, or of a shape that differs in a NULL only.
"""

import json
from dataclasses import dataclass, field

TEXTS = ["", "a", "b", "ab", "A", "aBc", "a%b", "a_b", "é", "o'x", "x\\y", " a ", "NULL", '"q"']
PATTERNS = ["%", "a%", "%b", "_", "%\\%%", "a_b", "%é%", "", "A%"]
REGEXES = ["^a", "b$", "a.*b", "^$", "[aé]", "%"]
DOMAINS = {
    "int": [-1, 0, 1, 2, 3, 18, 40, 2147483647],
    "smallint": [0, 1, 2],
    "numeric": ["0", "0.5", "-0.5", "1.5", "2.5", "10", "12.25", "99.99"],
    "float8": ["0", "1.5", "-1.5", "1e10", "0.1"],
    "text": TEXTS,
    "boolean": ["true", "false"],
    "date": ["2000-01-01", "2000-01-02", "1999-12-31", "1980-06-15", "infinity"],
    "timestamptz": ["2024-01-01 00:00:00+00", "2024-03-01 12:30:00.123456+00", "2024-02-01 00:00:00+02"],
    "mood": ["calm", "busy", "cross"],
    "text[]": ["{}", "{a}", "{b,ab}", "{a,b,ab}"],
    "jsonb": ['{"a": 1}', '{"b": 2}', "{}", '{"a": null}'],
}
ORDERED = ["int", "smallint", "numeric", "float8", "text", "date", "timestamptz", "mood"]
COMPARISONS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


@dataclass(frozen=True)
class Relation:
    kind: str
    target: str
    column: str  # on this side
    target_column: str
    through: tuple = ()  # table, its column for this side, its column for the other


@dataclass(frozen=True)
class Model:
    table: str
    fields: dict
    not_null: tuple
    relations: dict
    live: str = "true"  # the condition of rows that are not deleted, {} for the alias
    dead: str = "false"


MODELS = {
    "companies": Model("companies", {"id": "int", "name": "text", "size": "int", "rating": "numeric", "founded": "date"},
                       ("id",), {"people": Relation("has_many", "people", "id", "company_id")},
                       "{}.closed_at IS NULL", "{}.closed_at IS NOT NULL"),
    "people": Model("people", {"id": "int", "company_id": "int", "boss_id": "int", "name": "text", "nick": "text", "age": "int",
                               "level": "smallint", "score": "numeric", "ratio": "float8", "active": "boolean", "born": "date",
                               "seen_at": "timestamptz", "state": "mood", "tags": "text[]", "doc": "jsonb"},
                    ("id", "nick", "level"),
                    {"company": Relation("belongs_to", "companies", "company_id", "id"),
                     "boss": Relation("belongs_to", "people", "boss_id", "id"),
                     "staff": Relation("has_many", "people", "id", "boss_id"),
                     "tasks": Relation("has_many", "tasks", "id", "person_id")}),
    "tasks": Model("tasks", {"id": "int", "person_id": "int", "title": "text", "prio": "int", "cost": "numeric", "due": "date",
                             "done": "boolean", "state": "mood"},
                   ("id", "person_id"),
                   {"person": Relation("belongs_to", "people", "person_id", "id"),
                    "labels": Relation("many_to_many", "labels", "id", "id", ("task_labels", "task_id", "label_id"))},
                   "NOT {}.deleted", "{}.deleted"),
    "labels": Model("labels", {"id": "int", "name": "text", "weight": "int"}, ("id",),
                    {"tasks": Relation("many_to_many", "tasks", "id", "id", ("task_labels", "label_id", "task_id"))}),
}


OPEN = "/* open */"  # before a value in SQL that may be NULL or not


def quote(text):
    return "'" + str(text).replace("'", "''") + "'"


@dataclass
class Expr:
    """make(kids) gives (corm, sql, filter); filter is None for what a filter cannot say."""
    make: object
    kids: list = field(default_factory=list)
    type: str = "boolean"
    scope: str = ""
    redraw: object = None

    def render(self):
        return self.make([kid.render() for kid in self.kids])

    def smaller(self):
        """Expressions of the same type and scope that are simpler."""
        for kid in self.descendants():
            if kid.type == self.type and kid.scope == self.scope:
                yield kid
        for i, kid in enumerate(self.kids):
            for small in kid.smaller():
                yield Expr(self.make, self.kids[:i] + [small] + self.kids[i + 1:], self.type, self.scope)

    def descendants(self):
        for kid in self.kids:
            yield kid
            yield from kid.descendants()

    def redrawn(self):
        if self.redraw:
            return self.redraw()
        return Expr(self.make, [kid.redrawn() for kid in self.kids], self.type, self.scope)


class Generator:
    def __init__(self, rng):
        self.rng = rng
        self.aliases = 0

    def alias(self):
        self.aliases += 1
        return f"s{self.aliases}"

    def maybe(self, probability):
        return self.rng.random() < probability

    #
    # values
    #

    def value(self, type, nulls=0.08, scope="", filterable=True):
        """A literal: for corm now typed, now not."""
        value = None if self.maybe(nulls) else self.rng.choice(DOMAINS[type])
        redraw = lambda: self.value(type, nulls, scope)
        if value is None:
            text = self.rng.choice(["NULL", f"NULL::{type}"])
            return Expr(lambda kids: (text, f"NULL::{type}", [None]), [], "value " + type, scope, redraw)
        sql = f"{quote(value)}::{type}"
        text = self.rng.choice([quote(value), sql])
        if type == "int" and self.maybe(0.5):
            text = str(value) if value >= 0 else f"({value})"
        out = [value if type in ("int", "smallint") else float(value) if type == "numeric" else
               value == "true" if type == "boolean" else value]
        if type in ("jsonb", "text[]"):
            out = None
        return Expr(lambda kids: (text, sql, out), [], "value " + type, scope, redraw)

    def values(self, type, scope="", as_text=False):
        """An array literal, now and then empty, now and then with a NULL; as text, which a field's type converts."""
        chosen = [None if self.maybe(0.1) else self.rng.choice(DOMAINS[type]) for _ in range(self.rng.choice([0, 1, 1, 2, 3, 4]))]
        redraw = lambda: self.values(type, scope, as_text)
        elements = ", ".join("NULL" if value is None else f"{quote(value)}" for value in chosen)
        sql = f"ARRAY[{elements}]::{type}[]"
        text = sql
        if as_text:
            text = f"ARRAY[{elements}]::text[]"
        out = None
        if None not in chosen and type != "boolean":
            out = [[float(value) if type == "numeric" else value for value in chosen]]
        return Expr(lambda kids: (text, sql, out), [], "values " + type, scope, redraw)

    #
    # fields, paths and what can be made of them
    #

    def field(self, model, scope, types, deep=True):
        """A field of one of these types: (name for corm, type, SQL)."""
        candidates = [(name, type) for name, type in MODELS[model].fields.items() if type in types]
        one = [(name, relation) for name, relation in MODELS[model].relations.items() if relation.kind == "belongs_to"]
        if deep and one and (self.maybe(0.2) or not candidates):
            name, relation = self.rng.choice(one)
            inner = self.alias()
            found = self.field(relation.target, inner, types, self.maybe(0.3))
            if found:
                target = MODELS[relation.target]
                return (f"{name}.{found[0]}", found[1],
                        f"(SELECT {found[2]} FROM {target.table} {inner} WHERE {inner}.{relation.target_column} = "
                        f"{scope}.{relation.column} AND {target.live.format(inner)})")
        if not candidates:
            return None
        name, type = self.rng.choice(candidates)
        return name, type, f"{scope}.{name}"

    def operand(self, model, scope, types, depth=1):
        """The first argument of a condition: a field's name or an expression.  (Expr, type)."""
        name, type, sql = self.field(model, scope, types) or self.field(model, scope, ["int"])
        plain = Expr(lambda kids: (quote(name), sql, name), [], "operand " + type, scope)
        if depth == 0 or not self.maybe(0.3):
            return plain, type
        column = f"corm.c({quote(name)})"
        if type in ("int", "numeric"):
            op, sign = self.rng.choice([("add", "+"), ("sub", "-")])
            by = self.rng.choice([1, 2, 3])
            choice = self.rng.randrange(4)
            if choice == 0:
                made = lambda kids: (f"corm.{op}({quote(name)}, {by})", f"({sql}::bigint {sign} {by})" if type == "int" else f"({sql} {sign} {by})", None)
                if type == "int":  # the domain holds the greatest integer, but no table does
                    made = lambda kids: (f"corm.{op}({quote(name)}, {by})", f"({sql} {sign} {by})", None)
            elif choice == 1:
                made = lambda kids: (f"corm.coalesce({column}, {by})", f"coalesce({sql}, {by})", None)
            elif choice == 2:
                made = lambda kids: (f"corm.fn('abs', {column})", f"abs({sql})", None)
            else:
                condition = self.condition(model, scope, 0)
                return Expr(lambda kids: (f"corm.case({kids[0][0]}, {column}, {by})", f"CASE WHEN {kids[0][1]} THEN {sql} ELSE {by} END", None),
                            [condition], "operand " + type, scope), type
        elif type == "text":
            choice = self.rng.randrange(3)
            tail = self.rng.choice(["", "b", "'"])
            if choice == 0:
                made = lambda kids: (f"corm.concat({quote(name)}, {quote(tail)})", f"({sql} || {quote(tail)}::text)", None)
            elif choice == 1:
                made = lambda kids: (f"corm.fn('upper', {column})", f"upper({sql})", None)
            else:
                made = lambda kids: (f"corm.coalesce({column}, {quote(tail)})", f"coalesce({sql}, {quote(tail)})", None)
        else:
            made = lambda kids: (column, sql, None)
        return Expr(made, [], "operand " + type, scope), type

    #
    # conditions
    #

    def condition(self, model, scope, depth, outer=None):
        """A condition on rows of the model.  outer: an alias by which corm knows the row, for correlated subqueries."""
        dice = self.rng.random()
        if depth > 0 and dice < 0.45:
            return self.logic(model, scope, depth, outer)
        if depth > 0 and dice < 0.65 and MODELS[model].relations:
            return self.related(model, scope, depth)
        if depth > 0 and dice < 0.72:
            return self.subquery(model, scope, depth, outer)
        return self.leaf(model, scope)

    def logic(self, model, scope, depth, outer):
        kind = self.rng.choice(["and", "or", "not", "and", "or", "not", "is_not_true"])
        if kind in ("not", "is_not_true"):
            kid = self.condition(model, scope, depth - 1, outer)
            if kind == "not":
                bang = self.maybe(0.3)
                return Expr(lambda kids: (f"(!!{kids[0][0]})" if bang else f"corm.not({kids[0][0]})", f"(NOT {kids[0][1]})",
                                          {"not": kids[0][2]} if kids[0][2] is not None else None), [kid], "boolean", scope)
            return Expr(lambda kids: (f"corm.is_not_true({kids[0][0]})", f"({kids[0][1]} IS NOT TRUE)", None), [kid], "boolean", scope)
        kids = [self.condition(model, scope, depth - 1, outer) for _ in range(self.rng.choice([0, 1, 2, 2, 2, 3]))]
        operator = self.maybe(0.3)

        def make(kids):
            specs = [kid[2] for kid in kids]
            spec = {kind: specs} if None not in specs else None
            sql = "(" + f" {kind.upper()} ".join([kid[1] for kid in kids] or ["true" if kind == "and" else "false"]) + ")"
            if operator and len(kids) > 1:
                return "(" + (" & " if kind == "and" else " | ").join(kid[0] for kid in kids) + ")", sql, spec
            return f"corm.{kind}({', '.join(kid[0] for kid in kids)})", sql, spec
        return Expr(make, kids, "boolean", scope)

    def related_rows(self, relation, scope, inner):
        """FROM and WHERE of the live related rows of a row."""
        target = MODELS[relation.target]
        if relation.through:
            table, here, there = relation.through
            join = self.alias()
            return (f"FROM {table} {join} JOIN {target.table} {inner} ON {inner}.{relation.target_column} = {join}.{there} "
                    f"WHERE {join}.{here} = {scope}.{relation.column} AND {target.live.format(inner)}")
        return (f"FROM {target.table} {inner} WHERE {inner}.{relation.target_column} = {scope}.{relation.column} "
                f"AND {target.live.format(inner)}")

    def related(self, model, scope, depth):
        kind = self.rng.choice(["some", "every", "none"])
        name, relation = self.rng.choice(list(MODELS[model].relations.items()))
        inner = self.alias()
        rows = self.related_rows(relation, scope, inner)
        least = 1 if kind == "every" else 0
        kids = [self.condition(relation.target, inner, depth - 1) for _ in range(self.rng.choice([least, 1, 1, 2]))]

        def make(kids):
            both = " AND ".join(kid[1] for kid in kids) or "true"
            sql = {"some": f"(SELECT count(*) > 0 {rows} AND ({both}))",
                   "none": f"(SELECT count(*) = 0 {rows} AND ({both}))",
                   "every": f"(SELECT coalesce(bool_and(coalesce(({both}), false)), true) {rows})"}[kind]
            specs = [kid[2] for kid in kids]
            spec = {name: {kind: {"and": specs}}} if None not in specs else None
            return f"corm.{kind}({', '.join([quote(name)] + [kid[0] for kid in kids])})", sql, spec
        return Expr(make, kids, "boolean", scope)

    def subquery(self, model, scope, depth, outer):
        inner, table = self.alias(), self.rng.choice(list(MODELS))
        target = MODELS[table]
        kid = self.condition(table, inner, depth - 1)
        choice = self.rng.randrange(3 if outer else 2)
        if choice == 0:  # in
            column = self.rng.choice([name for name, type in target.fields.items() if type == "int"])
            negated = self.maybe(0.4)
            mine, _, sql = self.field(model, scope, ["int"])
            return Expr(lambda kids: (
                f"corm.{'not_in' if negated else 'in'}({quote(mine)}, corm.pipe(corm.selector('{table}', '{inner}'), corm.select('{column}'), "
                f"corm.where({kids[0][0]})))",
                f"({sql} {'NOT IN' if negated else 'IN'} (SELECT {inner}.{column} FROM {table} {inner} WHERE {target.live.format(inner)} AND {kids[0][1]}))",
                None), [kid], "boolean", scope)
        if choice == 1:  # a scalar
            column = self.rng.choice([name for name, type in target.fields.items() if type == "int"])
            mine, _, sql = self.field(model, scope, ["int"])
            comparison = self.rng.choice(list(COMPARISONS))
            aggregate = self.rng.choice(["min", "max", "avg", "sum", "count"])
            return Expr(lambda kids: (
                f"corm.{comparison}({quote(mine)}, corm.pipe(corm.selector('{table}', '{inner}'), corm.select(corm.{aggregate}('{column}')), "
                f"corm.where({kids[0][0]})))",
                f"({sql} {COMPARISONS[comparison]} (SELECT {aggregate}({inner}.{column}) FROM {table} {inner} "
                f"WHERE {target.live.format(inner)} AND {kids[0][1]}))", None), [kid], "boolean", scope)
        mine = self.rng.choice([name for name, type in MODELS[model].fields.items() if type == "int"])
        theirs = self.rng.choice([name for name, type in target.fields.items() if type == "int"])
        kind = self.rng.choice(["some", "none"])
        return Expr(lambda kids: (
            f"corm.{kind}(corm.pipe(corm.selector('{table}', '{inner}'), corm.where(corm.eq('{inner}.{theirs}', corm.c('{outer}.{mine}')), {kids[0][0]})))",
            f"({'NOT ' if kind == 'none' else ''}EXISTS (SELECT FROM {table} {inner} WHERE {target.live.format(inner)} "
            f"AND {inner}.{theirs} = {scope}.{mine} AND {kids[0][1]}))", None), [kid], "boolean", scope)

    def leaf(self, model, scope):
        kind = self.rng.choices(["compare", "null", "distinct", "between", "in", "text", "fields", "boolean", "array", "json"],
                                [8, 3, 3, 4, 5, 5, 3, 2, 2, 2])[0]
        if kind == "null":
            x, _ = self.operand(model, scope, list(DOMAINS))
            positive = self.maybe(0.5)
            return Expr(lambda kids: (f"corm.{'is_null' if positive else 'is_not_null'}({kids[0][0]})",
                                      f"({kids[0][1]} IS {'' if positive else 'NOT '}NULL)",
                                      {kids[0][2]: {"is_null": positive}} if kids[0][2] else None), [x], "boolean", scope)
        if kind == "between":
            x, type = self.operand(model, scope, ORDERED)
            low, high = self.value(type, scope=scope), self.value(type, scope=scope)
            return Expr(lambda kids: (f"corm.between({kids[0][0]}, {kids[1][0]}, {kids[2][0]})",
                                      f"({kids[0][1]} BETWEEN {kids[1][1]} AND {kids[2][1]})",
                                      {kids[0][2]: {"between": kids[1][2] + kids[2][2]}} if kids[0][2] and None not in kids[1][2] + kids[2][2] else None),
                        [x, low, high], "boolean", scope)
        if kind == "in":
            x, type = self.operand(model, scope, ORDERED)
            values = self.values(type, scope, self.maybe(0.3) and not x.kids and "corm." not in x.render()[0])
            negated = self.maybe(0.5)
            return Expr(lambda kids: (f"corm.{'not_in' if negated else 'in'}({kids[0][0]}, {kids[1][0]})",
                                      f"({kids[0][1]} <> ALL ({kids[1][1]}))" if negated else f"({kids[0][1]} = ANY ({kids[1][1]}))",
                                      {kids[0][2]: {"not_in" if negated else "in": kids[1][2][0]}} if kids[0][2] and kids[1][2] else None),
                        [x, values], "boolean", scope)
        if kind == "text":
            return self.text_leaf(model, scope)
        if kind == "fields":
            types = [self.rng.choice([["int", "smallint", "numeric"], ["text"], ["date"]])][0]
            x, _ = self.operand(model, scope, types)
            found = self.field(model, scope, types)
            if not found or x.type[8:] not in types:
                return self.leaf(model, scope)
            comparison = self.rng.choice(list(COMPARISONS) + ["is_distinct_from"])
            sign = COMPARISONS.get(comparison, "IS DISTINCT FROM")
            return Expr(lambda kids: (f"corm.{comparison}({kids[0][0]}, corm.c({quote(found[0])}))", f"({kids[0][1]} {sign} {found[2]})", None),
                        [x], "boolean", scope)
        if kind == "boolean":
            found = self.field(model, scope, ["boolean"])
            if found:
                return Expr(lambda kids: (f"corm.c({quote(found[0])})", found[2], None), [], "boolean", scope)
        if kind == "array":
            found = self.field(model, scope, ["text[]"])
            if found:
                function, sign = self.rng.choice([("contains", "@>"), ("overlaps", "&&"), ("superset", "@>"), ("subset", "<@"), ("eq", "="), ("neq", "<>")])
                return self.against_value(f"corm.{function}({quote(found[0])}, {{}})", f"({found[2]} {sign} {{}})", function, "text[]", scope, found[2])
        if kind == "json":
            found = self.field(model, scope, ["jsonb"])
            if found:
                if self.maybe(0.5):
                    key = self.rng.choice(["a", "b", "c"])
                    return Expr(lambda kids: (f"corm.has_key({quote(found[0])}, '{key}')", f"({found[2]} ? '{key}')", {found[0]: {"has_key": key}}),
                                [], "boolean", scope)
                return self.against_value(f"corm.contains({quote(found[0])}, {{}})", f"({found[2]} @> {{}})", "contains", "jsonb", scope, found[2])
        x, type = self.operand(model, scope, list(DOMAINS) if kind == "distinct" else ORDERED + ["boolean"])
        value = self.value(type, scope=scope)
        if kind == "distinct" and type not in ("jsonb", "text[]"):
            return Expr(lambda kids: (f"corm.is_distinct_from({kids[0][0]}, {kids[1][0]})", f"({kids[0][1]} IS DISTINCT FROM {kids[1][1]})",
                                      {kids[0][2]: {"is_distinct_from": kids[1][2][0]}} if kids[0][2] and kids[1][2] and kids[1][2][0] is not None else None),
                        [x, value], "boolean", scope)
        comparison = self.rng.choice(list(COMPARISONS))
        operator = self.maybe(0.3)

        def make(kids):
            sql = f"({kids[0][1]} {COMPARISONS[comparison]} {kids[1][1]})"
            null = kids[1][1].startswith("NULL::")
            if null and comparison in ("eq", "neq"):
                sql = f"({kids[0][1]} IS {'NOT ' if comparison == 'neq' else ''}NULL)"
            elif kids[1][1].startswith(OPEN) and comparison in ("eq", "neq"):
                sql = f"(CASE WHEN {kids[1][1]} IS NULL THEN {kids[0][1]} IS {'NOT ' if comparison == 'neq' else ''}NULL ELSE {sql} END)"
            left, right = kids[0][0], kids[1][0]
            spec = None
            if kids[0][2] and kids[1][2] and (not null or comparison in ("eq", "neq")):
                spec = {kids[0][2]: kids[1][2][0] if comparison == "eq" else {comparison: kids[1][2][0]}}
            if operator and right != "NULL":
                return f"({f'corm.c({left})' if left.startswith(chr(39)) else left} {COMPARISONS[comparison]} {right})", sql, spec
            return f"corm.{comparison}({left}, {right})", sql, spec
        return Expr(make, [x, value], "boolean", scope)

    def against_value(self, corm, sql, function, type, scope, column):
        value = self.value(type, 0.1, scope)

        def make(kids):
            if kids[0][1].startswith("NULL::") and function in ("eq", "neq"):
                return corm.format(kids[0][0]), f"({column} IS {'NOT ' if function == 'neq' else ''}NULL)", None
            if kids[0][1].startswith(OPEN) and function in ("eq", "neq"):
                plain = sql.replace("{}", kids[0][1])
                return (corm.replace("{}", kids[0][0]),
                        f"(CASE WHEN {kids[0][1]} IS NULL THEN {column} IS {'NOT ' if function == 'neq' else ''}NULL ELSE {plain} END)", None)
            return corm.replace("{}", kids[0][0]), sql.replace("{}", kids[0][1]), None
        return Expr(make, [value], "boolean", scope)

    def text_leaf(self, model, scope):
        x, _ = self.operand(model, scope, ["text"])
        if x.type != "operand text":
            return self.leaf(model, scope)
        functions = {
            "like": "({0} LIKE {1})", "not_like": "({0} NOT LIKE {1})", "ilike": "({0} ILIKE {1})", "not_ilike": "({0} NOT ILIKE {1})",
            "regex": "({0} ~ {1})", "iregex": "({0} ~* {1})",
            "starts_with": "starts_with({0}, {1})", "ends_with": "(right({0}, length({1})) = {1})",
            "contains": "(strpos({0}, {1}) > 0)", "icontains": "(strpos(lower({0}), lower({1})) > 0)",
        }
        function = self.rng.choice(list(functions))

        def draw():
            if self.maybe(0.05):
                return Expr(lambda kids: ("NULL", "NULL::text", None), [], "value text", scope, draw)
            value = self.rng.choice(PATTERNS if "like" in function else REGEXES if "regex" in function else TEXTS)
            return Expr(lambda kids: (quote(value), quote(value) + "::text", [value]), [], "value text", scope, draw)
        return Expr(lambda kids: (f"corm.{function}({kids[0][0]}, {kids[1][0]})", functions[function].format(kids[0][1], kids[1][1]),
                                  {kids[0][2]: {function: kids[1][2][0]}} if kids[0][2] and kids[1][2] else None),
                    [x, draw()], "boolean", scope)


def as_filter(spec):
    """The spec as an SQL literal for corm.filter."""
    return quote(json.dumps(spec, ensure_ascii=False)) + "::jsonb"
