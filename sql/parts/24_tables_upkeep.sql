-- One row per time-series table: how it is cut, how long it is kept.  Partitions are
-- made ahead for every row but those of ahead = 0, which others fill whole;
-- enabled = false only keeps old ones from going or being packed.
CREATE TABLE system.ts_policy (
	table_name text PRIMARY KEY,
	time_column text NOT NULL,
	chunk text NOT NULL,
	ahead integer NOT NULL,
	retention interval,
	compress_after interval,
	segment_by text,
	enabled boolean NOT NULL DEFAULT true,
	updated_by text NOT NULL DEFAULT session_user,
	updated_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
	CONSTRAINT ts_policy_chunk_check CHECK (chunk IN ('1 day', '1 month')),
	CONSTRAINT ts_policy_ahead_check CHECK (ahead = 0 OR ahead BETWEEN 3 AND 30),
	CONSTRAINT ts_policy_retention_check CHECK (retention >= '7 days'),
	CONSTRAINT ts_policy_compress_check CHECK (compress_after >= '1 day'
		AND (retention IS NULL OR compress_after < retention))
);

-- Background tasks of the monitor: everything before watermark is done; between
-- watermark and target, everything up to the symbol at.
CREATE TABLE system.upkeep (
	task text PRIMARY KEY,
	watermark timestamptz,
	target timestamptz,
	at text,
	rows bigint NOT NULL DEFAULT 0,
	last_run timestamptz,
	last_error text,
	last_error_ts timestamptz,
	CONSTRAINT upkeep_target_check CHECK (target > watermark)
);

-- Partitions whose time is over, from the decision until they are dropped: a crash
-- in between leaves the row, and a table somebody detached to keep has none.
CREATE TABLE system.ts_expired (
	child text PRIMARY KEY,
	parent text NOT NULL,
	decided_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
