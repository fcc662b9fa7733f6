# What a header declares is used in more than one .c file, or else is static in its file; and no folder of
# src/ uses what is defined in one above it, whatever headers say, so that the folders have no circle.
#
# Test modules and the inline functions and macros of headers count as users.  Functions of SQL, and what is
# exported to other libraries, are declared for PostgreSQL.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my $name = qr/\bcorm_\w+/;
my %level = levels();
my (%source, %declared, %defined, %users, %exempt);

for my $path (source_files('c', 'h', 'def'), files('test/modules/*/*.c'))
{
	$source{$path} = without_c_comments(read_file($path)) =~ s/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/""/gr;
}

for my $path (grep { m{^src/.*\.h$} } sort keys %source)
{
	my $header = $source{$path};
	while ($header =~ /^extern\b([^;{]*);/mg)
	{
		my ($declaration, $line) = ($1, 1 + substr($header, 0, $-[0]) =~ tr/\n//);
		$exempt{$1} = 1 if $declaration =~ /PGDLLEXPORT.*?($name)/s;
		$declaration =~ s/\bpg_attribute_\w+.*//s;
		$declared{$1} = [ $path, $line ]
			if $declaration =~ /\(\s*\*\s*($name)/ || $declaration =~ /($name)\s*(?:\(|\[|$)/;
	}
}

for my $path (grep { /\.c$/ } sort keys %source)
{
	my $text = $source{$path};
	$exempt{$1} = 1 while $text =~ /\bPG_FUNCTION_INFO_V1\(($name)\)/g;
	next unless $path =~ m{^src/};
	$defined{$1} //= $path while $text =~ /^(?!static\b|extern\b)\w[\w \t*]*\n($name)\(/mg;
	$defined{$1} //= $path while $text =~ /^(?!static\b|extern\b|typedef\b|return\b)\w[\w \t*]*?($name)(?:\[[^\]\n]*\])*\s*(?:=|;)/mg;
}

for my $path (sort keys %source)
{
	my $text = $source{$path};
	if ($path =~ /\.h$/)
	{
		# what is left of a header without its declarations is inline functions and macros
		$text =~ s/^extern\b[^;{]*;//mg;
	}
	$users{$1}{$path} = 1 while $text =~ /($name)/g;
}

for my $symbol (sort keys %declared)
{
	my ($path, $line) = @{ $declared{$symbol} };
	my @users = sort keys %{ $users{$symbol} // {} };
	next if $exempt{$symbol};
	problem($path, $line, "$symbol is used in one file only, @users: make it static there")
		if @users == 1;
	problem($path, $line, "nothing uses $symbol") if @users == 0;
}

for my $symbol (sort keys %defined)
{
	my ($folder) = $defined{$symbol} =~ m{^src/(.+)/} or next;
	for my $path (sort keys %{ $users{$symbol} // {} })
	{
		my ($user) = $path =~ m{^src/(.+)/} or next;
		problem($path, undef, "uses $symbol of $defined{$symbol}, in a folder above it")
			if exists $level{$user} && exists $level{$folder} && $level{$user} < $level{$folder};
	}
}

finish();
