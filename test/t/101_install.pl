# Installing and loading: who may, what a trap laid beforehand does (hardening 1, 3, 10), what works without preloading and
# what asks for it (hardening 38), settings that do not exist (hardening 39).

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('install');
$node->init;
$node->start;

# fails(database, SQL): the error, with its SQLSTATE and hint
sub fails
{
	my ($database, $sql) = @_;
	my ($status, $out, $err) = $node->psql($database, "\\set VERBOSITY verbose\n$sql", on_error_stop => 1);
	isnt($status, 0, "fails: $sql");
	return $err;
}

# A schema of corm's name that somebody else made is never adopted.
$node->safe_psql('postgres', 'CREATE ROLE mallory; CREATE ROLE owner_of_database');
for my $schema (qw(corm corm_ops))
{
	my $database = "trap_$schema";
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql(
		$database, qq{GRANT CREATE ON DATABASE $database TO mallory; SET ROLE mallory;
		CREATE SCHEMA $schema; CREATE FUNCTION $schema.underscore(text) RETURNS text LANGUAGE sql AS 'SELECT \$1'});
	for my $command ('CREATE EXTENSION corm', 'CREATE EXTENSION IF NOT EXISTS corm', "CREATE EXTENSION corm SCHEMA $schema", 'CREATE EXTENSION corm CASCADE')
	{
		like(fails($database, $command), qr/ERROR:  42P06: schema "$schema" already exists/, "... because of mallory's schema $schema");
	}
	is($node->safe_psql($database, q{SELECT count(*) FROM pg_extension WHERE extname = 'corm'}), '0', '... and nothing is installed');
	is($node->safe_psql($database, q{SELECT string_agg(nspname || ' of ' || nspowner::regrole, ', ') FROM pg_namespace WHERE nspname LIKE 'corm%'}),
		"$schema of mallory", '... and nothing is left but the trap');
	$node->safe_psql($database, "DROP SCHEMA $schema CASCADE; CREATE EXTENSION corm");
	is($node->safe_psql($database, q{SELECT corm.underscore('UserName')}), 'user_name', '... until it is gone');
}

# A table, type or function of corm's planted elsewhere does no harm; nor does a search_path at installation.
$node->safe_psql('postgres', 'CREATE DATABASE planted');
$node->safe_psql(
	'planted', q{
	CREATE SCHEMA evil;
	CREATE FUNCTION evil.pg_extension_config_dump(regclass, text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'a trap'; END $$;
	CREATE FUNCTION evil.refuse(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'a trap'; END $$;
	CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.refuse);
	SET search_path = evil, pg_catalog;
	CREATE EXTENSION corm});
is($node->safe_psql('planted', q{SELECT count(*) FROM corm.models}), '0', 'installed past functions and operators of others');

# Only superusers install it, also not the database's owner; and it is not trusted.
$node->safe_psql('postgres', 'CREATE DATABASE owned OWNER owner_of_database');
like(fails('owned', 'SET ROLE owner_of_database; CREATE EXTENSION corm'),
	qr/ERROR:  42501: permission denied to create extension "corm"\nHINT:  Must be superuser to create this extension\./, '... for want of a superuser');
is($node->safe_psql('owned', q{SELECT superuser, trusted, relocatable, schema IS NULL FROM pg_available_extension_versions WHERE name = 'corm'}),
	't|f|f|t', 'what the control file says');
$node->safe_psql('owned', 'CREATE EXTENSION corm');
like(fails('owned', 'SET ROLE owner_of_database; DROP EXTENSION corm'), qr/ERROR:  42501: must be owner of extension corm/, '... for it is the superuser\'s');
like(fails('owned', q{SET ROLE owner_of_database; ALTER EXTENSION corm UPDATE}), qr/ERROR:  42501: must be owner of extension corm/, '... as well');
is($node->safe_psql('owned', q{SET ROLE owner_of_database; SELECT corm.underscore('UserName')}), 'user_name', 'and everybody may use it');

# Functions that are not C see nothing but the system's schema, temporary tables last; none runs as its owner.
is( $node->safe_psql(
		'owned', q{
	SELECT count(*) FILTER (WHERE lanname IN ('c', 'internal')) > 300,
		string_agg(p.oid::regprocedure::text, ' ') FILTER (WHERE lanname NOT IN ('c', 'internal') AND proconfig IS DISTINCT FROM '{"search_path=pg_catalog, pg_temp"}'),
		string_agg(p.oid::regprocedure::text, ' ') FILTER (WHERE proconfig IS NOT NULL AND proconfig <> '{"search_path=pg_catalog, pg_temp"}'),
		string_agg(p.oid::regprocedure::text, ' ') FILTER (WHERE prosecdef)
	FROM pg_proc p JOIN pg_language l ON l.oid = prolang WHERE pronamespace IN ('corm'::regnamespace, 'corm_ops'::regnamespace)}),
	't|||', 'no function depends on the search_path of its caller');

#
# Without preloading
#

is($node->safe_psql('postgres', 'SHOW shared_preload_libraries'), '', 'nothing is preloaded');
$node->safe_psql(
	'owned', q{
	CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
	CREATE TABLE books (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int REFERENCES users, title text);
	CREATE FUNCTION before_save(u users) RETURNS users LANGUAGE plpgsql AS $$ BEGIN u.name := initcap(u.name); RETURN u; END $$;
	CREATE TABLE seen (op text);
	CREATE FUNCTION watch(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
	BEGIN INSERT INTO seen VALUES (qc.op); RETURN corm.next(qc); END $$;
	SELECT corm.use('watch(corm.query_context)', 'books')});
for (
	[ q{SELECT name FROM corm.insert(ROW(NULL, 'ada')::users)}, 'Ada' ],
	[ q{SELECT corm.insert_json('users', '{"name": "bob", "books": [{"title": "B"}]}') ->> 'name'}, 'Bob' ],
	[ q{SELECT name FROM corm.get(NULL::users, corm.where(corm.eq('id', 1)))}, 'Ada' ],
	[ q{SELECT corm.get_multi_json(corm.selector('users'), corm.select('name'), corm.where(corm.some('books')))}, '[{"name": "Bob"}]' ],
	[ q{SELECT corm.count(corm.selector('books'), corm.filter('{"where": {"title": "B"}}'))}, '1' ],
	[ q{SELECT corm.exec(corm.updater('users'), corm.set('name', 'x'), corm.all_rows())}, '2' ],
	[ q{SELECT corm.do_tx('SELECT 1 AS one')}, '[{"one": 1}]' ],
	[ q{SELECT count(*) > 0 FROM seen}, 't' ],
	[ q{SELECT name FROM corm.models WHERE model = 'users'::regclass}, 'users' ],
	[ q{SELECT count(*) FROM corm.stat_queries}, '0' ],
	[ q{SELECT entries IS NULL FROM corm.stat_info()}, 't' ],
	[ q{SELECT count(*) FROM corm.cache_stats}, '0' ])
{
	my ($sql, $answer) = @$_;
	is($node->safe_psql('owned', $sql), $answer, "not preloaded: $sql");
}
for my $sql (q{SELECT corm.cache_set('k', 'v')}, q{SELECT corm.wait_ready()}, q{SELECT corm.count(corm.selector('books'), corm.cached('1 minute'))})
{
	like(fails('owned', $sql), qr/ERROR:  55000: .*\n(?:DETAIL: .*\n)?HINT:  .*shared_preload_libraries = 'corm'/, '... with a hint');
}

#
# Settings
#

# Before the library is loaded nobody knows them; loading it finds the mistake, and from then on it is refused.
my ($status, $out, $err) = $node->psql('owned', q{SET corm.typo = 1; SELECT corm.underscore('X'); SHOW corm.typo});
like($err, qr/WARNING:  invalid configuration parameter name "corm\.typo", removing it/, 'a mistake before the library is loaded is found by loading it');
like($err, qr/ERROR:  unrecognized configuration parameter "corm\.typo"/, '... and gone');
like(fails('owned', q{LOAD 'corm'; SET corm.typo = 1}), qr/ERROR:  42602: invalid configuration parameter name "corm\.typo"\nDETAIL:  "corm" is a reserved prefix\./, '... as it is reserved');

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\n");
$node->restart;
for my $sql ('SET corm.typo = 1', q{SELECT set_config('corm.typo', '1', false)}, 'ALTER DATABASE owned SET corm.typo = 1', 'ALTER ROLE mallory SET corm.typo = 1', 'ALTER SYSTEM SET corm.typo = 1')
{
	like(fails('owned', $sql), qr/ERROR:  \w{5}: (?:invalid configuration parameter name|unrecognized configuration parameter) "corm\.typo"/, '... as there is no such setting');
}
is($node->safe_psql('owned', q{SET corm.plan_cache_size = 7; SHOW corm.plan_cache_size}), '7', 'one that exists is set');
like(fails('owned', 'SET corm.plan_cache_size = 0'), qr/ERROR:  22023: /, '... within its range');
is($node->safe_psql('owned', q{SELECT corm.cache_set('k', 'v'); SELECT corm.cache_get('k')}), "\nv", 'preloaded, there is a cache');

$node->stop;
done_testing();
