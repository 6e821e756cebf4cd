-- Ticks to minutes to days: against bars computed apart, whatever the order and the slices.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS qts;
SET client_min_messages = error;
SET timezone = 'UTC';
SELECT qts.load_defaults();
SELECT plan(21);

SELECT system._ensure_range('market.prices_ticks', '2026-03-02 00:00+09', '2026-03-07 00:00+09');
SELECT system._ensure_range('market.ohlcv_1m', '2026-03-01 00:00+09', '2026-04-01 00:00+09');
INSERT INTO market.stocks (symbol, name, market) VALUES ('990011', 'A', 'KOSPI'), ('990012', 'B', 'KOSPI'), ('990013', 'C', 'KOSPI');

CREATE FUNCTION pg_temp.tick(symbol text, exch text, recv text, price bigint, volume bigint, acml bigint,
	source text DEFAULT 'KIS_WS') RETURNS void LANGUAGE sql AS $$
	INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price, volume, acml_volume, exch_ts)
	SELECT ('2026-03-02 ' || recv || '+09')::timestamptz, 1 + count(*), $1, $7, $4, $5, $6, ('2026-03-02 ' || exch || '+09')::timestamptz
	FROM market.prices_ticks $$;
CREATE FUNCTION pg_temp.bars(symbol text) RETURNS TABLE (bar text) LANGUAGE sql AS $$
	SELECT concat_ws(' ', to_char(qts._kst(o.ts), 'HH24:MI'), open, high, low, close, volume, source)
	FROM market.ohlcv_1m o WHERE o.symbol = $1 ORDER BY o.ts $$;
CREATE FUNCTION pg_temp.roll(symbol text, until text) RETURNS bigint LANGUAGE sql AS $$
	SELECT system._roll_minutes($1, '2026-03-02 00:00+09', ('2026-03-02 ' || $2 || '+09')::timestamptz) $$;

-- By hand.  The stream begins when 1000 are traded already.
SELECT pg_temp.tick('990011', '09:00:01', '09:00:01.2', 100, 5, 1005);
SELECT pg_temp.tick('990011', '09:00:02', '09:00:02.2', 103, 5, 1010);
SELECT pg_temp.tick('990011', '09:00:59', '09:01:00.1', 101, 5, 1015); -- of the minute before
SELECT pg_temp.tick('990011', '09:01:00', '09:01:00.2', 102, 5, 1030); -- ten were lost
SELECT pg_temp.tick('990011', '09:01:10', '09:01:10.2', 999, NULL, 1030, 'NAVER');
SELECT pg_temp.tick('990011', '09:01:10', '09:01:11', 104, NULL, 1040, 'KIS_REST');
SELECT pg_temp.tick('990011', '09:01:10', '09:05:11', 104, NULL, 1040, 'KIS_REST'); -- asked again, nothing traded since
SELECT is(pg_temp.roll('990011', '09:10'), 2::bigint, 'two minutes');
SELECT results_eq($$SELECT * FROM pg_temp.bars('990011')$$, ARRAY['09:00 100 103 100 101 15 TICKS', '09:01 102 102 102 102 25 TICKS'],
	'by exchange time; volume by the day''s total; NAVER and earlier volume left out, REST beside the stream too');
SELECT is(pg_temp.roll('990011', '09:10'), 0::bigint, 'again: nothing changes');
SELECT pg_temp.tick('990011', '09:00:59', '09:30:00', 110, 2, 1017);
SELECT is(pg_temp.roll('990011', '10:00'), 2::bigint, 'a late tick changes its minute and the one after');
SELECT results_eq($$SELECT * FROM pg_temp.bars('990011')$$, ARRAY['09:00 100 110 100 110 17 TICKS', '09:01 102 102 102 102 23 TICKS'],
	'what was late moved from one to the other');
SELECT pg_temp.tick('990011', '09:01:01', '10:01:02', 500, 2, 1032);
SELECT is(pg_temp.roll('990011', '11:00'), 0::bigint, 'more than an hour late counts for nothing');
SELECT pg_temp.tick('990011', '15:00:00', '11:00:00', 105, 2, 1045);
SELECT is(pg_temp.roll('990011', '11:30'), 1::bigint, 'an exchange time far ahead is not believed');
SELECT ok(EXISTS (SELECT FROM pg_temp.bars('990011') WHERE bar = '11:00 105 105 105 105 5 TICKS'), 'the time of receipt is');
UPDATE market.ohlcv_1m SET source = 'IMPORT', close = 102, volume = 1 WHERE symbol = '990011' AND ts = '2026-03-02 09:01+09';
SELECT is(pg_temp.roll('990011', '11:30'), 0::bigint, 'a bar of a better source stays');

-- Days at random: out of order, late, lost, twice; streams and requests.
SELECT setseed(0.4);
CREATE TEMP TABLE trades AS
	SELECT s.symbol, d.day, n, ('2026-03-03 09:00+09'::timestamptz + d.day * interval '1 day' + n * interval '7 seconds'
		+ random() * interval '5 seconds') AS at, 1000 + floor(random() * 100)::bigint AS price, 1 + floor(random() * 20)::bigint AS volume,
		random() AS luck, random() AS delay
	FROM (VALUES ('990012'), ('990013')) s (symbol), generate_series(0, 2) d (day), generate_series(1, 600) n
	WHERE s.symbol = '990012' OR n % 40 = 0;
INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price, volume, acml_volume, exch_ts)
SELECT at + CASE WHEN luck < 0.02 THEN delay * interval '40 minutes' ELSE delay * interval '0.4 seconds' END, n, symbol,
	CASE WHEN luck > 0.8 THEN 'KIS_REST' ELSE 'KIS_WS' END, price, CASE WHEN luck <= 0.8 THEN volume END,
	total, date_trunc('second', at)
FROM (SELECT *, sum(volume) OVER (PARTITION BY symbol, day ORDER BY at) AS total FROM trades) t
WHERE luck NOT BETWEEN 0.5 AND 0.55; -- lost

CREATE FUNCTION pg_temp.slices(width interval) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz := '2026-03-03 00:00+09';
	u timestamptz;
BEGIN
	DELETE FROM market.ohlcv_1m WHERE symbol IN ('990012', '990013');
	WHILE t < '2026-03-06 00:00+09' LOOP
		u := least(t + width * (0.5 + random()), '2026-03-06 00:00+09');
		PERFORM system._roll_minutes(s, t, u) FROM unnest(ARRAY['990012', '990013']) s;
		t := u;
	END LOOP;
END $$;
CREATE TEMP VIEW now_bars AS SELECT symbol, ts, open, high, low, close, volume FROM market.ohlcv_1m WHERE symbol IN ('990012', '990013');
SELECT pg_temp.slices('100 days');
CREATE TEMP TABLE one_pass AS TABLE now_bars;
SELECT cmp_ok((SELECT count(*) FROM one_pass), '>', 200::bigint, 'one pass over three days');
-- The same bars from the trades themselves, with the total before each minute.
CREATE TEMP VIEW ticks AS SELECT t.*, date_trunc('minute', t.exch_ts) AS minute FROM market.prices_ticks t WHERE symbol IN ('990012', '990013');
SELECT set_eq('SELECT symbol, ts, high, low, volume FROM one_pass', $$
	SELECT symbol, minute, high, low, total - base FROM (
		SELECT symbol, minute, max(last_price) FILTER (WHERE source = 'KIS_WS' OR NOT ws) AS high,
			min(last_price) FILTER (WHERE source = 'KIS_WS' OR NOT ws) AS low, max(acml_volume) AS total,
			coalesce(max(max(acml_volume)) OVER (PARTITION BY symbol, minute::date ORDER BY minute
				ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), min(acml_volume - coalesce(volume, 0))) AS base
		FROM (SELECT *, bool_or(source = 'KIS_WS') OVER (PARTITION BY symbol, minute) AS ws FROM ticks) t
		GROUP BY symbol, minute) m WHERE total > base$$, 'equal to bars computed in another way');
SELECT pg_temp.slices('1 minute');
SELECT set_eq('TABLE now_bars', 'TABLE one_pass', 'in slices of about a minute: the same');
SELECT pg_temp.slices('40 seconds');
SELECT set_eq('TABLE now_bars', 'TABLE one_pass', 'of less: the same');
SELECT pg_temp.slices('3 hours');
SELECT set_eq('TABLE now_bars', 'TABLE one_pass', 'of hours: the same');

-- The task itself, from nothing to the end, and then nothing more.
DELETE FROM market.ohlcv_1m WHERE symbol IN ('990012', '990013');
DELETE FROM system.upkeep;
INSERT INTO market.freshness (symbol, source, last_ts, last_price)
	SELECT symbol, 'KIS_WS', max(recv_ts), 1 FROM market.prices_ticks GROUP BY symbol;
CREATE FUNCTION pg_temp.run(task text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	more boolean := true;
	n integer := 0;
BEGIN
	WHILE more LOOP
		EXECUTE format('SELECT more FROM system._upkeep_%s()', task) INTO more;
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;
SELECT cmp_ok(pg_temp.run('minutes'), '>', 1, 'the task takes many slices');
SELECT set_eq('TABLE now_bars', 'TABLE one_pass', 'and comes to the same');
SELECT is(pg_temp.run('minutes'), 1, 'then there is nothing to do');
SELECT pg_temp.run('days');
SELECT set_eq($$SELECT symbol, date, open, high, low, close, volume, source FROM market.ohlcv_1d WHERE symbol IN ('990012', '990013')$$,
	$$SELECT o.symbol, o.day, (array_agg(o.open ORDER BY o.ts))[1] AS open, max(o.high), min(o.low),
		(array_agg(o.close ORDER BY o.ts DESC))[1] AS close, (SELECT max(t.acml_volume) FROM ticks t WHERE t.symbol = o.symbol
			AND qts._kst(t.recv_ts)::date = o.day) AS volume, 'TICKS'
		FROM (SELECT *, qts._kst(ts)::date AS day FROM one_pass) o GROUP BY o.symbol, o.day$$, 'days from minutes, volume from the day''s total');
SELECT is(pg_temp.run('days'), 1, 'once');
-- Once a day, and then not again before the next.
INSERT INTO market.ohlcv_1d (symbol, date, open, high, low, close, volume, source)
SELECT '990013', c.date, 1000, 1010, 990, 1000, 10, 'KIS' FROM (SELECT date FROM market.calendar
	WHERE is_open AND date <= qts._last_closed_day() ORDER BY date DESC LIMIT 20) AS c;
SELECT ok((SELECT rows >= 1 FROM system._upkeep_indicators()), 'indicators after a day''s end');
SELECT is((SELECT rows FROM system._upkeep_indicators()), 0::bigint, 'once');
SELECT * FROM finish();
ROLLBACK;
