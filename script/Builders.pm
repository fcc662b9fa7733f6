# The table of builders, src/query/.../nodes.def, and what is made of it: SQL and the signatures in the reference.
# The head of nodes.def says what its columns are.  Used by script/builders and by lint rules.

package Builders;

use strict;
use warnings;
use utf8;

use Exporter qw(import);

our @EXPORT_OK = qw(parse_table declarations generated_sql with_signatures);

# What a parameter of a letter is in SQL, where the table does not say.  A list and a query as the last argument come in
# two forms, each a function of its own.
my %type_of_letter = (
	n => ['text'], o => ['text DEFAULT NULL'], t => ['text'], r => ['regclass'], y => ['regtype'],
	x => [ 'text', 'corm.expr' ], v => [ '"any"', 'text' ], e => ['corm.expr'], q => ['corm.query'],
	P => ['text[] DEFAULT NULL'], S => ['text[] DEFAULT NULL'],
	X => [ 'VARIADIC "any"', 'VARIADIC text[]' ], O => [ 'VARIADIC "any"', 'VARIADIC text[]' ],
	V => [ 'VARIADIC "any"', 'VARIADIC text[]' ],
	E => ['VARIADIC corm.expr[]'], N => ['VARIADIC text[]'], Q => ['VARIADIC corm.query[]']);

my $string = qr/"(?:[^"\\]|\\.)*"/;
my $column = qr/$string|[^\s",()][^",()]*/;

# unquote(C string or NULL)
sub unquote
{
	my ($text) = @_;
	return undef unless $text =~ /^"(.*)"$/s;
	return $1 =~ s/\\(.)/$1/gr;
}

# parse_table(text of nodes.def): its entries in order, each a hash:
#   line
#   section      the last comment of one line above it
#   tag          of a node
#   kind         CLAUSE or EXPR
#   name         of a node, in the text form
#   function     name of the SQL function, undef without
#   letters      of a node's arguments
#   operator     undef without; note, what its COMMENT says behind the function
#   symbol       the C function
#   strict       whether it is STRICT
#   properties   [names]
#   overloads    [ { parameters => [ [ name, [types] ], ... ], description } ]
# Dies of what it cannot read.
sub parse_table
{
	my ($text) = @_;
	my (@entries, $section);
	my $line = 1;
	while ($text =~ m{\G(?:(?<section>^/\*\ [^\n]*\ \*/$)|(?<comment>/\*.*?\*/)|(?<directive>^\#[^\n]*)
			|^(?<macro>CORM_NODE|CORM_FUNCTION)\((?<columns>(?:$string|[^"()]|\([^()"]*\))*)\)|(?<space>\s+)|(?<other>.))}gcmsx)
	{
		my ($all, %found) = ($&, %+);
		die "line $line: not an entry of the table: $all\n" if defined $found{other};
		$section = $found{section} =~ s{^/\* (.*) \*/$}{$1}r if defined $found{section};
		if (defined $found{macro})
		{
			my @columns = $found{columns} =~ /\G\s*($column)\s*(?:,|$)/g;
			push @entries, entry($found{macro}, $line, $section, map { s/\s+$//r } @columns);
		}
		$line += $all =~ tr/\n//;
	}
	return @entries;
}

# entry(macro, line, section, columns): one entry
sub entry
{
	my ($macro, $line, $section, @columns) = @_;
	my %entry = (line => $line, section => $section, symbol => 'corm_build', letters => '', properties => []);
	if ($macro eq 'CORM_NODE')
	{
		die "line $line: a node has seven columns and pairs of parameters and description\n" if @columns < 7;
		my $properties;
		(@entry{qw(tag kind name function letters operator)}, $properties) = splice(@columns, 0, 7);
		$entry{properties} = [ grep { $_ ne '0' } split /\s*\|\s*/, $properties ];
		$entry{$_} = unquote($entry{$_}) for qw(name function letters operator);
		die "line $line: not letters of arguments: $entry{letters}\n" unless $entry{letters} =~ /^[notryixvjeqPS]*[XOVENQ]?$/;
	}
	else
	{
		die "line $line: a function has five columns and pairs of parameters and description\n" if @columns < 5;
		(@entry{qw(kind function symbol operator strict)}) = splice(@columns, 0, 5);
		$entry{$_} = unquote($entry{$_}) for qw(function symbol operator);
		$entry{strict} = $entry{strict} eq 'STRICT';
	}
	($entry{operator}, $entry{note}) = ($1, $2) if ($entry{operator} // '') =~ /^(\S+) (.*)$/;
	while (my ($parameters, $description) = splice(@columns, 0, 2))
	{
		die "line $line: parameters without a description\n" unless defined $description;
		$parameters = unquote($parameters);
		while ($parameters =~ /\G\s*\(((?:[^()']|'(?:[^']|'')*')*)\)/gc)
		{
			push @{ $entry{overloads} },
			  { parameters => [ parameters($line, $1, $entry{letters}) ], description => unquote($description) };
		}
		die "line $line: not a list of parameters: $parameters\n" unless $parameters =~ /\G\s*$/;
	}
	$entry{overloads} //= [];
	return \%entry;
}

# parameters(line, "x, value text DEFAULT ''", letters): [name, [types]] for each.  VARIADIC "any" has no name.
sub parameters
{
	my ($line, $text, $letters) = @_;
	my @texts = split /\s*,\s*/, $text;
	my @parameters;
	for my $i (0 .. $#texts)
	{
		if ($texts[$i] =~ /^(VARIADIC )?any$/) { push @parameters, [ '', [ ($1 // '') . '"any"' ] ]; next; }
		my ($variadic, $name, $types) = $texts[$i] =~ /^(VARIADIC )?(\w+)(?: (.+))?$/
		  or die "line $line: not a parameter: $texts[$i]\n";
		my @types;
		if (defined $types)
		{
			@types = map { ($variadic // '') . ($_ eq 'any' ? '"any"' : $_) } split /\s*\|\s*/, $types;
		}
		else
		{
			my $letter = substr($letters, $i, 1) // '';
			@types = @{ $type_of_letter{$letter} // die "line $line: parameter $name needs a type\n" };
			push @types, 'VARIADIC corm.query[]' if $letter eq 'q' && $i == $#texts;
		}
		push @parameters, [ $name, \@types ];
	}
	return @parameters;
}

# declared(parameter name, type): as in CREATE FUNCTION
sub declared
{
	my ($name, $type) = @_;
	$name = '"all"' if $name eq 'all';	# a reserved word
	return $type if $name eq '' || $type eq 'VARIADIC "any"';
	return $type =~ /^VARIADIC (.*)/ ? "VARIADIC $name $1" : "$name $type";
}

# functions(entry): the functions that it declares, each { names, types, description }
sub functions
{
	my ($entry) = @_;
	my @functions;
	for my $overload (@{ $entry->{overloads} })
	{
		my @choices = ([]);
		for my $parameter (@{ $overload->{parameters} })
		{
			my ($name, $types) = @$parameter;
			@choices = map { my $chosen = $_; map { [ @$chosen, [ $name, $_ ] ] } @$types } @choices;
		}
		push @functions, { arguments => $_, description => $overload->{description} } for @choices;
	}
	return @functions;
}

# declarations(entry): what it declares, as "function corm.f(text, corm.expr[])" and "operator ="
sub declarations
{
	my ($entry) = @_;
	my @names = map { "function corm.$entry->{function}(" . join(', ', map { identity($_) =~ s/^VARIADIC //r } @{ $_->{arguments} }) . ')' }
	  functions($entry);
	push @names, "operator $entry->{operator}" if defined $entry->{operator};
	return @names;
}

sub quoted { return "'" . ($_[0] =~ s/'/''/gr) . "'" }

sub result { return $_[0]{kind} eq 'EXPR' ? 'corm.expr' : 'corm.query' }

# The type of an argument, as it identifies the function
sub identity { return $_[0][1] =~ s/ DEFAULT .*//r }

# generated_sql(entries): path => contents of the parts of the extension's script
sub generated_sql
{
	my (@entries) = @_;
	my $generated = 'Generated by script/builders from nodes.def: edit that.';
	my %body = (EXPR => '', CLAUSE => '');
	my %section = (EXPR => '', CLAUSE => '');
	my ($operators, $left) = ('', '');

	for my $entry (@entries)
	{
		my $kind = $entry->{kind};
		my ($f, $op) = @{$entry}{qw(function operator)};
		$op = undef if grep { $_ eq 'CORM_LACKS_OPERATOR' } @{ $entry->{properties} };
		my ($created, $comments, $takes_value) = ('', '', 0);
		if (@{ $entry->{overloads} } && $section{$kind} ne ($entry->{section} // ''))
		{
			$section{$kind} = $entry->{section};
			$body{$kind} .= "\n-- \u$section{$kind}\n";
		}
		for my $function (functions($entry))
		{
			my @arguments = @{ $function->{arguments} };
			my @types = map { identity($_) } @arguments;
			$body{$kind} .= "\nCREATE FUNCTION corm.$f(" . join(', ', map { declared(@$_) } @arguments) . ') RETURNS '
			  . result($entry) . "\n    AS 'MODULE_PATHNAME', '$entry->{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE"
			  . ($entry->{strict} ? ' STRICT' : '') . ";\nCOMMENT ON FUNCTION corm.$f(" . join(', ', @types) . ") IS\n    "
			  . quoted($function->{description}) . ";\n";

			# An operator is a function of an expression or query and at most one thing more.
			next unless defined $op && @types >= 1 && @types <= 2 && $types[0] =~ /^corm\./ && "@types" !~ /VARIADIC/;
			$takes_value = 1 if @types == 2 && $types[1] !~ /^corm\./;
			$created .= "CREATE OPERATOR corm_ops.$op (" . (@types == 2 ? "LEFTARG = $types[0], RIGHTARG = $types[1]" :
				"RIGHTARG = $types[0]") . ", FUNCTION = corm.$f);\n";
			$comments .= "COMMENT ON OPERATOR corm_ops.$op (" . join(', ', @types == 2 ? @types : ('NONE', @types)) . ') IS '
			  . quoted("corm.$f()" . (defined $entry->{note} ? ": $entry->{note}" : '')) . ";\n";
		}
		$operators .= "\n$created$comments" if $created ne '';
		$left .= "\nCREATE OPERATOR corm_ops.$op (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);\n"
		  . "COMMENT ON OPERATOR corm_ops.$op (text, corm.expr) IS 'corm.value_left()';\n" if $takes_value;
	}

	return (
		'sql/30_expr.sql' => <<"END" . $body{EXPR},
-- Expressions. Every value argument comes twice, as "any" and as text: literals and untyped parameters
-- resolve to the text form, and such a value takes the type of the field it meets.
-- $generated
END
		'sql/40_query.sql' => <<"END" . $body{CLAUSE},
-- Queries are runs of clauses; corm.pipe() and |> join them.
-- $generated
END
		'sql/41_operators.sql' => <<"END" . $operators . <<'END' . $left);
-- Operators, alone in schema corm_ops: they take only corm's types, so the schema is safe on a search_path.
-- $generated
END

-- A value on the left side. PostgreSQL would take one without a type for an expression, as the right side is one, and read
-- its text form; these take it instead, and refuse.
END
}

# signatures(entries): function name => [lines of the reference].  Types of a parameter that PostgreSQL tells apart by
# the call are one line; lists are two; q alone is any number of clauses.  Overloads that differ in the type of their last
# parameter are one line, too.
sub signatures
{
	my %signatures;
	for my $entry (@_)
	{
		for my $overload (@{ $entry->{overloads} })
		{
			my @choices = ([]);
			for (@{ $overload->{parameters} })
			{
				my ($name, $types) = @$_;
				my @forms = grep { /^VARIADIC/ } @$types;
				my @plain = grep { !/^VARIADIC/ } @$types;
				my @texts = @plain ? "$name " . join(' | ', @plain) : ();
				@texts = map { $_ eq 'VARIADIC corm.query[]' && $name eq 'q' ? 'q' : declared($name, $_) } @forms if @forms;
				@choices = map { my $chosen = $_; map { [ @$chosen, $_ ] } @texts } @choices;
			}
			push @{ $signatures{ $entry->{function} } }, "    corm.$entry->{function}(" . join(', ', @$_) . ') → ' . result($entry)
			  for @choices;
		}
	}
	for my $lines (values %signatures)
	{
		my %seen;
		@$lines = grep { !$seen{$_}++ } @$lines;
		for my $i (reverse 1 .. $#$lines)
		{
			my ($one, $two) = map { /^(.*\W\w+ )([^ ,()]+)(\) →.*)$/ ? [ $1, $2, $3 ] : [] } @$lines[ $i - 1, $i ];
			next unless @$one && @$two && $one->[0] eq $two->[0] && $one->[0] !~ /VARIADIC \w+ $/;
			splice(@$lines, $i - 1, 2, "$one->[0]$one->[1] | $two->[1]$one->[2]");
		}
		@$lines = grep { !$seen{s/\bq corm\.query\) →/q) →/r} || !/\bq corm\.query\) →/ } @$lines;
	}
	return %signatures;
}

# with_signatures(text of a page, entries): the page with the signatures of builders as the table has them.  Wherever
# lines of that form stand together, those of a builder are replaced by all it has.
sub with_signatures
{
	my ($page, @entries) = @_;
	my %signatures = signatures(@entries);
	my $line = qr/^ {4}corm\.\w+\([^\n]*\) → [^\n]*\n/m;
	my $replace = sub {
		my ($block) = @_;
		my (%done, $result);
		for ($block =~ /$line/g)
		{
			if (/^ {4}corm\.(\w+)\(.*\) → corm\.(?:expr|query)$/ && $signatures{$1})
			{
				$result .= "$_\n" for $done{$1}++ ? () : @{ $signatures{$1} };
			}
			else { $result .= $_ }
		}
		return $result;
	};
	$page =~ s/((?:$line)+)/$replace->($1)/ge;
	return $page;
}

1;
