# Everything that corm stores survives pg_dump: plain, in parallel, schema and data apart; and goes on where it was
# (hardening 31).

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use CormUpgrade;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('everything');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\ncorm.cache_size = '4MB'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE owner_of_caches');
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(source plain parallel apart);
$node->safe_psql('source', $everything);
my $expected = $node->safe_psql('source', $state_of_everything);
like($expected, qr/^enum\|\[\{"name": "Ada"\}\]/m, 'a stored query with a value of an enum answers');
like($expected, qr/^named\|.*\|t?f\|/m, 'a cache is defined');
everything_works($node, 'source', 'before');

my $dump = $node->basedir . '/dump';
my @load = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1');

$node->command_ok([ 'pg_dump', '-f', "$dump.sql", 'source' ], 'pg_dump, plain');
$node->command_ok([ @load, '-d', 'plain', '-f', "$dump.sql" ], '... restored');

$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$dump.dir", 'source' ], 'pg_dump in parallel');
$node->command_ok([ 'pg_restore', '-j2', '--exit-on-error', '-d', 'parallel', "$dump.dir" ], '... restored in parallel');

$node->command_ok([ 'pg_dump', '--schema-only', '-f', "$dump.schema.sql", 'source' ], 'pg_dump --schema-only');
$node->command_ok([ 'pg_dump', '--data-only', '-f', "$dump.data.sql", 'source' ], 'pg_dump --data-only');
$node->command_ok([ @load, '-d', 'apart', '-f', "$dump.schema.sql" ], '... restored');
$node->command_ok([ @load, '-d', 'apart', '-f', "$dump.data.sql" ], '... restored');

for my $database (qw(plain parallel apart))
{
	is($node->safe_psql($database, $state_of_everything), $expected, "$database: everything is as it was");
	everything_works($node, $database, $database);
}

$node->stop;
done_testing();
