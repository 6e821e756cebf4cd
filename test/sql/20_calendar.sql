-- Sessions and trading days.
\set SHOW_CONTEXT never
SET client_min_messages = error;
SELECT venue, phase, start_at, end_at, traded FROM qts.sessions('2026-11-20');
SELECT string_agg(venue || ' ' || phase || ' ' || start_at || '-' || end_at, E'\n' ORDER BY start_at, venue, phase)
FROM qts.sessions('2026-11-19') WHERE phase IN ('PRE_MARKET', 'OPENING_AUCTION', 'CONTINUOUS', 'CLOSING_AUCTION', 'AFTER_MARKET');
SELECT phase FROM qts.sessions('2026-09-11') WHERE venue = 'KRX' AND start_at >= '16:00';
SELECT phase FROM qts.sessions('2026-09-14') WHERE venue = 'KRX' AND start_at >= '16:00';
SELECT count(*) AS on_a_saturday FROM qts.sessions('2026-11-21');
SELECT count(*) AS on_an_unknown_day FROM qts.sessions('2031-11-21');

-- One day.
BEGIN;
SELECT qts.set_trading_day('2028-01-03', true, '10:00', note => 'first trading day');
SELECT * FROM market.calendar WHERE date = '2028-01-03';
UPDATE market.calendar SET doubt = 'why not', confirmed = true WHERE date = '2028-01-03';
SELECT qts.set_trading_day('2028-01-03', false, note => 'storm');
SELECT is_open, note, source, confirmed, doubt FROM market.calendar WHERE date = '2028-01-03';
SELECT action, object, reason, before ->> 'is_open' AS was, after ->> 'is_open' AS is_open FROM system.audit_log
WHERE object = '2028-01-03' ORDER BY audit_id;
ROLLBACK;
SELECT qts.set_trading_day('2028-01-03', true, '16:00');
\echo :SQLSTATE
SELECT qts.set_trading_day('2028-01-03', true, close_at => '23:50');
\echo :SQLSTATE
SELECT qts.set_trading_day(NULL, true);
\echo :SQLSTATE

-- Longer hours from a date on reach the days with the old ones, and no others.
BEGIN;
SELECT qts.set_session('KRX', 'AFTER_CLOSE', '2027-11-01', '15:30', '16:30');
SELECT qts.set_session('KRX', 'CLOSING_AUCTION', '2027-11-01', '15:50', '16:00', 'half an hour longer');
SELECT qts.set_session('KRX', 'CONTINUOUS', '2027-11-01', '09:00', '15:50');
SELECT date, open_at, closing_auction_at, close_at, end_at FROM market.calendar
WHERE date IN ('2027-10-29', '2027-11-01', '2027-11-18') ORDER BY date;
SELECT phase, start_at, end_at FROM qts.sessions('2027-11-01') WHERE traded;
SELECT qts.set_session('KRX', 'AFTER_MARKET', '2027-11-01', NULL, NULL, 'given up');
SELECT count(*) AS after_markets FROM qts.sessions('2027-11-01') WHERE venue = 'KRX' AND phase = 'AFTER_MARKET';
ROLLBACK;
SELECT qts.set_session('KRX', 'AFTER_MARKET', '2027-11-01', '16:00', NULL);
\echo :SQLSTATE
SELECT qts.set_session('NYSE', 'CONTINUOUS', '2027-11-01', '09:00', '10:00');
\echo :SQLSTATE

-- A doubt is raised once, and only about an open day.
BEGIN;
SELECT qts._doubt_day('2026-11-20', 'refused') AS first, qts._doubt_day('2026-11-20', 'refused') AS second,
	qts._doubt_day('2026-11-21', 'refused') AS saturday;
ROLLBACK;

-- The broker's calendar: confirms, adds, and closes.
BEGIN;
SELECT qts.merge_calendar(ARRAY['2026-11-19', '2026-11-20', '2026-11-21', '2026-11-23', '2026-12-25', '2028-01-03', '2028-01-08']::date[],
	ARRAY[true, true, false, false, true, true, false]);
SELECT date, is_open, open_at, source, confirmed, note FROM market.calendar
WHERE date IN ('2026-11-19', '2026-11-20', '2026-11-21', '2026-11-23', '2026-12-25', '2028-01-03', '2028-01-08') ORDER BY date;
SELECT severity, subject, message FROM system.alerts WHERE code = 'CALENDAR_CONFLICT' ORDER BY subject;
SELECT qts.merge_calendar(ARRAY['2026-11-19', '2026-11-23', '2026-12-25', '2028-01-03']::date[], ARRAY[true, false, true, true]) AS again;
SELECT subject, count FROM system.alerts WHERE code = 'CALENDAR_CONFLICT' ORDER BY subject;
SELECT qts.merge_calendar(ARRAY['2026-11-19']::date[], ARRAY[]::boolean[]);
\echo :SQLSTATE
ROLLBACK;
