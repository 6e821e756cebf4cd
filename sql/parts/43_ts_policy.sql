CREATE OR REPLACE FUNCTION qts._load_ts_policy() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO system.ts_policy (table_name, time_column, chunk, ahead, retention, compress_after, segment_by, pack_into) VALUES
	('market.prices_ticks', 'recv_ts', '1 day', 7, '30 days', '7 days', 'symbol', 'market.ticks_packed'),
	('market.ticks_packed', 'from_ts', '1 day', 0, '30 days', NULL, 'symbol', NULL),
	('market.ohlcv_1m', 'ts', '1 month', 3, NULL, NULL, 'symbol', NULL),
	('market.indicators', 'date', NULL, 0, '3 years', NULL, NULL, NULL),
	('market.imports', 'ts', NULL, 0, '3 years', NULL, NULL, NULL),
	('trade.exit_signals', 'ts', '1 day', 7, '365 days', NULL, 'position_id', NULL)
	ON CONFLICT ON CONSTRAINT ts_policy_pkey DO NOTHING;
END;

CREATE OR REPLACE FUNCTION qts._check_ts_policy(chunk text, ahead integer, retention interval, compress_after interval)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF chunk IS NOT NULL THEN
		PERFORM qts._one_of('chunk', chunk, ARRAY['1 day', '1 month']);
	END IF;
	IF ahead IS NULL OR ahead <> 0 AND ahead NOT BETWEEN 3 AND 30 THEN
		RAISE EXCEPTION 'ahead must be between 3 and 30' USING ERRCODE = 'QT011',
			DETAIL = format('ahead is %s.', coalesce(ahead::text, 'null')),
			HINT = 'It is how many partitions are made before they are needed.';
	ELSIF retention < interval '7 days' OR retention > interval '100 years' THEN
		RAISE EXCEPTION 'retention is out of range' USING ERRCODE = 'QT011',
			DETAIL = format('retention is %s.', retention), HINT = 'Keep at least 7 days; null keeps for ever.';
	ELSIF compress_after < interval '1 day' OR compress_after >= retention THEN
		RAISE EXCEPTION 'compress_after is out of range' USING ERRCODE = 'QT011',
			DETAIL = format('compress_after is %s, retention is %s.', compress_after, coalesce(retention::text, 'null')),
			HINT = 'At least 1 day and less than retention; null never compresses.';
	END IF;
END $$;

CREATE OR REPLACE FUNCTION qts.set_ts_policy(table_name text, chunk text, ahead integer, retention interval,
	compress_after interval, reason text, enabled boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was jsonb;
BEGIN
	PERFORM qts._need_reason(reason);
	PERFORM qts._check_ts_policy(set_ts_policy.chunk, set_ts_policy.ahead, set_ts_policy.retention,
		set_ts_policy.compress_after);
	SELECT to_jsonb(p) INTO was FROM system.ts_policy AS p WHERE p.table_name = set_ts_policy.table_name FOR NO KEY UPDATE;
	IF was IS NULL THEN
		RAISE EXCEPTION 'no policy for table "%"', coalesce(set_ts_policy.table_name, 'null') USING ERRCODE = 'QT011',
			DETAIL = 'It is not one of the time-series tables.', HINT = 'SELECT * FROM qts.ts_policy lists them.';
	ELSIF set_ts_policy.enabled IS NULL THEN
		RAISE EXCEPTION 'enabled is null' USING ERRCODE = 'QT011', DETAIL = 'It is true or false.',
			HINT = 'false keeps everything old as it is; new partitions are made all the same.';
	END IF;
	IF (set_ts_policy.ahead = 0) <> (was -> 'ahead' = '0') THEN
		RAISE EXCEPTION 'ahead does not fit this table' USING ERRCODE = 'QT011',
			DETAIL = format('ahead is %s, it was %s.', set_ts_policy.ahead, was ->> 'ahead'),
			HINT = 'Packed partitions are made when they are filled: 0. Others are made before: 3 to 30.';
	ELSIF (set_ts_policy.chunk IS NULL) <> (was ->> 'chunk' IS NULL) THEN
		RAISE EXCEPTION 'chunk does not fit this table' USING ERRCODE = 'QT011',
			DETAIL = format('chunk is %s, it was %s.', coalesce(set_ts_policy.chunk, 'null'), coalesce(was ->> 'chunk', 'null')),
			HINT = 'A table is cut or it is not; null when it is not.';
	ELSIF set_ts_policy.compress_after IS NOT NULL AND set_ts_policy.table_name <> 'market.prices_ticks' THEN
		RAISE EXCEPTION 'this table is not compressed' USING ERRCODE = 'QT011',
			DETAIL = format('table_name is %s.', set_ts_policy.table_name), HINT = 'Only market.prices_ticks is; use null.';
	END IF;
	UPDATE system.ts_policy AS p SET chunk = set_ts_policy.chunk, ahead = set_ts_policy.ahead,
		retention = set_ts_policy.retention, compress_after = set_ts_policy.compress_after,
		enabled = set_ts_policy.enabled, updated_by = session_user, updated_ts = clock_timestamp()
	WHERE p.table_name = set_ts_policy.table_name;
	PERFORM qts._audit('set_ts_policy', set_ts_policy.table_name, reason, was,
		(SELECT to_jsonb(p) FROM system.ts_policy AS p WHERE p.table_name = set_ts_policy.table_name));
END $$;
