-- The ownership matrix, whole: who may write which table, and every column that is restricted.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS qts;
SET client_min_messages = error;
SELECT qts.activate();
SELECT plan(12);

CREATE TEMP VIEW grants AS
	SELECT r.rolname AS role, c.oid::regclass::text AS tab, p.priv
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN pg_roles r
	CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) p (priv)
	WHERE n.nspname IN ('market', 'trade', 'system') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		AND r.rolname LIKE 'qts\_%' AND has_table_privilege(r.oid, c.oid, p.priv);

SELECT set_eq($$SELECT tab || ' ' || priv FROM grants WHERE role = 'qts_price' AND tab NOT LIKE 'system.%'$$, ARRAY[
	'market.stocks INSERT', 'market.stocks UPDATE', 'market.calendar INSERT', 'market.calendar UPDATE',
	'market.prices_best INSERT', 'market.prices_best UPDATE', 'market.prices_best DELETE', 'market.freshness INSERT',
	'market.freshness UPDATE', 'market.freshness DELETE', 'market.prices_ticks INSERT',
	'market.sync_jobs INSERT', 'market.sync_jobs UPDATE', 'market.sync_jobs DELETE', 'market.discrepancies INSERT',
	'market.discrepancies DELETE', 'market.reference_sync INSERT', 'market.reference_sync UPDATE', 'market.ohlcv_1d INSERT',
	'market.ohlcv_1d UPDATE'], 'prices owns market');
SELECT set_eq($$SELECT tab || ' ' || priv FROM grants WHERE role = 'qts_exit' AND tab NOT LIKE 'system.%'$$, ARRAY[
	'trade.position_state INSERT', 'trade.position_state UPDATE', 'trade.order_intents INSERT',
	'trade.exit_signals INSERT'], 'exit owns the exit state');
SELECT set_eq($$SELECT tab || ' ' || priv FROM grants WHERE role = 'qts_execution' AND tab NOT LIKE 'system.%'$$, ARRAY[
	'market.stocks INSERT', 'trade.positions INSERT', 'trade.orders INSERT', 'trade.orders UPDATE',
	'trade.holdings INSERT', 'trade.holdings UPDATE', 'trade.holdings DELETE', 'trade.account_sync INSERT',
	'trade.account_sync UPDATE', 'trade.notices INSERT', 'trade.fills INSERT', 'trade.exit_events INSERT'],
	'execution owns what the broker says');
SELECT set_eq($$SELECT role, tab || ' ' || priv FROM grants WHERE tab NOT LIKE 'system.%'
	AND role NOT IN ('qts_price', 'qts_exit', 'qts_execution')$$,
	$$SELECT unnest(ARRAY['qts_reentry', 'qts_router', 'qts_strategy']), 'trade.order_intents INSERT'$$,
	'the others want at most entries');
SELECT set_eq($$SELECT DISTINCT tab FROM grants WHERE tab LIKE 'system.%'$$,
	ARRAY['system.process_locks', 'system.alerts'], 'of system, heartbeats and alerts are written directly');
SELECT is_empty($$SELECT * FROM grants WHERE role IN ('qts_viewer', 'qts_operator', 'qts_admin')$$,
	'people write no table');
SELECT is_empty($$SELECT * FROM grants WHERE priv = 'TRUNCATE' OR (priv = 'DELETE' AND tab IN ('trade.order_intents',
	'trade.orders', 'trade.fills', 'trade.positions'))$$, 'nobody takes rows away');

CREATE TEMP VIEW columns AS
	SELECT r.rolname AS role, a.attrelid::regclass::text AS tab, a.attname::text AS col
	FROM pg_attribute a CROSS JOIN pg_roles r WHERE a.attrelid IN ('trade.positions'::regclass, 'trade.order_intents'::regclass,
		'trade.notices'::regclass, 'trade.accounts'::regclass, 'system.engine'::regclass, 'trade.exit_control'::regclass)
		AND a.attnum > 0 AND NOT a.attisdropped AND r.rolname LIKE 'qts\_%'
		AND has_column_privilege(r.oid, a.attrelid, a.attnum, 'UPDATE');
SELECT set_eq($$SELECT role || ' ' || col FROM columns WHERE tab = 'trade.positions'$$, ARRAY['qts_exit status',
	'qts_exit exit_mode', 'qts_exit exit_profile_id', 'qts_exit original_qty', 'qts_exit updated_ts', 'qts_execution qty',
	'qts_execution adjusted_qty', 'qts_execution avg_price', 'qts_execution quarantine_reason', 'qts_execution updated_ts'], 'columns of positions');
SELECT set_eq($$SELECT role || ' ' || col FROM columns WHERE tab = 'trade.order_intents'$$, ARRAY[
	'qts_exit effect_applied', 'qts_exit cancel_requested', 'qts_exit updated_ts', 'qts_execution status',
	'qts_execution filled_qty', 'qts_execution avg_fill_price', 'qts_execution error_code', 'qts_execution error_message',
	'qts_execution updated_ts'], 'columns of intents');
SELECT set_eq($$SELECT role || ' ' || tab || ' ' || col FROM columns WHERE tab NOT IN ('trade.positions', 'trade.order_intents')$$,
	ARRAY['qts_execution trade.notices order_uid', 'qts_execution trade.notices counted',
	'qts_execution trade.accounts updated_ts', 'qts_execution system.engine only_row', 'qts_exit system.engine only_row',
	'qts_execution trade.exit_control only_row', 'qts_exit trade.exit_control only_row'],
	'columns of rows that are only locked');

-- Who may call what.
CREATE FUNCTION pg_temp.callable(role text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT DISTINCT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'qts'::regnamespace AND p.proname NOT LIKE '\_%'
		AND has_function_privilege(role, p.oid, 'EXECUTE') $$;
SELECT set_eq($$SELECT pg_temp.callable('qts_viewer')$$, ARRAY['status', 'health', 'price', 'book', 'ticks', 'cache_stats', 'help', 'available_qty',
	'explain_exit', 'timeline', 'check_invariants', 'sessions', 'previous_close', 'backtest', 'backtest_events', 'backtest_days',
	'backtest_path', 'backtest_equity', 'backtest_summary', 'performance', 'trade_stats', 'replay', 'replay_path',
	'replay_svg', 'backtest_svg', 'exit_sales', 'rule_results', 'profile_results', 'missed_triggers', 'stop_outcomes',
	'false_triggers', 'rule_distances'],
	'a viewer looks');
SELECT set_eq($$SELECT pg_temp.callable('qts_admin') EXCEPT SELECT pg_temp.callable('qts_operator')$$,
	ARRAY['add_account', 'remove_account', 'set_account_rate', 'set_rate_limit', 'save_exit_profile', 'set_exit_window', 'set_position_profile', 'set_symbol_profile', 'set_ts_policy', 'enable_timescaledb', 'disable_timescaledb', 'deactivate', 'set_session',
	'set_trading_day', 'merge_calendar', 'import_calendar', 'import_stocks', 'import_daily_bars', 'import_minute_bars', 'import_file',
	'refresh_indicators', 'confirm_corporate_action'],
	'an admin sets up');
SELECT * FROM finish();
ROLLBACK;
