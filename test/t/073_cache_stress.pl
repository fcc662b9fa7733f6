
# Many sessions at random on a cache that is too small, while others cancel and terminate them, against an oracle.
#
# Every key belongs to one client, which writes increasing versions.  Two sequences per key, which no rollback and no
# cancel takes back, hold the last version tried and the last one known to be stored.  So whatever happened, its owner
# must read a version between them, or nothing; and anybody who reads any key must read a value that is whole.
#
# A few seconds with few clients are part of every run; PG_TEST_EXTRA=cache (make check-cache-stress) makes it a minute
# with 2, 8 and 16.  CORM_STRESS_SECONDS says how long each takes.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $extra = ($ENV{PG_TEST_EXTRA} // '') =~ /\bcache\b/;
my $seconds = $ENV{CORM_STRESS_SECONDS} || ($extra ? 60 : 8);
my $most_clients = 16;
my $keys = 12;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'corm'
corm.cache_size = '16MB'
corm.cache_max_value_size = '4MB'
corm.event_ring_size = '64kB'
corm.event_interval = '1ms'
corm.sweep_interval = '50ms'
max_connections = 60
log_statement = none
log_min_messages = log
CONF
$node->start;
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION corm;
SELECT corm.cache_create('stress'), corm.cache_create('small', max_bytes => 30000);
DO \$\$
BEGIN
	FOR c IN 1..$most_clients LOOP
		FOR k IN 1..$keys LOOP
			EXECUTE format('CREATE SEQUENCE tried_%s_%s', c, k);
			EXECUTE format('CREATE SEQUENCE stored_%s_%s', c, k);
			PERFORM setval(format('tried_%s_%s', c, k), 1), setval(format('stored_%s_%s', c, k), 1);
		END LOOP;
	END LOOP;
END \$\$;
SQL
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION make_value(key text, version bigint, size int) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s:%s:', key, version) || repeat(md5(key || version), size)
$$;

-- raises unless v is a whole value of key; returns its version
CREATE FUNCTION version_of(key text, v text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	version bigint := split_part(v, ':', 2)::bigint;
	rest text := split_part(v, ':', 3);
BEGIN
	IF split_part(v, ':', 1) <> key OR rest <> repeat(md5(key || version), octet_length(rest) / 32) THEN
		RAISE 'ORACLE: % has a broken value of % bytes: %', key, octet_length(v), left(v, 100);
	END IF;
	RETURN version;
END $$;

CREATE FUNCTION random_size() RETURNS int LANGUAGE sql AS $$
	SELECT (CASE WHEN random() < 0.7 THEN random() * 20 WHEN random() < 0.7 THEN random() * 4000 ELSE random() * 60000 END)::int
$$;

CREATE FUNCTION cache_of(k int) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN k % 4 = 0 THEN 'small' ELSE 'stress' END $$;

-- reads a key of this client's and compares with the oracle
CREATE FUNCTION check_key(c int, k int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	key text := 'k' || c || '-' || k;
	v text := corm.cache_get(key, cache_of(k));
	version bigint;
	tried bigint;
	stored bigint;
BEGIN
	IF v IS NULL THEN RETURN; END IF;
	version := version_of(key, v);
	EXECUTE format('SELECT last_value FROM tried_%s_%s', c, k) INTO tried;
	EXECUTE format('SELECT last_value FROM stored_%s_%s', c, k) INTO stored;
	IF version > tried OR version < stored THEN
		RAISE 'ORACLE: % has version %, tried %, stored %', key, version, tried, stored;
	END IF;
END $$;

-- a value that fits the small cache, whichever it is
CREATE FUNCTION try_set(c int, k int, immediate boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	key text := 'k' || c || '-' || k;
	version bigint := nextval(format('tried_%s_%s', c, k));
	size int := CASE WHEN k % 4 = 0 THEN (random() * 200)::int ELSE random_size() END;
BEGIN
	PERFORM corm.cache_set(key, make_value(key, version, size),
		CASE WHEN random() < 0.3 THEN random() * interval '200 ms' + interval '1 microsecond' END, cache_of(k), immediate);
	RETURN version;
END $$;

CREATE FUNCTION step(c int, n_clients int, n_keys int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	k int := 1 + floor(random() * n_keys);
	other int := 1 + floor(random() * n_clients);
	key text := 'k' || c || '-' || k;
	dice float := random();
	version bigint;
	v text;
BEGIN
	PERFORM check_key(c, k);
	IF dice < 0.35 THEN
		version := try_set(c, k, true);
		PERFORM setval(format('stored_%s_%s', c, k), version);
		PERFORM check_key(c, k);
	ELSIF dice < 0.45 THEN
		PERFORM corm.cache_delete(key, cache_of(k), random() < 0.5);
	ELSIF dice < 0.75 THEN
		v := corm.cache_get('k' || other || '-' || k, cache_of(k));
		IF v IS NOT NULL THEN PERFORM version_of('k' || other || '-' || k, v); END IF;
	ELSIF dice < 0.80 THEN
		PERFORM corm.cache_incr('counter' || k, cache => 'stress');
	ELSIF dice < 0.85 THEN
		PERFORM corm.cache_expire(key, random() * interval '100 ms' + interval '1 microsecond', cache_of(k)), corm.cache_persist(key, cache_of(k));
	ELSIF dice < 0.88 THEN
		PERFORM count(*) FROM corm.cache_keys('k%', 'stress');
	ELSIF dice < 0.885 THEN
		PERFORM corm.cache_clear('small');
	ELSIF dice < 0.95 THEN
		v := corm.cache_fetch('f' || k, format('SELECT make_value(%L, 1, random_size())', 'f' || k), '50 ms', 'stress');
		PERFORM version_of('f' || k, v);
	ELSE
		BEGIN
			PERFORM try_set(c, k, false);
			PERFORM try_set(c, k, false);
			RAISE division_by_zero;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
		PERFORM check_key(c, k);
	END IF;
END $$;
SQL

my ($cancelled, $terminated) = (0, 0);
my ($stop, $disturbed) = map { $node->basedir . "/$_" } qw(stop disturbed);
my $work = q{SELECT sum(sets) > 100 AND sum(hits) > 100 AND sum(evicted) > 10 FROM corm.cache_stats};

# A client: psql after psql, each with a batch of statements, some under a timeout of a millisecond.
sub client
{
	my ($c, $clients, $log) = @_;
	open(my $out, '>', $log) or die "$log: $!";
	srand($c * 7919);
	until (-e $stop)
	{
		my $script = "SET application_name = 'stress';\n";
		for (1 .. 100)
		{
			if (rand() < 0.15)
			{
				my $k = 1 + int(rand($keys));
				my $end = rand() < 0.3 ? 'ROLLBACK' : 'COMMIT';
				$script .= "BEGIN; SELECT try_set($c, $k, false) AS version \\gset\nSELECT check_key($c, $k);\n";
				$script .= "SAVEPOINT s; SELECT try_set($c, $k, false); ROLLBACK TO s;\n" if rand() < 0.5;
				$script .= "$end;\n";
				$script .= "SELECT check_key($c, $k);\n";
			}
			elsif (rand() < 0.1)
			{
				$script .= "SET statement_timeout = 1; SELECT step($c, $clients, $keys); SELECT step($c, $clients, $keys); RESET statement_timeout;\n";
			}
			else
			{
				$script .= "SELECT step($c, $clients, $keys);\n";
			}
		}
		my $result = '';
		IPC::Run::run([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres') ], '<', \$script, '>', \$result, '2>&1');
		print $out $result;
	}
	close $out;
	return;
}

# The one that disturbs them, and writes a byte for each time
sub disturb
{
	open(my $times, '>', $disturbed) or die "$disturbed: $!";
	for (my $n = 0; !-e $stop; $n++)
	{
		syswrite($times, '.');
		# in turn rather than at random: a slow machine has only a few rounds
		my $function = $n % 8 == 3 ? 'pg_terminate_backend' : 'pg_cancel_backend';
		sleep(0.02);
		$node->psql('postgres', "SELECT $function(pid) FROM pg_stat_activity WHERE application_name = 'stress' ORDER BY random() LIMIT 2" . (rand() < 0.1 ? '; SELECT * FROM corm.cache_check()' : ''));
	}
	return;
}

# Lets so many clients loose, and looks at what they saw and left behind.
sub stress
{
	my ($clients) = @_;
	my $until = time + $seconds;
	my $title = "$clients clients";
	my @children;
	unlink($stop, $disturbed);
	for my $c (1 .. $clients)
	{
		my $pid = fork();
		die 'fork failed' unless defined $pid;
		if ($pid == 0) { client($c, $clients, $node->basedir . "/client$c.log"); POSIX::_exit(0); }
		push @children, $pid;
	}
	my $disturber = fork();
	die 'fork failed' unless defined $disturber;
	if ($disturber == 0) { disturb(); POSIX::_exit(0); }
	push @children, $disturber;

	# meanwhile, the structures are sound whenever one looks; on a slow machine it takes longer until enough has happened
	my $problems = '';
	while (time < $until || (time < $until + 300 && ((-s $disturbed // 0) < 100 || $node->safe_psql('postgres', $work) ne 't')))
	{
		$problems .= $node->safe_psql('postgres', 'SELECT * FROM corm.cache_check()');
		sleep(0.2);
	}
	append_to_file($stop, '');
	is($problems, '', "$title: cache_check is empty all the time");
	waitpid($_, 0) for @children;

	my %seen;
	my $logs = '';
	for my $c (1 .. $clients)
	{
		my $log = slurp_file($node->basedir . "/client$c.log");
		$logs .= $log;
		$seen{$1}++ while $log =~ /ERROR:  (\w{5}):/g;
		$seen{FATAL}++ while $log =~ /FATAL:  57P01/g;
	}
	note(join(', ', map { "$_: $seen{$_}" } sort keys %seen));
	my @oracle = $logs =~ /^(.*ORACLE.*)$/mg;
	is(join("\n", @oracle), '', "$title: the oracle holds");
	$cancelled += $seen{57014} // 0;
	$terminated += $seen{FATAL} // 0;
	# 25P01, 25P02 and 3B001: the statement that began the transaction, or the savepoint, was cancelled
	delete @seen{qw(57014 FATAL 53200 25P01 25P02 3B001)};
	is(join(', ', sort keys %seen), '', "$title: no error but those provoked");

	ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'stress'}), "$title: all sessions ended");
	is($node->safe_psql('postgres', 'SELECT * FROM corm.cache_check()'), '', "$title: cache_check is empty in the end");
	return;
}

stress($_) for $extra ? (2, 8, $most_clients) : 4;
cmp_ok($cancelled, '>', 20, 'statements were cancelled');
cmp_ok($terminated, '>', 1, 'sessions were terminated');

is($node->safe_psql('postgres', $work), 't', 'there was something to do');
is($node->safe_psql('postgres', q{SELECT corm.cache_set('largest', repeat('x', 4194304 - 100), cache => 'stress'); SELECT length(corm.cache_get('largest', 'stress'))}),
	"\n4194204", 'a value of the greatest size fits');
is($node->safe_psql('postgres', q{SELECT corm.cache_clear('stress') > 0, corm.cache_clear('small') >= 0}), 't|t', 'cleared');
ok($node->poll_query_until('postgres', q{SELECT size_bytes - free_bytes = 0 FROM corm.cache_status()}), 'all memory is free again');
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|TRAP|stuck/, 'nothing bad in the log');

# kill -9 of a session in the middle of its writes: the server starts anew by itself, with an empty cache (hardening 19)
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
$node->safe_psql('postgres', q{SELECT corm.cache_set('before', 'x')});
my ($in, $out, $err) = ("SELECT 'pid ' || pg_backend_pid();\nSET application_name = 'victim';\n", '', '');
my $victim = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err);
$victim->pump until $out =~ /pid (\d+)/;
my $pid = $1;
$in .= "DO \$\$ BEGIN LOOP PERFORM step(1 + floor(random() * 16)::int, 16, $keys); END LOOP; END \$\$;\n";
$victim->pump_nb;
ok($node->poll_query_until('postgres', q{SELECT sum(sets) > 1000 FROM corm.cache_stats}), 'a session writes');
kill 'KILL', $pid;
$victim->finish;
ok($node->poll_query_until('postgres', 'SELECT corm.wait_ready()'), 'killed, the server comes back');
is($node->safe_psql('postgres', q{SELECT corm.cache_get('before') IS NULL, corm.cache_count(), corm.cache_count('stress')}), 't|0|0', 'with an empty cache');
is($node->safe_psql('postgres', 'SELECT * FROM corm.cache_check()'), '', 'that is sound');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'corm launcher'}), '1', 'and one sweeper');
is($node->safe_psql('postgres', q{SELECT corm.cache_set('after', 'y'); SELECT corm.cache_get('after')}), "\ny", 'and everything works');

$node->stop;
done_testing();
