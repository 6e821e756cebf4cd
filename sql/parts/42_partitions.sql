-- Partitions by system.ts_policy, days and months in Asia/Seoul; the workers own
-- no tables.  There is no default partition: attaching beside one reads and locks
-- it whole, and whoever writes a day first makes it.
CREATE OR REPLACE FUNCTION system._partitions(parent text)
RETURNS TABLE (child oid, name text, from_ts timestamptz, to_ts timestamptz, pending boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' SET timezone = 'Asia/Seoul' AS $$
	SELECT c.oid, c.relname::text, b[1]::timestamptz, b[2]::timestamptz, i.inhdetachpending
	FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
	CROSS JOIN LATERAL regexp_match(pg_get_expr(c.relpartbound, c.oid), '^FOR VALUES FROM \(''([^'']+)''\) TO \(''([^'']+)''\)$') AS b
	WHERE i.inhparent = parent::regclass AND b IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION system._chunk_start(chunk text, ts timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN timezone('Asia/Seoul', date_trunc(substr(chunk, 3), timezone('Asia/Seoul', ts)));

CREATE OR REPLACE FUNCTION system._chunk_add(chunk text, ts timestamptz, n integer) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN timezone('Asia/Seoul', timezone('Asia/Seoul', ts) + n * chunk::interval);

-- A day, a month, or what other widths left between them.
CREATE OR REPLACE FUNCTION system._partition_name(parent text, from_ts timestamptz, to_ts timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first timestamp := timezone('Asia/Seoul', from_ts);
	after timestamp := timezone('Asia/Seoul', to_ts);
BEGIN
	RETURN split_part(parent, '.', 2) || '_' || CASE
		WHEN after = first + interval '1 day' THEN to_char(first, 'YYYYMMDD')
		WHEN first = date_trunc('month', first) AND after = first + interval '1 month' THEN to_char(first, 'YYYYMM')
		ELSE to_char(first, 'YYYYMMDD') || '_' || to_char(after, 'YYYYMMDD') END;
END $$;

-- Made apart and attached: that lets readers and writers of the parent go on, while
-- PARTITION OF shuts them out.  Keys and the TRUNCATE guard are each partition's
-- own: a dump takes partitions for user tables, and would make a key twice.
CREATE OR REPLACE FUNCTION system._make_partition(parent text, from_ts timestamptz, to_ts timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := format('%I.%I', split_part(parent, '.', 1), system._partition_name(parent, from_ts, to_ts));
BEGIN
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', name, parent);
	CASE parent
		WHEN 'market.prices_ticks' THEN
			-- bytes are all that a code is compared by; a language's order would cost each row a third more
			EXECUTE format('CREATE INDEX ON %s (symbol text_pattern_ops, recv_ts)', name);
		WHEN 'market.ohlcv_1m' THEN
			EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (symbol, ts)', name);
		WHEN 'trade.exit_signals' THEN
			EXECUTE format('CREATE INDEX ON %s (position_id, ts DESC)', name);
	END CASE;
	IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = parent::regclass AND tgname = 'qts_truncate') THEN
		EXECUTE format('CREATE TRIGGER qts_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
			' EXECUTE FUNCTION qts._trg_append_only()', name);
	END IF;
	EXECUTE format('COMMENT ON TABLE %s IS %L', name, format('%s from %s until %s, Asia/Seoul', parent,
		to_char(timezone('Asia/Seoul', from_ts), 'YYYY-MM-DD'), to_char(timezone('Asia/Seoul', to_ts), 'YYYY-MM-DD')));
	EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', parent, name, from_ts, to_ts);
END $$;

CREATE OR REPLACE FUNCTION system._is_covered(parent text, from_ts timestamptz, to_ts timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(range_agg(tstzrange(p.from_ts, p.to_ts)) @> tstzrange(_is_covered.from_ts, _is_covered.to_ts), false)
	FROM system._partitions(parent) AS p
$$;

-- For imports of history too: what is missing of a span, and only that.
CREATE OR REPLACE FUNCTION system._ensure_range(parent text, from_ts timestamptz, to_ts timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	chunk text := (SELECT p.chunk FROM system.ts_policy AS p WHERE p.table_name = parent AND p.ahead > 0);
	start timestamptz := system._chunk_start(chunk, from_ts);
	gap tstzrange;
	made integer := 0;
BEGIN
	IF chunk IS NULL THEN
		RAISE EXCEPTION 'no policy for table "%"', parent USING ERRCODE = 'QT011',
			DETAIL = 'Only tables of system.ts_policy are partitioned here.',
			HINT = 'SELECT * FROM qts.ts_policy lists them; qts.load_defaults() brings back missing rows.';
	ELSIF from_ts IS NULL OR to_ts IS NULL OR from_ts >= to_ts OR from_ts < '1980-01-01'
		OR to_ts > system._chunk_add(chunk, start, 800) THEN
		RAISE EXCEPTION 'invalid span for partitions' USING ERRCODE = 'QT011',
			DETAIL = format('from_ts is %s, to_ts is %s.', coalesce(from_ts::text, 'null'), coalesce(to_ts::text, 'null')),
			HINT = 'The end is after the beginning, not before 1980, and at most 800 partitions away.';
	END IF;
	IF system._is_covered(parent, from_ts, to_ts) THEN
		RETURN 0;
	END IF;
	-- Two callers may meet here: the loser finds it made, as each statement looks anew.
	PERFORM pg_advisory_xact_lock(hashtextextended('qts partitions', 0));
	WHILE start < to_ts LOOP
		FOR gap IN SELECT unnest(tstzmultirange(tstzrange(start, system._chunk_add(chunk, start, 1)))
			- coalesce(range_agg(tstzrange(p.from_ts, p.to_ts)), '{}')) FROM system._partitions(parent) AS p LOOP
			PERFORM system._make_partition(parent, lower(gap), upper(gap));
			made := made + 1;
		END LOOP;
		start := system._chunk_add(chunk, start, 1);
	END LOOP;
	RETURN made;
END $$;

CREATE OR REPLACE FUNCTION system._ensure_partitions(from_day date, days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made integer := 0;
	p record;
BEGIN
	IF from_day IS NULL OR days IS NULL OR days NOT BETWEEN 1 AND 60 THEN
		RAISE EXCEPTION 'days must be between 1 and 60' USING ERRCODE = 'QT011',
			DETAIL = format('from_day is %s, days is %s.', coalesce(from_day::text, 'null'), coalesce(days::text, 'null')),
			HINT = 'Give a first day and how many days.';
	END IF;
	FOR p IN SELECT t.table_name FROM system.ts_policy AS t WHERE t.ahead > 0 ORDER BY t.table_name LOOP
		BEGIN
			made := made + system._ensure_range(p.table_name, timezone('Asia/Seoul', from_day::timestamp),
				timezone('Asia/Seoul', (from_day + days)::timestamp));
		EXCEPTION WHEN duplicate_table THEN
			-- a table of somebody's in the way of one does not stop the others; the monitor alerts
			RAISE WARNING 'no partition of %: %', p.table_name, SQLERRM USING ERRCODE = 'QT901';
		END;
	END LOOP;
	RETURN made;
END $$;
