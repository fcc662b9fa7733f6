# Every symbol that corm.so exports starts with corm_: the dynamic linker has one name space for all
# libraries that the server loads.  Needs the build.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my $library = root() . '/corm.so';
if (!-e $library)
{
	problem('corm.so', undef, 'not built: run make first');
	finish();
}

open(my $nm, '-|', 'nm', '-D', '--defined-only', '--format=posix', $library) or die "nm: $!\n";
while (<$nm>)
{
	my ($symbol) = split;
	next if $symbol =~ /^(?:corm_|pg_finfo_corm_|Pg_magic_func$|_PG_init$|_init$|_fini$)/;
	# What the compiler adds to a build that counts coverage
	next if $symbol =~ /^(?:__gcov_|mangle_path$)/;
	problem('corm.so', undef, "exports $symbol");
}
close $nm or die "nm failed\n";

finish();
