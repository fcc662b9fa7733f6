"""A query builder for corm: it makes the text form of corm.query, which is JSON.

All queries of a client are one prepared statement for each verb, whatever they ask for:

    connection.execute("SELECT corm.get_multi_json_text(%s::corm.query)", [str(query)], prepare=True)

Values are values here, never names and never SQL.  Names are the program's own: do not make them of input.
"""

import json


class Expr(dict):
    pass


def _checked(value):
    """What is neither a value nor an expression of this module may be an object that a client has sent."""
    if value is not None and not isinstance(value, (str, int, float, bool, Expr)):
        raise TypeError(f"not a value: {value!r}")
    return value


def _make(name, *args):
    return Expr({name: [_checked(arg) for arg in args]})


def _list(values):
    """A list as one value: the text of an array, which takes its type from the field."""
    quoted = ("NULL" if _checked(v) is None else '"%s"' % str(v).replace("\\", "\\\\").replace('"', '\\"') for v in values)
    return "{%s}" % ",".join(quoted)


def _binary(name):
    return lambda field, value: _make(name, field, value)


eq, neq, lt, lte, gt, gte, like, contains = map(_binary, ["eq", "neq", "lt", "lte", "gt", "gte", "like", "contains"])
is_in = lambda field, values: _make("in", field, _list(values))
between = lambda field, low, high: _make("between", field, low, high)
and_ = lambda *conditions: _make("and", *conditions)
or_ = lambda *conditions: _make("or", *conditions)
not_ = lambda condition: Expr({"not": _checked(condition)})
some = lambda relation, *conditions: _make("some", relation, *conditions)


class Query:
    def __init__(self, model=None, clauses=()):
        self.clauses = [{"selector": model}] if model else list(clauses)

    def _with(self, **clause):
        return Query(clauses=[*self.clauses, clause])

    def select(self, *fields):
        return self._with(select=[_checked(field) for field in fields])

    def where(self, *conditions):
        return self._with(where=[_checked(condition) for condition in conditions])

    def order_by(self, *fields):
        return self._with(order_by=[{"desc": [field[1:]]} if field.startswith("-") else field for field in fields])

    def limit(self, n):
        return self._with(limit={"val": str(n), "type": "bigint"})

    def offset(self, n):
        return self._with(offset={"val": str(n), "type": "bigint"})

    def preload(self, path, query=None):
        return self._with(preload=[path, *(query.clauses if query else [])])

    def __str__(self):
        return json.dumps(self.clauses)
