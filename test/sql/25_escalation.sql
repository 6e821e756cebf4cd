-- Levels of stale prices as they are stored: what the worker may set and take back, and whose a mode is.
\set VERBOSITY terse
\pset format unaligned
\pset footer off
CREATE VIEW pg_temp.control AS SELECT mode, reason, updated_by = session_user AS person, auto_level AS level, auto_mode,
	person_mode, overruled_by IS NOT NULL AS overruled FROM trade.exit_control;
SELECT count(*) AS before FROM system.audit_log WHERE action = 'escalate' \gset
SELECT qts.set_exit_mode('RUNNING', 'calm');

-- L2, then L3, then over: what a person had set is back.
SET SESSION AUTHORIZATION qts_exit;
SELECT qts._escalate('L2', true, 'half');
SELECT qts._escalate('L3', true, 'all');
RESET SESSION AUTHORIZATION;
SELECT * FROM pg_temp.control;
SELECT state, split_part(detail, ':', 1) AS detail FROM qts.status() WHERE kind = 'escalation';
SELECT qts._escalate(NULL, true, 'over');
SELECT * FROM pg_temp.control;
SELECT mode, reason FROM (SELECT * FROM trade.exit_control_history ORDER BY history_id DESC LIMIT 4) AS h ORDER BY history_id;

-- Stricter already: left alone, and taken back is nothing.
SELECT qts.set_exit_mode('PAUSE_ALL', 'mine');
SELECT qts._escalate('L2', true, 'half');
SELECT * FROM pg_temp.control;
SELECT qts._escalate(NULL, true, 'over');

-- Less strict: rises above it and comes back to it.
SELECT qts.set_exit_mode('PAUSE_PROFIT', 'mine');
SELECT qts._escalate('L3', true, 'all');
SELECT qts._escalate(NULL, true, 'over');
SELECT * FROM pg_temp.control;

-- Overruled: no level of the same trouble sets it again, and it stays.
SELECT qts.set_exit_mode('RUNNING', 'calm');
SELECT qts._escalate('L2', true, 'half');
SELECT qts.set_exit_mode('RUNNING', 'I am looking');
SELECT qts._escalate('L3', true, 'all');
SELECT * FROM pg_temp.control;
SELECT qts._escalate(NULL, true, 'over');
SELECT * FROM pg_temp.control;

-- A mode written around the API is a person's too.
SELECT qts._escalate('L2', true, 'half');
UPDATE trade.exit_control SET mode = 'RUNNING', reason = 'by hand';
SELECT qts._escalate('L3', true, 'all');
SELECT qts._escalate(NULL, true, 'over');
SELECT qts.set_exit_mode('RUNNING', 'calm');

-- Alerts only.
SELECT qts._escalate('L3', false, 'all');
SELECT * FROM pg_temp.control;
SELECT qts._escalate(NULL, false, 'over');

-- Every call left its row; nobody else may call.
SELECT count(*) - :before AS audited FROM system.audit_log WHERE action = 'escalate';
SET SESSION AUTHORIZATION qts_execution;
SELECT qts._escalate('L3', true, 'not mine');
SELECT qts._hold_back('00000000-0000-0000-0000-000000000000', true, 'not mine');
RESET SESSION AUTHORIZATION;

-- A position.
SELECT s.position_id FROM trade.position_state AS s JOIN trade.positions AS p USING (position_id)
WHERE p.status <> 'CLOSED' ORDER BY 1 LIMIT 1 \gset
BEGIN;
SELECT qts._hold_back(:'position_id', true, 'stale'), qts._hold_back(:'position_id', true, 'twice');
SELECT hold, hold_ts IS NOT NULL AS since FROM trade.position_state WHERE position_id = :'position_id';
SELECT qts.set_position_exit_mode(:'position_id', 'ENABLED', 'I am looking');
SELECT exits FROM qts.positions WHERE position_id = :'position_id';
SELECT hold FROM qts.position_details WHERE position_id = :'position_id';
SELECT qts._hold_back(:'position_id', true, 'again');
SELECT qts._hold_back(:'position_id', false, 'over');
SELECT hold, hold_ts FROM trade.position_state WHERE position_id = :'position_id';
SELECT action, before ->> 'hold' AS was, after ->> 'hold' AS now FROM system.audit_log
WHERE object = :'position_id' AND action IN ('hold_back', 'release_hold') ORDER BY audit_id;
ROLLBACK;
