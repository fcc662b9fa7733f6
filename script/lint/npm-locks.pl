# A package-lock.json names no registry: it must work with whichever one the user's npm is set up for.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

for my $path (files('*/package-lock.json', '*/*/package-lock.json'))
{
	my $line = 0;
	for (split /\n/, read_file($path))
	{
		$line++;
		problem($path, $line, 'names a registry') if /"resolved"\s*:/;
	}
}

finish();
