CREATE OR REPLACE FUNCTION qts.status(OUT name text, OUT kind text, OUT state text, OUT since timestamp,
	OUT lag interval, OUT last_error text, OUT detail text) RETURNS SETOF record
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT s.name, s.kind, s.state, s.since, s.lag, s.last_error, s.detail FROM (
		SELECT 1 AS part, w.slot AS place, w.worker AS name, 'worker' AS kind, w.state,
			date_trunc('second', qts._kst(w.since)) AS since,
			date_trunc('milliseconds', clock_timestamp() - w.heartbeat) AS lag, w.last_error, w.detail
		FROM qts._workers() AS w
		UNION ALL
		SELECT 2, 0, f.feed, 'feed', f.state, date_trunc('second', qts._kst(f.since)), NULL, NULL, f.detail
		FROM qts._feeds() AS f
		UNION ALL
		SELECT 3, 0, b.session, 'session', b.state, date_trunc('second', qts._kst(b.since)), NULL, NULL, b.detail
		FROM qts._sessions() AS b
		UNION ALL
		SELECT 4, 0, p.name, p.kind, p.state, date_trunc('second', qts._kst(p.since)), NULL, NULL, p.detail
		FROM qts._price_sync() AS p
		UNION ALL
		SELECT 5, r.place, r.name, 'reference', r.state, date_trunc('second', qts._kst(r.since)), NULL, r.last_error, r.detail
		FROM qts._reference_status() AS r
		UNION ALL
		SELECT 6, 0, 'exit mode', 'escalation', c.auto_level, date_trunc('second', qts._kst(c.auto_ts)), NULL, NULL,
			CASE WHEN c.auto_mode IS NOT NULL THEN format('%s, then %s again: %s', c.auto_mode, c.person_mode, c.reason)
				ELSE format('left at %s%s', c.mode, ', overruled by ' || c.overruled_by) END
		FROM trade.exit_control AS c WHERE c.auto_level IS NOT NULL
		UNION ALL
		SELECT 6, 1, p.symbol, 'escalation', 'L1', date_trunc('second', qts._kst(h.hold_ts)), NULL, NULL,
			CASE h.hold WHEN 'HELD' THEN 'its price is stale: held back but for HARD_STOP' ELSE 'its price is stale: overruled' END
		FROM trade.position_state AS h JOIN trade.positions AS p ON p.position_id = h.position_id
		WHERE h.hold IS NOT NULL AND p.status <> 'CLOSED') AS s
	ORDER BY s.part, s.place, s.name;
END;

-- What keeps the engine from trading (down), and what makes it trade worse (degraded).
CREATE OR REPLACE FUNCTION qts._health_reasons(OUT severity integer, OUT reason text) RETURNS SETOF record
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT 2, 'the engine is not active'
	WHERE NOT EXISTS (SELECT FROM system.engine AS e WHERE e.active)
	UNION ALL
	SELECT 2, 'the engine is bound to another cluster or timeline'
	FROM system.engine AS e CROSS JOIN qts._identity() AS here
	WHERE e.active AND (e.system_identifier <> here.system_identifier OR e.timeline <> here.timeline)
	UNION ALL
	SELECT 1, 'entries are stopped: ' || coalesce(e.reason, 'emergency stop')
	FROM system.engine AS e WHERE e.emergency_stop
	UNION ALL
	SELECT 1, 'exit mode is ' || c.mode || coalesce(': ' || c.reason, '')
	FROM trade.exit_control AS c WHERE c.mode <> 'RUNNING'
	UNION ALL
	SELECT 1, format('exits of %s are held back: its price is stale', p.symbol)
	FROM trade.position_state AS h JOIN trade.positions AS p ON p.position_id = h.position_id
	WHERE h.hold = 'HELD' AND p.status <> 'CLOSED' AND p.exit_mode = 'ENABLED'
	UNION ALL
	SELECT CASE WHEN w.worker = 'monitor' THEN 1 ELSE 2 END, format('worker %s is %s%s', w.worker, w.state,
		coalesce(': ' || nullif(w.detail, ''), ''))
	FROM qts._workers() AS w WHERE w.state <> 'RUNNING'
	UNION ALL
	SELECT 2, format('worker %s is silent since %s', w.worker, qts._kst(w.heartbeat)::timestamp(0))
	FROM qts._workers() AS w WHERE w.state = 'RUNNING' AND w.heartbeat < clock_timestamp() - interval '15 seconds'
	UNION ALL
	SELECT 1, format('feed %s is %s%s', f.feed, f.state, coalesce(': ' || nullif(f.detail, ''), ''))
	FROM qts._feeds() AS f WHERE f.state <> 'UP'
	UNION ALL
	SELECT 1, 'most followed prices are stale: ' || p.detail
	FROM qts._price_sync() AS p WHERE p.state = 'EMERGENCY'
	UNION ALL
	SELECT 1, format('session %s is %s%s', b.session, b.state, coalesce(': ' || b.detail, ''))
	FROM qts._sessions() AS b
	WHERE b.state <> 'READY' OR 'CLOSED' <> ANY (ARRAY[b.order_breaker, b.account_breaker])
	UNION ALL
	SELECT 1, format('account %s is %s%s', qts._mask(a.account_id), s.state, coalesce(': ' || s.last_error, ''))
	FROM trade.accounts AS a JOIN trade.account_sync AS s ON s.account_id = a.account_id
	WHERE a.status = 'ACTIVE' AND s.state <> 'READY'
	UNION ALL
	SELECT 1, format('%s critical alerts are open', count(*))
	FROM system.alerts AS a WHERE a.severity = 'CRITICAL' AND a.acknowledged_ts IS NULL HAVING count(*) > 0
	UNION ALL
	SELECT 1, format('%s orders have an unknown outcome', count(*))
	FROM trade.orders AS o WHERE o.status = 'UNKNOWN' HAVING count(*) > 0;
END;

CREATE OR REPLACE FUNCTION qts.health(OUT state text, OUT reasons text[]) RETURNS record
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE coalesce(max(r.severity), 0) WHEN 0 THEN 'ok' WHEN 1 THEN 'degraded' ELSE 'down' END,
		coalesce(array_agg(r.reason ORDER BY r.severity DESC, r.reason), '{}')
	FROM qts._health_reasons() AS r;
END;
