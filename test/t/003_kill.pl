# 003_kill.pl
#		SIGKILL at every step of an order, and of every other worker while it trades.
#		The server restarts by itself; the broker must never see an order twice.
use strict;
use warnings;
use Test::More;
use QtsTest;

my @symbols = qw(000660 005380 005930 035720 051910 068270 105560 207940);
my $e = QtsTest->engine(
	conf => { 'qts.unknown_grace_sell' => '1s', wal_level => 'replica', max_wal_senders => 1 },
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100,
		avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
			price => 70000 } } @symbols ] });
my $sim = $e->{sim};

# After it every backend is a new one.
sub kill_worker
{
	my ($worker) = @_;
	my $old = $e->pid($worker);
	kill 'KILL', $old;
	$e->need("(SELECT pid <> $old AND state = 'RUNNING' FROM qts._workers()
		WHERE worker = '$worker')");
	$e->wait_trading;
	return;
}

sub settled
{
	my ($intent, $name) = @_;
	$e->until("(SELECT status = 'FILLED' AND filled_qty = qty FROM trade.order_intents
		WHERE intent_id = '$intent')",
		"$name: the fills are found");
	$e->need("(SELECT count(*) = 0 FROM trade.orders
		WHERE status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL'))");
	$e->healthy($name);
	$e->agrees($name);
	return;
}

# The checkpointer spreads the setting: in force when a commit waits.
sub wait_for_standby
{
	my $session = $e->{node}->background_psql('trading');
	$session->query_until(qr/writing/, "\\echo writing\nCREATE TABLE probe ();\n");
	$e->need("EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'
		AND query LIKE 'CREATE TABLE probe%')");
	return $session;
}

sub test_before_post
{
	my $name = 'between claim and POST';
	my $seq = $sim->last_seq;
	# the claim is the only transaction left that waits for a standby
	$e->set_conf('qts.ledger_idle_interval' => 3600, 'qts.balance_interval' => 3600);
	$e->wait_turn('execution');
	$e->set_conf(synchronous_standby_names => 'nobody');
	my $waiting = wait_for_standby();
	my $intent = $e->sql("SET synchronous_commit = local; SELECT qts.exit('"
		  . $e->position('005930') . "', 10)");
	my $pid = $e->pid('execution');
	$e->until("(SELECT wait_event = 'SyncRep' AND query = 'claim' FROM pg_stat_activity
		WHERE pid = $pid)",
		"$name: the claim is on disk and not finished");
	kill 'KILL', $pid;
	$e->{node}->append_conf('postgresql.conf',
		"synchronous_standby_names = ''\nqts.ledger_idle_interval = 1\n"
		  . "qts.balance_interval = 1\n");
	$e->need("(SELECT pid <> $pid FROM qts._workers() WHERE worker = 'execution')");
	$e->{node}->reload;
	eval { $waiting->quit };
	$e->wait_trading;
	$e->until("(SELECT status = 'FAILED' AND error_code = 'NOT_ACCEPTED' FROM trade.order_intents
		WHERE intent_id = '$intent')",
		"$name: after the grace it counts as not accepted");
	is($sim->posts($seq), 0, "$name: nothing was sent, then or later");
	is($e->sql("SELECT count(*) FROM system.alerts WHERE code = 'ORDER_NOT_ACCEPTED'"), 1,
		"$name: an alert says so");
	$e->until("(SELECT p.status = 'OPEN' AND qts.available_qty(p.position_id) = p.qty
		FROM trade.positions p WHERE symbol = '005930')",
		"$name: the shares are free again");
	settled($e->exit_position('005930', ', 10'), "$name, asked again");
	is($sim->posts($seq), 1, "$name: one POST, of the second order");
	return;
}

sub test_before_answer
{
	my $name = 'between POST and answer';
	my $seq = $sim->last_seq;
	$sim->fault('hold_reply');
	my $intent = $e->exit_position('000660', ', 20');
	ok($sim->wait_posts(1, $seq), "$name: it was received");
	kill_worker('execution');
	is($sim->held, 1, "$name: it was never answered");
	$sim->release;
	settled($intent, $name);
	is($sim->posts($seq), 1, "$name: one POST");
	return;
}

sub test_before_store
{
	my $name = 'between answer and commit';
	my $seq = $sim->last_seq;
	$sim->fault('hold_reply');
	my $intent = $e->exit_position('005380', ', 30');
	ok($sim->wait_posts(1, $seq), "$name: it was received");
	my $pid = $e->pid('execution');
	my $session = $e->{node}->background_psql('trading');
	$session->query_safe('BEGIN; LOCK TABLE trade.orders IN EXCLUSIVE MODE');
	is($sim->release, 1, "$name: it was answered");
	$e->until("(SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid)",
		"$name: the store waits for a lock");
	kill_worker('execution');
	eval { $session->quit };
	settled($intent, $name);
	is($sim->posts($seq), 1, "$name: one POST");
	return;
}

sub test_others
{
	for my $case ([ 'prices', '035720' ], [ 'exit', '051910' ], [ 'monitor', '068270' ])
	{
		my ($worker, $symbol) = @$case;
		my $name = "SIGKILL of $worker";
		my $seq = $sim->last_seq;
		my $intent = $e->exit_position($symbol, ", 40, 'LMT', 71000");
		$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents
			WHERE intent_id = '$intent')");
		kill_worker($worker);
		is($e->sql("SELECT status FROM trade.order_intents WHERE intent_id = '$intent'"),
			'SUBMITTED', "$name: the order still rests");
		$sim->price($symbol, 71000);
		settled($intent, $name);
		is($sim->posts($seq), 1, "$name: one POST");
	}
	return;
}

sub test_term
{
	for my $worker (qw(prices exit execution monitor))
	{
		my $name = "SIGTERM of $worker";
		my $seq = $sim->last_seq;
		my $others = $e->sql("SELECT string_agg(pid::text, ' ' ORDER BY slot) FROM qts._workers()
			WHERE worker <> '$worker'");
		my $old = $e->pid($worker);
		my $intent = $e->exit_position('105560', ", 10, 'LMT', 72000");
		$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents
			WHERE intent_id = '$intent')");
		kill 'TERM', $old;
		$e->until("(SELECT pid <> $old AND state = 'RUNNING' FROM qts._workers()
			WHERE worker = '$worker')", "$name: a new one takes over");
		$e->wait_trading;
		is($e->sql("SELECT string_agg(pid::text, ' ' ORDER BY slot) FROM qts._workers()
			WHERE worker <> '$worker'"), $others,
			"$name: the others go on");
		$sim->price('105560', 72000);
		settled($intent, $name);
		$sim->price('105560', 70000);
		is($sim->posts($seq), 1, "$name: one POST");
	}
	return;
}

test_before_post();
test_before_answer();
test_before_store();
test_others();
test_term();
$e->stop;
done_testing();
