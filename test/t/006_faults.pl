# 006_faults.pl
#		What the broker and the network do wrong, one subtest each; the numbers are those
#		of the catalogue of simulator faults.  After each: no order sent again unless it
#		was provably refused, every share accounted for, no invariant violated.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use QtsTest;

my @symbols = (SAMSUNG, HYNIX, '035720');
my $e = QtsTest->engine(
	clock => KRX_OPEN,
	# fault after fault without a good answer between would hold orders back (020_breaker.pl)
	conf => { 'qts.http_timeout' => '500ms', 'qts.unknown_grace_sell' => '1s',
		'qts.breaker_threshold' => 0 },
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 1000,
		avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
			price => 70000 } } @symbols ] });
my $sim = $e->{sim};
my ($intent, $seq);

# Ask for a sale with this fault in its way; the fault must have happened.
sub order
{
	my ($fault, %o) = @_;
	$seq = $sim->last_seq;
	my $id = $sim->fault($fault, %{ $o{rule} // {} });
	$intent = $e->exit_position($o{symbol} // SAMSUNG, $o{order} // ', 7');
	ok($sim->wait_posts(1, $seq), "$fault: the order is received");
	return $id;
}

sub becomes
{
	my ($status, $posts, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$e->until("(SELECT status = '$status' FROM trade.order_intents WHERE intent_id = '$intent')",
		"$name: the intent ends $status");
	is($sim->posts($seq), $posts, "$name: $posts POSTs");
	is($e->sql("SELECT coalesce(sum(attempt), 0) FROM trade.orders WHERE intent_id = '$intent'"),
		$posts, "$name: one attempt each");
	$sim->clear;
	$e->need(q{(SELECT count(*) = 0 FROM trade.orders WHERE status IN ('PENDING_SUBMIT', 'UNKNOWN')
		AND NOT quarantined)});
	$e->healthy($name);
	$e->agrees($name);
	return;
}

sub alerts
{
	my ($code) = @_;
	return $e->sql("SELECT coalesce(sum(count), 0) FROM system.alerts WHERE code = '$code'");
}

subtest 'fault 1: accepted, the connection ends before any answer' => sub {
	for my $mode (qw(accept_then_close accept_then_rst))
	{
		my $before = alerts('ORDER_UNKNOWN');
		order($mode);
		becomes('FILLED', 1, $mode);
		is(alerts('ORDER_UNKNOWN'), $before + 1, "$mode: it was unknown, and said so");
	}
};

subtest 'fault 2: the same on a kept-alive connection' => sub {
	my $warm = $e->exit_position(HYNIX, ', 1');
	$e->need("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$warm')");
	order('accept_then_close', symbol => HYNIX);
	my ($post) = $sim->requests('order-cash', $seq);
	my @earlier = grep { $_->{conn} == $post->{conn} && $_->{seq} < $post->{seq} }
	  $sim->requests('/uapi/');
	ok(@earlier > 0,
		'the connection had served before: the client library would send again by itself');
	becomes('FILLED', 1, 'kept alive');
};

subtest 'fault 3: dropped before it was accepted; a stop asks again' => sub {
	my $symbol = '035720';
	$e->enable($symbol);
	$seq = $sim->last_seq;
	$sim->fault('drop_before_accept');
	$e->tick($symbol, 66500);
	ok($sim->wait_posts(1, $seq), 'the stop is sent');
	$intent = $e->sql("SELECT intent_id FROM trade.order_intents WHERE symbol = '$symbol'");
	my $wait = $e->sql("SELECT sum(attempt) FROM trade.orders WHERE intent_id = '$intent'");
	is($wait, 1, 'and waits for its witnesses');
	becomes('FAILED', 1, 'dropped');
	is($e->sql("SELECT error_code FROM trade.order_intents WHERE intent_id = '$intent'"),
		'NOT_ACCEPTED', 'for want of any witness');
	is(alerts('ORDER_NOT_ACCEPTED'), 1, 'with an alert');
	$e->advance(3);
	$e->tick($symbol, 66400);
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE symbol = '$symbol')",
		'armed again: the next tick sells all');
	is($sim->posts($seq), 2, 'by one more order');
	is($e->sql("SELECT count(*) FROM trade.exit_events WHERE symbol = '$symbol'
		AND exit_qty = 1000"), 1, 'one exit event');
	$e->agrees('armed again');
};

subtest 'fault 4: the answer comes after the time-out' => sub {
	order('late_response', rule => { params => { ms => 2000 } });
	becomes('FILLED', 1, 'late');
	$e->need('(SELECT count(*) = 0 FROM trade.orders WHERE broker_order_no IS NULL
		AND status <> $$REJECTED$$)');
};

for my $mode (qw(truncated_json html_502 empty_200 drip))
{
	subtest "fault 5: accepted, the answer is $mode" => sub {
		order($mode, rule => { params => { ms => 100 } });
		becomes('FILLED', 1, $mode);
	};
}

for my $http (500, 200)
{
	subtest "fault 6: EGW00201 twice with HTTP $http" => sub {
		order('rate_limit',
			rule => { times => 2, match => { path => 'order-cash' },
			params => { http => $http } });
		# each refusal waits by the engine's clock
		for my $n (2, 3)
		{
			$e->need("(SELECT attempt = $n - 1 AND retry_ts IS NOT NULL FROM trade.orders
				WHERE intent_id = '$intent')");
			$e->advance(5);
			ok($sim->wait_posts($n, $seq), "refused, so it is sent again: $n");
		}
		becomes('FILLED', 3, "EGW00201 with $http");
		is(scalar(grep { $_->{rt_cd} eq '0' } $sim->requests('order-cash', $seq)), 1,
			'one was accepted');
	};
}

for my $accept (JSON::PP::true, JSON::PP::false)
{
	my $name = $accept ? 'accepted' : 'not accepted';
	subtest "fault 7: gateway error, $name" => sub {
		for my $code (qw(EGW00302 EGW00300))
		{
			order('gateway_error',
				rule => { params => { msg_cd => $code, http => 500, accept => $accept } });
			becomes($accept ? 'FILLED' : 'FAILED', 1, "$code, $name");
		}
	};
}

subtest 'fault 8: the token expires: one refresh, the order once more' => sub {
	for my $mode (qw(token_expired token_invalid))
	{
		order($mode, rule => { match => { path => 'order-cash' } });
		$e->need("(SELECT retry_ts IS NOT NULL FROM trade.orders WHERE intent_id = '$intent')");
		ok($sim->wait_path('tokenP', 1, $seq), "$mode: a token is asked for");
		$e->advance(5);
		becomes('FILLED', 2, $mode);
		is(scalar $sim->requests('tokenP', $seq), 1, "$mode: once");
	}
};

subtest 'fault 10: fills and acceptance told twice' => sub {
	for my $mode (qw(duplicate_fill duplicate_accept))
	{
		my $id = order($mode);
		becomes('FILLED', 1, $mode);
		is($e->sql("SELECT sum(f.qty) FROM trade.fills f JOIN trade.orders o USING (order_uid)
			WHERE intent_id = '$intent'"), 7,
			"$mode: counted once");
	}
	cmp_ok($e->metric('qts_notices_repeated_total'), '>', 0, 'the repetition was seen');
};

subtest 'fault 11: notices are lost' => sub {
	for my $which (qw(fills all))
	{
		order('lose_notices', rule => { times => 0, params => { which => $which } });
		becomes('FILLED', 1, "$which lost");
		is($e->sql("SELECT string_agg(DISTINCT f.source, ',') FROM trade.fills f
			JOIN trade.orders o USING (order_uid)"
			  . " WHERE intent_id = '$intent'"), 'REST_DELTA', "$which lost: the ledger tells");
	}
};

subtest 'fault 12: out of order' => sub {
	for my $mode (qw(fill_before_accept fill_before_reply))
	{
		order($mode);
		becomes('FILLED', 1, $mode);
	}
	order('reorder_fills', order => ", 5, 'LMT', 72000");
	$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE intent_id = '$intent')");
	my $odno = $e->sql("SELECT broker_order_no FROM trade.orders WHERE intent_id = '$intent'");
	$sim->call('POST', '/fill', { odno => $odno, qty => 2, price => 72000 });
	$sim->call('POST', '/fill', { odno => $odno, qty => 3, price => 72100 });
	becomes('FILLED', 1, 'an older fill after a newer one');
	is($e->sql("SELECT avg_fill_price FROM trade.order_intents WHERE intent_id = '$intent'"),
		'72060.0000', 'at the right average');
};

# A fill that nobody could tell; only the ledger read after the gap knows it.
subtest 'fault 14: the socket ends while an order is open' => sub {
	$e->set_conf('qts.ledger_interval' => 3600, 'qts.ledger_idle_interval' => 3600);
	for my $mode (qw(ws_close ws_rst ws_drop))
	{
		# a session that lasted is opened again at once, one that did not after a pause
		$e->need(q{(SELECT state = 'UP' AND since < clock_timestamp() - interval '5.5 seconds'
			FROM qts._feeds())});
		$seq = $sim->last_seq;
		$intent = $e->exit_position(HYNIX, ", 3, 'LMT', 73000");
		$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents
			WHERE intent_id = '$intent')");
		$e->need("EXISTS (SELECT FROM trade.notices n JOIN trade.orders o USING (order_uid)
			WHERE intent_id = '$intent')");
		my $epoch = $e->sql('SELECT epoch FROM qts._feeds()');
		my $gone = $sim->stats->{ws_sessions};
		$sim->fault('ws_refuse');
		$sim->fault($mode);
		ok($sim->call('GET', '/wait?counter=ws_open&at_most=0')->{ok},
			"$mode: no session is left");
		my $odno = $e->sql("SELECT broker_order_no FROM trade.orders WHERE intent_id = '$intent'");
		$sim->call('POST', '/fill', { odno => $odno, qty => 3, price => 73000 });
		$e->until("(SELECT status = 'FILLED' FROM trade.order_intents
			WHERE intent_id = '$intent')", "$mode: found after the gap");
		is($e->sql("SELECT source FROM trade.fills f JOIN trade.orders o USING (order_uid)
			WHERE intent_id = '$intent'"), 'REST_DELTA',
			"$mode: in the ledger");
		$e->until("(SELECT epoch > $epoch AND state = 'UP' FROM qts._feeds())",
			"$mode: connected again");
		cmp_ok($sim->stats->{ws_sessions} - $gone, '<=', 6, "$mode: without a storm");
		$sim->clear;
		$e->wait_subscribed;
		$e->healthy($mode);
		$e->agrees($mode);
	}
	$e->set_conf('qts.ledger_interval' => 1, 'qts.ledger_idle_interval' => 1);
};

subtest 'the ledger is refused for ten minutes: a person is called, orders go on' => sub {
	my $said = 'SELECT last_error FROM trade.account_sync';
	my $unread = q{SELECT message FROM system.alerts WHERE code = 'LEDGER_UNREAD' AND subject = '12****78-01'};
	$e->set_conf('qts.ledger_interval' => 1, 'qts.ledger_idle_interval' => 1, 'qts.balance_interval' => 1);
	$sim->fault('reshape', times => 0, match => { path => 'inquire-daily-ccld' },
		params => { set => { rt_cd => '1', msg_cd => 'APBK0400', msg1 => 'no such list' } });
	$seq = $sim->last_seq;
	$intent = $e->exit_position(HYNIX, ', 7');
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')", 'an order goes by its notices');
	$e->until("($said) = 'ledger: no such list'", 'the ledger cannot confirm it');
	my $balance = $e->sql('SELECT balance_ok_ts FROM trade.account_sync');
	$e->need("(SELECT balance_ok_ts > '$balance' FROM trade.account_sync)");
	is($e->sql($said), 'ledger: no such list', 'the balance does not take that back');
	is($e->sql($unread), '', 'and nobody is called yet');
	$e->advance(601);
	$e->until("($unread) LIKE '%could not be read whole for 1_ minutes%: APBK0400 no such list'",
		'somebody is after ten minutes, with the reason');
	becomes('FILLED', 1, 'the ledger is back');
	$e->until("($said) IS NULL", 'it is read again');
};

subtest 'fault 8: EGW00133 over and over: no storm of token requests' => sub {
	my $id = $sim->fault('egw00133', times => 0);
	order('token_expired', rule => { match => { path => 'order-cash' } });
	ok($sim->wait_path('tokenP', 1, $seq), 'a token is asked for');
	$e->until(q{EXISTS (SELECT FROM system.alerts WHERE code = 'BROKER_UNREACHABLE')},
		'refused: an alert after a while');
	is(scalar $sim->requests('tokenP', $seq), 1, 'and not asked for again within the minute');
	is($sim->posts($seq), 1, 'nothing is sent without one');
	$sim->clear;
	# a person who knows better than the minute
	unlink glob "$e->{dir}/.qts-token-*";
	my $pid = $e->pid('execution');
	kill 'TERM', $pid;
	$e->need("(SELECT pid <> $pid AND state = 'RUNNING' FROM qts._workers()
		WHERE worker = 'execution')");
	$e->advance(5);
	becomes('FILLED', 2, 'after the refusals');
};

$e->healthy('at the end');
$e->agrees('at the end');
$e->stop;
done_testing();
