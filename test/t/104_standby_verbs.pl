# What the verbs do on a hot standby: all that reads, with hooks, scopes, middleware, transaction scopes and cached results; what
# writes raises 25006, and says where to write.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'");
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE EXTENSION corm;
	CREATE TABLE company (id int PRIMARY KEY, name text);
	CREATE TABLE person (id int PRIMARY KEY, company_id int REFERENCES company, name text, gone timestamptz);
	CREATE TABLE tag (id int PRIMARY KEY, name text);
	CREATE TABLE person_tag (person_id int REFERENCES person, tag_id int REFERENCES tag, PRIMARY KEY (person_id, tag_id));
	INSERT INTO company VALUES (1, 'Acme');
	INSERT INTO person VALUES (1, 1, 'Ann', NULL), (2, 1, 'Bob', NULL), (3, 1, 'Cid', now());
	INSERT INTO tag VALUES (1, 'x');
	INSERT INTO person_tag VALUES (1, 1);
	CREATE FUNCTION after_find(p person) RETURNS person LANGUAGE plpgsql AS $$ BEGIN p.name := upper(p.name); RETURN p; END $$;
	SELECT corm.register('person', '{"soft_delete": "gone"}');
	SELECT corm.define_scope('person', 'first', corm.where(corm.lt('id', 2)));
	CREATE FUNCTION pass(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.next(qc); END $$;
	SELECT corm.use('pass(corm.query_context)', 'company');
});
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

my @reads = (
	[ q{SELECT name FROM corm.get_multi(NULL::person, corm.order_by('id'))}, "ANN\nBOB", 'get_multi' ],
	[ q{SELECT (corm.find(NULL::person, 2)).name, corm.find_json('company', 1)}, 'BOB|{"id": 1, "name": "Acme"}', 'find' ],
	[ q{SELECT name FROM corm.find_multi(NULL::person, ARRAY[2, 1])}, "BOB\nANN", 'find_multi' ],
	[ q{SELECT (corm.get(NULL::person, corm.where(corm.eq('id', 1)))).name, (corm.first(NULL::person, corm.order_by('-id'))).name, (corm.one(NULL::person, corm.where(corm.eq('id', 1)))).name},
		'ANN|BOB|ANN', 'get, first, one' ],
	[ q{SELECT corm.get_json(corm.selector('tag')), corm.get_json_text(corm.selector('tag')), corm.first_json(corm.selector('tag')), corm.first_json_text(corm.selector('tag'))},
		'{"id": 1, "name": "x"}|{"id":1,"name":"x"}|{"id": 1, "name": "x"}|{"id":1,"name":"x"}', 'JSON of one row' ],
	[ q{SELECT corm.get_multi_json_text(corm.selector('tag'))}, '[{"id":1,"name":"x"}]', 'JSON as text' ],
	[ q{SELECT corm.exists(corm.selector('tag')), corm.value(NULL::text, corm.selector('tag'), corm.select('name')), (SELECT string_agg(p, ',') FROM corm.pluck(NULL::text, corm.selector('tag'), corm.select('name')) p)},
		't|x|x', 'exists, value, pluck' ],
	[ q{SELECT corm.to_sql(corm.selector('tag'), corm.select('id')), count(*) > 0 FROM corm.explain(corm.selector('tag'))}, 'SELECT tag.id FROM public.tag|t', 'to_sql, explain' ],
	[ q{SELECT count(*) > 0 FROM corm.explain_analyze(corm.selector('tag'))}, 't', 'explain_analyze' ],
	[ q{CALL corm.run(corm.selector('tag'))}, '', 'run' ],
	[ q{SELECT corm.cache_set('k', 'v') IS NULL; SELECT corm.cache_get('k')}, "f\nv", 'the cache' ],
	[ q{SELECT corm.get_multi_json(corm.selector('company'), corm.preload('person', corm.scope('first'), corm.select('name')))},
		'[{"id": 1, "name": "Acme", "person": [{"name": "ANN"}]}]', 'preloads, scopes, hooks, middleware' ],
	[ q{SELECT corm.page_json(corm.selector('person'), corm.limit(1), corm.with_total()) #>> '{page_info,total}'}, '2', 'page_json' ],
	[ q{SELECT corm.count(corm.selector('person'), corm.where(corm.some('tag')))}, '1', 'count' ],
	[ q{SELECT corm.get_multi_json(corm.selector('person'), corm.filter('{"where": {"name": "Bob"}, "select": ["id"]}'))}, '[{"id": 2}]', 'filter' ],
	[ q{SELECT corm.get_multi_json(corm.selector('tag'), corm.select('id'), corm.order_by('id'), corm.cached('1 minute')) = corm.get_multi_json(corm.selector('tag'), corm.select('id'), corm.order_by('id'), corm.cached('1 minute'))}, 't', 'cached' ],
	[ q{SELECT corm.do_tx('SELECT corm.count(corm.selector(''person''))')}, '[{"count": 2}]', 'do_tx' ],
	[ q{SELECT (corm.try_tx('SELECT 1/0')).sqlstate}, '22012', 'try_tx' ],
	[ q{SELECT sum(calls) > 0 FROM corm.stat_queries}, 't', 'statistics' ],
	[ q{SELECT count(*) FROM corm.relations WHERE model = 'person'::regclass}, '3', 'views' ]);
is($standby->safe_psql('postgres', $_->[0]), $_->[1], "a standby reads: $_->[2]") for @reads;

my @writes = (
	[ q{SELECT corm.insert(row(9, 1, 'x', NULL)::person)}, 1 ],
	[ q{SELECT corm.insert_multi(ARRAY[row(9, 1, 'x', NULL)::person])}, 1 ],
	[ q{SELECT corm.update(row(1, 1, 'x', NULL)::person)}, 1 ],
	[ q{SELECT corm.save(row(1, 1, 'x', NULL)::person)}, 1 ],
	[ q{SELECT corm.delete(row(1, 1, 'x', NULL)::person)}, 1 ],
	[ q{SELECT corm.exec(corm.updater('person'), corm.set('name', 'x'), corm.where(corm.eq('id', 1)))}, 1 ],
	[ q{SELECT corm.insert_json('company', '{"id": 9, "person": [{"id": 9}]}')}, 1 ],
	[ q{SELECT corm.update_json('person', '{"id": 1}', '{"name": "x"}')}, 1 ],
	[ q{SELECT corm.upsert_json('tag', '{"id": 1, "name": "x"}')}, 1 ],
	[ q{SELECT corm.set_related('person', '{"id": 1}', 'tag', '[]')}, 1 ],
	[ q{SELECT corm.get_multi(NULL::person, corm.for_update())}, 1 ],
	[ q{SELECT corm.register('company', '{}')}, 0 ],
	[ q{SELECT corm.define_scope('company', 's', corm.where(corm.eq('id', 1)))}, 0 ],
	[ q{SELECT corm.use('pass(corm.query_context)', 'person')}, 0 ]);
for (@writes)
{
	my ($sql, $hinted) = @$_;
	my ($status, $stdout, $stderr) = $standby->psql('postgres', "\\set VERBOSITY verbose\n$sql");
	like($stderr, qr/ERROR:  25006: /, "a standby does not write: $sql");
	like($stderr, qr/HINT:  This server is a standby/, '... and says where to') if $hinted;
}

done_testing();
