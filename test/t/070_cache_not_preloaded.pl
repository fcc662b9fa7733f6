
# The cache in a server that does not preload the library (hardening 38): the functions say what to do, the views are empty, and
# settings of the cache in the configuration file do no harm.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "corm.cache_size = '32MB'\ncorm.sweep_interval = '2s'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION corm');

my @calls = (
	q{corm.cache_get('k')}, q{corm.cache_get_as(NULL::int, 'k')}, q{corm.cache_set('k', 'v')}, q{corm.cache_set('k', 1)},
	q{corm.cache_add('k', 'v')}, q{corm.cache_replace('k', 'v')}, q{corm.cache_delete('k')}, q{corm.cache_exists('k')},
	q{corm.cache_ttl('k')}, q{corm.cache_expire('k', '1s')}, q{corm.cache_persist('k')}, q{corm.cache_info('k')},
	q{corm.cache_incr('k')}, q{corm.cache_decr('k')}, q{corm.cache_get_many('{k}')}, q{corm.cache_set_many('{}')},
	q{corm.cache_keys()}, q{corm.cache_count()}, q{corm.cache_clear()}, q{corm.cache_fetch('k', 'SELECT 1')},
	q{corm.cache_create('c')}, q{corm.cache_drop('c')}, q{corm.cache_close('c')}, q{corm.cache_open('c')},
	q{corm.cache_grant('c', '-', '{read}')}, q{corm.cache_revoke('c', '-', '{read}')}, q{corm.cache_events()},
	q{corm.cache_status()}, q{corm.cache_check()}, q{corm.wait_ready()});
for my $call (@calls)
{
	my ($status, $stdout, $stderr) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT $call");
	like($stderr, qr/ERROR:  55000: .*\nHINT:  .*shared_preload_libraries = 'corm'/, $call);
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM corm.cache_stats'), '0', 'cache_stats is empty');
is($node->safe_psql('postgres', 'SELECT name FROM corm.caches'), 'default', 'caches shows what is defined');
is($node->safe_psql('postgres', "SELECT corm.underscore('AB'); SHOW corm.cache_size; SHOW corm.sweep_interval"),
	"ab\n32MB\n2s", 'settings are read and shown');
unlike(slurp_file($node->logfile), qr/invalid configuration parameter/, 'no complaint about the settings');

$node->stop;
done_testing();
