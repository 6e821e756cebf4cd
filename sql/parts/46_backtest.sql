-- Backtests: the live exit rules over stored prices (docs/backtest.md).

-- One entry with one profile: one row.  The others below take the same arguments
-- and tell the same walk as events, as days, and as a line to draw.  Prices come in order from
-- their index: bars that were just imported have no statistics, and would be sorted again.
CREATE OR REPLACE FUNCTION qts.backtest(symbol text, entry_ts timestamptz, qty bigint,
	profile text DEFAULT 'default_hybrid_v1', config jsonb DEFAULT NULL, source text DEFAULT '1m',
	until timestamptz DEFAULT NULL, entry_price numeric DEFAULT NULL, model jsonb DEFAULT NULL)
RETURNS TABLE (of_symbol text, of_profile text, bought_ts timestamptz, bought_price numeric, bought_qty bigint,
	exit_ts timestamptz, exit_price numeric, sold_qty bigint, status text, reason text, pnl bigint, return_pct numeric,
	fees bigint, taxes bigint, mae_pct numeric, mfe_pct numeric, held_days integer, looks bigint)
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off COST 10000 ROWS 1
AS 'MODULE_PATHNAME', 'qts_sql_backtest';

CREATE OR REPLACE FUNCTION qts.backtest_events(symbol text, entry_ts timestamptz, qty bigint,
	profile text DEFAULT 'default_hybrid_v1', config jsonb DEFAULT NULL, source text DEFAULT '1m',
	until timestamptz DEFAULT NULL, entry_price numeric DEFAULT NULL, model jsonb DEFAULT NULL)
RETURNS TABLE (ts timestamptz, event text, rule text, phase text, cycle integer, event_qty bigint, left_qty bigint,
	price numeric, threshold_price numeric, hwm_price numeric, stop_floor_price numeric, fee bigint, tax bigint)
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off COST 10000 ROWS 5
AS 'MODULE_PATHNAME', 'qts_sql_backtest_events';

CREATE OR REPLACE FUNCTION qts.backtest_days(symbol text, entry_ts timestamptz, qty bigint,
	profile text DEFAULT 'default_hybrid_v1', config jsonb DEFAULT NULL, source text DEFAULT '1m',
	until timestamptz DEFAULT NULL, entry_price numeric DEFAULT NULL, model jsonb DEFAULT NULL)
RETURNS TABLE (date date, close numeric, held_qty bigint, value bigint, pnl bigint)
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'qts_sql_backtest_days';

CREATE OR REPLACE FUNCTION qts.backtest_path(symbol text, entry_ts timestamptz, qty bigint,
	profile text DEFAULT 'default_hybrid_v1', config jsonb DEFAULT NULL, source text DEFAULT '1m',
	until timestamptz DEFAULT NULL, entry_price numeric DEFAULT NULL, model jsonb DEFAULT NULL)
RETURNS TABLE (ts timestamptz, price numeric, hwm_price numeric, stop_floor_price numeric, stop_price numeric,
	profit_price numeric)
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_bitmapscan = off COST 10000 ROWS 1000
AS 'MODULE_PATHNAME', 'qts_sql_backtest_path';

CREATE OR REPLACE FUNCTION qts._backtest_announce(walks bigint) RETURNS void
LANGUAGE c STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'qts_sql_backtest_announce';

CREATE OR REPLACE FUNCTION qts._backtest_progress(OUT pid integer, OUT started timestamptz, OUT symbol text,
	OUT price_ts timestamptz, OUT walks bigint, OUT walks_total bigint, OUT looks bigint, OUT rows_read bigint)
RETURNS SETOF record
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'qts_sql_backtest_progress';

CREATE OR REPLACE VIEW qts.backtest_progress WITH (security_barrier) AS
	SELECT p.pid, p.started, clock_timestamp() - p.started AS running, p.symbol, p.price_ts, p.walks, p.walks_total,
		round(100.0 * p.walks / nullif(p.walks_total, 0), 1) AS percent, p.looks, p.rows_read
	FROM qts._backtest_progress() AS p;

-- Statistics over arrays, of backtests or of anything else.
CREATE OR REPLACE FUNCTION qts.performance(equity bigint[], benchmark bigint[] DEFAULT NULL,
	risk_free numeric DEFAULT 0.03, OUT status text, OUT days integer, OUT total_return numeric, OUT annual_return numeric,
	OUT volatility numeric, OUT sharpe numeric, OUT sortino numeric, OUT max_drawdown numeric, OUT alpha numeric,
	OUT beta numeric) RETURNS record
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'qts_sql_performance';

CREATE OR REPLACE FUNCTION qts.trade_stats(pnl bigint[], held_days bigint[], OUT trades bigint, OUT wins bigint,
	OUT losses bigint, OUT win_rate numeric, OUT total_pnl bigint, OUT average_win bigint, OUT average_loss bigint,
	OUT profit_factor numeric, OUT expectancy bigint, OUT average_days numeric, OUT wins_in_row bigint,
	OUT losses_in_row bigint, OUT largest_win bigint, OUT largest_loss bigint) RETURNS record
LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'qts_sql_trade_stats';

-- A profile as it was: what the first change after an instant replaced, or what it is now.
CREATE OR REPLACE FUNCTION qts._profile_at(profile_id text, at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT coalesce(a.before -> 'config', a.after -> 'config') FROM system.audit_log AS a
	WHERE a.action = 'save_exit_profile' AND a.object = _profile_at.profile_id
		AND coalesce(a.engine_ts, a.ts) > _profile_at.at ORDER BY a.audit_id LIMIT 1),
	(SELECT e.config FROM trade.exit_profiles AS e WHERE e.profile_id = _profile_at.profile_id));

-- The profile chosen for a position at an instant: what the first change after it
-- found, the position's own before its symbol's.
CREATE OR REPLACE FUNCTION qts._profile_chosen("position" trade.positions, at timestamptz) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce(
	(SELECT c.was FROM (SELECT a.before ->> 'exit_profile_id', a.audit_id FROM system.audit_log AS a
			WHERE a.action = 'set_position_profile' AND a.object = (_profile_chosen."position").position_id::text
				AND coalesce(a.engine_ts, a.ts) > _profile_chosen.at
			UNION ALL SELECT (_profile_chosen."position").exit_profile_id, NULL) AS c (was, n) ORDER BY c.n LIMIT 1),
	(SELECT c.was ->> 'profile_id' FROM (SELECT a.before, a.audit_id FROM system.audit_log AS a
			WHERE a.action = 'set_symbol_profile' AND a.object = (_profile_chosen."position").symbol
				AND coalesce(a.engine_ts, a.ts) > _profile_chosen.at
			UNION ALL SELECT (SELECT to_jsonb(o) FROM trade.symbol_exit_overrides AS o
				WHERE o.symbol = (_profile_chosen."position").symbol), NULL ORDER BY 2 LIMIT 1) AS c (was)
		WHERE (c.was ->> 'enabled')::boolean
			AND (c.was ->> 'effective_from')::date <= (timezone('Asia/Seoul', _profile_chosen.at))::date),
	'default_hybrid_v1');

-- A live position again: prices, orders and fills as recorded, decisions made anew.
CREATE OR REPLACE FUNCTION qts.replay(position_id uuid, OUT decided_ts timestamptz, OUT replayed_ts timestamptz,
	OUT rule text, OUT phase text, OUT cycle integer, OUT qty bigint, OUT replayed_qty bigint, OUT price numeric,
	OUT replayed_price numeric, OUT threshold_price numeric, OUT replayed_threshold numeric, OUT verdict text)
RETURNS SETOF record
LANGUAGE c STRICT STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'qts_sql_replay';

CREATE OR REPLACE FUNCTION qts.replay_path(position_id uuid, OUT ts timestamptz, OUT price numeric, OUT hwm_price numeric,
	OUT stop_floor_price numeric, OUT stop_price numeric, OUT profit_price numeric) RETURNS SETOF record
LANGUAGE c STRICT STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'qts_sql_replay_path';

-- Where each point of a picture stands: [x, seconds, after a pause, price, marks and thresholds].  A pause in which
-- nothing was traded, a night say, is drawn as 2 % of the width, or nights would be most of the picture.
CREATE OR REPLACE FUNCTION qts._svg_points(points jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH p AS (SELECT e.n, e.v, (e.v ->> 0)::numeric AS t,
			(e.v ->> 0)::numeric - lag((e.v ->> 0)::numeric, 1, (e.v ->> 0)::numeric) OVER (ORDER BY e.n) AS step
		FROM jsonb_array_elements(_svg_points.points) WITH ORDINALITY AS e (v, n)),
	usual AS (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY p.step) AS step FROM p),
	q AS (SELECT p.*, p.step > 1800 AND p.step > 4 * u.step AS paused FROM p CROSS JOIN usual AS u),
	traded AS (SELECT greatest(sum(q.step) FILTER (WHERE NOT q.paused), 1) AS seconds FROM q),
	placed AS (SELECT q.*, sum(CASE WHEN q.paused THEN 0.02 * d.seconds ELSE q.step END) OVER (ORDER BY q.n) AS at
		FROM q CROSS JOIN traded AS d)
	SELECT jsonb_agg(jsonb_build_array(round(66 + 834 * o.at / o.width, 1), o.t, o.paused) || (o.v - 0) ORDER BY o.n)
	FROM (SELECT placed.*, greatest(max(placed.at) OVER (), 1) AS width FROM placed) AS o;
END;

-- The x of a moment between points.
CREATE OR REPLACE FUNCTION qts._svg_x(drawn jsonb, seconds numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT (d.v ->> 0)::numeric FROM jsonb_array_elements(drawn) AS d (v)
	WHERE (d.v ->> 1)::numeric <= seconds ORDER BY (d.v ->> 1)::numeric DESC LIMIT 1), 66);

-- A picture of one trade as SVG text: the price, its marks and thresholds, what was bought and sold.
-- points: [seconds, price, high-water mark, floor, stop, profit]; marks: [seconds, price, label, bought].
CREATE OR REPLACE FUNCTION qts._trade_svg(title text, from_ts timestamptz, to_ts timestamptz, points jsonb, marks jsonb)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	low numeric := (SELECT min((p ->> 1)::numeric) FROM jsonb_array_elements(points) AS p);
	high numeric := (SELECT max((p ->> 1)::numeric) FROM jsonb_array_elements(points) AS p);
	pad numeric := greatest(high - low, high * 0.002) * 0.12;
	drawn jsonb := qts._svg_points(points);
	unit numeric;
	svg text;
	line record;
BEGIN
	low := low - pad;
	high := high + pad;
	unit := 10 ^ floor(log((high - low) / 5));
	unit := unit * CASE WHEN (high - low) / 5 < 2 * unit THEN 2 WHEN (high - low) / 5 < 5 * unit THEN 5 ELSE 10 END;
	svg := '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 424" font-family="sans-serif" font-size="12">'
		|| '<rect width="960" height="424" fill="#ffffff"/>'
		|| format('<text x="66" y="20" font-size="14">%s</text>', replace(replace(title, '&', '&amp;'), '<', '&lt;'));
	-- round prices, times, and a line for each pause
	SELECT svg || coalesce(string_agg(format('<line x1="66" x2="900" y1="%1$s" y2="%1$s" stroke="#e4e4e4"/>'
			'<text x="60" y="%1$s" dy="4" text-anchor="end" fill="#666666">%2$s</text>',
			round(380 - (g * unit - low) / (high - low) * 340, 1), to_char(g * unit, 'FM999,999,999,990')), '' ORDER BY g), '') INTO svg
	FROM generate_series(ceil(low / unit)::bigint, floor(high / unit)::bigint) AS g;
	SELECT svg || coalesce(string_agg(format('<line x1="%1$s" x2="%1$s" y1="40" y2="380" stroke="#cccccc" stroke-dasharray="1 3"/>',
			d ->> 0), ''), '') INTO svg FROM jsonb_array_elements(drawn) AS d WHERE (d ->> 2)::boolean;
	SELECT svg || coalesce(string_agg(format('<text x="%s" y="398" text-anchor="middle" fill="#666666">%s</text>', g.x,
			to_char(timezone('Asia/Seoul', from_ts + near.seconds * interval '1 second'),
				CASE WHEN to_ts - from_ts > interval '20 hours' THEN 'MM-DD HH24:MI' ELSE 'HH24:MI:SS' END)), '' ORDER BY g.x), '') INTO svg
	FROM generate_series(66, 900, 139) AS g (x) CROSS JOIN LATERAL (SELECT (d ->> 1)::numeric AS seconds
		FROM jsonb_array_elements(drawn) AS d ORDER BY abs((d ->> 0)::numeric - g.x) LIMIT 1) AS near;
	FOR line IN SELECT * FROM (VALUES (7, 'profit', '#2e7d32', 'stroke-dasharray="2 3"'), (6, 'stop', '#c62828', 'stroke-dasharray="2 3"'),
			(5, 'floor', '#ef6c00', 'stroke-dasharray="7 3"'), (4, 'high-water mark', '#7986cb', ''), (3, 'price', '#111111', ''))
			AS l (field, name, colour, dash) LOOP
		-- thresholds move in steps and may be away for a while; nothing is known of the price in a pause
		SELECT svg || coalesce(format('<path fill="none" stroke="%s" %s stroke-width="%s" d="%s"/>', line.colour, line.dash,
			CASE WHEN line.field = 3 THEN 1.4 ELSE 1 END, string_agg(CASE WHEN d.was IS NULL OR (line.field = 3 AND d.paused)
				THEN format('M%s %s', d.x, d.y) WHEN line.field = 3 THEN format('L%s %s', d.x, d.y)
				ELSE format('H%sV%s', d.x, d.y) END, '' ORDER BY d.n)), '') INTO svg
		FROM (SELECT p.n, p.v ->> 0 AS x, (p.v ->> 2)::boolean AS paused,
				round(380 - (least(greatest((p.v ->> line.field)::numeric, low), high) - low) / (high - low) * 340, 1) AS y,
				lag(p.v ->> line.field) OVER w AS was, p.v ->> line.field AS is, lead(p.v ->> line.field) OVER w AS next
			FROM jsonb_array_elements(drawn) WITH ORDINALITY AS p (v, n) WINDOW w AS (ORDER BY p.n)) AS d
		WHERE d.is IS NOT NULL AND (line.field = 3 OR d.is IS DISTINCT FROM d.was OR d.next IS NULL);
		svg := svg || format('<text x="%s" y="416" fill="%s">%s</text>', 66 + 150 * (line.field - 3), line.colour, line.name);
	END LOOP;
	SELECT svg || coalesce(string_agg(format('<circle cx="%1$s" cy="%2$s" r="4" fill="%3$s"/>'
			'<text x="%1$s" y="%2$s" dx="%4$s" dy="%5$s" text-anchor="%6$s" fill="%3$s">%7$s</text>', at.x,
			round(380 - (least(greatest((m ->> 1)::numeric, low), high) - low) / (high - low) * 340, 1),
			CASE WHEN (m ->> 3)::boolean THEN '#1565c0' ELSE '#ad1457' END, CASE WHEN at.x > 780 THEN -7 ELSE 7 END,
			CASE WHEN (m ->> 3)::boolean THEN 16 ELSE -8 END, CASE WHEN at.x > 780 THEN 'end' ELSE 'start' END, m ->> 2), ''), '')
	INTO svg FROM jsonb_array_elements(marks) AS m CROSS JOIN LATERAL (SELECT qts._svg_x(drawn, (m ->> 0)::numeric) AS x) AS at;
	RETURN svg || '</svg>';
END $$;

-- Of many points those that a picture can show.
CREATE OR REPLACE FUNCTION qts.replay_svg(position_id uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH path AS MATERIALIZED (SELECT r.*, row_number() OVER (ORDER BY r.ts) AS n, count(*) OVER () AS total
		FROM qts.replay_path(replay_svg.position_id) AS r),
	fills AS (SELECT f.ts, f.price, f.side, f.qty, coalesce(i.reason_code, f.side) AS why FROM trade.fills AS f
		LEFT JOIN trade.orders AS o ON o.order_uid = f.order_uid
		LEFT JOIN trade.order_intents AS i ON i.intent_id = o.intent_id WHERE f.position_id = replay_svg.position_id),
	span AS (SELECT least(min(p.ts), (SELECT min(f.ts) FROM fills AS f)) AS from_ts,
		greatest(max(p.ts), (SELECT max(f.ts) FROM fills AS f)) AS to_ts FROM path AS p)
	SELECT qts._trade_svg(format('%s: %s shares at %s', t.symbol, t.original_qty, round(t.avg_price)), s.from_ts, s.to_ts,
		(SELECT jsonb_agg(jsonb_build_array(extract(epoch FROM p.ts - s.from_ts), p.price, p.hwm_price, p.stop_floor_price,
			p.stop_price, p.profit_price) ORDER BY p.n) FROM path AS p WHERE p.n % (p.total / 1500 + 1) = 0 OR p.n IN (1, p.total)),
		(SELECT coalesce(jsonb_agg(jsonb_build_array(extract(epoch FROM f.ts - s.from_ts), f.price, format('%s %s', f.why, f.qty),
			f.side = 'BUY') ORDER BY f.ts), '[]') FROM fills AS f))
	FROM trade.positions AS t CROSS JOIN span AS s WHERE t.position_id = replay_svg.position_id AND s.from_ts IS NOT NULL;
END;

CREATE OR REPLACE FUNCTION qts.backtest_svg(symbol text, entry_ts timestamptz, qty bigint,
	profile text DEFAULT 'default_hybrid_v1', config jsonb DEFAULT NULL, source text DEFAULT '1m',
	until timestamptz DEFAULT NULL, entry_price numeric DEFAULT NULL, model jsonb DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH path AS MATERIALIZED (SELECT b.*, row_number() OVER (ORDER BY b.ts) AS n, count(*) OVER () AS total
		FROM qts.backtest_path(backtest_svg.symbol, backtest_svg.entry_ts, backtest_svg.qty, backtest_svg.profile,
			backtest_svg.config, backtest_svg.source, backtest_svg.until, backtest_svg.entry_price, backtest_svg.model) AS b),
	fills AS MATERIALIZED (SELECT e.ts, e.price, e.event, e.event_qty, coalesce(e.rule, 'BUY') AS why
		FROM qts.backtest_events(backtest_svg.symbol, backtest_svg.entry_ts, backtest_svg.qty, backtest_svg.profile,
			backtest_svg.config, backtest_svg.source, backtest_svg.until, backtest_svg.entry_price, backtest_svg.model) AS e
		WHERE e.event IN ('ENTRY', 'FILL')),
	span AS (SELECT least(min(p.ts), (SELECT min(f.ts) FROM fills AS f)) AS from_ts,
		greatest(max(p.ts), (SELECT max(f.ts) FROM fills AS f)) AS to_ts FROM path AS p)
	SELECT qts._trade_svg(format('%s: %s shares with %s', backtest_svg.symbol, backtest_svg.qty, backtest_svg.profile), s.from_ts,
		s.to_ts, (SELECT jsonb_agg(jsonb_build_array(extract(epoch FROM p.ts - s.from_ts), p.price, p.hwm_price, p.stop_floor_price,
			p.stop_price, p.profit_price) ORDER BY p.n) FROM path AS p WHERE p.n % (p.total / 1500 + 1) = 0 OR p.n IN (1, p.total)),
		(SELECT coalesce(jsonb_agg(jsonb_build_array(extract(epoch FROM f.ts - s.from_ts), f.price, format('%s %s', f.why, f.event_qty),
			f.event = 'ENTRY') ORDER BY f.ts), '[]') FROM fills AS f))
	FROM span AS s WHERE s.from_ts IS NOT NULL;
END;

-- Many entries at once.
CREATE TYPE qts.backtest_entry AS (symbol text, entry_ts timestamptz, qty bigint, entry_price numeric);

-- By symbol and time: prices are read once and not again for each profile.
CREATE OR REPLACE FUNCTION qts.backtest(entries qts.backtest_entry[], profiles text[] DEFAULT '{default_hybrid_v1}',
	config jsonb DEFAULT NULL, source text DEFAULT '1m', until timestamptz DEFAULT NULL, model jsonb DEFAULT NULL)
RETURNS TABLE (entry_no bigint, of_symbol text, of_profile text, bought_ts timestamptz, bought_price numeric,
	bought_qty bigint, exit_ts timestamptz, exit_price numeric, sold_qty bigint, status text, reason text, pnl bigint,
	return_pct numeric, fees bigint, taxes bigint, mae_pct numeric, mfe_pct numeric, held_days integer, looks bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM qts._backtest_announce(coalesce(cardinality(entries)::bigint * cardinality(profiles), 0));
	RETURN QUERY SELECT o.n, b.* FROM (SELECT e.n, e.symbol, e.entry_ts, e.qty, e.entry_price, p.profile
			FROM unnest(entries) WITH ORDINALITY AS e (symbol, entry_ts, qty, entry_price, n)
			CROSS JOIN unnest(profiles) AS p (profile) ORDER BY e.symbol, e.entry_ts, e.n OFFSET 0) AS o
		CROSS JOIN LATERAL qts.backtest(o.symbol, o.entry_ts, o.qty, o.profile, backtest.config, backtest.source,
			backtest.until, o.entry_price, backtest.model) AS b;
END $$;

-- Value of an account that made these entries.  Days on which nothing was held count, too.
CREATE OR REPLACE FUNCTION qts.backtest_equity(entries qts.backtest_entry[], capital bigint,
	profile text DEFAULT 'default_hybrid_v1', config jsonb DEFAULT NULL, source text DEFAULT '1m',
	until timestamptz DEFAULT NULL, model jsonb DEFAULT NULL)
RETURNS TABLE (date date, held integer, value bigint, pnl bigint, equity bigint, daily_return numeric, drawdown numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF capital IS NULL OR capital <= 0 THEN
		RAISE EXCEPTION 'invalid capital' USING ERRCODE = 'QT011', DETAIL = format('It is %s.', coalesce(capital::text, 'null')),
			HINT = 'Give the KRW the account starts with.';
	END IF;
	PERFORM qts._backtest_announce(coalesce(cardinality(entries)::bigint, 0));
	RETURN QUERY WITH o AS (SELECT e.n, e.symbol, e.entry_ts, e.qty, e.entry_price
			FROM unnest(entries) WITH ORDINALITY AS e (symbol, entry_ts, qty, entry_price, n) ORDER BY 2, 3, 1 OFFSET 0),
	walked AS MATERIALIZED (SELECT o.n, d.date, d.held_qty, d.value,
			d.pnl - lag(d.pnl, 1, 0::bigint) OVER (PARTITION BY o.n ORDER BY d.date) AS pnl
		FROM o CROSS JOIN LATERAL qts.backtest_days(o.symbol, o.entry_ts, o.qty, backtest_equity.profile,
			backtest_equity.config, backtest_equity.source, backtest_equity.until, o.entry_price,
			backtest_equity.model) AS d),
	span AS (SELECT min(w.date) AS first, max(w.date) AS last FROM walked AS w),
	axis AS (SELECT w.date FROM walked AS w UNION SELECT c.date FROM market.calendar AS c, span AS s
		WHERE c.is_open AND c.date BETWEEN s.first AND s.last),
	daily AS (SELECT a.date, count(w.n) FILTER (WHERE w.held_qty > 0)::integer AS held,
			coalesce(sum(w.value), 0)::bigint AS value, coalesce(sum(w.pnl), 0)::bigint AS pnl
		FROM axis AS a LEFT JOIN walked AS w ON w.date = a.date GROUP BY a.date),
	curve AS (SELECT d.*, (backtest_equity.capital + sum(d.pnl) OVER (ORDER BY d.date))::bigint AS equity FROM daily AS d)
	SELECT c.date, c.held, c.value, c.pnl, c.equity, round(c.pnl::numeric / nullif(c.equity - c.pnl, 0), 9),
		round(c.equity::numeric / greatest(backtest_equity.capital, max(c.equity) OVER (ORDER BY c.date)) - 1, 6)
	FROM curve AS c ORDER BY c.date;
END $$;

CREATE OR REPLACE FUNCTION qts.backtest_summary(entries qts.backtest_entry[], capital bigint,
	profile text DEFAULT 'default_hybrid_v1', config jsonb DEFAULT NULL, source text DEFAULT '1m',
	until timestamptz DEFAULT NULL, model jsonb DEFAULT NULL, OUT of_profile text, OUT status text, OUT days integer,
	OUT total_return numeric, OUT annual_return numeric, OUT volatility numeric, OUT sharpe numeric, OUT sortino numeric,
	OUT max_drawdown numeric, OUT trades bigint, OUT wins bigint, OUT losses bigint, OUT win_rate numeric,
	OUT total_pnl bigint, OUT average_win bigint, OUT average_loss bigint, OUT profit_factor numeric, OUT expectancy bigint,
	OUT average_days numeric, OUT wins_in_row bigint, OUT losses_in_row bigint, OUT largest_win bigint,
	OUT largest_loss bigint, OUT open_trades bigint, OUT frozen_trades bigint) RETURNS record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH t AS MATERIALIZED (SELECT b.* FROM qts.backtest(backtest_summary.entries, ARRAY[backtest_summary.profile],
			backtest_summary.config, backtest_summary.source, backtest_summary.until, backtest_summary.model) AS b),
	e AS (SELECT backtest_summary.capital || coalesce(array_agg(c.equity ORDER BY c.date), '{}') AS equity
		FROM qts.backtest_equity(backtest_summary.entries, backtest_summary.capital, backtest_summary.profile,
			backtest_summary.config, backtest_summary.source, backtest_summary.until, backtest_summary.model) AS c),
	a AS (SELECT coalesce(array_agg(t.pnl ORDER BY t.exit_ts, t.entry_no) FILTER (WHERE t.status = 'CLOSED'), '{}') AS pnl,
			coalesce(array_agg(t.held_days::bigint ORDER BY t.exit_ts, t.entry_no) FILTER (WHERE t.status = 'CLOSED'), '{}')
				AS held, count(*) FILTER (WHERE t.status = 'OPEN') AS open_trades,
			count(*) FILTER (WHERE t.status = 'FROZEN') AS frozen_trades
		FROM t)
	SELECT backtest_summary.profile, p.status, p.days, p.total_return, p.annual_return, p.volatility, p.sharpe, p.sortino,
		p.max_drawdown, s.trades, s.wins, s.losses, s.win_rate, s.total_pnl, s.average_win, s.average_loss, s.profit_factor,
		s.expectancy, s.average_days, s.wins_in_row, s.losses_in_row, s.largest_win, s.largest_loss, a.open_trades,
		a.frozen_trades
	FROM a CROSS JOIN e CROSS JOIN LATERAL qts.performance(e.equity) AS p
	CROSS JOIN LATERAL qts.trade_stats(a.pnl, a.held) AS s;
END;

COMMENT ON FUNCTION qts.backtest(text, timestamptz, bigint, text, jsonb, text, timestamptz, numeric, jsonb) IS 'Buys at the first price from entry_ts on and lets the live exit rules sell it, over stored ticks, 1m or 1d bars; one row. config changes keys of the profile, model says how orders fill. QT011';
COMMENT ON FUNCTION qts.backtest_events(text, timestamptz, bigint, text, jsonb, text, timestamptz, numeric, jsonb) IS 'Everything that happens in a backtest, in order: entry, decisions, fills, cancels, new cycles, splits, freezes';
COMMENT ON FUNCTION qts.backtest_days(text, timestamptz, bigint, text, jsonb, text, timestamptz, numeric, jsonb) IS 'A backtest day by day: last price, shares, their value, and the result so far after costs';
COMMENT ON FUNCTION qts.backtest_path(text, timestamptz, bigint, text, jsonb, text, timestamptz, numeric, jsonb) IS 'A backtest as lines to draw: price, high-water mark, stop floor, nearest threshold below and above; at most one point a second';
COMMENT ON FUNCTION qts._backtest_announce(bigint) IS 'How many walks the next query of this session will make, for qts.backtest_progress';
COMMENT ON FUNCTION qts._backtest_progress() IS 'Rows of qts.backtest_progress';
COMMENT ON VIEW qts.backtest_progress IS 'Backtests under way, a row per process: how far in time, walks, evaluations, rows read';
COMMENT ON COLUMN qts.backtest_progress.walks_total IS 'Known when the entries came as an array';
COMMENT ON FUNCTION qts.performance(bigint[], bigint[], numeric) IS 'Return, volatility, Sharpe, Sortino and drawdown of daily values, the first one the start; alpha and beta against as many values of a benchmark. QT011';
COMMENT ON FUNCTION qts.trade_stats(bigint[], bigint[]) IS 'Win rate, profit factor, expectancy and streaks of results in order of their end. QT011';
COMMENT ON COLUMN system.audit_log.engine_ts IS 'When, by the engine''s clock';
COMMENT ON FUNCTION qts._profile_chosen(trade.positions, timestamptz) IS 'Name of the profile chosen for a position at an instant, from the audit log';
COMMENT ON FUNCTION qts._profile_at(text, timestamptz) IS 'Config of a profile at an instant, from the audit log';
COMMENT ON FUNCTION qts.replay(uuid) IS 'Decides a live position again on the stored ticks, with its recorded orders and fills: one row per decision of then or now, and whether they are the SAME. QT011';
COMMENT ON FUNCTION qts.replay_path(uuid) IS 'Price, marks and nearest thresholds of a live position at each look, from the stored ticks';
COMMENT ON FUNCTION qts._svg_points(jsonb) IS 'Where the points of a picture stand; pauses are drawn short';
COMMENT ON FUNCTION qts._svg_x(jsonb, numeric) IS 'The x of a moment, seconds from the first point';
COMMENT ON FUNCTION qts._trade_svg(text, timestamptz, timestamptz, jsonb, jsonb) IS 'Draws a trade from its points and marks';
COMMENT ON FUNCTION qts.replay_svg(uuid) IS 'A live position as a picture, SVG text: price, high-water mark, floor, nearest thresholds, fills';
COMMENT ON FUNCTION qts.backtest_svg(text, timestamptz, bigint, text, jsonb, text, timestamptz, numeric, jsonb) IS 'A backtest as a picture, SVG text';
COMMENT ON TYPE qts.backtest_entry IS 'What to buy in a backtest, when, and how much; a price of null is what the market gives';
COMMENT ON FUNCTION qts.backtest(qts.backtest_entry[], text[], jsonb, text, timestamptz, jsonb) IS 'Each entry with each profile, one row each; entry_no is its place in the array';
COMMENT ON FUNCTION qts.backtest_equity(qts.backtest_entry[], bigint, text, jsonb, text, timestamptz, jsonb) IS 'Day by day the value of an account that made these entries, open positions at their last price, after costs';
COMMENT ON FUNCTION qts.backtest_summary(qts.backtest_entry[], bigint, text, jsonb, text, timestamptz, jsonb) IS 'One row about all entries: performance of the account, statistics of the closed trades';
