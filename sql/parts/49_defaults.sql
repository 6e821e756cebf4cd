-- Rows every engine starts with.  Called by activate() and not at install: a
-- restore brings the user's own rows, and what exists is never overwritten.
-- Blocks left out take the numbers of default_hybrid_v1.  The hard stop of
-- high_beta lies at its widest SL2: at -10 % it would fire before it.
CREATE OR REPLACE FUNCTION qts._load_profiles() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO trade.exit_profiles (profile_id, name, description, config) VALUES
	('default_hybrid_v1', 'Default', 'Per cent thresholds scaled by ATR', '{
		"atr": {"ref": 0.02, "factor_min": 0.7, "factor_max": 1.6},
		"sl1": {"base_pct": -0.03, "min_pct": -0.02, "max_pct": -0.06, "qty_pct": 0.5},
		"sl2": {"base_pct": -0.05, "min_pct": -0.035, "max_pct": -0.10, "qty_pct": 1.0},
		"tp1": {"base_pct": 0.07, "min_pct": 0.05, "max_pct": 0.12, "qty_pct": 0.25, "stop_floor_profit": 0.006},
		"tp2": {"base_pct": 0.10, "min_pct": 0.08, "max_pct": 0.18, "qty_pct": 0.25},
		"tp3": {"base_pct": 0.16, "min_pct": 0.12, "max_pct": 0.25, "qty_pct": 0.2, "start_trailing": true},
		"trailing": {"pct_trail": 0.04, "atr_k": 2.0, "partial_qty_pct": 0.5},
		"hardstop": {"enabled": true, "pct": -0.10},
		"gap_down": {"enabled": true, "pct": -0.05, "window_sec": 30},
		"break_even": {"enabled": false, "trigger": 0.03, "buffer": 0.01},
		"time_stop": {"max_hold_days": 10, "no_momentum_days": 3, "no_momentum_profit": 0.02, "trading_days": true},
		"confirm": {"ticks": 2, "min_sec": 3}}'),
	('high_beta', 'High beta', 'Wider thresholds for volatile symbols', '{
		"atr": {"ref": 0.03, "factor_min": 0.8, "factor_max": 1.8},
		"sl1": {"base_pct": -0.04, "min_pct": -0.025, "max_pct": -0.08, "qty_pct": 0.5},
		"sl2": {"base_pct": -0.06, "min_pct": -0.045, "max_pct": -0.12, "qty_pct": 1.0},
		"tp1": {"base_pct": 0.08, "min_pct": 0.06, "max_pct": 0.12, "qty_pct": 0.3, "stop_floor_profit": 0.008},
		"trailing": {"pct_trail": 0.05, "atr_k": 2.3},
		"time_stop": {"max_hold_days": 7, "no_momentum_days": 2, "no_momentum_profit": 0.03},
		"hardstop": {"enabled": true, "pct": -0.12}}'),
	('low_vol', 'Low volatility', 'Tighter thresholds for quiet symbols', '{
		"atr": {"ref": 0.015, "factor_min": 0.6, "factor_max": 1.3},
		"sl1": {"base_pct": -0.025, "min_pct": -0.015, "max_pct": -0.05, "qty_pct": 0.4},
		"sl2": {"base_pct": -0.04, "min_pct": -0.03, "max_pct": -0.08, "qty_pct": 1.0},
		"tp1": {"base_pct": 0.06, "min_pct": 0.04, "max_pct": 0.10, "qty_pct": 0.25, "stop_floor_profit": 0.005},
		"trailing": {"pct_trail": 0.03, "atr_k": 1.8},
		"time_stop": {"max_hold_days": 15, "no_momentum_days": 5, "no_momentum_profit": 0.015}}')
	ON CONFLICT ON CONSTRAINT exit_profiles_pkey DO NOTHING;
END;

-- The rush around the open, and the minutes before the close (both with the minute they end in).
CREATE OR REPLACE FUNCTION qts._load_exit_windows() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO trade.exit_windows (anchor, from_offset, until_offset, every) VALUES
	('OPEN', '-5 minutes', '11 minutes', '200 milliseconds'),
	('CLOSE', '-15 minutes', '1 minute', '500 milliseconds')
	ON CONFLICT ON CONSTRAINT exit_windows_pkey DO NOTHING;
END;

-- Rates in 1e-7.  2025: KOSPI 0 + 0.15 %, KOSDAQ 0.15 %; from 2026: 0.05 + 0.15 % and 0.20 %.
CREATE OR REPLACE FUNCTION qts._load_fee_rates() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO market.fee_rates (market, instrument, from_date, commission, securities_tax, rural_tax) VALUES
	('KOSPI', 'STOCK', '2025-01-01', 1405, 0, 15000), ('KOSPI', 'STOCK', '2026-01-01', 1405, 5000, 15000),
	('KOSDAQ', 'STOCK', '2025-01-01', 1405, 15000, 0), ('KOSDAQ', 'STOCK', '2026-01-01', 1405, 20000, 0),
	('KONEX', 'STOCK', '2025-01-01', 1405, 10000, 0),
	('KOSPI', 'ETP', '2025-01-01', 1465, 0, 0), ('KOSDAQ', 'ETP', '2025-01-01', 1465, 0, 0),
	('KONEX', 'ETP', '2025-01-01', 1465, 0, 0)
	ON CONFLICT ON CONSTRAINT fee_rates_pkey DO NOTHING;
END;

-- Days on which the exchange is closed though they are weekdays.  From August
-- 2026 on they follow from the holiday law; the exchange has not confirmed them.
CREATE OR REPLACE FUNCTION qts._krx_holidays(OUT date date, OUT note text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT h.d::date, h.n || CASE WHEN h.d >= '2026-08-01' THEN ' (not confirmed)' ELSE '' END FROM (VALUES
	('2025-01-01', 'New Year'), ('2025-01-27', 'temporary holiday'), ('2025-01-28', 'Seollal'),
	('2025-01-29', 'Seollal'), ('2025-01-30', 'Seollal'), ('2025-03-03', 'Independence Movement Day substitute'),
	('2025-05-01', 'Labour Day'), ('2025-05-05', 'Children''s Day'), ('2025-05-06', 'substitute'),
	('2025-06-03', 'presidential election'), ('2025-06-06', 'Memorial Day'), ('2025-08-15', 'Liberation Day'),
	('2025-10-03', 'National Foundation Day'), ('2025-10-06', 'Chuseok'), ('2025-10-07', 'Chuseok'),
	('2025-10-08', 'Chuseok substitute'), ('2025-10-09', 'Hangul Day'), ('2025-12-25', 'Christmas'),
	('2025-12-31', 'year-end closing'),
	('2026-01-01', 'New Year'), ('2026-02-16', 'Seollal'), ('2026-02-17', 'Seollal'), ('2026-02-18', 'Seollal'),
	('2026-03-02', 'Independence Movement Day substitute'), ('2026-05-01', 'Labour Day'),
	('2026-05-05', 'Children''s Day'), ('2026-05-25', 'Buddha''s Birthday substitute'),
	('2026-06-03', 'local elections'), ('2026-07-17', 'Constitution Day'), ('2026-08-17', 'Liberation Day substitute'),
	('2026-09-24', 'Chuseok'), ('2026-09-25', 'Chuseok'), ('2026-10-05', 'National Foundation Day substitute'),
	('2026-10-09', 'Hangul Day'), ('2026-12-25', 'Christmas'), ('2026-12-31', 'year-end closing'),
	('2027-01-01', 'New Year'), ('2027-02-08', 'Seollal'), ('2027-02-09', 'Seollal substitute'),
	('2027-03-01', 'Independence Movement Day'), ('2027-05-03', 'Labour Day substitute'),
	('2027-05-05', 'Children''s Day'), ('2027-05-13', 'Buddha''s Birthday'), ('2027-07-19', 'Constitution Day substitute'),
	('2027-08-16', 'Liberation Day substitute'), ('2027-09-14', 'Chuseok'), ('2027-09-15', 'Chuseok'),
	('2027-09-16', 'Chuseok'), ('2027-10-04', 'National Foundation Day substitute'),
	('2027-10-11', 'Hangul Day substitute'), ('2027-12-27', 'Christmas substitute'),
	('2027-12-31', 'year-end closing')) AS h (d, n);
END;

-- A normal day (KRX and NXT as of 2026-10).  The KRX after-market began on 2026-09-14;
-- with it the single-price session of the evening ended.
CREATE OR REPLACE FUNCTION qts._load_sessions() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO market.sessions (venue, phase, from_date, start_at, end_at, start_moves, end_moves, note) VALUES
	('KRX', 'OFF_HOURS_BEFORE', '2000-01-01', '08:30', '08:40', 'OPEN', 'OPEN', 'at the previous close'),
	('KRX', 'OPENING_AUCTION', '2000-01-01', '08:30', '09:00', 'OPEN', 'OPEN', NULL),
	('KRX', 'CONTINUOUS', '2000-01-01', '09:00', '15:20', 'OPEN', 'CLOSE', NULL),
	('KRX', 'CLOSING_AUCTION', '2000-01-01', '15:20', '15:30', 'CLOSE', 'CLOSE', NULL),
	('KRX', 'AFTER_CLOSE', '2000-01-01', '15:30', '16:00', 'CLOSE', 'CLOSE', 'last prints and what is booked late'),
	('KRX', 'OFF_HOURS_CLOSE', '2000-01-01', '15:40', '16:00', 'CLOSE', 'CLOSE', 'at the close of the day'),
	('KRX', 'OFF_HOURS_SINGLE', '2000-01-01', '16:00', '18:00', 'CLOSE', NULL, 'single price every ten minutes'),
	('KRX', 'OFF_HOURS_SINGLE', '2026-09-14', NULL, NULL, NULL, NULL, 'abolished'),
	('KRX', 'AFTER_MARKET', '2026-09-14', '16:00', '20:00', 'CLOSE', NULL, 'continuous, limit orders of its own types'),
	('NXT', 'PRE_MARKET', '2025-03-04', '08:00', '08:50', NULL, NULL, 'left out on late openings'),
	('NXT', 'CONTINUOUS', '2025-03-04', '09:00:30', '15:20', 'OPEN', 'CLOSE', NULL),
	('NXT', 'AFTER_CLOSE', '2025-03-04', '15:30', '15:40', 'CLOSE', 'CLOSE', 'single price at the close'),
	('NXT', 'AFTER_MARKET', '2025-03-04', '15:40', '20:00', 'CLOSE', NULL, NULL)
	ON CONFLICT ON CONSTRAINT sessions_pkey DO NOTHING;
END;

-- Weekends get rows too: closed is knowledge, a missing row is the lack of it.
CREATE OR REPLACE FUNCTION qts._load_calendar() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO market.calendar (date, is_open, auction_at, open_at, closing_auction_at, close_at, end_at, note, source)
	SELECT d.date, h.date IS NULL AND extract(isodow FROM d.date) < 6,
		t.auction_at, t.open_at, t.closing_auction_at, t.close_at, t.end_at,
		coalesce(h.note, s.note, CASE WHEN extract(isodow FROM d.date) > 5 THEN 'weekend' END), 'PRESET'
	FROM (SELECT g::date AS date FROM generate_series('2025-01-01'::timestamp, '2027-12-31', '1 day') AS g) AS d
	LEFT JOIN qts._krx_holidays() AS h ON h.date = d.date
	LEFT JOIN (VALUES
		('2025-01-02'::date, '10:00'::time, NULL::time, 'first trading day: opens one hour late'),
		('2026-01-02', '10:00', NULL, 'first trading day: opens one hour late'),
		('2027-01-04', '10:00', NULL, 'first trading day: opens one hour late'),
		('2025-11-13', '10:00', '16:30', 'college entrance exam: one hour late'),
		('2026-11-19', '10:00', '16:30', 'college entrance exam: one hour late'),
		('2027-11-18', '10:00', '16:30', 'college entrance exam: one hour late')) AS s (date, open_at, close_at, note)
		ON s.date = d.date
	CROSS JOIN LATERAL qts._day_hours(d.date, s.open_at, s.close_at) AS t
	ON CONFLICT ON CONSTRAINT calendar_pkey DO NOTHING;
END;

-- The broker's notices of 2025-04-28, 2026-04-03 and 2026-04-20; new customers for their first three days.
CREATE OR REPLACE FUNCTION qts._load_rate_limits() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO trade.rate_limits (environment, kind, from_date, per_second) VALUES
	('live', 'standard', '2025-01-01', 20), ('live', 'standard', '2026-04-20', 18), ('live', 'new', '2026-04-03', 3),
	('paper', 'standard', '2025-01-01', 2), ('paper', 'standard', '2026-04-20', 1)
	ON CONFLICT ON CONSTRAINT rate_limits_pkey DO NOTHING;
END;

CREATE OR REPLACE FUNCTION qts.load_defaults() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO system.engine DEFAULT VALUES ON CONFLICT ON CONSTRAINT engine_pkey DO NOTHING;
	INSERT INTO trade.exit_control DEFAULT VALUES ON CONFLICT ON CONSTRAINT exit_control_pkey DO NOTHING;
	PERFORM qts._load_profiles();
	PERFORM qts._load_exit_windows();
	PERFORM qts._load_fee_rates();
	PERFORM qts._load_rate_limits();
	PERFORM qts._load_sessions();
	PERFORM qts._load_calendar();
	PERFORM qts._load_watchlist();
	PERFORM qts._load_ts_policy();
END $$;
