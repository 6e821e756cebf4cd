-- Made to be read in psql: KST times, masked accounts, no more than 120 columns wide.
CREATE OR REPLACE VIEW qts.positions WITH (security_barrier) AS
SELECT p.position_id, p.symbol, CASE p.exit_mode WHEN 'ENABLED' THEN CASE WHEN s.hold = 'HELD' THEN 'held' ELSE 'auto' END
	WHEN 'DISABLED' THEN 'off' ELSE 'manual' END
	AS exits, p.qty, greatest(p.qty - qts._locked_qty(p.position_id), 0) AS avail, b.best_price AS price,
	((b.best_price - p.avg_price) * p.qty)::bigint AS pnl,
	CASE s.phase WHEN 'TRAILING_ACTIVE' THEN 'TRAIL' ELSE replace(s.phase, '_DONE', '') END AS phase,
	s.stop_floor_price::bigint AS floor, s.hwm_price::bigint AS hwm
FROM trade.positions AS p
LEFT JOIN trade.position_state AS s ON s.position_id = p.position_id
LEFT JOIN market.prices_best AS b ON b.symbol = p.symbol
WHERE p.status <> 'CLOSED';

-- Everything about every position, for \x and for programs.
CREATE OR REPLACE VIEW qts.position_details WITH (security_barrier) AS
SELECT p.position_id, qts._mask(p.account_id) AS account, p.symbol, p.status, p.exit_mode, p.exit_profile_id, p.qty,
	greatest(p.qty - qts._locked_qty(p.position_id), 0) AS available_qty, p.original_qty, p.avg_price, b.best_price,
	b.best_source, b.is_stale, ((b.best_price - p.avg_price) * p.qty)::bigint AS pnl,
	(100 * (b.best_price - p.avg_price) / p.avg_price)::numeric(9,2) AS pnl_pct, s.phase, s.exit_cycle,
	s.stop_floor_price, s.hwm_price, s.atr_pct, s.hold, p.quarantine_reason, p.strategy_id, p.version,
	qts._kst(p.entry_ts) AS entered, qts._kst(p.updated_ts) AS updated
FROM trade.positions AS p
LEFT JOIN trade.position_state AS s ON s.position_id = p.position_id
LEFT JOIN market.prices_best AS b ON b.symbol = p.symbol;

CREATE OR REPLACE VIEW qts.intents WITH (security_barrier) AS
SELECT i.intent_id, i.symbol, CASE i.intent_type WHEN 'ENTRY' THEN 'BUY' ELSE 'SELL' END AS side, i.qty,
	i.filled_qty AS filled, i.reason_code AS reason, i.status, to_char(qts._kst(i.created_ts), 'MM-DD HH24:MI') AS created
FROM trade.order_intents AS i;

CREATE OR REPLACE VIEW qts.intent_details WITH (security_barrier) AS
SELECT i.intent_id, qts._mask(i.account_id) AS account, i.position_id, i.symbol, i.intent_type, i.qty, i.filled_qty,
	i.avg_fill_price, i.order_type, i.limit_price, i.reason_code, i.reason_detail, i.action_key, i.exit_cycle, i.phase,
	i.priority, i.source_module, i.status, i.cancel_requested, i.decided_price, i.threshold_price, i.error_code,
	i.error_message, i.created_by, qts._kst(i.created_ts) AS created, qts._kst(i.updated_ts) AS updated
FROM trade.order_intents AS i;

CREATE OR REPLACE VIEW qts.open_orders WITH (security_barrier) AS
SELECT o.order_uid, o.symbol, o.side, o.limit_price AS price, o.qty, o.filled_qty AS filled, o.status,
	o.broker_order_no AS number, o.cancel_state AS cancel
FROM trade.orders AS o WHERE o.status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL');

CREATE OR REPLACE VIEW qts.orders_today WITH (security_barrier) AS
SELECT qts._kst(o.created_ts)::time(0) AS created, qts._mask(o.account_id) AS account, o.symbol, o.side,
	o.order_type AS type, o.limit_price AS price, o.qty, o.filled_qty AS filled, o.avg_fill_price::numeric(12,1) AS avg,
	o.status, o.broker_order_no AS number, o.origin
FROM trade.orders AS o WHERE o.trade_date = timezone('Asia/Seoul', qts._now())::date;

CREATE OR REPLACE VIEW qts.fills_today WITH (security_barrier) AS
SELECT qts._kst(f.ts)::time(0) AS filled, qts._mask(f.account_id) AS account, f.symbol, f.side, f.qty,
	f.price::numeric(12,1) AS price, (f.qty * f.price)::bigint AS amount, f.fee, f.tax, f.source
FROM trade.fills AS f
WHERE f.ts >= timezone('Asia/Seoul', date_trunc('day', timezone('Asia/Seoul', qts._now())));

CREATE OR REPLACE VIEW qts.exits WITH (security_barrier) AS
SELECT to_char(qts._kst(x.exit_ts), 'YYYY-MM-DD HH24:MI') AS closed, x.symbol, x.exit_qty AS qty,
	x.exit_avg_price::numeric(12,1) AS avg, x.exit_reason_code AS reason, x.source, x.realized_pnl AS pnl,
	(100 * x.realized_pnl_pct)::numeric(8,2) AS pct, x.fees, x.taxes
FROM trade.exit_events AS x;

CREATE OR REPLACE VIEW qts.alerts WITH (security_barrier) AS
SELECT a.alert_id AS id, qts._kst(a.last_ts)::timestamp(0) AS last, a.severity, a.code, a.subject, a.count,
	left(a.message, 200) AS message, a.hint
FROM system.alerts AS a WHERE a.acknowledged_ts IS NULL;

CREATE OR REPLACE VIEW qts.metrics WITH (security_barrier) AS
SELECT m.name, m.labels, m.value, m.help, m.type FROM qts._metrics() AS m
UNION ALL
SELECT p.name, p.labels, p.value, p.help, p.type FROM qts._price_metrics() AS p
UNION ALL
SELECT r.name, r.labels, r.value, r.help, r.type FROM qts._reference_metrics() AS r;

CREATE OR REPLACE VIEW qts.ts_policy WITH (security_barrier) AS
SELECT p.table_name, p.chunk, p.ahead, p.retention, p.compress_after, p.enabled, count(i.inhrelid) AS partitions,
	CASE WHEN p.table_name = 'market.ticks_history' THEN qts._history_bytes() WHEN p.chunk IS NULL THEN pg_total_relation_size(max(c.oid))
		ELSE coalesce(sum(pg_total_relation_size(i.inhrelid)), 0) END::bigint AS bytes, p.pack_into, p.updated_by, qts._kst(p.updated_ts) AS updated
FROM system.ts_policy AS p
LEFT JOIN pg_namespace AS n ON n.nspname = split_part(p.table_name, '.', 1)
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = split_part(p.table_name, '.', 2)
LEFT JOIN pg_inherits AS i ON i.inhparent = c.oid
GROUP BY p.table_name;

CREATE OR REPLACE VIEW qts.upkeep WITH (security_barrier) AS
SELECT u.task, qts._kst(u.watermark) AS done_until, u.rows, qts._kst(u.last_run) AS last_run, u.last_error,
	qts._kst(u.last_error_ts) AS failed
FROM system.upkeep AS u;
