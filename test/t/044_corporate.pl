# 044_corporate.pl
#		F28, G-09: a split overnight looks like a crash.  The first tick of the day is
#		stored with a hold on the exits of its symbol, so that no stop sells on it.
use strict;
use warnings;
use Test::More;
use QtsTest;

my ($split, $crash) = (SAMSUNG, HYNIX);
my $e = QtsTest->engine(
	clock => KRX_OPEN,
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100, avg_price => '140000' } } $split, $crash ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000, price => 70000 } } $split, $crash ] });
my $sim = $e->{sim};
my $today = q{(timezone('Asia/Seoul', qts._now()))::date};

# Yesterday the split one closed at twice today's base price; nothing is known of the other.
$e->sql("INSERT INTO market.ohlcv_1d (symbol, date, open, high, low, close, volume, source)
	SELECT '$split', max(c.date), 140000, 141000, 139000, 140000, 1000, 'KIS' FROM market.calendar AS c
	WHERE c.is_open AND c.date < $today");
$e->sql("INSERT INTO market.prices_best (symbol, best_price, best_source, best_ts, updated_ts, prev_close)
	SELECT s, 140000, 'KIS_WS', qts._now() - interval '1 day', qts._now() - interval '1 day', 139000
	FROM unnest(ARRAY['$split', '$crash']) AS s
	ON CONFLICT (symbol) DO UPDATE SET prev_close = excluded.prev_close");
$e->enable($split, $crash);
$e->tick($split, 70000);
$e->until("EXISTS (SELECT FROM system.alerts WHERE code = 'CORPORATE_ACTION' AND subject = '$split' AND severity = 'CRITICAL')",
	'F28: the base price of a split is noticed');
$e->tick($crash, 70000);
$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE symbol = '$crash')", 'the one that crashed is sold');
$e->tick($split, 69900);
$e->wait_turn('exit');
is($e->sql("SELECT count(*) FROM trade.order_intents WHERE symbol = '$split'"), 0, 'the one that was split is not');
is($e->sql("SELECT prev_close || ' ' || base_price FROM market.corporate_actions WHERE symbol = '$split'"), '140000 70000',
	'what happened is stored');

# The broker books the new shares; a person confirms; the stop is that of the new average price.
my $position = $e->position($split);
$e->sql("SELECT qts.confirm_corporate_action('$split', $today, 0.5, reason => 'two for one')");
$e->tick($split, 70000);
$e->wait_turn('exit');
is($e->sql("SELECT count(*) FROM trade.order_intents WHERE symbol = '$split'"), 0, 'still held: its average price is the old one');
$e->sql("SELECT qts.release_position('$position', 'test: sold after all')");
# it may be sold already, and is not followed then
$sim->price($split, 69900);
$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE symbol = '$split')", 'released it is sold like any other');
$e->healthy('corporate action');

done_testing();
