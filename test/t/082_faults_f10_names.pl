# hardening 54
# F10: one database's names do not make a view fail in another. Databases of other encodings, and names that are no text.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('names');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\n");
$node->start;

$ENV{PGCLIENTENCODING} = 'SQL_ASCII';
for my $encoding (qw(SQL_ASCII LATIN1 UTF8 EUC_JIS_2004))
{
	my $database = lc $encoding;
	$node->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$encoding' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($database, 'CREATE EXTENSION corm');
}

# The bytes of a name in each, as they are in that database
my %names = (
	sql_ascii => ["caf\xe9", "na\xc3\xa9me", "\xff\xfe"],
	latin1 => ["th\xe9"],
	utf8 => ["\xe2\x82\xacuro", "\xc3\xa9t\xc3\xa9", "\xf0\x9f\x8d\x8e"],
	euc_jis_2004 => ["\xb0\xa1x"]);
for my $database (sort keys %names)
{
	for my $name (@{ $names{$database} })
	{
		$node->safe_psql($database, qq{CREATE TABLE "$name" (id int); SELECT corm.count(corm.selector('"$name"'))});
	}
}

# A name that is cut off in the middle of nothing: the longest there is, in two-byte characters
my $long = "\xc3\xa9" x 31;
$node->safe_psql('utf8', qq{CREATE TABLE "$long" (id int); SELECT corm.count(corm.selector('"$long"'))});

sub models
{
	my ($database) = @_;

	return $node->safe_psql($database, 'SELECT model FROM corm.stat_queries WHERE model IS NOT NULL ORDER BY model COLLATE "C"');
}

is(models('sql_ascii'), join("\n", sort(map({ @$_ } values %names), $long)), 'SQL_ASCII: all bytes, as they are');
is( models('latin1'),
	join("\n", sort('?uro', '?', "\xe9t\xe9", "caf\xe9", "na\xc3\xa9me", "\xff\xfe", "th\xe9", '?x', "\xe9" x 31)),
	'LATIN1: what it has, and a question mark for each character that it has not');
is( models('utf8'),
	join("\n", sort("\xe2\x82\xacuro", "\xf0\x9f\x8d\x8e", "\xc3\xa9t\xc3\xa9", 'caf?', "na\xc3\xa9me", '??', "th\xc3\xa9", "\xe4\xba\x9cx", $long)),
	'UTF8: the bytes of SQL_ASCII where they are UTF-8');
like(models('euc_jis_2004'), qr/^th\?$/m, 'without a conversion: ASCII, and question marks');
like(models('euc_jis_2004'), qr/^\xb0\xa1x$/m, '... and its own as they are');

for my $database (sort keys %names)
{
	is($node->safe_psql($database, 'SELECT count(*) FROM corm.stat_queries WHERE model IS NOT NULL'), 9, "$database: nothing is missing");
}

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|terminated by signal/, 'no crash');

done_testing();
