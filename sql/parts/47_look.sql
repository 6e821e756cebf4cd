CREATE OR REPLACE FUNCTION qts.available_qty(position_id uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT greatest(p.qty - qts._locked_qty(p.position_id), 0) FROM trade.positions AS p
	WHERE p.position_id = available_qty.position_id);

CREATE OR REPLACE FUNCTION qts._explain_exit(position_id uuid, OUT rule text, OUT enabled boolean,
	OUT threshold_price numeric, OUT threshold_pct numeric, OUT distance_pct numeric, OUT triggered boolean,
	OUT blocked_by text, OUT price numeric, OUT pnl numeric, OUT hwm_price numeric, OUT stop_floor_price numeric,
	OUT phase text, OUT control_mode text, OUT profile_id text) RETURNS SETOF record
LANGUAGE c STRICT VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'qts_sql_explain_exit';

-- Of a moment in the past nothing is known but what was noted then: the newest
-- sample before it, at most two minutes old.
CREATE OR REPLACE FUNCTION qts._explain_sample(position_id uuid, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	sampled timestamptz := (SELECT max(s.ts) FROM trade.exit_signals AS s WHERE s.position_id = _explain_sample.position_id
		AND NOT s.is_triggered AND s.ts <= at AND s.ts > at - interval '2 minutes');
	earlier timestamptz;
BEGIN
	IF NOT EXISTS (SELECT FROM trade.positions AS p WHERE p.position_id = _explain_sample.position_id) THEN
		RAISE EXCEPTION 'unknown position %', position_id USING ERRCODE = 'QT011',
			DETAIL = 'There is no such row.', HINT = 'SELECT * FROM qts.positions lists live ones.';
	ELSIF sampled IS NULL THEN
		earlier := (SELECT max(s.ts) FROM trade.exit_signals AS s WHERE s.position_id = _explain_sample.position_id
			AND NOT s.is_triggered AND s.ts <= at);
		RAISE EXCEPTION 'nothing is known of this position at that time' USING ERRCODE = 'QT011',
			DETAIL = coalesce(format('The last sample before it is of %s.', qts._kst(earlier)), 'There is no sample before it.'),
			HINT = 'Samples are taken every qts.exit_signal_interval in trading hours; qts.ts_policy says how long they are kept.';
	END IF;
	RETURN sampled;
END $$;

CREATE OR REPLACE FUNCTION qts.explain_exit(position_id uuid, at timestamptz DEFAULT NULL, OUT rule text,
	OUT enabled boolean, OUT threshold_price numeric, OUT threshold_pct numeric, OUT distance_pct numeric,
	OUT triggered boolean, OUT blocked_by text) RETURNS SETOF record
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	sampled timestamptz;
BEGIN
	IF at IS NULL THEN
		RETURN QUERY SELECT e.rule, e.enabled, e.threshold_price, e.threshold_pct, e.distance_pct, e.triggered, e.blocked_by
			FROM qts._explain_exit(explain_exit.position_id) AS e;
		RETURN;
	END IF;
	sampled := qts._explain_sample(explain_exit.position_id, at);
	RETURN QUERY SELECT s.rule_name, s.blocked_by IS DISTINCT FROM 'OFF', s.threshold_price,
		round(100 * (s.threshold_price / nullif(s.price, 0) * (1 + s.pnl_pct) - 1), 4), round(100 * s.distance_pct, 4),
		s.breached, s.blocked_by
		FROM trade.exit_signals AS s WHERE s.position_id = explain_exit.position_id AND s.ts = sampled
			AND NOT s.is_triggered ORDER BY s.rank;
END $$;

-- One sample of every rule of a number of live positions, as explain_exit() shows
-- it.  Never an intent: what acts is the exit worker alone.
CREATE OR REPLACE FUNCTION system._sample_exits(after uuid, count integer, now_ts timestamptz, OUT last uuid,
	OUT rows bigint) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	WITH p AS MATERIALIZED (SELECT p.position_id, p.account_id FROM trade.positions AS p
		WHERE p.status IN ('OPEN', 'CLOSING') AND p.qty > 0 AND (_sample_exits.after IS NULL OR p.position_id > _sample_exits.after)
		ORDER BY p.position_id LIMIT _sample_exits.count),
	n AS (INSERT INTO trade.exit_signals (ts, position_id, account_id, rule_name, is_triggered, breached, price, threshold_price,
		distance_pct, pnl_pct, hwm_price, stop_floor_price, phase, control_mode, profile_id, blocked_by, rank)
		SELECT now_ts, p.position_id, p.account_id, e.rule, false, e.triggered, e.price, e.threshold_price, e.distance_pct / 100,
			e.pnl, e.hwm_price, e.stop_floor_price, e.phase, e.control_mode, e.profile_id, e.blocked_by, e.rank
		FROM p CROSS JOIN LATERAL qts._explain_exit(p.position_id) WITH ORDINALITY AS e (rule, enabled, threshold_price,
			threshold_pct, distance_pct, triggered, blocked_by, price, pnl, hwm_price, stop_floor_price, phase, control_mode,
			profile_id, rank)
		RETURNING 1)
	SELECT CASE WHEN (SELECT count(*) FROM p) = _sample_exits.count THEN (SELECT p.position_id FROM p
		ORDER BY p.position_id DESC LIMIT 1) END, (SELECT count(*) FROM n) INTO last, rows;
END $$;

-- A slice of positions at a time; a round begins every qts.exit_signal_interval of trading.
CREATE OR REPLACE FUNCTION system._upkeep_signals(OUT more boolean, OUT rows bigint) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	every interval := current_setting('qts.exit_signal_interval')::interval;
	at_ts timestamptz := qts._now();
	u system.upkeep;
	done uuid;
BEGIN
	more := false;
	rows := 0;
	SELECT k.* INTO u FROM system.upkeep AS k WHERE k.task = 'exit_signals';
	IF u.at IS NULL AND (every = interval '0' OR u.watermark > at_ts - every AND u.watermark <= at_ts
		OR NOT EXISTS (SELECT FROM market.calendar AS c WHERE c.date = timezone('Asia/Seoul', at_ts)::date AND c.is_open
			AND timezone('Asia/Seoul', at_ts)::time >= c.open_at AND timezone('Asia/Seoul', at_ts)::time < c.close_at)
		OR NOT EXISTS (SELECT FROM trade.positions AS p WHERE p.status IN ('OPEN', 'CLOSING') AND p.qty > 0)) THEN
		RETURN;
	END IF;
	-- a round that was begun has one time of its own
	SELECT s.last, s.rows INTO done, rows FROM system._sample_exits(u.at::uuid, 200,
		CASE WHEN u.at IS NULL THEN at_ts ELSE u.watermark END) AS s;
	more := done IS NOT NULL;
	INSERT INTO system.upkeep AS k (task, at, rows, watermark, last_run) VALUES ('exit_signals', done::text, rows, at_ts, at_ts)
	ON CONFLICT ON CONSTRAINT upkeep_pkey DO UPDATE SET at = EXCLUDED.at, rows = k.rows + EXCLUDED.rows,
		watermark = CASE WHEN k.at IS NULL THEN EXCLUDED.watermark ELSE k.watermark END, last_run = EXCLUDED.last_run;
END $$;

-- Everything that happened to one position, oldest first; kinds of one instant
-- come in the order of cause and effect.
CREATE OR REPLACE FUNCTION qts.timeline(position_id uuid, OUT kind text, OUT ts timestamp, OUT what text,
	OUT detail text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT e.kind, qts._kst(e.ts), e.what, e.detail FROM (
		SELECT 1 AS rank, 'position' AS kind, p.created_ts AS ts, p.symbol || ' ' || p.original_qty AS what,
			format('bought at %s on %s', p.avg_price, qts._kst(p.entry_ts)) AS detail
		FROM trade.positions AS p WHERE p.position_id = timeline.position_id
		UNION ALL
		SELECT 2, 'signal', s.ts, s.rule_name,
			format('price %s, threshold %s, pnl %s, phase %s', s.price, coalesce(s.threshold_price::text, '-'),
				coalesce(s.pnl_pct::text, '-'), s.phase)
		FROM trade.exit_signals AS s WHERE s.position_id = timeline.position_id AND s.is_triggered
		UNION ALL
		SELECT 3, 'intent', i.created_ts, i.reason_code || ' ' || i.qty,
			format('%s %s by %s, now %s%s', i.intent_type, i.order_type, i.created_by, i.status,
				coalesce(': ' || i.error_message, ''))
		FROM trade.order_intents AS i WHERE i.position_id = timeline.position_id
		UNION ALL
		SELECT 4, 'order', o.created_ts, o.side || ' ' || o.qty,
			format('%s %s, number %s, now %s%s', o.order_type, coalesce(o.limit_price::text, 'market'),
				coalesce(o.broker_order_no, '-'), o.status, coalesce(': ' || o.error_message, ''))
		FROM trade.orders AS o WHERE o.position_id = timeline.position_id
		UNION ALL
		SELECT 5, 'notice', n.recv_ts, n.kind || ' ' || n.qty,
			format('number %s, price %s%s', n.broker_order_no, n.price,
				CASE WHEN n.kind = 'FILL' AND NOT n.counted THEN ', not counted' ELSE '' END)
		FROM trade.notices AS n JOIN trade.orders AS o ON o.order_uid = n.order_uid
		WHERE o.position_id = timeline.position_id
		UNION ALL
		SELECT 6, 'fill', f.ts, f.side || ' ' || f.qty,
			format('at %s, fee %s, tax %s, source %s', f.price, f.fee, f.tax, f.source)
		FROM trade.fills AS f WHERE f.position_id = timeline.position_id
		UNION ALL
		SELECT 7, 'exit', x.exit_ts, x.exit_reason_code || ' ' || x.exit_qty,
			format('average %s, realised %s KRW, source %s', x.exit_avg_price, coalesce(x.realized_pnl::text, '-'), x.source)
		FROM trade.exit_events AS x WHERE x.position_id = timeline.position_id) AS e
	ORDER BY e.ts, e.rank, e.what;
END;

CREATE OR REPLACE FUNCTION qts.help(OUT function text, OUT arguments text, OUT description text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT p.proname::text, regexp_replace(pg_get_function_arguments(p.oid), '(, )?OUT .*$', ''),
		obj_description(p.oid, 'pg_proc')
	FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
	WHERE n.nspname = 'qts' AND p.proname NOT LIKE '\_%' AND p.prokind = 'f'
	ORDER BY 1, 2;
END;
