
# The cache of a standby is its own (hardening 35): reads and writes work, nothing is notified; promotion brings the notifier.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\ncorm.cache_size = '4MB'\n");
$primary->start;
$primary->safe_psql('postgres', q{CREATE EXTENSION corm; SELECT corm.cache_create('named', channel => 'named'), corm.cache_create('closed')});
$primary->safe_psql('postgres', q{SELECT corm.cache_close('closed'); SELECT corm.cache_set('k', 'of the primary')});
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery(), corm.wait_ready()'), 't|t', 'the sweeper runs on the standby');
is($standby->safe_psql('postgres', q{SELECT corm.cache_get('k') IS NULL}), 't', 'entries are not replicated');
$standby->safe_psql('postgres', q{SELECT corm.cache_set('k', 'of the standby', cache => 'named', immediate => true), corm.cache_set('t', 'x')});
is($standby->safe_psql('postgres', q{SELECT corm.cache_get('k', 'named'), corm.cache_get('t'), corm.cache_incr('n')}), 'of the standby|x|1', 'immediate and transactional writes work');
is($primary->safe_psql('postgres', q{SELECT corm.cache_get('k'), corm.cache_get('k', 'named')}), 'of the primary|', 'the primary does not see them');
is($standby->safe_psql('postgres', q{SELECT corm.cache_fetch('f', 'SELECT 1')}), '1', 'fetch works');
my ($status, $stdout, $stderr) = $standby->psql('postgres', q{SELECT corm.cache_create('new')});
like($stderr, qr/recovery|read-only/, 'caches cannot be defined there');
# A6b: that a transaction cannot be begun as it was asked for is raised; it is no outcome of the body
($status, $stdout, $stderr) = $standby->psql('postgres', q{CALL corm.run_tx('SELECT 1', corm.tx(isolation => 'serializable'), NULL)});
like("$stdout|$stderr", qr/^\|.*ERROR:  cannot use serializable mode in a hot standby/s, 'A6b: run_tx raises what is wrong with its transaction');
is($standby->safe_psql('postgres', q{CALL corm.run_tx('SELECT 1 AS one', corm.tx(isolation => 'repeatable read'), NULL)}), q{(t,"[{""one"": 1}]",,,,,,,,,,,corm_tx_1)}, 'A6b: ... and runs one that can be had');
($status, $stdout, $stderr) = $standby->psql('postgres', q{SELECT corm.cache_get('k', 'closed')});
like($stderr, qr/cache "closed" is closed/, 'but definitions are replicated');
$standby->safe_psql('postgres', q{SELECT corm.cache_set('s', 'x', '1 millisecond')});
ok($standby->poll_query_until('postgres', q{SELECT swept + expired > 0 FROM corm.cache_stats WHERE cache = 'default'}), 'the sweeper sweeps');
$standby->safe_psql('postgres', q{SELECT corm.cache_delete('k', 'named')});
is($standby->safe_psql('postgres', q{SELECT count(*) FROM corm.cache_events() WHERE cache = 'named' AND key = 'k'}), '1', 'events are recorded');
is($standby->safe_psql('postgres', 'SELECT events_pending, notifier_pid IS NULL FROM corm.cache_status()'), '0|t', 'but wait for no notifier');

$standby->promote;
$standby->safe_psql('postgres', q{SELECT corm.cache_set('p', 'x', cache => 'named')});
$standby->safe_psql('postgres', q{SELECT corm.cache_delete('p', 'named')});
ok($standby->poll_query_until('postgres', 'SELECT notifier_pid IS NOT NULL AND events_pending = 0 FROM corm.cache_status()'), 'promotion brings the notifier');
is($standby->safe_psql('postgres', q{SELECT corm.cache_get('t')}), 'x', 'entries stay');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM corm.cache_check()'), '0', 'the cache is sound');

$standby->stop;
$primary->stop;
done_testing();
