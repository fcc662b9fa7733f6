# META.json is what PGXN's Meta Spec 1.0.0 asks for, and its version is the extension's; so is that of the Debian
# package and the newest in the changelog.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use lib $FindBin::Bin;
use Lint;

my $path = 'META.json';
my $meta = eval { JSON::PP->new->utf8->decode(read_file($path)) };
if (!defined $meta || ref $meta ne 'HASH')
{
	problem($path, undef, 'is not a JSON object: ' . ($@ || 'another value'));
	finish();
}
my $semver = qr/^\d+\.\d+\.\d+(?:-[A-Za-z][0-9A-Za-z-]*)?$/;
my %licenses = map { $_ => 1 }
	qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0
	mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib open_source restricted unrestricted unknown);
my %known = map { $_ => 1 } qw(abstract description generated_by license maintainer meta-spec name no_index prereqs provides
	release_status resources tags version);

sub is_text { return defined $_[0] && !ref $_[0] && $_[0] =~ /\S/ }

# A string or a list of strings
sub is_texts { return ref $_[0] eq 'ARRAY' ? @{ $_[0] } > 0 && !grep { !is_text($_) } @{ $_[0] } : is_text($_[0]) }

for my $key (qw(abstract license maintainer meta-spec name provides version))
{
	problem($path, undef, "has no \"$key\"") unless defined $meta->{$key};
}
for my $key (sort keys %$meta)
{
	problem($path, undef, "\"$key\" is no key of the specification") unless $known{$key} || $key =~ /^x_/i;
}
problem($path, undef, '"name" is not a name of at least two characters without space, slash and control characters')
	unless is_text($meta->{name}) && $meta->{name} =~ m{^[^\s/\\[:cntrl:]]{2,}$};
for my $key (qw(abstract description generated_by))
{
	problem($path, undef, "\"$key\" is not text") if exists $meta->{$key} && !is_text($meta->{$key});
}
problem($path, undef, '"maintainer" is not text or a list of texts') unless is_texts($meta->{maintainer});
problem($path, undef, '"version" is not a semantic version') unless is_text($meta->{version}) && $meta->{version} =~ $semver;
if (ref $meta->{license} eq 'HASH')
{
	for (sort keys %{ $meta->{license} })
	{
		problem($path, undef, "the license \"$_\" has no URL")
			unless ($meta->{license}{$_} // '') =~ m{^https?://\S+$};
	}
}
else
{
	my @names = ref $meta->{license} eq 'ARRAY' ? @{ $meta->{license} } : ($meta->{license} // ());
	problem($path, undef, "\"$_\" is no license of the specification") for grep { !$licenses{$_} } @names;
}
my $spec = $meta->{'meta-spec'};
problem($path, undef, '"meta-spec" has no version 1.0.x')
	unless ref $spec eq 'HASH' && ($spec->{version} // '') =~ /^1\.0\.\d+$/;
if (ref $meta->{provides} eq 'HASH' && %{ $meta->{provides} })
{
	for my $name (sort keys %{ $meta->{provides} })
	{
		my $entry = $meta->{provides}{$name};
		for my $key (qw(file docfile))
		{
			next if $key eq 'docfile' && !exists $entry->{$key};
			problem($path, undef, "\"$name\" has no \"$key\" that exists")
				unless is_text($entry->{$key}) && -f root() . "/$entry->{$key}";
		}
		problem($path, undef, "\"$name\" has no semantic version") unless is_text($entry->{version}) && $entry->{version} =~ $semver;
		problem($path, undef, "\"$name\" is of another version") if ($entry->{version} // '') ne ($meta->{version} // '');
	}
}
else
{
	problem($path, undef, '"provides" is not an object with the extension');
}
for my $phase (sort keys %{ $meta->{prereqs} // {} })
{
	problem($path, undef, "\"$phase\" is no phase of prerequisites") unless $phase =~ /^(?:configure|build|test|runtime|develop|x_.*)$/i;
	for my $relation (sort keys %{ $meta->{prereqs}{$phase} })
	{
		problem($path, undef, "\"$relation\" is no relation of prerequisites")
			unless $relation =~ /^(?:requires|recommends|suggests|conflicts|x_.*)$/i;
		for my $name (sort keys %{ $meta->{prereqs}{$phase}{$relation} })
		{
			problem($path, undef, "the prerequisite $name has no version")
				unless $meta->{prereqs}{$phase}{$relation}{$name} =~ /^(?:0|\d+\.\d+\.\d+)$/;
		}
	}
}
problem($path, undef, '"release_status" is none')
	if exists $meta->{release_status} && $meta->{release_status} !~ /^(?:stable|testing|unstable)$/;
for my $tag (@{ $meta->{tags} // [] })
{
	problem($path, undef, "\"$tag\" is no tag") unless is_text($tag) && length $tag <= 255 && $tag !~ m{[/\\[:cntrl:]]};
}

# One version everywhere: 1.0 in corm.control is 1.0.0 to those who count to three.
my ($version) = read_file('corm.control') =~ /^default_version *= *'(.*)'/m;
problem($path, undef, "\"version\" is not that of corm.control, $version.0") if ($meta->{version} // '') ne "$version.0";
if (-e root() . '/debian/changelog')
{
	problem('debian/changelog', 1, "does not begin with version $version.0")
		unless read_file('debian/changelog') =~ /\Acorm \(\Q$version.0\E-\d+\) /;
}
my ($newest) = read_file('CHANGELOG.md') =~ /^## (\S+)/m;
problem('CHANGELOG.md', undef, "does not begin with version $version") if ($newest // '') ne $version;

finish();
