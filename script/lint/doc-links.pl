# Links between the pages of the documentation lead somewhere, heading included; docs/README.md names every
# page of docs/, and docs/reference.md every page of docs/reference/.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

# The anchors of a page's headings, made as the forges do
sub anchors
{
	my ($path) = @_;
	my (%anchors, %seen);
	my $fenced = 0;
	for (split /\n/, read_file($path))
	{
		$fenced = !$fenced if /^\s*```/;
		next if $fenced || !/^#+\s+(.*?)\s*$/;
		my $anchor = lc $1;
		$anchor =~ s/[^\w\- ]//g;
		$anchor =~ s/ /-/g;
		my $count = $seen{$anchor}++;
		$anchors{ $count ? "$anchor-$count" : $anchor } = 1;
	}
	return \%anchors;
}

for my $path (files('*.md', 'docs/*.md', 'docs/*/*.md', 'src/*.md', 'bench/*.md'))
{
	my ($directory) = $path =~ m{^(.*/)?[^/]*$};
	$directory //= '';
	my $line = 0;
	my $fenced = 0;
	for (split /\n/, read_file($path))
	{
		$line++;
		$fenced = !$fenced if /^\s*```/;
		next if $fenced;
		my $text = s/`[^`]*`//gr;
		while ($text =~ /\]\(([^)\s]+)\)/g)
		{
			my $link = $1;
			next if $link =~ /^(?:https?|mailto):/;
			my ($file, $anchor) = split /#/, $link, 2;
			my $target = $file eq '' ? $path : $directory . $file;
			1 while $target =~ s{(^|/)(?!\.\.)[^/]+/\.\./}{$1};
			if (!-e root() . "/$target")
			{
				problem($path, $line, "no such file: $link");
			}
			elsif (defined $anchor && $target =~ /\.md$/ && !anchors($target)->{$anchor})
			{
				problem($path, $line, "no such heading: $link");
			}
		}
	}
}

for ([ 'docs/README.md', 'docs/*.md' ], [ 'docs/reference.md', 'docs/reference/*.md' ])
{
	my ($index, $pages) = @$_;
	my $text = read_file($index);
	for my $path (files($pages))
	{
		my $name = $path =~ s{^docs/}{}r;
		problem($index, undef, "has no link to $name") unless "docs/$name" eq $index || $text =~ /\]\(\Q$name\E\)/;
	}
}

finish();
