# Nothing committed names a directory of the machine it was written on.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my $directories = qr{(?<![\w.*\}])/(?:w[o]rk|f[a]rm|h[o]me/\w+|r[o]ot|tmp/pg[s]rc|opt/p[g]\w*)(?:/|\b(?![-\w]))};

my @paths;
if (-e root() . '/.git')
{
	@paths = split /\0/, qx(git -c safe.directory='*' -C '@{[ root() ]}' ls-files -z --cached --others --exclude-standard);
	die "git lists no file\n" unless @paths;
}
else
{
	@paths = files('*', '.*/*', '*/*', '*/*/*', '*/*/*/*');
}
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
