# hardening 51
# F1: a type that was dropped or altered after a query was stored with a value of it is no obstacle to a dump of the
# database, nor to its restore; what is broken is broken there too, and nothing else is.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE source; CREATE DATABASE plain; CREATE DATABASE custom');
$node->safe_psql(
	'source', q{
	CREATE EXTENSION corm;
	CREATE TYPE st AS ENUM ('live', 'dead');
	CREATE TYPE pair AS (a int, b int);
	CREATE TYPE kept AS ENUM ('x');
	CREATE TABLE users (id int PRIMARY KEY, s st, t text);
	CREATE TABLE posts (id int PRIMARY KEY, user_id int, s text);
	INSERT INTO users VALUES (1, 'live', 'x'), (2, 'dead', 'x');
	CREATE TABLE gone (id int PRIMARY KEY);
	SELECT corm.define_scope('users', 'alive', corm.where(corm.eq('s', 'live'::st)));
	SELECT corm.define_scope('users', 'paired', corm.where(corm.eq(corm.raw('$1', row(1, 2)::pair), corm.raw('$1', row(1, 2)::pair))));
	SELECT corm.define_scope('users', 'exists', corm.where(corm.none(corm.selector('gone'), corm.where(corm.eq('id', 1)))));
	SELECT corm.define_scope('users', 'whole', corm.where(corm.eq('t', corm.cast(corm.val('x'::kept), 'text'))));
	SELECT corm.relate('users', 'posts', 'has_many', 'posts', ARRAY['id'], ARRAY['user_id'], condition => corm.eq(corm.cast('s', 'st'), 'live'::st));
	CREATE TABLE stored (n int PRIMARY KEY, q corm.query, e corm.expr);
	INSERT INTO stored VALUES (1, corm.where(corm.eq('s', 'live'::st)), corm.cast('s', 'st')), (2, corm.limit(1), corm.eq('p', row(1, 2)::pair)),
		(3, corm.selector('gone'), corm.val(NULL::st)), (4, corm.selector('users'), corm.in('s', ARRAY['live']::st[]));
	DO $$
	DECLARE q text := corm.where(corm.eq('s', 'live'::st));
	BEGIN
		EXECUTE format('CREATE TABLE defaults (id int, q corm.query DEFAULT %L)', q);
		EXECUTE format('CREATE VIEW shown AS SELECT %L::corm.query AS q', q);
		EXECUTE format('CREATE FUNCTION f(q corm.query DEFAULT %L) RETURNS text LANGUAGE sql AS ''SELECT q::text''', q);
	END $$;
	ALTER EVENT TRIGGER corm_stored_drop DISABLE;
	ALTER EVENT TRIGGER corm_stored_alter DISABLE;
	ALTER TYPE st RENAME TO old_st;
	CREATE TYPE st AS ENUM ('live', 'dead', 'new');
	ALTER TABLE users ALTER s TYPE st USING s::text::st;
	DROP TYPE old_st;
	ALTER TYPE pair ALTER ATTRIBUTE b TYPE text;
	DROP TABLE gone;
});

my $state = q{
	SELECT model, name, q FROM corm.scopes ORDER BY name;
	SELECT name, condition FROM corm.declared_relations;
	SELECT * FROM stored ORDER BY n;
	SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'defaults'::regclass;
	SELECT * FROM shown;
	SELECT f();
	SELECT object, problem FROM corm.model_problems WHERE model = 'users'::regclass ORDER BY object;
	SELECT error FROM corm.models WHERE model = 'users'::regclass;
	SELECT corm.count(corm.selector('users'), corm.scope('whole'));
};
my $expected = $node->safe_psql('source', $state);
like($expected, qr/^users\|alive\|\[\{"where": \[\{"eq": \["s", \{"broken": "The type of the value does not exist any more."\}/m, 'a value of a dropped type');
like($expected, qr/^users\|whole\|.*"type": "public\.kept"/m, 'one of a type that is there');
like($expected, qr/^alive\|.*\nexists\|.*\npaired\|.*\nposts\|.*\n\w/m, 'what is broken is told of');
like($expected, qr/cannot be used/, '... in corm.models');
like($expected, qr/\n2$/, 'a whole scope works');

my $directory = $node->backup_dir;
mkdir $directory;
$node->command_ok([ 'pg_dump', '-f', "$directory/plain.sql", $node->connstr('source') ], 'pg_dump');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$directory/plain.sql", $node->connstr('plain') ], '... restored by psql');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$directory/custom", $node->connstr('source') ], 'pg_dump -Fc');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('custom'), "$directory/custom" ], '... restored by pg_restore');

# Read again it is the same, but for which of several problems comes first
for my $database (qw(plain custom))
{
	is($node->safe_psql($database, $state), $expected, "$database: all as it was");
	my ($status, $stdout, $stderr) = $node->psql($database, q{SELECT corm.count(corm.selector('users'), corm.scope('alive'))});
	like($stderr, qr/ERROR:  query has a value that is lost/, '... a broken scope is an error where it is used');
	($status, $stdout, $stderr) = $node->psql($database, q{DROP TYPE kept});
	like($stderr, qr/ERROR:  cannot drop type public\.kept because other objects depend on it/, '... and the whole one depends on its type');
	is($node->safe_psql($database, q{CREATE TYPE t1 AS ENUM ('x'); DROP TYPE t1; ALTER TABLE posts ALTER s TYPE varchar; SELECT 'done'}), 'done', '... the broken ones are in nobody\'s way');
	is($node->safe_psql($database, q{SELECT corm.define_scope('users', 'alive', corm.where(corm.eq('s', 'live'::st))); SELECT corm.count(corm.selector('users'), corm.scope('alive'))}), "\n1", '... and can be defined anew');
	$node->command_ok([ 'pg_dump', '-f', "$directory/again.sql", $node->connstr($database) ], '... and dumped again');
}

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|terminated by signal/, 'no crash');

done_testing();
