
# What the cache survives and what it does not: a crash, a clean restart with and without corm.cache_warm_restart, the
# end of its workers, DROP DATABASE and DROP EXTENSION, dump and restore.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'corm'
corm.cache_size = '16MB'
restart_after_crash = on
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION corm');
$node->safe_psql('postgres', q{SELECT corm.cache_create('named', ttl => '1 hour'), corm.cache_create('shown', channel => 'other', events => '{expired}')});

sub value { return $node->safe_psql('postgres', $_[0]); }

sub sweepers { return value(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'corm launcher'}); }

sub fill
{
	value(q{SELECT corm.cache_set('text', 'some text'), corm.cache_set('int', 42), corm.cache_set('n', 'named', cache => 'named'),
		corm.cache_set('large', repeat('x', 1000000)), corm.cache_set('short', 'x', '1 second'), corm.cache_set('array', ARRAY[1,2])});
	return;
}

is(value("SELECT corm.wait_ready()"), 't', 'ready');
is(sweepers(), '1', 'one sweeper');

#
# kill -9 (hardening 19)
#
fill();
my ($in, $out) = ('', '');
my $victim = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \my $err);
$in = "SELECT pg_backend_pid();\nBEGIN; SELECT count(corm.cache_set('v' || i, i)) FROM generate_series(1, 1000) i;\n";
$victim->pump until $out =~ /^\d+\n1000\n/m;
my ($pid) = $out =~ /^(\d+)/;
kill 'KILL', $pid;
$victim->finish;
ok($node->poll_query_until('postgres', 'SELECT corm.wait_ready()'), 'the server restarts by itself');
is(value(q{SELECT corm.cache_get('text') IS NULL AND corm.cache_count() = 0 AND corm.cache_count('named') = 0}), 't', 'the cache is empty');
is(value('SELECT count(*) FROM corm.cache_check()'), '0', 'and sound');
is(sweepers(), '1', 'one sweeper');
fill();
is(value(q{SELECT corm.cache_get('text')}), 'some text', 'it works');
is(value(q{SELECT corm.cache_ttl('n', 'named') > '59 min'}), 't', 'named caches are what they were');

#
# the sweeper is terminated (hardening 20)
#
my $sweeper = value('SELECT sweeper_pid FROM corm.cache_status()');
value("SELECT pg_terminate_backend($sweeper)");
ok($node->poll_query_until('postgres', "SELECT sweeper_pid <> $sweeper FROM corm.cache_status()"), 'a terminated sweeper is replaced');
is(sweepers(), '1', 'by one');
is(value(q{SELECT corm.cache_get('text')}), 'some text', 'the cache stays');
ok($node->poll_query_until('postgres', q{SELECT corm.cache_set('swept', 'x', '1 millisecond') IS NOT NULL}, 't'), 'an entry that expires');
ok($node->poll_query_until('postgres', q{SELECT corm.cache_count() = 4}), 'it is swept without being read, and so is the short one');

#
# restarts
#
$node->restart;
is(value(q{SELECT corm.cache_get('text') IS NULL}), 't', 'a restart empties the cache');
ok(!-e $node->data_dir . '/pg_stat/corm_cache.dat', 'nothing was written');

value('ALTER SYSTEM SET corm.cache_warm_restart = on');
value('SELECT pg_reload_conf()');
fill();
value(q{SELECT corm.cache_set('t', 'x', '1 day'), corm.cache_set('ages', 'x', '36500 days', 'named')});
my $created = value(q{SELECT created_at FROM corm.cache_info('text')});
for my $mode ('fast', 'smart')
{
	$node->stop($mode);
	ok(-e $node->data_dir . '/pg_stat/corm_cache.dat', "$mode stop: the entries are written");
	$node->start;
	# by the sweeper, once the server runs
	for (1 .. 1800) { last unless -e $node->data_dir . '/pg_stat/corm_cache.dat'; select(undef, undef, undef, 0.1); }
	ok(!-e $node->data_dir . '/pg_stat/corm_cache.dat', 'and the file removed when they are read');
	is(value(q{SELECT corm.cache_get('text'), corm.cache_get_as(NULL::int, 'int'), corm.cache_get('n', 'named'), corm.cache_get('large') = repeat('x', 1000000),
		corm.cache_get_as(NULL::int[], 'array')}), 'some text|42|named|t|{1,2}', 'entries are back');
	is(value(q{SELECT created_at FROM corm.cache_info('text')}), $created, 'with the time they were made');
	is(value(q{SELECT corm.cache_ttl('t') BETWEEN '23:00' AND '24:00', corm.cache_ttl('n', 'named') <= '1 hour', corm.cache_ttl('text') IS NULL}), 't|t|t', 'and the time they have left');
	is(value(q{SELECT corm.cache_ttl('ages', 'named') > '36000 days'}), 't', 'however long that is');
	is(value('SELECT count(*) FROM corm.cache_check()'), '0', 'the cache is sound');
}
value(q{SELECT corm.cache_set('gone', 'x', '100 milliseconds')});
$node->stop('fast');
select(undef, undef, undef, 0.2);
$node->start;
is(value(q{SELECT corm.cache_get('gone') IS NULL, corm.cache_get('text')}), 't|some text', 'what expired meanwhile is not back');

sub with_file
{
	my ($what, $spoil, $log) = @_;
	my $file = $node->data_dir . '/pg_stat/corm_cache.dat';
	fill();
	$node->stop('fast');
	$spoil->($file);
	my $offset = -s $node->logfile;
	$node->start;
	is(value(q{SELECT corm.cache_get('text') IS NULL, corm.cache_count()}), 't|0', "$what: the cache is empty");
	like(substr(slurp_file($node->logfile), $offset), $log, "$what: the log says why");
	ok(!-e $file, "$what: the file is gone");
	is(value('SELECT count(*) FROM corm.cache_check()'), '0', "$what: the cache is sound");
	return;
}

sub patch
{
	my ($file, $position, $bytes) = @_;
	open(my $handle, '+<:raw', $file) or die "$file: $!";
	seek($handle, $position, 0);
	print $handle $bytes;
	close $handle;
	return;
}
with_file('torn', sub { truncate($_[0], (-s $_[0]) / 2) or die $! }, qr/ignoring file .*damaged/);
with_file('empty', sub { truncate($_[0], 0) or die $! }, qr/ignoring file .*damaged/);
with_file('one byte changed', sub { patch($_[0], 200, "\xff") }, qr/ignoring file .*damaged/);
with_file('something else', sub { open(my $h, '>', $_[0]) or die $!; print $h 'x' x 10000; close $h }, qr/ignoring file .*damaged/);
{
	my $other = PostgreSQL::Test::Cluster->new('other');
	$other->init;
	$other->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\ncorm.cache_warm_restart = on\ncorm.cache_size = '16MB'\n");
	$other->start;
	$other->safe_psql('postgres', q{CREATE EXTENSION corm; SELECT corm.cache_set('text', 'foreign')});
	$other->stop('fast');
	with_file('of another cluster', sub { unlink $_[0]; system('cp', $other->data_dir . '/pg_stat/corm_cache.dat', $_[0]) == 0 or die }, qr/ignoring file .*another server/);
}
with_file('of an earlier shutdown', sub {
	# the server runs and stops once without corm
	$node->append_conf('postgresql.auto.conf', "shared_preload_libraries = ''\n");
	$node->start;
	$node->stop('fast');
	$node->append_conf('postgresql.auto.conf', "shared_preload_libraries = 'corm'\n");
}, qr/ignoring file .*not from the last shutdown/);
with_file('switched off', sub { $node->append_conf('postgresql.auto.conf', "corm.cache_warm_restart = off\n") }, qr/ignoring file .*is off/);

# immediate shutdown and crash leave none
value('ALTER SYSTEM SET corm.cache_warm_restart = on');
value('SELECT pg_reload_conf()');
fill();
$node->stop('immediate');
ok(!-e $node->data_dir . '/pg_stat/corm_cache.dat', 'an immediate stop writes nothing');
$node->start;
is(value(q{SELECT corm.cache_get('text') IS NULL}), 't', 'and the cache is empty');

# a control file that cannot be read is no error at the end of the server (an immediate stop does not write it)
for my $case ([ 'gone', undef, qr{LOG:  could not open file "global/pg_control"} ],
	[ 'damaged', 'x' x 8192, qr{LOG:  file "global/pg_control" is damaged} ])
{
	my ($what, $content, $message) = @$case;
	my $control = $node->data_dir . '/global/pg_control';
	fill();
	rename($control, "$control.away") or die $!;
	append_to_file($control, $content) if defined $content;
	my $offset = -s $node->logfile;
	$node->stop('immediate');
	my $log = substr(slurp_file($node->logfile), $offset);
	like($log, $message, "a control file that is $what: the log says so");
	unlike($log, qr/FATAL|PANIC|ERROR/, 'and nothing is raised');
	rename("$control.away", $control) or die $!;
	$node->start;
	is(value(q{SELECT corm.cache_get('text') IS NULL}), 't', 'the cache is empty');
}

# a smaller cache takes what fits
value(q{SELECT count(corm.cache_set('k' || i, repeat('x', 1000), immediate => true)) FROM generate_series(1, 9000) i});
$node->stop('fast');
$node->append_conf('postgresql.conf', "corm.cache_size = '2MB'\n");
$node->start;
is(value('SELECT corm.cache_count() BETWEEN 500 AND 2000'), 't', 'a smaller cache takes what fits');
is(value('SELECT count(*) FROM corm.cache_check()'), '0', 'and is sound');
is(value(q{SELECT corm.cache_set('k', 'v'); SELECT corm.cache_get('k')}), "\nv", 'and works');

#
# databases, the extension, dumps
#
value('CREATE DATABASE other');
$node->safe_psql('other', q{CREATE EXTENSION corm; SELECT corm.cache_set('text', 'of other'), corm.cache_set('d', 'x')});
value(q{SELECT corm.cache_set('text', 'of postgres')});
is($node->safe_psql('other', q{SELECT corm.cache_get('text')}), 'of other', 'databases do not see each other');
is(value(q{SELECT corm.cache_get('text')}), 'of postgres', 'neither way');
$node->safe_psql('other', q{SELECT corm.cache_delete('d')});
ok($node->poll_query_until('other', 'SELECT notifier_pid IS NOT NULL FROM corm.cache_status()'), 'a notifier runs in it');
my $started = time;
# a role that is dropped in a database where it has nothing leaves its caches behind in the others, under its number
value('CREATE ROLE ghost');
my $ghost = value(q{SELECT oid FROM pg_roles WHERE rolname = 'ghost'});
$node->safe_psql('postgres', q{SET ROLE ghost; SELECT corm.cache_create('haunted')});
value(q{SELECT corm.cache_grant('shown', 'ghost', '{read}'), corm.cache_set('k', 'v', cache => 'haunted')});
value(q{SELECT corm.pool_create('shown'), corm.topic_create('shown')});
value(q{SELECT corm.pool_grant('shown', 'ghost', '{submit,manage}'), corm.topic_grant('shown', 'ghost', '{receive}')});
$node->safe_psql('other', 'DROP ROLE ghost');
is(value(q{SELECT name, owner, grants FROM corm.caches WHERE name IN ('haunted', 'shown') ORDER BY name}),
	"haunted|$ghost|\nshown|postgres|{$ghost=read}", 'it is shown by its number, as by PostgreSQL');
is(value(q{SELECT corm.cache_get('k', 'haunted')}), 'v', 'a superuser can use the cache');
is(value(q{SELECT name FROM corm.caches WHERE owner NOT IN (SELECT oid FROM pg_roles)}), 'haunted', 'it can be found');
$node->command_ok([ 'pg_dump', '-f', '/dev/null', 'postgres' ], 'and dumped');
value("SELECT corm.cache_revoke('shown', '$ghost', '{read}'), corm.cache_drop('haunted')");
is(value(q{SELECT count(*) FROM corm.caches WHERE owner NOT IN (SELECT oid FROM pg_roles) OR grants::text LIKE '%read%' AND name = 'shown'}), '0', 'and removed');
value("SELECT corm.pool_revoke('shown', '$ghost', '{submit}'), corm.topic_revoke('shown', '$ghost', '{receive}')");
is(value(qq{SELECT (SELECT string_agg(grantee || '/' || can_submit || '/' || can_manage, ' ') FROM corm.pool_grants WHERE grantee::oid = $ghost),
	(SELECT count(*) FROM corm.topic_grants WHERE grantee::oid = $ghost)}), "$ghost/false/true|0", 'so can privileges on pools and topics');

value('CREATE DATABASE copy TEMPLATE other');
value('DROP DATABASE other');
ok(time - $started < 10, 'neither copying nor dropping that database waits for the notifier to be idle');
is($node->safe_psql('copy', q{SELECT corm.cache_get('text') IS NULL}), 't', 'the copy has a cache of its own');
$node->safe_psql('copy', q{SELECT corm.cache_set('text', 'x')});
value('DROP DATABASE copy WITH (FORCE)');
is(value('SELECT count(*) FROM corm.cache_check()'), '0', 'the cache is sound');

my $dump = $node->basedir . '/dump.sql';
value(q{SELECT corm.cache_revoke('default', '-', '{write}')});
value(q{CREATE ROLE friend; SELECT corm.cache_grant('shown', 'friend', '{read,write}')});
my $caches = value('SELECT * FROM corm.caches ORDER BY name');
$node->command_ok([ 'pg_dump', '-f', $dump, 'postgres' ], 'pg_dump');
value('CREATE DATABASE restored');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', 'restored', '-f', $dump ], 'restore');
is($node->safe_psql('restored', 'SELECT * FROM corm.caches ORDER BY name'), $caches, 'definitions and grants are restored');
is($node->safe_psql('restored', q{SELECT corm.cache_set('k', 1, cache => 'named'); SELECT corm.cache_get('k', 'named')}), "\n1", 'and work');
is(value(q{SELECT corm.cache_get('k', 'named') IS NULL}), 't', 'apart from those they were dumped from');

value(q{SELECT corm.cache_set('left', 'behind', cache => 'named')});
$started = time;
value('DROP EXTENSION corm');
ok(time - $started < 5, 'DROP EXTENSION is quick');
value('CREATE EXTENSION corm');
is(value(q{SELECT corm.cache_get('text') IS NULL, corm.cache_count()}), 't|0', 'and leaves nothing behind');

$node->stop;
done_testing();
