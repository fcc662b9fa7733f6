# Each test has its expected output and each expected output its test; and no test bears the name of a
# part of the extension's script, which pg_regress would run in its place.  One expected file per test:
# what it prints is the same on every version of PostgreSQL.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my %tests;
for my $path (files('test/sql/*.sql', 'test/specs/*.spec'))
{
	my ($name) = $path =~ m{([^/]+)\.\w+$};
	problem($path, undef, "a test of this name exists already: $tests{$name}") if $tests{$name};
	$tests{$name} = $path;
	problem($path, undef, "no expected/$name.out") unless -e root() . "/expected/$name.out";
	problem($path, undef, "pg_regress would run sql/$name.sql instead") if -e root() . "/sql/$name.sql";
}
for my $path (files('expected/*'))
{
	my ($name) = $path =~ m{([^/]+)\.out$};
	problem($path, undef, 'no such test in test/sql or test/specs') unless defined $name && $tests{$name};
}
for my $path (files('test/sql/*', 'test/specs/*', 'test/pgtap/*'))
{
	problem($path, undef, 'no suite runs this file') unless $path =~ /\.(?:sql|spec)$/;
}

finish();
