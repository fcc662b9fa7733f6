
# A cache of 16 MB under a hundred thousand operations with values of all sizes, a million with PG_TEST_EXTRA=cache: it
# never exceeds its memory, fragments nothing, and a value of the greatest size fits when all is done.  And counting by
# ten sessions at once.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $parts = ($ENV{PG_TEST_EXTRA} // '') =~ /\bcache\b/ ? 100 : 10;
my $operations = $parts * 10000;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'corm'
corm.cache_size = '16MB'
corm.cache_max_value_size = '4MB'
CONF
$node->start;

sub value { return $node->safe_psql('postgres', $_[0]); }

value(q{CREATE EXTENSION corm; SELECT corm.cache_create('mixed', events => '{}')});

# hardening 17: a hundred thousand entries for a cache that holds a hundred
value(q{SELECT corm.cache_create('hundred', max_bytes => 100 * 128, events => '{}')});
is(value(<<'SQL'), 't|t|t|t|t', 'a hundred thousand entries for a cache of a hundred: it keeps its bound, and counts the others');
CREATE TEMP TABLE seen (entries bigint, bytes bigint);
DO $$
BEGIN
	FOR part IN 0 .. 99 LOOP
		PERFORM corm.cache_set('k' || part * 1000 + i, i, cache => 'hundred', immediate => true) FROM generate_series(1, 1000) i;
		INSERT INTO seen SELECT entries, bytes FROM corm.cache_stats WHERE cache = 'hundred';
	END LOOP;
END $$;
SELECT max(s.bytes) <= 12800, max(s.entries) <= 100, min(s.entries) >= 50, min(c.sets) = 100000, min(c.evicted) = 100000 - min(c.entries)
FROM seen s, corm.cache_stats c WHERE c.cache = 'hundred';
SQL
is(value(<<"SQL"), "$operations|0|t", "$operations operations stay within the memory");
CREATE TEMP TABLE result AS SELECT 0 AS operations, 0 AS beyond;
CREATE TEMP TABLE size AS SELECT setting::bigint * 1024 AS bytes FROM pg_settings WHERE name = 'corm.cache_size';
DO \$\$
DECLARE
	sources text[] := ARRAY(SELECT repeat('x', n) FROM unnest('{10, 50, 64, 65, 180, 500, 1000, 4000}'::int[]) n);
	large text[] := ARRAY(SELECT repeat('y', n) FROM unnest('{30000, 100000, 500000, 1000000, 4194000}'::int[]) n);
	done int := 0;
	over int := 0;
	key text;
BEGIN
	PERFORM setseed(0.5);
	FOR part IN 1 .. $parts LOOP
		FOR i IN 1 .. 10000 LOOP
			key := 'k' || floor(random() * 100000);
			CASE i % 10
				WHEN 0 THEN PERFORM corm.cache_delete(key, 'mixed', true);
				WHEN 1, 2 THEN PERFORM corm.cache_exists(key, 'mixed');
				WHEN 3 THEN PERFORM corm.cache_set(key, sources[1 + i % 8], '10 milliseconds', 'mixed', true);
				ELSE
					IF i % 1000 = 7 THEN
						PERFORM corm.cache_set(key, large[1 + (i / 1000 + part) % 5], NULL, 'mixed', true);
					ELSE
						PERFORM corm.cache_set(key, sources[1 + i % 8], NULL, 'mixed', true);
					END IF;
			END CASE;
			done := done + 1;
		END LOOP;
		SELECT over + (size_bytes > bytes OR free_bytes < 0 OR (SELECT sum(c.bytes) FROM corm.cache_stats c) > bytes)::int
			INTO over FROM corm.cache_status(), size;
	END LOOP;
	UPDATE result SET operations = done, beyond = over;
END \$\$;
SELECT operations, beyond, (SELECT evicted > $operations / 10 FROM corm.cache_stats WHERE cache = 'mixed') FROM result;
SQL
is(value('SELECT * FROM corm.cache_check()'), '', 'cache_check is empty');
is(value(q{SELECT corm.cache_set('largest', repeat('z', 4194304), NULL, 'mixed', true); SELECT length(corm.cache_get('largest', 'mixed'))}), "\n4194304", 'a value of the greatest size fits');
my ($status, $stdout, $stderr) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT corm.cache_set('too large', repeat('z', 4194305), NULL, 'mixed', true)");
like($stderr, qr/ERROR:  54000: value of 4194305 bytes is too large for the cache/, 'a greater one is refused');
value(q{SELECT corm.cache_clear('mixed')});
ok($node->poll_query_until('postgres', 'SELECT size_bytes = free_bytes FROM corm.cache_status()'), 'cleared, all memory is free');

#
# Ten sessions count at once; and at a limit nobody gets beyond it
#
my $script = $node->basedir . '/incr.sql';
append_to_file($script, "SELECT corm.cache_incr('together'), corm.cache_decr('down', 2);\n");
$node->command_ok([ 'pgbench', '-n', '-c', '10', '-j', '2', '-t', '1', '-f', $script, 'postgres' ], 'ten sessions count once');
is(value(q{SELECT corm.cache_get('together'), corm.cache_get('down')}), '10|-20', 'that makes ten');
$node->command_ok([ 'pgbench', '-n', '-c', '10', '-j', '2', '-t', '500', '-f', $script, 'postgres' ], 'and five hundred times');
is(value(q{SELECT corm.cache_get('together'), corm.cache_get('down')}), '5010|-10020', 'that makes five thousand more');

# Two of these do not fit at once, but one does: nobody fails because another is at it
value(q{SELECT corm.cache_create('narrow', max_bytes => 10000)});
my $narrow = $node->basedir . '/narrow.sql';
append_to_file($narrow, "SELECT corm.cache_set('k' || :client_id, repeat('x', 6000), cache => 'narrow', immediate => true);\n");
$node->command_ok([ 'pgbench', '-n', '-c', '4', '-j', '2', '-t', '500', '-f', $narrow, 'postgres' ], 'large values do not fail for each other');
is(value('SELECT count(*) FROM corm.cache_check()'), '0', 'the cache is sound');

$node->stop;
done_testing();
