-- Old partitions of ticks are packed: beside the table symbol by symbol, then put in
-- its place in one transaction, so that a reader sees each tick once.
CREATE OR REPLACE FUNCTION system._pack_next() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.name FROM system.ts_policy AS p CROSS JOIN LATERAL system._partitions(p.table_name) AS c
	WHERE p.table_name = 'market.prices_ticks' AND p.enabled AND NOT c.pending AND c.to_ts <= qts._now() - p.compress_after
		AND c.to_ts <= system._rolled_until()
		AND NOT EXISTS (SELECT FROM system.ts_expired AS e WHERE e.child = c.name)
	ORDER BY c.from_ts LIMIT 1
$$;

-- A half-hour is 1.8e9 microseconds: what is counted from its start fits an integer.
CREATE OR REPLACE FUNCTION system._pack_symbol(raw text, packed text, symbol text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('INSERT INTO market.%I SELECT t.symbol, t.source, t.block, t.base_price, t.base_seq, t.base_acml,'
		' array_agg((extract(epoch FROM t.recv_ts - t.block) * 1000000)::integer ORDER BY t.recv_ts, t.seq),'
		' array_agg(t.seq - t.base_seq ORDER BY t.recv_ts, t.seq),'
		' array_agg((t.last_price - t.base_price)::integer ORDER BY t.recv_ts, t.seq),'
		' array_agg(t.bid_price - t.last_price ORDER BY t.recv_ts, t.seq),'
		' array_agg(t.ask_price - t.last_price ORDER BY t.recv_ts, t.seq),'
		' array_agg(t.volume ORDER BY t.recv_ts, t.seq),'
		' array_agg(t.acml_volume - t.base_acml ORDER BY t.recv_ts, t.seq),'
		' array_agg((extract(epoch FROM t.recv_ts - t.exch_ts) * 1000000)::bigint ORDER BY t.recv_ts, t.seq)'
		' FROM (SELECT b.*, min(b.last_price) OVER w AS base_price, min(b.seq) OVER w AS base_seq,'
		'  coalesce(min(b.acml_volume) OVER w, 0) AS base_acml'
		'  FROM (SELECT r.*, date_bin(''30 minutes'', r.recv_ts, ''2000-01-01 00:00:00+00'') AS block FROM market.%I AS r'
		'   WHERE r.symbol = $1) AS b WINDOW w AS (PARTITION BY b.symbol, b.source, b.block)) AS t'
		' GROUP BY t.symbol, t.source, t.block, t.base_price, t.base_seq, t.base_acml', packed, raw) USING symbol;
	EXECUTE format('SELECT coalesce(sum(cardinality(p.recv)), 0) FROM market.%I AS p WHERE p.symbol = $1', packed)
		INTO n USING symbol;
	RETURN n;
END $$;

-- Tables half filled whose ticks are gone, or packed elsewhere.
CREATE OR REPLACE FUNCTION system._pack_forget() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text;
BEGIN
	FOR name IN SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'market'::regnamespace AND c.relkind = 'r'
		AND starts_with(c.relname, 'ticks_packed_') AND obj_description(c.oid, 'pg_class') = 'Half packed'
		AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid)
		AND NOT EXISTS (SELECT FROM system._partitions('market.prices_ticks') AS p
			WHERE p.name = replace(c.relname, 'ticks_packed', 'prices_ticks')) LOOP
		EXECUTE format('DROP TABLE market.%I', name);
		-- or a day that comes back would be taken for half packed
		UPDATE system.upkeep AS k SET at = NULL
		WHERE k.task = 'pack' AND split_part(k.at, ' ', 1) = replace(name, 'ticks_packed', 'prices_ticks');
	END LOOP;
END $$;

-- The table being filled, empty again when it is another than last time.
CREATE OR REPLACE FUNCTION system._pack_table(packed text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM system._pack_forget();
	EXECUTE format('DROP TABLE IF EXISTS market.%I', packed);
	EXECUTE format('CREATE TABLE market.%I (LIKE market.ticks_packed INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', packed);
	EXECUTE format('ALTER TABLE market.%I ADD PRIMARY KEY (symbol, from_ts, source)', packed);
	EXECUTE format('CREATE TRIGGER qts_truncate BEFORE TRUNCATE ON market.%I FOR EACH STATEMENT'
		' EXECUTE FUNCTION qts._trg_append_only()', packed);
	EXECUTE format('COMMENT ON TABLE market.%I IS ''Half packed''', packed);
END $$;

-- The exchange of the two.  It shuts out readers and writers of ticks for the moment
-- it takes, waits a tenth of a second for them at most, and is tried again.
CREATE OR REPLACE FUNCTION system._pack_swap(raw text, packed text, from_ts timestamptz, to_ts timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
	ticks bigint;
	kept bigint;
BEGIN
	EXECUTE format('LOCK TABLE market.%I IN SHARE MODE', raw);
	EXECUTE format('SELECT count(*) FROM market.%I', raw) INTO ticks;
	EXECUTE format('SELECT coalesce(sum(cardinality(p.recv)), 0) FROM market.%I AS p', packed) INTO kept;
	IF ticks <> kept THEN
		PERFORM system._pack_table(packed);
		UPDATE system.upkeep AS k SET at = NULL WHERE k.task = 'pack';
		RAISE WARNING 'packing of % begins anew: % ticks, % packed', raw, ticks, kept USING ERRCODE = 'QT901';
		RETURN;
	END IF;
	IF ticks = 0 THEN
		EXECUTE format('DROP TABLE market.%I', packed);
	ELSE
		EXECUTE format('COMMENT ON TABLE market.%I IS %L', packed, 'Packed from ' || raw);
		EXECUTE format('ALTER TABLE market.ticks_packed ATTACH PARTITION market.%I FOR VALUES FROM (%L) TO (%L)', packed, from_ts, to_ts);
	END IF;
	EXECUTE format('ALTER TABLE market.prices_ticks DETACH PARTITION market.%I', raw);
	INSERT INTO system.ts_expired (parent, child) VALUES ('market.prices_ticks', raw);
	UPDATE system.upkeep AS k SET at = NULL, rows = k.rows + kept, last_run = qts._now() WHERE k.task = 'pack';
END $$;

-- at is "partition symbol": the symbol packed last.
CREATE OR REPLACE FUNCTION system._upkeep_pack(OUT more boolean, OUT rows bigint) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	stop_at timestamptz := clock_timestamp() + interval '80 milliseconds';
	raw text := system._pack_next();
	packed text;
	done text;
	p record;
BEGIN
	rows := 0;
	-- never beside a running market
	more := raw IS NOT NULL AND NOT system._ticks_since(qts._now() - interval '10 minutes')
		AND (to_regclass('market.ticks_history') IS NULL OR EXISTS (SELECT FROM system.ts_policy AS t
			WHERE t.table_name = 'market.prices_ticks' AND t.pack_into = 'market.ticks_packed'));
	IF NOT more THEN
		RETURN;
	END IF;
	packed := replace(raw, 'prices_ticks', 'ticks_packed');
	SELECT split_part(k.at, ' ', 2) INTO done FROM system.upkeep AS k WHERE k.task = 'pack' AND split_part(k.at, ' ', 1) = raw;
	IF done IS NULL THEN
		PERFORM system._pack_table(packed);
		done := '';
	END IF;
	LOOP
		EXECUTE format('SELECT r.symbol FROM market.%I AS r WHERE r.symbol > $1 ORDER BY r.symbol LIMIT 1', raw)
			INTO p USING done;
		IF p.symbol IS NULL THEN
			SELECT c.from_ts, c.to_ts INTO p FROM system._partitions('market.prices_ticks') AS c WHERE c.name = raw;
			BEGIN
				PERFORM system._pack_swap(raw, packed, p.from_ts, p.to_ts);
			EXCEPTION WHEN lock_not_available THEN
				more := false;
			END;
			RETURN;
		END IF;
		rows := rows + system._pack_symbol(raw, packed, p.symbol);
		done := p.symbol;
		EXIT WHEN clock_timestamp() > stop_at;
	END LOOP;
	INSERT INTO system.upkeep AS k (task, at, last_run) VALUES ('pack', raw || ' ' || done, qts._now())
	ON CONFLICT ON CONSTRAINT upkeep_pkey DO UPDATE SET at = EXCLUDED.at, last_run = EXCLUDED.last_run;
END $$;

-- Both at once, bounded by time: a row of the packed table begins up to half an hour earlier.
-- Without SET, or it would not be inlined.
CREATE OR REPLACE FUNCTION system._ticks_here(symbol text, from_ts timestamptz, to_ts timestamptz)
RETURNS TABLE (recv_ts timestamptz, seq bigint, source text, last_price bigint, bid_price bigint, ask_price bigint,
	volume bigint, acml_volume bigint, exch_ts timestamptz)
LANGUAGE sql STABLE AS $$
	SELECT t.recv_ts, t.seq, t.source, t.last_price, t.bid_price, t.ask_price, t.volume, t.acml_volume, t.exch_ts
	FROM market.prices_ticks AS t
	WHERE t.symbol = _ticks_here.symbol AND t.recv_ts >= _ticks_here.from_ts AND t.recv_ts < _ticks_here.to_ts
	UNION ALL
	SELECT u.recv_ts, p.base_seq + a.seq, p.source, p.base_price + a.last, p.base_price + a.last + a.bid,
		p.base_price + a.last + a.ask, a.volume, p.base_acml + a.acml, u.recv_ts - a.lag * interval '1 microsecond'
	FROM market.ticks_packed AS p
	CROSS JOIN LATERAL unnest(p.recv, p.seq, p.last, p.bid, p.ask, p.volume, p.acml, p.lag)
		AS a (recv, seq, last, bid, ask, volume, acml, lag)
	CROSS JOIN LATERAL (SELECT p.from_ts + a.recv * interval '1 microsecond' AS recv_ts) AS u
	WHERE p.symbol = _ticks_here.symbol AND p.from_ts > _ticks_here.from_ts - interval '30 minutes'
		AND p.from_ts < _ticks_here.to_ts AND u.recv_ts >= _ticks_here.from_ts AND u.recv_ts < _ticks_here.to_ts
$$;

-- What went to TimescaleDB too, where it is.  One statement that locks the partitions
-- first: a reader who waited for a day to move then finds it among the chunks.
CREATE OR REPLACE FUNCTION qts.ticks(symbol text, from_ts timestamptz, to_ts timestamptz)
RETURNS TABLE (recv_ts timestamptz, seq bigint, source text, last_price bigint, bid_price bigint, ask_price bigint,
	volume bigint, acml_volume bigint, exch_ts timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF to_regclass('market.ticks_history') IS NULL THEN
		RETURN QUERY SELECT * FROM system._ticks_here(symbol, from_ts, to_ts) AS h ORDER BY h.recv_ts, h.seq;
	ELSE
		RETURN QUERY EXECUTE 'SELECT * FROM system._ticks_here($1, $2, $3)'
			' UNION ALL SELECT t.recv_ts, t.seq, t.source, t.last_price, t.bid_price, t.ask_price, t.volume, t.acml_volume,'
			' t.exch_ts FROM market.ticks_history AS t WHERE t.symbol = $1 AND t.recv_ts >= $2 AND t.recv_ts < $3 ORDER BY 1, 2'
			USING symbol, from_ts, to_ts;
	END IF;
END $$;
