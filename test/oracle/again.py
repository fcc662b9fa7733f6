"""Checks of reads with a random stream of their own, so that they come between the others without changing these:
expressions said again, with equal and with other values; outer joins of many_to_many; conditions that say nothing.
"""

from dataclasses import dataclass, replace

from reads import Check, Select


@dataclass
class Again(Check):
    """An expression selected with one value and grouped by with another: the answer of plain SQL if they are equal, else 42803.
    The same shape with several pairs of values, one after the other."""
    corm: str
    plain: str
    values: tuple  # of pairs

    def verify(self, session):
        for n, (selected, grouped) in enumerate(self.values, 1):
            corm, plain = (text.replace("SELECTED", str(selected)).replace("GROUPED", str(grouped)) for text in (self.corm, self.plain))
            session.must("SAVEPOINT v")
            sqlstate, rows = session.run(f"SELECT corm.get_multi_json({corm})")
            session.must("ROLLBACK TO v")
            if selected != grouped and "GROUPED" in self.corm:
                if sqlstate != "42803":
                    return n, f"{sqlstate or rows[0][0]} instead of 42803 with {selected} and {grouped}"
                continue
            if sqlstate:
                return n, f"{sqlstate} {session.message} with {selected} and {grouped}"
            reference = session.must(f"SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM ({plain}) x")
            if rows[0] != reference[0]:
                return n, f"corm is {rows[0][0]}, plain SQL is {reference[0][0]}, with {selected} and {grouped}"
        return len(self.values), None

    def sql(self):
        return f"SELECT corm.get_multi_json({self.corm}) -- {self.plain} -- {self.values}"

    def show(self, session):
        return self.sql()

    def smaller(self):
        for i in range(len(self.values)):
            if len(self.values) > 1:
                yield replace(self, values=self.values[:i] + self.values[i + 1:])


@dataclass
class Nothing(Check):
    """A write by a condition of which is known what it is without looking at rows: OR001 if and only if it is true."""
    writes = True
    table: str
    where: str
    truth: object  # True, False, None (NULL), or "open"
    plain: str

    def verify(self, session):
        session.must("SAVEPOINT w")
        sqlstate, rows = session.run(f"SELECT corm.exec(corm.deleter('{self.table}'), corm.where({self.where}))")
        session.must("ROLLBACK TO w")
        if self.truth is True:
            return 1, None if sqlstate == "OR001" else f"{sqlstate or rows[0][0]} instead of OR001"
        if sqlstate:
            return 1, f"{sqlstate} {session.message}"
        expected = session.must(f"SELECT count(*) FROM {self.table} WHERE NOT deleted AND ({self.plain})")[0][0]
        return 1, None if str(rows[0][0]) == str(expected) else f"{rows[0][0]} rows deleted, plain SQL finds {expected}"

    def sql(self):
        return f"SELECT corm.exec(corm.deleter('{self.table}'), corm.where({self.where})) -- {self.plain}"

    def show(self, session):
        return self.sql()

    def smaller(self):
        return iter(())


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def again(self):
        values = tuple(self.rng.choice([(1, 1), (1, 1), (1, 2), (0, 0), (2, 0)]) for _ in range(self.rng.choice([2, 3, 4])))
        corm, plain = self.rng.choice([
            ("corm.coalesce(corm.c('age'), {})", "coalesce(age, {})"), ("corm.mod('id', {} + 3)", "id % ({} + 3)"),
            ("corm.case(corm.c('age') > {}, 'old', 'young')", "CASE WHEN age > {} THEN 'old' ELSE 'young' END"),
            ("corm.fn('left', corm.c('nick'), {} + 2)", "left(nick, {} + 2)"), ("corm.coalesce(corm.c('level'), {}) * 2", "coalesce(level, {}) * 2")])
        said, hand = corm.format("SELECTED"), plain.format("SELECTED")
        if self.rng.random() < 0.3:
            return Again(f"corm.selector('people'), corm.distinct(), corm.select(corm.as({said}, 'k')), corm.order_by(corm.asc({said}, 'last'))",
                         f"SELECT DISTINCT {hand} AS k FROM people ORDER BY 1", values)
        order = self.rng.choice(["corm.asc('k', 'last')", f"corm.asc({said}, 'last')"])
        # the alias age is no field inside of an aggregate
        total, age = self.rng.choice([("corm.sum('age')", "sum(age)"), ("corm.count()", "count(*)")])
        last, by = self.rng.choice([("corm.sum('age')", "sum(age)"), ("corm.max('age')", "max(age)"), ("corm.count()", "count(*)")])
        return Again(f"corm.selector('people'), corm.select(corm.as({said}, 'k'), corm.as({total}, 'age')), corm.group_by({corm.format('GROUPED')}), "
                     f"corm.having(corm.gte(corm.coalesce(corm.max('age'), 7), 3)), corm.order_by(corm.desc({last}, 'last'), {order})",
                     f"SELECT {hand} AS k, {age} AS age FROM people GROUP BY {plain.format('GROUPED')} HAVING coalesce(max(people.age), 7) >= 3 "
                     f"ORDER BY {by} DESC NULLS LAST, {hand} NULLS LAST", values)

    def joined(self):
        """tasks, which may be deleted, and labels are linked by task_labels."""
        side = self.rng.choice(["left", "right", "full"])
        start, end, where = self.rng.choice([("tasks", "labels", ""), ("labels", "tasks", ""), ("tasks", "labels", "prio"), ("labels", "tasks", "weight")])
        limit = self.rng.choice([1, 2, 3])
        live = {"tasks": "(SELECT * FROM tasks WHERE NOT deleted)", "labels": "labels"}
        key = {"tasks": "task_id", "labels": "label_id"}
        links = f"(SELECT task_id, label_id FROM task_labels JOIN {live['tasks']} t ON t.id = task_id)"
        sql = {"left": f"{live[start]} s LEFT JOIN ({links} l JOIN {live[end]} e ON e.id = l.{key[end]}) ON l.{key[start]} = s.id",
               "right": f"{live[end]} e LEFT JOIN ({links} l JOIN {live[start]} s ON s.id = l.{key[start]}) ON l.{key[end]} = e.id",
               "full": f"{live[start]} s FULL JOIN (SELECT e.*, l.{key[start]} AS k FROM {live[end]} e LEFT JOIN {links} l ON l.{key[end]} = e.id) e ON e.k = s.id"}[side]
        condition = f", corm.where(corm.or(corm.is_null('{start}.{where}'), corm.gt('{start}.{where}', {limit})))" if where else ""
        plain = f" WHERE s.{where} IS NULL OR s.{where} > {limit}" if where else ""
        if self.rng.random() < 0.3 and side == "left":
            return Select(f"corm.selector('{start}'), corm.left_join('{end}'){condition}, corm.select('{start}.id', corm.as(corm.count(), 'rows'), corm.as(corm.count('{end}.id'), 'n')), "
                          f"corm.group_by('{start}.id'), corm.order_by('{start}.id')",
                          f"SELECT s.id, count(*) AS rows, count(e.id) AS n FROM {sql}{plain} GROUP BY s.id ORDER BY s.id")
        return Select(f"corm.selector('{start}'), corm.{side}_join('{end}'){condition}, corm.select('{start}.id', corm.as('{end}.id', 'other')), "
                      f"corm.order_by(corm.asc('{start}.id', 'last'), corm.asc('{end}.id', 'last'))",
                      f"SELECT s.id, e.id AS other FROM {sql}{plain} ORDER BY s.id NULLS LAST, e.id NULLS LAST")

    def tree(self, depth):
        """A condition: in corm, in SQL, and what it is: True, False, None or "open"."""
        if depth == 0 or self.rng.random() < 0.15:
            return self.rng.choice([
                ("corm.and()", "true", True), ("corm.or()", "false", False), ("corm.not_in('id', '{}'::int[])", "true", True), ("corm.in('id', '{}')", "false", False),
                ("corm.val(NULL::boolean)", "NULL::boolean", None), ("corm.every('labels')", "true", True), ("corm.none('labels', corm.or())", "true", True),
                ("corm.not_in('id', '{1,2}'::int[])", "id <> ALL ('{1,2}')", "open"), ("corm.in('id', '{3}')", "id = 3", "open"), ("corm.gt('prio', 1)", "prio > 1", "open")])
        kind = self.rng.choice(["and", "or", "and", "or", "not", "is_not_true"])
        if kind in ("not", "is_not_true"):
            corm, sql, truth = self.tree(depth - 1)
            if kind == "not":
                return f"corm.not({corm})", f"NOT ({sql})", not truth if truth in (True, False) else truth
            return f"corm.is_not_true({corm})", f"({sql}) IS NOT TRUE", truth if truth == "open" else truth is not True
        kids = [self.tree(depth - 1) for _ in range(self.rng.choice([0, 1, 2, 2, 3]))]
        truths = [truth for _, _, truth in kids]
        decides = kind == "or"
        if any(truth is decides for truth in truths):
            truth = decides
        elif "open" in truths:
            truth = "open"
        else:
            truth = None if None in truths else not decides
        return (f"corm.{kind}({', '.join(corm for corm, _, _ in kids)})",
                f" {kind.upper()} ".join(f"({sql})" for _, sql, _ in kids) or ("true" if kind == "and" else "false"), truth)

    def nothing(self):
        corm, sql, truth = self.tree(self.rng.choice([1, 2, 2, 3]))
        return Nothing("tasks", corm, truth, sql)

    def check(self):
        return self.rng.choice([self.again, self.joined, self.nothing])()
