# src/base/errors.h and docs/errors.md list the same SQLSTATEs of corm's own, and no code is written
# anywhere else in the C source.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my (%defined, %documented);
my $header = 'src/base/errors.h';
my $page = 'docs/errors.md';

my $line = 0;
for (split /\n/, read_file($header))
{
	$line++;
	next unless /^#define\s+(\w+)\s+MAKE_SQLSTATE\(\s*'(.)',\s*'(.)',\s*'(.)',\s*'(.)',\s*'(.)'\s*\)/;
	my ($name, $code) = ($1, "$2$3$4$5$6");
	problem($header, $line, "$code has the name $defined{$code} already") if $defined{$code};
	problem($header, $line, "$name does not start with CORM_ERRCODE_") unless $name =~ /^CORM_ERRCODE_/;
	$defined{$code} = $name;
}

$line = 0;
for (split /\n/, read_file($page))
{
	$line++;
	$documented{$1} //= $line while /\b(OR[0-9]{3})\b/g;
}

for (sort keys %defined) { problem($page, undef, "does not explain $_ ($defined{$_})") unless $documented{$_}; }
for (sort keys %documented) { problem($page, $documented{$_}, "$_ is not in $header") unless $defined{$_}; }

for my $path (source_files('c', 'h'))
{
	next if $path eq $header;
	my $source = without_c_comments(read_file($path));
	while ($source =~ /\bMAKE_SQLSTATE\s*\(/g)
	{
		problem($path, 1 + substr($source, 0, $-[0]) =~ tr/\n//, "MAKE_SQLSTATE outside $header");
	}
}

finish();
