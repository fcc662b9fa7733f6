# PG_VERSION_NUM stands in src/base/compat.h alone; everything else is written for one API.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

for my $path (source_files('c', 'h', 'def'))
{
	next if $path eq 'src/base/compat.h';
	my $source = without_c_comments(read_file($path));
	while ($source =~ /\bPG_VERSION_NUM\b/g)
	{
		problem($path, 1 + substr($source, 0, $-[0]) =~ tr/\n//, 'PG_VERSION_NUM outside src/base/compat.h');
	}
}

finish();
