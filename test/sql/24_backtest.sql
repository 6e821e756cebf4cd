-- Backtests: ticks and bars, fill model, profiles and changes to them, days, splits, statistics.
\set SHOW_CONTEXT never
\pset null '-'
SET client_min_messages = error;
SET timezone = 'Asia/Seoul';
SET datestyle = 'ISO';
BEGIN;
SELECT system._ensure_range('market.ohlcv_1m', '2026-07-01', '2026-08-01') > 0 AS minutes,
	system._ensure_range('market.prices_ticks', '2026-07-23', '2026-07-24') > 0 AS ticks;
INSERT INTO market.stocks (symbol, name, market) VALUES ('900210', 'Path', 'KOSPI'), ('900220', 'Split', 'KOSDAQ'),
	('900230', 'Halt', 'KOSPI');
CREATE TEMP TABLE bar AS SELECT * FROM market.ohlcv_1m LIMIT 0;
INSERT INTO bar (symbol, ts, open, high, low, close, volume) VALUES
	('900210', '2026-07-23 09:00', 100000, 100000, 100000, 100000, 1000),
	('900210', '2026-07-23 09:01', 100000, 100500, 92000, 99000, 1000),
	('900210', '2026-07-23 09:02', 99000, 99000, 99000, 99000, 1000),
	('900210', '2026-07-23 09:03', 99000, 112000, 99000, 111000, 1000),
	('900210', '2026-07-23 15:30', 110000, 110000, 110000, 110000, 1000),
	('900210', '2026-07-24 09:00', 109000, 109500, 108500, 109000, 1000),
	('900210', '2026-07-24 09:01', 109000, 130000, 108000, 125000, 1000),
	('900210', '2026-07-24 09:02', 125000, 125000, 118000, 118500, 1000),
	('900210', '2026-07-27 09:00', 118500, 118500, 118500, 118500, 1000);
INSERT INTO market.ohlcv_1m SELECT symbol, ts, open, high, low, close, volume, NULL, 'IMPORT' FROM bar;

-- A bar that falls 8 % sells where it passed the stops.
SELECT ts, event, rule, event_qty, left_qty, price, threshold_price, fee, tax
FROM qts.backtest_events('900210', '2026-07-23 09:00', 100);
SELECT bought_ts, bought_price, exit_price, sold_qty, status, reason, pnl, return_pct, fees, taxes, mae_pct, mfe_pct
FROM qts.backtest('900210', '2026-07-23 09:00', 100);
-- Costs are all there is between the money in and out.
SELECT b.pnl = (b.exit_price * b.sold_qty - b.bought_price * b.bought_qty)::bigint - b.fees - b.taxes AS adds_up
FROM qts.backtest('900210', '2026-07-23 09:00', 100) AS b;
-- Up through the profits, trailing over night, out.
SELECT ts, event, rule, phase, event_qty, price, hwm_price, stop_floor_price
FROM qts.backtest_events('900210', '2026-07-23 09:02', 100);
SELECT * FROM qts.backtest_days('900210', '2026-07-23 09:02', 100);
-- Until a moment, it is still open, at the last price.
SELECT exit_ts, sold_qty, status, reason, pnl FROM qts.backtest('900210', '2026-07-23 09:02', 100, until => '2026-07-24');
-- Before the first price and after the last.
SELECT bought_ts, status FROM qts.backtest('900210', '2026-07-22', 100);
SELECT bought_ts, status, pnl FROM qts.backtest('900210', '2026-08-22', 100);
SELECT count(*) AS no_symbol FROM qts.backtest(NULL, '2026-08-22', 100);
-- The fill model.
SELECT exit_price, sold_qty, status FROM qts.backtest('900210', '2026-07-23 09:00', 100, model => '{"slippage_bps": 20}');
SELECT ts, event, rule, event_qty, price FROM qts.backtest_events('900210', '2026-07-23 09:00', 100,
	model => '{"volume_share": 0.03}') LIMIT 6;
SELECT ts, event, rule, price FROM qts.backtest_events('900210', '2026-07-23 09:00', 100, model => '{"latency_ms": 90000}');
-- Which extreme came first decides.
SELECT p.path, b.reason, b.pnl FROM unnest(ARRAY['LOW_FIRST', 'HIGH_FIRST', 'NEAREST']) AS p (path),
	LATERAL qts.backtest('900210', '2026-07-24 09:00', 100, model => jsonb_build_object('path', p.path)) AS b;
-- Changes to a profile, and a sweep over them.
SELECT s.sl AS sl1, t.tp AS tp1, b.reason, b.sold_qty, b.pnl
FROM unnest(ARRAY[-0.02, -0.04]) AS s (sl), unnest(ARRAY[0.06, 0.08]) AS t (tp), LATERAL qts.backtest('900210',
	'2026-07-23 09:02', 100, config => jsonb_build_object('sl1', jsonb_build_object('base_pct', s.sl),
	'tp1', jsonb_build_object('base_pct', t.tp))) AS b ORDER BY 1, 2;
SELECT p.profile_id, b.pnl FROM trade.exit_profiles AS p, LATERAL qts.backtest('900210', '2026-07-23 09:02', 100,
	p.profile_id) AS b WHERE p.profile_id IN ('default_hybrid_v1', 'high_beta', 'low_vol') ORDER BY 1;
-- The same in parallel workers.
SAVEPOINT parallel;
SET LOCAL force_parallel_mode = on;
SELECT p.profile_id, b.pnl FROM trade.exit_profiles AS p, LATERAL qts.backtest('900210', '2026-07-23 09:02', 100,
	p.profile_id) AS b WHERE p.profile_id IN ('default_hybrid_v1', 'high_beta', 'low_vol') ORDER BY 1;
ROLLBACK TO parallel;

-- The future does not matter: later bars change, what was before them stays.
CREATE TEMP TABLE was AS SELECT * FROM qts.backtest_events('900210', '2026-07-23 09:02', 100);
SAVEPOINT future;
UPDATE market.ohlcv_1m SET open = 60000, high = 200000, low = 50000, close = 180000
WHERE symbol = '900210' AND ts > '2026-07-24 09:00:30';
INSERT INTO market.ohlcv_1d (symbol, date, open, high, low, close, volume, source) VALUES ('900210', '2026-07-24', 1, 9, 1, 5, 5, 'IMPORT');
(SELECT * FROM was WHERE ts < '2026-07-24 09:01') EXCEPT SELECT * FROM qts.backtest_events('900210', '2026-07-23 09:02', 100);
SELECT count(*) AS changed FROM (SELECT * FROM qts.backtest_events('900210', '2026-07-23 09:02', 100) EXCEPT SELECT * FROM was) AS c
WHERE c.ts < '2026-07-24 09:01';
SELECT count(*) > 0 AS later FROM (SELECT * FROM qts.backtest_events('900210', '2026-07-23 09:02', 100) EXCEPT SELECT * FROM was) AS c;
ROLLBACK TO future;

-- A split of 1:5: held while nobody confirmed it, carried on when somebody did; adjusted prices know nothing of it.
INSERT INTO market.ohlcv_1m SELECT '900220', ts, open, high, low, close, volume, NULL, 'IMPORT' FROM (VALUES
	('2026-07-23 09:00'::timestamptz, 100000, 100000, 100000, 100000, 1000), ('2026-07-23 15:30', 103000, 103000, 103000, 103000, 1000),
	('2026-07-24 09:00', 20600, 20600, 20600, 20600, 1000), ('2026-07-24 09:01', 20600, 20600, 19300, 19300, 1000))
	AS b (ts, open, high, low, close, volume);
SELECT sold_qty, status, reason, pnl FROM qts.backtest('900220', '2026-07-23 09:00', 100);
INSERT INTO market.corporate_actions (symbol, date, prev_close, base_price, detected_ts) VALUES ('900220', '2026-07-24', 103000, 20600, now());
SELECT sold_qty, status, reason, pnl FROM qts.backtest('900220', '2026-07-23 09:00', 100);
SELECT ts, event, event_qty, price FROM qts.backtest_events('900220', '2026-07-23 09:00', 100);
UPDATE market.corporate_actions SET ratio = 0.2, confirmed_by = 'x', confirmed_ts = now() WHERE symbol = '900220';
SELECT ts, event, rule, cycle, event_qty, left_qty, price FROM qts.backtest_events('900220', '2026-07-23 09:00', 100);
UPDATE market.ohlcv_1m SET open = open / 5, high = high / 5, low = low / 5, close = close / 5
WHERE symbol = '900220' AND ts < '2026-07-24';
SELECT event, rule, cycle, event_qty, price FROM qts.backtest_events('900220', '2026-07-23 09:00', 100);

-- Daily bars, one of a halted day; ATR of the day before scales.
INSERT INTO market.ohlcv_1d (symbol, date, open, high, low, close, volume, source)
SELECT '900230', c.date, 10000, 10200, 9800, 10000, 1000, 'IMPORT' FROM market.calendar AS c
WHERE c.is_open AND c.date BETWEEN '2026-06-15' AND '2026-07-22';
INSERT INTO market.ohlcv_1d (symbol, date, open, high, low, close, volume, source) VALUES
	('900230', '2026-07-23', 0, 0, 0, 10000, 0, 'IMPORT'), ('900230', '2026-07-24', 10000, 10000, 9550, 9600, 1000, 'IMPORT'),
	('900230', '2026-07-27', 9600, 9600, 9100, 9100, 1000, 'IMPORT');
SELECT ts, event, rule, event_qty, price, threshold_price FROM qts.backtest_events('900230', '2026-07-22 09:00', 100, source => '1d');
SELECT * FROM qts.backtest_days('900230', '2026-07-22 09:00', 100, source => '1d');

-- Ticks: the bid decides, requests do not count while the stream is fresh, Naver never does.
INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price, bid_price, ask_price, volume) VALUES
	('2026-07-23 09:00:00', 1, '900210', 'KIS_WS', 100000, 99900, 100000, 10),
	('2026-07-23 09:00:01', 2, '900210', 'KIS_REST', 90000, 90000, 90100, 10),
	('2026-07-23 09:00:01.5', 3, '900210', 'NAVER', 80000, NULL, NULL, NULL),
	('2026-07-23 09:00:02', 4, '900210', 'KIS_WS', 97500, 97000, 97500, 30),
	('2026-07-23 09:00:03', 5, '900210', 'KIS_WS', 97500, 97100, 97500, 30),
	('2026-07-23 09:00:20', 6, '900210', 'KIS_REST', 94000, NULL, NULL, 30),
	('2026-07-23 09:00:30', 7, '900210', 'NAVER', 80000, NULL, NULL, NULL),
	('2026-07-23 09:00:40', 8, '900210', 'KIS_REST', 93900, NULL, NULL, 30);
SELECT ts, event, rule, event_qty, price FROM qts.backtest_events('900210', '2026-07-23 09:00', 100, source => 'ticks');
SELECT * FROM qts.backtest_path('900210', '2026-07-23 09:00', 100, source => 'ticks');

-- Many at once.
CREATE TEMP TABLE entries AS SELECT array_agg((v.symbol, v.ts, 100, v.price)::qts.backtest_entry ORDER BY v.ts) AS list
FROM (VALUES ('900210', '2026-07-23 09:00'::timestamptz, NULL::numeric), ('900210', '2026-07-23 09:02', 99000.5), ('900220', '2026-07-24 09:00', NULL))
	AS v (symbol, ts, price);
SELECT b.entry_no, b.of_symbol, b.of_profile, b.bought_price, b.status, b.reason, b.pnl
FROM entries, LATERAL qts.backtest(list, ARRAY['default_hybrid_v1', 'low_vol']) AS b ORDER BY 1, 3;
SELECT q.* FROM entries, LATERAL qts.backtest_equity(list, 100000000) AS q;
SELECT s.status, s.days, s.trades, s.wins, s.losses, s.win_rate, s.total_pnl, s.profit_factor, s.expectancy, s.open_trades
FROM entries, LATERAL qts.backtest_summary(list, 100000000) AS s;
-- The account ends where the trades end.
SELECT (SELECT q.equity FROM qts.backtest_equity(list, 100000000) AS q ORDER BY q.date DESC LIMIT 1)
	= 100000000 + (SELECT sum(b.pnl) FROM qts.backtest(list) AS b) AS same FROM entries;
SELECT * FROM qts.backtest_equity('{}', 1000);
SELECT status, trades FROM qts.backtest_summary('{}', 1000);

-- Statistics.
SELECT * FROM qts.performance(ARRAY[1000000, 1010000, 1004950, 1015000, 999775, 1020000, 1030200, 1025049],
	ARRAY[1000, 1005, 1001, 1012, 1003, 1010, 1020, 1019]);
SELECT status, days, total_return FROM qts.performance(ARRAY[100, 110]);
SELECT * FROM qts.trade_stats(ARRAY[100, 200, -50, -60, -70, 0, 300, -10], ARRAY[2, 2, 2, 2, 2, 2, 2, 2]);
-- Progress is there while the query runs, and gone with it.
SELECT count(*), min(p.walks), max(p.symbol) FROM generate_series(0, 2) AS g,
	LATERAL qts.backtest('900210', '2026-07-23 09:00'::timestamptz + g * interval '1 minute', 100) AS b,
	LATERAL (SELECT p.walks, p.symbol, b.status FROM qts.backtest_progress AS p OFFSET 0) AS p;
SELECT count(*) FROM qts.backtest_progress;

-- What is wrong is said.
\set VERBOSITY default
CREATE FUNCTION pg_temp.try(statement text) RETURNS TABLE (state text, message text, detail text, hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN QUERY SELECT 'none', '', '', '';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT;
END $$;
SELECT t.* FROM unnest(ARRAY[
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 0)$$,
	$$SELECT FROM qts.backtest('900210', 'infinity', 1)$$,
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, 'nobody')$$,
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, config => '{"sl1": {"base_pct": -3}}')$$,
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, config => '{"sl9": {}}')$$,
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, config => '[]')$$,
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, source => '5m')$$,
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, entry_price => -1)$$,
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, model => '{"slippage": 5}')$$,
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, model => '{"volume_share": 20}')$$,
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, model => '{"path": "BEST"}')$$,
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, model => '3')$$,
	$$SELECT FROM qts.backtest_equity('{}', 0)$$,
	$$SELECT FROM qts.performance(ARRAY[1, NULL, 3])$$,
	$$SELECT FROM qts.performance(ARRAY[1, 2, 3], ARRAY[1])$$,
	$$SELECT FROM qts.trade_stats(ARRAY[1, 2, 3], ARRAY[1])$$,
	$$SELECT FROM qts.replay('00000000-0000-0000-0000-00000000dead')$$]) AS s (statement), LATERAL pg_temp.try(s.statement) AS t;
-- One that failed is not remembered as good.
SELECT t.state FROM generate_series(1, 2) AS g, LATERAL pg_temp.try(
	$$SELECT FROM qts.backtest('900210', '2026-07-23', 1, config => '{"sl9": {}}')$$) AS t;
ROLLBACK;
