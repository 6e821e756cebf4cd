\set SHOW_CONTEXT never
-- Numbers are fractions: a percentage is refused with what would be right.
SELECT qts.save_exit_profile('p', 'P', '{"tp1": {"base_pct": 60}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"sl1": {"base_pct": 0.03}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"sl1": {"base_pct": -0.03, "min_pct": -0.04}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"tp1": {"qty_pct": 25}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"tp1": {"stop_floor_profit": 0.6}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"hardstop": {"enabled": true, "pct": -0.07}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"tp2": {"base_pct": 0.06, "min_pct": 0.05, "max_pct": 0.07}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"atr": {"factor_min": 1.6, "factor_max": 0.7}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"trailing": {"atr_k": 200}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"confirm": {"ticks": 0}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"confirm": {"ticks": 1.5}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"sl1": {"base_pct": "-0.03"}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"sl1": {"base_pct": -0.00000001}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"sl1": {"base_pct": 1e300}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"sl1": -0.03}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"hardstop": {"enabled": "yes"}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"sl1": {"base_pct": -0.6, "max_pct": -0.7}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"gap_down": {"pct": 0.05}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"gap_down": {"pct": -0.5}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"gap_down": {"window_sec": 3600}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"break_even": {"enabled": true, "trigger": 0.01, "buffer": 0.01}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"time_stop": {"max_hold_days": -1}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"time_stop": {"no_momentum_profit": 0.6}}');
\echo :SQLSTATE
-- Rules that could never act.
SELECT qts.save_exit_profile('p', 'P', '{"sl1": {"base_pct": -0.05}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"sl1": {"max_pct": 0}, "sl2": {"max_pct": -0.051}, "atr": {"factor_max": 3}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"tp1": {"qty_pct": 1}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"tp1": {"base_pct": 0.03, "min_pct": 0.02, "stop_floor_profit": 0.02}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"time_stop": {"no_momentum_days": 10}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": [{"id": "late", "condition": "profit_below", "threshold": -0.1, "qty_pct": 0.5}]}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": [{"id": "all", "condition": "profit_above", "threshold": 0.05, "qty_pct": 1}]}');
\echo :SQLSTATE
-- Rules of the user's own.
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": {"id": "x"}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": [{"id": "x", "condition": "profit_above", "threshold": 0.05}]}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": [{"id": "x y", "condition": "profit_above", "threshold": 0.05, "qty_pct": 0.1}]}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": [{"id": "x", "condition": "profit_up", "threshold": 0.05, "qty_pct": 0.1}]}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": [{"id": "x", "condition": "profit_below", "threshold": 0.05, "qty_pct": 0.1}]}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": [{"id": "x", "condition": "profit_above", "threshold": 5, "qty_pct": 0.1}]}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": [{"id": "x", "condition": "profit_above", "threshold": 0.05, "qty_pct": 50}]}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": [{"id": "x", "condition": "profit_above", "threshold": 0.05, "qty_pct": 0.1}, {"id": "x", "condition": "profit_above", "threshold": 0.06, "qty_pct": 0.1}]}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"custom_rules": [{"id": "x", "condition": "profit_above", "threshold": 0.05, "qty_pct": 0.1, "when": "now"}]}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', jsonb_build_object('custom_rules', (SELECT jsonb_agg(jsonb_build_object('id', 'r' || g,
	'condition', 'profit_above', 'threshold', 0.05, 'qty_pct', 0.1)) FROM generate_series(1, 9) AS g)));
\echo :SQLSTATE
-- Unknown names are refused with those there are.
SELECT qts.save_exit_profile('p', 'P', '{"sl1_pct": -3.0}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"gap_down": {"threshold": -0.05}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"trailing": {"pct": 0.04}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"sl2": {"stop_floor_profit": 0.01}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '{"gap_up": {"enabled": true}}');
\echo :SQLSTATE
SELECT qts.save_exit_profile('p', 'P', '[]');
\echo :SQLSTATE
SELECT qts.save_exit_profile('no spaces', 'P', '{}');
\echo :SQLSTATE
-- Not around the function either.
INSERT INTO trade.exit_profiles (profile_id, name, config) VALUES ('p', 'P', '{"sl1": {"base_pct": 3}}');
\echo :SQLSTATE
UPDATE trade.exit_profiles SET config = '{"sl1": {"base_pct": 3}}' WHERE profile_id = 'low_vol';
\echo :SQLSTATE

-- Missing blocks and keys take the default's numbers.
SELECT qts.save_exit_profile('p', 'Mine', '{}', 'all defaults');
SELECT qts.save_exit_profile('p', 'Mine', '{"sl1": {"qty_pct": 0.4}, "confirm": {"min_sec": 0.5}, "hardstop": {"enabled": false}}');
SELECT profile_id, name, description, version, is_active FROM trade.exit_profiles WHERE profile_id = 'p';

INSERT INTO market.stocks (symbol, name, market) VALUES ('006001', 'Profiles', 'KOSPI');
INSERT INTO trade.accounts (account_id, environment) VALUES ('60000000-01', 'paper');
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts, exit_mode)
VALUES ('00000000-0000-0000-0006-000000000001', '60000000-01', '006001', 100, 100, 10000, now(), 'ENABLED');
\set p1 '''00000000-0000-0000-0006-000000000001'''
SELECT qts.set_position_profile(:p1, 'nosuch');
\echo :SQLSTATE
SELECT qts.set_symbol_profile('nosuch', 'p');
\echo :SQLSTATE
SELECT qts.set_symbol_profile('006001', 'nosuch');
\echo :SQLSTATE

-- Thresholds: position over symbol over default; there is no price here.
SELECT rule, enabled, threshold_price, threshold_pct, distance_pct, triggered, blocked_by FROM qts.explain_exit(:p1);
SELECT qts.set_symbol_profile('006001', 'high_beta');
SELECT rule, threshold_pct FROM qts.explain_exit(:p1);
SELECT qts.set_symbol_profile('006001', 'high_beta', timezone('Asia/Seoul', qts._now())::date + 1);
SELECT threshold_pct FROM qts.explain_exit(:p1) WHERE rule = 'SL1';
SELECT qts.set_position_profile(:p1, 'low_vol');
SELECT threshold_pct FROM qts.explain_exit(:p1) WHERE rule = 'SL1';
-- An inactive profile falls through.
UPDATE trade.exit_profiles SET is_active = false WHERE profile_id = 'low_vol';
SELECT threshold_pct FROM qts.explain_exit(:p1) WHERE rule = 'SL1';
UPDATE trade.exit_profiles SET is_active = true WHERE profile_id = 'low_vol';
SELECT qts.set_position_profile(:p1, NULL);
SELECT qts.set_symbol_profile('006001', NULL);
SELECT enabled FROM trade.symbol_exit_overrides WHERE symbol = '006001';
-- ATR widens, within bounds; phases choose the rules.
INSERT INTO trade.position_state (position_id, atr_pct) VALUES (:p1, 0.04);
SELECT rule, threshold_price, threshold_pct FROM qts.explain_exit(:p1);
UPDATE trade.position_state SET phase = 'TP1_DONE', stop_floor_price = 10060, hwm_price = 10800 WHERE position_id = :p1;
SELECT rule, enabled, threshold_price, blocked_by FROM qts.explain_exit(:p1);
UPDATE trade.position_state SET phase = 'TRAILING_ACTIVE' WHERE position_id = :p1;
SELECT rule, enabled, threshold_price FROM qts.explain_exit(:p1);
SELECT * FROM qts.explain_exit('00000000-0000-0000-0006-00000000dead');
\echo :SQLSTATE
