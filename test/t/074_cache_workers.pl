
# The cache's workers, and what may happen to them: reload, terminate, no slot left, databases and the extension dropped
# under them, every way to stop the server; listeners that do not read, and more events than there is room for.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'corm'
corm.cache_size = '16MB'
corm.event_ring_size = '16kB'
corm.event_interval = '1ms'
max_prepared_transactions = 2
CONF
$node->start;

sub value { return $node->safe_psql('postgres', $_[0]); }

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

# Payloads that a listening session has got, until they are enough.
sub payloads
{
	my ($self, $enough) = @_;
	my @got;
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $text = ask($self, 'SELECT');
		push @got, decode_json($1) while $text =~ /^Asynchronous notification "\w+" with payload "(\{.*\})" received/mg;
		last if $enough->(@got);
		select(undef, undef, undef, 0.1);
	}
	return @got;
}

sub keys_of { return map { map { $_->[1] } @{ $_->{ev} } } @_; }

sub notifier
{
	my ($database, $not) = @_;
	$node->poll_query_until($database, 'SELECT events_pending = 0 AND notifier_pid IS NOT NULL' . ($not ? " AND notifier_pid <> $not" : '') . ' FROM corm.cache_status()')
		or die 'no notifier';
	return $node->safe_psql($database, 'SELECT notifier_pid FROM corm.cache_status()');
}

value('CREATE EXTENSION corm');
is(value('SELECT corm.wait_ready()'), 't', 'ready');
my $listener = session('postgres');
ask($listener, 'LISTEN corm_cache');

#
# The sweeper off and on, by SIGHUP
#
my $ticks = value('SELECT corm.wait_ready(); SELECT sweep_ticks FROM corm.cache_status()');
value(q{ALTER SYSTEM SET corm.sweep_interval = 0});
value('SELECT pg_reload_conf()');
value(q{SELECT corm.cache_create('quiet', events => '{}')});
# it has read the file when it no longer does what there is to do
ok($node->poll_query_until('postgres', q{SELECT setting = '0' FROM pg_settings WHERE name = 'corm.sweep_interval'}), 'reloaded');
sleep(1);
value(q{SELECT corm.cache_set('x' || i, i, '1 second', 'quiet', true) FROM generate_series(1, 100) i});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM corm.cache_keys(NULL, 'quiet')}), 'sweeper off: what has expired is invisible');
is(value(q{SELECT corm.cache_count('quiet')}), '100', 'yet counted');
value(q{ALTER SYSTEM SET corm.sweep_interval = '10ms'});
value('SELECT pg_reload_conf()');
ok($node->poll_query_until('postgres', q{SELECT corm.cache_count('quiet') = 0}), 'on: it goes without being read');
is(value(q{SELECT swept, expired FROM corm.cache_stats WHERE cache = 'quiet'}), '100|0', 'all by the sweeper');

#
# A notifier that is terminated is replaced when there is something to tell, and nothing is lost
#
value(q{SELECT corm.cache_set('n' || i, i) FROM generate_series(1, 3) i});
value(q{SELECT corm.cache_delete('n1')});
my $first = notifier('postgres');
is(value("SELECT backend_type, datname, wait_event_type FROM pg_stat_activity WHERE pid = $first"), 'corm cache notifier|postgres|Extension', 'the notifier shows what it is');
is(value(q{SELECT datname IS NULL, wait_event_type FROM pg_stat_activity WHERE backend_type = 'corm launcher'}), 't|Extension', 'and so does the sweeper');
value("SELECT pg_terminate_backend($first, 60000)");
value(q{SELECT corm.cache_delete('n2')});
my $second = notifier('postgres', $first);
isnt($second, $first, 'a terminated notifier is replaced');
is_deeply([ sort(keys_of(payloads($listener, sub { keys_of(@_) >= 2 }))) ], [ 'n1', 'n2' ], 'no event is lost');

# Somebody who may not drop a database does not disturb its events.  Anybody's statement used to.
value('CREATE ROLE nobody LOGIN; CREATE DATABASE mine OWNER nobody');
$node->psql('postgres', 'SET ROLE nobody; DROP DATABASE postgres');
$node->psql('postgres', 'SET ROLE nobody; CREATE DATABASE c TEMPLATE postgres');
$node->psql('postgres', 'SET ROLE nobody; ALTER DATABASE postgres RENAME TO p');
value('ALTER ROLE nobody CREATEDB');
$node->psql('postgres', 'SET ROLE nobody; CREATE DATABASE c TEMPLATE postgres');
value(q{SELECT corm.cache_delete('n3')});
is(notifier('postgres'), $second, 'who has no right to a database does not disturb its notifier');
payloads($listener, sub { keys_of(@_) >= 1 });

#
# A full ring: each event arrives or is counted as lost
#
my $total = 20000;
value("SELECT corm.cache_set('r' || i, i, immediate => true) FROM generate_series(1, $total) i");
value("SELECT corm.cache_delete('r' || i, immediate => true) FROM generate_series(1, $total) i");
ok($node->poll_query_until('postgres', 'SELECT events_pending = 0 FROM corm.cache_status()'), 'the ring drains');
value(q{SELECT corm.cache_set('last', 1); SELECT corm.cache_delete('last')});
my @got = payloads($listener, sub { grep { $_ eq 'last' } keys_of(@_) });
my ($events, $lost, $gaps, $next) = (0, 0, 0, undef);
for my $payload (@got)
{
	$gaps++ if defined $next && $payload->{first} != $next + $payload->{lost};
	$events += @{ $payload->{ev} };
	$lost += $payload->{lost};
	$next = $payload->{first} + @{ $payload->{ev} };
}
cmp_ok($lost, '>', 0, 'a full ring drops events');
is($events + $lost, $total + 1, 'and says how many: each arrives or is counted');
is($gaps, 0, 'just before "first"');
is(value('SELECT events_lost FROM corm.cache_status()'), $lost, 'cache_status counts them too');

# A listener that never reads stops neither the cache nor the others
my $deaf = session('postgres');
ask($deaf, 'LISTEN corm_cache');
$deaf->{run}->signal('STOP');
for (1 .. 10)
{
	value("SELECT corm.cache_set('d' || i, repeat('x', 100), immediate => true), corm.cache_delete('d' || i, immediate => true) FROM generate_series(1, 2000) i");
}
value(q{SELECT corm.cache_set('heard', 1); SELECT corm.cache_delete('heard')});
ok((grep { $_ eq 'heard' } keys_of(payloads($listener, sub { grep { $_ eq 'heard' } keys_of(@_) }))), 'a listener that never reads does not stop the others');
is(value(q{SELECT corm.cache_set('k', 'v'); SELECT corm.cache_get('k')}), "\nv", 'nor the cache');
$deaf->{run}->signal('CONT');
quit($deaf);
is(value('SELECT count(*) FROM corm.cache_check()'), '0', 'the cache is sound');

# A transaction that wrote, took it back and was prepared leaves nothing behind in its session (hardening 25)
is(value(<<'SQL'), "gone\n1000\nrolled back", 'writes taken back do not hinder PREPARE');
SET statement_timeout = '60s';
BEGIN;
SAVEPOINT s;
DO $$ BEGIN PERFORM corm.cache_set('prepared', 'x'); END $$;
ROLLBACK TO s;
PREPARE TRANSACTION 'cache';
BEGIN;
DO $$ BEGIN PERFORM corm.cache_set('after' || i, repeat('y', 1000), cache => 'quiet') FROM generate_series(1, 1000) i; END $$;
SELECT coalesce(corm.cache_get('prepared'), 'gone');
COMMIT;
SELECT count(*) FROM generate_series(1, 1000) i WHERE corm.cache_get('after' || i, 'quiet') = repeat('y', 1000);
ROLLBACK PREPARED 'cache';
SELECT 'rolled back';
SQL

#
# Databases with a live notifier are copied and dropped, the extension is dropped, at once (hardening 27)
#
sub busy_database
{
	my ($name) = @_;
	value("CREATE DATABASE $name");
	$node->safe_psql($name, q{CREATE EXTENSION corm; SELECT corm.cache_set('d', 'x'); SELECT corm.cache_delete('d')});
	notifier($name);
	return;
}
sub at_once
{
	my ($sql, $what) = @_;
	my $started = time;
	value($sql);
	cmp_ok(time - $started, '<=', 5, "$what takes at most 5 seconds");
	return;
}
busy_database('busy');
at_once('CREATE DATABASE copy TEMPLATE busy', 'CREATE DATABASE from one with a notifier');
at_once('DROP DATABASE busy', 'DROP DATABASE');
busy_database('busy');
at_once('ALTER DATABASE busy RENAME TO busier', 'renaming one');
$node->safe_psql('busier', q{SELECT corm.cache_set('d', 'x'); SELECT corm.cache_delete('d')});
at_once('DROP DATABASE busier WITH (FORCE)', 'DROP DATABASE WITH (FORCE)');
busy_database('busy');
my $started = time;
$node->safe_psql('busy', 'DROP EXTENSION corm');
cmp_ok(time - $started, '<=', 5, 'DROP EXTENSION takes at most 5 seconds');
$node->safe_psql('busy', 'CREATE EXTENSION corm');
is($node->safe_psql('busy', 'SELECT corm.cache_count(), corm.cache_get(\'d\') IS NULL'), '0|t', 'and leaves nothing behind');
is(value('SELECT count(*) FROM corm.cache_check()'), '0', 'the cache is sound');

#
# Every way to stop, with both workers at work
#
quit($listener);
for my $mode ('smart', 'fast', 'immediate')
{
	value(q{SELECT corm.cache_set('s' || i, i, '1 second') FROM generate_series(1, 1000) i; SELECT corm.cache_set('d', 'x'); SELECT corm.cache_delete('d')});
	notifier('postgres');
	at_stop($mode);
}
sub at_stop
{
	my ($mode) = @_;
	my $offset = -s $node->logfile;
	my $started = time;
	$node->stop($mode);
	cmp_ok(time - $started, '<=', 10, "$mode stop does not wait for the workers");
	unlike(substr(slurp_file($node->logfile), $offset), qr/PANIC|TRAP|terminated by signal 11|could not (?!send data to client)/, "$mode stop: nothing bad in the log");
	unlike(substr(slurp_file($node->logfile), $offset), qr/FATAL.*corm launcher/, "$mode stop: the sweeper goes without an error");
	$node->start;
	is(value('SELECT corm.wait_ready()'), 't', 'and it starts again');
	return;
}
$node->stop;

#
# No slot for a notifier: events wait, and go out when there is one (hardening 26)
#
my $narrow = PostgreSQL::Test::Cluster->new('narrow');
$narrow->init;
# one slot is the logical replication launcher's, one the sweeper's: one is left for the notifiers of two databases
$narrow->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\ncorm.cache_size = '2MB'\nmax_worker_processes = 3\ncorm.sweep_interval = '1h'\n");
$narrow->start;
$narrow->safe_psql('postgres', 'CREATE EXTENSION corm; CREATE DATABASE second TEMPLATE postgres');
for my $database ('postgres', 'second')
{
	$narrow->safe_psql($database, q{SELECT corm.cache_set('d', 'x'); SELECT corm.cache_delete('d')});
	ok($narrow->poll_query_until('postgres', 'SELECT events_pending = 0 FROM corm.cache_status()'), 'the first database has a notifier') if $database eq 'postgres';
}
is($narrow->safe_psql('second', q{SELECT corm.cache_set('k', 'v'); SELECT corm.cache_get('k')}), "\nv", 'the cache of the second works without');
is($narrow->safe_psql('second', 'SELECT events_pending, notifier_pid IS NULL, events_lost FROM corm.cache_status()'), '1|t|0', 'its event waits');

# After a minute they are given up; later ones go out all the same.
if (($ENV{PG_TEST_EXTRA} // '') =~ /\bcache\b/)
{
	for (1 .. 12)
	{
		# the other notifier would leave when it is idle for a minute
		$narrow->safe_psql('postgres', q{SELECT corm.cache_set('d', 'x'); SELECT corm.cache_delete('d')});
		sleep(6);
		last if $narrow->safe_psql('second', 'SELECT events_lost FROM corm.cache_status()') > 0;
	}
	is($narrow->safe_psql('second', 'SELECT events_pending, events_lost FROM corm.cache_status()'), '0|1', 'the event is given up after a minute');
	like(slurp_file($narrow->logfile), qr/could not start a cache notifier for database \d+, its events are dropped.*increase max_worker_processes/s, 'with a line in the log');
	$narrow->safe_psql('second', q{SELECT corm.cache_set('e', 'x'); SELECT corm.cache_delete('e')});
}
$narrow->safe_psql('postgres', 'SELECT pg_terminate_backend(notifier_pid) FROM corm.cache_status()');
ok($narrow->poll_query_until('second', 'SELECT events_pending = 0 AND notifier_pid IS NOT NULL FROM corm.cache_status()'), 'when a slot is free it goes out, however long the sweep interval');
$narrow->stop;

done_testing();
