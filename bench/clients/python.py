"""The benchmark's clients in Python, all on psycopg2 with one connection each; see node.js for the protocol."""

import datetime
import json
import os
import sys
import time

COLUMNS = "id name email age company_id plan active score created_at bio".split()
PLANS = ["free", "pro", "ent"]


def key_of(turn):
    return 1 + turn * 7919 % 100000


def filter_of(turn):
    return 20 + turn % 50, PLANS[turn % 3], True


def company_of(turn):
    return 1 + turn * 31 % 1000


def first_of(turn):
    return turn * 7919 % 90000


def order_of(turn):
    """An order of ten items for a user who is active (one in ten is not)."""
    return {"user_id": 10 * (turn * 7919 % 10000) + 1 + turn % 9, "amount": turn % 500,
            "placed_at": datetime.datetime.fromtimestamp(1780272000 + turn, datetime.timezone.utc),
            "items": [{"sku": f"SKU-{(turn + i) % 1000}", "quantity": 1 + i, "price": turn % 300} for i in range(10)]}


def score_of(turn):
    return turn % 1000 / 10


def require_active(user):
    """The check of the unit of work, where the client makes it."""
    if user is None or not user.active:
        raise RuntimeError("user is not active")


# A peer has
#   get(key) -> row, filter(age, plan, active) -> rows, page(company) -> rows,
#   preload(id) -> the 20 users that follow, with their orders, each with its items,
#   unit(order, score) -> the order with its items as inserted: reads the user, checks that he is active, inserts the
#     order with its items, updates the user's score, in one transaction.


class Statements:
    """A peer that sends SQL text."""

    def __init__(self, get, filter_, page, preload):
        import psycopg2
        from psycopg2.extras import NamedTupleCursor

        connection = psycopg2.connect("")
        connection.autocommit = True
        self.cursor = connection.cursor(cursor_factory=NamedTupleCursor)
        self.statements = get, filter_, page, preload

    def get(self, key):
        self.cursor.execute(self.statements[0], (key,))
        return self.cursor.fetchone()

    def filter(self, *values):
        self.cursor.execute(self.statements[1], values)
        return self.cursor.fetchall()

    def page(self, company):
        self.cursor.execute(self.statements[2], (company,))
        return self.cursor.fetchall()

    def preload(self, first):
        self.cursor.execute(self.statements[3], (first,))
        return self.cursor.fetchone()[0]


LATERAL = """
    SELECT coalesce(json_agg(u), '[]') FROM (
      SELECT p.*, o.orders
      FROM (SELECT * FROM users WHERE id > %s ORDER BY id LIMIT 20) AS p
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


class Sql(Statements):
    def unit(self, order, score):
        """One statement after the other, as one would write it by hand."""
        from psycopg2.extras import execute_values

        cursor, items = self.cursor, order["items"]
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM users WHERE id = %s FOR UPDATE", (order["user_id"],))
        require_active(cursor.fetchone())
        cursor.execute("INSERT INTO orders (user_id, amount, placed_at) VALUES (%(user_id)s, %(amount)s, %(placed_at)s) "
                       "RETURNING *", order)
        inserted = cursor.fetchone()._asdict()
        inserted["items"] = [item._asdict() for item in execute_values(
            cursor, "INSERT INTO items (order_id, sku, quantity, price) VALUES %s RETURNING *",
            [(inserted["id"], item["sku"], item["quantity"], item["price"]) for item in items], fetch=True)]
        cursor.execute("UPDATE users SET score = %s WHERE id = %s", (score, order["user_id"]))
        cursor.execute("COMMIT")
        return inserted


class Corm(Statements):
    def unit(self, order, score):
        """The read is the check as well: no row is an error, and that undoes everything."""
        self.cursor.execute("""SELECT corm.do_tx($tx$
            SELECT corm.one(NULL::users, corm.where(corm.eq('id', $1), corm.eq('active', true)), corm.for_update());
            SELECT corm.exec(corm.updater('users'), corm.set('score', $2), corm.where(corm.eq('id', $1)));
            SELECT corm.insert_json('orders', $3) AS inserted
            $tx$, %s::int, %s::float8, %s::jsonb)""", (order["user_id"], score, json.dumps(order, default=str)))
        return self.cursor.fetchone()[0][0]["inserted"]


def sql():
    return Sql("SELECT * FROM users WHERE id = %s",
               "SELECT * FROM users WHERE age >= %s AND plan = %s AND active = %s ORDER BY id LIMIT 20",
               "SELECT * FROM users WHERE company_id = %s ORDER BY id DESC LIMIT 10 OFFSET 20", LATERAL)


def corm():
    return Corm("SELECT * FROM corm.get(NULL::users, corm.where(corm.eq('id', %s)))",
                "SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', %s), corm.eq('plan', %s), "
                "corm.eq('active', %s)), corm.order_by('id'), corm.limit(20))",
                "SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('company_id', %s)), "
                "corm.order_by('-id'), corm.limit(10), corm.offset(20))",
                "SELECT corm.get_multi_json_text(corm.selector('users'), corm.where(corm.gt('id', %s)), corm.order_by('id'), "
                "corm.limit(20), corm.preload('orders', corm.preload('items')))")


class Sqlalchemy:
    def __init__(self):
        from sqlalchemy import Boolean, Column, DateTime, Float, ForeignKey, Integer, Text, create_engine
        from sqlalchemy.orm import Session, declarative_base, relationship

        Base = declarative_base()

        class User(Base):
            __tablename__ = "users"
            id = Column(Integer, primary_key=True)
            name = Column(Text)
            email = Column(Text)
            age = Column(Integer)
            company_id = Column(Integer)
            plan = Column(Text)
            active = Column(Boolean)
            score = Column(Float)
            created_at = Column(DateTime(timezone=True))
            bio = Column(Text)
            orders = relationship("Order")

        class Order(Base):
            __tablename__ = "orders"
            id = Column(Integer, primary_key=True)
            user_id = Column(Integer, ForeignKey("users.id"))
            amount = Column(Float)
            placed_at = Column(DateTime(timezone=True))
            items = relationship("Item")

        class Item(Base):
            __tablename__ = "items"
            id = Column(Integer, primary_key=True)
            order_id = Column(Integer, ForeignKey("orders.id"))
            sku = Column(Text)
            quantity = Column(Integer)
            price = Column(Float)

        self.user, self.order, self.item = User, Order, Item
        self.engine = create_engine("postgresql+psycopg2://", pool_size=1, future=True)
        # Reads need no transaction; both options share the one connection of the pool.
        self.session = Session(self.engine.execution_options(isolation_level="AUTOCOMMIT"), future=True)

    def select(self):
        from sqlalchemy import select

        # A request starts without objects of the last one.
        self.session.expunge_all()
        return select(self.user)

    def rows(self, statement):
        return self.session.execute(statement).scalars().all()

    def get(self, key):
        return self.rows(self.select().where(self.user.id == key))[0]

    def filter(self, age, plan, active):
        user = self.user
        return self.rows(self.select().where(user.age >= age, user.plan == plan, user.active == active)
                         .order_by(user.id).limit(20))

    def page(self, company):
        user = self.user
        return self.rows(self.select().where(user.company_id == company).order_by(user.id.desc()).limit(10).offset(20))

    def preload(self, first):
        from sqlalchemy.orm import selectinload

        user, order = self.user, self.order
        return self.rows(self.select().where(user.id > first).order_by(user.id).limit(20)
                         .options(selectinload(user.orders).selectinload(order.items)))

    def unit(self, order, score):
        from sqlalchemy.orm import Session

        self.session.close()
        with Session(self.engine, future=True, expire_on_commit=False) as session, session.begin():
            user = session.get(self.user, order["user_id"], with_for_update=True)
            require_active(user)
            inserted = self.order(user_id=user.id, amount=order["amount"], placed_at=order["placed_at"],
                                  items=[self.item(**item) for item in order["items"]])
            session.add(inserted)
            user.score = score
        return inserted


class Django:
    def __init__(self):
        import django
        from django.conf import settings

        settings.configure(USE_TZ=True, INSTALLED_APPS=[], DATABASES={"default": {
            "ENGINE": "django.db.backends.postgresql", "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"],
            "USER": os.environ["PGUSER"], "NAME": os.environ["PGDATABASE"], "CONN_MAX_AGE": None}})
        django.setup()
        from django.db import models

        class User(models.Model):
            id = models.IntegerField(primary_key=True)
            name = models.TextField()
            email = models.TextField()
            age = models.IntegerField()
            company_id = models.IntegerField()
            plan = models.TextField()
            active = models.BooleanField()
            score = models.FloatField()
            created_at = models.DateTimeField()
            bio = models.TextField(null=True)

            class Meta:
                app_label = "bench"
                db_table = "users"

        class Order(models.Model):
            user = models.ForeignKey(User, models.CASCADE, related_name="orders")
            amount = models.FloatField()
            placed_at = models.DateTimeField()

            class Meta:
                app_label = "bench"
                db_table = "orders"

        class Item(models.Model):
            order = models.ForeignKey(Order, models.CASCADE, related_name="items")
            sku = models.TextField()
            quantity = models.IntegerField()
            price = models.FloatField()

            class Meta:
                app_label = "bench"
                db_table = "items"

        self.users = User.objects
        self.order, self.item = Order, Item

    def get(self, key):
        return self.users.get(pk=key)

    def filter(self, age, plan, active):
        return list(self.users.filter(age__gte=age, plan=plan, active=active).order_by("id")[:20])

    def page(self, company):
        return list(self.users.filter(company_id=company).order_by("-id")[20:30])

    def preload(self, first):
        return list(self.users.filter(id__gt=first).order_by("id").prefetch_related("orders__items")[:20])

    def unit(self, order, score):
        from django.db import transaction

        with transaction.atomic():
            user = self.users.select_for_update().get(pk=order["user_id"])
            require_active(user)
            inserted = self.order.objects.create(user=user, amount=order["amount"], placed_at=order["placed_at"])
            items = self.item.objects.bulk_create(self.item(order=inserted, **item) for item in order["items"])
            user.score = score
            user.save(update_fields=["score"])
        return {"id": inserted.id, "user_id": user.id, "amount": inserted.amount, "items": items}


def part(row, name):
    """A field of a document or of an object, a list of related objects included."""
    value = row[name] if isinstance(row, dict) else getattr(row, name)
    return value.all() if hasattr(value, "all") else value


def sum_of(rows):
    return len(rows) + sum(row.id + row.age + len(row.name) for row in rows)


def sum_of_tree(users):
    total = len(users)
    for user in users:
        total += part(user, "id")
        for order in part(user, "orders"):
            total += part(order, "id") % 1000 + part(order, "amount")
            for item in part(order, "items"):
                total += part(item, "id") % 1000 + part(item, "quantity") + part(item, "price") + len(part(item, "sku"))
    return total


def sum_of_order(order):
    """Without the keys, which differ from run to run."""
    items = part(order, "items")
    return (part(order, "user_id") + part(order, "amount") + len(items) +
            sum(part(item, "quantity") + part(item, "price") + len(part(item, "sku")) +
                (part(item, "order_id") == part(order, "id")) for item in items))


MAKERS = {"sql": sql, "corm": corm, "sqlalchemy": Sqlalchemy, "django": Django}

WORKS = {"get": lambda peer, turn: sum_of([peer.get(key_of(turn))]),
         "filter": lambda peer, turn: sum_of(peer.filter(*filter_of(turn))),
         "page": lambda peer, turn: sum_of(peer.page(company_of(turn))),
         "preload": lambda peer, turn: sum_of_tree(peer.preload(first_of(turn))),
         "unit": lambda peer, turn: sum_of_order(peer.unit(order_of(turn), score_of(turn)))}


def main():
    peers = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            name = request["peer"]
            if name not in peers:
                peers[name] = MAKERS[name]()
            peer, work = peers[name], WORKS[request["work"]]
            check = 0
            start = time.perf_counter()
            for turn in range(request["first"], request["first"] + request["count"]):
                check += work(peer, turn)
            answer = {"seconds": time.perf_counter() - start, "check": check}
        except Exception as problem:
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(answer), flush=True)


main()
