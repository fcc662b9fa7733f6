# Databases of other encodings (hardening 12): names and values that are no UTF-8 go through queries, their text form,
# JSON and the cache as they are; what an encoding cannot hold is PostgreSQL's error.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('encodings');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\n");
$node->start;

# In both, the byte E9 is a character.
$ENV{PGCLIENTENCODING} = 'SQL_ASCII';
for my $encoding (qw(SQL_ASCII LATIN1))
{
	my $database = lc $encoding;
	$node->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$encoding' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql(
		$database, q{
		CREATE EXTENSION corm;
		CREATE TABLE t (id int PRIMARY KEY, v text);
		CREATE FUNCTION state(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'none'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
		DO $$ BEGIN EXECUTE format('CREATE TABLE %1$I (id int PRIMARY KEY, %1$I text)', E'\xe9'); END $$});
	my $answer = sub { $node->safe_psql($database, "SELECT $_[0]") };

	is($answer->(q{(corm.insert(ROW(1, E'\xe9')::t)).v = E'\xe9'}), 't', "$encoding: a value is stored");
	is($answer->(q{corm.count(corm.selector('t'), corm.where(corm.eq('v', E'\xe9')))}), '1', '... and found');
	is($answer->(q{corm.get_json(corm.selector('t'))->>'v' = E'\xe9'}), 't', '... and read as JSON');
	is($answer->(q{(corm.where(corm.eq('v', E'\xe9'))::text)::corm.query::text = corm.where(corm.eq('v', E'\xe9'))::text}), 't', 'the text form comes back');
	is($answer->(q{corm.value(NULL::text, corm.selector('t'), corm.select('v'), corm.where(corm.eq('v', E'\xe9')::jsonb::corm.expr)) = E'\xe9'}), 't', '... through jsonb, too');
	is($answer->(q{(corm.insert_json(E'"\xe9"', jsonb_build_object('id', 1, E'\xe9', E'\xe9\xe8')))->>E'\xe9' = E'\xe9\xe8'}), 't', 'a name of a table and a column');
	is($answer->(q{corm.to_sql(corm.selector(E'"\xe9"')) = E'SELECT "\xe9".id, "\xe9"."\xe9" FROM public."\xe9"'}), 't', '... in SQL');
	is($answer->(q{state($$SELECT corm.count(corm.selector('t'), corm.where(corm.eq(E'\xe8\xff', 1)))$$)}), '42703', 'an unknown name');
	is($answer->(q{corm.page_json(corm.selector('t'), corm.order_by('v'), corm.after(corm.page_json(corm.selector('t'), corm.order_by('v'))->'page_info'->>'end_cursor'))->>'rows'}), '[]', 'a cursor');
	is($node->safe_psql($database, q{SELECT corm.cache_set(E'\xe9', E'\xe9\xff'); SELECT corm.cache_get(E'\xe9') = E'\xe9\xff'}), "\nt", 'a key and a value in the cache');
	# Where there is no conversion at all, 0A000 before PostgreSQL 16
	my $refused = $encoding eq 'LATIN1' ? qr/^22P05$/ : qr/^(22P05|0A000)$/;
	like($answer->(q{state($$SELECT corm.insert_json('t', '{"id": 2, "v": "\u20ac"}')$$)}), $refused, 'what the encoding cannot hold');
	like($answer->(q{state($$SELECT corm.filter('{"where": {"v": "\u20ac"}}')$$)}), $refused, '... in a filter');
}

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|terminated by signal/, 'no crash');

done_testing();
