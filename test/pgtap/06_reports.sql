-- Reports over a made-up history of two days; every number was reckoned by hand.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS qts;
SET client_min_messages = error;
SET timezone = 'Asia/Seoul';
SELECT qts.activate();
SELECT plan(30);

SELECT system._ensure_range('trade.exit_signals', '2026-07-23', '2026-07-25');
SELECT system._ensure_range('market.ohlcv_1m', '2026-07-01', '2026-08-01');
-- as in a restore: the past is not what writers may write now
SET LOCAL session_replication_role = replica;
CREATE FUNCTION pg_temp.id(kind text, no integer) RETURNS uuid LANGUAGE sql
	RETURN ('00000000-0000-0000-' || kind || '-' || lpad(no::text, 12, '0'))::uuid;
INSERT INTO trade.accounts (account_id, environment) VALUES ('99000000-01', 'paper');
INSERT INTO trade.exit_profiles (profile_id, name, config, version) VALUES ('rep', 'Report', '{}', 2),
	('slow', 'Slow', '{"confirm": {"min_sec": 600}}', 1);
INSERT INTO system.audit_log (engine_ts, action, object, before, after) VALUES
	('2026-07-20 09:00', 'save_exit_profile', 'rep', NULL, '{"version": 1}'),
	('2026-07-24 08:00', 'save_exit_profile', 'rep', '{"version": 1}', '{"version": 2}');
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts)
SELECT pg_temp.id('0001', v.no), '99000000-01', 'Q99000' || v.no, 100, 100, v.avg, '2026-07-23 09:00'
FROM (VALUES (1, 10000), (2, 20000), (3, 9500), (4, 1000), (5, 1000), (6, 1000), (7, 1000)) AS v (no, avg);

-- What was sold: no, position, rule, its id, priority, decided, threshold, deciding price, shares, average fill.
CREATE TEMP TABLE done (no integer, p integer, rule text, id text, prio integer, at timestamptz, threshold numeric,
	decided numeric, qty bigint, fill numeric);
INSERT INTO done VALUES
	(1, 1, 'SL1', NULL, 90, '2026-07-23 10:00:30', 9700, 9690, 40, 9680),
	(2, 1, 'SL2', NULL, 100, '2026-07-23 10:30:00', 9500, 9500, 60, 9500),
	(3, 2, 'SL1', NULL, 90, '2026-07-24 10:00:00', 19400, 19300, 10, 19350),
	(4, 2, 'TP1', NULL, 10, '2026-07-24 11:00:00', 21400, 21500, 20, 21500),
	(5, 2, 'MANUAL', NULL, 40, '2026-07-24 12:00:00', NULL, NULL, 1, 21000),
	(6, 3, 'HARD_STOP', NULL, 120, '2026-07-23 10:20:00', 9000, 9000, 5, 9000),
	(7, 3, 'CUSTOM', 'cut', 70, '2026-07-23 10:10:00', 9400, 9400, 1, 9400);
INSERT INTO trade.order_intents (intent_id, account_id, position_id, symbol, intent_type, qty, reason_code, rule_id, action_key,
	priority, source_module, status, decided_price, threshold_price, created_ts, filled_qty, avg_fill_price, updated_ts)
SELECT pg_temp.id('0002', no), '99000000-01', pg_temp.id('0001', p), 'Q99000' || p, 'EXIT_PARTIAL', qty, rule, id, 'k' || no,
	prio, CASE rule WHEN 'MANUAL' THEN 'MANUAL' ELSE 'EXIT' END, 'FILLED', decided, threshold, at, qty, fill, at + interval '5 seconds' FROM done;
-- and one order that nobody here asked for
INSERT INTO trade.orders (order_uid, account_id, trade_date, broker_order_no, intent_id, position_id, symbol, side, order_type,
	qty, status, origin, channel, created_ts)
SELECT pg_temp.id('0003', no), '99000000-01', at::date, no::text, pg_temp.id('0002', no), pg_temp.id('0001', p), 'Q99000' || p,
	'SELL', 'MKT', qty, 'FILLED', 'AUTO', NULL, at FROM done
UNION ALL SELECT pg_temp.id('0003', 8), '99000000-01', '2026-07-24', '8', NULL, pg_temp.id('0001', 2), 'Q990002', 'SELL', 'MKT', 2,
	'FILLED', 'MANUAL', '0123', '2026-07-24 13:00:00';
-- the third position's average was 10 000 when its hard stop fired: shares were added since
INSERT INTO trade.fills (account_id, order_uid, position_id, symbol, side, qty, price, fee, tax, source, dedupe_key, ts, avg_price)
SELECT '99000000-01', pg_temp.id('0003', v.o), pg_temp.id('0001', v.p), 'Q99000' || v.p, 'SELL', v.qty, v.price, v.fee, v.tax, 'WS',
	v.n::text, v.ts::timestamptz, CASE v.n WHEN 8 THEN 10000 END
FROM (VALUES (1, 1, 1, 30, 9690, 70, 500, '2026-07-23 10:00:31'), (2, 1, 1, 10, 9650, 30, 200, '2026-07-23 10:00:35'),
	(3, 2, 1, 60, 9500, 150, 1000, '2026-07-23 10:30:02'), (4, 3, 2, 10, 19350, 10, 30, '2026-07-24 10:00:01'),
	(5, 4, 2, 20, 21500, 60, 700, '2026-07-24 11:00:01'), (6, 5, 2, 1, 21000, 0, 0, '2026-07-24 12:00:01'),
	(7, 8, 2, 2, 19000, 0, 0, '2026-07-24 13:00:01'), (8, 6, 3, 5, 9000, 0, 0, '2026-07-23 10:20:01'),
	(9, 7, 3, 1, 9400, 0, 0, '2026-07-23 10:10:01')) AS v (n, o, p, qty, price, fee, tax, ts);
INSERT INTO trade.exit_events (position_id, account_id, symbol, exit_ts, exit_qty, exit_avg_price, exit_reason_code, source, intent_id)
VALUES (pg_temp.id('0001', 1), '99000000-01', 'Q990001', '2026-07-23 10:30:02', 100, 9572, 'SL2', 'AUTO_EXIT', pg_temp.id('0002', 2));
INSERT INTO trade.exit_signals (ts, position_id, account_id, rule_name, is_triggered, price, threshold_price, pnl_pct, phase,
	control_mode, profile_id, intent_id)
SELECT d.at, pg_temp.id('0001', d.p), '99000000-01', d.rule, true, d.decided, d.threshold,
	round(d.decided / CASE d.p WHEN 1 THEN 10000 WHEN 2 THEN 20000 ELSE 10000 END - 1, 6), 'OPEN', 'RUNNING',
	CASE d.p WHEN 3 THEN 'gone' ELSE 'rep' END, pg_temp.id('0002', d.no)
FROM done AS d WHERE d.rule NOT IN ('MANUAL', 'CUSTOM');

SELECT results_eq($$SELECT symbol, rule, qty, fill_price, pnl, pnl_pct, overshoot_bps, slippage_bps, held, closed FROM qts.exit_sales ORDER BY sold$$,
	$$VALUES ('Q990001', 'SL1', 40::bigint, 9680::numeric, -13600::bigint, -3.4, 10.3, 10.3, '01:00:35'::interval, false),
	('Q990003', 'CUSTOM:cut', 1, 9400, -100, -1.0526, 0.0, 0.0, '01:10:01', false),
	('Q990003', 'HARD_STOP', 5, 9000, -5000, -10.0, 0.0, 0.0, '01:20:01', false),
	('Q990001', 'SL2', 60, 9500, -31150, -5.1917, 0.0, 0.0, '01:30:02', true),
	('Q990002', 'SL1', 10, 19350, -6540, -3.27, 51.5, -25.9, '1 day 01:00:01', false),
	('Q990002', 'TP1', 20, 21500, 29240, 7.31, 46.7, 0.0, '1 day 02:00:01', false),
	('Q990002', 'MANUAL', 1, 21000, 1000, 5.0, NULL, NULL, '1 day 03:00:01', false),
	('Q990002', 'BROKER', 2, 19000, -2000, -5.0, NULL, NULL, '1 day 04:00:01', false)$$, 'each sale by itself');
SELECT is((SELECT avg_price FROM qts.exit_sales WHERE rule = 'HARD_STOP'), 10000::numeric(18,4), 'the average is that of the sale');
SELECT results_eq($$SELECT sales, exits, shares, wins, losses, win_pct, pnl, avg_pct, median_pct, fees, taxes, avg_held, overshoot_bps,
	slippage_bps, worst_slippage_bps FROM qts.rule_results WHERE rule = 'SL1'$$, $$VALUES (2::bigint, 0::bigint, 50::bigint,
	0::bigint, 2::bigint, 0.0, -20140::bigint, -3.335, -3.335, 110::bigint, 730::bigint, '13:00:18'::interval, 30.9, -7.8, 10.3)$$,
	'what a rule brought');
SELECT results_eq('SELECT rule, exits, wins, pnl FROM qts.rule_results', $$VALUES ('BROKER', 0::bigint, 0::bigint, -2000::bigint),
	('CUSTOM:cut', 0, 0, -100), ('HARD_STOP', 0, 0, -5000), ('MANUAL', 0, 1, 1000), ('SL1', 0, 0, -20140), ('SL2', 1, 0, -31150),
	('TP1', 0, 1, 29240)$$, 'every rule, people and the broker');
SELECT results_eq($$SELECT rule, sales FROM qts.rule_results('2026-07-24', '2026-07-24 12:00')$$,
	$$VALUES ('SL1', 1::bigint), ('TP1', 1)$$, 'of a span');
SELECT is_empty($$SELECT * FROM qts.rule_results('2026-07-25')$$, 'nothing of a day without sales');
-- by hand without a sample: nobody knows which profile it was
SELECT results_eq('SELECT profile_id, profile_version, sales, pnl FROM qts.profile_results', $$VALUES ('gone', NULL::integer, 1::bigint,
	-5000::bigint), ('rep', 1, 2, -44750), ('rep', 2, 4, 21700), (NULL, NULL, 1, -100)$$,
	'by profile and version: sales by hand count for the profile then in force');
SELECT is((SELECT first_sale FROM qts.profile_results WHERE (profile_id, profile_version) = ('rep', 2)), '2026-07-24 10:00:01'::timestamp,
	'in the time of Seoul');
SELECT is((SELECT sum(pnl) FROM qts.rule_results), (SELECT sum(pnl) FROM qts.profile_results), 'both add up to the same');

-- What the price did afterwards.
INSERT INTO market.ohlcv_1m (symbol, ts, open, high, low, close, volume, source)
SELECT v.symbol, v.ts::timestamptz, v.close, v.high, v.close, v.close, 1, 'IMPORT' FROM (VALUES
	('Q990001', '2026-07-23 10:00', 9800, 9690), ('Q990001', '2026-07-23 10:01', 9690, 9690), ('Q990001', '2026-07-23 10:04', 9710, 9600),
	('Q990001', '2026-07-23 10:31', 9500, 9450), ('Q990001', '2026-07-23 11:10', 9600, 9450),
	('Q990001', '2026-07-23 15:30', 9400, 9400), ('Q990001', '2026-07-23 15:31', 12000, 12000),
	('Q990003', '2026-07-23 10:15', 9100, 9050), ('Q990003', '2026-07-23 10:30', 8900, 8800)) AS v (symbol, ts, high, close);
SELECT results_eq('SELECT rule, threshold_price, back_after, back_5m, back_30m, back_close, high_price, close_price, saved FROM qts.stop_outcomes
	ORDER BY decided', $$VALUES ('SL1', 9700::numeric, '00:04:30'::interval, true, true, true, 9710::bigint, 9400::bigint, 11200::bigint),
	('CUSTOM:cut', 9400, NULL, false, false, false, 9100, 8800, 600), ('HARD_STOP', 9000, NULL, false, false, false, 8900, 8800, 1000),
	('SL2', 9500, '00:41:00', false, false, true, 9600, 9400, 6000), ('SL1', 19400, NULL, NULL, NULL, NULL, NULL, NULL, NULL)$$,
	'after each stop: back is above the threshold, in whole minutes after it, before the close; no profit is judged');
SELECT results_eq('SELECT * FROM qts.false_triggers', $$VALUES
	('CUSTOM:cut', 1::bigint, 1::bigint, 0::bigint, 0::bigint, 0::bigint, 0.0, NULL::interval, 600::bigint),
	('HARD_STOP', 1, 1, 0, 0, 0, 0.0, NULL, 1000), ('SL1', 2, 1, 1, 1, 1, 100.0, '00:04:30', 11200),
	('SL2', 1, 1, 0, 0, 1, 100.0, '00:41:00', 6000)$$, 'by rule; what has no bars is not judged');
UPDATE market.ohlcv_1m SET high = 9705 WHERE symbol = 'Q990001' AND ts = '2026-07-23 10:01';
UPDATE market.ohlcv_1m SET high = 9700 WHERE symbol = 'Q990001' AND ts = '2026-07-23 10:04';
SELECT is((SELECT back_after FROM qts.stop_outcomes WHERE rule = 'SL1' AND symbol = 'Q990001'), '00:01:30'::interval, 'the first of them counts');

-- Samples: position, rule, minute, breached, what blocked it, mode, profile.
CREATE FUNCTION pg_temp.sample(p integer, rule text, minutes integer[], breached boolean, block text, mode text DEFAULT 'RUNNING',
	profile text DEFAULT 'rep', threshold numeric DEFAULT 950, price numeric DEFAULT 940) RETURNS void LANGUAGE sql AS $$
	INSERT INTO trade.exit_signals (ts, position_id, account_id, rule_name, is_triggered, price, threshold_price, distance_pct,
		pnl_pct, phase, control_mode, profile_id, breached, blocked_by, rank)
	SELECT '2026-07-23 13:00'::timestamptz + m * interval '1 minute', pg_temp.id('0001', p), '99000000-01', rule, false, price,
		threshold, round(threshold / price - 1, 6), round(price / 1000 - 1, 6), 'OPEN', mode, profile, breached, block, 1
	FROM unnest(minutes) AS m $$;
CREATE FUNCTION pg_temp.intent(no integer, p integer, rule text, prio integer, at timestamptz, until timestamptz) RETURNS void LANGUAGE sql AS $$
	INSERT INTO trade.order_intents (intent_id, account_id, position_id, symbol, intent_type, qty, reason_code, action_key, priority,
		source_module, status, created_ts, updated_ts)
	VALUES (pg_temp.id('0002', no), '99000000-01', pg_temp.id('0001', p), 'Q99000' || p, 'EXIT_FULL', 100, rule, 'k' || no, prio,
		'EXIT', CASE WHEN until IS NULL THEN 'SUBMITTED' ELSE 'CANCELLED' END, at, coalesce(until, at)) $$;
CREATE TEMP VIEW missed AS SELECT first::time AS first, lasted, why, by_rule, samples FROM qts.missed_triggers;
SELECT pg_temp.sample(4, 'TP1', '{0,1,2}', true, 'CONTROL_MODE', 'PAUSE_PROFIT', 'rep', 1100, 1111),
	pg_temp.sample(4, 'TP1', '{3}', false, NULL, 'RUNNING', 'rep', 1100, 1090);
SELECT results_eq('SELECT symbol, rule, why, by_rule, control_mode, profile_id, threshold_price, first_price, farthest_pct, last_pct, samples FROM qts.missed_triggers',
	$$VALUES ('Q990004', 'TP1', 'CONTROL_MODE', NULL, 'PAUSE_PROFIT', 'rep', 1100::numeric, 1111::numeric, 0.9901, 11.1, 3::bigint)$$,
	'a control mode held a profit back');
SELECT results_eq('SELECT first, lasted FROM missed', $$VALUES ('13:00'::time, '00:02:00'::interval)$$, 'from the first to the last sample');
SELECT pg_temp.sample(5, 'TP2', '{0}', true, NULL), pg_temp.sample(5, 'SL1', '{10,12}', true, NULL), pg_temp.sample(5, 'SL1', '{11}', false, NULL),
	pg_temp.sample(5, 'SL2', '{0,1}', true, 'PHASE'), pg_temp.sample(5, 'EMERGENCY', '{0,1}', true, 'CONTROL_MODE'),
	pg_temp.sample(5, 'TRAIL', '{0,1}', true, 'CONFIRMING', 'RUNNING', 'slow');
SELECT is((SELECT count(*) FROM missed), 1::bigint, 'not: one sample, two with another between, a rule of another phase, shorter than its confirmation');
SELECT pg_temp.sample(5, 'TRAIL', '{2,3,4,5,6,7,8,9,10}', true, 'CONFIRMING', 'RUNNING', 'slow');
SELECT results_eq($$SELECT why, samples FROM missed WHERE first = '13:00' AND lasted = '10 minutes'$$, $$VALUES ('CONFIRMING', 11::bigint)$$,
	'as long as its confirmation');
SELECT pg_temp.sample(5, 'HARD_STOP', '{20,21}', true, NULL);
SELECT results_eq($$SELECT why, by_rule FROM missed WHERE first = '13:20'$$, $$VALUES ('NOT_SEEN', NULL::text)$$, 'nothing held it: it was not seen');
SELECT pg_temp.sample(5, 'STOP_FLOOR', '{30,31}', true, 'QUARANTINE'), pg_temp.sample(5, 'SL1', '{40,41}', true, 'STALE_PRICE'),
	pg_temp.sample(5, 'SL1', '{50,51}', true, 'POSITION_MODE');
SELECT results_eq($$SELECT first, why FROM missed WHERE first >= '13:30' ORDER BY 1$$, $$VALUES ('13:30'::time, 'QUARANTINE'),
	('13:40', 'STALE_PRICE'), ('13:50', 'POSITION_MODE')$$, 'quarantine, a halt or an old price, the mode of the position');
-- its own intent, before it is sampled first, and after it is sampled last
SELECT pg_temp.sample(6, 'SL1', '{1,2}', true, 'LIVE_INTENT'), pg_temp.intent(11, 6, 'SL1', 90, '2026-07-23 13:00:40', '2026-07-23 13:02:10'),
	pg_temp.sample(6, 'STOP_FLOOR', '{10,11}', true, 'CONFIRMING'), pg_temp.intent(12, 6, 'STOP_FLOOR', 80, '2026-07-23 13:11:20', NULL);
SELECT is_empty($$SELECT * FROM qts.missed_triggers WHERE symbol = 'Q990006'$$, 'what acted was not missed');
SELECT pg_temp.sample(7, 'SL1', '{0,1}', true, 'LIVE_INTENT'), pg_temp.sample(7, 'TP1', '{0,1}', true, 'QUARANTINE'),
	pg_temp.sample(7, 'STOP_FLOOR', '{0,1}', true, 'LIVE_INTENT'), pg_temp.intent(13, 7, 'SL2', 100, '2026-07-23 12:59:50', '2026-07-23 13:01:30'),
	pg_temp.sample(7, 'BREAK_EVEN', '{10,11}', true, 'LIVE_INTENT'), pg_temp.intent(14, 7, 'STOP_FLOOR', 80, '2026-07-23 13:09:50', NULL);
SELECT results_eq($$SELECT m.first::time, m.rule, m.why, m.by_rule FROM qts.missed_triggers AS m WHERE m.symbol = 'Q990007' ORDER BY 1, 2$$, $$VALUES
	('13:00'::time, 'SL1', 'SUPERSEDED', 'SL2'), ('13:00', 'STOP_FLOOR', 'SUPERSEDED', 'SL2'), ('13:00', 'TP1', 'QUARANTINE', NULL),
	('13:10', 'BREAK_EVEN', 'LIVE_INTENT', 'STOP_FLOOR')$$, 'a more severe rule, and one as severe that is under way');
SELECT is_empty($$SELECT * FROM qts.missed_triggers('2026-07-24', '2026-07-25')$$, 'of a span');

-- Distances: buckets begin at their lower bound.
SELECT pg_temp.sample(1, 'TP3', ARRAY[n], false, NULL, 'RUNNING', 'rep', 100000 + away, 100000)
FROM (VALUES (0, 200), (1, 500), (2, 1500), (3, -3000), (4, 7000), (5, 15000)) AS v (n, away);
SELECT pg_temp.sample(1, 'TP3', '{6}', true, NULL, 'RUNNING', 'rep', 990, 1000), pg_temp.sample(1, 'TP3', '{7}', false, 'OFF'),
	pg_temp.sample(1, 'TP3', '{8}', false, 'STALE_PRICE');
SELECT results_eq($$SELECT * FROM qts.rule_distances WHERE rule = 'TP3'$$, $$VALUES ('TP3', 7::bigint, 1::bigint, 1::bigint, 1::bigint, 1::bigint,
	1::bigint, 1::bigint, 1::bigint, 0.2, 0.2, 1.5)$$, 'distances: counts, nearest, 5 %, median');
SELECT is((SELECT samples FROM qts.rule_distances('2026-07-23 13:03', '2026-07-23 13:05') WHERE rule = 'TP3'), 2::bigint, 'of a span');

-- Who looks needs no right on any table.
SET LOCAL ROLE qts_viewer;
SELECT lives_ok(format('SELECT count(*) FROM qts.%1$s CROSS JOIN (SELECT count(*) FROM qts.%1$s(%2$L, NULL)) AS f', v, '2026-07-23'), 'a viewer reads ' || v)
FROM unnest(ARRAY['exit_sales', 'rule_results', 'profile_results', 'missed_triggers', 'stop_outcomes', 'false_triggers', 'rule_distances']) AS v;
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
