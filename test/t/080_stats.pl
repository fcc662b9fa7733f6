# Statistics of concurrent clients add up exactly; their memory is bounded; without preloading there are none. And what
# the logs hold.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('stats');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\ncorm.stat_max = 10\n");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION corm;
	CREATE TABLE users (id int PRIMARY KEY, name text);
	INSERT INTO users SELECT g, 'u' FROM generate_series(1, 100) g;
});

# Two clients, a known number of calls
my $transactions = 2000;
my $script = $node->basedir . '/calls.sql';
append_to_file($script, <<'END');
\set id random(1, 100)
SELECT corm.get(NULL::users, corm.where(corm.eq('id', :id)));
SELECT corm.count(corm.selector('users'));
SELECT corm.exec(corm.updater('users'), corm.set('name', 'x'), corm.where(corm.eq('id', :id)));
SELECT corm.try_tx('SELECT corm.get(NULL::users, corm.where(corm.eq(corm.raw(''1/(id - id)''), 1)))');
END
$node->safe_psql('postgres', 'SELECT corm.stat_reset()');
$node->command_ok(
	[ 'pgbench', '-n', '-c', 2, '-j', 2, '-t', $transactions, '-f', $script, 'postgres' ],
	'two clients call corm');
is( $node->safe_psql(
		'postgres', q{
		SELECT model, op, calls, rows, errors, (SELECT sum((h->>'calls')::bigint) FROM jsonb_array_elements(histogram) h)
		FROM corm.stat_queries ORDER BY op}),
	join("\n",
		'users|SELECT|' . 6 * $transactions . '|' . 4 * $transactions . '|' . 2 * $transactions . '|' . 6 * $transactions,
		'users|UPDATE|' . 2 * $transactions . '|' . 2 * $transactions . '|0|' . 2 * $transactions),
	'every call is counted once');

# More models than there is room for: the busy one stays
for my $i (1 .. 25)
{
	$node->safe_psql('postgres', "CREATE TABLE rare_$i (id int PRIMARY KEY); SELECT corm.count(corm.selector('rare_$i'))");
}
is($node->safe_psql('postgres', 'SELECT entries, max_entries, evictions FROM corm.stat_info()'), '10|10|17', 'the memory is bounded');
is( $node->safe_psql('postgres', q{SELECT calls FROM corm.stat_queries WHERE model = 'users' AND op = 'SELECT'}),
	6 * $transactions,
	'the most used entry has not made room for others');

# Values are parameters: 10,000 of them are one query for the server's own statistics
SKIP:
{
	skip 'no pg_stat_statements', 2
	  unless $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'});
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm,pg_stat_statements'\npg_stat_statements.track = all\n");
	$node->restart;
	$node->safe_psql('postgres', q{
		CREATE EXTENSION pg_stat_statements;
		DO $$
		BEGIN
			FOR i IN 1 .. 10000 LOOP
				PERFORM corm.first(NULL::users, corm.where(corm.eq('id', i), corm.neq('name', 'name ' || i)));
			END LOOP;
		END $$});
	is($node->safe_psql('postgres', q{SELECT count(*), sum(calls) FROM pg_stat_statements WHERE query LIKE 'SELECT users.id, %'}),
		'1|10000', '10,000 values are one row of pg_stat_statements');
	is($node->safe_psql('postgres', q{SELECT calls, rows, plan_hits FROM corm.stat_queries WHERE model = 'users'}),
		'10000|100|9999', 'and one of corm.stat_queries, with one plan');
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\n");
	$node->restart;
}

# The log: threshold, arguments, their length, redacted
sub logged
{
	my ($settings, $query) = @_;
	my $offset = -s $node->logfile;
	$node->safe_psql('postgres', "$settings; $query");
	my $log = substr(slurp_file($node->logfile), $offset);
	# the lines of the entry, without what stands before each
	$log =~ s/^\d{4}-\d\d-\d\d .*? (?=(?:LOG|DETAIL|STATEMENT|ERROR):  )//mg;
	return $log =~ /^(LOG:  query .*?)(?=^(?:LOG|ERROR):|\z)/ms ? $1 : '';
}
my $get = q{SELECT corm.get(NULL::users, corm.where(corm.eq('id', 7)), corm.where(corm.neq('name', 'secret')))};
is(logged('SELECT 1', $get), '', 'nothing is logged by default');
my $entry = logged('SET corm.log_queries = on', $get);
like($entry, qr/^LOG:  query select-users: \d+\.\d{3} ms, 1 rows\n/, 'the query log');
like($entry, qr/SQL: SELECT users\.id, users\.name FROM public\.users WHERE .*\$1 .*\$2/, 'with the SQL');
like($entry, qr/Parameters: \$1 = '7', \$2 = 'secret'/, 'and its arguments');
like(logged('SET corm.log_queries = on; SET corm.log_arg_max_length = 3', $get), qr/\$2 = 'sec\.\.\.'/, 'cut off');
$entry = logged('SET corm.log_queries = on; SET corm.log_args = types', $get);
like($entry, qr/Parameters: \$1 = <integer>, \$2 = <text>/, 'without the values');
unlike($entry, qr/secret/, 'indeed');
unlike(logged('SET corm.log_queries = on; SET corm.log_args = none', $get), qr/Parameters/, 'without arguments');

# A hidden field: what it is compared with or set to is never in the log
$node->safe_psql('postgres', q{CREATE TABLE logins (id int PRIMARY KEY, name text, hash text); COMMENT ON COLUMN logins.hash IS '@orm:hidden'});
for my $query (
	q{SELECT corm.insert(row(1, 'ada', 'secret')::logins)},
	q{SELECT corm.update(row(1, 'ada', 'secret')::logins)},
	q{SELECT corm.save(row(1, 'ada', 'secret')::logins)},
	q{SELECT * FROM corm.update_multi(ARRAY[row(1, 'ada', 'secret')::logins])},
	q{SELECT * FROM corm.insert_multi(ARRAY[row(2, 'ada', 'secret')::logins])},
	q{SELECT corm.insert_json('logins', '{"id": 3, "hash": "secret"}')},
	q{SELECT corm.exec(corm.updater('logins'), corm.set('hash', 'secret'), corm.where(corm.eq('id', 1)))},
	q{SELECT corm.exec(corm.updater('logins'), corm.set('hash', corm.fn('lower', corm.val('secret'::text))), corm.where(corm.eq('id', 1)))},
	q{SELECT corm.exec(corm.inserter('logins'), corm.set('id', 1), corm.set('name', 'ada'), corm.set('hash', 'secret'), corm.on_conflict('id'), corm.do_update())},
	q{SELECT corm.exec(corm.inserter('logins'), corm.rows('[{"id": 4, "hash": "secret"}]'::jsonb))},
	q{SELECT corm.count(corm.selector('logins'), corm.where(corm.eq('hash', 'secret')))},
	q{SELECT corm.count(corm.selector('logins'), corm.where(corm.in('hash', 'secret', 'secret2')))},
	q{SELECT corm.count(corm.selector('logins'), corm.where(corm.starts_with('hash', 'secret')))},
	q{SELECT corm.count(corm.selector('logins'), corm.where(corm.eq(corm.fn('md5', corm.c('hash')), 'secret')))},
	q{SELECT corm.count(corm.from_query(corm.selector('logins'), 'l'), corm.where(corm.eq('hash', 'secret')))})
{
	$entry = logged('SET corm.log_queries = on', $query);
	like($entry, qr/Parameters: .*<text/s, "types of: $query") if $entry !~ /<jsonb>|<logins\[\]>/;
	unlike($entry, qr/secret/, "no values of: $query");
}
like(logged('SET corm.log_queries = on', q{SELECT corm.get(NULL::logins, corm.where(corm.eq('id', 1)))}),
	qr/Parameters: \$1 = '1'/, 'other fields are logged as before, in rows that hold it, too');
like(
	logged("SET corm.log_queries = on; SET corm.sql_comments = on; SET corm.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'", $get),
	qr{/\*model='users',op='select',traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'\*/},
	'with a comment');
is(logged("SET corm.log_min_duration = '1h'", $get), '', 'a quick query is not slow');
like(
	logged('SET corm.log_min_duration = 50', q{SELECT corm.count(corm.raw_query('SELECT pg_sleep(0.06)'))}),
	qr/^LOG:  query raw: \d{2,}\.\d{3} ms, 1 rows\n/, 'a slow one is logged');

# A restart forgets, and without preloading nothing is counted
$node->restart;
is($node->safe_psql('postgres', 'SELECT count(*) FROM corm.stat_queries'), '0', 'a restart begins anew');
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->restart;
is($node->safe_psql('postgres', "$get; SELECT count(*) FROM corm.stat_queries; SELECT corm.stat_reset()"),
	"(7,x)\n0\n", 'without preloading the view is empty');
is($node->safe_psql('postgres', 'SELECT corm.stat_info() IS NULL'), 't', 'and there is no memory to tell of');

$node->stop;
done_testing();
