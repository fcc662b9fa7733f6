# Stored queries, and functions and views that hold some, survive pg_dump (hardening 31) into a new database.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE source; CREATE DATABASE plain; CREATE DATABASE custom; CREATE DATABASE data');
$node->safe_psql(
	'source', q{
	CREATE EXTENSION corm;
	CREATE SCHEMA "Odd schema";
	CREATE TYPE "Odd schema".mood AS ENUM ('ok', 'not, "ok"');
	CREATE TABLE "Odd schema"."Odd table" (id int PRIMARY KEY, mood "Odd schema".mood, at timestamptz);
	INSERT INTO "Odd schema"."Odd table" VALUES (1, 'ok', '2020-01-01 00:00+00'), (2, 'not, "ok"', '2021-06-01 00:00+00');
	COMMENT ON COLUMN "Odd schema"."Odd table".mood IS '@orm:name=feeling';
	SELECT corm.register('"Odd schema"."Odd table"', '{"name": "odd", "naming": "camel"}');
	CREATE TABLE reports (name text PRIMARY KEY, q corm.query NOT NULL, e corm.expr, many corm.query[],
		q_default corm.query DEFAULT corm.limit(5));
	INSERT INTO reports (name, q, e, many) VALUES
		('moods', corm.pipe(corm.selector('"Odd schema"."Odd table"', 'a "b"'), corm.where(corm.eq('feeling', 'not, "ok"'::"Odd schema".mood)), corm.select('id')),
			corm.gt('at', '2020-06-01 00:00+00'::timestamptz), ARRAY[corm.limit(1), corm.order_by('-id')]),
		('floats', corm.pipe(corm.selector('"Odd schema"."Odd table"'), corm.where(corm.gt('id', 0.1::float8), corm.neq('id', 1e300))), corm.val('1 year'::interval), '{}');
	CREATE VIEW answers AS SELECT name, corm.get_multi_json(q, coalesce(many[2], corm.pipe())) AS answer FROM reports;
	CREATE FUNCTION constant() RETURNS bigint LANGUAGE sql BEGIN ATOMIC
		SELECT corm.count(corm.selector('"Odd schema"."Odd table"'), corm.where(corm.c('id') OPERATOR(corm_ops.=) 1));
	END;
});

my $state = q{
	SET TimeZone = 'UTC';
	SELECT name, q, e, many, q_default FROM reports ORDER BY name;
	SELECT * FROM answers ORDER BY name;
	SELECT constant();
	SELECT corm.describe('"Odd schema"."Odd table"') - 'relations';
};
my $expected = $node->safe_psql('source', $state);
like($expected, qr/moods\|\[\{"id": 2\}\]/, 'the view answers');
like($expected, qr/not, \\"ok\\"/, 'an enum value');
my $directory = $node->backup_dir;
mkdir $directory;

$node->command_ok([ 'pg_dump', '-f', "$directory/plain.sql", $node->connstr('source') ], 'pg_dump');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$directory/plain.sql", $node->connstr('plain') ], '... restored by psql');
is($node->safe_psql('plain', $state), $expected, '... is the same');
is($node->safe_psql('plain', q{INSERT INTO reports SELECT name || '2', q, e, many FROM reports; SELECT count(*) FROM answers}), '4', '... and can be added to');

$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$directory/custom", $node->connstr('source') ], 'pg_dump in parallel');
$node->command_ok([ 'pg_restore', '-e', '-j2', '-d', $node->connstr('custom'), "$directory/custom" ], '... restored in parallel');
is($node->safe_psql('custom', $state), $expected, '... is the same');

# Settings of the session that dumps, and binary output, make no difference.
$node->safe_psql('source', q{ALTER DATABASE source SET search_path = ''; ALTER DATABASE source SET DateStyle = 'German'; ALTER DATABASE source SET TimeZone = 'Asia/Tokyo';
	ALTER DATABASE source SET IntervalStyle = 'sql_standard'; ALTER DATABASE source SET extra_float_digits = -10});
$node->command_ok([ 'pg_dump', '-f', "$directory/settings.sql", $node->connstr('source') ], 'pg_dump under odd settings');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$directory/settings.sql", $node->connstr('data') ], '... restored by psql');
is($node->safe_psql('data', $state), $expected, '... is the same');

# A8: raw SQL in stored queries is restored by the owner of a database, who is no superuser, and by others with leave.
$node->safe_psql('source', q{
	ALTER DATABASE source RESET ALL;
	SET search_path = public;
	CREATE TABLE raws (id int PRIMARY KEY, q corm.query DEFAULT corm.raw_query('SELECT 9 AS id'), e corm.expr);
	INSERT INTO raws VALUES (1, corm.raw_query('SELECT $1 AS id', 7), corm.raw('id = 1'));
	CREATE VIEW raw_view AS SELECT corm.value(NULL::int, corm.raw_query('SELECT 8 AS id')) AS v;
	CREATE ROLE owner LOGIN; CREATE ROLE other LOGIN; CREATE ROLE trusted LOGIN;
	ALTER ROLE trusted SET corm.raw_text = on});
$node->command_ok([ 'pg_dump', '--no-owner', '-t', 'public.raws', '-t', 'public.raw_view', '-f', "$directory/raws.sql", $node->connstr('source') ], 'A8: pg_dump of raw queries');
for my $role ('owner', 'other', 'trusted')
{
	$node->safe_psql('postgres', "CREATE DATABASE for_$role" . ($role eq 'owner' ? ' OWNER owner' : ''));
	$node->safe_psql("for_$role", "CREATE EXTENSION corm; GRANT ALL ON SCHEMA public TO $role");
	my @psql = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-U', $role, '-f', "$directory/raws.sql", $node->connstr("for_$role"));
	if ($role eq 'other')
	{
		$node->command_fails_like(\@psql, qr/permission denied for raw SQL in the text form of a query/, 'A8: another role does not restore them');
		next;
	}
	$node->command_ok(\@psql, "A8: restored by the role $role");
	is($node->safe_psql("for_$role", 'INSERT INTO public.raws (id) VALUES (2); SELECT id, corm.value(NULL::int, q), e FROM public.raws ORDER BY id; SELECT v FROM public.raw_view'),
		qq(1|7|{"raw": ["id = 1"]}\n2|9|\n8), '... and work');
}

done_testing();
