# hardening 53

# Faults of the cache that need a server: F4, F13, F14.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'corm'
max_connections = 40
corm.cache_size = '16MB'
corm.event_interval = '1ms'
corm.cache_warm_restart = on
max_worker_processes = 8
max_prepared_transactions = 4
wal_level = logical
CONF
$node->start;

# A psql that stays; it is asked line by line.
sub session
{
	my ($database) = @_;
	my $self = { in => '', out => '', err => '' };
	$self->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($database) ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err}, IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default));
	return $self;
}

sub ask
{
	my ($self, $sql) = @_;
	$self->{in} .= "$sql;\n\\echo :done:\n";
	$self->{run}->pump until $self->{out} =~ s/^(.*?):done:\n//s;
	return $1;
}

sub quit
{
	my ($self) = @_;
	$self->{in} .= "\\q\n";
	$self->{run}->finish;
	return;
}

# Whether a session that listens hears of a key, from the time of its statement $sql on.
sub hears
{
	my ($self, $key, $sql) = @_;
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return 1 if ask($self, $sql // 'SELECT') =~ /\["default","\Q$key\E"/;
		undef $sql;
		select(undef, undef, undef, 0.1);
	}
	return 0;
}

sub in_log { my ($pattern) = @_; return slurp_file($node->logfile) =~ $pattern ? 1 : 0; }

#
# F4: nine databases with events, eight worker processes: all are told of theirs, again and again, by few notifiers
#
my @databases = map { "db$_" } 1 .. 9;
my %listener;
for my $database (@databases)
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION corm');
	$listener{$database} = session($database);
	ask($listener{$database}, 'LISTEN corm_cache');
}
my $most = 0;
for my $round (1 .. 3)
{
	for my $database (@databases)
	{
		$node->safe_psql($database, "SELECT corm.cache_set('r$round $database', 1); SELECT corm.cache_delete('r$round $database')");
	}
	my $heard = 0;
	for my $database (@databases)
	{
		my $notifiers = $node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'corm cache notifier'");
		$most = $notifiers if $notifiers > $most;
		$heard += hears($listener{$database}, "r$round $database");
	}
	is($heard, 9, "F4: all nine databases hear of their events, round $round");
}
cmp_ok($most, '<=', 2, 'F4: with at most a quarter of the worker processes');
is($node->safe_psql($_, 'SELECT events_lost FROM corm.cache_status()'), '0', "F4: nothing lost in $_") for $databases[0], $databases[8];
quit($listener{$_}) for @databases;

#
# F13: a database that lets nobody in any more: those who are in hear of its events, and the log has nothing
#
$node->safe_psql('postgres', 'CREATE DATABASE closing');
$node->safe_psql('closing', 'CREATE EXTENSION corm');
my $inside = session('closing');
ask($inside, 'LISTEN corm_cache');
$node->safe_psql('postgres', 'ALTER DATABASE closing ALLOW_CONNECTIONS false');
ok(hears($inside, 'inside', "SELECT corm.cache_set('inside', 1); SELECT corm.cache_delete('inside')"), 'F13: events of a database that allows no connections');
ok(!in_log(qr/FATAL.*not currently accepting connections/), 'F13: no failed connection');
quit($inside);
$node->safe_psql('postgres', 'DROP DATABASE closing');
pass('F13: and it can be dropped');

#
# F14: what a publisher prepares is applied although a trigger writes to the cache
#
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'corm'
corm.cache_size = '16MB'
max_prepared_transactions = 4
CONF
$subscriber->start;
$_->safe_psql('postgres', 'CREATE TABLE published (id int PRIMARY KEY)') for $node, $subscriber;
$subscriber->safe_psql('postgres', <<'SQL');
CREATE EXTENSION corm;
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM corm.cache_delete('published');
	PERFORM corm.cache_set('latest', NEW.id);
	RETURN NULL;
END $$;
CREATE TRIGGER forget AFTER INSERT ON published FOR EACH ROW EXECUTE FUNCTION forget();
ALTER TABLE published ENABLE ALWAYS TRIGGER forget;
SELECT corm.cache_set('published', 'old');
SQL
$node->safe_psql('postgres', 'CREATE PUBLICATION pub FOR TABLE published');
my $connection = $node->connstr('postgres');
$subscriber->safe_psql('postgres', qq{CREATE SUBSCRIPTION sub CONNECTION \$\$$connection\$\$ PUBLICATION pub WITH (two_phase = on)});
$subscriber->wait_for_subscription_sync($node, 'sub');
ok($subscriber->poll_query_until('postgres', q{SELECT subtwophasestate = 'e' FROM pg_subscription}), 'F14: two-phase commit is on');
$node->safe_psql('postgres', q{BEGIN; INSERT INTO published VALUES (1); PREPARE TRANSACTION 'one'});
ok($subscriber->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_prepared_xacts'), 'F14: a prepared transaction is applied');
is($subscriber->safe_psql('postgres', q{SELECT corm.cache_get('published') IS NULL, corm.cache_get('latest')}), 't|1', 'F14: its writes to the cache too, when it is prepared');
$node->safe_psql('postgres', q{COMMIT PREPARED 'one'});
ok($subscriber->poll_query_until('postgres', 'SELECT count(*) = 1 FROM published'), 'F14: and committed');
$node->safe_psql('postgres', q{INSERT INTO published VALUES (2)});
ok($subscriber->poll_query_until('postgres', q{SELECT corm.cache_get('latest') = '2'}), 'F14: what follows is applied');
my ($ret, $out, $err) = $subscriber->psql('postgres', q{BEGIN; SELECT corm.cache_set('mine', 1); PREPARE TRANSACTION 'two'});
like($err, qr/cannot PREPARE a transaction that has written to the cache/, 'F14: a session of its own is still refused');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM corm.cache_check()'), '0', 'F14: the cache is sound');
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION sub');
$subscriber->stop;

#
# F14: a start that fails leaves what the last shutdown saved to the next
#
$node->safe_psql('postgres', q{CREATE EXTENSION corm; SELECT corm.cache_set('warm', 'kept')});
$node->stop('fast');
my $file = $node->data_dir . '/pg_stat/corm_cache.dat';
ok(-e $file, 'F14: saved');
my $hba = $node->data_dir . '/pg_hba.conf';
my $good = slurp_file($hba);
append_to_file($hba, "no such line\n");
is($node->start(fail_ok => 1), 0, 'F14: a start that fails');
ok(-e $file, 'F14: leaves the file');
open(my $out_file, '>', $hba) or die "cannot write $hba: $!";
print $out_file $good;
close($out_file);
$node->start;
is($node->safe_psql('postgres', q{SELECT corm.cache_get('warm')}), 'kept', 'F14: the next one has the entries');
$node->safe_psql('postgres', 'SELECT corm.wait_ready()');
ok(!-e $file, 'F14: and removes the file');

# once: neither a crash nor a stop by kill brings them back
$node->safe_psql('postgres', q{SELECT corm.cache_delete('warm')});
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', q{SELECT corm.cache_get('warm') IS NULL}), 't', 'F14: after a crash the cache is empty');

done_testing();
