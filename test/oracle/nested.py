"""Nested writes: random documents for insert_json, and links for set_related, against a model of their rules.

A world is a small schema of tenants: customers and projects whose keys are (ten, id), tasks with a foreign key to each that
share the column ten, tags of a key of a random type, which tasks are linked to by three relations through one table
(all tags, those of kind a, those of kind b), and crews, which link customers and projects of one tenant.  What else there
is is drawn: row-level security on customers and tasks, a guard in middleware on projects, soft delete of tags and of links, a
default scope of the links, triggers that suppress rows, hooks.  The role that writes is no superuser.

The model knows what each key looks like as a value, so that a document may spell it in any way.  It collects every
fault of a document; the server may raise any of them.  Without a fault, the tables hold what the model says, to
the last column.  Each check is undone.
"""

import json
import uuid
from dataclasses import dataclass, field

from server import Session

MISSING, CONTRADICTION, CONDITION, UNKNOWN, NULL = "P0002", "OR013", "44000", "42703", "22004"

# key types of tags: the value of number n as stored, and spellings of it in JSON
UUIDS = {n: str(uuid.UUID(int=0xa0eebc999c0b4ef8bb6d6bb9bd380a00 + n)) for n in range(1, 100)}
KEY_TYPES = {
    "int": (str, [lambda n: n, lambda n: str(n), lambda n: f" {n} "]),
    "bigint": (str, [lambda n: n, lambda n: str(n)]),
    "numeric": (lambda n: f"{n}.50", [lambda n: n + 0.5, lambda n: f"{n}.5", lambda n: f"{n}.500"]),
    "uuid": (lambda n: UUIDS[n], [lambda n: UUIDS[n], lambda n: UUIDS[n].upper(), lambda n: "{" + UUIDS[n] + "}"]),
    "citext": (lambda n: f"Tag{n}", [lambda n: f"Tag{n}", lambda n: f"TAG{n}", lambda n: f"tag{n}"]),
    "word": (lambda n: f"w{n}", [lambda n: f"w{n}"]),
}


def quote(text):
    return "'" + text.replace("'", "''") + "'"


@dataclass
class World:
    """What is drawn of a schema."""
    key_type: str = "int"
    security: bool = True
    guard: bool = True
    soft_tags: bool = True
    soft_links: bool = False
    scope: bool = False
    hooks: bool = False
    camel: bool = False
    linked: list = field(default_factory=list)  # (task, tag, n, removed)

    @classmethod
    def draw(cls, rng):
        def half():
            return rng.random() < 0.5
        world = cls(rng.choice(list(KEY_TYPES)), half(), half(), half(), half(), half(), half(), half())
        pairs = [(task, tag) for task in (1, 2, 3) for tag in range(1, 9)]
        for number, (task, tag) in enumerate(sorted(rng.sample(pairs, 9))):
            world.linked.append((task, tag, 100 + number, world.soft_links and rng.random() < 0.3))
        return world

    def key(self, n):
        return KEY_TYPES[self.key_type][0](n)

    def sql(self):
        key = self.key_type
        parts = [
            "DROP SCHEMA IF EXISTS nest CASCADE; CREATE SCHEMA nest; SET search_path = nest, public; GRANT USAGE ON SCHEMA nest TO oracle_nested",
            "CREATE DOMAIN word AS text CHECK (VALUE <> '')" if key == "word" else "",
            "CREATE TABLE cust (ten int, id int, name text, PRIMARY KEY (ten, id))",
            "CREATE TABLE proj (ten int, id int, code text UNIQUE, name text, PRIMARY KEY (ten, id))",
            f"CREATE TABLE tag (id {key} PRIMARY KEY, label text UNIQUE, kind text, gone timestamptz)",
            """CREATE TABLE task (id int PRIMARY KEY, ten int, cust_id int, proj_id int, title text,
                 CONSTRAINT tc FOREIGN KEY (ten, cust_id) REFERENCES cust, CONSTRAINT tp FOREIGN KEY (ten, proj_id) REFERENCES proj)""",
            f"CREATE TABLE task_tag (task_id int REFERENCES task, tag_id {key} REFERENCES tag, n int DEFAULT 7, removed boolean, PRIMARY KEY (task_id, tag_id))",
            """CREATE TABLE crew (ten int, cust_id int, proj_id int, PRIMARY KEY (ten, cust_id, proj_id),
                 FOREIGN KEY (ten, cust_id) REFERENCES cust, FOREIGN KEY (ten, proj_id) REFERENCES proj)""",
            "SELECT corm.relate('cust', 'projs', 'many_to_many', 'proj', '{ten,id}', '{ten,id}', 'crew', '{ten,cust_id}', '{ten,proj_id}')",
            *(f"SELECT corm.relate('task', 'tags_{kind}', 'many_to_many', 'tag', '{{id}}', '{{id}}', 'task_tag', '{{task_id}}', '{{tag_id}}', corm.eq('kind', '{kind}'))"
              for kind in "ab"),
            "SELECT corm.register('tag', '{\"naming\": \"camel\"%s}')" % (', "soft_delete": "gone"' if self.soft_tags else "") if self.camel else
            "SELECT corm.register('tag', '{\"soft_delete\": \"gone\"}')" if self.soft_tags else "",
            "SELECT corm.register('task_tag', '{\"soft_delete\": \"removed\"}')" if self.soft_links else "",
            "SELECT corm.define_scope('task_tag', 'many', corm.where(corm.gt('n', 103)), true)" if self.scope else "",
            """CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN IF to_jsonb(NEW) ->> TG_ARGV[0] = 'skip' THEN RETURN NULL; END IF; RETURN NEW; END $$""",
            *(f"CREATE TRIGGER skip BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION skip('{column}')"
              for table, column in (("cust", "name"), ("proj", "name"), ("tag", "label"), ("task", "title"))),
            *(f"CREATE FUNCTION before_create(r {table}) RETURNS {table} LANGUAGE plpgsql AS $$ BEGIN RETURN r; END $$" for table in ("task", "tag", "cust", "task_tag") if self.hooks),
            "INSERT INTO cust SELECT t, i, CASE WHEN i = 3 THEN 'hidden' ELSE 'cust' || i END FROM generate_series(1, 2) t, generate_series(1, 3) i",
            "INSERT INTO proj SELECT t, i, 'c' || t || i, CASE WHEN i = 3 THEN 'hidden' ELSE 'proj' || i END FROM generate_series(1, 2) t, generate_series(1, 3) i",
            *(f"INSERT INTO tag VALUES ({quote(self.key(n))}, 'label{n}', {'NULL' if n == 8 else quote('ab'[n % 2])}, {quote('2020-01-01') if n in (6, 7) else 'NULL'})" for n in range(1, 9)),
            "INSERT INTO task SELECT i, 1, 1, 1, CASE WHEN i = 3 THEN 'hidden' ELSE 'task' || i END FROM generate_series(1, 3) i",
            *(f"INSERT INTO task_tag VALUES ({task}, {quote(self.key(tag))}, {n}, {str(removed).lower()})" for task, tag, n, removed in self.linked),
            "INSERT INTO crew VALUES (1, 1, 1), (1, 1, 3), (2, 2, 2)",
            *(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON {table} USING ({column} <> 'hidden') WITH CHECK (true)"
              for table, column in (("cust", "name"), ("task", "title")) if self.security),
            """CREATE FUNCTION guarded(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
               BEGIN qc.query := corm.pipe(qc.query, corm.guard('nest.proj', corm.neq('name', 'hidden'))); RETURN corm.next(qc); END $$;
               SELECT corm.use('guarded(corm.query_context)', 'proj')""" if self.guard else "",
            "GRANT ALL ON ALL TABLES IN SCHEMA nest TO oracle_nested",
        ]
        return "; ".join(part for part in parts if part)

    #
    # what is there, and what can be seen of it
    #

    def cust(self, ten, id):
        return ten in (1, 2) and id in (1, 2, 3) and not (self.security and id == 3)

    def proj(self, ten, id):
        return ten in (1, 2) and id in (1, 2, 3) and not (self.guard and id == 3)

    def tag_exists(self, n):
        return 1 <= n <= 8 and not (self.soft_tags and n in (6, 7))

    def kind(self, n):
        return None if n == 8 else "ab"[n % 2]

    def task(self, id):
        return id in (1, 2, 3) and not (self.security and id == 3)


@dataclass
class Outcome:
    faults: set
    rows: dict  # table -> list of rows, new ones


class Faults(Exception):
    pass


class Generator:
    """Documents, and at once what becomes of them."""

    def __init__(self, rng, world):
        self.rng, self.world = rng, world
        self.next = 10
        self.outcome = Outcome(set(), {table: [] for table in ("cust", "proj", "tag", "task", "task_tag", "crew")})

    def maybe(self, p):
        return self.rng.random() < p

    def fresh(self):
        self.next += 1
        return self.next

    def fault(self, code):
        self.outcome.faults.add(code)

    def spelled(self, name):
        """A field's name in some spelling."""
        return self.rng.choice([name, name, name, name.capitalize(), "".join(part.capitalize() for part in name.split("_"))])

    def integer(self, n):
        return self.rng.choice([n, n, str(n), f" {n}"])

    def tag_key(self, n):
        return self.rng.choice(KEY_TYPES[self.world.key_type][1])(n)

    # Each of these returns (JSON, what it refers to or None where that cannot be told), and notes faults and rows.

    def holder(self, kind, ten=None):
        """A customer or project that a task or crew refers to: a reference, a wish, or a new one."""
        rng, world = self.rng, self.world
        choice = rng.random()
        ten = ten if ten and self.maybe(0.9) else rng.choice([1, 2])
        name = kind  # table
        if choice < 0.55:
            id = rng.choice([1, 2, 3, 3, 9]) if self.maybe(0.12) else rng.choice([1, 2])
            if kind == "proj" and self.maybe(0.3):
                document = {self.spelled("code"): f"c{ten}{id}"}
            else:
                document = {self.spelled("ten"): self.integer(ten), self.spelled("id"): self.integer(id)}
            if not getattr(world, kind)(ten, id):
                self.fault(MISSING)
                return document, None
            return document, (ten, id)
        wish = choice < 0.7
        if wish and self.maybe(0.5):  # one that is there
            id = rng.choice([1, 2])
            return {"$connect_or_create": {"ten": self.integer(ten), "id": id, "name": "other"}}, (ten, id)
        id = self.fresh()
        document = {"ten": ten, "id": id, "name": rng.choice(["new"] * 9 + ["skip"])}
        if kind == "proj":
            document["code"] = f"n{id}"
        skipped = document["name"] == "skip"
        if skipped:
            self.fault(MISSING)
        else:
            self.outcome.rows[name].append([ten, id, document["name"]] if kind == "cust" else [ten, id, document["code"], document["name"]])
        return {"$connect_or_create": document} if wish else document, None if skipped else (ten, id)

    def tag(self, condition):
        """A tag that a task is linked to by a relation with that condition on kind, or None: (JSON, number)."""
        rng, world = self.rng, self.world
        if self.maybe(0.75):
            n = rng.randint(1, 9) if self.maybe(0.15) else rng.randint(1, 5) if condition is None else rng.choice([n for n in range(1, 8) if world.kind(n) == condition])
            document = {self.spelled("id"): self.tag_key(n)} if self.maybe(0.7) else {self.spelled("label"): f"label{n}"}
            if not world.tag_exists(n):
                self.fault(MISSING)
                return document, None
            if condition and world.kind(n) != condition:
                self.fault(CONTRADICTION)
            return document, n
        n = self.fresh()
        document = {"id": self.tag_key(n), "label": rng.choice([f"label{n}"] * 9 + ["skip"])}
        kind = None
        if self.maybe(0.5):
            kind = document["kind"] = rng.choice([None, None, condition, condition, condition, "a"])
        if condition and kind not in (None, condition):
            self.fault(CONTRADICTION)
        if document["label"] == "skip":
            self.fault(MISSING)
            return document, None
        self.outcome.rows["tag"].append([None, n, document["label"], condition or kind])
        self.created[n] = document["id"]
        return ({"$connect_or_create": document} if self.maybe(0.2) else document), n

    def task(self, depth, around=None, linked=True):
        """A task; around: ("cust" or "proj", ten, id) that it is nested in."""
        rng = self.rng
        id = self.fresh()
        document = {"id": self.integer(id), "title": rng.choice(["t"] * 9 + ["skip"])}
        skipped, refers = document["title"] == "skip", False
        given = {"ten": set(), "cust_id": set(), "proj_id": set()}
        known = True  # all that gives a column is known
        if around:
            given["ten"].add(around[1])
            given[f"{around[0]}_id"].add(around[2])
        for kind in ("cust", "proj"):
            key = rng.choice([kind] * 3 + [kind.capitalize()])
            if around and around[0] == kind:
                if self.maybe(0.5):
                    continue
                choice = rng.random()
                if choice < 0.35:
                    document[key] = None
                elif choice < 0.75:
                    document[key] = {"id": self.integer(around[2]), "ten": around[1]}
                    if self.maybe(0.3):
                        document[key] = {"ten": around[1]}
                else:
                    document[key] = {"id": rng.choice([1, 2, 77]), "ten": around[1]}
                    if document[key]["id"] != around[2]:
                        self.fault(CONTRADICTION)
                continue
            if self.maybe(0.35):
                continue
            if self.maybe(0.3):
                document[key] = None
                continue
            wanted = next(iter(given["ten"]), None)
            document[key], found = self.holder(kind, wanted)
            if found is None:
                known = False
            else:
                given["ten"].add(found[0])
                given[f"{kind}_id"].add(found[1])
        for name in given:
            if self.maybe(0.2):
                values = sorted(given[name])
                value = rng.choice([None, None, *values * 6, 1] if values else [None])
                document[self.spelled(name)] = value if value is None else self.integer(value)
                if value is not None:
                    given[name].add(value)
        if any(len(values) > 1 for values in given.values()):
            self.fault(CONTRADICTION)
        links = {}
        for name, condition in (("tag", None), ("tags_a", "a"), ("tags_b", "b")) if linked and depth > 0 else ():
            if self.maybe(0.6):
                continue
            targets = [self.tag(condition) for _ in range(rng.randrange(4))]
            if targets and self.maybe(0.2):
                twice = rng.choice(targets)
                if twice[1] is not None and twice[1] < 10:
                    targets.append(twice)
            document[rng.choice([name] * 4 + [name.capitalize()])] = [target for target, _ in targets]
            refers = refers or bool(targets)
            for _, n in targets:
                if n is not None:
                    if n in links and links[n] != name:
                        self.fault("23505")
                    links[n] = name
        if skipped and refers:
            self.fault(MISSING)
        if not skipped:
            row = [id, *(next(iter(given[name]), None) for name in ("ten", "cust_id", "proj_id")), document["title"]]
            self.outcome.rows["task"].append(row)
            for n in links:
                self.outcome.rows["task_tag"].append([id, n, 7, None])
            # a customer alone or a project alone, with a tenant, is what its foreign key says; a tenant alone says nothing
            if row[1] is None and (row[2] or row[3]):
                self.outcome.faults.add("?")
        return document

    def holder_with(self, kind):
        """A new customer or project with tasks, and a customer with projects of its tenant."""
        rng = self.rng
        ten, id = rng.choice([1, 2]), self.fresh()
        document = {"ten": self.integer(ten), "id": id, "name": rng.choice(["new"] * 7 + ["skip"])}
        skipped, refers = document["name"] == "skip", False
        if kind == "proj":
            document["code"] = f"n{id}"
        if self.maybe(0.8):
            tasks = [self.task(1, (kind, ten, id)) for _ in range(rng.randrange(4))]
            document["task"] = tasks
            refers = refers or bool(tasks)
        if kind == "cust" and self.maybe(0.5):
            targets = [self.holder("proj", ten) for _ in range(rng.randrange(4))]
            document["projs"] = [target for target, _ in targets]
            refers = refers or bool(targets)
            if any(found and found[0] != ten for _, found in targets):
                self.fault(CONTRADICTION)
            for found in {found for _, found in targets if found and found[0] == ten}:
                self.outcome.rows["crew"].append([ten, id, found[1]])
        if skipped:
            if refers:
                self.fault(MISSING)
        else:
            self.outcome.rows[kind].append([ten, id, document["name"]] if kind == "cust" else [ten, id, document["code"], document["name"]])
        return document

    def insert(self):
        self.created = {}
        model = self.rng.choice(["task", "task", "cust", "cust", "proj"])
        documents = [self.task(2) if model == "task" else self.holder_with(model) for _ in range(self.rng.choice([1, 1, 1, 2, 3]))]
        document = documents[0] if len(documents) == 1 else documents
        return Insert(self.world, model, document, self.outcome)

    def links(self):
        rng, world = self.rng, self.world
        self.created = {}
        if self.maybe(0.25):
            return self.crew_links()
        relation, condition = rng.choice([("tag", None), ("tags_a", "a"), ("tags_b", "b")])
        id = rng.choice([1, 1, 1, 2, 2, 2, 3, 9])
        key, wrong = {self.spelled("id"): self.integer(id)}, rng.random()
        if wrong < 0.04:
            key = {"ident": id}
        elif wrong < 0.07:
            key = {}
        elif wrong < 0.1:
            key = {"id": id, "title": "t"}
        elif wrong < 0.12:
            key = {"id": None}
        if wrong < 0.1:
            self.fault(UNKNOWN)
        elif wrong < 0.12 or not world.task(id):
            self.fault(MISSING)
        targets = [self.tag(condition) for _ in range(rng.randrange(5))]
        if targets and self.maybe(0.3) and targets[0][1] and targets[0][1] < 9:
            targets.append(({"id": self.tag_key(targets[0][1])}, targets[0][1]))
        wanted = {n for _, n in targets if n is not None}
        # links that the relation shows
        shown = {tag for task, tag, _, removed in world.linked
                 if task == id and not removed and world.tag_exists(tag) and (condition is None or world.kind(tag) == condition)}
        removed = {tag for task, tag, _, gone in world.linked if task == id and gone}
        return Links(world, "task", key, relation, [target for target, _ in targets], self.outcome, id, shown, wanted, removed)

    def crew_links(self):
        rng, world = self.rng, self.world
        ten, id = rng.choice([1, 2]), rng.choice([1, 2, 2, 3])
        if not world.cust(ten, id):
            self.fault(MISSING)
        targets = [self.holder("proj", ten) for _ in range(rng.randrange(4))]
        if any(found and found[0] != ten for _, found in targets):
            self.fault(CONTRADICTION)
        linked = {(1, 1): {1, 3}, (2, 2): {2}}.get((ten, id), set())
        shown = {proj for proj in linked if world.proj(ten, proj)}
        wanted = {found[1] for _, found in targets if found and found[0] == ten}
        return Crew(world, "cust", {"id": self.integer(id), "Ten": ten}, "projs", [target for target, _ in targets], self.outcome, (ten, id), shown, wanted, set())


COLUMNS = {"cust": "ten, id, name", "proj": "ten, id, code, name", "tag": "id, label, kind, gone IS NOT NULL", "task": "id, ten, cust_id, proj_id, title",
           "task_tag": "task_id, tag_id, n, removed", "crew": "ten, cust_id, proj_id"}


def stored(session):
    """All tables, as sets of rows of texts."""
    return {table: {tuple(row) for row in session.must(f"SELECT {columns} FROM nest.{table}")} for table, columns in COLUMNS.items()}


def text(value):
    return value if value is None or isinstance(value, str) else ("t" if value else "f") if isinstance(value, bool) else str(value)


class Check:
    def rows(self, world, outcome, created):
        """The model's rows as texts, the keys of new tags as they were spelled."""
        result = {}
        for table, rows in outcome.rows.items():
            if table == "tag":
                rows = [[self.tag_key(world, n), label, kind, False] for _, n, label, kind in rows]
            elif table == "task_tag":
                rows = [[task, self.tag_key(world, n), number, removed] for task, n, number, removed in rows]
            result[table] = {tuple(text(value) for value in row) for row in rows}
        return result

    def tag_key(self, world, n):
        return world.key(n)

    def verify(self, session, admin, before):
        """What is wrong, or None."""
        session.must("SAVEPOINT s")
        session.must("SET LOCAL ROLE oracle_nested")
        sqlstate, answer = session.run(self.sql())
        if sqlstate:
            message = session.message
            session.must("ROLLBACK TO s")
            if sqlstate not in self.outcome.faults:
                return f"answers {sqlstate} ({message}), the model says {' or '.join(sorted(self.outcome.faults)) or 'success'}"
            return None
        session.must("RESET ROLE")
        after = stored(session)
        session.must("ROLLBACK TO s")
        if self.outcome.faults:
            return f"succeeds with {answer}, the model says {' or '.join(sorted(self.outcome.faults))}"
        return self.compare(before, after, answer)


class Insert(Check):
    kind = "insert"

    def __init__(self, world, model, document, outcome):
        self.world, self.model, self.document, self.outcome = world, model, document, outcome

    def sql(self):
        return f"SELECT corm.insert_json('{self.model}', {quote(json.dumps(self.document))})"

    def compare(self, before, after, answer):
        expected = self.rows(self.world, self.outcome, None)
        for table in COLUMNS:
            want = normalized(self.world, table, before[table] | expected[table])
            have = normalized(self.world, table, after[table])
            if have != want:
                return f"leaves {sorted(have - want, key=str)} in {table}, the model has {sorted(want - have, key=str)}"
        return None


def normalized(world, table, rows):
    """A new key of citext or numeric is stored as it was spelled: it is the same value."""
    if table not in ("tag", "task_tag"):
        return rows
    at = 0 if table == "tag" else 1
    same = {"citext": str.lower, "numeric": lambda value: str(float(value))}.get(world.key_type, str)
    return {row[:at] + (same(row[at]),) + row[at + 1:] for row in rows}


class Links(Check):
    kind = "links"

    def __init__(self, world, model, key, relation, targets, outcome, id, shown, wanted, removed):
        self.world, self.model, self.key, self.relation, self.targets = world, model, key, relation, targets
        self.outcome, self.id, self.shown, self.wanted, self.removed = outcome, id, shown, wanted, removed

    def sql(self):
        return (f"SELECT corm.set_related('{self.model}', {quote(json.dumps(self.key))}, '{self.relation}', "
                f"{quote(json.dumps(self.targets))})")

    def links(self, before):
        """The links as they should be."""
        key = self.world.key
        rows = set()
        for task, tag, n, removed in before:
            mine = task == str(self.id)
            if mine and tag in {key(n) for n in self.shown - self.wanted}:
                if self.world.soft_links:
                    rows.add((task, tag, n, "t"))
            elif mine and tag in {key(n) for n in self.wanted - self.shown}:
                rows.add((task, tag, n, "f"))
            else:
                rows.add((task, tag, n, removed))
        known = {(task, tag) for task, tag, _, _ in before}
        return rows | {(str(self.id), key(n), "7", None) for n in self.wanted - self.shown if (str(self.id), key(n)) not in known}

    def compare(self, before, after, answer):
        expected = self.rows(self.world, self.outcome, None)
        for table in COLUMNS:
            want = before[table] | expected[table]
            if table == self.table():
                want = self.links(before[table])
            want, have = normalized(self.world, table, want), normalized(self.world, table, after[table])
            if have != want:
                return f"leaves {sorted(have - want, key=str)} in {table}, the model has {sorted(want - have, key=str)}"
        if answer != [(str(len(self.shown ^ self.wanted)),)]:
            return f"changes {answer}, the model says {len(self.shown ^ self.wanted)}"
        return None

    def table(self):
        return "task_tag"


class Crew(Links):
    kind = "crew"

    def table(self):
        return "crew"

    def links(self, before):
        ten, id = map(str, self.id)
        gone = {(ten, id, str(proj)) for proj in self.shown - self.wanted}
        return before - gone | {(ten, id, str(proj)) for proj in self.wanted}


PER_WORLD = 60
SETUP = "DROP ROLE IF EXISTS oracle_nested; CREATE EXTENSION citext; CREATE ROLE oracle_nested; GRANT USAGE ON SCHEMA public TO oracle_nested"


def run(rng, budget):
    """(steps, what is wrong or None, detail)"""
    steps, counts, refused = 0, {}, 0
    session = Session()
    while budget.left(steps):
        world = World.draw(rng)
        session.must(world.sql())
        session.must("BEGIN")
        before = stored(session)
        for _ in range(PER_WORLD):
            generator = Generator(rng, world)
            check = generator.insert() if rng.random() < 0.6 else generator.links()
            if "?" in check.outcome.faults:  # what PostgreSQL makes of half a key is not looked at
                continue
            steps += 1
            counts[check.kind] = counts.get(check.kind, 0) + 1
            refused += bool(check.outcome.faults)
            wrong = check.verify(session, None, before)
            if wrong:
                return steps, f"{check.sql()}\n{wrong}\nin the world {world}", ""
            if not budget.left(steps):
                break
        session.must("ROLLBACK")
    session.close()
    return steps, None, ", ".join(f"{kind} {n}" for kind, n in sorted(counts.items())) + f", {refused} refused"
