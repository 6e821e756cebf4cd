# 052_backtest.pl
#		Backtests over made-up months with gaps, halts and splits, and over real bars where
#		DATA names a directory with them: daily/*.csv.gz, minute/*.csv.gz.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use QtsTest;

my $e = QtsTest->new(no_sim => 1, conf => { 'qts.enabled' => 'off', fsync => 'off' });
$e->install;

open my $fh, '<', dirname(__FILE__) . '/lib/year.sql' or die "year.sql: $!";
my $year = do { local $/; <$fh> };
close $fh;
my ($rc, $out, $err) = $e->{node}->psql($e->{db}, $year,
	extra_params => [ map { ('-v', $_) } 'symbols=10', 'seed=7', 'from=2025-05-01', 'to=2025-07-31' ]);
is($rc, 0, 'three months of ten symbols are made') or diag($err);
cmp_ok($e->sql('SELECT count(*) FROM market.ohlcv_1m'), '>', 200_000, 'some hundred thousand bars');

$e->sql(q{CREATE TABLE public.entries AS SELECT s.symbol, timezone('Asia/Seoul', c.date + time '09:31') AS ts
	FROM market.stocks AS s, (SELECT date, row_number() OVER (ORDER BY date) AS n FROM market.calendar
		WHERE is_open AND date BETWEEN '2025-05-01' AND '2025-07-25') AS c WHERE c.n % 4 = 1});
$e->sql(q{CREATE TABLE public.results AS SELECT e.ts, b.* FROM public.entries AS e, LATERAL qts.backtest(e.symbol, e.ts, 100) AS b});
my $n = $e->sql('SELECT count(*) FROM public.entries');
is($e->sql('SELECT count(*) FROM public.results'), $n, "one result for each of $n entries");
is($e->sql(q{SELECT count(*) FROM (SELECT e.ts, b.* FROM public.entries AS e, LATERAL qts.backtest(e.symbol, e.ts, 100) AS b
	EXCEPT SELECT * FROM public.results) AS d}), 0, 'a second run gives the same');
is($e->sql(q{SELECT count(*) FROM (SELECT b.of_symbol, b.bought_ts, b.exit_ts, b.pnl FROM qts.backtest((SELECT
	array_agg((symbol, ts, 100, NULL)::qts.backtest_entry ORDER BY ts DESC) FROM public.entries)) AS b
	EXCEPT SELECT of_symbol, bought_ts, exit_ts, pnl FROM public.results) AS d}), 0, 'an array of them, in another order, too');
is($e->sql(q{SELECT count(*) FROM public.results WHERE status = 'CLOSED'
	AND pnl IS DISTINCT FROM round(exit_price * sold_qty - bought_price * bought_qty)::bigint - fees - taxes
	AND abs(pnl - (exit_price * sold_qty - bought_price * bought_qty - fees - taxes)) > 100 AND of_symbol <> '700010'}), 0, 'results add up');
cmp_ok($e->sql(q{SELECT count(*) FROM public.results WHERE of_symbol = '700005' AND status = 'FROZEN'}), '>', 0,
	'a split nobody confirmed freezes');
is($e->sql(q{SELECT count(*) FROM public.results WHERE of_symbol <> '700005' AND status = 'FROZEN'}), 0, 'and nothing else does');
is($e->sql(q{SELECT count(*) FROM public.results WHERE return_pct < -15}), 0, 'no split is sold as a crash');

# Every sale is at a price that was traded in its minute, or a tick below its low.
$e->sql(q{CREATE TABLE public.fills AS SELECT e.symbol, v.* FROM public.entries AS e,
	LATERAL qts.backtest_events(e.symbol, e.ts, 100) AS v WHERE v.event = 'FILL'});
is($e->sql(q{SELECT count(*) FROM public.fills AS f LEFT JOIN market.ohlcv_1m AS b
	ON b.symbol = f.symbol AND b.ts = date_bin('1 minute', f.ts, '2000-01-01') WHERE b.symbol IS NULL
	OR f.price NOT BETWEEN b.low AND b.high}), 0, 'every sale is at a price of its minute');
cmp_ok($e->sql(q{SELECT count(DISTINCT rule) FROM public.fills}), '>=', 4, 'several rules sold');
is($e->sql(q{SELECT count(*) FROM public.fills AS f JOIN market.ohlcv_1d AS d ON d.symbol = f.symbol
	AND d.date = (timezone('Asia/Seoul', f.ts))::date WHERE d.open = 0}), 0, 'nothing is sold on a halted day');
is($e->sql(q{SELECT q.equity FROM qts.backtest_equity((SELECT array_agg((symbol, ts, 100, NULL)::qts.backtest_entry)
	FROM public.entries), 1000000000) AS q ORDER BY q.date DESC LIMIT 1}),
	$e->sql('SELECT 1000000000 + sum(pnl) FROM public.results'), 'the account ends where the trades end');
my ($svg, $sold, $nights) = split /\|/, $e->sql(q{SELECT qts.backtest_svg(x.symbol, x.ts, 100), x.qty, x.nights FROM (SELECT r.of_symbol
	AS symbol, r.ts, r.sold_qty AS qty, (SELECT count(*) - 1 FROM market.calendar AS c WHERE c.is_open AND c.date BETWEEN
	(timezone('Asia/Seoul', r.ts))::date AND (timezone('Asia/Seoul', r.exit_ts - interval '1 second'))::date) AS nights
	FROM public.results AS r WHERE r.of_symbol = '700001' AND r.status = 'CLOSED' ORDER BY nights DESC, r.ts LIMIT 1) AS x});
like($svg, qr{^<svg .*<path .*<circle .*</svg>$}s, 'one is drawn');
cmp_ok($nights, '>', 1, 'it lasted some days');
cmp_ok(scalar(() = $svg =~ /stroke-dasharray="1 3"/g), '>=', $nights, 'each night, and each gap of an hour, is drawn short');
is(scalar(grep { $_ < 0 || $_ > 960 } $svg =~ /(?:[MLH]|\bx=")(-?[\d.]+)/g), 0, 'nothing is outside of the picture');
my $marks = 0;
$marks += $1 while $svg =~ m{>(?!BUY)\w+ (\d+)</text>}g;
is($marks, $sold, 'every share sold has its mark');

SKIP:
{
	my $data = $ENV{DATA};
	skip 'DATA names no directory of bars', 7 unless $data && -d "$data/minute" && -d "$data/daily";
	$e->sql('TRUNCATE public.entries');
	$e->sql("SELECT count(*) FROM qts.import_file('minute_bars', '$data/minute/krx_1min_2025-12.csv.gz')");
	$e->sql("SELECT count(*) FROM qts.import_file('daily_bars', '$data/daily/krx_unadjusted_2026-01-02_2026-02-20.csv.gz')");
	cmp_ok($e->sql(q{SELECT count(*) FROM market.ohlcv_1m WHERE symbol NOT LIKE '7000%'}), '>', 200_000, 'real minutes');
	$e->sql(q{INSERT INTO public.entries SELECT symbol, min(ts) FROM market.ohlcv_1m WHERE ts >= '2025-12-01' AND symbol NOT LIKE '7000%'
		GROUP BY symbol, (timezone('Asia/Seoul', ts))::date});
	my $real = $e->sql('SELECT count(*) FROM public.entries');
	$e->sql('TRUNCATE public.results');
	$e->sql('INSERT INTO public.results SELECT e.ts, b.* FROM public.entries AS e, LATERAL qts.backtest(e.symbol, e.ts, 100) AS b');
	is($e->sql('SELECT count(*) FROM public.results'), $real, "$real real symbol-days have a result each");
	# A minute without volume is no price; no other cause keeps one out, and none that waits for it is bought later.
	$e->sql(q{CREATE TABLE public.traded AS SELECT r.*, (SELECT min(m.ts) FROM market.ohlcv_1m AS m WHERE m.symbol = r.of_symbol
		AND m.ts >= r.ts AND m.volume > 0) AS first_ts FROM public.results AS r});
	is($e->sql(q{SELECT string_agg(of_symbol, ',') FROM public.traded WHERE (status = 'NOT_ENTERED') <> (first_ts IS NULL)}), '',
		'not entered are those after which nothing was traded, and only they');
	is($e->sql(q{SELECT string_agg(of_symbol, ',') FROM public.traded WHERE bought_ts NOT BETWEEN first_ts AND first_ts + interval '1 minute'}), '',
		'the others are bought in the first minute that traded');
	# of some days only a few minutes are known: what the price did in between looks like a split, and is held
	is($e->sql(q{SELECT string_agg(t.of_symbol, ',') FROM public.traded AS t, LATERAL (SELECT m.open FROM market.ohlcv_1m AS m
		WHERE m.symbol = t.of_symbol AND m.volume > 0 AND m.ts >= timezone('Asia/Seoul', ((timezone('Asia/Seoul', t.exit_ts))::date + 1)::timestamp)
		ORDER BY m.ts LIMIT 1) AS n, LATERAL (SELECT m.close FROM market.ohlcv_1m AS m WHERE m.symbol = t.of_symbol AND m.volume > 0
		AND m.ts < timezone('Asia/Seoul', ((timezone('Asia/Seoul', t.exit_ts))::date + 1)::timestamp) ORDER BY m.ts DESC LIMIT 1) AS l
		WHERE t.status = 'FROZEN' AND n.open BETWEEN 0.7 * l.close AND 1.3 * l.close}), '', 'what is frozen met a price beyond the daily limits');
	is($e->sql(q{SELECT string_agg(DISTINCT b.status, ',' ORDER BY b.status) FROM unnest(ARRAY['406820', '373170', '482630', '059120']) AS s (symbol),
		LATERAL qts.backtest(s.symbol, '2026-01-05 09:00+09', 100, config => '{"hardstop": {"enabled": false}, "sl1": {"qty_pct": 0},
			"sl2": {"qty_pct": 0}, "tp1": {"qty_pct": 0}, "tp2": {"qty_pct": 0}, "tp3": {"qty_pct": 0},
			"time_stop": {"max_hold_days": 0, "no_momentum_days": 0}, "gap_down": {"enabled": false}}', source => '1d') AS b}),
		'FROZEN', 'four splits of early 2026 are recognised, held into with all rules off');
	cmp_ok($e->sql(q{SELECT count(*) FROM (SELECT DISTINCT symbol FROM market.ohlcv_1d WHERE open = 0 AND date >= '2026-01-01' LIMIT 50) AS h,
		LATERAL qts.backtest(h.symbol, '2026-01-02 09:00+09', 10, source => '1d') AS b}), '>=', 20, 'halted stocks do no harm');
}
done_testing();
