-- What no client may do, superusers included.
\set SHOW_CONTEXT never
INSERT INTO market.stocks (symbol, name, market) VALUES ('004001', 'Triggers', 'KOSPI'), ('004002', 'Other', 'KOSPI');
INSERT INTO trade.accounts (account_id, environment) VALUES ('40000000-01', 'paper'), ('40000000-02', 'paper');
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts)
VALUES ('00000000-0000-0000-0004-000000000001', '40000000-01', '004001', 100, 100, 1000, now());

-- Version follows quantity and average price only.
UPDATE trade.positions SET status = 'CLOSING' WHERE symbol = '004001';
UPDATE trade.positions SET avg_price = 1000.0000 WHERE symbol = '004001';
SELECT version FROM trade.positions WHERE symbol = '004001';
UPDATE trade.positions SET avg_price = 1001 WHERE symbol = '004001';
UPDATE trade.positions SET qty = 90 WHERE symbol = '004001';
UPDATE trade.positions SET qty = 100 WHERE symbol = '004001';
SELECT version FROM trade.positions WHERE symbol = '004001';
UPDATE trade.positions SET version = 1 WHERE symbol = '004001';
\echo :SQLSTATE
UPDATE trade.positions SET symbol = '004002' WHERE symbol = '004001';
\echo :SQLSTATE
UPDATE trade.positions SET original_qty = 50 WHERE symbol = '004001';
\echo :SQLSTATE
-- One live position per account and symbol.
\set VERBOSITY sqlstate
INSERT INTO trade.positions (account_id, symbol, qty, original_qty, avg_price, entry_ts)
VALUES ('40000000-01', '004001', 1, 1, 1, now());
UPDATE trade.positions SET status = 'CLOSED' WHERE symbol = '004001';
\set VERBOSITY default

-- Locked quantity: two rows of one statement count each other.
CREATE FUNCTION pg_temp.want(key text, qty bigint, status text DEFAULT 'NEW') RETURNS void LANGUAGE sql AS $$
	INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key,
		source_module, status)
	VALUES ('40000000-01', '00000000-0000-0000-0004-000000000001', '004001', 'EXIT_PARTIAL', $2, 'SL1', $1, 'MANUAL', $3) $$;
INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('40000000-01', '00000000-0000-0000-0004-000000000001', '004001', 'EXIT_PARTIAL', 60, 'SL1', 't1', 'MANUAL'),
	('40000000-01', '00000000-0000-0000-0004-000000000001', '004001', 'EXIT_PARTIAL', 60, 'SL1', 't2', 'MANUAL');
\echo :SQLSTATE
SELECT pg_temp.want('t1', 60);
SELECT pg_temp.want('t2', 41);
\echo :SQLSTATE
SELECT pg_temp.want('t3', 40);
SELECT pg_temp.want('t4', 1);
\echo :SQLSTATE
-- An ended one holds nothing, also when a dump brings it.
SELECT pg_temp.want('t5', 100, 'CANCELLED');
-- Under REPEATABLE READ the sum is the newest one too.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT qts.available_qty('00000000-0000-0000-0004-000000000001');
SELECT pg_temp.want('t6', 1);
\echo :SQLSTATE
ROLLBACK;
UPDATE trade.order_intents SET status = 'CANCELLED' WHERE action_key = 't1';
SELECT qts.available_qty('00000000-0000-0000-0004-000000000001');
SELECT pg_temp.want('t1', 60);
-- Twice the same action while the first one lives.
\set VERBOSITY sqlstate
SELECT pg_temp.want('t3', 1, 'FILLED');
\set VERBOSITY default
-- Not of its position.
INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('40000000-02', '00000000-0000-0000-0004-000000000001', '004001', 'EXIT_PARTIAL', 1, 'SL1', 't7', 'MANUAL');
\echo :SQLSTATE

-- Intents: states, quantities, frozen columns.
UPDATE trade.order_intents SET status = 'FILLED' WHERE action_key = 't3';
\echo :SQLSTATE
UPDATE trade.order_intents SET status = 'SUBMITTING' WHERE action_key = 't3';
UPDATE trade.order_intents SET status = 'SUBMITTED' WHERE action_key = 't3';
UPDATE trade.order_intents SET status = 'PARTIAL', filled_qty = 10 WHERE action_key = 't3';
UPDATE trade.order_intents SET filled_qty = 9 WHERE action_key = 't3';
\echo :SQLSTATE
UPDATE trade.order_intents SET qty = 39 WHERE action_key = 't3';
\echo :SQLSTATE
UPDATE trade.order_intents SET limit_price = 5, order_type = 'LMT' WHERE action_key = 't3';
\echo :SQLSTATE
UPDATE trade.order_intents SET status = 'NEW' WHERE action_key = 't5';
\echo :SQLSTATE

-- Orders.
\set intent '(SELECT intent_id FROM trade.order_intents WHERE action_key = ''t3'')'
INSERT INTO trade.orders (account_id, trade_date, intent_id, position_id, symbol, side, order_type, qty)
VALUES ('40000000-01', '2026-11-20', :intent, '00000000-0000-0000-0004-000000000001', '004001', 'SELL', 'MKT', 41);
\echo :SQLSTATE
INSERT INTO trade.orders (account_id, trade_date, intent_id, position_id, symbol, side, order_type, qty)
VALUES ('40000000-01', '2026-11-20', :intent, '00000000-0000-0000-0004-000000000001', '004001', 'BUY', 'MKT', 40);
\echo :SQLSTATE
INSERT INTO trade.orders (order_uid, account_id, trade_date, intent_id, position_id, symbol, side, order_type, qty)
VALUES ('00000000-0000-0000-0004-0000000000aa', '40000000-01', '2026-11-20', :intent,
	'00000000-0000-0000-0004-000000000001', '004001', 'SELL', 'MKT', 40);
\set VERBOSITY sqlstate
-- One order per intent; no two of unknown outcome for a symbol and side; a number is needed.
INSERT INTO trade.orders (account_id, trade_date, intent_id, position_id, symbol, side, order_type, qty)
VALUES ('40000000-01', '2026-11-20', :intent, '00000000-0000-0000-0004-000000000001', '004001', 'SELL', 'MKT', 40);
INSERT INTO trade.orders (account_id, trade_date, symbol, side, order_type, qty, origin)
VALUES ('40000000-01', '2026-11-20', '004001', 'SELL', 'MKT', 40, 'MANUAL');
UPDATE trade.orders SET status = 'SUBMITTED' WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
\set VERBOSITY default
UPDATE trade.orders SET status = 'SUBMITTED', broker_order_no = '0000117057'
WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
UPDATE trade.orders SET status = 'PENDING_SUBMIT' WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
\echo :SQLSTATE
UPDATE trade.orders SET broker_order_no = '0000117058' WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
\echo :SQLSTATE
UPDATE trade.orders SET status = 'PARTIAL', filled_qty = 10, notice_qty = 10
WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
UPDATE trade.orders SET filled_qty = 0 WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
\echo :SQLSTATE
UPDATE trade.orders SET notice_qty = 9 WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
\echo :SQLSTATE
UPDATE trade.orders SET side = 'BUY' WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
\echo :SQLSTATE
UPDATE trade.orders SET status = 'CANCELLED_PARTIAL', cancelled_qty = 30
WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
-- A late fill is taken in any state.
UPDATE trade.orders SET status = 'FILLED', filled_qty = 40, cancelled_qty = 0
WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
UPDATE trade.orders SET status = 'SUBMITTED' WHERE order_uid = '00000000-0000-0000-0004-0000000000aa';
\echo :SQLSTATE

-- Append-only tables.
INSERT INTO trade.fills (account_id, order_uid, position_id, symbol, side, qty, price, source, dedupe_key, ts)
VALUES ('40000000-01', '00000000-0000-0000-0004-0000000000aa', '00000000-0000-0000-0004-000000000001', '004001', 'SELL',
	40, 1000, 'WS', 'a', now());
UPDATE trade.fills SET qty = 41;
\echo :SQLSTATE
UPDATE trade.fills SET qty = qty;
\echo :SQLSTATE
DELETE FROM trade.fills;
\echo :SQLSTATE
TRUNCATE trade.fills;
\echo :SQLSTATE
INSERT INTO trade.notices (epoch, seq, account_id, trade_date, kind, broker_order_no, symbol, side, qty, price, recv_ts)
VALUES (1, 1, '40000000-01', '2026-11-20', 'FILL', '0000117057', '004001', 'SELL', 40, 1000, now());
UPDATE trade.notices SET price = 1001 WHERE seq = 1;
\echo :SQLSTATE
UPDATE trade.notices SET order_uid = '00000000-0000-0000-0004-0000000000aa', counted = true WHERE seq = 1;
UPDATE trade.notices SET counted = false WHERE seq = 1;
\echo :SQLSTATE
UPDATE trade.notices SET order_uid = NULL WHERE seq = 1;
\echo :SQLSTATE
SELECT system._ensure_partitions('2026-11-20', 1) AS made;
SELECT system._ensure_partitions('2026-11-19', 3) AS made;
SELECT system._ensure_partitions('2026-11-19', 61);
\echo :SQLSTATE
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_class c WHERE c.relispartition AND c.relname ~ '20261120$' ORDER BY 1;
SELECT indexrelid::regclass FROM pg_index WHERE indrelid IN ('market.prices_ticks_20261120'::regclass, 'trade.exit_signals_20261120'::regclass) ORDER BY 1;
INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price)
VALUES ('2026-11-20 10:00:00+09', 1, '004001', 'KIS_WS', 1000);
UPDATE market.prices_ticks SET last_price = 1001;
\echo :SQLSTATE
UPDATE market.prices_ticks_20261120 SET last_price = 1001;
\echo :SQLSTATE
DELETE FROM market.prices_ticks;
\echo :SQLSTATE
TRUNCATE market.prices_ticks;
\echo :SQLSTATE
TRUNCATE market.prices_ticks_20261120;
\echo :SQLSTATE
-- The end of a position.
UPDATE trade.order_intents SET status = 'CANCELLED' WHERE action_key = 't1' AND status = 'NEW';
UPDATE trade.positions SET qty = 0 WHERE symbol = '004001';
UPDATE trade.positions SET status = 'CLOSED' WHERE symbol = '004001';
UPDATE trade.positions SET status = 'OPEN' WHERE symbol = '004001';
\echo :SQLSTATE
UPDATE trade.positions SET avg_price = 5 WHERE symbol = '004001';
\echo :SQLSTATE
SELECT pg_temp.want('t8', 1);
\echo :SQLSTATE
