-- Ticks to minutes to days.  A minute is what was traded at the exchange in it;
-- when the tick came decides only when it is looked at.

-- The minute of a tick; null when it came more than an hour late.  An exchange
-- time ahead of ours by a minute is not believed.  Not IMMUTABLE, or it would not be inlined.
CREATE OR REPLACE FUNCTION system._tick_minute(exch_ts timestamptz, recv_ts timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN exch_ts IS NULL OR exch_ts > recv_ts + interval '1 minute' THEN date_bin('1 minute', recv_ts, '2000-01-01 00:00:00+00')
	WHEN exch_ts >= recv_ts - interval '1 hour' THEN date_bin('1 minute', exch_ts, '2000-01-01 00:00:00+00') END;

-- One bar from all ticks of its minute received before a moment; no row when
-- nothing was traded.  Volume is what the day's total grew by since the minute
-- before, so ticks that were lost are counted; what was traded before the first
-- tick of the day belongs to no minute.
CREATE OR REPLACE FUNCTION system._bar(symbol text, minute timestamptz, until timestamptz)
RETURNS TABLE (open bigint, high bigint, low bigint, close bigint, volume bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	day_start timestamptz := system._chunk_start('1 day', minute);
	received_until timestamptz := least(until, minute + interval '62 minutes');
BEGIN
	RETURN QUERY WITH t AS MATERIALIZED (SELECT t.last_price, t.volume, t.acml_volume, t.source, t.seq, t.recv_ts,
			coalesce(t.exch_ts, t.recv_ts) AS at, system._tick_minute(t.exch_ts, t.recv_ts) AS minute
		FROM market.prices_ticks AS t WHERE t.symbol = _bar.symbol AND t.source IN ('KIS_WS', 'KIS_REST')
			AND t.recv_ts >= _bar.minute - interval '3 minutes'
			AND t.recv_ts < received_until),
	own AS (SELECT * FROM t WHERE t.minute = _bar.minute),
	-- the stream sees every trade, a request only the last one
	best AS (SELECT * FROM own WHERE source = 'KIS_WS' OR NOT EXISTS (SELECT FROM own WHERE source = 'KIS_WS')),
	base AS (SELECT coalesce(
		(SELECT max(t.acml_volume) FROM t WHERE t.minute < _bar.minute
			AND t.minute >= day_start),
		(SELECT max(d.acml_volume) FROM market.prices_ticks AS d WHERE d.symbol = _bar.symbol
			AND d.source IN ('KIS_WS', 'KIS_REST') AND d.recv_ts >= day_start AND d.recv_ts < received_until
			AND system._tick_minute(d.exch_ts, d.recv_ts) < _bar.minute),
		(SELECT min(own.acml_volume - coalesce(own.volume, 0)) FROM own)) AS volume),
	bar AS (SELECT (array_agg(best.last_price ORDER BY best.at, best.recv_ts, best.seq))[1] AS open,
			max(best.last_price) AS high, min(best.last_price) AS low,
			(array_agg(best.last_price ORDER BY best.at DESC, best.recv_ts DESC, best.seq DESC))[1] AS close,
			coalesce((SELECT max(own.acml_volume) FROM own) - (SELECT base.volume FROM base),
				(SELECT sum(own.volume) FROM own), 0)::bigint AS volume
		FROM best)
	SELECT bar.open, bar.high, bar.low, bar.close, bar.volume FROM bar WHERE bar.open IS NOT NULL AND bar.volume > 0;
END $$;

-- The minutes of a symbol that ticks received in a span touch, and after each the
-- next one, whose volume counts from it.  Bars of other sources are left alone.
CREATE OR REPLACE FUNCTION system._roll_minutes(symbol text, from_ts timestamptz, to_ts timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	minutes timestamptz[];
	changed bigint;
BEGIN
	SELECT array_agg(DISTINCT m.ts) INTO minutes FROM (
		SELECT DISTINCT system._tick_minute(t.exch_ts, t.recv_ts) AS ts FROM market.prices_ticks AS t
		WHERE t.symbol = _roll_minutes.symbol AND t.recv_ts >= _roll_minutes.from_ts AND t.recv_ts < _roll_minutes.to_ts
			AND t.source IN ('KIS_WS', 'KIS_REST')) AS own
	CROSS JOIN LATERAL (SELECT own.ts UNION ALL SELECT min(b.ts) FROM market.ohlcv_1m AS b
		WHERE b.symbol = _roll_minutes.symbol AND b.ts > own.ts AND b.ts < own.ts + interval '1 day') AS m
	WHERE m.ts IS NOT NULL;
	IF minutes IS NULL THEN
		RETURN 0;
	END IF;
	WITH bars AS MATERIALIZED (SELECT m.ts, b.* FROM unnest(minutes) AS m (ts)
		LEFT JOIN LATERAL system._bar(_roll_minutes.symbol, m.ts, _roll_minutes.to_ts) AS b ON true),
	gone AS (DELETE FROM market.ohlcv_1m AS o USING bars WHERE o.symbol = _roll_minutes.symbol AND o.ts = bars.ts
		AND o.ts = ANY (minutes) AND o.source = 'TICKS' AND bars.open IS NULL RETURNING 1),
	moved AS (UPDATE market.ohlcv_1m AS o SET open = bars.open, high = bars.high, low = bars.low, close = bars.close,
			volume = bars.volume
		FROM bars WHERE o.symbol = _roll_minutes.symbol AND o.ts = bars.ts AND o.ts = ANY (minutes) AND o.source = 'TICKS'
			AND bars.open IS NOT NULL
			AND (o.open, o.high, o.low, o.close, o.volume) <> (bars.open, bars.high, bars.low, bars.close, bars.volume)
		RETURNING 1),
	new AS (INSERT INTO market.ohlcv_1m (symbol, ts, open, high, low, close, volume, source)
		SELECT _roll_minutes.symbol, bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume, 'TICKS'
		FROM bars WHERE bars.open IS NOT NULL ON CONFLICT DO NOTHING RETURNING 1)
	SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM moved) + (SELECT count(*) FROM new) INTO changed;
	RETURN changed;
END $$;

-- Have ticks come since?  Each refreshes market.freshness, at the latest seconds later.
CREATE OR REPLACE FUNCTION system._ticks_since(since timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM market.freshness AS f WHERE f.source IN ('KIS_WS', 'KIS_REST')
	AND f.last_ts >= since - interval '5 seconds');

-- The end of the span to roll up next: whole minutes that ended ten seconds ago, so
-- that what was received in them has committed.  Days without ticks are passed over.
CREATE OR REPLACE FUNCTION system._next_span(watermark timestamptz, width interval, OUT target timestamptz, OUT empty boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ready timestamptz := date_trunc('minute', qts._now() - interval '10 seconds');
	p record;
BEGIN
	empty := false;
	SELECT c.name, c.to_ts INTO p FROM system._partitions('market.prices_ticks') AS c
	WHERE c.from_ts <= watermark AND c.to_ts > watermark;
	IF NOT FOUND THEN
		empty := true;
		target := least(ready, (SELECT min(c.from_ts) FROM system._partitions('market.prices_ticks') AS c
			WHERE c.from_ts > watermark));
	ELSE
		EXECUTE format('SELECT NOT EXISTS (SELECT FROM market.%I)', p.name) INTO empty;
		target := least(ready, CASE WHEN empty THEN p.to_ts ELSE watermark + width END);
	END IF;
	IF target <= watermark THEN
		target := NULL;
	END IF;
END $$;

-- The symbols of one span, until the time is up: u.target is null when all are done.
CREATE OR REPLACE FUNCTION system._roll_span(INOUT u system.upkeep, stop_at timestamptz, OUT rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	f record;
BEGIN
	rows := 0;
	PERFORM system._ensure_range('market.ohlcv_1m', u.watermark - interval '1 hour', u.target);
	FOR f IN SELECT DISTINCT s.symbol FROM market.freshness AS s WHERE s.source IN ('KIS_WS', 'KIS_REST')
		AND s.last_ts >= u.watermark - interval '5 seconds' AND s.symbol > u.at ORDER BY s.symbol LOOP
		rows := rows + system._roll_minutes(f.symbol, u.watermark, u.target);
		u.at := f.symbol;
		IF clock_timestamp() > stop_at THEN
			RETURN;
		END IF;
	END LOOP;
	u.watermark := u.target;
	u.target := NULL;
END $$;

-- Some 80 ms of roll-up.  Spans grow while nothing was traded.
CREATE OR REPLACE FUNCTION system._upkeep_minutes(OUT more boolean, OUT rows bigint) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	stop_at timestamptz := clock_timestamp() + interval '80 milliseconds';
	width interval := '5 minutes';
	span record;
	empty boolean := false;
	done record;
	u system.upkeep;
	was system.upkeep;
BEGIN
	rows := 0;
	PERFORM pg_advisory_xact_lock(hashtextextended('qts upkeep', 0)); -- a row lock would write WAL all night
	SELECT * INTO u FROM system.upkeep AS k WHERE k.task = 'ohlcv_1m';
	IF u.watermark IS NULL THEN
		INSERT INTO system.upkeep AS k (task, watermark) SELECT 'ohlcv_1m', coalesce(min(c.from_ts), date_trunc('minute', qts._now()))
			FROM system._partitions('market.prices_ticks') AS c
		ON CONFLICT ON CONSTRAINT upkeep_pkey DO UPDATE SET watermark = EXCLUDED.watermark RETURNING * INTO u;
	END IF;
	was := u;
	LOOP
		IF u.target IS NULL THEN
			more := system._ticks_since(u.watermark);
			EXIT WHEN NOT more;
			SELECT * INTO span FROM system._next_span(u.watermark, width);
			more := span.target IS NOT NULL;
			EXIT WHEN NOT more;
			empty := span.empty;
			u.target := span.target;
			u.at := '';
		END IF;
		IF empty THEN
			u.watermark := u.target;
			u.target := NULL;
		ELSE
			SELECT * INTO done FROM system._roll_span(u, stop_at);
			u := done.u;
			rows := rows + done.rows;
			width := CASE WHEN done.rows > 0 THEN interval '5 minutes' ELSE least(2 * width, interval '1 hour') END;
		END IF;
		more := true;
		EXIT WHEN clock_timestamp() > stop_at;
	END LOOP;
	IF u IS DISTINCT FROM was THEN
		UPDATE system.upkeep AS k SET watermark = u.watermark, target = u.target, at = u.at,
			rows = k.rows + _upkeep_minutes.rows, last_run = qts._now() WHERE k.task = 'ohlcv_1m';
	END IF;
END $$;

-- The day's bar of a symbol from its minutes of the session; its volume is the last
-- total of the day.  Bars of other sources are left alone.
CREATE OR REPLACE FUNCTION system._roll_day(symbol text, day date, open_at timestamptz, close_at timestamptz) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	WITH m AS (SELECT * FROM market.ohlcv_1m AS o WHERE o.symbol = _roll_day.symbol AND o.ts >= _roll_day.open_at
			AND o.ts <= _roll_day.close_at),
	total AS (SELECT max(t.acml_volume) AS volume FROM (SELECT p.acml_volume FROM market.prices_ticks AS p
		WHERE p.symbol = _roll_day.symbol AND p.source IN ('KIS_WS', 'KIS_REST') AND p.recv_ts >= _roll_day.open_at
			AND p.recv_ts < _roll_day.close_at + interval '1 hour' ORDER BY p.recv_ts DESC LIMIT 10) AS t),
	bar AS (SELECT (array_agg(m.open ORDER BY m.ts))[1] AS open, max(m.high) AS high, min(m.low) AS low,
		(array_agg(m.close ORDER BY m.ts DESC))[1] AS close,
		greatest((SELECT total.volume FROM total), sum(m.volume)::bigint) AS volume
		FROM m HAVING bool_or(m.source = 'TICKS')),
	put AS (INSERT INTO market.ohlcv_1d AS d (symbol, date, open, high, low, close, volume, source)
		SELECT _roll_day.symbol, day, bar.open, bar.high, bar.low, bar.close, bar.volume, 'TICKS' FROM bar
		ON CONFLICT ON CONSTRAINT ohlcv_1d_pkey DO UPDATE SET open = EXCLUDED.open, high = EXCLUDED.high, low = EXCLUDED.low,
			close = EXCLUDED.close, volume = EXCLUDED.volume
		WHERE d.source = 'TICKS' AND (d.open, d.high, d.low, d.close, d.volume)
			<> (EXCLUDED.open, EXCLUDED.high, EXCLUDED.low, EXCLUDED.close, EXCLUDED.volume) RETURNING 1)
	SELECT count(*) FROM put
$$;

-- One day after the other, each when no tick of its session can be late any more
-- and every minute of it is rolled up.
CREATE OR REPLACE FUNCTION system._upkeep_days(OUT more boolean, OUT rows bigint) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	started timestamptz := clock_timestamp();
	minutes timestamptz := (SELECT k.watermark FROM system.upkeep AS k WHERE k.task = 'ohlcv_1m');
	u system.upkeep;
	day date;
	open_at timestamptz;
	close_at timestamptz;
	f record;
BEGIN
	more := false;
	rows := 0;
	PERFORM pg_advisory_xact_lock(hashtextextended('qts upkeep', 0));
	SELECT * INTO u FROM system.upkeep AS k WHERE k.task = 'ohlcv_1d';
	IF minutes IS NULL THEN
		RETURN;
	ELSIF u.watermark IS NULL THEN
		INSERT INTO system.upkeep AS k (task, watermark) SELECT 'ohlcv_1d',
			system._chunk_start('1 day', coalesce(min(c.from_ts), qts._now()))
			FROM system._partitions('market.prices_ticks') AS c
		ON CONFLICT ON CONSTRAINT upkeep_pkey DO UPDATE SET watermark = EXCLUDED.watermark RETURNING * INTO u;
	END IF;
	SELECT c.date, timezone('Asia/Seoul', c.date + c.open_at), timezone('Asia/Seoul', c.date + c.close_at)
	INTO day, open_at, close_at FROM market.calendar AS c
	WHERE c.is_open AND c.date >= (timezone('Asia/Seoul', u.watermark))::date ORDER BY c.date LIMIT 1;
	IF day IS NULL OR qts._now() < close_at + interval '65 minutes'
		OR (minutes < close_at + interval '61 minutes' AND system._ticks_since(minutes)) THEN
		RETURN;
	END IF;
	more := true;
	FOR f IN SELECT DISTINCT s.symbol FROM market.freshness AS s WHERE s.source IN ('KIS_WS', 'KIS_REST')
		AND s.last_ts >= open_at AND s.symbol > coalesce(u.at, '') ORDER BY s.symbol LOOP
		rows := rows + system._roll_day(f.symbol, day, open_at, close_at);
		IF clock_timestamp() > started + interval '80 milliseconds' THEN
			UPDATE system.upkeep AS k SET target = system._chunk_start('1 day', open_at) + interval '1 day', at = f.symbol,
				rows = k.rows + _upkeep_days.rows, last_run = qts._now() WHERE k.task = 'ohlcv_1d';
			RETURN;
		END IF;
	END LOOP;
	UPDATE system.upkeep AS k SET watermark = system._chunk_start('1 day', open_at) + interval '1 day', target = NULL, at = NULL,
		rows = k.rows + _upkeep_days.rows, last_run = qts._now() WHERE k.task = 'ohlcv_1d';
END $$;
