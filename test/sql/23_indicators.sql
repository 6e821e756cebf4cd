-- ATR14 from daily bars, its copy in positions, and corporate actions.
\set SHOW_CONTEXT never
SET client_min_messages = error;
BEGIN;
-- The engine's day is 2026-11-20; bars of 19 trading days before it.
CREATE FUNCTION pg_temp.days(n integer, until date) RETURNS SETOF date LANGUAGE sql AS $$
	SELECT d.date FROM (SELECT c.date FROM market.calendar AS c WHERE c.is_open AND c.date <= until
		ORDER BY c.date DESC LIMIT n) AS d ORDER BY 1 $$;
CREATE TEMP VIEW today AS SELECT (timezone('Asia/Seoul', qts._now()))::date AS date;
CREATE TEMP TABLE day AS SELECT date, row_number() OVER (ORDER BY date DESC) AS back
	FROM pg_temp.days(20, (SELECT date - 1 FROM today)) AS date;
INSERT INTO market.calendar (date, is_open) SELECT date, true FROM today ON CONFLICT (date) DO UPDATE SET is_open = true;
INSERT INTO market.stocks (symbol, name, market) VALUES ('900110', 'Steady', 'KOSPI'), ('900120', 'Split', 'KOSPI'), ('900130', 'Short', 'KOSPI');
INSERT INTO market.ohlcv_1d (symbol, date, open, high, low, close, volume, source)
	SELECT s, date, 10000, 10100, 9900, 10000, 5, 'IMPORT' FROM day, unnest(ARRAY['900110', '900120']) AS s;
INSERT INTO market.ohlcv_1d (symbol, date, open, high, low, close, volume, source)
	SELECT '900130', date, 10000, 10100, 9900, 10000, 5, 'KIS' FROM day WHERE back <= 10;
-- Halted the day before yesterday.
UPDATE market.ohlcv_1d SET open = 0, high = 0, low = 0, volume = 0 WHERE symbol = '900110' AND date = (SELECT date FROM day WHERE back = 2);
INSERT INTO trade.accounts (account_id, environment) VALUES ('20000000-01', 'paper');
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts, exit_mode) VALUES
	('00000000-0000-0000-0000-0000000000a1', '20000000-01', '900110', 10, 10, 8000, now(), 'ENABLED'),
	('00000000-0000-0000-0000-0000000000a2', '20000000-01', '900120', 10, 10, 10000, now(), 'ENABLED'),
	('00000000-0000-0000-0000-0000000000a3', '20000000-01', '900130', 10, 10, 10000, now(), 'ENABLED');
INSERT INTO trade.position_state (position_id, phase, hwm_price, stop_floor_price, last_avg_price, base_avg_price, last_qty)
	SELECT position_id, 'TP1_DONE', 10500, 10060, 10000, 10000, 10 FROM trade.positions WHERE account_id = '20000000-01';
INSERT INTO market.prices_best (symbol, best_price, best_source, best_ts, updated_ts)
	VALUES ('900110', 10050, 'KIS_WS', qts._now(), qts._now());
SELECT qts.refresh_indicators((SELECT date FROM day WHERE back = 1)) >= 3 AS done;
SELECT symbol, close, prev_close, atr14, atr_bars, date = (SELECT date FROM day WHERE back = 1) AS yesterday
FROM market.indicators WHERE symbol LIKE '9001%' ORDER BY 1;
SELECT p.symbol, s.atr_pct FROM trade.position_state AS s JOIN trade.positions AS p USING (position_id) WHERE p.symbol LIKE '9001%' ORDER BY 1;
SELECT prev_close FROM market.prices_best WHERE symbol = '900110';
SELECT qts.previous_close('900110'), qts.previous_close('900110', '1999-01-01') AS none;
-- The day of a default: the last one that is over.
SAVEPOINT hours;
UPDATE market.calendar SET is_open = false WHERE date >= (SELECT date FROM today);
SELECT qts._last_closed_day() = (SELECT date FROM day WHERE back = 1) AS yesterday;
ROLLBACK TO hours;
-- Again: the same.
SELECT qts.refresh_indicators((SELECT date FROM day WHERE back = 1)) >= 3 AS done;
SELECT count(*) FROM market.indicators WHERE symbol LIKE '9001%';

-- The base price of today: as the close was, then half of it.
UPDATE market.stocks SET base_price = 10000, lower_limit = 7000, upper_limit = 13000, limits_date = (SELECT date FROM today)
WHERE symbol LIKE '9001%';
SELECT count(*) AS actions FROM market.corporate_actions;
UPDATE market.stocks SET base_price = 5000, lower_limit = 3500, upper_limit = 6500 WHERE symbol = '900120';
UPDATE market.stocks SET base_price = 5010, lower_limit = 3500, upper_limit = 6500 WHERE symbol = '900120';
SELECT symbol, prev_close, base_price, ratio, date = (SELECT date FROM today) AS today FROM market.corporate_actions;
SELECT symbol, quarantine_reason IS NOT NULL AS held FROM trade.positions WHERE symbol LIKE '9001%' ORDER BY 1;
SELECT severity, code, subject, count FROM system.alerts WHERE code = 'CORPORATE_ACTION';
SELECT qts._atr_pct('900120', 5000) AS not_across_it, qts._atr_pct('900110', 10000) AS others;
-- A tick that implies another base price says so as well; Naver's word is not enough.
SAVEPOINT refused;
UPDATE market.prices_best SET prev_close = 4000, best_source = 'NAVER' WHERE symbol = '900110';
SELECT count(*) AS by_naver FROM market.corporate_actions WHERE symbol = '900110';
UPDATE market.prices_best SET prev_close = 4010, best_source = 'KIS_WS' WHERE symbol = '900110';
SELECT prev_close, base_price FROM market.corporate_actions WHERE symbol = '900110';
ROLLBACK TO refused;
-- A close of our own ticks may lack the closing auction.
UPDATE market.ohlcv_1d SET source = 'TICKS' WHERE symbol = '900110';
UPDATE market.prices_best SET prev_close = 4020, best_source = 'KIS_WS' WHERE symbol = '900110';
SELECT count(*) AS by_ticks FROM market.corporate_actions WHERE symbol = '900110';
UPDATE market.ohlcv_1d SET open = 3000, high = 3000, low = 3000, close = 3000, source = 'KIS' WHERE symbol = '900110';
SELECT count(*) AS by_correction FROM market.corporate_actions WHERE symbol = '900110';
ROLLBACK TO refused;
-- Yesterday's bar stored again in adjusted prices hides the jump, and tells it.
UPDATE market.ohlcv_1d SET close = 10050 WHERE symbol = '900110' AND date = (SELECT date FROM day WHERE back = 1);
SELECT count(*) AS corrected FROM market.corporate_actions WHERE symbol = '900110';
UPDATE market.ohlcv_1d SET open = 2000, high = 2020, low = 1980, close = 2000 WHERE symbol = '900110' AND volume > 0;
SELECT prev_close, base_price FROM market.corporate_actions WHERE symbol = '900110';
SELECT quarantine_reason IS NOT NULL AS held FROM trade.positions WHERE symbol = '900110';
ROLLBACK TO refused;
SELECT qts.confirm_corporate_action('900120', (SELECT date FROM today), 0);
\echo :SQLSTATE
ROLLBACK TO refused;
SELECT qts.confirm_corporate_action('900110', '2026-01-02', 0.5);
\echo :SQLSTATE
ROLLBACK TO refused;
-- A person confirms; the broker has the new quantity by then.
UPDATE trade.positions SET qty = 20, avg_price = 5000 WHERE position_id = '00000000-0000-0000-0000-0000000000a2';
SELECT qts.confirm_corporate_action('900120', (SELECT date FROM today), 0.5, reason => 'two for one');
SELECT s.phase, s.exit_cycle, s.hwm_price, s.stop_floor_price, s.last_avg_price, s.atr_pct, p.quarantine_reason IS NOT NULL AS held
FROM trade.position_state AS s JOIN trade.positions AS p USING (position_id) WHERE p.symbol = '900120';
SELECT qts.confirm_corporate_action('900120', (SELECT date FROM today), 0.5, release => true);
SELECT s.exit_cycle, p.quarantine_reason IS NOT NULL AS held
FROM trade.position_state AS s JOIN trade.positions AS p USING (position_id) WHERE p.symbol = '900120';
-- Today's bar is in new prices: the series goes on over the split.
INSERT INTO market.ohlcv_1d (symbol, date, open, high, low, close, volume, source)
	SELECT '900120', date, 5000, 5050, 4950, 5000, 5, 'KIS' FROM today;
SELECT qts.refresh_indicators((SELECT date FROM today)) >= 3 AS done;
SELECT close, prev_close, atr14, atr_bars FROM market.indicators WHERE symbol = '900120' ORDER BY date DESC LIMIT 1;
-- History loaded again in new prices needs no ratio.
UPDATE market.ohlcv_1d SET open = 5000, high = 5050, low = 4950, close = 5000 WHERE symbol = '900120';
SELECT qts.refresh_indicators((SELECT date FROM today)) >= 3 AS done;
SELECT atr14, atr_bars FROM market.indicators WHERE symbol = '900120' ORDER BY date DESC LIMIT 1;
-- Not confirmed: the series begins anew on that day.
UPDATE market.corporate_actions SET ratio = NULL, confirmed_ts = NULL, confirmed_by = NULL;
SELECT qts.refresh_indicators((SELECT date FROM today)) >= 3 AS done;
SELECT atr14, atr_bars FROM market.indicators WHERE symbol = '900120' ORDER BY date DESC LIMIT 1;
ROLLBACK;
