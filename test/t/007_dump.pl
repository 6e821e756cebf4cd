# 007_dump.pl
#		Copies of an engine: a dump restored elsewhere, a promoted standby.  Nothing is lost
#		on the way, and no copy trades before a person, or failover => 'auto', says so.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use QtsTest;

my $e = QtsTest->engine(name => 'first', init => { allows_streaming => 1 });
my $sim = $e->{sim};

my $tables = q{SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r'
	AND c.relpersistence = 'p'
	AND c.relnamespace::regnamespace::text IN ('market', 'trade', 'system') ORDER BY 1};
my $triggers = q{SELECT string_agg(concat_ws(' ', t.tgrelid::regclass, t.tgname, t.tgenabled, t.tgfoid::regproc),
	chr(10)
	ORDER BY t.tgrelid::regclass::text, t.tgname) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE NOT t.tgisinternal AND c.relnamespace::regnamespace::text IN ('market', 'trade',
		'system')};
my $partitions = q{SELECT string_agg(concat_ws(' ', inhrelid::regclass, inhparent::regclass), chr(10)
	ORDER BY inhrelid::regclass::text)
	FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind = 'r'};
my $sequences = q{SELECT string_agg(concat_ws(' ', schemaname, sequencename, last_value), chr(10)
	ORDER BY 1)
	FROM pg_sequences WHERE schemaname IN ('market', 'trade', 'system')};

sub fingerprint
{
	my ($at) = @_;
	my @lines = map { "$_ " . $at->sql("SELECT count(*), md5(string_agg(t::text, chr(10)
		ORDER BY t::text)) FROM $_ t") }
	  split /\n/, $at->sql($tables);
	return join "\n", @lines;
}

# It watches and does nothing: the broker hears of it not even a question.
sub fenced
{
	my ($at, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $seq = $sim->last_seq;
	$at->until(q{(SELECT count(*) = 4 FROM qts.status() WHERE kind = 'worker' AND state = 'FENCED'
		AND detail LIKE '%activate()%')},
		"$name: every worker is fenced and says what to do");
	is($at->error("SELECT qts.exit('" . $at->position(SAMSUNG) . "', 1)")->{state}, 'QT204',
		"$name: a person is refused too: QT204");
	is($at->sql('SELECT state FROM qts.health()'), 'down', "$name: health() is down");
	is($sim->last_seq, $seq, "$name: the broker hears nothing");
	return;
}

sub trades
{
	my ($at, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$at->wait_trading;
	my $seq = $sim->last_seq;
	my $intent = $at->exit_position(SAMSUNG, ', 3');
	$at->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')",
		"$name: trades");
	is($sim->posts($seq), 1, "$name: one POST");
	$at->healthy($name);
	return;
}

sub parked
{
	my ($at) = @_;
	$at->set_conf('qts.enabled' => 'off');
	$at->need(q{(SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'qts %'
		AND datname IS NOT NULL)});
	return;
}

# Another server with the same broker and credentials.
sub neighbour
{
	my ($node) = @_;
	return bless { %$e, node => $node }, 'QtsTest';
}

sub test_dump
{
	$e->tick(SAMSUNG, 70100);
	$e->tick(HYNIX, 99900);
	$e->exit_position(SAMSUNG, ', 10');
	$e->exit_position(HYNIX);
	$e->need(q{(SELECT count(*) = 1 FROM trade.exit_events)});
	parked($e);
	my $file = "$e->{dir}/trading.dump";
	$e->{node}->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $e->{node}->connstr('trading') ],
		'pg_dump');
	my $roles = "$e->{dir}/roles.sql";
	$e->{node}->command_ok([ 'pg_dumpall', '--roles-only', '-f', $roles, '-d',
		$e->{node}->connstr('postgres') ], 'pg_dumpall --roles-only');

	my $b = QtsTest->new(name => 'second', share => $sim, conf => { 'qts.enabled' => 'off' });
	# the role that runs the restore exists there
	$b->{node}->psql('postgres', slurp_file($roles), on_error_stop => 0);
	$b->{node}->command_ok([ 'pg_restore', '--exit-on-error', '-d', $b->{node}->connstr('trading'),
		$file ], 'pg_restore');
	is(fingerprint($b), fingerprint($e), 'every table is the same, row for row');
	is($b->sql($sequences), $e->sql($sequences), 'every sequence goes on where it was');
	is($b->sql($triggers), $e->sql($triggers), 'every trigger is there and enabled as before');
	is($b->sql($partitions), $e->sql($partitions), 'every partition is there');
	cmp_ok($b->sql('SELECT count(*) FROM market.prices_ticks'), '>=', 2, 'with the ticks in it');
	is($b->error(q{UPDATE trade.exit_events SET exit_qty = 1})->{state}, 'QT010',
		'what was append-only still is');

	$b->set_conf('qts.enabled' => 'on');
	fenced($b, 'restored elsewhere');
	$b->sql('SELECT qts.activate()');
	trades($b, 'restored and activated');
	$b->agrees('restored and activated');
	$b->stop;
	return;
}

sub clone
{
	my ($from, $name) = @_;
	$from->{node}->backup($name);
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init_from_backup($from->{node}, $name, has_streaming => 1);
	$node->start;
	$from->{node}->wait_for_catchup($node, 'replay', $from->{node}->lsn('insert'));
	return neighbour($node);
}

sub test_promotion
{
	# the restored copy sold 3 that this one has to find out about from the balance
	$e->set_conf('qts.enabled' => 'on');
	$e->wait_trading;
	my $c = clone($e, 'third');
	is($c->sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'qts %'}), 0,
		'a standby runs no workers');
	$e->stop('fast');
	$c->{node}->promote;
	fenced($c, 'promoted, failover manual');
	$c->sql(q{SELECT qts.activate(failover => 'auto')});
	trades($c, 'promoted and activated');

	my $d = clone($c, 'fourth');
	$c->stop('immediate');
	$d->{node}->promote;
	trades($d, 'promoted, failover auto');
	is($d->sql('SELECT e.timeline FROM system.engine e'), 3,
		'and the engine has followed to the new timeline');
	$d->stop;
	return;
}

test_dump();
test_promotion();
done_testing();
