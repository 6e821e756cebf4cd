-- Bars from text: rejects line by line, twice is once, and the better source stays.
\set SHOW_CONTEXT never
SET client_min_messages = notice;
SET timezone = 'America/New_York';
BEGIN;
SELECT * FROM qts.import_daily_bars(E'symbol,date,open,high,low,close,volume\n005930,2026-01-05,100,120,90,110,1000\n'
	'005930,20260106,110,115,105,105,900\n005930,2026-01-07,0,0,0,105,0\n005930,2026-01-08,100,99,90,95,10\n'
	'005930,2026-01-09,100,120,101,110,10\n5930,2026-01-09,100,120,90,110,10\n005930,2026-01-12,100.5,120,90,110,10\n'
	'005930,2026-13-01,100,120,90,110,10\n005930,2026-01-13,100,120,90,110,\n005930,2026-01-14,100,120,90,110,-1\n'
	'005930,2026-01-06,110,115,104,105,900\n');
SELECT * FROM market.ohlcv_1d ORDER BY symbol, date;
SELECT * FROM qts.import_daily_bars(E'symbol,date,open,high,low,close,volume,value\n005930,2026-01-05,100,120,90,110,1000,\n'
	'005930,2026-01-06,110,116,104,105,900,99000\n');
UPDATE market.ohlcv_1d SET source = 'KIS' WHERE date = '2026-01-06';
SELECT * FROM qts.import_daily_bars(E'symbol,date,open,high,low,close,volume\n005930,2026-01-05,100,120,90,110,1001\n'
	'005930,2026-01-06,110,117,104,105,900\n005930,2026-01-06,110,117,104,105,900\n');
SELECT * FROM qts.import_daily_bars(E'symbol,date,open,high,low,close,volume\n005930,2026-01-06,110,117,104,105,900\n', true);
SELECT * FROM market.ohlcv_1d ORDER BY symbol, date;
-- Too many rejects are counted.
SELECT count(*), max(line), max(reason) FILTER (WHERE line IS NULL) FROM qts.import_daily_bars(
	E'symbol,date,open,high,low,close,volume\n' || (SELECT string_agg('005930,2026-01-05,1,1,1,0,1', E'\n') FROM generate_series(1, 5000)));
ROLLBACK;

BEGIN;
SELECT * FROM qts.import_minute_bars(E'symbol,ts,open,high,low,close,volume\n005930,2025-12-30T09:00:00+09:00,100,120,90,110,1000\n'
	'005930,2025-12-30 09:01,105,105,102,102,0\n005930,2026-01-01T00:00:00+09:00,1,1,1,1,1\n005930,2025-12-30T09:02:30+09:00,1,1,1,1,1\n'
	'005930,2025-12-30T09:03,0,0,0,110,0\n005930,soon,1,1,1,1,1\n000660,2025-12-30T00:01:00Z,20025,20050,20025,20050,7\n'
	'000660,1979-12-30T00:01:00Z,1,1,1,1,7\n');
SELECT symbol, timezone('Asia/Seoul', ts) AS ts, open, high, low, close, volume, source, tableoid::regclass FROM market.ohlcv_1m ORDER BY 1, 2;
SELECT * FROM qts.import_minute_bars(E'symbol,ts,open,high,low,close,volume\n005930,2025-12-30T09:00,100,120,90,110,1000\n'
	'005930,2025-12-30T09:01,105,105,102,103,0\n');
UPDATE market.ohlcv_1m SET source = 'TICKS' WHERE close = 103;
SELECT * FROM qts.import_minute_bars(E'symbol,ts,open,high,low,close,volume\n005930,2025-12-30T09:01,105,105,102,104,0\n');
SELECT * FROM qts.import_minute_bars(E'symbol,ts,open,high,low,close,volume\n005930,2025-12-30T09:01,105,105,102,104,0\n', true);
SELECT close, source FROM market.ohlcv_1m WHERE low = 102;
ROLLBACK;

-- Files: for those who may read them, and only files.
SELECT * FROM qts.import_file('bars', '/dev/null');
\echo :SQLSTATE
SELECT * FROM qts.import_file('daily_bars', '/dev/zero');
\echo :SQLSTATE
SELECT * FROM qts.import_file('daily_bars', '/nonexistent/file.csv');
\echo :SQLSTATE
BEGIN;
CREATE ROLE qtstest_clerk;
GRANT qts_admin TO qtstest_clerk;
SET ROLE qtstest_clerk;
SELECT count(*) FROM qts.import_daily_bars(E'symbol,date,open,high,low,close,volume\n005930,2026-01-05,100,120,90,110,1000\n');
SELECT * FROM qts.import_file('daily_bars', 'postgresql.conf');
ROLLBACK;
