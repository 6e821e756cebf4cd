CREATE OR REPLACE FUNCTION qts.available_qty(position_id uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT greatest(p.qty - qts._locked_qty(p.position_id), 0) FROM trade.positions AS p
	WHERE p.position_id = available_qty.position_id);

CREATE OR REPLACE FUNCTION qts.explain_exit(position_id uuid, OUT rule text, OUT enabled boolean,
	OUT threshold_price numeric, OUT threshold_pct numeric, OUT distance_pct numeric, OUT triggered boolean,
	OUT blocked_by text) RETURNS SETOF record
LANGUAGE c STRICT VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'qts_sql_explain_exit';

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
	WHERE n.nspname = 'qts' AND p.proname NOT LIKE '\_%' AND p.prokind = 'f' ORDER BY p.proname;
END;
