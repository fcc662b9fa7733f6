
# Many who wait for tasks at once: tasks that hold all workers and wait for tasks of the same pool, and sessions that wait
# for those.  One task gives up, and nobody else; where nothing is in vain, nobody does.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tasks = 12;
my $sessions = 40;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'corm'
max_worker_processes = 24
max_connections = 100
max_prepared_transactions = 2
corm.max_workers = @{[ $tasks + 1 ]}
corm.work_memory = '64MB'
corm.worker_start_timeout = '180s'
deadlock_timeout = '100ms'
CONF
$node->start;

sub value { return $node->safe_psql('postgres', $_[0]); }

# What tasks wait for: a lock of a prepared transaction, which needs no session
sub close_gate { value("BEGIN; SELECT pg_advisory_xact_lock(7501); PREPARE TRANSACTION 'gate'"); return; }
sub open_gate { value("ROLLBACK PREPARED 'gate'"); return; }

# Sessions that wait for tasks, each for one of them or for all
sub begin_waiting
{
	my (@ids) = @_;
	my @waiting;
	for my $n (1 .. $sessions)
	{
		my $ids = $n % 2 ? join(',', @ids) : $ids[ $n % @ids ];
		my %session = (out => '');
		$session{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'),
			'-c', "SELECT count(*), count(*) FILTER (WHERE (result).ok) FROM corm.task_wait_all(ARRAY[$ids]::bigint[])" ],
			'<', \undef, '>', \$session{out}, '2>&1', IPC::Run::timer(3 * $PostgreSQL::Test::Utils::timeout_default));
		push @waiting, \%session;
	}
	$node->poll_query_until('postgres', "SELECT count(*) = $sessions FROM pg_stat_activity WHERE query LIKE 'SELECT count(*), count(*) FILTER%'");
	return @waiting;
}

sub end_waiting
{
	my @out;
	for my $session (@_)
	{
		$session->{run}->finish;
		push @out, $session->{out};
	}
	return @out;
}

value(<<'SQL');
CREATE EXTENSION corm;
CREATE TABLE chain (n int PRIMARY KEY, id bigint);
CREATE FUNCTION begin_together() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_xact_lock_shared(7501)';
SELECT corm.pool_create('many', workers => 100, capacity => 100000), corm.pool_create('rest', capacity => 100000), corm.pool_pause('rest');
-- what waits besides must not matter
SELECT count(corm.submit(corm.task('rest', immediate => true), 'SELECT 1')) FROM generate_series(1, 20000);
SQL
# no task begins its wait before all run
close_gate();
my @ids = split /\n/, value(<<"SQL");
SELECT corm.submit(corm.task('many', immediate => true),
	'SELECT begin_together(); SELECT corm.task_value(corm.submit(corm.task(''many'', immediate => true), ''SELECT 1 AS one'')) AS v')
FROM generate_series(1, $tasks)
SQL
is(scalar @ids, $tasks, 'tasks');
ok($node->poll_query_until('postgres', "SELECT running = $tasks FROM corm.pools WHERE name = 'many'"), 'all of them run');
my @waiting = begin_waiting(@ids);
open_gate();
my @out = end_waiting(@waiting);
is(join(' ', sort grep { /^1?\d\|/ && !/^1\|/ } map { s/\s//gr } @out), join(' ', ("$tasks|" . ($tasks - 1)) x ($sessions / 2)),
	'one of those that wait for each other gives up, the others go on');
is(value(q{SELECT state, sqlstate FROM corm.tasks WHERE pool = 'many' AND state <> 'succeeded'}), 'failed|40P01', 'which has failed');

# a chain: each waits for the one before, and the first for nobody
close_gate();
value(q{INSERT INTO chain VALUES (1, corm.submit(corm.task('many', immediate => true), 'SELECT begin_together()'))});
for my $n (2 .. $tasks)
{
	value("INSERT INTO chain SELECT $n, corm.submit(corm.task('many', immediate => true), 'SELECT ok FROM corm.task_wait(\$1)', id) FROM chain WHERE n = $n - 1");
}
my $last = value("INSERT INTO chain SELECT $tasks + 1, corm.submit(corm.task('many', immediate => true), 'SELECT ok FROM corm.task_wait(\$1)', id) FROM chain WHERE n = $tasks RETURNING id");
ok($node->poll_query_until('postgres', "SELECT running = $tasks AND waiting = 1 FROM corm.pools WHERE name = 'many'"), 'a chain, one more than there are workers');
@waiting = begin_waiting(split /\n/, value('SELECT id FROM chain ORDER BY n'));
value('SELECT pg_sleep(1.5)');
is(value(q{SELECT running FROM corm.pools WHERE name = 'many'}), $tasks, 'which is long, but not in vain');
open_gate();
@out = end_waiting(@waiting);
is(join(' ', sort grep { !/^1\|/ } map { s/\s//gr } @out), join(' ', ("@{[ $tasks + 1 ]}|@{[ $tasks + 1 ]}") x ($sessions / 2)),
	'all of it ends well');
is(value("SELECT (result).value FROM (SELECT corm.task_wait($last)) t (result)"), '[{"ok": true}]', 'to its end');
is(value('SELECT * FROM corm.work_check()'), '', 'the shared memory is sound');
$node->stop;

done_testing();
