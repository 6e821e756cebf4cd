# 013_foreign.pl
#		Orders this engine did not send: a person's, the broker's, another program's; and
#		what our own orders do beside them.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use QtsTest;

my ($kakao, $naver, $kia) = ('035720', '035420', '000270');
my @symbols = (SAMSUNG, HYNIX, $kakao, $naver, $kia);
my $e = QtsTest->engine(
	clock => KRX_OPEN,
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100,
		avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
			price => 70000 } } @symbols ] });
my $sim = $e->{sim};

sub elsewhere
{
	my ($symbol, $qty, $channel, %more) = @_;
	return $sim->call('POST', '/order', { account => ACCOUNT, symbol => $symbol, side => 'sell',
		qty => $qty, channel => $channel, %more });
}

sub event
{
	my ($symbol) = @_;
	$e->need("EXISTS (SELECT FROM trade.exit_events WHERE symbol = '$symbol')");
	return $e->sql("SELECT concat_ws(' ', exit_reason_code, source, exit_qty) FROM trade.exit_events
		WHERE symbol = '$symbol'");
}

sub filled
{
	my ($intent, $status) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $e->until("(SELECT status = '$status' FROM trade.order_intents
		WHERE intent_id = '$intent')", "the intent ends $status");
}

subtest 'F29: a person sells a part at the broker' => sub {
	elsewhere(SAMSUNG, 40, 'Nsmart');
	$e->until("(SELECT qty = 60 FROM trade.positions WHERE symbol = '${\SAMSUNG}')",
		'the position follows the notice once the ledger shows the order');
	is($e->sql("SELECT origin || ' ' || channel FROM trade.orders WHERE symbol = '${\SAMSUNG}'"),
		'MANUAL Nsmart', 'the order is recorded as made elsewhere');
	filled($e->exit_position(SAMSUNG), 'FILLED');
	is(event(SAMSUNG), 'MANUAL MANUAL 100', 'the event counts both sales');
	is($sim->posts, 1, 'one order was ours');
	is($e->sql('SELECT status FROM trade.accounts'), 'ACTIVE', 'and nothing else happened');
};

subtest 'a branch sells by itself: forced' => sub {
	elsewhere(HYNIX, 100, '001234');
	is(event(HYNIX), 'BROKER BROKER 100', 'the event names the broker');
};

subtest 'F29: a fill elsewhere that no notice told' => sub {
	$sim->fault('lose_notices', times => 0, match => { symbol => $kakao });
	elsewhere($kakao, 100, 'Nsmart');
	$e->need("EXISTS (SELECT FROM trade.orders WHERE symbol = '$kakao' AND status = 'FILLED')");
	is($e->sql("SELECT qty FROM trade.positions WHERE symbol = '$kakao'"), 100,
		'the ledger does not say when: the position waits');
	$e->advance(90);
	is(event($kakao), 'MANUAL MANUAL 100', 'two balances correct it, the order names who');
	$sim->clear;
};

subtest 'shares in an open sell elsewhere are not sold twice' => sub {
	elsewhere($naver, 40, 'Nsmart', price => 80000, ord_dvsn => '00');
	$e->need("EXISTS (SELECT FROM trade.orders WHERE symbol = '$naver' AND status = 'SUBMITTED')");
	my $intent = $e->exit_position($naver);
	filled($intent, 'CANCELLED_PARTIAL');
	is($e->sql("SELECT qty || ' of ' || (SELECT qty FROM trade.order_intents i
		WHERE i.intent_id = o.intent_id) FROM trade.orders o WHERE intent_id = '$intent'"),
		'60 of 100', 'the order is for what is sellable');
	is($e->sql("SELECT qty FROM trade.positions WHERE symbol = '$naver'"), 40, 'the rest stays');
	filled($e->exit_position($naver), 'FAILED');
	is($e->sql("SELECT count(*) FROM trade.order_intents WHERE symbol = '$naver'
		AND error_code = 'QT005'"), 1, 'nothing sellable: refused here, not at the broker');
};

subtest 'a cancel that is refused is asked for again' => sub {
	my $intent = $e->exit_position($kia, ", 10, 'LMT', 80000");
	filled($intent, 'SUBMITTED');
	my $uid = $e->sql("SELECT order_uid FROM trade.orders WHERE intent_id = '$intent'");
	$sim->fault('reject_sync', match => { path => 'order-rvsecncl' },
		params => { msg_cd => 'APBK0000', msg1 => 'not now' });
	$e->sql("SELECT qts.cancel_order('$uid', 'test')");
	$e->until("(SELECT cancel_attempts = 1 AND cancel_state IN ('REFUSED', 'REQUESTED')
		FROM trade.orders WHERE order_uid = '$uid')", 'refused');
	$e->advance(2);
	filled($intent, 'CANCELLED');
	is(scalar $sim->requests('order-rvsecncl'), 2, 'by a second request');
};

subtest 'F30: another program trades this account through the API' => sub {
	my $seq = $sim->last_seq;
	elsewhere($kia, 5, 'OpnAPI');
	$e->until("(SELECT status = 'PAUSED' FROM trade.accounts)", 'the account is paused');
	is($e->sql("SELECT severity FROM system.alerts WHERE code = 'OTHER_ENGINE'"), 'CRITICAL',
		'with an alert');
	my $error = $e->error("SELECT qts.exit('" . $e->position($kia) . "')");
	is($error->{state}, 'QT001', 'nothing is sold while it is paused');
	is($sim->posts($seq), 0, 'no order left');
	$e->sql("SELECT qts.resume_account('${\ACCOUNT}')");
	$e->set_conf('qts.foreign_api_orders' => 'record');
	elsewhere($kia, 5, 'OpnAPI');
	$e->until("(SELECT count(*) = 2 FROM trade.orders WHERE symbol = '$kia'
		AND origin = 'MANUAL' AND status = 'FILLED')", 'where that is wanted, it is recorded only');
	is($e->sql('SELECT status FROM trade.accounts'), 'ACTIVE', 'and the account goes on');
};

subtest 'R9: a loop gone wild meets a budget' => sub {
	my $seq = $sim->last_seq;
	$e->set_conf('qts.max_exits_per_minute' => 2);
	my @intents = map { $e->exit_position($kia, ', 1') } 1 .. 4;
	$e->until("EXISTS (SELECT FROM system.alerts WHERE code = 'BUDGET_SPENT'
		AND subject = 'exits')", 'more exits than a minute allows: an alert');
	$e->wait_turn('execution');
	cmp_ok($sim->posts($seq), '<=', 2, 'and they wait');
	$e->set_conf('qts.max_exits_per_minute' => 0);
	filled($_, 'FILLED') for @intents;
	is($sim->posts($seq), 4, 'each is sent once');

	$e->set_conf('qts.max_entries_per_minute' => 1);
	$e->sql(join ';', map { "SET SESSION AUTHORIZATION qts_router; INSERT INTO trade.order_intents (account_id, symbol,
		intent_type, qty, reason_code, action_key, source_module)
		VALUES ('${\ACCOUNT}', '$_', 'ENTRY', 1, 'ENTRY', 'test:$_', 'ROUTER')" } ($naver, $kakao));
	$e->until("(SELECT count(*) = 2 FROM trade.order_intents WHERE intent_type = 'ENTRY'
		AND status IN ('FILLED', 'CANCELLED'))", 'of two entries one is sent');
	is($e->sql('SELECT emergency_stop FROM system.engine'), 't', 'and entries are stopped');
	is($e->sql("SELECT count(*) FROM system.audit_log WHERE action = 'emergency_stop'"), 1,
		'with an audit row');
};

subtest 'F28: the holding changes and no order explains it' => sub {
	$e->sql("SELECT qts.emergency_stop(false, 'test')");
	$sim->config(accounts => [ { account => ACCOUNT, holdings => [
		{ symbol => $kia, name => "S$kia", qty => 500, avg_price => '14000' } ] } ]);
	$e->advance(90);
	$e->until("(SELECT qty = 500 AND quarantine_reason IS NOT NULL FROM trade.positions
		WHERE symbol = '$kia')", 'as after a split: corrected, and its exits hold');
	is($e->sql("SELECT severity FROM system.alerts WHERE code = 'HOLDING_CHANGED'
		AND subject = '$kia'"), 'CRITICAL', 'with an alert');
	$e->sql("SELECT qts.release_position('" . $e->position($kia) . "', 'a split')");
};

subtest 'an order that counted as not accepted turns up' => sub {
	$e->set_conf('qts.unknown_grace_buy' => 1, 'qts.max_entries_per_minute' => 0);
	$sim->fault('lose_notices', times => 0);
	$sim->fault('ledger_lag', times => 0, params => { ms => 3_600_000 });
	$sim->fault('accept_then_close');
	$e->sql("SET SESSION AUTHORIZATION qts_router; INSERT INTO trade.order_intents (account_id, symbol,
		intent_type, qty, order_type, limit_price, reason_code, action_key, source_module)
		VALUES ('${\ACCOUNT}', '$kia', 'ENTRY', 3, 'LMT', 60000, 'ENTRY', 'late', 'ROUTER')");
	$e->need("EXISTS (SELECT FROM trade.orders WHERE status = 'UNKNOWN')");
	$e->advance(10);
	$e->until("EXISTS (SELECT FROM trade.orders WHERE error_code = 'NOT_ACCEPTED')",
		'nobody has seen it: not accepted');
	$sim->clear;
	$e->until("EXISTS (SELECT FROM system.alerts WHERE code = 'ORDER_FOUND_LATE')",
		'then the ledger shows it: an alert');
	is($e->sql("SELECT quarantine_reason IS NOT NULL FROM trade.positions WHERE symbol = '$kia'"),
		't', 'and the position waits for a person');
	is($e->sql('SELECT status FROM trade.accounts'), 'ACTIVE', 'the account goes on');
};

$e->until(q{NOT EXISTS (SELECT FROM trade.positions WHERE status = 'CLOSING')},
	'no position stays closing without an exit');
$e->healthy('at the end');
$e->agrees('at the end');
$e->stop;
done_testing();
