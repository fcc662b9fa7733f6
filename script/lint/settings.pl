# Every setting of src/base/guc.c is explained in docs/settings.md, and no other.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my (%defined, %documented);
my $page = 'docs/settings.md';

for my $path (source_files('c'))
{
	my $source = without_c_comments(read_file($path));
	for (c_calls($source, 'DefineCustom(?:Bool|Int|Real|String|Enum)Variable'))
	{
		my ($line, $arguments) = @$_;
		my ($name) = $arguments =~ /^\s*"([^"]+)"/ or next;
		$defined{$name} = 1;
		problem($path, $line, "setting $name is defined outside src/base/guc.c") unless $path eq 'src/base/guc.c';
	}
}
my $line = 0;
for (split /\n/, read_file($page))
{
	$line++;
	# A setting is introduced by a heading or in the first cell of a table's row.
	$documented{$1} //= $line if /^(?:#+\s*|\|\s*)`(corm\.\w+)`/;
}
for (sort keys %defined) { problem($page, undef, "does not explain $_") unless $documented{$_}; }
for (sort keys %documented) { problem($page, $documented{$_}, "there is no setting $_") unless $defined{$_}; }

finish();
