# Every function, type, table and view of the script has a COMMENT ON: \df+ and \dt+ are documentation too.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my (%created, %commented);

for my $path (files('sql/*.sql'))
{
	for (sql_statements(read_file($path)))
	{
		my ($line, $text) = @$_;
		if ($text =~ /^CREATE\s+(?:FUNCTION|PROCEDURE|AGGREGATE)\s+(.*)/is)
		{
			my $signature = signature($1);
			$created{"function $signature"} = [ $path, $line ] if defined $signature;
		}
		elsif ($text =~ /^CREATE\s+(TYPE|DOMAIN|TABLE|VIEW|SCHEMA)\s+([\w.]+)(\s*$)?/i)
		{
			# "CREATE TYPE name" alone is the shell that the real one fills.
			$created{ lc "$1 $2" } = [ $path, $line ] unless uc $1 eq 'TYPE' && defined $3;
		}
		elsif ($text =~ /^COMMENT\s+ON\s+(?:FUNCTION|PROCEDURE|AGGREGATE|ROUTINE)\s+(.*?)\s+IS\s+'\s*[^'\s]/is)
		{
			my $signature = signature($1);
			$commented{"function $signature"} = [ $path, $line ] if defined $signature;
		}
		elsif ($text =~ /^COMMENT\s+ON\s+(TYPE|DOMAIN|TABLE|VIEW|SCHEMA)\s+([\w.]+)\s+IS\s+'\s*[^'\s]/i)
		{
			$commented{ lc "$1 $2" } = [ $path, $line ];
		}
	}
}

for (sort keys %created)
{
	problem(@{ $created{$_} }, "$_ has no COMMENT ON") unless $commented{$_};
}

finish();
