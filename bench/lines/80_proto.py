"""Protocol buffers: messages by corm_proto, by the code that protoc-c generates for protobuf-c, and rows as JSON."""

from harness import SLICES, Line, at_most, computing, no_bar

SETUP = """
CREATE EXTENSION IF NOT EXISTS corm_proto;
CREATE EXTENSION IF NOT EXISTS static_proto;
DROP TABLE IF EXISTS messages;
CREATE TABLE messages AS SELECT corm.proto_encode(u) AS data, u FROM users u WHERE id <= 10000;
ANALYZE messages;
"""

ROWS = "corm.where(corm.lte('id', 1000)), corm.order_by('id')"
MULTI = f"SELECT sum(length(p)) FROM corm.get_multi_proto(NULL::users, {ROWS}) p"
JSON = f"SELECT octet_length(corm.get_multi_json_text(corm.selector('users'), {ROWS})::text)"


def lines(bench):
    bench.execute(SETUP)
    number = max(1, bench.count(100) // SLICES)

    def many(statement):
        return computing(bench, f"DO $$ BEGIN FOR i IN 1 .. {number} LOOP PERFORM ({statement}); END LOOP; END $$")

    def each(call):
        return computing(bench, f"SELECT count({call}) FROM messages")

    proto, json = (bench.execute(statement).fetchone()[0] for statement in (MULTI, JSON))
    if proto >= json:
        raise RuntimeError(f"messages of {proto} bytes are no smaller than JSON of {json}")
    return [
        Line("10,000 rows of 10 columns as messages", ("corm.proto_encode", each("corm.proto_encode(u)")),
             [("protobuf-c, generated code", each("static_proto_encode(data)"), at_most(2)), ("not encoded", each("u"), no_bar())]),
        Line("10,000 messages of 10 columns as rows", ("corm.proto_decode", each("corm.proto_decode(NULL::users, data)")),
             [("protobuf-c, generated code", each("static_proto_decode(data)"), at_most(2)), ("not decoded", each("data"), no_bar())]),
        Line(f"1,000 rows of 10 columns ({proto:,} bytes as messages, {json:,} as JSON)",
             ("corm.get_multi_proto", many(MULTI)), [("corm.get_multi_json_text", many(JSON), at_most(1))]),
    ]
