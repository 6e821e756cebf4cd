# 017_faults_market.pl
#		What the market and the clocks do: halts, interruptions, days that are not as the
#		calendar says, prices that stand still, connections that hang, clocks that jump,
#		numbers that come again.  Numbers as in 016_faults_orders.pl; time only moves on.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use QtsFaults;
use QtsTest;

my ($halted, $paused, $still, $early) = map { sprintf '%06d', $_ * 10 } 20201 .. 20204;
# the server's own zone is not the market's
my $t = QtsFaults->new(symbols => [ SAMSUNG, HYNIX, $halted, $paused, $still, $early ],
	conf => { 'qts.exit_interval' => '1s', TimeZone => 'America/New_York', log_timezone => 'America/New_York' });
my ($e, $sim) = @$t{qw(e sim)};

sub market
{
	my (%event) = @_;
	return $sim->call('POST', '/market', \%event);
}

sub go_to
{
	my ($instant) = @_;
	$sim->set_clock($instant);
	return $e->follow_clock;
}

sub intents
{
	my ($symbol) = @_;
	return $e->sql("SELECT count(*) FROM trade.order_intents WHERE symbol = '$symbol'");
}

# The market is closed here: the intent ends before it becomes an order.
sub refused_here
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$t->{seq} = $sim->last_seq;
	$t->{intent} = $e->exit_position(HYNIX, ', 1');
	$e->until($t->intent_is('EXPIRED'), $name);
	is($e->sql("SELECT error_code FROM trade.order_intents WHERE intent_id = '$t->{intent}'"),
		'QT012', "$name: the market takes no orders");
	is($sim->posts($t->{seq}), 0, "$name: no POST");
	return;
}

subtest 'fault 21: a halted stock' => sub {
	market(event => 'halt', symbol => $halted);
	$t->order($halted);
	$t->ends_well('REJECTED', 'halted');
	is($t->of('error_code'), 'APBK0066', 'the broker says why');
	is($e->sql("SELECT qts.available_qty('" . $e->position($halted) . "')"), 1000,
		'nothing stays locked');
	market(event => 'resume', symbol => $halted);
	$t->order($halted);
	$t->ends_well('FILLED', 'trading again');
};

subtest 'F28: a stock that the master calls suspended' => sub {
	$e->sql("UPDATE market.stocks SET status = 'SUSPENDED' WHERE symbol = '$halted'");
	my $seq = $sim->last_seq;
	is($e->error("SELECT qts.exit('" . $e->position($halted) . "', 1)")->{state}, 'QT012',
		'refused here');
	is($sim->posts($seq), 0, 'not at the broker');
	$e->sql("UPDATE market.stocks SET status = 'ACTIVE' WHERE symbol = '$halted'");
};

subtest 'fault 21: an interruption for volatility' => sub {
	market(event => 'vi', symbol => $paused, seconds => 120);
	$t->order($paused);
	$e->need($t->intent_is('SUBMITTED'));
	$e->wait_turn('execution');
	is($t->of('filled_qty'), 0, 'taken, but nothing trades');
	$e->advance(125);
	$t->ends_well('FILLED', 'after the interruption');
};

subtest 'fault 21: the whole market stops' => sub {
	market(event => 'circuit_breaker', level => 1, stop_s => 60, auction_s => 60);
	$t->order($paused);
	$t->ends_well('REJECTED', 'stopped');
	$e->advance(130);
	$t->order($paused);
	$t->ends_well('FILLED', 'trading again');
};

subtest 'fault 28: a price that stands still decides nothing' => sub {
	$e->enable($still);
	$e->tick($still, 70000);
	$e->advance(30);
	$e->wait_turn('exit');
	is($e->sql("SELECT is_stale FROM qts.price('$still')"), 't', 'stale');
	is(intents($still), 0, 'no exit');
};

subtest 'fault 27: connections that hang or break' => sub {
	for my $mode (qw(no_answer drip conn_rst))
	{
		$sim->fault($mode, $mode eq 'drip' ? (params => { ms => 200 }) : ());
		$t->order(SAMSUNG);
		my $posts = $sim->posts($t->{seq});
		$e->until("(SELECT status IN ('FILLED', 'UNKNOWN') FROM trade.order_intents
			WHERE intent_id = '$t->{intent}')", "$mode: not for ever");
		$sim->clear;
		$t->ends('FILLED', $mode, $e->sql("SELECT attempt FROM trade.orders
			WHERE intent_id = '$t->{intent}'"));
		$t->settled($mode);
	}
	is($e->sql("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"),
		0, 'and no transaction waits for the broker');
};

subtest 'F17: the token ends while several orders leave' => sub {
	my $seq = $sim->last_seq;
	$sim->fault('revoke_tokens');
	my @intents = map { $e->exit_position($_, ', 1') } SAMSUNG, HYNIX, $halted, $paused;
	ok($sim->wait_path('tokenP', 1, $seq), 'a token is asked for');
	$e->need("NOT EXISTS (SELECT FROM trade.orders WHERE status = 'PENDING_SUBMIT'
		AND retry_ts IS NULL)");
	$e->advance(5);
	for my $intent (@intents)
	{
		$e->until("(SELECT status = 'FILLED' FROM trade.order_intents
			WHERE intent_id = '$intent')", 'sold');
	}
	is(scalar $sim->requests('tokenP', $seq), 1, 'once for all');
	is(scalar(grep { $_->{rt_cd} eq '0' } $sim->requests('order-cash', $seq)), 4,
		'four were accepted');
	$t->settled('token');
};

subtest 'F18: a storm of EGW00201' => sub {
	my $seq = $sim->last_seq;
	my $id = $sim->fault('rate_limit', times => 6, match => { path => 'order-cash' });
	my @intents = map { $e->exit_position($_, ', 1') } SAMSUNG, HYNIX, $halted, $paused;
	for my $intent (@intents)
	{
		for (1 .. 60)
		{
			last if $e->sql("SELECT status FROM trade.order_intents
				WHERE intent_id = '$intent'") eq 'FILLED';
			$e->advance(1);
			$e->wait_turn('execution');
		}
	}
	is($e->sql("SELECT count(*) FROM trade.order_intents WHERE status = 'FILLED' AND intent_id IN ("
		. join(',', map { "'$_'" } @intents) . ')'), 4, 'all are sold');
	is($sim->faults_fired($id), 6, 'after six refusals');
	is(scalar(grep { $_->{rt_cd} eq '0' } $sim->requests('order-cash', $seq)), 4,
		'each was accepted once');
	is($sim->posts($seq), 10, 'and sent as often as it was refused, and once more');
	$t->settled('storm');
};

subtest 'fault 29: the broker is closed though the calendar says open' => sub {
	my $trust = q{SELECT qts.set_trading_day(date, true, open_at, close_at, note) FROM market.calendar
		WHERE doubt IS NOT NULL};
	$e->sql($trust); # faults before this one made it doubtful
	$sim->config(options => { closed_unexpectedly => JSON::PP::true });
	$e->enable($early);
	$t->{seq} = $sim->last_seq;
	$e->tick($early, 60000);
	$e->until("(SELECT count(*) >= 1 FROM trade.orders WHERE symbol = '$early'
		AND status = 'REJECTED' AND error_code = 'APBK0919')", 'the stop is refused');
	$t->alerted('ORDER_REJECTED', $early);
	$t->alerted('CALENDAR_DOUBT', '');
	is($e->sql('SELECT doubt FROM market.calendar WHERE doubt IS NOT NULL'),
		'the broker refused an order with APBK0919', 'the day is doubtful');
	is($e->sql("SELECT max(n) FROM (SELECT count(*) AS n FROM trade.orders
		WHERE symbol = '$early' GROUP BY date_trunc('second', sent_ts)) AS s"), 1,
		'and asked for again with a pause');
	$sim->config(options => { closed_unexpectedly => JSON::PP::false });
	$e->advance(310);
	$e->tick($early, 59900);
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE symbol = '$early')",
		'when it opens the stop sells');
	$e->sql($trust);
	is($e->sql('SELECT count(*) FROM market.calendar WHERE doubt IS NOT NULL'), 0,
		'a person ends the doubt');
	$t->settled('closed unexpectedly');
};

subtest 'B-E29: a resting order does not block a stop' => sub {
	$t->resting($still, 600);
	my $resting = $t->{intent};
	$e->tick($still, 60000);
	$e->until("(SELECT status = 'CANCELLED' FROM trade.order_intents
		WHERE intent_id = '$resting')", 'the resting order is cancelled for it');
	$e->tick($still, 59900);
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE symbol = '$still')",
		'the stop sells all');
	is($e->sql("SELECT sum(filled_qty) FROM trade.orders WHERE symbol = '$still'"), 1000,
		'no share twice');
	$t->settled('superseded');
};

subtest 'B-E21: sold out while the engine was down' => sub {
	$e->set_conf('qts.enabled' => 'off');
	$e->need(q{NOT EXISTS (SELECT FROM qts._workers() WHERE state = 'RUNNING')});
	$sim->call('POST', '/order', { account => ACCOUNT, symbol => $halted, side => 'sell',
		qty => 991, channel => 'Nsmart' });
	$e->set_conf('qts.enabled' => 'on');
	$e->wait_trading;
	$e->advance(90);
	$e->until("EXISTS (SELECT FROM trade.exit_events WHERE symbol = '$halted'
		AND exit_qty = 1000 AND source = 'MANUAL')", 'positions and balance tell: one exit event');
	$t->settled('sold while down');
};

subtest 'B-E23: half a balance takes nothing away' => sub {
	my $held = $e->sql("SELECT string_agg(symbol || ' ' || qty, ', ' ORDER BY symbol)
		FROM trade.positions WHERE status = 'OPEN'");
	$sim->config(options => { page_balance => 1 });
	$sim->fault('html_502', times => 0, match => { path => 'inquire-balance', nth => 2 });
	$e->advance(90);
	my $seq = $sim->last_seq;
	$sim->wait_path('inquire-balance', 4, $seq);
	$e->wait_turn('execution');
	is($e->sql("SELECT string_agg(symbol || ' ' || qty, ', ' ORDER BY symbol)
		FROM trade.positions WHERE status = 'OPEN'"), $held, 'as before');
	is($e->sql(q{SELECT count(*) FROM system.alerts WHERE code = 'HOLDING_CHANGED'}),
		$e->sql(q{SELECT count(*) FROM system.alerts WHERE code = 'HOLDING_CHANGED'
			AND subject = '} . $halted . q{'}), 'and no alert');
	$sim->clear;
	$sim->config(options => { page_balance => 50 });
	$t->settled('half a balance');
};

subtest 'fault 29: an unknown day is a closed one' => sub {
	my $day = $e->sql("DELETE FROM market.calendar WHERE date = '2026-11-20'
		RETURNING to_jsonb(calendar)");
	refused_here('nothing is sent');
	$t->alerted('NO_CALENDAR', '');
	$e->sql("INSERT INTO market.calendar SELECT * FROM jsonb_populate_record(
		NULL::market.calendar, '$day')");
	$t->order(HYNIX, ', 1');
	$t->ends_well('FILLED', 'with the day known again');
};

subtest 'fault 21: the session ends without a word' => sub {
	my $odno = $t->resting(HYNIX, 10);
	$t->fill($odno, 4, 80000);
	$t->filled(4);
	my $partly = $t->{intent};
	$t->resting(SAMSUNG, 5);
	my $whole = $t->{intent};
	go_to('2026-11-20T15:31:00+09:00');
	$e->until("(SELECT status = 'CANCELLED_PARTIAL' FROM trade.order_intents
		WHERE intent_id = '$partly')", 'the rest of a part expires');
	$e->until("(SELECT status = 'EXPIRED' FROM trade.order_intents WHERE intent_id = '$whole')",
		'and a whole order');
	$t->settled('the close');
	refused_here('after the close nobody sells');
};

subtest 'F14: a fill of the last minute is told on the next day' => sub {
	is($e->sql(q{SELECT count(*) FROM trade.orders WHERE status IN ('SUBMITTED', 'PARTIAL')}), 0,
		'no order of the day is left');
	go_to('2026-11-20T15:29:50+09:00');
	my $odno = $t->resting(HYNIX, 10);
	$e->set_conf('qts.ledger_interval' => 3600, 'qts.ledger_idle_interval' => 3600);
	$e->wait_turn('execution');
	$sim->fault('lose_notices', times => 0);
	$t->fill($odno, 6, 80000);
	go_to('2026-11-23T08:45:00+09:00');
	$sim->clear;
	$e->set_conf('qts.ledger_interval' => 1, 'qts.ledger_idle_interval' => 1);
	my $pid = $e->pid('execution');
	kill 'TERM', $pid;
	$e->need("(SELECT pid <> $pid AND state = 'RUNNING' FROM qts._workers()
		WHERE worker = 'execution')");
	$t->ends('CANCELLED_PARTIAL', "by Friday's ledger", 1);
	is($t->of('filled_qty || $$ $$ || trade_date'), '6 2026-11-20', 'of its own day');
	$t->settled('the next day');
};

subtest 'F27: the trading day is that of Seoul' => sub {
	go_to('2026-11-23T09:05:00+09:00');
	$e->wait_trading;
	$t->order(SAMSUNG, ", 1, 'LMT', 80000");
	$e->need($t->intent_is('SUBMITTED'));
	is($t->of('trade_date'), '2026-11-23', 'when it is Sunday where the server is');
	$t->cancel;
	$t->ends_well('CANCELLED', 'Monday');
};

subtest 'F27: a holiday' => sub {
	go_to('2026-12-25T10:00:00+09:00');
	refused_here('nobody sells');
};

$e->healthy('at the end');
$e->stop;
done_testing();
