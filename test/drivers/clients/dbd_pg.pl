# The common calls with Perl's DBD::Pg: see ../every_driver.py.
use strict;
use warnings;

use DBI;
use JSON::PP;

my $connection = DBI->connect('dbi:Pg:', '', '', { RaiseError => 1, PrintError => 0 });

sub value
{
	my ($sql, @values) = @_;
	return $connection->selectrow_array($sql, undef, @values);
}

sub state_of
{
	my ($sql, @values) = @_;
	eval { $connection->selectrow_array($sql, undef, @values) };
	return $connection->state;
}

print 'find: ', scalar(value('SELECT name FROM corm.find(NULL::users, ?)', 3)), "\n";
my $rows = $connection->selectcol_arrayref(
	q{SELECT name FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', ?), corm.in('plan', ?::text[])),
	  corm.order_by('-age'), corm.limit(?))}, undef, 18, [ 'pro', 'ent' ], 2);
print 'list: ', join(',', @$rows), "\n";
my $ada = decode_json(scalar value(
	q{SELECT corm.get_json_text(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', ?)),
	  corm.preload('orders', corm.select('id'), corm.order_by('id')))}, 1));
print "document: $ada->{name} ", scalar(@{ $ada->{orders} }), "\n";
print 'insert: ', decode_json(scalar value(q{SELECT corm.insert_json('users', ?::jsonb)}, encode_json({ name => 'Ivo', age => 33 })))->{name}, "\n";
print 'patch: ', decode_json(scalar value(q{SELECT corm.update_json('users', ?::jsonb, ?::jsonb)},
	encode_json({ email => 'ada@example.com' }), encode_json({ age => 37 })))->{age}, "\n";
print 'null: ', scalar(value(q{SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', ?)))}, undef)), "\n";
print 'time: ', scalar(value(q{SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', ?)))}, '2026-02-02 00:00:00+00')), "\n";
print 'command: ', $connection->do(q{CALL corm.run(corm.updater('users'), corm.set('plan', ?), corm.where(corm.eq('name', ?)))}, undef, 'ent', 'Ivo'), "\n";
print 'unit of work: ', decode_json(scalar value(
	q{SELECT corm.do_tx('SELECT corm.exec(corm.updater(''users''), corm.set(''age'', $1), corm.where(corm.eq(''name'', $2))) AS n', ?, ?)},
	34, 'Ivo'))->[0]{n}, "\n";
print 'only a value: ', scalar(value(q{SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', ?)))}, q{' OR true --})), "\n";
print 'no row: ', state_of('SELECT corm.find(NULL::users, ?)', 999), "\n";
print 'unknown field: ', state_of(q{SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq(?, ?)))}, 'nme', 'x'), "\n";
