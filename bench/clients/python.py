"""The benchmark's clients in Python, all on psycopg2 with one connection each; see node.js for the protocol."""

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


class Statements:
    """A peer that sends SQL text."""

    def __init__(self, get, filter_, page):
        import psycopg2
        from psycopg2.extras import NamedTupleCursor

        connection = psycopg2.connect("")
        connection.autocommit = True
        self.cursor = connection.cursor(cursor_factory=NamedTupleCursor)
        self.statements = get, filter_, page

    def get(self, key):
        self.cursor.execute(self.statements[0], (key,))
        return self.cursor.fetchone()

    def filter(self, *values):
        self.cursor.execute(self.statements[1], values)
        return self.cursor.fetchall()

    def page(self, company):
        self.cursor.execute(self.statements[2], (company,))
        return self.cursor.fetchall()


def sql():
    return Statements("SELECT * FROM users WHERE id = %s",
                      "SELECT * FROM users WHERE age >= %s AND plan = %s AND active = %s ORDER BY id LIMIT 20",
                      "SELECT * FROM users WHERE company_id = %s ORDER BY id DESC LIMIT 10 OFFSET 20")


def corm():
    return Statements("SELECT * FROM corm.get(NULL::users, corm.where(corm.eq('id', %s)))",
                      "SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', %s), corm.eq('plan', %s), "
                      "corm.eq('active', %s)), corm.order_by('id'), corm.limit(20))",
                      "SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('company_id', %s)), "
                      "corm.order_by('-id'), corm.limit(10), corm.offset(20))")


class Sqlalchemy:
    def __init__(self):
        from sqlalchemy import Boolean, Column, DateTime, Float, Integer, Text, create_engine
        from sqlalchemy.orm import Session, declarative_base

        class User(declarative_base()):
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

        engine = create_engine("postgresql+psycopg2://", pool_size=1, isolation_level="AUTOCOMMIT", future=True)
        self.user = User
        self.session = Session(engine, future=True)

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

        self.users = User.objects

    def get(self, key):
        return self.users.get(pk=key)

    def filter(self, age, plan, active):
        return list(self.users.filter(age__gte=age, plan=plan, active=active).order_by("id")[:20])

    def page(self, company):
        return list(self.users.filter(company_id=company).order_by("-id")[20:30])


MAKERS = {"sql": sql, "corm": corm, "sqlalchemy": Sqlalchemy, "django": Django}

WORKS = {"get": lambda peer, turn: [peer.get(key_of(turn))],
         "filter": lambda peer, turn: peer.filter(*filter_of(turn)),
         "page": lambda peer, turn: peer.page(company_of(turn))}


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
                rows = work(peer, turn)
                check += len(rows) + sum(row.id + row.age + len(row.name) for row in rows)
            answer = {"seconds": time.perf_counter() - start, "check": check}
        except Exception as problem:
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(answer), flush=True)


main()
