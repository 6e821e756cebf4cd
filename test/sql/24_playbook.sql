-- The queries of docs/exits.md as they stand there (test/proof.pl compares): that they run counts.
\o /dev/null
SELECT qts.save_exit_profile('my_swing', 'Swing', '{
  "sl1": {"base_pct": -0.04, "min_pct": -0.03, "max_pct": -0.06},
  "sl2": {"base_pct": -0.06, "min_pct": -0.05, "max_pct": -0.10},
  "break_even": {"enabled": true, "trigger": 0.03, "buffer": 0.01},
  "time_stop": {"max_hold_days": 20, "no_momentum_days": 5, "no_momentum_profit": 0.02},
  "custom_rules": [
    {"id": "half_at_5", "condition": "profit_above", "threshold": 0.05, "qty_pct": 0.5, "priority": 1}]}');

SELECT state, reasons FROM qts.health();
SELECT mode, reason, updated_by FROM trade.exit_control;
SELECT symbol, exits, qty, avail, phase FROM qts.positions WHERE exits <> 'auto';
SELECT symbol, quarantine_reason FROM qts.position_details WHERE quarantine_reason IS NOT NULL;

SELECT p.symbol, CASE WHEN s.limits_date = (timezone('Asia/Seoul', qts._now()))::date THEN s.base_price
    ELSE qts.previous_close(p.symbol) END AS gap_base
FROM trade.positions AS p JOIN market.stocks AS s USING (symbol) WHERE p.status <> 'CLOSED';
SELECT p.symbol FROM trade.positions AS p CROSS JOIN LATERAL qts.explain_exit(p.position_id) AS e
WHERE p.status <> 'CLOSED' AND e.rule = 'TIME' AND e.triggered;

SELECT p.symbol, e.rule, e.threshold_price, e.distance_pct, e.blocked_by
FROM trade.positions AS p CROSS JOIN LATERAL qts.explain_exit(p.position_id) AS e
WHERE p.status <> 'CLOSED' AND e.enabled ORDER BY abs(e.distance_pct) NULLS LAST LIMIT 20;
SELECT last, severity, code, subject, message FROM qts.alerts ORDER BY last DESC LIMIT 20;

SELECT anchor, from_offset, until_offset, every FROM trade.exit_windows ORDER BY anchor DESC;
SELECT qts.set_exit_window('CLOSE', '-15 minutes', '1 minute', '250 milliseconds', 'closer looks');

SELECT exit_reason_code, count(*), sum(realized_pnl) AS pnl FROM trade.exit_events
WHERE exit_ts >= timezone('Asia/Seoul', date_trunc('day', timezone('Asia/Seoul', qts._now()))) GROUP BY 1 ORDER BY 1;
SELECT * FROM qts.check_invariants();

SELECT s.rule_name, min(abs(s.distance_pct)) AS nearest, count(*) FILTER (WHERE s.is_triggered) AS triggered
FROM trade.exit_signals AS s WHERE s.ts >= qts._now() - interval '1 day' GROUP BY 1 ORDER BY 1;

SELECT rule, sales, exits, win_pct, pnl, avg_pct, median_pct, median_held, slippage_bps FROM qts.rule_results ORDER BY pnl;
SELECT profile_id, profile_version, sales, pnl, avg_pct, first_sale, last_sale FROM qts.profile_results;
SELECT rule, sales, pnl FROM qts.rule_results(qts._now() - interval '30 days');
SELECT sold, symbol, rule, decided_price, fill_price, slippage_bps FROM qts.exit_sales ORDER BY slippage_bps DESC NULLS LAST LIMIT 10;

SELECT first_ts, lasted, symbol, rule, why, by_rule, farthest_pct FROM qts.missed_triggers(qts._now() - interval '1 day');
SELECT why, rule, count(*), max(lasted) FROM qts.missed_triggers GROUP BY 1, 2 ORDER BY 3 DESC;

SELECT rule, judged, back_5m, back_30m, back_close, back_close_pct, median_back, saved FROM qts.false_triggers;
SELECT decided, symbol, rule, threshold_price, back_after, saved FROM qts.stop_outcomes WHERE back_30m ORDER BY saved LIMIT 10;
SELECT rule, samples, breached, within_half, within_1, nearest_pct, p05_pct, median_pct FROM qts.rule_distances;
