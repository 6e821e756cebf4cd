# 050_exits.pl
#		Every trigger that 002 does not know, live, and the incidents of runtime 4.17 by
#		name.  One symbol per story; the day begins before the open.  Quiet prices are looked at
#		once a minute, so that only ticks and the clock's steps confirm anything.
use strict;
use warnings;
use Test::More;
use QtsTest;

# symbol => average price paid
my %held = (
	'100001' => 60000,     # GAP_DOWN
	'100002' => 100000,    # BREAK_EVEN
	'100003' => 100000,    # custom rules
	'100004' => 100000,    # TIME
	'100005' => 70000,     # incident: early take profit
	'100006' => 100000,    # incident: missed stop loss
	'100007' => 100000,    # incident: oversell
	'100008' => 100000,    # incident: endless sells
	'100009' => 50000,     # EMERGENCY
	'100010' => 50000);    # EMERGENCY: exits disabled
my %opens = (%held, '100001' => 70000);
my $e = QtsTest->engine(
	clock => '2026-11-20T08:45:00+09:00',
	# the broker's books would put right what the first incident sets wrong
	conf => { 'qts.balance_interval' => '600s' },
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100, avg_price => "$held{$_}" } } sort keys %held ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => $opens{$_}, price => $opens{$_} } }
			sort keys %held ] });
my %p = map { $_ => $e->position($_) } keys %held;

# Facts of the past that a test cannot wait for; as in a restore, no trigger fires.
sub rewrite
{
	my ($sql) = @_;
	$e->sql("SET session_replication_role = replica; $sql");
	return;
}

# A tick that the exit worker has looked at.
sub look
{
	my ($symbol, $price) = @_;
	my $before = $e->metric('qts_exit_evaluations_total');
	$e->tick($symbol, $price);
	$e->need("(SELECT value > $before FROM qts.metrics WHERE name = 'qts_exit_evaluations_total')");
	return;
}

# Intents of a symbol, oldest first: rule, quantity, status.
sub intents
{
	my ($symbol) = @_;
	return $e->sql("SELECT coalesce(string_agg(concat_ws(' ', reason_code || coalesce(':' || rule_id, ''), qty, status), ', '
		ORDER BY created_ts), '') FROM trade.order_intents WHERE symbol = '$symbol'");
}

sub sold
{
	my ($symbol, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $met = $e->poll("SELECT (SELECT bool_and(effect_applied) AND count(*) > 0 FROM trade.order_intents WHERE symbol = '$symbol')");
	is(intents($symbol), $expected, $name) && $met or $e->report;
	return;
}

sub profile
{
	my ($symbol, $config) = @_;
	$e->sql("SELECT qts.save_exit_profile('p$symbol', 'Test', '$config')");
	$e->sql("SELECT qts.set_position_profile('$p{$symbol}', 'p$symbol')");
	return;
}

sub setup
{
	rewrite("UPDATE trade.positions SET entry_ts = '2026-11-18 10:00+09' WHERE symbol = '100001'");
	rewrite("UPDATE trade.positions SET entry_ts = '2026-11-05 10:00+09' WHERE symbol = '100004'");
	$e->sql("UPDATE market.stocks SET base_price = 70000, limits_date = '2026-11-20', lower_limit = 49000, upper_limit = 91000
		WHERE symbol = '100001'");
	$e->sql("SELECT qts.set_exit_window('OPEN', '-5 minutes', NULL, NULL, 'test')");
	is($e->sql('SELECT string_agg(anchor, $$,$$) FROM trade.exit_windows'), 'CLOSE', 'a window is data, and removed as such');
	profile('100001', '{"gap_down": {"window_sec": 600}}');
	profile('100002', '{"break_even": {"enabled": true}}');
	profile('100003', '{"custom_rules": [{"id": "half_at_4", "condition": "profit_above", "threshold": 0.04, "qty_pct": 0.5},
		{"id": "cut_at_2", "condition": "profit_below", "threshold": -0.02, "qty_pct": 0.3}]}');
	profile('100005', '{"tp1": {"base_pct": 0.03, "min_pct": 0.02, "max_pct": 0.05}}');
	profile('100008', '{"tp3": {"qty_pct": 0}}');
	$e->enable(grep { $_ !~ /^1000(09|10)$/ } sort keys %held);
	$e->sql("SELECT qts.set_position_exit_mode('$p{'100010'}', 'DISABLED')");
	$e->{sim}->set_clock('2026-11-20T09:00:01+09:00');
	$e->follow_clock;
	return;
}

sub test_gap
{
	$e->tick('100001', 66500);
	sold('100001', 'GAP_DOWN 100 FILLED', 'GAP_DOWN: the first price of the day, 5 % below the close');
	is($e->sql("SELECT threshold_price::int, decided_price::int, priority, action_key LIKE '%:1:OPEN:GAP_DOWN'
		FROM trade.order_intents WHERE symbol = '100001'"), '66500|66500|110|t', 'what it was decided on');
	is($e->sql("SELECT exit_reason_code FROM trade.exit_events WHERE symbol = '100001'"), 'GAP_DOWN', 'and the exit event');
	return;
}

sub test_break_even
{
	look('100002', 103000);
	look('100002', 101000);
	is(intents('100002'), '', 'BREAK_EVEN is confirmed first');
	$e->until("(SELECT blocked_by = 'CONFIRMING' FROM qts.explain_exit('$p{'100002'}') WHERE rule = 'BREAK_EVEN')", 'and explained');
	$e->advance(4);
	$e->tick('100002', 100900);
	sold('100002', 'BREAK_EVEN 100 FILLED', 'BREAK_EVEN sells what was once up by 3 % at 1 %');
	return;
}

sub test_custom
{
	$e->tick('100003', 104000);
	sold('100003', 'CUSTOM:half_at_4 50 FILLED', 'CUSTOM: profit_above sells its share');
	like($e->sql("SELECT action_key FROM trade.order_intents WHERE symbol = '100003'"), qr/:1:OPEN:CUSTOM:half_at_4$/,
		'its id stands in the key');
	look('100003', 104500);
	is(intents('100003'), 'CUSTOM:half_at_4 50 FILLED', 'once in a cycle');
	$e->sql("SELECT qts.set_exit_mode('PAUSE_PROFIT', 'test')");
	$e->tick('100003', 98000);
	sold('100003', 'CUSTOM:half_at_4 50 FILLED, CUSTOM:cut_at_2 15 FILLED', 'profit_below acts in PAUSE_PROFIT');
	$e->sql("SELECT qts.set_exit_mode('RUNNING', 'test')");
	is($e->sql("SELECT rule_name FROM trade.exit_signals WHERE position_id = '$p{'100003'}' AND is_triggered ORDER BY ts LIMIT 1"),
		'CUSTOM:half_at_4', 'the signal names it');
	return;
}

sub test_time
{
	$e->tick('100004', 100000);
	sold('100004', 'TIME 100 FILLED', 'TIME: ten trading days are over');
	is($e->sql("SELECT threshold_price IS NULL FROM trade.order_intents WHERE symbol = '100004'"), 't', 'at no price in particular');
	return;
}

# 100 at 70,000 and 50 more at 75,000: at 72,500 the cached average shows +3.57 %, the true one +1.16 %.
sub test_early_take_profit
{
	look('100005', 70000);
	$e->need("(SELECT last_avg_price = 70000 FROM trade.position_state WHERE position_id = '$p{'100005'}')");
	rewrite("UPDATE trade.positions SET qty = 150, avg_price = 71666.6667, version = version + 1 WHERE symbol = '100005'");
	$e->tick('100005', 72500);
	$e->until("(SELECT exit_cycle = 2 FROM trade.position_state WHERE position_id = '$p{'100005'}')",
		'incident "early TP": what was watched is not what is decided on, the new shares begin a cycle');
	is(intents('100005'), '', 'nothing is sold at +1.16 %');
	is($e->sql("SELECT cycle_qty FROM trade.position_state WHERE position_id = '$p{'100005'}'"), 150, 'of all of them');
	rewrite("UPDATE trade.positions SET qty = 100, avg_price = 71666.6667, version = version + 1 WHERE symbol = '100005'");
	return;
}

# The price is old: the stop that is due shows with the next one only.
sub test_missed_stop
{
	look('100006', 99500);
	$e->set_conf('qts.exit_interval' => 200);
	$e->advance(12);
	is($e->sql("SELECT string_agg(DISTINCT blocked_by, ',') FROM qts.explain_exit('$p{'100006'}') WHERE enabled"), 'STALE_PRICE',
		'incident "missed SL": a price of twelve seconds ago decides nothing');
	$e->advance(31);
	$e->until("EXISTS (SELECT FROM system.alerts WHERE code = 'EXIT_STALE' AND severity = 'CRITICAL')", 'and after 30 s it is told');
	is(intents('100006'), '', 'no order on a stale price');
	$e->set_conf('qts.exit_interval' => 60000);
	$e->tick('100006', 95000);
	sold('100006', 'SL2 100 FILLED', 'the next price sells');
	return;
}

# A resting sale of everything holds the shares when the stop comes.
sub test_oversell
{
	look('100007', 100000);
	$e->exit_position('100007', ", 100, 'LMT', 105000");
	$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE symbol = '100007')");
	$e->tick('100007', 95000);
	sold('100007', 'MANUAL 100 CANCELLED, SL2 100 FILLED', 'incident "oversell": what rests is cancelled first');
	is($e->sql("SELECT sum(qty) FROM trade.fills WHERE symbol = '100007' AND side = 'SELL'"), 100, 'a hundred shares were sold');
	return;
}

# TP3 with a share of 0: no share per tick, and the rest trails.
sub test_endless
{
	$e->tick('100008', 107000);
	sold('100008', 'TP1 25 FILLED', 'incident "endless sells": TP1');
	$e->tick('100008', 110000);
	sold('100008', 'TP1 25 FILLED, TP2 25 FILLED', 'TP2');
	is($e->sql("SELECT phase FROM trade.position_state WHERE position_id = '$p{'100008'}'"), 'TRAILING_ACTIVE',
		'without TP3 the rest trails');
	look('100008', $_) for 116000, 116100, 117000, 120000;
	is(intents('100008'), 'TP1 25 FILLED, TP2 25 FILLED', 'no tick sells more');
	return;
}

# A round of samples, and what it said of a moment in the past.
sub test_samples
{
	$e->set_conf('qts.exit_signal_interval' => 1);
	$e->tick('100009', 50600);
	$e->until("EXISTS (SELECT FROM trade.exit_signals WHERE position_id = '$p{'100009'}' AND NOT is_triggered AND price = 50600)",
		'every rule is sampled') or return;
	my $at = $e->sql("SELECT max(ts) FROM trade.exit_signals WHERE position_id = '$p{'100009'}'
		AND price = 50600 AND blocked_by = 'POSITION_MODE'");
	is($e->sql("SELECT string_agg(rule, ' ') FROM qts.explain_exit('$p{'100009'}', at => '$at'::timestamptz + interval '30 seconds')"),
		'HARD_STOP GAP_DOWN SL2 BREAK_EVEN SL1 TP1 TIME', 'in the order of evaluation');
	is($e->sql("SELECT threshold_price::int, threshold_pct, blocked_by FROM qts.explain_exit('$p{'100009'}', at => '$at')
		WHERE rule = 'SL1'"), '48500|-3.0000|POSITION_MODE', 'with what it was then');
	is($e->error("SELECT qts.explain_exit('$p{'100009'}', at => '2026-11-19 12:00+09')")->{state}, 'QT011',
		'of another time nothing is known');
	is($e->sql(q{SELECT count(*) FROM trade.exit_signals s WHERE NOT s.is_triggered AND s.intent_id IS NOT NULL}), 0,
		'a sample makes no intent');
	return;
}

sub test_emergency
{
	is($e->error(q{SELECT qts.emergency_flatten('yes', 'test')})->{state}, 'QT014', 'EMERGENCY wants its word');
	$e->exit_position('100009', ", 40, 'LMT', 60000");
	$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE symbol = '100009')");
	my $live = $e->sql("SELECT count(*) FROM trade.positions WHERE status <> 'CLOSED' AND exit_mode <> 'DISABLED'");
	is($e->sql(q{SELECT qts.emergency_flatten('FLATTEN', 'test')}), $live, 'EMERGENCY: how many are sold');
	$e->until(q{(SELECT count(*) = 0 FROM trade.positions WHERE status <> 'CLOSED' AND exit_mode <> 'DISABLED')},
		'all of them, also what only a person sells');
	like(intents('100009'), qr/^MANUAL 40 CANCELLED, EMERGENCY (?:60 FILLED, EMERGENCY 40|100) FILLED$/,
		'what rested is cancelled, all is sold');
	like($e->sql("SELECT action_key FROM trade.order_intents WHERE symbol = '100009' AND reason_code = 'EMERGENCY'
		ORDER BY created_ts LIMIT 1"), qr/^[0-9a-f-]{36}:1:EMERGENCY$/, 'the key of runtime 13.3');
	is($e->sql("SELECT qty FROM trade.positions WHERE symbol = '100010'"), 100, 'a position whose exits are disabled is left');
	is($e->sql('SELECT emergency_stop FROM system.engine'), 't', 'buys are stopped');
	is($e->sql("SELECT exit_reason_code FROM trade.exit_events WHERE symbol = '100009'"), 'EMERGENCY', 'the exit event');
	$e->sql("SELECT qts.set_exit_mode('RUNNING', 'test')");
	return;
}

# What the engine wrote, through the reports: their own arithmetic against the exit events.
sub test_reports
{
	cmp_ok($e->sql('SELECT count(DISTINCT rule) FROM qts.exit_sales'), '>=', 8, 'the reports know what sold');
	is($e->sql(q{SELECT string_agg(x.symbol, ',') FROM trade.exit_events AS x JOIN (SELECT s.position_id, sum(s.pnl) AS pnl,
			sum(s.qty) AS qty, count(*) AS sales, count(*) FILTER (WHERE s.closed) AS closed FROM qts.exit_sales AS s GROUP BY 1) AS s
			USING (position_id) JOIN trade.positions AS p USING (position_id)
		WHERE s.qty <> x.exit_qty OR s.closed <> 1 OR abs(s.pnl - x.realized_pnl) > s.sales}), '', 'sales add up to the exit events');
	is($e->sql(q{SELECT count(*) FROM trade.exit_events}), $e->sql(q{SELECT sum(exits) FROM qts.rule_results}), 'every exit has its rule');
	is($e->sql(q{SELECT string_agg(DISTINCT rule, ',') FROM qts.exit_sales WHERE profile_version IS NULL}), '', 'and a version of a profile');
	is($e->sql(q{SELECT string_agg(i.reason_code || i.priority, ',') FROM trade.order_intents AS i JOIN trade.positions AS p USING (position_id)
		WHERE i.priority <> qts._rule_severity(i.reason_code, i.threshold_price < p.avg_price)}), '', 'severities are those of the rules');
	return;
}

setup();
test_gap();
test_break_even();
test_custom();
test_time();
test_early_take_profit();
test_missed_stop();
test_oversell();
test_endless();
test_samples();
test_emergency();
test_reports();
$e->healthy('every trigger');
$e->agrees('every trigger');
done_testing();
