# Nothing committed names a directory of the machine it was written on.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my $directories = qr{(?<![\w.*\}])/(?:w[o]rk|f[a]rm|h[o]me/\w+|r[o]ot|tmp/pg[s]rc|opt/p[g]\w*)(?:/|\b(?![-\w]))};

# Without git, or outside a repository of it, whatever is there and was not made by a tool
my @paths = split /\0/,
  qx(git -c safe.directory='*' -C '@{[ root() ]}' ls-files -z --cached --others --exclude-standard 2>/dev/null)
  if -e root() . '/.git';
@paths = grep { !m{(?:^|/)(?:node_modules|coverage|results|output_iso)/|^regression\.|^corm--\d} }
  files('*', '.[!.]*', '.[!.g]*/*', '.github/*/*', '*/*', '*/*/*', '*/*/*/*')
  unless @paths;
for my $path (@paths)
{
	next unless -f root() . "/$path" && -T _;
	my $line = 0;
	for (split /\n/, read_file($path))
	{
		$line++;
		problem($path, $line, "names $&") if $_ =~ $directories;
	}
}

finish();
