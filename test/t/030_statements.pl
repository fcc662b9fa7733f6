# What corm sends to PostgreSQL: one statement, however much a call loads along. pg_stat_statements counts.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('statements');
$node->init;
$node->append_conf('postgresql.conf', <<'END');
shared_preload_libraries = 'pg_stat_statements, corm'
pg_stat_statements.track = all
pg_stat_statements.track_utility = off
END
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION pg_stat_statements;
	CREATE EXTENSION corm;
	CREATE TABLE companies (id int PRIMARY KEY, name text);
	CREATE TABLE users (id int PRIMARY KEY, name text, company_id int REFERENCES companies, deleted_at timestamptz);
	CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, total numeric);
	CREATE TABLE lines (id int PRIMARY KEY, order_id int NOT NULL REFERENCES orders, sku text);
	CREATE TABLE tags (id int PRIMARY KEY, label text);
	CREATE TABLE users_tags (user_id int REFERENCES users, tag_id int REFERENCES tags, PRIMARY KEY (user_id, tag_id));
	SELECT corm.register('users', '{"soft_delete": "deleted_at"}');
	INSERT INTO companies SELECT g, 'c' || g FROM generate_series(1, 5) g;
	INSERT INTO users SELECT g, 'u' || g, 1 + g % 5 FROM generate_series(1, 50) g;
	INSERT INTO orders SELECT g, 1 + g % 50, g FROM generate_series(1, 500) g;
	INSERT INTO lines SELECT g, 1 + g % 500, 's' || g FROM generate_series(1, 2000) g;
	INSERT INTO tags SELECT g, 't' || g FROM generate_series(1, 5) g;
	INSERT INTO users_tags SELECT u, t FROM generate_series(1, 50) u, generate_series(1, 5) t;
	CREATE TYPE order_card AS (id int, total numeric, lines jsonb);
	CREATE TYPE user_card AS (name text, company companies, orders order_card[]);
});

# The statements that a call makes PostgreSQL run inside of itself, the call itself aside.  The model is looked up
# before, so that only the query counts.
sub inner_statements
{
	my ($call, $inline) = @_;
	$inline //= 'on';
	return $node->safe_psql(
		'postgres', qq{
		SET client_min_messages = warning;
		SET corm.inline = $inline;
		DO \$\$ BEGIN PERFORM corm.describe('users'), corm.describe('companies'); END \$\$;
		SELECT pg_stat_statements_reset() IS NULL AS reset \\gset
		SELECT count(*) AS rows FROM (SELECT $call) AS calls \\gset
		SELECT count(*), sum(calls) FROM pg_stat_statements WHERE NOT toplevel;});
}

my %calls = (
	'no preload' => q{corm.get_multi_json(corm.selector('users'))},
	'a preload of each kind' =>
	  q{corm.get_multi_json(corm.selector('users'), corm.preload('company'), corm.preload('orders'), corm.preload('tags'))},
	'preloads on three levels, filtered, ordered, limited' =>
	  q{corm.get_multi_json(corm.selector('companies'), corm.preload('users.orders.lines', corm.limit(1)),
		corm.preload('users', corm.where(corm.some('tags', corm.eq('label', 't1'))), corm.order_by('-name'), corm.limit(2)))},
	'one object' => q{corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 1)), corm.preload('orders.lines'))},
	'into row types' =>
	  q{corm.get_multi(NULL::user_card, corm.selector('users'), corm.preload('company'), corm.preload('orders', corm.preload('lines')))},
	'a page' => q{corm.page_json(corm.selector('users'), corm.order_by('company.name'), corm.limit(10), corm.preload('orders'))},
	'a filter from outside' => q{corm.get_multi_json(corm.selector('users'), corm.filter('{"preload": {"orders": {"preload": {"lines": true}}, "company": true}}'))},
	'an update of many rows' => q{corm.update_multi((SELECT array_agg(t) FROM tags t))},
	'an upsert of many rows' =>
	  q{corm.exec(corm.inserter('tags'), corm.rows((SELECT jsonb_agg(t) FROM tags t)), corm.on_conflict('id'), corm.do_update())},
	'an insert of many rows' => q{corm.insert_multi((SELECT array_agg(ROW(g, 'x')::tags) FROM generate_series(100, 2000) g))});
for my $what (sort keys %calls)
{
	is(inner_statements($calls{$what}), '1|1', "$what: one statement");
}

# The same call again: the same one, again once; compiled into the statement around it, none
my $calls = q{corm.get_multi_json(corm.selector('users'), corm.where(corm.eq('id', g)), corm.preload('orders')) FROM generate_series(1, 7) AS g};
is(inner_statements($calls, 'off'), '1|7', 'a call for each of seven values: one statement, seven times');
is(inner_statements($calls, 'on'), '0|', 'a call for each of seven values, compiled: none');

# Parents that match nothing are not looked for
is( $node->safe_psql(
		'postgres', q{
		SELECT corm.get_multi_json(corm.selector('companies'), corm.where(corm.eq('id', 0)), corm.preload('users'))}),
	'[]', 'nothing is an empty array');

done_testing();
