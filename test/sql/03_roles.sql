-- The ownership matrix: each worker writes what it owns and nothing else.
\set SHOW_CONTEXT never
INSERT INTO market.stocks (symbol, name, market) VALUES ('003001', 'Roles', 'KOSPI');
INSERT INTO trade.accounts (account_id, environment) VALUES ('30000000-01', 'paper');
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts)
VALUES ('00000000-0000-0000-0003-000000000001', '30000000-01', '003001', 10, 10, 1000, now());
INSERT INTO trade.position_state (position_id) VALUES ('00000000-0000-0000-0003-000000000001');

\set VERBOSITY sqlstate
SET ROLE qts_exit;
UPDATE market.prices_best SET best_price = 1;
UPDATE trade.positions SET status = 'CLOSING' WHERE symbol = '003001';
UPDATE trade.positions SET status = 'OPEN' WHERE symbol = '003001';
UPDATE trade.positions SET original_qty = 12 WHERE symbol = '003001';
UPDATE trade.position_state SET hwm_price = 1100;
UPDATE trade.positions SET qty = 9 WHERE symbol = '003001';
UPDATE trade.positions SET avg_price = 9 WHERE symbol = '003001';
INSERT INTO trade.exit_events (position_id, account_id, symbol, exit_ts, exit_qty, exit_avg_price, exit_reason_code, source)
VALUES ('00000000-0000-0000-0003-000000000001', '30000000-01', '003001', now(), 1, 1, 'TP1', 'AUTO_EXIT');
UPDATE trade.orders SET status = 'FILLED';
UPDATE trade.order_intents SET status = 'NEW';
UPDATE trade.exit_control SET mode = 'PAUSE_ALL';
DELETE FROM trade.order_intents;
SELECT qts.exit('00000000-0000-0000-0003-000000000001');
-- It may hold the halt row still, and change nothing in it.
SELECT only_row FROM trade.exit_control FOR SHARE;

SET ROLE qts_execution;
UPDATE trade.position_state SET phase = 'EXITED';
UPDATE trade.positions SET qty = 9 WHERE symbol = '003001';
UPDATE trade.positions SET status = 'CLOSING' WHERE symbol = '003001';
UPDATE trade.positions SET exit_mode = 'ENABLED' WHERE symbol = '003001';
UPDATE trade.positions SET version = 7 WHERE symbol = '003001';
UPDATE trade.order_intents SET qty = 1;
INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('30000000-01', '00000000-0000-0000-0003-000000000001', '003001', 'EXIT_FULL', 9, 'SL1', 'x', 'EXIT');
UPDATE trade.accounts SET status = 'PAUSED';
UPDATE system.engine SET emergency_stop = false;
UPDATE market.prices_best SET best_price = 1;
DELETE FROM trade.fills;
UPDATE trade.notices SET qty = 1;
SELECT active FROM system.engine FOR SHARE;

SET ROLE qts_price;
UPDATE trade.positions SET qty = 8;
INSERT INTO trade.fills (account_id, order_uid, symbol, side, qty, price, source, dedupe_key, ts)
VALUES ('30000000-01', gen_random_uuid(), '003001', 'BUY', 1, 1, 'WS', 'x', now());
INSERT INTO market.prices_best (symbol, best_price, best_source, best_ts, updated_ts)
VALUES ('003001', 1000, 'KIS_WS', now(), now());
SELECT count(*) FROM trade.positions WHERE symbol = '003001';

SET ROLE qts_monitor;
UPDATE trade.positions SET qty = 8;
SELECT qts._alert('INFO', 'TEST', '003001', 'hello');
SELECT qts._alert('INFO', 'TEST', '003001', 'hello again');
SELECT count, message FROM system.alerts WHERE subject = '003001';
SELECT * FROM system.audit_log;

-- Who may want what.
SET ROLE qts_exit;
INSERT INTO trade.order_intents (account_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('30000000-01', '003001', 'ENTRY', 1, 'PICK', 'r1', 'ROUTER');
INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('30000000-01', '00000000-0000-0000-0003-000000000001', '003001', 'EXIT_PARTIAL', 1, 'SL1', 'r2', 'MANUAL');
INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('30000000-01', '00000000-0000-0000-0003-000000000001', '003001', 'EXIT_PARTIAL', 1, 'SL1', 'r3', 'EXIT');
SET ROLE qts_router;
INSERT INTO trade.order_intents (account_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('30000000-01', '003001', 'ENTRY', 1, 'PICK', 'r4', 'REENTRY');
INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('30000000-01', '00000000-0000-0000-0003-000000000001', '003001', 'EXIT_PARTIAL', 1, 'SL1', 'r5', 'EXIT');
INSERT INTO trade.order_intents (account_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('30000000-01', '003001', 'ENTRY', 1, 'PICK', 'r6', 'ROUTER');
SET ROLE qts_reentry;
INSERT INTO trade.order_intents (account_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('30000000-01', '003001', 'ENTRY', 1, 'AGAIN', 'r7', 'REENTRY');
SET ROLE qts_risk;
INSERT INTO trade.order_intents (account_id, symbol, intent_type, qty, reason_code, action_key, source_module)
VALUES ('30000000-01', '003001', 'ENTRY', 1, 'AGAIN', 'r8', 'ROUTER');
RESET ROLE;
SELECT action_key, source_module, status FROM trade.order_intents WHERE symbol = '003001' ORDER BY action_key;

-- People act through functions only.
SET ROLE qts_viewer;
SELECT count(*) FROM qts.positions WHERE symbol = '003001';
SELECT qts.available_qty('00000000-0000-0000-0003-000000000001');
SELECT * FROM trade.positions;
SELECT * FROM qts.check_invariants() WHERE subject = 'nothing';
SELECT qts.set_exit_mode('PAUSE_ALL', 'no');
SELECT qts._audit('a', 'b', 'c', NULL, NULL);
SET ROLE qts_operator;
SELECT count(*) FROM qts.positions WHERE symbol = '003001';
SELECT qts.set_exit_mode('PAUSE_PROFIT', 'operator test');
SELECT qts.set_exit_mode('RUNNING', 'operator test');
UPDATE trade.exit_control SET mode = 'PAUSE_ALL';
SELECT qts.pause_account('30000000-01', 'operator test');
SELECT qts.resume_account('30000000-01');
SELECT qts.save_exit_profile('a', 'A', '{}');
SELECT qts.activate();
SET ROLE qts_admin;
SELECT qts.save_exit_profile('admins', 'Admins', '{}');
SELECT count(*) > 0 AS sees_audit FROM system.audit_log;
UPDATE trade.exit_profiles SET name = 'x';
RESET ROLE;
