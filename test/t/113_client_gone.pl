# Clients that are killed while their session waits in a function of corm: with client_connection_check_interval, the session
# ends as it does when it waits in PostgreSQL.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'corm'
max_worker_processes = 24
corm.max_workers = 12
corm.worker_start_timeout = '180s'
corm.max_wait = '1d'
deadlock_timeout = '100ms'
client_connection_check_interval = '200ms'
CONF
$node->start;

sub value { return $node->safe_psql('postgres', $_[0]); }

# A client that runs a statement; returns its process, which a signal can kill
sub client
{
	my ($name, $sql, $options) = @_;
	my $pid = fork // die "fork: $!";
	if (!$pid)
	{
		open STDIN, '<', '/dev/null' or die $!;
		open STDOUT, '>', '/dev/null' or die $!;
		open STDERR, '>', '/dev/null' or die $!;
		exec 'psql', '-XAtq', '-d', $node->connstr('postgres') . " application_name='$name' options='-c client_connection_check_interval=$options'", '-c', $sql;
		die "exec: $!";
	}
	return $pid;
}

value(<<'SQL');
CREATE EXTENSION corm;
SELECT corm.pool_create('paused', capacity => 200), corm.pool_pause('paused'), corm.pool_create('long', workers => 2), corm.pool_create('drained'),
	corm.pool_create('full', capacity => 1), corm.pool_pause('full'), corm.pool_create('single', workers => 1), corm.pool_create('bodies');
SELECT corm.wg_create('group', 1);
SELECT corm.topic_create('memory', capacity => 1, overflow => 'block'), corm.topic_create('durable', durable => true),
	corm.topic_create('empty'), corm.subscribe('memory', 'g'), corm.subscribe('durable', 'g'), corm.subscribe('empty', 'g');
SELECT corm.publish('memory', 'x'), corm.submit(corm.task('full', immediate => true), 'SELECT 1');
CREATE TABLE locked (n int);
CREATE TABLE known AS SELECT corm.submit(corm.task('paused', immediate => true), 'SELECT 1') AS waiting,
	corm.submit(corm.task('long', immediate => true), 'SELECT pg_sleep(100000)') AS running,
	corm.submit(corm.task('drained', immediate => true), 'SELECT pg_sleep(100000)') AS drained,
	ARRAY(SELECT corm.submit(corm.task('paused', immediate => true), 'SELECT 1') FROM generate_series(1, 100)) AS many;
SQL
my ($waiting, $running, $drained, $many) = split /\|/, value('SELECT * FROM known');
ok($node->poll_query_until('postgres', "SELECT count(*) = 2 FROM corm.tasks WHERE state = 'running'"), 'tasks run');

my @cases = (
	[ 'a task that waits', "SELECT corm.task_wait($waiting)" ],
	[ 'a task that runs', "SELECT corm.task_value($running)" ],
	[ 'a task, by CALL', "CALL corm.task_wait($running, NULL, NULL)" ],
	[ 'many tasks', "SELECT corm.task_wait_all('$many')" ],
	[ 'tasks of its own', q{SELECT corm.parallel(ARRAY['SELECT pg_sleep(100001)', 'SELECT pg_sleep(100001)'])} ],
	[ 'an autonomous transaction', q{SELECT corm.autonomous('SELECT pg_sleep(100001)')} ],
	[ 'room in a pool', q{SELECT corm.submit(corm.task('full', wait => '1 day'), 'SELECT 1')} ],
	[ 'a pool that drains', q{SELECT corm.pool_close('drained', true, '1 day')} ],
	[ 'a wait group', q{SELECT corm.wg_wait('group')} ],
	[ 'a wait group, by CALL', q{CALL corm.wg_wait('group', NULL, NULL)} ],
	[ 'a message', q{SELECT corm.receive('empty', 'g', 1, '1 day')} ],
	[ 'a message, by CALL', q{CALL corm.receive('empty', 'g', 1, '1 day', NULL)} ],
	[ 'a message of a durable topic', q{SELECT corm.receive('durable', 'g', 1, '1 day')} ],
	[ 'room in a topic', q{SELECT corm.publish('memory', 'y', immediate => true)} ],
	[ 'a loader', q{SELECT corm.cache_fetch('key', 'SELECT pg_sleep(100001)::text')} ],
	[ 'the loader of another session', q{SELECT corm.cache_fetch('key', 'SELECT 1')} ],
	[ 'a body that runs once', q{SELECT corm.once('key', 'SELECT pg_sleep(100001)')} ],
	[ 'the body of another session', q{SELECT corm.once('key', 'SELECT 1')} ],
	[ 'a unique key', q{BEGIN; SELECT corm.submit(corm.task('paused', unique_key => 'u'), 'SELECT 1'); SELECT pg_sleep(100001)} ],
	[ 'the unique key of another session', q{SELECT corm.submit(corm.task('paused', unique_key => 'u'), 'SELECT 1')} ],
);
my %pids;
my $waits = sub { return "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = '$_[0]' AND backend_type = 'client backend' AND state = 'active' AND wait_event_type <> 'Client'" };
# without the interval, it stays
$pids{unchecked} = client('unchecked', "SELECT corm.task_wait($waiting)", '0');
$node->poll_query_until('postgres', $waits->('unchecked'));
kill 'KILL', $pids{unchecked};
for my $case (@cases)
{
	my ($name, $sql) = @$case;
	$pids{$name} = client($name, $sql, '200ms');
	ok($node->poll_query_until('postgres', $waits->($name)), "$name: waits");
}
kill 'KILL', $pids{$_->[0]} for @cases;
for my $case (@cases)
{
	my ($name) = @$case;
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '$name' AND backend_type = 'client backend'"), "$name: the session has ended");
}
waitpid $pids{$_}, 0 for keys %pids;
is(value(q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'unchecked' AND backend_type = 'client backend'}), '1', 'without the interval, a session stays');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event = 'PgSleep'}), 'only the tasks run that others have submitted');
is(value(q{SELECT (SELECT sum(waiters) FROM corm.wait_groups) || '/' || (SELECT count(*) FROM corm.tasks WHERE state = 'running')}), '0/2', 'nobody waits for the group any more');
value(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'unchecked'});
is(value('SELECT * FROM corm.work_check()'), '', 'the shared memory is sound');
$node->stop;

done_testing();
