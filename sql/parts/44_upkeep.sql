-- What the monitor worker does in the background, a slice per call, each a
-- transaction of its own.  "more" asks for the next slice soon.
CREATE OR REPLACE FUNCTION system._upkeep_done(task text, rows bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO system.upkeep AS u (task, rows, last_run) VALUES (_upkeep_done.task, _upkeep_done.rows, qts._now())
	ON CONFLICT ON CONSTRAINT upkeep_pkey DO UPDATE SET rows = u.rows + EXCLUDED.rows, last_run = EXCLUDED.last_run;
END;

CREATE OR REPLACE FUNCTION system._upkeep_failed(task text, error text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO system.upkeep AS u (task, last_error, last_error_ts) VALUES (task, left(error, 500), qts._now())
	ON CONFLICT ON CONSTRAINT upkeep_pkey DO UPDATE SET last_error = EXCLUDED.last_error, last_error_ts = EXCLUDED.last_error_ts;
	PERFORM qts._alert('WARNING', 'UPKEEP_FAILED', task, left(error, 500),
		'It is tried again by itself. SELECT * FROM qts.upkeep shows since when.');
END $$;

-- What is needed first comes first, and one table that cannot be cut does not keep
-- the others from it.
CREATE OR REPLACE FUNCTION system._upkeep_partitions(OUT more boolean, OUT rows bigint) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	now_ts timestamptz := qts._now();
	p record;
BEGIN
	more := false;
	rows := 0;
	FOR p IN SELECT t.table_name, s.soon, system._chunk_start(t.chunk, now_ts) AS start,
			system._chunk_add(t.chunk, system._chunk_start(t.chunk, now_ts), CASE WHEN s.soon THEN 2 ELSE t.ahead + 1 END) AS stop
		FROM system.ts_policy AS t CROSS JOIN (VALUES (true), (false)) AS s (soon)
		WHERE t.ahead > 0 ORDER BY s.soon DESC, t.table_name LOOP
		BEGIN
			rows := rows + system._ensure_range(p.table_name, p.start, p.stop);
		EXCEPTION WHEN OTHERS THEN
			PERFORM system._upkeep_failed('partitions', format('%s: %s', p.table_name, SQLERRM));
			IF p.soon THEN
				PERFORM qts._alert('CRITICAL', 'PARTITION_MISSING', p.table_name,
					format('%s has no partition for now or for what comes next: %s', p.table_name, SQLERRM),
					'Its rows cannot be stored. Remove the cause; it is tried again every minute.');
			END IF;
		END;
	END LOOP;
	IF rows > 0 THEN
		PERFORM system._upkeep_done('partitions', rows);
	END IF;
END $$;

-- Ticks before this have become minutes and days.
CREATE OR REPLACE FUNCTION system._rolled_until() RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN least(coalesce((SELECT u.watermark FROM system.upkeep AS u WHERE u.task = 'ohlcv_1m'), '-infinity'),
	coalesce((SELECT u.watermark FROM system.upkeep AS u WHERE u.task = 'ohlcv_1d'), '-infinity'));

-- Rows older than this may go.  A clock that runs ahead does not make old what is
-- the newest there is, and no tick goes before its minute is rolled up.
CREATE OR REPLACE FUNCTION system._expires_before(parent text, retention interval) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	base timestamptz := qts._now();
	schema_name text := split_part(parent, '.', 1);
	p record;
	filled boolean;
BEGIN
	FOR p IN SELECT c.name, c.from_ts FROM system._partitions(parent) AS c
		WHERE c.from_ts <= base AND NOT c.pending ORDER BY c.from_ts DESC LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', schema_name, p.name) INTO filled;
		IF filled THEN
			base := least(base, p.from_ts);
			EXIT;
		END IF;
	END LOOP;
	base := base - retention;
	IF parent = 'market.prices_ticks' THEN
		base := least(base, system._rolled_until());
	END IF;
	RETURN base;
END $$;

-- The next partition to detach and drop, noted before anything happens to it.
CREATE OR REPLACE FUNCTION system._expire_next(OUT parent text, OUT child text, OUT attached boolean, OUT pending boolean)
RETURNS record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	t record;
	old record;
	limit_ts timestamptz;
BEGIN
	SELECT e.parent, e.child INTO old FROM system.ts_expired AS e ORDER BY e.decided_ts LIMIT 1;
	IF NOT FOUND THEN
		FOR t IN SELECT p.table_name, p.retention FROM system.ts_policy AS p
			WHERE p.enabled AND p.retention IS NOT NULL ORDER BY p.table_name LOOP
			-- the first look is cheap: on most turns nothing is old by the clock
			CONTINUE WHEN NOT EXISTS (SELECT FROM system._partitions(t.table_name) AS c
				WHERE c.to_ts <= qts._now() - t.retention);
			limit_ts := system._expires_before(t.table_name, t.retention);
			SELECT t.table_name AS parent, c.name AS child INTO old FROM system._partitions(t.table_name) AS c
			WHERE c.to_ts <= limit_ts ORDER BY c.to_ts LIMIT 1;
			EXIT WHEN FOUND;
		END LOOP;
		IF old.child IS NULL THEN
			RETURN;
		END IF;
		INSERT INTO system.ts_expired (parent, child) VALUES (old.parent, old.child);
	END IF;
	parent := old.parent;
	child := format('%I.%I', split_part(old.parent, '.', 1), old.child);
	SELECT c.pending INTO pending FROM system._partitions(old.parent) AS c WHERE c.name = old.child;
	attached := FOUND;
END $$;

CREATE OR REPLACE FUNCTION system._drop_expired(child text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	e system.ts_expired;
BEGIN
	DELETE FROM system.ts_expired AS x WHERE format('%I.%I', split_part(x.parent, '.', 1), x.child) = child RETURNING * INTO e;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'table % has not expired', child USING ERRCODE = 'QT010',
			DETAIL = 'It is not noted in system.ts_expired.', HINT = 'Retention decides: see qts.set_ts_policy().';
	ELSIF EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = to_regclass(child)) THEN
		RAISE EXCEPTION 'table % is still attached', child USING ERRCODE = 'QT010',
			DETAIL = format('It is a partition of %s.', e.parent), HINT = 'It is detached first.';
	END IF;
	-- waits for grants, which read what tables there are
	EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', e.parent);
	EXECUTE format('DROP TABLE IF EXISTS %s', child);
	PERFORM system._pack_forget();
	PERFORM system._upkeep_done('retention', 1);
END $$;

-- Retention of tables that are not cut, a thousand rows at a time while the market is
-- quiet; old is measured from the newest row.
CREATE OR REPLACE FUNCTION system._upkeep_rows(OUT more boolean, OUT rows bigint) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'Asia/Seoul' AS $$
DECLARE
	p record;
	before timestamptz;
	n bigint;
BEGIN
	more := false;
	rows := 0;
	IF system._ticks_since(qts._now() - interval '10 minutes') THEN
		RETURN;
	END IF;
	FOR p IN SELECT t.table_name, t.time_column, t.retention FROM system.ts_policy AS t
		WHERE t.enabled AND t.chunk IS NULL AND t.retention IS NOT NULL ORDER BY t.table_name LOOP
		EXECUTE format('SELECT least(max(%I)::timestamptz, qts._now()) - $1 FROM %s', p.time_column, p.table_name)
			INTO before USING p.retention;
		EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY (ARRAY(SELECT o.ctid FROM %1$s AS o WHERE o.%2$I < $1 LIMIT 1000))',
			p.table_name, p.time_column) USING before;
		GET DIAGNOSTICS n = ROW_COUNT;
		rows := rows + n;
		more := more OR n = 1000;
	END LOOP;
	IF rows > 0 THEN
		PERFORM system._upkeep_done('rows', rows);
	END IF;
END $$;
