# From one version of the extension to the next (hardening 33, 34): the catalog after ALTER EXTENSION UPDATE, step by
# step and directly, is that of a fresh installation; the library serves databases whose objects are older.
#
# Released versions, of which sql/released/ has the scripts, are taken as they are.  Others are made up here from the
# parts of the present script, so that the machinery is proven before the second release: a version that lacks the last
# part or parts, and one that has an object more.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use CormUpgrade;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = "$FindBin::Bin/../..";
my ($current) = slurp_file("$source/corm.control") =~ /^default_version *= *'(.*)'/m;
my @parts = sort glob("'$source'/sql/*.sql");
my ($installation, $extension) = private_installation(PostgreSQL::Test::Utils::tempdir());

my $echo = qq{\\echo Use "CREATE EXTENSION corm" to load this file. \\quit\n};

# script(name, text...) puts a script among those of the private installation.
sub script
{
	my ($name, @text) = @_;
	open(my $handle, '>', "$extension/corm--$name.sql") or die "$extension/corm--$name.sql: $!\n";
	print $handle $echo, @text;
	close $handle or die;
	return;
}

my @text = map { slurp_file($_) } @parts;
is($echo . join('', @text), slurp_file("$extension/corm--$current.sql"), "version $current is made of the parts in sql/");

my $node = PostgreSQL::Test::Cluster->new('upgrade', install_path => $installation);
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\n");
$node->start;
is($node->safe_psql('postgres', q{SELECT setting FROM pg_config WHERE name = 'SHAREDIR'}) . '/extension', $extension, 'the server is the private one');

# install(database, version) makes a database with corm of that version, and some use of it.
sub install
{
	my ($database, $version) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql(
		$database, qq{
		CREATE EXTENSION corm VERSION '$version';
		CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, deleted_at timestamptz);
		SELECT corm.register('users', '{"soft_delete": true}');
		CREATE TABLE reports (q corm.query);
		INSERT INTO reports VALUES (corm.pipe(corm.selector('users'), corm.where(corm.eq('name', 'Ada')), corm.select('id', 'name')))});
	return;
}

# works(database): what the oldest version can do and every later one must.  Returns what it prints.
my $work = q{
	SELECT (corm.insert(ROW(NULL, 'Ada', NULL)::users)).name;
	SELECT name FROM corm.get(NULL::users, corm.where(corm.eq('name', 'Ada')));
	SELECT corm.exec(corm.updater('users'), corm.set('name', 'Bob'), corm.all_rows());
	SELECT corm.get_multi_json(q) FROM reports;
	SELECT corm.delete(u) FROM corm.get_multi(NULL::users) u;
	SELECT corm.count(corm.selector('users'));
	SELECT name, soft_delete FROM corm.models WHERE model = 'users'::regclass;
	SELECT count(*) FROM corm.fields WHERE model = 'users'::regclass};
my $worked = "Ada\nAda\n1\n[]\nt\n0\nusers|deleted_at\n3";

my %fresh;
sub fresh
{
	my ($version) = @_;
	if (!$fresh{$version})
	{
		(my $database = "fresh_$version") =~ s/\W/_/g;
		$node->safe_psql('postgres', "CREATE DATABASE $database");
		$node->safe_psql($database, "CREATE EXTENSION corm VERSION '$version'");
		$fresh{$version} = extension_catalog($node, $database);
	}
	return $fresh{$version};
}

# path(how, from, to...) updates a new database from version to version and compares the end with a fresh installation.
my $databases = 0;
sub path
{
	my ($how, $from, @to) = @_;
	my $database = 'path_' . ++$databases;
	install($database, $from);
	is($node->safe_psql($database, $work), $worked, "$how: version $from works with this library");
	for my $to (@to)
	{
		$node->safe_psql($database, "ALTER EXTENSION corm UPDATE TO '$to'");
		is($node->safe_psql($database, $work), $worked, "$how: so it does after the update to $to");
	}
	is(differences(extension_catalog($node, $database), fresh($to[-1])), '', "$how: the catalog is that of a fresh $to[-1]");
	return;
}

# A picture that shows nothing proves nothing.
my $picture = fresh($current);
for my $object ('FUNCTION corm.do_tx(', 'COMMENT ON FUNCTION corm.get(', 'CREATE OPERATOR corm_ops.|>', 'CREATE VIEW corm.models',
	'CREATE CAST (jsonb AS corm.query)', 'GRANT SELECT ON TABLE corm.models TO PUBLIC', 'REVOKE ALL ON FUNCTION corm.stat_reset() FROM PUBLIC',
	'EVENT TRIGGER corm_comment ENABLE ALWAYS', 'CREATE TRIGGER catalog_change', 'configuration table corm.model_options: WHERE NOT EXISTS',
	'GRANT USAGE ON SCHEMA corm TO PUBLIC')
{
	ok(index($picture, $object) >= 0, "the picture of the catalog shows: $object");
}

#
# Released versions
#

my @released = map { m{corm--([\d.]+)\.sql$} ? $1 : () } glob("'$source'/sql/released/*.sql");
@released = sort { $node->safe_psql('postgres', "SELECT string_to_array('$a', '.')::int[] < string_to_array('$b', '.')::int[]") eq 't' ? -1 : 1 } @released;
for my $i (0 .. $#released)
{
	my @later = (@released[ $i + 1 .. $#released ], $current);
	next if $released[$i] eq $current;
	path('released, directly', $released[$i], $current);
	path('released, stepwise', $released[$i], @later) if @later > 1;
}

#
# Versions of which each has one part more than the one before
#

script('0.1', @text[ 0 .. $#text - 2 ]);
script('0.1--0.2', $text[-2]);
script("0.2--$current", $text[-1]);
path('stepwise', '0.1', '0.2', $current);
script("0.1--$current", @text[ -2, -1 ]);
path('directly', '0.1', $current);

# The next one: something more, and it goes on from here.
my $more = q{
	CREATE FUNCTION corm.more(n integer) RETURNS integer LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp RETURN n;
	COMMENT ON FUNCTION corm.more(integer) IS 'more';
	ALTER TABLE corm.model_options ADD COLUMN more integer DEFAULT 7;
	COMMENT ON COLUMN corm.model_options.more IS 'more';
	REVOKE ALL ON FUNCTION corm.describe(regclass) FROM PUBLIC;
};
script('99.0', @text, $more);
script("$current--99.0", $more);
path('to the next version', '0.1', '0.2', $current, '99.0');

# A script that forgets something is found out: one that makes the cache.
my ($cache) = grep { $parts[$_] =~ m{/70_cache\.sql$} } 0 .. $#parts;
script('0.3', @text[ grep { $_ != $cache } 0 .. $#text ]);
for (
	[ 'a comment', sub { $_[0] =~ s/COMMENT ON FUNCTION corm\.cache_get\(.*?';\n//s } ],
	[ 'a configuration table', sub { $_[0] =~ s/SELECT pg_catalog\.pg_extension_config_dump\('corm\.cache_grants'.*?;// } ],
	[ 'a REVOKE', sub { $_[0] =~ s/REVOKE ALL ON corm\.cache_grants FROM PUBLIC;/GRANT SELECT ON corm.cache_grants TO PUBLIC;/ } ],
	[ 'the volatility of a function', sub { $_[0] =~ s/VOLATILE PARALLEL UNSAFE/STABLE PARALLEL UNSAFE/ } ])
{
	my ($what, $forget) = @$_;
	my $text = $text[$cache];
	ok($forget->($text), "something to forget: $what");
	script('0.3--98.0', $text);
	(my $database = lc "forgot $what") =~ s/\W/_/g;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, q{CREATE EXTENSION corm VERSION '0.3'; ALTER EXTENSION corm UPDATE TO '98.0'});
	my $differences = differences(extension_catalog($node, $database) =~ s/'98\.0'/'$current'/r, fresh($current));
	like($differences, qr/./, "$what that was forgotten shows");
}

#
# A session that lives through the update, and objects that are missing before it
#

install('living', '0.1');
my $session = $node->background_psql('living', on_error_stop => 0);
sub ask
{
	my ($sql) = @_;
	my $answer = $session->query($sql);
	$answer = '' unless defined $answer;
	return $answer;
}
is(ask(q{SELECT (corm.insert(ROW(NULL, 'Ada', NULL)::users)).name; SELECT corm.count(corm.selector('users'))}), "Ada\n1", 'a session of version 0.1');
is(ask(q{SELECT corm.get_multi_json(q) FROM reports}), '[{"id": 1, "name": "Ada"}]', 'with plans');
$node->safe_psql('living', "ALTER EXTENSION corm UPDATE TO '0.2'");
$node->safe_psql('living', 'ALTER EXTENSION corm UPDATE');
is(ask(q{SELECT corm.get_multi_json(q) FROM reports}), '[{"id": 1, "name": "Ada"}]', 'goes on after the update');
is(ask(q{SELECT corm.cache_set('k', 'v'); SELECT corm.cache_get('k')}), "\nv", 'and sees what is new');
$session->quit;

# What the library looks for and an older script has not made: nothing is stored there, and who wants to store
# something is told what to do.
install('before', '0.1');
is($node->safe_psql('before', q{SELECT corm.get_multi_json(corm.selector('users'), corm.cached('1 minute'))}), '[]', 'a query is answered without the tables of the cache');
$node->safe_psql('before', 'ALTER EXTENSION corm UPDATE');
for (
	[ q{ALTER EXTENSION corm DROP TABLE corm.declared_relations; DROP TABLE corm.declared_relations;
		SELECT corm.relate('users', 'self', 'has_many', 'users', '{id}', '{id}')}, 'corm.declared_relations' ],
	[ q{ALTER EXTENSION corm DROP TABLE corm.scopes; DROP TABLE corm.scopes;
		SELECT corm.define_scope('users', 's', corm.limit(1))}, 'corm.scopes' ],
	[ q{ALTER EXTENSION corm DROP TABLE corm.model_options; DROP TABLE corm.model_options;
		SELECT corm.register('users')}, 'corm.model_options' ],
	[ q{ALTER EXTENSION corm DROP VIEW corm.middleware; DROP VIEW corm.middleware; ALTER EXTENSION corm DROP TABLE corm.middleware_functions; ALTER EXTENSION corm DROP SEQUENCE corm.middleware_functions_id_seq; DROP TABLE corm.middleware_functions;
		CREATE FUNCTION mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS 'SELECT corm.next(qc)';
		SELECT corm.use('mw(corm.query_context)')}, 'corm.middleware_functions' ],
	[ q{ALTER EXTENSION corm DROP VIEW corm.caches; DROP VIEW corm.caches; ALTER EXTENSION corm DROP VIEW corm.cache_stats; DROP VIEW corm.cache_stats;
		ALTER EXTENSION corm DROP VIEW corm.fresh_stats; DROP VIEW corm.fresh_stats;
		ALTER EXTENSION corm DROP TABLE corm.cache_definitions; DROP TABLE corm.cache_definitions;
		SELECT corm.cache_create('c')}, 'corm.cache_definitions' ])
{
	my ($sql, $relation) = @$_;
	my ($status, $out, $err) = $node->psql('before', "SET client_min_messages = warning; \\set VERBOSITY verbose\n$sql");
	like($err, qr/ERROR:  42P01: relation "\Q$relation\E" does not exist\n.*HINT:  Run ALTER EXTENSION corm UPDATE/s, "without $relation: a hint");
}
is($node->safe_psql('before', $work), $worked =~ s/users\|deleted_at/users|/r, 'reading and writing works without any of them');

$node->stop;
done_testing();
