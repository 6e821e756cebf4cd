# 051_replay.pl
#		A simulated session whose positions are replayed from what was stored: the rules
#		decide again exactly what they decided then.  And what was tampered with shows.
use strict;
use warnings;
use Test::More;
use QtsTest;

my @symbols = ('005930', '000660', '035720', '051910', '068270', '005380');
my $e = QtsTest->engine(clock => KRX_OPEN,
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 200, avg_price => '100000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 100000,
			price => 100000 } } @symbols ] });
my %price = map { $_ => 100000 } @symbols;

my $looks = $e->metric('qts_exit_evaluations_total');

# Near thresholds, so that a short walk meets many of them.
sub profile
{
	my ($name, $sl1) = @_;
	$e->sql("SELECT qts.save_exit_profile('$name', 'Close', '{
		\"atr\": {\"ref\": 0},
		\"sl1\": {\"base_pct\": $sl1, \"min_pct\": 0, \"max_pct\": 0}, \"sl2\": {\"base_pct\": -0.03, \"min_pct\": 0, \"max_pct\": 0},
		\"tp1\": {\"base_pct\": 0.012, \"min_pct\": 0, \"max_pct\": 0, \"stop_floor_profit\": 0.002},
		\"tp2\": {\"base_pct\": 0.02, \"min_pct\": 0, \"max_pct\": 0}, \"tp3\": {\"base_pct\": 0.03, \"min_pct\": 0, \"max_pct\": 0},
		\"trailing\": {\"pct_trail\": 0.008, \"atr_k\": 0},
		\"custom_rules\": [{\"id\": \"half\", \"condition\": \"profit_above\", \"threshold\": 0.016, \"qty_pct\": 0.5}],
		\"confirm\": {\"ticks\": 2, \"min_sec\": 0}}')");
	return;
}

sub control
{
	my ($mode) = @_;
	$e->sql("SELECT qts.set_exit_mode('$mode', 'test')");
	$e->wait_turn('exit');
	$e->need(q{NOT EXISTS (SELECT FROM trade.order_intents WHERE NOT effect_applied)});
	$looks = $e->metric('qts_exit_evaluations_total');
	return;
}

# Something the exit worker has read.
sub told
{
	my ($sql) = @_;
	$e->sql($sql);
	$e->wait_turn('exit');
	$looks = $e->metric('qts_exit_evaluations_total');
	return;
}

# A print that was looked at, and all it led to is stored; the next one comes at once, when the worker
# has not read again yet what the fills changed.  Of one that is sold nothing is heard any more.
sub look
{
	my ($symbol, $to) = @_;
	return if $e->sql("SELECT NOT EXISTS (SELECT FROM trade.positions WHERE symbol = '$symbol' AND status <> 'CLOSED')") eq 't';
	$price{$symbol} = $to;
	$e->{sim}->price($symbol, $to);
	$e->need("(SELECT m.value FROM qts.metrics AS m WHERE m.name = 'qts_exit_evaluations_total') > $looks
		AND (SELECT p.last FROM qts.price('$symbol') AS p) = $to
		AND NOT EXISTS (SELECT FROM trade.order_intents AS i WHERE NOT i.effect_applied)");
	$looks = $e->metric('qts_exit_evaluations_total');
	return;
}

sub verdicts
{
	return $e->sql(q{SELECT r.verdict, count(*) FROM trade.positions AS p, LATERAL qts.replay(p.position_id) AS r
		GROUP BY 1 ORDER BY 1});
}

profile('close', -0.01);
for my $symbol (@symbols)
{
	my $position = $e->position($symbol);
	$e->sql("SELECT qts.set_position_profile('$position', 'close')");
	look($symbol, 100000);
}
$e->enable(@symbols);
control('RUNNING');

# Two with a story, the others at random; some rules are paused for a while.
look('005930', $_) for 100800, 101200, 101300, 101600, 102000, 102100, 103000, 103500, 102600, 102500;
look('000660', $_) for 100500, 99000, 98900, 99500, 101200, 100300, 100200, 100100;

# Of one the exits are held for a while, another gets a stricter profile.
my $held = $e->position('035720');
told("UPDATE trade.positions SET quarantine_reason = 'test' WHERE position_id = '$held'");
look('035720', $_) for 98900, 98800, 100100;
is($e->sql("SELECT count(*) FROM trade.order_intents WHERE position_id = '$held'"), 0, 'what is quarantined is not sold');
told("SELECT qts.release_position('$held', 'test')");
look('035720', 100000);
profile('tight', -0.005);
told("SELECT qts.set_position_profile('@{[ $e->position('051910') ]}', 'tight')");
look('051910', 99400);
is($e->sql("SELECT string_agg(i.reason_code, ' ') FROM trade.order_intents AS i WHERE i.symbol = '051910'"), 'SL1',
	'a profile chosen while it is held decides');
srand(20261120);
for my $step (1 .. 30)
{
	my $symbol = $symbols[ 2 + int(rand(4)) ];
	my $to = $price{$symbol} + 100 * (int(rand(19)) - 9);
	# a quote that repeats the one before is looked at, and makes no row
	$to += 100 if $to == $price{$symbol};
	control('PAUSE_PROFIT') if $step == 8;
	control('RUNNING') if $step == 18;
	look($symbol, $to);
}
my $decisions = $e->sql(q{SELECT count(*) FROM trade.order_intents WHERE source_module = 'EXIT'});
cmp_ok($decisions, '>=', 8, "the session made $decisions decisions");
cmp_ok($e->sql(q{SELECT count(DISTINCT reason_code) FROM trade.order_intents}), '>=', 4, 'of several rules');
is(verdicts(), "SAME|$decisions", 'all of them are decided again: rule, quantity, price and threshold')
  or diag($e->sql(q{SELECT p.symbol, r.* FROM trade.positions AS p, LATERAL qts.replay(p.position_id) AS r
	WHERE r.verdict <> 'SAME'}));

# What was changed since then is not what was in force then.
profile('close', -0.025);
like(verdicts(), qr/^SAME\|\d+$/, 'a profile saved later changes nothing of what was');

# By hand in between: the rules see what is left.
my ($open) = split /\n/, $e->sql(q{SELECT symbol FROM trade.positions WHERE status = 'OPEN' ORDER BY symbol});
SKIP:
{
	skip 'nothing is held any more', 1 unless $open;
	$e->exit_position($open, ', 1');
	$e->need(q{NOT EXISTS (SELECT FROM trade.order_intents WHERE NOT effect_applied)});
	look($open, 96900);
	look($open, 96800);
	is($e->sql("SELECT string_agg(DISTINCT verdict, ',') FROM qts.replay('" . $e->position($open) . "')"), 'SAME',
		'a sale by hand is taken into account');
}

# A replay can fail: other numbers, other prices.
my $sl1 = $e->sql(q{SELECT position_id FROM trade.order_intents WHERE reason_code = 'SL1' ORDER BY created_ts LIMIT 1});
my $tampered = "BEGIN; SET LOCAL session_replication_role = replica; %s; SELECT DISTINCT verdict FROM qts.replay('$sl1')
	WHERE rule = 'SL1'; ROLLBACK";
is($e->sql(sprintf $tampered, "UPDATE trade.order_intents SET qty = qty - 1, filled_qty = qty - 1
	WHERE position_id = '$sl1' AND reason_code = 'SL1'"), 'DIFFERENT', 'another quantity shows');
is($e->sql(sprintf $tampered, "DELETE FROM market.prices_ticks AS t USING trade.order_intents AS i
	WHERE t.symbol = i.symbol AND i.position_id = '$sl1' AND i.reason_code = 'SL1' AND t.recv_ts
		BETWEEN i.created_ts - interval '1 second' AND i.created_ts"), 'ONLY_LIVE', 'a price that is missing shows');
is($e->sql(sprintf $tampered, "DELETE FROM trade.order_intents WHERE position_id = '$sl1' AND reason_code = 'SL1'"),
	'ONLY_REPLAY', 'a decision that was not made shows');
like($e->sql("BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM system.audit_log WHERE action = 'quarantine';
	SELECT string_agg(verdict, ' ') FROM qts.replay('$held'); ROLLBACK"), qr/ONLY_REPLAY/, 'exits that were not held show');

# The path of a picture, and the picture.
my $position = $e->position('005930');
cmp_ok($e->sql("SELECT count(*) FROM qts.replay_path('$position') WHERE stop_price < price AND price < profit_price"), '>=', 5,
	'the path has the thresholds around the price');
$e->healthy('session');
done_testing();
