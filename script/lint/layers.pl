# A folder of src/ includes headers only of itself and of the folders before it in the list of Lint.pm.  That
# keeps each part readable and testable without the ones built on it.
#
# A layer may have rooms, src/LAYER/ROOM/, which come before it in the list.  Their headers are the layer's own:
# other layers see those in src/LAYER/ only, which its rooms may include, too.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my %level = levels();

for my $path (source_files('c', 'h', 'def'))
{
	next unless $path =~ m{^src/(.+)/};
	my $folder = $1;
	if (!exists $level{$folder})
	{
		problem($path, undef, "folder \"$folder\" is none of the layers " . join(', ', sort { $level{$a} <=> $level{$b} } keys %level));
		next;
	}
	my $line = 0;
	for (split /\n/, read_file($path))
	{
		$line++;
		next unless /^\s*#\s*include\s+"([^"]+)"/;
		my $header = $1;
		if ($header =~ m{\.\./} || ($header !~ m{/} && -e root() . "/src/$folder/$header"))
		{
			problem($path, $line, "include \"$header\": name it from src/");
			next;
		}
		my ($other) = $header =~ m{^(.+)/} or next;
		next unless exists $level{$other} && -e root() . "/src/$header";
		my $layer = $folder =~ s{/.*}{}r;
		if ($level{$other} > $level{$folder} && $other ne $layer)
		{
			problem($path, $line, "layer \"$folder\" includes \"$header\" of the layer \"$other\" above it");
		}
		if ($other =~ m{^(.+?)/} && $1 ne $layer)
		{
			problem($path, $line, "layer \"$folder\" includes \"$header\", which is for the layer \"$1\" alone");
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
