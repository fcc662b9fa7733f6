# hardening 62
# Durable topics survive restarts, crashes and dumps; topics in memory begin anew, with their definitions.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\nmax_worker_processes = 16\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION corm');

sub sql { return $node->safe_psql('postgres', $_[0]); }
my $lags = q{SELECT string_agg(topic || '.' || grp || '=' || lag || '/' || in_hand, ' ' ORDER BY topic, grp) FROM corm.groups};

sql(q{SELECT corm.topic_create('d', durable => true, capacity => 100000, dedup => '1 hour'), corm.topic_create('m'),
	corm.subscribe('d', 'a'), corm.subscribe('d', 'b', ack => 'manual'), corm.subscribe('d', 'c', ordered => true), corm.subscribe('m', 'a')});
sql(q{SELECT corm.publish_many('d', (SELECT array_agg(n) FROM generate_series(1, 10) n)), corm.publish('m', 'x'),
	corm.publish('d', 'eleven', dedup_id => 'eleven')});
sql(q{SELECT corm.receive('d', 'a', 4)});
sql(q{SELECT corm.receive('d', 'b', 5)});
sql(q{SELECT corm.ack('d', 'b', 2, 4, 5)});
is(sql($lags), 'd.a=7/0 d.b=8/2 d.c=11/0 m.a=1/0', 'before');
# of a's messages, most are settled; sizes are those before compression
sql(q{SELECT corm.topic_create('b', durable => true, max_bytes => 250000), corm.subscribe('b', 'a'), corm.subscribe('b', 'c')});
sql(q{SELECT corm.publish('b', repeat('x', n)) FROM unnest(ARRAY[5000, 6000, 7000, 100000, 100000]) n});
sql(q{SELECT count(*) FROM corm.receive('b', 'a', 4)});
sql(q{SELECT count(*) FROM corm.receive('b', 'c', 2)});
my $bytes = q{SELECT bytes FROM corm.topics WHERE name = 'b'};
is(sql($bytes), '207000', 'bytes from the oldest message on that is not settled');

$node->restart;
is(sql($bytes), '207000', 'bytes after a restart');
isnt($node->psql('postgres', q{SELECT corm.publish('b', repeat('x', 43001))}), 0, 'too many bytes');
is(sql(q{SELECT corm.publish('b', repeat('x', 43000))}), '2', 'and just as many as there is room for');
sql(q{SELECT corm.topic_drop('b')});
is(sql($lags), 'd.a=7/0 d.b=8/0 d.c=11/0 m.a=0/0', 'after a restart: what was in hand is given back, what was in memory is gone');
is(sql(q{SELECT string_agg(seq::text, ' ') FROM corm.receive('d', 'b', 4)}), '1 3 6 7', 'not what was acknowledged');
is(sql(q{SELECT corm.publish('d', 'eleven', dedup_id => 'eleven')}), '0', 'an id is remembered');
is(sql(q{SELECT corm.publish('m', 'y')}), '1', 'the groups of topics in memory are there');
is(sql(q{SELECT seq || payload FROM corm.receive('m', 'a')}), '1y', 'and their numbers begin anew');

# A crash with transactions under way: what had committed is there, what had not is not.
my ($in, $out, $err) = ('', '', '');
my $open = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err);
$in .= "BEGIN; SELECT corm.publish('d', 'uncommitted'); SELECT count(*) FROM corm.receive('d', 'a', 3); SELECT 'ready';\n";
$open->pump until $out =~ /ready/ || $err;
$node->stop('immediate');
eval { $open->finish };
$node->start;
is(sql($lags), 'd.a=7/0 d.b=8/0 d.c=11/0 m.a=0/0', 'after a crash');
is(sql(q{SELECT corm.publish('d', 'twelve')}), '3', 'publishing goes on');
is(sql(q{SELECT string_agg(seq || ':' || payload, ' ') FROM corm.receive('d', 'a', 100)}), '5:5 6:6 7:7 8:8 9:9 10:10 11:eleven 12:twelve',
	'each message once, in order, without gaps');

# Seeks and purges survive, too.
sql(q{SELECT corm.seek('d', 'a', 11), corm.seek('d', 'c', 12)});
$node->stop('immediate');
$node->start;
is(sql($lags), 'd.a=2/0 d.b=9/0 d.c=1/0 m.a=0/0', 'a seek after a crash');
is(sql(q{SELECT string_agg(seq::text, ' ') FROM corm.receive('d', 'a', 100)}), '11 12', 'and what comes after it');
sql(q{SELECT corm.purge('d')});

# Killed again and again, with publishers and receivers at work: nothing is lost, nothing settled comes twice.
sql('CREATE TABLE sent (n int); CREATE TABLE got (seq bigint, n int)');
sql(q{SELECT corm.unsubscribe('d', 'b'), corm.unsubscribe('d', 'c')});
my $n = 0;
for my $cycle (1 .. 6)
{
	my @clients;
	for my $client (1 .. 2)
	{
		my $script = '';
		$script .= sprintf("BEGIN; INSERT INTO sent VALUES (%d); SELECT corm.publish('d', %d); COMMIT;\n", $n, $n), $n++ for 1 .. 300;
		my $receive = "BEGIN; INSERT INTO got SELECT seq, payload::int FROM corm.receive('d', 'a', 3); COMMIT;\n" x 300;
		for my $text ($script, $receive)
		{
			my $file = $node->basedir . "/script_${cycle}_${client}_" . scalar(@clients);
			append_to_file($file, $text);
			my $ignored = '';
			push @clients, IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('postgres'), '-f', $file ], '>', \$ignored, '2>', \$ignored);
		}
	}
	# once some of it is done
	my $goal = sql('SELECT count(*) FROM got') + 20;
	$node->poll_query_until('postgres', "SELECT count(*) >= $goal FROM got");
	$node->stop('immediate');
	$_->finish for @clients;
	$node->start;
	is(sql(q{SELECT count(*) FROM (SELECT seq FROM got GROUP BY 1 HAVING count(*) > 1) s}), '0', "cycle $cycle: no message twice");
	sql('SELECT corm.topic_rotate()') if $cycle % 2;
}
sql(q{INSERT INTO got SELECT seq, payload::int FROM corm.receive('d', 'a', 100000)});
is(sql('SELECT count(*) FROM sent FULL JOIN got USING (n) WHERE sent.n IS NULL OR got.n IS NULL'), '0', 'every message that was sent came once');
is(sql('SELECT count(*) = count(DISTINCT seq) AND max(seq) - min(seq) + 1 = count(*) FROM got'), 't', 'numbers have no gaps');
is(sql('SELECT count(*) FROM corm.work_check()'), '0', 'shared memory is sound');

# A purge leaves what is in hand, and what was settled after it stays settled; what the retention keeps goes.
sql(q{SELECT corm.topic_create('p', durable => true, retention => '1 day'), corm.subscribe('p', 'm', ack => 'manual', lease => '1 hour'),
	corm.subscribe('p', 'c')});
sql(q{SELECT corm.publish_many('p', (SELECT array_agg(n) FROM generate_series(1, 6) n))});
sql(q{SELECT corm.receive('p', 'm', 3)});
sql(q{BEGIN; SELECT corm.purge('p'); SELECT corm.ack('p', 'm', 2); COMMIT;});
sql(q{SELECT corm.ack('p', 'm', 1), corm.publish('p', 7)});
my $left = q{SELECT string_agg(grp || '=' || lag, ' ' ORDER BY grp) FROM corm.groups WHERE topic = 'p'};
is(sql($left), 'c=1 m=2', 'after a purge');
$node->restart;
is(sql($left), 'c=1 m=2', 'and a restart');
is(sql(q{SELECT string_agg(seq::text, ' ') FROM corm.receive('p', 'm', 9)}), '3 7', 'what was in hand comes again');
sql(q{SELECT corm.ack('p', 'm', 3, 7), corm.receive('p', 'c', 9)});
sql(q{SELECT corm.seek('p', 'c', 1), corm.subscribe('p', 'late', start => 'all')});
is(sql($left), 'c=1 late=1 m=0', 'what is purged cannot be sought');
$node->restart;
is(sql($left), 'c=1 late=1 m=0', 'nor after a restart');
sql(q{SELECT corm.topic_drop('p')});

# What makes way for newer messages does not come again, as far as there is room for it.
sql(q{SELECT corm.topic_create('o', durable => true, capacity => 3, overflow => 'drop_oldest'), corm.subscribe('o', 'g')});
sql(q{SELECT corm.publish_many('o', (SELECT array_agg(n) FROM generate_series(1, 6) n))});
$node->restart;
is(sql(q{SELECT string_agg(seq::text, ' ') FROM corm.receive('o', 'g', 9)}), '4 5 6', 'the oldest are dropped after a restart, too');
sql(q{SELECT corm.topic_drop('o')});

# Dumped and restored: definitions, privileges, messages and what was settled.
sql(q{SELECT corm.publish_many('d', ARRAY['x', 'y', 'z']), corm.topic_grant('d', '-', '{publish}')});
sql(q{SELECT corm.receive('d', 'a', 2)});
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'restored');
is($node->safe_psql('restored', q{SELECT name, durable, capacity, grants FROM corm.topics ORDER BY name}),
	"d|t|100000|{PUBLIC=publish}\nm|f|1000|", 'definitions');
is($node->safe_psql('restored', q{SELECT payload FROM corm.receive('d', 'a', 10)}), 'z', 'messages');
is(sql($lags), 'd.a=1/0 m.a=0/0', 'the other database has its own');
$node->safe_psql('postgres', 'DROP DATABASE restored');

# A dump that begins before a rotation, and reads the tables after it.
{
	my ($in, $out) = ('', '');
	my $locker = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out);
	sql('CREATE TABLE blocker (n int)');
	$in .= "BEGIN; LOCK TABLE blocker; SELECT 'locked';\n";
	$locker->pump until $out =~ /locked/;
	my $ignored;
	my $dumper = IPC::Run::start([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], '>', \$ignored, '2>', \$ignored);
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'blocker'::regclass AND NOT granted});
	sql('SELECT corm.topic_rotate()') for 1 .. 4;
	$in .= "COMMIT; \\q\n";
	$locker->finish;
	ok($dumper->finish, 'a dump that waits while tables are rotated');
	$node->safe_psql('postgres', 'CREATE DATABASE restored');
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], '... restored');
	is($node->safe_psql('restored', q{SELECT payload FROM corm.receive('d', 'a', 10)}), 'z', '... has the messages');
	$node->safe_psql('postgres', 'DROP DATABASE restored');
}
is(sql('SELECT count(*) FROM corm.work_check()'), '0', 'nothing is left of a dropped database');

# No snapshot while a CALL waits.
my ($win, $wout, $werr) = ('', '', '');
my $waiter = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$win, '>', \$wout, '2>', \$werr);
$win .= "CALL corm.receive('m', 'a', 1, '1 hour', NULL);\n";
$waiter->pump_nb;
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Extension' AND query LIKE 'CALL corm.receive%'})
	or die 'nobody waits';
is(sql(q{SELECT backend_xmin IS NULL FROM pg_stat_activity WHERE query LIKE 'CALL corm.receive%'}), 't', 'a CALL that waits holds no snapshot');
sql(q{SELECT corm.publish('m', 'woken')});
$win .= "\\q\n";
$waiter->finish;
like($wout, qr/woken/, 'and is woken');

$node->stop;
done_testing();
