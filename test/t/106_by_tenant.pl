# Verbs for one tenant, over tables that are partitioned by tenant, and over tables that Citus distributes by tenant, where Citus is
# installed: each reads and writes in one place, and does what it does over whole tables.  The statements are those of
# test/sql/by_tenant.sql.

use strict;
use warnings FATAL => 'all';

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $suite = PostgreSQL::Test::Utils::slurp_file("$FindBin::Bin/../sql/by_tenant.sql");

# statements FROM, TO: what stands in $$ $$ between two lines of the regression test
sub statements
{
	my ($from, $to) = @_;
	my ($part) = $suite =~ /\Q$from\E(.*?)\Q$to\E/s or die "test/sql/by_tenant.sql has no part from \"$from\" to \"$to\"";
	return $part =~ /\$\$(.*?)\$\$/sg;
}

my @reads = statements('FROM unnest(ARRAY[', '-- not for one tenant');
my @writes = statements('INSERT INTO tenants.calls (call) VALUES', 'SELECT call, (tenants.writes');
my @tables = qw(account project task label task_label);
my @ddl = (
	'CREATE TABLE account (tenant int, id int, name text, PRIMARY KEY (tenant, id))',
	'CREATE TABLE project (tenant int, id int, account_id int, name text, gone timestamptz, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, account_id) REFERENCES account)',
	'CREATE TABLE task (tenant int, id int, project_id int, title text, n int, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, project_id) REFERENCES project)',
	'CREATE TABLE label (tenant int, id int, name text, PRIMARY KEY (tenant, id))',
	'CREATE TABLE task_label (tenant int, task_id int, label_id int, PRIMARY KEY (tenant, task_id, label_id), FOREIGN KEY (tenant, task_id) REFERENCES task, '
	  . 'FOREIGN KEY (tenant, label_id) REFERENCES label)');
my $rows = q{
	INSERT INTO account SELECT t, i, 'a' || t || i FROM generate_series(1, 4) t, generate_series(1, 3) i;
	INSERT INTO project SELECT t, i, i % 3 + 1, 'p' || t || i, CASE WHEN i = 6 THEN timestamptz '2020-01-01' END FROM generate_series(1, 4) t, generate_series(1, 6) i;
	INSERT INTO task SELECT t, i, i % 6 + 1, 't' || t || i, i FROM generate_series(1, 4) t, generate_series(1, 20) i;
	INSERT INTO label SELECT t, i, 'l' || i FROM generate_series(1, 4) t, generate_series(1, 3) i;
	INSERT INTO task_label SELECT t, i, i % 3 + 1 FROM generate_series(1, 4) t, generate_series(1, 20) i WHERE i % 4 > 0;
	SELECT corm.register('project', '{"soft_delete": "gone"}');
};
my $contents = 'SELECT md5(string_agg(r, chr(10) ORDER BY r)) FROM (' . join(' UNION ALL ', map { 'SELECT ' . ($_ eq 'project' ? '(tenant, id, account_id, name, gone IS NULL)' : $_) . "::text FROM $_" } @tables) . ') AS t (r)';
my $hooks = q{
	CREATE FUNCTION before_save(t task) RETURNS task LANGUAGE plpgsql AS $$ BEGIN t.title := coalesce(t.title, '-'); RETURN t; END $$;
	CREATE FUNCTION before_delete(t task) RETURNS task LANGUAGE plpgsql AS $$ BEGIN RETURN t; END $$;
};
my $settings = q{SET plan_cache_mode = force_custom_plan; SET client_min_messages = warning; };

# run SERVER, SCHEMA, SQL: rows and messages
sub run
{
	my ($server, $schema, $sql) = @_;
	my ($status, $stdout, $stderr) = $server->psql('postgres', "SET TimeZone = 'UTC'; SET search_path = $schema, corm_ops; $settings$sql");
	return ($status == 0 ? $stdout : "error", $stderr);
}

# the_suite SERVER, WHERE, CODE, CODE: that a plan, and what a write has done, is in one place
sub the_suite
{
	my ($server, $where, $read_places, $write_places) = @_;
	for my $query (@reads)
	{
		my ($plan) = run($server, 'tenants', "SELECT * FROM corm.explain($query)");
		is($read_places->($plan), 1, "$where, one place: $query") or diag($plan);
		my ($answer, $errors) = run($server, 'tenants', "SELECT corm.get_multi_json($query)");
		is($answer, (run($server, 'whole', "SELECT corm.get_multi_json($query)"))[0], '... and the answer of whole tables') or diag($errors);
		isnt($answer, '[]', '... which has rows');
	}
	for my $hooked (0, 1)
	{
		if ($hooked)
		{
			$server->safe_psql('postgres', "SET search_path = $_; $hooks") for qw(tenants whole);
		}
		for my $call (grep { !$hooked || /'task'|::task/ } @writes)
		{
			is($write_places->($server, $call), 1, "$where, " . ($hooked ? 'with hooks, ' : '') . "one place: $call");
			my ($before) = run($server, 'tenants', $contents);
			my ($after, $errors) = run($server, 'tenants', "BEGIN; \\o /dev/null\n$call;\n\\o\n$contents; ROLLBACK");
			isnt($after, $before, '... is written') or diag($errors);
			is($after, (run($server, 'whole', "BEGIN; \\o /dev/null\n$call;\n\\o\n$contents; ROLLBACK"))[0], '... as to whole tables') or diag($errors);
		}
	}
	return;
}

# distinct LIST
sub distinct
{
	my %seen;
	$seen{$_}++ for @_;
	return scalar keys %seen;
}

# Partitions
my $server = PostgreSQL::Test::Cluster->new('partitions');
$server->init;
$server->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\nmax_locks_per_transaction = 200");
$server->start;
$server->safe_psql('postgres', 'CREATE EXTENSION corm; CREATE SCHEMA tenants; CREATE SCHEMA whole');
$server->safe_psql('postgres', join(';', 'SET search_path = whole', @ddl, $rows));
$server->safe_psql('postgres', join(';', 'SET search_path = tenants', (map { "$_ PARTITION BY HASH (tenant)" } @ddl),
	(map { my $table = $_; map { "CREATE TABLE ${table}_p$_ PARTITION OF $table FOR VALUES WITH (MODULUS 4, REMAINDER $_)" } 0 .. 3 } @tables), $rows));
# foreign keys are checked by statements of PostgreSQL, which open partitions as they like
$server->append_conf('postgresql.conf', 'session_replication_role = replica');
$server->reload;
the_suite($server, 'partitions',
	sub { distinct(shift =~ /_p(\d)\b/g) },
	sub {
		my ($on, $call) = @_;
		my ($locked) = run($on, 'tenants', "BEGIN; \\o /dev/null\n$call;\n\\o\nSELECT c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
			WHERE l.pid = pg_backend_pid() AND c.relispartition AND c.relkind = 'r' AND l.mode = 'RowExclusiveLock'; ROLLBACK");
		return distinct($locked =~ /_p(\d)\b/g);
	});
my $available = $server->safe_psql('postgres', q{SELECT default_version FROM pg_available_extensions WHERE name = 'citus'});
$server->stop;

if ($available eq '')
{
	pass('Citus is not installed: distributed tables have not been tried');
	done_testing();
	exit;
}

# Citus: a coordinator and two workers
my $address = '127.0.0.1';
my @nodes;
for my $name (qw(coordinator one two))
{
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'citus, corm'\nlisten_addresses = '$address'\nmax_prepared_transactions = 50\n"
		  . "citus.node_conninfo = 'sslmode=disable'\ncitus.enable_statistics_collection = off\ncitus.local_hostname = '$address'\nclient_min_messages = warning");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION citus');
	push @nodes, $node;
}
my $coordinator = $nodes[0];
note($coordinator->safe_psql('postgres', 'SELECT citus_version()'));
$coordinator->safe_psql('postgres', "SELECT citus_set_coordinator_host('$address', " . $coordinator->port . ')');
$coordinator->safe_psql('postgres', "SELECT citus_add_node('$address', " . $_->port . ')') for @nodes[1, 2];
$coordinator->safe_psql('postgres', 'CREATE EXTENSION corm; CREATE SCHEMA tenants; CREATE SCHEMA whole');
is($_->safe_psql('postgres', q{SELECT count(*) FROM pg_extension WHERE extname = 'corm'}), 1, 'Citus creates the extension on ' . $_->name) for @nodes;
$coordinator->safe_psql('postgres', join(';', 'SET search_path = whole', @ddl, $rows));
$coordinator->safe_psql('postgres', join(';', 'SET search_path = tenants', @ddl));
$coordinator->safe_psql('postgres', "SET search_path = tenants; SELECT create_distributed_table('$_', 'tenant', shard_count => 4)") for @tables;
$coordinator->safe_psql('postgres', "SET search_path = tenants; $rows");
my %range = split /[|\n]/, $coordinator->safe_psql('postgres', 'SELECT shardid, shardminvalue FROM pg_dist_shard');
the_suite($coordinator, 'Citus',
	sub {
		my ($plan) = @_;
		my $tasks = 0;
		$tasks += $1 while $plan =~ /Task Count: (\d+)/g;
		return $plan =~ /Distributed Subplan/ ? "$tasks, and a subplan" : $tasks;
	},
	sub {
		my ($on, $call) = @_;
		my ($stdout, $stderr) = run($on, 'tenants', "BEGIN; SET LOCAL citus.log_remote_commands = on; SET LOCAL client_min_messages = notice; \\o /dev/null\n$call;\n\\o\nROLLBACK");
		return distinct(map { $range{$_} } $stderr =~ /issuing [^\n]*?_(\d{6,})\b/g);
	});

# What Citus does otherwise than partitions
$coordinator->safe_psql('postgres', q{
	CREATE TABLE users (tenant int, id int, name text, deleted_at timestamptz, PRIMARY KEY (tenant, id));
	SELECT create_distributed_table('users', 'tenant', shard_count => 4, colocate_with => 'none');
	INSERT INTO users SELECT t, i, 'u' FROM generate_series(1, 8) t, generate_series(1, 3) i});
my ($status, $stdout, $stderr) = $coordinator->psql('postgres', q{SELECT corm.register('users', '{"soft_delete": "deleted_at"}')});
is($stderr, '', 'a registration on the coordinator reaches the nodes');
is($coordinator->safe_psql('postgres', 'SELECT count(*) FROM corm.node_differences()'), 0, '... which do not differ');
is($_->safe_psql('postgres', q{SELECT corm.describe('users') ->> 'soft_delete'}), 'deleted_at', '... and know it: ' . $_->name) for @nodes;
for my $node (@nodes[1, 2])
{
	is($node->safe_psql('postgres', q{SELECT count(*) FROM corm.models WHERE model::text LIKE 'users%'}), 1, 'shards are in no view');
}
# SQLSTATE and message of a failure
sub failure
{
	my ($sql) = @_;
	my (undef, undef, $errors) = $coordinator->psql('postgres', "\\set VERBOSITY verbose\n$sql");
	return $errors =~ /ERROR:  (.*)/ ? $1 : "none: $errors";
}
like(failure('SELECT corm.delete(u) FROM users u'), qr/^0A000: "users_\d+" is a shard of a distributed table, not a model/, 'a verb in a query that goes to the shards');
is($coordinator->safe_psql('postgres', 'SELECT count(*) FROM users'), 24, '... deletes nothing');
my $key_exists = qr/^23505: duplicate key value violates unique constraint/;
like(failure(q{SELECT corm.insert_multi(ARRAY[(1, 9, 'x', NULL), (1, 1, 'x', NULL)]::users[])}), $key_exists, 'a key that exists: records');
like(failure(q{SELECT corm.insert_json('users', '[{"tenant": 1, "id": 9}, {"tenant": 1, "id": 1}]')}), $key_exists, '... JSON');
like(failure(q{SELECT corm.exec(corm.inserter('users'), corm.rows('[{"tenant": 1, "id": 1}]'::jsonb))}), $key_exists, '... rows()');
for my $order ('t', 't DESC', 't % 3, t')
{
	is($coordinator->safe_psql('postgres', "SELECT string_agg(tenant::text, ' ' ORDER BY number) FROM corm.insert_multi((SELECT array_agg((t, 100, 'x', NULL)::users ORDER BY $order) FROM generate_series(1, 20) t)) WITH ORDINALITY AS r (tenant, id, name, deleted_at, number);
		DELETE FROM users WHERE id = 100"),
		$coordinator->safe_psql('postgres', "SELECT string_agg(t::text, ' ' ORDER BY $order) FROM generate_series(1, 20) t"), "rows of several shards, in the order of the records: $order");
}
is($coordinator->safe_psql('postgres', q{SELECT string_agg(tenant::text, ' ' ORDER BY number) FROM corm.update_multi((SELECT array_agg((t, 1, 'y', NULL)::users ORDER BY t % 3, t) FROM generate_series(1, 8) t)) WITH ORDINALITY AS r (tenant, id, name, deleted_at, number)}),
	'3 6 1 4 7 2 5 8', 'update_multi: the same');
is($coordinator->safe_psql('postgres', q{SELECT corm.exec(corm.updater('users'), corm.set('name', 'z'), corm.where(corm.eq('id', 2)))}), 8, 'a write by query, of all shards');
my $locks = qr/^0A000: could not run distributed query with FOR UPDATE/;
like(failure(q{SELECT count(*) FROM corm.get_multi(NULL::users, corm.where(corm.eq('id', 2)), corm.for_update())}), $locks, 'locks on all shards are not possible');
$coordinator->safe_psql('postgres', 'CREATE FUNCTION before_save(u users) RETURNS users LANGUAGE plpgsql AS $$ BEGIN u.name := upper(u.name); RETURN u; END $$');
like(failure(q{SELECT corm.exec(corm.updater('users'), corm.set('name', 'z'), corm.where(corm.eq('id', 2)))}), $locks, '... nor is a write with hooks that goes to all');
is($coordinator->safe_psql('postgres', q{SELECT sum(corm.exec(corm.updater('users'), corm.set('name', 'z'), corm.where(corm.eq('id', 2), corm.eq('tenant', t)))) FROM generate_series(1, 8) t}), 8, '... but it is for one tenant after the other');
is($coordinator->safe_psql('postgres', q{SELECT DISTINCT name FROM users WHERE id = 2}), 'Z', '... with its hooks');
# a verb where the data is: a function that Citus delegates
$coordinator->safe_psql('postgres', q{
	CREATE FUNCTION forget(t int, i int) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN corm.exec(corm.deleter('users'), corm.where(corm.eq('tenant', t), corm.eq('id', i))); END $$;
	SELECT create_distributed_function('forget(int, int)', 't', colocate_with => 'users')});
is($coordinator->safe_psql('postgres', 'SELECT forget(5, 3)'), 1, 'a delegated function');
is($coordinator->safe_psql('postgres', 'SELECT count(*), count(deleted_at) FROM users WHERE tenant = 5 AND id = 3'), '1|1', '... deletes softly, as a worker knows to');
# tables that Citus replaces
for my $change (q{alter_distributed_table('users', shard_count => 8)}, q{undistribute_table('users')})
{
	my $old = $coordinator->safe_psql('postgres', q{SELECT 'users'::regclass::oid});
	(undef, undef, $stderr) = $coordinator->psql('postgres', "SET client_min_messages = warning; SELECT corm.keep_definitions(\$\$SELECT $change\$\$)");
	like($stderr, qr/WARNING:  the nodes lose the definitions/, "$change: a warning");
	isnt($coordinator->safe_psql('postgres', q{SELECT 'users'::regclass::oid}), $old, '... of a table that is another one now');
	is($coordinator->safe_psql('postgres', 'SELECT count(error) FROM corm.sync_nodes()'), 0, '... and the nodes are synchronized');
	is($coordinator->safe_psql('postgres', 'SELECT count(*) FROM corm.node_differences()'), 0, '... and do not differ');
	is($coordinator->safe_psql('postgres', q{SELECT corm.describe('users') ->> 'soft_delete', corm.describe('users') ->> 'hooks'}), 'deleted_at|["before_save"]', '... and nothing is lost');
}
# a table that is distributed and registered in one transaction
(undef, undef, $stderr) = $coordinator->psql('postgres', q{SET client_min_messages = warning; BEGIN; SELECT create_distributed_table('users', 'tenant', shard_count => 4, colocate_with => 'none'); SELECT corm.register('users', '{"soft_delete": "deleted_at"}'); COMMIT});
like($stderr, qr/WARNING:  \d+ definitions of corm are not the same on all nodes/, 'distributed and registered at once: a warning');
is($coordinator->safe_psql('postgres', 'SELECT count(error) FROM corm.sync_nodes()'), 0, '... and the nodes are synchronized');
is($_->safe_psql('postgres', q{SELECT corm.describe('users') ->> 'soft_delete'}), 'deleted_at', '... ' . $_->name) for @nodes;

done_testing();
