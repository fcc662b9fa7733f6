# hardening 62
# Durable tasks: each committed submit is run exactly once, whatever ends: the server, a worker, by SIGKILL or in order.
# A task that brings the server down each time is given up.  What was restored from a dump of another server rests.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('durable');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\nmax_worker_processes = 16\ncorm.max_workers = 3\nrestart_after_crash = on\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION corm; CREATE TABLE done (n int); CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION corm; CREATE TABLE done (n int)');

# submit($n): a task that adds the row n, slowly enough to be hit
sub submit
{
	my ($n) = @_;
	$node->safe_psql('postgres', "SELECT corm.submit(corm.task(durable => true, max_attempts => 5, backoff => '10 ms'),
		'INSERT INTO done VALUES (\$1); SELECT pg_sleep(0.02)', $_)") for $n .. $n + 4;
	$node->safe_psql('postgres', "BEGIN; SELECT corm.submit(corm.task(durable => true), 'INSERT INTO done VALUES (-1)'); ROLLBACK");
	return;
}

# until_true($query): wait until it gives t
sub until_true
{
	my ($query) = @_;
	return $node->poll_query_until('postgres', $query);
}

my $expected = 0;
for my $round (1 .. 6)
{
	submit($expected + 1);
	$expected += 5;
	usleep(30_000);
	if ($round % 3 == 1)
	{
		$node->stop('immediate');
		$node->start;
	}
	elsif ($round % 3 == 2)
	{
		$node->stop('fast');
		$node->start;
	}
	else
	{
		# the server starts again by itself
		my $pid = $node->safe_psql('postgres', q{SELECT coalesce((SELECT pid FROM pg_stat_activity WHERE backend_type = 'corm worker' LIMIT 1), 0)});
		kill 'KILL', $pid if $pid > 0;
		usleep(300_000);
		$node->poll_query_until('postgres', 'SELECT true');
	}
}
ok(until_true(q{SELECT count(*) = 0 FROM corm.durable_tasks}), 'all tasks have ended');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT n), min(n), max(n) FROM done'), "$expected|$expected|1|$expected",
	'each committed submit has one row, and no other has');
is($node->safe_psql('postgres', 'SELECT count(*) FROM corm.work_check()'), '0', 'all is sound');

# scheduled ones and their options are kept; another database too
$node->safe_psql('postgres', q{
	SELECT corm.pool_create('p', workers => 1);
	SELECT corm.submit(corm.task('p', durable => true, name => 'later', delay => '1 hour', priority => 3, key => 'k', unique_key => 'u', max_attempts => 7), 'SELECT 1')});
$node->safe_psql('other', q{SELECT corm.pool_pause('default'); SELECT corm.submit(corm.task(durable => true), 'INSERT INTO done VALUES (1)')});
$node->stop('immediate');
$node->start;
ok(until_true(q{SELECT count(*) = 1 FROM corm.tasks WHERE name = 'later'}), 'a scheduled task is there after a crash');
is($node->safe_psql('postgres', q{SELECT pool, state, priority, key, unique_key, attempt, max_attempts, durable FROM corm.tasks WHERE name = 'later'}),
	'p|scheduled|3|k|u|0|7|t', '... as it was');
is($node->safe_psql('postgres', q{SELECT corm.submit(corm.task('p', durable => true, unique_key => 'u', on_duplicate => 'ignore'), 'SELECT 2') = id FROM corm.tasks WHERE name = 'later'}),
	't', '... with its unique key');
ok($node->poll_query_until('other', 'SELECT count(*) = 1 FROM done'), 'a task of another database runs without anybody connecting');

# without the setting, they rest
$node->safe_psql('postgres', q{SELECT corm.pool_pause('default'); SELECT corm.submit(corm.task(durable => true), 'INSERT INTO done VALUES (1000)')});
$node->append_conf('postgresql.conf', 'corm.run_tasks = off');
$node->stop('immediate');
$node->start;
usleep(1_500_000);
is($node->safe_psql('postgres', 'SELECT count(*) FROM done WHERE n = 1000'), '0', 'corm.run_tasks = off: nothing runs');
$node->append_conf('postgresql.conf', 'corm.run_tasks = on');
$node->reload;
ok(until_true('SELECT count(*) = 1 FROM done WHERE n = 1000'), '... until it is on');

# a task that ends the server each time
$node->safe_psql('postgres', q{SELECT corm.submit(corm.task(durable => true, name => 'poison'), 'SELECT pg_sleep(600)')});
my $crashes = 0;
for (1 .. 12)
{
	last if $node->safe_psql('postgres', q{SELECT count(*) FROM corm.durable_tasks WHERE name = 'poison' AND state = 'failed'}) eq '1';
	until_true(q{SELECT count(*) = 1 FROM corm.tasks WHERE name = 'poison' AND state IN ('running', 'failed')});
	my $pid = $node->safe_psql('postgres', q{SELECT coalesce((SELECT pid FROM pg_stat_activity WHERE backend_type = 'corm worker' AND query LIKE '%pg_sleep(600)%'), 0)});
	next if $pid == 0;
	# what the worker has locked is in the log on disk
	$node->safe_psql('postgres', 'CHECKPOINT; CREATE TABLE flush (); DROP TABLE flush');
	kill 'KILL', $pid;
	$crashes++;
	usleep(500_000);
	$node->poll_query_until('postgres', 'SELECT true');
}
is($node->safe_psql('postgres', q{SELECT state, sqlstate FROM corm.durable_tasks WHERE name = 'poison'}), 'failed|OR031', 'a task that crashes the server is given up');
cmp_ok($crashes, '>', 4, '... after some attempts');

# restored elsewhere: rests until it is adopted
$node->safe_psql('postgres', q{SELECT corm.pool_pause('default'); SELECT corm.submit(corm.task(durable => true, name => 'dumped'), 'INSERT INTO done VALUES ($1)', 2000)});
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, 'postgres' ], 'pg_dump');
my $other = PostgreSQL::Test::Cluster->new('restored');
$other->init;
$other->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\n");
$other->start;
$other->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', '-f', $dump ], 'restored');
$other->restart;
usleep(1_500_000);
is($other->safe_psql('postgres', q{SELECT count(*) FROM done WHERE n = 2000}), '0', 'nothing of it runs');
is($other->safe_psql('postgres', q{SELECT name FROM corm.tasks WHERE name = 'dumped'}), 'dumped', '... though it is there');
cmp_ok($other->safe_psql('postgres', 'SELECT corm.task_adopt()'), '>', 0, 'adopted');
ok($other->poll_query_until('postgres', 'SELECT count(*) = 1 FROM done WHERE n = 2000'), '... it runs');
cmp_ok($other->safe_psql('postgres', q{SELECT corm.submit(corm.task(durable => true), 'SELECT 1')}), '>', 30, 'IDs go on');

# a copy of the database in the same cluster, too
$node->restart;
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM done WHERE n = 2000'), 'the original runs it after a restart, which ends the pause');
$node->safe_psql('postgres', q{SELECT corm.pool_pause('default'); SELECT corm.submit(corm.task(durable => true), 'INSERT INTO done VALUES ($1)', 3000)});
$node->safe_psql('template1', 'CREATE DATABASE copied TEMPLATE postgres');
$node->restart;
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM done WHERE n = 3000'), 'the original runs another one');
usleep(1_500_000);
is($node->safe_psql('copied', q{SELECT count(*) FROM done WHERE n = 3000}), '0', 'the copy does not');
cmp_ok($node->safe_psql('copied', 'SELECT corm.task_adopt()'), '>', 0, '... until it is adopted');
ok($node->poll_query_until('copied', 'SELECT count(*) = 1 FROM done WHERE n = 3000'), '... then it does');

$node->stop;
$other->stop;
done_testing();
