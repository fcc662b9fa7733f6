# What the tests of upgrades and dumps share: a private copy of the installation, in which a test may put scripts of
# versions that were never released; a picture of everything that the extension consists of; and a database with
# everything that corm stores.

package CormUpgrade;

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(basename dirname);
use File::Path qw(make_path);
use PostgreSQL::Test::Utils;

use Test::More;

our @EXPORT = qw(private_installation extension_catalog differences $everything $state_of_everything everything_works);

# private_installation(directory) copies the server's programs there and links to the rest, so that the copy, which
# finds its files relative to its own place, has an extension directory to write to.  Returns the path that
# PostgreSQL::Test::Cluster takes as install_path, and that directory.
sub private_installation
{
	my ($root) = @_;
	my %path = map { $_ => qx(pg_config --$_) =~ s/\n//r } qw(bindir sharedir pkglibdir);

	# Links do for the library, but a program finds its place by following them.
	make_path("$root$path{$_}") for keys %path;
	system_or_bail('cp', '-R', '-L', "$path{bindir}/.", "$root$path{bindir}");
	symlink($_, "$root$path{pkglibdir}/" . basename($_)) for glob("'$path{pkglibdir}'/*");
	for my $file (glob("'$path{sharedir}'/*"))
	{
		symlink($file, "$root$path{sharedir}/" . basename($file)) unless basename($file) eq 'extension';
	}
	my $extension = "$root$path{sharedir}/extension";
	make_path($extension);
	symlink($_, "$extension/" . basename($_)) for glob("'$path{sharedir}'/extension/*");
	return (dirname("$root$path{bindir}"), $extension);
}

# extension_catalog(node, database) returns the definition of every object of the extension with its comments,
# privileges and owner, sorted: what pg_dump writes for pg_upgrade, minus numbers that differ between any two databases.
# Objects of users are left out.
sub extension_catalog
{
	my ($node, $database) = @_;
	my $file = $node->basedir . "/catalog.$database.sql";
	my @entries;

	$node->command_ok([ 'pg_dump', '--binary-upgrade', '--schema-only', '-f', $file, $node->connstr($database) ],
		"pg_dump shows the catalog of database $database");
	for my $entry (split /^--\n(?=-- Name: )/m, slurp_file($file))
	{
		next unless $entry =~ /^-- Name: (?:[^;]*\bcorm\w*; Type: (?:EXTENSION|SCHEMA|EVENT TRIGGER)|[^;]*; Type: (?:COMMENT|ACL); Schema: -;|.*; Type: CAST;|.*; Schema: corm(?:_ops)?;)/;
		next if $entry =~ /; Type: DATABASE|^-- Name: DATABASE/;
		# The list of configuration tables is numbers here; it follows below.
		$entry =~ s/(binary_upgrade_create_empty_extension\('corm', .*?'), '\{[\d,]+\}.*/$1)/;
		$entry =~ s/^SELECT pg_catalog\.binary_upgrade_set_(?:next|missing|record)_.*\n//mg;
		$entry =~ s/^UPDATE pg_catalog\.pg_class\nSET relfrozenxid = .*\nWHERE oid = .*\n//mg;
		$entry =~ s/^-- For binary upgrade.*\n//mg;
		$entry =~ s/^--\n-- PostgreSQL database dump complete.*//ms;
		$entry =~ s/\n{2,}/\n/g;
		# Privileges that are the default ones anyway, as a REVOKE of what nobody had leaves them
		push @entries, $entry if $entry =~ /^[^-\s]/m;
	}
	my $configuration = $node->safe_psql(
		$database, q{
		SELECT format('configuration table %s: %s', t, c) FROM pg_extension, unnest(extconfig::regclass[], extcondition) AS u (t, c)
		WHERE extname = 'corm' ORDER BY 1});
	return join('', sort @entries) . "$configuration\n";
}

# differences(a, b) returns the lines that only one of two texts has.
sub differences
{
	my ($left, $right) = @_;
	my %count;

	$count{$_}++ for split /\n/, $left;
	$count{$_}-- for split /\n/, $right;
	return join('', map { ($count{$_} > 0 ? '-' : '+') . "$_\n" } grep { $count{$_} } sort keys %count);
}

# For a new database with a role owner_of_caches: every kind of thing that corm stores, and some that hold its types
our $everything = q{
	CREATE EXTENSION corm;
	CREATE SCHEMA "Odd schema";
	CREATE TYPE "Odd schema".mood AS ENUM ('ok', 'not "ok"');
	CREATE DOMAIN positive AS int CHECK (VALUE > 0);
	CREATE TYPE spot AS (x int, y int);
	CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood "Odd schema".mood, at spot,
		level positive, moods "Odd schema".mood[], deleted_at timestamptz, version int NOT NULL DEFAULT 1);
	COMMENT ON COLUMN users.version IS '@orm:version';
	COMMENT ON COLUMN users.mood IS '@orm:name=feeling';
	CREATE TABLE books (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int REFERENCES users, title text);
	CREATE TABLE events (id bigserial, at date NOT NULL, about text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
	CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');
	CREATE TYPE dto AS (login text, id int);
	SELECT corm.register('users', '{"soft_delete": true, "naming": "camel"}');
	SELECT corm.register('dto', '{"table": "users", "fields": {"login": {"column": "name"}}}');
	SELECT corm.relate('users', 'works', 'has_many', 'books', '{id}', '{user_id}', condition => corm.neq('title', 'it''s'));
	SELECT corm.define_scope('users', 'happy', corm.where(corm.eq('feeling', 'ok'::"Odd schema".mood)));
	SELECT corm.define_scope('books', 'titled', corm.where(corm.c('title') OPERATOR(corm_ops.<>) NULL), true);
	CREATE FUNCTION before_save(u users) RETURNS users LANGUAGE plpgsql AS $$ BEGIN u.name := initcap(u.name); RETURN u; END $$;
	CREATE TABLE seen (op text, model regclass);
	CREATE FUNCTION watch(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
	BEGIN INSERT INTO seen VALUES (qc.op, qc.model); RETURN corm.next(qc); END $$;
	SELECT corm.use('watch(corm.query_context)', 'books', '{SELECT}', 7);
	SELECT corm.unuse(corm.use('watch(corm.query_context)'));
	SELECT corm.cache_create('named', ttl => '1 hour', max_bytes => 100000, channel => 'mine', events => '{deleted}');
	SELECT corm.cache_grant('named', 'owner_of_caches', '{read}');
	SELECT corm.cache_create('closed');
	SELECT corm.cache_close('closed');

	SELECT corm.insert_json('users', '[{"name": "ada", "feeling": "ok", "at": {"x": 1, "y": 2}, "level": 3, "moods": ["ok"]}, {"name": "bob"}]');
	SELECT corm.insert_json('books', '[{"user_id": 1, "title": "Notes"}, {"user_id": 1, "title": "it''s"}, {"user_id": 2}]');
	SELECT corm.insert_json('events', '{"at": "2026-01-01", "about": "start"}');
	CREATE TABLE reports (name text PRIMARY KEY, q corm.query NOT NULL, e corm.expr, many corm.query[], q_default corm.query DEFAULT corm.limit(5));
	INSERT INTO reports (name, q, e, many) VALUES
		('enum', corm.pipe(corm.selector('users'), corm.where(corm.eq('feeling', 'ok'::"Odd schema".mood)), corm.select('name')), corm.val('ok'::"Odd schema".mood), '{}'),
		('array', corm.pipe(corm.selector('users'), corm.where(corm.eq('moods', ARRAY['ok']::"Odd schema".mood[])), corm.select('name')), corm.val(ARRAY['ok']::"Odd schema".mood[]), '{}'),
		('row', corm.pipe(corm.selector('users'), corm.where(corm.eq('at', (1, 2)::spot)), corm.select('name')), corm.val((1, 2)::spot), '{}'),
		('domain', corm.pipe(corm.selector('users'), corm.where(corm.eq('level', 3::positive)), corm.select('name')), corm.val(3::positive), '{}'),
		('join', corm.pipe(corm.selector('books'), corm.join('user'), corm.where(corm.eq('user.name', 'Ada')), corm.select('title')), NULL, ARRAY[corm.order_by('-id'), corm.limit(1)]),
		('raw', corm.raw_query('SELECT $1 + 1 AS n', 41), corm.raw('$1::numeric', 0.1), '{}'),
		('upsert', corm.pipe(corm.inserter('events'), corm.rows('[{"at": "2026-02-02"}]'), corm.on_conflict('id', 'at'), corm.do_nothing()), NULL, '{}');
	-- wide enough to be stored out of line
	INSERT INTO reports (name, q) SELECT 'wide', corm.pipe(corm.selector('users'), corm.where(corm.in('name', array_agg('Ada' || repeat(md5(i::text), 30) || i) || 'Ada'::text)), corm.select('name'))
		FROM generate_series(1, 2000) i;
	CREATE VIEW answers AS SELECT r.name, corm.get_multi_json(r.q, coalesce(r.many[1], corm.pipe()), coalesce(r.many[2], corm.pipe())) AS answer FROM reports r WHERE r.name <> 'upsert';
	CREATE FUNCTION constant() RETURNS bigint LANGUAGE sql BEGIN ATOMIC
		SELECT corm.count(corm.selector('users'), corm.where(corm.c('id') OPERATOR(corm_ops.>) 0));
	END;
};

# What must stay the same, by name and not by OID
our $state_of_everything = q{
	SELECT name, q, e, many, q_default FROM reports WHERE name <> 'wide' ORDER BY name;
	SELECT md5(q::text) FROM reports WHERE name = 'wide';
	SELECT * FROM answers ORDER BY name;
	SELECT constant();
	SELECT model, table_name, options FROM corm.model_options ORDER BY model::text;
	SELECT * FROM corm.declared_relations ORDER BY model::text;
	SELECT model, name, q, is_default FROM corm.scopes ORDER BY name;
	SELECT id, fn, model, ops, priority FROM corm.middleware ORDER BY id;
	SELECT name, owner, ttl, max_bytes, channel, events, closed, grants FROM corm.caches ORDER BY name;
	SELECT model, corm.describe(model) FROM corm.models ORDER BY model::text COLLATE "C";
	SELECT model, name, kind, target FROM corm.relations ORDER BY model::text COLLATE "C", name COLLATE "C";
	SELECT corm.get_multi_json(corm.selector('users'), corm.preload('works'), corm.order_by('id'));
	SELECT extversion FROM pg_extension WHERE extname = 'corm';
};

# everything_works(node, database, step): everything can be used and goes on, and what that adds is taken back.
sub everything_works
{
	my ($node, $database, $step) = @_;
	is( $node->safe_psql(
			$database, q{
		SELECT corm.wait_ready();
		BEGIN;
		SELECT (corm.insert(ROW(NULL, 'carl', 'ok', NULL, NULL, NULL, NULL, 1)::users)).name;
		SELECT corm.insert_json('users', '{"name": "dora", "works": [{"title": "New"}]}') ->> 'name';
		SELECT id > 3 FROM corm.get_multi(NULL::books, corm.where(corm.eq('title', 'New')));
		SELECT corm.exec(q) FROM reports WHERE name = 'upsert';
		SELECT corm.count(corm.selector('users'), corm.scope('happy'));
		SELECT corm.delete(corm.get(NULL::users, corm.where(corm.eq('name', 'Carl'))));
		SELECT corm.count(corm.selector('users'));
		SELECT login FROM corm.get(NULL::dto, corm.where(corm.eq('login', 'Bob')));
		SELECT corm.do_tx('SELECT 1 AS one');
		SELECT count(*) > 0 FROM seen WHERE model = 'books'::regclass;
		SELECT corm.use('watch(corm.query_context)', 'users') > 2;
		SELECT corm.define_scope('users', 'more', corm.limit(1)), corm.register('events', '{"name": "E"}'), corm.relate('users', 'again', 'has_many', 'books', '{id}', '{user_id}');
		SELECT corm.cache_create('more'), corm.cache_set('k', 'v', cache => 'named');
		SELECT corm.cache_get('k', 'named');
		ROLLBACK;
		SELECT corm.get_json(corm.selector('books'), corm.cached('1 minute'), corm.where(corm.eq('id', 1)), corm.select('title'));
		SELECT corm.cache_set('k', 1);
		SELECT corm.cache_get_as(NULL::int, 'k')}),
		join("\n", 't', 'Carl', 'Dora', 't', 1, 2, 't', 3, 'Bob', '[{"one": 1}]', 't', 't', '||', '|', 'v', '{"title": "Notes"}', '', 1),
		"$step: everything works");
	my ($status, $out, $err) = $node->psql($database, q{SELECT corm.cache_get('k', 'closed')});
	like($err, qr/cache "closed" is closed/, "$step: a closed cache is closed");
	($status, $out, $err) = $node->psql($database, q{SET ROLE owner_of_caches; SELECT corm.cache_set('k', 'v', cache => 'named')});
	like($err, qr/permission denied/, "$step: a grant is what it was");
	$node->safe_psql($database, q{INSERT INTO reports SELECT 'again', q FROM reports WHERE name = 'enum'; DELETE FROM reports WHERE name = 'again'});
	return;
}

1;
