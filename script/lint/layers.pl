# A folder of src/ includes headers only of itself and of the folders before it in this list.  That keeps
# each part readable and testable without the ones built on it.  A layer may have rooms, folders of their
# own in it; they are listed here with their layer's own folder, in the order in which they are built on each
# other.  LAYER/LAYER.h is what other layers see of a layer, and its rooms may include it, too.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my @order = qw(
	base
	model
	query
	cache/shared
	cache/workers
	cache/definitions
	cache/operations
	cache
	tx
	exec
);
my %level = map { $order[$_] => $_ } 0 .. $#order;

for my $path (source_files('c', 'h', 'def'))
{
	next unless $path =~ m{^src/(.+)/};
	my $folder = $1;
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
		elsif ($header =~ m{^(\w+)/\1\.h$} && $folder =~ m{^\Q$1\E/})
		{
			next;
		}
		elsif ($header =~ m{^(.+)/} && exists $level{$1} && -e root() . "/src/$header" && $level{$1} > $level{$folder})
		{
			problem($path, $line, "layer \"$folder\" includes \"$header\" of the layer \"$1\" above it");
		}
		elsif ($header !~ m{/} && -e root() . "/src/$folder/$header")
		{
			problem($path, $line, "include \"$header\": name it from src/");
		}
	}
}

# Nor may it reach around the headers, with a declaration of its own.
for my $path (source_files('c'))
{
	my $source = without_c_comments(read_file($path));
	while ($source =~ /^extern\b[^\n]*\b(corm_\w+)/mg)
	{
		my $line = 1 + substr($source, 0, $-[0]) =~ tr/\n//;
		problem($path, $line, "extern $1: declare it in the folder's header");
	}
}

finish();
