# 008_stops.pl
#		The three places to stop it: the engine's row, qts.trading_mode, qts.halt_file.
#		After each no order leaves, whatever waits; lifted, what waits is sent once.
use strict;
use warnings;
use Test::More;
use QtsTest;

my @symbols = qw(000660 005380 005930 035720 051910 068270);
my $e = QtsTest->engine(
	init => { allows_streaming => 1 },
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100, avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000, price => 70000 } } @symbols ] });
my $sim = $e->{sim};
my $halt = "$e->{dir}/halt";
my $pid = $e->pid('execution');

sub touch
{
	open my $fh, '>', $halt or die "$halt: $!";
	close $fh;
	return;
}

# Every worker has made two more turns; a reload wakes the idle ones.
sub all_look
{
	my $turns = $e->sql(q{SELECT string_agg(format('(%s, %s)', slot, turns), ', ') FROM qts._workers()});
	$e->need("(SELECT pg_reload_conf()) AND (SELECT bool_and(w.turns > b.turns + 1) FROM qts._workers() AS w"
		  . " JOIN (VALUES $turns) AS b (slot, turns) USING (slot))");
	return;
}

# Each balance read makes the worker look for work again: two of them after now.
sub looked_twice
{
	my $reads = $e->metric('qts_balance_reads_total');
	$e->need("(SELECT value >= $reads + 2 FROM qts.metrics WHERE name = 'qts_balance_reads_total')");
	all_look();
	return;
}

sub waits
{
	my ($intent, $seq, $name) = @_;
	is($e->sql("SELECT status FROM trade.order_intents WHERE intent_id = '$intent'"), 'NEW', "$name: the intent waits");
	is($e->sql("SELECT count(*) FROM trade.orders WHERE intent_id = '$intent'"), 0, "$name: it has no order");
	is($sim->posts($seq), 0, "$name: nothing was sent");
	return;
}

sub sold
{
	my ($intent, $seq, $name) = @_;
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')", "$name: it is done");
	is($sim->posts($seq), 1, "$name: with one POST");
	return;
}

sub blocked
{
	my ($name) = @_;
	$e->until("(SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid)", $name);
	return;
}

# An intent written around the API, with the audit row it would have.
sub entry
{
	my ($symbol, $key) = @_;
	return $e->sql("WITH i AS (INSERT INTO trade.order_intents (account_id, symbol, intent_type, qty, reason_code, action_key,"
		  . " source_module, created_ts, updated_ts) VALUES ('" . ACCOUNT . "', '$symbol', 'ENTRY', 5, 'MANUAL', '$key', 'MANUAL',"
		  . " qts._now(), qts._now()) RETURNING intent_id)"
		  . " SELECT intent_id FROM i, LATERAL (SELECT qts._audit('enter', i.intent_id::text, NULL, NULL, NULL)) AS a");
}

sub test_halt_file
{
	my $name = 'halt file';
	my $seq = $sim->last_seq;
	$e->set_conf('qts.halt_file' => $halt);
	all_look();
	sold($e->exit_position(SAMSUNG, ', 5'), $seq, "$name named but absent");

	touch();
	$seq = $sim->last_seq;
	my $intent = $e->exit_position(SAMSUNG, ', 10');
	looked_twice();
	waits($intent, $seq, $name);
	unlink $halt;
	sold($intent, $seq, "$name removed");

	# An order that the broker refused is sent again, but not past the file.
	$seq = $sim->last_seq;
	$sim->fault('rate_limit', match => { path => 'order-cash' }, times => 0);
	$intent = $e->exit_position(SAMSUNG, ', 10');
	$e->need("(SELECT attempt >= 2 FROM trade.orders WHERE intent_id = '$intent')");
	touch();
	$sim->clear;
	looked_twice();
	my $sent = $sim->posts($seq);
	looked_twice();
	is($sim->posts($seq), $sent, "$name: a refused order is not sent again");
	is($e->sql("SELECT status FROM trade.orders WHERE intent_id = '$intent'"), 'PENDING_SUBMIT', "$name: it waits");
	unlink $halt;
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')", "$name removed: it is sold");
	is($sim->posts($seq), $e->sql("SELECT attempt FROM trade.orders WHERE intent_id = '$intent'"), "$name removed: one POST per attempt");
	return;
}

sub test_trading_mode
{
	my $name = 'trading_mode off';
	$e->enable(HYNIX);
	$e->tick(HYNIX, 70000);
	my $seq = $sim->last_seq;
	$e->set_conf('qts.trading_mode' => 'off');
	is($e->error("SELECT qts.exit('" . $e->position(HYNIX) . "', 1)")->{state}, 'QT015', "$name: people are told");
	$e->tick(HYNIX, 67900);
	$e->need(q{EXISTS (SELECT FROM trade.order_intents WHERE symbol = '000660' AND reason_code = 'SL1')});
	my $intent = $e->sql(q{SELECT intent_id FROM trade.order_intents WHERE symbol = '000660' AND reason_code = 'SL1'});
	looked_twice();
	waits($intent, $seq, "$name, the stop loss");
	$e->set_conf('qts.trading_mode' => 'paper');
	sold($intent, $seq, "$name and on again");
	return;
}

# The switch of last resort needs no table: it works while the worker hangs in one.
sub test_locked
{
	for my $case ([ 'trading_mode off', '005380' ], [ 'halt file', '035720' ])
	{
		my ($what, $symbol) = @$case;
		my $name = "$what while trade.orders is locked";
		my $seq = $sim->last_seq;
		my $session = $e->{node}->background_psql('trading');
		$session->query_safe('BEGIN; LOCK TABLE trade.orders IN ACCESS EXCLUSIVE MODE');
		my $intent = $e->exit_position($symbol, ', 10');
		blocked("$name: the worker waits for it");
		if ($what eq 'halt file') { touch(); }
		else { $e->set_conf('qts.trading_mode' => 'off'); }
		blocked("$name: and still does when the switch is thrown");
		$session->query_safe('ROLLBACK');
		$session->quit;
		looked_twice();
		waits($intent, $seq, $name);
		if ($what eq 'halt file') { unlink $halt; }
		else { $e->set_conf('qts.trading_mode' => 'paper'); }
		sold($intent, $seq, "$name, lifted");
	}
	return;
}

# A new process, which has read both lists; the intervals that are set now count from here.
sub restart_execution
{
	my $then = $e->sql('SELECT clock_timestamp()');
	kill 'TERM', $pid;
	$e->need("(SELECT pid <> $pid AND state = 'RUNNING' FROM qts._workers() WHERE worker = 'execution')");
	$e->need("(SELECT least(ledger_ok_ts, balance_ok_ts) > '$then' FROM trade.account_sync)");
	$pid = $e->pid('execution');
	return;
}

# The claim is on disk and waits for a standby: the last moment to stop it.
sub test_claimed
{
	my $name = 'halt file while the claim commits';
	my $seq = $sim->last_seq;
	# the claim is the only transaction of the worker that waits
	$e->set_conf('qts.ledger_idle_interval' => 3600, 'qts.balance_interval' => 3600);
	restart_execution();
	$e->set_conf(synchronous_standby_names => 'nobody');
	# it is the checkpointer who tells everybody, and it reads its settings first
	$e->sql('CHECKPOINT');
	my $intent = $e->sql("SET synchronous_commit = local; SELECT qts.exit('" . $e->position('035720') . "', 10)");
	$e->until("(SELECT wait_event = 'SyncRep' AND query = 'claim' FROM pg_stat_activity WHERE pid = $pid)",
		"$name: it has not finished");
	touch();
	$e->{node}->append_conf('postgresql.conf', "synchronous_standby_names = ''");
	$e->{node}->reload;
	$e->need("(SELECT retry_ts IS NOT NULL FROM trade.orders WHERE intent_id = '$intent')");
	$e->set_conf('qts.ledger_idle_interval' => 1, 'qts.balance_interval' => 1);
	restart_execution();
	looked_twice();
	is($sim->posts($seq), 0, "$name: the order does not leave");
	unlink $halt;
	sold($intent, $seq, "$name, removed");
	return;
}

sub test_deactivate
{
	my $name = 'deactivate';
	my $seq = $sim->last_seq;
	touch();
	my $intent = $e->exit_position('051910', ', 10');
	looked_twice();

	# The halt is not committed yet, and already no claim gets past it.
	my $session = $e->{node}->background_psql('trading');
	$session->query_safe('BEGIN');
	$session->query_safe(q{SELECT qts.deactivate('test')});
	unlink $halt;
	blocked("$name: the claim waits for the halt");
	$session->query_safe('COMMIT');
	$session->quit;
	$e->until(q{(SELECT count(*) = 4 FROM qts.status() WHERE kind = 'worker' AND state = 'INACTIVE')}, "$name: all workers step aside");
	all_look();
	waits($intent, $seq, $name);
	is($e->error("SELECT qts.exit('" . $e->position('051910') . "', 1)")->{state}, 'QT001', "$name: people are told");
	$seq = $sim->last_seq;
	all_look();
	is($sim->last_seq, $seq, "$name: the broker is left alone altogether");
	$e->sql('SELECT qts.activate()');
	$e->wait_trading;
	sold($intent, $seq, "$name and activate");
	return;
}

sub test_emergency_stop
{
	my $name = 'emergency stop';
	my $seq = $sim->last_seq;
	sold(entry('068270', 'first'), $seq, 'before: an entry buys');

	$seq = $sim->last_seq;
	my $session = $e->{node}->background_psql('trading');
	$session->query_safe('BEGIN');
	$session->query_safe(q{SELECT qts.emergency_stop(true, 'test')});
	my $entry = entry('068270', 'second');
	blocked("$name: the claim waits for it");
	$session->query_safe('COMMIT');
	$session->quit;
	$e->until("(SELECT status = 'CANCELLED' AND error_code = 'QT008' FROM trade.order_intents WHERE intent_id = '$entry')",
		"$name: the entry is cancelled");
	my $later = entry('068270', 'third');
	$e->until("(SELECT status = 'CANCELLED' FROM trade.order_intents WHERE intent_id = '$later')", "$name: a later one too");
	is($sim->posts($seq), 0, "$name: no POST");
	sold($e->exit_position('068270', ', 20'), $seq, "$name: an exit goes on");
	$e->sql(q{SELECT qts.emergency_stop(false, 'test')});
	$seq = $sim->last_seq;
	sold(entry('068270', 'fourth'), $seq, "$name lifted: an entry buys");
	return;
}

# A pause holds orders; what a person cancels is still cancelled.
sub test_paused
{
	my $name = 'paused account';
	my $seq = $sim->last_seq;
	my $resting = $e->sql("SELECT qts.exit('" . $e->position('068270') . "', 5, 'LMT', 75000)");
	$e->need("EXISTS (SELECT FROM trade.orders WHERE intent_id = '$resting' AND status = 'SUBMITTED')");
	$e->sql("SELECT qts.pause_account('" . ACCOUNT . "', 'test')");
	my $waiting = entry('068270', 'paused');
	looked_twice();
	waits($waiting, $sim->last_seq, $name);
	$e->sql("SELECT qts.cancel_intent('$resting', 'test')");
	$e->until("(SELECT status = 'CANCELLED' FROM trade.order_intents WHERE intent_id = '$resting')",
		"$name: what a person cancels is cancelled");
	waits($waiting, $sim->last_seq, "$name, after the cancel");
	$e->sql("SELECT qts.resume_account('" . ACCOUNT . "')");
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$waiting')", "$name: resumed, it is done");
	is($sim->posts($seq), 2, "$name: two POSTs in all");
	return;
}

test_halt_file();
test_trading_mode();
test_locked();
test_claimed();
test_deactivate();
test_emergency_stop();
test_paused();
$e->healthy('all of it');
$e->agrees('all of it');
$e->stop;
done_testing();
