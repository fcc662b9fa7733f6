
# Random programs of transaction commands against a model (acceptance 13).
#
# A program is a sequence of steps: native BEGIN, SAVEPOINT, RELEASE, ROLLBACK TO, COMMIT and ROLLBACK, corm's
# session commands, inserts, errors, and closures with nested closures and exception blocks in them.  Each step is
# carried out on a model as well, and after each step the server is asked for depth, activity, marks, open
# subtransactions and rows, which must be the model's.
#
# The model knows nothing of subtransaction ids, nest levels or callbacks.  A savepoint is a copy of the whole state as
# it was then, and ROLLBACK TO puts the copy back.
#
# CORM_TX_SEED repeats a program; CORM_TX_STEPS changes its length.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{CORM_TX_SEED} // 20240229;
my $steps = $ENV{CORM_TX_STEPS} // 10000;
srand($seed);
note("CORM_TX_SEED=$seed CORM_TX_STEPS=$steps");

#
# The model
#

my %state;         # see fresh_state
my @committed;     # rows that are stored
my $next_row = 1;
my $quote = 0;

# A scope is {id, hold, target, asked, doomed}; hold: joined, savepoint, block, closure.
sub fresh_state
{
	return (block => 0, aborted => 0, rows => [@committed], scopes => [], savepoints => [], root => 0);
}

# what ROLLBACK TO puts back: everything but the savepoints
sub snapshot
{
	return { rows => [ @{ $state{rows} } ], root => $state{root}, scopes => [ map { {%$_} } @{ $state{scopes} } ] };
}

sub restore
{
	my ($copy) = @_;
	$state{rows} = [ @{ $copy->{rows} } ];
	$state{root} = $copy->{root};
	$state{scopes} = [ map { {%$_} } @{ $copy->{scopes} } ];
}

sub finish { my ($keep) = @_; @committed = @{ $state{rows} } if $keep; %state = fresh_state(); }
sub current { return $state{scopes}[-1]; }
sub depth { return scalar @{ $state{scopes} }; }
sub scope_by_id { my ($id) = @_; my ($scope) = grep { $_->{id} == $id } @{ $state{scopes} }; return $scope; }
sub target { my ($scope) = @_; return scope_by_id($scope->{target}); }

my $next_scope = 1;

sub open_scope
{
	my ($hold) = @_;
	my $around = current();
	my %scope = (id => $next_scope++, hold => $hold, asked => 0, doomed => 0);
	$scope{target} = ($hold eq 'joined' && $around) ? $around->{target} : $scope{id};
	push @{ $state{scopes} }, \%scope;
	return \%scope;
}

# the mark that a scope leaves on what it joined, or on the transaction
sub doom
{
	my ($id) = @_;
	if (defined $id) { scope_by_id($id)->{doomed} = 1; }
	else { $state{root} = 1; }
}

# the innermost scope's work becomes part of what is around, with its mark
sub merge_scope
{
	my $scope = pop @{ $state{scopes} };
	return unless $scope->{doomed} || $scope->{asked};
	doom(current() ? current()->{target} : undef);
}

# savepoints from number $index on are released
sub release
{
	my ($index) = @_;
	my @released = splice @{ $state{savepoints} }, $index;
	my %holders = map { $_->{scope} => 1 } grep { defined $_->{scope} } @released;
	my @positions = grep { $holders{ $state{scopes}[$_]{id} } } 0 .. $#{ $state{scopes} };
	return unless @positions;
	merge_scope() while depth() > $positions[0];
}

sub set_savepoint
{
	my ($name, $scope) = @_;
	push @{ $state{savepoints} }, { name => $name, scope => $scope, leftover => 0, copy => snapshot() };
}

sub find_savepoint
{
	my ($name) = @_;
	my ($index) = grep { $state{savepoints}[$_]{name} eq $name } reverse 0 .. $#{ $state{savepoints} };
	return $index;
}

sub rollback_to
{
	my ($index) = @_;
	splice @{ $state{savepoints} }, $index + 1;
	restore($state{savepoints}[$index]{copy});
	$state{savepoints}[$index]{leftover} = 0;
	$state{aborted} = 0;
}

sub commit
{
	if ($state{aborted}) { finish(0); return; }
	my $outermost = $state{scopes}[0];
	if ($outermost && $outermost->{hold} eq 'block' && $outermost->{asked}) { finish(0); return; }
	release(0);
	my $marked = $state{root} || grep { $_->{asked} || $_->{doomed} } @{ $state{scopes} };
	finish(!$marked);
}

sub statement_fails
{
	if ($state{block}) { $state{aborted} = 1; }
	else { finish(0); }
}

#
# Session commands
#

sub begin_tx
{
	my ($propagation) = @_;
	if (!$state{block})
	{
		$state{block} = 1;
		open_scope('block');
	}
	elsif ($propagation eq 'required') { open_scope('joined'); }
	else
	{
		release($#{ $state{savepoints} }) if @{ $state{savepoints} } && $state{savepoints}[-1]{leftover};
		my $scope = open_scope('savepoint');
		set_savepoint('corm_tx_' . depth(), $scope->{id});
	}
}

sub end_tx
{
	my ($commit) = @_;
	my $scope = current();
	if (!$scope) { statement_fails(); return; }
	if ($commit && $scope->{asked}) { $commit = 0; }
	if ($scope->{hold} eq 'block')
	{
		if ($commit) { commit(); }
		else { finish(0); }
	}
	elsif ($scope->{hold} eq 'savepoint')
	{
		my ($index) = grep { ($state{savepoints}[$_]{scope} // 0) == $scope->{id} } 0 .. $#{ $state{savepoints} };
		if (!$commit)
		{
			rollback_to($index);
			pop @{ $state{scopes} };
			$state{savepoints}[$index]{leftover} = 1;
			$state{savepoints}[$index]{scope} = undef;
			$state{savepoints}[$index]{copy} = snapshot();
		}
		elsif ($scope->{doomed}) { statement_fails(); }
		else { release($index); }
	}
	elsif ($commit && $scope->{doomed}) { statement_fails(); }
	else
	{
		doom($scope->{target} != $scope->{id} ? $scope->{target} : undef) unless $commit;
		pop @{ $state{scopes} };
	}
}

#
# Closures: a tree is made at random, then run on the model, then written as SQL
#

sub random_tree
{
	my ($level) = @_;
	my @nodes;
	for (1 .. 1 + int rand 3)
	{
		my $dice = rand;
		if ($dice < 0.35 || $level > 3) { push @nodes, { kind => 'insert', row => $next_row++ }; }
		elsif ($dice < 0.5) { push @nodes, { kind => 'check' }; }
		elsif ($dice < 0.6) { push @nodes, { kind => 'error' }; }
		elsif ($dice < 0.64) { push @nodes, { kind => 'ask' }; }
		elsif ($dice < 0.75) { push @nodes, { kind => 'block', body => random_tree($level + 1) }; }
		else
		{
			push @nodes, { kind => 'scope', body => random_tree($level + 1),
				form => rand() < 0.5 ? 'do_tx' : 'try_tx',
				propagation => rand() < 0.5 ? 'required' : 'nested' };
		}
	}
	return \@nodes;
}

# run a body on the model; true if it raised
sub run_body
{
	my ($nodes) = @_;
	for my $node (@$nodes) { return 1 if run_node($node); }
	return 0;
}

sub run_node
{
	my ($node) = @_;
	my $kind = $node->{kind};
	if ($kind eq 'insert') { push @{ $state{rows} }, $node->{row}; }
	elsif ($kind eq 'check') { $node->{depth} = depth(); }
	elsif ($kind eq 'error') { return 1; }
	elsif ($kind eq 'ask')
	{
		return 1 unless current();
		current()->{asked} = 1;
	}
	elsif ($kind eq 'block')
	{
		my @rows = @{ $state{rows} };
		$state{rows} = \@rows if run_body($node->{body});
	}
	else { return run_scope($node); }
	return 0;
}

sub run_scope
{
	my ($node) = @_;
	my $join = $node->{propagation} eq 'required' && ($state{block} || depth() > 0);
	my $confined = !$join || $node->{form} eq 'try_tx';
	my @rows = @{ $state{rows} };
	my $scope = open_scope($join ? 'joined' : 'closure');
	my $raised = run_body($node->{body});
	my $asked = !$raised && $scope->{asked};
	$raised = 1 if !$asked && $scope->{doomed};
	$state{rows} = \@rows if $confined && ($raised || $asked);
	pop @{ $state{scopes} };
	if ($join && ($asked || $raised))
	{
		my $other = $scope->{target} != $scope->{id};
		doom($other ? $scope->{target} : undef) if $other || $asked;
	}
	return $raised && $node->{form} eq 'do_tx';
}

sub quoted { my ($text) = @_; my $tag = '$q' . $quote++ . '$'; return "$tag$text$tag"; }

# a body as SQL
sub body_sql { my ($nodes) = @_; return join '; ', map { node_sql($_) } @$nodes; }

sub node_sql
{
	my ($node) = @_;
	my $kind = $node->{kind};
	return "INSERT INTO model VALUES ($node->{row})" if $kind eq 'insert';
	return 'SELECT check_depth(' . ($node->{depth} // 'NULL') . ')' if $kind eq 'check';
	return 'SELECT 1/0' if $kind eq 'error';
	return 'SELECT corm.set_rollback_only()' if $kind eq 'ask';
	return 'SELECT exception_block(ARRAY[' . join(', ', map { quoted(node_sql($_)) } @{ $node->{body} }) . '])'
	  if $kind eq 'block';
	return "SELECT corm.$node->{form}(corm.tx('$node->{propagation}'), " . quoted(body_sql($node->{body})) . ')';
}

sub closure
{
	my $node = { kind => rand() < 0.2 ? 'block' : 'scope', body => random_tree(1),
		form => rand() < 0.5 ? 'do_tx' : 'try_tx', propagation => rand() < 0.6 ? 'required' : 'nested' };
	my $raised = run_node($node);
	my $sql = node_sql($node);
	if ($raised) { statement_fails(); }
	elsif (!$state{block}) { finish(1); }
	return $sql;
}

#
# Steps
#

sub random_savepoint
{
	return undef unless @{ $state{savepoints} };
	return $state{savepoints}[ rand @{ $state{savepoints} } ]{name};
}

# choose a step, carry it out on the model, return its SQL
sub step
{
	my $dice = rand;
	my $savepoint = random_savepoint();

	if ($state{aborted})
	{
		if ($savepoint && $dice < 0.85)
		{
			rollback_to(find_savepoint($savepoint));
			return "ROLLBACK TO SAVEPOINT $savepoint";
		}
		return 'INSERT INTO model VALUES (0)' if $dice < 0.88;
		return 'CALL corm.rollback_tx()' if $dice < 0.91;
		finish(0);
		return $dice < 0.95 ? 'COMMIT' : 'ROLLBACK';
	}
	if (!$state{block} && $dice < 0.5)
	{
		if ($dice < 0.35) { begin_tx('required'); return "CALL corm.begin_tx(corm.tx('required'))"; }
		$state{block} = 1;
		return 'BEGIN';
	}
	if ($dice < 0.1)
	{
		my $row = $next_row++;
		push @{ $state{rows} }, $row;
		finish(1) unless $state{block};
		return "INSERT INTO model VALUES ($row)";
	}
	if ($dice < 0.4) { return closure(); }
	if ($dice < 0.5) { begin_tx('nested'); return 'CALL corm.begin_tx()'; }
	if ($dice < 0.56)
	{
		begin_tx('required');
		return "CALL corm.begin_tx(corm.tx('required'))";
	}
	if ($dice < 0.66) { end_tx(1); return 'CALL corm.commit_tx()'; }
	if ($dice < 0.71) { end_tx(0); return 'CALL corm.rollback_tx()'; }
	if ($dice < 0.73)
	{
		if (current()) { current()->{asked} = 1; }
		else { statement_fails(); }
		return 'SELECT corm.set_rollback_only()';
	}
	if ($dice < 0.81 && $state{block})
	{
		my $name = 's' . int rand 4;
		set_savepoint($name);
		return "SAVEPOINT $name";
	}
	if ($dice < 0.87 && $savepoint)
	{
		release(find_savepoint($savepoint));
		return "RELEASE SAVEPOINT $savepoint";
	}
	if ($dice < 0.95 && $savepoint)
	{
		rollback_to(find_savepoint($savepoint));
		return "ROLLBACK TO SAVEPOINT $savepoint";
	}
	if ($dice < 0.98) { statement_fails(); return 'SELECT 1/0'; }
	if ($state{block})
	{
		if ($dice < 0.99) { commit(); return 'COMMIT'; }
		finish(0);
		return 'ROLLBACK';
	}
	statement_fails();
	return 'SELECT nothing';
}

# what the server must say after a step, if it says anything at all
sub expectation
{
	my ($number) = @_;
	return undef if $state{aborted};
	my $scope = current();
	my $marked = '';
	if ($scope)
	{
		my $target = target($scope);
		$marked = $scope->{asked} || $scope->{doomed} || $target->{asked} || $target->{doomed} ? 't' : 'f';
	}
	my $sum = 0;
	$sum += $_ for @{ $state{rows} };
	return join '|', $number, depth(), ($state{block} ? 't' : 'f'), $marked, scalar @{ $state{savepoints} },
	  scalar @{ $state{rows} }, $sum;
}

%state = fresh_state();
my $script = "SET corm.subtransaction_warning = 0;\nSET max_stack_depth = '3MB';\n";
my (@expected, @commands);
for my $number (1 .. $steps)
{
	my $sql = step();
	my $expected = expectation($number);
	push @commands, $sql;
	push @expected, $expected if defined $expected;
	$script .= "$sql \\g /dev/null\n";
	$script .= "SELECT $number, corm.tx_depth(), corm.in_tx(), (SELECT rollback_only FROM corm.current_tx()), "
	  . "(corm.tx_stats()).open_subtransactions, (SELECT count(*) FROM model), (SELECT coalesce(sum(id), 0) FROM model);\n";
}

#
# The server
#

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nlog_min_messages = fatal\nlog_min_error_statement = fatal\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION corm;
CREATE TABLE model (id bigint PRIMARY KEY);
CREATE FUNCTION check_depth(expected int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- a cancel is the one error that no scope turns into data
    IF expected IS NULL OR corm.tx_depth() <> expected THEN
        RAISE 'depth is %, not %', corm.tx_depth(), expected USING ERRCODE = 'query_canceled';
    END IF;
END $$;
CREATE FUNCTION exception_block(commands text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE command text;
BEGIN
    FOREACH command IN ARRAY commands LOOP
        EXECUTE command;
    END LOOP;
EXCEPTION WHEN OTHERS THEN
    NULL;
END $$;
SQL

my ($stdout, $stderr);
$node->psql('postgres', $script, stdout => \$stdout, stderr => \$stderr, on_error_stop => 0,
	timeout => $PostgreSQL::Test::Utils::timeout_default * 3);
my @got = grep { /^\d+\|/ } split /\n/, $stdout;

my $differs;
for my $i (0 .. $#expected)
{
	if (($got[$i] // '(nothing)') ne $expected[$i])
	{
		$differs = $i;
		last;
	}
}
ok(!defined $differs && @got == @expected, "$steps random steps, every one as in the model")
  or do
{
	$differs //= $#expected;
	my ($number) = $expected[$differs] =~ /^(\d+)/;
	diag("expected $expected[$differs]\ngot      " . ($got[$differs] // '(nothing)'));
	diag("step $_: $commands[$_ - 1]") for (($number > 25 ? $number - 25 : 1) .. $number);
};
unlike($stderr, qr/depth is /, 'the depth inside of closures too');
unlike($stderr, qr/XX000|server closed/, 'no internal error');
cmp_ok(scalar @expected, '>', $steps / 2, 'most steps could be checked');

$node->stop;
done_testing();
