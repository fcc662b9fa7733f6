# pg_upgrade from one major version of PostgreSQL to the next, with everything that corm stores (hardening 32).
#
# CORM_INSTALLATIONS names the installations, oldest first, each with corm installed: script/check-upgrade.  After each
# step the data are as they were, everything works and goes on, and the extension's catalog is that of a fresh one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t";
use CormUpgrade;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @installations = split /:/, $ENV{CORM_INSTALLATIONS} // '';
die "CORM_INSTALLATIONS names fewer than two installations\n" if @installations < 2;

# cluster(installation): a new cluster of it.  Checksums are asked for because 18 has them by default and pg_upgrade wants
# both sides to agree.
sub cluster
{
	my ($installation) = @_;
	(my $name = $installation) =~ s/\W+/_/g;
	my $node = PostgreSQL::Test::Cluster->new("node$name", install_path => $installation);
	$node->init(extra => [ '--data-checksums', '--locale=C', '--encoding=UTF8' ]);
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\ncorm.cache_size = '4MB'\nlog_min_messages = debug1\n");
	return $node;
}

# Since November 2026 minor versions note with each column, as an option, when it changed.  Where the new server is of an
# older minor version, no table at all can be upgraded, with corm or without; then the option goes.
sub forget_column_versions
{
	my ($old, $new) = @_;
	$new->start;
	my ($status, $out, $err) = $new->psql('postgres', 'CREATE TEMP TABLE t (c int); ALTER TABLE t ALTER COLUMN c SET (pg_attver = 1)');
	$new->stop;
	return unless $err =~ /unrecognized parameter "pg_attver"/;
	for my $database (split /\n/, $old->safe_psql('postgres', 'SELECT datname FROM pg_database WHERE datallowconn'))
	{
		$old->safe_psql(
			$database, q{SET allow_system_table_mods = on;
			UPDATE pg_attribute SET attoptions = NULLIF(ARRAY(SELECT o FROM unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%'), '{}')
			WHERE attoptions::text LIKE '%pg_attver=%'});
	}
	return;
}

my $node = cluster($installations[0]);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE owner_of_caches; CREATE DATABASE plain; CREATE DATABASE app');
$node->safe_psql('plain', 'CREATE EXTENSION corm');
$node->safe_psql('app', $everything);

my $expected = $node->safe_psql('app', $state_of_everything);
like($expected, qr/^enum\|\[\{"name": "Ada"\}\]/m, 'a stored query with a value of an enum answers') or diag($expected);
like($expected, qr/^wide\|\[\{"name": "Ada"\}\]/m, 'so does one that is stored out of line');
like($expected, qr/^1\|public\.watch\(corm\.query_context\)\|books/m, 'a middleware is registered') or diag($expected);

everything_works($node, 'app', 'before');
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION corm');
is(differences(extension_catalog($node, 'plain'), extension_catalog($node, 'fresh')), '', 'two fresh catalogs are the same');
$node->safe_psql('postgres', 'DROP DATABASE fresh');

for my $installation (@installations[ 1 .. $#installations ])
{
	my ($version) = $node->safe_psql('postgres', 'SHOW server_version') =~ /(\d+)/;
	my $new = cluster($installation);
	forget_column_versions($node, $new);
	$node->stop;
	$new->command_ok(
		[
			'pg_upgrade', '--no-sync', '--retain', '-d', $node->data_dir, '-D', $new->data_dir, '-b', $node->config_data('--bindir'), '-B', $new->config_data('--bindir'),
			'-s', $new->host, '-p', $node->port, '-P', $new->port
		],
		"pg_upgrade to $installation") or diag(map { slurp_file($_) } glob($new->data_dir . '/pg_upgrade_output.d/*/log/*.log'));
	my ($log) = glob($new->data_dir . '/pg_upgrade_output.d/*/log/pg_upgrade_server.log');
	like(slurp_file($log), qr/database system is ready/, 'the servers ran meanwhile,');
	unlike(slurp_file($log), qr/worker process "corm/, '... and none of them a worker of corm');
	$new->start;
	my ($new_version) = $new->safe_psql('postgres', 'SHOW server_version') =~ /(\d+)/;
	my $step = "$version to $new_version";
	like(slurp_file($new->logfile), qr/worker process "corm/, "$step: corm's workers run, and are logged");
	is($new->safe_psql('app', $state_of_everything), $expected, "$step: everything is as it was");
	everything_works($new, 'app', $step);
	$new->safe_psql('postgres', 'CREATE DATABASE fresh');
	$new->safe_psql('fresh', 'CREATE EXTENSION corm');
	is(differences(extension_catalog($new, 'plain'), extension_catalog($new, 'fresh')), '', "$step: the catalog is that of a fresh installation");
	$new->safe_psql('postgres', 'DROP DATABASE fresh');
	$new->safe_psql('plain', q{DROP EXTENSION corm; CREATE EXTENSION corm});
	$node = $new;
}

# Stored values were never rewritten: a dump of the last server restores.
my $dump = $node->basedir . '/dump.sql';
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('app') ], 'pg_dump afterwards');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('restored') ], '... restored');
is($node->safe_psql('restored', $state_of_everything), $expected, '... is the same');

$node->stop;
done_testing();
