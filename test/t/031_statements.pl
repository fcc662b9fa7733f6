# What pg_stat_statements sees: one statement, whatever the values.  Queries that are compiled into the statement around them are
# no statements, so none is compiled here.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('statements');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_stat_statements, corm'\npg_stat_statements.track = all\ncorm.inline = off\n");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION pg_stat_statements;
	CREATE EXTENSION corm;
	CREATE TABLE users (id int PRIMARY KEY, name text, age int);
	INSERT INTO users SELECT g, 'user ' || g, g FROM generate_series(1, 100) g;
});

# hardening 8: 10,000 distinct values give one row for each statement of corm, and no value is in it.  For
# pg_stat_statements a limit of a usual size is a constant, another a parameter: both give one row, but not the same.
my %verbs = (
	'corm.get_multi' => q{count(*) FROM corm.get_multi(NULL::users, corm.where(corm.eq('name', 'secret ' || i), corm.lt('age', i)), corm.limit(1 + i % 100))},
	'corm.get_multi with large limits' => q{count(*) FROM corm.get_multi(NULL::users, corm.where(corm.eq('name', 'secret ' || i), corm.lt('age', i)), corm.limit(10000 + i))},
	'corm.get_multi_json' => q{corm.get_multi_json(corm.selector('users'), corm.where(corm.in('id', ARRAY[i, i + 1]), corm.icontains('name', 'secret ' || i)))},
	'corm.exec' => q{corm.exec(corm.updater('users'), corm.set('age', i), corm.where(corm.eq('name', 'secret ' || i)))},
	'corm.save' => q{corm.save(ROW(1, 'secret ' || i, i)::users)},
	'corm.page_json' => q{corm.page_json(corm.selector('users'), corm.where(corm.gte('age', i)), corm.order_by('name'), corm.limit(2 + i % 7))},
	'corm.filter' => q{corm.count(corm.selector('users'), corm.filter(jsonb_build_object('where', jsonb_build_object('name', 'secret ' || i))))},
);
for my $verb (sort keys %verbs)
{
	my $call = $verbs{$verb};
	$node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()');
	$node->safe_psql('postgres', "DO \$do\$ DECLARE i int; BEGIN FOR i IN 1 .. 10000 LOOP PERFORM $call; END LOOP; END \$do\$");
	# Statements that corm made: not the loop, not the call in it
	my $rows = $node->safe_psql('postgres', q{
		SELECT count(*) || ' ' || min(calls) FROM pg_stat_statements
		WHERE query ~ 'users' AND query !~ 'corm\.' AND NOT toplevel});
	is($rows, '1 10000', "$verb: one statement, 10,000 calls");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_statements WHERE NOT toplevel AND query ~ 'secret \d'}), '0', '... without a value in it');
}

done_testing();
