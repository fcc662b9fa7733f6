
# Session scopes through pgbouncer in transaction mode (acceptance 11, hardening 37): it lends a server to a client for
# as long as the ReadyForQuery status says that a transaction is open.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION corm; CREATE TABLE t (client int, id int, PRIMARY KEY (client, id))');

my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $host = $node->host;
my $server_port = $node->port;
my $user = $node->safe_psql('postgres', 'SELECT current_user');
append_to_file("$directory/pgbouncer.ini", <<"INI");
[databases]
postgres = host=$host port=$server_port dbname=postgres user=$user
[pgbouncer]
listen_port = $port
unix_socket_dir = $directory
auth_type = any
pool_mode = transaction
default_pool_size = 2
logfile = $directory/pgbouncer.log
pidfile = $directory/pgbouncer.pid
INI
local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
system_or_bail('pgbouncer', '-q', '-d', "$directory/pgbouncer.ini");
# It goes to the background before it listens.
for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	last if -S "$directory/.s.PGSQL.$port";
	select(undef, undef, undef, 0.1);
}

my $through = "host=$directory port=$port dbname=postgres user=$user";
my $log = '';

# run a script through pgbouncer; returns its output
sub pooled
{
	my ($script) = @_;
	my ($stdout, $stderr);
	$node->psql('postgres', $script, connstr => $through, stdout => \$stdout, stderr => \$stderr,
		on_error_stop => 0, timeout => $PostgreSQL::Test::Utils::timeout_default);
	$log .= $stderr;
	return $stdout;
}

pooled('SELECT 1') for 1 .. 50;
is(pooled(<<'SQL'), "1\nt\n1|2", 'one server from begin to commit');
CALL corm.begin_tx();
SELECT pg_backend_pid() AS server \gset
INSERT INTO t VALUES (0, 1);
CALL corm.begin_tx();
INSERT INTO t VALUES (0, 3);
CALL corm.rollback_tx();
INSERT INTO t VALUES (0, 2);
SELECT corm.tx_depth();
SELECT pg_backend_pid() = :server;
CALL corm.commit_tx();
SELECT min(id), max(id) FROM t WHERE client = 0;
SQL
is($log, '', 'no error');

# a client that leaves in the middle takes nothing along
pooled("CALL corm.begin_tx();\nINSERT INTO t VALUES (0, 4);\n");
is(pooled("SELECT corm.tx_depth(), corm.in_tx(), count(*) FROM t WHERE client = 0"), '0|f|2', 'a client that leaves');

# more clients than servers
append_to_file("$directory/script.sql", <<'SQL');
\set id random(1, 1000000000)
CALL corm.begin_tx();
INSERT INTO t VALUES (1 + :client_id, :id);
CALL corm.begin_tx();
DELETE FROM t WHERE client = 1 + :client_id;
CALL corm.rollback_tx();
CALL corm.begin_tx(corm.tx('nested'));
INSERT INTO t VALUES (1 + :client_id, -(:id::bigint));
CALL corm.commit_tx();
SELECT corm.do_tx('SELECT 1');
CALL corm.commit_tx();
SQL
for my $mode ('simple', 'extended')
{
	$node->safe_psql('postgres', 'DELETE FROM t');
	my ($out, $err);
	my $ok = IPC::Run::run(
		[ 'pgbench', '-n', '-c', 8, '-t', 25, '-M', $mode, '-f', "$directory/script.sql", '-h', $directory,
			'-p', $port, '-U', $user, 'postgres' ],
		'>', \$out, '2>', \$err);
	ok($ok, "8 clients on 2 servers, $mode protocol") or diag($err);
	is($node->safe_psql('postgres', 'SELECT count(*), sum(id) FROM t'), '400|0', "their rows, $mode protocol");
}

my $pid = slurp_file("$directory/pgbouncer.pid");
kill 'INT', $pid + 0;
# Debian's pgbouncer ends by itself when its clients have gone
$node->stop('fast');
done_testing();
