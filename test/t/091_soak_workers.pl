# hardening 18: thousands of tasks and autonomous transactions, a million each with PG_TEST_EXTRA=soak, leave the memory of the session,
# of the worker and of the server flat, and corm.work_check() empty.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $each = ($ENV{PG_TEST_EXTRA} // '') =~ /\bsoak\b/ ? 100_000 : 3_000;

my $node = PostgreSQL::Test::Cluster->new('soak_workers');
$node->init;
# one worker, which nothing replaces
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'corm'
max_worker_processes = 12
autovacuum = off
corm.max_workers = 1
corm.reserved_workers = 0
corm.worker_max_jobs = 100000000
corm.worker_max_memory = '1GB'
corm.worker_idle_timeout = '1h'
CONF
$node->start;
my $out = $node->safe_psql(
	'postgres', qq{
	CREATE EXTENSION corm;
	SELECT corm.pool_create('soak', workers => 1, capacity => 10000, result_ttl => '0');
	SELECT corm.wg_create('soak');
	CREATE FUNCTION memory() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts';
	CREATE TEMP TABLE seen (step int, own bigint, worker bigint, shared bigint);
	CREATE TABLE added (n int);
	CREATE FUNCTION calls(n int) RETURNS void LANGUAGE plpgsql AS \$\$
	BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM corm.autonomous('SELECT \$1::int + 1', i);
			IF i % 10 = 0 THEN PERFORM corm.try_tx(corm.tx('requires_new'), 'SELECT 1 / 0'); END IF;
		END LOOP;
	END \$\$;
	CREATE PROCEDURE tasks(n int) LANGUAGE plpgsql AS \$\$
	BEGIN
		FOR i IN 1 .. n / 1000 LOOP
			PERFORM corm.submit(corm.task('soak', wait_group => 'soak', key => CASE WHEN j % 3 = 0 THEN 'k' END), 'SELECT \$1::int / \$2::int', j, j % 10) FROM generate_series(1, 1000) j;
			PERFORM corm.submit(corm.task('soak', wait_group => 'soak', durable => true), 'INSERT INTO added VALUES (\$1)', i);
			COMMIT;
			PERFORM corm.wg_wait('soak');
		END LOOP;
	END \$\$;
	DO \$\$
	BEGIN
		FOR step IN 0 .. 10 LOOP
			PERFORM calls($each);
			CALL tasks($each);
			INSERT INTO seen SELECT step, memory(), (corm.autonomous('SELECT memory() AS m') -> 0 ->> 'm')::bigint, memory_free FROM corm.work_stats;
			COMMIT;
		END LOOP;
	END \$\$;
	SELECT 'own ' || (max(own) - min(own) < 200000) FROM seen WHERE step > 0;
	SELECT 'worker ' || (max(worker) - min(worker) < 200000) FROM seen WHERE step > 0;
	SELECT 'shared ' || (max(shared) - min(shared) < 20000) FROM seen WHERE step > 0;
	SELECT 'added ' || count(*) FROM added;
	SELECT 'workers ' || count(*) || ' ' || sum(jobs) FROM corm.workers;
	SELECT 'problems ' || count(*) FROM corm.work_check();
	TABLE seen;
});
like($out, qr/own true/, 'the memory of the session is flat');
like($out, qr/worker true/, '... and that of the worker');
like($out, qr/shared true/, '... and what is left of the shared memory');
is(($out =~ /added (\d+)/)[0], 11 * ($each / 1000), 'all durable tasks have run');
like($out, qr/workers 1 /, 'in one worker');
like($out, qr/problems 0/, 'all is sound');
note($out);

done_testing();
