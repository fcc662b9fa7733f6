# Hardening 2.  The extension's scripts create their objects, and fail if one is there already.  With OR REPLACE or
# IF NOT EXISTS they would adopt an object that somebody planted, and its owner could change it later.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

for my $path (files('sql/*.sql', 'corm--*--*.sql'))
{
	for (sql_statements(read_file($path)))
	{
		my ($line, $text) = @$_;
		next unless $text =~ /^(?:CREATE|ALTER)\b/i;
		# What is quoted is not a command of the script, unless it is the body of a function.
		$text =~ s/'(?:[^']|'')*'//g;
		problem($path, $line, 'CREATE OR REPLACE') if $text =~ /\bCREATE\s+OR\s+REPLACE\b/i;
		problem($path, $line, 'IF NOT EXISTS') if $text =~ /\bIF\s+NOT\s+EXISTS\b/i;
	}
}

finish();
