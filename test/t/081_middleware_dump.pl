# Registered middleware survives pg_dump (hardening 31), with numbers that go on where they were; another session sees a change without
# reconnecting.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('middleware');
$node->init;
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql(
	'source', q{
	CREATE EXTENSION corm;
	CREATE SCHEMA "Odd schema";
	CREATE TABLE "Odd schema"."Odd table" (id int PRIMARY KEY);
	CREATE FUNCTION "Odd schema"."Odd function"(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
	BEGIN RAISE NOTICE 'called for %', qc.model; RETURN corm.next(qc); END $$;
	SELECT corm.use('"Odd schema"."Odd function"(corm.query_context)', '"Odd schema"."Odd table"', '{SELECT}', 7);
	SELECT corm.use('"Odd schema"."Odd function"(corm.query_context)');
	SELECT corm.unuse(2);
	CREATE TEMP TABLE passing (id int PRIMARY KEY);
	SELECT corm.use('"Odd schema"."Odd function"(corm.query_context)', 'passing');
});
# A temporary table takes its rows along only when something is dropped the next time.
my $state = q{SELECT id, fn, model::text, ops, priority FROM corm.middleware WHERE model::text !~ '^[0-9]+$' ORDER BY id};
my $expected = $node->safe_psql('source', $state);
is($expected, '1|"Odd schema"."Odd function"(corm.query_context)|"Odd schema"."Odd table"|{SELECT}|7', 'what there is');

my $dump = $node->basedir . '/dump';
my %restored = (
	plain => sub {
		$node->command_ok([ 'pg_dump', '-f', "$dump.sql", 'source' ], 'pg_dump, plain');
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dump.sql", 'plain' ], 'restored by psql');
	},
	custom => sub {
		$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dump.custom", 'source' ], 'pg_dump, custom');
		$node->command_ok([ 'pg_restore', '-j2', '-d', 'custom', "$dump.custom" ], 'restored by pg_restore');
	});
for my $database (sort keys %restored)
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$restored{$database}->();
	is($node->safe_psql($database, $state), $expected, "the same after restoring ($database)");
	my ($status, $out, $err) = $node->psql($database, q{SELECT corm.count(corm.selector('"Odd schema"."Odd table"'))});
	is($status, 0, 'it can be queried');
	like($err, qr/called for "Odd schema"."Odd table"/, 'through the middleware');
	cmp_ok($node->safe_psql($database, q{SELECT corm.use('"Odd schema"."Odd function"(corm.query_context)')}),
		'>', 1, 'the next number is a new one');
}

$node->stop;
done_testing();
