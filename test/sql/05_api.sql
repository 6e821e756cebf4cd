\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- Accounts.
SELECT qts.add_account('5000000-01');
\echo :SQLSTATE
SELECT qts.add_account('50000000-01', 'demo');
\echo :SQLSTATE
SELECT qts.add_account('50000000-01', credentials => 'no/path');
\echo :SQLSTATE
SELECT qts.add_account('50000000-01', 'live', rest_url => 'http://127.0.0.1:1');
\echo :SQLSTATE
SELECT qts.add_account('50000000-01', 'sim');
\echo :SQLSTATE
SELECT qts.add_account('50000000-01', 'sim', rest_url => 'http://broker.example.com', ws_url => 'ws://127.0.0.1:2');
\echo :SQLSTATE
SELECT qts.add_account('50000000-01', 'paper', ws_url => 'ws://127.0.0.1.example.com');
\echo :SQLSTATE
SELECT qts.add_account('50000000-01', 'paper', ws_url => 'ws://user@127.0.0.1:2');
\echo :SQLSTATE
SELECT qts.add_account('50000000-01', 'sim', rest_url => 'http://127.0.0.1:1', ws_url => 'ws://localhost:2/ws');
SELECT qts.add_account('50000000-01', 'sim', rest_url => 'http://127.0.0.1:1', ws_url => 'ws://localhost:2/ws');
\echo :SQLSTATE
SELECT account_id, environment, credentials, rest_url, ws_url, status FROM trade.accounts WHERE account_id = '50000000-01';
SELECT qts.pause_account('50000000-01', NULL);
\echo :SQLSTATE
SELECT qts.pause_account('59999999-01', 'who?');
\echo :SQLSTATE
SELECT qts.pause_account('50000000-01', 'lunch');
SELECT status, status_reason FROM trade.accounts WHERE account_id = '50000000-01';

-- Manual exits.
INSERT INTO market.stocks (symbol, name, market, base_price, lower_limit, upper_limit, limits_date) VALUES
	('005001', 'Api', 'KOSPI', 70000, 49000, 91000, timezone('Asia/Seoul', qts._now())::date),
	('005002', 'Old limits', 'KOSPI', 70000, 49000, 91000, timezone('Asia/Seoul', qts._now())::date - 1);
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts) VALUES
	('00000000-0000-0000-0005-000000000001', '50000000-01', '005001', 100, 100, 68000, '2026-11-20 09:00+09'),
	('00000000-0000-0000-0005-000000000002', '50000000-01', '005002', 7, 7, 68000, '2026-11-20 09:00+09');
\set p1 '''00000000-0000-0000-0005-000000000001'''
\set p2 '''00000000-0000-0000-0005-000000000002'''
SELECT qts.exit(:p1, 10);
\echo :SQLSTATE
SELECT qts.resume_account('50000000-01');
SELECT qts.exit('00000000-0000-0000-0005-00000000dead');
\echo :SQLSTATE
SELECT qts.exit(:p1, 0);
\echo :SQLSTATE
SELECT qts.exit(:p1, 10, 'STOP');
\echo :SQLSTATE
SELECT qts.exit(:p1, 10, 'LMT');
\echo :SQLSTATE
SELECT qts.exit(:p1, 10, 'MKT', 70000);
\echo :SQLSTATE
SELECT qts.exit(:p1, 10, 'LMT', 70050);
\echo :SQLSTATE
SELECT qts.exit(:p1, 10, 'LMT', 70000.5);
\echo :SQLSTATE
SELECT qts.exit(:p1, 10, 'LMT', 91100);
\echo :SQLSTATE
SELECT qts.exit(:p1, 10, 'LMT', 48950);
\echo :SQLSTATE
SELECT qts.exit(:p1, 10, 'LMT', -1);
\echo :SQLSTATE
SELECT qts.exit(:p1, 10, 'LMT', 'NaN');
\echo :SQLSTATE
SELECT qts.exit(:p1, 101);
\echo :SQLSTATE
SELECT qts.exit(:p1, 30, 'LMT', 70000, 'half way') IS NOT NULL AS ordered;
SELECT qts.exit(:p1) IS NOT NULL AS ordered;
SELECT qts.exit(:p1);
\echo :SQLSTATE
SELECT intent_type, qty, order_type, limit_price, reason_code, reason_detail, priority, source_module, status,
	action_key = position_id || ':1:MANUAL:' || intent_id AS key_ok
FROM trade.order_intents WHERE position_id = :p1 ORDER BY qty;
SELECT status, qts.available_qty(position_id) FROM trade.positions WHERE position_id = :p1;
-- Yesterday's limits say nothing about today.
SELECT qts.exit(:p2, 1, 'LMT', 95000) IS NOT NULL AS ordered;
SELECT qts.release_position(:p2, 'nothing to release');
UPDATE trade.positions SET quarantine_reason = 'test' WHERE position_id = :p2;
SELECT qts.release_position(:p2, 'compared with the broker');
SELECT quarantine_reason IS NULL AS released FROM trade.positions WHERE position_id = :p2;
SELECT qts.set_position_exit_mode(:p2, 'SOMETIMES');
\echo :SQLSTATE
SELECT qts.set_position_exit_mode(:p2, 'DISABLED');
SELECT qts.exit(:p2);
\echo :SQLSTATE
SELECT qts.set_position_exit_mode(:p2, 'ENABLED');
UPDATE market.stocks SET is_tradable = false, trade_halt_reason = 'disclosure' WHERE symbol = '005002';
SELECT qts.exit(:p2);
\echo :SQLSTATE
UPDATE market.stocks SET is_tradable = true, trade_halt_reason = NULL WHERE symbol = '005002';

-- Cancelling: at once while nothing was sent, else by asking the broker.
SELECT intent_id AS i1 FROM trade.order_intents WHERE position_id = :p1 AND qty = 30 \gset
SELECT intent_id AS i2 FROM trade.order_intents WHERE position_id = :p1 AND qty = 70 \gset
SELECT qts.cancel_intent(:'i1', '');
\echo :SQLSTATE
SELECT qts.cancel_intent(:'i1', 'changed my mind');
SELECT qts.available_qty(:p1);
UPDATE trade.order_intents SET status = 'SUBMITTING' WHERE intent_id = :'i2';
INSERT INTO trade.orders (order_uid, account_id, trade_date, intent_id, position_id, symbol, side, order_type, qty)
VALUES ('00000000-0000-0000-0005-0000000000a1', '50000000-01', timezone('Asia/Seoul', qts._now())::date, :'i2', :p1,
	'005001', 'SELL', 'MKT', 70);
SELECT qts.cancel_intent(:'i2', 'too slow');
SELECT status, cancel_state, cancel_reason FROM trade.orders WHERE intent_id = :'i2';
SELECT qts.cancel_order('00000000-0000-0000-0005-0000000000a1', 'again');
SELECT qts.cancel_order('00000000-0000-0000-0005-00000000dead', 'again');
\echo :SQLSTATE

-- Unknown outcomes.
SELECT qts.resolve_order('00000000-0000-0000-0005-0000000000a1', 'NOT_ACCEPTED', reason => 'guess');
\echo :SQLSTATE
UPDATE trade.orders SET status = 'UNKNOWN', quarantined = true WHERE intent_id = :'i2';
UPDATE trade.order_intents SET status = 'UNKNOWN' WHERE intent_id = :'i2';
SELECT qts.resolve_order('00000000-0000-0000-0005-0000000000a1', 'MAYBE', reason => 'phone');
\echo :SQLSTATE
SELECT qts.resolve_order('00000000-0000-0000-0005-0000000000a1', 'ACCEPTED', reason => 'phone');
\echo :SQLSTATE
SELECT qts.resolve_order('00000000-0000-0000-0005-0000000000a1', 'NOT_ACCEPTED', '0000117057', 'phone');
\echo :SQLSTATE
SELECT qts.resolve_order('00000000-0000-0000-0005-0000000000a1', 'ACCEPTED', '0000117057', 'phone');
SELECT o.status, o.broker_order_no, o.quarantined, i.status AS intent FROM trade.orders o
JOIN trade.order_intents i USING (intent_id) WHERE intent_id = :'i2';
SELECT qts.exit(:p1) AS i3 \gset
UPDATE trade.order_intents SET status = 'SUBMITTING' WHERE intent_id = :'i3';
INSERT INTO trade.orders (order_uid, account_id, trade_date, intent_id, position_id, symbol, side, order_type, qty)
VALUES ('00000000-0000-0000-0005-0000000000a2', '50000000-01', timezone('Asia/Seoul', qts._now())::date, :'i3', :p1,
	'005001', 'SELL', 'MKT', 30);
UPDATE trade.orders SET status = 'UNKNOWN' WHERE intent_id = :'i3';
UPDATE trade.order_intents SET status = 'UNKNOWN' WHERE intent_id = :'i3';
DO $$
BEGIN
	PERFORM qts.resolve_order('00000000-0000-0000-0005-0000000000a2', 'ACCEPTED', '0000117057', 'phone');
EXCEPTION WHEN SQLSTATE 'QT006' THEN
	RAISE WARNING 'QT006: %', SQLERRM;
END $$;
SELECT qts.resolve_order('00000000-0000-0000-0005-0000000000a2', 'NOT_ACCEPTED', reason => 'not in the list');
SELECT o.status, o.rejected_qty, i.status AS intent FROM trade.orders o
JOIN trade.order_intents i USING (intent_id) WHERE intent_id = :'i3';
SELECT qts.available_qty(:p1);
SELECT qts.cancel_intent(:'i3', 'late');
\echo :SQLSTATE
SELECT qts.cancel_order('00000000-0000-0000-0005-0000000000a2', 'late');
\echo :SQLSTATE

-- Modes, stops, alerts.
SELECT qts.set_exit_mode('PAUSE_EVERYTHING', 'typo');
\echo :SQLSTATE
SELECT qts.set_exit_mode('PAUSE_ALL', 'maintenance');
SELECT qts.set_exit_mode('RUNNING', 'maintenance over');
SELECT mode, reason FROM trade.exit_control_history ORDER BY history_id DESC LIMIT 2;
SELECT qts.emergency_stop(NULL, 'x');
\echo :SQLSTATE
SELECT qts.emergency_stop(true, 'flash crash');
SELECT emergency_stop, reason FROM system.engine;
SELECT qts.emergency_stop(false, 'over');
SELECT qts._alert('WARNING', 'TEST', 'api', 'look at me', 'acknowledge it');
SELECT id AS alert FROM qts.alerts WHERE subject = 'api' \gset
SELECT severity, code, count, message, hint FROM qts.alerts WHERE subject = 'api';
SELECT qts.acknowledge_alert(:alert);
SELECT count(*) FROM qts.alerts WHERE subject = 'api';
SELECT qts.acknowledge_alert(:alert);
\echo :SQLSTATE
SELECT qts.acknowledge_alert(-1);
\echo :SQLSTATE

-- Views, masked and in order.
SELECT symbol, exits, qty, avail FROM qts.positions WHERE symbol LIKE '0050%' ORDER BY symbol;
SELECT symbol, side, price, qty, filled, status, number, cancel FROM qts.open_orders WHERE symbol LIKE '0050%';
SELECT account, symbol, qty, status, number, origin FROM qts.orders_today WHERE symbol LIKE '0050%' ORDER BY qty;
SELECT kind, what FROM qts.timeline(:p1);
SELECT count(*) FROM qts.check_invariants() WHERE subject LIKE '00000000-0000-0000-0005%';
SELECT qts.remove_account('50000000-01');
\echo :SQLSTATE
SELECT action, count(*) FROM system.audit_log
WHERE action NOT IN ('activate', 'deactivate') GROUP BY action ORDER BY action;
