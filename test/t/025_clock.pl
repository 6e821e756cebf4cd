# 025_clock.pl
#		F16, F27: clocks that jump and days that end.  Timers and the rate limit follow the
#		monotonic clock, the trading date follows the calendar in Asia/Seoul, whatever the
#		server's TimeZone.
use strict;
use warnings;
use Test::More;
use QtsTest;

use constant FRIDAY => '2026-11-20';
my $e = QtsTest->engine(
	clock => KRX_OPEN,
	conf => { timezone => 'America/New_York', 'qts.rest_rate_sim' => 15, 'qts.unknown_grace_sell' => '2s' });
my $sim = $e->{sim};
my $seq;
$sim->config(options => { rate_per_second => 18 });

# The broker and the engine are both at this instant of Korea.
sub both
{
	my ($iso) = @_;
	$sim->set_clock($iso);
	$e->follow_clock;
	return;
}

# The engine's clock alone.
sub jump { my ($by) = @_; $e->sql("SELECT qts.advance_clock('$by')"); return; }

sub ask
{
	$seq = $sim->last_seq;
	return $e->exit_position(SAMSUNG, ', 1');
}

# A token that ended with its day costs one refusal, which is no order.
sub orders_since
{
	return scalar grep { $_->{rt_cd} ne '1' } $sim->requests('order-cash', $seq);
}

sub ends
{
	my ($intent, $status, $posts, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$e->until("(SELECT status = '$status' FROM trade.order_intents WHERE intent_id = '$intent')",
		"$name: the intent ends $status");
	is(orders_since(), $posts, "$name: orders: $posts");
	return;
}

sub day_of
{
	my ($intent) = @_;
	return $e->sql("SELECT trade_date FROM trade.orders WHERE intent_id = '$intent'");
}

# What runs by timers has run again: the balance is read every second.
sub timers_run
{
	my ($name) = @_;
	my $reads = $e->metric('qts_balance_reads_total');
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $e->until("(SELECT value >= $reads + 2 FROM qts.metrics WHERE name = 'qts_balance_reads_total')",
		"$name: timers run");
}

subtest 'F16: the engine\'s clock jumps within the day' => sub {
	for my $by ('1 second', '-1 second', '59 minutes', '-59 minutes', '-59 minutes', '59 minutes')
	{
		jump($by);
		my $intent = ask();
		ends($intent, 'FILLED', 1, $by);
		is(day_of($intent), FRIDAY, "$by: the trading date stays");
	}
	timers_run('after all of them');
};

subtest 'F16: the clock jumps while an order is unknown' => sub {
	for my $by (50, -50)
	{
		$sim->fault('accept_then_close');
		my $intent = ask();
		ok($sim->wait_posts(1, $seq), "$by minutes: the order is received");
		jump("$by minutes");
		ends($intent, 'FILLED', 1, "$by minutes");
		jump(-$by . ' minutes');
	}
};

# The broker's list shows it at a time at which the engine had not sent it: a person decides.
subtest 'F16: an order sent with a wrong clock stays unknown' => sub {
	jump('50 minutes');
	$sim->fault('accept_then_close');
	my $intent = ask();
	$e->until(q{EXISTS (SELECT FROM trade.orders WHERE status = 'UNKNOWN' AND quarantined)
		AND EXISTS (SELECT FROM system.alerts WHERE code = 'ORDER_AMBIGUOUS')}, 'quarantined, with an alert');
	is(orders_since(), 1, 'orders: 1');
	jump('-50 minutes');
	my ($odno) = map { $_->{odno} } (sort { $a->{odno} <=> $b->{odno} } $sim->orders)[-1];
	$e->sql("SELECT qts.resolve_order(order_uid, 'ACCEPTED', '$odno', 'found in the HTS') FROM trade.orders
		WHERE intent_id = '$intent'");
	ends($intent, 'FILLED', 1, 'resolved');
};

subtest 'F16: a day forward and back' => sub {
	jump('1 day');
	ends(ask(), 'EXPIRED', 0, 'a Saturday');
	timers_run('a day ahead');
	jump('-1 day');
	my $intent = ask();
	ends($intent, 'FILLED', 1, 'back');
	is(day_of($intent), FRIDAY, 'back: on its day');
	jump('-1 day');
	timers_run('a day behind');
	jump('1 day');
	ends(ask(), 'FILLED', 1, 'the right day again');
	$e->healthy('after the jumps');
	$e->agrees('after the jumps');
};

subtest 'F27: an order rests when the day ends' => sub {
	$seq = $sim->last_seq;
	my $intent = $e->exit_position(HYNIX, ", 10, 'LMT', 120000");
	$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE intent_id = '$intent')");
	both('2026-11-20T23:59:58+09:00');
	both('2026-11-21T00:00:02+09:00');
	ends($intent, 'EXPIRED', 1, 'midnight');
	is(day_of($intent), FRIDAY, 'of the day it was sent');
};

subtest 'F27: a holiday, a short day, a late opening' => sub {
	$e->sql(q{UPDATE market.calendar SET closing_auction_at = '12:20', close_at = '12:30', end_at = '13:00'
		WHERE date = '2026-11-25'});
	both('2026-11-25T12:00:00+09:00');
	$e->wait_trading;
	ends(ask(), 'FILLED', 1, 'before the early close');
	for my $case ([ '2026-11-25T13:01:00', 'after the early close' ], [ '2026-12-25T10:00:00', 'a holiday' ],
		[ '2027-01-04T09:10:00', 'before the late opening' ])
	{
		both("$case->[0]+09:00");
		ends(ask(), 'EXPIRED', 0, $case->[1]);
	}
	both('2027-01-04T10:30:00+09:00');
	$e->wait_trading;
	my $intent = ask();
	ends($intent, 'FILLED', 1, 'after the late opening');
	is(day_of($intent), '2027-01-04', 'on the new year\'s day of trading');
};

$e->agrees('before the numbers come again');

# Every day the broker counts from the start again: here it has used all numbers the day before.
subtest 'F27: numbers come again the next trading day, in any TimeZone' => sub {
	for my $case ([ '2027-01-05', 'UTC' ], [ '2027-01-06', 'America/New_York' ])
	{
		my ($day, $zone) = @$case;
		$e->sql("INSERT INTO trade.orders (account_id, trade_date, broker_order_no, symbol, side, order_type, qty,
			status, origin, created_ts, updated_ts)
			SELECT account_id, date '$day' - 1, lpad((n * 100)::text, 10, '0'), '${\HYNIX}', 'SELL', 'MKT', 1,
				'EXPIRED', 'MANUAL', qts._now(), qts._now() FROM trade.accounts, generate_series(1, 600) AS n
			ON CONFLICT DO NOTHING");
		$e->set_conf(timezone => $zone);
		both("${day}T09:00:03+09:00");
		$e->wait_trading;
		$seq = $sim->last_seq;
		my $list = $e->sql("SELECT string_agg(quote_literal(qts.exit('" . $e->position(SAMSUNG) . "', 1)), ', ')
			FROM generate_series(1, 10)");
		$e->until("(SELECT bool_and(status = 'FILLED') FROM trade.order_intents WHERE intent_id IN ($list))",
			"$day: all are sold");
		is(orders_since(), 10, "$day: each by one order");
		is($e->sql("SELECT string_agg(DISTINCT trade_date::text, ' ') FROM trade.orders
			WHERE intent_id IN ($list)"), $day, "$day: on this trading date");
		is($e->sql("SELECT count(*) FROM trade.orders a JOIN trade.orders b USING (account_id, broker_order_no)
			WHERE a.intent_id IN ($list) AND b.trade_date = a.trade_date - 1"), 10,
			"$day: their numbers were all used the day before");
	}
	is($e->sql("SELECT count(*) FROM trade.orders WHERE symbol = '${\HYNIX}' AND filled_qty > 0"), 0,
		'no fill went to another day\'s order');
};

is(scalar(grep { $_->{msg_cd} eq 'EGW00201' } $sim->requests('/uapi/')), 0,
	'in all of it the broker\'s limit was never passed');
$e->healthy('at the end');
$e->stop;
done_testing();
