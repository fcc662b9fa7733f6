# PostgreSQL has room for ten relcache callbacks in a session, and other libraries need theirs: corm takes one, in
# src/base/relcache.c, and everything else asks that file.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

for my $path (source_files('c', 'h'))
{
	next if $path eq 'src/base/relcache.c';
	my $source = without_c_comments(read_file($path));
	while ($source =~ /\bCacheRegisterRelcacheCallback\b/g)
	{
		problem($path, 1 + substr($source, 0, $-[0]) =~ tr/\n//, 'CacheRegisterRelcacheCallback outside src/base/relcache.c');
	}
}

finish();
