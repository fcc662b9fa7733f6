# The documentation is in plain English, as in PostgreSQL's.  A script cannot judge a sentence, but some phrases have always
# been the sign of one that should be written again; each is given with what to write.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Lint;

my @phrases = (
	[ qr/\bwhoever\b/i, 'anyone who, or name the role' ],
	[ qr/\blest\b/i, 'so that ... not' ],
	[ qr/\bmeanwhile\b/i, 'in the meantime, or say when' ],
	[ qr/\ball the same\b/i, 'still, regardless' ],
	[ qr/\b(?:and|or) the like\b/i, 'such as, and similar' ],
	[ qr/\bwho calls\b/i, 'the caller' ],
	[ qr/\bis told in\b/i, 'see' ],
	[ qr/\bnobody has\b/i, 'no role has' ],
	[ qr/\bbelongs? into\b/i, 'belongs in' ],
	[ qr/\bwith(?: \S+){0,3} rights\b/i, 'privileges' ],
	[ qr/\bleave\b[^.,;]*\baway\b/i, 'omit' ],
	[ qr/\bmisspelt\b/i, 'misspelled' ],
	[ qr/\bbehaviour/i, 'behavior' ]);

for my $path (files('*.md', 'docs/*.md', 'docs/*/*.md', 'bench/*.md', 'test/*.md'))
{
	my $line = 0;
	my $fenced = 0;
	for (split /\n/, read_file($path))
	{
		$line++;
		$fenced = !$fenced if /^\s*```/;
		next if $fenced;
		my $text = s/`[^`]*`//gr;
		for my $phrase (@phrases)
		{
			my ($pattern, $instead) = @$phrase;
			problem($path, $line, "\"$&\": write $instead") if $text =~ $pattern;
		}
	}
}

finish();
