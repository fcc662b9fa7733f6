# src/README.md has a line on every source file, and every source file begins with a comment that names it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my $readme = read_file('src/README.md');
my @sources = files('src/*.c', 'src/*/*.c', 'src/*/*.h', 'src/*/*.def');

for my $path (@sources)
{
	my ($name) = $path =~ m{([^/]+)$};
	my ($relative) = $path =~ m{^src/(.*)$};
	problem('src/README.md', undef, "has no line on $relative") unless $readme =~ /`\Q$relative\E`/;
	problem($path, undef, "does not begin with a comment that names $name")
		unless read_file($path) =~ m{^/\*-*\n \*\n \* \Q$name\E\n \*\t\t\S};
}
while ($readme =~ /`(\w+\/\w+\.(?:c|h|def))`/g)
{
	problem('src/README.md', undef, "there is no src/$1") unless -e root() . "/src/$1";
}

finish();
