# Regression tests again, under settings of the server that change how statements are planned and what is remembered:
# the results are the same.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = "$FindBin::Bin/../..";

# Runs regression tests in a cluster of their own.
sub same_results
{
	my ($name, $settings, @tests) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => [ '-E', 'UTF8', '--locale=C.UTF-8' ]);
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\n$settings");
	$node->start;
	my $output = "$PostgreSQL::Test::Utils::tmp_check/$name";
	mkdir $output;
	# where pg_regress looks for expected/: its output directory (PostgreSQL 15), or the current one
	symlink("$source/expected", "$output/expected") or die "symlink: $!";
	chdir $output;
	my @command = (
		$ENV{PG_REGRESS}, '--load-extension=corm', '--bindir=', "--inputdir=$source/test",
		"--outputdir=$output", '--host=' . $node->host, '--port=' . $node->port, '--user=' . ($ENV{USER} // getpwuid($<)), @tests);
	my $result = system_log(@command);
	is($result, 0, "the same results with $name") or diag(-e "$output/regression.diffs" ? slurp_file("$output/regression.diffs") : '');
	my $log = slurp_file($node->logfile);
	unlike($log, qr/terminated by signal|PANIC|TRAP/, '... and no crash');
	$node->stop;
}

my $parallel = PostgreSQL::Test::Cluster->new('version')->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';

# hardening 30: every statement that can be is run by a parallel worker.  Verbs never are, builders may.
same_results('parallel_workers', "$parallel = regress\n", qw(reading expressions clauses value_types text_form api));

# generic plans from the first call on, or never: values and shapes are what they are
same_results('generic_plans', "plan_cache_mode = force_generic_plan\n", qw(reading expressions value_types writing schema_change));
same_results('custom_plans', "plan_cache_mode = force_custom_plan\n", qw(expressions schema_change));

done_testing();
