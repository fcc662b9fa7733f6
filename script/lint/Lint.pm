# What the rules in this directory share.
#
# A rule is a Perl script that looks at the tree given as its argument (the checkout without one), calls
# problem() for each thing it finds and ends with finish().  It states in its first comment what it
# forbids and why.  test/lint/run plants a violation of each.

package Lint;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);

our @EXPORT = qw(root files source_files levels read_file problem finish without_c_comments c_calls sql_statements signature);

my $root = abs_path($ARGV[0] // dirname(abs_path(__FILE__)) . '/../..');
my $problems = 0;

sub root { return $root }

# The files that match the given patterns, sorted, as paths relative to the root
sub files
{
	my %found;
	for my $pattern (@_)
	{
		$found{ substr($_, length($root) + 1) } = 1 for glob("'$root'/$pattern");
	}
	return sort keys %found;
}

# The files of src/ with one of the given extensions, in any of its folders
sub source_files
{
	my ($extensions) = join(',', @_);
	return files(map { "src/$_*.{$extensions}" } '', '*/', '*/*/');
}

# The folders of src/, each after those that it is built on.  A layer's rooms come before the layer itself.
my @order = qw(
	base
	model
	query/value
	query/resolve
	query/sql
	query
	cache/shared
	cache/workers
	cache/definitions
	cache/operations
	cache
	work/shared
	work/process
	work/group
	work
	tx
	work/task
	work/topic
	exec/rows
	exec/plan
	exec/run
	exec/write
	exec/middleware
	exec/call
	exec/inline
	exec/record
	exec/nested
	exec
	tools
);

# levels(): the place of each folder in that order
sub levels
{
	return map { $order[$_] => $_ } 0 .. $#order;
}

sub read_file
{
	my ($path) = @_;
	open(my $handle, '<', "$root/$path") or die "cannot read $path: $!\n";
	local $/;
	return scalar <$handle>;
}

# problem(path, line or undef, message)
sub problem
{
	my ($path, $line, $message) = @_;
	print $path, defined $line ? ":$line" : '', ": $message\n";
	$problems++;
	return;
}

sub finish
{
	exit($problems ? 1 : 0);
}

# C source with each comment replaced by the newlines it had, so that line numbers stay
sub without_c_comments
{
	my ($source) = @_;
	$source =~ s{("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(/\*.*?\*/|//[^\n]*)}
				{defined $1 ? $1 : $2 =~ s/[^\n]//gr}egs;
	return $source;
}

# The calls of a function or macro in C source without comments: [line, text between the parentheses]
sub c_calls
{
	my ($source, $name) = @_;
	my @calls;
	while ($source =~ /\b$name\s*\(/g)
	{
		my $start = pos $source;
		my $line = 1 + substr($source, 0, $start) =~ tr/\n//;
		my $depth = 1;
		while ($depth > 0 && $source =~ /\G(?:[^()"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|([()]))/gcs)
		{
			$depth += $1 eq '(' ? 1 : -1 if defined $1;
		}
		push @calls, [ $line, substr($source, $start, pos($source) - $start - 1) ];
	}
	return @calls;
}

# The statements of a SQL script, comments removed: [line, text]
sub sql_statements
{
	my ($sql) = @_;
	my @statements;
	my ($text, $line, $start) = ('', 1, undef);
	while ($sql =~ /\G(?:
			(?<comment>--[^\n]*|\/\*.*?\*\/)
			|(?<string>[eE]?'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|\$(?<tag>\w*)\$.*?\$\g{tag}\$)
			|(?<end>;)
			|(?<other>.))/gcsx)
	{
		my $piece = $&;
		if (defined $+{end} && !($text =~ /\bBEGIN\s+ATOMIC\b/i && $text !~ /\bEND\s*$/i))
		{
			push @statements, [ $start, $text ] if defined $start;
			($text, $start) = ('', undef);
		}
		elsif (!defined $+{comment})
		{
			$start //= $line if $piece =~ /\S/;
			$text .= $piece if defined $start;
		}
		$line += $piece =~ tr/\n//;
	}
	push @statements, [ $start, $text ] if defined $start;
	return @statements;
}

# signature("corm.f(a int, VARIADIC b text[] DEFAULT '{}', OUT c int)") is "corm.f(int, text[])": what
# identifies a function, written as in the script.  The text may go on after the parenthesis.
sub signature
{
	my ($text) = @_;
	$text =~ /^\s*([\w."]+)\s*\(/ or return;
	my ($name, $rest) = (lc $1, substr($text, $+[0]));
	my (@arguments, $argument);
	my $depth = 0;
	while ($rest =~ /\G('(?:[^']|'')*'|.)/gs)
	{
		my $piece = $1;
		last if $piece eq ')' && $depth == 0;
		$depth++ if $piece eq '(';
		$depth-- if $piece eq ')';
		if ($piece eq ',' && $depth == 0) { push @arguments, $argument; $argument = ''; next; }
		$argument .= $piece;
	}
	push @arguments, $argument if defined $argument && $argument =~ /\S/;
	my @types;
	for (@arguments)
	{
		s/\s+/ /g;
		s/\s*(?:\bDEFAULT\b|=).*//i;
		s/^ //;
		s/ $//;
		next if /^OUT /i;
		s/^(?:IN|INOUT|VARIADIC) //i;
		s/^(?:\w+|"\w+") (?=\S)//
			unless /^(?:double precision|character varying|bit varying|(?:timestamp|time) with)/i;
		push @types, lc;
	}
	return $name . '(' . join(', ', @types) . ')';
}

1;
