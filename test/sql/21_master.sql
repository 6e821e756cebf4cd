-- Imports of days and stocks: what is taken, what is rejected, and why.
\set SHOW_CONTEXT never
SET client_min_messages = notice;
BEGIN;
SELECT * FROM qts.import_calendar(E'date,kind,open,close,name,certainty\n2028-01-03,late_open,10:00,,"first, late",published\n'
	'2028-01-04,closed,,,storm,\n2028-01-05,half,,,,\n2028-02-30,closed,,,,\n2028-01-06,closed,10:00,,,\n'
	'2028-01-07,shifted,16:00,,,\n2028-01-10,shifted,9am,,,\n2028-01-11,"open,,,,\n2028-01-12,open\n2028-01-13,open,,,,\n');
SELECT * FROM market.calendar WHERE date >= '2028-01-01' ORDER BY date;
-- Again: nothing changes; a JSON array says the same.
SELECT * FROM qts.import_calendar(E'date,kind,open,name\n2028-01-03,late_open,10:00,"first, late"\n');
SELECT * FROM qts.import_calendar('[{"date": "2028-01-03", "is_open": true, "open": "10:00", "note": "first, late"},
	{"date": "2028-01-14", "is_open": false, "note": "say \"no\""}, 7, {"date": "2028-01-17"}]', 'json');
SELECT date, is_open, note FROM market.calendar WHERE date = '2028-01-14';
-- What the broker closed stays closed.
UPDATE market.calendar SET source = 'KIS', is_open = false WHERE date = '2028-01-13';
SELECT * FROM qts.import_calendar(E'date,kind\n2028-01-13,open\n');
SELECT * FROM qts.import_calendar(E'date,kind\n2028-01-13,open\n', overwrite => true);
SELECT is_open, source FROM market.calendar WHERE date = '2028-01-13';
ROLLBACK;
SELECT * FROM qts.import_calendar(E'day,kind\n2028-01-13,open\n');
\echo :SQLSTATE
SELECT * FROM qts.import_calendar('');
\echo :SQLSTATE
SELECT * FROM qts.import_calendar('{}', 'json');
\echo :SQLSTATE
SELECT * FROM qts.import_calendar('x', 'xml');
\echo :SQLSTATE

BEGIN;
SELECT * FROM qts.import_stocks(E'\ufeffSymbol,name,market,sector,listed,unknown\r\n900010,Alpha,KOSPI,"Paper, pulp",1976-06-26,x\r\n'
	'900020,Beta,KOSDAQ,,,\r\nQ90001,No,KOSPI,,,\r\n900030,,KOSPI,,,\r\n900040,Delta,NYSE,,,\r\n900050,Epsilon,KOSPI,,1976-06-31,\r\n'
	'\r\nQ900060,"A ""note""",KOSPI,,,\r\n900010,Alpha Two,KOSPI,,,\r\n');
SELECT symbol, name, market, instrument, status, is_tradable, sector, listing_date FROM market.stocks WHERE symbol LIKE '%9000%0' ORDER BY 1;
-- What is not told stays; delisted is marked; a person's word stays.
UPDATE market.stocks SET is_tradable = false, trade_halt_reason = 'not mine' WHERE symbol = '900010';
SELECT * FROM qts.import_stocks(E'symbol,name,market,delisted,status,managed,warning,market_cap,instrument\n'
	'900010,Alpha,KOSPI,,,yes,N,1000000,\n900020,Beta,KOSDAQ,2026-03-31,,,,,\nQ900060,Note,KOSPI,,SUSPENDED,,,,ETP\n'
	'900070,Eta,KOSPI,,GONE,,,,\n900080,Theta,KOSPI,,,perhaps,,,\n');
SELECT symbol, name, instrument, status, is_tradable, trade_halt_reason, sector, delisting_date, is_managed, market_cap
FROM market.stocks WHERE symbol LIKE '%9000%0' ORDER BY 1;
SELECT * FROM qts.import_stocks(E'symbol,name,market,status\n900020,Beta,KOSDAQ,ACTIVE\n');
SELECT symbol, status, is_tradable, trade_halt_reason FROM market.stocks WHERE symbol = '900020';
-- The broker's fixed layout: code, ISIN, name, tail.
CREATE FUNCTION pg_temp.master(code text, name text, flags text) RETURNS text LANGUAGE sql AS $$
	SELECT rpad(code, 9) || 'KR7000000000' || rpad(name, 20) || 'ST' || repeat(' ', 58) || flags || repeat(' ', 40) || '20200102'
		|| repeat(' ', 99) || '000001234' || repeat(' ', 6) $$;
SELECT * FROM qts.import_stocks(concat_ws(E'\n', pg_temp.master('900010', 'Alpha Plus', 'YNN00'),
	pg_temp.master('F00000001', 'Fund', 'NNN00'), pg_temp.master('900090', 'Iota', 'NNY01'), 'short'), 'kospi_master');
SELECT symbol, name, status, is_tradable, trade_halt_reason, is_managed, is_warning, listing_date, market_cap
FROM market.stocks WHERE symbol IN ('900010', '900090') ORDER BY 1;
SELECT kind, source, lines, inserted, replaced, unchanged, kept, rejected FROM market.imports ORDER BY import_id;
ROLLBACK;
