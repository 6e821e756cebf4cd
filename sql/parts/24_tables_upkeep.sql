-- One row per time-series table: how it is cut, how long it is kept.  Partitions are
-- made ahead for every row but those of ahead = 0, which others fill whole;
-- enabled = false only keeps old ones from going or being packed.  A table without
-- chunk is not cut: what is old is deleted row by row.
CREATE TABLE system.ts_policy (
	table_name text PRIMARY KEY,
	time_column text NOT NULL,
	chunk text,
	ahead integer NOT NULL,
	retention interval,
	compress_after interval,
	segment_by text,
	-- the table that takes what compress_after makes old
	pack_into text,
	enabled boolean NOT NULL DEFAULT true,
	updated_by text NOT NULL DEFAULT session_user,
	updated_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
	CONSTRAINT ts_policy_chunk_check CHECK (chunk IN ('1 day', '1 month')),
	CONSTRAINT ts_policy_ahead_check CHECK (ahead = 0 OR (ahead BETWEEN 3 AND 30 AND chunk IS NOT NULL)),
	CONSTRAINT ts_policy_retention_check CHECK (retention >= '7 days'),
	CONSTRAINT ts_policy_compress_check CHECK (compress_after >= '1 day'
		AND (retention IS NULL OR compress_after < retention)),
	CONSTRAINT ts_policy_pack_check CHECK (pack_into IN ('market.ticks_packed', 'market.ticks_history'))
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
