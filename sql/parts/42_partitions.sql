-- Daily partitions; the workers own no tables.  Indexes and guards are made on
-- each: neither a TRUNCATE trigger nor, through a dump, a key comes from the parent.
CREATE OR REPLACE FUNCTION system._make_partition(parent text, child text, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := format('%I.%I', split_part(parent, '.', 1), child);
BEGIN
	EXECUTE format('CREATE TABLE %s PARTITION OF %s FOR VALUES FROM (%L) TO (%L)', name, parent,
		timezone('Asia/Seoul', day::timestamp), timezone('Asia/Seoul', (day + 1)::timestamp));
	IF parent = 'market.prices_ticks' THEN
		EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (symbol, recv_ts, source, seq)', name);
	ELSE
		EXECUTE format('CREATE INDEX ON %s (position_id, ts DESC)', name);
	END IF;
	EXECUTE format('CREATE TRIGGER qts_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
		' EXECUTE FUNCTION qts._trg_append_only()', name);
	EXECUTE format('COMMENT ON TABLE %s IS %L', name,
		format('%s of %s, Asia/Seoul', parent, to_char(day, 'YYYY-MM-DD')));
END $$;

CREATE OR REPLACE FUNCTION system._ensure_partitions(from_day date, days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parent text;
	child text;
	made integer := 0;
BEGIN
	IF from_day IS NULL OR days IS NULL OR days NOT BETWEEN 1 AND 60 THEN
		RAISE EXCEPTION 'days must be between 1 and 60' USING ERRCODE = 'QT011',
			DETAIL = format('from_day is %s, days is %s.', coalesce(from_day::text, 'null'), coalesce(days::text, 'null')),
			HINT = 'Give a first day and how many days.';
	END IF;
	FOREACH parent IN ARRAY ARRAY['market.prices_ticks', 'trade.exit_signals'] LOOP
		FOR i IN 0 .. days - 1 LOOP
			child := split_part(parent, '.', 2) || '_' || to_char(from_day + i, 'YYYYMMDD');
			CONTINUE WHEN to_regclass(format('%I.%I', split_part(parent, '.', 1), child)) IS NOT NULL;
			-- Two callers may meet here: the loser finds it made.  The catalogue is read
			-- anew, because a name cache does not hear of the winner while it waits.
			PERFORM pg_advisory_xact_lock(hashtextextended('qts partitions', 0));
			CONTINUE WHEN EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
				WHERE n.nspname = split_part(parent, '.', 1) AND c.relname = child);
			PERFORM system._make_partition(parent, child, from_day + i);
			made := made + 1;
		END LOOP;
	END LOOP;
	RETURN made;
END $$;

-- Retention: whole days go, rows never do.
CREATE OR REPLACE FUNCTION qts._drop_partitions(parent text, before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	child regclass;
	dropped integer := 0;
BEGIN
	PERFORM qts._one_of('table', parent, ARRAY['market.prices_ticks', 'trade.exit_signals']);
	IF before IS NULL OR before > (timezone('Asia/Seoul', qts._now()))::date - 7 THEN
		RAISE EXCEPTION 'partitions of the last week are kept' USING ERRCODE = 'QT011',
			DETAIL = format('before is %s.', before), HINT = 'Give a date at least seven days ago.';
	END IF;
	FOR child IN SELECT i.inhrelid::regclass FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
		WHERE i.inhparent = parent::regclass AND c.relname ~ '_[0-9]{8}$'
			AND to_date(right(c.relname, 8), 'YYYYMMDD') < before
		ORDER BY c.relname LOOP
		EXECUTE format('DROP TABLE %s', child);
		dropped := dropped + 1;
	END LOOP;
	RETURN dropped;
END $$;
