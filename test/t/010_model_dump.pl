# Registrations survive pg_dump (hardening 31): plain, custom in parallel, and data only.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql(
	'source', q{
	CREATE EXTENSION corm;
	CREATE SCHEMA "Odd schema";
	CREATE TABLE users (id int PRIMARY KEY, uname text, deleted_at timestamptz);
	CREATE TABLE "Odd schema"."Odd table" (id int PRIMARY KEY);
	CREATE TYPE dto AS (login text, id int);
	CREATE TYPE tagged AS (id int);
	COMMENT ON TYPE tagged IS '@orm:table=users';
	COMMENT ON COLUMN users.uname IS '@orm:name=UserName';
	SELECT corm.register('users', '{"soft_delete": true, "naming": "camel"}');
	SELECT corm.register('"Odd schema"."Odd table"', '{"name": "odd"}');
	SELECT corm.register('dto', '{"table": "users", "fields": {"login": {"column": "uname"}}}');
	CREATE TABLE toys (id int PRIMARY KEY, owner_id int, owner_type text);
	CREATE TABLE links (a int, b int);
	SELECT corm.relate('users', 'toys', 'has_many', 'toys', '{id}', '{owner_id}', condition => corm.eq('owner_type', 'it''s'));
	SELECT corm.relate('users', 'odd', 'many_to_many', '"Odd schema"."Odd table"', '{id}', '{id}', 'links', '{a}', '{b}');
	CREATE TABLE dropped (id int);
	SELECT corm.register('dropped', '{}');
	DROP TABLE dropped;
});

# What must be the same on both sides, by name.
my $state = q{
	SELECT 'row', model::text, table_name::text, options::text FROM corm.model_options
	UNION ALL
	SELECT 'relation', d::text, NULL, NULL FROM corm.declared_relations d
	UNION ALL
	SELECT 'model', model::text, corm.describe(model)::text, error FROM corm.models
	ORDER BY 1, 2};
my $expected = $node->safe_psql('source', $state);
like($expected, qr/^row\|dto\|users\|/m, 'the mapped type is registered');
like($expected, qr/^row\|"Odd schema"."Odd table"\|\|/m, 'so is the odd table');
like($expected, qr/^relation\|\(users,toys,has_many,toys,\{id\},\{owner_id\},,,,.*it's/m, 'a relation with a condition is declared');
unlike($expected, qr/^row\|\d/m, 'nothing is left of a dropped table');

my $dir = $node->basedir;

sub check
{
	my ($database, $how) = @_;
	is($node->safe_psql($database, $state), $expected, "$how: the same models");
	is($node->safe_psql($database,
			q{SELECT corm.register('users', '{"name": "Again"}'); SELECT corm.describe('users')->>'name'}),
		"\nAgain", "$how: registering works afterwards");
	is($node->safe_psql($database, q{DROP EXTENSION corm; SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'corm%'}),
		'0', "$how: the extension can be dropped");
	return;
}

# plain
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", 'source' ], 'pg_dump');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'plain', '-f', "$dir/plain.sql" ], 'restore');
unlike(slurp_file("$dir/plain.sql"), qr/CREATE TABLE corm\./, 'the catalog itself is not dumped');
check('plain', 'plain');

# directory format, two jobs
$node->safe_psql('postgres', 'CREATE DATABASE parallel');
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$dir/dump.dir", 'source' ], 'pg_dump -Fd -j2');
$node->command_ok([ 'pg_restore', '-j2', '--exit-on-error', '-d', 'parallel', "$dir/dump.dir" ], 'pg_restore -j2');
check('parallel', 'parallel');

# schema and data apart, while a session of the new database has read its models already
$node->safe_psql('postgres', 'CREATE DATABASE apart');
$node->command_ok([ 'pg_dump', '--schema-only', '-f', "$dir/schema.sql", 'source' ], 'pg_dump --schema-only');
$node->command_ok([ 'pg_dump', '--data-only', '-f', "$dir/data.sql", 'source' ], 'pg_dump --data-only');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'apart', '-f', "$dir/schema.sql" ], 'restore schema');
is( $node->safe_psql(
		'apart', qq{
	SELECT corm.describe('users')->>'naming';
	\\o /dev/null
	\\i $dir/data.sql
	\\o
	SELECT corm.describe('public.users')->>'naming'}),
	"snake\ncamel",
	'a session sees what COPY has restored');
check('apart', 'apart');

# a registration about a temporary table, while that exists
my ($in, $out) = ('', '');
my $timer = IPC::Run::timeout(180);
my $handle = IPC::Run::start(
	[ 'psql', '-X', '-q', '-A', '-t', '-d', $node->connstr('source') ],
	'<', \$in, '>', \$out, $timer);
$in .= "CREATE TEMP TABLE temporary (id int);\nSELECT corm.register('temporary', '{\"name\": \"T\"}');\nSELECT corm.relate('users', 'temps', 'has_many', 'temporary', '{id}', '{id}');\n\\echo ready\n";
$handle->pump until $out =~ /ready/;
is($node->safe_psql('source', 'SELECT count(*) FROM corm.model_options'), '4', 'the temporary table is registered');
$node->command_ok([ 'pg_dump', '-f', "$dir/temp.sql", 'source' ], 'pg_dump with a temporary table');
unlike(slurp_file("$dir/temp.sql"), qr/temporary/, 'what is about it is not dumped');
$in .= "\\q\n";
$handle->finish;

$node->stop;
done_testing();
