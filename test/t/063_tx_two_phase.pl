
# PREPARE TRANSACTION after corm has written (hardening 25): rows are prepared like any others, and scopes end with it;
# writes to the cache that wait for the commit are refused, as docs/cache.md says.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'corm'\nmax_prepared_transactions = 5\nrestart_after_crash = on\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION corm; CREATE TABLE ledger (id int PRIMARY KEY, note text)');

# run commands one by one in a session; the answers and SQLSTATEs of all
sub session
{
	my (@commands) = @_;
	my $script = join "\n", map { ("$_;", '\echo :SQLSTATE') } @commands;
	my ($out, $err) = ('', '');
	$node->psql('postgres', $script, stdout => \$out, stderr => \$err, on_error_stop => 0);
	return join ' ', split /\n/, $out;
}

my $around = q{SELECT corm.tx_depth(), corm.in_tx(), (SELECT count(*) FROM ledger)};
is(session('CALL corm.begin_tx()', q{SELECT (corm.insert(ROW(1, 'one')::ledger)).id},
		q{SELECT corm.do_tx('SELECT corm.exec(corm.inserter(''ledger''), corm.set(''id'', 2))')}, q{PREPARE TRANSACTION 'rows'}, $around),
	'00000 1 00000 [{"exec": 1}] 00000 00000 0|f|0 00000', 'rows written by corm are prepared, scopes end');
is(session(q{COMMIT PREPARED 'rows'}, $around), '00000 0|f|2 00000', 'and another session commits them');

is(session('BEGIN', q{SELECT corm.exec(corm.deleter('ledger'), corm.all_rows())}, q{SELECT corm.cache_set('k', 'x') IS NULL}, q{PREPARE TRANSACTION 'cache'},
		$around, q{SELECT corm.cache_get('k') IS NULL}, 'SELECT count(*) FROM pg_prepared_xacts'),
	'00000 2 00000 f 00000 0A000 0|f|2 00000 t 00000 0 00000', 'not with writes to the cache that wait: nothing of the transaction remains');
is(session('BEGIN', q{SELECT corm.cache_set('k', 'x', immediate => true) IS NULL}, q{SELECT corm.cache_incr('n')}, q{PREPARE TRANSACTION 'now'},
		q{ROLLBACK PREPARED 'now'}, q{SELECT corm.cache_get('k'), corm.cache_get('n')}),
	'00000 f 00000 1 00000 00000 00000 x|1 00000', 'what takes effect at once is no obstacle, and stays');
is(session('CALL corm.begin_tx()', q{SELECT ok FROM corm.try_tx('SELECT corm.set_rollback_only()')}, q{PREPARE TRANSACTION 'doomed'}, $around),
	'00000 f 00000 40000 0|f|2 00000', 'a transaction that cannot commit cannot be prepared');

# a crash in between loses nothing of it
is(session('BEGIN', q{SELECT (corm.insert(ROW(3, 'three')::ledger)).id}, q{PREPARE TRANSACTION 'crash'}), '00000 3 00000 00000', 'prepared');
$node->stop('immediate');
$node->start;
is(session(q{COMMIT PREPARED 'crash'}, $around), '00000 0|f|3 00000', 'a prepared write outlives a crash');

$node->stop;
done_testing();
