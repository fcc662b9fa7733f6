# The text of docs/reference.md, made of the extension's script: its parts, the comments that head their
# sections, and what COMMENT ON says of each object.  script/reference writes it, the rule reference.pl checks it.

package Reference;

use strict;
use warnings;

use Exporter qw(import);
use Lint;

our @EXPORT = qw(reference);

# A string literal's value
sub unquote
{
	my ($literal) = @_;
	$literal =~ s/'\s*\n\s*'//g;
	$literal =~ s/^\s*[eE]?'(.*)'\s*$/$1/s;
	$literal =~ s/''/'/g;
	return $literal =~ s/\s+/ /gr;
}

# A cell of a table
sub cell
{
	my ($text) = @_;
	return $text =~ s/\|/\\|/gr;
}

# "corm.f(a int, b text DEFAULT 'x') → int" of a CREATE FUNCTION without these words
sub synopsis
{
	my ($text) = @_;
	$text =~ /^([\w.]+)\s*(\((?:[^()']|'(?:[^']|'')*'|\([^()]*\))*\))\s*(?:RETURNS\s+(TABLE\s*\((?:[^()]|\([^()]*\))*\)|(?:SETOF\s+)?[\w."\[\]]+(?:\s+precision)?))?/is
	  or return;
	my ($name, $arguments, $returns) = ($1, $2, $3);
	$_ = defined $_ ? s/\s+/ /gr : undef for $arguments, $returns;
	return $name . $arguments . (defined $returns ? " → $returns" : '');
}

sub reference
{
	my $page = <<'END';
# SQL reference

Everything in the extension's script, by subject; made from it by `script/reference`. `\df+ corm.*` in psql shows the same.

Functions that take a user's value have a form with `"any"`, for typed values, and one with `text`, for string literals and
the untyped parameters of drivers: those take the type of the field they meet.

END
	for my $path (files('sql/*.sql'))
	{
		my @statements = sql_statements(read_file($path));
		my (%comment, @sections);
		for (@statements)
		{
			my ($line, $text, $heading) = @$_;
			if ($text =~ /^COMMENT\s+ON\s+(?:FUNCTION|PROCEDURE|AGGREGATE)\s+(.*?\))\s+IS\s+(.*)$/is)
			{
				$comment{ signature($1) } = unquote($2);
			}
			elsif ($text =~ /^COMMENT\s+ON\s+(?:TYPE|DOMAIN|TABLE|VIEW|SCHEMA|OPERATOR)\s+(.*?)\s+IS\s+('.*)$/is)
			{
				$comment{ lc($1 =~ s/\s+/ /gr) } = unquote($2);
			}
		}
		for (@statements)
		{
			my ($line, $text, $heading) = @$_;
			# A short comment, set off by an empty line, heads a section.  The first of a file speaks of the file.
			$heading =~ s/\A[^\n].*?(?:\n\n|\z)/\n\n/s unless @sections;
			my ($title) = $heading =~ /(?:\A|\n\n)-- ([^\n.]+)\.?[^\n]*\n\n+\z/;
			$title = undef if defined $title && length $title > 50;
			push @sections, { title => $title, names => [], rows => {} } if !@sections || defined $title;
			my ($key, $synopsis, $said);
			if ($text =~ /^CREATE\s+(?:FUNCTION|PROCEDURE|AGGREGATE)\s+(.*)/is)
			{
				$synopsis = synopsis($1) or next;
				($key) = $synopsis =~ /^([\w.]+)/;
				$said = $comment{ signature($1) } if $text =~ /^CREATE\s+\w+\s+(.*)/is;
			}
			elsif ($text =~ /^CREATE\s+(TYPE|DOMAIN|TABLE|VIEW|SCHEMA)\s+([\w.]+)(\s*$)?/i)
			{
				next if uc $1 eq 'TYPE' && defined $3;
				($key, $synopsis, $said) = ($2, lc($1) . " $2", $comment{ lc $2 });
			}
			elsif ($text =~ /^CREATE\s+OPERATOR\s+corm_ops\.(\S+)\s*\((.*)\)/is)
			{
				my ($operator, $options) = ($1, $2);
				my ($left) = $options =~ /LEFTARG\s*=\s*([\w."]+)/i;
				my ($right) = $options =~ /RIGHTARG\s*=\s*([\w."]+)/i;
				$key = $operator;
				$synopsis = join(' ', $left // (), $operator, $right // ());
				my $arguments = join(', ', map { lc($_ // 'none') } $left, $right);
				$said = $comment{ lc "corm_ops.$operator ($arguments)" } // $comment{ lc "corm_ops.$operator($arguments)" };
			}
			next unless defined $key;
			# What only the server calls is no part of the interface.
			next if $key =~ /_(?:in|out|recv|send)$/ || $text =~ /RETURNS\s+(?:event_)?trigger\b/i;
			my $section = $sections[-1];
			my $row = $section->{rows}{$key};
			if (!$row)
			{
				$row = $section->{rows}{$key} = { synopses => [], said => [] };
				push @{ $section->{names} }, $key;
			}
			push @{ $row->{synopses} }, $synopsis;
			push @{ $row->{said} }, $said if defined $said && !grep { $_ eq $said } @{ $row->{said} };
		}
		next unless grep { @{ $_->{names} } } @sections;
		my ($subject) = $path =~ m{\d+_(\w+)\.sql$};
		$subject = { expr => 'expressions', query => 'queries' }->{$subject} // $subject;
		$page .= '## ' . ucfirst($subject =~ s/_/ /gr) . "\n\n";
		for my $section (@sections)
		{
			next unless @{ $section->{names} };
			$page .= "### $section->{title}\n\n" if defined $section->{title};
			$page .= "| call | what it does |\n|---|---|\n";
			for my $name (@{ $section->{names} })
			{
				my $row = $section->{rows}{$name};
				$page .= '| ' . join('<br>', map { '`' . cell($_) . '`' } @{ $row->{synopses} })
				  . ' | ' . join('<br>', map { cell($_) } @{ $row->{said} }) . " |\n";
			}
			$page .= "\n";
		}
	}
	return $page =~ s/\n+\z/\n/r;
}

1;
