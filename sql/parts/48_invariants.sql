-- One row per violation.  Reads one snapshot; what takes more than one
-- transaction by design is given a minute before it counts.
CREATE OR REPLACE FUNCTION qts._order_violations(OUT invariant text, OUT subject text, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT 'double order', o.intent_id::text, format('%s orders for one intent', count(*))
	FROM trade.orders AS o WHERE o.intent_id IS NOT NULL GROUP BY o.intent_id HAVING count(*) > 1
	UNION ALL
	SELECT 'double order', i.action_key, format('%s intents for one action', count(*))
	FROM trade.order_intents AS i
	WHERE i.status NOT IN ('FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'DUPLICATE')
	GROUP BY i.account_id, i.action_key HAVING count(*) > 1
	UNION ALL
	SELECT 'fills vs order', o.order_uid::text,
		format('fills %s, order says %s of %s', coalesce(f.qty, 0), o.filled_qty, o.qty)
	FROM trade.orders AS o
	LEFT JOIN (SELECT order_uid, sum(qty) AS qty FROM trade.fills GROUP BY order_uid) AS f ON f.order_uid = o.order_uid
	WHERE coalesce(f.qty, 0) <> o.filled_qty
	UNION ALL
	SELECT 'order vs intent', i.intent_id::text,
		format('intent %s filled %s, order %s filled %s', i.status, i.filled_qty, o.status, o.filled_qty)
	FROM trade.order_intents AS i JOIN trade.orders AS o ON o.intent_id = i.intent_id
	WHERE i.filled_qty <> o.filled_qty OR o.qty > i.qty OR o.symbol <> i.symbol OR o.account_id <> i.account_id
		OR NOT (i.status = o.status OR (o.status = 'PENDING_SUBMIT' AND i.status = 'SUBMITTING')
			OR (o.status = 'REJECTED' AND i.status = 'FAILED')
			-- an order for less than its intent, because less was left to sell
			OR (o.status = 'FILLED' AND o.qty < i.qty AND i.status = 'CANCELLED_PARTIAL'))
	UNION ALL
	SELECT 'orphan', i.intent_id::text, format('intent is %s without an order', i.status)
	FROM trade.order_intents AS i
	WHERE i.status IN ('SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL', 'FILLED', 'CANCELLED_PARTIAL')
		AND NOT EXISTS (SELECT FROM trade.orders AS o WHERE o.intent_id = i.intent_id)
	UNION ALL
	SELECT 'orphan', o.order_uid::text, 'automatic order without an intent'
	FROM trade.orders AS o WHERE o.origin = 'AUTO' AND o.intent_id IS NULL
	UNION ALL
	SELECT 'orphan', n.epoch || '/' || n.seq, format('notice of order %s has no order', n.broker_order_no)
	FROM trade.notices AS n WHERE n.order_uid IS NULL AND n.recv_ts < qts._now() - interval '1 minute'
	UNION ALL
	SELECT 'orphan', f.fill_id::text, 'fill of another account or symbol than its order'
	FROM trade.fills AS f JOIN trade.orders AS o ON o.order_uid = f.order_uid
	WHERE f.account_id <> o.account_id OR f.symbol <> o.symbol OR f.side <> o.side;
END;

CREATE OR REPLACE FUNCTION qts._position_violations(OUT invariant text, OUT subject text, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT 'oversell', p.position_id::text, format('held %s, locked by live exits %s', p.qty, l.locked)
	-- an order may be for less than its intent, because less was left to sell
	FROM trade.positions AS p JOIN (SELECT i.position_id, sum(coalesce(o.qty, i.qty) - i.filled_qty)::bigint AS locked,
			bool_or(coalesce(o.cancel_attempts, 0) > 0) AS cancelled
		FROM trade.order_intents AS i LEFT JOIN trade.orders AS o ON o.intent_id = i.intent_id
		WHERE i.intent_type <> 'ENTRY'
			AND i.status IN ('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')
		GROUP BY i.position_id) AS l ON l.position_id = p.position_id
	-- a sale made elsewhere while ours was live: it is cancelled, which the broker may refuse
	LEFT JOIN LATERAL (SELECT sum(m.filled_qty)::bigint AS sold FROM trade.orders AS m
		WHERE l.cancelled AND m.position_id = p.position_id AND m.side = 'SELL' AND m.origin = 'MANUAL') AS m ON true
	WHERE l.locked > p.qty + coalesce(m.sold, 0)
	UNION ALL
	-- shares that came by the balance may be sold too
	SELECT 'oversell', p.position_id::text, format('bought %s, came by the balance %s, sold %s',
		p.original_qty + b.bought, greatest(p.adjusted_qty, 0), b.sold)
	FROM trade.positions AS p CROSS JOIN LATERAL (
		SELECT coalesce(sum(f.qty) FILTER (WHERE f.side = 'BUY'), 0) AS bought,
			coalesce(sum(f.qty) FILTER (WHERE f.side = 'SELL'), 0) AS sold
		FROM trade.fills AS f WHERE f.position_id = p.position_id) AS b
	LEFT JOIN trade.position_state AS s ON s.position_id = p.position_id
	WHERE coalesce(s.exit_cycle, 1) = 1 AND b.sold > p.original_qty + b.bought + greatest(p.adjusted_qty, 0)
	UNION ALL
	-- Bought more or quarantined: fills alone do not explain the quantity.
	SELECT 'fills vs position', p.position_id::text,
		format('original %s, adjusted %s, sold %s, held %s', p.original_qty, p.adjusted_qty, b.sold, p.qty)
	FROM trade.positions AS p CROSS JOIN LATERAL (
		SELECT count(*) FILTER (WHERE f.side = 'BUY') AS buys,
			coalesce(sum(f.qty) FILTER (WHERE f.side = 'SELL'), 0) AS sold
		FROM trade.fills AS f WHERE f.position_id = p.position_id) AS b
	LEFT JOIN trade.position_state AS s ON s.position_id = p.position_id
	WHERE coalesce(s.exit_cycle, 1) = 1 AND p.quarantine_reason IS NULL AND b.buys = 0 AND b.sold > 0
		AND p.qty <> p.original_qty + p.adjusted_qty - b.sold
	UNION ALL
	SELECT 'illegal state', p.position_id::text, 'closed with a live exit intent'
	FROM trade.positions AS p WHERE p.status = 'CLOSED' AND qts._locked_qty(p.position_id) > 0
	UNION ALL
	SELECT 'illegal state', p.position_id::text, format('%s with nothing held', p.status)
	FROM trade.positions AS p
	WHERE p.status <> 'CLOSED' AND p.qty = 0 AND p.updated_ts < clock_timestamp() - interval '1 minute'
	UNION ALL
	SELECT 'illegal state', p.position_id::text, format('phase EXITED with %s held', p.qty)
	FROM trade.positions AS p JOIN trade.position_state AS s ON s.position_id = p.position_id
	WHERE s.phase = 'EXITED' AND p.qty > 0
	UNION ALL
	SELECT 'missing exit event', p.position_id::text, 'closed without an exit event'
	FROM trade.positions AS p
	WHERE p.status = 'CLOSED' AND NOT EXISTS (SELECT FROM trade.exit_events AS x WHERE x.position_id = p.position_id)
	UNION ALL
	SELECT 'missing exit event', x.position_id::text, format('exit event says %s sold, fills %s', x.exit_qty, f.qty)
	FROM trade.exit_events AS x
	JOIN (SELECT position_id, sum(qty) AS qty FROM trade.fills WHERE side = 'SELL' GROUP BY position_id) AS f
		ON f.position_id = x.position_id
	JOIN trade.positions AS p ON p.position_id = x.position_id
	-- a fill told after the end is one too many for the position, adjusted for it and in no event;
	-- what left without a fill of ours is in the event alone
	WHERE x.exit_qty < f.qty - greatest(p.adjusted_qty, 0) OR (x.exit_qty > f.qty AND x.intent_id IS NOT NULL);
END;

-- What a superuser wrote around the API leaves no audit row or history.
CREATE OR REPLACE FUNCTION qts._write_violations(OUT invariant text, OUT subject text, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT 'unowned write', i.intent_id::text, format('%s intent created by %s', i.source_module, i.created_by)
	FROM trade.order_intents AS i
	WHERE i.source_module <> 'MANUAL' AND i.created_by <> CASE i.source_module WHEN 'EXIT' THEN 'qts_exit'
		WHEN 'REENTRY' THEN 'qts_reentry' WHEN 'ROUTER' THEN 'qts_router' WHEN 'STRATEGY' THEN 'qts_strategy'
		WHEN 'RISK' THEN 'qts_risk' ELSE i.created_by END
	UNION ALL
	SELECT 'unowned write', i.intent_id::text, 'manual intent without an audit row'
	FROM trade.order_intents AS i
	WHERE i.source_module = 'MANUAL' AND NOT EXISTS (SELECT FROM system.audit_log AS a WHERE a.object = i.intent_id::text)
	UNION ALL
	SELECT 'unowned write', 'exit_control', format('mode is %s, its history says %s', c.mode, h.mode)
	FROM trade.exit_control AS c CROSS JOIN LATERAL (SELECT t.mode FROM trade.exit_control_history AS t
		ORDER BY t.history_id DESC LIMIT 1) AS h WHERE h.mode <> c.mode
	UNION ALL
	SELECT 'unowned write', qts._mask(a.account_id), 'account without an audit row'
	FROM trade.accounts AS a WHERE NOT EXISTS (SELECT FROM system.audit_log AS l
		WHERE l.action = 'add_account' AND l.object = qts._mask(a.account_id));
END;

CREATE OR REPLACE FUNCTION qts.check_invariants(OUT invariant text, OUT subject text, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT * FROM qts._order_violations()
	UNION ALL SELECT * FROM qts._position_violations()
	UNION ALL SELECT * FROM qts._write_violations();
END;
