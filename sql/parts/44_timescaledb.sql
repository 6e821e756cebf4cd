-- Old ticks in TimescaleDB, where that extension is: a finished day's partition becomes
-- a chunk of the hypertable market.ticks_history as it stands, and is compressed there.
-- system.ts_policy stays the one truth: TimescaleDB's own policies are not used.
--
-- The table that ticks are written to stays a partitioned one.  It is the extension's
-- and so made by every restore, and a hypertable would have to be made there instead.

-- The schema of its functions, quoted; null when it is not in this database.
CREATE OR REPLACE FUNCTION system._timescaledb() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT quote_ident(n.nspname) FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
	WHERE e.extname = 'timescaledb');

CREATE OR REPLACE FUNCTION system._history_chunks()
RETURNS TABLE (child regclass, from_ts timestamptz, to_ts timestamptz, compressed boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF system._timescaledb() IS NOT NULL THEN
		RETURN QUERY EXECUTE 'SELECT format(''%I.%I'', c.chunk_schema, c.chunk_name)::regclass, c.range_start, c.range_end,'
			' c.is_compressed FROM timescaledb_information.chunks AS c'
			' WHERE c.hypertable_schema = ''market'' AND c.hypertable_name = ''ticks_history'' ORDER BY c.range_start';
	END IF;
END $$;

-- What it takes on disk, compressed rows included.
CREATE OR REPLACE FUNCTION qts._history_bytes() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bytes bigint := 0;
BEGIN
	IF system._timescaledb() IS NOT NULL AND to_regclass('market.ticks_history') IS NOT NULL THEN
		EXECUTE format('SELECT %s.hypertable_size(''market.ticks_history'')', system._timescaledb()) INTO bytes;
	END IF;
	RETURN coalesce(bytes, 0);
END $$;

CREATE OR REPLACE FUNCTION system._need_timescaledb() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found text := (SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'timescaledb');
	license text := current_setting('timescaledb.license', true);
BEGIN
	IF found IS NULL OR license IS NULL THEN
		RAISE EXCEPTION 'timescaledb is not available' USING ERRCODE = 'QT011',
			DETAIL = CASE WHEN found IS NULL THEN 'It is not installed in this database.'
				ELSE 'It is installed, but the server has not loaded it.' END,
			HINT = 'Put timescaledb before qts in shared_preload_libraries, restart, and run CREATE EXTENSION timescaledb.'
				' Without it, old ticks are packed all the same.';
	ELSIF to_regprocedure(system._timescaledb() || '.attach_chunk(regclass,regclass,jsonb)') IS NULL THEN
		RAISE EXCEPTION 'timescaledb % is too old', found USING ERRCODE = 'QT011',
			DETAIL = 'It cannot take a table as it is for a chunk.', HINT = 'Update it to 2.21 or later.';
	ELSIF license <> 'timescale' THEN
		RAISE EXCEPTION 'this edition of timescaledb cannot compress' USING ERRCODE = 'QT011',
			DETAIL = format('timescaledb.license is %s.', license),
			HINT = 'Its community edition can: timescaledb.license = timescale.';
	END IF;
END $$;

CREATE OR REPLACE FUNCTION system._make_history() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ts text := system._timescaledb();
	role text;
BEGIN
	CREATE TABLE market.ticks_history (LIKE market.prices_ticks INCLUDING DEFAULTS INCLUDING CONSTRAINTS
		INCLUDING STORAGE INCLUDING COMMENTS);
	CREATE INDEX ON market.ticks_history (symbol, recv_ts);
	EXECUTE format('SELECT %1$s.create_hypertable(''market.ticks_history'', %1$s.by_range(''recv_ts'', interval ''1 day''),'
		' create_default_indexes => false)', ts);
	EXECUTE format('ALTER TABLE market.ticks_history SET (timescaledb.compress, timescaledb.compress_segmentby = %L,'
		' timescaledb.compress_orderby = ''recv_ts, seq'')', (SELECT p.segment_by FROM system.ts_policy AS p
		WHERE p.table_name = 'market.prices_ticks'));
	CREATE TRIGGER qts_append BEFORE UPDATE OR DELETE ON market.ticks_history
		FOR EACH ROW EXECUTE FUNCTION qts._trg_append_only();
	CREATE TRIGGER qts_truncate BEFORE TRUNCATE ON market.ticks_history
		FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_append_only();
	COMMENT ON TABLE market.ticks_history IS
		'Ticks of old days as chunks of a TimescaleDB hypertable, each a day in Asia/Seoul; read with qts.ticks()';
	FOR role IN SELECT r.rolname FROM pg_roles AS r WHERE r.rolname = ANY (qts._worker_roles() || 'qts_admin'::text) LOOP
		EXECUTE format('GRANT SELECT ON market.ticks_history TO %I', role);
	END LOOP;
END $$;

CREATE OR REPLACE FUNCTION system._set_pack_into(into_table text, action text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	was text;
BEGIN
	SELECT p.pack_into INTO was FROM system.ts_policy AS p WHERE p.table_name = 'market.prices_ticks' FOR NO KEY UPDATE;
	IF was IS NULL THEN
		RAISE EXCEPTION 'no policy for table "market.prices_ticks"' USING ERRCODE = 'QT011',
			DETAIL = 'It says where old ticks go.', HINT = 'qts.load_defaults() brings back missing rows.';
	ELSIF was = into_table THEN
		RAISE NOTICE 'old ticks go to % already', into_table;
		RETURN;
	END IF;
	UPDATE system.ts_policy AS p SET pack_into = into_table, updated_by = session_user, updated_ts = clock_timestamp()
	WHERE p.table_name = 'market.prices_ticks';
	PERFORM qts._audit(action, 'market.prices_ticks', reason, jsonb_build_object('pack_into', was),
		jsonb_build_object('pack_into', into_table));
END $$;

CREATE OR REPLACE FUNCTION qts.enable_timescaledb(reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM qts._need_reason(reason);
	PERFORM system._need_timescaledb();
	PERFORM system._set_pack_into('market.ticks_history', 'enable_timescaledb', reason);
	-- a restore may have brought the policy without the table
	IF to_regclass('market.ticks_history') IS NULL THEN
		PERFORM system._make_history();
	END IF;
	INSERT INTO system.ts_policy AS p (table_name, time_column, chunk, ahead, retention, segment_by)
	SELECT 'market.ticks_history', 'recv_ts', t.chunk, 0, t.retention, t.segment_by FROM system.ts_policy AS t
	WHERE t.table_name = 'market.ticks_packed' ON CONFLICT ON CONSTRAINT ts_policy_pkey DO NOTHING;
END $$;

-- Days already there come back one by one, and are packed as if they had never left.
CREATE OR REPLACE FUNCTION qts.disable_timescaledb(reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM qts._need_reason(reason);
	PERFORM system._set_pack_into('market.ticks_packed', 'disable_timescaledb', reason);
END $$;

-- A day moves as it is, not row by row.  TimescaleDB reads it once for its constraint,
-- and for that time nobody reads or writes ticks: never beside a running market.
CREATE OR REPLACE FUNCTION system._history_attach(raw text, from_ts timestamptz, to_ts timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	empty boolean;
BEGIN
	EXECUTE format('LOCK TABLE market.%I IN SHARE MODE', raw);
	EXECUTE format('SELECT NOT EXISTS (SELECT FROM market.%I)', raw) INTO empty;
	EXECUTE format('ALTER TABLE market.prices_ticks DETACH PARTITION market.%I', raw);
	IF empty THEN
		INSERT INTO system.ts_expired (parent, child) VALUES ('market.prices_ticks', raw);
	ELSE
		EXECUTE format('CALL %s.attach_chunk(''market.ticks_history'', %L, %L)', system._timescaledb(),
			format('market.%I', raw), jsonb_build_object('recv_ts', jsonb_build_array(from_ts::text, to_ts::text)));
	END IF;
END $$;

CREATE OR REPLACE FUNCTION system._history_detach(child regclass, from_ts timestamptz, to_ts timestamptz,
	compressed boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ts text := system._timescaledb();
BEGIN
	IF compressed THEN
		EXECUTE format('SELECT %s.decompress_chunk(%L)', ts, child);
	END IF;
	EXECUTE format('CALL %s.detach_chunk(%L)', ts, child);
	EXECUTE format('DROP TRIGGER IF EXISTS qts_append ON %s', child); -- the parent brings its own
	EXECUTE format('ALTER TABLE market.prices_ticks ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', child, from_ts, to_ts);
END $$;

-- One thing per call: what is too old goes, the next day comes or goes back, the next
-- one is compressed.  Age is counted from the newest day there is, as with partitions.
CREATE OR REPLACE FUNCTION system._history_step() RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ticks system.ts_policy := (SELECT p FROM system.ts_policy AS p WHERE p.table_name = 'market.prices_ticks');
	own system.ts_policy := (SELECT p FROM system.ts_policy AS p WHERE p.table_name = 'market.ticks_history');
	ts text := system._timescaledb();
	raw text;
	c record;
BEGIN
	SELECT least(max(h.from_ts), qts._now()) - own.retention AS before INTO c FROM system._history_chunks() AS h;
	IF own.enabled AND EXISTS (SELECT FROM system._history_chunks() AS h WHERE h.to_ts <= c.before) THEN
		EXECUTE format('SELECT count(*) FROM %s.drop_chunks(''market.ticks_history'', older_than => %L::timestamptz)', ts, c.before);
		RETURN 'dropped';
	ELSIF NOT ticks.enabled THEN
		RETURN NULL;
	ELSIF ticks.pack_into <> 'market.ticks_history' THEN
		SELECT * INTO c FROM system._history_chunks() AS h LIMIT 1;
		IF FOUND THEN
			PERFORM system._history_detach(c.child, c.from_ts, c.to_ts, c.compressed);
			RETURN 'back';
		END IF;
		DROP TABLE market.ticks_history;
		DELETE FROM system.ts_policy AS p WHERE p.table_name = 'market.ticks_history';
		RETURN 'left';
	END IF;
	raw := system._pack_next();
	IF raw IS NOT NULL THEN
		SELECT p.from_ts, p.to_ts INTO c FROM system._partitions('market.prices_ticks') AS p WHERE p.name = raw;
		PERFORM system._history_attach(raw, c.from_ts, c.to_ts);
		PERFORM system._pack_forget();
		RETURN 'attached';
	END IF;
	SELECT * INTO c FROM system._history_chunks() AS h WHERE NOT h.compressed LIMIT 1;
	IF FOUND THEN
		EXECUTE format('SELECT %s.compress_chunk(%L)', ts, c.child);
		RETURN 'compressed';
	END IF;
	RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION system._upkeep_history(OUT more boolean, OUT rows bigint) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
BEGIN
	rows := 0;
	more := to_regclass('market.ticks_history') IS NOT NULL
		AND NOT system._ticks_since(qts._now() - interval '10 minutes');
	IF NOT more THEN
		RETURN;
	END IF;
	PERFORM system._need_timescaledb();
	BEGIN
		more := system._history_step() IS NOT NULL;
	EXCEPTION WHEN lock_not_available THEN
		more := false; -- readers first; tried again in a minute
	END;
	IF more THEN
		rows := 1;
		PERFORM system._upkeep_done('timescaledb', 1);
	END IF;
END $$;

COMMENT ON FUNCTION system._timescaledb() IS 'Schema of TimescaleDB''s functions, quoted; null without it';
COMMENT ON FUNCTION system._history_chunks() IS 'Chunks of market.ticks_history, oldest first';
COMMENT ON FUNCTION qts._history_bytes() IS 'What market.ticks_history takes on disk';
COMMENT ON FUNCTION system._need_timescaledb() IS 'QT011 unless TimescaleDB can keep old ticks';
COMMENT ON FUNCTION system._make_history() IS 'Makes the hypertable market.ticks_history';
COMMENT ON FUNCTION system._set_pack_into(text, text, text) IS 'Where old ticks go from now on. QT011';
COMMENT ON FUNCTION qts.enable_timescaledb(text) IS 'Old ticks become compressed chunks of a TimescaleDB hypertable, market.ticks_history, instead of packed rows. QT011';
COMMENT ON FUNCTION qts.disable_timescaledb(text) IS 'Old ticks are packed as without TimescaleDB; days in market.ticks_history come back one by one. QT011';
COMMENT ON FUNCTION system._history_attach(text, timestamptz, timestamptz) IS 'Makes a partition of ticks a chunk of market.ticks_history';
COMMENT ON FUNCTION system._history_detach(regclass, timestamptz, timestamptz, boolean) IS 'Makes a chunk of market.ticks_history a partition of ticks again';
COMMENT ON FUNCTION system._history_step() IS 'The next thing to do for market.ticks_history, done; null when there is nothing';
COMMENT ON FUNCTION system._upkeep_history() IS 'A slice of keeping old ticks in TimescaleDB, while the market is quiet';
