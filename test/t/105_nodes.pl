# Definitions on the nodes of a distributed database: corm.definitions, node_differences, sync_nodes, keep_definitions.  Databases of one
# server stand for the nodes, and functions that reach them by dblink for those of Citus.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = PostgreSQL::Test::Cluster->new('main');
$server->init(auth_extra => [ '--create-role', 'ann,bob' ]);
$server->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'");
$server->start;
my $connection = 'host=' . $server->host . ' port=' . $server->port;

my $tables = q{
	CREATE TABLE account (tenant int, id int, name text, gone timestamptz, PRIMARY KEY (tenant, id));
	CREATE TABLE item (tenant int, id int, account_id int, PRIMARY KEY (tenant, id), CONSTRAINT item_account FOREIGN KEY (tenant, account_id) REFERENCES account);
	CREATE TABLE other (id int PRIMARY KEY);
	CREATE TYPE account_dto AS (tenant int, id int);
	CREATE VIEW "Some items" AS SELECT * FROM item;
	CREATE FUNCTION pass(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.next(qc); END $$;
	ALTER TABLE other OWNER TO ann;
};
$server->safe_psql('postgres', "CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN; CREATE DATABASE one; CREATE DATABASE two");
$server->safe_psql($_, "CREATE EXTENSION corm; GRANT CREATE ON SCHEMA public TO ann; $tables") for qw(postgres one two);

sub sql { return $server->safe_psql('postgres', shift) }

sub fails
{
	my ($sql, $message, $name) = @_;
	my ($status, $stdout, $stderr) = $server->psql('postgres', "\\set VERBOSITY verbose\n$sql");
	like($stderr, $message, $name);
}

# Without Citus
fails('SELECT corm.node_differences()', qr/ERROR:  0A000: extension citus is not installed in this database/, 'node_differences without Citus');
fails('SELECT corm.sync_nodes()', qr/ERROR:  0A000: extension citus is not installed in this database/, 'sync_nodes without Citus');

# What is defined, as SQL
sql(q{
	SELECT corm.register('account', '{"soft_delete": "gone", "naming": "camel"}');
	SELECT corm.register('account_dto', '{"table": "account"}');
	SELECT corm.relate('"Some items"', 'their ''accounts''', 'has_many', 'account', '{tenant}', '{tenant}', condition => corm.gt('id', 1));
	SELECT corm.define_scope('account', 'new', corm.where(corm.gt('id', 5)), true);
	SELECT corm.use('pass(corm.query_context)', 'item', '{SELECT}');
	SELECT corm.use('pass(corm.query_context)', 'item', '{INSERT}', 5);
	SELECT corm.use('pass(corm.query_context)', NULL, '{RAW}');
	COMMENT ON COLUMN account.name IS 'It''s a name @orm:read_only';
	COMMENT ON CONSTRAINT item_account ON item IS '@orm:name=owner';
	COMMENT ON TYPE account_dto IS 'a dto @orm:table=account';
	COMMENT ON TABLE item IS 'without a tag';
});
my $definitions = sql(q{SELECT kind, model, name FROM corm.definitions() ORDER BY 1, 2, 3});
is($definitions, q{middleware||public.pass(corm.query_context)
middleware|public.item|public.pass(corm.query_context)
middleware|public.item|public.pass(corm.query_context) #2
options|public.account|
options|public.account_dto|
relation|public."Some items"|their 'accounts'
scope|public.account|new
tag|public.account|COLUMN public.account.name
tag|public.account_dto|TYPE public.account_dto
tag|public.item|CONSTRAINT item_account ON public.item}, 'what is defined');
# each can be removed and made again
sql(q{CREATE TABLE before AS SELECT model, kind, name, sql FROM corm.definitions()});
$server->safe_psql('postgres', q{SELECT undo FROM corm.definitions() \gexec});
is(sql('SELECT count(*) FROM corm.definitions()'), 0, 'all of it is removed by what removes it');
$server->safe_psql('postgres', q{SET search_path = pg_catalog; SELECT sql FROM public.before ORDER BY array_position('{tag,options,relation,scope,middleware}', kind) \gexec});
is(sql(q{(SELECT * FROM before EXCEPT SELECT model, kind, name, sql FROM corm.definitions()) UNION ALL (SELECT model, kind, name, sql FROM corm.definitions() EXCEPT SELECT * FROM before)}),
	'', '... and made again by what makes it');
is($server->safe_psql('postgres', 'SELECT count(*) FROM corm.definitions()', extra_params => [ '-U', 'bob' ]), 0, 'of models of others, nothing is shown');

# Citus, as far as it is needed
for my $database (qw(postgres one two))
{
	$server->safe_psql($database, qq{
	CREATE EXTENSION dblink SCHEMA public;
	GRANT EXECUTE ON FUNCTION public.dblink_connect_u(text, text) TO PUBLIC;
	SET allow_system_table_mods = on;
	CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass);
	CREATE TABLE pg_catalog.pg_dist_object (classid oid, objid oid);
	GRANT SELECT ON pg_catalog.pg_dist_partition, pg_catalog.pg_dist_object TO PUBLIC;
	CREATE FUNCTION pg_catalog.citus_is_coordinator() RETURNS boolean LANGUAGE sql AS \$\$ SELECT current_database() = 'postgres' \$\$;
	CREATE FUNCTION pg_catalog.master_run_on_worker(worker_name text[], port int[], command text[], parallel boolean,
		OUT node_name text, OUT node_port int, OUT success boolean, OUT result text) RETURNS SETOF record LANGUAGE plpgsql AS \$\$
	BEGIN
		FOR i IN 1 .. cardinality(worker_name) LOOP
			node_name := worker_name[i];
			node_port := port[i];
			BEGIN
				PERFORM public.dblink_connect_u('node', format('$connection user=%I dbname=%I', current_user, node_name));
				SELECT r.result INTO result FROM public.dblink('node', command[i]) AS r (result text);
				success := true;
				PERFORM public.dblink_disconnect('node');
			EXCEPTION WHEN OTHERS THEN
				IF 'node' = ANY (public.dblink_get_connections()) THEN
					PERFORM public.dblink_disconnect('node');
				END IF;
				success := false;
				result := 'ERROR:  ' || sqlerrm;
			END;
			RETURN NEXT;
		END LOOP;
	END \$\$;
	CREATE FUNCTION pg_catalog.run_command_on_workers(command text, parallel boolean DEFAULT true,
		OUT nodename text, OUT nodeport int, OUT success boolean, OUT result text) RETURNS SETOF record LANGUAGE sql AS
		\$\$ SELECT * FROM master_run_on_worker('{one,two}', '{1,2}', ARRAY[command, command], parallel) \$\$;
	INSERT INTO pg_catalog.pg_dist_partition VALUES ('account'), ('item');
	INSERT INTO pg_catalog.pg_dist_object VALUES ('pg_class'::regclass, '"Some items"'::regclass), ('pg_type'::regclass, 'account_dto'::regtype);
	});
}
fails('\c one
SELECT corm.sync_nodes()', qr/ERROR:  55000: this node is not the coordinator/, 'sync_nodes elsewhere');

is(sql('SELECT node, count(*), count(there) FROM corm.node_differences() GROUP BY 1 ORDER BY 1'), "one:1|10|0\ntwo:2|10|0", 'nodes without definitions');
is(sql('SELECT node, count(*), count(error) FROM corm.sync_nodes() GROUP BY 1 ORDER BY 1'), "one:1|10|0\ntwo:2|10|0", 'they get them');
is(sql('SELECT count(*) FROM corm.node_differences()'), 0, '... and have them');
is($server->safe_psql('two', 'SELECT kind, model, name FROM corm.definitions() ORDER BY 1, 2, 3'), $definitions, '... all of them');
is(sql('SELECT count(*) FROM corm.sync_nodes()'), 0, 'the second time, there is nothing to do');

# Each function that defines something sends it at the end of its transaction
sub on_nodes
{
	my ($sql) = @_;
	return join ' ', map { $server->safe_psql($_, $sql) } qw(one two);
}
my ($status, $stdout, $stderr) = $server->psql('postgres', q{
	BEGIN;
	SELECT corm.register('account', '{"soft_delete": "gone"}');
	SELECT corm.unregister('account_dto');
	SELECT corm.unrelate('"Some items"', 'their ''accounts''');
	SELECT corm.relate('item', 'same', 'has_many', 'item', '{tenant,id}', '{tenant,id}');
	SELECT corm.define_scope('account', 'new', corm.where(corm.gt('id', 6)));
	SELECT corm.relate('item', 'z', 'has_many', 'item', '{tenant,id}', '{tenant,id}');
	SELECT corm.relate('item', 'a', 'has_many', 'item', '{tenant,id}', '{tenant,id}', condition => corm.some('z'));
	SELECT corm.relate('item', 'z', 'has_many', 'item', '{tenant}', '{tenant}');
	SELECT corm.unuse((SELECT id FROM corm.middleware WHERE priority = 5));
	COMMENT ON COLUMN account.name IS NULL;
	COMMENT ON TABLE item IS '@orm:name=thing';
	COMMIT});
is($stderr, '', 'definitions are sent');
is(on_nodes(q{SELECT count(*) FROM corm.middleware}), '2 2', 'middleware');
is(on_nodes(q{SELECT corm.to_sql(corm.selector('account'), corm.select('id'), corm.scope('new'))}),
	join(' ', (q{SELECT account.id FROM public.account WHERE account.id > $1 AND account.gone IS NULL}) x 2), 'scopes, options');
is(on_nodes(q{SELECT string_agg(name, ' ' ORDER BY name) FROM corm.relations WHERE model = 'item'::regclass}), 'a owner same z a owner same z', 'relations, tags');
is(on_nodes(q{SELECT obj_description('item'::regclass)}), '@orm:name=thing @orm:name=thing', 'tags of tables');
is(on_nodes(q{SELECT col_description('account'::regclass, 3) IS NULL}), 't t', 'a tag that is gone');
is(sql('SELECT count(*) FROM corm.node_differences()'), 0, 'no differences');

# A transaction that is rolled back sends nothing; what is about other tables stays here
sql(q{BEGIN; SELECT corm.register('account', '{}'); ROLLBACK; SELECT corm.register('other', '{"naming": "camel"}')});
is(on_nodes(q{SELECT count(*) FROM corm.models WHERE registered}), '1 1', 'a rollback, a table of the coordinator');

# Definitions of others are sent by those who may: as themselves
sql(q{INSERT INTO pg_catalog.pg_dist_partition VALUES ('other')});
($status, $stdout, $stderr) = $server->psql('postgres', q{SELECT corm.define_scope('other', 'x', corm.where(corm.gt('id', 1)))}, extra_params => [ '-U', 'ann' ]);
is($stderr, '', 'the owner of a table defines');
is(on_nodes(q{SELECT count(*) FROM corm.definitions() WHERE model = 'public.other'}), '2 2', '... and sends it with all about the table');
is($server->safe_psql('postgres', 'SELECT count(*) FROM corm.node_differences()', extra_params => [ '-U', 'bob' ]), 0, 'others see no differences of it');
sql(q{CREATE FUNCTION definer() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ SELECT corm.drop_scope('other', 'x') $$; ALTER FUNCTION definer OWNER TO ann});
$server->safe_psql('postgres', 'SELECT definer()', extra_params => [ '-U', 'bob' ]);
is(on_nodes(q{SELECT count(*) FROM corm.definitions() WHERE kind = 'scope' AND model = 'public.other'}), '0 0', 'a function of the owner defines, somebody else commits');

# A role that has defined something is dropped before the transaction ends
sub defines
{
	my ($sql) = @_;
	my ($status, $stdout, $stderr) = $server->psql('postgres', $sql);
	is($status, 0, 'the transaction is committed');
	return $stderr;
}
sub scopes_on_nodes { return on_nodes(q{SELECT coalesce(string_agg(name, ',' ORDER BY name), '-') FROM corm.definitions() WHERE kind = 'scope' AND model = 'public.other'}) }
my $gone = qr/^(psql:<stdin>:\d+: )?WARNING:  a role that has changed definitions of corm does not exist anymore\nDETAIL:  The nodes may not have what it has defined\.\nHINT:  See corm\.node_differences\(\)/;
my $by_eve = q{
	BEGIN;
	CREATE ROLE eve;
	GRANT ann TO eve;
	SET LOCAL ROLE eve;
	SELECT corm.define_scope('other', '%s', corm.where(corm.gt('id', 1)));
	RESET ROLE;
	DROP ROLE eve;};
is(defines(sprintf($by_eve, 'a') . 'COMMIT'), '', 'a superuser drops it');
is(scopes_on_nodes(), 'a a', '... and sends what it has defined');
like(defines(sprintf($by_eve, 'b') . q{SET LOCAL ROLE bob; COMMIT}), $gone, 'another role commits');
is(scopes_on_nodes(), 'a a', '... which cannot send it');
is(sql(q{SELECT node, model, name FROM corm.node_differences()}), "one:1|public.other|b\ntwo:2|public.other|b", '... so the nodes differ');
is(defines(sprintf($by_eve, 'c') . q{SET LOCAL ROLE ann; SELECT corm.drop_scope('other', 'b'); COMMIT}) =~ $gone, 1, 'one that has defined something, too');
is(scopes_on_nodes(), 'a,c a,c', '... and sends all that it owns');
$server->safe_psql('postgres', 'CREATE ROLE eve; GRANT ann TO eve');
my $session = $server->background_psql('postgres', on_error_stop => 0);
$session->query_safe(q{SET ROLE eve; BEGIN; SELECT corm.drop_scope('other', 'c')});
sql('DROP ROLE eve');
my $printed = $session->query('COMMIT');
is($session->query(q{SELECT count(*) FROM pg_roles WHERE rolname = 'eve'}), 0, 'another session drops the role that commits');
like($session->{stderr}, $gone, '... a warning');
$session->quit;
is(scopes_on_nodes(), 'a,c a,c', '... nobody sends it');
is(sql(q{SELECT count(*), count(error) FROM corm.sync_nodes()}), '2|0', '... until somebody does');

# So are the objects
is(defines(q{
	BEGIN;
	CREATE SCHEMA passing;
	CREATE TABLE passing.item (id int PRIMARY KEY);
	CREATE FUNCTION passing.pass(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.next(qc); END $$;
	SELECT corm.register('passing.item', '{"naming": "camel"}');
	SELECT corm.relate('item', 'passing', 'has_many', 'passing.item', '{id}', '{id}');
	SELECT corm.use('passing.pass(corm.query_context)', 'item', '{SELECT}');
	SELECT corm.use('passing.pass(corm.query_context)', NULL, '{SELECT}');
	SET LOCAL client_min_messages = warning;
	DROP SCHEMA passing CASCADE;
	COMMIT}), '', 'a schema with a model, a target and a function');
is(sql('SELECT count(*) FROM corm.node_differences()'), 0, '... nothing is sent');
is(defines(q{
	SET allow_system_table_mods = on;
	BEGIN;
	SELECT corm.register('account', '{}');
	ALTER FUNCTION pg_catalog.run_command_on_workers(text, boolean) RENAME TO run_no_command;
	COMMIT;
	ALTER FUNCTION pg_catalog.run_no_command(text, boolean) RENAME TO run_command_on_workers;
	SELECT corm.register('account', '{"soft_delete": "gone"}');}), '', 'Citus');
is(sql('SELECT count(*) FROM corm.node_differences()'), 0, '... which is back');

# Nodes that differ: a warning, and a way out
$server->safe_psql('one', 'ALTER TABLE account RENAME TO account_2');
($status, $stdout, $stderr) = $server->psql('postgres', q{SELECT corm.register('account', '{"soft_delete": "gone", "naming": "camel"}')});
like($stderr, qr/WARNING:  \d+ definitions of corm are not the same on all nodes\nDETAIL:  Node one:1: relation "public.account" does not exist\nHINT:  See corm.node_differences/, 'a node without the table');
is($status, 0, '... does not stop the others');
is($server->safe_psql('two', q{SELECT corm.describe('account') ->> 'naming'}), 'camel', '... that have it');
$server->safe_psql('one', 'ALTER TABLE account_2 RENAME TO account');
is(sql(q{SELECT node, model, kind, here IS NULL, there IS NULL FROM corm.node_differences()}), 'one:1|public.account|options|f|f', 'the difference');
# a lock that nobody gives up
my $blocker = $server->background_psql('one');
$blocker->query_safe('BEGIN; LOCK TABLE account');
is(sql(q{SELECT node, error FROM corm.sync_nodes()}), 'one:1|canceling statement due to lock timeout', 'a lock on a node');
$blocker->query_safe('ROLLBACK');
$blocker->quit;
is(sql(q{SELECT node, sql ~ '^SELECT corm.register', error FROM corm.sync_nodes()}), 'one:1|t|', 'when it can be done, it is');
$server->safe_psql('two', 'DROP EXTENSION corm CASCADE');
is(sql(q{SELECT node, kind, there FROM corm.node_differences()}), 'two:2|node|ERROR:  schema "corm" does not exist', 'a node without corm');
is(sql(q{SELECT node, sql, error FROM corm.sync_nodes()}), 'two:2||ERROR:  schema "corm" does not exist', '... gets nothing');
$server->safe_psql('two', 'CREATE EXTENSION corm; CREATE FUNCTION pass(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.next(qc); END $$');
is(sql(q{SELECT count(*) > 5, count(error) FROM corm.sync_nodes()}), 't|0', 'a new node');
is(sql('SELECT count(*) FROM corm.node_differences()'), 0, '... is as the others');
fails('SET default_transaction_read_only = on; SELECT corm.sync_nodes()', qr/ERROR:  25006: /, 'read-only');

# Tables that are replaced by others of the same name
my $replace = q{
	CREATE FUNCTION replace_account() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
		CREATE TABLE account_new (LIKE account INCLUDING ALL);
		INSERT INTO account_new SELECT * FROM account;
		DROP TABLE account CASCADE;
		ALTER TABLE account_new RENAME TO account;
		ALTER TABLE item ADD CONSTRAINT item_account FOREIGN KEY (tenant, account_id) REFERENCES account;
	END $$;
	CREATE FUNCTION before_save(a account) RETURNS account LANGUAGE plpgsql AS $$ BEGIN a.name := upper(a.name); RETURN a; END $$;
	CREATE FUNCTION first_of(a account[]) RETURNS account LANGUAGE sql AS $$ SELECT a[1] $$;
	COMMENT ON FUNCTION first_of(account[]) IS 'the first';
	REVOKE ALL ON FUNCTION first_of(account[]) FROM PUBLIC;
	GRANT EXECUTE ON FUNCTION first_of(account[]) TO ann WITH GRANT OPTION;
	ALTER FUNCTION first_of(account[]) OWNER TO bob;
	COMMENT ON TABLE account IS '@orm:name=acc';
	SELECT corm.relate('other', 'accounts', 'has_many', 'account', '{id}', '{id}');
};
sql($replace);
sql(q{SET client_min_messages = error; DROP TABLE before; CREATE TABLE before AS SELECT model, kind, name, sql FROM corm.definitions()});
my $state = q{SELECT p.proname, pg_get_userbyid(proowner), proacl, obj_description(p.oid) FROM pg_proc p WHERE proname IN ('before_save', 'first_of') ORDER BY 1};
my $functions = sql($state);
my $old = sql(q{SELECT 'account'::regclass::oid});
is(sql(q{SET client_min_messages = error; SELECT count(*) FROM corm.keep_definitions('SELECT replace_account()')}), 11, 'what was made again');
isnt(sql(q{SELECT 'account'::regclass::oid}), $old, 'the table is another one');
is(sql(q{(SELECT * FROM before EXCEPT SELECT model, kind, name, sql FROM corm.definitions()) UNION ALL (SELECT model, kind, name, sql FROM corm.definitions() EXCEPT SELECT * FROM before)}),
	'', 'all definitions are those of before');
is(sql($state), $functions, 'functions with their owners, privileges and comments');
is(sql(q{SELECT corm.insert_json('account', '{"tenant": 1, "id": 9, "name": "x"}') ->> 'name'}), 'X', 'hooks are hooks again');
is(sql(q{SELECT count(*) FROM corm.keep_definitions('SELECT 1')}), 0, 'a command that replaces nothing');
sql(q{ALTER TABLE account OWNER TO ann; ALTER FUNCTION before_save(account) OWNER TO bob; ALTER FUNCTION replace_account() SECURITY INVOKER; ALTER TABLE item OWNER TO ann; DROP TABLE before});
($status, $stdout, $stderr) = $server->psql('postgres', q{SELECT corm.keep_definitions('SELECT replace_account()')}, extra_params => [ '-U', 'ann' ]);
like($stderr, qr/ERROR:  function public.(before_save|first_of)\(public.account(\[\])?\) would be lost/, 'a function of another role');
is(sql(q{SELECT count(*) FROM pg_proc WHERE proname IN ('before_save', 'first_of')}), 2, '... is not lost');
fails('SELECT corm.keep_definitions(NULL)', qr/ERROR:  22004: the command must not be null/, 'no command');
fails(q{SELECT corm.keep_definitions('SELECT 1/0')}, qr/ERROR:  22012: /, 'a command that fails');

# Without corm, there is nothing to send
is(defines(q{SET client_min_messages = warning; BEGIN; SELECT corm.register('account', '{}'); DROP EXTENSION corm CASCADE; COMMIT}), '', 'the extension');
is(on_nodes('SELECT count(*) > 5 FROM corm.definitions()'), 't t', '... leaves the nodes as they are');

done_testing();
