# Hardening 3.  Functions in SQL or a procedural language set their search_path, or whoever calls them decides what their
# names mean; and no function runs with the rights of its owner.

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
		next unless $text =~ /^CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s+([\w.]+)/i;
		my $name = $1;
		my $options = $text =~ s/\$(\w*)\$.*?\$\1\$//sr =~ s/'(?:[^']|'')*'//gr;
		problem($path, $line, "$name is SECURITY DEFINER") if $options =~ /\bSECURITY\s+DEFINER\b/i;
		next if $options =~ /\bLANGUAGE\s+(?:C|internal)\b/i;
		problem($path, $line, "$name does not SET search_path = pg_catalog, pg_temp")
			unless $options =~ /\bSET\s+search_path\s*(?:=|TO)\s*pg_catalog\s*,\s*pg_temp\b/i;
	}
}

finish();
