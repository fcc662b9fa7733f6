# What is generated from the table of builders, src/query/.../nodes.def, is what script/builders makes of it today; and
# each builder stands in one place: no tag, function or operator comes twice in the table, and none is declared by hand.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/..";
use Builders qw(parse_table declarations generated_sql);
use Lint;

for my $table (grep { m{/nodes\.def$} } source_files('def'))
{
	my @entries = eval { parse_table(read_file($table)) };
	problem($table, undef, $@ =~ s/\n$//r) if $@;

	my (%seen, %declared);
	for my $entry (@entries)
	{
		my @names = declarations($entry);
		$declared{$_} = 1 for @names;
		unshift @names, "node $entry->{tag}" if defined $entry->{tag};
		unshift @names, ($entry->{kind} eq 'CLAUSE' ? 'clause' : 'expression') . " \"$entry->{name}\"" if defined $entry->{tag};
		for (@names)
		{
			problem($table, $entry->{line}, "$_ stands in line $seen{$_}, too") if defined $seen{$_};
			$seen{$_} //= $entry->{line};
		}
	}

	my %generated = generated_sql(@entries);
	for my $path (files('sql/*.sql'))
	{
		next if $generated{$path};
		for (sql_statements(read_file($path)))
		{
			my ($line, $text) = @$_;
			next unless $text =~ /^CREATE\s+FUNCTION\s+(.*)/is;
			my $signature = signature($1) // next;
			problem($path, $line, "$signature belongs in $table") if $declared{"function $signature"} || $text =~ /'corm_build'/;
		}
	}

	my $stale = qx($^X '$FindBin::Bin/../builders' --check '@{[root()]}');
	problem($1, undef, $2) while $stale =~ /^(\S+): (.*)$/mg;
}

finish();
