
# Scopes in a server that does not preload the library (hardening 38): the first call of a session loads it, perhaps in the middle of a
# transaction that no hook has seen begin.  Each program below runs in a session of its own.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
is($node->safe_psql('postgres', 'SHOW shared_preload_libraries'), '', 'nothing is preloaded');
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION corm;
CREATE TABLE t (id int PRIMARY KEY);
CREATE FUNCTION opens() RETURNS corm.tx_options LANGUAGE plpgsql AS $$ BEGIN CALL corm.begin_tx(); RETURN NULL; END $$;
CREATE FUNCTION swallow(body text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM corm.do_tx(body);
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SQL

# the output of a program, tags included, SQLSTATE in place of errors
sub run
{
	my ($script) = @_;
	my ($stdout, $stderr, $output);
	$output = '';
	IPC::Run::run([ 'psql', '-XAt', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres') ],
		'<', \$script, '>', \$output, '2>&1');
	$output =~ s/^ERROR:  //mg;
	$output =~ s/\n+/ /g;
	$output =~ s/ $//;
	$node->safe_psql('postgres', 'TRUNCATE t');
	return $output;
}

is(run('CALL corm.begin_tx(); INSERT INTO t VALUES (1); CALL corm.begin_tx(); INSERT INTO t VALUES (2);
	CALL corm.rollback_tx(); CALL corm.commit_tx(); SELECT * FROM t'),
	'BEGIN INSERT 0 1 SAVEPOINT INSERT 0 1 ROLLBACK COMMIT 1', 'begin_tx comes first');
is(run("CALL corm.begin_tx(corm.tx(isolation => 'serializable', read_only => true)); SHOW transaction_isolation;
	SHOW transaction_read_only; CALL corm.commit_tx();"), 'BEGIN serializable on COMMIT', 'begin_tx with options');
is(run('BEGIN; CALL corm.begin_tx(); INSERT INTO t VALUES (1); CALL corm.rollback_tx(); SELECT corm.tx_depth(); COMMIT'),
	'BEGIN SAVEPOINT INSERT 0 1 ROLLBACK 0 COMMIT', 'begin_tx inside BEGIN');
is(run("BEGIN; SAVEPOINT s; CALL corm.begin_tx(corm.tx('required')); SELECT corm.tx_depth(); ROLLBACK TO s;
	SELECT corm.tx_depth(); COMMIT"), 'BEGIN SAVEPOINT CALL 1 ROLLBACK 0 COMMIT', 'joined after a savepoint');
is(run('DO $$ BEGIN CALL corm.begin_tx(); END $$; SELECT corm.tx_depth(), corm.in_tx()'), '2D000 0|f', 'DO');
is(run('CALL corm.begin_tx(opens()); SELECT corm.tx_depth(), corm.in_tx()'), '2D000 0|f', 'in an argument');
is(run('CALL corm.commit_tx(); CALL corm.rollback_if_not_committed()'), '25P01 CALL', 'nothing is open');
is(run('BEGIN; CALL corm.commit_tx(); ROLLBACK'), 'BEGIN 25P01 ROLLBACK', 'nothing of corm is open');
is(run('CALL corm.begin_tx() \; SELECT 1; SELECT corm.in_tx()'), '2D000 f', 'with other commands in one string');
is(run("SELECT corm.do_tx('INSERT INTO t VALUES (1) RETURNING id')"), '[{"id": 1}]', 'do_tx comes first');
is(run("BEGIN; SAVEPOINT s; SELECT swallow('SELECT 1/0'); ROLLBACK TO s; SELECT corm.tx_depth(); COMMIT"),
	'BEGIN SAVEPOINT 22012 ROLLBACK 0 COMMIT', 'do_tx after a savepoint');
is(run("BEGIN; SAVEPOINT s; SELECT corm.do_tx('SELECT corm.set_rollback_only()') IS NULL; ROLLBACK TO s; COMMIT"),
	'BEGIN SAVEPOINT t ROLLBACK COMMIT', 'a mark that an older savepoint clears');
is(run("BEGIN; SELECT corm.do_tx('SELECT corm.set_rollback_only()') IS NULL; COMMIT; SELECT corm.in_tx()"),
	'BEGIN t 40000 f', 'a mark on the transaction');
is(run("CALL corm.run_tx('INSERT INTO t VALUES (1)', corm.tx(isolation => 'serializable')); SELECT * FROM t"),
	'(t,,,,,,,,,,,,corm_tx_1) 1', 'run_tx comes first');
is(run('\set ON_ERROR_ROLLBACK on
	BEGIN;
	CALL corm.begin_tx();
	SELECT corm.tx_depth();
	COMMIT'), 'BEGIN SAVEPOINT 1 COMMIT', 'the first tag is right for ON_ERROR_ROLLBACK');

$node->stop;
done_testing();
