# Each bug that the oracle's self-test plants has its place: its text stands exactly once in src/.  The self-test is seldom run;
# without this rule a mutant would be lost for long when the source changes.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my $mutants = 'test/oracle/mutants.py';

for my $path (grep { -e root() . "/$_" } files($mutants))
{
	open(my $output, '-|', '/usr/bin/python3', '-B', root() . "/$path", '--check', root() . '/src') or die "python3: $!";
	my @lines = grep { /\S/ } <$output>;
	chomp @lines;
	problem($path, 0, $_) for @lines;
	problem($path, 0, 'fails') if !close($output) && !@lines;
}

finish();
