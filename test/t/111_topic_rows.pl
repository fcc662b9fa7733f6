# Durable messages leave no dead rows behind, but those of cursors and of the few rows about rotation; their tables are emptied.
# A million with the word soak in PG_TEST_EXTRA, some tens of thousands without.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $count = ($ENV{PG_TEST_EXTRA} // '') =~ /\bsoak\b/ ? 1_000_000 : 30_000;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\nmax_worker_processes = 16\nautovacuum = off\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION corm');
plan skip_all => 'pgstattuple is not installed'
	unless $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pgstattuple'});
$node->safe_psql('postgres', 'CREATE EXTENSION pgstattuple');

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql(q{SELECT corm.topic_create('d', durable => true, capacity => 100000), corm.subscribe('d', 'a'), corm.subscribe('d', 'b', ack => 'manual'),
	corm.subscribe('d', 'c', ordered => true)});
sql(qq{
	CREATE PROCEDURE work(n int) LANGUAGE plpgsql AS \$\$
	DECLARE
		seqs bigint[];
	BEGIN
		FOR i IN 1 .. n / 500 LOOP
			PERFORM corm.publish_many('d', (SELECT array_agg(g) FROM generate_series(1, 500) g));
			COMMIT;
			PERFORM corm.receive('d', 'a', 500);
			PERFORM corm.receive('d', 'c', 500);
			COMMIT;
			seqs := ARRAY(SELECT seq FROM corm.receive('d', 'b', 500));
			COMMIT;
			PERFORM corm.ack('d', 'b', VARIADIC seqs);
			COMMIT;
		END LOOP;
	END \$\$;
	CALL work($count);
});
is(sql('SELECT sum(lag) FROM corm.groups'), '0', 'all messages are settled');
is(sql('SELECT published FROM corm.topics'), $count, 'all were published');
my $dead = q{SELECT string_agg(relname || ' ' || dead_tuple_count, ', ' ORDER BY relname)
	FROM pg_class, pgstattuple(oid) WHERE relnamespace = 'corm'::regnamespace AND relkind = 'r' AND relname ~ '^topic_(messages|settled)_' AND dead_tuple_count > 0};
is(sql($dead), '', 'no dead row of a message or a settlement');
cmp_ok(sql(q{SELECT sum(dead_tuple_count) FROM pg_class, pgstattuple(oid) WHERE relnamespace = 'corm'::regnamespace AND relkind = 'r' AND relname ~ '^topic_'}),
	'<', 20 + $count / 2000, 'few of what tells how far groups are');
# a worker does this now and then; the fourth time, every table has been drained and emptied
ok($node->poll_query_until('postgres', 'SELECT corm.topic_rotate()'), "rotation $_") for 1 .. 4;
cmp_ok(sql(q{SELECT sum(n) FROM (SELECT count(*) AS n FROM corm.topic_messages_0 UNION ALL SELECT count(*) FROM corm.topic_messages_1
	UNION ALL SELECT count(*) FROM corm.topic_messages_2) c}), '<', $count, 'tables have been emptied');
is(sql('SELECT count(*) FROM corm.work_check()'), '0', 'shared memory is sound');

# Where one topic keeps more than can be moved, the messages of others go all the same.
sql(q{SELECT corm.topic_create('events', durable => true, retention => '10 years', capacity => 200000), corm.subscribe('events', 'g'),
	corm.topic_create('busy', durable => true, capacity => 200000), corm.subscribe('busy', 'g')});
sql(q{SELECT corm.publish_many('busy', array_agg(i)), corm.publish_many('events', array_agg(i)) FROM generate_series(1, 100001) i});
sql(q{SELECT count(*) FROM corm.receive('busy', 'g', 200000)});
sql(q{SELECT count(*) FROM corm.receive('events', 'g', 200000)});
ok($node->poll_query_until('postgres', 'SELECT corm.topic_rotate()'), "rotation $_, with many events") for 1 .. 5;
my $messages = q{(SELECT topic_id FROM corm.topic_messages_0 UNION ALL SELECT topic_id FROM corm.topic_messages_1 UNION ALL SELECT topic_id FROM corm.topic_messages_2) m};
is(sql(qq{SELECT string_agg(name || ' ' || n, ', ' ORDER BY name) FROM (SELECT d.name, count(m.topic_id) AS n FROM corm.topic_definitions d
	LEFT JOIN $messages ON m.topic_id = d.id WHERE name IN ('busy', 'events') GROUP BY 1) c}), 'busy 0, events 100001', 'what is kept stays, and nothing else');
sql(q{SELECT corm.seek('events', 'g', 'all')});
is(sql(q{SELECT count(*) || ' ' || min(seq) || ' ' || max(seq) FROM corm.receive('events', 'g', 200000)}), '100001 1 100001', 'and can be sought');

$node->stop;
done_testing();
