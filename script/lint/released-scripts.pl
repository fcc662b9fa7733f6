# A released script is never changed: databases were made with it, and what leads from it to the next version was
# tested with it.  script/freeze notes the checksums.  The parts in sql/ may not change either until
# corm.control names the next version; and from every released version a script or several lead to the present one.

use strict;
use warnings;

use Digest::SHA;
use FindBin;
use lib $FindBin::Bin;
use Lint;

my $sums_path = 'sql/released/SHA256SUMS';
my ($current) = read_file('corm.control') =~ /^default_version *= *'(.*)'/m or die "corm.control has no default_version\n";
problem('corm.control', undef, "default_version is not of the form 1.0: $current") unless $current =~ /^\d+\.\d+$/;

my %sum;
if (-e root() . "/$sums_path")
{
	for (split /\n/, read_file($sums_path))
	{
		/^([0-9a-f]{64})  (\S+)$/ or do { problem($sums_path, undef, "not a checksum and a path: $_"); next; };
		problem($sums_path, undef, "names $2 twice") if $sum{$2};
		$sum{$2} = $1;
	}
}
for my $path (sort keys %sum)
{
	if (!-e root() . "/$path") { problem($sums_path, undef, "there is no $path"); next; }
	problem($path, undef, 'has changed since it was released')
		if Digest::SHA->new(256)->addfile(root() . "/$path")->hexdigest ne $sum{$path};
}

my %leads_to;
for my $path (files('corm--*--*.sql'))
{
	my ($from, $to) = $path =~ /^corm--(\d+\.\d+)--(\d+\.\d+)\.sql$/
		or do { problem($path, undef, 'is not named corm--A--B.sql with two versions'); next; };
	push @{ $leads_to{$from} }, $to;
	problem($path, undef, 'does not begin with an \echo that keeps psql from running it')
		unless read_file($path) =~ /^\\echo .*\\quit$/m;
}

my @versions;
for my $path (files('sql/released/*'))
{
	next if $path eq $sums_path;
	my ($version) = $path =~ m{/corm--(\d+\.\d+)\.sql$} or do { problem($path, undef, 'is no script of a version'); next; };
	push @versions, $version;
	problem($path, undef, "has no checksum in $sums_path") unless $sum{$path};
	if ($version eq $current)
	{
		my $parts = join('', map { read_file($_) } files('sql/*.sql'));
		my $frozen = read_file($path) =~ s/^\\echo .*\n//r;
		problem('corm.control', undef, "version $current is released, but sql/ makes another script: raise default_version")
			if $parts ne $frozen;
	}
}
for my $version (@versions)
{
	my @reached = ($version);
	my %seen = ($version => 1);
	while (defined(my $from = shift @reached))
	{
		push @reached, grep { !$seen{$_}++ } @{ $leads_to{$from} // [] };
	}
	problem('corm.control', undef, "no script leads from version $version to $current") unless $seen{$current};
}

finish();
