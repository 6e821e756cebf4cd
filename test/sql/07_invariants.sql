-- Violations planted where no trigger and no foreign key looks, and found.
\set SHOW_CONTEXT never
INSERT INTO market.stocks (symbol, name, market) VALUES ('007001', 'Broken', 'KOSPI'), ('007002', 'Broken too', 'KOSPI');
INSERT INTO trade.accounts (account_id, environment) VALUES ('70000000-01', 'paper');
SELECT * FROM qts.check_invariants() WHERE subject LIKE '%0007-%' OR subject LIKE '70****%';
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts) VALUES
	('00000000-0000-0000-0007-000000000001', '70000000-01', '007001', 10, 10, 1000, now()),
	('00000000-0000-0000-0007-000000000002', '70000000-01', '007002', 5, 10, 1000, now());
BEGIN;
SET LOCAL session_replication_role = replica;
-- Oversell: two live exits of one position.
INSERT INTO trade.order_intents (intent_id, account_id, position_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('00000000-0000-0000-0007-0000000000b1', '70000000-01', '00000000-0000-0000-0007-000000000001', '007001', 'EXIT_FULL', 10, 'SL1', 'v1', 'EXIT'),
	('00000000-0000-0000-0007-0000000000b2', '70000000-01', '00000000-0000-0000-0007-000000000001', '007001', 'EXIT_FULL', 10, 'SL2', 'v2', 'MANUAL');
-- Intent without an order; order that does not mirror it; order without an intent.
UPDATE trade.order_intents SET status = 'SUBMITTED' WHERE intent_id = '00000000-0000-0000-0007-0000000000b1';
INSERT INTO trade.orders (order_uid, account_id, trade_date, broker_order_no, intent_id, position_id, symbol, side, order_type, qty, status)
VALUES ('00000000-0000-0000-0007-0000000000c1', '70000000-01', '2026-11-20', '1', '00000000-0000-0000-0007-0000000000b2',
	'00000000-0000-0000-0007-000000000001', '007001', 'SELL', 'MKT', 10, 'SUBMITTED'),
	('00000000-0000-0000-0007-0000000000c2', '70000000-01', '2026-11-20', '2', NULL,
	'00000000-0000-0000-0007-000000000002', '007002', 'SELL', 'MKT', 10, 'SUBMITTED');
-- Fills that the order and the position do not know.
INSERT INTO trade.fills (fill_id, account_id, order_uid, position_id, symbol, side, qty, price, source, dedupe_key, ts)
VALUES ('00000000-0000-0000-0007-0000000000d1', '70000000-01', '00000000-0000-0000-0007-0000000000c2',
	'00000000-0000-0000-0007-000000000002', '007002', 'SELL', 4, 1000, 'WS', 'a', now()),
	('00000000-0000-0000-0007-0000000000d2', '70000000-01', '00000000-0000-0000-0007-0000000000c2',
	NULL, '007001', 'SELL', 1, 1000, 'WS', 'b', now());
INSERT INTO trade.notices (epoch, seq, account_id, trade_date, kind, broker_order_no, symbol, side, qty, price, recv_ts)
VALUES (7, 7, '70000000-01', '2026-11-20', 'FILL', '99', '007001', 'SELL', 1, 1000, qts._now() - interval '1 hour');
-- Ends without an end.
INSERT INTO trade.position_state (position_id, phase) VALUES ('00000000-0000-0000-0007-000000000002', 'EXITED');
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts, status, updated_ts) VALUES
	('00000000-0000-0000-0007-000000000003', '70000000-01', '007002', 0, 10, 1000, now(), 'CLOSED', now());
UPDATE trade.positions SET qty = 0, updated_ts = clock_timestamp() - interval '1 hour'
WHERE position_id = '00000000-0000-0000-0007-000000000001';
UPDATE trade.exit_control SET mode = 'PAUSE_ALL';
SELECT invariant, subject, detail FROM qts.check_invariants()
WHERE subject LIKE '%0007-%' OR subject IN ('7/7', 'v1', 'exit_control') OR subject LIKE '70****%'
ORDER BY invariant, subject, detail;
ROLLBACK;
-- What an exit event says is what was sold until then; a fill told later is one too many.
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, adjusted_qty, avg_price, entry_ts, status)
VALUES ('00000000-0000-0000-0007-000000000004', '70000000-01', '007001', 0, 10, 1, 1000, now(), 'CLOSED'),
	('00000000-0000-0000-0007-000000000005', '70000000-01', '007001', 0, 10, 0, 1000, now(), 'CLOSED');
INSERT INTO trade.orders (order_uid, account_id, trade_date, broker_order_no, position_id, symbol, side, order_type, qty,
	filled_qty, status, origin)
SELECT ('00000000-0000-0000-0007-0000000000f' || n)::uuid, '70000000-01', '2026-11-20', 'f' || n,
	('00000000-0000-0000-0007-00000000000' || n)::uuid, '007001', 'SELL', 'MKT', q, q, 'FILLED', 'MANUAL'
FROM (VALUES (4, 11), (5, 10)) AS v (n, q);
INSERT INTO trade.fills (account_id, order_uid, position_id, symbol, side, qty, price, source, dedupe_key, ts, created_ts)
SELECT '70000000-01', ('00000000-0000-0000-0007-0000000000f' || n)::uuid,
	('00000000-0000-0000-0007-00000000000' || n)::uuid, '007001', 'SELL', q, 1000, 'WS', k, now(), now() + late
FROM (VALUES (4, 10, 'a', interval '0'), (4, 1, 'b', interval '1 second'), (5, 10, 'a', interval '0')) AS v (n, q, k, late);
INSERT INTO trade.exit_events (position_id, account_id, symbol, exit_ts, exit_qty, exit_avg_price, exit_reason_code, source)
VALUES ('00000000-0000-0000-0007-000000000004', '70000000-01', '007001', now(), 10, 1000, 'BROKER', 'BROKER'),
	('00000000-0000-0000-0007-000000000005', '70000000-01', '007001', now(), 9, 1000, 'BROKER', 'BROKER');
SELECT invariant, subject, detail FROM qts.check_invariants()
WHERE subject LIKE '%0007-00000000000_' OR subject LIKE '%0007-0000000000f_' ORDER BY subject;
ROLLBACK;
-- Somebody sells elsewhere what an order of ours is live for: ours is to be cancelled, and the broker may refuse.
BEGIN;
INSERT INTO market.stocks (symbol, name, market) VALUES ('007006', 'Cancelled', 'KOSPI'), ('007007', 'Not cancelled', 'KOSPI');
SET LOCAL session_replication_role = replica;
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, adjusted_qty, avg_price, entry_ts)
SELECT ('00000000-0000-0000-0007-00000000000' || n)::uuid, '70000000-01', '00700' || n, 5, 10, 0, 1000, now() FROM generate_series(6, 7) AS n;
INSERT INTO trade.order_intents (intent_id, account_id, position_id, symbol, intent_type, qty, reason_code, action_key, source_module, status)
SELECT ('00000000-0000-0000-0007-0000000000a' || n)::uuid, '70000000-01', ('00000000-0000-0000-0007-00000000000' || n)::uuid,
	'00700' || n, 'EXIT_FULL', 10, 'TP1', 'e' || n, 'EXIT', 'SUBMITTED' FROM generate_series(6, 7) AS n;
INSERT INTO trade.orders (account_id, trade_date, broker_order_no, intent_id, position_id, symbol, side, order_type, qty,
	filled_qty, status, origin, cancel_attempts)
SELECT '70000000-01', '2026-11-20', v.no || n, CASE WHEN v.no = 'e' THEN ('00000000-0000-0000-0007-0000000000a' || n)::uuid END,
	('00000000-0000-0000-0007-00000000000' || n)::uuid, '00700' || n, 'SELL', 'MKT', v.qty, v.filled, v.status, v.origin,
	CASE WHEN v.no = 'e' AND n = 6 THEN 10 ELSE 0 END
FROM (VALUES ('e', 10, 0, 'SUBMITTED', 'AUTO'), ('m', 5, 5, 'FILLED', 'MANUAL')) AS v (no, qty, filled, status, origin),
	generate_series(6, 7) AS n;
SELECT invariant, subject, detail FROM qts.check_invariants() WHERE invariant = 'oversell' AND subject LIKE '%0007-00000000000_' ORDER BY subject;
ROLLBACK;
-- A double order needs a missing index, too.
BEGIN;
DROP INDEX trade.orders_intent_idx;
DROP INDEX trade.orders_unresolved_idx;
DROP INDEX trade.order_intents_action_key_idx;
SET LOCAL session_replication_role = replica;
INSERT INTO trade.order_intents (intent_id, account_id, position_id, symbol, intent_type, qty, reason_code, action_key, source_module, created_by)
SELECT ('00000000-0000-0000-0007-0000000000e' || g)::uuid, '70000000-01', '00000000-0000-0000-0007-000000000001', '007001',
	'EXIT_PARTIAL', 1, 'SL1', 'v3', 'EXIT', 'qts_exit' FROM generate_series(1, 2) g;
INSERT INTO trade.orders (account_id, trade_date, intent_id, symbol, side, order_type, qty)
SELECT '70000000-01', '2026-11-20', '00000000-0000-0000-0007-0000000000e1', '007001', 'SELL', 'MKT', 1 FROM generate_series(1, 2);
SELECT invariant, subject, detail FROM qts.check_invariants() WHERE invariant = 'double order' ORDER BY subject;
ROLLBACK;
