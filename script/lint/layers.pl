# A folder of src/ includes headers only of itself and of the folders below it, in this order.  That
# keeps each part readable and testable without the ones built on it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my @order = qw(base model query cache tx exec);
my %level = map { $order[$_] => $_ } 0 .. $#order;

for my $path (files('src/*/*.c', 'src/*/*.h', 'src/*/*.def'))
{
	my ($folder) = $path =~ m{^src/([^/]+)/};
	if (!exists $level{$folder})
	{
		problem($path, undef, "folder \"$folder\" is none of the layers " . join(', ', @order));
		next;
	}
	my $line = 0;
	for (split /\n/, read_file($path))
	{
		$line++;
		next unless /^\s*#\s*include\s+"([^"]+)"/;
		my $header = $1;
		if ($header =~ m{\.\./})
		{
			problem($path, $line, "include \"$header\": name it from src/");
		}
		elsif ($header =~ m{^([^/]+)/} && exists $level{$1} && -e root() . "/src/$header" && $level{$1} > $level{$folder})
		{
			problem($path, $line, "layer \"$folder\" includes \"$header\" of the layer \"$1\" above it");
		}
	}
}

# Nor may it reach around the headers, with a declaration of its own.
for my $path (files('src/*/*.c'))
{
	my $source = without_c_comments(read_file($path));
	while ($source =~ /^extern\b[^\n]*\b(corm_\w+)/mg)
	{
		my $line = 1 + substr($source, 0, $-[0]) =~ tr/\n//;
		problem($path, $line, "extern $1: declare it in the folder's header");
	}
}

finish();
