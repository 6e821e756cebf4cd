# 054_entries.pl
#		Positions that grow while exits watch them: an entry filled in parts, more bought on top, an
#		exit in the middle of it, a refused exit.  The exchange fills what the test says, no more.
use strict;
use warnings;
use JSON::PP ();
use Test::More;
use QtsTest;

my %base = ('300001' => 100000, '300002' => 50000, '300003' => 50000);
my $e = QtsTest->engine(clock => KRX_OPEN,
	sim => { holdings => [], options => { auto_fill => JSON::PP::false },
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => $base{$_}, price => $base{$_} } }
			sort keys %base ] });

$e->sql("INSERT INTO market.stocks (symbol, name, market) SELECT s, 'S' || s, 'KOSPI'
	FROM unnest('{@{[join ',', sort keys %base]}}'::text[]) AS s");

# A position's prices come from its first fill on, when the feed has asked for them.
sub followed
{
	my ($symbol) = @_;
	my $deadline = time + 60;
	while (time < $deadline)
	{
		return if grep { $_->{tr_key} eq $symbol } map { @{ $_->{subscriptions} // [] } } @{ $e->{sim}->call('GET', '/sessions')->{sessions} };
		# the next frame from the engine, a request to subscribe, ends this wait
		$e->{sim}->call('GET', '/wait?timeout_ms=200&counter=frames_received&count=' . ($e->{sim}->stats->{frames_received} + 1));
	}
	die "the feed never subscribed $symbol";
}

# A tick that the exit worker has looked at.
sub look
{
	my ($symbol, $price) = @_;
	followed($symbol);
	my $before = $e->metric('qts_exit_evaluations_total');
	$e->tick($symbol, $price);
	$e->need("(SELECT value > $before FROM qts.metrics WHERE name = 'qts_exit_evaluations_total')");
	return;
}

# The broker's number of the newest order of a symbol and reason, once it is there.
sub order
{
	my ($symbol, $reason) = @_;
	my $newest = "SELECT o.broker_order_no FROM trade.orders AS o JOIN trade.order_intents AS i USING (intent_id)
		WHERE i.symbol = '$symbol' AND i.reason_code = '$reason' AND o.status IN ('SUBMITTED', 'PARTIAL')
		ORDER BY i.created_ts DESC, i.intent_id LIMIT 1";
	$e->need("($newest) IS NOT NULL");
	return $e->sql($newest);
}

sub enter
{
	my ($symbol, $qty, $price) = @_;
	my $key = "test:$symbol:$qty:$price";
	$e->sql("SET SESSION AUTHORIZATION qts_router; INSERT INTO trade.order_intents (account_id, symbol, intent_type, qty,
		order_type, limit_price, reason_code, action_key, source_module)
		VALUES ('${\ACCOUNT}', '$symbol', 'ENTRY', $qty, 'LMT', $price, '$key', '$key', 'ROUTER')");
	return order($symbol, $key);
}

sub fill
{
	my ($odno, $qty, $price) = @_;
	my $fills = $e->sql('SELECT coalesce(sum(qty), 0) FROM trade.fills');
	$e->{sim}->call('POST', '/fill', { odno => $odno, qty => $qty, price => $price });
	$e->need("(SELECT sum(qty) FROM trade.fills) = $fills + $qty");
	return;
}

# Held, average, cycle and its quantity, phase: once the exit worker has taken them in.
sub stands
{
	my ($symbol, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $is = "SELECT concat_ws(' ', p.qty, p.avg_price, s.exit_cycle, s.cycle_qty, s.phase) FROM trade.positions AS p
		JOIN trade.position_state AS s USING (position_id) WHERE p.symbol = '$symbol'";
	$e->poll("SELECT ($is) = '$expected'");
	is($e->sql($is), $expected, $name) or $e->report;
	return;
}

sub exits
{
	my ($symbol, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $is = "SELECT coalesce(string_agg(concat_ws(' ', exit_cycle, reason_code, qty, filled_qty, status), ', '
		ORDER BY created_ts, intent_id), '') FROM trade.order_intents WHERE symbol = '$symbol' AND intent_type <> 'ENTRY'";
	$e->poll("SELECT ($is) = '$expected'");
	is($e->sql($is), $expected, $name) or $e->report;
	return;
}

sub test_parts
{
	my $buy = enter('300001', 100, 104000);
	fill($buy, 10, 100000);
	look('300001', 100000);
	stands('300001', '10 100000.0000 1 10 OPEN', 'the first part of an entry is a position');
	fill($buy, 30, 102000);
	stands('300001', '40 101500.0000 1 40 OPEN', 'the next part is of the same cycle, whose quantity grows');
	fill($buy, 40, 104000);
	stands('300001', '80 102750.0000 1 80 OPEN', 'though its average has drifted by more than 2 % by now');
	look('300001', 109900);
	exits('300001', '', '+7 % of the first part is not +7 % of the average');
	look('300001', 110000);
	exits('300001', '1 TP1 20 0 SUBMITTED', 'TP1 in the middle of the entry: a quarter of what is held so far');
	fill(order('300001', 'TP1'), 20, 110000);
	stands('300001', '60 102750.0000 1 80 TP1_DONE', 'it is sold');
	fill($buy, 20, 104000);
	stands('300001', '80 103062.5000 1 100 TP1_DONE', 'the last part takes no phase back');
	return;
}

sub test_more
{
	fill(enter('300001', 50, 110000), 50, 110000);
	stands('300001', '130 105730.7692 2 130 OPEN', 'another order begins another cycle');
	look('300001', 102500);
	exits('300001', '1 TP1 20 20 FILLED, 2 SL1 65 0 SUBMITTED', 'SL1 of the average of all of them');
	fill(order('300001', 'SL1'), 30, 102500);
	look('300001', 100400);
	exits('300001', '1 TP1 20 20 FILLED, 2 SL1 65 30 CANCELLED_PARTIAL, 2 SL2 65 0 SUBMITTED',
		'SL2 in the middle of SL1: at once for what is free');
	fill(order('300001', 'SL2'), 65, 100400);
	exits('300001', '1 TP1 20 20 FILLED, 2 SL1 65 30 CANCELLED_PARTIAL, 2 SL2 65 65 FILLED, 2 SL2 35 0 SUBMITTED',
		'then for what SL1 held');
	fill(order('300001', 'SL2'), 35, 100300);
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE symbol = '300001')", 'and nothing is left');
	# bought 10 at 100 000, 30 at 102 000, 60 at 104 000, 50 at 110 000, sold 20, 30, 65 and 35
	is($e->sql("SELECT exit_qty, realized_pnl + fees + taxes FROM trade.exit_events WHERE symbol = '300001'"),
		'150|' . (20 * 110000 + 30 * 102500 + 65 * 100400 + 35 * 100300 - 1000000 - 3060000 - 6240000 - 5500000),
		'the result is what was paid and what was received, in whatever order');
	is($e->sql("SELECT sum(pnl) = (SELECT realized_pnl FROM trade.exit_events WHERE symbol = '300001') FROM qts.exit_sales
		WHERE symbol = '300001'"), 't', 'and the sales add up to it');
	return;
}

# What had its turn in the old cycle may act in the new one.
sub test_again
{
	fill(enter('300002', 100, 50000), 100, 50000);
	look('300002', 48400);
	exits('300002', '1 SL1 50 0 SUBMITTED', 'SL1');
	fill(order('300002', 'SL1'), 50, 48400);
	fill(enter('300002', 50, 48400), 50, 48400);
	stands('300002', '100 49200.0000 2 100 OPEN', 'bought again');
	look('300002', 47600);
	exits('300002', '1 SL1 50 50 FILLED, 2 SL1 50 0 SUBMITTED', 'SL1 acts again, at the first price below it');
	fill(order('300002', 'SL1'), 50, 47600);
	return;
}

# A refused rule waits longer and longer, 8 s after four refusals; no other waits for it.
sub test_refused
{
	my $refused = "trade.order_intents WHERE symbol = '300003' AND status = 'REJECTED'";
	fill(enter('300003', 100, 50000), 100, 50000);
	look('300003', 50000);
	$e->{sim}->fault('reject_sync', times => 0, params => { msg_cd => 'APBK0400', msg1 => 'too many' });
	look('300003', 53500);
	$e->need("(SELECT count(*) = 4 FROM $refused)");
	$e->{sim}->clear;
	look('300003', 47000);
	fill(order('300003', 'SL2'), 100, 47000);
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE symbol = '300003')", 'all is sold');
	is($e->sql("SELECT count(*), bool_and(reason_code = 'TP1') FROM $refused"), '4|t', 'TP1 was refused');
	is($e->sql("SELECT created_ts < (SELECT max(updated_ts) + interval '8 seconds' FROM $refused)
		FROM trade.order_intents WHERE symbol = '300003' AND reason_code = 'SL2'"), 't', 'a stop does not wait for it');
	return;
}

test_parts();
test_more();
test_again();
test_refused();

is($e->sql("SELECT count(*) FROM (SELECT FROM trade.order_intents WHERE intent_type <> 'ENTRY' AND status NOT IN ('REJECTED')
	AND reason_code NOT IN ('SL2') GROUP BY position_id, exit_cycle, reason_code HAVING count(*) > 1) AS x"), 0,
	'one exit of a cycle and trigger');
# the exchange's own record
$e->agrees('entries');
$e->healthy('entries');
done_testing();
