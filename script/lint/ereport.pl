# Errors as PostgreSQL words them: always an errcode; the message starts in lower case and has no period;
# DETAIL and HINT are sentences.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

# The first string literal of a call's arguments, adjacent ones joined; undef if it does not start with one
sub literal
{
	my ($arguments) = @_;
	$arguments =~ s/^[\s]*(?:_|gettext_noop)\s*\(//;
	return unless $arguments =~ /^\s*((?:"(?:[^"\\]|\\.)*"(?:\s*(?:PRI\w+|INT64_FORMAT|UINT64_FORMAT)?\s*)?)+)/;
	my $text = '';
	my $pieces = $1;
	$text .= $1 while $pieces =~ /"((?:[^"\\]|\\.)*)"/g;
	return $text;
}

for my $path (source_files('c'))
{
	my $source = without_c_comments(read_file($path));
	for my $macro (qw(ereport ereport_domain errsave ereturn))
	{
		for (c_calls($source, $macro))
		{
			my ($line, $arguments) = @$_;
			next if $arguments =~ /^\s*(?:DEBUG\d|LOG|LOG_SERVER_ONLY|INFO|NOTICE)\b/;
			problem($path, $line, "$macro without errcode") unless $arguments =~ /\berrcode(?:_for_file_access)?\s*\(/;
		}
	}
	for my $function (qw(errmsg errmsg_plural))
	{
		for (c_calls($source, $function))
		{
			my ($line, $text) = ($_->[0], literal($_->[1]));
			next unless defined $text;
			problem($path, $line, "message starts with a capital: $text") if $text =~ /^[A-Z][a-z]/;
			problem($path, $line, "message ends with a period: $text") if $text =~ /\.$/;
			problem($path, $line, "message starts with the extension's name: $text") if $text =~ /^corm\b(?!\.[\w%])/i;
		}
	}
	for my $function (qw(errdetail errhint errdetail_plural errhint_plural))
	{
		for (c_calls($source, $function))
		{
			my ($line, $text) = ($_->[0], literal($_->[1]));
			next unless defined $text;
			problem($path, $line, "not a sentence: $text") unless $text =~ /^[A-Z"%].*(?:[.?!:)]|: %s)$/s || $text eq '%s';
		}
	}
}

finish();
