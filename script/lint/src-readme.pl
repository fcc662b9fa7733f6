# src/README.md has one line on every source file, which also stands for the header beside it, and names every file that installs a hook or callback in
# PostgreSQL; every source file begins with a comment that names it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my $readme = read_file('src/README.md');
my ($files, $entries) = split /^## Where corm enters PostgreSQL$/m, $readme;
my $enters = qr/\b(?:Register(?:Xact|SubXact)Callback|CacheRegister\w+|Register(?:Dynamic)?BackgroundWorker
	|RegisterTimeout|on_shmem_exit|\w+_hook\ =\ (?!NULL)|\*find_rendezvous_variable)/x;
my @sources = source_files('c', 'h', 'def');

for my $path (@sources)
{
	my ($name) = $path =~ m{([^/]+)$};
	my ($relative) = $path =~ m{^src/(.*)$};
	my $lines = () = $files =~ /^\| `\Q$relative\E` \|/mg;
	my $beside = $path =~ /^(.*)\.h$/ && -e root() . "/$1.c" && $lines == 0;
	problem('src/README.md', undef, "has $lines lines on $relative")
		unless $lines == 1 || $beside || $path eq 'src/corm.c';
	problem('src/README.md', undef, "does not say that $relative installs a hook or callback")
		if $path =~ /\.c$/ && read_file($path) =~ $enters && ($entries // '') !~ /`\Q$relative\E`/;
	problem($path, undef, "does not begin with a comment that names $name")
		unless read_file($path) =~ m{^/\*-*\n \*\n \* \Q$name\E\n \*\t\t\S};
}
while ($readme =~ /`((?:\w+\/)+\w+\.(?:c|h|def))`/g)
{
	problem('src/README.md', undef, "there is no src/$1") unless -e root() . "/src/$1";
}

finish();
