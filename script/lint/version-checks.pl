# PG_VERSION_NUM stands in src/base/compat.h and compat.c alone; everything else is written for one API.  Nor is a header
# included that in some version wants those of a library that is not there.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

for my $path (source_files('c', 'h', 'def'))
{
	next if $path =~ m{^src/base/compat\.[ch]$};
	my $source = without_c_comments(read_file($path));
	while ($source =~ /\bPG_VERSION_NUM\b/g)
	{
		problem($path, 1 + substr($source, 0, $-[0]) =~ tr/\n//, 'PG_VERSION_NUM outside src/base/compat.h');
	}
	while ($source =~ m{#include "utils/pg_locale\.h"}g)
	{
		problem($path, 1 + substr($source, 0, $-[0]) =~ tr/\n//, 'utils/pg_locale.h wants ICU\'s headers; src/base/compat.h has some of it');
	}
}

finish();
