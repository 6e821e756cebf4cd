# 030_chaos_found.pl
#		What random schedules of test/chaos found, as the shortest way there.
use strict;
use warnings;
use Test::More;
use QtsTest;

my @symbols = qw(000660 005380 005930 035720 051910 068270);
my $e = QtsTest->engine(
	clock => KRX_OPEN,
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100, avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000, price => 70000 } } @symbols ] });
my $sim = $e->{sim};

# The pause was read once a turn, so a claim under way passed it.
sub test_pause_during_claim
{
	my $name = 'pause while a claim waits';
	my $seq = $sim->last_seq;
	my $pid = $e->pid('execution');
	my $session = $e->{node}->background_psql('trading');
	$session->query_safe('BEGIN');
	$session->query_safe('SELECT FROM trade.exit_control FOR UPDATE');
	my $intent = $e->exit_position(SAMSUNG, ', 10');
	$e->until("(SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid)", "$name: it waits");
	$e->sql("SELECT qts.pause_account('" . ACCOUNT . "', 'test')");
	$session->query_safe('ROLLBACK');
	$session->quit;
	$e->wait_turn('execution');
	is($e->sql("SELECT status FROM trade.order_intents WHERE intent_id = '$intent'"), 'NEW', "$name: nothing is claimed");
	is($sim->posts($seq), 0, "$name: nothing was sent");
	$e->sql("SELECT qts.resume_account('" . ACCOUNT . "')");
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')", "$name: resumed, it is sold");
	is($sim->posts($seq), 1, "$name: with one POST");
	return;
}

# After a promotion: the intent is here, the old primary's claim is not, its order is at the broker.
sub test_twin
{
	my $name = 'intent whose twin is at the broker';
	my $seq = $sim->last_seq;
	my $session = $e->{node}->background_psql('trading');
	$session->query_safe('BEGIN');
	$session->query_safe('SELECT FROM trade.exit_control FOR UPDATE');
	my $intent = $e->exit_position(SAMSUNG, ', 9');
	$e->sql("SELECT qts.pause_account('" . ACCOUNT . "', 'test')");
	$session->query_safe('ROLLBACK');
	$session->quit;
	$sim->call('POST', '/order', { account => ACCOUNT, symbol => SAMSUNG, side => 'sell', qty => 9 });
	$e->need("EXISTS (SELECT FROM trade.orders WHERE symbol = '005930' AND origin = 'MANUAL' AND qty = 9)");
	$e->sql("SELECT qts.resume_account('" . ACCOUNT . "')");
	$e->until("(SELECT status = 'FAILED' AND error_code = 'QT106' FROM trade.order_intents
		WHERE intent_id = '$intent')", "$name: it fails");
	is($sim->posts($seq), 0, "$name: nothing was sent");
	is($e->sql("SELECT count(*) FROM system.alerts WHERE code = 'INTENT_REFUSED' AND subject = '005930'"), 1,
		"$name: an alert says so");
	return;
}

# The same, while another order of the symbol has no answer: the twin may be what that one waits for.
sub test_hidden_twin
{
	my $name = 'twin behind an unanswered order';
	$sim->fault('drop_before_accept');
	my $first = $e->exit_position('051910', ', 5');
	$e->need("(SELECT status = 'UNKNOWN' FROM trade.orders WHERE intent_id = '$first')");
	my $seq = $sim->last_seq;
	my $intent = $e->exit_position('051910', ', 9');
	$sim->call('POST', '/order', { account => ACCOUNT, symbol => '051910', side => 'sell', qty => 9, channel => 'OpnAPI' });
	$e->sql(q{UPDATE system.engine SET inherited = true, bound_ts = qts._now() + interval '10 seconds'});
	my $at = $e->sql('SELECT qts._now()');
	$e->need("(SELECT ledger_ok_ts > '$at' FROM trade.account_sync)");
	my $held = $sim->fault('hold_reply', match => { path => 'inquire-daily-ccld' }, times => 0);
	my $ledgers = $sim->last_seq;
	ok($sim->wait_path('inquire-daily-ccld', 1, $ledgers), "$name: the next list is on its way");
	$e->sql("SELECT qts.resolve_order(order_uid, 'NOT_ACCEPTED', NULL, 'test') FROM trade.orders WHERE intent_id = '$first'");
	$e->wait_turn('execution');
	is($sim->posts($seq), 0, "$name: it waits for the list");
	$sim->clear;
	$sim->release;
	$e->until("(SELECT status = 'FAILED' AND error_code = 'QT106' FROM trade.order_intents
		WHERE intent_id = '$intent')", "$name: it fails");
	is($sim->posts($seq), 0, "$name: nothing was sent");
	$e->sql('UPDATE system.engine SET inherited = false');
	return;
}

# The notices of an order made elsewhere come before the ledger tells whose it is.
sub test_foreign_notices
{
	my $name = 'order of another channel';
	$sim->call('POST', '/order', { account => ACCOUNT, symbol => HYNIX, side => 'sell', qty => 7 });
	$e->need("EXISTS (SELECT FROM trade.orders WHERE symbol = '000660' AND origin = 'MANUAL' AND status = 'FILLED')");
	$e->until("NOT EXISTS (SELECT FROM trade.notices WHERE order_uid IS NULL)", "$name: its notices belong to it");
	is($e->sql("SELECT sum(filled_qty) FROM trade.orders WHERE symbol = '000660'"), 7, "$name: counted once");
	$e->advance(70);
	$e->until("(SELECT qty = 93 FROM trade.positions WHERE symbol = '000660')", "$name: the balance corrects the position");
	$e->healthy($name);
	return;
}

# The clocks were far apart when it was sent, so no witness fits: a person says which one it is.
sub test_resolved_notices
{
	my $name = 'settled by a person';
	$sim->set_clock('2026-11-20T10:10:00+09:00');
	$sim->fault('accept_then_close');
	my $intent = $e->exit_position('005380', ', 12');
	$e->need("(SELECT status = 'UNKNOWN' FROM trade.orders WHERE intent_id = '$intent')");
	$e->follow_clock;
	$e->advance(200);
	$e->until("(SELECT quarantined FROM trade.orders WHERE intent_id = '$intent')", "$name: nobody else can tell");
	my ($theirs) = grep { $_->{symbol} eq '005380' } $sim->orders;
	$e->sql("SELECT qts.resolve_order(order_uid, 'ACCEPTED', '$theirs->{odno}', 'test') FROM trade.orders
		WHERE intent_id = '$intent'");
	$e->until("(SELECT status = 'FILLED' AND filled_qty = 12 FROM trade.orders WHERE intent_id = '$intent')",
		"$name: its fill is found");
	$e->until("NOT EXISTS (SELECT FROM trade.notices WHERE order_uid IS NULL)", "$name: its notices belong to it");
	$e->advance(70);
	$e->healthy($name);
	return;
}

# Shares that wait in somebody's order elsewhere leave less to sell than the exit wants.
sub test_smaller_order
{
	my $name = 'order smaller than its intent';
	$sim->call('POST', '/order', { account => ACCOUNT, symbol => '035720', side => 'sell', qty => 15, price => 72000 });
	$e->need("EXISTS (SELECT FROM trade.orders WHERE symbol = '035720' AND status = 'SUBMITTED')");
	my $intent = $e->exit_position('035720', ', 100');
	$e->until("(SELECT status = 'CANCELLED_PARTIAL' AND filled_qty = 85 FROM trade.order_intents
		WHERE intent_id = '$intent')", "$name: it sold what was left");
	$e->healthy($name);
	return;
}

# Shares bought elsewhere become part of the position, and may be sold.
sub test_shares_that_came
{
	my $name = 'shares that came by the balance';
	$sim->call('POST', '/order', { account => ACCOUNT, symbol => HYNIX, side => 'buy', qty => 8 });
	$e->need("EXISTS (SELECT FROM trade.orders WHERE symbol = '000660' AND side = 'BUY' AND status = 'FILLED')");
	$e->advance(70);
	$e->until("(SELECT qty = 101 FROM trade.positions WHERE symbol = '000660')", "$name: the position has them");
	my $intent = $e->exit_position(HYNIX);
	$e->until("(SELECT status = 'FILLED' AND filled_qty = 101 FROM trade.order_intents WHERE intent_id = '$intent')",
		"$name: all are sold");
	$e->healthy($name);
	return;
}

# What one order sold, the end of another gave back: the balance is as before, and no list shows either.
sub test_masked
{
	my $name = 'two orders hide each other';
	my $lists = sub {
		my $at = $e->sql('SELECT qts._now()');
		$e->need("(SELECT least(ledger_ok_ts, balance_ok_ts) > '$at' FROM trade.account_sync)");
	};
	$e->set_conf('qts.balance_interval' => 1, 'qts.ledger_interval' => 1);
	my $resting = $e->exit_position('068270', ", 5, 'LMT', 80000");
	$e->need(q{(SELECT orderable_qty = 95 FROM trade.holdings WHERE symbol = '068270')});
	$sim->fault('lose_notices', times => 0);
	$sim->fault('row_missing', times => 0, params => { newest => 2 });
	$sim->fault('accept_then_close');
	my $unanswered = $e->exit_position('068270', ', 5');
	my $order = "trade.orders WHERE intent_id = '$unanswered'";
	$e->need("(SELECT status = 'UNKNOWN' FROM $order)");
	$sim->call('POST', '/kill_order', { how => 'expire',
		odno => $e->sql("SELECT broker_order_no FROM trade.orders WHERE intent_id = '$resting'") });
	$e->advance(190);
	$lists->() for 1 .. 3;
	is($e->sql("SELECT complete_lists > 2, status, quarantined FROM $order"), 't|UNKNOWN|f', "$name: it is not taken for refused");
	$sim->clear;
	$e->until("(SELECT status = 'FILLED' FROM $order)", "$name: found when the list shows it");
	$e->until("(SELECT status = 'REJECTED' FROM trade.orders WHERE intent_id = '$resting')", "$name: and the other one");
	$e->healthy($name);
	return;
}

# Its notice came, and the day ended before the ledger told whose order it is.
sub test_unread_day
{
	my $name = 'notice of a day whose ledger was not read';
	$sim->fault('html_502', match => { path => 'inquire-daily-ccld' }, times => 0);
	$sim->call('POST', '/order', { account => ACCOUNT, symbol => SAMSUNG, side => 'sell', qty => 2 });
	$e->need("EXISTS (SELECT FROM trade.notices WHERE order_uid IS NULL)");
	$sim->set_clock('2026-11-23T10:00:00+09:00');
	$e->follow_clock;
	$sim->clear;
	$e->until("NOT EXISTS (SELECT FROM trade.notices WHERE order_uid IS NULL)", "$name: it is, on the next");
	return;
}

test_pause_during_claim();
test_twin();
test_hidden_twin();
test_foreign_notices();
test_shares_that_came();
test_resolved_notices();
test_smaller_order();
test_masked();
test_unread_day();
$e->stop;
done_testing();
