# 002_trade.pl
#		Every exit rule from the tick to the exit event, and exits by hand.  One symbol
#		per story; the broker's own books say what is right.
use strict;
use warnings;
use Test::More;
use QtsTest;

my %held = ('005930' => 70000, '000660' => 100000, '035720' => 40000, '051910' => 50000,
	'068270' => 60000,
	'005380' => 80000);
my $e = QtsTest->engine(clock => KRX_OPEN,
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100,
		avg_price => "$held{$_}" } } sort keys %held ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => $held{$_},
			price => $held{$_} } } sort keys %held ] });
my $posts = 0;

# A tick that the exit worker has looked at.
sub look
{
	my ($symbol, $price) = @_;
	my $before = $e->metric('qts_exit_evaluations_total');
	$e->tick($symbol, $price);
	$e->need("(SELECT value > $before FROM qts.metrics
		WHERE name = 'qts_exit_evaluations_total')");
	return;
}

# A tick (or, without a price, what was done before) makes the engine sell so many.
sub sells
{
	my ($symbol, $price, $reason, $qty, $left, $phase) = @_;
	$e->tick($symbol, $price) if defined $price;
	$price //= 'the price it knows';
	$posts++;
	my $intent = "symbol = '$symbol' AND reason_code = '$reason'";
	$e->until("(SELECT count(*) = 1 FROM trade.order_intents WHERE $intent AND qty = $qty
		AND filled_qty = $qty"
		  . " AND status = 'FILLED' AND effect_applied)", "$reason sells $qty at $price");
	my $position = $e->position($symbol);
	is($e->sql("SELECT p.qty, s.phase FROM trade.positions p
		JOIN trade.position_state s USING (position_id)"
		  . " WHERE position_id = '$position'"),
		"$left|$phase", "$reason: $left left, phase $phase");
	return;
}

# The exit event against the broker's orders of the symbol.
sub closed
{
	my ($symbol, $reason, $source) = @_;
	my ($qty, $amount, $fee, $tax) = (0, 0, 0, 0);
	for my $order (grep { $_->{symbol} eq $symbol } $e->{sim}->orders)
	{
		$qty += $order->{filled};
		$amount += $order->{amount};
		$fee += $order->{fee};
		$tax += $order->{tax};
	}
	my $pnl = $amount - $qty * $held{$symbol} - $fee - $tax;
	is($e->sql("SELECT exit_reason_code, source, exit_qty, round(exit_avg_price * exit_qty), fees,"
		  . " taxes, realized_pnl"
		  . " FROM trade.exit_events WHERE symbol = '$symbol'"),
		join('|', $reason, $source, $qty, $amount, $fee, $tax,
			$pnl), "$symbol: one exit event with the broker's numbers");
	is($e->sql("SELECT p.status, p.qty, s.phase FROM trade.positions p
		JOIN trade.position_state s USING (position_id)"
		  . " WHERE symbol = '$symbol'"), 'CLOSED|0|EXITED', "$symbol: closed");
	return;
}

sub test_adoption
{
	is($e->sql('SELECT string_agg(DISTINCT exit_mode, $$,$$), count(*), sum(qty)
		FROM trade.positions'),
		'MANUAL_ONLY|6|600', 'holdings become positions that only a person sells');
	look('068270', 60000);
	look('068270', 50000);
	is($e->sql('SELECT count(*) FROM trade.order_intents'), 0,
		'a fall of 17 % sells nothing of them');
	is($e->sql("SELECT string_agg(DISTINCT blocked_by, ',')
		FROM qts.explain_exit('" . $e->position('068270') . "')"),
		'POSITION_MODE', 'explain_exit() says why');
	$e->enable(grep { $_ ne '068270' } sort keys %held);
	look($_, $held{$_}) for sort keys %held;
	is($e->sql('SELECT count(*) FROM trade.order_intents'), 0,
		'switched on at par: nothing to do');
	return;
}

sub test_stops
{
	look('005930', 68000);
	is($e->sql(q{SELECT count(*) FROM trade.order_intents WHERE symbol = '005930'}), 0,
		'one tick above SL1: nothing');
	sells('005930', 67900, 'SL1', 50, 50, 'OPEN');
	look('005930', 67800);
	is($e->sql(q{SELECT count(*) FROM trade.order_intents WHERE symbol = '005930'}), 1,
		'SL1 sells once');
	sells('005930', 66500, 'SL2', 50, 0, 'EXITED');
	closed('005930', 'SL2', 'AUTO_EXIT');
	return;
}

sub test_profits
{
	sells('000660', 107000, 'TP1', 25, 75, 'TP1_DONE');
	is($e->sql(q{SELECT stop_floor_price::int FROM trade.position_state s
		JOIN trade.positions p USING (position_id)
		WHERE symbol = '000660'}), 100600, 'TP1 sets the floor');
	sells('000660', 110000, 'TP2', 25, 50, 'TP2_DONE');
	sells('000660', 116000, 'TP3', 20, 30, 'TRAILING_ACTIVE');
	look('000660', 120000);
	look('000660', 115300);
	look('000660', 115100);
	is($e->sql(q{SELECT count(*) FROM trade.order_intents WHERE reason_code = 'TRAIL'}), 0,
		'one tick below the trail confirms nothing');
	$e->advance(4);
	sells('000660', 115000, 'TRAIL', 30, 0, 'EXITED');
	closed('000660', 'TRAIL', 'AUTO_EXIT');
	return;
}

sub test_floor
{
	sells('035720', 42800, 'TP1', 25, 75, 'TP1_DONE');
	look('035720', 40200);
	look('035720', 40150);
	is($e->sql(q{SELECT count(*) FROM trade.order_intents WHERE reason_code = 'STOP_FLOOR'}), 0,
		'two ticks at once do not confirm the floor');
	look('035720', 40300);
	$e->advance(4);
	look('035720', 40200);
	is($e->sql(q{SELECT count(*) FROM trade.order_intents WHERE reason_code = 'STOP_FLOOR'}), 0,
		'a recovery between starts the count again');
	$e->advance(4);
	sells('035720', 40200, 'STOP_FLOOR', 75, 0, 'EXITED');
	closed('035720', 'STOP_FLOOR', 'AUTO_EXIT');
	return;
}

sub test_pause
{
	$e->sql("SELECT qts.set_exit_mode('PAUSE_ALL', 'test')");
	look('051910', 47000);
	is($e->sql(q{SELECT count(*) FROM trade.order_intents WHERE symbol = '051910'}), 0,
		'PAUSE_ALL holds SL2');
	sells('051910', 44900, 'HARD_STOP', 100, 0, 'EXITED');
	closed('051910', 'HARD_STOP', 'AUTO_EXIT');
	look('005380', 86000);
	is($e->sql(q{SELECT count(*) FROM trade.order_intents WHERE symbol = '005380'}), 0, 'and TP1');
	$e->sql("SELECT qts.set_exit_mode('PAUSE_PROFIT', 'test')");
	look('005380', 86100);
	is($e->sql(q{SELECT count(*) FROM trade.order_intents WHERE symbol = '005380'}), 0,
		'PAUSE_PROFIT holds TP1');
	$e->sql("SELECT qts.set_exit_mode('RUNNING', 'test')");
	sells('005380', undef, 'TP1', 25, 75, 'TP1_DONE');
	return;
}

sub test_manual
{
	my $symbol = '068270';
	look($symbol, 60000);
	my $intent = $e->exit_position($symbol, ', 30');
	$posts++;
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')",
		'by hand, at market: filled');
	is($e->error("SELECT qts.exit('" . $e->position($symbol) . "', 71)")->{state}, 'QT005',
		'more than is held: QT005');

	my $rest = $e->exit_position($symbol, ", 40, 'LMT', 62000");
	$posts++;
	$e->until("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE intent_id = '$rest')",
		'a limit above the market rests');
	is($e->sql("SELECT qts.available_qty('" . $e->position($symbol) . "')"), 30,
		'what rests is not available');
	my $uid = $e->sql("SELECT order_uid FROM trade.orders WHERE intent_id = '$rest'");
	$e->sql("SELECT qts.cancel_order('$uid', 'test')");
	$e->until("(SELECT status = 'CANCELLED' FROM trade.orders WHERE order_uid = '$uid')",
		'cancelled');
	is($e->sql("SELECT qts.available_qty('" . $e->position($symbol) . "')"), 70,
		'and available again');
	is(scalar $e->{sim}->requests('order-rvsecncl'), 1, 'one cancel was sent');
	is($e->error("SELECT qts.cancel_order('$uid', 'again')")->{state}, 'QT004',
		'an ended order is not cancelled');

	my $limit = $e->exit_position($symbol, ", 50, 'LMT', 61000");
	$posts++;
	$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE intent_id = '$limit')");
	$e->tick($symbol, 61000);
	$e->until("(SELECT status = 'FILLED' AND avg_fill_price = 61000 FROM trade.order_intents
		WHERE intent_id = '$limit')",
		'a limit trades when the market comes to it');
	$e->exit_position($symbol);
	$posts++;
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE symbol = '$symbol')",
		'the rest is sold');
	closed($symbol, 'MANUAL', 'MANUAL');
	$e->sql("SELECT qts.set_position_exit_mode('" . $e->position('005380') . "', 'DISABLED')");
	is($e->error("SELECT qts.exit('" . $e->position('005380') . "')")->{state}, 'QT008',
		'DISABLED refuses a person too');
	return;
}

test_adoption();
test_stops();
test_profits();
test_floor();
test_pause();
test_manual();
$e->posts_are($posts, 'all stories');
is($e->sql('SELECT count(DISTINCT intent_id), count(*) FROM trade.orders'), "$posts|$posts",
	'one order per intent');
is($e->sql(q{SELECT count(*) FROM trade.exit_signals WHERE is_triggered
	AND intent_id IS NOT NULL}), 10, 'every automatic exit left its signal');
$e->healthy('all stories');
$e->agrees('all stories');
$e->stop;
done_testing();
