"""The schema tools over 300 tables with relations, in a session that knows no model yet."""

import time

import psycopg

from harness import Line, costs_at_most

SETUP = """
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS many;
DO $$ BEGIN
    FOR i IN 1 .. 300 LOOP
        EXECUTE format('CREATE TYPE many.kind_%s AS ENUM (''a'', ''b'')', i);
        EXECUTE format('CREATE TABLE many.table_%s (id int PRIMARY KEY, name text NOT NULL, email text UNIQUE, parent_id int REFERENCES many.table_%s, amount numeric,
            at timestamptz, tags text[], kind many.kind_%s, document jsonb, deleted_at timestamptz)', i, greatest(i / 2, 1), i);
        EXECUTE format('COMMENT ON COLUMN many.table_%s.deleted_at IS ''@orm:soft_delete''', i);
    END LOOP;
END $$;
"""

CALLS = [("corm.erd, mermaid", "corm.erd()"), ("corm.erd, dot", "corm.erd(format => 'dot')")]
CALLS += [(f"corm.client_types, {language}", f"corm.client_types('{language}')") for language in ("typescript", "python", "go", "proto")]


def lines(bench):
    if not bench.execute("SELECT to_regclass('many.table_300')").fetchone()[0]:
        bench.execute(SETUP)

    def once(call):
        def run():
            with psycopg.connect("", autocommit=True, options="-c search_path=many") as connection:
                start = time.perf_counter()
                connection.execute(f"SELECT {call}")
                return time.perf_counter() - start
        return run

    return [Line(f"{name}, 300 tables", (name, once(call)), [("nothing", once("1"), costs_at_most(1000, "ms", 1))], slices=1)
            for name, call in CALLS]
