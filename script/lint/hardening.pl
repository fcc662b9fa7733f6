# test/HARDENING.md lists the checks of robustness, each with the files that prove it.  The files exist and say so
# themselves, with "hardening N" in a comment, so that whoever changes one knows what else depends on it.  A check that is
# not proven yet says "open:" and why.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my $list = 'test/HARDENING.md';
my $checks = 62;

# The numbers that a text claims: "hardening 3", "hardening 14-17, 19 and 20"
sub claimed
{
	my ($text) = @_;
	my %claimed;
	while ($text =~ /\bhardening\s+(\d+(?:(?:\s*-\s*|,\s*(?:and\s+)?|\s+and\s+)\d+)*)/gi)
	{
		my $numbers = $1;
		$claimed{$_} = 1 for $numbers =~ /\d+/g;
		while ($numbers =~ /(\d+)\s*-\s*(\d+)/g) { $claimed{$_} = 1 for $1 .. $2; }
	}
	return %claimed;
}

my (%row, $line);
for (split /\n/, read_file($list))
{
	$line++;
	my ($number, $check, $where) = /^\|\s*(\d+)\s*\|\s*(.*?)\s*\|\s*(.*?)\s*\|$/ or next;
	problem($list, $line, "number $number comes twice") if $row{$number}++;
	problem($list, $line, "there is no number $number") if $number < 1 || $number > $checks;
	problem($list, $line, "number $number does not say what is checked") unless $check =~ /\w/;
	my @paths = $where =~ /`([^`]+)`/g;
	problem($list, $line, "number $number names no file that proves it") unless @paths || $where =~ /^open: \w/;
	for my $path (@paths)
	{
		if (!-f root() . "/$path") { problem($list, $line, "there is no $path"); next; }
		my %claimed = claimed(read_file($path));
		problem($path, undef, "does not mention hardening $number, as $list says") unless $claimed{$number};
	}
}
for (1 .. $checks)
{
	problem($list, undef, "number $_ is missing") unless $row{$_};
}

finish();
