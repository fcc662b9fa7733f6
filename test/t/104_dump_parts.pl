# Dumps by who is no superuser (F5), of a part of a database (G8), and restores where roles are missing (F8): what corm has
# stored about what is there is restored, the rest is left out with a warning (hardening 51).

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $settings = "shared_preload_libraries = 'corm'\ncorm.cache_size = '4MB'\n";
my $node = PostgreSQL::Test::Cluster->new('source');
$node->init;
$node->append_conf('postgresql.conf', $settings);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE dba LOGIN; CREATE ROLE cacher; CREATE ROLE reader LOGIN;');
$node->safe_psql('postgres', 'CREATE DATABASE source OWNER dba');
my @dba = ('-U', 'dba');
my $dump = $node->basedir . '/dump';

# F5: from CREATE EXTENSION on
$node->safe_psql('source', 'CREATE EXTENSION corm; CREATE TABLE for_data (id int); ALTER TABLE for_data OWNER TO dba; GRANT CREATE ON SCHEMA public TO dba');
$node->command_ok([ 'pg_dump', @dba, '-f', "$dump.empty.sql", 'source' ], 'F5: the owner of the database dumps it when corm has just been created');

$node->safe_psql(
	'source', q{
	SET ROLE dba;
	CREATE SCHEMA scratch;
	CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz);
	CREATE TABLE orders (id int PRIMARY KEY, user_id int, state text);
	CREATE TABLE scratch.notes (id int PRIMARY KEY, user_id int);
	CREATE TYPE dto AS (id int);
	CREATE FUNCTION through(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS 'SELECT corm.next(qc)';
	SELECT corm.register('users', '{"soft_delete": "deleted_at"}');
	SELECT corm.register('scratch.notes', '{"name": "Note"}');
	SELECT corm.register('dto', '{"table": "scratch.notes"}');
	SELECT corm.relate('users', 'orders', 'has_many', 'orders', '{id}', '{user_id}', condition => corm.neq('state', 'secret text'));
	SELECT corm.relate('users', 'notes', 'has_many', 'scratch.notes', '{id}', '{user_id}');
	SELECT corm.relate('users', 'through', 'many_to_many', 'orders', '{id}', '{id}', 'scratch.notes', '{id}', '{user_id}');
	SELECT corm.define_scope('orders', 'open', corm.where(corm.eq('state', 'secret text')));
	SELECT corm.define_scope('scratch.notes', 'open', corm.limit(1));
	SELECT corm.use('through(corm.query_context)', 'users');
	SELECT corm.use('through(corm.query_context)', 'scratch.notes');
	RESET ROLE;
	SET ROLE cacher;
	SELECT corm.cache_create('hers', '1 hour');
	SELECT corm.cache_grant('hers', 'reader', '{read}');
	SELECT corm.cache_grant('hers', '-', '{write}');
	SELECT corm.once('paid', 'SELECT 1 AS n');
	SELECT corm.pool_create('hers', 3);
	SELECT corm.pool_grant('hers', 'reader', '{manage}');
	SELECT corm.pool_grant('hers', '-', '{submit}');
	RESET ROLE;
	SET ROLE dba;
	SELECT corm.once('paid', 'SELECT 2 AS n');
});

my $state = q{
	SELECT 'options', model::text, table_name::text, options::text FROM corm.model_options
	UNION ALL SELECT 'relation', model::text, name, target::text FROM corm.declared_relations
	UNION ALL SELECT 'scope', model::text, name, q::text FROM corm.scopes
	UNION ALL SELECT 'middleware', model::text, fn::text, NULL FROM corm.middleware_functions
	UNION ALL SELECT 'cache', name, owner::text, ttl::text FROM corm.cache_definitions
	UNION ALL SELECT 'grant', cache, grantee::text, can_read::text FROM corm.cache_grants
	UNION ALL SELECT 'pool', name, owner::text, workers::text FROM corm.pool_definitions
	UNION ALL SELECT 'poolgrant', pool, grantee::text, can_submit::text FROM corm.pool_grants
	UNION ALL SELECT 'once', role::text, key, result::text FROM corm.once_results
	ORDER BY 1, 2, 3};
my $everything = $node->safe_psql('source', $state);
is(scalar(split /\n/, $everything), 18, 'there are 18 rows');
my $without_scratch = join "\n", grep { !/scratch/ && !/^relation\|users\|through/ } split /\n/, $everything;

# F5: who reads the catalogs
for my $table (qw(model_options declared_relations scopes middleware_functions cache_definitions cache_grants once_results pool_definitions pool_grants durable_tasks durable_task_id schedule_definitions middleware_functions_id_seq))
{
	my ($status, $out, $err) = $node->psql('source', "SELECT * FROM corm.$table", extra_params => [ '-U', 'reader' ]);
	like($err, qr/permission denied/, "F5: other roles do not read $table");
	is($node->psql('source', "SELECT * FROM corm.$table", extra_params => [ '-U', 'dba' ]), 0, "... the owner of the database does");
}
my (undef, undef, $err) = $node->psql('source', 'DELETE FROM corm.scopes', extra_params => [ '-U', 'dba' ]);
like($err, qr/permission denied/, '... but does not write');

my @load = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1');

# F5: plain, custom with two jobs, by the owner of the database
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(plain custom part part_custom);
$node->command_ok([ 'pg_dump', @dba, '-f', "$dump.sql", 'source' ], 'F5: plain');
$node->command_ok([ @load, '-d', 'plain', '-f', "$dump.sql" ], '... restored');
is($node->safe_psql('plain', $state), $everything, '... all of it');
$node->command_ok([ 'pg_dump', @dba, '-Fd', '-j2', '-f', "$dump.dir", 'source' ], 'F5: in parallel');
$node->command_ok([ 'pg_restore', '-j2', '--exit-on-error', '-d', 'custom', "$dump.dir" ], '... restored');
is($node->safe_psql('custom', $state), $everything, '... all of it');

# G8: without a schema
$node->command_ok([ 'pg_dump', @dba, '-N', 'scratch', '-f', "$dump.part.sql", 'source' ], 'G8: -N scratch');
$node->command_ok([ @load, '-1', '-d', 'part', '-f', "$dump.part.sql" ], '... restored in one transaction');
is($node->safe_psql('part', $state), $without_scratch, '... what is not about scratch');
is($node->safe_psql('part', q{SELECT corm.describe('users')->>'soft_delete'; SELECT corm.use('through(corm.query_context)', 'orders') > 2}),
	"deleted_at\nt", '... and works');
$node->command_ok([ 'pg_dump', @dba, '-N', 'scratch', '-Fc', '-f', "$dump.part.custom", 'source' ], 'G8: the same, custom');
$node->command_ok([ 'pg_restore', '-1', '-d', 'part_custom', "$dump.part.custom" ], '... restored in one transaction');
is($node->safe_psql('part_custom', $state), $without_scratch, '... what is not about scratch');

# F8: another cluster, which has none of the roles
my $other = PostgreSQL::Test::Cluster->new('target');
$other->init;
$other->append_conf('postgresql.conf', $settings);
$other->start;
my $superuser = $other->safe_psql('postgres', 'SELECT current_user');
(my $without_roles = $everything) =~ s/^(cache|pool)\|hers\|cacher/$1|hers|$superuser/mg;
$without_roles =~ s/^(?:grant\|hers\|reader|poolgrant\|hers\|reader|once\|cacher|once\|dba).*\n//mg;
$other->safe_psql('postgres', "CREATE DATABASE $_") for qw(plain custom parallel apart);
$node->command_ok([ 'pg_dump', @dba, '--no-owner', '-x', '-f', "$dump.noowner.sql", 'source' ], 'F8: --no-owner');
$other->command_ok([ @load, '-1', '-d', 'plain', '-f', "$dump.noowner.sql" ], '... restored where the roles are missing');
is($other->safe_psql('plain', $state), $without_roles, '... caches and all');
$node->command_ok([ 'pg_dump', @dba, '-Fc', '-f', "$dump.custom", 'source' ], 'F8: custom');
$other->command_ok([ 'pg_restore', '--no-owner', '-x', '-1', '-d', 'custom', "$dump.custom" ], '... restored with --no-owner, in one transaction');
is($other->safe_psql('custom', $state), $without_roles, '... caches and all');
$other->command_ok([ 'pg_restore', '--no-owner', '-x', '-j2', '--exit-on-error', '-d', 'parallel', "$dump.dir" ], '... in parallel');
is($other->safe_psql('parallel', $state), $without_roles, '... caches and all');
is($other->safe_psql('parallel', q{SELECT corm.cache_set('k', 'v', cache => 'hers'); SELECT corm.cache_get('k', 'hers')}), "\nv", '... which work');

# F8: without --no-owner some commands fail, as they do without corm, but no row of corm's is lost
$other->command_fails([ 'pg_restore', '-d', 'apart', "$dump.custom" ], 'F8: with owners that are not there');
is($other->safe_psql('apart', $state), $without_roles, '... caches and all');

$node->stop;
$other->stop;
done_testing();
