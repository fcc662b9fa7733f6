"""Queries inside of statements: what is around them reaches the tables."""

from harness import Line, at_most


def line(bench, work, corm, plain, bar):
    return Line(work, ("corm", bench.sql(corm)), [("static SQL", bench.sql(plain), at_most(bar))])


def lines(bench):
    everybody = "corm.get_multi(NULL::users, corm.where(corm.gt('age', 0)))"
    plain = "(SELECT * FROM users WHERE age > 0)"
    return [
        line(bench, "a join with 100,000 rows, a condition on one",
             f"SELECT u.name, c.name FROM {everybody} u JOIN companies c ON c.id = u.company_id WHERE u.id = 777",
             f"SELECT u.name, c.name FROM {plain} u JOIN companies c ON c.id = u.company_id WHERE u.id = 777", 1.5),
        line(bench, "the first ten of 100,000 rows, ordered and limited around the query",
             f"SELECT id, name FROM {everybody} u ORDER BY id LIMIT 10", f"SELECT id, name FROM {plain} u ORDER BY id LIMIT 10", 1.5),
        line(bench, "a join and groups of 100,000 rows",
             f"SELECT c.country, count(*), max(u.age) FROM {everybody} u JOIN companies c ON c.id = u.company_id GROUP BY c.country",
             f"SELECT c.country, count(*), max(u.age) FROM {plain} u JOIN companies c ON c.id = u.company_id GROUP BY c.country", 1.1),
        line(bench, "the two newest users of each of 200 companies",
             "SELECT c.id, u.id FROM companies c, corm.get_multi(NULL::users, corm.where(corm.eq('company_id', c.id)), "
             "corm.order_by('-id'), corm.limit(2)) u WHERE c.id <= 200",
             "SELECT c.id, u.id FROM companies c, LATERAL (SELECT * FROM users WHERE company_id = c.id ORDER BY id DESC LIMIT 2) u WHERE c.id <= 200", 1.1),
        line(bench, "companies with a user of 77, by EXISTS",
             "SELECT c.id FROM companies c WHERE EXISTS (SELECT FROM corm.get_multi(NULL::users, corm.where(corm.eq('company_id', c.id), corm.eq('age', 77))))",
             "SELECT c.id FROM companies c WHERE EXISTS (SELECT FROM users WHERE company_id = c.id AND age = 77)", 1.1),
        line(bench, "a count for each of 200 companies",
             "SELECT c.id, corm.count(corm.selector('users'), corm.where(corm.eq('company_id', c.id))) FROM companies c WHERE c.id <= 200",
             "SELECT c.id, (SELECT count(*) FROM users WHERE company_id = c.id) FROM companies c WHERE c.id <= 200", 1.1)]
