-- Symbols to follow besides those held: no foreign key, because the system
-- symbols are known before the master is.
CREATE TABLE market.watchlist (
	symbol text NOT NULL,
	kind text NOT NULL DEFAULT 'WATCH',
	added_ts timestamptz NOT NULL DEFAULT now(),
	added_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (symbol, kind),
	CONSTRAINT watchlist_kind_check CHECK (kind IN ('WATCH', 'SYSTEM', 'RANKING'))
);

-- Quotes that somebody waits for.  Its times are the server's own: a lease is
-- about a process, not about the market.
CREATE TABLE market.sync_jobs (
	job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	symbol text NOT NULL REFERENCES market.stocks (symbol) ON DELETE CASCADE,
	source text NOT NULL DEFAULT 'KIS_REST',
	job_type text NOT NULL DEFAULT 'REST_POLL',
	priority integer NOT NULL DEFAULT 0,
	status text NOT NULL DEFAULT 'PENDING',
	worker_id text,
	attempts integer NOT NULL DEFAULT 0,
	last_error text,
	created_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
	not_before_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
	started_ts timestamptz,
	lease_until_ts timestamptz,
	completed_ts timestamptz,
	CONSTRAINT sync_jobs_source_check CHECK ((source, job_type) IN (('KIS_REST', 'REST_POLL'), ('NAVER', 'NAVER_FETCH'))),
	CONSTRAINT sync_jobs_status_check CHECK (status IN ('PENDING', 'RUNNING', 'DONE', 'FAILED')),
	CONSTRAINT sync_jobs_lease_check CHECK ((status = 'RUNNING') = (lease_until_ts IS NOT NULL)),
	CONSTRAINT sync_jobs_completed_check CHECK ((status IN ('DONE', 'FAILED')) = (completed_ts IS NOT NULL))
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX sync_jobs_open_idx ON market.sync_jobs (symbol, source, job_type)
	WHERE status IN ('PENDING', 'RUNNING');
CREATE INDEX sync_jobs_pending_idx ON market.sync_jobs (priority DESC, created_ts, job_id) WHERE status = 'PENDING';
CREATE INDEX sync_jobs_completed_idx ON market.sync_jobs (completed_ts) WHERE status IN ('DONE', 'FAILED');

CREATE TABLE market.discrepancies (
	discrepancy_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	symbol text NOT NULL,
	ts timestamptz NOT NULL,
	kis_price bigint NOT NULL,
	naver_price bigint NOT NULL,
	kis_source text NOT NULL,
	diff_pct numeric(9,4) NOT NULL,
	severity text NOT NULL,
	CONSTRAINT discrepancies_price_check CHECK (kis_price > 0 AND naver_price > 0),
	CONSTRAINT discrepancies_source_check CHECK (kis_source IN ('KIS_WS', 'KIS_REST')),
	CONSTRAINT discrepancies_severity_check CHECK (severity IN ('LOW', 'MEDIUM', 'HIGH'))
);
CREATE INDEX discrepancies_symbol_idx ON market.discrepancies (symbol, ts DESC);
CREATE INDEX discrepancies_severity_idx ON market.discrepancies (severity, ts DESC);
