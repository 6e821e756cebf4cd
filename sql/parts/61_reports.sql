-- What the exit rules brought (docs/exits.md, Reports).  Each report is a function of a span
-- of time, and a view of the same name over everything that is kept.  plpgsql with custom
-- plans: only so a span reaches indexes and partitions.

-- Versions of every profile and when they held, by the audit log.
CREATE OR REPLACE FUNCTION qts._profile_versions(OUT profile_id text, OUT version integer, OUT from_ts timestamptz,
	OUT until_ts timestamptz) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH saved AS (SELECT a.object, a.before, a.after, coalesce(a.engine_ts, a.ts) AS ts,
			row_number() OVER w AS n, lead(coalesce(a.engine_ts, a.ts)) OVER w AS next
		FROM system.audit_log AS a WHERE a.action = 'save_exit_profile' WINDOW w AS (PARTITION BY a.object ORDER BY a.audit_id))
	SELECT s.object, (s.after ->> 'version')::integer, s.ts, coalesce(s.next, 'infinity') FROM saved AS s
	UNION ALL
	SELECT s.object, (s.before ->> 'version')::integer, '-infinity', s.ts FROM saved AS s
	WHERE s.n = 1 AND s.before ->> 'version' IS NOT NULL
	UNION ALL
	SELECT e.profile_id, e.version, '-infinity', 'infinity' FROM trade.exit_profiles AS e
	WHERE NOT EXISTS (SELECT FROM saved AS s WHERE s.object = e.profile_id);
END;

-- One row per order that sold: by which rule, what it brought, and how far from the price
-- that was decided on.
CREATE OR REPLACE FUNCTION qts.exit_sales(from_ts timestamptz DEFAULT NULL, until_ts timestamptz DEFAULT NULL)
RETURNS TABLE (sold_ts timestamptz, symbol text, rule text, profile_id text, profile_version integer, qty bigint,
	avg_price numeric, threshold_price numeric, decided_price numeric, fill_price numeric, pnl bigint, pnl_pct numeric,
	fees bigint, taxes bigint, overshoot_bps numeric, slippage_bps numeric, held interval, closed boolean,
	decided_ts timestamptz, position_id uuid, intent_id uuid, order_uid uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY WITH sold AS MATERIALIZED (SELECT f.order_uid, f.position_id, max(f.ts) AS ts, sum(f.qty)::bigint AS qty,
			sum(f.qty * f.price) AS amount, sum(f.qty * f.avg_price) / sum(f.qty) AS avg_price, sum(f.fee)::bigint AS fees, sum(f.tax)::bigint AS taxes
		FROM trade.fills AS f WHERE f.side = 'SELL' AND f.position_id IS NOT NULL
			AND f.ts >= coalesce(exit_sales.from_ts, '-infinity') AND f.ts < coalesce(exit_sales.until_ts, 'infinity') GROUP BY 1, 2),
	sale AS (SELECT s.order_uid, s.position_id, s.ts, s.qty, s.amount, round(coalesce(s.avg_price, p.avg_price), 4) AS avg_price,
			s.fees, s.taxes, p.symbol, p.entry_ts, i.intent_id, i.threshold_price, i.decided_price,
			coalesce(i.reason_code || coalesce(':' || i.rule_id, ''), CASE WHEN o.channel ~ '^[0-9]+$' THEN 'BROKER' ELSE 'MANUAL' END)
				AS rule,
			coalesce(i.created_ts, o.created_ts) AS decided_ts, coalesce(g.profile_id, n.profile_id, p.exit_profile_id) AS profile_id
		FROM sold AS s JOIN trade.orders AS o ON o.order_uid = s.order_uid JOIN trade.positions AS p ON p.position_id = s.position_id
		LEFT JOIN trade.order_intents AS i ON i.intent_id = o.intent_id
		LEFT JOIN LATERAL (SELECT x.profile_id FROM trade.exit_signals AS x WHERE x.position_id = i.position_id
			AND x.ts = i.created_ts AND x.is_triggered AND x.intent_id = i.intent_id LIMIT 1) AS g ON true
		-- of a sale by hand: the profile of the last sample before it
		LEFT JOIN LATERAL (SELECT x.profile_id FROM trade.exit_signals AS x WHERE g.profile_id IS NULL
			AND x.position_id = s.position_id AND x.ts <= coalesce(i.created_ts, o.created_ts)
			AND x.ts > coalesce(i.created_ts, o.created_ts) - interval '7 days' ORDER BY x.ts DESC LIMIT 1) AS n ON true)
	SELECT s.ts, s.symbol, s.rule, s.profile_id, v.version, s.qty, s.avg_price, s.threshold_price, s.decided_price,
		round(s.amount / s.qty, 4), r.pnl::bigint, round(100 * r.pnl / (s.avg_price * s.qty), 4), s.fees, s.taxes,
		round(10000 * abs(s.threshold_price - s.decided_price) / s.threshold_price, 1),
		round(10000 * (s.decided_price - s.amount / s.qty) / s.decided_price, 1), s.ts - s.entry_ts,
		EXISTS (SELECT FROM trade.exit_events AS e WHERE e.position_id = s.position_id
			AND (e.intent_id = s.intent_id OR e.intent_id IS NULL AND s.intent_id IS NULL AND e.exit_ts = s.ts)),
		s.decided_ts, s.position_id, s.intent_id, s.order_uid
	FROM sale AS s CROSS JOIN LATERAL (SELECT s.amount - s.avg_price * s.qty - s.fees - s.taxes AS pnl) AS r
	LEFT JOIN qts._profile_versions() AS v ON v.profile_id = s.profile_id AND s.decided_ts >= v.from_ts AND s.decided_ts < v.until_ts;
END $$;

CREATE OR REPLACE FUNCTION qts._exit_results(from_ts timestamptz, until_ts timestamptz, by_rule boolean)
RETURNS TABLE (rule text, profile_id text, profile_version integer, sales bigint, exits bigint, shares bigint, wins bigint,
	losses bigint, win_pct numeric, pnl bigint, avg_pct numeric, median_pct numeric, fees bigint, taxes bigint,
	avg_held interval, median_held interval, overshoot_bps numeric, slippage_bps numeric, worst_slippage_bps numeric,
	first_ts timestamptz, last_ts timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT k.rule, k.profile_id, k.version, count(*), count(*) FILTER (WHERE s.closed), sum(s.qty)::bigint,
		count(*) FILTER (WHERE s.pnl > 0), count(*) FILTER (WHERE s.pnl < 0),
		round(100.0 * count(*) FILTER (WHERE s.pnl > 0) / count(*), 1), sum(s.pnl)::bigint, round(avg(s.pnl_pct), 4),
		round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.pnl_pct::float8)::numeric, 4), sum(s.fees)::bigint, sum(s.taxes)::bigint,
		date_trunc('second', avg(s.held)), date_trunc('second', percentile_cont(0.5) WITHIN GROUP (ORDER BY s.held)),
		round(avg(s.overshoot_bps), 1), round(avg(s.slippage_bps), 1), max(s.slippage_bps), min(s.sold_ts), max(s.sold_ts)
	FROM qts.exit_sales(_exit_results.from_ts, _exit_results.until_ts) AS s
	CROSS JOIN LATERAL (SELECT CASE WHEN by_rule THEN s.rule END AS rule, CASE WHEN NOT by_rule THEN s.profile_id END AS profile_id,
		CASE WHEN NOT by_rule THEN s.profile_version END AS version) AS k GROUP BY 1, 2, 3;
END;

CREATE OR REPLACE FUNCTION qts.rule_results(from_ts timestamptz DEFAULT NULL, until_ts timestamptz DEFAULT NULL)
RETURNS TABLE (rule text, sales bigint, exits bigint, shares bigint, wins bigint, losses bigint, win_pct numeric, pnl bigint,
	avg_pct numeric, median_pct numeric, fees bigint, taxes bigint, avg_held interval, median_held interval,
	overshoot_bps numeric, slippage_bps numeric, worst_slippage_bps numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT r.rule, r.sales, r.exits, r.shares, r.wins, r.losses, r.win_pct, r.pnl, r.avg_pct, r.median_pct, r.fees, r.taxes,
		r.avg_held, r.median_held, r.overshoot_bps, r.slippage_bps, r.worst_slippage_bps
	FROM qts._exit_results(rule_results.from_ts, rule_results.until_ts, true) AS r ORDER BY r.rule;
END;

CREATE OR REPLACE FUNCTION qts.profile_results(from_ts timestamptz DEFAULT NULL, until_ts timestamptz DEFAULT NULL)
RETURNS TABLE (profile_id text, profile_version integer, sales bigint, exits bigint, shares bigint, wins bigint,
	losses bigint, win_pct numeric, pnl bigint, avg_pct numeric, median_pct numeric, fees bigint, taxes bigint,
	avg_held interval, median_held interval, overshoot_bps numeric, slippage_bps numeric, worst_slippage_bps numeric,
	first_ts timestamptz, last_ts timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT r.profile_id, r.profile_version, r.sales, r.exits, r.shares, r.wins, r.losses, r.win_pct, r.pnl, r.avg_pct, r.median_pct,
		r.fees, r.taxes, r.avg_held, r.median_held, r.overshoot_bps, r.slippage_bps, r.worst_slippage_bps, r.first_ts, r.last_ts
	FROM qts._exit_results(profile_results.from_ts, profile_results.until_ts, false) AS r ORDER BY 1, 2;
END;

-- Severity of a rule as core/exit.c has it; a custom rule below the average price is a stop.
CREATE OR REPLACE FUNCTION qts._rule_severity(rule text, below boolean) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE split_part(rule, ':', 1) WHEN 'EMERGENCY' THEN 120 WHEN 'HARD_STOP' THEN 120 WHEN 'GAP_DOWN' THEN 110
	WHEN 'SL2' THEN 100 WHEN 'SL1' THEN 90 WHEN 'STOP_FLOOR' THEN 80 WHEN 'BREAK_EVEN' THEN 80
	WHEN 'CUSTOM' THEN CASE WHEN below THEN 70 ELSE 35 END WHEN 'MANUAL' THEN 40 WHEN 'TP3' THEN 30 WHEN 'TP2' THEN 20
	WHEN 'TP1' THEN 10 WHEN 'TRAIL' THEN 5 WHEN 'TRAIL_PARTIAL' THEN 5 ELSE 1 END;

-- A rule whose condition held in two or more samples in a row, for at least its confirmation, while
-- it had no intent of its own; and what kept it.
CREATE OR REPLACE FUNCTION qts.missed_triggers(from_ts timestamptz DEFAULT NULL, until_ts timestamptz DEFAULT NULL)
RETURNS TABLE (first_ts timestamptz, lasted interval, symbol text, rule text, why text, by_rule text, control_mode text,
	profile_id text, threshold_price numeric, first_price numeric, farthest_pct numeric, last_pct numeric, samples bigint,
	position_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
	-- an intent this long after the last sample is what the condition led to
	grace interval := greatest(current_setting('qts.exit_signal_interval')::interval, interval '1 minute');
BEGIN
	RETURN QUERY WITH true_once AS MATERIALIZED (SELECT DISTINCT x.position_id, x.rule_name FROM trade.exit_signals AS x
		WHERE x.breached AND NOT x.is_triggered
			AND (x.blocked_by IS NULL OR x.blocked_by NOT IN ('OFF', 'PHASE', 'NOT_ARMED', 'WINDOW', 'SESSION'))
			AND (x.rule_name <> 'EMERGENCY' OR x.control_mode = 'EMERGENCY_FLATTEN')
			AND x.ts >= coalesce(missed_triggers.from_ts, '-infinity') AND x.ts < coalesce(missed_triggers.until_ts, 'infinity')),
	sample AS (SELECT x.*, (x.breached AND (x.blocked_by IS NULL
			OR x.blocked_by NOT IN ('OFF', 'PHASE', 'NOT_ARMED', 'WINDOW', 'SESSION'))) IS TRUE AS holds,
			(timezone('Asia/Seoul', x.ts))::date AS day
		FROM true_once AS t JOIN trade.exit_signals AS x ON x.position_id = t.position_id AND x.rule_name = t.rule_name
		WHERE NOT x.is_triggered AND x.ts >= coalesce(missed_triggers.from_ts, '-infinity')
			AND x.ts < coalesce(missed_triggers.until_ts, 'infinity')),
	-- samples in a row have one number; where several are missing nothing is known, and a new row begins
	edge AS (SELECT s.*, s.holds AND (s.ts - lag(s.ts) OVER w <= 3 * grace AND lag(s.holds) OVER w) IS NOT TRUE AS begins FROM sample AS s
		WINDOW w AS (PARTITION BY s.position_id, s.rule_name, s.day ORDER BY s.ts)),
	island AS (SELECT e.*, count(*) FILTER (WHERE e.begins) OVER (PARTITION BY e.position_id, e.rule_name, e.day ORDER BY e.ts) AS no
		FROM edge AS e),
	spell AS (SELECT i.position_id, i.rule_name, min(i.ts) AS first, max(i.ts) AS last, count(*) AS samples,
			nullif(mode() WITHIN GROUP (ORDER BY coalesce(i.blocked_by, '')), '') AS block,
			mode() WITHIN GROUP (ORDER BY i.control_mode) AS control_mode, (array_agg(i.profile_id ORDER BY i.ts))[1] AS profile_id,
			(array_agg(i.threshold_price ORDER BY i.ts))[1] AS threshold, (array_agg(i.price ORDER BY i.ts))[1] AS price,
			(array_agg(i.pnl_pct ORDER BY i.ts))[1] AS pnl_pct, max(abs(i.distance_pct)) AS farthest,
			(array_agg(i.pnl_pct ORDER BY i.ts DESC))[1] AS last_pnl
		FROM island AS i WHERE i.holds GROUP BY i.position_id, i.rule_name, i.day, i.no
		HAVING count(*) > 1 AND max(i.ts) - min(i.ts) > interval '0'),
	missed AS (SELECT s.*, p.symbol, qts._rule_severity(s.rule_name, s.threshold < s.price / (1 + s.pnl_pct)) AS severity
		FROM spell AS s JOIN trade.positions AS p ON p.position_id = s.position_id
		WHERE s.last - s.first >= CASE WHEN s.rule_name IN ('STOP_FLOOR', 'BREAK_EVEN', 'TRAIL', 'TRAIL_PARTIAL')
				THEN coalesce((qts._profile_at(s.profile_id, s.first) -> 'confirm' ->> 'min_sec')::float8, 3) ELSE 0 END * interval '1 second'
			AND NOT EXISTS (SELECT FROM trade.order_intents AS i WHERE i.position_id = s.position_id
				AND i.reason_code || coalesce(':' || i.rule_id, '') = s.rule_name AND i.created_ts <= s.last + grace
				AND (i.updated_ts >= s.first
					OR i.status IN ('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL'))))
	SELECT m.first, m.last - m.first, m.symbol, m.rule_name,
		CASE WHEN o.priority > m.severity AND (m.block IS NULL OR m.block IN ('LIVE_INTENT', 'NOTHING_AVAILABLE', 'CONFIRMING'))
			THEN 'SUPERSEDED' ELSE coalesce(m.block, CASE WHEN o.rule IS NOT NULL THEN 'LIVE_INTENT' ELSE 'NOT_SEEN' END) END,
		CASE WHEN m.block IS NULL OR m.block IN ('LIVE_INTENT', 'NOTHING_AVAILABLE', 'CONFIRMING') THEN o.rule END,
		m.control_mode, m.profile_id, m.threshold, m.price, round(100 * m.farthest, 4), round(100 * m.last_pnl, 4), m.samples,
		m.position_id
	FROM missed AS m LEFT JOIN LATERAL (SELECT i.priority, i.reason_code || coalesce(':' || i.rule_id, '') AS rule
		FROM trade.order_intents AS i WHERE i.position_id = m.position_id AND i.created_ts <= m.last + grace
			AND (i.updated_ts >= m.first OR i.status IN ('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL'))
		ORDER BY i.priority DESC, i.created_ts LIMIT 1) AS o ON true ORDER BY m.first, m.symbol, m.severity DESC;
END $$;

-- Hindsight: what the price did after a stop.  Whole minutes that begin after the decision, until the close of its day.
CREATE OR REPLACE FUNCTION qts.stop_outcomes(from_ts timestamptz DEFAULT NULL, until_ts timestamptz DEFAULT NULL)
RETURNS TABLE (decided_ts timestamptz, symbol text, rule text, threshold_price numeric, decided_price numeric, sold_qty bigint,
	fill_price numeric, back_after interval, back_5m boolean, back_30m boolean, back_close boolean, high_price bigint,
	close_price bigint, saved bigint, position_id uuid, intent_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT i.created_ts, i.symbol, i.reason_code || coalesce(':' || i.rule_id, ''), i.threshold_price,
		i.decided_price, i.filled_qty, i.avg_fill_price, b.back_ts + interval '1 minute' - i.created_ts,
		CASE WHEN b.bars > 0 THEN coalesce(b.back_ts < i.created_ts + interval '5 minutes', false) END,
		CASE WHEN b.bars > 0 THEN coalesce(b.back_ts < i.created_ts + interval '30 minutes', false) END,
		CASE WHEN b.bars > 0 THEN b.back_ts IS NOT NULL END, b.high, b.close,
		round((i.avg_fill_price - b.close) * i.filled_qty)::bigint, i.position_id, i.intent_id
	FROM trade.order_intents AS i
	JOIN market.calendar AS c ON c.date = (timezone('Asia/Seoul', i.created_ts))::date
	CROSS JOIN LATERAL (SELECT count(*) AS bars, min(m.ts) FILTER (WHERE m.high > i.threshold_price) AS back_ts,
			max(m.high) AS high, (array_agg(m.close ORDER BY m.ts DESC))[1] AS close
		FROM market.ohlcv_1m AS m WHERE m.symbol = i.symbol AND m.ts >= i.created_ts
			AND m.ts <= timezone('Asia/Seoul', c.date + c.close_at)) AS b
	WHERE i.source_module = 'EXIT' AND i.filled_qty > 0 AND i.threshold_price > 0
		AND (i.reason_code IN ('HARD_STOP', 'GAP_DOWN', 'SL1', 'SL2', 'STOP_FLOOR', 'BREAK_EVEN', 'TRAIL_PARTIAL', 'TRAIL')
			OR i.reason_code = 'CUSTOM' AND i.priority = 70)
		AND i.created_ts >= coalesce(stop_outcomes.from_ts, '-infinity') AND i.created_ts < coalesce(stop_outcomes.until_ts, 'infinity');
END $$;

CREATE OR REPLACE FUNCTION qts.false_triggers(from_ts timestamptz DEFAULT NULL, until_ts timestamptz DEFAULT NULL)
RETURNS TABLE (rule text, stops bigint, judged bigint, back_5m bigint, back_30m bigint, back_close bigint,
	back_close_pct numeric, median_back interval, saved bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT o.rule, count(*), count(o.back_close), count(*) FILTER (WHERE o.back_5m), count(*) FILTER (WHERE o.back_30m),
		count(*) FILTER (WHERE o.back_close), round(100.0 * count(*) FILTER (WHERE o.back_close) / nullif(count(o.back_close), 0), 1),
		date_trunc('second', percentile_cont(0.5) WITHIN GROUP (ORDER BY o.back_after)), sum(o.saved)::bigint
	FROM qts.stop_outcomes(false_triggers.from_ts, false_triggers.until_ts) AS o GROUP BY o.rule ORDER BY o.rule;
END;

-- How near prices came: samples by their distance to the threshold, % of the price.
CREATE OR REPLACE FUNCTION qts.rule_distances(from_ts timestamptz DEFAULT NULL, until_ts timestamptz DEFAULT NULL)
RETURNS TABLE (rule text, samples bigint, breached bigint, within_half bigint, within_1 bigint, within_2 bigint, within_5 bigint,
	within_10 bigint, beyond_10 bigint, nearest_pct numeric, p05_pct numeric, median_pct numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT d.rule_name, count(*), count(*) FILTER (WHERE d.breached), count(*) FILTER (WHERE d.away < 0.5),
		count(*) FILTER (WHERE d.away >= 0.5 AND d.away < 1), count(*) FILTER (WHERE d.away >= 1 AND d.away < 2),
		count(*) FILTER (WHERE d.away >= 2 AND d.away < 5), count(*) FILTER (WHERE d.away >= 5 AND d.away < 10),
		count(*) FILTER (WHERE d.away >= 10), round(min(d.away)::numeric, 4),
		round(percentile_disc(0.05) WITHIN GROUP (ORDER BY d.away)::numeric, 4),
		round(percentile_disc(0.5) WITHIN GROUP (ORDER BY d.away)::numeric, 4)
	FROM (SELECT x.rule_name, x.breached, CASE WHEN NOT x.breached THEN abs(100 * x.distance_pct)::float8 END AS away
		FROM trade.exit_signals AS x WHERE NOT x.is_triggered AND x.distance_pct IS NOT NULL
			AND (x.blocked_by IS NULL OR x.blocked_by NOT IN ('OFF', 'PHASE', 'NOT_ARMED', 'WINDOW', 'SESSION', 'STALE_PRICE'))
			AND x.ts >= coalesce(rule_distances.from_ts, '-infinity') AND x.ts < coalesce(rule_distances.until_ts, 'infinity')) AS d
	GROUP BY d.rule_name ORDER BY d.rule_name;
END $$;

CREATE OR REPLACE VIEW qts.exit_sales WITH (security_barrier) AS
SELECT qts._kst(s.sold_ts) AS sold, s.symbol, s.rule, s.profile_id, s.profile_version, s.qty, s.avg_price, s.threshold_price,
	s.decided_price, s.fill_price, s.pnl, s.pnl_pct, s.fees, s.taxes, s.overshoot_bps, s.slippage_bps, s.held, s.closed,
	qts._kst(s.decided_ts) AS decided, s.position_id, s.intent_id, s.order_uid
FROM qts.exit_sales() AS s;

CREATE OR REPLACE VIEW qts.rule_results WITH (security_barrier) AS SELECT r.* FROM qts.rule_results() AS r;

CREATE OR REPLACE VIEW qts.profile_results WITH (security_barrier) AS
SELECT r.profile_id, r.profile_version, r.sales, r.exits, r.shares, r.wins, r.losses, r.win_pct, r.pnl, r.avg_pct, r.median_pct,
	r.fees, r.taxes, r.avg_held, r.median_held, r.overshoot_bps, r.slippage_bps, r.worst_slippage_bps,
	qts._kst(r.first_ts) AS first_sale, qts._kst(r.last_ts) AS last_sale
FROM qts.profile_results() AS r;

CREATE OR REPLACE VIEW qts.missed_triggers WITH (security_barrier) AS
SELECT qts._kst(m.first_ts) AS first, m.lasted, m.symbol, m.rule, m.why, m.by_rule, m.control_mode, m.profile_id, m.threshold_price,
	m.first_price, m.farthest_pct, m.last_pct, m.samples, m.position_id
FROM qts.missed_triggers() AS m;

CREATE OR REPLACE VIEW qts.stop_outcomes WITH (security_barrier) AS
SELECT qts._kst(o.decided_ts) AS decided, o.symbol, o.rule, o.threshold_price, o.decided_price, o.sold_qty, o.fill_price,
	o.back_after, o.back_5m, o.back_30m, o.back_close, o.high_price, o.close_price, o.saved, o.position_id, o.intent_id
FROM qts.stop_outcomes() AS o;

CREATE OR REPLACE VIEW qts.false_triggers WITH (security_barrier) AS SELECT f.* FROM qts.false_triggers() AS f;
CREATE OR REPLACE VIEW qts.rule_distances WITH (security_barrier) AS SELECT d.* FROM qts.rule_distances() AS d;
