
# Workers, and what may happen to them and to those who call them: a cancel or a termination of either side at every fault
# point, and at random; kill -9; no worker, no process, no right to start one; databases dropped under them; deadlocks
# that isolation tests cannot show.  Each time the shared memory is sound afterwards, nothing is locked, what an error says
# of the outcome is true, and the next call works.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'corm'
max_worker_processes = 12
restart_after_crash = on
corm.worker_idle_timeout = '1h'
CONF
$node->start;

sub value { return $node->safe_psql('postgres', $_[0]); }

# A psql that stays: its commands are sent without waiting for their end.
sub session
{
	my (%options) = @_;
	my $self = { in => '', out => '' };
	$self->{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr($options{database} // 'postgres') ],
		'<', \$self->{in}, '>', \$self->{out}, '2>&1', IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default));
	$self->{pid} = ask($self, 'SELECT pg_backend_pid()') + 0;
	return $self;
}

sub begin_ask
{
	my ($self, $sql) = @_;
	$self->{in} .= "$sql;\n\\echo :done:\n";
	$self->{run}->pump_nb;
	return;
}

# What it has printed by then; the end of the process is an end, too.
sub end_ask
{
	my ($self) = @_;
	while ($self->{out} !~ /:done:\n/)
	{
		last unless $self->{run}->pumpable;
		$self->{run}->pump;
	}
	my $out = $self->{out};
	$self->{out} = '';
	$out =~ s/:done:\n//;
	return $out;
}

sub ask { begin_ask(@_); return end_ask($_[0]); }

sub quit
{
	my ($self) = @_;
	$self->{in} .= "\\q\n";
	eval { $self->{run}->finish };
	return;
}

sub sound
{
	my ($what) = @_;
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM corm.workers WHERE state NOT IN ('idle')});
	is(value('SELECT * FROM corm.work_check()'), '', "$what: the shared memory is sound");
	is(value(q{SELECT count(*) FROM pg_locks JOIN corm.workers USING (pid)}), '0', "$what: nothing is locked");
	is(value(q{SELECT corm.autonomous('SELECT 1 AS one')}), '[{"one": 1}]', "$what: the next call works");
	return;
}

$node->safe_psql('postgres', q{
	CREATE EXTENSION corm;
	CREATE EXTENSION corm_test;
	CREATE TABLE result (n int PRIMARY KEY);
	CREATE TABLE other (n int PRIMARY KEY, v int);
	INSERT INTO other VALUES (1, 0), (2, 0);
});

my $locker = session();
my $n = 0;

# Whatever the caller was told about the call that adds row n must be true.
sub outcome_is_true
{
	my ($what, $out) = @_;
	my $there = value("SELECT count(*) FROM result WHERE n = $n");
	if ($out !~ /ERROR|FATAL|closed the connection/) { is($there, '1', "$what: it says that it has committed") }
	elsif ($out =~ /has committed/) { is($there, '1', "$what: the error says that it has committed") }
	elsif ($out =~ /was rolled back|OR031|40P01|5301|57014/ && $out !~ /may have committed|40003/)
	{
		is($there, '0', "$what: the error says that it was rolled back");
	}
	else { like($there, qr/^[01]$/, "$what: the error does not say what became of it") }
	return;
}

# wait_for_point: until a process waits at its fault point
sub wait_for_point
{
	my ($pid) = @_;
	return $node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid = $pid");
}

# The caller is stopped at a point of its own.
for my $point (qw(work-claimed work-submit work-submitted work-wait-lock work-answered))
{
	for my $how (qw(cancel terminate))
	{
		my $what = "caller at $point, $how";
		my $caller = session();
		$n++;
		ask($locker, 'SELECT pg_advisory_lock(99)');
		ask($caller, "SELECT corm.autonomous('SELECT 1'); SELECT corm_test.wait_at('$point', 99)");
		begin_ask($caller, "SELECT corm.autonomous('SELECT pg_sleep(0.1); INSERT INTO result VALUES ($n)')");
		ok(wait_for_point($caller->{pid}), "$what: it waits there");
		value("SELECT pg_${how}_backend($caller->{pid})");
		my $out = end_ask($caller);
		ask($locker, 'SELECT pg_advisory_unlock(99)');
		like($out, $how eq 'cancel' ? qr/57014/ : qr/57P01|closed the connection/, "$what: it fails");
		quit($caller);
		sound($what);
		outcome_is_true($what, $out);
	}
}

# The worker is stopped at a point of its own; the caller is cancelled or terminated, or the worker is.
value(q{SELECT pg_terminate_backend(pid) FROM corm.workers});
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM corm.workers');
for my $point (qw(work-receive work-job-start work-job-body-done work-job-ended work-answer))
{
	for my $how ('cancel caller', 'terminate caller', 'cancel worker', 'terminate worker')
	{
		my $what = "worker at $point, $how";
		my ($verb, $whom) = split / /, $how;
		my $caller = session();
		$n++;
		ask($locker, 'SELECT pg_advisory_lock(99)');
		# the job that sets the point passes the later ones itself
		my $pass = $point =~ /receive|start/ ? 1 : 2;
		ask($caller, "SELECT corm.autonomous('SELECT corm_test.meet_at(''$point'', $pass, 99)')");
		my $worker = ask($caller, "SELECT pid FROM corm.workers WHERE state = 'idle' ORDER BY since DESC LIMIT 1") + 0;
		begin_ask($caller, "SELECT corm.autonomous('INSERT INTO result VALUES ($n)')");
		ok(wait_for_point($worker), "$what: it waits there");
		value("SELECT pg_${verb}_backend(" . ($whom eq 'worker' ? $worker : $caller->{pid}) . ')');
		usleep(100_000);
		ask($locker, 'SELECT pg_advisory_unlock(99)');
		my $out = end_ask($caller);
		outcome_is_true($what, $out);
		quit($caller);
		sound($what);
		if ($how eq 'terminate worker')
		{
			like($out, qr/OR031|40003/, "$what: the caller is told");
		}
	}
}
# A cancel that comes when a task has ended, but its worker is not free yet, is not that of the next one.
{
	my $caller = session();
	my $task = q{SELECT corm.task_value(corm.submit(corm.task('late', immediate => true), '%s'))};
	value(q{SELECT corm.pool_create('late', workers => 1)});
	ask($locker, 'SELECT pg_advisory_lock(99)');
	ask($caller, sprintf($task, q{SELECT corm_test.meet_at(''work-task-done'', 2, 99)}));
	my $worker = ask($caller, q{SELECT pid FROM corm.workers WHERE state = 'idle' ORDER BY since DESC LIMIT 1}) + 0;
	value(qq{SELECT pg_terminate_backend(pid) FROM corm.workers WHERE pid IS NOT NULL AND pid <> $worker});
	$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM corm.workers');
	like(ask($caller, sprintf($task, 'SELECT 1 AS one')), qr/"one": 1/, 'late cancel: the task has ended');
	ok(wait_for_point($worker), 'late cancel: its worker waits');
	value("SELECT pg_cancel_backend($worker)");
	usleep(100_000);
	ask($locker, 'SELECT pg_advisory_unlock(99)');
	like(ask($caller, sprintf($task, 'SELECT 2 AS two')), qr/"two": 2/, 'late cancel: not of the next task');
	value(q{SELECT corm.pool_drop('late')});
	quit($caller);
	sound('late cancel');
}
quit($locker);

# At random: sessions with timeouts, and others that must not fail however many are cancelled beside them.
{
	my $loops = ($ENV{PG_TEST_EXTRA} // '') =~ /\bworkers\b/ ? 2000 : 150;
	my (@runs, @outs);
	for my $client (1 .. 4)
	{
		my $sql = '';
		for (1 .. $loops)
		{
			my $us = int(rand(6000));
			$sql .= sprintf("SET statement_timeout = %d;\n", $client <= 2 ? 1 + int(rand(6)) : 0);
			$sql .= "SELECT corm.autonomous('SELECT pg_sleep($us / 1e6)');\n";
		}
		my $out = '';
		push @outs, \$out;
		push @runs, IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres') ], '<', \$sql, '>', \$out, '2>&1');
	}
	$_->finish for @runs;
	my $cancelled = ${ $outs[0] } . ${ $outs[1] };
	my $cancels = () = $cancelled =~ /57014/g;
	unlike($cancelled, qr/ERROR:  (?!57014)/, 'random cancels: no other error');
	unlike($_, qr/ERROR|FATAL/, 'random cancels: those who are not cancelled do not fail') for ${ $outs[2] }, ${ $outs[3] };
	cmp_ok($cancels, '>', $loops / 10, 'random cancels: there were some');
	sound('random cancels');
}

# The same with workers terminated.
{
	my $sql = "SELECT corm.autonomous('SELECT pg_sleep(0.002)');\n" x 300;
	my (@runs, @outs);
	for (1 .. 3)
	{
		my $out = '';
		push @outs, \$out;
		push @runs, IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres') ], '<', \$sql, '>', \$out, '2>&1');
	}
	for (1 .. 15)
	{
		value('SELECT pg_terminate_backend(pid) FROM corm.workers WHERE pid IS NOT NULL ORDER BY random() LIMIT 1');
		usleep(30_000);
	}
	$_->finish for @runs;
	unlike($$_, qr/ERROR:  (?!OR031|40003|53000)|FATAL/, 'random terminations: no error but the one for that') for @outs;
	sound('random terminations');
	is(value(q{SELECT ok FROM corm.try_tx(corm.tx('requires_new', retries => 1),
		'SELECT pg_terminate_backend(pg_backend_pid()) FROM result WHERE n < 0')}), 't', 'a body may try to terminate');
	is(value(q{SELECT sqlstate FROM corm.try_tx(corm.tx('requires_new'), 'SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(10)')}),
		'OR031', 'and the caller is told if it succeeds');
}

# Deadlocks with a third session, and with the start of a worker.
{
	my ($one, $two) = (session(), session());
	ask($one, q{SET deadlock_timeout = '10s'; BEGIN; UPDATE other SET v = 1 WHERE n = 1});
	ask($two, q{SET deadlock_timeout = '100ms'; BEGIN; UPDATE other SET v = 1 WHERE n = 2});
	begin_ask($one, q{SELECT corm.autonomous('UPDATE other SET v = 2 WHERE n = 2')});
	ok($node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $one->{pid} AND locktype = 'virtualxid' AND NOT granted)"),
		'the caller waits for the transaction of its worker');
	is(value("SELECT pg_blocking_pids($one->{pid}) = ARRAY(SELECT pid FROM corm.workers WHERE state = 'running')"), 't', 'which can be seen');
	like(ask($two, 'UPDATE other SET v = 2 WHERE n = 1'), qr/40P01/, 'a third session that closes the cycle finds it');
	ask($two, 'ROLLBACK');
	unlike(end_ask($one), qr/ERROR/, 'and the autonomous transaction goes on');
	ask($one, 'ROLLBACK');

	value(q{SELECT pg_terminate_backend(pid) FROM corm.workers});
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM corm.workers');
	my $out = ask($one, q{BEGIN; LOCK TABLE pg_authid; SELECT corm.autonomous('SELECT 1'); ROLLBACK});
	like($out, qr/40P01/, 'a deadlock with the start of a worker is found') or diag $out;

	# the wait for a safe snapshot is none that the detector sees: it must not be waited for
	ask($one, q{BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE other SET v = 3 WHERE n = 1});
	unlike(ask($one, q{SET LOCAL default_transaction_deferrable = on; SET LOCAL statement_timeout = '20s';
		SELECT corm.do_tx(corm.tx('requires_new', isolation => 'serializable', read_only => true), 'SELECT count(*) FROM other')}),
		qr/ERROR/, 'DEFERRABLE does not go along');
	ask($one, 'ROLLBACK');
	quit($_) for $one, $two;
	sound('deadlocks');
}

# What a commit sets going starts when the others have been told what it has changed: a warm worker must not run the old
# version of a function that the same transaction has replaced.
{
	my ($one, $two) = (session(), session());
	value(q{CREATE FUNCTION which() RETURNS text LANGUAGE sql AS $$SELECT 'old'$$});
	is(ask($one, q{SELECT corm.task_value(corm.submit(corm.task(immediate => true), 'SELECT which()'))}), qq([{"which": "old"}]\n), 'a task')
		for 1 .. 6;
	ask($two, 'SELECT pg_advisory_lock(98)');
	ask($one, q{SELECT corm_test.wait_at('effects-committed', 98)});
	begin_ask($one, q{BEGIN; CREATE OR REPLACE FUNCTION which() RETURNS text LANGUAGE sql AS $$SELECT 'new'$$;
		SELECT corm.submit('SELECT which()'); COMMIT});
	ok(wait_for_point($one->{pid}), 'the commit is done, and the locks are not yet released');
	is(value(q{SELECT prosrc FROM pg_proc WHERE proname = 'which' AND pronamespace = 'public'::regnamespace}), q{SELECT 'new'}, 'others see what it did');
	usleep(300_000);
	is(value(q{SELECT count(*) FROM corm.workers WHERE state = 'running'}), '0', 'its task does not run yet');
	ask($two, 'SELECT pg_advisory_unlock(98)');
	my ($task) = end_ask($one) =~ /^(\d+)$/m;
	is(ask($one, "SELECT corm.task_value($task)"), qq([{"which": "new"}]\n), 'and sees what it did when it runs');
	quit($_) for $one, $two;
	sound('late effects');
}

# A standby has workers, which read.
{
	$node->backup('base');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'base', has_streaming => 1);
	$standby->start;
	is($standby->safe_psql('postgres', q{SELECT corm.autonomous('SELECT count(*) FROM other')}), '[{"count": 2}]', 'on a standby');
	like(($standby->psql('postgres', q{\set VERBOSITY verbose
		SELECT corm.autonomous('INSERT INTO other VALUES (3)')}))[2], qr/25006/, 'on a standby: no writes');
	$standby->stop;
}

# Statistics reach the views.
value(q{SELECT corm.autonomous('CREATE TABLE counted (i int)')});
value(q{SELECT corm.autonomous('INSERT INTO counted SELECT generate_series(1, 1001)')});
ok($node->poll_query_until('postgres', q{SELECT n_tup_ins = 1001 FROM pg_stat_user_tables WHERE relname = 'counted'}), 'what a worker writes is counted');

# The largest answer that a document can be, and one that is larger.
if (($ENV{PG_TEST_EXTRA} // '') =~ /\bworkers\b/)
{
	is(value(q{SELECT length(corm.autonomous('SELECT repeat(''x'', 200000000) AS x') -> 0 ->> 'x')}), '200000000', 'a large answer');
	like(($node->psql('postgres', q{\set VERBOSITY verbose
		SELECT corm.autonomous('SELECT repeat(''x'', 300000000) AS x')}))[2], qr/54000/, 'one that is too large');
	sound('large answers');
}

# Replaced after so many jobs, gone when idle, and one of another role gives way.
{
	value(q{ALTER SYSTEM SET corm.worker_max_jobs = 3});
	value('SELECT pg_reload_conf()');
	my $me = session();
	my %pids = map { (ask($me, q{SELECT corm.autonomous('SELECT pg_backend_pid()')}) =~ /(\d+)/)[0] => 1 } 1 .. 20;
	cmp_ok(scalar keys %pids, '>=', 5, 'workers are replaced');
	quit($me);
	value(q{ALTER SYSTEM RESET corm.worker_max_jobs});
	value(q{ALTER SYSTEM SET corm.worker_idle_timeout = '100ms'});
	value('SELECT pg_reload_conf()');
	ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM corm.workers'), 'idle workers end');
	value(q{ALTER SYSTEM SET corm.worker_idle_timeout = '1h'});
	value('SELECT pg_reload_conf()');

	value("CREATE ROLE r$_ LOGIN SUPERUSER") for 1 .. 6;
	for (1 .. 6)
	{
		is($node->safe_psql('postgres', q{SELECT corm.autonomous('SELECT session_user')}, extra_params => [ '-U', "r$_" ]),
			qq([{"session_user": "r$_"}]), "the worker of role r$_");
	}
	cmp_ok(value('SELECT count(*) FROM corm.workers'), '<=', 4, 'others gave way');
	sound('roles');
}

# Limits per role.
{
	value('ALTER ROLE r1 SET corm.role_workers = 1');
	my ($ret, $out, $err) = $node->psql('postgres', q{SET corm.worker_wait = '5s'; SELECT corm.autonomous('SELECT corm.autonomous(''SELECT 1'')')},
		extra_params => [ '-U', 'r1' ]);
	like($err, qr/all workers are held/, 'a nested call of a role that may have one worker');
	value('ALTER ROLE r1 SET corm.role_workers = 0');
	($ret, $out, $err) = $node->psql('postgres', q{SELECT corm.autonomous('SELECT 1')}, extra_params => [ '-U', 'r1' ]);
	like($err, qr/no worker is free.*corm\.role_workers/s, 'a role that may have none');
	sound('limits');
}

# Who may not log in, or connect.
{
	value('CREATE ROLE nologin');
	my ($ret, $out, $err) = $node->psql('postgres', q{\set VERBOSITY verbose
		SET SESSION AUTHORIZATION nologin; SELECT corm.autonomous('SELECT 1')});
	like($err, qr/28000.*"nologin" is not permitted to log in/s, 'a session user that may not log in');
	value('CREATE DATABASE closed; CREATE ROLE outsider LOGIN; REVOKE CONNECT ON DATABASE closed FROM PUBLIC');
	$node->safe_psql('closed', 'CREATE EXTENSION corm');
	($ret, $out, $err) = $node->psql('closed', q{\set VERBOSITY verbose
		SET SESSION AUTHORIZATION outsider; SELECT corm.autonomous('SELECT 1')});
	like($err, qr/42501.*could not start a worker.*permission denied for database/s, 'one that may not connect');
	like(value('SELECT last_failure_message FROM corm.work_stats'), qr/permission denied/, 'which is shown');
	sound('rights');
}

# Databases are dropped under workers.
{
	$node->safe_psql('closed', q{SELECT corm.autonomous('SELECT 1')});
	my $began = time;
	value('CREATE DATABASE copy TEMPLATE closed');
	value('DROP DATABASE copy');
	my $busy = session(database => 'closed');
	begin_ask($busy, q{SELECT corm.autonomous('SELECT pg_sleep(60)')});
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM corm.workers WHERE state = 'running' AND database = 'closed'});
	value('DROP DATABASE closed (FORCE)');
	cmp_ok(time - $began, '<', 10, 'with idle workers at once, with busy ones by FORCE');
	end_ask($busy);
	quit($busy);
	sound('DROP DATABASE');
}

# kill -9 restarts the server.
{
	my $caller = session();
	begin_ask($caller, q{SELECT corm.autonomous('SELECT pg_sleep(60)')});
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM corm.workers WHERE state = 'running'});
	kill 'KILL', value(q{SELECT pid FROM corm.workers WHERE state = 'running'});
	end_ask($caller);
	eval { quit($caller) };
	$node->poll_query_until('postgres', 'SELECT true');
	ok($node->poll_query_until('postgres', 'SELECT corm.wait_ready()'), 'after kill -9 of a worker the server restarts');
	sound('kill -9');
}

# Who submits a task wakes a worker for it: none is found late, by a worker that looks when it has slept long enough, nor
# by the launcher, which is frozen.
{
	my $launcher = value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'corm launcher'});
	value(q{SELECT corm.pool_create('alone', workers => 1)});
	my $task = q{corm.task_value(corm.submit(corm.task('alone', immediate => true), '%s'))};
	value(sprintf("SELECT $task", 'SELECT corm_test.trace()'));
	kill 'STOP', $launcher;
	value(sprintf("DO \$\$ BEGIN FOR i IN 1 .. 300 LOOP PERFORM $task; PERFORM pg_sleep(0.0005); END LOOP; END \$\$", 'SELECT 1'));
	my $points = value(sprintf("SELECT $task", 'SELECT corm_test.points()'));
	kill 'CONT', $launcher;
	is(scalar(() = $points =~ /work-job-start/g), 301, 'tasks with the launcher frozen: one worker has run all');
	unlike($points, qr/work-late/, 'tasks with the launcher frozen: each was noticed at once');
	value(q{SELECT corm.pool_drop('alone')});
	sound('tasks with the launcher frozen');
}

# Nested calls that hold all workers, and no place for a process.
for my $workers (1 .. 3)
{
	$node->append_conf('postgresql.conf', "corm.max_workers = $workers");
	$node->restart;
	my $body = 'SELECT 1';
	for (1 .. $workers) { $body =~ s/'/''/g; $body = "SELECT corm.autonomous('$body')"; }
	(my $quoted = $body) =~ s/'/''/g;
	unlike(($node->psql('postgres', $body))[2], qr/ERROR/, "$workers workers: nested so deep");
	my $began = time;
	like(($node->psql('postgres', "\\set VERBOSITY verbose\nSELECT corm.autonomous('$quoted')"))[2], qr/53400/, "$workers workers: nested deeper");
	cmp_ok(time - $began, '<', 5, "$workers workers: at once");
	sound("$workers workers");
}
$node->append_conf('postgresql.conf', "corm.max_workers = 0");
$node->restart;
like(($node->psql('postgres', "\\set VERBOSITY verbose\nSELECT corm.autonomous('SELECT 1')"))[2], qr/0A000/, 'no workers');
is(value('SELECT count(*) FROM corm.work_check()'), '0', 'no workers: sound');

# One place is the launcher's, and the logical replication launcher has one.
$node->append_conf('postgresql.conf', "corm.max_workers = 4\nmax_worker_processes = 3\ncorm.worker_wait = '300ms'");
$node->restart;
{
	is(value(q{SELECT corm.autonomous('SELECT 1 AS one')}), '[{"one": 1}]', 'one place: a call');
	like(($node->psql('postgres', q{\set VERBOSITY verbose
		SELECT corm.autonomous('SELECT corm.autonomous(''SELECT 1'')')}))[2], qr/53000.*max_worker_processes/s, 'one place: a nested one');
	is($node->safe_psql('postgres', q{SET corm.worker_wait = '20s'; SELECT corm.autonomous('SELECT session_user')}, extra_params => [ '-U', 'r2' ]),
		'[{"session_user": "r2"}]', 'one place: another role gets it');
	sound('one place');
}

# Not preloaded.
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
like(($node->psql('postgres', "\\set VERBOSITY verbose\nSELECT corm.autonomous('SELECT 1')"))[2], qr/55000.*shared_preload_libraries = 'corm'/s, 'not preloaded');
like(($node->psql('postgres', "\\set VERBOSITY verbose\nSELECT * FROM corm.workers"))[2], qr/55000/, 'not preloaded: no view');
is(value(q{SELECT corm.do_tx('SELECT 1 AS one')}), '[{"one": 1}]', 'not preloaded: other scopes work');
$node->stop;

done_testing();
