
# Many databases share one cache: as many as there are slots for namespaces may use it, a slot that a dropped database had
# serves another, and nobody finds anything of a database that is gone (hardening 27).

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
# the least there can be: 35 namespaces
$primary->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\ncorm.cache_size = '2MB'\ncorm.max_caches = 1\ncorm.event_interval = '1ms'\n");
$primary->start;
sub value { return $primary->safe_psql(@_); }

# More databases than a database may have caches
value('postgres', q{CREATE EXTENSION corm; SELECT corm.cache_create('named')});
value('postgres', "CREATE DATABASE d$_ TEMPLATE postgres") for 1 .. 12;
is(value("d$_", q{SELECT corm.cache_set('k', current_database()); SELECT corm.cache_get('k')}), "\nd$_", "database $_") for 1 .. 3;

# A database created anew with the OID of a dropped one knows nothing of that
value('postgres', 'CREATE DATABASE again TEMPLATE postgres OID 99999');
value('again', q{SELECT corm.cache_set('secret', 'x'), corm.cache_set('kept', 'x'); SELECT corm.cache_delete('secret')});
is(value('again', 'SELECT seq, key FROM corm.cache_events()'), '1|secret', 'an event');
value('postgres', 'DROP DATABASE again');
value('postgres', 'CREATE DATABASE again TEMPLATE postgres OID 99999');
is(value('again', q{SELECT corm.cache_get('kept') IS NULL, corm.cache_count()}), 't|0', 'the same OID: no entry');
is(value('again', 'SELECT count(*) FROM corm.cache_events()'), '0', 'and no event');
value('postgres', 'DROP DATABASE again');

# A database whose slot another has taken meanwhile goes on with its event numbers: subscribers would take new ones for old.
# With every slot in use, that takes some time.
if (($ENV{PG_TEST_EXTRA} // '') =~ /\bcache\b/)
{
	value('postgres', q{SELECT corm.cache_set('k' || i, i, immediate => true), corm.cache_delete('k' || i, immediate => true) FROM generate_series(1, 3) i});
	ok($primary->poll_query_until('postgres', 'SELECT events_pending = 0 AND notifier_pid IS NOT NULL FROM corm.cache_status()'), 'events are notified');
	value('postgres', 'DROP EXTENSION corm');
	for (1 .. 35)
	{
		value('postgres', 'CREATE DATABASE passing TEMPLATE d1');
		value('passing', q{SELECT corm.cache_get('k')});
		value('postgres', 'DROP DATABASE passing');
	}
	value('postgres', q{CREATE EXTENSION corm; SELECT corm.cache_create('named'); SELECT corm.cache_set('k', 'x'); SELECT corm.cache_delete('k')});
	is(value('postgres', 'SELECT seq > 3, key FROM corm.cache_events()'), 't|k', 'event numbers go on');
}
is(value('postgres', 'SELECT count(*) FROM corm.cache_check()'), '0', 'the cache is sound');

# A standby is not told that a database is dropped, and finds out when it has no slot left
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
# three namespaces a database: two caches, and query results
my $fill = q{SELECT corm.cache_set('k', 'x', immediate => true), corm.cache_set('k', 'x', cache => 'named', immediate => true)};
$standby->safe_psql("d$_", "$fill, corm.count(corm.selector('pg_am'), corm.cached('1 hour'))") for 1 .. 11;
$standby->safe_psql('d12', $fill);
my ($status, $stdout, $stderr) = $standby->psql('postgres', q{SELECT corm.cache_set('k', 'x', immediate => true)});
like($stderr, qr/too many caches in use/, 'every slot has entries');
value('postgres', 'DROP DATABASE d7');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
is($standby->safe_psql('postgres', q{SELECT corm.cache_set('k', 'x', immediate => true); SELECT corm.cache_get('k')}), "\nx", 'a dropped database makes room');
is($standby->safe_psql('d8', q{SELECT corm.cache_get('k'), corm.cache_get('k', 'named')}), 'x|x', 'the others keep theirs');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM corm.cache_check()'), '0', 'the cache is sound');
$standby->stop;
$primary->stop;

done_testing();
