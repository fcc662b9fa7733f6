# hardening 18: a long session: a million reads and 100,000 query shapes leave memory flat.  Runs if PG_TEST_EXTRA has the
# word soak; a tenth of it is part of the regression tests.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'takes minutes: set PG_TEST_EXTRA=soak' unless ($ENV{PG_TEST_EXTRA} // '') =~ /\bsoak\b/;

my $node = PostgreSQL::Test::Cluster->new('soak');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\n");
$node->start;
my $out = $node->safe_psql(
	'postgres', q{
	CREATE EXTENSION corm;
	CREATE TABLE t (id int PRIMARY KEY, v text);
	INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 1000) i;
	CREATE FUNCTION memory() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
	CREATE FUNCTION gets(n int) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		r t;
	BEGIN
		FOR i IN 1 .. n LOOP
			r := corm.get(NULL::t, corm.where(corm.eq('id', i % 1000 + 1)));
		END LOOP;
	END $$;
	CREATE FUNCTION shapes(first int, last int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN first .. last LOOP
			PERFORM corm.get_json(corm.selector('t', 'a' || i), corm.where(corm.eq('id', 1)));
		END LOOP;
	END $$;
	CREATE TEMP TABLE seen (step int, bytes bigint);
	DO $$
	BEGIN
		FOR step IN 0 .. 10 LOOP
			PERFORM gets(100000);
			INSERT INTO seen VALUES (step, memory());
		END LOOP;
	END $$;
	SELECT 'gets ' || (max(bytes) - min(bytes) < 200000) FROM seen WHERE step > 0;
	SELECT 'hits ' || (hits > 1099000 AND misses < 100) FROM corm.plan_cache_stats();
	TRUNCATE seen;
	DO $$
	BEGIN
		FOR step IN 0 .. 10 LOOP
			PERFORM shapes(step * 10000 + 1, step * 10000 + 10000);
			INSERT INTO seen VALUES (step, memory());
		END LOOP;
	END $$;
	SELECT 'shapes ' || (max(bytes) - min(bytes) < 2000000) FROM seen WHERE step > 0;
	SELECT 'plans ' || plans FROM corm.plan_cache_stats();
});
like($out, qr/gets true/, 'memory is flat over a million reads');
like($out, qr/hits true/, '... which find their plan');
like($out, qr/shapes true/, 'memory is flat over 100,000 shapes');
like($out, qr/plans 1000/, '... of which the last thousand have plans');

done_testing();
