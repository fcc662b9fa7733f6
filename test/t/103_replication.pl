# What docs/operations.md says of replicas: queries and refused writes on a standby (hardening 35, the cache is in
# 072_cache_standby), logical replication of users' tables (hardening 36), pg_dump of chosen schemas.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\ncorm.cache_size = '4MB'\n");
$publisher->start;

my $tables = q{
	CREATE EXTENSION corm;
	CREATE SCHEMA app;
	CREATE TABLE app.users (id int PRIMARY KEY, name text, deleted_at timestamptz, version int NOT NULL DEFAULT 1);
	COMMENT ON COLUMN app.users.version IS '@orm:version';
};
$publisher->safe_psql(
	'postgres', $tables . q{
	SELECT corm.register('app.users', '{"soft_delete": true}');
	SELECT corm.define_scope('app.users', 'named', corm.where(corm.c('name') OPERATOR(corm_ops.<>) NULL));
	CREATE FUNCTION app.before_save(u app.users) RETURNS app.users LANGUAGE plpgsql AS $$ BEGIN u.name := u.name || ' of the publisher'; RETURN u; END $$;
	SELECT corm.insert_json('app.users', '[{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}]');
	CREATE PUBLICATION all_users FOR TABLE app.users});

#
# A standby
#

$publisher->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($publisher, 'backup', has_streaming => 1);
$standby->start;
$publisher->wait_for_catchup($standby, 'replay', $publisher->lsn('insert'));
is($standby->safe_psql('postgres', q{SELECT corm.get_multi_json(corm.selector('app.users'), corm.select('name'), corm.scope('named'), corm.order_by('id'))}),
	'[{"name": "Ada of the publisher"}, {"name": "Bob of the publisher"}]', 'standby: queries, scopes and registrations');
is($standby->safe_psql('postgres', q{SELECT corm.do_tx('SELECT corm.count(corm.selector(''app.users'')) AS n')}), '[{"n": 2}]', 'standby: transaction scopes');
is($standby->safe_psql('postgres', q{SELECT soft_delete, version, error IS NULL FROM corm.models WHERE model = 'app.users'::regclass}), 'deleted_at|version|t', 'standby: models');
for my $sql (
	q{SELECT corm.insert(ROW(3, 'Cid', NULL, NULL)::app.users)}, q{SELECT corm.exec(corm.deleter('app.users'), corm.all_rows())},
	q{SELECT corm.register('app.users')}, q{SELECT corm.define_scope('app.users', 's', corm.limit(1))},
	q{CREATE FUNCTION m(q corm.query_context) RETURNS corm.query_result LANGUAGE sql AS 'SELECT corm.next(q)'},
	q{SELECT corm.relate('app.users', 'selves', 'has_many', 'app.users', '{id}', '{id}')})
{
	my ($status, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY verbose\n$sql");
	like($err, qr/ERROR:  25006: cannot execute .* in a read-only transaction|ERROR:  \w{5}: .*during recovery/, "standby: refused: $sql");
}
is($standby->safe_psql('postgres', 'SELECT corm.count(corm.selector(\'app.users\'))'), '2', 'standby: and nothing happened');
$publisher->safe_psql('postgres', q{SELECT corm.define_scope('app.users', 'named', corm.where(corm.eq('id', 2)))});
$publisher->wait_for_catchup($standby, 'replay', $publisher->lsn('insert'));
is($standby->safe_psql('postgres', q{SELECT corm.count(corm.selector('app.users'), corm.scope('named'))}), '1', 'standby: definitions arrive');
$standby->stop;

#
# A subscriber
#

my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\ncorm.cache_size = '4MB'\n");
$subscriber->start;
$subscriber->safe_psql(
	'postgres', $tables . q{
	CREATE TABLE app.seen (name text);
	CREATE FUNCTION app.before_save(u app.users) RETURNS app.users LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.seen VALUES (u.name); RETURN u; END $$;
	CREATE FUNCTION app.watch(q corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.seen VALUES (q.op); RETURN corm.next(q); END $$;
	SELECT corm.use('app.watch(corm.query_context)', 'app.users', '{INSERT,UPDATE,DELETE}')});
my $connection = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION mine CONNECTION '$connection' PUBLICATION all_users");
$subscriber->wait_for_subscription_sync($publisher, 'mine');
is($subscriber->safe_psql('postgres', q{SELECT corm.pluck(NULL::text, corm.selector('app.users'), corm.select('name'), corm.order_by('id'))}),
	"Ada of the publisher\nBob of the publisher", 'subscriber: rows are as the hooks of the publisher made them');

my $cached = q{SELECT corm.count(corm.selector('app.users'), corm.where(corm.eq('deleted_at', NULL)), corm.cached('1 hour'))};
is($subscriber->safe_psql('postgres', $cached), '2', 'subscriber: a result is kept');
$publisher->safe_psql(
	'postgres', q{
	SELECT corm.insert_json('app.users', '{"id": 3, "name": "Cid"}');
	SELECT corm.update(corm.set_field(corm.get(NULL::app.users, corm.where(corm.eq('id', 1))), 'name', 'Ada again'));
	SELECT corm.delete(corm.get(NULL::app.users, corm.where(corm.eq('id', 2))))});
$publisher->wait_for_catchup('mine');
is($subscriber->safe_psql('postgres', 'SELECT id, name, deleted_at IS NULL, version FROM app.users ORDER BY id'),
	"1|Ada again of the publisher|t|2\n2|Bob of the publisher|f|" . $publisher->safe_psql('postgres', 'SELECT version FROM app.users WHERE id = 2') . "\n3|Cid of the publisher|t|1",
	'subscriber: soft deletes and versions are columns');
is($subscriber->safe_psql('postgres', q{SELECT corm.count(corm.selector('app.users'))}), '3', 'subscriber: registrations are not replicated, so it counts what is softly deleted');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM app.seen'), '0', 'subscriber: neither hooks nor middleware saw a row arrive');
is($subscriber->safe_psql('postgres', $cached), '2', 'subscriber: a kept result is not touched by what arrives');
is($subscriber->safe_psql('postgres', q{SELECT corm.insert_json('app.users', '{"id": 9, "name": "local"}') ->> 'id'; SELECT count(*) FROM app.seen}), "9\n2", 'subscriber: they see what is written there');
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION mine');
$subscriber->stop;

#
# pg_dump of a schema
#

my $dump = $publisher->basedir . '/app.sql';
$publisher->safe_psql('postgres', 'CREATE DATABASE restored');
$publisher->command_ok([ 'pg_dump', '-n', 'app', '-f', $dump, 'postgres' ], 'pg_dump -n');
unlike(slurp_file($dump), qr/CREATE EXTENSION|COPY corm\./, '... leaves out the extension and what it stores');
$publisher->command_ok([ 'pg_dump', '-n', 'app', '-e', 'corm', '-f', $dump, 'postgres' ], 'pg_dump -n -e corm');
like(slurp_file($dump), qr/^CREATE EXTENSION/m, '... has the extension');
$publisher->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'restored', '-f', $dump ], '... is restored');
is($publisher->safe_psql('restored', q{SELECT corm.describe('app.users') ->> 'soft_delete', corm.count(corm.selector('app.users'))}), 'deleted_at|2', '... with the registrations');

$publisher->stop;
done_testing();
