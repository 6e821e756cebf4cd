# 043_data.pl
#		The data layer while workers run: caught up after days, killed in the middle,
#		retention beside a reader, clocks that jump, and nights without a write.
use strict;
use warnings;
use Test::More;
use QtsTest;

my $e = QtsTest->new(no_sim => 1, clock => KRX_OPEN,
	conf => { 'qts.notify' => 'on', autovacuum_naptime => '1d', 'qts.database' => 'trading' });

sub monitor_again
{
	my $old = $e->pid('monitor');
	$e->sql("SELECT pg_terminate_backend($old)");
	$e->need("(SELECT pid <> $old AND state = 'RUNNING' FROM qts._workers() WHERE worker = 'monitor')");
	return;
}

sub crash
{
	kill 'KILL', $e->pid('monitor');
	$e->need(q{(SELECT bool_and(state = 'RUNNING') FROM qts.status() WHERE kind = 'worker')});
	return;
}

# Nine trading days of twenty symbols, late and lost ticks among them, while nobody ran.
sub fill
{
	$e->sql(q{
		INSERT INTO market.stocks (symbol, name, market) SELECT to_char(100000 + n, 'FM000000'), 'S' || n, 'KOSPI' FROM generate_series(1, 20) n;
		SELECT system._ensure_range('market.prices_ticks', '2026-11-09 00:00+09', '2026-11-20 23:00+09');
		SELECT setseed(0.7);
		INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price, volume, acml_volume, exch_ts)
		SELECT at + CASE WHEN random() < 0.01 THEN interval '20 minutes' * random() ELSE interval '0.2 s' END, n, symbol, 'KIS_WS',
			1000 + 10 * floor(random() * 50)::bigint, 3, 3 * n, date_trunc('second', at)
		FROM (SELECT s.symbol, n, d + interval '9 hours' + n * interval '20 s' AS at
			FROM market.stocks s, generate_series(1, 300) n,
				generate_series('2026-11-09 00:00+09'::timestamptz, '2026-11-19 00:00+09', '1 day') d
			WHERE s.name LIKE 'S%' AND extract(isodow FROM d AT TIME ZONE 'Asia/Seoul') < 6) t WHERE random() > 0.03;
		INSERT INTO market.freshness (symbol, source, last_ts, last_price)
		SELECT symbol, 'KIS_WS', max(recv_ts), 1 FROM market.prices_ticks GROUP BY symbol;
		SELECT system._ensure_range('market.ohlcv_1m', '2026-11-01 00:00+09', '2026-12-01 00:00+09');
		SELECT sum(system._roll_minutes(symbol, '2026-11-09 00:00+09', '2026-11-21 00:00+09')) FROM market.stocks WHERE name LIKE 'S%';
		CREATE TABLE public.one_pass AS TABLE market.ohlcv_1m;
		DELETE FROM market.ohlcv_1m;
	});
	return;
}

sub caught_up
{
	my $seen = '-infinity';
	for my $kill (1 .. 3)
	{
		$e->need("EXISTS (SELECT FROM system.upkeep WHERE task = 'ohlcv_1m' AND watermark > '$seen')");
		crash();
		$seen = $e->sql(q{SELECT coalesce(max(watermark), '-infinity') FROM system.upkeep WHERE task = 'ohlcv_1m'});
	}
	cmp_ok($e->sql('SELECT count(*) FROM public.one_pass'), '>', 10000, 'a week and more of bars to make');
	$e->until(q{(SELECT target IS NULL AND NOT system._ticks_since(watermark) FROM system.upkeep WHERE task = 'ohlcv_1m')},
		'killed three times, the roll-up is caught up');
	is($e->sql(q{SELECT count(*) FROM ((TABLE market.ohlcv_1m EXCEPT TABLE public.one_pass)
		UNION ALL (TABLE public.one_pass EXCEPT TABLE market.ohlcv_1m)) d}), 0, 'and equals one pass');
	monitor_again();
	$e->until(q{(SELECT watermark = '2026-11-20 00:00+09' FROM system.upkeep WHERE task = 'ohlcv_1d')}, 'the days follow');
	is($e->sql(q{SELECT count(*) || ' ' || min(source) || ' ' || min(volume) || ' ' || max(volume) FROM market.ohlcv_1d
		WHERE volume > 800}), '180 TICKS ' . $e->sql('SELECT min(v) || \' \' || max(v) FROM (SELECT max(acml_volume) AS v
		FROM market.prices_ticks GROUP BY symbol, recv_ts::date) t'), 'one bar per symbol and trading day, whole volume');
	return;
}

# Turns of the monitor pass; the log grows by the commits of heartbeats alone, whose
# table is unlogged.
sub quiet
{
	my ($from, $grown);
	my $rows = q{SELECT string_agg(task || ' ' || xmin, ', ' ORDER BY task) FROM system.upkeep};
	my $before = $e->sql($rows);
	for my $try (1 .. 4)
	{
		$e->sql('CHECKPOINT');
		$e->wait_turn('monitor');
		$from = $e->sql('SELECT pg_current_wal_insert_lsn()');
		my $turns = $e->sql(q{SELECT turns FROM qts._workers() WHERE worker = 'monitor'});
		$e->need("(SELECT turns > $turns + 30 FROM qts._workers() WHERE worker = 'monitor')");
		$grown = $e->sql("SELECT pg_current_wal_insert_lsn() - '$from'");
		last if $grown < 500;
	}
	cmp_ok($grown, '<', 500, 'with nothing to do nothing is written');
	is($e->sql($rows), $before, 'nor any task noted');
	return;
}

# Old days packed: the same ticks through the one function, a fraction of the room.
sub packed
{
	my $all = q{SELECT md5(string_agg(t::text, chr(10) ORDER BY s.symbol, t.recv_ts, t.seq)) FROM market.stocks s,
		qts.ticks(s.symbol, '2026-11-01', '2026-12-01') t};
	$e->sql(q{INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price, bid_price, exch_ts)
		VALUES ('2026-11-09 23:59:59.999999+09', 9223372036854775807, '100001', 'NAVER', 1, 2, '2026-11-09 08:00+09'),
		('2026-11-09 00:00+09', -1, '100001', 'KIS_REST', 9000000000, NULL, NULL)});
	my $ten = q{SELECT count(*) || ' ' || min(t.recv_ts) || ' ' || sum(t.last_price) FROM qts.ticks('100001', '2026-11-09 09:25+09', '2026-11-09 09:35+09') t};
	my ($before, $minutes) = ($e->sql($all), $e->sql($ten));
	like($minutes, qr/^[23]\d /, 'ticks of ten minutes');
	my $bytes = $e->sql(q{SELECT pg_total_relation_size('market.prices_ticks_20261109')});
	$e->sql(q{SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 7, '30 days', '10 days', 'pack')});
	monitor_again();
	$e->until(q{(SELECT at LIKE 'prices_ticks_20261109 %' FROM system.upkeep WHERE task = 'pack') OR
		to_regclass('market.ticks_packed_20261109') IS NOT NULL}, 'packing begins');
	crash();
	$e->until(q{NOT EXISTS (SELECT FROM system._partitions('market.prices_ticks') WHERE to_ts <= '2026-11-10 00:00+09')
		AND EXISTS (SELECT FROM system._partitions('market.ticks_packed') WHERE name = 'ticks_packed_20261109')},
		'killed in the middle: the packed day is in place of the other');
	is($e->sql($all), $before, 'every tick is as it was');
	monitor_again();
	$e->until(q{to_regclass('market.prices_ticks_20261109') IS NULL}, 'and the old table gone');
	cmp_ok($bytes / $e->sql(q{SELECT pg_total_relation_size('market.ticks_packed_20261109')}), '>', 3, 'a third of the room at most');
	is($e->sql($ten), $minutes, 'ten minutes of a packed day');
	is($e->error('UPDATE market.ticks_packed SET symbol = symbol')->{state}, 'QT010', 'packed ticks are append-only too');
	$e->sql(q{SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 7, '30 days', NULL, 'no more')});
	return;
}

sub retention
{
	my $days = q{SELECT string_agg(right(name, 4), ' ' ORDER BY name) FROM system._partitions('market.prices_ticks') WHERE to_ts < '2026-11-15'};
	is($e->sql($days), '1110 1111 1112 1113 1114', 'days before');
	my $reader = $e->{node}->background_psql('trading');
	$reader->query_safe('BEGIN');
	$reader->query_safe(q{SELECT count(*) FROM market.prices_ticks WHERE recv_ts < '2026-11-11 00:00+09'});
	$e->sql(q{SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 7, '7 days', NULL, 'test')});
	monitor_again();
	$e->until(q{EXISTS (SELECT FROM system._partitions('market.prices_ticks') WHERE name = 'prices_ticks_20261110' AND pending)},
		'a reader of the table is waited for');
	is($e->sql(q{SELECT count(*) FROM market.prices_ticks WHERE recv_ts < '2026-11-11 00:00+09'}), 0, 'others read, without the old day');
	is($e->sql(q{SELECT count(*) FROM system.ts_expired}), 1, 'what is to go is noted');
	$e->sql(q{INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price) VALUES ('2026-11-20 09:00+09', 1, '100001', 'NAVER', 1)});
	pass('and write');
	crash();
	eval { $reader->quit };
	$e->until(q{(SELECT min(from_ts) = '2026-11-13 00:00+09' FROM system._partitions('market.prices_ticks'))},
		'killed before it is gone: the next one finishes, and drops what else is old');
	$e->until(q{NOT EXISTS (SELECT FROM system.ts_expired) AND to_regclass('market.prices_ticks_20261110') IS NULL}, 'nothing is left over');
	is($e->sql(q{SELECT count(*) FROM market.ohlcv_1m}), $e->sql('SELECT count(*) FROM public.one_pass'), 'the bars stay');
	return;
}

sub jumps
{
	my $ticks = $e->sql('SELECT count(*) FROM market.prices_ticks');
	$e->sql(q{SELECT qts.advance_clock('400 days')});
	monitor_again();
	$e->until(q{system._is_covered('market.prices_ticks', qts._now(), qts._now() + interval '7 days')
		AND system._is_covered('trade.exit_signals', qts._now(), qts._now() + interval '7 days')}, 'the clock jumps: partitions for then');
	monitor_again();
	$e->wait_turn('monitor') for 1 .. 6;
	is($e->sql('SELECT count(*) FROM market.prices_ticks'), $ticks, 'the newest week there is does not become old by it');
	$e->sql(q{SELECT qts.advance_clock('-400 days')});
	return;
}

sub clash
{
	$e->sql(q{CREATE TABLE market.prices_ticks_20270601 (); SELECT qts.set_clock('2027-06-01 09:00+09')});
	monitor_again();
	$e->until(q{EXISTS (SELECT FROM qts.alerts WHERE code = 'PARTITION_MISSING' AND subject = 'market.prices_ticks')
		AND EXISTS (SELECT FROM qts.alerts WHERE code = 'UPKEEP_FAILED' AND subject = 'partitions')}, 'a partition that cannot be made is told');
	$e->until(q{system._is_covered('trade.exit_signals', qts._now(), qts._now() + interval '7 days')}, 'other tables have theirs');
	like($e->sql(q{SELECT last_error FROM qts.upkeep WHERE task = 'partitions'}), qr/prices_ticks_20270601.*exists/, 'with the reason');
	$e->sql('DROP TABLE market.prices_ticks_20270601');
	monitor_again();
	$e->until(q{system._is_covered('market.prices_ticks', qts._now(), qts._now() + interval '7 days')}, 'the cause removed, it is made');
	return;
}

$e->sql(q{CREATE EXTENSION qts; SELECT qts.set_clock('2026-11-20 10:00+09'); SELECT qts.load_defaults();
	SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 7, '30 days', NULL, 'nothing is packed yet')});
fill();
$e->sql('SELECT qts.activate()');
caught_up();
quiet();
packed();
retention();
jumps();
clash();
done_testing();
