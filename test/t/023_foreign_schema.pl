# A schema corm in a database without the extension, made by a role that may create schemas: with the library preloaded,
# nothing in it is taken for corm's. What is read from corm's catalogs is trusted to have their columns.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('foreign_schema');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\ncorm.cache_size = '2MB'\n");
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE planted; CREATE ROLE m; GRANT CREATE ON DATABASE planted TO m; CREATE ROLE gone; CREATE ROLE heir');
$node->safe_psql(
	'planted', q{
	SET ROLE m;
	CREATE SCHEMA corm;
	SELECT format('CREATE TABLE corm.%I AS SELECT r AS a, r AS b, r AS c, r AS d, r AS e, r AS f, r AS g FROM (SELECT oid::bigint FROM pg_roles WHERE rolname = ''gone'') x(r)', name)
	FROM unnest('{cache_definitions,cache_grants,model_options,declared_relations,scopes,middleware_functions,once_results,pool_definitions,pool_grants,durable_tasks,schedule_definitions}'::text[]) name \gexec
});

# what a superuser does there, and in other sessions
for my $command ('CREATE TEMP TABLE t (); DROP TABLE t', 'REASSIGN OWNED BY gone TO heir', 'DROP OWNED BY gone', 'DROP ROLE gone')
{
	my ($status, $out, $err) = $node->psql('planted', $command);
	is("$status $err", '0 ', $command);
}
is($node->safe_psql('planted', 'SELECT count(*) FROM corm.cache_definitions'), '1', 'nothing was written there');

# A function that looks like a hook is none where there are no hooks.
my ($status, $out, $err) = $node->psql(
	'planted', q{
	CREATE SCHEMA s;
	CREATE TABLE s.t (id int);
	CREATE FUNCTION s.before_create(x s.t) RETURNS s.t LANGUAGE sql AS $$ SELECT x $$;
	ALTER FUNCTION s.before_create(s.t) OWNER TO m;
	ALTER TABLE s.t OWNER TO heir;
	REASSIGN OWNED BY heir TO m;
});
is("$status $err", '0 ', 'a function that looks like a hook');

# Her schema given to a superuser is not the extension's either; that one comes when hers has gone.
$node->safe_psql('planted', 'REASSIGN OWNED BY m TO CURRENT_USER; CREATE ROLE gone');
is($node->safe_psql('planted', 'UPDATE corm.cache_definitions SET a = oid, b = oid, c = oid, d = oid FROM pg_roles WHERE rolname = \'gone\'; DROP ROLE gone; SELECT 1'), '1', 'a schema that a superuser owns');
is($node->safe_psql('planted', q{SET client_min_messages = warning; DROP SCHEMA corm CASCADE; CREATE EXTENSION corm; SELECT corm.cache_create('c'); SELECT name FROM corm.caches ORDER BY name}), "\nc\ndefault", 'the extension');
($status, $out, $err) = $node->psql('planted', 'BEGIN; DROP EXTENSION corm; CREATE SCHEMA corm; CREATE TEMP TABLE t (); DROP TABLE t; ROLLBACK; CREATE TEMP TABLE t (); DROP TABLE t; SELECT count(*) FROM corm.caches');
is("$status $out$err", '0 2', 'dropped, and there again');

$node->stop;
done_testing();
