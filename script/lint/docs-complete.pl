# Every function that the extension's script creates has a section on one page of docs/reference/, under its own
# signature (names of parameters, in order), with an example; no section is about one that is gone; the index in
# docs/reference.md leads to each section.  Every operator is in docs/queries.md, and every node of
# src/query/value/nodes.def, with its arguments, in the grammar there.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/..";
use Builders qw(parse_table);
use Lint;

my $reference = 'docs/reference.md';
my @pages = files('docs/reference/*.md');
my $queries = 'docs/queries.md';

# The names of a signature's parameters, joined by blanks: "x value" for corm.eq(x text, value "any").  A
# parameter without a name is its type's.  OUT parameters are left out.
sub parameters
{
	my ($arguments) = @_;
	my @names;
	my $depth = 0;
	my $argument = '';
	for my $piece ($arguments =~ /'(?:[^']|'')*'|[()]|,|[^'(),]+/g)
	{
		if ($piece eq ',' && $depth == 0) { push @names, $argument; $argument = ''; next; }
		$depth += $piece eq '(' ? 1 : $piece eq ')' ? -1 : 0;
		$argument .= $piece;
	}
	push @names, $argument;
	s/^\s*(?:(?:IN|INOUT|VARIADIC)\s+)?//i for @names;
	s/^"(\w+)" (?=\S)/$1 / for @names;	# a reserved word
	return join ' ', map { /^([\w"]+)/ ? $1 : () } grep { !/^OUT\s/i } @names;
}

# Functions of the script: name => { signature => [file, line] }
my (%functions, %operators);
for my $path (files('sql/*.sql', 'proto/*.sql'))
{
	for (sql_statements(read_file($path)))
	{
		my ($line, $text) = @$_;
		$operators{$1} //= [ $path, $line ] if $text =~ /^CREATE\s+OPERATOR\s+corm_ops\.(\S+)/i;
		next unless $text =~ /^CREATE\s+(?:FUNCTION|PROCEDURE)\s+corm\."?(\w+)"?\s*\(((?:'(?:[^']|'')*'|\((?:[^()])*\)|[^()'])*)\)/i;
		my ($name, $arguments) = ($1, $2);
		# What PostgreSQL needs and nobody calls is listed, without a section.
		next if $text =~ /\b(?:cstring|internal)\b/i || $text =~ /\bRETURNS\s+(?:event_)?trigger\b/i || $name =~ /^list_|_send$/;
		$functions{$name}{ parameters($arguments) } //= [ $path, $line ];
	}
}

# A field name and an expression are documented as one parameter, x.
for my $signatures (values %functions)
{
	for my $signature (keys %$signatures)
	{
		(my $twin = $signature) =~ s/^name\b/x/ or next;
		delete $signatures->{$signature} if $signatures->{$twin};
	}
}

# Signatures of the reference: lines indented by four blanks under a heading that names the function, or several.
# name => { signature => the page and line of its section }
my %documented;
my $index = read_file($reference);
for my $page (@pages)
{
	my $number = 0;
	my ($fenced, %here, $heading, $example);
	my $end_of_section = sub {
		problem($page, $heading, 'the section has no example') if defined $heading && !$example;
	};
	for (split /\n/, read_file($page))
	{
		$number++;
		$fenced = !$fenced if /^```/;
		$example = 1 if /^```sql/;
		next if $fenced;
		if (/^###?\s+(.*?)\s*$/)
		{
			my $title = $1;
			$end_of_section->();
			%here = map { $_ => 1 } $title =~ /\bcorm\.(\w+)/g;
			($heading, $example) = (%here ? $number : undef, 0);
			(my $anchor = lc $title) =~ s/[^\w\- ]//g;
			$anchor =~ tr/ /-/;
			my $link = $page =~ s{^docs/}{}r . "#$anchor";
			for my $name (sort keys %here)
			{
				problem($reference, undef, "the index does not lead from $name to $link")
					unless $index =~ /\[`\Q$name\E(?:\(q\))?`\]\(\Q$link\E\)/;
			}
		}
		next unless /^ {4}corm\.(\w+)\((.*)\) →/ && $here{$1};
		my ($name, $arguments) = ($1, $2);
		s/\bq(?=\)|,|$)/VARIADIC q/, s/"any" \| text/"any"/g, s/text \| corm\.expr/corm.expr/g for $arguments;
		my $signature = parameters($arguments);
		my $section = "$page:$heading";
		problem($page, $number, "corm.$name with the parameters ($signature) has a section at $documented{$name}{$signature} too")
			if ($documented{$name}{$signature} // $section) ne $section;
		$documented{$name}{$signature} = $section;
	}
	$end_of_section->();
}

for my $name (sort keys %functions)
{
	for my $signature (sort keys %{ $functions{$name} })
	{
		my ($path, $line) = @{ $functions{$name}{$signature} };

		# forms that differ in the number of their parameters p1, p2, ... are explained by the one with params
		next if $documented{$name}{ $signature =~ s/\bp1(?: p\d+)*$/params/r };
		problem($path, $line, "no page of docs/reference explains corm.$name with the parameters ($signature)")
			unless exists $documented{$name} && exists $documented{$name}{$signature};
	}
}
for my $name (sort keys %documented)
{
	for my $signature (sort keys %{ $documented{$name} })
	{
		problem(split(/:/, $documented{$name}{$signature}), "there is no corm.$name with the parameters ($signature)")
			unless exists $functions{$name} && exists $functions{$name}{$signature};
	}
}

# Operators and the grammar
my %listed;
my %rows;
for (split /\n/, read_file($queries))
{
	next unless /^\|/;
	(my $row = $_) =~ s/\\\|/\x{1}/g;
	my @cells = map { s/\x{1}/|/gr } split /\s*\|\s*/, $row, -1;
	for my $i (0 .. $#cells - 1)
	{
		$listed{$1} = 1 if $cells[$i] =~ /^`([^`]+)`/;
		$rows{$1} = $cells[ $i + 1 ] if $cells[$i] =~ /^`(\w+)`$/;
	}
}
for (sort keys %operators)
{
	problem(@{ $operators{$_} }, "$queries does not list the operator $_") unless $listed{$_};
}

my %meaning = (
	n => '*name*', o => '*name?*', t => '*sql*', r => '*model*', y => '*type*', i => '*integer*', x => '*field*', v => '*value*',
	j => '*value*', e => '*expr*', q => '*query*', P => '*[field]*', S => '*[field]*', X => '*field...*',
	O => '*field...*', V => '*value...*', E => '*expr...*', N => '*name...*', Q => '*clause...*');
for my $path (grep { m{/nodes\.def$} } source_files('def'))
{
	for my $entry (eval { parse_table(read_file($path)) })
	{
		my ($name, $letters) = @{$entry}{qw(name letters)};
		next if !defined $name || $name eq 'val' || $name eq 'null';
		my $arguments = join ', ', map { $meaning{$_} // "an argument of kind $_" } split //, $letters;
		problem($path, $entry->{line}, "the grammar in $queries has no row `$name` | $arguments")
			unless defined $rows{$name} && $rows{$name} eq $arguments;
	}
}

finish();
