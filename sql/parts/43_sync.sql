-- Quotes that somebody waits for: market.sync_jobs.  An attempt counts when it
-- is claimed, so that a job that ends its worker is not tried for ever.
CREATE OR REPLACE FUNCTION qts._sync_enqueue(symbol text, source text, priority integer DEFAULT 0) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO market.sync_jobs AS j (symbol, source, job_type, priority)
	VALUES (_sync_enqueue.symbol, _sync_enqueue.source,
		CASE _sync_enqueue.source WHEN 'NAVER' THEN 'NAVER_FETCH' ELSE 'REST_POLL' END, _sync_enqueue.priority)
	ON CONFLICT (symbol, source, job_type) WHERE status IN ('PENDING', 'RUNNING')
	DO UPDATE SET priority = greatest(j.priority, excluded.priority)
	RETURNING j.job_id;
END;

-- The most urgent jobs nobody has, at most so many, for 30 s.
CREATE OR REPLACE FUNCTION qts._sync_claim(worker text, most integer, OUT job_id bigint, OUT symbol text,
	OUT source text) RETURNS SETOF record
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	-- Materialised: run again as the inner side of a join, it would take more.
	WITH c AS MATERIALIZED (
		SELECT p.job_id FROM market.sync_jobs AS p WHERE p.status = 'PENDING' AND p.not_before_ts <= clock_timestamp()
		ORDER BY p.priority DESC, p.created_ts, p.job_id LIMIT _sync_claim.most FOR UPDATE SKIP LOCKED)
	UPDATE market.sync_jobs AS j SET status = 'RUNNING', worker_id = _sync_claim.worker, attempts = j.attempts + 1,
		started_ts = clock_timestamp(), lease_until_ts = clock_timestamp() + interval '30 seconds'
	FROM c WHERE j.job_id = c.job_id
	RETURNING j.job_id, j.symbol, j.source;
END;

CREATE OR REPLACE FUNCTION qts._sync_done(worker text, job_ids bigint[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	UPDATE market.sync_jobs AS j SET status = 'DONE', lease_until_ts = NULL, completed_ts = clock_timestamp(),
		last_error = NULL
	WHERE j.job_id = ANY (_sync_done.job_ids) AND j.status = 'RUNNING' AND j.worker_id = _sync_done.worker;
END;

-- Three attempts, 1 and 2 s apart.
CREATE OR REPLACE FUNCTION qts._sync_failed(worker text, job_ids bigint[], error text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	UPDATE market.sync_jobs AS j SET lease_until_ts = NULL, last_error = _sync_failed.error,
		status = CASE WHEN j.attempts >= 3 THEN 'FAILED' ELSE 'PENDING' END,
		completed_ts = CASE WHEN j.attempts >= 3 THEN clock_timestamp() END,
		not_before_ts = clock_timestamp() + interval '1 second' * power(2, j.attempts - 1)
	WHERE j.job_id = ANY (_sync_failed.job_ids) AND j.status = 'RUNNING' AND j.worker_id = _sync_failed.worker;
END;

-- Whoever had these is gone; jobs of yesterday and discrepancies of last month go.
CREATE OR REPLACE FUNCTION qts._sync_reap() RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	DELETE FROM market.sync_jobs AS j
	WHERE j.status IN ('DONE', 'FAILED') AND j.completed_ts < clock_timestamp() - interval '1 day';
	DELETE FROM market.discrepancies AS d WHERE d.ts < qts._now() - interval '30 days';
	WITH late AS (
		UPDATE market.sync_jobs AS j SET lease_until_ts = NULL, last_error = 'the lease ended without an answer',
			status = CASE WHEN j.attempts >= 3 THEN 'FAILED' ELSE 'PENDING' END,
			completed_ts = CASE WHEN j.attempts >= 3 THEN clock_timestamp() END
		WHERE j.status = 'RUNNING' AND j.lease_until_ts < clock_timestamp() RETURNING 1)
	SELECT count(*) FROM late;
END;

CREATE OR REPLACE FUNCTION qts._need_symbol(symbol text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
	IF NOT EXISTS (SELECT FROM market.stocks AS s WHERE s.symbol = symbol) THEN
		RAISE EXCEPTION 'unknown symbol' USING ERRCODE = 'QT012',
			DETAIL = format('market.stocks has no symbol %s.', coalesce(quote_literal(symbol), 'null')),
			HINT = 'Give the short code, as in ''005930''; add it to market.stocks if it is new.';
	END IF;
END $$;

CREATE OR REPLACE FUNCTION qts.refresh_price(symbol text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM qts._need_symbol(refresh_price.symbol);
	RETURN qts._sync_enqueue(refresh_price.symbol, 'KIS_REST', 100);
END $$;

CREATE OR REPLACE FUNCTION qts.watch(symbol text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM qts._need_symbol(watch.symbol);
	INSERT INTO market.watchlist (symbol, kind, added_ts) VALUES (watch.symbol, 'WATCH', qts._now())
	ON CONFLICT ON CONSTRAINT watchlist_pkey DO NOTHING;
	PERFORM qts._audit('watch', watch.symbol, NULL, NULL, NULL) WHERE FOUND;
END $$;

CREATE OR REPLACE FUNCTION qts.unwatch(symbol text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	gone boolean;
BEGIN
	DELETE FROM market.watchlist AS w WHERE w.symbol = unwatch.symbol AND w.kind = 'WATCH';
	gone := FOUND;
	IF gone THEN
		PERFORM qts._audit('unwatch', unwatch.symbol, NULL, NULL, NULL);
	END IF;
	RETURN gone;
END $$;

-- Two index funds: what the market as a whole does.
CREATE OR REPLACE FUNCTION qts._load_watchlist() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO market.watchlist (symbol, kind) VALUES ('069500', 'SYSTEM'), ('229200', 'SYSTEM')
	ON CONFLICT ON CONSTRAINT watchlist_pkey DO NOTHING;
END;

CREATE OR REPLACE FUNCTION qts._price_sync(OUT name text, OUT kind text, OUT state text, OUT since timestamptz,
	OUT detail text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'qts_sql_price_sync' LANGUAGE C VOLATILE;
CREATE OR REPLACE FUNCTION qts._price_metrics(OUT name text, OUT labels text, OUT value double precision,
	OUT help text, OUT type text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'qts_sql_price_metrics' LANGUAGE C VOLATILE;

COMMENT ON TABLE market.watchlist IS 'Symbols followed besides those held or ordered: WATCH by people, SYSTEM preset, RANKING by whoever ranks';
COMMENT ON TABLE market.sync_jobs IS 'Quotes that somebody waits for; one open job per symbol and source, at most three attempts, kept for a day';
COMMENT ON COLUMN market.sync_jobs.lease_until_ts IS 'Server''s clock; after it the job is free again';
COMMENT ON TABLE market.discrepancies IS 'Naver''s price against the broker''s, received less than 10 s apart; from 0.1 % on, KRW, kept for 30 days';
COMMENT ON FUNCTION qts._sync_enqueue(text, text, integer) IS 'Adds a job, or makes the open one of the same symbol and source at least as urgent; its number';
COMMENT ON FUNCTION qts._sync_claim(text, integer) IS 'Takes jobs for 30 s, most urgent first; never one that another has';
COMMENT ON FUNCTION qts._sync_done(text, bigint[]) IS 'Ends jobs that are still this worker''s';
COMMENT ON FUNCTION qts._sync_failed(text, bigint[], text) IS 'Tries again after 1 and 2 s; the third failure is the last';
COMMENT ON FUNCTION qts._sync_reap() IS 'Frees jobs whose lease ended, deletes old jobs and discrepancies; how many were freed';
COMMENT ON FUNCTION qts._need_symbol(text) IS 'QT012 unless market.stocks has the symbol';
COMMENT ON FUNCTION qts.refresh_price(text) IS 'Asks the broker for a symbol''s price at once, even when the market is closed; number of the job in market.sync_jobs. QT012';
COMMENT ON FUNCTION qts.watch(text) IS 'Follows the price of a symbol. QT012';
COMMENT ON FUNCTION qts.unwatch(text) IS 'Follows it no longer, unless it is held, ordered or a system symbol; false when it was not watched';
COMMENT ON FUNCTION qts._load_watchlist() IS 'The system symbols, when missing';
COMMENT ON FUNCTION qts._price_sync() IS 'Tiers, sources and freshness of the prices worker; QT201 without preload';
COMMENT ON FUNCTION qts._price_metrics() IS 'The same as metrics; QT201 without preload';
