# hardening 61
# Fresh answers through what no session outlives: prepared transactions, crashes, restarts, a standby that is promoted, a
# subscription, another database.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $settings = "shared_preload_libraries = 'corm'\nmax_prepared_transactions = 5\nrestart_after_crash = on\nwal_level = logical\nautovacuum = off\n";
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', $settings);
$node->start;

# What became of a fresh query, its answer, and that of a plain one
my $helpers = q{
	CREATE EXTENSION corm;
	CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
	CREATE FUNCTION ask(t regclass, OUT said text) LANGUAGE plpgsql AS $$
	DECLARE
		before jsonb := (SELECT to_jsonb(s) FROM corm.fresh_stats s WHERE cache = '(query results)');
		fresh bigint := corm.count(corm.selector(t), corm.cached(fresh => true));
		plain bigint := corm.count(corm.selector(t));
	BEGIN
		said := (SELECT string_agg(key, ' ') FROM jsonb_each((SELECT to_jsonb(s) FROM corm.fresh_stats s WHERE cache = '(query results)'))
			WHERE value IS DISTINCT FROM before -> key AND key <> 'cache' AND value <> '0');
		said := said || ' ' || fresh || '/' || plain;
	END $$;
};
$node->safe_psql('postgres', $helpers);

sub ask
{
	my ($table, $on) = @_;
	return ($on || $node)->safe_psql('postgres', "SELECT ask('$table')");
}
sub run { return $node->safe_psql('postgres', join ';', @_); }

is(ask('a'), 'absent 0/0', 'computed');
is(ask('a'), 'hits 0/0', 'and kept');
is(ask('b'), 'absent 0/0', 'another table');

# prepared transactions
run('BEGIN', 'INSERT INTO a VALUES (1)', q{PREPARE TRANSACTION 'one'});
is(ask('a'), 'bypassed 0/0', 'prepared: nothing of its table is given from the cache');
is(ask('b'), 'hits 0/0', 'of another table it is');
run('INSERT INTO b VALUES (1)');
is(ask('b'), 'changed 1/1', 'which can be written');
run(q{COMMIT PREPARED 'one'});
is(ask('a'), 'changed 1/1', 'committed');
is(ask('a'), 'hits 1/1', 'and kept again');
run('BEGIN', 'DELETE FROM a', q{PREPARE TRANSACTION 'two'});
is(ask('a'), 'bypassed 1/1', 'prepared again');
run(q{ROLLBACK PREPARED 'two'});
is(ask('a'), 'changed 1/1', 'rolled back');
is(ask('a'), 'hits 1/1', 'kept');

# what was prepared before a crash is known after it
run('BEGIN', 'DELETE FROM a', q{PREPARE TRANSACTION 'three'});
$node->stop('immediate');
$node->start;
is(ask('a'), 'bypassed 1/1', 'after a crash: nothing of its table');
is(ask('b'), 'absent 1/1', 'another table begins anew');
is(ask('b'), 'hits 1/1', 'and is kept');
run(q{COMMIT PREPARED 'three'});
is(ask('a'), 'absent 0/0', 'committed after the crash');
is(ask('a'), 'hits 0/0', 'and kept');

# functions have no locks: a prepared transaction that replaces one stops the answers that call functions
$node->safe_psql('postgres', 'CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT 1$$; CREATE VIEW v AS SELECT f(id) FROM b; SELECT ask(\'v\')');
is(ask('v'), 'hits 1/1', 'a view that calls a function');
$node->safe_psql('postgres', 'BEGIN; CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT 2$$; PREPARE TRANSACTION \'four\'');
is(ask('v'), 'bypassed 1/1', 'is not given while the function is prepared');
is(ask('b'), 'hits 1/1', 'what calls none is');
run(q{COMMIT PREPARED 'four'});
like(ask('v'), qr{^(changed|absent) 1/1$}, 'it is computed anew');

# a backend that is killed takes the whole cache along
my $victim = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $victim->query_safe('SELECT pg_backend_pid()') if $victim->can('query_safe');
SKIP:
{
	skip 'the test library has no background_psql objects', 1 unless defined $pid;
	$victim->query_safe('BEGIN; INSERT INTO a VALUES (9)');
	kill 9, $pid;
	eval { $victim->quit };
	$node->poll_query_until('postgres', 'SELECT true');
	is(ask('a'), 'absent 0/0', 'after SIGKILL of a session that was writing');
}
$node->restart;
is(ask('a'), 'absent 0/0', 'after a restart');
is(ask('a'), 'hits 0/0', 'and kept');
run('INSERT INTO a VALUES (1)');
is(ask('a'), 'changed 1/1', 'and followed');

# another database with the same tables
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', $helpers);
is($node->safe_psql('other', q{SELECT ask('a')}), 'absent 0/0', 'another database');
$node->safe_psql('other', 'INSERT INTO a VALUES (1)');
is(ask('a'), 'hits 1/1', 'has nothing to do with this one');
is($node->safe_psql('other', q{SELECT ask('a')}), 'changed 1/1', 'and is followed');

# a standby answers from its tables until it is promoted
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
run('BEGIN', 'INSERT INTO a VALUES (2)', q{PREPARE TRANSACTION 'five'});
$node->wait_for_catchup($standby);
is(ask('a', $standby), 'bypassed 1/1', 'a standby');
is(ask('a', $standby), 'bypassed 1/1', 'a standby, again');
is($standby->safe_psql('postgres', q{SELECT reason FROM corm.cached_explain(corm.selector('a'))}), 'The server is a standby.', 'says so');
$standby->promote;
is(ask('b', $standby), 'absent 1/1', 'promoted');
is(ask('b', $standby), 'hits 1/1', 'it keeps answers');
is(ask('a', $standby), 'bypassed 1/1', 'but none of what was prepared before');
$standby->safe_psql('postgres', q{COMMIT PREPARED 'five'});
is(ask('a', $standby), 'absent 2/2', 'committed there');
is(ask('a', $standby), 'hits 2/2', 'and kept');
$standby->stop;
run(q{ROLLBACK PREPARED 'five'});

# a subscription writes by its locks like anybody
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(allows_streaming => 'logical');
$subscriber->append_conf('postgresql.conf', $settings);
$subscriber->start;
$subscriber->safe_psql('postgres', $helpers);
is(ask('a', $subscriber), 'absent 0/0', 'a subscriber');
is(ask('a', $subscriber), 'hits 0/0', 'keeps answers');
$node->safe_psql('postgres', 'CREATE PUBLICATION p FOR TABLE a');
my $connection = $node->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION s CONNECTION '$connection' PUBLICATION p WITH (two_phase = true)");
$subscriber->wait_for_subscription_sync($node, 's') if $subscriber->can('wait_for_subscription_sync');
$subscriber->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate <> 'r'");
is(ask('a', $subscriber), 'changed 1/1', 'the first copy is seen');
is(ask('a', $subscriber), 'hits 1/1', 'and kept');
run('INSERT INTO a VALUES (3)');
$node->wait_for_catchup('s');
is(ask('a', $subscriber), 'changed 2/2', 'a replicated row');
run('BEGIN', 'INSERT INTO a VALUES (4)', q{PREPARE TRANSACTION 'six'});
$node->wait_for_catchup('s');
is(ask('a', $subscriber), 'bypassed 2/2', 'a replicated PREPARE');
run(q{COMMIT PREPARED 'six'});
$node->wait_for_catchup('s');
is(ask('a', $subscriber), 'changed 3/3', 'and its commit');
is(ask('a', $subscriber), 'hits 3/3', 'kept');
run('TRUNCATE a');
$node->wait_for_catchup('s');
is(ask('a', $subscriber), 'changed 0/0', 'a replicated TRUNCATE');

$subscriber->stop;
$node->stop;
done_testing();
